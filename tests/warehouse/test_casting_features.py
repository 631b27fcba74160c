"""What a contract can say of reports, sheets, repeated headers and locales, from the dropped file to the typed row."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.lake import contract, drop, project, staged, write_csv, write_json
from tests.warehouse.inboxes import workbook
from warehouse.casting import stage
from warehouse.engine import Engine, literal
from warehouse.errors import ConfigurationError
from warehouse.versions import keep_newest


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return connection.execute(sql).fetchall()


def quarantine(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    return rows(connection, "select row_number, column_name, rule, severity from audit.quarantine order by all")


def books(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    """Of each file: in, loaded, quarantined, and ignored: blank, total, filtered, duplicate."""
    return rows(
        connection,
        "select rows_in, rows_loaded, rows_quarantined, ignored_blank, ignored_total, ignored_filtered, "
        "ignored_duplicate from audit.file order by name",
    )


# QuickBooks Online, Transaction List by Customer: a title of three lines, groups, totals and a footer.
REPORT = """Nordhavn Tech ApS,,,,
Transaction List by Customer,,,,
"January - March, 2026",,,,
,,,,
,Date,Type,Num,Amount
Amy's Bird Sanctuary,,,,
,01/15/2026,Invoice,1001,"$1,450.00  "
,02/10/2026,Invoice,1002,600.00
Total for Amy's Bird Sanctuary,,,,"$2,050.00  "
Bill's Windsurf Shop,,,,
,03/01/2026,Invoice,1003,(75.00)
Total for Bill's Windsurf Shop,,,,($75.00)
TOTAL,,,,"$1,975.00  "

