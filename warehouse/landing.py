"""Files -> lake: what was dropped, as it came, once.

Every cell stays text. A file is known by its bytes: landing the same bytes again does nothing, whatever the file is
called. Nothing is lost: the records counted in a file are those in the lake, the defective among them, and blank lines.
"""

from __future__ import annotations

import datetime as dt
import re
import stat
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import duckdb

from warehouse.archives import RefusedArchiveError, extract, members, opened
from warehouse.contracts import SystemContract
from warehouse.counting import count_lines, sha256
from warehouse.drafts import Content, Drafted
from warehouse.encodings import from_utf16
from warehouse.json_drafts import draft_json
from warehouse.lake import Draft, Facts, draft, into_lake, lake_files, landed_before, see, was_seen
from warehouse.project import Project, SystemSettings
from warehouse.recognition import (
    Kind,
    MissingColumnError,
    UnrecognisedError,
    compare,
    dialect_of,
    kind_of,
    recognise_csv,
    recognise_sheet,
)
from warehouse.records import UnreadableError
from warehouse.sheets import Sheet, filled_sheets
from warehouse.table_drafts import dialect_key, draft_csv, draft_sheet

__all__ = ["LandedFile", "lake_files", "land", "land_all", "landing_done", "landing_time", "systems"]

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
        return _Landing(project, contracts.get(system), system, _utc(landed_at), work).run()


def land_all(project: Project, contracts: Mapping[str, SystemContract], landed_at: dt.datetime) -> list[LandedFile]:
    """Land every system of the inbox, as `land` does one."""
    return [file for system in systems(project) for file in land(project, contracts, system, landed_at)]


