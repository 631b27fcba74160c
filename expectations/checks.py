"""What is checked, as data: computed from the models, declared in suites/*.yml, written as SQL in rules/*.sql.

Nothing here imports great_expectations; `expectations.validation` runs these checks with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import sqlglot
import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from sqlglot import exp

from warehouse.engine import quoted
from warehouse.errors import ConfigurationError
from warehouse.models import Model

SUITES = Path(__file__).parent / "suites"
RULES = Path(__file__).parent / "rules"
RULES_SUITE = "rules"
RULES_BATCH = "mart.release"

# The most keys of failing rows that a result names; enough to find the cause, few enough for one cell.
ROWS_SHOWN = 20
# The column that `offending` adds: how many rows there are in all.
TOTAL = "offending_rows"

Severity = Literal["critical", "warning"]

# Columns that point at a table of the marts, wherever in the marts they stand.
REFERENCES = {
    "account_id": ("mart.account", "account_id"),
    "month": ("mart.month", "month"),
    "measure_id": ("mart.measure", "measure_id"),
}


@dataclass(frozen=True)
class Check:
    """One expectation; `name` and `column` identify it in its suite (the key of audit.expectation)."""

    name: str
    expect: str
    kwargs: Mapping[str, Any]
    column: str = ""
    severity: Severity = "critical"
    notes: str = ""


@dataclass(frozen=True)
class Suite:
    """The checks of one batch: a table, or the rules. `grain` names the columns that tell a failing row."""

    name: str
    table: str
    grain: tuple[str, ...]
    checks: tuple[Check, ...]
    reads: frozenset[str] = field(default_factory=frozenset)


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]


class DeclaredCheck(_Declared):
    """One entry under `checks` of a table in suites/*.yml; with several columns it is one check per column."""

    expect: str
    columns: Names = ()
    kwargs: dict[str, Any] = Field(default_factory=dict)
    severity: Severity = "critical"


class DeclaredTable(_Declared):
    """What suites/*.yml says of a table, besides what its model says."""

    checks: tuple[DeclaredCheck, ...] = ()


def find_suites(models: Sequence[Model], suites: Path = SUITES, rules: Path = RULES) -> list[Suite]:
    """Every suite of a release: one per table, with a SELECT or filled by Python, and one for the rules.

    Raises:
        ConfigurationError: a suite or rule file that is not what it should be; it names the file.
    """
    declared = _read_declared(suites)
    unknown = sorted(declared.keys() - {model.table for model in models})
    if unknown:
        raise ConfigurationError(f"{suites}: no model makes {', '.join(unknown)}; rename or remove the suite")
    computed = [_table_suite(model, declared.get(model.table, DeclaredTable())) for model in models]
    return [*computed, read_rules(rules)]


def offending(sql: str) -> str:
    """`sql`'s rows as OffendingRows wants them: the first few in a fixed order, each with the number of all.

    GX formats the text, so braces are doubled; it prints a warning unless {batch} is named, so a comment names it.
    """
    escaped = sql.strip().rstrip(";").replace("{", "{{").replace("}", "}}")
    return (
        f"select *, count(*) over () as {TOTAL} from (\n{escaped}\n) as offending\n"
        f"order by all limit {ROWS_SHOWN} /* {{batch}} */"
    )


def masked(value: Any) -> str:
    """A key as text; one that looks like an e-mail address keeps its ends only, as in audit.quarantine."""
    text = str(value)
    return f"{text[0]}…{text[-1]} ({len(text)})" if "@" in text else text


def _offending_rows(name: str, sql: str, *, notes: str, column: str = "", severity: Severity = "critical") -> Check:
    return Check(name, "offending_rows", {"unexpected_rows_query": offending(sql)}, column, severity, notes)


def _table_suite(model: Model, declared: DeclaredTable) -> Suite:
    references = _references(model) if model.schema == "mart" else ()
    checks = (_column_check(model), *_grain_checks(model), *references, *_declared_checks(declared))
    return Suite(model.table, model.table, model.grain, checks)


def _column_check(model: Model) -> Check:
    """A SELECT's table has exactly its columns, in order; what Python fills may have more."""
    if model.sql:
        exactly = "expect_table_columns_to_match_ordered_list"
        return Check(exactly, exactly, {"column_list": list(model.columns)})
    at_least = "expect_table_columns_to_match_set"
    return Check(at_least, at_least, {"column_set": list(model.columns), "exact_match": False})


