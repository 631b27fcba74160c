"""What a reviewer asks of a made-up contrast, as rows of its tables: power, flow, sensitivity, tests, groups, switching.

The numbers fit the verdict: with a difference all five objections are met, without a comparison nothing is answered.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

Row = dict[str, Any]
Rows = dict[str, list[Row]]

KEY = {"comparison": "partnership_high_vs_low", "outcome": "mutual_value"}
REFUSAL = "12 accounts in the high arm; 30 needed"
SIGNS = {"supported": 1.0, "contradicted": -1.0, "inconclusive": 0.3, "practically_null": 0.03}
TESTS = (
    "dose_response", "non_linearity", "step_at_low_cost_focus", "step_at_high_cost_focus", "interaction",
    "heterogeneity_by_segment", "average_effect_of_switching", "pre_trend", "breakdown_magnitude",
)  # fmt: skip
CHURN_TESTS = ("days_kept", "hazard_ratio", "proportional_hazards")


def review_rows(word: str, as_of: dt.date) -> Rows:
    """The tables beside mart.contrast whose verdict is `word`."""
    if word == "not_estimable":
        tables = {**_sizes(12, None), **_unanswered()}
    else:
        tables = {**_sizes(142, 120.5), **_answered(SIGNS[word])}
    return {table: [{"as_of": as_of, **row} for row in rows] for table, rows in tables.items()}


def _sizes(high: int, effective: float | None) -> Rows:
    power = {
        **KEY, "n_partnership": high, "n_comparison": 130, "effective_n_partnership": effective,
        "effective_n_comparison": effective and 111.2, "detectable_g": 0.35, "smallest_effect": 0.2,
        "needed_per_arm": 394, "more_partnership": 394 - high, "more_comparison": 264,
        "more_to_compare": max(0, 30 - high),
    }  # fmt: skip
    steps = [
        ("in", "", 300), ("excluded", "not a customer at t0", 170 - high), ("compared", "high", high),
        ("compared", "low", 130),
    ]  # fmt: skip
    flow = [{**KEY, "step": step, "reason": reason, "accounts": accounts} for step, reason, accounts in steps]
    return {"mart.contrast_power": [power], "mart.contrast_flow": flow}


def _answered(sign: float) -> Rows:
    """`sign` is the difference in units of one that is beyond doubt."""

    def around(middle: float, half: float) -> Row:
        return {"ci_low": sign * middle - half, "ci_high": sign * middle + half}

    p = 0.001 if abs(sign) == 1 else 0.4
    sensitivity = [
        {"analysis": "permuted_labels", "value": 0.0004, "p_value": p},
        {"analysis": "logging_as_exposure", "value": 0.004, "ci_low": -0.011, "ci_high": 0.019, "p_value": 0.6},
        {"analysis": "confounder_like_log_mrr_1x", "value": sign * 0.05, **around(0.05, 0.03)},
        {"analysis": "confounder_like_log_mrr_2x", "value": sign * 0.04, **around(0.04, 0.03)},
        {"analysis": "robustness_value", "value": 0.244},
        {"analysis": "e_value", "value": 2.1},
        {"analysis": "e_value_of_limit", "value": 1.7},
        {"analysis": "rosenbaum_gamma", "value": 1.8},
        {"analysis": "value_before", "value": sign * 0.02, **around(0.02, 0.03), "p_value": 0.2},
    ]
    outcome = {"outcome": "mutual_value"}
    step = {"estimate": sign * 0.02, **around(0.02, 0.01)}
    tests = [
        {**outcome, "test": "dose_response", "statistic": 11.0, "p_value": p},
        {**outcome, "test": "non_linearity", "statistic": 0.4, "p_value": 0.63},
        {**outcome, **step, "test": "step_at_low_cost_focus", "p_value": p},
        {**outcome, **step, "test": "step_at_high_cost_focus", "p_value": p},
        {**outcome, "test": "interaction", "estimate": 0.001, "ci_low": -0.008, "ci_high": 0.01, "p_value": 0.72},
        {**outcome, "test": "heterogeneity_by_segment", "estimate": 0.01, "p_value": 0.3},
        {
            **outcome, "test": "average_effect_of_switching", "estimate": sign * 0.05, **around(0.05, 0.03),
            "n_accounts": 40,
        },
        {**outcome, "test": "pre_trend", "p_value": 0.41},
        {**outcome, "test": "breakdown_magnitude", "estimate": 1.2},
        {"outcome": "churn", "test": "days_kept", "estimate": 3.2, "ci_low": 0.4, "ci_high": 6.0},
        {
            "outcome": "churn", "test": "hazard_ratio", "estimate": 0.82, "ci_low": 0.62, "ci_high": 1.08,
            "p_value": 0.15,
        },
        {"outcome": "churn", "test": "proportional_hazards", "p_value": 0.5},
    ]  # fmt: skip
    dose = [
        {
            **outcome, "partnership": level / 20, "value": 0.4 + sign * level / 200, "ci_low": 0.38 + sign * level / 200,
            "ci_high": 0.42 + sign * level / 200,
        }
        for level in range(3, 19)
    ]  # fmt: skip
    switching = [
        {
            **outcome, "event_month": month, "att": sign * effect, "ci_low": sign * effect - 0.03,
            "ci_high": sign * effect + 0.03, "n_accounts": 40,
        }
        for month, effect in ((-18, 0.0), (-12, 0.01), (-6, 0.02), (0, 0.05), (6, 0.05))
    ]  # fmt: skip
    return {
        "mart.contrast_sensitivity": [{**KEY, "note": "what it means", **row} for row in sensitivity],
        "mart.contrast_test": [{"note": "what it is", **row} for row in tests],
        "mart.contrast_segment": _segments(sign),
        "mart.dose_response": dose,
        "mart.switcher_effect": switching,
    }


def _segments(sign: float) -> list[Row]:
    key = {**KEY, "moderator": "segment", "n_partnership": 60, "n_comparison": 55}
    known = [
        {
            **key, "level": level, "difference": middle * sign, "ci_low": middle * sign - 0.04,
            "ci_high": middle * sign + 0.04, "shrunk": 0.06 * sign, "shrunk_low": 0.06 * sign - 0.03,
            "shrunk_high": 0.06 * sign + 0.03, "below_zero": 0.02 if sign > 0 else 0.98, "reason": "",
        }
        for level, middle in (("Small", 0.07), ("Mid-market", 0.05))
    ]  # fmt: skip
    return [*known, {**key, "level": "Enterprise", "reason": "25 accounts in the smaller arm; 30 needed"}]


def _unanswered() -> Rows:
    note = f"not estimable: {REFUSAL}"
    tests = [("mutual_value", test) for test in TESTS] + [("churn", test) for test in CHURN_TESTS]
    return {
        "mart.contrast_sensitivity": [{**KEY, "analysis": "permuted_labels", "note": note}],
        "mart.contrast_test": [{"outcome": outcome, "test": test, "note": note} for outcome, test in tests],
    }
