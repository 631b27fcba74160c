"""The hazard of churn by style, where style may change from month to month (Cox 1972, JRSS B 34:187).

In each month an account counts by the style that was known before the month began, and the months before its first
known style do not count: nobody is a partner before becoming one, and nobody is at risk before being seen. Time is
tenure, so that accounts are compared with others that have been customers for as long.

Style enters as the score, per step of .2 (from the low threshold, .40, to the high one, .60), since to cut it in two
would lose the months in between and the differences within the halves (Royston, Altman, Sauerbrei 2006, Statistics in
Medicine 25:127). A column of 0 and 1 with a step of 1 gives the ratio of high to low.
"""

from __future__ import annotations

import datetime as dt
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from lifelines import CoxTimeVaryingFitter
from lifelines.exceptions import ConvergenceError, ConvergenceWarning
from numpy.typing import NDArray
from scipy import stats

from transforms.contrast.clusters import degrees_of, totals
from transforms.contrast.design import Design, build, is_number, leading
from transforms.contrast.errors import ContrastError, NotEstimable

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

PANEL = ("account_id", "start", "stop", "churned")
# Peduzzi et al. (1995), J Clin Epidemiol 48:1503.
EVENTS_PER_COLUMN = 10
TOLERANCE = 1e-12
# In standard deviations of the exposure: at a maximum the next step is far shorter, where there is none about 1.
STILL = 1e-4


@dataclass(frozen=True)
class Proportionality:
    """Test that the hazard ratio is the same at every tenure; nulls where all events have the same tenure."""

    statistic: float | None
    p_value: float | None
    degrees: int


@dataclass(frozen=True)
class HazardRatio:
    """How many times the hazard of churn is multiplied by a step up of the exposure.

    `coefficient` is its natural logarithm, `standard_error` that of the coefficient. `degrees` is infinite where the
    interval uses the normal quantile. Of the covariates, `adjusted` are in the model and `given_up` are those for which
    the events are too few.
    """

    hazard_ratio: float
    ci_low: float
    ci_high: float
    coefficient: float
    standard_error: float
    p_value: float
    degrees: float
    n_accounts: int
    n_clusters: int
    n_events: int
    adjusted: tuple[str, ...]
    given_up: tuple[str, ...]
    proportionality: Proportionality


@dataclass(frozen=True)
class _RiskSets:
    """Who is at risk when somebody churns: n rows, p columns, e events.

    Tied events are taken one after the other, as Efron (1977, JASA 72:557) does: at the step of each event, a share of
    those that churn at the same time has gone already.

    Attributes:
        values: n x p.
        coefficients: of the p columns.
        weight: relative hazard of each row, length n.
        times: the times with an event, in order.
        first, last: each row is at risk at the times number first to last - 1, length n.
        churned: the rows that churn, length e, in order of time.
        place: number of their time, length e.
        gone: share of the tied that has gone before, length e.
        total: sum of the weights at risk, length e.
        mean: weighted mean of the values at risk, e x p.
    """

    values: Floats
    coefficients: Floats
    weight: Floats
    times: Floats
    first: Codes
    last: Codes
    churned: Codes
    place: Codes
    gone: Floats
    total: Floats
    mean: Floats


