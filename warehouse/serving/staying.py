"""The report's sections on time: whether accounts stay, and what came with becoming a partner."""

from __future__ import annotations

import json

from warehouse.serving import charts, effect_charts, formats, wording
from warehouse.serving.findings import Findings, Row
from warehouse.serving.page import Column, figure, fold, paragraph, table

CHURN = "churn"

RETENTION_COLUMNS = (
    Column("Style", lambda row: row["style"]),
    Column("Day", lambda row: formats.count(row["day"]), is_number=True),
    Column("Still customers", lambda row: formats.percent(row["survival"]), is_number=True),
    Column("From", lambda row: formats.percent(row["ci_low"]), is_number=True),
    Column("To", lambda row: formats.percent(row["ci_high"]), is_number=True),
    Column("Followed", lambda row: formats.count(row["at_risk"]), is_number=True),
    Column("Left since the day above", lambda row: formats.count(row["events"]), is_number=True),
)

SWITCH_COLUMNS = (
    Column("Outcome", lambda row: wording.OUTCOMES[row["outcome"]]),
    Column("Months", lambda row: formats.fixed(row["event_month"], 0, signed=True), is_number=True),
    Column("Effect", lambda row: formats.points(row["att"], signed=True), is_number=True),
    Column("95 % interval", lambda row: formats.point_interval(row["ci_low"], row["ci_high"]), is_number=True),
    Column("Accounts", lambda row: formats.count(row["n_accounts"]), is_number=True),
)


def staying(findings: Findings) -> tuple[str, ...]:
    """Who stays, by style: the curves, the days kept and the hazard of leaving."""
    told = (paragraph(days_kept(findings)), paragraph(hazard(findings)))
    rows = [row for row in findings.retention if row["survival"] is not None]
    if not rows:
        return (paragraph("No account with a style was followed long enough to show who stays."), *told)
    start = formats.month(findings.run["t0"])
    picture = figure(
        charts.retention(rows),
        f"Accounts grouped once, by their style before {start}, and followed from then. Bands are 95 % intervals; "
        "where they overlap, the lines may differ by chance. Nobody is moved between groups afterwards.",
    )
    return (*told, picture, fold("The numbers", table("Share of accounts still customers", RETENTION_COLUMNS, rows)))


def days_kept(findings: Findings) -> str:
    """The days that partnership goes with; they need no assumption about the course of leaving."""
    row = findings.tested("days_kept", CHURN)
    if row is None:
        return f"How many days longer they stay cannot be told: {_why(findings, 'days_kept')}"
    low, high = (formats.fixed(row[limit], 1, signed=True) for limit in ("ci_low", "ci_high"))
    longer = "longer" if row["estimate"] >= 0 else "shorter"
    return (
        f"Accounts high in partnership stayed {formats.fixed(abs(row['estimate']), 1)} days {longer} than those low "
        f"in it (95 % interval {low} to {high}){_doubt(row['ci_low'], row['ci_high'], 0)}; nothing is adjusted for "
        "here."
    )


def hazard(findings: Findings) -> str:
    """How much more or less often accounts leave with more partnership the month before."""
    row = findings.tested("hazard_ratio", CHURN)
    if row is None:
        return f"How the chance of leaving goes with partnership cannot be told: {_why(findings, 'hazard_ratio')}"
    run = findings.run
    step = formats.whole_points(run["high"] - run["low"])
    interval = formats.interval(row["ci_low"], row["ci_high"], 2)
    return (
        f"In a month after partnership stood {step} points higher, accounts left {formats.fixed(row['estimate'])} "
        "times as often as else (95 % interval "
        f"{interval}){_doubt(row['ci_low'], row['ci_high'], 1)}.{_changes(findings)}"
    )


def _changes(findings: Findings) -> str:
    row = findings.tested("proportional_hazards", CHURN)
    if row is None or row["p_value"] is None or row["p_value"] >= wording.LEVEL:
        return ""
    return (
        f" It is not the same for new and for old customers ({formats.p_value(row['p_value'])}), so the one number is "
        "an average over them."
    )


def _doubt(low: float, high: float, none: float) -> str:
    return ", a range that holds no difference" if low <= none <= high else ""


def _why(findings: Findings, test: str) -> str:
    return wording.sentence_end(findings.refused(test, CHURN))


# --- those who changed ------------------------------------------------------------------------------------------------

CHANGED = (
    "Accounts that came to be partners, against accounts that had not yet. What was there before cannot come from "
    "the change, so before it the marks should lie at 0."
)


def changing(findings: Findings) -> tuple[str, ...]:
    """What came with becoming a partner, before and after, for each party."""
    sentences = tuple(map(paragraph, _by_party(findings)))
    rows = [row for row in findings.switching if row["ci_low"] is not None and row["outcome"] in wording.PARTIES]
    if not rows:
        return (paragraph(CHANGED, "soft"), *sentences)
    caption = (
        "Months from the half-year in which partnership was first high. Shaded months are left out of what they are "
        "compared with: style is read over twelve months, and what led to the change came before. Lines are 95 % "
        "intervals."
    )
    picture = figure(effect_charts.switching(rows, touched(findings, rows)), caption)
    return (
        paragraph(CHANGED, "soft"),
        *sentences,
        picture,
        fold("The effects in numbers", table("What came with becoming a partner", SWITCH_COLUMNS, rows)),
    )


def _by_party(findings: Findings) -> list[str]:
    """A sentence for each party; one for all where all are refused for one reason."""
    refusals = {findings.refused("average_effect_of_switching", outcome) for outcome in wording.PARTIES}
    none = all(findings.tested("average_effect_of_switching", outcome) is None for outcome in wording.PARTIES)
    if none and len(refusals) == 1:
        return [_cannot("What came with it", refusals.pop())]
    return [changed(findings, outcome) for outcome in wording.PARTIES]


def _cannot(what: str, refused: str) -> str:
    return f"{what}: cannot be told. {wording.sentence_end(refused[:1].upper() + refused[1:])}"


def changed(findings: Findings, outcome: str) -> str:
    """One outcome's average effect of switching, and whether the two groups had parted before."""
    name = wording.OUTCOMES[outcome]
    row = findings.tested("average_effect_of_switching", outcome)
    if row is None:
        return _cannot(name, findings.refused("average_effect_of_switching", outcome))
    size = formats.estimate(row["estimate"], row["ci_low"], row["ci_high"])
    return (
        f"{name}: {size} came with the change, over {formats.number_of(row['n_accounts'], 'account')}"
        f"{_doubt(row['ci_low'], row['ci_high'], 0)}. {_before(findings.tested('pre_trend', outcome))}"
    )


def _before(row: Row | None) -> str:
    if row is None:
        return "Whether the groups had parted before cannot be told."
    told = formats.p_value(row["p_value"])
    if row["p_value"] < wording.LEVEL:
        return f"The groups had parted before the change ({told}), so the change did not make all of it."
    return f"Before it nothing shows that the groups had parted ({told})."


def touched(findings: Findings, rows: list[Row]) -> list[int]:
    """The months shown that lie before the switch and within what the protocol says it may have touched."""
    current = next((row for row in findings.protocols if row["is_current"]), None)
    protocol = json.loads(current["protocol"]) if current else {}
    reach = protocol.get("switchers", {}).get("anticipation", 0) * protocol.get("value_window_months", 0)
    return sorted({row["event_month"] for row in rows if -reach <= row["event_month"] < 0})
