"""What the report reads of made-up builds, for tests of its sentences without a whole page."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.warehouse.finished_build import empty_build, finished_build
from warehouse.serving.findings import Findings, read


@cache
def found(word: str) -> Findings:
    """A plausible build with this verdict, or with none: the first night, without a single file."""
    build = finished_build(accounts=40, months=7, word=word) if word else empty_build()
    with TemporaryDirectory() as folder:
        return read(build.write(Path(folder) / "warehouse.duckdb"))


def with_test(findings: Findings, test: str, **values: Any) -> Findings:
    """The findings with other numbers for one test."""
    return replace(findings, tests=[{**row, **values} if row["test"] == test else row for row in findings.tests])


def with_estimate(findings: Findings, outcome: str, **values: Any) -> Findings:
    """The findings with other numbers for one outcome of the contrast."""
    rows = [{**row, **values} if row["outcome"] == outcome else row for row in findings.contrast]
    return replace(findings, contrast=rows)
