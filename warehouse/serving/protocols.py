"""The report's section on the protocol: since when it holds, what was changed, and what earlier ones decided."""

from __future__ import annotations

import json

from transforms.contrast.changes import flat, told
from warehouse.serving import formats, wording
from warehouse.serving.findings import Findings, Row
from warehouse.serving.page import Column, fold, paragraph, table

MEANING = (
    "The protocol fixes who is compared with whom, on what and by which thresholds, before any value is read. Whoever "
    "changes it after seeing a result asks another question, so every verdict that another protocol gave stays here."
)

VERDICT_COLUMNS = (
    Column("Nights as of", lambda row: _nights(row)),
    Column("Verdict", lambda row: wording.LABELS[wording.verdict(row)]),
    Column("Difference", lambda row: row["size"], is_number=True),
    Column("95 % interval", lambda row: row["spread"], is_number=True),
    Column("On", lambda row: wording.OUTCOMES.get(row["outcome"]) or formats.words(row["outcome"])),
    Column("What it had changed", lambda row: formats.text(_arrows(row["changed"]))),
    Column("Protocol", lambda row: str(row["protocol_hash"])[:12]),
)

PROTOCOL_COLUMNS = (
    Column("Key", lambda row: row["key"]),
    Column("Value", lambda row: row["value"]),
)


def protocol(findings: Findings) -> tuple[str, ...]:
    """Since when the protocol holds, what was changed then, what earlier ones decided, and the whole of it."""
    current = next((row for row in findings.protocols if row["is_current"]), None)
    if current is None:
        return (paragraph("No protocol is on record."),)
    earlier = [row for row in findings.protocols if not row["is_current"]]
    sentence = paragraph(_changed(findings, current, earlier[0]) if earlier else _unchanged(current))
    verdicts = [_verdict(findings, row) for row in earlier]
    shown = table("What earlier protocols decided last", VERDICT_COLUMNS, verdicts) if earlier else ""
    lines = [{"key": key, "value": told(value)} for key, value in flat(json.loads(current["protocol"])).items()]
    whole = table(f"Protocol {current['protocol_hash']}", PROTOCOL_COLUMNS, lines)
    return (paragraph(MEANING), sentence, shown, fold("The whole protocol", whole))


def _unchanged(current: Row) -> str:
    return (
        f"No other protocol than this one has decided, from the night as of {formats.day(current['first_as_of'])} on."
    )


def _changed(findings: Findings, current: Row, before: Row) -> str:
    row = _verdict(findings, before)
    size = "" if row["difference"] is None else f" ({row['size']}, 95 % interval {row['spread']})"
    return (
        f"The protocol was changed with the night as of {formats.day(current['since_as_of'])}: "
        f"{_arrows(current['changed'])}. "
        f"Under the earlier one the verdict was “{wording.LABELS[wording.verdict(before)]}”{size}, as of "
        f"{formats.day(before['last_as_of'])}."
    )


def _verdict(findings: Findings, row: Row) -> Row:
    """The row with its size and interval as the page shows them: scores in points, the rest in its own unit."""
    if row["difference"] is None:
        size, spread = formats.ABSENT, formats.ABSENT
    elif findings.is_share(row["outcome"]):
        size = f"{formats.points(row['difference'], signed=True)} points"
        spread = formats.point_interval(row["ci_low"], row["ci_high"])
    else:
        size = formats.fixed(row["difference"], 3, signed=True)
        spread = formats.interval(row["ci_low"], row["ci_high"])
    return {**row, "size": size, "spread": spread}


def _arrows(changed: str) -> str:
    return changed.replace("->", "→")


def _nights(row: Row) -> str:
    first, last = formats.day(row["first_as_of"]), formats.day(row["last_as_of"])
    return first if first == last else f"{first} to {last}"
