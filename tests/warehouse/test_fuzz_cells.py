"""Any text in any dialect, any value in JSON or in a sheet: it comes back as it was, or its record is in quarantine."""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.lake import contract as records_contract
from tests.lake import project, staged, write_csv, write_json
from tests.warehouse.inboxes import Inbox, workbook
from tests.warehouse.mutations import contract as fuzz_contract
from warehouse.contracts import SHIPPED, SystemContract, load_contracts
from warehouse.recognition import table_columns, wanted_headers

QUICK = settings(max_examples=60)
HEADERS = ("Ticket ID", "Subject", "Body")


@dataclass(frozen=True)
class Written:
    """How a generated file is written."""

    delimiter: str
    quote: str
    end: str
    encoding: str
    titles: int

    @property
    def declared(self) -> dict[str, Any]:
        """What its contract says; a byte-order mark says more."""
        encoding = "utf-8" if self.encoding in ("utf-8-sig", "utf-16", "utf-16-be with mark") else self.encoding
        return {"delimiter": self.delimiter, "quote": self.quote, "encoding": encoding, "title_lines": self.titles}

    def file(self, rows: Sequence[Sequence[str]]) -> bytes:
        buffer = io.StringIO()
        buffer.writelines(f"Title {number}{self.end}" for number in range(self.titles))
        writer = csv.writer(
            buffer, delimiter=self.delimiter, quotechar=self.quote, lineterminator=self.end, quoting=csv.QUOTE_MINIMAL
        )
        writer.writerows([HEADERS, *rows])
        if self.encoding == "utf-16-be with mark":
            return codecs.BOM_UTF16_BE + buffer.getvalue().encode("utf-16-be")
        return buffer.getvalue().encode(self.encoding)


WRITTEN = st.builds(
    Written,
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(['"', "'"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "iso-8859-15", "utf-16", "utf-16-be with mark", "utf-16-le"]),
    st.integers(0, 3),
)
SIGNS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10)
NASTY = st.sampled_from(
    [
        "", " ", "\t", "\u00a0", '"', '""', "'", "''", ",", ";", "|", "\n", "\r", "\r\n", "a\nb", "\ufeff", "NULL", "null", "NaN",
        "#N/A", "=1+1", "@x", "-1", "\\", '\\"', "\\n", "æøå", "€", "💶", "0001", "1e5", "True", "[", "{}", "--", "/*", "\x1a",
        "\u2028", "\x85", "\x1c",
    ]
)  # fmt: skip
ROWS = st.lists(st.tuples(*[SIGNS | NASTY] * 2), max_size=6)


def spelled(text: str, encoding: str) -> str:
    """The text without the signs that the encoding does not have."""
    name = encoding.removesuffix(" with mark")
    return text.encode(name, errors="ignore").decode(name)


@given(WRITTEN, ROWS)
@QUICK
def test_every_cell_comes_back_as_csv_reads_it_or_its_record_is_quarantined(
    written: Written, rows: list[tuple[str, str]]
) -> None:
    table = [(f"{number}", *(spelled(cell, written.encoding) for cell in row)) for number, row in enumerate(rows, 1)]
    # With another line end a lone carriage return would end a line for some readers and not for others.
    assume(written.end != "\r" or not any("\n" in cell for row in table for cell in row))
    with tempfile.TemporaryDirectory() as folder:
        inbox = Inbox(Path(folder), **written.declared)
        inbox.contracts = {"desk": tickets(written)}
        inbox.drop("t.csv", written.file(table))
        landed = inbox.land_one()
        assert (landed.status, landed.rows_in) == ("landed" if rows else "empty", len(rows))
        with staged(inbox.project, *inbox.contracts.values(), landed=[landed]) as connection:
            found = {key: texts for key, *texts in connection.execute(STAGED).fetchall()}
            quarantined = {row for (row,) in connection.execute(QUARANTINED).fetchall()}
    for number, (key, *texts) in enumerate(table, 1):
        if number in quarantined:
            assert key not in found
        else:
            # Blanks around a text are no part of it, and a text of blanks is none.
            assert found[key] == [text.strip(BLANKS) or None for text in texts]
    assert len(quarantined) <= sum(any("\r" in cell or cell.lstrip() != cell for cell in row) for row in table)


BLANKS = " \t\n\r\u00a0"
STAGED = "select source_id, subject, csat_raw from staged.ticket"
QUARANTINED = "select distinct row_number from audit.quarantine where severity = 'row'"


