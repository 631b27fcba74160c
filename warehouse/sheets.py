"""Workbooks: the rows of a sheet as text that reads back the same, each cell with the letter of its type."""

from __future__ import annotations

import datetime as dt
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import openpyxl

from warehouse.records import Record, UnreadableError

# What a sheet shows where a formula failed (ECMA-376, 18.17.3); it is no value.
ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#GETTING_DATA", "#SPILL!"})


class SheetReader:
    """The rows of a workbook's sheet below its header; blank ones, which sheets carry by the thousand, apart."""

    def __init__(self, path: Path, skip: int, width: int, sheet: int = 0) -> None:
        self._path = path
        self._skip = skip
        self._width = width
        self._sheet = sheet
        self.blank = 0

    def __iter__(self) -> Iterator[Record]:
        has_header = False
        for place, row in enumerate(sheet_rows(self._path, self._sheet)):
            if place < self._skip:
                continue
            texts = [text for text, _ in row]
            if not any(texts):
                self.blank += int(has_header)
            elif not has_header:
                has_header = True
            elif any(texts[self._width :]):
                yield Record(None, "too_many_cells", json.dumps(texts, ensure_ascii=False))
            else:
                missing = self._width - len(row)
                types = "".join(kind for _, kind in row[: self._width])
                yield Record((*texts[: self._width], *([None] * missing)), types=types + "s" * missing)


def sheet_head(path: Path, sheet: int, rows: int) -> list[tuple[str, ...]]:
    """The sheet's first `rows` rows (more while all are blank), without the phantom columns that sheets carry."""
    found: list[tuple[str, ...]] = []
    for row in sheet_rows(path, sheet):
        width = max((number for number, (text, _) in enumerate(row, start=1) if text), default=0)
        found.append(tuple(text or "" for text, _ in row[:width]))
        if len(found) >= rows and any(found):
            break
    return found


def sheet_rows(path: Path, sheet: int = 0) -> Iterator[tuple[tuple[str | None, str], ...]]:
    """Every row of a sheet as (text, letter of its type); numbers so that they read back the same, dates as ISO 8601.

    A formula whose value the workbook does not hold gives its own text: to read it as empty would lose it.

    Raises:
        UnreadableError: the workbook cannot be opened or read to its end.
    """
    if not _has_formulas(path):
        with _workbook(path) as book:
            for row in book.worksheets[sheet].iter_rows(values_only=True):
                yield tuple(map(_cell, row))
        return
    with _workbook(path) as book, _workbook(path, values=False) as written:
        values = book.worksheets[sheet].iter_rows(values_only=True)
        formulas = written.worksheets[sheet].iter_rows(values_only=True)
        for row, texts in zip(values, formulas, strict=True):
            yield tuple(_cell(value, formula) for value, formula in zip(row, texts, strict=True))


def filled_sheets(path: Path) -> list[tuple[int, str]]:
    """Place and title of the workbook's sheets that hold anything; raises as `sheet_rows` does."""
    with _workbook(path) as book:
        return [
            (place, sheet.title)
            for place, sheet in enumerate(book.worksheets)
            # What no menu can show is a program's own: Dynamics keeps the choices of its drop-down lists there.
            if sheet.sheet_state != "veryHidden"
            and any(cell not in (None, "") for row in sheet.iter_rows(values_only=True) for cell in row)
        ]


def _has_formulas(path: Path) -> bool:
    """Whether some sheet of the workbook has a formula: an element `f` (ECMA-376, 18.3.1.40)."""
    try:
        with zipfile.ZipFile(path) as archive:
            sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
            return any(_holds(archive, name) for name in sheets)
    except _BAD_ZIP as error:
        raise _unreadable_workbook(error) from error


def _holds(archive: zipfile.ZipFile, name: str) -> bool:
    with archive.open(name) as part:
        before = b""
        while piece := part.read(1 << 20):
            if _FORMULA.search(before + piece):
                return True
            before = piece[-3:]
    return False


_FORMULA = re.compile(rb"<f[ >/]")
_BAD_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


@contextmanager
def _workbook(path: Path, *, values: bool = True) -> Iterator[openpyxl.Workbook]:
    # From an open file: openpyxl refuses a path that does not end in .xlsx, whatever is in the file.
    with path.open("rb") as file:
        try:
            # Links to other workbooks are not followed: what a cell shows is the value that was saved in it.
            book = openpyxl.load_workbook(file, read_only=True, data_only=values, keep_links=False)
            yield book
            book.close()
        except Exception as error:  # openpyxl raises whatever its XML and ZIP parsers raise
            raise _unreadable_workbook(error) from error


def _unreadable_workbook(error: Exception) -> UnreadableError:
    return UnreadableError(f"the workbook cannot be read ({error}); save it again as .xlsx or CSV")


def _cell(value: object, formula: object = None) -> tuple[str | None, str]:
    """The cell's text and the letter of its type."""
    if value is None or value == "":
        return (formula, "f") if isinstance(formula, str) and formula.startswith("=") else (None, "s")
    if isinstance(value, bool):
        return str(value).lower(), "b"
    if isinstance(value, float):
        # Beyond 15 digits a sheet holds no whole number: the exponent stays, so that a ruined id shows as one.
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value).upper(), "n"
    if isinstance(value, int):
        return str(value), "n"
    if isinstance(value, dt.timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}", "s"
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat().removesuffix("T00:00:00"), "d"
    if value in ERRORS:
        return str(value), "e"
    return str(value.isoformat() if isinstance(value, dt.time) else value), "s"
