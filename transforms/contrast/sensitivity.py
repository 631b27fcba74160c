"""How much hidden confounding, or which rival explanation, would overturn an estimated contrast.

No estimator can tell an effect from a hidden cause of both treatment and outcome. What can be told is how strong such a
cause would have to be, whether the machinery finds something where there is nothing to find, and whether mere logging
goes with the outcome as partnership does. None of it gates a verdict.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, special, stats

from transforms.contrast import effects
from transforms.contrast.clusters import totals
from transforms.contrast.design import NOT_RECORDED, build, one_armed
from transforms.contrast.errors import ContrastError, NotEstimable
from transforms.contrast.estimators import Estimate, Sample, arms, summarise
from transforms.contrast.propensity import Propensity

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

ALPHA = 0.05
# Five strata of the propensity take out some 90 % of what the covariates confound (Rosenbaum, Rubin 1984, JASA 79:516).
STRATA = 5
# Draws that are fitted at once, so that their matrices stay small.
BATCH = 100
STEPS = 30
EXACT = 1e-9
ROUNDING = 1e-6
# In deviations of the propensity's logit (Austin 2011, Pharmaceutical Statistics 10:150).
CALIPER = 0.2
# From so many pairs on, the gamma by the normal approximation is within a tenth of the exact one, mostly below it.
FEWEST_PAIRS = 10
# What must not move the outcome by itself, and what hidden causes are measured by (how many times as strong).
LOGGING, SIZE = "logging_intensity", "log_mrr"
TIMES = (1, 2, 3)


# --- permuted labels --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Permutation:
    """Where an estimate lies among those of permuted labels, all in the outcome's unit.

    Attributes:
        effect: of the labels as they are.
        mean, spread: mean and standard deviation of the permuted effects.
        low, high: between them lie 95 % of the permuted effects.
        p_value: share of labellings, the true one included, whose statistic is at least as far from 0.
    """

    effect: float
    mean: float
    spread: float
    low: float
    high: float
    p_value: float


def permuted(sample: Sample, draws: int, seed: int) -> Permutation:
    """Compare the overlap-weighted effect with those of labels permuted within strata of the fitted propensity.

    Labels that were permuted over all rows would make the arms alike, as in an experiment, and say nothing about the
    adjustment. Within strata of the propensity the covariates keep their hold on the labels, and nothing else does: the
    conditional permutation test of Rosenbaum (1984, JASA 79:565). What a stratum leaves of confounding is taken out by
    fitting propensity and effect again in every draw.

    The statistic is the effect over its error, so that arms of unequal spread do not matter (Janssen 1997, Statistics
    and Probability Letters 36:9; Chung, Romano 2013, Annals of Statistics 41:484). Permuting rows breaks whatever ties
    the labels of a cluster together; the error is the cluster-robust one, so that the true and the permuted statistic
    are about standard normal both. In null worlds of 80 to 600 accounts the p-value is below .05 in 3 to 7 of 100, with
    8 clusters as with 100; by the effect alone, in up to 18.

    Raises:
        ContrastError: no draw is asked for, or the propensity is not a logit.
        NotEstimable: the effect cannot be estimated, or the outcome does not vary within the arms.
    """
    if draws < 1 or sample.link != "logit":
        raise ContrastError(f"permuted needs a draw and a logit, got {draws} and {sample.link!r}")
    _deviation(sample)
    sample = _in_order(sample)
    fitted = sample.fitted_propensity
    labels = np.vstack([sample.treated, _relabelled(sample.treated, fitted.scores, draws, seed)])
    # The true labelling first, by the same computation as the others.
    (true, *_), (its_error, *_) = effect, error = _overlap_effects(sample, fitted, labels)
    effect, error = effect[1:], error[1:]
    # A draw can be the true labelling again, up to rounding.
    nearer = np.abs(effect) < abs(true) / its_error * error * (1 - ROUNDING)
    low, high = np.quantile(effect, (ALPHA / 2, 1 - ALPHA / 2))
    return Permutation(
        effect=float(true),
        mean=float(effect.mean()),
        spread=float(effect.std()),
        low=float(low),
        high=float(high),
        p_value=float((1 + draws - nearer.sum()) / (1 + draws)),
    )


def _in_order(sample: Sample) -> Sample:
    """The rows in an order of their own, so that a draw does not depend on the order in which they came."""
    return sample.take(np.lexsort([*sample.covariates.T, sample.treated, sample.outcome]))


def _deviation(sample: Sample) -> float:
    """Standard deviation of the outcome within the arms."""
    deviation = effects.pooled_deviation(sample.outcome[sample.treated > 0], sample.outcome[sample.treated == 0])
    if deviation == 0:
        raise NotEstimable("the outcome does not vary within the arms: there is no chance to measure it against")
    return deviation


def _relabelled(treated: Floats, scores: Floats, draws: int, seed: int) -> Floats:
    """Labels permuted within strata of the scores (draws x n): each stratum keeps its number of treated."""
    generator = np.random.default_rng(seed)
    stratum = np.searchsorted(np.quantile(scores, np.arange(1, STRATA) / STRATA), scores, "right")
    labels = np.empty((draws, len(treated)))
    for number in range(STRATA):
        inside = stratum == number
        labels[:, inside] = generator.permuted(np.tile(treated[inside], (draws, 1)), axis=1)
    return labels


def _overlap_effects(sample: Sample, fitted: Propensity, labels: Floats) -> tuple[Floats, Floats]:
    """Overlap-weighted effect of each labelling (draws x n) and its standard error, as `summarise` has them."""
    columns = fitted.columns
    # One matrix product then gives the information of all draws: products holds each row's k x k outer product.
    products = (columns[:, :, None] * columns[:, None, :]).reshape(len(columns), -1)
    start = np.asarray(np.linalg.lstsq(columns, _logit(fitted), rcond=None)[0], dtype=float)
    batches = [
        _weighted(sample, columns, products, part, _refitted(columns, products, part, start))
        for part in np.split(labels, range(BATCH, len(labels), BATCH))
    ]
    effect, error = (np.concatenate(part) for part in zip(*batches, strict=True))
    return effect, error


def _refitted(columns: Floats, products: Floats, labels: Floats, start: Floats) -> Floats:
    """Scores of each labelling (draws x n) by Newton's method, from the coefficients of the true one.

    A level that a draw puts in one arm has no finite coefficient; its rows' weights go to 0 by a factor e a step, and
    the others' scores to those without it. Hence it is balance (the gradient) that ends the search, not the step.
    """
    coefficients = np.tile(start, (len(labels), 1))
    moving = np.arange(len(labels))
    for _ in range(STEPS):
        scores = special.expit(coefficients[moving] @ columns.T)
        gradient = (labels[moving] - scores) @ columns
        left = np.abs(gradient).max(axis=1) > EXACT * len(columns)
        if not left.any():
            break
        moving, scores, gradient = moving[left], scores[left], gradient[left]
        coefficients[moving] += _solved(scores, products, gradient)
    fitted: Floats = special.expit(coefficients @ columns.T)
    return fitted


def _solved(scores: Floats, products: Floats, right: Floats) -> Floats:
    """Solve information x = `right` for each draw (draws x k)."""
    size = right.shape[1]
    information = (scores * (1 - scores) @ products).reshape(-1, size, size)
    # What is too small to matter for a fit keeps the information of a one-armed level from being singular.
    information = information + EXACT * len(products) * np.eye(size)
    return np.asarray(np.linalg.solve(information, right[:, :, None])[:, :, 0], dtype=float)


def _weighted(
    sample: Sample, columns: Floats, products: Floats, labels: Floats, scores: Floats
) -> tuple[Floats, Floats]:
    """Effect and error of each draw at its maximum, where both arms' weights add up to the same.

    There weight times sign is label - score, and a row's influence (label - score) * (residual + columns @ drift): the
    influences of `estimators` with the constants taken out.
    """
    gap = labels - scores
    total = (labels * gap).sum(axis=1)
    treated = (labels * gap) @ sample.outcome / total
    control = ((labels - 1) * gap) @ sample.outcome / total
    residual = sample.outcome - np.where(labels > 0, treated[:, None], control[:, None])
    drift = _solved(scores, products, -(scores * (1 - scores) * residual) @ columns)
    influence = gap * (residual + drift @ columns.T)
    clusters = np.arange(len(columns)) if sample.clusters is None else sample.clusters
    count = int(clusters.max()) + 1
    squares = np.square(totals(influence.T, clusters)).sum(axis=0)
    return treated - control, np.sqrt(count / (count - 1) * squares) / total


def _logit(fitted: Propensity) -> Floats:
    logit: Floats = np.log(fitted.scores / fitted.others)
    return logit


# --- negative control -------------------------------------------------------------------------------------------------


def negative_control(sample: Sample, exposure: str) -> Estimate:
    """The same estimator, with a covariate above its median as the treatment (a negative-control exposure).

    For `exposure` choose what must not move the outcome by itself but shares the suspected bias (Lipsitch, Tchetgen
    Tchetgen, Cohen 2010, Epidemiology 21:383): a manager who logs more makes accounts look like partners. If logging
    alone goes with the outcome, so may the contrast.

    The treatment becomes a covariate: managers of true partners have more to log, and without it their partnerships
    would pass for an effect of logging. Where partnership is measured with error, some of that remains. A finding is
    therefore a reason to look, no proof; and an effect of the opposite sign cannot have made the contrast.

    Rows whose exposure is not recorded are left out, as are levels that occur on one side of the median only.

    Raises:
        NotEstimable: `exposure` is no column of the sample, or its two sides cannot be compared.
    """
    columns = pd.DataFrame(sample.covariates, columns=sample.names).assign(_treated=sample.treated)
    if exposure not in sample.names:
        raise NotEstimable(f"{exposure} is not among the covariates: it was not recorded, or given up")
    values = columns.pop(exposure).to_numpy()
    unrecorded = f"{exposure} ({NOT_RECORDED})"
    recorded = columns.pop(unrecorded).to_numpy() == 0 if unrecorded in columns else np.ones(len(columns), dtype=bool)
    exposed = (values > np.median(values[recorded])).astype(float)
    inside = _comparable(columns, exposed, recorded)
    design = build(columns.iloc[inside], [str(name) for name in columns])
    control = replace(
        sample.take(inside),
        treated=exposed[inside],
        covariates=design.values,
        names=design.names,
        outcome_covariates=design.values,
        clusters=None if sample.clusters is None else np.unique(sample.clusters[inside], return_inverse=True)[1],
    )
    return summarise(control, arms(control, "overlap"), "overlap")


def _comparable(columns: pd.DataFrame, exposed: Floats, recorded: Booleans) -> NDArray[np.int64]:
    """Rows whose levels all occur on both sides; leaving some out can leave others alone, hence again until none is."""
    indicators = columns.loc[:, columns.isin((0, 1)).all()].astype(str)
    names = [str(name) for name in indicators]
    inside = np.flatnonzero(recorded)
    while (alone := one_armed(indicators.iloc[inside], names, exposed[inside])).any():
        inside = inside[~alone]
    return inside


# --- a linear confounder ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Linear:
    """The treatment's coefficient in a least-squares regression of the outcome on treatment and covariates.

    Attributes:
        effect: in the outcome's unit.
        standard_error: the classical one, of independent rows; the partial R2 are made of it.
        degrees: of freedom of the residual.
    """

    effect: float
    standard_error: float
    degrees: int

    @property
    def t(self) -> float:
        return self.effect / self.standard_error


@dataclass(frozen=True)
class Confounder:
    """How much a variable explains of what the covariates leave (partial R2, 0-1).

    Attributes:
        of_treatment: given the covariates.
        of_outcome: given the covariates and the treatment.
    """

    of_treatment: float
    of_outcome: float


def linear(sample: Sample) -> Linear:
    """Regress the outcome on treatment and covariates.

    Raises:
        NotEstimable: there are too few rows, or a regression leaves nothing to explain.
    """
    degrees = len(sample.outcome) - sample.covariates.shape[1] - 2
    if degrees < 2:
        raise NotEstimable(f"{len(sample.outcome)} rows are too few for {sample.covariates.shape[1]} columns")
    treated = _residual(sample.treated, sample.covariates)
    outcome = _residual(sample.outcome, sample.covariates)
    varied = float(treated @ treated)
    if varied < EXACT * sample.treated.sum():
        raise NotEstimable("the covariates explain the treatment completely")
    effect = float(treated @ outcome) / varied
    left = float(np.square(outcome - effect * treated).sum())
    if left <= EXACT**2 * float(sample.outcome @ sample.outcome):
        raise NotEstimable("treatment and covariates explain the outcome completely")
    return Linear(effect, math.sqrt(left / degrees / varied), degrees)


def partial_r2(fit: Linear) -> float:
    """Share of the outcome, as the covariates leave it, that goes with the treatment (Cinelli, Hazlett 2020)."""
    return fit.t**2 / (fit.t**2 + fit.degrees)


def robustness_value(fit: Linear, alpha: float = 1.0) -> float:
    """How much a hidden confounder must explain, of treatment and outcome alike, to bring the effect to 0.

    With `alpha` below 1: to bring it to where it is not significant at that level. Partial R2, 0-1; 0 where nothing is
    needed (Cinelli, Hazlett 2020, JRSS-B 82:39).
    """
    critical = float(stats.t.isf(alpha / 2, fit.degrees - 1)) / math.sqrt(fit.degrees - 1)
    beyond = max(abs(fit.t) / math.sqrt(fit.degrees) - critical, 0.0)
    return (math.sqrt(beyond**4 + 4 * beyond**2) - beyond**2) / 2


def benchmark(sample: Sample, names: Sequence[str]) -> Confounder:
    """What some columns of the covariates, taken together, explain beyond the others.

    Raises:
        ContrastError: `names` is empty or names no column of the sample.
    """
    if not names or not set(names) <= set(sample.names):
        raise ContrastError(f"the sample has no columns {', '.join(names)}; it has {', '.join(sample.names)}")
    others = sample.covariates[:, [name not in names for name in sample.names]]
    treated = sample.treated[:, None]
    return Confounder(
        of_treatment=_explained(sample.treated, others, sample.covariates),
        of_outcome=_explained(sample.outcome, np.hstack([others, treated]), np.hstack([sample.covariates, treated])),
    )


def as_strong(observed: Confounder, times: float) -> Confounder:
    """The most that a hidden confounder `times` as strong as `observed` can explain of treatment and outcome.

    As strong in what it explains of each, given the remaining covariates (Cinelli, Hazlett 2020).

    Raises:
        NotEstimable: it would explain all of the treatment or of the outcome.
    """
    share = observed.of_treatment
    of_treatment = times * share / (1 - share)
    if of_treatment >= 1:
        raise NotEstimable(f"{times:g} times the observed {share:.2f} would explain all of the treatment")
    # What conditioning on the treatment makes observed and hidden confounder share.
    shared = times * share**2 / ((1 - times * share) * (1 - share))
    scale = (math.sqrt(times) + math.sqrt(shared)) ** 2 / (1 - shared)
    of_outcome = scale * observed.of_outcome / (1 - observed.of_outcome)
    if of_outcome >= 1:
        raise NotEstimable(f"{times:g} times the observed {observed.of_outcome:.2f} would explain all of the outcome")
    return Confounder(of_treatment, of_outcome)


def adjusted(fit: Linear, hidden: Confounder) -> Linear:
    """What the regression would give with `hidden` in it, where that draws the effect towards 0.

    Effect and error by Cinelli, Hazlett (2020); one degree of freedom goes to the confounder.
    """
    odds = hidden.of_treatment / (1 - hidden.of_treatment)
    bias = fit.standard_error * math.sqrt(fit.degrees * hidden.of_outcome * odds)
    inflation = (1 - hidden.of_outcome) / (1 - hidden.of_treatment) * fit.degrees / (fit.degrees - 1)
    return Linear(
        fit.effect - math.copysign(bias, fit.effect), fit.standard_error * math.sqrt(inflation), fit.degrees - 1
    )


def _residual(values: Floats, columns: Floats) -> Floats:
    """What a least-squares regression on an intercept and `columns` leaves."""
    centred, spread = columns - columns.mean(axis=0), columns.std(axis=0)
    basis = np.linalg.qr(np.column_stack([np.ones(len(columns)), centred / spread]))[0]
    # Twice, since once loses digits when little is left.
    left = values - basis @ (basis.T @ values)
    return left - basis @ (basis.T @ left)


def _explained(values: Floats, fewer: Floats, more: Floats) -> float:
    without, within = _residual(values, fewer), _residual(values, more)
    return 1 - float(within @ within) / float(without @ without)


# --- matched pairs ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pairs:
    """Matched pairs.

    Attributes:
        differences: of the outcome, treated minus control, one a pair.
        unmatched: rows of the smaller arm without a counterpart within the caliper.
    """

    differences: Floats
    unmatched: int


def matched_pairs(sample: Sample, seed: int) -> Pairs:
    """Match each row of the smaller arm with one of the other, without replacement, by the propensity's logit.

    As many pairs as lie within 0.2 deviations of the logit, and of all such matchings one with the least total distance
    (optimal matching; Rosenbaum 1989, JASA 84:1024). Rows of equal propensity are interchangeable: `seed` picks. The
    time grows with the cube of the arms, to 2 seconds for 2,500 pairs.

    Raises:
        NotEstimable: the propensity cannot be fitted, or pairs are under 10.
    """
    sample = _in_order(sample)
    # Shuffled, since rows in the order of their outcomes would be paired by it where propensities tie.
    sample = sample.take(np.random.default_rng(seed).permutation(len(sample.outcome)))
    logit = _logit(sample.fitted_propensity)
    treated, control = np.flatnonzero(sample.treated > 0), np.flatnonzero(sample.treated == 0)
    caliper = CALIPER * math.sqrt((float(logit[treated].var(ddof=1)) + float(logit[control].var(ddof=1))) / 2)
    first, second = _matched(logit[treated], logit[control], caliper)
    if first.size < FEWEST_PAIRS:
        raise NotEstimable(f"{first.size} pairs have like propensities; {FEWEST_PAIRS} needed")
    differences = sample.outcome[treated[first]] - sample.outcome[control[second]]
    return Pairs(np.sort(differences), min(treated.size, control.size) - first.size)


def _matched(first: Floats, second: Floats, caliper: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the pairs in `first` and `second`: as many as can be within `caliper`, and of these the nearest."""
    distance = np.abs(np.subtract.outer(first, second))
    within = distance <= caliper
    # A pair beyond the caliper costs more than all pairs within it together: it is taken only where there is no other.
    chosen = optimize.linear_sum_assignment(np.where(within, distance, (min(distance.shape) + 1) * caliper))
    return chosen[0][within[chosen]], chosen[1][within[chosen]]


