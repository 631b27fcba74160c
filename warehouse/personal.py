"""Where people's data stands: in which staged columns, and in which headers and paths of a contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from warehouse import expressions
from warehouse.contracts import Entity, Table, staged_tables
from warehouse.errors import ConfigurationError

PERSONAL = Path(__file__).parents[1] / "transforms" / "canonical" / "personal.yml"


@dataclass(frozen=True)
class Personal:
    """The personal columns of one staged table (transforms/canonical/personal.yml)."""

    people: tuple[str, ...] = ()
    email: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    erased: bool = True


@cache
def personal_columns() -> Mapping[str, Personal]:
    """Staged table -> its personal columns.

    Raises:
        ConfigurationError: a column that no staged table has.
    """
    declared = yaml.safe_load(PERSONAL.read_text(encoding="utf-8"))
    tables = {
        table: Personal(
            tuple(kinds.get("people", ())),
            tuple(kinds.get("email", ())),
            tuple(kinds.get("text", ())),
            erased=kinds.get("erased", True),
        )
        for table, kinds in declared.items()
    }
    for table, found in tables.items():
        known = {"source_id", *staged_tables().get(table, {})}
        unknown = {*found.people, *found.email, *found.text} - known
        if unknown:
            raise ConfigurationError(f"{PERSONAL}: {table} has no column {', '.join(sorted(unknown))}")
    return tables


@dataclass(frozen=True)
class Places:
    """The headers or paths of one table of a contract that hold names, and those that hold what people wrote."""

    names: tuple[str, ...]
    texts: tuple[str, ...]


def places(name: str, table: Table) -> Places:
    """Where the contract says that a record of this table has its person's names and texts.

    Every spelling of a text's column counts, since an export may have several of them (a body as text and as HTML).
    """
    personal = personal_columns().get(name, Personal())
    texts = [path for column in personal.text if personal.erased for path in _read(table, column)]
    return Places(table.names, tuple(dict.fromkeys([*texts, *table.texts])))


def paths_read(entity: Entity) -> set[str]:
    """The headers or paths of an entity that some column reads."""
    read = {path for table in entity.tables.values() for column in table.columns.values() for path in column.source}
    return read | {path for table in entity.tables.values() for path in table.each}


def _read(table: Table, column: str) -> Iterator[str]:
    """The sources of a column, through the expression that it may be."""
    declared = {name.lower(): each for name, each in table.columns.items()}.get(column.lower())
    if declared is None:
        return
    yield from declared.source
    if declared.sql:
        for read in sorted(expressions.columns_of(declared.sql) - {column.lower()}):
            yield from _read(table, read)
