"""The careful readers, one rule each."""

from __future__ import annotations

import io
import time
from pathlib import Path
from random import Random

import pytest

from warehouse import records
from warehouse.contracts import Dialect
from warehouse.records import (
    CsvReader,
    Header,
    JsonElements,
    JsonLines,
    Record,
    UnreadableError,
    WithoutFooter,
    page_list,
    read_header,
    too_many_undecodable,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


def dialect(**keys: object) -> Dialect:
    return Dialect.model_validate(keys)


# Head, dialect -> cells, lines, byte at which the records begin.
HEADERS = [
    (b"a,b\n1,2\n", {}, Header(("a", "b"), 1, 4)),
    (b"\xef\xbb\xbfa,b\r\n1,2\r\n", {}, Header(("a", "b"), 1, 8)),
    (b"a,b\r1,2\r", {}, Header(("a", "b"), 1, 4)),
    (b"\n\na,b\n1,2\n", {}, Header(("a", "b"), 3, 6)),
    (b'"a\nb",c\n1,2\n', {}, Header(("a\nb", "c"), 2, 8)),
    ("'æ,ø',å\n1,2\n".encode(), {"quote": "'"}, Header(("æ,ø", "å"), 1, 11)),
    (b'"a,b\n', {"quote": ""}, Header(('"a', "b"), 1, 5)),
    (b"a,b", {}, Header(("a", "b"), 1, 3)),
    (b"", {}, Header((), 0, 0)),
]


@pytest.mark.parametrize(("head", "keys", "header"), HEADERS)
def test_a_header_tells_where_the_records_begin(head: bytes, keys: dict[str, object], header: Header) -> None:
    assert read_header(head, dialect(**keys)) == header


def test_a_header_below_title_lines_begins_where_it_was_found() -> None:
    assert read_header(b"Report\n\na;b\n1;2\n", dialect(delimiter=";"), 2) == Header(("a", "b"), 3, 12)


@pytest.mark.parametrize(
    ("head", "words"),
    [(b'"a,b\n1,2\n', "quotes of its header do not close"), (b"\xf8,b\n", "not utf-8"), (b"a" * (1 << 20), "does not end within")],
)  # fmt: skip
def test_a_header_that_cannot_be_read_says_why(head: bytes, words: str) -> None:
    with pytest.raises(UnreadableError, match=words):
        read_header(head, dialect())


@pytest.mark.parametrize(
    ("undecodable", "rows", "is_wrong"),
    [(0, 0, False), (10, 10, False), (11, 11, True), (50, 1000, False), (51, 1000, True)],
)
def test_the_declared_encoding_is_wrong_when_more_than_a_few_records_do_not_fit(
    undecodable: int, rows: int, is_wrong: bool
) -> None:
    assert bool(too_many_undecodable(undecodable, rows, dialect())) == is_wrong


def test_a_csv_reader_counts_blank_lines_and_keeps_quotes_line_ends_and_order(path: Path) -> None:
    path.write_bytes(b'h,h\n1,"a\r\n""b"""\n\n\r\n2,\n')
    reader = CsvReader(path, dialect(), Header(("h", "h"), 1, 4), 2)
    assert list(reader) == [Record(("1", 'a\r\n"b"')), Record(("2", None))]
    assert reader.blank == 2


def test_a_quote_that_is_never_closed_costs_one_line_however_long_the_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MOST_LINES_OF_A_RECORD", 5)
    path.write_text('1,"a\n' + "".join(f"{number},b\n" for number in range(20)))
    found = list(CsvReader(path, dialect(), Header((), 0, 0), 2))
    assert found[0] == Record(None, "unclosed_quote", '1,"a')
    assert [record.cells for record in found[1:]] == [(str(number), "b") for number in range(20)]


@pytest.mark.parametrize("reader", ["csv", "lines", "list"])
def test_a_record_too_long_for_memory_refuses_the_file(
    path: Path, monkeypatch: pytest.MonkeyPatch, reader: str
) -> None:
    monkeypatch.setattr(records, "MOST_RECORD_BYTES", 100)
    path.write_text({"csv": "a" * 200, "lines": "{" + "a" * 200, "list": '[{"a":"' + "a" * 2_000_000}[reader])
    read = {
        "csv": CsvReader(path, dialect(), Header((), 0, 0), 1),
        "lines": JsonLines(path),
        "list": JsonElements(path, "list"),
    }[reader]
    with pytest.raises(UnreadableError, match="longer than 100 bytes"):
        list(read)


def test_json_lines_are_given_as_they_are_without_outer_spaces(path: Path) -> None:
    path.write_bytes(b'\xef\xbb\xbf {"a": 1.0 } \r\n\n[1]\n{"a')
    reader = JsonLines(path)
    assert list(reader) == [Record(('{"a": 1.0 }',)), Record(("[1]",)), Record(None, "truncated", '{"a')]
    assert reader.blank == 1


# What is in the file, its kind -> elements (a defect as (rule, text)), whether a list was left open.
ELEMENTS = [
    ('[{"a":1}, 2 ,"]",[{}] ]', "list", ['{"a":1}', "2", '"]"', "[{}]"], False),
    ('[{"a":"\\\\"},{"b":"\\"}]"}]', "list", ['{"a":"\\\\"}', '{"b":"\\"}]"}'], False),
    ("[]", "list", [], False),
    ('[{"a":1}', "list", ['{"a":1}'], True),
    ('[{"a":1},', "list", ['{"a":1}'], True),
    ('[{"a":1}{"b":2}]', "list", ['{"a":1}', '{"b":2}'], False),
    ('[{"a":{},\n{"b":2},\n{"c":[3}\n]', "list", [("malformed_json", '{"a":{},'), '{"b":2}', '{"c":[3}\n]'], True),
    ('[1]\n[2]', "list", ["1", "2"], False),
    ('{\n "a": [1,\n2]\n}\n\n{"b":\n2}', "objects", ['{\n "a": [1,\n2]\n}', '{"b":\n2}'], False),
    ('{"data":[1,2]}{"data":[3]}\n', "pages", ["1", "2", "3"], False),
    ('{"data":[1],"next":{"data":[9]}}\n{"data":[2', "pages", ["1", "2"], True),
    ('{"data":[1]}\n{"other":[2]}', "pages", ["1", '{"other":[2]}'], False),
    ('{"data":[1]}\n{"a":{"data":[2]}\n{"data":[3]}', "pages", ["1", ("malformed_json", '{"a":{"data":[2]}'), "3"], False),
]  # fmt: skip


@pytest.mark.parametrize("size", [1, 3, 1 << 18])
@pytest.mark.parametrize(("text", "kind", "elements", "is_open"), ELEMENTS)
def test_elements_are_split_where_braces_and_brackets_balance(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
    text: str,
    kind: str,
    elements: list[str | tuple[str, str]],
    is_open: bool,
) -> None:
    monkeypatch.setattr("warehouse.counting.CHUNK", size)
    path.write_text(text)
    reader = JsonElements(path, kind)
    found = [record.cells[0] if record.cells else (record.defect, record.raw) for record in reader]
    assert found == elements
    assert reader.unclosed == is_open


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ('{"data":[1]}', 9),
        ('\ufeff{"object":"list","url":"/æ","data": [', 41),
        ('{"object":"event","data":[1]}', None),
        ('{"id":1,"data":[1]}', None),
        ('{"data":{"a":1}}', None),
        ("[1]", None),
        ("{{}: 1}", None),
        ('{"data"', None),
        ('{"has_more":{"object":"list","data":[{"a":1}]}\n{"data":[1]}', None),
        ('{"has_more":true;"data":[1]}', None),
        ('{"has_more" true,"data":[1]}', None),
    ],
)
def test_a_page_is_known_by_its_data_list_and_what_stands_before_it(text: str, start: int | None) -> None:
    assert page_list(io.BytesIO(text.encode())) == start


