"""What a workbook may not hold, because openpyxl would pass over it in silence or never come to an end."""

from __future__ import annotations

import io
import re
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.warehouse.inboxes import Inbox, workbook, zipped
from warehouse import sheet_checks
from warehouse.archives import RefusedArchiveError, opened
from warehouse.records import UnreadableError
from warehouse.sheet_checks import check_parts
from warehouse.sheets import Sheet, filled_sheets

SHEET = "xl/worksheets/sheet1.xml"
ROWS = [["Ticket ID", "Subject", "Status"], ["1", "a", "open"], ["2", "b", "open"], ["3", "c", "open"]]
BOOK = workbook(ROWS)


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path)


def edited(book: bytes, change: Callable[[str], str], part: str = SHEET) -> bytes:
    source = zipfile.ZipFile(io.BytesIO(book))
    contents = {name: source.read(name) for name in source.namelist()}
    contents[part] = change(contents[part].decode()).encode()
    return zipped(contents)


def replaced(old: str, new: str) -> bytes:
    def change(xml: str) -> str:
        assert old in xml
        return xml.replace(old, new)

    return edited(BOOK, change)


# What the sheet's XML has instead of what -> words of the message.
REFUSED = {
    "a row twice": ('<row r="3"', '<row r="2"', "has row 2 after row 2"),
    "rows out of order": ('<row r="3"', '<row r="9"', "has row 4 after row 9"),
    "a row beyond the last": ('<row r="4"', '<row r="99999999999"', "has row 99999999999 after row 3"),
    "a row without a number": ('<row r="4"', '<row r="x"', "has row x after row 3"),
    "cells out of order": ('<c r="A3"', '<c r="D3"', "has cell B3 after column 4 of row 3"),
    "a cell beyond the last": ('<c r="C3"', '<c r="XFE3"', "has cell XFE3 after column 2 of row 3"),
    "a cell of no column": ('<c r="C3"', '<c r="ÅÄ3"', "has cell ÅÄ3 after column 2 of row 3"),
    "no cell": ('<c r="A3" t="inlineStr"><is><t>2</t></is></c>', "<x/>", "x after column 0 of row 3"),
    "an unknown type": ('<c r="A3" t="inlineStr">', '<c r="A3" t="text">', "has a is of type text"),
    "a text under another type": ('<c r="A3" t="inlineStr">', '<c r="A3" t="s">', "has a is of type s"),
    "a value beside its type": ("<is><t>2</t></is>", "<v>2</v>", "has a v of type inlineStr"),
    "rows elsewhere": ("<sheetData>", '<row r="1"/><sheetData>', "has a row outside sheetData"),
    "a document type": ("<worksheet ", "<!DOCTYPE x><worksheet ", "has a document type declaration"),
    "no end": ("</sheetData>", "", "has row pageMargins after row 4"),
    "no name of its kind": (' xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"', "", "is of another variant"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_sheet_that_would_be_read_in_part_is_refused(inbox: Inbox, case: str) -> None:
    old, new, words = REFUSED[case]
    inbox.drop("t.xlsx", replaced(old, new))
    landed = inbox.land_one()
    assert (landed.status, inbox.lake_paths()) == ("unreadable", [])
    assert words in landed.message
    assert "save it again as .xlsx or CSV" in landed.message


def test_a_strict_workbook_is_refused_and_not_taken_for_an_empty_one(inbox: Inbox) -> None:
    transitional, strict = sheet_checks._MAIN, "http://purl.oclc.org/ooxml/spreadsheetml/main"
    inbox.drop("t.xlsx", replaced(transitional, strict))
    assert "another variant of Open XML" in inbox.land_one().message


def test_a_sheet_that_the_workbook_does_not_name_is_told_of(inbox: Inbox) -> None:
    book = workbook(ROWS, ROWS)
    inbox.drop("t.xlsx", edited(book, lambda xml: re.sub(r"<sheet [^>]*Sheet1[^>]*>", "", xml), "xl/workbook.xml"))
    assert f"does not name its sheet {SHEET.replace('1', '2')}" in inbox.land_one().message


# What is odd in a sheet and means what it says.
ODD = {
    "a size that is wrong": ('<dimension ref="A1:C4" />', '<dimension ref="A1:B2" />'),
    "a size that is huge": ('<dimension ref="A1:C4" />', '<dimension ref="A1:XFD1048576" />'),
    "no size": ('<dimension ref="A1:C4" />', ""),
    "numbers with a point": ('<row r="3"', '<row r="3.0"'),
    "cells without a place": ('<c r="C3"', "<c"),
    "rows without a number": ('<row r="3"', "<row"),
    "notes of a program": ("</row><row r=\"3\"", '<extLst><ext uri="x"><y/></ext></extLst></row><row r="3"'),
}  # fmt: skip


@pytest.mark.parametrize("case", ODD)
def test_an_odd_sheet_is_read_whole(inbox: Inbox, case: str) -> None:
    inbox.drop("t.xlsx", replaced(*ODD[case]))
    assert inbox.land_one().status == "landed"
    assert inbox.rows() == [("1", "a", "open"), ("2", "b", "open"), ("3", "c", "open")]


def test_names_with_a_prefix_are_read_like_those_without_also_where_formulas_are(inbox: Inbox) -> None:
    book = workbook([ROWS[0], ["1", "=A1&B1", "open"]])

    def prefixed(xml: str) -> str:
        return re.sub(r"<(/?)(?=[a-zA-Z])", r"<\1x:", xml).replace("xmlns=", "xmlns:x=")

    inbox.drop("t.xlsx", edited(book, prefixed))
    assert inbox.land_one().status == "landed"
    assert inbox.rows() == [("1", "=A1&B1", "open")]


def test_two_sheets_of_one_title_are_two_files(inbox: Inbox) -> None:
    book = workbook(ROWS, [ROWS[0], ["9", "z", "open"]])
    inbox.drop("t.xlsx", edited(book, lambda xml: xml.replace('name="Sheet1"', 'name="Sheet"'), "xl/workbook.xml"))
    assert [(file.member, file.rows_in) for file in inbox.land()] == [("Sheet", 3), ("Sheet (2)", 1)]
    assert len(inbox.lake_paths()) == 2


def test_a_formula_of_several_cells_whose_value_was_not_saved_gives_its_text(inbox: Inbox) -> None:
    array = '<c r="B3"><f t="array" ref="B3:B4">SUM(A1:A2)</f></c>'
    inbox.drop("t.xlsx", replaced('<c r="B3" t="inlineStr"><is><t>b</t></is></c>', array))
    assert inbox.land_one().status == "landed"
    assert inbox.rows()[1] == ("2", "=SUM(A1:A2)", "open")


def test_a_workbook_of_many_sheets_is_opened_once(inbox: Inbox) -> None:
    inbox.drop("t.xlsx", workbook(*[[ROWS[0], [f"{number}", "a", "open"]] for number in range(120)]))
    started = time.monotonic()
    assert [file.status for file in inbox.land()] == ["landed"] * 120
    assert time.monotonic() - started < 30


def test_parts_too_large_for_memory_are_refused_before_they_are_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "t.xlsx"
    path.write_bytes(BOOK)
    with opened(path) as archive:
        assert check_parts(archive).sheets == {SHEET}
        monkeypatch.setattr(sheet_checks, "MOST_PART_BYTES", 100)
        with pytest.raises(UnreadableError, match="bytes, more than 100"):
            check_parts(archive)


def test_a_text_that_a_million_cells_share_is_not_written_a_million_times(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    path.write_bytes(BOOK)
    with filled_sheets(path, 100_000) as (sheet,):
        bomb = Sheet(sheet.title, sheet.values, sheet.formulas, 30)
        with pytest.raises(UnreadableError, match=r"its cells hold more than limits.archive_bytes \(30\)"):
            list(bomb.rows())


def test_a_part_whose_bytes_are_damaged_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    content = zipped({"xl/workbook.xml": "<workbook/>", SHEET: "<worksheet>" + "x" * 99}, zipfile.ZIP_STORED)
    path.write_bytes(content.replace(b"xxxxx", b"yyyyy", 1))
    with pytest.raises((UnreadableError, RefusedArchiveError), match="save it again"), filled_sheets(path, 10**9):
        pass
