"""Small good exports of every format, and what may happen to their bytes on the way to the inbox."""

from __future__ import annotations

import io
import json
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

import yaml

from tests.warehouse.inboxes import workbook, zipped
from warehouse.contracts import SystemContract

# Letters that no header has: where a record's text went is told by them.
MARKS = "αβγδεζηθ"
DANISH_MARKS = "æøåÆØÅ"

CONTRACT = """
system: desk
title: Desk
kind: helpdesk
timezone: Europe/Copenhagen
currency: DKK
entities:
  tickets:
    recognise: {headers: [Ticket ID, Subject]}
    tables:
      ticket:
        columns:
          source_id: {from: Ticket ID, required: true}
          subject: {from: Subject}
          created_at: {from: Opened, type: timestamp, format: iso, required: true}
          solved_at: {from: Solved, type: timestamp, format: ["%d/%b/%y %I:%M %p", "%d.%m.%Y %H:%M"]}
          first_response_min: {from: Reply, type: duration, format: "h:mm"}
          full_resolution_min: {from: Hours, type: duration, format: hours}
          reopens: {from: Reopens, type: integer}
          csat: {from: Score, type: number}
          upheld: {from: Upheld, type: boolean}
          tags: {from: Tags, type: texts, separator: ","}
          status: {from: Status, type: enum, map: {new: open, done: solved}}
          priority: {from: Priority, extract: "^([A-Z]+)"}
        where: "status <> 'spam'"
  cases:
    recognise: {headers: [Sagsnr., Beløb]}
    dialect: {delimiter: ";", encoding: [utf-8, cp1252]}
    scope: full
    tables:
      invoice:
        columns:
          source_id: {from: Sagsnr., required: true}
          net: {from: Beløb, type: money, decimal: ",", thousands: ".", drop: [kr.]}
          issued_on: {from: Dato, type: date, format: "%d-%m-%Y", required: true}
          due_on: {from: Forfald, type: date, format: ["%d. %B %Y", iso]}
          number: {from: Emne}
  report:
    recognise: {headers: [Customer, Num, Amount]}
    dialect: {title_lines: 4, footer: [Total of, Printed]}
    tables:
      invoice:
        columns:
          source_id: {sql: "customer || '-' || num || '-' || coalesce(place, 0)", required: true}
          customer: {from: Customer, helper: true, fill_down: true}
          num: {from: Num, helper: true}
          place: {count_in: num, helper: true, type: integer}
          issued_on: {from: Date, type: date, format: "%m/%d/%Y"}
          net: {from: Amount, type: money, thousands: ",", drop: [$]}
        totals: "starts_with(customer, 'Total')"
  issues:
    recognise: {headers: [Issue key, Summary]}
    tables:
      ticket:
        columns:
          source_id: {from: Issue key, required: true}
          subject: {from: Summary}
          csat: {from: Sprint, type: number}
      ticket_comment:
        each: Comment
        columns:
          source_id: {sql: "ticket_source_id || '#' || comment_no"}
          ticket_source_id: {from: Issue key}
          comment_no: {from: "#", type: integer}
          created_at: {from: ".", extract: "^([^;]*);", type: timestamp, format: "%d/%b/%y %I:%M %p"}
          author_side: {from: "."}
  ticket_records:
    format: json
    recognise: {wrapper: ticket}
    tables:
      ticket:
        columns:
          source_id: {from: id, required: true}
          subject: {from: [subject, raw_subject]}
          created_at: {from: created_at, type: timestamp, format: [iso, unix]}
          reopens: {from: metrics.reopens, type: integer}
          tags: {from: tags, type: texts}
          upheld: {from: 'flags[0]', type: boolean}
  invoices:
    format: json
    recognise: {object: invoice}
    tables:
      invoice:
        columns:
          source_id: {from: id, required: true}
          net: {from: total, type: money, unit: minor}
          tax: {from: "taxes[*].amount", type: money, unit: minor}
          currency: {from: currency}
          issued_on: {from: created, type: date, format: [unix_ms, "%Y-%m-%dT%H:%M:%S%z"]}
      invoice_line:
        each: lines.data
        part_of: invoice
        columns:
          source_id: {from: id}
          invoice_source_id: {from: ^.id}
          line_no: {from: "#", type: integer}
          net: {from: amount, type: money, unit: minor}
          currency: {from: ^.currency}
  people:
    format: json
    recognise: {fields: [email, "owner.id"]}
    tables: {person: {columns: {source_id: {from: email}, source_account_id: {from: owner.id}}}}
"""


