"""Accounts that switch: published results, an independent account of the errors, and worlds whose truth is planted."""

import math
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from transforms.contrast.errors import ContrastError, NotEstimable
from transforms.contrast.switchers import MAGNITUDES, aggregate, breakdown, group_time_att, pre_trend

COLUMNS = ("account", "quarter", "value", "switched")


def tidy(outcome, switched, **columns):
    """The long panel of an outcome (accounts x periods, numbered from 0) and the period of each account's switch."""
    accounts, periods = np.shape(outcome)
    frame = pd.DataFrame(
        {
            "account": np.repeat(np.arange(accounts), periods),
            "quarter": np.tile(np.arange(periods), accounts),
            "value": np.ravel(outcome),
            "switched": np.repeat(np.asarray(switched, dtype=float), periods),
        }
    )
    return frame.assign(**{name: np.repeat(np.asarray(values), periods) for name, values in columns.items()})


def world(seed, switchers=40, others=80, periods=8, groups=(4, 5, 6), effect=0.0, trend=0.0):
    """Accounts of different levels; the effect sets in with the switch, and switchers may drift by `trend`."""
    generator = np.random.default_rng(seed)
    never = np.full(others, math.nan)
    switched = np.concatenate([generator.choice(groups, switchers).astype(float), never])
    time = np.arange(periods)
    outcome = generator.standard_normal((len(switched), periods)) + 2 * generator.standard_normal((len(switched), 1))
    outcome += effect * (time >= np.nan_to_num(switched, nan=math.inf)[:, None])
    return tidy(outcome + trend * time * ~np.isnan(switched)[:, None], switched)


def fit(frame, *options, **keys):
    return group_time_att(frame, *COLUMNS, *options, **keys)


# --- minimum wages and the employment of teenagers --------------------------------------------------------------------


@pytest.fixture(scope="module")
def counties():
    """500 counties, 2003 to 2007, of states that raised the minimum wage or did not (Callaway, Sant'Anna 2021)."""
    package = find_spec("moderndid")
    if package is None or package.origin is None:
        pytest.skip("moderndid, which brings the data along, is not installed")
    # The file alone: to import the package would start polars.
    frame = pd.read_pickle(Path(package.origin).parent / "core" / "datasets" / "mpdta_long.pkl.gz")
    return frame.assign(raised=frame["first.treat"].where(frame["first.treat"] > 0))


def wages(counties, *options, **keys):
    return group_time_att(counties, "countyreal", "year", "lemp", "raised", *options, **keys)


@pytest.mark.parametrize(
    ("control", "effects"),
    [
        # As printed by the R package did (vignette "Getting started", without covariates).
        (
            "never",
            [-0.0105, -0.0704, -0.1373, -0.1008, 0.0065, -0.0028, -0.0046, -0.0412, 0.0305, -0.0027, -0.0311, -0.0261],
        ),
        # As computed by moderndid 0.2.0.
        (
            "not_yet",
            [-0.0194, -0.0783, -0.1363, -0.1008, -0.0026, -0.0019, 0.0047, -0.0412, 0.0298, -0.0024, -0.0311, -0.0261],
        ),
    ],
)
def test_effects_on_each_group_in_each_year_agree_with_did(counties, control, effects):
    found = wages(counties, control, base_periods=1).cells
    assert found["group"].tolist() == [2004] * 4 + [2006] * 4 + [2007] * 4
    assert found["period"].tolist() == [2004, 2005, 2006, 2007] * 3
    assert found["att"].tolist() == pytest.approx(effects, abs=5e-5)
    assert found["n_treated"].tolist() == [20] * 4 + [40] * 4 + [131] * 4


@pytest.mark.parametrize(
    ("by", "effects", "errors"),
    [
        ("simple", [-0.0400], [0.0120]),
        (
            "event",
            [0.0305, -0.0006, -0.0245, -0.0199, -0.0510, -0.1373, -0.1008],
            [0.0150, 0.0133, 0.0142, 0.0118, 0.0169, 0.0364, 0.0344],
        ),
        ("group", [-0.0797, -0.0229, -0.0261], [0.0264, 0.0167, 0.0167]),
        ("calendar", [-0.0105, -0.0704, -0.0488, -0.0371], [0.0233, 0.0310, 0.0201, 0.0137]),
    ],
)
def test_aggregates_agree_with_did(counties, by, effects, errors):
    found = aggregate(wages(counties, "never", base_periods=1, cluster="countyreal"), by)
    assert found["att"].tolist() == pytest.approx(effects, abs=5.1e-5)
    # did divides by n, we by n - 1 within each arm: 3 % more in the group of 20 counties.
    assert found["standard_error"].tolist() == pytest.approx(errors, rel=0.03)


