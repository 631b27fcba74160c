"""The SQL models: found as files, ordered by what they read, run one table at a time.

A model is one file with one SELECT, named after its table. The comments are the documentation: the first says
what a row is, the one behind each output column says what it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import sqlglot
import yaml
from sqlglot import exp

from transforms import lifetimes
from warehouse import identifiers
from warehouse.crew import together
from warehouse.engine import Engine, quoted
from warehouse.errors import ConfigurationError

TRANSFORMS = Path(__file__).parents[1] / "transforms"
MACROS = TRANSFORMS / "macros.sql"
DECLARED = TRANSFORMS / "declared.yml"

# Folder -> schema, in the order in which a night runs them.
LAYERS = {
    "canonical": "canonical",
    "style": "style",
    "value": "value",
    "scores": "scores",
    "marts": "mart",
    "audit": "audit",
}


@dataclass(frozen=True)
class Model:
    """One table and the SELECT that makes it."""

    schema: str
    name: str
    grain: tuple[str, ...]
    description: str
    columns: dict[str, str]
    depends_on: frozenset[str]
    sql: str
    path: Path
    types: dict[str, str] = field(default_factory=dict)

    @property
    def table(self) -> str:
        return f"{self.schema}.{self.name}"


@cache
def find_models(root: Path = TRANSFORMS) -> tuple[Model, ...]:
    """All models below `root`, each after those that it reads.

    Raises:
        ConfigurationError: a file that is not one documented SELECT, or models that read each other in a circle.
    """
    models = [
        read_model(path, schema) for folder, schema in LAYERS.items() for path in sorted((root / folder).glob("*.sql"))
    ]
    return tuple(in_order(models))


@cache
def measures(root: Path = TRANSFORMS) -> Mapping[str, Mapping[str, Any]]:
    """root/measures.yml: every measure by its id."""
    catalogue: dict[str, dict[str, Any]] = yaml.safe_load((root / "measures.yml").read_text(encoding="utf-8"))
    return catalogue


@cache
def declared_tables() -> tuple[Model, ...]:
    """The tables that Python fills (transforms/declared.yml): models with types and without a SELECT."""
    declared = yaml.safe_load(DECLARED.read_text(encoding="utf-8"))
    return tuple(
        Model(
            schema=table.split(".")[0],
            name=table.split(".")[1],
            grain=tuple(facts["grain"]),
            description=facts["description"],
            columns={name: text for name, (_, text) in facts["columns"].items()},
            depends_on=frozenset(),
            sql="",
            path=DECLARED,
            types={name: kind for name, (kind, _) in facts["columns"].items()},
        )
        for table, facts in declared.items()
    )


def in_order(models: Iterable[Model]) -> list[Model]:
    """The models by layer and dependency; alphabetical where neither decides, so that each run takes the same order."""
    by_table = {model.table: model for model in models}
    sorter = TopologicalSorter({table: sorted(model.depends_on & by_table.keys()) for table, model in by_table.items()})
    try:
        sorter.prepare()
    except CycleError as error:
        raise ConfigurationError(f"models read each other in a circle: {' -> '.join(error.args[1])}") from error
    ordered: list[Model] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered += [by_table[table] for table in ready]
        sorter.done(*ready)
    rank = {schema: position for position, schema in enumerate(LAYERS.values())}
    return sorted(ordered, key=lambda model: rank[model.schema])


def read_model(path: Path, schema: str) -> Model:
    """Parse one model file.

    Raises:
        ConfigurationError: it says no grain, is not one SELECT, or leaves an output column undescribed.
    """
    sql = path.read_text(encoding="utf-8")
    grain, description = _header(sql, path)
    try:
        statements = sqlglot.parse(sql, read="duckdb")
    except sqlglot.errors.ParseError as error:
        raise ConfigurationError(f"{path}: {error}") from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise ConfigurationError(f"{path}: a model is one SELECT")
    query = statements[0]
    columns = {column.alias_or_name: _comment(column) for column in query.selects}
    undescribed = [name for name, text in columns.items() if not text]
    if undescribed:
        raise ConfigurationError(f"{path}: no trailing comment says what {', '.join(undescribed)} holds")
    missing = [key for key in grain if key not in columns]
    if missing:
        raise ConfigurationError(f"{path}: the grain names {', '.join(missing)}, which the SELECT does not return")
    return Model(schema, path.stem, grain, description, columns, frozenset(_tables(query)), sql, path)


def _header(sql: str, path: Path) -> tuple[tuple[str, ...], str]:
    """The grain and the description from the file's first comment lines."""
    comment = []
    for line in sql.splitlines():
        if not line.startswith("--"):
            break
        comment.append(line.removeprefix("--").strip())
    if not comment or not comment[0].startswith("grain:"):
        raise ConfigurationError(f"{path}: the first line must be `-- grain: <columns that identify a row>`")
    grain = tuple(key.strip() for key in comment[0].removeprefix("grain:").split(","))
    return grain, " ".join(comment[1:]).strip()


def _comment(column: exp.Expr) -> str:
    """The comment behind an output column (sqlglot hangs it on the alias or on the expression inside)."""
    own = column.comments or (column.this.comments if isinstance(column, exp.Alias) else None) or []
    return " ".join(text.strip() for text in own)


def _tables(query: exp.Query) -> set[str]:
    """The `schema.table` names that the query reads; names of its own CTEs are not tables."""
    return {f"{table.db}.{table.name}" for table in query.find_all(exp.Table) if table.db}


def define_macros(engine: Engine) -> None:
    """Make the project's functions known to the engine: macros.sql, lifetimes.py, identifiers.py."""
    # Functions belong to the database, macros to a connection.
    identifiers.define(engine.connection)
    lifetimes.define(engine.connection)
    engine.prepare(lambda connection: connection.execute(_macros()))


@cache
def _macros() -> str:
    statements = sqlglot.parse(MACROS.read_text(encoding="utf-8"), read="duckdb")
    return ";\n".join(statement.sql(dialect="duckdb") for statement in statements if statement is not None)


def run_models(engine: Engine, models: Sequence[Model]) -> dict[str, int]:
    """Make each model's table once those that it reads are made; rows per table.

    A mart's rows lie in the order of its grain, so that the same content is the same file.
    """
    jobs = {model.table: partial(run_model, model=model) for model in models}
    return together(engine.crew(), jobs, {model.table: model.depends_on for model in models})


def run_model(engine: Engine, model: Model) -> int:
    """Make one table from its SELECT; the number of rows."""
    engine.execute(f"create schema if not exists {quoted(model.schema)}")
    ordered = f"select * from (\n{model.sql}\n) order by {', '.join(map(quoted, model.grain))}"
    select = ordered if model.schema == "mart" else model.sql
    made = engine.execute(f"create or replace table {quoted(model.schema)}.{quoted(model.name)} as {select}").fetchone()
    return int(made[0]) if made else 0
