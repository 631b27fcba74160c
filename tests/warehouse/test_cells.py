"""Single cells: a text and its declaration in, a value or nothing out."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from warehouse import cells
from warehouse.contracts import Column, alike_formats
from warehouse.locales import locales
from warehouse.models import TRANSFORMS

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
        ("milliseconds", "-60000", -1.0),
        ("milliseconds", "1m", None),
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


# The abbreviated and wide names of the months in CLDR 46 (https://cldr.unicode.org): where the form that stands alone
# differs from the one in a date, both.
MONTHS = {
    "en": "Jan January, Feb February, Mar March, Apr April, May, Jun June, Jul July, Aug August, Sep Sept September, "
    "Oct October, Nov November, Dec December",
    "da": "jan januar, feb februar, mar marts, apr april, maj, jun juni, jul juli, aug august, sep september, "
    "okt oktober, nov november, dec december",
    "es": "ene enero, feb febrero, mar marzo, abr abril, may mayo, jun junio, jul julio, ago agosto, "
    "sep sept septiembre, oct octubre, nov noviembre, dic diciembre",
    "de": "Jan Januar Jän Jänner, Feb Februar, Mär März, Apr April, Mai, Jun Juni, Jul Juli, Aug August, "
    "Sep Sept September, Okt Oktober, Nov November, Dez Dezember",
}


@pytest.mark.parametrize("language", MONTHS)
@pytest.mark.parametrize("directive", ["%b", "%B"])
def test_a_month_is_read_in_each_language_short_or_long_in_any_case_with_or_without_a_stop(
    language: str, directive: str
) -> None:
    names = [(place, name) for place, month in enumerate(MONTHS[language].split(", "), 1) for name in month.split()]
    for spelt in (str, str.lower, str.upper, str.capitalize, lambda name: f"{name}."):
        texts = [f"3/{spelt(name)}/25" for _, name in names]
        found = read({"type": "date", "format": f"%d/{directive}/%y"}, *texts)
        assert found == [dt.date(2025, place, 3) for place, _ in names]


def test_no_name_of_a_month_means_two_months() -> None:
    meanings: dict[str, set[int]] = {}
    for months in yaml.safe_load((TRANSFORMS / "months.yml").read_text(encoding="utf-8")).values():
        assert len(months) == 12
        for place, names in enumerate(months, 1):
            for name in names:
                meanings.setdefault(name, set()).add(place)
    assert {name: places for name, places in meanings.items() if len(places) > 1} == {}
    # What a cell is looked up by: in lower case, and long enough to be no `am` or `pm`.
    assert [name for name in meanings if not re.fullmatch("[a-zäéí]{3,}", name)] == []


@pytest.mark.parametrize(
    ("form", "text", "value"),
    [
        # Texts of genuine Jira exports.
        ("%d/%b/%y", "03/dic/25", dt.datetime(2025, 12, 3)),
        ("%d/%b/%y", "16/ene/24", dt.datetime(2024, 1, 16)),
        ("%d/%b/%y", "02/maj/25", dt.datetime(2025, 5, 2)),
        ("%d/%b/%y", "1/okt/25", dt.datetime(2025, 10, 1)),
        ("%d/%b/%y %I:%M %p", "22/Sep/25 9:26 AM", dt.datetime(2025, 9, 22, 9, 26)),
        ("%d/%b/%y %I:%M %p", "25/Feb/26 10:17 PM", dt.datetime(2026, 2, 25, 22, 17)),
        ("%d/%b/%y %I:%M %p", "22/sep/25 9:26 a. m.", dt.datetime(2025, 9, 22, 9, 26)),
        ("%d/%b/%y %I:%M %p", "22/sept/25 9:26 p. m.", dt.datetime(2025, 9, 22, 21, 26)),
        ("%d/%b/%y %I:%M %p", "22/sep/25 9:26 p.m.", dt.datetime(2025, 9, 22, 21, 26)),
        ("%d/%b/%y %I:%M %p", "22/sep/25 12:26 AM", dt.datetime(2025, 9, 22, 0, 26)),
        ("%d/%b/%y %I:%M %p", "22/sep/25 12:26 p. m.", dt.datetime(2025, 9, 22, 12, 26)),
        ("%d/%b/%y %I:%M %p", "22/März/25 9:26 nachm.", dt.datetime(2025, 3, 22, 21, 26)),
        ("%d. %b %Y", "3. sept. 2025", dt.datetime(2025, 9, 3)),
        ("%d. %B %Y", "3. oktober 2025", dt.datetime(2025, 10, 3)),
        ("%b %d, %Y", "May 3, 2025", dt.datetime(2025, 5, 3)),
        # No month of any known language, no month at all, no such day, no half of the day.
        ("%d/%b/%y", "03/foo/25", None),
        ("%d/%b/%y", "03/12/25", None),
        ("%d/%b/%y", "31/feb/25", None),
        ("%d/%b/%y %I:%M %p", "22/sep/25 9:26", None),
        ("%d/%b/%y %I:%M %p", "22/sep/25 21:26 PM", None),
    ],
)
def test_days_of_localised_exports_are_read_as_their_users_wrote_them(
    form: str, text: str, value: dt.datetime | None
) -> None:
    assert read({"type": "timestamp", "format": form}, text) == [value]


@pytest.mark.parametrize(
    ("form", "text"), [("%d.%b.%Y", "3.sep.2025"), ("%d. %b. %Y", "3. sept. 2025"), ("%d.%b.%Y", "3.SEPT.2025")]
)
def test_a_full_stop_behind_the_month_may_be_the_patterns_own(form: str, text: str) -> None:
    assert read({"type": "date", "format": form}, text) == [dt.date(2025, 9, 3)]


@pytest.mark.parametrize(
    "text", ["22/sep/25 9:26 p.\u00a0m.", "22/Sep/25 9:26\u202fPM", "22/sep/25 9:26\u00a0p.\u202fm."]
)
def test_the_half_of_the_day_may_stand_behind_a_space_that_does_not_break(text: str) -> None:
    """As Java and browsers write it: CLDR has `p. m.` with U+00A0, and since 42 U+202F before AM and PM
    (https://unicode-org.atlassian.net/browse/CLDR-14032)."""
    assert read({"type": "timestamp", "format": "%d/%b/%y %I:%M %p"}, text) == [dt.datetime(2025, 9, 22, 21, 26)]


def test_of_several_formats_the_first_that_fits_is_read() -> None:
    several = {"type": "timestamp", "format": ["%d-%m-%Y %H:%M", "%d-%m-%Y", "iso"]}
    assert read(several, "08-04-2023 20:52", "08-04-2023", "2023-04-08T20:52:00Z", "04/08/2023") == [
        dt.datetime(2023, 4, 8, 20, 52),
        dt.datetime(2023, 4, 8),
        dt.datetime(2023, 4, 8, 20, 52),
        None,
    ]
    # Eight digits are a day, and seconds of August 1970.
    assert read({"type": "date", "format": ["%Y%m%d", "unix"]}, "20250101", "1735689600") == [
        dt.date(2025, 1, 1),
        dt.date(2025, 1, 1),
    ]
    assert read({"type": "date", "format": ["unix", "%Y%m%d"]}, "20250101") == [dt.date(1970, 8, 23)]


@pytest.mark.parametrize("name", locales())
def test_no_text_fits_two_patterns_of_a_locale_with_two_meanings(name: str) -> None:
    spelling = locales()[name]
    assert alike_formats(spelling.date) is None
    assert alike_formats(spelling.timestamp) is None
    assert spelling.decimal != spelling.thousands


@given(st.sampled_from(sorted(locales())), st.datetimes(dt.datetime(1000, 1, 1), dt.datetime(9999, 12, 31)))
def test_what_is_written_by_a_locales_pattern_is_read_back(name: str, moment: dt.datetime) -> None:
    spelling = locales()[name]
    for pattern in spelling.timestamp:
        written = moment.strftime(pattern)
        expected = dt.datetime.strptime(written, pattern)
        assert read({"type": "timestamp", "format": list(spelling.timestamp)}, written) == [expected], pattern
    for pattern in spelling.date:
        written = moment.strftime(pattern)
        assert read({"type": "date", "format": list(spelling.date)}, written) == [moment.date()], pattern


@pytest.mark.parametrize(
    ("text", "danish", "point"),
    [
        ("1.234", "1234", "1.234"),
        # The trap of a real invoice list: a quantity of three and a half, taken for thousands.
        ("3.496", "3496", "3.496"),
        ("21.830,00", "21830", None),
        ("8492,75", "8492.75", None),
        ("1.5", None, "1.5"),
        ("-1.234,5", "-1234.5", None),
    ],
)
def test_a_point_groups_thousands_in_denmark_and_is_the_decimal_sign_where_a_column_says_so(
    text: str, danish: str | None, point: str | None
) -> None:
    as_danish = read({"type": "decimal", "decimal": ",", "thousands": "."}, text)
    as_point = read({"type": "decimal", "decimal": ".", "thousands": ""}, text)
    assert as_danish == [Decimal(danish) if danish else None]
    assert as_point == [Decimal(point) if point else None]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("(12.50)", "-12.5"),
        ("12.50-", "-12.5"),
        ("-12.50", "-12.5"),
        ("(1,450.00)", "-1450"),
        ("1,450.00-", "-1450"),
        ("(0.00)", "0"),
        # Twice negative is nobody's way of writing.
        ("(-12.50)", None),
        ("-12.50-", None),
        ("(12.50", None),
        ("12.50)", None),
        ("(12.50)-", None),
        ("()", None),
        ("-", None),
    ],
)
def test_an_amount_may_be_negative_as_accountants_write_it(text: str, amount: str | None) -> None:
    found = read({"type": "decimal", "thousands": ","}, text)
    assert found == [Decimal(amount) if amount is not None else None]
    assert read({"type": "number", "thousands": ","}, "(12.50)", "12.50-") == [None, None]


