"""Reading the demo's files back with the standard library alone."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path
from typing import Any


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ndjson_lines(path: Path) -> list[str]:
    """Lines of a file, or of the one member of an archive."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            (member,) = archive.namelist()
            return archive.read(member).decode("utf-8").splitlines()
    return path.read_text(encoding="utf-8").splitlines()


def ndjson_records(path: Path, wrapper: str) -> list[dict[str, Any]]:
    """The records whose line can be read."""
    records = []
    for line in ndjson_lines(path):
        try:
            records.append(json.loads(line)[wrapper])
        except json.JSONDecodeError:
            continue
    return records


def stripe_objects(path: Path) -> list[dict[str, Any]]:
    objects: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["data"]
    return objects
