"""Sensitivity: published examples, worlds whose hidden causes are known, and independent computations."""

import itertools
import math
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import optimize, stats

from transforms.contrast import effects, propensity
from transforms.contrast import sensitivity as sensitivity_module
from transforms.contrast.errors import ContrastError, NotEstimable
from transforms.contrast.estimators import Sample, arms, difference, read, summarise
from transforms.contrast.sensitivity import (
    Confounder,
    Linear,
    adjusted,
    as_strong,
    benchmark,
    hodges_lehmann,
    largest_gamma,
    linear,
    matched_pairs,
    negative_control,
    partial_r2,
    permuted,
    robustness_value,
    sensitivity,
    signed_rank_bound,
)

NAMES = ["log_mrr", "logging_intensity", "seats"]


def world(size=240, seed=3, effect=0.0, managers=None):
    """Large accounts are rather partners and rather get much; `effect` is what partnership adds to that."""
    generator = np.random.default_rng(seed)
    covariates = generator.normal(size=(size, 3))
    treated = (generator.random(size) < 1 / (1 + np.exp(-covariates @ [0.9, 0.3, 0.0]))).astype(float)
    clusters, shared = None, 0.0
    if managers is not None:
        clusters = np.unique(generator.integers(managers, size=size), return_inverse=True)[1]
        shared = 0.5 * generator.normal(size=managers)[clusters]
    noise = generator.normal(size=size) * (1 + treated)
    outcome = covariates @ [0.6, 0.0, 0.2] + effect * treated + shared + noise
    return Sample(outcome, treated, covariates, NAMES, covariates, clusters)


def overlap(sample):
    return summarise(sample, arms(sample, "overlap"), "overlap")


# --- permuted labels --------------------------------------------------------------------------------------------------


def redrawn(sample, draws):
    fitted = propensity.fit(sample.treated, sample.covariates, sample.names)
    return fitted, sensitivity_module._relabelled(sample.treated, fitted.scores, draws, 1)


@pytest.mark.parametrize("managers", [None, 120])
def test_every_draw_has_the_estimate_and_error_that_its_labels_would_have(managers):
    sample = world(managers=managers)
    fitted, labels = redrawn(sample, 130)
    effect, error = sensitivity_module._overlap_effects(sample, fitted, labels)
    for draw in (0, 1, 99, 100, 129):
        expected = overlap(replace(sample, treated=labels[draw]))
        assert effect[draw] == pytest.approx(expected.effect, abs=1e-7)
        assert error[draw] == pytest.approx(expected.standard_error, rel=1e-7)


def test_labels_stay_in_their_stratum_of_the_propensity():
    sample = world(size=1000)
    fitted, labels = redrawn(sample, 50)
    fifth = pd.qcut(fitted.scores, 5, labels=False)
    for number in range(5):
        assert (labels[:, fifth == number].sum(axis=1) == sample.treated[fifth == number].sum()).all()
    # ... and so the covariates keep most of their hold on them, which permuting all rows would end.
    held = np.corrcoef(fitted.scores, sample.treated)[0, 1]
    kept = np.mean([np.corrcoef(fitted.scores, draw)[0, 1] for draw in labels])
    assert 0.85 * held < kept < held
    assert (labels != sample.treated).any(axis=1).all()


def test_a_level_that_a_draw_puts_in_one_arm_counts_no_more_than_if_it_were_not_there():
    sample = world()
    rare = np.zeros(240)
    rare[[*np.flatnonzero(sample.treated > 0)[:2], *np.flatnonzero(sample.treated == 0)[:2]]] = 1
    widened = replace(sample, covariates=np.column_stack([sample.covariates, rare]), names=[*NAMES, "rare"])
    labels = sample.treated[None, :].copy()
    labels[0, rare > 0] = 1
    fitted = propensity.fit(widened.treated, widened.covariates, widened.names)
    effect, _ = sensitivity_module._overlap_effects(widened, fitted, labels)
    without = replace(sample, treated=labels[0]).take(np.flatnonzero(rare == 0))
    assert effect[0] == pytest.approx(overlap(without).effect, abs=1e-6)


