"""Which entity of its system's contract a file is: decided by what it says, never by its name."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from warehouse.archives import ZIP_MARKS, is_workbook
from warehouse.contracts import Column, Dialect, Entity, SystemContract
from warehouse.counting import HEAD
from warehouse.encodings import UTF8_MARK, UTF16_MARKS, head_as_text
from warehouse.engine import literal, quoted
from warehouse.errors import MutualValueError
from warehouse.headers import Headers
from warehouse.json_paths import json_path
from warehouse.project import SystemSettings
from warehouse.records import UnreadableError, csv_reader, is_json, page_list
from warehouse.sheets import Sheet

Kind = Literal["empty", "archive", "xlsx", "utf-16", "csv", "json lines", "json list", "json pages", "json objects"]

# Columns that landing and the reader of the lake add: a header of that name gets an underscore behind it.
LAKE_COLUMNS = frozenset({"_file", "_landed_at", "_row", "_defect", "_raw", "_types", "_path", "file_row_number"})
# A sheet has 16,384 columns at most; the engine takes minutes for a table of a hundred thousand.
MOST_COLUMNS = 20_000

# `[CHART] Date of First Response` is a CSV header of Jira's, no JSON list.
_JSON = re.compile(rb'\{\s*["}]|\[\s*(?:[\[{\]]|$)')
_EMPTY_ZIP = ZIP_MARKS[1] + bytes(18)
_FOREIGN = {
    b"\x1f\x8b": "it is gzip-compressed; unpack it",
    b"\xd0\xcf\x11\xe0": "it is an old Excel workbook or one with a password; save it as .xlsx without a password",
    b"%PDF": "it is a PDF; export the data as CSV, NDJSON, JSON or XLSX",
    b"PAR1": "it is Parquet; export the data as CSV, NDJSON, JSON or XLSX",
    b"7z\xbc\xaf": "it is a 7-Zip archive; unpack it or make it a ZIP",
}


class MissingColumnError(UnreadableError):
    """The file is of an entity, but lacks columns that its records cannot do without."""

    def __init__(self, message: str, entity: str, columns: tuple[str, ...]) -> None:
        super().__init__(message)
        self.entity = entity
        self.columns = columns


class UnrecognisedError(MutualValueError):
    """No entity of the contract fits the file, or several do; the message says what was looked for."""


@dataclass(frozen=True)
class Layout:
    """A table's entity, its headers as they are in the file, and how they meet the contract.

    `skip` counts the lines (of a sheet: the rows) above the header.
    """

    entity: str
    headers: tuple[str, ...]
    skip: int = 0
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableColumn:
    """A column of the lake file: its name, and the places of the headers that it holds."""

    name: str
    places: tuple[int, ...]


def kind_of(path: Path) -> Kind:
    """What kind of file it is, by its first bytes.

    Raises:
        UnreadableError: a kind that is never read, such as gzip.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
        is_page = page_list(file) is not None
    if not head.removeprefix(UTF8_MARK).strip():
        if len(head) == HEAD:
            raise UnreadableError(f"its first {HEAD} bytes are blank; take the blank lines off")
        return "empty"
    if head == _EMPTY_ZIP:
        return "empty"
    for signature, message in _FOREIGN.items():
        if head.startswith(signature):
            raise UnreadableError(message)
    if head.startswith(ZIP_MARKS):
        return "xlsx" if is_workbook(path) else "archive"
    if head.startswith(UTF16_MARKS):
        return "utf-16"
    return _kind_of_text(head, is_page)


def _kind_of_text(head: bytes, is_page: bool) -> Kind:
    text = head.removeprefix(UTF8_MARK).lstrip()
    if not _JSON.match(text):
        return "csv"
    if text.startswith(b"["):
        return "json list"
    if is_page:
        return "json pages"
    return "json lines" if _has_object_lines(text, is_cut=len(head) == HEAD) else "json objects"


def _has_object_lines(text: bytes, *, is_cut: bool) -> bool:
    """Whether some line is one whole object: NDJSON, with a bad line here and there, rather than an indented object."""
    lines = text.split(b"\n", 100)[:100]
    # A line that goes on beyond the first bytes is one object; one that does not may be several.
    return (is_cut and len(lines) == 1) or any(line.startswith(b"{") and is_json(line) for line in lines)


def dialect_of(entity: Entity, own: SystemSettings | None) -> Dialect:
    """How the entity's CSV files are written: as its contract says, where the project's settings say nothing else."""
    stated = {
        "encoding": (own.encoding,) if own and own.encoding else None,
        "delimiter": own.delimiter if own else None,
    }
    return entity.dialect.model_copy(update={name: value for name, value in stated.items() if value})


