"""The five objections on the report: what is said to each, and its mark, follow the numbers in every case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.warehouse.findings_of import found, with_test
from warehouse.serving.findings import Findings
from warehouse.serving.objections import MARKS, NO_ANSWER, OBJECTIONS, OPEN, case_of, objections, said

SIZE, REGISTRATION, CHANCE, REVERSE, HIDDEN = OBJECTIONS
WORDS = ("supported", "contradicted", "inconclusive", "practically_null", "not_estimable")


def sensitive(findings: Findings, analysis: str, **values: Any) -> Findings:
    """The findings with other numbers for one analysis."""
    rows = [{**row, **values} if row["analysis"] == analysis else row for row in findings.sensitivity]
    return replace(findings, sensitivity=rows)


def without(findings: Findings, *analyses: str) -> Findings:
    return replace(findings, sensitivity=[row for row in findings.sensitivity if row["analysis"] not in analyses])


def marks(findings: Findings) -> list[str]:
    return [said(objection, findings)[0] for objection in OBJECTIONS]


@pytest.mark.parametrize("word", ["supported", "contradicted"])
def test_a_difference_that_meets_every_objection_holds_in_all(word: str) -> None:
    assert marks(found(word)) == ["holds"] * 5


def test_where_no_difference_matters_only_a_hidden_cause_cannot_be_told() -> None:
    findings = with_test(found("practically_null"), "average_effect_of_switching", ci_low=-0.02, ci_high=0.03)
    assert marks(findings) == ["holds", "holds", "holds", "holds", "cannot_tell"]


@pytest.mark.parametrize("word", ["inconclusive", "not_estimable"])
def test_without_an_answer_there_is_nothing_to_weaken(word: str) -> None:
    assert marks(found(word)) == ["cannot_tell"] * 5


def test_the_case_of_an_answer_follows_its_verdict() -> None:
    rows = [{"verdict": word} for word in WORDS]
    assert [case_of(row) for row in rows] == ["difference", "difference", "open", "null", None]
    assert case_of(None) is None


# --- size -------------------------------------------------------------------------------------------------------------


def test_size_is_told_before_and_after_weighting_with_what_one_more_cause_would_leave() -> None:
    _, sentence = said(SIZE, found("supported"))
    assert sentence.startswith("In revenue the groups differ by 0.44 standard deviations, after weighting by 0.00.")
    assert "after weighting in nothing by 0.1 or more (at most 0.00)" in sentence
    assert "would leave +5.0 points (95 % interval +2.0 to +8.0)" in sentence
    assert "it would need 24 % of what is left unexplained" in sentence


@pytest.mark.parametrize("word", ["supported", "practically_null"])
def test_a_covariate_that_stays_unlike_weakens_the_answer_and_is_named(word: str) -> None:
    findings = found(word)
    rows = [{**row, "smd_after": -0.2} if row["covariate"] == "seats" else row for row in findings.balance]
    mark, sentence = said(SIZE, replace(findings, balance=rows))
    assert mark == "weakens"
    assert "after weighting still in seats (0.20)" in sentence


@pytest.mark.parametrize(("word", "low", "high"), [("supported", -0.001, 0.1), ("contradicted", -0.1, 0.001)])
def test_a_cause_as_strong_as_size_that_lets_the_interval_reach_zero_weakens(
    word: str, low: float, high: float
) -> None:
    findings = sensitive(found(word), "confounder_like_log_mrr_1x", ci_low=low, ci_high=high)
    assert said(SIZE, findings)[0] == "weakens"


def test_without_balance_or_size_nothing_is_told_of_size() -> None:
    assert said(SIZE, replace(found("supported"), balance=[]))[0] == "cannot_tell"
    mark, sentence = said(SIZE, without(found("supported"), "confounder_like_log_mrr_1x"))
    assert mark == "cannot_tell"
    assert "could not be computed" in sentence


# --- registration -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "mark", "words"),
    [
        (-0.01, 0.02, "holds", "no more than chance and at most less than the difference"),
        (0.01, 0.04, "weakens", "part of the difference may be better registration"),
        (-0.04, -0.01, "holds", "against the difference"),
        (-0.02, 0.08, "cannot_tell", "holds none as well as all of the difference"),
    ],
)
def test_registration_is_judged_by_where_its_interval_lies(low: float, high: float, mark: str, words: str) -> None:
    found_mark, sentence = said(
        REGISTRATION, sensitive(found("supported"), "logging_as_exposure", ci_low=low, ci_high=high)
    )
    assert found_mark == mark
    assert words in sentence
    # The mirror image of a difference below 0.
    mirrored = sensitive(found("contradicted"), "logging_as_exposure", ci_low=-high, ci_high=-low)
    assert said(REGISTRATION, mirrored)[0] == mark


def test_registration_that_moves_value_may_hide_a_difference() -> None:
    findings = sensitive(found("practically_null"), "logging_as_exposure", ci_low=0.01, ci_high=0.04)
    mark, sentence = said(REGISTRATION, findings)
    assert mark == "weakens"
    assert "may hide a difference" in sentence


# --- chance -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("p", "mark", "words"), [(0.0004, "holds", "0.1 % of the time, so it is hardly chance"),
                                                  (0.05, "weakens", "5.0 % of the time, so chance alone may")])  # fmt: skip
def test_chance_is_judged_by_the_shuffled_groups(p: float, mark: str, words: str) -> None:
    found_mark, sentence = said(CHANCE, sensitive(found("supported"), "permuted_labels", p_value=p))
    assert found_mark == mark
    assert words in sentence


def test_the_other_contrasts_are_counted_after_correction_for_their_number() -> None:
    # Two comparisons of seven outcomes, mutual value in neither.
    assert "Of the 12 other contrasts 12 stand after correction" in said(CHANCE, found("supported"))[1]


def test_a_verdict_of_no_difference_says_what_chance_may_hide() -> None:
    _, sentence = said(CHANCE, found("practically_null"))
    assert "−1.1 to +1.5 points, is smaller than a difference that matters" in sentence


# --- the other way round ----------------------------------------------------------------------------------------------


def test_reverse_causation_tells_earlier_value_the_change_and_what_it_withstands() -> None:
    _, sentence = said(REVERSE, found("supported"))
    assert "differed by +2.0 points (95 % interval −1.0 to +5.0), no more than chance" in sentence
    assert "The 40 accounts that became partners changed by +5.0 points (95 % interval +2.0 to +8.0)" in sentence
    assert "before that nothing shows that the two moved apart (p = 0.410)" in sentence
    assert "by up to 1.20 times what they did at most before it" in sentence


CHANGES: dict[str, tuple[Callable[[Findings], Findings], str]] = {
    "they had parted before": (lambda each: with_test(each, "pre_trend", p_value=0.01), "weakens"),
    "their change fits with none and not with the difference": (
        lambda each: with_test(each, "average_effect_of_switching", ci_low=-0.03, ci_high=0.02), "weakens",
    ),
    "their change fits with both": (
        lambda each: with_test(each, "average_effect_of_switching", ci_low=-0.03, ci_high=0.08), "cannot_tell",
    ),
    "the trends may part less than before": (lambda each: with_test(each, "breakdown_magnitude", estimate=0.2), "cannot_tell"),
    "the time before is not known": (lambda each: with_test(each, "pre_trend", p_value=None), "cannot_tell"),
}  # fmt: skip


@pytest.mark.parametrize("case", CHANGES)
def test_reverse_causation_is_judged_by_the_accounts_that_changed(case: str) -> None:
    change, mark = CHANGES[case]
    assert said(REVERSE, change(found("supported")))[0] == mark


def test_too_few_that_changed_cannot_tell_and_say_how_many_there_are() -> None:
    note = "not estimable: 28 accounts became partners; 30 needed"
    findings = with_test(found("supported"), "average_effect_of_switching", estimate=None, note=note)
    mark, sentence = said(REVERSE, findings)
    assert mark == "cannot_tell"
    assert sentence.endswith("which came first: 28 accounts became partners; 30 needed.")


# --- what was not measured --------------------------------------------------------------------------------------------


def test_hidden_causes_are_put_in_numbers() -> None:
    _, sentence = said(HIDDEN, found("supported"))
    for part in ("risk ratio of 2.10 each; 1.70 would let", "twice as strong as the size", "1.80 times as likely"):
        assert part in sentence


@pytest.mark.parametrize(
    ("analysis", "values"),
    [("rosenbaum_gamma", {"value": 1.2}), ("confounder_like_log_mrr_2x", {"ci_low": -0.01, "ci_high": 0.03})],
)
def test_a_weaker_hidden_cause_that_would_do_weakens(analysis: str, values: dict[str, float]) -> None:
    assert said(HIDDEN, sensitive(found("supported"), analysis, **values))[0] == "weakens"


def test_without_either_measure_of_a_hidden_cause_nothing_is_told() -> None:
    findings = without(found("supported"), "rosenbaum_gamma", "confounder_like_log_mrr_2x")
    assert said(HIDDEN, findings)[0] == "cannot_tell"


# --- the section ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", WORDS)
def test_five_objections_stand_with_mark_sentence_and_rule_whatever_the_verdict(word: str) -> None:
    html = "".join(objections(found(word)))
    assert html.count("<li><h3>") == html.count('<p class="mark"') == 5
    assert html.count("<dd>Holds: ") == 5
    for mark in marks(found(word)):
        assert f'data-mark="{mark}">{MARKS[mark]}</p>' in html  # type: ignore[index]
    assert (OPEN[:40] in html) == (word == "inconclusive")
    assert (NO_ANSWER[:40] in html) == (word == "not_estimable")


def test_a_first_night_has_no_answer_to_object_to() -> None:
    assert marks(found("")) == ["cannot_tell"] * 5
    assert NO_ANSWER in "".join(objections(found("")))
