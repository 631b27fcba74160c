"""The report's five objections: what a hostile reader says first, what the data say to it, and by which rule.

An objection is against an answer. Where the verdict says that there is a difference, it says that the difference comes
from elsewhere; where it says that there is none that matters, that one is hidden. No mark changes the verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from warehouse.serving import formats, wording
from warehouse.serving.findings import Findings, Row
from warehouse.serving.page import escaped, fold, paragraph

Mark = Literal["holds", "weakens", "cannot_tell"]
Case = Literal["difference", "null", "open"]
Said = tuple[Mark, str]

MARKS: dict[Mark, str] = {
    "holds": "The answer holds",
    "weakens": "The answer weakens",
    "cannot_tell": "Cannot tell",
}
# A hidden cause as strong as the size of the customer, or twice as strong (Cinelli, Hazlett 2020, JRSS B 82:39).
AS_STRONG, TWICE = "confounder_like_log_mrr_1x", "confounder_like_log_mrr_2x"
# The odds by which a hidden cause may divide a pair of like accounts (Rosenbaum 2002, Observational Studies, 4).
GAMMA = 1.5
# The trends may part after the switch as much as they did at most before it (Rambachan, Roth 2023, REStud 90:2555).
AS_BEFORE = 1.0
EXPOSURE = "logging_intensity"

INTRO = (
    "What a critic would say first, and what the data say to it. The mark says what becomes of the answer at the "
    "top: it holds, it weakens, or the data cannot tell. The rules are the same whatever comes out; no mark changes "
    "the verdict."
)
OPEN = (
    "The verdict leaves the question open, so there is no answer for an objection to weaken, and every mark is "
    "“Cannot tell”. What the data say is told all the same."
)
NO_ANSWER = (
    "Nothing could be compared, so there is no answer yet for an objection to weaken. Told is what each will be asked."
)


@dataclass(frozen=True)
class Objection:
    """An objection in a critic's words, what it is put to, the rule of its mark, and what the data say."""

    question: str
    test: str
    rule: str
    say: Callable[[Findings, Row, Case], Said]


def objections(findings: Findings) -> tuple[str, ...]:
    """The five with their marks, and the rules of the marks."""
    row = findings.estimate(wording.PRIMARY, "mutual_value")
    case = case_of(row)
    notes = {"open": OPEN, None: NO_ANSWER}
    items = "".join(_item(objection, *said(objection, findings)) for objection in OBJECTIONS)
    rules = "".join(f"<dt>{escaped(each.question)}</dt><dd>{escaped(each.rule)}</dd>" for each in OBJECTIONS)
    return (
        paragraph(INTRO),
        paragraph(notes[case]) if case in notes else "",
        f'<ol class="objections">\n{items}</ol>\n',
        fold("How the marks are given", f'<dl class="terms">{rules}</dl>'),
    )


def said(objection: Objection, findings: Findings) -> Said:
    """The objection's mark and what the data say to it."""
    row = findings.estimate(wording.PRIMARY, "mutual_value")
    case = case_of(row)
    if row is None or case is None:
        return "cannot_tell", objection.test
    mark, sentence = objection.say(findings, row, case)
    return ("cannot_tell" if case == "open" else mark), sentence


def case_of(row: Row | None) -> Case | None:
    """Which kind of answer there is to object to; None where nothing could be compared."""
    word = "not_estimable" if row is None else wording.verdict(row)
    cases: dict[str, Case] = {
        "supported": "difference",
        "contradicted": "difference",
        "practically_null": "null",
        "inconclusive": "open",
    }
    return cases.get(word)


def _item(objection: Objection, mark: Mark, sentence: str) -> str:
    return (
        f"<li><h3>{escaped(objection.question)}</h3>\n"
        f'<p class="mark" data-mark="{mark}">{escaped(MARKS[mark])}</p>\n{paragraph(sentence)}</li>\n'
    )


# --- size, and whatever else is known of an account -------------------------------------------------------------------