@given(st.decimals(min_value=0, max_value=10**12, places=2))
def test_an_amount_in_brackets_is_the_negative_of_the_amount_without(amount: Decimal) -> None:
    written = f"{amount:,.2f}"
    assert read({"type": "decimal", "thousands": ","}, written, f"({written})", f"{written}-") == [
        amount, -amount, -amount,
    ]  # fmt: skip


def test_a_currencys_sign_is_left_out_of_an_amount_where_the_contract_names_it() -> None:
    dollars = {"type": "decimal", "thousands": ",", "drop": ["$"]}
    assert read(dollars, "$1,450.00", "-$5.00", "($5.00)", "$ 5", "€5", "$", "5.00 USD") == [
        Decimal(1450), Decimal(-5), Decimal(-5), Decimal(5), None, None, None,
    ]  # fmt: skip
    kroner = {"type": "decimal", "decimal": ",", "thousands": ".", "drop": ["kr.", "DKK"]}
    assert read(kroner, "kr. 1.234,50", "1.234,50\u00a0kr.", "DKK 5", "5,00-kr.") == [
        Decimal("1234.5"), Decimal("1234.5"), Decimal(5), Decimal(-5),
    ]  # fmt: skip
    assert read({"type": "integer", "drop": "%"}, "12%") == [12]
    assert read({"type": "integer"}, "12%") == [None]