def test_where_there_is_nothing_p_values_are_spread_evenly_though_size_confounds():
    found = [permuted(world(size=120, seed=seed, managers=30), 39, seed) for seed in range(150)]
    p_values = np.array([each.p_value for each in found])
    # 150 worlds: 10 % has a standard error of 2.4 points, 50 % of 4.1.
    assert 0.03 < (p_values <= 0.1).mean() < 0.18
    assert 0.38 < (p_values <= 0.5).mean() < 0.62
    assert np.mean([each.mean for each in found]) == pytest.approx(0, abs=0.03)


def test_a_planted_effect_lies_beyond_all_permuted_ones():
    sample = world(size=600, effect=0.8, managers=100)
    found = permuted(sample, 199, seed=1)
    assert found.p_value == 1 / 200
    assert found.effect == pytest.approx(overlap(sample).effect)
    assert found.effect > found.high > found.mean > found.low
    assert found.mean == pytest.approx(0, abs=3 * found.spread / math.sqrt(199))
    assert found.spread == pytest.approx(overlap(sample).standard_error, rel=0.25)


@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False))
def test_draws_do_not_depend_on_the_order_of_the_rows(random):
    sample = world(managers=50)
    order = list(range(240))
    random.shuffle(order)
    plain, moved = (asdict(permuted(each, 30, seed=2)) for each in (sample, sample.take(np.array(order))))
    assert list(moved.values()) == pytest.approx(list(plain.values()), abs=1e-9)


def test_another_seed_draws_otherwise():
    assert permuted(world(), 30, seed=2) == permuted(world(), 30, seed=2) != permuted(world(), 30, seed=3)


@pytest.mark.parametrize(("draws", "change"), [(0, {}), (10, {"link": "probit"})])
def test_no_draw_and_no_logit_are_refused(draws, change):
    with pytest.raises(ContrastError, match="needs a draw and a logit"):
        permuted(replace(world(), **change), draws, seed=1)


def test_an_outcome_that_does_not_vary_is_no_place_to_permute():
    with pytest.raises(NotEstimable, match="does not vary"):
        permuted(replace(world(), outcome=np.ones(240)), 10, seed=1)


# --- negative control -------------------------------------------------------------------------------------------------


def registration(artefact=0.0, through=0.0, effect=0.0, size=4000, seed=5):
    """Managers who log more: `artefact` raises the value as it is recorded, `through` makes for more partnerships."""
    generator = np.random.default_rng(seed)
    covariates = generator.normal(size=(size, 3))
    logging = covariates[:, 1]
    treated = (generator.random(size) < 1 / (1 + np.exp(-covariates[:, 0] - through * logging))).astype(float)
    outcome = covariates[:, 0] + artefact * logging + effect * treated + generator.normal(size=size)
    return Sample(outcome, treated, covariates, NAMES, covariates, None)


def test_the_negative_control_is_the_difference_between_high_and_low_exposure():
    sample = world(managers=60)
    frame = pd.DataFrame(sample.covariates, columns=NAMES).assign(
        y=sample.outcome, t=sample.treated, manager=sample.clusters
    )
    frame["logs_more"] = (frame["logging_intensity"] > frame["logging_intensity"].median()).astype(int)
    expected = difference(frame, "y", "logs_more", ["log_mrr", "seats", "t"], cluster="manager")
    found = asdict(negative_control(sample, "logging_intensity"))
    assert list(found.values()) == pytest.approx(list(asdict(expected).values()), abs=1e-9)


def test_value_that_comes_of_logging_alone_is_seen():
    found = negative_control(registration(artefact=0.2, through=1.0), "logging_intensity")
    # A normal variable's means above and below its median are 1.6 apart.
    assert found.effect == pytest.approx(0.2 * 1.6, abs=0.1)
    assert found.ci_low > 0


