"""What was known on a day: a look back after later drops gives what that day's night gave, row for row."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from demo import write_demo
from warehouse import build
from warehouse.contracts import SHIPPED, load_contracts
from warehouse.engine import quoted
from warehouse.landing import land_all
from warehouse.models import LAYERS
from warehouse.project import Project

LANDED = dt.datetime(2026, 7, 1)
MARCH, JUNE = dt.date(2026, 3, 31), dt.date(2026, 6, 30)


def drop(project: Path, day: dt.date, effect: float) -> None:
    """A demo's exports as the drop of a day; with another effect the same records say other things."""
    written = project / "written"
    write_demo(written, accounts=30, months=18, seed=2, effect=effect)
    for system in (written / "inbox").iterdir():
        shutil.move(system, project / "inbox" / system.name / day.isoformat())
    shutil.copyfile(written / "mutual-value.toml", project / "mutual-value.toml")
    shutil.rmtree(written)


def night(root: Path, day: dt.date, name: str) -> Path:
    """Land what is there and build as of the day, as a night does before its checks."""
    project, contracts = Project.open(root), load_contracts([SHIPPED])
    landed = land_all(project, contracts, LANDED)
    engine = build.start(root / name, project, contracts, day)
    build.stage(engine, project, contracts, landed, day)
    for layer in LAYERS:
        build.layer(engine, layer)
    build.contrast(engine, project, day)
    return build.finish(engine, project, build.Run(name, LANDED, day))


Marts = dict[str, list[tuple[object, ...]]]


def marts(database: Path) -> Marts:
    with duckdb.connect(str(database), read_only=True) as connection:
        names = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'mart' and table_name <> 'release' order by all"
        ).fetchall()
        return {
            name: connection.execute(f"select * from mart.{quoted(name)} order by all").fetchall() for (name,) in names
        }


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Marts]:
    root = tmp_path_factory.mktemp("as_of")
    drop(root, MARCH, effect=1.0)
    found = {"march": marts(night(root, MARCH, "march"))}
    drop(root, JUNE, effect=0.0)
    found["june"] = marts(night(root, JUNE, "june"))
    found["march again"] = marts(night(root, MARCH, "again"))
    return found.__getitem__


def test_after_later_drops_every_mart_of_that_day_is_the_same(nights: Callable[[str], Marts]) -> None:
    then, again = nights("march"), nights("march again")
    assert then.keys() == again.keys()
    assert [name for name, rows in then.items() if rows != again[name]] == []


def test_the_later_drop_says_other_things_and_its_own_night_uses_them(nights: Callable[[str], Marts]) -> None:
    then, later = nights("march"), nights("june")
    month = dt.date(2026, 2, 1)
    first, second = (
        {row[:3]: row[4] for row in found["account_month_measure"] if row[1] == month} for found in (then, later)
    )
    assert first.keys() == second.keys()
    assert first != second
