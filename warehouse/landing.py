"""Files -> lake: what was dropped, as it came, once.

Every cell stays text. A file is known by its bytes: landing the same bytes again does nothing. The engine reads files
quickly; its count of records is compared with an independent one, and a file on which they differ is read carefully.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.archives import RefusedArchiveError, extract, members
from warehouse.contracts import Dialect, SystemContract
from warehouse.engine import literal, quoted
from warehouse.project import Project
from warehouse.recognition import (
    Layout,
    UnreadableError,
    UnrecognisedError,
    column_names,
    entity_of,
    recognise,
)
from warehouse.records import Fingerprint, Record, csv_records, fingerprint, json_lines, json_list, sheet_rows

BATCH = 20_000
# The longest cell or JSON record that is read: longer than any export writes, short enough to keep memory bounded.
MOST_RECORD_BYTES = 100_000_000
_DUCKDB_ENCODINGS = {"utf-8": "utf-8", "utf8": "utf-8"}


@dataclass(frozen=True)
class LandedFile:
    """What became of one file of the inbox (or one member of an archive)."""

    system: str
    name: str
    sha256: str = ""
    member: str = ""
    entity: str | None = None
    bytes: int = 0
    rows_in: int | None = None
    status: str = "landed"  # landed, already_landed, empty, unrecognised, unreadable
    message: str = ""
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Content:
    """Bytes to land: a file of the inbox, or a member of an archive unpacked for the moment."""

    path: Path
    name: str
    member: str


def systems(project: Project) -> list[str]:
    """The systems that have a folder in the inbox."""
    if not project.inbox.is_dir():
        return []
    return sorted(entry.name for entry in project.inbox.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def landing_time(project: Project, now: dt.datetime) -> dt.datetime:
    """When this landing counts as done (UTC, whole seconds), noted until `landing_done`.

    A landing that was killed goes on with its own time: when a record became known depends on it, so a resumed night
    gives the tables that the uninterrupted one would have given.
    """
    marker = _marker(project)
    if marker.exists() and (noted := marker.read_text(encoding="ascii").strip()):
        return dt.datetime.fromisoformat(noted)
    marker.parent.mkdir(parents=True, exist_ok=True)
    started = now.replace(microsecond=0, tzinfo=None)
    marker.write_text(started.isoformat(), encoding="ascii")
    return started


def landing_done(project: Project) -> None:
    """Every system has landed: the next landing has a time of its own."""
    _marker(project).unlink(missing_ok=True)


def _marker(project: Project) -> Path:
    return project.lake.parent / ".landing"


def land(
    project: Project, contracts: Mapping[str, SystemContract], system: str, landed_at: dt.datetime
) -> list[LandedFile]:
    """Land every file below inbox/<system>; one entry for each file, archive member and entity, by name."""
    return _Lander(project, contracts.get(system), system, landed_at, project.lake).run()


def inspect(project: Project, contracts: Mapping[str, SystemContract], system: str, lake: Path) -> list[LandedFile]:
    """As `land`, into the given folder instead of the project's lake: the project is left as it is."""
    return _Lander(project, contracts.get(system), system, dt.datetime(1970, 1, 1), lake).run()