def test_logging_that_only_goes_with_partnership_is_not_taken_for_a_cause():
    sample = registration(through=1.0, effect=1.0)
    found = negative_control(sample, "logging_intensity")
    assert found.ci_low < 0 < found.ci_high
    naive = replace(sample, treated=(sample.covariates[:, 1] > np.median(sample.covariates[:, 1])).astype(float))
    apart = replace(naive, covariates=sample.covariates[:, [0, 2]], names=["log_mrr", "seats"])
    assert overlap(apart).ci_low > 0.1


def test_accounts_without_a_recorded_exposure_are_left_out():
    sample = world()
    absent = (np.arange(240) % 6 == 0).astype(float)
    widened = replace(
        sample,
        covariates=np.column_stack([sample.covariates, absent]),
        names=[*NAMES, "logging_intensity (not recorded)"],
    )
    recorded = sample.take(np.flatnonzero(absent == 0))
    expected = negative_control(recorded, "logging_intensity")
    assert negative_control(widened, "logging_intensity").effect == pytest.approx(expected.effect)


def test_a_level_on_one_side_of_the_median_is_left_out():
    sample = world()
    rare = np.zeros(240)
    rare[np.argsort(sample.covariates[:, 1])[-3:]] = 1
    widened = replace(sample, covariates=np.column_stack([sample.covariates, rare]), names=[*NAMES, "region=north"])
    found = negative_control(widened, "logging_intensity")
    assert found.n_treated == 117
    assert found.n_control == 120


def test_an_exposure_that_is_not_among_the_covariates_is_named():
    with pytest.raises(NotEstimable, match="industry is not among the covariates"):
        negative_control(world(), "industry")


# --- a linear confounder ----------------------------------------------------------------------------------------------

# Cinelli, Hazlett (2020): attitudes to peace of people harmed in Darfur, as the R package sensemakr prints them (the
# standard error from t, which has more digits).
DARFUR = Linear(0.09732, 0.09732 / 4.18445, 783)


def test_robustness_values_of_darfur_are_the_published_ones():
    assert partial_r2(DARFUR) == pytest.approx(0.02187, abs=1e-5)
    assert robustness_value(DARFUR) == pytest.approx(0.13878, abs=1e-5)
    assert robustness_value(DARFUR, alpha=0.05) == pytest.approx(0.0763, abs=5e-5)
    assert DARFUR.standard_error == pytest.approx(0.02326, abs=5e-6)


@pytest.mark.parametrize(
    ("hidden", "effect", "error", "t"),
    [
        (Confounder(0.00916428667504862, 0.12464092303637), 0.0752, 0.0219, 3.4389),
        (Confounder(0.0183, 0.2493), 0.0529, 0.0204, 2.6002),
        (Confounder(0.0275, 0.3741), 0.0304, 0.0187, 1.6281),
    ],
)
def test_estimates_of_darfur_with_a_confounder_like_gender_are_the_published_ones(hidden, effect, error, t):
    found = adjusted(DARFUR, hidden)
    assert found.effect == pytest.approx(effect, abs=6e-5)
    assert found.standard_error == pytest.approx(error, abs=6e-5)
    assert found.t == pytest.approx(t, abs=5e-3)


@pytest.mark.parametrize(("times", "of_treatment", "of_outcome"), [(2, 0.0183, 0.2493), (3, 0.0275, 0.3741)])
def test_confounders_two_and_three_times_as_strong_as_gender_are_the_published_ones(times, of_treatment, of_outcome):
    # What gender explains, worked back from the published bound of a confounder as strong as it.
    share = 0.00916428667504862 / 1.00916428667504862
    odds = 0.12464092303637 / (as_strong(Confounder(share, 0.1), 1).of_outcome * 9)
    gender = Confounder(share, odds / (1 + odds))
    assert as_strong(gender, 1).of_outcome == pytest.approx(0.12464092303637)
    found = as_strong(gender, times)
    assert (found.of_treatment, found.of_outcome) == pytest.approx((of_treatment, of_outcome), abs=5e-5)


