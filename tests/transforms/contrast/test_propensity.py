"""The propensity: the same fit as statsmodels', and no fit where none exists."""

import numpy as np
import pytest
import statsmodels.api as sm

from transforms.contrast import propensity
from transforms.contrast.errors import NotEstimable


def drawn(size=400, seed=5):
    generator = np.random.default_rng(seed)
    covariates = generator.normal(size=(size, 3)) * [1, 10, 0.01] + [0, 100, 5]
    predictor = covariates @ [0.8, -0.05, 30] + 5 - 150
    return (generator.random(size) < 1 / (1 + np.exp(-predictor))).astype(float), covariates


@pytest.mark.parametrize(("link", "model"), [("logit", sm.Logit), ("probit", sm.Probit)])
def test_scores_are_those_of_maximum_likelihood(link, model):
    treated, covariates = drawn()
    reference = model(treated, sm.add_constant(covariates)).fit(disp=0, method="newton")
    fitted = propensity.fit(treated, covariates, ["a", "b", "c"], link)
    assert fitted.scores == pytest.approx(reference.predict(), abs=1e-7)
    assert fitted.others == pytest.approx(1 - reference.predict(), abs=1e-7)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_influences_add_up_to_nothing(link):
    treated, covariates = drawn()
    fitted = propensity.fit(treated, covariates, ["a", "b", "c"], link)
    assert fitted.influence.mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-8)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_the_slope_is_the_derivative_of_the_score(link):
    predictor = np.linspace(-4, 4, 41)
    step = 1e-6
    above, _ = propensity._probability(predictor + step, link)
    below, _ = propensity._probability(predictor - step, link)
    assert propensity._probability(predictor, link)[1] == pytest.approx((above - below) / (2 * step), abs=1e-8)


def test_a_covariate_that_tells_the_arms_apart_is_named():
    treated, covariates = drawn()
    covariates[:, 1] = treated * 3 + np.linspace(0, 1, len(treated))
    with pytest.raises(NotEstimable, match=r"tell the two groups apart completely \(foremost seats\)"):
        propensity.fit(treated, covariates, ["log_mrr", "seats", "tenure"])


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_an_indicator_of_one_arm_alone_separates_too(link):
    treated, covariates = drawn()
    covariates[:, 2] = (treated > 0) & (np.arange(len(treated)) % 9 == 0)
    with pytest.raises(NotEstimable, match="foremost c"):
        propensity.fit(treated, covariates, ["a", "b", "c"], link)


def test_without_covariates_everybody_has_the_share_of_the_treated():
    treated = np.array([1.0, 0, 0, 1, 0])
    fitted = propensity.fit(treated, np.empty((5, 0)), [])
    assert fitted.scores == pytest.approx(np.full(5, 0.4))
