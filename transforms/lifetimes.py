"""How long customers under contract stay: the shifted beta-geometric model, as functions that the SQL models call.

At each renewal a customer leaves with a chance of its own, which never changes; the chances follow a beta distribution
over customers. So retention rises with tenure although nobody grows more loyal: the ones who leave easily left early
(P. S. Fader, B. G. S. Hardie, "How to project customer retention", Journal of Interactive Marketing 21, 2007).
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from duckdb import sqltypes

Floats = npt.NDArray[np.float64]

# On the logarithm. Equal customers (geometric lifetimes) have no finite estimate; at the bound they are nearly so.
_BOUND = 10.0
_STEPS, _CLOSE = 200, 1e-9
# Beyond this many renewals nothing is expected: at a discount of 0 a heavy tail has no finite mean.
_HORIZON = 1200


def beta_geometric(tenure: Sequence[int], kept: Sequence[int], lost: Sequence[int]) -> tuple[float, float] | None:
    """Alpha and beta by maximum likelihood, from how many customers stayed and left at their n-th renewal.

    The likelihood goes from renewal to renewal, so customers who are first seen late, or still there, count for the
    renewals at which they were seen. None where nobody left, or nobody stayed: then there is no estimate.

    >>> stayed, left = [631, 468, 382, 326, 289, 262, 241], [369, 163, 86, 56, 37, 27, 21]
    >>> [round(x, 3) for x in beta_geometric(range(1, 8), stayed, left)]
    [0.704, 1.182]
    """
    n, stayed, left = (np.asarray(each, dtype=float) for each in (tenure, kept, lost))
    lost_in_all = float(left.sum())
    if lost_in_all == 0 or stayed.sum() == 0:
        return None
    logs = np.log([1.0, max(float(stayed.sum()) / lost_in_all, 0.1)])
    likelihood, slope, curve = _likelihood(logs, n, stayed, stayed + left, lost_in_all)
    damping = 1e-3
    for _ in range(_STEPS):
        if np.abs(slope).max() < _CLOSE * lost_in_all:
            break
        # Newton's step, damped until it climbs (K. Levenberg, Quarterly of Applied Mathematics 2, 1944).
        step = np.linalg.solve(curve - damping * lost_in_all * np.eye(2), -slope)
        ahead = np.clip(logs + np.clip(step, -1, 1), -_BOUND, _BOUND)
        tried = _likelihood(ahead, n, stayed, stayed + left, lost_in_all)
        if tried[0] > likelihood:
            logs, damping = ahead, damping / 10
            likelihood, slope, curve = tried
        elif damping > 1e12:
            break
        else:
            damping *= 10
    alpha, beta = np.exp(logs)
    return float(alpha), float(beta)


def _likelihood(logs: Floats, n: Floats, stayed: Floats, both: Floats, lost: float) -> tuple[float, Floats, Floats]:
    """The log likelihood with its slope and curvature, in the logarithms of alpha and beta."""
    alpha, beta = np.exp(logs)
    stay = beta + n - 1
    whole = stay + alpha
    value = float(stayed @ np.log(stay) - both @ np.log(whole)) + lost * float(logs[0])
    kept_part, whole_part = stayed / stay, both / whole
    squared = float((whole_part / whole).sum())
    by_alpha = lost / alpha - whole_part.sum()
    by_beta = kept_part.sum() - whole_part.sum()
    slope = np.array([alpha * by_alpha, beta * by_beta])
    mixed = alpha * beta * squared
    curve = np.array(
        [
            [slope[0] + alpha**2 * (squared - lost / alpha**2), mixed],
            [mixed, slope[1] + beta**2 * (squared - float((kept_part / stay).sum()))],
        ]
    )
    return value, slope, curve


def residual_lifetime(alpha: Floats, beta: Floats, tenure: Floats, yearly_rate: Floats) -> Floats:
    """Discounted months that a customer is expected to pay, who has paid `tenure` of them: the next renewal is due now.

    The sum over all renewals to come of the chance that it is still there, discounted by month (P. S. Fader,
    B. G. S. Hardie, Marketing Science 29, 2010, eq. 6), here by the recursion from one renewal to the next.
    """
    discount = (1 + yearly_rate) ** (-1 / 12)
    expected = np.zeros(len(alpha))
    for ahead in range(_HORIZON - 1, -1, -1):
        n = tenure + ahead
        expected = (beta + n - 1) / (alpha + beta + n - 1) * (1 + discount * expected)
    return expected


def define(connection: duckdb.DuckDBPyConnection) -> None:
    """The functions beta_geometric(tenure, kept, lost) and residual_lifetime(alpha, beta, tenure, rate)."""
    lists = duckdb.list_type(sqltypes.BIGINT)
    for name, function, parameters, result in (
        ("beta_geometric", _shapes, [lists] * 3, duckdb.list_type(sqltypes.DOUBLE)),
        ("residual_lifetime", _residuals, [sqltypes.DOUBLE] * 4, sqltypes.DOUBLE),
    ):
        connection.create_function(  # type: ignore[call-overload]  # its stub wants enumerations that cannot be made
            name, function, parameters, result, type="arrow", null_handling="special"
        )


def _shapes(tenure: pa.ChunkedArray, kept: pa.ChunkedArray, lost: pa.ChunkedArray) -> pa.Array:
    rows = zip(tenure.to_pylist(), kept.to_pylist(), lost.to_pylist(), strict=True)
    return pa.array([beta_geometric(*row) for row in rows], pa.list_(pa.float64()))


def _residuals(
    alpha: pa.ChunkedArray, beta: pa.ChunkedArray, tenure: pa.ChunkedArray, rate: pa.ChunkedArray
) -> pa.Array:
    columns = [each.to_numpy().astype(float) for each in (alpha, beta, tenure, rate)]
    return pa.array(residual_lifetime(*columns), pa.float64(), from_pandas=True)
