"""What a reviewer asks next: planted truths are found, nulls are not, and what cannot be answered says why."""

import datetime as dt
import re

import numpy as np
import pandas as pd
import pytest

from tests.transforms.contrast.worlds import AS_OF, SHORT, T0, accounts, followed, half_years
from transforms.contrast.errors import NotEstimable
from transforms.contrast.review import Review, review
from transforms.contrast.study import compared, placed, prepared, run, sample
from warehouse.models import declared_tables

PROTOCOL = SHORT.model_copy(update={"permutations": 99})
TABLES = {
    "mart.dose_response": "dose_response",
    "mart.contrast_segment": "segment",
    "mart.switcher_effect": "switcher_effect",
    "mart.contrast_sensitivity": "sensitivity",
    "mart.contrast_test": "test",
}


def asked(frame: pd.DataFrame, months: pd.DataFrame, panel: pd.DataFrame) -> Review:
    return review(frame, months, panel, PROTOCOL, AS_OF, T0)


def answer(found: Review, test: str, outcome: str = "mutual_value") -> pd.Series:
    rows = found.test[(found.test["test"] == test) & (found.test["outcome"] == outcome)]
    assert len(rows) == 1
    return rows.iloc[0]


def analysis(found: Review, name: str) -> pd.Series:
    return found.sensitivity.set_index("analysis").loc[name]


def holds(row: pd.Series, truth: float) -> bool:
    return bool(row["ci_low"] <= truth <= row["ci_high"])


def noise(seed: int, size: int, deviation: float) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, deviation, size)


# Partnership pays large accounts .15 and small ones nothing; it halves churn; and value rises by .08 with a switch.
LARGE = accounts(1200)
LARGE["mutual_value"] += 0.15 * (LARGE["segment"] == "large") * (LARGE["partnership"] >= 0.5)
LARGE["mutual_value_before"] = 0.5 + 0.05 * (LARGE["partnership"] >= 0.5) + noise(3, len(LARGE), 0.05)
LARGE, LARGE_MONTHS = followed(LARGE, ratio=0.5, hazard=0.01)
LARGE_PANEL = half_years(LARGE, effect=0.08)

# The same without any effect; large accounts get more and stay longer, and are rather partners.
NULL, NULL_MONTHS = followed(accounts(1200, seed=3), hazard=0.01, seed=3)
NULL_PANEL = half_years(NULL, seed=3)

SMALL, SMALL_MONTHS = followed(accounts(300), hazard=0.005)
SMALL_PANEL = half_years(SMALL)


@pytest.fixture(scope="module")
def effects() -> Review:
    return asked(LARGE, LARGE_MONTHS, LARGE_PANEL)


@pytest.fixture(scope="module")
def nothing() -> Review:
    return asked(NULL, NULL_MONTHS, NULL_PANEL)


# --- for whom ---------------------------------------------------------------------------------------------------------


def levels(found: Review, moderator: str = "segment") -> pd.DataFrame:
    return found.segment[found.segment["moderator"] == moderator].set_index("level")


def test_where_partnership_pays_and_where_it_does_not_is_told_apart(effects: Review) -> None:
    large, small = levels(effects).loc["large"], levels(effects).loc["small"]
    assert large["ci_low"] > 0
    assert holds(large, 0.15)
    assert holds(small, 0)
    assert answer(effects, "heterogeneity_by_segment")["p_value"] < 0.001
    # Each learns from the other, so that they come nearer.
    assert small["difference"] < small["shrunk"] < large["shrunk"] < large["difference"]
    assert large["below_zero"] < 0.01


def test_where_it_pays_nobody_no_level_stands_out(nothing: Review) -> None:
    assert levels(nothing)["reason"].eq("").all()
    assert all(holds(row, 0) for _, row in nothing.segment.iterrows() if row["reason"] == "")
    assert answer(nothing, "heterogeneity_by_segment")["p_value"] > 0.05


@pytest.mark.parametrize("level", ["large", "small"])
def test_a_levels_difference_is_that_of_the_contrast_among_its_accounts_alone(effects: Review, level: str) -> None:
    alone = run(LARGE[LARGE["segment"] == level], PROTOCOL, AS_OF, T0).contrast
    expected = alone[alone["outcome"].eq("mutual_value") & alone["estimator"].eq("overlap")].iloc[0]
    same = ["n_partnership", "n_comparison", "effective_n_partnership", "difference", "ci_low", "ci_high"]
    assert levels(effects).loc[level, same].tolist() == pytest.approx(expected[same].tolist())


