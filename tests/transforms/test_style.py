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


GOAL = "source_id | source_account_id | title | target | due_on | customer_owner_source_id | start_on | status | created_at\n"


def test_a_text_that_three_companies_share_is_a_template_from_the_day_the_third_had_it(world: Example) -> None:
    """Alfa's goal is like Beta's and, from 10 April on, Gamma's: January to March count, whatever case and signs do."""
    world.put("account", "source_id | name | customer_since\nB | Beta | 2026-01-01\nC | Gamma | 2026-01-01")
    world.put(
        "goal",
        GOAL
        + """
        a | A | Øg anvendelsen!  | 10 | 2026-12-31 | c1 | 2026-01-01 | active | 2026-01-02 09:00
        b | B | øg  anvendelsen  | 10 | 2026-12-31 | c1 | 2026-01-01 | active | 2026-01-02 09:00
        c | C | Øg anvendelsen.  | 10 | 2026-12-31 | c1 | 2026-01-01 | active | 2026-04-10 09:00
        """.strip(),
    )
    world.run("style.shared_goal_coverage")
    covered = world.rows(
        "select account_id, numerator from style.shared_goal_coverage where month = '2026-06-01' order by account_id"
    )
    assert covered == [("crm:A", 3.0), ("crm:B", 3.0), ("crm:C", 0.0)]


def test_a_goal_that_one_of_our_own_people_owns_for_the_customer_is_not_shared(world: Example) -> None:
    world.put(
        "goal",
        GOAL
        + """
        id      | A | Et  | 10 | 2026-12-31 | v1                   | 2026-01-01 | active | 2026-01-02 09:00
        address | A | To  | 10 | 2026-12-31 | US1@supplier.example | 2026-01-01 | active | 2026-01-02 09:00
        """.strip(),
    )
    assert evidence(world, "shared_goal_coverage")[0] == 0.0
    world.put(
        "goal", GOAL + "theirs | A | Tre | 10 | 2026-12-31 | anna@alfa.example | 2026-03-01 | active | 2026-03-01 09:00"
    )
    assert evidence(world, "shared_goal_coverage")[0] == 4.0


def test_what_a_later_drop_tells_counts_from_that_drop_on(world: Example) -> None:
    """A call of February and a goal of January, both first delivered on 10 May: the windows of May and June know them."""
    world.put("activity", ACTIVITY + contact("2026-01-05", "call", "vendor"))
    late = ACTIVITY.strip() + " | landed_at\n" + contact("2026-02-05", "call", "customer") + " | 2026-05-10 02:00"
    world.engine.execute("update staged.activity set known_at = timestamp '2026-03-31 02:00'")
    world.engine.execute("update audit.file set known_at = timestamp '2026-03-31 02:00'")
    world.put("activity", late)
    world.put(
        "goal",
        GOAL.strip()
        + " | landed_at\nlate | A | Et | 10 | 2026-12-31 | c1 | 2026-01-01 | active | 2026-01-02 09:00 | 2026-05-10 02:00",
    )
    assert [evidence(world, "voluntary_initiative", f"2026-0{month}-01")[:2] for month in (4, 5)] == [
        (0.0, 1.0),
        (1.0, 2.0),
    ]
    assert [evidence(world, "shared_goal_coverage", f"2026-0{month}-01")[0] for month in (4, 5, 6)] == [0.0, 1.0, 2.0]


ACTION = "source_id | source_account_id | owner_side | first_due_on | due_on | done_on | status | created_at\n"


