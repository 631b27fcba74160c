"""What the scores would be, as a table: `mutual-value whatif`."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from warehouse.serving import formats
from warehouse.whatif import Comparison, Score

TITLE = "Mechanical, not causal: what the scores would say, not what a customer would do"
SHOWN = 10
NAMES = {
    "mutual_value": "mutual value",
    "supplier_value": "we get",
    "customer_value": "they get",
    "partnership": "partnership",
    "cost_focus_customer": "customer's cost focus",
    "cost_focus_supplier": "our cost focus",
}


def one_account(found: Comparison) -> Table:
    """Every score of one account, as it is and as it would be, in points of 100 with 95 % intervals."""
    table = Table("score", "now", "would be", "change", title=f"{found.name} ({found.account_id})\n{TITLE}")
    for score, name in NAMES.items():
        if score in found.before or score in found.after:
            table.add_row(
                name,
                told(found.before.get(score)),
                told(found.after.get(score)),
                formats.points(found.step(score), signed=True),
            )
    table.add_row("rank by mutual value", formats.count(found.rank_before), formats.count(found.rank_after), "")
    return table


def portfolio(found: Sequence[Comparison]) -> Table:
    """The accounts whose mutual value moves most under the weights."""
    table = Table("account", "mutual value now", "would be", "change", "rank", title=TITLE)
    for each in found[:SHOWN]:
        table.add_row(
            each.name,
            told(each.before.get("mutual_value")),
            told(each.after.get("mutual_value")),
            formats.points(each.step(), signed=True),
            f"{formats.count(each.rank_before)} -> {formats.count(each.rank_after)}",
        )
    return table


def summary(found: Sequence[Comparison]) -> str:
    """How much the whole ranking changes, in a sentence."""
    ranked = [each for each in found if each.rank_before and each.rank_after]
    if not ranked:
        return "No account has a mutual value in the last complete month."
    half = len(ranked) / 2
    kept = sum((each.rank_before or 0) <= half for each in ranked if (each.rank_after or 0) <= half)
    upper = sum((each.rank_before or 0) <= half for each in ranked)
    steps = sorted(abs(each.step() or 0) for each in ranked)
    return (
        f"{formats.number_of(len(ranked), 'account')} ranked; {kept} of the {upper} in the upper half stay there; "
        f"the middle account moves by {formats.points(steps[len(steps) // 2])} points."
    )


def told(score: Score | None) -> str:
    """`52.1 (40.0 to 64.0)`, or a dash."""
    if score is None:
        return formats.ABSENT
    return f"{formats.points(score.value)} ({formats.points(score.low)} to {formats.points(score.high)})"
