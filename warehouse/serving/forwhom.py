"""The report's section on whom partnership goes with more value for: groups of accounts, cost focus, and the dose."""

from __future__ import annotations

from warehouse.serving import effect_charts, formats, wording
from warehouse.serving.findings import Findings, Row
from warehouse.serving.page import Column, figure, fold, paragraph, table

# From here on the page says that a group gets less, though its interval may hold 0.
LIKELY = 0.9
STEPS = {"high": "step_at_high_cost_focus", "low": "step_at_low_cost_focus"}

INTRO = (
    "The same comparison within groups of accounts. Groups that are small learn from the others: their difference is "
    "drawn towards the common one by as much as it is uncertain. Many groups are looked at and nothing here is "
    "corrected for that, so no verdict rests on it."
)

SEGMENT_COLUMNS = (
    Column("Group", lambda row: row["group"]),
    Column("Accounts (high / low)", lambda row: _sizes(row), is_number=True),
    Column("Alone", lambda row: formats.points(row["difference"], signed=True), is_number=True),
    Column("95 % interval", lambda row: formats.point_interval(row["ci_low"], row["ci_high"]), is_number=True),
    Column("Learning", lambda row: formats.points(row["shrunk"], signed=True), is_number=True),
    Column("95 % interval", lambda row: formats.point_interval(row["shrunk_low"], row["shrunk_high"]), is_number=True),
    Column("Chance of the opposite", lambda row: _chance(_opposite(row)), is_number=True),
    Column("Why there is none", lambda row: formats.text(row["reason"])),
)

DOSE_COLUMNS = (
    Column("Partnership", lambda row: formats.whole_points(row["partnership"])),
    Column("Mean mutual value", lambda row: formats.points(row["value"]), is_number=True),
    Column("From", lambda row: formats.points(row["ci_low"]), is_number=True),
    Column("To", lambda row: formats.points(row["ci_high"]), is_number=True),
)


def for_whom(findings: Findings) -> tuple[str, ...]:
    """Where partnership goes with more, where with less, and where nobody can tell."""
    return (
        paragraph(not_everyone(findings)),
        paragraph(INTRO, "soft"),
        *_segments(findings),
        "<h3>Where costs come first</h3>",
        paragraph(cost_focus(findings)),
        "<h3>How much partnership</h3>",
        *_dose(findings),
    )


def not_everyone(findings: Findings) -> str:
    """Whether some accounts get less where they are partners: said only of an interval wholly below 0."""
    known = [row for row in _grouped(findings) if row["shrunk"] is not None]
    less = [f"{row['group']} ({_shrunk(row)})" for row in known if row["shrunk_high"] < 0]
    steps = {side: findings.tested(test) for side, test in STEPS.items()}
    less += [
        f"accounts {side} in cost focus ({_estimate(row)} for a step from low to high partnership)"
        for side, row in steps.items()
        if row is not None and row["ci_high"] < 0
    ]
    if less:
        return (
            f"Not every account should be run as a partnership: it goes with less mutual value for {'; '.join(less)}."
        )
    if not known and not any(steps.values()):
        return "For whom partnership goes with more, and for whom with less, cannot be told yet."
    likely = [f"{row['group']} (chance {_chance(row['below_zero'])})" for row in known if row["below_zero"] >= LIKELY]
    if likely:
        return f"For some accounts partnership goes with less mutual value, more likely than not: {', '.join(likely)}."
    more = [row["group"] for row in known if row["shrunk_low"] > 0]
    if more:
        return (
            f"Partnership goes with more mutual value for {', '.join(more)}. For no group does the range of "
            "differences lie below 0; that is no proof that every account should be a partner."
        )
    return (
        "For no group of accounts does the range of differences lie wholly above or wholly below 0: nothing shows "
        "for whom partnership goes with more, and for whom with less."
    )


# --- groups of accounts -----------------------------------------------------------------------------------------------


def _segments(findings: Findings) -> tuple[str, ...]:
    rows = _grouped(findings)
    if not rows:
        return (paragraph("The accounts compared were not split into groups."),)
    shown = table("The difference in mutual value by group of accounts", SEGMENT_COLUMNS, rows)
    moderators = list(dict.fromkeys(row["moderator"] for row in rows))
    sentences = [paragraph(_moderator(findings, name, rows)) for name in moderators]
    known = [row for row in rows if row["shrunk"] is not None]
    if known:
        caption = (
            "Each group’s difference by itself and after learning from the others, with 95 % intervals. Shaded are "
            "differences too small to matter."
        )
        smallest = findings.smallest(wording.PRIMARY, "mutual_value")
        sentences.append(figure(effect_charts.segments(known, smallest), caption, is_narrow=True))
    return (*sentences, fold("The groups in numbers", shown))


def _grouped(findings: Findings) -> list[Row]:
    """The groups with their names for people: `Segment: Small`."""
    return [
        {**row, "group": f"{formats.words(row['moderator']).capitalize()}: {row['level']}"}
        for row in wording.of_primary(findings.segments)
    ]


