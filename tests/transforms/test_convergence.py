"""Whatever the order in which drops come, and whatever volatile columns do, the tables are the same."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse import build, landing
from warehouse.contracts import SHIPPED, load_contracts
from warehouse.engine import Engine
from warehouse.project import Project, Settings

CONTRACTS = load_contracts([SHIPPED])
SETTINGS = Settings.model_validate(
    {
        "timezone": "Europe/Copenhagen",
        "currency": "DKK",
        "systems": {
            "salesforce": {"currency": "DKK", "scope": "full"},
            "jira": {"timezone": "Europe/Copenhagen"},
            "dynamics365": {"timezone": "Europe/Copenhagen", "locale": "da"},
            "hubspot": {"timezone": "Europe/Copenhagen", "currency": "DKK"},
        },
    }
)
ACCOUNT = '"Id","IsDeleted","Name","ParentId","Website","Industry","SystemModstamp","CreatedDate"'
Drop = tuple[str, str]


def account(number: int, name: str, changed: str) -> str:
    return (
        f'"0015i00000Accou{number:02d}AAA","0","{name}","","firm{number}.example","Energy","{changed} 08:00:00",'
        '"2025-01-01 08:00:00"'
    )


def ticket(number: int, changed: str, status: str, comments: Sequence[int] = ()) -> str:
    record = {
        "id": number, "created_at": "2026-01-10T10:00:00Z", "updated_at": f"{changed}T10:00:00Z", "status": status,
        "organization_id": 77, "subject": "Kan ikke logge ind", "type": "incident",
        "comments": [
            {"id": 100 * number + each, "author_id": 5, "public": True, "created_at": "2026-01-11T10:00:00Z"}
            for each in comments
        ],
    }  # fmt: skip
    return json.dumps({"ticket": record})


def invoice(number: int, lines: Sequence[int], status: str = "open") -> dict[str, Any]:
    return {
        "object": "invoice", "id": f"in_{number}", "customer": "cus_1", "created": 1769900400, "status": status,
        "collection_method": "send_invoice", "currency": "dkk", "total": 1000, "total_excluding_tax": 800, "tax": 200,
        "lines": {"data": [
            {"id": f"il_{number}_{each}", "amount": 100, "currency": "dkk", "type": "subscription",
             "period": {"start": 1769900400, "end": 1772319600}}
            for each in lines
        ]},
    }  # fmt: skip


CUSTOMER = json.dumps({"object": "customer", "id": "cus_1", "name": "Firm", "email": "x@firm1.example", "created": 1})
ORGANISATION = json.dumps({"organization": {"id": 77, "name": "Firm 1", "domain_names": ["firm1.example"],
                                            "created_at": "2025-01-01T00:00:00Z"}})  # fmt: skip
NAMES = [account(number, f"Firm {number}", "2026-01-01") for number in range(10)]
RENAMED = account(3, "Firma 3", "2026-03-01")
# Two months in which things change: accounts are renamed and vanish, a file comes again, invoices lose a line, tickets
# are answered. Of some drops the source has no clock; then the day of the folder decides.
DROPS: Sequence[Drop] = (
    ("salesforce/2026-01-31/Account.csv", "\n".join([ACCOUNT, *NAMES])),
    ("salesforce/2026-02-28/Account.csv", "\n".join([ACCOUNT, *NAMES[1:]])),
    ("salesforce/2026-03-31/Account.csv", "\n".join([ACCOUNT, *NAMES])),
    ("salesforce/2026-04-30/Account.csv", "\n".join([ACCOUNT, *NAMES[:3], RENAMED, *NAMES[4:9]])),
    ("zendesk/2026-01-31/export.ndjson", "\n".join([ORGANISATION, ticket(1, "2026-01-12", "open", (1, 2))])),
    ("zendesk/2026-02-28/export.ndjson", "\n".join([ticket(1, "2026-02-12", "solved", (1, 2, 3)), ticket(2, "2026-02-20", "open")])),
    ("zendesk/2026-03-31/export.ndjson", "\n".join([ORGANISATION, ticket(2, "2026-03-01", "deleted"), ticket(1, "2026-02-12", "solved", (1, 2, 3))])),
    ("stripe/2026-02-28/invoices.json", json.dumps([invoice(1, (1, 2, 3)), invoice(2, (1,))])),
    ("stripe/2026-03-31/invoices.json", json.dumps([invoice(1, (1, 2), "paid")])),
    ("stripe/2026-01-31/customers.ndjson", CUSTOMER),
)  # fmt: skip


@contextmanager
def built(runs: Sequence[Sequence[Drop]]) -> Iterator[Engine]:
    """The canonical tables after some landings; each adds its drops to the inbox and lands what is there."""
    root = Path(tempfile.mkdtemp())
    project = Project(root, SETTINGS)
    try:
        for number, drops in enumerate(runs):
            for name, text in drops:
                path = project.inbox / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text + "\n", encoding="utf-8")
            for system in landing.systems(project):
                reports = landing.land(project, CONTRACTS, system, dt.datetime(2026, 5, 1) + dt.timedelta(days=number))
                assert {report.status for report in reports} <= {"landed", "already_landed"}, reports
        engine = build.start(root / "build", project, CONTRACTS, dt.date(2026, 6, 30))
        build.stage(engine, project, CONTRACTS, [], dt.date(2026, 6, 30))
        build.layer(engine, "canonical")
        yield engine
        engine.close()
    finally:
        shutil.rmtree(root)


def tables(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    names = engine.execute(
        "select table_name from information_schema.tables where table_schema = 'canonical' order by table_name"
    ).fetchall()
    return {name: engine.execute(f"select * from canonical.{name} order by all").fetchall() for (name,) in names}


def expected() -> dict[str, list[tuple[Any, ...]]]:
    with built([DROPS]) as engine:
        return tables(engine)


EXPECTED = expected()


def test_the_newest_of_everything_is_what_is_left() -> None:
    found = {row[0]: row[1] for row in EXPECTED["account"]}
    assert len(found) == 9
    assert found["salesforce:0015i00000Accou03AAA"] == "Firma 3"
    assert "salesforce:0015i00000Accou09AAA" not in found
    assert [row[0] for row in EXPECTED["ticket"]] == ["zendesk:1"]
    assert len(EXPECTED["ticket_comment"]) == 3
    assert [row[0] for row in EXPECTED["invoice_line"]] == ["stripe:il_1_1", "stripe:il_1_2", "stripe:il_2_1"]


@settings(max_examples=12)
@given(st.randoms(use_true_random=False), st.integers(1, len(DROPS)))
def test_any_order_and_grouping_of_drops_gives_the_same_tables(random: Random, landings: int) -> None:
    shuffled = list(DROPS)
    random.shuffle(shuffled)
    groups = [shuffled[number::landings] for number in range(landings)]
    with built(groups) as engine:
        assert tables(engine) == EXPECTED


JIRA = (
    "Issue key,Issue id,Summary,Issue Type,Status,Created,Updated,Custom field (Rank),Custom field (Approvals){more}\n"
    "A-1,1,Export fejler,Bug,Open,22/Sep/25 9:26 AM,22/Sep/25 9:26 AM,{rank},com.atlassian.ApprovalsCFValue@{cell}{cells}"
)
DYNAMICS = (
    "(Do Not Modify) Account,(Do Not Modify) Row Checksum,(Do Not Modify) Modified On,Account Name,Main Phone\n"
    "5f0c1a10-7b21-ef11-840a-6045bd9e0101,{checksum},01-03-2026 08:00,Alfa,1"
)
HUBSPOT = (
    "Record ID,Company name,Company Domain Name,Create Date,Last Viewed\n1,Alfa,alfa.example,2026-01-01 09:30,{viewed}"
)


def volatile(**texts: str) -> list[Drop]:
    jira = JIRA.format(rank=texts["rank"], cell=texts["cell"], more=texts["more"], cells=texts["cells"])
    return [
        (f"jira/{texts['name']}.csv", jira),
        (f"dynamics365/{texts['name']}.csv", DYNAMICS.format(checksum=texts["rank"])),
        (f"hubspot/{texts['name']}.csv", HUBSPOT.format(viewed=texts["viewed"])),
    ]


def test_columns_that_change_at_every_export_change_nothing() -> None:
    first = volatile(name="a", rank="0|i001", cell="170e16ef", viewed="2026-03-01 10:00", more="", cells="")
    again = volatile(name="b", rank="0|i0zz", cell="5ca1ab1e", viewed="2026-04-01 11:00", more=",Watchers", cells=",x")
    with built([first]) as once, built([first, again]) as twice:
        assert tables(once)["ticket"]
        assert tables(once)["account"]
        assert tables(twice) == tables(once)
