"""Worked examples of business hours, and the laws that hold for any: they count one by one, and they add up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tables import Example
from warehouse.project import Settings

MakeExample = Callable[..., Example]

WEEK = ("mon", "tue", "wed", "thu", "fri")
OFFICE = {
    "timezone": "Europe/Copenhagen",
    "holidays": "DK",
    "hours": {**{day: ["08:00-16:00"] for day in WEEK[:4]}, "fri": ["08:00-15:00"]},
}
CALENDARS: dict[str, Any] = {
    "office": OFFICE,
    "lunch": {**OFFICE, "hours": {day: ["08:00-11:30", "12:00-16:00"] for day in WEEK}, "closed": ["2026-06-05"]},
    "always": {
        "timezone": "Europe/Copenhagen",
        "hours": {day: ["00:00-24:00"] for day in (*WEEK, "sat", "sun")},
    },
    "new_york": {
        "timezone": "America/New_York",
        "hours": {day: ["09:00-17:30", "20:00-24:00"] for day in (*WEEK, "sun")},
    },
}


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """A helpdesk with office hours, and tickets that may name another calendar."""
    made = Example(
        tmp_path_factory.mktemp("desks"), "2026-12-31", calendars=CALENDARS, systems={"desk": {"calendar": "office"}}
    )
    yield made
    made.engine.close()


Moment = dt.datetime | None


def minutes(desks: Example, *tickets: tuple[Moment, Moment, Moment, str | None]) -> list[tuple[Any, ...]]:
    """Business minutes to the answer and the resolution, of tickets (created, answered, solved, calendar) in UTC."""
    desks.engine.execute("delete from staged.ticket")
    for number, (created, answered, solved, calendar) in enumerate(tickets):
        desks.engine.execute(
            "insert into staged.ticket (source_system, source_id, created_at, first_response_at, solved_at, calendar) "
            "values ('desk', ?, ?, ?, ?, ?)",
            [f"{number:06d}", created, answered, solved, calendar],
        )
    desks.run("canonical.ticket_clock")
    return desks.rows("select first_response_min, full_resolution_min from canonical.ticket_clock order by ticket_id")


def at(text: str, zone: str = "Europe/Copenhagen") -> dt.datetime:
    """A local time as UTC without a zone."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("created", "answered", "calendar", "expected"),
    [
        # Thursday 4 June 2026; the fifth is a Friday, on which the office closes at three.
        ("2026-06-04 09:00", "2026-06-04 10:30", None, 90),
        ("2026-06-04 15:30", "2026-06-05 08:30", None, 60),
        ("2026-06-04 09:00", "2026-06-08 09:00", None, 7 * 60 + 7 * 60 + 60),
        ("2026-06-04 07:00", "2026-06-04 07:45", None, 0),  # answered before opening
        ("2026-06-04 07:00", "2026-06-04 08:10", None, 10),
        ("2026-06-04 17:00", "2026-06-04 23:00", None, 0),
        ("2026-06-06 10:00", "2026-06-07 22:00", None, 0),  # asked and answered at the weekend
        ("2026-06-05 14:00", "2026-06-08 09:00", None, 120),
        ("2026-06-04 08:00", "2026-06-04 16:00", None, 480),
        ("2026-06-04 09:00", "2026-06-04 09:00", None, 0),
        # With a break for lunch, and closed on Constitution Day.
        ("2026-06-04 11:00", "2026-06-04 12:30", "lunch", 60),
        ("2026-06-04 11:40", "2026-06-04 11:50", "lunch", 0),
        ("2026-06-04 08:00", "2026-06-04 16:00", "lunch", 450),
        ("2026-06-04 15:00", "2026-06-08 09:00", "lunch", 120),
        # A day has 23 hours on 29 March and 25 on 25 October.
        ("2026-03-29 00:00", "2026-03-30 00:00", "always", 23 * 60),
        ("2026-03-29 01:30", "2026-03-29 03:30", "always", 60),
        ("2026-10-25 00:00", "2026-10-26 00:00", "always", 25 * 60),
        ("2026-10-25 01:30", "2026-10-25 03:30", "always", 180),
        ("2026-06-04 15:30", "2026-06-05 08:30", "always", 17 * 60),
        # Hours of another continent; there the evening's last span ends at midnight, on Fridays and Sundays too.
        ("2026-06-04 15:00", "2026-06-04 15:30", "new_york", 30),
        ("2026-06-04 14:00", "2026-06-04 15:30", "new_york", 30),
        ("2026-06-05 23:00", "2026-06-07 21:00", "new_york", 30 + 4 * 60 + 6 * 60),
    ],
)
def test_minutes_count_while_the_desk_is_open(
    desks: Example, created: str, answered: str, calendar: str | None, expected: float
) -> None:
    assert minutes(desks, (at(created), at(answered), None, calendar)) == [(pytest.approx(expected), None)]