def test_thousands_parted_by_a_space_are_parted_by_any_space_that_does_not_break() -> None:
    swedish = {"type": "decimal", "decimal": ",", "thousands": " "}
    assert (
        read(swedish, "1 234 567,5", "1\u00a0234\u00a0567,5", "1\u202f234\u202f567,5", "1234567,5")
        == [Decimal("1234567.5")] * 4
    )
    assert read(swedish, "1  234", "12 34", "1\t234", " 234") == [None] * 4


def test_texts_that_a_map_lacks_are_the_rest_where_each_customer_makes_its_own() -> None:
    declared = {"type": "enum", "map": {"Renewal": "renewal"}, "rest": "one_off"}
    assert read(declared, "RENEWAL", "Gold plan", None) == ["renewal", "one_off", None]
    assert read({"type": "enum", "rest": "meeting"}, "Onboarding", None) == ["meeting", None]


def test_a_rate_has_ten_decimals_and_no_exponent() -> None:
    # Danmarks Nationalbank quotes 100 units; the smallest of its list is the rupiah.
    found = read({"type": "rate"}, "7.4604", "0.0003825", "0.0000000001", "1e-7", "about 7", "99999999999")
    assert found == [Decimal("7.4604"), Decimal("0.0003825"), Decimal("0.0000000001"), None, None, None]
    assert read({"type": "rate", "decimal": ","}, "7,4604") == [Decimal("7.4604")]


# Six ids that occur in public files, with 18 characters as Salesforce itself wrote them.
SALESFORCE_IDS = [
    "0015i00000MLQoqAAH", "001i000000JEw0YAAT", "001B0000009D7iyIAC",
    "0017F000007y8FPQAY", "006q000000HddohAAB", "0031G00001S3ckZQAR",
]  # fmt: skip


@pytest.mark.parametrize("whole", SALESFORCE_IDS)
def test_an_id_of_15_characters_is_the_one_of_18_that_salesforce_writes(whole: str) -> None:
    sql = cells.salesforce_id(cells.whole_id("text"), "text")
    assert evaluate(sql, whole[:15], whole) == [whole, whole]


def test_what_is_no_salesforce_id_stays_and_one_that_a_spreadsheet_broke_is_none() -> None:
    sql = cells.salesforce_id(cells.whole_id("text"), "text")
    assert evaluate(sql, "Nordhavn A/S", "0015i00000MLQo", "1.03006E+13", None) == [
        "Nordhavn A/S", "0015i00000MLQo", None, None,
    ]  # fmt: skip


@given(st.text("abcXYZ019", min_size=15, max_size=15), st.text("abcXYZ019", min_size=15, max_size=15))
def test_ids_that_differ_in_case_alone_differ_in_any_case_with_18_characters(one: str, other: str) -> None:
    first, second = evaluate(cells.salesforce_id("text", "text"), one, other)
    assert (first.lower() == second.lower()) == (one == other)
    assert (first[:15], len(first)) == (one, 18)


