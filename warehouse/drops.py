"""Drops: which version of a record holds, and what the absence of a record from a drop means.

A drop is the files that stand for one time: what their folder declares, else when they landed. In a window or a delta
absence means nothing. From a full drop a record that is missing was deleted, but only while the drop holds nearly as
many records as the one before: a cut export must not delete half the customers (limits.full_drop_share).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from warehouse import accounting, queries
from warehouse.contracts import staged_tables
from warehouse.engine import quoted
from warehouse.plans import Plan, staged

# By the source's own clock, or the drop's where it has none; then the later drop, file and row: never by chance.
NEWEST_FIRST = (
    "coalesce(source_updated_at, drop_at) desc, drop_at desc, landed_at desc, sha256 desc, member desc, row_number desc"
)
ABSENT = "absent_from_full_export"


def keep_newest_parts(connection: duckdb.DuckDBPyConnection, plans: Sequence[Plan]) -> None:
    """Delete the parts (`part_of`) that an older version of their record had, among the files of one entity.

    Without it a line that was taken off an invoice would stay for ever, since no newer file names it.
    """
    for parts in plans:
        whole = parts.source.table.part_of
        if whole is None:
            continue
        of_entity = [plan.number for plan in plans if _is_sibling(plan, parts, whole)]
        name, own_row = staged(parts.source.table_name), "true"
        if parts.source.table.each:
            own_row = "part.row_number = newest.row_number"
        connection.execute(
            f"""
            with whole as (from {staged(whole)} where list_contains(?, _plan)),
            repeated as (select source_id from whole group by source_id having count(*) > 1),
            version as (
                select
                    source_id, sha256, member, row_number,
                    row_number() over (partition by source_id order by {NEWEST_FIRST}) as rank
                from whole
                semi join repeated using (source_id)
            ),
            newest as (select source_id, sha256, member, row_number from version where rank = 1)
            delete from {name} where rowid in (
                select part.rowid
                from {name} as part
                join newest on newest.source_id = part.{quoted(f"{whole}_source_id")}
                where part._plan = {parts.number}
                    and not (part.sha256 = newest.sha256 and part.member = newest.member and {own_row})
            )
            """,
            [of_entity],
        )


def _is_sibling(plan: Plan, other: Plan, table: str) -> bool:
    mine, theirs = plan.source, other.source
    return (mine.contract.system, mine.entity_name, mine.table_name) == (
        theirs.contract.system,
        theirs.entity_name,
        table,
    )


def complete_newest(connection: duckdb.DuckDBPyConnection, plans: Sequence[Plan]) -> None:
    """Give the newest version of a record the columns that its export does not have at all, from the newest that has.

    A report with five columns that comes after a full export, or an export that lost a column, must not erase what was
    known. A column that is there and empty is empty.
    """
    by_table: dict[str, list[Plan]] = defaultdict(list)
    for plan in plans:
        by_table[plan.source.table_name].append(plan)
    for table, group in by_table.items():
        files = [file.number for plan in group for file in plan.files]
        if len(files) > 1 and _has_versions(connection, staged(table)):
            lacking = _lacking(connection, group, staged_tables()[table])
            lacking = {column: numbers for column, numbers in lacking.items() if 0 < len(numbers) < len(files)}
            if lacking:
                _complete(connection, staged(table), lacking)


def _has_versions(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether some record is in several files."""
    versions = f"select 1 from {name} group by source_system, source_id having min(_file) < max(_file) limit 1"
    return bool(connection.execute(versions).fetchall())


def _lacking(
    connection: duckdb.DuckDBPyConnection, plans: Iterable[Plan], columns: Iterable[str]
) -> dict[str, list[int]]:
    """Column -> the files that do not have it: no header, or in a JSON file no record with its key."""
    lacking: dict[str, list[int]] = {column: [] for column in columns}
    for plan in plans:
        read = [name for name in plan.present if name in plan.columns and plan.columns[name].source]
        is_json = plan.source.entity.format == "json"
        keys = queries.seen(connection, plan, read) if is_json and read else {}
        for column, files in lacking.items():
            files += [
                file.number
                for file in plan.files
                if column not in plan.present or keys.get(file.number, {}).get(column) is False
            ]
    return lacking


