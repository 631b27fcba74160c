"""The estimators: published results, an independent account of their errors, and the laws they keep."""

import math
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from transforms.contrast import estimators
from transforms.contrast.errors import ContrastError, NotEstimable
from transforms.contrast.estimators import Sample, arms, difference, effective_size, summarise

METHODS = ["unadjusted", "overlap", "ipw", "aipw", "regression"]
ADJUSTED = METHODS[1:]


@pytest.fixture(scope="module")
def cattaneo():
    """Birth weight by the mother's smoking (Cattaneo 2010): 4,642 births."""
    return pd.read_csv(Path(statsmodels.__file__).parent / "treatment" / "tests" / "results" / "cataneo2.csv")


# The models of Stata's manual ([TE] teffects): a probit, and a regression on other covariates.
TREATMENT_MODEL = ["mmarried_", "mage", "mage2", "fbaby_", "medu"]
OUTCOME_MODEL = ["prenatal1_", "mmarried_", "mage", "fbaby_"]


@pytest.mark.parametrize(
    ("method", "effect", "error", "mean_control"),
    [
        ("regression", -239.639211, 23.824021, 3403.24227),
        ("ipw", -230.688638, 25.815244, 3403.46271),
        ("aipw", -230.989201, 26.210565, 3403.35525),
    ],
)
def test_birth_weights_agree_with_stata(cattaneo, method, effect, error, mean_control):
    found = difference(
        cattaneo,
        "bweight",
        "mbsmoke_",
        TREATMENT_MODEL,
        method,
        link="probit",
        outcome_covariates=OUTCOME_MODEL,
    )
    assert found.effect == pytest.approx(effect, abs=2e-5)
    assert found.mean_control == pytest.approx(mean_control, abs=2e-5)
    # Stata's robust errors divide by n, ours by n - 1, so that one row per cluster changes nothing.
    assert found.standard_error == pytest.approx(error * math.sqrt(4642 / 4641), rel=1e-5)


def test_the_error_of_aipw_knows_that_the_propensity_was_fitted(cattaneo):
    keys = {"link": "probit", "outcome_covariates": OUTCOME_MODEL}
    found = difference(cattaneo, "bweight", "mbsmoke_", TREATMENT_MODEL, "aipw", **keys)
    assert found.standard_error == pytest.approx(26.21, abs=5e-3)


def test_weights_within_the_regressions_give_statas_ipwra(cattaneo):
    # The contrast has no such estimator: the weights are ours, the regressions are written out here.
    sample = estimators.read(
        cattaneo, "bweight", "mbsmoke_", TREATMENT_MODEL, None, "probit", outcome_covariates=OUTCOME_MODEL
    )
    columns = np.column_stack([np.ones(len(cattaneo)), cattaneo[OUTCOME_MODEL].to_numpy(dtype=float)])
    means = []
    for arm in arms(sample, "ipw"):
        root = np.sqrt(arm.weight)
        slopes = np.linalg.lstsq(columns * root[:, None], sample.outcome * root, rcond=None)[0]
        means.append(float((columns @ slopes).mean()))
    assert means[0] - means[1] == pytest.approx(-229.967, abs=5e-4)


TRAINING = ["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"]


@pytest.fixture(scope="module")
def experiment():
    """Earnings after the National Supported Work Demonstration (LaLonde 1986; Dehejia, Wahba 1999): 185 and 260."""
    from causaldata import nsw_mixtape

    return nsw_mixtape.load_pandas().data


@pytest.fixture(scope="module")
def observed(experiment):
    """The same participants beside 15,992 people of the Current Population Survey, who are nothing like them."""
    from causaldata import cps_mixtape

    return pd.concat([experiment[experiment["treat"] == 1], cps_mixtape.load_pandas().data], ignore_index=True)


def test_the_experiment_found_1794_dollars(experiment):
    found = difference(experiment, "re78", "treat", [], "unadjusted")
    assert found.effect == pytest.approx(1794.34, abs=0.005)
    assert (found.n_treated, found.n_control) == (185, 260)


