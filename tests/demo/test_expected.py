"""What is planted for each account can be found again by the scores, and follows partnership only where there is an effect."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from demo import DemoTruth
from demo.adoption import FEATURES
from demo.expected import expected_values
from demo.scoring import COMPONENTS, count_window, pool, references, value
from demo.world import World


def test_the_scores_find_the_planted_order(world: World) -> None:
    last, reference = len(world.months) - 1, references(world.records)
    counts = count_window(world.records, last)
    pools = {name: pool(component, counts[name], world.companies.segment) for name, component in COMPONENTS.items()}
    scored = value(counts, pools, reference)
    planted = expected_values(world.records, world.latent.partnership, world.effect, reference)
    kept = np.isfinite(planted["supplier"])
    assert (kept == world.records.supplier.active[:, last - 6]).all()
    assert spearmanr(scored.supplier[kept], planted["supplier"][kept])[0] > 0.7
    assert spearmanr(scored.customer[kept], planted["customer"][kept])[0] > 0.7


def test_partnership_plants_more_on_both_sides_and_nothing_without_an_effect(world: World) -> None:
    reference, shape = references(world.records), world.latent.partnership.shape
    half = np.arange(shape[0])[:, None] % 2 == 0
    # Every other account a partner: against the middle of its segment it gains what the others lose.
    better, plain = (
        expected_values(world.records, np.where(half, 0.9, 0.1) * np.ones(shape), effect, reference)
        for effect in (1.0, 0.0)
    )
    same = expected_values(world.records, np.full(shape, 0.5), 0.0, reference)
    for side in ("supplier", "customer"):
        gained = (better[side] - plain[side])[half[:, 0]]
        assert np.nanmean(gained) > 0.02
        assert np.array_equal(plain[side], same[side], equal_nan=True)


def test_partners_use_more_of_the_product(world: World) -> None:
    partner = world.latent.partnership > 0.7
    other = world.latent.partnership < 0.3
    assert world.records.used[partner].mean() > world.records.used[other].mean() + 0.05


def test_usage_is_written_for_paid_months_of_known_features(inbox: Path, truth: DemoTruth) -> None:
    with (inbox / "usage/usage.csv").open(encoding="utf-8") as file:
        rows = list({row["usage_id"]: row for row in csv.DictReader(file)}.values())
    assert {row["feature"] for row in rows} == set(FEATURES)
    assert {row["account_id"] for row in rows} <= {ids["salesforce"][0] for ids in truth.companies.values()}
    assert len({(row["account_id"], row["used_on"], row["feature"]) for row in rows}) == len(rows)
    assert max(row["used_on"] for row in rows) == "2026-06-30"


def test_the_truth_tells_what_is_planted_for_each_customer(truth: DemoTruth) -> None:
    accounts = {ids["salesforce"][0] for ids in truth.companies.values()}
    assert truth.planted.keys() <= accounts
    assert len(truth.planted) > 10
    assert all(0 < each < 1 for sides in truth.planted.values() for each in sides.values())
