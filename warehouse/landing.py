"""Files -> lake: what was dropped, as it came, once.

Every cell stays text. A file is known by its bytes: landing the same bytes again does nothing, whatever the file is
called. Nothing is lost: the records counted in a file are those in the lake, the defective among them, and blank lines.
"""

from __future__ import annotations

import datetime as dt
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from warehouse.archives import RefusedArchiveError, extract, members, opened
from warehouse.contracts import SystemContract
from warehouse.counting import sha256
from warehouse.drafts import Content, Drafted
from warehouse.json_drafts import draft_json
from warehouse.lake import Draft, Facts, draft, into_lake, lake_files, landed_before
from warehouse.project import Project
from warehouse.recognition import (
    Kind,
    UnrecognisedError,
    compare,
    kind_of,
    recognise_csv,
    recognise_sheet,
)
from warehouse.records import UnreadableError
from warehouse.table_drafts import dialect_key, draft_csv, draft_sheet

__all__ = ["LandedFile", "inspect", "lake_files", "land", "landing_done", "landing_time", "systems"]

Status = Literal["landed", "already_landed", "unrecognised", "unreadable", "empty"]


@dataclass(frozen=True)
class LandedFile:
    """What became of one file of the inbox, of one member of an archive, or of one entity's records in it.

    Attributes:
        name: relative to inbox/<system>; `archive.zip!member` for a member.
        sha256: of the content (of the member's bytes); '' where it was not read.
        rows_in: all records, defective and blank ones among them; None where they were not counted.
        message: what is wrong and what to do; '' when all is as it should be.
        missing: columns of the contract, as `table.column`, that the file has no header for.
        unknown: headers that no column of the contract reads.
    """

    system: str
    name: str
    sha256: str = ""
    member: str = ""
    entity: str | None = None
    bytes: int = 0
    rows_in: int | None = None
    status: Status = "landed"
    message: str = ""
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def systems(project: Project) -> list[str]:
    """The systems that have a folder in the inbox."""
    if not project.inbox.is_dir():
        return []
    return sorted(entry.name for entry in project.inbox.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def landing_time(project: Project, now: dt.datetime) -> dt.datetime:
    """When this landing counts as done (UTC without zone, whole seconds), noted until `landing_done`.

    A landing that was killed goes on with its own time: when a record became known depends on it, so a resumed night
    gives the tables that the uninterrupted one would have given.
    """
    marker = _marker(project)
    if marker.exists():
        return dt.datetime.fromisoformat(marker.read_text(encoding="ascii"))
    started = _utc(now)
    marker.parent.mkdir(parents=True, exist_ok=True)
    unfinished = marker.with_suffix(".new")
    unfinished.write_text(started.isoformat(), encoding="ascii")
    unfinished.replace(marker)
    return started


def landing_done(project: Project) -> None:
    """Every system has landed: the next landing has a time of its own."""
    _marker(project).unlink(missing_ok=True)


def _marker(project: Project) -> Path:
    return project.lake.parent / ".landing"


def _utc(time: dt.datetime) -> dt.datetime:
    return (time.astimezone(dt.UTC) if time.tzinfo else time).replace(microsecond=0, tzinfo=None)


def land(
    project: Project, contracts: Mapping[str, SystemContract], system: str, landed_at: dt.datetime
) -> list[LandedFile]:
    """Land every file below inbox/<system>; one entry for each file, archive member and entity, in order of name.

    A file that cannot be taken does not keep the others from landing.

    Args:
        landed_at: UTC; of a time with a zone its UTC time is taken.

    Raises:
        LostRecordsError: a lake file would not hold every record that was counted.
        OSError: the lake cannot be written.
    """
    with draft(project.lake, project.settings.limits) as work:
        return _Landing(project, contracts.get(system), system, _utc(landed_at), work, project.lake).run()


def inspect(project: Project, contracts: Mapping[str, SystemContract], system: str, lake: Path) -> list[LandedFile]:
    """As `land`, without putting anything into the lake; it works in a folder beside `lake`, and clears it."""
    with draft(lake, project.settings.limits) as work:
        return _Landing(project, contracts.get(system), system, dt.datetime(1970, 1, 1), work, None).run()


class _Landing:
    """Lands one system's files; into no lake when only looking."""

    def __init__(
        self,
        project: Project,
        contract: SystemContract | None,
        system: str,
        landed_at: dt.datetime,
        work: Draft,
        lake: Path | None,
    ) -> None:
        self._project = project
        self._contract = contract
        self._system = system
        self._landed_at = landed_at
        self._work = work
        self._lake = lake
        self._own = project.settings.systems.get(system)
        self._seen: dict[str, list[LandedFile]] = {}

    def run(self) -> list[LandedFile]:
        folder = self._project.inbox / self._system
        return [found for path in _files(folder) for found in self._land(path, path.relative_to(folder).as_posix())]

    def _land(self, path: Path, name: str) -> Iterator[LandedFile]:
        """A file of the inbox; an archive gives an entry for each of its members."""
        blank = LandedFile(self._system, name)
        try:
            size = _regular_size(path)
            blank = replace(blank, bytes=size, sha256=_hash(path))
            kind = kind_of(path)
            if kind == "archive":
                yield from self._land_archive(path, name, blank)
            else:
                yield from self._land_content(path, kind, blank)
        except (UnreadableError, RefusedArchiveError) as error:
            yield replace(blank, status="unreadable", message=str(error))

    def _land_archive(self, path: Path, name: str, blank: LandedFile) -> Iterator[LandedFile]:
        with opened(path) as archive:
            infos = members(archive, self._project.settings.limits.archive_bytes)
            if not infos:
                yield replace(blank, status="empty", rows_in=0, message="it is an archive without files")
            for info in infos:
                target = self._work.folder / "member"
                extract(archive, info, target)
                yield from self._land_member(target, f"{name}!{info.filename}", info.filename)
                target.unlink()

    def _land_member(self, path: Path, name: str, member: str) -> Iterator[LandedFile]:
        blank = LandedFile(self._system, name, sha256(path), member, bytes=path.stat().st_size)
        try:
            kind = kind_of(path)
            if kind == "archive":
                raise UnreadableError("it is an archive in an archive; unpack it one level")
            yield from self._land_content(path, kind, blank)
        except (UnreadableError, RefusedArchiveError) as error:
            yield replace(blank, status="unreadable", message=str(error))

    def _land_content(self, path: Path, kind: Kind, blank: LandedFile) -> list[LandedFile]:
        if self._contract is None:
            message = (
                f"no contract describes a system {self._system!r}; add exports/{self._system}.yml to the project, or "
                "put the file into its own system's folder"
            )
            return [replace(blank, status="unrecognised", message=message)]
        if kind == "empty":
            return [replace(blank, status="empty", rows_in=0, message="it is empty; was the export complete?")]
        before = self._before(blank, self._contract)
        if before:
            return before
        try:
            found = self._draft(path, kind, blank, self._contract)
        except UnrecognisedError as error:
            return [replace(blank, status="unrecognised", message=str(error))]
        finally:
            self._work.clear()
        self._seen[blank.sha256] = found
        return found

    def _before(self, blank: LandedFile, contract: SystemContract) -> list[LandedFile]:
        """The same bytes, landed before or earlier in this run; none where the contract now reads them otherwise."""
        facts = landed_before(self._project.lake, self._system, blank.sha256)
        if facts and all(_reads_alike(fact, contract) for fact in facts):
            return [self._described(blank, fact, contract) for fact in facts]
        return [
            replace(
                twin, name=blank.name, member=blank.member, status="already_landed", message=f"the same as {twin.name}"
            )
            for twin in self._seen.get(blank.sha256, [])
        ]

    def _described(self, blank: LandedFile, facts: Facts, contract: SystemContract) -> LandedFile:
        blank = replace(blank, entity=facts.entity, rows_in=facts.rows_in, status="already_landed")
        if not facts.headers:
            return blank
        layout = compare(facts.entity, facts.headers, contract, self._own)
        return replace(blank, missing=layout.missing, unknown=layout.unknown)

    def _draft(self, path: Path, kind: Kind, blank: LandedFile, contract: SystemContract) -> list[LandedFile]:
        """Read the content, put it into the lake, and tell of it."""
        before = _state(path)
        earlier = landed_before(self._project.lake, self._system, blank.sha256)
        landed_at = earlier[0].landed_at if earlier else self._landed_at
        content = Content(path, self._system, blank.name, blank.member, blank.sha256, blank.bytes, landed_at)
        if kind in ("csv", "xlsx"):
            if kind == "xlsx":
                _check_workbook(path, self._project.settings.limits.archive_bytes)
            recognise = recognise_csv if kind == "csv" else recognise_sheet
            layout = recognise(path, contract, self._own)
            blank = replace(blank, missing=layout.missing, unknown=layout.unknown)
            write = draft_csv if kind == "csv" else draft_sheet
            drafted = [write(self._work, content, layout, contract.entities[layout.entity].dialect)]
        else:
            drafted = draft_json(self._work, content, kind, contract)
        if _state(path) != before:
            raise UnreadableError("it changed while it was read; it lands at the next run")
        if self._lake is not None:
            into_lake(self._lake, [(file.path, file.facts) for file in drafted])
        return _entries(blank, drafted)


def _entries(blank: LandedFile, drafted: Sequence[Drafted]) -> list[LandedFile]:
    if not drafted:
        return [replace(blank, status="empty", rows_in=0, message="it has no records; was the export complete?")]
    return [
        replace(
            blank,
            entity=file.facts.entity,
            rows_in=file.facts.rows_in,
            status="landed" if file.facts.rows_in > file.facts.rows_blank else "empty",
            message=file.message,
        )
        for file in drafted
    ]


def _reads_alike(facts: Facts, contract: SystemContract) -> bool:
    """Whether the contract still has the entity, and reads its files as it did when this one landed."""
    entity = contract.entities.get(facts.entity)
    return entity is not None and facts.dialect in ("", dialect_key(entity.dialect))


def _files(folder: Path) -> Iterator[Path]:
    """Every file below the folder by name, without hidden ones; links are given, not followed."""
    if folder.is_symlink():
        yield folder
        return
    for entry in sorted(folder.iterdir(), key=lambda path: path.name):
        if entry.name.startswith("."):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _files(entry)
        else:
            yield entry


def _regular_size(path: Path) -> int:
    """The file's size in bytes.

    Raises:
        UnreadableError: it is a link or no file (to open a pipe would wait for ever).
    """
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise UnreadableError("it is a symbolic link, which is not followed; put the file itself into the inbox")
    if not stat.S_ISREG(found.st_mode):
        raise UnreadableError("it is no regular file; put a file into the inbox")
    return found.st_size


def _hash(path: Path) -> str:
    try:
        return sha256(path)
    except PermissionError as error:
        raise UnreadableError(
            f"it may not be read ({error.strerror}); give its owner's group leave to read it"
        ) from None


def _state(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _check_workbook(path: Path, most_bytes: int) -> None:
    """A workbook is an archive: it is not unpacked before its size is known."""
    with opened(path) as archive:
        members(archive, most_bytes)