def test_a_universal_base_is_one_year_for_all_others(counties):
    found = aggregate(wages(counties, "never", "universal"), "event").set_index("event")["att"]
    assert found.index.tolist() == [-4, -3, -2, 0, 1, 2, 3]
    assert found.loc[[-4, -3, -2]].tolist() == pytest.approx([0.0033, 0.0250, 0.0245], abs=5.1e-5)


def test_a_year_of_anticipation_agrees_with_moderndid(counties):
    found = wages(counties, base_periods=1, anticipation=1)
    assert found.cells["att"].tolist() == pytest.approx(
        [-0.002563, -0.001939, -0.007345, -0.043975, 0.029759, -0.002726, -0.031087, -0.057142], abs=5.1e-7
    )
    assert found.left_out["group"].tolist() == [2004]


def test_the_breakdown_encloses_the_exact_interval(counties):
    # C-LF intervals of the average effect by relative magnitudes, computed with moderndid 0.2.0 from its covariance.
    exact = {0.0: (-0.1153, -0.0395), 0.5: (-0.1521, -0.0055), 1.0: (-0.2059, 0.0480)}
    found = breakdown(wages(counties, base="universal"))
    for magnitude, (low, high) in exact.items():
        ours = found.intervals.set_index("magnitude").loc[magnitude]
        assert ours["ci_low"] < low and high < ours["ci_high"]
        assert ours["ci_high"] - ours["ci_low"] < 1.2 * (high - low)
    # The exact one reaches 0 at about 0.55.
    assert found.magnitude == pytest.approx(0.404, abs=1e-3)


# --- by hand ----------------------------------------------------------------------------------------------------------

STORY = [
    # 0  1  2  3  4
    [0, 2, 3, 9, 9],  # switch in 3
    [0, 0, 3, 7, 9],
    [0, 0, 0, 1, 7],  # switch in 4
    [0, 0, 0, 3, 9],
    [0, 0, 1, 1, 1],  # never
    [0, 0, 1, 3, 3],
]
SWITCHED = [3, 3, 4, 4, math.nan, math.nan]


def test_a_long_base_by_hand():
    cells = fit(tidy(STORY, SWITCHED)).cells.set_index(["group", "period"])
    # Base of group 3: means of 1 and 2, which are 2.5 and 1.5; controls 4 and never: 0, 0, .5 and .5.
    assert cells.loc[(3, 3), "att"] == (6.5 + 5.5) / 2 - (1 + 3 + 0.5 + 2.5) / 4
    # In 4 only those that never switch are left as controls.
    assert cells.loc[(3, 4), "att"] == (6.5 + 7.5) / 2 - (0.5 + 2.5) / 2
    assert cells.loc[(3, 4), ["n_treated", "n_control"]].tolist() == [2, 2]
    # Before the switch the base is the two periods before, not the period itself; group 4 is a control in 2.
    assert cells.loc[(3, 2), "att"] == (2 + 3) / 2 - (0 + 0 + 1 + 1) / 4
    assert cells.index.tolist() == [(3, 2), (3, 3), (3, 4), (4, 2), (4, 3), (4, 4)]
    assert cells["event"].tolist() == [-1, 0, 1, -2, -1, 0]


def test_who_may_switch_within_the_anticipation_is_no_control():
    cells = fit(tidy(STORY, SWITCHED), base_periods=1, anticipation=1).cells.set_index(["group", "period"])
    # Group 4 is untreated in 3, but may feel its switch already; the base of group 3 is period 1.
    assert cells.loc[(3, 3), "att"] == (7 + 7) / 2 - (1 + 3) / 2
    # In 2 group 4 is two periods from its switch.
    assert cells.loc[(3, 2), "att"] == (1 + 3) / 2 - (0 + 0 + 1 + 1) / 4


def test_an_account_without_a_needed_outcome_is_out_of_that_cell_only():
    story = np.array(STORY, dtype=float)
    story = np.vstack([story, [0, 0, 2, 5, math.nan]])
    frame = tidy(story, [*SWITCHED, 3])
    cells = fit(frame).cells.set_index(["group", "period"])
    assert cells.loc[[(3, 2), (3, 3), (3, 4)], "n_treated"].tolist() == [3, 3, 2]
    absent = fit(frame.dropna(subset=["value"])).cells.set_index(["group", "period"])
    pd.testing.assert_frame_equal(absent, cells)
    # The size of the group stays what it was at the switch.
    event = aggregate(fit(frame), "simple")["att"].iloc[0]
    assert event == pytest.approx(np.average(cells["att"][[(3, 3), (3, 4), (4, 4)]], weights=[3, 3, 2]))


