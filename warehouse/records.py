"""The careful readers: record by record, in Python, keeping every good record of a damaged file.

They read what the engine refuses or counts otherwise. A bad record keeps its text and gets the name of its defect; no
reader drops anything but blank lines, which it counts. Each holds no more than one record and one batch.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import sys
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from warehouse.contracts import Dialect
from warehouse.counting import CARRIAGE_RETURN, CLOSING_BRACE, COMMA, HEAD, chunks, line_end, structure
from warehouse.errors import MutualValueError

csv.field_size_limit(sys.maxsize)

# Longer than any export writes, and short enough to be held in memory.
MOST_RECORD_BYTES = 100_000_000
# A record of more lines than this is a quote that nobody closed, not a long text.
MOST_LINES_OF_A_RECORD = 10_000
# What a reader of JSON reads at first where it may have to begin anew soon.
_FIRST_BYTES = 1 << 10
_UNDECODABLE = re.compile("[\udc80-\udcff]")
# RFC 4180 has no quoted cell after a space; the engine reads it as quoted, Python's csv as text. Neither is certain.
_SPACED_QUOTE = re.compile(r'\s+"')
_NEXT_OBJECT = re.compile(rb"\n,?(?=\{)")


class UnreadableError(MutualValueError):
    """The file cannot be taken; the message says why and what to do."""


@dataclass(frozen=True)
class Record:
    """One record: its cells, or the defect that kept it from being split into cells, and its text as it came.

    `types` has a letter for each cell of a sheet: (n)umber, (d)ay or time, (b)oolean, (s)tring, (f)ormula without a
    value, (e)rror.
    """

    cells: tuple[str | None, ...] | None
    defect: str | None = None
    raw: str | None = None
    types: str | None = None


class Reader(Protocol):
    """Yields records; `blank` counts the lines with nothing on them that were passed over so far."""

    blank: int

    def __iter__(self) -> Iterator[Record]: ...


@dataclass(frozen=True)
class Header:
    """A CSV file's header: its cells, the lines down to its end, and the byte at which the records begin."""

    cells: tuple[str, ...]
    lines: int
    offset: int


def read_header(head: bytes, dialect: Dialect, skip: int = 0) -> Header:
    """The header of a UTF-8 text whose first bytes are `head`: the first line with text after `skip` lines.

    Raises:
        UnreadableError: it is not UTF-8, its quotes do not close, or it does not end within `head`.
    """
    end = "\r" if line_end(io.BytesIO(head)) == CARRIAGE_RETURN else "\n"
    text = head.removeprefix(codecs.BOM_UTF8)
    lines = _Lines(io.StringIO(text.decode("utf-8", errors="surrogateescape"), newline=end))
    for _ in range(skip):
        next(lines, None)
    try:
        cells = next((row for row in csv_reader(lines, dialect) if row), [])
    except csv.Error as error:
        raise UnreadableError(f"the quotes of its header do not close ({error}); export it again") from error
    if cells and _UNDECODABLE.search("".join(cells)):
        raise UnreadableError(_wrong_encoding("its header is", dialect))
    if lines.bytes_read == len(text) and len(head) >= HEAD:
        raise UnreadableError(f"its header does not end within {HEAD} bytes; check the contract's dialect")
    return Header(tuple(cells), lines.read, len(head) - len(text) + lines.bytes_read)


def _wrong_encoding(what: str, dialect: Dialect) -> str:
    return (
        f"{what} not {' or '.join(dialect.encoding)}, as the contract declares; export it so, or declare its real "
        "encoding in the contract (dialect.encoding: cp1252 is usual on Windows)"
    )


def too_many_undecodable(undecodable: int, records: int, dialect: Dialect) -> str | None:
    """A message when so many records do not fit the declared encoding that the declaration must be wrong."""
    if undecodable <= max(10, records // 20):
        return None
    return _wrong_encoding(f"{undecodable} of {records} records are", dialect)


def csv_reader(lines: Iterable[str], dialect: Dialect) -> Iterator[list[str]]:
    """Rows of cells as the dialect splits them; a quote that does not close, or stands oddly, raises csv.Error."""
    if not dialect.quote:
        return csv.reader(lines, delimiter=dialect.delimiter, quoting=csv.QUOTE_NONE, strict=True)
    return csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quote, doublequote=True, strict=True)