def test_responsibility_is_mutual_when_both_own_actions_and_both_keep_their_word(world: Example) -> None:
    """
    | side     | came due | on time                               |
    | customer | 2        | 1 (the other's due date was moved)    |
    | ours     | 3        | 2 (the third is still open)           |

    p = 2/5: 2 * sqrt(.4 * .6) * sqrt(1/2 * 2/3) = .5657. Not counted: what is not due yet, cancelled, joint, or was entered
    when it was already due.
    """
    world.put(
        "plan_action",
        ACTION
        + """
        c1      | A | customer | 2026-02-01 | 2026-02-01 | 2026-01-31 | done      | 2026-01-05 09:00
        c2      | A | customer | 2026-03-01 | 2026-04-15 | 2026-04-01 | done      | 2026-01-05 09:00
        v1      | A | vendor   | 2026-02-10 | 2026-02-10 | 2026-02-10 | done      | 2026-01-05 09:00
        v2      | A | vendor   | -          | 2026-03-10 | 2026-03-01 | done      | 2026-01-05 09:00
        v3      | A | vendor   | 2026-04-10 | 2026-06-30 | -          | open      | 2026-01-05 09:00
        ahead   | A | vendor   | 2026-07-10 | 2026-07-10 | -          | open      | 2026-01-05 09:00
        dropped | A | customer | 2026-02-01 | 2026-02-01 | -          | cancelled | 2026-01-05 09:00
        both    | A | joint    | 2026-02-01 | 2026-02-01 | 2026-01-31 | done      | 2026-01-05 09:00
        after   | A | customer | 2026-05-01 | 2026-05-01 | 2026-04-30 | done      | 2026-05-10 09:00
        """.strip(),
    )
    assert evidence(world, "mutual_responsibility") == (2.0, 5.0, 5, pytest.approx(2 * math.sqrt(0.24 / 3)))
    world.run("style.mutual_responsibility")
    (error,) = world.rows("select raw_error from style.mutual_responsibility where month = '2026-06-01'")[0]
    # a = 1.5 / 3, b = 2.5 / 4: .3125 * .2^2 / 5 + .24 * .625 * .5 / 2 + .24 * .5 * .375 / 3
    assert error == pytest.approx(math.sqrt(0.3125 * 0.04 / 5 + 0.24 * 0.625 * 0.5 / 2 + 0.24 * 0.5 * 0.375 / 3))


def test_responsibility_of_one_side_alone_says_nothing(world: Example) -> None:
    actions = [
        f"v{day} | A | vendor | 2026-02-{day:02d} | 2026-02-{day:02d} | 2026-02-01 | done | 2026-01-05 09:00"
        for day in (5, 6, 7, 8)
    ]
    world.put(
        "plan_action", ACTION + "\n".join([*actions, "c | A | customer | 2026-02-05 | - | 2026-02-02 | done | -"])
    )
    # Four of ours and one of theirs: five actions, but not two on each side.
    assert evidence(world, "mutual_responsibility")[2] == 0


def test_five_actions_closed_on_one_day_do_not_say_when_they_were_done(world: Example) -> None:
    closed = [
        f"b{day} | A | vendor | 2026-03-{day:02d} | - | 2026-02-28 | done | 2026-01-05 09:00" for day in range(1, 6)
    ]
    kept = [
        f"{side}{day} | A | {side} | 2026-04-{day:02d} | - | 2026-04-0{day} | done | 2026-01-05 09:00"
        for side, days in (("customer", (1, 2)), ("vendor", (3, 4, 5)))
        for day in days
    ]
    world.put("plan_action", ACTION + "\n".join([*closed, *kept]))
    assert evidence(world, "mutual_responsibility") == (2.0, 5.0, 5, pytest.approx(2 * math.sqrt(0.24)))


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


def test_what_our_people_write_on_a_customers_behalf_is_no_participation_request_or_initiative(world: Example) -> None:
    """Three tickets of ours about a pilot, a discount and a question; the customer's people only answer the first."""
    world.put("account", "source_system | source_id | external_id\ndesk | o1 | A")
    world.put(
        "person",
        "source_system | source_id | side | email\ndesk | agent | vendor | a@supplier.example\ndesk | anna | customer | anna@alfa.example",
    )
    world.put(
        "ticket",
        """
        source_system | source_id | source_account_id | requester_source_id | type     | status | created_at       | subject        | tags
        desk          | t1        | o1                | agent               | task     | open   | 2026-04-01 10:00 | Pilot          | pilot
        desk          | t2        | o1                | agent               | question | open   | 2026-04-02 10:00 | Rabat?         | -
        desk          | t3        | o1                | agent               | question | open   | 2026-04-03 10:00 | Nye rettigheder | -
        """,
    )
    assert evidence(world, "cocreation_rate")[0] == 0.0
    assert evidence(world, "price_pressure")[0] == 0.0
    # Two voluntary contacts (asking for a discount is none), both ours.
    assert evidence(world, "voluntary_initiative")[:2] == (0.0, 2.0)
    world.put(
        "ticket_comment",
        """
        source_system | source_id | ticket_source_id | author_source_id | is_public | created_at
        desk          | k1        | t1               | anna             | true      | 2026-04-01 12:00
        """,
    )
    assert evidence(world, "cocreation_rate")[0] == 1.0