def signed_rank_bound(differences: Floats, gamma: float) -> float:
    """The largest p-value of Wilcoxon's signed rank test when pairs are confounded by up to `gamma`.

    Of two accounts with like covariates, hidden confounding may make one `gamma` times as likely (in odds) to be the
    treated one. The p-value is one-sided, in the direction of the differences, by the normal approximation; tied
    differences have mean ranks, and differences of 0 have ranks but count for neither side (Rosenbaum 2002,
    Observational Studies, section 4.3.3).

    Raises:
        NotEstimable: no difference is other than 0.
    """
    observed, total, squares = _signed_ranks(differences)
    chance = gamma / (1 + gamma)
    return float(stats.norm.sf((observed - chance * total) / math.sqrt(chance * (1 - chance) * squares)))


def largest_gamma(differences: Floats, alpha: float = ALPHA) -> float:
    """The gamma at which the bound reaches `alpha`, or 1 where it is beyond without any hidden confounding.

    The root of a quadratic: (T - p S)^2 = z^2 p (1 - p) Q with p = gamma / (1 + gamma), in the names of Rosenbaum.

    Raises:
        NotEstimable: no difference is other than 0.
    """
    observed, total, squares = _signed_ranks(differences)
    allowed = float(stats.norm.isf(alpha)) ** 2 * squares
    middle, outer = total * observed + allowed / 2, total**2 + allowed
    chance = (middle - math.sqrt(middle**2 - outer * observed**2)) / outer
    return max(1.0, chance / (1 - chance))


