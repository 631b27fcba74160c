"""A project's protocol: which one holds, that it was fixed before any value was read, and what each ever decided.

decisions/protocols.jsonl has a line for every published night, in the order in which they were published: which
protocol it had, and its verdict on the primary outcome. It is only ever added to, so a verdict that came out otherwise
under an earlier protocol stays in sight.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Self

import duckdb
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from transforms.contrast.changes import changes
from transforms.contrast.errors import ContrastError
from transforms.contrast.protocol import Protocol, canonical, hash_of
from transforms.contrast.verdict import Word
from warehouse.durable import flush, replace_file
from warehouse.errors import ConfigurationError
from warehouse.project import Project
from warehouse.settings_tables import STYLE_MONTHS, VALUE_MONTHS

OWN = "protocol.toml"
FIXED = "protocol.json"
HISTORY = "protocols.jsonl"
_PENDING = ".protocols.pending"

# What the models look back on; a protocol cannot change it alone.
_WINDOWS = {"style_window_months": STYLE_MONTHS, "value_window_months": VALUE_MONTHS}
_ADVICE = f"mend {OWN}, or take the key out: the shipped value then holds"


class Entry(BaseModel):
    """What a night decided on the primary outcome, and under which protocol; a line of the history."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    run_id: Annotated[str, Field(min_length=1)]
    as_of: dt.date
    protocol_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    comparison: str
    outcome: str
    verdict: Word
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    protocol: dict[str, Any]

    @model_validator(mode="after")
    def _of_its_protocol(self) -> Self:
        if hash_of(self.protocol) != self.protocol_hash:
            raise ValueError("the protocol does not have this hash")
        return self


def load(project: Project) -> Protocol:
    """The contrast's protocol: the shipped one, with the keys of the project's protocol.toml in place of its own.

    Raises:
        ConfigurationError: that file is no valid protocol, or asks for windows that the measures do not have.
    """
    own = project.root / OWN
    try:
        protocol = Protocol.load([own] if own.exists() else [])
    except ContrastError as error:
        raise ConfigurationError(f"{error}; {_ADVICE}") from error
    for key, months in _WINDOWS.items():
        if getattr(protocol, key) != months:
            raise ConfigurationError(
                f"{own}: {key} is {getattr(protocol, key)}, but the measures look back on {months} months; take it out"
            )
    return protocol


def fix(project: Project, folder: Path) -> Protocol:
    """The protocol of the night that begins, written to `folder`/protocol.json with its hash before any value is read.

    Raises:
        ConfigurationError: the protocol or the history cannot be read: better now than after the night's work.
    """
    settle(project)
    read(project.decisions)
    protocol = load(project)
    text = canonical({"hash": protocol.hash, "protocol": protocol.content})
    replace_file(folder / FIXED, f"{text}\n".encode())
    return protocol


def changed(project: Project, protocol: Protocol) -> list[str]:
    """What differs from the protocol of the last published night, in words; nothing before the first."""
    past = read(project.decisions)
    return changes(past[-1].protocol, protocol.content) if past else []


def ensure_unchanged(project: Project, fixed: Protocol) -> None:
    """Refuse to compare by another protocol than the one that was fixed.

    Raises:
        ConfigurationError: protocol.toml was changed since the night began.
    """
    now = load(project)
    if now.hash != fixed.hash:
        raise ConfigurationError(
            f"{project.root / OWN} was changed while the night ran ({'; '.join(changes(fixed.content, now.content))}): "
            "values had been read by then. Run again, and the new protocol holds from the start"
        )


# --- the history ------------------------------------------------------------------------------------------------------


