"""The books of casting: each record of each file counted once, and what each source delivered.

rows_in = rows_loaded + rows_quarantined + rows_ignored, for every file. Each side is counted by itself, so that a
record that got lost shows.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from warehouse import cells, queries
from warehouse.contracts import KEY_COLUMNS, staged_tables
from warehouse.engine import quoted
from warehouse.errors import MutualValueError
from warehouse.models import declared_tables
from warehouse.plans import Plan, paths, staged
from warehouse.project import Project
from warehouse.sources import LakeFile

# The time of a record of each table: audit.coverage tells from when to when a source has any. A table without one here
# (people) has no events.
EVENT_TIME: Mapping[str, str] = {
    "account": "created_at",
    "opportunity": "created_at",
    "activity": "started_at",
    "plan": "created_at",
    "goal": "created_at",
    "goal_measure": "created_at",
    "ticket": "created_at",
    "ticket_comment": "created_at",
    "cocreation_event": "occurred_at",
    "subscription": "started_on",
    "invoice": "issued_on",
    "invoice_line": "period_start_on",
    "relationship_event": "announced_on",
    "usage": "used_on",
    "history": "changed_at",
}
# A JSON key that is always null is an empty column, a key that no record has an absent one: asked of these many.
SAMPLE = 2000
NOT_LANDED = ("unrecognised", "unreadable", "empty")
_COUNTED = ("staged", "out", "filtered", "total", "defective", "loaded", "elsewhere", "elsewhere_out")


class LostRecords(MutualValueError):
    """A file's records do not add up: a defect of this software, and nothing may be published."""

    exit_code = 1


