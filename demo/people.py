"""People of both sides, and who of them meets whom: the more of a partnership, the more people take part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo import words
from demo.companies import ASCII, TEAM, Companies
from demo.draws import Floats, Ints, Texts

AGENT_TEAM = 4  # support agents who know one account


@dataclass(frozen=True)
class People:
    """Customers' people, ordered by account, and ours: staff (CRM users), then support agents.

    Attributes:
        first: index of each account's first contact; `account` says whose a contact is.
        agents: indices (into our people) of the agents around each account (n x AGENT_TEAM).
        diligence: how much each account's manager logs of the work; it has no bearing on value.
    """

    account: Ints
    first: Ints
    names: Texts
    emails: Texts
    role: Ints
    own_names: Texts
    own_emails: Texts
    staff: int
    agents: Ints
    diligence: Floats


def draw_people(rng: np.random.Generator, companies: Companies) -> People:
    """Contacts of each company, all with the company's own mail domain, and our own people."""
    account = np.repeat(np.arange(companies.count), companies.contacts)
    first = np.cumsum(companies.contacts) - companies.contacts
    rank = np.arange(len(account)) - first[account]
    names = _names()
    # Neighbouring pairs share a last name; steps of 19 do not meet again within 40 people.
    chosen = names[(rng.integers(len(names), size=companies.count)[account] + 19 * rank) % len(names)]
    agents = 8 + companies.count // 60
    own = _own_names(rng, names, companies.staff + agents)
    return People(
        account=account,
        first=first,
        names=chosen,
        emails=_addresses(chosen, companies.domain[account]),
        role=rng.integers(len(words.TITLES), size=len(account)),
        own_names=own,
        own_emails=_addresses(own, np.full(len(own), words.SUPPLIER_DOMAIN)),
        staff=companies.staff,
        agents=companies.staff + np.argsort(rng.random((companies.count, agents)), axis=1)[:, :AGENT_TEAM],
        diligence=np.exp(rng.normal(0, 0.12, companies.staff))[companies.manager],
    )


def _names() -> Texts:
    return np.array([f"{first} {last}" for last in words.LAST_NAMES for first in words.FIRST_NAMES])


def _own_names(rng: np.random.Generator, names: Texts, count: int) -> Texts:
    index = np.arange(count)
    turn = index // len(names)
    name = names[rng.permutation(len(names))[index % len(names)]]
    return np.where(turn == 0, name, np.strings.add(name, (turn + 1).astype(str)))


def _addresses(names: Texts, domains: Texts) -> Texts:
    return np.array(
        [
            f"{name.lower().replace(' ', '.').translate(ASCII)}@{domain}"
            for name, domain in zip(names, domains, strict=True)
        ]
    )


def customer_person(people: People, companies: Companies, account: Ints, partnership: Floats, u: Floats) -> Ints:
    """Index of the contact who takes part: one of the first few, or of many where partnership is high."""
    among = np.clip(1.3 + 5.5 * partnership + 0.4 * companies.size[account], 1, companies.contacts[account])
    return np.asarray(people.first[account] + np.floor(among * u**1.4).astype(np.int64))


def staff_person(companies: Companies, account: Ints, partnership: Floats, u: Floats) -> Ints:
    """Index of our person: the account manager alone, or more of the team."""
    rank = np.floor(np.clip(1.2 + 4.3 * partnership, 1, TEAM) * u**1.4).astype(np.int64)
    return np.asarray(companies.team[account, rank])


def agent_person(people: People, account: Ints, partnership: Floats, u: Floats) -> Ints:
    """Index of our support agent."""
    rank = np.floor(np.clip(1.1 + 2.5 * partnership, 1, AGENT_TEAM) * u**1.4).astype(np.int64)
    return np.asarray(people.agents[account, rank])
