"""Laws of landing: both ways of reading agree, every cell comes back, no record is lost, a killed run leaves no half file."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warehouse.inboxes import LANDED_AT, Inbox
from warehouse import json_drafts, table_drafts
from warehouse.contracts import Dialect
from warehouse.drafts import Content, Drafted
from warehouse.lake import Draft, draft
from warehouse.project import Limits
from warehouse.recognition import Layout, kind_of

DIALECT = Dialect()
HEADERS = ("id", "text", "Note", "note")
# A cell may hold anything but a NUL byte (a defect) and half a surrogate pair (no text).
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12) | st.sampled_from(
    ["", " ", '"', '""', ",", "\n", "\r\n", "a\rb", "æøå", "\ufeff", "'", "\\", "NULL", "null", "#", "1e5"]
)
ROWS = st.lists(st.tuples(*[CELLS] * len(HEADERS)), max_size=8)
QUICK = settings(max_examples=60, deadline=None)


@contextmanager
def workshop() -> Iterator[tuple[Path, Draft]]:
    with tempfile.TemporaryDirectory() as folder, draft(Path(folder, "lake", "raw"), Limits()) as work:
        yield Path(folder), work


def drafted_csv(work: Draft, path: Path) -> Drafted:
    content = Content(path, "desk", "t.csv", "", "0" * 64, path.stat().st_size, LANDED_AT)
    return table_drafts.draft_csv(work, content, Layout("tickets", HEADERS), DIALECT)


def written(rows: Sequence[Sequence[str]], end: str) -> bytes:
    """The table as RFC 4180 has it: cells with a delimiter, a quote or a line end are quoted."""
    lines = [",".join(quoted(cell) for cell in row) + end for row in (HEADERS, *rows)]
    return "".join(lines).encode("utf-8")


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if re.search('[",\r\n]', cell) else cell


def expected(row: Sequence[str]) -> tuple[str | None, ...]:
    folded = [cell for cell in row[2:] if cell]
    return (row[0] or None, row[1] or None, json.dumps(folded) if folded else None)


@given(ROWS, st.sampled_from(["\n", "\r\n"]))
@QUICK
def test_every_cell_of_any_table_comes_back_as_it_was(rows: list[tuple[str, ...]], end: str) -> None:
    with workshop() as (folder, work):
        path = folder / "t.csv"
        path.write_bytes(written(rows, end))
        table = pq.read_table(drafted_csv(work, path).path)
        found = [
            (key, text, json.dumps(json.loads(notes)) if notes else None)
            for key, text, notes in zip(*(table[name].to_pylist() for name in ("id", "text", "Note")), strict=True)
        ]
        assert found == [expected(row) for row in rows]


@given(ROWS)
@QUICK
def test_the_quick_and_the_careful_way_give_the_same_table(rows: list[tuple[str, ...]]) -> None:
    with workshop() as (folder, work), pytest.MonkeyPatch.context() as patch:
        path = folder / "t.csv"
        path.write_bytes(written(rows, "\n"))
        quick = drafted_csv(work, path)
        patch.setattr(table_drafts, "_quick", lambda *_: None)
        careful = drafted_csv(work, path)
        assert quick.facts == careful.facts
        assert pq.read_table(quick.path).equals(pq.read_table(careful.path))


def test_a_clean_file_is_read_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the careful way was taken")

    monkeypatch.setattr(table_drafts, "stage", refuse)
    monkeypatch.setattr(json_drafts, "stage", refuse)
    with tempfile.TemporaryDirectory() as folder:
        inbox = Inbox(Path(folder))
        inbox.drop("a.csv", 'Ticket ID,Subject,Status\r\n1,"a\n""b""",open\r\n\r\n2,b,open')
        inbox.drop("b.json", '{"ticket":{"id":"\\"}"}}\n\n{"object":"customer"}\n')
        inbox.drop("c.json", '[{"ticket":{"id":"\\\\"}},\n {"ticket":{"a":["}",{}]}}]')
        inbox.drop("d.json", '{"object":"list","data":[{"ticket":{"id":"]"}},{"ticket":{}}\n],"has_more":false}\n')
        assert [file.status for file in inbox.land()] == ["landed"] * 5


def test_an_engine_that_loses_records_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    read_csv = table_drafts._read_csv
    monkeypatch.setattr(table_drafts, "_read_csv", lambda *parts: f"(from {read_csv(*parts)} limit 1)")
    with tempfile.TemporaryDirectory() as folder:
        inbox = Inbox(Path(folder))
        inbox.drop("a.csv", "Ticket ID,Subject,Status\n1,a,open\n2,b,open\n")
        assert (inbox.land_one().rows_in, inbox.table().num_rows) == (2, 2)


