"""What a person decided about accounts: identity/links.csv says which company an account is, or is not.

The file is dated and only ever added to: a later line overrides an earlier one, and what was believed before stays
readable.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from warehouse.durable import replace_file
from warehouse.errors import ConfigurationError

FILE = "links.csv"
COLUMNS = ("decided_on", "system", "source_account_id", "account_id", "decision", "reason")
_REQUIRED = ("system", "source_account_id", "account_id")
_DECISIONS = ("accept", "reject")

# A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class LinkDecision:
    """The account is this company (accept), or it is not (reject); `decided_on` is null where nobody wrote it down."""

    decided_on: dt.date | None
    system: str
    source_account_id: str
    account_id: str
    decision: Literal["accept", "reject"] = "accept"
    reason: str = ""

    @property
    def account(self) -> tuple[str, str]:
        return self.system, self.source_account_id


def read(identity: Path) -> list[LinkDecision]:
    """Every line of the folder's links.csv in its order; none where it has no such file.

    Raises:
        ConfigurationError: the file or a line of it cannot be understood; the message names file, line and column.
    """
    path = identity / FILE
    return _parsed(path, _text(path))[1] if path.exists() else []


def settled(decisions: Iterable[LinkDecision]) -> list[LinkDecision]:
    """What counts: of each account and company the last decision, of several companies accepted for one account the
    last; the acceptance of the others is void. Ordered by account and company.
    """
    last: dict[tuple[str, str, str], LinkDecision] = {}
    for decision in decisions:
        key = (*decision.account, decision.account_id)
        # Taken out and put back, so that the order is that of the last decisions.
        last.pop(key, None)
        last[key] = decision
    accepted = {decision.account: decision.account_id for decision in last.values() if decision.decision == "accept"}
    return [
        decision
        for _, decision in sorted(last.items())
        if decision.decision == "reject" or accepted[decision.account] == decision.account_id
    ]


def append(identity: Path, decisions: Sequence[LinkDecision]) -> Path:
    """Add the decisions below what is there, which stays byte for byte; the file's path.

    A reader sees all of them or none. Whoever calls holds the project's lock.

    Raises:
        ConfigurationError: the file that is there cannot be understood, or lacks a column that a decision needs.
    """
    path = identity / FILE
    before = path.read_bytes() if path.exists() else b""
    text = _text(path) if before else ""
    header, _ = _parsed(path, text) if text else (COLUMNS, [])
    if decisions:
        identity.mkdir(parents=True, exist_ok=True)
        replace_file(path, before + _lines(path, text, header, decisions).encode())
    return path


def escaped(cell: str) -> str:
    """The cell with an apostrophe before what a spreadsheet would compute; `plain` takes it off again."""
    return f"'{cell}" if cell.lstrip("'").startswith(_FORMULA) else cell


def plain(cell: str) -> str:
    """The cell without the apostrophe that `escaped` put there."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA) else cell


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ConfigurationError(f"{path}, line {line} is not UTF-8; save the file as `CSV UTF-8`") from None


def _delimiter(text: str) -> str:
    """Spreadsheets in countries with a decimal comma part cells by semicolons."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return ";" if ";" in first and "," not in first else ","


def _parsed(path: Path, text: str) -> tuple[Sequence[str], list[LinkDecision]]:
    """The header's columns and the decisions of every line that is not blank."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    header: Sequence[str] = ()
    decisions = []
    line = 1
    try:
        for cells in rows:
            if any(cell.strip() for cell in cells):
                if header:
                    decisions.append(_decision(f"{path}, line {line}", header, cells))
                else:
                    header = _header(path, line, cells)
            line = rows.line_num + 1
    except csv.Error as error:
        raise ConfigurationError(f"{path}, line {line}: {error}; a quote in a cell is written twice") from None
    if not header:
        raise ConfigurationError(f"{path} is empty; its first line names the columns {','.join(COLUMNS)}")
    return header, decisions


def _header(path: Path, line: int, cells: Sequence[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    while names and not names[-1]:
        names.pop()
    wrong = [name for name in names if name not in COLUMNS or names.count(name) > 1]
    missing = [name for name in _REQUIRED if name not in names]
    if wrong or missing:
        what = f"has no column {missing[0]}" if missing else f"has a column {wrong[0]!r} that is not known, or twice"
        raise ConfigurationError(f"{path}, line {line}: it {what}; the columns are {','.join(COLUMNS)}")
    return names


def _decision(where: str, header: Sequence[str], cells: Sequence[str]) -> LinkDecision:
    if any(cell.strip() for cell in cells[len(header) :]):
        raise ConfigurationError(
            f"{where}: it has more cells than the {len(header)} columns; put a cell with a comma in quotes"
        )
    given = dict.fromkeys(COLUMNS, "") | {name: plain(cell.strip()) for name, cell in zip(header, cells, strict=False)}
    for name in _REQUIRED:
        if not given[name]:
            raise ConfigurationError(f"{where}: {name} is empty; every link says {', '.join(_REQUIRED)}")
    system, _, source_id = given["account_id"].partition(":")
    if not system or not source_id:
        raise ConfigurationError(
            f"{where}: account_id is {given['account_id']!r}; write it as in mart.account, such as salesforce:0015g"
        )
    decision = given["decision"].lower() or "accept"
    if decision not in _DECISIONS:
        raise ConfigurationError(f"{where}: decision is {decision!r}; write accept or reject")
    return LinkDecision(
        _day(where, given["decided_on"]),
        given["system"],
        given["source_account_id"],
        given["account_id"],
        cast(Literal["accept", "reject"], decision),
        given["reason"],
    )


def _day(where: str, cell: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(cell) if cell else None
    except ValueError:
        raise ConfigurationError(f"{where}: decided_on is {cell!r}, no day; write it as 2026-06-30") from None


def _lines(path: Path, text: str, header: Sequence[str], decisions: Sequence[LinkDecision]) -> str:
    """The decisions as lines in the manner of the file, below a header where it has none."""
    end = "\r\n" if "\r\n" in text else "\n"
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=_delimiter(text), lineterminator=end)
    if not text:
        writer.writerow(COLUMNS)
    elif not text.endswith(("\n", "\r")):
        out.write(end)
    for decision in decisions:
        cells = {
            "decided_on": decision.decided_on.isoformat() if decision.decided_on else "",
            "system": decision.system,
            "source_account_id": decision.source_account_id,
            "account_id": decision.account_id,
            "decision": decision.decision,
            "reason": " ".join(decision.reason.split()),
        }
        lost = [name for name, cell in cells.items() if cell and name not in header]
        if lost:
            raise ConfigurationError(
                f"{path} has no column {lost[0]}; add it to the end of the first line (lines below may stay shorter)"
            )
        writer.writerow([escaped(cells[name]) for name in header])
    return out.getvalue()
