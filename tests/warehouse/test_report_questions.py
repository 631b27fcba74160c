"""For whom, who stays and who changed: the report's sentences follow the numbers, and its tables hold them all."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.warehouse.findings_of import found, with_test
from warehouse.serving import effect_charts
from warehouse.serving.evidence import statistics
from warehouse.serving.findings import Findings
from warehouse.serving.forwhom import cost_focus, dose, for_whom, not_everyone
from warehouse.serving.staying import changed, changing, days_kept, hazard, staying, touched

WORDS = ("supported", "contradicted", "inconclusive", "practically_null", "not_estimable", "")
REFUSED: dict[str, Any] = {"estimate": None, "p_value": None, "note": "not estimable: 17 accounts churned; 20 needed"}


def grouped(findings: Findings, level: str, **values: Any) -> Findings:
    """The findings with other numbers for one group of accounts."""
    rows = [{**row, **values} if row["level"] == level else row for row in findings.segments]
    return replace(findings, segments=rows)


# --- for whom ---------------------------------------------------------------------------------------------------------


def test_groups_that_get_more_are_named_without_a_claim_for_all() -> None:
    sentence = not_everyone(found("supported"))
    assert sentence.startswith("Partnership goes with more mutual value for Segment: ")
    assert "no proof that every account should be a partner" in sentence


def test_not_every_account_should_be_a_partner_where_an_interval_lies_below_zero() -> None:
    findings = grouped(found("supported"), "Small", shrunk=-0.05, shrunk_low=-0.08, shrunk_high=-0.02, below_zero=0.99)
    assert not_everyone(findings) == (
        "Not every account should be run as a partnership: it goes with less mutual value for Segment: Small "
        "(−5.0 points (95 % interval −8.0 to −2.0))."
    )


def test_a_step_that_goes_with_less_where_costs_come_first_counts_too() -> None:
    findings = with_test(found("supported"), "step_at_high_cost_focus", estimate=-0.02, ci_low=-0.03, ci_high=-0.01)
    assert "Not every account" in not_everyone(findings)
    assert "accounts high in cost focus (−2.0 points" in not_everyone(findings)


def test_less_that_is_likely_but_not_beyond_doubt_is_told_as_likely() -> None:
    findings = grouped(found("supported"), "Small", shrunk=-0.02, shrunk_low=-0.05, shrunk_high=0.01, below_zero=0.93)
    assert "more likely than not: Segment: Small (chance 93.0 %)" in not_everyone(findings)


@pytest.mark.parametrize("word", ["inconclusive", "practically_null"])
def test_intervals_that_hold_zero_show_nothing_for_anybody(word: str) -> None:
    assert "nothing shows for whom" in not_everyone(found(word))


@pytest.mark.parametrize("word", ["not_estimable", ""])
def test_where_nothing_could_be_compared_nobody_is_named(word: str) -> None:
    html = "".join(for_whom(found(word)))
    assert "cannot be told yet" in not_everyone(found(word))
    assert "<figure>" not in html
    assert "The accounts compared were not split into groups." in html


def test_each_group_is_told_with_the_chance_of_the_opposite() -> None:
    html = "".join(for_whom(found("supported")))
    assert "Small +6.0 points (95" in html
    assert "chance of the opposite 2.0" in html
    assert "Too few accounts to tell: Enterprise." in html
    assert "no more than chance (p = 0.300), which is no proof that they are alike" in html
    differing = with_test(found("supported"), "heterogeneity_by_segment", p_value=0.01)
    assert "The groups differ by more than chance (p = 0.010)." in "".join(for_whom(differing))
    # Of a group that gets less, the opposite is more, in the sentence and in the table.
    less = "".join(for_whom(found("contradicted")))
    assert less.count("chance of the opposite 2.0") == less.count('<td class="number">2.0\N{NO-BREAK SPACE}%</td>') == 2


def test_cost_focus_is_told_by_both_steps_and_their_difference() -> None:
    sentence = cost_focus(found("supported"))
    assert "A step from 40 to 60 points of partnership goes with +2.0 points (95 % interval +1.0 to +3.0)" in sentence
    assert "nothing shows that partnership pays otherwise there" in sentence
    otherwise = with_test(found("supported"), "interaction", estimate=-0.03, p_value=0.002)
    assert "That is less where costs come first, by more than chance (p = 0.002)." in cost_focus(otherwise)
    assert cost_focus(found("not_estimable")) == "Cannot be told yet: 12 accounts in the high arm; 30 needed."


def test_the_dose_is_told_with_its_test_and_whether_it_bends() -> None:
    findings = found("supported")
    assert dose(findings) == (
        "From partnership 15 to 90 mean mutual value goes from 41.5 to 49.0 points, more than chance (p = 0.001). "
        "Nothing shows that the curve bends (p = 0.630)."
    )
    assert "The curve bends (p = 0.020)" in dose(with_test(findings, "non_linearity", p_value=0.02))
    assert "no more than chance (p = 0.400)" in dose(found("practically_null"))
    assert dose(found("")) == "At which dose cannot be told yet: it has not been computed."


# --- do they stay -----------------------------------------------------------------------------------------------------


def test_days_kept_and_hazard_are_told_with_their_doubt() -> None:
    assert days_kept(found("supported")) == (
        "Accounts high in partnership stayed 3.2 days longer than those low in it (95 % interval +0.4 to +6.0); nothing "
        "is adjusted for here."
    )
    assert hazard(found("supported")) == (
        "In a month after partnership stood 20 points higher, accounts left 0.82 times as often as else (95 % interval "
        "0.62 to 1.08), a range that holds no difference."
    )


def test_fewer_days_are_shorter_and_a_changing_hazard_is_an_average() -> None:
    shorter = with_test(found("supported"), "days_kept", estimate=-2.0, ci_low=-5.0, ci_high=1.0)
    assert "2.0 days shorter than those low in it (95 % interval −5.0 to +1.0), a range that holds" in days_kept(
        shorter
    )
    changing_hazard = with_test(found("supported"), "proportional_hazards", p_value=0.012)
    assert "not the same for new and for old customers (p = 0.012)" in hazard(changing_hazard)


def test_too_few_that_left_give_the_reason_and_no_number() -> None:
    findings = with_test(with_test(found("supported"), "days_kept", **REFUSED), "hazard_ratio", **REFUSED)
    for sentence in (days_kept(findings), hazard(findings)):
        assert sentence.endswith("cannot be told: 17 accounts churned; 20 needed.")


# --- those who changed ------------------------------------------------------------------------------------------------


def test_a_change_is_told_with_what_was_there_before_it() -> None:
    assert changed(found("supported"), "mutual_value") == (
        "Mutual value: +5.0 points (95 % interval +2.0 to +8.0) came with the change, over 40 accounts. Before it nothing "
        "shows that the groups had parted (p = 0.410)."
    )
    parted = with_test(found("supported"), "pre_trend", p_value=0.009)
    assert "had parted before the change (p = 0.009), so the change did not make all of it" in changed(
        parted, "mutual_value"
    )


def test_a_party_without_enough_changes_says_why() -> None:
    assert changed(found("not_estimable"), "mutual_value") == (
        "Mutual value: cannot be told. 12 accounts in the high arm; 30 needed."
    )
    assert changed(found("supported"), "supplier_value") == "What we get: cannot be told. It has not been computed."


def test_the_months_that_the_protocol_calls_touched_are_shaded() -> None:
    protocol = json.dumps({"switchers": {"anticipation": 2}, "value_window_months": 6})
    findings = replace(found("supported"), protocols=[{"is_current": True, "protocol": protocol}])
    assert touched(findings, findings.switching) == [-12, -6]
    assert touched(replace(findings, protocols=[]), findings.switching) == []
    drawn = effect_charts.switching(findings.switching, [-12, -6])
    assert drawn.count('fill="currentColor" opacity="0.09"') == 2


# --- all of it --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", WORDS)
def test_every_picture_of_a_question_has_its_numbers_and_no_number_is_made_up(word: str) -> None:
    for content in (for_whom(found(word)), staying(found(word)), changing(found(word))):
        html = "".join(content)
        assert html.count("<figure>") <= html.count("<table>")
        assert "None" not in html
        assert "nan" not in html


def test_a_statistician_gets_every_row() -> None:
    findings = found("supported")
    html = "".join(statistics(findings))
    for caption, rows in (
        ("Sizes and power", findings.power),
        ("Sensitivity of the difference in mutual value", findings.sensitivity),
        ("Tests", findings.tests),
    ):
        shown = html.split(f"<caption>{caption}</caption>")[1].split("</table>")[0]
        assert shown.count("<tr>") == len(rows) + 1
    assert "what it means" in html


def test_tables_without_rows_are_sentences() -> None:
    html = "".join(statistics(found("")))
    for sentence in ("No sizes are on record.", "No sensitivity analysis is on record.", "No test is on record."):
        assert sentence in html
