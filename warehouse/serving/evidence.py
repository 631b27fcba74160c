"""The report's section for statisticians: estimates, likeness, overlap, sensitivity, tests and the protocol."""

from __future__ import annotations

from warehouse.serving import comparison, formats, protocols, wording
from warehouse.serving.findings import Findings, Row
from warehouse.serving.page import Column, fold, paragraph, table

POWER_COLUMNS = (
    Column("Outcome", lambda row: row["label"]),
    Column("Comparison", lambda row: wording.COMPARISONS.get(row["comparison"]) or formats.text(row["comparison"])),
    Column("Accounts", lambda row: _pair(row, "n"), is_number=True),
    Column("Effective (Kish)", lambda row: _pair(row, "effective_n"), is_number=True),
    Column("Detectable g", lambda row: formats.fixed(row["detectable_g"]), is_number=True),
    Column("Needed in each", lambda row: formats.count(row["needed_per_arm"]), is_number=True),
)

SENSITIVITY_COLUMNS = (
    Column("Analysis", lambda row: formats.words(row["analysis"])),
    Column("Value", lambda row: formats.significant(row["value"]), is_number=True),
    Column("95 % interval", lambda row: _interval(row), is_number=True),
    Column("p", lambda row: formats.fixed(row["p_value"], 3), is_number=True),
    Column("What it means", lambda row: formats.text(row["note"])),
)

TEST_COLUMNS = (
    Column("Outcome", lambda row: row["label"]),
    Column("Test", lambda row: formats.words(row["test"])),
    Column("Estimate", lambda row: formats.significant(row["estimate"]), is_number=True),
    Column("95 % interval", lambda row: _interval(row), is_number=True),
    Column("Statistic", lambda row: formats.fixed(row["statistic"]), is_number=True),
    Column("Degrees", lambda row: formats.fixed(row["degrees"], 0), is_number=True),
    Column("p", lambda row: formats.fixed(row["p_value"], 3), is_number=True),
    Column("Accounts", lambda row: formats.count(row["n_accounts"]), is_number=True),
    Column("What it is", lambda row: formats.text(row["note"])),
)


def statistics(findings: Findings) -> tuple[str, ...]:
    """Everything behind the sentences above, closed until somebody wants it."""
    return (
        paragraph("Everything that the sentences above rest on, in full: open what you want to check."),
        *comparison.contrast(findings),
        "<h3>Overlap and effective sizes</h3>",
        *_power(findings),
        "<h3>What would have to be true for it to be false</h3>",
        *_sensitivity(findings),
        "<h3>Tests</h3>",
        *_tests(findings),
        "<h3>The protocol</h3>",
        *protocols.protocol(findings),
    )


def _power(findings: Findings) -> tuple[str, ...]:
    if not findings.power:
        return (paragraph("No sizes are on record."),)
    rows = [_labelled(findings, row) for row in findings.power]
    note = paragraph(
        "Effective is how many equally weighted accounts a weighted group is worth; what weighting takes away is "
        "what the groups do not share. Detectable is the smallest Hedges’ g found 8 times in 10 by groups of that "
        "size."
    )
    return (note, fold("Sizes and power of every contrast", table("Sizes and power", POWER_COLUMNS, rows)))


def _sensitivity(findings: Findings) -> tuple[str, ...]:
    primary = findings.estimate(wording.PRIMARY, "mutual_value")
    sentence = wording.hidden_cause(primary) if primary else ""
    if not findings.sensitivity:
        return (paragraph(sentence or "No sensitivity analysis is on record."),)
    shown = table("Sensitivity of the difference in mutual value", SENSITIVITY_COLUMNS, findings.sensitivity)
    return (paragraph(sentence) if sentence else "", fold("Every sensitivity analysis", shown))


def _tests(findings: Findings) -> tuple[str, ...]:
    if not findings.tests:
        return (paragraph("No test is on record."),)
    note = paragraph("Dose, cost focus, groups, leaving and switching. No verdict rests on them; none is corrected.")
    rows = [_labelled(findings, row) for row in findings.tests]
    return (note, fold(f"All {formats.number_of(len(rows), 'test')}", table("Tests", TEST_COLUMNS, rows)))


def _labelled(findings: Findings, row: Row) -> Row:
    return {**row, "label": wording.OUTCOMES.get(row["outcome"]) or findings.label(row["outcome"])}


def _pair(row: Row, of: str) -> str:
    return f"{formats.count(row[f'{of}_partnership'])} / {formats.count(row[f'{of}_comparison'])}"


def _interval(row: Row) -> str:
    if row["ci_low"] is None or row["ci_high"] is None:
        return formats.ABSENT
    return f"{formats.significant(row['ci_low'])} to {formats.significant(row['ci_high'])}"