"Friday, May 22, 2026 10:15 AM GMT-7 - Accrual Basis",,,,
"""
TRANSACTIONS = {
    "invoice": {
        "columns": {
            "group": {"from": "column_1", "helper": True},
            "source_account_id": {"from": "column_1", "fill_down": True},
            "source_id": {"from": "Num"},
            "issued_on": {"from": "Date", "type": "date", "format": "locale", "required": True},
            "gross": {"from": "Amount", "type": "money", "drop": "$"},
        },
        "totals": '"group" is not null',
    }
}


def quickbooks(**keys: Any) -> Any:
    return contract(
        "books",
        TRANSACTIONS,
        recognise={"headers": ["Date", "Num", "Amount"]},
        dialect={"title_lines": 4, "footer": ["Accrual basis", "Friday, "]},
        locale="en_US",
        currency="USD",
        **keys,
    )


def test_a_report_gives_its_detail_rows_with_the_customer_above_them_and_no_total(tmp_path: Path) -> None:
    """
    | line of the report   | becomes                  |
    |----------------------|--------------------------|
    | title, header        | nothing                  |
    | Amy's Bird Sanctuary | a group, counted         |
    | 1001, 1002           | invoices of Amy's        |
    | Total for Amy's ...  | a total, counted         |
    | TOTAL                | a total, counted         |
    | blank line           | blank, counted           |
    | Friday, May 22 ...   | the footer, counted      |
    """
    here, books_ = project(tmp_path), quickbooks()
    drop(here, books_, "report.csv", REPORT)
    connection = staged(here, books_)
    assert rows(
        connection, "select source_id, source_account_id, issued_on, gross, row_number from staged.invoice order by 1"
    ) == [
        ("1001", "Amy's Bird Sanctuary", dt.date(2026, 1, 15), Decimal(1450), 2),
        ("1002", "Amy's Bird Sanctuary", dt.date(2026, 2, 10), Decimal(600), 3),
        ("1003", "Bill's Windsurf Shop", dt.date(2026, 3, 1), Decimal(-75), 6),
    ]
    # As the report itself adds it up in its last line.
    assert rows(connection, "select sum(gross) from staged.invoice") == [(Decimal(1975),)]
    assert quarantine(connection) == []
    # Ten lines below the header: five groups and totals, one footer, one blank line.
    assert books(connection) == [(10, 3, 0, 1, 6, 0, 0)]


def test_the_same_report_without_its_title_reads_the_same(tmp_path: Path) -> None:
    here, books_ = project(tmp_path), quickbooks()
    drop(here, books_, "report.csv", REPORT.split(",,,,\n", 4)[-1])
    connection = staged(here, books_)
    assert rows(connection, "select count(*), sum(gross) from staged.invoice") == [(3, Decimal(1975))]
    assert books(connection) == [(10, 3, 0, 1, 6, 0, 0)]


def test_a_report_in_a_workbook_reads_the_same(tmp_path: Path) -> None:
    here, books_ = project(tmp_path), quickbooks()
    sheet = [
        ["Nordhavn Tech ApS"],
        ["Transaction List by Customer"],
        [None, "Date", "Type", "Num", "Amount"],
        ["Amy's Bird Sanctuary"],
        [None, dt.date(2026, 1, 15), "Invoice", "1001", 1450],
        ["Total for Amy's Bird Sanctuary", None, None, None, "=SUM(E5:E5)"],
        [],
        ["Friday, May 22, 2026 10:15 AM GMT-7 - Accrual Basis"],
    ]
    drop(here, books_, "report.xlsx", workbook(sheet))
    connection = staged(here, books_)
    assert rows(connection, "select source_id, source_account_id, issued_on, gross from staged.invoice") == [
        ("1001", "Amy's Bird Sanctuary", dt.date(2026, 1, 15), Decimal(1450))
    ]
    assert books(connection) == [(5, 1, 0, 1, 3, 0, 0)]
    assert quarantine(connection) == []


def test_a_detail_without_a_group_above_it_in_its_own_file_has_no_customer(tmp_path: Path) -> None:
    here, books_ = project(tmp_path), quickbooks()
    drop(here, books_, "a.csv", ",Date,Num,Amount\nAmy,,,\n,01/15/2026,1,5.00\n")
    drop(here, books_, "b.csv", ",Date,Num,Amount\n,01/15/2026,2,5.00\nBill,,,\n,01/15/2026,3,5.00\n")
    assert rows(staged(here, books_), "select source_id, source_account_id from staged.invoice order by source_id") == [
        ("1", "Amy"),
        ("2", None),
        ("3", "Bill"),
    ]


def test_what_is_wrong_with_a_row_shows_its_own_text_also_where_others_are_filled_down(tmp_path: Path) -> None:
    here, books_ = project(tmp_path), quickbooks()
    drop(here, books_, "a.csv", ",Date,Num,Amount\nAmy,,,\n,15/01/2026,1,5.00\n,01/16/2026,2,5.00\n")
    connection = staged(here, books_)
    assert rows(connection, "select source_id, source_account_id from staged.invoice") == [("2", "Amy")]
    assert rows(connection, "select row_number, column_name, rule, raw_value from audit.quarantine") == [
        (2, "invoice.issued_on", "ambiguous_date", "1…6 (10)")
    ]
    assert books(connection) == [(3, 1, 1, 0, 1, 0, 0)]


# Xero's sales invoices: a row for each line, and the invoice's totals on every one of them.
XERO = """*ContactName,*InvoiceNumber,*InvoiceDate,Total,TaxTotal,InvoiceAmountDue,*Quantity,LineAmount,Currency
Nordhavn Tech,INV-1,15/01/2026,1250.00,250.00,1250.00,1,800.00,DKK
Nordhavn Tech,INV-1,15/01/2026,1250.00,250.00,,2,200.00,DKK
Fjord Media,INV-2,16/01/2026,125.00,25.00,0.00,1,100.00,DKK
"""
LINES = {
    "invoice": {
        "once": True,
        "columns": {
            "source_id": {"from": "InvoiceNumber"},
            "issued_on": {"from": "InvoiceDate", "type": "date", "format": "locale"},
            "gross": {"from": "Total", "type": "money"},
            "tax": {"from": "TaxTotal", "type": "money"},
            "open_amount": {"from": "InvoiceAmountDue", "type": "money"},
            "currency": {"from": "Currency"},
        },
    },
    "invoice_line": {
        "part_of": "invoice",
        "columns": {
            "invoice_source_id": {"from": "InvoiceNumber"},
            "line_no": {"count_in": "invoice_source_id"},
            "source_id": {"sql": "invoice_source_id || ':' || line_no"},
            "quantity": {"from": "Quantity", "type": "number"},
            "net": {"from": "LineAmount", "type": "money"},
            "currency": {"from": "Currency"},
        },
    },
}


def xero() -> Any:
    return contract("xero", LINES, recognise={"headers": ["InvoiceNumber", "LineAmount"]}, locale="en_GB")


def test_an_invoice_that_its_file_repeats_on_each_line_counts_once(tmp_path: Path) -> None:
    here = project(tmp_path)
    drop(here, xero(), "invoices.csv", XERO)
    connection = staged(here, xero())
    assert rows(connection, "select source_id, gross, tax, open_amount from staged.invoice order by 1") == [
        # What is told on the first row only is there.
        ("INV-1", Decimal(1250), Decimal(250), Decimal(1250)),
        ("INV-2", Decimal(125), Decimal(25), Decimal(0)),
    ]
    assert rows(connection, "select source_id, line_no, quantity, net from staged.invoice_line order by 1") == [
        ("INV-1:1", 1, 1.0, Decimal(800)),
        ("INV-1:2", 2, 2.0, Decimal(200)),
        ("INV-2:1", 1, 1.0, Decimal(100)),
    ]
    # What the lines come to is what the invoices come to without tax.
    assert rows(
        connection, "select (select sum(gross - tax) from staged.invoice) = (select sum(net) from staged.invoice_line)"
    ) == [(True,)]
    assert books(connection) == [(3, 2, 0, 0, 0, 0, 1)]


def test_rows_are_counted_in_each_file_by_itself(tmp_path: Path) -> None:
    here = project(tmp_path)
    header = "InvoiceNumber,LineAmount,Currency\n"
    drop(here, xero(), "a.csv", header + "INV-1,1.00,DKK\nINV-2,2.00,DKK\nINV-1,3.00,DKK\n")
    drop(here, xero(), "b.csv", header + "INV-3,4.00,DKK\nINV-3,5.00,DKK\n")
    assert rows(
        staged(here, xero()), "select source_id, net::int from staged.invoice_line order by net"
    ) == [("INV-1:1", 1), ("INV-2:1", 2), ("INV-1:2", 3), ("INV-3:1", 4), ("INV-3:2", 5)]  # fmt: skip


def test_a_count_in_a_column_that_the_file_lacks_is_not_known(tmp_path: Path) -> None:
    here = project(tmp_path)
    tables = {
        "invoice_line": {
            "columns": {
                "source_id": {"from": "id"},
                "product": {"from": "product"},
                "line_no": {"count_in": "product"},
            }
        }
    }
    write_csv(here, "shop", "records", ["id"], [["1"], ["2"]])
    connection = staged(here, contract("shop", tables))
    assert rows(connection, "select line_no from staged.invoice_line") == [(None,), (None,)]
    assert rows(connection, "select is_present from setting.connected where column_name in ('product', 'line_no')") == [
        (False,),
        (False,),
    ]


@pytest.mark.parametrize("column", [{"from": "a", "fill_down": True}, {"count_in": "source_id"}])
def test_a_json_record_has_no_row_above_it_and_no_place(tmp_path: Path, column: dict[str, Any]) -> None:
    here = project(tmp_path)
    name = "line_no" if "count_in" in column else "product"
    lines = {"source_id": {"from": "id"}, name: column}
    write_json(here, "shop", "records", [{"id": "1"}])
    declared = contract("shop", {"invoice_line": {"columns": lines}}, format="json", recognise={"fields": ["id"]})
    with pytest.raises(ConfigurationError, match="fill_down and count_in are for the rows of a CSV"):
        staged(here, declared)


# Jira repeats a header for each value of an issue, as often as the most talked-of issue of that export has values.
COMMENTS = {
    "ticket": {"columns": {"source_id": {"from": "Issue key"}}},
    "ticket_comment": {
        "each": ["Comment", "Kommentar"],
        "columns": {
            "ticket_source_id": {"from": "^.Issue key"},
            "comment_no": {"from": "#", "type": "integer"},
            "source_id": {"sql": "ticket_source_id || ':' || comment_no"},
            "created_at": {
                "from": ".",
                "extract": "^([^;]*);",
                "type": "timestamp",
                "format": "%d/%b/%y %I:%M %p",
                "timezone": "Europe/Copenhagen",
            },
            "author_source_id": {"from": ".", "extract": "^[^;]*;([^;]*);"},
        },
    },
}


def test_a_header_repeated_thrice_once_or_not_at_all_gives_a_row_for_each_cell_with_text(tmp_path: Path) -> None:
    """
    | file | Issue key | Comment     | Comment          | Comment     | rows |
    |------|-----------|-------------|------------------|-------------|------|
    | a    | T-1       | of anna     | of bo; with `;`  |             | 2    |
    | a    | T-2       |             | of anna          | no date     | 2    |
    | a    | T-3       |             |                  |             | 0    |
    | b    | T-4       | of anna     |                  |             | 1    |
    | b    | T-5       |             |                  |             | 0    |
    | c    | T-6       |             |                  |             | 0    |
    | d    | T-7       | (Kommentar) |                  |             | 1    |
    """
    here = project(tmp_path)
    desk = contract("desk", COMMENTS, recognise={"headers": ["Issue key"]})
    anna, bo = "22/Sep/25 9:26 AM;anna;done", "22/Sep/25 9:27 AM;bo;first; then"
    drop(
        here, desk, "a.csv",
        f"Issue key,Comment,Comment,Comment\nT-1,{anna},{bo},\nT-2,,{anna},without a date\nT-3,,,\n",
    )  # fmt: skip
    drop(here, desk, "b.csv", f"Issue key,Comment\nT-4,{anna}\nT-5,\n")
    drop(here, desk, "c.csv", "Issue key,Summary\nT-6,no comments here\n")
    drop(here, desk, "d.csv", f"Issue key,Kommentar\nT-7,{anna}\n")
    connection = staged(here, desk)
    assert rows(
        connection, "select source_id, strftime(created_at, '%H:%M'), author_source_id from staged.ticket_comment order by 1"
    ) == [
        # Copenhagen is two hours ahead of UTC in September.
        ("T-1:1", "07:26", "anna"),
        ("T-1:2", "07:27", "bo"),
        ("T-2:1", "07:26", "anna"),
        ("T-2:2", None, None),
        ("T-4:1", "07:26", "anna"),
        ("T-7:1", "07:26", "anna"),
    ]  # fmt: skip
    assert quarantine(connection) == [(2, "ticket_comment.created_at", "unparseable_date", "cell")]
    assert rows(connection, "select count(*) from staged.ticket") == [(7,)]
    assert books(connection) == [
        (3, 3, 0, 0, 0, 0, 0), (2, 2, 0, 0, 0, 0, 0), (1, 1, 0, 0, 0, 0, 0), (1, 1, 0, 0, 0, 0, 0),
    ]  # fmt: skip


SHEET = ["id", "amount", "day"]
OF_SHEET = {
    "invoice": {
        "columns": {
            "source_id": {"from": "id"},
            "net": {"from": "amount", "type": "money"},
            "issued_on": {"from": "day", "type": "date", "format": "locale"},
        }
    }
}


def in_sheet(tmp_path: Path, *cells: list[object], **keys: Any) -> duckdb.DuckDBPyConnection:
    here = project(tmp_path)
    shop = contract("shop", OF_SHEET, **{"locale": "da", "currency": "DKK", **keys})
    drop(here, shop, "book.xlsx", workbook([SHEET, *cells]))
    return staged(here, shop)


def test_a_sheets_own_numbers_and_days_are_what_they_are_and_its_texts_are_danish(tmp_path: Path) -> None:
    """
    | cell           | of the type | value      |
    |----------------|-------------|------------|
    | 1.234          | number      | 1.234      |
    | 1.234          | text        | 1234       |
    | 1.234,5        | text        | 1234.5     |
    | 31 Dec 2026    | date        | 2026-12-31 |
    | 31-12-2026     | text        | 2026-12-31 |
    | 2026-12-31     | text        | none       |
    """
    connection = in_sheet(
        tmp_path,
        ["1", 1.234, dt.date(2026, 12, 31)],
        ["2", "1.234", "31-12-2026"],
        ["3", "1.234,5", "2026-12-31"],
        ["4", 1234, dt.datetime(2026, 12, 31)],
        ["5", -0.5, "31.12.2026"],
        ["6", "1.5", 46387],
    )
    year_end = dt.date(2026, 12, 31)
    assert rows(connection, "select net, issued_on from staged.invoice order by source_id") == [
        (Decimal("1.234"), year_end),
        (Decimal(1234), year_end),
        (Decimal("1234.5"), None),
        (Decimal(1234), year_end),
        (Decimal("-0.5"), year_end),
        (None, None),
    ]
    # A day's serial number that the sheet does not show as a day is none.
    assert quarantine(connection) == [
        (3, "invoice.issued_on", "unparseable_date", "cell"),
        (6, "invoice.issued_on", "unparseable_date", "cell"),
        (6, "invoice.net", "not_a_number", "cell"),
    ]


def test_the_same_cells_in_a_csv_are_all_danish(tmp_path: Path) -> None:
    here = project(tmp_path)
    shop = contract("shop", OF_SHEET, locale="da", currency="DKK")
    drop(here, shop, "book.csv", "id,amount,day\n1,1.234,31-12-2026\n2,1234,31.12.2026\n3,-0.5,2026-12-31\n")
    assert rows(staged(here, shop), "select net, issued_on from staged.invoice order by source_id") == [
        (Decimal(1234), dt.date(2026, 12, 31)),
        (Decimal(1234), dt.date(2026, 12, 31)),
        (None, None),
    ]


def test_a_failed_or_unsaved_formula_is_no_value_and_costs_a_row_only_where_one_is_needed(tmp_path: Path) -> None:
    connection = in_sheet(
        tmp_path, ["1", "#N/A", "#REF!"], ["2", "=A2*2", "=TODAY()"], ["=A1", 5, "31-12-2026"], ["4", 5, "31-12-2026"]
    )
    assert rows(connection, "select source_id, net, issued_on from staged.invoice order by 1") == [
        ("1", None, None),
        ("2", None, None),
        ("4", Decimal(5), dt.date(2026, 12, 31)),
    ]
    assert [row for row in quarantine(connection) if row[2] != "required_empty"] == [
        (1, "invoice.issued_on", "sheet_error", "cell"),
        (1, "invoice.net", "sheet_error", "cell"),
        (2, "invoice.issued_on", "sheet_error", "cell"),
        (2, "invoice.net", "sheet_error", "cell"),
        (3, "invoice.source_id", "sheet_error", "row"),
    ]
    assert books(connection) == [(4, 3, 1, 0, 0, 0, 0)]


def test_a_sheet_with_days_of_its_own_needs_no_locale(tmp_path: Path) -> None:
    connection = in_sheet(tmp_path, ["1", 1.5, dt.date(2026, 12, 31)], ["2", 1.5, "31-12-2026"], locale=None)
    assert rows(connection, "select issued_on from staged.invoice order by source_id") == [
        (dt.date(2026, 12, 31),),
        (None,),
    ]


def test_a_time_of_a_sheet_is_in_the_systems_zone(tmp_path: Path) -> None:
    here = project(tmp_path)
    columns = {"source_id": {"from": "id"}, "created_at": {"from": "day", "type": "timestamp", "format": "locale"}}
    desk = contract("desk", {"ticket": {"columns": columns}}, timezone="Europe/Copenhagen")
    drop(here, desk, "book.xlsx", workbook([["id", "day"], ["1", dt.datetime(2026, 6, 1, 10, 30)]]))
    assert rows(staged(here, desk), "select created_at from staged.ticket") == [(dt.datetime(2026, 6, 1, 8, 30),)]


def test_a_value_filled_down_in_a_sheet_is_read_as_the_cell_that_it_came_from(tmp_path: Path) -> None:
    here = project(tmp_path)
    columns = {
        "source_id": {"from": "id"},
        "net": {"from": "amount", "type": "money", "fill_down": True},
        "issued_on": {"from": "day", "type": "date", "format": "locale", "fill_down": True},
    }
    shop = contract("shop", {"invoice": {"columns": columns}}, locale="da", currency="DKK")
    drop(here, shop, "book.xlsx", workbook([SHEET, ["1", 1.234, dt.date(2026, 12, 31)], ["2", None, None]]))
    assert rows(staged(here, shop), "select net, issued_on from staged.invoice order by source_id") == [
        (Decimal("1.234"), dt.date(2026, 12, 31)),
        (Decimal("1.234"), dt.date(2026, 12, 31)),
    ]


DEAL = {
    "account": {
        "columns": {
            "source_id": {"from": "id"},
            "name": {"from": "name"},
            "lifecycle": {"from": "stage", "type": "enum", "map": {"Lead": "prospect"}},
        }
    }
}


def test_a_project_gives_its_own_texts_a_meaning(tmp_path: Path) -> None:
    own = {"account": {"lifecycle": {"Fast kunde": "customer", "Lead": "unknown"}}}
    here = project(tmp_path, systems={"crm": {"values": own}})
    write_csv(
        here, "crm", "records", ["id", "stage"],
        [["1", "FAST KUNDE"], ["2", "Lead"], ["3", "Tidligere"], ["4", ""]],
    )  # fmt: skip
    connection = staged(here, contract("crm", DEAL))
    assert rows(connection, "select lifecycle from staged.account order by source_id") == [
        ("customer",), ("unknown",), ("unknown",), (None,),
    ]  # fmt: skip
    # What the project says is unknown is known to be so.
    assert quarantine(connection) == [(3, "account.lifecycle", "enum_unmapped", "cell")]


def test_a_projects_own_value_goes_before_the_contracts_also_in_another_case(tmp_path: Path) -> None:
    here = project(tmp_path, systems={"crm": {"values": {"account": {"lifecycle": {"LEAD": "customer"}}}}})
    write_csv(here, "crm", "records", ["id", "stage"], [["1", "lead"]])
    assert rows(staged(here, contract("crm", DEAL)), "select lifecycle from staged.account") == [("customer",)]


@pytest.mark.parametrize(
    "own", [{"account": {"name": {"a": "b"}}}, {"account": {"segment": {"a": "b"}}}, {"ticket": {"status": {"a": "b"}}}]
)
def test_own_values_for_what_is_no_enum_of_the_contract_are_told(tmp_path: Path, own: dict[str, Any]) -> None:
    here = project(tmp_path, systems={"crm": {"values": own}})
    with pytest.raises(
        ConfigurationError, match=r"systems\.crm\.values\.\w+\.\w+: the contract of crm has no such enum"
    ):
        staged(here, contract("crm", DEAL))


def test_a_projects_own_columns_are_written_as_its_locale_has_it(tmp_path: Path) -> None:
    own = {
        "account": {"customer_since": "Kunde siden", "employees": "Ansatte", "created_at": "Oprettet", "name": "Firma"}
    }
    here = project(tmp_path, systems={"crm": {"columns": own, "locale": "da", "timezone": "Europe/Copenhagen"}})
    headers = ["id", "name", "Firma", "Kunde siden", "Ansatte", "Oprettet"]
    write_csv(
        here, "crm", "records", headers,
        [
            ["1", "x", "Alfa", "31-12-2025", "1.234", "01-06-2026 10.30"],
            ["2", "x", "Beta", "2025-12-31", "1234", "2026-06-01 10:30"],
            ["3", "x", "Gama", "12/31/2025", "1,234", "2026-06-01T10:30:00Z"],
        ],
    )  # fmt: skip
    connection = staged(here, contract("crm", DEAL, timezone=None))
    year_end, eight = dt.date(2025, 12, 31), dt.datetime(2026, 6, 1, 8, 30)
    assert rows(
        connection, "select name, customer_since, employees, created_at from staged.account order by source_id"
    ) == [
        ("Alfa", year_end, 1234, eight),
        ("Beta", year_end, 1234, eight),
        ("Gama", None, None, dt.datetime(2026, 6, 1, 10, 30)),
    ]


@pytest.mark.parametrize(
    ("of_contract", "of_settings", "day", "amount"),
    [
        ("en_US", None, dt.date(2026, 3, 4), "1.234"),
        ("en_US", "en_GB", dt.date(2026, 4, 3), "1.234"),
        ("en_US", "es", dt.date(2026, 4, 3), "1234"),
        (None, "es", dt.date(2026, 4, 3), "1234"),
    ],
)
def test_the_configurations_locale_goes_before_the_contracts(
    tmp_path: Path, of_contract: str | None, of_settings: str | None, day: dt.date, amount: str
) -> None:
    here = project(tmp_path, systems={"shop": {"locale": of_settings}})
    write_csv(here, "shop", "records", SHEET, [["1", "1.234", "03/04/2026"]])
    shop = contract("shop", OF_SHEET, locale=of_contract, currency="EUR")
    assert rows(staged(here, shop), "select issued_on, net from staged.invoice") == [(day, Decimal(amount))]


def test_a_day_in_its_users_locale_needs_one_and_the_message_says_what_to_write(tmp_path: Path) -> None:
    here = project(tmp_path)
    write_csv(here, "shop", "records", SHEET, [["1", "1", "03/04/2026"]])
    message = r'invoice\.columns\.issued_on is written as its user.*\n\[systems\.shop\]\nlocale = "da"'
    with pytest.raises(ConfigurationError, match=message):
        staged(here, contract("shop", OF_SHEET))


def test_where_a_column_has_other_formats_too_no_locale_adds_none(tmp_path: Path) -> None:
    columns = {"source_id": {"from": "id"}, "issued_on": {"from": "day", "type": "date", "format": ["iso", "locale"]}}
    tables = {"invoice": {"columns": columns}}
    found = {}
    for locale in (None, "da"):
        here = project(tmp_path / str(locale), systems={"shop": {"locale": locale}})
        write_csv(here, "shop", "records", SHEET, [["1", "1", "2026-04-03"], ["2", "1", "03-04-2026"]])
        found[locale] = rows(
            staged(here, contract("shop", tables)), "select issued_on from staged.invoice order by source_id"
        )
    assert found == {None: [(dt.date(2026, 4, 3),), (None,)], "da": [(dt.date(2026, 4, 3),)] * 2}


def test_a_column_with_its_own_decimal_sign_does_not_take_the_locales_thousands(tmp_path: Path) -> None:
    """The trap of a Danish invoice list: amounts as `1.234,50`, quantities as `3.496`."""
    here = project(tmp_path)
    columns = {
        "source_id": {"from": "id"},
        "net": {"from": "amount", "type": "money"},
        "quantity": {"from": "pieces", "type": "number", "decimal": "."},
    }
    write_csv(here, "shop", "records", ["id", "amount", "pieces"], [["1", "1.234,50", "3.496"], ["2", "1", "1.5"]])
    shop = contract("shop", {"invoice_line": {"columns": columns}}, locale="da", currency="DKK")
    assert rows(staged(here, shop), "select net, quantity from staged.invoice_line order by source_id") == [
        (Decimal("1234.5"), 3.496),
        (Decimal(1), 1.5),
    ]


def test_a_locale_and_a_pattern_that_it_may_be_taken_for_are_refused(tmp_path: Path) -> None:
    here = project(tmp_path)
    columns = {
        "source_id": {"from": "id"},
        "issued_on": {"from": "day", "type": "date", "format": ["locale", "%d/%m/%Y"]},
    }
    write_csv(here, "shop", "records", SHEET, [["1", "1", "03/04/2026"], ["2", "1", "13/04/2026"]])
    with pytest.raises(ConfigurationError, match="dates are never guessed"):
        staged(here, contract("shop", {"invoice": {"columns": columns}}, locale="en_US"))


def test_a_locale_does_not_touch_json_which_has_numbers_of_its_own(tmp_path: Path) -> None:
    here = project(tmp_path, systems={"shop": {"locale": "da"}})
    columns = {
        "source_id": {"from": "id"},
        "net": {"from": "amount", "type": "money"},
        "terms_days": {"from": "days", "type": "integer"},
        "issued_on": {"from": "day", "type": "date", "format": ["iso", "locale"]},
    }
    write_json(
        here, "shop", "records",
        [
            {"id": "1", "amount": 1.234, "days": 30, "day": "2026-04-03"},
            {"id": "2", "amount": "1.234", "days": "30.0", "day": "03-04-2026"},
            {"id": "3", "amount": "1.234,5", "days": 1234, "day": None},
        ],
    )  # fmt: skip
    shop = contract(
        "shop", {"invoice": {"columns": columns}}, format="json", recognise={"fields": ["id"]}, currency="DKK"
    )
    connection = staged(here, shop)
    assert rows(connection, "select net, terms_days, issued_on from staged.invoice order by source_id") == [
        (Decimal("1.234"), 30, dt.date(2026, 4, 3)),
        (Decimal("1.234"), 30, None),
        (None, 1234, None),
    ]


def test_a_currencys_name_is_mapped_to_its_code_and_none_is_the_systems(tmp_path: Path) -> None:
    here = project(tmp_path)
    columns = {
        "source_id": {"from": "id"},
        "net": {"from": "amount", "type": "money"},
        "currency": {"from": "Valuta", "type": "enum", "map": {"Danish Krone": "DKK", "Euro": "EUR"}},
    }
    write_csv(
        here, "crm", "records", ["id", "amount", "Valuta"],
        [["1", "1", "Euro"], ["2", "1", "DANISH KRONE"], ["3", "1", ""], ["4", "1", "Thaler"]],
    )  # fmt: skip
    connection = staged(here, contract("crm", {"invoice": {"columns": columns}}, currency="SEK"))
    assert rows(connection, "select currency from staged.invoice order by source_id") == [
        ("EUR",), ("DKK",), ("SEK",), (None,),
    ]  # fmt: skip
    assert [row[:2] for row in quarantine(connection)] == [(4, "invoice.currency")]


TYPED = {"source_id": {"from": "id"}, "type": {"from": "type", "helper": True}}


def test_a_record_that_only_another_table_takes_is_loaded(tmp_path: Path) -> None:
    """
    | id | type    | customer | is                                          |
    |----|---------|----------|---------------------------------------------|
    | 1  | invoice | Amy      | loaded: an invoice                          |
    | 2  | payment | Amy      | loaded: a payment (and a customer), once    |
    | 3  | payment |          | loaded: a payment                           |
    | 4  | payment | -        | quarantined: a payment without a day        |
    | 5  | quote   | Bill     | loaded: it names a customer                 |
    | 6  | quote   |          | filtered                                    |
    """
    here = project(tmp_path)
    tables = {
        "invoice": {"columns": TYPED, "where": "type = 'invoice'"},
        "payment": {
            "columns": {**TYPED, "paid_on": {"from": "day", "type": "date", "format": "iso", "required": True}},
            "where": "type = 'payment'",
        },
        "account": {"columns": {"source_id": {"from": "customer"}}, "where": "source_id is not null"},
    }
    day = "2026-01-01"
    write_csv(
        here, "books", "records", ["id", "type", "day", "customer"],
        [
            ["1", "invoice", day, "Amy"],
            ["2", "payment", day, "Amy"],
            ["3", "payment", day, ""],
            ["4", "payment", "", ""],
            ["5", "quote", day, "Bill"],
            ["6", "quote", day, ""],
        ],
    )  # fmt: skip
    connection = staged(here, contract("books", tables))
    assert books(connection) == [(6, 4, 1, 0, 0, 1, 0)]
    assert rows(connection, "select source_id from staged.payment order by 1") == [("2",), ("3",)]


def test_a_total_that_another_table_takes_for_a_record_is_still_a_total_in_the_books(tmp_path: Path) -> None:
    """The same row is a total of the first table and names a customer to the second: no count falls below zero."""
    here = project(tmp_path)
    tables = {
        "invoice": {
            "columns": {"source_id": {"from": "number"}, "type": {"from": "type", "helper": True}},
            "totals": "source_id is null",
            "where": "type is distinct from 'quote'",
        },
        "account": {"columns": {"source_id": {"from": "id"}}},
    }
    write_csv(
        here, "books", "records", ["id", "number", "type"],
        [["Amy", "1", "invoice"], ["Total for Amy", "", ""], ["TOTAL", "", ""], ["Bill", "2", "quote"]],
    )  # fmt: skip
    connection = staged(here, contract("books", tables))
    assert all(count >= 0 for counts in books(connection) for count in counts)
    assert rows(connection, "select rows_in = rows_loaded + rows_quarantined + rows_ignored from audit.file") == [
        (True,)
    ]


def test_an_id_of_15_and_one_of_18_characters_are_one_record(tmp_path: Path) -> None:
    """Reports write Salesforce's ids with 15 characters, its data export with 18."""
    here = project(tmp_path)
    columns = {
        "source_id": {"from": "Id", "type": "salesforce_id"},
        "parent_source_id": {"from": "Parent", "type": "salesforce_id"},
        "name": {"from": "Name"},
    }
    write_csv(here, "crm", "records", ["Id", "Parent", "Name"], [["0015i00000MLQoqAAH", "001i000000JEw0Y", "old"]])
    write_csv(
        here, "crm", "records", ["Id", "Parent", "Name"],
        [["0015i00000MLQoq", "1.03006E+13", "new"], ["1.03006E+13", "", "lost"]],
        landed_at="2026-07-01T02:00:00",
    )  # fmt: skip
    engine = Engine.open(tmp_path / "warehouse.duckdb", threads=2, memory="500MB", query_seconds=30)
    engine.execute(f"attach {literal(str(tmp_path / 'staged.duckdb'))} as staged")
    stage(engine.connection, here, {"crm": contract("crm", {"account": {"columns": columns}})})
    assert keep_newest(engine, ["account"]) == {"account": 1}
    assert rows(engine.connection, "select source_id, parent_source_id, name from staged.account") == [
        ("0015i00000MLQoqAAH", None, "new")
    ]
    assert quarantine(engine.connection) == [
        (1, "account.parent_source_id", "excel_broken_id", "cell"),
        (2, "account.source_id", "excel_broken_id", "row"),
    ]
    engine.close()


