"""Which company each system's account is: certain keys only."""

from __future__ import annotations

from collections.abc import Callable

from tests.tables import Example

MakeExample = Callable[..., Example]


def linked(example: Example) -> dict[str, tuple[str | None, str]]:
    example.run("audit.identity")
    rows = example.rows("select source_account_id, account_id, method from audit.identity where system <> 'crm'")
    return {account: (company, method) for account, company, method in rows}


def test_each_certain_key_links_and_says_which_it_was(example: MakeExample) -> None:
    world = example()
    world.put(
        "account",
        """
        source_id          | name  | vat        | website
        001A0000000000AAAA | Alfa  | DK12345678 | https://www.alfa.example/da
        001B0000000000BBBB | Beta  | -          | beta.example
        """,
    )
    world.put(
        "account",
        """
        source_system | source_id | external_id        | vat         | domains
        desk          | 1         | 001A0000000000AAAA | -           | -
        desk          | 2         | 001B0000000000B    | -           | -
        bill          | c1        | -                  | 12 34 56 78 | -
        desk          | 3         | -                  | -           | beta.example
        """,
    )
    assert linked(world) == {
        "1": ("crm:001A0000000000AAAA", "external_id"),
        "2": ("crm:001B0000000000BBBB", "external_id"),
        "c1": ("crm:001A0000000000AAAA", "vat"),
        "3": ("crm:001B0000000000BBBB", "domain"),
    }


def test_what_nothing_certain_links_stays_visible_and_unmatched(example: MakeExample) -> None:
    world = example()
    world.put(
        "account",
        """
        source_id | name | email
        A         | Alfa | kontakt@gmail.com
        B         | Beta | -
        """,
    )
    world.put(
        "account",
        """
        source_system | source_id | name | email
        bill          | c1        | Alfa | anna@gmail.com
        """,
    )
    # The same name and a shared free-mail domain are no proof.
    assert linked(world) == {"c1": (None, "unmatched")}


def test_a_domain_of_two_companies_links_to_neither(example: MakeExample) -> None:
    world = example()
    world.put(
        "account",
        """
        source_id | website
        A         | group.example
        B         | www.group.example
        """,
    )
    world.put("account", "source_system | source_id | email\nbill | c1 | a@group.example")
    assert linked(world) == {"c1": (None, "unmatched")}


def test_keys_that_contradict_each_other_link_to_neither(example: MakeExample) -> None:
    world = example()
    world.put(
        "account",
        """
        source_id | vat      | website
        A         | 11111111 | a.example
        B         | 22222222 | b.example
        """,
    )
    world.put("account", "source_system | source_id | vat | email\nbill | c1 | 11111111 | x@b.example")
    assert linked(world) == {"c1": (None, "conflict")}


def test_a_contacts_address_lends_its_company_a_domain(example: MakeExample) -> None:
    world = example()
    world.put("account", "source_id | name\nA | Alfa")
    world.put("person", "source_id | side | source_account_id | email\np | customer | A | bo@alfa.example")
    world.put("account", "source_system | source_id | domains\ndesk | 1 | alfa.example other.example")
    assert linked(world) == {"1": ("crm:A", "domain")}


def test_a_person_is_kept_as_a_hash_and_a_shared_mailbox_is_nobody(example: MakeExample) -> None:
    world = example()
    world.put("account", "source_id | name\nA | Alfa")
    world.put(
        "person",
        """
        source_id | side     | source_account_id | email
        p1        | customer | A                 | Bo@alfa.example
        p2        | customer | A                 | bo@alfa.example
        p3        | customer | A                 | faktura@alfa.example
        """,
    ).run("canonical.human")
    humans = world.rows("select human_id, is_shared from canonical.human order by person_id")
    assert humans[0] == humans[1]
    assert [shared for _, shared in humans] == [False, False, True]
    assert "bo@" not in str(humans)
