"""What a night would make of the inbox: landed and cast in a folder that is thrown away, so that nothing changes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import duckdb

from flows.runs import utc_now
from warehouse.casting import stage
from warehouse.contracts import SHIPPED, load_contracts
from warehouse.engine import connect
from warehouse.errors import ConfigurationError
from warehouse.landing import land_all
from warehouse.project import Project

if TYPE_CHECKING:
    from warehouse.landing import LandedFile

FOLDER = ".check-"
# Of a rule that a file breaks often only the first rows are named.
_ROWS_NAMED = 5


@dataclass(frozen=True)
class CheckedFile:
    """A file of the inbox with what landing says of it, its records' fates, and what of it does not fit.

    The counts are None where the file was not landed; `misfits` say column, rule, how often and in which rows.
    """

    report: LandedFile
    loaded: int | None = None
    quarantined: int | None = None
    ignored: int | None = None
    misfits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inspection:
    """The inbox's files in order, and what has changed in each entity since earlier drops.

    `problem` is what the configuration lacks: then the files were landed and not cast.
    """

    files: tuple[CheckedFile, ...]
    changes: tuple[str, ...] = ()
    problem: str = ""

    @property
    def statuses(self) -> Counter[str]:
        return Counter(file.report.status for file in self.files)

    @property
    def is_green(self) -> bool:
        """Every file was read, every record fits, and no export has changed."""
        unread = self.statuses.keys() - {"landed", "already_landed"}
        return not (unread or self.changes or self.problem or any(file.misfits for file in self.files))


def inspect(project: Project) -> Inspection:
    """Land and cast the whole inbox beside the lake as it is."""
    contracts = load_contracts([SHIPPED, project.exports])
    # In the project folder rather than in the machine's temporary one, which others may read or which may be small.
    with TemporaryDirectory(prefix=FOLDER, dir=project.root) as folder:
        trial = _trial(project, Path(folder))
        reports = land_all(trial, contracts, utc_now())
        with _engine(trial) as connection:
            try:
                stage(connection, trial, contracts, reports)
            except ConfigurationError as error:
                return Inspection(tuple(CheckedFile(report) for report in reports), problem=str(error))
            return Inspection(tuple(_checked(connection, reports)), tuple(_changes(connection)))


def _trial(project: Project, folder: Path) -> Project:
    """A project whose inbox is the real one and whose lake holds links to the real one's files."""
    trial = Project(folder, project.settings)
    if project.inbox.is_dir():
        trial.inbox.symlink_to(project.inbox)
    lake = project.lake.parent
    for path in sorted(lake.glob("*/*/*")) + sorted(lake.glob("raw/*/*/*.parquet")):
        if path.is_file():
            link = trial.lake.parent / path.relative_to(lake)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)
    return trial


def _engine(project: Project) -> duckdb.DuckDBPyConnection:
    limits = project.settings.limits
    connection = connect(limits.threads, limits.memory, project.root / "spill")
    connection.execute("attach ':memory:' as staged")
    return connection


def _checked(connection: duckdb.DuckDBPyConnection, reports: Sequence[LandedFile]) -> Iterator[CheckedFile]:
    counts: dict[tuple[str, str, str], tuple[int, int, int]] = {
        (sha256, member, entity): (loaded, quarantined, ignored)
        for sha256, member, entity, loaded, quarantined, ignored in _rows(
            connection, "select sha256, member, entity, rows_loaded, rows_quarantined, rows_ignored from audit.file"
        )
    }
    misfits: dict[tuple[str, str, str], list[str]] = {}
    for sha256, member, entity, column, rule, times, rows in _rows(connection, _MISFITS):
        named = ", ".join(map(str, rows)) + (", ..." if times > len(rows) else "")
        misfits.setdefault((sha256, member, entity), []).append(f"{column or 'record'} {rule}: {times} (rows {named})")
    by_content = {(key[0], key[2]): key for key in counts}
    for report in reports:
        key = (report.sha256, report.member, report.entity or "")
        # The same bytes under another name: what is said of them is said where they landed first.
        known = key if key in counts else by_content.get((key[0], key[2]), key)
        if report.entity is None or report.status in ("unreadable", "unrecognised") or known not in counts:
            yield CheckedFile(report)
        else:
            yield CheckedFile(report, *counts[known], tuple(misfits.get(known, ())))


_MISFITS = f"""
    select
        sha256, member, entity, column_name, rule,
        count(*) as times,
        list_sort(list(row_number))[1:{_ROWS_NAMED}] as rows
    from audit.quarantine
    group by all
    order by sha256, member, entity, column_name, rule
"""

_CHANGES = """
    select system, entity, columns_lost, columns_renamed, columns_type_changed from audit.coverage order by all
"""

_DROPS = "select system, entity, message from audit.full_drop where not is_believed order by all"


def _changes(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    for system, entity, lost, renamed, changed in _rows(connection, _CHANGES):
        told = (("no longer there", lost), ("renamed", renamed), ("of another kind", changed))
        parts = [f"{what}: {columns}" for what, columns in told if columns]
        if parts:
            yield f"{system}/{entity}: {'; '.join(parts)}"
    for system, entity, message in _rows(connection, _DROPS):
        yield f"{system}/{entity}: {message}"


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return connection.execute(sql).fetchall()


def lines(inspection: Inspection) -> Iterator[str]:
    """The inspection as lines for a terminal."""
    for file in inspection.files:
        yield from _file_lines(file)
    if inspection.changes:
        yield "Changed since earlier drops:"
        yield from (f"  {change}" for change in inspection.changes)
    yield _total(inspection)


def _file_lines(file: CheckedFile) -> Iterator[str]:
    report = file.report
    rows = "? rows" if report.rows_in is None else f"{report.rows_in} rows"
    if file.loaded is not None:
        fates = ((file.loaded, "loaded"), (file.quarantined, "quarantined"), (file.ignored, "ignored"))
        rows += f" ({', '.join(f'{count} {fate}' for count, fate in fates if count or fate == 'loaded')})"
    # A name may hold anything, also a line end.
    name = os.fsencode(report.name).decode("utf-8", errors="backslashreplace").replace("\n", "\\n")
    yield f"{report.system}/{name}: {report.entity or 'no entity'}, {rows}, {report.status}"
    if report.missing:
        yield f"  missing: {', '.join(report.missing)}"
    if report.unknown:
        yield f"  unknown: {', '.join(report.unknown)}"
    yield from (f"  quarantine: {misfit}" for misfit in file.misfits)
    if report.message:
        yield f"  {report.message}"


def _total(inspection: Inspection) -> str:
    if not inspection.files:
        return "The inbox is empty."
    told = ", ".join(f"{count} {status}" for status, count in sorted(inspection.statuses.items()))
    return f"{told}: all green" if inspection.is_green else told
