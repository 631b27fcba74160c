"""For whom: the interaction of the axes and the effects by segment, against another library and planted truth."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from transforms.contrast.errors import ContrastError, NotEstimable
from transforms.contrast.estimators import difference
from transforms.contrast.meta_analysis import heterogeneity, shrink
from transforms.contrast.moderation import SEGMENTS, by_segment, interaction
from transforms.contrast.protocol import Protocol

PROTOCOL = Protocol.load()
GATES, THRESHOLDS = PROTOCOL.gates, PROTOCOL.thresholds


# --- by cost focus ----------------------------------------------------------------------------------------------------


def axes(generator, together=0.0, bend=0.0, size=300, managers=60):
    """Axes that correlate by -0.5; value rises with partnership, more so at high cost focus by `together`."""
    partnership, cost_focus = stats.norm.cdf(generator.multivariate_normal([0, 0], [[1, -0.5], [-0.5, 1]], size)).T
    covariates = generator.normal(size=(size, 2)) * [1, 30] + [8, 100]
    clusters = generator.integers(managers, size=size)
    noise = 0.05 * generator.normal(size=managers)[clusters] + generator.normal(0, 0.15, size)
    value = 0.1 * covariates[:, 0] + 0.2 * partnership + together * partnership * cost_focus
    return value + bend * (partnership - 0.5) ** 2 + noise, partnership, cost_focus, covariates, clusters


SAMPLE = axes(np.random.default_rng(1), together=0.5)


def found(sample):
    return interaction(*sample, THRESHOLDS, GATES.accounts_per_column)


def test_the_steps_are_predicted_differences_of_a_regression_with_product_and_squares():
    outcome, partnership, cost_focus, covariates, _ = SAMPLE
    frame = pd.DataFrame(
        {"y": outcome, "p": partnership, "c": cost_focus, "a": covariates[:, 0], "b": covariates[:, 1]}
    )
    fitted = smf.ols("y ~ p * c + I(p**2) + I(c**2) + a + b", frame).fit()

    def predicted(p, c):
        return fitted.predict(frame.assign(p=p, c=c)).mean()

    result = found(SAMPLE)
    assert result.at_low.value == pytest.approx(predicted(0.6, 0.4) - predicted(0.4, 0.4))
    assert result.at_high.value == pytest.approx(predicted(0.6, 0.6) - predicted(0.4, 0.6))
    assert result.change.value == pytest.approx(fitted.params["p:c"] * 0.2 * 0.2)
    assert (result.n, result.n_clusters) == (300, 60)


def test_with_a_cluster_per_row_the_errors_are_hc3():
    outcome, partnership, cost_focus, covariates, _ = SAMPLE
    frame = pd.DataFrame(
        {"y": outcome, "p": partnership, "c": cost_focus, "a": covariates[:, 0], "b": covariates[:, 1]}
    )
    fitted = smf.ols("y ~ p * c + I(p**2) + I(c**2) + a + b", frame).fit(cov_type="HC3")
    result = found((*SAMPLE[:4], np.arange(300)))
    assert result.change.standard_error == pytest.approx(fitted.bse["p:c"] * 0.04 * np.sqrt(299 / 300), rel=1e-8)


def test_a_planted_interaction_is_found_and_covered():
    results = [found(axes(generator, together=0.5)) for generator in map(np.random.default_rng, range(100))]
    assert np.mean([one.change.value for one in results]) == pytest.approx(0.5 * 0.04, abs=0.002)
    assert 0.89 <= np.mean([one.change.ci_low <= 0.02 <= one.change.ci_high for one in results]) <= 0.99
    # At partnership 0.4 to 0.6: (0.2 + 0.5 * cost focus) * 0.2.
    assert np.mean([one.at_low.value for one in results]) == pytest.approx(0.08, abs=0.004)
    assert np.mean([one.at_high.value for one in results]) == pytest.approx(0.10, abs=0.004)


def test_a_bend_along_partnership_does_not_pass_for_an_interaction():
    # 200 worlds: 5 % has a standard error of 1.5 points. Without the squares it does in 49 of 100.
    generator = np.random.default_rng(3)
    rejected = [found(axes(generator, bend=0.5)).change.p_value < 0.05 for _ in range(200)]
    assert 0.01 <= np.mean(rejected) <= 0.1


def test_the_interaction_is_the_same_whichever_axis_is_called_the_first():
    outcome, partnership, cost_focus, covariates, clusters = SAMPLE
    forth, back = found(SAMPLE), found((outcome, cost_focus, partnership, covariates, clusters))
    assert back.change.value == pytest.approx(forth.change.value)
    assert back.change.p_value == pytest.approx(forth.change.p_value)


@settings(max_examples=10)
@given(st.randoms(use_true_random=False), st.floats(-100, 100), st.floats(0.01, 100))
def test_neither_the_order_of_the_rows_nor_the_outcomes_unit_matters(random, shift, scale):
    order = list(range(300))
    random.shuffle(order)
    outcome, *others = (part[order] for part in SAMPLE)
    moved, plain = found((shift + scale * outcome, *others)).change, found(SAMPLE).change
    assert (moved.value, moved.standard_error) == pytest.approx(
        (scale * plain.value, scale * plain.standard_error), rel=1e-6
    )


def test_accounts_too_few_for_both_axes_are_refused():
    with pytest.raises(NotEstimable, match="69 accounts for a regression on 7 columns; 70 needed"):
        found(tuple(part[:69] for part in SAMPLE))


def test_axes_that_are_one_have_no_interaction():
    outcome, partnership, _, covariates, clusters = SAMPLE
    with pytest.raises(NotEstimable, match="do not vary independently"):
        found((outcome, partnership, 1 - partnership, covariates, clusters))


# --- by segment -------------------------------------------------------------------------------------------------------


def accounts(generator, effects, size=200, managers=60):
    """`size` accounts in each segment, named A, B, ...; `effects` is what partnership adds in each."""
    segment = np.repeat(np.arange(len(effects)), size)
    log_mrr = generator.normal(8 + segment / 2, 1)
    treated = generator.random(len(segment)) < 1 / (1 + np.exp(-(log_mrr - 8 - segment / 2)))
    manager = generator.integers(managers, size=len(segment))
    noise = 0.2 * generator.normal(size=managers)[manager] + generator.normal(size=len(segment))
    return pd.DataFrame(
        {
            "segment": np.array(list("ABCDEFGHIJ"))[segment],
            "log_mrr": log_mrr,
            "seats": np.exp(log_mrr / 3) + generator.normal(size=len(segment)),
            "region": generator.choice(["north", "south"], len(segment)),
            "partner": treated,
            "value": 0.7 * log_mrr + np.array(effects)[segment] * treated + noise,
            "manager": [f"m{number}" for number in manager],
        }
    )


COVARIATES = ["segment", "log_mrr", "seats", "region", "product"]
FRAME = accounts(np.random.default_rng(2), [0.0, 0.5, 1.0])


def segments(frame, outcome="value", segment="segment"):
    return by_segment(frame, outcome, "partner", COVARIATES, segment, "manager", GATES)


def test_each_segment_has_the_overlap_weighted_difference_of_its_own_accounts():
    rows = segments(FRAME).rows.set_index("segment")
    for label, part in FRAME.groupby("segment"):
        expected = difference(part, "value", "partner", ["log_mrr", "seats", "region"], "overlap", "manager")
        own = rows.loc[label]
        assert (own["effect"], own["ci_low"], own["ci_high"]) == pytest.approx(
            (expected.effect, expected.ci_low, expected.ci_high)
        )
        assert (own["n_treated"], own["n_control"]) == (expected.n_treated, expected.n_control)
        assert own["effective_n_control"] == pytest.approx(expected.effective_n_control)
        assert (own["adjusted_for"], own["reason"]) == ("log_mrr, seats, region", "")


def test_segments_learn_from_each_other_by_meta_analysis():
    result = segments(FRAME)
    rows = result.rows
    effects = rows["effect"].to_numpy()
    errors = (rows["ci_high"] - rows["ci_low"]).to_numpy() / (2 * stats.norm.ppf(0.975))
    learnt = shrink(effects, errors)
    assert rows["shrunk"].to_numpy() == pytest.approx(learnt.effect)
    assert rows["shrunk_low"].to_numpy() == pytest.approx(learnt.ci_low)
    assert rows["shrunk_high"].to_numpy() == pytest.approx(learnt.ci_high)
    assert rows["below_zero"].to_numpy() == pytest.approx(learnt.below_zero)
    assert result.heterogeneity == heterogeneity(effects, errors)


def test_planted_heterogeneity_is_found_and_its_segments_told_apart():
    result = segments(accounts(np.random.default_rng(4), [-1.0, -1.0, 0.5, 1.0, 1.0]))
    assert result.heterogeneity.p_value < 0.001
    assert result.heterogeneity.tau > 0.5
    assert (result.rows["below_zero"] > 0.95).tolist() == [True, True, False, False, False]


def test_where_all_segments_have_one_effect_they_are_drawn_to_it():
    found_q, ours, alone = [], [], []
    for seed in range(12):
        result = segments(accounts(np.random.default_rng(seed), [0.4] * 6, size=160))
        found_q.append(result.heterogeneity.p_value < 0.05)
        ours.append(np.square(result.rows["shrunk"] - 0.4).mean())
        alone.append(np.square(result.rows["effect"] - 0.4).mean())
    assert np.mean(found_q) < 0.3
    assert np.mean(ours) < 0.5 * np.mean(alone)


def test_a_segment_with_few_accounts_says_so_and_is_not_pooled():
    few = pd.concat([FRAME, FRAME[:50].assign(segment="few")])
    result = segments(few)
    row = result.rows.set_index("segment").loc["few"]
    treated, control = int(FRAME["partner"][:50].sum()), int((~FRAME["partner"][:50]).sum())
    assert max(treated, control) < 30
    assert (
        row["reason"]
        == f"{treated} accounts in the treated arm and {control} accounts in the control arm; 30 needed in each"
    )
    assert row[["effect", "ci_low", "shrunk", "below_zero"]].isna().all()
    assert row["n_treated"] + row["n_control"] == 50
    assert result.heterogeneity == segments(FRAME).heterogeneity


def test_accounts_without_a_segment_are_counted_and_not_compared():
    unknown = FRAME.assign(segment=FRAME["segment"].where(FRAME["segment"] != "B", None))
    row = segments(unknown).rows.set_index("segment").loc["not recorded"]
    assert row["reason"] == "the segment is not recorded"
    assert row["n_treated"] + row["n_control"] == 200


def test_an_account_without_counterpart_is_left_out_and_counted():
    # Region decides in segment A: there the east has partners only.
    east = FRAME["partner"] & (FRAME["segment"] == "A") & (FRAME.index % 10 == 0)
    rows = segments(FRAME.assign(region=FRAME["region"].mask(east, "east"))).rows.set_index("segment")
    own = rows.loc["A"]
    assert own["without_counterpart"] == east.sum() > 0
    assert own["n_treated"] + own["n_control"] + own["without_counterpart"] == 200
    without = difference(
        FRAME[(FRAME["segment"] == "A") & ~east],
        "value",
        "partner",
        ["log_mrr", "seats", "region"],
        "overlap",
        "manager",
    )
    assert own["effect"] == pytest.approx(without.effect)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"value": 0.3}, "the outcome does not vary within the arms"),
        ({"log_mrr": None, "seats": None, "region": None}, "no covariate is recorded"),
        ({"log_mrr": FRAME["log_mrr"] + 50 * FRAME["partner"]}, "tell the two groups apart"),
        (
            {"log_mrr": FRAME["log_mrr"] + 2 * FRAME["partner"], "seats": None},
            "effective accounts in the (?:treated|control) arm; 30 needed",
        ),
        ({"manager": "one"}, "lie in one cluster"),
        ({"seats": FRAME["region"] + (FRAME.index % 12).astype(str)}, "accounts in the smaller arm allow"),
    ],
)
def test_where_no_segment_can_be_estimated_each_says_why_and_nothing_is_pooled(change, reason):
    result = segments(FRAME.assign(**change))
    assert result.heterogeneity is None
    assert result.rows["reason"].str.contains(reason).all()
    assert result.rows["effect"].isna().all()


def test_one_segment_has_nobody_to_learn_from():
    result = segments(FRAME[FRAME["segment"] == "A"])
    assert result.heterogeneity is None
    assert result.rows["effect"].notna().all()
    assert result.rows["shrunk"].isna().all()


def test_any_categories_do_and_the_columns_keep_their_types():
    by_band = segments(
        FRAME.assign(band=pd.cut(FRAME["log_mrr"], [0, 8, 20], labels=["small", "large"])), segment="band"
    )
    assert by_band.rows["segment"].tolist() == ["large", "small"]
    assert {name: str(kind) for name, kind in by_band.rows.dtypes.items()} == SEGMENTS
    assert "segment" in by_band.rows["adjusted_for"].iloc[0]


@settings(max_examples=5)
@given(st.randoms(use_true_random=False), st.floats(-100, 100), st.floats(0.01, 100))
def test_segments_do_not_depend_on_the_order_of_the_rows_nor_on_the_outcomes_unit(random, shift, scale):
    order = list(range(len(FRAME)))
    random.shuffle(order)
    plain, moved = segments(FRAME), segments(FRAME.assign(value=shift + scale * FRAME["value"]).iloc[order])
    scaled = ["effect", "ci_low", "ci_high", "shrunk", "shrunk_low", "shrunk_high"]
    assert moved.rows[scaled].to_numpy() == pytest.approx(scale * plain.rows[scaled].to_numpy(), rel=1e-5)
    assert moved.rows["below_zero"].to_numpy() == pytest.approx(plain.rows["below_zero"].to_numpy(), rel=1e-5, abs=1e-9)


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        (FRAME.drop(columns="segment"), "no column 'segment'"),
        (FRAME.drop(columns="value"), "no column 'value'"),
        (FRAME.assign(value=FRAME["value"].where(FRAME.index > 0)), "column 'value' has no number in 1 of 600 rows"),
        (FRAME.assign(partner=2), "must hold 0 and 1 only"),
    ],
)
def test_columns_that_cannot_be_read_are_named(frame, complaint):
    with pytest.raises(ContrastError, match=complaint):
        segments(frame)