def test_machines_and_shared_mailboxes_start_nothing(world: Example) -> None:
    world.put(
        "activity",
        ACTIVITY
        + "\n".join(
            [
                contact("2026-02-01", "email", "customer", "Automatisk svar: ferie"),
                contact("2026-02-02", "email", "customer", "Nyt fra os", person="c3"),
                contact("2026-02-03", "email", "customer", "Tanker om efteråret"),
            ]
        ),
    )
    assert evidence(world, "voluntary_initiative")[:2] == (1.0, 1.0)


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


def test_reciprocity_is_the_smaller_share_of_what_was_written_twice_over(world: Example) -> None:
    """
    Alfa wrote once and got an answer; we wrote once more. Of three messages the smaller side has one: 2 * 1 / 3.
    Left out: an automatic reply, a reminder of payment, a greeting, and a helpdesk that exports our comments alone.
    """
    world.put(
        "activity",
        ACTIVITY
        + "\n".join(
            [
                contact("2026-02-01", "email", "customer", "Forslag", "th1"),
                contact("2026-02-02", "email", "vendor", "Sv: Forslag", "th1"),
                contact("2026-02-05", "email", "vendor", "Opsamling", "th2"),
                contact("2026-02-06", "email", "customer", "Out of office: Opsamling", "th2"),
                contact("2026-03-01", "email", "vendor", "Rykker nr. 1", "th3"),
                contact("2026-03-02", "email", "vendor", "Glædelig jul", "th4"),
                contact("2026-03-03", "call", "vendor", "Opkald"),
            ]
        ),
    )
    world.put("account", "source_system | source_id | external_id\ndesk | o1 | A")
    world.put(
        "ticket",
        "source_system | source_id | source_account_id | type | status | created_at\ndesk | t1 | o1 | task | open | 2026-04-01 10:00",
    )
    world.put(
        "ticket_comment",
        "source_system | source_id | ticket_source_id | author_side | is_public | created_at\n"
        "desk | k1 | t1 | vendor | true | 2026-04-01 12:00",
    )
    assert evidence(world, "reciprocity") == (2.0, 3.0, 3, pytest.approx(2 / 3))
    # Two threads, one even and one with a surplus of one: its error is that of a sum over threads, folded at 0.
    (error,) = world.rows("select raw_error from style.reciprocity where month = '2026-06-01'")[0]
    spread, surplus = math.sqrt(1 - 1 / 2 + 0.5) / 3, 1 / 3
    middle = spread * math.sqrt(2 / math.pi) * math.exp(-((surplus / spread) ** 2) / 2) + surplus * math.erf(
        surplus / spread / math.sqrt(2)
    )
    assert error == pytest.approx(math.sqrt(surplus**2 + spread**2 - middle**2))


EVENT = "source_id | source_account_id | kind | by_side | announced_on | effective_on | joint_review_on | is_exempt\n"


def test_a_change_was_told_ahead_when_two_weeks_lay_between(world: Example) -> None:
    world.put(
        "relationship_event",
        EVENT
        + """
        e1 | A | volume_plan  | customer | 2026-02-01 | 2026-02-15 | - | -
        e2 | A | volume_plan  | customer | 2026-03-01 | 2026-03-14 | - | -
        e3 | A | roadmap      | vendor   | 2026-04-01 | 2026-07-01 | - | -
        e4 | A | roadmap      | vendor   | 2026-04-01 | -          | - | -
        e5 | A | price_change | vendor   | 2026-04-01 | 2026-07-01 | - | -
        """.strip(),
    )
    # 14 days, 13 days, 91 days; an undated one and a change of prices are no case for it.
    assert evidence(world, "forward_openness") == (2.0, 3.0, 3, pytest.approx(2 / 3))


def test_a_change_is_one_sided_without_a_joint_review_in_the_sixty_days_before_it_holds(world: Example) -> None:
    world.put(
        "relationship_event",
        EVENT
        + """
        joint   | A | price_change | vendor   | 2026-01-05 | 2026-04-01 | 2026-02-10 | -
        before  | A | price_change | vendor   | 2026-01-05 | 2026-04-01 | 2026-01-30 | -
        after   | A | scope_change | vendor   | 2026-02-05 | 2026-03-01 | 2026-03-02 | -
        never   | A | scope_change | vendor   | 2026-02-05 | -          | -          | no
        index   | A | price_change | vendor   | 2026-02-05 | 2026-03-01 | -          | yes
        theirs  | A | scope_change | customer | 2026-02-05 | 2026-03-01 | -          | -
        """.strip(),
    )
    # Reviewed 50 days before it held; 61 days; a day after; never. The index clause and the customer's own are left out.
    assert evidence(world, "unilateral_change") == (3.0, 4.0, 4, pytest.approx(3 / 4))


