"""CSV files and sheets -> finished lake files: one text column for each header."""

from __future__ import annotations

import codecs
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from warehouse.contracts import Dialect
from warehouse.counting import HEAD, Count, count_lines
from warehouse.drafts import Content, Drafted, Staged, stage, told
from warehouse.engine import literal, quoted
from warehouse.lake import Draft, Facts, LostRecordsError
from warehouse.recognition import Layout, TableColumn, table_columns
from warehouse.records import CsvReader, Header, SheetReader, UnreadableError, read_header, sheet_names

UTF8 = frozenset({"utf-8", "utf-8-sig", "ascii"})
# Longer lines go the careful way. With eight times as much the engine takes a sixth longer and 200 MB more.
MOST_LINE_BYTES = 2_000_000
NO_ROWS = "it has a header and no rows"


def draft_csv(draft: Draft, content: Content, layout: Layout, dialect: Dialect) -> Drafted:
    """The lake file of a CSV file.

    Raises:
        UnreadableError: the file is not in the declared encoding, or a record of it is too long to be read.
    """
    path = draft.link(_as_utf8(draft, content.path, dialect))
    with path.open("rb") as file:
        header = read_header(file.read(HEAD), dialect)
    count = count_lines(path, header.offset, dialect.quote or None)
    facts = _facts(content, layout, "csv", dialect)
    quick = _quick(draft, path, header, dialect, facts, count)
    if quick:
        return quick
    width = len(header.cells)
    staged = stage(draft, CsvReader(path, dialect, header, width), width, dialect)
    return _careful(draft, staged, layout, facts, dialect)


def draft_sheet(draft: Draft, content: Content, layout: Layout, dialect: Dialect) -> Drafted:
    """The lake file of a workbook's first sheet.

    Raises:
        UnreadableError: the workbook is damaged.
    """
    width = len(layout.headers)
    staged = stage(draft, SheetReader(content.path, dialect.skip, width), width, dialect)
    drafted = _careful(draft, staged, layout, _facts(content, layout, "xlsx", dialect), dialect)
    sheets = sheet_names(content.path)
    if len(sheets) == 1:
        return drafted
    more = f"only its first sheet {sheets[0]!r} of {len(sheets)} is read; export the others as files of their own"
    return replace(drafted, message="; ".join(part for part in (drafted.message, more) if part))


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


def _as_utf8(draft: Draft, path: Path, dialect: Dialect) -> Path:
    """The file as UTF-8; one in another encoding is transcoded (the engine knows UTF-16 and Latin-1, not cp1252).

    A byte that the encoding does not know stays as it is, and is no UTF-8: its record is found to be undecodable.
    """
    try:
        encoding = codecs.lookup(dialect.encoding).name
    except LookupError:
        raise UnreadableError(f"its contract declares {dialect.encoding!r}, which is no encoding; mend it") from None
    if encoding in UTF8:
        return path
    target = draft.path("utf8")
    try:
        with (
            path.open("r", encoding=encoding, errors="surrogateescape", newline="") as source,
            target.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
        ):
            shutil.copyfileobj(source, file, 1 << 20)
    except UnicodeError as error:
        raise UnreadableError(f"it is not {dialect.encoding}, as its contract declares ({error})") from error
    return target


def _quick(draft: Draft, path: Path, header: Header, dialect: Dialect, facts: Facts, count: Count) -> Drafted | None:
    """The file as the engine reads it; None where it refuses the file or does not read the records counted."""
    if not count.is_certain:
        return None
    facts = replace(facts, rows_in=count.records + count.blank, rows_blank=count.blank)
    select = f"select {_cells(table_columns(header.cells))} from {_read_csv(path, header, dialect)}"
    try:
        return Drafted(draft.write(select, facts), facts, told(count.records, {}, NO_ROWS, dialect))
    except duckdb.InterruptException:
        raise
    except (duckdb.Error, LostRecordsError):
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
    rows_defective = sum(staged.defects.values())
    facts = replace(facts, rows_in=staged.rows + staged.blank, rows_blank=staged.blank, rows_defective=rows_defective)
    defects = ", _defect, _raw" if rows_defective else ""
    select = f"select {_cells(table_columns(layout.headers))}{defects} from {staged.relation}"
    return Drafted(draft.write(select, facts), facts, told(staged.rows, staged.defects, NO_ROWS, dialect))


def _cells(columns: Sequence[TableColumn]) -> str:
    return ", ".join(f"{_cell(column)} as {quoted(column.name)}" for column in columns)


def _cell(column: TableColumn) -> str:
    """The header's cell; of a header that repeats, the cells with text as a JSON array (Jira writes a list so)."""
    if len(column.places) == 1:
        return f"c{column.places[0]}"
    cells = ", ".join(f"c{place}" for place in column.places)
    return f"cast(to_json(nullif(list_filter([{cells}], lambda cell: cell is not null), [])) as varchar)"