def test_the_regression_is_that_of_statsmodels():
    sample = world(effect=0.5)
    reference = sm.OLS(sample.outcome, sm.add_constant(np.column_stack([sample.treated, sample.covariates]))).fit()
    found = linear(sample)
    assert found.effect == pytest.approx(reference.params[1])
    assert found.standard_error == pytest.approx(reference.bse[1])
    assert found.degrees == reference.df_resid


def test_benchmarks_are_what_dropping_the_columns_takes_from_the_regressions():
    sample = world(effect=0.5)
    names = ["log_mrr", "seats"]
    rest = sample.covariates[:, [1]]

    def unexplained(outcome, *columns):
        return sm.OLS(outcome, sm.add_constant(np.column_stack(columns))).fit().ssr

    found = benchmark(sample, names)
    of_treatment = 1 - unexplained(sample.treated, sample.covariates) / unexplained(sample.treated, rest)
    given = sample.treated
    of_outcome = 1 - unexplained(sample.outcome, sample.covariates, given) / unexplained(sample.outcome, rest, given)
    assert (found.of_treatment, found.of_outcome) == pytest.approx((of_treatment, of_outcome))


def with_hidden(sample, of_treatment, of_outcome):
    """The sample with one more covariate, which explains just so much of what the others leave."""
    basis = np.column_stack([np.ones(len(sample.outcome)), sample.covariates])

    def left(values, *more):
        columns = np.column_stack([basis, *more])
        return values - columns @ np.linalg.lstsq(columns, values, rcond=None)[0]

    def unit(values):
        return values / np.linalg.norm(values)

    treated = unit(left(sample.treated))
    outcome = unit(left(sample.outcome, sample.treated))
    noise = unit(left(np.random.default_rng(9).normal(size=len(basis)), sample.treated, sample.outcome))
    sign = np.sign(linear(sample).effect)
    # Given the treatment, the hidden column is of length sqrt(1 - of_treatment), of which so much points to the outcome.
    rest = sign * math.sqrt(of_outcome) * outcome + math.sqrt(1 - of_outcome) * noise
    hidden = math.sqrt(of_treatment) * treated + math.sqrt(1 - of_treatment) * rest
    return replace(sample, covariates=np.column_stack([sample.covariates, hidden]), names=[*sample.names, "hidden"])


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 0.6), st.floats(0.01, 0.6), st.sampled_from([-0.6, 0.6]))
def test_a_confounder_that_is_really_there_moves_the_estimate_to_the_adjusted_one(of_treatment, of_outcome, effect):
    sample = world(effect=effect)
    seen = with_hidden(sample, of_treatment, of_outcome)
    measured = benchmark(seen, ["hidden"])
    assert (measured.of_treatment, measured.of_outcome) == pytest.approx((of_treatment, of_outcome))
    found, expected = adjusted(linear(sample), Confounder(of_treatment, of_outcome)), linear(seen)
    assert found.effect == pytest.approx(expected.effect, abs=1e-9)
    assert found.standard_error == pytest.approx(expected.standard_error, abs=1e-9)
    assert found.degrees == expected.degrees


@given(st.floats(-3, 3).filter(lambda effect: abs(effect) > 1e-3), st.floats(0.05, 1), st.integers(10, 2000))
def test_a_confounder_at_the_robustness_value_takes_the_whole_effect(effect, error, degrees):
    fit = Linear(effect, error, degrees)
    value = robustness_value(fit)
    assert 0 < value < 1
    assert adjusted(fit, Confounder(value, value)).effect == pytest.approx(0, abs=1e-9)


@given(st.floats(2.2, 20), st.integers(60, 2000))
def test_a_confounder_at_the_robustness_value_of_the_limit_leaves_just_no_significance(t, degrees):
    fit = Linear(t, 1.0, degrees)
    value = robustness_value(fit, alpha=0.05)
    left = adjusted(fit, Confounder(value, value))
    assert left.t == pytest.approx(stats.t.isf(0.025, degrees - 1))
    assert value < robustness_value(fit)


