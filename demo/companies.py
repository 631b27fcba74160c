"""Who the customers are: names, size, segment, terms and account team."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo import words
from demo.draws import Flags, Floats, Ints, Texts, Times, pick
from demo.identifiers import cvr_numbers

SEGMENTS = np.array(["Small", "Medium", "Large"])
ACCOUNTS_PER_MANAGER = 25
TEAM = 6  # our people around one account, the manager first
ASCII = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "Æ": "ae", "Ø": "oe", "Å": "aa", " ": "-"})


@dataclass(frozen=True)
class Companies:
    """The customers, one element each.

    Attributes:
        key: the company's name for the truth, `company-0001`.
        size: standard normal; the one confounder. Only `seats` and what is named after it (segment) show it.
        start: index of the first month as a customer; negative before the exports begin.
        unit_price: øre per seat and month.
        team: indices of our people around the account (n x TEAM); the first is the account manager.
    """

    key: Texts
    root: Texts
    name: Texts
    domain: Texts
    cvr: Texts
    industry: Texts
    region: Texts
    product: Texts
    sla_tier: Texts
    size: Floats
    segment: Ints
    seats: Ints
    unit_price: Ints
    employees: Ints
    contacts: Ints
    start: Ints
    terms: Ints
    is_automatic: Flags
    parent: Ints
    team: Ints
    staff: int

    @property
    def count(self) -> int:
        return len(self.key)

    @property
    def manager(self) -> Ints:
        return np.asarray(self.team[:, 0])

    def start_day(self, months: Times) -> Times:
        """First day as a customer."""
        return np.asarray((months[0] + self.start.astype("m8[M]")).astype("M8[D]"))


def draw_companies(rng: np.random.Generator, count: int, months: int) -> Companies:
    """`count` customers; about one in five comes in during the first two thirds of the months."""
    size = rng.standard_normal(count)
    industry, trade = _trades(rng, count)
    roots = _roots(rng, count)
    form = pick(rng, words.FORMS, count)
    is_new = rng.random(count) < 0.2
    start = np.where(
        is_new, rng.integers(1, months * 2 // 3, count), -np.floor(rng.exponential(30, count)).astype(np.int64)
    )
    managers = -(-count // ACCOUNTS_PER_MANAGER)
    parent = _parents(rng, size)
    seats = np.maximum(np.rint(np.exp(3.9 + 0.8 * size)), 5).astype(np.int64)
    return Companies(
        key=np.array([f"company-{number:04d}" for number in range(1, count + 1)]),
        root=roots,
        name=np.array([f"{a} {b} {c}" for a, b, c in zip(roots, trade, form, strict=True)]),
        domain=np.array([root.lower().translate(ASCII) + ".example" for root in roots.tolist()]),
        cvr=cvr_numbers(rng, count),
        industry=industry,
        region=pick(rng, words.REGIONS, count),
        product=pick(rng, words.PRODUCTS, count),
        sla_tier=np.array(words.SLA_TIERS)[
            np.clip(np.floor(size + rng.normal(0.9, 0.4, count)), 0, 2).astype(np.int64)
        ],
        size=size,
        segment=np.digitize(size, [0.0, 0.9]).astype(np.int64),
        seats=seats,
        unit_price=np.rint(18_000 * np.exp(rng.normal(0, 0.1, count)) / 50).astype(np.int64) * 50,
        employees=np.rint(seats * np.exp(rng.normal(0.8, 0.3, count))).astype(np.int64),
        contacts=np.clip(3 + rng.poisson(np.exp(1.4 + 0.4 * size)), 3, 40).astype(np.int64),
        start=start,
        terms=rng.choice([14, 30, 45], count, p=[0.3, 0.55, 0.15]).astype(np.int64),
        is_automatic=rng.random(count) < 0.15,
        parent=parent,
        team=_teams(rng, parent, managers),
        staff=2 * managers + 4,
    )


def _roots(rng: np.random.Generator, count: int) -> Texts:
    """A different root for each company; beyond the pairs of parts, with a number behind."""
    pairs = np.array([start + end for start in words.ROOT_STARTS for end in words.ROOT_ENDS])
    index = np.arange(count)
    order = rng.permutation(len(pairs))[index % len(pairs)]
    turn = index // len(pairs)
    return np.where(turn == 0, pairs[order], np.strings.add(pairs[order], np.strings.add(" ", (turn + 1).astype(str))))


def _trades(rng: np.random.Generator, count: int) -> tuple[Texts, Texts]:
    pairs = [(industry, trade) for industry, trades in words.TRADES.items() for trade in trades]
    chosen = rng.integers(len(pairs), size=count)
    industries, trades = zip(*pairs, strict=True)
    return np.array(industries)[chosen], np.array(trades)[chosen]


def _parents(rng: np.random.Generator, size: Floats) -> Ints:
    """Index of the parent company, -1 for none: one in twenty belongs to one of the larger ones."""
    largest = np.argsort(-size)[: max(1, len(size) // 40)]
    is_child = (rng.random(len(size)) < 0.05) & ~np.isin(np.arange(len(size)), largest)
    return np.where(is_child, rng.choice(largest, len(size)), -1)


def _teams(rng: np.random.Generator, parent: Ints, managers: int) -> Ints:
    """The manager, who is also the parent company's, then specialists (indices after the managers), each once."""
    manager = rng.integers(managers, size=len(parent))
    manager = np.where(parent >= 0, manager[parent], manager)
    specialists = managers + np.argsort(rng.random((len(parent), managers + 4)), axis=1)[:, : TEAM - 1]
    return np.concatenate([manager[:, None], specialists], axis=1)
