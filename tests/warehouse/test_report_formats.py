"""Numbers, dates and sentences as the report shows them."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.tables import drawn
from warehouse.serving import charts, formats, wording
from warehouse.serving.page import escaped

SCORES = st.floats(min_value=-1, max_value=1, allow_nan=False)


def test_numbers_are_set_as_drawn() -> None:
    table = """
        value     | digits | plain     | signed
        0         | 0      | 0         | 0
        1234567   | 0      | 1,234,567 | +1,234,567
        -3.25     | 1      | −3.2      | −3.2
        3.16      | 1      | 3.2       | +3.2
        -0.004    | 2      | 0.00      | 0.00
    """
    for row in drawn(table):
        value, digits = float(row["value"] or 0), int(row["digits"] or 0)
        assert formats.fixed(value, digits) == row["plain"]
        assert formats.fixed(value, digits, signed=True) == row["signed"]


@pytest.mark.parametrize("absent", [None, float("nan")])
def test_what_is_absent_is_a_dash(absent: float | None) -> None:
    for show in (
        formats.fixed,
        formats.count,
        formats.points,
        formats.whole_points,
        formats.percent,
    ):
        assert show(absent) == "–"
    assert formats.point_interval(absent, 0.1) == formats.point_interval(0.1, absent) == "–"
    assert formats.interval(absent, 0.1) == formats.interval(0.1, absent) == "–"
    assert formats.day(None) == formats.month(None) == formats.moment(None) == formats.text("") == "–"


def test_money_keeps_its_exact_cents() -> None:
    assert formats.fixed(Decimal("90071992547409.93")) == "90,071,992,547,409.93"


def test_a_share_of_nothing_is_no_share() -> None:
    assert formats.share(0, 0) == "–"
    assert formats.share(0, 5) == "0 %"
    assert formats.share(1, 3) == "33 %"


def test_dates_are_written_out() -> None:
    assert formats.day(dt.date(2026, 6, 3)) == "3 June 2026"
    assert formats.month(dt.date(2026, 6, 1)) == "June 2026"
    assert formats.moment(dt.datetime(2026, 7, 1, 0, 4, 11)) == "1 July 2026 00:04 UTC"


def test_one_account_is_not_accounts() -> None:
    assert formats.number_of(1, "account") == "1 account"
    assert formats.number_of(1200, "account") == "1,200 accounts"


@given(SCORES)
def test_points_say_the_score_to_a_twentieth_of_a_point(score: float) -> None:
    shown = formats.points(score).replace(formats.MINUS, "-").replace(",", "")
    assert abs(float(shown) - score * 100) <= 0.05 + 1e-9


@given(st.floats(min_value=0, max_value=1))
def test_a_band_holds_the_value_that_it_colours(value: float) -> None:
    low, high = map(int, charts.band(value).split("–"))
    assert low / 100 <= value + 1e-12
    assert value <= high / 100 + 1e-12


def test_an_unknown_mutual_value_has_a_band_of_its_own() -> None:
    assert charts.band(None) == "not known"


@given(st.text())
def test_escaped_text_holds_no_markup(text: str) -> None:
    assert not set(escaped(text)) & set("<>\"'")


def test_a_number_is_not_parted_from_its_percent_sign() -> None:
    assert escaped("95 % interval") == "95\N{NO-BREAK SPACE}% interval"


@given(SCORES, SCORES, st.sampled_from(["supported", "contradicted"]))
def test_a_difference_reads_the_same_from_both_ends(difference: float, half: float, word: str) -> None:
    """The other sign with the other word gives the sentence with less for more, of the same size."""
    assume(abs(difference) > 0.001)
    spread = abs(half)
    other = {"supported": "contradicted", "contradicted": "supported"}[word]
    row = {"difference": difference, "ci_low": difference - spread, "ci_high": difference + spread}
    mirrored = {"difference": -difference, "ci_low": -difference - spread, "ci_high": -difference + spread}
    one, two = wording._headline(row, word), wording._headline(mirrored, other)
    swap = {"supported": ("more", "less"), "contradicted": ("less", "more")}[word]
    assert one.split(" (")[0].replace(f"points {swap[0]}", f"points {swap[1]}") == two.split(" (")[0]


def test_the_words_that_are_shown_have_a_meaning_each() -> None:
    assert wording.LABELS.keys() == wording.MEANINGS.keys()
    assert "no evidence that partnership makes no difference" in wording.MEANINGS["inconclusive"]


def test_design_columns_are_named_for_people() -> None:
    table = """
        column                   | name
        log_mrr                  | Revenue (log)
        seats (not recorded)     | Seats (not recorded)
        industry=Retail & Trade  | Industry: Retail & Trade
        sla_tier=Gold            | SLA tier: Gold
    """
    for row in drawn(table):
        assert wording.covariate(row["column"] or "") == row["name"]


def test_an_e_value_that_is_unknown_says_nothing() -> None:
    assert wording.hidden_cause({"e_value": None}) == ""
    assert "at least 2.10 (E-value)" in wording.hidden_cause({"e_value": 2.1})


def test_what_weighting_did_not_make_alike_is_named() -> None:
    rows = [
        {"covariate": "region=North", "smd_after": -0.27},
        {"covariate": "seats", "smd_after": 0.02},
        {"covariate": "log_mrr", "smd_after": None},
    ]
    assert wording.likeness(rows).startswith("Even after weighting the groups differ in Region: North, so")
    assert wording.likeness(rows[1:]) == "After weighting, the groups are alike in all of these."


def lines(svg: str, colour: str) -> int:
    """How many separate line paths of the colour the picture has, its legend's one left out."""
    paths = re.findall(rf'<path [^>]*d="(M[^"]*)"[^>]*stroke="var\(--style-{colour}\)"[^>]*stroke-width="2.2"', svg)
    return max(path.count("M") for path in paths)


def test_a_line_breaks_where_a_month_is_missing() -> None:
    drawn_rows = [
        {"style": style, "month": dt.date(2026, month, 1), "mutual_value": 0.5}
        for style, months in (("Partnership", range(1, 7)), ("Dormant", (1, 2, 5, 6)))
        for month in months
    ]
    svg = charts.value_by_month(drawn_rows)
    assert lines(svg, "1") == 1
    assert lines(svg, "4") == 2


def test_only_styles_that_occur_are_in_the_legend() -> None:
    rows = [
        {"style": "Dormant", "day": day, "survival": 1 - day / 1000, "ci_low": None, "ci_high": None} for day in (0, 30)
    ]
    svg = charts.retention(rows)
    assert ">Dormant<" in svg
    assert ">Partnership<" not in svg
    assert "var(--style-4)" in svg
