"""Why one account's mutual value is what it is, and why it moved: read from a published release.

The numbers are mart.score_change's; the records behind a measure are found by transforms/evidence/<measure>.sql, one
SELECT each over the release, which takes $account_id and $month and returns kind, id, day, number and what.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from warehouse.engine import named_rows
from warehouse.errors import ConfigurationError
from warehouse.models import TRANSFORMS

EVIDENCE = TRANSFORMS / "evidence"
CLIPPED = "clipped"


@dataclass(frozen=True)
class Record:
    """One record behind a measure. `state`: entered the window since the month before, left it, or stayed."""

    kind: str
    id: str
    day: dt.date | None
    number: float | None
    what: str
    state: str = "stayed"


@dataclass(frozen=True)
class Reading:
    """A measure in one month: its value (null with a reason), its evidence `n`."""

    value: float | None
    n: float
    status: str
    reason: str | None


@dataclass(frozen=True)
class Component:
    """What one component did to mutual value: `points` of 100, and `share` of the change (null where none is left).

    `weight`: how much it counts in its score, as configured; null of what is no measure.
    """

    measure_id: str
    label: str
    side: str
    unit: str
    weight: float | None
    points: float | None
    share: float | None
    before: Reading | None
    now: Reading | None
    records: tuple[Record, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """One account in one month. Scores are 0-1 as in mart.relationship_month, null where they are not known."""

    account_id: str
    name: str
    month: dt.date
    now: dict[str, Any]
    before: dict[str, Any]
    components: tuple[Component, ...]
    indicators: tuple[Component, ...]

    @property
    def change(self) -> float | None:
        """Of mutual value since the month before, in points of 100."""
        now, before = self.now.get("mutual_value"), self.before.get("mutual_value")
        return None if now is None or before is None else 100 * (now - before)


@contextmanager
def opened(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The release, read-only.

    Raises:
        ConfigurationError: it lacks a table or column: another version of mutual-value made it.
    """
    with duckdb.connect(str(database), read_only=True) as connection:
        try:
            yield connection
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise ConfigurationError(
                f"the release was made by another version ({str(error).splitlines()[0]}); make a new one with: "
                "mutual-value run"
            ) from error


def explain(database: Path, account: str, month: dt.date | None = None) -> Explanation:
    """The account (its id or its exact name) in the month, by default the last complete one.

    Raises:
        ConfigurationError: no such company, several of that name, or no such month of it.
    """
    with opened(database) as connection:
        account_id, name = _account(connection, account)
        wanted = (month or _last_month(connection)).replace(day=1)
        before = _month_before(wanted)
        scores = {each: _scores(connection, account_id, each) for each in (before, wanted)}
        if not scores[wanted]:
            raise ConfigurationError(f"{name} ({account_id}) has no scores in {wanted:%Y-%m}")
        components = _components(connection, account_id, wanted, scores[before], scores[wanted])
        return Explanation(
            account_id, name, wanted, scores[wanted], scores[before],
            tuple(each for each in components if each.side != "style"),
            tuple(each for each in components if each.side == "style"),
        )  # fmt: skip


def account_of(database: Path, account: str) -> str:
    """The account_id of a company, given by it or by its exact name.

    Raises:
        ConfigurationError: no such company, or several of that name.
    """
    with opened(database) as connection:
        return _account(connection, account)[0]


def _account(connection: duckdb.DuckDBPyConnection, account: str) -> tuple[str, str]:
    found = connection.execute(
        "select account_id, name from mart.account where account_id = $1 or name = $1 order by account_id", [account]
    ).fetchall()
    if not found:
        raise ConfigurationError(f"there is no company {account!r}; mart.account has their ids and names")
    if len(found) > 1:
        raise ConfigurationError(f"{account!r} is {len(found)} companies: {', '.join(row[0] for row in found)}")
    return found[0][0], found[0][1] or found[0][0]


def _last_month(connection: duckdb.DuckDBPyConnection) -> dt.date:
    month: dt.date = connection.execute("select last_month from setting.run").fetchall()[0][0]
    return month