def hodges_lehmann(differences: Floats) -> float:
    """The shift that leaves the differences centred: the median of all pairwise means (Hodges, Lehmann 1963)."""
    first, second = np.triu_indices(len(differences))
    return float(np.median(differences[first] + differences[second]) / 2)


def _signed_ranks(differences: Floats) -> tuple[float, float, float]:
    """Sum of the ranks on the side of the larger sum, sum of all ranks, and sum of their squares."""
    if not np.any(differences):
        raise NotEstimable("the outcome is the same within every pair")
    ranks = stats.rankdata(np.abs(differences)) * (differences != 0)
    above = float(ranks[differences > 0].sum())
    total = float(ranks.sum())
    return max(above, total - above), total, float(np.square(ranks).sum())


# --- what is said of it -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sensitivity:
    """One check, with a sentence for readers without statistics; numbers that a check does not have are None."""

    check: str
    value: float | None
    ci_low: float | None = None
    ci_high: float | None = None
    p_value: float | None = None
    note: str = ""


def sensitivity(sample: Sample, draws: int, seed: int) -> list[Sensitivity]:
    """Every check of the overlap-weighted difference; one that cannot be made has no numbers and says why.

    Regression and pairs take the rows for independent: where clusters matter, their intervals and gamma say too much.

    Args:
        sample: of the contrast, in whose names logging_intensity and log_mrr are looked for.
        draws: permutations of the labels.
        seed: of the permutations, and of the choice between pairs that are equally good.

    Raises:
        NotEstimable: the difference itself cannot be estimated.
    """
    estimate = summarise(sample, arms(sample, "overlap"), "overlap")
    checks: dict[tuple[str, ...], Callable[[], list[Sensitivity]]] = {
        ("permuted_labels",): lambda: _of_labels(sample, draws, seed),
        ("logging_as_exposure",): lambda: _of_logging(sample, estimate),
        ("e_value", "e_value_of_limit"): lambda: _of_risk_ratios(sample, estimate),
        ("robustness_value", "robustness_value_alpha"): lambda: _of_regression(sample),
        **{(_like(times),): partial(_of_confounder, sample, times) for times in TIMES},
        ("matched_pairs", "rosenbaum_gamma"): lambda: _of_pairs(sample, seed),
    }
    return [row for names, check in checks.items() for row in _made(names, check)]


