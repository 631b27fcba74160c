"""The steps of a night as plain functions; nothing here knows of Prefect.

`run_night` takes the project's lock, walks through the steps and leaves either a new release or the old one. Who calls
a step (`execute`) is left open: directly here, as a Prefect task in nightly.py.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from flows.runs import LANDING, LINKS, Journal, Level, utc_now, write_json
from warehouse import erasures
from warehouse.contracts import SHIPPED, SystemContract, load_contracts
from warehouse.errors import CheckFailure, MutualValueError, trace_without_data, without_data
from warehouse.lock import hold
from warehouse.models import LAYERS
from warehouse.project import Project
from warehouse.serving.publish import BUILD, DATABASE, check_group, publish, remove_leftovers

if TYPE_CHECKING:
    from expectations.gate import CheckResult
    from transforms.contrast.protocol import Protocol
    from warehouse.engine import Engine
    from warehouse.landing import LandedFile

CHECKS = "checks.json"
OWNER_ONLY = 0o077

# A file that is still being copied into the inbox, or a share that is away for a moment, is there a little later.
LANDING_RETRIES = 2


@dataclass(frozen=True)
class Step:
    """One step: what it is called, what it does (rows made, or None), how often a retry may help."""

    name: str
    work: Callable[[], int | None]
    retries: int = 0


@dataclass
class Night:
    """What the steps of one night hand to each other."""

    project: Project
    contracts: Mapping[str, SystemContract]
    protocol: Protocol
    as_of: dt.date
    journal: Journal
    landed_at: dt.datetime
    landed: dict[str, list[LandedFile]] = field(default_factory=dict)
    engine: Engine | None = None

    @property
    def run_id(self) -> str:
        return self.journal.record.run_id

    @property
    def build(self) -> Path:
        return self.project.root / f"{BUILD}{self.run_id}"

    @property
    def database(self) -> Path:
        return self.build / DATABASE

    def opened(self) -> Engine:
        if self.engine is None:
            raise RuntimeError("a step that needs the build ran before `stage` began it, or after `finish` closed it")
        return self.engine

    def close(self) -> None:
        if self.engine is not None:
            self.engine.close()
            self.engine = None


@dataclass(frozen=True)
class Outcome:
    """What a published night made."""

    run_id: str
    release: Path


Execute = Callable[[Step], int | None]


def directly(step: Step) -> int | None:
    """Run the step in this process, without Prefect."""
    return step.work()


def run_night(project: Project, journal: Journal, *, keep_build: bool = False, execute: Execute = directly) -> Outcome:
    """Land, build, check and publish; everything is new at the end, or nothing is. The journal is new, not yet opened.

    Raises:
        LockHeld: another run works on this project; nothing was done.
        CheckFailure: a critical check failed; the release of before is still the current one.
        MutualValueError: anything else that a person can mend; the run's record says what.
    """
    os.umask(OWNER_ONLY)
    check_group(project)
    with hold(project.root, journal.record.run_id, journal.record.started_at):
        journal.open()
        try:
            _walk(project, journal, execute, keep_build)
        except BaseException as error:
            journal.end("failed", _told(error, journal))
            error.add_note(f"run record: {journal.folder}")
            raise
        journal.end("published", "")
    return Outcome(journal.record.run_id, project.releases / journal.record.run_id)


def _walk(project: Project, journal: Journal, execute: Execute, keep_build: bool) -> None:
    for name in remove_leftovers(project):
        journal.log("warning", f"removed {name}, left by a run that was killed")
    night = begin(project, journal)
    try:
        for step in plan(night):
            with journal.step(step.name) as entry:
                entry.rows = execute(step)
    finally:
        night.close()
        if night.build.exists() and not keep_build:
            shutil.rmtree(night.build)


def _told(error: BaseException, journal: Journal) -> str:
    """One line for the record; the traceback of an unexpected error goes to run.log."""
    if isinstance(error, MutualValueError):
        return str(error)
    journal.write("error", trace_without_data(error))
    return f"unexpected {type(error).__name__}: {' '.join(without_data(str(error)).split())[:300]}"


def begin(project: Project, journal: Journal) -> Night:
    """The night's state before its first step; reads the contracts, fixes the protocol and takes the landing time."""
    from warehouse.landing import landing_time
    from warehouse.protocols import changed, fix

    contracts = load_contracts([SHIPPED, project.exports])
    protocol = fix(project, journal.folder)
    for change in changed(project, protocol):
        journal.log("warning", f"the protocol is not that of the night before: {change}")
    as_of = dt.date.fromisoformat(journal.record.as_of)
    return Night(project, contracts, protocol, as_of, journal, landing_time(project, utc_now()))


