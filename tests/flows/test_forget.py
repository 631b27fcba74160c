"""A person is forgotten: nothing of theirs is kept, all else stays, and later exports do not bring them back."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import openpyxl
import pyarrow.parquet as pq
import pytest

from flows.erasing import Report, forget, holding, lines
from flows.folder import make_project
from flows.runs import read_runs
from tests.flows.forgotten import (
    ADDRESS,
    BODY,
    CONTACTS,
    NAME,
    NAMESAKE,
    NOTE,
    OTHER,
    PHONE,
    SUBJECT,
    USERS,
    bytes_of,
    drop,
    kept,
    night,
    put,
    supplier,
    ticket,
)
from tests.flows.test_cli import call
from warehouse import erasures, landing
from warehouse.contracts import SHIPPED, load_contracts
from warehouse.erasing import screen
from warehouse.errors import ConfigurationError, LockHeld
from warehouse.keys import VARIABLE, keyed_hash, project_key
from warehouse.lock import hold
from warehouse.project import Project
from warehouse.rewriting import DRAFTS, FINISHED, finish
from warehouse.serving.publish import current_run_id, releases

CONTRACTS = load_contracts([SHIPPED])
LANDED_AT = dt.datetime(2026, 6, 30, 2)
TEXTS = (BODY.split("\n")[0], BODY.split("\n")[1], SUBJECT, NOTE, PHONE)
ACCOUNTING = "select sha256, member, entity, name, bytes, rows_in, rows_loaded, rows_quarantined, rows_ignored, status from audit.file order by all"


def left_of_them(project: Project) -> list[str]:
    """What of the person the project keeps."""
    text = kept(project)
    return [each for each in (ADDRESS, NAME, *TEXTS) if each.casefold() in text]


def land(project: Project) -> None:
    for system in landing.systems(project):
        landing.land(project, CONTRACTS, system, LANDED_AT)


def query(project: Project, sql: str) -> list[tuple]:
    with duckdb.connect(str(project.current / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def facts(project: Project) -> dict[str, tuple]:
    """Of each lake file its metadata, columns and number of rows."""
    found = {}
    for path in sorted(project.lake.glob("*/*/*.parquet")):
        metadata = pq.read_metadata(path)
        told = {key: value for key, value in metadata.metadata.items() if key != b"ARROW:schema"}
        found[path.name] = (told, pq.read_schema(path).names, metadata.num_rows)
    return found


def cells(project: Project, system: str, entity: str) -> list[dict]:
    (path,) = (project.lake / system / entity).glob("*.parquet")
    return pq.read_table(path).to_pylist()


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The supplier's project with its exports in the lake."""
    project = supplier(tmp_path_factory.mktemp("once") / "project")
    land(project)
    return project.root


@pytest.fixture
def landed(once: Path, tmp_path: Path) -> Project:
    """A copy of it."""
    shutil.copytree(once, tmp_path / "project")
    return Project.open(tmp_path / "project")


