"""identity/suggestions.csv: the companies that accounts may be, waiting for a person; each night writes it anew."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from warehouse.durable import replace_file
from warehouse.errors import ConfigurationError
from warehouse.links import escaped, plain

FILE = "suggestions.csv"


@dataclass(frozen=True)
class Suggestion:
    """An account, a company that it may be, how probable that is (0-1) and why; rank 1 is the likeliest."""

    system: str
    source_account_id: str
    account_id: str
    probability: float
    evidence: str
    name: str
    company_name: str
    rank: int


COLUMNS = tuple(field.name for field in fields(Suggestion))


def write(identity: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Put the rows in place of what is there, in one step; the file's path. Of no rows the header alone."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        probability = f"{row['probability']:.4f}"
        writer.writerow([probability if name == "probability" else _cell(row[name]) for name in COLUMNS])
    identity.mkdir(parents=True, exist_ok=True)
    path = identity / FILE
    replace_file(path, out.getvalue().encode())
    return path


def _cell(value: Any) -> str:
    return escaped(" ".join(str(value).split())) if value is not None else ""


def read(identity: Path) -> list[Suggestion]:
    """The suggestions of the last night, ordered by account and rank; none where no night wrote any.

    Raises:
        ConfigurationError: the file was changed by hand so that it cannot be read.
    """
    path = identity / FILE
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        try:
            return [_suggestion({name: plain(row[name]) for name in COLUMNS}) for row in rows]
        except (KeyError, ValueError, AttributeError):
            raise ConfigurationError(
                f"{path}, line {rows.line_num} is no suggestion; the next run writes the file anew"
            ) from None


def _suggestion(cells: Mapping[str, str]) -> Suggestion:
    texts = {name: cell for name, cell in cells.items() if name not in ("probability", "rank")}
    return Suggestion(**texts, probability=float(cells["probability"]), rank=int(cells["rank"]))
