"""Casting: lake files become the typed rows of `staged`, by contract; what does not fit is quarantined, nothing lost.

Every table of an entity is read in one pass over its files. In that pass each row gets a mask of the checks that it
failed; only rows with a mask are looked at again, for the texts that the quarantine shows. All of it is set-based SQL.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial

import duckdb
import pyarrow as pa

from warehouse import accounting, coverage, drops, queries, shared_columns, waivers
from warehouse.accounting import Ledger, NotLanded
from warehouse.cells import SQL_TYPES
from warehouse.contracts import KEY_COLUMNS, StagedType, SystemContract, staged_tables
from warehouse.crew import together
from warehouse.engine import quoted
from warehouse.errors import ConfigurationError, without_data
from warehouse.plans import CASTING_FILE, Plan, check_own_columns, make_plan, paths, source_of, staged
from warehouse.project import Project
from warehouse.sources import LakeFile, by_shape, known_by, read_lake

# Filled in every table besides its own columns, and how they are stored.
_SHARED = {
    "source_system": "varchar",
    "sha256": "varchar",
    "member": "varchar",
    "row_number": "bigint",
    "landed_at": "timestamp",
    # When the record's first drop stood, and the last that has this version (warehouse.sources.LakeFile).
    "known_at": "timestamp",
    "drop_at": "timestamp",
    "scope": "varchar",
    "deleted_reason": "varchar",
}
# What only the staging needs; dropped when it is done (queries.select_rows says what they hold).
_WORK = {
    "_plan": "integer",
    "_file": "integer",
    "_position": "bigint",
    "_hash": "ubigint",
    "_mask": "ubigint",
    "_is_out": "boolean",
}


def stage(
    connection: duckdb.DuckDBPyConnection,
    project: Project,
    contracts: Mapping[str, SystemContract],
    landed: Sequence[NotLanded] = (),
    until: dt.datetime | None = None,
    crew: Sequence[duckdb.DuckDBPyConnection] = (),
) -> int:
    """Fill `staged` (an attached database) from the lake, and audit.file, .drop, .quarantine, .coverage and
    setting.connected, setting.leak.

    Every table of staged.yml is made, empty where no source fills it. `landed` is landing's report: files that did
    not get into the lake are listed in audit.file with what is wrong with them. Of drops that stood at `until` (UTC,
    without zone) or later nothing is used, save a system's first; returned is how many files were so left out.
    `crew` are connections to the same database that cast at the same time; none: this one alone.

    Raises:
        ConfigurationError: a contract or the project's settings do not fit; nothing of the night is then used.
        LostRecords: a file's records are not all accounted for.
    """
    lake = read_lake(project.lake)
    files = lake if until is None else known_by(lake, until)
    plans = cast_rows(connection, project, contracts, files, crew=crew)
    filled = sorted({plan.source.table_name for plan in plans})
    ledger = Ledger(connection, plans)
    ledger.open()
    _find_failures(connection, plans)
    nested = [plan.number for plan in plans if plan.source.table.each]
    together(crew or [connection], {table: partial(_take_out, table=table, nested=nested) for table in filled})
    _take_out_repeated(connection, plans)
    ledger.close()
    accounting.write_files(connection, files, ledger, landed)
    accounting.write_quarantine(connection, plans)
    accounting.waive(connection, waivers.read(project.decisions))
    drops.keep_newest_parts(connection, plans)
    drops.delete_absent(connection, plans, project.settings.limits.full_drop_share)
    drops.complete_newest(connection, plans)
    found = coverage.delivered(connection, plans, project)
    coverage.write_coverage(connection, found, landed)
    coverage.write_connected(connection, found)
    shared_columns.write_leaks(connection, plans)
    _drop_work(connection, filled)
    connection.execute("reset disabled_optimizers")
    return len(lake) - len(files)


def cast_rows(
    connection: duckdb.DuckDBPyConnection,
    project: Project,
    contracts: Mapping[str, SystemContract],
    files: Sequence[LakeFile],
    tables: Collection[str] | None = None,
    crew: Sequence[duckdb.DuckDBPyConnection] = (),
) -> list[Plan]:
    """Fill `staged` with every row of the files as it is cast, of `tables` only where they are given; the plans.

    The rows that do not fit and those that repeat are among them, and the columns that only the staging needs (_WORK).

    Raises:
        ConfigurationError: a contract or the project's settings do not fit.
    """
    crew = crew or [connection]
    for each in crew:
        each.execute("set timezone = 'UTC'")
    check_own_columns(project, contracts)
    plans = make_plans(files, project, contracts)
    if tables is not None:
        plans = [plan for plan in plans if plan.source.table_name in tables]
    _make_tables(connection, files, {plan.source.table_name for plan in plans})
    by_table: dict[str, list[Plan]] = {}
    for plan in plans:
        by_table.setdefault(plan.source.table_name, []).append(plan)
    # The largest first: one that is begun last keeps one connection busy and lets the others wait.
    ordered = sorted(by_table, key=lambda table: -sum(_bytes(plan) for plan in by_table[table]))
    done = together(crew, {table: partial(_all_staged, plans=by_table[table]) for table in ordered})
    return sorted((plan for group in done.values() for plan in group), key=lambda plan: plan.number)


def make_plans(files: Iterable[LakeFile], project: Project, contracts: Mapping[str, SystemContract]) -> list[Plan]:
    """One plan for each table and shape of files, in a fixed order; files that no contract knows have none.

    Raises:
        ConfigurationError: contracts or settings do not fit; the first problem of each system, so that a person mends
            them all at once.
    """
    plans: list[Plan] = []
    problems: dict[str, str] = {}
    found: dict[tuple[str, str], list[LakeFile]] = {}
    for file in files:
        found.setdefault((file.system, file.entity), []).append(file)
    for (system, entity), group in sorted(found.items()):
        if system not in contracts or entity not in contracts[system].entities:
            continue
        for table in contracts[system].entities[entity].tables:
            source = source_of(contracts[system], entity, table, project)
            for shape in by_shape(group):
                try:
                    plans.append(make_plan(len(plans) + 1, source, shape))
                except ConfigurationError as error:
                    problems.setdefault(system, str(error))
    if problems:
        raise ConfigurationError("\n".join(problems.values()))
    return plans


def columns_of(table: str) -> dict[str, StagedType]:
    """The contract's columns of a staged table: the key columns and its own."""
    return {**KEY_COLUMNS, **staged_tables()[table]}


