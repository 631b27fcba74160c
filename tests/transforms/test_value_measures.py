"""A worked example of every other measure of value: drawn rows in, a value out that can be checked by hand."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from scipy.special import hyp2f1

from tests.tables import Example
from transforms.lifetimes import beta_geometric, residual_lifetime

MakeExample = Callable[..., Example]

KNOWN = """
source_system | source_id | external_id
bill          | b1        | A
desk          | o1        | A
"""
INVOICE = "source_system | source_id | source_account_id | kind | issued_on | due_on | paid_on | gross | net | currency | status | collection\n"
LINE = "source_system | source_id | invoice_source_id | kind | product | quantity | net | discount_amount | period_start_on | period_end_on | currency\n"
TICKET = "source_system | source_id | source_account_id | status | created_at | solved_at | {columns}\n"
JUNE = "month = '2026-06-01'"
LONG_AGO = "2025-01-03 09:00 | 2025-01-04 09:00 | 5"  # so that the source reaches back


@pytest.fixture
def world(example: MakeExample) -> Example:
    return known(example(costs={"support_hour": 600}))


def known(world: Example) -> Example:
    """One company, customer since January 2025, known to billing and helpdesk."""
    world.put("account", "source_id | name | customer_since\nA | Alfa | 2025-01-01")
    return world.put("account", KNOWN)


def billed(world: Example, *months: tuple[int, str, int, str]) -> Example:
    """One invoice and one recurring line for each (month of 2026, product, seats, net)."""
    after = {month: f"2026-{month + 1:02d}-01" for month, *_ in months}
    invoices = {
        month: f"bill | i{month} | b1 | invoice | 2026-{month:02d}-01 | - | - | - | - | DKK | paid | sent"
        for month, *_ in months
    }
    lines = [
        f"bill | l{month}{product} | i{month} | recurring | {product} | {seats} | {net} | 0 | 2026-{month:02d}-01 | {after[month]} | DKK"
        for month, product, seats, net in months
    ]
    world.put("invoice", INVOICE + "\n".join(invoices.values()))
    return world.put("invoice_line", LINE + "\n".join(lines))


def tickets(world: Example, columns: str, *rows: str) -> Example:
    """Tickets of Alfa: each row is `created | solved | ` and the named columns."""
    lines = [
        f"desk | t{number} | o1 | {'open' if row.split('|')[1].strip() == '-' else 'solved'} | {row}"
        for number, row in enumerate(rows)
    ]
    return world.put("ticket", TICKET.format(columns=columns) + "\n".join(lines))


def june(world: Example, measure: str, columns: str = "numerator, denominator, n, raw_value") -> tuple[Any, ...] | None:
    """The measure's row of June 2026, in floating point."""
    world.run(f"value.{measure}")
    rows = world.rows(f"select {columns} from value.{measure} where {JUNE}")
    return tuple(None if cell is None else float(cell) for cell in rows[0]) if rows else None


def judged(world: Example, measure: str) -> tuple[Any, ...]:
    world.run("mart.account_month_measure")
    return world.rows(
        f"select value, status, reason from mart.account_month_measure where measure_id = '{measure}' and {JUNE}"
    )[0]


# What the supplier gets ----------------------------------------------------------------------------------------------


def test_price_uplift_and_expansion_part_what_grew(world: Example) -> None:
    """10 seats at 100 became 12 at 110: 1000 + 2 * 100 by volume ... + 12 * 10 by price = 1320."""
    billed(world, (1, "base", 10, "1000"), *((month, "base", 12, "1320") for month in range(2, 7)))
    world.put("invoice", INVOICE + "bill | i12 | b1 | invoice | 2025-12-01 | - | - | - | - | DKK | paid | sent")
    world.put(
        "invoice_line", LINE + "bill | l12 | i12 | recurring | base | 10 | 1000 | 0 | 2025-12-01 | 2026-01-01 | DKK"
    )
    assert june(world, "price_uplift") == (pytest.approx(120), 1000, 1, pytest.approx(0.12))
    assert june(world, "expansion_rate") == (pytest.approx(200), 1000, 1, pytest.approx(0.2))


def test_a_swap_of_plans_is_volume_and_what_shrank_expands_nothing(world: Example) -> None:
    world.put("invoice", INVOICE + "bill | i12 | b1 | invoice | 2025-12-01 | - | - | - | - | DKK | paid | sent")
    world.put(
        "invoice_line", LINE + "bill | l12 | i12 | recurring | small | 10 | 1000 | 0 | 2025-12-01 | 2026-01-01 | DKK"
    )
    billed(world, *((month, "large", 10, "900") for month in range(1, 7)))
    assert june(world, "price_uplift") == (0, 1000, 1, 0)
    assert june(world, "expansion_rate") == (0, 1000, 1, 0)