def test_the_unadjusted_error_is_welchs(experiment):
    treated = experiment.loc[experiment["treat"] == 1, "re78"].astype(float)
    control = experiment.loc[experiment["treat"] == 0, "re78"].astype(float)
    welch = stats.ttest_ind(treated, control, equal_var=False)
    found = difference(experiment, "re78", "treat", [], "unadjusted")
    assert found.p_value == pytest.approx(welch.pvalue)
    assert found.degrees == pytest.approx(welch.df)
    interval = welch.confidence_interval()
    assert (found.ci_low, found.ci_high) == pytest.approx((interval.low, interval.high))


def test_against_the_survey_the_naive_difference_is_far_off(observed):
    found = difference(observed, "re78", "treat", TRAINING, "unadjusted")
    assert found.effect == pytest.approx(-8497.5, abs=0.05)
    assert found.max_smd_before > 2


def test_overlap_weights_make_the_survey_alike_in_every_mean(observed):
    found = difference(observed, "re78", "treat", TRAINING, "overlap")
    assert found.max_smd_after < 1e-9
    assert 0 < found.effect < 1794.34
    assert found.effective_n_control < 1000


# --- errors, against leaving one out ----------------------------------------------------------------------------------


def drawn(size=240, seed=3, clusters=None):
    generator = np.random.default_rng(seed)
    covariates = generator.normal(size=(size, 2))
    treated = (generator.random(size) < 1 / (1 + np.exp(-covariates[:, 0]))).astype(float)
    shared = np.zeros(size) if clusters is None else generator.normal(size=clusters.max() + 1)[clusters]
    noise = generator.normal(size=size) * (1 + 0.5 * treated)
    outcome = covariates @ [1.0, 0.5] + 0.5 * treated * covariates[:, 1] + shared + noise
    return Sample(outcome, treated, covariates, ["a", "b"], covariates, clusters)


def kept(sample, inside):
    return replace(sample.take(inside), clusters=None)


def effect(sample, method):
    treated, control = arms(sample, method)
    return treated.mean - control.mean


def jackknife(sample, method, groups):
    """Standard error from leaving out one group at a time: it knows no formula (Tukey 1958)."""
    count = groups.max() + 1
    left = np.array([effect(kept(sample, groups != group), method) for group in range(count)])
    return math.sqrt((count - 1) / count * np.sum((left - left.mean()) ** 2))


@pytest.mark.parametrize("method", METHODS)
def test_standard_errors_agree_with_leaving_one_out(method):
    sample = drawn()
    found = summarise(sample, arms(sample, method), method)
    assert found.standard_error == pytest.approx(jackknife(sample, method, np.arange(240)), rel=0.05)


@pytest.mark.parametrize("method", ADJUSTED)
def test_probit_errors_agree_with_leaving_one_out(method):
    sample = replace(drawn(), link="probit")
    found = summarise(sample, arms(sample, method), method)
    assert found.standard_error == pytest.approx(jackknife(sample, method, np.arange(240)), rel=0.05)


@pytest.mark.parametrize("method", METHODS)
def test_clustered_errors_agree_with_leaving_one_cluster_out(method):
    clusters = np.arange(240) % 60
    sample = drawn(clusters=clusters)
    found = summarise(sample, arms(sample, method), method)
    assert found.standard_error == pytest.approx(jackknife(sample, method, clusters), rel=0.06)
    assert found.n_clusters == 60


@pytest.mark.parametrize("method", METHODS)
def test_one_row_per_cluster_is_no_cluster(method):
    alone = drawn()
    each = replace(alone, clusters=np.arange(240))
    assert summarise(each, arms(each, method), method) == summarise(alone, arms(alone, method), method)


@pytest.mark.parametrize("method", METHODS)
def test_copies_of_rows_in_their_clusters_add_no_certainty(method):
    sample = drawn()
    twice = replace(
        sample,
        outcome=np.repeat(sample.outcome, 2),
        treated=np.repeat(sample.treated, 2),
        covariates=np.repeat(sample.covariates, 2, axis=0),
        outcome_covariates=np.repeat(sample.outcome_covariates, 2, axis=0),
        clusters=np.repeat(np.arange(240), 2),
    )
    once, doubled = (summarise(one, arms(one, method), method) for one in (sample, twice))
    assert doubled.effect == pytest.approx(once.effect)
    assert doubled.standard_error == pytest.approx(once.standard_error)


