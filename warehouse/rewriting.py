"""Rewriting the lake without somebody: only the files that hold something of theirs, each as a whole, all or none.

The rewritten files are made in lake/.redacting; once all are on the disk the folder is renamed to lake/.redacted, and
only then they go to their places. A kill before the rename changes nothing; after it the next command goes on.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.durable import flush
from warehouse.headers import Headers
from warehouse.json_paths import keys
from warehouse.lake import LostRecordsError
from warehouse.lake_rows import texts_at
from warehouse.people import ANOTHER, ANOTHERS, Found, Marks
from warehouse.personal import places
from warehouse.project import Project
from warehouse.redaction import ANYBODY, FORGOTTEN, Redaction, Whose
from warehouse.sources import LakeFile

DRAFTS = ".redacting"
FINISHED = ".redacted"
# What landing adds besides the cells: they hold no text of the export.
_LANDINGS = ("_landed_at", "_row", "_defect", "_types")
# Facts of a lake file that an export's name may be in.
_NAMES = (b"name", b"member")


@dataclass(frozen=True)
class Rewritten:
    """How many files of the lake were rewritten, and how many cells of them changed."""

    files: int = 0
    cells: int = 0


def rewrite(project: Project, files: Sequence[LakeFile], found: Found, before: Callable[[], None]) -> Rewritten:
    """Put the files that hold something of what was found in their places without it; they keep all else.

    `before` is done when something was found, and before the lake forgets it: after a kill it is found again.
    """
    lake = project.lake.parent
    finish(project)
    changed = []
    for file in files:
        draft = lake / DRAFTS / file.path.relative_to(project.lake)
        cells = _rewrite(file, draft, found.redaction, found.marks.get(file.number, Marks()))
        changed += [cells] if cells else []
    if changed:
        before()
        _sync_folders(lake / DRAFTS)
        (lake / DRAFTS).rename(lake / FINISHED)
        flush(lake)
        finish(project)
    return Rewritten(len(changed), sum(changed))


def finish(project: Project) -> None:
    """Go on with a rewriting that was killed: move what it had finished, throw away what it had not."""
    lake = project.lake.parent
    shutil.rmtree(lake / DRAFTS, ignore_errors=True)
    if not (lake / FINISHED).is_dir():
        return
    for draft in sorted((lake / FINISHED).rglob("*.parquet")):
        place = project.lake / draft.relative_to(lake / FINISHED)
        place.parent.mkdir(parents=True, exist_ok=True)
        draft.replace(place)
        flush(place.parent)
    shutil.rmtree(lake / FINISHED)
    flush(lake)


def _rewrite(file: LakeFile, draft: Path, redaction: Redaction, marks: Marks) -> int:
    """Write the file anew as `draft`; the number of cells that are not as before, with none no file is made."""
    patterns = redaction.patterns()
    with pq.ParquetFile(file.path) as parquet:
        groups = _groups(parquet, file, redaction, marks, patterns)
        facts = {key: value for key, value in (parquet.metadata.metadata or {}).items() if key != b"ARROW:schema"}
        metadata = {key: _fact(key, value, redaction) for key, value in facts.items()}
        if metadata == facts and not any(cells for _, cells in groups):
            return 0
        draft.parent.mkdir(parents=True, exist_ok=True)
        changed, rows = 0, 0
        schema = parquet.schema_arrow.remove_metadata()
        with pq.ParquetWriter(draft, schema, compression="snappy", store_schema=False) as writer:
            writer.add_key_value_metadata(metadata)
            for table, cells in _groups(parquet, file, redaction, marks, patterns):
                writer.write_table(table.cast(schema), row_group_size=max(table.num_rows, 1))
                changed, rows = changed + cells, rows + table.num_rows
        if rows != parquet.metadata.num_rows:
            raise LostRecordsError(
                f"{file.path} has {parquet.metadata.num_rows} rows, {rows} rewritten: nothing replaced"
            )
    flush(draft)
    return max(changed, 1)


def _fact(key: bytes, value: bytes, redaction: Redaction) -> bytes:
    return redaction.clean(value.decode()).encode() if key in _NAMES else value


def _groups(
    parquet: pq.ParquetFile, file: LakeFile, redaction: Redaction, marks: Marks, patterns: Sequence[str]
) -> Iterator[tuple[pa.Table, int]]:
    """Each row group without the person, and how many of its cells changed."""
    start = 0
    for number in range(parquet.num_row_groups):
        table = parquet.read_row_group(number)
        rows = _Rows(table, start, file, redaction, marks)
        changed = 0
        for name in table.column_names:
            if name not in _LANDINGS and _is_text(table.schema.field(name).type):
                column, cells = rows.cleaned(name, patterns)
                if cells:
                    table = table.set_column(table.schema.get_field_index(name), table.schema.field(name), column)
                    changed += cells
        yield table, changed
        start += table.num_rows


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


class _Rows:
    """One row group, and what of its cells is cleaned how."""

    def __init__(self, table: pa.Table, start: int, file: LakeFile, redaction: Redaction, marks: Marks) -> None:
        self.table = table
        self.start = start
        self.file = file
        self.redaction = redaction
        self.marks = marks
        end = start + table.num_rows
        self.theirs = np.array(sorted(place - start for place in marks.theirs if start <= place < end), np.int64)
        self.read = {Headers(file.headers).find((path,)) for path in marks.read} if marks.own else set()

    def cleaned(self, name: str, patterns: Sequence[str]) -> tuple[pa.ChunkedArray, int]:
        """The column without the person, and how many of its cells changed."""
        column = self.table[name]
        mask = np.zeros(len(column), bool)
        mask[self.theirs] = True
        for pattern in patterns:
            fits = pc.fill_null(pc.match_substring_regex(column, pattern), False)
            mask |= fits.to_numpy(zero_copy_only=False) if isinstance(fits, pa.Array) else fits.to_numpy()
        places = np.flatnonzero(mask)
        before = column.take(pa.array(places)).to_pylist()
        after = [
            None if text is None else self._clean(name, int(place), text)
            for place, text in zip(places, before, strict=True)
        ]
        changed = [(place, text) for place, was, text in zip(places, before, after, strict=True) if text != was]
        if not changed:
            return column, 0
        only = np.zeros(len(column), bool)
        only[[place for place, _ in changed]] = True
        values = pa.array([text for _, text in changed], column.type)
        return pc.replace_with_mask(column.combine_chunks(), pa.array(only), values), len(changed)

    def _clean(self, name: str, index: int, text: str) -> str:
        place = self.start + index
        if place in self.marks.own and name != "_file":
            text = self._without_unread(name, text)
        cleaned = self.redaction.clean(text, self.marks.theirs.get(place, ()), self._whose(index))
        # A record that could not be split is one text: nobody knows where in it the person's part ends.
        return FORGOTTEN if name == "_raw" and cleaned != text else cleaned

    def _without_unread(self, name: str, text: str) -> str:
        """Of a person's own record only what models read stays: no telephone number, no street, no note."""
        if name != "record":
            return text if name in self.read or not self.file.headers else FORGOTTEN
        try:
            record = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            return FORGOTTEN
        plan = self.marks.plan
        wrapper = plan.source.entity.recognise.wrapper if plan else None
        read = {(*((wrapper,) if wrapper else ()), *keys(path.removeprefix("^."))) for path in self.marks.read}
        return json.dumps(_pruned(record, (), read), ensure_ascii=False)

    def _whose(self, index: int) -> Whose:
        kind = self.marks.others[self.start + index] if len(self.marks.others) else 0
        if kind == ANOTHERS:
            return Whose(is_other=True)
        return Whose(True, self._has_the_name(index)) if kind == ANOTHER else ANYBODY

    def _has_the_name(self, index: int) -> bool:
        plan = self.marks.plan
        if plan is None:
            return False
        cells = self.table.slice(index, 1).to_pylist()[0]
        paths = places("person", plan.source.table).names
        words = [" ".join(text.split()) for path in paths for text in texts_at(plan.source, self.file, cells, path)]
        told = {*words, " ".join(word for word in dict.fromkeys(words) if " " not in word)}
        return bool({each.lower() for each in told} & {each.lower() for each in self.redaction.names})


def _pruned(value: Any, path: tuple[str, ...], read: set[tuple[str, ...]]) -> Any:
    """The value with every text, number and truth replaced that no path of `read` leads to, or to what it is in."""
    if any(path[: len(each)] == each for each in read if each):
        return value
    if isinstance(value, dict):
        return {key: _pruned(item, (*path, key), read) for key, item in value.items()}
    if isinstance(value, list):
        return [_pruned(item, path, read) for item in value]
    return FORGOTTEN if isinstance(value, str) and value else None


def _sync_folders(folder: Path) -> None:
    for parent, _, _ in os.walk(folder, topdown=False):
        flush(Path(parent))