def test_a_customer_that_paid_at_the_opening_and_pays_no_more_is_lost_once(world: Example) -> None:
    billed(world, *((month, "base", 1, "100") for month in range(1, 4)))
    world.run("value.logo_churn")
    found = world.rows(
        "select strftime(month, '%Y-%m'), raw_value from value.logo_churn where month >= '2026-03-01' order by month"
    )
    # Nothing was paid half a year before March to May: there was no customer to lose.
    assert found == [("2026-03", None), ("2026-04", None), ("2026-05", None), ("2026-06", None)]


def test_lost_customers_over_those_that_paid_at_the_opening(example: MakeExample) -> None:
    world = known(example())
    world.put(
        "invoice",
        INVOICE
        + "\n".join(
            f"bill | i{m} | b1 | invoice | 2025-{m:02d}-01 | - | - | - | - | DKK | paid | sent" for m in range(10, 13)
        ),
    )
    world.put(
        "invoice_line",
        LINE
        + "\n".join(
            f"bill | l{m} | i{m} | recurring | base | 1 | 100 | 0 | 2025-{m:02d}-01 | {'2026-01' if m == 12 else f'2025-{m + 1:02d}'}-01 | DKK"
            for m in range(10, 13)
        ),
    )
    world.run("value.logo_churn")
    found = dict(world.rows("select strftime(month, '%Y-%m'), raw_value from value.logo_churn"))
    assert (found["2026-01"], found["2026-04"], found["2026-05"], found["2026-06"]) == (None, 1.0, 1.0, 1.0)


def test_contribution_is_revenue_less_work_at_the_rate_of_an_hour(world: Example) -> None:
    """6 months of 1000 and 90 minutes at 600 an hour: (6000 - 900) / 6000."""
    billed(world, *((month, "base", 1, "1000") for month in range(1, 7)))
    tickets(
        world,
        "effort_min",
        LONG_AGO,
        "2026-02-03 09:00 | 2026-02-04 09:00 | 60",
        "2026-05-03 09:00 | 2026-05-04 09:00 | 30",
    )
    assert june(world, "contribution_margin") == (5100, 6000, 6, pytest.approx(0.85))
    assert judged(world, "contribution_margin") == (pytest.approx(0.85), "ok", None)


def test_work_that_is_hardly_recorded_is_not_taken_for_none(world: Example) -> None:
    billed(world, *((month, "base", 1, "1000") for month in range(1, 7)))
    tickets(
        world,
        "effort_min",
        LONG_AGO,
        "2026-02-03 09:00 | 2026-02-04 09:00 | 60",
        "2026-05-03 09:00 | 2026-05-04 09:00 | -",
    )
    assert june(world, "contribution_margin") == (5400, 6000, 6, None)
    assert judged(world, "contribution_margin") == (None, "thin", "below_min_n")


def test_without_a_rate_there_is_no_contribution(example: MakeExample) -> None:
    world = billed(known(example()), *((month, "base", 1, "1000") for month in range(1, 7)))
    tickets(world, "effort_min", "2026-02-03 09:00 | 2026-02-04 09:00 | 60")
    assert judged(world, "contribution_margin") == (None, "null", "source_not_connected")


def test_days_sales_outstanding_is_the_unpaid_over_the_invoiced(world: Example) -> None:
    """181 days from January to June: 1000 unpaid of the window's 3000, and 500 from before: 181 * 1500 / 3000."""
    world.put(
        "invoice",
        INVOICE
        + """bill | i0 | b1 | invoice | 2025-11-01 | - | - | 500 | 400 | DKK | open | sent
        bill | i1 | b1 | invoice | 2026-01-01 | - | 2026-02-01 | 2000 | 1600 | DKK | paid | sent
        bill | i2 | b1 | invoice | 2026-06-01 | - | 2026-07-05 | 1000 | 800 | DKK | paid | sent
        bill | i3 | b1 | invoice | 2026-06-01 | - | - | 9000 | 800 | DKK | written_off | sent""",
    )
    assert june(world, "dso") == (181 * 1500, 3000, 2, pytest.approx(90.5))


