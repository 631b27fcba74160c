"""The command: what it prints, and the exit codes that an operator scripts against."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import Result
from typer.main import get_command
from typer.testing import CliRunner

from flows.cli import app
from flows.runs import RunRecord, read_runs
from tests.flows.conftest import Parts
from warehouse.errors import ConfigurationError
from warehouse.lock import hold
from warehouse.project import Project
from warehouse.serving.publish import current_run_id

COMMANDS = (
    "init", "demo", "check", "run", "serve", "status", "explain", "whatif", "contrast", "reference", "report", "publish",
    "forget", "docs",
)  # fmt: skip
# What the commands cannot do without.
REQUIRED = {
    "forget": ("--email", "anna@customer.dk"), "explain": ("crm:1",), "whatif": ("--weights", "nrr=2"),
}  # fmt: skip


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def run(project: Project, *arguments: str) -> Result:
    return call("run", "--no-prefect", "--project", project.root, *arguments)


class TestHelp:
    def test_names_the_commands_of_the_public_contract(self) -> None:
        assert set(get_command(app).commands) == {*COMMANDS, "links"}  # type: ignore[attr-defined]

    @pytest.mark.parametrize("command", COMMANDS)
    def test_has_an_example_and_the_project_folder(self, command: str) -> None:
        result = call(command, "--help")
        assert result.exit_code == 0
        assert re.search(rf"Example.*: mutual-value {command}", result.stdout)
        assert "--project" in result.stdout

    @pytest.mark.parametrize("command", COMMANDS)
    def test_examples_are_commands_that_the_program_takes(self, command: str) -> None:
        epilog = get_command(app).commands[command].epilog  # type: ignore[attr-defined]
        words = epilog.split("mutual-value ")[1].split()
        parsed = get_command(app).commands[words[0]].make_context(words[0], words[1:])  # type: ignore[attr-defined]
        assert parsed.params

    def test_is_quick_since_nothing_heavy_is_imported(self) -> None:
        heavy = ("prefect", "great_expectations", "duckdb", "pandas", "pyarrow", "statsmodels", "rich.console")
        source = (
            "import sys\nfrom flows.cli import app\n"
            "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
            f"print([name for name in {heavy!r} if name in sys.modules])"
        )
        answer = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
        assert answer.stdout.splitlines()[-1] == "[]"


class TestWrongUse:
    @pytest.mark.parametrize("command", [name for name in COMMANDS if name not in ("init", "demo", "docs")])
    def test_without_a_project_is_exit_2_and_says_what_to_do(self, command: str, tmp_path: Path) -> None:
        result = call(command, *REQUIRED.get(command, ()), "--project", tmp_path)
        assert result.exit_code == 2
        assert f"mutual-value init --project {tmp_path}" in result.stderr
        assert "Traceback" not in result.stderr
        assert list(tmp_path.iterdir()) == [], "nothing was made"

    @pytest.mark.parametrize(
        ("arguments", "named"),
        [
            (("run", "--as-of", "30.06.2026"), "30.06.2026"),
            (("run", "--engine", "abacus"), "abacus"),
            (("status", "--last", "0"), "--last"),
            (("fly",), "fly"),
        ],
    )
    def test_of_an_option_is_exit_2_and_names_it(
        self, project: Project, arguments: tuple[str, ...], named: str
    ) -> None:
        result = call(*arguments, *(() if arguments == ("fly",) else ("--project", project.root)))
        assert result.exit_code == 2
        assert named in result.stderr

    def test_of_a_key_in_the_configuration_is_exit_2_and_names_it(self, project: Project) -> None:
        (project.root / "mutual-value.toml").write_text("[limits]\nmemmory = '1GB'\n", encoding="utf-8")
        result = run(project)
        assert result.exit_code == 2
        assert "limits.memmory" in result.stderr

    @pytest.mark.parametrize("command", ["contrast", "report"])
    def test_before_the_first_release_is_exit_2_and_says_what_to_do(self, project: Project, command: str) -> None:
        result = call(command, "--project", project.root)
        assert result.exit_code == 2
        assert f"has no release yet. Make one with: mutual-value run --project {project.root}" in result.stderr


class TestInit:
    def test_makes_a_folder_and_says_what_is_next(self, tmp_path: Path) -> None:
        result = call("init", "--project", tmp_path / "acme")
        assert result.exit_code == 0
        assert f"mutual-value check --project {tmp_path / 'acme'}" in result.stdout
        assert Project.open(tmp_path / "acme").inbox.is_dir()

    def test_writes_for_the_owner_only(self, tmp_path: Path) -> None:
        before = os.umask(0o022)
        try:
            call("init", "--project", tmp_path / "acme")
        finally:
            os.umask(before)
        modes = {path.stat().st_mode & 0o077 for path in [tmp_path / "acme", *(tmp_path / "acme").rglob("*")]}
        assert modes == {0}

    def test_twice_is_exit_2_and_changes_nothing(self, project: Project) -> None:
        before = (project.root / "mutual-value.toml").read_bytes()
        result = call("init", "--project", project.root)
        assert result.exit_code == 2
        assert "exists already" in result.stderr
        assert (project.root / "mutual-value.toml").read_bytes() == before


class TestRun:
    def test_prints_the_release_the_verdict_the_counts_and_the_report(self, project: Project, parts: Parts) -> None:
        result = run(project, "--as-of", "2026-06-30")
        assert result.exit_code == 0
        release = project.releases / read_runs(project)[0].run_id
        assert result.stdout.splitlines() == [
            f"Release {release}",
            "Partnership and mutual value: supported (+8.1 points, 95 % +2.0 to +14.2). The interval lies above zero.",
            "3 files, 15 rows, 1 quarantined",
            f"Report {release / 'report' / 'index.html'}",
        ]
        assert read_runs(project)[0].as_of == "2026-06-30"

    def test_shows_each_step_on_standard_error(self, project: Project, parts: Parts) -> None:
        shown = re.findall(r"^(.+) done in", run(project).stderr, re.MULTILINE)
        assert shown == [step.name for step in read_runs(project)[0].steps]

    def test_with_a_failed_check_is_exit_1_and_names_it(self, project: Project, parts: Parts) -> None:
        parts.failed_checks = ["mrr_bridge_closes"]
        result = run(project)
        assert result.exit_code == 1
        last = result.stderr.splitlines()[-1]
        assert last.startswith(
            "Failed: 1 critical checks failed, nothing was published: rules: mrr_bridge_closes. See "
        )
        assert result.stdout == ""

    def test_for_a_group_that_does_not_exist_is_exit_2_before_anything_is_done(
        self, project: Project, parts: Parts
    ) -> None:
        (project.root / "mutual-value.toml").write_text("releases_group = 'nobody-has-it'\n", encoding="utf-8")
        result = run(project)
        assert result.exit_code == 2
        assert "releases_group: this machine has no group 'nobody-has-it'" in result.stderr
        assert parts.calls == []
        assert not project.runs.exists()

    def test_with_a_wrong_contract_is_exit_2(self, project: Project, parts: Parts) -> None:
        project.exports.mkdir(exist_ok=True)
        (project.exports / "own.yml").write_text("system: 7\n", encoding="utf-8")
        result = run(project)
        assert result.exit_code == 2
        assert "own.yml is no valid contract" in result.stderr

    def test_while_another_run_works_is_exit_3_and_names_it(self, project: Project, parts: Parts) -> None:
        with hold(project.root, "20260630T020000Z-0001", "2026-06-30T02:00:00"):
            result = run(project)
        assert result.exit_code == 3
        assert result.stderr.startswith("Busy: run 20260630T020000Z-0001 (pid ")
        assert parts.calls == []

    def test_is_refused_before_prefect_is_started(self, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "flows.nightly", None)
        with hold(project.root, "20260630T020000Z-0001", "2026-06-30T02:00:00"):
            assert call("run", "--project", project.root).exit_code == 3

    def test_with_a_defect_is_exit_1_with_one_line_and_the_traceback_in_the_log(
        self, project: Project, parts: Parts
    ) -> None:
        def fail() -> None:
            raise RuntimeError("a defect")

        parts.failing["scores"] = fail
        result = run(project)
        folder = project.runs / read_runs(project)[0].run_id
        assert result.exit_code == 1
        assert result.stderr.splitlines()[-1] == f"Failed: RuntimeError: a defect (run record: {folder})"
        assert "Traceback" not in result.stderr
        assert 'raise RuntimeError("a defect")' in (folder / "run.log").read_text(encoding="utf-8")

    def test_can_keep_a_failed_build(self, project: Project, parts: Parts) -> None:
        def fail() -> None:
            raise ConfigurationError("mend this")

        parts.failing["contrast"] = fail
        run(project, "--keep-build")
        assert len(list(project.root.glob(".build-*/warehouse.duckdb"))) == 1


class TestCheck:
    def test_says_what_each_file_is_and_what_becomes_of_its_rows(self, project: Project) -> None:
        drop(project, "a.csv", "goal_id,account_id,title,due_on,created_on,Mood", "1,A,More,2026-12-31,2026-01-01,x")
        drop(project, "b.csv", "goal_id,account_id,title,due_on,created_on", "2,A,Less,31-12-2026,2026-01-01", "3,A,,,")
        drop(project, "c.csv", "one,two", "1,2")
        result = call("check", "--project", project.root)
        assert result.exit_code == 0
        lines = [line for line in result.stdout.splitlines() if "missing" not in line and "intranet" not in line]
        assert lines[:7] == [
            "goals/a.csv: goal, 1 rows (1 loaded), landed",
            "  unknown: Mood",
            "goals/b.csv: goal, 2 rows (1 loaded, 1 quarantined), landed",
            "  quarantine: goal.created_at required_empty: 1 (rows 2)",
            "  quarantine: goal.due_on unparseable_date: 1 (rows 1)",
            "  quarantine: goal.title required_empty: 1 (rows 2)",
            "goals/c.csv: no entity, 1 rows, unrecognised",
        ]
        assert "2 landed, 2 unrecognised" in lines

    def test_a_file_without_a_required_column_is_exit_1_and_named_with_what_to_do(self, project: Project) -> None:
        drop(project, "a.csv", "goal_id,account_id,title,due_on", "1,A,More,2026-12-31")
        result = call("check", "--project", project.root)
        assert result.exit_code == 1
        assert "goals/a.csv: goal, 1 rows, unreadable" in result.stdout
        assert "lacks the required column created_on; export it with that column, or name the header" in result.stdout

    def test_reads_the_real_inbox_and_changes_nothing(self, project: Project) -> None:
        before = sorted(project.root.rglob("*"))
        result = call("check", "--project", project.root)
        assert result.exit_code == 0
        assert "intranet/notes.txt: no entity" in result.stdout
        assert sorted(project.root.rglob("*")) == before

    def test_an_empty_inbox_is_said_to_be_empty(self, tmp_path: Path) -> None:
        call("init", "--project", tmp_path / "acme")
        assert call("check", "--project", tmp_path / "acme").stdout == "The inbox is empty.\n"


def drop(project: Project, name: str, *lines: str) -> None:
    folder = project.inbox / "goals"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


class TestStatus:
    def test_of_a_new_project_says_that_there_is_nothing(self, project: Project) -> None:
        result = call("status", "--project", project.root)
        assert result.exit_code == 0
        assert result.stdout.splitlines() == ["Published: nothing yet", "Running: nothing"]

    def test_lists_how_the_last_runs_ended(self, project: Project, parts: Parts) -> None:
        run(project)
        parts.failed_checks = ["mrr_bridge_closes"]
        run(project)
        failed, published = read_runs(project)
        lines = call("status", "--project", project.root).stdout.splitlines()
        assert lines[0] == f"Published: {published.run_id}"
        assert lines[2].startswith(f"{failed.run_id}  failed  as of ")
        assert "last step check  1 critical checks failed" in lines[2]
        assert lines[3].startswith(f"{published.run_id}  published")
        assert len(call("status", "--last", "1", "--project", project.root).stdout.splitlines()) == 3

    def test_says_what_runs_now(self, project: Project) -> None:
        with hold(project.root, "20260630T020000Z-0001", "2026-06-30T02:00:00"):
            result = call("status", "--project", project.root)
        assert f"Running: 20260630T020000Z-0001 (pid {os.getpid()}, since 2026-06-30T02:00:00 UTC)" in result.stdout

    def test_says_that_a_killed_run_died_and_where(self, project: Project) -> None:
        process = subprocess.Popen([sys.executable, "-c", STUCK, str(project.root)])
        stuck = wait_for_step(project, "stage")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        result = call("status", "--project", project.root)
        assert "Running: nothing" in result.stdout
        assert f"{stuck.run_id}  died  as of {stuck.as_of}  last step stage" in result.stdout


STUCK = """
import sys, time
from pathlib import Path
from flows.runs import Journal
from warehouse.lock import hold
from warehouse.project import Project
project = Project.open(Path(sys.argv[1]))
journal = Journal.begin(project)
with hold(project.root, journal.record.run_id, journal.record.started_at):
    journal.open()
    with journal.step("stage"):
        time.sleep(60)
