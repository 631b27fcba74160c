"""The run's constants: windows, lexicon and the catalogue of measures."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.contracts import staged_tables
from warehouse.models import measures
from warehouse.settings_tables import Windows, lexicon_patterns


@pytest.mark.parametrize(
    ("as_of", "last_month", "t0"),
    [
        ("2026-06-30", "2026-06-01", "2026-01-01"),
        ("2026-06-29", "2026-05-01", "2025-12-01"),
        ("2026-07-01", "2026-06-01", "2026-01-01"),
        ("2024-02-29", "2024-02-01", "2023-09-01"),
        ("2024-12-31", "2024-12-01", "2024-07-01"),
    ],
)
def test_as_of_decides_the_last_complete_month_and_t0(as_of: str, last_month: str, t0: str) -> None:
    windows = Windows.at(dt.date.fromisoformat(as_of))
    assert (str(windows.last_month), str(windows.t0)) == (last_month, t0)


@given(as_of=st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1)))
def test_the_value_window_is_six_whole_months_that_are_over(as_of: dt.date) -> None:
    windows = Windows.at(as_of)
    months = (windows.last_month.year * 12 + windows.last_month.month) - (windows.t0.year * 12 + windows.t0.month) + 1
    assert months == 6
    after_last = (windows.last_month.replace(day=28) + dt.timedelta(days=4)).replace(day=1)
    assert after_last <= as_of + dt.timedelta(days=1)


def test_a_project_adds_stems_and_classes_of_its_own() -> None:
    patterns = {
        row["class"]: row["pattern"] for row in lexicon_patterns({"pilot": ["fyrtårn"], "audit": ["iso_27001"]})
    }
    assert re.search(patterns["pilot"], "fyrtårnskunde") and re.search(patterns["pilot"], "pilotmøde")
    assert re.search(patterns["audit"], "iso-27001 revision")


def test_every_measure_is_complete_and_names_columns_that_exist() -> None:
    for name, measure in measures().items():
        assert measure["side"] in ("style", "supplier", "customer", "secondary"), name
        assert measure["kind"] in ("share", "rate", "duration", "index", "fact"), name
        assert measure["direction"] in ("up", "down"), name
        for source in measure["sources"]:
            for each in source.split(" or "):
                table, column = each.split(".")
                assert column in staged_tables()[table], each