class _Landing:
    """Lands one system's files."""

    def __init__(
        self,
        project: Project,
        contract: SystemContract | None,
        system: str,
        landed_at: dt.datetime,
        work: Draft,
    ) -> None:
        self._project = project
        self._contract = contract
        self._system = system
        self._landed_at = landed_at
        self._work = work
        self._own = project.settings.systems.get(system)
        self._seen: dict[tuple[str, str], list[LandedFile]] = {}
        # A member that landed with an earlier archive is told again by a new one: the archive is one drop.
        self._is_new_archive = False

    def run(self) -> list[LandedFile]:
        folder = self._project.inbox / self._system
        return [found for path in _files(folder) for found in self._land(path, _shown(path.relative_to(folder)))]

    def _land(self, path: Path, name: str) -> Iterator[LandedFile]:
        """A file of the inbox; an archive gives an entry for each of its members."""
        blank = LandedFile(self._system, name)
        try:
            with _told_of_inbox():
                blank = replace(blank, bytes=_regular_size(path), sha256=sha256(path))
                kind = kind_of(path)
            if kind == "archive":
                yield from self._land_archive(path, blank)
            else:
                yield from self._land_content(path, kind, blank)
        except (UnreadableError, RefusedArchiveError) as error:
            yield replace(blank, status="unreadable", message=str(error))
        except FileNotFoundError:
            if path.exists():
                raise
            yield replace(blank, status="unreadable", message=_TAKEN_AWAY)

    def _land_archive(self, path: Path, blank: LandedFile) -> Iterator[LandedFile]:
        with opened(path) as archive:
            infos = members(archive, self._project.settings.limits.archive_bytes)
            if not infos:
                yield replace(blank, status="empty", rows_in=0, message="it is an archive without files")
            self._is_new_archive = not was_seen(self._project.lake, self._system, blank.sha256)
            for info in infos:
                yield from self._land_member(archive, info, blank)
            if self._is_new_archive:
                see(self._project.lake, self._system, blank.sha256, self._landed_at)
            self._is_new_archive = False

    def _land_member(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, whole: LandedFile) -> Iterator[LandedFile]:
        """One file of an archive, unpacked for the moment; one that is damaged has the hash of the archive."""
        path = self._work.path("member")
        blank = replace(whole, name=f"{whole.name}!{info.filename}", member=info.filename, bytes=info.file_size)
        try:
            extract(archive, info, path)
            blank = replace(blank, sha256=sha256(path))
            kind = kind_of(path)
            if kind == "archive":
                raise UnreadableError("it is an archive in an archive; unpack it one level")
            yield from self._land_content(path, kind, blank)
        except (UnreadableError, RefusedArchiveError) as error:
            yield replace(blank, status="unreadable", message=str(error))
        finally:
            self._work.clear()

    def _land_content(self, path: Path, kind: Kind, blank: LandedFile) -> list[LandedFile]:
        if self._contract is None:
            message = (
                f"no contract describes a system {self._system!r}; add exports/{self._system}.yml to the project, or "
                "put the file into its own system's folder"
            )
            return [replace(blank, status="unrecognised", message=message)]
        if kind == "empty":
            return [replace(blank, status="empty", rows_in=0, message="it is empty; was the export complete?")]
        try:
            if kind == "utf-16":
                text = self._work.path("utf16")
                from_utf16(path, text)
                path, kind = text, kind_of(text)
            if kind != "xlsx":
                return self._land_part(path, kind, blank, self._contract)
            return list(self._land_workbook(path, blank, self._contract))
        finally:
            self._work.clear()

    def _land_workbook(self, path: Path, blank: LandedFile, contract: SystemContract) -> Iterator[LandedFile]:
        """Each sheet that holds anything is a file of its own; a workbook with one such sheet is that file."""
        with filled_sheets(path, self._project.settings.limits.archive_bytes) as sheets:
            if not sheets:
                yield replace(blank, status="empty", rows_in=0, message="its sheets are empty; was it complete?")
            if len(sheets) == 1:
                yield from self._land_part(path, "xlsx", blank, contract, replace(sheets[0], title=""))
                return
            for sheet in sheets:
                member = f"{blank.member}!{sheet.title}" if blank.member else sheet.title
                part = replace(blank, name=f"{blank.name}!{sheet.title}", member=member)
                try:
                    yield from self._land_part(path, "xlsx", part, contract, sheet)
                except UnreadableError as error:
                    yield replace(part, status="unreadable", message=str(error))

    def _land_part(
        self, path: Path, kind: Kind, blank: LandedFile, contract: SystemContract, sheet: Sheet | None = None
    ) -> list[LandedFile]:
        """A file, or one sheet of a workbook."""
        title = sheet.title if sheet else ""
        before = self._before(blank, contract, title)
        if before:
            return before
        try:
            found = self._draft(path, kind, blank, contract, sheet)
        except UnrecognisedError as error:
            return [replace(blank, status="unrecognised", message=str(error), rows_in=_countable(path, kind))]
        except MissingColumnError as error:
            refused = replace(blank, entity=error.entity, missing=error.columns, rows_in=_countable(path, kind))
            return [replace(refused, status="unreadable", message=str(error))]
        except duckdb.OutOfMemoryException:
            memory = self._project.settings.limits.memory
            raise UnreadableError(f"it takes more than limits.memory ({memory}); raise that, or split it") from None
        self._seen[blank.sha256, title] = found
        return found

    def _before(self, blank: LandedFile, contract: SystemContract, sheet: str) -> list[LandedFile]:
        """The same bytes, landed before or earlier in this run; none where the contract now reads them otherwise."""
        facts = landed_before(self._project.lake, self._system, blank.sha256, sheet)
        if facts and all(_reads_alike(fact, contract, self._own) for fact in facts):
            self._see_again(blank, facts[0])
            return [self._described(blank, fact, contract) for fact in facts]
        return [
            replace(
                twin, name=blank.name, member=blank.member, status="already_landed", message=f"the same as {twin.name}"
            )
            for twin in self._seen.get((blank.sha256, sheet), [])
        ]

    def _see_again(self, blank: LandedFile, facts: Facts) -> None:
        """Note that a later drop says the same again: what is in it was not deleted meanwhile."""
        told = declared_as_of(blank.name) or (self._landed_at if self._is_new_archive else None)
        if told and told != facts.as_of:
            see(self._project.lake, self._system, blank.sha256, told)

    def _described(self, blank: LandedFile, facts: Facts, contract: SystemContract) -> LandedFile:
        blank = replace(blank, entity=facts.entity, rows_in=facts.rows_in, status="already_landed")
        if not facts.headers:
            return blank
        layout = compare(facts.entity, facts.headers, contract, self._own)
        return replace(blank, missing=layout.missing, unknown=layout.unknown)

    def _draft(
        self, path: Path, kind: Kind, blank: LandedFile, contract: SystemContract, sheet: Sheet | None
    ) -> list[LandedFile]:
        """Read the content, put it into the lake, and tell of it."""
        before = _state(path)
        title = sheet.title if sheet else ""
        earlier = landed_before(self._project.lake, self._system, blank.sha256, title)
        landed_at = earlier[0].landed_at if earlier else self._landed_at
        content = Content(
            path,
            self._system,
            blank.name,
            blank.member,
            blank.sha256,
            blank.bytes,
            landed_at,
            title,
            declared_as_of(blank.name),
        )
        if sheet or kind == "csv":
            layout = recognise_sheet(sheet, contract, self._own) if sheet else recognise_csv(path, contract, self._own)
            dialect = dialect_of(contract.entities[layout.entity], self._own)
            blank = replace(blank, missing=layout.missing, unknown=layout.unknown)
            if sheet:
                drafted = [draft_sheet(self._work, content, layout, dialect, sheet)]
            else:
                drafted = [draft_csv(self._work, content, layout, dialect)]
        else:
            drafted = draft_json(self._work, content, kind, contract)
        if _state(path) != before:
            raise UnreadableError("it changed while it was read; it lands at the next run")
        into_lake(self._project.lake, [(file.path, file.facts) for file in drafted])
        return [self._warned(entry) for entry in _entries(blank, drafted)]

    def _warned(self, entry: LandedFile) -> LandedFile:
        as_of = declared_as_of(entry.name)
        if as_of is None or as_of.date() <= self._landed_at.date():
            return entry
        late = f"its folder says {as_of:%Y-%m-%d}, a day that has not come yet: it goes before all that comes till then"
        return replace(entry, message="; ".join(part for part in (entry.message, late) if part))