class _Lander:
    """Lands one system's files into one lake folder."""

    def __init__(
        self, project: Project, contract: SystemContract | None, system: str, landed_at: dt.datetime, lake: Path
    ) -> None:
        self.project = project
        self.contract = contract
        self.system = system
        self.landed_at = landed_at
        self.lake = lake
        self.staging = lake.parent / ".staging" / system

    def run(self) -> list[LandedFile]:
        # Whatever a killed landing left is worth nothing: a file is in the lake wholly or not at all.
        shutil.rmtree(self.staging, ignore_errors=True)
        self.staging.mkdir(parents=True)
        try:
            return [found for path in self._files() for found in self._land_file(path)]
        finally:
            shutil.rmtree(self.staging, ignore_errors=True)

    def _files(self) -> Iterator[Path]:
        folder = self.project.inbox / self.system
        for path in sorted(folder.rglob("*")):
            hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
            if not hidden and (path.is_symlink() or path.is_file()):
                yield path

    def _name(self, path: Path) -> str:
        return path.relative_to(self.project.inbox / self.system).as_posix()

    def _land_file(self, path: Path) -> Iterator[LandedFile]:
        name = self._name(path)
        if path.is_symlink():
            message = "it is a symbolic link; links are not followed: put the file itself here"
            yield LandedFile(self.system, name, status="unreadable", message=message)
        elif _is_archive(path):
            yield from self._land_archive(path, name)
        else:
            yield from self._land_content(_Content(path, name, ""))

    def _land_archive(self, path: Path, name: str) -> Iterator[LandedFile]:
        try:
            with zipfile.ZipFile(path) as archive:
                for info in members(archive, self.project.settings.limits.archive_bytes):
                    target = self.staging / "member"
                    extract(archive, info, target)
                    yield from self._land_content(_Content(target, f"{name}!{info.filename}", info.filename))
        except (RefusedArchiveError, zipfile.BadZipFile) as error:
            yield LandedFile(self.system, name, status="unreadable", message=f"the archive is refused: {error}")

    def _land_content(self, content: _Content) -> list[LandedFile]:
        blank = LandedFile(self.system, content.name, member=content.member, bytes=content.path.stat().st_size)
        if self.contract is None:
            message = f"no contract knows a system {self.system!r}; add exports/{self.system}.yml to the project"
            sha256 = fingerprint(content.path, None).sha256
            return [replace(blank, sha256=sha256, status="unrecognised", message=message)]
        own = self.project.settings.systems.get(self.system)
        try:
            layout = recognise(content.path, self.contract, own)
            if layout is None:
                sha256 = fingerprint(content.path, None).sha256
                return [replace(blank, sha256=sha256, rows_in=0, status="empty", message="it is empty")]
            print_ = self._fingerprint(content, layout)
            landed = self._already(blank, layout, print_)
            return landed or self._write(content, layout, print_, blank)
        except (UnrecognisedError, UnreadableError) as error:
            status = "unrecognised" if isinstance(error, UnrecognisedError) else "unreadable"
            return [replace(blank, sha256=fingerprint(content.path, None).sha256, status=status, message=str(error))]

    def _fingerprint(self, content: _Content, layout: Layout) -> Fingerprint:
        return fingerprint(content.path, self._dialect(layout).quote if layout.format == "csv" else None)

    def _dialect(self, layout: Layout) -> Dialect:
        assert self.contract is not None
        return self.contract.entities[layout.entity].dialect

    def _already(self, blank: LandedFile, layout: Layout, print_: Fingerprint) -> list[LandedFile]:
        """The same bytes in the lake, whatever their file was called."""
        return [
            replace(
                blank,
                sha256=print_.sha256,
                entity=path.parent.name,
                rows_in=int(_metadata(path)["rows_in"]),
                status="already_landed",
                missing=layout.missing,
                unknown=layout.unknown,
            )
            for path in sorted((self.lake / self.system).glob(f"*/{print_.sha256}.parquet"))
        ]

    def _write(self, content: _Content, layout: Layout, print_: Fingerprint, blank: LandedFile) -> list[LandedFile]:
        writer = _Writer(self, content, layout, print_)
        blank = replace(blank, sha256=print_.sha256, missing=layout.missing, unknown=layout.unknown)
        return [
            replace(blank, entity=entity, rows_in=rows, status="landed" if rows else "empty", message=message)
            for entity, rows, message in writer.write()
        ]


def _is_archive(path: Path) -> bool:
    """A ZIP that is no workbook (a workbook is a ZIP with a part `xl/`)."""
    if not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return not any(name.startswith("xl/") for name in archive.namelist())
    except zipfile.BadZipFile:
        return True


