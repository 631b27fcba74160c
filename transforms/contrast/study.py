"""The contrast as the protocol has it: who is compared, what came out, and the word on it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from transforms.contrast import effects, estimators, power, verdict
from transforms.contrast.clusters import connected
from transforms.contrast.comparable import comparable, require_effective
from transforms.contrast.design import Design, smd
from transforms.contrast.errors import ContrastError, NotEstimable
from transforms.contrast.estimators import Estimate, Method, Sample
from transforms.contrast.protocol import Comparison, Outcome, Protocol
from transforms.contrast.retention import customer_on, retention
from transforms.contrast.verdict import Verdict

Floats = NDArray[np.float64]
Row = dict[str, Any]

ESTIMATORS: tuple[Method, ...] = ("unadjusted", "overlap", "ipw", "aipw", "regression")
CLUSTER, ARM = "_cluster", "_arm"
REQUIRED = ("account_id", "partnership", "style")
OPTIONAL = ("reason", "customer_from", "churned_on")

DAY, TEXT, COUNT, NUMBER = "date32[day][pyarrow]", "str", "Int64", "float64"
CONTRAST = {
    "as_of": DAY,
    "comparison": TEXT,
    "outcome": TEXT,
    "estimator": TEXT,
    "horizon_days": COUNT,
    "n_partnership": COUNT,
    "n_comparison": COUNT,
    "effective_n_partnership": NUMBER,
    "effective_n_comparison": NUMBER,
    "mean_partnership": NUMBER,
    "mean_comparison": NUMBER,
    "difference": NUMBER,
    "standard_error": NUMBER,
    "ci_low": NUMBER,
    "ci_high": NUMBER,
    "hedges_g": NUMBER,
    "cliffs_delta": NUMBER,
    "p_value": NUMBER,
    "q_value": NUMBER,
    "max_smd_before": NUMBER,
    "max_smd_after": NUMBER,
    "e_value": NUMBER,
    "verdict": TEXT,
    "reason": TEXT,
    "protocol_hash": TEXT,
}
BALANCE = {
    "as_of": DAY,
    "comparison": TEXT,
    "outcome": TEXT,
    "covariate": TEXT,
    "smd_before": NUMBER,
    "smd_after": NUMBER,
}
FLOW = {"comparison": TEXT, "outcome": TEXT, "step": TEXT, "reason": TEXT, "accounts": COUNT}
POWER = {
    "as_of": DAY,
    "comparison": TEXT,
    "outcome": TEXT,
    "n_partnership": COUNT,
    "n_comparison": COUNT,
    "effective_n_partnership": NUMBER,
    "effective_n_comparison": NUMBER,
    "detectable_g": NUMBER,
    "smallest_effect": NUMBER,
    "needed_per_arm": COUNT,
    "more_partnership": COUNT,
    "more_comparison": COUNT,
    "more_to_compare": COUNT,
}


@dataclass(frozen=True)
class ContrastResult:
    """What a contrast found.

    Attributes:
        contrast: a row per comparison, outcome and estimator; numbers are null where nothing could be estimated.
        contrast_balance: a row per comparison, outcome and design column, covariates that were given up included.
        retention: Kaplan-Meier curves by style.
        flow: per comparison and outcome, accounts `in`, `excluded` (by reason) and `compared` (by group); the excluded
            and the compared add up to the accounts in.
        power: a row per comparison and outcome: what the arms can find by their sizes, whatever was found.
    """

    contrast: pd.DataFrame
    contrast_balance: pd.DataFrame
    retention: pd.DataFrame
    flow: pd.DataFrame
    power: pd.DataFrame


@dataclass(frozen=True)
class _Cell:
    """One comparison of one outcome."""

    rows: list[Row]
    balance: list[Row]
    flow: list[Row]
    sizes: Row


# An estimate and each row's weight in its arm.
Estimated = tuple[Estimate, Floats]


@dataclass(frozen=True)
class _Fit:
    """The estimates of a cell by estimator; in the place of one that could not be computed, the reason."""

    sample: Sample
    design: Design
    given_up: list[str]
    overlap: Estimated
    estimates: dict[Method, Estimated | NotEstimable]


def run(frame: pd.DataFrame, protocol: Protocol, as_of: dt.date, t0: dt.date) -> ContrastResult:
    """Compare every pair of groups on every outcome of the protocol.

    Args:
        frame: one row per account: account_id; partnership, style and `reason` (why the account is left out, or null);
            the protocol's outcomes, covariates, segment, owner and parent; churned_on and customer_from. A column that
            is absent counts as recorded for nobody, account_id, partnership and style apart.
        as_of: last day that counts.
        t0: where the style window ends and the value window begins.

    Raises:
        ContrastError: a required column is absent, an account_id is missing or repeated, or a column holds the wrong
            kind of value.
    """
    accounts = prepared(frame, protocol)
    cells = [
        _cell(accounts, comparison, outcome, protocol, t0)
        for comparison in protocol.comparisons
        for outcome in protocol.outcomes
    ]
    rows = pd.DataFrame([row for cell in cells for row in cell.rows]).assign(
        as_of=as_of, horizon_days=_horizon(accounts, protocol, t0), protocol_hash=protocol.hash
    )
    return ContrastResult(
        contrast=typed(_with_q(rows, protocol), CONTRAST),
        contrast_balance=typed(
            pd.DataFrame([row for cell in cells for row in cell.balance]).assign(as_of=as_of), BALANCE
        ),
        retention=retention(accounts, as_of, t0),
        flow=typed(pd.DataFrame([row for cell in cells for row in cell.flow]), FLOW),
        power=typed(_power(pd.DataFrame([cell.sizes for cell in cells]), protocol).assign(as_of=as_of), POWER),
    )


def prepared(frame: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """The accounts in one order, with their clusters: whatever order they come in, the same numbers come out.

    Raises:
        ContrastError: as in `run`.
    """
    absent = [name for name in REQUIRED if name not in frame]
    if absent:
        raise ContrastError(f"the accounts' frame has no column {', '.join(absent)}")
    if frame["account_id"].isna().any():
        raise ContrastError(f"account_id is missing in {int(frame['account_id'].isna().sum())} rows")
    twice = frame.loc[frame["account_id"].duplicated(), "account_id"]
    if len(twice):
        raise ContrastError(f"account_id {twice.iloc[0]!r} has more than one row ({len(twice)} rows too many)")
    accounts = frame.sort_values("account_id", kind="stable", ignore_index=True)
    accounts = accounts.assign(**{name: None for name in OPTIONAL if name not in accounts})
    return accounts.assign(**{CLUSTER: connected(accounts, "account_id", protocol.owner, protocol.parent)})


def _horizon(accounts: pd.DataFrame, protocol: Protocol, t0: dt.date) -> int:
    """Days of the value window: as the frame has them, else the protocol's months from `t0`."""
    given = accounts["horizon_days"].dropna().unique() if "horizon_days" in accounts else np.empty(0)
    if len(given) > 1:
        raise ContrastError(f"horizon_days differs between accounts: {min(given)} to {max(given)}")
    if len(given) == 1:
        return int(given[0])
    return (pd.Timestamp(t0) + pd.DateOffset(months=protocol.value_window_months) - pd.Timestamp(t0)).days


