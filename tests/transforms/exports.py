"""Samples of vendors' exports in their own shape, through landing and casting with the shipped contracts."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from tests.lake import project
from warehouse import landing
from warehouse.casting import stage
from warehouse.contracts import SHIPPED, load_contracts
from warehouse.project import Project

SHIPPED_CONTRACTS = load_contracts([SHIPPED])
LANDED_AT = dt.datetime(2026, 6, 30, 2)


class Drop:
    """A project whose inbox gets files; `stage` lands and casts them."""

    def __init__(self, root: Path, **settings: Any) -> None:
        self.project: Project = project(root, **settings)
        self.reports: list[landing.LandedFile] = []

    def csv(self, system: str, name: str, headers: str, *lines: str) -> None:
        """A CSV as a text editor shows it."""
        self._write(system, name, "\n".join([headers, *lines]) + "\n")

    def quoted_csv(self, system: str, name: str, rows: Iterable[dict[str, str]]) -> None:
        """A CSV with each field quoted, as Salesforce's Data Export writes it."""
        rows = list(rows)
        lines = [list(rows[0]), *(list(row.values()) for row in rows)]
        text = "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in line) + "\r\n" for line in lines)
        self._write(system, name, text)

    def ndjson(self, system: str, name: str, *records: Any) -> None:
        self._write(system, name, "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records))

    def json(self, system: str, name: str, value: Any) -> None:
        self._write(system, name, json.dumps(value))

    def _write(self, system: str, name: str, text: str) -> None:
        path = self.project.inbox / system / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")

    def stage(self) -> duckdb.DuckDBPyConnection:
        contracts = {**SHIPPED_CONTRACTS, **load_contracts([self.project.exports])}
        for system in landing.systems(self.project):
            self.reports += landing.land(self.project, contracts, system, LANDED_AT)
        connection = duckdb.connect(config={"threads": 2, "memory_limit": "1GB", "preserve_insertion_order": "false"})
        connection.execute("attach ':memory:' as staged")
        stage(connection, self.project, contracts, self.reports)
        return connection


def records(connection: duckdb.DuckDBPyConnection, table: str, columns: str) -> list[tuple[Any, ...]]:
    """The named columns of a staged table, by source_id and place."""
    order = "order by source_system, source_id, row_number"
    return connection.execute(f'select {columns} from staged."{table}" {order}').fetchall()


def quarantine(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "select system, entity, row_number, column_name, rule, severity from audit.quarantine order by all"
    ).fetchall()
