"""The whole contrast: who is compared, what is said, and what is said when nothing can be."""

import datetime as dt

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.contrast.worlds import AS_OF, HIGH_LOW, PROTOCOL, SHORT, STYLES, T0
from tests.transforms.contrast.worlds import accounts as world
from transforms.contrast.effects import benjamini_hochberg, cliffs_delta, e_value_of_difference, hedges_g
from transforms.contrast.errors import ContrastError
from transforms.contrast.estimators import difference
from transforms.contrast.study import BALANCE, CONTRAST, run

NUMBERS = [name for name, kind in CONTRAST.items() if kind in ("float64", "Int64") and name != "horizon_days"]


def study(frame, protocol=SHORT):
    return run(frame, protocol, AS_OF, T0)


def row(result, comparison=HIGH_LOW, outcome="mutual_value", estimator="overlap"):
    frame = result.contrast
    return frame[
        (frame["comparison"] == comparison) & (frame["outcome"] == outcome) & (frame["estimator"] == estimator)
    ].iloc[0]


def flow(result, comparison=HIGH_LOW, outcome="mutual_value"):
    frame = result.flow[(result.flow["comparison"] == comparison) & (result.flow["outcome"] == outcome)]
    return {
        (step, reason): count
        for step, reason, count in zip(frame["step"], frame["reason"], frame["accounts"], strict=True)
    }


WORLD = world(effect=0.08)
FOUND = study(WORLD, PROTOCOL)
NULL = study(world(effect=0.0, seed=2))


# --- the tables -------------------------------------------------------------------------------------------------------


def test_there_is_a_row_for_every_comparison_outcome_and_estimator():
    keys = FOUND.contrast[["comparison", "outcome", "estimator"]]
    assert not keys.duplicated().any()
    assert len(keys) == 2 * len(PROTOCOL.outcomes) * 5
    assert set(keys["estimator"]) == {"unadjusted", "overlap", "ipw", "aipw", "regression"}


@pytest.mark.parametrize(
    "frame", [WORLD, WORLD.iloc[:0], WORLD.assign(partnership=np.nan)], ids=["full", "empty", "null"]
)
def test_the_frames_have_the_columns_and_types_of_the_marts(frame):
    result = study(frame)
    connection = duckdb.connect()
    kinds = {"date32[day][pyarrow]": "DATE", "str": "VARCHAR", "Int64": "BIGINT", "float64": "DOUBLE"}
    for table, columns in ((result.contrast, CONTRAST), (result.contrast_balance, BALANCE)):
        arrow = pa.Table.from_pandas(table, preserve_index=False)
        connection.register("rows", arrow)
        described = connection.sql("select * from rows").description
        assert [(name, str(kind)) for name, kind, *_ in described] == [(n, kinds[k]) for n, k in columns.items()]


def test_every_row_names_its_protocol_day_and_horizon():
    assert FOUND.contrast["protocol_hash"].eq(PROTOCOL.hash).all()
    assert FOUND.contrast["as_of"].astype(object).eq(AS_OF).all()
    assert FOUND.contrast["horizon_days"].eq(181).all()


def test_the_horizon_is_the_frames_where_it_has_one():
    assert study(WORLD.assign(horizon_days=180)).contrast["horizon_days"].eq(180).all()
    with pytest.raises(ContrastError, match="horizon_days differs between accounts: 180 to 181"):
        study(WORLD.assign(horizon_days=np.where(WORLD.index == 0, 180, 181)))


# --- the estimates ----------------------------------------------------------------------------------------------------


def test_a_planted_effect_is_supported_and_lies_in_its_interval():
    found = row(FOUND)
    assert found["verdict"] == "supported"
    assert found["ci_low"] <= 0.08 <= found["ci_high"]
    assert found["difference"] < row(FOUND, estimator="unadjusted")["difference"]


def test_a_null_world_is_not_supported_though_the_naive_difference_is():
    assert row(NULL)["verdict"] in ("inconclusive", "practically_null")
    assert row(NULL, estimator="unadjusted")["ci_low"] > 0


def test_the_opposite_world_is_contradicted():
    assert row(study(world(effect=-0.08)))["verdict"] == "contradicted"


def test_paying_sooner_supports_although_the_difference_is_negative():
    found = row(FOUND, outcome="days_beyond_terms")
    assert found["difference"] < 0
    assert found["verdict"] == "supported"
    assert "less is better" in found["reason"]


