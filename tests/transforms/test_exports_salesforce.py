"""Salesforce's Data Export and Data Loader files, as they come."""

from __future__ import annotations

import datetime as dt
import hashlib
from decimal import Decimal
from pathlib import Path

from tests.transforms.exports import Drop, quarantine, records
from warehouse.contracts import SHIPPED, load_contracts

ACCOUNT = {
    "Id": "0015i00000MLQoqAAH",
    "IsDeleted": "0",
    "Name": "Nordlys Logistik A/S",
    "ParentId": "",
    "Type": "Customer - Direct",
    "Industry": "Transport",
    "BillingCountry": "Denmark",
    "NumberOfEmployees": "140",
    "OwnerId": "0055i000000AAAAAA1",
    "Website": "https://www.nordlys.example",
    "CreatedDate": "2019-03-01 08:15:00",
    "SystemModstamp": "2026-05-31 23:30:00",
    "CVR__c": "12345678",
    "Segment__c": "Medium",
    "SLA_Tier__c": "Gold",
    "Customer_Since__c": "2019-04-01",
}
HISTORY = {"IsDeleted": "0", "CreatedDate": "2026-03-01 08:00:00", "SystemModstamp": "2026-03-02 08:00:00"}
MARCH = dt.datetime(2026, 3, 1, 8)


