"""How well one company is known as one: precision and recall on made-up suppliers whose truth is known.

    python -m benchmarks.identity [--accounts N] [--from-probability P]

For each world (seed, dirt) the exports are landed and linked as a night does, first by certain keys alone, then once
more after every first suggestion of at least P has been accepted, which is the worst that a person can do who reads no
name. A pair is two accounts of two systems; precision is the share of the linked pairs that are one company, recall the
share of one company's pairs that are linked. Unmatched revenue is the share of what was invoiced to nobody known.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from benchmarks.building import built
from demo import write_demo
from transforms.identity import read_accounts, suggest
from warehouse import links
from warehouse.contracts import SHIPPED, load_contracts
from warehouse.engine import Engine
from warehouse.landing import land
from warehouse.links import LinkDecision
from warehouse.project import Project

# The demo as it is, and three with other seeds and more and more dirt.
WORLDS = ((1, 1.0), (7, 2.0), (11, 3.0), (23, 4.0))
LANDED = dt.datetime(2026, 7, 1)

Account = tuple[str, str]
Companies = Mapping[Account, str]


@dataclass(frozen=True)
class Quality:
    """Pairs of accounts of two systems: so many are one company, so many were linked, so many of those rightly."""

    true: int
    linked: int
    right: int
    accounts_unmatched: float
    revenue_unmatched: float

    @property
    def precision(self) -> float:
        return self.right / self.linked if self.linked else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.true


@dataclass(frozen=True)
class World:
    """One made-up supplier, before and after its suggestions were accepted."""

    seed: int
    dirt: float
    certain: Quality
    accepted: Quality
    suggestions: int
    right_suggestions: int


def pairs(companies: Companies) -> frozenset[tuple[Account, Account]]:
    """Every two accounts of different systems that are the same company."""
    groups: dict[str, list[Account]] = {}
    for account, company in companies.items():
        groups.setdefault(company, []).append(account)
    return frozenset(
        (first, second)
        for group in groups.values()
        for first, second in combinations(sorted(group), 2)
        if first[0] != second[0]
    )


def quality(found: Companies, truth: Companies, accounts_unmatched: float, revenue_unmatched: float) -> Quality:
    """Compare what was found (unlinked accounts left out) with the truth."""
    linked, true = pairs(found), pairs(truth)
    return Quality(len(true), len(linked), len(linked & true), accounts_unmatched, revenue_unmatched)


def measure(folder: Path, seed: int, dirt: float, accounts: int, from_probability: float) -> World:
    """Write one supplier's exports into `folder`, link them, accept what is suggested, and link them again."""
    write_demo(folder, accounts=accounts, seed=seed, dirt=dirt)
    project = Project.open(folder)
    truth = _truth(folder / "truth.json")
    contracts = load_contracts([SHIPPED])
    # Lists kept by hand name the CRM's own ids: they have nothing to link.
    for system in sorted({system for system, _ in truth}):
        land(project, contracts, system, LANDED)
    with built(project, folder / "first", ["canonical"]) as engine:
        certain = _quality(engine, truth)
        suggested = suggest(**read_accounts(engine.connection), suggest_from=from_probability).to_pylist()
    first = [row for row in suggested if row["rank"] == 1]
    links.append(
        project.identity,
        [LinkDecision(project.as_of(), row["system"], row["source_account_id"], row["account_id"]) for row in first],
    )
    with built(project, folder / "second", ["canonical"]) as engine:
        accepted = _quality(engine, truth)
    right = sum(_is_right(row, truth) for row in first)
    return World(seed, dirt, certain, accepted, len(first), right)


def _is_right(row: Mapping[str, str], truth: Companies) -> bool:
    system, account = row["account_id"].split(":", 1)
    return truth[row["system"], row["source_account_id"]] == truth[system, account]


def _truth(path: Path) -> Companies:
    told = json.loads(path.read_text(encoding="utf-8"))["companies"]
    return {
        (system, account): company
        for company, known in told.items()
        for system, accounts in known.items()
        for account in accounts
    }


def _quality(engine: Engine, truth: Companies) -> Quality:
    rows = engine.execute(
        "select source_system, source_account_id, account_id from canonical.account_xref where account_id is not null"
    ).fetchall()
    shares = engine.execute(
        "select entity, cast(1 - sum(matched) / sum(total) as double) from canonical.matching group by entity"
    ).fetchall()
    unmatched = dict(shares)
    found = {(system, account): company for system, account, company in rows}
    return quality(found, truth, unmatched["account"], unmatched["revenue"])


def table(worlds: Sequence[World], from_probability: float) -> str:
    """The results as a table of markdown."""
    lines = [
        "| seed | dirt | | precision | recall | accounts unmatched | revenue unmatched | suggestions accepted, right |",
        "|---:|---:|---|---:|---:|---:|---:|---:|",
    ]
    for world in worlds:
        for name, each, more in (
            ("certain keys", world.certain, ""),
            (
                f"+ suggestions from {from_probability:g}",
                world.accepted,
                f"{world.suggestions}, {world.right_suggestions}",
            ),
        ):
            lines.append(
                f"| {world.seed} | {world.dirt:g} | {name} | {each.precision:.4f} | {each.recall:.4f} "
                f"| {each.accounts_unmatched:.2%} | {each.revenue_unmatched:.2%} | {more} |"
            )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=600)
    parser.add_argument("--from-probability", type=float, default=0.9)
    asked = parser.parse_args(arguments)
    worlds = []
    for seed, dirt in WORLDS:
        with tempfile.TemporaryDirectory() as folder:
            worlds.append(measure(Path(folder), seed, dirt, asked.accounts, asked.from_probability))
    print(table(worlds, asked.from_probability))


if __name__ == "__main__":
    main()