def extracted(declared: dict[str, Any], *texts: str | None) -> list[Any]:
    return evaluate(cells.extracted(Column.model_validate({"from": "x", **declared}), "text"), *texts)


def test_a_pattern_takes_its_group_out_of_a_text() -> None:
    assert extracted({"extract": "^([^,; ]+)"}, "a@b.dk, c@d.dk", "a@b.dk", None) == ["a@b.dk", "a@b.dk", None]
    assert extracted({"extract": r"Ticket #(\d+)"}, "Re: Ticket #42 (open)", "no ticket") == ["42", None]
    assert extracted({}, "whole") == ["whole"]


def test_a_text_without_the_pattern_stays_where_it_then_fits_no_type() -> None:
    """So that it is quarantined with its text; where any text would do, it is nothing."""
    hours = {"type": "number", "extract": r"^([\d.]+) hours$"}
    assert extracted(hours, "1.5 hours", "a while") == ["1.5", "a while"]
    assert read(hours, *extracted(hours, "1.5 hours", "a while")) == [1.5, None]
    for kind in ("text", "texts", "salesforce_id"):
        assert extracted({"type": kind, "extract": "<(.*)>"}, "a while", "<>", "< >") == [None, None, None]
    assert extracted({"type": "enum", "map": {"a": "b"}, "extract": "<(.*)>"}, "a while") == [None]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Copenhagen", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize(
    ("form", "text", "day"),
    [
        ("iso", "0001-01-01T00:00:00", dt.date(1, 1, 1)),
        ("iso", "0001-01-01T00:00:00Z", dt.date(1, 1, 1)),
        ("iso", "0001-01-01T00:00:00+14:00", dt.date(1, 1, 1)),
        ("iso", "9999-12-31T23:59:59", dt.date(9999, 12, 31)),
        ("iso", "9999-12-31T23:59:59Z", dt.date(9999, 12, 31)),
        ("iso", "9999-12-31T23:59:59-14:00", dt.date(9999, 12, 31)),
        ("%d.%m.%Y %H:%M", "31.12.9999 23:59", dt.date(9999, 12, 31)),
    ],
)
def test_the_first_and_the_last_day_of_all_mean_never_and_are_so_in_every_zone(
    zone: str, form: str, text: str, day: dt.date
) -> None:
    """.NET writes the one for no day, many a table the other; a zone further they are in no year that Python reads."""
    (time,) = read({"type": "timestamp", "format": form}, text, target="timestamp", zone=zone)
    (written,) = read({"type": "date", "format": form}, text, target="date", zone=zone)
    assert (time.date(), written) == (day, day)
    (shown,) = evaluate(cells.day("cast(text as timestamp)", zone), str(time))
    assert shown == day


@pytest.mark.parametrize("text", ["0000-01-01", "0999-12-31", "10000-01-01", "0000-01-01T00:00:00Z"])
def test_a_year_that_no_calendar_of_a_program_has_is_no_day(text: str) -> None:
    assert read({"type": "date", "format": "iso"}, text, target="date") == [None]
    assert read({"type": "timestamp", "format": "iso"}, text, target="timestamp") == [None]


def test_seconds_beyond_the_calendar_are_no_time() -> None:
    texts = ["99999999999", "-9999999999", "999999999999", "-99999999999"]
    years = [time and time.year for time in read({"type": "timestamp", "format": "unix"}, *texts)]
    assert years == [5138, 1653, None, None]
    texts = [f"{text}000" for text in texts]
    assert [time and time.year for time in read({"type": "timestamp", "format": "unix_ms"}, *texts)] == years


@pytest.mark.parametrize("text", ["epoch", "infinity", "-Infinity", " epoch "])
@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%y", "%d. %B %Y", "%Y-%m-%dT%H:%M:%S%z"])
def test_a_word_that_the_engine_takes_for_a_day_is_none(text: str, form: str) -> None:
    assert CONNECTION.execute("select try_strptime('epoch', '%d.%m.%y')").fetchall() == [(dt.datetime(1900, 1, 1),)]
    assert read({"type": "date", "format": form}, text, target="date") == [None]


@pytest.mark.parametrize(
    ("currency", "value"),
    [("DKK", Decimal("999999999999.99")), ("JPY", Decimal(99999999999999)), ("KWD", Decimal("99999999999.999"))],
)
def test_the_largest_amount_there_is_overflows_in_no_currency(currency: str, value: Decimal) -> None:
    amount = cells.money("cast(text as decimal(18,4))", f"'{currency}'", "minor")
    assert evaluate(amount, "99999999999999") == [value]
