"""Least squares with errors by cluster: an independent computation, the laws they keep, and how often they err."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from transforms.contrast.errors import NotEstimable
from transforms.contrast.regression import combine, fit, wald

GENERATOR = np.random.default_rng(1)
SIZE = 200
COLUMNS = np.column_stack([np.ones(SIZE), GENERATOR.normal(5, 1, SIZE), GENERATOR.normal(0, 100, SIZE)])
CLUSTERS = GENERATOR.integers(0, 25, SIZE)
OUTCOME = (
    0.3 * COLUMNS[:, 1] + GENERATOR.normal(size=25)[CLUSTERS] + GENERATOR.normal(size=SIZE) * np.abs(COLUMNS[:, 1])
)
FITTED = fit(COLUMNS, OUTCOME, CLUSTERS, 10)


def left_out(columns, outcome, clusters):
    """Covariance from refits without one cluster at a time, by another library."""
    everything = sm.OLS(outcome, columns).fit().params
    labels = np.unique(clusters)
    others = [sm.OLS(outcome[clusters != label], columns[clusters != label]).fit().params for label in labels]
    moved = np.array(others) - everything
    return (len(labels) - 1) / len(labels) * moved.T @ moved


def test_coefficients_and_covariance_are_those_of_refits_without_each_cluster():
    assert FITTED.coefficients == pytest.approx(sm.OLS(OUTCOME, COLUMNS).fit().params, rel=1e-8)
    assert FITTED.covariance == pytest.approx(left_out(COLUMNS, OUTCOME, CLUSTERS), rel=1e-8)
    assert (FITTED.n, FITTED.n_clusters) == (200, 25)


def test_one_row_per_cluster_gives_hc3():
    alone = fit(COLUMNS, OUTCOME, np.arange(SIZE), 10)
    hc3 = sm.OLS(OUTCOME, COLUMNS).fit(cov_type="HC3").cov_params()
    assert alone.covariance == pytest.approx((SIZE - 1) / SIZE * hc3, rel=1e-8)


def test_with_many_clusters_the_jackknife_is_the_usual_sandwich():
    generator = np.random.default_rng(2)
    clusters = generator.integers(0, 500, 5000)
    columns = np.column_stack([np.ones(5000), generator.normal(size=(5000, 2))])
    outcome = generator.normal(size=500)[clusters] + generator.normal(size=5000)
    usual = sm.OLS(outcome, columns).fit(cov_type="cluster", cov_kwds={"groups": clusters})
    errors = np.sqrt(np.diag(fit(columns, outcome, clusters, 10).covariance))
    assert errors == pytest.approx(usual.bse, rel=0.01)


def test_a_combination_has_students_interval():
    found = combine(FITTED, np.array([0.0, 2, -1]))
    expected = 2 * FITTED.coefficients[1] - FITTED.coefficients[2]
    error = np.sqrt(np.array([0, 2, -1]) @ FITTED.covariance @ np.array([0, 2, -1]))
    assert (found.value, found.standard_error) == pytest.approx((expected, error))
    assert found.ci_high - found.value == pytest.approx(stats.t.ppf(0.975, 24) * error)
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(expected) / error, 24))


def test_a_wald_test_is_the_f_test_with_hotellings_degrees():
    terms = np.eye(3)[1:]
    other = sm.OLS(OUTCOME, COLUMNS).fit().f_test(terms, cov_p=FITTED.covariance)
    found = wald(FITTED, terms)
    assert found.statistic == pytest.approx(float(other.fvalue) * 23 / 24)
    assert (found.terms, found.degrees) == (2, 23)
    assert found.p_value == pytest.approx(stats.f.sf(found.statistic, 2, 23))


def test_a_wald_test_of_one_term_is_students_t():
    slope = np.array([0.0, 1, 0])
    assert wald(FITTED, slope[None]).p_value == pytest.approx(combine(FITTED, slope).p_value)


@pytest.mark.filterwarnings("ignore:The design matrix is rank-deficient")
def test_a_column_that_one_cluster_alone_has_leaves_the_others_errors_as_they_are():
    indicator = (CLUSTERS == 3) & (np.arange(SIZE) % 2 == 0)
    columns = np.column_stack([COLUMNS, indicator])
    found = fit(columns, OUTCOME, CLUSTERS, 10)
    assert combine(found, np.array([0.0, 1, 0, 0])).standard_error > 0
    # Without cluster 3 the other library sets that column's coefficient to 0, which moves no other coefficient.
    assert found.covariance[:3, :3] == pytest.approx(left_out(columns, OUTCOME, CLUSTERS)[:3, :3], rel=1e-8)


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_the_rows_does_not_matter(random, alone):
    order = list(range(SIZE))
    random.shuffle(order)
    columns = np.column_stack([COLUMNS, (CLUSTERS == 3) & (np.arange(SIZE) % 2 == 0)]) if alone else COLUMNS
    plain = fit(columns, OUTCOME, CLUSTERS, 10)
    shuffled = fit(columns[order], OUTCOME[order], CLUSTERS[order], 10)
    assert shuffled.coefficients == pytest.approx(plain.coefficients, rel=1e-9)
    assert shuffled.covariance == pytest.approx(plain.covariance, rel=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.floats(-100, 100), st.floats(0.01, 100), st.floats(0.01, 100))
def test_units_of_outcome_and_columns_do_not_matter(shift, scale, stretch):
    moved = fit(COLUMNS * [1, stretch, 1], shift + scale * OUTCOME, CLUSTERS, 10)
    plain, other = (combine(one, np.array([0.0, 1, 0])) for one in (FITTED, moved))
    assert other.value * stretch == pytest.approx(scale * plain.value)
    assert other.standard_error * stretch == pytest.approx(scale * plain.standard_error)
    assert other.p_value == pytest.approx(plain.p_value)


@pytest.mark.parametrize("number", [np.arange(25), np.arange(25) * 7 - 60])
def test_clusters_may_have_any_numbers(number):
    assert fit(COLUMNS, OUTCOME, number[CLUSTERS], 10).covariance == pytest.approx(FITTED.covariance)


def test_few_unequal_clusters_err_about_as_often_as_they_say():
    # 400 worlds: 5 % has a standard error of 1.1 points. The usual sandwich with chi-squared errs in 20 of 100.
    generator = np.random.default_rng(5)
    rejected = 0
    for _ in range(400):
        clusters = np.concatenate([np.arange(12), generator.choice(12, 108, p=np.arange(1, 13) / 78)])
        shared = generator.normal(size=(12, 2))[clusters]
        columns = np.column_stack([np.ones(120), shared + generator.normal(size=(120, 2))])
        outcome = generator.normal(size=12)[clusters] + generator.normal(size=120)
        rejected += wald(fit(columns, outcome, clusters, 10), np.eye(3)[1:]).p_value < 0.05
    assert 0.02 <= rejected / 400 <= 0.09


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "outcome", "clusters", "complaint"),
    [
        (COLUMNS[:19], OUTCOME[:19], CLUSTERS[:19], "19 accounts for a regression on 2 columns; 20 needed"),
        (np.column_stack([COLUMNS, COLUMNS[:, 1] - 3]), OUTCOME, CLUSTERS, "do not vary independently"),
        (np.column_stack([COLUMNS, np.zeros(SIZE)]), OUTCOME, CLUSTERS, "do not vary independently"),
        (COLUMNS, OUTCOME, np.zeros(SIZE, dtype=int), "all accounts lie in one cluster"),
        (COLUMNS, np.full(SIZE, 0.3), CLUSTERS, "no chance to measure it against"),
        (COLUMNS, COLUMNS @ [1.0, 2, 3], CLUSTERS, "no chance to measure it against"),
    ],
)
def test_a_regression_that_has_no_answer_is_refused(columns, outcome, clusters, complaint):
    with pytest.raises(NotEstimable, match=complaint):
        fit(columns, outcome, clusters, 10)


def test_as_many_terms_as_clusters_cannot_be_tested():
    few = fit(COLUMNS, OUTCOME, CLUSTERS % 2, 10)
    with pytest.raises(NotEstimable, match="2 clusters of accounts cannot test 2 terms at once: 3 needed"):
        wald(few, np.eye(3)[1:])


@pytest.mark.parametrize(
    "asked", [lambda one: combine(one, np.array([0.0, 1, 0])), lambda one: wald(one, np.eye(3)[1:])]
)
def test_what_one_cluster_alone_tells_has_no_error(asked):
    columns = COLUMNS * np.column_stack([np.ones(SIZE), CLUSTERS == 3, np.ones(SIZE)])
    with pytest.raises(NotEstimable, match="one cluster of accounts alone tells what is asked"):
        asked(fit(columns, OUTCOME, CLUSTERS, 10))
