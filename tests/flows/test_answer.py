"""Does a night answer the founding question rightly? Held against what is true of the made-up supplier, and against a
supplier whose files cannot tell."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from demo import write_demo
from flows.runs import Journal
from flows.steps import run_night
from warehouse.project import Project

EXAMPLE = Path(__file__).parents[2] / "examples" / "ravenstack"
VALUE_MONTHS = 6


def one_night(root: Path) -> duckdb.DuckDBPyConnection:
    """Run a night without Prefect; the published release, read-only."""
    project = Project.open(root)
    run_night(project, Journal.begin(project, None))
    return duckdb.connect(str(project.current / "warehouse.duckdb"), read_only=True)


def primary(release: duckdb.DuckDBPyConnection) -> pd.Series:
    return (
        release.execute(
            "select * from mart.contrast where comparison = 'partnership_high_vs_low' and outcome = 'mutual_value' "
            "and estimator = 'overlap'"
        )
        .df()
        .iloc[0]
    )


def true_difference(release: duckdb.DuckDBPyConnection, root: Path) -> float:
    """E[MV | p] between the two groups' mean latent partnership in the value window, from the demo's twins."""
    truth = json.loads((root / "truth.json").read_text(encoding="utf-8"))
    latent, curve = truth["latent"], truth["expected_mutual_value"]
    compared = release.execute("select account_id, partnership from mart.contrast_input where reason is null").df()
    latent_mean = compared["account_id"].map(
        lambda account: np.mean(latent[account.removeprefix("salesforce:")]["partnership"][-VALUE_MONTHS:])
    )
    high, low = (
        latent_mean[group].mean() for group in (compared["partnership"] >= 0.6, compared["partnership"] <= 0.4)
    )
    return float(np.diff(np.interp([low, high], curve["grid"], curve["mutual_value"]))[0])


@pytest.mark.slow
def test_the_true_difference_lies_in_the_interval_of_a_supported_answer(tmp_path: Path) -> None:
    write_demo(tmp_path, seed=1)
    with one_night(tmp_path) as release:
        found, truth = primary(release), true_difference(release, tmp_path)
    assert found["verdict"] == "supported"
    assert found["ci_low"] <= truth <= found["ci_high"]


@pytest.mark.slow
def test_without_any_effect_the_answer_is_not_supported(tmp_path: Path) -> None:
    write_demo(tmp_path, seed=1, effect=0.0)
    with one_night(tmp_path) as release:
        found = primary(release)
    assert found["verdict"] in ("inconclusive", "practically_null")
    assert found["ci_low"] < 0 < found["ci_high"]


@pytest.mark.slow
def test_measured_partnership_follows_the_planted_one(tmp_path: Path) -> None:
    write_demo(tmp_path, seed=1)
    latent = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))["latent"]
    with one_night(tmp_path) as release:
        scored = release.execute(
            "select account_id, partnership from mart.relationship_month "
            "where month = (select max(month) from mart.relationship_month) and partnership is not null"
        ).df()
    planted = scored["account_id"].map(
        lambda account: np.mean(latent[account.removeprefix("salesforce:")]["partnership"][-12:])
    )
    assert spearmanr(scored["partnership"], planted).statistic >= 0.85


def test_files_without_style_give_no_number_and_lose_no_row(tmp_path: Path, real_files: Path) -> None:
    shutil.copy(EXAMPLE / "mutual-value.toml", tmp_path)
    shutil.copytree(EXAMPLE / "exports", tmp_path / "exports")
    shutil.copytree(real_files / "ravenstack", tmp_path / "inbox" / "ravenstack")
    with one_night(tmp_path) as release:
        files = release.execute(
            "select rows_in, rows_loaded, rows_quarantined, rows_ignored from audit.file"
        ).fetchall()
        verdicts = release.execute("select distinct verdict, difference from mart.contrast").fetchall()
        style = release.execute(
            "select distinct status, reason, value from mart.account_month_measure where measure_id in "
            "('shared_goal_coverage', 'voluntary_initiative', 'dyadic_breadth', 'days_beyond_terms')"
        ).fetchall()
        usage = release.execute("select count(*), count(distinct usage_id) from canonical.usage_day").fetchall()
    assert sorted(files) == [(rows, rows, 0, 0) for rows in (500, 600, 2_000, 5_000, 25_000)]
    assert verdicts == [("not_estimable", None)]
    assert style == [("null", "source_not_connected", None)]
    assert usage == [(25_000, 25_000)]