def contract() -> SystemContract:
    """A system whose entities use every way of reading, and a column of every type."""
    return SystemContract.model_validate(yaml.safe_load(CONTRACT))


def _word(number: int) -> str:
    return "".join(MARKS[int(digit)] for digit in f"{number:o}")


def _csv(rows: Sequence[Sequence[str]], delimiter: str = ",", end: str = "\r\n") -> str:
    return "".join(
        delimiter.join(f'"{cell.replace(chr(34), chr(34) * 2)}"' if set(cell) & set(f'{delimiter}"\r\n') else cell for cell in row) + end
        for row in rows
    )  # fmt: skip


TICKETS = [
    ["Ticket ID", "Subject", "Opened", "Solved", "Reply", "Hours", "Reopens", "Score", "Upheld", "Tags", "Status", "Priority"],
    *(
        [f"T{number}", f"{_word(number)}, says \"{_word(number + 7)}\"\n{_word(number * 3)}", f"2026-0{number % 9 + 1}-1{number % 10}T10:00:00Z",
         f"1{number % 9}/Feb/26 10:1{number % 10} PM", "1:30", "2.5", f"{number}", "0.5", "yes", f"{_word(number)},b", "new", "HIGH (1)"]
        for number in range(1, 9)
    ),
]  # fmt: skip
CASES = [
    ["Sagsnr.", "Emne", "Beløb", "Dato", "Forfald"],
    *([f"{number}", f"Rødgrød æ{number}; ÆØÅ – €", f"1.23{number % 10},50 kr.", f"0{number % 9 + 1}-05-2026", "3. maj 2026"] for number in range(1, 9)),
]  # fmt: skip
REPORT = [
    ["The company"], ["Transactions"], [], ["Customer", "Date", "Num", "Amount"],
    *(row for number in range(1, 4) for row in (
        [f"{_word(number)} ApS", "", "", ""],
        *(["", f"05/2{line}/2026", f"{_word(number * 8 + line)}", "$1,250.00"] for line in range(3)),
        [f"Total for {_word(number)} ApS", "", "", "$3,750.00"],
    )),
    [], ["Printed on a day"], [f"{_word(99)}"],
]  # fmt: skip
ISSUES = [
    ["Issue key", "Summary", "Comment", "Comment", "comment", "Sprint", "Sprint", "Labels"],
    *([f"A-{number}", _word(number), f"25/Feb/26 10:17 PM;me;{_word(number + 64)}", "", f"{_word(number + 128)}", "1", "", "x"] for number in range(1, 9)),
]  # fmt: skip
TICKET_RECORDS: list[dict[str, Any]] = [
    {"ticket": {"id": number, "subject": f'{_word(number)} "{_word(number * 5)}" [{{', "created_at": "2026-05-01T10:00:00Z",
                "metrics": {"reopens": number}, "tags": ["a", _word(number)], "flags": [True], "note": None}}
    for number in range(1, 9)
]  # fmt: skip
INVOICES: list[dict[str, Any]] = [
    {"id": f"in_{number}", "object": "invoice", "total": number * 100, "currency": "dkk", "created": 1_770_000_000_000,
     "taxes": [{"amount": 25}, {"amount": 1}], "lines": {"data": [{"id": f"il_{number}", "amount": 100, "text": _word(number)}]}}
    for number in range(1, 7)
]  # fmt: skip