def _make_tables(connection: duckdb.DuckDBPyConnection, files: Sequence[LakeFile], filled: Collection[str]) -> None:
    for schema in ("audit", "setting"):
        connection.execute(f"create schema if not exists {schema}")
    for table in staged_tables():
        columns = {
            **_SHARED,
            **{name: SQL_TYPES[kind] for name, kind in columns_of(table).items()},
            **(_WORK if table in filled else {}),
        }
        definition = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
        connection.execute(f"create or replace table {staged(table)} ({definition})")
    facts = pa.table(
        {
            "number": pa.array([file.number for file in files], pa.int32()),
            "path": pa.array([str(file.path) for file in files], pa.string()),
            "sha256": pa.array([file.sha256 for file in files], pa.string()),
            "member": pa.array([file.member for file in files], pa.string()),
            "system": pa.array([file.system for file in files], pa.string()),
            "entity": pa.array([file.entity for file in files], pa.string()),
            **{
                name: pa.array([getattr(file, name) for file in files], pa.timestamp("us"))
                for name in ("landed_at", "known_at", "drop_at")
            },
        }
    )
    connection.register("casting_rows", facts)
    connection.execute(f"create or replace table {CASTING_FILE} as select * from casting_rows")
    connection.unregister("casting_rows")
    connection.execute(
        "create or replace temp table casting_failure "
        "(_file integer, _row bigint, column_name varchar, rule varchar, severity varchar, raw varchar)"
    )


def _bytes(plan: Plan) -> int:
    return sum(file.path.stat().st_size for file in plan.files)


def _all_staged(connection: duckdb.DuckDBPyConnection, plans: Sequence[Plan]) -> list[Plan]:
    """Stage the plans of one table, one after the other."""
    return [_staged(connection, plan) for plan in plans]


