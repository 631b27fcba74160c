"""Why mutual value moved: contributions that add up exactly, against a sum by hand and for any components at all."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr
from scipy.stats import norm

from tests.tables import Example, drawn
from warehouse.models import find_models, run_model

MONTHS = (dt.date(2026, 5, 1), dt.date(2026, 6, 1))
Change = dict[str, tuple[str, float]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Example:
    return Example(tmp_path_factory.mktemp("change"), "2026-06-30")


def score(world: Example, rows: Sequence[dict[str, object]]) -> None:
    """Everything from scores.component (account, month, measure, part, z; weight, 1 unless given) to mart.score_change."""
    table = pa.Table.from_pylist([{"status": "ok", "z_error": 0.1, "weight": 1.0, **row} for row in rows])
    world.engine.connection.register("drawn_components", table)
    world.engine.execute("create or replace table scores.component as select * from drawn_components")
    world.engine.execute(
        "create or replace table canonical.account_month as "
        "select distinct account_id, month, date '2020-01-01' as customer_month from scores.component"
    )
    for table_name in ("scores.part", "scores.relationship", "mart.score_change"):
        run_model(world.engine, next(model for model in find_models() if model.table == table_name))


def changes(world: Example, before_and_now: str) -> Change:
    """measure -> (side, contribution) of one account, drawn as `part | measure | z before | z now` (`-`: not there)."""
    rows = [
        {
            "account_id": "a",
            "month": month,
            "measure_id": row["measure"],
            "part": f"{row['part']}_value",
            "weight": float(row.get("weight") or 1),
            "z": float(z),
        }
        for row in drawn(before_and_now)
        for month, z in zip(MONTHS, (row["before"], row["now"]), strict=True)
        if z is not None
    ]
    score(world, rows)
    found = world.rows("select measure_id, side, contribution from mart.score_change order by measure_id")
    return {measure: (side, contribution) for measure, side, contribution in found}


def log_change(supplier: tuple[float, float], customer: tuple[float, float]) -> float:
    """Change of ln mutual value, from the two sides' mean z before and now."""
    return sum(math.log(ndtr(now) / ndtr(before)) for before, now in (supplier, customer)) / 2


def test_one_component_that_rose_explains_the_whole_change(world: Example) -> None:
    """Supplier's mean z from 0 to 0.5: ln(0.691462 / 0.5) / 2 = 0.162100, all of it the margin's."""
    found = changes(
        world,
        """
        part     | measure | before | now
        supplier | nrr     | 0      | 0
        supplier | margin  | 0      | 1
        customer | csat    | 0.3    | 0.3
        customer | reopen  | 0.1    | 0.1
        """,
    )
    assert found["margin"] == ("supplier", pytest.approx(math.log(0.6914624613 / 0.5) / 2, abs=1e-9))
    assert found["margin"][1] == pytest.approx(0.162100, abs=1e-6)
    assert [found[name][1] for name in ("nrr", "csat", "reopen")] == [0, 0, 0]
    assert "clipped" not in found


def test_a_component_moves_the_mean_by_its_share_of_the_weights(world: Example) -> None:
    """Mean before 0; now (3 * 0.4 + 1 * 0.8 + 0) / 5 = 0.4: retention made three fifths of 0.4, the margin one of 0.8."""
    found = changes(
        world,
        """
        part     | measure | weight | before | now
        supplier | nrr     | 3      | 0      | 0.4
        supplier | margin  | 1      | 0      | 0.8
        supplier | late    | 1      | 0      | 0
        supplier | other   | 0      | 0      | 3
        customer | csat    | 2      | 0.3    | 0.3
        customer | reopen  | 1      | 0.1    | 0.1
        """,
    )
    total = log_change((0, 0.4), (0, 0))
    assert found["nrr"][1] == pytest.approx(total * 0.6)
    assert found["margin"][1] == pytest.approx(total * 0.4)
    assert "other" not in found


def test_two_that_cancel_leave_the_value_and_are_each_told_at_the_limit(world: Example) -> None:
    """The mean stays at 0, so each unit of it is worth phi(0) / Phi(0) = 0.797885; half a unit, halved: 0.199471."""
    found = changes(
        world,
        """
        part     | measure | before | now
        supplier | nrr     | 1      | 0
        supplier | margin  | -1     | 0
        customer | csat    | 0      | 0
        customer | reopen  | 0      | 0
        """,
    )
    assert found["margin"][1] == pytest.approx(norm.pdf(0) / 0.5 * 0.5 / 2, abs=1e-9)
    assert found["nrr"][1] == pytest.approx(-found["margin"][1], abs=1e-12)


