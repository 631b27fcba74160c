"""Scores computed again: without a change they are the SQL's own, and a change is the one found by hand."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from scipy.special import ndtr

from flows.supposing import one_account, portfolio, summary, told
from tests.tables import Example
from warehouse.errors import ConfigurationError
from warehouse.explanation import account_of
from warehouse.models import find_models, measures, run_model
from warehouse.whatif import Component, Release, compare, read, scores, values_of, weights_of

PARTS = {name: measure["part"] for name, measure in measures().items() if measure["part"] != "none"}


def test_without_a_change_the_scores_are_those_of_the_models(tmp_path: Path) -> None:
    """300 accounts with any components and weights against scores/part.sql and scores/relationship.sql."""
    draw = np.random.default_rng(5)
    weights = {name: float(weight) for name, weight in zip(PARTS, draw.choice([0, 0.5, 1, 3], len(PARTS)), strict=True)}
    rows = [
        {
            "account_id": f"a{account:03}", "month": "2026-06-01", "measure_id": name, "part": part,
            "status": "ok" if draw.uniform() < 0.8 else "thin", "z": draw.uniform(-3, 3), "z_error": draw.uniform(0, 1),
            "weight": weights[name],
        }
        for account in range(300)
        for name, part in PARTS.items()
        if draw.uniform() < 0.6
    ]  # fmt: skip
    rows = [row for row in rows if row["status"] == "ok" or str(row["part"]).endswith("_value")]
    world = Example(tmp_path, "2026-06-30")
    world.engine.connection.register("drawn", pa.Table.from_pylist(rows))
    world.engine.execute(
        "create table scores.component as select * replace (cast(month as date) as month) from drawn;"
        "create table canonical.account_month as select distinct account_id, month, month as customer_month from scores.component"
    )
    for table in ("scores.part", "scores.relationship"):
        run_model(world.engine, next(model for model in find_models() if model.table == table))
    columns = ("partnership", "cost_customer", "cost_supplier", "supplier", "customer")
    names = ("partnership", "cost_focus_customer", "cost_focus_supplier", "supplier_value", "customer_value")
    expected = world.rows(f"select account_id, {', '.join(f'{each}_z' for each in columns)} from scores.relationship")
    for account_id, *found in expected:
        own = [
            Component(
                str(row["measure_id"]), str(row["part"]), row["status"] == "ok", float(row["z"]), float(row["z_error"])
            )
            for row in rows
            if row["account_id"] == account_id
        ]
        again = scores(own, weights)
        for name, z in zip(names, found, strict=True):
            assert (name in again) == (z is not None), name
            if z is not None:
                assert again[name].value == pytest.approx(ndtr(z), abs=1e-9), name
        if "mutual_value" in again:
            assert again["mutual_value"].value == pytest.approx(np.sqrt(ndtr(found[3]) * ndtr(found[4])), abs=1e-9)


@pytest.fixture
def release(tmp_path: Path) -> Release:
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """
            create schema mart; create schema setting; create schema scores;
            create table setting.run as select date '2026-06-01' as last_month;
            create table setting.measure as select * from (values
                ('nrr', 'supplier_value', 'fact', 'ratio', 'up', 1::double),
                ('late', 'supplier_value', 'fact', 'days', 'down', 1), ('csat', 'customer_value', 'share', 'share', 'up', 1),
                ('response', 'customer_value', 'duration', 'minutes', 'down', 1),
                ('mrr', 'none', 'fact', 'currency', 'up', null)) as m(measure_id, part, kind, unit, direction, weight);
            create table mart.account as select * from (values ('a', 'Alfa', 'Large'), ('b', 'Beta', ''))
                as a(account_id, name, segment);
            create table scores.component as select m.account_id, date '2026-06-01' as month, m.* exclude (account_id)
                from (values ('a', 'nrr', 'supplier_value', 'ok', 1.0::double, 0.0::double),
                    ('a', 'late', 'supplier_value', 'ok', 0.0, 0.0), ('a', 'csat', 'customer_value', 'ok', 0.0, 0.2),
                    ('a', 'response', 'customer_value', 'ok', 0.0, 0.2), ('b', 'nrr', 'supplier_value', 'ok', 0.6, 0.0),
                    ('b', 'late', 'supplier_value', 'ok', 0.6, 0.0), ('b', 'csat', 'customer_value', 'ok', 0.0, 0.2),
                    ('b', 'response', 'customer_value', 'thin', 0.0, 0.2)) as m(account_id, measure_id, part, status, z, z_error);
            create table scores.reference as select * from (values ('csat', '*', 0.8::double, 0.1::double),
                ('csat', 'Large', 0.7, 0.1), ('response', '*', 4.0, 0.5), ('nrr', '*', 1.0, null))
                as r(measure_id, segment, center, scale);
            """
        )
    return read(path)


def test_other_weights_move_the_mean(release: Release) -> None:
    """Supplier's mean z 0.5 at equal weights; 3 parts to 1 make it 0.75."""
    found = {each.account_id: each for each in compare(release, weights_of("nrr=3", release))}
    assert found["a"].before["supplier_value"].value == pytest.approx(ndtr(0.5))
    assert found["a"].after["supplier_value"].value == pytest.approx(ndtr(0.75))
    assert found["a"].after["mutual_value"].value == pytest.approx(np.sqrt(ndtr(0.75) * 0.5))
    assert (found["a"].rank_before, found["a"].rank_after) == (1, 1)


