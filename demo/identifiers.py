"""Identifiers in the form that each system gives them."""

from __future__ import annotations

import numpy as np

from demo.draws import Ints, Texts

UPPER_LOWER_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
CHECKSUM = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"))
POD = "7Q0"  # the part of a Salesforce id that names the instance

# Key prefixes of Salesforce objects. Those of the three account plan objects are made up: no public list has them.
PREFIXES = {
    "Account": "001",
    "Contact": "003",
    "User": "005",
    "Opportunity": "006",
    "Task": "00T",
    "Event": "00U",
    "EmailMessage": "02s",
    "AccountPlan": "a0P",
    "AccountPlanObjective": "a0Q",
    "AccountPlanObjectiveMeasure": "a0R",
}

# Digits 1-7 of a CVR number weigh 2, 7, 6, 5, 4, 3, 2; the eighth makes the weighted sum divisible by 11.
CVR_WEIGHTS = np.array([2, 7, 6, 5, 4, 3, 2])


def salesforce_ids(entity: str, count: int) -> Texts:
    """`count` 18-character ids of a Salesforce object: prefix, instance, running number in base 62, checksum."""
    digits = np.array(list(UPPER_LOWER_DIGITS[52:] + UPPER_LOWER_DIGITS[:52]))
    numbers = np.arange(count)[:, None] * 7 + 1_000_003  # other users of the instance take the numbers between
    places = 62 ** np.arange(8, -1, -1)
    running = _joined(digits[(numbers // places) % 62])
    return with_checksum(np.strings.add(PREFIXES[entity] + POD, running))


def with_checksum(short: Texts) -> Texts:
    """15-character, case-sensitive Salesforce ids as their 18-character form.

    Each of the three added characters encodes which of five characters are capitals, the first being the lowest bit.
    """
    if short.size == 0:
        return np.array([], dtype="U18")
    letters = short.astype("U15").view("U1").reshape(-1, 3, 5)
    capital = (letters >= "A") & (letters <= "Z")
    checksum = CHECKSUM[capital @ np.array([1, 2, 4, 8, 16])]
    return np.strings.add(short, _joined(checksum))


def stripe_ids(rng: np.random.Generator, prefix: str, count: int, length: int = 14) -> Texts:
    """`count` ids such as `cus_9aBc...`: a prefix and random letters and digits."""
    letters = np.array(list(UPPER_LOWER_DIGITS))[rng.integers(62, size=(count, length))]
    return np.strings.add(prefix, _joined(letters))


def cvr_numbers(rng: np.random.Generator, count: int) -> Texts:
    """`count` different Danish company numbers with a right check digit, from the unassigned range 9xxxxxxx."""
    digits = 9_000_000 + rng.permutation(1_000_000)[: 2 * count + 20]
    places = (digits[:, None] // 10 ** np.arange(6, -1, -1)) % 10
    check = -(places @ CVR_WEIGHTS) % 11
    valid = check < 10  # a remainder that would need the digit 10 is never given out
    return np.strings.add(digits[valid][:count].astype(str), check[valid][:count].astype(str))


def zendesk_ids(start: int, count: int) -> Ints:
    """`count` rising numbers with gaps, as a helpdesk shared with others gives them."""
    return np.asarray(start + np.arange(count, dtype=np.int64) * 20_483)


def _joined(letters: Texts) -> Texts:
    """Rows of single characters as one text each."""
    width = letters.shape[1]
    return np.ascontiguousarray(letters.astype("U1")).view(f"U{width}").ravel()