def test_advocacy_counts_what_a_customer_does_for_our_name(world: Example) -> None:
    world.put(
        "cocreation_event",
        """
        source_id | source_account_id | kind           | occurred_at
        e1        | A                 | reference      | 2026-02-01 10:00
        e2        | A                 | case_study     | 2026-03-01 10:00
        e3        | A                 | beta           | 2026-03-01 10:00
        e4        | A                 | reference      | 2025-03-01 10:00
        """,
    )
    assert june(world, "advocacy") == (2, pytest.approx(181 / 90), 181, pytest.approx(180 / 181))


# How long customers stay ---------------------------------------------------------------------------------------------

# P. S. Fader, B. G. S. Hardie, "How to project customer retention", Journal of Interactive Marketing 21, 2007, table 1: of
# 1000 customers those that were left after each year, and the estimates from the first seven of them.
REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241]
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491]


@pytest.mark.parametrize(("left", "alpha", "beta"), [(REGULAR, 0.704, 1.182), (HIGH_END, 0.668, 3.806)])
def test_lifetimes_are_fitted_as_published(left: list[int], alpha: float, beta: float) -> None:
    lost = [before - after for before, after in pairwise(left)]
    found = beta_geometric(range(1, len(left)), left[1:], lost)
    assert found == (pytest.approx(alpha, abs=5e-4), pytest.approx(beta, abs=5e-4))


def test_where_nobody_left_nothing_is_estimated() -> None:
    assert beta_geometric([1, 2], [10, 10], [0, 0]) is None
    assert beta_geometric([1], [0], [10]) is None


@given(st.floats(0.3, 5), st.floats(0.5, 30), st.integers(1, 60), st.floats(0.05, 0.3))
def test_the_residual_lifetime_is_the_published_one(alpha: float, beta: float, tenure: int, rate: float) -> None:
    """Fader and Hardie, Marketing Science 29, 2010, eq. 6, in Gauss's hypergeometric function."""
    discount = (1 + rate) ** (-1 / 12)
    n = float(tenure)
    published = (beta + n - 1) / (alpha + beta + n - 1) * hyp2f1(1, beta + n, alpha + beta + n, discount)
    found = residual_lifetime(*(np.array([each]) for each in (alpha, beta, n, rate)))[0]
    assert found == pytest.approx(published, rel=5e-3)


def test_lifetime_value_is_revenue_times_the_months_to_come_and_nothing_after_churn(example: MakeExample) -> None:
    """Thirty customers since January 2025; fifteen left after one to five months. The model is the one of all."""
    world = example()
    numbers = range(30)
    months = {number: 18 if number < 15 else number % 5 + 1 for number in numbers}
    world.put(
        "account",
        "source_id | name | customer_since | segment\n"
        + "\n".join(f"A{n} | Alfa {n} | 2025-01-01 | s" for n in numbers),
    )
    world.put(
        "subscription",
        "source_id | source_account_id | status | started_on | ended_on | mrr | currency | quantity\n"
        + "\n".join(
            f"s{n} | A{n} | active | 2025-01-01 | {'-' if months[n] == 18 else f'2025-{months[n] + 1:02d}-01'} | 100 | DKK | 1"
            for n in numbers
        ),
    )
    world.run("value.clv")
    kept = [sum(months[n] > tenure for n in numbers) for tenure in range(1, 18)]
    lost = [sum(months[n] == tenure for n in numbers) for tenure in range(1, 18)]
    alpha, beta = beta_geometric(range(1, 18), kept, lost)
    expected = residual_lifetime(*(np.array([each]) for each in (alpha, beta, 18.0, 0.1)))[0]
    found = dict(world.rows(f"select account_id, raw_value from value.clv where {JUNE}"))
    assert found["crm:A0"] == pytest.approx(100 * expected, rel=1e-6)
    assert found["crm:A29"] == 0
    assert world.rows(f"select distinct n from value.clv where {JUNE}") == [(15,)]


# What the customer gets ----------------------------------------------------------------------------------------------


def test_a_ticket_that_nobody_answered_is_censored_not_left_out(world: Example) -> None:
    """Answered after 10, 20 and 30 minutes; two still wait. Half are answered at 30 minutes, not at 20."""
    tickets(
        world,
        "first_response_min",
        *(f"2026-06-0{day} 08:00 | - | {minutes}" for day, minutes in enumerate(("10", "20", "30", "-", "-"), start=1)),
    )
    assert june(world, "first_response") == (3, 5, 5, 30)