def tickets(written: Written) -> SystemContract:
    return SystemContract.model_validate(
        {
            "system": "desk",
            "title": "Desk",
            "kind": "helpdesk",
            "timezone": "UTC",
            "entities": {
                "tickets": {
                    "recognise": {"headers": list(HEADERS)},
                    "dialect": written.declared,
                    "tables": {
                        "ticket": {
                            "columns": {
                                "source_id": {"from": "Ticket ID", "required": True},
                                "subject": {"from": "Subject"},
                                "csat_raw": {"from": "Body"},
                            }
                        }
                    },
                }
            },
        }
    )


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | SIGNS | NASTY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SIGNS, inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(VALUES, min_size=1, max_size=5), st.sampled_from(["lines", "list", "objects", "page"]), st.booleans())
@QUICK
def test_every_json_value_comes_back_as_it_was(values: list[Any], layout: str, is_ascii: bool) -> None:
    records = [{"ticket": {"id": number, "subject": value}} for number, value in enumerate(values)]

    def text(value: Any, indent: int | None = None) -> str:
        return json.dumps(value, ensure_ascii=is_ascii, indent=indent)

    written = {
        "lines": "\n".join(map(text, records)),
        "list": text(records, 1),
        "objects": "\n".join(text(record, 2) for record in records),
        "page": text({"object": "list", "data": records, "has_more": False}),
    }[layout]
    with tempfile.TemporaryDirectory() as folder:
        inbox = Inbox(Path(folder))
        inbox.drop("t.json", written)
        landed = inbox.land_one()
        assert (landed.status, landed.rows_in, landed.message) == ("landed", len(records), "")
        assert [json.loads(record) for record in inbox.table()["record"].to_pylist()] == records
        tables = {"ticket": {"columns": {"source_id": {"from": "id"}, "subject": {"from": "subject"}}}}
        contract = records_contract("desk", tables, format="json", recognise={"wrapper": "ticket"})
        inbox.contracts = {
            "desk": contract.model_copy(update={"entities": {"ticket_records": contract.entities["records"]}})
        }
        with staged(inbox.project, *inbox.contracts.values(), landed=[landed]) as connection:
            found = dict(connection.execute("select source_id, subject from staged.ticket").fetchall())
    for number, value in enumerate(values):
        assert says(found[str(number)], value), (found[str(number)], value)


def says(text: str | None, value: Any) -> bool:
    """Whether the text of a cell says the same as the JSON value; blanks around a text are no part of it."""
    if value is None or isinstance(value, str):
        return text == ((value or "").strip(BLANKS) or None)
    return text is not None and bool(json.loads(text) == value)


SHEET_CELLS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**15) + 1, 10**15 - 1)
    | st.floats(-1e300, 1e300)
    | st.dates(dt.date(1900, 3, 1), dt.date(9999, 12, 31))
    | st.datetimes(dt.datetime(1900, 3, 1), dt.datetime(9999, 12, 31)).map(lambda time: time.replace(microsecond=0))
    # XML has no control characters; openpyxl writes a text that begins with = as a formula.
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), max_size=10).filter(
        lambda text: not text.startswith("=")
    )
    | st.sampled_from(["=1+1", "=A1&\"x\"", "#N/A", "TRUE", "0012", "1e5", " x ", "<&>", "a\nb", "💶"])
)  # fmt: skip


