"""Seeded streams of random numbers, one for each part of the made-up world."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Times: TypeAlias = npt.NDArray[np.datetime64]
Texts: TypeAlias = npt.NDArray[np.str_]

# A new stream is added at the end: the streams before it keep their numbers, and so do the files they make.
STREAMS = (
    "companies",
    "latent",
    "growth",
    "churn",
    "discount",
    "payment",
    "tickets",
    "service",
    "comments",
    "people",
    "mails",
    "calls",
    "meetings",
    "goals",
    "links",
    "billing",
    "identifiers",
    "requests",
    "dirt",
    "addresses",
    "tangles",
    "actions",
    "changes",
    "tenders",
    "effort",
    "usage",
    "answers",
    "deeds",
)


def streams(seed: int) -> dict[str, np.random.Generator]:
    """Independent generators by name, so that one more ticket moves no invoice."""
    children = np.random.SeedSequence(seed).spawn(len(STREAMS))
    return {name: np.random.default_rng(child) for name, child in zip(STREAMS, children, strict=True)}


def logistic(x: Floats) -> Floats:
    """Log odds as a probability."""
    return np.asarray(1 / (1 + np.exp(-x)))


def pick(rng: np.random.Generator, choices: tuple[str, ...], size: int) -> Texts:
    """`size` of the choices, each as likely as the others."""
    return np.array(choices)[rng.integers(len(choices), size=size)]


def events(counts: Ints) -> tuple[Ints, Ints]:
    """Account and month index of each event, from the number of events in each cell (account x month)."""
    account, month = np.nonzero(counts)
    times = counts[account, month]
    return np.repeat(account, times), np.repeat(month, times)
