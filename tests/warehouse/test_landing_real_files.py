"""Landing of files that others made; skipped where they are not beside the checkout."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import yaml

from tests.warehouse.inboxes import Inbox
from warehouse.contracts import SystemContract


def contract(headers: dict[str, list[str]]) -> SystemContract:
    """A contract whose entities are known by these headers; the first is the key."""
    entities = {
        name: {"recognise": {"headers": found}, "tables": {"ticket": {"columns": {"source_id": {"from": found[0]}}}}}
        for name, found in headers.items()
    }
    text = yaml.safe_dump({"system": "desk", "title": "Desk", "kind": "other", "entities": entities})
    return SystemContract.model_validate(yaml.safe_load(text))


def test_every_comment_and_watcher_of_a_jira_export_survives_the_repeated_headers(
    real_files: Path, tmp_path: Path
) -> None:
    source = real_files / "jira" / "planeso_jira_cloud.csv"
    inbox = Inbox(tmp_path)
    inbox.contracts = {"desk": contract({"issues": ["Issue key"]})}
    inbox.drop("jira.csv", source.read_bytes())
    landed = inbox.land_one()
    with source.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = list(csv.reader(file))
    assert (landed.rows_in, landed.message) == (len(rows), "")
    for name in ("Comment", "Watchers"):
        places = [place for place, found in enumerate(header) if found == name]
        cells = inbox.table()[name].to_pylist()
        assert len(places) > 1
        assert [json.loads(cell) if cell else [] for cell in cells] == [
            [row[place] for place in places if row[place]] for row in rows
        ]


def test_every_row_of_every_ravenstack_file_lands(real_files: Path, tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    sources = sorted((real_files / "ravenstack").glob("*.csv"))
    counts = {}
    for source in sources:
        with source.open(encoding="utf-8-sig", newline="") as file:
            counts[source.name] = sum(1 for row in csv.reader(file) if row) - 1
        inbox.drop(source.name, source.read_bytes())
    headers = {
        "accounts": ["account_id", "account_name"],
        "subscriptions": ["subscription_id", "account_id"],
        "usage": ["usage_id", "subscription_id"],
        "tickets": ["ticket_id", "account_id"],
        "churn": ["churn_event_id", "account_id"],
    }
    inbox.contracts = {"desk": contract(headers)}
    landed = inbox.land()
    assert {file.name: file.rows_in for file in landed} == counts
    assert {file.entity for file in landed} == set(headers)
    assert all((file.status, file.message) == ("landed", "") for file in landed)
    assert sum(pq.read_metadata(path).num_rows for path in inbox.lake_paths()) == sum(counts.values())


def test_the_connectors_tables_land_with_every_row(real_files: Path, tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    inbox.contracts = {"desk": contract({"rows": ["_fivetran_synced"]})}
    for source in sorted((real_files / "fivetran_seeds").glob("*/*.csv")):
        inbox.drop(f"{source.parent.name}/{source.name}", source.read_bytes())
    for file in inbox.land():
        with (inbox.folder / file.name).open(encoding="utf-8-sig", newline="") as content:
            rows = sum(1 for row in csv.reader(content) if row) - 1
        assert file.status in ("landed", "already_landed", "empty", "unrecognised"), file
        assert file.rows_in in (None, rows), file
        assert "quarantine" not in file.message, file
