"""A night's steps in their order, and what is left when one of them fails."""

import datetime as dt
import hashlib
import json
import logging
import os
from pathlib import Path

import pytest

from flows.runs import Journal, RunRecord, read_runs
from flows.steps import Step, run_night
from tests.flows.conftest import Parts
from transforms.contrast.protocol import Protocol
from warehouse.errors import CheckFailure, ConfigurationError, LockHeld
from warehouse.lock import hold, holder
from warehouse.models import LAYERS
from warehouse.project import Project
from warehouse.protocols import read
from warehouse.serving.publish import current_run_id

LAYERS_IN_ORDER = tuple(LAYERS)


def night(project: Project, **options: object) -> str:
    return run_night(project, Journal.begin(project), **options).run_id  # type: ignore[arg-type]


def last_record(project: Project) -> RunRecord:
    return read_runs(project)[0]


def failing(error: BaseException):
    def fail() -> None:
        raise error

    return fail


class TestAGoodNight:
    def test_lands_builds_checks_and_publishes_in_this_order(self, project: Project, parts: Parts) -> None:
        run_id = night(project)
        assert [call for call in parts.calls if call != "prepare"] == [
            "start",
            "stage",
            LAYERS_IN_ORDER[0],
            "suggest",
            *LAYERS_IN_ORDER[1:],
            "contrast",
            "finish",
            "check",
            "record_checks",
            "report",
        ]
        assert current_run_id(project) == run_id

    def test_records_each_step_with_its_time_and_rows(self, project: Project, parts: Parts) -> None:
        night(project)
        record = last_record(project)
        assert [step.name for step in record.steps] == [
            "land intranet",
            "stage",
            LAYERS_IN_ORDER[0],
            "suggest",
            *LAYERS_IN_ORDER[1:],
            "links",
            "contrast",
            "finish",
            "check",
            "report",
            "release",
        ]
        assert {step.status for step in record.steps} == {"done"}
        assert all(step.seconds is not None and step.seconds >= 0 for step in record.steps)
        assert {step.name: step.rows for step in record.steps if step.name in LAYERS} == dict.fromkeys(LAYERS, 2)
        assert record.status == "published"
        assert record.rows == 2 * len(LAYERS)
        assert record.counts == {"unrecognised": 1}

    def test_writes_the_companies_that_accounts_may_be_so_that_no_cell_is_a_formula(
        self, project: Project, parts: Parts
    ) -> None:
        night(project)
        assert (project.identity / "suggestions.csv").read_text(encoding="utf-8") == (
            "system,source_account_id,account_id,probability,evidence,name,company_name,rank\n"
            "desk,7,crm:1,0.9877,same name,'=Alfa,Alfa A/S,1\n"
        )

    def test_leaves_the_suggestions_as_they_are_when_it_looks_back(self, project: Project, parts: Parts) -> None:
        run_night(project, Journal.begin(project, dt.date(2026, 3, 31)))
        assert "suggest" not in parts.calls
        assert not (project.identity / "suggestions.csv").exists()

    def test_keeps_what_landing_and_the_gate_said(self, project: Project, parts: Parts) -> None:
        run_id = night(project)
        [landed] = json.loads((project.runs / run_id / "landing.json").read_text(encoding="utf-8"))
        assert (landed["system"], landed["name"], landed["status"]) == ("intranet", "notes.txt", "unrecognised")
        [checked] = json.loads((project.runs / run_id / "checks.json").read_text(encoding="utf-8"))
        assert checked["expectation"] == "grain_is_unique"

    def test_records_which_accounts_are_another_company_than_the_night_before(
        self, project: Project, parts: Parts
    ) -> None:
        first, second = night(project), night(project)
        assert not (project.runs / first / "links.json").exists()
        [change] = json.loads((project.runs / second / "links.json").read_text(encoding="utf-8"))
        assert (change["source_account_id"], change["change"]) == ("c1", "relinked")
        assert (change["account_id_before"], change["account_id"]) == ("crm:1", "crm:2")
        log = (project.runs / second / "run.log").read_text(encoding="utf-8")
        assert "1 accounts relinked since the release before, see links.json" in log

    def test_says_how_many_files_came_after_as_of(self, project: Project, parts: Parts) -> None:
        parts.later_files = 2
        run_id = night(project)
        log = (project.runs / run_id / "run.log").read_text(encoding="utf-8")
        assert "2 files of drops after " in log

    def test_leaves_no_lock_and_no_build_behind(self, project: Project, parts: Parts) -> None:
        night(project)
        assert holder(project.root) is None
        assert not list(project.root.glob(".build-*"))
        assert not (project.root / "lake" / ".landing").exists()

    def test_warns_of_files_that_could_not_be_taken(self, project: Project, parts: Parts) -> None:
        run_id = night(project)
        log = (project.runs / run_id / "run.log").read_text(encoding="utf-8")
        assert "WARNING intranet/notes.txt: unrecognised: " in log

    def test_hands_every_step_to_the_one_who_runs_it(self, project: Project, parts: Parts) -> None:
        handed: list[tuple[str, int]] = []

        def execute(step: Step) -> int | None:
            handed.append((step.name, step.retries))
            return step.work()

        night(project, execute=execute)
        retried = [name for name, retries in handed if retries]
        assert len(handed) == len(last_record(project).steps)
        assert retried == ["land intranet"], "a model gives the same answer again; a busy file may not"

    def test_writes_for_the_owner_only(self, project: Project, parts: Parts) -> None:
        before = os.umask(0o022)
        try:
            run_id = night(project)
        finally:
            os.umask(before)
        assert (project.runs / run_id / "run.json").stat().st_mode & 0o077 == 0
        assert (project.releases / run_id).stat().st_mode & 0o077 == 0


