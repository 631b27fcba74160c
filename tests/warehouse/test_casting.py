"""Casting: lake files in, typed rows and a quarantine out."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.lake import contract, project, staged, write_csv, write_json
from warehouse.contracts import KEY_COLUMNS, staged_tables
from warehouse.errors import ConfigurationError

HEADERS = ["id", "opened", "minutes", "state"]
TICKET = {
    "ticket": {
        "columns": {
            "source_id": {"from": "id"},
            "created_at": {"from": "opened", "type": "timestamp", "format": "iso", "required": True},
            "first_response_min": {"from": "minutes", "type": "number"},
            "status": {"from": "state", "type": "enum", "map": {"new": "open", "done": "closed"}},
        }
    }
}
BILL = {
    "invoice": {
        "columns": {
            "source_id": {"from": "id"},
            "net": {"from": "amount", "type": "money"},
            "currency": {"from": "currency"},
        }
    }
}


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return connection.execute(sql).fetchall()


def quarantine(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    return rows(
        connection, "select row_number, column_name, rule, severity, raw_value from audit.quarantine order by all"
    )


def test_rows_are_cast_and_say_where_they_come_from(tmp_path: Path) -> None:
    here = project(tmp_path)
    path = write_csv(here, "desk", "records", HEADERS, [["T-1", "2026-06-01T08:00:00Z", "12.5", "NEW"]])
    connection = staged(here, contract("desk", TICKET))
    assert rows(
        connection,
        "select source_system, source_id, created_at, first_response_min, status, row_number, member, landed_at, scope, "
        "sha256 from staged.ticket",
    ) == [
        (
            "desk",
            "T-1",
            dt.datetime(2026, 6, 1, 8),
            12.5,
            "open",
            1,
            "",
            dt.datetime(2026, 6, 30, 2),
            "window",
            path.stem,
        )
    ]
    assert quarantine(connection) == []


def test_every_canonical_table_is_there_and_typed_also_without_a_source(tmp_path: Path) -> None:
    connection = staged(project(tmp_path))
    types = {
        "text": "VARCHAR",
        "texts": "VARCHAR[]",
        "integer": "BIGINT",
        "number": "DOUBLE",
        "decimal": "DECIMAL(18,4)",
        "rate": "DECIMAL(20,10)",
        "date": "DATE",
        "timestamp": "TIMESTAMP",
        "boolean": "BOOLEAN",
    }
    for table, columns in staged_tables().items():
        made = {row[0]: row[1] for row in rows(connection, f'describe staged."{table}"')}
        assert made == {
            "source_system": "VARCHAR",
            "sha256": "VARCHAR",
            "member": "VARCHAR",
            "row_number": "BIGINT",
            "landed_at": "TIMESTAMP",
            "known_at": "TIMESTAMP",
            "drop_at": "TIMESTAMP",
            "scope": "VARCHAR",
            "deleted_reason": "VARCHAR",
            **{name: types[kind] for name, kind in {**KEY_COLUMNS, **columns}.items()},
        }
        assert rows(connection, f'select count(*) from staged."{table}"') == [(0,)]


def test_what_does_not_fit_is_quarantined_with_its_rule(tmp_path: Path) -> None:
    """A row without its key or a required value is out; a row with another bad cell stays, with that cell empty.

    | record | opened     | minutes | state | row    |
    |--------|------------|---------|-------|--------|
    | 1      | 2026-06-01 | 5       | new   | loaded |
    | 2      | 01-06-2026 | 5       | new   | out    |
    | 3      |            | 5       | new   | out    |
    | 4      | 2026-06-01 | soon    | ?     | loaded |
    | 5      | 2026-06-01 | -5      |       | loaded |
    | 6 (no id) | 2026-06-01 | 5    | new   | out    |
    | 7 (1.03006E+13) | 2026-06-01 | 5 | new | out   |
    """
    here = project(tmp_path)
    write_csv(
        here, "desk", "records", HEADERS,
        [
            ["T-1", "2026-06-01", "5", "new"],
            ["T-2", "01-06-2026", "5", "new"],
            ["T-3", "", "5", "new"],
            ["T-4", "2026-06-01", "soon", "elsewhere"],
            ["T-5", "2026-06-01", "-5", ""],
            ["", "2026-06-01", "5", "new"],
            ["1.03006E+13", "2026-06-01", "5", "new"],
        ],
    )  # fmt: skip
    connection = staged(here, contract("desk", TICKET))
    assert rows(connection, "select source_id, first_response_min, status from staged.ticket order by row_number") == [
        ("T-1", 5.0, "open"),
        ("T-4", None, "unknown"),
        ("T-5", None, None),
    ]
    assert quarantine(connection) == [
        (2, "ticket.created_at", "unparseable_date", "row", "0…6 (10)"),
        (3, "ticket.created_at", "required_empty", "row", ""),
        (4, "ticket.first_response_min", "not_a_number", "cell", "… (4)"),
        (4, "ticket.status", "enum_unmapped", "cell", "e…e (9)"),
        (5, "ticket.first_response_min", "negative_duration", "cell", "… (2)"),
        (6, "ticket.source_id", "required_empty", "row", ""),
        (7, "ticket.source_id", "excel_broken_id", "row", "1…3 (11)"),
    ]


def test_a_quarantine_row_says_when_and_where_but_not_the_whole_text(tmp_path: Path) -> None:
    here = project(tmp_path)
    path = write_csv(here, "desk", "records", HEADERS, [["T-1", "someone@customer.example", "5", "new"]])
    connection = staged(here, contract("desk", TICKET))
    assert rows(
        connection, "select sha256, system, entity, raw_value, status, first_seen, last_seen from audit.quarantine"
    ) == [(path.stem, "desk", "records", "s…e (24)", "open", dt.date(2026, 6, 30), dt.date(2026, 6, 30))]


def test_headers_are_found_in_any_case_and_the_first_alias_that_is_there_wins(tmp_path: Path) -> None:
    here = project(tmp_path)
    tables = {"account": {"columns": {"source_id": {"from": "Id"}, "vat": {"from": ["CVR__c", "VAT__c"]}}}}
    write_csv(here, "crm", "records", ["ID", "vat__c", "cvr__C"], [["1", "old", "12345678"], ["2", "old", ""]])
    write_csv(here, "crm", "records", ["ID", "vat__c"], [["3", "87654321"]])
    connection = staged(here, contract("crm", tables))
    # In the first file the alias that wins is present and empty; the other column is not asked then.
    assert rows(connection, "select source_id, vat from staged.account order by source_id") == [
        ("1", "12345678"),
        ("2", None),
        ("3", "87654321"),
    ]


def test_a_record_that_landing_could_not_split_is_quarantined_with_its_own_number(tmp_path: Path) -> None:
    here = project(tmp_path)
    write_csv(
        here, "desk", "records", HEADERS,
        [["T-1", "2026-06-01", "5", "new"], [None] * 4, ["T-3", "2026-06-01", "5", "new"]],
        defects={2: ("too_many_cells", "T-2,2026-06-01,5,new,surplus")},
    )  # fmt: skip
    connection = staged(here, contract("desk", TICKET))
    assert quarantine(connection) == [(2, "", "too_many_cells", "row", "T…s (28)")]
    assert rows(connection, "select row_number from staged.ticket order by all") == [(1,), (3,)]
    assert rows(connection, "select rows_in, rows_loaded, rows_quarantined, rows_ignored from audit.file") == [
        (3, 2, 1, 0)
    ]


def test_row_numbers_are_landings_where_it_says_them(tmp_path: Path) -> None:
    here = project(tmp_path)
    write_csv(
        here, "desk", "records", HEADERS,
        [["T-1", "2026-06-01", "x", "new"], ["T-2", "2026-06-01", "5", "new"]], row_numbers=[4, 9],
    )  # fmt: skip
    connection = staged(here, contract("desk", TICKET))
    assert rows(connection, "select source_id, row_number from staged.ticket order by all") == [("T-1", 4), ("T-2", 9)]
    assert quarantine(connection) == [(4, "ticket.first_response_min", "not_a_number", "cell", "… (1)")]


def test_rows_that_the_contract_leaves_out_are_counted_and_not_quarantined(tmp_path: Path) -> None:
    here = project(tmp_path)
    tables = {"ticket": {**TICKET["ticket"], "where": "status is distinct from 'closed'"}}
    write_csv(
        here, "desk", "records", HEADERS,
        [["T-1", "2026-06-01", "5", "new"], ["T-2", "2026-06-01", "x", "done"], ["T-3", "2026-06-01", "5", ""]],
    )  # fmt: skip
    connection = staged(here, contract("desk", tables))
    assert rows(connection, "select source_id from staged.ticket order by all") == [("T-1",), ("T-3",)]
    assert rows(connection, "select rows_loaded, rows_quarantined, ignored_filtered from audit.file") == [(2, 0, 1)]
    assert quarantine(connection) == []


def test_a_row_repeated_in_its_file_is_ignored_and_one_repeated_in_another_file_stays(tmp_path: Path) -> None:
    here = project(tmp_path)
    same = ["T-1", "2026-06-01", "5", "new"]
    write_csv(here, "desk", "records", HEADERS, [same, ["T-1", "2026-06-01", "6", "new"], same])
    write_csv(here, "desk", "records", HEADERS, [same], landed_at="2026-07-01T02:00:00")
    connection = staged(here, contract("desk", TICKET))
    assert rows(connection, "select landed_at::date, row_number from staged.ticket order by all") == [
        (dt.date(2026, 6, 30), 1),
        (dt.date(2026, 6, 30), 2),
        (dt.date(2026, 7, 1), 1),
    ]
    assert rows(connection, "select rows_in, rows_loaded, ignored_duplicate from audit.file order by landed_at") == [
        (3, 2, 1),
        (1, 1, 0),
    ]


def test_a_column_that_no_contract_reads_does_not_make_two_rows_different(tmp_path: Path) -> None:
    """HubSpot's `Last viewed` and Dynamics' row checksum change at every export."""
    here = project(tmp_path)
    row = ["T-1", "2026-06-01", "5", "new"]
    write_csv(here, "desk", "records", [*HEADERS, "checksum"], [[*row, "a"], [*row, "b"]])
    assert rows(staged(here, contract("desk", TICKET)), "select count(*) from staged.ticket") == [(1,)]


def test_an_expression_sees_the_values_of_this_rows_columns_also_of_helpers(tmp_path: Path) -> None:
    here = project(tmp_path)
    tables = {
        "ticket": {
            "columns": {
                "source_id": {"from": "id"},
                "score": {"from": "score", "type": "number", "helper": True},
                "csat_state": {"sql": "case when csat is not null then 'rated' else 'offered' end"},
                "csat": {"sql": "case when score between 1 and 5 then (score - 1) / 4 end"},
            }
        }
    }
    write_csv(here, "desk", "records", ["id", "score"], [["1", "4"], ["2", ""], ["3", "9"]])
    assert rows(
        staged(here, contract("desk", tables)), "select csat, csat_state from staged.ticket order by source_id"
    ) == [
        (0.75, "rated"),
        (None, "offered"),
        (None, "offered"),
    ]


def test_an_expression_may_use_a_column_named_like_an_sql_word_in_quotes(tmp_path: Path) -> None:
    here = project(tmp_path)
    columns = {
        "source_id": {"from": "id"},
        "interval": {"from": "every"},
        "auto_renew": {"sql": "\"interval\" = 'month'"},
    }
    write_csv(here, "shop", "records", ["id", "every"], [["1", "month"]])
    connection = staged(here, contract("shop", {"subscription": {"columns": columns}}))
    assert rows(connection, "select auto_renew from staged.subscription") == [(True,)]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ({"sql": "nothing + 1"}, "reads nothing, which this table's contract does not declare"),
        ({"sql": "csat"}, "in a circle"),
        ({"sql": "list_sum(source_id)"}, "an expression of the contract does not work"),
        ({"from": "id", "type": "boolean"}, "a boolean is no number"),
        ({"from": "id", "type": "date", "format": "iso"}, "a date is no number"),
    ],
)
def test_a_contract_that_cannot_work_is_told_by_the_place_of_its_mistake(
    tmp_path: Path, column: dict[str, Any], message: str
) -> None:
    here = project(tmp_path)
    write_csv(here, "desk", "records", ["id"], [["1"]])
    tables = {"ticket": {"columns": {"source_id": {"from": "id"}, "csat": column}}}
    with pytest.raises(ConfigurationError, match=message) as told:
        staged(here, contract("desk", tables))
    assert "csat" in str(told.value) or "entities.records.tables.ticket" in str(told.value)


def test_times_without_a_zone_need_one_and_the_message_says_which_key(tmp_path: Path) -> None:
    here = project(tmp_path)
    write_csv(here, "desk", "records", HEADERS, [["T-1", "2026-06-01 08:00", "5", "new"]])
    with pytest.raises(ConfigurationError, match=r"ticket.columns.created_at .*\n\[systems.desk\]\ntimezone = "):
        staged(here, contract("desk", TICKET, timezone=None))


@pytest.mark.parametrize(
    ("of_contract", "of_settings", "hour"),
    [("UTC", None, 8), (None, "Europe/Copenhagen", 6), ("project", None, 12), ("UTC", "Europe/Copenhagen", 8)],
)
def test_the_zone_is_the_contracts_else_the_settings(
    tmp_path: Path, of_contract: str | None, of_settings: str | None, hour: int
) -> None:
    here = project(tmp_path, timezone="America/New_York", systems={"desk": {"timezone": of_settings}})
    write_csv(here, "desk", "records", HEADERS, [["T-1", "2026-06-01 08:00", "5", "new"]])
    connection = staged(here, contract("desk", TICKET, timezone=of_contract))
    assert rows(connection, "select hour(created_at) from staged.ticket") == [(hour,)]


def test_an_amounts_currency_is_its_own_else_the_contracts_else_the_settings(tmp_path: Path) -> None:
    here = project(tmp_path, systems={"shop": {"currency": "SEK"}})
    write_csv(
        here,
        "shop",
        "records",
        ["id", "amount", "currency"],
        [["1", "1.50", "eur"], ["2", "2.50", ""], ["3", "3", "kr."]],
    )
    of = "select source_id, net, currency from staged.invoice order by source_id"
    by_settings = staged(here, contract("shop", BILL))
    assert rows(by_settings, of) == [
        ("1", Decimal("1.5"), "EUR"), ("2", Decimal("2.5"), "SEK"), ("3", Decimal("3"), None),
    ]  # fmt: skip
    assert quarantine(by_settings) == [(3, "invoice.currency", "not_a_currency", "cell", "… (3)")]
    assert rows(staged(here, contract("shop", BILL, currency="DKK")), of)[1] == ("2", Decimal("2.5"), "DKK")


def test_a_missing_currency_is_said_for_the_row_or_once_for_a_file_without_any(tmp_path: Path) -> None:
    here = project(tmp_path)
    write_csv(here, "shop", "records", ["id", "amount", "currency"], [["1", "1.50", "EUR"], ["2", "2.50", ""]])
    write_csv(here, "shop", "records", ["id", "amount"], [["3", "1.50"], ["4", "2.50"]])
    connection = staged(here, contract("shop", BILL))
    assert rows(connection, "select source_id, net, currency from staged.invoice order by source_id") == [
        ("1", Decimal("1.5"), "EUR"),
        ("2", Decimal("2.5"), None),
        ("3", Decimal("1.5"), None),
        ("4", Decimal("2.5"), None),
    ]
    assert quarantine(connection) == [
        (0, "invoice.currency", "currency_missing", "cell", ""),
        (2, "invoice.currency", "currency_missing", "cell", ""),
    ]


def test_a_minor_amount_without_a_currency_is_null_and_says_why(tmp_path: Path) -> None:
    here = project(tmp_path)
    columns = {**BILL["invoice"]["columns"], "net": {"from": "amount", "type": "money", "unit": "minor"}}
    write_csv(here, "shop", "records", ["id", "amount", "currency"], [["1", "500", "jpy"], ["2", "500", ""]])
    connection = staged(here, contract("shop", {"invoice": {"columns": columns}}))
    assert rows(connection, "select net from staged.invoice order by source_id") == [(Decimal(500),), (None,)]
    assert {(row[1], row[2]) for row in quarantine(connection)} == {
        ("invoice.net", "currency_missing"),
        ("invoice.currency", "currency_missing"),
    }


def test_a_project_reads_its_own_fields_by_its_own_headers(tmp_path: Path) -> None:
    own = {"account": {"segment": "Kundesegment__c", "seats": "Pladser", "customer_since": "Siden"}}
    here = project(tmp_path, systems={"crm": {"columns": own}})
    tables = {"account": {"columns": {"source_id": {"from": "Id"}, "segment": {"from": "Segment__c"}}}}
    write_csv(
        here,
        "crm",
        "records",
        ["Id", "Kundesegment__c", "Segment__c", "Pladser", "Siden"],
        [["1", "A", "B", "7", "2020-01-02"]],
    )
    write_csv(here, "crm", "records", ["Id", "Segment__c"], [["2", "B"]])
    connection = staged(here, contract("crm", tables))
    assert rows(connection, "select source_id, segment, seats, customer_since from staged.account order by 1") == [
        ("1", "A", 7, dt.date(2020, 1, 2)),
        ("2", "B", None, None),
    ]


@pytest.mark.parametrize("own", [{"acount": {"segment": "x"}}, {"account": {"segmnt": "x"}}])
def test_an_own_field_for_a_column_that_does_not_exist_is_told(tmp_path: Path, own: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"systems.crm.columns.acc?ount"):
        staged(project(tmp_path, systems={"crm": {"columns": own}}))


def test_an_empty_file_is_listed_and_connects_nothing(tmp_path: Path) -> None:
    here = project(tmp_path)
    write_csv(here, "desk", "records", HEADERS, [])
    connection = staged(here, contract("desk", TICKET))
    assert rows(connection, "select rows_in, rows_loaded, status, message from audit.file") == [
        (0, 0, "empty", "it has no records")
    ]
    assert rows(connection, "select count(*) from setting.connected") == [(0,)]


def test_files_that_no_contract_knows_any_more_are_listed_and_wait(tmp_path: Path) -> None:
    here = project(tmp_path)
    write_csv(here, "old", "records", HEADERS, [["T-1", "2026-06-01", "5", "new"]])
    connection = staged(here, contract("desk", TICKET))
    assert rows(connection, "select system, status, rows_in, landed_at from audit.file") == [
        ("old", "unrecognised", None, None)
    ]


class Report:
    """What landing says of a file that it did not land."""

    def __init__(
        self, name: str, status: str, sha256: str = "f" * 64, entity: str | None = None, rows_in: int | None = None
    ) -> None:
        self.system, self.name, self.status, self.sha256, self.entity = "desk", name, status, sha256, entity
        self.member, self.bytes, self.message, self.rows_in = "", 7, "what to do", rows_in
        self.missing: tuple[str, ...] = ()


def test_files_that_were_not_landed_are_listed_once_with_what_to_do(tmp_path: Path) -> None:
    here = project(tmp_path)
    path = write_csv(here, "desk", "records", HEADERS, [["T-1", "2026-06-01", "5", "new"]])
    reports = [
        Report("b.txt", "unrecognised"),
        Report("a.txt", "unrecognised"),
        Report("records.csv", "already_landed", path.stem, "records"),
        Report("broken.csv", "unreadable", "e" * 64),
        Report("other.csv", "unrecognised", "d" * 64, rows_in=3),
    ]
    connection = staged(here, contract("desk", TICKET), landed=reports)
    assert rows(
        connection, "select name, status, rows_in, rows_quarantined, bytes, message from audit.file order by name"
    ) == [
        ("a.txt", "unrecognised", None, None, 7, "what to do"),
        ("broken.csv", "unreadable", None, None, 7, "what to do"),
        ("other.csv", "unrecognised", 3, 3, 7, "what to do"),
        ("records.csv", "landed", 1, 0, 100, ""),
    ]


def test_coverage_says_from_when_to_when_and_what_is_missing(tmp_path: Path) -> None:
    here = project(tmp_path, systems={"desk": {"scope": "full"}})
    # Half past eleven in London is the next day in Copenhagen, the project's zone.
    write_csv(here, "desk", "records", ["id", "opened"], [["1", "2026-01-05"], ["2", "2026-05-31T22:30:00Z"]])
    connection = staged(here, contract("desk", TICKET))
    assert rows(
        connection, "select system, entity, from_date, to_date, as_of, scope, columns_missing from audit.coverage"
    ) == [
        (
            "desk", "records", dt.date(2026, 1, 5), dt.date(2026, 6, 1), dt.date(2026, 6, 30), "full",
            "ticket.first_response_min, ticket.status",
        )
    ]  # fmt: skip


def test_a_column_is_absent_empty_or_filled(tmp_path: Path) -> None:
    here = project(tmp_path)
    write_csv(here, "desk", "records", ["id", "opened", "state"], [["1", "2026-01-05", ""], ["2", "2026-01-05", ""]])
    write_csv(here, "desk", "records", ["id", "opened", "state"], [["3", "2026-02-05", ""], ["4", "x", ""]])
    connection = staged(here, contract("desk", TICKET))
    found = rows(
        connection,
        "select column_name, is_present, fill_share from setting.connected where system = 'desk' and entity = 'records' "
        "and table_name = 'ticket' and column_name in ('created_at', 'status', 'first_response_min', 'reopens') order by 1",
    )
    assert found == [
        ("created_at", True, 1.0),
        ("first_response_min", False, 0.0),  # declared, and no file has it
        ("reopens", False, 0.0),  # not declared
        ("status", True, 0.0),  # there, and always empty
    ]


def test_an_expression_is_there_when_what_it_reads_is_there(tmp_path: Path) -> None:
    here = project(tmp_path)
    columns = {
        "source_id": {"from": "id"},
        "score": {"from": "score", "type": "number", "helper": True},
        "csat": {"sql": "score / 5"},
        "channel": {"value": "mail"},
    }
    write_csv(here, "desk", "records", ["id"], [["1"]])
    connection = staged(here, contract("desk", {"ticket": {"columns": columns}}))
    assert rows(connection, "select column_name from setting.connected where is_present order by column_name") == [
        ("channel",),
        ("source_id",),
    ]


def json_contract(tables: dict[str, Any], **keys: Any) -> Any:
    return contract("pay", tables, format="json", recognise={"wrapper": "bill"}, **keys)


NESTED = {
    "invoice": {"columns": {"source_id": {"from": "id"}, "number": {"from": ["detail.number", "number"]}}},
    "invoice_line": {
        "each": "lines.data",
        "columns": {
            "source_id": {"from": "id"},
            "invoice_source_id": {"from": "^.id"},
            "line_no": {"from": "#", "type": "integer"},
            "currency": {"from": ["currency", "^.currency"]},
            "net": {"from": "amount", "type": "money", "unit": "minor"},
            "discount_amount": {"from": "discounts[*].amount", "type": "money", "unit": "minor"},
        },
    },
}


def test_paths_read_inside_the_wrapper_and_a_nested_list_gives_a_row_each(tmp_path: Path) -> None:
    here = project(tmp_path)
    bill = {
        "id": 7, "currency": "dkk", "number": "F-1", "detail": {"number": None},
        "lines": {"data": [
            {"id": "a", "amount": 1000, "discounts": [{"amount": 100}, {"amount": 50}]},
            {"id": "b", "amount": -250, "currency": "eur", "discounts": []},
            {"id": "c", "amount": 1},
        ]},
    }  # fmt: skip
    write_json(here, "pay", "records", [{"bill": bill}, {"bill": {"id": 8}}])
    connection = staged(here, json_contract(NESTED))
    assert rows(connection, "select source_id, number, row_number from staged.invoice order by 1") == [
        ("7", "F-1", 1),
        ("8", None, 2),
    ]
    assert rows(
        connection,
        "select source_id, invoice_source_id, line_no, currency, net, discount_amount, row_number from staged.invoice_line "
        "order by 1",
    ) == [
        ("a", "7", 1, "DKK", Decimal("10"), Decimal("1.5"), 1),
        ("b", "7", 2, "EUR", Decimal("-2.5"), Decimal("0"), 1),
        # No list of discounts: not recorded, which is not 0.
        ("c", "7", 3, "DKK", Decimal("0.01"), None, 1),
    ]
    assert rows(connection, "select rows_in, rows_loaded from audit.file") == [(2, 2)]


def test_a_bad_element_is_out_and_its_record_stays(tmp_path: Path) -> None:
    here = project(tmp_path)
    lines = [{"id": None, "amount": 1}, {"id": "b", "amount": "x"}, {"id": None, "amount": 2}]
    write_json(here, "pay", "records", [{"bill": {"id": 7, "currency": "dkk", "lines": {"data": lines}}}])
    connection = staged(here, json_contract(NESTED))
    assert rows(connection, "select source_id, net from staged.invoice_line") == [("b", None)]
    assert quarantine(connection) == [
        (1, "invoice_line.net", "not_a_number", "cell", "… (1)"),
        (1, "invoice_line.source_id", "required_empty", "row", ""),
    ]
    assert rows(connection, "select rows_in, rows_loaded, rows_quarantined from audit.file") == [(1, 1, 0)]


def test_a_json_key_that_is_always_null_is_empty_and_one_that_never_comes_is_absent(tmp_path: Path) -> None:
    here = project(tmp_path)
    tables = {
        "invoice": {
            "columns": {
                "source_id": {"from": "id"},
                "number": {"from": "number"},
                "due_on": {"from": "due", "type": "date", "format": "unix"},
            }
        }
    }
    write_json(here, "pay", "records", [{"bill": {"id": 7, "due": None}}])
    connection = staged(here, json_contract(tables))
    assert rows(
        connection,
        "select column_name, is_present, fill_share from setting.connected where column_name in ('number', 'due_on') order by 1",
    ) == [("due_on", True, 0.0), ("number", False, 0.0)]
    assert rows(connection, "select columns_missing from audit.coverage") == [("invoice.number",)]


@pytest.mark.parametrize(
    ("tables", "form", "message"),
    [
        ({"invoice": {"each": "lines", "columns": {"source_id": {"from": "id"}}}}, "json", "has no `each`"),
        ({"invoice": {"columns": {"source_id": {"from": 'a"b'}}}}, "json", "is no path"),
        ({"invoice": {"columns": {"source_id": {"from": "a[*].b"}}}}, "json", r"a path with \[\*\] stands alone"),
    ],
)
def test_a_path_or_list_that_cannot_be_is_told(tmp_path: Path, tables: dict[str, Any], form: str, message: str) -> None:
    here = project(tmp_path)
    write_json(here, "pay", "records", [{"bill": {"id": 1}}])
    with pytest.raises(ConfigurationError, match=message):
        staged(here, json_contract(tables))


def test_the_same_lake_gives_the_same_tables(tmp_path: Path) -> None:
    here = project(tmp_path)
    for month in range(1, 4):
        cells = [
            [f"T-{number % 30}", f"2026-0{month}-{number % 40:02d}", str(number - 5), "new"] for number in range(50)
        ]
        write_csv(here, "desk", "records", HEADERS, cells)
    tables = ["audit.file", "audit.quarantine", "audit.coverage", "setting.connected"]
    first, second = (staged(here, contract("desk", TICKET)) for _ in range(2))
    for table in tables:
        assert rows(first, f"from {table}") == rows(second, f"from {table}")
    assert rows(first, "from staged.ticket order by all") == rows(second, "from staged.ticket order by all")
    assert rows(first, "select count(*) from audit.quarantine")[0][0] > 0
