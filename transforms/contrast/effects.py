"""Effect sizes and intervals that need nothing but the numbers of two groups."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from transforms.contrast.errors import ContrastError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HedgesG:
    """Standardised mean difference: `d` by the pooled deviation, `g` without its small-sample bias."""

    g: float
    variance: float
    d: float


@dataclass(frozen=True)
class CliffsDelta:
    """P(treated > control) - P(treated < control), with a confidence interval; -1 to 1."""

    delta: float
    ci_low: float
    ci_high: float


def small_sample_factor(degrees: float) -> float:
    """Hedges' J, which takes the bias out of d (Borenstein et al. 2009, Introduction to Meta-Analysis, 4.22)."""
    return 1 - 3 / (4 * degrees - 1)


def pooled_deviation(treated: ArrayLike, control: ArrayLike) -> float:
    """Standard deviation within the two groups, pooled by their degrees of freedom.

    Raises:
        ContrastError: a group holds fewer than two values, or one that is not a number.
    """
    first, second = _sample(treated, "treated"), _sample(control, "control")
    squares = first.var(ddof=1) * (first.size - 1) + second.var(ddof=1) * (second.size - 1)
    return math.sqrt(squares / (first.size + second.size - 2))


def hedges_g(treated: ArrayLike, control: ArrayLike) -> HedgesG:
    """Hedges' g of two samples, treated minus control.

    Raises:
        ContrastError: a group holds fewer than two values, or neither group varies.
    """
    first, second = _sample(treated, "treated"), _sample(control, "control")
    return hedges_g_from_moments(
        float(first.mean()),
        float(second.mean()),
        float(first.std(ddof=1)),
        float(second.std(ddof=1)),
        first.size,
        second.size,
    )


def hedges_g_from_moments(
    mean_treated: float, mean_control: float, sd_treated: float, sd_control: float, n_treated: int, n_control: int
) -> HedgesG:
    """Hedges' g of two groups known by mean, standard deviation (n - 1) and size.

    Raises:
        ContrastError: a group holds fewer than two values, or neither group varies.
    """
    degrees = n_treated + n_control - 2
    if min(n_treated, n_control) < 2:
        raise ContrastError(f"hedges_g needs 2 values in each group, got {n_treated} and {n_control}")
    pooled = math.sqrt((sd_treated**2 * (n_treated - 1) + sd_control**2 * (n_control - 1)) / degrees)
    if pooled == 0:
        raise ContrastError("hedges_g needs values that vary within a group: both standard deviations are 0")
    d = (mean_treated - mean_control) / pooled
    variance = (n_treated + n_control) / (n_treated * n_control) + d**2 / (2 * (n_treated + n_control))
    factor = small_sample_factor(degrees)
    return HedgesG(g=factor * d, variance=factor**2 * variance, d=d)


def cliffs_delta(treated: ArrayLike, control: ArrayLike, confidence: float = 0.95) -> CliffsDelta:
    """Cliff's delta of two samples, with the unbiased variance and Student's t.

    The interval is the asymmetric one of Cliff (1996, Ordinal Methods for Behavioral Data Analysis), as in Hogarty and
    Kromrey (1999); the R package effsize gives the same by default. Memory is linear in the sample sizes.

    Raises:
        ContrastError: a group holds fewer than two values, or one that is not a number.
    """
    first, second = _sample(treated, "treated"), _sample(control, "control")
    n, m = first.size, second.size
    by_first, by_second = _dominance(first, second), -_dominance(second, first)
    delta = float(by_first.mean())
    untied = n * m - _ties(first, second)
    variance = (
        m**2 * float(np.sum((by_first - delta) ** 2))
        + n**2 * float(np.sum((by_second - delta) ** 2))
        - (untied - n * m * delta**2)
    ) / (n * m * (n - 1) * (m - 1))
    # With few values the unbiased estimate can fall under what any two samples allow (Cliff 1996).
    variance = max(variance, (1 - delta**2) / (n * m - 1))
    spread = float(stats.t.ppf(0.5 + confidence / 2, n + m - 2)) ** 2 * variance
    if 1 - delta**2 < 1e-12:
        return _disjoint(delta, n, m, confidence)
    half = math.sqrt(spread) * math.sqrt((1 - delta**2) ** 2 + spread)
    scale = 1 - delta**2 + spread
    return CliffsDelta(delta, (delta - delta**3 - half) / scale, (delta - delta**3 + half) / scale)


