"""Landing: what an inbox of good files becomes, once."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.warehouse.inboxes import LANDED_AT, Inbox, workbook, zipped
from warehouse.landing import lake_files, land, landing_done, landing_time, systems
from warehouse.project import Project

TICKETS = "Ticket ID,Subject,Status\n1,Down,open\n2,Slow,solved\n"


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "project")


def test_a_csv_file_becomes_one_parquet_file_of_texts_named_by_its_hash(inbox: Inbox) -> None:
    inbox.drop("2026/tickets.csv", TICKETS)
    landed = inbox.land_one()
    digest = hashlib.sha256(TICKETS.encode()).hexdigest()
    assert (landed.name, landed.entity, landed.rows_in, landed.status, landed.message) == (
        "2026/tickets.csv",
        "tickets",
        2,
        "landed",
        "",
    )
    assert inbox.lake_paths() == [inbox.project.lake / "desk" / "tickets" / f"{digest}.parquet"]
    assert inbox.rows() == [("1", "Down", "open"), ("2", "Slow", "solved")]
    table = inbox.table()
    assert table.column_names == ["Ticket ID", "Subject", "Status", "_file", "_landed_at"]
    assert set(table["_file"].to_pylist()) == {"2026/tickets.csv"}
    assert set(table["_landed_at"].to_pylist()) == {LANDED_AT}


def test_a_lake_file_says_where_it_came_from_and_what_it_accounts_for(inbox: Inbox) -> None:
    inbox.drop("tickets.csv", "Ticket ID,Subject,Status,Tags,tags\n\n1,Down,open,a,b\n")
    inbox.land()
    (path,) = inbox.lake_paths()
    told = {key.decode(): value.decode() for key, value in pq.read_metadata(path).metadata.items()}
    assert told["system"], told["entity"] == ("desk", "tickets")
    assert told["sha256"] == path.stem
    assert (told["name"], told["member"], told["format"]) == ("tickets.csv", "", "csv")
    assert told["landed_at"] == "2026-06-30T02:00:00"
    assert (told["rows_in"], told["rows_blank"], told["rows_defective"]) == ("2", "1", "0")
    assert json.loads(told["headers"]) == ["Ticket ID", "Subject", "Status", "Tags"]
    assert json.loads(told["folded"]) == ["Tags"]
    assert int(told["bytes"]) == (inbox.folder / "tickets.csv").stat().st_size


def test_a_header_that_repeats_whatever_its_case_becomes_one_column_of_json_lists(inbox: Inbox) -> None:
    inbox.drop("t.csv", 'Ticket ID,Subject,Status,Tags,TAGS,tags\n1,a,open,x,,"y ""z"""\n2,b,open,,,\n')
    inbox.land()
    assert [row[-1] for row in inbox.rows()] == ['["x","y \\"z\\""]', None]


def test_headers_lose_the_byte_order_mark_and_outer_spaces_and_blank_ones_get_their_place(inbox: Inbox) -> None:
    inbox.drop("t.csv", "\ufeff Ticket ID ,Subject\u00a0,Status,,_file\n1,a,open,x,y\n")
    inbox.land()
    assert inbox.table().column_names[:5] == ["Ticket ID", "Subject", "Status", "column_4", "_file_"]


def test_cells_keep_their_spaces_quotes_and_line_ends_and_empty_ones_are_null(inbox: Inbox) -> None:
    inbox.drop("t.csv", 'Ticket ID,Subject,Status\n 1 ,"a ""b"",\r\nc",\n2,"",5" pipe\n')
    inbox.land()
    assert inbox.rows() == [(" 1 ", 'a "b",\r\nc', None), ("2", None, '5" pipe')]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_read_and_blank_lines_are_counted_apart(inbox: Inbox, end: str) -> None:
    inbox.drop("t.csv", end.join(["Ticket ID,Subject,Status", "1,a,open", "", "2,b,open", "", "3,c,open"]))
    landed = inbox.land_one()
    assert landed.rows_in == 5
    assert [row[0] for row in inbox.rows()] == ["1", "2", "3"]
    assert lake_files(inbox.project)["rows_blank"].to_pylist() == [2]


