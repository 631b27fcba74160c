"""What the arms of a contrast could find is said of every contrast, and from its sizes alone."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.power import TTestIndPower

from tests.transforms.contrast.test_study import row, study
from tests.transforms.contrast.worlds import HIGH_LOW, PROTOCOL, SHORT
from tests.transforms.contrast.worlds import accounts as world
from transforms.contrast.study import POWER

SIZES = ["n_partnership", "n_comparison", "effective_n_partnership", "effective_n_comparison"]


def found(frame: pd.DataFrame, outcome: str = "mutual_value") -> pd.Series:
    return study(frame).power.set_index("outcome").loc[outcome]


def test_every_contrast_has_a_row_with_the_columns_of_the_mart() -> None:
    power = study(world(), PROTOCOL).power
    assert list(power.columns) == list(POWER)
    assert len(power) == len(PROTOCOL.comparisons) * len(PROTOCOL.outcomes)
    assert not power.duplicated(["comparison", "outcome"]).any()


def test_sizes_are_those_of_the_estimate_that_decides() -> None:
    result = study(world())
    assert result.power.iloc[0][SIZES].tolist() == row(result)[SIZES].tolist()


def test_an_effect_of_the_detectable_size_is_found_8_times_of_10() -> None:
    power = found(world())
    arms = power["effective_n_partnership"], power["effective_n_comparison"]
    chance = TTestIndPower().power(power["detectable_g"], arms[0], 0.05, ratio=arms[1] / arms[0])
    assert chance == pytest.approx(0.8, abs=1e-4)


def test_what_lacks_is_what_is_needed_less_what_is_there() -> None:
    power = found(world())
    assert (power["smallest_effect"], power["needed_per_arm"]) == (0.2, 394)
    assert power["more_partnership"] == np.ceil(394 - power["effective_n_partnership"])
    assert power["more_to_compare"] == 0
    large = SHORT.model_copy(update={"smallest_effect": 1.0})
    rows = study(world(), large).power
    assert (rows["needed_per_arm"] == 17).all()
    assert (rows[["more_partnership", "more_comparison"]] == 0).all(axis=None)


def test_where_an_arm_is_too_small_the_accounts_that_lack_are_counted() -> None:
    frame = world(200)
    result = study(frame[(frame["partnership"] <= 0.4) | (frame["partnership"] >= 0.93)])
    power = result.power.iloc[0]
    assert row(result)["verdict"] == "not_estimable"
    assert power["n_partnership"] < 30 < power["n_comparison"]
    assert power["more_to_compare"] == 30 - power["n_partnership"]
    assert pd.isna(power["effective_n_partnership"])
    assert power["detectable_g"] > 0.2


def test_without_accounts_everything_lacks_and_nothing_can_be_found() -> None:
    power = found(world()[:0])
    assert (power["n_partnership"], power["more_partnership"], power["more_to_compare"]) == (0, 394, 60)
    assert pd.isna(power["detectable_g"])


def test_other_results_give_the_same_power() -> None:
    """It could have been said before: the values of the outcome do not enter, only whether there is one."""
    frame = world()
    other = frame.assign(mutual_value=np.random.default_rng(7).normal(size=len(frame)))
    pd.testing.assert_frame_equal(study(frame).power, study(other).power)
    assert row(study(frame), HIGH_LOW)["difference"] != row(study(other), HIGH_LOW)["difference"]
