"""What each source delivers: from when to when, which columns, how full, and what has changed since earlier drops."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from warehouse import cells, queries
from warehouse.accounting import NotLanded, fill, write
from warehouse.contracts import KEY_COLUMNS, staged_tables
from warehouse.engine import quoted
from warehouse.lineage import Firewall
from warehouse.plans import Plan, staged
from warehouse.project import Project
from warehouse.recognition import compare, headers_read, shown_header

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
# So many of a column's texts, and so great a share of them, do not fit: another kind of content, not dirt.
LEAST_MISFITS = 3
CHANGED_SHARE = 0.5
# Of a year's days 221 in 365 are none with day and month exchanged: where a whole file is so, three in five texts tell.
# Up to a fifth is what people mistyped.
AMBIGUOUS_SHARE = 0.2
AMBIGUOUS_COLUMNS = {
    **dict.fromkeys(("system", "entity", "table_name", "column_name"), "varchar"),
    "is_event_time": "boolean",
}


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
    by_file = queries.seen(connection, plan, empty).values()
    absent = {name for name in empty if not any(seen[name] for seen in by_file)}
    return plan.present - {name for name in absent if any(seen[name] is False for seen in by_file)}


def write_coverage(
    connection: duckdb.DuckDBPyConnection, found: Sequence[Delivered], landed: Iterable[NotLanded]
) -> None:
    """Make audit.coverage: from when to when each entity has events, what it lacks, and what has changed in it.

    `landed` tells of files that were refused for a required column: their entity may have nothing else.
    """
    by_entity: dict[tuple[str, str], list[Delivered]] = defaultdict(list)
    for each in found:
        by_entity[each.key[:2]].append(each)
    refused: dict[tuple[str, str], set[str]] = defaultdict(set)
    for report in landed:
        if report.status == "unreadable" and report.entity and report.missing:
            refused[report.system, report.entity] |= set(report.missing)
    misfits = _misfits(connection)
    rows = [
        {
            "system": system,
            "entity": entity,
            **_period(by_entity[system, entity]),
            **_columns(by_entity[system, entity], misfits),
            "columns_refused": ", ".join(sorted(refused[system, entity])),
        }
        for system, entity in sorted({*by_entity, *refused})
    ]
    write(connection, "audit.coverage", rows)


def _period(parts: Sequence[Delivered]) -> dict[str, Any]:
    of_first = [part for part in parts if part.plan.source.is_first]
    return {
        "from_date": min((part.first for part in of_first if part.first), default=None),
        "to_date": max((part.last for part in of_first if part.last), default=None),
        "as_of": max((file.drop_at.date() for part in parts for file in part.plan.files), default=None),
        "scope": parts[0].plan.source.scope if parts else None,
    }


def _columns(parts: Sequence[Delivered], misfits: Mapping[tuple[int, str], int]) -> dict[str, str]:
    """What is missing, and of the newest drop what is unknown, lost, renamed or of another kind than declared."""
    newest = _newest(parts)
    drift = {
        "columns_missing": _missing(parts),
        "columns_unknown": {shown_header(header) for part in newest for header in _unknown(part.plan)},
        "columns_lost": _missing(newest) - _missing(parts),
        "columns_renamed": _renamed(parts, newest),
        "columns_type_changed": _type_changed(newest, misfits),
    }
    return {name: ", ".join(sorted(columns)) for name, columns in drift.items()}


def _newest(parts: Sequence[Delivered]) -> list[Delivered]:
    """The plans that the entity's newest drop is part of."""
    last = max((_last(part) for part in parts), default=None)
    return [part for part in parts if _last(part) == last]


def _last(part: Delivered) -> dt.datetime:
    return max(file.drop_at for file in part.plan.files)


def _missing(parts: Iterable[Delivered]) -> set[str]:
    """The declared columns that no file of the parts delivered."""
    declared, present = set(), set()
    for part in parts:
        table = part.plan.source.table_name
        declared |= {f"{table}.{name}" for name, column in part.plan.columns.items() if not column.helper}
        present |= {f"{table}.{name}" for name in part.present}
    return declared - present