def _staged(connection: duckdb.DuckDBPyConnection, plan: Plan) -> Plan:
    """Stage the plan's rows; returns the plan that could be carried out.

    A text that breaks an expression of the contract (a list that is no JSON, a product too large) costs its own row or
    cell: the plan is made anew, with every expression tried row by row, which a whole file need not pay for.
    """
    try:
        _insert(connection, plan)
    except _BROKEN:
        plan = make_plan(plan.number, plan.source, plan.files, is_tried=True)
        # What two tries have in common the engine computes before both, where an error of it is not caught.
        connection.execute("set disabled_optimizers = 'common_subexpressions'")
        try:
            _insert(connection, plan)
        except _BROKEN as error:
            raise _mistake(plan, error) from error
    return plan


_BROKEN = (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException)


def _insert(connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    columns = columns_of(plan.source.table_name)
    names = [*_SHARED, *columns, *_WORK]
    try:
        connection.execute(
            f"insert into {staged(plan.source.table_name)} by name "
            f"select {', '.join(map(quoted, names))} from ({queries.select_rows(plan, columns)})",
            [paths(plan)],
        )
    except duckdb.BinderException as error:
        raise _mistake(plan, error) from error


def _mistake(plan: Plan, error: duckdb.Error) -> ConfigurationError:
    return ConfigurationError(
        f"{plan.source.where}: an expression of the contract does not work ({_first_line(error)}). "
        "Compare its columns' types; a text that may not be a number needs try_cast."
    )


def _first_line(error: Exception) -> str:
    return without_data(str(error).split("\n", 1)[0])


def _find_failures(connection: duckdb.DuckDBPyConnection, plans: Iterable[Plan]) -> None:
    """Look again at the rows that failed a check, and at the records that landing could not split."""
    for plan in plans:
        bad = connection.execute(
            f"create or replace temp table casting_bad as select _file, row_number as _row, _position, _mask, _is_out "
            f"from {staged(plan.source.table_name)} where _plan = {plan.number} and _mask <> 0"
        ).fetchone()
        if bad and bad[0]:
            failures = queries.select_failures(plan, "casting_bad")
            connection.execute(f"insert into casting_failure {failures}", [paths(plan)])
        if plan.source.is_first and plan.files[0].has_defects:
            connection.execute(f"insert into casting_failure {queries.select_defects(plan)}", [paths(plan)])
    connection.execute("drop table if exists casting_bad")


def _take_out(connection: duckdb.DuckDBPyConnection, table: str, nested: Sequence[int]) -> None:
    """Delete the quarantined rows, then each row that says the same as an earlier one of its file.

    Rows of the plans `nested` are elements of a record, and are compared within it: two versions of an invoice in one
    file have the same lines.
    """
    name = staged(table)
    connection.execute(f"delete from {name} where _is_out")
    same = ", ".join(quoted(column) for column in columns_of(table))
    # The hash finds the few candidates cheaply; the values decide, so that two different rows are never one.
    connection.execute(
        f"""
        with repeated as (select _plan, _file, _hash from {name} group by all having count(*) > 1),
        ranked as (
            select
                row.rowid as place,
                row_number() over (
                    partition by
                        row._plan, row._file, row._hash, {same},
                        case when list_contains({list(nested)}::integer[], row._plan) then row.row_number end
                    order by row.row_number, row._position
                ) as rank
            from {name} as row
            join repeated using (_plan, _file, _hash)
        )
        delete from {name} where rowid in (select place from ranked where rank > 1)
        """
    )


def _take_out_repeated(connection: duckdb.DuckDBPyConnection, plans: Iterable[Plan]) -> None:
    """Of a record that its file repeats on several rows (`once`), only the first row stays."""
    for plan in plans:
        if plan.source.table.once:
            name = staged(plan.source.table_name)
            connection.execute(
                f"""
                with ranked as (
                    select rowid as place, row_number() over (partition by _file, source_id order by row_number) as rank
                    from {name}
                    where _plan = {plan.number}
                )
                delete from {name} where rowid in (select place from ranked where rank > 1)
                """
            )


def _drop_work(connection: duckdb.DuckDBPyConnection, filled: Iterable[str]) -> None:
    for table in filled:
        for column in _WORK:
            connection.execute(f"alter table {staged(table)} drop column {column}")
    connection.execute(f"drop table {CASTING_FILE}")
    connection.execute("drop table casting_failure")