DEAL = "source_id | source_account_id | name | type | status | closed_on | has_rfp | created_at\n"


def test_a_renewal_was_put_out_to_tender_by_its_own_sign_or_one_in_the_year_before(world: Example) -> None:
    """
    | renewal | sign                                              | tendered |
    | r1      | its own field                                     | yes      |
    | r2      | its name                                          | yes      |
    | r3      | a mail 364 days before (366 before r4)            | yes      |
    | r4      | none of its own; r1's is r1's                     | no       |
    | r5      | not due yet                                       | -        |
    """
    world.put("activity", ACTIVITY + contact("2025-06-02", "email", "customer", "Request for proposal"))
    world.put(
        "opportunity",
        DEAL
        + """
        r1 | A | Renewal          | renewal   | won  | 2026-02-01 | true  | 2026-01-01 09:00
        r2 | A | Udbud: fornyelse | renewal   | lost | 2026-03-01 | false | 2026-01-01 09:00
        r3 | A | Renewal          | renewal   | won  | 2026-06-01 | false | 2026-01-01 09:00
        r4 | A | Renewal          | renewal   | won  | 2026-06-03 | false | 2026-01-01 09:00
        r5 | A | Renewal          | renewal   | open | 2026-09-01 | true  | 2026-01-01 09:00
        x1 | A | Upgrade          | expansion | won  | 2026-03-01 | false | 2026-01-01 09:00
        """.strip(),
    )
    assert evidence(world, "tender_rate") == (3.0, 4.0, 4, pytest.approx(3 / 4))


def test_a_tender_that_the_law_calls_for_is_exempt(world: Example) -> None:
    world.put(
        "account",
        "source_id | name | industry | customer_since\nB | Beta Kommune | Offentlig administration | 2026-01-01",
    )
    world.put(
        "opportunity",
        DEAL
        + """
        r1 | A | Fornyelse | renewal | won | 2026-02-01 | true  | 2026-01-01 09:00
        r2 | A | EU-udbud  | renewal | won | 2026-03-01 | true  | 2026-01-01 09:00
        r3 | B | Fornyelse | renewal | won | 2026-03-01 | true  | 2026-01-01 09:00
        """.strip(),
    )
    world.run("style.tender_rate")
    rows = world.rows(
        "select account_id, numerator, n from style.tender_rate where month = '2026-06-01' order by account_id"
    )
    assert rows == [("crm:A", 1.0, 1), ("crm:B", 0.0, 0)]


TAGGED = "source_id | source_account_id | title | beneficiary | start_on | due_on | status | created_at\n"


def test_own_viewpoint_is_the_share_of_goals_that_serve_one_side(world: Example) -> None:
    world.put(
        "goal",
        TAGGED
        + """
        g1 | A | Et   | joint    | 2026-01-01 | 2026-03-01 | active    | 2026-01-02 09:00
        g2 | A | To   | supplier | 2026-01-01 | 2026-12-31 | active    | 2026-01-02 09:00
        g3 | A | Tre  | customer | 2026-02-01 | 2026-12-31 | achieved  | 2026-02-02 09:00
        g4 | A | Fire | supplier | 2026-03-01 | 2026-12-31 | missed    | 2026-03-02 09:00
        g5 | A | Fem  | unknown  | 2026-03-01 | 2026-12-31 | active    | 2026-03-02 09:00
        g6 | A | Seks | supplier | 2026-03-01 | 2026-12-31 | cancelled | 2026-03-02 09:00
        g7 | A | Syv  | supplier | 2026-07-01 | 2026-12-31 | active    | 2026-03-02 09:00
        """.strip(),
    )
    # g1 to g4; what nobody tagged, was cancelled or begins later does not count.
    assert evidence(world, "own_viewpoint") == (3.0, 4.0, 4, pytest.approx(3 / 4))


@pytest.mark.parametrize(("others", "n"), [(1, 0), (2, 22)])
def test_a_tag_on_nearly_every_goal_of_a_source_is_a_default(world: Example, others: int, n: int) -> None:
    """20 goals tagged alike and one other: 95 in 100 of 21 are 19.95; of 22 they are 20.9."""
    rows = [
        f"d{number} | A | Mål {number} | supplier | 2026-01-01 | 2026-12-31 | active | 2026-01-02 09:00"
        for number in range(20)
    ]
    rows += [
        f"o{number} | A | Andet {number} | joint | 2026-01-01 | 2026-12-31 | active | 2026-01-02 09:00"
        for number in range(others)
    ]
    world.put("goal", TAGGED + "\n".join(rows))
    assert evidence(world, "own_viewpoint")[2] == n