def test_two_tickets_of_one_desk_have_each_the_hours_of_its_own_calendar(desks: Example) -> None:
    span = (at("2026-06-04 11:00"), at("2026-06-04 12:30"), at("2026-06-05 12:00"))
    assert minutes(desks, (*span, None), (*span, "lunch"), (*span, "always")) == [
        (90, 300 + 240),
        (60, 270),
        (90, 25 * 60),
    ]


def test_without_a_calendar_or_a_time_there_are_no_business_minutes(example: MakeExample) -> None:
    world = example(calendars=CALENDARS)
    world.put(
        "ticket",
        """
        source_system | source_id | created_at       | first_response_at | solved_at        | calendar
        desk          | 1         | 2026-06-04 08:00 | 2026-06-04 09:00  | 2026-06-04 10:00 | -
        desk          | 2         | 2026-06-04 08:00 | -                 | 2026-06-04 10:00 | office
        desk          | 3         | 2026-06-04 08:00 | 2026-06-04 09:00  | -                | office
        desk          | 4         | 2026-06-04 08:00 | 2026-06-04 09:00  | -                | night
        """,
    ).run("canonical.ticket")
    assert world.rows(
        "select first_response_min, first_response_business_min, full_resolution_business_min from canonical.ticket "
        "order by ticket_id"
    ) == [(60, None, None), (None, None, 120), (60, 60, None), (60, None, None)]


def test_what_the_helpdesk_itself_counted_is_kept_and_a_given_duration_is_laid_on_the_calendar(
    example: MakeExample,
) -> None:
    """Asked on Thursday at 15:30 in Copenhagen; the answer came after 17 hours, on Friday at half past eight."""
    world = example(calendars=CALENDARS, systems={"desk": {"calendar": "office"}})
    world.put(
        "ticket",
        """
        source_system | source_id | created_at       | first_response_min | first_response_business_min
        desk          | 1         | 2026-06-04 13:30 | 1020               | -
        desk          | 2         | 2026-06-04 13:30 | 1020               | 45
        """,
    ).run("canonical.ticket")
    assert world.rows("select first_response_business_min from canonical.ticket order by ticket_id") == [(60,), (45,)]


def test_a_ticket_that_was_answered_or_solved_before_it_was_asked_has_no_duration(example: MakeExample) -> None:
    """By two clocks that differ; the ticket stays. Once on a Thursday at work, once on a Sunday."""
    world = example(calendars=CALENDARS, systems={"desk": {"calendar": "office"}}).put(
        "account", "source_id | name | customer_since\nA | Alfa | 2025-01-01"
    )
    world.put("account", "source_system | source_id | external_id\ndesk | o1 | A")
    world.put(
        "ticket",
        """
        source_system | source_id | source_account_id | created_at       | first_response_at | solved_at
        desk          | 1         | o1                | 2026-06-04 08:00 | 2026-06-04 07:00  | 2026-06-04 07:30
        desk          | 2         | o1                | 2026-06-07 08:00 | 2026-06-07 07:00  | 2026-06-07 07:30
        """,
    ).run("value.ticket_median", "value.full_resolution")
    assert (
        world.rows(
            "select first_response_min, full_resolution_min, first_response_business_min, full_resolution_business_min "
            "from canonical.ticket"
        )
        == [(None, None, None, None)] * 2
    )


# https://www.retsinformation.dk/eli/lta/1992/1104 with lov nr. 214 of 2023, which took Great Prayer Day away: the Danish
# holidays of 2026, in which Easter Sunday is 5 April.
DANISH_HOLIDAYS_2026 = {
    "2026-01-01": "Nytårsdag",
    "2026-04-02": "Skærtorsdag",
    "2026-04-03": "Langfredag",
    "2026-04-05": "Påskedag",
    "2026-04-06": "2. påskedag",
    "2026-05-14": "Kristi himmelfartsdag",
    "2026-05-24": "Pinsedag",
    "2026-05-25": "2. pinsedag",
    "2026-12-25": "1. juledag",
    "2026-12-26": "2. juledag",
}


def test_a_danish_office_is_closed_on_danish_holidays_and_at_weekends_only(desks: Example) -> None:
    opened = {
        str(row[0])
        for row in desks.rows(
            "select distinct day from setting.business_span where calendar = 'office' and year(day) = 2026"
        )
    }
    days = [dt.date(2026, 1, 1) + dt.timedelta(days=step) for step in range(365)]
    expected = {str(day) for day in days if day.weekday() < 5 and str(day) not in DANISH_HOLIDAYS_2026}
    assert opened == expected
    # Constitution Day is a working day of the office, and a day off of the other calendar.
    assert "2026-06-05" in opened
    closed = "select count(*) from setting.business_span where calendar = 'lunch' and day = '2026-06-05'"
    assert desks.rows(closed) == [(0,)]


