"""Every change of a link is found: a small release, and a build beside it."""

from __future__ import annotations

from pathlib import Path

import duckdb

from tests.tables import drawn
from warehouse.engine import Engine, literal
from warehouse.link_changes import LinkChange, link_changes

BEFORE = """
    system | id | account_id | method
    desk   | 1  | crm:A      | vat
    desk   | 2  | crm:A      | vat
    desk   | 3  | -          | unmatched
    desk   | 4  | crm:A      | vat
    desk   | 5  | crm:A      | vat
    desk   | 6  | -          | unmatched
"""
NOW = """
    system | id | account_id | method
    desk   | 1  | crm:A      | manual
    desk   | 2  | crm:B      | manual
    desk   | 3  | crm:B      | domain
    desk   | 4  | -          | conflict
    desk   | 6  | -          | conflict
    desk   | 7  | -          | unmatched
"""


def fill(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    connection.execute("create schema audit")
    connection.execute(
        "create table audit.identity (system varchar, source_account_id varchar, account_id varchar, method varchar)"
    )
    for row in drawn(text):
        connection.execute("insert into audit.identity values (?, ?, ?, ?)", list(row.values()))


def test_each_account_whose_company_is_another_one_is_named_with_what_it_was_and_is(tmp_path: Path) -> None:
    release = tmp_path / "it's" / "warehouse.duckdb"
    release.parent.mkdir()
    with duckdb.connect(str(release)) as connection:
        fill(connection, BEFORE)
    engine = Engine.open(tmp_path / "warehouse.duckdb", threads=1, memory="1GB", query_seconds=60)
    fill(engine.connection, NOW)
    assert link_changes(engine, release) == [
        LinkChange("desk", "2", "relinked", "crm:A", "vat", "crm:B", "manual"),
        LinkChange("desk", "3", "linked", None, "unmatched", "crm:B", "domain"),
        LinkChange("desk", "4", "unlinked", "crm:A", "vat", None, "conflict"),
        LinkChange("desk", "5", "gone", "crm:A", "vat", None, None),
        LinkChange("desk", "7", "new", None, None, None, "unmatched"),
    ]
    # The release is let go of, and can be looked at again.
    assert len(link_changes(engine, release)) == 5
    engine.execute(f"attach {literal(str(release))} as other")
    engine.close()