def _unknown(plan: Plan) -> tuple[str, ...]:
    """Headers that no column reads. Of a JSON record nothing is said: what is not declared stays in it."""
    source, file = plan.source, plan.files[0]
    if not file.headers:
        return ()
    return compare(source.entity_name, file.headers, source.contract, source.settings).unknown


def _renamed(parts: Sequence[Delivered], newest: Sequence[Delivered]) -> set[str]:
    """Columns that the newest drop has under another header than one before."""
    before = _headers(part for part in parts if part not in newest)
    return {
        f"{column}: {shown_header(earlier)} -> {shown_header(header)}"
        for column, header in _headers(newest).items()
        if (earlier := before.get(column, header)) != header
    }


def _headers(parts: Iterable[Delivered]) -> dict[str, str]:
    """The header that each column is read from; of the newest file where several differ."""
    found: dict[str, str] = {}
    for part in sorted(parts, key=_last):
        file, table = part.plan.files[0], part.plan.source.table
        for name, column in part.plan.columns.items():
            header = file.find(headers_read(column, table.each)) if file.headers and column.source else None
            if header is not None:
                found[f"{part.plan.source.table_name}.{name}"] = header
    return found


def _misfits(connection: duckdb.DuckDBPyConnection) -> dict[tuple[int, str], int]:
    """(file, table.column) -> texts that are no value of the column's type."""
    rules = {*cells.RULES.values(), cells.AMBIGUOUS_DATE} - {cells.RULES["text"], cells.RULES["texts"]}
    rows = connection.execute(
        "select _file, column_name, count(distinct _row) from casting_failure "
        "where list_contains(?, rule) group by all",
        [sorted(rules)],
    ).fetchall()
    return {(file, column): count for file, column, count in rows}


def _type_changed(parts: Iterable[Delivered], misfits: Mapping[tuple[int, str], int]) -> set[str]:
    """Columns most of whose texts do not fit."""
    bad: dict[str, int] = defaultdict(int)
    good: dict[str, int] = defaultdict(int)
    for part in parts:
        for name in part.plan.columns:
            column = f"{part.plan.source.table_name}.{name}"
            bad[column] += sum(misfits.get((file.number, column), 0) for file in part.plan.files)
            good[column] += part.values.get(name, 0)
    return {
        column
        for column, count in bad.items()
        if count >= LEAST_MISFITS and count >= CHANGED_SHARE * (count + good[column])
    }


def write_connected(connection: duckdb.DuckDBPyConnection, found: Sequence[Delivered]) -> None:
    """Make setting.connected: which source delivers which column, and how full it is; and setting.ambiguous_date.

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
    fill(connection, "setting.connected", types, rows, "system, entity, table_name, column_name")
    fill(
        connection,
        "setting.ambiguous_date",
        AMBIGUOUS_COLUMNS,
        _ambiguous_dates(connection, by_table),
        "system, entity",
    )


def _ambiguous_dates(
    connection: duckdb.DuckDBPyConnection, by_table: Mapping[tuple[str, str, str], Sequence[Delivered]]
) -> list[dict[str, Any]]:
    """The columns of days of which too many can be read with day and month exchanged only.

    What fits either way may then be another day, so no value of the column is believed. Where no value is left the
    commoner rule says why: exchanged, or no day at all. What a person has waived is believed.
    """
    broken: dict[tuple[str, str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for system, entity, column, rule, count in connection.execute(
        "select system, entity, column_name, rule, count(*) from audit.quarantine "
        "where list_contains(?, rule) and status = 'open' group by all order by all",
        [[cells.AMBIGUOUS_DATE, cells.RULES["date"]]],
    ).fetchall():
        broken[system, entity, column][rule] = count
    found = []
    for (system, entity, column), counts in broken.items():
        table, name = column.split(".")
        values = sum(part.values.get(name, 0) for part in by_table.get((system, entity, table), ()))
        ambiguous = counts[cells.AMBIGUOUS_DATE]
        is_commoner = values > 0 or ambiguous >= counts[cells.RULES["date"]]
        if is_commoner and ambiguous > AMBIGUOUS_SHARE * (ambiguous + values):
            is_event = Firewall.load().event_time.get(table) == name
            found.append(dict(zip(AMBIGUOUS_COLUMNS, (system, entity, table, name, is_event), strict=True)))
    return found


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
