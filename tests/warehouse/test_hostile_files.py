"""Files made to break a reader: each lands whole, or is refused with its reason, and reaches for nothing outside."""

from __future__ import annotations

import csv
import io
import json
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.lake import staged
from tests.warehouse.inboxes import Inbox, workbook, zipped
from warehouse import landing
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


class TestTables:
    def test_headers_that_the_lake_itself_uses_are_columns_like_others(self, inbox: Inbox) -> None:
        names = [
            "_path",
            "_FILE",
            "filename",
            "file_row_number",
            "rowid",
            "_mask",
            "_position",
            "_raw_status",
            "record",
        ]
        inbox.drop("t.csv", ",".join(["Ticket ID", "Subject", "Status", *names]) + "\n1,a,open" + ",x" * len(names))
        landed = inbox.land_one()
        assert [len(row) for row in inbox.rows()] == [3 + len(names)]
        assert books(inbox, [landed]) == [(1, 1, 0, 0)]

    @pytest.mark.parametrize("damage", ["", "2,b\n"])
    def test_5000_different_columns_are_kept_also_beside_a_damaged_record(self, inbox: Inbox, damage: str) -> None:
        more = "".join(f",column {number}" for number in range(5000))
        inbox.drop("t.csv", f"{HEADER.strip()}{more}\n1,a,open{',x' * 5000}\n{damage}")
        landed = inbox.land_one()
        assert (landed.status, landed.rows_in) == ("landed", 1 + bool(damage))
        assert inbox.table()["column 4999"][0].as_py() == "x"
        assert books(inbox, [landed]) == [(1 + bool(damage), 1, int(bool(damage)), 0)]

    def test_more_columns_than_any_export_has_are_refused_at_once(self, inbox: Inbox) -> None:
        inbox.drop("t.csv", HEADER.strip() + ",x" * 500_000 + "\n1,a,open\n")
        started = time.monotonic()
        assert "500003 columns, more than 20000; export fewer" in inbox.land_one().message
        assert time.monotonic() - started < 10

    def test_a_folder_above_the_project_fills_no_column(self, tmp_path: Path) -> None:
        inbox = Inbox(tmp_path / "Status=shut" / "[x]*" / "Subject=none")
        inbox.drop("t.csv", f"{HEADER}1,a,open\n2,b\n")
        inbox.drop("t.ndjson", '{"ticket":{"id":3}}\n')
        connection = staged(inbox.project, *inbox.contracts.values(), landed=inbox.land())
        rows = connection.execute("select source_id, status from staged.ticket order by all").fetchall()
        assert rows == [("1", "open"), ("3", None)]

    def test_a_file_that_takes_more_memory_than_there_is_is_refused_and_the_others_land(
        self, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        inbox.drop("a.csv", f"{HEADER}1,a,open\n")
        inbox.drop("b.ndjson", '{"ticket":{"id":3}}\n')

        def full(*_: object) -> None:
            raise duckdb.OutOfMemoryException("full")

        monkeypatch.setattr(landing, "draft_csv", full)
        table, records = inbox.land()
        assert (table.status, records.status) == ("unreadable", "landed")
        assert "it takes more than limits.memory (4GB); raise that, or split it" in table.message


class TestEncodings:
    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
    def test_wide_text_without_a_mark_is_refused_with_what_it_may_be(self, inbox: Inbox, encoding: str) -> None:
        inbox.drop("t.csv", f"{HEADER}1,a,open\n".encode(encoding))
        landed = inbox.land_one()
        assert landed.status == "unreadable"
        assert "UTF-16 text without a byte-order mark; export the data as CSV in UTF-8" in landed.message

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
    def test_wide_text_with_its_mark_is_read(self, inbox: Inbox, encoding: str) -> None:
        inbox.drop("t.csv", f"\ufeff{HEADER}1,blåbær 💶,open\n".encode(encoding))
        inbox.land()
        assert inbox.rows() == [("1", "blåbær 💶", "open")]

    def test_wide_text_without_a_mark_is_read_where_the_contract_says_so(self, tmp_path: Path) -> None:
        inbox = Inbox(tmp_path, encoding="utf-16-le")
        inbox.drop("t.csv", f"{HEADER}1,blåbær,open\n".encode("utf-16-le"))
        inbox.land()
        assert inbox.rows() == [("1", "blåbær", "open")]

    @pytest.mark.parametrize("rows", [1, 90_000])
    def test_rows_of_two_programs_in_one_file_are_each_read_in_their_own_encoding(
        self, tmp_path: Path, rows: int
    ) -> None:
        inbox = Inbox(tmp_path, encoding=["utf-8", "cp1252"])
        row = "1,blåbær €,open,x\n"
        header = f"{HEADER.strip()},Beløb\n"
        inbox.drop("t.csv", (header + row * rows).encode() + (row * rows).encode("cp1252") + row.encode())
        landed = inbox.land_one()
        assert (landed.status, landed.message, landed.rows_in) == ("landed", "", 2 * rows + 1)
        assert set(inbox.table()["Subject"].to_pylist()) == {"blåbær €"}
        assert set(inbox.table()["Beløb"].to_pylist()) == {"x"}

    def test_a_header_with_a_nul_byte_is_refused(self, inbox: Inbox) -> None:
        inbox.drop("t.csv", "Ticket ID,Subject,Status,a\0b\n1,a,open,x\n")
        assert "it is a binary file" in inbox.land_one().message

    def test_blank_lines_below_a_mark_are_blank(self, inbox: Inbox) -> None:
        inbox.drop("t.csv", f"\ufeff\r\n\r\n{HEADER}1,a,open\n")
        assert (inbox.land_one().status, inbox.rows()) == ("landed", [("1", "a", "open")])

    @pytest.mark.parametrize("blank", ["\n", " ", "\r\n"])
    def test_a_file_that_begins_with_a_megabyte_of_nothing_is_not_taken_for_an_empty_one(
        self, inbox: Inbox, blank: str
    ) -> None:
        inbox.drop("t.csv", blank * 1_100_000 + f"{HEADER}1,a,open\n")
        landed = inbox.land_one()
        assert landed.status == "unreadable"
        assert "are blank; take the blank lines off" in landed.message


class TestRecords:
    def test_two_objects_on_one_line_are_two_records(self, inbox: Inbox) -> None:
        inbox.drop("t.json", '{"ticket":{"id":1}}{"ticket":{"id":2}}')
        assert (inbox.land_one().rows_in, inbox.table().num_rows) == (2, 2)

    def test_other_records_behind_the_list_of_a_page_go_to_quarantine_and_not_away(self, inbox: Inbox) -> None:
        inbox.drop("t.json", '{"tickets":[{"ticket":{"id":1}}],"users":[{"id":7,"name":"A"}],"count":1}')
        landed = inbox.land_one()
        assert "1 of 2 records cannot be read and go to quarantine (rest_of_page 1)" in landed.message
        assert inbox.defects() == [("rest_of_page", ',"users":[{"id":7,"name":"A"}],"count":1}')]
        assert books(inbox, [landed]) == [(2, 1, 1, 0)]

    def test_an_error_of_the_engine_whose_own_text_is_cut_is_an_error_like_others(self, inbox: Inbox) -> None:
        # It shows the beginning of the line, and cuts it in the middle of a letter.
        inbox.drop("t.csv", f"{HEADER}" + "".join(f"{n},{'aæ€💶'[: n % 5] * 900},open\n" for n in range(40)) + "x\n")
        landed = inbox.land_one()
        assert (landed.status, landed.rows_in) == ("landed", 41)


class TestInboxes:
    def test_a_name_that_is_no_utf8_is_shown_with_its_bytes_whatever_becomes_of_the_file(self, inbox: Inbox) -> None:
        for name, content in ((b"\xff.csv", f"{HEADER}1,a,open\n"), (b"\xfe.csv", "Foo\n1\n")):
            inbox.drop(name.decode("utf-8", errors="surrogateescape"), content)
        unknown, known = inbox.land()
        assert (unknown.name, known.name) == ("\\xfe.csv", "\\xff.csv")
        assert books(inbox, [unknown, known]) == [(1, 1, 0, 0)]

    def test_the_longest_name_there_is_lands(self, inbox: Inbox) -> None:
        inbox.drop("n" * 251 + ".csv", f"{HEADER}1,a,open\n")
        assert inbox.land_one().status == "landed"

    def test_folders_in_folders_are_looked_into_however_deep_they_are(self, inbox: Inbox) -> None:
        folders = [inbox.folder / ("d/" * depth) for depth in range(1, 1_100)]
        for folder in folders:
            folder.mkdir()
        (folders[-1] / "t.csv").write_text(f"{HEADER}1,a,open\n")
        assert inbox.land_one().status == "landed"
        # The folder of a test is removed by a function that calls itself for each of them.
        (folders[-1] / "t.csv").unlink()
        for folder in reversed(folders):
            folder.rmdir()

    def test_a_folder_that_may_not_be_looked_into_is_told_of(
        self, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        inbox.drop("shut/t.csv", f"{HEADER}1,a,open\n")
        inbox.drop("t.csv", f"{HEADER}1,a,open\n")
        look = Path.iterdir

        def look_unless_shut(path: Path) -> Iterator[Path]:
            if path.name == "shut":
                raise PermissionError(13, "Permission denied")
            return look(path)

        monkeypatch.setattr(Path, "iterdir", look_unless_shut)
        shut, open_file = inbox.land()
        assert (shut.name, shut.status, open_file.status) == ("shut", "unreadable", "landed")
        assert "a folder that cannot be looked into; give its owner's group leave to read it" in shut.message

    @pytest.mark.parametrize(("error", "words"), [
        (PermissionError(13, "Permission denied"), "it cannot be read (Permission denied); give its owner's group leave"),
        (OSError(5, "Input/output error"), "it cannot be read (Input/output error)"),
        (FileNotFoundError(2, "No such file"), "it was taken away while it was read; put it back"),
    ])  # fmt: skip
    def test_a_file_that_the_system_does_not_give_is_told_of_and_the_others_land(
        self, inbox: Inbox, monkeypatch: pytest.MonkeyPatch, error: OSError, words: str
    ) -> None:
        inbox.drop("a.csv", f"{HEADER}1,a,open\n")
        inbox.drop("b.csv", f"{HEADER}2,b,open\n")
        look = landing.sha256

        def fail(path: Path) -> str:
            if path.name == "a.csv":
                raise error
            return look(path)

        monkeypatch.setattr(landing, "sha256", fail)
        first, second = inbox.land()
        assert (first.status, second.status) == ("unreadable", "landed")
        assert words in first.message

    def test_a_file_that_is_taken_away_while_it_is_read_is_told_of(
        self, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = inbox.drop("a.csv", f"{HEADER}1,a,open\n")
        draft_csv = landing.draft_csv

        def take_away(*parts: object) -> object:
            path.unlink()
            return draft_csv(*parts)  # type: ignore[arg-type]

        monkeypatch.setattr(landing, "draft_csv", take_away)
        landed = inbox.land_one()
        assert (landed.status, "taken away" in landed.message) == ("unreadable", True)

    @pytest.mark.parametrize("day", ["0001-01-01", "0999-12-31", "9999-12-31", "2026-02-30", "٢٠٢٦-٠١-٠١"])
    def test_a_folder_may_be_called_by_any_day(self, inbox: Inbox, day: str) -> None:
        inbox.drop(f"{day}/a.csv", f"{HEADER}1,a,open\n")
        inbox.drop("2026-05-01/a.csv", f"{HEADER}1,a,open\n")
        landed = inbox.land()
        assert sorted(file.status for file in landed) == ["already_landed", "landed"]
        assert books(inbox, landed) == [(1, 1, 0, 0)]

    def test_a_damaged_member_does_not_keep_the_others_of_its_archive_from_landing(self, inbox: Inbox) -> None:
        content = zipped({"a.csv": f"{HEADER}1,a,open\n", "b.csv": f"{HEADER}2,b,open\n"}, zipfile.ZIP_STORED)
        inbox.drop("x.zip", content.replace(b"1,a,open", b"1,a,shut", 1))
        first, second = inbox.land()
        assert [(first.name, first.status), (second.name, second.status)] == [
            ("x.zip!a.csv", "unreadable"),
            ("x.zip!b.csv", "landed"),
        ]
        assert "'a.csv' is damaged" in first.message
        assert [file.status for file in inbox.land()] == ["unreadable", "already_landed"]

    # What is empty, each in its own way.
    EMPTY = {
        "csv": b"",
        "blank lines": b"\r\n\r\n",
        "utf-8": b"\xef\xbb\xbf",
        "utf-16": b"\xff\xfe",
        "utf-16-be": b"\xfe\xff\x00\n",
        "json list": b"[ ]",
        "page": b'{"data": [], "has_more": false}',
        "zip": zipped({}),
        "zip of folders": zipped({"a/": "", "a/b/": ""}),
        "zip of an empty file": zipped({"a.csv": ""}),
        "workbook": workbook([]),
        "workbook in a zip": zipped({"a.xlsx": workbook([], [[None, ""]])}),
    }

    @pytest.mark.parametrize("kind", EMPTY)
    def test_what_is_empty_is_told_to_be_so(self, inbox: Inbox, kind: str) -> None:
        inbox.drop("empty", self.EMPTY[kind])
        landed = inbox.land_one()
        assert (landed.status, landed.rows_in) == ("empty", 0)
        assert landed.message
        assert inbox.lake_paths() == []

    def test_bytes_behind_the_end_of_an_empty_archive_are_not_taken_for_nothing(self, inbox: Inbox) -> None:
        inbox.drop("x.zip", b"PK\x05\x06" + f"{HEADER}1,a,open\n".encode())
        assert "the ZIP is damaged" in inbox.land_one().message