def test_a_ticket_answered_after_the_window_waited_in_it(world: Example) -> None:
    tickets(
        world,
        "first_response_min",
        "2026-05-31 08:00 | - | 100000",
        "2026-05-30 08:00 | - | 5",
        "2026-05-30 09:00 | - | 7",
    )
    world.run("value.first_response")
    found = world.rows("select numerator, denominator, raw_value from value.first_response where month = '2026-05-01'")
    assert found == [(2, 3, 7)]


def test_a_ticket_over_two_schedules_counts_by_each(tmp_path_factory: pytest.TempPathFactory) -> None:
    """fivetran/dbt_zendesk, DECISIONLOG, "Business Time Metrics", ticket 941606: 538.37 and 421.42 minutes of Chicago and .35
    of San Francisco. The log prints 959.46, for it reads 1 m 25 s as 1.25 minutes."""
    week = ("mon", "tue", "wed", "thu", "fri")
    calendars = {
        "Level 1 Chicago": {
            "timezone": "America/Chicago",
            "hours": {day: ["07:00-21:00"] for day in (*week, "sat", "sun")},
        },
        "Level 2 San Francisco": {"timezone": "America/Los_Angeles", "hours": {day: ["08:00-17:30"] for day in week}},
    }
    world = Example(tmp_path_factory.mktemp("schedules"), "2020-12-31", calendars=calendars)
    world.put(
        "ticket",
        """
        source_system | source_id | status | created_at          | first_response_at   | solved_at           | first_response_business_min
        desk          | 941606    | solved | 2020-09-29 17:01:38 | 2020-09-30 19:01:46 | 2020-10-01 15:03:44 | 5
        """,
    )
    world.put(
        "history",
        """
        source_system | source_id | entity | entity_source_id | field    | new                   | changed_at
        desk          | h1        | ticket | 941606           | calendar | Level 1 Chicago       | 2020-09-29 17:01:38
        desk          | h2        | ticket | 941606           | calendar | Level 2 San Francisco | 2020-09-30 19:01:25
        desk          | h3        | ticket | 941606           | calendar | 360000310393          | 2020-09-30 19:01:25
        desk          | h4        | ticket | 941606           | priority | Level 1 Chicago       | 2020-09-30 19:01:26
        """,
    )
    world.run("canonical.ticket")
    ((first, full),) = world.rows(
        "select first_response_business_min, full_resolution_business_min from canonical.ticket"
    )
    assert first == pytest.approx(960.1333, abs=1e-3)
    # And on, by San Francisco's hours: to 00:30 UTC, and from 15:00 to 15:03:44.
    assert full == pytest.approx(538 + 22 / 60 + 421 + 25 / 60 + (5 * 60 + 28 + 35 / 60) + 3 + 44 / 60, abs=1e-3)
    world.engine.close()


def test_minutes_by_a_calendar_that_is_not_known_are_not_none(tmp_path_factory: pytest.TempPathFactory) -> None:
    calendars = {"office": {"hours": {"tue": ["08:00-16:00"]}}}
    world = Example(tmp_path_factory.mktemp("unknown"), "2026-06-30", calendars=calendars)
    world.put(
        "ticket",
        "source_system | source_id | status | created_at | first_response_at\ndesk | t1 | open | 2026-06-02 08:00 | 2026-06-02 12:00",
    )
    world.put(
        "history",
        """
        source_system | source_id | entity | entity_source_id | field    | old    | new    | changed_at
        desk          | h1        | ticket | t1               | calendar | closed | office | 2026-06-02 09:00
        """,
    )
    world.run("canonical.ticket")
    assert world.rows("select first_response_business_min from canonical.ticket") == [(None,)]
    world.engine.close()


def test_satisfaction_has_wilsons_interval_and_the_response_rate_beside_it(world: Example) -> None:
    rated = ["2026-05-01 08:00 | 2026-05-01 09:00 | 1 | rated"] * 81 + [
        "2026-05-01 08:00 | 2026-05-01 09:00 | 0 | rated"
    ] * 182
    tickets(
        world,
        "csat | csat_state",
        "2024-12-01 08:00 | - | - | not_offered",
        *rated,
        *["2026-05-01 08:00 | 2026-05-01 09:00 | - | offered"] * 37,
        "2026-05-01 08:00 | 2026-05-01 09:00 | - | not_offered",
    )
    assert june(world, "csat_response_rate") == (263, 300, 300, pytest.approx(263 / 300))
    world.run("mart.account_month_measure")
    low, high = world.rows(
        f"select raw_low, raw_high from mart.account_month_measure where measure_id = 'csat' and {JUNE}"
    )[0]
    # 81 of 263: R. G. Newcombe, Statistics in Medicine 17, 1998.
    assert (low, high) == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))


