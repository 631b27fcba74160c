"""A release is swapped in as a whole: readers never meet a half of one, whatever happens to the publisher."""

import grp
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.errors import ConfigurationError
from warehouse.project import Limits, Project, Settings
from warehouse.serving.publish import (
    UnfinishedBuild,
    check_group,
    current_run_id,
    outdate,
    prune,
    publish,
    releases,
    remove_leftovers,
    restore,
)

ACCOUNTS = (("b", 2), ("a", 1), ("c", 3))


def make_build(project: Project, run_id: str, accounts: Sequence[tuple[str, int]] = ACCOUNTS) -> Path:
    """A finished build folder: mart.release of the run, and mart.account with the rows in the given order."""
    build = project.root / f".build-{run_id}"
    (build / "report").mkdir(parents=True)
    (build / "report" / "index.html").write_text("<!doctype html>", encoding="utf-8")
    with duckdb.connect(str(build / "warehouse.duckdb")) as connection:
        connection.execute("create schema mart")
        connection.execute("create table mart.release (run_id varchar, as_of date, built_at timestamp)")
        connection.execute(
            "insert into mart.release values (?, date '2026-06-30', timestamp '2026-07-01 00:10:00')", [run_id]
        )
        connection.execute("create table mart.account (account_id varchar, seats integer)")
        names, seats = zip(*accounts, strict=True)
        connection.execute("insert into mart.account select unnest(?), unnest(?)", [list(names), list(seats)])
        connection.execute("create schema canonical")
        connection.execute("create table canonical.ticket as select 1 as ticket_id")
        connection.execute("checkpoint")
    return build


def publish_one(project: Project, run_id: str) -> Path:
    return publish(project, make_build(project, run_id), run_id)


def read(database: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def modes(folder: Path) -> set[tuple[bool, int]]:
    """Whether it is a folder, and its permissions, of the folder and all in it."""
    return {(path.is_dir(), path.stat().st_mode & 0o777) for path in [folder, *folder.rglob("*")]}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, Settings())


class TestARelease:
    def test_holds_the_whole_build_behind_the_current_link(self, project: Project) -> None:
        release = publish_one(project, "r1")
        assert release == project.releases / "r1"
        assert read(project.current / "warehouse.duckdb", "select run_id from mart.release") == [("r1",)]
        found = sorted(str(path.relative_to(release)) for path in release.rglob("*") if path.is_file())
        assert found == ["marts/account.parquet", "marts/release.parquet", "report/index.html", "warehouse.duckdb"]
        assert not (project.root / ".build-r1").exists()

    def test_is_named_by_a_relative_link_so_that_the_project_can_be_moved(
        self, project: Project, tmp_path: Path
    ) -> None:
        publish_one(project, "r1")
        assert project.current.readlink() == Path("releases/r1")
        moved = tmp_path.with_name(f"{tmp_path.name}-moved")
        tmp_path.rename(moved)
        assert read(moved / "current" / "warehouse.duckdb", "select count(*) from mart.account") == [(3,)]

    def test_is_read_only_and_its_owners_alone(self, project: Project) -> None:
        release = publish_one(project, "r1")
        assert modes(release) == {(False, 0o400), (True, 0o700)}
        assert project.releases.stat().st_mode & 0o777 == 0o700

    def test_has_mart_tables_as_parquet_in_the_order_of_their_grain(self, project: Project) -> None:
        build = make_build(project, "r1", [("b", 1), ("a", 2), ("c", 0)])
        release = publish(project, build, "r1", {"account": ("seats",)})
        marts = release / "marts" / "account.parquet"
        with duckdb.connect() as connection:
            assert connection.execute(f"select * from '{marts}'").fetchall() == [("c", 0), ("b", 1), ("a", 2)]

    def test_orders_a_table_of_unknown_grain_by_all_its_columns(self, project: Project) -> None:
        release = publish_one(project, "r1")
        with duckdb.connect() as connection:
            rows = connection.execute(f"select * from '{release / 'marts' / 'account.parquet'}'").fetchall()
        assert rows == sorted(ACCOUNTS)

    def test_has_the_same_parquet_bytes_whatever_the_order_in_which_rows_were_made(self, project: Project) -> None:
        accounts = [(f"account {number:05}", number % 7) for number in range(20_000)]
        shuffled = random.Random(1).sample(accounts, len(accounts))
        files = [
            publish(project, make_build(project, run_id, rows), run_id, {"account": ("account_id",)})
            for run_id, rows in (("r1", accounts), ("r2", shuffled))
        ]
        first, second = ((folder / "marts" / "account.parquet").read_bytes() for folder in files)
        assert first == second

    def test_leaves_nothing_of_its_own_between_the_files(self, project: Project) -> None:
        publish_one(project, "r1")
        assert sorted(path.name for path in project.root.iterdir()) == ["current", "releases"]


