"""Counting and careful reading of records, independent of the engine that lands them quickly.

The quick reader is checked against the counts made here; a file that it refuses, or counts otherwise, is read again
record by record: good records are kept, a bad one keeps its text and gets the name of its defect.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openpyxl

from warehouse.contracts import Dialect

csv.field_size_limit(sys.maxsize)

CHUNK = 1 << 22
# A record of more lines than this is a quote that nobody closed, not a long text.
MOST_LINES_OF_A_RECORD = 10_000
_UNDECODABLE = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True)
class Fingerprint:
    """What is known of a file's bytes before anything reads its meaning."""

    sha256: str
    bytes: int
    records: int
    blank: int


@dataclass(frozen=True)
class Record:
    """One record of a file: its cells, or the defect that kept it from being split into cells, and its text."""

    cells: tuple[str | None, ...] | None
    defect: str | None = None
    raw: str | None = None


def fingerprint(path: Path, quote: str | None) -> Fingerprint:
    """Hash the file and count its records in one streaming pass.

    A record ends with a line feed (or a lone carriage return) outside quotes; `quote` None counts plain lines. A line
    with nothing on it is blank, no record.
    """
    digest = hashlib.sha256()
    counter = _RecordCounter(ord(quote) if quote else None, _ends_with_carriage_return(path))
    size = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            counter.add(np.frombuffer(chunk, dtype=np.uint8))
            size += len(chunk)
    records, blank = counter.total()
    return Fingerprint(digest.hexdigest(), size, records, blank)


def _ends_with_carriage_return(path: Path) -> bool:
    """Whether lines end with a lone carriage return (old Macintosh files): there is one, and no line feed, at the start."""
    with path.open("rb") as file:
        head = file.read(1 << 16)
    return b"\n" not in head and b"\r" in head


class _RecordCounter:
    """Counts line ends outside quotes: those where the number of quotes before is even (a doubled quote counts twice)."""

    def __init__(self, quote: int | None, carriage_return: bool) -> None:
        self._quote = quote
        self._end = 13 if carriage_return else 10
        self._odd = 0
        self._ends = 0
        self._blank = 0
        # The bytes of the open line, as far as they tell whether it is blank.
        self._line_has_text = False
        self._started = False

    def add(self, chunk: np.ndarray) -> None:
        if not self._started and chunk[:3].tobytes() == b"\xef\xbb\xbf":
            chunk = chunk[3:]
        self._started = True
        if not len(chunk):
            return
        ends = np.flatnonzero(chunk == self._end)
        if self._quote is not None:
            # uint8 wraps at 256, which is even: parity survives.
            odd = (np.cumsum(chunk == self._quote, dtype=np.uint8) + np.uint8(self._odd)) & 1
            ends = ends[odd[ends] == 0]
            self._odd = int(odd[-1])
        self._count_lines(chunk, ends)

    def _count_lines(self, chunk: np.ndarray, ends: np.ndarray) -> None:
        if not len(ends):
            self._line_has_text |= self._has_text(chunk)
            return
        starts = np.concatenate(([0], ends[:-1] + 1))
        lengths = ends - starts
        # A carriage return before the line feed belongs to the line end.
        returned = (lengths > 0) & (chunk[np.maximum(ends - 1, 0)] == 13)
        texts = (lengths - returned) > 0
        first = bool(texts[0]) or self._line_has_text
        with_text = int(texts[1:].sum()) + int(first)
        self._ends += with_text
        self._blank += len(ends) - with_text
        self._line_has_text = self._has_text(chunk[ends[-1] + 1 :])

    @staticmethod
    def _has_text(piece: np.ndarray) -> bool:
        return bool(len(piece)) and not bool(np.all(piece == 13))

    def total(self) -> tuple[int, int]:
        """(records, blank lines); a last line needs no line end."""
        return self._ends + int(self._line_has_text), self._blank


def csv_records(path: Path, dialect: Dialect, width: int) -> Iterator[Record]:
    """The records of a CSV file after its header, each of `width` cells or with its defect; blank lines left out."""
    with path.open("r", encoding=_with_bom(dialect.encoding), errors="surrogateescape", newline="") as file:
        lines = _Lines(file)
        for _ in range(dialect.skip):
            next(lines, None)
        reader = csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quote, doublequote=True, strict=True)
        next(reader, None)
        while True:
            lines.begin_record()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield _broken(lines)
                continue
            if cells:
                yield _checked(cells, width, lines.text())