def test_what_is_not_named_weighs_what_it_was_configured_to(release: Release) -> None:
    """Configured at 3 to 1, Alfa's supplier side has 0.75; with 2 for lateness on top (3 * 1 + 2 * 0) / 5."""
    with duckdb.connect(str(release.database)) as connection:
        connection.execute("update setting.measure set weight = 3 where measure_id = 'nrr'")
    [found] = compare(read(release.database), {"late": 2.0}, "a")
    assert found.before["supplier_value"].value == pytest.approx(ndtr(0.75))
    assert found.after["supplier_value"].value == pytest.approx(ndtr(0.6))


def test_a_measure_configured_out_can_be_tried(release: Release) -> None:
    with duckdb.connect(str(release.database)) as connection:
        connection.execute("update setting.measure set weight = 0 where measure_id = 'late'")
    configured = read(release.database)
    [found] = compare(configured, weights_of("late=1", configured), "a")
    assert "supplier_value" not in found.before
    assert found.after["supplier_value"].value == pytest.approx(ndtr(0.5))


def test_a_value_is_set_on_the_scale_of_the_accounts_segment(release: Release) -> None:
    """Large: (0.8 - 0.7) / 0.1 = 1 spread for satisfaction, so the customer's mean is 0.5."""
    [found] = compare(release, {}, account_of(release.database, "Alfa"), values_of("csat=0.8", release))
    assert found.after["customer_value"].value == pytest.approx(ndtr(0.5))
    assert found.after["supplier_value"] == found.before["supplier_value"]
    low, high = (ndtr(0.5 + sign * 1.959964 * np.hypot(0.2, 0.2) / 2) for sign in (-1, 1))
    assert (found.after["customer_value"].low, found.after["customer_value"].high) == pytest.approx((low, high))


def test_durations_are_set_on_the_logarithm_and_faster_is_better(release: Release) -> None:
    minutes = np.exp(3.5) - 1
    [found] = compare(release, {}, "a", values_of(f"response={minutes}", release))
    assert found.after["customer_value"].value == pytest.approx(ndtr(0.5))


def test_a_thin_component_that_is_set_counts_as_known(release: Release) -> None:
    [found] = compare(release, {}, "b", values_of("response=10", release))
    assert "mutual_value" not in found.before
    assert "mutual_value" in found.after


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mrr=2", "'mrr' enters no score; the measures that do are csat, late, nrr, response"),
        ("csat", "'csat' is not <measure>=<number>"),
        ("csat=nan", "'csat=nan' is not <measure>=<number>"),
        ("csat=1.2", "csat is a share; it cannot be 1.2"),
        ("late=-1", "late is a days; it cannot be -1"),
    ],
)
def test_what_cannot_be_set_is_said(release: Release, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        values_of(text, release)


def test_a_measure_without_a_reference_cannot_be_set(release: Release) -> None:
    with pytest.raises(ConfigurationError, match="nrr has no reference in this release"):
        compare(release, {}, "a", {"nrr": 1.0})


def test_a_weight_under_0_is_refused_and_0_leaves_a_measure_out(release: Release) -> None:
    with pytest.raises(ConfigurationError, match="the weight of nrr is under 0"):
        weights_of("nrr=-1", release)
    [found] = compare(release, weights_of("nrr=0", release), "a")
    assert "supplier_value" not in found.after


def test_the_tables_say_that_they_are_no_forecast(release: Release) -> None:
    found = compare(release, {"nrr": 3.0})
    for table in (one_account(found[0]), portfolio(found)):
        assert "Mechanical, not causal" in str(table.title)
    assert (
        summary(found)
        == "1 account ranked; 0 of the 0 in the upper half stay there; the middle account moves by 3.4 points."
    )
    assert told(None) == "–"