@pytest.mark.parametrize("estimator", ["unadjusted", "overlap", "ipw", "aipw", "regression"])
def test_the_numbers_are_those_of_the_public_estimator(estimator):
    arms = WORLD[(WORLD["partnership"] >= 0.6) | (WORLD["partnership"] <= 0.4)]
    arms = arms.assign(high=arms["partnership"] >= 0.6)
    covariates = [name for name in PROTOCOL.covariates if name != "product"]
    expected = difference(arms, "mutual_value", "high", covariates, estimator, "owner_id")
    found = row(FOUND, estimator=estimator)
    assert found["difference"] == pytest.approx(expected.effect)
    assert found["standard_error"] == pytest.approx(expected.standard_error)
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((expected.ci_low, expected.ci_high))
    assert (found["n_partnership"], found["n_comparison"]) == (expected.n_treated, expected.n_control)
    assert found["mean_partnership"] - found["mean_comparison"] == pytest.approx(expected.effect)


def test_the_unadjusted_sizes_are_those_of_the_two_groups():
    high = WORLD.loc[WORLD["partnership"] >= 0.6, "mutual_value"]
    low = WORLD.loc[WORLD["partnership"] <= 0.4, "mutual_value"]
    found = row(FOUND, estimator="unadjusted")
    assert found["hedges_g"] == pytest.approx(hedges_g(high, low).g)
    assert found["cliffs_delta"] == pytest.approx(cliffs_delta(high, low).delta)
    assert found["e_value"] == pytest.approx(e_value_of_difference(hedges_g(high, low).g))


def test_the_second_comparison_is_between_the_named_styles():
    found = row(FOUND, STYLES)
    assert found["n_partnership"] == WORLD["style"].eq("Partnership").sum()
    assert found["n_comparison"] == WORLD["style"].eq("Transactional").sum()
    assert found["verdict"] == "supported"


def test_the_verdict_and_its_reason_are_the_same_on_all_rows_of_an_outcome():
    words = FOUND.contrast.groupby(["comparison", "outcome"])[["verdict", "reason"]].nunique()
    assert words.eq(1).all(axis=None)


def test_q_values_are_benjamini_hochbergs_over_all_but_the_primary():
    is_primary = FOUND.contrast["comparison"].eq(HIGH_LOW) & FOUND.contrast["outcome"].eq("mutual_value")
    family = FOUND.contrast["estimator"].eq("overlap") & ~is_primary
    assert FOUND.contrast.loc[~family, "q_value"].isna().all()
    expected = benjamini_hochberg(FOUND.contrast.loc[family, "p_value"])
    assert FOUND.contrast.loc[family, "q_value"].to_numpy() == pytest.approx(expected, nan_ok=True)
    assert np.isfinite(expected).sum() == 2 * 12 - 1


def test_overlap_balances_every_covariate_and_the_table_shows_it():
    table = FOUND.contrast_balance[
        (FOUND.contrast_balance["comparison"] == HIGH_LOW) & (FOUND.contrast_balance["outcome"] == "mutual_value")
    ]
    assert table["covariate"].tolist()[:3] == ["segment=small", "log_mrr", "seats"]
    assert table["smd_before"].abs().max() == pytest.approx(row(FOUND)["max_smd_before"])
    assert table["smd_after"].abs().max() < 1e-6
    assert row(FOUND)["max_smd_after"] < 1e-6


# --- who is compared --------------------------------------------------------------------------------------------------


def test_the_flow_accounts_for_everybody():
    for (_, _), steps in FOUND.flow.groupby(["comparison", "outcome"]):
        came = steps.loc[steps["step"] == "in", "accounts"].sum()
        assert came == len(WORLD) == steps.loc[steps["step"] != "in", "accounts"].sum()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"partnership": np.nan, "reason": "below_min_n"}, "below_min_n"),
        ({"partnership": np.nan}, "partnership not measured"),
        ({"partnership": 0.5}, "neither high nor low"),
        ({"mutual_value": np.nan, "reason": "source_not_connected"}, "source_not_connected"),
        ({"mutual_value": np.nan}, "mutual_value not measured"),
        ({"reason": "not a customer at t0"}, "not a customer at t0"),
        ({"churned_on": dt.date(2025, 12, 1)}, "not a customer at t0"),
        ({"customer_from": dt.date(2026, 2, 1)}, "not a customer at t0"),
        ({"industry": "the only one of its kind"}, "no counterpart in the other group"),
    ],
)
def test_who_is_left_out_is_counted_with_the_reason(change, reason):
    place = int(np.flatnonzero((WORLD["partnership"] >= 0.6) & WORLD["churned_on"].isna())[0])
    frame = WORLD.astype({"industry": object})
    for name, value in change.items():
        frame[name] = frame[name].astype(object)
        frame.loc[place, name] = value
    for name in ("partnership", "mutual_value"):
        frame[name] = frame[name].astype(float)
    result = study(frame)
    before = flow(FOUND).get(("excluded", reason), 0)
    assert flow(result)["excluded", reason] == before + 1
    assert row(result)["n_partnership"] == row(FOUND)["n_partnership"] - 1