class _Lines:
    """Physical lines that remember those of the open record, so that a broken record can give them back.

    Lines that are given back are read again, and each of them may open a quote that does not close either. What
    follows an open quote means the same whichever line opened it: one that is still open after its own line fails
    where the record before it failed, and is not followed there a second time.
    """

    def __init__(self, file: io.TextIOBase) -> None:
        self._file = file
        self._given_back: deque[str] = deque()
        self._open: list[str] = []
        self._open_characters = 0
        self._hopeless_before = 0
        self.read = 0
        self.bytes_read = 0
        self.ended = False
        self.went_on = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._open:
            self.went_on = True
            if self._is_too_long or self._place < self._hopeless_before:
                raise csv.Error("a quote is never closed")
        line = self._given_back.popleft() if self._given_back else self._read()
        self._open.append(line)
        self._open_characters += len(line)
        return line

    @property
    def _place(self) -> int:
        """How many lines of the file were given, those that were given back not among them."""
        return self.read - len(self._given_back)

    @property
    def _is_too_long(self) -> bool:
        return len(self._open) >= MOST_LINES_OF_A_RECORD or self._open_characters > MOST_RECORD_BYTES

    def _read(self) -> str:
        line = _bounded_line(self._file)
        if not line:
            self.ended = True
            raise StopIteration
        self.read += 1
        self.bytes_read += len(line.encode("utf-8", errors="surrogateescape"))
        return line

    def begin_record(self) -> None:
        self._open = []
        self._open_characters = 0
        self.ended = False
        self.went_on = False

    @property
    def open_lines(self) -> int:
        return len(self._open)

    def text(self) -> str:
        return "".join(self._open)

    def give_back_all_but_first(self) -> str:
        # A record that began in the later half of one that was merely too long may still come to its end.
        undecided = len(self._open) // 2 if self._is_too_long else 0
        self._hopeless_before = max(self._hopeless_before, self._place - undecided)
        first, *rest = self._open
        self._given_back.extendleft(reversed(rest))
        return first


def _bounded_line(file: io.TextIOBase) -> str:
    line = file.readline(MOST_RECORD_BYTES)
    if len(line) == MOST_RECORD_BYTES:
        raise UnreadableError(f"one of its lines is longer than {MOST_RECORD_BYTES} bytes; export it again")
    return line


class CsvReader:
    """The records of a UTF-8 CSV file below its header, each of `width` cells or with its defect."""

    def __init__(self, path: Path, dialect: Dialect, header: Header, width: int) -> None:
        self._path = path
        self._dialect = dialect
        self._header = header
        self._width = width
        self.blank = 0

    def __iter__(self) -> Iterator[Record]:
        with _text_from(self._path, self._header.offset) as file:
            lines = _Lines(file)
            rows = csv_reader(lines, self._dialect)
            while True:
                lines.begin_record()
                try:
                    cells = next(rows)
                except StopIteration:
                    return
                except csv.Error:
                    yield self._broken(lines)
                    continue
                if cells:
                    yield self._checked(cells, lines.text())
                else:
                    self.blank += 1

    def _broken(self, lines: _Lines) -> Record:
        """Quotes that do not close: the first line is the defect, the lines after it are read anew."""
        defect = "malformed_quotes"
        if lines.ended and lines.open_lines == 1:
            defect = "truncated"
        elif lines.went_on:
            defect = "unclosed_quote"
        return Record(None, defect, _readable(lines.give_back_all_but_first()))

    def _checked(self, cells: list[str], raw: str) -> Record:
        defect = self._defect(cells, raw)
        if defect:
            return Record(None, defect, _readable(raw))
        return Record(tuple(cell or None for cell in cells[: self._width]))

    def _defect(self, cells: list[str], raw: str) -> str | None:
        if _UNDECODABLE.search(raw):
            return "undecodable"
        if "\0" in raw:
            return "nul_byte"
        if any(cells[self._width :]):
            return "too_many_cells"
        if len(cells) < self._width:
            return "too_few_cells" if raw.endswith(("\n", "\r")) else "truncated"
        if self._dialect.quote and any(_SPACED_QUOTE.match(cell) for cell in cells):
            return "malformed_quotes"
        return None


@contextmanager
def _text_from(path: Path, offset: int) -> Iterator[io.TextIOBase]:
    """The UTF-8 text from a byte on; bytes that are none become lone surrogates, lines end as they do in the file."""
    with path.open("rb") as file:
        file.seek(offset)
        end = "\r" if line_end(file) == CARRIAGE_RETURN else "\n"
        file.seek(offset)
        yield io.TextIOWrapper(file, encoding="utf-8", errors="surrogateescape", newline=end)