@given(st.lists(st.tuples(SHEET_CELLS, SHEET_CELLS), min_size=1, max_size=6))
@QUICK
def test_every_cell_of_a_sheet_comes_back_as_text_that_says_the_same(rows: list[tuple[object, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        inbox = Inbox(Path(folder))
        header = ["Ticket ID", "Subject", "Status"]
        inbox.drop("t.xlsx", workbook([header, *([f"T{number}", *row] for number, row in enumerate(rows))]))
        landed = inbox.land_one()
        assert (landed.status, landed.rows_in, landed.message) == ("landed", len(rows), "")
        found = inbox.rows()
    assert [row[0] for row in found] == [f"T{number}" for number in range(len(rows))]
    for texts, values in zip(found, rows, strict=True):
        assert all(shows(text, value) for text, value in zip(texts[1:], values, strict=True)), (texts, values)


def shows(text: str | None, value: object) -> bool:
    """Whether the text shows what the sheet's cell holds: a sheet's numbers have 15 digits, its times seconds."""
    if text is None or value is None:
        return text == (value or None)
    if isinstance(value, bool):
        return text == str(value).lower()
    if isinstance(value, int | float):
        return float(text) == pytest.approx(value, rel=1e-14)
    if isinstance(value, dt.date):
        moment = dt.datetime.fromisoformat(text)
        expected = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
        return abs(moment - expected) <= dt.timedelta(seconds=1)
    return text == value


# A column of every type, each read from the same text.
COLUMNS: dict[str, dict[str, Any]] = {
    "created_at": {"type": "timestamp", "format": ["iso", "unix"]},
    "first_response_at": {"type": "timestamp", "format": ["%d/%b/%y %I:%M %p", "unix_ms", "%Y-%m-%dT%H:%M:%S%z"]},
    "solved_at": {"type": "timestamp", "format": ["%d.%m.%Y %H:%M", "%d. %B %Y"], "timezone": "America/New_York"},
    "first_response_min": {"type": "duration", "format": "h:mm"},
    "full_resolution_min": {"type": "duration", "format": "seconds"},
    "reopens": {"type": "integer", "thousands": "."},
    "csat": {"type": "number", "decimal": ","},
    "upheld": {"type": "boolean"},
    "tags": {"type": "texts", "separator": ","},
    "status": {"type": "enum", "map": {"new": "open", "": "solved"}},
    "type_raw": {"extract": "([0-9]+|[a-z]+)$"},
    "requester_source_id": {"type": "salesforce_id"},
    "source_account_id": {"type": "text"},
    "issued_on": {"type": "date", "format": ["%d-%m-%Y", "%d/%m/%y", "iso", "unix_ms", "%b %d, %Y"]},
    "due_on": {"type": "date", "format": ["%Y-%m-%d %H:%M:%S%z", "%d.%m.%y %H:%M"]},
    "net": {"type": "money", "decimal": ",", "thousands": ".", "drop": ["kr.", "$"]},
    "tax": {"type": "money", "unit": "minor"},
}
MONEY = {"issued_on", "due_on", "net", "tax"}
ODD_TEXTS = st.sampled_from(
    [
        "0001-01-01T00:00:00", "0001-01-01 00:00", "01.01.0001 00:00", "9999-12-31", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00",
        "31.12.9999 23:59", "31-12-9999", "0000-01-01", "10000-01-01", "2024-02-30", "2024-02-29T25:61:61Z", "infinity", "-infinity", "epoch",
        "99999999999", "-9999999999", "999999999999999", "99999999999999", "-62135596800", "1e308", "-1e309", "1e-400", "0x1F", "1_000",
        "9" * 400, "-" + "9" * 20, "0," + "0" * 400 + "1", "99999999999999,9999", "(12,50)", "12,50-", "1.234.567", "1.23.4", "999999:59",
        "-0:01", "24:60", "1:2:3:4", "May 5, 2024", "5. maj 2024", "31/Feb/24 10:00 AM", "1/Jan/70 12:00 AM", "[1,2", '["a",null]', "[]", "{}", "null",
        "0010000000abcDE", "1.03E+13", "\0", "2024-01-01\0", "٢٠٢٤-٠١-٠١", "１２", "İ", "ß", "\u202e1", "=1+1", "'; drop table x; --",
        "2024-03-31T02:30:00", "2024-10-27T02:30:00", "1900-01-01", "1969-12-31T23:59:59Z", "2024-01-01T00:00:00.123456789Z", "2024-01-01T00:00:00+99",
    ]
)  # fmt: skip
# Texts that are nearly dates and numbers.
NEARLY = st.from_regex(r"[-+(]?[0-9]{1,5}[-./:, ][0-9]{1,4}([-./:, TZ+][0-9]{1,6}){0,4}[ Z)+-]?", fullmatch=True)


def every_type(zone: str) -> SystemContract:
    columns = {name: {"from": "text", **column} for name, column in COLUMNS.items()}
    key = {"source_id": {"from": "id"}}
    tables = {
        "ticket": {"columns": key | {name: column for name, column in columns.items() if name not in MONEY}},
        "invoice": {"columns": key | {name: column for name, column in columns.items() if name in MONEY}},
    }
    return records_contract("desk", tables, timezone=zone, currency="JPY")


@given(
    st.lists(SIGNS | NASTY | ODD_TEXTS | NEARLY, min_size=1, max_size=20),
    st.sampled_from(["UTC", "Europe/Copenhagen", "Pacific/Kiritimati", "Pacific/Pago_Pago"]),
)
@settings(max_examples=80)
def test_no_text_stops_a_column_of_any_type_and_each_is_cast_or_quarantined(texts: list[str], zone: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        here = project(Path(folder), timezone=zone)
        write_csv(
            here, "desk", "records", ["id", "text"], [(f"{number}", text) for number, text in enumerate(texts, 1)]
        )
        with staged(here, every_type(zone)) as connection:
            told = {
                (row, column)
                for row, column in connection.execute("select row_number, column_name from audit.quarantine").fetchall()
            }
            for table in ("ticket", "invoice"):
                names = [name for name in COLUMNS if (name in MONEY) == (table == "invoice")]
                rows = connection.execute(f"select row_number, {', '.join(names)} from staged.{table}").fetchall()
                for number, *values in rows:
                    for name, value in zip(names, values, strict=True):
                        is_told = (number, f"{table}.{name}") in told
                        assert_cast_or_told(name, texts[number - 1].strip(BLANKS), value, is_told)


def assert_cast_or_told(name: str, text: str, value: object, is_told: bool) -> None:
    """A value is not told of, a text without a value is; a text of free form may well be none."""
    if COLUMNS[name].get("type", "text") in ("text", "texts", "salesforce_id"):
        return
    if COLUMNS[name]["type"] == "enum":
        assert is_told == (value == "unknown"), (name, text)
        return
    assert is_told == (bool(text) and value is None), (name, text, value)
    if isinstance(value, dt.date):
        # Neither Python nor a driver of a BI tool reads another year.
        assert 1 <= value.year <= 9999


@given(
    st.lists(
        st.fixed_dictionaries(
            {"id": st.text("ab", max_size=1), "object": st.just("invoice")},
            optional={
                "taxes": VALUES | st.lists(st.fixed_dictionaries({"amount": VALUES}), max_size=2),
                "lines": VALUES
                | st.fixed_dictionaries(
                    {"data": VALUES | st.lists(st.fixed_dictionaries({"id": VALUES, "amount": VALUES}), max_size=2)}
                ),
                "total": VALUES,
                "currency": VALUES | st.just("dkk"),
                "created": VALUES | ODD_TEXTS,
            },
        ),
        min_size=1,
        max_size=6,
    )
)
@QUICK
def test_no_value_where_another_should_be_stops_the_casting_of_json(records: list[dict[str, Any]]) -> None:
    fuzzed = fuzz_contract()
    with tempfile.TemporaryDirectory() as folder:
        here = project(Path(folder))
        write_json(here, "desk", "invoices", records)
        with staged(here, fuzzed) as connection:
            (counts,) = connection.execute(
                "select rows_in, rows_loaded + rows_quarantined + rows_ignored from audit.file"
            ).fetchall()
            assert counts == (len(records), len(records))


SHIPPED_CONTRACTS = load_contracts([SHIPPED])
PIECES = [
    *("", " ", "0", "-1", "1.234,50", "(12.50)", "1e999", "9" * 30, "99999999999999", "true", "[]", "[1", '{"a":1}', "text", "\0", "æ", "=1+1", "infinity"),
    *("2026-05-01", "01-05-2026", "5/1/2026", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "99999999999", "31.12.9999", "1. maj 2026", "24:61"),
]  # fmt: skip


@pytest.mark.parametrize("system", SHIPPED_CONTRACTS)
def test_the_shipped_contracts_stand_any_text_in_any_of_their_columns(system: str, tmp_path: Path) -> None:
    """Each entity gets rows of odd texts under its own headers and paths."""
    shipped = SHIPPED_CONTRACTS[system]
    random = Random(system)
    here = project(tmp_path, systems={system: {"timezone": "Europe/Copenhagen", "currency": "DKK", "locale": "da"}})
    for name, entity in shipped.entities.items():
        headers = sorted({aliases[0] for aliases, _ in wanted_headers(entity, None).values()})
        if entity.format == "json":
            records = [{} for _ in range(40)]
            for record in records:
                for header in headers:
                    put(record, header, random.choice(PIECES) if random.random() < 0.8 else random.choice(ODD_VALUES))
            wrapper = entity.recognise.wrapper
            write_json(here, system, name, [{wrapper: record} if wrapper else record for record in records])
        else:
            columns = table_columns(headers)
            write_csv(here, system, name, [column.name for column in columns], [[random.choice(PIECES) for _ in columns] for _ in range(40)])  # fmt: skip
    with staged(here, shipped) as connection:
        books = connection.execute(
            "select entity, rows_in, rows_loaded + rows_quarantined + rows_ignored from audit.file"
        ).fetchall()
        assert sorted(books) == [(name, 40, 40) for name in sorted(shipped.entities)]


ODD_VALUES: list[Any] = [None, 0, -1.5, True, [], {}, [1, "x", None], [{"amount": "x"}], {"data": [{"id": 1}]}, 10**40]


def put(record: dict[str, Any], path: str, value: Any) -> None:
    """Put the value where the path says: in nested objects and in the first element of lists."""
    *steps, last = [
        step.strip('"') for step in re.findall(r'"[^"]+"|[^.\[\]]+', re.sub(r"\[[^\]]*\]", "", path.removeprefix("^.")))
    ] or ["#"]
    for step in steps:
        inner = record.get(step)
        record[step] = record = inner if isinstance(inner, dict) else {}
    record[last] = value