def time_varying_cox(
    panel: pd.DataFrame,
    covariates: Sequence[str] = (),
    *,
    exposure: str = "partnership",
    step: float = 0.2,
    cluster: str = "account_id",
    segment: str | None = None,
    events: int = 20,
) -> HazardRatio:
    """Cox regression on rows (start, stop], ties by Efron, errors clustered (Lin, Wei 1989, JASA 84:1074).

    Args:
        panel: rows account_id, start, stop (tenure, start < stop), churned (at `stop`), the exposure and covariates, as
            `intervals` makes them.
        covariates: numeric or categorical columns; see `transforms.contrast.design.build` for missing values. Given up
            from the end of the list where there are not ten events for each column.
        exposure: a numeric column.
        step: how much more of it the ratio is for.
        cluster: a column; rows with the same value are not independent.
        segment: a column within which the median stands in for a missing numeric covariate.
        events: how many churns it takes.

    Raises:
        ContrastError: a column is absent or has missing values, rows of an account overlap, or an account lies in two
            clusters.
        NotEstimable: too few events, one cluster only, an exposure that does not vary, or one that tells who churns.
    """
    _require_panel(panel, exposure, cluster)
    n_events = int(panel["churned"].sum())
    if n_events < events:
        raise NotEstimable(f"{n_events} events; {events} needed")
    clusters = _clusters(panel, cluster)
    design, given_up = _design(panel, exposure, covariates, segment, n_events)
    spread = design.values.std(axis=0)
    sets = _fit(panel, (design.values - design.values.mean(axis=0)) / spread, exposure)
    # The fit is per standard deviation.
    unit = step / float(spread[0])
    coefficient, error = float(sets.coefficients[0]) * unit, _clustered_error(sets, clusters) * abs(unit)
    n_clusters = int(clusters.max()) + 1
    degrees = degrees_of(n_clusters)
    half = error * float(stats.t.ppf(0.975, degrees))
    return HazardRatio(
        hazard_ratio=math.exp(coefficient),
        ci_low=math.exp(coefficient - half),
        ci_high=math.exp(coefficient + half),
        coefficient=coefficient,
        standard_error=error,
        p_value=float(2 * stats.t.sf(abs(coefficient) / error, degrees)),
        degrees=degrees,
        n_accounts=int(panel["account_id"].nunique()),
        n_clusters=n_clusters,
        n_events=n_events,
        adjusted=tuple(dict.fromkeys(design.sources[1:])),
        given_up=given_up,
        proportionality=_proportionality(sets, np.log(sets.times)[sets.place]),
    )


