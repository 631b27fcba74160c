"""What a file is, by its content."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.warehouse.inboxes import contract, workbook, zipped
from warehouse.project import SystemSettings
from warehouse.recognition import (
    TableColumn,
    UnrecognisedError,
    column_names,
    compare,
    entity_of_record_sql,
    kind_of,
    recognise_csv,
    recognise_sheet,
    table_columns,
    unknown_records_message,
    wanted_headers,
)
from warehouse.records import UnreadableError
from warehouse.sheets import filled_sheets

KINDS = [
    (b"", "empty"),
    (b"\xef\xbb\xbf \r\n", "empty"),
    (zipped({}), "empty"),
    (zipped({"a.csv": "x"}), "archive"),
    (workbook([["a"]]), "xlsx"),
    (b"a,b\n", "csv"),
    (b"[CHART] Date of First Response,Key\n", "csv"),
    (b"{curly} header,b\n", "csv"),
    (b'\xef\xbb\xbf\n [ {"a":1}]', "json list"),
    (b"[]", "json list"),
    (b'{"a":1}\n{"a":2}\n', "json lines"),
    (b'{"a":\n{"a":2}\n', "json lines"),
    (b'{"a":' + b"1" * 2_000_000, "json lines"),
    (b'{\n  "a": 1\n}\n', "json objects"),
    (b'{"object":"list","data":[', "json pages"),
]


@pytest.mark.parametrize(("content", "kind"), KINDS)
def test_the_kind_of_a_file_is_told_by_its_first_bytes(tmp_path: Path, content: bytes, kind: str) -> None:
    path = tmp_path / "whatever.name"
    path.write_bytes(content)
    assert kind_of(path) == kind


def test_column_names_are_headers_without_outer_spaces_and_never_landings_own() -> None:
    assert column_names([" Id", "", "a b", "_ROW", "file_row_number"]) == (
        "Id",
        "column_2",
        "a b",
        "_ROW_",
        "file_row_number_",
    )


def test_headers_that_differ_by_case_only_share_a_column_in_the_place_of_the_first() -> None:
    assert table_columns(["Tag", "Ærø", "TAG", "ærø", "x"]) == [
        TableColumn("Tag", (0, 2)),
        TableColumn("Ærø", (1, 3)),
        TableColumn("x", (4,)),
    ]


def test_the_users_own_header_comes_before_the_contracts() -> None:
    own = SystemSettings(columns={"ticket": {"status": "Zustand", "priority": "Wichtig"}, "nowhere": {"x": "y"}})
    wanted = wanted_headers(contract().entities["tickets"], own)
    assert wanted["ticket.status"] == (("Zustand", "Status", "State"), True)
    assert wanted["ticket.priority"] == (("Wichtig",), False)
    assert "nowhere.x" not in wanted


def test_the_contract_is_compared_with_the_headers_in_both_directions() -> None:
    layout = compare("tickets", ("TICKET ID", "Subject", "Mood"), contract(), None)
    assert (layout.missing, layout.unknown) == (("ticket.status", "ticket.tags"), ("Mood",))


def test_each_entity_reads_the_header_in_its_own_dialect(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("A title\nTicket ID;Subject;Status\n1;a;open\n")
    assert recognise_csv(path, contract(delimiter=";", title_lines=1), None).entity == "tickets"
    path.write_text("Org ID,Name\n1,a\n")
    assert recognise_csv(path, contract(delimiter=";", title_lines=1), None).entity == "organisations"


def test_a_sheet_lacking_a_required_column_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(workbook([["Ticket ID", "Subject"]]))
    with (
        filled_sheets(path, 10**9) as (sheet,),
        pytest.raises(UnreadableError, match=r"it is tickets, but lacks the required column Status or State"),
    ):
        recognise_sheet(sheet, contract(), None)


def test_a_file_between_two_stools_is_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("Foo,Bar\n1,2\n")
    with pytest.raises(UnrecognisedError, match=r"has these headers \(Foo, Bar\)"):
        recognise_csv(path, contract(), None)


@pytest.mark.parametrize(
    ("record", "entity"),
    [
        ('{"ticket":{"id":1}}', "ticket_records"),
        ('{"ticket":"1"}', None),
        ('{"object":"customer","id":1,"email":"x"}', "customers"),
        ('{"object":"invoice"}', None),
        ('{"id":1,"email":null}', "people"),
        ('{"id":1}', None),
        ("[1]", None),
    ],
)
def test_the_entity_of_a_record_is_told_by_wrapper_object_or_fields(record: str, entity: str | None) -> None:
    query = f"select {entity_of_record_sql(contract())} from (select ? as record)"
    assert duckdb.execute(query, [record]).fetchall() == [(entity,)]


def test_of_two_entities_known_by_fields_the_one_with_more_comes_first() -> None:
    known = contract()
    richer = known.entities["people"].model_copy(
        update={"recognise": known.entities["people"].recognise.model_copy(update={"fields": ("id", "email", "role")})}
    )
    known.entities["staff"] = richer
    query = f"select {entity_of_record_sql(known)} from (select ? as record)"
    assert duckdb.execute(query, ['{"id":1,"email":"x","role":"y"}']).fetchall() == [("staff",)]
    assert duckdb.execute(query, ['{"id":1,"email":"x"}']).fetchall() == [("people",)]


def test_an_unknown_record_is_described_by_its_keys() -> None:
    assert "has these keys (a, b)" in unknown_records_message('{"a":1,"b":2}', contract())
    assert "has these keys (none)" in unknown_records_message("nonsense", contract())
