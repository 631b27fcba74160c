"""Worked examples of money: rates of exchange, minor units, tax, credit notes and the payments that settle a bill."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lake import contract, drop
from tests.tables import Example
from warehouse.casting import stage
from warehouse.contracts import SystemContract, staged_tables
from warehouse.versions import keep_newest

MakeExample = Callable[..., Example]

ACCOUNTS = "source_id | name | customer_since\nA | Alfa | 2025-01-01"
BILLED = "source_system | source_id | external_id\nbill | b1 | A"


@pytest.fixture
def world(example: MakeExample) -> Example:
    """One company, customer since January 2025, known to billing; money is in kroner."""
    return example().put("account", ACCOUNTS).put("account", BILLED)


def cast(world: Example, *contracts: SystemContract) -> Example:
    """Stage what was dropped into the world's inbox, as a night does."""
    stage(world.engine.connection, world.project, {each.system: each for each in contracts})
    keep_newest(world.engine, staged_tables())
    return world


def rates(world: Example, text: str) -> Example:
    return world.put("fx_rate", text)


def invoices(world: Example, text: str) -> Example:
    rows = [f"bill | {line.strip()}" for line in text.strip().splitlines()]
    return world.put("invoice", "\n".join(["source_system | " + rows[0].removeprefix("bill | "), *rows[1:]]))


def test_a_rate_holds_until_the_next_and_no_longer_than_its_days(world: Example) -> None:
    """
    | rate       | holds from | to         |                                      |
    |------------|------------|------------|--------------------------------------|
    | 1 January  | 1 January  | 9 January  | the next one is of the tenth         |
    | 10 January | 10 January | 14 February | 35 days, and none since             |
    """
    rates(
        world,
        """
        source_id | day        | from_currency | to_currency | rate
        1         | 2026-01-01 | EUR           | DKK         | 7.45
        2         | 2026-01-10 | eur           | dkk         | 7.46
        3         | 2026-01-05 | USD           | DKK         | 6.40
        """,
    )
    invoices(
        world,
        """
        source_id | source_account_id | issued_on  | net | currency
        1         | b1                | 2025-12-31 | 100 | EUR
        2         | b1                | 2026-01-01 | 100 | EUR
        3         | b1                | 2026-01-09 | 100 | EUR
        4         | b1                | 2026-01-10 | 100 | eur
        5         | b1                | 2026-02-14 | 100 | EUR
        6         | b1                | 2026-02-15 | 100 | EUR
        7         | b1                | 2026-01-10 | 100 | USD
        8         | b1                | 2026-01-10 | 100 | -
        """,
    ).run("canonical.invoice")
    assert world.rows("select net_base, fx_reason from canonical.invoice order by invoice_id") == [
        (None, "fx_missing"),
        (Decimal(745), None),
        (Decimal(745), None),
        (Decimal(746), None),
        (Decimal(746), None),
        (None, "fx_missing"),
        (Decimal(640), None),
        (None, "currency_missing"),
    ]


def test_how_long_a_rate_holds_is_the_projects_to_say(example: MakeExample) -> None:
    world = example(fx_days=0).put("account", ACCOUNTS).put("account", BILLED)
    rates(world, "source_id | day | from_currency | to_currency | rate\n1 | 2026-01-10 | EUR | DKK | 7.46")
    invoices(
        world,
        """
        source_id | issued_on  | net | currency
        1         | 2026-01-10 | 100 | EUR
        2         | 2026-01-11 | 100 | EUR
        """,
    ).run("canonical.invoice")
    assert world.rows("select net_base from canonical.invoice order by invoice_id") == [(Decimal(746),), (None,)]


def test_a_rate_given_the_other_way_round_is_turned_over_and_the_direct_one_goes_first(world: Example) -> None:
    rates(
        world,
        """
        source_id | day        | from_currency | to_currency | rate
        1         | 2026-01-01 | DKK           | EUR         | 0.1340
        2         | 2026-02-01 | DKK           | EUR         | 0.1340
        3         | 2026-02-01 | EUR           | DKK         | 7.46
        4         | 2026-03-01 | EUR           | DKK         | 7.47
        5         | 2026-04-01 | DKK           | EUR         | 0
        6         | 2026-04-01 | USD           | EUR         | 0.9
        """,
    ).run("canonical.fx_rate")
    assert world.rows("select from_currency, valid_from::varchar, rate from canonical.fx_rate order by all") == [
        ("EUR", "2026-01-01", Decimal("7.4626865672")),  # 1 / 0.1340
        ("EUR", "2026-02-01", Decimal("7.46")),
        ("EUR", "2026-03-01", Decimal("7.47")),
    ]


