"""`mutual-value check`: what a night would make of the inbox, over the lake that is there, and nothing is touched."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from flows.inspection import Inspection, inspect, lines
from warehouse.contracts import SHIPPED, load_contracts
from warehouse.landing import land
from warehouse.project import Project, Settings

EXAMPLES = Path(__file__).parents[2] / "examples" / "exports"


@pytest.fixture
def here(tmp_path: Path) -> Project:
    return Project(tmp_path, Settings())


def drop(here: Project, name: str, *text: str) -> None:
    path = here.inbox / "goals" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(text) + "\n", encoding="utf-8")


def look(here: Project) -> tuple[Inspection, list[str]]:
    found = inspect(here)
    return found, list(lines(found))


GOOD = "goal_id,account_id,title,due_on,created_on,target,status,owner_side"


def test_a_good_file_is_green_and_leaves_no_trace(here: Project) -> None:
    whole = (
        "goal_id,account_id,title,owner_side,supplier_owner,customer_owner,beneficiary,metric_name,baseline,target,actual,"
        "attainment,weight,start_on,due_on,ended_on,confirmed_on,reviewed_on,status,created_on,updated_at"
    )
    drop(here, "a.csv", whole, "1,A,More,joint,,,joint,,,5,,,,,2026-12-31,,,,active,2026-01-01,")
    found, told = look(here)
    assert found.is_green
    assert told == ["goals/a.csv: goal, 1 rows (1 loaded), landed", "1 landed: all green"]
    assert sorted(path.name for path in here.root.iterdir()) == ["inbox"]


def test_drift_against_an_earlier_drop_is_told(here: Project) -> None:
    drop(here, "2026-05-31/a.csv", GOOD, "1,A,More,2026-12-31,2026-01-01,5,active,joint")
    rows = [f"{number},A,More,2026-12-31,2026-01-01,five,active" for number in range(4)]
    drop(here, "2026-06-30/a.csv", GOOD.removesuffix(",owner_side"), *rows)
    found, told = look(here)
    assert not found.is_green
    assert told[-3:-1] == [
        "Changed since earlier drops:",
        "  goals/goal: no longer there: goal.owner_side; of another kind: goal.target",
    ]
    assert "  quarantine: goal.target not_a_number: 4 (rows 1, 2, 3, 4)" in told


def test_of_a_rule_that_is_often_broken_the_first_rows_are_named(here: Project) -> None:
    drop(here, "a.csv", GOOD, *(f"{n},A,More,31/12/2026,2026-01-01,5,active,joint" for n in range(9)))
    assert "  quarantine: goal.due_on unparseable_date: 9 (rows 1, 2, 3, 4, 5, ...)" in look(here)[1]


def test_a_full_drop_that_is_cut_short_is_told(tmp_path: Path) -> None:
    here = Project(tmp_path, Settings.model_validate({"systems": {"goals": {"scope": "full"}}}))
    rows = [f"{number},A,More,2026-12-31,2026-01-01,5,active,joint" for number in range(10)]
    drop(here, "2026-05-31/a.csv", GOOD, *rows)
    drop(here, "2026-06-30/a.csv", GOOD, *rows[:5])
    told = look(here)[1]
    assert "it holds 5 records and the full drop before 10, fewer than limits.full_drop_share (0.8)" in told[-2]


def test_a_file_without_a_required_column_is_told_and_the_others_are_read(here: Project) -> None:
    drop(here, "a.csv", "goal_id,account_id,title,due_on", "1,A,More,2026-12-31")
    drop(here, "b.csv", GOOD, "2,A,More,2026-12-31,2026-01-01,5,active,joint")
    found, told = look(here)
    assert dict(found.statuses) == {"landed": 1, "unreadable": 1}
    assert told[0] == "goals/a.csv: goal, 1 rows, unreadable"


def test_the_lake_that_is_there_is_looked_at_and_not_touched(here: Project) -> None:
    drop(here, "2026-05-31/a.csv", GOOD, "1,A,More,2026-12-31,2026-01-01,5,active,joint")
    land(here, load_contracts([SHIPPED]), "goals", dt.datetime(2026, 6, 1))
    (here.inbox / "goals" / "2026-05-31" / "a.csv").unlink()
    drop(here, "2026-06-30/a.csv", GOOD.removesuffix(",owner_side"), "1,A,More,2026-12-31,2026-01-01,5,active")
    before = {path: path.stat().st_mtime_ns for path in here.lake.rglob("*") if path.is_file()}
    told = look(here)[1]
    assert "  goals/goal: no longer there: goal.owner_side" in told
    assert {path: path.stat().st_mtime_ns for path in here.lake.rglob("*") if path.is_file()} == before


def test_what_the_configuration_lacks_is_told_of_all_systems_beside_their_files(tmp_path: Path) -> None:
    here = Project(tmp_path, Settings())
    for system in ("jira", "salesforce"):
        (here.inbox / system).mkdir(parents=True)
    samples = EXAMPLES / "inbox"
    for name, source in (("jira", "Jira da.csv"), ("salesforce", "report1782805260001.csv")):
        path = here.inbox / name / "a.csv"
        path.write_bytes((samples / name / source).read_bytes())
    found = inspect(here)
    assert [file.report.status for file in found.files] == ["landed", "landed"]
    assert not found.is_green
    jira, salesforce = (line for line in found.problem.splitlines() if line.startswith("contract"))
    assert jira.startswith("contract jira: ") and "times without a zone" in jira
    assert salesforce.startswith("contract salesforce: ") and "as its user's locale has it" in salesforce
    assert '[systems.salesforce]\nlocale = "da"' in found.problem


def test_one_sample_of_each_system_is_all_green(tmp_path: Path) -> None:
    (tmp_path / "inbox").symlink_to(EXAMPLES / "inbox")
    found = inspect(Project(tmp_path, Project.open(EXAMPLES).settings))
    assert found.is_green, list(lines(found))[-30:]
    assert len({file.report.system for file in found.files}) == 20
