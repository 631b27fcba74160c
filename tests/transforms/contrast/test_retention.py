"""Survival from the landmark: published curves, worked examples by hand, and the trap that the landmark avoids."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.datasets import load_leukemia
from lifelines.utils import restricted_mean_survival_time

from transforms.contrast.errors import NotEstimable
from transforms.contrast.retention import (
    COLUMNS,
    _curve,
    _restricted_mean,
    at_landmark,
    customer_on,
    grid,
    log_rank,
    retention,
    rmst_difference,
)

T0, AS_OF = dt.date(2026, 1, 1), dt.date(2026, 6, 30)
LONG_AGO = dt.date(2023, 5, 1)


def customers(*rows):
    """Rows of style, churned_on and, where it matters, customer_from."""
    filled = [(*row, LONG_AGO)[:3] if len(row) == 2 else row for row in rows]
    return pd.DataFrame(filled, columns=["style", "churned_on", "customer_from"], dtype=object)


def test_remission_under_6_mp_and_placebo():
    # Freireich et al. (1963), Blood 21:699, as in every textbook: 42 patients, weeks in remission.
    patients = load_leukemia()
    found = log_rank(
        patients["t"].to_numpy(dtype=float),
        patients["status"].to_numpy(dtype=bool),
        patients["Rx"].to_numpy(dtype=object),
    )
    assert found.statistic == pytest.approx(16.793, abs=5e-4)
    assert found.p_value == pytest.approx(4.17e-05, abs=5e-8)
    assert found.degrees == 1


@pytest.mark.parametrize(("rx", "median"), [(0, 23), (1, 8)])
def test_median_remission_is_23_weeks_under_6_mp_and_8_under_placebo(rx, median):
    patients = load_leukemia()
    group = patients[patients["Rx"] == rx]
    curve = _curve(group["t"].to_numpy(dtype=float), group["status"].to_numpy(dtype=bool), np.arange(36))
    assert curve["day"][int(np.argmax(curve["survival"] <= 0.5))] == median
    assert curve["events"].sum() == group["status"].sum()


def test_the_grid_is_the_first_of_each_month_and_the_last_day():
    assert grid(AS_OF, T0).tolist() == [0, 31, 59, 90, 120, 151, 180]
    assert grid(dt.date(2026, 3, 1), T0).tolist() == [0, 31, 59]
    assert grid(T0, T0).tolist() == [0]


def test_a_curve_by_hand():
    #   ten partners: two leave in February (days 40 and 45), one on the first of April (day 90); seven stay
    left = [dt.date(2026, 2, 10), dt.date(2026, 2, 15), dt.date(2026, 4, 1)]
    curve = retention(customers(*[("Partnership", day) for day in left], *[("Partnership", None)] * 7), AS_OF, T0)
    assert curve["day"].tolist() == [0, 31, 59, 90, 120, 151, 180]
    assert curve["survival"].tolist() == pytest.approx([1, 1, 0.8, 0.7, 0.7, 0.7, 0.7])
    assert curve["at_risk"].tolist() == [10, 10, 8, 8, 7, 7, 7]
    assert curve["events"].tolist() == [0, 0, 2, 1, 0, 0, 0]
    assert curve["as_of"].astype(object).unique().tolist() == [AS_OF]


def test_the_interval_is_log_log_and_unknown_until_somebody_leaves():
    rows = [("Dormant", dt.date(2026, 2, 10))] * 3 + [("Dormant", None)] * 7
    curve = retention(customers(*rows), AS_OF, T0)
    assert curve["ci_low"].isna().tolist() == [True, True, False, False, False, False, False]
    # Kalbfleisch, Prentice: S ** exp(+-z * sd(log(-log S))), with Greenwood's variance 3 / (10 * 7).
    spread = 1.959964 * np.sqrt(3 / 70) / abs(np.log(0.7))
    assert curve["ci_low"].iloc[-1] == pytest.approx(0.7 ** np.exp(spread), abs=1e-6)
    assert curve["ci_high"].iloc[-1] == pytest.approx(0.7 ** np.exp(-spread), abs=1e-6)


def test_styles_have_a_curve_each_and_the_unknown_style_none():
    curve = retention(customers(("Partnership", None), (None, None), ("Dormant", None)), AS_OF, T0)
    assert curve["style"].unique().tolist() == ["Dormant", "Partnership"]
    assert curve["at_risk"].eq(1).all()


@pytest.mark.parametrize(
    ("churned_on", "customer_from", "is_customer"),
    [
        (None, dt.date(2025, 12, 1), True),
        (None, None, True),
        (dt.date(2026, 1, 2), LONG_AGO, True),
        (dt.date(2026, 1, 1), LONG_AGO, False),
        (dt.date(2025, 6, 1), LONG_AGO, False),
        (None, dt.date(2026, 1, 1), False),
        (None, dt.date(2026, 3, 1), False),
    ],
)
def test_only_customers_at_the_landmark_are_followed(churned_on, customer_from, is_customer):
    frame = customers(("Partnership", churned_on, customer_from))
    assert customer_on(frame, T0).tolist() == [is_customer]
    assert len(retention(frame, AS_OF, T0)) == (7 if is_customer else 0)


def test_what_happens_after_as_of_is_not_known_yet():
    followed = at_landmark(customers(("Dormant", dt.date(2026, 6, 30)), ("Dormant", dt.date(2026, 7, 1))), AS_OF, T0)
    assert followed["churned"].tolist() == [True, False]
    assert followed["duration"].tolist() == [180, 180]


def test_timestamps_do_as_well_as_dates():
    frame = customers(("Dormant", dt.date(2026, 2, 10)), ("Dormant", None))
    stamped = frame.assign(**{name: pd.to_datetime(frame[name]) for name in ("churned_on", "customer_from")})
    pd.testing.assert_frame_equal(retention(frame, AS_OF, T0), retention(stamped, AS_OF, T0))


def test_without_accounts_the_columns_and_types_stay():
    empty = retention(customers(), AS_OF, T0)
    assert empty.empty
    assert {name: str(dtype) for name, dtype in empty.dtypes.items()} == COLUMNS
    full = retention(customers(("Dormant", None)), AS_OF, T0)
    assert full.dtypes.equals(empty.dtypes)


days = st.none() | st.dates(dt.date(2025, 10, 1), dt.date(2026, 9, 1))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["Dormant", "Partnership"]), days), min_size=1, max_size=30))
def test_survival_never_rises_and_everybody_is_accounted_for(rows):
    frame = customers(*rows)
    followed = at_landmark(frame, AS_OF, T0)
    for style, curve in retention(frame, AS_OF, T0).groupby("style"):
        of_style = followed[followed["style"] == style]
        assert (curve["survival"].diff().dropna() <= 1e-12).all()
        assert (curve["at_risk"].diff().dropna() <= 0).all()
        assert curve["at_risk"].iloc[0] == len(of_style)
        assert curve["events"].sum() == of_style["churned"].sum()
        # Nobody is censored before the last day, so the curve is simply the share that is left.
        assert curve["survival"].iloc[-1] == pytest.approx(1 - of_style["churned"].mean())
        known = curve.dropna(subset=["ci_low"])
        assert ((known["ci_low"] <= known["survival"] + 1e-9) & (known["survival"] <= known["ci_high"] + 1e-9)).all()


@pytest.mark.parametrize(
    ("groups", "events", "degrees"), [(["a", "a"], [True, False], 0), (["a", "b"], [False, False], 1), ([], [], 0)]
)
def test_a_log_rank_test_needs_two_groups_and_an_event(groups, events, degrees):
    found = log_rank(np.ones(len(groups)), np.array(events, dtype=bool), np.array(groups, dtype=object))
    assert (found.statistic, found.p_value, found.degrees) == (None, None, degrees)


def test_ever_a_partner_finds_an_effect_in_a_null_world_and_the_landmark_does_not():
    # Churn and becoming a partner are independent; but only who has stayed can become one.
    generator = np.random.default_rng(4)
    became = generator.exponential(360, 4000)
    left = generator.exponential(360, 4000)
    ever = (became < np.minimum(left, 720)).astype(object)
    naive = log_rank(np.minimum(left, 720), left < 720, ever)
    there = left > 180
    landmark = log_rank(np.minimum(left, 720)[there] - 180, (left < 720)[there], (became < 180).astype(object)[there])
    assert naive.p_value < 1e-10
    assert landmark.p_value > 0.05


# --- restricted mean survival time ------------------------------------------------------------------------------------

MAINTAINED = "9 13 13+ 18 23 28+ 31 34 45+ 48 161+"
NOT_MAINTAINED = "5 5 8 8 12 16+ 23 27 30 33 43 45"


def followed(times):
    """Durations and events; + is a censored one."""
    each = times.split()
    return np.array([float(time.rstrip("+")) for time in each]), np.array([not time.endswith("+") for time in each])


@pytest.mark.parametrize(("times", "mean", "error"), [(MAINTAINED, 52.6, 19.83), (NOT_MAINTAINED, 22.7, 4.18)])
def test_restricted_means_of_the_aml_patients(times, mean, error):
    # Miller (1981), Survival Analysis; R's print(survfit(Surv(time, status) ~ x, aml), rmean = 161).
    found, influence = _restricted_mean(*followed(times), 161.0)
    assert found == pytest.approx(mean, abs=0.05)
    assert np.sqrt(influence @ influence) == pytest.approx(error, abs=5e-3)


def test_weeks_in_remission_that_6_mp_adds():
    patients = load_leukemia()
    durations, events = patients["t"].to_numpy(dtype=float), patients["status"].to_numpy(dtype=bool)
    treated = patients["Rx"].to_numpy() == 0
    found = rmst_difference(durations, events, treated, horizon=100.0)
    # The last under placebo relapsed in week 23: nothing can be compared beyond.
    assert found.horizon == 23
    assert (found.events_treated, found.events_control) == (9, 21)
    for inside, mean in ((treated, found.mean_treated), (~treated, found.mean_control)):
        curve = KaplanMeierFitter().fit(durations[inside], events[inside])
        assert mean == pytest.approx(restricted_mean_survival_time(curve, t=23))
    assert found.difference == found.mean_treated - found.mean_control
    assert found.ci_high - found.difference == pytest.approx(1.959964 * found.standard_error, rel=1e-6)


def test_a_horizon_before_the_last_day_is_kept_and_later_churns_do_not_count():
    durations, events = followed(NOT_MAINTAINED + " " + MAINTAINED)
    found = rmst_difference(durations, events, np.arange(23) >= 12, horizon=20.0)
    assert found.horizon == 20
    assert (found.events_treated, found.events_control) == (3, 5)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=4, max_size=40), st.integers(30, 300))
def test_without_censoring_it_is_the_difference_of_plain_means(days, horizon):
    durations = np.array([*days, 1, 2, 500, 500], dtype=float)
    treated = np.arange(durations.size) % 2 == 0
    found = rmst_difference(durations, np.ones(durations.size, dtype=bool), treated, horizon)
    first, second = (np.minimum(durations[inside], horizon) for inside in (treated, ~treated))
    assert found.difference == pytest.approx(first.mean() - second.mean())
    assert found.standard_error == pytest.approx(np.sqrt(first.var() / first.size + second.var() / second.size))


def world(generator, accounts=300, clusters=None):
    """Days until 250 at most; those of a cluster leave early or late together."""
    treated = generator.random(accounts) < 0.5
    group = generator.integers(clusters or accounts, size=accounts)
    shared = np.exp(0.7 * generator.normal(size=accounts))[group] if clusters else np.ones(accounts)
    left, censored = generator.exponential(200 * shared), generator.uniform(50, 250, accounts)
    return np.minimum(left, censored), left <= censored, treated, np.unique(group, return_inverse=True)[1]


def test_each_account_its_own_cluster_is_nearly_no_cluster_and_order_does_not_matter():
    durations, events, treated, _ = world(np.random.default_rng(2))
    plain = rmst_difference(durations, events, treated, 180)
    alone = rmst_difference(durations, events, treated, 180, clusters=np.arange(300))
    assert alone.standard_error == pytest.approx(plain.standard_error * np.sqrt(300 / 299))
    mixed = np.random.default_rng(3).permutation(300)
    again = rmst_difference(durations[mixed], events[mixed], treated[mixed], 180)
    assert again.difference == pytest.approx(plain.difference, abs=1e-9)
    assert again.standard_error == pytest.approx(plain.standard_error, abs=1e-9)


@pytest.mark.parametrize("clusters", [None, 30])
def test_the_stated_error_is_the_spread_over_worlds(clusters):
    generator = np.random.default_rng(6)
    found = []
    for _ in range(300):
        durations, events, treated, group = world(generator, clusters=clusters)
        # Half of the accounts in a cluster change arms, so that clusters matter.
        treated = np.where(generator.random(300) < 0.7, group % 2 == 0, treated)
        found.append(rmst_difference(durations, events, treated, 180, group if clusters else None))
    spread = np.std([each.difference for each in found], ddof=1)
    assert np.mean([each.standard_error for each in found]) == pytest.approx(spread, rel=0.15)
    assert 0.91 <= np.mean([each.ci_low <= 0 <= each.ci_high for each in found]) <= 0.985


@pytest.mark.parametrize(
    ("events", "treated", "clusters", "complaint"),
    [
        ([1, 1, 1], [1, 1, 1], None, "3 treated accounts and 0 controls"),
        ([1, 1, 0], [1, 1, 0], None, "nobody of 1 in the control arm churned in 2 days"),
        ([0, 0, 1], [1, 1, 0], None, "nobody of 2 in the treated arm churned in 2 days"),
        ([1, 1, 1], [0, 1, 0], [0, 0, 0], "all accounts lie in one cluster"),
    ],
)
def test_mean_days_need_churn_in_both_arms(events, treated, clusters, complaint):
    flags = (np.array(each, dtype=bool) for each in (events, treated))
    groups = None if clusters is None else np.array(clusters)
    with pytest.raises(NotEstimable, match=complaint):
        rmst_difference(np.array([1.0, 2.0, 2.0]), *flags, 30.0, groups)
