"""The report's section before the numbers: where the accounts went, and what those that are left could show at all."""

from __future__ import annotations

from warehouse.serving import formats, wording
from warehouse.serving.findings import Findings, Row
from warehouse.serving.page import Column, paragraph, table

STEPS = {"in": "On record", "excluded": "Left out", "compared": "Compared"}

FLOW_COLUMNS = (
    Column("What became of them", lambda row: STEPS[row["step"]]),
    Column("Which", lambda row: formats.text(row["reason"])),
    Column("Accounts", lambda row: formats.count(row["accounts"]), is_number=True),
)


def flow(findings: Findings) -> tuple[str, ...]:
    """What the groups could find, whatever was found, and the way from all accounts to the groups."""
    arms = findings.arms(wording.PRIMARY, "mutual_value")
    rows = _rows(findings)
    power = paragraph("What the groups could show was not computed." if arms is None else power_of(findings, arms))
    if not rows:
        return (power,)
    shown = table("The way into the comparison of mutual value", FLOW_COLUMNS, rows)
    return (power, paragraph(_sentence(rows)), shown)


def left_out(findings: Findings) -> list[Row]:
    """Accounts left out of the primary comparison, by reason, the commonest first."""
    return [row for row in _rows(findings) if row["step"] == "excluded"]


def _rows(findings: Findings) -> list[Row]:
    start = formats.day(findings.run["t0"])
    rows = [
        {**row, "reason": row["reason"].replace("at t0", f"on {start}")} for row in wording.of_primary(findings.flow)
    ]
    return [row for step in STEPS for row in rows if row["step"] == step]


def _sentence(rows: list[Row]) -> str:
    counted = {step: sum(row["accounts"] for row in rows if row["step"] == step) for step in STEPS}
    groups = " and ".join(
        f"{formats.count(row['accounts'])} {row['reason']}" for row in rows if row["step"] == "compared"
    )
    return (
        f"Of {formats.number_of(counted['in'], 'account')} on record {formats.count(counted['compared'])} stand in "
        f"the comparison ({groups} in partnership); {formats.count(counted['excluded'])} are left out, each for one "
        "reason."
    )


def power_of(findings: Findings, arms: Row) -> str:
    """What groups of this size find 8 times in 10, and how many accounts the smallest effect of interest needs."""
    high, low = arms["n_partnership"], arms["n_comparison"]
    smallest = _size(findings, arms["smallest_effect"])
    needed = formats.count(arms["needed_per_arm"])
    before = (
        f" Before anything is compared, {formats.number_of(arms['more_to_compare'], 'account')} more are needed."
        if arms["more_to_compare"]
        else ""
    )
    sizes = f"{formats.number_of(high, 'account')} high in partnership and {formats.count(low)} low"
    if arms["detectable_g"] is None:
        return (
            f"Before any result: {sizes} can show nothing. To find the smallest difference that matters, {smallest}, "
            f"8 times in 10, each group needs {needed}.{before}"
        )
    worth = (
        ""
        if arms["effective_n_partnership"] is None
        else f" (as good as {formats.count(arms['effective_n_partnership'])} and "
        f"{formats.count(arms['effective_n_comparison'])} after weighting)"
    )
    lack = (
        f"for that each group needs {needed}: {formats.count(arms['more_partnership'])} more high, "
        f"{formats.count(arms['more_comparison'])} more low"
        if arms["more_partnership"] or arms["more_comparison"]
        else f"for that {needed} in each group are enough, and they are there"
    )
    return (
        f"Before any result: {sizes}{worth} find a difference of {_size(findings, arms['detectable_g'])} 8 times in "
        f"10, and smaller ones less often. The smallest that matters is {smallest}; {lack}. Accounts that share a "
        f"manager or a parent company count for less than that.{before}"
    )


def _size(findings: Findings, effect: float) -> str:
    """A standardised effect, and as points where the spread of mutual value is known."""
    deviation = findings.deviation(wording.PRIMARY, "mutual_value")
    in_points = "" if deviation is None else f" ({formats.points(effect * deviation)} points)"
    return f"{formats.fixed(effect)} standard deviations{in_points}"
