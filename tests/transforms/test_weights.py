"""Configured weights of the measures in their scores: by hand, against numpy, and laws that hold for any weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from tests.tables import Example, drawn
from warehouse.models import find_models, measures, run_model

PARTS = {name: measure["part"] for name, measure in measures().items() if measure["part"] != "none"}
SIDES = {side: [name for name, part in PARTS.items() if part == f"{side}_value"] for side in ("supplier", "customer")}
STYLE = [name for name, part in PARTS.items() if part.startswith("partnership_")]
SCORED = ("scores.component", "scores.part", "scores.relationship", "mart.relationship_month", "mart.score_change")
MONTHS = ("2026-05-01", "2026-06-01")
Weights = dict[str, float]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Example:
    """A world whose measures are counted already: the tests draw scores.shrunk."""
    made = Example(tmp_path_factory.mktemp("weights"), "2026-06-30")
    made.engine.execute(
        "create table value.revenue (account_id varchar, month date, mrr decimal(18, 2));"
        "create table style.shared_goal_coverage (account_id varchar, month date, goal_evidence varchar);"
        # Estimates are z already: centre 0 and spread 1, and less is better for some.
        "create table scores.reference as select measure_id, '*' as segment, 0::double as center, 1::double as scale "
        "from setting.measure"
    )
    return made


def score(world: Example, counted: pd.DataFrame, weights: Mapping[str, float]) -> pd.DataFrame:
    """scores.relationship by account_id from account_id, month, measure_id, z, error; weights are 1 unless given."""
    down = {name for name, measure in measures().items() if measure["direction"] == "down"}
    shrunk = counted.assign(
        month=pd.to_datetime(counted["month"]),
        segment="s",
        status="ok",
        estimate=counted["z"].where(~counted["measure_id"].isin(down), -counted["z"]),
        estimate_error=counted["error"],
        center=0.0,
        prior_error=1.0,
    )
    world.engine.connection.register("drawn_values", pa.Table.from_pandas(shrunk, preserve_index=False))
    world.engine.execute(
        "create or replace table scores.shrunk as select * replace (cast(month as date) as month) from drawn_values;"
        "create or replace table canonical.account_month as "
        "select distinct account_id, month, date '2020-01-01' as customer_month from scores.shrunk"
    )
    names, each = list(PARTS), [weights.get(name, 1.0) for name in PARTS]
    world.engine.execute(
        "update setting.measure set weight = given.weight from (select unnest(?) as name, unnest(?) as weight) as given "
        "where measure_id = given.name",
        [names, each],
    )
    for table in SCORED:
        run_model(world.engine, next(model for model in find_models() if model.table == table))
    return tables(world, "scores.relationship").set_index(["account_id", "month"])


def tables(world: Example, table: str) -> pd.DataFrame:
    return world.engine.execute(f"from {table} order by all").df()


def values(text: str) -> pd.DataFrame:
    """One account in June 2026, drawn as `measure | z | error`."""
    rows = pd.DataFrame(drawn(text)).rename(columns={"measure": "measure_id"})
    return rows.astype({"z": float, "error": float}).assign(account_id="a", month=MONTHS[1])


def any_values(seed: int, accounts: int = 25) -> pd.DataFrame:
    """Two months of accounts that each lack some of the measures."""
    draw = np.random.default_rng(seed)
    names = list(PARTS)
    every = pd.DataFrame(
        [(f"a{account:02}", month, name) for account in range(accounts) for month in MONTHS for name in names],
        columns=["account_id", "month", "measure_id"],
    )
    every["z"] = draw.normal(0, 1, len(every))
    every["error"] = draw.uniform(0.05, 0.5, len(every))
    return every[draw.uniform(size=len(every)) < 0.8].reset_index(drop=True)


ONE_ACCOUNT = """
measure              | z    | error
nrr                  | 1    | 0.2
contribution_margin  | -1   | 0.4
csat                 | 0.5  | 0.1
reopen_rate          | 0.5  | 0.1
shared_goal_coverage | 1.2  | 0.1
cocreation_rate      | 0    | 0.1
voluntary_initiative | -0.6 | 0.3
"""


def test_a_measure_of_weight_three_counts_as_three(world: Example) -> None:
    """(3 * 1 - 1 * 1) / 4 = 0.5, its error sqrt((3 * 0.2)^2 + 0.4^2) / 4; at equal weights 0 and sqrt(0.2) / 2."""
    equal = score(world, values(ONE_ACCOUNT), {}).iloc[0]
    assert (equal["supplier_z"], equal["supplier_error"]) == (0, pytest.approx(math.sqrt(0.2) / 2))
    found = score(world, values(ONE_ACCOUNT), {"nrr": 3}).iloc[0]
    assert found["supplier_z"] == pytest.approx(0.5)
    assert found["supplier_error"] == pytest.approx(math.hypot(0.6, 0.4) / 4)
    assert found["customer_z"] == pytest.approx(0.5)
    [(value,)] = world.rows("select supplier_value from mart.relationship_month")
    assert value == pytest.approx(ndtr(0.5))


def test_indicators_of_all_kinds_share_one_mean(world: Example) -> None:
    """Goals 1.2 at half, co-creation 0 at one, initiative -0.6 at two: (0.6 + 0 - 1.2) / 3.5."""
    weights = {"shared_goal_coverage": 0.5, "voluntary_initiative": 2}
    found = score(world, values(ONE_ACCOUNT), weights).iloc[0]
    assert found["partnership_z"] == pytest.approx(-0.6 / 3.5)
    assert found["partnership_error"] == pytest.approx(math.sqrt(0.05**2 + 0.1**2 + 0.6**2) / 3.5)


def test_the_least_number_of_measures_counts_only_what_weighs_something(world: Example) -> None:
    found = score(world, values(ONE_ACCOUNT), {"nrr": 0, "cocreation_rate": 0}).iloc[0]
    assert (found["supplier_ok"], found["indicators"], found["goal_indicators"]) == (1, 2, 1)
    assert math.isnan(found["supplier_z"]) and math.isnan(found["partnership_z"])
    [(reason,)] = world.rows("select reason from mart.relationship_month")
    assert reason == "partnership: 2 of 3 indicators; supplier_value: 1 of 2 components"


def test_goals_of_weight_0_are_no_evidence(world: Example) -> None:
    score(world, values(ONE_ACCOUNT), {})
    assert world.rows("select evidence from mart.relationship_month") == [("goals",)]
    score(world, values(ONE_ACCOUNT), {"shared_goal_coverage": 0})
    assert world.rows("select evidence from mart.relationship_month") == [("no_goals",)]


def test_the_catalogue_says_the_configured_weight(example: Callable[..., Example]) -> None:
    configured = example(weights={"nrr": 2, "csat": 0}).run("mart.measure")
    found = dict(configured.rows("select measure_id, weight from mart.measure"))
    assert (found["nrr"], found["csat"], found["reopen_rate"]) == (2, 0, 1)
    assert found["mrr"] is found["clipped"] is None


POSITIVE = st.floats(0.001, 1000)
ANY_WEIGHTS = st.dictionaries(st.sampled_from(sorted(PARTS)), st.one_of(st.just(0.0), POSITIVE))
# Every example scores 25 accounts by the models themselves.
FEW = settings(max_examples=6)


@given(seed=st.integers(0, 2**32 - 1), weights=ANY_WEIGHTS)
@FEW
def test_the_mean_and_its_error_are_those_of_a_linear_combination(world: Example, seed: int, weights: Weights) -> None:
    """Of shares w that add up to 1: the mean is sum(w z), its variance sum(w^2 e^2)."""
    counted = any_values(seed)
    found = score(world, counted, weights)
    weighed = counted.assign(
        weight=[weights.get(name, 1.0) for name in counted["measure_id"]], month=pd.to_datetime(counted["month"])
    )
    for score_name, names in (("supplier", SIDES["supplier"]), ("customer", SIDES["customer"]), ("partnership", STYLE)):
        own = weighed[weighed["measure_id"].isin(names) & (weighed["weight"] > 0)]
        keys = [own["account_id"], own["month"]]
        share = own["weight"] / own.groupby(["account_id", "month"])["weight"].transform("sum")
        error = np.sqrt((share * own["error"]).pow(2).groupby(keys).sum())
        mean = (share * own["z"].clip(-3, 3)).groupby(keys).sum()
        if score_name != "partnership":
            mean = mean.clip(-2.326, 2.326)
        z = found[f"{score_name}_z"].dropna()
        np.testing.assert_allclose(z, mean.reindex(z.index), atol=1e-9, rtol=0)
        np.testing.assert_allclose(found[f"{score_name}_error"], error.reindex(found.index), atol=1e-9, rtol=0)


@given(seed=st.integers(0, 2**32 - 1), weights=ANY_WEIGHTS, factor=st.floats(0.001, 1000))
@FEW
def test_scaling_all_weights_changes_nothing(world: Example, seed: int, weights: Weights, factor: float) -> None:
    counted = any_values(seed)
    every = {name: weights.get(name, 1.0) for name in PARTS}
    score(world, counted, every)
    before = scored(world)
    score(world, counted, {name: factor * weight for name, weight in every.items()})
    assert_same(before, scored(world))


@given(seed=st.integers(0, 2**32 - 1), weights=ANY_WEIGHTS, out=st.sets(st.sampled_from(sorted(PARTS)), max_size=6))
@FEW
def test_weight_0_is_leaving_the_measure_out(world: Example, seed: int, weights: Weights, out: set[str]) -> None:
    counted = any_values(seed)
    score(world, counted, {**weights, **dict.fromkeys(out, 0.0)})
    before = scored(world)
    # A measure of no score, so that no account is lost with its measures.
    accounts = counted[["account_id", "month"]].drop_duplicates().assign(measure_id="mrr", z=0.0, error=0.1)
    score(world, pd.concat([counted[~counted["measure_id"].isin(out)], accounts]), weights)
    assert_same(before, scored(world))


def scored(world: Example) -> list[pd.DataFrame]:
    return [tables(world, table) for table in ("scores.relationship", "mart.relationship_month", "mart.score_change")]


def assert_same(before: list[pd.DataFrame], now: list[pd.DataFrame]) -> None:
    for one, other in zip(before, now, strict=True):
        pd.testing.assert_frame_equal(one, other, rtol=0, atol=1e-9)
