"""Effects in several groups: the thirteen BCG trials, an independent integration, and the laws of shrinkage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import integrate, stats
from statsmodels.stats.meta_analysis import combine_effects

from transforms.contrast.errors import ContrastError
from transforms.contrast.meta_analysis import heterogeneity, shrink

# Colditz et al. (1994), JAMA 271:698: tuberculosis with and without BCG vaccination, 13 trials.
BCG = np.array(
    [
        [4, 119, 11, 128], [6, 300, 29, 274], [3, 228, 11, 209], [62, 13536, 248, 12619], [33, 5036, 47, 5761],
        [180, 1361, 372, 1079], [8, 2537, 10, 619], [505, 87886, 499, 87892], [29, 7470, 45, 7232],
        [17, 1699, 65, 1600], [186, 50448, 141, 27197], [5, 2493, 3, 2338], [27, 16886, 29, 17825],
    ]
)  # fmt: skip
ILL, WELL, ILL_OTHERS, WELL_OTHERS = BCG.T
LOG_RATIOS = np.log(ILL / (ILL + WELL)) - np.log(ILL_OTHERS / (ILL_OTHERS + WELL_OTHERS))
ERRORS = np.sqrt(1 / ILL - 1 / (ILL + WELL) + 1 / ILL_OTHERS - 1 / (ILL_OTHERS + WELL_OTHERS))

# Rubin (1981), Journal of Educational Statistics 6:377: coaching in eight schools.
SCHOOLS = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
SCHOOL_ERRORS = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])

several = st.integers(2, 8).flatmap(
    lambda k: st.tuples(
        arrays(float, k, elements=st.floats(-5, 5)), arrays(float, k, elements=st.floats(0.1, 5, exclude_min=True))
    )
)


def numbers(shrunk):
    return np.array([shrunk.effect, shrunk.ci_low, shrunk.ci_high, shrunk.below_zero])


# --- heterogeneity ----------------------------------------------------------------------------------------------------


def test_the_bcg_trials_as_published():
    # Viechtbauer 2010, Journal of Statistical Software 36:3, and the tests of the R package metafor.
    found = heterogeneity(LOG_RATIOS, ERRORS)
    assert found.q == pytest.approx(152.2330, abs=5e-5)
    assert found.degrees == 12
    assert found.i_squared == pytest.approx(0.9212, abs=5e-5)
    assert found.tau**2 == pytest.approx(0.3181, abs=5e-5)
    assert found.mean == pytest.approx(-0.7150, abs=5e-5)
    assert found.standard_error == pytest.approx(0.1809, abs=5e-5)


@pytest.mark.parametrize(
    ("effects", "errors"), [(LOG_RATIOS, ERRORS), (SCHOOLS, SCHOOL_ERRORS), (SCHOOLS, SCHOOL_ERRORS / 4)]
)
def test_another_library_finds_the_same(effects, errors):
    other = combine_effects(effects, errors**2, method_re="iterated", use_t=True, atol=1e-12)
    found = heterogeneity(effects, errors)
    assert (found.mean, found.standard_error) == pytest.approx((other.mean_effect_re, other.sd_eff_w_re), rel=1e-6)
    assert (found.ci_low, found.ci_high) == pytest.approx(other.conf_int()[1], rel=1e-6)
    assert (found.tau**2, found.q) == pytest.approx((max(other.tau2, 0), other.q), abs=1e-6)
    assert found.p_value == pytest.approx(other.test_homogeneity().pvalue)


def test_effects_that_differ_less_than_chance_allows_have_no_tau():
    # In the eight schools the best guess is that coaching did the same everywhere: 7.7, as fixed effects have it.
    found = heterogeneity(SCHOOLS, SCHOOL_ERRORS)
    assert (found.tau, found.i_squared) == (0, 0)
    assert found.mean == pytest.approx(7.69, abs=0.005)
    assert found.standard_error == pytest.approx(4.07, abs=0.005)


@given(several)
def test_at_tau_the_effects_differ_as_chance_would_have_them(groups):
    effects, errors = groups
    found = heterogeneity(effects, errors)
    squares = (np.square(effects - found.mean) / (errors**2 + found.tau**2)).sum()
    if found.tau > 0:
        assert squares == pytest.approx(len(effects) - 1)
    else:
        assert squares <= len(effects) - 1 + 1e-9


# --- shrinkage --------------------------------------------------------------------------------------------------------


def integrated(effects, errors, of):
    """Posterior expectation of `of(tau)` by adaptive quadrature over tau: another variable and another rule."""
    typical = len(errors) / np.sum(errors**-2.0)

    def weight(tau):
        total = errors**2 + tau**2
        mean = np.sum(effects / total) / np.sum(1 / total)
        likelihood = stats.norm.pdf(effects, mean, np.sqrt(total)).prod() / np.sqrt(np.sum(1 / total))
        # The density of tau where typical / (typical + tau^2) is uniform.
        return likelihood * 2 * tau * typical / (typical + tau**2) ** 2

    def given_tau(tau):
        total = errors**2 + tau**2
        mean = np.sum(effects / total) / np.sum(1 / total)
        kept = tau**2 / total
        centre = kept * effects + (1 - kept) * mean
        return centre, np.sqrt(kept * errors**2 + (1 - kept) ** 2 / np.sum(1 / total))

    above = integrate.quad(lambda tau: weight(tau) * of(*given_tau(tau)), 0, np.inf, epsabs=0, limit=200)[0]
    return above / integrate.quad(weight, 0, np.inf, epsabs=0, limit=200)[0]


@pytest.mark.parametrize(("effects", "errors"), [(SCHOOLS, SCHOOL_ERRORS), (LOG_RATIOS[:3], ERRORS[:3])])
def test_the_posterior_is_that_of_an_independent_integration(effects, errors):
    found = shrink(effects, errors)
    assert found.effect[0] == pytest.approx(integrated(effects, errors, lambda centre, _: centre[0]), rel=1e-4)
    for limit, expected in ((0.0, found.below_zero[0]), (found.ci_low[0], 0.025), (found.ci_high[0], 0.975)):
        below = integrated(effects, errors, lambda centre, spread, c=limit: stats.norm.cdf(c, centre[0], spread[0]))
        assert below == pytest.approx(expected, abs=1e-4)


def test_the_eight_schools_are_drawn_together():
    # Rubin found an effect of about 8 to 11 plausible in school A, whose own was 28.
    found = shrink(SCHOOLS, SCHOOL_ERRORS)
    assert 8 < found.effect[0] < 12
    assert np.ptp(found.effect) < 0.3 * np.ptp(SCHOOLS)
    assert (found.ci_high - found.ci_low < 2 * 1.96 * SCHOOL_ERRORS).all()


def test_effects_that_differ_beyond_doubt_stay_as_they_are():
    effects = np.array([-3.0, 0.0, 4.0])
    found = shrink(effects, np.full(3, 0.01))
    assert found.effect == pytest.approx(effects, abs=0.001)
    assert (found.ci_high - found.ci_low) == pytest.approx(2 * 1.96 * 0.01, rel=0.01)
    assert found.below_zero == pytest.approx([1, 0.5, 0], abs=0.01)


@given(several)
def test_a_shrunk_effect_lies_among_the_effects_and_in_its_interval(groups):
    effects, errors = groups
    found = shrink(effects, errors)
    slack = 1e-9 * (1 + np.abs(effects).max())
    assert (found.effect >= effects.min() - slack).all()
    assert (found.effect <= effects.max() + slack).all()
    assert (found.ci_low < found.effect).all()
    assert (found.effect < found.ci_high).all()


@settings(max_examples=20)
@given(several, st.floats(-10, 10), st.floats(0.01, 100))
def test_shrinkage_moves_with_the_unit_and_the_place_of_the_effects(groups, shift, scale):
    effects, errors = groups
    plain, moved = shrink(effects, errors), shrink(shift + scale * effects, scale * errors)
    slack = 1e-6 * scale * (1 + np.abs(effects).max() + errors.max()) + 1e-7 * abs(shift)
    for name in ("effect", "ci_low", "ci_high"):
        assert getattr(moved, name) == pytest.approx(shift + scale * getattr(plain, name), abs=slack)


@settings(max_examples=20)
@given(several, st.randoms(use_true_random=False))
def test_the_order_of_the_groups_does_not_matter(groups, random):
    effects, errors = groups
    order = list(range(len(effects)))
    random.shuffle(order)
    assert numbers(shrink(effects[order], errors[order])) == pytest.approx(
        numbers(shrink(effects, errors))[:, order], abs=1e-9
    )


@settings(max_examples=20)
@given(several)
def test_the_chance_below_zero_mirrors_with_the_sign(groups):
    effects, errors = groups
    forth, back = shrink(effects, errors), shrink(-effects, errors)
    assert back.below_zero == pytest.approx(1 - forth.below_zero)
    assert back.ci_low == pytest.approx(-forth.ci_high)


@pytest.mark.parametrize("tau", [0.0, 0.5, 2.0])
def test_shrunk_intervals_cover_the_truth_and_err_less_than_the_groups_alone(tau):
    generator = np.random.default_rng(7)
    covered, ours, alone = [], [], []
    for _ in range(80):
        errors = generator.uniform(0.5, 1.5, 6)
        truth = generator.normal(0.3, tau, 6)
        effects = truth + errors * generator.normal(size=6)
        found = shrink(effects, errors)
        covered.append(((found.ci_low <= truth) & (truth <= found.ci_high)).mean())
        ours.append(np.square(found.effect - truth).mean())
        alone.append(np.square(effects - truth).mean())
    assert 0.91 <= np.mean(covered) <= 0.995
    assert np.mean(ours) < np.mean(alone)


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", [heterogeneity, shrink])
@pytest.mark.parametrize(
    ("effects", "errors", "complaint"),
    [
        ([1.0], [1.0], "effects of 2 groups are needed to compare them, got 1"),
        ([1.0, 2.0], [1.0, 0.0], "every effect needs a standard error above 0"),
        ([1.0, 2.0], [1.0, np.nan], "every effect needs a standard error above 0"),
    ],
)
def test_effects_that_cannot_be_compared_are_refused(of, effects, errors, complaint):
    with pytest.raises(ContrastError, match=complaint):
        of(np.array(effects), np.array(errors))
