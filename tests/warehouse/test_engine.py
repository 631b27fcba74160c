"""The engine stops a query that takes too long, and never reaches for the network."""

from __future__ import annotations

import time
from pathlib import Path

import duckdb
import pytest

from warehouse.engine import Engine, QueryTimeout, literal, quoted


@pytest.fixture
def engine(tmp_path: Path):  # type: ignore[no-untyped-def]
    made = Engine.open(tmp_path / "warehouse.duckdb", threads=2, memory="500MB", query_seconds=1)
    yield made
    made.close()


def test_a_query_over_its_time_is_really_interrupted(engine: Engine) -> None:
    started = time.monotonic()
    with pytest.raises(QueryTimeout, match=r"limits\.query_seconds"):
        engine.execute("select count(*) from range(100000000) a, range(100000) b where hash(a.range, b.range) = 1")
    assert time.monotonic() - started < 20
    assert engine.execute("select 1").fetchall() == [(1,)]


def test_a_block_of_queries_has_one_deadline_together(engine: Engine) -> None:
    with pytest.raises(QueryTimeout, match="casting the lake"), engine.deadline("casting the lake"):
        for _ in range(1_000):
            engine.connection.execute("select count(*) from range(3000000) a where hash(a.range) = 1")


def test_the_file_carries_the_name_that_readers_know(engine: Engine) -> None:
    assert engine.execute("select current_database()").fetchall() == [("warehouse",)]


def test_the_session_counts_in_utc_and_downloads_nothing(engine: Engine) -> None:
    assert engine.execute(
        "select current_setting('TimeZone'), current_setting('autoinstall_known_extensions')"
    ).fetchall() == [("UTC", False)]


def test_the_file_can_be_read_by_older_drivers(tmp_path: Path) -> None:
    engine = Engine.open(tmp_path / "warehouse.duckdb", threads=1, memory="500MB", query_seconds=5)
    engine.execute("create table t as select 1 as a")
    tags = engine.execute("select tags from duckdb_databases() where database_name = 'warehouse'").fetchall()[0][0]
    engine.close()
    assert "v1.2.0" in tags["storage_version"]


@pytest.mark.parametrize("name", ['a"b', "select", "æ ø", "a;drop table x"])
def test_any_name_is_only_a_name(name: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"create table {quoted(name)} as select {literal(name)} as {quoted(name)}")
        assert connection.execute(f"select * from {quoted(name)}").fetchall() == [(name,)]


def test_the_crew_works_on_one_database_and_knows_the_same_macros(engine: Engine) -> None:
    engine.prepare(lambda connection: connection.execute("create or replace temp macro twice(x) as 2 * x"))
    first, second = engine.crew()
    first.execute("create table t as select 1 as a")
    assert second.execute("select twice(a), current_setting('TimeZone') from t").fetchall() == [(2, "UTC")]
    engine.prepare(lambda connection: connection.execute("create or replace temp macro thrice(x) as 3 * x"))
    assert engine.crew() == (first, second)
    assert second.execute("select thrice(a) from t").fetchall() == [(3,)]


def test_a_deadline_reaches_the_whole_crew(engine: Engine) -> None:
    _, second = engine.crew()
    with pytest.raises(QueryTimeout), engine.deadline("both"):
        second.connection.execute(
            "select count(*) from range(100000000) a, range(100000) b where hash(a.range, b.range) = 1"
        )


def test_another_database_is_the_default_of_the_crew_for_a_while(engine: Engine) -> None:
    engine.execute("attach ':memory:' as other")

    def current() -> list[str]:
        return [each.execute("select current_database()").fetchall()[0][0] for each in engine.crew()]

    with pytest.raises(ZeroDivisionError), engine.using("other"):
        assert current() == ["other", "other"]
        raise ZeroDivisionError
    assert current() == ["warehouse", "warehouse"]
