"""The difference between two arms, unadjusted and adjusted, with errors that know the propensity was fitted.

Every estimator is the solution of stacked estimating equations (M-estimation; Stefanski, Boos 2002, American
Statistician 56:29). Its error comes from each row's influence on the two means: the row's own part, plus its part in
the propensity or the regressions. Summed over clusters before squaring, the same influences give cluster-robust errors;
where clusters are few, each is divided by what its cluster leaves of the sample (`transforms.contrast.jackknife`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from transforms.contrast import jackknife, propensity
from transforms.contrast.clusters import MANY_CLUSTERS, degrees_of, totals
from transforms.contrast.design import build, smd
from transforms.contrast.errors import ContrastError, NotEstimable
from transforms.contrast.propensity import Link, Propensity

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Method = Literal["unadjusted", "overlap", "ipw", "aipw", "regression"]

# Newton stops at 1e-9 on the linear predictor, so balance is exact to about that.
EXACT = 1e-6


@dataclass(frozen=True)
class Estimate:
    """A difference between the arms (treated minus control), in the outcome's unit.

    Effective sizes are Kish's, (sum w)^2 / sum w^2. Standardised mean differences are the largest over the design's
    columns, in deviations of the unweighted arms. `degrees` is infinite where the interval uses the normal quantile.
    """

    effect: float
    standard_error: float
    ci_low: float
    ci_high: float
    n_treated: int
    n_control: int
    effective_n_treated: float
    effective_n_control: float
    max_smd_before: float
    max_smd_after: float
    mean_treated: float
    mean_control: float
    p_value: float
    degrees: float
    n_clusters: int


@dataclass(frozen=True)
class Sample:
    """What an estimator works on: n rows without missing values.

    Attributes:
        outcome: in its own unit, length n.
        treated: 0 or 1, length n.
        covariates: the design, n x p, without intercept.
        names: of the p columns.
        outcome_covariates: the design of the outcome's regressions, n x q.
        clusters: numbers from 0, length n; None where every row stands alone.
    """

    outcome: Floats
    treated: Floats
    covariates: Floats
    names: list[str]
    outcome_covariates: Floats
    clusters: Codes | None
    link: Link = "logit"

    @cached_property
    def few_clusters(self) -> Codes | None:
        """The clusters where they are few, so that errors come from leaving one out; else None."""
        few = self.clusters is not None and int(self.clusters.max()) + 1 < min(MANY_CLUSTERS, len(self.clusters))
        return self.clusters if few else None

    def take(self, rows: Codes | NDArray[np.bool_]) -> Sample:
        """These rows, in this order; `clusters` keep their numbers."""
        return replace(
            self,
            outcome=self.outcome[rows],
            treated=self.treated[rows],
            covariates=self.covariates[rows],
            outcome_covariates=self.outcome_covariates[rows],
            clusters=None if self.clusters is None else self.clusters[rows],
        )

    @cached_property
    def fitted_propensity(self) -> Propensity:
        return propensity.fit(self.treated, self.covariates, self.names, self.link, self.few_clusters)

    @cached_property
    def fitted_outcomes(self) -> tuple[Regression, Regression]:
        """The outcome's regression within each arm, treated first."""
        return _outcome_model(self, self.treated), _outcome_model(self, 1 - self.treated)


@dataclass(frozen=True)
class Regression:
    """Least squares within an arm.

    Attributes:
        columns: the design, intercept first, n x q.
        inside: 1 for rows of the arm, else 0, length n.
        predicted: for all rows, length n.
        influence: each row's influence on the slopes, n x q.
    """

    columns: Floats
    inside: Floats
    predicted: Floats
    influence: Floats


@dataclass(frozen=True)
class Arm:
    """One arm's mean, each row's influence on it (length n) and weight in it (length n, 0 in the other arm)."""

    mean: float
    influence: Floats
    weight: Floats


Arms = tuple[Arm, Arm]