def _lines(records: Sequence[Any]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def _sheet_rows(rows: Sequence[Sequence[str]]) -> list[list[object]]:
    return [[float(cell) if cell.replace(".", "", 1).isdecimal() else cell for cell in row] for row in rows]


def _seeds() -> dict[str, bytes]:
    tickets, invoices = _csv(TICKETS), _lines(INVOICES)
    book = workbook(_sheet_rows(TICKETS))
    pages = [
        {"object": "list", "has_more": True, "data": INVOICES[start : start + 2], "url": "/v1"} for start in (0, 2, 4)
    ]
    return {
        "csv": tickets.encode(),
        "csv of Windows": _csv(CASES, ";").encode("cp1252"),
        "csv with mark": b"\xef\xbb\xbf" + _csv(TICKETS, end="\n").encode(),
        "csv in utf-16": tickets.encode("utf-16"),
        "report": _csv(REPORT).encode(),
        "repeated headers": _csv(ISSUES).encode(),
        "ndjson": (_lines(TICKET_RECORDS) + invoices).encode(),
        "json list": json.dumps([*INVOICES, *TICKET_RECORDS[:2]], ensure_ascii=False).encode(),
        "json pages": "\n".join(json.dumps(page, ensure_ascii=False) for page in pages).encode(),
        "json objects": "\n".join(json.dumps(record, indent=1, ensure_ascii=False) for record in INVOICES).encode(),
        "xlsx": book,
        "xlsx of sheets": workbook(_sheet_rows(TICKETS), [], _sheet_rows(ISSUES)),
        "zip": zipped({"a/tickets.csv": tickets, "invoices.ndjson": invoices, ".hidden": "x"}),
        "xlsx in zip": zipped({"book.xlsx": book, "report.csv": _csv(REPORT)}, zipfile.ZIP_STORED),
    }


SEEDS: Mapping[str, bytes] = _seeds()
_PLAIN = [content for name, content in SEEDS.items() if "zip" not in name and "xlsx" not in name]

_INSERTED = (
    b"\0", b'"', b"'", b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"\n\n\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff",
    b"\xff", b"\x80", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"{", b"}", b"[", b"]", b"\\", b'\\"', b'""', b'","',
    b"{}", b"[]", b"null", b"NaN", b"1e999", b"-", b"=1+1", b"\x1a", b"\x1b[0m", "\u2028".encode(), "\u202e".encode(),
    b"<", b">", b"&", b"&#0;", b"<!--", b"]]>", b"%s", b"'; drop table ticket; --", b"../", b"PK\x03\x04", b"infinity",
    b"99999999999999999999", b"0000-00-00", b"9999-12-31T23:59:59-14:00", b"\\ud800", b"\\u0000",
)  # fmt: skip


def _place(random: Random, content: bytes) -> int:
    return random.randrange(len(content) + 1)


def _span(random: Random, content: bytes) -> tuple[int, int]:
    start = _place(random, content)
    return start, min(len(content), start + random.choice((1, 2, 7, 30, 200)))


def _flip(random: Random, content: bytes) -> bytes:
    if not content:
        return content
    place = random.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << random.randrange(8)]) + content[place + 1 :]


def _insert(random: Random, content: bytes) -> bytes:
    place = _place(random, content)
    return content[:place] + random.choice(_INSERTED) + content[place:]


def _replace(random: Random, content: bytes) -> bytes:
    start, end = _span(random, content)
    return content[:start] + random.choice(_INSERTED) + content[end:]


def _noise(random: Random, content: bytes) -> bytes:
    place = _place(random, content)
    return content[:place] + random.randbytes(random.choice((1, 3, 50))) + content[place:]


def _delete(random: Random, content: bytes) -> bytes:
    start, end = _span(random, content)
    return content[:start] + content[end:]


