"""What goes wrong in real exports, done on purpose and counted: repeated, damaged and late records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from demo.draws import Ints

REPEATED_SHARE = 0.005
LATE_SHARE = 0.01
IMPOSSIBLE_TIME = "2025-13-45 00:00:00"
EXCEL_BROKEN_ID = "1.03006E+13"

Record = TypeVar("Record")


class Dirt:
    """Damages lists of records and remembers how much, by file.

    Attributes:
        counts: file (relative to the inbox) -> records written, and how many of them were repeated or damaged.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self.counts: dict[str, dict[str, int]] = {}

    def spoil(
        self, file: str, records: Sequence[Record], damage: Callable[[Record], Record] | None = None, damaged: int = 0
    ) -> list[Record]:
        """The records with up to `damaged` of them damaged, and one in 200 (at least one) repeated at the end."""
        spoiled = list(records)
        chosen = self._choose(len(spoiled), damaged) if damage else []
        for position in chosen:
            if damage is not None:
                spoiled[position] = damage(spoiled[position])
        untouched = np.setdiff1d(np.arange(len(spoiled)), chosen)
        again = untouched[self._choose(len(untouched), -int(-len(spoiled) * REPEATED_SHARE // 1))]
        repeated = [spoiled[position] for position in again]
        self.counts[file] = {
            "records": len(spoiled) + len(repeated),
            "repeated": len(repeated),
            "damaged": len(chosen),
        }
        return spoiled + repeated

    def late(self, count: int) -> Ints:
        """Positions of the one record in a hundred (at least one) that arrives in a second drop."""
        return np.asarray(self._choose(count, -int(-count * LATE_SHARE // 1)), dtype=np.int64)

    def _choose(self, count: int, wanted: int) -> list[int]:
        return sorted(self._rng.choice(count, min(wanted, count), replace=False).tolist())
