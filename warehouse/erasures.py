"""Who was forgotten: decisions/erasures.csv, dated and only ever added to. It holds hashes and never an address."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

from warehouse.durable import replace_file
from warehouse.errors import ConfigurationError

FILE = "erasures.csv"
COLUMNS = ("erased_on", "email_hash", "token")
_HASH = re.compile(r"[0-9a-f]{64}")
_TOKEN = 12
# What stands for a forgotten address: canonical.account_domain must not take its domain for a company's.
INVALID = "forgotten.invalid"


@dataclass(frozen=True)
class Erasure:
    """One forgotten address: the day, its hash by the project's key, and the token that stands in its place."""

    erased_on: dt.date
    email_hash: str
    token: str

    @classmethod
    def of(cls, erased_on: dt.date, email_hash: str) -> Erasure:
        return cls(erased_on, email_hash, email_hash[:_TOKEN])


def read(decisions: Path) -> list[Erasure]:
    """The erasures of the folder, none where it has no such file.

    Raises:
        ConfigurationError: a row that `forget` did not write; the message names file and line.
    """
    path = decisions / FILE
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise ConfigurationError(f"{path} needs the columns {','.join(COLUMNS)}")
        return [_erasure(path, number, row) for number, row in enumerate(rows, start=2)]


def _erasure(path: Path, number: int, row: dict[str, str | None]) -> Erasure:
    try:
        erased_on = dt.date.fromisoformat(row["erased_on"] or "")
    except ValueError:
        raise ConfigurationError(f"{path}, line {number}: erased_on is no day; write it as 2026-06-30") from None
    email_hash = row["email_hash"] or ""
    if not _HASH.fullmatch(email_hash) or row["token"] != email_hash[:_TOKEN]:
        raise ConfigurationError(f"{path}, line {number}: not as `mutual-value forget` wrote it; restore the file")
    return Erasure.of(erased_on, email_hash)


def record(decisions: Path, day: dt.date, hashes: Iterable[str]) -> list[Erasure]:
    """Add the hashes that are not there yet; the erasures of all of them, old and new. The file changes in one step."""
    known = {each.email_hash: each for each in read(decisions)}
    wanted = {email_hash: known.get(email_hash) or Erasure.of(day, email_hash) for email_hash in hashes}
    if wanted.keys() - known.keys():
        _write(decisions / FILE, [*known.values(), *(wanted[each] for each in wanted if each not in known)])
    return list(wanted.values())


def _write(path: Path, erasures: Iterable[Erasure]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    out = io.StringIO(newline="")
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerows(astuple(erasure) for erasure in erasures)
    replace_file(path, out.getvalue().encode())