def _moderator(findings: Findings, moderator: str, rows: list[Row]) -> str:
    """What is known by this grouping, how likely the opposite is, and whether the groups differ at all."""
    name = formats.words(moderator).capitalize()
    levels = [row for row in rows if row["moderator"] == moderator]
    known = [row for row in levels if row["shrunk"] is not None]
    unknown = [str(row["level"]) for row in levels if row["shrunk"] is None]
    lacking = f" Too few accounts to tell: {', '.join(unknown)}." if unknown else ""
    if not known:
        return f"{name}: no group could be compared by itself.{lacking}"
    sizes = "; ".join(
        f"{row['level']} {_shrunk(row)}, chance of the opposite {_chance(_opposite(row))}" for row in known
    )
    return f"{name}: {sizes}. {_differ(findings, moderator)}{lacking}"


def _differ(findings: Findings, moderator: str) -> str:
    tested = findings.tested(f"heterogeneity_by_{moderator}")
    if tested is None or tested["p_value"] is None:
        return "Whether the groups differ cannot be told."
    told = formats.p_value(tested["p_value"])
    if tested["p_value"] < wording.LEVEL:
        return f"The groups differ by more than chance ({told})."
    return f"The groups differ by no more than chance ({told}), which is no proof that they are alike."


def _opposite(row: Row) -> float | None:
    """The probability that the true difference has the other sign than the one shown."""
    if row["shrunk"] is None:
        return None
    below = float(row["below_zero"])
    return below if row["shrunk"] >= 0 else 1 - below


def _chance(share: float | None) -> str:
    return formats.ABSENT if share is None else f"{'below ' if share < 0.001 else ''}{formats.often(share)}"


def _shrunk(row: Row) -> str:
    return formats.estimate(row["shrunk"], row["shrunk_low"], row["shrunk_high"])


def _sizes(row: Row) -> str:
    return f"{formats.count(row['n_partnership'])} / {formats.count(row['n_comparison'])}"


# --- cost focus -------------------------------------------------------------------------------------------------------


def cost_focus(findings: Findings) -> str:
    """Whether partnership pays otherwise where both look after their costs."""
    steps = {side: findings.tested(test) for side, test in STEPS.items()}
    change = findings.tested("interaction")
    high, low = steps["high"], steps["low"]
    if high is None or low is None or change is None:
        return f"Cannot be told yet: {wording.sentence_end(findings.refused('interaction'))}"
    run = findings.run
    step = f"from {formats.whole_points(run['low'])} to {formats.whole_points(run['high'])} points of partnership"
    told = formats.p_value(change["p_value"])
    difference = (
        f"That is {'more' if change['estimate'] > 0 else 'less'} where costs come first, by more than chance ({told})."
        if change["p_value"] < wording.LEVEL
        else f"The two differ by no more than chance ({told}): nothing shows that partnership pays otherwise there."
    )
    return (
        f"A step {step} goes with {_estimate(high)} of mutual value where cost focus is high "
        f"({formats.whole_points(run['high'])}), and with {_estimate(low)} where it is low "
        f"({formats.whole_points(run['low'])}). {difference}"
    )


def _estimate(row: Row) -> str:
    return formats.estimate(row["estimate"], row["ci_low"], row["ci_high"])


# --- dose -------------------------------------------------------------------------------------------------------------


def _dose(findings: Findings) -> tuple[str, ...]:
    sentence = paragraph(dose(findings))
    if not findings.dose:
        return (sentence,)
    caption = (
        "Mean mutual value, were every account at that partnership with its own size, age and the rest; the band is "
        "the 95 % interval of each point. Dashed: the limits of the two groups. Drawn where nine accounts in ten are."
    )
    picture = figure(effect_charts.dose(findings.dose, findings.run["low"], findings.run["high"]), caption)
    return (
        sentence,
        picture,
        fold("The curve in numbers", table("Mutual value by partnership", DOSE_COLUMNS, findings.dose)),
    )


def dose(findings: Findings) -> str:
    """Whether value goes with partnership along the whole scale, and whether the curve bends."""
    tested, bends = findings.tested("dose_response"), findings.tested("non_linearity")
    if tested is None or not findings.dose:
        return f"At which dose cannot be told yet: {wording.sentence_end(findings.refused('dose_response'))}"
    first, last = findings.dose[0], findings.dose[-1]
    along = (
        f"From partnership {formats.whole_points(first['partnership'])} to "
        f"{formats.whole_points(last['partnership'])} mean mutual value goes from {formats.points(first['value'])} to "
        f"{formats.points(last['value'])} points"
    )
    told = formats.p_value(tested["p_value"])
    if tested["p_value"] >= wording.LEVEL:
        return f"{along}, no more than chance ({told})."
    if bends is None:
        return f"{along}, more than chance ({told})."
    bent = formats.p_value(bends["p_value"])
    if bends["p_value"] < wording.LEVEL:
        return f"{along}, more than chance ({told}). The curve bends ({bent}): a step is not the same everywhere on it."
    return f"{along}, more than chance ({told}). Nothing shows that the curve bends ({bent})."