def _cell(accounts: pd.DataFrame, comparison: Comparison, outcome: Outcome, protocol: Protocol, t0: dt.date) -> _Cell:
    key = {"comparison": comparison.name, "outcome": outcome.name}
    reasons = _exclusions(accounts, comparison, outcome.name, protocol, t0)
    try:
        _require_some(reasons, accounts, comparison, outcome.name)
        arms = _armed(accounts, reasons, comparison, protocol)
        design, kept, outside = _comparable(arms, comparison, protocol)
        reasons[arms.index[outside]] = "no counterpart in the other group"
        fit = _fit(arms[~outside], outcome.name, design, kept, comparison, protocol)
    except NotEstimable as refusal:
        rows = [_blank(key, estimator, verdict.not_estimable(str(refusal))) for estimator in ESTIMATORS]
        flow = _flow(key, reasons, accounts, comparison, protocol)
        return _Cell(rows, [], flow, _sizes(key, flow, None))
    flow = _flow(key, reasons, accounts, comparison, protocol)
    return _Cell(_rows(key, fit, outcome, protocol), _balance(key, fit), flow, _sizes(key, flow, fit.overlap[0]))


# --- for other questions about the same accounts ----------------------------------------------------------------------


def placed(accounts: pd.DataFrame, outcome: str, protocol: Protocol, t0: dt.date) -> pd.DataFrame:
    """Of the `prepared` accounts those whose partnership and outcome are known, also between the groups."""
    comparison = protocol.deciding
    reasons = _exclusions(accounts, comparison, outcome, protocol, t0)
    return accounts[np.isin(reasons, ["", _between(comparison)]) & _recorded(accounts, outcome)]