def _readable(text: str) -> str:
    r"""The text of a bad record without its line end; undecodable and NUL bytes written as \xNN."""
    shown = _UNDECODABLE.sub(lambda found: f"\\x{ord(found.group()) - 0xDC00:02x}", text.rstrip("\r\n"))
    return shown.replace("\0", "\\x00")


class JsonLines:
    """The lines of an NDJSON file, each as one cell; whether a line is valid JSON is for the engine to say."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.blank = 0

    def __iter__(self) -> Iterator[Record]:
        with _text_from(self._path, 0) as file:
            while line := _bounded_line(file):
                text = line.removeprefix("\ufeff").strip()
                if text:
                    yield _json_record(text, whole=line.endswith(("\n", "\r")) or is_json(text))
                else:
                    self.blank += 1


def is_json(text: str | bytes) -> bool:
    """Whether the text is one JSON value, as Python reads it; a number may have any number of digits."""
    try:
        json.loads(text, parse_int=str)
    except (ValueError, RecursionError):
        return False
    return True


def _json_record(text: str, whole: bool) -> Record:
    if _UNDECODABLE.search(text):
        return Record(None, "undecodable", _readable(text))
    if "\0" in text:
        return Record(None, "nul_byte", _readable(text))
    return Record((text,)) if whole else Record(None, "truncated", text)


class JsonElements:
    """The elements of JSON lists or of pages of a list, or one object after another (`kind` list, pages, objects).

    They are split where braces and brackets balance; whether one is valid JSON is for the engine to say. Text that
    never balances is a defect, up to the next line that begins with an object; reading goes on there.
    """

    def __init__(self, path: Path, kind: str) -> None:
        self._path = path
        self._kind = kind
        self._patience = _Patience()
        self.blank = 0
        self.unclosed = False

    def __iter__(self) -> Iterator[Record]:
        with self._path.open("rb") as file:
            if self._kind == "pages":
                yield from self._pages(file)
                return
            start: int | None = list_start(file) if self._kind == "list" else 0
            while start is not None:
                end = yield from _elements(file, start, self._patience)
                self.unclosed = self._kind == "list" and end.at_end_of_file
                start = yield from (_after_list if end.balanced else _damaged)(file, end.offset)

    def _pages(self, file: BinaryIO) -> Iterator[Record]:
        """The elements of each page's `data` list, of one page after another; what is no page is read as records."""
        place: int | None = 0
        while place is not None:
            page = page_list(file, place)
            end = yield from _elements(file, place if page is None else page, self._patience)
            self.unclosed = page is not None and end.at_end_of_file
            if end.balanced:
                place = _text_after(file, (yield from _page_end(file, end.offset)))
            else:
                place = yield from _damaged(file, end.offset)


class _Patience:
    """How far the end of an element is looked for beyond a line that begins with another object.

    What is searched in vain is searched again from the next such line on: a file of lines that never balance would be
    read as often as it has lines. So what was searched in vain is taken off, and what was read adds to it anew.
    """

    _MOST = 4 * MOST_RECORD_BYTES
    _LEAST = 1 << 12

    def __init__(self) -> None:
        self._bytes = self._MOST

    @property
    def bytes(self) -> int:
        return max(self._bytes, self._LEAST)

    def lose(self, searched: int) -> None:
        self._bytes = max(self._bytes - searched, 0)

    def gain(self, read: int) -> None:
        self._bytes = min(self._bytes + 16 * read, self._MOST)


@dataclass(frozen=True)
class _End:
    """The byte after a list's closing bracket, or at which text begins that never balances."""

    offset: int
    balanced: bool
    at_end_of_file: bool = False


def list_start(file: BinaryIO) -> int:
    """The byte after the opening bracket of the file's list."""
    file.seek(0)
    return file.read(HEAD).index(b"[") + 1


