"""What is true of the made-up world, for judging what the product says of it. No estimator may read this."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from demo.clock import AS_OF
from demo.expected import expected_values
from demo.links import Links
from demo.scoring import COMPONENTS, WINDOW, count_window, pool, references, value
from demo.world import World

GRID = tuple(step / 20 for step in range(21))


@dataclass(frozen=True)
class DemoTruth:
    """The truth behind one made-up supplier.

    Attributes:
        companies: company -> system -> the ids that are this company there.
        latent: `months` (first days), and for each CRM account id partnership and cost_focus per month, in (0, 1).
        switchers: CRM account ids that changed once -> the first month of the change.
        dirt: file -> records written, of them repeated and damaged; and what no contract knows.
        expected_mutual_value: for each partnership of `grid` the mean over all customers at the opening of the last
            six months, had every account had that partnership and all else been the same.
        spread_of_mutual_value: standard deviation over those customers as things really were.
        planted: for each CRM account id that was a customer then, the supplier's and the customer's value (0-1) that
            its own level, size and partnership plant for the last six months, without chance: an order to be found.
    """

    seed: int
    effect: float
    accounts: int
    months: int
    as_of: str
    companies: Mapping[str, Mapping[str, Sequence[str]]]
    latent: Mapping[str, Sequence[str] | Mapping[str, Sequence[float]]]
    switchers: Mapping[str, str]
    dirt: Mapping[str, Mapping[str, int] | Sequence[str]]
    expected_mutual_value: Mapping[str, Sequence[float]]
    spread_of_mutual_value: float
    planted: Mapping[str, Mapping[str, float]]

    def write(self, path: Path) -> None:
        """Write as JSON; the same truth gives the same bytes."""
        text = json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))
        path.write_text(text + "\n", encoding="utf-8", newline="\n")


def tell_truth(world: World, links: Links, dirt: Mapping[str, Mapping[str, int]]) -> DemoTruth:
    """Gather the truth; the expected values come from twins of the world."""
    grid, spread = expected_mutual_value(world)
    months = [str(month) + "-01" for month in world.months]
    switches = world.latent.switch_month
    return DemoTruth(
        seed=world.seed,
        effect=world.effect,
        accounts=world.companies.count,
        months=len(months),
        as_of=str(AS_OF),
        companies=_companies(world, links),
        latent=_latent(world, links, months),
        switchers={str(links.crm[account]): months[switches[account]] for account in np.flatnonzero(switches >= 0)},
        dirt={
            **dirt,
            "unknown_columns": ["salesforce/Contact.csv: Newsletter_Topic__c"],
            "unrecognised_files": ["salesforce/notes.txt"],
        },
        expected_mutual_value=grid,
        spread_of_mutual_value=spread,
        planted=_planted(world, links),
    )


def _planted(world: World, links: Links) -> dict[str, dict[str, float]]:
    sides = expected_values(world.records, world.latent.partnership, world.effect, references(world.records))
    return {
        str(account): {f"{side}_value": round(float(values[number]), 4) for side, values in sides.items()}
        for number, account in enumerate(links.crm)
        if np.isfinite(sides["supplier"][number])
    }


def _companies(world: World, links: Links) -> dict[str, dict[str, list[str]]]:
    known = {
        str(key): {"salesforce": [str(links.crm[number])], "zendesk": [], "stripe": [str(links.customer[number])]}
        for number, key in enumerate(world.companies.key)
    }
    for organization, company in zip(links.organization.tolist(), links.organization_company.tolist(), strict=True):
        known[str(world.companies.key[company])]["zendesk"].append(str(organization))
    return known


def _latent(world: World, links: Links, months: list[str]) -> dict[str, Sequence[str] | Mapping[str, Sequence[float]]]:
    partnership, cost_focus = np.round(world.latent.partnership, 4), np.round(world.latent.cost_focus, 4)
    accounts = {
        str(account): {"partnership": partnership[number].tolist(), "cost_focus": cost_focus[number].tolist()}
        for number, account in enumerate(links.crm)
    }
    return {"months": months, **accounts}


def expected_mutual_value(world: World) -> tuple[dict[str, list[float]], float]:
    """Mean values over the grid of partnerships, and the standard deviation of mutual value as things were.

    Each twin is scored against the world as it was: its pools in the last window, its reference in the first twelve.
    """
    last = len(world.months) - 1
    reference = references(world.records)
    counted = count_window(world.records, last)
    pools = {name: pool(component, counted[name], world.companies.segment) for name, component in COMPONENTS.items()}
    customers = world.records.supplier.active[:, last - WINDOW]
    factual = value(counted, pools, reference).mutual[customers]
    curves: dict[str, list[float]] = {
        "grid": list(GRID),
        "mutual_value": [],
        "supplier_value": [],
        "customer_value": [],
    }
    for partnership in GRID:
        twin = value(count_window(world.twin(partnership), last), pools, reference)
        for name, values in (
            ("mutual_value", twin.mutual),
            ("supplier_value", twin.supplier),
            ("customer_value", twin.customer),
        ):
            curves[name].append(round(float(values[customers].mean()), 6))
    return curves, round(float(factual.std()), 6)
