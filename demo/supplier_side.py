"""What the supplier gets: seats, discounts, payments and churn, as a function of partnership and fixed draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from demo.companies import Companies
from demo.draws import Flags, Floats, Ints, logistic

# What one unit of partnership (0 to 1) does at effect 1, in each quantity's own unit. Chosen so that mutual value
# differs by about 0.7 standard deviations between partnership .8 and .2.
GROWTH = 0.55  # standard deviations of a monthly seat change
CHURN = 0.5  # log odds of leaving in a month
DISCOUNT = 0.04  # share of the price
LATENESS = 3.3  # days

CHANGED = 0.35  # chance that a month brings other seats
STEP = 0.05  # log seats, for one unit of growth

NEVER_PAID = 2000  # days late that stand for an invoice that stays open


@dataclass(frozen=True)
class SupplierDraws:
    """Random numbers behind the supplier side, account x month; the same in every twin of the world.

    `usage` and `one_off` are amounts in øre, mostly 0. `levels`: what the account's own growth and lateness lie about.
    """

    changes: Flags
    growth: Floats
    leaves: Floats
    discount: Floats
    lateness: Floats
    usage: Ints
    one_off: Ints
    levels: Mapping[str, Floats]


@dataclass(frozen=True)
class SupplierSide:
    """What was sold and paid, account x month; amounts in øre.

    Attributes:
        price: of the month's seats, before discount.
        discount: granted on it.
        late_days: days of payment after the due date; negative for early.
        active: months with paid service.
    """

    seats: Ints
    price: Ints
    discount: Ints
    late_days: Ints
    active: Flags

    @property
    def recurring(self) -> Ints:
        """Net recurring amount; 0 without service."""
        return np.asarray((self.price - self.discount) * self.active)


def draw_supplier(rngs: Mapping[str, np.random.Generator], companies: Companies, months: int) -> SupplierDraws:
    """Account effects, size effects and noise. Agreements on discounts last twelve months from the anniversary."""
    count, shape = companies.count, (companies.count, months)
    size = companies.size[:, None]
    growth, discount, payment = rngs["growth"], rngs["discount"], rngs["payment"]
    year = (np.arange(months) - companies.start[:, None]) // 12
    agreements = discount.normal(0, 0.05, (count, 60))
    agreed = np.take_along_axis(agreements, year % 60, axis=1)
    own_lateness = 2 + 4 * payment.normal(0, 1, (count, 1)) - 0.8 * size
    lateness = own_lateness + payment.normal(0, 7, shape)
    changes = growth.random(shape) < CHANGED
    own_growth = growth.normal(0.05, 0.45, (count, 1)) + 0.35 * size
    return SupplierDraws(
        changes=changes,
        growth=own_growth + growth.standard_normal(shape),
        leaves=rngs["churn"].random(shape),
        discount=0.03 + discount.normal(0, 0.05, (count, 1)) + agreed - 0.025 * size,
        lateness=np.where(payment.random(shape) < 0.006, NEVER_PAID, lateness),
        usage=_now_and_then(rngs["billing"], shape, share=0.15, typical=45_000),
        one_off=_now_and_then(rngs["billing"], shape, share=0.04, typical=600_000),
        levels={"growth": own_growth[:, 0], "lateness": own_lateness[:, 0]},
    )


def _now_and_then(rng: np.random.Generator, shape: tuple[int, int], *, share: float, typical: int) -> Ints:
    amount = np.rint(typical * np.exp(rng.normal(0, 0.5, shape)) / 100).astype(np.int64) * 100
    return np.asarray(amount * (rng.random(shape) < share))


def leaving_chance(companies: Companies, pull: Floats) -> Floats:
    """The chance to leave in a month, account x month."""
    return logistic(-5.25 - 0.15 * companies.size[:, None] - CHURN * pull)


def supplier_side(
    companies: Companies, draws: SupplierDraws, partnership: Floats, effect: float, kept: int = 0
) -> SupplierSide:
    """The supplier side of a world with this partnership.

    Args:
        partnership: account x month, in (0, 1).
        kept: months from the first in which nobody leaves, so that a twin has the same customers at a window's start.
    """
    pull = effect * (partnership - 0.5)
    month = np.arange(partnership.shape[1])
    begun = month >= companies.start[:, None]
    step = np.where(draws.changes & (month > companies.start[:, None]), STEP * (draws.growth + GROWTH * pull), 0.0)
    hazard = leaving_chance(companies, pull)
    # Everybody pays for one month of the exports at least.
    may_leave = (month > np.maximum(companies.start[:, None], 0)) & (month >= kept)
    left = np.cumsum((draws.leaves < hazard) & may_leave, axis=1) > 0
    depth = np.clip(draws.discount - DISCOUNT * pull, 0, 0.4)
    seats = np.maximum(np.rint(companies.seats[:, None] * np.exp(np.cumsum(step, axis=1))), 1).astype(np.int64)
    price = seats * companies.unit_price[:, None]
    return SupplierSide(
        seats=seats,
        price=price,
        discount=np.rint(price * np.rint(depth / 0.025) * 0.025).astype(np.int64),
        late_days=np.rint(draws.lateness - LATENESS * pull).astype(np.int64),
        active=begun & ~left,
    )
