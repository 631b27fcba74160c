"""Single cells: a text and its declaration in, a value or nothing out."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse import cells
from warehouse.contracts import Column

CONNECTION = duckdb.connect()
CONNECTION.execute("set timezone = 'UTC'")


def read(declared: dict[str, Any], *texts: str | None, target: Any = None, zone: str | None = "UTC") -> list[Any]:
    """The values of the texts by a column declared so; the project is in Copenhagen."""
    column = Column.model_validate({"from": "x", **declared})
    return evaluate(cells.value(column, target, "text", cells.Place(zone, "Europe/Copenhagen")), *texts)


def evaluate(sql: str, *texts: str | None) -> list[Any]:
    rows = CONNECTION.execute(
        f"select {sql} from (select unnest(?::varchar[]) as text, unnest(range(?)) as place) order by place",
        [list(texts), len(texts)],
    ).fetchall()
    return [row[0] for row in rows]


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        ({}, "42", 42.0),
        ({}, "-1.5", -1.5),
        ({}, "+1.5", 1.5),
        ({}, "1e-7", 1e-7),
        ({}, "1.234", 1.234),
        ({}, "1,234", None),
        ({}, "1_000", None),
        ({}, "nan", None),
        ({}, "inf", None),
        ({}, "0x1F", None),
        ({}, "12 kr.", None),
        ({"decimal": ",", "thousands": "."}, "1.234,56", 1234.56),
        ({"decimal": ",", "thousands": "."}, "1.234", 1234.0),
        ({"decimal": ",", "thousands": "."}, "12.345.678", 12345678.0),
        ({"decimal": ",", "thousands": "."}, "1234,5", 1234.5),
        # Groups are of three: what is grouped otherwise was written by another rule than the declared one.
        ({"decimal": ",", "thousands": "."}, "1.5", None),
        ({"decimal": ",", "thousands": "."}, "1234.567,8", None),
        ({"decimal": ",", "thousands": "."}, "1.23.456", None),
        ({"thousands": ","}, "1,234.50", 1234.5),
    ],
)
def test_a_number_is_read_by_its_declared_signs_only(declared: dict[str, Any], text: str, value: float | None) -> None:
    assert read({"type": "number", **declared}, text) == [value]


def test_an_amount_keeps_its_digits_and_has_no_exponent() -> None:
    assert read({"type": "decimal"}, "99999999999999.9999", "0.1", "1.03006E+13") == [
        Decimal("99999999999999.9999"),
        Decimal("0.1000"),
        None,
    ]


def test_an_integer_may_have_a_zero_fraction_as_spreadsheets_write_it() -> None:
    assert read({"type": "integer"}, "9", "9.0", "9.5", "99999999999999999999") == [9, 9, None, None]


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2))
def test_a_danish_amount_comes_back_whatever_it_is(amount: Decimal) -> None:
    danish = f"{amount:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".")
    assert read({"type": "decimal", "decimal": ",", "thousands": "."}, danish) == [amount]


@given(st.text("0123456789.,-+", max_size=12))
def test_a_number_is_null_unless_it_has_the_declared_shape(text: str) -> None:
    shape = re.fullmatch(r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?", text, re.ASCII)
    expected = float(text.replace(".", "").replace(",", ".")) if shape else None
    assert read({"type": "number", "decimal": ",", "thousands": "."}, text) == [expected]


@pytest.mark.parametrize(
    ("currency", "amount"),
    [("DKK", "123.45"), ("JPY", "12345"), ("KRW", "12345"), ("KWD", "12.345"), ("UGX", "123.45"), ("ISK", "123.45")],
)
def test_minor_units_are_divided_by_their_currencys_own_power_of_ten(currency: str, amount: str) -> None:
    minor = cells.money("cast(text as decimal(18,4))", f"'{currency}'", "minor")
    assert evaluate(minor, "12345") == [Decimal(amount)]


def test_a_minor_amount_without_a_currency_is_not_guessed() -> None:
    assert evaluate(cells.money("cast(text as decimal(18,4))", "cast(null as varchar)", "minor"), "12345") == [None]


def test_a_list_of_amounts_is_summed_and_one_bad_one_spoils_it() -> None:
    total = cells.amounts("json_extract_string(text, '$[*]')", "decimal(18,4)")
    assert evaluate(total, '["1.10", "2.20"]', "[]", '["1", "x"]', None) == [Decimal("3.3"), Decimal(0), None, None]


def test_a_currency_code_is_three_letters_in_upper_case() -> None:
    assert evaluate(cells.currency_code("text"), "dkk", "Eur", "kr.", "$", None) == ["DKK", "EUR", None, None, None]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2024-01-31", dt.datetime(2024, 1, 31)),
        ("2024-01-31T10:00:00Z", dt.datetime(2024, 1, 31, 10)),
        ("2024-01-31 10:00:00", dt.datetime(2024, 1, 31, 10)),
        ("2024-01-31 10:00", dt.datetime(2024, 1, 31, 10)),
        ("2015-02-13T23:00:00.000Z", dt.datetime(2015, 2, 13, 23)),
        ("2024-01-31T10:00:00.123456+02:00", dt.datetime(2024, 1, 31, 8, 0, 0, 123456)),
        ("2024-01-31T10:00:00+0200", dt.datetime(2024, 1, 31, 8)),
        ("2024-01-31T10:00:00-05", dt.datetime(2024, 1, 31, 15)),
        ("2024-1-31", None),
        ("2025-13-45 00:00:00", None),
        ("2024-02-30", None),
        ("31-01-2024", None),
        ("2024-01-31 (BC)", None),
        ("infinity", None),
        ("epoch", None),
        ("2024-01-31 10:00:00 and more", None),
    ],
)
def test_an_iso_time_is_read_as_written_and_turned_to_utc(text: str, value: dt.datetime | None) -> None:
    assert read({"type": "timestamp", "format": "iso"}, text) == [value]


def test_a_declared_format_is_the_only_one_that_is_read() -> None:
    """3 April under a Danish contract and 4 March under an American one: the text alone cannot say."""
    assert read({"type": "date", "format": "%d-%m-%Y"}, "03-04-2024", "2024-04-03", "13-31-2024") == [
        dt.date(2024, 4, 3),
        None,
        None,
    ]
    assert read({"type": "date", "format": "%m-%d-%Y"}, "03-04-2024") == [dt.date(2024, 3, 4)]


def test_a_two_digit_year_is_no_year_of_the_first_century() -> None:
    assert read({"type": "date", "format": "%d-%m-%Y"}, "01-02-24") == [None]
    assert read({"type": "date", "format": "%d-%m-%y"}, "01-02-24") == [dt.date(2024, 2, 1)]


def test_unix_times_are_whole_seconds_or_milliseconds() -> None:
    assert read({"type": "timestamp", "format": "unix"}, "1700000000", "17000000000000000", "x", "1.5") == [
        dt.datetime(2023, 11, 14, 22, 13, 20),
        None,
        None,
        None,
    ]
    assert read({"type": "timestamp", "format": "unix_ms"}, "1700000000500") == [
        dt.datetime(2023, 11, 14, 22, 13, 20, 500000)
    ]


def test_a_time_without_a_zone_is_in_the_declared_one() -> None:
    assert read({"type": "timestamp", "format": "%d-%m-%Y %H:%M"}, "08-04-2023 20:52", zone="Europe/Copenhagen") == [
        dt.datetime(2023, 4, 8, 18, 52)
    ]
    # An offset in the text says more than the contract.
    assert read({"type": "timestamp", "format": "iso"}, "2023-04-08T20:52:00Z", zone="Europe/Copenhagen") == [
        dt.datetime(2023, 4, 8, 20, 52)
    ]


@pytest.mark.parametrize(
    ("local", "instant"),
    [
        ("2025-03-30 01:59:00", dt.datetime(2025, 3, 30, 0, 59)),
        ("2025-03-30 02:30:00", dt.datetime(2025, 3, 30, 1, 30)),  # does not exist: the offset before the change
        ("2025-03-30 03:00:00", dt.datetime(2025, 3, 30, 1, 0)),
        ("2025-10-26 01:59:00", dt.datetime(2025, 10, 25, 23, 59)),
        ("2025-10-26 02:30:00", dt.datetime(2025, 10, 26, 0, 30)),  # occurs twice: the first
        ("2025-10-26 03:00:00", dt.datetime(2025, 10, 26, 2, 0)),
    ],
)
def test_at_a_change_of_the_clock_the_earlier_offset_counts(local: str, instant: dt.datetime) -> None:
    assert read({"type": "timestamp", "format": "iso"}, local, zone="Europe/Copenhagen") == [instant]


@given(
    st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2037, 1, 1)),
    st.sampled_from(["Europe/Copenhagen", "America/New_York", "Europe/London", "Australia/Sydney", "Asia/Kolkata"]),
)
def test_local_times_become_utc_as_in_pythons_zoneinfo(local: dt.datetime, zone: str) -> None:
    expected = local.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(dt.UTC).replace(tzinfo=None)
    assert read({"type": "timestamp", "format": "iso"}, local.isoformat(" "), zone=zone) == [expected]


@pytest.mark.parametrize(
    ("text", "zone", "day"),
    [
        ("2015-02-14", "UTC", dt.date(2015, 2, 14)),
        # What Data Loader makes of 14 February when it runs in Copenhagen.
        ("2015-02-13T23:00:00.000Z", "UTC", dt.date(2015, 2, 14)),
        ("2015-02-13 22:59:00", "UTC", dt.date(2015, 2, 13)),
        # A midnight without a zone is a day that was written as a time, also west of Greenwich.
        ("2015-02-14 00:00:00", "America/New_York", dt.date(2015, 2, 14)),
        ("2015-02-14 00:00:00", None, dt.date(2015, 2, 14)),
        ("2015-02-14 10:00:00", None, None),
    ],
)
def test_a_days_time_is_the_day_in_the_projects_zone(text: str, zone: str | None, day: dt.date | None) -> None:
    assert read({"type": "date", "format": "iso"}, text, target="date", zone=zone) == [day]


def test_a_time_that_fills_a_day_is_the_day_in_the_projects_zone() -> None:
    assert read({"type": "timestamp", "format": "unix"}, "1735685999", "1735686000", target="date") == [
        dt.date(2024, 12, 31),
        dt.date(2025, 1, 1),  # half past eleven in London is the next year in Copenhagen
    ]


def test_a_day_that_fills_a_time_is_its_midnight_in_its_own_zone() -> None:
    assert read({"type": "date", "format": "iso"}, "2025-07-01", target="timestamp", zone="Europe/Copenhagen") == [
        dt.datetime(2025, 6, 30, 22)
    ]


def test_truth_is_what_the_contract_calls_so() -> None:
    assert read({"type": "boolean"}, "1", "TRUE", "yes", "0", "False", "no", "ja", None) == [
        True, True, True, False, False, False, None, None,
    ]  # fmt: skip
    assert read({"type": "boolean", "true": "SAND", "false": "FALSK"}, "sand", "falsk", "true") == [True, False, None]


def test_an_enum_is_mapped_in_any_case_and_unknown_otherwise() -> None:
    assert read({"type": "enum", "map": {"Hold": "pending"}}, "HOLD", "hold", "elsewhere", None) == [
        "pending", "pending", "unknown", None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("form", "text", "minutes"),
    [
        ("h:mm", "22:17", 1337.0),
        ("h:mm", "-1:30", -90.0),
        ("h:mm", "0:00:30", 0.5),
        ("h:mm", "1:75", None),
        ("hours", "27", 1620.0),
        ("seconds", "90", 1.5),
        ("milliseconds", "90000", 1.5),
        ((), "90", 90.0),
        ("hours", "a day", None),
    ],
)
def test_a_duration_is_minutes(form: str | tuple[str, ...], text: str, minutes: float | None) -> None:
    assert read({"type": "duration", "format": form}, text) == [minutes]


def test_a_list_is_json_or_split_by_its_separator() -> None:
    assert read({"type": "texts", "separator": ";"}, "a; b;;c", '["x", "y"]', "[a", None) == [
        ["a", "b", "c"],
        ["x", "y"],
        ["[a"],
        None,
    ]
    assert read({"type": "texts"}, "one cell; one item", "[]") == [["one cell; one item"], []]


def test_an_id_that_a_spreadsheet_rounded_is_no_id() -> None:
    assert evaluate(cells.whole_id("text"), "1.03006E+13", "1E+5", "10300612345678", "E+5", "1.5") == [
        None, None, "10300612345678", "E+5", "1.5",
    ]  # fmt: skip


@given(st.text(st.sampled_from(" \t\r\n\u00a0!a1-é"), max_size=6))
def test_blanks_around_a_text_are_taken_off_and_nothing_else(text: str) -> None:
    assert evaluate(cells.trimmed("text"), text) == [text.strip(" \t\r\n\u00a0") or None]


def test_a_text_that_means_not_recorded_is_null() -> None:
    assert evaluate(cells.without("text", ["-", "N/A"]), "-", "n/a", "x", None) == [None, None, "x", None]
