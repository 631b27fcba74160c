"""What the two parties agreed to do and told each other: actions of their plans and changes, kept in lists by hand.

The lists are the templates plan_actions.csv and events.csv, and name the CRM's accounts.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demo.clock import AS_OF, day_text
from demo.dirt import Dirt
from demo.draws import Flags, Floats, Ints, Texts, Times, events
from demo.links import Links
from demo.world import World

NOTICE = 14  # days ahead of a change that the other side can do something with
CLAUSE_SHARE = 0.25  # of price changes that an index clause makes


@dataclass(frozen=True)
class Actions:
    """Actions in order of their agreement. Missing days are NaT."""

    account: Ints
    is_customers: Flags
    created: Times
    first_due: Times
    due: Times
    done: Times


@dataclass(frozen=True)
class Changes:
    """Announced changes in order of their announcement. Missing days are NaT."""

    account: Ints
    kind: Texts
    by_customer: Flags
    announced: Times
    effective: Times
    reviewed: Times
    is_exempt: Flags


def draw_actions(world: World) -> Actions:
    """Two or three a month. The more of a partnership, the more of them are the customer's, and the more are done in
    time by either side; a quarter of the due dates move."""
    rng = world.rngs["actions"]
    account, month, created = _days(rng, world, 2 + world.latent.partnership)
    p, count = world.latent.partnership[account, month], len(account)
    is_customers = rng.random(count) < 0.12 + 0.38 * p
    first_due = created + rng.integers(10, 60, count).astype("m8[D]")
    moved = np.where(rng.random(count) < 0.25, rng.integers(7, 45, count), 0).astype("m8[D]")
    is_kept = rng.random(count) < np.where(is_customers, 0.25 + 0.65 * p, 0.45 + 0.5 * p)
    early = rng.integers(0, 9, count).astype("m8[D]")
    late = rng.integers(2, 40, count).astype("m8[D]")
    done = np.where(is_kept, first_due - early, first_due + late)
    known = np.where(done <= AS_OF, done, np.datetime64("NaT"))
    return Actions(account, is_customers, created, first_due, first_due + moved, known)


def draw_changes(world: World) -> Changes:
    """Plans and roadmaps, which partners tell each other of ahead; and our own changes of prices and scope, which we
    review with the customer the more, the less either side looks at its own costs."""
    rng, shape = world.rngs["changes"], world.latent.partnership.shape
    plan = _days(rng, world, np.full(shape, 1.0))
    price = _days(rng, world, np.full(shape, 0.16))
    account, month, announced = (np.concatenate(pair) for pair in zip(plan, price, strict=True))
    count, is_plan = len(account), np.arange(len(account)) < len(plan[0])
    p, cost = world.latent.partnership[account, month], world.latent.cost_focus[account, month]
    is_ahead = rng.random(count) < 0.08 + 0.84 * p
    notice = np.where(is_ahead, rng.integers(NOTICE, 75, count), rng.integers(0, NOTICE, count))
    effective = announced + np.where(is_plan, notice, rng.integers(30, 90, count)).astype("m8[D]")
    reviewed = effective - rng.integers(1, 30, count).astype("m8[D]")
    is_reviewed = ~is_plan & (rng.random(count) < 0.95 - 0.85 * cost) & (reviewed <= AS_OF)
    by_customer = is_plan & (rng.random(count) < 0.6)
    is_price = rng.random(count) < 0.75
    kind = np.select([by_customer, is_plan, is_price], ["volume_plan", "roadmap", "price_change"], "scope_change")
    changes = Changes(
        account=account,
        kind=kind,
        by_customer=by_customer,
        announced=announced,
        effective=effective,
        reviewed=np.where(is_reviewed, reviewed, np.datetime64("NaT")),
        is_exempt=(kind == "price_change") & (rng.random(count) < CLAUSE_SHARE),
    )
    order = np.argsort(announced, kind="stable")
    return Changes(**{name: column[order] for name, column in vars(changes).items()})


def _days(rng: np.random.Generator, world: World, rate: Floats) -> tuple[Ints, Ints, Times]:
    """Account, month index and day of events at `rate` a month of paid service, in order of time."""
    account, month = events(rng.poisson(rate * world.records.supplier.active))
    day = world.months[month].astype("M8[D]") + rng.integers(0, 28, len(account)).astype("m8[D]")
    order = np.lexsort((account, day))
    return account[order], month[order], day[order]


def write_agreements(inbox: Path, world: World, links: Links, dirt: Dirt) -> None:
    """Write inbox/goals/plan_actions.csv and inbox/events/events.csv."""
    actions, changes = draw_actions(world), draw_changes(world)
    write_list(
        inbox / "goals" / "plan_actions.csv",
        {
            "action_id": numbered("PA", len(actions.account)),
            "account_id": links.crm[actions.account],
            "owner_side": np.where(actions.is_customers, "customer", "supplier"),
            "first_due_on": day_text(actions.first_due),
            "due_on": day_text(actions.due),
            "done_on": day_text(actions.done),
            "status": np.where(np.isnat(actions.done), "open", "done"),
            "created_on": day_text(actions.created),
        },
        dirt,
    )
    write_list(
        inbox / "events" / "events.csv",
        {
            "event_id": numbered("EV", len(changes.account)),
            "account_id": links.crm[changes.account],
            "kind": changes.kind,
            "by_side": np.where(changes.by_customer, "customer", "supplier"),
            "announced_on": day_text(changes.announced),
            "effective_on": day_text(changes.effective),
            "joint_review_on": day_text(changes.reviewed),
            "is_exempt": np.where(changes.is_exempt, "yes", "no"),
            "created_at": day_text(changes.announced),
        },
        dirt,
    )


def numbered(prefix: str, count: int) -> Texts:
    """Ids of a list's rows: `PA-000001` and so on."""
    return np.array([f"{prefix}-{number:06d}" for number in range(1, count + 1)], dtype="U9")


def write_list(path: Path, table: Mapping[str, Texts | Ints], dirt: Dirt) -> None:
    """Write a list as a spreadsheet program does, with its repeated rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = list(zip(*(column.tolist() for column in table.values()), strict=True))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(table)
        writer.writerows(dirt.spoil(f"{path.parent.name}/{path.name}", rows))
