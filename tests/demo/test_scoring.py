"""The truth's arithmetic on examples small enough to do by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.scoring import (
    COMPONENTS,
    Component,
    Counted,
    Pool,
    Reference,
    count_window,
    grouped_median,
    is_enough,
    pool,
    references,
    shrink,
    value,
)
from demo.world import World

SHARE = Component("customer", "share", 1, 3)


def counted(numerators: list[float], n: list[int]) -> Counted:
    top, bottom = np.array(numerators), np.array(n)
    return Counted(top / np.maximum(bottom, 1), bottom, top, np.zeros(len(n)))


def test_the_median_of_an_even_number_is_the_lower() -> None:
    group, values = np.array([0, 0, 0, 0, 2, 2, 2]), np.array([4.0, 1.0, 3.0, 2.0, 9.0, 7.0, 8.0])
    assert np.array_equal(grouped_median(group, values, 3), [2.0, np.nan, 8.0], equal_nan=True)


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0, 1e6)), min_size=1, max_size=60))
def test_the_grouped_median_is_each_groups_own(pairs: list[tuple[int, float]]) -> None:
    group, values = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    medians = grouped_median(group, values, 5)
    for number in range(5):
        own = values[group == number]
        assert (
            medians[number] == pytest.approx(np.sort(own)[(len(own) - 1) // 2])
            if len(own)
            else np.isnan(medians[number])
        )


def test_a_share_is_drawn_to_its_pool_by_as_much_as_it_is_thin() -> None:
    # center .5, between .05: the pool is worth .25 / .05 - 1 = 4 trials.
    #   good  n    (good + 4 * .5) / (n + 4)
    #     4   4            .75
    #    40  40            .9545
    #     2   2            nan: below the minimum of 3
    towards = Pool(np.full(3, 0.5), np.full(3, 0.05))
    estimates = shrink(SHARE, counted([4, 40, 2], [4, 40, 2]), towards)
    assert estimates == pytest.approx([0.75, 42 / 44, np.nan], nan_ok=True)


def test_a_median_is_weighed_by_its_error_against_the_spread_of_its_pool() -> None:
    duration = Component("customer", "duration", -1, 5)
    median = Counted(np.array([6.0]), np.array([9]), np.array([6.0]), np.array([0.5]))
    # spread .75, squared error .25: three parts own, one part pool.
    assert shrink(duration, median, Pool(np.array([4.0]), np.array([0.75]))) == pytest.approx([5.5])


def test_equal_shares_leave_no_variance_between_accounts() -> None:
    everyone = counted([5.0] * 40, [10] * 40)
    drawn = pool(SHARE, everyone, np.zeros(40, np.int64))
    assert drawn.center == pytest.approx(np.full(40, 0.5))
    assert drawn.between == pytest.approx(np.full(40, 0.001 * 0.25))


def test_a_segment_under_30_accounts_takes_the_portfolios_pool() -> None:
    segment = np.array([0] * 40 + [1] * 10)
    drawn = pool(SHARE, counted([6.0] * 40 + [1.0] * 10, [10] * 50), segment)
    assert drawn.center[0] == pytest.approx(0.6)
    assert drawn.center[-1] == pytest.approx((40 * 6 + 10) / 500)


def score(nrr: float, csat: float) -> float:
    """Mutual value of one account that stands at the reference in every other component."""
    counts, pools, reference = {}, {}, {}
    for name, component in COMPONENTS.items():
        x = {"nrr": nrr, "csat": csat}.get(name, 0.5)
        counts[name] = Counted(np.array([x]), np.array([1000]), np.array([x * 1000]), np.array([1e-9]))
        pools[name] = Pool(np.array([0.5]), np.array([10.0 if component.kind == "duration" else 0.249]))
        reference[name] = Reference(np.array([0.5]), np.array([0.1]))
    return float(value(counts, pools, reference).mutual[0])


def test_an_account_at_the_reference_has_a_mutual_value_of_one_half() -> None:
    assert score(0.5, 0.5) == pytest.approx(0.5)


def test_what_is_good_for_one_side_alone_is_worth_less_than_for_both() -> None:
    both, one = score(0.6, 0.6), score(0.7, 0.5)
    assert 0.5 < one < both


def test_an_extreme_component_counts_as_three_spreads() -> None:
    assert score(9.0, 0.5) == pytest.approx(score(0.81, 0.5))


def test_an_account_with_thin_evidence_stands_at_its_pool(world: World) -> None:
    reference = references(world.records)
    counts = count_window(world.records, len(world.months) - 1)
    pools = {name: pool(component, counts[name], world.companies.segment) for name, component in COMPONENTS.items()}
    values = value(counts, pools, reference)
    thin = ~is_enough(COMPONENTS["csat"], counts["csat"])
    assert thin.any()
    assert np.isfinite(values.mutual).all()
    assert ((values.mutual > 0) & (values.mutual < 1)).all()


def test_retention_is_zero_after_churn_and_the_customer_side_keeps_the_last_paid_months(world: World) -> None:
    last = len(world.months) - 1
    active = world.records.supplier.active
    counts = count_window(world.records, last)
    left_in_window = active[:, last - 6] & ~active[:, last]
    assert left_in_window.any()
    assert (counts["nrr"].value[left_in_window] == 0).all()
    left_before = active[:, last - 12] & ~active[:, last - 6]
    tickets = np.bincount(world.records.tickets.account, minlength=len(active))
    assert (counts["full_resolution"].n[left_before & (tickets > 40)] > 0).all()


def test_nothing_is_late_for_a_customer_whose_card_is_charged(world: World) -> None:
    counts = count_window(world.records, len(world.months) - 1)
    automatic = world.companies.is_automatic
    assert (counts["days_beyond_terms"].n[automatic] == 0).all()
    paying = ~automatic & world.records.supplier.active[:, -7]
    assert (counts["days_beyond_terms"].n[paying] == 1).all()