class _Writer:
    """Writes one content to the lake: the quick way, and where that will not do, the careful one."""

    def __init__(self, lander: _Lander, content: _Content, layout: Layout, print_: Fingerprint) -> None:
        self.lander = lander
        self.content = content
        self.layout = layout
        self.print = print_
        self.dialect = lander._dialect(layout)
        self.target = lander.staging / "landing.parquet"

    def write(self) -> list[tuple[str, int, str]]:
        """(entity, rows in, message) for each entity in the file."""
        quick = self._quick()
        defects = {} if quick else self._careful()
        if self.layout.format.startswith("json"):
            return self._split(defects)
        return [self._keep(self.target, self.layout.entity, defects)]

    # The quick way ---------------------------------------------------------------------------------------------

    def _quick(self) -> bool:
        """Whether the engine read the file without complaint, and as many records as were counted."""
        if self.layout.format == "xlsx":
            return False
        try:
            path = self._utf8()
            select, expected = self._csv_select(path) if self.layout.format == "csv" else self._json_select(path)
            rows = self._copy(select)
        except (duckdb.Error, UnicodeDecodeError):
            return False
        return rows == expected or expected is None

    def _utf8(self) -> Path:
        """The content as UTF-8, transcoded where its declared encoding is not that (the engine knows few)."""
        encoding = self.dialect.encoding.lower().replace("_", "-")
        if self.layout.format != "csv" or encoding in _DUCKDB_ENCODINGS:
            return self.content.path
        target = self.lander.staging / "utf8"
        with (
            self.content.path.open("r", encoding=self.dialect.encoding, newline="") as source,
            target.open("w", encoding="utf-8", newline="") as file,
        ):
            shutil.copyfileobj(source, file, 1 << 20)
        return target

    def _csv_select(self, path: Path) -> tuple[str, int]:
        names = [f"c{place}" for place in range(len(self.layout.headers))]
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
        read = (
            f"read_csv({literal(str(path))}, columns = {{{columns}}}, auto_detect = false, header = true, "
            f"delim = {literal(self.dialect.delimiter)}, quote = {literal(self.dialect.quote)}, "
            f"escape = {literal(self.dialect.quote)}, skip = {self.dialect.skip}, null_padding = false, "
            f"strict_mode = true, max_line_size = {MOST_RECORD_BYTES}, parallel = true)"
        )
        cells = ", ".join(
            f"{_folded_sql(places)} as {quoted(name)}" for name, places in folded(self.layout.headers).items()
        )
        return f"select {cells} from {read}", self.print.records - self.dialect.skip - 1

    def _json_select(self, path: Path) -> tuple[str, int | None]:
        form = {"json lines": "newline_delimited", "json list": "array"}.get(self.layout.format, "unstructured")
        read = (
            f"read_json_objects({literal(str(path))}, format = {literal(form)}, "
            f"maximum_object_size = {MOST_RECORD_BYTES})"
        )
        record = "json"
        if self.layout.format == "json pages":
            read = f"(select unnest(json_extract(json, '$.data[*]')) as json from {read})"
        select = f"select cast({record} as varchar) as record, {self._entity_sql(record)} as _entity from {read}"
        return select, self.print.records if self.layout.format == "json lines" else None

    def _entity_sql(self, record: str) -> str:
        """The entity of each record, as `entity_of` has it."""
        assert self.lander.contract is not None
        cases = []
        for name, entity in self.lander.contract.entities.items():
            way = entity.recognise
            if entity.format != "json":
                continue
            if way.wrapper is not None:
                test = f"json_type({record}, {literal(f'$.{quoted(way.wrapper)}')}) = 'OBJECT'"
            elif way.object is not None:
                test = f"json_extract_string({record}, '$.object') = {literal(way.object)}"
            else:
                test = " and ".join(f"json_exists({record}, {literal(f'$.{quoted(field)}')})" for field in way.fields)
            cases.append(f"when {test} then {literal(name)}")
        return f"case {' '.join(cases)} end"

    def _copy(self, select: str) -> int:
        limits = self.lander.project.settings.limits
        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": limits.threads,
            "memory_limit": limits.memory,
            "temp_directory": str(self.lander.staging / "spill"),
            "autoinstall_known_extensions": "false",
        }
        with duckdb.connect(config=config) as connection:
            copied = connection.execute(
                f"copy (select *, {literal(self.content.name)} as _file, "
                f"cast({literal(self.lander.landed_at.isoformat())} as timestamp) as _landed_at from ({select})) "
                f"to {literal(str(self.target))} (format parquet, compression zstd, compression_level 1, "
                f"kv_metadata {self._metadata_sql()})"
            ).fetchone()
        return int(copied[0]) if copied else 0

    def _metadata_sql(self) -> str:
        pairs = self._facts(self.layout.entity).items()
        return "{" + ", ".join(f"{key}: {literal(value)}" for key, value in pairs) + "}"

    def _facts(self, entity: str) -> dict[str, str]:
        """The file's metadata; rows_in is told by the Parquet rows and rows_blank together."""
        return {
            "sha256": self.print.sha256,
            "member": self.content.member,
            "name": self.content.name,
            "system": self.lander.system,
            "entity": entity,
            "format": self.layout.format.split()[0],
            "landed_at": self.lander.landed_at.isoformat(),
            "bytes": str(self.print.bytes),
            # A file of several entities has its blank lines counted once, with the first.
            "rows_blank": str(self._blank() if entity == self.layout.entity else 0),
            "headers": json.dumps(list(self.layout.headers), ensure_ascii=True),
            "folded": json.dumps([name for name, places in folded(self.layout.headers).items() if len(places) > 1]),
        }

    def _blank(self) -> int:
        return self.print.blank if self.layout.format in ("csv", "json lines") else 0

    # The careful way -------------------------------------------------------------------------------------------

    def _careful(self) -> dict[str, int]:
        """Read record by record; how many records have which defect."""
        defects: dict[str, int] = {}
        names = [*folded(self.layout.headers), *([] if self.layout.headers else ["record", "_entity"])]
        schema = pa.schema(
            [
                *((name, pa.string()) for name in names),
                ("_row", pa.int64()),
                ("_defect", pa.string()),
                ("_raw", pa.string()),
                ("_file", pa.string()),
                ("_landed_at", pa.timestamp("us")),
            ]
        )
        writer = pq.ParquetWriter(self.target, schema, compression="zstd", compression_level=1)
        with writer:
            for start, batch in _batches(self._records()):
                writer.write_batch(self._batch(schema, start, batch))
                for record in batch:
                    if record.defect:
                        defects[record.defect] = defects.get(record.defect, 0) + 1
            writer.add_key_value_metadata(self._facts(self.layout.entity))
        return defects

    def _records(self) -> Iterator[Record]:
        path = self.content.path
        match self.layout.format:
            case "csv":
                return csv_records(path, self.dialect, len(self.layout.headers))
            case "xlsx":
                return self._sheet_records()
            case "json list":
                return json_list(path)
            case "json lines":
                return json_lines(path)
        raise UnreadableError("its JSON is damaged; export it again, as one object a line where there is a choice")

    def _sheet_records(self) -> Iterator[Record]:
        """Rows below the header; blank ones, which spreadsheets carry at the end by the thousand, are counted apart."""
        width = len(self.layout.headers)
        has_header = False
        self._blank_rows = 0
        for row in sheet_rows(self.content.path):
            if not any(row):
                self._blank_rows += int(has_header)
            elif not has_header:
                has_header = True
            elif any(row[width:]):
                yield Record(None, "too_many_cells", json.dumps(row, ensure_ascii=False))
            else:
                yield Record((*row[:width], *([None] * (width - len(row)))))

    def _batch(self, schema: pa.Schema, start: int, batch: Sequence[Record]) -> pa.RecordBatch:
        columns: list[pa.Array] = []
        if self.layout.headers:
            for places in folded(self.layout.headers).values():
                columns.append(pa.array([_folded(record.cells, places) for record in batch], pa.string()))
        else:
            columns.append(pa.array([record.cells[0] if record.cells else None for record in batch], pa.string()))
            columns.append(pa.array([self._entity(record) for record in batch], pa.string()))
        return pa.record_batch(
            [
                *columns,
                pa.array(range(start, start + len(batch)), pa.int64()),
                pa.array([record.defect for record in batch], pa.string()),
                pa.array([record.raw for record in batch], pa.string()),
                pa.array([self.content.name] * len(batch), pa.string()),
                pa.array([self.lander.landed_at] * len(batch), pa.timestamp("us")),
            ],
            schema=schema,
        )

    def _entity(self, record: Record) -> str | None:
        assert self.lander.contract is not None
        return entity_of(json.loads(record.cells[0] or "{}"), self.lander.contract) if record.cells else None

    # To the lake -----------------------------------------------------------------------------------------------

    def _split(self, defects: dict[str, int]) -> list[tuple[str, int, str]]:
        """One lake file for each entity in a JSON file; records that no entity fits stay with the file's first one."""
        source = literal(str(self.target))
        found = duckdb.execute(
            f"select distinct _entity from read_parquet({source}) where _entity is not null"
        ).fetchall()
        unfit = duckdb.execute(
            f"select count(*) from read_parquet({source}) where _entity is null and record is not null"
        ).fetchall()[0][0]
        entities = sorted(name for (name,) in found)
        if not unfit and entities in ([], [self.layout.entity]):
            return [self._keep(self.target, self.layout.entity, defects)]
        if unfit:
            defects = {**defects, "unknown_record": unfit}
        return [
            self._keep(self._part(entity, source), entity, defects if entity == self.layout.entity else {})
            for entity in sorted({*entities, self.layout.entity})
        ]

    def _part(self, entity: str, source: str) -> Path:
        """The records of one entity, with the numbers that they have in the whole file."""
        target = self.lander.staging / "part.parquet"
        mine = "_entity is null" if entity == self.layout.entity else "false"
        columns = pq.read_schema(self.target).names
        number = "_row" if "_row" in columns else "file_row_number + 1"
        defect, raw = ("_defect", "_raw") if "_defect" in columns else ("null", "null")
        facts = ", ".join(f"{key}: {literal(value)}" for key, value in self._facts(entity).items())
        duckdb.execute(
            f"""
            copy (
                select
                    case when _entity is not null then record end as record,
                    {number} as _row,
                    case when _entity is null and record is not null then 'unknown_record' else {defect} end as _defect,
                    case when _entity is null and record is not null then record else {raw} end as _raw,
                    _file,
                    _landed_at
                from read_parquet({source}, file_row_number = true)
                where _entity = {literal(entity)} or {mine}
            ) to {literal(str(target))} (format parquet, compression zstd, compression_level 1, kv_metadata {{{facts}}})
            """
        )
        return target

    def _keep(self, path: Path, entity: str, defects: dict[str, int]) -> tuple[str, int, str]:
        """Move a finished file to its place in the lake, in one step."""
        if self.layout.format == "xlsx":
            _set_metadata(path, rows_blank=str(self._blank_rows))
        folder = self.lander.lake / self.lander.system / entity
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{self.print.sha256}.parquet"
        with path.open("rb") as file:
            os.fsync(file.fileno())
        path.replace(target)
        rows = int(_metadata(target)["rows_in"])
        return entity, rows, self._message(rows, defects)

    def _message(self, rows: int, defects: dict[str, int]) -> str:
        if not rows:
            return "it has a header and no rows" if self.layout.headers else "it has no records"
        if not defects:
            return ""
        kinds = ", ".join(f"{count} {defect}" for defect, count in sorted(defects.items()))
        advice = (
            f"; the contract declares {self.dialect.encoding}: declare another dialect.encoding if that is wrong"
            if "undecodable" in defects
            else ""
        )
        return f"{sum(defects.values())} of {rows} records could not be read and are in quarantine: {kinds}{advice}"


