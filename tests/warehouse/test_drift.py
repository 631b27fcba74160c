"""Exports change: what is unknown, missing, lost, renamed or of another kind is shown, and a mended contract replays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.lake import contract, project, staged, write_csv

HEADERS = ["id", "opened", "state", "urgency"]
ROWS = [[str(number), "2026-05-01", "open", "3"] for number in range(4)]
BEFORE, AFTER = "2026-05-02T02:00:00", "2026-06-02T02:00:00"


def tickets(**created: Any) -> dict[str, Any]:
    return {
        "ticket": {
            "columns": {
                "source_id": {"from": "id"},
                "created_at": {"from": "opened", "type": "timestamp", "format": "iso", "required": True, **created},
                "status": {"from": ["state", "status"]},
                "reopens": {"from": "urgency", "type": "integer"},
            }
        }
    }


def drift(tmp_path: Path, headers: list[str], rows: list[list[str]]) -> dict[str, str]:
    """What audit.coverage says after a good drop and one with these headers."""
    here = project(tmp_path)
    write_csv(here, "desk", "records", HEADERS, ROWS, landed_at=BEFORE)
    write_csv(here, "desk", "records", headers, rows, landed_at=AFTER)
    (found,) = staged(here, contract("desk", tickets())).execute("from audit.coverage").fetch_arrow_table().to_pylist()
    return {name: found[name] for name in found if name.startswith("columns_") and found[name]}


CHANGES = [
    # The newest drop's headers, a row of it -> what is said.
    (HEADERS, ["9", "2026-06-01", "open", "1"], {}),
    ([*HEADERS, "Mood"], ["9", "2026-06-01", "open", "1", "x"], {"columns_unknown": "Mood"}),
    (HEADERS[:3], ["9", "2026-06-01", "open"], {"columns_lost": "ticket.reopens"}),
    (["id", "opened", "status", "urgency"], ["9", "2026-06-01", "open", "1"], {"columns_renamed": "ticket.status: state -> status"}),
    (HEADERS, ["9", "2026-06-01", "open", "high"], {"columns_type_changed": "ticket.reopens"}),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "row", "said"), CHANGES)
def test_what_the_newest_drop_has_changed_is_said_by_column(
    tmp_path: Path, headers: list[str], row: list[str], said: dict[str, str]
) -> None:
    assert drift(tmp_path, headers, [row] * 1 if not said else [[f"{row[0]}{n}", *row[1:]] for n in range(9)]) == said


def test_a_few_odd_texts_are_dirt_and_no_change(tmp_path: Path) -> None:
    rows = [[str(number), "2026-06-01", "open", "high" if number < 3 else "1"] for number in range(20)]
    assert drift(tmp_path, HEADERS, rows) == {}


def test_a_text_that_is_no_header_is_not_repeated_where_others_read(tmp_path: Path) -> None:
    said = drift(tmp_path, [*HEADERS, "someone@fjordbyg.example"], [["9", "2026-06-01", "open", "1", "x"]])
    assert said == {"columns_unknown": "..."}


def test_a_mended_contract_replays_the_quarantine(tmp_path: Path) -> None:
    here = project(tmp_path)
    write_csv(here, "desk", "records", HEADERS, [["1", "01-05-2026", "open", "1"], ["2", "2026-05-01", "open", "1"]])
    counts = "select rows_loaded, rows_quarantined from audit.file"
    assert staged(here, contract("desk", tickets())).execute(counts).fetchall() == [(1, 1)]
    mended = contract("desk", tickets(format=["iso", "%d-%m-%Y"]))
    assert staged(here, mended).execute(counts).fetchall() == [(2, 0)]
