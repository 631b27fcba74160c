"""The report's last section: what its words mean, and what the page was made from."""

from __future__ import annotations

from collections.abc import Sequence

from warehouse.serving import formats, wording
from warehouse.serving.findings import Findings
from warehouse.serving.page import escaped, paragraph

DEFINITIONS = (
    (
        "Partnership",
        "How far the two run the relationship together: shared goals, joint development, contact that the customer "
        "seeks, many people on both sides. 0 to 100 points, 50 is the middle of the accounts of the first year.",
    ),
    (
        "Cost focus",
        "How far each side looks after its own costs: requests for discounts, disputes and tenders of the customer, "
        "one-sided changes and goals of ours. It is a second axis, not the opposite of partnership; a customer can be "
        "strong in both.",
    ),
    (
        "Mutual value",
        "What both sides get, as one number: the geometric mean of what we get (revenue kept, payment, discounts "
        "given) and what the customer gets (answers, solutions, satisfaction). It is high only when both are.",
    ),
    (
        "Points",
        "Every score runs from 0 to 100, 50 being the middle of the reference accounts. A difference of 10 points "
        "takes an account from the middle to better than six in ten.",
    ),
    (
        "95 % interval",
        "The range of differences that fits the data. If the same comparison were made on many such sets of "
        "accounts, 95 of 100 such ranges would hold the true difference.",
    ),
    (
        "Not known",
        "What is not recorded is never shown as 0; it is a dash, and the measure says why it is missing.",
    ),
)


def guide(findings: Findings) -> tuple[str, ...]:
    """Definitions, the five verdicts, and which run, code and protocol made the page."""
    verdicts = [(f"Verdict “{wording.LABELS[word]}”", meaning) for word, meaning in wording.MEANINGS.items()]
    terms = "".join(f"<dt>{escaped(term)}</dt><dd>{escaped(text)}</dd>" for term, text in (*DEFINITIONS, *verdicts))
    return (f'<dl class="terms">{terms}</dl>', "<h3>Where this page comes from</h3>", _facts(findings))


def _facts(findings: Findings) -> str:
    release = findings.release
    facts: Sequence[tuple[str, str]] = (
        ("Data up to", formats.day(release["as_of"])),
        ("Last complete month", formats.month(findings.run["last_month"])),
        ("Run", formats.text(release["run_id"])),
        ("Built", formats.moment(release["built_at"])),
        ("Code version", formats.text(release["code_version"])),
        ("Reference version", formats.text(release["reference_version"])),
        ("Protocol (SHA-256)", formats.text(release["protocol_hash"])),
    )
    pairs = "".join(f"<dt>{escaped(name)}</dt><dd>{escaped(value)}</dd>" for name, value in facts)
    note = paragraph(
        "The protocol fixes what is compared, with what and by which thresholds, before any value is read; its hash "
        "changes when any of that changes.",
        "soft",
    )
    return f'<dl class="facts">{pairs}</dl>\n{note}'
