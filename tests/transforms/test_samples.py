"""A vendor is data: one contract, one sample in its real shape, one expected result. Adding a system needs no Python.

Samples are the inbox of the project folder examples/exports, expected results tests/transforms/expected/<system>.yml.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from warehouse import landing
from warehouse.casting import stage
from warehouse.contracts import SHIPPED, load_contracts, staged_tables
from warehouse.project import Project

EXAMPLES = Path(__file__).parents[2] / "examples" / "exports"
EXPECTED = Path(__file__).parent / "expected"
CONTRACTS = load_contracts([SHIPPED])
LANDED_AT = dt.datetime(2026, 6, 30, 2)


class Staged:
    """One system's sample, landed and cast."""

    def __init__(self, system: str, root: Path) -> None:
        self.expected: dict[str, Any] = yaml.safe_load((EXPECTED / f"{system}.yml").read_text(encoding="utf-8"))
        (root / "inbox").symlink_to(EXAMPLES / "inbox")
        project = Project(root, Project.open(EXAMPLES).settings)
        self.reports = landing.land(project, CONTRACTS, system, LANDED_AT)
        self.connection = duckdb.connect(config={"threads": 2, "preserve_insertion_order": "false"})
        self.connection.execute("attach ':memory:' as staged")
        stage(self.connection, project, CONTRACTS, self.reports)

    def files(self) -> dict[str, list[Any]]:
        """Each file's entity and counts; a file of several entities once for each, as `name|entity`."""
        rows = self.connection.execute(
            "select name, entity, rows_in, rows_loaded, rows_quarantined, rows_ignored, "
            "count(*) over (partition by name) from audit.file order by name, entity"
        ).fetchall()
        return {
            (name if entities == 1 else f"{name}|{entity}"): [entity, *counts]
            for name, entity, *counts, entities in rows
        }

    def quarantine(self) -> list[list[Any]]:
        rows = self.connection.execute(
            "select file.name, row_number, column_name, rule from audit.quarantine as bad "
            "join audit.file as file using (sha256, member, entity) order by all"
        ).fetchall()
        return [list(row) for row in rows]

    def rows(self, table: str, columns: list[str]) -> list[dict[str, Any]]:
        listed = ", ".join(f'"{column}"' for column in columns)
        found = self.connection.execute(
            f'select {listed} from staged."{table}" order by source_id, row_number'
        ).fetchall()
        return [dict(zip(columns, map(shown, row), strict=True)) for row in found]

    def filled(self) -> set[str]:
        return {
            table
            for table in staged_tables()
            if self.connection.execute(f'select count(*) from staged."{table}"').fetchall()[0][0]
        }


def shown(value: Any) -> Any:
    """A value as the expected results write it: decimals and times as text, days as days."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    return value


@pytest.fixture(scope="module")
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Staged:
    return Staged(request.param, tmp_path_factory.mktemp(request.param))


SYSTEMS = sorted(CONTRACTS)
every_system = pytest.mark.parametrize("sample", SYSTEMS, indirect=True)


def test_every_shipped_system_has_a_sample_and_an_expected_result() -> None:
    assert sorted(path.stem for path in EXPECTED.glob("*.yml")) == SYSTEMS
    assert sorted(path.name for path in (EXAMPLES / "inbox").iterdir()) == SYSTEMS


@every_system
def test_every_file_of_a_sample_is_taken_for_what_it_is_and_all_its_rows_are_accounted_for(sample: Staged) -> None:
    assert {report.status for report in sample.reports} == {"landed"}, sample.reports
    assert sample.files() == sample.expected["files"]


@every_system
def test_nothing_of_a_sample_is_in_quarantine(sample: Staged) -> None:
    assert sample.quarantine() == []


@every_system
def test_a_sample_gives_the_canonical_rows_that_its_contract_promises(sample: Staged) -> None:
    for table, rows in sample.expected["rows"].items():
        columns = sorted({column for row in rows for column in row})
        wanted = [{column: row.get(column) for column in columns} for row in rows]
        assert sample.rows(table, columns) == wanted, table
    assert sample.filled() == set(sample.expected["rows"])
