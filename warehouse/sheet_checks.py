"""A workbook's parts, looked over before openpyxl reads them.

openpyxl passes over what it does not know, and over a row or a cell that stands before the one that it read last: such
a workbook would land with rows missing, so it is refused. The check shares no code with openpyxl.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from xml.parsers import expat

from warehouse.archives import DAMAGED
from warehouse.records import UnreadableError

# The most that a sheet holds (https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3).
MOST_ROWS = 1_048_576
MOST_SHEET_COLUMNS = 16_384
# openpyxl reads some 5 MB/s of a sheet; every other part it holds in memory.
MOST_SHEET_BYTES = 4_000_000_000
MOST_PART_BYTES = 500_000_000

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PIECE = 1 << 16
# ECMA-376, 18.3.1.4 and 18.18.11: what may stand in a cell, and what its type says that its value is.
_PARTS_OF_A_CELL = frozenset({"f", "v", "is", "extLst"})
_CELL_TYPES = frozenset({"b", "d", "e", "inlineStr", "n", "s", "str"})


@dataclass(frozen=True)
class Checked:
    """The parts of a workbook that are sheets, and whether some of them has a formula."""

    sheets: frozenset[str]
    has_formulas: bool


def check_parts(archive: zipfile.ZipFile) -> Checked:
    """Look over every part of a workbook.

    Raises:
        UnreadableError: a part is damaged, too large, or holds what openpyxl would pass over or choke on.
    """
    try:
        # A picture may well have a document type, and is not read.
        parts = [_checked(archive, info) for info in archive.infolist() if not info.filename.endswith(".svg")]
    except DAMAGED as error:
        raise unreadable_workbook(error) from error
    sheets = frozenset(part.name for part in parts if part.is_sheet)
    return Checked(sheets, any(part.has_formulas for part in parts))


def unreadable_workbook(error: object) -> UnreadableError:
    """What to say of a workbook that cannot be read."""
    return UnreadableError(f"the workbook cannot be read ({error}); save it again as .xlsx or CSV")


def _checked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Part:
    part = _Part(info)
    try:
        with archive.open(info) as file:
            while part.goes_on and (piece := file.read(_PIECE)):
                part.parser.Parse(piece)
            if part.is_sheet:
                part.parser.Parse(b"", True)
    except expat.ExpatError as error:
        # A picture is no XML; what openpyxl needs and cannot parse, it refuses itself.
        if part.is_sheet:
            raise unreadable_workbook(error) from error
    return part


class _Part:
    """One part: of a sheet every row and cell is looked at, of any other only what comes before its root's content."""

    def __init__(self, info: zipfile.ZipInfo) -> None:
        self.name = info.filename
        self._size = info.file_size
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype
        self.parser.StartElementHandler = self._begin
        self.goes_on = True
        self.is_sheet = False
        self.has_formulas = False
        self._depth = 0
        self._data_depth = 0
        self._row = 0
        self._column = 0
        self._type: str | None = None

    def _refuse_doctype(self, *_: object) -> None:
        # ECMA-376-2, 8.1.4 has none; with its entities a small part grows to fill the memory, or reads other files.
        raise unreadable_workbook(f"{self.name} has a document type declaration")

    def _begin(self, tag: str, _: Mapping[str, str]) -> None:
        """The root."""
        self.is_sheet = tag == f"{_MAIN} worksheet"
        self.goes_on = self.is_sheet
        if tag.endswith("worksheet") and not self.is_sheet:
            # Excel can save so: "Strict Open XML Spreadsheet".
            raise unreadable_workbook(f"{self.name} is of another variant of Open XML")
        most = MOST_SHEET_BYTES if self.is_sheet else MOST_PART_BYTES
        if self._size > most:
            raise unreadable_workbook(f"{self.name} has {self._size} bytes, more than {most}")
        self._depth = 1
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if not self._data_depth:
            self._data_depth = self._depth if tag == f"{_MAIN} sheetData" else 0
            if tag == f"{_MAIN} row":
                raise self._misplaced("a row outside sheetData", f"row {self._row}")
            return
        level = self._depth - self._data_depth
        if level == 1:
            self._check_row(tag, attributes)
        elif level == 2:
            self._check_cell(tag, attributes)
        elif level == 3 and self._type is not None:
            self._check_part_of_cell(tag)

    def _end(self, _: str) -> None:
        if self._depth == self._data_depth:
            self._data_depth = 0
        self._depth -= 1

    def _check_row(self, tag: str, attributes: Mapping[str, str]) -> None:
        number = attributes.get("r")
        row = _whole(number) if number else self._row + 1
        if tag != f"{_MAIN} row" or not self._row < row <= MOST_ROWS:
            raise self._misplaced(f"row {number or _local(tag)}", f"row {self._row}")
        self._row, self._column = row, 0

    def _check_cell(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == f"{_MAIN} extLst":
            self._type = None
            return
        place = attributes.get("r")
        column = _column(place.rstrip("0123456789")) if place else self._column + 1
        if tag != f"{_MAIN} c" or not self._column < column <= MOST_SHEET_COLUMNS:
            raise self._misplaced(f"cell {place or _local(tag)}", f"column {self._column} of row {self._row}")
        self._column = column
        self._type = attributes.get("t", "n")

    def _check_part_of_cell(self, tag: str) -> None:
        name = tag.removeprefix(f"{_MAIN} ")
        is_read = (name == "is") == (self._type == "inlineStr") or name not in ("is", "v")
        if name not in _PARTS_OF_A_CELL or self._type not in _CELL_TYPES or not is_read:
            raise self._misplaced(f"a {_local(tag)} of type {self._type}", f"column {self._column} of row {self._row}")
        self.has_formulas |= name == "f"

    def _misplaced(self, what: str, where: str) -> UnreadableError:
        return unreadable_workbook(f"{self.name} has {what} after {where}")


def _local(tag: str) -> str:
    """An element's name without its namespace."""
    return tag.rsplit(" ", 1)[-1]


def _whole(text: str) -> int:
    """The whole number that the text is, also when it is written as 3.0; 0 of any other text."""
    try:
        number = float(text)
    except ValueError:
        return 0
    return int(number) if number.is_integer() else 0


@cache
def _column(letters: str) -> int:
    """The place of a column by its letters, from 1; 0 of what names no column.

    >>> [_column(letters) for letters in ("A", "Z", "AA", "XFD", "a1", "")]
    [1, 26, 27, 16384, 0, 0]
    """
    if not letters.isascii() or not letters.isalpha() or len(letters) > 3:
        return 0
    place = 0
    for letter in letters.upper():
        place = 26 * place + ord(letter) - ord("A") + 1
    return place
