"""What the differences are worth in money a year, for one account of median size.

Two outcomes are shares of revenue, so that money follows without a price being put on anything: net revenue retention
(closing over opening monthly recurring revenue) and contribution margin. A difference of d in either, at a monthly
recurring revenue of m, is 12 x d x m a year, at the pace that the value window ended with. It holds for an account of
that size and not for all of them together: the difference is one between means of accounts, large and small alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from warehouse.serving import formats, wording
from warehouse.serving.findings import SMALLEST_GROUP, Findings, Row

MONTHS = 12
NAMES = {"nrr": "Recurring revenue", "contribution_margin": "Contribution"}
SHARES = {"nrr": "net revenue retention", "contribution_margin": "contribution margin"}


@dataclass(frozen=True)
class Worth:
    """A difference in money a year: the amount with its 95 % interval, as text, and whether the interval holds 0."""

    outcome: str
    name: str
    amount: str
    interval: str
    holds_zero: bool


def worths(findings: Findings) -> list[Worth]:
    """The worth of each outcome that could be compared; none where no size is known."""
    if _sized(findings) is None:
        return []
    rows = ((outcome, findings.estimate(wording.PRIMARY, outcome)) for outcome in NAMES)
    return [
        _worth(findings, outcome, row) for outcome, row in rows if row is not None and row["difference"] is not None
    ]


def told(findings: Findings, known: Sequence[Worth]) -> list[str]:
    """How the amounts were computed and what they are not; of the others, why there is no amount."""
    sentences = []
    if known:
        mrr, currency = findings.groups["median_mrr"], findings.run["currency"]
        sentences.append(
            f"In money: the median account compared paid {formats.count(mrr)} {currency} a month just before "
            f"{formats.month(findings.run['t0'])}, {formats.count(MONTHS * mrr)} a year. Of that, "
            f"{' and '.join(_part(findings, each) for each in known)}, measured from then to "
            f"{formats.month(findings.run['last_month'])}. That much goes with partnership; that partnership brings it "
            "is not shown."
        )
    missing = NAMES.keys() - {each.outcome for each in known}
    reasons = {outcome: _reason(findings, outcome) for outcome in NAMES if outcome in missing}
    if len(reasons) == len(NAMES) and len(set(reasons.values())) == 1:
        return [f"What it is worth in money cannot be told: {reasons['nrr']}"]
    return sentences + [
        f"What it is worth in {NAMES[outcome].lower()} cannot be told: {reason}" for outcome, reason in reasons.items()
    ]


def _part(findings: Findings, worth: Worth) -> str:
    row = findings.estimate(wording.PRIMARY, worth.outcome) or {}
    zero = " (its interval holds 0)" if worth.holds_zero else ""
    return f"{formats.points(row['difference'], signed=True)} % by {SHARES[worth.outcome]} is {worth.amount}{zero}"


def _worth(findings: Findings, outcome: str, row: Row) -> Worth:
    yearly = MONTHS * float(findings.groups["median_mrr"])
    middle, low, high = (row[name] * yearly for name in ("difference", "ci_low", "ci_high"))
    currency = findings.run["currency"]
    amount = formats.money(middle, high - low, currency)
    low_text, high_text = (formats.money(limit, high - low, currency) for limit in (low, high))
    return Worth(
        outcome, NAMES[outcome], amount, f"{low_text.removesuffix(f' {currency}')} to {high_text}", low <= 0 <= high
    )


def _sized(findings: Findings) -> float | None:
    """Median monthly recurring revenue of the accounts compared; None where it would be that of a few."""
    groups = findings.groups
    return None if groups["paying"] < SMALLEST_GROUP else float(groups["median_mrr"])


def _reason(findings: Findings, outcome: str) -> str:
    row = findings.estimate(wording.PRIMARY, outcome)
    if row is None or row["difference"] is None:
        return wording.sentence_end((row or {}).get("reason") or "the comparison has not been computed")
    return f"fewer than {SMALLEST_GROUP} of the accounts compared had recurring revenue on record."
