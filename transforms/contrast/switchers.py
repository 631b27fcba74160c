"""What changes for accounts that become partners: difference-in-differences with staggered switches.

Each group of accounts that switched in the same period is compared with accounts that have not switched yet (Callaway,
Sant'Anna 2021, J Econometrics 225:200; parallel trends without covariates). Accounts may switch because of a bad
quarter, and the rebound from it would look like an effect: the base is therefore the mean of several earlier periods,
and `anticipation` keeps the last ones out of it. Errors come from each account's influence on each effect, clustered
if asked, and know that the sizes of the groups are estimated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, stats

from transforms.contrast.clusters import degrees_of, totals
from transforms.contrast.errors import ContrastError, NotEstimable

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]
Arms = NDArray[np.int8]
Control = Literal["not_yet", "never"]
Base = Literal["long", "universal"]
By = Literal["simple", "event", "group", "calendar"]

# Multiples of the largest violation seen before the switch for which `breakdown` gives an interval.
MAGNITUDES = (0.0, 0.5, 1.0, 2.0)
# Smaller than this against the largest, an eigenvalue of a covariance is rounding.
SINGULAR = 1e-10


@dataclass(frozen=True)
class GroupTimeEffects:
    """Effects by group (period of the switch) and period, with what their aggregates need.

    Attributes:
        cells: group, period, event (periods since the switch), att (in the outcome's unit), standard_error, n_treated,
            n_control; sorted by group and period.
        influence: accounts x cells; each account's influence on each att.
        arms: accounts x cells; 1 where the account is treated in the cell, -1 where it is a control, 0 elsewhere.
        groups: of each account; infinite for those that never switch.
        clusters: of each account, numbered from 0.
        left_out: group, n_accounts and reason of those that switched but of whom no effect can be told.
    """

    cells: pd.DataFrame
    influence: Floats
    arms: Arms
    groups: Floats
    clusters: Codes
    left_out: pd.DataFrame
    base: Base
    anticipation: int


@dataclass(frozen=True)
class PreTrend:
    """Wald test that all effects before the switch are 0; `degrees` is the rank of their covariance."""

    statistic: float
    degrees: int
    p_value: float


@dataclass(frozen=True)
class Breakdown:
    """How far the average effect after the switch withstands trends that were not parallel.

    Attributes:
        att: mean of the effects at all event times from the switch on, each counting the same.
        magnitude: the multiple of the largest violation seen before the switch at which the interval reaches 0; 0 where
            it holds 0 anyway, infinite where the trends before were parallel without error.
        intervals: magnitude, ci_low, ci_high.
    """

    att: float
    magnitude: float
    intervals: pd.DataFrame


@dataclass(frozen=True)
class _Rule:
    control: Control
    base: Base
    base_periods: int
    anticipation: int


@dataclass(frozen=True)
class _Panel:
    """Outcome (accounts x periods, NaN where not known); groups as places among the periods (infinite: never).

    The period at place i is first + i * step.
    """

    outcome: Floats
    groups: Floats
    clusters: Codes
    first: int
    step: int


@dataclass(frozen=True)
class _Cell:
    group: int
    time: int
    att: float
    influence: Floats
    arm: Arms


@dataclass(frozen=True)
class _Effects:
    """Effects at `keys` (k of them), their influence (accounts x k) and the cells that make up each (cells x k)."""

    keys: Codes
    att: Floats
    influence: Floats
    parts: Flags


def group_time_att(
    frame: pd.DataFrame,
    unit: str,
    period: str,
    outcome: str,
    first_treated: str,
    control: Control = "not_yet",
    base: Base = "long",
    *,
    base_periods: int = 2,
    anticipation: int = 0,
    cluster: str | None = None,
) -> GroupTimeEffects:
    """Average effect on each group in each period: its change since the base, minus that of the controls.

    The base ends with period g - anticipation - 1, the last that a switch in g cannot have touched. `universal` is that
    period alone, also for the periods before it. `long` is the mean of the `base_periods` periods that end there; a
    period up to there is compared with the `base_periods` periods before itself, never with its own outcome: it shows
    what the same comparison would have found had they switched then. With one base period that is the varying base of
    Callaway and Sant'Anna.

    Where a bad period leads to the switch, `anticipation` takes it out of the base. What it leaves is that controls,
    known not to switch soon, have had none: 7 % of the rebound when every second bad period leads to a switch.

    An account enters a cell when its outcome is known in that period and throughout the base. A cell needs two treated
    accounts and two controls, with `cluster` from two clusters each; each arm's influence is multiplied by the root of
    c / (c - 1) for its c clusters, so that without `cluster` a cell's error is Welch's.

    Args:
        frame: one row per unit and period; where the outcome is missing or the row absent, it is not known.
        period: integers, evenly spaced.
        first_treated: period of the switch, the same in all rows of a unit; null where it never switches.
        control: `not_yet` takes those that have not switched `anticipation` periods later, `never` those that never do.
        base_periods: of the long base.
        anticipation: number of periods before the switch that it may already affect, or that may have led to it.
        cluster: a column, the same in all rows of a unit; units that share its value are not independent.

    Raises:
        ContrastError: a column is absent or malformed, a unit has two rows in a period, or no such option.
        NotEstimable: no group has a base and somebody to be compared with.
    """
    rule = _Rule(control, base, 1 if base == "universal" else base_periods, anticipation)
    _check(rule)
    panel = _panel(frame, unit, period, outcome, first_treated, cluster)
    count = panel.outcome.shape[1]
    switched = np.unique(panel.groups[panel.groups < count]).astype(int)
    tried = [_cell(panel, rule, group, time) for group in switched for time in range(count)]
    cells = [cell for cell in tried if cell is not None]
    measured = {cell.group for cell in cells if cell.time >= cell.group}
    if not measured:
        raise NotEstimable(
            f"{(panel.groups < count).sum()} of {len(panel.groups)} accounts have switched by the last of {count} "
            f"periods, none in a group of two with {_history(rule)} before and two controls after"
        )
    return _collect(panel, rule, cells, sorted(set(switched) - measured))


def aggregate(result: GroupTimeEffects, by: By = "simple") -> pd.DataFrame:
    """Average the cells, each counting by the number of accounts in its group.

    `simple` takes all cells from the switch on, `group` and `calendar` those of a group or a period, `event` those at a
    distance from the switch, also before it.

    Returns:
        Rows of `by` (for simple one row without it), att, standard_error, its 95 % interval ci_low and ci_high
        (Student's t where an arm has fewer than 100 clusters), n_accounts (treated accounts that take part).

    Raises:
        ContrastError: no such aggregate.
    """
    if by not in get_args(By):
        raise ContrastError(f"no aggregate by {by!r}: use one of {', '.join(get_args(By))}")
    found = _effects(result, by)
    error = np.sqrt(np.diag(_covariance(found.influence, result.clusters)))
    half = error * [_quantile(_degrees(result, part)) for part in found.parts.T]
    rows = pd.DataFrame(
        {
            by: found.keys,
            "att": found.att,
            "standard_error": error,
            "ci_low": found.att - half,
            "ci_high": found.att + half,
            "n_accounts": [(result.arms[:, part] > 0).any(axis=1).sum() for part in found.parts.T],
        }
    )
    return rows.drop(columns=by) if by == "simple" else rows


def pre_trend(result: GroupTimeEffects) -> PreTrend:
    """Test that all effects at event times before the switch, and before its anticipation, are 0.

    The p-value is Hotelling's (1931, Ann Math Stat 2:360): with 20 accounts that switch, the chi-square calls one null
    world in six a violation.

    Raises:
        NotEstimable: there is no such event time, or too few accounts to test them all.
    """
    found = _before(result)
    covariance = _covariance(found.influence, result.clusters)
    rank = int(np.linalg.matrix_rank(covariance, rtol=SINGULAR, hermitian=True))
    degrees = _degrees(result, found.parts)
    if not 0 < rank <= degrees:
        raise NotEstimable(
            f"the effects before the switch vary in {rank} ways and the smaller arm has {degrees + 1} independent "
            "accounts: a joint test needs one way or more, and more accounts than ways"
        )
    statistic = float(found.att @ np.linalg.pinv(covariance, rtol=SINGULAR, hermitian=True) @ found.att)
    left = degrees - rank + 1
    return PreTrend(statistic, rank, float(stats.f.sf(statistic * left / (degrees * rank), rank, left)))


def breakdown(result: GroupTimeEffects) -> Breakdown:
    """How large a violation of parallel trends the average effect after the switch withstands.

    After the base the trends may part, in each period, by at most M times the largest parting in one period before it
    (relative magnitudes; Rambachan, Roth 2023, REStud 90:2555): by the k-th period, k times that. With a universal
    base, a parting before the switch is the change between neighbouring event times; with a long one, it is the effect
    itself, whose base lies just before it.

    The interval is conservative. If it were known which event time saw the largest parting, and of which sign, both
    bounds of the effect would be linear in the estimates, with normal limits; the interval is the hull of these over
    all event times and signs, so it holds the effect in 95 % of samples whichever is true. At M = 0 it is the ordinary
    interval.

    Raises:
        NotEstimable: no parting can be seen before the switch.
    """
    found = _effects(result, "event")
    after = _select(found, found.keys >= 0)
    parting, influence = _partings(result)
    covariance = _covariance(np.column_stack([after.influence.mean(axis=1), influence]), result.clusters)
    att, periods = float(after.att.mean()), float((after.keys + result.anticipation + 1).mean())
    quantile = _quantile(_degrees(result, after.parts))

    def limits(magnitude: float) -> tuple[float, float]:
        reach = magnitude * periods * np.array([[1.0], [-1.0]])
        variance = covariance[0, 0] - 2 * reach * covariance[0, 1:] + reach**2 * np.diag(covariance)[1:]
        centre, half = att - reach * parting, quantile * np.sqrt(np.maximum(variance, 0.0))
        return float((centre - half).min()), float((centre + half).max())

    intervals = pd.DataFrame([(each, *limits(each)) for each in MAGNITUDES], columns=["magnitude", "ci_low", "ci_high"])
    return Breakdown(att, _largest_withstood(limits), intervals)


# --- from the frame to cells ------------------------------------------------------------------------------------------


def _check(rule: _Rule) -> None:
    for name, value, known in (("control", rule.control, get_args(Control)), ("base", rule.base, get_args(Base))):
        if value not in known:
            raise ContrastError(f"no {name} {value!r}: use one of {', '.join(known)}")
    if rule.base_periods < 1 or rule.anticipation < 0:
        raise ContrastError("a base needs 1 period or more, and anticipation is 0 or more")


def _history(rule: _Rule) -> str:
    return f"{rule.base_periods + rule.anticipation} periods"


def _panel(
    frame: pd.DataFrame, unit: str, period: str, outcome: str, first_treated: str, cluster: str | None
) -> _Panel:
    complete = [unit, period, *([cluster] if cluster else [])]
    absent = sorted({*complete, outcome, first_treated} - set(frame.columns))
    if absent:
        raise ContrastError(f"the frame has no column {', '.join(map(repr, absent))}")
    for name in complete:
        if frame[name].isna().any():
            raise ContrastError(f"column {name!r} is missing in {int(frame[name].isna().sum())} rows")
    if frame.duplicated([unit, period]).any():
        raise ContrastError(f"{int(frame.duplicated([unit, period]).sum())} rows repeat a unit and period")
    # Sorted, so that sums do not depend on the order of the rows.
    units = pd.factorize(frame[unit], sort=True)[0]
    periods, places = np.unique(_numbers(frame, period), return_inverse=True)
    steps = np.unique(np.diff(periods))
    if (periods % 1).any() or steps.size != 1:
        raise ContrastError(f"column {period!r} must hold two integers or more, evenly spaced")
    values = np.full((units.max() + 1, periods.size), np.nan)
    values[units, places] = _numbers(frame, outcome)
    groups = (_of_unit(_numbers(frame, first_treated), units, first_treated) - periods[0]) / steps[0]
    groups = np.where(np.isnan(groups), np.inf, groups)
    if (groups[groups < periods.size] % 1).any():
        raise ContrastError(f"column {first_treated!r} holds periods that {period!r} skips")
    codes = pd.factorize(frame[cluster])[0] if cluster else units
    clusters = _of_unit(codes.astype(float), units, cluster or unit).astype(np.int64)
    return _Panel(values, groups, clusters, int(periods[0]), int(steps[0]))


def _numbers(frame: pd.DataFrame, name: str) -> Floats:
    """The column, NaN where it is null."""
    try:
        values = pd.to_numeric(frame[name]).to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ContrastError(f"column {name!r} holds something that is no number: {error}") from None
    if np.isinf(values).any():
        raise ContrastError(f"column {name!r} holds infinite values")
    return values


def _of_unit(values: Floats, units: Codes, name: str) -> Floats:
    """The value that all rows of each unit share."""
    first: Floats = values[np.unique(units, return_index=True)[1]]
    if not np.array_equal(values, first[units], equal_nan=True):
        raise ContrastError(f"column {name!r} changes within a unit")
    return first


def _cell(panel: _Panel, rule: _Rule, group: int, time: int) -> _Cell | None:
    """The effect on a group at a time; None where it has no base or too few accounts."""
    last = group - rule.anticipation - 1
    end = min(last, time - 1) if rule.base == "long" else last
    start = end - rule.base_periods + 1
    if start < 0 or time == end:
        return None
    change = panel.outcome[:, time] - panel.outcome[:, start : end + 1].mean(axis=1)
    until = np.inf if rule.control == "never" else max(time, end) + rule.anticipation + 1
    arm = np.where(panel.groups == group, 1, np.where(panel.groups >= until, -1, 0)).astype(np.int8)
    arm[np.isnan(change)] = 0
    if _smaller(arm[:, None], panel.clusters) < 2:
        return None
    treated, control = (_mean(change, arm == side, panel.clusters) for side in (1, -1))
    return _Cell(group, time, treated[0] - control[0], treated[1] - control[1], arm)


def _mean(change: Floats, inside: Flags, clusters: Codes) -> tuple[float, Floats]:
    """An arm's mean and each account's influence on it."""
    mean = float(change[inside].mean())
    count = np.unique(clusters[inside]).size
    return mean, np.where(inside, change - mean, 0.0) / inside.mean() * math.sqrt(count / (count - 1))


def _collect(panel: _Panel, rule: _Rule, cells: list[_Cell], without: list[int]) -> GroupTimeEffects:
    influence, arms = (np.column_stack([getattr(cell, name) for cell in cells]) for name in ("influence", "arm"))
    group, time = np.array([(cell.group, cell.time) for cell in cells]).T
    frame = pd.DataFrame(
        {
            "group": panel.first + group * panel.step,
            "period": panel.first + time * panel.step,
            "event": time - group,
            "att": [cell.att for cell in cells],
            "standard_error": np.sqrt(np.diag(_covariance(influence, panel.clusters))),
            "n_treated": (arms > 0).sum(axis=0),
            "n_control": (arms < 0).sum(axis=0),
        }
    )
    groups = panel.first + panel.groups * panel.step
    left_out = pd.DataFrame(
        [_left_out(panel, rule, group) for group in without], columns=["group", "n_accounts", "reason"]
    )
    return GroupTimeEffects(frame, influence, arms, groups, panel.clusters, left_out, rule.base, rule.anticipation)


def _left_out(panel: _Panel, rule: _Rule, group: int) -> tuple[int, int, str]:
    short = group < rule.base_periods + rule.anticipation
    few = "fewer than two accounts, or two controls, with a known outcome"
    reason = f"fewer than {_history(rule)} before the switch" if short else few
    return panel.first + group * panel.step, int((panel.groups == group).sum()), reason


# --- from cells to aggregates -----------------------------------------------------------------------------------------


def _effects(result: GroupTimeEffects, by: By) -> _Effects:
    """Averages of cells by group size; their influence includes that on the sizes (Callaway, Sant'Anna, section 4)."""
    cells = result.cells
    event, effect = cells["event"].to_numpy(), cells["att"].to_numpy()
    key = {"simple": 0 * event, "event": event, "group": cells["group"], "calendar": cells["period"]}[by]
    used = (event >= 0) | (by == "event")
    keys = np.unique(np.asarray(key)[used])
    parts = (np.asarray(key)[:, None] == keys) & used[:, None]
    member = (result.groups[:, None] == cells["group"].to_numpy()).astype(float)
    size = parts * member.mean(axis=0)[:, None]
    total = size.sum(axis=0)
    att = effect @ size / total
    influence = result.influence @ (size / total) + member @ (parts * (effect[:, None] - att) / total)
    return _Effects(keys, att, influence, parts)


def _select(found: _Effects, kept: Flags) -> _Effects:
    return _Effects(found.keys[kept], found.att[kept], found.influence[:, kept], found.parts[:, kept])


def _before(result: GroupTimeEffects) -> _Effects:
    found = _effects(result, "event")
    before = _select(found, found.keys < -result.anticipation)
    if not before.keys.size:
        raise NotEstimable("no period before the switch has a base of its own: a longer history is needed")
    return before


def _partings(result: GroupTimeEffects) -> tuple[Floats, Floats]:
    """How far the trends parted in each period before the switch, and the influence on it (accounts x periods)."""
    before = _before(result)
    if result.base == "long":
        return before.att, before.influence
    # The base's own effect is 0 by construction.
    periods = np.diff(before.keys, append=-result.anticipation - 1)
    influence = np.diff(before.influence, append=np.zeros((len(result.groups), 1)))
    return np.diff(before.att, append=0.0) / periods, influence / periods


def _largest_withstood(limits: Callable[[float], tuple[float, float]]) -> float:
    """The multiple at which the interval reaches 0; only one, as the limit nearer to 0 is concave in the multiple."""
    low, high = limits(0.0)
    if low <= 0 <= high:
        return 0.0

    def distance(magnitude: float) -> float:
        below, above = limits(magnitude)
        return below if low > 0 else -above

    end = 1.0
    while distance(end) > 0:
        if end > 1e9:
            return math.inf
        end *= 2
    return float(optimize.brentq(distance, 0.0, end))


# --- errors -----------------------------------------------------------------------------------------------------------


def _covariance(influence: Floats, clusters: Codes) -> Floats:
    """Covariance (k x k) of estimates with this influence (accounts x k), summed within clusters first."""
    steps = totals(influence, clusters)
    covariance: Floats = steps.T @ steps / len(influence) ** 2
    return covariance


def _smaller(arms: Arms, clusters: Codes) -> int:
    """Clusters that are ever in an arm (accounts x cells), of the arm that has fewer."""
    return min(np.unique(clusters[(arms == side).any(axis=1)]).size for side in (1, -1))


def _degrees(result: GroupTimeEffects, parts: Flags) -> int:
    """Clusters of the smaller arm, less one, over the cells in `parts` (cells, or cells x effects)."""
    return _smaller(result.arms[:, parts.reshape(len(parts), -1).any(axis=1)], result.clusters) - 1


def _quantile(degrees: int) -> float:
    return float(stats.t.ppf(0.975, degrees_of(degrees + 1)))
