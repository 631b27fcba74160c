"""A contract of one's own for a file of receivables, held against the days late that the file itself has."""

from __future__ import annotations

import csv
import datetime as dt
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from tests.transforms.exports import Drop, quarantine, records
from warehouse.project import Project

EXAMPLE = Path(__file__).parents[2] / "examples" / "accounts_receivable"


@pytest.fixture
def file(real_files: Path) -> list[dict[str, str]]:
    with (real_files / "accounts_receivable" / "accounts_receivable.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture
def drop(tmp_path: Path, real_files: Path) -> Drop:
    shutil.copytree(real_files / "accounts_receivable", tmp_path / "inbox" / "receivables")
    shutil.copytree(EXAMPLE / "exports", tmp_path / "exports")
    shutil.copy(EXAMPLE / "mutual-value.toml", tmp_path)
    drop = Drop(tmp_path)
    drop.project = Project.open(tmp_path)
    return drop


def test_every_invoice_is_as_late_as_the_file_says(drop: Drop, file: list[dict[str, str]]) -> None:
    connection = drop.stage()
    assert connection.execute(
        "select entity, rows_in, rows_loaded, rows_quarantined, rows_ignored from audit.file"
    ).fetchall() == [("invoices", 2466, 2466, 0, 0)]
    assert quarantine(connection) == []
    late = connection.execute("select source_id, greatest(paid_on - due_on, 0) from staged.invoice").fetchall()
    assert dict(late) == {row["invoiceNumber"]: int(row["DaysLate"]) for row in file}
    assert sum(days for _, days in late) == 8489


def test_an_invoice_is_what_its_line_says(drop: Drop, file: list[dict[str, str]]) -> None:
    """`391,0379-NEVHP,4/6/2013,611365,1/2/2013,2/1/2013,55.94,No,1/15/2013,Paper,13,0`"""
    connection = drop.stage()
    columns = "source_id, source_account_id, issued_on, due_on, paid_on, terms_days, gross, currency, status, disputed"
    assert ("611365", "0379-NEVHP", dt.date(2013, 1, 2), dt.date(2013, 2, 1), dt.date(2013, 1, 15), 30, Decimal("55.94"),
            "USD", "paid", False) in records(connection, "invoice", columns)  # fmt: skip
    disputed, total = connection.execute(
        "select count(*) filter (disputed), sum(gross) from staged.invoice"
    ).fetchall()[0]
    assert disputed == sum(row["Disputed"] == "Yes" for row in file) == 561
    assert total == sum(Decimal(row["InvoiceAmount"]) for row in file)


def test_the_invoices_name_each_customer_once(drop: Drop, file: list[dict[str, str]]) -> None:
    accounts = records(drop.stage(), "account", "source_id, country")
    assert accounts == sorted({(row["customerID"], row["countryCode"]) for row in file})