class TestTheNightsAfter:
    """One story: a night, the erasure, a night, an export that has the person again, a night."""

    @pytest.fixture(scope="class")
    def story(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict]:
        project = supplier(tmp_path_factory.mktemp("story") / "project")
        told: dict = {"project": project}
        night(project)
        told["known before"] = left_of_them(project)
        told["accounting before"] = query(project, ACCOUNTING)
        told["facts before"] = facts(project)
        told["report"] = forget(project, [ADDRESS.upper()])
        # What checks leave behind they left in the first night.
        monkeypatch = pytest.MonkeyPatch()
        monkeypatch.setattr("expectations.gate.check", lambda *_, **__: [])
        told["lake after"] = bytes_of(project, "lake")
        told["facts after"] = facts(project)
        first = night(project)
        told["lake after a night"] = {
            name: text for name, text in bytes_of(project, "lake").items() if ".screened" not in name
        }
        told["left after"] = left_of_them(project)
        told["others after"] = OTHER.casefold() in kept(project)
        told["accounting after"] = query(project, ACCOUNTING)
        told["hashes after"] = query(project, "select email_hash from canonical.person")
        told["releases after"] = [each.run_id for each in releases(project)]
        told["first"] = first.name
        drop(project, "2026-06-29", BODY + " Svar mig nu, og helst i dag!")
        night(project)
        told["left later"] = left_of_them(project)
        told["again"] = BODY.casefold() in kept(project) or "svar mig nu" in kept(project)
        monkeypatch.undo()
        yield told

    def test_there_was_something_to_forget(self, story: dict) -> None:
        assert set(story["known before"]) == {ADDRESS, NAME, *TEXTS}

    def test_nothing_of_theirs_is_kept(self, story: dict) -> None:
        assert story["left after"] == []

    def test_what_others_wrote_stays(self, story: dict) -> None:
        assert story["others after"]

    def test_their_hash_is_published_no_more_and_older_releases_are_gone(self, story: dict) -> None:
        project = story["project"]
        hashed = keyed_hash(project_key(project), ADDRESS)
        assert (hashed,) not in story["hashes after"]
        assert story["releases after"] == [story["first"]]

    def test_the_files_keep_their_facts_columns_and_rows(self, story: dict) -> None:
        assert story["facts after"] == story["facts before"]

    def test_the_books_are_as_before_and_close(self, story: dict) -> None:
        assert story["accounting after"] == story["accounting before"]
        assert all(row[5] == sum(row[6:9]) for row in story["accounting after"])

    def test_landing_the_same_inbox_again_brings_nothing_back(self, story: dict) -> None:
        assert story["lake after a night"] == story["lake after"]

    def test_an_export_that_has_them_again_is_screened_before_it_is_cast(self, story: dict) -> None:
        assert story["left later"] == []
        assert not story["again"]
        assert "screen" in [step.name for step in read_runs(story["project"])[0].steps]

    def test_the_report_says_what_is_left_to_do(self, story: dict) -> None:
        report: Report = story["report"]
        assert report.inbox == (
            "salesforce/Contact.csv",
            "salesforce/Task.csv",
            "stripe/customers.json",
            "zendesk/users.ndjson",
        )
        text = "\n".join(lines(report, story["project"]))
        assert "Forgot 1 address" in text
        assert f"mutual-value run --project {story['project'].root}" in text
        assert ADDRESS.lower() not in text.lower()

    def test_a_night_leaves_nothing_that_others_can_read(self, story: dict) -> None:
        project = story["project"]
        open_to = [
            path
            for folder in ("lake", "releases", "runs")
            for path in [project.root / folder, *(project.root / folder).rglob("*")]
            if not path.is_symlink() and path.stat().st_mode & 0o077
        ]
        assert open_to == []