def recognise_csv(path: Path, contract: SystemContract, own: SystemSettings | None) -> Layout:
    """The CSV file's entity, by its header.

    Raises:
        UnrecognisedError: no entity of the contract fits, or several fit alike.
        UnreadableError: the file is binary, or lacks a required column of its entity.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    found = {
        name: _header_of_text(head, entity, dialect_of(entity, own))
        for name, entity in contract.entities.items()
        if entity.format == "csv"
    }
    try:
        return _recognise_table(found, contract, own)
    except UnrecognisedError:
        _refuse_binary(head)
        widest = max((len(header.cells) for header in found.values()), default=0)
        if widest > MOST_COLUMNS:
            raise UnreadableError(f"it has {widest} columns, more than {MOST_COLUMNS}; export fewer") from None
        if found and not widest:
            raise UnreadableError(
                "it has no header that the contract's dialect and encoding can read; check them, or export it again"
            ) from None
        raise


def recognise_sheet(sheet: Sheet, contract: SystemContract, own: SystemSettings | None) -> Layout:
    """The entity of a workbook's sheet by its header; raises as `recognise_csv` does."""
    tables = {name: entity for name, entity in contract.entities.items() if entity.format == "csv"}
    rows = sheet.head(max((entity.dialect.title_lines for entity in tables.values()), default=0) + 1)
    return _recognise_table({name: _header_of_rows(rows, entity) for name, entity in tables.items()}, contract, own)


@dataclass(frozen=True)
class _Header:
    """The header as one entity would read it: its cells and how many lines are above it."""

    cells: tuple[str, ...] = ()
    skip: int = 0


def _refuse_binary(head: bytes) -> None:
    if head.startswith(UTF16_MARKS):
        raise UnreadableError("it is UTF-16 text that is damaged; export it again, best as UTF-8")
    if b"\0" in head:
        raise UnreadableError(
            "it is a binary file, or UTF-16 text without a byte-order mark; export the data as CSV in UTF-8, NDJSON, "
            "JSON or XLSX"
        )


def _header_of_text(head: bytes, entity: Entity, dialect: Dialect) -> _Header:
    """The header as the entity's dialect reads it; none where it cannot be read so."""
    text = head_as_text(head, dialect.encoding)
    if text is None:
        return _Header()
    lines = io.StringIO(text, newline="\n" if "\n" in text else "\r")
    first = _Header()
    for skip in range(dialect.title_lines + 1):
        place = lines.tell()
        try:
            cells = tuple(next((row for row in csv_reader(lines, dialect) if row), ()))
        except csv.Error:
            cells = ()
        if _has_all(cells, entity):
            return _Header(cells, skip)
        first = first if first.cells else _Header(cells, skip)
        lines.seek(place)
        lines.readline()
    return first


def _header_of_rows(rows: Sequence[tuple[str, ...]], entity: Entity) -> _Header:
    found = [_Header(cells, skip) for skip, cells in enumerate(rows[: entity.dialect.title_lines + 1]) if any(cells)]
    return next((header for header in found if _has_all(header.cells, entity)), next(iter(found), _Header()))


def _has_all(cells: Sequence[str], entity: Entity) -> bool:
    if len(cells) > MOST_COLUMNS or any("\0" in cell for cell in cells):
        return False
    headers = Headers(column_names(cells))
    return bool(entity.recognise.headers) and all(headers.find(names) for names in entity.recognise.headers)


def column_names(headers: Iterable[str]) -> tuple[str, ...]:
    """Headers as column names: white space around them dropped, a blank one named by its place, from 1.

    >>> column_names([" Id ", "", "_file"])
    ('Id', 'column_2', '_file_')
    """
    names = (header.strip() or f"column_{place}" for place, header in enumerate(headers, start=1))
    return tuple(f"{name}_" if name.lower() in LAKE_COLUMNS else name for name in names)


def table_columns(headers: Iterable[str]) -> list[TableColumn]:
    """The columns of a lake file; headers that repeat, whatever their case, share a column of the first one's name.

    >>> table_columns(["Id", "Comment", "comment"])
    [TableColumn(name='Id', places=(0,)), TableColumn(name='Comment', places=(1, 2))]
    """
    found: dict[str, tuple[str, list[int]]] = {}
    for place, name in enumerate(column_names(headers)):
        found.setdefault(name.casefold(), (name, []))[1].append(place)
    return [TableColumn(name, tuple(places)) for name, places in found.values()]


def _recognise_table(found: Mapping[str, _Header], contract: SystemContract, own: SystemSettings | None) -> Layout:
    """Of the entities whose declared headers are all there, the one that knows the most of the file's headers."""
    matches: dict[str, int] = {}
    for name, header in found.items():
        entity = contract.entities[name]
        if _has_all(header.cells, entity):
            matches[name] = len(_read_headers(Headers(column_names(header.cells)), entity, own))
    if not matches:
        seen = max((header.cells for header in found.values()), key=len, default=())
        raise UnrecognisedError(_unknown_message("file", "headers", column_names(seen), contract))
    best = [name for name, known in matches.items() if known == max(matches.values())]
    if len(best) > 1:
        raise UnrecognisedError(
            f"it could be {' or '.join(best)}: their recognise.headers do not tell them apart; give one of them more"
        )
    header = found[best[0]]
    return replace(_layout(best[0], column_names(header.cells), contract, own), skip=header.skip)


