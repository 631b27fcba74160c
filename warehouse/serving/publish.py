"""Publishing: a finished build becomes a release, and `current` is swapped to it in one step.

Never in place, and never by replacing the database file itself: a writer blocks every reader, and a reader that opened
the file read-write leaves a .wal that is replayed into the next file of that name. A directory link has neither fault.
"""

from __future__ import annotations

import grp
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.durable import flush
from warehouse.engine import literal, quoted
from warehouse.errors import ConfigurationError, MutualValueError
from warehouse.project import Project

DATABASE = "warehouse.duckdb"
BUILD = ".build-"
_LINK = ".current-"
_OUTDATED = ".outdated"


class UnfinishedBuild(MutualValueError):
    """The build is not a closed, complete database; publishing it would show readers a half of it."""

    exit_code = 1


@dataclass(frozen=True)
class Release:
    """One published release; `as_of` and `built_at` as ISO text."""

    run_id: str
    as_of: str
    built_at: str
    is_current: bool


def check_group(project: Project) -> None:
    """Find out before a night's work that its release cannot be given to the group that shall read it.

    Raises:
        ConfigurationError: there is no such group, or the user is not in it.
    """
    name = project.settings.releases_group
    if name is None:
        return
    try:
        number = grp.getgrnam(name).gr_gid
    except KeyError:
        raise ConfigurationError(f"releases_group: this machine has no group {name!r}") from None
    if number not in (os.getegid(), *os.getgroups()):
        raise ConfigurationError(
            f"releases_group: the user of this run is not in the group {name!r}, and so cannot give it the release"
        )


def publish(project: Project, build: Path, run_id: str, grains: Mapping[str, Sequence[str]] | None = None) -> Path:
    """Turn the build folder into releases/<run_id> and point `current` at it; the release's folder.

    `grains` names the columns that order a mart table's Parquet file; a table without one is ordered by all columns.
    A kill at any point leaves `current` on a whole release: the link is swapped last, by one rename.

    Raises:
        UnfinishedBuild: a write-ahead log is left beside the database, or mart.release is not this run's one row.
    """
    _export_marts(_finished(build / DATABASE, run_id), build / "marts", grains or {})
    project.releases.mkdir(exist_ok=True)
    _seal(build, project)
    release = project.releases / run_id
    build.rename(release)
    flush(project.releases)
    _point_current(project, run_id)
    prune(project)
    return release


def restore(project: Project, run_id: str) -> Path:
    """Point `current` at a release that is already there; the release's folder. The release itself is not touched.

    Raises:
        ConfigurationError: there is no such release.
    """
    release = project.releases / run_id
    if run_id not in _release_ids(project):
        there = ", ".join(_release_ids(project)) or "none"
        raise ConfigurationError(f"{project.releases} has no release {run_id!r}; there are: {there}")
    _read_release(release / DATABASE)
    _point_current(project, run_id)
    return release


def releases(project: Project) -> list[Release]:
    """All releases that can be restored, the newest first."""
    current = current_run_id(project)
    kept = [(run_id, _read_release(project.releases / run_id / DATABASE)) for run_id in reversed(_release_ids(project))]
    return [Release(run_id, str(as_of), str(built_at), run_id == current) for run_id, (_, as_of, built_at) in kept]


def current_run_id(project: Project) -> str | None:
    """The run that readers see; None before the first publish."""
    try:
        return project.current.readlink().name
    except FileNotFoundError:
        return None


def remove_leftovers(project: Project) -> list[str]:
    """Remove what killed runs left beside the releases; the names removed. Call it under the lock only."""
    left = sorted(path for path in project.root.iterdir() if path.name.startswith((BUILD, _LINK)))
    for path in left:
        path.unlink() if path.is_symlink() else shutil.rmtree(path)
    return [path.name for path in left]


def prune(project: Project) -> list[str]:
    """Remove all but the newest limits.keep_releases releases, and never the current one; the run ids removed.

    Outdated ones go whatever is kept.
    """
    newest = set(_release_ids(project)[-project.settings.limits.keep_releases :])
    return _remove_all_but(project, newest - _outdated(project))


def outdate(project: Project) -> None:
    """Remove every release but the current one, and that one with the next publish: they were built from what has been
    erased since. Call it under the lock only."""
    project.releases.mkdir(exist_ok=True)
    listed = sorted({*_outdated(project), *_release_ids(project)})
    draft = project.releases / f"{_OUTDATED}.new"
    draft.write_text("".join(f"{run_id}\n" for run_id in listed), encoding="ascii")
    draft.replace(project.releases / _OUTDATED)
    _remove_all_but(project, set())


