"""For whom partnership goes with more: by the other axis of style, and by kind of account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from transforms.contrast import estimators
from transforms.contrast.comparable import Labels, comparable, require_effective
from transforms.contrast.design import NOT_RECORDED, Design
from transforms.contrast.errors import ContrastError, NotEstimable
from transforms.contrast.estimators import Estimate, Sample
from transforms.contrast.meta_analysis import Heterogeneity, heterogeneity, shrink
from transforms.contrast.protocol import Gates, Thresholds
from transforms.contrast.regression import Combination, combine, fit

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Row = dict[str, Any]

TEXT, COUNT, NUMBER = "str", "Int64", "float64"
SEGMENTS = {
    "segment": TEXT,
    "n_treated": COUNT,
    "n_control": COUNT,
    "without_counterpart": COUNT,
    "effective_n_treated": NUMBER,
    "effective_n_control": NUMBER,
    "effect": NUMBER,
    "ci_low": NUMBER,
    "ci_high": NUMBER,
    "shrunk": NUMBER,
    "shrunk_low": NUMBER,
    "shrunk_high": NUMBER,
    "below_zero": NUMBER,
    "adjusted_for": TEXT,
    "reason": TEXT,
}


@dataclass(frozen=True)
class Interaction:
    """What the step from low to high partnership goes with, by cost focus; in the outcome's unit.

    Attributes:
        at_low: the step among accounts of low cost focus.
        at_high: the step among accounts of high cost focus.
        change: at_high - at_low, which is the interaction.
        n: accounts.
        n_clusters: clusters of accounts that share a manager or a parent.
    """

    at_low: Combination
    at_high: Combination
    change: Combination
    n: int
    n_clusters: int


@dataclass(frozen=True)
class Segments:
    """Effects by segment.

    Attributes:
        rows: a row per segment, sorted: segment; n_treated and n_control (compared; all of the segment, where nothing
            could be estimated), without_counterpart (left out: of a kind that the other group has none of), effective
            sizes; effect, ci_low and ci_high of the segment alone; shrunk, shrunk_low, shrunk_high and below_zero (see
            `transforms.contrast.meta_analysis.Shrunk`); adjusted_for (covariates, by comma); reason (why there is no
            estimate, else "").
        heterogeneity: None where fewer than two segments could be estimated; nothing is shrunk then.
    """

    rows: pd.DataFrame
    heterogeneity: Heterogeneity | None


# --- by cost focus ----------------------------------------------------------------------------------------------------


def interaction(
    outcome: Floats,
    partnership: Floats,
    cost_focus: Floats,
    covariates: Floats,
    clusters: Codes,
    thresholds: Thresholds,
    accounts_per_column: int,
) -> Interaction:
    """Regress the outcome on both axes, their product, their squares and the covariates.

    The squares are there because the axes go together, and a bend along one of them would pass for an interaction
    (Ganzach 1997, Psychological Methods 2:235): where the axes correlate by -0.4, a moderate bend alone does so in 31
    of 100 worlds without the squares, and in 5 with them.

    Args:
        outcome: length n.
        partnership, cost_focus: 0-1, length n.
        covariates: the design, n x p, without intercept.
        clusters: a number per row, length n; rows with the same number are not independent.
        thresholds: low and high, of both axes.
        accounts_per_column: rows needed for each column of the regression but the intercept.

    Raises:
        NotEstimable: the regression cannot be fitted (see `transforms.contrast.regression.fit`).
    """
    middle, focus_middle = float(partnership.mean()), float(cost_focus.mean())
    style, focus = partnership - middle, cost_focus - focus_middle
    centred = covariates - covariates.mean(axis=0)
    columns = np.column_stack([np.ones(len(outcome)), style, style**2, style * focus, focus, focus**2, centred])
    fitted = fit(columns, outcome, clusters, accounts_per_column)

    def step(at_focus: float) -> Floats:
        low, high = thresholds.low - middle, thresholds.high - middle
        weights = np.zeros(columns.shape[1])
        weights[1:4] = high - low, high**2 - low**2, (high - low) * (at_focus - focus_middle)
        return weights

    at_low, at_high = step(thresholds.low), step(thresholds.high)
    return Interaction(
        at_low=combine(fitted, at_low),
        at_high=combine(fitted, at_high),
        change=combine(fitted, at_high - at_low),
        n=fitted.n,
        n_clusters=fitted.n_clusters,
    )


# --- by segment -------------------------------------------------------------------------------------------------------


def by_segment(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    covariates: Sequence[str],
    segment: str,
    cluster: str | None,
    gates: Gates,
    labels: Labels = ("treated", "control"),
) -> Segments:
    """The overlap-weighted difference in each segment, alone and after learning from the other segments.

    Each segment has its own propensity and passes the gates of the whole contrast: covariates are given up from the end
    of the list where accounts are few, and accounts without a counterpart in the other group are left out. Segments
    count as independent: where a manager serves several, they differ more surely than is said here.

    Args:
        frame: one row per account.
        outcome: a numeric column.
        treatment: a column of 0 and 1, or of booleans.
        covariates: in the order in which they are given up, from the end; an absent column drops out.
        segment: a column of categories; accounts without one are counted in a row of their own, and not compared.
        cluster: a column; its rows with the same value are not independent.
        labels: what the two groups are called in a reason.

    Raises:
        ContrastError: a column is absent, or outcome, treatment or cluster has missing values or is no number.
    """
    if segment not in frame:
        raise ContrastError(f"the frame has no column {segment!r}")
    whole = estimators.read(frame, outcome, treatment, (), cluster)
    levels = frame[segment].astype(object).where(frame[segment].notna(), NOT_RECORDED).astype(str).to_numpy()
    rows = [_row(str(each), frame, whole, levels == each, covariates, gates, labels) for each in np.unique(levels)]
    table = pd.DataFrame(rows).reindex(columns=list(SEGMENTS)).astype(SEGMENTS)
    known = table["effect"].notna().to_numpy()
    if known.sum() < 2:
        return Segments(table, None)
    effects, low, high = table.loc[known, ["effect", "ci_low", "ci_high"]].to_numpy(dtype=float).T
    # By the interval: a segment whose interval is wide for want of clusters must not count for more than it says.
    errors = (high - low) / (2 * float(stats.norm.ppf(0.975)))
    learnt = shrink(effects, errors)
    table.loc[known, ["shrunk", "shrunk_low", "shrunk_high", "below_zero"]] = np.column_stack(
        [learnt.effect, learnt.ci_low, learnt.ci_high, learnt.below_zero]
    )
    return Segments(table, heterogeneity(effects, errors))


def _row(
    label: str,
    frame: pd.DataFrame,
    whole: Sample,
    inside: NDArray[np.bool_],
    covariates: Sequence[str],
    gates: Gates,
    labels: Labels,
) -> Row:
    treated = whole.treated[inside]
    sizes = {"segment": label, "n_treated": int(treated.sum()), "n_control": int((1 - treated).sum())}
    if label == NOT_RECORDED:
        return {**sizes, "reason": "the segment is not recorded"}
    try:
        design, kept, outside = comparable(frame[inside], treated, covariates, None, gates, labels)
        compared = np.flatnonzero(inside)[~outside]
        found = _overlap(whole, compared, design.only(kept), gates, labels)
    except NotEstimable as refusal:
        return {**sizes, "reason": str(refusal)}
    return {
        **{name: value for name, value in asdict(found).items() if name in SEGMENTS},
        "segment": label,
        "without_counterpart": int(outside.sum()),
        "adjusted_for": ", ".join(kept),
        "reason": "",
    }


def _overlap(whole: Sample, compared: Codes, design: Design, gates: Gates, labels: Labels) -> Estimate:
    sample = Sample(
        outcome=whole.outcome[compared],
        treated=whole.treated[compared],
        covariates=design.values,
        names=design.names,
        outcome_covariates=design.values,
        clusters=None if whole.clusters is None else np.unique(whole.clusters[compared], return_inverse=True)[1],
    )
    if not any(np.ptp(sample.outcome[sample.treated == arm]) for arm in (0, 1)):
        raise NotEstimable("the outcome does not vary within the arms: there is no chance to measure it against")
    found = estimators.summarise(sample, estimators.arms(sample, "overlap"), "overlap")
    require_effective((found.effective_n_treated, found.effective_n_control), gates, labels)
    return found
