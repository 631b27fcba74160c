"""Worked examples of the style measures: small tables in, one account-month out."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from tests.tables import Example

MakeExample = Callable[..., Example]

ACCOUNT = """
source_id | name | customer_since
A         | Alfa | 2026-01-01
"""
PEOPLE = """
source_id | side     | source_account_id | email
c1        | customer | A                 | anna@alfa.example
c2        | customer | A                 | bo@alfa.example
c3        | customer | A                 | noreply@alfa.example
v1        | vendor   | -                 | us1@supplier.example
v2        | vendor   | -                 | us2@supplier.example
"""


def evidence(world: Example, measure: str, month: str = "2026-06-01") -> tuple[float, float, int, float]:
    """(numerator, denominator, n, raw value) of the account in the month."""
    world.run(f"style.{measure}")
    rows = world.rows(f"select numerator, denominator, n, raw_value from style.{measure} where month = '{month}'")
    assert len(rows) == 1
    return rows[0]


@pytest.fixture
def world(example: MakeExample) -> Example:
    """One customer since January; as of the end of June its window is six months, 181 days."""
    return example().put("account", ACCOUNT).put("person", PEOPLE)


def contact(day: str, kind: str, by: str, subject: str = "Hej", thread: str = "-", person: str = "c1") -> str:
    return (
        f"{day}{kind}{thread}{subject} | A | {kind} | {day} 10:00 | held | {by} | {subject} | {thread} | {person} | v1"
    )


ACTIVITY = (
    "source_id | source_account_id | kind | started_at | status | initiated_by | subject | thread_id | "
    "person_source_id | owner_source_id\n"
)


def test_a_goal_is_shared_only_with_target_due_date_customer_owner_confirmation_and_review(world: Example) -> None:
    world.put("activity", ACTIVITY + contact("2026-01-05", "call", "vendor"))
    world.put(
        "goal",
        """
        source_id | source_account_id | target | due_on     | customer_owner_source_id | start_on   | confirmed_on | reviewed_on | status | created_at
        good      | A                 | 10     | 2026-12-31 | c1                       | 2026-02-10 | 2026-02-20   | 2026-06-01  | active | 2026-02-10 09:00
        no_target | A                 | -      | 2026-12-31 | c1                       | 2026-01-01 | 2026-01-01   | 2026-06-01  | active | 2026-01-01 09:00
        ours_only | A                 | 10     | 2026-12-31 | -                        | 2026-01-01 | 2026-01-01   | 2026-06-01  | active | 2026-01-01 09:00
        no_due    | A                 | 10     | -          | c1                       | 2026-01-01 | 2026-01-01   | 2026-06-01  | active | 2026-01-01 09:00
        draft     | A                 | 10     | 2026-12-31 | c1                       | 2026-01-01 | 2026-01-01   | 2026-06-01  | draft  | 2026-01-01 09:00
        """,
    )
    # February to June of the six active months.
    assert evidence(world, "shared_goal_coverage") == (5.0, 6.0, 6, pytest.approx(5 / 6))


def test_a_goal_written_down_afterwards_does_not_count_for_the_months_before(world: Example) -> None:
    world.put("activity", ACTIVITY + contact("2026-01-05", "call", "vendor"))
    world.put(
        "goal",
        """
        source_id | source_account_id | target | due_on     | customer_owner_source_id | start_on   | status | created_at
        late      | A                 | 10     | 2026-12-31 | c1                       | 2026-01-01 | active | 2026-05-20 09:00
        """,
    )
    # Started in January by its own account, entered in May: May and June. No column for confirmation: owner_only.
    assert evidence(world, "shared_goal_coverage")[0] == 2.0
    assert world.rows("select distinct goal_evidence from style.goal_month") == [("owner_only",)]


def test_a_goal_not_reviewed_for_ninety_days_stops_counting(world: Example) -> None:
    world.put("activity", ACTIVITY + contact("2026-01-05", "call", "vendor"))
    world.put(
        "goal",
        """
        source_id | source_account_id | target | due_on     | customer_owner_source_id | start_on   | confirmed_on | reviewed_on | status | created_at
        stale     | A                 | 10     | 2026-12-31 | c1                       | 2026-01-01 | 2026-01-02   | 2026-02-15  | active | 2026-01-01 09:00
        """,
    )
    # 15 February is within 90 days of the ends of January to April (30 April less 90 days is 30 January), not of May.
    assert evidence(world, "shared_goal_coverage")[0] == 4.0


def test_taking_part_counts_and_merely_asking_does_not(world: Example) -> None:
    world.put(
        "activity",
        ACTIVITY
        + "\n".join(
            [
                contact("2026-02-01", "meeting", "vendor", "Designmøde om ny portal"),
                contact("2026-03-01", "meeting", "vendor", "Statusmøde"),
                contact("2026-03-02", "email", "vendor", "Pilot invitation"),
            ]
        ),
    )
    world.put("account", "source_system | source_id | external_id\ndesk | o1 | A")
    world.put(
        "ticket",
        """
        source_system | source_id | source_account_id | type            | status | created_at       | subject       | tags
        desk          | t1        | o1                | feature_request | open   | 2026-04-01 10:00 | Ny funktion   | -
        desk          | t2        | o1                | feature_request | open   | 2026-04-02 10:00 | Ny funktion   | -
        desk          | t3        | o1                | question        | open   | 2026-04-03 10:00 | Export        | beta
        """,
    )
    world.put(
        "ticket_comment",
        """
        source_system | source_id | ticket_source_id | author_source_id | author_side | is_public | created_at
        desk          | k1        | t1               | x                | customer    | true      | 2026-04-01 12:00
        desk          | k2        | t1               | x                | customer    | true      | 2026-04-02 12:00
        desk          | k3        | t2               | x                | customer    | true      | 2026-04-02 12:00
        """,
    )
    # The design meeting, the discussed request and the beta ticket; not the mail about a pilot, nor the lone request.
    numerator, denominator, n, raw = evidence(world, "cocreation_rate")
    assert (numerator, n) == (3.0, 181)
    assert raw == pytest.approx(3 / (181 / 90))
    assert denominator == pytest.approx(181 / 90)


def test_initiative_leaves_out_obligatory_contacts_replies_and_unknown_initiators(world: Example) -> None:
    world.put(
        "activity",
        ACTIVITY
        + "\n".join(
            [
                contact("2026-02-01", "email", "customer", "Idé til samarbejde", "th1"),
                contact("2026-02-03", "email", "vendor", "Sv: Idé til samarbejde", "th1"),
                contact("2026-02-20", "email", "vendor", "Sv: Idé til samarbejde", "th1"),
                contact("2026-03-01", "call", "customer", "Kontrakt og fornyelse"),
                contact("2026-03-02", "meeting", "unknown", "Frokost"),
                contact("2026-03-03", "call", "vendor", "Opkald"),
            ]
        ),
    )
    # Counted: the first mail (customer), the mail 17 days after the thread fell silent (vendor), the call (vendor).
    assert evidence(world, "voluntary_initiative") == (1.0, 3.0, 3, pytest.approx(1 / 3))


def test_a_ticket_counts_as_initiative_only_when_nobody_was_obliged_to_write_it(world: Example) -> None:
    world.put("activity", ACTIVITY + contact("2026-02-01", "call", "vendor", "Opkald"))
    world.put("account", "source_system | source_id | external_id\ndesk | o1 | A")
    world.put(
        "ticket",
        """
        source_system | source_id | source_account_id | type     | status | created_at       | subject
        desk          | t1        | o1                | incident | open   | 2026-04-01 10:00 | Systemet er nede
        desk          | t2        | o1                | question | open   | 2026-04-02 10:00 | Hvordan deler vi data?
        """,
    )
    assert evidence(world, "voluntary_initiative")[:2] == (1.0, 2.0)


def test_breadth_is_the_effective_number_of_people_not_the_number_of_names(world: Example) -> None:
    lines = [contact(f"2026-0{month}-0{day}", "call", "vendor") for month in (2, 3, 4) for day in (1, 2, 3)]
    lines += [
        contact("2026-04-05", "call", "vendor", person="c2"),
        contact("2026-04-06", "call", "vendor", person="c3"),
    ]
    world.put("activity", ACTIVITY + "\n".join(lines))
    customer, vendor, n, raw = evidence(world, "dyadic_breadth")
    # Nine calls with Anna, one with Bo; the no-reply address is nobody (the call itself took place). Ours: one person.
    entropy = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1))
    assert customer == pytest.approx(math.exp(entropy))
    assert vendor == pytest.approx(1.0)
    assert n == 11
    assert raw == pytest.approx(math.sqrt(math.exp(entropy)))


def test_breadth_needs_three_active_months(world: Example) -> None:
    lines = [contact(f"2026-02-{day:02d}", "call", "vendor") for day in range(1, 15)]
    assert evidence(world.put("activity", ACTIVITY + "\n".join(lines)), "dyadic_breadth")[2] == 0


def test_price_pressure_counts_requests_of_the_customer_once_a_thread(world: Example) -> None:
    world.put(
        "activity",
        ACTIVITY
        + "\n".join(
            [
                contact("2026-02-01", "email", "customer", "Kan vi få rabat?", "th1"),
                contact("2026-02-02", "email", "customer", "Sv: Kan vi få rabat?", "th1"),
                contact("2026-03-02", "email", "customer", "Request for a lower-price plan", "th2"),
                contact("2026-03-05", "email", "vendor", "Vi giver jer rabat", "th3"),
            ]
        ),
    )
    assert evidence(world, "price_pressure")[0] == 2.0


def test_a_dispute_that_was_our_own_error_is_none(world: Example) -> None:
    world.put("activity", ACTIVITY + contact("2026-02-01", "call", "vendor"))
    world.put("account", "source_system | source_id | external_id\ndesk | o1 | A\nbill | b1 | A")
    world.put(
        "ticket",
        """
        source_system | source_id | source_account_id | type     | status | created_at       | subject                 | upheld
        desk          | t1        | o1                | question | open   | 2026-04-01 10:00 | Indsigelse mod faktura  | -
        desk          | t2        | o1                | question | open   | 2026-04-02 10:00 | Wrong charge on invoice | true
        desk          | t3        | o1                | question | open   | 2026-04-02 10:00 | Hvordan eksporterer vi  | -
        """,
    )
    invoices = "\n".join(f"bill | i{n} | b1 | invoice | 2026-0{n}-01 | 100 | DKK | paid" for n in range(1, 7))
    world.put(
        "invoice",
        "source_system | source_id | source_account_id | kind | issued_on | net | currency | status\n" + invoices,
    )
    assert evidence(world, "dispute_rate") == (1.0, pytest.approx(0.06), 6, pytest.approx(100 / 6))


def test_the_month_is_the_one_in_the_projects_zone(world: Example) -> None:
    # 22:30 UTC on 31 March is already April in Copenhagen.
    world.put("activity", ACTIVITY + contact("2026-03-31", "call", "vendor").replace("10:00", "22:30"))
    world.run("canonical.activity")
    assert [str(month) for (month,) in world.rows("select month from canonical.activity")] == ["2026-04-01"]