def compared(accounts: pd.DataFrame, outcome: str, protocol: Protocol, t0: dt.date) -> pd.DataFrame:
    """Of the `prepared` accounts those in either group of the primary comparison; their group is in the column ARM."""
    comparison = protocol.deciding
    return _armed(accounts, _exclusions(accounts, comparison, outcome, protocol, t0), comparison, protocol)


def sample(accounts: pd.DataFrame, outcome: str, protocol: Protocol, t0: dt.date) -> Sample:
    """What the estimators of the primary comparison work on, for an outcome that need not be the protocol's.

    Raises:
        NotEstimable: the outcome is nobody's, or a gate fails.
    """
    comparison = protocol.deciding
    reasons = _exclusions(accounts, comparison, outcome, protocol, t0)
    _require_some(reasons, accounts, comparison, outcome)
    arms = _armed(accounts, reasons, comparison, protocol)
    design, kept, outside = _comparable(arms, comparison, protocol)
    return _weighed(arms[~outside], outcome, design.only(kept), comparison, protocol)[0]


def _armed(
    accounts: pd.DataFrame, reasons: NDArray[np.object_], comparison: Comparison, protocol: Protocol
) -> pd.DataFrame:
    """The accounts that no reason leaves out, with their group."""
    arms: pd.DataFrame = accounts[reasons == ""]
    return arms.assign(**{ARM: comparison.treated.holds(arms[comparison.column], protocol.thresholds)})


# --- who is compared --------------------------------------------------------------------------------------------------


def _exclusions(
    accounts: pd.DataFrame, comparison: Comparison, outcome: str, protocol: Protocol, t0: dt.date
) -> NDArray[np.object_]:
    """Why each account is left out of the comparison; "" for those that are in."""
    column, given = accounts[comparison.column], accounts["reason"]
    measured = _recorded(accounts, outcome)
    limits = protocol.thresholds
    neither = ~(comparison.treated.holds(column, limits) | comparison.control.holds(column, limits))
    # The frame's reason is about the primary outcome: where only that is lacking, other outcomes may still be compared.
    barred = given.notna() & _recorded(accounts, protocol.primary.outcome)
    conditions = {
        "not a customer at t0": ~customer_on(accounts, t0),
        f"{comparison.column} not measured": column.isna() | accounts["partnership"].isna(),
        "left out": barred,
        _between(comparison): neither,
        f"{outcome} not measured": ~measured,
    }
    reasons = np.select([np.asarray(c, dtype=bool) for c in conditions.values()], list(conditions), default="").astype(
        object
    )
    told = given.notna().to_numpy() & np.isin(
        reasons, [r for r in conditions if r.endswith("measured") or r == "left out"]
    )
    reasons[told] = given[told].astype(str)
    return reasons


def _between(comparison: Comparison) -> str:
    return f"neither {comparison.treated.label} nor {comparison.control.label}"


def _recorded(accounts: pd.DataFrame, name: str) -> NDArray[np.bool_]:
    return accounts[name].notna().to_numpy(dtype=bool) if name in accounts else np.zeros(len(accounts), dtype=bool)


def _require_some(reasons: NDArray[np.object_], accounts: pd.DataFrame, comparison: Comparison, outcome: str) -> None:
    """Raises NotEstimable, with the commonest reason, where nobody could be placed or the outcome is nobody's."""
    if not len(accounts):
        raise NotEstimable("there are no accounts")
    for name in (comparison.column, outcome):
        if not _recorded(accounts, name).any():
            commonest = (
                pd.Series(reasons).value_counts().sort_index().sort_values(ascending=False, kind="stable").index[0]
            )
            why = "" if commonest == f"{name} not measured" else f": {commonest}"
            raise NotEstimable(f"{name} could not be measured for any of {len(accounts)} accounts{why}")


def _flow(
    key: Row, reasons: NDArray[np.object_], accounts: pd.DataFrame, comparison: Comparison, protocol: Protocol
) -> list[Row]:
    column = accounts.loc[reasons == "", comparison.column]
    counted = pd.Series(reasons[reasons != ""], dtype=object).value_counts().sort_index()
    steps = [("in", "", len(accounts))]
    steps += [("excluded", str(reason), int(count)) for reason, count in counted.items()]
    steps += [
        ("compared", group.label, int(group.holds(column, protocol.thresholds).sum()))
        for group in (comparison.treated, comparison.control)
    ]
    return [{**key, "step": step, "reason": reason, "accounts": count} for step, reason, count in steps]


