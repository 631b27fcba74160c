"""Column lineage: from every measure down to the columns of the exports that it reads, and the firewall upon it.

No source column may feed both a style indicator that enters a score and a component of value: with one shared column
the adjusted estimators find an effect where there is none (DECISIONS, "The firewall is a proof over the SQL").
transforms/firewall.yml says what both sides may read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import sqlglot
import yaml
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope
from sqlglot.schema import MappingSchema

from warehouse.contracts import staged_tables
from warehouse.errors import ConfigurationError
from warehouse.models import TRANSFORMS, Model, find_models, measures

STYLE_PARTS = (
    "partnership_goals",
    "partnership_conduct",
    "partnership_openness",
    "cost_focus_customer",
    "cost_focus_supplier",
)
VALUE_PARTS = ("supplier_value", "customer_value")
# What a column does for a measure, the strongest first: its value is computed from it, rows are chosen by it, rows are
# matched by it.
USES = ("value", "filter", "join")
ROWS = "*"


@dataclass(frozen=True)
class Trace:
    """How a measure comes by a source column: the use at the weakest link, and the columns on the way."""

    use: str
    path: tuple[str, ...]

    def after(self, use: str, step: str | None = None) -> Trace:
        """The trace seen from one step further up, where what it leads to serves as `use`."""
        return Trace(_weaker(self.use, use), self.path if step is None else (step, *self.path))


Traces = dict[str, Trace]


@dataclass(frozen=True)
class Leak:
    """A source column that feeds both sides."""

    style_measure: str
    value_measure: str
    column: str
    style_path: tuple[str, ...]
    value_path: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.column} feeds {self.style_measure} ({' < '.join(self.style_path)}) "
            f"and {self.value_measure} ({' < '.join(self.value_path)})"
        )


@dataclass(frozen=True)
class Firewall:
    """What both sides may read, as transforms/firewall.yml declares it."""

    keys: frozenset[str]
    common: frozenset[str]
    event_time: Mapping[str, str]
    existence: frozenset[str]
    record_kind: frozenset[str]
    population: Mapping[str, str | list[str]]

    @classmethod
    @cache
    def load(cls, root: Path = TRANSFORMS) -> Firewall:
        declared = yaml.safe_load((root / "firewall.yml").read_text(encoding="utf-8"))
        return cls(
            frozenset(declared["keys"]),
            frozenset(declared["common"]),
            declared["event_time"],
            frozenset(declared["existence"]),
            frozenset(declared["record_kind"]),
            declared["population"],
        )

    def allows(self, column: str, trace: Trace | None = None) -> bool:
        """Whether both sides may read the source column `table.column`; for a filter's sake, `trace` says how."""
        table, name = column.split(".")
        if name in self.keys or column in self.common or self.event_time.get(table) == name:
            return True
        if trace is None:
            return False
        return (column in self.existence and _decides_rows(trace)) or (
            column in self.record_kind and trace.use != "value"
        )

    def ends_at(self, table: str, column: str) -> bool:
        """Whether a trace ends there, because the column (or `*`: the rows) is the population's."""
        ends = self.population.get(table, ())
        return ends == ROWS or column == ROWS or column in ends if ends else False


def _weaker(one: str, other: str) -> str:
    return max(one, other, key=USES.index)


def _merged(*parts: Mapping[str, Trace]) -> Traces:
    """All traces; of several to one column the one that says most: not only whether its record exists, then by use."""
    found: Traces = {}
    for part in parts:
        for column, trace in part.items():
            before = found.get(column)
            if before is None or _rank(trace) < _rank(before):
                found[column] = trace
    return found


def _rank(trace: Trace) -> tuple[bool, int, int, tuple[str, ...]]:
    return _decides_rows(trace), USES.index(trace.use), len(trace.path), trace.path


def _decides_rows(trace: Trace) -> bool:
    """Whether the source column says no more than which rows its own canonical table has."""
    table = trace.path[-1].split(".")[0]
    return trace.path[-2:-1] == (f"canonical.{table}.{ROWS}",)


