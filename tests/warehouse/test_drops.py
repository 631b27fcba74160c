"""Drops: the version that holds, what absence means, and what a version without a column keeps."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lake import contract, drop, project, staged, write_csv, write_json
from tests.warehouse.inboxes import zipped
from warehouse.casting import stage
from warehouse.contracts import SystemContract
from warehouse.engine import Engine, literal
from warehouse.lake import see, seen_at, was_seen
from warehouse.landing import declared_as_of, land
from warehouse.project import Project
from warehouse.versions import keep_newest

ACCOUNTS = {"account": {"columns": {"source_id": {"from": "id"}, "name": {"from": "name"}}}}


def crm(scope: str = "full", **keys: Any) -> SystemContract:
    return contract("crm", ACCOUNTS, scope=scope, **keys)


def accounts(ids: Iterable[int | str]) -> str:
    return "id,name\n" + "".join(f"{each},Name {each}\n" for each in ids)


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return connection.execute(sql).fetchall()


def deleted(connection: duckdb.DuckDBPyConnection, table: str = "account") -> list[str]:
    found = rows(
        connection, f"select distinct source_id from staged.{table} where is_deleted and deleted_reason = 'absent_from_full_export'"
    )  # fmt: skip
    return sorted((row[0] for row in found), key=lambda each: (len(each), each))


def drops(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    """Of each full drop: its day, records, those in the last believed one, is it believed, absent."""
    return rows(
        connection,
        "select strftime(drop_at, '%m-%d'), records, records_before, is_believed, records_absent from audit.full_drop order by drop_at",
    )


def put(here: Project, ids: Sequence[int | str], day: str, system: str = "crm", entity: str = "records") -> None:
    """A file of these accounts that landed at two in the morning of the day."""
    cells = [[str(each), f"Name {each}"] for each in ids]
    write_csv(here, system, entity, ["id", "name"], cells, landed_at=f"2026-{day}T02:00:00")


def test_what_a_full_drop_lacks_was_deleted_and_a_first_drop_deletes_nothing(tmp_path: Path) -> None:
    """
    | drop  | records | absent |
    |-------|---------|--------|
    | 01-31 | 1 to 10 | -      |
    | 02-28 | 1 to 9  | 10     |
    """
    here = project(tmp_path)
    put(here, range(1, 11), "01-31")
    first = staged(here, crm())
    assert deleted(first) == []
    assert drops(first) == [("01-31", 10, None, True, 0)]
    put(here, range(1, 10), "02-28")
    second = staged(here, crm())
    assert deleted(second) == ["10"]
    assert rows(second, "select distinct is_deleted, deleted_reason from staged.account where source_id <> '10'") == [
        (None, None)
    ]
    assert drops(second) == [("01-31", 10, None, True, None), ("02-28", 9, 10, True, 1)]


@pytest.mark.parametrize(
    ("sizes", "share", "expected", "gone"),
    [
        # Exactly 80 % is believed, a record less is not.
        ((10, 8), 0.8, [(10, None, True, None), (8, 10, True, 2)], 2),
        ((10, 7), 0.8, [(10, None, True, 0), (7, 10, False, None)], 0),
        ((5, 4), 0.8, [(5, None, True, None), (4, 5, True, 1)], 1),
        # The next is held against the last that was believed: 8 of 10, not 8 of 3; and 7 is too small still.
        ((10, 3, 8), 0.8, [(10, None, True, None), (3, 10, False, None), (8, 10, True, 2)], 2),
        ((10, 3, 7), 0.8, [(10, None, True, 0), (3, 10, False, None), (7, 10, False, None)], 0),
        ((10, 8, 7), 0.8, [(10, None, True, None), (8, 10, True, None), (7, 8, True, 3)], 3),
        # A drop with nothing in it is no reason to delete everybody.
        ((10, 0), 0.8, [(10, None, True, 0), (0, 10, False, None)], 0),
        ((10, 7), 0.5, [(10, None, True, None), (7, 10, True, 3)], 3),
        ((10, 9), 1, [(10, None, True, 0), (9, 10, False, None)], 0),
    ],
)
def test_a_full_drop_much_smaller_than_the_last_believed_one_deletes_nothing(
    tmp_path: Path, sizes: Sequence[int], share: float, expected: list[tuple[Any, ...]], gone: int
) -> None:
    here = project(tmp_path, limits={"full_drop_share": share})
    for month, size in enumerate(sizes, 1):
        put(here, range(size), f"{month:02d}-28")
    connection = staged(here, crm())
    assert [row[1:] for row in drops(connection)] == expected
    assert len(deleted(connection)) == gone


def test_a_drop_that_is_not_believed_says_why_and_what_to_do(tmp_path: Path) -> None:
    here = project(tmp_path)
    put(here, range(10), "01-31")
    put(here, range(3), "02-28")
    connection = staged(here, crm())
    assert rows(connection, "select system, entity, drop_at, message from audit.full_drop order by drop_at") == [
        ("crm", "records", dt.datetime(2026, 1, 31, 2), ""),
        (
            "crm",
            "records",
            dt.datetime(2026, 2, 28, 2),
            "it holds 3 records and the full drop before 10, fewer than limits.full_drop_share (0.8) of them: nothing was "
            "taken as deleted. Export it again, or lower that limit if it is right",
        ),
    ]


def test_rows_that_were_quarantined_are_not_in_the_drop(tmp_path: Path) -> None:
    """A broken export is as small as what can be read of it."""
    here = project(tmp_path)
    put(here, range(10), "01-31")
    put(here, [*range(4), *["1.03006E+13"] * 6], "02-28")
    connection = staged(here, crm())
    assert drops(connection) == [("01-31", 10, None, True, 0), ("02-28", 4, 10, False, None)]
    assert deleted(connection) == []


def test_a_record_that_comes_back_is_there_again(tmp_path: Path) -> None:
    here = project(tmp_path)
    put(here, range(10), "01-31")
    put(here, range(9), "02-28")
    put(here, range(10), "03-31")
    connection = staged(here, crm())
    assert deleted(connection) == []
    assert drops(connection)[-1] == ("03-31", 10, 9, True, 0)


def test_a_small_drop_that_has_a_record_shows_that_it_is_there(tmp_path: Path) -> None:
    """9 is missing from the last believed drop, and in a later one that is too small to say what is missing."""
    here = project(tmp_path)
    put(here, range(10), "01-31")
    put(here, range(8), "02-28")
    put(here, [9], "03-31")
    connection = staged(here, crm())
    assert deleted(connection) == ["8"]
    assert [row[3:] for row in drops(connection)] == [(True, None), (True, 1), (False, None)]


@pytest.mark.parametrize(("of_contract", "of_settings"), [("delta", None), ("window", None), ("full", "delta")])
def test_absence_from_a_delta_or_window_means_nothing(
    tmp_path: Path, of_contract: str, of_settings: str | None
) -> None:
    here = project(tmp_path, systems={"crm": {"scope": of_settings}})
    put(here, range(10), "01-31")
    put(here, range(9), "02-28")
    connection = staged(here, crm(of_contract))
    assert deleted(connection) == []
    assert drops(connection) == []


def test_the_configuration_can_say_that_a_drop_is_full(tmp_path: Path) -> None:
    here = project(tmp_path, systems={"crm": {"scope": "full"}})
    put(here, range(10), "01-31")
    put(here, range(9), "02-28")
    assert deleted(staged(here, crm("window"))) == ["9"]


def two_entities(second: str = "delta") -> SystemContract:
    columns = ACCOUNTS["account"]["columns"]
    tables = {"account": {"columns": columns}}
    return SystemContract.model_validate(
        {
            "system": "crm", "title": "CRM", "kind": "crm", "timezone": "UTC",
            "entities": {
                "list": {"recognise": {"headers": ["id"]}, "scope": "full", "tables": tables},
                "report": {"recognise": {"headers": ["id", "x"]}, "scope": second, "tables": tables},
            },
        }
    )  # fmt: skip


def test_an_entitys_full_drop_says_nothing_of_what_only_another_entity_has(tmp_path: Path) -> None:
    """
    | record | in the list of | in a report of | is      |
    |--------|----------------|----------------|---------|
    | 1      | January, March |                | there   |
    | 2      | January        |                | deleted |
    | 3      | January        | February       | deleted |
    | 4      | January        | April          | there   |
    | 5      |                | February       | there   |
    """
    here = project(tmp_path)
    rest = range(10, 30)
    put(here, [1, 2, 3, 4, *rest], "01-31", entity="list")
    put(here, [3, 5], "02-28", entity="report")
    put(here, [1, *rest], "03-31", entity="list")
    put(here, [4], "04-30", entity="report")
    connection = staged(here, two_entities())
    assert deleted(connection) == ["2", "3"]
    # The deletion is of the record, whichever file its version is from.
    assert rows(connection, "select is_deleted from staged.account where source_id = '3'") == [(True,), (True,)]


def test_each_entity_and_system_has_drops_of_its_own(tmp_path: Path) -> None:
    here = project(tmp_path)
    put(here, range(10), "01-31", entity="list")
    put(here, range(9), "02-28", entity="report")
    put(here, range(10), "01-31", system="other")
    put(here, range(9), "02-28", system="other")
    connection = staged(here, two_entities("full"), contract("other", ACCOUNTS, scope="full"))
    assert rows(connection, "select system, entity, records, records_before from audit.full_drop order by all") == [
        ("crm", "list", 10, None),
        ("crm", "report", 9, None),
        ("other", "records", 9, 10),
        ("other", "records", 10, None),
    ]
    assert rows(connection, "select distinct source_system from staged.account where is_deleted") == [("other",)]


@settings(max_examples=15)
@given(st.lists(st.frozensets(st.integers(0, 9), max_size=10), min_size=1, max_size=5))
def test_the_deleted_are_those_known_and_in_no_drop_since_the_last_believed(found: list[frozenset[int]]) -> None:
    """Against the rule worked out drop by drop."""
    last, place = None, 0
    for number, ids in enumerate(found):
        if last is None or len(ids) >= 0.8 * last:
            last, place = len(ids), number
    gone = frozenset().union(*found) - frozenset().union(*found[place:])
    with tempfile.TemporaryDirectory() as folder:
        here = project(Path(folder))
        for month, ids in enumerate(found, 1):
            put(here, sorted(ids), f"{month:02d}-28")
        connection = staged(here, crm())
        assert deleted(connection) == sorted(map(str, gone))
        assert rows(connection, "select sum(records_absent) from audit.full_drop") == [(len(gone),)]


def known(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    return rows(
        connection,
        "select name, strftime(known_at, '%m-%d %H:%M'), strftime(drop_at, '%m-%d %H:%M') from audit.file order by name",
    )


def test_a_folder_called_by_a_day_is_the_drop_of_that_day_whenever_it_lands(tmp_path: Path) -> None:
    """All three are put in at once, on 30 June, in the order of their names and not of their days."""
    here = project(tmp_path)
    for day, ids in (("2026-01-31", range(10)), ("2026-03-31", range(9)), ("2026-02-28", [*range(8), 11, 12])):
        path = here.inbox / "crm" / day / "accounts.csv"
        path.parent.mkdir(parents=True)
        path.write_text(accounts(ids), encoding="utf-8")
    land(here, {"crm": crm()}, "crm", dt.datetime(2026, 6, 30, 2))
    connection = staged(here, crm())
    assert [row[0] for row in drops(connection)] == ["01-31", "02-28", "03-31"]
    assert known(connection) == [
        ("2026-01-31/accounts.csv", "01-31 12:00", "01-31 12:00"),
        ("2026-02-28/accounts.csv", "02-28 12:00", "02-28 12:00"),
        ("2026-03-31/accounts.csv", "03-31 12:00", "03-31 12:00"),
    ]
    assert deleted(connection) == ["9", "11", "12"]


def test_the_same_bytes_in_a_later_folder_are_there_again_and_were_known_before(tmp_path: Path) -> None:
    """An export in two files, of which only one changes from January to February.

    | folder     | a.csv  | b.csv  |
    |------------|--------|--------|
    | 2026-01-31 | 1 to 5 | 6 to 9 |
    | 2026-02-28 | (same) | 6 to 8 |
    """
    here = project(tmp_path)
    drop(here, crm(), "2026-01-31/a.csv", accounts(range(1, 6)), "2026-02-01T02:00:00")
    drop(here, crm(), "2026-01-31/b.csv", accounts(range(6, 10)), "2026-02-01T02:00:00")
    drop(here, crm(), "2026-02-28/a.csv", accounts(range(1, 6)), "2026-03-01T02:00:00")
    drop(here, crm(), "2026-02-28/b.csv", accounts(range(6, 9)), "2026-03-01T02:00:00")
    connection = staged(here, crm())
    assert deleted(connection) == ["9"]
    assert drops(connection) == [("01-31", 9, None, True, None), ("02-28", 8, 9, True, 1)]
    assert known(connection) == [
        ("2026-01-31/a.csv", "01-31 12:00", "02-28 12:00"),
        ("2026-01-31/b.csv", "01-31 12:00", "01-31 12:00"),
        ("2026-02-28/b.csv", "02-28 12:00", "02-28 12:00"),
    ]


def test_an_archive_is_one_drop_also_of_the_files_that_did_not_change(tmp_path: Path) -> None:
    here = project(tmp_path)
    a, b, changed = accounts(range(1, 6)), accounts(range(6, 10)), accounts(range(6, 9))
    drop(here, crm(), "weekly_1.zip", zipped({"a.csv": a, "b.csv": b}), "2026-01-31T02:00:00")
    drop(here, crm(), "weekly_2.zip", zipped({"a.csv": a, "b.csv": changed}), "2026-02-28T02:00:00")
    # A night later all of them lie in the inbox still: no drop of that night.
    land(here, {"crm": crm()}, "crm", dt.datetime(2026, 3, 1, 2))
    connection = staged(here, crm())
    assert deleted(connection) == ["9"]
    assert drops(connection) == [("01-31", 9, None, True, None), ("02-28", 8, 9, True, 1)]


def test_an_archive_called_by_a_day_is_the_drop_of_that_day(tmp_path: Path) -> None:
    here = project(tmp_path)
    a, b, changed = accounts(range(1, 6)), accounts(range(6, 10)), accounts(range(6, 9))
    drop(here, crm(), "2026-02-28.zip", zipped({"a.csv": a, "b.csv": changed}), "2026-06-30T02:00:00")
    drop(here, crm(), "2026-01-31.zip", zipped({"a.csv": a, "b.csv": b}), "2026-06-30T02:00:00")
    connection = staged(here, crm())
    assert drops(connection) == [("01-31", 9, None, True, None), ("02-28", 8, 9, True, 1)]
    assert deleted(connection) == ["9"]


def test_the_same_bytes_without_a_day_or_archive_are_no_drop_of_their_own(tmp_path: Path) -> None:
    """Files stay in the inbox: the next night sees them again, and so it does under another name."""
    here = project(tmp_path)
    drop(here, crm(), "a.csv", accounts(range(5)), "2026-01-31T02:00:00")
    drop(here, crm(), "copy of a.csv", accounts(range(5)), "2026-02-28T02:00:00")
    assert seen_at(here.lake) == {}
    assert drops(staged(here, crm())) == [("01-31", 5, None, True, 0)]


def test_a_folder_of_a_day_that_has_not_come_is_warned_of(tmp_path: Path) -> None:
    here = project(tmp_path)
    (told,) = drop(here, crm(), "2026-12-31/a.csv", accounts(range(5)), "2026-06-30T02:00:00")
    assert told.status == "landed"
    assert "its folder says 2026-12-31, a day that has not come yet" in told.message


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("2026-06-30/invoices.csv", "2026-06-30"),
        ("old/2026-06-30/2026-07-31/part/invoices.csv", "2026-07-31"),
        ("2026-06-30.zip!invoices.csv", "2026-06-30"),
        ("2026-06-30/weekly.zip!2026-05-31/invoices.csv", "2026-05-31"),
        ("2026-06-30/book.xlsx!Accounts", "2026-06-30"),
        # No such day: the folder outside it counts.
        ("2026-06-30/2026-02-30/invoices.csv", "2026-06-30"),
        # The file's own name says nothing, nor does a part of a folder's.
        ("2026-06-30.csv", None),
        ("2026-06-30", None),
        ("export 2026-06-30/invoices.csv", None),
        ("2026-06/invoices.csv", None),
        ("20260630/invoices.csv", None),
        ("2026-02-30/invoices.csv", None),
        ("invoices.csv", None),
    ],
)
def test_the_innermost_folder_called_by_a_day_declares_it(name: str, day: str | None) -> None:
    expected = dt.datetime.fromisoformat(f"{day}T12:00:00") if day else None
    assert declared_as_of(name) == expected


def test_what_was_seen_again_is_noted_once_for_each_time(tmp_path: Path) -> None:
    lake = tmp_path / "lake" / "raw"
    first, second = dt.datetime(2026, 1, 31, 12), dt.datetime(2026, 2, 28, 12, 0, 1)
    assert (seen_at(lake), was_seen(lake, "crm", "ab")) == ({}, False)
    for time in (second, first, second):
        see(lake, "crm", "ab", time)
    see(lake, "desk", "ab", first)
    assert seen_at(lake) == {("crm", "ab"): [first, second], ("desk", "ab"): [first]}
    assert was_seen(lake, "crm", "ab")
    assert not was_seen(lake, "crm", "a")


TICKETS = {
    "ticket": {
        "columns": {
            "source_id": {"from": "id"},
            "subject": {"from": "subject"},
            "priority": {"from": "priority"},
            "source_updated_at": {"from": "updated", "type": "timestamp", "format": "iso"},
            "is_deleted": {"from": "deleted", "type": "boolean"},
        }
    }
}


def newest(here: Project, *contracts: SystemContract, table: str, columns: str) -> list[tuple[Any, ...]]:
    """The rows that stay, as a night leaves them."""
    engine = Engine.open(here.root / "warehouse.duckdb", threads=2, memory="500MB", query_seconds=30)
    try:
        engine.execute(f"attach {literal(':memory:')} as staged")
        stage(engine.connection, here, {each.system: each for each in contracts})
        keep_newest(engine, [table])
        return engine.execute(f"select {columns} from staged.{table} order by all").fetchall()
    finally:
        engine.close()
        engine.path.unlink()


def test_a_version_without_a_column_keeps_what_was_known_and_an_empty_one_is_empty(tmp_path: Path) -> None:
    """
    | landed | id  | subject | priority    | the ticket is then |
    |--------|-----|---------|-------------|--------------------|
    | 01     | T-1 | printer | high        | printer, high      |
    | 02     | T-1 | scanner | (no column) | scanner, high      |
    | 01     | T-2 | mouse   | low         | mouse, low         |
    | 03     | T-2 | mouse   | (empty)     | mouse, -           |
    | 02     | T-3 | cable   | (no column) | cable, -           |
    """
    here = project(tmp_path)
    full, short = ["id", "subject", "priority"], ["id", "subject"]
    write_csv(
        here, "desk", "records", full, [["T-1", "printer", "high"], ["T-2", "mouse", "low"]], landed_at="2026-01-01T00:00:00"
    )  # fmt: skip
    write_csv(
        here, "desk", "records", short, [["T-1", "scanner"], ["T-3", "cable"]], landed_at="2026-01-02T00:00:00"
    )  # fmt: skip
    write_csv(here, "desk", "records", full, [["T-2", "mouse", ""]], landed_at="2026-01-03T00:00:00")
    desk = contract("desk", TICKETS)
    assert newest(here, desk, table="ticket", columns="source_id, subject, priority") == [
        ("T-1", "scanner", "high"),
        ("T-2", "mouse", None),
        ("T-3", "cable", None),
    ]


def test_what_is_completed_is_the_newest_that_was_told_also_when_that_was_nothing(tmp_path: Path) -> None:
    here = project(tmp_path)
    full = ["id", "subject", "priority"]
    write_csv(
        here, "desk", "records", full, [["T-1", "a", "low"], ["T-2", "a", "low"]], landed_at="2026-01-01T00:00:00"
    )
    write_csv(here, "desk", "records", full, [["T-1", "b", "high"], ["T-2", "b", ""]], landed_at="2026-01-02T00:00:00")
    write_csv(here, "desk", "records", ["id"], [["T-1"], ["T-2"]], landed_at="2026-01-03T00:00:00")
    desk = contract("desk", TICKETS)
    assert newest(here, desk, table="ticket", columns="source_id, subject, priority") == [
        ("T-1", "b", "high"),
        ("T-2", "b", None),
    ]


def test_a_json_file_without_a_key_keeps_what_was_known_and_a_null_empties_it(tmp_path: Path) -> None:
    """
    | landed | ticket 1           | ticket 2           | in a file whose records                |
    |--------|--------------------|--------------------|----------------------------------------|
    | 01     | printer, high      | mouse, low         | have both keys                         |
    | 02     | scanner            |                    | have no key priority                   |
    | 03     |                    | mouse, null        | have both keys                         |
    """
    here = project(tmp_path)
    desk = contract("desk", TICKETS, format="json", recognise={"fields": ["id"]})
    told = [
        [{"id": "1", "subject": "printer", "priority": "high"}, {"id": "2", "subject": "mouse", "priority": "low"}],
        [{"id": "1", "subject": "scanner"}],
        [{"id": "2", "subject": "mouse", "priority": None}],
    ]
    for day, records in enumerate(told, 1):
        write_json(here, "desk", "records", records, landed_at=f"2026-01-{day:02d}T00:00:00")
    assert newest(here, desk, table="ticket", columns="source_id, subject, priority") == [
        ("1", "scanner", "high"),
        ("2", "mouse", None),
    ]


def test_another_entitys_report_does_not_erase_what_a_list_told(tmp_path: Path) -> None:
    here = project(tmp_path)
    write_csv(here, "crm", "list", ["id", "name"], [["1", "Alfa"]], landed_at="2026-01-01T00:00:00")
    write_csv(here, "crm", "report", ["id", "x"], [["1", "?"], ["2", "?"]], landed_at="2026-01-02T00:00:00")
    assert newest(here, two_entities(), table="account", columns="source_id, name") == [("1", "Alfa"), ("2", None)]


def test_key_columns_are_the_newest_versions_own(tmp_path: Path) -> None:
    """An old export said that the ticket was deleted; a newer one without that column does not."""
    here = project(tmp_path)
    write_csv(
        here, "desk", "records", ["id", "subject", "updated", "deleted"], [["T-1", "a", "2026-01-01", "true"]],
        landed_at="2026-01-01T00:00:00",
    )  # fmt: skip
    write_csv(here, "desk", "records", ["id", "subject"], [["T-1", "b"]], landed_at="2026-01-02T00:00:00")
    desk = contract("desk", TICKETS)
    assert newest(here, desk, table="ticket", columns="subject, is_deleted, source_updated_at") == [("b", None, None)]


@pytest.mark.parametrize("more", [[], ["note"]], ids=["files of one shape", "files of two shapes"])
def test_a_value_that_needs_no_column_is_not_erased_where_no_version_has_the_column(
    tmp_path: Path, more: list[str]
) -> None:
    """The system's currency, and an expression's `else`: that another record's file has those columns changes nothing."""
    here = project(tmp_path)
    columns = {
        "source_id": {"from": "id"},
        "net": {"from": "amount", "type": "money"},
        "currency": {"from": "currency"},
        "code": {"from": "code", "helper": True},
        "kind": {"sql": "case when code = 'C' then 'credit_note' else 'invoice' end"},
    }
    shop = contract("shop", {"invoice": {"columns": columns}}, currency="DKK")
    whole = ["id", "amount", "currency", "code"]
    write_csv(here, "shop", "records", whole, [["9", "1", "EUR", "C"]], landed_at="2026-01-01T00:00:00")
    write_csv(here, "shop", "records", ["id", "amount"], [["1", "1"]], landed_at="2026-01-02T00:00:00")
    write_csv(
        here, "shop", "records", ["id", "amount", *more], [["1", "2", *more]], landed_at="2026-01-03T00:00:00"
    )  # fmt: skip
    assert newest(here, shop, table="invoice", columns="source_id, net::int, currency, kind") == [
        ("1", 2, "DKK", "invoice"),
        ("9", 1, "EUR", "credit_note"),
    ]