def test_a_night_does_not_fail_for_want_of_suggestions(project: Project, parts: Parts) -> None:
    night(project)
    before = (project.identity / "suggestions.csv").read_bytes()
    parts.failing["suggest"] = failing(RuntimeError("out of luck"))
    run_id = night(project)
    assert current_run_id(project) == run_id
    assert (project.identity / "suggestions.csv").read_bytes() == before
    log = (project.runs / run_id / "run.log").read_text(encoding="utf-8")
    assert "WARNING no suggestions: RuntimeError: out of luck" in log
    assert "Traceback" in log


def change_protocol(project: Project, text: str = "[thresholds]\nhigh = 0.7\n") -> None:
    (project.root / "protocol.toml").write_text(text, encoding="utf-8")


class TestTheProtocol:
    def test_is_fixed_with_its_hash_before_the_first_step(self, project: Project, parts: Parts) -> None:
        parts.failing["start"] = failing(ConfigurationError("mend this"))
        with pytest.raises(ConfigurationError):
            night(project)
        written = (project.runs / last_record(project).run_id / "protocol.json").read_text(encoding="ascii")
        fixed = json.loads(written)
        assert fixed["protocol"]["thresholds"] == {"low": 0.4, "high": 0.6}
        text = written.split('"protocol":', 1)[1].removesuffix("}\n")
        assert fixed["hash"] == hashlib.sha256(text.encode()).hexdigest() == Protocol.load().hash

    def test_that_is_wrong_ends_the_night_before_anything_is_landed(self, project: Project, parts: Parts) -> None:
        change_protocol(project, "[thresholds]\nhihg = 0.7\n")
        with pytest.raises(ConfigurationError, match=r"protocol\.toml: thresholds\.hihg: .*take the key out"):
            night(project)
        assert parts.calls == []
        assert last_record(project).steps == []

    @pytest.mark.parametrize("step", ["start", "contrast"])
    def test_that_is_changed_while_the_night_runs_ends_it(self, project: Project, parts: Parts, step: str) -> None:
        good = night(project)
        parts.failing[step] = lambda: change_protocol(project)
        with pytest.raises(ConfigurationError, match=r"changed while the night ran \(thresholds\.high: 0\.6 -> 0\.7\)"):
            night(project)
        assert current_run_id(project) == good

    def test_and_its_verdict_are_kept_once_the_night_is_published(self, project: Project, parts: Parts) -> None:
        first = night(project)
        change_protocol(project)
        second = night(project)
        assert [(entry.run_id, entry.verdict) for entry in read(project.decisions)] == [
            (first, "supported"),
            (second, "supported"),
        ]
        log = (project.runs / second / "run.log").read_text(encoding="utf-8")
        assert "WARNING the protocol is not that of the night before: thresholds.high: 0.6 -> 0.7" in log

    @pytest.mark.parametrize("step", ["finish", "report"])
    def test_of_a_failed_night_leaves_no_trace(self, project: Project, parts: Parts, step: str) -> None:
        parts.failing[step] = failing(ConfigurationError("mend this"))
        with pytest.raises(ConfigurationError):
            night(project)
        assert list(project.decisions.iterdir()) == []

    def test_of_a_night_that_could_not_be_published_leaves_no_trace(
        self, project: Project, parts: Parts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("flows.steps.publish", lambda *_: failing(ConfigurationError("the disk is full"))())
        with pytest.raises(ConfigurationError, match="disk is full"):
            night(project)
        assert list(project.decisions.iterdir()) == []

    def test_of_a_night_that_looks_back_is_not_kept(self, project: Project, parts: Parts) -> None:
        first = night(project)
        run_night(project, Journal.begin(project, dt.date(2026, 3, 31)))
        assert [entry.run_id for entry in read(project.decisions)] == [first]

    def test_of_a_night_that_was_killed_behind_its_publishing_is_kept_by_the_next(
        self, project: Project, parts: Parts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begun: list[Project] = []

        def settle_once(project: Project) -> None:
            begun.append(project)
            if len(begun) == 2:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr("warehouse.protocols.settle", settle_once)
            night(project)
        killed = current_run_id(project)
        assert read(project.decisions) == []
        second = night(project)
        assert [entry.run_id for entry in read(project.decisions)] == [killed, second]


class TestAFailedCheck:
    def test_publishes_nothing_and_says_which_and_where(self, project: Project, parts: Parts) -> None:
        good = night(project)
        parts.failed_checks = ["mrr_bridge_closes", "accounting_identity"]
        with pytest.raises(CheckFailure) as failure:
            night(project)
        record = last_record(project)
        assert "2 critical checks failed, nothing was published" in record.message
        assert "rules: mrr_bridge_closes; rules: accounting_identity" in record.message
        assert str(project.runs / record.run_id / "data_docs") in record.message
        assert failure.value.exit_code == 1
        assert current_run_id(project) == good, "yesterday's release stays"

    def test_names_ten_and_counts_the_rest(self, project: Project, parts: Parts) -> None:
        parts.failed_checks = [f"rule_{number:02}" for number in range(13)]
        with pytest.raises(CheckFailure, match=r"13 critical checks failed.*rule_09 and 3 more\. See"):
            night(project)

    def test_keeps_the_results_though_the_build_is_gone(self, project: Project, parts: Parts) -> None:
        parts.failed_checks = ["mrr_bridge_closes"]
        with pytest.raises(CheckFailure):
            night(project)
        kept = json.loads((project.runs / last_record(project).run_id / "checks.json").read_text(encoding="utf-8"))
        assert [result["expectation"] for result in kept if not result["success"]] == ["mrr_bridge_closes"]
        assert not list(project.root.glob(".build-*"))


class TestAStepThatFails:
    @pytest.mark.parametrize("step", ["start", "stage", "canonical", "marts", "contrast", "finish", "check", "report"])
    def test_leaves_the_release_of_before_and_a_record(self, project: Project, parts: Parts, step: str) -> None:
        good = night(project)
        parts.failing[step] = failing(ConfigurationError("mend this"))
        with pytest.raises(ConfigurationError):
            night(project)
        record = last_record(project)
        assert (record.status, record.message) == ("failed", "mend this")
        assert record.steps[-1].status == "failed"
        assert current_run_id(project) == good
        assert holder(project.root) is None
        assert not list(project.root.glob(".build-*"))

    def test_by_a_defect_has_its_traceback_in_the_log_and_one_line_in_the_record(
        self, project: Project, parts: Parts
    ) -> None:
        parts.failing["scores"] = failing(ZeroDivisionError("division\nby zero"))
        with pytest.raises(ZeroDivisionError) as failure:
            night(project)
        record = last_record(project)
        assert record.message == "unexpected ZeroDivisionError: division by zero"
        assert failure.value.__notes__ == [f"run record: {project.runs / record.run_id}"]
        assert "Traceback" in (project.runs / record.run_id / "run.log").read_text(encoding="utf-8")

    def test_by_an_interrupt_is_recorded_too(self, project: Project, parts: Parts) -> None:
        parts.failing["style"] = failing(KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            night(project)
        assert last_record(project).status == "failed"

    def test_can_leave_its_build_for_a_look_until_the_next_run(self, project: Project, parts: Parts) -> None:
        parts.failing["contrast"] = failing(ConfigurationError("mend this"))
        with pytest.raises(ConfigurationError):
            night(project, keep_build=True)
        [kept] = project.root.glob(".build-*")
        assert (kept / "warehouse.duckdb").exists()
        parts.failing.clear()
        night(project)
        assert not kept.exists()

    def test_can_be_run_again_at_once(self, project: Project, parts: Parts) -> None:
        parts.failing["value"] = failing(ConfigurationError("mend this"))
        with pytest.raises(ConfigurationError):
            night(project)
        parts.failing.clear()
        assert current_run_id(project) is None
        assert night(project) == current_run_id(project)


class TestTwoNights:
    def test_at_once_the_second_is_refused_and_leaves_no_record(self, project: Project, parts: Parts) -> None:
        with hold(project.root, "other", "2026-06-30T02:00:00"), pytest.raises(LockHeld, match="run other"):
            night(project)
        assert parts.calls == []
        assert read_runs(project) == []

    def test_leftovers_of_a_killed_one_are_removed_and_logged(self, project: Project, parts: Parts) -> None:
        (project.root / ".build-killed").mkdir()
        run_id = night(project)
        assert not (project.root / ".build-killed").exists()
        log = (project.runs / run_id / "run.log").read_text(encoding="utf-8")
        assert "removed .build-killed, left by a run that was killed" in log

    def test_a_landing_that_was_killed_goes_on_with_its_own_time(
        self, project: Project, parts: Parts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen = []

        def landing(project: Project, contracts: object, system: str, landed_at: object) -> list[object]:
            seen.append(landed_at)
            if len(seen) == 1:
                raise KeyboardInterrupt
            return []

        monkeypatch.setattr("warehouse.landing.land", landing)
        marker = project.root / "lake" / ".landing"
        with pytest.raises(KeyboardInterrupt):
            night(project)
        marker.write_text("2026-06-30T02:00:00", encoding="ascii")
        night(project)
        assert str(seen[1]) == "2026-06-30 02:00:00"
        assert not marker.exists()


def test_the_log_holds_no_text_of_the_exports(project: Project, parts: Parts, caplog: pytest.LogCaptureFixture) -> None:
    (project.inbox / "intranet" / "people.txt").write_text("Karen Blomst, karen@blomst.example\n", encoding="utf-8")
    with caplog.at_level(logging.INFO):
        run_id = night(project)
    written = "".join(path.read_text(encoding="utf-8") for path in Path(project.runs, run_id).glob("*.*"))
    assert "people.txt" in written
    assert "Blomst" not in written + caplog.text
