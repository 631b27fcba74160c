"""How the two parties behave in mails, calls, meetings and tickets, as partnership and cost focus have it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo import words
from demo.clock import END, after_business_minutes, utc, working_moment
from demo.draws import Flags, Floats, Ints, Texts, Times, events, pick
from demo.people import People, agent_person, customer_person, staff_person
from demo.world import World

MAX_REPLIES = 3
MAX_COMMENTS = 6  # of the customer on one ticket, besides the question
KINDS = ("discount", "dispute", "pilot", "feature", "question", "task", "problem", "incident")


@dataclass(frozen=True)
class Mails:
    """Single mails in order of time; mails of one thread share its number. Times are UTC."""

    account: Ints
    thread: Ints
    moment: Times
    is_incoming: Flags
    contact: Ints
    staff: Ints
    subject: Texts


@dataclass(frozen=True)
class Calls:
    """Phone calls in order of time; times are UTC, length in seconds."""

    account: Ints
    moment: Times
    is_inbound: Flags
    contact: Ints
    staff: Ints
    subject: Texts
    seconds: Ints


@dataclass(frozen=True)
class Meetings:
    """Meetings in order of time; times are UTC, length in minutes."""

    account: Ints
    moment: Times
    contact: Ints
    staff: Ints
    subject: Texts
    kind: Texts
    minutes: Ints


@dataclass(frozen=True)
class TicketTexts:
    """What the written tickets are about and who took part, one element per ticket of the world's draws."""

    kind: Texts
    subject: Texts
    contact: Ints
    agent: Ints
    customer_comments: Ints


def customer_share(partnership: Floats) -> Floats:
    """Share of contacts that the customer starts."""
    return np.asarray(0.2 + 0.55 * partnership)


def draw_mails(world: World, people: People) -> Mails:
    """Threads opened by either side and answered the more, the more of a partnership; and requests for discounts."""
    rng, requests = world.rngs["mails"], world.rngs["requests"]
    partnership, active = world.latent.partnership, world.records.supplier.active
    share = customer_share(partnership)
    by_kind = (
        rng.poisson(1.4 * (1 - share) * people.diligence[:, None] * active),
        rng.poisson(1.4 * share * active),
        requests.poisson((0.01 + 0.5 * world.latent.cost_focus**2) * active),
    )
    account, month = (np.concatenate(part) for part in zip(*map(events, by_kind), strict=True))
    kind = np.repeat(np.arange(3), [counts.sum() for counts in by_kind])
    p = partnership[account, month]
    opened = working_moment(world.months[month], rng.random(len(account)), rng.random(len(account)))
    # An answer, and what the two then write to each other in turn: where partnership is low, much is left unanswered.
    is_answered = rng.random(len(account)) < 0.08 + 0.87 * p
    replies = np.where(is_answered, np.minimum(1 + 2 * rng.poisson(0.1 + 0.3 * p), MAX_REPLIES), 0)
    order, turn, moment = _thread_rows(rng, opened, replies)
    subject = _mail_subjects(rng, kind)
    mails = Mails(
        account=account[order],
        thread=order,
        moment=utc(moment),
        is_incoming=(kind[order] > 0) == (turn % 2 == 0),
        contact=customer_person(people, world.companies, account, p, rng.random(len(account)))[order],
        staff=staff_person(world.companies, account, p, rng.random(len(account)))[order],
        subject=np.where(turn == 0, subject[order], np.strings.add("Re: ", subject[order])),
    )
    return _in_time(mails)


def _thread_rows(rng: np.random.Generator, opened: Times, replies: Ints) -> tuple[Ints, Ints, Times]:
    """Thread, turn and local time of every mail; an answer takes between minutes and three working days."""
    threads, turns, moments = [np.arange(len(opened))], [np.zeros(len(opened), np.int64)], [opened]
    moment = opened
    for turn in range(1, MAX_REPLIES + 1):
        wait = np.minimum(np.rint(np.exp(rng.normal(5, 1.1, len(opened)))), 1440).astype(np.int64)
        moment = after_business_minutes(moment, wait)
        has = np.flatnonzero(replies >= turn)
        threads.append(has)
        turns.append(np.full(len(has), turn))
        moments.append(moment[has])
    return np.concatenate(threads), np.concatenate(turns), np.concatenate(moments)


def _mail_subjects(rng: np.random.Generator, kind: Ints) -> Texts:
    count = len(kind)
    ours = np.where(
        rng.random(count) < 0.15, pick(rng, words.OBLIGATORY_MAIL, count), pick(rng, words.VENDOR_MAIL, count)
    )
    theirs = pick(rng, words.CUSTOMER_MAIL, count)
    chosen = np.select([kind == 0, kind == 1], [ours, theirs], pick(rng, words.DISCOUNT_MAIL, count))
    return np.strings.replace(chosen, "{number}", (10_001 + rng.integers(9_000, size=count)).astype(str))


