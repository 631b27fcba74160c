"""The firewall outside the models: which columns of an export feed which canonical ones, and which reach both sides.

A contract or a project's own mapping may read one column of an export into two canonical columns. Where one of them
ends in a style indicator and the other in a component of value, that component must not speak.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb

from warehouse import expressions, lineage
from warehouse.accounting import fill
from warehouse.contracts import Column, Table
from warehouse.models import TRANSFORMS
from warehouse.plans import Plan
from warehouse.recognition import headers_read

LEAK_COLUMNS = dict.fromkeys(
    ("measure_id", "style_measure_id", "system", "entity", "source_column", "style_column", "value_column"), "varchar"
)

# (system, entity, column of the export) -> the canonical columns (`table.column`) that it feeds.
Feeds = Mapping[tuple[str, str, str], frozenset[str]]


def write_leaks(connection: duckdb.DuckDBPyConnection, plans: Iterable[Plan]) -> None:
    """Make setting.leak: the value measures that may not speak in this project, and the column that they share."""
    fill(connection, "setting.leak", LEAK_COLUMNS, leaks(feeds(plans)), "measure_id, style_measure_id, source_column")


def feeds(plans: Iterable[Plan]) -> Feeds:
    """What each column of the delivered files feeds, as the plans read them."""
    found: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for plan in plans:
        source = plan.source
        for name, column in plan.columns.items():
            if column.helper or name not in plan.present:
                continue
            for origin in _origins(plan, name, frozenset()):
                found[source.contract.system, source.entity_name, origin].add(f"{source.table_name}.{name}")
    return {key: frozenset(columns) for key, columns in found.items()}


def _origins(plan: Plan, name: str, above: frozenset[str]) -> set[str]:
    """The export's columns behind one column of the plan; an expression's are those of the columns that it reads."""
    column = plan.columns[name]
    if column.source:
        return _headers(plan, column)
    read = expressions.columns_of(column.sql) if column.sql is not None else {column.count_in} - {None}
    inner = [each for each in plan.columns if each.lower() in read and each not in {*above, name}]
    return {origin for each in inner for origin in _origins(plan, each, above | {name})}


def _headers(plan: Plan, column: Column) -> set[str]:
    table, file = plan.source.table, plan.files[0]
    if file.headers:
        header = file.find(headers_read(column, table.each))
        return set() if header is None else {header}
    return {_whole_path(table, path) for path in column.source}


def _whole_path(table: Table, path: str) -> str:
    """A JSON path from the record's top: an element's own paths begin at its list, `^.` at the record."""
    if path.startswith("^."):
        return path.removeprefix("^.")
    return f"{table.each[0]}[].{path}" if table.each else path


def leaks(found: Feeds, root: Path = TRANSFORMS) -> list[dict[str, str]]:
    """The rows of setting.leak: each value measure with each style measure that reads the same column of an export."""
    sides = lineage.bound(root)
    return [
        {
            "measure_id": value,
            "style_measure_id": style,
            "system": system,
            "entity": entity,
            "source_column": origin,
            "style_column": style_column,
            "value_column": value_column,
        }
        for (system, entity, origin), columns in sorted(found.items())
        for style, style_column in _ends(sides["style"], columns)
        for value, value_column in _ends(sides["value"], columns)
    ]


def _ends(measures: Mapping[str, lineage.Traces], columns: frozenset[str]) -> list[tuple[str, str]]:
    """The measures that rest on one of the columns, with the first of them."""
    ends = [(measure, sorted(columns & own.keys())) for measure, own in sorted(measures.items())]
    return [(measure, shared[0]) for measure, shared in ends if shared]
