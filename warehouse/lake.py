"""The lake: one Parquet file for each (content, entity), written once, in one step.

`lake/raw/<system>/<entity>/<sha256>.parquet` holds every cell as text, and in its key-value metadata where it came from
and how many records it accounts for. A file is written below lake/.staging and renamed: it is in the lake wholly or
not at all, however a run ends.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.durable import flush
from warehouse.engine import connect, literal
from warehouse.errors import MutualValueError
from warehouse.project import Limits, Project

STAGING = ".staging"
DROPS = "drops"
_LOCK = "lock"
# Half the usual: a sixth faster to write here, in less memory.
ROW_GROUP = 61_440
# The engine's writer takes three quarters of a megabyte for each column, however few rows there are.
MOST_COPIED_COLUMNS = 500
STREAMED_CELLS = 10_000_000

LAKE_SCHEMA = pa.schema(
    [
        ("system", pa.string()),
        ("entity", pa.string()),
        ("sha256", pa.string()),
        ("member", pa.string()),
        ("name", pa.string()),
        ("format", pa.string()),
        ("landed_at", pa.timestamp("us")),
        ("bytes", pa.int64()),
        ("rows_in", pa.int64()),
        ("rows_blank", pa.int64()),
        ("rows_defective", pa.int64()),
        ("headers", pa.list_(pa.string())),
        ("folded", pa.list_(pa.string())),
        ("path", pa.string()),
    ]
)


class LostRecordsError(MutualValueError):
    """A lake file does not hold as many records as were read: a fault of this program, never passed over."""

    exit_code = 1


@dataclass(frozen=True)
class Facts:
    """What a lake file says of itself (its Parquet key-value metadata).

    `rows_in` counts all records of the entity, those that are blank lines or defective among them.
    `entities` are all those that the content holds: a content is landed when each of them has its file.
    `dialect` is how the contract had a CSV read; with another one it is read again.
    `sheet` is the title of one of several sheets of a workbook; `as_of` (UTC) what the drop said it stands for.
    """

    sha256: str
    member: str
    name: str
    system: str
    entity: str
    format: str
    landed_at: dt.datetime
    bytes: int
    rows_in: int
    rows_blank: int
    rows_defective: int
    headers: tuple[str, ...] = ()
    folded: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    dialect: str = ""
    sheet: str = ""
    as_of: dt.datetime | None = None

    @property
    def file_name(self) -> str:
        """The name of its lake file; the sheets of a workbook share its hash."""
        return _file_name(self.sha256, self.sheet)

    @property
    def metadata(self) -> dict[str, str]:
        """What stands in the lake file's metadata."""
        return {key: _as_text(value) for key, value in vars(self).items()}


def _as_text(value: object) -> str:
    if isinstance(value, tuple):
        return json.dumps(value, ensure_ascii=True)
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, dt.datetime) else str(value)


def _file_name(sha256: str, sheet: str) -> str:
    return f"{sha256}-{hashlib.sha256(sheet.encode()).hexdigest()[:12]}.parquet" if sheet else f"{sha256}.parquet"


def read_facts(path: Path) -> Facts:
    """What the lake file says of itself."""
    metadata = pq.read_metadata(path).metadata or {}
    told = {key.decode(): value.decode() for key, value in metadata.items()}
    return Facts(
        sha256=told["sha256"],
        member=told["member"],
        name=told["name"],
        system=told["system"],
        entity=told["entity"],
        format=told["format"],
        landed_at=dt.datetime.fromisoformat(told["landed_at"]),
        bytes=int(told["bytes"]),
        rows_in=int(told["rows_in"]),
        rows_blank=int(told["rows_blank"]),
        rows_defective=int(told["rows_defective"]),
        headers=tuple(json.loads(told["headers"])),
        folded=tuple(json.loads(told["folded"])),
        entities=tuple(json.loads(told["entities"])),
        dialect=told["dialect"],
        sheet=told["sheet"],
        as_of=dt.datetime.fromisoformat(told["as_of"]) if told["as_of"] else None,
    )


def landed_before(lake: Path, system: str, sha256: str, sheet: str = "") -> list[Facts]:
    """The facts of the content's lake files, by entity; none unless all of its entities are there."""
    facts = [read_facts(path) for path in sorted((lake / system).glob(f"*/{_file_name(sha256, sheet)}"))]
    complete = bool(facts) and {fact.entity for fact in facts} >= set(facts[0].entities)
    return facts if complete else []


def lake_files(project: Project) -> pa.Table:
    """The facts of every lake file, as LAKE_SCHEMA has them; by system, entity and hash. `path` is below lake/raw."""
    rows: list[dict[str, Any]] = []
    for path in sorted(project.lake.glob("*/*/*.parquet")):
        facts = vars(read_facts(path))
        rows.append({**facts, "path": path.relative_to(project.lake).as_posix()})
    columns = {name: [row[name] for row in rows] for name in LAKE_SCHEMA.names}
    return pa.table({name: pa.array(columns[name], LAKE_SCHEMA.field(name).type) for name in columns})


def _drops(lake: Path, system: str) -> Path:
    return lake.parent / DROPS / system


def see(lake: Path, system: str, sha256: str, time: dt.datetime) -> None:
    """Note, once, that a drop of that time (UTC) held a content that is in the lake already, or an archive."""
    folder = _drops(lake, system)
    folder.mkdir(parents=True, exist_ok=True)
    # strftime writes the year 999 with three digits.
    (folder / f"{sha256}.{time.year:04}{time:%m%dT%H%M%S}").touch()
    flush(folder)