def outdated_run_id(project: Project) -> str | None:
    """The run that readers see, where it was built from what has been erased since."""
    current = current_run_id(project)
    return current if current in _outdated(project) else None


def _outdated(project: Project) -> set[str]:
    path = project.releases / _OUTDATED
    return set(path.read_text(encoding="ascii").split()) if path.exists() else set()


def _remove_all_but(project: Project, keep: set[str]) -> list[str]:
    """Remove releases, never the current one; the run ids removed.

    A release leaves `releases/` by one rename before it is deleted, so that no half of one can be restored.
    """
    old = [run_id for run_id in _release_ids(project) if run_id not in {*keep, current_run_id(project)}]
    for run_id in old:
        doomed = project.root / f"{BUILD}pruned-{run_id}"
        (project.releases / run_id).rename(doomed)
        shutil.rmtree(doomed)
    if not _outdated(project) & set(_release_ids(project)):
        (project.releases / _OUTDATED).unlink(missing_ok=True)
    return old


def _release_ids(project: Project) -> list[str]:
    """Oldest first: a run id begins with its UTC time."""
    if not project.releases.is_dir():
        return []
    return sorted(path.parent.name for path in project.releases.glob(f"*/{DATABASE}"))


def _finished(database: Path, run_id: str) -> Path:
    log = database.with_name(f"{database.name}.wal")
    if log.exists():
        raise UnfinishedBuild(f"{log} is there: the build was not checkpointed and closed, so {database} is not whole")
    found = _read_release(database)[0]
    if found != run_id:
        raise UnfinishedBuild(f"{database} holds mart.release of run {found}, not of {run_id}")
    return database


def _read_release(database: Path) -> tuple[object, object, object]:
    """(run_id, as_of, built_at) of the database's one-row release table."""
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            rows = connection.execute("select run_id, as_of, built_at from mart.release").fetchall()
    except duckdb.Error as error:
        raise UnfinishedBuild(f"{database} cannot be read as a release: {error}") from error
    if len(rows) != 1:
        raise UnfinishedBuild(f"{database}: mart.release has {len(rows)} rows; a release has one")
    run_id, as_of, built_at = rows[0]
    return run_id, as_of, built_at


def _export_marts(database: Path, folder: Path, grains: Mapping[str, Sequence[str]]) -> None:
    """Each mart table as folder/<table>.parquet, its rows in the order of the grain: same rows, same file."""
    folder.mkdir()
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute(f"set temp_directory = {literal(str(folder.parent / 'spill'))}")
        for table in _mart_tables(connection):
            order = ", ".join(map(quoted, grains.get(table, ()))) or "all"
            connection.execute(
                f"copy (select * from mart.{quoted(table)} order by {order}) "
                f"to {literal(str(folder / f'{table}.parquet'))} (format parquet, compression zstd)"
            )
    shutil.rmtree(folder.parent / "spill", ignore_errors=True)


def _mart_tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    rows = connection.execute(
        "select table_name from duckdb_tables() where schema_name = 'mart' order by table_name"
    ).fetchall()
    return [name for (name,) in rows]


def _seal(folder: Path, project: Project) -> None:
    """Make every file read-only, for its owner and the group that may read releases (releases_group), and put all of
    it on the disk, the files before the folders that name them."""
    group = project.settings.releases_group
    for path in _deepest_first(folder):
        _give(path, group, (0o440 if group else 0o400) if path.is_file() else (0o750 if group else 0o700))
        flush(path)
    _give(project.releases, group, 0o750 if group else 0o700)
    if group:
        # To pass through to what it may read, and to see nothing else.
        _give(project.root, group, 0o710)


def _give(path: Path, group: str | None, mode: int) -> None:
    if group:
        shutil.chown(path, group=group)
    path.chmod(mode)


def _deepest_first(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder, topdown=False):
        yield from (Path(parent, name) for name in sorted(names))
        yield Path(parent)


def _point_current(project: Project, run_id: str) -> None:
    """Swap the link by one rename; its target is relative, so that the project folder can be moved."""
    link = project.root / f"{_LINK}{run_id}"
    link.unlink(missing_ok=True)
    link.symlink_to(Path(project.releases.name, run_id))
    link.replace(project.current)
    flush(project.root)