class Lineage:
    """Traces through a set of models. A table's rows are traced like a column of the name `*`."""

    def __init__(self, models: Iterable[Model], firewall: Firewall) -> None:
        self._models = {model.table: model for model in models}
        self._firewall = firewall
        self._schema = _schema(self._models.values(), firewall.keys)
        self._scopes: dict[str, Scope] = {}
        self._found: dict[tuple[str, str], Traces] = {}
        self._in_scope: dict[tuple[int, str], Traces] = {}

    def of_measure(self, measure_id: str) -> Traces:
        """Source column (`table.column`) -> how the measure's value and evidence come by it.

        Raises:
            ConfigurationError: no model of style or value has the measure's name.
        """
        table = next(
            (f"{side}.{measure_id}" for side in ("style", "value") if f"{side}.{measure_id}" in self._models), ""
        )
        if not table:
            raise ConfigurationError(
                f"measure {measure_id}: there is no model style/{measure_id}.sql or value/{measure_id}.sql"
            )
        columns = [name for name in self._models[table].columns if name not in self._models[table].grain]
        return _merged(self.of_column(table, ROWS), *(self.of_column(table, name) for name in columns))

    def of_column(self, table: str, column: str) -> Traces:
        """The traces from one column of a table, or from its rows (`*`); none from settings and the population."""
        if self._firewall.ends_at(table, column) or table.startswith(("setting.", "audit.")):
            return {}
        step = f"{table}.{column}"
        if table.startswith("staged."):
            # All rows of a source: nothing selects them.
            source = step.removeprefix("staged.")
            return {} if column == ROWS else {source: Trace("value", (source,))}
        if table not in self._models:
            raise ConfigurationError(f"a model reads {table}, which no model makes")
        if (table, column) not in self._found:
            self._found[table, column] = {}
            scope = self._scope(table)
            inner = self._rows(scope) if column == ROWS else self._column(scope, column)
            self._found[table, column] = {name: trace.after("value", step) for name, trace in inner.items()}
        return self._found[table, column]

    def _scope(self, table: str) -> Scope:
        if table not in self._scopes:
            query = sqlglot.parse_one(self._models[table].sql, read="duckdb")
            qualified = qualify(
                query,
                schema=self._schema,
                dialect="duckdb",
                validate_qualify_columns=False,
                quote_identifiers=False,
                identify=False,
            )
            scope = build_scope(qualified)
            if scope is None:
                raise ConfigurationError(f"{self._models[table].path}: the columns of this SELECT cannot be traced")
            self._scopes[table] = scope
        return self._scopes[table]

    def _column(self, scope: Scope, name: str) -> Traces:
        key = (id(scope), name)
        if key not in self._in_scope:
            self._in_scope[key] = {}
            self._in_scope[key] = self._column_anew(scope, name)
        return self._in_scope[key]

    def _column_anew(self, scope: Scope, name: str) -> Traces:
        if scope.set_operation_scopes:
            place = [each.alias_or_name for each in _selects(scope)].index(name)
            parts = (
                self._column(branch, _selects(branch)[place].alias_or_name) for branch in scope.set_operation_scopes
            )
            return _merged(*parts)
        chosen = next((each for each in _selects(scope) if each.alias_or_name == name), None)
        return {} if chosen is None else self._read(scope, chosen, "value")

    def _rows(self, scope: Scope) -> Traces:
        """What decides which rows the scope returns."""
        if scope.set_operation_scopes:
            return _merged(*(self._rows(branch) for branch in scope.set_operation_scopes))
        select = scope.expression
        parts = [self._rows_of_source(scope, alias) for alias in _adding(select)]
        parts += [
            self._read(scope, join.args["on"], "join") for join in _joins(select, left=False) if join.args.get("on")
        ]
        clauses = [select.args.get(name) for name in ("where", "group", "having", "qualify")]
        # An unnested list makes as many rows as it has elements.
        clauses += [each for each in _selects(scope) if each.find(exp.Unnest, exp.Explode)]
        parts += [self._read(scope, clause, "filter") for clause in clauses if clause is not None]
        return _merged(*parts)

    def _rows_of_source(self, scope: Scope, alias: str) -> Traces:
        source = _source(scope, alias)
        if isinstance(source, Scope):
            return self._rows(source)
        return self.of_column(_name(source), ROWS) if isinstance(source, exp.Table) else {}

    def _read(self, scope: Scope, expression: exp.Expr, use: str) -> Traces:
        """What the columns in the expression lead to; subqueries inside it with their rows."""
        parts = [self._reference(scope, column) for column in expression.find_all(exp.Column)]
        inside = {id(node) for node in expression.walk()}
        parts += [self._rows(each) for each in scope.subquery_scopes if id(each.expression) in inside]
        return {column: trace.after(use) for column, trace in _merged(*parts).items()}

    def _reference(self, scope: Scope, column: exp.Column) -> Traces:
        home = _home(scope, column.table)
        if home is None:
            return {}
        alias = column.table or next(iter(home.selected_sources))
        source = _source(home, alias)
        own = self._column(source, column.name) if isinstance(source, Scope) else self._of_table(source, column.name)
        return _merged(own, self._optional(home, alias))

    def _of_table(self, source: Any, name: str) -> Traces:
        return self.of_column(_name(source), name) if isinstance(source, exp.Table) else {}

    def _optional(self, scope: Scope, alias: str) -> Traces:
        """For a column of a left-joined table: which of its rows there are, and by what they are matched.

        The left join itself adds no row and takes none away, so it counts only where a column is read.
        """
        join = next((each for each in _joins(scope.expression, left=True) if each.alias_or_name == alias), None)
        if join is None:
            return {}
        matched: Traces = {}
        for column in join.args["on"].find_all(exp.Column) if join.args.get("on") else ():
            source = _source(scope, column.table)
            own = (
                self._column(source, column.name) if isinstance(source, Scope) else self._of_table(source, column.name)
            )
            matched = _merged(matched, own)
        rows = {name: trace.after("filter") for name, trace in self._rows_of_source(scope, alias).items()}
        return _merged(rows, {name: trace.after("join") for name, trace in matched.items()})