def test_a_record_was_known_since_its_first_drop(tmp_path: Path) -> None:
    here = project(tmp_path)
    drop(here, crm(), "2026-02-28/a.csv", accounts([1, 2]), "2026-06-30T02:00:00")
    drop(here, crm(), "2026-01-31/a.csv", "id,name\n1,Old name\n", "2026-06-30T02:00:00")
    drop(here, crm(), "2026-03-31/a.csv", accounts([1, 2, 3]), "2026-06-30T02:00:00")
    found = newest(
        here, crm(), table="account",
        columns="source_id, name, strftime(known_at, '%m-%d'), strftime(drop_at, '%m-%d'), strftime(landed_at, '%m-%d')",
    )  # fmt: skip
    assert found == [
        ("1", "Name 1", "01-31", "03-31", "06-30"),
        ("2", "Name 2", "02-28", "03-31", "06-30"),
        ("3", "Name 3", "03-31", "03-31", "06-30"),
    ]


def test_the_newer_drop_wins_also_when_it_landed_first(tmp_path: Path) -> None:
    here = project(tmp_path)
    drop(here, crm(), "2026-02-28/a.csv", "id,name\n1,new\n", "2026-03-01T02:00:00")
    drop(here, crm(), "2026-01-31/a.csv", "id,name\n1,old\n", "2026-06-30T02:00:00")
    assert newest(here, crm(), table="account", columns="name") == [("new",)]


