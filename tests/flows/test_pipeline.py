"""The real night, from a made-up supplier's exports to a published release: whole, repeatable, and not to be killed."""

import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from demo import write_demo
from flows.nightly import nightly
from flows.runs import Journal, read_runs
from flows.steps import run_night
from warehouse.explanation import explain
from warehouse.landing import landing_time
from warehouse.models import LAYERS
from warehouse.project import Project
from warehouse.protocols import read as read_history
from warehouse.reference import freeze
from warehouse.whatif import compare, read

LANDED_AT = dt.datetime(2026, 6, 30, 2, 0, 0)


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small supplier's project folder, before its first night."""
    root = tmp_path_factory.mktemp("exports")
    write_demo(root, accounts=40, months=24, seed=1)
    return root


def fresh(exports: Path, root: Path) -> Project:
    """A copy of the exports whose first landing has a fixed time: when a record became known is part of the marts."""
    shutil.copytree(exports, root)
    project = Project.open(root)
    landing_time(project, LANDED_AT)
    return project


@pytest.fixture(scope="module")
def published(exports: Path, tmp_path_factory: pytest.TempPathFactory, prefect_server: None) -> Project:
    """The project after one night under Prefect."""
    project = fresh(exports, tmp_path_factory.mktemp("published") / "project")
    assert nightly(project.root, return_state=True).is_completed(), read_runs(project)[0].message
    return project


