"""Zendesk's NDJSON export and its ticket CSV, as they come."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from tests.transforms.exports import Drop, quarantine, records
from warehouse.errors import ConfigurationError

TICKET: dict[str, Any] = {
    "id": 35436,
    "organization_id": 509974,
    "requester_id": 20978392,
    "assignee_id": 235323,
    "subject": "Indsigelse mod faktura 10023",
    "type": "problem",
    "priority": "high",
    "status": "hold",
    "tags": ["dispute", "enterprise"],
    "created_at": "2025-03-30T00:30:00Z",
    "updated_at": "2025-04-02T08:00:00Z",
    "via": {"channel": "email"},
    "satisfaction_rating": {"score": "good", "id": 1, "comment": None},
    "metric_set": {
        "reopens": 1,
        "replies": 3,
        "solved_at": "2025-04-01T08:00:00Z",
        "reply_time_in_minutes": {"calendar": 42, "business": 12},
        "full_resolution_time_in_minutes": {"calendar": 3330, "business": 800},
    },
    "comments": [
        {"id": 9, "author_id": 20978392, "public": True, "created_at": "2025-03-30T00:30:00Z", "body": "Hej"},
        {"id": 10, "author_id": 235323, "public": False, "created_at": "2025-03-30T01:12:00Z", "body": "Internt"},
    ],
}
CSV = (
    "ID,Requester,Requester ID,Requester email,Requester domain,Organization,Status,Priority,Via,Ticket type,Tags,Subject,"
    "Created at,Updated at,Solved at,Satisfaction Score,Reopens,Replies,First reply time in minutes,"
    "First reply time in minutes within business hours,Full resolution time in minutes,"
    "Full resolution time in minutes within business hours,Resolution time"
)


def test_a_ticket_is_read_with_its_metrics_inside(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    drop.ndjson("zendesk", "tickets.ndjson", {"ticket": TICKET})
    connection = drop.stage()
    assert records(
        connection, "ticket",
        "source_id, source_account_id, requester_source_id, assignee_source_id, type, type_raw, status, channel, created_at, "
        "first_response_min, first_response_business_min, solved_at, full_resolution_min, full_resolution_business_min, "
        "reopens, public_replies, csat, csat_raw, csat_state, tags",
    ) == [
        (
            "35436", "509974", "20978392", "235323", "incident", "problem", "pending", "email",
            dt.datetime(2025, 3, 30, 0, 30), 42.0, 12.0, dt.datetime(2025, 4, 1, 8), 3330.0, 800.0, 1, 3,
            1.0, "good", "rated", ["dispute", "enterprise"],
        )
    ]  # fmt: skip
    assert records(
        connection, "ticket_comment", "source_id, ticket_source_id, comment_no, author_source_id, is_public, created_at"
    ) == [
        ("10", "35436", 2, "235323", False, dt.datetime(2025, 3, 30, 1, 12)),
        ("9", "35436", 1, "20978392", True, dt.datetime(2025, 3, 30, 0, 30)),
    ]
    assert quarantine(connection) == []


@pytest.mark.parametrize(
    ("rating", "csat", "state"),
    [
        ({"score": "good"}, 1.0, "rated"),
        ({"score": "bad"}, 0.0, "rated"),
        ({"score": "good_with_comment"}, 1.0, "rated"),
        ({"score": "offered"}, None, "offered"),
        ({"score": "unoffered"}, None, "not_offered"),
        ("bad", 0.0, "rated"),
        ("4", 0.75, "rated"),
        ({"score": None}, None, None),
        (None, None, None),
        ("meh", None, "unknown"),
    ],
)
def test_a_rating_is_an_object_or_a_text(tmp_path: Path, rating: Any, csat: float | None, state: str | None) -> None:
    drop = Drop(tmp_path)
    drop.ndjson("zendesk", "tickets.ndjson", {"ticket": {**TICKET, "satisfaction_rating": rating}})
    assert records(drop.stage(), "ticket", "csat, csat_state") == [(csat, state)]


def test_a_ticket_without_answer_has_no_times_rather_than_zeros(tmp_path: Path) -> None:
    metrics = {
        "reopens": 0,
        "replies": 0,
        "solved_at": None,
        "reply_time_in_minutes": {"calendar": None, "business": None},
    }
    drop = Drop(tmp_path)
    drop.ndjson("zendesk", "t.ndjson", {"ticket": {**TICKET, "metric_set": metrics, "comments": []}})
    connection = drop.stage()
    assert records(connection, "ticket", "first_response_min, solved_at, full_resolution_min, reopens") == [
        (None, None, None, 0)
    ]
    assert records(connection, "ticket_comment", "source_id") == []


def test_organisations_and_users_carry_their_keys(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    organization = {
        "id": 509974, "name": "Nordlys Logistik", "external_id": "0015i00000MLQoqAAH", "domain_names": ["nordlys.example"],
        "organization_fields": {"cvr": "12345678"}, "created_at": "2019-04-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z",
        "deleted_at": None,
    }  # fmt: skip
    gone = {
        **organization,
        "id": 2,
        "deleted_at": "2024-01-01T00:00:00Z",
        "domain_names": [],
        "organization_fields": {},
    }
    drop.ndjson("zendesk", "organizations.ndjson", {"organization": organization}, {"organization": gone})
    user = {
        "id": 1,
        "email": "l@nordlys.example",
        "role": "end-user",
        "organization_id": 509974,
        "active": True,
        "suspended": False,
    }
    drop.ndjson(
        "zendesk", "users.ndjson",
        {"user": user}, {"user": {**user, "id": 2, "role": "agent", "organization_id": None, "suspended": True}},
    )  # fmt: skip
    connection = drop.stage()
    assert records(connection, "account", "source_id, name, external_id, vat, domains, is_deleted") == [
        ("2", "Nordlys Logistik", "0015i00000MLQoqAAH", None, [], True),
        ("509974", "Nordlys Logistik", "0015i00000MLQoqAAH", "12345678", ["nordlys.example"], False),
    ]
    assert records(connection, "person", "source_id, side, source_account_id, is_active") == [
        ("1", "customer", "509974", True),
        ("2", "vendor", None, False),
    ]


def test_the_csv_of_a_ticket_says_the_same_as_its_json(tmp_path: Path) -> None:
    """The CSV is in the account's own zone, two hours ahead of UTC from that very night on."""
    by_json, by_csv = (
        Drop(tmp_path / "json"),
        Drop(tmp_path / "csv", systems={"zendesk": {"timezone": "Europe/Copenhagen"}}),
    )
    by_json.ndjson("zendesk", "t.ndjson", {"ticket": TICKET})
    by_csv.csv(
        "zendesk", "t.csv", CSV,
        "35436,Lind,20978392,l@nordlys.example,nordlys.example,Nordlys Logistik,Hold,High,Mail,Problem,dispute enterprise,"
        "Indsigelse mod faktura 10023,2025-03-30 01:30,2025-04-02 10:00,2025-04-01 10:00,Good,1,3,42,12,3330,800,56",
    )  # fmt: skip
    columns = (
        "source_id, requester_source_id, type, status, created_at, source_updated_at, solved_at, first_response_min, "
        "first_response_business_min, full_resolution_min, full_resolution_business_min, reopens, public_replies, csat, "
        "csat_state, subject, tags"
    )
    of_csv = by_csv.stage()
    assert records(of_csv, "ticket", columns) == records(by_json.stage(), "ticket", columns)
    # No organisation id in a CSV: its name is the key, and the requester's domain tells which company it is.
    assert records(of_csv, "ticket", "source_account_id, requester_email") == [
        ("Nordlys Logistik", "l@nordlys.example")
    ]
    assert records(of_csv, "account", "source_id, name, domains") == [
        ("Nordlys Logistik", "Nordlys Logistik", ["nordlys.example"])
    ]


