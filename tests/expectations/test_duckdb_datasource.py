"""What the data source leans on in great_expectations; a new version that changes it fails here, not at night."""

from __future__ import annotations

import inspect
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import great_expectations as gx
import pytest
import sqlalchemy as sa
from great_expectations.datasource.fluent.sql_datasource import SQLDatasource
from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.core.unexpected_rows_expectation import UnexpectedRowsExpectation

from expectations.checks import offending
from expectations.duckdb_datasource import (
    DuckDBDatasource,
    DuckDBExecutionEngine,
    OffendingRows,
    connect_arguments,
)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A file with one table of three rows."""
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema mart; create table mart.t as select * from (values (1), (2), (2)) as v(a)")
    return path


def connect_args(database: Path) -> dict[str, Any]:
    return {"connect_args": connect_arguments(database, threads=1, memory="256MB", spill=database.parent / "spill")}


def engine_on(database: Path, kind: type[SqlAlchemyExecutionEngine]) -> SqlAlchemyExecutionEngine:
    return kind(connection_string="duckdb://", create_temp_table=False, **connect_args(database))


def test_the_version_is_the_one_that_these_tests_were_written_for() -> None:
    assert version("great-expectations") == "1.24.1"


def test_the_library_asks_its_engine_by_the_method_that_ours_overrides() -> None:
    asks = inspect.getsource(SqlAlchemyExecutionEngine.resolve_metric_bundle)
    assert "self.execute_query(" in asks
    assert list(inspect.signature(SqlAlchemyExecutionEngine.execute_query).parameters) == ["self", "query"]
    assert hasattr(SqlAlchemyExecutionEngine, "get_connection")
    assert SQLDatasource.execution_engine_type.fget is not DuckDBDatasource.execution_engine_type.fget
    assert "unexpected_rows_query.table" in UnexpectedRowsExpectation.metric_dependencies


def test_the_librarys_own_engine_loses_the_rows_and_ours_keeps_them(database: Path) -> None:
    """When the first half fails, the library fetches in time by itself: the subclass can go."""
    query = sa.text("select a from mart.t order by a")
    own, ours = engine_on(database, SqlAlchemyExecutionEngine), engine_on(database, DuckDBExecutionEngine)
    try:
        try:
            lost = [tuple(row) for row in own.execute_query(query).fetchall()]
        except (sa.exc.SQLAlchemyError, duckdb.Error):
            lost = []
        assert lost == []
        assert [tuple(row) for row in ours.execute_query(query).fetchall()] == [(1,), (2,), (2,)]
    finally:
        own.close()
        ours.close()


def test_the_file_is_opened_read_only_and_bounded(database: Path) -> None:
    engine = engine_on(database, DuckDBExecutionEngine)
    try:
        with pytest.raises(sa.exc.DBAPIError, match="read-only"):
            engine.execute_query(sa.text("create table mart.u (a integer)"))
        settings = engine.execute_query(
            sa.text(
                "select current_setting('threads'), current_setting('memory_limit'), "
                "current_setting('autoinstall_known_extensions')"
            )
        ).fetchall()
        assert [tuple(row) for row in settings] == [(1, "244.1 MiB", False)]
    finally:
        engine.close()


def test_the_rows_of_a_failed_rule_come_from_one_query(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    original = DuckDBExecutionEngine.execute_query

    def counted(self: DuckDBExecutionEngine, query: Any) -> Any:
        asked.append(str(query))
        return original(self, query)

    monkeypatch.setattr(DuckDBExecutionEngine, "execute_query", counted)
    context = gx.get_context(mode="ephemeral")
    source = context.data_sources.add_duckdb(name="w", connection_string="duckdb://", kwargs=connect_args(database))
    batch = source.add_table_asset(name="t", schema_name="mart", table_name="t").add_batch_definition_whole_table("all")
    result = batch.get_batch().validate(
        OffendingRows(unexpected_rows_query=offending("select a from mart.t where a > 1"))
    )
    source.close()

    assert not result.success
    assert result.result == {"observed_value": 2, "details": {"unexpected_rows": [{"a": "2"}, {"a": "2"}]}}
    assert len([query for query in asked if "from mart.t where a > 1" in query]) == 1
