"""Stripe API objects as lists: minor units, unix seconds, no due date where the card is charged automatically."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from demo.clock import AS_OF, unix_seconds
from demo.companies import Companies
from demo.dirt import Dirt
from demo.draws import Flags, Ints, Texts
from demo.identifiers import stripe_ids
from demo.links import BY_CVR, BY_ID, Links
from demo.scoring import due_days
from demo.world import World

Json: TypeAlias = dict[str, Any]
CURRENCY = "dkk"
VAT_PERCENT = 25
FIRST_NUMBER = 10_001
DAY = 86_400
BROKEN_AMOUNT = "12.500,x"
CREDIT_SHARE = 0.01

METERED: Json = {
    "id": "price_calls",
    "object": "price",
    "nickname": "API-kald",
    "recurring": {"interval": "month", "interval_count": 1, "usage_type": "metered"},
    "type": "recurring",
    "unit_amount": None,
}
HOURS: Json = {
    "id": "price_hours",
    "object": "price",
    "nickname": "Timer",
    "recurring": None,
    "type": "one_time",
    "unit_amount": None,
}


def write_stripe(folder: Path, world: World, links: Links, dirt: Dirt) -> None:
    """Write customers, subscriptions, invoices and credit notes as one list object each into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    subscription_ids = stripe_ids(world.rngs["identifiers"], "sub_", world.companies.count, 24)
    invoices = _draw_invoices(world)
    _write(folder / "customers.json", _customers(world, links), dirt)
    _write(folder / "subscriptions.json", _subscriptions(world, links, subscription_ids), dirt)
    _write(folder / "invoices.json", _invoices(world, links, invoices, subscription_ids), dirt, damaged=2)
    _write(folder / "credit_notes.json", _credit_notes(world, links, invoices), dirt)


def _write(path: Path, records: Iterator[Json], dirt: Dirt, damaged: int = 0) -> None:
    """One object of the list per line, so that neither writer nor reader has to hold the whole."""

    def break_amount(line: str) -> str:
        return _text({**json.loads(line), "total_excluding_tax": BROKEN_AMOUNT})

    lines = dirt.spoil(f"stripe/{path.name}", [_text(record) for record in records], break_amount, damaged)
    url = f"/v1/{path.stem}"
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write('{"object":"list","url":' + json.dumps(url) + ',"has_more":false,"data":[\n')
        file.write(",\n".join(lines))
        file.write("\n]}\n")


def _text(record: Json) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def _customers(world: World, links: Links) -> Iterator[Json]:
    companies, address = world.companies, links.customer_address
    created = unix_seconds(companies.start_day(world.months) - np.timedelta64(3, "D"))
    for number in range(companies.count):
        yield {
            "id": str(links.customer[number]),
            "object": "customer",
            "address": {
                "city": str(address.city[number]),
                "country": "DK",
                "line1": str(address.street[number]),
                "postal_code": str(address.postal_code[number]),
            },
            "created": int(created[number]),
            "currency": CURRENCY,
            "description": None,
            "email": str(links.customer_email[number]),
            "livemode": True,
            "metadata": _metadata(links, number),
            "name": str(links.customer_name[number]),
        }


def _metadata(links: Links, number: int) -> dict[str, str]:
    key = links.customer_key[number]
    if key == BY_ID:
        return {"crm_id": str(links.crm[number])}
    # Half of the bookkeepers write a Danish VAT number with its country in front.
    return {"cvr": ("DK" if number % 2 else "") + str(links.customer_cvr[number])} if key == BY_CVR else {}