def test_a_content_that_is_dropped_again_is_the_newest_again(tmp_path: Path) -> None:
    """A name is changed in February and changed back in March: the third drop has the bytes of the first."""
    here = project(tmp_path)
    for day, name in (("2026-01-31", "old"), ("2026-02-28", "new"), ("2026-03-31", "old")):
        drop(here, crm(), f"{day}/a.csv", f"id,name\n1,{name}\n")
    assert newest(here, crm(), table="account", columns="name") == [("old",)]


BILLS = {
    "invoice": {
        "columns": {
            "source_id": {"from": "id"},
            "source_updated_at": {"from": "at", "type": "timestamp", "format": "iso"},
        }
    },
    "invoice_line": {
        "each": "lines",
        "part_of": "invoice",
        "columns": {
            "source_id": {"from": "id"},
            "invoice_source_id": {"from": "^.id"},
            "product": {"from": "what"},
        },
    },
}
JSON_BILLS = contract("pay", BILLS, format="json", recognise={"fields": ["id"]})


def bill(number: str, at: str | None, *lines: str) -> dict[str, Any]:
    """A JSON invoice; a line `a=x` is the line a of the product x."""
    told = [dict(zip(("id", "what"), (f"{number}{line[0]}", line[2:]), strict=True)) for line in lines]
    return {"id": number, "at": at, "lines": told}