def test_what_is_not_significant_needs_no_confounder():
    assert robustness_value(Linear(1.0, 1.0, 100), alpha=0.05) == 0


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_hidden_cause_as_strong_as_an_observed_one_explains_no_more_than_the_bound(times):
    """A hidden column is planted whose partial R2, given the other covariates, are so many times log_mrr's."""
    sample = world(size=800, effect=0.5)
    observed = benchmark(sample, ["log_mrr"])
    bound = as_strong(observed, times)
    others = replace(sample, covariates=sample.covariates[:, 1:], names=NAMES[1:])

    def strength(of_outcome):
        seen = with_hidden(sample, bound.of_treatment, of_outcome)
        alone = replace(seen, covariates=seen.covariates[:, 1:], names=seen.names[1:])
        return benchmark(alone, ["hidden"])

    assert linear(others).degrees == linear(sample).degrees + 1
    assert strength(0.3).of_treatment == pytest.approx(times * observed.of_treatment)
    reached = optimize.brentq(
        lambda share: strength(share).of_outcome - times * observed.of_outcome, 0, bound.of_outcome
    )
    assert 0 < reached <= bound.of_outcome + 1e-9


@pytest.mark.parametrize(
    ("observed", "times", "complaint"),
    [(Confounder(0.5, 0.1), 1, "all of the treatment"), (Confounder(0.01, 0.3), 3, "all of the outcome")],
)
def test_a_confounder_that_cannot_be_is_refused(observed, times, complaint):
    with pytest.raises(NotEstimable, match=complaint):
        as_strong(observed, times)


def test_a_benchmark_that_is_no_column_is_refused():
    for names in ([], ["industry"]):
        with pytest.raises(ContrastError, match="the sample has no columns"):
            benchmark(world(), names)


def test_regressions_without_anything_to_explain_are_refused():
    sample = world()
    exact = sample.covariates @ [1.0, 2.0, 3.0] + sample.treated
    explained = np.column_stack([sample.covariates[:, :2], sample.treated * 2 + 1])
    for change, complaint in (
        ({"outcome": exact}, "explain the outcome completely"),
        ({"outcome": np.ones(240)}, "explain the outcome completely"),
        ({"covariates": explained}, "explain the treatment completely"),
    ):
        with pytest.raises(NotEstimable, match=complaint):
            linear(replace(sample, **change))
    with pytest.raises(NotEstimable, match="6 rows are too few for 3 columns"):
        linear(sample.take(np.arange(6)))


# --- matched pairs ----------------------------------------------------------------------------------------------------

# Lead in the blood of children whose parents work with it, and of matched others (Morton et al. 1982, American Journal
# of Epidemiology 115:549), as in Rosenbaum (2002), Observational Studies, chapter 4.
EXPOSED = [
    38, 23, 41, 18, 37, 36, 23, 62, 31, 34, 24, 14, 21, 17, 16, 20, 15, 10, 45, 39, 22, 35, 49, 48, 44, 35, 43, 39, 34,
    13, 73, 25, 27,
]  # fmt: skip
OTHERS = [
    16, 18, 18, 24, 19, 11, 10, 15, 16, 18, 18, 13, 19, 10, 16, 16, 24, 13, 9, 14, 21, 19, 7, 18, 19, 12, 11, 22, 25,
    16, 13, 11, 13,
]  # fmt: skip
LEAD = np.subtract(EXPOSED, OTHERS).astype(float)


@pytest.mark.parametrize(
    ("gamma", "p_value"), [(2, 0.0018), (3, 0.0136), (4, 0.0388), (4.25, 0.0468), (4.35, 0.0502), (5, 0.0740)]
)
def test_bounds_for_lead_in_childrens_blood_are_the_published_ones(gamma, p_value):
    assert signed_rank_bound(LEAD, gamma) == pytest.approx(p_value, abs=5e-5)


def test_lead_stands_up_to_a_gamma_of_four_and_a_third():
    assert 4.25 < largest_gamma(LEAD) < 4.35
    assert largest_gamma(-LEAD) == pytest.approx(largest_gamma(LEAD))
    assert hodges_lehmann(LEAD) == 15