def test_a_rate_that_its_source_took_back_does_not_count(world: Example) -> None:
    rates(
        world,
        """
        source_id | day        | from_currency | to_currency | rate | is_deleted
        1         | 2026-01-01 | EUR           | DKK         | 7.45 | false
        2         | 2026-01-02 | EUR           | DKK         | 74.6 | true
        """,
    ).run("canonical.fx_rate")
    assert world.rows("select rate from canonical.fx_rate") == [(Decimal("7.45"),)]


def test_amounts_in_the_projects_own_currency_need_no_rate_and_no_rate_changes_them(example: MakeExample) -> None:
    found = []
    for given_rates in (
        "",
        "\n1 | 2026-05-01 | DKK | DKK | 2\n2 | 2026-05-01 | EUR | DKK | 7.46\n3 | 2026-05-01 | DKK | EUR | 0.5",
    ):
        world = example().put("account", ACCOUNTS).put("account", BILLED)
        if given_rates:
            rates(world, f"source_id | day | from_currency | to_currency | rate{given_rates}")
        mixed(world, "DKK", "DKK").run("value.revenue", "value.days_beyond_terms", "value.discount_depth")
        found.append(
            [
                world.rows(f"from value.{table} order by all")
                for table in ("revenue", "days_beyond_terms", "discount_depth")
            ]
        )
    assert found[0] == found[1]
    assert found[0][0] and found[0][1] and found[0][2]


def mixed(world: Example, first: str, second: str) -> Example:
    """Two invoices of May in these currencies: 125 with tax, paid 10 days late, and 375, 30 days late at the end of June.
    Each has a line for May and June, 90 and 240, with 10 and 60 granted."""
    invoices(
        world,
        f"""
        source_id | source_account_id | issued_on  | due_on     | paid_on    | net | tax | gross | currency | collection
        i1        | b1                | 2026-05-01 | 2026-05-10 | 2026-05-20 | 100 | 25  | 125   | {first}  | sent
        i2        | b1                | 2026-05-01 | 2026-05-31 | -          | 300 | 75  | 375   | {second} | sent
        """,
    )
    return world.put(
        "invoice_line",
        f"""
        source_system | source_id | invoice_source_id | kind      | net | discount_amount | period_start_on | period_end_on | currency
        bill          | l1        | i1                | recurring | 90  | 10              | 2026-05-01      | 2026-07-01    | {first}
        bill          | l2        | i2                | recurring | 240 | 60              | 2026-05-01      | 2026-07-01    | -
        """,
    )


EURO = "source_id | day | from_currency | to_currency | rate\n1 | 2026-05-01 | EUR | DKK | 8"


def measured(world: Example) -> tuple[Any, ...]:
    """Revenue of May and why there is none, days beyond terms and granted discount."""
    world.run("value.revenue", "value.days_beyond_terms", "value.discount_depth")
    ((mrr, reason),) = world.rows("select mrr, reason from value.revenue where month = '2026-05-01'")
    ((late,),) = world.rows("select raw_value from value.days_beyond_terms where month = '2026-06-01'")
    ((discount,),) = world.rows("select raw_value from value.discount_depth where month = '2026-06-01'")
    return mrr, reason, late, discount


def test_amounts_of_two_currencies_are_added_in_the_projects(world: Example) -> None:
    """At 8 kroner to the euro: half of 90 and of 240 * 8; weights 125 and 375 * 8; discounts 10 and 60 * 8 of 100 and 300 * 8."""
    rates(world, EURO)
    assert measured(mixed(world, "DKK", "EUR")) == (
        Decimal(1005),
        None,
        pytest.approx((10 * 125 + 30 * 3000) / 3125),
        pytest.approx(490 / 2500),
    )


def test_without_a_rate_they_are_not_added_and_the_reason_is_told(world: Example) -> None:
    mixed(world, "DKK", "EUR").run("value.mrr_month")
    assert world.rows(
        "select mrr, in_currency, without_currency, without_rate from value.mrr_month where month = '2026-05-01'"
    ) == [(Decimal(45), 1, 0, 1)]
    assert measured(world) == (None, "fx_missing", None, None)
    assert world.rows("select n from value.days_beyond_terms where month = '2026-06-01'") == [(2,)]


