"""The report's tables of the contrast: estimates with intervals, and likeness of the groups."""

from __future__ import annotations

from collections.abc import Sequence

from warehouse.serving import effect_charts, formats, wording
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
    """The estimates of both comparisons, and how alike the groups are."""
    if not findings.contrast:
        return (paragraph("The comparison has not been computed."),)
    intro = paragraph(
        "The same question asked in several ways. “Like with like” (overlap weights) weights the accounts so that both "
        "groups are alike in what is listed under likeness below; it decides. The second method (augmented inverse "
        "weights) makes its own assumptions and must point the same way. “As they are” adjusts for nothing, and shows "
        "how much the adjustment matters."
    )
    return (
        intro,
        *(part for comparison in wording.COMPARISONS for part in _one_comparison(findings, comparison)),
        *_likeness(findings),
    )


def _one_comparison(findings: Findings, comparison: str) -> tuple[str, ...]:
    rows = [row for row in findings.contrast if row["comparison"] == comparison]
    if not rows:
        return ()
    name = wording.COMPARISONS[comparison]
    heading = f"<h3>{escaped(name)}</h3>"
    shown = estimates(findings, f"{name}: every outcome and method", rows)
    primary = findings.estimate(comparison, "mutual_value")
    sentence = paragraph(wording.finding(primary)) if primary else ""
    if not effect_charts.drawable(rows):
        return (heading, sentence, fold("Every outcome and method", shown))
    picture = effect_charts.differences(rows, f"differences-{comparison.replace('_', '-')}")
    caption = "The line through each mark is its 95 % interval: the range of differences that fits the data."
    return (heading, sentence, fold("Both parties, and every outcome and method", figure(picture, caption) + shown))


def estimates(findings: Findings, caption: str, rows: Sequence[Row]) -> str:
    """A table of rows of mart.contrast, each on the scale of its outcome."""
    return table(caption, ESTIMATE_COLUMNS, [_estimate(findings, row) for row in rows])


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
    rows = wording.of_primary(findings.balance)
    if not any(row["smd_before"] is not None for row in rows):
        return (heading, paragraph("No groups were weighted against each other, so there is no likeness to show."))
    picture = figure(
        effect_charts.balance(rows),
        "Distance from 0 is how unlike the groups are, before and after weighting; left of the dashed line (0.1) "
        "they count as alike.",
    )
    shown = table("Standardised differences, mutual value", BALANCE_COLUMNS, rows)
    return (heading, paragraph(wording.likeness(rows)), fold("Every covariate before and after", picture + shown))
