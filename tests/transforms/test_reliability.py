"""Reliability against what is known: simulated scores of a true reliability, textbook formulas, and statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from transforms.reliability import (
    consistency,
    omega,
    principal_axis,
    spearman_brown,
    split_half,
    standardised_alpha,
)


def one_factor(loadings: list[float], accounts: int, seed: int = 1) -> pd.DataFrame:
    """Indicators of one true score, each with its loading and the rest of its variance its own."""
    draw = np.random.default_rng(seed)
    truth = draw.standard_normal((accounts, 1))
    load = np.array(loadings)
    return pd.DataFrame(truth * load + draw.standard_normal((accounts, len(load))) * np.sqrt(1 - load**2)).rename(
        columns=str
    )


def test_spearman_brown_of_halves_that_correlate_one_half_is_two_thirds() -> None:
    assert spearman_brown(0.5) == pytest.approx(2 / 3)
    assert spearman_brown(1.0) == 1.0
    assert spearman_brown(-0.2) == -0.2


@pytest.mark.parametrize("reliability", [0.4, 0.6, 0.88])
def test_the_halves_give_back_a_known_reliability_and_their_interval_covers_it(reliability: float) -> None:
    """True score variance 1; the whole's error variance is such that its reliability is known, a half's is twice that."""
    error = (1 - reliability) / reliability
    draw = np.random.default_rng(7)
    covered, values = 0, []
    for _ in range(200):
        truth = draw.standard_normal(400)
        odd, even = (pd.Series(truth + draw.normal(0, np.sqrt(2 * error), 400)) for _ in range(2))
        found = split_half("partnership", odd, even)
        values.append(found.value)
        covered += found.ci_low <= reliability <= found.ci_high
    assert np.mean(values) == pytest.approx(reliability, abs=0.01)
    assert 0.91 <= covered / 200 <= 0.985


def test_alpha_of_standardised_indicators_is_cronbachs_formula() -> None:
    items = one_factor([0.7, 0.6, 0.5, 0.8], 500)
    z = (items - items.mean()) / items.std(ddof=1)
    count = z.shape[1]
    textbook = count / (count - 1) * (1 - z.var(ddof=1).sum() / z.sum(axis=1).var(ddof=1))
    alpha, _ = consistency("partnership", items)
    assert alpha.value == pytest.approx(textbook)
    assert (alpha.statistic, alpha.accounts, alpha.items, alpha.reason) == ("cronbach_alpha", 500, 4, None)


def test_omega_of_equal_loadings_is_alpha_and_of_unequal_ones_is_more() -> None:
    """Four items that all correlate .36 have loadings of .6; and (sum l)^2 / ((sum l)^2 + sum(1 - l^2)) is known."""
    equal = np.full((4, 4), 0.36) + np.eye(4) * 0.64
    assert principal_axis(equal) == pytest.approx(np.full(4, 0.6))
    assert omega(equal) == pytest.approx(standardised_alpha(equal)) == pytest.approx(4 * 0.36 / (1 + 3 * 0.36))
    loadings = np.array([0.9, 0.8, 0.4, 0.3])
    unequal = np.outer(loadings, loadings)
    np.fill_diagonal(unequal, 1)
    known = loadings.sum() ** 2 / (loadings.sum() ** 2 + (1 - loadings**2).sum())
    assert omega(unequal) == pytest.approx(known, abs=1e-6)
    assert omega(unequal) > standardised_alpha(unequal)


def test_the_one_factor_is_that_of_statsmodels() -> None:
    from statsmodels.multivariate.factor import Factor

    items = one_factor([0.8, 0.7, 0.6, 0.5, 0.4], 800, seed=3)
    theirs = Factor(items, n_factor=1, method="pa", smc=True).fit(maxiter=500, tol=1e-10).loadings[:, 0]
    ours = principal_axis(items.corr().to_numpy())
    np.testing.assert_allclose(ours, np.abs(theirs), atol=1e-4)


def test_alpha_and_omega_recover_a_known_reliability() -> None:
    """Of the mean of seven indicators with loading .6: 7 * .36 / (1 + 6 * .36) = .7975."""
    found = {each.statistic: each.value for each in consistency("partnership", one_factor([0.6] * 7, 4000))}
    assert found["cronbach_alpha"] == pytest.approx(0.7975, abs=0.015)
    assert found["omega"] == pytest.approx(0.7975, abs=0.015)


def test_pairs_are_taken_over_the_accounts_that_have_both() -> None:
    items = one_factor([0.8, 0.8, 0.8], 400)
    holes = items.copy()
    holes.loc[holes.index % 3 == 0, "2"] = np.nan
    whole, partly = (consistency("cost_focus", each)[0] for each in (items, holes))
    assert partly.value == pytest.approx(whole.value, abs=0.03)
    assert (partly.accounts, partly.items) == (400, 3)


def test_too_few_accounts_or_indicators_give_no_number_but_a_reason() -> None:
    few = split_half("partnership", pd.Series(range(29)), pd.Series(range(29)))
    assert np.isnan(few.value)
    assert few.reason == "29 accounts, 2 halves: too few to tell"
    alone = consistency("cost_focus", one_factor([0.8], 100))
    assert [each.reason for each in alone] == ["0 accounts, 1 indicators: too few to tell"] * 2
    nothing = consistency("cost_focus", pd.DataFrame())
    assert [each.items for each in nothing] == [0, 0]


def test_an_indicator_without_any_spread_or_with_few_accounts_is_left_out() -> None:
    items = one_factor([0.7, 0.7, 0.7], 200).assign(still=1.0)
    items["rare"] = items["0"].where(items.index < 20)
    assert consistency("partnership", items)[0].items == 3