def weighted_cliffs_delta(
    treated: ArrayLike, control: ArrayLike, weight_treated: ArrayLike, weight_control: ArrayLike
) -> float:
    """Cliff's delta where each value counts by its weight (non-negative, any scale); with equal weights the plain one.

    Raises:
        ContrastError: a value or weight is not a number, or a group's weights add up to 0.
    """
    first, second = _sample(treated, "treated"), _sample(control, "control")
    by_first, by_second = np.asarray(weight_treated, float), np.asarray(weight_control, float)
    if not (by_first.sum() > 0 and by_second.sum() > 0):
        raise ContrastError("weighted_cliffs_delta needs weights that add up to more than 0 in each group")
    order = np.argsort(second, kind="stable")
    ranked = second[order]
    running = np.concatenate(([0.0], np.cumsum(by_second[order])))
    below = running[np.searchsorted(ranked, first, "left")]
    above = running[-1] - running[np.searchsorted(ranked, first, "right")]
    return float(np.sum(by_first * (below - above)) / (by_first.sum() * running[-1]))


def e_value(risk_ratio: float) -> float:
    """How strongly, as a risk ratio, a hidden confounder must go with both sides to explain `risk_ratio` away.

    For an interval, give the limit nearest 1; where the interval holds 1, its E-value is 1 (VanderWeele, Ding 2017,
    Annals of Internal Medicine 167:268).

    Raises:
        ContrastError: the ratio is not above 0.
    """
    if not risk_ratio > 0:
        raise ContrastError(f"e_value needs a risk ratio above 0, got {risk_ratio}")
    ratio = max(risk_ratio, 1 / risk_ratio)
    return ratio + math.sqrt(ratio * (ratio - 1))


def e_value_of_difference(standardised: float) -> float:
    """E-value of a standardised mean difference, by RR = exp(0.91 d) (VanderWeele, Ding 2017, table 2)."""
    return e_value(math.exp(0.91 * standardised))


def e_value_of_interval(low: float, high: float) -> float:
    """E-value of that limit of a standardised difference's interval which lies nearest 0; 1 where it holds 0."""
    return e_value_of_difference(max(low, -high, 0.0))


def wilson(successes: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Score interval of a share (Wilson 1927, JASA 22:209).

    Raises:
        ContrastError: `n` is not above 0, or `successes` lies outside 0..n.
    """
    if not (n > 0 and 0 <= successes <= n):
        raise ContrastError(f"wilson needs 0 <= successes <= n and n > 0, got {successes} of {n}")
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    share = successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def newcombe(
    successes_treated: float, n_treated: float, successes_control: float, n_control: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval of a difference of two shares from their Wilson intervals (Newcombe 1998, Stat Med 17:873, method 10).

    Raises:
        ContrastError: a group is empty, or its successes lie outside 0..n.
    """
    low_treated, high_treated = wilson(successes_treated, n_treated, confidence)
    low_control, high_control = wilson(successes_control, n_control, confidence)
    treated, control = successes_treated / n_treated, successes_control / n_control
    below = math.hypot(treated - low_treated, high_control - control)
    above = math.hypot(high_treated - treated, control - low_control)
    return treated - control - below, treated - control + above


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Adjusted p-values (q) in the order given; a test is a discovery at level a when its q is at most a.

    A NaN is a test that could not be made: it stays NaN and does not count in the family (Benjamini, Hochberg 1995,
    JRSS B 57:289).

    Raises:
        ContrastError: a p-value lies outside 0..1.
    """
    p = np.asarray(p_values, dtype=float)
    made = p[~np.isnan(p)]
    if ((made < 0) | (made > 1)).any():
        raise ContrastError("benjamini_hochberg needs p-values between 0 and 1")
    order = np.argsort(made, kind="stable")
    stepped = made[order] * made.size / np.arange(1, made.size + 1)
    adjusted = np.empty_like(made)
    adjusted[order] = np.minimum.accumulate(stepped[::-1])[::-1]
    result = np.full(p.shape, np.nan)
    result[~np.isnan(p)] = adjusted
    return result


def _sample(values: ArrayLike, name: str) -> Floats:
    sample = np.asarray(values, dtype=float).ravel()
    if sample.size < 2:
        raise ContrastError(f"the {name} group needs 2 values, got {sample.size}")
    if not np.isfinite(sample).all():
        raise ContrastError(f"the {name} group holds {int((~np.isfinite(sample)).sum())} values that are no numbers")
    return sample


def _dominance(values: Floats, others: Floats) -> Floats:
    """For each value, the share of `others` below it minus the share above it."""
    ranked = np.sort(others)
    below = np.searchsorted(ranked, values, "left")
    above = ranked.size - np.searchsorted(ranked, values, "right")
    return (below - above) / ranked.size


def _ties(first: Floats, second: Floats) -> int:
    ranked = np.sort(second)
    return int((np.searchsorted(ranked, first, "right") - np.searchsorted(ranked, first, "left")).sum())


def _disjoint(delta: float, n: int, m: int, confidence: float) -> CliffsDelta:
    """Groups without overlap: the one-sided limit of a share of 1 seen in the smaller group (no variance is seen)."""
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    smaller = min(n, m)
    limit = (smaller - z**2) / (smaller + z**2)
    return CliffsDelta(delta, limit, 1.0) if delta > 0 else CliffsDelta(delta, -1.0, -limit)