def _subscriptions(world: World, links: Links, ids: Texts) -> Iterator[Json]:
    companies, months = world.companies, world.months
    active, seats = world.records.supplier.active, world.records.supplier.seats
    start = companies.start_day(months)
    last = len(months) - 1 - np.argmax(active[:, ::-1], axis=1)
    is_running = active[:, -1]
    ended = unix_seconds((months[0] + (last + 1).astype("m8[M]")).astype("M8[D]"))
    month = (months[0] + last.astype("m8[M]")).astype("M8[M]")
    period_start, period_end = unix_seconds(month.astype("M8[D]")), unix_seconds((month + 1).astype("M8[D]"))
    created = unix_seconds(start)
    for number in range(companies.count):
        end = None if is_running[number] else int(ended[number])
        quantity = int(seats[number, last[number]])
        yield {
            "id": str(ids[number]),
            "object": "subscription",
            "cancel_at_period_end": False,
            "canceled_at": end,
            "collection_method": _collection(companies, number),
            "created": int(created[number]),
            "currency": CURRENCY,
            "current_period_end": int(period_end[number]),
            "current_period_start": int(period_start[number]),
            "customer": str(links.customer[number]),
            "days_until_due": None if companies.is_automatic[number] else int(companies.terms[number]),
            "ended_at": end,
            "items": {
                "object": "list",
                "data": [{"object": "subscription_item", "price": _price(world, number), "quantity": quantity}],
            },
            "metadata": {},
            "quantity": quantity,
            "start_date": int(created[number]),
            "status": "active" if end is None else "canceled",
            "trial_end": None,
        }


def _collection(companies: Companies, number: int) -> str:
    return "charge_automatically" if companies.is_automatic[number] else "send_invoice"


def _price(world: World, number: int) -> Json:
    companies = world.companies
    product = str(companies.product[number])
    return {
        "id": f"price_{product.replace(' ', '').lower()}_{int(companies.unit_price[number])}",
        "object": "price",
        "nickname": product,
        "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
        "type": "recurring",
        "unit_amount": int(companies.unit_price[number]),
    }


@dataclass(frozen=True)
class Invoices:
    """One invoice for each month of paid service, by month and account; amounts in øre, times in unix seconds."""

    account: Ints
    month: Ints
    ids: Texts
    net: Ints
    tax: Ints
    created: Ints
    due: Ints
    paid_at: Ints
    is_paid: Flags


def _draw_invoices(world: World) -> Invoices:
    """Amounts and payment of every invoice; one that is paid after as_of is open."""
    records, rng = world.records, world.rngs["identifiers"]
    supplier, draws, companies = records.supplier, records.supplier_draws, world.companies
    month, account = np.nonzero(supplier.active.T)
    net = supplier.recurring[account, month] + draws.usage[account, month] + draws.one_off[account, month]
    issued = world.months[month].astype("M8[D]")
    due = due_days(companies, world.months)[account, month]
    paid = np.maximum(due + supplier.late_days[account, month].astype("m8[D]"), issued)
    paid = np.where(companies.is_automatic[account], issued, paid)
    return Invoices(
        account=account,
        month=month,
        ids=stripe_ids(rng, "in_1", len(account), 23),
        net=net,
        tax=np.rint(net * VAT_PERCENT / 100).astype(np.int64),
        created=unix_seconds(issued) + 6 * 3600,
        due=unix_seconds(due),
        paid_at=unix_seconds(paid) + rng.integers(8 * 3600, 16 * 3600, len(account)),
        is_paid=paid <= AS_OF,
    )


def _invoices(world: World, links: Links, invoices: Invoices, subscription_ids: Texts) -> Iterator[Json]:
    companies, supplier = world.companies, world.records.supplier
    for position, (account, month) in enumerate(zip(invoices.account.tolist(), invoices.month.tolist(), strict=True)):
        net, tax, created = int(invoices.net[position]), int(invoices.tax[position]), int(invoices.created[position])
        is_paid, discount = bool(invoices.is_paid[position]), int(supplier.discount[account, month])
        yield {
            "id": str(invoices.ids[position]),
            "object": "invoice",
            "amount_due": net + tax,
            "amount_paid": net + tax if is_paid else 0,
            "amount_remaining": 0 if is_paid else net + tax,
            "billing_reason": "subscription_cycle",
            "collection_method": _collection(companies, account),
            "created": created,
            "currency": CURRENCY,
            "customer": str(links.customer[account]),
            "due_date": None if companies.is_automatic[account] else int(invoices.due[position]),
            "lines": {"object": "list", "has_more": False, "data": _lines(world, invoices, position)},
            "metadata": {},
            "number": str(FIRST_NUMBER + position),
            "status": "paid" if is_paid else "open",
            "status_transitions": {
                "finalized_at": created,
                "marked_uncollectible_at": None,
                "paid_at": int(invoices.paid_at[position]) if is_paid else None,
                "voided_at": None,
            },
            "subscription": str(subscription_ids[account]),
            "subtotal": net + discount,
            "subtotal_excluding_tax": net + discount,
            "tax": tax,
            "total": net + tax,
            "total_discount_amounts": _discounts(discount),
            "total_excluding_tax": net,
        }