def test_accounts_of_whom_nothing_can_be_told_are_counted():
    frame = tidy([[0, 1, 2, 3, 4, 5]] * 8, [-1, 1, 1, 3, 3, 4, math.nan, math.nan])
    found = fit(frame)
    assert found.cells["group"].unique().tolist() == [3]
    assert found.left_out.to_dict("list") == {
        "group": [-1, 1, 4],
        "n_accounts": [1, 2, 1],
        "reason": ["fewer than 2 periods before the switch"] * 2
        + ["fewer than two accounts, or two controls, with a known outcome"],
    }
    # Whoever switches later than the panel goes is a control until then.
    later = fit(frame.assign(switched=frame["switched"].fillna(9)))
    assert later.cells["n_control"].tolist() == found.cells["n_control"].tolist()
    with pytest.raises(NotEstimable, match="none in a group of two with 2 periods before and two controls after"):
        fit(frame.assign(switched=frame["switched"].fillna(9)), "never")


# --- errors -----------------------------------------------------------------------------------------------------------


def test_the_error_of_a_cell_is_welchs():
    frame = world(1, groups=(4,))
    row = fit(frame).cells.set_index("period").loc[5]
    wide = frame.pivot(index="account", columns="quarter", values="value")
    change = wide[5] - wide[[2, 3]].mean(axis=1)
    switched = frame.groupby("account")["switched"].first().notna()
    welch = stats.ttest_ind(change[switched], change[~switched], equal_var=False)
    assert row["att"] / row["standard_error"] == pytest.approx(welch.statistic)


@pytest.mark.parametrize("cluster", [None, "manager"])
def test_errors_agree_with_the_jackknife(cluster):
    # Independent of influence functions: leave out one account, or manager, at a time. The effects differ between
    # groups, so the error of their estimated sizes counts too.
    frame = world(2, 40, 40, 6, (3, 4), effect=1.0)
    frame["value"] += 4 * ((frame["switched"] == 3) & (frame["quarter"] >= 3))
    frame["manager"] = frame["account"] % 20
    key = frame[cluster or "account"]
    left = [fit(frame[key != each], cluster=cluster) for each in key.unique()]
    for by in ("simple", "event", "group", "calendar"):
        spread = np.std([aggregate(each, by)["att"] for each in left], axis=0)
        found = aggregate(fit(frame, cluster=cluster), by)
        assert found["standard_error"].to_numpy() == pytest.approx(spread * math.sqrt(len(left) - 1), rel=0.08)


def test_copies_in_one_cluster_add_no_certainty():
    frame = world(3)
    copies = pd.concat(
        [frame.assign(twin=frame["account"]), frame.assign(twin=frame["account"], account=-1 - frame["account"])]
    )
    once, twice = fit(frame), fit(copies, cluster="twin")
    assert twice.cells["standard_error"].to_numpy() == pytest.approx(once.cells["standard_error"].to_numpy())
    for by in ("simple", "event"):
        pd.testing.assert_frame_equal(
            aggregate(twice, by).drop(columns="n_accounts"), aggregate(once, by).drop(columns="n_accounts")
        )
    assert pre_trend(twice).statistic == pytest.approx(pre_trend(once).statistic)


@pytest.mark.parametrize(("switchers", "degrees"), [(12, 11), (120, math.inf)])
def test_few_switchers_have_the_quantile_of_t(switchers, degrees):
    row = aggregate(fit(world(4, switchers, others=120, groups=(4,)))).iloc[0]
    assert row["n_accounts"] == switchers
    assert (row["ci_high"] - row["att"]) / row["standard_error"] == pytest.approx(stats.t.ppf(0.975, degrees))


