"""Does the score find what was planted? Rank correlations with the truth of the made-up supplier.

    python -m benchmarks.recovery [--accounts N] [--months N] [--seed N] [--effect E]

A demo is written and built as a night does it, without checks and report. Style is compared with the planted
partnership and cost focus, each the mean over the 12 months of the last window; value with what is planted for each
account (truth.json), without the chance of single tickets and invoices, and with the demo's own account of the records
behind its files (demo/scoring.py), which saw no export, no link and no dirt. Reliability stands beside them: a score
can follow the truth no better than the square root of it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from benchmarks.building import built
from demo import write_demo
from demo.scoring import COMPONENTS, count_window, pool, references, value
from demo.world import draw_world
from warehouse import build
from warehouse.contracts import SHIPPED, load_contracts
from warehouse.landing import land_all
from warehouse.models import LAYERS
from warehouse.project import Project

STYLE_MONTHS = 12
LANDED = dt.datetime(2026, 7, 1)
STYLE = ("partnership", "cost_focus")
VALUE = ("supplier_value", "customer_value")
# What a score is held against: what was planted, or what the demo counts in its own records.
PLANTED, COUNTED = "planted", "counted"


@dataclass(frozen=True)
class Recovered:
    """One score of the last month: over so many accounts it follows this truth so far."""

    score: str
    truth: str
    accounts: int
    spearman: float


def measure(folder: Path, accounts: int, months: int, seed: int, effect: float) -> tuple[list[Recovered], pd.DataFrame]:
    """Write a demo into `folder` and build it; every score's rank correlations with the truth, and mart.reliability."""
    write_demo(folder, accounts=accounts, months=months, seed=seed, effect=effect)
    scored, reliability = _built(folder)
    found = []
    for (score, truth), true in _truths(folder / "truth.json", seed, effect).items():
        both = pd.DataFrame({"found": scored[score], "true": true}).dropna()
        found.append(Recovered(score, truth, len(both), float(spearmanr(both["found"], both["true"]).statistic)))
    return found, reliability


def _built(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """mart.relationship_month of the last month by the CRM's id, and mart.reliability."""
    project, contracts = Project.open(folder), load_contracts([SHIPPED])
    landed = land_all(project, contracts, LANDED)
    with built(project, folder / "build", list(LAYERS), landed) as engine:
        build.contrast(engine, project, project.as_of())
        scored = engine.execute(
            f"select split_part(account_id, ':', 2) as account, {', '.join((*STYLE, *VALUE))} "
            "from mart.relationship_month where month = (select max(month) from mart.relationship_month)"
        ).df()
        reliability = engine.execute("select * from mart.reliability order by construct, statistic").df()
    return scored.set_index("account"), reliability


def _truths(path: Path, seed: int, effect: float) -> dict[tuple[str, str], pd.Series]:
    """What is true of each account, by score and truth, by the CRM's id; nan for who was no customer."""
    truth = json.loads(path.read_text(encoding="utf-8"))
    crm = [known["salesforce"][0] for known in truth["companies"].values()]
    truths: dict[tuple[str, str], Any] = {
        (score, PLANTED): [np.mean(truth["latent"][account][score][-STYLE_MONTHS:]) for account in crm]
        for score in STYLE
    }
    for score in VALUE:
        truths[score, PLANTED] = [truth["planted"].get(account, {}).get(score, np.nan) for account in crm]
    world = draw_world(truth["accounts"], truth["months"], seed, effect)
    counted = count_window(world.records, truth["months"] - 1)
    pools = {name: pool(component, counted[name], world.companies.segment) for name, component in COMPONENTS.items()}
    values = value(counted, pools, references(world.records))
    truths |= {("supplier_value", COUNTED): values.supplier, ("customer_value", COUNTED): values.customer}
    return {name: pd.Series(true, index=crm) for name, true in truths.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=600)
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--effect", type=float, default=1.0)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        found, reliability = measure(Path(folder), asked.accounts, asked.months, asked.seed, asked.effect)
    for each in found:
        print(f"{each.score:<16} Spearman {each.spearman:.3f} with what was {each.truth}, {each.accounts} accounts")
    for row in reliability.itertuples():
        print(f"{row.construct:<16} {row.statistic} {row.value:.3f}, {row.accounts} accounts")


if __name__ == "__main__":
    main()
