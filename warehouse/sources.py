"""What casting finds in the lake: its files, and which of them can be read in one pass."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path

import pyarrow.parquet as pq

from warehouse.headers import Headers
from warehouse.lake import seen_at
from warehouse.recognition import LAKE_COLUMNS


@dataclass(frozen=True)
class LakeFile:
    """One landed file (for one entity) and the facts that landing wrote into it.

    `headers` are the columns that hold cells, as the file names them; a JSON file has none. `rows` counts the Parquet
    rows, defective ones among them; blank records were counted and left out by landing.
    `drop_times` are the times that drops with this content stand for, in their order: as a drop declares it, else when
    it landed.
    """

    number: int
    path: Path
    system: str
    entity: str
    sha256: str
    member: str
    name: str
    landed_at: dt.datetime
    bytes: int
    rows: int
    rows_blank: int
    headers: tuple[str, ...]
    columns: frozenset[str]
    drop_times: tuple[dt.datetime, ...]
    folded: frozenset[str] = frozenset()

    @property
    def known_at(self) -> dt.datetime:
        """When the first drop with this content stood."""
        return self.drop_times[0]

    @property
    def drop_at(self) -> dt.datetime:
        """When the last drop with this content stood."""
        return self.drop_times[-1]

    def find(self, aliases: Iterable[str]) -> str | None:
        """The header that the first of the aliases names, as the file writes it."""
        return self._by_name.find(aliases)

    @cached_property
    def _by_name(self) -> Headers:
        return Headers(self.headers)

    @property
    def rows_in(self) -> int:
        return self.rows + self.rows_blank

    @property
    def has_row_numbers(self) -> bool:
        """Rows carry their record number because it differs from their position."""
        return "_row" in self.columns

    @property
    def has_defects(self) -> bool:
        """Some record could not be split into cells."""
        return "_defect" in self.columns

    @property
    def has_types(self) -> bool:
        """It is a sheet, whose cells have types of their own."""
        return "_types" in self.columns

    @property
    def shape(self) -> tuple[tuple[str, ...], tuple[str, ...], bool, bool, bool]:
        """Files of one shape are read by one query: the same headers, so the same alias of a column is present."""
        return self.headers, tuple(sorted(self.folded)), self.has_row_numbers, self.has_defects, self.has_types


def read_lake(lake: Path) -> list[LakeFile]:
    """Every file of the lake, by system, entity and hash; numbered in that order from 1."""
    paths = sorted(lake.glob("*/*/*.parquet"))
    seen = seen_at(lake)
    return [_read(path, number, seen) for number, path in enumerate(paths, start=1)]


def known_by(files: Iterable[LakeFile], until: dt.datetime) -> list[LakeFile]:
    """The files of drops that stood before `until` (UTC, without zone), as they were known then.

    A system's first drop always counts: what is in it was known to the supplier before anybody collected it, and its
    records have times of their own.
    """
    files = list(files)
    first: dict[str, dt.datetime] = {}
    for file in files:
        first[file.system] = min(file.known_at, first.get(file.system, file.known_at))
    return [
        replace(file, drop_times=tuple(time for time in file.drop_times if time < until or time == first[file.system]))
        for file in files
        if file.known_at < until or file.known_at == first[file.system]
    ]


def _read(path: Path, number: int, seen: Mapping[tuple[str, str], Sequence[dt.datetime]]) -> LakeFile:
    parquet = pq.read_metadata(path)
    columns = parquet.schema.names
    facts = {key.decode(): value.decode() for key, value in (parquet.metadata or {}).items()}
    landed_at = dt.datetime.fromisoformat(facts["landed_at"])
    declared = facts.get("as_of")
    first = dt.datetime.fromisoformat(declared) if declared else landed_at
    times = [first, *seen.get((facts["system"], facts["sha256"]), ())]
    return LakeFile(
        number=number,
        path=path,
        system=facts["system"],
        entity=facts["entity"],
        sha256=facts["sha256"],
        member=facts["member"],
        name=facts["name"],
        landed_at=landed_at,
        bytes=int(facts["bytes"]),
        rows=parquet.num_rows,
        rows_blank=int(facts["rows_blank"]),
        headers=tuple(name for name in columns if name not in LAKE_COLUMNS) if facts["format"] != "json" else (),
        columns=frozenset(columns),
        drop_times=tuple(sorted(set(times))),
        folded=frozenset(json.loads(facts["folded"])),
    )


def by_shape(files: Iterable[LakeFile]) -> Iterator[list[LakeFile]]:
    """The files in groups that one query can read."""
    for _, group in groupby(sorted(files, key=lambda file: (file.shape, file.number)), key=lambda file: file.shape):
        yield list(group)