def query(project: Project, sql: str) -> list[tuple]:
    with duckdb.connect(str(project.current / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def marts(project: Project) -> dict[str, bytes]:
    """Every mart's file but mart.release, which says when it was built."""
    files = sorted((project.current / "marts").glob("*.parquet"))
    return {path.name: path.read_bytes() for path in files if path.name != "release.parquet"}


def assert_same_marts(one: Project, other: Project) -> None:
    first, second = marts(one), marts(other)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


class TestANightUnderPrefect:
    def test_publishes_every_table_of_the_public_contract(self, published: Project) -> None:
        tables = {
            f"{schema}.{name}"
            for schema, name in query(published, "select schema_name, table_name from duckdb_tables()")
        }
        assert tables >= {
            "mart.release", "mart.account", "mart.month", "mart.measure", "mart.account_month_measure",
            "mart.relationship_month", "mart.mrr_bridge", "mart.contrast", "mart.contrast_balance", "mart.retention",
            "mart.score_change", "mart.weight_robustness", "mart.contrast_power", "audit.protocol", "audit.lineage", "audit.file", "audit.quarantine", "audit.run", "audit.expectation", "audit.coverage", "audit.identity",
        }  # fmt: skip

    def test_says_which_run_built_it_and_as_of_when(self, published: Project) -> None:
        assert query(published, "select run_id, as_of from mart.release") == [
            (read_runs(published)[0].run_id, dt.date(2026, 6, 30))
        ]

    def test_says_what_its_protocol_decided_and_keeps_it(self, published: Project) -> None:
        [(run_id, digest, verdict, difference)] = query(
            published,
            "select last_run_id, protocol_hash, protocol.verdict, protocol.difference from audit.protocol "
            "join mart.contrast as contrast using (comparison, outcome, protocol_hash) join mart.release using (protocol_hash) "
            "where is_current and estimator = 'overlap' and contrast.verdict = protocol.verdict "
            "and contrast.difference is not distinct from protocol.difference",
        )
        [kept] = read_history(published.decisions)
        assert (kept.run_id, kept.protocol_hash, kept.verdict, kept.difference) == (run_id, digest, verdict, difference)
        fixed = json.loads((published.runs / run_id / "protocol.json").read_text(encoding="ascii"))
        assert fixed == {"hash": digest, "protocol": kept.protocol}

    def test_accounts_for_every_record(self, published: Project) -> None:
        lost = "select name from audit.file where rows_in <> rows_loaded + rows_quarantined + rows_ignored"
        assert query(published, lost) == []
        assert query(published, "select count(*) > 10 from audit.file where rows_loaded > 0") == [(True,)]

    def test_has_its_checks_and_its_report_in_the_release(self, published: Project) -> None:
        [(checked, failed)] = query(
            published, "select count(*), count(*) filter (not success and severity = 'critical') from audit.expectation"
        )
        assert checked > 50
        assert failed == 0
        assert "<h1" in (published.current / "report" / "index.html").read_text(encoding="utf-8")

    def test_has_a_mart_file_for_each_mart_table_with_the_same_rows(self, published: Project) -> None:
        names = [
            name for (name,) in query(published, "select table_name from duckdb_tables() where schema_name = 'mart'")
        ]
        assert sorted(path.stem for path in (published.current / "marts").glob("*.parquet")) == sorted(names)
        for name in names:
            file = published.current / "marts" / f"{name}.parquet"
            [(different,)] = query(
                published,
                f"select count(*) from ((from mart.{name} except all from '{file}') union all (from '{file}' except all from mart.{name}))",
            )
            assert different == 0, name

    def test_has_no_type_that_a_bi_tool_cannot_take(self, published: Project) -> None:
        odd = """
            select table_schema, table_name, column_name, data_type from information_schema.columns
            where table_schema in ('mart', 'audit') and not regexp_matches(
                data_type, '^(VARCHAR|BOOLEAN|INTEGER|BIGINT|DOUBLE|DATE|TIMESTAMP|DECIMAL\\([0-9]+,[0-9]+\\))$')
        """
        assert query(published, odd) == []


class TestAPublishedRelease:
    def test_explains_every_account_that_has_a_value(self, published: Project) -> None:
        valued = (
            "select account_id from mart.relationship_month, setting.run "
            "where month = last_month and mutual_value is not null order by 1 limit 10"
        )
        for (account_id,) in query(published, valued):
            found = explain(published.current / "warehouse.duckdb", account_id)
            assert sum(each.points or 0 for each in found.components) == pytest.approx(found.change, abs=1e-7)
            assert all(each.records for each in found.components if each.measure_id == "nrr")

    def test_has_the_scores_that_what_if_computes_without_an_if(self, published: Project) -> None:
        expected = dict(
            query(
                published,
                "select account_id, [partnership, supplier_value, customer_value, mutual_value, mutual_value_low, "
                "mutual_value_high] from mart.relationship_month, setting.run where month = last_month",
            )
        )
        for each in compare(read(published.current / "warehouse.duckdb"), {}):
            names = ("partnership", "supplier_value", "customer_value", "mutual_value")
            found = [each.after[name].value if name in each.after else None for name in names]
            mutual = each.after.get("mutual_value")
            found += [mutual.low, mutual.high] if mutual else [None, None]
            assert found == pytest.approx(expected[each.account_id], abs=1e-9)

    def test_proves_that_style_and_value_share_no_column(self, published: Project) -> None:
        sides = "case when part in ('supplier_value', 'customer_value') then 'value' else 'style' end"
        shared = (
            f"select source_column from audit.lineage where part <> 'none' and not may_be_shared "
            f"group by source_column having count(distinct {sides}) > 1"
        )
        assert query(published, shared) == []
        assert query(published, "select count(*) from setting.leak") == [(0,)]


@pytest.mark.slow
def test_a_night_after_freezing_says_which_reference_it_used_and_scores_the_same(
    published: Project, exports: Path, tmp_path: Path
) -> None:
    again = fresh(exports, tmp_path / "project")
    kept, _ = freeze(again, published.current / "warehouse.duckdb", LANDED_AT)
    run_night(again, Journal.begin(again))
    assert query(again, "select reference_version from mart.release") == [(kept.version,)]
    assert query(again, "select distinct origin from scores.reference") == [("frozen",)]
    assert_same_marts(published, again)


def test_the_same_night_again_gives_the_same_marts_byte_for_byte(
    published: Project, exports: Path, tmp_path: Path
) -> None:
    again = fresh(exports, tmp_path / "project")
    run_night(again, Journal.begin(again))
    assert_same_marts(published, again)


STAGES = ("land salesforce", "land zendesk", "stage", *LAYERS, "suggest", "links")
STAGES += ("contrast", "finish", "check", "report", "release")


@pytest.mark.slow
def test_a_night_killed_at_every_stage_and_run_again_gives_the_same_marts(
    published: Project, exports: Path, tmp_path: Path
) -> None:
    project = fresh(exports, tmp_path / "project")
    for stage in STAGES:
        kill_at(project, stage)
        assert read_runs(project)[0].state(None) == "died"
    run_night(project, Journal.begin(project))
    assert_same_marts(published, project)
    assert not list(project.root.glob(".build-*"))


def kill_at(project: Project, stage: str) -> None:
    """Start a run without Prefect and kill -9 it as soon as its record shows the stage."""
    before = len(read_runs(project))
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "run", "--no-prefect", "--project", str(project.root)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(project, stage, before, process)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(project: Project, stage: str, before: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        runs = read_runs(project)
        if len(runs) > before and any(step.name == stage for step in runs[0].steps):
            return
        assert process.poll() is None, f"the run ended before {stage}: {runs[0].message}"
        time.sleep(0.005)
    raise AssertionError(f"the run did not come to {stage}")
