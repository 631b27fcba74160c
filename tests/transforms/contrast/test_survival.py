"""Churn by a style that changes: published fits, drawn panels, planted worlds, and the trap that the panel avoids."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter, CoxTimeVaryingFitter
from lifelines.datasets import load_rossi, load_stanford_heart_transplants

from transforms.contrast.errors import ContrastError, NotEstimable
from transforms.contrast.survival import (
    _fit,
    _information,
    _proportionality,
    _risk_sets,
    _schoenfeld,
    _score_residuals,
    intervals,
    time_varying_cox,
)

HEART = ["age", "year", "surgery", "transplant"]
ROSSI = ["fin", "age", "race", "wexp", "mar", "paro", "prio"]


def others(names, name):
    return [other for other in names if other != name]


@pytest.fixture(scope="module")
def heart():
    return load_stanford_heart_transplants().rename(columns={"id": "account_id", "event": "churned"})


@pytest.fixture(scope="module")
def rossi():
    weeks = load_rossi().rename(columns={"week": "stop", "arrest": "churned"})
    return weeks.assign(start=0, account_id=np.arange(len(weeks)))


# --- published fits ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exposure", "coefficient"), [("age", 0.0272), ("year", -0.1463), ("surgery", -0.6372), ("transplant", -0.0103)]
)
def test_stanford_heart_transplants(heart, exposure, coefficient):
    # Crowley, Hu (1977), JASA 72:27, as refitted in R's survival: 103 patients, 75 deaths, transplant from its day on.
    found = time_varying_cox(heart, others(HEART, exposure), exposure=exposure, step=1)
    assert found.coefficient == pytest.approx(coefficient, abs=5e-5)
    assert (found.n_accounts, found.n_events) == (103, 75)


@pytest.mark.parametrize(("exposure", "coefficient"), [("fin", -0.3794), ("age", -0.0574), ("prio", 0.0915)])
def test_rossi_recidivism_with_efrons_ties(rossi, exposure, coefficient):
    # Allison (1995), Survival Analysis Using SAS; Efron's ties as in Fox, Weisberg (2011), An R Companion, appendix.
    found = time_varying_cox(rossi, others(ROSSI, exposure), exposure=exposure, step=1)
    assert found.coefficient == pytest.approx(coefficient, abs=5e-5)


def test_rossis_likelihood_ratio(rossi):
    values = rossi[ROSSI].to_numpy(dtype=float)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    sets = _fit(rossi, values, "fin")
    none = _risk_sets(
        values, *(rossi[name].to_numpy() for name in ("start", "stop")), rossi["churned"] > 0, np.zeros(7)
    )
    logs = [np.log(at.weight[at.churned]).sum() - np.log(at.total).sum() for at in (sets, none)]
    assert 2 * (logs[0] - logs[1]) == pytest.approx(33.27, abs=5e-3)


def test_residuals_of_the_book_with_ties_and_late_entry():
    # Therneau, Grambsch (2000), Modeling Survival Data, E.2 (Efron), printed to seven digits by survival's book4.R.
    start, stop = np.array([1, 2, 5, 2, 1, 7, 3, 4, 8, 8.0]), np.array([2, 3, 6, 7, 8, 9, 9, 9, 14, 17.0])
    churned = np.arange(10) < 7
    values = np.array([1, 0, 0, 1, 0, 1, 1, 1, 0, 0.0])[:, None]
    frame = pd.DataFrame({"start": start, "stop": stop, "churned": churned})
    sets = _fit(frame, values, "x")
    assert sets.coefficients[0] == pytest.approx(-0.02111, abs=5e-6)
    assert _information(sets)[0, 0] ** -0.5 == pytest.approx(0.79518, abs=5e-6)
    score = [0.2553039, -0.2183386, -0.4744295, -0.1101520, 0.1137126, 0.2491954, 0.1057078, -0.4119611, 0.2454808]
    assert _score_residuals(sets)[:, 0] == pytest.approx([*score, 0.2454808], abs=1e-7)
    apart = [0.5052761, -0.3286599, -0.5949242, 0.2539781, -0.7460219, 0.4551759, 0.4551759]
    assert _schoenfeld(sets)[:, 0] == pytest.approx(apart, abs=1e-7)


@pytest.mark.parametrize(
    ("order", "statistic", "p_value"), [(["age", "ecog"], 0.698, 0.40), (["ecog", "age"], 2.371, 0.12)]
)
def test_proportional_hazards_of_the_ovarian_patients(order, statistic, p_value):
    # Edmonson et al. (1979), and what R's cox.zph (survival 3) prints for them: days, death, age, performance.
    patients = """59 1 72.3315 1, 115 1 74.4932 1, 156 1 66.4658 2, 421 0 53.3644 1, 431 1 50.3397 1, 448 0 56.4301 2,
        464 1 56.9370 2, 475 1 59.8548 2, 477 0 64.1753 1, 563 1 55.1781 2, 638 1 56.7562 2, 744 0 50.1096 1,
        769 0 59.6301 2, 770 0 57.0521 1, 803 0 39.2712 1, 855 0 43.1233 2, 1040 0 38.8932 2, 1106 0 44.6000 1,
        1129 0 53.9068 1, 1206 0 44.2055 1, 1227 0 59.5890 2, 268 1 74.5041 2, 329 1 43.1370 1, 353 1 63.2192 2,
        365 1 64.4247 1, 377 0 58.3096 1"""
    frame = pd.DataFrame([row.split() for row in patients.split(",")], columns=["stop", "churned", "age", "ecog"])
    frame = frame.astype(float).assign(start=0)
    values = frame[order].to_numpy()
    sets = _fit(frame, (values - values.mean(axis=0)) / values.std(axis=0), order[0])
    # R's clock is the share that has died before: here without ties, so a product over those at risk.
    at_risk = (frame["stop"].to_numpy()[:, None] >= sets.times).sum(axis=0)
    clock = 1 - np.cumprod(np.concatenate([[1], 1 - 1 / at_risk]))[:-1]
    found = _proportionality(sets, clock[sets.place])
    assert found.statistic == pytest.approx(statistic, abs=5e-4)
    assert found.p_value == pytest.approx(p_value, abs=5e-3)


# --- other implementations --------------------------------------------------------------------------------------------


def test_rows_with_an_entry_are_the_counting_process_form(heart):
    rows = heart[["start", "stop", "churned", *HEART]]
    fitter = CoxPHFitter().fit(
        rows, "stop", event_col="churned", entry_col="start", fit_options={"precision": 1e-12, "r_precision": 1e-15}
    )
    for exposure in HEART:
        found = time_varying_cox(heart, others(HEART, exposure), exposure=exposure, step=1)
        assert found.coefficient == pytest.approx(fitter.params_[exposure], abs=1e-9)


@pytest.mark.parametrize("row", [0, 28, 120])
def test_a_rows_influence_is_what_a_little_more_of_it_changes(heart, row):
    # With ties and late entry, where the error is the sum of such influences (Lin, Wei 1989).
    values = heart[HEART].to_numpy(dtype=float)
    sets = _fit(heart, (values - values.mean(axis=0)) / values.std(axis=0), "age")
    influence = (_score_residuals(sets) @ np.linalg.inv(_information(sets)))[row] / values.std(axis=0)
    weights = [np.where(np.arange(len(heart)) == row, 1 + more, 1) for more in (-1e-3, 1e-3)]
    less, more = (
        CoxTimeVaryingFitter()
        .fit(
            heart.assign(weight=weight).drop(columns="account_id"),
            "churned",
            weights_col="weight",
            fit_options={"precision": 1e-14},
        )
        .params_[HEART]
        for weight in weights
    )
    assert ((more - less) / 2e-3).to_numpy() == pytest.approx(influence, abs=2e-6)


def test_errors_by_cluster_are_those_of_the_library_where_it_has_them():
    # It has them without ties and without late entry.
    generator = np.random.default_rng(5)
    size = 240
    panel = pd.DataFrame(
        {
            "account_id": np.arange(size),
            "owner": generator.integers(50, size=size),
            "start": 0.0,
            "stop": generator.exponential(size=size),
            "churned": generator.random(size) < 0.7,
            "partnership": generator.uniform(size=size),
            "seats": generator.normal(size=size),
        }
    )
    for cluster in ("account_id", "owner"):
        found = time_varying_cox(panel, ["seats"], step=1, cluster=cluster)
        rows = panel[["stop", "churned", "partnership", "seats"]].assign(cluster=panel[cluster])
        theirs = CoxPHFitter().fit(rows, "stop", "churned", cluster_col="cluster")
        small = np.sqrt(found.n_clusters / (found.n_clusters - 1))
        assert found.standard_error == pytest.approx(theirs.standard_errors_["partnership"] * small, rel=1e-4)


def test_few_clusters_widen_the_interval_to_students_t(heart):
    tens = heart.assign(ten=heart["account_id"] % 10)
    found = time_varying_cox(tens, others(HEART, "year"), exposure="year", step=1, cluster="ten")
    half = np.log(found.ci_high / found.ci_low) / 2
    assert (found.n_clusters, found.degrees) == (10, 9)
    assert half / found.standard_error == pytest.approx(2.262157, abs=1e-6)


# --- months to intervals ----------------------------------------------------------------------------------------------

AS_OF = dt.date(2026, 6, 30)


def months_of(account, *partnership, first="2026-01"):
    days = pd.date_range(first, periods=len(partnership), freq="MS")
    return pd.DataFrame({"account_id": account, "month": days.date, "partnership": np.array(partnership, dtype=float)})


def account(customer_from=dt.date(2025, 11, 1), churned_on=None, **others):
    return pd.DataFrame({"account_id": ["a"], "customer_from": [customer_from], "churned_on": [churned_on], **others})


def drawn(rows):
    return [
        (row.month.strftime("%b"), row.start, row.stop, row.churned, row.partnership)
        for row in rows.itertuples(index=False)
    ]


def test_a_month_has_the_style_of_the_month_before():
    #   customer from November; style known from January on; paid until the end of April
    rows = intervals(months_of("a", 0.3, 0.4, 0.6, 0.7, 0.8), account(churned_on=dt.date(2026, 5, 1)), AS_OF)
    assert drawn(rows) == [
        ("Feb", 3, 4, False, 0.3),
        ("Mar", 4, 5, False, 0.4),
        ("Apr", 5, 6, True, 0.6),
    ]


@pytest.mark.parametrize("churned_on", [dt.date(2026, 4, 2), dt.date(2026, 4, 30), dt.date(2026, 5, 1)])
def test_service_that_ends_within_a_month_ends_with_it(churned_on):
    rows = intervals(months_of("a", 0.3, 0.4, 0.6, 0.7), account(churned_on=churned_on), AS_OF)
    assert rows.loc[rows["churned"], "month"].dt.month.tolist() == [4]
    assert rows["month"].max() == pd.Timestamp(2026, 4, 1)


def test_a_month_without_a_known_style_is_a_gap():
    rows = intervals(months_of("a", np.nan, 0.4, np.nan, 0.7), account(), AS_OF)
    assert drawn(rows) == [("Mar", 4, 5, False, 0.4), ("May", 6, 7, False, 0.7)]


@pytest.mark.parametrize(
    ("as_of", "last", "churned"),
    [(dt.date(2026, 4, 30), 3, False), (dt.date(2026, 5, 1), 4, True), (dt.date(2026, 5, 31), 4, True)],
)
def test_a_month_counts_once_it_is_known_whether_service_ended_with_it(as_of, last, churned):
    rows = intervals(months_of("a", *[0.5] * 6), account(churned_on=dt.date(2026, 5, 1)), as_of)
    assert rows["month"].dt.month.max() == last
    assert rows["churned"].any() == churned


def test_months_before_the_first_as_a_customer_do_not_count():
    rows = intervals(months_of("a", 0.3, 0.4, 0.6, 0.7), account(customer_from=dt.date(2026, 4, 10)), AS_OF)
    assert drawn(rows) == [("Apr", 0, 1, False, 0.6), ("May", 1, 2, False, 0.7)]


@pytest.mark.parametrize("churned_on", [dt.date(2025, 12, 1), dt.date(2026, 2, 1)])
def test_who_left_before_a_style_was_known_gives_no_row(churned_on):
    assert intervals(months_of("a", 0.3, 0.4), account(churned_on=churned_on), AS_OF).empty


def test_without_months_there_are_no_intervals_but_their_columns():
    rows = intervals(months_of("a"), account(), AS_OF)
    assert rows.empty
    assert [*rows] == ["account_id", "month", "start", "stop", "churned", "partnership"]
    with pytest.raises(NotEstimable, match="0 events; 20 needed"):
        time_varying_cox(rows)


def test_an_account_without_a_start_has_no_tenure():
    assert intervals(months_of("a", 0.3, 0.4), account(customer_from=None), AS_OF).empty


def test_other_columns_come_along_monthly_ones_from_the_month_before():
    months = months_of("a", 0.3, 0.4).assign(cost_focus=[0.1, 0.2])
    rows = intervals(months, account(industry="Retail"), AS_OF)
    assert rows["cost_focus"].tolist() == [0.1, 0.2]
    assert rows["industry"].tolist() == ["Retail", "Retail"]
    assert [*rows.columns[:5]] == ["account_id", "month", "start", "stop", "churned"]
    assert "customer_from" not in rows


def test_dates_of_the_lake_do_as_well():
    months, accounts = months_of("a", *[0.5] * 4), account(churned_on=dt.date(2026, 4, 1))
    arrow = "date32[day][pyarrow]"
    rows = intervals(
        months.astype({"month": arrow}), accounts.astype({"customer_from": arrow, "churned_on": arrow}), AS_OF
    )
    pd.testing.assert_frame_equal(rows, intervals(months, accounts, AS_OF), check_dtype=False)


@pytest.mark.parametrize(
    ("months", "accounts", "complaint"),
    [
        (months_of("a", 0.3, 0.4), account().drop(columns="churned_on"), "no column 'churned_on'"),
        (months_of("a", 0.3).drop(columns="partnership"), account(), "no column 'partnership'"),
        (pd.concat([months_of("a", 0.3)] * 2), account(), "1 accounts or account-months occur twice"),
        (months_of("a", 0.3), pd.concat([account()] * 2), "1 accounts or account-months occur twice"),
        (months_of("b", 0.3, 0.4), account(), "2 months belong to no account"),
        (months_of("a", 0.3).assign(seats=3), account(seats=4), "both have a column 'seats'"),
    ],
)
def test_frames_that_do_not_fit_together_are_refused(months, accounts, complaint):
    with pytest.raises(ContrastError, match=complaint):
        intervals(months, accounts, AS_OF)


# --- worlds whose truth is known --------------------------------------------------------------------------------------


def world(generator, accounts=800, months=48, ratio=1.0, owners=None, late=None):
    """Months and accounts of a world in which a step of .2 multiplies the hazard by `ratio` (after month `late` only)."""
    latent = generator.normal(size=(accounts, 1)) + np.cumsum(0.3 * generator.normal(size=(accounts, months)), axis=1)
    partnership = 1 / (1 + np.exp(-latent))
    # The style of a month works in the next one.
    before = np.column_stack([partnership[:, :1], partnership[:, :-1]])
    hazard = 0.02 * ratio ** ((before - 0.5) / 0.2 * (1 if late is None else np.arange(months) >= late))
    owner = generator.integers(owners or accounts, size=accounts)
    hazard = hazard * np.exp(0.8 * generator.normal(size=owners))[owner][:, None] if owners else hazard
    leaves = generator.random((accounts, months)) < hazard
    left = np.where(leaves.any(axis=1), leaves.argmax(axis=1), months)
    days = pd.date_range("2020-01-01", periods=months + 2, freq="MS")
    rows, columns = np.nonzero(np.arange(months) <= left[:, None])
    return (
        pd.DataFrame({"account_id": rows, "month": days[columns], "partnership": partnership[rows, columns]}),
        pd.DataFrame(
            {
                "account_id": np.arange(accounts),
                "customer_from": days[0],
                "churned_on": pd.Series(days[left + 1]).where(left < months),
                "owner": owner,
            }
        ),
    )


END = dt.date(2024, 1, 1)


def test_a_planted_hazard_ratio_is_found():
    generator = np.random.default_rng(8)
    found = [time_varying_cox(intervals(*world(generator, 600, 36, ratio=0.7), END)) for _ in range(4)]
    assert np.mean([each.coefficient for each in found]) == pytest.approx(np.log(0.7), abs=0.05)
    # Over 200 such worlds 95 % of the intervals cover it, and the test of proportionality errs in 6.5 %.
    assert sum(each.ci_low < 0.7 < each.ci_high for each in found) >= 3
    assert all(each.proportionality.p_value > 0.001 for each in found)


def test_an_effect_that_comes_late_is_not_proportional():
    found = time_varying_cox(intervals(*world(np.random.default_rng(9), 1500, ratio=0.5, late=12), END))
    assert found.proportionality.p_value < 0.01


@pytest.mark.slow
def test_the_stated_error_is_the_spread_over_worlds_when_accounts_share_an_owner():
    generator = np.random.default_rng(10)
    found = [
        time_varying_cox(intervals(*world(generator, 400, 36, ratio=0.8, owners=60), END), cluster="owner")
        for _ in range(120)
    ]
    coefficients = np.array([each.coefficient for each in found])
    assert np.mean([each.standard_error for each in found]) == pytest.approx(coefficients.std(ddof=1), rel=0.15)
    # A Cox ratio over unlike owners is drawn a little towards 1 (Struthers, Kalbfleisch 1986, Biometrika 73:363).
    assert np.mean([each.ci_low <= 0.8 <= each.ci_high for each in found]) >= 0.9


def test_ever_a_partner_finds_an_effect_in_a_null_world_and_style_month_by_month_does_not():
    # Becoming a partner and leaving are independent; but only who has stayed can become one.
    generator = np.random.default_rng(11)
    naive, monthly, landmark = [], [], []
    for _ in range(3):
        became, left = generator.geometric(1 / 24, 1000), generator.geometric(1 / 24, 1000)
        stop, churned = np.minimum(left, 48), left <= 48
        accounts = pd.DataFrame({"account_id": np.arange(1000), "start": 0, "stop": stop, "churned": churned})
        naive.append(time_varying_cox(accounts.assign(ever=became < stop), exposure="ever", step=1))
        rows, tenure = np.nonzero(np.arange(48) < stop[:, None])
        panel = pd.DataFrame({"account_id": rows, "start": tenure, "stop": tenure + 1})
        panel = panel.assign(
            partnership=np.where(became[rows] <= tenure, 0.7, 0.3), churned=churned[rows] & (tenure + 1 == stop[rows])
        )
        monthly.append(time_varying_cox(panel, step=0.4))
        there = accounts[stop > 12].assign(start=12, early=(became <= 12)[stop > 12])
        landmark.append(time_varying_cox(there, exposure="early", step=1))
    assert max(each.ci_high for each in naive) < 0.5
    for honest in (monthly, landmark):
        assert np.mean([each.coefficient for each in honest]) == pytest.approx(0, abs=0.1)
        assert sum(each.ci_low <= 1 <= each.ci_high for each in honest) >= 2


# --- laws -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def panel():
    months, accounts = world(np.random.default_rng(12), 150, 30, ratio=0.8)
    segment = np.array(["Retail", "Energy", "Public"])[np.arange(150) % 3]
    return intervals(months, accounts.assign(segment=segment, seats=np.arange(150.0) % 7), END)


def test_the_order_of_rows_does_not_matter(panel):
    mixed = panel.sample(frac=1, random_state=1)
    first, second = (time_varying_cox(rows, ["segment", "seats"]) for rows in (panel, mixed))
    assert first.coefficient == pytest.approx(second.coefficient, abs=1e-9)
    assert first.standard_error == pytest.approx(second.standard_error, abs=1e-9)
    assert first.proportionality.statistic == pytest.approx(second.proportionality.statistic, abs=1e-9)


def test_a_row_cut_in_two_says_the_same(panel):
    cut = panel["start"] + 0.5
    halves = pd.concat([panel.assign(stop=cut, churned=False), panel.assign(start=cut)])
    whole, parts = time_varying_cox(panel), time_varying_cox(halves)
    assert parts.coefficient == pytest.approx(whole.coefficient, abs=1e-6)
    assert parts.standard_error == pytest.approx(whole.standard_error, rel=1e-6)


@settings(max_examples=5, deadline=None)
@given(st.floats(0.05, 1), st.floats(-3, 3), st.floats(0.1, 10))
def test_unit_and_zero_of_the_score_do_not_matter_and_steps_multiply(panel, step, zero, unit):
    other = panel.assign(partnership=zero + unit * panel["partnership"])
    found = time_varying_cox(other, step=step * unit)
    assert found.coefficient == pytest.approx(time_varying_cox(panel).coefficient * step / 0.2, rel=1e-6)


def test_a_segment_without_churn_leaves_the_ratio_to_the_others(panel):
    calm = panel["segment"] == "Public"
    quiet = panel.assign(churned=panel["churned"] & ~calm)
    found, without = time_varying_cox(quiet, ["segment"]), time_varying_cox(quiet[~calm], ["segment"])
    assert found.coefficient == pytest.approx(without.coefficient, abs=1e-4)
    assert found.standard_error == pytest.approx(without.standard_error, rel=0.01)


def test_covariates_are_given_up_from_the_end_where_events_are_few(panel):
    times = panel.loc[panel["churned"], "account_id"].tolist()[:30]
    few = panel.assign(churned=panel["churned"] & panel["account_id"].isin(times))
    # 30 events carry three columns: the exposure's and the two of the segment.
    found = time_varying_cox(few, ["segment", "seats"])
    assert (found.n_events, found.adjusted, found.given_up) == (30, ("segment",), ("seats",))


# --- what cannot be estimated -----------------------------------------------------------------------------------------


def test_a_hazard_ratio_needs_twenty_events(panel):
    leavers = panel.loc[panel["churned"], "account_id"].tolist()[:19]
    few = panel.assign(churned=panel["churned"] & panel["account_id"].isin(leavers))
    with pytest.raises(NotEstimable, match=r"^19 events; 20 needed$"):
        time_varying_cox(few)
    assert time_varying_cox(few, events=19).n_events == 19


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda panel: {"partnership": 0.5}, "partnership is the same in all"),
        (lambda panel: {"partnership": panel["churned"] * 1.0}, "all that churn lie at one end of partnership"),
        (
            lambda panel: {"partnership": 1.0 * (~panel["churned"] & (panel["account_id"] < 40))},
            "the hazard ratio is beyond bounds",
        ),
        (
            lambda panel: {"account_id": 1, "start": np.arange(len(panel)), "stop": np.arange(len(panel)) + 1},
            "in one cluster",
        ),
    ],
)
def test_what_the_panel_cannot_carry_is_said(panel, change, complaint):
    with pytest.raises(NotEstimable, match=complaint):
        time_varying_cox(panel.assign(**change(panel)))


@pytest.mark.parametrize(
    ("change", "keys", "complaint"),
    [
        (lambda panel: panel.drop(columns="stop"), {}, "no column 'stop'"),
        (lambda panel: panel.assign(partnership=panel["partnership"].where(panel.index > 1)), {}, "'partnership' is missing in 2"),
        (lambda panel: panel.assign(partnership="high"), {}, "must hold numbers"),
        (lambda panel: panel.assign(stop=panel["start"]), {}, "do not stop after their start"),
        (lambda panel: panel.assign(stop=panel["stop"] + 0.5), {}, "before the row before of their account has stopped"),
        (lambda panel: panel.assign(owner=panel.index), {"cluster": "owner"}, "in more than one owner"),
    ],
)  # fmt: skip
def test_a_panel_that_is_none_is_refused(panel, change, keys, complaint):
    with pytest.raises(ContrastError, match=complaint):
        time_varying_cox(change(panel), **keys)


def test_events_of_one_tenure_cannot_tell_whether_the_ratio_changes(rossi):
    found = time_varying_cox(rossi.assign(stop=1), exposure="age", step=1)
    assert (found.proportionality.statistic, found.proportionality.p_value) == (None, None)
