"""Files made to break a reader: each lands whole, or is refused with its reason, and reaches for nothing outside."""

from __future__ import annotations

import csv
import io
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lake import staged
from tests.warehouse.inboxes import Inbox, workbook, zipped
from warehouse.landing import LandedFile

HEADER = "Ticket ID,Subject,Status\n"


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path)


def books(inbox: Inbox, landed: list[LandedFile]) -> list[tuple[int, int, int, int]]:
    """(in, loaded, quarantined, ignored) of each landed file."""
    return (
        staged(inbox.project, *inbox.contracts.values(), landed=landed)
        .execute(
            "select rows_in, rows_loaded, rows_quarantined, rows_ignored from audit.file where status = 'landed' "
            "order by name"
        )
        .fetchall()
    )


def rewritten(book: bytes, **parts: str) -> bytes:
    """The workbook with parts replaced or added: `xl_worksheets_sheet1` is xl/worksheets/sheet1.xml."""
    source = zipfile.ZipFile(io.BytesIO(book))
    contents = {info.filename: source.read(info) for info in source.infolist()}
    contents |= {name.replace("_", "/") + ".xml": text.encode() for name, text in parts.items()}
    return zipped(contents)


class TestSizes:
    @pytest.mark.parametrize("form", ["csv", "json"])
    def test_a_cell_of_50_mb_lands_whole(self, inbox: Inbox, form: str) -> None:
        text = "x" * 50_000_000
        if form == "csv":
            inbox.drop("t.csv", f"{HEADER}1,{text},open\n2,short,open\n")
            column = inbox.land_one() and inbox.table()["Subject"]
        else:
            inbox.drop("t.ndjson", f'{{"ticket":{{"id":1,"subject":"{text}"}}}}\n{{"ticket":{{"id":2}}}}\n')
            column = inbox.land_one() and inbox.table()["record"]
        assert len(column[0].as_py()) >= 50_000_000
        assert len(column) == 2

    def test_5000_columns_many_of_which_differ_by_case_alone_are_kept(self, inbox: Inbox) -> None:
        headers = [
            "Ticket ID",
            "Subject",
            "Status",
            *(f"Field {n}" for n in range(3000)),
            *(f"field {n}" for n in range(1997)),
        ]
        cells = ["1", "a", "open", *(str(n) for n in range(4997))]
        text = io.StringIO()
        csv.writer(text).writerows([headers, cells])
        inbox.drop("t.csv", text.getvalue())
        landed = inbox.land_one()
        table = inbox.table()
        assert (landed.status, landed.rows_in) == ("landed", 1)
        assert json.loads(table["Field 7"][0].as_py()) == ["7", "3007"]
        assert table["Field 2999"][0].as_py() == "2999"
        assert books(inbox, [landed]) == [(1, 1, 0, 0)]

    def test_a_jira_header_of_2261_columns_folds_its_repetitions(self, inbox: Inbox) -> None:
        headers = ["Ticket ID", "Subject", *["Comment"] * 1200, "Status", *["Watchers"] * 1058]
        cells = ["1", "a", *(f"c{n}" for n in range(1200)), "open", *(f"w{n}" for n in range(1058))]
        inbox.drop("t.csv", ",".join(headers) + "\n" + ",".join(cells) + "\n")
        assert inbox.land_one().status == "landed"
        assert json.loads(inbox.table()["Comment"][0].as_py()) == cells[2:1202]
        assert json.loads(inbox.table()["Watchers"][0].as_py()) == cells[1203:]

    def test_a_json_number_of_ten_thousand_digits_is_kept_as_it_is(self, inbox: Inbox) -> None:
        number = "7" * 10_000
        inbox.drop("t.ndjson", f'{{"ticket":{{"id":1,"subject":{number}}}}}\n')
        assert inbox.land_one().status == "landed"
        assert number in inbox.table()["record"][0].as_py()

    def test_a_hundred_thousand_brackets_end_in_a_defect_and_no_crash(self, inbox: Inbox) -> None:
        inbox.drop("t.ndjson", '{"ticket":{"id":1}}\n{"ticket":' + "[" * 100_000 + "\n" + '{"ticket":{"id":2}}\n')
        landed = inbox.land_one()
        assert (landed.status, landed.rows_in) == ("landed", 3)
        ((rule, raw),) = inbox.defects()
        assert rule == "malformed_json"
        assert raw.count("[") == 100_000


class TestTexts:
    def test_lines_in_two_encodings_are_read_where_they_fit_and_quarantined_where_not(self, inbox: Inbox) -> None:
        lines = [f"{n},x,open\n".encode() for n in range(40)]
        inbox.drop(
            "t.csv", HEADER.encode() + "98,Ærø,open\n".encode() + "99,Ærø,open\n".encode("cp1252") + b"".join(lines)
        )
        landed = inbox.land_one()
        assert landed.rows_in == 42
        assert inbox.defects() == [("undecodable", "99,\\xc6r\\xf8,open")]
        assert ("98", "Ærø", "open") in [row[:3] for row in inbox.rows()]

    def test_nul_bytes_cost_their_record_alone(self, inbox: Inbox) -> None:
        inbox.drop("t.csv", f"{HEADER}1,a,open\n2,\0\0,open\n3,c,open\n")
        landed = inbox.land_one()
        assert books(inbox, [landed]) == [(3, 2, 1, 0)]

    def test_formulas_in_a_csv_are_text_and_stay_as_they_came(self, inbox: Inbox) -> None:
        text = '=HYPERLINK("http://x.example";"y")'
        inbox.drop("t.csv", f'{HEADER}1,"{text.replace(chr(34), chr(34) * 2)}",open\n2,@SUM(A1),+1\n')
        inbox.land()
        assert [row[1] for row in inbox.rows()] == [text, "@SUM(A1)"]

    @pytest.mark.parametrize(
        "name", ["a'b;--.csv", "a*b[c].csv", "æ\nø.csv", "=1+1.csv", "%s{x}.csv", "n" * 200 + ".csv"]
    )
    def test_a_files_name_is_only_a_name(self, inbox: Inbox, name: str) -> None:
        inbox.drop(name, f"{HEADER}1,a,open\n")
        inbox.drop("other.csv", f"{HEADER}2,b,open\n")
        landed = inbox.land()
        assert [file.status for file in landed] == ["landed", "landed"]
        assert books(inbox, landed) == [(1, 1, 0, 0), (1, 1, 0, 0)]