@pytest.mark.parametrize("method", METHODS)
def test_few_clusters_take_students_t(method):
    few = drawn(clusters=np.arange(240) % 39)
    many = drawn(clusters=np.arange(240) % 100)
    found = summarise(few, arms(few, method), method)
    assert found.degrees == 38
    assert found.ci_high - found.effect == pytest.approx(stats.t.ppf(0.975, 38) * found.standard_error)
    assert summarise(many, arms(many, method), method).degrees == math.inf


@pytest.mark.parametrize(("arm", "value"), [("treated", 1), ("control", 0)])
def test_an_arm_in_one_cluster_has_no_error(arm, value):
    sample = drawn()
    clusters = np.where(sample.treated == value, 0, np.arange(240) + 1)
    sample = replace(sample, clusters=np.unique(clusters, return_inverse=True)[1])
    with pytest.raises(NotEstimable, match=f"{arm} arm lie in one cluster"):
        summarise(sample, arms(sample, "overlap"), "overlap")


# --- laws -------------------------------------------------------------------------------------------------------------


def frame_of(sample):
    return pd.DataFrame(
        {
            "y": sample.outcome,
            "t": sample.treated,
            "a": sample.covariates[:, 0],
            "b": sample.covariates[:, 1],
            "manager": [f"m{i % 50}" for i in range(len(sample.outcome))],
        }
    )


FRAME = frame_of(drawn())


def numbers(estimate):
    return np.array(list(asdict(estimate).values()), dtype=float)


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from(METHODS), st.none() | st.just("manager"))
def test_the_order_of_the_rows_does_not_matter(random, method, cluster):
    order = list(range(len(FRAME)))
    random.shuffle(order)
    shuffled = difference(FRAME.iloc[order], "y", "t", ["a", "b"], method, cluster)
    assert numbers(shuffled) == pytest.approx(
        numbers(difference(FRAME, "y", "t", ["a", "b"], method, cluster)), abs=1e-9
    )


@settings(max_examples=15, deadline=None)
@given(st.floats(-100, 100), st.floats(0.01, 100), st.sampled_from(METHODS))
def test_the_difference_moves_with_the_unit_of_the_outcome_alone(shift, scale, method):
    plain = difference(FRAME, "y", "t", ["a", "b"], method)
    moved = difference(FRAME.assign(y=shift + scale * FRAME["y"]), "y", "t", ["a", "b"], method)
    assert moved.effect == pytest.approx(scale * plain.effect, rel=1e-6)
    assert moved.standard_error == pytest.approx(scale * plain.standard_error, rel=1e-6)
    assert moved.p_value == pytest.approx(plain.p_value, rel=1e-5)


