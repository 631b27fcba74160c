"""Scores computed again from a published release, with other weights or with a measure set to another value.

It is arithmetic on the scores' own formulas (scores/component.sql, scores/relationship.sql and
marts/relationship_month.sql): what the score would say, not what the customer would do. Nothing else moves with the
measure that is set.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
from scipy.special import log_ndtr, ndtr

from warehouse.errors import ConfigurationError
from warehouse.explanation import opened
from warehouse.lineage import VALUE_PARTS
from warehouse.weights import LEAST

CLIP = 2.326
WINSOR = 3.0
# A 95 % interval.
Z95 = 1.959964
# Scores that are a weighted mean of z, each of the measures whose `part` begins with its name.
MEANS = ("partnership", "cost_focus_customer", "cost_focus_supplier", *VALUE_PARTS)


@dataclass(frozen=True)
class Component:
    """One row of scores.component: a measure's distance from the reference in spreads, and the score it enters."""

    measure_id: str
    part: str
    is_ok: bool
    z: float
    error: float


@dataclass(frozen=True)
class Score:
    """A score of 0-1 with its 95 % interval."""

    value: float
    low: float
    high: float


Scores = dict[str, Score]


@dataclass(frozen=True)
class Measure:
    """What the catalogue says of a measure that enters a score."""

    part: str
    kind: str
    unit: str
    sign: int
    weight: float


@dataclass(frozen=True)
class Release:
    """The last complete month of a release: components by account, names, and the catalogue."""

    names: Mapping[str, str]
    components: Mapping[str, list[Component]]
    measures: Mapping[str, Measure]
    database: Path

    @property
    def weights(self) -> dict[str, float]:
        """The weight of each measure in its score, as the release was configured."""
        return {measure_id: measure.weight for measure_id, measure in self.measures.items()}


@dataclass(frozen=True)
class Comparison:
    """One account's scores as they are and as they would be; ranks by mutual value, 1 the highest."""

    account_id: str
    name: str
    before: Scores
    after: Scores
    rank_before: int | None = None
    rank_after: int | None = None

    def step(self, score: str = "mutual_value") -> float | None:
        """How far the score moves; None where it is not there in both."""
        if score not in self.before or score not in self.after:
            return None
        return self.after[score].value - self.before[score].value


def read(database: Path) -> Release:
    """The release's last complete month.

    Raises:
        ConfigurationError: another version made the release.
    """
    with opened(database) as connection:
        rows = connection.execute(
            "select account_id, measure_id, part, status = 'ok', z, z_error from scores.component "
            "where month = (select last_month from setting.run) order by account_id, measure_id"
        ).fetchall()
        names = dict(connection.execute("select account_id, coalesce(name, account_id) from mart.account").fetchall())
        catalogue = connection.execute(
            "select measure_id, part, kind, unit, case direction when 'down' then -1 else 1 end, weight "
            "from setting.measure where part <> 'none'"
        ).fetchall()
    components: dict[str, list[Component]] = {}
    for account_id, *facts in rows:
        components.setdefault(account_id, []).append(Component(*facts))
    return Release(names, components, {row[0]: Measure(*row[1:]) for row in catalogue}, database)


def weights_of(text: str, release: Release) -> dict[str, float]:
    """`measure=2,other=0.5` as numbers; a measure that is not named weighs what it is configured to.

    Raises:
        ConfigurationError: an unknown measure, or a weight that is no number of 0 or more.
    """
    weights = _assignments(text, release)
    wrong = [name for name, weight in weights.items() if weight < 0]
    if wrong:
        raise ConfigurationError(f"the weight of {', '.join(wrong)} is under 0")
    return weights


def values_of(text: str, release: Release) -> dict[str, float]:
    """`measure=value,...` in the measures' own units; a share is 0-1.

    Raises:
        ConfigurationError: an unknown measure, or a value that it cannot have.
    """
    values = _assignments(text, release)
    for name, value in values.items():
        measure = release.measures[name]
        if value < 0 or (measure.unit == "share" and value > 1):
            raise ConfigurationError(f"{name} is a {measure.unit}; it cannot be {value:g}")
    return values


def _assignments(text: str, release: Release) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, _, number = (each.strip() for each in part.partition("="))
        try:
            found[name] = float(number)
        except ValueError:
            raise ConfigurationError(f"{part!r} is not <measure>=<number>") from None
        if not math.isfinite(found[name]):
            raise ConfigurationError(f"{part!r} is not <measure>=<number>")
        if name not in release.measures:
            raise ConfigurationError(
                f"{name!r} enters no score; the measures that do are {', '.join(sorted(release.measures))}"
            )
    return found