def _made(names: tuple[str, ...], check: Callable[[], list[Sensitivity]]) -> list[Sensitivity]:
    try:
        return check()
    except NotEstimable as refusal:
        return [Sensitivity(name, None, note=f"Could not be checked: {refusal}.") for name in names]


def _of_labels(sample: Sample, draws: int, seed: int) -> list[Sensitivity]:
    found = permuted(sample, draws, seed)
    note = (
        f"With the groups shuffled {draws} times among like accounts the same computation gives {found.mean:+.3g} on "
        f"average; a difference as large for its error as the real {found.effect:+.3g} comes "
        f"{_percent(found.p_value)} of the time."
    )
    return [Sensitivity("permuted_labels", found.mean, found.low, found.high, found.p_value, note)]


def _of_logging(sample: Sample, estimate: Estimate) -> list[Sensitivity]:
    found = negative_control(sample, LOGGING)
    if found.ci_low <= 0 <= found.ci_high:
        meaning = "no more than chance, so it is no sign that the contrast comes from logging"
    elif found.effect * estimate.effect > 0:
        meaning = "part of the contrast may come from logging"
    else:
        meaning = "the other way, so logging does not explain the contrast"
    note = f"At equal partnership, accounts whose managers log more differ by {found.effect:+.3g}: {meaning}."
    return [Sensitivity("logging_as_exposure", found.effect, found.ci_low, found.ci_high, found.p_value, note)]