def _size(findings: Findings, row: Row, case: Case) -> Said:
    rows = [
        each for each in wording.of_primary(findings.balance) if None not in (each["smd_before"], each["smd_after"])
    ]
    like = findings.withstood(AS_STRONG)
    if not rows:
        return "cannot_tell", "How alike the two groups are was not computed."
    unlike = [each for each in rows if abs(each["smd_after"]) >= wording.ALIKE]
    sentence = _likeness(rows, unlike)
    if case == "null":
        return ("weakens", f"{sentence} That may hide a difference.") if unlike else ("holds", sentence)
    if unlike:
        sentence += " Part of the difference may come from there."
    if like is None:
        return ("weakens" if unlike else "cannot_tell"), (
            f"{sentence} How much a hidden cause as strong as size would change could not be computed."
        )
    left = formats.estimate(like["value"], like["ci_low"], like["ci_high"])
    sentence += f" A further cause, unseen and as strong as size, would leave {left}"
    share = findings.withstood("robustness_value")
    if share is not None:
        sentence += (
            f"; to explain all of the difference it would need {formats.percent(share['value'])} of what is left "
            "unexplained in both partnership and value"
        )
    return ("weakens" if unlike or not _keeps(like, row) else "holds"), f"{sentence}."


def _likeness(rows: list[Row], unlike: list[Row]) -> str:
    size = next((each for each in rows if each["covariate"] == "log_mrr"), None)
    before = max(rows, key=lambda each: abs(each["smd_before"]))
    of_size = (
        ""
        if size is None
        else f"In revenue the groups differ by {_deviations(size, 'smd_before')} standard deviations, after weighting "
        f"by {_deviations(size, 'smd_after')}. "
    )
    most = f"{of_size}Of all that is known they differ most in {_named(before, 'smd_before')}"
    if not unlike:
        at_most = formats.fixed(max(abs(each["smd_after"]) for each in rows))
        return f"{most}; after weighting in nothing by {wording.ALIKE} or more (at most {at_most})."
    names = ", ".join(_named(each, "smd_after") for each in unlike)
    return f"{most}; after weighting still in {names}."


def _named(row: Row, column: str) -> str:
    name = wording.covariate(row["covariate"])
    inner = name if name[1:2].isupper() else name[:1].lower() + name[1:]
    return f"{inner} ({_deviations(row, column)})"


def _deviations(row: Row, column: str) -> str:
    return formats.fixed(abs(row[column]))


# --- registration -----------------------------------------------------------------------------------------------------


def _registration(findings: Findings, row: Row, case: Case) -> Said:
    found = findings.withstood("logging_as_exposure")
    if found is None:
        return "cannot_tell", "How much the managers write down could not be compared with what both sides get."
    low, high = found["ci_low"], found["ci_high"]
    size = formats.estimate(found["value"], low, high)
    start = f"At equal partnership, accounts whose managers write more down differ by {size} of mutual value"
    if _keeps(found, row) and case != "null":
        return "weakens", f"{start}: more than chance, so part of the difference may be better registration."
    if not low <= 0 <= high:
        if case == "null":
            return "weakens", f"{start}: more than chance, so registration moves value and may hide a difference."
        return "holds", f"{start}: more than chance, but against the difference, which would be larger without it."
    if case == "difference" and low <= row["difference"] <= high:
        return "cannot_tell", f"{start}: a range that holds none as well as all of the difference between the groups."
    most = " and at most less than the difference between the groups" if case == "difference" else ""
    return "holds", f"{start}: no more than chance{most}."


# --- chance -----------------------------------------------------------------------------------------------------------