def _grain_checks(model: Model) -> Iterator[Check]:
    """Not null, column by column (GX counts them all in one query), and unique together.

    GX's own compound uniqueness joins the table to its groups and lists whole rows; grouping alone is cheaper and
    returns keys.
    """
    not_null = "expect_column_values_to_not_be_null"
    for column in model.grain:
        yield Check(not_null, not_null, {"column": column}, column)
    keys = ", ".join(map(quoted, model.grain))
    yield _offending_rows(
        "grain_is_unique",
        f"select {keys}, count(*) as copies from {_table(model.table)} group by {keys} having count(*) > 1",
        notes=f"One row per {', '.join(model.grain)}.",
    )


def _references(model: Model) -> Iterator[Check]:
    for column, (target, key) in REFERENCES.items():
        if column in model.columns and model.table != target:
            known = f"select {quoted(key)} from {_table(target)} where {quoted(key)} is not null"
            yield _offending_rows(
                f"{column}_is_in_{target}",
                f"select {quoted(column)}, count(*) as copies from {_table(model.table)}\n"
                f"where {quoted(column)} not in ({known})\n"
                f"group by {quoted(column)}",
                column=column,
                notes=f"Every {column} is one of {target}.",
            )


def _declared_checks(declared: DeclaredTable) -> Iterator[Check]:
    for check in declared.checks:
        for column in check.columns or ("",):
            kwargs = {**check.kwargs, "column": column} if column else check.kwargs
            yield Check(check.expect, check.expect, kwargs, column, check.severity)


def _table(name: str) -> str:
    return ".".join(map(quoted, name.split(".")))


def _read_declared(folder: Path) -> dict[str, DeclaredTable]:
    declared: dict[str, DeclaredTable] = {}
    for path in sorted(folder.glob("*.yml")):
        try:
            tables = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
            declared |= {table: DeclaredTable.model_validate(entry) for table, entry in tables.items()}
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path} is not valid YAML: {error}") from error
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
            raise ConfigurationError(f"{path} is no valid suite: {problems}") from None
    return declared


def read_rules(folder: Path = RULES) -> Suite:
    """The rules as one suite; each file is one SELECT of offending rows.

    Raises:
        ConfigurationError: a file whose first line gives no severity, that says no reason, or is not one SELECT.
    """
    paths = sorted(folder.glob("*.sql"))
    read = [_read_rule(path) for path in paths]
    tables = frozenset(table for _, reads in read for table in reads)
    return Suite(RULES_SUITE, RULES_BATCH, (), tuple(check for check, _ in read), tables)


def _read_rule(path: Path) -> tuple[Check, frozenset[str]]:
    sql = path.read_text(encoding="utf-8")
    severity, notes = _rule_header(sql, path)
    try:
        statements = sqlglot.parse(sql, read="duckdb")
    except sqlglot.errors.ParseError as error:
        raise ConfigurationError(f"{path}: {error}") from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise ConfigurationError(f"{path}: a rule is one SELECT that returns the offending rows")
    return _offending_rows(path.stem, sql, severity=severity, notes=notes), frozenset(_tables(statements[0]))


def _rule_header(sql: str, path: Path) -> tuple[Severity, str]:
    lines = sql.splitlines()
    first = lines[0].removeprefix("--").strip() if lines else ""
    severities: dict[str, Severity] = {"severity: critical": "critical", "severity: warning": "warning"}
    if first not in severities:
        raise ConfigurationError(f"{path}: the first line must be `-- severity: critical` or `-- severity: warning`")
    comment = []
    for line in lines[1:]:
        if not line.startswith("--"):
            break
        comment.append(line.removeprefix("--").strip())
    if not comment:
        raise ConfigurationError(f"{path}: the second line must say, as a comment, what the rule is and why")
    return severities[first], " ".join(comment)


def _tables(query: exp.Query) -> Iterator[str]:
    """The `schema.table` names that the rule reads; its own CTEs and the catalogue are no tables of the release."""
    for table in query.find_all(exp.Table):
        if table.db and table.db != "information_schema":
            yield f"{table.db}.{table.name}"
