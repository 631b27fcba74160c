"""The one word on a contrast, and the sentence that says why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Direction = Literal["up", "down", "none"]


class Word(StrEnum):
    """The five verdicts, in the order in which they are tried."""

    NOT_ESTIMABLE = "not_estimable"
    PRACTICALLY_NULL = "practically_null"
    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Verdict:
    word: Word
    reason: str


def not_estimable(reason: str) -> Verdict:
    """The verdict of a contrast whose gate failed."""
    return Verdict(Word.NOT_ESTIMABLE, reason)


def decide(ci_low: float, ci_high: float, aipw: float | None, smallest: float, direction: Direction = "up") -> Verdict:
    """The verdict on an estimate that passed the gates.

    Args:
        ci_low, ci_high: 95 % interval of the overlap-weighted difference, in units of Hedges' g.
        aipw: the AIPW estimate of the same difference, in any unit; None where it could not be computed.
        smallest: smallest effect of interest, in g; the interval counts as null when it lies inside +-smallest.
        direction: "down" where less is better (days, minutes): `supported` always means better, whatever the sign.

    Raises:
        ValueError: the limits are not in order, or not numbers.
    """
    if not ci_low <= ci_high:
        raise ValueError(f"an interval needs its lower limit first, got {ci_low} to {ci_high}")
    interval = f"the 95 % interval, {ci_low:+.2f} to {ci_high:+.2f} standard deviations,"
    if -smallest < ci_low and ci_high < smallest:
        return Verdict(Word.PRACTICALLY_NULL, f"{interval} lies inside +-{smallest:g}")
    if ci_low <= 0 <= ci_high:
        return Verdict(Word.INCONCLUSIVE, f"{interval} holds 0, and also effects that would matter")
    above = ci_low > 0
    side = "above 0" if above else "below 0"
    if aipw is None:
        return Verdict(Word.INCONCLUSIVE, f"{interval} lies {side}, but AIPW could not be computed to confirm it")
    if (aipw > 0) != above or aipw == 0:
        return Verdict(Word.INCONCLUSIVE, f"{interval} lies {side}, but AIPW has not the same sign")
    better = above != (direction == "down")
    word = Word.SUPPORTED if better else Word.CONTRADICTED
    less = " (less is better)" if direction == "down" else ""
    return Verdict(word, f"{interval} lies {side}{less}, and AIPW has the same sign")