def test_without_hidden_causes_the_bound_is_the_signed_rank_test():
    reference = stats.wilcoxon(LEAD, zero_method="zsplit", correction=False, method="asymptotic").pvalue / 2
    untied = np.array([1.0, -2, 3, 4, -5, 6, 7, 8, 9, -10, 11, 12])
    expected = stats.wilcoxon(untied, correction=False, method="asymptotic").pvalue / 2
    assert signed_rank_bound(untied, 1) == pytest.approx(expected)
    assert signed_rank_bound(LEAD, 1) == pytest.approx(reference, rel=0.1)


@settings(max_examples=20, deadline=None)
@given(arrays(float, st.integers(3, 7), elements=st.integers(-6, 6).map(float)), st.floats(1, 6))
def test_no_confounding_of_pairs_makes_chance_likelier_than_the_bounding_one(differences, gamma):
    """Every pair may have any chance between 1 / (1 + gamma) and gamma / (1 + gamma): the ends are tried, all of them."""
    ranks = stats.rankdata(np.abs(differences)) * (differences != 0)
    signs = np.array(list(itertools.product((0, 1), repeat=len(ranks))))
    observed = ranks[differences > 0].sum()
    reached = signs @ ranks >= observed - 1e-9

    def tail(chances):
        return (np.where(signs == 1, chances, 1 - chances).prod(axis=1) * reached).sum()

    high = gamma / (1 + gamma)
    worst = max(tail(np.array(chances)) for chances in itertools.product((1 - high, high), repeat=len(ranks)))
    assert tail(np.full(len(ranks), high)) == pytest.approx(worst)


def test_from_ten_pairs_on_the_gamma_is_about_the_exact_one():
    generator = np.random.default_rng(1)

    def excess(gamma, differences):
        """Tail of the worst-case distribution over 5 %, built rank by rank, for untied differences."""
        ranks = stats.rankdata(np.abs(differences)).astype(int)
        weights, chance = np.ones(1), gamma / (1 + gamma)
        for rank in ranks:
            weights = np.convolve(weights, np.concatenate([[1 - chance], np.zeros(rank - 1), [chance]]))
        return weights[int(ranks[differences > 0].sum()) :].sum() - 0.05

    tried = 0
    for _ in range(40):
        differences = generator.normal(0.9, 1, 10)
        if excess(1, differences) < 0 and (differences < 0).any():
            gamma = optimize.brentq(excess, 1, 1e3, args=(differences,))
            assert largest_gamma(differences) == pytest.approx(gamma, rel=0.1)
            tried += 1
    assert tried > 10


@given(arrays(float, st.integers(5, 40), elements=st.integers(-20, 20).map(float)).filter(np.any))
def test_the_largest_gamma_is_where_the_bound_reaches_five_percent(differences):
    gamma = largest_gamma(differences)
    assert gamma >= 1
    if gamma > 1:
        assert signed_rank_bound(differences, gamma) == pytest.approx(0.05)
        assert signed_rank_bound(differences, 1) < 0.05
    else:
        assert signed_rank_bound(differences, 1) >= 0.05 - 1e-9


@given(arrays(float, st.integers(1, 30), elements=st.integers(-20, 20).map(float)), st.integers(-5, 5))
def test_the_hodges_lehmann_estimate_is_the_median_of_pairwise_means_and_moves_with_the_data(differences, shift):
    means = [(a + b) / 2 for a, b in itertools.combinations_with_replacement(differences, 2)]
    assert hodges_lehmann(differences) == np.median(means)
    assert hodges_lehmann(differences + shift) == hodges_lehmann(differences) + shift


def test_pairs_without_a_difference_say_nothing():
    with pytest.raises(NotEstimable, match="the same within every pair"):
        largest_gamma(np.zeros(12))


numbers = st.integers(0, 30).map(float)


