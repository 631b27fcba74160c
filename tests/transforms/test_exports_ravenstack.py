"""The worked example of a system that no shipped contract knows, on its real files."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from tests.transforms.exports import Drop, quarantine, records
from warehouse.project import Project

EXAMPLE = Path(__file__).parents[2] / "examples" / "ravenstack"


@pytest.fixture
def drop(tmp_path: Path, real_files: Path) -> Drop:
    shutil.copytree(real_files / "ravenstack", tmp_path / "inbox" / "ravenstack")
    shutil.copytree(EXAMPLE / "exports", tmp_path / "exports")
    shutil.copy(EXAMPLE / "mutual-value.toml", tmp_path)
    drop = Drop(tmp_path)
    drop.project = Project.open(tmp_path)
    return drop


def test_every_record_is_loaded(drop: Drop) -> None:
    connection = drop.stage()
    counts = connection.execute(
        "select entity, rows_in, rows_loaded, rows_quarantined, rows_ignored from audit.file order by entity"
    ).fetchall()
    assert counts == [
        ("accounts", 500, 500, 0, 0),
        ("churn_events", 600, 600, 0, 0),
        ("feature_usage", 25000, 25000, 0, 0),
        ("subscriptions", 5000, 5000, 0, 0),
        ("support_tickets", 2000, 2000, 0, 0),
    ]
    assert quarantine(connection) == []
    # 21 usage ids stand for two different rows each; the contract's key tells them apart, so that both stay.
    assert connection.execute(
        "select count(distinct source_id), count(distinct split_part(source_id, ':', 1)) from staged.usage"
    ).fetchall() == [(25000, 24979)]
    assert drop.reports, "the files were landed by their content"
    assert {report.status for report in drop.reports} == {"landed"}


def test_a_ticket_is_what_its_line_says(drop: Drop) -> None:
    """`T-d5e12f,A-0f3e88,17-10-2024,17-10-2024 19:00,19,urgent,93,4,FALSE`"""
    columns = (
        "source_id, source_account_id, created_at, solved_at, full_resolution_min, priority, first_response_min, csat, "
        "csat_state, status"
    )
    assert ("T-d5e12f", "A-0f3e88", dt.datetime(2024, 10, 17), dt.datetime(2024, 10, 17, 19), 1140.0, "urgent", 93.0, 0.75,
            "rated", "closed") in records(drop.stage(), "ticket", columns)  # fmt: skip


def test_amounts_have_the_currency_that_the_project_says(drop: Drop) -> None:
    currencies = (
        drop.stage().execute("select distinct currency, interval from staged.subscription order by all").fetchall()
    )
    assert currencies == [("USD", "month"), ("USD", "year")]