def test_ratings_of_a_survey_count_once(world: Example) -> None:
    """One of a ticket that has none itself, one of no ticket; the ticket's own rating is believed first."""
    tickets(
        world,
        "csat | csat_state",
        "2026-05-01 08:00 | 2026-05-01 09:00 | 1 | rated",
        "2026-05-02 08:00 | 2026-05-02 09:00 | - | offered",
    )
    world.put(
        "survey_response",
        """
        source_system | source_id | source_account_id | ticket_source_id | instrument | score | answered_at
        desk          | r1        | o1                | t0               | csat       | 0     | 2026-05-03 08:00
        desk          | r2        | o1                | t1               | csat       | 0.75  | 2026-05-03 08:00
        desk          | r3        | o1                | -                | csat       | 0.25  | 2026-05-03 08:00
        desk          | r4        | o1                | -                | nps        | 9     | 2026-05-03 08:00
        """,
    )
    assert june(world, "csat") == (2, 3, 3, pytest.approx(2 / 3))


def test_solved_by_the_first_answer(world: Example) -> None:
    tickets(
        world,
        "public_replies | reopens",
        *(
            f"2026-05-01 08:00 | {solved} | {replies} | {reopens}"
            for solved, replies, reopens in (
                ("2026-05-01 09:00", 1, 0),
                ("2026-05-01 09:00", 1, 1),
                ("2026-05-01 09:00", 3, 0),
                ("2026-05-01 09:00", 0, 0),
                ("-", 1, 0),
            )
        ),
    )
    assert june(world, "first_contact_resolution") == (1, 3, 3, pytest.approx(1 / 3))


def test_the_backlog_is_as_old_as_its_open_tickets_at_the_months_end(example: MakeExample) -> None:
    """At the end of June one is open since 21 June (10 days) and one since 1 May (61); one was solved in June."""
    world = known(example(timezone="UTC"))
    tickets(
        world,
        "priority",
        "2026-06-21 00:00 | - | a",
        "2026-05-01 00:00 | 2026-07-03 00:00 | a",
        "2026-05-01 00:00 | 2026-06-15 00:00 | a",
    )
    assert june(world, "backlog_age") == (71, 2, 2, 35.5)
    assert world.rows("select n, raw_value from value.backlog_age where month = '2026-05-01'") == [(2, 31.0)]


def nps(world: Example, promoters: int, passives: int, detractors: int) -> None:
    scores = [10] * promoters + [8] * passives + [3] * detractors
    world.put(
        "survey_response",
        "source_system | source_id | source_account_id | instrument | score | answered_at\n"
        + "\n".join(f"desk | r{number} | o1 | nps | {score} | 2026-05-03 08:00" for number, score in enumerate(scores)),
    )


def test_the_net_promoter_score_comes_with_its_half_width_and_not_alone(world: Example) -> None:
    """5 promoters, 3 passives, 2 detractors of 10: 30 points; with so few the half-width is 48, with 5 it would be 68."""
    nps(world, 5, 3, 2)
    numerator, n, raw, error = june(world, "nps", "numerator, n, raw_value, raw_error") or ()
    assert (numerator, n, raw) == (pytest.approx(300), 10, pytest.approx(30))
    assert 1.96 * error * math.sqrt(10 / 5) == pytest.approx(68, abs=0.6)
    tickets(world, "priority", "2024-12-01 00:00 | - | a")
    world.run("mart.account_month_measure")
    told = world.rows(
        f"select value, raw_value, raw_low, reason from mart.account_month_measure where measure_id = 'nps' and {JUNE}"
    )[0]
    assert told[0] is None and told[3] in ("below_min_n", "outside_coverage")
    assert told[1:3] == (pytest.approx(30), pytest.approx(30 - 1.959964 * error))


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 364), st.one_of(st.none(), st.integers(0, 300))), min_size=1, max_size=10))
def test_requests_fulfilled_are_those_of_kaplan_and_meier(
    tmp_path_factory: pytest.TempPathFactory, requests: list[tuple[int, int | None]]
) -> None:
    """Against lifelines: requests of a day of the last twelve months, shipped some days later or not yet."""
    world = known(Example(tmp_path_factory.mktemp("requests"), "2026-06-30", timezone="UTC"))
    first, last = dt.date(2025, 7, 1), dt.date(2026, 6, 30)
    rows, days, shipped = [], [], []
    for number, (day, wait) in enumerate(requests):
        asked = first + dt.timedelta(days=day)
        done = None if wait is None else asked + dt.timedelta(days=wait)
        rows.append(
            f"desk | t{number} | o1 | feature_request | open | {asked} 10:00 | {f'{done} 12:00' if done else '-'}"
        )
        shipped.append(done is not None and done <= last)
        days.append((min(done or last, last) - asked).days)
    world.put(
        "ticket",
        "source_system | source_id | source_account_id | type | status | created_at | shipped_at\n" + "\n".join(rows),
    )
    world.run("value.request_fulfilment")
    found = world.rows(f"select raw_value, raw_error from value.request_fulfilment where {JUNE}")[0]
    fitted = KaplanMeierFitter().fit(days, shipped)
    survival = float(fitted.predict(180))
    if survival > 0 and max(days) < 180:
        assert found[0] is None
    else:
        assert found[0] == pytest.approx(1 - survival)
    world.engine.close()