def _month_before(month: dt.date) -> dt.date:
    return (month - dt.timedelta(days=1)).replace(day=1)


def _scores(connection: duckdb.DuckDBPyConnection, account_id: str, month: dt.date) -> dict[str, Any]:
    sql = "select * from mart.relationship_month where account_id = ? and month = ?"
    return next(iter(named_rows(connection, sql, [account_id, month])), {})


_MEASURES = """
    select measure.measure_id, measure.label, setting.part, measure.unit, measure.weight, change.contribution
    from mart.measure as measure
    join setting.measure as setting on setting.measure_id = measure.measure_id
    left join mart.score_change as change
        on change.measure_id = measure.measure_id and change.account_id = $account_id and change.month = $month
    where setting.part <> 'none'
    union all
    select measure_id, 'Held at the edge of the scale', side, '', null, contribution
    from mart.score_change
    where account_id = $account_id and month = $month and measure_id = 'clipped'
    order by 1
"""


def _components(
    connection: duckdb.DuckDBPyConnection,
    account_id: str,
    month: dt.date,
    before: dict[str, Any],
    now: dict[str, Any],
) -> list[Component]:
    """Every measure of a score, the weightiest for the change first."""
    given = {"account_id": account_id, "month": month}
    rows = connection.execute(_MEASURES, given).fetchall()
    total = sum(row[-1] for row in rows if row[-1] is not None)
    scale = 100 * log_mean(before.get("mutual_value"), now.get("mutual_value"))
    found = [
        Component(
            measure_id,
            label,
            "style" if part.startswith(("partnership_", "cost_focus_")) else part.removesuffix("_value"),
            unit,
            weight,
            None if contribution is None else contribution * scale,
            None if contribution is None or abs(total) < 1e-9 else contribution / total,
            _reading(connection, account_id, _month_before(month), measure_id),
            _reading(connection, account_id, month, measure_id),
            tuple(records(connection, measure_id, account_id, month)),
        )
        for measure_id, label, part, unit, weight, contribution in rows
    ]
    return sorted(found, key=lambda each: (-abs(each.points or 0), each.measure_id))


def log_mean(before: float | None, now: float | None) -> float:
    """What one unit of ln mutual value is worth in mutual value, over the whole step: (b - a) / (ln b - ln a)."""
    if before is None or now is None:
        return 0.0
    step = math.log(now / before)
    return now if abs(step) < 1e-12 else (now - before) / step


def _reading(connection: duckdb.DuckDBPyConnection, account_id: str, month: dt.date, measure_id: str) -> Reading | None:
    row = connection.execute(
        "select value, n, status, reason from mart.account_month_measure "
        "where account_id = ? and month = ? and measure_id = ?",
        [account_id, month, measure_id],
    ).fetchone()
    return Reading(*row) if row else None


def records(
    connection: duckdb.DuckDBPyConnection, measure_id: str, account_id: str, month: dt.date
) -> Sequence[Record]:
    """The records behind the measure: those that entered the window since the month before, left it, stayed in it."""
    path = EVIDENCE / f"{measure_id}.sql"
    if not path.exists():
        return []
    sql = path.read_text(encoding="utf-8")
    before, now = (_read(connection, sql, account_id, each) for each in (_month_before(month), month))
    entered = [record for key, record in now.items() if key not in before]
    left = [record for key, record in before.items() if key not in now]
    stayed = [record for key, record in now.items() if key in before]
    return [
        Record(**{**vars(record), "state": state})
        for state, group in (("entered", entered), ("left", left), ("stayed", stayed))
        for record in sorted(group, key=lambda each: (each.day or dt.date.min, each.id))
    ]


def _read(
    connection: duckdb.DuckDBPyConnection, sql: str, account_id: str, month: dt.date
) -> dict[tuple[str, str, dt.date | None], Record]:
    rows = connection.execute(
        f"select kind, id, cast(day as date), cast(number as double), what from ({sql})",
        {"account_id": account_id, "month": month},
    ).fetchall()
    return {(row[0], row[1], row[2]): Record(*row) for row in rows}