def _elements(file: BinaryIO, start: int, patience: _Patience) -> Generator[Record, None, _End]:
    """The elements from byte `start` on, up to the bracket that closes their list, or the end of the file."""
    file.seek(start)
    pending = bytearray()
    begin = base = start  # the bytes at which `pending` and the chunk begin
    depth = 0
    for chunk, places, marks, depths in structure(file, first=_FIRST_BYTES):
        cut = 0
        at_top = depths <= 0
        for place, mark in zip(places[at_top].tolist(), marks[at_top].tolist(), strict=True):
            closes_list = mark != COMMA and depths[places.searchsorted(place)] < 0
            piece = bytes(pending) + chunk[cut : place + (mark != COMMA and not closes_list)]
            # A brace closes no list: an object lost its beginning.
            if _swallows(piece) or (closes_list and mark == CLOSING_BRACE):
                patience.lose(len(piece))
                return _End(begin, balanced=False)
            patience.gain(len(piece))
            yield from _element(piece)
            pending.clear()
            cut, begin = place + 1, base + place + 1
            if closes_list:
                return _End(begin, balanced=True)
        pending += chunk[cut:]
        base += len(chunk)
        depth = int(depths[-1]) if len(depths) else depth
        if len(pending) > MOST_RECORD_BYTES or (len(pending) > patience.bytes and _NEXT_OBJECT.search(pending, 1)):
            patience.lose(len(pending))
            return _End(begin, balanced=False)
    if depth > 0:
        patience.lose(len(pending))
        return _End(begin, balanced=False)
    yield from _element(bytes(pending))
    return _End(base, balanced=True, at_end_of_file=True)


def _swallows(piece: bytes) -> bool:
    """Whether brackets of the wrong kind made one element of a damaged one and the lines of objects after it."""
    text = piece.strip()
    return _NEXT_OBJECT.search(text) is not None and not is_json(text)


def _element(piece: bytes) -> Iterator[Record]:
    text = piece.decode("utf-8", errors="surrogateescape").removeprefix("\ufeff").strip()
    if text:
        yield _json_record(text, whole=True)


def _after_list(file: BinaryIO, offset: int) -> Generator[Record, None, int | None]:
    """After a list another list may follow, or lines of objects; returns the byte at which its elements begin, None at
    the end."""
    place = _text_after(file, offset)
    if place is not None:
        file.seek(place)
        if file.read(1) == b"[":
            return place + 1
    return (yield from _damaged(file, offset, first=0))


def _text_after(file: BinaryIO, offset: int) -> int | None:
    """The first byte from `offset` on that is no white space; None at the end of the file."""
    file.seek(offset)
    for chunk in chunks(file, _FIRST_BYTES):
        text = chunk.lstrip()
        if text:
            return offset + len(chunk) - len(text)
        offset += len(chunk)
    return None


def _damaged(file: BinaryIO, begin: int, *, first: int = 1) -> Generator[Record, None, int | None]:
    """The text that never balances as one defect; returns the byte to go on from, None at the end of the file.

    It goes on with a line that begins with an object, `first` bytes behind `begin` or later.
    """
    file.seek(begin)
    rest = bytearray()
    following = None
    for chunk in chunks(file, _FIRST_BYTES):
        searched = max(len(rest) - 2, first)
        rest += chunk
        following = _NEXT_OBJECT.search(rest, searched)
        if following:
            break
        if len(rest) >= MOST_RECORD_BYTES:
            raise UnreadableError(f"one of its records is longer than {MOST_RECORD_BYTES} bytes; export it again")
    piece = bytes(rest[: following.start()] if following else rest).strip()
    if piece:
        text = _readable(piece.decode("utf-8", errors="surrogateescape"))
        yield Record(None, "malformed_json" if following else "truncated", text)
    return begin + following.end() if following else None


def page_list(file: BinaryIO, start: int = 0) -> int | None:
    """The byte after the bracket of a page's list of records, when a page begins at `start`, as an API gives one.

    A page is an object with a list of records behind one of _LIST_KEYS, and else only what is said of the page:
    https://docs.stripe.com/api/pagination, https://developers.hubspot.com/docs/api/crm/search (results),
    https://restdocs.e-conomic.com (collection), https://apidocs.chargebee.com/docs/api (list), OData 4.0 JSON (value),
    https://developers.intercom.com/docs/build-an-integration/learn-more/rest-apis/pagination-cursor (conversations).
    """
    file.seek(start)
    text = file.read(1 << 16).decode("utf-8", errors="surrogateescape")
    decoder = json.JSONDecoder()
    place = len(text) - len(text.lstrip("\ufeff \t\r\n"))
    if not text.startswith("{", place):
        return None
    try:
        while text.startswith(("{", ","), place):
            key, place = decoder.raw_decode(text, _after_space(text, place + 1))
            colon = _after_space(text, place)
            if not isinstance(key, str) or not text.startswith(":", colon):
                return None
            place = _after_space(text, colon + 1)
            if key in _LIST_KEYS and text.startswith("[", place):
                return start + len(text[: place + 1].encode("utf-8", errors="surrogateescape"))
            value, place = decoder.raw_decode(text, place)
            if not _says_of_page(key, value):
                return None
            place = _after_space(text, place)
    except (ValueError, RecursionError):
        pass
    return None


