"""Errors from leaving one cluster out: against doing so, and in worlds with few clusters."""

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from transforms.contrast import jackknife
from transforms.contrast.clusters import totals
from transforms.contrast.errors import NotEstimable
from transforms.contrast.estimators import Sample, arms, summarise

METHODS = ["unadjusted", "overlap", "ipw", "aipw", "regression"]


def drawn(generator, managers, size=240, effect=0.0):
    """Accounts of managers of unequal size, each with their own share of partners, value and worth of partnership."""
    share = generator.lognormal(0, 0.8, managers)
    manager = generator.choice(managers, size, p=share / share.sum())
    inclined, generous, able = generator.normal(size=(3, managers))
    covariates = generator.normal(size=(size, 2))
    chance = 1 / (1 + np.exp(-0.7 * covariates[:, 0] - 0.7 * inclined[manager]))
    treated = (generator.random(size) < chance).astype(float)
    gain = effect + 0.3 * able[manager]
    outcome = 0.6 * covariates[:, 0] + gain * treated + 0.4 * generous[manager] + generator.normal(size=size)
    clusters = np.unique(manager, return_inverse=True)[1]
    return Sample(outcome, treated, covariates, ["size", "age"], covariates, clusters)


def without(sample, cluster):
    return replace(sample.take(sample.clusters != cluster), clusters=None)


def effect(sample, method):
    treated, control = arms(sample, method)
    return treated.mean - control.mean


def steps(sample, method):
    """The difference of each cluster's absence, to first order: minus the sum of its rows' influences over n."""
    treated, control = arms(sample, method)
    return -totals(treated.influence - control.influence, sample.clusters) / len(sample.outcome)


SAMPLE = drawn(np.random.default_rng(5), managers=12)


@pytest.mark.parametrize("method", METHODS)
def test_a_step_leads_to_the_estimate_without_the_cluster(method):
    there = [effect(without(SAMPLE, cluster), method) for cluster in range(12)]
    by_hand = np.array(there) - effect(SAMPLE, method)
    # Where the equations are linear the step is the whole way; elsewhere it is the first of Newton's.
    exact = method in ("unadjusted", "regression")
    tolerance = {"abs": 1e-9} if method == "unadjusted" else {"abs": 0.03 if not exact else 0.02}
    assert steps(SAMPLE, method) == pytest.approx(by_hand, **tolerance)
    assert np.corrcoef(steps(SAMPLE, method), by_hand)[0, 1] > 0.97


def test_the_steps_of_least_squares_are_exact():
    columns = np.column_stack([np.ones(240), SAMPLE.covariates])
    slopes = np.linalg.lstsq(columns, SAMPLE.outcome, rcond=None)[0]
    score = columns * (SAMPLE.outcome - columns @ slopes)[:, None]
    influence = jackknife.on_coefficients(score, columns, np.ones(240), SAMPLE.clusters)
    found = slopes - totals(influence, SAMPLE.clusters) / 240
    for cluster in range(12):
        left = SAMPLE.clusters != cluster
        assert found[cluster] == pytest.approx(np.linalg.lstsq(columns[left], SAMPLE.outcome[left], rcond=None)[0])


def test_the_plain_influence_gives_the_sandwich_of_statsmodels():
    columns = np.column_stack([np.ones(240), SAMPLE.covariates])
    fitted = sm.OLS(SAMPLE.outcome, columns).fit(cov_type="HC0")
    influence = jackknife.on_coefficients(columns * fitted.resid[:, None], columns, np.ones(240), None)
    assert np.sqrt(np.square(influence).sum(axis=0)) / 240 == pytest.approx(fitted.bse)


def test_an_average_as_a_row_sees_it_leaves_its_cluster_out():
    rows, clusters = np.array([1.0, 2, 4, 8]), np.array([0, 1, 0, 1])
    assert jackknife.average(rows, clusters).tolist() == [2.5, 1.25, 2.5, 1.25]
    assert jackknife.average(rows, None).tolist() == [3.75] * 4


@pytest.mark.parametrize("method", METHODS[1:])
def test_what_only_one_cluster_can_tell_does_not_spoil_the_error(method):
    region = (SAMPLE.clusters == 3).astype(float)
    wider = np.column_stack([SAMPLE.covariates, region])
    sample = replace(SAMPLE, covariates=wider, outcome_covariates=wider, names=["size", "age", "region"])
    found, before = (summarise(one, arms(one, method), method).standard_error for one in (sample, SAMPLE))
    assert found == pytest.approx(before, rel=0.3)


@pytest.mark.parametrize("method", METHODS)
def test_the_numbers_of_the_clusters_do_not_matter(method):
    renamed = replace(SAMPLE, clusters=np.random.default_rng(1).permutation(12)[SAMPLE.clusters])
    found, before = (summarise(one, arms(one, method), method) for one in (renamed, SAMPLE))
    assert found.standard_error == pytest.approx(before.standard_error, abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_clusters_draw_the_fit_to_themselves_and_the_plain_sandwich_is_smaller(method):
    alone = replace(SAMPLE, clusters=None)
    treated, control = arms(alone, method)
    summed = totals(treated.influence - control.influence, SAMPLE.clusters)
    sandwich = np.sqrt(12 / 11 * np.square(summed).sum()) / 240
    assert summarise(SAMPLE, arms(SAMPLE, method), method).standard_error > sandwich


@pytest.mark.parametrize("method", ["overlap", "aipw"])
def test_intervals_hold_the_truth_where_few_managers_look_after_all_accounts(method):
    generator = np.random.default_rng(8)
    held, sandwich_held = [], []
    for _ in range(300):
        sample = drawn(generator, managers=8, effect=0.3)
        try:
            found = summarise(sample, arms(sample, method), method)
        except NotEstimable:
            continue
        held.append(found.ci_low <= 0.3 <= found.ci_high)
        treated, control = arms(replace(sample, clusters=None), method)
        summed = totals(treated.influence - control.influence, sample.clusters)
        count = found.n_clusters
        half = stats.t.ppf(0.975, count - 1) * np.sqrt(count / (count - 1) * np.square(summed).sum()) / 240
        sandwich_held.append(abs(found.effect - 0.3) <= half)
    # 300 worlds: 95 % has a standard error of 1.3 points.
    assert 0.92 <= np.mean(held) <= 0.985
    assert np.mean(sandwich_held) < np.mean(held) - 0.02
