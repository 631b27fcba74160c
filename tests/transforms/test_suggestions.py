"""Which companies are suggested for accounts that no certain key links, and in which words."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tables import Example, drawn
from transforms.identity import _define_macros, _make, learned, read_accounts, stated, suggest
from warehouse.build import every_table

MakeExample = Callable[..., Example]

ACCOUNT = pa.schema(
    [
        (name, pa.string())
        for name in ("system", "source_account_id", "name", "vat", "ean", "street", "postal_code", "city")
    ]
    + [("country", pa.string()), ("is_deleted", pa.bool_()), ("account_id", pa.string()), ("method", pa.string())]
    + [("crm_rank", pa.int64())]
)
DOMAIN = pa.schema([(name, pa.string()) for name in ("system", "source_account_id", "domain")])
REJECTION = pa.schema([(name, pa.string()) for name in ("system", "source_account_id", "account_id")])
RANKS = {"crm": 1, "second": 2}


def accounts(rows: list[dict[str, str | None]]) -> pa.Table:
    """Rows of system, id and whatever is compared; an account of a CRM is its own company unless `company` says."""
    full = []
    for row in rows:
        system, source_id = str(row["system"]), row["id"]
        rank = RANKS.get(system)
        company = row.get("company") or (f"{system}:{source_id}" if rank else None)
        method = "exact_id" if rank and not row.get("company") else "external_id" if company else "unmatched"
        known = {"system": system, "source_account_id": source_id, "account_id": company, "crm_rank": rank}
        full.append(
            {"method": method, "is_deleted": False, **{k: row.get(k) for k in ACCOUNT.names if k in row}, **known}
        )
    return pa.Table.from_pylist(full, schema=ACCOUNT)


def suggested(text: str, domains: str = "", rejections: str = "", **options: float) -> list[tuple[str, str, str, str]]:
    """(system, account, company, evidence) of the suggestions for the drawn accounts."""
    rows = suggest(
        accounts(drawn(text)),
        pa.Table.from_pylist(drawn(domains) if domains else [], schema=DOMAIN),
        pa.Table.from_pylist(drawn(rejections) if rejections else [], schema=REJECTION),
        **options,  # type: ignore[arg-type]
    ).to_pylist()
    return [(row["system"], row["source_account_id"], row["account_id"], row["evidence"]) for row in rows]


class TestEvidence:
    def test_is_in_words_that_a_person_can_judge_by(self) -> None:
        found = suggested(
            """
            system | id | name                  | vat        | street   | postal_code | city     | country
            crm    | 1  | Nordhavn Logistik A/S | DK27601111 | Kajvej 1 | 2150        | Nordhavn | DK
            crm    | 2  | Fjordbyg ApS          | DK27602222 | -        | 4000        | Roskilde | DK
            bill   | c1 | NORDHAVN LOGISTIK     | 27601112   | Kajvej 1 | DK-2150     | -        | Danmark
            desk   | d1 | Fjordbyg ApS          | -          | -        | -           | Roskilde | -
            """
        )
        assert found == [
            (
                "bill",
                "c1",
                "crm:1",
                "same name but for spelling or legal form, which no other company has; "
                "VAT number differs in one digit; same address; same country",
            ),
            ("desk", "d1", "crm:2", "same name, which no other company has; same city"),
        ]

    def test_says_what_speaks_against_it_too(self) -> None:
        [(_, _, company, evidence)] = suggested(
            """
            system | id | name                | vat      | postal_code
            crm    | 1  | Nordhavn Logistik   | 27601111 | 2150
            bill   | c1 | Nordhavn Logistik   | 30112233 | 2150
            """
        )
        assert (company, evidence) == (
            "crm:1",
            "same name, which no other company has; another VAT number; same postal code",
        )

    def test_says_by_which_system_a_company_is_known_so(self) -> None:
        [(_, account, company, evidence)] = suggested(
            """
            system | id | name             | company
            crm    | 1  | Havblik Holding  | -
            desk   | d1 | Kystens Perler   | crm:1
            bill   | c1 | Kystens Perler   | -
            """
        )
        assert (account, company) == ("c1", "crm:1")
        assert evidence == "same name, which no other company has (as desk knows it)"

    def test_a_domain_counts_unless_many_companies_have_it(self) -> None:
        text = """
            system | id | name    | company
            crm    | 1  | Alfa    | -
            crm    | 2  | Beta    | -
            crm    | 3  | Gamma   | -
            crm    | 4  | Delta   | -
            bill   | c1 | Alfa DK | -
            """
        own = "system | source_account_id | domain\n crm | 1 | alfa.dk\n bill | c1 | alfa.com"
        assert suggested(text, own) == [
            ("bill", "c1", "crm:1", "one name is part of the other; same domain with another ending")
        ]
        everybody = "system | source_account_id | domain\n" + "\n".join(
            f"{system} | {account} | books.dk" for system, account in [*(("crm", n) for n in "1234"), ("bill", "c1")]
        )
        assert all("domain" not in evidence for *_, evidence in suggested(text, everybody))


NAMES = [
    ("Nordhavn Logistik A/S", "nordhavn logistik"),
    ("NORDHAVN-LOGISTIK", "Nordhavn Logistik ApS"),
    ("Ærø Maskinfabrik", "Aero Maskinfabrik I/S"),
    ("Århus Stål", "Aarhus Staal AB"),
    ("Müller GmbH & Co. KG", "Mueller G.m.b.H."),
    ("The Harbour Company Ltd.", "Harbour Limited"),
    ("Hansen & Jensen", "Jensen og Hansen A/S"),
    ("Société Générale SA", "Societe Generale"),
]


@pytest.mark.parametrize(("first", "second"), NAMES)
def test_a_name_is_the_same_in_another_spelling_legal_form_or_order(first: str, second: str) -> None:
    [(_, _, _, evidence)] = suggested(f"system | id | name\n crm | 1 | {first}\n bill | c | {second}")
    assert evidence.startswith("same name but for spelling or legal form")


@pytest.mark.parametrize(
    ("name", "words"), [("A/S", ["as"]), ("Co.", ["co"]), ("- - -", None), ("", None), (None, None)]
)
def test_a_name_of_nothing_but_a_legal_form_stays_a_name(name: str | None, words: list[str] | None) -> None:
    with duckdb.connect() as connection:
        connection.register("given_account", accounts([{"system": "crm", "id": "1", "name": name}]))
        connection.register("given_domain", DOMAIN.empty_table())
        _define_macros(connection, 0.5)
        _make(connection, "record")
        assert connection.execute("select words from record").fetchall() == [(words,)]


class TestWhoIsAsked:
    TWINS = """
        system | id | name            | vat      | postal_code | company
        crm    | 1  | Alfa Byg        | 27601111 | 2150        | -
        crm    | 2  | Alfa Byg        | -        | -           | -
        crm    | 3  | Alfa Byg        | -        | 8000        | -
        crm    | 4  | Alfa Byg        | 27601110 | -           | -
        crm    | 5  | Alfa Byg        | -        | 2150        | -
        bill   | c1 | Alfa Byg        | 27601112 | 2150        | -
        bill   | c2 | Alfa Byg        | 27601112 | 2150        | crm:1
        """

    def test_of_many_companies_the_three_likeliest_are_named(self) -> None:
        found = suggested(self.TWINS, suggest_from=0.001)
        assert [account for _, account, *_ in found] == ["c1"] * 3
        assert found[0][2] == "crm:1"

    def test_a_company_that_a_person_rejected_is_not_named_again(self) -> None:
        no = "system | source_account_id | account_id\n bill | c1 | crm:1"
        companies = [company for *_, company, _ in suggested(self.TWINS, "", no, suggest_from=0.001)]
        assert companies and "crm:1" not in companies

    def test_who_is_linked_is_not_asked(self) -> None:
        assert all(account != "c2" for _, account, *_ in suggested(self.TWINS, suggest_from=0.001))

    def test_an_account_of_a_lesser_crm_may_be_a_company_of_the_first(self) -> None:
        found = suggested(
            """
            system | id | name                  | postal_code | company
            crm    | 1  | Nordhavn Logistik A/S | 2150        | -
            second | 9  | Nordhavn Logistik     | 2150        | -
            second | 10 | Nordhavn Logistik     | 2150        | second:10
            second | 11 | Nordhavn Logistik     | 2150        | crm:1
            """
        )
        assert {(system, account, company) for system, account, company, _ in found} == {
            ("second", "9", "crm:1"),
            ("second", "10", "crm:1"),
        }

    def test_two_accounts_of_one_crm_are_its_own_affair(self) -> None:
        assert suggested("system | id | name\n crm | 1 | Alfa Byg\n crm | 2 | Alfa Byg") == []

    def test_what_is_not_likely_enough_is_left_out(self) -> None:
        text = "system | id | name\n crm | 1 | Alfa Byg\n crm | 2 | Alfa Byg\n bill | c1 | Alfa Byg"
        table = suggest(accounts(drawn(text)), DOMAIN.empty_table(), REJECTION.empty_table(), suggest_from=0.01)
        lowest = min(row["probability"] for row in table.to_pylist())
        assert len(suggested(text, suggest_from=lowest)) == table.num_rows
        assert len(suggested(text, suggest_from=lowest + 0.0001)) < table.num_rows


@pytest.mark.parametrize(
    "text", ["system | id | name", "system | id | name\n crm | 1 | Alfa", "system | id | name\n bill | c | Alfa"]
)
def test_where_nobody_can_be_asked_about_nothing_is_suggested(text: str) -> None:
    assert suggested(text) == []


def test_where_nobody_can_be_asked_about_splink_is_not_even_loaded() -> None:
    source = (
        "import sys\nfrom tests.transforms.test_suggestions import suggested\n"
        "suggested('system | id | name\\n crm | 1 | Alfa')\nprint('splink' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


def world(seed: int, companies: int = 150) -> tuple[list[dict[str, str | None]], list[dict[str, str]]]:
    """Companies in a CRM, a helpdesk and billing; every third account of the latter two is linked to none."""
    draw = random.Random(seed)
    words = ["Nord", "Syd", "Hav", "Fjord", "Skov", "Birk", "Sten", "Ler", "Mose", "Bakke", "Dal", "Sund"]
    trades = ["Byg", "Stål", "Energi", "Logistik", "Foder", "Teknik", "Mejeri", "Revision"]
    rows: list[dict[str, str | None]] = []
    domains = []
    for number in range(companies):
        name = f"{draw.choice(words)}{draw.choice(words).lower()} {draw.choice(trades)}"
        vat, postal = str(draw.randrange(10_000_000, 99_999_999)), str(draw.randrange(1000, 9990))
        rows.append({"system": "crm", "id": f"k{number}", "name": f"{name} A/S", "vat": vat, "postal_code": postal})
        domains.append({"system": "crm", "source_account_id": f"k{number}", "domain": f"d{number}.dk"})
        for system in ("desk", "bill"):
            unmatched = draw.random() < 1 / 3
            rows.append(
                {
                    "system": system,
                    "id": f"a{number}",
                    "name": name.upper() if draw.random() < 0.5 else name.replace("a", "e", 1),
                    "vat": vat if draw.random() < 0.3 else None,
                    "postal_code": postal if draw.random() < 0.6 else None,
                    "company": None if unmatched else f"crm:k{number}",
                }
            )
            if draw.random() < 0.4:
                domains.append({"system": system, "source_account_id": f"a{number}", "domain": f"d{number}.dk"})
    return rows, domains


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_rows_and_the_number_of_threads_change_nothing(seed: int) -> None:
    rows, domains = world(seed)
    tables = []
    for threads in (2, 1, 4):
        given = (accounts(rows), pa.Table.from_pylist(domains, schema=DOMAIN), REJECTION.empty_table())
        tables.append(suggest(*given, threads=threads).to_pylist())
        random.Random(threads).shuffle(rows)
        random.Random(threads).shuffle(domains)
    assert tables[0] and tables[0] == tables[1] == tables[2]
    assert all(row["source_account_id"][1:] == row["account_id"][5:] for row in tables[0] if row["probability"] > 0.95)


class TestFrequencies:
    def learned(self, rows: list[dict[str, str | None]]) -> dict[str, list[tuple[float, float]]]:
        with duckdb.connect() as connection:
            connection.register("given_account", accounts(rows))
            connection.register("given_domain", DOMAIN.empty_table())
            _define_macros(connection, 0.5)
            _make(connection, "record", "lesson")
            return {name: list(levels) for name, levels in learned(connection).items()}

    def test_are_the_stated_ones_where_pairs_are_few(self) -> None:
        rows, _ = world(1, companies=20)
        assert self.learned(rows) == {name: list(levels) for name, levels in stated().items()}

    def test_follow_the_pairs_that_are_certain(self) -> None:
        rows, _ = world(1)
        found = self.learned(rows)
        for side in (0, 1):
            assert sum(level[side] for level in found["address"]) == pytest.approx(1, abs=1e-3)
        same, *_, other = found["vat"]
        assert same[0] > 0.9 > 0.1 > other[0], "a number that both have is the same one in this world"
        assert same[1] < 1e-4 < 0.99 < other[1]

    def test_a_name_that_one_company_has_is_worth_less_where_many_names_have_two(self) -> None:
        plain = [{"system": "crm", "id": f"k{number}", "name": f"Company{number}"} for number in range(200)]
        doubled = [
            {**row, "name": f"Company{max(number, 20) // 2 if number < 60 else number}"}
            for number, row in enumerate(plain)
        ]
        (_, chance), (_, doubled_chance) = self.learned(plain)["name"][0], self.learned(doubled)["name"][0]
        assert chance == pytest.approx(2 * 0.5 / 200 / 200)
        assert doubled_chance > 10 * chance

    def test_a_key_that_made_the_link_does_not_teach_itself(self) -> None:
        rows = [row for row in world(1)[0] if row["system"] != "desk"]
        with duckdb.connect() as connection:
            table = accounts(rows).to_pylist()
            by_vat = [{**row, "method": "vat"} if row["method"] == "external_id" else row for row in table]
            connection.register("given_account", pa.Table.from_pylist(by_vat, schema=ACCOUNT))
            connection.register("given_domain", DOMAIN.empty_table())
            _define_macros(connection, 0.5)
            _make(connection, "record", "lesson")
            found = learned(connection)
        assert [m for m, _ in found["vat"]] == [m for m, _ in stated()["vat"]]
        assert [m for m, _ in found["name"]] != [m for m, _ in stated()["name"]]


def test_a_night_reads_addresses_from_the_staged_rows_and_what_is_linked_from_the_canonical_ones(
    example: MakeExample,
) -> None:
    built = example()
    built.put(
        "account",
        """
        source_system | source_id | name           | vat      | street     | postal_code
        crm           | 1         | Alfa Byg A/S   | 12345674 | Havnen 1   | 6700
        crm           | 2         | Beta Foder A/S | -        | -          | -
        bill          | c1        | Alfa Byg       | 12345675 | Havnen 1   | 6700
        bill          | c2        | Beta Foder     | 12345674 | -          | -
        """,
    ).run("canonical.account_xref", "canonical.account_domain")
    rows = suggest(**read_accounts(built.engine.connection)).to_pylist()
    assert [(row["source_account_id"], row["account_id"], row["evidence"]) for row in rows] == [
        (
            "c1",
            "crm:1",
            "same name but for spelling or legal form, which no other company has; "
            "VAT number differs in one digit; same address",
        )
    ]


def test_an_address_is_in_no_published_table() -> None:
    published = {column for model in every_table() for column in model.columns}
    assert not published & {"street", "postal_code", "city"}


TEXTS = st.sampled_from(
    ["Alfa", "alfa aps", "A/S", "Ærø ' \" ; --", "雪", "\u0000x", "(.*", "", "00000000", "27601111", "DK-27601112"]
)
ROWS = st.fixed_dictionaries(
    {
        "system": st.sampled_from(["crm", "second", "bill"]),
        "id": st.sampled_from(["1", "2", "3", "4"]),
        **dict.fromkeys(("name", "vat", "ean", "street", "postal_code", "city", "country"), st.none() | TEXTS),
    }
)


@settings(max_examples=15)
@given(rows=st.lists(ROWS, max_size=9, unique_by=lambda row: (row["system"], row["id"])), turn=st.randoms())
def test_whatever_people_typed_gives_few_likely_companies_and_always_the_same(
    rows: list[dict[str, str | None]], turn: random.Random
) -> None:
    empty = (DOMAIN.empty_table(), REJECTION.empty_table())
    found = suggest(accounts(rows), *empty, suggest_from=0.2).to_pylist()
    assert all(0.2 <= row["probability"] <= 1 and row["rank"] in (1, 2, 3) and row["evidence"] for row in found)
    assert all(row["account_id"].split(":")[0] != row["system"] for row in found)
    turn.shuffle(rows)
    assert suggest(accounts(rows), *empty, suggest_from=0.2, threads=1).to_pylist() == found