def lines_of(here: Project, *contracts: SystemContract) -> list[tuple[Any, ...]]:
    return newest(here, *contracts, table="invoice_line", columns="source_id, product")


@pytest.mark.parametrize("newer_lands_first", [False, True])
def test_a_line_that_a_newer_version_lacks_is_gone(tmp_path: Path, newer_lands_first: bool) -> None:
    """
    | version    | invoice 1 has | invoice 2 has |
    |------------|---------------|---------------|
    | 1 January  | a, b          | c             |
    | 2 January  | a (changed)   |               |
    """
    here = project(tmp_path)
    old, new = ("2026-02-02", "2026-02-01") if newer_lands_first else ("2026-02-01", "2026-02-02")
    write_json(
        here, "pay", "records", [bill("1", "2026-01-01", "a=x", "b=x"), bill("2", "2026-01-01", "c=x")],
        landed_at=f"{old}T00:00:00",
    )  # fmt: skip
    write_json(here, "pay", "records", [bill("1", "2026-01-02", "a=y")], landed_at=f"{new}T00:00:00")
    assert lines_of(here, JSON_BILLS) == [("1a", "y"), ("2c", "x")]


def test_a_newer_version_without_any_line_has_none(tmp_path: Path) -> None:
    here = project(tmp_path)
    write_json(here, "pay", "records", [bill("1", "2026-01-01", "a=x")], landed_at="2026-02-01T00:00:00")
    write_json(here, "pay", "records", [bill("1", "2026-01-02")], landed_at="2026-02-02T00:00:00")
    assert lines_of(here, JSON_BILLS) == []


