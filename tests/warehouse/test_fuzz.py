"""Thousands of damaged files: none stops a landing or a casting, none is passed over, no record of any is lost."""

from __future__ import annotations

import io
import re
import signal
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.lake import staged
from tests.warehouse.inboxes import LANDED_AT, Inbox
from tests.warehouse.mutations import DANISH_MARKS, MARKS, SEEDS, contract, mutated
from warehouse import landing
from warehouse.archives import DAMAGED
from warehouse.lake import Facts, read_facts
from warehouse.landing import LandedFile

STATUSES = {"landed", "already_landed", "unrecognised", "unreadable", "empty"}
# What a person is told to do about a file that did not land.
ADVICE = re.compile(
    r"\b(export|save|unpack|put|add|describe|declare|make|split|raise|give|check|mend|take|was (the export|it) complete)\b",
    re.IGNORECASE,
)
TITLE_LINES = 4
# Of each format; all together well over 2,000.
FILES = 200
MORE_FILES = 1_500
SECONDS = 90


@contextmanager
def deadline(monkeypatch: pytest.MonkeyPatch, seconds: int) -> Iterator[None]:
    """Fail the test, with the name of the file that it was at, when it takes longer."""
    at = ["none"]
    look = landing.kind_of

    def look_and_tell(path: Path) -> Any:
        at[0] = path.name
        return look(path)

    def fail(*_: object) -> None:
        raise AssertionError(f"not done after {seconds} s; it was at {at[0]}, or past all files")

    monkeypatch.setattr(landing, "kind_of", look_and_tell)
    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def inbox_of(root: Path, files: Mapping[str, bytes]) -> Inbox:
    inbox = Inbox(root)
    inbox.contracts = {"desk": contract()}
    for name, content in files.items():
        inbox.drop(name, content)
    return inbox


def lake_of(inbox: Inbox) -> list[tuple[Facts, Any]]:
    return [(read_facts(path), pq.read_table(path)) for path in inbox.lake_paths()]


def check_reports(files: Mapping[str, bytes], landed: Sequence[LandedFile]) -> None:
    told = {report.name.split("!")[0] for report in landed}
    assert told == set(files)
    for report in landed:
        assert report.status in STATUSES, report
        if report.status in ("unreadable", "unrecognised"):
            assert ADVICE.search(report.message), report
        if report.status == "empty":
            assert report.message, report


def check_books(connection: duckdb.DuckDBPyConnection, lake: Sequence[tuple[Facts, Any]]) -> None:
    """Every record of the lake's files has one fate in audit.file, by the product's books and by the files' rows."""
    counts = "rows_in, rows_loaded, rows_quarantined, rows_ignored"
    books = {
        (sha256, member, entity): numbers
        for sha256, member, entity, *numbers in connection.execute(
            f"select sha256, member, entity, {counts} from audit.file where rows_in is not null"
        ).fetchall()
    }
    for facts, table in lake:
        rows_in, loaded, quarantined, ignored = books[facts.sha256, facts.member, facts.entity]
        assert rows_in == loaded + quarantined + ignored, facts
        assert rows_in == facts.rows_in == table.num_rows + facts.rows_blank, facts
        defects = table["_defect"].null_count if "_defect" in table.column_names else table.num_rows
        assert table.num_rows - defects >= facts.rows_defective, facts


def marks(text: str) -> Counter[str]:
    return Counter(sign for sign in text if sign in MARKS or sign in DANISH_MARKS)


