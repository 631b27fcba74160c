"""What customers say of us and do for our name, and which of their wishes came true: lists that are kept by hand.

The lists are the templates surveys.csv and cocreation_events.csv. All of it follows the value that is planted for the
customer, with noise, and enters no score.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demo.agreements import numbered, write_list
from demo.clock import AS_OF, day_text, iso_utc, utc, working_moment
from demo.contacts import TicketTexts
from demo.customer_side import is_written
from demo.dirt import Dirt
from demo.draws import Floats, Ints, Texts, Times, events, pick
from demo.expected import expected_values
from demo.links import Links
from demo.scoring import references
from demo.world import World
from demo.zendesk import FIRST_TICKET

WAVES = (3, 9)  # months in which everybody is asked whether they would recommend us
ANSWERED = 0.2  # answers to a wave for each seat
# A seat on an advisory board would be co-creation as well, and so style.
ADVOCACY = ("reference", "case_study", "joint_marketing")


@dataclass(frozen=True)
class Answers:
    """Answers of 0 to 10 in order of time (UTC); `person` numbers those of one account."""

    account: Ints
    person: Ints
    score: Ints
    moment: Times


@dataclass(frozen=True)
class Deeds:
    """Events in order of time. `ticket` is the one that had asked for a feature that was shipped, else -1."""

    account: Ints
    kind: Texts
    day: Times
    ticket: Ints


def planted_value(world: World) -> Floats:
    """The customer's planted value of the last window, one for each account; the middle for who is no customer then."""
    sides = expected_values(world.records, world.latent.partnership, world.effect, references(world.records))
    return np.where(np.isfinite(sides["customer"]), sides["customer"], 0.5)


def draw_answers(world: World, value: Floats) -> Answers:
    """What the users of paid seats answer in each wave: the more value, the higher, two points to and fro."""
    rng, active = world.rngs["answers"], world.records.supplier.active
    is_wave = np.isin(world.months.astype(int) % 12 + 1, WAVES)
    account, month = events(rng.poisson(ANSWERED * world.companies.seats[:, None] * (active & is_wave)))
    count = len(account)
    local = working_moment(world.months[month], rng.random(count), rng.random(count))
    answers = Answers(
        account=account,
        person=rng.integers(world.companies.seats[account]),
        score=np.clip(np.rint(rng.normal(5.5 + 4 * value[account], 2.0)), 0, 10).astype(np.int64),
        moment=utc(local),
    )
    order = np.argsort(answers.moment, kind="stable")
    return Answers(**{name: column[order] for name, column in vars(answers).items()})


def draw_deeds(world: World, texts: TicketTexts, value: Floats) -> Deeds:
    """References and the like, the more the more value; and the wishes that we shipped, which value decides too."""
    rng, tickets, active = world.rngs["deeds"], world.records.tickets, world.records.supplier.active
    account, month = events(rng.poisson((0.01 + 0.2 * value[:, None] ** 2) * active))
    day = world.months[month].astype("M8[D]") + rng.integers(0, 28, len(account)).astype("m8[D]")
    wishes = np.flatnonzero((texts.kind == "feature") & is_written(tickets, active))
    asked = tickets.created_local[wishes].astype("M8[D]")
    shipped = asked + np.rint(np.exp(rng.normal(4.4, 0.6, len(wishes)))).astype("m8[D]")
    is_shipped = (rng.random(len(wishes)) < 0.1 + 0.7 * value[tickets.account[wishes]]) & (shipped <= AS_OF)
    wishes, shipped = wishes[is_shipped], shipped[is_shipped]
    deeds = Deeds(
        account=np.concatenate([account, tickets.account[wishes]]),
        kind=np.concatenate([pick(rng, ADVOCACY, len(account)), np.full(len(wishes), "feature_shipped")]),
        day=np.concatenate([day, shipped]),
        ticket=np.concatenate([np.full(len(account), -1), wishes]),
    )
    order = np.argsort(deeds.day, kind="stable")
    return Deeds(**{name: column[order] for name, column in vars(deeds).items()})


def write_voices(inbox: Path, world: World, links: Links, dirt: Dirt, texts: TicketTexts) -> None:
    """Write inbox/surveys/surveys.csv and inbox/events/cocreation_events.csv."""
    value = planted_value(world)
    answers, deeds = draw_answers(world, value), draw_deeds(world, texts, value)
    account, request = links.crm[answers.account], (FIRST_TICKET + deeds.ticket).astype(str)
    write_list(
        inbox / "surveys" / "surveys.csv",
        {
            "response_id": numbered("SV", len(account)),
            "account_id": account,
            "person": np.strings.add(np.strings.add(account, "-"), answers.person.astype(str)),
            "instrument": np.full(len(account), "nps"),
            "score": answers.score,
            "answered_at": iso_utc(answers.moment),
        },
        dirt,
    )
    day = day_text(deeds.day)
    write_list(
        inbox / "events" / "cocreation_events.csv",
        {
            "event_id": numbered("CO", len(day)),
            "account_id": links.crm[deeds.account],
            "kind": deeds.kind,
            "occurred_at": day,
            "created_at": day,
            "request_id": np.where(deeds.ticket >= 0, np.strings.add("zendesk:", request), ""),
        },
        dirt,
    )
