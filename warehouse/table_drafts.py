"""CSV files and sheets -> finished lake files: one text column for each header."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from warehouse.contracts import Dialect
from warehouse.counting import HEAD, Count, count_lines
from warehouse.drafts import ENGINE_ERRORS, Content, Drafted, Staged, stage, told
from warehouse.encodings import as_utf8
from warehouse.engine import literal, quoted
from warehouse.lake import Draft, Facts
from warehouse.recognition import Layout, TableColumn, column_names, table_columns
from warehouse.records import FOOTER, CsvReader, Header, Reader, UnreadableError, WithoutFooter, read_header
from warehouse.sheets import Sheet, SheetReader

# Longer lines go the careful way. With eight times as much the engine takes a sixth longer and 200 MB more.
MOST_LINE_BYTES = 2_000_000
NO_ROWS = "it has a header and no rows"


def draft_csv(draft: Draft, content: Content, layout: Layout, dialect: Dialect) -> Drafted:
    """The lake file of a CSV file.

    Raises:
        UnreadableError: the file is not in the declared encoding, or a record of it is too long to be read.
    """
    path = draft.link(as_utf8(content.path, dialect.encoding, draft.path("utf8")))
    with path.open("rb") as file:
        header = read_header(file.read(HEAD), dialect, layout.skip)
    if column_names(header.cells) != layout.headers:
        raise UnreadableError("its header is in another encoding than the rest of it; export it again, best as UTF-8")
    count = count_lines(path, header.offset, dialect.quote or None)
    facts = _facts(content, layout, "csv", dialect)
    quick = _quick(draft, path, header, dialect, facts, count)
    if quick:
        return quick
    width = len(header.cells)
    staged = stage(draft, _footed(CsvReader(path, dialect, header, width), dialect), width, dialect)
    return _careful(draft, staged, layout, facts, dialect)


def draft_sheet(draft: Draft, content: Content, layout: Layout, dialect: Dialect, sheet: Sheet) -> Drafted:
    """The lake file of a workbook's sheet.

    Raises:
        UnreadableError: the workbook is damaged.
    """
    width = len(layout.headers)
    reader = _footed(SheetReader(sheet, layout.skip, width), dialect)
    staged = stage(draft, reader, width, dialect, typed=True)
    return _careful(draft, staged, layout, _facts(content, layout, "xlsx", dialect), dialect)


def _footed(reader: Reader, dialect: Dialect) -> Reader:
    return WithoutFooter(reader, dialect.footer) if dialect.footer else reader


def dialect_key(dialect: Dialect) -> str:
    """The dialect as a lake file's metadata hold it."""
    return dialect.model_dump_json()


def _facts(content: Content, layout: Layout, kind: str, dialect: Dialect) -> Facts:
    columns = table_columns(layout.headers)
    return replace(
        content.facts(layout.entity, kind),
        headers=tuple(column.name for column in columns),
        folded=tuple(column.name for column in columns if len(column.places) > 1),
        dialect=dialect_key(dialect),
    )


def _quick(draft: Draft, path: Path, header: Header, dialect: Dialect, facts: Facts, count: Count) -> Drafted | None:
    """The file as the engine reads it; None where it refuses the file or does not read the records counted."""
    # A footer's lines would be rows to the engine where a spreadsheet filled them up with empty cells.
    if not count.is_certain or dialect.footer:
        return None
    facts = replace(facts, rows_in=count.records + count.blank, rows_blank=count.blank)
    select = f"select {_cells(table_columns(header.cells))} from {_read_csv(path, header, dialect)}"
    try:
        return Drafted(draft.write(select, facts), facts, told(count.records, {}, NO_ROWS, dialect))
    except duckdb.InterruptException:
        raise
    except ENGINE_ERRORS:
        return None


def _read_csv(path: Path, header: Header, dialect: Dialect) -> str:
    """The records below the header as text columns c0, c1, ...; nothing is left to the engine's sniffer."""
    columns = ", ".join(f"c{place}: 'VARCHAR'" for place in range(len(header.cells)))
    quote = literal(dialect.quote)
    return (
        f"read_csv({literal(str(path))}, columns = {{{columns}}}, auto_detect = false, header = false, "
        f"skip = {header.lines}, delim = {literal(dialect.delimiter)}, quote = {quote}, escape = {quote}, "
        f"strict_mode = true, null_padding = false, nullstr = '', max_line_size = {MOST_LINE_BYTES}, "
        f"compression = 'none', hive_partitioning = false)"
    )


def _careful(draft: Draft, staged: Staged, layout: Layout, facts: Facts, dialect: Dialect) -> Drafted:
    defects = {name: count for name, count in staged.defects.items() if name != FOOTER}
    facts = replace(
        facts,
        rows_in=staged.rows + staged.blank,
        rows_blank=staged.blank,
        rows_defective=sum(defects.values()),
    )
    columns = table_columns(layout.headers)
    more = ", _defect, _raw" if staged.defects else ""
    more += f", {_types(columns)} as _types" if staged.is_typed else ""
    select = f"select {_cells(columns)}{more} from {staged.relation}"
    rows = staged.rows - staged.defects.get(FOOTER, 0)
    return Drafted(draft.write(select, facts), facts, told(rows, defects, NO_ROWS, dialect))


def _types(columns: Sequence[TableColumn]) -> str:
    """The letters of the cells' types by column; cells of a header that repeats have become one text."""
    if all(len(column.places) == 1 for column in columns):
        return "_types"
    letters = (f"substr(_types, {column.places[0] + 1}, 1)" if len(column.places) == 1 else "'s'" for column in columns)
    return f"case when _types is not null then concat({', '.join(letters)}) end"


def _cells(columns: Sequence[TableColumn]) -> str:
    return ", ".join(f"{_cell(column)} as {quoted(column.name)}" for column in columns)


def _cell(column: TableColumn) -> str:
    """The header's cell; of a header that repeats, the cells with text as a JSON array (Jira writes a list so)."""
    if len(column.places) == 1:
        return f"c{column.places[0]}"
    cells = ", ".join(f"c{place}" for place in column.places)
    # Without nullif, which holds the list twice: to find thousands of those takes the engine's planner ten seconds.
    listed = f"cast(to_json(list_filter([{cells}], lambda cell: cell is not null)) as varchar)"
    return f"case when coalesce({cells}) is not null then {listed} end"