def test_what_was_shipped_names_the_ticket_that_asked_for_it(world: Example) -> None:
    world.put(
        "ticket",
        "source_system | source_id | source_account_id | type | status | created_at\ndesk | t1 | o1 | feature_request | open | 2025-09-01 10:00",
    )
    world.put(
        "cocreation_event",
        """
        source_id | source_account_id | kind            | occurred_at      | request_id
        e1        | A                 | feature_shipped | 2025-10-01 10:00 | desk:t1
        """,
    )
    assert june(world, "request_fulfilment") == (1, 1, 1, 1)


USAGE = "source_id | source_account_id | used_on | feature | quantity\n"


def test_adoption_is_the_share_of_features_in_use(example: MakeExample) -> None:
    """Four features are used by somebody in each of three months; Alfa uses 1, 2 and 3 of them, and once none but a 0."""
    world = example().put("account", "source_id | name | customer_since\nA | Alfa | 2025-01-01\nB | Beta | 2025-01-01")
    rows = [
        f"b{month}{feature} | B | 2026-{month:02d}-10 | f{feature} | 1" for month in (4, 5, 6) for feature in range(4)
    ]
    rows += [
        f"a{month}{feature}{again} | A | 2026-{month:02d}-1{again} | f{feature} | 2"
        for month in (4, 5, 6)
        for feature in range(month - 3)
        for again in (1, 2)
    ]
    world.put("usage", USAGE + "\n".join([*rows, "zero | A | 2026-04-20 | f3 | 0"]))
    world.run("value.adoption")
    found = world.rows(
        f"select account_id, numerator, denominator, n, raw_value from value.adoption where {JUNE} order by account_id"
    )
    assert found == [("crm:A", 6, 12, 3, 0.5), ("crm:B", 12, 12, 3, 1.0)]
    assert world.rows("select n from value.adoption where account_id = 'crm:A' and month = '2026-05-01'") == [(2,)]


def test_who_uses_nothing_adopts_nothing(example: MakeExample) -> None:
    world = example().put("account", "source_id | name | customer_since\nA | Alfa | 2026-04-01\nB | Beta | 2026-04-01")
    world.put("usage", USAGE + "\n".join(f"b{month} | B | 2026-{month:02d}-10 | f | 1" for month in (1, 4, 5, 6)))
    world.put(
        "activity",
        "source_id | source_account_id | kind | started_at | status\na0 | B | call | 2026-01-02 10:00 | held",
    )
    world.run("mart.account_month_measure")
    found = world.rows(
        f"select raw_value, status from mart.account_month_measure where measure_id = 'adoption' and account_id = 'crm:A' and {JUNE}"
    )
    assert found == [(0.0, "ok")]


def attained(world: Example, *goals: str) -> float:
    world.put(
        "goal",
        "source_id | source_account_id | title | due_on | created_at | status | baseline | target | actual | attainment | weight\n"
        + "\n".join(
            f"g{number} | A | Mål | 2026-05-31 | 2026-01-01 08:00 | active | {goal}"
            for number, goal in enumerate(goals)
        ),
    )
    return (june(world, "goal_attainment", "raw_value") or (math.nan,))[0]


