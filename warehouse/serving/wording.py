"""The sentences of the report: from the contrast's rows to plain English. No number is made here, only said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from warehouse.errors import MutualValueError
from warehouse.serving import formats
from warehouse.serving.findings import Findings, Row
from warehouse.settings_tables import STYLE_MONTHS

PRIMARY = "partnership_high_vs_low"
SECOND = "partnership_vs_transactional"
LEVEL = 0.05  # under this, more than chance
ALIKE = 0.1  # a standardised difference under this is taken for none (Austin 2009)
PARTIES = ("mutual_value", "customer_value", "supplier_value")

LABELS = {
    "supported": "Supported",
    "contradicted": "Contradicted",
    "inconclusive": "Inconclusive",
    "practically_null": "No difference that matters",
    "not_estimable": "Cannot be told yet",
}

# What each word may be taken to say. The absence of evidence is never put as evidence of absence.
MEANINGS = {
    "supported": "Partnership goes with more mutual value: the whole range lies above zero, and the second method "
    "agrees.",
    "contradicted": "Partnership goes with less mutual value: the whole range lies below zero, and the second method "
    "agrees.",
    "practically_null": "The whole range lies so close to zero that a difference, if there is one, is too small to "
    "matter.",
    "inconclusive": "The range holds zero, or the two methods disagree. This is no evidence that partnership makes no "
    "difference; it is too little evidence to tell.",
    "not_estimable": "There are too few comparable accounts, or too little is recorded about them, to compare at all.",
}

OUTCOMES = {
    "mutual_value": "Mutual value",
    "customer_value": "What customers get",
    "supplier_value": "What we get",
    "balance": "Balance between the two",
    "tilt": "Tilt towards us",
}

ESTIMATORS = {
    "overlap": "Like with like",
    "aipw": "Second method",
    "ipw": "Inverse weights",
    "regression": "Regression",
    "unadjusted": "As they are",
}

COMPARISONS = {
    PRIMARY: "Most against least partnership",
    SECOND: "Partnership against transactional style",
}

COVARIATES = {
    "log_mrr": "Revenue (log)",
    "seats": "Seats",
    "tenure_months": "Months as a customer",
    "logging_intensity": "How much the manager logs",
    "days_to_renewal": "Days to renewal",
    "sla_tier": "SLA tier",
}

NO_GOALS = "Shared goals were not measured, so what follows rests on how the two sides work together day to day."
GOALS_LEFT_OUT = "Shared goals weigh nothing here, so what follows rests on how the two sides work together day to day."
GOALS = ("shared_goal_coverage", "mutual_responsibility")


class UnknownVerdict(MutualValueError):
    """The contrast holds a verdict that is none of the five words."""

    exit_code = 1


@dataclass(frozen=True)
class Answer:
    """The top of the page: the verdict's word, its sentence, and the sentences that belong to it."""

    word: str
    headline: str
    details: tuple[str, ...]


def answer(findings: Findings) -> Answer:
    """The answer to the page's question, as prominent whichever way it comes out.

    Raises:
        UnknownVerdict: the primary comparison carries a word that has no sentence.
    """
    row = findings.estimate(PRIMARY, "mutual_value")
    word = "not_estimable" if row is None else verdict(row)
    headline = _not_estimable(row) if row is None or word == "not_estimable" else _headline(row, word)
    if _without_goals(findings):
        headline = f"{_why_without_goals(findings)} {headline}"
    details = _needed(findings) if row is None or word == "not_estimable" else _compared(findings, row)
    return Answer(word, headline, (*details, *_goals(findings), *_weights(findings)))


def of_primary(rows: Sequence[Row]) -> list[Row]:
    """The rows that are about mutual value in the primary comparison."""
    return [row for row in rows if (row["comparison"], row["outcome"]) == (PRIMARY, "mutual_value")]


def verdict(row: Row) -> str:
    """The row's verdict, checked to be one of the five words."""
    word = row["verdict"]
    if word not in LABELS:
        raise UnknownVerdict(f"mart.contrast: verdict {word!r} is none of {', '.join(LABELS)}")
    return str(word)


def _headline(row: Row, word: str) -> str:
    size = formats.fixed(abs(row["difference"]) * 100, 1)
    spread = f"(95 % interval {formats.point_interval(row['ci_low'], row['ci_high'])})"
    signed = formats.points(row["difference"], signed=True)
    others = "than comparable accounts that are not"
    return {
        "supported": f"Accounts run as partnerships had {size} points more mutual value {others} {spread}.",
        "contradicted": f"Accounts run as partnerships had {size} points less mutual value {others} {spread}.",
        "practically_null": f"Partnership made no difference that matters to mutual value: {signed} points {spread}.",
        "inconclusive": "The data do not settle whether partnership goes with more mutual value: "
        f"{signed} points {spread}, {_doubt(row)}.",
    }[word]


def _doubt(row: Row) -> str:
    if row["ci_low"] <= 0 <= row["ci_high"]:
        return "which fits with more, with less and with no difference"
    return "but a second method of comparing points the other way"