def _in_time(mails: Mails) -> Mails:
    """Mails until as_of, in order of time."""
    order = np.argsort(mails.moment, kind="stable")
    order = order[mails.moment[order] < END]
    return Mails(**{name: column[order] for name, column in vars(mails).items()})


def draw_calls(world: World, people: People) -> Calls:
    """Phone calls, in the direction that partnership gives them."""
    rng, companies = world.rngs["calls"], world.companies
    rate = (0.4 + 0.6 * world.latent.partnership) * people.diligence[:, None] * world.records.supplier.active
    account, month = events(rng.poisson(rate))
    p, count = world.latent.partnership[account, month], len(account)
    local = working_moment(world.months[month], rng.random(count), rng.random(count))
    calls = Calls(
        account=account,
        moment=utc(local),
        is_inbound=rng.random(count) < customer_share(p),
        contact=customer_person(people, companies, account, p, rng.random(count)),
        staff=staff_person(companies, account, p, rng.random(count)),
        subject=pick(rng, words.CALLS, count),
        seconds=np.rint(np.exp(rng.normal(6.2, 0.7, count))).astype(np.int64),
    )
    order = np.argsort(local, kind="stable")
    return Calls(**{name: column[order] for name, column in vars(calls).items()})


def draw_meetings(world: World, people: People) -> Meetings:
    """Meetings; where partnership is high, more of them shape the product together."""
    rng, companies = world.rngs["meetings"], world.companies
    account, month = events(rng.poisson((0.3 + 0.9 * world.latent.partnership) * world.records.supplier.active))
    p, count = world.latent.partnership[account, month], len(account)
    local = working_moment(world.months[month], rng.random(count), rng.random(count))
    u = rng.random(count)
    designs = 0.02 + 0.4 * p
    kind = np.select([u < designs, u < designs + 0.2, u < designs + 0.32], ["design", "review", "training"], "ordinary")
    options = {name: pick(rng, subjects, count) for name, subjects in words.MEETINGS.items()}
    meetings = Meetings(
        account=account,
        moment=utc(local),
        contact=customer_person(people, companies, account, p, rng.random(count)),
        staff=staff_person(companies, account, p, rng.random(count)),
        subject=_by_kind(kind, options),
        kind=kind,
        minutes=rng.choice([30, 45, 60, 90, 120], count),
    )
    order = np.argsort(local, kind="stable")
    return Meetings(**{name: column[order] for name, column in vars(meetings).items()})


def _by_kind(kind: Texts, options: dict[str, Texts]) -> Texts:
    return np.select([kind == name for name in options], list(options.values()), "")


def draw_ticket_texts(world: World, people: People) -> TicketTexts:
    """What each ticket is about. A ticket's times and rating do not depend on it, so style reaches value only through
    partnership itself."""
    rng, tickets, companies = world.rngs["comments"], world.records.tickets, world.companies
    count = len(tickets.account)
    p = world.latent.partnership[tickets.account, tickets.month]
    kind = _ticket_kinds(rng.random(count), p, world.latent.cost_focus[tickets.account, tickets.month])
    options = {name: pick(rng, subjects, count) for name, subjects in words.TICKET_SUBJECTS.items()}
    subject = _by_kind(kind, options)
    is_shared_work = (kind == "feature") | (kind == "pilot")
    return TicketTexts(
        kind=kind,
        subject=np.strings.replace(subject, "{number}", (10_001 + rng.integers(9_000, size=count)).astype(str)),
        contact=customer_person(people, companies, tickets.account, p, rng.random(count)),
        agent=agent_person(people, tickets.account, p, rng.random(count)),
        customer_comments=np.minimum(rng.poisson(np.where(is_shared_work, 0.6 + 2.5 * p, 0.5)), MAX_COMMENTS),
    )


def _ticket_kinds(u: Floats, partnership: Floats, cost_focus: Floats) -> Texts:
    shares = (
        0.004 + 0.08 * cost_focus**2,
        0.004 + 0.12 * cost_focus**2,
        0.01 + 0.07 * partnership,
        0.03 + 0.17 * partnership,
        0.18 + 0.17 * partnership,
        np.full(len(u), 0.08),
        np.full(len(u), 0.06),
    )
    ends = np.cumsum(shares, axis=0)
    return np.select([u < end for end in ends], list(KINDS[:-1]), KINDS[-1])