def was_seen(lake: Path, system: str, sha256: str) -> bool:
    """Whether `see` ever noted the content."""
    return any(_drops(lake, system).glob(f"{sha256}.*"))


def seen_at(lake: Path) -> dict[tuple[str, str], list[dt.datetime]]:
    """When contents were seen again: (system, sha256) -> times (UTC), in their order."""
    found: dict[tuple[str, str], list[dt.datetime]] = {}
    for path in sorted((lake.parent / DROPS).glob("*/*.*")):
        time = dt.datetime.strptime(path.suffix, ".%Y%m%dT%H%M%S")
        found.setdefault((path.parent.name, path.stem), []).append(time)
    return found


class Draft:
    """A folder below lake/.staging where one landing works; when the landing ends, what is left is worth nothing."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.folder = folder
        self._limits = limits
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._made: list[Path] = []
        self._paths = 0

    def path(self, name: str) -> Path:
        """A new path in the folder. The engine remembers pages of a file by its name, so none is used twice."""
        self._paths += 1
        self._made.append(self.folder / f"{self._paths}-{name}")
        return self._made[-1]

    def clear(self) -> None:
        """Remove what was made so far: it is in the lake, or of no use."""
        for path in self._made:
            path.unlink(missing_ok=True)
        self._made.clear()

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The landing's engine: in memory, spilling into the folder, keeping the order of what it reads."""
        if self._connection is None:
            limits = self._limits
            self._connection = connect(limits.threads, limits.memory, self.folder / "spill", keeps_order=True)
            self._connection.execute("set enable_external_file_cache = false")
        return self._connection

    def write(self, select: str, facts: Facts) -> Path:
        """Write the rows of `select` as the entity's lake file, not yet in the lake.

        Raises:
            LostRecordsError: the file does not hold rows_in - rows_blank rows.
            duckdb.Error: the engine cannot read what `select` reads.
        """
        target = self.path("lake.parquet")
        rows = (
            f"select *, {literal(facts.name)} as _file, "
            f"cast({literal(facts.landed_at.isoformat())} as timestamp) as _landed_at from ({select})"
        )
        write = self._copy if len(facts.headers) <= MOST_COPIED_COLUMNS else self._stream
        written = write(rows, target, facts)
        if written + facts.rows_blank != facts.rows_in:
            raise LostRecordsError(
                f"{facts.system}/{facts.name}: {facts.rows_in} records of {facts.entity} counted, but {written} "
                f"read and {facts.rows_blank} are blank; nothing of the file was landed"
            )
        return target

    # Snappy writes twice as fast as zstd, for a file that is a third larger.

    def _copy(self, rows: str, target: Path, facts: Facts) -> int:
        metadata = ", ".join(f"{key}: {literal(value)}" for key, value in facts.metadata.items())
        (written,) = self.connection.execute(
            f"copy ({rows}) to {literal(str(target))} "
            f"(format parquet, compression snappy, row_group_size {ROW_GROUP}, kv_metadata {{{metadata}}})"
        ).fetchall()[0]
        return int(written)

    def _stream(self, rows: str, target: Path, facts: Facts) -> int:
        reader = self.connection.execute(rows).to_arrow_reader(max(STREAMED_CELLS // len(facts.headers), 1))
        written = 0
        with pq.ParquetWriter(target, reader.schema.with_metadata(facts.metadata), compression="snappy") as writer:
            for batch in reader:
                writer.write_batch(batch)
                written += batch.num_rows
        return written

    @contextmanager
    def one_thread(self) -> Iterator[None]:
        """The engine on one thread for a while."""
        self.connection.execute("set threads = 1")
        try:
            yield
        finally:
            self.connection.execute(f"set threads = {self._limits.threads}")

    def link(self, path: Path) -> Path:
        """A plain name for `path`: the engine takes `*` and `[` in a name for a pattern, and no undecodable one."""
        link = self.path("content")
        link.symlink_to(path)
        return link

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def into_lake(lake: Path, drafts: Sequence[tuple[Path, Facts]]) -> None:
    """Move a content's finished files to their places, each in one step, after their bytes are on the disk."""
    for path, facts in drafts:
        folder = lake / facts.system / facts.entity
        folder.mkdir(parents=True, exist_ok=True)
        flush(path)
        path.replace(folder / facts.file_name)
        flush(folder)


@contextmanager
def draft(lake: Path, limits: Limits) -> Iterator[Draft]:
    """A folder for one landing, removed when it ends; folders of landings that were killed are removed as well.

    A living landing holds a lock on its folder, which the system lets go of when the process ends, however it ends.
    """
    staging = lake.parent / STAGING
    staging.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(staging)
    folder = Path(tempfile.mkdtemp(dir=staging))
    with (folder / "unlocked").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Only now does another landing look at the lock.
        (folder / "unlocked").rename(folder / _LOCK)
        work = Draft(folder, limits)
        try:
            yield work
        finally:
            work.close()
            shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(staging: Path) -> None:
    for folder in staging.iterdir():
        lock = folder / _LOCK
        if not folder.is_dir() or not lock.exists():
            # Another landing is just about to lock it.
            continue
        with lock.open("r") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(folder, ignore_errors=True)