def test_a_level_of_too_few_accounts_is_counted_but_not_estimated(effects: Review) -> None:
    few = LARGE.assign(segment=LARGE["segment"].where(LARGE.index > 40, "new"))
    row = levels(asked(few, LARGE_MONTHS, LARGE_PANEL)).loc["new"]
    assert pd.isna(row["difference"])
    assert "30 needed" in row["reason"]


# --- at which dose, and beside which cost focus -----------------------------------------------------------------------


def test_a_bend_is_found_and_drawn() -> None:
    style = SMALL["partnership"]
    frame = SMALL.assign(mutual_value=0.7 - 0.8 * (style - 0.5) ** 2 + noise(4, len(SMALL), 0.03))
    found = asked(frame, SMALL_MONTHS, SMALL_PANEL)
    assert answer(found, "non_linearity")["p_value"] < 0.001
    curve = found.dose_response[found.dose_response["outcome"] == "mutual_value"]
    top = curve.loc[curve["value"].idxmax(), "partnership"]
    assert 0.4 <= top <= 0.6
    truth = 0.7 - 0.8 * (curve["partnership"] - 0.5) ** 2
    assert (curve["value"] - truth).abs().max() < 0.03


def test_a_straight_line_is_found_and_has_no_bend() -> None:
    frame = SMALL.assign(mutual_value=0.4 + 0.2 * SMALL["partnership"] + noise(5, len(SMALL), 0.03))
    found = asked(frame, SMALL_MONTHS, SMALL_PANEL)
    assert answer(found, "dose_response")["p_value"] < 0.001
    assert answer(found, "non_linearity")["p_value"] > 0.05


def test_without_an_effect_there_is_neither_slope_nor_bend(nothing: Review) -> None:
    assert answer(nothing, "dose_response")["p_value"] > 0.05
    assert answer(nothing, "non_linearity")["p_value"] > 0.05


def test_accounts_between_the_groups_count_for_the_dose(effects: Review) -> None:
    known = placed(prepared(LARGE, PROTOCOL), "mutual_value", PROTOCOL, T0)
    assert answer(effects, "dose_response")["n_accounts"] == len(known)
    groups = compared(prepared(LARGE, PROTOCOL), "mutual_value", PROTOCOL, T0)
    assert set(groups["account_id"]) < set(known["account_id"])
    assert not known.loc[~known["account_id"].isin(groups["account_id"]), "partnership"].between(0, 0.4).any()


def test_partnership_that_pays_less_where_price_rules_is_found() -> None:
    focus = np.random.default_rng(6).uniform(0, 1, len(SMALL))
    value = 0.5 + 0.5 * SMALL["partnership"] * (1 - focus) + noise(6, len(SMALL), 0.03)
    found = asked(SMALL.assign(cost_focus=focus, mutual_value=value), SMALL_MONTHS, SMALL_PANEL)
    # A step of .2 times .5 times what cost focus leaves: .6 at the low threshold, .4 at the high one.
    for test, truth in (
        ("step_at_low_cost_focus", 0.06),
        ("step_at_high_cost_focus", 0.04),
        ("interaction", -0.02),
    ):
        row = answer(found, test)
        assert holds(row, truth)
        assert row["p_value"] < 0.001


# --- do they stay -----------------------------------------------------------------------------------------------------


def test_churn_that_partnership_halves_shows(effects: Review) -> None:
    row = answer(effects, "hazard_ratio", "churn")
    assert holds(row, 0.5)
    assert row["ci_high"] < 1
    assert "adjusted for log_mrr, segment, industry, region" in row["note"]
    assert answer(effects, "proportional_hazards", "churn")["p_value"] > 0.01


def test_that_large_accounts_stay_longer_does_not_pass_for_partnership(nothing: Review) -> None:
    assert holds(answer(nothing, "hazard_ratio", "churn"), 1)


def test_days_kept_are_those_of_the_customers_at_t0() -> None:
    # Of the low group every second one leaves, halfway through the 180 days; of the high group every tenth. The first
    # fifty accounts had left before.
    place = np.arange(len(SMALL))
    leaves = np.where(SMALL["partnership"] <= 0.4, place % 2 == 0, place % 10 == 0)
    frame = SMALL.assign(churned_on=np.where(leaves, T0 + dt.timedelta(90), None))
    frame.loc[:49, "churned_on"] = dt.date(2025, 6, 1)
    row = answer(asked(frame, SMALL_MONTHS.iloc[:0], SMALL_PANEL), "days_kept", "churn")
    high, low = (frame["partnership"] >= 0.6) & (place >= 50), (frame["partnership"] <= 0.4) & (place >= 50)
    assert row["estimate"] == pytest.approx(90 * (leaves[low].mean() - leaves[high].mean()))
    assert row["ci_low"] > 0
    assert row["n_accounts"] == high.sum() + low.sum()


