"""Usage as the template usage.csv has it: one row for each month and feature that was used."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from demo.adoption import FEATURES
from demo.clock import day_text
from demo.dirt import Dirt
from demo.links import Links
from demo.world import World

HEADER = "usage_id,account_id,subscription_id,used_on,feature,quantity,is_beta"


def write_usage(folder: Path, world: World, links: Links, dirt: Dirt) -> None:
    """Write usage.csv into `folder`: months with paid service only, counted on the month's last day."""
    folder.mkdir(parents=True, exist_ok=True)
    records = world.records
    account, month, feature = np.nonzero(records.used & records.supplier.active[:, :, None])
    days = day_text(np.asarray((world.months + 1).astype("M8[D]") - np.timedelta64(1, "D"), "M8[D]"))
    times = np.maximum(np.rint(records.usage.times[account, month, feature]), 1).astype(np.int64)
    rows = zip(account.tolist(), month.tolist(), feature.tolist(), times.tolist(), strict=True)
    lines = [
        f"U{number},{links.crm[one]},,{days[when]},{FEATURES[what]},{quantity},"
        for number, (one, when, what, quantity) in enumerate(rows, start=1)
    ]
    (folder / "usage.csv").write_text(
        "\n".join([HEADER, *dirt.spoil("usage/usage.csv", lines)]) + "\n", encoding="utf-8", newline="\n"
    )
