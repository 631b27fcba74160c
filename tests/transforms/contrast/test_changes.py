"""A protocol in lines, and its changes in words: each is told, and nothing else is."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.contrast.changes import changes, flat, told
from transforms.contrast.protocol import Protocol, hash_of

SHIPPED = Protocol.load().content


def changed(**tables: Any) -> dict[str, Any]:
    """The shipped content with some keys replaced, tables key by key."""
    content = copy.deepcopy(SHIPPED)
    for key, value in tables.items():
        content[key] = {**content[key], **value} if isinstance(value, dict) else value
    return content


def test_a_protocol_is_told_key_by_key() -> None:
    lines = flat(SHIPPED)
    assert lines["thresholds.high"] == "0.6"
    assert lines["seed"] == "20240229"
    assert told(lines["comparisons"]) == "partnership_high_vs_low, partnership_vs_transactional"
    assert lines["comparisons.partnership_vs_transactional.treated.equals"] == "Partnership"
    assert lines["outcomes.days_beyond_terms.direction"] == "down"
    assert "comparisons.partnership_vs_transactional.treated.threshold" not in lines


def test_nothing_changed_is_nothing_told() -> None:
    assert changes(SHIPPED, copy.deepcopy(SHIPPED)) == []


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (changed(thresholds={"high": 0.7}), ["thresholds.high: 0.6 -> 0.7"]),
        (changed(seed=1, smallest_effect=0.3), ["smallest_effect: 0.2 -> 0.3", "seed: 20240229 -> 1"]),
        (changed(covariates=SHIPPED["covariates"][:-2]), ["covariates: without sla_tier, product"]),
        (changed(covariates=[*SHIPPED["covariates"], "churn"]), ["covariates: with churn"]),
        (
            changed(covariates=["churn", *SHIPPED["covariates"][3:]]),
            [
                "covariates: without segment, log_mrr, seats and with churn and in the order churn, "
                + ", ".join(SHIPPED["covariates"][3:])
            ],
        ),
        (changed(outcomes=SHIPPED["outcomes"][:-1]), ["outcomes: without adoption"]),
        (
            changed(comparisons=SHIPPED["comparisons"][::-1]),
            ["comparisons: in the order partnership_vs_transactional, partnership_high_vs_low"],
        ),
        # Keys that one of the two versions of the program did not know.
        (changed(gates={"patience": 3}), ["gates.patience: not set -> 3"]),
        ({**SHIPPED, "parent": None}, ["parent: parent_id -> not set"]),
    ],
)
def test_a_change_is_told_in_words(after: dict[str, Any], words: list[str]) -> None:
    assert changes(SHIPPED, after) == words


def test_a_change_inside_a_list_names_the_entry() -> None:
    after = copy.deepcopy(SHIPPED)
    after["outcomes"][4]["direction"] = "up"
    assert changes(SHIPPED, after) == ["outcomes.tilt.direction: none -> up"]


@st.composite
def contents(draw: st.DrawFn) -> dict[str, Any]:
    """Protocols that differ from the shipped one, or not, in thresholds, covariates and outcomes."""
    outcomes = draw(st.permutations(SHIPPED["outcomes"][:3]))
    return changed(
        thresholds={"low": draw(st.sampled_from([0.3, 0.4]))},
        covariates=draw(st.lists(st.sampled_from(["seats", "region", "product"]), unique=True)),
        outcomes=outcomes[: draw(st.integers(1, 3))],
    )


@given(contents(), contents())
def test_there_is_something_to_tell_exactly_where_the_hash_differs(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert bool(changes(one, other)) == (hash_of(one) != hash_of(other))
