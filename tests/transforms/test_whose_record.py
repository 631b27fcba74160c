"""Whose record it is: worked examples of how contacts, deals, bills and actions find their company."""

from __future__ import annotations

from collections.abc import Callable

from tests.lake import contract, drop
from tests.tables import Example
from warehouse.casting import stage
from warehouse.versions import keep_newest

MakeExample = Callable[..., Example]


def companies(world: Example) -> Example:
    """Alfa and Beta with a deal and a person each, in one CRM; two accounts are called Gamma."""
    world.put(
        "account",
        """
        source_id | name  | is_deleted
        A         | Alfa  | -
        B         | Beta  | -
        G1        | Gamma | -
        G2        | Gamma | -
        D1        | Delta | true
        D2        | Delta | -
        """,
    )
    world.put("opportunity", "source_id | source_account_id | status\nO-A | A | open\nO-? | nobody | open")
    return world.put(
        "person",
        """
        source_id | side     | source_account_id | email
        P-B       | customer | B                 | x@beta.example
        P-V       | vendor   | A                 | y@us.example
        """,
    )


def test_a_contact_without_a_company_is_its_deals_and_else_its_persons(example: MakeExample) -> None:
    """
    | contact | names     | deal of | person of    | is of |
    |---------|-----------|---------|--------------|-------|
    | 1       | Beta (id) | Alfa    |              | Beta  |
    | 2       |           | Alfa    | Beta         | Alfa  |
    | 3       |           |         | Beta         | Beta  |
    | 4       |           | nobody  | Beta         | Beta  |
    | 5       |           |         | a colleague  | -     |
    | 6       | nobody    | Alfa    |              | Alfa  |
    | 7       |           |         |              | -     |
    """
    world = companies(example()).put(
        "activity",
        """
        source_id | kind | started_at       | source_account_id | opportunity_source_id | person_source_id
        1         | call | 2026-05-01 10:00 | B                 | O-A                   | -
        2         | call | 2026-05-01 10:00 | -                 | O-A                   | P-B
        3         | call | 2026-05-01 10:00 | -                 | -                     | P-B
        4         | call | 2026-05-01 10:00 | -                 | O-?                   | P-B
        5         | call | 2026-05-01 10:00 | -                 | -                     | P-V
        6         | call | 2026-05-01 10:00 | nobody            | O-A                   | -
        7         | call | 2026-05-01 10:00 | -                 | -                     | -
        """,
    )
    world.run("canonical.activity")
    assert world.rows("select account_id from canonical.activity order by activity_id") == [
        ("crm:B",), ("crm:A",), ("crm:B",), ("crm:B",), (None,), ("crm:A",), (None,),
    ]  # fmt: skip


def test_a_purpose_says_whether_a_field_or_the_words_told_it(example: MakeExample) -> None:
    world = example().put(
        "activity",
        """
        source_id | kind    | started_at       | purpose  | subject
        1         | meeting | 2026-05-01 10:00 | training | Rykker for faktura 1001
        2         | email   | 2026-05-01 10:00 | -        | Rykker for faktura 1001
        3         | email   | 2026-05-01 10:00 | -        | Hej
        4         | email   | 2026-05-01 10:00 | -        | -
        """,
    )
    world.run("canonical.activity")
    assert world.rows("select purpose, purpose_source from canonical.activity order by activity_id") == [
        ("training", "field"),
        ("dunning", "rule"),
        ("unknown", "unknown"),
        ("unknown", "unknown"),
    ]


def test_a_company_is_known_by_its_name_where_one_account_of_the_system_has_it(example: MakeExample) -> None:
    """
    | the record says | accounts of that name      | is of   |
    |-----------------|----------------------------|---------|
    | Alfa            | A                          | A       |
    | A (an id)       |                            | A       |
    | Gamma           | G1 and G2                  | -       |
    | Delta           | D2; D1 was deleted         | D2      |
    | alfa            | none is spelt so           | -       |
    | B               | B's id, and Alfa's address | B       |
    """
    world = companies(example())
    names = ("Alfa", "A", "Gamma", "Delta", "alfa", "B")
    told = "\n".join(f"{number} | {name} | open" for number, name in enumerate(names))
    world.put("opportunity", f"source_id | source_account_id | status\n{told}").run("canonical.opportunity")
    found = world.rows(
        "select account_id from canonical.opportunity where opportunity_id not like '%O-%' order by opportunity_id"
    )
    assert [row[0] for row in found] == ["crm:A", "crm:A", None, "crm:D2", None, "crm:B"]


def test_a_name_counts_in_its_own_system_only_and_an_id_goes_before_a_name(example: MakeExample) -> None:
    """Billing's customer b2 is called as the CRM's Alfa; and one is called as another one's id."""
    world = example().put("account", "source_id | name\nA | Alfa\nB | Beta")
    world.put(
        "account",
        """
        source_system | source_id | name | external_id
        bill          | b1        | b2   | A
        bill          | b2        | Alfa | B
        bill          | b3        | Beta | -
        """,
    )
    world.put(
        "invoice",
        """
        source_system | source_id | source_account_id | issued_on
        bill          | 1         | b2                | 2026-05-01
        bill          | 2         | Alfa              | 2026-05-01
        bill          | 3         | Beta              | 2026-05-01
        bill          | 4         | Gamma             | 2026-05-01
        """,
    ).run("canonical.invoice")
    assert world.rows("select account_id from canonical.invoice order by invoice_id") == [
        ("crm:B",),  # the id b2, which is the name of b1
        ("crm:B",),  # billing's own Alfa
        (None,),  # billing's Beta is no company that the CRM is certain of
        (None,),
    ]


