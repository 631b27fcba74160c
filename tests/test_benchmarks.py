"""Benchmarks compare like with like: both sides read the same files and come to the same numbers, or to the truth."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from benchmarks import contrast, engine, few_clusters, identity, linking, night, recovery
from transforms.contrast.protocol import Protocol
from warehouse.models import LAYERS


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmark") / "project"
    with pytest.MonkeyPatch.context() as patch:
        for name, size in (("ACCOUNTS", 20), ("TICKETS", 4_000), ("LINES", 3_600)):
            patch.setattr(night, name, size)
        night.write_files(folder, 1)
        night.bare(folder)
        night.ours(folder)
    return folder


def both(project: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(f"attach '{project}/bare.duckdb' as bare (read_only)")
    connection.execute(f"attach '{project}/build/warehouse.duckdb' as ours (read_only)")
    return connection


def test_medians_and_shares_are_those_of_the_bare_engine(project: Path) -> None:
    with both(project) as connection:
        compared = connection.execute(
            """
            select
                count(*),
                max(abs(value.raw_value - case measure_id
                    -- Where a ticket was still waiting ours is the product-limit estimate.
                    when 'first_response'
                        then case when value.numerator = value.denominator then alone.first_response else value.raw_value end
                    when 'csat' then alone.csat
                    when 'reopen_rate' then alone.reopen_rate
                end))
            from ours.mart.account_month_measure as value
            join ours.audit.identity as identity
                on identity.account_id = value.account_id and identity.system = 'zendesk'
            join bare.measured as alone
                on cast(alone.account as varchar) = identity.source_account_id and alone.month = value.month
            where value.measure_id in ('first_response', 'csat', 'reopen_rate') and value.month >= '2024-01-01'
            """
        ).fetchall()[0]
    accounts_months_measures = 20 * 30 * 3
    assert compared[0] == accounts_months_measures
    assert compared[1] == pytest.approx(0, abs=1e-9)


def test_recurring_revenue_is_that_of_the_bare_engine(project: Path) -> None:
    with both(project) as connection:
        ours = connection.execute("select sum(mrr) from ours.value.revenue where month = '2025-03-01'").fetchall()[0][0]
        alone = connection.execute(
            "select sum(net) / 100.0 - 0.05 * sum(net) / 100.0 from bare.revenue where month = '2025-03-01'"
        ).fetchall()[0][0]
    assert float(ours) == pytest.approx(alone)


class TestIdentity:
    TRUTH = {("crm", "A"): "a", ("desk", "1"): "a", ("desk", "2"): "a", ("bill", "x"): "a", ("crm", "B"): "b"}

    def test_pairs_are_accounts_of_two_systems_that_are_one_company(self) -> None:
        assert identity.pairs(self.TRUTH) == {
            (("crm", "A"), ("desk", "1")),
            (("crm", "A"), ("desk", "2")),
            (("bill", "x"), ("crm", "A")),
            (("bill", "x"), ("desk", "1")),
            (("bill", "x"), ("desk", "2")),
        }

    def test_a_wrong_link_costs_precision_and_a_missing_one_recall(self) -> None:
        found = {("crm", "A"): "A", ("desk", "1"): "A", ("crm", "B"): "B", ("bill", "x"): "B"}
        measured = identity.quality(found, self.TRUTH, 0.2, 0.1)
        assert (measured.precision, measured.recall) == (1 / 2, 1 / 5)

    def test_a_small_tangled_world_is_linked_without_a_wrong_link(self, tmp_path: Path) -> None:
        world = identity.measure(tmp_path, seed=3, dirt=4.0, accounts=40, from_probability=0.9)
        assert world.certain.precision == world.accepted.precision == 1.0
        assert 0.5 < world.certain.recall < world.accepted.recall
        assert world.accepted.recall >= 0.95
        assert world.accepted.revenue_unmatched < world.certain.revenue_unmatched
        assert "| 3 | 4 | certain keys | 1.0000 |" in identity.table([world], 0.9)


def test_links_and_suggestions_are_those_of_the_planted_truth(tmp_path: Path) -> None:
    project = tmp_path / "project"
    linking.write_files(project, 400)
    linking.prepare(project)
    measured = linking.link(project)
    assert measured["linked rightly"] == measured["linked"] > 0.7 * measured["accounts"]
    assert measured["suggested rightly"] > 0.8 * measured["unmatched with a company"]
    assert measured["suggested from .99 rightly"] > 0.99 * measured["suggested from .99"]
    lines = linking.report(400, {**measured, "peak GB": 1}).splitlines()
    assert lines[0].startswith("400 companies in three systems")


def test_the_same_companies_are_planted_each_time(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        linking.write_files(folder, 60)
    files = [
        {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
        for folder in folders
    ]
    assert files[0] == files[1]


class TestRecovery:
    def test_every_score_follows_the_truth_and_says_how_reliable_it_is(self, tmp_path: Path) -> None:
        found, reliability = recovery.measure(tmp_path, accounts=80, months=24, seed=1, effect=1.0)
        spearman = {(each.score, each.truth): each.spearman for each in found}
        assert set(spearman) == {
            *((score, "planted") for score in ("partnership", "cost_focus", "supplier_value", "customer_value")),
            *((score, "counted") for score in ("supplier_value", "customer_value")),
        }
        assert spearman["partnership", "planted"] > 0.7
        assert min(spearman.values()) > 0.4
        halves = reliability[reliability["statistic"] == "split_half"].set_index("construct")["value"]
        assert halves["partnership"] > 0.6
        assert set(halves.index) == {"partnership", "cost_focus"}


def test_the_engines_time_is_told_for_every_step_of_the_build(tmp_path: Path) -> None:
    steps = list(engine.timed(tmp_path / "demo", accounts=20, months=24, seed=1))
    assert [step.name for step in steps] == ["stage", *LAYERS, "contrast", "finish"]
    assert all(0 < step.engine <= step.clock for step in steps)
    assert (tmp_path / "demo" / "build" / "warehouse.duckdb").exists()


class TestContrast:
    @pytest.fixture(scope="class")
    def found(self) -> list[contrast.Found]:
        return [one for number in range(2) for one in contrast.one_world(3, number)]

    def test_each_world_is_judged_by_every_estimator(self, found: list[contrast.Found]) -> None:
        by_world = {world: {one.estimator for one in found if one.world == world} for world in {o.world for o in found}}
        estimators = set(contrast.study.ESTIMATORS)
        assert sorted(len(each) for each in by_world.values()) == [5, 5, 5, 5 + len(contrast.SWITCHERS)]
        assert all(estimators <= each for each in by_world.values())

    def test_the_same_seed_draws_the_same_worlds(self, found: list[contrast.Found]) -> None:
        assert contrast.one_world(3, 0) == found[: len(found) // 2]

    def test_a_bad_half_year_in_the_base_fakes_an_effect_of_switching(self, found: list[contrast.Found]) -> None:
        reached, _, protocol = contrast.SWITCHERS
        effects = {
            name: np.mean([one.effect for one in found if one.estimator == name]) for name in (reached, protocol)
        }
        assert effects[reached] > 0.04
        assert abs(effects[protocol]) < effects[reached] / 3

    def test_the_protocols_switchers_are_among_those_tried(self) -> None:
        rules = Protocol.load().switchers
        assert list(contrast.SWITCHERS.values())[-1] == (rules.base_periods, rules.anticipation)

    def test_a_leaking_column_fools_the_estimators_and_not_the_firewall(self, found: list[contrast.Found]) -> None:
        fooled = [one.effect for one in found if "leaks" in one.world and one.estimator == "overlap"]
        assert np.mean(fooled) > 0.03
        refusal = contrast.refusal()
        assert "plan_action.done_on feeds mutual_responsibility" in refusal
        assert "and csat (value.csat" in refusal

    def test_the_page_has_a_place_for_every_table(self) -> None:
        parts = {name: f"the table of {name}" for name in ("operating", "verdicts", "refusal", "clusters", "nights")}
        page = contrast.written(contrast.PAGE.read_text(encoding="utf-8"), parts)
        assert all(page.count(text) == 1 for text in parts.values())
        assert contrast.written(page, parts) == page
        with pytest.raises(ValueError, match="no place for tables"):
            contrast.written(page, {"tables": ""})

    def test_tables_say_how_often_the_truth_was_held(self) -> None:
        rows = [
            contrast.Found("w", 0.1, "overlap", 0.1 + 0.01 * k, 0.01, 0.09, 0.1 + 0.2 * k, "supported") for k in (0, 1)
        ]
        assert contrast.table(rows).splitlines()[2] == (
            "| w | overlap | 2 | 100.0 ± 0.0 | 100.0 ± 0.0 | +0.50 (+5 %) | 1.41 |"
        )
        assert contrast.verdict_table(rows).splitlines()[2].startswith("| w | 100.0 ± 0.0 | 0.0 ± 0.0 |")

    def test_the_jackknife_is_the_wider_where_clusters_are_few(self) -> None:
        held = [one for seed in range(20) for one in few_clusters.held(6, seed)]
        shares = {
            kind: np.mean([getattr(one, kind) for one in held]) for kind in ("sandwich", "bootstrap", "jackknife")
        }
        assert shares["jackknife"] > 0.85
        assert shares["jackknife"] >= max(shares["sandwich"], shares["bootstrap"])
        assert "| 6 | overlap |" in contrast.clusters_table({6: held})

    @pytest.mark.slow
    def test_a_whole_night_is_held_against_what_is_planted(self) -> None:
        night_found = contrast.one_night(seed=1, planted=1.0, accounts=200, months=24)
        assert night_found.truth > 0.03
        assert f"| {night_found.verdict} |" in contrast.nights_table([night_found])


def test_seconds_that_statements_share_count_once() -> None:
    assert engine.covered([(5, 6), (0, 2), (1, 3), (1, 2)]) == 4
    assert engine.covered([]) == 0