def folded(headers: Sequence[str]) -> dict[str, list[int]]:
    """Column name -> places of its header; headers that repeat, whatever their case, share the first one's name.

    >>> folded(["Id", "Comment", "comment"])
    {'Id': [0], 'Comment': [1, 2]}
    """
    names: dict[str, str] = {}
    places: dict[str, list[int]] = {}
    for place, header in enumerate(column_names(headers)):
        name = names.setdefault(header.lower(), header)
        places.setdefault(name, []).append(place)
    return places


def _folded_sql(places: Sequence[int]) -> str:
    if len(places) == 1:
        return f"nullif(c{places[0]}, '')"
    cells = ", ".join(f"nullif(c{place}, '')" for place in places)
    filled = f"list_filter([{cells}], lambda cell: cell is not null)"
    return f"case when len({filled}) > 0 then cast(to_json({filled}) as varchar) end"


def _folded(cells: Sequence[str | None] | None, places: Sequence[int]) -> str | None:
    if cells is None:
        return None
    if len(places) == 1:
        return cells[places[0]]
    filled = [cells[place] for place in places if cells[place]]
    return json.dumps(filled, ensure_ascii=False, separators=(",", ":")) if filled else None


def _batches(records: Iterator[Record]) -> Iterator[tuple[int, list[Record]]]:
    """Records by the batch, each with the number of its first."""
    start, batch = 1, []
    for record in records:
        batch.append(record)
        if len(batch) == BATCH:
            yield start, batch
            start, batch = start + BATCH, []
    yield start, batch


