"""Small worlds whose truth is planted, as the frames that the contrast reads."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from transforms.contrast.protocol import Protocol

T0, AS_OF = dt.date(2026, 1, 1), dt.date(2026, 6, 30)
PROTOCOL = Protocol.load()
# One comparison of two outcomes, where a test asks no more.
SHORT = PROTOCOL.model_copy(update={"comparisons": PROTOCOL.comparisons[:1], "outcomes": PROTOCOL.outcomes[:2]})
HIGH_LOW, STYLES = "partnership_high_vs_low", "partnership_vs_transactional"
SINCE = dt.date(2023, 1, 1)


def accounts(size: int = 400, effect: float = 0.0, seed: int = 1, managers: int = 100) -> pd.DataFrame:
    """Large accounts are rather partners and rather get much; `effect` is what partnership itself adds (in points)."""
    generator = np.random.default_rng(seed)
    log_mrr = generator.normal(8, 1, size)
    partnership = 1 / (1 + np.exp(-(log_mrr - 8) - generator.normal(0, 1.2, size)))
    value = 0.5 + 0.05 * (log_mrr - 8) + effect * (partnership >= 0.5)
    supplier, customer = (value + generator.normal(0, 0.1, size) for _ in range(2))
    cells = ["Transactional", "Undetermined", "Partnership"]
    return pd.DataFrame(
        {
            "account_id": [f"a{i:04d}" for i in range(size)],
            "segment": generator.choice(["large", "small"], size),
            "partnership": partnership,
            "cost_focus": 1 - partnership,
            "style": np.select([partnership <= 0.35, partnership < 0.65], cells[:2], cells[2]).astype(object),
            "reason": None,
            "mutual_value": (supplier + customer) / 2,
            "supplier_value": supplier,
            "customer_value": customer,
            "balance": generator.uniform(0.8, 1, size),
            "tilt": supplier - customer,
            "nrr": 1 + 0.1 * (supplier - 0.5),
            "days_beyond_terms": 20 - 40 * effect * (partnership >= 0.5) + generator.normal(0, 3, size),
            "discount_depth": generator.uniform(0, 0.3, size),
            "first_response": generator.lognormal(4, 1, size),
            "full_resolution": generator.lognormal(7, 1, size),
            "csat": generator.uniform(0.6, 1, size),
            "reopen_rate": generator.uniform(0, 0.2, size),
            "log_mrr": log_mrr,
            "seats": np.exp(log_mrr / 2) + generator.normal(0, 5, size),
            "tenure_months": generator.integers(13, 90, size).astype(float),
            "logging_intensity": generator.normal(5, 1, size),
            "industry": generator.choice(["energy", "retail", "banking"], size),
            "region": generator.choice(["north", "south"], size),
            "days_to_renewal": generator.integers(0, 365, size).astype(float),
            "sla_tier": generator.choice(["base", "gold"], size),
            "product": None,
            "owner_id": [f"m{i}" for i in generator.integers(0, managers, size)],
            "parent_id": None,
            "customer_from": SINCE,
            "churned_on": np.where(generator.random(size) < 0.1, dt.date(2026, 4, 1), None),
        }
    )


def followed(
    frame: pd.DataFrame, ratio: float = 1.0, hazard: float = 0.015, seed: int = 1
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The accounts with other days of churn, and their months, from SINCE to the last before AS_OF.

    Each month of partnership .2 higher multiplies the `hazard` of the next by `ratio`; small accounts leave sooner.
    """
    generator = np.random.default_rng(seed)
    months = pd.date_range(SINCE, AS_OF, freq="MS")
    shape = (len(frame), len(months))
    score = np.clip(frame["partnership"].to_numpy()[:, None] + generator.normal(0, 0.1, shape), 0.01, 0.99)
    size = frame["log_mrr"].to_numpy()[:, None] + generator.normal(0, 0.1, shape)
    # The first month's own style is not known before it.
    chance = hazard * ratio ** ((score[:, :-1] - 0.5) / 0.2) * np.exp(-0.3 * (size[:, :-1] - 8))
    leaves = generator.random(chance.shape) < chance
    last = np.where(leaves.any(axis=1), leaves.argmax(axis=1) + 1, len(months))
    ends = np.append(months[1:], pd.Timestamp(AS_OF) + pd.Timedelta(days=1)).astype("datetime64[s]").astype(object)
    churned_on = [ends[place].date() if place < len(months) - 1 else None for place in last]
    tidy = pd.DataFrame(
        {
            "account_id": np.repeat(frame["account_id"].to_numpy(), len(months)),
            "month": np.tile(months, len(frame)),
            "partnership": score.ravel(),
            "log_mrr": size.ravel(),
        }
    )
    present = np.arange(len(months)) <= last[:, None]
    return frame.assign(churned_on=churned_on), tidy[present.ravel()].reset_index(drop=True)


def half_years(
    frame: pd.DataFrame, effect: float = 0.0, periods: int = 10, switchers: float = 0.3, seed: int = 1
) -> pd.DataFrame:
    """Values of each account over half-years up to 0; a share become partners in one of the last three.

    `effect` sets in with the half-year of the switch; all others stay at low partnership.
    """
    generator = np.random.default_rng(seed)
    period = np.arange(1 - periods, 1)
    switched = np.where(generator.random(len(frame)) < switchers, generator.integers(-2, 1, len(frame)), 1)
    after = period >= switched[:, None]
    level = generator.normal(0.5, 0.1, (len(frame), 1)) + 0.01 * period
    values = {
        name: (level + effect * after + generator.normal(0, 0.05, after.shape)).ravel()
        for name in ("mutual_value", "supplier_value", "customer_value")
    }
    return pd.DataFrame(
        {
            "account_id": np.repeat(frame["account_id"].to_numpy(), periods),
            "period": np.tile(period, len(frame)),
            "partnership": np.where(after, 0.7, 0.3).ravel(),
            **values,
        }
    )
