"""Files that nobody here wrote, through landing and casting with the shipped contracts: no row is lost.

They lie beside the checkout (../shared/data) and are skipped where they do not.
"""

from __future__ import annotations

import csv
import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from warehouse import landing
from warehouse.casting import stage
from warehouse.contracts import SHIPPED, SystemContract, load_contracts
from warehouse.landing import LandedFile
from warehouse.project import Project, Settings

EXAMPLES = Path(__file__).parents[2] / "examples"
ZONE = "Europe/Copenhagen"
SYSTEMS = ("hubspot", "jira", "salesforce", "stripe", "xero", "zendesk", "ravenstack", "receivables")


@pytest.fixture(scope="module")
def contracts() -> dict[str, SystemContract]:
    return load_contracts([SHIPPED, *(EXAMPLES / name / "exports" for name in ("ravenstack", "accounts_receivable"))])


@pytest.fixture(scope="module")
def everything(
    real_files: Path, tmp_path_factory: pytest.TempPathFactory, contracts: dict[str, SystemContract]
) -> Iterator[tuple[Project, list[LandedFile], duckdb.DuckDBPyConnection]]:
    """All real files in the inbox folders of their systems, landed and cast."""
    root = tmp_path_factory.mktemp("real")
    folders = {"jira": real_files / "jira", "ravenstack": real_files / "ravenstack"}
    folders["receivables"] = real_files / "accounts_receivable"
    for seeds in (real_files / "fivetran_seeds").iterdir():
        shutil.copytree(seeds, root / "inbox" / seeds.name / "seeds")
    for system, folder in folders.items():
        shutil.copytree(folder, root / "inbox" / system / "real")
    project = Project(
        root, Settings.model_validate({"systems": {key: {"timezone": ZONE, "currency": "USD"} for key in SYSTEMS}})
    )
    reports = [
        report
        for system in landing.systems(project)
        for report in landing.land(project, contracts, system, dt.datetime(2026, 6, 30, 2))
    ]
    connection = duckdb.connect(config={"threads": 2, "preserve_insertion_order": "false"})
    connection.execute("attach ':memory:' as staged")
    stage(connection, project, contracts, reports)
    yield project, reports, connection
    connection.close()


Everything = tuple[Project, list[LandedFile], duckdb.DuckDBPyConnection]


def test_every_row_of_every_file_is_counted_where_it_went(everything: Everything) -> None:
    project, reports, connection = everything
    assert len(reports) > 150
    for report in reports:
        with (project.inbox / report.system / report.name).open(encoding="utf-8-sig", newline="") as file:
            rows = max(sum(1 for row in csv.reader(file) if row) - 1, 0)
        assert report.rows_in == rows, report
        assert report.status in ("landed", "already_landed", "empty", "unrecognised"), report
    identity = "rows_in = rows_loaded + rows_quarantined + rows_ignored"
    assert connection.execute(f"select name from audit.file where not ({identity})").fetchall() == []


def test_the_files_that_the_measures_need_are_recognised(everything: Everything) -> None:
    _, reports, _ = everything
    known = {f"{report.system}/{Path(report.name).stem}" for report in reports if report.status != "unrecognised"}
    assert known >= {
        "jira/planeso_jira_cloud", "receivables/accounts_receivable",
        "salesforce/sf_account_data", "salesforce/sf_opportunity_data", "salesforce/sf_task_data", "salesforce/sf_event_data",
        "hubspot/company_data", "hubspot/deal_data", "hubspot/engagement_meeting_data",
        "zendesk/ticket_data", "zendesk/organization_data", "zendesk/user_data", "zendesk/ticket_comment_data",
        "stripe/invoice_data", "stripe/invoice_line_item_data", "stripe/subscription_data",
        "xero/xero_invoice_data", "xero/xero_invoice_line_item_data",
    }  # fmt: skip


def test_the_genuine_jira_export_keeps_all_its_comments(everything: Everything, real_files: Path) -> None:
    _, _, connection = everything
    with (real_files / "jira" / "planeso_jira_cloud.csv").open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    places = [place for place, name in enumerate(header) if name == "Comment"]
    key = header.index("Issue key")
    written = sorted((row[key], row[place].split(";", 2)[2].strip()) for row in rows for place in places if row[place])
    assert len(written) == 17
    found = connection.execute(
        "select count(*), count(distinct comment.source_id) from staged.ticket_comment as comment "
        "join audit.file as file using (sha256, member) where file.name like '%planeso%'"
    ).fetchall()
    assert found == [(17, 17)]


def test_days_late_are_those_in_the_receivables_file(everything: Everything, real_files: Path) -> None:
    _, _, connection = everything
    with (real_files / "accounts_receivable" / "accounts_receivable.csv").open(
        encoding="utf-8-sig", newline=""
    ) as file:
        said = {row["invoiceNumber"]: int(row["DaysLate"]) for row in csv.DictReader(file)}
    found = connection.execute(
        "select source_id, greatest(paid_on - due_on, 0) from staged.invoice where source_system = 'receivables'"
    ).fetchall()
    assert len(found) == len(said) == 2466
    assert dict(found) == said
