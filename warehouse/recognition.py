"""Which entity of its system's contract a file is: decided by what it says, never by its name."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.contracts import Entity, SystemContract
from warehouse.project import SystemSettings
from warehouse.records import sheet_rows

HEAD = 1 << 20
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class UnreadableError(ValueError):
    """The file cannot be taken; the message says why and what to do."""


class UnrecognisedError(ValueError):
    """No entity of the contract fits the file; the message says what was looked for."""


@dataclass(frozen=True)
class Layout:
    """What a file is and how to read it."""

    format: str  # csv, xlsx, json list, json lines, json pages
    entity: str
    headers: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def recognise(path: Path, contract: SystemContract, own: SystemSettings | None) -> Layout | None:
    """The file's layout; None for a file without a single byte of content.

    Raises:
        UnreadableError: a binary file, a text in an undeclared encoding, or a required column is missing.
        UnrecognisedError: no entity of the contract fits.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head.strip():
        return None
    if head.startswith(b"PK\x03\x04"):
        return _recognise_table("xlsx", [_sheet_header(path)], contract, own)
    _refuse_binary(head, contract)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] in (b"{", b"[") and any(entity.format == "json" for entity in contract.entities.values()):
        return _recognise_json(path, text, contract)
    return _recognise_table("csv", _csv_headers(head, contract), contract, own)


def _refuse_binary(head: bytes, contract: SystemContract) -> None:
    declared = {entity.dialect.encoding.lower().replace("_", "-") for entity in contract.entities.values()}
    if any(encoding.startswith("utf-16") for encoding in declared):
        return
    if head.startswith(_UTF16):
        raise UnreadableError(
            "it is UTF-16 text; export it as UTF-8, or declare dialect.encoding: utf-16 in a contract"
        )
    if head.startswith(b"%PDF") or head.count(0) > len(head) // 10_000 + 2:
        raise UnreadableError("it is a binary file; export it as CSV, NDJSON, JSON or XLSX")


def _sheet_header(path: Path) -> tuple[str, list[str]]:
    try:
        for row in sheet_rows(path):
            if any(row):
                return "", list(_without_tail([cell or "" for cell in row]))
    except ValueError as error:
        raise UnreadableError(f"{error}; save it again as .xlsx or CSV") from error
    return "", []


def _without_tail(cells: list[str]) -> list[str]:
    """The cells without the phantom empty columns that spreadsheets carry on the right."""
    while cells and not cells[-1]:
        cells = cells[:-1]
    return cells


def _csv_headers(head: bytes, contract: SystemContract) -> list[tuple[str, list[str]]]:
    """The header as each CSV entity's dialect reads it: (entity, headers)."""
    return [(name, _header_cells(head, entity)) for name, entity in contract.entities.items() if entity.format == "csv"]


def _header_cells(head: bytes, entity: Entity) -> list[str]:
    text = head.decode(entity.dialect.encoding, errors="replace").removeprefix("\ufeff")
    lines = text.splitlines(keepends=True)[entity.dialect.skip :]
    return next(csv.reader(lines, delimiter=entity.dialect.delimiter, quotechar=entity.dialect.quote), [])


def column_names(headers: Iterable[str]) -> tuple[str, ...]:
    """Headers as column names: white space around them dropped, a blank one named by its place."""
    return tuple(header.strip() or f"column_{place}" for place, header in enumerate(headers, start=1))


def _recognise_table(
    kind: str, headers: Sequence[tuple[str, list[str]]], contract: SystemContract, own: SystemSettings | None
) -> Layout:
    """The CSV entity whose declared headers are all there; the one that declares most where several fit."""
    fitting = []
    for name, entity in contract.entities.items():
        if entity.format != "csv":
            continue
        found = next(cells for read_by, cells in headers if read_by in ("", name))
        have = {header.lower() for header in column_names(found)}
        wanted = {header.lower() for header in entity.recognise.headers}
        if wanted <= have:
            fitting.append((len(wanted), name, column_names(found)))
    if not fitting:
        seen = ", ".join(column_names(headers[0][1])[:8]) if headers else ""
        raise UnrecognisedError(
            f"no file of {contract.title} has these headers ({seen}); add a contract for it in the project's exports/ folder"
        )
    most = max(count for count, _, _ in fitting)
    best = [(name, found) for count, name, found in fitting if count == most]
    if len(best) > 1:
        names = " and ".join(name for name, _ in best)
        raise UnrecognisedError(f"it could be {names}: their recognise.headers do not tell them apart")
    chosen, names_found = best[0]
    return _with_columns(kind, chosen, names_found, contract.entities[chosen], own)