def _not_estimable(row: Row | None) -> str:
    reason = (row or {}).get("reason") or "the comparison has not been computed"
    return f"Whether partnership goes with more mutual value cannot be told yet: {sentence_end(reason)}"


def sentence_end(reason: str) -> str:
    return reason.strip().rstrip(".") + "."


def _without_goals(findings: Findings) -> bool:
    return bool(findings.groups["placed"] > 0 and findings.groups["with_goals"] == 0)


def _why_without_goals(findings: Findings) -> str:
    weights = [row["weight"] for row in findings.measures if row["measure_id"] in GOALS]
    return NO_GOALS if any(weights) else GOALS_LEFT_OUT


def _weights(findings: Findings) -> tuple[str, ...]:
    """The weights that were configured, where any is."""
    told = [f"{row['label']} {row['weight']:g}" for row in findings.measures if row["weight"] not in (None, 1)]
    if not told:
        return ()
    return (f"The measures in the scores were given weights: {', '.join(told)}; every other one weighs 1.",)


def _goals(findings: Findings) -> tuple[str, ...]:
    """How much of the style rests on shared goals, where that is some but not all of it."""
    placed, with_goals = findings.groups["placed"], findings.groups["with_goals"]
    if with_goals in (0, placed):
        return ()
    return (
        f"Shared goals were measured for {formats.count(with_goals)} of the {formats.count(placed)} accounts whose "
        "partnership could be measured.",
    )


def _compared(findings: Findings, row: Row) -> tuple[str, ...]:
    run = findings.run
    more, less = row["n_partnership"], row["n_comparison"]
    return (
        f"Compared are the {formats.number_of(more, 'account')} run most as partnerships (partnership of "
        f"{formats.whole_points(run['high'])} points or more) with the {formats.number_of(less, 'account')} run "
        f"least so ({formats.whole_points(run['low'])} or less), weighted so that like stands beside like in size, "
        "age and the other things listed below.",
        f"How they are run was read over the {STYLE_MONTHS} months before {formats.month(run['t0'])}; what each side "
        f"got, from then to {formats.month(run['last_month'])}. So the cause, if it is one, comes before the effect.",
    )


def _needed(findings: Findings) -> tuple[str, ...]:
    """What would make the comparison possible, and where the accounts stand."""
    groups = findings.groups
    if not groups["accounts"]:
        return (
            f"No account is known before {formats.month(findings.run['t0'])}. What would be needed: exports of the "
            "CRM, of tickets and of billing that reach back further than that.",
        )
    stand = (
        f"Just before {formats.month(findings.run['t0'])}, {formats.count(groups['placed'])} of "
        f"{formats.number_of(groups['accounts'], 'account')} had enough evidence to say how they are run: "
        f"{formats.count(groups['high'])} high in partnership, {formats.count(groups['low'])} low."
    )
    missing = [
        f"{row['label']} ({formats.words(row['reasons'])})"
        for row in findings.measures
        if row["side"] == "style" and row["missing"] + row["thin"] > row["ok"] and row["reasons"]
    ]
    need = (
        "What would be needed: enough comparable accounts both high and low in partnership, each with at least three "
        "signs of how it is run on record before that month and what both sides got on record after it."
    )
    return (stand, need, *([f"Mostly missing today, in account-months: {'; '.join(missing)}."] if missing else []))


def finding(row: Row) -> str:
    """One comparison's verdict on mutual value in a sentence."""
    word = verdict(row)
    if word == "not_estimable":
        return f"{LABELS[word]}: {sentence_end(row['reason'] or 'no reason is recorded')}"
    return (
        f"{LABELS[word]}: {formats.points(row['difference'], signed=True)} points of mutual value (95 % interval "
        f"{formats.point_interval(row['ci_low'], row['ci_high'])}), "
        f"{formats.number_of(row['n_partnership'], 'account')} against {formats.count(row['n_comparison'])}."
    )


def likeness(rows: Sequence[Row]) -> str:
    """Whether weighting made the groups alike, and in what they still differ."""
    unlike = [covariate(row["covariate"]) for row in rows if row["smd_after"] and abs(row["smd_after"]) >= ALIKE]
    if unlike:
        return (
            f"Even after weighting the groups differ in {', '.join(unlike)}, so part of the difference in value may "
            "come from there."
        )
    return "After weighting, the groups are alike in all of these."


def covariate(name: str) -> str:
    """A design column for people: `industry=Retail` as `Industry: Retail`, `seats (not recorded)` as it is."""
    source, level, value = name.partition("=")
    covariate_name, note, rest = source.partition(" (")
    label = COVARIATES.get(covariate_name) or formats.words(covariate_name).capitalize()
    return f"{label}{note}{rest}" + (f": {value}" if level else "")


def hidden_cause(row: Row) -> str:
    """How strong something unrecorded would have to be to explain the difference away; empty where not computed."""
    if formats.fixed(row.get("e_value")) == formats.ABSENT:
        return ""
    return (
        "This compares accounts as they are; it is no experiment. Something that is not recorded could explain the "
        "difference away only if it went with both partnership and value by a risk ratio of at least "
        f"{formats.fixed(row['e_value'])} (E-value)."
    )
