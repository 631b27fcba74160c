"""A frozen reference keeps the scale; it is a file that says what it is, and for which nights."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.lake import project
from tests.tables import Example
from warehouse import reference
from warehouse.engine import Engine
from warehouse.errors import ConfigurationError
from warehouse.models import find_models, run_model

NOW = dt.datetime(2026, 7, 1, 2)
AS_OF = dt.date(2026, 6, 30)


def release(folder: Path, center: float = 3.0, as_of: str = "2026-06-30") -> Path:
    """A release with one measure's reference."""
    path = folder / f"{as_of}-{center}.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema mart; create schema scores")
        connection.execute(f"create table mart.release as select date '{as_of}' as as_of")
        connection.execute(
            "create table scores.reference as select 'csat' as measure_id, '*' as segment, ?::double as center, "
            "0.1::double as scale, 'robust' as method, 400::bigint as n, 40::bigint as accounts, 'frozen' as origin",
            [center],
        )
    return path


def test_the_newest_that_is_not_later_than_the_night_is_in_force(tmp_path: Path) -> None:
    here = project(tmp_path)
    assert reference.version_in_force(here, AS_OF) == "first_12_months"
    first, _ = reference.freeze(here, release(tmp_path, 3.0, "2025-12-31"), NOW)
    second, _ = reference.freeze(here, release(tmp_path, 4.0), NOW)
    assert [each.version for each in reference.every(here)] == [first.version, second.version]
    assert reference.version_in_force(here, AS_OF) == second.version
    assert reference.version_in_force(here, AS_OF - dt.timedelta(days=1)) == first.version
    assert reference.version_in_force(here, dt.date(2025, 12, 30)) == "first_12_months"
    assert reference.rows(here, AS_OF)[0]["center"] == 4.0


def test_of_two_of_one_day_the_one_frozen_last_counts(tmp_path: Path) -> None:
    here = project(tmp_path)
    reference.freeze(here, release(tmp_path, 3.0), NOW)
    later, _ = reference.freeze(here, release(tmp_path, 4.0), NOW + dt.timedelta(hours=1))
    assert reference.version_in_force(here, AS_OF) == later.version


def test_the_same_content_is_kept_once(tmp_path: Path) -> None:
    here = project(tmp_path)
    first, is_new = reference.freeze(here, release(tmp_path), NOW)
    again, is_new_again = reference.freeze(here, release(tmp_path, 3.0, "2026-07-31"), NOW)
    assert (is_new, is_new_again) == (True, False)
    assert again.version == first.version
    assert len(list(here.reference.iterdir())) == 1


def test_a_file_that_was_changed_or_misnamed_is_refused(tmp_path: Path) -> None:
    here = project(tmp_path)
    kept, _ = reference.freeze(here, release(tmp_path), NOW)
    table = pq.read_table(kept.path)
    pq.write_table(table.set_column(2, "center", [[9.0]]), kept.path)
    with pytest.raises(ConfigurationError, match="was changed since it was frozen"):
        reference.rows(here, AS_OF)
    kept.path.rename(here.reference / "mine.parquet")
    with pytest.raises(ConfigurationError, match="is no frozen reference"):
        reference.in_force(here, AS_OF)


def test_a_release_without_any_reference_has_nothing_to_freeze(tmp_path: Path) -> None:
    path = release(tmp_path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("delete from scores.reference")
    with pytest.raises(ConfigurationError, match="nothing to freeze"):
        reference.freeze(project(tmp_path), path, NOW)


def scale(engine: Engine, values: list[float]) -> list[tuple[object, ...]]:
    """scores.reference of portfolio values of two measures, `old` and `new`."""
    engine.execute(
        "create or replace table scores.shrunk (measure_id varchar, segment varchar, account_id varchar, month date, "
        "status varchar, estimate double, raw_value double)"
    )
    engine.connection.executemany(
        "insert into scores.shrunk values (?, 's', ?, '2025-01-01', 'ok', ?, ?)",
        [
            (measure, f"a{place}", value, value)
            for measure in ("csat", "reopen_rate")
            for place, value in enumerate(values)
        ],
    )
    run_model(engine, next(model for model in find_models() if model.table == "scores.reference"))
    return engine.execute("select measure_id, center, origin from scores.reference order by measure_id").fetchall()


def test_a_later_night_with_other_data_keeps_the_scale_and_measures_that_are_new_get_one(tmp_path: Path) -> None:
    world = Example(tmp_path, "2026-06-30")
    assert scale(world.engine, [1, 2, 3]) == [("csat", 2, "first_12_months"), ("reopen_rate", 2, "first_12_months")]
    path = tmp_path / "release.duckdb"
    world.engine.execute(f"attach '{path}' as release")
    world.engine.execute("create schema release.mart")
    world.engine.execute("create schema release.scores")
    world.engine.execute("create table release.mart.release as select date '2026-06-30' as as_of")
    world.engine.execute("create table release.scores.reference as from scores.reference where measure_id = 'csat'")
    world.engine.execute("detach release")
    reference.freeze(world.project, path, NOW)
    world.configure()
    assert scale(world.engine, [11, 12, 13]) == [("csat", 2, "frozen"), ("reopen_rate", 12, "first_12_months")]