def difference(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    covariates: Sequence[str],
    method: Method = "overlap",
    cluster: str | None = None,
    *,
    link: Link = "logit",
    outcome_covariates: Sequence[str] | None = None,
    segment: str | None = None,
) -> Estimate:
    """Estimate the difference in `outcome` between rows with `treatment` 1 and 0.

    Methods: `unadjusted` (Welch), `overlap` (overlap weights: the average over those who might be in either arm; Li,
    Morgan, Zaslavsky 2018, JASA 113:390), `ipw` (normalised inverse propensity weights), `aipw` (doubly robust; Robins,
    Rotnitzky, Zhao 1994) and `regression` (adjustment by a linear regression in each arm). The last three estimate the
    average over all rows.

    Args:
        frame: one row per unit.
        outcome: a numeric column.
        treatment: a column of 0 and 1, or of booleans.
        covariates: numeric or categorical columns; see `transforms.contrast.design.build` for missing values.
        cluster: a column; its rows with the same value are not independent.
        link: of the propensity.
        outcome_covariates: of the regressions in `aipw` and `regression`; the same as `covariates` when None.
        segment: a column within which the median stands in for a missing numeric covariate.

    Raises:
        ContrastError: a column is absent, or outcome, treatment or cluster has missing values or is no number.
        NotEstimable: an arm is too small, lies in one cluster, or overlaps with nothing.
    """
    sample = read(frame, outcome, treatment, covariates, cluster, link, outcome_covariates, segment)
    return summarise(sample, arms(sample, method), method)


def read(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    covariates: Sequence[str],
    cluster: str | None,
    link: Link = "logit",
    outcome_covariates: Sequence[str] | None = None,
    segment: str | None = None,
) -> Sample:
    """Check the columns of `frame` and turn them into arrays; arguments and errors as in `difference`."""
    _require(frame, [outcome, treatment, *covariates, *(outcome_covariates or []), *([cluster] if cluster else [])])
    treated = _numbers(frame, treatment)
    if not np.isin(treated, (0, 1)).all():
        raise ContrastError(f"the treatment {treatment!r} must hold 0 and 1 only")
    design = build(frame, covariates, segment)
    of_outcome = design if outcome_covariates is None else build(frame, outcome_covariates, segment)
    return Sample(
        outcome=_numbers(frame, outcome),
        treated=treated,
        covariates=design.values,
        names=design.names,
        outcome_covariates=of_outcome.values,
        clusters=_codes(frame, cluster) if cluster else None,
        link=link,
    )


def arms(sample: Sample, method: Method) -> Arms:
    """Both arms' means by `method`, treated first.

    Raises:
        ContrastError: no such method.
        NotEstimable: an arm is too small or lies in one cluster, or the covariates leave nothing to compare.
    """
    if method not in get_args(Method):
        raise ContrastError(f"no method {method!r}: use one of {', '.join(get_args(Method))}")
    for arm, size in (("treated", sample.treated.sum()), ("control", (1 - sample.treated).sum())):
        if size < 2:
            raise NotEstimable(f"the {arm} arm has {size:.0f} rows; 2 needed")
    _independent(sample)
    return _METHODS[method](sample)


def summarise(sample: Sample, fitted: Arms, method: Method) -> Estimate:
    """Effect, error, interval and diagnostics of two fitted arms."""
    treated, control = fitted
    clusters = _independent(sample)
    error, degrees = _error(sample, fitted, clusters, method)
    effect = treated.mean - control.mean
    half = error * float(stats.t.ppf(0.975, degrees))
    weight = treated.weight + control.weight
    return Estimate(
        effect=effect,
        standard_error=error,
        ci_low=effect - half,
        ci_high=effect + half,
        n_treated=int(sample.treated.sum()),
        n_control=int((1 - sample.treated).sum()),
        effective_n_treated=effective_size(treated.weight),
        effective_n_control=effective_size(control.weight),
        max_smd_before=largest(smd(sample.covariates, sample.treated)),
        max_smd_after=largest(smd(sample.covariates, sample.treated, weight)),
        mean_treated=treated.mean,
        mean_control=control.mean,
        p_value=_p_value(effect, error, degrees),
        degrees=degrees,
        n_clusters=int(clusters.max()) + 1,
    )


def effective_size(weight: Floats) -> float:
    """Kish's effective sample size: how many equally weighted rows would say as much."""
    return float(weight.sum() ** 2 / np.square(weight).sum())


def largest(differences: Floats) -> float:
    """The largest absolute standardised difference; 0 where there is no covariate to differ."""
    return float(np.abs(differences).max(initial=0.0))


# --- the methods ------------------------------------------------------------------------------------------------------


def _unadjusted(sample: Sample) -> Arms:
    still = np.zeros((len(sample.outcome), 1))
    treated = _weighted_mean(sample, sample.treated, still, still)
    return treated, _weighted_mean(sample, 1 - sample.treated, still, still)