@pytest.mark.parametrize(
    ("levels", "expected"),
    [([1], 60), ([1, 1], 62.40), ([1, 1, 1], 63.69), ([-1, -1, -1], 36.31), ([0, 0], 50), ([2, -2], 50)],
)
def test_goal_attainment_is_that_of_kiresuk_and_sherman(world: Example, levels: list[int], expected: float) -> None:
    assert attained(world, *(f"- | - | - | {level} | -" for level in levels)) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        ("- | 20 | 20 | - | -", 50),  # as expected
        ("- | 20 | 30 | - | -", 60),  # half as much again: a step more
        ("- | 20 | 60 | - | -", 70),  # two steps are the most
        ("10 | 20 | 15 | - | -", 40),  # half of the way from 10
        ("40 | 20 | 20 | - | -", 50),  # down to the target
        ("40 | 20 | 40 | - | -", 30),  # nowhere
    ],
)
def test_what_was_reached_of_the_target_is_a_level(world: Example, goal: str, expected: float) -> None:
    assert attained(world, goal) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("status", "expected"), [("achieved", 50), ("missed", 40), ("active", math.nan), ("cancelled", math.nan)]
)
def test_a_status_alone_says_as_expected_or_less(world: Example, status: str, expected: float) -> None:
    world.put(
        "goal",
        f"source_id | source_account_id | title | due_on | created_at | status\ng | A | Mål | 2026-05-31 | 2026-01-01 08:00 | {status}",
    )
    assert (june(world, "goal_attainment", "raw_value") or (math.nan,))[0] == pytest.approx(expected, nan_ok=True)


def test_a_weightier_goal_counts_more(world: Example) -> None:
    """w = 3 and 1, x = 1 and -1: 50 + 10 * 2 / sqrt(.7 * 10 + .3 * 16) = 55.82."""
    assert attained(world, "- | - | - | 1 | 3", "- | - | - | -1 | 1") == pytest.approx(50 + 20 / math.sqrt(11.8))


def people(world: Example, *scores: str) -> Example:
    return tickets(
        world,
        "requester_source_id | csat",
        *(f"2026-05-01 08:00 | 2026-05-01 09:00 | p{number} | {score}" for number, score in enumerate(scores)),
    )


def test_the_whole_and_the_individual(world: Example) -> None:
    """Ten people rate 1, one of them .25: mean .925, and nine in ten exceed .25."""
    people(world, *["1"] * 9, "0.25")
    assert june(world, "whole_and_individual") == (None, None, 10, pytest.approx(math.sqrt(0.925 * 0.25)))


def test_of_fewer_than_five_people_nothing_is_told(world: Example) -> None:
    people(world, "1", "1", "1", "0")
    assert june(world, "whole_and_individual") == (None, None, 4, None)


def test_the_portfolio_has_its_lowest_tenth_and_gini_beside_its_mean(example: MakeExample) -> None:
    """Values .2, .4, .6 and .8: mean .5, P10 .2, Gini (2 * (.2 + .8 + 1.8 + 3.2)) / (4 * 2) - 5 / 4 = .25."""
    from warehouse.models import find_models, run_model

    world = example()
    world.engine.execute(
        "create table mart.relationship_month (month date, account_id varchar, mutual_value double, supplier_value double, customer_value double)"
    )
    world.engine.connection.executemany(
        "insert into mart.relationship_month values ('2026-06-01', ?, ?, null, ?)",
        [(f"a{n}", n / 5, 0.5) for n in range(1, 5)],
    )
    run_model(world.engine, next(model for model in find_models() if model.table == "mart.portfolio_month"))
    found = world.rows(
        "select outcome, accounts, mean, p10, whole_and_individual, gini from mart.portfolio_month order by outcome"
    )
    assert found == [
        ("customer_value", 4, 0.5, 0.5, 0.5, pytest.approx(0, abs=1e-12)),
        ("mutual_value", 4, pytest.approx(0.5), 0.2, pytest.approx(math.sqrt(0.1)), pytest.approx(0.25)),
    ]


# Laws ----------------------------------------------------------------------------------------------------------------

AMOUNTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=12, max_size=12)


