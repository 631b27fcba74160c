"""Worked examples as drawn tables: rows in, rows out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from warehouse.contracts import KEY_COLUMNS, SystemContract, staged_tables
from warehouse.engine import Engine, literal, quoted
from warehouse.keys import project_key, use_key
from warehouse.models import LAYERS, define_macros, find_models, run_model
from warehouse.project import Project, Settings
from warehouse.settings_tables import write_settings
from warehouse.versions import keep_newest, remember_keys

SQL_TYPES = {
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
SYSTEMS = {
    name: SystemContract(system=name, title=name, kind=kind, entities={})
    for name, kind in (("crm", "crm"), ("newer", "crm"), ("desk", "helpdesk"), ("bill", "billing"))
}
LANDED = "2026-06-30 02:00:00"
DEFAULTS = {"source_system": "crm", "sha256": "f", "member": "", "landed_at": LANDED, "scope": "window"}


def drawn(text: str) -> list[dict[str, str | None]]:
    """Rows of a table drawn in text: a header, then rows, cells parted by `|`; an empty cell or `-` is null.

    >>> drawn('''
    ... id | name
    ... 1  | -
    ... ''')
    [{'id': '1', 'name': None}]
    """
    header, *rows = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    return [dict(zip(header, [cell if cell not in ("", "-") else None for cell in row], strict=True)) for row in rows]


class Example:
    """A small warehouse whose staged tables are drawn, and whose models are run on demand."""

    def __init__(self, folder: Path, as_of: str, **settings: Any) -> None:
        self.project = Project(folder, Settings(**{"timezone": "Europe/Copenhagen", "currency": "DKK", **settings}))
        self.as_of = dt.date.fromisoformat(as_of)
        self.engine = Engine.open(folder / "warehouse.duckdb", threads=2, memory="1GB", query_seconds=60)
        self.engine.execute(f"attach {literal(str(folder / 'staged.duckdb'))} as staged")
        for schema in ("setting", *LAYERS.values()):
            self.engine.execute(f"create schema if not exists {quoted(schema)}")
        define_macros(self.engine)
        use_key(self.engine.connection, project_key(self.project))
        self.configure()
        self.engine.execute("create table audit.quarantine (column_name varchar, rule varchar)")
        self.engine.execute("create table audit.coverage (system varchar, entity varchar, as_of date)")
        self.engine.execute("create table audit.file (system varchar, known_at timestamp)")
        self.engine.execute(
            "create table setting.connected (system varchar, entity varchar, table_name varchar, column_name varchar, "
            "is_present boolean, fill_share double)"
        )
        for table, columns in staged_tables().items():
            self._create(table, {**columns, **KEY_COLUMNS})
        remember_keys(self.engine)

    def configure(self) -> Example:
        """Write the settings, as a night does before it casts anything."""
        write_settings(self.engine, self.project, SYSTEMS, self.as_of, (0.4, 0.6))
        return self

    def _create(self, table: str, columns: Mapping[str, str]) -> None:
        typed = ", ".join(f"{quoted(name)} {SQL_TYPES[kind]}" for name, kind in columns.items())
        self.engine.execute(
            f"create table staged.{quoted(table)} ({typed}, source_system varchar, sha256 varchar, member varchar, "
            "row_number bigint, landed_at timestamp, known_at timestamp, drop_at timestamp, scope varchar, "
            "deleted_reason varchar)"
        )

    def put(self, table: str, text: str) -> Example:
        """Add drawn rows to a staged table; `source_system` is `crm` unless a column says otherwise."""
        rows = [
            {**DEFAULTS, "row_number": str(place), "known_at": row.get("landed_at") or LANDED, **row}
            for place, row in enumerate(drawn(text), start=1)
        ]
        self.engine.connection.register("drawn_rows", pa.Table.from_pylist(rows))
        columns = ", ".join(quoted(name) for name in rows[0])
        values = ", ".join(
            f"string_split({quoted(name)}, ' ')" if name in ("tags", "domains") else quoted(name) for name in rows[0]
        )
        self.engine.execute(f"insert into staged.{quoted(table)} ({columns}) select {values} from drawn_rows")
        self.engine.execute(
            "insert into audit.file (system, known_at) "
            "select distinct source_system, cast(known_at as timestamp) from drawn_rows"
        )
        for name in rows[0]:
            self.engine.execute(
                f"insert into setting.connected select source_system, '', ?, ?, true, avg(({quoted(name)} is not null)::int) "
                "from drawn_rows group by source_system",
                [table, name],
            )
        return self

    def run(self, *tables: str) -> Example:
        """Run the models that the named tables need, and those themselves; without a name, all."""
        remember_keys(self.engine)
        keep_newest(self.engine, ["account"])
        models = find_models()
        wanted = set(tables) or {model.table for model in models}
        for model in reversed(models):
            if model.table in wanted:
                wanted |= model.depends_on
        for model in models:
            if model.table in wanted:
                run_model(self.engine, model)
        return self

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.engine.execute(query).fetchall()
