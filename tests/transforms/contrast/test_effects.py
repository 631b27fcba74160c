"""Effect sizes: published numbers, and the laws that each must keep."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from transforms.contrast.effects import (
    benjamini_hochberg,
    cliffs_delta,
    e_value,
    e_value_of_difference,
    e_value_of_interval,
    hedges_g,
    hedges_g_from_moments,
    newcombe,
    pooled_deviation,
    weighted_cliffs_delta,
    wilson,
)
from transforms.contrast.errors import ContrastError

whole = st.integers(-50, 50).map(float)
samples = st.lists(whole, min_size=2, max_size=25)
shares = st.floats(0, 1, allow_nan=False)

# Hogarty, Kromrey (1999), the example of the R package effsize.
TREATED = [10, 10, 20, 20, 20, 30, 30, 30, 40, 50]
CONTROL = [10, 20, 30, 40, 40, 50]


def test_hedges_g_of_the_textbook_example():
    # Borenstein et al. (2009), Introduction to Meta-Analysis, table 4.1 and equations 4.18-4.24.
    found = hedges_g_from_moments(103, 100, 5.5, 4.5, 50, 50)
    assert found.d == pytest.approx(0.5970, abs=5e-5)
    assert found.g == pytest.approx(0.5924, abs=5e-5)
    assert found.variance == pytest.approx(0.0411, abs=5e-5)


def test_hedges_g_of_samples_is_that_of_their_moments():
    treated, control = np.array([3.0, 5, 8, 9]), np.array([1.0, 2, 2, 7, 4])
    moments = (treated.mean(), control.mean(), treated.std(ddof=1), control.std(ddof=1), 4, 5)
    assert hedges_g(treated, control) == hedges_g_from_moments(*moments)


@given(samples.filter(lambda values: len(set(values)) > 1), samples)
def test_hedges_g_changes_its_sign_with_the_order_of_the_groups(treated, control):
    forth, back = hedges_g(treated, control), hedges_g(control, treated)
    assert forth.g == pytest.approx(-back.g)
    assert forth.variance == pytest.approx(back.variance)


@pytest.mark.parametrize(
    ("treated", "control", "complaint"),
    [
        ([1.0], [1.0, 2.0], "the treated group needs 2 values, got 1"),
        ([1.0, 2.0], [], "the control group needs 2 values, got 0"),
        ([1.0, math.nan], [1.0, 2.0], "holds 1 values that are no numbers"),
        ([1.0, 1.0], [2.0, 2.0], "both standard deviations are 0"),
    ],
)
def test_hedges_g_refuses_groups_without_spread(treated, control, complaint):
    with pytest.raises(ContrastError, match=complaint):
        hedges_g(treated, control)


def test_the_pooled_deviation_weighs_by_degrees_of_freedom():
    # variances 1 (2 degrees) and 4.5 (1 degree): (2 * 1 + 1 * 4.5) / 3
    assert pooled_deviation([1, 2, 3], [0, 3]) == pytest.approx(math.sqrt(6.5 / 3))


def test_cliffs_delta_of_the_published_example():
    found = cliffs_delta(TREATED, CONTROL)
    assert found.delta == pytest.approx(-0.25)
    assert (found.ci_low, found.ci_high) == pytest.approx((-0.7265846, 0.3890062), abs=1e-7)


@given(samples, samples)
def test_cliffs_delta_is_the_mean_of_the_dominance_matrix(treated, control):
    dominance = np.sign(np.subtract.outer(treated, control))
    assert cliffs_delta(treated, control).delta == pytest.approx(dominance.mean(), abs=1e-12)


@given(samples, samples)
def test_cliffs_delta_lies_in_its_interval_and_the_interval_in_minus_one_to_one(treated, control):
    found = cliffs_delta(treated, control)
    assert -1 - 1e-9 <= found.ci_low <= found.delta + 1e-9
    assert found.delta - 1e-9 <= found.ci_high <= 1 + 1e-9


@given(samples, samples)
def test_cliffs_delta_sees_only_the_order_of_the_values(treated, control):
    stretched = cliffs_delta(np.exp(np.array(treated) / 10), np.exp(np.array(control) / 10))
    assert stretched == cliffs_delta(treated, control)


@given(samples, samples)
def test_cliffs_delta_mirrors_when_the_groups_change_places(treated, control):
    forth, back = cliffs_delta(treated, control), cliffs_delta(control, treated)
    assert (forth.delta, forth.ci_low, forth.ci_high) == pytest.approx((-back.delta, -back.ci_high, -back.ci_low))


def test_groups_that_do_not_overlap_still_leave_doubt():
    found = cliffs_delta(np.arange(10) + 100, np.arange(20))
    low = 2 * wilson(10, 10)[0] - 1
    assert (found.delta, found.ci_high) == (1, 1)
    assert found.ci_low == pytest.approx(low)
    assert cliffs_delta(np.arange(20), np.arange(10) + 100).ci_high == pytest.approx(-low)


@given(samples, samples, st.floats(0.1, 10), st.floats(0.1, 10))
def test_with_equal_weights_cliffs_delta_is_the_plain_one(treated, control, one, other):
    weighted = weighted_cliffs_delta(treated, control, np.full(len(treated), one), np.full(len(control), other))
    assert weighted == pytest.approx(cliffs_delta(treated, control).delta, abs=1e-12)


def test_a_whole_weight_counts_a_value_so_many_times():
    repeated = cliffs_delta(np.repeat(TREATED, [1, 2, 3, 1, 1, 2, 1, 1, 1, 4]), np.repeat(CONTROL, [2, 1, 1, 3, 1, 1]))
    weighted = weighted_cliffs_delta(TREATED, CONTROL, [1, 2, 3, 1, 1, 2, 1, 1, 1, 4], [2, 1, 1, 3, 1, 1])
    assert weighted == pytest.approx(repeated.delta)


def test_weights_that_add_up_to_nothing_are_refused():
    with pytest.raises(ContrastError, match="add up to more than 0"):
        weighted_cliffs_delta([1, 2], [3, 4], [0, 0], [1, 1])


@pytest.mark.parametrize(("ratio", "expected"), [(3.9, 7.263), (1.8, 3.0), (1.0, 1.0), (1 / 3.9, 7.263)])
def test_e_values_of_the_published_example(ratio, expected):
    # VanderWeele, Ding (2017): a risk ratio of 3.9 whose lower limit is 1.8.
    assert e_value(ratio) == pytest.approx(expected, abs=5e-4)


@given(st.floats(-3, 3))
def test_the_e_value_of_a_difference_does_not_depend_on_its_sign(d):
    assert e_value_of_difference(d) == pytest.approx(e_value_of_difference(-d))
    assert e_value_of_difference(d) == pytest.approx(e_value(math.exp(0.91 * d)))
    assert e_value_of_difference(d) >= 1


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(1.8, 8.7, 3.0), (1 / 8.7, 1 / 1.8, 3.0), (0.9, 8.7, 1.0), (1.0, 8.7, 1.0)],
)
def test_the_e_value_of_an_interval_is_that_of_its_limit_nearest_no_effect(low, high, expected):
    # VanderWeele, Ding (2017): 3.9 (95 % 1.8 to 8.7), on the scale of the difference that has this risk ratio.
    found = e_value_of_interval(math.log(low) / 0.91, math.log(high) / 0.91)
    assert found == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("ratio", [0, -1, math.nan])
def test_a_risk_ratio_that_is_not_positive_is_refused(ratio):
    with pytest.raises(ContrastError, match="above 0"):
        e_value(ratio)


def test_wilson_of_the_published_example():
    # Newcombe (1998), Stat Med 17:857, table I: 81 of 263.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_its_share_and_mirrors(counts):
    successes, n = counts
    low, high = wilson(successes, n)
    assert 0 <= low <= successes / n + 1e-12
    assert successes / n - 1e-12 <= high <= 1
    mirrored = wilson(n - successes, n)
    assert (low, high) == pytest.approx((1 - mirrored[1], 1 - mirrored[0]))


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (3, 2), (-1, 5)])
def test_wilson_refuses_counts_that_cannot_be(successes, n):
    with pytest.raises(ContrastError, match="0 <= successes <= n"):
        wilson(successes, n)


def test_newcombe_of_the_published_example():
    # Newcombe (1998), Stat Med 17:873, table II (a), method 10: 56 of 70 against 48 of 80.
    assert newcombe(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@given(st.integers(0, 40), st.integers(0, 30))
def test_newcombe_holds_the_difference_and_mirrors(treated, control):
    low, high = newcombe(treated, 40, control, 30)
    back = newcombe(control, 30, treated, 40)
    assert low - 1e-12 <= treated / 40 - control / 30 <= high + 1e-12
    assert (low, high) == pytest.approx((-back[1], -back[0]))


# Benjamini, Hochberg (1995), section 4.1: 15 tests of a thrombolysis trial.
TRIAL = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0,
]  # fmt: skip


def test_the_trial_of_1995_has_four_rejections_where_bonferroni_has_three():
    assert int((benjamini_hochberg(TRIAL) <= 0.05).sum()) == 4
    assert sum(p * len(TRIAL) <= 0.05 for p in TRIAL) == 3


def test_a_test_that_was_not_made_does_not_count_in_the_family():
    found = benjamini_hochberg([0.01, math.nan, 0.04])
    assert found[[0, 2]] == pytest.approx(benjamini_hochberg([0.01, 0.04]))
    assert np.isnan(found[1])
    assert benjamini_hochberg([]).size == 0


@given(arrays(float, st.integers(1, 30), elements=shares))
def test_adjusted_p_values_keep_the_order_and_never_fall_below_the_raw(p_values):
    q_values = benjamini_hochberg(p_values)
    assert (q_values >= p_values - 1e-15).all()
    assert (q_values <= 1).all()
    assert (np.diff(q_values[np.argsort(p_values, kind="stable")]) >= -1e-15).all()


@given(arrays(float, st.integers(1, 30), elements=shares), st.floats(0.01, 0.5))
def test_discoveries_are_those_of_the_step_up_procedure(p_values, level):
    ordered = np.sort(p_values)
    passing = np.flatnonzero(ordered * p_values.size / np.arange(1, p_values.size + 1) <= level)
    expected = passing[-1] + 1 if passing.size else 0
    assert int((benjamini_hochberg(p_values) <= level).sum()) == expected


@pytest.mark.parametrize("p", [-0.1, 1.1])
def test_a_p_value_outside_zero_to_one_is_refused(p):
    with pytest.raises(ContrastError, match="between 0 and 1"):
        benjamini_hochberg([0.2, p])
