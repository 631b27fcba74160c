"""How long customers stay, by the style that they had at a landmark.

Style is read up to t0 and survival from t0 on, among those who are customers then. To compare "ever a partner" with
"never" instead would give the partners, for free, the time that they had to survive to become one (immortal time;
Anderson, Cain, Gelber 1983, J Clin Oncol 1:710).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test
from numpy.typing import NDArray

Floats = NDArray[np.float64]

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
