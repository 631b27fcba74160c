"""A night whose heavy parts are small stand-ins, so that the order, the records and the errors can be seen alone."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from expectations.gate import CheckResult
from flows.folder import make_project
from transforms.contrast.verdict import Word
from warehouse import protocols
from warehouse.engine import Engine
from warehouse.project import Project
from warehouse.suggestions import COLUMNS

CONTRAST = """
    create table mart.contrast as
    select 'partnership_high_vs_low' as comparison, 'mutual_value' as outcome, unnest(['aipw', 'overlap']) as estimator,
        40 as n_partnership, 50 as n_comparison, 0.081 as difference, 0.02 as ci_low, 0.142 as ci_high,
        0.41 as hedges_g, 0.0004 as p_value, null::double as q_value,
        'supported' as verdict, 'The interval lies above zero.' as reason
    union all by name
    select 'partnership_high_vs_low' as comparison, 'csat' as outcome, 'overlap' as estimator,
        'not_estimable' as verdict, '3 accounts in the high arm; 30 needed' as reason
"""

COMPANIONS = """
    create table mart.contrast_flow as
    select 'partnership_high_vs_low' as comparison, 'mutual_value' as outcome, unnest(['in', 'excluded', 'compared']) as step,
        unnest(['', 'not a customer at t0', 'high']) as reason, unnest([100, 60, 40]) as accounts;
    create table mart.contrast_power as
    select 'partnership_high_vs_low' as comparison, 'mutual_value' as outcome, 40 as n_partnership, 50 as n_comparison,
        35.2 as effective_n_partnership, 44.9 as effective_n_comparison, 0.64 as detectable_g, 0.2 as smallest_effect,
        394 as needed_per_arm, 359 as more_partnership, 350 as more_comparison, 0 as more_to_compare
"""

FILES = """
    create table audit.file as
    select * from (values ('a', 10, 9, 1, 'landed'), ('b', 5, 5, 0, 'landed'), ('c', null, null, null, 'unreadable'))
        as file(sha256, rows_in, rows_loaded, rows_quarantined, status)
"""

EXPECTATION = """
    create table audit.expectation (run_id varchar, suite varchar, expectation varchar, column_name varchar,
        success boolean, severity varchar, observed varchar)
"""

# Billing's customer is another company each night.
IDENTITY = """
    create table audit.identity as
    select 'billing' as system, 'c1' as source_account_id, cast(? as varchar) as account_id, 'vat' as method