def test_effort_is_deflected_when_a_ticket_is_closed_against_the_customers_word(world: Example) -> None:
    """
    | ticket | what the customer wrote                                        | deflected |
    | after  | two days after it was closed                                   | yes       |
    | late   | eight days after it was closed                                 | no        |
    | again  | answered ours within a week, and it was reopened               | yes       |
    | slow   | answered ours after ten days, and it was reopened              | no        |
    | silent | nothing: closing after silence deflects nothing                | no        |
    """
    world.put("account", "source_system | source_id | external_id\ndesk | o1 | A")
    world.put(
        "ticket",
        """
        source_system | source_id | source_account_id | type     | status | created_at       | solved_at        | reopens
        desk          | after     | o1                | question | closed | 2026-03-01 10:00 | 2026-03-02 10:00 | 0
        desk          | late      | o1                | question | closed | 2026-03-01 10:00 | 2026-03-02 10:00 | 0
        desk          | again     | o1                | question | closed | 2026-03-01 10:00 | 2026-03-20 10:00 | 1
        desk          | slow      | o1                | question | closed | 2026-03-01 10:00 | 2026-03-20 10:00 | 1
        desk          | silent    | o1                | question | closed | 2026-03-01 10:00 | 2026-03-20 10:00 | 0
        desk          | open      | o1                | question | open   | 2026-03-01 10:00 | -                | 0
        """,
    )
    world.put(
        "ticket_comment",
        """
        source_system | source_id | ticket_source_id | author_side | is_public | created_at
        desk          | k1        | after            | customer    | true      | 2026-03-04 10:00
        desk          | k2        | late             | customer    | true      | 2026-03-10 11:00
        desk          | k3        | again            | vendor      | true      | 2026-03-03 10:00
        desk          | k4        | again            | customer    | true      | 2026-03-08 10:00
        desk          | k5        | slow             | vendor      | true      | 2026-03-03 10:00
        desk          | k6        | slow             | customer    | true      | 2026-03-13 10:00
        desk          | k7        | silent           | vendor      | true      | 2026-03-03 10:00
        """,
    )
    assert evidence(world, "effort_deflection") == (2.0, 5.0, 5, pytest.approx(2 / 5))


def test_how_much_a_manager_logs_is_read_from_the_managers_other_accounts(example: MakeExample) -> None:
    """
    | account | manager | interactions | months |
    | A       | m1      | 1            | 6      |
    | B       | m1      | 3            | 6      |
    | C       | m1      | 0            | 2      |
    | D       | m2      | 5            | 6      |

    For A: (3 + 0) / (6 + 2). D's manager has no other account, and E has no manager.
    """
    world = example().put(
        "account",
        """
        source_id | name  | customer_since | owner_source_id
        A         | Alfa  | 2026-01-01     | m1
        B         | Beta  | 2026-01-01     | m1
        C         | Gamma | 2026-05-01     | m1
        D         | Delta | 2026-01-01     | m2
        E         | Eta   | 2026-01-01     | -
        """,
    )
    world.put("person", PEOPLE)
    calls = [("A", 1), ("B", 1), ("B", 2), ("B", 3), *(("D", day) for day in range(1, 6))]
    world.put(
        "activity",
        ACTIVITY
        + "\n".join(
            contact(f"2026-02-0{day}", "call", "vendor").replace(" | A |", f" | {account} |") for account, day in calls
        ),
    )
    world.run("style.logging_intensity")
    rows = world.rows(
        "select account_id, numerator, denominator, raw_value from style.logging_intensity where month = '2026-06-01' order by account_id"
    )
    assert rows == [
        ("crm:A", 3.0, 8.0, pytest.approx(3 / 8)),
        ("crm:B", 1.0, 8.0, pytest.approx(1 / 8)),
        ("crm:C", 4.0, 12.0, pytest.approx(4 / 12)),
        ("crm:D", 0.0, 0.0, None),
    ]


def test_an_answer_to_our_own_offer_asks_for_nothing(world: Example) -> None:
    world.put(
        "activity",
        ACTIVITY
        + "\n".join(
            [
                contact("2026-02-01", "email", "vendor", "Rabat ved to år", "th1"),
                contact("2026-02-02", "email", "customer", "Sv: Rabat ved to år", "th1"),
            ]
        ),
    )
    assert evidence(world, "price_pressure")[0] == 0.0


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
