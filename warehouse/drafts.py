"""What the two ways of reading share: a content to land, records staged the careful way, and what to say of them.

Quick: the engine copies the file into Parquet without holding it in memory, and the records that it read are as many as
were counted from the bytes. Careful: what the engine refuses, or counts otherwise, is read record by record; each good
record is kept, each bad one becomes its text and the name of its defect.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.contracts import Dialect
from warehouse.engine import literal
from warehouse.lake import Draft, Facts, LostRecordsError
from warehouse.records import Reader, Record, UnreadableError, too_many_undecodable

# What the engine refuses goes the careful way. A message of its own may be cut within a letter, and is then no text.
ENGINE_ERRORS = (duckdb.Error, LostRecordsError, UnicodeDecodeError)

BATCH_RECORDS = 10_000
BATCH_CHARACTERS = 32_000_000
# What a cell takes besides its text, an empty one as well.
CHARACTERS_OF_A_CELL = 8


@dataclass(frozen=True)
class Content:
    """Bytes to land: a file of the inbox, or a member of an archive unpacked for the moment.

    `name` is relative to inbox/<system>, that of a member `archive!member`; `sheet` the title of one of several sheets
    of a workbook, `as_of` what the drop says it stands for.
    """

    path: Path
    system: str
    name: str
    member: str
    sha256: str
    bytes: int
    landed_at: dt.datetime
    sheet: str = ""
    as_of: dt.datetime | None = None

    def facts(self, entity: str, kind: str) -> Facts:
        """What the lake file will say of itself, before anything is counted."""
        return Facts(
            sha256=self.sha256,
            member=self.member,
            name=self.name,
            system=self.system,
            entity=entity,
            format=kind,
            landed_at=self.landed_at,
            bytes=self.bytes,
            rows_in=0,
            rows_blank=0,
            rows_defective=0,
            entities=(entity,),
            sheet=self.sheet,
            as_of=self.as_of,
        )


@dataclass(frozen=True)
class Drafted:
    """A finished file, what it says of itself, and what a person should know about it."""

    path: Path
    facts: Facts
    message: str = ""


@dataclass(frozen=True)
class Staged:
    """Records read the careful way: a Parquet file of cells c0, c1, ..., `_defect`, `_raw`, and of a sheet `_types`."""

    path: Path
    rows: int
    blank: int
    defects: Mapping[str, int]
    is_typed: bool = False

    @property
    def relation(self) -> str:
        """The records as a table in SQL, with their position in `file_row_number`."""
        return f"read_parquet({literal(str(self.path))}, file_row_number = true, hive_partitioning = false)"


def stage(draft: Draft, reader: Reader, width: int, dialect: Dialect, *, typed: bool = False) -> Staged:
    """Read every record of `width` cells into a Parquet file, a batch at a time; `typed` keeps the cells' types.

    Raises:
        UnreadableError: more records than a few do not fit the declared encoding.
    """
    path = draft.path("staged.parquet")
    names = (*(f"c{place}" for place in range(width)), "_defect", "_raw", *(["_types"] if typed else []))
    schema = pa.schema([(name, pa.string()) for name in names])
    rows = 0
    defects: Counter[str] = Counter()
    with pq.ParquetWriter(path, schema, compression="snappy") as writer:
        for batch in _batches(reader):
            writer.write_batch(_columns(batch, width, schema))
            rows += len(batch)
            defects.update(record.defect for record in batch if record.defect)
    wrong = too_many_undecodable(defects["undecodable"], rows, dialect)
    if wrong:
        raise UnreadableError(wrong)
    return Staged(path, rows, reader.blank, defects, typed)


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    characters = 0
    for record in records:
        batch.append(record)
        cells = record.cells or (record.raw,)
        characters += sum(map(len, filter(None, cells))) + CHARACTERS_OF_A_CELL * len(cells)
        if len(batch) == BATCH_RECORDS or characters > BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _columns(batch: list[Record], width: int, schema: pa.Schema) -> pa.RecordBatch:
    nothing = (None,) * width
    cells = zip(*(record.cells or nothing for record in batch), strict=True)
    said = [[getattr(record, name.removeprefix("_")) for record in batch] for name in schema.names[width:]]
    return pa.record_batch([pa.array(column, pa.string()) for column in (*cells, *said)], schema=schema)


def told(rows: int, defects: Mapping[str, int], nothing: str, dialect: Dialect) -> str:
    """What a person should know of a file that was read; '' when it is as it should be."""
    if not rows:
        return nothing
    if not any(defects.values()):
        return ""
    kinds = ", ".join(f"{defect} {count}" for defect, count in sorted(defects.items()))
    advice = (
        f"; {' or '.join(dialect.encoding)} was expected, as the contract declares" if "undecodable" in defects else ""
    )
    return f"{sum(defects.values())} of {rows} records cannot be read and go to quarantine ({kinds}{advice})"