def _with_bom(encoding: str) -> str:
    """The codec that also drops a byte-order mark."""
    return "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding


class _Lines:
    """Physical lines that remember those of the open record, so that a broken record can give them back."""

    def __init__(self, file: io.TextIOBase) -> None:
        self._file = file
        self._returned: deque[str] = deque()
        self._open: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self._open) >= MOST_LINES_OF_A_RECORD:
            raise csv.Error("a quote is never closed")
        line = self._returned.popleft() if self._returned else next(self._file)
        self._open.append(line)
        return line

    def begin_record(self) -> None:
        self._open = []

    def text(self) -> str:
        return "".join(self._open)

    def give_back_all_but_first(self) -> str:
        first, *rest = self._open
        self._returned.extendleft(reversed(rest))
        return first


def _broken(lines: _Lines) -> Record:
    """A record whose quotes do not close: its first line is the defect, the lines after it are read anew."""
    spans_lines = lines.text().count("\n") > 1
    raw = lines.give_back_all_but_first()
    return Record(None, "unclosed_quote" if spans_lines else "malformed_quotes", _readable(raw.rstrip("\r\n")))


def _checked(cells: list[str], width: int, raw: str) -> Record:
    text = _readable(raw.rstrip("\r\n"))
    if _UNDECODABLE.search(raw):
        return Record(None, "undecodable", text)
    if len(cells) > width:
        return Record(None, "too_many_cells", text)
    if len(cells) < width:
        return Record(None, "too_few_cells", text)
    return Record(tuple(cell or None for cell in cells))


def _readable(text: str) -> str:
    r"""The text with undecodable bytes written as \xNN."""
    return _UNDECODABLE.sub(lambda found: f"\\x{ord(found.group()) - 0xDC00:02x}", text)


def json_lines(path: Path) -> Iterator[Record]:
    """The records of an NDJSON file: each line that is a JSON object as one cell; blank lines left out."""
    with path.open("r", encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
        for line in file:
            text = line.strip()
            if text:
                yield _json_record(text)


def _json_record(text: str) -> Record:
    if _UNDECODABLE.search(text):
        return Record(None, "undecodable", _readable(text))
    try:
        found = json.loads(text)
    except ValueError:
        return Record(None, "malformed_json", text)
    return Record((text,)) if isinstance(found, dict) else Record(None, "not_an_object", text)


def json_list(path: Path) -> Iterator[Record]:
    """The objects of a JSON list that breaks off or is damaged, as far as they can be read; then the rest as one defect.

    The file is read in pieces; no more than one element is held at a time.
    """
    decoder = json.JSONDecoder()
    with path.open("r", encoding="utf-8-sig", errors="backslashreplace") as file:
        buffer = file.read(CHUNK).lstrip().removeprefix("[")
        while True:
            buffer = buffer.lstrip().removeprefix(",").lstrip()
            if buffer.startswith("]"):
                return
            try:
                found, end = decoder.raw_decode(buffer)
            except ValueError:
                more = file.read(CHUNK)
                if not more:
                    if buffer:
                        yield Record(None, "truncated", buffer)
                    return
                buffer += more
                continue
            text = buffer[:end]
            buffer = buffer[end:]
            yield Record((text,)) if isinstance(found, dict) else Record(None, "not_an_object", text)


def sheet_rows(path: Path) -> Iterator[tuple[str | None, ...]]:
    """Every row of the first sheet as text; numbers so that they read back the same, dates as ISO 8601.

    Raises:
        ValueError: the workbook cannot be opened.
    """
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    except Exception as error:  # noqa: BLE001 (openpyxl raises whatever its XML and ZIP parsers raise)
        raise ValueError(f"the workbook cannot be opened: {error}") from error
    try:
        for row in book.worksheets[0].iter_rows(values_only=True):
            yield tuple(_cell_text(value) for value in row)
    finally:
        book.close()


def _cell_text(value: object) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).replace("T00:00:00", "")
    return str(value)