def test_without_a_clock_of_its_own_the_later_drops_lines_count(tmp_path: Path) -> None:
    here = project(tmp_path)
    write_json(here, "pay", "records", [bill("1", None, "a=x", "b=x")], landed_at="2026-02-02T00:00:00")
    write_json(here, "pay", "records", [bill("1", None, "b=y", "c=y")], landed_at="2026-02-01T00:00:00")
    assert lines_of(here, JSON_BILLS) == [("1a", "x"), ("1b", "x")]


def test_two_versions_in_one_file_leave_the_lines_of_the_newer(tmp_path: Path) -> None:
    """A file of pages or events holds an invoice as it was and as it became."""
    here = project(tmp_path)
    write_json(here, "pay", "records", [bill("1", "2026-01-01", "a=x", "b=x"), bill("1", "2026-01-02", "a=x", "c=x")])
    assert lines_of(here, JSON_BILLS) == [("1a", "x"), ("1c", "x")]


LINE_CSV = {
    "invoice": {"once": True, "columns": {"source_id": {"from": "invoice"}}},
    "invoice_line": {
        "part_of": "invoice",
        "columns": {
            "invoice_source_id": {"from": "invoice"},
            "line_no": {"count_in": "invoice_source_id"},
            "source_id": {"sql": "invoice_source_id || ':' || line_no"},
            "product": {"from": "product"},
        },
    },
}