# --- what could be found ----------------------------------------------------------------------------------------------


def _sizes(key: Row, flow: list[Row], overlap: Estimate | None) -> Row:
    """The arms as they are compared; effective sizes only where they could be weighted."""
    treated, control = (row["accounts"] for row in flow if row["step"] == "compared")
    sizes = {**key, "n_partnership": treated, "n_comparison": control}
    if overlap is None:
        return sizes
    effective = {
        "effective_n_partnership": overlap.effective_n_treated,
        "effective_n_comparison": overlap.effective_n_control,
    }
    return {**sizes, **effective}


def _power(sizes: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """What arms of these sizes can find and what they lack, were their accounts independent.

    No outcome is read: it could be said before any result.
    """
    sizes = sizes.reindex(columns=list(POWER))
    arms = ("partnership", "comparison")
    counted = {arm: sizes[f"effective_n_{arm}"].fillna(sizes[f"n_{arm}"]).to_numpy(dtype=float) for arm in arms}
    needed, gate = power.accounts_needed(protocol.smallest_effect), protocol.gates.effective_accounts
    return sizes.assign(
        detectable_g=[_detectable(*pair) for pair in zip(*counted.values(), strict=True)],
        smallest_effect=protocol.smallest_effect,
        needed_per_arm=needed,
        **{f"more_{arm}": _lacking(counted[arm], needed) for arm in arms},
        more_to_compare=sum(_lacking(counted[arm], gate) for arm in arms),
    )


def _detectable(n_treated: float, n_control: float) -> float:
    try:
        return power.detectable(n_treated, n_control)
    except NotEstimable:
        return float("nan")


def _lacking(sizes: Floats, needed: float) -> Floats:
    """How many accounts each arm is short of what it needs, in whole accounts."""
    return np.ceil(np.maximum(needed - sizes, 0))


def _comparable(
    arms: pd.DataFrame, comparison: Comparison, protocol: Protocol
) -> tuple[Design, list[str], NDArray[np.bool_]]:
    treated = arms[ARM].to_numpy(dtype=float)
    return comparable(arms, treated, protocol.covariates, protocol.segment, protocol.gates, comparison.labels)


# --- estimates --------------------------------------------------------------------------------------------------------


def _fit(
    arms: pd.DataFrame, outcome: str, design: Design, kept: list[str], comparison: Comparison, protocol: Protocol
) -> _Fit:
    sample, overlap = _weighed(arms, outcome, design.only(kept), comparison, protocol)
    estimates = {method: overlap if method == "overlap" else _estimated_or_not(sample, method) for method in ESTIMATORS}
    given_up = [name for name in protocol.covariates if name in design.sources and name not in kept]
    return _Fit(sample, design, given_up, overlap, estimates)


def _weighed(
    arms: pd.DataFrame, outcome: str, adjusted: Design, comparison: Comparison, protocol: Protocol
) -> tuple[Sample, Estimated]:
    """The sample, and its estimate under overlap weights.

    Raises:
        NotEstimable: the outcome does not vary, or the weights leave too few effective accounts.
    """
    sample = Sample(
        outcome=pd.to_numeric(arms[outcome]).to_numpy(dtype=float),
        treated=arms[ARM].to_numpy(dtype=float),
        covariates=adjusted.values,
        names=adjusted.names,
        outcome_covariates=adjusted.values,
        clusters=np.unique(arms[CLUSTER].to_numpy(), return_inverse=True)[1],
    )
    if effects.pooled_deviation(*_split(sample)) == 0:
        raise NotEstimable(f"{outcome} does not vary within the arms: there is no chance to measure it against")
    overlap = _estimated(sample, "overlap")
    require_effective(
        (overlap[0].effective_n_treated, overlap[0].effective_n_control), protocol.gates, comparison.labels
    )
    return sample, overlap


def _estimated(sample: Sample, method: Method) -> Estimated:
    fitted = estimators.arms(sample, method)
    return estimators.summarise(sample, fitted, method), fitted[0].weight + fitted[1].weight


def _estimated_or_not(sample: Sample, method: Method) -> Estimated | NotEstimable:
    """All but overlap weights only confirm: where a regression has no one answer, they stand without it."""
    try:
        return _estimated(sample, method)
    except NotEstimable as refusal:
        return refusal


def _split(sample: Sample) -> tuple[Floats, Floats]:
    return sample.outcome[sample.treated > 0], sample.outcome[sample.treated == 0]


# --- what is said of them ---------------------------------------------------------------------------------------------


def _rows(key: Row, fit: _Fit, outcome: Outcome, protocol: Protocol) -> list[Row]:
    judged = _judged(fit, outcome, protocol)
    return [
        _blank(key, name, replace(judged, reason=str(found)))
        if isinstance(found, NotEstimable)
        else _row(key, name, judged, fit, found)
        for name, found in fit.estimates.items()
    ]


def _judged(fit: _Fit, outcome: Outcome, protocol: Protocol) -> Verdict:
    """The verdict from the overlap weights, with what a reader must know about them."""
    overlap, aipw = fit.overlap[0], fit.estimates["aipw"]
    unit = _per_deviation(fit.sample)
    found = verdict.decide(
        overlap.ci_low * unit,
        overlap.ci_high * unit,
        None if isinstance(aipw, NotEstimable) else aipw[0].effect,
        protocol.smallest_effect,
        outcome.direction,
    )
    notes = [found.reason]
    if fit.given_up:
        notes.append(f"accounts are too few to adjust for {', '.join(fit.given_up)}")
    if np.isfinite(overlap.degrees):
        notes.append(
            f"errors rest on {overlap.n_clusters} clusters of accounts that share a manager or parent "
            f"(Student's t, {overlap.degrees:.0f} degrees of freedom)"
        )
    return replace(found, reason="; ".join(notes))


def _per_deviation(sample: Sample) -> float:
    """What turns a difference into Hedges' g: the same for every estimator, so that their sizes can be compared."""
    return effects.small_sample_factor(len(sample.outcome) - 2) / effects.pooled_deviation(*_split(sample))


def _row(key: Row, estimator: str, judged: Verdict, fit: _Fit, found: Estimated) -> Row:
    estimate, weight = found
    g = estimate.effect * _per_deviation(fit.sample)
    treated = fit.sample.treated > 0
    return {
        **_blank(key, estimator, judged),
        "n_partnership": estimate.n_treated,
        "n_comparison": estimate.n_control,
        "effective_n_partnership": estimate.effective_n_treated,
        "effective_n_comparison": estimate.effective_n_control,
        "mean_partnership": estimate.mean_treated,
        "mean_comparison": estimate.mean_control,
        "difference": estimate.effect,
        "standard_error": estimate.standard_error,
        "ci_low": estimate.ci_low,
        "ci_high": estimate.ci_high,
        "hedges_g": g,
        "cliffs_delta": effects.weighted_cliffs_delta(*_split(fit.sample), weight[treated], weight[~treated]),
        "p_value": estimate.p_value,
        # Over all covariates, not only those adjusted for: what was given up must not look balanced.
        "max_smd_before": estimators.largest(smd(fit.design.values, fit.sample.treated)),
        "max_smd_after": estimators.largest(smd(fit.design.values, fit.sample.treated, weight)),
        "e_value": effects.e_value_of_difference(g),
    }


def _blank(key: Row, estimator: str, judged: Verdict) -> Row:
    return {**key, "estimator": estimator, "verdict": judged.word.value, "reason": judged.reason}


def _balance(key: Row, fit: _Fit) -> list[Row]:
    before = smd(fit.design.values, fit.sample.treated)
    after = smd(fit.design.values, fit.sample.treated, fit.overlap[1])
    return [
        {**key, "covariate": name, "smd_before": float(first), "smd_after": float(last)}
        for name, first, last in zip(fit.design.names, before, after, strict=True)
    ]


def _with_q(rows: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """Benjamini-Hochberg over the secondary family: the overlap estimates of all contrasts but the primary."""
    rows = rows.reindex(columns=list(CONTRAST))
    is_primary = rows["comparison"].eq(protocol.primary_comparison) & rows["outcome"].eq(protocol.primary_outcome)
    family = rows["estimator"].eq("overlap") & ~is_primary
    p_values = rows.loc[family, "p_value"].astype(float).to_numpy()
    rows.loc[family, "q_value"] = effects.benjamini_hochberg(p_values)
    return rows


def typed(rows: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    """The columns of the mart with their types, which an empty frame must have too."""
    return rows.reindex(columns=list(columns)).astype(columns)
