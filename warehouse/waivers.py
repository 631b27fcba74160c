"""What a person decided to live with: decisions/waivers.csv says which failures in quarantine are waived, and why."""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from warehouse.errors import ConfigurationError

FILE = "waivers.csv"
COLUMNS = ("decided_on", "system", "entity", "column_name", "rule", "sha256", "reason")
_REQUIRED = ("decided_on", "system", "rule", "reason")


@dataclass(frozen=True)
class Waiver:
    """Failures of a rule in a system, in one entity, column or file where those are named; '' is any."""

    decided_on: dt.date
    system: str
    entity: str
    column_name: str
    rule: str
    sha256: str
    reason: str


def read(decisions: Path) -> list[Waiver]:
    """The waivers of the folder, none where it has no such file.

    Raises:
        ConfigurationError: a row lacks what every decision has; the message names file, row and column.
    """
    path = decisions / FILE
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if set(rows.fieldnames or ()) != set(COLUMNS):
            raise ConfigurationError(f"{path} needs the columns {','.join(COLUMNS)}, and no others")
        return [_waiver(path, number, row) for number, row in enumerate(rows, start=2)]


def _waiver(path: Path, number: int, row: dict[str, str | None]) -> Waiver:
    cells = {name: (row[name] or "").strip() for name in COLUMNS}
    missing = [name for name in _REQUIRED if not cells[name]]
    if missing:
        raise ConfigurationError(
            f"{path}, line {number}: {missing[0]} is empty; every waiver says {', '.join(_REQUIRED)}"
        )
    try:
        decided_on = dt.date.fromisoformat(cells.pop("decided_on"))
    except ValueError:
        raise ConfigurationError(f"{path}, line {number}: decided_on is no day; write it as 2026-06-30") from None
    return Waiver(decided_on, **cells)