# --- laws -------------------------------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["long", "universal"]), st.sampled_from(["not_yet", "never"]))
def test_levels_common_shocks_and_the_order_of_rows_do_not_matter(seed, base, control):
    frame = world(seed, 20, 30)
    generator = np.random.default_rng(seed)
    level, shock = generator.normal(0, 9, 50), generator.normal(0, 9, 8)
    other = frame.assign(
        value=3 * (frame["value"] + level[frame["account"]] + shock[frame["quarter"]]),
        quarter=2020 + 3 * frame["quarter"],
        switched=2020 + 3 * frame["switched"],
    ).sample(frac=1, random_state=seed)
    found, changed = fit(frame, control, base), fit(other, control, base)
    assert changed.cells["att"].to_numpy() == pytest.approx(3 * found.cells["att"].to_numpy(), abs=1e-9)
    assert changed.cells["group"].tolist() == (2020 + 3 * found.cells["group"]).tolist()
    event = aggregate(found, "event")
    pd.testing.assert_frame_equal(
        aggregate(changed, "event"),
        event.assign(**{name: 3 * event[name] for name in event if name not in ("event", "n_accounts")}),
    )
    assert breakdown(changed).magnitude == pytest.approx(breakdown(found).magnitude, abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 2), st.sampled_from(["long", "universal"]))
def test_intervals_grow_with_the_violation_from_the_ordinary_one_on(seed, anticipation, base):
    found = fit(world(seed, effect=2.0), base=base, anticipation=anticipation)
    rows = breakdown(found).intervals
    assert rows["magnitude"].tolist() == list(MAGNITUDES)
    assert rows["ci_low"].is_monotonic_decreasing and rows["ci_high"].is_monotonic_increasing
    after = aggregate(found, "event").query("event >= 0")
    assert rows.loc[0, ["ci_low", "ci_high"]].mean() == pytest.approx(after["att"].mean())


# --- planted truth ----------------------------------------------------------------------------------------------------


def test_a_planted_effect_is_found():
    found = fit(world(5, 150, 150, effect=0.8))
    for by in ("simple", "event", "group", "calendar"):
        rows = aggregate(found, by)
        truth = 0.8 if by != "event" else 0.8 * (rows["event"] >= 0)
        assert ((rows["att"] - truth).abs() < 3.5 * rows["standard_error"]).all()
    assert aggregate(found)["ci_low"].iloc[0] > 0
    assert pre_trend(found).p_value > 0.05
    assert breakdown(found).magnitude > 0


def after_a_bad_quarter(seed):
    """A null world: some accounts switch in the quarter after a bad one, and recover from it as everybody does."""
    generator = np.random.default_rng(seed)
    shock = generator.standard_normal((1500, 9))
    moved = (shock < -1) & (generator.random(shock.shape) < 0.15)
    switched = np.where(moved.any(axis=1), moved.argmax(axis=1) + 1.0, math.nan)
    return tidy(shock + generator.standard_normal((1500, 1)), switched)


def test_recovery_from_a_bad_quarter_is_no_effect():
    frame = after_a_bad_quarter(6)
    short, long = fit(frame, base="universal"), fit(frame, anticipation=1)
    assert aggregate(short)["ci_low"].iloc[0] > 1.3
    assert pre_trend(short).p_value < 1e-9
    assert abs(aggregate(long)["att"].iloc[0]) < 0.1
    assert aggregate(long)["ci_low"].iloc[0] < 0 < aggregate(long)["ci_high"].iloc[0]
    assert pre_trend(long).p_value > 0.05
    # A longer base alone halves it, as the bad quarter is half of the base.
    assert aggregate(fit(frame))["att"].iloc[0] == pytest.approx(aggregate(short)["att"].iloc[0] / 2, abs=0.1)


def test_a_trend_before_the_switch_is_seen():
    assert pre_trend(fit(world(7, 100, 100, trend=0.3))).p_value < 0.001


samples = pytest.mark.parametrize("samples", [60, pytest.param(1000, marks=pytest.mark.slow)])


@samples
@pytest.mark.parametrize("base", ["long", "universal"])
def test_the_test_of_trends_keeps_its_size_with_few_switchers(base, samples):
    p_values = [pre_trend(fit(world(seed, 20, 100), base=base)).p_value for seed in range(samples)]
    # Within three standard errors of 6 %.
    rejected = np.mean(np.array(p_values) < 0.05)
    assert abs(rejected - 0.06) < 3 * math.sqrt(0.06 * 0.94 / samples)


@samples
@pytest.mark.parametrize(("base", "anticipation"), [("universal", 0), ("long", 1)])
def test_the_interval_holds_the_truth_when_trends_part_as_much_as_before(base, anticipation, samples):
    # Trends part by 1 once before the switch in 5, and by 1 in every period after the base: the worst that M = 1 allows.
    path = np.maximum(np.arange(8) - 4 + anticipation, 0.0) + (np.arange(8) >= 2)
    held = []
    for seed in range(samples):
        frame = world(seed, 40, 120, groups=(5,))
        frame["value"] += path[frame["quarter"]] * frame["switched"].notna()
        rows = breakdown(fit(frame, base=base, anticipation=anticipation)).intervals
        held.append((rows["ci_low"] <= 0) & (rows["ci_high"] >= 0))
    ordinary, _, same, double = np.mean(held, axis=0)
    assert ordinary < 0.05
    assert same >= 0.95 - 3 * math.sqrt(0.05 * 0.95 / samples)
    assert double >= same


