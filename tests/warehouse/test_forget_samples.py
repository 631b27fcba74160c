"""Everybody in the sample exports of every system is forgotten: nobody is left, and every record is still accounted for."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from warehouse import erasures, landing
from warehouse.casting import stage
from warehouse.contracts import SHIPPED, load_contracts
from warehouse.erasing import forget, hashes
from warehouse.project import Project

SAMPLES = Path(__file__).parents[2] / "examples" / "exports"
CONTRACTS = load_contracts([SHIPPED])
BOOKS = "select * exclude (bytes) from audit.file order by all"
QUARANTINE = "select sha256, member, row_number, column_name, rule from audit.quarantine order by all"
# What the models rest on: no row of a company's history may go with a person. People whom a file knows by their names
# alone are one person after it: `[forgotten]`.
ROWS = ("account", "ticket", "ticket_comment", "activity", "invoice", "invoice_line", "opportunity", "goal")


class Told:
    """The samples cast before and after everybody with an address was forgotten."""

    def __init__(self, root: Path) -> None:
        shutil.copytree(SAMPLES, root)
        self.project = Project.open(root)
        for system in landing.systems(self.project):
            landing.land(self.project, CONTRACTS, system, dt.datetime(2026, 6, 30, 2))
        self.before = self._cast()
        self.addresses = sorted(
            address
            for (address,) in self.before["addresses"]
            if re.fullmatch(r"[\w.+-]+@[\w-]+(\.[\w-]+)+", address) and "@" in address
        )
        by_address = hashes(self.project, self.addresses)
        recorded = erasures.record(self.project.decisions, dt.date(2026, 7, 1), by_address.values())
        known = {each.email_hash: each for each in recorded}
        self.done = forget(self.project, CONTRACTS, {each: known[by_address[each]] for each in self.addresses})
        self.after = self._cast()

    def _cast(self) -> dict[str, list[tuple[Any, ...]]]:
        with duckdb.connect() as connection:
            connection.execute("attach ':memory:' as staged")
            stage(connection, self.project, CONTRACTS)
            people = " union ".join(
                f"select lower(trim({column})) from staged.{table}"
                for table, column in (("person", "email"), ("ticket", "requester_email"), ("account", "email"))
            )
            return {
                "books": connection.execute(BOOKS).fetchall(),
                "quarantine": connection.execute(QUARANTINE).fetchall(),
                "addresses": connection.execute(f"from ({people}) as t(address) where address is not null").fetchall(),
                **{table: connection.execute(f"select count(*) from staged.{table}").fetchall() for table in ROWS},
                "domains": connection.execute(
                    "select distinct source_system, split_part(lower(email), '@', 2) from staged.person "
                    "where email is not null order by all"
                ).fetchall(),
            }


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return Told(tmp_path_factory.mktemp("samples") / "project")


def test_there_are_many_to_forget(told: Told) -> None:
    assert len(told.addresses) > 25
    assert told.done.lake.files > 25


def test_the_books_and_the_quarantine_are_as_before(told: Told) -> None:
    assert told.after["books"] == told.before["books"]
    assert told.after["quarantine"] == told.before["quarantine"]


def test_no_record_is_lost(told: Told) -> None:
    assert {table: told.after[table] for table in ROWS} == {table: told.before[table] for table in ROWS}


def test_the_domains_of_companies_stay(told: Told) -> None:
    assert told.after["domains"] == told.before["domains"]


def test_no_address_is_left_in_the_lake(told: Told) -> None:
    cells = "\n".join(
        str(value).lower()
        for path in told.project.lake.glob("*/*/*.parquet")
        for column in pq.read_table(path).columns
        for value in column.to_pylist()
    )
    assert [address for address in told.addresses if re.search(rf"(?<![\w.+-]){re.escape(address)}", cells)] == []
