from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.identifiers import CVR_WEIGHTS, PREFIXES, cvr_numbers, salesforce_ids, stripe_ids, with_checksum, zendesk_ids

# Ids seen in public files.
PUBLIC_IDS = [
    "0015i00000MLQoqAAH",
    "001i000000JEw0YAAT",
    "001B0000009D7iyIAC",
    "0017F000007y8FPQAY",
    "006q000000HddohAAB",
    "0031G00001S3ckZQAR",
]


@pytest.mark.parametrize("known", PUBLIC_IDS)
def test_the_checksum_of_a_public_salesforce_id_is_found_again(known: str) -> None:
    assert with_checksum(np.array([known[:15]])).tolist() == [known]


@given(st.lists(st.from_regex(r"[0-9A-Za-z]{15}", fullmatch=True), min_size=1, max_size=20, unique=True))
def test_ids_that_differ_in_case_only_differ_when_case_is_ignored(short: list[str]) -> None:
    """That is what the checksum is for."""
    both = np.array(sorted({*short, *(text.swapcase() for text in short)}))
    full = with_checksum(both).tolist()
    assert len({text.lower() for text in full}) == len(both)


@pytest.mark.parametrize("entity", PREFIXES)
def test_salesforce_ids_have_their_prefix_and_18_characters_and_differ(entity: str) -> None:
    ids = salesforce_ids(entity, 5_000).tolist()
    assert len(set(ids)) == 5_000
    assert all(re.fullmatch(PREFIXES[entity] + "[0-9A-Za-z]{12}[A-Z0-5]{3}", text) for text in ids)


def test_no_records_have_no_ids() -> None:
    assert salesforce_ids("Task", 0).tolist() == []


def test_company_numbers_have_a_right_check_digit_and_differ() -> None:
    numbers = cvr_numbers(np.random.default_rng(1), 2_000).tolist()
    digits = np.array([[int(digit) for digit in number] for number in numbers])
    assert len(set(numbers)) == 2_000
    assert ((digits[:, :7] @ CVR_WEIGHTS + digits[:, 7]) % 11 == 0).all()


def test_company_numbers_are_from_a_range_that_no_company_has() -> None:
    assert {number[0] for number in cvr_numbers(np.random.default_rng(2), 100).tolist()} == {"9"}


def test_stripe_ids_are_a_prefix_with_letters_and_digits() -> None:
    ids = stripe_ids(np.random.default_rng(1), "cus_", 1_000).tolist()
    assert len(set(ids)) == 1_000
    assert all(re.fullmatch("cus_[0-9A-Za-z]{14}", text) for text in ids)


def test_zendesk_ids_rise() -> None:
    assert (np.diff(zendesk_ids(370_000_000_000, 100)) > 0).all()
