"""The record of each run, runs/<run_id>/run.json and run.log: written as the run goes, so a killed one is told too."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from string import ascii_lowercase
from typing import Any, Literal

from warehouse.lock import Holder
from warehouse.project import Project

RECORD = "run.json"
LOG = "run.log"
LANDING = "landing.json"
LINKS = "links.json"
LOGGER = "flows.runs"

Status = Literal["started", "failed", "published"]
StepStatus = Literal["running", "done", "failed"]
Level = Literal["info", "warning", "error"]


def utc_now() -> dt.datetime:
    """Now in UTC, naive, as all times are written."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def stamp(moment: dt.datetime) -> str:
    """The moment as ISO text, in whole seconds."""
    return moment.isoformat(timespec="seconds")


def new_run_id(now: dt.datetime) -> str:
    """The UTC time and a fraction of its second in four letters: run ids sort by age, also those of one second.

    Letters, since great_expectations takes digits behind a hyphen for the offset of a time zone.
    """
    fraction = now.microsecond * 26**4 // 1_000_000
    letters = "".join(ascii_lowercase[fraction // 26**place % 26] for place in (3, 2, 1, 0))
    return f"{now:%Y%m%dT%H%M%SZ}-{letters}"


@dataclass
class StepRecord:
    """One step of a run; `seconds` is None while it runs."""

    name: str
    status: StepStatus = "running"
    seconds: float | None = None
    rows: int | None = None


@dataclass
class RunRecord:
    """What run.json holds. Times are ISO, UTC; counts are of rows and files only, never of a person's data."""

    run_id: str
    as_of: str
    engine: str
    started_at: str
    pid: int = field(default_factory=os.getpid)
    code_version: str = field(default_factory=lambda: version("mutual-value"))
    status: Status = "started"
    ended_at: str | None = None
    seconds: float | None = None
    rows: int = 0
    message: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    steps: list[StepRecord] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> RunRecord:
        """The record of the run whose folder this is."""
        keys: dict[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        steps = [StepRecord(**step) for step in keys.pop("steps")]
        return cls(**keys, steps=steps)

    def write(self, folder: Path) -> None:
        write_json(folder / RECORD, asdict(self))

    def state(self, owner: Holder | None) -> str:
        """The status as a reader should see it: a run that says `started` but does not hold the lock has died."""
        if self.status != "started":
            return self.status
        return "running" if owner is not None and owner.run_id == self.run_id else "died"


class Journal:
    """Keeps one run's record and log on disk while the run goes on."""

    def __init__(self, record: RunRecord, folder: Path) -> None:
        self.record = record
        self.folder = folder
        self.opened = False
        self._begun = time.monotonic()

    @classmethod
    def begin(cls, project: Project, asked: dt.date | None = None) -> Journal:
        """A new run's journal: its id, its as-of day and its beginning are fixed now; nothing is written yet."""
        now = utc_now()
        record = RunRecord(new_run_id(now), project.as_of(asked).isoformat(), "duckdb", stamp(now))
        return cls(record, project.runs / record.run_id)

    def open(self) -> None:
        """Make the run's folder and the first run.json. Call it under the lock."""
        self.folder.mkdir(parents=True)
        self.opened = True
        self.record.write(self.folder)
        self.log("info", f"run {self.record.run_id} as of {self.record.as_of} started")

    @contextmanager
    def step(self, name: str) -> Iterator[StepRecord]:
        """Record a step's beginning, and its end however it ends; the block may set the step's rows."""
        entry = StepRecord(name)
        self.record.steps.append(entry)
        self.record.write(self.folder)
        logging.getLogger(LOGGER).info("%s", name, extra={"step": entry})
        begun = time.monotonic()
        try:
            yield entry
        except BaseException:
            self._end_step(entry, "failed", begun)
            raise
        self._end_step(entry, "done", begun)

    def _end_step(self, entry: StepRecord, status: StepStatus, begun: float) -> None:
        entry.status, entry.seconds = status, round(time.monotonic() - begun, 3)
        self.record.write(self.folder)
        rows = "" if entry.rows is None else f", {entry.rows} rows"
        line = f"{entry.name} {status} in {entry.seconds:.1f} s{rows}"
        self.log("info" if status == "done" else "error", line, step=entry)

    def end(self, status: Status, message: str) -> None:
        record = self.record
        record.status, record.message, record.ended_at = status, message, stamp(utc_now())
        record.seconds = round(time.monotonic() - self._begun, 3)
        record.write(self.folder)
        self.log("info" if status == "published" else "error", f"{status} {message}".rstrip())

    def log(self, level: Level, message: str, step: StepRecord | None = None) -> None:
        """Add a line to run.log, and hand it to the logger `flows.runs` (the terminal and Prefect listen there)."""
        self.write(level, message)
        number = logging.getLevelNamesMapping()[level.upper()]
        logging.getLogger(LOGGER).log(number, "%s", message, extra={"step": step})

    def write(self, level: Level, message: str) -> None:
        """Add a line to run.log only."""
        with (self.folder / LOG).open("a", encoding="utf-8") as log:
            log.write(f"{stamp(utc_now())}Z {level.upper()} {message}\n")


def read_runs(project: Project) -> list[RunRecord]:
    """All runs that wrote a record, the newest first."""
    if not project.runs.is_dir():
        return []
    folders = sorted((path.parent for path in project.runs.glob(f"*/{RECORD}")), reverse=True)
    return [RunRecord.read(folder) for folder in folders]


def write_json(path: Path, content: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
    """Write a JSON file as a whole: a reader sees the old one or the new one, never a half."""
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    temporary.replace(path)
