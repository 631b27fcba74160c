from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.clock import (
    AS_OF,
    CLOSES,
    END,
    OPENS,
    after_business_minutes,
    day_text,
    iso_utc,
    month_starts,
    salesforce_time,
    utc,
    working_moment,
)

COPENHAGEN = ZoneInfo("Europe/Copenhagen")


def minute(text: str) -> np.ndarray:
    return np.array([text], dtype="M8[m]")


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2026-01-15T12:00", "2026-01-15T11:00"),
        ("2026-03-29T01:59", "2026-03-29T00:59"),  # the last minute of winter time
        ("2026-03-29T03:00", "2026-03-29T01:00"),  # the first of summer time
        ("2025-10-26T03:00", "2025-10-26T02:00"),  # winter time again
        ("2025-07-01T12:00", "2025-07-01T10:00"),
    ],
)
def test_danish_time_becomes_utc(local: str, expected: str) -> None:
    assert utc(minute(local)) == minute(expected)


@given(st.datetimes(dt.datetime(2015, 1, 1), dt.datetime(2035, 1, 1)))
def test_office_time_becomes_utc_as_the_time_zone_database_says(moment: dt.datetime) -> None:
    local = moment.replace(hour=8 + moment.hour % 9, second=0, microsecond=0)
    expected = local.replace(tzinfo=COPENHAGEN).astimezone(dt.UTC).replace(tzinfo=None)
    assert utc(np.array([local], dtype="M8[m]"))[0] == np.datetime64(expected, "m")


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2026-06-26T10:00", 30, "2026-06-26T10:30"),
        ("2026-06-26T15:30", 60, "2026-06-29T08:30"),  # a weekend in between
        ("2026-06-24T06:00", 15, "2026-06-24T08:15"),  # before opening
        ("2026-06-24T17:00", 15, "2026-06-25T08:15"),  # after closing
        ("2026-06-22T08:00", 3 * 480 + 1, "2026-06-25T08:01"),
        ("2026-06-27T12:00", 10, "2026-06-29T08:10"),  # a Saturday
    ],
)
def test_office_minutes_stop_at_night_and_at_weekends(start: str, minutes: int, end: str) -> None:
    assert after_business_minutes(minute(start), np.array([minutes])) == minute(end)


@given(st.integers(0, 60 * 24 * 365), st.integers(1, 20_000), st.integers(0, 5_000))
def test_more_office_minutes_never_end_earlier(offset: int, minutes: int, more: int) -> None:
    start = np.array(["2025-01-01T00:00"], dtype="M8[m]") + np.timedelta64(offset, "m")
    first = after_business_minutes(start, np.array([minutes]))
    later = after_business_minutes(start, np.array([minutes + more]))
    assert start[0] < first[0] <= later[0]
    assert OPENS <= int((first - first.astype("M8[D]"))[0].astype(int)) <= CLOSES


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
def test_a_working_moment_lies_on_a_working_day_of_its_month(day_share: float, time_share: float) -> None:
    months = month_starts(24)
    moments = working_moment(months, np.full(24, day_share), np.full(24, time_share))
    assert (moments.astype("M8[M]") == months).all()
    assert np.is_busday(moments.astype("M8[D]")).all()
    assert (moments < END).all()


def test_the_months_end_with_june_2026() -> None:
    assert month_starts(3).tolist() == [dt.date(2026, 4, 1), dt.date(2026, 5, 1), dt.date(2026, 6, 1)]
    assert AS_OF.astype("M8[M]") == month_starts(1)[0]


def test_moments_are_spelled_as_each_system_spells_them() -> None:
    moments = np.array(["2025-03-01T08:00", "NaT"], dtype="M8[m]")
    assert iso_utc(moments).tolist() == ["2025-03-01T08:00:00Z", ""]
    assert salesforce_time(moments).tolist() == ["2025-03-01 08:00:00", ""]
    assert day_text(moments.astype("M8[D]")).tolist() == ["2025-03-01", ""]