def _of_risk_ratios(sample: Sample, estimate: Estimate) -> list[Sensitivity]:
    unit = effects.small_sample_factor(len(sample.outcome) - 2) / _deviation(sample)
    whole = effects.e_value_of_difference(estimate.effect * unit)
    limit = effects.e_value_of_interval(estimate.ci_low * unit, estimate.ci_high * unit)
    need = "A hidden cause that goes with both group and outcome by a risk ratio of"
    reach = f"{need} {limit:.2f} each would let the interval reach 0."
    return [
        Sensitivity("e_value", whole, note=f"{need} {whole:.2f} each would explain the whole difference."),
        Sensitivity("e_value_of_limit", limit, note=reach if limit > 1 else "The interval holds 0 as it is."),
    ]


def _of_regression(sample: Sample) -> list[Sensitivity]:
    fit = linear(sample)
    whole, limit = robustness_value(fit), robustness_value(fit, ALPHA)
    share = "of what the covariates leave of group and outcome each would"
    found = f"A hidden cause of {_percent(whole)} {share} explain the difference by regression, {fit.effect:+.3g}."
    reach = f"A hidden cause of {_percent(limit)} {share} let its interval reach 0."
    held = "The interval of the difference by regression holds 0 as it is."
    return [
        Sensitivity("robustness_value", whole, note=found),
        Sensitivity("robustness_value_alpha", limit, note=reach if limit > 0 else held),
    ]


