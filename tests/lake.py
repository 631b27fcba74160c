"""Lake files written straight away, as landing leaves them, or landed from an inbox, for tests of what comes after."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.casting import stage
from warehouse.contracts import SystemContract
from warehouse.landing import LandedFile, land
from warehouse.project import Project, Settings

LANDED_AT = "2026-06-30T02:00:00"


def project(root: Path, **settings: Any) -> Project:
    """A project folder with these keys of mutual-value.toml."""
    return Project(root, Settings.model_validate(settings))


def write_csv(
    project: Project,
    system: str,
    entity: str,
    headers: Sequence[str],
    rows: Iterable[Sequence[str | None]],
    *,
    landed_at: str = LANDED_AT,
    defects: Mapping[int, tuple[str, str]] | None = None,
    blank: int = 0,
    row_numbers: Sequence[int] | None = None,
) -> Path:
    """Land a CSV; `defects` puts (rule, text) at a record number, the cells of that record are then null."""
    records = [[cell if cell != "" else None for cell in row] for row in rows]
    columns: dict[str, list[Any]] = {
        header: [record[place] for record in records] for place, header in enumerate(headers)
    }
    if defects:
        numbered = range(1, len(records) + 1)
        columns["_defect"] = [defects.get(number, (None, None))[0] for number in numbered]
        columns["_raw"] = [defects.get(number, (None, None))[1] for number in numbered]
    if row_numbers:
        columns["_row"] = list(row_numbers)
    return _write(project, system, entity, columns, headers, "csv", landed_at, blank)


def write_json(
    project: Project, system: str, entity: str, records: Iterable[Any], *, landed_at: str = LANDED_AT
) -> Path:
    """Land JSON records (texts stay as they are)."""
    texts = [record if isinstance(record, str) else json.dumps(record, ensure_ascii=False) for record in records]
    return _write(project, system, entity, {"record": texts}, (), "json", landed_at, 0)


def _write(
    project: Project,
    system: str,
    entity: str,
    columns: Mapping[str, list[Any]],
    headers: Sequence[str],
    form: str,
    landed_at: str,
    blank: int,
) -> Path:
    sha256 = hashlib.sha256(json.dumps([entity, dict(columns), landed_at]).encode()).hexdigest()
    rows = len(next(iter(columns.values())))
    arrays = {name: pa.array(cells, pa.int64() if name == "_row" else pa.string()) for name, cells in columns.items()}
    facts = {
        "sha256": sha256,
        "member": "",
        "name": f"{entity}.{form}",
        "system": system,
        "entity": entity,
        "format": form,
        "landed_at": landed_at,
        "bytes": "100",
        "rows_blank": str(blank),
        "headers": json.dumps(list(headers)),
        "folded": "[]",
    }
    table = pa.table(
        {
            **arrays,
            "_file": pa.array([facts["name"]] * rows, pa.string()),
            "_landed_at": pa.array([None] * rows, pa.timestamp("us")),
        }
    )
    path = project.lake / system / entity / f"{sha256}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata(facts), path)
    return path


def contract(system: str, tables: Mapping[str, Any], **keys: Any) -> SystemContract:
    """A contract with one CSV entity called `records`; the entity's own keys (format, scope, ...) are taken from `keys`."""
    entity = {name: keys.pop(name) for name in ("format", "scope", "dialect") if name in keys}
    recognise = keys.pop("recognise", {"headers": ["id"]})
    return SystemContract.model_validate(
        {
            "system": system,
            "title": system,
            "kind": "other",
            "timezone": "UTC",
            **keys,
            "entities": {"records": {"recognise": recognise, "tables": tables, **entity}},
        }
    )


def drop(
    project: Project, contract: SystemContract, name: str, content: str | bytes, at: str = LANDED_AT
) -> list[LandedFile]:
    """Put a file into the inbox of the contract's system, and land all of that inbox."""
    path = project.inbox / contract.system / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return land(project, {contract.system: contract}, contract.system, dt.datetime.fromisoformat(at))


def staged(
    project: Project, *contracts: SystemContract, landed: Sequence[Any] = (), memory: str = "1GB"
) -> duckdb.DuckDBPyConnection:
    """A connection in which the project's lake is staged."""
    connection = duckdb.connect(config={"threads": 2, "memory_limit": memory, "preserve_insertion_order": "false"})
    connection.execute("attach ':memory:' as staged")
    stage(connection, project, {each.system: each for each in contracts}, landed)
    return connection