def test_whether_styles_stay_alike_is_tested_over_all_of_them_from_the_landmark() -> None:
    leaves = np.where(SMALL["style"] == "Partnership", False, np.arange(len(SMALL)) % 3 == 0)
    frame = SMALL.assign(churned_on=np.where(leaves, T0 + dt.timedelta(60), None))
    row = answer(asked(frame, SMALL_MONTHS.iloc[:0], SMALL_PANEL), "log_rank", "churn")
    assert row["degrees"] == SMALL["style"].nunique() - 1 == 2
    assert row["p_value"] < 0.001
    assert row["n_accounts"] == len(SMALL)
    assert f"{leaves.sum()} churns since" in row["note"]


# --- do they change ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", PROTOCOL.switchers.outcomes)
def test_the_effect_of_a_switch_is_found_from_its_half_year_on(effects: Review, outcome: str) -> None:
    row = answer(effects, "average_effect_of_switching", outcome)
    assert holds(row, 0.08)
    assert row["ci_low"] > 0
    events = effects.switcher_effect[effects.switcher_effect["outcome"] == outcome]
    assert events["event_month"].tolist() == [-42, -36, -30, -24, -18, -12, -6, 0, 6, 12]
    assert (events.loc[events["event_month"] >= 0, "ci_low"] > 0).all()
    assert answer(effects, "pre_trend", outcome)["p_value"] > 0.01
    assert answer(effects, "breakdown_magnitude", outcome)["estimate"] > 0


def test_a_switch_that_changes_nothing_shows_nothing(nothing: Review) -> None:
    assert holds(answer(nothing, "average_effect_of_switching"), 0)
    assert answer(nothing, "breakdown_magnitude")["estimate"] == 0


# Two of the base and four that the switch may have touched come before it.
@pytest.mark.parametrize(("half_years_on_record", "found"), [(6, False), (7, True)])
def test_a_switch_is_measured_as_soon_as_its_history_is_long_enough(half_years_on_record: int, found: bool) -> None:
    panel = half_years(SMALL, effect=0.08, periods=half_years_on_record, switchers=0.5)
    row = answer(asked(SMALL, SMALL_MONTHS.iloc[:0], panel), "average_effect_of_switching")
    assert pd.notna(row["estimate"]) == found
    if not found:
        assert "6 half-years are on record; 6 before" in row["note"]


def test_who_was_a_partner_from_the_first_is_neither_switched_nor_compared() -> None:
    always = SMALL["account_id"][:100]
    panel = half_years(SMALL, effect=0.08)
    panel["partnership"] = panel["partnership"].where(~panel["account_id"].isin(always), 0.9)
    found = asked(SMALL, SMALL_MONTHS.iloc[:0], panel)
    without = asked(SMALL, SMALL_MONTHS.iloc[:0], panel[~panel["account_id"].isin(always)])
    pd.testing.assert_frame_equal(found.switcher_effect, without.switcher_effect)


@pytest.mark.parametrize("kept", ["switched", "others"])
def test_too_few_on_either_side_of_a_switch_are_counted(kept: str) -> None:
    panel = half_years(SMALL, effect=0.08, switchers=0.5)
    high = panel.groupby("account_id")["partnership"].transform("max") > 0.6
    few = SMALL["account_id"][:20]
    panel = panel[(high if kept == "switched" else ~high) | panel["account_id"].isin(few)]
    note = answer(asked(SMALL, SMALL_MONTHS.iloc[:0], panel), "average_effect_of_switching")["note"]
    counted = re.fullmatch(r"not estimable: (\d+) accounts became .*, (\d+) had not yet; 30 needed of each", note)
    assert counted is not None
    assert min(map(int, counted.groups())) < 30


# --- would it fall ----------------------------------------------------------------------------------------------------


def test_an_effect_withstands_shuffled_labels_and_has_an_e_value(effects: Review) -> None:
    assert analysis(effects, "permuted_labels")["p_value"] == 0.01
    assert analysis(effects, "e_value")["value"] > analysis(effects, "e_value_of_limit")["value"] > 1
    assert analysis(effects, "rosenbaum_gamma")["value"] > 1
    assert effects.sensitivity["outcome"].eq("mutual_value").all()