class TestABuildIsRefused:
    def refuse(self, project: Project, build: Path, reason: str) -> None:
        with pytest.raises(UnfinishedBuild, match=reason):
            publish(project, build, "r2")
        assert current_run_id(project) == "r1", "the release of before is still the current one"
        assert [each.run_id for each in releases(project)] == ["r1"]

    @pytest.fixture(autouse=True)
    def _published_before(self, project: Project) -> None:
        publish_one(project, "r1")

    def test_when_a_write_ahead_log_is_left_beside_it(self, project: Project) -> None:
        build = make_build(project, "r2")
        (build / "warehouse.duckdb.wal").touch()
        self.refuse(project, build, "not checkpointed and closed")

    def test_when_it_is_of_another_run(self, project: Project) -> None:
        self.refuse(project, make_build(project, "r3"), "of run r3, not of r2")

    def test_when_its_release_row_is_missing(self, project: Project) -> None:
        build = make_build(project, "r2")
        with duckdb.connect(str(build / "warehouse.duckdb")) as connection:
            connection.execute("delete from mart.release")
        self.refuse(project, build, "has 0 rows")

    def test_when_it_is_no_database(self, project: Project) -> None:
        build = make_build(project, "r2")
        (build / "warehouse.duckdb").write_bytes(b"not a database" * 1000)
        self.refuse(project, build, "cannot be read as a release")

    def test_when_it_has_no_marts(self, project: Project) -> None:
        build = make_build(project, "r2")
        with duckdb.connect(str(build / "warehouse.duckdb")) as connection:
            connection.execute("drop schema mart cascade")
        self.refuse(project, build, "cannot be read as a release")


class TestOlderReleases:
    def test_as_many_as_the_configuration_says_are_kept(self, project: Project) -> None:
        for run_id in ("r1", "r2", "r3", "r4"):
            publish_one(project, run_id)
        assert [each.run_id for each in releases(project)] == ["r4", "r3"]

    def test_the_current_one_is_never_pruned(self, project: Project) -> None:
        for run_id in ("r1", "r2"):
            publish_one(project, run_id)
        restore(project, "r1")
        shutil.copytree(project.releases / "r2", project.releases / "r3")
        assert prune(project) == []
        assert current_run_id(project) == "r1"

    def test_going_back_swaps_the_link_only(self, project: Project) -> None:
        for run_id in ("r1", "r2"):
            publish_one(project, run_id)
        before = (project.releases / "r1" / "warehouse.duckdb").stat()
        assert restore(project, "r1") == project.releases / "r1"
        assert read(project.current / "warehouse.duckdb", "select run_id from mart.release") == [("r1",)]
        assert (project.releases / "r1" / "warehouse.duckdb").stat().st_mtime_ns == before.st_mtime_ns
        assert [(each.run_id, each.is_current) for each in releases(project)] == [("r2", False), ("r1", True)]

    def test_the_list_says_as_of_and_when_it_was_built(self, project: Project) -> None:
        publish_one(project, "r1")
        [only] = releases(project)
        assert (only.as_of, only.built_at) == ("2026-06-30", "2026-07-01 00:10:00")

    @pytest.mark.parametrize("asked", ["r9", "", ".", "..", "../releases/r1"])
    def test_going_back_to_what_is_not_there_names_what_is(self, project: Project, asked: str) -> None:
        publish_one(project, "r1")
        with pytest.raises(ConfigurationError, match="there are: r1"):
            restore(project, asked)
        assert current_run_id(project) == "r1"

    def test_a_project_without_a_release_has_no_current_run(self, project: Project) -> None:
        assert current_run_id(project) is None
        assert releases(project) == []
        with pytest.raises(ConfigurationError, match="there are: none"):
            restore(project, "r1")

    @settings(max_examples=40, deadline=None)
    @given(run_ids=st.sets(st.integers(0, 99), min_size=1, max_size=8), keep=st.integers(2, 5), data=st.data())
    def test_pruning_keeps_the_newest_and_the_current_and_nothing_else(
        self, tmp_path_factory: pytest.TempPathFactory, run_ids: set[int], keep: int, data: st.DataObject
    ) -> None:
        names = [f"r{number:02}" for number in sorted(run_ids)]
        current = data.draw(st.sampled_from(names))
        project = Project(tmp_path_factory.mktemp("project"), Settings(limits=Limits(keep_releases=keep)))
        for name in names:
            (project.releases / name).mkdir(parents=True)
            (project.releases / name / "warehouse.duckdb").touch()
        project.current.symlink_to(Path("releases", current))
        pruned = prune(project)
        kept = sorted(path.name for path in project.releases.iterdir())
        assert kept == sorted({*names[-keep:], current})
        assert sorted([*pruned, *kept]) == names