def test_actions_answers_and_lines_are_of_the_company_of_what_they_belong_to(example: MakeExample) -> None:
    world = companies(example()).put("plan", "source_id | source_account_id\nL | B")
    world.put("goal", "source_id | source_account_id | plan_source_id\nX | A | -\nY | - | L")
    world.put(
        "plan_action",
        """
        source_id | source_account_id | goal_source_id | plan_source_id
        1         | B                 | X              | -
        2         | -                 | X              | -
        3         | -                 | Y              | -
        4         | -                 | -              | L
        5         | -                 | -              | -
        """,
    )
    world.put("ticket", "source_id | source_account_id | created_at\nT | A | 2026-05-01 08:00")
    world.put(
        "survey_response",
        """
        source_id | source_account_id | ticket_source_id | instrument | score | answered_at
        1         | B                 | T                | csat       | 1     | 2026-05-31 22:30
        2         | -                 | T                | csat       | 0.5   | 2026-05-31 21:30
        3         | -                 | -                | nps        | 9     | 2026-05-01 08:00
        """,
    )
    world.put(
        "opportunity_line",
        """
        source_id | opportunity_source_id | component | amount | currency
        1         | O-A                   | renewal   | 100    | eur
        2         | O-A                   | -         | 10     | -
        3         | elsewhere             | new       | 10     | DKK
        """,
    )
    world.run("canonical.plan_action", "canonical.survey_response", "canonical.opportunity_line")
    assert world.rows("select account_id from canonical.plan_action order by action_id") == [
        ("crm:B",), ("crm:A",), ("crm:B",), ("crm:B",), (None,),
    ]  # fmt: skip
    # Half past ten at night in London is the next month in Copenhagen.
    assert world.rows("select account_id, month::varchar from canonical.survey_response order by response_id") == [
        ("crm:B", "2026-06-01"),
        ("crm:A", "2026-05-01"),
        (None, "2026-05-01"),
    ]
    assert world.rows("select account_id, component, currency from canonical.opportunity_line order by 1, 2") == [
        ("crm:A", "renewal", "EUR"),
        ("crm:A", "unknown", None),
    ]


def test_a_company_that_was_deleted_stays_while_it_was_billed(example: MakeExample) -> None:
    """
    | company | deleted             | billed by      | stays        |
    |---------|---------------------|----------------|--------------|
    | A       | no                  |                | yes          |
    | B       | in the source       | an invoice     | yes, told so |
    | C       | absent from a drop  | a subscription | yes, told so |
    | D       | in the source       |                | no           |
    | E       | in the source       | a draft        | no           |
    """
    world = example().put(
        "account",
        """
        source_id | name  | is_deleted | deleted_reason
        A         | Alfa  | -          | -
        B         | Beta  | true       | -
        C         | Ceta  | true       | absent_from_full_export
        D         | Delta | true       | -
        E         | Eta   | true       | absent_from_full_export
        """,
    )
    world.put(
        "account",
        "source_system | source_id | external_id\nbill | b | B\nbill | c | C\nbill | e | E",
    )
    world.put(
        "invoice",
        """
        source_system | source_id | source_account_id | issued_on  | status
        bill          | 1         | b                 | 2026-05-01 | paid
        bill          | 2         | e                 | 2026-05-01 | draft
        """,
    )
    world.put("subscription", "source_system | source_id | source_account_id\nbill | s | c").run("canonical.account")
    assert world.rows("select account_id, deleted_reason from canonical.account order by account_id") == [
        ("crm:A", None),
        ("crm:B", "deleted_in_source"),
        ("crm:C", "absent_from_full_export"),
    ]


def test_what_left_the_crms_list_is_deleted_and_its_bills_keep_it(example: MakeExample) -> None:
    """From two full exports of the CRM to the companies: Beta and Ceta are gone, and Beta was billed."""
    world = example()
    columns = {"source_id": {"from": "id"}, "name": {"from": "name"}}
    crm = contract("crm", {"account": {"columns": columns}}, kind="crm", scope="full")
    text = "id,name\n" + "".join(f"{number},Company {number}\n" for number in range(1, 11))
    drop(world.project, crm, "2026-04-30/accounts.csv", text + "B,Beta\nC,Ceta\n")
    drop(world.project, crm, "2026-05-31/accounts.csv", text)
    stage(world.engine.connection, world.project, {"crm": crm})
    keep_newest(world.engine, ["account"])
    world.put("account", "source_system | source_id | external_id\nbill | b | B")
    world.put("invoice", "source_system | source_id | source_account_id | issued_on\nbill | 1 | b | 2026-05-01")
    world.run("canonical.account")
    assert world.rows(
        "select name, deleted_reason from canonical.account where not starts_with(name, 'Company') order by name"
    ) == [("Beta", "absent_from_full_export")]
    assert world.rows("select count(*) from canonical.account") == [(11,)]
