"""The chance of being treated, given the covariates: maximum likelihood, with what its error adds downstream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from transforms.contrast import jackknife
from transforms.contrast.errors import NotEstimable

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Link = Literal["logit", "probit"]

STEPS = 60
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Propensity:
    """A fitted propensity of n rows with k coefficients.

    Attributes:
        scores: probability of treatment, length n.
        others: probability of control, length n; not 1 - scores, which is 0 where the score is within 1e-16 of 1.
        slope: its derivative by the linear predictor, length n.
        columns: the design that it was fitted on, intercept first, n x k.
        influence: each row's influence on the coefficients, n x k; see `transforms.contrast.jackknife`.
    """

    scores: Floats
    others: Floats
    slope: Floats
    columns: Floats
    influence: Floats


def fit(
    treated: Floats, covariates: Floats, names: list[str], link: Link = "logit", clusters: Codes | None = None
) -> Propensity:
    """Fit by Newton's method with step halving.

    Args:
        treated: 0 or 1, length n.
        covariates: n x p, without intercept, no column constant or a sum of others.
        names: of the p columns, for the message.
        clusters: numbers from 0, length n, each left out of its rows' influence; None where nothing is left out.

    Raises:
        NotEstimable: the covariates separate the arms, so that no maximum exists (Albert, Anderson 1984, Biometrika
            71:1): whom to compare with whom is then a guess, and no weight can mend it.
    """
    columns = _with_intercept(covariates)
    coefficients = np.zeros(columns.shape[1])
    for _ in range(STEPS):
        score, curvature = _score(columns, coefficients, treated, link)
        try:
            step = np.linalg.solve(columns.T @ (columns * curvature[:, None]), score.sum(axis=0))
        except np.linalg.LinAlgError:
            break
        step = _halve(columns, coefficients, step, treated, link)
        coefficients = coefficients + step
        # Under separation a coefficient grows by about 1 a step for ever, so the step, not the score, tells.
        if np.abs(columns @ step).max() < TOLERANCE:
            return _fitted(columns, coefficients, treated, link, clusters)
    worst = names[int(np.abs(coefficients[1:]).argmax())] if names else "no covariate"
    raise NotEstimable(f"the covariates tell the two groups apart completely (foremost {worst}): nothing overlaps")


def _with_intercept(covariates: Floats) -> Floats:
    """Centred and scaled for a well conditioned solve; the fit does not depend on it."""
    spread = covariates.std(axis=0)
    return np.column_stack([np.ones(len(covariates)), (covariates - covariates.mean(axis=0)) / spread])


def _fitted(columns: Floats, coefficients: Floats, treated: Floats, link: Link, clusters: Codes | None) -> Propensity:
    score, curvature = _score(columns, coefficients, treated, link)
    predictor = columns @ coefficients
    scores, slope = _probability(predictor, link)
    others, _ = _probability(-predictor, link)
    influence = jackknife.on_coefficients(score, columns, curvature, clusters)
    return Propensity(scores, others, slope, columns, influence)


def _probability(predictor: Floats, link: Link) -> tuple[Floats, Floats]:
    if link == "probit":
        return stats.norm.cdf(predictor), stats.norm.pdf(predictor)
    scores = special.expit(predictor)
    return scores, scores * special.expit(-predictor)


def _score(columns: Floats, coefficients: Floats, treated: Floats, link: Link) -> tuple[Floats, Floats]:
    """Each row's gradient of the log likelihood (n x k), and its part in the observed information (n)."""
    predictor = columns @ coefficients
    if link == "probit":
        sign = 2 * treated - 1
        ratio = sign * np.exp(stats.norm.logpdf(predictor) - special.log_ndtr(sign * predictor))
        return columns * ratio[:, None], ratio * (ratio + predictor)
    scores, slope = _probability(predictor, link)
    return columns * (treated - scores)[:, None], slope


def _log_likelihood(predictor: Floats, treated: Floats, link: Link) -> float:
    sign = (2 * treated - 1) * predictor
    terms = special.log_ndtr(sign) if link == "probit" else special.log_expit(sign)
    return float(terms.sum())


def _halve(columns: Floats, coefficients: Floats, step: Floats, treated: Floats, link: Link) -> Floats:
    before = _log_likelihood(columns @ coefficients, treated, link)
    for _ in range(30):
        # Near the maximum the gain drowns in rounding: a loss of that order is no overshoot.
        if _log_likelihood(columns @ (coefficients + step), treated, link) >= before - 1e-9 * (1 + abs(before)):
            break
        step = step / 2
    return step
