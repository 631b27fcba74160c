"""Worked examples of the value measures, and the laws that hold for any revenue."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter

from tests.tables import Example

MakeExample = Callable[..., Example]

BILLED = """
source_system | source_id | external_id
bill          | b1        | A
desk          | o1        | A
"""
INVOICE = "source_system | source_id | source_account_id | kind | issued_on | due_on | paid_on | gross | net | currency | status | collection\n"
LINE = "source_system | source_id | invoice_source_id | kind | net | discount_amount | period_start_on | period_end_on | currency | quantity\n"
TICKET = (
    "source_system | source_id | source_account_id | type | status | created_at | solved_at | first_response_min | "
    "full_resolution_min | csat | reopens\n"
)


@pytest.fixture
def world(example: MakeExample) -> Example:
    """One company, customer since January 2025, known to billing and helpdesk."""
    made = example().put("account", "source_id | name | customer_since\nA | Alfa | 2025-01-01")
    return made.put("account", BILLED)


def month_line(
    month: int, net: str, year: int = 2026, currency: str = "DKK", discount: str = "0", kind: str = "recurring"
) -> str:
    after = f"{year + month // 12}-{month % 12 + 1:02d}-01"
    start = f"{year}-{month:02d}-01"
    return f"bill | l{year}{month}{kind}{currency}{net} | i{year}{month} | {kind} | {net} | {discount} | {start} | {after} | {currency} | 5"


def month_invoice(month: int, year: int = 2026) -> str:
    return f"bill | i{year}{month} | b1 | invoice | {year}-{month:02d}-01 | - | - | - | - | DKK | paid | sent"


def billed(world: Example, lines: list[str], invoices: list[str]) -> Example:
    return world.put("invoice", INVOICE + "\n".join(invoices)).put("invoice_line", LINE + "\n".join(lines))


def revenue(world: Example) -> dict[str, Decimal | None]:
    world.run("value.revenue")
    return {str(month)[:7]: mrr for month, mrr in world.rows("select month, mrr from value.revenue order by month")}


def test_a_year_paid_at_once_is_a_twelfth_in_each_of_its_months(world: Example) -> None:
    line = "bill | l1 | i20261 | recurring | 12000 | 0 | 2025-07-01 | 2026-07-01 | DKK | 5"
    found = revenue(billed(world, [line], [month_invoice(1)]))
    assert {month: mrr for month, mrr in found.items() if mrr} == {
        **{f"2025-{month:02d}": Decimal("1000.00") for month in range(7, 13)},
        **{f"2026-{month:02d}": Decimal("1000.00") for month in range(1, 7)},
    }


def test_usage_and_one_off_lines_are_no_recurring_revenue(world: Example) -> None:
    lines = [month_line(5, "100"), month_line(5, "70", kind="usage"), month_line(5, "50", kind="one_off")]
    assert revenue(billed(world, lines, [month_invoice(5)]))["2026-05"] == Decimal("100.00")


def test_a_discount_for_a_period_is_taken_off_and_one_without_a_period_is_not(world: Example) -> None:
    lines = [month_line(5, "100"), month_line(5, "-15", kind="discount")]
    lines.append("bill | once | i20265 | discount | -7 | 0 | - | - | DKK | 1")
    assert revenue(billed(world, lines, [month_invoice(5)]))["2026-05"] == Decimal("85.00")


def test_a_broken_period_counts_by_its_days(world: Example) -> None:
    # 15 days from 17 May to 1 June, and in force on 31 May.
    line = "bill | l1 | i20265 | recurring | 150 | 0 | 2026-05-17 | 2026-06-01 | DKK | 5"
    assert revenue(billed(world, [line], [month_invoice(5)]))["2026-05"] == Decimal(str(round(150 * 30.4375 / 15, 2)))


def test_an_amount_in_another_currency_is_not_added_but_named(world: Example) -> None:
    billed(world, [month_line(5, "100"), month_line(5, "100", currency="EUR")], [month_invoice(5)]).run("value.revenue")
    assert world.rows("select mrr, reason from value.revenue where month = '2026-05-01'") == [(None, "fx_missing")]


def test_a_subscription_counts_where_there_are_no_lines(world: Example) -> None:
    world.put(
        "subscription",
        """
        source_system | source_id | source_account_id | status | started_on | ended_on   | mrr | currency | is_trial
        bill          | s1        | b1                | active | 2026-02-15 | 2026-05-10 | 300 | DKK      | false
        bill          | s2        | b1                | active | 2026-02-15 | -          | 999 | DKK      | true
        """,
    )
    found = revenue(world)
    assert [found[f"2026-{month:02d}"] for month in range(2, 7)] == [300, 300, 300, 0, 0]


def test_net_and_gross_retention_and_zero_after_churn(world: Example) -> None:
    lines = [month_line(month, "100", 2025) for month in range(1, 13)] + [month_line(1, "150"), month_line(2, "80")]
    invoices = [month_invoice(month, 2025) for month in range(1, 13)] + [month_invoice(1), month_invoice(2)]
    billed(world, lines, invoices).run("value.nrr", "value.grr")
    nrr = dict(world.rows("select strftime(month, '%Y-%m'), raw_value from value.nrr"))
    grr = dict(world.rows("select strftime(month, '%Y-%m'), raw_value from value.grr"))
    assert (nrr["2026-01"], grr["2026-01"]) == (1.5, 1.0)
    assert (nrr["2026-02"], grr["2026-02"]) == (0.8, 0.8)
    assert (nrr["2026-06"], grr["2026-06"]) == (0.0, 0.0)
    # Nothing to retain in the first six months of data.
    assert nrr["2025-03"] is None


def test_the_bridge_names_every_movement_and_closes(world: Example) -> None:
    amounts = {2: "100", 3: "150", 4: "80", 6: "60"}
    lines = [month_line(month, net) for month, net in amounts.items()]
    billed(world, lines, [month_invoice(month) for month in amounts]).run("mart.mrr_bridge")
    bridge = world.rows(
        "select strftime(month, '%m'), opening, new, reactivated, expanded, contracted, churned, closing "
        "from mart.mrr_bridge where month >= '2026-01-01' order by month"
    )
    assert [tuple(map(str, row)) for row in bridge] == [
        # A customer since 2025, first seen in February: its revenue was there before the data.
        ("02", "100.00", "0.00", "0.00", "0.00", "0.00", "0.00", "100.00"),
        ("03", "100.00", "0.00", "0.00", "50.00", "0.00", "0.00", "150.00"),
        ("04", "150.00", "0.00", "0.00", "0.00", "-70.00", "0.00", "80.00"),
        ("05", "80.00", "0.00", "0.00", "0.00", "0.00", "-80.00", "0.00"),
        ("06", "0.00", "0.00", "60.00", "0.00", "0.00", "0.00", "60.00"),
    ]


def test_a_customers_first_revenue_is_new(example: MakeExample) -> None:
    world = example().put("account", "source_id | name | customer_since\nA | Alfa | 2026-05-01").put("account", BILLED)
    billed(world, [month_line(5, "100"), month_line(6, "100")], [month_invoice(5), month_invoice(6)])
    world.run("mart.mrr_bridge")
    assert world.rows("select opening, new, closing from mart.mrr_bridge order by month") == [
        (0, 100, 100),
        (100, 0, 100),
    ]


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amounts=st.lists(st.integers(0, 3).map(lambda step: step * 10_050), min_size=18, max_size=18))
def test_whatever_the_revenue_the_bridge_closes_and_gross_never_exceeds_net(
    tmp_path_factory: pytest.TempPathFactory, amounts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("bridge")
    world = Example(folder, "2026-06-30")
    world.put("account", "source_id | name | customer_since\nA | Alfa | 2025-01-01").put("account", BILLED)
    months = [(2025 + place // 12, place % 12 + 1) for place in range(18)]
    lines = [
        month_line(month, str(Decimal(net) / 100), year) for (year, month), net in zip(months, amounts, strict=True)
    ]
    billed(world, lines, [month_invoice(month, year) for year, month in months])
    world.run("mart.mrr_bridge", "value.nrr", "value.grr")
    assert (
        world.rows(
            "select * from mart.mrr_bridge "
            "where abs(opening + new + reactivated + expanded + contracted + churned - closing) > 0.005"
        )
        == []
    )
    assert (
        world.rows(
            "select * from value.grr join value.nrr using (account_id, month) "
            "where grr.raw_value > 1 or grr.raw_value > nrr.raw_value"
        )
        == []
    )
    world.engine.close()


def test_lateness_is_weighted_by_amount_and_open_invoices_count_to_the_windows_end(world: Example) -> None:
    world.put(
        "invoice",
        INVOICE
        + """bill | i1 | b1 | invoice | 2026-01-01 | 2026-02-01 | 2026-02-11 | 100 | 80 | DKK | paid | sent
        bill | i2 | b1 | invoice | 2026-02-01 | 2026-03-01 | 2026-02-20 | 300 | 240 | DKK | paid | sent
        bill | i3 | b1 | invoice | 2026-05-01 | 2026-05-31 | - | 100 | 80 | DKK | open | sent
        bill | i4 | b1 | invoice | 2026-05-01 | 2026-05-31 | - | 900 | 720 | DKK | open | auto""",
    ).run("value.days_beyond_terms")
    # 10 days on 100, paid early (0 days) on 300, 30 days open on 100 at the end of June; the automatic one is left out.
    found = world.rows("select n, raw_value from value.days_beyond_terms where month = '2026-06-01'")
    assert found == [(3, pytest.approx((10 * 100 + 30 * 100) / 500))]


def test_what_was_paid_after_a_month_was_still_open_in_it(world: Example) -> None:
    world.put(
        "invoice",
        INVOICE + "bill | i1 | b1 | invoice | 2026-01-01 | 2026-02-01 | 2026-05-31 | 100 | 80 | DKK | paid | sent",
    )
    world.run("value.days_beyond_terms")
    found = dict(world.rows("select strftime(month, '%m'), raw_value from value.days_beyond_terms"))
    assert found["02"] == 27 and found["06"] == 119


def test_granted_discount_is_a_share_of_the_price_before_it(world: Example) -> None:
    billed(world, [month_line(5, "90", discount="10"), month_line(6, "100")], [month_invoice(5), month_invoice(6)])
    world.run("value.discount_depth")
    assert world.rows("select raw_value from value.discount_depth where month = '2026-06-01'") == [
        (pytest.approx(0.05),)
    ]


def ticket(number: int, created: str, minutes: float | None, *, csat: str = "-", reopens: str = "0") -> str:
    solved = "-" if minutes is None else f"{created[:10]} 23:59"
    shown = "-" if minutes is None else str(minutes)
    return f"desk | t{number} | o1 | question | {'open' if minutes is None else 'solved'} | {created} | {solved} | {number * 10} | {shown} | {csat} | {reopens}"


def test_first_response_is_the_median_of_the_windows_tickets(world: Example) -> None:
    world.put("ticket", TICKET + "\n".join(ticket(number, "2026-05-01 08:00", 60.0) for number in range(1, 6)))
    world.run("value.first_response")
    n, raw, error = world.rows("select n, raw_value, raw_error from value.first_response where month = '2026-06-01'")[0]
    logs = [math.log(number * 10 + 1) for number in range(1, 6)]
    deviation = math.sqrt(sum((value - sum(logs) / 5) ** 2 for value in logs) / 4)
    assert (n, raw) == (5, 30.0)
    assert error == pytest.approx(1.2533 * deviation / math.sqrt(5), rel=1e-6)


def test_satisfaction_and_reopenings_count_only_what_was_recorded(world: Example) -> None:
    rows = [
        ticket(1, "2026-05-01 08:00", 60.0, csat="1"),
        ticket(2, "2026-05-01 08:00", 60.0, csat="0.75", reopens="2"),
        ticket(3, "2026-05-01 08:00", 60.0, csat="0.5"),
        ticket(4, "2026-05-01 08:00", 60.0, reopens="-"),
        ticket(5, "2026-05-01 08:00", None, reopens="1"),
    ]
    world.put("ticket", TICKET + "\n".join(rows)).run("value.csat", "value.reopen_rate")
    assert world.rows("select numerator, denominator from value.csat where month = '2026-06-01'") == [(2.0, 3.0)]
    assert world.rows("select numerator, denominator from value.reopen_rate where month = '2026-06-01'") == [(1.0, 3.0)]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(times=st.lists(st.tuples(st.integers(1, 29), st.one_of(st.none(), st.integers(1, 40))), min_size=1, max_size=12))
def test_the_median_resolution_is_that_of_kaplan_and_meier(
    tmp_path_factory: pytest.TempPathFactory, times: list[tuple[int, int | None]]
) -> None:
    """Against lifelines: tickets opened on a day of June, solved some hours later or open at its end."""
    folder = tmp_path_factory.mktemp("km")
    world = Example(folder, "2026-06-30", timezone="UTC")
    world.put("account", "source_id | name | customer_since\nA | Alfa | 2025-01-01").put("account", BILLED)
    rows = []
    for number, (day, days_open) in enumerate(times):
        solved = (
            f"2026-{6 + (day + days_open - 1) // 30:02d}-{(day + days_open - 1) % 30 + 1:02d} 12:00"
            if days_open
            else "-"
        )
        minutes = str(days_open * 1440) if days_open else "-"
        rows.append(
            f"desk | t{number} | o1 | question | open | 2026-06-{day:02d} 12:00 | {solved} | 1 | {minutes} | - | 0"
        )
    world.put("ticket", TICKET + "\n".join(rows)).run("value.full_resolution")
    durations = [
        min(days_open * 1440.0 if days_open else math.inf, (31 - day) * 1440.0 - 720.0) for day, days_open in times
    ]
    observed = [bool(days_open) and day + (days_open or 0) <= 30 for day, days_open in times]
    expected = KaplanMeierFitter().fit(durations, observed).median_survival_time_
    found = world.rows("select raw_value from value.full_resolution where month = '2026-06-01'")[0][0]
    assert found == (None if math.isinf(expected) else pytest.approx(expected))
    world.engine.close()


def test_a_churned_account_stays_and_carries_its_last_paid_months(world: Example) -> None:
    lines = [month_line(month, "100", 2025) for month in range(1, 13)]
    billed(world, lines, [month_invoice(month, 2025) for month in range(1, 13)])
    world.put("ticket", TICKET + "\n".join(ticket(number, "2025-11-03 08:00", 60.0) for number in range(1, 6)))
    world.run("value.first_response", "value.window")
    assert world.rows("select n, raw_value from value.first_response where month = '2026-06-01'") == [(5, 30.0)]
    assert world.rows("select is_churned, window_end::varchar from value.window where month = '2026-06-01'") == [
        (True, "2025-12-01")
    ]
