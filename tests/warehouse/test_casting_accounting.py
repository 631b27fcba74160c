"""Nothing is lost: whatever the dirt, every record of a file is loaded, quarantined or ignored, and counted once."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lake import contract, project, staged, write_csv, write_json
from warehouse import casting
from warehouse.accounting import LostRecords

HEADERS = ["id", "opened", "minutes", "state"]
TABLES = {
    "ticket": {
        "columns": {
            "source_id": {"from": "id"},
            "created_at": {"from": "opened", "type": "timestamp", "format": "iso", "required": True},
            "first_response_min": {"from": "minutes", "type": "number"},
            "status": {"from": "state", "type": "enum", "map": {"new": "open", "done": "closed", "later": "closed"}},
        },
        "where": "status is distinct from 'closed'",
    },
    "account": {"columns": {"source_id": {"from": "state"}}, "where": "source_id <> 'later'"},
}
RECORD = st.tuples(
    st.sampled_from(["T-1", "T-2", "T-3", "", "  ", "1.03006E+13"]),
    st.sampled_from(["2026-06-01", "2026-06-02T10:00:00Z", "", "01-06-2026", "2025-13-45"]),
    st.sampled_from(["5", "-5", "", "soon", "1,5"]),
    st.sampled_from(["new", "done", "later", "", "elsewhere"]),
)


def fate(records: Sequence[tuple[str, ...]], broken: frozenset[int]) -> Counter[str]:
    """What becomes of each record, worked out one by one."""
    fates: Counter[str] = Counter()
    seen: set[tuple[str, ...]] = set()
    for number, record in enumerate(records, 1):
        cells = tuple(cell.strip() for cell in record)
        if number in broken:
            fates["quarantined"] += 1
        elif cells[3] == "done":
            # No ticket, but its state is an account here: the record gave a row.
            fates["elsewhere"] += 1
        elif cells[3] == "later":
            fates["filtered"] += 1
        elif not cells[0] or "E+" in cells[0] or not cells[1].startswith("2026-"):
            fates["quarantined"] += 1
        elif cells in seen:
            fates["duplicate"] += 1
        else:
            fates["loaded"] += 1
            seen.add(cells)
    return fates


@settings(max_examples=25)
@given(
    st.lists(RECORD, min_size=1, max_size=14),
    st.frozensets(st.integers(1, 14), max_size=3),
    st.integers(0, 3),
)
def test_every_record_has_one_fate(records: list[tuple[str, ...]], broken: frozenset[int], blank: int) -> None:
    broken = frozenset(number for number in broken if number <= len(records))
    kept = [(None,) * len(HEADERS) if number in broken else record for number, record in enumerate(records, 1)]
    with tempfile.TemporaryDirectory() as folder:
        here = project(Path(folder))
        write_csv(
            here, "desk", "records", HEADERS, kept,
            blank=blank, defects={number: ("too_few_cells", f"text {number}") for number in broken},
        )  # fmt: skip
        connection = staged(here, contract("desk", TABLES))
        counted = connection.execute(
            "select rows_in, rows_loaded, rows_quarantined, ignored_blank, ignored_filtered, ignored_duplicate, "
            "rows_ignored from audit.file"
        ).fetchall()[0]
        expected = fate(records, broken)
        assert counted == (
            len(records) + blank,
            expected["loaded"] + expected["elsewhere"],
            expected["quarantined"],
            blank,
            expected["filtered"],
            expected["duplicate"],
            blank + expected["filtered"] + expected["duplicate"],
        )
        assert counted[0] == counted[1] + counted[2] + counted[6]
        of_quarantine = connection.execute(
            "select count(distinct row_number) from audit.quarantine where severity = 'row' and column_name not like 'account.%'"
        ).fetchall()[0][0]
        assert of_quarantine == expected["quarantined"]
        assert connection.execute("select count(*) from staged.ticket").fetchall() == [(expected["loaded"],)]


BILL = st.fixed_dictionaries(
    {"id": st.sampled_from(["a", "b", None])}, optional={"lines": st.lists(st.just({"id": 1}), max_size=3)}
)
ODD = st.sampled_from(["null", "3", '"text"', '{"bill": 1}', '{"bill": null}', '{"bill": []}'])


@settings(max_examples=12)
@given(st.lists(st.one_of(st.just({}), BILL, ODD), min_size=1, max_size=8))
def test_records_of_any_json_are_accounted_for(records: list[object]) -> None:
    tables = {
        "invoice": {"columns": {"source_id": {"from": "id"}}},
        "invoice_line": {
            "each": "lines",
            "columns": {"source_id": {"from": "id"}, "invoice_source_id": {"from": "^.id"}},
        },
    }
    pay = contract("pay", tables, format="json", recognise={"wrapper": "bill"})
    texts = [record if isinstance(record, str) else {"bill": record} for record in records]
    with tempfile.TemporaryDirectory() as folder:
        here = project(Path(folder))
        write_json(here, "pay", "records", texts)
        counted = (
            staged(here, pay)
            .execute("select rows_in, rows_loaded + rows_quarantined + rows_ignored from audit.file")
            .fetchall()
        )
        assert counted == [(len(records), len(records))]


def test_a_record_that_got_lost_stops_the_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = project(tmp_path)
    write_csv(here, "desk", "records", HEADERS, [["T-1", "2026-06-01", "5", "new"], ["T-2", "2026-06-01", "5", "new"]])
    whole = casting._insert

    def lose_one(connection: object, plan: object) -> None:
        whole(connection, plan)  # type: ignore[arg-type]
        connection.execute("delete from staged.ticket where source_id = 'T-2'")  # type: ignore[attr-defined]

    monkeypatch.setattr(casting, "_insert", lose_one)
    with pytest.raises(LostRecords, match=r"desk/records.csv .* has 2 records, but 1 are accounted for"):
        staged(here, contract("desk", TABLES))