def test_what_clipping_took_away_has_a_row_of_its_own(world: Example) -> None:
    found = changes(
        world,
        """
        part     | measure | before | now
        supplier | nrr     | 2      | 3
        supplier | margin  | 2      | 3
        customer | csat    | 0      | 0
        customer | reopen  | 0      | 0
        """,
    )
    slope = math.log(ndtr(2.326) / ndtr(2)) / 0.326
    assert found["nrr"][1] == found["margin"][1] == pytest.approx(slope / 2 * 0.5)
    assert found["clipped"] == ("supplier", pytest.approx(slope / 2 * (0.326 - 1)))


def test_a_component_that_comes_or_goes_moves_from_or_to_the_mean_of_the_others(world: Example) -> None:
    """Mean before (1 + 0) / 2 = 0.5; now (1 + 0 + 2) / 3 = 1: the new one made it all, a third of 2 - 0.5."""
    found = changes(
        world,
        """
        part     | measure  | before | now
        supplier | nrr      | 1      | 1
        supplier | margin   | 0      | 0
        supplier | discount | -      | 2
        customer | csat     | 0.4    | 0.4
        customer | reopen   | -0.4   | -0.4
        customer | response | 1.5    | -
        """,
    )
    total = log_change((0.5, 1), (0.5, 0))
    assert sum(contribution for _, contribution in found.values()) == pytest.approx(total, abs=1e-9)
    assert found["discount"][1] == pytest.approx(math.log(ndtr(1) / ndtr(0.5)) / 2)
    assert found["response"][1] == pytest.approx(math.log(ndtr(0) / ndtr(0.5)) / 2)


def test_without_a_value_in_both_months_nothing_is_explained(world: Example) -> None:
    found = changes(
        world,
        """
        part     | measure | before | now
        supplier | nrr     | 1      | 1
        supplier | margin  | 0      | 0
        customer | csat    | -      | 1
        customer | reopen  | 1      | 1
        """,
    )
    assert found == {}


MEASURES = {"supplier_value": ("nrr", "margin", "late", "discount"), "customer_value": ("csat", "reopen", "response")}


@given(seed=st.integers(0, 2**32 - 1))
def test_contributions_add_up_to_the_change_of_ln_mutual_value(world: Example, seed: int) -> None:
    """300 accounts with any z and any weights, clipped ones, steps near 0, and components that come and go."""
    draw = np.random.default_rng(seed)
    weights = {name: float(draw.choice([1, 2.5, 10**6])) for names in MEASURES.values() for name in names}
    rows: list[dict[str, object]] = []
    for account in range(300):
        wide = draw.choice([1e-9, 1e-6, 0.3, 2.0])
        for part, names in MEASURES.items():
            start = draw.uniform(-3, 3, len(names))
            for month, z in zip(MONTHS, (start, np.clip(start + draw.normal(0, wide, len(names)), -3, 3)), strict=True):
                rows += [
                    {
                        "account_id": f"a{account}",
                        "month": month,
                        "measure_id": name,
                        "part": part,
                        "weight": weights[name],
                        "z": float(each),
                    }
                    for name, each in zip(names, z, strict=True)
                    if draw.uniform() < 0.9
                ]
    score(world, rows)
    compared = world.rows(
        """
        with valued as (
            select account_id, month, sqrt(normal_cdf(supplier_z) * normal_cdf(customer_z)) as mutual_value
            from scores.relationship
        )
        select max(abs(ln(now.mutual_value / before.mutual_value) - explained.change)), count(*), count(explained.change)
        from valued as now
        join valued as before on before.account_id = now.account_id and before.month < now.month
        left join (select account_id, month, sum(contribution) as change from mart.score_change group by all) as explained
            on explained.account_id = now.account_id and explained.month = now.month
        where now.mutual_value is not null and before.mutual_value is not null
        """
    )[0]
    assert compared[0] < 1e-9
    assert compared[1] == compared[2] > 100
