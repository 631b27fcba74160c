"""Workbooks: the rows of a sheet as text that reads back the same, each cell with the letter of its type."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl

from warehouse.archives import members, opened
from warehouse.records import Record
from warehouse.sheet_checks import check_parts, unreadable_workbook

# What a sheet shows where a formula failed (ECMA-376, 18.17.3); it is no value.
ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#GETTING_DATA", "#SPILL!"})


@dataclass(frozen=True)
class Sheet:
    """A sheet of an opened workbook: its values as they were saved, and where it has formulas, those as well.

    `most_characters` is more than its cells may hold: a million of them may share one long text.
    """

    title: str
    values: Any
    formulas: Any | None
    most_characters: int

    def rows(self) -> Iterator[tuple[tuple[str | None, str], ...]]:
        """Every row as (text, letter of its type); numbers so that they read back the same, dates as ISO 8601.

        A formula whose value the workbook does not hold gives its own text: to read it as empty would lose it.

        Raises:
            UnreadableError: the workbook cannot be read to its end.
        """
        characters = 0
        for row in self._cells():
            characters += sum(len(text) for text, _ in row if text)
            if characters > self.most_characters:
                raise unreadable_workbook(f"its cells hold more than limits.archive_bytes ({self.most_characters})")
            yield row

    def _cells(self) -> Iterator[tuple[tuple[str | None, str], ...]]:
        values = self.values.iter_rows(values_only=True)
        try:
            if self.formulas is None:
                for row in values:
                    yield tuple(map(_cell, row))
                return
            formulas = self.formulas.iter_rows(values_only=True)
            for row, texts in zip(values, formulas, strict=True):
                yield tuple(_cell(value, formula) for value, formula in zip(row, texts, strict=True))
        except Exception as error:  # openpyxl raises whatever its XML and ZIP parsers raise
            raise unreadable_workbook(error) from error

    def head(self, rows: int) -> list[tuple[str, ...]]:
        """The first `rows` rows (more while all are blank), without the phantom columns that sheets carry."""
        found: list[tuple[str, ...]] = []
        for row in self.rows():
            width = max((number for number, (text, _) in enumerate(row, start=1) if text), default=0)
            found.append(tuple(text or "" for text, _ in row[:width]))
            if len(found) >= rows and any(found):
                break
        return found


class SheetReader:
    """The rows of a workbook's sheet below its header; blank ones, which sheets carry by the thousand, apart."""

    def __init__(self, sheet: Sheet, skip: int, width: int) -> None:
        self._sheet = sheet
        self._skip = skip
        self._width = width
        self.blank = 0

    def __iter__(self) -> Iterator[Record]:
        has_header = False
        for place, row in enumerate(self._sheet.rows()):
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


@contextmanager
def filled_sheets(path: Path, most_bytes: int) -> Iterator[list[Sheet]]:
    """The workbook's sheets that hold anything, each with a title of its own, while the workbook is open.

    Raises:
        UnreadableError: the workbook is damaged, or a sheet of it cannot be read to its first cell.
        RefusedArchiveError: it unpacks to more than `most_bytes`.
    """
    # A workbook is an archive: it is not unpacked before its size is known.
    with opened(path) as archive:
        members(archive, most_bytes)
        checked = check_parts(archive)
    with ExitStack() as open_files:
        values = _worksheets(path, open_files, values=True)
        # openpyxl passes over a sheet that the workbook does not name.
        unnamed = checked.sheets - {sheet._worksheet_path for sheet in values}
        if unnamed:
            raise unreadable_workbook(f"it does not name its sheet {min(unnamed)}")
        formulas = _worksheets(path, open_files, values=False) if checked.has_formulas else [None] * len(values)
        sheets: dict[str, Sheet] = {}
        for place, (sheet, written) in enumerate(zip(values, formulas, strict=True)):
            # Excel allows no title twice, a program that writes workbooks may: each sheet is landed by its title.
            title = sheet.title if sheet.title not in sheets else f"{sheet.title} ({place + 1})"
            found = Sheet(title, sheet, written, most_bytes)
            # What no menu can show is a program's own: Dynamics keeps the choices of its drop-down lists there.
            if sheet.sheet_state != "veryHidden" and any(text for row in found.rows() for text, _ in row):
                sheets[title] = found
        yield list(sheets.values())


def _worksheets(path: Path, open_files: ExitStack, *, values: bool) -> list[Any]:
    # From an open file: openpyxl refuses a path that does not end in .xlsx, whatever is in the file.
    file = open_files.enter_context(path.open("rb"))
    try:
        # Links to other workbooks are not followed: what a cell shows is the value that was saved in it.
        book = openpyxl.load_workbook(file, read_only=True, data_only=values, keep_links=False)
    except Exception as error:  # openpyxl raises whatever its XML and ZIP parsers raise
        raise unreadable_workbook(error) from error
    open_files.callback(book.close)
    for sheet in book.worksheets:
        # What a sheet says of its size is often wrong, and openpyxl would read no row or column beyond it.
        sheet.reset_dimensions()
    return list(book.worksheets)


def _cell(value: object, formula: object = None) -> tuple[str | None, str]:
    """The cell's text and the letter of its type."""
    if value is None or value == "":
        # A formula of several cells is an object that has its text.
        text = getattr(formula, "text", formula)
        return (text, "f") if isinstance(text, str) and text.startswith("=") else (None, "s")
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
