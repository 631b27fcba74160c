"""Counts made from the bytes, against plain ways of counting the same."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warehouse import counting
from warehouse.counting import Count, count_lines, count_list, sha256, structure


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 18])
@pytest.mark.parametrize(
    ("text", "quote", "count"),
    [
        ("", '"', Count(0, 0)),
        ("a\nb\n", '"', Count(2, 0)),
        ("a\nb", '"', Count(2, 0)),
        ("\n\na\r\n\r\nb", '"', Count(2, 3)),
        ('"a\nb"\n"c""\n"\n', '"', Count(2, 0)),
        ('"a\nb"\n', None, Count(2, 0)),
        ("'a\n'\nb\n", "'", Count(2, 0)),
        ("a\r\rb\r", '"', Count(2, 1)),
        (" \n", '"', Count(1, 0)),
        ('"a\nb\n', '"', Count(1, 0, is_certain=False)),
        ("a\0\nb\n", '"', Count(2, 0, is_certain=False)),
    ],
)
def test_records_end_with_a_line_end_outside_quotes_wherever_chunks_are_cut(
    path: Path, monkeypatch: pytest.MonkeyPatch, size: int, text: str, quote: str | None, count: Count
) -> None:
    monkeypatch.setattr(counting, "CHUNK", size)
    path.write_bytes(text.encode())
    assert count_lines(path, 0, quote) == count


def test_counting_begins_below_the_header(path: Path) -> None:
    path.write_bytes(b'"a\nb"\n1\n2\n')
    assert count_lines(path, 6, '"') == Count(2, 0)


@given(st.lists(st.lists(st.text('a,"\n\r ', max_size=4), min_size=2, max_size=2), max_size=10), st.integers(1, 9))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_table_counts_as_many_records_as_were_written(path: Path, rows: list[list[str]], size: int) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    path.write_bytes(text.getvalue().encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "CHUNK", size)
        assert count_lines(path, 0, '"') == Count(len(rows), 0)


VALUES = st.recursive(
    st.text('a"\\{}[],é', max_size=4) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('"\\}', max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=3), max_size=6), st.integers(1, 9), st.booleans())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_list_counts_its_objects_whatever_their_strings_hold(
    path: Path, objects: list[dict[str, object]], size: int, indented: bool
) -> None:
    path.write_text(json.dumps(objects, indent=2 if indented else None), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "CHUNK", size)
        assert count_list(path) == len(objects)
        with path.open("rb") as file:
            depths = [depth for _, _, _, found in structure(file) for depth in found.tolist()]
    assert depths[0] == 1
    assert depths[-1] == 0


def test_the_hash_is_that_of_the_bytes(path: Path) -> None:
    path.write_bytes(b"x" * 3_000_000)
    assert sha256(path) == hashlib.sha256(b"x" * 3_000_000).hexdigest()