def test_no_effect_does_not(nothing: Review) -> None:
    assert analysis(nothing, "permuted_labels")["p_value"] > 0.05
    assert analysis(nothing, "e_value_of_limit")["value"] == 1


def test_value_before_is_told_by_the_estimator_that_decides(effects: Review) -> None:
    earlier = sample(prepared(LARGE, PROTOCOL), "mutual_value_before", PROTOCOL, T0)
    assert earlier.outcome.size == earlier.treated.size
    row = analysis(effects, "value_before")
    assert holds(row, 0.05)
    assert "decides nothing" in row["note"]


def test_value_before_that_is_not_on_record_says_so(nothing: Review) -> None:
    row = analysis(nothing, "value_before")
    assert pd.isna(row["value"])
    assert "mutual_value_before could not be measured for any of 1200 accounts" in row["note"]


def test_the_sample_passes_every_gate_of_the_contrast() -> None:
    with pytest.raises(NotEstimable, match="there are no accounts"):
        sample(prepared(SMALL.iloc[:0], PROTOCOL), "mutual_value", PROTOCOL, T0)
    with pytest.raises(NotEstimable, match="does not vary within the arms"):
        sample(prepared(SMALL.assign(mutual_value=0.5), PROTOCOL), "mutual_value", PROTOCOL, T0)
    far = 8 + 16 * (SMALL["partnership"] - 0.5) + noise(8, len(SMALL), 2.2)
    with pytest.raises(NotEstimable, match="overlap leaves"):
        sample(prepared(SMALL.assign(log_mrr=far), PROTOCOL), "mutual_value", PROTOCOL, T0)


def test_who_has_no_counterpart_is_not_in_the_sample() -> None:
    place = SMALL.index[(SMALL["partnership"] >= 0.6) & SMALL["churned_on"].isna()][0]
    frame = SMALL.astype({"industry": object})
    frame.loc[place, "industry"] = "the only one of its kind"
    found, without = (
        sample(prepared(each, PROTOCOL), "mutual_value", PROTOCOL, T0) for each in (frame, SMALL.drop(index=place))
    )
    np.testing.assert_array_equal(found.outcome, without.outcome)
    assert found.names == without.names


# --- what cannot be answered ------------------------------------------------------------------------------------------

NO_MONTHS, NO_PANEL = SMALL_MONTHS.iloc[:0], SMALL_PANEL.iloc[:0]
BARE = SMALL[["account_id", "partnership", "style"]]
UNKNOWN = SMALL.assign(partnership=np.nan, style=None)


