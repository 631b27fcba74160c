"""The gate before publishing: what must be true of a finished build."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from expectations.checks import ROWS_SHOWN, Severity, Suite, find_suites, masked
from warehouse.errors import CheckFailure
from warehouse.models import Model

if TYPE_CHECKING:
    from expectations.validation import Outcome


@dataclass(frozen=True)
class CheckResult:
    """One row of audit.expectation. `observed` holds counts and keys of failing rows, never other values."""

    run_id: str
    suite: str
    expectation: str
    column_name: str
    success: bool
    severity: Severity
    observed: str


class UncheckableRelease(CheckFailure):
    """Tables that a suite or rule is about are not there, so nothing can be said of the release."""


def check(
    database: Path,
    models: Sequence[Model],
    folder: Path,
    run_id: str,
    *,
    threads: int = 2,
    memory: str = "4GB",
) -> list[CheckResult]:
    """Check the finished, closed build file; it is opened read-only and closed again.

    Args:
        database: the build's DuckDB file.
        models: every SQL model of the build; their suites are computed.
        folder: where Data Docs (`data_docs/`) and, while it runs, spills go.
        run_id: goes into every row.
        threads: DuckDB's threads.
        memory: DuckDB's memory limit; beyond it the engine spills to disk.

    Returns:
        One result per check, in a fixed order. A check that could not run is a critical failure, whatever it is
        declared as: what cannot be checked is not known to be true.

    Raises:
        UncheckableRelease: a table of a suite or rule is missing.
        ConfigurationError: a suite or rule file is wrong.
    """
    suites = find_suites(models)
    _require_tables(database, suites)
    prepare()
    from expectations.validation import validate

    outcomes = validate(database, suites, folder, run_id, threads=threads, memory=memory)
    return [_result(run_id, outcome) for outcome in outcomes]


def failures(results: Sequence[CheckResult]) -> list[CheckResult]:
    """The failed critical checks; with any of them the release is not published."""
    return [result for result in results if not result.success and result.severity == "critical"]


def prepare() -> None:
    """Import great_expectations (5-8 s) without its telemetry; may run in a thread while the build still works."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read on import
    import expectations.validation  # noqa: F401


def _require_tables(database: Path, suites: Sequence[Suite]) -> None:
    needed = {suite.table: suite.name for suite in reversed(suites)}
    needed |= {table: suite.name for suite in suites for table in suite.reads if table not in needed}
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute("select table_schema || '.' || table_name from information_schema.tables").fetchall()
    missing = sorted(needed.keys() - {table for (table,) in rows})
    if missing:
        listed = ", ".join(f"{table} (suite {needed[table]})" for table in missing)
        raise UncheckableRelease(f"{database.name} lacks {listed}; what is checked must be built, even if empty")


def _result(run_id: str, outcome: Outcome) -> CheckResult:
    severity: Severity = "critical" if outcome.error else outcome.check.severity
    return CheckResult(
        run_id,
        outcome.suite.name,
        outcome.check.name,
        outcome.check.column,
        outcome.success,
        severity,
        observed(outcome.check.kwargs, outcome.result, outcome.error, outcome.keys),
    )


def observed(
    kwargs: Mapping[str, Any], result: Mapping[str, Any], error: str, keys: Sequence[Mapping[str, Any]]
) -> str:
    """What a check saw, in one short text: a count and the keys of at most 20 failing rows."""
    if error:
        return f"could not run: {_safe_message(error)}"
    if "unexpected_count" in result:
        # Over no rows at all, SQL's sum is null.
        seen = f"{result['unexpected_count'] or 0:,} of {result['element_count']:,} rows"
    elif isinstance(result.get("observed_value"), list):
        seen = _column_difference(kwargs, result["observed_value"])
    else:
        seen = "1 row" if result["observed_value"] == 1 else f"{result['observed_value']:,} rows"
    listed = "; ".join(map(_key, keys[:ROWS_SHOWN]))
    return f"{seen}: {listed}" if listed else seen


def _key(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={masked(value)}" for name, value in row.items())


def _column_difference(kwargs: Mapping[str, Any], found: Sequence[str]) -> str:
    wanted = list(kwargs.get("column_list") or kwargs["column_set"])
    missing = [column for column in wanted if column not in found]
    unknown = [column for column in found if column not in wanted] if "column_list" in kwargs else []
    parts = [f"{len(found)} columns"]
    parts += [f"missing {', '.join(missing)}"] if missing else []
    parts += [f"unknown {', '.join(unknown)}"] if unknown else []
    if "column_list" in kwargs and not missing and not unknown and list(found) != wanted:
        parts.append(f"in another order: {', '.join(found)}")
    return "; ".join(parts)


def _safe_message(error: str) -> str:
    """DuckDB's first line where it speaks of names (tables, columns, syntax); its other messages may quote data."""
    found = re.search(r"\b(Binder|Catalog|Parser) Error: ([^\n]*)", error)
    if found:
        return found.group(0)[:300]
    kind = re.search(r"\b\w+ (?:Error|Exception)\b", error)
    return kind.group(0) if kind else "see the run's log"