def plan(night: Night) -> list[Step]:
    """The night's steps in their order: one for each system's landing, one for each layer of models.

    Companies are suggested as soon as the canonical tables say who is linked, while the staged rows are still there.
    """
    from warehouse.landing import systems

    landings = [Step(f"land {name}", partial(land, night, name), LANDING_RETRIES) for name in systems(night.project)]
    canonical, *layers = [Step(name, partial(layer, night, name)) for name in LAYERS]
    rest: Sequence[Callable[[Night], int | None]] = (links, contrast, finish, check, report, release)
    # Nobody was forgotten: nothing to screen for.
    screens = [Step("screen", partial(screen, night))] if erasures.read(night.project.decisions) else []
    return [
        *landings,
        *screens,
        Step("stage", partial(stage, night)),
        canonical,
        Step("suggest", partial(suggest, night)),
        *layers,
        *(Step(work.__name__, partial(work, night)) for work in rest),
    ]


def land(night: Night, system: str) -> int:
    """Take the system's new files into the lake; the records in them."""
    from warehouse.landing import land as land_files

    files = land_files(night.project, night.contracts, system, night.landed_at)
    night.landed[system] = files
    for file in files:
        if file.message:
            night.journal.log("warning", f"{system}/{file.name}: {file.status}: {file.message}")
    return sum(file.rows_in or 0 for file in files if file.status == "landed")


def screen(night: Night) -> int:
    """Erase from new files of the lake who was forgotten before; the cells changed."""
    from warehouse.erasing import screen as screen_lake

    done = screen_lake(night.project, night.contracts)
    if done.files:
        night.journal.log("info", f"screen: {done.cells} cells in {done.files} files held what was forgotten")
    return done.cells


def stage(night: Night) -> int | None:
    """Close the landing and begin the build: lake files become typed tables."""
    from expectations.gate import prepare
    from warehouse.build import stage as stage_tables
    from warehouse.build import start
    from warehouse.landing import landing_done

    # The gate's library takes seconds to import; the engine leaves the interpreter free meanwhile.
    threading.Thread(target=prepare, daemon=True).start()
    landing_done(night.project)
    landed = [file for files in night.landed.values() for file in files]
    write_json(night.journal.folder / LANDING, [asdict(file) for file in landed])
    night.journal.record.counts = dict(Counter(file.status for file in landed))
    night.engine = start(night.build, night.project, night.contracts, night.as_of)
    staged = stage_tables(night.engine, night.project, night.contracts, landed, night.as_of)
    if staged.later_files:
        left_out = f"{staged.later_files} files of drops after {night.as_of} are left out; a later as_of uses them"
        night.journal.log("warning", left_out)
    for table, rows in staged.older.items():
        night.journal.log("info", f"{table}: {rows} older versions of records that came again")
    return None


def layer(night: Night, name: str) -> int:
    """Make one layer's tables; their rows."""
    from warehouse.build import layer as run_layer

    rows = sum(run_layer(night.opened(), name).values())
    night.journal.record.rows += rows
    return rows


def suggest(night: Night) -> int | None:
    """Write identity/suggestions.csv, the companies that accounts without one may be; their number.

    Nothing that is published rests on it. A failure is told and costs no night; the list of the night before stays.
    """
    from transforms.identity import read_accounts
    from transforms.identity import suggest as find_companies
    from warehouse.suggestions import write

    if _looks_back(night):
        night.journal.log("info", "suggestions stay as they are: this run looks back")
        return None
    settings, engine = night.project.settings, night.opened()
    try:
        with engine.deadline("accounts to suggest companies for"):
            given = read_accounts(engine.connection)
        limits = settings.limits
        found = find_companies(
            **given, suggest_from=settings.identity.suggest_from, threads=limits.threads, seconds=limits.query_seconds
        )
        write(night.project.identity, found.to_pylist())
    except Exception as error:  # noqa: BLE001  DECISIONS, "A night does not fail for want of advice"
        night.journal.write("error", trace_without_data(error))
        told = " ".join(without_data(str(error)).split())[:300]
        night.journal.log("warning", f"no suggestions: {type(error).__name__}: {told}")
        return None
    return int(found.num_rows)


