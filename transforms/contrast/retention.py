"""How long customers stay, by the style that they had at a landmark: curves, log-rank test, mean days.

Style is read up to t0 and survival from t0 on, among those who are customers then. To compare "ever a partner" with
"never" instead would give the partners, for free, the time that they had to survive to become one (immortal time;
Anderson, Cain, Gelber 1983, J Clin Oncol 1:710).
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test
from numpy.typing import NDArray
from scipy import stats

from transforms.contrast.clusters import degrees_of, totals
from transforms.contrast.errors import NotEstimable

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

COLUMNS = {
    "as_of": "date32[day][pyarrow]",
    "style": "str",
    "day": "Int64",
    "survival": "float64",
    "ci_low": "float64",
    "ci_high": "float64",
    "at_risk": "Int64",
    "events": "Int64",
}


@dataclass(frozen=True)
class LogRank:
    """Test that all groups share one survival curve; nulls where fewer than two groups or no event were seen."""

    statistic: float | None
    p_value: float | None
    degrees: int


@dataclass(frozen=True)
class RmstDifference:
    """Days that an account stays, of the first `horizon` days: the mean of each arm, and treated minus control.

    `standard_error` and the 95 % interval are those of the difference; events are churns within the horizon.
    """

    difference: float
    standard_error: float
    ci_low: float
    ci_high: float
    horizon: float
    mean_treated: float
    mean_control: float
    events_treated: int
    events_control: int


def retention(frame: pd.DataFrame, as_of: dt.date, t0: dt.date) -> pd.DataFrame:
    """Kaplan-Meier curves by style from the landmark `t0`, followed to the end of `as_of`.

    Args:
        frame: one row per account with style, churned_on (first day without service, or null) and customer_from.
        as_of: last day that counts; a later churn is not known yet.
        t0: the landmark; who was no customer on that day is left out.

    Returns:
        Rows as_of, style, day (since t0: the first of each month and the last day), survival (0-1) with its 95 %
        log-log interval (null until someone has left), at_risk (customers whose time reaches that day), events (churns
        since the day before in the grid, that day included). Sorted by style and day; empty without accounts.
    """
    followed = at_landmark(frame, as_of, t0)
    days = grid(as_of, t0)
    parts = [
        _curve(group["duration"].to_numpy(), group["churned"].to_numpy(), days).assign(style=str(style))
        for style, group in followed.groupby("style", sort=True)
    ]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))
    return rows.assign(as_of=as_of)[list(COLUMNS)].astype(COLUMNS)


def at_landmark(frame: pd.DataFrame, as_of: dt.date, t0: dt.date) -> pd.DataFrame:
    """Customers at `t0` whose style is known: style, duration (days from t0 to churn or as_of), churned (boolean)."""
    present = frame["style"].notna() & customer_on(frame, t0)
    churned_on = pd.to_datetime(frame.loc[present, "churned_on"])
    seen = churned_on <= pd.Timestamp(as_of)
    until = churned_on.where(seen, pd.Timestamp(as_of))
    return pd.DataFrame(
        {
            "style": frame.loc[present, "style"].astype(str),
            "duration": (until - pd.Timestamp(t0)).dt.days.astype(float),
            "churned": seen.astype(bool),
        }
    )


def customer_on(frame: pd.DataFrame, day: dt.date) -> NDArray[np.bool_]:
    """Who was a customer before `day` and still is; an unknown start counts as before it, an unknown end as after."""
    joined = pd.to_datetime(frame["customer_from"])
    left = pd.to_datetime(frame["churned_on"])
    stamp = pd.Timestamp(day)
    return np.asarray(~(joined >= stamp) & ~(left <= stamp), dtype=bool)


def log_rank(durations: Floats, events: NDArray[np.bool_], groups: NDArray[np.object_]) -> LogRank:
    """Log-rank test over all groups.

    Args:
        durations: time to event or censoring.
        events: whether the event was seen.
        groups: label of each row's group.
    """
    labels = pd.unique(pd.Series(groups))
    degrees = max(len(labels) - 1, 0)
    if len(labels) < 2 or not np.any(events):
        return LogRank(None, None, degrees)
    result = multivariate_logrank_test(durations, groups, events)
    return LogRank(float(result.test_statistic), float(result.p_value), degrees)


def rmst_difference(
    durations: Floats,
    events: NDArray[np.bool_],
    treated: NDArray[np.bool_],
    horizon: float,
    clusters: Codes | None = None,
) -> RmstDifference:
    """Difference in restricted mean survival time, the area under the curve; it needs no proportional hazards.

    Royston, Parmar (2013, BMC Medical Research Methodology 13:152). The error is Greenwood's (Klein, Moeschberger 2003,
    Survival Analysis, 4.5), or, where accounts' parts are summed by cluster before squaring, its cluster-robust form.

    Args:
        durations: days from the landmark to churn or censoring, length n.
        events: whether the churn was seen, length n.
        treated: the arm, length n.
        horizon: days to look ahead; at most to the last day with both arms at risk.
        clusters: numbers from 0, length n; None where every account stands alone.

    Raises:
        NotEstimable: an arm holds nobody, or nobody churns in it; or all lie in one cluster.
    """
    arms = {"treated": treated, "control": ~treated}
    if not all(inside.any() for inside in arms.values()):
        raise NotEstimable(f"{treated.sum()} treated accounts and {(~treated).sum()} controls: nothing to compare")
    until = float(min(horizon, *(durations[inside].max() for inside in arms.values())))
    churned = events & (durations <= until)
    for arm, inside in arms.items():
        if not churned[inside].any():
            raise NotEstimable(f"nobody of {inside.sum()} in the {arm} arm churned in {until:g} days: no error known")
    mean, other = (_restricted_mean(durations[inside], churned[inside], until) for inside in arms.values())
    influence = np.empty(len(durations))
    influence[treated], influence[~treated] = mean[1], -other[1]
    error, quantile = _spread(influence, clusters)
    difference = mean[0] - other[0]
    return RmstDifference(
        difference=difference,
        standard_error=error,
        ci_low=difference - quantile * error,
        ci_high=difference + quantile * error,
        horizon=until,
        mean_treated=mean[0],
        mean_control=other[0],
        events_treated=int(churned[treated].sum()),
        events_control=int(churned[~treated].sum()),
    )


def grid(as_of: dt.date, t0: dt.date) -> NDArray[np.int64]:
    """Days since `t0`: the first of each month, and `as_of` itself."""
    starts = pd.date_range(t0, as_of, freq="MS")
    return np.unique(np.append((starts - pd.Timestamp(t0)).days, [0, (as_of - t0).days])).astype(np.int64)


def _curve(durations: Floats, churned: NDArray[np.bool_], days: NDArray[np.int64]) -> pd.DataFrame:
    fitter = KaplanMeierFitter().fit(durations, churned)
    limits = fitter.confidence_interval_survival_function_
    # A step function: what holds on a day is the last step at or before it.
    place = np.searchsorted(limits.index.to_numpy(), days, "right") - 1
    survival = fitter.survival_function_.to_numpy()[place, 0]
    left = np.searchsorted(np.sort(durations[churned]), days, "right")
    # Before the first churn the log-log interval is not defined; lifelines gives 1 to 1, which would claim certainty.
    known = left > 0
    return pd.DataFrame(
        {
            "day": days,
            "survival": survival,
            "ci_low": np.where(known, limits.to_numpy()[place, 0], np.nan),
            "ci_high": np.where(known, limits.to_numpy()[place, 1], np.nan),
            "at_risk": durations.size - np.searchsorted(np.sort(durations), days, "left"),
            "events": np.diff(left, prepend=0),
        }
    )


def _restricted_mean(durations: Floats, churned: NDArray[np.bool_], until: float) -> tuple[float, Floats]:
    """Mean days up to `until`, and each account's influence on it; their squares add up to Greenwood's variance."""
    times, place = np.unique(durations[churned], return_inverse=True)
    left = np.bincount(place)
    at_risk = durations.size - np.searchsorted(np.sort(durations), times, "left")
    survival = np.concatenate([[1.0], np.cumprod(1 - left / at_risk)])
    areas = survival * np.diff(np.concatenate([[0.0], times, [until]]))
    # Where the last one leaves nothing lies ahead, and nothing can be lost.
    ahead = np.cumsum(areas[:0:-1])[::-1]
    lost = np.divide(ahead, at_risk - left, out=np.zeros(times.size), where=at_risk > left)
    expected = np.concatenate([[0.0], np.cumsum(lost * left / at_risk)])
    influence = expected[np.searchsorted(times, durations, "right")]
    influence[churned] -= lost[place]
    return float(areas.sum()), influence


def _spread(influence: Floats, clusters: Codes | None) -> tuple[float, float]:
    """Standard error and the quantile of its 95 % interval; Student's t where clusters are few."""
    if clusters is None:
        return math.sqrt(float(influence @ influence)), float(stats.norm.ppf(0.975))
    count = int(clusters.max()) + 1
    if count < 2:
        raise NotEstimable("all accounts lie in one cluster, so the error cannot be known")
    steps = totals(influence, clusters)
    return math.sqrt(count / (count - 1) * float(steps @ steps)), float(stats.t.ppf(0.975, degrees_of(count)))