def as_text(content: bytes, encoding: str) -> str:
    """As its contract says: by its mark, else each line in UTF-8 or, where it is none, in the encoding."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="ignore")
    if content.startswith(b"\xef\xbb\xbf"):
        encoding = "utf-8"
    return "".join(_line_as_text(line, encoding) for line in io.BytesIO(content))


def _line_as_text(line: bytes, encoding: str) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode(encoding, errors="ignore")


def written(content: bytes, facts: Facts) -> str:
    """What is written in the file: the cells of a workbook; of a table no line that may be a title or its header."""
    if facts.format == "xlsx":
        book = zipfile.ZipFile(io.BytesIO(content))
        sheets = [book.read(name) for name in book.namelist() if name.startswith("xl/worksheets/")]
        return re.sub(r"<[^>]*>", "", b"".join(sheets).decode("utf-8"))
    text = as_text(content, "cp1252" if facts.entity == "cases" else "utf-8")
    if facts.format == "json":
        return text
    lines = [line for line in text.split("\n" if "\n" in text else "\r") if line.strip()]
    return "\n".join(lines[TITLE_LINES + 1 :])


def kept(facts: Facts, table: Any) -> str:
    names = [name for name in table.column_names if name not in ("_file", "_landed_at", "_row", "_types")]
    return "".join([*facts.headers, *(text for name in names for text in table[name].to_pylist() if text)])


def with_members(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files, and the members of the archives among them under the names that landing gives them."""
    found = dict(files)
    for name, content in files.items():
        with suppress(*DAMAGED):
            archive = zipfile.ZipFile(io.BytesIO(content))
            for info in archive.infolist():
                with suppress(*DAMAGED):
                    found[f"{name}!{info.filename}"] = archive.read(info)
    return found


def check_nothing_is_lost(
    files: Mapping[str, bytes], landed: Sequence[LandedFile], lake: Sequence[tuple[Facts, Any]]
) -> None:
    """Each marked letter below a file's header is in a cell, in a record's text or in the text of a defect."""
    contents = with_members(files)
    refused = {report.name.removesuffix(f"!{report.member}") for report in landed if report.status.startswith("un")}
    found: dict[str, Counter[str]] = {}
    first: dict[str, Facts] = {}
    for facts, table in lake:
        name = facts.name.removesuffix(f"!{facts.sheet}")
        found.setdefault(name, Counter()).update(marks(kept(facts, table)))
        first.setdefault(name, facts)
    for name in first.keys() - refused:
        text = written(contents[name], first[name])
        # What is said of a page, behind its list, is no record.
        said = "".join(re.findall(r"\][^\[\]]*\}", text)) if name.startswith("json pages") else ""
        lost = marks(text) - found[name] - marks(said)
        assert not lost, (name, lost)


def fuzz(root: Path, format: str, numbers: range, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    files = {f"{format} {number}": mutated(format, number) for number in numbers}
    inbox = inbox_of(root, files)
    with deadline(monkeypatch, SECONDS):
        landed = inbox.land()
        check_reports(files, landed)
        lake = lake_of(inbox)
        connection = staged(inbox.project, *inbox.contracts.values(), landed=landed)
        check_books(connection, lake)
        connection.close()
        check_nothing_is_lost(files, landed, lake)
        again = inbox.land(LANDED_AT)
        assert not [report for report in again if report.status == "landed"]
        assert lake_of(inbox) == lake
    return Counter(report.status for report in landed)


@pytest.mark.parametrize("format", SEEDS)
def test_the_good_files_land_whole(format: str, tmp_path: Path) -> None:
    inbox = inbox_of(tmp_path, {"good": SEEDS[format]})
    landed = inbox.land()
    assert {report.status for report in landed} == {"landed"}
    assert not any(report.message for report in landed)


@pytest.mark.parametrize("format", SEEDS)
def test_damaged_files_are_landed_and_cast_or_refused_and_lose_nothing(
    format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = fuzz(tmp_path, format, range(FILES), monkeypatch)
    assert sum(outcomes.values()) >= FILES


def test_the_damaged_files_are_over_two_thousand() -> None:
    assert FILES * len(SEEDS) >= 2_000


@pytest.mark.slow
@pytest.mark.parametrize("format", SEEDS)
def test_many_more_damaged_files_lose_nothing_either(
    format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for start in range(FILES, MORE_FILES, FILES):
        outcomes = fuzz(tmp_path / str(start), format, range(start, start + FILES), monkeypatch)
        assert sum(outcomes.values()) >= FILES