"""

SUGGESTION = ("desk", "7", "crm:1", 0.98765, "same name", "=Alfa", "Alfa A/S", 1)


@dataclass
class Parts:
    """The stand-ins: what was called, and what shall go wrong at which call."""

    calls: list[str] = field(default_factory=list)
    failing: dict[str, Callable[[], None]] = field(default_factory=dict)
    failed_checks: list[str] = field(default_factory=list)
    later_files: int = 0

    def called(self, name: str) -> None:
        self.calls.append(name)
        if name in self.failing:
            self.failing[name]()

    def build(self) -> SimpleNamespace:
        return SimpleNamespace(
            Run=lambda run_id, started_at, as_of: (run_id, started_at, as_of),
            start=self._start,
            stage=self._stage,
            layer=self._layer,
            contrast=lambda engine, project, as_of: self._contrast(engine),
            finish=self._finish,
            every_table=lambda: [SimpleNamespace(schema="mart", name="account", grain=("account_id",))],
            record_checks=lambda path, results: self.called("record_checks"),
        )

    def _start(self, folder: Path, project: Project, contracts: Any, as_of: Any) -> Engine:
        self.called("start")
        folder.mkdir()
        engine = Engine.open(folder / "warehouse.duckdb", threads=1, memory="500MB", query_seconds=60)
        engine.connection.execute("create schema mart")
        engine.connection.execute("create schema audit")
        engine.execute(IDENTITY, [f"crm:{self.calls.count('start')}"])
        return engine

    def _stage(self, *_: Any) -> SimpleNamespace:
        self.called("stage")
        return SimpleNamespace(older={}, later_files=self.later_files)

    def _layer(self, engine: Engine, name: str) -> dict[str, int]:
        self.called(name)
        if name == "marts":
            engine.execute("create table mart.account as select unnest(['b', 'a']) as account_id")
        return {f"{name}.table": 2}

    def _contrast(self, engine: Engine) -> str:
        self.called("contrast")
        engine.execute(CONTRAST)
        for statement in COMPANIONS.split(";"):
            engine.execute(statement)
        return "supported"

    def _finish(self, engine: Engine, project: Project, run: tuple[Any, ...]) -> Path:
        self.called("finish")
        engine.execute(
            "create table mart.release as select ? as run_id, ?::date as as_of, ?::timestamp as built_at",
            [run[0], run[2], run[1]],
        )
        engine.execute(FILES)
        engine.execute(EXPECTATION)
        _decide(engine, project, run)
        engine.execute("checkpoint")
        engine.close()
        return engine.path

    def gate(self) -> SimpleNamespace:
        return SimpleNamespace(
            check=self._check,
            failures=lambda results: [result for result in results if not result.success],
            prepare=lambda: self.called("prepare"),
        )

    def _check(self, database: Path, models: Any, folder: Path, run_id: str, **limits: Any) -> list[CheckResult]:
        self.called("check")
        assert not database.with_name("warehouse.duckdb.wal").exists(), "the gate reads a closed file"
        good = CheckResult(run_id, "mart.account", "grain_is_unique", "account_id", True, "critical", "2 rows")
        return [good] + [
            CheckResult(run_id, "rules", name, "", False, "critical", "1 of 2 rows: account_id=a")
            for name in self.failed_checks
        ]

    def identity(self) -> SimpleNamespace:
        return SimpleNamespace(read_accounts=lambda connection: {}, suggest=self._suggest)

    def _suggest(self, **options: Any) -> pa.Table:
        self.called("suggest")
        return pa.Table.from_pylist([dict(zip(COLUMNS, SUGGESTION, strict=True))])

    def report(self) -> SimpleNamespace:
        return SimpleNamespace(render=self._render)

    def _render(self, database: Path, target: Path) -> Path:
        self.called("report")
        target.mkdir()
        page = target / "index.html"
        page.write_text("<!doctype html>", encoding="utf-8")
        return page


def _decide(engine: Engine, project: Project, run: tuple[Any, ...]) -> None:
    """audit.protocol as the build fills it: the project's protocol, and the verdict of CONTRAST."""
    protocol = protocols.load(project)
    tonight = protocols.Entry(
        run_id=run[0], as_of=run[2], protocol_hash=protocol.hash, protocol=protocol.content,
        comparison="partnership_high_vs_low", outcome="mutual_value", verdict=Word.SUPPORTED, difference=0.081,
        ci_low=0.02, ci_high=0.142,
    )  # fmt: skip
    rows = pa.Table.from_pylist(protocols.rows(protocols.read(project.decisions), tonight))
    engine.connection.register("protocol_rows", rows)
    engine.execute("create table audit.protocol as from protocol_rows")


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """One temporary Prefect server, with its own empty home, for all tests that ask for it."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Parts:
    """The stand-ins, in the place of the build, the gate and the report page."""
    stand_ins = Parts()
    monkeypatch.setitem(sys.modules, "warehouse.build", stand_ins.build())
    monkeypatch.setitem(sys.modules, "transforms.identity", stand_ins.identity())
    monkeypatch.setitem(sys.modules, "expectations.gate", stand_ins.gate())
    monkeypatch.setitem(sys.modules, "warehouse.serving.report", stand_ins.report())
    return stand_ins


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A fresh project folder with one file in the inbox that no contract knows."""
    make_project(tmp_path)
    (tmp_path / "inbox" / "intranet").mkdir()
    (tmp_path / "inbox" / "intranet" / "notes.txt").write_text("just notes\n", encoding="utf-8")
    return Project.open(tmp_path)
