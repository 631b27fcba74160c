"""The report's pictures of differences: by each method, between parties, likeness, for whom, at which dose, over time.

Rows hold differences of scores of 0-1; pictures show points of 100.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from warehouse.serving.charts import INK, PAPER, SCORE_AXIS, STYLE_COLOURS, WIDTH, data, scale, svg
from warehouse.serving.findings import Row
from warehouse.serving.wording import ALIKE, ESTIMATORS, OUTCOMES, PARTIES, covariate

WHEN = ("Before", "After")
# A picture of this width beside its names can still be read on a telephone, without moving it.
NARROW = 340
ALONE, LEARNT = "Alone", "Learning from others"
SHAPES = ("circle", "diamond", "triangle-up", "cross", "square")
FILLS = (STYLE_COLOURS[0], STYLE_COLOURS[1], STYLE_COLOURS[3], STYLE_COLOURS[2], PAPER)
NAMES = alt.Axis(labelFontSize=13, labelLimit=230, ticks=False, domain=False, grid=False)
DIFFERENCE = alt.X(
    "low:Q",
    title="Difference in points; right of 0, partnership has more",
    axis=alt.Axis(tickCount=9, labelOverlap=True),
)


def estimates(rows: Sequence[Row], smallest: float | None) -> str:
    """One outcome's difference by each method, over the band of differences that are too small to matter.

    `smallest` is half that band, in the outcome's unit.
    """
    values = [{"estimator": ESTIMATORS[row["estimator"]], **_in_points(row)} for row in rows]
    names = [name for name in ESTIMATORS.values() if any(value["estimator"] == name for value in values)]
    base = alt.Chart(data(values)).encode(y=alt.Y("estimator:N", sort=names, title=None, axis=NAMES))
    whiskers = base.mark_rule(color=INK, strokeWidth=1.6).encode(x=DIFFERENCE, x2="high:Q")
    # The one that decides is filled.
    fills = [STYLE_COLOURS[0] if name == ESTIMATORS["overlap"] else PAPER for name in names]
    dots = base.mark_point(filled=True, size=110, strokeWidth=1.3, opacity=1).encode(
        x="difference:Q",
        stroke=alt.Stroke("estimator:N", legend=None, scale=scale(names, [INK] * len(names))),
        fill=alt.Fill("estimator:N", legend=None, scale=scale(names, fills)),
        shape=alt.Shape("estimator:N", legend=None, scale=scale(names, SHAPES[: len(names)])),
    )
    layers = alt.layer(*_too_small(smallest), _zero(), whiskers, dots).properties(width=NARROW, height={"step": 34})
    return svg("estimates", layers, "The difference in mutual value by each method, with 95 % intervals")


def differences(rows: Sequence[Row], name: str) -> str:
    """Dots with whiskers: each party's difference in points by each method, where there is an estimate."""
    values = [
        {"outcome": OUTCOMES[row["outcome"]], "estimator": ESTIMATORS[row["estimator"]], **_in_points(row)}
        for row in drawable(rows)
    ]
    names = [name for name in ESTIMATORS.values() if any(value["estimator"] == name for value in values)]
    y = alt.Y("outcome:N", sort=[OUTCOMES[outcome] for outcome in PARTIES], title=None, axis=NAMES)
    offset = alt.YOffset("estimator:N", sort=names, scale=alt.Scale(paddingOuter=0.5))
    base = alt.Chart(data(values)).encode(y=y, yOffset=offset)
    whiskers = base.mark_rule(color=INK, strokeWidth=1.4).encode(x=DIFFERENCE, x2="high:Q")
    dots = base.mark_point(filled=True, size=85, strokeWidth=1.2, opacity=1).encode(
        x="difference:Q", **_told_apart("estimator:N", names)
    )
    height = alt.Step(28 * len(names), **{"for": "position"})
    layers = alt.layer(_zero(), whiskers, dots).properties(width=WIDTH - 190, height=height)
    return svg(name, layers, "Differences with their 95 % intervals")


