"""What each account's value is planted to be in the last window: the scores that it would have without chance.

Not a score to be met but an order to be found: each component stands where the account's own level, its size and its
partnership put it, in spreads of the reference, about the middle of its segment. What chance decides (how many tickets
there were, which month was slow) is left at its mean.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr

from demo.adoption import use_chance
from demo.companies import SEGMENTS
from demo.customer_side import EFFORT, RATING, REOPENING, RESOLUTION, RESPONSE
from demo.draws import Flags, Floats, Ints, logistic
from demo.scoring import CLIP, COMPONENTS, SUPPORT_HOUR, WINDOW, WINSOR, Records, Reference
from demo.supplier_side import CHANGED, GROWTH, LATENESS, STEP, leaving_chance

LATENESS_NOISE = 7.0  # days between one invoice of an account and another
EFFORT_NOISE = 0.6  # log minutes between one ticket of an account and another


def expected_values(
    records: Records, partnership: Floats, effect: float, reference: Mapping[str, Reference]
) -> dict[str, Floats]:
    """Supplier and customer value that each account is planted to have over the last six months, in (0, 1).

    nan for who was no customer when they began.
    """
    pull = effect * (partnership[:, -WINDOW:] - 0.5)
    levels = {**_supplier(records, pull), **_customer(records, pull)}
    customers = records.supplier.active[:, -WINDOW - 1]
    z = {
        name: _z(levels[name] * component.sign, reference[name].scale, records.companies.segment, customers)
        for name, component in COMPONENTS.items()
    }
    sides = {
        side: np.clip(np.mean([z[name] for name, each in COMPONENTS.items() if each.side == side], axis=0), -CLIP, CLIP)
        for side in ("supplier", "customer")
    }
    return {side: np.where(customers, ndtr(mean), np.nan) for side, mean in sides.items()}


def _supplier(records: Records, pull: Floats) -> dict[str, Floats]:
    draws, companies, sold = records.supplier_draws, records.companies, records.supplier
    price = sold.price[:, -WINDOW:].astype(float)
    paid = 1 - sold.discount[:, -WINDOW - 1 :] / sold.price[:, -WINDOW - 1 :]
    growth = CHANGED * STEP * (draws.levels["growth"][:, None] + GROWTH * pull).sum(axis=1)
    stays = np.prod(1 - leaving_chance(companies, pull), axis=1)
    late = draws.levels["lateness"] - LATENESS * pull.mean(axis=1)
    level = records.tickets.levels
    minutes = level["rate"] * np.exp(level["effort"] + EFFORT_NOISE**2 / 2 - EFFORT * pull.mean(axis=1))
    revenue = (price * paid[:, 1:]).mean(axis=1) / 100
    return {
        "nrr": np.exp(growth) * stays * paid[:, -1] / paid[:, 0],
        # Early payment counts as none: the mean of a normal cut off at 0. Nobody who is charged is late.
        "days_beyond_terms": np.where(companies.is_automatic, np.nan, _above_zero(late, LATENESS_NOISE)),
        "discount_depth": 1 - paid[:, 1:].mean(axis=1),
        "contribution_margin": 1 - minutes / 60 * SUPPORT_HOUR / revenue,
    }


def _above_zero(mean: Floats, spread: float) -> Floats:
    return np.asarray(mean * ndtr(mean / spread) + spread * np.exp(-((mean / spread) ** 2) / 2) / np.sqrt(2 * np.pi))


def _customer(records: Records, pull: Floats) -> dict[str, Floats]:
    """Times in log office minutes: their order is that of calendar minutes."""
    level, mean = records.tickets.levels, pull.mean(axis=1)
    response = level["response"] - RESPONSE * mean
    return {
        "first_response": response,
        "full_resolution": np.logaddexp(response, level["resolution"] - RESOLUTION * mean),
        "csat": logistic(level["rating"] + RATING * mean),
        "reopen_rate": logistic(level["reopening"] - REOPENING * mean),
        "adoption": use_chance(records.usage, pull).mean(axis=(1, 2)),
    }


def _z(better: Floats, scale: Floats, segment: Ints, customers: Flags) -> Floats:
    """Distance from the middle of the segment's customers in the reference's spreads; 0 where there is no level."""
    z = np.zeros(len(better))
    for number in range(len(SEGMENTS)):
        inside = segment == number
        if (inside & customers & np.isfinite(better)).any():
            z[inside] = (better - np.nanmedian(better[inside & customers]))[inside] / scale[inside]
    return np.clip(np.where(np.isfinite(z), z, 0.0), -WINSOR, WINSOR)
