"""What a reviewer asks of the contrast next: at which dose, for whom, do they stay, do they change, would it fall.

`study` compares two groups; here the same accounts, covariates, gates and clusters answer the questions around that.
Each question is answered or says why not, and none of them changes the verdict.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from transforms.contrast import dose, moderation, study, survival, switchers
from transforms.contrast.design import build, leading
from transforms.contrast.errors import NotEstimable
from transforms.contrast.estimators import arms, summarise
from transforms.contrast.protocol import Protocol
from transforms.contrast.regression import Combination, Wald
from transforms.contrast.retention import at_landmark, log_rank, rmst_difference
from transforms.contrast.sensitivity import Sensitivity, sensitivity
from transforms.contrast.study import ARM, CLUSTER, COUNT, DAY, NUMBER, TEXT, Row

Floats = NDArray[np.float64]

# Churn is no outcome of the protocol, but a question of its own.
CHURN = "churn"
# Fixed facts of an account; size goes along month by month, and what was known at t0 only would look ahead.
FIXED = ("segment", "industry", "region")

DOSE = {"as_of": DAY, "outcome": TEXT, "partnership": NUMBER, "value": NUMBER, "ci_low": NUMBER, "ci_high": NUMBER}
SEGMENT = {
    "as_of": DAY,
    "comparison": TEXT,
    "outcome": TEXT,
    "moderator": TEXT,
    "level": TEXT,
    "n_partnership": COUNT,
    "n_comparison": COUNT,
    "effective_n_partnership": NUMBER,
    "effective_n_comparison": NUMBER,
    "difference": NUMBER,
    "ci_low": NUMBER,
    "ci_high": NUMBER,
    "shrunk": NUMBER,
    "shrunk_low": NUMBER,
    "shrunk_high": NUMBER,
    "below_zero": NUMBER,
    "reason": TEXT,
}
SWITCH = {
    "as_of": DAY,
    "outcome": TEXT,
    "event_month": COUNT,
    "att": NUMBER,
    "standard_error": NUMBER,
    "ci_low": NUMBER,
    "ci_high": NUMBER,
    "n_accounts": COUNT,
}
SENSITIVITY = {
    "as_of": DAY,
    "comparison": TEXT,
    "outcome": TEXT,
    "analysis": TEXT,
    "value": NUMBER,
    "ci_low": NUMBER,
    "ci_high": NUMBER,
    "p_value": NUMBER,
    "note": TEXT,
}
TEST = {
    "as_of": DAY,
    "outcome": TEXT,
    "test": TEXT,
    "estimate": NUMBER,
    "ci_low": NUMBER,
    "ci_high": NUMBER,
    "statistic": NUMBER,
    "degrees": NUMBER,
    "p_value": NUMBER,
    "n_accounts": COUNT,
    "note": TEXT,
}


@dataclass(frozen=True)
class Review:
    """The answers, each a frame with the columns of its mart.

    Attributes:
        dose_response: curves of each outcome by partnership.
        segment: the primary contrast within each level of each moderator.
        switcher_effect: effects by months since an account became a partner.
        sensitivity: what would have to be true for the primary contrast to be false.
        test: single numbers and tests; where there is none, `note` says why.
    """

    dose_response: pd.DataFrame
    segment: pd.DataFrame
    switcher_effect: pd.DataFrame
    sensitivity: pd.DataFrame
    test: pd.DataFrame


# Rows of one question: of its own table, and of the table of tests.
Answer = tuple[list[Row], list[Row]]


def review(
    frame: pd.DataFrame, months: pd.DataFrame, panel: pd.DataFrame, protocol: Protocol, as_of: dt.date, t0: dt.date
) -> Review:
    """Answer every question that the data can.

    Args:
        frame: one row per account, as `study.run` reads it.
        months: a row per account and month: account_id, month, partnership and log_mrr as they stood in it.
        panel: a row per account and half-year, numbered upwards to 0, the value window: account_id, period,
            partnership (of the 12 months before it) and the outcomes of protocol.switchers over it.
        as_of: last day that counts.
        t0: where the style window ends and the value window begins.
    """
    accounts = study.prepared(frame, protocol)
    outcomes = [outcome.name for outcome in protocol.outcomes]
    doses = [_answered(partial(_dose, accounts, name, protocol, t0), name, DOSE_TESTS) for name in outcomes]
    mixed = [_answered(partial(_interaction, accounts, name, protocol, t0), name, INTERACTIONS) for name in outcomes]
    segments, of_segments = _segments(accounts, protocol, t0)
    switches = [
        _answered(partial(_switching, accounts, panel, name, protocol), name, SWITCH_TESTS)
        for name in protocol.switchers.outcomes
    ]
    stay = [
        _answered(partial(_curves, accounts, as_of, t0), CHURN, CURVE_TESTS),
        _answered(partial(_staying, accounts, protocol, as_of, t0), CHURN, STAY_TESTS),
        _answered(partial(_leaving, accounts, months, protocol, as_of), CHURN, CHURN_TESTS),
    ]
    tests = [row for answer in (*doses, *mixed, *switches, *stay) for row in answer[1]] + of_segments

    def typed(rows: list[Row], columns: dict[str, str]) -> pd.DataFrame:
        return study.typed(pd.DataFrame(rows, columns=list(columns)).assign(as_of=as_of), columns)

    return Review(
        dose_response=typed([row for answer in doses for row in answer[0]], DOSE),
        segment=typed(segments, SEGMENT),
        switcher_effect=typed([row for answer in switches for row in answer[0]], SWITCH),
        sensitivity=typed(_sensitivity(accounts, protocol, t0), SENSITIVITY),
        test=typed(tests, TEST),
    )


def _answered(question: Callable[[], Answer], outcome: str, tests: tuple[str, ...]) -> Answer:
    """The answer; where there is none, a row of each of its tests that says why."""
    try:
        rows, found = question()
    except NotEstimable as refusal:
        rows, found = [], [{"test": test, "note": f"not estimable: {refusal}"} for test in tests]
    return [{"outcome": outcome, **row} for row in rows], [{"outcome": outcome, **row} for row in found]


# --- at which dose, and beside which cost focus -----------------------------------------------------------------------

# Columns of a regression besides the covariates: three of the spline; both axes, their squares and their product.
DOSE_COLUMNS, INTERACTION_COLUMNS = 3, 5
DOSE_TESTS = ("dose_response", "non_linearity")
INTERACTIONS = ("step_at_low_cost_focus", "step_at_high_cost_focus", "interaction")


def _dose(accounts: pd.DataFrame, outcome: str, protocol: Protocol, t0: dt.date) -> Answer:
    inside = study.placed(accounts, outcome, protocol, t0)
    value, covariates, clusters = _regressed(inside, outcome, protocol, DOSE_COLUMNS)
    per_column = protocol.gates.accounts_per_column
    found = dose.dose_response(value, _numbers(inside, "partnership"), covariates, clusters, per_column)
    tests = [
        {"test": test, **_wald(each), "n_accounts": found.n, "note": f"{text}; {found.note}"}
        for test, each, text in (
            (DOSE_TESTS[0], found.overall, "whether the outcome goes with partnership at all"),
            (DOSE_TESTS[1], found.non_linearity, "whether the curve bends"),
        )
    ]
    return _rows(found.curve), tests


def _interaction(accounts: pd.DataFrame, outcome: str, protocol: Protocol, t0: dt.date) -> Answer:
    inside = study.placed(accounts, outcome, protocol, t0)
    inside = inside[inside["cost_focus"].notna()] if "cost_focus" in inside else inside.iloc[:0]
    value, covariates, clusters = _regressed(inside, outcome, protocol, INTERACTION_COLUMNS)
    found = moderation.interaction(
        value,
        _numbers(inside, "partnership"),
        _numbers(inside, "cost_focus"),
        covariates,
        clusters,
        protocol.thresholds,
        protocol.gates.accounts_per_column,
    )
    step = f"partnership {protocol.high:g} instead of {protocol.low:g}"
    texts = (
        f"{step}, at cost focus {protocol.low:g}",
        f"{step}, at cost focus {protocol.high:g}",
        "the step at high cost focus less that at low: whether partnership pays otherwise where price rules",
    )
    parts = (found.at_low, found.at_high, found.change)
    return [], [
        {"test": test, **_combination(part), "n_accounts": found.n, "note": text}
        for test, part, text in zip(INTERACTIONS, parts, texts, strict=True)
    ]


def _regressed(
    inside: pd.DataFrame, outcome: str, protocol: Protocol, own: int
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Outcome, covariates and clusters of a regression with `own` columns of its own; what is too much is given up."""
    if inside.empty:
        raise NotEstimable(f"no account has {outcome} and the axes of style on record")
    design = build(inside, protocol.covariates, protocol.segment)
    kept = leading(design, protocol.covariates, len(inside) // protocol.gates.accounts_per_column - own)
    clusters = np.unique(inside[CLUSTER].to_numpy(), return_inverse=True)[1]
    return _numbers(inside, outcome), design.only(kept).values, clusters


def _rows(frame: pd.DataFrame) -> list[Row]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _numbers(frame: pd.DataFrame, name: str) -> Floats:
    return pd.to_numeric(frame[name]).to_numpy(dtype=float)


def _wald(test: Wald) -> Row:
    return {"statistic": test.statistic, "degrees": test.degrees, "p_value": test.p_value}


def _combination(part: Combination) -> Row:
    return {"estimate": part.value, "ci_low": part.ci_low, "ci_high": part.ci_high, "p_value": part.p_value}


# --- for whom ---------------------------------------------------------------------------------------------------------


def _segments(accounts: pd.DataFrame, protocol: Protocol, t0: dt.date) -> tuple[list[Row], list[Row]]:
    """The primary comparison within each level of each moderator, and whether the levels differ."""
    rows: list[Row] = []
    tests: list[Row] = []
    key = {"comparison": protocol.primary.comparison, "outcome": protocol.primary.outcome}
    groups = study.compared(accounts, protocol.primary.outcome, protocol, t0)
    for moderator in protocol.moderators:
        test = {"outcome": protocol.primary.outcome, "test": f"heterogeneity_by_{moderator}"}
        if moderator not in groups or groups.empty:
            tests.append({**test, "note": f"not estimable: no account compared has {moderator} on record"})
            continue
        others = [name for name in protocol.covariates if name != moderator]
        found = moderation.by_segment(
            groups, protocol.primary.outcome, ARM, others, moderator, CLUSTER, protocol.gates, protocol.deciding.labels
        )
        rows += [{**key, "moderator": moderator, **row} for row in _levels(found.rows)]
        tests.append({**test, **_heterogeneity(found)})
    return rows, tests


def _levels(rows: pd.DataFrame) -> list[Row]:
    named = {
        "segment": "level",
        "n_treated": "n_partnership",
        "n_control": "n_comparison",
        "effective_n_treated": "effective_n_partnership",
        "effective_n_control": "effective_n_comparison",
        "effect": "difference",
    }
    return _rows(rows.rename(columns=named).drop(columns=["without_counterpart", "adjusted_for"]))


def _heterogeneity(found: moderation.Segments) -> Row:
    if found.heterogeneity is None:
        return {"note": "not estimable: fewer than two levels could be estimated"}
    spread, estimated = found.heterogeneity, found.rows[found.rows["effect"].notna()]
    return {
        "n_accounts": int(estimated[["n_treated", "n_control"]].sum().sum()),
        "estimate": spread.tau,
        "statistic": spread.q,
        "degrees": spread.degrees,
        "p_value": spread.p_value,
        "note": f"standard deviation of the effects between levels; {spread.i_squared:.0%} of what they differ by is "
        "more than chance (Cochran's Q, Paule-Mandel)",
    }


# --- do they stay -----------------------------------------------------------------------------------------------------

CURVE_TESTS = ("log_rank",)
STAY_TESTS = ("days_kept",)
CHURN_TESTS = ("hazard_ratio", "proportional_hazards")


def _curves(accounts: pd.DataFrame, as_of: dt.date, t0: dt.date) -> Answer:
    """Whether the styles, as they were at t0, share one survival curve."""
    followed = at_landmark(accounts, as_of, t0)
    events = int(followed["churned"].sum())
    found = log_rank(
        followed["duration"].to_numpy(), followed["churned"].to_numpy(), followed["style"].to_numpy(dtype=object)
    )
    if found.statistic is None:
        raise NotEstimable(f"{events} churns after {t0} in {found.degrees + 1} styles; one, and two styles needed")
    note = f"whether accounts of all styles at {t0} stay alike; {events} churns since (log-rank, unadjusted)"
    return [], [{"test": CURVE_TESTS[0], **asdict(found), "n_accounts": len(followed), "note": note}]


def _staying(accounts: pd.DataFrame, protocol: Protocol, as_of: dt.date, t0: dt.date) -> Answer:
    """Days that accounts of high partnership stay after t0, less those of low."""
    comparison = protocol.deciding
    followed = at_landmark(accounts, as_of, t0)
    style = accounts.loc[followed.index, comparison.column]
    treated = comparison.treated.holds(style, protocol.thresholds)
    inside = treated | comparison.control.holds(style, protocol.thresholds)
    kept, clusters = followed[inside], accounts.loc[followed.index[inside], CLUSTER].to_numpy()
    events = int(kept["churned"].sum())
    if events < protocol.gates.events:
        raise NotEstimable(f"{events} accounts of the two groups churned after {t0}; {protocol.gates.events} needed")
    found = rmst_difference(
        kept["duration"].to_numpy(dtype=float),
        kept["churned"].to_numpy(dtype=bool),
        treated[inside],
        float((as_of - t0).days),
        np.unique(clusters, return_inverse=True)[1],
    )
    note = (
        f"days kept of the first {found.horizon:.0f} after {t0}: {found.mean_treated:.1f} of the "
        f"{comparison.treated.label} group, {found.mean_control:.1f} of the {comparison.control.label} one "
        "(restricted mean, unadjusted)"
    )
    limits = {"estimate": found.difference, "ci_low": found.ci_low, "ci_high": found.ci_high}
    return [], [{"test": STAY_TESTS[0], **limits, "n_accounts": len(kept), "note": note}]


def _leaving(accounts: pd.DataFrame, months: pd.DataFrame, protocol: Protocol, as_of: dt.date) -> Answer:
    """Cox regression with the style of the month before, over all months on record."""
    facts = ["account_id", "customer_from", "churned_on", CLUSTER, *(name for name in FIXED if name in accounts)]
    known = accounts.loc[accounts["customer_from"].notna(), facts]
    # Months of companies that never were a customer are nobody's time at risk.
    of_customers = months[months["account_id"].isin(known["account_id"])]
    at_risk = survival.intervals(of_customers, known, as_of)
    if at_risk.empty:
        raise NotEstimable("no customer has a month whose style was known the month before")
    step = protocol.high - protocol.low
    found = survival.time_varying_cox(
        at_risk,
        [name for name in ("log_mrr", *FIXED) if name in at_risk],
        step=step,
        cluster=CLUSTER,
        segment=protocol.segment,
        events=protocol.gates.events,
    )
    adjusted = f"adjusted for {', '.join(found.adjusted)}" if found.adjusted else "not adjusted"
    tested = found.proportionality
    return [], [
        {
            "test": CHURN_TESTS[0],
            "estimate": found.hazard_ratio,
            "ci_low": found.ci_low,
            "ci_high": found.ci_high,
            "p_value": found.p_value,
            "n_accounts": found.n_accounts,
            "note": f"hazard of churn in a month at partnership {step:g} higher the month before; "
            f"{found.n_events} churns, {adjusted}",
        },
        {
            "test": CHURN_TESTS[1],
            "statistic": tested.statistic,
            "degrees": tested.degrees,
            "p_value": tested.p_value,
            "n_accounts": found.n_accounts,
            "note": "whether the hazard ratio changes with tenure",
        },
    ]


# --- do they change ---------------------------------------------------------------------------------------------------

SWITCH_TESTS = ("average_effect_of_switching", "pre_trend", "breakdown_magnitude")


def _switching(accounts: pd.DataFrame, panel: pd.DataFrame, outcome: str, protocol: Protocol) -> Answer:
    """Effect on those that came to be partners, against those that have not yet."""
    rules = protocol.switchers
    placed = panel.merge(_switches(panel, protocol), on="account_id")
    placed = placed.merge(accounts[["account_id", CLUSTER]], on="account_id")
    _require_history(placed, outcome, rules.base_periods + rules.anticipation)
    found = switchers.group_time_att(
        placed,
        "account_id",
        "period",
        outcome,
        "switched",
        base_periods=rules.base_periods,
        anticipation=rules.anticipation,
        cluster=CLUSTER,
    )
    _require_both(found, protocol.gates.effective_accounts)
    simple = switchers.aggregate(found, "simple").iloc[0]
    events = switchers.aggregate(found, "event")
    events = events.assign(event_month=events["event"] * protocol.value_window_months)
    average = {
        "test": SWITCH_TESTS[0],
        "estimate": simple["att"],
        "ci_low": simple["ci_low"],
        "ci_high": simple["ci_high"],
        "n_accounts": simple["n_accounts"],
        "note": f"change since {rules.base_periods} half-years before, less that of accounts that are no partners yet",
    }
    return _rows(events.drop(columns="event")), [average, *_trends(found)]


def _require_history(placed: pd.DataFrame, outcome: str, before: int) -> None:
    """Raises NotEstimable where the half-years on record are fewer than `before` and the one of the switch."""
    if outcome not in placed:
        raise NotEstimable(f"no half-year has {outcome} on record")
    if placed.empty:
        raise NotEstimable("no account was seen below high partnership before")
    periods = np.unique(placed["period"])
    if len(periods) <= before or (np.diff(periods) > 1).any():
        raise NotEstimable(
            f"{len(periods)} half-years are on record; {before} before the one in which a change shows are needed, "
            "without a gap"
        )


def _require_both(found: switchers.GroupTimeEffects, needed: float) -> None:
    """Raises NotEstimable where those that switched, or those that they are compared with, are too few."""
    arms = found.arms[:, found.cells["event"] >= 0]
    switched, others = (int((arms == side).any(axis=1).sum()) for side in (1, -1))
    if min(switched, others) < needed:
        raise NotEstimable(
            f"{switched} accounts became partners with enough half-years before, {others} had not yet; "
            f"{needed:g} needed of each"
        )


def _switches(panel: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """account_id and the first period at high partnership (null: none yet), of those that were seen below it first."""
    known = panel[panel["partnership"].notna()].sort_values(["account_id", "period"])
    high = known["partnership"] >= protocol.high
    first = known.groupby("account_id")["period"].first()
    switched = known[high].groupby("account_id")["period"].first().reindex(first.index)
    return switched[~(switched == first)].rename("switched").reset_index()


def _trends(found: switchers.GroupTimeEffects) -> Iterator[Row]:
    try:
        before = switchers.pre_trend(found)
        yield {
            "test": SWITCH_TESTS[1],
            **asdict(before),
            "note": "whether the two groups moved apart before the switch",
        }
    except NotEstimable as refusal:
        yield {"test": SWITCH_TESTS[1], "note": f"not estimable: {refusal}"}
    try:
        withstood = switchers.breakdown(found)
        yield {
            "test": SWITCH_TESTS[2],
            "estimate": withstood.magnitude,
            "note": "how many times the largest parting before the switch the trends may part after it until the "
            "interval holds 0 (Rambachan, Roth)",
        }
    except NotEstimable as refusal:
        yield {"test": SWITCH_TESTS[2], "note": f"not estimable: {refusal}"}


# --- would it fall ----------------------------------------------------------------------------------------------------


def _sensitivity(accounts: pd.DataFrame, protocol: Protocol, t0: dt.date) -> list[Row]:
    key = {"comparison": protocol.primary.comparison, "outcome": protocol.primary.outcome}
    try:
        sample = study.sample(accounts, protocol.primary.outcome, protocol, t0)
        checks = sensitivity(sample, protocol.permutations, protocol.seed)
    except NotEstimable as refusal:
        checks = [Sensitivity("permuted_labels", None, note=f"not estimable: {refusal}")]
    return [{**key, "analysis": each.check, **asdict(each)} for each in (*checks, _before(accounts, protocol, t0))]


def _before(accounts: pd.DataFrame, protocol: Protocol, t0: dt.date) -> Sensitivity:
    """The same comparison of the value that was there before the style window began."""
    check, outcome = "value_before", f"{protocol.primary.outcome}_before"
    try:
        earlier = study.sample(accounts, outcome, protocol, t0)
        estimate = summarise(earlier, arms(earlier, "overlap"), "overlap")
    except NotEstimable as refusal:
        return Sensitivity(check, None, note=f"Could not be checked: {refusal}.")
    note = (
        "The same groups, compared in the value that they had before their style was measured. Style persists, so that "
        "they may rightly differ: it decides nothing."
    )
    return Sensitivity(check, estimate.effect, estimate.ci_low, estimate.ci_high, estimate.p_value, note)
