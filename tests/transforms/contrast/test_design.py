"""From covariates to columns: worked examples as small tables."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.contrast.design import build, is_number, leading, one_armed, smd
from transforms.contrast.errors import ContrastError


def columns(design):
    return {name: design.values[:, place].tolist() for place, name in enumerate(design.names)}


def test_the_most_frequent_category_is_the_reference():
    frame = pd.DataFrame({"industry": ["Retail", "Energy", "Retail", "Banking", "Retail", "Energy"]})
    assert columns(build(frame, ["industry"])) == {
        "industry=Energy": [0, 1, 0, 0, 0, 1],
        "industry=Banking": [0, 0, 0, 1, 0, 0],
    }


def test_of_equally_frequent_categories_the_first_by_name_is_the_reference():
    frame = pd.DataFrame({"region": ["South", "North", "South", "North"]})
    assert columns(build(frame, ["region"])) == {"region=South": [1, 0, 1, 0]}


def test_a_missing_number_is_the_median_of_its_segment_and_says_so():
    frame = pd.DataFrame({"seats": [1.0, 3.0, None, 10.0, 20.0, None], "segment": ["S", "S", "S", "L", "L", "L"]})
    assert columns(build(frame, ["seats"], "segment")) == {
        "seats": [1, 3, 2, 10, 20, 15],
        "seats (not recorded)": [0, 0, 1, 0, 0, 1],
    }


def test_where_the_segment_has_no_number_the_median_of_all_stands_in():
    frame = pd.DataFrame({"seats": [1.0, 3.0, 8.0, None, None], "segment": ["S", "S", "S", "L", None]})
    assert columns(build(frame, ["seats"], "segment"))["seats"] == [1, 3, 8, 3, 3]
    assert columns(build(frame, ["seats"]))["seats"] == [1, 3, 8, 3, 3]


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_a_missing_category_has_its_own_indicator(missing):
    frame = pd.DataFrame({"sla_tier": pd.Series(["gold", "base", missing, "base"], dtype=object)})
    assert columns(build(frame, ["sla_tier"])) == {
        "sla_tier=gold": [1, 0, 0, 0],
        "sla_tier (not recorded)": [0, 0, 1, 0],
    }


def test_what_is_absent_empty_or_constant_drops_out_and_is_named():
    frame = pd.DataFrame({"empty": [None, None, None], "constant": [7, 7, 7], "seats": [1, 2, 4]})
    design = build(frame, ["nowhere", "empty", "constant", "seats"])
    assert design.names == ["seats"]
    assert design.absent == ["nowhere", "empty", "constant"]


def test_a_column_that_repeats_earlier_ones_drops_out():
    frame = pd.DataFrame(
        {"a": [1.0, 2, 4, 8], "b": [5.0, 3, 1, 1], "sum": [6.0, 5, 5, 9], "shifted": [11.0, 12, 14, 18]}
    )
    design = build(frame, ["a", "b", "sum", "shifted"])
    assert design.names == ["a", "b"]
    assert design.absent == ["sum", "shifted"]


def test_columns_keep_the_order_of_the_covariates():
    frame = pd.DataFrame({"a": [1, 5, 2, 9, 4, 4], "b": list("xyxyzx"), "c": [0.5, None, 2, 4, 7, 1]})
    design = build(frame, ["c", "b", "a"])
    assert design.names == ["c", "c (not recorded)", "b=y", "b=z", "a"]
    assert design.sources == ["c", "c", "b", "b", "a"]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([Decimal("1.50"), Decimal("2"), None], dtype=object),
        pd.Series([1, 2, None], dtype="Int64"),
        pd.Series([True, False, None], dtype="boolean"),
        pd.Series([True, False, None], dtype=object),
        pd.Series([1, 2.5, None], dtype=object),
    ],
)
def test_numbers_are_numbers_however_they_are_stored(column):
    assert is_number(column)
    design = build(pd.DataFrame({"x": column}), ["x"])
    assert design.names == ["x", "x (not recorded)"]
    assert design.values.dtype == float


def test_text_and_categories_are_no_numbers():
    assert not is_number(pd.Series(["1", "2"]))
    assert not is_number(pd.Series(["a", "b"], dtype="category"))
    assert build(pd.DataFrame({"x": pd.Series(["a", "b", "a"], dtype="category")}), ["x"]).names == ["x=b"]


def test_dates_are_refused_as_covariates():
    frame = pd.DataFrame({"since": [dt.date(2024, 1, 1), dt.date(2025, 1, 1)]})
    with pytest.raises(ContrastError, match="covariate 'since' holds date: give numbers or text"):
        build(frame, ["since"])


COVARIATES = ["log_mrr", "seats", "industry", "tenure"]


@pytest.mark.parametrize(
    ("allowed", "kept"),
    [
        (9, ["log_mrr", "seats", "industry", "tenure"]),
        (6, ["log_mrr", "seats", "industry", "tenure"]),
        (5, ["log_mrr", "seats", "industry"]),
        # industry needs three columns: with it falls all that comes after, even where it would have fitted.
        (4, ["log_mrr", "seats"]),
        (1, ["log_mrr"]),
        (0, []),
    ],
)
def test_covariates_are_given_up_whole_and_from_the_end(allowed, kept):
    frame = pd.DataFrame(
        {
            "log_mrr": [1, 5, 2, 8, 3, 9, 4, 1],
            "seats": [2, 7, 1, 8, 2, 8, 1, 9],
            "industry": list("abcdabca"),
            "tenure": [3, 1, 4, 1, 5, 9, 2, 7],
        }
    )
    design = build(frame, COVARIATES)
    assert leading(design, COVARIATES, allowed) == kept
    assert set(design.only(kept).sources) == set(kept)


def test_an_absent_covariate_costs_no_column():
    design = build(pd.DataFrame({"seats": [2, 7, 1]}), ["log_mrr", "seats"])
    assert leading(design, ["log_mrr", "seats"], 1) == ["seats"]


def test_a_level_seen_in_one_arm_only_has_no_counterpart():
    frame = pd.DataFrame(
        {
            "industry": ["a", "a", "b", "b", "c", None],
            "seats": [1, 2, None, None, 5, 6],
        }
    )
    treated = np.array([1.0, 0, 1, 0, 1, 0])
    assert one_armed(frame, ["industry"], treated).tolist() == [False, False, False, False, True, True]
    assert not one_armed(frame, ["seats"], treated).any()
    assert (
        one_armed(frame, ["seats"], np.array([1.0, 0, 1, 1, 1, 0])).tolist() == [False] * 2 + [True] * 2 + [False] * 2
    )


def test_a_standardised_difference_uses_the_deviations_of_the_unweighted_arms():
    values = np.array([[1.0], [3], [5], [0], [2], [4]])
    treated = np.array([1.0, 1, 1, 0, 0, 0])
    # both arms have variance 4: (3 - 2) / 2
    assert smd(values, treated).tolist() == [0.5]
    # with weights the means are 2 and 3, the deviation stays 2
    assert smd(values, treated, np.array([1.0, 1, 0, 0, 1, 1])).tolist() == [-0.5]


def test_a_column_that_is_the_same_within_both_arms_differs_not_at_all_or_beyond_measure():
    treated = np.array([1.0, 1, 0, 0])
    assert smd(np.array([[1.0, 7], [1, 7], [0, 7], [0, 7]]), treated).tolist() == [np.inf, 0]


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from("abc") | st.none()), min_size=3, max_size=30))
def test_a_design_has_full_rank_beside_the_intercept(rows):
    frame = pd.DataFrame(rows, columns=["number", "level"], dtype=object)
    frame["copy"] = frame["number"] * 2
    design = build(frame, ["number", "level", "copy"])
    whole = np.column_stack([np.ones(len(frame)), design.values])
    assert np.linalg.matrix_rank(whole) == whole.shape[1]
    assert "copy" in design.absent