def drawable(rows: Sequence[Row]) -> list[Row]:
    """The parties' rows that have an estimate."""
    return [
        row
        for row in rows
        if row["outcome"] in PARTIES
        and row["estimator"] in ESTIMATORS
        and None not in (row["difference"], row["ci_low"], row["ci_high"])
    ]


def balance(rows: Sequence[Row]) -> str:
    """Standardised differences of the covariates before and after weighting, as absolute values."""
    values = [
        {"covariate": covariate(row["covariate"]), "when": when, "smd": abs(row[column])}
        for row in rows
        for when, column in zip(WHEN, ("smd_before", "smd_after"), strict=True)
        if row[column] is not None
    ]
    order = [covariate(row["covariate"]) for row in rows]
    y = alt.Y("covariate:N", sort=order, title=None, axis=alt.Axis(labelLimit=200, grid=True))
    x = alt.X("smd:Q", title="How unlike the two groups are (standardised difference)", axis=alt.Axis(tickCount=6))
    looks = {
        "stroke": _outline("when:N", WHEN),
        "fill": alt.Fill("when:N", title=None, scale=scale(WHEN, [PAPER, STYLE_COLOURS[0]])),
        "shape": alt.Shape("when:N", title=None, scale=scale(WHEN, ["square", "circle"])),
    }
    dots = alt.Chart(data(values)).mark_point(filled=True, size=70, strokeWidth=1.2, opacity=1)
    aim = alt.Chart(data([{"at": ALIKE}])).mark_rule(color=INK, strokeDash=[4, 4], opacity=0.6).encode(x="at:Q")
    layers = alt.layer(aim, dots.encode(x=x, y=y, **looks)).properties(width=WIDTH - 210, height={"step": 22})
    return svg("balance", layers, "Likeness of the two groups before and after weighting")


def segments(rows: Sequence[Row], smallest: float | None) -> str:
    """The difference within each group of accounts: alone, and after learning from the other groups."""
    kinds = ((LEARNT, "shrunk", "shrunk_low", "shrunk_high"), (ALONE, "difference", "ci_low", "ci_high"))
    values = [
        {"group": row["group"], "how": how, **_in_points(row, middle, low, high)}
        for row in rows
        for how, middle, low, high in kinds
    ]
    names = (LEARNT, ALONE)
    y = alt.Y("group:N", sort=[row["group"] for row in rows], title=None, axis=NAMES)
    base = alt.Chart(data(values)).encode(y=y, yOffset=alt.YOffset("how:N", sort=names))
    whiskers = base.mark_rule(color=INK, strokeWidth=1.4).encode(x=DIFFERENCE, x2="high:Q")
    looks = {
        "stroke": _outline("how:N", names),
        "fill": alt.Fill("how:N", title=None, scale=scale(names, [STYLE_COLOURS[0], PAPER])),
        "shape": alt.Shape("how:N", title=None, scale=scale(names, ["circle", "square"])),
    }
    dots = base.mark_point(filled=True, size=85, strokeWidth=1.2, opacity=1).encode(x="difference:Q", **looks)
    height = alt.Step(46, **{"for": "position"})
    layers = alt.layer(*_too_small(smallest), _zero(), whiskers, dots).properties(width=NARROW, height=height)
    return svg("segments", layers, "The difference by group of accounts, with 95 % intervals")