def _says_of_page(key: str, value: object) -> bool:
    # In OData what begins with @ annotates the page.
    is_of_page = key in _PAGE_KEYS or key.startswith("@")
    return is_of_page and (key != "object" or value == "list") and not _has_records(value)


_LIST_KEYS = {
    "data", "results", "list", "value", "collection", "records", "conversations", "contacts", "companies", "tickets",
    "users", "organizations", "admins", "agents",
    "Invoices", "CreditNotes", "Contacts", "Payments",
}  # fmt: skip
# What says something of a page, never of a record.
_PAGE_KEYS = {
    "object", "url", "has_more", "total_count", "count", "next_page", "next_page_url", "previous_page_url",
    "next_offset",
    "success", "total", "totalSize", "done", "pages", "paging", "pagination", "self", "type", "metaData",
    "additional_data", "related_objects", "links", "meta", "Id", "Status", "ProviderName", "DateTimeUTC",
}  # fmt: skip


def _after_space(text: str, place: int) -> int:
    return place + len(text[place : place + 256]) - len(text[place : place + 256].lstrip())


def _page_end(file: BinaryIO, offset: int) -> Generator[Record, None, int]:
    """What follows the list of a page that ended at `offset`, where that is more than is said of the page; returns the
    byte after the brace that closes the page."""
    file.seek(offset)
    end = offset
    for chunk, places, _, depths in structure(file, first=_FIRST_BYTES):
        below = (depths < 0).nonzero()[0]
        end += int(places[below[0]]) + 1 if len(below) else len(chunk)
        if len(below):
            break
    file.seek(offset)
    rest = file.read(end - offset)
    if rest and not is_said_of_page(rest):
        yield Record(None, "rest_of_page", _readable(rest.decode("utf-8", errors="surrogateescape")))
    return end


def is_said_of_page(rest: bytes) -> bool:
    """Whether what follows a page's list closes the page, and holds no list of other records."""
    try:
        page = json.loads(b'{"":[]' + rest, parse_int=str)
        return not any(_has_records(value) for key, value in page.items() if key != "links")
    except (ValueError, RecursionError):
        return False


def _has_records(value: object) -> bool:
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return any(_has_records(each) or (isinstance(each, dict) and isinstance(value, list)) for each in inner)


# A footer is a few lines; a block of more lines of one cell is data that lost its other cells.
_MOST_FOOTER_LINES = 50


class WithoutFooter:
    """Another reader's records, where the lines of a report's footer are told apart from damaged records.

    Lines of one cell at the end are the footer from the first one that begins as the contract says that a footer's line
    does; and from a blank line before that, since the report's own name, which stands there, can be any text.
    """

    def __init__(self, reader: Reader, markers: Iterable[str]) -> None:
        self._reader = reader
        self._markers = tuple(marker.casefold() for marker in markers)
        self.blank = 0

    def __iter__(self) -> Iterator[Record]:
        held: list[tuple[Record, bool]] = []
        for record in self._reader:
            is_after_blank, self.blank = self._reader.blank > self.blank, self._reader.blank
            if _single_text(record) is None or len(held) > _MOST_FOOTER_LINES:
                yield from (each for each, _ in held)
                held = []
            if _single_text(record) is None:
                yield record
            else:
                held.append((record, is_after_blank))
        self.blank = self._reader.blank
        start = self._footer(held)
        for place, (record, _) in enumerate(held):
            yield record if place < start else Record(None, FOOTER, _single_text(record))

    def _footer(self, held: list[tuple[Record, bool]]) -> int:
        """Where among the last lines of one cell the footer begins."""
        marked = (
            place
            for place, (record, _) in enumerate(held)
            if str(_single_text(record)).casefold().startswith(self._markers)
        )
        first = next(marked, None)
        if first is None:
            return len(held)
        return next((place for place, (_, is_after_blank) in enumerate(held[:first]) if is_after_blank), first)


FOOTER = "footer"


def _single_text(record: Record) -> str | None:
    """The text of a line with one cell; None where it has more."""
    if record.cells is not None:
        texts = [cell for cell in record.cells if cell is not None and cell.strip()]
        return texts[0] if len(texts) == 1 and len(record.cells) > 1 else None
    if record.defect not in ("too_few_cells", "truncated") or record.raw is None:
        return None
    text = record.raw.strip().strip('"')
    return None if any(sign in text for sign in '";\t') else text