FOOTED = [
    # Lines below the header, markers -> cells or (defect, text).
    ("1,2\n\nMy report\nCopyright (c) 2026\n", [("1", "2"), ("footer", "My report"), ("footer", "Copyright (c) 2026")]),
    ("1,2\nlost\n3,4\nCopyright\n", [("1", "2"), ("too_few_cells", "lost"), ("3", "4"), ("footer", "Copyright")]),
    ("1,2\nlost\n", [("1", "2"), ("too_few_cells", "lost")]),
    ("1,2\nlost\nCopyright\n", [("1", "2"), ("too_few_cells", "lost"), ("footer", "Copyright")]),
    ("lost\n\nMy report\nCopyright\n", [("too_few_cells", "lost"), ("footer", "My report"), ("footer", "Copyright")]),
    ("1,2\nCopyright,\n", [("1", "2"), ("footer", "Copyright")]),
    ("1,2\n", [("1", "2")]),
]


@pytest.mark.parametrize(("text", "found"), FOOTED)
def test_the_last_lines_of_one_cell_are_a_footer_when_one_of_them_says_so(
    path: Path, text: str, found: list[tuple[str, ...]]
) -> None:
    path.write_text(f"a,b\n{text}")
    reader = WithoutFooter(CsvReader(path, dialect(), Header(("a", "b"), 1, 4), 2), ("copyright",))
    assert [record.cells or (record.defect, record.raw) for record in reader] == found
    assert reader.blank == text.count("\n\n")


