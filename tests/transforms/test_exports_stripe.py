"""Stripe's API objects and the dashboard's CSV files, as they come."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.transforms.exports import Drop, quarantine, records

JULY, AUGUST = 1751320800, 1753999200  # 1 July and 1 August 2025, midnight in Copenhagen
LINE: dict[str, Any] = {
    "id": "il_1",
    "amount": 1000000,
    "currency": "dkk",
    "description": "Platform, 40 users",
    "discount_amounts": [{"amount": 50000, "discount": "di_1"}],
    "period": {"start": JULY, "end": AUGUST},
    "price": {"id": "price_1", "type": "recurring", "recurring": {"interval": "month", "interval_count": 1}},
    "proration": False,
    "quantity": 40,
}
INVOICE: dict[str, Any] = {
    "id": "in_1",
    "object": "invoice",
    "customer": "cus_1",
    "number": "A-0001",
    "status": "paid",
    "collection_method": "send_invoice",
    "currency": "dkk",
    "created": JULY,
    "due_date": JULY + 30 * 86400,
    "subscription": "sub_1",
    "subtotal": 1000000,
    "total": 1187500,
    "tax": 237500,
    "total_excluding_tax": 950000,
    "amount_remaining": 0,
    "status_transitions": {"finalized_at": JULY, "paid_at": JULY + 40 * 86400},
    "lines": {"object": "list", "data": [LINE]},
}


def test_an_invoice_is_in_major_units_and_its_days_are_the_projects(tmp_path: Path) -> None:
    drop = Drop(tmp_path, timezone="Europe/Copenhagen")
    drop.json("stripe", "invoices.json", {"object": "list", "data": [INVOICE]})
    connection = drop.stage()
    assert records(
        connection, "invoice",
        "source_id, number, source_account_id, subscription_source_id, kind, issued_on, due_on, paid_on, collection, status, "
        "net, tax, gross, open_amount, currency",
    ) == [
        (
            "in_1", "A-0001", "cus_1", "sub_1", "invoice", dt.date(2025, 7, 1), dt.date(2025, 7, 31), dt.date(2025, 8, 10),
            "sent", "paid", Decimal("9500"), Decimal("2375"), Decimal("11875"), Decimal(0), "DKK",
        )
    ]  # fmt: skip
    assert records(
        connection, "invoice_line",
        "source_id, invoice_source_id, line_no, kind, quantity, net, discount_amount, period_start_on, period_end_on, currency",
    ) == [
        (
            "il_1", "in_1", 1, "recurring", 40.0, Decimal("9500"), Decimal("500"), dt.date(2025, 7, 1), dt.date(2025, 8, 1),
            "DKK",
        )
    ]  # fmt: skip
    assert quarantine(connection) == []


def test_an_invoice_that_stripe_collects_has_no_due_date_and_one_in_yen_no_minor_unit(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    auto = {**INVOICE, "id": "in_2", "collection_method": "charge_automatically", "due_date": None, "currency": "jpy"}
    older = {
        **INVOICE,
        "id": "in_3",
        "total_excluding_tax": None,
        "status": "uncollectible",
        "customer": {"id": "cus_9"},
    }
    drop.json("stripe", "invoices.json", [auto, older, {**older, "id": "in_4", "tax": None}])
    assert records(drop.stage(), "invoice", "collection, due_on, net, status, source_account_id") == [
        ("auto", None, Decimal(950000), "paid", "cus_1"),
        ("sent", dt.date(2025, 7, 31), Decimal("9500"), "written_off", "cus_9"),
        ("sent", dt.date(2025, 7, 31), Decimal("11875"), "written_off", "cus_9"),
    ]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ({}, "recurring"),
        ({"proration": True, "amount": -300}, "recurring"),
        ({"price": {"type": "recurring", "recurring": {"usage_type": "metered"}}}, "usage"),
        ({"price": {"type": "one_time"}}, "one_off"),
        ({"price": None, "type": "subscription"}, "recurring"),
        ({"price": None, "plan": {"object": "plan"}}, "recurring"),
        ({"price": None, "type": "invoiceitem"}, "one_off"),
        ({"price": None}, "unknown"),
    ],
)
def test_a_lines_kind_comes_from_its_price(tmp_path: Path, line: dict[str, Any], kind: str) -> None:
    drop = Drop(tmp_path)
    drop.json("stripe", "invoices.json", [{**INVOICE, "lines": {"data": [{**LINE, **line}]}}])
    assert records(drop.stage(), "invoice_line", "kind") == [(kind,)]


def test_a_credit_note_is_negative(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    note = {
        "id": "cn_1", "object": "credit_note", "customer": "cus_1", "invoice": "in_1", "number": "A-0001-CN-01",
        "status": "issued", "currency": "dkk", "created": JULY, "total": 12500, "total_excluding_tax": 10000,
        "lines": {"data": [{"id": "cnli_1", "amount": 10000, "description": "Fejl i antal", "quantity": 1}]},
    }  # fmt: skip
    drop.json("stripe", "credit_notes.json", [note])
    connection = drop.stage()
    assert records(connection, "invoice", "kind, credits_source_id, net, tax, gross, issued_on") == [
        ("credit_note", "in_1", Decimal("-100"), Decimal("-25"), Decimal("-125"), dt.date(2025, 7, 1))
    ]
    assert records(connection, "invoice_line", "invoice_source_id, kind, net, currency") == [
        ("cn_1", "credit", Decimal("-100"), "DKK")
    ]


def test_a_customer_carries_the_keys_that_link_it(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    customer = {
        "id": "cus_1",
        "object": "customer",
        "name": "Nordlys",
        "email": "bogholderi@nordlys.example",
        "created": JULY,
        "currency": "dkk",
    }
    drop.json(
        "stripe", "customers.json",
        [
            {**customer, "metadata": {"crm_id": "0015i00000MLQoqAAH"}},
            {**customer, "id": "cus_2", "metadata": {"cvr": "12345678"}, "deleted": True},
            {**customer, "id": "cus_3", "metadata": {}, "tax_ids": {"data": [{"type": "eu_vat", "value": "DK12345678"}]}},
        ],
    )  # fmt: skip
    connection = drop.stage()
    assert records(connection, "account", "source_id, external_id, vat, email, is_deleted, currency") == [
        ("cus_1", "0015i00000MLQoqAAH", None, "bogholderi@nordlys.example", None, "DKK"),
        ("cus_2", None, "12345678", "bogholderi@nordlys.example", True, "DKK"),
        ("cus_3", None, "DK12345678", "bogholderi@nordlys.example", None, "DKK"),
    ]


@pytest.mark.parametrize(
    ("interval", "count", "mrr"),
    [("month", 1, "500"), ("month", 3, "166.6667"), ("year", 1, "41.6667"), ("week", 1, "2166.6667")],
)
def test_a_subscriptions_amount_is_brought_to_a_month(tmp_path: Path, interval: str, count: int, mrr: str) -> None:
    price: dict[str, Any] = {
        "unit_amount": 1000,
        "product": "prod_1",
        "recurring": {"interval": interval, "interval_count": count},
    }
    item = {"id": "si_1", "quantity": 50, "price": price}
    subscription: dict[str, Any] = {
        "id": "sub_1", "object": "subscription", "customer": "cus_1", "status": "trialing", "currency": "eur",
        "start_date": JULY, "created": JULY, "ended_at": None, "cancel_at_period_end": False, "current_period_end": AUGUST,
        "items": {"data": [item]},
    }  # fmt: skip
    two = {**subscription, "id": "sub_2", "items": {"data": [item, {"id": "si_2", "price": price}]}}
    drop = Drop(tmp_path, timezone="Europe/Copenhagen")
    drop.json("stripe", "subscriptions.json", [subscription, two])
    assert records(
        drop.stage(), "subscription", "mrr, status, is_trial, auto_renew, started_on, term_end_on, ended_on, quantity"
    ) == [
        (Decimal(mrr), "trial", True, True, dt.date(2025, 7, 1), dt.date(2025, 8, 1), None, 50.0),
        # Of two items the first is not the whole.
        (None, "trial", True, True, dt.date(2025, 7, 1), dt.date(2025, 8, 1), None, 50.0),
    ]


def test_the_dashboards_files_are_in_major_units(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    drop.csv(
        "stripe", "invoices.csv",
        "id,Amount Due,Billing,Closed,Currency,Customer,Date (UTC),Due Date (UTC),Number,Paid,Subscription,Subtotal,"
        "Total Discount Amount,Tax,Total,Amount Paid,Status",
        "in_1,11875.00,send_invoice,true,dkk,cus_1,2025-07-01 08:00,2025-07-31 08:00,A-1,true,sub_1,10000.00,500.00,2375.00,"
        "11875.00,11875.00,paid",
    )  # fmt: skip
    drop.csv(
        "stripe", "subscriptions.csv",
        "id,Customer ID,Plan,Quantity,Currency,Interval,Amount,Status,Created (UTC),Start Date (UTC),"
        "Current Period Start (UTC),Current Period End (UTC),Ended At (UTC),Cancellation Reason",
        "sub_1,cus_1,platform,40,dkk,month,250.00,active,2025-01-01 08:00,2025-01-01 08:00,2025-07-01 08:00,2025-08-01 08:00,,",
    )  # fmt: skip
    drop.csv(
        "stripe", "customers.csv",
        "id,Description,Email,Name,Created (UTC),Delinquent,crm_id (metadata)",
        "cus_1,,b@nordlys.example,Nordlys,2025-01-01 08:00,false,0015i00000MLQoqAAH",
    )  # fmt: skip
    connection = drop.stage()
    assert records(connection, "invoice", "net, tax, gross, open_amount, currency, collection, issued_on, due_on, paid_on") == [
        (
            Decimal("9500"), Decimal("2375"), Decimal("11875"), Decimal(0), "DKK", "sent", dt.date(2025, 7, 1),
            dt.date(2025, 7, 31), None,
        )
    ]  # fmt: skip
    assert records(connection, "subscription", "product, status, started_on, mrr") == [
        ("platform", "active", dt.date(2025, 1, 1), None)
    ]
    assert records(connection, "account", "name, external_id") == [("Nordlys", "0015i00000MLQoqAAH")]
    assert quarantine(connection) == []