def drawn_world(
    folder: Any, amounts: list[tuple[int, int]], currency: str = "DKK", factor: int = 1, order: int = 1
) -> Example:
    """Twelve months of revenue, lateness, discount and tickets; in another currency, or with its rows the other way round."""
    world = Example(folder, "2026-06-30", timezone="UTC", currency=currency, costs={"support_hour": 600 * factor})
    known(world)
    months = [(2025 + (6 + place) // 12, (6 + place) % 12 + 1) for place in range(12)]
    after = {(y, m): f"{y + m // 12}-{m % 12 + 1:02d}-01" for y, m in months}
    invoices, lines, rows = [], [], []
    for (year, month), (seats, late) in zip(months, amounts, strict=True):
        net = 100 * seats * factor
        paid = "-" if late == 3 else f"{after[year, month][:8]}{1 + 5 * late:02d}"
        invoices.append(
            f"bill | i{year}{month} | b1 | invoice | {year}-{month:02d}-01 | {after[year, month]} | {paid} | {net + factor} | {net} | {currency} | open | sent"
        )
        lines.append(
            f"bill | l{year}{month} | i{year}{month} | recurring | base | {seats} | {net} | {10 * late * factor} | {year}-{month:02d}-01 | {after[year, month]} | {currency}"
        )
        rows.append(
            f"desk | t{year}{month} | o1 | solved | {year}-{month:02d}-05 08:00 | {year}-{month:02d}-06 08:00 | {10 + seats} | {20 * late} | {late % 2} | {late // 3} | {seats * 5}"
        )
    world.put("invoice", INVOICE + "\n".join(invoices[::order]))
    world.put("invoice_line", LINE + "\n".join(lines[::order]))
    return world.put(
        "ticket",
        TICKET.format(columns="first_response_min | full_resolution_min | csat | reopens | effort_min")
        + "\n".join(rows[::order]),
    )


def measured(world: Example) -> dict[tuple[str, str], tuple[Any, ...]]:
    world.run("mart.account_month_measure")
    rows = world.rows(
        "select measure_id, month, value, raw_value, n, status, reason from mart.account_month_measure "
        "join setting.measure using (measure_id) where side <> 'style' order by all"
    )
    return {(row[0], str(row[1])): row[2:] for row in rows}


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(AMOUNTS)
def test_ratios_know_no_currency_and_no_order_of_rows(
    tmp_path_factory: pytest.TempPathFactory, amounts: list[tuple[int, int]]
) -> None:
    plain = drawn_world(tmp_path_factory.mktemp("plain"), amounts)
    rescaled = drawn_world(tmp_path_factory.mktemp("rescaled"), amounts, "EUR", 7)
    turned = drawn_world(tmp_path_factory.mktemp("turned"), amounts, order=-1)
    first, other, again = measured(plain), measured(rescaled), measured(turned)
    assert again == first
    for key, row in first.items():
        if key[0] in ("mrr", "clv"):
            continue
        assert other[key][2:] == row[2:], key
        for found, expected in zip(other[key][:2], row[:2], strict=True):
            assert found == (None if expected is None else pytest.approx(expected, rel=1e-9, abs=1e-9)), key
    shares = plain.rows(
        "select * from mart.account_month_measure join setting.measure using (measure_id) "
        "where unit = 'share' and raw_value not between 0 and 1"
    )
    assert shares == []
    for world in (plain, rescaled, turned):
        world.engine.close()


def test_an_empty_source_changes_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A usage list that was copied and left empty: its measure says that the columns are empty, all else stays."""
    amounts = [(place % 4 + 1, place % 3) for place in range(12)]
    plain, more = (drawn_world(tmp_path_factory.mktemp(name), amounts) for name in ("plain", "more"))
    for column in ("used_on", "feature", "quantity"):
        more.engine.execute("insert into setting.connected values ('usage', '', 'usage', ?, true, 0)", [column])
    first, second = measured(plain), measured(more)
    assert {key: row for key, row in first.items() if key[0] != "adoption"} == {
        key: row for key, row in second.items() if key[0] != "adoption"
    }
    assert {row[4] for key, row in second.items() if key[0] == "adoption"} == {"column_empty"}
    for world in (plain, more):
        world.engine.close()


def test_a_churned_account_stays_with_a_value_on_both_sides(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Paid to December 2025: in June its retention is 0 and its service is that of its last six paid months."""
    amounts = [(2, 1)] * 6 + [(0, 1)] * 6
    world = drawn_world(tmp_path_factory.mktemp("churned"), amounts)
    found = measured(world)
    assert found["nrr", "2026-06-01"][:2] == (0, 0)
    assert found["logo_churn", "2026-06-01"][1] == 1
    assert found["first_response", "2026-06-01"][1:3] == (12, 6)
    assert found["contribution_margin", "2026-06-01"][1] == pytest.approx(0.5)
    world.engine.close()