def _joins(select: exp.Expr, *, left: bool) -> list[exp.Join]:
    return [join for join in select.args.get("joins") or () if (join.side.upper() == "LEFT") == left]


def _adding(select: exp.Expr) -> list[str]:
    """The aliases of the sources that decide which rows there are: the first, and those joined other than by left."""
    first = select.args.get("from_")
    return [
        *([first.this.alias_or_name] if first else []),
        *(join.alias_or_name for join in _joins(select, left=False)),
    ]


def _home(scope: Scope, alias: str) -> Scope | None:
    """The scope in which the alias is a source: this one, or a subquery inside an expression of it."""
    if alias in scope.selected_sources or (not alias and len(scope.selected_sources) == 1):
        return scope
    return next((found for each in scope.subquery_scopes if (found := _home(each, alias)) is not None), None)


def _selects(scope: Scope) -> list[exp.Expr]:
    query = scope.expression
    return list(query.selects) if isinstance(query, exp.Query) else []


def _source(scope: Scope, alias: str) -> Any:
    """What an alias of the scope stands for: a table, the scope of a CTE or subquery, or None (an unnested list)."""
    return scope.selected_sources.get(alias, (None, None))[1]


def _name(table: exp.Table) -> str:
    return f"{table.db}.{table.name}"


def _schema(models: Iterable[Model], keys: Iterable[str]) -> MappingSchema:
    """What sqlglot resolves names by, read once for all models; all columns are text, only names matter."""
    known: dict[str, Any] = {
        "staged": {table: dict.fromkeys((*columns, *keys), "text") for table, columns in staged_tables().items()}
    }
    for model in models:
        known.setdefault(model.schema, {})[model.name] = dict.fromkeys(model.columns, "text")
    return MappingSchema(known, dialect="duckdb")


def side_of(measure: Mapping[str, Any]) -> str | None:
    """The side of the firewall on which a measure of measures.yml stands: style, value, or none."""
    if measure["part"] in STYLE_PARTS:
        return "style"
    return "value" if measure["part"] in VALUE_PARTS else None


@cache
def traces(root: Path = TRANSFORMS) -> Mapping[str, Traces]:
    """Every measure of root/measures.yml -> its traces."""
    lineage = Lineage(find_models(root), Firewall.load(root))
    return {measure_id: lineage.of_measure(measure_id) for measure_id in measures(root)}


@cache
def bound(root: Path = TRANSFORMS) -> Mapping[str, Mapping[str, Traces]]:
    """Side (style, value) -> measure that enters a score -> its traces to the columns that only one side may read."""
    firewall = Firewall.load(root)
    sides: dict[str, dict[str, Traces]] = {"style": {}, "value": {}}
    for measure_id, measure in measures(root).items():
        side = side_of(measure)
        if side:
            own = traces(root)[measure_id]
            sides[side][measure_id] = {name: each for name, each in own.items() if not firewall.allows(name, each)}
    return sides


def leaks(root: Path = TRANSFORMS) -> list[Leak]:
    """Every source column that feeds a style indicator and a component of value, with the path on either side."""
    sides = bound(root)
    return [
        Leak(style, value, column, sides["style"][style][column].path, sides["value"][value][column].path)
        for style in sorted(sides["style"])
        for value in sorted(sides["value"])
        for column in sorted(sides["style"][style].keys() & sides["value"][value].keys())
    ]


def ensure_sealed(root: Path = TRANSFORMS) -> None:
    """Stop a build whose models let one source column feed both sides.

    Raises:
        ConfigurationError: the columns, the measures and the paths.
    """
    found = leaks(root)
    if found:
        raise ConfigurationError("style and value share source columns: " + "; ".join(map(str, found)))


def rows(root: Path = TRANSFORMS) -> list[dict[str, str | bool]]:
    """The rows of audit.lineage."""
    firewall, catalogue = Firewall.load(root), measures(root)
    return [
        {
            "measure_id": measure_id,
            "source_column": column,
            "side": catalogue[measure_id]["side"],
            "part": catalogue[measure_id]["part"],
            "use": trace.use,
            "may_be_shared": firewall.allows(column, trace),
            "path": " < ".join(trace.path),
        }
        for measure_id, own in traces(root).items()
        for column, trace in sorted(own.items())
    ]