def test_where_all_amounts_are_in_one_currency_lateness_and_discount_need_no_rate(world: Example) -> None:
    mrr, reason, late, discount = measured(mixed(world, "EUR", "EUR"))
    assert (mrr, reason) == (None, "fx_missing")
    assert (late, discount) == (pytest.approx((10 * 125 + 30 * 375) / 500), pytest.approx(70 / 400))


def test_every_measure_of_money_says_that_a_rate_is_missing(example: MakeExample) -> None:
    new = ACCOUNTS.replace("2025-01-01", "2026-05-01")
    world = example().put("account", new).put("account", BILLED)
    mixed(world, "DKK", "EUR").run("scores.judged")
    measures = ("mrr", "nrr", "grr", "days_beyond_terms", "discount_depth")
    found = world.rows(
        f"select measure_id, raw_value, reason from scores.judged where month = '2026-06-01' and measure_id in {measures}"
    )
    assert sorted(found) == [(measure, None, "fx_missing") for measure in sorted(measures)]


@settings(max_examples=5)
@given(st.decimals(min_value="0.01", max_value=1000, places=4))
def test_whatever_the_rate_lateness_and_discount_in_one_currency_stay_and_revenue_goes_with_it(
    tmp_path_factory: pytest.TempPathFactory, rate: Decimal
) -> None:
    world = Example(tmp_path_factory.mktemp("rate"), "2026-06-30").put("account", ACCOUNTS).put("account", BILLED)
    rates(world, EURO.replace("| 8", f"| {rate}"))
    mrr, _, late, discount = measured(mixed(world, "EUR", "EUR"))
    assert (late, discount) == (pytest.approx(25), pytest.approx(0.175))
    assert abs(mrr - 165 * rate) <= Decimal("0.01")
    world.engine.close()


def test_a_line_takes_the_rate_of_its_invoices_day(world: Example) -> None:
    """The year was invoiced in advance on 1 May, whatever the rate in the months of service."""
    rates(world, EURO + "\n2 | 2026-06-01 | EUR | DKK | 9")
    invoices(world, "source_id | source_account_id | issued_on | currency\ni1 | b1 | 2026-05-01 | EUR")
    world.put(
        "invoice_line",
        """
        source_system | source_id | invoice_source_id | kind      | net  | period_start_on | period_end_on
        bill          | l1        | i1                | recurring | 1200 | 2026-05-01      | 2027-05-01
        """,
    ).run("value.mrr_month")
    assert world.rows("select month::varchar, mrr from value.mrr_month order by month") == [
        ("2026-05-01", Decimal(800)),
        ("2026-06-01", Decimal(800)),
    ]


def test_a_subscriptions_own_amount_is_converted_too(world: Example) -> None:
    rates(world, EURO)
    world.put(
        "subscription",
        """
        source_system | source_id | source_account_id | status | started_on | mrr | currency
        bill          | s1        | b1                | active | 2026-05-10 | 100 | EUR
        bill          | s2        | b1                | active | 2026-05-10 | 50  | DKK
        """,
    ).run("value.mrr_month")
    assert world.rows("select mrr, without_rate from value.mrr_month where month = '2026-05-01'") == [(Decimal(850), 0)]


MINOR = {
    "invoice": {
        "columns": {
            "source_id": {"from": "id"},
            "source_account_id": {"from": "customer"},
            "issued_on": {"from": "day", "type": "date", "format": "iso"},
            "currency": {"from": "currency"},
            "net": {"from": "amount", "type": "money", "unit": "minor"},
        }
    }
}