def _lines(world: World, invoices: Invoices, position: int) -> list[Json]:
    """The seats of the month, and now and then metered usage or hours."""
    account, month = int(invoices.account[position]), int(invoices.month[position])
    supplier, draws = world.records.supplier, world.records.supplier_draws
    usage, hours = int(draws.usage[account, month]), int(draws.one_off[account, month])
    discount = int(supplier.discount[account, month])
    start = int(invoices.created[position]) // DAY * DAY
    end = int(unix_seconds((world.months[month] + 1).astype("M8[D]")))
    line_id = f"il_{str(invoices.ids[position])[3:]}"
    price = _price(world, account)
    lines = [
        _line(f"{line_id}a", int(supplier.price[account, month]), f"{price['nickname']}, per bruger", start, end, price)
        | {"quantity": int(supplier.seats[account, month]), "discount_amounts": _discounts(discount)}
    ]
    if usage:
        lines.append(_line(f"{line_id}b", usage, "API-kald over det inkluderede", start, end, METERED))
    if hours:
        lines.append(_line(f"{line_id}c", hours, "Konsulenttimer", start, start, HOURS))
    return lines


def _line(line_id: str, amount: int, description: str, start: int, end: int, price: Json) -> Json:
    return {
        "id": line_id,
        "object": "line_item",
        "amount": amount,
        "currency": CURRENCY,
        "description": description,
        "discount_amounts": [],
        "period": {"start": start, "end": end},
        "price": price,
        "proration": False,
        "quantity": 1,
    }


def _discounts(amount: int) -> list[Json]:
    return [{"amount": amount, "discount": "di_agreement"}] if amount else []


def _credit_notes(world: World, links: Links, invoices: Invoices) -> Iterator[Json]:
    """Part of one invoice in a hundred is credited some weeks later."""
    rng = world.rngs["billing"]
    chosen = np.flatnonzero(rng.random(len(invoices.account)) < CREDIT_SHARE)
    created = invoices.created[chosen] + rng.integers(5, 40, len(chosen)) * DAY
    net = np.rint(invoices.net[chosen] * rng.uniform(0.05, 0.5, len(chosen))).astype(np.int64)
    ids = stripe_ids(rng, "cn_1", len(chosen), 23)
    until = int(unix_seconds(np.array(AS_OF + np.timedelta64(1, "D"))))
    for position, invoice in enumerate(chosen.tolist()):
        if created[position] >= until:
            continue
        tax = round(int(net[position]) * VAT_PERCENT / 100)
        yield {
            "id": str(ids[position]),
            "object": "credit_note",
            "amount": int(net[position]) + tax,
            "created": int(created[position]),
            "currency": CURRENCY,
            "customer": str(links.customer[int(invoices.account[invoice])]),
            "discount_amount": 0,
            "invoice": str(invoices.ids[invoice]),
            "memo": None,
            "number": f"{FIRST_NUMBER + invoice}-CN-01",
            "reason": "order_change",
            "status": "issued",
            "subtotal": int(net[position]),
            "total": int(net[position]) + tax,
            "total_excluding_tax": int(net[position]),
            "type": "post_payment" if invoices.is_paid[invoice] else "pre_payment",
        }
