"""How much the ranking hangs on the weights, against two accounts whose chance can be found by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.tables import drawn
from transforms.robustness import weight_robustness


def frame(text: str) -> pd.DataFrame:
    rows = drawn(text)
    return pd.DataFrame(
        [
            {
                "account_id": row["account"],
                "part": f"{row['part']}_value",
                "measure_id": row["measure"],
                "z": float(row["z"]),
                "weight": float(row.get("weight") or 1),
            }
            for row in rows
            if row["z"] is not None
        ]
    )


ALFA_AND_BETA = """
account | part     | measure | z
a       | supplier | nrr     | 1
a       | supplier | late    | 0
a       | customer | csat    | 0
a       | customer | reopen  | 0
b       | supplier | nrr     | 0.25
b       | supplier | late    | 0.5
b       | customer | csat    | 0
b       | customer | reopen  | 0
"""


def test_the_share_of_weightings_is_the_one_found_by_hand() -> None:
    """Alfa is ahead where w > 0.25 w + 0.5 (1 - w), that is w > 0.4; w is uniform on 0-1, so in 60 % of weightings."""
    found = weight_robustness(frame(ALFA_AND_BETA), seed=1, weightings=20_000).set_index("account_id")
    assert found["rank"].to_dict() == {"a": 1, "b": 2}
    assert found["same_half"].to_list() == pytest.approx([0.6, 0.6], abs=0.01)
    assert found["same_decile"].to_list() == found["same_half"].to_list()
    assert found[["rank_low", "rank_high"]].to_numpy().tolist() == [[1, 2], [1, 2]]


def test_the_rank_is_that_of_the_given_weights_and_the_weightings_are_as_likely_as_before() -> None:
    """At 3 to 7 Alfa has 0.3 and Beta 0.425: Beta is ahead, and stays so in the 40 % of weightings with w under 0.4."""
    weight = {"nrr": 3.0, "late": 7.0}
    table = frame(ALFA_AND_BETA)
    table["weight"] = [weight.get(name, 1.0) for name in table["measure_id"]]
    found = weight_robustness(table, seed=1, weightings=20_000).set_index("account_id")
    assert found["rank"].to_dict() == {"a": 2, "b": 1}
    assert found["same_half"].to_list() == pytest.approx([0.4, 0.4], abs=0.01)
    equal = weight_robustness(frame(ALFA_AND_BETA), seed=1, weightings=20_000).set_index("account_id")
    assert found[["rank_low", "rank_high"]].equals(equal[["rank_low", "rank_high"]])


def test_who_is_better_in_everything_stays_in_its_place() -> None:
    rows = [
        {"account_id": f"a{place:02}", "part": part, "measure_id": measure, "z": 2 - place / 10, "weight": 1.0}
        for place in range(20)
        for part, measure in (("supplier_value", "nrr"), ("supplier_value", "late"), ("customer_value", "csat"))
    ]
    found = weight_robustness(pd.DataFrame(rows), seed=1, weightings=200)
    assert found["rank"].to_list() == list(range(1, 21))
    assert (found["rank_low"] == found["rank"]).all()
    assert (found["rank_high"] == found["rank"]).all()
    assert (found[["same_half", "same_decile"]] == 1).all().all()


def test_an_account_without_a_component_is_weighed_by_those_that_it_has() -> None:
    """Beta's only supplier component is its mean under every weighting: 0.5 against Alfa's w, ahead in half of them."""
    text = "\n".join(
        line for line in ALFA_AND_BETA.strip().splitlines() if not line.startswith("b       | supplier | nrr")
    )
    found = weight_robustness(frame(text), seed=2, weightings=20_000).set_index("account_id")
    assert found.loc["a", "rank"] == found.loc["b", "rank"] == 1
    assert found.loc["a", "rank_high"] == 2
    assert found["same_half"].to_list() == pytest.approx([0.5, 0.5], abs=0.015)


def test_the_same_seed_gives_the_same_table_and_nobody_gives_an_empty_one() -> None:
    draw = np.random.default_rng(0)
    rows = [
        {"account_id": f"a{account}", "part": part, "measure_id": measure, "z": draw.normal(), "weight": 1.0}
        for account in range(60)
        for part, measure in (("supplier_value", "nrr"), ("supplier_value", "late"), ("customer_value", "csat"))
    ]
    table = pd.DataFrame(rows)
    once, again = (weight_robustness(table.sample(frac=1, random_state=order), seed=3) for order in (1, 2))
    pd.testing.assert_frame_equal(once, again)
    assert weight_robustness(table.iloc[:0], seed=3).empty