class TestTheLake:
    def test_keeps_the_domain_that_links_the_company(self, landed: Project) -> None:
        forget(landed, [ADDRESS])
        [erasure] = erasures.read(landed.decisions)
        assert (
            json.loads(cells(landed, "stripe", "customer")[0]["record"])["email"]
            == f"forgotten-{erasure.token}@nordlys.example"
        )

    def test_keeps_no_domain_of_free_mail(self, landed: Project) -> None:
        put(
            landed,
            "stripe",
            "",
            "more.json",
            json.dumps(
                {
                    "object": "list",
                    "data": [
                        {
                            "id": "cus_2",
                            "object": "customer",
                            "name": "X",
                            "email": "anna@gmail.com",
                            "created": 1735804800,
                        }
                    ],
                }
            ),
        )
        land(landed)
        forget(landed, ["anna@gmail.com"])
        [erasure] = erasures.read(landed.decisions)
        text = kept(landed)
        assert f"forgotten-{erasure.token}@forgotten.invalid" in text
        assert "gmail.com" not in text

    def test_is_the_same_bytes_after_the_second_time_as_after_the_first(self, landed: Project) -> None:
        forget(landed, [ADDRESS])
        once = bytes_of(landed, "lake", "decisions")
        report = forget(landed, [ADDRESS])
        assert bytes_of(landed, "lake", "decisions") == once
        assert report.done.lake.files == 0

    def test_is_the_same_bytes_wherever_it_is_done(self, landed: Project, tmp_path: Path) -> None:
        shutil.copytree(landed.root, tmp_path / "other", symlinks=True)
        other = Project.open(tmp_path / "other")
        forget(landed, [ADDRESS])
        forget(other, [ADDRESS])
        assert bytes_of(landed, "lake") == bytes_of(other, "lake")

    def test_keeps_files_untouched_that_hold_nothing_of_them(self, landed: Project) -> None:
        before = {path: path.stat().st_mtime_ns for path in landed.lake.rglob("*.parquet")}
        forget(landed, [ADDRESS])
        untouched = {path.parent.name for path, time in before.items() if path.stat().st_mtime_ns == time}
        assert untouched == {"account", "organization"}

    def test_keeps_the_name_in_the_record_of_somebody_else_who_is_called_so(self, landed: Project) -> None:
        (next((landed.lake / "salesforce" / "contact").glob("*"))).unlink()
        put(landed, "salesforce", "", "Contact.csv", CONTACTS + NAMESAKE)
        land(landed)
        forget(landed, [ADDRESS])
        assert [row["Name"] for row in cells(landed, "salesforce", "contact")] == ["[forgotten]", "Bo Holm", NAME]

    def test_keeps_of_their_own_record_what_models_read_alone(self, landed: Project) -> None:
        forget(landed, [ADDRESS])
        theirs, other = cells(landed, "salesforce", "contact")
        assert (theirs["Phone"], theirs["Title"], theirs["AccountId"]) == ("[forgotten]", "Chef", other["AccountId"])
        assert other["Phone"] == "+45 11 11 11 11"

    def test_loses_a_record_whole_that_could_not_be_split_and_names_them(self, landed: Project) -> None:
        assert NOTE in cells(landed, "salesforce", "task")[2]["_raw"]
        forget(landed, [ADDRESS])
        row = cells(landed, "salesforce", "task")[2]
        assert (row["_defect"], row["_raw"]) == ("too_few_cells", "[forgotten]")

    def test_is_searched_in_columns_and_files_that_no_contract_knows(self, landed: Project) -> None:
        path = next((landed.lake / "salesforce" / "task").glob("*.parquet"))
        table = pq.read_table(path)
        place = landed.lake / "intranet" / "notes" / path.name
        place.parent.mkdir(parents=True)
        pq.write_table(table, place)
        forget(landed, [ADDRESS])
        assert left_of_them(landed) == []

    def test_of_a_workbook_is_cleaned_like_any_other(self, landed: Project) -> None:
        book = openpyxl.Workbook()
        assert book.active is not None
        for row in (
            ["goal_id", "account_id", "title", "due_on", "created_on", "Noter"],
            ["G1", "001000000000001AAA", "Vækst", "2026-12-31", "2026-01-01", f"Aftalt med {NAME}, {ADDRESS}"],
        ):
            book.active.append(row)
        (landed.inbox / "goals").mkdir()
        book.save(landed.inbox / "goals" / "goals.xlsx")
        land(landed)
        before = facts(landed)
        report = forget(landed, [ADDRESS])
        [row] = cells(landed, "goals", "goal")
        assert re.fullmatch(r"Aftalt med \[forgotten\], forgotten-\w{12}@nordlys.example", row["Noter"])
        assert facts(landed) == before
        assert "goals/goals.xlsx" in report.inbox


