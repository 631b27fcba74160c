"""Mutual value in the made-up world, counted from the drawn records with numpy alone.

The definitions are those of the product (value windows, shrinkage, frozen reference, side scores), written a second
time on purpose: the truth must not be read off the pipeline that it is there to judge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtr

from demo.adoption import UsageDraws
from demo.clock import AS_OF
from demo.companies import SEGMENTS, Companies
from demo.customer_side import BAD, GOOD, CustomerSide, TicketDraws
from demo.draws import Flags, Floats, Ints, Times
from demo.supplier_side import SupplierDraws, SupplierSide

WINDOW = 6  # months
BASE = 12  # months of the reference
POOL = 30  # accounts that a segment needs to be a pool of its own
WINSOR, CLIP = 3.0, 2.326
SUPPORT_HOUR = 450  # kroner, as the demo configures it


@dataclass(frozen=True)
class Component:
    """One part of a side's score: which side, how thin data is shrunk, which way is better, least evidence."""

    side: Literal["supplier", "customer"]
    kind: Literal["fact", "share", "duration"]
    sign: int
    minimum: int


COMPONENTS = {
    "nrr": Component("supplier", "fact", 1, 1),
    "contribution_margin": Component("supplier", "fact", 1, 1),
    "days_beyond_terms": Component("supplier", "fact", -1, 1),
    "discount_depth": Component("supplier", "fact", -1, 1),
    "first_response": Component("customer", "duration", -1, 5),
    "full_resolution": Component("customer", "duration", -1, 5),
    "csat": Component("customer", "share", 1, 3),
    "reopen_rate": Component("customer", "share", -1, 5),
    "adoption": Component("customer", "share", 1, 3),
}


@dataclass(frozen=True)
class Records:
    """All records of one world."""

    companies: Companies
    months: Times
    supplier_draws: SupplierDraws
    supplier: SupplierSide
    tickets: TicketDraws
    customer: CustomerSide
    usage: UsageDraws
    used: Flags


@dataclass(frozen=True)
class Counted:
    """One component of one window, one element per account; nan where there is nothing to count.

    Durations are ln(minutes + 1), `error` their standard error; shares have numerator and `n` as denominator.
    """

    value: Floats
    n: Ints
    numerator: Floats
    error: Floats


@dataclass(frozen=True)
class Pool:
    """Centre and between-account variance towards which thin data is shrunk, one element per account."""

    center: Floats
    between: Floats


@dataclass(frozen=True)
class Reference:
    """Centre and spread that a value is compared with, one element per account."""

    center: Floats
    scale: Floats


@dataclass(frozen=True)
class Values:
    """Supplier's, customer's and mutual value, one element per account, in (0, 1)."""

    supplier: Floats
    customer: Floats
    mutual: Floats


def count_window(records: Records, month: int) -> dict[str, Counted]:
    """Every component over the six months that end with `month`; after churn over the last six paid ones."""
    ends = _last_paid(records.supplier.active, month)
    return {
        "nrr": _retention(records.supplier, month),
        "days_beyond_terms": _lateness(records, ends),
        "discount_depth": _discount(records.supplier, ends),
        "contribution_margin": _margin(records, ends),
        "adoption": _adoption(records, ends),
        **_service(records, ends),
    }


def _last_paid(active: Flags, month: int) -> Ints:
    """Index of the last month with service up to `month`; -1 for none."""
    seen = active[:, : month + 1]
    return np.where(seen.any(axis=1), month - np.argmax(seen[:, ::-1], axis=1), -1)


def _retention(supplier: SupplierSide, month: int) -> Counted:
    opening = supplier.recurring[:, month - WINDOW].astype(float)
    return _fact(supplier.recurring[:, month].astype(float), opening)


def _fact(numerator: Floats, denominator: Floats) -> Counted:
    value = np.divide(numerator, denominator, out=np.full(len(numerator), np.nan), where=denominator > 0)
    return Counted(value, (denominator > 0).astype(np.int64), numerator, np.zeros(len(numerator)))


def due_days(companies: Companies, months: Times) -> Times:
    """Due date of each month's invoice (account x month), which is issued on the month's first day."""
    return np.asarray(months.astype("M8[D]")[None, :] + companies.terms[:, None].astype("m8[D]"))


def _lateness(records: Records, ends: Ints) -> Counted:
    """Amount-weighted days after the due date; what is open at the window's end counts to that day."""
    months, supplier = records.months, records.supplier
    due = due_days(records.companies, months)
    first, last = _window_days(months, ends)
    known = np.minimum((last[:, None] - due).astype(np.int64), supplier.late_days)
    extras = records.supplier_draws.usage + records.supplier_draws.one_off
    falls_due = (due >= first[:, None]) & (due <= last[:, None]) & supplier.active
    weight = (supplier.recurring + extras) * falls_due * ~records.companies.is_automatic[:, None]
    return _fact((weight * np.maximum(known, 0)).sum(axis=1).astype(float), weight.sum(axis=1).astype(float))


