"""The made-up world's calendar: months, Danish office hours and summer time, on whole arrays."""

from __future__ import annotations

import numpy as np

from demo.draws import Floats, Ints, Texts, Times

LAST_MONTH = np.datetime64("2026-06", "M")
AS_OF = np.datetime64("2026-06-30", "D")
END = np.datetime64("2026-07-01T00:00", "m")  # first minute after as_of

OPENS, CLOSES = 8 * 60, 16 * 60  # office hours, minutes of the day
OFFICE_DAY = CLOSES - OPENS


def month_starts(months: int) -> Times:
    """The `months` whole months that end with LAST_MONTH, as datetime64[M]."""
    return np.arange(LAST_MONTH - months + 1, LAST_MONTH + 1)


def working_moment(month: Times, day_share: Floats, time_share: Floats) -> Times:
    """A local minute between 7:30 and 17:30 on a working day of each month, from shares in [0, 1)."""
    first = month.astype("M8[D]")
    length = ((month + 1).astype("M8[D]") - first).astype(np.int64)
    day = np.busday_offset(first + np.floor(day_share * length).astype(np.int64), 0, roll="modifiedfollowing")
    return np.asarray(day.astype("M8[m]") + (450 + np.floor(time_share * 600)).astype("m8[m]"))


def after_business_minutes(start: Times, minutes: Ints) -> Times:
    """The local minute that lies so many office minutes after each start; nights and weekends do not count."""
    day = start.astype("M8[D]")
    open_day = np.busday_offset(day, 0, roll="forward")
    minute = np.where(open_day > day, OPENS, np.clip((start - day.astype("M8[m]")).astype(np.int64), OPENS, CLOSES))
    total = minute - OPENS + minutes
    end_day = np.busday_offset(open_day, total // OFFICE_DAY)
    return np.asarray(end_day.astype("M8[m]") + (OPENS + total % OFFICE_DAY).astype("m8[m]"))


def utc(local: Times) -> Times:
    """Danish wall time as UTC: +02:00 from March's to October's last Sunday, else +01:00 (directive 2000/84/EC)."""
    year = local.astype("M8[Y]").astype("M8[M]")
    starts = np.asarray(_last_sunday(year + 2).astype("M8[m]") + np.timedelta64(2 * 60, "m"), "M8[m]")
    ends = np.asarray(_last_sunday(year + 9).astype("M8[m]") + np.timedelta64(3 * 60, "m"), "M8[m]")
    summer = (local >= starts) & (local < ends)
    return np.asarray(local - np.where(summer, 120, 60).astype("m8[m]"))


def _last_sunday(month: Times) -> Times:
    last = (month + 1).astype("M8[D]") - np.timedelta64(1, "D")
    weekday = (last.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0
    return np.asarray(last - ((weekday - 6) % 7).astype("m8[D]"))


def iso_utc(moment: Times) -> Texts:
    """`2025-03-01T08:00:00Z`; an empty text for no moment."""
    return _spelled(moment, "T", "Z")


def salesforce_time(moment: Times) -> Texts:
    """`2025-03-01 08:00:00`, GMT as the Data Export writes it; an empty text for no moment."""
    return _spelled(moment, " ", "")


def day_text(day: Times) -> Texts:
    """`2025-03-01`; an empty text for no day."""
    return np.where(np.isnat(day), "", np.datetime_as_string(day.astype("M8[D]")))


def unix_seconds(moment: Times) -> Ints:
    """Seconds since 1970-01-01 UTC."""
    return np.asarray(moment.astype("M8[s]").astype(np.int64))


def _spelled(moment: Times, between: str, end: str) -> Texts:
    text = np.datetime_as_string(moment.astype("M8[s]"))
    return np.where(np.isnat(moment), "", np.strings.add(np.strings.replace(text, "T", between), end))