def test_a_csv_that_went_through_a_spreadsheet_is_quarantined_where_it_broke(tmp_path: Path) -> None:
    drop = Drop(tmp_path, systems={"zendesk": {"timezone": "Europe/Copenhagen"}})
    drop.csv(
        "zendesk", "t.csv", CSV,
        "1,Lind,1.03006E+13,-,-,-,Open,-,Mail,-,-,Hej,08-04-2023 20:52,-,-,Offered,0,0,-,-,-,-,-",
        "2,Lind,1.03006E+13,-,-,-,Open,-,Mail,-,-,Hej,2023-04-08 20:52,-,-,3,0,0,-,-,-,-,-",
        '3,Lind,7,-,-,-,Open,-,Mail,-,Internal, Communication,Hej,2023-04-08 20:52,-,-,3,0,0,-,-,-,-,-',
    )  # fmt: skip
    connection = drop.stage()
    assert records(
        connection, "ticket", "source_id, requester_source_id, csat, csat_state, source_account_id, tags"
    ) == [("2", None, 0.5, "rated", None, None)]
    assert quarantine(connection) == [
        ("zendesk", "ticket_csv", 1, "ticket.created_at", "unparseable_date", "row"),
        ("zendesk", "ticket_csv", 1, "ticket.requester_source_id", "excel_broken_id", "row"),
        ("zendesk", "ticket_csv", 2, "ticket.requester_source_id", "excel_broken_id", "cell"),
        # Commas without quotes moved the cells.
        ("zendesk", "ticket_csv", 3, "", "too_many_cells", "row"),
    ]
    assert connection.execute("select rows_in, rows_loaded, rows_quarantined from audit.file").fetchall() == [(3, 1, 2)]


def test_the_csv_needs_the_accounts_zone_and_the_json_does_not(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    drop.ndjson("zendesk", "t.ndjson", {"ticket": TICKET})
    assert len(records(drop.stage(), "ticket", "source_id")) == 1
    drop.csv("zendesk", "t.csv", CSV, "1,L,1,-,-,-,Open,-,Mail,-,-,Hej,2023-04-08 20:52,-,-,Offered,0,0,-,-,-,-,-")
    with pytest.raises(ConfigurationError, match=r"systems\.zendesk"):
        drop.stage()


def test_a_line_cut_in_the_middle_is_quarantined_and_the_others_are_read(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    drop.ndjson("zendesk", "t.ndjson", {"ticket": TICKET}, {"ticket": {**TICKET, "id": 2}})
    path = drop.project.inbox / "zendesk" / "t.ndjson"
    path.write_bytes(path.read_bytes()[:-40])
    connection = drop.stage()
    assert records(connection, "ticket", "source_id") == [("35436",)]
    assert [row[2:4] + row[5:] for row in quarantine(connection)] == [(2, "", "row")]


def test_a_connectors_ticket_schedules_are_the_history_of_a_tickets_calendar(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    drop.csv(
        "zendesk", "ticket_schedule.csv", "ticket_id,created_at,schedule_id",
        "941606,2020-09-29 17:01:38,360000310393", "941606,2020-09-30 19:01:25,360000302914",
    )  # fmt: skip
    connection = drop.stage()
    assert records(connection, "history", "entity, entity_source_id, field, new, changed_at") == [
        ("ticket", "941606", "calendar", "360000310393", dt.datetime(2020, 9, 29, 17, 1, 38)),
        ("ticket", "941606", "calendar", "360000302914", dt.datetime(2020, 9, 30, 19, 1, 25)),
    ]
    assert quarantine(connection) == []
