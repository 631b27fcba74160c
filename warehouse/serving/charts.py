"""The report's pictures of accounts, and how every picture is made.

Altair specifications are rendered to inline SVG, without a browser, a script or a network.

Text and lines are `currentColor`, fills are custom properties of the page's style sheet, so one picture serves the
light and the dark scheme. Rows hold scores of 0-1; pictures show points of 0-100.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import vl_convert

from warehouse.serving.findings import Row

WIDTH = 800
STYLES = ("Partnership", "Demanding partner", "Transactional", "Dormant", "Undetermined")
STYLE_COLOURS = [f"var(--style-{number})" for number in range(1, 6)]
# Colour is never the only sign: lines differ in their dashes too.
STYLE_DASHES: list[list[int]] = [[1, 0], [8, 3], [3, 3], [8, 3, 2, 3], [1, 3]]
BANDS = ("0–20", "20–40", "40–60", "60–80", "80–100", "not known")
BAND_COLOURS = [*(f"var(--value-{number})" for number in range(1, 6)), "transparent"]

INK = "currentColor"
PAPER = "var(--page)"
LINE_LEGEND = alt.Legend(symbolType="stroke", symbolSize=400, symbolStrokeWidth=2.2, symbolOpacity=1)
SCORE_AXIS = alt.Axis(values=list(range(0, 101, 20)))
MONTH_AXIS = alt.Axis(format="%b %Y", grid=False, labelOverlap=True)
THEME: Mapping[str, Any] = {
    "background": None,
    "font": "system-ui, sans-serif",
    "padding": {"left": 16, "top": 4, "right": 8, "bottom": 4},
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK, "titleColor": INK, "tickColor": INK, "domainColor": INK, "gridColor": INK,
        "gridOpacity": 0.14, "domainOpacity": 0.5, "tickOpacity": 0.5,
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "titlePadding": 8,
    },
    "legend": {
        "labelColor": INK, "titleColor": INK, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal",
        "orient": "top", "symbolStrokeColor": INK, "labelLimit": 300, "columnPadding": 16,
    },
}  # fmt: skip


def map_of_accounts(rows: Sequence[Row], low: float, high: float) -> str:
    """Partnership against cost focus, coloured by mutual value.

    A row is an account, or with a column `accounts` a bin of them. `low` and `high` are the thresholds between styles.
    """
    values = [
        {
            "partnership": row["partnership"] * 100,
            "cost_focus": row["cost_focus"] * 100,
            "band": band(row["mutual_value"]),
            "accounts": row.get("accounts", 1),
        }
        for row in rows
    ]
    is_binned = any("accounts" in row for row in rows)
    zero_to_hundred = alt.Scale(domain=[0, 100])
    size = _bin_size(values) if is_binned else alt.value(46)
    dots = (
        alt.Chart(data(values))
        .mark_point(filled=True, stroke=INK, strokeWidth=0.6, opacity=0.9)
        .encode(
            x=alt.X("partnership:Q", scale=zero_to_hundred, axis=SCORE_AXIS, title="Partnership (points) →"),
            y=alt.Y("cost_focus:Q", scale=zero_to_hundred, axis=SCORE_AXIS, title="Cost focus (points) →"),
            fill=alt.Fill("band:N", scale=scale(BANDS, BAND_COLOURS), title="Mutual value (points)"),
            size=size,
        )
    )
    limits = [{"at": low * 100}, {"at": high * 100}]
    rule = alt.Chart(data(limits)).mark_rule(color=INK, opacity=0.45, strokeDash=[4, 4])
    layers = alt.layer(rule.encode(x="at:Q"), rule.encode(y="at:Q"), _corners(), dots)
    return svg("map", layers.properties(width=WIDTH - 90, height=500), "Accounts by partnership and cost focus")


def _corners() -> alt.Chart:
    corners = [
        {"x": 100, "y": 0, "name": "Partnership"},
        {"x": 100, "y": 100, "name": "Demanding partner"},
        {"x": 0, "y": 100, "name": "Transactional"},
        {"x": 0, "y": 0, "name": "Dormant"},
    ]
    names = alt.Chart(data(corners)).mark_text(
        color=INK,
        fontSize=13,
        fontStyle="italic",
        align=alt.expr("datum.x > 50 ? 'right' : 'left'"),
        # Above and below the plot, where no account lies under them.
        dy=alt.expr("datum.y > 50 ? -10 : 34"),
    )
    named: alt.Chart = names.encode(x="x:Q", y="y:Q", text="name:N")
    return named


def _bin_size(values: Sequence[Mapping[str, Any]]) -> alt.Size:
    most = max(value["accounts"] for value in values)
    return alt.Size("accounts:Q", title="Accounts", legend=alt.Legend(values=sorted({1, (1 + most) // 2, most})))


def band(mutual_value: float | None) -> str:
    """The fifth of the scale that a mutual value of 0-1 lies in."""
    return BANDS[-1] if mutual_value is None else BANDS[min(int(mutual_value * 5), 4)]


def retention(rows: Sequence[Row]) -> str:
    """Kaplan-Meier steps by style, with their 95 % intervals; rows are survival at a day since the landmark."""
    values = [
        {
            "style": row["style"],
            "day": row["day"],
            "survival": row["survival"] * 100,
            "low": None if row["ci_low"] is None else row["ci_low"] * 100,
            "high": None if row["ci_high"] is None else row["ci_high"] * 100,
        }
        for row in rows
        if row["survival"] is not None
    ]
    floor = min((row["low"] if row["low"] is not None else row["survival"] for row in values), default=0)
    shown = alt.Scale(domain=[max(0, int(floor // 10) * 10), 100], nice=False)
    base = alt.Chart(data(values)).encode(
        x=alt.X("day:Q", title="Days since the style was read", axis=alt.Axis(grid=False, tickCount=7))
    )
    bands = base.mark_area(interpolate="step-after", opacity=0.13).encode(
        y=alt.Y("low:Q", title="Still customers (%)", scale=shown), y2="high:Q", color=_style_colour(_present(rows))
    )
    steps = base.mark_line(interpolate="step-after", strokeWidth=2.2).encode(
        y=alt.Y("survival:Q", scale=shown), **_style_line(_present(rows))
    )
    layers = alt.layer(bands, steps).properties(width=WIDTH - 90, height=320)
    return svg("retention", layers, "Share of accounts that stay, by style")


def value_by_month(rows: Sequence[Row]) -> str:
    """Median mutual value of each style by month; a line breaks where a month has none."""
    medians = {(row["style"], row["month"]): row["mutual_value"] * 100 for row in rows}
    values = [
        {"style": style, "month": month.isoformat(), "mutual_value": medians.get((style, month))}
        for style in _present(rows)
        for month in sorted({row["month"] for row in rows})
    ]
    lines = (
        alt.Chart(data(values))
        .mark_line(strokeWidth=2.2, point=alt.OverlayMarkDef(size=20))
        .encode(
            # A bare date is midnight UTC; on a local scale it would be the month before, west of Greenwich.
            x=alt.X(
                "month:T",
                scale=alt.Scale(type="utc"),
                title=None,
                axis=MONTH_AXIS,
            ),
            y=alt.Y("mutual_value:Q", scale=alt.Scale(zero=False, nice=True), title="Median mutual value (points)"),
            **_style_line(_present(rows)),
        )
    )
    return svg("months", lines.properties(width=WIDTH - 90, height=280), "Median mutual value by style over the months")


def _present(rows: Sequence[Row]) -> list[str]:
    """The styles that the rows speak of, in the order in which they are always shown."""
    return [style for style in STYLES if any(row["style"] == style for row in rows)]


def _style_line(styles: Sequence[str]) -> dict[str, Any]:
    dashes = [STYLE_DASHES[STYLES.index(style)] for style in styles]
    return {
        "color": _style_colour(styles),
        "strokeDash": alt.StrokeDash("style:N", title=None, scale=scale(styles, dashes), legend=LINE_LEGEND),
    }


def _style_colour(styles: Sequence[str]) -> alt.Color:
    """A style keeps its colour whichever others there are."""
    colours = [STYLE_COLOURS[STYLES.index(style)] for style in styles]
    return alt.Color("style:N", title=None, scale=scale(styles, colours), legend=LINE_LEGEND)


def scale(domain: Sequence[str], range_: Sequence[Any]) -> alt.Scale:
    return alt.Scale(domain=list(domain), range=list(range_))


def data(values: Sequence[Mapping[str, Any]]) -> alt.InlineData:
    return alt.InlineData(values=list(values))


def svg(name: str, chart: alt.TopLevelMixin, label: str) -> str:
    """The picture as an SVG element that can stand beside others in one page: one image to a screen reader, own ids."""
    specification = {**chart.to_dict(), "config": dict(THEME)}
    drawn = str(vl_convert.vegalite_to_svg(specification, allowed_base_urls=[]))
    drawn = re.sub(r' (role|aria-[a-z]+)="[^"]*"', "", drawn)
    drawn = re.sub(r'(id="|url\(#)', rf"\1{name}-", drawn)
    return drawn.replace("<svg ", f'<svg role="img" aria-label="{html.escape(label)}" ', 1)
