"""Single rows of a lake file, and the texts that stand in them at a contract's headers and paths."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from warehouse.json_paths import keys, values_at
from warehouse.plans import Source
from warehouse.sources import LakeFile


def places_of_rows(file: LakeFile, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Where in the Parquet file the records of these numbers stand, from 0."""
    if not file.has_row_numbers:
        return rows - 1
    numbers = pq.read_table(file.path, columns=["_row"])["_row"].to_numpy(zero_copy_only=False)
    # `_row` may be null where it is the place.
    own = np.where(np.isnan(numbers.astype(float)), np.arange(1, len(numbers) + 1), numbers).astype(np.int64)
    return np.flatnonzero(np.isin(own, rows)).astype(np.int64)


def rows_at(file: LakeFile, rows: Collection[int]) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """(place, row number, cells) of the records of these numbers; reads one row group at a time."""
    wanted = np.sort(places_of_rows(file, np.fromiter(rows, np.int64, len(rows))))
    with pq.ParquetFile(file.path) as parquet:
        start = 0
        for group in range(parquet.num_row_groups):
            size = parquet.metadata.row_group(group).num_rows
            here = wanted[(wanted >= start) & (wanted < start + size)]
            if len(here):
                for place, cells in zip(
                    here, parquet.read_row_group(group).take(here - start).to_pylist(), strict=True
                ):
                    number = cells.get("_row")
                    yield int(place), int(place) + 1 if number is None else number, cells
            start += size


def texts_at(source: Source, file: LakeFile, cells: Mapping[str, Any], path: str, position: int = 1) -> Iterator[str]:
    """The texts of a record at a header or path, as its contract means it.

    `path` may also name a column of the table that takes a part out of its cell; `position` is the element's, from 1.
    """
    column = source.table.columns.get(path)
    pattern = column.extract if column else None
    for each in column.source if column else (path,):
        found = _in_json if source.entity.format == "json" else _in_table
        for text in found(source, file, cells, each, position):
            part = re.search(pattern, text) if pattern else None
            whole = (part[1] if part else "") if pattern else text
            if whole.strip():
                yield whole.strip()


def _in_table(source: Source, file: LakeFile, cells: Mapping[str, Any], path: str, position: int) -> Iterator[str]:
    header = file.find(source.table.each if path == "." else (path.removeprefix("^."),))
    text = None if header is None else cells.get(header)
    if text is None:
        return
    items = _texts(_parsed(text)) if header in file.folded else [text]
    if path == ".":
        yield from list(items)[position - 1 : position]
    else:
        yield from items


def _in_json(source: Source, _file: LakeFile, cells: Mapping[str, Any], path: str, position: int) -> Iterator[str]:
    record = _parsed(cells.get("record"))
    wrapper = source.entity.recognise.wrapper
    record = record.get(wrapper) if wrapper and isinstance(record, dict) else record
    if source.table.each and not path.startswith("^."):
        elements = list(values_at(record, keys(source.table.each[0])))
        record = elements[position - 1] if position <= len(elements) else None
    yield from _texts(list(values_at(record, keys(path.removeprefix("^.")))))


def _parsed(text: Any) -> Any:
    try:
        return json.loads(text, strict=False)
    except (TypeError, ValueError, RecursionError):
        return None


def _texts(values: Any) -> Iterator[str]:
    for value in values if isinstance(values, list) else [values]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from _texts(value)