@settings(max_examples=50, deadline=None)
@given(arrays(float, st.integers(1, 4), elements=numbers), arrays(float, st.integers(4, 5), elements=numbers), numbers)
def test_matching_makes_the_most_pairs_at_the_least_distance(few, many, caliper):
    best = (0, 0.0)
    for chosen in itertools.permutations(range(len(many)), len(few)):
        distances = [abs(a - many[j]) for a, j in zip(few, chosen, strict=True)]
        within = [distance for distance in distances if distance <= caliper]
        best = min(best, (-len(within), sum(within)))
    for one, other in ((few, many), (many, few)):
        first, second = sensitivity_module._matched(one, other, caliper)
        assert (-len(first), np.abs(one[first] - other[second]).sum()) == pytest.approx(best)
        assert len(set(first)) == len(set(second)) == len(first)


def test_matched_pairs_find_a_planted_shift():
    sample = world(size=1500, effect=0.6)
    pairs = matched_pairs(sample, seed=1)
    assert len(pairs.differences) + pairs.unmatched == min(sample.treated.sum(), (1 - sample.treated).sum())
    assert pairs.unmatched > 0
    naive = sample.outcome[sample.treated > 0].mean() - sample.outcome[sample.treated == 0].mean()
    assert hodges_lehmann(pairs.differences) == pytest.approx(0.6, abs=0.2) != pytest.approx(naive, abs=0.2)
    assert largest_gamma(pairs.differences) > 1.3


def test_where_propensities_tie_pairs_do_not_follow_the_outcome():
    generator = np.random.default_rng(4)
    north = (np.arange(400) % 2).astype(float)
    treated = (generator.random(400) < 0.4 + 0.2 * north).astype(float)
    outcome = generator.normal(size=400)
    sample = Sample(outcome, treated, north[:, None], ["region=north"], north[:, None], None)
    # Two independent standard normals differ with a deviation of 1.41; pairs along the order would hardly differ.
    assert matched_pairs(sample, seed=1).differences.std() == pytest.approx(math.sqrt(2), rel=0.15)


@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False))
def test_pairs_do_not_depend_on_the_order_of_the_rows(random):
    sample = world()
    order = list(range(240))
    random.shuffle(order)
    moved = matched_pairs(sample.take(np.array(order)), seed=1)
    assert moved.differences == pytest.approx(matched_pairs(sample, seed=1).differences, abs=1e-9)


def test_too_few_pairs_are_refused():
    with pytest.raises(NotEstimable, match="pairs have like propensities; 10 needed"):
        matched_pairs(world().take(np.arange(16)), seed=1)


# --- what is said of it -----------------------------------------------------------------------------------------------

CHECKS = [
    "permuted_labels",
    "logging_as_exposure",
    "e_value",
    "e_value_of_limit",
    "robustness_value",
    "robustness_value_alpha",
    "confounder_like_log_mrr_1x",
    "confounder_like_log_mrr_2x",
    "confounder_like_log_mrr_3x",
    "matched_pairs",
    "rosenbaum_gamma",
]


def table(sample, draws=30):
    return {row.check: row for row in sensitivity(sample, draws, seed=1)}


def test_the_table_holds_what_the_checks_found():
    sample = world(size=500, effect=0.6, managers=100)
    rows = table(sample)
    assert list(rows) == CHECKS
    drawn, control = permuted(sample, 30, seed=1), negative_control(sample, "logging_intensity")
    first = rows["permuted_labels"]
    assert (first.value, first.ci_low, first.ci_high, first.p_value) == (drawn.mean, drawn.low, drawn.high, 1 / 31)
    second = rows["logging_as_exposure"]
    assert (second.value, second.ci_low, second.p_value) == (control.effect, control.ci_low, control.p_value)
    assert rows["robustness_value"].value == robustness_value(linear(sample))
    assert rows["robustness_value_alpha"].value == robustness_value(linear(sample), 0.05)
    pairs = matched_pairs(sample, seed=1).differences
    assert rows["matched_pairs"].value == hodges_lehmann(pairs)
    assert rows["rosenbaum_gamma"].value == largest_gamma(pairs)
    assert rows["rosenbaum_gamma"].p_value == signed_rank_bound(pairs, 1)


