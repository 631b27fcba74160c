"""A project folder with an inbox, a contract of two CSV and three JSON entities, and what landing made of them."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from warehouse.contracts import SystemContract
from warehouse.landing import LandedFile, land
from warehouse.project import Project

LANDED_AT = dt.datetime(2026, 6, 30, 2, 0, 0)
LANDING_COLUMNS = ("_file", "_landed_at", "_row", "_defect", "_raw", "_types")

CONTRACT = """
system: desk
title: Desk
kind: helpdesk
timezone: UTC
entities:
  tickets:
    recognise: {headers: [Ticket ID, Subject]}
    tables:
      ticket:
        columns:
          source_id: {from: Ticket ID, required: true}
          status: {from: [Status, State], required: true}
          tags: {from: Tags, type: texts, separator: ","}
  organisations:
    recognise: {headers: [Org ID]}
    tables:
      account:
        columns:
          source_id: {from: Org ID, required: true}
          name: {from: Name}
  ticket_records:
    format: json
    recognise: {wrapper: ticket}
    tables: {ticket: {columns: {source_id: {from: id}}}}
  customers:
    format: json
    recognise: {object: customer}
    tables: {account: {columns: {source_id: {from: id}}}}
  people:
    format: json
    recognise: {fields: [id, email]}
    tables: {person: {columns: {source_id: {from: id}}}}
"""


def contract(**dialect: Any) -> SystemContract:
    """The contract, with another dialect for its tickets."""
    keys = yaml.safe_load(CONTRACT)
    keys["entities"]["tickets"]["dialect"] = dialect
    return SystemContract.model_validate(keys)


class Inbox:
    """A project folder whose inbox/desk is filled by the test."""

    def __init__(self, root: Path, settings: str = "", **dialect: Any) -> None:
        root.mkdir(parents=True, exist_ok=True)
        (root / "mutual-value.toml").write_text(settings, encoding="utf-8")
        self.project = Project.open(root)
        self.contracts: Mapping[str, SystemContract] = {"desk": contract(**dialect)}
        self.folder = self.project.inbox / "desk"
        self.folder.mkdir(parents=True, exist_ok=True)

    def declare(self, **dialect: Any) -> None:
        """Change the dialect that the contract declares for tickets."""
        self.contracts = {"desk": contract(**dialect)}

    def drop(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        return path

    def land(self, landed_at: dt.datetime = LANDED_AT) -> list[LandedFile]:
        return land(self.project, self.contracts, "desk", landed_at)

    def land_one(self) -> LandedFile:
        (only,) = self.land()
        return only

    def lake_paths(self) -> list[Path]:
        return sorted(self.project.lake.glob("*/*/*.parquet"))

    def table(self) -> pa.Table:
        """The only lake file."""
        (path,) = self.lake_paths()
        return pq.read_table(path)

    def rows(self) -> list[tuple[Any, ...]]:
        """The cells of the only lake file, without the columns that landing adds."""
        table = self.table()
        names = [name for name in table.column_names if name not in LANDING_COLUMNS]
        return list(zip(*(table[name].to_pylist() for name in names), strict=True))

    def defects(self) -> list[tuple[str, str]]:
        """(rule, raw text) of each defective record of the only lake file."""
        table = self.table()
        pairs = zip(table["_defect"].to_pylist(), table["_raw"].to_pylist(), strict=True)
        return [pair for pair in pairs if pair[0] is not None]


def zipped(members: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def workbook(*sheets: Sequence[Sequence[object]]) -> bytes:
    book = openpyxl.Workbook()
    for number, rows in enumerate(sheets):
        sheet = book.active if number == 0 else book.create_sheet()
        assert sheet is not None
        for row in rows:
            sheet.append(list(row))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()