def test_an_entity_is_recognised_by_any_spelling_of_its_headers(tmp_path: Path) -> None:
    here = project(tmp_path)
    columns = {"source_id": {"from": ["Kundenr.", "customerNumber"]}, "name": {"from": ["Kundenavn", "name"]}}
    bill = contract(
        "bill", {"account": {"columns": columns}}, recognise={"headers": [["Kundenr.", "customerNumber"], ["Kundenavn", "name"]]}
    )  # fmt: skip
    drop(here, bill, "da.csv", "Kundenr.,Kundenavn\n1,Alfa\n")
    drop(here, bill, "en.csv", "customer_number,NAME\n2,Beta\n")
    (told,) = [each for each in drop(here, bill, "other.csv", "number,city\n3,Aarhus\n") if each.name == "other.csv"]
    assert told.status == "unrecognised"
    assert rows(staged(here, bill), "select source_id, name from staged.account order by 1") == [
        ("1", "Alfa"),
        ("2", "Beta"),
    ]


def test_a_text_that_breaks_an_expression_costs_its_own_cell_and_not_the_night(tmp_path: Path) -> None:
    here = project(tmp_path)
    lines = {
        "invoice_line": {
            "columns": {
                "source_id": {"from": "id"},
                "units": {"from": "units", "type": "decimal", "helper": True},
                "price": {"from": "price", "type": "money", "helper": True},
                "net": {"sql": "units * price"},
            }
        }
    }
    huge = "99999999999999"
    write_csv(here, "desk", "records", ["id", "units", "price"], [["1", "2", "3"], ["2", huge, huge], ["3", "", "3"]])
    connection = staged(here, contract("desk", lines, currency="DKK"))
    assert connection.execute(
        "select source_id, cast(net as varchar) from staged.invoice_line order by 1"
    ).fetchall() == [
        ("1", "6.0000"),
        ("2", None),
        ("3", None),
    ]
    assert connection.execute("select row_number, column_name, rule from audit.quarantine").fetchall() == [
        (2, "invoice_line.net", "out_of_range")
    ]
