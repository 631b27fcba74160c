"""How much each measure counts in its score: 1, unless `[weights]` of mutual-value.toml says otherwise."""

from __future__ import annotations

from collections.abc import Mapping

from warehouse.models import measures

# Fewest measures without which there is no score (scores/relationship.sql), by what their `part` begins with.
LEAST = {
    "partnership": 3,
    "partnership_goals": 1,
    "partnership_conduct": 1,
    "cost_focus_customer": 2,
    "cost_focus_supplier": 1,
    "supplier_value": 2,
    "customer_value": 2,
}


def every_weight(configured: Mapping[str, float]) -> dict[str, float]:
    """The weight of each measure that enters a score, by its id.

    Raises:
        ValueError: a name that is no such measure, or a score left with fewer measures than it needs.
    """
    parts = {name: measure["part"] for name, measure in measures().items() if measure["part"] != "none"}
    unknown = sorted(configured.keys() - parts.keys())
    if unknown:
        raise ValueError(f"{', '.join(unknown)} enters no score; the measures that do are {', '.join(sorted(parts))}")
    weights = {name: configured.get(name, 1.0) for name in parts}
    for part, least in LEAST.items():
        own = [name for name in parts if parts[name].startswith(part)]
        if sum(weights[name] > 0 for name in own) < least:
            raise ValueError(
                f"{part} needs {least} of {', '.join(own)} with a weight over 0; raise a weight, or take its line away"
            )
    return weights