@settings(max_examples=15, deadline=None)
@given(st.floats(-100, 100), st.floats(0.01, 100), st.sampled_from(ADJUSTED))
def test_the_unit_of_a_covariate_does_not_matter(shift, scale, method):
    plain = difference(FRAME, "y", "t", ["a", "b"], method)
    moved = difference(FRAME.assign(a=shift + scale * FRAME["a"]), "y", "t", ["a", "b"], method)
    assert (moved.effect, moved.standard_error) == pytest.approx((plain.effect, plain.standard_error), rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_the_sign_turns_with_the_arms(method):
    forth = difference(FRAME, "y", "t", ["a", "b"], method)
    back = difference(FRAME.assign(t=1 - FRAME["t"]), "y", "t", ["a", "b"], method)
    assert back.effect == pytest.approx(-forth.effect)
    assert back.standard_error == pytest.approx(forth.standard_error)
    assert (back.n_treated, back.n_control) == (forth.n_control, forth.n_treated)


@pytest.mark.parametrize("method", ["aipw", "regression"])
def test_an_outcome_that_is_linear_in_the_covariates_leaves_its_effect_exactly(method):
    exact = FRAME.assign(y=2 + 3 * FRAME["a"] - FRAME["b"] + 0.7 * FRAME["t"])
    assert difference(exact, "y", "t", ["a", "b"], method).effect == pytest.approx(0.7, abs=1e-9)


def test_overlap_weights_take_out_all_that_is_linear_in_the_covariates():
    exact = FRAME.assign(y=2 + 3 * FRAME["a"] - FRAME["b"] + 0.7 * FRAME["t"])
    assert difference(exact, "y", "t", ["a", "b"], "overlap").effect == pytest.approx(0.7, abs=1e-9)
    assert difference(exact, "y", "t", ["a", "b"], "unadjusted").effect > 1


def test_overlap_and_regression_balance_exactly_and_inverse_weights_only_about():
    after = {method: difference(FRAME, "y", "t", ["a", "b"], method).max_smd_after for method in METHODS}
    assert after["overlap"] < 1e-9
    assert after["regression"] < 1e-9
    assert 1e-6 < after["ipw"] == after["aipw"]
    assert after["unadjusted"] == difference(FRAME, "y", "t", ["a", "b"], "ipw").max_smd_before


def test_overlap_weights_that_did_not_balance_are_refused(monkeypatch):
    monkeypatch.setattr(estimators, "EXACT", 0.0)
    with pytest.raises(NotEstimable, match="too little overlap to fit"):
        difference(FRAME, "y", "t", ["a", "b"], "overlap")


@pytest.mark.parametrize("method", ["overlap", "ipw"])
def test_without_covariates_every_weight_is_the_same(method):
    plain = difference(FRAME, "y", "t", [], "unadjusted")
    weighted = difference(FRAME, "y", "t", [], method)
    assert weighted.effect == pytest.approx(plain.effect)
    assert weighted.effective_n_treated == pytest.approx(plain.n_treated)
    assert weighted.max_smd_before == weighted.max_smd_after == 0


def test_the_effective_size_is_kishs():
    assert effective_size(np.array([1.0, 1, 1, 0])) == 3
    assert effective_size(np.array([3.0, 1])) == pytest.approx(1.6)


def test_categories_and_missing_values_enter_by_the_design():
    frame = FRAME.assign(c=np.where(FRAME["a"] > 0, "north", "south"), d=FRAME["b"].where(FRAME.index % 7 > 0))
    by_hand = frame.assign(
        south=(frame["c"] == "south").astype(float),
        filled=frame["d"].fillna(frame["d"].median()),
        unknown=frame["d"].isna().astype(float),
    )
    found = difference(frame, "y", "t", ["c", "d"])
    expected = difference(by_hand, "y", "t", ["south", "filled", "unknown"])
    assert numbers(found) == pytest.approx(numbers(expected), abs=1e-9)


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"t": 2}, "must hold 0 and 1 only"),
        ({"y": None}, "column 'y' has no number in 240 of 240 rows"),
        ({"y": "much"}, "column 'y' holds something that is no number"),
        ({"manager": None}, "column 'manager' is missing in 240 rows"),
    ],
)
def test_columns_that_cannot_be_read_are_named(change, complaint):
    with pytest.raises(ContrastError, match=complaint):
        difference(FRAME.assign(**change), "y", "t", ["a"], cluster="manager")


def test_an_absent_column_is_named():
    with pytest.raises(ContrastError, match="no column 'c', 'z'"):
        difference(FRAME, "z", "t", ["a", "c"])


def test_an_unknown_method_is_refused_with_the_known_ones():
    with pytest.raises(
        ContrastError, match="no method 'matching': use one of unadjusted, overlap, ipw, aipw, regression"
    ):
        difference(FRAME, "y", "t", ["a"], "matching")


@pytest.mark.parametrize("method", METHODS)
def test_an_arm_of_one_row_is_refused(method):
    frame = FRAME.assign(t=(FRAME.index == 0).astype(int))
    with pytest.raises(NotEstimable, match="the treated arm has 1 rows; 2 needed"):
        difference(frame, "y", "t", ["a"], method)


@pytest.mark.parametrize("method", ["overlap", "ipw", "aipw"])
def test_arms_that_do_not_overlap_are_refused(method):
    frame = FRAME.assign(a=FRAME["a"] + 100 * FRAME["t"])
    with pytest.raises(NotEstimable, match="foremost a"):
        difference(frame, "y", "t", ["a", "b"], method)


@pytest.mark.parametrize("method", ["aipw", "regression"])
def test_a_regression_without_one_answer_is_refused(method):
    # b varies among the treated alone, and yet does not tell the arms apart.
    frame = FRAME.assign(b=FRAME["b"].where(FRAME["t"] == 1, 0.0))
    with pytest.raises(NotEstimable, match="its regression has no one answer"):
        difference(frame, "y", "t", ["a", "b"], method)
