"""Where the companies have their letters sent, as the CRM and billing know it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo import words
from demo.draws import Texts, pick

MOVED_SHARE = 0.15  # the invoice goes to another place


@dataclass(frozen=True)
class Addresses:
    """One address each."""

    street: Texts
    postal_code: Texts
    city: Texts


def draw_addresses(rng: np.random.Generator, count: int) -> Addresses:
    """`count` addresses in real towns, in streets that many towns have."""
    codes, cities = (np.array(part) for part in zip(*words.TOWNS, strict=True))
    town = rng.integers(len(codes), size=count)
    numbers = rng.integers(1, 120, size=count).astype(str)
    street = np.strings.add(np.strings.add(pick(rng, words.STREETS, count), " "), numbers)
    return Addresses(street, codes[town], cities[town])


def some_moved(rng: np.random.Generator, addresses: Addresses) -> Addresses:
    """The same addresses, some of them others."""
    other = draw_addresses(rng, len(addresses.street))
    moved = rng.random(len(addresses.street)) < MOVED_SHARE
    return Addresses(
        np.where(moved, other.street, addresses.street),
        np.where(moved, other.postal_code, addresses.postal_code),
        np.where(moved, other.city, addresses.city),
    )
