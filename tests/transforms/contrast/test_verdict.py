"""The five words: which interval earns which, and that exactly one always does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.contrast.verdict import Word, decide, not_estimable

SMALLEST = 0.2
numbers = st.floats(-3, 3, allow_nan=False)
intervals = st.tuples(numbers, numbers).map(sorted)

CASES = """
    low    high   aipw   direction  verdict
    -0.19  0.19   0.1    up         practically_null
    -0.05  0.10   none   up         practically_null
    0.01   0.15   0.1    up         practically_null
    -0.20  0.19   0.1    up         inconclusive
    -0.30  0.50   0.1    up         inconclusive
    0.00   0.50   0.2    up         inconclusive
    0.10   0.50   0.2    up         supported
    0.10   0.50   -0.1   up         inconclusive
    0.10   0.50   0.0    up         inconclusive
    0.10   0.50   none   up         inconclusive
    -0.50  -0.10  -0.2   up         contradicted
    -0.50  -0.10  0.2    up         inconclusive
    0.10   0.50   0.2    down       contradicted
    -0.50  -0.10  -0.2   down       supported
    0.10   0.50   0.2    none       supported
"""


def cases():
    rows = [line.split() for line in CASES.strip().splitlines()[1:]]
    return [
        (float(low), float(high), None if aipw == "none" else float(aipw), way, w) for low, high, aipw, way, w in rows
    ]


@pytest.mark.parametrize(("low", "high", "aipw", "direction", "word"), cases())
def test_the_verdict_is_decided_in_the_order_of_the_protocol(low, high, aipw, direction, word):
    assert decide(low, high, aipw, SMALLEST, direction).word == word


def test_a_failed_gate_comes_with_its_reason():
    verdict = not_estimable("12 accounts in the high arm; 30 needed")
    assert verdict.word is Word.NOT_ESTIMABLE
    assert verdict.reason == "12 accounts in the high arm; 30 needed"


def test_the_reason_names_the_interval_and_what_decided():
    assert decide(0.1, 0.5, 0.2, SMALLEST).reason == (
        "the 95 % interval, +0.10 to +0.50 standard deviations, lies above 0, and AIPW has the same sign"
    )
    assert "AIPW has not the same sign" in decide(0.1, 0.5, -0.2, SMALLEST).reason
    assert "could not be computed" in decide(0.1, 0.5, None, SMALLEST).reason
    assert "lies inside +-0.2" in decide(-0.1, 0.1, 0.2, SMALLEST).reason
    assert "less is better" in decide(0.1, 0.5, 0.2, SMALLEST, "down").reason


def test_no_evidence_is_not_called_evidence_of_none():
    reason = decide(-0.5, 0.5, 0.1, SMALLEST).reason
    assert "holds 0, and also effects that would matter" in reason
    assert "no effect" not in reason


@given(intervals, st.none() | numbers, st.sampled_from(["up", "down", "none"]))
def test_every_estimate_gets_exactly_one_of_four_words_and_a_reason(interval, aipw, direction):
    verdict = decide(*interval, aipw, SMALLEST, direction)
    assert verdict.word in set(Word) - {Word.NOT_ESTIMABLE}
    assert verdict.reason


@given(intervals, st.none() | numbers)
def test_supported_and_contradicted_change_places_when_the_sign_flips(interval, aipw):
    low, high = interval
    mirrored = decide(-high, -low, None if aipw is None else -aipw, SMALLEST).word
    swap = {Word.SUPPORTED: Word.CONTRADICTED, Word.CONTRADICTED: Word.SUPPORTED}
    forth = decide(low, high, aipw, SMALLEST).word
    assert mirrored == swap.get(forth, forth)


@given(intervals, st.none() | numbers)
def test_less_is_better_turns_only_the_words_with_a_sign(interval, aipw):
    swap = {Word.SUPPORTED: Word.CONTRADICTED, Word.CONTRADICTED: Word.SUPPORTED}
    up = decide(*interval, aipw, SMALLEST, "up").word
    assert decide(*interval, aipw, SMALLEST, "down").word == swap.get(up, up)


@given(intervals, numbers)
def test_a_signed_word_needs_an_interval_without_zero_and_an_agreeing_aipw(interval, aipw):
    low, high = interval
    if decide(low, high, aipw, SMALLEST).word in (Word.SUPPORTED, Word.CONTRADICTED):
        assert low > 0 or high < 0
        assert (aipw > 0) == (low > 0)
        assert max(abs(low), abs(high)) >= SMALLEST


@pytest.mark.parametrize(("low", "high"), [(0.5, 0.1), (float("nan"), 1.0)])
def test_limits_out_of_order_are_refused(low, high):
    with pytest.raises(ValueError, match="lower limit first"):
        decide(low, high, 0.1, SMALLEST)