def easter(year: int) -> dt.date:
    """Easter Sunday (J. Meeus, Astronomical Algorithms, ch. 8, after Butcher)."""
    golden, century, rest = year % 19, year // 100, year % 100
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    correction = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * correction + 114, 31)
    return dt.date(year, month, day + 1)


def test_the_days_that_go_with_easter_are_closed_in_every_year(desks: Example) -> None:
    closed = {row[0] for row in desks.rows(
        "select day from setting.business_day where calendar = 'office' "
        "except select day from setting.business_span where calendar = 'office'"
    )}  # fmt: skip
    for year in range(2000, 2027):
        moving = {name: easter(year) + dt.timedelta(days=after) for name, after in (
            ("Maundy Thursday", -3), ("Good Friday", -2), ("Easter Monday", 1), ("Ascension", 39), ("Whit Monday", 50),
        )}  # fmt: skip
        assert set(moving.values()) <= closed, year
        prayer = easter(year) + dt.timedelta(days=26)
        assert (prayer in closed) == (year < 2024), "Great Prayer Day was a holiday up to 2023"


def is_open(calendar: dict[str, Any], moment: dt.datetime) -> bool:
    """Whether the minute that begins at the UTC time is one of the calendar's."""
    local = moment.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(calendar["timezone"]))
    if calendar.get("holidays") and str(local.date()) in DANISH_HOLIDAYS_2026:
        return False
    if str(local.date()) in calendar.get("closed", ()):
        return False
    spans = calendar["hours"].get((*WEEK, "sat", "sun")[local.weekday()], ())
    clock = f"{local:%H:%M}"
    return any(start <= clock < end for start, end in (span.split("-") for span in spans))


INSTANTS = st.lists(
    st.one_of(
        # The days around Easter with the change to summer time, Whitsun and Constitution Day, and the change back.
        *(
            st.integers(0, 12 * 1440).map(lambda minute, start=start: start + dt.timedelta(minutes=minute))
            for start in (dt.datetime(2026, 3, 27), dt.datetime(2026, 5, 22), dt.datetime(2026, 10, 20))
        )
    ),
    min_size=2,
    max_size=4,
)


@settings(max_examples=25)
@given(st.sampled_from(sorted(CALENDARS)), INSTANTS)
def test_business_minutes_are_those_counted_one_by_one(
    desks: Example, calendar: str, instants: list[dt.datetime]
) -> None:
    start = min(instants)
    ends = [each for each in sorted(instants) if each - start <= dt.timedelta(days=13)]
    counted = [
        sum(
            is_open(CALENDARS[calendar], start + dt.timedelta(minutes=minute))
            for minute in range(int((end - start).total_seconds()) // 60)
        )
        for end in ends
    ]
    found = minutes(desks, *((start, None, end, calendar) for end in ends))
    assert [row[1] for row in found] == pytest.approx(counted)


@settings(max_examples=25)
@given(
    st.sampled_from(sorted(CALENDARS)),
    st.lists(st.datetimes(dt.datetime(2025, 1, 1), dt.datetime(2026, 12, 31)), min_size=3, max_size=3).map(sorted),
)
def test_minutes_to_a_moment_between_and_from_there_are_the_minutes_of_the_whole(
    desks: Example, calendar: str, moments: list[dt.datetime]
) -> None:
    first, between, last = moments
    part, rest, whole = (
        row[1]
        for row in minutes(
            desks, (first, None, between, calendar), (between, None, last, calendar), (first, None, last, calendar)
        )
    )
    assert part + rest == pytest.approx(whole, abs=1e-6)
    assert 0 <= whole <= (last - first).total_seconds() / 60 + 1e-6


@pytest.mark.parametrize(
    ("calendar", "message"),
    [
        ({"hours": {"mon": ["16:00-08:00"]}}, "the hours of mon end before they begin, or overlap"),
        ({"hours": {"mon": ["08:00-12:00", "11:30-16:00"]}}, "the hours of mon end before they begin, or overlap"),
        ({"hours": {"mon": ["8-16"]}}, "String should match pattern"),
        ({"hours": {"monday": ["08:00-16:00"]}}, "Input should be 'mon'"),
        ({"hours": {}, "holidays": "Danmark"}, "no holidays are known of 'Danmark'"),
        ({"hours": {}, "timezone": "Copenhagen"}, "'Copenhagen' is not an IANA time zone"),
    ],
)
def test_hours_that_cannot_be_are_told(calendar: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Settings.model_validate({"calendars": {"office": calendar}})


def test_a_system_cannot_name_a_calendar_that_there_is_none_of() -> None:
    with pytest.raises(ValueError, match=r"systems.desk.calendar is 'night', but \[calendars\] has no such name"):
        Settings.model_validate({"systems": {"desk": {"calendar": "night"}}, "calendars": {"office": OFFICE}})