def _repeat(random: Random, content: bytes) -> bytes:
    start, end = _span(random, content)
    return content[:end] + content[start:end] * random.choice((1, 2, 40)) + content[end:]


def _swap(random: Random, content: bytes) -> bytes:
    a, b, c = sorted(_place(random, content) for _ in range(3))
    return content[:a] + content[b:c] + content[a:b] + content[c:]


def _cut(random: Random, content: bytes) -> bytes:
    place = _place(random, content)
    return random.choice((content[:place], content[place:]))


def _splice(random: Random, content: bytes) -> bytes:
    other = random.choice(_PLAIN)
    return content[: _place(random, content)] + other[_place(random, other) :]


def _run(random: Random, content: bytes) -> bytes:
    place = _place(random, content)
    return (
        content[:place]
        + random.choice((b"a", b" ", b'"', b",", b"\n", b"[", b'{"a":', b"\\")) * 3_000
        + content[place:]
    )


_CHANGES: Sequence[Callable[[Random, bytes], bytes]] = (
    _flip, _insert, _insert, _replace, _noise, _delete, _repeat, _swap, _cut, _splice, _run,
)  # fmt: skip


def changed(random: Random, content: bytes) -> bytes:
    """The bytes after a few accidents."""
    for _ in range(random.choice((1, 1, 2, 3, 5))):
        content = random.choice(_CHANGES)(random, content)
    return content


_ELEMENT = re.compile(rb"<(row|c|f|v|is|t|sheet|si)\b[^>]*>.*?</\1>|<(dimension|sheet|c|row)\b[^>]*/>", re.DOTALL)
_VALUE = re.compile(rb'"[^"]*"|>[^<]+<')
_ODD_VALUES = (
    b"0",
    b"-1",
    b"1",
    b"1048577",
    b"99999999999",
    b"XFE1",
    b"A0",
    b"1e999",
    b"NaN",
    b"inlineStr",
    b"s",
    b"",
    b"A1:B2",
)


def _move_element(random: Random, content: bytes) -> bytes:
    found = [match.span() for match in _ELEMENT.finditer(content)]
    if not found:
        return content
    (start, end), (target, _) = random.choice(found), random.choice(found)
    piece = content[start:end]
    if random.random() < 0.4:
        return content[:start] + content[end:]
    return content[:target] + piece + content[target:]


def _change_value(random: Random, content: bytes) -> bytes:
    found = [match.span() for match in _VALUE.finditer(content)]
    if not found:
        return content
    start, end = random.choice(found)
    return content[: start + 1] + random.choice(_ODD_VALUES) + content[end - 1 :]


def changed_xml(random: Random, content: bytes) -> bytes:
    """XML that may well be XML still: an element is elsewhere, or a value is another."""
    for _ in range(random.choice((1, 1, 2, 4))):
        content = random.choice((_move_element, _change_value))(random, content)
    return content


def repacked(random: Random, content: bytes) -> bytes:
    """The archive with a changed member: its checksums are right, so the change gets as far as the readers."""
    source, target = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    members = {name: source.read(name) for name in source.namelist()}
    chosen = random.choice([name for name in members if "theme" not in name and "docProps" not in name])
    inner = members[chosen]
    if inner.startswith(b"PK") and random.random() < 0.8:
        members[chosen] = repacked(random, inner)
    elif inner.startswith(b"<") and random.random() < 0.7:
        members[chosen] = changed_xml(random, inner)
    else:
        members[chosen] = changed(random, inner)
    with warnings.catch_warnings(), zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")
        for name, member in members.items():
            archive.writestr(name, member)
    return target.getvalue()


def mutated(format: str, number: int) -> bytes:
    """One of endlessly many damaged files of the format, always the same for the same number."""
    random = Random(f"{format} {number}")
    content = SEEDS[format]
    if content.startswith(b"PK") and random.random() < 0.7:
        return repacked(random, content)
    return changed(random, content)
