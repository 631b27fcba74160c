"""How much the ranking by mutual value hangs on the weights of its components.

Weights are a choice, equal ones too. Were the components weighted otherwise, some accounts would stand elsewhere: each
is ranked under many random weightings, and what stays of its place is told.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import log_ndtr
from scipy.stats import rankdata

WEIGHTINGS = 1000
# As in scores/relationship.sql: a side's mean is held between the 1st and 99th percentile.
CLIP = 2.326
# Draws ranked at a time: memory stays within some tens of megabytes for 50,000 accounts.
_BATCH = 50

Floats = NDArray[np.float64]


def weight_robustness(components: pd.DataFrame, seed: int, weightings: int = WEIGHTINGS) -> pd.DataFrame:
    """Rank stability of mutual value under random weightings of its components.

    Args:
        components: account_id, part (supplier_value, customer_value), measure_id, z, weight (over 0, one per measure);
            of one month, of accounts that have a mutual value.
        seed: the weightings are drawn from Dirichlet(1, ..., 1), for each side by itself: all weightings alike likely.
        weightings: how many.

    Returns:
        One row per account: account_id, rank (1 is the highest, at the given weights), rank_low and rank_high (5th and
        95th percentile of its ranks), same_half and same_decile (share of weightings in which it stays in its half and
        its tenth of the ranking).
    """
    sides = [_side(components, part) for part in ("supplier_value", "customer_value")]
    accounts = sides[0].index
    if not len(accounts):
        return pd.DataFrame(columns=["account_id", "rank", "rank_low", "rank_high", "same_half", "same_decile"])
    random = np.random.default_rng(seed)
    drawn = [random.dirichlet(np.ones(side.shape[1]), weightings).T for side in sides]
    weight = components.groupby("measure_id")["weight"].first()
    given = [weight.reindex(side.columns).to_numpy(float)[:, None] for side in sides]
    rank = _ranks(_log_values(sides, given))[:, 0]
    ranks = np.hstack(
        [
            _ranks(_log_values(sides, [each[:, start : start + _BATCH] for each in drawn]))
            for start in range(0, weightings, _BATCH)
        ]
    )
    low, high = np.quantile(ranks, [0.05, 0.95], axis=1, method="inverted_cdf")
    return pd.DataFrame(
        {
            "account_id": accounts,
            "rank": rank,
            "rank_low": low,
            "rank_high": high,
            "same_half": _stays(rank, ranks, 2),
            "same_decile": _stays(rank, ranks, 10),
        }
    )


def _side(components: pd.DataFrame, part: str) -> pd.DataFrame:
    """Accounts by measures: z, missing where the account lacks the component. Both sides have the same accounts."""
    every = sorted(components["account_id"].unique())
    own = components[components["part"] == part]
    return own.pivot(index="account_id", columns="measure_id", values="z").sort_index(axis=1).reindex(every)


def _log_values(sides: list[pd.DataFrame], weights: list[Floats]) -> Floats:
    """ln mutual value, accounts by weightings; rounded, so that the order of adding does not decide a rank."""
    total = np.zeros((len(sides[0]), weights[0].shape[1]))
    for side, weight in zip(sides, weights, strict=True):
        z = side.to_numpy(float)
        mean = np.nan_to_num(z) @ weight / ((~np.isnan(z)).astype(float) @ weight)
        total += log_ndtr(np.clip(mean, -CLIP, CLIP)) / 2
    return np.round(total, 12)


def _ranks(values: Floats) -> NDArray[np.int32]:
    """Ranks within each column, 1 the highest; equal values share the better one."""
    return np.asarray(rankdata(-values, method="min", axis=0), dtype=np.int32)


def _stays(rank: NDArray[np.int32], ranks: NDArray[np.int32], groups: int) -> Floats:
    """Share of the weightings in which each account is in the same of so many equal groups of the ranking."""

    def group(each: NDArray[np.int32]) -> NDArray[np.int32]:
        return ((each - 1) * groups // len(rank)).astype(np.int32)

    return np.asarray((group(ranks) == group(rank)[:, None]).mean(axis=1), dtype=np.float64)
