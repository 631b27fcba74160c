"""DuckDB as a data source of Great Expectations, and the one expectation of our own.

Importing this module imports great_expectations, which takes 5-8 s: only `expectations.validation` does.
"""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from great_expectations.core.result_format import ResultFormat
from great_expectations.datasource.fluent.sql_datasource import SQLDatasource
from great_expectations.execution_engine.execution_engine import ExecutionEngine
from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.core.unexpected_rows_expectation import UnexpectedRowsExpectation

from expectations.checks import ROWS_SHOWN, TOTAL, masked


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):
    """Fetches a query's rows while its connection is open.

    GX hands out the cursor after its connection went back to the pool; DuckDB's cursor is closed by then and every
    metric fails with `list index out of range` (great_expectations issue 10738). tests/expectations/ holds GX to what
    this leans on, because a later version may fetch elsewhere.
    """

    def execute_query(self, query: sa.Selectable | sa.TextClause) -> sa.Result[Any]:
        """The query's result with all its rows in memory: metrics are one row, key lists are limited in SQL."""
        with self.get_connection() as connection:
            frozen: sa.FrozenResult[Any] = connection.execute(query).freeze()
            return frozen()


class DuckDBDatasource(SQLDatasource):
    """`context.data_sources.add_duckdb(...)`: tables of a DuckDB file, checked where they lie."""

    type: Literal["duckdb"] = "duckdb"  # type: ignore[assignment]
    # A temporary table would copy the batch into memory, and a read-only file has no place for it.
    create_temp_table: bool = False

    @property
    def execution_engine_type(self) -> builtins.type[DuckDBExecutionEngine]:
        return DuckDBExecutionEngine

    def close(self) -> None:
        """Let go of the file, which the run writes to and renames next.

        GX connects twice: the data source to look for its tables, the execution engine to query them.
        """
        self.get_execution_engine().close()
        self.get_engine().dispose()


class OffendingRows(UnexpectedRowsExpectation):
    """An UnexpectedRowsExpectation over a query of `checks.offending`, run once.

    GX's own runs the query twice, to count its rows and to list them; ours says the count in each of its rows.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.table",)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine[Any] | None = None,  # noqa: ARG002 (GX passes it by name)
    ) -> dict[str, Any]:
        rows = [dict(row) for row in metrics["unexpected_rows_query.table"][:ROWS_SHOWN]]
        total = rows[0][TOTAL] if rows else 0
        keys = [{name: masked(value) for name, value in row.items() if name != TOTAL} for row in rows]
        outcome: dict[str, Any] = {"success": not rows}
        result_format = self._get_result_format(runtime_configuration=runtime_configuration)
        if result_format != ResultFormat.BOOLEAN_ONLY:
            outcome["result"] = {"observed_value": total, "details": {"unexpected_rows": keys}}
        return outcome


def connect_arguments(database: Path, *, threads: int, memory: str, spill: Path) -> dict[str, Any]:
    """How the gate opens the file: read-only, bounded, spilling to `spill`, without extensions from the network."""
    return {
        # Here and not in the URL, where ?, # and % of a path would be read as syntax.
        "database": str(database),
        "read_only": True,
        "config": {
            "threads": threads,
            "memory_limit": memory,
            "temp_directory": str(spill),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    }