def _set_metadata(path: Path, **facts: str) -> None:
    """Rewrite a small Parquet file with more metadata (a sheet tells its blank rows only when it is read)."""
    table = pq.read_table(path)
    metadata = {**(table.schema.metadata or {}), **{key.encode(): value.encode() for key, value in facts.items()}}
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        pq.write_table(table.replace_schema_metadata(metadata), file, compression="zstd", compression_level=1)
    Path(file.name).replace(path)


def _metadata(path: Path) -> dict[str, str]:
    """A lake file's facts; rows_in counts every record of the file, blank and defective ones among them."""
    parquet = pq.read_metadata(path)
    facts = {key.decode(): value.decode() for key, value in parquet.metadata.items() if not key.startswith(b"ARROW")}
    return {**facts, "rows_in": str(parquet.num_rows + int(facts["rows_blank"]))}


LAKE_FACTS = (
    "system",
    "entity",
    "sha256",
    "member",
    "name",
    "format",
    "landed_at",
    "bytes",
    "rows_in",
    "rows_blank",
    "headers",
)


def lake_files(lake: Path) -> pa.Table:
    """One row for each lake file: LAKE_FACTS as text, and `path`; by system, entity and hash."""
    paths = sorted(lake.glob("*/*/*.parquet"))
    facts = [_metadata(path) for path in paths]
    columns = {name: pa.array([fact[name] for fact in facts], pa.string()) for name in LAKE_FACTS}
    return pa.table({**columns, "path": pa.array([str(path) for path in paths], pa.string())})