def test_where_only_the_primary_outcome_is_lacking_the_others_are_compared():
    result = study(WORLD.assign(mutual_value=np.nan, customer_value=np.nan, reason="source_not_connected"))
    assert row(result)["verdict"] == "not_estimable"
    assert row(result)["reason"] == "mutual_value could not be measured for any of 400 accounts: source_not_connected"
    assert row(result, outcome="supplier_value")["verdict"] == "supported"


def test_a_level_without_counterpart_does_not_cost_the_whole_comparison():
    places = np.flatnonzero(WORLD["partnership"] >= 0.6)[:3]
    frame = WORLD.astype({"industry": object})
    frame.loc[places, "industry"] = "space"
    without = study(WORLD.drop(index=places))
    assert row(study(frame))["difference"] == pytest.approx(row(without)["difference"])
    assert flow(study(frame))["excluded", "no counterpart in the other group"] == 3


# --- what cannot be estimated -----------------------------------------------------------------------------------------


def assert_blank(result, reason, comparison=HIGH_LOW):
    rows = result.contrast[
        (result.contrast["comparison"] == comparison) & (result.contrast["outcome"] == "mutual_value")
    ]
    assert rows["verdict"].eq("not_estimable").all()
    assert rows["reason"].unique().tolist() == [reason]
    assert rows[NUMBERS].isna().all(axis=None)


def test_without_accounts_nothing_is_estimated_and_nothing_fails():
    result = study(WORLD.iloc[:0])
    assert_blank(result, "there are no accounts")
    assert result.contrast_balance.empty
    assert result.retention.empty
    assert result.flow["accounts"].eq(0).all()


def test_unmeasured_partnership_is_said_with_the_commonest_reason():
    reasons = np.where(WORLD.index < 10, "unmatched", "fewer than three ok indicators")
    frame = WORLD.assign(partnership=np.nan, style=None, reason=reasons)
    expected = "partnership could not be measured for any of 400 accounts: fewer than three ok indicators"
    assert_blank(study(frame), expected)


def test_too_small_an_arm_is_said_with_both_numbers():
    high = np.flatnonzero(WORLD["partnership"] >= 0.6)
    few = WORLD.drop(index=high[12:])
    assert_blank(study(few), "12 accounts in the high arm; 30 needed")
    low = np.flatnonzero(few["partnership"] <= 0.4)
    fewer = few.drop(index=few.index[low[5:]])
    assert_blank(study(fewer), "12 accounts in the high arm and 5 accounts in the low arm; 30 needed in each")


def test_covariates_that_do_not_fit_are_given_up_and_named():
    high, low = (np.flatnonzero(WORLD["partnership"] >= 0.6), np.flatnonzero(WORLD["partnership"] <= 0.4))
    result = study(WORLD.loc[[*high[:45], *low]])
    found = row(result)
    assert found["verdict"] != "not_estimable"
    assert "too few to adjust for logging_intensity, industry, region, days_to_renewal, sla_tier" in found["reason"]
    # What is not adjusted for stays in the table of balance, and in the largest difference after weighting.
    shown = result.contrast_balance.set_index("covariate")["smd_after"].groupby(level=0).first()
    assert shown.filter(like="region=").abs().gt(1e-6).all()
    assert len(shown.filter(like="region=")) == 1
    assert shown[["segment=small", "log_mrr", "seats", "tenure_months"]].abs().max() < 1e-6
    assert found["max_smd_after"] > 1e-6


def test_three_covariates_that_do_not_fit_stop_the_comparison():
    high, low = (np.flatnonzero(WORLD["partnership"] >= 0.6), np.flatnonzero(WORLD["partnership"] <= 0.4))
    frame = WORLD.loc[[*high[:35], *low]].reset_index(drop=True)
    frame["seats"] = frame["seats"].where(frame.index % 5 > 0)
    assert_blank(study(frame), "35 accounts in the smaller arm allow 3 columns; segment, log_mrr, seats need 4")


def test_without_any_covariate_there_is_nothing_to_adjust_for():
    bare = WORLD.drop(columns=list(PROTOCOL.covariates))
    assert_blank(study(bare), "no covariate is recorded: there is nothing to adjust for")


def test_groups_without_overlap_are_not_compared():
    frame = WORLD.assign(log_mrr=WORLD["log_mrr"] + 100 * (WORLD["partnership"] >= 0.5))
    assert row(study(frame))["reason"].startswith(
        "the covariates tell the two groups apart completely (foremost log_mrr)"
    )
    assert row(study(frame))["verdict"] == "not_estimable"


def test_too_little_overlap_is_said_in_effective_accounts():
    generator = np.random.default_rng(8)
    frame = WORLD.assign(log_mrr=8 + 4 * (WORLD["partnership"] - 0.5) * 4 + generator.normal(0, 2.2, len(WORLD)))
    found = row(study(frame))
    assert found["verdict"] == "not_estimable"
    assert found["reason"].startswith("overlap leaves ")
    assert found["reason"].endswith("; 30 needed")