class NotLanded(Protocol):
    """A file of the inbox as landing reports it (warehouse.landing.LandedFile)."""

    @property
    def system(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def member(self) -> str: ...
    @property
    def entity(self) -> str | None: ...
    @property
    def bytes(self) -> int: ...
    @property
    def rows_in(self) -> int | None: ...
    @property
    def status(self) -> str: ...
    @property
    def message(self) -> str: ...


class Ledger:
    """Counts of records by file. Only an entity's first table counts: one record may give many rows of others."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, plans: Sequence[Plan]) -> None:
        self.connection = connection
        self.every = plans
        self.plans = [plan for plan in plans if plan.source.is_first]
        self.counts: dict[tuple[int, str], int] = defaultdict(int)

    def open(self) -> None:
        """Count what was staged, what the contract's `where` left out, and what landing could not split."""
        self._count_staged("staged", "true")
        self._count_staged("out", "_is_out")
        for plan in self.plans:
            if plan.source.table.where or plan.source.table.totals:
                self._count(("total", "filtered"), queries.select_filtered(plan), [paths(plan)])
                self._count_elsewhere(plan)
            if plan.files[0].has_defects:
                self._count(("defective", "total"), queries.count_defects(), [paths(plan)])

    def close(self) -> None:
        """Count what is left when the quarantined and the repeated rows are gone."""
        self._count_staged("loaded", "true")

    def _count_elsewhere(self, first: Plan) -> None:
        """Records that the first table leaves to other ones, such as the payments in a list of transactions."""
        mine = first.source
        others = [
            plan
            for plan in self.every
            if (plan.source.contract.system, plan.source.entity_name) == (mine.contract.system, mine.entity_name)
            and plan.files == first.files
            and not plan.source.is_first
            and not plan.source.table.each
        ]
        if not others or not mine.table.where:
            return
        taken = " union all ".join(
            f"select _file, row_number, _is_out from {staged(plan.source.table_name)} where _plan = {plan.number}"
            for plan in others
        )
        self._count(
            ("elsewhere", "elsewhere_out"),
            f"""
            with taken as ({taken}),
            record as (select _file, row_number, bool_and(_is_out) as is_out from taken group by _file, row_number)
            select _file, count(case when not is_out then 1 end), count(case when is_out then 1 end)
            from record
            where not exists (
                from {staged(mine.table_name)} as own
                where own._plan = ? and own._file = record._file and own.row_number = record.row_number
            )
            group by _file
            """,
            [first.number],
        )

    def _count_staged(self, what: str, condition: str) -> None:
        by_table: dict[str, list[int]] = defaultdict(list)
        for plan in self.plans:
            by_table[plan.source.table_name].append(plan.number)
        for table, numbers in by_table.items():
            where = f"list_contains(?, _plan) and {condition}"
            self._count((what,), f"select _file, count(*) from {staged(table)} where {where} group by _file", [numbers])

    def _count(self, what: Sequence[str], sql: str, parameters: list[Any]) -> None:
        for file, *counts in self.connection.execute(sql, parameters).fetchall():
            for name, count in zip(what, counts, strict=True):
                self.counts[file, name] += count

    def row(self, file: LakeFile) -> dict[str, Any]:
        """The file's row of audit.file.

        Raises:
            LostRecords: a record is in none of the counts.
        """
        of = {name: self.counts[file.number, name] for name in _COUNTED}
        of["filtered"] -= of["elsewhere"] + of["elsewhere_out"]
        repeated = of["staged"] - of["out"] - of["loaded"]
        of["loaded"] += of["elsewhere"]
        of["out"] += of["elsewhere_out"]
        ignored = file.rows_blank + of["filtered"] + of["total"] + repeated
        counted = of["loaded"] + of["out"] + of["defective"] + ignored
        if counted != file.rows_in:
            raise LostRecords(
                f"{file.system}/{file.name} ({file.entity}) has {file.rows_in} records, but {counted} are accounted "
                f"for: {of}, blank {file.rows_blank}. Nothing may be published from this; please report it."
            )
        return {
            **_facts(file),
            "landed_at": file.landed_at,
            "known_at": file.known_at,
            "drop_at": file.drop_at,
            "rows_in": file.rows_in,
            "rows_loaded": of["loaded"],
            "rows_quarantined": of["out"] + of["defective"],
            "rows_ignored": ignored,
            "ignored_blank": file.rows_blank,
            "ignored_total": of["total"],
            "ignored_filtered": of["filtered"],
            "ignored_duplicate": repeated,
            "status": "landed" if file.rows_in else "empty",
            "message": "" if file.rows_in else "it has no records",
        }


def _facts(file: LakeFile | NotLanded) -> dict[str, Any]:
    return {
        "sha256": file.sha256,
        "member": file.member,
        "entity": file.entity or "",
        "system": file.system,
        "name": file.name,
        "bytes": file.bytes,
    }


def write_files(
    connection: duckdb.DuckDBPyConnection, files: Sequence[LakeFile], ledger: Ledger, landed: Sequence[NotLanded]
) -> None:
    """Make audit.file: the lake's files with their counts, and what did not get into the lake.

    Raises:
        LostRecords: a file's records do not add up.
    """
    known = {file.number for plan in ledger.plans for file in plan.files}
    rows = {}
    for file in files:
        unknown = {**_facts(file), "status": "unrecognised", "message": _no_contract(file)}
        rows[file.sha256, file.member, file.entity] = ledger.row(file) if file.number in known else unknown
    for report in sorted(landed, key=lambda each: (each.system, each.name)):
        if report.status in NOT_LANDED:
            row = {**_facts(report), "status": report.status, "message": report.message}
            if report.rows_in is not None:
                # Nothing of it is read, so all of it waits: none of its rows is lost or uncounted.
                row |= {"rows_in": report.rows_in, "rows_loaded": 0, "rows_quarantined": report.rows_in}
                row |= {"rows_ignored": 0}
            # The same bytes under two names are one file; one that is in the lake too is told of already.
            rows.setdefault((report.sha256, report.member, report.entity or ""), row)
    write(connection, "audit.file", list(rows.values()))


def _no_contract(file: LakeFile) -> str:
    return f"no contract has {file.entity!r} of {file.system!r} any more; its records wait in the lake until one has"


@dataclass(frozen=True)
class Delivered:
    """What one plan's files delivered of one table: rows, and of each column how many values and whether it came."""

    plan: Plan
    rows: int
    values: Mapping[str, int]
    present: frozenset[str]
    first: dt.date | None
    last: dt.date | None

    @property
    def key(self) -> tuple[str, str, str]:
        source = self.plan.source
        return source.contract.system, source.entity_name, source.table_name


def delivered(connection: duckdb.DuckDBPyConnection, plans: Sequence[Plan], project: Project) -> list[Delivered]:
    """Look over the staged rows, one pass for each table."""
    found = []
    for table in staged_tables():
        of_table = [plan for plan in plans if plan.source.table_name == table]
        if of_table:
            facts = _look(connection, table, project.settings.timezone)
            found += [_delivered(connection, plan, facts.get(plan.number)) for plan in of_table]
    return found


def _look(connection: duckdb.DuckDBPyConnection, table: str, zone: str) -> dict[int, tuple[Any, ...]]:
    """For each plan: rows, first and last event day, values of each column."""
    columns = _own_columns(table)
    event = EVENT_TIME.get(table)
    day = "cast(null as date)"
    if event:
        day = quoted(event) if staged_tables()[table][event] == "date" else cells.day(quoted(event), zone)
    counts = ", ".join(f"count({quoted(name)})" for name in columns)
    rows = connection.execute(
        f"select _plan, count(*), min({day}), max({day}), {counts} from {staged(table)} group by _plan"
    ).fetchall()
    return {row[0]: row[1:] for row in rows}


def _own_columns(table: str) -> list[str]:
    return [*KEY_COLUMNS, *staged_tables()[table]]


def _delivered(connection: duckdb.DuckDBPyConnection, plan: Plan, facts: tuple[Any, ...] | None) -> Delivered:
    columns = _own_columns(plan.source.table_name)
    rows, first, last, *counts = facts or (0, None, None, *(0 for _ in columns))
    values = dict(zip(columns, counts, strict=True))
    present = plan.present
    if plan.source.entity.format == "json":
        present = _seen(connection, plan, values)
    return Delivered(plan, rows, values, present, first, last)


def _seen(connection: duckdb.DuckDBPyConnection, plan: Plan, values: Mapping[str, int]) -> frozenset[str]:
    """Of a JSON plan's columns those with a value, and those whose key came with null only.

    Of the elements of lists that were all empty nothing is known, so no column is said to be absent.
    """
    empty = sorted(name for name in plan.present if plan.columns[name].source and not values.get(name))
    if not empty:
        return plan.present
    answers = connection.execute(queries.select_seen(plan, empty, SAMPLE), [paths(plan)]).fetchall()[0]
    return plan.present - {name for name, is_seen in zip(empty, answers, strict=True) if is_seen is False}


def write_coverage(connection: duckdb.DuckDBPyConnection, found: Sequence[Delivered]) -> None:
    """Make audit.coverage: from when to when each entity has events, and the declared columns that it lacks."""
    by_entity: dict[tuple[str, str], list[Delivered]] = defaultdict(list)
    for each in found:
        by_entity[each.key[:2]].append(each)
    rows = []
    for (system, entity), parts in by_entity.items():
        of_first = [part for part in parts if part.plan.source.is_first]
        rows.append(
            {
                "system": system,
                "entity": entity,
                "from_date": min((part.first for part in of_first if part.first), default=None),
                "to_date": max((part.last for part in of_first if part.last), default=None),
                "as_of": max(file.landed_at for part in parts for file in part.plan.files).date(),
                "scope": parts[0].plan.source.scope,
                "columns_missing": ", ".join(sorted(_missing(parts))),
            }
        )
    write(connection, "audit.coverage", rows)


def _missing(parts: Iterable[Delivered]) -> set[str]:
    """The declared columns that no file of the entity delivered."""
    declared, present = set(), set()
    for part in parts:
        table = part.plan.source.table_name
        declared |= {f"{table}.{name}" for name, column in part.plan.columns.items() if not column.helper}
        present |= {f"{table}.{name}" for name in part.present}
    return declared - present


def write_connected(connection: duckdb.DuckDBPyConnection, found: Sequence[Delivered]) -> None:
    """Make setting.connected: which source delivers which column, and how full it is.

    A source without any record (a template that was copied and left empty) connects nothing.
    """
    by_table: dict[tuple[str, str, str], list[Delivered]] = defaultdict(list)
    for each in found:
        if any(file.rows for file in each.plan.files):
            by_table[each.key].append(each)
    rows = [
        {
            "system": system,
            "entity": entity,
            "table_name": table,
            "column_name": column,
            "is_present": any(column in part.present for part in parts),
            "fill_share": _share(sum(part.values[column] for part in parts), sum(part.rows for part in parts)),
        }
        for (system, entity, table), parts in sorted(by_table.items())
        for column in _own_columns(table)
    ]
    types = {
        **dict.fromkeys(("system", "entity", "table_name", "column_name"), "varchar"),
        "is_present": "boolean",
        "fill_share": "double",
    }
    _fill(connection, "setting.connected", types, rows, "system, entity, table_name, column_name")


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def write_quarantine(connection: duckdb.DuckDBPyConnection, plans: Sequence[Plan]) -> None:
    """Make audit.quarantine of the failures that casting found. Texts are masked: whole they are in the lake alone."""
    for file, table in _without_currency(plans):
        connection.execute(
            "insert into casting_failure values (?, 0, ?, 'currency_missing', 'cell', '')", [file, f"{table}.currency"]
        )
    connection.execute(
        """
        create or replace table audit.quarantine as
        with failure as (
            select _file, _row, column_name, rule, severity, min(raw) as raw, length(min(raw)) as size
            from casting_failure
            group by all
        )
        select
            file.sha256, file.member, failure._row as row_number, failure.column_name, failure.rule, file.system,
            file.entity,
            case
                when size = 0 then ''
                when size <= 4 then '… (' || size || ')'
                else left(raw, 1) || '…' || right(raw, 1) || ' (' || size || ')'
            end as raw_value,
            failure.severity,
            'open' as status,
            cast(file.landed_at as date) as first_seen,
            cast(file.landed_at as date) as last_seen
        from failure
        join casting_file as file on file.number = failure._file
        order by sha256, member, row_number, column_name, rule
        """
    )


def _without_currency(plans: Sequence[Plan]) -> list[tuple[int, str]]:
    """Files whose amounts have no currency at all: said once for the file (row 0), not once for each of its rows."""
    return [(file.number, plan.source.table_name) for plan in plans if plan.lacks_currency for file in plan.files]


def write(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Make a declared audit table (transforms/declared.yml) of the rows, in the order of its grain."""
    model = next(model for model in declared_tables() if model.table == table)
    _fill(connection, table, model.types, rows, ", ".join(model.grain))


def _fill(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    types: Mapping[str, str],
    rows: Sequence[Mapping[str, Any]],
    order: str,
) -> None:
    columns = {name: pa.array([row.get(name) for row in rows], _arrow_type(kind)) for name, kind in types.items()}
    connection.register("accounting_rows", pa.table(columns))
    connection.execute(f"create or replace table {table} as select * from accounting_rows order by {order}")
    connection.unregister("accounting_rows")


def _arrow_type(kind: str) -> pa.DataType:
    return {
        "varchar": pa.string(),
        "bigint": pa.int64(),
        "double": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us"),
    }[kind.lower()]