def declared_as_of(name: str) -> dt.datetime | None:
    """The day that a drop says it stands for, by the innermost folder (or archive) called so: `stripe/2026-06-30/...`.

    Noon UTC of that day, which is on the same day in every zone from -12 to +11.

    >>> declared_as_of("2026-06-30/invoices.csv")
    datetime.datetime(2026, 6, 30, 12, 0)
    """
    for folder in reversed(re.split("[/!]", name)[:-1]):
        day = folder.removesuffix(".zip")
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", day):
            try:
                return dt.datetime.combine(dt.date.fromisoformat(day), dt.time(12))
            except ValueError:
                continue
    return None


def _countable(path: Path, kind: Kind) -> int | None:
    """How many lines with text a file has that nobody can read yet, its header not among them; None for a workbook."""
    if kind == "xlsx":
        return None
    lines = count_lines(path).records
    return max(lines - 1, 0) if kind == "csv" else lines


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


def _reads_alike(facts: Facts, contract: SystemContract, own: SystemSettings | None) -> bool:
    """Whether the contract still has the entity, and reads its files as it did when this one landed."""
    entity = contract.entities.get(facts.entity)
    return entity is not None and facts.dialect in ("", dialect_key(dialect_of(entity, own)))


def _files(folder: Path) -> Iterator[Path]:
    """Every file below the folder by name, without hidden ones; links are given, not followed.

    A folder that cannot be looked into is given as well: what is in it must not be missing in silence.
    """
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        try:
            if path.is_symlink() or not path.is_dir():
                yield path
                continue
            entries = [entry for entry in path.iterdir() if not entry.name.startswith(".")]
        except OSError:
            yield path
            continue
        waiting += sorted(entries, key=lambda entry: entry.name, reverse=True)


_TAKEN_AWAY = "it was taken away while it was read; put it back, or it is not in this run"


@contextmanager
def _told_of_inbox() -> Iterator[None]:
    """What keeps the system from reading a file of the inbox is said of that file; the others land."""
    try:
        yield
    except FileNotFoundError:
        raise UnreadableError(_TAKEN_AWAY) from None
    except OSError as error:
        raise UnreadableError(
            f"it cannot be read ({error.strerror}); give its owner's group leave to read it, or put it there anew"
        ) from None


def _shown(name: Path) -> str:
    """A file's name as text: bytes of it that are no UTF-8 are written out."""
    return name.as_posix().encode("utf-8", errors="surrogateescape").decode("utf-8", errors="backslashreplace")


def _regular_size(path: Path) -> int:
    """The file's size in bytes.

    Raises:
        UnreadableError: it is a link or no file (to open a pipe would wait for ever).
    """
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise UnreadableError("it is a symbolic link, which is not followed; put the file itself into the inbox")
    if stat.S_ISDIR(found.st_mode):
        raise UnreadableError("it is a folder that cannot be looked into; give its owner's group leave to read it")
    if not stat.S_ISREG(found.st_mode):
        raise UnreadableError("it is no regular file; put a file into the inbox")
    return found.st_size


def _state(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
