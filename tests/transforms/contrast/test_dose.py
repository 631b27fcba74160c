"""The curve by partnership: an independent account of spline, prediction and interval, and worlds of known shape."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from scipy.interpolate import CubicSpline

from transforms.contrast.dose import KNOTS, dose_response, knots, natural_spline
from transforms.contrast.errors import NotEstimable


def world(generator, slope=0.0, bend=0.0, size=300, managers=60):
    """Large accounts are rather partners and rather get much; `slope` and `bend` are what partnership adds to that."""
    covariates = generator.normal(size=(size, 2)) * [1, 30] + [8, 100]
    partnership = 1 / (1 + np.exp(-0.5 * (covariates[:, 0] - 8) - generator.normal(0, 1, size)))
    clusters = generator.integers(managers, size=size)
    noise = 0.05 * generator.normal(size=managers)[clusters] + generator.normal(0, 0.15, size)
    outcome = 0.1 * covariates[:, 0] + truth(partnership, slope, bend) + noise
    return outcome, partnership, covariates, clusters


def truth(partnership, slope, bend):
    return slope * partnership + bend * (partnership - 0.5) ** 2


SAMPLE = world(np.random.default_rng(1), slope=0.1, bend=0.5)


def found(sample):
    return dose_response(*sample, accounts_per_column=10)


def cardinal(dose, places):
    """The natural spline through 0s and a 1 at the knots, straight beyond them: another basis of the same space."""
    spline = CubicSpline(places, np.eye(4), bc_type="natural")
    inside = np.clip(dose, places[0], places[-1])
    return spline(inside) + spline(inside, 1) * (dose - inside)[:, None]


# --- the spline -------------------------------------------------------------------------------------------------------


def test_the_basis_by_hand():
    # Knots 0, 1, 2, 3, at 3: (27 - 3 * 1) / 9 and (8 - 2 * 1) / 9; at 1: 1 / 9 and 0.
    basis = natural_spline(np.array([3.0, 1.0, -5.0]), np.arange(4.0))
    assert basis == pytest.approx(np.array([[3, 24 / 9, 6 / 9], [1, 1 / 9, 0], [-5, 0, 0]]))


@settings(deadline=None)
@given(arrays(float, 30, elements=st.floats(-1, 2)), st.sets(st.integers(0, 20), min_size=4, max_size=4))
def test_the_basis_spans_the_natural_splines_through_its_knots(dose, places):
    places = np.sort(np.array(list(places))) / 20
    at_knots = np.column_stack([np.ones(4), natural_spline(places, places)])
    # What the basis takes at the knots determines a natural spline, which the basis must be everywhere.
    assert cardinal(dose, places) @ at_knots == pytest.approx(
        np.column_stack([np.ones(30), natural_spline(dose, places)]), abs=1e-8
    )


def test_the_knots_lie_at_harrells_quantiles():
    assert knots(np.arange(101.0)) == pytest.approx(100 * np.array(KNOTS))


# --- the curve --------------------------------------------------------------------------------------------------------


def test_the_curve_is_the_mean_prediction_were_all_accounts_at_that_partnership():
    outcome, partnership, covariates, _ = SAMPLE
    places = knots(partnership)
    fitted = sm.OLS(outcome, np.column_stack([cardinal(partnership, places), covariates])).fit()
    curve = found(SAMPLE).curve
    for point, value in zip(curve["partnership"], curve["value"], strict=True):
        everyone = np.column_stack([cardinal(np.full(len(outcome), point), places), covariates])
        assert value == pytest.approx(fitted.predict(everyone).mean(), abs=1e-8)


def test_the_interval_is_that_of_the_mean_prediction_when_clusters_are_left_out():
    outcome, partnership, covariates, clusters = SAMPLE
    places = knots(partnership)
    design = np.column_stack([cardinal(partnership, places), covariates])
    curve = found(SAMPLE).curve
    at_points = cardinal(curve["partnership"].to_numpy(), places)
    everyone = np.column_stack([at_points, np.tile(covariates.mean(axis=0), (len(curve), 1))])
    labels = np.unique(clusters)
    others = [sm.OLS(outcome[clusters != label], design[clusters != label]).fit().predict(everyone) for label in labels]
    squares = np.square(np.array(others) - curve["value"].to_numpy()).sum(axis=0)
    half = stats.t.ppf(0.975, len(labels) - 1) * np.sqrt((len(labels) - 1) / len(labels) * squares)
    assert (curve["ci_high"] - curve["value"]).to_numpy() == pytest.approx(half, abs=1e-8)
    assert (curve["value"] - curve["ci_low"]).to_numpy() == pytest.approx(half, abs=1e-8)


def test_the_curve_is_drawn_where_nine_accounts_in_ten_are():
    result = found(SAMPLE)
    low, high = np.quantile(SAMPLE[1], [0.05, 0.95])
    points = result.curve["partnership"]
    assert low <= points.min() < low + 0.05
    assert high - 0.05 < points.max() <= high
    assert np.diff(points) == pytest.approx(0.05)
    assert f"{low:.2f} to {high:.2f}" in result.note
    assert (result.n, result.n_clusters) == (300, len(np.unique(SAMPLE[3])))


def test_the_tests_are_on_three_terms_and_on_two():
    result = found(SAMPLE)
    assert (result.overall.terms, result.non_linearity.terms) == (3, 2)
    assert result.overall.degrees == result.n_clusters - 3


def test_a_confounder_that_is_adjusted_for_bends_nothing():
    outcome, partnership, covariates, clusters = world(np.random.default_rng(6), size=2000, managers=200)
    naive = dose_response(outcome, partnership, covariates[:, 1:], clusters, 10)
    adjusted = dose_response(outcome, partnership, covariates, clusters, 10)
    assert np.ptp(naive.curve["value"]) > 0.1
    assert np.ptp(adjusted.curve["value"]) < 0.05


# --- worlds of known shape --------------------------------------------------------------------------------------------


def worlds(count, seed, **shape):
    generator = np.random.default_rng(seed)
    return [found(world(generator, **shape)) for _ in range(count)]


def test_where_there_is_nothing_an_effect_and_a_bend_are_found_in_five_worlds_of_a_hundred():
    # 300 worlds: 5 % has a standard error of 1.3 points. What a straight line adds, the laws below say: nothing.
    nothing = worlds(300, 11)
    assert 0.015 <= np.mean([one.overall.p_value < 0.05 for one in nothing]) <= 0.09
    assert 0.015 <= np.mean([one.non_linearity.p_value < 0.05 for one in nothing]) <= 0.09


def test_a_u_shape_is_found_and_drawn():
    shaped = worlds(60, 13, bend=1.2)
    assert np.mean([one.non_linearity.p_value < 0.05 for one in shaped]) > 0.9
    lowest = [one.curve.loc[one.curve["value"].idxmin(), "partnership"] for one in shaped]
    assert np.mean(lowest) == pytest.approx(0.5, abs=0.05)


def test_intervals_cover_a_planted_curve_at_each_point():
    # A quadratic is no natural spline, but close to one.
    covered = []
    for one in worlds(100, 14, slope=0.2, bend=0.4):
        curve = one.curve
        expected = 0.8 + truth(curve["partnership"], 0.2, 0.4)
        covered.append(((curve["ci_low"] <= expected) & (expected <= curve["ci_high"])).mean())
    assert 0.9 <= np.mean(covered) <= 0.985


# --- laws -------------------------------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(random):
    order = list(range(300))
    random.shuffle(order)
    plain, shuffled = found(SAMPLE), found(tuple(part[order] for part in SAMPLE))
    assert shuffled.curve.to_numpy() == pytest.approx(plain.curve.to_numpy(), abs=1e-9)
    assert shuffled.overall.p_value == pytest.approx(plain.overall.p_value, rel=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.floats(-100, 100), st.floats(0.01, 100))
def test_the_curve_moves_with_the_unit_of_the_outcome_and_its_tests_do_not(shift, scale):
    plain, moved = found(SAMPLE), found((shift + scale * SAMPLE[0], *SAMPLE[1:]))
    values = ["value", "ci_low", "ci_high"]
    assert moved.curve[values].to_numpy() == pytest.approx(shift + scale * plain.curve[values].to_numpy())
    assert moved.non_linearity.p_value == pytest.approx(plain.non_linearity.p_value, rel=1e-6)


def test_the_unit_of_a_covariate_does_not_matter():
    moved = found((SAMPLE[0], SAMPLE[1], 5 + 100 * SAMPLE[2], SAMPLE[3]))
    assert moved.curve.to_numpy() == pytest.approx(found(SAMPLE).curve.to_numpy())


def test_what_is_linear_in_partnership_and_covariates_moves_the_line_alone():
    line = SAMPLE[0] + 0.7 * SAMPLE[1] - 3 * SAMPLE[2][:, 0]
    plain, moved = found(SAMPLE), found((line, *SAMPLE[1:]))
    assert moved.non_linearity.statistic == pytest.approx(plain.non_linearity.statistic)
    rise = moved.curve["value"] - plain.curve["value"]
    assert np.diff(rise) == pytest.approx(0.7 * 0.05)


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("partnership", "complaint"),
    [
        (np.repeat([0.2, 0.5, 0.8], 100), "the 3 values that partnership takes in 300 accounts are too heaped"),
        (np.full(300, 0.5), "the 1 values"),
        (np.linspace(0.46, 0.49, 300), "is 0.46 to 0.49: too narrow for a curve"),
    ],
)
def test_a_partnership_that_varies_too_little_has_no_curve(partnership, complaint):
    outcome, _, covariates, clusters = SAMPLE
    with pytest.raises(NotEstimable, match=complaint):
        dose_response(outcome, partnership, covariates, clusters, 10)


def test_accounts_too_few_for_the_covariates_have_no_curve():
    few = tuple(part[:49] for part in SAMPLE)
    with pytest.raises(NotEstimable, match="49 accounts for a regression on 5 columns; 50 needed"):
        found(few)
    assert found(tuple(part[:50] for part in SAMPLE)).n == 50


def test_three_clusters_cannot_test_a_curve():
    with pytest.raises(NotEstimable, match="3 clusters of accounts cannot test 3 terms"):
        found((*SAMPLE[:3], SAMPLE[3] % 3))