def test_in_a_csv_of_lines_those_of_the_newest_file_count(tmp_path: Path) -> None:
    here = project(tmp_path)
    shop = contract("shop", LINE_CSV, recognise={"headers": ["invoice", "product"]})
    drop(here, shop, "2026-01-31/lines.csv", "invoice,product\n1,x\n1,y\n1,z\n2,x\n")
    drop(here, shop, "2026-02-28/lines.csv", "invoice,product\n1,x\n1,z\n3,x\n")
    assert lines_of(here, shop) == [("1:1", "x"), ("1:2", "z"), ("2:1", "x"), ("3:1", "x")]


def test_a_newer_version_of_another_entity_leaves_the_lines_as_they_are(tmp_path: Path) -> None:
    """A list of invoices, without lines, is exported after the lines: it says nothing of them."""
    here = project(tmp_path)
    header = {"invoice": {"columns": {"source_id": {"from": "invoice"}, "status": {"from": "status"}}}}
    shop = SystemContract.model_validate(
        {
            "system": "shop", "title": "Shop", "kind": "billing", "timezone": "UTC",
            "entities": {
                "line_list": {"recognise": {"headers": ["invoice", "product"]}, "tables": LINE_CSV},
                "invoice_list": {"recognise": {"headers": ["invoice", "status"]}, "tables": header},
            },
        }
    )  # fmt: skip
    drop(here, shop, "2026-01-31/lines.csv", "invoice,product\n1,x\n1,y\n")
    drop(here, shop, "2026-02-28/invoices.csv", "invoice,status\n1,paid\n")
    assert lines_of(here, shop) == [("1:1", "x"), ("1:2", "y")]
    assert newest(here, shop, table="invoice", columns="source_id, status") == [("1", "paid")]


