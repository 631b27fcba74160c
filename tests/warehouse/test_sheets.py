"""Workbooks, one rule each."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.warehouse.inboxes import workbook
from warehouse.archives import RefusedArchiveError
from warehouse.records import Record, UnreadableError
from warehouse.sheets import SheetReader, filled_sheets


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


def texts(path: Path, sheet: int = 0) -> list[tuple[str | None, ...]]:
    with filled_sheets(path, 10**9) as sheets:
        return [tuple(text for text, _ in row) for row in sheets[sheet].rows()]


def types(path: Path) -> list[str]:
    with filled_sheets(path, 10**9) as sheets:
        return ["".join(kind for _, kind in row) for row in sheets[0].rows()]


def titles(path: Path) -> list[str]:
    with filled_sheets(path, 10**9) as sheets:
        return [sheet.title for sheet in sheets]


def test_cells_of_a_sheet_become_text_that_reads_back_the_same(path: Path) -> None:
    cells = [1, 2.0, 0.1, 1e-7, 123456789012345, 1.5e16, True, "", dt.date(2026, 1, 31), dt.time(9, 30), "#N/A"]
    path.write_bytes(workbook([cells]))
    assert texts(path) == [
        ("1", "2", "0.1", "1E-07", "123456789012345", "1.5E+16", "true", None, "2026-01-31", "09:30:00", "#N/A")
    ]
    assert types(path) == ["nnnnnnbsdse"]


def test_a_time_that_has_run_is_hours_and_minutes_also_beyond_a_day(path: Path) -> None:
    path.write_bytes(workbook([[dt.timedelta(hours=30, minutes=5)]]))
    assert texts(path) == [("30:05:00",)]


def test_a_formula_whose_value_was_not_saved_gives_its_text_and_not_an_empty_cell(path: Path) -> None:
    path.write_bytes(workbook([["a", "b"], [1, "=A2*2"], [2, None]]))
    assert texts(path) == [("a", "b"), ("1", "=A2*2"), ("2",)]
    assert types(path) == ["ss", "nf", "n"]


def test_a_link_to_another_workbook_is_not_followed(path: Path) -> None:
    path.write_bytes(workbook([["a"], ["=[1]Sheet1!$A$1"], ["='/etc/[passwd]x'!A1"]]))
    assert texts(path) == [("a",), ("=[1]Sheet1!$A$1",), ("='/etc/[passwd]x'!A1",)]


def test_a_sheet_is_read_below_its_title_and_header_without_phantom_columns(path: Path) -> None:
    path.write_bytes(
        workbook([["Title", None, None, "x"], ["a", "b", None], [1], [None], [2, 3, None], [4, 5, 6]], [["z"]])
    )
    with filled_sheets(path, 10**9) as (sheet, _):
        assert sheet.head(2) == [("Title", "", "", "x"), ("a", "b")]
        reader = SheetReader(sheet, 1, 2)
        assert list(reader) == [
            Record(("1", None), types="ns"),
            Record(("2", "3"), types="nn"),
            Record(None, "too_many_cells", '["4", "5", "6"]'),
        ]
        assert reader.blank == 1


def test_every_sheet_that_holds_anything_is_named(path: Path) -> None:
    path.write_bytes(workbook([["a"]], [], [[None, ""]], [["z"]]))
    assert titles(path) == ["Sheet", "Sheet3"]
    assert texts(path, 1) == [("z",)]


def test_hidden_rows_and_sheets_are_read_like_the_others(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(["a"])
    sheet.append(["hidden"])
    sheet.row_dimensions[2].hidden = True
    other = book.create_sheet("Away")
    other.append(["b"])
    other.sheet_state = "hidden"
    buffer = io.BytesIO()
    book.save(buffer)
    path.write_bytes(buffer.getvalue())
    assert texts(path) == [("a",), ("hidden",)]
    assert titles(path) == ["Sheet", "Away"]


@pytest.mark.parametrize("content", [b"PK\x03\x04 and nothing more", b"", b"<xml/>"])
def test_a_workbook_that_cannot_be_opened_says_what_to_do(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises((UnreadableError, RefusedArchiveError), match=r"save it again|export it again"):
        texts(path)