def _chance(findings: Findings, row: Row, case: Case) -> Said:
    family = _family(findings)
    if case == "null":
        smallest = findings.smallest(wording.PRIMARY, "mutual_value")
        matter = "" if smallest is None else f" of {formats.points(smallest)} points"
        return "holds", (
            f"The whole 95 % interval, {formats.point_interval(row['ci_low'], row['ci_high'])} points, is smaller "
            f"than a difference that matters{matter}: chance may hide one, but only one too small to matter.{family}"
        )
    found = findings.withstood("permuted_labels")
    p = None if found is None else found["p_value"]
    if p is None:
        return "cannot_tell", f"How large a difference chance alone makes could not be computed.{family}"
    start = (
        "With the groups shuffled among like accounts, where nothing can be found, a difference as large for its "
        f"error comes {formats.often(p)} of the time"
    )
    if p < wording.LEVEL:
        return "holds", f"{start}, so it is hardly chance.{family}"
    return "weakens", f"{start}, so chance alone may have made it.{family}"


def _family(findings: Findings) -> str:
    """How many of the other contrasts stand when their number is allowed for."""
    corrected = [
        row["q_value"] for row in findings.contrast if row["estimator"] == "overlap" and row["q_value"] is not None
    ]
    if not corrected:
        return ""
    return (
        f" Of the {len(corrected)} other contrasts {sum(q < wording.LEVEL for q in corrected)} stand after correction "
        f"for their number (q below {wording.LEVEL})."
    )


# --- the other way round ----------------------------------------------------------------------------------------------


def _reverse(findings: Findings, row: Row, case: Case) -> Said:
    earlier = _earlier(findings)
    found = findings.tested("average_effect_of_switching")
    if found is None:
        return "cannot_tell", (
            f"{earlier} Only accounts that changed can tell which came first: "
            f"{wording.sentence_end(findings.refused('average_effect_of_switching'))}"
        )
    gained = (
        f"The {formats.number_of(found['n_accounts'], 'account')} that became partners changed by "
        f"{formats.estimate(found['estimate'], found['ci_low'], found['ci_high'])} against those that had not yet"
    )
    before, withstood = findings.tested("pre_trend"), findings.tested("breakdown_magnitude")
    apart = before is not None and before["p_value"] < wording.LEVEL
    steady = withstood is not None and withstood["estimate"] >= AS_BEFORE
    sentence = f"{earlier} {gained}; {_trend(before)}.{_breakdown(withstood)}"
    if case == "null":
        return ("holds" if found["ci_low"] <= 0 <= found["ci_high"] and not apart else "weakens"), sentence
    if apart or not (found["ci_low"] <= row["difference"] <= found["ci_high"] or _keeps(found, row)):
        return "weakens", sentence
    return ("holds" if _keeps(found, row) and before is not None and steady else "cannot_tell"), sentence


def _earlier(findings: Findings) -> str:
    found = findings.withstood("value_before")
    if found is None:
        return "What the groups got before their style was read is not known."
    size = formats.estimate(found["value"], found["ci_low"], found["ci_high"])
    if found["ci_low"] <= 0 <= found["ci_high"]:
        return f"Before their style was read the same groups differed by {size}, no more than chance."
    return (
        f"Before their style was read the same groups differed already, by {size}; style lasts, so that alone decides "
        "nothing."
    )


def _trend(before: Row | None) -> str:
    if before is None:
        return "whether the two had moved apart before is not known"
    told = formats.p_value(before["p_value"])
    return (
        f"the two had moved apart already before ({told})"
        if before["p_value"] < wording.LEVEL
        else f"before that nothing shows that the two moved apart ({told})"
    )


def _breakdown(withstood: Row | None) -> str:
    if withstood is None:
        return ""
    return (
        " That stays clear of 0 while the trends part after the change by up to "
        f"{formats.fixed(withstood['estimate'])} "
        "times what they did at most before it."
    )


# --- what was not measured --------------------------------------------------------------------------------------------


