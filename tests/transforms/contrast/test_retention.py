"""Survival from the landmark: published curves, worked examples by hand, and the trap that the landmark avoids."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines.datasets import load_leukemia

from transforms.contrast.retention import COLUMNS, _curve, at_landmark, customer_on, grid, log_rank, retention

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
