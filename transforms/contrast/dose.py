"""How the outcome goes with partnership over its whole range: a curve, and whether it bends."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from transforms.contrast.errors import NotEstimable
from transforms.contrast.regression import Wald, combine, fit, wald

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

# Quantiles of the four knots that make 3 degrees of freedom (Harrell 2015, Regression Modeling Strategies, table 2.3).
KNOTS = (0.05, 0.35, 0.65, 0.95)
GRID: Floats = np.arange(21) / 20
# On fewer points no bend can be drawn.
FEWEST_POINTS = 3


@dataclass(frozen=True)
class DoseResponse:
    """Mean outcome by partnership.

    Attributes:
        curve: a row per partnership (0.00, 0.05, ... where the middle nine tenths of the accounts are) with value,
            ci_low and ci_high in the outcome's unit.
        overall: test that the outcome does not go with partnership at all.
        non_linearity: test that it goes with partnership along a straight line.
        n: accounts.
        n_clusters: clusters of accounts that share a manager or a parent.
        note: what a reader of the curve must know.
    """

    curve: pd.DataFrame
    overall: Wald
    non_linearity: Wald
    n: int
    n_clusters: int
    note: str


def dose_response(
    outcome: Floats, partnership: Floats, covariates: Floats, clusters: Codes, accounts_per_column: int
) -> DoseResponse:
    """Regress the outcome on a natural cubic spline of partnership (3 degrees of freedom) and the covariates.

    The curve is the mean prediction over the accounts, were each of them at that partnership with its own covariates
    (g-computation; Robins 1986, Mathematical Modelling 7:1393). Its intervals hold at each point by itself, and for the
    covariates of these accounts.

    Args:
        outcome: length n.
        partnership: 0-1, length n.
        covariates: the design, n x p, without intercept.
        clusters: a number per row, length n; rows with the same number are not independent.
        accounts_per_column: rows needed for each column of spline and design.

    Raises:
        NotEstimable: partnership takes too few values or too narrow a range, or the regression cannot be fitted (see
            `transforms.contrast.regression.fit`).
    """
    places = knots(partnership)
    points = _points(places)
    # About their means, where a prediction with covariates 0 is the mean prediction over the accounts.
    centred = covariates - covariates.mean(axis=0)
    columns = np.column_stack([np.ones(len(outcome)), natural_spline(partnership, places), centred])
    fitted = fit(columns, outcome, clusters, accounts_per_column)
    weights = np.zeros((len(points), columns.shape[1]))
    weights[:, :4] = np.column_stack([np.ones(len(points)), natural_spline(points, places)])
    curve = pd.DataFrame(
        [{"partnership": p, **asdict(combine(fitted, w))} for p, w in zip(points, weights, strict=True)]
    )
    terms = np.eye(columns.shape[1])[1:4]
    return DoseResponse(
        curve=curve[["partnership", "value", "ci_low", "ci_high"]],
        overall=wald(fitted, terms),
        non_linearity=wald(fitted, terms[1:]),
        n=fitted.n,
        n_clusters=fitted.n_clusters,
        note=f"partnership of nine accounts in ten is {places[0]:.2f} to {places[-1]:.2f}; beyond, no curve is drawn; "
        f"errors rest on {fitted.n_clusters} clusters of accounts that share a manager or parent",
    )


def knots(dose: Floats) -> Floats:
    """The four knots, at fixed quantiles of the dose.

    Raises:
        NotEstimable: two of them coincide.
    """
    places: Floats = np.quantile(dose, KNOTS)
    if not (np.diff(places) > 1e-9).all():
        raise NotEstimable(
            f"the {len(np.unique(dose))} values that partnership takes in {len(dose)} accounts are too heaped for a "
            "curve: its quantiles at 5, 35, 65 and 95 % must differ"
        )
    return places


def natural_spline(dose: Floats, places: Floats) -> Floats:
    """Basis of a cubic spline that is straight beyond its outer knots: m doses and 4 knots to m x 3, the dose first.

    Truncated powers over the squared distance of the outer knots, so that each column has the dose's unit (Harrell
    2015, Regression Modeling Strategies, 2.4.5).
    """
    inner, before, last = places[:-2], places[-2], places[-1]
    cubes = np.maximum(dose[:, None] - places, 0) ** 3
    bends = (
        cubes[:, :-2]
        - cubes[:, [-2]] * (last - inner) / (last - before)
        + cubes[:, [-1]] * (before - inner) / (last - before)
    )
    return np.column_stack([dose, bends / (last - places[0]) ** 2])


def _points(places: Floats) -> Floats:
    points: Floats = GRID[(places[0] - 1e-9 <= GRID) & (places[-1] + 1e-9 >= GRID)]
    if len(points) < FEWEST_POINTS:
        raise NotEstimable(
            f"partnership of nine accounts in ten is {places[0]:.2f} to {places[-1]:.2f}: too narrow for a curve"
        )
    return points