def test_comments_of_a_repeated_header_are_those_of_the_newest_export(tmp_path: Path) -> None:
    """A comment that was deleted is gone with the next export, also where that has fewer columns for comments."""
    here = project(tmp_path)
    tables = {
        "ticket": {"columns": {"source_id": {"from": "key"}}},
        "ticket_comment": {
            "each": "Comment",
            "part_of": "ticket",
            "columns": {
                "ticket_source_id": {"from": "^.key"},
                "comment_no": {"from": "#", "type": "integer"},
                "author_source_id": {"from": "."},
                "source_id": {"sql": "ticket_source_id || ':' || comment_no"},
            },
        },
    }
    desk = contract("desk", tables, recognise={"headers": ["key"]})
    drop(here, desk, "2026-01-31/issues.csv", "key,Comment,Comment,Comment\n1,anna,bo,carl\n2,anna,,\n3,dora,,\n")
    drop(here, desk, "2026-02-28/issues.csv", "key,Comment\n1,bo\n2,\n")
    found = newest(here, desk, table="ticket_comment", columns="ticket_source_id, comment_no, author_source_id")
    assert found == [("1", 1, "bo"), ("3", 1, "dora")]


VERSIONS = st.lists(
    st.tuples(st.sampled_from("12"), st.integers(1, 3), st.frozensets(st.sampled_from("abc"))), min_size=1, max_size=5
)


@settings(max_examples=15)
@given(VERSIONS)
def test_whatever_the_versions_the_lines_are_those_of_the_newest(
    versions: list[tuple[str, int, frozenset[str]]],
) -> None:
    """Each version in a file of its own; of two with one clock the later file."""
    expected = {number: (at, place, lines) for place, (number, at, lines) in reversed([*enumerate(versions)])}
    for place, (number, at, lines) in enumerate(versions):
        expected[number] = max(expected[number], (at, place, lines), key=lambda each: each[:2])
    with tempfile.TemporaryDirectory() as folder:
        here = project(Path(folder))
        for place, (number, at, lines) in enumerate(versions, 1):
            told = bill(number, f"2026-01-0{at}", *(f"{line}=x" for line in sorted(lines)))
            write_json(here, "pay", "records", [told], landed_at=f"2026-02-{place:02d}T00:00:00")
        found = lines_of(here, JSON_BILLS)
    assert found == sorted((f"{number}{line}", "x") for number, (_, _, lines) in expected.items() for line in lines)