def intervals(months: pd.DataFrame, accounts: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """One row per account and month at risk, with the style of the month before.

    At risk are the months from the account's first as a customer to its last with paid service, up to the last of which
    `as_of` knows whether service ended with it. A month whose month before has no known style gives no row (a gap, in
    which a churn is not counted either), and an account whose start is unknown none at all, having no tenure.

    Args:
        months: account_id, month (any day of it), partnership (0-1, or null); other columns come along, as they were in
            the month before.
        accounts: a row per account: account_id, customer_from, churned_on (first day without service, or null); other
            columns come along, the same for every month.
        as_of: last day that counts; a later churn is not known yet.

    Returns:
        Rows account_id, month (its first day), start, stop (tenure in months at its beginning and end), churned
        (whether service ended with it), partnership and the other columns; sorted by account_id and month.

    Raises:
        ContrastError: a column is absent or in both frames, an account or an account's month occurs twice, or a month
            belongs to no account.
    """
    _require(months, ["account_id", "month", "partnership"])
    _require(accounts, ["account_id", "customer_from", "churned_on"])
    known = months[months["partnership"].notna()]
    known = known.assign(month=_month_number(known["month"]) + 1)
    _require_matching(known, accounts)
    joined = known.merge(accounts, on="account_id").sort_values(["account_id", "month"], ignore_index=True)
    month, since = joined["month"], _month_number(joined["customer_from"])
    # Service that ends on the first of a month was last there in the month before.
    last = _month_number(pd.to_datetime(joined["churned_on"]) - pd.Timedelta(days=1))
    at_risk = (month >= since) & ~(month > last) & (month < as_of.year * 12 + as_of.month - 1)
    timed = pd.DataFrame(
        {
            "account_id": joined["account_id"],
            "month": pd.to_datetime({"year": month // 12, "month": month % 12 + 1, "day": 1}),
            "start": month - since,
            "stop": month - since + 1,
            "churned": month == last,
        }
    )
    others = joined.drop(columns=["account_id", "month", "customer_from", "churned_on"])
    rows = pd.concat([timed, others], axis=1)[at_risk]
    return rows.astype({"start": "int64", "stop": "int64"}).reset_index(drop=True)


# --- the fit ----------------------------------------------------------------------------------------------------------


def _design(
    panel: pd.DataFrame, exposure: str, covariates: Sequence[str], segment: str | None, n_events: int
) -> tuple[Design, tuple[str, ...]]:
    """The exposure and as many covariates as the events can carry, and the covariates given up."""
    names = [exposure, *covariates]
    design = build(panel, names, segment)
    if exposure not in design.sources:
        raise NotEstimable(f"{exposure} is the same in all {len(panel)} rows")
    kept = leading(design, names, max(n_events // EVENTS_PER_COLUMN, 1))
    return design.only(kept), tuple(name for name in covariates if name in design.sources and name not in kept)


def _fit(panel: pd.DataFrame, values: Floats, exposure: str) -> _RiskSets:
    """Risk sets at the maximum of the partial likelihood.

    Raises:
        NotEstimable: there is no maximum, since the exposure tells who churns or who does not.
    """
    start, stop = (panel[name].to_numpy(dtype=float) for name in ("start", "stop"))
    churned = panel["churned"].to_numpy(dtype=bool)
    rows = pd.DataFrame(values, columns=[str(place) for place in range(values.shape[1])])
    rows = rows.assign(start=start, stop=stop, churned=churned)
    try:
        with warnings.catch_warnings():
            # It warns of a covariate without events, which does the exposure's ratio no harm; what does is seen below.
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.simplefilter("ignore", RuntimeWarning)
            fitter = CoxTimeVaryingFitter().fit(rows, event_col="churned", fit_options={"precision": TOLERANCE})
        sets = _risk_sets(values, start, stop, churned, fitter.params_.to_numpy())
        covariance = np.linalg.inv(_information(sets))
        ahead = float(covariance[0] @ _score_residuals(sets).sum(axis=0))
    except (ConvergenceError, np.linalg.LinAlgError):
        ahead = math.inf
    # Without a maximum a coefficient grows by about 1 a step for ever, so the next step, not the score, tells.
    if not abs(ahead) < STILL:
        raise NotEstimable(
            f"the hazard ratio is beyond bounds: all that churn lie at one end of {exposure}, or covariates explain it"
        )
    return sets


def _risk_sets(
    values: Floats, start: Floats, stop: Floats, churned: NDArray[np.bool_], coefficients: Floats
) -> _RiskSets:
    times = np.unique(stop[churned])
    first, last = np.searchsorted(times, start, "right"), np.searchsorted(times, stop, "right")
    events = np.flatnonzero(churned)
    events = events[np.argsort(stop[events], kind="stable")]
    place = last[events] - 1
    tied = np.bincount(place)
    gone = (np.arange(events.size) - (np.cumsum(tied) - tied)[place]) / tied[place]
    weight = np.exp(values @ coefficients)
    moments = weight[:, None] * np.column_stack([np.ones(len(values)), values])
    at_risk = _total(moments, first, times.size + 1) - _total(moments, last, times.size + 1)
    at_step = np.cumsum(at_risk, axis=0)[place] - gone[:, None] * _total(moments[events], place, times.size)[place]
    return _RiskSets(
        values=values,
        coefficients=coefficients,
        weight=weight,
        times=times,
        first=first,
        last=last,
        churned=events,
        place=place,
        gone=gone,
        total=at_step[:, 0],
        mean=at_step[:, 1:] / at_step[:, :1],
    )


def _total(rows: Floats, labels: Codes, size: int) -> Floats:
    """Sum of the rows of each label from 0 to size - 1."""
    totals = np.zeros((size, rows.shape[1]))
    np.add.at(totals, labels, rows)
    return totals


def _hazard(sets: _RiskSets, of_event: Floats) -> Floats:
    """What each row gathers over the steps that it is at risk at (n x q); a step gives `of_event` (e x q) / total.

    A row that churns with others is at risk only in part at the steps of its own time.
    """
    steps = of_event / sets.total[:, None]
    summed = np.vstack([np.zeros(steps.shape[1]), np.cumsum(_total(steps, sets.place, sets.times.size), axis=0)])
    gathered = summed[sets.last] - summed[sets.first]
    gathered[sets.churned] -= _total(sets.gone[:, None] * steps, sets.place, sets.times.size)[sets.place]
    return gathered * sets.weight[:, None]


def _schoenfeld(sets: _RiskSets) -> Floats:
    """What sets each that churns apart from those at risk then (e x p; Schoenfeld 1982, Biometrika 69:239)."""
    tied = np.bincount(sets.place)
    means = _total(sets.mean, sets.place, sets.times.size) / tied[:, None]
    return sets.values[sets.churned] - means[sets.place]


def _information(sets: _RiskSets, of_event: Floats | None = None) -> Floats:
    """Observed information (p x p), each event counted `of_event` times (length e; once where None)."""
    counted = np.ones(sets.churned.size) if of_event is None else of_event
    hazard = _hazard(sets, counted[:, None])
    return sets.values.T @ (sets.values * hazard) - sets.mean.T @ (sets.mean * counted[:, None])


# --- errors and the test ----------------------------------------------------------------------------------------------


def _score_residuals(sets: _RiskSets) -> Floats:
    """Each row's part in the score (n x p; Therneau, Grambsch 2000, Modeling Survival Data, 4.6 and E.2).

    The library's own know neither ties nor entry after the start.
    """
    gathered = _hazard(sets, np.column_stack([np.ones(sets.churned.size), sets.mean]))
    residuals: Floats = gathered[:, 1:] - sets.values * gathered[:, :1]
    residuals[sets.churned] += _schoenfeld(sets)
    return residuals


def _clustered_error(sets: _RiskSets, clusters: Codes) -> float:
    """Standard error of the first coefficient, from the clusters' parts in the score."""
    count = int(clusters.max()) + 1
    influence = totals(_score_residuals(sets), clusters) @ np.linalg.inv(_information(sets))[0]
    return math.sqrt(count / (count - 1) * float(influence @ influence))


def _proportionality(sets: _RiskSets, clock: Floats) -> Proportionality:
    """Score test that the first coefficient does not change with `clock` (length e).

    Grambsch, Therneau (1994, Biometrika 81:515), with the variance of each time and not its average, as R's cox.zph has
    it since 3.0. It takes rows as independent.
    """
    if sets.times.size < 2:
        return Proportionality(None, None, 1)
    centred = clock - clock.mean()
    score = float(centred @ _schoenfeld(sets)[:, 0])
    across = _information(sets, centred)[0]
    variance = _information(sets, centred**2)[0, 0] - across @ np.linalg.solve(_information(sets), across)
    statistic = score**2 / float(variance)
    return Proportionality(statistic, float(stats.chi2.sf(statistic, 1)), 1)


# --- columns ----------------------------------------------------------------------------------------------------------


def _require_panel(panel: pd.DataFrame, exposure: str, cluster: str) -> None:
    """Raises ContrastError where rows are not intervals, or hold no number for the exposure."""
    needed = list(dict.fromkeys([*PANEL, exposure, cluster]))
    _require(panel, needed)
    for name in needed:
        missing = int(panel[name].isna().sum())
        if missing:
            raise ContrastError(f"column {name!r} is missing in {missing} of {len(panel)} rows")
    if not is_number(panel[exposure]):
        raise ContrastError(f"the exposure {exposure!r} must hold numbers")
    empty = int(((panel["start"] < 0) | (panel["start"] >= panel["stop"])).sum())
    if empty:
        raise ContrastError(f"{empty} rows start before 0 or do not stop after their start")
    ordered = panel.sort_values(["account_id", "start"])
    overlaps = int((ordered["start"] < ordered.groupby("account_id")["stop"].shift()).sum())
    if overlaps:
        raise ContrastError(f"{overlaps} rows start before the row before of their account has stopped")


def _clusters(panel: pd.DataFrame, cluster: str) -> Codes:
    """Number each row's cluster from 0."""
    if panel.groupby("account_id")[cluster].nunique().gt(1).any():
        raise ContrastError(f"an account lies in more than one {cluster}, so that its rows would count as independent")
    codes = np.asarray(pd.factorize(panel[cluster])[0], dtype=np.int64)
    if np.unique(codes).size < 2:
        raise NotEstimable("all accounts lie in one cluster, so the error cannot be known")
    return codes


def _require(frame: pd.DataFrame, names: Sequence[str]) -> None:
    absent = sorted(set(names) - set(frame.columns))
    if absent:
        raise ContrastError(f"the frame has no column {', '.join(map(repr, absent))}")


def _require_matching(months: pd.DataFrame, accounts: pd.DataFrame) -> None:
    twice = months.duplicated(["account_id", "month"]).sum() + accounts["account_id"].duplicated().sum()
    if twice:
        raise ContrastError(f"{twice} accounts or account-months occur twice")
    both = sorted(set(months.columns) & set(accounts.columns) - {"account_id"})
    if both:
        raise ContrastError(f"months and accounts both have a column {', '.join(map(repr, both))}")
    strangers = int((~months["account_id"].isin(accounts["account_id"])).sum())
    if strangers:
        raise ContrastError(f"{strangers} months belong to no account")


def _month_number(days: pd.Series) -> pd.Series:
    """Months since year 0; null where the day is."""
    stamps = pd.to_datetime(days).astype("datetime64[s]")
    return stamps.dt.year * 12 + stamps.dt.month - 1