def test_yen_and_dinars_in_minor_units_are_worth_what_they_are_from_the_file_to_the_month(example: MakeExample) -> None:
    """A yen has no minor unit, a Kuwaiti dinar a thousand fils, a krone a hundred øre."""
    world = example()
    bill = contract("bill", MINOR, kind="billing")
    fx = {
        "fx_rate": {
            "columns": {
                "source_id": {"sql": "from_currency || day"},
                "day": {"from": "day", "type": "date", "format": "iso"},
                "from_currency": {"from": "currency"},
                "to_currency": {"value": "DKK"},
                "rate": {"from": "rate", "type": "rate"},
            }
        }
    }
    desk = contract("desk", fx, recognise={"headers": ["rate"]})
    rows = "".join(f"{code},b1,2026-05-04,{code.lower()},12345\n" for code in ("JPY", "KWD", "DKK"))
    drop(world.project, bill, "bills.csv", f"id,customer,day,currency,amount\n{rows}")
    drop(world.project, desk, "rates.csv", "currency,day,rate\nJPY,2026-05-04,0.0435\nKWD,2026-05-01,20.7\n")
    cast(world, bill, desk).run("canonical.invoice")
    assert world.rows("select currency, net, net_base from canonical.invoice order by 1") == [
        ("DKK", Decimal("123.45"), Decimal("123.45")),
        ("JPY", Decimal(12345), Decimal("537.0075")),
        ("KWD", Decimal("12.345"), Decimal("255.5415")),
    ]


def test_tax_is_in_the_gross_amount_and_never_in_revenue(world: Example) -> None:
    """Net, tax and gross are apart; a missing gross is their sum, and what is not told is not worked out of the rest."""
    rates(world, EURO)
    invoices(
        world,
        """
        source_id | source_account_id | issued_on  | net | tax | gross | currency
        1         | b1                | 2026-05-01 | 100 | 25  | 125   | DKK
        2         | b1                | 2026-05-01 | 100 | 25  | -     | DKK
        3         | b1                | 2026-05-01 | 100 | -   | -     | DKK
        4         | b1                | 2026-05-01 | -   | -   | 125   | DKK
        5         | b1                | 2026-05-01 | 100 | 0   | -     | EUR
        """,
    ).run("canonical.invoice")
    assert world.rows("select net, gross, net_base, gross_base from canonical.invoice order by invoice_id") == [
        (100, 125, 100, 125),
        (100, 125, 100, 125),
        (100, None, 100, None),
        (None, 125, None, 125),
        (100, 100, 800, 800),
    ]


CREDITS = {
    # A type of document says so, and amounts have no sign.
    "by type": (
        {"type": {"from": "type", "helper": True}},
        "type = 'Kreditnota'",
        "id,customer,type,amount\n1,b1,Faktura,100.00\n2,b1,Kreditnota,30.00\n",
    ),
    # Only the sign of the amount says so.
    "by sign": ({}, "amount < 0", "id,customer,amount\n1,b1,100.00\n2,b1,-30.00\n"),
    # It names the invoice that it credits.
    "by link": (
        {"credits_source_id": {"from": "credits"}},
        "credits_source_id is not null",
        "id,customer,credits,amount\n1,b1,,100.00\n2,b1,1,30.00\n",
    ),
}


@pytest.mark.parametrize("way", CREDITS)
def test_a_credit_note_reduces_revenue_however_it_is_told(example: MakeExample, way: str) -> None:
    own, is_credit, text = CREDITS[way]
    shared = {**own, "amount": {"from": "amount", "type": "money", "helper": True}}
    signed = {"sql": f"case when {is_credit} then -abs(amount) else amount end"}
    month = {"period_start_on": {"value": "2026-05-01"}, "period_end_on": {"value": "2026-06-01"}}
    line_only = {name: {**column, "helper": True} for name, column in shared.items()}
    tables = {
        "invoice": {
            "columns": {
                **shared,
                "source_id": {"from": "id"},
                "source_account_id": {"from": "customer"},
                "kind": {"sql": f"case when {is_credit} then 'credit_note' else 'invoice' end"},
                "issued_on": {"value": "2026-05-01"},
                "due_on": {"value": "2026-05-31"},
                "net": signed,
                "gross": signed,
            }
        },
        "invoice_line": {
            "columns": {
                **line_only,
                "source_id": {"from": "id"},
                "invoice_source_id": {"from": "id"},
                "kind": {"value": "recurring"},
                "net": signed,
                **month,
            }
        },
    }
    world = example()
    bill = contract("bill", tables, kind="billing", currency="DKK")
    drop(world.project, bill, "bills.csv", text)
    cast(world, bill).put("account", ACCOUNTS).put("account", BILLED)
    world.run("canonical.invoice", "value.revenue", "value.days_beyond_terms")
    assert world.rows("select kind, net_base from canonical.invoice order by invoice_id") == [
        ("invoice", Decimal(100)),
        ("credit_note", Decimal(-30)),
    ]
    assert world.rows("select mrr from value.revenue where month = '2026-05-01'") == [(Decimal(70),)]
    # A credit is not owed, so it is not late.
    assert world.rows("select n, denominator from value.days_beyond_terms where month = '2026-06-01'") == [(1, 100.0)]