def _overlap(sample: Sample) -> Arms:
    """Each row counts by its chance of the other arm; with a logit this balances every mean exactly (Li et al.)."""
    fitted, is_treated = sample.fitted_propensity, sample.treated
    treated = _mean_by_score(sample, fitted, is_treated * fitted.others, -is_treated * fitted.slope)
    control = _mean_by_score(sample, fitted, (1 - is_treated) * fitted.scores, (1 - is_treated) * fitted.slope)
    if sample.link == "logit":
        left = largest(smd(sample.covariates, is_treated, treated.weight + control.weight))
        if not left < EXACT:
            raise NotEstimable(
                f"overlap weights left a standardised difference of {left:.1e}: too little overlap to fit"
            )
    return treated, control


def _inverse(sample: Sample) -> Arms:
    fitted, is_treated = sample.fitted_propensity, sample.treated
    chance, other = fitted.scores, fitted.others
    treated = _mean_by_score(sample, fitted, is_treated / chance, -is_treated * fitted.slope / chance**2)
    control = _mean_by_score(sample, fitted, (1 - is_treated) / other, (1 - is_treated) * fitted.slope / other**2)
    return treated, control


def _augmented(sample: Sample) -> Arms:
    fitted, is_treated = sample.fitted_propensity, sample.treated
    chance, other = fitted.scores, fitted.others
    among_treated, among_control = sample.fitted_outcomes
    treated = _augmented_mean(sample, among_treated, is_treated / chance, -is_treated * fitted.slope / chance**2)
    control = _augmented_mean(
        sample, among_control, (1 - is_treated) / other, (1 - is_treated) * fitted.slope / other**2
    )
    return treated, control


def _regression(sample: Sample) -> Arms:
    treated, control = sample.fitted_outcomes
    return _regressed_mean(sample, treated), _regressed_mean(sample, control)


_METHODS: dict[str, Callable[[Sample], Arms]] = {
    "unadjusted": _unadjusted,
    "overlap": _overlap,
    "ipw": _inverse,
    "aipw": _augmented,
    "regression": _regression,
}


def _mean_by_score(sample: Sample, fitted: Propensity, weight: Floats, by_predictor: Floats) -> Arm:
    return _weighted_mean(sample, weight, by_predictor[:, None] * fitted.columns, fitted.influence)


def _weighted_mean(sample: Sample, weight: Floats, by_coefficients: Floats, coefficients: Floats) -> Arm:
    """Mean of the outcome by `weight`, whose derivative by the nuisance coefficients is `by_coefficients` (n x k).

    `coefficients` holds each row's influence on them (n x k).
    """
    mean = float(weight @ sample.outcome / weight.sum())
    residual = sample.outcome - mean
    drift = jackknife.average(by_coefficients * residual[:, None], sample.few_clusters)
    influence = weight * residual + (coefficients * drift).sum(axis=1)
    return Arm(mean, influence / jackknife.average(weight, sample.few_clusters), weight)


def _augmented_mean(sample: Sample, fitted: Regression, weight: Floats, by_predictor: Floats) -> Arm:
    """Mean prediction plus the weighted mean residual; `weight` is 0 outside the arm."""
    chance = sample.fitted_propensity
    residual = sample.outcome - fitted.predicted
    part = fitted.predicted + weight * residual
    by_propensity = jackknife.average(chance.columns * (by_predictor * residual)[:, None], sample.few_clusters)
    by_regression = jackknife.average(fitted.columns * (1 - weight)[:, None], sample.few_clusters)
    drift = (chance.influence * by_propensity).sum(axis=1) + (fitted.influence * by_regression).sum(axis=1)
    influence = (part - part.mean() + drift) / jackknife.average(np.ones(len(part)), sample.few_clusters)
    return Arm(float(part.mean()), influence, weight)


def _regressed_mean(sample: Sample, fitted: Regression) -> Arm:
    """Mean prediction over all rows.

    Its weights are those that the regression implies (Chattopadhyay, Zubizarreta 2023, Biometrika 110:615): they
    balance the outcome's covariates by construction, and may be negative.
    """
    columns, predicted, inside = fitted.columns, fitted.predicted, fitted.inside
    drift = (fitted.influence * jackknife.average(columns, sample.few_clusters)).sum(axis=1)
    influence = (predicted - predicted.mean() + drift) / jackknife.average(np.ones(len(predicted)), sample.few_clusters)
    gram = columns.T @ (columns * inside[:, None])
    return Arm(float(predicted.mean()), influence, inside * (columns @ np.linalg.solve(gram, columns.mean(axis=0))))