def test_an_account_of_a_data_export_is_read(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    drop.quoted_csv("salesforce", "Account.csv", [ACCOUNT, {**ACCOUNT, "Id": "001i000000JEw0YAAT", "IsDeleted": "1"}])
    connection = drop.stage()
    of_first, of_second = records(
        connection,
        "account",
        "source_id, name, parent_source_id, lifecycle, industry, country, employees, vat, segment, sla_tier, customer_since, "
        "created_at, source_updated_at, is_deleted, owner_source_id, website",
    )
    assert of_first == (
        "0015i00000MLQoqAAH", "Nordlys Logistik A/S", None, "customer", "Transport", "Denmark", 140, "12345678", "Medium",
        "Gold", dt.date(2019, 4, 1), dt.datetime(2019, 3, 1, 8, 15), dt.datetime(2026, 5, 31, 23, 30), False,
        "0055i000000AAAAAA1", "https://www.nordlys.example",
    )  # fmt: skip
    assert of_second[13] is True
    assert quarantine(connection) == []


def test_data_loader_writes_the_same_record_in_its_own_way(tmp_path: Path) -> None:
    """`2019-03-31T22:00:00.000Z` is what a loader in Copenhagen makes of 1 April."""
    drop = Drop(tmp_path, timezone="Europe/Copenhagen")
    loaded = {
        **ACCOUNT,
        "IsDeleted": "false",
        "CreatedDate": "2019-03-01T08:15:00.000Z",
        "SystemModstamp": "2026-05-31T23:30:00.000Z",
        "Customer_Since__c": "2019-03-31T22:00:00.000Z",
    }
    drop.quoted_csv("salesforce", "export.csv", [ACCOUNT])
    drop.quoted_csv("salesforce", "loader.csv", [loaded])
    exported, by_loader = records(
        drop.stage(), "account", "is_deleted, created_at, source_updated_at, customer_since, name"
    )
    assert exported == by_loader


def test_people_are_contacts_and_users(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    contact = {
        "Id": "0031G00001S3ckZQAR",
        "AccountId": ACCOUNT["Id"],
        "LastName": "Lind",
        "Email": "l@nordlys.example",
        "Title": "COO",
        "Department": "Drift",
        **HISTORY,
    }
    user = {
        "Id": "0055i000000AAAAAA1",
        "Username": "m@vendor.example",
        "Email": "m@vendor.example",
        "IsActive": "1",
        "UserType": "Standard",
        **HISTORY,
    }
    drop.quoted_csv("salesforce", "Contact.csv", [contact])
    drop.quoted_csv(
        "salesforce", "User.csv",
        [user, {**user, "Id": "005B", "UserType": "AutomatedProcess"}, {**user, "Id": "005C", "UserType": "CspLitePortal"}],
    )  # fmt: skip
    connection = drop.stage()
    assert records(connection, "person", "source_id, side, source_account_id, email, title, is_active, is_shared") == [
        ("0031G00001S3ckZQAR", "customer", ACCOUNT["Id"], "l@nordlys.example", "COO", None, None),
        ("0055i000000AAAAAA1", "vendor", None, "m@vendor.example", None, True, False),
        ("005B", "vendor", None, "m@vendor.example", None, True, True),
    ]
    # A portal's user is a customer and is a contact already.
    assert connection.execute("select ignored_filtered from audit.file where entity = 'user'").fetchall() == [(1,)]


def test_calls_meetings_and_mails_become_activities(tmp_path: Path) -> None:
    drop = Drop(tmp_path, timezone="Europe/Copenhagen")
    of_account = {"WhatId": ACCOUNT["Id"], "AccountId": ACCOUNT["Id"], "OwnerId": "0055i000000AAAAAA1"}
    call = {
        "Id": "00T1", "WhoId": "0031", **of_account, "Subject": "Opkald om status", "ActivityDate": "2026-03-05",
        "Status": "Completed", "TaskSubtype": "Call", "CallType": "Inbound", "CallDurationInSeconds": "90", **HISTORY,
    }  # fmt: skip
    mail_task = {**call, "Id": "00T2", "TaskSubtype": "Email", "CallType": "", "CallDurationInSeconds": ""}
    to_do = {
        **call, "Id": "00T3", "TaskSubtype": "Task", "CallType": "", "CallDurationInSeconds": "", "AccountId": "",
        "WhoId": "00Q1", "WhatId": "0061", "Status": "Not Started", "ActivityDate": "",
    }  # fmt: skip
    drop.quoted_csv("salesforce", "Task.csv", [call, mail_task, to_do])
    meeting = {
        "Id": "00U1", "WhoId": "0031", **of_account, "Subject": "Designmøde", "Type": "Design session",
        "StartDateTime": "2026-03-05 09:00:00", "DurationInMinutes": "60", "IsChild": "0", **HISTORY,
    }  # fmt: skip
    drop.quoted_csv(
        "salesforce", "Event.csv",
        [
            meeting,
            {**meeting, "Id": "00U2", "IsChild": "1"},
            {**meeting, "Id": "00U3", "Type": "Meeting"},
            {**meeting, "Id": "00U4", "Type": "Frokost"},
        ],
    )  # fmt: skip
    connection = drop.stage()
    assert records(
        connection, "activity",
        "source_id, kind, source_account_id, opportunity_source_id, person_source_id, started_at, duration_min, status, "
        "initiated_by, purpose",
    ) == [
        # A task has a day without a time, and noon GMT is on that day in every zone.
        ("00T1", "call", ACCOUNT["Id"], None, "0031", dt.datetime(2026, 3, 5, 12), 1.5, "held", "customer", None),
        ("00T3", "task", None, "0061", None, MARCH, None, "planned", None, None),
        ("00U1", "meeting", ACCOUNT["Id"], None, "0031", dt.datetime(2026, 3, 5, 9), 60.0, None, None, "co_design"),
        ("00U3", "meeting", ACCOUNT["Id"], None, "0031", dt.datetime(2026, 3, 5, 9), 60.0, None, None, None),
        ("00U4", "meeting", ACCOUNT["Id"], None, "0031", dt.datetime(2026, 3, 5, 9), 60.0, None, None, None),
    ]  # fmt: skip
    assert quarantine(connection) == [("salesforce", "event", 4, "activity.meeting_type", "enum_unmapped", "cell")]
    counts = connection.execute(
        "select entity, rows_in, rows_loaded, ignored_filtered from audit.file order by entity"
    ).fetchall()
    assert counts == [("event", 4, 3, 1), ("task", 3, 2, 1)]


def test_a_mail_knows_its_direction_and_names_people_without_their_address_as_id(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    incoming = {
        "Id": "02s1", "RelatedToId": ACCOUNT["Id"], "Incoming": "1", "MessageDate": "2026-03-05 07:30:00",
        "FromAddress": "Lind@Nordlys.example", "ToAddress": "m@vendor.example; sales@vendor.example",
        "Subject": "Kan vi få rabat?", "TextBody": "Hej, ...", "ThreadIdentifier": "t-1", "Status": "2",
        "CreatedById": "005robot", **HISTORY,
    }  # fmt: skip
    outgoing = {
        **incoming, "Id": "02s2", "Incoming": "0", "FromAddress": "m@vendor.example", "ToAddress": "lind@nordlys.example",
        "Status": "3", "CreatedById": "0055i000000AAAAAA1",
    }  # fmt: skip
    drop.quoted_csv("salesforce", "EmailMessage.csv", [incoming, outgoing])
    connection = drop.stage()
    customer, vendor = (
        hashlib.sha256(mail.encode()).hexdigest() for mail in ("lind@nordlys.example", "m@vendor.example")
    )
    assert records(
        connection, "activity",
        "source_id, kind, initiated_by, source_account_id, person_source_id, owner_source_id, status, thread_id, subject",
    ) == [
        ("02s1", "email", "customer", ACCOUNT["Id"], customer, vendor, "held", "t-1", "Kan vi få rabat?"),
        ("02s2", "email", "vendor", ACCOUNT["Id"], customer, "0055i000000AAAAAA1", "held", "t-1", "Kan vi få rabat?"),
    ]  # fmt: skip
    assert sorted(records(connection, "person", "source_id, side, email, source_account_id")) == sorted(
        [(customer, "customer", "lind@nordlys.example", None), (vendor, "vendor", "m@vendor.example", None)]
    )


def test_opportunities_without_a_currency_say_so_once(tmp_path: Path) -> None:
    deal = {
        "Id": "006q000000HddohAAB", "AccountId": ACCOUNT["Id"], "StageName": "Closed Won", "Amount": "125000.5",
        "CloseDate": "2026-02-01", "Type": "Existing Customer - Upgrade", "IsClosed": "1", "IsWon": "1", **HISTORY,
    }  # fmt: skip
    deals = [deal, {**deal, "Id": "006r", "IsWon": "0"}, {**deal, "Id": "006s", "IsWon": "0", "IsClosed": "0"}]
    silent, told = Drop(tmp_path / "a"), Drop(tmp_path / "b", systems={"salesforce": {"currency": "DKK"}})
    for drop in (silent, told):
        drop.quoted_csv("salesforce", "Opportunity.csv", deals)
    connection = silent.stage()
    assert records(connection, "opportunity", "type, status, amount, currency, closed_on") == [
        ("expansion", "won", Decimal("125000.5"), None, dt.date(2026, 2, 1)),
        ("expansion", "lost", Decimal("125000.5"), None, dt.date(2026, 2, 1)),
        ("expansion", "open", Decimal("125000.5"), None, dt.date(2026, 2, 1)),
    ]
    assert quarantine(connection) == [
        ("salesforce", "opportunity", 0, "opportunity.currency", "currency_missing", "cell")
    ]
    assert {row[0] for row in records(told.stage(), "opportunity", "currency")} == {"DKK"}


def test_shared_goals_come_from_account_plans(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    plan = {
        "Id": "1AP1",
        "AccountId": ACCOUNT["Id"],
        "Name": "Fælles plan",
        "Status": "Active",
        "StartDate": "2026-01-01",
        "EndDate": "",
        **HISTORY,
    }
    goal = {
        "Id": "1OB1", "AccountPlanId": "1AP1", "Name": "Kortere ordretid", "Status": "In Progress", "StartDate": "2026-01-01",
        "EndDate": "2026-12-31", "ObjectiveOwnerId": "0055", "ExternalStakeholderId": "0031",
        "Customer_Confirmed_Date__c": "2026-01-15", "Last_Review_Date__c": "2026-05-20", "Beneficiary__c": "Joint", **HISTORY,
    }  # fmt: skip
    alone = {
        **goal,
        "Id": "1OB2",
        "ExternalStakeholderId": "",
        "Customer_Confirmed_Date__c": "",
        "Beneficiary__c": "Supplier",
    }
    measure = {
        "Id": "1ME1",
        "AccountPlanObjectiveId": "1OB1",
        "Name": "Timer",
        "TargetValue": "20",
        "CurrentValue": "12.5",
        **HISTORY,
    }
    drop.quoted_csv("salesforce", "AccountPlan.csv", [plan])
    drop.quoted_csv("salesforce", "AccountPlanObjective.csv", [goal, alone])
    drop.quoted_csv("salesforce", "AccountPlanObjectiveMeasure.csv", [measure])
    connection = drop.stage()
    assert records(connection, "plan", "source_id, source_account_id, created_at") == [("1AP1", ACCOUNT["Id"], MARCH)]
    assert records(
        connection, "goal",
        "source_id, plan_source_id, customer_owner_source_id, owner_side, agreed_by_customer, beneficiary, due_on, "
        "confirmed_on, reviewed_on, status",
    ) == [
        ("1OB1", "1AP1", "0031", "joint", True, "joint", dt.date(2026, 12, 31), dt.date(2026, 1, 15), dt.date(2026, 5, 20), "active"),
        ("1OB2", "1AP1", None, "vendor", None, "supplier", dt.date(2026, 12, 31), None, dt.date(2026, 5, 20), "active"),
    ]  # fmt: skip
    assert records(connection, "goal_measure", "goal_source_id, target, actual") == [("1OB1", 20.0, 12.5)]
    assert quarantine(connection) == []


def test_the_standard_fields_that_are_read_are_those_that_connectors_know(real_files: Path) -> None:
    """A connector writes the same objects in snake_case; custom fields (`__c`) are each company's own."""
    seeds = sorted((real_files / "fivetran_seeds" / "salesforce").glob("sf_*_data.csv"))
    headers = ",".join(seed.read_text(encoding="utf-8").splitlines()[0] for seed in seeds).lower()
    known = {name.replace("_", "").strip('"') for name in headers.split(",")}
    # Only in organisations with several currencies; newer than the seeds.
    elsewhere = {"currencyisocode", "completeddatetime"}
    entities = load_contracts([SHIPPED])["salesforce"].entities
    for entity in ("account", "contact", "user", "opportunity", "task", "event"):
        for table in entities[entity].tables.values():
            for name, column in table.columns.items():
                standard = {alias.lower() for alias in column.source if not alias.endswith("__c")}
                assert not standard or standard & (known | elsewhere), f"{entity}.{name}: {standard}"
