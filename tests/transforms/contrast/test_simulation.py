"""Worlds whose truth is known: where nothing is to be found nothing is, and where there is, it is found."""

import numpy as np
import pytest

from transforms.contrast.estimators import Sample, arms, summarise

WORLDS = 300
METHODS = ("unadjusted", "overlap", "aipw")


def world(generator, effect, size=400, managers=None):
    """Large accounts are rather partners and rather get much; `effect` is what partnership adds to that."""
    covariates = generator.normal(size=(size, 2))
    chance = 1 / (1 + np.exp(-0.9 * covariates[:, 0] - 0.3 * covariates[:, 1]))
    treated = (generator.random(size) < chance).astype(float)
    noise = generator.normal(size=size)
    clusters = None
    if managers is not None:
        clusters = np.unique(generator.integers(managers, size=size), return_inverse=True)[1]
        noise = noise + 0.5 * generator.normal(size=managers)[clusters]
    outcome = 0.7 * covariates[:, 0] + 0.3 * covariates[:, 1] + effect * treated + noise
    return Sample(outcome, treated, covariates, ["size", "age"], covariates, clusters)


def estimates(effect, seed, **keys):
    generator = np.random.default_rng(seed)
    found = {method: [] for method in METHODS}
    for _ in range(WORLDS):
        sample = world(generator, effect, **keys)
        for method in METHODS:
            found[method].append(summarise(sample, arms(sample, method), method))
    return found


def covered(found, truth):
    return np.mean([estimate.ci_low <= truth <= estimate.ci_high for estimate in found])


@pytest.fixture(scope="module")
def nothing():
    return estimates(0.0, seed=11)


@pytest.fixture(scope="module")
def something():
    return estimates(0.3, seed=12)


def test_where_size_confounds_the_naive_difference_finds_what_is_not_there(nothing):
    assert 1 - covered(nothing["unadjusted"], 0) > 0.98
    assert np.mean([estimate.effect for estimate in nothing["unadjusted"]]) > 0.4


@pytest.mark.parametrize("method", ["overlap", "aipw"])
def test_the_adjusted_estimators_err_no_more_often_than_they_say(nothing, method):
    # 300 worlds: 5 % has a standard error of 1.3 points.
    assert 0.015 <= 1 - covered(nothing[method], 0) <= 0.09
    assert np.mean([estimate.effect for estimate in nothing[method]]) == pytest.approx(0, abs=0.025)


@pytest.mark.parametrize("method", ["overlap", "aipw"])
def test_a_planted_effect_is_covered(something, method):
    assert 0.91 <= covered(something[method], 0.3) <= 0.985
    assert np.mean([estimate.effect for estimate in something[method]]) == pytest.approx(0.3, abs=0.025)


@pytest.mark.parametrize("method", ["overlap", "aipw"])
def test_the_stated_error_is_the_spread_over_worlds(nothing, method):
    stated = np.mean([estimate.standard_error for estimate in nothing[method]])
    spread = np.std([estimate.effect for estimate in nothing[method]], ddof=1)
    assert stated == pytest.approx(spread, rel=0.12)


def test_overlap_weights_are_the_more_precise(nothing):
    errors = {method: np.mean([estimate.standard_error for estimate in nothing[method]]) for method in METHODS}
    assert errors["overlap"] < errors["aipw"]


def test_accounts_of_a_few_managers_are_covered_when_their_clusters_are_known():
    found = estimates(0.3, seed=13, managers=30)
    assert {estimate.degrees for estimate in found["overlap"]} <= {28.0, 29.0}
    assert 0.90 <= covered(found["overlap"], 0.3) <= 0.985