def _unknown_message(what: str, parts: str, seen: Sequence[str], contract: SystemContract) -> str:
    shown = ", ".join(shown_header(name) for name in seen[:8]) or "none"
    known = ", ".join(contract.entities)
    return (
        f"no {what} of {contract.title} has these {parts} ({shown}); its contract knows {known}. "
        f"Describe it in exports/{contract.system}.yml of the project"
    )


def shown_header(name: str) -> str:
    """A header as it may stand in a log; a text that is no header (a sentence, an address, a number) is not told."""
    is_header = len(name) <= 40 and len(name.split()) <= 4 and "@" not in name and not re.search(r"\d{5}", name)
    return name if is_header else "..."


def _read_headers(headers: Headers, entity: Entity, own: SystemSettings | None) -> set[str]:
    """The headers of the file that a column of the entity reads, or would read for want of a better one, or that tell
    its entity."""
    named = [*(names for names, _ in wanted_headers(entity, own).values()), *entity.recognise.headers]
    return {found for names in named for name in names if (found := headers.find((name,)))}


def wanted_headers(entity: Entity, own: SystemSettings | None) -> dict[str, tuple[tuple[str, ...], bool]]:
    """What the entity's columns read: `table.column` -> (aliases, required); the user's own header comes first."""
    wanted = {
        f"{table_name}.{column_name}": (aliases, column.required)
        for table_name, table in entity.tables.items()
        for column_name, column in table.columns.items()
        if (aliases := headers_read(column, table.each))
    }
    for table_name, columns in (own.columns if own else {}).items():
        if table_name in entity.tables:
            for column_name, header in columns.items():
                aliases, required = wanted.get(f"{table_name}.{column_name}", ((), False))
                wanted[f"{table_name}.{column_name}"] = ((header, *aliases), required)
    return wanted


def headers_read(column: Column, each: tuple[str, ...]) -> tuple[str, ...]:
    """The headers that a column reads: with `each` those of its row are `^.header`, and `.` is the repeated one."""
    if not each:
        return column.source
    return each if column.source == (".",) else tuple(name.removeprefix("^.") for name in column.source if name != "#")


def _layout(name: str, headers: tuple[str, ...], contract: SystemContract, own: SystemSettings | None) -> Layout:
    layout = compare(name, headers, contract, own)
    wanted = wanted_headers(contract.entities[name], own)
    needed = {" or ".join(wanted[column][0]) for column in layout.missing if wanted[column][1]}
    if needed:
        raise MissingColumnError(
            f"it is {name}, but lacks the required column {', '.join(sorted(needed))}; export it with that column, or "
            f"name the header that holds it in mutual-value.toml under [systems.{contract.system}.columns]",
            name,
            tuple(column for column in layout.missing if wanted[column][1]),
        )
    return layout


def compare(name: str, headers: tuple[str, ...], contract: SystemContract, own: SystemSettings | None) -> Layout:
    """What the entity's columns lack among the headers, and the headers that none of its columns reads."""
    entity, have = contract.entities[name], Headers(headers)
    missing = (column for column, (aliases, _) in wanted_headers(entity, own).items() if not have.find(aliases))
    known = _read_headers(have, entity, own)
    return Layout(name, headers, 0, tuple(sorted(missing)), tuple(each for each in headers if each not in known))


def entity_of_record_sql(contract: SystemContract) -> str:
    """SQL for the entity of the JSON object in `record`; null where none fits.

    An entity known by fields comes after those known by wrapper or object, and the one with the most fields first: a
    record of a richer kind has the fields of a poorer kind as well.
    """
    ways = [(name, entity.recognise) for name, entity in contract.entities.items() if entity.format == "json"]
    cases = []
    for name, way in sorted(ways, key=lambda pair: (bool(pair[1].fields), -len(pair[1].fields))):
        if way.wrapper is not None:
            test = f"json_type(record, {literal(f'$.{quoted(way.wrapper)}')}) = 'OBJECT'"
        elif way.object is not None:
            test = f"json_extract_string(record, '$.object') = {literal(way.object)}"
        else:
            test = " and ".join(f"json_exists(record, {literal(json_path(field))})" for field in way.fields)
        cases.append(f"when {test} then {literal(name)}")
    return f"case {' '.join(cases)} end" if cases else "cast(null as varchar)"


def unknown_records_message(record: str, contract: SystemContract) -> str:
    """What to say of a JSON file of which no record fits; `record` is its first."""
    try:
        found = json.loads(record)
    except (ValueError, RecursionError):
        found = {}
    keys = tuple(map(str, found)) if isinstance(found, dict) else ()
    return _unknown_message("record", "keys", keys, contract)