class TestAGroupThatMayReadReleases:
    @pytest.fixture
    def shared(self, tmp_path: Path) -> Project:
        own = grp.getgrgid(os.getgid()).gr_name
        return Project(tmp_path, Settings(releases_group=own))

    def test_reads_the_release_and_passes_through_to_it_and_no_more(self, shared: Project) -> None:
        (shared.root / "lake").mkdir(mode=0o700)
        release = publish_one(shared, "r1")
        assert modes(release) == {(False, 0o440), (True, 0o750)}
        assert shared.releases.stat().st_mode & 0o777 == 0o750
        assert shared.root.stat().st_mode & 0o777 == 0o710
        assert (shared.root / "lake").stat().st_mode & 0o777 == 0o700

    def test_owns_all_of_it(self, shared: Project) -> None:
        release = publish_one(shared, "r1")
        shown = [shared.root, shared.releases, release, *release.rglob("*")]
        assert {path.stat().st_gid for path in shown} == {os.getgid()}

    def test_loses_it_with_the_next_release_when_the_setting_is_gone(self, shared: Project) -> None:
        publish_one(shared, "r1")
        publish_one(Project(shared.root, Settings()), "r2")
        assert shared.releases.stat().st_mode & 0o777 == 0o700

    def test_exists_and_has_the_user_in_it(self, shared: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        check_group(shared)
        check_group(Project(shared.root, Settings()))
        with pytest.raises(ConfigurationError, match="this machine has no group 'nobody-has-it'"):
            check_group(Project(shared.root, Settings(releases_group="nobody-has-it")))
        monkeypatch.setattr(os, "getegid", lambda: 54321)
        monkeypatch.setattr(os, "getgroups", list)
        with pytest.raises(ConfigurationError, match="the user of this run is not in the group"):
            check_group(shared)


class TestReleasesFromBeforeAnErasure:
    def test_are_gone_at_once_but_the_current_one_and_that_with_the_next_publish(self, tmp_path: Path) -> None:
        project = Project(tmp_path, Settings(limits=Limits(keep_releases=5)))
        for run_id in ("r1", "r2", "r3"):
            publish_one(project, run_id)
        restore(project, "r2")
        outdate(project)
        assert [each.run_id for each in releases(project)] == ["r2"]
        publish_one(project, "r4")
        assert [each.run_id for each in releases(project)] == ["r4"]
        publish_one(project, "r5")
        assert [each.run_id for each in releases(project)] == ["r5", "r4"]
        assert sorted(path.name for path in project.releases.iterdir()) == ["r4", "r5"]

    def test_are_none_before_the_first_publish(self, project: Project) -> None:
        outdate(project)
        publish_one(project, "r1")
        assert [each.run_id for each in releases(project)] == ["r1"]


class TestLeftovers:
    def test_of_killed_runs_are_removed_and_named(self, project: Project) -> None:
        publish_one(project, "r1")
        make_build(project, "r2")
        (project.root / ".current-r2").symlink_to("releases/r2")
        assert remove_leftovers(project) == [".build-r2", ".current-r2"]
        assert sorted(path.name for path in project.root.iterdir()) == ["current", "releases"]

    def test_nothing_else_is_touched(self, project: Project) -> None:
        (project.root / "inbox").mkdir()
        (project.root / "builds.txt").touch()
        assert remove_leftovers(project) == []
        assert sorted(path.name for path in project.root.iterdir()) == ["builds.txt", "inbox"]

    def test_a_sealed_build_is_removed_too(self, project: Project) -> None:
        build = make_build(project, "r2")
        (build / "warehouse.duckdb").chmod(0o444)
        assert remove_leftovers(project) == [".build-r2"]
        assert not build.exists()


class TestReaders:
    def test_one_that_has_the_old_release_open_goes_on_with_it(self, project: Project) -> None:
        publish_one(project, "r1")
        with duckdb.connect(str(project.current / "warehouse.duckdb"), read_only=True) as connection:
            for run_id in ("r2", "r3", "r4"):
                publish_one(project, run_id)
            assert not (project.releases / "r1").exists()
            assert connection.execute(
                "select run_id, count(*) from mart.release, mart.account group by 1"
            ).fetchall() == [("r1", 3)]

    def test_none_sees_an_error_or_a_half_release_during_thirty_publishes(
        self, project: Project, tmp_path: Path
    ) -> None:
        publish_one(project, "r00")
        stop = tmp_path / "stop"
        reader = subprocess.Popen(
            [sys.executable, "-c", READING, str(project.current / "warehouse.duckdb"), str(stop)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(1, 31):
            publish_one(project, f"r{number:02}")
        stop.touch()
        answer, _ = reader.communicate(timeout=30)
        seen = json.loads(answer)
        assert seen["errors"] == []
        assert seen["rows"] == [3], "every release was seen whole"
        assert seen["runs"] == sorted(seen["runs"]), "no reader went back to an older release"
        assert len(seen["runs"]) > 5, "the reader saw releases change"

    def test_kill_9_during_a_publish_leaves_a_whole_current_release(self, project: Project) -> None:
        chance = random.Random(7)
        publish_one(project, "0000")
        last = "0000"
        for kill in range(8):
            run_ids = [f"{kill}{number:03}" for number in range(1, 5)]
            for run_id in run_ids:
                make_build(project, run_id)
            publisher = subprocess.Popen(
                [sys.executable, "-c", PUBLISHING, str(project.root), *run_ids], stdout=subprocess.PIPE, text=True
            )
            assert publisher.stdout is not None
            assert publisher.stdout.readline() == "begins\n"
            time.sleep(chance.uniform(0.0, 0.15))
            os.kill(publisher.pid, signal.SIGKILL)
            publisher.wait()
            [(run_id, rows)] = read(
                project.current / "warehouse.duckdb",
                "select run_id, (select count(*) from mart.account) from mart.release",
            )
            assert rows == 3
            assert run_id == current_run_id(project) >= last
            last = run_id
        remove_leftovers(project)
        assert sorted(path.name for path in project.root.iterdir()) == ["current", "releases"]
        assert all(each.as_of == "2026-06-30" for each in releases(project)), "each release that is listed can be read"
        publish_one(project, "9999")
        assert current_run_id(project) == "9999"


READING = """
import json, sys
from pathlib import Path
import duckdb
database, stop = sys.argv[1], Path(sys.argv[2])
errors, rows, runs = [], set(), []
while not stop.exists():
    try:
        with duckdb.connect(database, read_only=True) as connection:
            [(run_id, count)] = connection.execute(
                "select run_id, (select count(*) from mart.account) from mart.release"
            ).fetchall()
    except Exception as error:
        errors.append(repr(error))
    else:
        rows.add(count)
        if runs[-1:] != [run_id]:
            runs.append(run_id)
print(json.dumps({"errors": errors, "rows": sorted(rows), "runs": runs}))
"""

PUBLISHING = """
import sys
from pathlib import Path
from warehouse.project import Project, Settings
from warehouse.serving.publish import publish
project = Project(Path(sys.argv[1]), Settings())
print("begins", flush=True)
for run_id in sys.argv[2:]:
    publish(project, project.root / f".build-{run_id}", run_id)
"""