def test_a_declared_dialect_is_followed_title_lines_and_all(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, delimiter=";", quote="'", title_lines=2, encoding="cp1252")
    inbox.drop("t.csv", "Export, 2026\n\nTicket ID;Subject;Status\n1;'Rød; grød – €';åben\n".encode("cp1252"))
    inbox.land()
    assert inbox.rows() == [("1", "Rød; grød – €", "åben")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_a_byte_order_mark_says_the_encoding_whatever_the_contract_declares(tmp_path: Path, encoding: str) -> None:
    inbox = Inbox(tmp_path, delimiter="\t", encoding="cp1252")
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    inbox.drop("t.txt", f"{mark}Ticket ID\tSubject\tStatus\n1\tRødgrød – €\topen\n".encode(encoding))
    assert inbox.land_one().status == "landed"
    assert inbox.rows() == [("1", "Rødgrød – €", "open")]


def test_json_in_utf_16_is_read_too(inbox: Inbox) -> None:
    inbox.drop("t.json", json.dumps([{"ticket": {"id": 1, "subject": "Ærø"}}]).encode("utf-16"))
    landed = inbox.land_one()
    assert (landed.status, landed.rows_in) == ("landed", 1)


@pytest.mark.parametrize(
    ("content", "subject"),
    [
        ("Rødgrød – €".encode(), "Rødgrød – €"),
        ("Rødgrød – €".encode("cp1252"), "Rødgrød – €"),
        (b"plain", "plain"),
    ],
)
def test_of_several_declared_encodings_the_first_that_every_byte_fits_is_taken(
    tmp_path: Path, content: bytes, subject: str
) -> None:
    inbox = Inbox(tmp_path, encoding=["utf-8", "cp1252"])
    # The odd bytes come after more than a reader looks at to tell what a file is.
    filler = b"".join(b"%d,%s,open\n" % (number, b"x" * 100) for number in range(12_000))
    inbox.drop("t.csv", b"Ticket ID,Subject,Status\n" + filler + b"0," + content + b",open\n")
    assert inbox.land_one().message == ""
    assert inbox.rows()[-1] == ("0", subject, "open")


def test_the_entity_is_known_by_headers_in_any_case_and_not_by_the_file_name(inbox: Inbox) -> None:
    inbox.drop("tickets.csv", "ORG ID,name,Extra\n7,Acme,x\n")
    landed = inbox.land_one()
    assert landed.entity == "organisations"
    assert landed.unknown == ("Extra",)


def test_of_two_entities_that_fit_the_one_that_knows_more_headers_is_taken(inbox: Inbox) -> None:
    inbox.drop("t.csv", "Ticket ID,Subject,Status,Org ID\n1,a,open,7\n")
    assert inbox.land_one().entity == "tickets"


def test_two_entities_that_fit_alike_are_reported_and_neither_is_guessed(inbox: Inbox) -> None:
    inbox.contracts["desk"].entities["twin"] = inbox.contracts["desk"].entities["organisations"]
    inbox.drop("o.csv", "Org ID,Name\n7,Acme\n")
    landed = inbox.land_one()
    assert landed.status == "unrecognised"
    assert "organisations or twin" in landed.message


def test_a_header_that_the_user_named_in_the_configuration_counts_as_the_column(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, '[systems.desk.columns.ticket]\nstatus = "Zustand"\npriority = "Wichtig"\n')
    inbox.drop("t.csv", "Ticket ID,Subject,Zustand\n1,a,offen\n")
    landed = inbox.land_one()
    assert (landed.status, landed.missing) == ("landed", ("ticket.priority", "ticket.tags"))


def test_ndjson_keeps_each_record_as_it_came(inbox: Inbox) -> None:
    lines = ['{"ticket": {"id": 1, "amount": 1.10, "big": 12345678901234567890}}', '{"ticket":{"id":2,"s":"\\u00e6"}}']
    inbox.drop("t.json", lines[0] + "\n\n" + lines[1] + "\n")
    landed = inbox.land_one()
    assert (landed.entity, landed.rows_in) == ("ticket_records", 3)
    assert inbox.rows() == [(lines[0],), (lines[1],)]
    assert inbox.table().column_names == ["record", "_file", "_landed_at"]
    assert inbox.table().schema.field("record").type == pa.string()


def test_a_json_list_gives_its_elements_as_they_came(inbox: Inbox) -> None:
    inbox.drop("c.json", '[ {"object": "customer", "id": "1", "n": 2.50},\n {"object":"customer","id":"2"} ]')
    assert inbox.land_one().entity == "customers"
    assert inbox.rows() == [('{"object": "customer", "id": "1", "n": 2.50}',), ('{"object":"customer","id":"2"}',)]


@pytest.mark.parametrize(
    "pages",
    [
        '{"object":"list","url":"/v1","data":[%s,%s],"has_more":false}',
        '{"data":[%s,\n%s]}',
        '{"object":"list","data":[%s]}\n{"object":"list","data":[],"has_more":true}\n{"object":"list","data":[%s]}\n',
        '{\n  "object": "list",\n  "data": [\n    %s,\n    %s\n  ],\n  "note": {"data": ["]"]}\n}\n',
    ],
)
def test_pages_of_a_list_give_the_elements_of_their_data(inbox: Inbox, pages: str) -> None:
    records = ('{"object": "customer", "amount": 1.10}', '{"object":"customer","tags":["}]","\\""]}')
    inbox.drop("c.json", pages % records)
    assert (inbox.land_one().rows_in, inbox.rows()) == (2, [(record,) for record in records])


def test_an_indented_object_is_one_record(inbox: Inbox) -> None:
    record = '{\n  "object": "customer",\n  "data": {"id": "1"}\n}'
    inbox.drop("c.json", record + "\n")
    inbox.land()
    assert inbox.rows() == [(record,)]


def test_a_json_file_of_several_entities_becomes_a_file_for_each_with_the_records_numbers(inbox: Inbox) -> None:
    lines = ['{"ticket":{"id":1}}', '{"object":"customer","id":"c"}', '{"ticket":{"id":2}}', '{"id":3,"email":"a@b"}']
    inbox.drop("all.json", "\n".join(lines))
    landed = inbox.land()
    assert [(file.entity, file.rows_in) for file in landed] == [("ticket_records", 2), ("customers", 1), ("people", 1)]
    found = {path.parent.name: pq.read_table(path) for path in inbox.lake_paths()}
    assert found["ticket_records"]["_row"].to_pylist() == [1, 3]
    assert found["customers"]["_row"].to_pylist() == [2]
    assert found["people"]["record"].to_pylist() == [lines[3]]


def test_each_sheet_of_a_workbook_is_a_file_of_its_own(inbox: Inbox) -> None:
    tickets = [["Ticket ID", "Subject", "Status"], [1, "a", "open"]]
    more = [["Ticket ID", "Subject", "Status"], [2, "b", "open"], [3, "c", "open"]]
    content = workbook(tickets, [], more, [["Org ID", "Name"], [7, "Acme"]], [["notes"], ["of mine"]])
    inbox.drop("book.xlsx", content)
    told = [(file.name, file.member, file.entity, file.rows_in, file.status) for file in inbox.land()]
    assert told == [
        ("book.xlsx!Sheet", "Sheet", "tickets", 1, "landed"),
        ("book.xlsx!Sheet2", "Sheet2", "tickets", 2, "landed"),
        ("book.xlsx!Sheet3", "Sheet3", "organisations", 1, "landed"),
        ("book.xlsx!Sheet4", "Sheet4", None, None, "unrecognised"),
    ]
    assert [file.status for file in inbox.land()] == ["already_landed"] * 3 + ["unrecognised"]
    assert len(inbox.lake_paths()) == 3


def test_a_sheet_is_read_as_text_that_reads_back_the_same(inbox: Inbox) -> None:
    inbox.drop(
        "t.xlsx",
        workbook(
            [
                ["Ticket ID", "Subject", "Status", "Tags", None],
                [7, 0.1, True, dt.datetime(2026, 1, 31)],
                [1.0, "#N/A", False, dt.datetime(2026, 1, 31, 10, 30)],
                [None, None, None, None],
                [1.03006e19, " x ", "open", None],
            ],
        ),
    )
    landed = inbox.land_one()
    assert inbox.rows() == [
        ("7", "0.1", "true", "2026-01-31"),
        ("1", "#N/A", "false", "2026-01-31T10:30:00"),
        ("1.03006E+19", " x ", "open", None),
    ]
    assert (landed.rows_in, landed.status) == (4, "landed")
    assert inbox.table()["_types"].to_pylist() == ["nnbd", "nebd", "nsss"]


def test_members_of_an_archive_land_one_by_one_under_both_names(inbox: Inbox) -> None:
    book = workbook([["Org ID", "Name"], ["7", "Acme"]])
    inbox.drop(
        "drop.zip", zipped({"a/tickets.csv": TICKETS, "orgs.xlsx": book, "__MACOSX/._x": b"\0", ".DS_Store": b"\0"})
    )
    landed = inbox.land()
    assert [(file.name, file.member, file.entity) for file in landed] == [
        ("drop.zip!a/tickets.csv", "a/tickets.csv", "tickets"),
        ("drop.zip!orgs.xlsx", "orgs.xlsx", "organisations"),
    ]
    assert landed[0].sha256 == hashlib.sha256(TICKETS.encode()).hexdigest()


def test_the_same_bytes_land_once_under_whatever_name(inbox: Inbox) -> None:
    inbox.drop("a.csv", TICKETS)
    inbox.drop("b.csv", TICKETS)
    inbox.drop("c.zip", zipped({"d.csv": TICKETS}))
    assert [file.status for file in inbox.land()] == ["landed", "already_landed", "already_landed"]
    before = [(path, path.stat().st_mtime_ns) for path in inbox.lake_paths()]
    again = inbox.land(dt.datetime(2026, 7, 1))
    assert [(file.status, file.entity, file.rows_in, file.missing) for file in again] == [
        ("already_landed", "tickets", 2, ("ticket.tags",))
    ] * 3
    assert [(path, path.stat().st_mtime_ns) for path in inbox.lake_paths()] == before


def test_a_content_of_which_one_entity_is_not_yet_in_the_lake_lands_again(inbox: Inbox) -> None:
    inbox.drop("all.json", '{"ticket":{"id":1}}\n{"object":"customer","id":"c"}\n')
    inbox.land()
    paths = inbox.lake_paths()
    before = [path.read_bytes() for path in paths]
    paths[1].unlink()
    assert [file.status for file in inbox.land()] == ["landed", "landed"]
    assert [path.read_bytes() for path in inbox.lake_paths()] == before


def test_a_mended_encoding_reads_the_file_again_and_keeps_when_it_landed(inbox: Inbox) -> None:
    inbox.drop("t.csv", "Ticket ID,Subject,Status\n1,Rødgrød,open\n".encode("cp1252"))
    assert "utf-8 was expected" in inbox.land_one().message
    inbox.declare(encoding="cp1252")
    again = inbox.land(dt.datetime(2026, 7, 1))
    assert [(file.status, file.message) for file in again] == [("landed", "")]
    assert inbox.rows() == [("1", "Rødgrød", "open")]
    assert inbox.table()["_landed_at"].to_pylist() == [LANDED_AT]


def test_landing_twice_from_nothing_gives_the_same_bytes(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        inbox = Inbox(tmp_path / name)
        inbox.drop("t.csv", TICKETS)
        inbox.drop("all.json", '{"ticket":{"id":1}}\n{"object":"customer","id":"c"}\n{"x":1}\n')
        inbox.drop("bad.csv", TICKETS + "3,x\n")
        inbox.land()
        made.append([path.read_bytes() for path in inbox.lake_paths()])
    assert made[0] == made[1]


def test_lake_files_lists_every_file_with_typed_facts_in_order(inbox: Inbox) -> None:
    inbox.drop("t.csv", TICKETS)
    inbox.drop("o.csv", "Org ID,Name\n7,Acme\n")
    inbox.drop("bad.csv", TICKETS + "3\n")
    inbox.land()
    table = lake_files(inbox.project)
    assert table.column("entity").to_pylist() == ["organisations", "tickets", "tickets"]
    assert sorted(
        zip(table["name"].to_pylist(), table["rows_in"].to_pylist(), table["rows_defective"].to_pylist(), strict=True)
    ) == [
        ("bad.csv", 3, 1),
        ("o.csv", 1, 0),
        ("t.csv", 2, 0),
    ]
    assert table["landed_at"].to_pylist() == [LANDED_AT] * 3
    assert all((inbox.project.lake / path).exists() for path in table["path"].to_pylist())
    assert lake_files(Project(inbox.project.root / "none", inbox.project.settings)).num_rows == 0


def test_the_engine_reads_all_lake_files_of_an_entity_by_name(inbox: Inbox) -> None:
    inbox.drop("a.csv", TICKETS)
    inbox.drop("b.csv", "Subject,Ticket ID,Status\nLate,3,open\n4\n")
    inbox.land()
    rows = duckdb.execute(
        """
        select "Ticket ID", file_row_number + 1, _defect
        from read_parquet(?, file_row_number = true, union_by_name = true)
        order by _file, 2
        """,
        [str(inbox.project.lake / "desk" / "tickets" / "*.parquet")],
    ).fetchall()
    assert rows == [("1", 1, None), ("2", 2, None), ("3", 1, None), (None, 2, "too_few_cells")]


def test_names_that_mean_something_to_the_engine_mean_nothing(inbox: Inbox) -> None:
    name = 'k=v/it\'s [a]*? "x".csv.gz'
    inbox.drop(name, TICKETS)
    inbox.drop("k=v/itXs a.csv", "Org ID\n1\n")
    assert [(file.name, file.entity) for file in inbox.land()] == [
        (name, "tickets"),
        ("k=v/itXs a.csv", "organisations"),
    ]


def test_a_name_that_is_not_utf_8_lands_with_its_bytes_shown(inbox: Inbox) -> None:
    Path(os.fsdecode(os.fsencode(inbox.folder) + b"/r\xe6v.csv")).write_text(TICKETS)
    inbox.land()
    assert set(inbox.table()["_file"].to_pylist()) == {"r\\xe6v.csv"}


def test_systems_are_the_folders_of_the_inbox_in_order(inbox: Inbox) -> None:
    (inbox.project.inbox / "billing").mkdir()
    (inbox.project.inbox / ".git").mkdir()
    (inbox.project.inbox / "notes.txt").write_text("x")
    assert systems(inbox.project) == ["billing", "desk"]
    assert systems(Project(inbox.project.root / "none", inbox.project.settings)) == []


def test_files_of_a_system_that_no_contract_describes_are_told_of(inbox: Inbox) -> None:
    (inbox.project.inbox / "other").mkdir()
    (inbox.project.inbox / "other" / "x.csv").write_text(TICKETS)
    (found,) = land(inbox.project, inbox.contracts, "other", LANDED_AT)
    assert found.status == "unrecognised"
    assert "exports/other.yml" in found.message
    assert len(found.sha256) == 64


def test_a_landing_that_was_killed_goes_on_with_its_own_time(inbox: Inbox) -> None:
    first = dt.datetime(2026, 6, 30, 4, 0, 0, 123456, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert landing_time(inbox.project, first) == LANDED_AT
    assert landing_time(inbox.project, dt.datetime(2026, 7, 1)) == LANDED_AT
    landing_done(inbox.project)
    landing_done(inbox.project)
    assert landing_time(inbox.project, dt.datetime(2026, 7, 1)) == dt.datetime(2026, 7, 1)