def _looks_back(night: Night) -> bool:
    """Whether the run asks what was known on an earlier day than that of an ordinary run."""
    settings = night.project.settings
    started = dt.datetime.fromisoformat(night.journal.record.started_at).replace(tzinfo=dt.UTC)
    return night.as_of < (settings.as_of or started.astimezone(ZoneInfo(settings.timezone)).date())


def links(night: Night) -> int:
    """Record which accounts are taken for another company than in the release that readers have now; their number."""
    from warehouse.link_changes import link_changes

    previous = night.project.current / DATABASE
    if not previous.exists():
        return 0
    changes = link_changes(night.opened(), previous)
    write_json(night.journal.folder / LINKS, [asdict(change) for change in changes])
    for change, number in sorted(Counter(change.change for change in changes).items()):
        level: Level = "warning" if change in ("unlinked", "relinked") else "info"
        night.journal.log(level, f"{number} accounts {change} since the release before, see {LINKS}")
    return len(changes)


def contrast(night: Night) -> int | None:
    """Compare the accounts by style: the verdict and what it rests on.

    Raises:
        ConfigurationError: the protocol is no longer the one that was fixed when the night began.
    """
    from warehouse.build import contrast as run_contrast
    from warehouse.protocols import ensure_unchanged

    ensure_unchanged(night.project, night.protocol)
    run_contrast(night.opened(), night.project, night.as_of)
    return None


def finish(night: Night) -> int | None:
    """Write the release's own row, checkpoint and close the build."""
    from warehouse.build import Run
    from warehouse.build import finish as finish_build
    from warehouse.protocols import ensure_unchanged

    ensure_unchanged(night.project, night.protocol)
    engine, night.engine = night.opened(), None
    started_at = dt.datetime.fromisoformat(night.journal.record.started_at)
    try:
        finish_build(engine, night.project, Run(night.run_id, started_at, night.as_of))
    finally:
        engine.close()
    return None


def check(night: Night) -> int:
    """Hold the closed build against every expectation; the number checked.

    Raises:
        CheckFailure: a critical one is not met.
    """
    from expectations.gate import check as run_checks
    from expectations.gate import failures
    from warehouse.build import every_table, record_checks

    limits = night.project.settings.limits
    results = run_checks(
        night.database, every_table(), night.journal.folder, night.run_id, threads=limits.threads, memory=limits.memory
    )
    write_json(night.journal.folder / CHECKS, [asdict(result) for result in results])
    record_checks(night.database, results)
    failed = failures(results)
    if failed:
        raise CheckFailure(_failure_message(failed, night.journal.folder))
    return len(results)


def _failure_message(failed: Sequence[CheckResult], folder: Path) -> str:
    named = [f"{result.suite}: {result.expectation} {result.column_name or ''}".rstrip() for result in failed[:10]]
    more = f" and {len(failed) - 10} more" if len(failed) > 10 else ""
    return (
        f"{len(failed)} critical checks failed, nothing was published: {'; '.join(named)}{more}. "
        f"See {folder / CHECKS} and {folder / 'data_docs' / 'index.html'}"
    )


def report(night: Night) -> int | None:
    """Render the report page into the build."""
    from warehouse.serving.report import render

    render(night.database, night.build / "report")
    return None


def release(night: Night) -> int | None:
    """Make the build the current release, and keep what it decided; a look back is no new decision."""
    from warehouse.build import every_table
    from warehouse.protocols import decided, draft, settle

    grains = {model.name: model.grain for model in every_table() if model.schema == "mart"}
    if not _looks_back(night):
        draft(night.project, decided(night.database))
    try:
        publish(night.project, night.build, night.run_id, grains)
    finally:
        settle(night.project)
    return None
