"""How much of the product each customer uses, as a function of partnership and fixed draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo.companies import Companies
from demo.draws import Flags, Floats, logistic

FEATURES = ("overblik", "alarmer", "rapporter", "eksport", "integration")
USED = 0.45  # log odds of using a feature in a month, for one unit of partnership


@dataclass(frozen=True)
class UsageDraws:
    """Random numbers behind usage: `odds` (account x feature), `chance` and `times` (account x month x feature)."""

    odds: Floats
    chance: Floats
    times: Floats


def draw_usage(rng: np.random.Generator, companies: Companies, months: int) -> UsageDraws:
    """Some features are for everybody, some for few; the larger a customer, the more it uses."""
    count, features = companies.count, len(FEATURES)
    common = np.linspace(1.6, -0.6, features)
    own = rng.normal(0, 0.7, (count, 1)) + rng.normal(0, 0.5, (count, features))
    return UsageDraws(
        odds=common + 0.3 * companies.size[:, None] + own,
        chance=rng.random((count, months, features)),
        times=rng.lognormal(3.0, 0.8, (count, months, features)),
    )


def used_features(draws: UsageDraws, partnership: Floats, effect: float) -> Flags:
    """Whether each feature was used (account x month x feature), were the account a customer in the month."""
    pull = effect * (partnership - 0.5)
    return np.asarray(draws.chance < use_chance(draws, pull))


def use_chance(draws: UsageDraws, pull: Floats) -> Floats:
    """The chance of it, with a pull for each account and month."""
    return logistic(draws.odds[:, None, :] + USED * pull[:, :, None])
