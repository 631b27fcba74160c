"""The report's section on the contrast: estimates with intervals, likeness of the groups, accounts left out."""

from __future__ import annotations

from warehouse.serving import charts, formats, wording
from warehouse.serving.findings import Findings, Row
from warehouse.serving.page import Column, escaped, figure, fold, paragraph, table

ESTIMATE_COLUMNS = (
    Column("Outcome", lambda row: row["label"]),
    Column("Method", lambda row: wording.ESTIMATORS.get(row["estimator"]) or formats.text(row["estimator"])),
    Column("Partnership", lambda row: row["scaled"](row["mean_partnership"]), is_number=True),
    Column("Others", lambda row: row["scaled"](row["mean_comparison"]), is_number=True),
    Column("Difference", lambda row: row["scaled"](row["difference"]), is_number=True),
    Column("95 % interval", lambda row: row["spread"], is_number=True),
    Column("Accounts (partnership / others)", lambda row: _sizes(row), is_number=True),
    Column("Hedges g", lambda row: formats.fixed(row["hedges_g"]), is_number=True),
    Column("p", lambda row: formats.fixed(row["p_value"], 3), is_number=True),
    Column("q", lambda row: formats.fixed(row["q_value"], 3), is_number=True),
    Column("Verdict", lambda row: wording.LABELS[wording.verdict(row)]),
)


def contrast(findings: Findings) -> tuple[str, ...]:
    """The estimates of both comparisons, how alike the groups are, and who was left out."""
    if not findings.contrast:
        return (paragraph("The comparison has not been computed."),)
    intro = paragraph(
        "The same question asked in three ways. “Like with like” weights the accounts so that both groups are alike "
        "in what is listed under likeness below; it decides. The second method makes its own assumptions and must "
        "point the same way. “As they are” adjusts for nothing, and shows how much the adjustment matters."
    )
    primary = findings.estimate(wording.PRIMARY, "mutual_value")
    return (
        intro,
        *(part for comparison in wording.COMPARISONS for part in _one_comparison(findings, comparison)),
        paragraph(wording.hidden_cause(primary)) if primary and wording.hidden_cause(primary) else "",
        *_likeness(findings),
        _excluded(findings),
    )


def _one_comparison(findings: Findings, comparison: str) -> tuple[str, ...]:
    rows = [row for row in findings.contrast if row["comparison"] == comparison]
    if not rows:
        return ()
    name = wording.COMPARISONS[comparison]
    heading = f"<h3>{escaped(name)}</h3>"
    shown = table(f"{name}: every outcome and method", ESTIMATE_COLUMNS, [_estimate(findings, row) for row in rows])
    numbers = fold("The numbers, with every other outcome", shown)
    primary = findings.estimate(comparison, "mutual_value")
    sentence = paragraph(wording.finding(primary)) if primary else ""
    if not charts.drawable(rows):
        return (heading, sentence, numbers)
    picture = charts.differences(rows, f"differences-{comparison.replace('_', '-')}")
    caption = "The line through each mark is its 95 % interval: the range of differences that fits the data."
    return (heading, sentence, figure(picture, caption), numbers)


def _sizes(row: Row) -> str:
    return f"{formats.count(row['n_partnership'])} / {formats.count(row['n_comparison'])}"


def _estimate(findings: Findings, row: Row) -> Row:
    """The row with its outcome's name and the scale that its numbers are shown on."""
    outcome = row["outcome"]
    label = wording.OUTCOMES.get(outcome) or findings.label(outcome)
    if findings.is_share(outcome):
        spread = formats.point_interval(row["ci_low"], row["ci_high"])
        return {**row, "label": f"{label} (points)", "scaled": formats.points, "spread": spread}
    spread = formats.interval(row["ci_low"], row["ci_high"])
    return {**row, "label": label, "scaled": lambda value: formats.fixed(value, 3), "spread": spread}


BALANCE_COLUMNS = (
    Column("What the accounts differ in", lambda row: wording.covariate(row["covariate"])),
    Column("Before", lambda row: formats.fixed(row["smd_before"]), is_number=True),
    Column("After", lambda row: formats.fixed(row["smd_after"]), is_number=True),
)


def _likeness(findings: Findings) -> tuple[str, ...]:
    heading = "<h3>Likeness of the two groups</h3>"
    rows = [row for row in findings.balance if (row["comparison"], row["outcome"]) == (wording.PRIMARY, "mutual_value")]
    if not any(row["smd_before"] is not None for row in rows):
        return (heading, paragraph("No groups were weighted against each other, so there is no likeness to show."))
    picture = figure(
        charts.balance(rows),
        "Distance from 0 is how unlike the groups are, before and after weighting; left of the dashed line (0.1) "
        "they count as alike.",
    )
    shown = table("Standardised differences, mutual value", BALANCE_COLUMNS, rows)
    return (heading, paragraph(wording.likeness(rows)), picture, fold("The numbers", shown))


EXCLUDED_COLUMNS = (
    Column("Reason", lambda row: row["reason"]),
    Column("Accounts", lambda row: formats.count(row["accounts"]), is_number=True),
)


def _excluded(findings: Findings) -> str:
    if not findings.excluded:
        return paragraph("No account was left out of the comparison.")
    total = sum(row["accounts"] for row in findings.excluded)
    summary = f"{formats.number_of(total, 'account')} left out, and why"
    return fold(summary, table("Left out of the comparison", EXCLUDED_COLUMNS, findings.excluded))