def _outcome_model(sample: Sample, inside: Floats) -> Regression:
    """Least squares of the outcome among the rows `inside` (0 or 1, length n)."""
    columns = np.column_stack([np.ones(len(inside)), _standardised(sample.outcome_covariates)])
    slopes, _, rank, _ = np.linalg.lstsq(columns[inside > 0], sample.outcome[inside > 0], rcond=None)
    if rank < columns.shape[1]:
        raise NotEstimable(
            "within one group the covariates do not vary independently: its regression has no one answer"
        )
    predicted = columns @ slopes
    score = columns * (inside * (sample.outcome - predicted))[:, None]
    influence = jackknife.on_coefficients(score, columns, inside, sample.few_clusters)
    return Regression(columns, inside, predicted, influence)


def _standardised(columns: Floats) -> Floats:
    scaled: Floats = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    return scaled


# --- errors -----------------------------------------------------------------------------------------------------------


def _independent(sample: Sample) -> Codes:
    """The clusters, each row its own where none are given.

    Raises:
        NotEstimable: an arm lies in one cluster.
    """
    if sample.clusters is None:
        return np.arange(len(sample.outcome), dtype=np.int64)
    for arm, inside in (("treated", sample.treated > 0), ("control", sample.treated == 0)):
        if np.unique(sample.clusters[inside]).size < 2:
            raise NotEstimable(f"all rows of the {arm} arm lie in one cluster, so its error cannot be known")
    return sample.clusters


def _error(sample: Sample, fitted: Arms, clusters: Codes, method: Method) -> tuple[float, float]:
    """Standard error and degrees of freedom of the difference."""
    treated, control = fitted
    count = int(clusters.max()) + 1
    if sample.few_clusters is not None:
        return jackknife.standard_error(treated.influence - control.influence, clusters), float(count - 1)
    if method == "unadjusted":
        # Scaled within each arm: with one row per cluster this is Welch's error, not merely close to it.
        influence = _scale(clusters, sample.treated) * treated.influence
        influence = influence - _scale(clusters, 1 - sample.treated) * control.influence
        if count == len(clusters):
            return _clustered(influence, clusters), _welch_degrees(sample)
    else:
        influence = math.sqrt(count / (count - 1)) * (treated.influence - control.influence)
    return _clustered(influence, clusters), degrees_of(count)


def _scale(clusters: Codes, inside: Floats) -> float:
    count = np.unique(clusters[inside > 0]).size
    return math.sqrt(count / (count - 1))


def _clustered(influence: Floats, clusters: Codes) -> float:
    return float(np.sqrt(np.square(totals(influence, clusters)).sum()) / len(influence))


def _welch_degrees(sample: Sample) -> float:
    """Welch-Satterthwaite; infinite where no value varies."""
    insides = (sample.treated > 0, sample.treated == 0)
    parts = [(float(sample.outcome[inside].var(ddof=1)) / inside.sum(), inside.sum() - 1) for inside in insides]
    below = sum(variance**2 / degrees for variance, degrees in parts)
    return float(sum(variance for variance, _ in parts) ** 2 / below) if below > 0 else math.inf


def _p_value(effect: float, error: float, degrees: float) -> float:
    if error == 0:
        return math.nan
    return float(2 * stats.t.sf(abs(effect) / error, degrees))


# --- columns ----------------------------------------------------------------------------------------------------------


def _require(frame: pd.DataFrame, names: list[str]) -> None:
    absent = sorted(set(names) - set(frame.columns))
    if absent:
        raise ContrastError(f"the frame has no column {', '.join(map(repr, absent))}")


def _numbers(frame: pd.DataFrame, name: str) -> Floats:
    try:
        values = pd.to_numeric(frame[name]).to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ContrastError(f"column {name!r} holds something that is no number: {error}") from None
    missing = int((~np.isfinite(values)).sum())
    if missing:
        raise ContrastError(
            f"column {name!r} has no number in {missing} of {len(frame)} rows: leave them out, and count them"
        )
    return values


def _codes(frame: pd.DataFrame, name: str) -> Codes:
    codes = pd.factorize(frame[name])[0].astype(np.int64)
    if (codes < 0).any():
        raise ContrastError(f"column {name!r} is missing in {int((codes < 0).sum())} rows: give each its own cluster")
    return codes