def _window_days(months: Times, ends: Ints) -> tuple[Times, Times]:
    first = (months[0] + (ends - WINDOW + 1).astype("m8[M]")).astype("M8[D]")
    last = (months[0] + (ends + 1).astype("m8[M]")).astype("M8[D]") - np.timedelta64(1, "D")
    return first, last


def _inside(supplier: SupplierSide, ends: Ints) -> Flags:
    """Paid months of each account's window (account x month)."""
    month = np.arange(supplier.active.shape[1])
    return np.asarray(supplier.active & (month > ends[:, None] - WINDOW) & (month <= ends[:, None]))


def _margin(records: Records, ends: Ints) -> Counted:
    """Revenue less the work on tickets at the rate of an hour, over revenue."""
    inside = _inside(records.supplier, ends)
    extras = records.supplier_draws.usage + records.supplier_draws.one_off
    revenue = ((records.supplier.recurring + extras) * inside).sum(axis=1) / 100
    tickets = records.tickets
    minutes = records.customer.effort * inside[tickets.account, tickets.month]
    cost = np.bincount(tickets.account, minutes, records.companies.count) / 60 * SUPPORT_HOUR
    return _fact(revenue - cost, revenue)


def _adoption(records: Records, ends: Ints) -> Counted:
    """Features used over features that anybody used, by month."""
    inside, used = _inside(records.supplier, ends), records.used & records.supplier.active[:, :, None]
    offered = used.any(axis=0).sum(axis=1)
    numerator = (used.sum(axis=2) * inside).sum(axis=1).astype(float)
    trials = (offered * inside).sum(axis=1).astype(np.int64)
    enough = np.where(inside.sum(axis=1) >= COMPONENTS["adoption"].minimum, trials, 0)
    return Counted(_ratio(numerator, enough), enough, numerator, np.full(len(ends), np.nan))


def _discount(supplier: SupplierSide, ends: Ints) -> Counted:
    inside = _inside(supplier, ends)
    return _fact(
        (supplier.discount * inside).sum(axis=1).astype(float), (supplier.price * inside).sum(axis=1).astype(float)
    )


def _service(records: Records, ends: Ints) -> dict[str, Counted]:
    """The customer's components, from the tickets created in each account's window."""
    tickets, customer, count = records.tickets, records.customer, records.companies.count
    end = ends[tickets.account]
    inside = (
        (tickets.month > end - WINDOW)
        & (tickets.month <= end)
        & records.supplier.active[tickets.account, tickets.month]
    )
    account = tickets.account[inside]
    last_day = _window_days(records.months, ends)[1][account]
    is_answered = customer.answered[inside] < last_day + np.timedelta64(1, "D")
    is_solved = customer.solved[inside] < last_day + np.timedelta64(1, "D")
    ever_solved = customer.solved[inside] < AS_OF + np.timedelta64(1, "D")
    rating, reopened = customer.rating[inside], customer.reopens[inside] > 0
    return {
        "first_response": _duration(account, customer.response_minutes[inside].astype(float), is_answered, count),
        "full_resolution": _duration(account, customer.resolution_minutes[inside].astype(float), is_solved, count),
        "csat": _share(account, rating == GOOD, (rating == GOOD) | (rating == BAD), count),
        "reopen_rate": _share(account, reopened & ever_solved, ever_solved, count),
    }


def _duration(account: Ints, minutes: Floats, is_known: Flags, count: int) -> Counted:
    """Median minutes as ln(minutes + 1); an unknown time is longer than every known one."""
    median = grouped_median(account, np.where(is_known, minutes, np.inf), count)
    n = np.bincount(account, minlength=count)
    known = np.bincount(account[is_known], minlength=count)
    logs = np.log1p(minutes[is_known])
    mean = _ratio(np.bincount(account[is_known], logs, count), known)
    scatter = np.bincount(account[is_known], (logs - mean[account[is_known]]) ** 2, count)
    error = 1.2533 * np.sqrt(_ratio(_ratio(scatter, known - 1), known))
    value = np.log1p(np.where(np.isfinite(median), median, np.nan))
    return Counted(value, n.astype(np.int64), value, error)


def grouped_median(group: Ints, values: Floats, groups: int) -> Floats:
    """Median of each group's values, the lower of the two in the middle; nan for an empty group."""
    order = np.lexsort((values, group))
    ordered = values[order]
    n = np.bincount(group, minlength=groups)
    has = n > 0
    low = np.cumsum(n) - n + np.maximum(n - 1, 0) // 2
    result = np.full(groups, np.nan)
    result[has] = ordered[low[has]]
    return result


def _share(account: Ints, hit: Flags, asked: Flags, count: int) -> Counted:
    numerator = np.bincount(account, hit, count).astype(float)
    n = np.bincount(account, asked, count).astype(np.int64)
    return Counted(_ratio(numerator, n), n, numerator, np.full(count, np.nan))


def _ratio(numerator: Floats | Ints, denominator: Ints) -> Floats:
    empty = np.full(len(numerator), np.nan)
    return np.asarray(np.divide(numerator, denominator, out=empty, where=denominator > 0))


def is_enough(component: Component, counted: Counted) -> Flags:
    """Accounts whose evidence reaches the minimum."""
    return np.asarray((counted.n >= component.minimum) & np.isfinite(counted.value))


