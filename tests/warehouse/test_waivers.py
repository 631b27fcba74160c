"""What a person decided to live with in quarantine."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tests.lake import contract, project, staged, write_csv
from warehouse.errors import ConfigurationError
from warehouse.waivers import COLUMNS, Waiver, read

HEADER = ",".join(COLUMNS)
TICKET = {
    "ticket": {
        "columns": {
            "source_id": {"from": "id"},
            "reopens": {"from": "again", "type": "integer"},
            "effort_min": {"from": "minutes", "type": "number"},
        }
    }
}


def write(folder: Path, *lines: str) -> Path:
    path = folder / "decisions" / "waivers.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return path.parent


def test_a_folder_without_decisions_waives_nothing(tmp_path: Path) -> None:
    assert read(tmp_path) == []


def test_a_decision_says_what_it_is_about_when_and_why(tmp_path: Path) -> None:
    folder = write(tmp_path, "2026-06-30,desk,records,ticket.reopens,not_a_number,,the tool writes words there")
    assert read(folder) == [
        Waiver(
            dt.date(2026, 6, 30), "desk", "records", "ticket.reopens", "not_a_number", "", "the tool writes words there"
        )
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("2026-06-30,desk,,,not_a_number,,", "line 2: reason is empty"),
        (",desk,,,not_a_number,,why", "line 2: decided_on is empty"),
        ("30-06-2026,desk,,,not_a_number,,why", "line 2: decided_on is no day"),
        ("2026-06-30,,,,not_a_number,,why", "line 2: system is empty"),
    ],
)
def test_a_decision_that_lacks_something_is_refused_with_its_line(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        read(write(tmp_path, line))


def test_a_file_with_other_columns_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "waivers.csv").write_text("system,rule\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=f"needs the columns {HEADER}"):
        read(folder)


WAIVED = [
    # The decision -> the status of (reopens, effort_min) in records, and of reopens in the other system.
    ("2026-06-30,desk,,,not_a_number,,why", ("waived", "waived", "open")),
    ("2026-06-30,desk,records,ticket.reopens,not_a_number,,why", ("waived", "open", "open")),
    ("2026-06-30,desk,other,,not_a_number,,why", ("open", "open", "open")),
    ("2026-06-30,desk,,,unparseable_date,,why", ("open", "open", "open")),
    ("2026-06-30,crm,,,not_a_number,,why", ("open", "open", "waived")),
]  # fmt: skip


@pytest.mark.parametrize(("line", "statuses"), WAIVED)
def test_only_what_the_decision_names_is_waived_and_stays_out(
    tmp_path: Path, line: str, statuses: tuple[str, str, str]
) -> None:
    here = project(tmp_path)
    write(tmp_path, line)
    for system in ("desk", "crm"):
        write_csv(here, system, "records", ["id", "again", "minutes"], [["1", "twice", "ten"]])
    connection = staged(here, contract("desk", TICKET), contract("crm", TICKET))
    found = {
        (system, column): status
        for system, column, status in connection.execute(
            "select system, column_name, status from audit.quarantine"
        ).fetchall()
    }
    places = [("desk", "ticket.reopens"), ("desk", "ticket.effort_min"), ("crm", "ticket.reopens")]
    assert tuple(found[place] for place in places) == statuses
    assert connection.execute("select distinct reopens from staged.ticket").fetchall() == [(None,)]
