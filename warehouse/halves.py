"""The scores of style once more from the odd weeks alone and from the even weeks alone, by the very same models.

What happened is split by the week of its day; everything that is computed from it is computed again, for one month. The
reference stays the frozen one. The halves live in a database in memory that is gone afterwards.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from transforms.reliability import Reliability, consistency, split_half
from warehouse.engine import Engine, quoted
from warehouse.models import Model, find_models, run_models

if TYPE_CHECKING:
    import pandas as pd

HALF = "half"
SCORES = "scores.relationship"
CONSTRUCTS = {"partnership": "partnership_z", "cost_focus": "cost_focus_z"}
PARTS = {"partnership": "partnership_%", "cost_focus": "cost_focus_%"}

# Tables of single events, and the day that decides in which half one falls.
EVENTS = {
    "canonical.goal": "known_on",
    "canonical.invoice": "issued_on",
    "canonical.relationship_event": "announced_on",
    "style.closure": "day",
    "style.commitment": "day",
    "style.contact": "day",
    "style.dispute": "day",
    "style.interaction": "day",
    "style.message": "day",
    "style.participation": "day",
    "style.renewal": "day",
    "style.request": "day",
    "style.tagged_goal": "day",
}
# A goal counts while it is pursued, which may be long after it was set.
LASTING = ("canonical.goal", "style.tagged_goal")
# What does not depend on the half.
KEPT = (
    "scores.account_gap",
    "scores.enum_gap",
    "scores.reference",
    "scores.source_gap",
    "scores.source_until",
    "style.window",
)


def reliability(engine: Engine, month: dt.date) -> list[Reliability]:
    """Of partnership and cost focus in the style window that ends with `month`: the halves, alpha and omega."""
    odd, even = half(engine, month, 1), half(engine, month, 0)
    found = []
    for construct, column in CONSTRUCTS.items():
        found.append(split_half(construct, odd[column], even[column]))
        found += consistency(construct, _indicators(engine, month, PARTS[construct]))
    return found


def _indicators(engine: Engine, month: dt.date, part: str) -> pd.DataFrame:
    """z of each indicator of the part (a column) and account (a row)."""
    rows = engine.execute(
        "select account_id, measure_id, z from scores.component "
        "where month = ? and part like ? and weight > 0 order by all",
        [month, part],
    ).df()
    return rows.pivot(index="account_id", columns="measure_id", values="z")


def half(engine: Engine, month: dt.date, parity: int) -> pd.DataFrame:
    """partnership_z and cost_focus_z by account, from the weeks of this parity alone."""
    with _halved(engine, month, parity) as models:
        run_models(engine, models)
        columns = ", ".join(CONSTRUCTS.values())
        return engine.execute(f"select account_id, {columns} from {SCORES} order by all").df().set_index("account_id")


def remade() -> list[Model]:
    """The models between the events and the scores, in the order in which they run."""
    by_table = {model.table: model for model in find_models()}
    wanted: list[str] = [SCORES]
    found: set[str] = set()
    while wanted:
        table = wanted.pop()
        if table in by_table and table.split(".")[0] in ("style", "scores") and table not in {*EVENTS, *KEPT, *found}:
            found.add(table)
            wanted += by_table[table].depends_on
    return [model for model in find_models() if model.table in found]


@contextmanager
def _halved(engine: Engine, month: dt.date, parity: int) -> Iterator[list[Model]]:
    """The models to run, while the engine's default database is one that shows half of the events."""
    models = remade()
    read = {table for model in models for table in model.depends_on} - {model.table for model in models}
    whole = engine.path.stem
    engine.execute(f"attach ':memory:' as {quoted(HALF)}")
    try:
        for table in sorted(read):
            schema, name = table.split(".")
            engine.execute(f"create schema if not exists {quoted(HALF)}.{quoted(schema)}")
            engine.execute(
                f"create view {quoted(HALF)}.{quoted(schema)}.{quoted(name)} as {_select(whole, table, month, parity)}"
            )
        with engine.using(HALF):
            yield models
    finally:
        engine.execute(f"detach {quoted(HALF)}")


def _select(whole: str, table: str, month: dt.date, parity: int) -> str:
    source = f"{quoted(whole)}.{'.'.join(map(quoted, table.split('.')))}"
    if table in EVENTS:
        day = EVENTS[table]
        # Weeks from a Monday on, so that none is cut and the turn of a year makes no two odd ones.
        where = f"cast(floor(({day} - date '2001-01-01') / 7) as bigint) % 2 = {parity}"
        if table not in LASTING:
            where += f" and {day} between date '{month}' - interval 11 month and last_day(date '{month}')"
        return f"select * from {source} where {where}"
    if table == "style.window":
        return f"select * replace (cast(days / 2 as bigint) as days) from {source} where month = date '{month}'"
    has_month = any(model.table == table and "month" in model.columns for model in find_models())
    if table == "canonical.account_month" or (table.startswith("value.") and has_month):
        return f"select * from {source} where month = date '{month}'"
    return f"select * from {source}"