def _complete(connection: duckdb.DuckDBPyConnection, name: str, lacking: Mapping[str, Sequence[int]]) -> None:
    """`lacking`: column -> the files that do not have it."""
    # A column that no version has may have a value all the same: a default of the system, an expression.
    found = ", ".join(
        f"arg_min_null(version.{quoted(column)}, version.rank) filter (where {has}) as {quoted(column)}, "
        f"coalesce(bool_or({has}), false) as {quoted(f'_has_{column}')}"
        for column, numbers in lacking.items()
        for has in [f"not list_contains({list(numbers)}, version._file)"]
    )
    assigned = ", ".join(
        f"{quoted(column)} = case when list_contains({list(numbers)}, row._file) and found.{quoted(f'_has_{column}')} "
        f"then found.{quoted(column)} else row.{quoted(column)} end"
        for column, numbers in lacking.items()
    )
    connection.execute(
        f"""
        with mixed as (
            select source_system, source_id from {name} group by all having min(_file) < max(_file)
        ),
        version as (
            select
                row.*,
                row.rowid as place,
                row_number() over (partition by row.source_system, row.source_id order by {NEWEST_FIRST}) as rank
            from {name} as row
            semi join mixed using (source_system, source_id)
        ),
        found as (
            select max(case when version.rank = 1 then version.place end) as place, {found}
            from version
            group by version.source_system, version.source_id
        )
        update {name} as row set {assigned} from found where found.place = row.rowid
        """
    )


@dataclass(frozen=True)
class _Drop:
    """One full drop of an entity: when it stood, the records in it, and those in the one before that counts."""

    at: dt.datetime
    records: int
    before: int | None
    is_believed: bool


def delete_absent(connection: duckdb.DuckDBPyConnection, plans: Sequence[Plan], least_share: float) -> None:
    """Mark as deleted what the newest full drop of its entity lacks, and make audit.full_drop of all full drops."""
    rows: list[dict[str, Any]] = []
    by_entity: dict[tuple[str, str], list[Plan]] = defaultdict(list)
    for plan in plans:
        if plan.source.is_first and plan.source.scope == "full":
            by_entity[plan.source.contract.system, plan.source.entity_name].append(plan)
    for (system, entity), group in sorted(by_entity.items()):
        found = _full_drops(connection, group, least_share)
        believed = [drop for drop in found if drop.is_believed]
        absent = _mark_absent(connection, group, believed[-1].at) if len(believed) > 1 else 0
        rows += [
            {
                "system": system,
                "entity": entity,
                "drop_at": drop.at,
                "records": drop.records,
                "records_before": drop.before,
                "is_believed": drop.is_believed,
                "records_absent": absent if believed and drop is believed[-1] else None,
                "message": "" if drop.is_believed else _too_small(drop, least_share),
            }
            for drop in found
        ]
    accounting.write(connection, "audit.full_drop", rows)


def _full_drops(connection: duckdb.DuckDBPyConnection, plans: Sequence[Plan], least_share: float) -> list[_Drop]:
    """The entity's full drops in their order. One that is too small is set aside: the next is held against the last
    that was believed."""
    times = [(file.number, time) for plan in plans for file in plan.files for time in file.drop_times]
    connection.execute("create or replace temp table casting_drop (_file integer, drop_at timestamp)")
    connection.executemany("insert into casting_drop values (?, ?)", times)
    counted = connection.execute(
        f"""
        select casting_drop.drop_at, count(distinct source_id)
        from casting_drop
        left join {staged(plans[0].source.table_name)} as row
            on row._file = casting_drop._file and list_contains(?, row._plan)
        group by casting_drop.drop_at
        order by casting_drop.drop_at
        """,
        [[plan.number for plan in plans]],
    ).fetchall()
    connection.execute("drop table casting_drop")
    found: list[_Drop] = []
    before: int | None = None
    for at, records in counted:
        is_believed = before is None or records >= least_share * before
        found.append(_Drop(at, records, before, is_believed))
        before = records if is_believed else before
    return found


def _mark_absent(connection: duckdb.DuckDBPyConnection, plans: Iterable[Plan], drop_at: dt.datetime) -> int:
    """Mark the records that the entity once had and that no drop since `drop_at` has; how many they are."""
    numbers = [plan.number for plan in plans]
    first = next(iter(plans)).source
    name = staged(first.table_name)
    marked = connection.execute(
        f"""
        with seen as (
            select source_id, max(drop_at) as last_drop_at, bool_or(list_contains(?, _plan)) as is_of_entity
            from {name}
            where source_system = ?
            group by source_id
        ),
        absent as (select source_id from seen where is_of_entity and last_drop_at < ?)
        update {name} set is_deleted = true, deleted_reason = '{ABSENT}'
        where source_system = ? and source_id in (select source_id from absent)
        returning source_id
        """,
        [numbers, first.contract.system, drop_at, first.contract.system],
    ).fetchall()
    return len({row[0] for row in marked})


def _too_small(drop: _Drop, least_share: float) -> str:
    return (
        f"it holds {drop.records} records and the full drop before {drop.before}, fewer than limits.full_drop_share "
        f"({least_share:g}) of them: nothing was taken as deleted. Export it again, or lower that limit if it is right"
    )