def test_e_values_are_those_of_the_standardised_difference_and_its_nearer_limit():
    sample = world(size=500, effect=0.6)
    rows, found = table(sample), overlap(sample)
    deviation = effects.pooled_deviation(sample.outcome[sample.treated > 0], sample.outcome[sample.treated == 0])
    unit = (1 - 3 / (4 * 498 - 1)) / deviation
    assert rows["e_value"].value == pytest.approx(effects.e_value_of_difference(found.effect * unit))
    assert rows["e_value_of_limit"].value == pytest.approx(effects.e_value_of_difference(found.ci_low * unit))


def test_a_hidden_cause_like_the_size_is_the_regression_with_it():
    sample = world(size=500, effect=0.6)
    rows = table(sample)
    for times in (1, 2):
        left = adjusted(linear(sample), as_strong(benchmark(sample, ["log_mrr"]), times))
        row = rows[f"confounder_like_log_mrr_{times}x"]
        half = stats.t.ppf(0.975, left.degrees) * left.standard_error
        assert (row.value, row.ci_low, row.ci_high) == pytest.approx(
            (left.effect, left.effect - half, left.effect + half)
        )
        # The p-value reaches 5 % where the interval reaches 0.
        assert (row.p_value < 0.05) == (row.ci_low > 0 or row.ci_high < 0)


def test_every_row_has_a_sentence_and_a_null_world_needs_no_hidden_cause():
    rows = table(world(size=300, seed=8))
    assert all(row.note.endswith(".") for row in rows.values())
    assert rows["e_value_of_limit"].value == rows["rosenbaum_gamma"].value == 1
    assert rows["robustness_value_alpha"].value == 0
    for check in ("e_value_of_limit", "robustness_value_alpha"):
        assert "holds 0 as it is" in rows[check].note
    assert "no more than chance" in rows["rosenbaum_gamma"].note


@pytest.mark.parametrize(
    ("artefact", "effect", "meaning"),
    [
        (0.4, 0.5, "part of the contrast may come from logging"),
        (-0.4, 0.5, "logging does not explain the contrast"),
        (0.0, 0.5, "no more than chance"),
    ],
)
def test_the_note_says_what_logging_may_have_done(artefact, effect, meaning):
    sample = registration(artefact=artefact, effect=effect, size=800)
    assert meaning in table(sample, draws=1)["logging_as_exposure"].note


def test_a_check_that_cannot_be_made_says_why_and_the_others_stand():
    sample = world(size=300)
    rows = table(replace(sample, names=["size", "age", "seats"]))
    lacking = {check for check, row in rows.items() if row.value is None}
    assert lacking == {"logging_as_exposure", *(f"confounder_like_log_mrr_{times}x" for times in (1, 2, 3))}
    assert rows["logging_as_exposure"].note.startswith(
        "Could not be checked: logging_intensity is not among the covariates"
    )
    assert rows["confounder_like_log_mrr_2x"].note == "Could not be checked: log_mrr is not among the covariates."


def test_without_an_estimate_there_is_nothing_to_check():
    sample = world()
    apart = sample.covariates + 100 * sample.treated[:, None] * [1, 0, 0]
    with pytest.raises(NotEstimable, match="foremost log_mrr"):
        sensitivity(replace(sample, covariates=apart), 10, seed=1)


def test_a_categorical_covariate_and_missing_values_come_from_a_frame():
    sample = world(size=300, effect=0.5)
    frame = pd.DataFrame(sample.covariates, columns=NAMES).assign(
        y=sample.outcome,
        t=sample.treated,
        region=np.where(np.arange(300) % 3 == 0, "north", "south"),
        log_mrr=np.where(np.arange(300) % 9 == 0, np.nan, sample.covariates[:, 0]),
    )
    rows = table(read(frame, "y", "t", [*NAMES, "region"], None))
    assert all(row.value is not None for row in rows.values())
