"""Effects in several groups of accounts: how far they differ beyond chance, and what each learns from the others."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats
from scipy.optimize import elementwise

from transforms.contrast.errors import ContrastError

Floats = NDArray[np.float64]

# Degrees of shrinkage over which the posterior is summed; the least, 1 / 4000, is as good as none.
GRID = 2000


@dataclass(frozen=True)
class Heterogeneity:
    """How far k effects differ beyond chance, in the outcome's unit.

    Attributes:
        mean: effect in the average group, with its standard error and 95 % interval.
        tau: standard deviation of the true effects between groups.
        q: Cochran's, chi-squared on `degrees` where the true effects are all the same.
        p_value: of q.
        i_squared: share of the effects' variation that is not chance (Higgins, Thompson 2002, Stat Med 21:1539).
    """

    mean: float
    standard_error: float
    ci_low: float
    ci_high: float
    tau: float
    q: float
    degrees: int
    p_value: float
    i_squared: float


@dataclass(frozen=True)
class Shrunk:
    """Effects of k groups once each has learnt from the others; arrays of length k.

    Attributes:
        effect: posterior mean.
        ci_low, ci_high: 95 % posterior interval.
        below_zero: probability that the group's effect is below 0.
    """

    effect: Floats
    ci_low: Floats
    ci_high: Floats
    below_zero: Floats


@dataclass(frozen=True)
class _Posterior:
    """Of k effects: normal at each of m values of tau (m x k), which are as likely as `chance` says (length m)."""

    chance: Floats
    centre: Floats
    spread: Floats

    def below(self, limits: Floats, places: NDArray[np.int64]) -> Floats:
        """Probability that the effects at `places` are below their limits."""
        return np.asarray(self.chance @ special.ndtr((limits - self.centre[:, places]) / self.spread[:, places]))

    def quantile(self, probability: float) -> Floats:
        """The limits under which the effects are with that probability."""
        at_tau = self.centre + self.spread * special.ndtri(probability)
        # They lie between the limits at any one tau, or at the end where one tau has all the probability.
        slack = self.spread.max(axis=0)
        found = elementwise.find_root(
            lambda limit, place: self.below(limit, place) - probability,
            (at_tau.min(axis=0) - slack, at_tau.max(axis=0) + slack),
            args=(np.arange(at_tau.shape[1]),),
        )
        return np.asarray(found.x, dtype=float)


def heterogeneity(effects: Floats, errors: Floats) -> Heterogeneity:
    """Random-effects meta-analysis of k effects with their standard errors.

    Tau by Paule and Mandel (1982, Journal of Research of the National Bureau of Standards 87:377). The mean's interval
    by Student's t on k - 1 degrees: Hartung and Knapp's, but never narrower than the effects' own errors allow (Röver,
    Knapp, Friede 2015, BMC Medical Research Methodology 15:99).

    Raises:
        ContrastError: there are fewer than two effects, or an error is not above 0.
    """
    _require(effects, errors)
    degrees = len(effects) - 1
    q = _generalised_q(effects, errors**2)
    tau_squared = _paule_mandel(effects, errors**2) if q > degrees else 0.0
    mean, variance = _pooled(effects, errors**2 + tau_squared)
    half = math.sqrt(variance) * float(stats.t.ppf(0.975, degrees))
    return Heterogeneity(
        mean=mean,
        standard_error=math.sqrt(variance),
        ci_low=mean - half,
        ci_high=mean + half,
        tau=math.sqrt(tau_squared),
        q=q,
        degrees=degrees,
        p_value=float(stats.chi2.sf(q, degrees)),
        i_squared=1 - degrees / q if q > degrees else 0.0,
    )


def shrink(effects: Floats, errors: Floats) -> Shrunk:
    """What the true effect of each of k groups is likely to be, given those of the others.

    Were tau known, it would be the mean of the group's own effect and the pooled one, each by what it is worth. Tau is
    not known, so every value counts by its posterior probability, and the interval allows for tau and the pooled mean
    (with the one best tau it would be too narrow: Morris 1983, JASA 78:47). Before the data every degree of shrinkage
    of a typical group is as likely as any other (the uniform shrinkage prior: Daniels 1999, Canadian Journal of
    Statistics 27:567), whatever the outcome's unit; the pooled mean is flat.

    Args:
        effects: length k.
        errors: their standard errors, length k.

    Raises:
        ContrastError: there are fewer than two effects, or an error is not above 0.
    """
    _require(effects, errors)
    posterior = _posterior(effects, errors**2)
    return Shrunk(
        effect=np.asarray(posterior.chance @ posterior.centre),
        ci_low=posterior.quantile(0.025),
        ci_high=posterior.quantile(0.975),
        below_zero=posterior.below(np.zeros(len(effects)), np.arange(len(effects))),
    )


def _posterior(effects: Floats, variances: Floats) -> _Posterior:
    """By Gelman et al. 2013, Bayesian Data Analysis, 5.17-5.21."""
    shrinkage = (np.arange(GRID) + 0.5) / GRID
    typical = 1 / np.mean(1 / variances)
    tau_squared = (typical * (1 - shrinkage) / shrinkage)[:, None]
    total = variances + tau_squared
    worth = (1 / total).sum(axis=1, keepdims=True)
    mean = (effects / total).sum(axis=1, keepdims=True) / worth
    squares = (np.square(effects - mean) / total).sum(axis=1)
    log_chance = -(np.log(total).sum(axis=1) + np.log(worth[:, 0]) + squares) / 2
    own = tau_squared / total
    return _Posterior(
        chance=special.softmax(log_chance),
        centre=own * effects + (1 - own) * mean,
        spread=np.sqrt(own * variances + (1 - own) ** 2 / worth),
    )


def _paule_mandel(effects: Floats, variances: Floats) -> float:
    """The tau squared at which the generalised Q is what chance alone would make it, k - 1."""
    # It is never above the variance of the effects themselves, at which Q is k - 1 at most.
    most = float(effects.var(ddof=1))
    found = optimize.brentq(
        lambda tau_squared: _generalised_q(effects, variances + tau_squared) - len(effects) + 1,
        0.0,
        most * (1 + 1e-9),
        xtol=1e-13 * most,
    )
    return float(found)


def _generalised_q(effects: Floats, variances: Floats) -> float:
    mean, _ = _pooled(effects, variances)
    return float((np.square(effects - mean) / variances).sum())


def _pooled(effects: Floats, variances: Floats) -> tuple[float, float]:
    """The mean by inverse variances, and its variance."""
    worth = 1 / variances
    return float(worth @ effects / worth.sum()), float(1 / worth.sum())


def _require(effects: Floats, errors: Floats) -> None:
    if len(effects) < 2:
        raise ContrastError(f"effects of 2 groups are needed to compare them, got {len(effects)}")
    if not (errors > 0).all():
        raise ContrastError("every effect needs a standard error above 0")