def pool(component: Component, counted: Counted, segment: Ints) -> Pool:
    """The segment's pool where 30 accounts speak, else the portfolio's (methods of moments)."""
    enough = is_enough(component, counted)
    center, between = _moments(component, counted, enough)
    centers, betweens = np.full(len(segment), center), np.full(len(segment), between)
    for number in range(len(SEGMENTS)):
        inside = enough & (segment == number)
        if inside.sum() >= POOL:
            centers[segment == number], betweens[segment == number] = _moments(component, counted, inside)
    return Pool(centers, betweens)


def _moments(component: Component, counted: Counted, inside: Flags) -> tuple[float, float]:
    if component.kind == "fact" or inside.sum() < 2:
        return float("nan"), float("nan")
    x = counted.value[inside]
    if component.kind == "duration":
        plain = float(x.var(ddof=1))
        return float(x.mean()), max(plain - float(np.nanmean(counted.error[inside] ** 2)), 0.001 * plain)
    # Kleinman (JASA 68, 1973): what is left of the shares' scatter after binomial noise.
    m = counted.n[inside].astype(float)
    center = float(counted.numerator[inside].sum() / m.sum())
    noise = center * (1 - center)
    scatter = float((m * (x - center) ** 2).sum()) - (inside.sum() - 1) * noise
    return center, max(scatter / float(m.sum() - (m**2).sum() / m.sum()), 0.001 * noise)


def shrink(component: Component, counted: Counted, towards: Pool) -> Floats:
    """Each account's estimate, drawn to its pool by as much as its own evidence is weak; nan below the minimum."""
    if component.kind == "fact":
        estimate = counted.value
    elif component.kind == "share":
        spread = towards.center * (1 - towards.center)
        k = np.divide(spread, towards.between, out=np.zeros(len(spread)), where=towards.between > 0) - 1
        k = np.maximum(k, 0)
        with np.errstate(invalid="ignore"):
            estimate = (counted.numerator + k * towards.center) / (counted.n + k)
    else:
        error = np.where(counted.error > 0, counted.error, np.sqrt(towards.between)) ** 2
        estimate = (counted.value * towards.between + towards.center * error) / (towards.between + error)
    return np.where(is_enough(component, counted), estimate, np.nan)


def references(records: Records) -> dict[str, Reference]:
    """Centre and spread of each component over the first twelve months whose window lies inside the exports."""
    segment = records.companies.segment
    last = len(records.months) - 1
    windows = {month: count_window(records, month) for month in range(WINDOW, min(WINDOW + BASE, last + 1))}
    return {
        name: _reference(component, [w[name] for w in windows.values()], segment)
        for name, component in COMPONENTS.items()
    }


def _reference(component: Component, windows: list[Counted], segment: Ints) -> Reference:
    estimates = np.array([shrink(component, counted, pool(component, counted, segment)) for counted in windows])
    center, scale = _robust(estimates)
    centers, scales = np.full(len(segment), center), np.full(len(segment), scale)
    for number in range(len(SEGMENTS)):
        inside = segment == number
        if np.isfinite(estimates[:, inside]).any(axis=0).sum() >= POOL:
            centers[inside], scales[inside] = _robust(estimates[:, inside])
    return Reference(centers, scales)


def _robust(estimates: Floats) -> tuple[float, float]:
    """Median and 1.4826 MAD; mean and standard deviation where over a quarter tie or the MAD is 0."""
    x = estimates[np.isfinite(estimates)]
    if len(x) == 0:
        return float("nan"), float("nan")
    center = float(np.median(x))
    mad = 1.4826 * float(np.median(np.abs(x - center)))
    most_tied = np.unique(np.round(x, 9), return_counts=True)[1].max()
    if mad > 1e-9 and most_tied <= 0.25 * len(x):
        return center, mad
    return float(x.mean()), float(x.std(ddof=1)) if len(x) > 1 else float("nan")


def value(counted: dict[str, Counted], pools: dict[str, Pool], reference: dict[str, Reference]) -> Values:
    """Side scores and mutual value of one window: V = Phi(mean z), MV = sqrt(Vs * Vc)."""
    z = {name: _z(component, counted[name], pools[name], reference[name]) for name, component in COMPONENTS.items()}
    supplier, customer = (
        ndtr(np.clip(np.mean([z[name] for name, c in COMPONENTS.items() if c.side == side], axis=0), -CLIP, CLIP))
        for side in ("supplier", "customer")
    )
    return Values(supplier, customer, np.sqrt(supplier * customer))


def _z(component: Component, counted: Counted, towards: Pool, reference: Reference) -> Floats:
    """Distance from the reference, better is higher; an account with thin evidence stands at its pool's mean."""
    estimate = shrink(component, counted, towards)
    standing = reference.center if component.kind == "fact" else towards.center
    estimate = np.where(np.isnan(estimate), standing, estimate)
    z = component.sign * (estimate - reference.center) / reference.scale
    return np.clip(np.where(np.isfinite(z), z, 0.0), -WINSOR, WINSOR)