def _hidden(findings: Findings, row: Row, case: Case) -> Said:
    if case == "null":
        return "cannot_tell", (
            "Something that is not recorded may work against partnership and hide a difference. No number in the "
            "data bounds that."
        )
    twice, gamma = findings.withstood(TWICE), findings.withstood("rosenbaum_gamma")
    parts = [*_e_value(findings)]
    if twice is not None:
        left = formats.estimate(twice["value"], twice["ci_low"], twice["ci_high"])
        parts.append(f"A hidden cause twice as strong as the size of the customer would leave {left}.")
    if gamma is not None:
        parts.append(
            "The difference stays more than chance until something hidden makes one of two like accounts "
            f"{formats.fixed(gamma['value'])} times as likely to be run as a partnership (Rosenbaum’s gamma)."
        )
    if twice is None and gamma is None:
        return "cannot_tell", " ".join([*parts, "How strong a hidden cause would have to be could not be computed."])
    stands = [twice is None or _keeps(twice, row), gamma is None or gamma["value"] >= GAMMA]
    return ("holds" if all(stands) else "weakens"), " ".join(parts)


def _e_value(findings: Findings) -> list[str]:
    whole, limit = findings.withstood("e_value"), findings.withstood("e_value_of_limit")
    if whole is None or limit is None:
        return []
    return [
        "To explain the difference away, something unrecorded must go with both partnership and value by a risk "
        f"ratio of {formats.fixed(whole['value'])} each; {formats.fixed(limit['value'])} would let the interval reach "
        "0 (E-value)."
    ]


def _keeps(found: Row, row: Row) -> bool:
    """Whether the interval lies wholly on the side of 0 that the difference is on."""
    return bool(found["ci_low"] > 0 if row["difference"] > 0 else found["ci_high"] < 0)


OBJECTIONS = (
    Objection(
        "“Larger customers are simply both: partners, and worth more.”",
        "Whether the weights make the groups alike in size and all else that is known, and what one more cause as "
        "strong as size would leave of the difference.",
        f"Holds: after weighting, no covariate differs by {wording.ALIKE} standard deviations or more, and a further "
        "hidden cause as strong as revenue would leave the interval on its side of 0. Weakens: either fails. Where "
        "the verdict is that no difference matters, the weights alone count.",
        _size,
    ),
    Objection(
        "“It is only better registration: who writes more down looks like a partner.”",
        "Whether accounts whose managers write more down get more at equal partnership.",
        "Holds: at equal partnership, managers’ logging goes with no difference, or with one in the other direction, "
        "and its interval does not reach the difference between the groups. Weakens: its interval lies on the side "
        "of the difference. Cannot tell: its interval holds both 0 and the difference. Where the verdict is that no "
        "difference matters, any interval that holds 0 counts as holding.",
        _registration,
    ),
    Objection(
        "“It is chance.”",
        "How often groups that are shuffled among like accounts differ as much.",
        f"Holds: of the shuffled groups, fewer than {wording.LEVEL:.0%} give as large a difference, for its error. "
        "Weakens: more do. Where the verdict is that no difference matters, it holds by what the verdict says.".replace(
            "%", " %"
        ),
        _chance,
    ),
    Objection(
        "“Good results make partners, not the other way round.”",
        "Whether the groups differed before their style was read, and whether accounts that became partners gained "
        "then, and not before.",
        "Holds: accounts that became partners then gained, by an interval on the side of the difference; the test of "
        f"the time before finds no parting (p at least {wording.LEVEL}); and the gain stays clear of 0 if the trends "
        "part as much after the change as at most before it. Weakens: they had parted before, or their change fits "
        "neither with the difference nor with one on its side of 0. Where the verdict is that no difference matters, "
        "a change whose interval holds 0 counts as holding. Value before the style was read decides nothing. Else, "
        "cannot tell.",
        _reverse,
    ),
    Objection(
        "“It is something else, which nobody measured.”",
        "How strong a cause that nobody recorded would have to be to explain the difference away.",
        "Holds: a hidden cause twice as strong as revenue would leave the interval on its side of 0, and so would "
        f"one that makes an account {GAMMA} times as likely to be a partnership (gamma). Weakens: either fails. Where "
        "the verdict is that no difference matters, cannot tell. Nothing can exclude a cause stronger than these.",
        _hidden,
    ),
)
