"""The expressions of contracts (`sql`, `where`): checked to be scalar, to know their columns, and to repeat."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache

import sqlglot
from sqlglot import exp

from warehouse.errors import ConfigurationError

# What would read other rows or tables, or give another value the next time: a build is a function of its inputs alone.
_FORBIDDEN = (
    exp.Query,
    exp.Window,
    exp.AggFunc,
    exp.Star,
    exp.Parameter,
    exp.Placeholder,
    exp.ReadCSV,
    exp.ReadParquet,
    exp.CurrentDate,
    exp.CurrentTime,
    exp.CurrentTimestamp,
    exp.Rand,
    exp.Unnest,
    exp.Explode,
    exp.Filter,
)
_FORBIDDEN_FUNCTIONS = re.compile(
    r"now|today|transaction_timestamp|(get_)?current_\w+|random|setseed|uuid\w*|gen_random_uuid|nextval|currval"
    r"|getenv|getvariable|query(_table)?|read_\w+|glob|\w+_scan|list|first|last|any_value|string_agg"
)


@cache
def parse(text: str) -> exp.Expr:
    """The expression as a tree.

    Raises:
        ConfigurationError: the text is no SQL expression.
    """
    wrong = ConfigurationError(f"`{text}` is not one SQL expression")
    try:
        statements = sqlglot.parse(f"select (\n{text}\n)", read="duckdb")
    except sqlglot.errors.SqlglotError as error:
        raise wrong from error
    select = statements[0] if len(statements) == 1 else None
    # Anything beside the one bracketed value would be a clause that the text smuggles in.
    if not isinstance(select, exp.Select) or len(select.selects) != 1 or select.args.get("from_"):
        raise wrong
    value = select.selects[0]
    if not isinstance(value, exp.Paren):
        raise wrong
    inner: exp.Expr = value.this
    return inner


def columns_of(text: str) -> frozenset[str]:
    """The names of the columns that the expression reads, in lower case."""
    return frozenset(column.name.lower() for column in parse(text).find_all(exp.Column)) - _lambda_names(text)


def _lambda_names(text: str) -> frozenset[str]:
    return frozenset(name.name.lower() for each in parse(text).find_all(exp.Lambda) for name in each.expressions)


def check(text: str, known: Collection[str]) -> str:
    """The expression's own text, once it is known to be a scalar expression over `known` columns.

    Raises:
        ConfigurationError: it is no scalar expression, reads an unknown column, or would not repeat.
    """
    tree = parse(text)
    for node in tree.walk():
        if isinstance(node, _FORBIDDEN) or _is_forbidden_function(node):
            raise ConfigurationError(
                f"`{text}` uses {node.sql(dialect='duckdb')}: a contract's expression computes one row's value from "
                "that row's columns alone, and the same one every night"
            )
        if isinstance(node, exp.Column) and node.table:
            raise ConfigurationError(f"`{text}`: write {node.name}, not {node.sql()}")
    unknown = columns_of(text) - {name.lower() for name in known}
    if unknown:
        raise ConfigurationError(
            f"`{text}` reads {', '.join(sorted(unknown))}, which this table's contract does not declare; "
            f"it declares {', '.join(sorted(known))}"
        )
    return text


def _is_forbidden_function(node: exp.Expr) -> bool:
    if not isinstance(node, exp.Func):
        return False
    name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
    return _FORBIDDEN_FUNCTIONS.fullmatch(name.lower()) is not None