"""


def wait_for_step(project: Project, name: str) -> RunRecord:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for record in read_runs(project):
            if record.steps and record.steps[-1].name == name:
                return record
        time.sleep(0.01)
    raise AssertionError(f"no run came to {name}")


class TestAPublishedRelease:
    @pytest.fixture(autouse=True)
    def _two_releases(self, project: Project, parts: Parts) -> None:
        for _ in range(2):
            assert run(project).exit_code == 0

    def test_has_its_verdicts_printed(self, project: Project) -> None:
        result = call("contrast", "--project", project.root)
        assert result.exit_code == 0
        lines = [line.rstrip() for line in result.stdout.splitlines()]
        assert lines[:2] == [
            "Partnership and mutual value: supported (+8.1 points, 95 % +2.0 to +14.2).",
            "  The interval lies above zero.",
        ]

    def test_has_a_report_page(self, project: Project) -> None:
        page = Path(call("report", "--project", project.root).stdout.strip())
        assert page.read_text(encoding="utf-8") == "<!doctype html>"

    def test_is_listed_with_the_current_one_marked(self, project: Project) -> None:
        newest, oldest = read_runs(project)
        lines = call("publish", "--project", project.root).stdout.splitlines()
        assert [line.split("  as of")[0] for line in lines] == [f"* {newest.run_id}", f"  {oldest.run_id}"]

    def test_can_be_gone_back_to(self, project: Project) -> None:
        newest, oldest = (record.run_id for record in read_runs(project))
        assert call("publish", "--project", project.root, "--release", oldest).exit_code == 0
        assert current_run_id(project) == oldest
        assert call("publish", "--project", project.root, "--release", newest).exit_code == 0
        assert current_run_id(project) == newest

    def test_that_does_not_exist_is_exit_2(self, project: Project) -> None:
        result = call("publish", "--project", project.root, "--release", "20200101T000000Z-0000")
        assert result.exit_code == 2
        assert "has no release '20200101T000000Z-0000'" in result.stderr

    def test_is_not_swapped_while_a_run_works(self, project: Project) -> None:
        newest, oldest = (record.run_id for record in read_runs(project))
        with hold(project.root, "other", "2026-06-30T02:00:00"):
            assert call("publish", "--project", project.root, "--release", oldest).exit_code == 3
        assert current_run_id(project) == newest


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "say what shall be otherwise: --weights, or --account with --set"),
        (("--set", "csat=1"), "--set is for one company: name it with --account"),
    ],
)
def test_what_if_without_an_if_is_wrong_use(project: Project, arguments: tuple[str, ...], says: str) -> None:
    result = call("whatif", "--project", project.root, *arguments)
    assert result.exit_code == 2
    assert says in result.stderr


def test_docs_are_written_into_the_folders_docs(tmp_path: Path) -> None:
    result = call("docs", "--project", tmp_path)
    assert result.exit_code == 0
    assert sorted(path.name for path in (tmp_path / "docs").iterdir()) == sorted(
        Path(line).name for line in result.stdout.splitlines()
    )


def test_a_demo_is_not_written_over_real_exports(project: Project) -> None:
    result = call("demo", "--project", project.root)
    assert result.exit_code == 2
    assert "holds exports already" in result.stderr