def test_where_a_regression_has_no_one_answer_its_two_rows_say_so_and_the_others_stand():
    # A level that is a sum of others among the treated alone.
    high = WORLD["partnership"] >= 0.6
    north, gold = WORLD["region"].eq("north"), WORLD["sla_tier"].eq("gold")
    result = study(WORLD.assign(region=np.where(np.where(high, gold, north), "north", "south")))
    said = {name: row(result, estimator=name) for name in ("unadjusted", "overlap", "ipw", "aipw", "regression")}
    empty = [name for name, found in said.items() if np.isnan(found["difference"])]
    assert empty == ["aipw", "regression"]
    for name in empty:
        assert said[name]["reason"] == (
            "within one group the covariates do not vary independently: its regression has no one answer"
        )
        assert said[name][NUMBERS].isna().all()
    assert {found["verdict"] for found in said.values()} == {"inconclusive"}
    assert "AIPW could not be computed to confirm it" in said["overlap"]["reason"]


def test_an_outcome_that_never_varies_is_not_compared():
    assert_blank(study(WORLD.assign(mutual_value=0.5)), (
        "mutual_value does not vary within the arms: there is no chance to measure it against"
    ))  # fmt: skip


def test_one_manager_for_all_leaves_no_error_to_state():
    reason = "all rows of the treated arm lie in one cluster, so its error cannot be known"
    assert_blank(study(WORLD.assign(owner_id="m1")), reason)


# --- clusters ---------------------------------------------------------------------------------------------------------


def test_few_clusters_are_said_with_their_degrees_of_freedom():
    found = row(study(WORLD.assign(owner_id=[f"m{i % 8}" for i in range(len(WORLD))])))
    assert (
        "errors rest on 8 clusters of accounts that share a manager or parent (Student's t, 7 degrees"
        in found["reason"]
    )
    assert found["ci_high"] - found["difference"] == pytest.approx(2.364624 * found["standard_error"], rel=1e-5)


def test_a_common_parent_joins_the_accounts_of_two_managers():
    managers = [f"m{i % 10}" for i in range(len(WORLD))]
    parents = np.where(np.isin(managers, ["m0", "m1"]), "group", None)
    found = row(study(WORLD.assign(owner_id=managers, parent_id=parents)))
    assert "errors rest on 9 clusters" in found["reason"]


# --- the same in, the same out ----------------------------------------------------------------------------------------


@settings(max_examples=3, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_not_one_bit(random):
    order = list(range(len(WORLD)))
    random.shuffle(order)
    again = study(WORLD.iloc[order], PROTOCOL)
    pd.testing.assert_frame_equal(again.contrast, FOUND.contrast, check_exact=True)
    pd.testing.assert_frame_equal(again.contrast_balance, FOUND.contrast_balance, check_exact=True)
    pd.testing.assert_frame_equal(again.retention, FOUND.retention, check_exact=True)
    pd.testing.assert_frame_equal(again.flow, FOUND.flow, check_exact=True)


def test_the_frame_is_left_as_it_was():
    frame = WORLD.copy()
    study(frame)
    pd.testing.assert_frame_equal(frame, WORLD)


def test_a_frame_from_the_warehouse_gives_the_same():
    connection = duckdb.connect()
    connection.register("accounts", pa.Table.from_pandas(WORLD, preserve_index=False))
    read = connection.sql("select * from accounts").df()
    pd.testing.assert_frame_equal(study(read, PROTOCOL).contrast, FOUND.contrast)


def test_retention_comes_from_the_landmark():
    assert FOUND.retention["style"].unique().tolist() == ["Partnership", "Transactional", "Undetermined"]
    assert FOUND.retention.groupby("style")["events"].sum().sum() == WORLD["churned_on"].notna().sum()


# --- frames that cannot be read ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        (WORLD.drop(columns=["partnership", "style"]), "no column partnership, style"),
        (WORLD.assign(account_id="a1"), "account_id 'a1' has more than one row \\(399 rows too many\\)"),
        (WORLD.assign(account_id=None), "account_id is missing in 400 rows"),
    ],
    ids=["no column", "repeated", "missing"],
)
def test_a_frame_that_cannot_be_read_is_refused(frame, complaint):
    with pytest.raises(ContrastError, match=complaint):
        study(frame)


def test_columns_that_nobody_recorded_may_be_absent():
    slim = WORLD.drop(columns=["reason", "churned_on", "customer_from", "parent_id", "product", "csat"])
    result = study(slim, PROTOCOL)
    assert row(result)["difference"] == row(FOUND)["difference"]
    assert row(result, outcome="csat")["reason"] == "csat could not be measured for any of 400 accounts"
