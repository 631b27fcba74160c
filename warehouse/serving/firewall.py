"""The report's section on the firewall: what style rests on, what value rests on, and that nothing is in both."""

from __future__ import annotations

from warehouse.serving import formats
from warehouse.serving.findings import Findings
from warehouse.serving.page import Column, fold, paragraph, table

SIDE_COLUMNS = (
    Column("Side", lambda row: row["side"]),
    Column("Measures", lambda row: formats.count(row["measures"]), is_number=True),
    Column("Columns of the exports", lambda row: formats.count(row["columns"]), is_number=True),
    Column("Which", lambda row: formats.text(row["names"])),
)

LEAK_COLUMNS = (
    Column("Measure of value that does not speak", lambda row: row["measure_id"]),
    Column("Measure of style", lambda row: row["style_measure_id"]),
    Column("Export", lambda row: f"{row['system']}, {row['entity']}"),
    Column("Column of it", lambda row: row["source_column"]),
    Column("Read as, by style", lambda row: row["style_column"]),
    Column("Read as, by value", lambda row: row["value_column"]),
)


def firewall(findings: Findings) -> tuple[str, ...]:
    """The proof, or what breaks it."""
    if not findings.sides:
        return (paragraph("The columns behind the measures were not traced."),)
    return (paragraph(_sentence(findings)), *_leaks(findings), _details(findings))


def _sentence(findings: Findings) -> str:
    sides = {row["side"]: row for row in findings.sides}
    parts = [
        f"{formats.number_of(row['measures'], 'measure')} of {side} {'rests' if row['measures'] == 1 else 'rest'} on "
        f"{formats.number_of(row['columns'], 'column')} of the exports"
        for side, row in sides.items()
    ]
    shared = [row["source_column"] for row in findings.either_side if not row["may_be_shared"]]
    ending = f"shared are {', '.join(shared)}" if shared else "no column is in both"
    return (
        f"{', '.join(parts)}; {ending}. One shared column would make partnership and value go together in any data, so "
        "each measure is traced through the SQL to the columns that it reads, rows chosen and matched included."
    )


def _leaks(findings: Findings) -> tuple[str, ...]:
    if not findings.leaks:
        return ()
    note = paragraph(
        "In this project one column of an export is read on both sides. The measures of value below therefore do not "
        "speak; map them to columns of their own."
    )
    return (note, table("Columns that are read on both sides", LEAK_COLUMNS, findings.leaks))


def _details(findings: Findings) -> str:
    allowed = [row["source_column"] for row in findings.either_side if row["may_be_shared"]]
    note = paragraph(
        "Read on both sides, as keys, days of events, currencies and whether a record is one may be: "
        f"{', '.join(allowed) or 'nothing'}."
    )
    return fold("Which columns", table("What each side rests on", SIDE_COLUMNS, findings.sides) + note)
