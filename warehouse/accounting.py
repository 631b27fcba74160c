"""The books of casting: each record of each file counted once.

rows_in = rows_loaded + rows_quarantined + rows_ignored, for every file. Each side is counted by itself, so that a
record that got lost shows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from warehouse import queries
from warehouse.errors import MutualValueError
from warehouse.models import declared_tables
from warehouse.plans import CASTING_FILE, Plan, paths, staged
from warehouse.sources import LakeFile
from warehouse.waivers import Waiver

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
    def missing(self) -> tuple[str, ...]: ...
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
                self._count_left_out(plan)
            if plan.files[0].has_defects:
                self._count(("defective", "total"), queries.count_defects(), [paths(plan)])

    def close(self) -> None:
        """Count what is left when the quarantined and the repeated rows are gone."""
        self._count_staged("loaded", "true")

    def _count_left_out(self, first: Plan) -> None:
        """Totals, and what the first table leaves to other ones (the payments in a list of transactions) or to none."""
        left_out = queries.select_left_out(first)
        self.connection.execute(f"create or replace temp table casting_left_out as {left_out}", [paths(first)])
        taken = " union all ".join(
            "select _file, row_number as _row, _is_out "
            f"from {staged(plan.source.table_name)} where _plan = {plan.number}"
            for plan in self.every
            if _is_sibling(plan, first)
        )
        none = "select cast(null as integer) as _file, cast(null as bigint) as _row, true as _is_out where false"
        self._count(
            ("total", "filtered", "elsewhere", "elsewhere_out"),
            f"""
            with taken as (select _file, _row, bool_and(_is_out) as is_out from ({taken or none}) group by _file, _row)
            select
                _file,
                count(case when is_total then 1 end),
                count(case when not is_total and is_out is null then 1 end),
                count(case when not is_total and not is_out then 1 end),
                count(case when not is_total and is_out then 1 end)
            from casting_left_out
            left join taken using (_file, _row)
            group by _file
            """,
            [],
        )
        self.connection.execute("drop table casting_left_out")

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


def _is_sibling(plan: Plan, first: Plan) -> bool:
    """Whether the plan reads the same records into another table of their entity, one row from each."""
    mine, theirs = plan.source, first.source
    same = (mine.contract.system, mine.entity_name) == (theirs.contract.system, theirs.entity_name)
    return same and plan.files == first.files and not mine.is_first and not mine.table.each


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


def write_quarantine(connection: duckdb.DuckDBPyConnection, plans: Sequence[Plan]) -> None:
    """Make audit.quarantine of the failures that casting found. Texts are masked: whole they are in the lake alone."""
    for file, table in _without_currency(plans):
        connection.execute(
            "insert into casting_failure values (?, 0, ?, 'currency_missing', 'cell', '')", [file, f"{table}.currency"]
        )
    connection.execute(
        f"""
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
        join {CASTING_FILE} as file on file.number = failure._file
        order by sha256, member, row_number, column_name, rule
        """
    )


def waive(connection: duckdb.DuckDBPyConnection, waivers: Iterable[Waiver]) -> None:
    """Mark in audit.quarantine what a person has decided to live with."""
    for waiver in waivers:
        connection.execute(
            """
            update audit.quarantine set status = 'waived'
            where system = ? and rule = ?
                and ? in ('', entity) and ? in ('', column_name) and ? in ('', sha256)
            """,
            [waiver.system, waiver.rule, waiver.entity, waiver.column_name, waiver.sha256],
        )


def _without_currency(plans: Sequence[Plan]) -> list[tuple[int, str]]:
    """Files whose amounts have no currency at all: said once for the file (row 0), not once for each of its rows."""
    return [(file.number, plan.source.table_name) for plan in plans if plan.lacks_currency for file in plan.files]


def write(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Make a declared audit table (transforms/declared.yml) of the rows, in the order of its grain."""
    model = next(model for model in declared_tables() if model.table == table)
    fill(connection, table, model.types, rows, ", ".join(model.grain))


def fill(
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
