"""Which company each system's account is: certain keys and a person's decisions only."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tables import Example

MakeExample = Callable[..., Example]

MAY, JUNE = "2026-05-01 02:00:00", "2026-06-01 02:00:00"


def linked(example: Example, system: str | None = None) -> dict[str, tuple[str | None, str]]:
    example.run("audit.identity")
    which = f"system = '{system}'" if system else "system <> 'crm'"
    rows = example.rows(f"select source_account_id, account_id, method from audit.identity where {which}")
    return {account: (company, method) for account, company, method in rows}


def decide(example: Example, text: str) -> Example:
    """Write drawn rows into identity/links.csv and read it as a night does."""
    path = example.project.identity / "links.csv"
    path.parent.mkdir(exist_ok=True)
    lines = [",".join(cell.strip() for cell in line.split("|")) for line in text.strip().splitlines()]
    path.write_text("\n".join(["system,source_account_id,account_id,decision", *lines]) + "\n")
    return example.configure()


class TestCertainKeys:
    def test_each_certain_key_links_and_says_which_it_was(self, example: MakeExample) -> None:
        world = example()
        world.put(
            "account",
            """
            source_id          | name | vat        | ean           | website
            001A0000000000AAAA | Alfa | DK12345674 | -             | https://www.alfa.example/da
            001B0000000000BBBB | Beta | -          | 5790000000005 | beta.example
            """,
        )
        world.put(
            "account",
            """
            source_system | source_id | name | external_id        | vat         | ean               | domains          | email
            desk          | 1         | -    | 001A0000000000AAAA | -           | -                 | -                | -
            desk          | 2         | -    | 001B0000000000B    | -           | -                 | -                | -
            bill          | c1        | -    | -                  | 12 34 56 74 | -                 | -                | -
            desk          | 3         | -    | -                  | -           | -                 | www.beta.example | -
            bill          | c2        | -    | -                  | -           | 5790 0000 00005   | -                | -
            bill          | c3        | beta | -                  | -           | -                 | -                | a@Beta.example
            """,
        )
        assert linked(world) == {
            "1": ("crm:001A0000000000AAAA", "external_id"),
            "2": ("crm:001B0000000000BBBB", "external_id"),
            "c1": ("crm:001A0000000000AAAA", "vat"),
            "3": ("crm:001B0000000000BBBB", "domain"),
            "c2": ("crm:001B0000000000BBBB", "ean"),
            "c3": ("crm:001B0000000000BBBB", "email_domain"),
        }

    def test_what_nothing_certain_links_stays_visible_and_unmatched(self, example: MakeExample) -> None:
        world = example()
        world.put("account", "source_id | name | email\nA | Alfa | kontakt@gmail.com\nB | Beta | -")
        world.put("account", "source_system | source_id | name | email\nbill | c1 | Alfa | anna@gmail.com")
        # The same name and a shared free-mail domain are no proof.
        assert linked(world) == {"c1": (None, "unmatched")}

    @pytest.mark.parametrize("number", ["12345678", "00000000", "DK1234567", "ukendt", "12345674 (gl.)"])
    def test_a_number_that_is_no_vat_number_proves_nothing(self, example: MakeExample, number: str) -> None:
        world = example()
        world.put("account", f"source_id | name | vat\nA | Alfa | {number}")
        world.put("account", f"source_system | source_id | vat\nbill | c1 | {number}")
        assert linked(world) == {"c1": (None, "unmatched")}

    def test_a_foreign_number_is_read_by_its_country(self, example: MakeExample) -> None:
        world = example()
        world.put("account", "source_id | name | vat | country\nA | Alfa | 556677889901 | SE")
        world.put("account", "source_system | source_id | vat\nbill | c1 | SE 556677-8899 01")
        assert linked(world) == {"c1": ("crm:A", "vat")}

    def test_a_host_is_its_registered_domain_and_a_shops_host_is_its_own(self, example: MakeExample) -> None:
        world = example()
        world.put(
            "account",
            "source_id | website\nA | alfa.co.uk\nB | beta.co.uk\nC | gamma.myshopify.com\nD | delta.myshopify.com",
        )
        world.put(
            "account",
            "source_system | source_id | domains\ndesk | 1 | mail.alfa.co.uk\ndesk | 2 | co.uk\ndesk | 3 | gamma.myshopify.com",
        )
        assert linked(world) == {"1": ("crm:A", "domain"), "2": (None, "unmatched"), "3": ("crm:C", "domain")}

    def test_a_domain_of_two_companies_links_to_neither(self, example: MakeExample) -> None:
        world = example()
        world.put("account", "source_id | website\nA | group.example\nB | www.group.example")
        world.put("account", "source_system | source_id | name | email\nbill | c1 | Group | a@group.example")
        assert linked(world) == {"c1": (None, "unmatched")}

    def test_who_declares_a_domain_has_it_also_where_others_know_people_there(self, example: MakeExample) -> None:
        world = example()
        world.put("account", "source_id | name | website\nA | Alfa | alfa.example\nB | Beta | -")
        world.put("person", "source_id | side | source_account_id | email\np | customer | B | bo@alfa.example")
        world.put("account", "source_system | source_id | domains\ndesk | 1 | alfa.example")
        assert linked(world) == {"1": ("crm:A", "domain")}

    def test_keys_that_contradict_each_other_link_to_neither(self, example: MakeExample) -> None:
        world = example()
        world.put("account", "source_id | vat | website\nA | 11111114 | a.example\nB | 11111122 | beta.example")
        world.put(
            "account", "source_system | source_id | name | vat | email\nbill | c1 | Beta | 11111114 | x@beta.example"
        )
        assert linked(world) == {"c1": (None, "conflict")}
        assert world.rows("select contradicting_id from audit.identity where system = 'bill'") == [("crm:A",)]

    def test_an_account_that_names_one_of_another_system_is_the_same_company(self, example: MakeExample) -> None:
        world = example()
        world.put("account", "source_id | vat\nA | 11111114")
        world.put("account", "source_system | source_id | vat\nbill | cus_alfa | 11111114\nbill | cus_beta | -")
        world.put(
            "account",
            "source_system | source_id | external_id\ndesk | 1 | cus_alfa\ndesk | 2 | cus_beta\ndesk | 3 | cus_gamma",
        )
        assert linked(world, "desk") == {
            "1": ("crm:A", "external_id"),
            "2": (None, "unmatched"),
            "3": (None, "unmatched"),
        }

    def test_a_customer_number_in_the_crm_links_unless_it_is_short(self, example: MakeExample) -> None:
        world = example()
        world.put("account", "source_id | external_id\nA | KD-10017\nB | 1001")
        world.put("account", "source_system | source_id\nbill | KD-10017\nbill | 1001")
        assert linked(world) == {"KD-10017": ("crm:A", "external_id"), "1001": (None, "unmatched")}


class TestAddresses:
    """An address is often a bookkeeper's or a consultant's: its domain speaks only for a name that it begins with."""

    def test_a_contacts_address_lends_its_company_a_domain(self, example: MakeExample) -> None:
        world = example()
        world.put("account", "source_id | name\nA | Alfa")
        world.put("person", "source_id | side | source_account_id | email\np | customer | A | bo@alfa.example")
        world.put("account", "source_system | source_id | domains\ndesk | 1 | alfa.example other.example")
        assert linked(world) == {"1": ("crm:A", "email_domain")}

    def test_a_bookkeeper_who_is_a_customer_is_not_taken_for_its_clients(self, example: MakeExample) -> None:
        world = example()
        world.put(
            "account", "source_id | name | website\nB | Bogholderhuset A/S | bogholderhuset.example\nA | Alfa | -"
        )
        world.put(
            "account", "source_system | source_id | name | email\nbill | c1 | Alfa ApS | alfa@bogholderhuset.example"
        )
        assert linked(world) == {"c1": (None, "unmatched")}

    def test_a_bookkeeper_among_a_companys_contacts_lends_it_no_domain(self, example: MakeExample) -> None:
        world = example()
        world.put("account", "source_id | name\nA | Alfa")
        world.put(
            "person", "source_id | side | source_account_id | email\np | customer | A | bo@bogholderhuset.example"
        )
        world.put("account", "source_system | source_id | domains\ndesk | 1 | bogholderhuset.example")
        assert linked(world) == {"1": (None, "unmatched")}

    @pytest.mark.parametrize(
        ("name", "domain", "links"),
        [
            ("Blåbjerg Tømrer ApS", "blaabjerg.example", True),
            ("Blåbjerg Tømrer ApS", "blabjerg-toemrer.example", True),
            ("NORDLYS A/S", "nordlys.example", True),
            ("Den Nordlys", "nordlys.example", True),
            ("Tømrer Nordlys", "nordlys.example", False),
            ("A/S ApS", "aps.example", False),
            ("-", "nordlys.example", False),
        ],
    )
    def test_a_domain_begins_with_the_name_or_says_nothing(
        self, example: MakeExample, name: str, domain: str, links: bool
    ) -> None:
        world = example()
        world.put("account", f"source_id | website\nA | {domain}")
        world.put("account", f"source_system | source_id | name | email\nbill | c1 | {name} | post@{domain}")
        assert linked(world) == {"c1": ("crm:A", "email_domain") if links else (None, "unmatched")}


class TestDecisions:
    def test_a_person_links_what_keys_do_not_and_undoes_what_they_do(self, example: MakeExample) -> None:
        world = example()
        world.put("account", "source_id | name | website\nA | Alfa | alfa.example\nB | Beta | beta.example")
        world.put(
            "account",
            "source_system | source_id | domains\ndesk | 1 | -\ndesk | 2 | beta.example\ndesk | 3 | alfa.example\ndesk | 4 | beta.example",
        )
        decide(
            world,
            """
            desk | 1 | crm:A | accept
            desk | 2 | crm:B | reject
            desk | 3 | crm:B | accept
            desk | 4 | crm:nobody | accept
            """,
        )
        assert linked(world) == {
            "1": ("crm:A", "manual"),
            "2": (None, "unmatched"),
            "3": ("crm:B", "manual"),
            "4": ("crm:B", "domain"),
        }

    def test_a_person_settles_a_conflict(self, example: MakeExample) -> None:
        world = example()
        world.put("account", "source_id | vat | website\nA | 11111114 | a.example\nB | 11111122 | b.example")
        world.put("account", "source_system | source_id | vat | domains\nbill | c1 | 11111114 | b.example")
        assert linked(decide(world, "bill | c1 | crm:B | reject")) == {"c1": ("crm:A", "vat")}

    def test_an_account_of_the_crm_may_be_another_one_of_it(self, example: MakeExample) -> None:
        world = example()
        world.put("account", "source_id | name\nA | Alfa\nB | Alfa Danmark\nC | C\nD | D\nE | E")
        world.put("account", "source_system | source_id | external_id\ndesk | 1 | B")
        decide(world, "crm|B|crm:A|accept\ncrm|C|crm:D|accept\ncrm|D|crm:E|accept\ncrm|E|crm:C|accept")
        world.run("canonical.account")
        # A circle says nothing: C, D and E stay what they are.
        assert world.rows("select account_id from canonical.account order by all") == [
            ("crm:A",), ("crm:C",), ("crm:D",), ("crm:E",),
        ]  # fmt: skip
        assert linked(world) == {"1": ("crm:A", "external_id")}

    def test_a_merge_that_a_person_rejects_is_none(self, example: MakeExample) -> None:
        world = example().put("account", "source_id | merged_into_source_id\nA | -\nB | A\nC | A")
        decide(world, "crm | C | crm:A | reject")
        assert linked(world, "crm") == {
            "A": ("crm:A", "exact_id"), "B": ("crm:A", "merged"), "C": ("crm:C", "exact_id"),
        }  # fmt: skip


class TestSeveralCrms:
    ACCOUNTS = """
        source_system | source_id | name | vat      | website       | external_id | landed_at
        crm           | A         | Alfa | 11111114 | alfa.example  | -           | 2026-05-01 02:00:00
        crm           | B         | Beta | -        | beta.example  | -           | 2026-05-01 02:00:00
        crm           | C         | Core | -        | -             | -           | 2026-05-01 02:00:00
        newer         | 1         | ALFA | 11111114 | -             | -           | 2026-06-01 02:00:00
        newer         | 2         | Beta | -        | beta.example  | -           | 2026-06-01 02:00:00
        newer         | 3         | Core | -        | -             | C           | 2026-06-01 02:00:00
        newer         | 4         | Duke | -        | duke.example  | -           | 2026-06-01 02:00:00
    """

    def test_a_company_that_both_know_has_the_id_of_the_one_that_knew_it_first(self, example: MakeExample) -> None:
        world = example().put("account", self.ACCOUNTS)
        world.put("account", "source_system | source_id | domains\ndesk | 5 | duke.example\ndesk | 6 | beta.example")
        assert linked(world) == {
            "1": ("crm:A", "vat"),
            "2": ("crm:B", "domain"),
            "3": ("crm:C", "external_id"),
            "4": ("newer:4", "exact_id"),
            "5": ("newer:4", "domain"),
            "6": ("crm:B", "domain"),
        }
        world.run("canonical.account")
        assert [row[0] for row in world.rows("select account_id from canonical.account order by all")] == [
            "crm:A", "crm:B", "crm:C", "newer:4",
        ]  # fmt: skip

    def test_the_project_says_whose_ids_count(self, example: MakeExample) -> None:
        world = example(crm_order=["newer", "crm"]).put("account", self.ACCOUNTS.replace("2026-06-01", "2026-05-01"))
        assert linked(world, "crm")["A"] == ("newer:1", "vat")

    def test_what_is_a_company_already_stays_one_whatever_key_it_is_given_later(self, example: MakeExample) -> None:
        world = example().put("account", "source_id | vat\nA | 11111114")
        world.put(
            "account",
            f"source_system | source_id | vat | landed_at\nnewer | 1 | - | {MAY}\nnewer | 1 | 11111114 | {JUNE}",
        )
        assert linked(world) == {"1": ("newer:1", "exact_id")}

    def test_two_accounts_there_at_once_are_a_conflict_and_no_step(self, example: MakeExample) -> None:
        world = example(crm_order=["crm"])
        world.put("account", "source_id | vat | website\nA | 11111114 | -\nB | - | beta.example")
        world.put("account", "source_system | source_id | vat | website\nnewer | 1 | 11111114 | beta.example")
        assert linked(world) == {"1": ("newer:1", "exact_id")}


class TestStability:
    def test_a_key_that_two_companies_turn_out_to_have_proves_nothing_from_then_on(self, example: MakeExample) -> None:
        world = example()
        world.put(
            "account",
            f"source_id | website | landed_at\nA | group.example | {MAY}\nB | group.example | {JUNE}",
        )
        world.put(
            "account",
            f"source_system | source_id | domains | landed_at\ndesk | 1 | group.example | {MAY}\ndesk | 2 | group.example | {JUNE}",
        )
        assert linked(world) == {"1": ("crm:A", "domain"), "2": (None, "unmatched")}

    def test_a_link_stays_when_its_key_comes_to_name_another_and_the_other_is_shown(self, example: MakeExample) -> None:
        world = example()
        world.put("account", f"source_id | vat | landed_at\nA | 11111114 | {MAY}\nB | 11111122 | {MAY}")
        world.put(
            "account",
            f"source_system | source_id | vat | landed_at\nbill | c1 | 11111114 | {MAY}\nbill | c1 | 11111122 | {JUNE}",
        )
        assert set(linked(world).values()) == {("crm:A", "vat")}
        assert world.rows("select distinct contradicting_id from audit.identity where system = 'bill'") == [("crm:B",)]

    def test_a_merge_carries_the_links_over(self, example: MakeExample) -> None:
        world = example()
        world.put("account", "source_id | vat | merged_into_source_id\nA | 11111114 | B\nB | - | -")
        world.put("account", "source_system | source_id | vat\nbill | c1 | 11111114")
        assert linked(world)["c1"] == ("crm:B", "vat")

    # Few values, so that keys meet, contradict and change hands.
    ACCOUNTS = st.lists(
        st.tuples(
            st.sampled_from(["crm", "newer", "desk", "bill"]),
            st.sampled_from(["a-00001", "b-00002", "c-00003"]),
            st.sampled_from(["11111114", "11111122", "-"]),
            st.sampled_from(["alfa.example", "beta.example", "-"]),
            st.sampled_from(["x@alfa.example", "x@beta.example", "-"]),
            st.sampled_from(["Alfa", "Beta"]),
            st.sampled_from(["a-00001", "b-00002", "-"]),
        ),
        min_size=1,
        max_size=6,
    )

    @settings(max_examples=20, deadline=None)
    @given(drops=st.lists(ACCOUNTS, min_size=2, max_size=3))
    def test_whatever_is_landed_later_no_link_that_was_made_changes(self, drops: list[list[tuple[str, ...]]]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            world = Example(Path(folder), "2026-06-30", crm_order=["crm", "newer"])
            before: dict[tuple[str, str], str] = {}
            rows = "source_system | source_id | vat | website | email | name | external_id | landed_at"
            for day, drop in enumerate(drops, start=1):
                rows = "\n".join([rows, *(" | ".join((*row, f"2026-05-{day:02} 02:00:00")) for row in drop)])
                world.engine.execute("delete from staged.account")
                world.put("account", rows).run("canonical.account_xref")
                found = {
                    (system, account): company
                    for system, account, company in world.rows(
                        "select distinct source_system, source_account_id, account_id from canonical.account_xref "
                        "where account_id is not null"
                    )
                }
                assert before.items() <= found.items()
                before = found


class TestGroups:
    def test_a_company_belongs_to_its_topmost_parent_of_the_day(self, example: MakeExample) -> None:
        world = example().put(
            "account",
            f"""
            source_id | parent_source_id | landed_at
            A         | B                | {MAY}
            B         | C                | {MAY}
            C         | -                | {MAY}
            D         | -                | {MAY}
            B         | D                | {JUNE}
            """,
        ).run("canonical.account_group")  # fmt: skip
        day = "cast(known_from as date)::varchar"
        assert world.rows(f"select account_id, group_id, {day} from canonical.account_group order by all") == [
            ("crm:A", "crm:C", "1900-01-01"),
            ("crm:A", "crm:D", "2026-06-01"),
            ("crm:B", "crm:C", "1900-01-01"),
            ("crm:B", "crm:D", "2026-06-01"),
            ("crm:C", "crm:C", "1900-01-01"),
            ("crm:D", "crm:D", "1900-01-01"),
        ]

    def test_parents_in_a_circle_are_one_group(self, example: MakeExample) -> None:
        world = example().put("account", "source_id | parent_source_id\nA | B\nB | C\nC | A\nD | E\nE | D\nF | F")
        world.run("canonical.account_group")
        assert world.rows("select account_id, group_id from canonical.account_group order by all") == [
            ("crm:A", "crm:A"), ("crm:B", "crm:A"), ("crm:C", "crm:A"), ("crm:D", "crm:D"), ("crm:E", "crm:D"), ("crm:F", "crm:F"),
        ]  # fmt: skip

    def test_a_merged_parent_is_the_one_that_is_left_and_an_unknown_one_is_a_group(self, example: MakeExample) -> None:
        world = example().put(
            "account",
            "source_id | parent_source_id | merged_into_source_id\nA | B | -\nB | - | C\nC | - | -\nD | X | -",
        )
        world.run("canonical.account_group")
        assert world.rows("select account_id, group_id from canonical.account_group order by all") == [
            ("crm:A", "crm:C"), ("crm:C", "crm:C"), ("crm:D", "crm:X"),
        ]  # fmt: skip


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
