"""Run records: ids that sort by age, a file that is always whole, and the word for a run that was killed."""

import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.runs import Journal, RunRecord, new_run_id, read_runs, write_json
from warehouse.lock import Holder
from warehouse.project import Project

MOMENTS = st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2100, 1, 1))


@pytest.mark.parametrize(
    ("microsecond", "letters"), [(0, "aaaa"), (2, "aaaa"), (3, "aaab"), (500_000, "naaa"), (999_999, "zzzz")]
)
def test_a_run_id_says_its_time(microsecond: int, letters: str) -> None:
    assert new_run_id(dt.datetime(2026, 6, 30, 2, 0, 0, microsecond)) == f"20260630T020000Z-{letters}"


@given(one=MOMENTS, other=MOMENTS)
def test_run_ids_sort_by_age(one: dt.datetime, other: dt.datetime) -> None:
    earlier, later = sorted((one, other))
    assert new_run_id(earlier) <= new_run_id(later)


@given(moment=MOMENTS)
def test_runs_three_microseconds_apart_have_ids_of_their_own(moment: dt.datetime) -> None:
    assert new_run_id(moment) < new_run_id(moment + dt.timedelta(microseconds=3))


@pytest.fixture
def journal(project: Project) -> Journal:
    journal = Journal.begin(project, dt.date(2026, 6, 30))
    journal.open()
    return journal


def on_disk(journal: Journal) -> RunRecord:
    return RunRecord.read(journal.folder)


class TestTheRecordOnDisk:
    def test_tells_a_step_while_it_runs(self, journal: Journal) -> None:
        with journal.step("stage"):
            [step] = on_disk(journal).steps
            assert (step.name, step.status, step.seconds) == ("stage", "running", None)

    def test_tells_a_steps_rows_and_time_when_it_is_done(self, journal: Journal) -> None:
        with journal.step("canonical") as entry:
            entry.rows = 1200
        [step] = on_disk(journal).steps
        assert (step.status, step.rows) == ("done", 1200)
        assert step.seconds is not None

    def test_tells_a_step_that_failed(self, journal: Journal) -> None:
        with pytest.raises(ZeroDivisionError), journal.step("scores"):
            raise ZeroDivisionError
        [step] = on_disk(journal).steps
        assert (step.status, step.rows) == ("failed", None)

    def test_tells_the_end(self, journal: Journal) -> None:
        journal.end("failed", "2 critical checks failed")
        record = on_disk(journal)
        assert (record.status, record.message, record.as_of) == ("failed", "2 critical checks failed", "2026-06-30")
        assert record.ended_at is not None
        assert record.seconds is not None

    def test_is_read_back_as_it_was_written(self, journal: Journal) -> None:
        with journal.step("stage") as entry:
            entry.rows = 3
        journal.record.counts = {"landed": 2}
        journal.end("published", "")
        assert on_disk(journal) == journal.record

    def test_is_not_written_before_the_run_begins(self, project: Project) -> None:
        journal = Journal.begin(project)
        assert not journal.opened
        assert not journal.folder.exists()


class TestTheStateOfARun:
    record = RunRecord("r1", "2026-06-30", "duckdb", "2026-06-30T02:00:00")

    def test_is_running_while_it_holds_the_lock(self) -> None:
        assert self.record.state(Holder(1, "r1", "2026-06-30T02:00:00")) == "running"

    def test_is_died_when_nobody_holds_the_lock(self) -> None:
        assert self.record.state(None) == "died"

    def test_is_died_when_another_run_holds_the_lock(self) -> None:
        assert self.record.state(Holder(1, "r2", "2026-07-01T02:00:00")) == "died"

    def test_is_what_it_ended_with(self) -> None:
        ended = RunRecord("r1", "2026-06-30", "duckdb", "2026-06-30T02:00:00", status="published")
        assert ended.state(None) == "published"


class TestTheList:
    def test_has_the_newest_first(self, project: Project) -> None:
        for run_id in ("20260630T020000Z-0001", "20260701T020000Z-0000", "20260630T020000Z-0002"):
            folder = project.runs / run_id
            folder.mkdir(parents=True)
            RunRecord(run_id, "2026-06-30", "duckdb", "2026-06-30T02:00:00").write(folder)
        assert [record.run_id for record in read_runs(project)] == [
            "20260701T020000Z-0000",
            "20260630T020000Z-0002",
            "20260630T020000Z-0001",
        ]

    def test_leaves_out_a_run_that_died_before_its_first_line(self, project: Project) -> None:
        (project.runs / "20260630T020000Z-0001").mkdir(parents=True)
        assert read_runs(project) == []

    def test_is_empty_in_a_new_project(self, project: Project) -> None:
        assert read_runs(project) == []


def test_a_json_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_json(path, {"name": "før"})
    with path.open(encoding="utf-8") as opened_before:
        write_json(path, {"name": "efter", "day": dt.date(2026, 6, 30)})
        assert json.load(opened_before) == {"name": "før"}
    assert json.loads(path.read_text(encoding="utf-8")) == {"name": "efter", "day": "2026-06-30"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.json"]


def test_the_log_says_when_and_how_bad(journal: Journal) -> None:
    journal.log("warning", "unknown column")
    last = (journal.folder / "run.log").read_text(encoding="utf-8").splitlines()[-1]
    moment, level, message = last.split(" ", 2)
    assert dt.datetime.fromisoformat(moment).tzinfo is not None
    assert (level, message) == ("WARNING", "unknown column")


def test_a_run_is_as_of_the_configured_day_unless_asked_otherwise(project: Project) -> None:
    (project.root / "mutual-value.toml").write_text("as_of = 2026-03-31\n", encoding="utf-8")
    configured = Project.open(project.root)
    assert Journal.begin(configured).record.as_of == "2026-03-31"
    assert Journal.begin(configured, dt.date(2025, 12, 31)).record.as_of == "2025-12-31"