def _with_columns(kind: str, name: str, headers: tuple[str, ...], entity: Entity, own: SystemSettings | None) -> Layout:
    wanted = wanted_headers(entity, own)
    have = {header.lower() for header in headers}
    absent = {
        column: aliases for column, (aliases, _) in wanted.items() if not {alias.lower() for alias in aliases} & have
    }
    required = [" or ".join(aliases) for column, aliases in absent.items() if wanted[column][1]]
    if required:
        raise UnreadableError(
            f"it is {name} but lacks the required column {', '.join(required)}; export it with that column, "
            "or name its header in mutual-value.toml under [systems.<system>.columns]"
        )
    used = {alias.lower() for aliases, _ in wanted.values() for alias in aliases}
    unknown = tuple(header for header in headers if header.lower() not in used)
    return Layout(kind, name, headers, tuple(sorted(absent)), unknown)


def wanted_headers(entity: Entity, own: SystemSettings | None) -> Mapping[str, tuple[tuple[str, ...], bool]]:
    """What the entity's columns read: `table.column` -> (aliases, required); the user's own headers come first."""
    wanted = {
        f"{table_name}.{column_name}": (column.source, column.required)
        for table_name, table in entity.tables.items()
        for column_name, column in table.columns.items()
        if column.source
    }
    for table_name, columns in (own.columns if own else {}).items():
        if table_name in entity.tables:
            for column_name, header in columns.items():
                before = wanted.get(f"{table_name}.{column_name}", ((), False))
                wanted[f"{table_name}.{column_name}"] = ((header, *before[0]), before[1])
    return wanted


def _recognise_json(path: Path, text: bytes, contract: SystemContract) -> Layout:
    kind, first = _first_object(path, text)
    entity = entity_of(first, contract)
    if entity is None:
        keys = ", ".join(list(first)[:8])
        raise UnrecognisedError(
            f"no record of {contract.title} has these keys ({keys}); add a contract for it in the project's exports/ folder"
        )
    return Layout(kind, entity)


def _first_object(path: Path, text: bytes) -> tuple[str, dict[str, object]]:
    """How the JSON file is laid out, and its first object that can be read."""
    if text.startswith(b"["):
        return "json list", _first_of_list(text)
    for line in text.splitlines():
        found = _parsed(line)
        if found is not None:
            return ("json pages", _first_of_page(found)) if _is_page(found) else ("json lines", found)
    whole = _whole(path)
    return ("json pages", _first_of_page(whole)) if _is_page(whole) else ("json document", whole)


def _parsed(line: bytes) -> dict[str, object] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _first_of_list(text: bytes) -> dict[str, object]:
    body = text.decode("utf-8", errors="replace").removeprefix("[").lstrip()
    try:
        found, _ = json.JSONDecoder().raw_decode(body)
    except ValueError:
        found = {}
    return found if isinstance(found, dict) else {}


def _whole(path: Path) -> dict[str, object]:
    """A single JSON document written over several lines."""
    try:
        rows = duckdb.execute(
            "select json from read_json_objects(?, format = 'unstructured', maximum_object_size = 268435456) limit 1",
            [str(path)],
        ).fetchall()
    except duckdb.Error as error:
        raise UnreadableError(f"it is no valid JSON: {str(error).splitlines()[0]}; export it again") from error
    found = json.loads(rows[0][0]) if rows else {}
    return found if isinstance(found, dict) else {}


def _is_page(found: dict[str, object]) -> bool:
    """A page of a list as Stripe's API gives it (https://docs.stripe.com/api/pagination)."""
    return isinstance(found.get("data"), list) and found.get("object", "list") == "list"


def _first_of_page(page: dict[str, object]) -> dict[str, object]:
    data = page["data"]
    first = data[0] if isinstance(data, list) and data else {}
    return first if isinstance(first, dict) else {}


def entity_of(record: Mapping[str, object], contract: SystemContract) -> str | None:
    """The entity of one JSON record."""
    for name, entity in contract.entities.items():
        way = entity.recognise
        if entity.format != "json":
            continue
        if way.wrapper is not None and isinstance(record.get(way.wrapper), dict):
            return name
        if way.object is not None and record.get("object") == way.object:
            return name
        if way.fields and all(field in record for field in way.fields):
            return name
    return None