@pytest.mark.parametrize(
    ("frame", "months", "panel", "tests", "reason"),
    [
        (SMALL.iloc[:0], NO_MONTHS, NO_PANEL, ["dose_response", "interaction", "hazard_ratio"], "no"),
        (UNKNOWN, SMALL_MONTHS, SMALL_PANEL, ["non_linearity", "interaction"], "no account has"),
        (SMALL.assign(churned_on=T0), SMALL_MONTHS, SMALL_PANEL, ["dose_response", "days_kept"], "0 accounts|no account"),
        (SMALL.assign(customer_from=None), SMALL_MONTHS, SMALL_PANEL, ["hazard_ratio"], "no customer has a month"),
        (SMALL, NO_MONTHS, SMALL_PANEL, ["hazard_ratio", "proportional_hazards"], "no customer has a month"),
        (SMALL.assign(churned_on=None), SMALL_MONTHS, SMALL_PANEL, ["hazard_ratio"], "0 events; 20 needed"),
        (SMALL.assign(churned_on=None), SMALL_MONTHS, SMALL_PANEL, ["log_rank"], "0 churns after"),
        (SMALL.assign(churned_on=None), SMALL_MONTHS, SMALL_PANEL, ["days_kept"], "0 accounts of the two groups"),
        (SMALL, SMALL_MONTHS, NO_PANEL, ["average_effect_of_switching", "pre_trend"], "no account was seen below"),
        (SMALL, SMALL_MONTHS, SMALL_PANEL.assign(partnership=0.9), ["breakdown_magnitude"], "no account was seen below"),
        (SMALL, SMALL_MONTHS, SMALL_PANEL.query("period == 0").assign(partnership=0.3), ["pre_trend"], "1 half-years"),
        (SMALL, SMALL_MONTHS, SMALL_PANEL.query("period != -2"), ["pre_trend"], "without a gap"),
        (SMALL, SMALL_MONTHS, SMALL_PANEL.drop(columns="mutual_value"), ["pre_trend"], "no half-year has mutual_value"),
        (BARE, SMALL_MONTHS, SMALL_PANEL, ["dose_response", "interaction", "heterogeneity_by_segment"], "no account"),
        (SMALL.drop(columns="cost_focus"), SMALL_MONTHS, SMALL_PANEL, ["interaction"], "no account has mutual_value and"),
        (SMALL.assign(segment="one"), NO_MONTHS, NO_PANEL, ["heterogeneity_by_segment"], "fewer than two levels"),
        (SMALL.assign(segment=None), NO_MONTHS, NO_PANEL, ["heterogeneity_by_segment"], "fewer than two levels"),
        (SMALL.assign(partnership=0.9), NO_MONTHS, NO_PANEL, ["dose_response"], "too heaped for a curve"),
        (SMALL.assign(mutual_value=0.5), NO_MONTHS, NO_PANEL, ["dose_response"], "does not vary beyond"),
        (SMALL.iloc[:8], SMALL_MONTHS, SMALL_PANEL, ["dose_response", "interaction"], "accounts for a regression"),
        (SMALL.assign(owner_id="one"), SMALL_MONTHS, NO_PANEL, ["dose_response", "hazard_ratio"], "lie in one cluster"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_has_its_rows_with_the_reason(
    frame: pd.DataFrame, months: pd.DataFrame, panel: pd.DataFrame, tests: list[str], reason: str, nothing: Review
) -> None:
    found = asked(frame, months, panel)
    questions = ["outcome", "test"]
    assert found.test[questions].values.tolist() == nothing.test[questions].values.tolist()
    assert found.test["note"].notna().all()
    for test in tests:
        row = found.test[(found.test["test"] == test) & found.test["outcome"].isin(["mutual_value", "churn"])].iloc[0]
        assert re.match(f"not estimable: .*({reason})", row["note"])
        assert row[["estimate", "ci_low", "ci_high", "statistic", "p_value"]].isna().all()
    assert "value_before" in found.sensitivity["analysis"].tolist()


def test_a_contrast_that_cannot_be_made_has_no_sensitivity() -> None:
    found = asked(SMALL.iloc[:20], NO_MONTHS, NO_PANEL)
    assert found.sensitivity["analysis"].tolist() == ["permuted_labels", "value_before"]
    assert "30 needed" in analysis(found, "permuted_labels")["note"]
    assert found.sensitivity["value"].isna().all()


# --- the same in, the same out ----------------------------------------------------------------------------------------


def assert_same(found: Review, other: Review) -> None:
    for name in TABLES.values():
        pd.testing.assert_frame_equal(getattr(found, name), getattr(other, name), rtol=1e-9, atol=1e-12)


def test_the_order_of_the_rows_does_not_matter() -> None:
    shuffled = (frame.sample(frac=1, random_state=7) for frame in (SMALL, SMALL_MONTHS, SMALL_PANEL))
    assert_same(asked(*shuffled), asked(SMALL, SMALL_MONTHS, SMALL_PANEL))


def test_columns_of_objects_give_the_same() -> None:
    assert_same(asked(SMALL.astype(object), SMALL_MONTHS, SMALL_PANEL), asked(SMALL, SMALL_MONTHS, SMALL_PANEL))


def test_the_frames_are_left_as_they_were() -> None:
    frames = (SMALL.copy(), SMALL_MONTHS.copy(), SMALL_PANEL.copy())
    asked(*frames)
    for frame, before in zip(frames, (SMALL, SMALL_MONTHS, SMALL_PANEL), strict=True):
        pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("table", TABLES)
def test_every_table_has_the_columns_and_the_grain_of_its_declaration(
    table: str, effects: Review, nothing: Review
) -> None:
    declared = next(each for each in declared_tables() if each.table == table)
    empty = asked(SMALL.iloc[:0], NO_MONTHS, NO_PANEL)
    for found in (effects, nothing, empty):
        rows = getattr(found, TABLES[table])
        assert list(rows.columns) == list(declared.types)
        assert not rows.duplicated(list(declared.grain)).any()
        assert rows[list(declared.grain)].notna().all(axis=None)
        assert rows["as_of"].astype(object).eq(AS_OF).all()


def test_names_in_the_declaration_are_those_that_occur(effects: Review) -> None:
    texts = {each.table: each.columns for each in declared_tables()}
    for name in effects.sensitivity["analysis"]:
        assert re.sub(r"_[23]x$", "_1x", name) in texts["mart.contrast_sensitivity"]["analysis"]
    for name in effects.test["test"]:
        assert re.sub(r"(heterogeneity_by_).*", r"\1...", name) in texts["mart.contrast_test"]["test"]
