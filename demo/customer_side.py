"""What the customer gets: answers, resolutions, ratings, reopenings; a function of partnership and fixed draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from demo.clock import after_business_minutes, utc, working_moment
from demo.companies import Companies
from demo.draws import Flags, Floats, Ints, Times, events, logistic

# What one unit of partnership (0 to 1) does at effect 1.
RESPONSE = 0.4  # log minutes
RESOLUTION = 0.33  # log minutes
RATING = 0.65  # log odds of a good rating
REOPENING = 0.6  # log odds
EFFORT = 0.25  # log minutes of work

NOT_OFFERED, OFFERED, BAD, GOOD = 0, 1, 2, 3


@dataclass(frozen=True)
class TicketDraws:
    """Every ticket that could be, one element each, sorted by creation; those after churn are never written.

    Attributes:
        levels: what the account's own times, odds and numbers lie about, one element for each account (`rate` a month).
    """

    account: Ints
    month: Ints
    created_local: Times
    response: Floats
    resolution: Floats
    rating_state: Ints
    rating: Floats
    rating_odds: Floats
    reopening: Floats
    reopening_odds: Floats
    effort: Floats
    levels: Mapping[str, Floats]


@dataclass(frozen=True)
class CustomerSide:
    """What became of each ticket of `TicketDraws`: times in minutes and UTC, rating state and number of reopenings."""

    created: Times
    answered: Times
    solved: Times
    response_business: Ints
    resolution_business: Ints
    rating: Ints
    reopens: Ints
    effort: Ints

    @property
    def response_minutes(self) -> Ints:
        """Calendar minutes to the first answer."""
        return _minutes(self.answered, self.created)

    @property
    def resolution_minutes(self) -> Ints:
        """Calendar minutes to the resolution."""
        return _minutes(self.solved, self.created)


def _minutes(end: Times, start: Times) -> Ints:
    return np.asarray((end - start).astype("m8[m]").astype(np.int64))


def draw_tickets(rngs: Mapping[str, np.random.Generator], companies: Companies, months: Times) -> TicketDraws:
    """How many tickets an account sends depends on its size and itself, never on partnership."""
    rng, service, work = rngs["tickets"], rngs["service"], rngs["effort"]
    size, count = companies.size, companies.count
    rate = np.exp(0.72 + 0.25 * size + rng.normal(0, 0.2, count))
    possible = np.arange(len(months)) >= companies.start[:, None]
    account, month = events(rng.poisson(rate[:, None] * np.ones(len(months))) * possible)
    created = working_moment(months[month], rng.random(len(account)), rng.random(len(account)))
    order = np.argsort(created, kind="stable")
    account, month, created = account[order], month[order], created[order]
    tickets = len(account)
    own = service.normal(0, 1, (count, 4))
    offered = service.random(tickets)
    levels = {
        "rate": rate,
        "response": 4.2 - 0.4 * size + 0.45 * own[:, 0],
        "resolution": 6.3 - 0.35 * size + 0.4 * own[:, 1],
        "rating": 1.2 + 0.45 * size + 0.8 * own[:, 2],
        "reopening": -2.0 - 0.4 * size + 0.75 * own[:, 3],
        "effort": 3.6 + 0.2 * size + 0.35 * work.normal(0, 1, count),
    }
    return TicketDraws(
        account=account,
        month=month,
        created_local=created,
        response=levels["response"][account] + service.normal(0, 1.0, tickets),
        resolution=levels["resolution"][account] + service.normal(0, 0.9, tickets),
        rating_state=np.where(offered < 0.25, NOT_OFFERED, np.where(offered < 0.5, OFFERED, GOOD)).astype(np.int64),
        rating=service.random(tickets),
        rating_odds=levels["rating"][account],
        reopening=service.random(tickets),
        reopening_odds=levels["reopening"][account],
        effort=levels["effort"][account] + work.normal(0, 0.6, tickets),
        levels=levels,
    )


def customer_side(draws: TicketDraws, partnership: Floats, effect: float) -> CustomerSide:
    """The customer side of a world with this partnership (account x month, in (0, 1))."""
    pull = effect * (partnership[draws.account, draws.month] - 0.5)
    response = np.maximum(np.rint(np.exp(draws.response - RESPONSE * pull)), 1).astype(np.int64)
    resolution = response + np.maximum(np.rint(np.exp(draws.resolution - RESOLUTION * pull)), 1).astype(np.int64)
    is_good = draws.rating < logistic(draws.rating_odds + RATING * pull)
    # The expected number of reopenings spread over 0, 1 and 2 by one draw.
    chance = logistic(draws.reopening_odds - REOPENING * pull)
    start = draws.created_local
    return CustomerSide(
        created=utc(start),
        answered=utc(after_business_minutes(start, response)),
        solved=utc(after_business_minutes(start, resolution)),
        response_business=response,
        resolution_business=resolution,
        rating=np.where(draws.rating_state == GOOD, np.where(is_good, GOOD, BAD), draws.rating_state),
        reopens=(draws.reopening < chance).astype(np.int64) + (draws.reopening < 0.15 * chance),
        effort=np.maximum(np.rint(np.exp(draws.effort - EFFORT * pull)), 1).astype(np.int64),
    )


def is_written(draws: TicketDraws, active: Flags) -> Flags:
    """Tickets of months with paid service."""
    return np.asarray(active[draws.account, draws.month])
