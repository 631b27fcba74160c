"""Jira's CSV on a genuine file, and what makes a comment the same comment in two exports."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from tests.transforms.exports import Drop, quarantine, records

SYSTEMS = {"jira": {"timezone": "Europe/Copenhagen"}, "zendesk": {"timezone": "Europe/Copenhagen"}}
# What a connector names a table after, and the rows of the real files.
CONNECTOR_TABLES = [
    ("jira", "issue.csv", "issue_table", 4),
    ("jira", "comment_redshift.csv", "comment_table", 5),
    ("jira", "user.csv", "user_table", 3),
    ("zendesk", "organization_data.csv", "organization_table", 10),
    ("zendesk", "user_data.csv", "user_table", 10),
    ("zendesk", "ticket_data.csv", "ticket_table", 10),
    ("zendesk", "ticket_comment_data.csv", "comment_table", 20),
]


def put(drop: Drop, system: str, path: Path) -> None:
    folder = drop.project.inbox / system
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, folder)


def test_a_real_export_loses_no_issue_and_no_comment(tmp_path: Path, real_files: Path) -> None:
    path = real_files / "jira" / "planeso_jira_cloud.csv"
    with path.open(encoding="utf-8", newline="") as file:
        headers, *rows = csv.reader(file)
    of_issue = headers.index("Issue id")
    comments = sorted(
        (row[of_issue], *row[place].split(";")[1:2])
        for row in rows
        for place, header in enumerate(headers)
        if header == "Comment" and row[place]
    )
    drop = Drop(tmp_path, systems=SYSTEMS)
    put(drop, "jira", path)
    connection = drop.stage()
    counts = connection.execute("select entity, rows_in, rows_loaded, rows_quarantined, rows_ignored from audit.file")
    assert counts.fetchall() == [("issue", 22, 22, 0, 0)]
    assert quarantine(connection) == []
    assert [key for (key,) in records(connection, "ticket", "source_id")] == sorted(row[of_issue] for row in rows)
    found = records(connection, "ticket_comment", "ticket_source_id, author_source_id, source_id, created_at")
    assert len(comments) == 17
    assert sorted(row[:2] for row in found) == comments
    assert len({row[2] for row in found}) == 17
    assert all(row[3] for row in found)


def test_a_comment_keeps_its_key_whoever_exports_it(tmp_path: Path) -> None:
    """An English and a Danish export of one issue; its first comment was deleted in between, so places moved."""
    drop = Drop(tmp_path, systems=SYSTEMS)
    drop.csv(
        "jira", "en.csv", "Issue key,Issue id,Status,Created,Updated,Comment,Comment",
        "A-1,1,Open,03/Oct/25 1:05 PM,05/Oct/25 1:05 PM,04/Oct/25 8:00 AM;u1;Slettes,05/Oct/25 1:05 PM;u1;Ja; nej",
    )  # fmt: skip
    drop.csv(
        "jira", "da.csv", "Sagsnøgle,Sags-id,Status,Oprettet,Opdateret,Kommentar",
        "A-1,1,Åben,03/okt/25 13:05,06/okt/25 09:00,05/okt/25 13:05;u1;Ja; nej",
    )  # fmt: skip
    connection = drop.stage()
    assert len(set(records(connection, "ticket", "created_at, status"))) == 1
    # The newer version of the issue has one comment, and it is the older one's second.
    assert records(connection, "ticket_comment", "ticket_source_id, comment_no, author_source_id") == [("1", 1, "u1")]
    again = Drop(tmp_path / "before", systems=SYSTEMS)
    shutil.copytree(drop.project.inbox, again.project.inbox)
    (again.project.inbox / "jira" / "da.csv").unlink()
    before = records(again.stage(), "ticket_comment", "comment_no, source_id")
    assert records(connection, "ticket_comment", "2, source_id")[0] in before


@pytest.mark.parametrize(("system", "name", "entity", "rows"), CONNECTOR_TABLES)
def test_a_connectors_table_is_known_by_its_columns(
    tmp_path: Path, real_files: Path, system: str, name: str, entity: str, rows: int
) -> None:
    drop = Drop(tmp_path, systems=SYSTEMS)
    put(drop, system, real_files / "fivetran_seeds" / system / name)
    connection = drop.stage()
    counts = connection.execute("select entity, rows_in, rows_loaded, rows_quarantined, rows_ignored from audit.file")
    assert counts.fetchall() == [(entity, rows, rows, 0, 0)]
    assert quarantine(connection) == []
