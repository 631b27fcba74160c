"""The files that a project keeps by hand, after the shipped templates."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

from tests.transforms.exports import Drop, quarantine, records
from warehouse.contracts import SHIPPED


def header(template: str) -> str:
    return (SHIPPED / "templates" / f"{template}.csv").read_text(encoding="utf-8").strip()


def test_goals_are_read_and_name_their_account_by_its_crm_id(tmp_path: Path) -> None:
    drop = Drop(tmp_path, timezone="Europe/Copenhagen")
    drop.csv(
        "goals", "goals.csv", header("goals"),
        "G1,0015i00000MLQoqAAH,Færre fejl,joint,m@vendor.example,l@nordlys.example,joint,Fejl,20,12.5,2026-01-01,2026-12-31,,"
        "2026-01-15,2026-05-20,active,2026-01-02,,30,1,2",
        "G2,0015i00000MLQoqAAH,Uden dato,,,,,,,,,,,,,,,,,,",
    )  # fmt: skip
    connection = drop.stage()
    assert records(
        connection, "goal",
        "source_id, source_account_id, owner_side, customer_owner_source_id, target, due_on, confirmed_on, status, created_at, "
        "agreed_by_customer",
    ) == [
        (
            "G1", "0015i00000MLQoqAAH", "joint", "l@nordlys.example", 20.0, dt.date(2026, 12, 31), dt.date(2026, 1, 15),
            "active", dt.datetime(2026, 1, 1, 23), True,
        )
    ]  # fmt: skip
    # A goal that does not say when it was written down could be a back-dated one.
    assert quarantine(connection) == [("goals", "goal", 2, "goal.created_at", "required_empty", "row")]
    # One account in the file, linked to the CRM's by its id.
    assert records(connection, "account", "source_system, source_id, external_id") == [
        ("goals", "0015i00000MLQoqAAH", "0015i00000MLQoqAAH")
    ]


def test_actions_are_told_from_goals_and_keep_their_first_due_date(tmp_path: Path) -> None:
    drop = Drop(tmp_path, timezone="Europe/Copenhagen")
    drop.csv(
        "goals", "actions.csv", header("plan_actions"),
        "P1,001,G1,Opmåling,supplier,2026-03-01,2026-04-01,2026-03-20,done,2026-01-02,",
        "P2,001,,Oplæg,kunden,,2026-04-01,,open,,",
    )  # fmt: skip
    connection = drop.stage()
    assert records(
        connection, "plan_action", "source_id, goal_source_id, owner_side, first_due_on, due_on, done_on, status"
    ) == [
        ("P1", "G1", "vendor", dt.date(2026, 3, 1), dt.date(2026, 4, 1), dt.date(2026, 3, 20), "done"),
        ("P2", None, "unknown", None, dt.date(2026, 4, 1), None, "open"),
    ]
    assert quarantine(connection) == [("goals", "plan_action", 2, "plan_action.owner_side", "enum_unmapped", "cell")]


def test_activities_are_read_with_people_by_their_hashed_address(tmp_path: Path) -> None:
    drop = Drop(tmp_path, timezone="Europe/Copenhagen")
    drop.csv(
        "activities", "activities.csv", header("activities"),
        "A1,001,meeting,2026-03-05 10:00,60,held,customer,co_design,Designmøde,L@nordlys.example,m@vendor.example,,2026-03-05 12:00",
    )  # fmt: skip
    connection = drop.stage()
    customer = hashlib.sha256(b"l@nordlys.example").hexdigest()
    assert records(
        connection, "activity", "kind, started_at, duration_min, initiated_by, purpose, person_source_id"
    ) == [("meeting", dt.datetime(2026, 3, 5, 9), 60.0, "customer", "co_design", customer)]
    assert records(connection, "person", "source_id, side, email, source_account_id") == [
        (customer, "customer", "L@nordlys.example", "001")
    ]
    assert quarantine(connection) == []


def test_events_of_both_kinds_are_told_apart_by_their_headers(tmp_path: Path) -> None:
    drop = Drop(tmp_path, timezone="Europe/Copenhagen")
    drop.csv(
        "events", "any name.csv", header("events"), "E1,001,price_change,supplier,2026-01-01,2026-03-01,2026-01-20,no,"
    )
    drop.csv(
        "events",
        "other.csv",
        header("cocreation_events"),
        "C1,001,pilot,2026-02-01,2026-02-01,zendesk:4711",
        "C2,001,party,2026-02-01,,",
    )
    connection = drop.stage()
    assert records(
        connection, "relationship_event", "kind, by_side, announced_on, effective_on, joint_review_on, is_exempt"
    ) == [("price_change", "vendor", dt.date(2026, 1, 1), dt.date(2026, 3, 1), dt.date(2026, 1, 20), False)]
    assert records(connection, "cocreation_event", "source_id, kind, occurred_at") == [
        ("C1", "pilot", dt.datetime(2026, 1, 31, 23)),
        ("C2", "unknown", dt.datetime(2026, 1, 31, 23)),
    ]
    assert quarantine(connection) == [
        ("events", "cocreation_event", 2, "cocreation_event.kind", "enum_unmapped", "cell")
    ]


def test_usage_is_read(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    drop.csv(
        "usage", "usage.csv", header("usage"), "U1,001,,2026-03-05,export,9,false", "U2,001,,5 March,export,9,false"
    )
    connection = drop.stage()
    assert records(connection, "usage", "source_id, used_on, feature, quantity, is_beta") == [
        ("U1", dt.date(2026, 3, 5), "export", 9.0, False)
    ]
    assert quarantine(connection) == [("usage", "usage", 2, "usage.used_on", "unparseable_date", "row")]


def test_a_template_that_was_copied_and_left_empty_connects_nothing(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    for system, template in (
        ("goals", "goals"),
        ("activities", "activities"),
        ("goals", "plan_actions"),
        ("events", "events"),
        ("usage", "usage"),
    ):
        drop.csv(system, f"{template}.csv", header(template))
    connection = drop.stage()
    assert connection.execute("select count(*) from setting.connected").fetchall() == [(0,)]
    assert connection.execute("select distinct status, rows_in from audit.file").fetchall() == [("empty", 0)]