@given(
    st.lists(st.sampled_from([b"a", b'"', b",", b"\n", b"\r\n", b"\r", b" ", b"\xc3\xa6", b"\xff", b"\0"]), max_size=40)
)
@QUICK
def test_whatever_the_bytes_every_record_is_in_the_lake_or_blank(pieces: list[bytes]) -> None:
    with workshop() as (folder, work):
        path = folder / "t.csv"
        path.write_bytes(",".join(HEADERS).encode() + b"\n" + b"".join(pieces))
        found = drafted_csv(work, path)
        table = pq.read_table(found.path)
        assert table.num_rows + found.facts.rows_blank == found.facts.rows_in
        if found.facts.rows_defective:
            defects, raws = table["_defect"].to_pylist(), table["_raw"].to_pylist()
            assert sum(defect is not None for defect in defects) == found.facts.rows_defective
            assert all((defect is None) == (raw is None) for defect, raw in zip(defects, raws, strict=True))


OBJECTS = st.dictionaries(
    st.text(max_size=5), st.text(max_size=8) | st.integers() | st.lists(st.text(max_size=4), max_size=3), max_size=3
)


@given(st.lists(OBJECTS, min_size=1, max_size=6), st.sampled_from(["lines", "list", "indented", "pages"]))
@QUICK
def test_every_json_object_comes_back_as_it_was_however_the_file_is_laid_out(
    objects: list[dict[str, object]], layout: str
) -> None:
    records = [{"ticket": record} for record in objects]
    text = {
        "lines": "\n".join(json.dumps(record, ensure_ascii=False) for record in records),
        "list": json.dumps(records, ensure_ascii=True),
        "indented": json.dumps(records, indent=2, ensure_ascii=False),
        "pages": "\n".join(json.dumps({"object": "list", "data": [record]}, ensure_ascii=False) for record in records),
    }[layout]
    with workshop() as (folder, work):
        path = folder / "t.json"
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
        content = Content(path, "desk", "t.json", "", "0" * 64, path.stat().st_size, LANDED_AT)
        contract = Inbox(folder / "project").contracts["desk"]
        (found,) = json_drafts.draft_json(work, content, kind_of(path), contract)
        table = pq.read_table(found.path)
        assert found.facts.rows_defective == 0
        assert [json.loads(record) for record in table["record"].to_pylist()] == records


LANDING = """
import sys
from pathlib import Path
from tests.warehouse.inboxes import Inbox
Inbox(Path(sys.argv[1])).land()
"""


def landing_process(root: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen([sys.executable, "-c", LANDING, str(root)], env=environment)


def test_a_landing_killed_anywhere_leaves_no_half_file_and_the_next_one_finishes(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    for number in range(20):
        rows = "".join(f"{number}-{row},subject {row},open\n" for row in range(20_000))
        inbox.drop(f"{number}.csv", "Ticket ID,Subject,Status\n" + rows)
    left = set()
    for wanted in (1, 4, 8):
        process = landing_process(tmp_path)
        while process.poll() is None and len(inbox.lake_paths()) < wanted:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        left.add(len(inbox.lake_paths()))
        assert all(pq.read_table(path).num_rows == 20_000 for path in inbox.lake_paths())
    assert 0 < min(left) < 20
    assert {file.status for file in inbox.land()} <= {"landed", "already_landed"}
    assert len(inbox.lake_paths()) == 20
    assert list((tmp_path / "lake" / ".staging").iterdir()) == []


def test_a_folder_of_a_living_landing_is_left_alone_and_that_of_a_dead_one_removed(tmp_path: Path) -> None:
    lake = tmp_path / "lake" / "raw"
    dead = tmp_path / "lake" / ".staging" / "dead"
    dead.mkdir(parents=True)
    (dead / "lock").touch()
    (dead / "1-lake.parquet").write_bytes(b"half")
    with draft(lake, Limits()) as living:
        assert not dead.exists()
        with draft(lake, Limits()) as other:
            assert living.folder.exists()
            assert other.folder != living.folder
    assert list((tmp_path / "lake" / ".staging").iterdir()) == []


MEMORY = """
import resource, sys
from pathlib import Path
from tests.warehouse.inboxes import Inbox
inbox = Inbox(Path(sys.argv[1]))
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
inbox.drop("small.json", b'{"ticket":{}}')
inbox.land()
before = peak()
Path(sys.argv[3]).rename(inbox.folder / ("big" + sys.argv[2]))
landed = [file for file in inbox.land() if file.name.startswith("big")]
assert landed[0].rows_in == int(sys.argv[4]), landed
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_landing_a_large_file_takes_memory_that_does_not_grow_with_it(tmp_path: Path, suffix: str) -> None:
    grown = []
    for records in (1_500_000, 3_000_000):
        path = tmp_path / f"{records}{suffix}"
        with path.open("w") as file:
            if suffix == ".csv":
                file.write("Ticket ID,Subject,Status\n")
                file.writelines(
                    f'{number},"A subject, number {number} of many; and {"x" * 50}",open\n' for number in range(records)
                )
            else:
                file.write("[")
                file.writelines(
                    f'{{"ticket":{{"id":{number},"subject":"{"x" * 60}"}}}},\n' for number in range(records - 1)
                )
                file.write('{"ticket":{}}]')
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        command = [sys.executable, "-c", MEMORY, str(tmp_path / f"p{records}"), suffix, str(path), str(records)]
        grown.append(int(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout))
    assert grown[1] < 1.5 * grown[0] + 50
    assert grown[1] < 600