class TestANewDrop:
    def test_with_only_their_id_loses_what_they_wrote(self, landed: Project) -> None:
        forget(landed, [ADDRESS])
        screen(landed, CONTRACTS)
        put(landed, "zendesk", "", "more.ndjson", json.dumps(ticket(103, 11, "Igen", "Kort", "Ja.")) + "\n")
        land(landed)
        done = screen(landed, CONTRACTS)
        assert (done.files, done.cells) == (1, 1)
        text = kept(landed)
        assert '"ja."' in text
        assert not {'"igen"', '"kort"', "<p>kort</p>"} & set(re.findall(r'"[^"]*"|<p>.*?</p>', text))

    @pytest.mark.parametrize("ensure_ascii", [True, False])
    def test_that_only_names_them_in_somebody_elses_text_loses_the_name(
        self, ensure_ascii: bool, landed: Project
    ) -> None:
        forget(landed, [ADDRESS])
        screen(landed, CONTRACTS)
        note = f"Tak for hjælpen.\nHilsen {NAME} og Bo Holm fra Nordlys"
        record = json.dumps(ticket(104, 12, "Tak", note, "Selv tak."), ensure_ascii=ensure_ascii)
        put(landed, "zendesk", "", "more.ndjson", record + "\n")
        land(landed)
        assert screen(landed, CONTRACTS).cells == 1
        assert left_of_them(landed) == []
        assert "hilsen [forgotten] og bo holm fra nordlys" in kept(landed)

    def test_is_not_read_while_nobody_was_forgotten(self, landed: Project) -> None:
        assert screen(landed, CONTRACTS).files == 0
        assert not (landed.root / "lake" / ".screened").exists()

    def test_is_screened_once(self, landed: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        forget(landed, [ADDRESS])
        screen(landed, CONTRACTS)
        monkeypatch.setattr("warehouse.erasing._matches", lambda *_: pytest.fail("it was screened already"))
        assert screen(landed, CONTRACTS).files == 0

    def test_is_screened_by_the_next_night_when_one_was_killed_before(self, landed: Project) -> None:
        forget(landed, [ADDRESS])
        screen(landed, CONTRACTS)
        put(landed, "zendesk", "2026-06-29", "users.ndjson", json.dumps(USERS[0]) + "\n")
        land(landed)  # and killed here
        assert left_of_them(landed) != []
        assert screen(landed, CONTRACTS).files == 1
        assert left_of_them(landed) == []

    @pytest.mark.parametrize(
        "text",
        [
            f"mail til {ADDRESS.lower()}.",
            f"<mailto:{ADDRESS}>",
            f"to={ADDRESS}",
            json.dumps({"a": f"x\n{ADDRESS}"}),
            json.dumps({"a": [ADDRESS]}),
        ],
    )
    def test_is_searched_for_the_address_however_it_is_written(self, text: str, tmp_path: Path) -> None:
        project = supplier(tmp_path / "project")
        shutil.rmtree(project.inbox)
        forget(project, [ADDRESS])
        rows = [
            ["goal_id", "account_id", "title", "due_on", "created_on", "note"],
            ["1", "A", "More", "2026-12-31", "2026-01-01", text],
        ]
        quoted = "\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
        put(project, "goals", "", "goals.csv", quoted + "\n")
        land(project)
        assert screen(project, CONTRACTS).files == 1
        assert left_of_them(project) == []

    def test_read_anew_because_its_contract_changed_is_screened_again(self, landed: Project) -> None:
        forget(landed, [ADDRESS])
        screen(landed, CONTRACTS)
        (path,) = (landed.lake / "zendesk" / "user").glob("*.parquet")
        path.unlink()
        land(landed)
        assert screen(landed, CONTRACTS).files == 1
        assert left_of_them(landed) == []


class TestAKill:
    def test_before_all_files_are_written_changes_nothing_and_the_next_command_starts_afresh(
        self, landed: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = {name: text for name, text in bytes_of(landed, "lake").items() if "raw/" in name}
        monkeypatch.setattr("warehouse.rewriting._sync_folders", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            forget(landed, [ADDRESS])
        assert (landed.root / "lake" / DRAFTS).is_dir()
        assert {name: text for name, text in bytes_of(landed, "lake").items() if "raw/" in name} == before
        monkeypatch.undo()
        monkeypatch.setenv(VARIABLE, "the key of the tests, no secret")
        forget(landed, [ADDRESS])
        assert left_of_them(landed) == []

    def test_while_files_go_to_their_places_is_gone_on_with(
        self, landed: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        moved: list[Path] = []
        replace = Path.replace

        def stop_at_the_second(path: Path, target: Path) -> Path:
            if FINISHED in str(path):
                if moved:
                    raise KeyboardInterrupt
                moved.append(path)
            return replace(path, target)

        monkeypatch.setattr(Path, "replace", stop_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            forget(landed, [ADDRESS])
        monkeypatch.setattr(Path, "replace", replace)
        finish(landed)
        assert left_of_them(landed) == []
        assert not (landed.root / "lake" / FINISHED).exists()

    def test_of_a_forget_is_made_good_by_the_next_night(self, landed: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("flows.erasing.forget_addresses", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            forget(landed, [ADDRESS])
        assert screen(landed, CONTRACTS).files == 5
        assert left_of_them(landed) == []


class TestReleases:
    def test_are_outdated_before_the_lake_forgets(self, landed: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[list[str]] = []
        monkeypatch.setattr("warehouse.erasing.outdate", lambda _: seen.append(left_of_them(landed)))
        forget(landed, [ADDRESS])
        assert len(seen) == 1
        assert seen[0] != []

    def test_stay_when_nothing_was_found(self, landed: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("warehouse.erasing.outdate", lambda _: pytest.fail("no release can hold them"))
        forget(landed, ["nobody@nowhere.example"])

    def test_stay_when_a_new_drop_has_somebody_who_was_forgotten_long_ago(
        self, landed: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        forget(landed, [ADDRESS])
        screen(landed, CONTRACTS)
        put(landed, "zendesk", "", "more.ndjson", json.dumps(USERS[0], indent=None) + " \n")
        land(landed)
        monkeypatch.setattr("warehouse.erasing.outdate", lambda _: pytest.fail("it was built without them"))
        assert screen(landed, CONTRACTS).files == 1


class TestTheRecord:
    def test_is_a_day_a_keyed_hash_and_a_token(self, landed: Project) -> None:
        forget(landed, [ADDRESS])
        text = (landed.decisions / "erasures.csv").read_text(encoding="utf-8")
        digest = keyed_hash(project_key(landed), ADDRESS)
        assert text == f"erased_on,email_hash,token\n{dt.datetime.now(dt.UTC).date()},{digest},{digest[:12]}\n"

    def test_only_grows_and_names_each_address_once(self, landed: Project) -> None:
        forget(landed, [ADDRESS])
        forget(landed, ["bo@nordlys.example", ADDRESS, "BO@nordlys.example"])
        assert len(erasures.read(landed.decisions)) == 2
        assert "bo@nordlys.example" not in kept(landed)

    def test_is_made_of_an_address_that_nobody_has_and_it_is_said_so(self, landed: Project) -> None:
        report = forget(landed, ["nobody@nowhere.example"])
        assert len(erasures.read(landed.decisions)) == 1
        assert (
            next(lines(report, landed))
            == "Nothing was found of 1 address; the erasure is recorded and holds for what is dropped later"
        )

    def test_that_somebody_changed_is_refused(self, landed: Project) -> None:
        forget(landed, [ADDRESS])
        path = landed.decisions / "erasures.csv"
        path.write_text(path.read_text() + "2026-01-01,anna@b.dk,anna\n")
        with pytest.raises(ConfigurationError, match="line 3: not as `mutual-value forget` wrote it"):
            screen(landed, CONTRACTS)

    def test_with_a_key_in_the_folder_holds_as_well(self, landed: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(VARIABLE)
        forget(landed, [ADDRESS])
        assert (landed.identity / "key").stat().st_mode & 0o777 == 0o600
        assert left_of_them(landed) == []


class TestTheRestOfTheFolder:
    def test_runs_decisions_and_links_lose_them_too(self, landed: Project) -> None:
        for path in (
            landed.runs / "1" / "checks.json",
            landed.runs / "1" / "run.log",
            landed.decisions / "waivers.csv",
            landed.identity / "links.csv",
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"a": f"{NAME} <{ADDRESS}>", "b": "else"}), encoding="utf-8")
        report = forget(landed, [ADDRESS])
        assert report.done.other_files == 4
        assert left_of_them(landed) == []
        assert (landed.identity / "links.csv").read_text().endswith('"b": "else"}')


class TestTheCommand:
    def test_forgets_several_and_prints_no_address(self, landed: Project) -> None:
        result = call("forget", "--email", ADDRESS, "--email", "bo@nordlys.example", "--project", landed.root)
        assert result.exit_code == 0
        assert "Forgot 2 addresses" in result.stdout
        assert "bo@" not in result.stdout

    @pytest.mark.parametrize("email", ["anna", "a@b@c.dk", "a b@c.dk", "@c.dk", "a@", "a@localhost", ""])
    def test_refuses_what_is_no_address(self, email: str, landed: Project) -> None:
        result = call("forget", "--email", email, "--project", landed.root)
        assert result.exit_code == 2
        assert "is no e-mail address" in result.stderr
        assert not (landed.decisions / "erasures.csv").exists()

    def test_waits_for_no_other_run(self, landed: Project) -> None:
        with hold(landed.root, "20260630T020000Z-0001", "2026-06-30T02:00:00"):
            assert call("forget", "--email", ADDRESS, "--project", landed.root).exit_code == 3
            with pytest.raises(LockHeld):
                forget(landed, [ADDRESS])
        assert not (landed.decisions / "erasures.csv").exists()


def test_the_inbox_is_searched_in_every_encoding_and_in_archives_and_is_not_changed(tmp_path: Path) -> None:
    for name, encoding in (("utf8", "utf-8"), ("cp1252", "cp1252"), ("utf16", "utf-16")):
        (tmp_path / f"{name}.csv").write_bytes(f"a,{ADDRESS}\n".encode(encoding))
    (tmp_path / "escaped.json").write_text(json.dumps({"a": ADDRESS}))
    (tmp_path / "other.csv").write_text("a,bo@nordlys.example\n")
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / "utf8.csv", "utf8.csv")
    (tmp_path / "broken.zip").write_bytes((tmp_path / "all.zip").read_bytes()[:-20])
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()}
    assert list(holding(tmp_path, [ADDRESS.lower()])) == [
        "all.zip",
        "cp1252.csv",
        "escaped.json",
        "utf16.csv",
        "utf8.csv",
    ]
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()} == before


def test_a_lake_that_is_a_link_to_another_disk_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("expectations.gate.check", lambda *_, **__: [])
    project = supplier(tmp_path / "project")
    (tmp_path / "encrypted" / "lake").mkdir(parents=True)
    (project.root / "lake").symlink_to(tmp_path / "encrypted" / "lake")
    night(project)
    assert (tmp_path / "encrypted" / "lake" / "raw" / "zendesk" / "user").is_dir()
    assert (project.root / "lake").is_symlink()
    assert call("check", "--project", project.root).exit_code == 0
    forget(project, [ADDRESS])
    assert left_of_them(project) == []
    moved = tmp_path / "moved"
    shutil.move(project.root, moved)
    assert current_run_id(Project.open(moved)) is not None


def test_nothing_is_found_in_a_project_without_a_lake(tmp_path: Path) -> None:
    make_project(tmp_path)
    report = forget(Project.open(tmp_path), [ADDRESS])
    assert report.done.lake.files == 0
    assert [path.name for path in (tmp_path / "decisions").iterdir()] == ["erasures.csv"]