def test_the_breakdown_without_noise_by_hand():
    # Switchers part by 0.2 between 0 and 1 and gain 1 from period 3 on; the controls stand still.
    frame = tidy([[0, 0.2, 0.2, 1.2, 1.2]] * 2 + [[0, 0, 0, 0, 0]] * 2, [3, 3, math.nan, math.nan])
    found = breakdown(fit(frame, base="universal"))
    # 0.2 after one period and 0.4 after two are 0.3 on average.
    assert found.magnitude == pytest.approx(1 / 0.3)
    assert found.intervals.loc[2, ["ci_low", "ci_high"]].tolist() == pytest.approx([0.7, 1.3])
    # Where a quarter was not seen, the parting is spread over both.
    gap = frame.assign(value=frame["value"].where(frame["quarter"] != 1))
    assert breakdown(fit(gap, base="universal")).magnitude == pytest.approx(2 / 0.3)
    still = frame.assign(value=frame["value"].where(frame["quarter"] > 2, 0.0))
    assert breakdown(fit(still, base="universal")).magnitude == math.inf


# --- what cannot be told ----------------------------------------------------------------------------------------------


def test_effects_that_are_always_0_are_not_counted_as_tested():
    frame = world(8, groups=(4,))
    full = pre_trend(fit(frame, base_periods=1))
    # What does not vary in 0 and 1 tells nothing about the period 1.
    still = frame.assign(value=frame["value"].where(frame["quarter"] > 1, 0.0))
    assert (full.degrees, pre_trend(fit(still, base_periods=1)).degrees) == (3, 2)


def test_without_a_past_there_is_no_test_of_trends():
    frame = world(9, periods=4, groups=(2,))
    for judge in (pre_trend, breakdown):
        with pytest.raises(NotEstimable, match="a longer history is needed"):
            judge(fit(frame))


def test_three_accounts_cannot_carry_a_test_of_many_periods():
    with pytest.raises(NotEstimable, match="vary in 3 ways and the smaller arm has 3 independent accounts"):
        pre_trend(fit(world(10, 3, groups=(5,))))


def test_one_manager_of_all_switchers_leaves_no_error():
    frame = world(11)
    frame["manager"] = frame["account"].where(frame["switched"].isna(), -1)
    with pytest.raises(NotEstimable, match="40 of 120 accounts have switched"):
        fit(frame, cluster="manager")


@pytest.mark.parametrize(
    ("change", "keys", "message"),
    [
        ({}, {"control": "later"}, "no control 'later': use one of not_yet, never"),
        ({}, {"base": "short"}, "no base 'short': use one of long, universal"),
        ({}, {"base_periods": 0}, "a base needs 1 period"),
        ({}, {"anticipation": -1}, "anticipation is 0 or more"),
        ({}, {"cluster": "owner"}, "no column 'owner'"),
        ({"value": "much"}, {}, "'value' holds something that is no number"),
        ({"value": math.inf}, {}, "'value' holds infinite values"),
        ({"account": None}, {}, "'account' is missing in 960 rows"),
        ({"quarter": 1}, {}, "840 rows repeat a unit and period"),
        ({"switched": range(960)}, {}, "'switched' changes within a unit"),
        ({"switched": 2.5}, {}, "'switched' holds periods that 'quarter' skips"),
        ({"quarter": [0, 1, 2, 3, 4, 5, 6, 8] * 120}, {}, "'quarter' must hold two integers or more, evenly spaced"),
        ({"quarter": [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5] * 120}, {}, "two integers or more"),
    ],
)
def test_a_wrong_frame_or_option_is_named(change, keys, message):
    with pytest.raises(ContrastError, match=message):
        fit(world(12).assign(**change), **keys)


def test_an_empty_frame_has_no_periods():
    with pytest.raises(ContrastError, match="two integers or more"):
        fit(world(12).head(0))


def test_there_are_four_aggregates():
    with pytest.raises(ContrastError, match="no aggregate by 'month': use one of simple, event, group, calendar"):
        aggregate(fit(world(12)), "month")