def compare(
    release: Release, weights: Mapping[str, float], account_id: str | None = None, values: Mapping[str, float] = {}
) -> list[Comparison]:
    """All accounts under the weights (the release's where none is given), or one account, with `values` set for it;
    those that move most first.

    Raises:
        ConfigurationError: the account has no scores in the last month.
    """
    if account_id is not None and account_id not in release.components:
        raise ConfigurationError(f"{account_id} has no scores in the last complete month")
    changed = dict(release.components)
    if account_id is not None and values:
        changed[account_id] = _with_values(release, account_id, values)
    configured = release.weights
    asked = {**configured, **weights}
    before = {each: scores(components, configured) for each, components in release.components.items()}
    after = {each: scores(components, asked) for each, components in changed.items()}
    ranks_before, ranks_after = _ranks(before), _ranks(after)
    wanted = [account_id] if account_id is not None else list(before)
    found = [
        Comparison(
            each,
            release.names.get(each, each),
            before[each],
            after[each],
            ranks_before.get(each),
            ranks_after.get(each),
        )
        for each in wanted
    ]
    return sorted(found, key=lambda each: (-abs(each.step() or 0), each.account_id))


def _ranks(found: Mapping[str, Scores]) -> dict[str, int]:
    """Places by mutual value; equal ones share the better place."""
    valued = sorted((-scores["mutual_value"].value, each) for each, scores in found.items() if "mutual_value" in scores)
    ranks: dict[str, int] = {}
    for place, (value, each) in enumerate(valued, start=1):
        tied = place > 1 and value == valued[place - 2][0]
        ranks[each] = ranks[valued[place - 2][1]] if tied else place
    return ranks


def _with_values(release: Release, account_id: str, values: Mapping[str, float]) -> list[Component]:
    """The account's components with some set; one that it did not have is added, as certain as if it were counted."""
    by_measure = {each.measure_id: each for each in release.components[account_id]}
    with opened(release.database) as connection:
        for name, value in values.items():
            measure = release.measures[name]
            z = _distance(connection, account_id, name, measure, value)
            known = by_measure.get(name, Component(name, measure.part, True, z, 0.0))
            by_measure[name] = replace(known, z=z, is_ok=True)
    return [by_measure[name] for name in sorted(by_measure)]


_REFERENCE = """
    select reference.center, reference.scale
    from scores.reference as reference
    join mart.account as account on account.account_id = $account_id
    where reference.measure_id = $measure_id
        and reference.segment in ('*', coalesce(nullif(account.segment, ''), 'none'))
    order by reference.segment = '*'
    limit 1
"""


def _distance(
    connection: duckdb.DuckDBPyConnection, account_id: str, name: str, measure: Measure, value: float
) -> float:
    """The value as a distance from the reference of the account's segment, as scores/component.sql has it."""
    row = connection.execute(_REFERENCE, {"account_id": account_id, "measure_id": name}).fetchone()
    if row is None or row[1] is None:
        raise ConfigurationError(f"{name} has no reference in this release, so no value of it has a score")
    estimate = math.log(value + 1) if measure.kind == "duration" else value
    center, spread = map(float, row)
    return max(-WINSOR, min(WINSOR, measure.sign * (estimate - center) / spread))


def scores(components: Iterable[Component], weights: Mapping[str, float]) -> Scores:
    """The account's scores at the weights of all measures; those for which there is too little are left out."""
    every = [each for each in components if weights[each.measure_id] > 0]
    found: Scores = {}
    sides: dict[str, tuple[float, float]] = {}
    for name in MEANS:
        own = [each for each in every if each.part.startswith(name)]
        if _is_enough(own, name):
            mean, error = _mean(own, weights)
            sides[name] = (max(-CLIP, min(CLIP, mean)) if name in VALUE_PARTS else mean, error)
            found[name] = _score(*sides[name])
    if all(part in sides for part in VALUE_PARTS):
        found["mutual_value"] = _mutual(*(sides[part] for part in VALUE_PARTS))
    return found


def _is_enough(components: list[Component], score: str) -> bool:
    """Whether so much of the score is on record as each of its parts needs."""
    needed = {part: least for part, least in LEAST.items() if part.startswith(score)}
    return all(
        sum(each.is_ok for each in components if each.part.startswith(part)) >= least for part, least in needed.items()
    )


def _mean(components: list[Component], weights: Mapping[str, float]) -> tuple[float, float]:
    """Weighted mean of z and its standard error."""
    weight = [weights[each.measure_id] for each in components]
    total = sum(weight)
    mean = sum(w * each.z for w, each in zip(weight, components, strict=True)) / total
    return mean, math.sqrt(sum((w * each.error) ** 2 for w, each in zip(weight, components, strict=True))) / total


def _score(z: float, error: float) -> Score:
    return Score(float(ndtr(z)), float(ndtr(z - Z95 * error)), float(ndtr(z + Z95 * error)))


def _mutual(*sides: tuple[float, float]) -> Score:
    """Geometric mean of the sides, each given as (z, its error); the interval by the delta method on the logarithm."""
    value = math.exp(sum(float(log_ndtr(z)) for z, _ in sides) / 2)
    errors = [math.exp(-z * z / 2) / math.sqrt(2 * math.pi) / float(ndtr(z)) * error for z, error in sides]
    spread = Z95 / 2 * math.hypot(*errors)
    return Score(value, value * math.exp(-spread), min(1.0, value * math.exp(spread)))