def test_what_follows_a_broken_record_is_what_a_reader_that_reads_every_line_anew_finds(path: Path) -> None:
    random = Random(7)
    for _ in range(300):
        path.write_text("".join(random.choice(['"', '""', '",', ",", "a", "\n", " "]) for _ in range(40)))
        reader = CsvReader(path, dialect(), Header((), 0, 0), 3)
        with pytest.MonkeyPatch.context() as patch:
            # Every line of an open record is followed again to where the record before it failed.
            patch.setattr(records._Lines, "_place", 1 << 60)
            anew = list(CsvReader(path, dialect(), Header((), 0, 0), 3))
        assert list(reader) == anew


# Each line of it opens what no later line closes.
UNCLOSED = {
    "quotes": ('1,a","b,c\n', CsvReader),
    "brackets": ('{"ticket":[}\n', JsonElements),
    "nested objects": ('{"a":[\n', JsonElements),
    "strings": ('{"ticket":"a"b"}\n', JsonElements),
}


@pytest.mark.parametrize("case", UNCLOSED)
def test_a_file_of_lines_that_never_close_is_read_in_time_that_grows_with_it_alone(path: Path, case: str) -> None:
    line, kind = UNCLOSED[case]
    path.write_text(line * 8_000)
    started = time.monotonic()
    reader = kind(path, dialect(), Header((), 0, 0), 3) if kind is CsvReader else kind(path, "objects")
    found = list(reader)
    assert len(found) == 8_000
    assert {record.cells for record in found} == {None}
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("text", ['{"data":[]}\n', '{"data":[{"a":1}]}\n', '[{"a":1}]\n'])
def test_a_file_of_thousands_of_small_pages_or_lists_is_read_in_seconds(path: Path, text: str) -> None:
    path.write_text(text * 20_000)
    started = time.monotonic()
    found = list(JsonElements(path, "list" if text.startswith("[") else "pages"))
    assert len(found) == 20_000 * text.count('"a"')
    assert time.monotonic() - started < 30


def test_a_good_record_after_a_line_that_never_closed_may_have_many_lines(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MOST_LINES_OF_A_RECORD", 8)
    path.write_text('1,"a\n' + "2,b\n" * 6 + '3,"c\nd\ne"\n')
    found = list(CsvReader(path, dialect(), Header((), 0, 0), 2))
    assert [record.cells for record in found] == [None, *[("2", "b")] * 6, ("3", "c\nd\ne")]


def test_an_open_quote_is_not_followed_beyond_what_memory_holds(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MOST_RECORD_BYTES", 100)
    path.write_text('1,"a\n' + f"2,{'b' * 90}\n" * 4)
    found = list(CsvReader(path, dialect(), Header((), 0, 0), 2))
    assert [record.defect for record in found] == ["unclosed_quote", None, None, None, None]


# What stands in a file of pages -> its elements; nothing of it is passed over but what is said of a page.
PAGES = [
    ('{"data":[1],"has_more":false,"took":{"ms":5},"links":[{"rel":"next"}]}', ["1"]),
    ('{"tickets":[1],"users":[{"id":2}]}', ["1", ("rest_of_page", ',"users":[{"id":2}]}')]),
    ('{"data":[1],"url":{"data":[{"id":2}]}}', ["1", ("rest_of_page", ',"url":{"data":[{"id":2}]}}')]),
    ('{"data":[1],oops}', ["1", ("rest_of_page", ",oops}")]),
    ('{"data":[1}, {"id":2}],"url":""}', [("truncated", '1}, {"id":2}],"url":""}')]),
    ('{"data":[1,\n{"a":[},\n{"b":2}]}\n', ["1", ("malformed_json", '{"a":[},'), '{"b":2}']),
    ('{"data":[{"a":[}]}\n{"data":[2]}\n', ['{"a":[}]', ("malformed_json", "}"), "2"]),
]


@pytest.mark.parametrize(("text", "elements"), PAGES)
def test_no_record_of_a_page_is_passed_over(path: Path, text: str, elements: list[str | tuple[str, str]]) -> None:
    path.write_text(text)
    found = [record.cells[0] if record.cells else (record.defect, record.raw) for record in JsonElements(path, "pages")]
    assert found == elements


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ('[{"a":1}}, {"b":2}]', ['{"a":1}', ("truncated", '}, {"b":2}]')]),
        ('[{"a":1}]\n{"b":2}\n{"c":3}', ['{"a":1}', '{"b":2}', '{"c":3}']),
    ],
)
def test_a_brace_closes_no_list_and_lines_may_follow_one(
    path: Path, text: str, elements: list[str | tuple[str, str]]
) -> None:
    path.write_text(text)
    found = [record.cells[0] if record.cells else (record.defect, record.raw) for record in JsonElements(path, "list")]
    assert found == elements


def test_a_mark_before_blank_lines_is_no_header() -> None:
    assert read_header(b"\xef\xbb\xbf\r\na,b\r\n1,2\r\n", dialect()) == Header(("a", "b"), 2, 10)
