"""Frozen references: the scale that scores are measured on, kept while the data go on.

A score is a distance from a centre in units of a spread (scores/reference.sql). Computed anew each night over the
first months, both move when late exports fill those months. A frozen reference is a file: state that cannot be computed
again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.errors import ConfigurationError
from warehouse.project import Project

# What a release says that was compared with no frozen one.
UNFROZEN = "first_12_months"
COLUMNS = {
    "measure_id": "varchar",
    "segment": "varchar",
    "center": "double",
    "scale": "double",
    "method": "varchar",
    "n": "bigint",
    "accounts": "bigint",
}
_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})-([0-9a-f]{12})")


@dataclass(frozen=True)
class Frozen:
    """One file of reference/: `version` is its day (the as-of of the release that it was taken from) and its hash."""

    version: str
    day: dt.date
    frozen_at: str
    path: Path


def every(project: Project) -> list[Frozen]:
    """All frozen references, the oldest first.

    Raises:
        ConfigurationError: a file whose name is no version.
    """
    found = []
    for path in sorted(project.reference.glob("*.parquet")):
        name = _NAME.fullmatch(path.stem)
        if name is None:
            raise ConfigurationError(f"{path} is no frozen reference: its name is not <day>-<hash>.parquet")
        metadata = pq.read_schema(path).metadata or {}
        found.append(Frozen(path.stem, dt.date.fromisoformat(name[1]), metadata.get(b"frozen_at", b"").decode(), path))
    return sorted(found, key=lambda each: (each.day, each.frozen_at, each.version))


def in_force(project: Project, as_of: dt.date) -> Frozen | None:
    """The newest reference that is not later than `as_of`; None: the first months of the data serve."""
    return next((each for each in reversed(every(project)) if each.day <= as_of), None)


def version_in_force(project: Project, as_of: dt.date) -> str:
    """What mart.release.reference_version says of a night with that as-of."""
    chosen = in_force(project, as_of)
    return chosen.version if chosen else UNFROZEN


def rows(project: Project, as_of: dt.date) -> list[dict[str, Any]]:
    """The rows of the reference in force (COLUMNS); none without one.

    Raises:
        ConfigurationError: the file's content is not what its name says: it was changed since.
    """
    chosen = in_force(project, as_of)
    if chosen is None:
        return []
    found: list[dict[str, Any]] = pq.read_table(chosen.path, columns=list(COLUMNS)).to_pylist()
    if not chosen.version.endswith(_hash(found)):
        raise ConfigurationError(
            f"{chosen.path} was changed since it was frozen: its content does not have the hash of its name"
        )
    return found


def freeze(project: Project, database: Path, now: dt.datetime) -> tuple[Frozen, bool]:
    """Keep the reference of the release `database`; the file, and whether it is new.

    A release that was itself compared with a frozen reference gives that one again, which is kept once.

    Raises:
        ConfigurationError: the release has no reference: no measure could speak yet.
    """
    with duckdb.connect(str(database), read_only=True) as connection:
        as_of: dt.date = connection.execute("select as_of from mart.release").fetchall()[0][0]
        columns = ", ".join(COLUMNS)
        table = connection.execute(
            f"select {columns} from scores.reference order by measure_id, segment"
        ).to_arrow_table()
    if not table.num_rows:
        raise ConfigurationError("the release has nothing to freeze: no measure could speak yet")
    digest = _hash(table.to_pylist())
    for each in every(project):
        if each.version.endswith(digest):
            return each, False
    version = f"{as_of.isoformat()}-{digest}"
    path = project.reference / f"{version}.parquet"
    _write(path, table.replace_schema_metadata({"frozen_at": now.isoformat(timespec="seconds")}))
    return Frozen(version, as_of, now.isoformat(timespec="seconds"), path), True


def _write(path: Path, table: pa.Table) -> None:
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    pq.write_table(table, unfinished)
    unfinished.replace(path)


def _hash(found: list[dict[str, Any]]) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of the rows; floats are told to their last bit."""
    ordered = sorted(found, key=lambda row: (row["measure_id"], row["segment"]))
    text = "\n".join("|".join(repr(row[name]) for name in COLUMNS) for row in ordered)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