def test_payments_settle_an_invoice_on_the_day_of_the_last_one(world: Example) -> None:
    """
    | invoice          | payments                      | paid on             |
    |------------------|-------------------------------|---------------------|
    | 1 of 125         | 100 on the 1st, 25 on the 9th | the 9th             |
    | 2 of 125         | 100 on the 1st                | open                |
    | 3 of 125         | 124.995 (rounded)             | the 2nd             |
    | 4 of 125         | 124.99                        | open: an øre short  |
    | 5 of 125         | 125, failed                   | open                |
    | 6 of 125         | 130                           | the 3rd             |
    | 7 of 125         | its own day, the 4th          | the 4th             |
    | 8 without amount | 125                           | not known           |
    | 9 of 100 + 25    | 125                           | the 5th             |
    """
    gross = {4: "125", 8: "-", 9: "-"}
    told = "\n".join(
        f"{number} | b1 | 2026-01-01 | {'2026-02-04' if number == 7 else '-'} | "
        f"{'100' if number != 8 else '-'} | {'25' if number != 8 else '-'} | {gross.get(number, '125')} | DKK"
        for number in range(1, 10)
    )
    invoices(world, f"source_id | source_account_id | issued_on | paid_on | net | tax | gross | currency\n{told}")
    world.put(
        "payment",
        """
        source_system | source_id | invoice_source_id | paid_on    | amount  | status    | currency | is_deleted
        bill          | p1        | 1                 | 2026-02-01 | 100     | succeeded | DKK      | -
        bill          | p2        | 1                 | 2026-02-09 | 25      | -         | DKK      | -
        bill          | p3        | 2                 | 2026-02-01 | 100     | succeeded | DKK      | -
        bill          | p4        | 3                 | 2026-02-02 | 124.995 | succeeded | DKK      | -
        bill          | p5        | 4                 | 2026-02-02 | 124.99  | succeeded | DKK      | -
        bill          | p6        | 5                 | 2026-02-02 | 125     | failed    | DKK      | -
        bill          | p7        | 6                 | 2026-02-03 | 130     | succeeded | DKK      | -
        bill          | p8        | 7                 | 2026-02-20 | 125     | succeeded | DKK      | -
        bill          | p9        | 8                 | 2026-02-05 | 125     | succeeded | DKK      | -
        bill          | p10       | 9                 | 2026-02-05 | 125     | succeeded | DKK      | -
        bill          | p11       | 2                 | 2026-02-02 | 25      | succeeded | DKK      | true
        crm           | p12       | 2                 | 2026-02-02 | 25      | succeeded | DKK      | -
        """,
    ).run("canonical.invoice")
    assert world.rows("select day(paid_on) from canonical.invoice order by invoice_id") == [
        (9,), (None,), (2,), (None,), (None,), (3,), (4,), (None,), (5,),
    ]  # fmt: skip


def test_a_payment_in_another_currency_does_not_settle_an_invoice(world: Example) -> None:
    invoices(world, "source_id | issued_on | net | gross | currency\n1 | 2026-01-01 | 80 | 100 | EUR")
    world.put(
        "payment",
        """
        source_system | source_id | invoice_source_id | paid_on    | amount | status    | currency
        bill          | p1        | 1                 | 2026-02-01 | 100    | succeeded | DKK
        """,
    ).run("canonical.invoice")
    assert world.rows("select paid_on from canonical.invoice") == [(None,)]


def test_lateness_ends_with_the_last_part_payment(world: Example) -> None:
    invoices(
        world,
        """
        source_id | source_account_id | issued_on  | due_on     | gross | currency | collection
        1         | b1                | 2026-05-01 | 2026-05-10 | 125   | DKK      | sent
        """,
    )
    world.put(
        "payment",
        """
        source_system | source_id | invoice_source_id | paid_on    | amount
        bill          | p1        | 1                 | 2026-05-12 | 100
        bill          | p2        | 1                 | 2026-05-25 | 25
        """,
    ).run("value.days_beyond_terms")
    assert world.rows("select raw_value from value.days_beyond_terms where month = '2026-06-01'") == [(15.0,)]
