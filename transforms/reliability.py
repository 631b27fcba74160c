"""How far a score can be relied on: its two halves against each other, and its indicators against each other.

Split halves tell how much of a score would come again in other weeks. Cronbach's alpha and McDonald's omega tell how
far indicators that should show one thing do; low ones are no fault where a construct has several sides, as here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_ACCOUNTS = 30
AIM = 0.6  # of the halves: below it differences between single accounts are mostly noise
NORMAL_975 = 1.959964
_ROUNDS, _CLOSE, _WHOLE = 500, 1e-9, 0.995


@dataclass(frozen=True)
class Reliability:
    """One statistic of one score; `value` is nan with a reason where there is too little to tell.

    Attributes:
        accounts: accounts that it rests on; of alpha and omega those with at least two indicators.
        items: halves or indicators.
    """

    construct: str
    statistic: str
    value: float
    ci_low: float
    ci_high: float
    accounts: int
    items: int
    reason: str | None


def spearman_brown(correlation: float) -> float:
    """Reliability of a whole whose halves correlate so (C. Spearman, W. Brown 1910); negative ones stay as they are."""
    return 2 * correlation / (1 + correlation) if correlation > 0 else correlation


def split_half(construct: str, odd: pd.Series, even: pd.Series) -> Reliability:
    """Spearman-Brown over the accounts that both halves score, with the interval of Fisher's z."""
    both = pd.DataFrame({"odd": odd, "even": even}).dropna()
    if len(both) < LEAST_ACCOUNTS or both.nunique().min() < 2:
        return _too_few(construct, "split_half", len(both), 2)
    correlation = float(np.corrcoef(both["odd"], both["even"])[0, 1])
    width = NORMAL_975 / np.sqrt(len(both) - 3)
    middle = np.arctanh(min(correlation, 1 - 1e-12))
    low, high = (spearman_brown(float(np.tanh(middle + step))) for step in (-width, width))
    return Reliability(construct, "split_half", spearman_brown(correlation), low, high, len(both), 2, None)


def consistency(construct: str, items: pd.DataFrame) -> list[Reliability]:
    """Standardised alpha and omega of one factor, from the correlations of each pair of indicators.

    Not every account has every indicator, so each pair is taken over the accounts that have both; an indicator that has
    too few is left out.
    """
    spoken = items.loc[:, (items.count() >= LEAST_ACCOUNTS) & (items.std() > 0)]
    accounts = int((spoken.notna().sum(axis=1) >= 2).sum())
    correlations = spoken.corr(min_periods=LEAST_ACCOUNTS).to_numpy()
    if spoken.shape[1] < 2 or np.isnan(correlations).any():
        return [_too_few(construct, name, accounts, spoken.shape[1]) for name in ("cronbach_alpha", "omega")]
    found = [("cronbach_alpha", standardised_alpha(correlations))]
    if len(correlations) > 2:
        found.append(("omega", omega(correlations)))
    return [
        Reliability(construct, name, value, np.nan, np.nan, accounts, len(correlations), None) for name, value in found
    ]


def standardised_alpha(correlations: Floats) -> float:
    """k r / (1 + (k - 1) r), r the mean correlation of k items (L. J. Cronbach 1951, on standardised items)."""
    count = len(correlations)
    mean = (correlations.sum() - count) / (count * (count - 1))
    return float(count * mean / (1 + (count - 1) * mean))


def omega(correlations: Floats) -> float:
    """(sum of loadings)^2 over that and the uniquenesses, of one factor by principal axes (R. P. McDonald 1999)."""
    loadings = principal_axis(correlations)
    common = loadings.sum() ** 2
    return float(common / (common + (1 - loadings**2).sum()))


def principal_axis(correlations: Floats) -> Floats:
    """Loadings of each item on the one factor that explains the most of what they have in common."""
    communality = np.abs(correlations - np.eye(len(correlations))).max(axis=1)
    loadings = np.sqrt(communality)
    for _ in range(_ROUNDS):
        reduced = correlations.copy()
        np.fill_diagonal(reduced, communality)
        values, vectors = np.linalg.eigh(reduced)
        loadings = vectors[:, -1] * np.sqrt(max(values[-1], 0.0))
        before, communality = communality, np.minimum(loadings**2, _WHOLE)
        if np.abs(communality - before).max() < _CLOSE:
            break
    return np.asarray(loadings * (1 if loadings.sum() >= 0 else -1))


def _too_few(construct: str, statistic: str, accounts: int, items: int) -> Reliability:
    nothing = float("nan")
    reason = f"{accounts} accounts, {items} {'halves' if statistic == 'split_half' else 'indicators'}: too few to tell"
    return Reliability(construct, statistic, nothing, nothing, nothing, accounts, items, reason)
