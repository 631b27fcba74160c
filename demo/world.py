"""The whole made-up world: companies, what they are like, and what both sides got, drawn from one seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from demo.adoption import draw_usage, used_features
from demo.clock import month_starts
from demo.companies import Companies, draw_companies
from demo.customer_side import customer_side, draw_tickets
from demo.draws import Floats, Times, streams
from demo.latent import Latent, draw_latent
from demo.scoring import WINDOW, Records
from demo.supplier_side import draw_supplier, supplier_side


@dataclass(frozen=True)
class World:
    """Everything that the exports are rendered from.

    Attributes:
        months: the months of the exports, datetime64[M].
        rngs: a stream of random numbers for each part that is still to be drawn.
    """

    seed: int
    effect: float
    months: Times
    companies: Companies
    latent: Latent
    records: Records
    rngs: Mapping[str, np.random.Generator]

    def twin(self, partnership: float) -> Records:
        """The same draws in a world where every account has this partnership in every month.

        Only response times, resolutions, ratings, reopenings, work on tickets, usage, payments, discounts, seats and
        churn follow it. Nobody leaves before the last value window opens: it is compared over the customers that there
        really were.
        """
        return _records(
            self.records,
            np.full(self.latent.partnership.shape, partnership),
            self.effect,
            kept=len(self.months) - WINDOW,
        )


def draw_world(accounts: int, months: int, seed: int, effect: float) -> World:
    """Draw the world of `accounts` customers over `months` months."""
    rngs = streams(seed)
    starts = month_starts(months)
    companies = draw_companies(rngs["companies"], accounts, months)
    latent = draw_latent(rngs["latent"], companies.size, months)
    supplier_draws = draw_supplier(rngs, companies, months)
    tickets = draw_tickets(rngs, companies, starts)
    usage = draw_usage(rngs["usage"], companies, months)
    records = Records(
        companies,
        starts,
        supplier_draws,
        supplier_side(companies, supplier_draws, latent.partnership, effect),
        tickets,
        customer_side(tickets, latent.partnership, effect),
        usage,
        used_features(usage, latent.partnership, effect),
    )
    return World(seed, effect, starts, companies, latent, records, rngs)


def _records(records: Records, partnership: Floats, effect: float, kept: int) -> Records:
    return Records(
        records.companies,
        records.months,
        records.supplier_draws,
        supplier_side(records.companies, records.supplier_draws, partnership, effect, kept),
        records.tickets,
        customer_side(records.tickets, partnership, effect),
        records.usage,
        used_features(records.usage, partnership, effect),
    )
