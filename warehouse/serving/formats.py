"""Numbers and dates as people read them. What is not recorded shows as a dash, never as 0."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

ABSENT = "–"
MINUS = "\N{MINUS SIGN}"

Number = int | float | Decimal


def _is_absent(value: Number | None) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def fixed(value: Number | None, digits: int = 2, *, signed: bool = False) -> str:
    """`1,234.50`, with a true minus sign; a rounded zero carries no sign."""
    if value is None or _is_absent(value):
        return ABSENT
    text = f"{abs(value):,.{digits}f}"
    if not any(digit in text for digit in "123456789"):
        return text
    plus = "+" if signed else ""
    return (MINUS if value < 0 else plus) + text


def count(value: Number | None) -> str:
    return fixed(value, 0)


def points(score: Number | None, *, signed: bool = False) -> str:
    """A score of 0-1 on the page's scale of 0 to 100 points."""
    return ABSENT if score is None or _is_absent(score) else fixed(float(score) * 100, 1, signed=signed)


def whole_points(score: Number | None) -> str:
    return ABSENT if score is None or _is_absent(score) else fixed(float(score) * 100, 0)


def percent(share: Number | None) -> str:
    return ABSENT if share is None or _is_absent(share) else f"{fixed(float(share) * 100, 0)} %"


def share(part: int, whole: int) -> str:
    """`part` of `whole` in percent; nothing of nothing is no share."""
    return percent(part / whole) if whole else ABSENT


def point_interval(low: Number | None, high: Number | None) -> str:
    """`+1.2 to +3.4`, or a dash where either end is unknown."""
    if low is None or high is None or _is_absent(low) or _is_absent(high):
        return ABSENT
    return f"{points(low, signed=True)} to {points(high, signed=True)}"


def interval(low: Number | None, high: Number | None, digits: int = 3) -> str:
    if low is None or high is None or _is_absent(low) or _is_absent(high):
        return ABSENT
    return f"{fixed(low, digits)} to {fixed(high, digits)}"


def estimate(difference: Number | None, low: Number | None, high: Number | None) -> str:
    """`+5.1 points (95 % interval +2.5 to +7.7)`, of a difference between scores of 0-1."""
    return f"{points(difference, signed=True)} points (95 % interval {point_interval(low, high)})"


def money(amount: Number, spread: Number, currency: str) -> str:
    """`−2,700 DKK`, to the second digit of its interval's width: what lies below that is noise."""
    place = 10 ** max(0, math.floor(math.log10(float(spread))) - 1) if spread > 0 else 1
    return f"{fixed(round(float(amount) / place) * place, 0, signed=True)} {currency}"


def significant(value: Number | None) -> str:
    """Three digits, of numbers whose units differ: `0.0514`, `−434`."""
    if value is None or _is_absent(value) or not value:
        return fixed(value, 0)
    return fixed(value, max(0, 2 - math.floor(math.log10(abs(float(value))))))


def p_value(p: Number | None) -> str:
    """`p = 0.043`; what is smaller than it can be shown is `p < 0.001`."""
    return "p < 0.001" if p is not None and p < 0.001 else f"p = {fixed(p, 3)}"


def often(share: Number) -> str:
    """`0.1 %`: a share that may be small, never shown as nothing."""
    return f"{fixed(max(float(share), 0.001) * 100, 1)} %"


def day(date: dt.date | None) -> str:
    return ABSENT if date is None else f"{date.day} {date:%B %Y}"


def month(date: dt.date | None) -> str:
    return ABSENT if date is None else f"{date:%B %Y}"


def moment(at: dt.datetime | None) -> str:
    return ABSENT if at is None else f"{day(at)} {at:%H:%M} UTC"


def text(value: object) -> str:
    return ABSENT if value is None or value == "" else str(value)


def words(identifier: str) -> str:
    """`log_mrr` as `log mrr`: a name of the tables as running text."""
    return identifier.replace("_", " ")


def number_of(amount: int, singular: str, plural: str | None = None) -> str:
    return f"{count(amount)} {singular if amount == 1 else plural or singular + 's'}"
