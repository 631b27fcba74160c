"""The top of the report and what stands before its numbers: size in points and money, the picture, power and flow."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.warehouse.findings_of import found, with_estimate
from warehouse.serving import effect_charts, formats, money
from warehouse.serving.answer import answer
from warehouse.serving.findings import Findings
from warehouse.serving.flow import flow, left_out, power_of
from warehouse.serving.page import TEMPLATES
from warehouse.serving.wording import LABELS, of_primary

WORDS = tuple(LABELS)


def of_size(findings: Findings, mrr: float, paying: int = 20) -> Findings:
    return replace(findings, groups={**findings.groups, "median_mrr": mrr, "paying": paying})


# --- the label --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", WORDS)
def test_each_verdict_is_one_label_with_a_sign_of_its_own(word: str) -> None:
    assert f'data-verdict="{word}">\n<p class="word">{LABELS[word]}</p>' in answer(found(word))
    sheet = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    signs = re.findall(r'\[data-verdict="(\w+)"\] \.word::before \{ content: "(\S+)"', sheet)
    assert dict(signs).keys() == LABELS.keys()
    assert len({sign for _, sign in signs}) == len(LABELS)
    # No verdict has a size, weight or colour of its own.
    assert len(re.findall(r"data-verdict", sheet)) == len(LABELS)


# --- money ------------------------------------------------------------------------------------------------------------


def test_a_difference_in_retention_is_worth_twelve_months_of_it() -> None:
    findings = of_size(with_estimate(found("supported"), "nrr", difference=0.02, ci_low=0.01, ci_high=0.03), 10_000)
    [worth] = money.worths(findings)
    # 12 x 10,000 x .02, and its limits likewise.
    assert (worth.amount, worth.interval, worth.holds_zero) == ("+2,400 DKK", "+1,200 to +3,600 DKK", False)
    sentence, other = money.told(findings, [worth])
    assert "paid 10,000 DKK a month just before January 2026, 120,000 a year." in sentence
    assert "Of that, +2.0 % by net revenue retention is +2,400 DKK, measured from then to June 2026." in sentence
    assert other == "What it is worth in contribution cannot be told: the comparison has not been computed."


def test_an_amount_whose_interval_holds_zero_says_so() -> None:
    findings = of_size(with_estimate(found("inconclusive"), "nrr", difference=0.01, ci_low=-0.02, ci_high=0.04), 8_000)
    [worth] = money.worths(findings)
    assert worth.holds_zero
    # 960, shown to the hundred: its interval is 5,760 wide.
    assert "is +1,000 DKK (its interval holds 0)" in money.told(findings, [worth])[0]


def test_no_amount_is_told_where_the_outcome_cannot_be_compared() -> None:
    findings = of_size(found("not_estimable"), 8_000)
    assert money.worths(findings) == []
    nrr, contribution = money.told(findings, [])
    assert nrr == "What it is worth in recurring revenue cannot be told: 12 accounts in the high arm; 30 needed."
    assert contribution.endswith("the comparison has not been computed.")
    assert 'class="tiles money"' not in answer(findings)
    assert "DKK" not in answer(findings)


def test_the_same_reason_is_told_once() -> None:
    assert money.told(found(""), []) == [
        "What it is worth in money cannot be told: the comparison has not been computed."
    ]


def test_the_size_of_a_few_accounts_is_not_told() -> None:
    findings = of_size(found("supported"), 8_000, paying=4)
    assert money.worths(findings) == []
    assert money.told(findings, [])[0].endswith(
        "fewer than 5 of the accounts compared had recurring revenue on record."
    )


def test_the_median_is_that_of_the_accounts_compared_that_pay() -> None:
    groups = found("supported").groups
    assert 5 <= groups["paying"] == groups["high"] + groups["low"] < groups["accounts"]
    assert 1_000 <= groups["median_mrr"] <= 1_000 + 137.5 * 39


@given(st.floats(-1e7, 1e7), st.floats(1, 1e7))
def test_money_is_rounded_below_a_tenth_of_its_interval(amount: float, spread: float) -> None:
    shown = float(formats.money(amount, spread, "DKK").removesuffix(" DKK").replace(",", "").replace("−", "-"))
    assert abs(shown - amount) <= max(0.5, spread / 20 + 1e-6)


# --- the picture ------------------------------------------------------------------------------------------------------


def test_the_picture_has_each_method_that_there_is_and_its_numbers_beside_it() -> None:
    html = answer(found("supported"))
    assert html.count("<figure>") == 1
    for name in ("Like with like", "Second method", "As they are"):
        assert f">{name}</text>" in html
    assert "Inverse weights" not in html
    table = html.split("<caption>Mutual value by each method")[1]
    assert table.count("<tr>") == 3 + 1
    # 0.2 standard deviations of 15.1 points.
    assert "Shaded are differences of less than 3.0 points" in html


def test_more_methods_stand_under_each_other_in_a_fixed_order() -> None:
    rows = of_primary(found("supported").contrast)
    more = [{**rows[0], "estimator": name} for name in ("regression", "ipw")]
    svg = effect_charts.estimates([*more, *rows], 0.03)
    names = ["Like with like", "Second method", "Inverse weights", "Regression", "As they are"]
    assert sorted(names, key=lambda name: svg.index(f">{name}<")) == names


def test_without_an_estimate_there_is_no_picture() -> None:
    assert "<figure>" not in answer(found("not_estimable"))
    assert "<figure>" not in answer(found(""))


# --- before the numbers -----------------------------------------------------------------------------------------------


def test_power_says_what_the_groups_find_and_what_the_smallest_effect_needs() -> None:
    sentence, *_ = flow(found("supported"))
    assert "142 accounts high in partnership and 130 low (as good as 120 and 111 after weighting)" in sentence
    assert "find a difference of 0.35 standard deviations (5.3 points) 8 times in 10" in sentence
    assert (
        "0.20 standard deviations (3.0 points); for that each group needs 394: 252 more high, 264 more low" in sentence
    )


def test_groups_that_are_large_enough_are_said_to_be() -> None:
    findings = found("supported")
    [arms] = findings.power
    sentence = power_of(findings, {**arms, "detectable_g": 0.15, "more_partnership": 0, "more_comparison": 0})
    assert "for that 394 in each group are enough, and they are there" in sentence


def test_groups_without_accounts_show_nothing() -> None:
    findings = found("not_estimable")
    [arms] = findings.power
    sentence = power_of(findings, {**arms, "n_partnership": 0, "n_comparison": 1, "detectable_g": None})
    assert "0 accounts high in partnership and 1 low can show nothing" in sentence
    assert "Before anything is compared, 18 accounts more are needed." in sentence
    assert "points" not in sentence


def test_every_account_is_followed_into_a_group_or_out() -> None:
    _, sentence, table = flow(found("supported"))
    assert (
        "Of 300 accounts on record 272 stand in the comparison (142 high and 130 low in partnership); 28 are"
        in sentence
    )
    assert "not a customer on 1 January 2026" in table
    assert [row["accounts"] for row in left_out(found("supported"))] == [28]


def test_a_first_night_has_neither_power_nor_flow() -> None:
    assert flow(found("")) == ("<p>What the groups could show was not computed.</p>",)


# --- numbers ----------------------------------------------------------------------------------------------------------


@given(st.floats(-1e6, 1e6).filter(lambda value: abs(value) > 1e-4))
def test_three_digits_are_within_half_a_percent(value: float) -> None:
    shown = float(formats.significant(value).replace(",", "").replace("−", "-"))
    assert math.isclose(shown, value, rel_tol=0.0051)


def test_small_shares_and_p_values_are_never_nothing() -> None:
    assert formats.p_value(0.00001) == "p < 0.001"
    assert formats.p_value(0.0432) == "p = 0.043"
    assert formats.often(0.00001) == "0.1 %"
    assert formats.significant(None) == "–"
    assert formats.significant(0) == "0"
