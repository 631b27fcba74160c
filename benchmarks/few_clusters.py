"""Few clusters: which error holds the truth in 95 of 100 worlds? Sandwich, score wild cluster bootstrap, jackknife."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from transforms.contrast.clusters import totals
from transforms.contrast.errors import NotEstimable
from transforms.contrast.estimators import Method, Sample, arms, summarise

Floats = NDArray[np.float64]

METHODS: tuple[Method, ...] = ("overlap", "aipw", "regression", "ipw")
ACCOUNTS, COLUMNS, EFFECT = 400, 6, 0.3
DRAWS = 999
# Six points with the first moments of a standard normal (Webb 2023, Canadian J. Economics 56:839): two, as Rademacher's
# are, make too few different draws of few clusters.
WEBB = np.array([-math.sqrt(1.5), -1.0, -math.sqrt(0.5), math.sqrt(0.5), 1.0, math.sqrt(1.5)])


@dataclass(frozen=True)
class Held:
    """Whether each 95 % interval of one world held the truth."""

    method: Method
    sandwich: bool
    bootstrap: bool
    jackknife: bool


def draw(generator: np.random.Generator, managers: int) -> Sample:
    """Accounts of managers of unequal size, each with their own share of partners, value and worth of partnership."""
    share = generator.lognormal(0, 0.8, managers)
    manager = generator.choice(managers, ACCOUNTS, p=share / share.sum())
    inclined, generous, able = generator.normal(size=(3, managers))
    covariates = generator.normal(size=(ACCOUNTS, COLUMNS))
    chance = 1 / (1 + np.exp(-0.7 * covariates[:, 0] - 0.3 * covariates[:, 1] - 0.7 * inclined[manager]))
    treated = (generator.random(ACCOUNTS) < chance).astype(float)
    gain = (EFFECT + 0.3 * able[manager]) * treated
    noise = generator.normal(size=ACCOUNTS)
    outcome = covariates[:, :2] @ [0.6, 0.3] + gain + 0.4 * generous[manager] + noise
    names = [f"x{number}" for number in range(COLUMNS)]
    return Sample(outcome, treated, covariates, names, covariates, np.unique(manager, return_inverse=True)[1])


def held(managers: int, seed: int) -> list[Held]:
    """One world with so many managers, by every method that could be computed."""
    generator = np.random.default_rng([seed, managers])
    sample = draw(generator, managers)
    found = []
    for method in METHODS:
        try:
            found.append(_held(sample, method, generator))
        except NotEstimable:
            continue
    return found


def _held(sample: Sample, method: Method, generator: np.random.Generator) -> Held:
    estimate = summarise(sample, arms(sample, method), method)
    treated, control = arms(replace(sample, clusters=None), method)
    assert sample.clusters is not None
    influence = totals(treated.influence - control.influence, sample.clusters) / ACCOUNTS
    count = len(influence)
    error = math.sqrt(count / (count - 1) * float(np.square(influence).sum()))
    missed = abs(estimate.effect - EFFECT)
    return Held(
        method,
        sandwich=missed <= float(stats.t.ppf(0.975, count - 1)) * error,
        bootstrap=missed <= score_quantile(influence, generator) * error,
        jackknife=estimate.ci_low <= EFFECT <= estimate.ci_high,
    )


def score_quantile(influence: Floats, generator: np.random.Generator) -> float:
    """95 % quantile of |t*|: each cluster's influence times a random weight (Kline, Santos 2012, JEM 1:23)."""
    parts = generator.choice(WEBB, size=(DRAWS, len(influence))) * np.sort(influence)
    total = parts.sum(axis=1)
    error = math.sqrt(len(influence)) * parts.std(axis=1, ddof=1)
    return float(np.quantile(np.abs(total) / error, 0.95))
