"""What users of other loaders complain about, and why it cannot happen here: one test for each complaint."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.lake import contract, project, staged, write_csv, write_json
from tests.tables import Example
from tests.transforms.exports import Drop, quarantine, records

MakeExample = Callable[..., Example]
INVOICE = {
    "object": "invoice", "id": "in_1", "customer": "cus_1", "created": 1767222000, "status": "open",
    "collection_method": "send_invoice", "currency": "jpy", "total": 5000, "tax": 0, "total_excluding_tax": 5000,
    "amount_remaining": 5000,
}  # fmt: skip


class TestRowsThatVanishWithoutAQuarantine:
    """dlt-hub/dlt 1980 and 1772, floe 264."""

    def test_every_row_of_a_dirty_file_is_loaded_or_in_quarantine_with_its_reason(self, tmp_path: Path) -> None:
        drop = Drop(tmp_path)
        drop.csv(
            "goals", "goals.csv", "goal_id,account_id,title,due_on,created_on",
            "1,A,Fewer errors,2026-12-31,2026-01-01",
            "2,A,No creation,2026-12-31,",
            "3,A,Odd day,31/12/2026,2026-01-01",
            "4,A,One cell too many,2026-12-31,2026-01-01,x",
            "1.03006E+13,A,Ruined id,2026-12-31,2026-01-01",
        )  # fmt: skip
        connection = drop.stage()
        (counts,) = connection.execute(
            "select rows_in, rows_loaded, rows_quarantined, rows_ignored from audit.file"
        ).fetchall()
        assert counts == (5, 2, 3, 0)
        assert quarantine(connection) == [
            ("goals", "goal", 2, "goal.created_at", "required_empty", "row"),
            ("goals", "goal", 3, "goal.due_on", "unparseable_date", "cell"),
            ("goals", "goal", 4, "", "too_many_cells", "row"),
            ("goals", "goal", 5, "goal.source_id", "excel_broken_id", "row"),
        ]

    def test_a_file_that_nobody_can_read_is_listed_and_its_rows_counted(self, tmp_path: Path) -> None:
        drop = Drop(tmp_path)
        drop.csv("goals", "other.csv", "one,two", "1,2", "3,4")
        connection = drop.stage()
        assert connection.execute(
            "select name, status, rows_in, rows_loaded, rows_quarantined from audit.file"
        ).fetchall() == [("other.csv", "unrecognised", 2, 0, 2)]


class TestLateOrMissedRows:
    """dlt-hub/dlt 2269, airbytehq/airbyte 27146."""

    def test_a_row_that_comes_months_late_is_in_the_month_it_belongs_to(self, example: MakeExample) -> None:
        made = example(as_of="2026-06-30").put("account", "source_id | name | customer_since\nA | Alfa | 2026-01-01")
        made.put("account", "source_system | source_id | external_id\nbill | b1 | A")
        made.put(
            "invoice",
            "source_system | source_id | source_account_id | kind | issued_on | currency | landed_at\n"
            "bill | i1 | b1 | invoice | 2026-02-01 | DKK | 2026-03-01 02:00:00\n"
            "bill | i2 | b1 | invoice | 2026-02-01 | DKK | 2026-06-29 02:00:00",
        )
        made.put(
            "invoice_line",
            "source_system | source_id | invoice_source_id | kind | net | period_start_on | period_end_on | currency\n"
            "bill | l1 | i1 | recurring | 100 | 2026-02-01 | 2026-03-01 | DKK\n"
            "bill | l2 | i2 | recurring | 50 | 2026-02-01 | 2026-03-01 | DKK",
        ).run("value.mrr_month")
        assert made.rows("select month, mrr from value.mrr_month") == [(dt.date(2026, 2, 1), Decimal("150.00"))]

    def test_an_older_file_that_comes_after_a_newer_one_changes_nothing(self, tmp_path: Path) -> None:
        here = project(tmp_path)
        desk = contract("desk", TICKET)
        write_csv(here, "desk", "records", HEADERS, [["1", "2026-05-02", "solved"]], landed_at="2026-05-03T02:00:00")
        write_csv(here, "desk", "records", HEADERS, [["1", "2026-05-01", "open"]], landed_at="2026-06-03T02:00:00")
        connection = staged(here, desk)
        newest = "order by coalesce(source_updated_at, drop_at) desc limit 1"
        assert connection.execute(f"select status from staged.ticket {newest}").fetchall() == [("solved",)]


HEADERS = ["id", "changed", "state"]
TICKET = {
    "ticket": {
        "columns": {
            "source_id": {"from": "id"},
            "source_updated_at": {"from": "changed", "type": "timestamp", "format": "iso"},
            "status": {"from": "state"},
            "priority": {"from": "urgency"},
        }
    }
}


class TestASchemaChangeThatLosesData:
    """airbytehq/airbyte 77627."""

    def test_a_new_column_is_kept_in_the_lake_and_shown(self, tmp_path: Path) -> None:
        here = project(tmp_path)
        write_csv(here, "desk", "records", [*HEADERS, "Mood"], [["1", "2026-05-01", "open", "grim"]])
        connection = staged(here, contract("desk", TICKET))
        assert connection.execute("select columns_unknown from audit.coverage").fetchall() == [("Mood",)]
        (path,) = here.lake.glob("*/*/*.parquet")
        assert connection.execute('select "Mood" from read_parquet(?)', [str(path)]).fetchall() == [("grim",)]

    def test_a_column_that_is_gone_keeps_what_was_known_of_old_records_and_is_shown(self, tmp_path: Path) -> None:
        here = project(tmp_path)
        wide = [["1", "2026-05-01", "open", "high"], ["2", "2026-05-01", "open", "low"]]
        write_csv(here, "desk", "records", [*HEADERS, "urgency"], wide, landed_at="2026-05-02T02:00:00")
        narrow = [["1", "2026-06-01", "solved"], ["3", "2026-06-01", "open"]]
        write_csv(here, "desk", "records", HEADERS, narrow, landed_at="2026-06-02T02:00:00")
        connection = staged(here, contract("desk", TICKET))
        rows = connection.execute(
            "select source_id, status, priority from staged.ticket order by source_id, source_updated_at desc"
        ).fetchall()
        assert rows == [("1", "solved", "high"), ("1", "open", "high"), ("2", "open", "low"), ("3", "open", None)]
        assert connection.execute("select columns_lost from audit.coverage").fetchall() == [("ticket.priority",)]


class TestDeletesAndMergesThatStayInvisible:
    """airbytehq/airbyte 19838, fivetran/dbt_hubspot 134 and 35."""

    def test_what_a_full_export_no_longer_has_is_deleted_and_counted(self, tmp_path: Path) -> None:
        here = project(tmp_path)
        desk = contract("desk", TICKET, scope="full")
        ten = [[str(number), "2026-05-01", "open"] for number in range(10)]
        write_csv(here, "desk", "records", HEADERS, ten, landed_at="2026-05-02T02:00:00")
        write_csv(here, "desk", "records", HEADERS, ten[1:], landed_at="2026-06-02T02:00:00")
        connection = staged(here, desk)
        deleted = "select distinct source_id, deleted_reason from staged.ticket where is_deleted"
        assert connection.execute(deleted).fetchall() == [("0", "absent_from_full_export")]
        assert connection.execute(
            "select records, records_before, is_believed, records_absent from audit.full_drop order by drop_at"
        ).fetchall() == [(10, None, True, None), (9, 10, True, 1)]

    def test_the_records_of_a_merged_account_are_those_of_the_one_that_is_left(self, example: MakeExample) -> None:
        made = example().put(
            "account",
            "source_id | name | merged_into_source_id | is_deleted\n"
            "A | Alfa | - | false\nB | Alfa A/S | A | true\nC | Alfa ApS | B | true",
        )
        made.put(
            "ticket",
            "source_id | source_account_id | created_at | status\nt1 | B | 2026-05-01 | open\nt2 | C | 2026-05-01 | open",
        )
        made.run("canonical.ticket", "canonical.account")
        assert made.rows("select account_id from canonical.account") == [("crm:A",)]
        assert made.rows("select distinct account_id from canonical.ticket") == [("crm:A",)]
        assert made.rows("select source_account_id, method from canonical.account_xref order by 1") == [
            ("A", "exact_id"),
            ("B", "merged"),
            ("C", "merged"),
        ]

    def test_a_merged_account_that_is_exported_no_more_is_known_by_the_one_that_is_left(
        self, example: MakeExample
    ) -> None:
        made = example().put("account", "source_id | name\nA | Alfa")
        made.engine.execute("update staged.account set merged_source_ids = ['B']")
        made.put("ticket", "source_id | source_account_id | created_at | status\nt1 | B | 2026-05-01 | open")
        made.run("canonical.ticket")
        assert made.rows("select account_id from canonical.ticket") == [("crm:A",)]

    def test_a_deleted_customer_that_was_billed_stays_in_the_history(self, example: MakeExample) -> None:
        made = example().put("account", "source_id | name | is_deleted\nA | Alfa | true\nB | Beta | true")
        made.put(
            "subscription",
            "source_id | source_account_id | started_on | mrr | currency\ns1 | A | 2025-01-01 | 100 | DKK",
        )
        made.run("canonical.account")
        assert made.rows("select account_id, deleted_reason from canonical.account") == [("crm:A", "deleted_in_source")]


class TestMetricsThatDifferFromTheVendorsOwnScreen:
    """fivetran/dbt_zendesk 53, 4 and 35."""

    def test_satisfaction_is_good_over_good_and_bad_as_zendesk_counts_it(self, example: MakeExample) -> None:
        made = example().put("account", "source_id | name | customer_since\nA | Alfa | 2026-01-01")
        made.put(
            "ticket",
            "source_id | source_account_id | created_at | status | csat | csat_state\n"
            "1 | A | 2026-06-01 | closed | 1 | rated\n2 | A | 2026-06-01 | closed | 1 | rated\n"
            "3 | A | 2026-06-01 | closed | 0 | rated\n4 | A | 2026-06-01 | closed | - | offered\n"
            "5 | A | 2026-06-01 | closed | - | not_offered",
        ).run("value.csat")
        (found,) = made.rows("select raw_value, n from value.csat where month = '2026-06-01'")
        assert found == (pytest.approx(2 / 3), 3)

    def test_the_minutes_of_the_vendors_own_clock_are_taken_as_they_are(self, tmp_path: Path) -> None:
        drop = Drop(tmp_path)
        ticket: dict[str, Any] = {
            "id": 1, "created_at": "2026-03-27T15:00:00Z", "status": "solved",
            "metric_set": {"reply_time_in_minutes": {"calendar": 3900, "business": 45}},
        }  # fmt: skip
        drop.ndjson("zendesk", "t.ndjson", {"ticket": ticket})
        connection = drop.stage()
        assert records(connection, "ticket", "first_response_min, first_response_business_min") == [(3900.0, 45.0)]


class TestMoneyInTheWrongUnit:
    """fivetran/dbt_stripe 83."""

    @pytest.mark.parametrize(
        ("currency", "amount"),
        [("jpy", "5000.0000"), ("krw", "5000.0000"), ("kwd", "5.0000"), ("dkk", "50.0000"), ("isk", "50.0000")],
    )
    def test_minor_units_are_those_of_the_currency(self, tmp_path: Path, currency: str, amount: str) -> None:
        drop = Drop(tmp_path)
        drop.ndjson("stripe", "i.ndjson", {**INVOICE, "currency": currency})
        assert records(drop.stage(), "invoice", "gross, currency") == [(Decimal(amount), currency.upper())]

    def test_without_a_currency_minor_units_are_no_amount(self, tmp_path: Path) -> None:
        drop = Drop(tmp_path)
        drop.ndjson("stripe", "i.ndjson", {**INVOICE, "currency": None})
        connection = drop.stage()
        assert records(connection, "invoice", "gross, currency") == [(None, None)]
        assert ("stripe", "invoice", 1, "invoice.gross", "currency_missing", "cell") in quarantine(connection)

    def test_a_danish_thousand_is_no_one_and_a_bit(self, tmp_path: Path) -> None:
        here = project(tmp_path)
        money = {"invoice": {"columns": {"source_id": {"from": "id"}, "net": {"from": "net", "type": "money"}}}}
        write_csv(here, "desk", "records", ["id", "net"], [["1", "1.234"], ["2", "1.234,56"], ["3", "1.5"]])
        connection = staged(here, contract("desk", money, locale="da", currency="DKK"))
        assert connection.execute("select net from staged.invoice order by source_id").fetchall() == [
            (Decimal("1234.0000"),),
            (Decimal("1234.5600"),),
            (None,),
        ]


class TestFakeZeros:
    def test_a_column_that_is_not_there_is_null_and_not_0(self, tmp_path: Path) -> None:
        here = project(tmp_path)
        lines = {"invoice_line": {"columns": {
            "source_id": {"from": "id"}, "net": {"from": "net", "type": "money"},
            "discount_amount": {"from": "discount", "type": "money"},
        }}}  # fmt: skip
        write_csv(here, "desk", "records", ["id", "net"], [["1", "0"]])
        write_json(here, "desk", "other", [])
        connection = staged(here, contract("desk", lines, currency="DKK"))
        assert connection.execute("select net, discount_amount from staged.invoice_line").fetchall() == [
            (Decimal("0.0000"), None)
        ]

    def test_an_automatically_collected_invoice_has_no_due_date_and_is_not_0_days_late(
        self, example: MakeExample
    ) -> None:
        made = example().put("account", "source_id | name | customer_since\nA | Alfa | 2026-01-01")
        made.put(
            "invoice",
            "source_id | source_account_id | kind | issued_on | due_on | paid_on | gross | currency | collection\n"
            "1 | A | invoice | 2026-05-01 | - | 2026-05-01 | 100 | DKK | auto",
        ).run("value.days_beyond_terms")
        assert made.rows("from value.days_beyond_terms") == []

    def test_an_empty_template_connects_no_source(self, tmp_path: Path) -> None:
        drop = Drop(tmp_path)
        drop.csv("goals", "goals.csv", "goal_id,account_id,title,due_on,created_on")
        assert drop.stage().execute("select count(*) from setting.connected").fetchall() == [(0,)]


def test_every_comment_of_a_jira_ticket_is_kept_though_its_header_repeats(tmp_path: Path) -> None:
    """csv.DictReader keeps one of three."""
    headers = ["Issue key", "Issue id", "Summary", "Issue Type", "Status", "Created", "Comment", "Comment", "Comment"]
    cells = [
        "A-1", "1", "x", "Bug", "Open", "22/Sep/25 9:26 AM",
        "22/Sep/25 9:30 AM;p1;one; with a semicolon", "22/Sep/25 9:31 AM;p2;two", "22/Sep/25 9:31 AM;p2;three",
    ]  # fmt: skip
    text = io.StringIO()
    csv.writer(text).writerows([headers, cells])
    drop = Drop(tmp_path, systems={"jira": {"timezone": "Europe/Copenhagen"}})
    drop.csv("jira", "jira.csv", *text.getvalue().splitlines())
    connection = drop.stage()
    assert len(records(connection, "ticket_comment", "source_id")) == 3
    assert (
        records(connection, "ticket_comment", "distinct ticket_source_id")[0]
        == records(connection, "ticket", "source_id")[0]
    )
