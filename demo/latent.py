"""What no export shows: how much of a partner, and how cost-focused, each customer is in each month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo.draws import Flags, Floats, Ints, logistic

SIZE_CORRELATION = 0.38  # larger customers are more often partners: the confounding that a naive comparison falls for
COST_CORRELATION = -0.3  # separate axes, weakly opposed
SWITCHER_SHARE = 0.12
SWITCH = 2.2  # log odds of the change


@dataclass(frozen=True)
class Latent:
    """Partnership and cost focus in (0, 1), account x month, and who changed.

    Attributes:
        switch_month: month index of the change; -1 for accounts that do not switch.
    """

    partnership: Floats
    cost_focus: Floats
    switch_month: Ints

    @property
    def is_switcher(self) -> Flags:
        return np.asarray(self.switch_month >= 0)


def draw_latent(rng: np.random.Generator, size: Floats, months: int) -> Latent:
    """Partnership drifts slowly; about one account in eight changes clearly, once, at a known month."""
    count = len(size)
    own = rng.standard_normal(count)
    inclination = SIZE_CORRELATION * size + np.sqrt(1 - SIZE_CORRELATION**2) * own
    drift = np.cumsum(rng.normal(0, 0.03, (count, months)), axis=1)
    is_switcher = rng.random(count) < SWITCHER_SHARE
    switch_month = np.where(is_switcher, rng.integers(months // 3, months - 6, count), -1)
    level = 1.2 * inclination
    turned = np.where(level > 0, -SWITCH, SWITCH)[:, None] * _after(switch_month, months)
    cost = COST_CORRELATION * inclination + np.sqrt(1 - COST_CORRELATION**2) * rng.standard_normal(count)
    return Latent(
        partnership=logistic(level[:, None] + drift + turned),
        cost_focus=np.repeat(logistic(1.2 * cost)[:, None], months, axis=1),
        switch_month=switch_month,
    )


def _after(switch_month: Ints, months: int) -> Flags:
    return np.asarray((switch_month[:, None] >= 0) & (np.arange(months) >= switch_month[:, None]))