def dose(rows: Sequence[Row], low: float, high: float) -> str:
    """Mean mutual value at each partnership, with its band; `low` and `high` are the thresholds of the comparison."""
    values = [
        {
            "partnership": row["partnership"] * 100,
            "value": row["value"] * 100,
            "low": row["ci_low"] * 100,
            "high": row["ci_high"] * 100,
        }
        for row in rows
    ]
    base = alt.Chart(data(values)).encode(
        x=alt.X("partnership:Q", scale=alt.Scale(domain=[0, 100]), axis=SCORE_AXIS, title="Partnership (points) →")
    )
    y = alt.Scale(zero=False, nice=True)
    band = base.mark_area(color=STYLE_COLOURS[0], opacity=0.16).encode(
        y=alt.Y("low:Q", scale=y, title="Mean mutual value (points)"), y2="high:Q"
    )
    line = base.mark_line(color=STYLE_COLOURS[0], strokeWidth=2.4).encode(y=alt.Y("value:Q", scale=y))
    limits = alt.Chart(data([{"at": low * 100}, {"at": high * 100}]))
    rules = limits.mark_rule(color=INK, opacity=0.45, strokeDash=[4, 4]).encode(x="at:Q")
    layers = alt.layer(band, line, rules).properties(width=WIDTH - 90, height=280)
    return svg("dose", layers, "Mean mutual value by partnership, with its 95 % band")


def switching(rows: Sequence[Row], touched: Sequence[int]) -> str:
    """Effects by months since an account became a partner; the months that are `touched` by it already are shaded."""
    values = [
        {"month": row["event_month"], "outcome": OUTCOMES[row["outcome"]], **_in_points(row, "att")} for row in rows
    ]
    names = [OUTCOMES[name] for name in PARTIES if any(row["outcome"] == name for row in rows)]
    months = sorted({row["event_month"] for row in rows})
    x = alt.X(
        "month:O",
        scale=alt.Scale(domain=months, paddingInner=0),
        axis=alt.Axis(labelAngle=0, grid=False, labelExpr="replace(datum.label, '-', '\u2212')"),
        title="Months since partnership was first high",
    )
    shade = alt.Chart(data([{"month": month} for month in touched])).mark_bar(color=INK, opacity=0.09).encode(x=x)
    base = alt.Chart(data(values)).encode(x=x, xOffset=alt.XOffset("outcome:N", sort=names))
    whiskers = base.mark_rule(color=INK, strokeWidth=1.4).encode(
        y=alt.Y("low:Q", title="Effect in points"), y2="high:Q"
    )
    dots = base.mark_point(filled=True, size=85, strokeWidth=1.2, opacity=1).encode(
        y="difference:Q", **_told_apart("outcome:N", names)
    )
    zero = alt.Chart(data([{"at": 0}])).mark_rule(color=INK, opacity=0.6).encode(y="at:Q")
    layers = alt.layer(shade, zero, whiskers, dots).properties(width=WIDTH - 90, height=280)
    return svg("switching", layers, "What came with becoming a partner, by months before and after")


def _in_points(row: Row, middle: str = "difference", low: str = "ci_low", high: str = "ci_high") -> dict[str, float]:
    return {"difference": row[middle] * 100, "low": row[low] * 100, "high": row[high] * 100}


def _told_apart(field: str, names: Sequence[str]) -> Mapping[str, Any]:
    """Marks that differ in shape as well as in colour."""
    return {
        "stroke": _outline(field, names),
        "shape": alt.Shape(field, title=None, scale=scale(names, SHAPES[: len(names)])),
        "fill": alt.Fill(field, title=None, scale=scale(names, FILLS[: len(names)])),
    }


def _outline(field: str, domain: Sequence[str]) -> alt.Stroke:
    """The same ink around every mark; as a channel, so that the legend's hollow mark has it too."""
    return alt.Stroke(field, title=None, scale=scale(domain, [INK] * len(domain)))


def _too_small(smallest: float | None) -> list[alt.Chart]:
    """The band of differences that do not matter, from `-smallest` to `smallest` (of 0-1)."""
    if smallest is None:
        return []
    band = alt.Chart(data([{"from": -smallest * 100, "to": smallest * 100}]))
    return [band.mark_rect(color=INK, opacity=0.09).encode(x="from:Q", x2="to:Q")]


def _zero() -> alt.Chart:
    rule: alt.Chart = alt.Chart(data([{"at": 0}])).mark_rule(color=INK, opacity=0.6).encode(x="at:Q")
    return rule