def read(decisions: Path) -> list[Entry]:
    """The history of the folder, the first night first; none where it has no such file.

    Raises:
        ConfigurationError: a line that no night wrote; the message names file and line.
    """
    path = decisions / HISTORY
    entries: list[Entry] = []
    for number, line in enumerate(path.read_bytes().splitlines() if path.exists() else (), start=1):
        try:
            keys = json.loads(line)
            before = entries[-1].protocol if entries else None
            entries.append(Entry.model_validate({"protocol": before, **keys}))
        except (ValueError, TypeError) as error:
            told = error.errors()[0]["msg"] if isinstance(error, ValidationError) else "no line of JSON"
            raise ConfigurationError(
                f"{path}, line {number}: not as a night wrote it ({told}). Restore the file from a backup; without one "
                "move it away: a new history then begins, and what earlier protocols decided is no longer told"
            ) from None
    return entries


def draft(project: Project, entry: Entry) -> None:
    """Lay a night's line ready before it is published; `settle` adds it to the history."""
    project.decisions.mkdir(exist_ok=True)
    replace_file(project.decisions / _PENDING, _lines([entry]))
    flush(project.decisions)


def settle(project: Project) -> None:
    """Add the line that was laid ready if its night was published, else drop it. A kill at any point loses no verdict:
    the next night settles what is left. Call it under the lock only."""
    pending = project.decisions / _PENDING
    if not pending.exists():
        return
    entry = Entry.model_validate_json(pending.read_bytes())
    past = read(project.decisions)
    is_published = (project.releases / entry.run_id).is_dir()
    if is_published and entry.run_id not in {each.run_id for each in past}:
        replace_file(project.decisions / HISTORY, _lines([*past, entry]))
        flush(project.decisions)
    pending.unlink()


def _lines(entries: Sequence[Entry]) -> bytes:
    """The entries as lines of JSON; a protocol stands only where it is not that of the line before."""
    lines = []
    for before, entry in zip([None, *entries], entries, strict=False):
        is_same = before is not None and before.protocol_hash == entry.protocol_hash
        lines.append(entry.model_dump_json(exclude={"protocol"} if is_same else None))
    return "".join(f"{line}\n" for line in lines).encode()


# --- audit.protocol ---------------------------------------------------------------------------------------------------

Row = dict[str, Any]


def rows(past: Sequence[Entry], tonight: Entry) -> list[Row]:
    """Rows of audit.protocol: every protocol that decided on a day not later than tonight's, and what it said last."""
    entries = [*(entry for entry in past if entry.as_of <= tonight.as_of), tonight]
    first: dict[str, Entry] = {}
    last: dict[str, Entry] = {}
    began: dict[str, tuple[Entry, Entry | None]] = {}
    before: Entry | None = None
    for entry in entries:
        if before is None or before.protocol_hash != entry.protocol_hash:
            began[entry.protocol_hash] = (entry, before)
        first.setdefault(entry.protocol_hash, entry)
        last[entry.protocol_hash] = before = entry
    return [_row(first[key], last[key], *began[key], is_current=key == tonight.protocol_hash) for key in first]


def _row(first: Entry, last: Entry, began: Entry, before: Entry | None, *, is_current: bool) -> Row:
    """`began` is the night on which the protocol last took the place of another, that of `before`."""
    return {
        "protocol_hash": last.protocol_hash,
        "first_run_id": first.run_id,
        "first_as_of": first.as_of,
        "last_run_id": last.run_id,
        "last_as_of": last.as_of,
        "since_as_of": began.as_of,
        "is_current": is_current,
        "changed": "; ".join(changes(before.protocol, last.protocol)) if before else "",
        "comparison": last.comparison,
        "outcome": last.outcome,
        "verdict": last.verdict.value,
        "difference": last.difference,
        "ci_low": last.ci_low,
        "ci_high": last.ci_high,
        "protocol": canonical(last.protocol),
    }


def decided(database: Path) -> Entry:
    """What the finished build decided: the current row of its audit.protocol."""
    columns = [name for name in Entry.model_fields if name not in ("run_id", "as_of")]
    with duckdb.connect(str(database), read_only=True) as connection:
        row = connection.execute(
            f"select last_run_id, last_as_of, {', '.join(columns)} from audit.protocol where is_current"
        ).fetchall()[0]
    keys = dict(zip(("run_id", "as_of", *columns), row, strict=True))
    return Entry.model_validate({**keys, "protocol": json.loads(keys["protocol"])})