def _of_confounder(sample: Sample, times: int) -> list[Sensitivity]:
    names = [name for name in sample.names if name in (SIZE, f"{SIZE} ({NOT_RECORDED})")]
    if not names:
        raise NotEstimable(f"{SIZE} is not among the covariates")
    fit = linear(sample)
    hidden = as_strong(benchmark(sample, names), times)
    left = adjusted(fit, hidden)
    half = left.standard_error * float(stats.t.isf(ALPHA / 2, left.degrees))
    note = (
        f"A hidden cause {f'{times} times ' if times > 1 else ''}as strong as {SIZE} would leave a difference of "
        f"{left.effect:+.3g} instead of {fit.effect:+.3g}; it would explain at most {_percent(hidden.of_treatment)} of "
        f"the group and {_percent(hidden.of_outcome)} of the outcome, as the covariates leave them."
    )
    p_value = float(2 * stats.t.sf(abs(left.t), left.degrees))
    return [Sensitivity(_like(times), left.effect, left.effect - half, left.effect + half, p_value, note)]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _like(times: int) -> str:
    return f"confounder_like_{SIZE}_{times}x"


def _of_pairs(sample: Sample, seed: int) -> list[Sensitivity]:
    pairs = matched_pairs(sample, seed)
    shift, gamma = hodges_lehmann(pairs.differences), largest_gamma(pairs.differences)
    by_chance = signed_rank_bound(pairs.differences, 1)
    found = (
        f"{len(pairs.differences)} pairs of like accounts, one of each group, differ by {shift:+.3g}; "
        f"{pairs.unmatched} accounts of the smaller group have no counterpart."
    )
    odds = (
        f"Were hidden causes to make one account of a pair up to {gamma:.2f} times as likely to be in the group, the "
        "difference would still be more than chance (one-sided 5 %)."
    )
    chance = "Even without hidden causes the pairs differ by no more than chance (one-sided 5 %)."
    return [
        Sensitivity("matched_pairs", shift, note=found),
        Sensitivity("rosenbaum_gamma", gamma, p_value=by_chance, note=odds if gamma > 1 else chance),
    ]
