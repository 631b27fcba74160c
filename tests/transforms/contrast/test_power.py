"""Power: the published sample sizes, another implementation, and what simulated studies find."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import TTestIndPower

from transforms.contrast.errors import ContrastError, NotEstimable
from transforms.contrast.power import accounts_needed, detectable, events_needed


@pytest.mark.parametrize(("g", "accounts"), [(0.2, 394), (0.3, 176), (0.5, 64), (0.8, 26), (-0.5, 64)])
def test_accounts_needed_are_those_of_the_textbook(g, accounts):
    # Cohen (1988), table 2.4.1, prints 393, 175, 64 and 26; G*Power and R's power.t.test round the exact sizes up.
    assert accounts_needed(g) == accounts


@pytest.mark.parametrize(("g", "accounts"), [(0.2, 527), (0.5, 86), (0.8, 34)])
def test_a_higher_power_needs_the_published_number_too(g, accounts):
    assert accounts_needed(g, power=0.9) == accounts


@pytest.mark.parametrize(
    ("hazard_ratio", "share", "events"), [(0.6, 0.5, 121), (1 / 0.6, 0.5, 121), (0.5, 0.5, 66), (0.6, 0.25, 161)]
)
def test_events_needed_are_schoenfelds(hazard_ratio, share, events):
    assert events_needed(hazard_ratio, share) == events


@pytest.mark.parametrize(("n_treated", "n_control"), [(64, 64), (20, 300), (7.5, 12), (5000, 400)])
def test_the_detectable_difference_is_that_of_another_implementation(n_treated, n_control):
    theirs = TTestIndPower().solve_power(nobs1=n_treated, ratio=n_control / n_treated, alpha=0.05, power=0.8)
    assert detectable(n_treated, n_control) == pytest.approx(theirs, rel=1e-4)


def test_as_many_studies_find_the_detectable_difference_as_the_power_says():
    generator = np.random.default_rng(3)
    treated = generator.normal(detectable(30, 50), 1, size=(4000, 30))
    control = generator.normal(0, 1, size=(4000, 50))
    found = stats.ttest_ind(treated, control, axis=1).pvalue < 0.05
    # 4000 studies: .8 has a standard error of .006.
    assert found.mean() == pytest.approx(0.8, abs=0.02)


@given(st.floats(0.05, 3))
def test_with_the_accounts_needed_the_difference_is_detectable_and_with_one_less_it_is_not(g):
    accounts = accounts_needed(g)
    assert detectable(accounts, accounts) <= g + 1e-9
    if accounts > 2:
        assert detectable(accounts - 1, accounts - 1) > g


@given(st.integers(2, 500), st.integers(2, 500), st.integers(1, 500))
def test_more_accounts_find_less_and_the_order_of_the_arms_does_not_matter(n_treated, n_control, more):
    assert detectable(n_treated, n_control) == pytest.approx(detectable(n_control, n_treated))
    assert detectable(n_treated + more, n_control) < detectable(n_treated, n_control)


@given(st.floats(0.05, 0.95), st.floats(0.1, 0.9))
def test_equal_arms_need_the_fewest_events(hazard_ratio, share):
    assert events_needed(hazard_ratio, share) >= events_needed(hazard_ratio)
    assert abs(events_needed(hazard_ratio, share) - events_needed(1 / hazard_ratio, 1 - share)) <= 1


@pytest.mark.parametrize(
    ("ask", "complaint"),
    [
        (lambda: accounts_needed(0), "a difference other than 0, got 0"),
        (lambda: accounts_needed(math.nan), "a difference other than 0, got nan"),
        (lambda: accounts_needed(0.2, power=1), "between 0.05 and 1, got 1"),
        (lambda: detectable(30, 30, power=0.02), "between 0.05 and 1, got 0.02"),
        (lambda: events_needed(1), "a positive hazard ratio other than 1, got 1"),
        (lambda: events_needed(-0.5), "a positive hazard ratio other than 1, got -0.5"),
        (lambda: events_needed(0.6, 1), "between 0 and 1, got 1"),
    ],
)
def test_what_cannot_be_asked_is_refused(ask, complaint):
    with pytest.raises(ContrastError, match=complaint):
        ask()


def test_no_difference_is_found_with_fewer_than_two_in_each_arm():
    assert accounts_needed(100) == 2


def test_an_arm_of_one_finds_nothing():
    with pytest.raises(NotEstimable, match="the arms have 1 and 40 accounts; 2 needed in each"):
        detectable(1, 40)
