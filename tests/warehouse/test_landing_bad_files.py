"""Landing of files that are not as they should be: a clear message, and nothing lost."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from tests.warehouse.inboxes import Inbox, workbook, zipped
from warehouse import landing as landing_module
from warehouse.lake import lake_files

HEADER = "Ticket ID,Subject,Status\n"


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "project")


# What was dropped below the header -> (rule, raw text) of each defect, and the ids of the good rows.
DAMAGED_CSV = {
    "too many cells": ("1,a,open\n2,b,open,x\n3,c,open\n", [("too_many_cells", "2,b,open,x")], ["1", "3"]),
    "too few cells": ("1,a,open\n2,b\n3,c,open\n", [("too_few_cells", "2,b")], ["1", "3"]),
    "spaces on a line": ("1,a,open\n   \n", [("too_few_cells", "   ")], ["1"]),
    "cut in a cell": ("1,a,open\n2,b", [("truncated", "2,b")], ["1"]),
    "cut in a quote": ('1,a,open\n2,"b, and', [("truncated", '2,"b, and')], ["1"]),
    "a quote that nobody closed": ('1,a,open\n2,"b,open\n3,c,open\n', [("unclosed_quote", '2,"b,open')], ["1", "3"]),
    "text after a quote": ('1,"a"x,open\n2,b,open\n', [("malformed_quotes", '1,"a"x,open')], ["2"]),
    "a quote after a space": (
        '1, "a, b",open\n2, "c",open\n3,x\n',
        [("too_many_cells", '1, "a, b",open'), ("malformed_quotes", '2, "c",open'), ("too_few_cells", "3,x")],
        [],
    ),
    "a NUL byte": ("1,a\0b,open\n2,b,open\n", [("nul_byte", "1,a\\x00b,open")], ["2"]),
    "another encoding": (b"1,R\xf8d,open\n2,b,open\n", [("undecodable", "1,R\\xf8d,open")], ["2"]),
    "a lone carriage return": ("1,a\rb,open\n2,b,open\n", [("malformed_quotes", "1,a\rb,open")], ["2"]),
}


@pytest.mark.parametrize("case", DAMAGED_CSV)
def test_a_bad_csv_record_keeps_its_text_and_the_good_ones_their_places(inbox: Inbox, case: str) -> None:
    body, defects, good = DAMAGED_CSV[case]
    inbox.drop("t.csv", HEADER.encode() + (body.encode() if isinstance(body, str) else body))
    landed = inbox.land_one()
    assert landed.status == "landed"
    assert inbox.defects() == defects
    ids = inbox.table()["Ticket ID"].to_pylist()
    assert [found for found in ids if found] == good
    assert landed.rows_in == len(ids) == len(good) + len(defects)
    assert lake_files(inbox.project)["rows_defective"].to_pylist() == [len(defects)]
    assert f"{len(defects)} of {len(ids)} records cannot be read and go to quarantine" in landed.message
    assert all(rule in landed.message for rule, _ in defects)


@pytest.mark.parametrize(
    ("body", "rows"),
    {
        "extra empty cells": ("1,a,open,\n2,b,open,,\n3,c,open\n", [("1", "a", "open"), ("2", "b", "open"), ("3", "c", "open")]),
        "mixed line ends": ("1,a,open\r\n2,b,open\n", [("1", "a", "open"), ("2", "b", "open")]),
        "empty rows of a sheet": (",,\n1,a,open\n", [(None, None, None), ("1", "a", "open")]),
        "no last line end": ('1,a,"open"', [("1", "a", "open")]),
        "a cell of 3 MB": (f"1,{'a' * 3_000_000},open\n", [("1", "a" * 3_000_000, "open")]),
        "a line of 20 MB": (f"1,{'a' * 20_000_000},open\n", [("1", "a" * 20_000_000, "open")]),
    }.values(),
)  # fmt: skip
def test_an_odd_csv_file_that_says_what_it_means_is_read_whole(
    inbox: Inbox, body: str, rows: list[tuple[str, ...]]
) -> None:
    inbox.drop("t.csv", HEADER + body)
    landed = inbox.land_one()
    assert (landed.status, landed.message, landed.rows_in) == ("landed", "", len(rows))
    assert inbox.rows() == rows


def test_a_csv_file_with_a_header_of_several_lines_is_read(inbox: Inbox) -> None:
    inbox.drop("t.csv", 'Ticket ID,Subject,Status,"Two\nlines"\n1,a,open,x\n')
    inbox.land()
    assert inbox.rows() == [("1", "a", "open", "x")]


def test_a_file_in_another_encoding_throughout_is_refused_and_the_expected_one_named(inbox: Inbox) -> None:
    inbox.drop("t.csv", HEADER.encode() + b"1,R\xf8d,open\n" * 50)
    landed = inbox.land_one()
    assert landed.status == "unreadable"
    assert "50 of 50 records are not utf-8" in landed.message
    assert "dialect.encoding: cp1252" in landed.message
    assert inbox.lake_paths() == []


def test_a_byte_that_the_declared_windows_encoding_does_not_know_is_shown(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, encoding="cp1252")
    inbox.drop("t.csv", HEADER.encode() + b"1,R\xf8d,open\n2,x\x81\xf8y,open\n")
    inbox.land()
    assert inbox.defects() == [("undecodable", "2,x\\x81øy,open")]


def test_a_header_in_another_encoding_is_refused_with_the_expected_one_named(inbox: Inbox) -> None:
    inbox.drop("t.csv", b"Ticket ID,Subject,Status,R\xf8d\n1,a,open,x\n")
    landed = inbox.land_one()
    assert (landed.status, "its header is not utf-8" in landed.message) == ("unreadable", True)


@pytest.mark.parametrize("declared", ["utf-16", "no-such-codec"])
def test_a_text_that_is_not_the_declared_encoding_is_never_half_read(tmp_path: Path, declared: str) -> None:
    inbox = Inbox(tmp_path, encoding=declared)
    inbox.drop("t.csv", HEADER + "1,a,open\n")
    assert inbox.land_one().status in ("unreadable", "unrecognised")
    assert inbox.lake_paths() == []


# What was dropped -> words of the message.
UNREADABLE = {
    "binary": (b"\x00\x01\x02\xff" * 100, "binary file"),
    "half a letter of utf-16": (("\ufeff" + HEADER).encode("utf-16-le")[:-1], "UTF-16 text that is damaged"),
    "pdf": (b"%PDF-1.7\n...", "PDF"),
    "gzip": (b"\x1f\x8b\x08\x00", "gzip"),
    "old excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save it as .xlsx without a password"),
    "half a zip": (zipped({"t.csv": HEADER})[:60], "cut short"),
    "half a workbook": (workbook([["Ticket ID", "Subject", "Status"]])[:-40], "cut short"),
    "header without end": (HEADER.rstrip() + ',"' + "x" * 2_000_000, "header"),
    "json that is none": ("{\"ticket\": oops}\n{'a'}\n", "no record of it is a JSON object (malformed_json 2)"),
    "json list of numbers": ("[[1], [2]]", "not_an_object 2"),
    "nested archive": (zipped({"in.bin": zipped({"t.csv": HEADER})}), "archive in an archive"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_file_that_cannot_be_taken_is_told_of_and_the_others_land(inbox: Inbox, case: str) -> None:
    content, words = UNREADABLE[case]
    inbox.drop("a.bin", content)
    inbox.drop("b.csv", HEADER + "1,a,open\n")
    bad, good = inbox.land()
    assert (bad.status, bad.rows_in) == ("unreadable", None)
    assert words in bad.message
    assert len(bad.sha256) == 64
    assert good.status == "landed"
    assert len(inbox.lake_paths()) == 1


def test_a_file_without_a_required_column_is_of_its_entity_and_its_rows_are_counted(inbox: Inbox) -> None:
    inbox.drop("t.csv", "Ticket ID,Subject\n1,a\n2,b\n")
    landed = inbox.land_one()
    assert (landed.status, landed.entity, landed.rows_in) == ("unreadable", "tickets", 2)
    assert landed.missing == ("ticket.status",)
    assert "lacks the required column Status or State" in landed.message
    assert inbox.lake_paths() == []


def test_a_missing_required_column_may_be_named_by_any_alias(inbox: Inbox) -> None:
    inbox.drop("t.csv", "Ticket ID,Subject,STATE\n1,a,open\n")
    assert inbox.land_one().status == "landed"


def test_an_extra_column_is_kept_raw_and_reported(inbox: Inbox) -> None:
    inbox.drop("t.csv", "Ticket ID,Subject,Status,Mood\n1,a,open,grim\n")
    landed = inbox.land_one()
    assert (landed.unknown, landed.missing) == (("Mood",), ("ticket.tags",))
    assert inbox.rows() == [("1", "a", "open", "grim")]


@pytest.mark.parametrize(
    "content", [b"", b"\n\r\n ", b"\xef\xbb\xbf", b"[]", b"[ \n]", b'{"object":"list","data":[]}', zipped({})]
)
def test_a_file_of_nothing_is_empty_with_a_warning(inbox: Inbox, content: bytes) -> None:
    inbox.drop("x", content)
    landed = inbox.land_one()
    assert (landed.status, landed.rows_in, landed.entity) == ("empty", 0, None)
    assert landed.message
    assert inbox.lake_paths() == []


@pytest.mark.parametrize(
    "content", [HEADER, HEADER.strip(), HEADER + "\n\n", workbook([["Ticket ID", "Subject", "Status"]])]
)
def test_a_header_alone_lands_as_no_rows_with_a_warning(inbox: Inbox, content: str | bytes) -> None:
    inbox.drop("x", content)
    landed = inbox.land_one()
    assert (landed.status, landed.entity, landed.message) == ("empty", "tickets", "it has a header and no rows")
    assert (inbox.rows(), inbox.table().column_names[:3]) == ([], ["Ticket ID", "Subject", "Status"])


def test_a_file_that_no_entity_fits_says_what_was_seen_and_what_is_known(inbox: Inbox) -> None:
    inbox.drop("t.csv", "Foo,Bar\n1,2\n")
    inbox.drop("t.json", '{"foo": 1, "bar": 2}\n')
    table, record = inbox.land()
    assert (table.status, record.status) == ("unrecognised", "unrecognised")
    assert "has these headers (Foo, Bar); its contract knows tickets, organisations" in table.message
    assert "has these keys (foo, bar)" in record.message
    assert "exports/desk.yml" in table.message


# What was dropped -> defects, good records.
DAMAGED_JSON = {
    "ndjson cut in an object": ('{"ticket":{"id":1}}\n{"ticket":{"i', [("truncated", '{"ticket":{"i')], 1),
    "a bad line": ('{"ticket":{"id":1}}\n{"ticket":}\n{"ticket":{"id":2}}\n', [("malformed_json", '{"ticket":}')], 2),
    "a first line that is bad": ('{"ticket":\n{"ticket":{"id":1}}\n', [("malformed_json", '{"ticket":')], 1),
    "no object": ('{"ticket":{"id":1}}\n[1]\n7\n', [("not_an_object", "[1]"), ("not_an_object", "7")], 1),
    "an object of no entity": ('{"ticket":{"id":1}}\n{"foo":1}\n', [("unrecognised_record", '{"foo":1}')], 1),
    "another encoding": (b'{"ticket":{"id":"\xf8"}}\n{"ticket":{"id":1}}\n', [("undecodable", '{"ticket":{"id":"\\xf8"}}')], 1),
    "list cut in an object": ('[{"ticket":{"id":1}},{"ticket":{"id"', [("truncated", '{"ticket":{"id"')], 1),
    "list with a bad element": ('[{"ticket":{"id":1}},{"ticket":oops},{"ticket":{}}]', [("malformed_json", '{"ticket":oops}')], 2),
    "list that never balances": ('[\n{"ticket":{"id":[1}},\n{"ticket":{}}\n]', [("malformed_json", '{"ticket":{"id":[1}},')], 1),
    "two lists": ('[{"ticket":{}}]\n[{"ticket":{}}]', [], 2),
    "text after a list": ('[{"ticket":{}}] and so on', [("truncated", "and so on")], 1),
    "page cut in an object": ('{"data":[{"ticket":{}},{"tick', [("truncated", '{"tick')], 1),
    "a line that is no page": ('{"data":[{"ticket":{}}]}\n{"x', [("truncated", '{"x')], 1),
    "too deep for Python": ('{"ticket":{"id":1}}\n{"x":' + "[" * 5000 + "]" * 5000 + "}\n", None, 1),
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGED_JSON)
def test_a_bad_json_record_keeps_its_text_and_the_good_ones_are_kept(inbox: Inbox, case: str) -> None:
    content, defects, good = DAMAGED_JSON[case]
    inbox.drop("t.json", content)
    landed = inbox.land_one()
    records = inbox.table()["record"].to_pylist()
    assert (landed.status, landed.rows_in) == ("landed", len(records))
    assert sum(record is not None for record in records) == good
    if defects:
        assert inbox.defects() == defects
        assert "go to quarantine" in landed.message


def test_a_list_that_was_cut_between_its_elements_is_told_of(inbox: Inbox) -> None:
    inbox.drop("t.json", '[{"ticket":{"id":1}},{"ticket":{"id":2}}')
    landed = inbox.land_one()
    assert (landed.rows_in, "cut short" in landed.message) == (2, True)


def test_defects_of_a_file_of_several_entities_stay_with_the_largest_and_keep_their_numbers(inbox: Inbox) -> None:
    inbox.drop("t.json", '{"object":"customer"}\n{"ticket":{}}\nnonsense\n{"object":"customer"}\n{"x":1}\n\n')
    first, second = inbox.land()
    assert (first.entity, first.rows_in, second.entity, second.rows_in) == ("customers", 5, "ticket_records", 1)
    facts = lake_files(inbox.project)
    assert facts["rows_blank"].to_pylist() == [1, 0]
    assert facts["rows_defective"].to_pylist() == [2, 0]
    import pyarrow.parquet as pq

    customers = pq.read_table(inbox.lake_paths()[0])
    assert list(zip(customers["_row"].to_pylist(), customers["_defect"].to_pylist(), strict=True)) == [
        (1, None),
        (3, "malformed_json"),
        (4, None),
        (5, "unrecognised_record"),
    ]


def test_links_are_reported_and_not_followed_and_hidden_files_are_left_alone(inbox: Inbox, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.csv").write_text(HEADER + "1,a,open\n")
    (inbox.folder / "file.csv").symlink_to(tmp_path / "outside" / "secret.csv")
    (inbox.folder / "folder").symlink_to(tmp_path / "outside")
    inbox.drop(".hidden.csv", HEADER)
    inbox.drop(".hidden/x.csv", HEADER)
    landed = inbox.land()
    assert [(file.name, file.status) for file in landed] == [("file.csv", "unreadable"), ("folder", "unreadable")]
    assert all("symbolic link" in file.message for file in landed)


def test_a_pipe_in_the_inbox_does_not_stop_the_night(inbox: Inbox) -> None:
    os.mkfifo(inbox.folder / "pipe")
    assert (inbox.land_one().status, inbox.lake_paths()) == ("unreadable", [])


def test_a_whole_system_behind_a_link_is_reported(inbox: Inbox, tmp_path: Path) -> None:
    inbox.folder.rmdir()
    inbox.folder.symlink_to(tmp_path)
    assert "symbolic link" in inbox.land_one().message


def test_a_file_that_changes_while_it_is_read_waits_for_the_next_run(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = inbox.drop("t.csv", HEADER + "1,a,open\n")
    draft_csv = landing_module.draft_csv

    def slow(*parts: object) -> object:
        drafted = draft_csv(*parts)  # type: ignore[arg-type]
        path.write_text(HEADER + "1,a,open\n2,b,open\n")
        return drafted

    monkeypatch.setattr(landing_module, "draft_csv", slow)
    assert "changed while it was read" in inbox.land_one().message
    assert inbox.lake_paths() == []
    monkeypatch.undo()
    assert inbox.land_one().rows_in == 2


def test_one_refused_member_refuses_the_archive_and_nothing_of_it_is_unpacked(inbox: Inbox) -> None:
    inbox.drop("x.zip", zipped({"t.csv": HEADER + "1,a,open\n", "../evil.csv": HEADER}))
    landed = inbox.land_one()
    assert (landed.name, landed.status) == ("x.zip", "unreadable")
    assert "points outside the archive" in landed.message
    assert inbox.lake_paths() == []


def test_an_archive_that_unpacks_to_more_than_the_limit_is_refused(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, "[limits]\narchive_bytes = 1000\n")
    inbox.drop("x.zip", zipped({"t.csv": HEADER + "1,a,open\n" * 200}))
    inbox.drop("y.xlsx", workbook([["Ticket ID", "Subject", "Status"]] + [["1", "a", "open"]] * 200))
    archive, book = inbox.land()
    assert "limits.archive_bytes (1000)" in archive.message
    assert "limits.archive_bytes (1000)" in book.message


def test_a_bad_member_does_not_keep_the_others_of_its_archive_from_landing(inbox: Inbox) -> None:
    content = zipped({"a.csv": "Ticket ID,Subject\n1,a\n", "b.csv": HEADER + "1,a,open\n"}, zipfile.ZIP_STORED)
    inbox.drop("x.zip", content)
    assert [(file.name, file.status) for file in inbox.land()] == [
        ("x.zip!a.csv", "unreadable"),
        ("x.zip!b.csv", "landed"),
    ]


def test_a_member_whose_bytes_are_damaged_is_told_of(inbox: Inbox) -> None:
    content = zipped({"b.csv": HEADER + "1,a,open\n"}, zipfile.ZIP_STORED).replace(b"1,a,open", b"1,a,shut", 1)
    inbox.drop("x.zip", content)
    landed = inbox.land_one()
    assert (landed.status, "'b.csv' is damaged" in landed.message) == ("unreadable", True)


@pytest.mark.parametrize("line", ["Remember to ask Anna for the file again", "anna@customer.example,x", "0101701234,x"])
def test_a_first_line_that_is_no_header_is_told_to_nobody(inbox: Inbox, line: str) -> None:
    inbox.drop("note.csv", line + "\n")
    landed = inbox.land_one()
    assert landed.status == "unrecognised"
    assert line.split(",")[0] not in landed.message