class TestArchives:
    def test_members_of_one_name_are_each_taken(self, inbox: Inbox) -> None:
        buffer = io.BytesIO()
        with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("t.csv", f"{HEADER}1,a,open\n")
            archive.writestr("t.csv", f"{HEADER}2,b,open\n")
        inbox.drop("two.zip", buffer.getvalue())
        landed = inbox.land()
        assert [file.status for file in landed] == ["landed", "landed"]
        assert books(inbox, landed) == [(1, 1, 0, 0), (1, 1, 0, 0)]

    def test_a_link_in_an_archive_is_a_small_text_and_leads_nowhere(self, inbox: Inbox, tmp_path: Path) -> None:
        secret = tmp_path / "secret.csv"
        secret.write_text(f"{HEADER}1,secret,open\n")
        link = zipfile.ZipInfo("t.csv")
        link.external_attr = 0o120777 << 16
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(link, str(secret))
        inbox.drop("link.zip", buffer.getvalue())
        (landed,) = inbox.land()
        assert landed.status in ("unrecognised", "unreadable")
        assert inbox.lake_paths() == []

    def test_an_archive_whose_members_share_their_bytes_is_refused(self, inbox: Inbox) -> None:
        good = zipped({"a.csv": HEADER + "1,a,open\n" * 10_000}, zipfile.ZIP_STORED)
        entry = good[good.index(b"PK\x01\x02") : good.index(b"PK\x05\x06")]
        end = bytearray(good[good.index(b"PK\x05\x06") :])
        count = 50
        end[8:12] = count.to_bytes(2, "little") * 2
        end[12:16] = (len(entry) * count).to_bytes(4, "little")
        inbox.drop("bomb.zip", good[: good.index(b"PK\x01\x02")] + entry * count + bytes(end))
        (landed,) = inbox.land()
        assert landed.status == "unreadable"
        assert "share their bytes" in landed.message


class TestWorkbooks:
    BOOK = workbook([["Ticket ID", "Subject", "Status"], ["1", "a", "open"]])

    @pytest.fixture
    def opened(self) -> Iterator[list[str]]:
        """What is opened while the test runs: files and sockets."""
        seen: list[str] = []
        is_on = [True]

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            if is_on[0] and (event == "open" or event.startswith("socket.")):
                seen.append(f"{event} {arguments[0] if arguments else ''}")

        sys.addaudithook(hook)
        yield seen
        is_on[0] = False

    def test_a_link_to_another_workbook_opens_nothing(self, inbox: Inbox, opened: list[str], tmp_path: Path) -> None:
        target = tmp_path / "elsewhere" / "other.xlsx"
        target.parent.mkdir()
        target.write_bytes(self.BOOK)
        link = (
            '<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><externalBook '
            'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:id="rId1"/></externalLink>'
        )
        book = workbook([["Ticket ID", "Subject", "Status"], ["1", "a", f"='[{target}]Sheet1'!A1"]])
        inbox.drop("t.xlsx", rewritten(book, xl_externalLinks_externalLink1=link))
        opened.clear()
        landed = inbox.land_one()
        assert landed.status == "landed"
        assert not [each for each in opened if str(target) in each or each.startswith("socket.")]
        connection = staged(inbox.project, *inbox.contracts.values(), landed=[landed])
        assert ("ticket.status", "sheet_error") in connection.execute(
            "select column_name, rule from audit.quarantine"
        ).fetchall()

    def test_entities_that_grow_are_refused(self, inbox: Inbox) -> None:
        sheet = (
            '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
            '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1">'
            '<c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>'
        )
        inbox.drop("t.xlsx", rewritten(self.BOOK, xl_worksheets_sheet1=sheet))
        landed = inbox.land_one()
        assert landed.status == "unreadable"
        assert "save it again" in landed.message

    def test_a_sheet_that_grows_a_thousandfold_is_refused_before_it_is_unpacked(self, inbox: Inbox) -> None:
        sheet = "<worksheet>" + " " * 60_000_000 + "</worksheet>"
        inbox.drop("t.xlsx", rewritten(self.BOOK, xl_worksheets_sheet1=sheet))
        landed = inbox.land_one()
        assert landed.status == "unreadable"
        assert "grows more than 1000-fold" in landed.message

    def test_a_workbook_in_an_archive_is_read_sheet_by_sheet(self, inbox: Inbox) -> None:
        two = workbook([["Ticket ID", "Subject", "Status"], [1, "a", "open"]], [["Org ID", "Name"], [7, "Acme"]])
        inbox.drop("drop.zip", zipped({"in/book.xlsx": two}))
        assert [(file.member, file.entity) for file in inbox.land()] == [
            ("in/book.xlsx!Sheet", "tickets"),
            ("in/book.xlsx!Sheet1", "organisations"),
        ]
