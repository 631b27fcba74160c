"""The scores of half of the weeks: the same models, over half of what happened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from tests.tables import Example
from warehouse.halves import EVENTS, KEPT, _halved, _indicators, half, reliability, remade
from warehouse.models import find_models, run_models

MakeExample = Callable[..., Example]
MONTH = dt.date(2026, 6, 1)


@pytest.fixture
def world(example: MakeExample) -> Example:
    """One customer and calls on every Tuesday of the first half-year; theirs in odd weeks, ours in even ones."""
    made = example()
    made.put("account", "source_id | name | customer_since\nA | Alfa | 2026-01-01")
    made.put(
        "person",
        "source_id | side | source_account_id | email\nc | customer | A | a@alfa.example\nv | vendor | - | v@us.example",
    )
    tuesdays = [dt.date(2026, 1, 6) + dt.timedelta(days=7 * week) for week in range(25)]
    rows = [
        f"c{week} | A | call | {day} 10:00 | held | {'customer' if (day.isocalendar().week % 2) else 'vendor'} | Hej | c | v"
        for week, day in enumerate(tuesdays)
    ]
    made.put(
        "activity",
        "source_id | source_account_id | kind | started_at | status | initiated_by | subject | person_source_id | owner_source_id\n"
        + "\n".join(rows),
    )
    made.run("scores.component")
    made.run("scores.relationship")
    return made


def initiative(world: Example, parity: int) -> tuple[float, float, int]:
    with _halved(world.engine, MONTH, parity) as models:
        run_models(world.engine, models)
        rows = world.rows("select numerator, denominator, n from style.voluntary_initiative")
    (row,) = rows
    return row


def test_the_two_halves_share_the_events_out_and_lose_none(world: Example) -> None:
    """All calls of one parity of weeks are the customer's, all of the other are ours."""
    first, second = initiative(world, 1), initiative(world, 0)
    assert sorted([first, second]) == [(0.0, 13.0, 13), (12.0, 12.0, 12)]
    whole = world.rows("select numerator, denominator, n from style.voluntary_initiative where month = '2026-06-01'")
    assert whole == [(12.0, 25.0, 25)]


def test_the_whole_is_as_it_was_afterwards(world: Example) -> None:
    before = world.rows("select * from scores.relationship order by all")
    assert half(world.engine, MONTH, 1).columns.tolist() == ["partnership_z", "cost_focus_z"]
    assert world.rows("select * from scores.relationship order by all") == before
    assert world.rows("select count(*) from duckdb_databases() where database_name = 'half'") == [(0,)]


def test_one_account_is_too_few_to_tell(world: Example) -> None:
    found = reliability(world.engine, MONTH)
    assert [(each.construct, each.statistic) for each in found] == [
        ("partnership", "split_half"),
        ("partnership", "cronbach_alpha"),
        ("partnership", "omega"),
        ("cost_focus", "split_half"),
        ("cost_focus", "cronbach_alpha"),
        ("cost_focus", "omega"),
    ]
    assert all(each.reason for each in found)


def test_an_indicator_of_weight_0_is_none_of_those_that_should_agree(world: Example) -> None:
    counted = _indicators(world.engine, MONTH, "partnership_%").columns
    assert "voluntary_initiative" in counted
    world.engine.execute("update scores.component set weight = 0 where measure_id = 'voluntary_initiative'")
    left = _indicators(world.engine, MONTH, "partnership_%").columns
    assert left.tolist() == [name for name in counted if name != "voluntary_initiative"]


def test_every_measure_of_style_is_computed_again_from_events_that_are_split() -> None:
    """A new indicator whose events were not split would be the same in both halves, and so look reliable."""
    by_table = {model.table: model for model in find_models()}
    made = {model.table for model in remade()}
    scored = {model.table for model in find_models() if model.schema == "style" and "raw_value" in model.columns}
    assert scored <= made
    for table in sorted(EVENTS):
        assert EVENTS[table] in by_table[table].columns, table
    for table in sorted(made):
        outside = {each for each in by_table[table].depends_on if each.startswith("canonical.")} - set(EVENTS)
        # Who there is and who is whose: no events.
        assert outside <= {"canonical.account", "canonical.account_month"}, table
    assert set(KEPT) <= by_table.keys()
