"""Shared goals: objectives of account plans, agreed and reviewed the more, the more of a partnership."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo import words
from demo.clock import AS_OF
from demo.draws import Flags, Floats, Ints, Texts, Times, events
from demo.people import People, customer_person, staff_person
from demo.world import World

BEFORE = 8  # months before the exports in which a goal may have begun
REVIEW_DAYS = 60
ENTRY_DAYS = 10  # days from the first on which older goals were entered


@dataclass(frozen=True)
class Goals:
    """Objectives in order of their start. Missing days are NaT, a missing stakeholder is -1."""

    account: Ints
    title: Texts
    metric: Texts
    owner: Ints
    stakeholder: Ints
    starts: Times
    due: Times
    created: Times
    confirmed: Times
    reviewed: Times
    has_target: Flags
    target: Ints
    current: Ints
    status: Texts
    beneficiary: Texts


def draw_goals(world: World, people: People) -> Goals:
    """Goals of four to nine months. Where partnership is low there are few, and they lack a customer who owns them,
    a confirmation, a review or a target; some are the same template for everyone."""
    rng, companies = world.rngs["goals"], world.companies
    p_of = np.concatenate(
        [np.repeat(world.latent.partnership[:, :1], BEFORE, axis=1), world.latent.partnership], axis=1
    )
    active = np.concatenate([companies.start[:, None] <= np.arange(-BEFORE, 0), world.records.supplier.active], axis=1)
    account, starts, due = _spans(rng, world, (0.04 + 0.6 * p_of) * active)
    month = (starts.astype("M8[M]") - world.months[0]).astype(np.int64) + BEFORE
    p, count = p_of[account, month], len(account)
    # Account plans came into use with the first month: what was already under way was entered then.
    entered = world.months[0].astype("M8[D]") + rng.integers(0, ENTRY_DAYS, count).astype("m8[D]")
    created = np.maximum(starts - rng.integers(0, 10, count).astype("m8[D]"), entered)
    has_owner = rng.random(count) < 0.35 + 0.6 * p
    is_confirmed = has_owner & (rng.random(count) < 0.4 + 0.55 * p)
    target = rng.integers(5, 40, count)
    title, metric = _titles(rng, companies.root[account], target, rng.random(count) < 0.3 * (1 - p))
    ends = np.minimum(_left(world)[account], due)
    share = rng.beta(4, 2, count)
    return Goals(
        account=account,
        title=title,
        metric=metric,
        owner=staff_person(companies, account, p, rng.random(count)),
        stakeholder=np.where(has_owner, customer_person(people, companies, account, p, rng.random(count)), -1),
        starts=starts,
        due=due,
        created=created,
        confirmed=_until_as_of(
            np.where(
                is_confirmed,
                np.maximum(starts, created) + rng.integers(0, 15, count).astype("m8[D]"),
                np.datetime64("NaT"),
            )
        ),
        reviewed=np.where(rng.random(count) < 0.6 + 0.35 * p, _last_review(rng, starts, ends), np.datetime64("NaT")),
        has_target=rng.random(count) < 0.8 + 0.15 * p,
        target=target,
        current=np.rint(target * share * 1.4).astype(np.int64),
        status=_status(due, ends, share * 1.4),
        beneficiary=_beneficiary(rng.random(count), world.latent.cost_focus[account, np.maximum(month - BEFORE, 0)]),
    )


def _spans(rng: np.random.Generator, world: World, rate: Floats) -> tuple[Ints, Times, Times]:
    """Account, first day and due day of the goals that are pursued in the months of the exports, by their start."""
    account, month = events(rng.poisson(rate))
    first = (world.months[0] - BEFORE + month).astype("M8[D]")
    starts = first + rng.integers(0, 28, len(account)).astype("m8[D]")
    due = starts + rng.integers(120, 275, len(account)).astype("m8[D]")
    order = np.lexsort((account, starts))
    order = order[due[order] > world.months[0].astype("M8[D]") + ENTRY_DAYS]
    return account[order], starts[order], due[order]


def _left(world: World) -> Times:
    """The first day without service; far ahead for customers who stay."""
    active = world.records.supplier.active
    months = active.shape[1]
    after_last = np.where(active[:, -1], 10 * months, months - np.argmax(active[:, ::-1], axis=1))
    after_last = np.where(active.any(axis=1), after_last, 0)
    return np.asarray((world.months[0] + after_last.astype("m8[M]")).astype("M8[D]"))


def _until_as_of(day: Times) -> Times:
    return np.where(day <= AS_OF, day, np.datetime64("NaT"))


def _last_review(rng: np.random.Generator, starts: Times, ends: Times) -> Times:
    """The latest of reviews about every sixty days: the system keeps no earlier ones."""
    until = (np.minimum(ends, AS_OF) - starts).astype(np.int64)
    days = (until // REVIEW_DAYS) * REVIEW_DAYS - rng.integers(0, 12, len(starts))
    return np.where(days > 0, starts + days.astype("m8[D]"), np.datetime64("NaT"))


def _titles(rng: np.random.Generator, root: Texts, target: Ints, is_template: Flags) -> tuple[Texts, Texts]:
    own_titles, own_metrics = (np.array(part) for part in zip(*words.GOALS, strict=True))
    shared_titles, shared_metrics = (np.array(part) for part in zip(*words.TEMPLATE_GOALS, strict=True))
    own, shared = rng.integers(len(own_titles), size=len(root)), rng.integers(len(shared_titles), size=len(root))
    title = np.strings.replace(np.strings.replace(own_titles[own], "{company}", root), "{target}", target.astype(str))
    return np.where(is_template, shared_titles[shared], title), np.where(
        is_template, shared_metrics[shared], own_metrics[own]
    )


def _status(due: Times, ends: Times, attained: Floats) -> Texts:
    """Canceled when the customer left first; else In Progress until due, then Completed or Missed."""
    return np.select(
        [(ends < due) & (ends <= AS_OF), due > AS_OF, attained >= 1], ["Canceled", "In Progress", "Completed"], "Missed"
    )


def _beneficiary(u: Floats, cost_focus: Floats) -> Texts:
    """The more either side looks at its own costs, the more of the goals serve one side alone."""
    joint = 0.9 - 0.7 * cost_focus
    return np.select([u < joint, u < joint + 0.7 * (1 - joint)], ["Joint", "Supplier"], "Customer")
