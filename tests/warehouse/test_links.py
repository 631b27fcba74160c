"""What a person decided about accounts, and the table in which the models read it."""

from __future__ import annotations

import datetime as dt
import string
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tables import Example
from warehouse.errors import ConfigurationError
from warehouse.links import COLUMNS, FILE, LinkDecision, append, escaped, plain, read, settled

HEADER = ",".join(COLUMNS)
DAY = dt.date(2026, 6, 30)


def write(folder: Path, *lines: str) -> Path:
    (folder / FILE).write_text("\n".join(lines), encoding="utf-8")
    return folder


def accept(account: str, company: str, reason: str = "") -> LinkDecision:
    return LinkDecision(DAY, "desk", account, company, "accept", reason)


def reject(account: str, company: str) -> LinkDecision:
    return LinkDecision(DAY, "desk", account, company, "reject")


def test_a_project_without_the_file_has_no_decisions(tmp_path: Path) -> None:
    assert read(tmp_path) == []


def test_a_line_says_when_which_account_which_company_and_why(tmp_path: Path) -> None:
    write(tmp_path, HEADER, '2026-06-30,desk,7,crm:1,reject,"same name, other country"')
    assert read(tmp_path) == [LinkDecision(DAY, "desk", "7", "crm:1", "reject", "same name, other country")]


def test_a_line_of_three_cells_accepts(tmp_path: Path) -> None:
    write(tmp_path, "system,source_account_id,account_id", "desk,7,crm:1")
    assert read(tmp_path) == [LinkDecision(None, "desk", "7", "crm:1", "accept", "")]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + HEADER.encode() + b"\r\n2026-06-30,desk,7,crm:1,accept,\r\n",
        b"\n" + HEADER.encode() + b"\n\n,,,,,\n2026-06-30,desk,7,crm:1,,\n\n",
        HEADER.encode() + b"\n2026-06-30,desk,7,crm:1",
        HEADER.replace(",", ";").encode() + b"\n2026-06-30;desk;7;crm:1;ACCEPT;\n",
        b" System , SOURCE_ACCOUNT_ID,account_id,decided_on,,\n desk , 7 ,crm:1,2026-06-30,,\n",
    ],
    ids=["a mark and Windows line ends", "blank lines", "no line end", "semicolons", "capitals, blanks, empty columns"],
)
def test_a_file_from_an_editor_or_a_spreadsheet_is_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert read(tmp_path) == [accept("7", "crm:1")]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "is empty; its first line names the columns decided_on,system"),
        (["system,account_id"], "line 1: it has no column source_account_id"),
        ([f"{HEADER},descision"], "line 1: it has a column 'descision' that is not known"),
        ([f"{HEADER},system"], "line 1: it has a column 'system' that is not known, or twice"),
        ([HEADER, "", ",desk,,crm:1,,"], "line 3: source_account_id is empty"),
        ([HEADER, ",desk,7,1,,"], "line 2: account_id is '1'; write it as in mart.account, such as salesforce:"),
        ([HEADER, ",desk,7,crm:1,maybe,"], "line 2: decision is 'maybe'; write accept or reject"),
        ([HEADER, "30-06-2026,desk,7,crm:1,,"], "line 2: decided_on is '30-06-2026', no day; write it as 2026-06-30"),
        ([HEADER, ",desk,7,crm:1,,why,not"], "line 2: it has more cells than the 6 columns"),
        ([HEADER, ',desk,7,crm:1,,"two', 'lines"', ",desk,8,crm,,"], "line 4: account_id is 'crm'"),
        ([HEADER, ',desk,7,crm:1,,"never closed'], "line 2: .*a quote in a cell is written twice"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_line_and_column(
    tmp_path: Path, lines: list[str], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        read(write(tmp_path, *lines))
    assert str(tmp_path / FILE) in str(caught.value)


def test_a_file_in_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(HEADER.encode() + "\n,desk,7,crm:1,,Århus".encode("cp1252"))
    with pytest.raises(ConfigurationError, match=r"line 2 is not UTF-8; save the file as `CSV UTF-8`"):
        read(tmp_path)


COUNTS = [
    ([], []),
    ([accept("7", "crm:1"), reject("7", "crm:1")], [reject("7", "crm:1")]),
    ([reject("7", "crm:1"), accept("7", "crm:1")], [accept("7", "crm:1")]),
    ([accept("7", "crm:2"), accept("7", "crm:1")], [accept("7", "crm:1")]),
    ([accept("7", "crm:1"), accept("7", "crm:2"), accept("7", "crm:1")], [accept("7", "crm:1")]),
    ([accept("7", "crm:1"), reject("7", "crm:2")], [accept("7", "crm:1"), reject("7", "crm:2")]),
    ([accept("7", "crm:1"), accept("8", "crm:1")], [accept("7", "crm:1"), accept("8", "crm:1")]),
    # The later acceptance was taken back, so the earlier stands.
    (
        [accept("7", "crm:1"), accept("7", "crm:2"), reject("7", "crm:2")],
        [accept("7", "crm:1"), reject("7", "crm:2")],
    ),
]


@pytest.mark.parametrize(("decided", "counts"), COUNTS)
def test_the_last_decision_counts_and_one_company_for_each_account(
    decided: list[LinkDecision], counts: list[LinkDecision]
) -> None:
    assert settled(decided) == counts


def test_decisions_are_added_below_what_is_there(tmp_path: Path) -> None:
    append(tmp_path / "identity", [accept("7", "crm:1", "same\nphone")])
    path = append(tmp_path / "identity", [reject("8", "crm:1")])
    assert path.read_text(encoding="utf-8") == (
        f"{HEADER}\n2026-06-30,desk,7,crm:1,accept,same phone\n2026-06-30,desk,8,crm:1,reject,\n"
    )
    assert sorted(each.name for each in path.parent.iterdir()) == [FILE]


def test_a_file_by_hand_keeps_every_byte_and_its_manner(tmp_path: Path) -> None:
    before = b"\xef\xbb\xbf" + HEADER.replace(",", ";").encode() + b"\r\n\r\n;desk;7;crm:1;;"
    (tmp_path / FILE).write_bytes(before)
    append(tmp_path, [reject("8", "crm:2")])
    assert (tmp_path / FILE).read_bytes() == before + b"\r\n2026-06-30;desk;8;crm:2;reject;\r\n"


def test_nothing_is_written_where_the_file_is_wrong_or_lacks_a_column(tmp_path: Path) -> None:
    write(tmp_path, "system,source_account_id,account_id", "desk,7,crm:1")
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(ConfigurationError, match="has no column decided_on; add it to the end of the first line"):
        append(tmp_path, [reject("8", "crm:2")])
    write(tmp_path, "system,source_account_id,account_id,decided_on,decision,reason", "desk,7,crm:1")
    append(tmp_path, [reject("8", "crm:2")])
    assert [link.decision for link in read(tmp_path)] == ["accept", "reject"]
    write(tmp_path, before.decode(), "desk,7")
    with pytest.raises(ConfigurationError, match="line 3: account_id is empty"):
        append(tmp_path, [accept("8", "crm:2")])


@pytest.mark.parametrize("cell", ["=1+1", "+4512345678", "-7", "@name", "'=1", "''+1", "it's", "'quoted'", ""])
def test_no_cell_is_a_formula_and_every_cell_comes_back(cell: str) -> None:
    assert not escaped(cell).startswith(("=", "+", "-", "@"))
    assert plain(escaped(cell)) == cell


WORDS = st.text(
    st.sampled_from(string.ascii_letters + string.digits + "=+-@',;\" æøå:|"), min_size=1, max_size=12
).filter(lambda word: word.strip() == word)
DECISIONS = st.builds(
    LinkDecision,
    st.none() | st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1)),
    WORDS,
    WORDS,
    st.builds("{}:{}".format, WORDS.filter(lambda word: ":" not in word), WORDS),
    st.sampled_from(["accept", "reject"]),
    WORDS | st.just(""),
)


@given(st.lists(st.lists(DECISIONS, max_size=4), max_size=4))
def test_what_is_added_is_read_again_as_it_was(tmp_path_factory: pytest.TempPathFactory, batches: list) -> None:
    folder = tmp_path_factory.mktemp("identity")
    for batch in batches:
        append(folder, batch)
    assert read(folder) == [
        replace(decision, reason=" ".join(decision.reason.split())) for batch in batches for decision in batch
    ]


SMALL = st.builds(
    LinkDecision,
    st.just(DAY),
    st.just("desk"),
    st.sampled_from(["7", "8"]),
    st.sampled_from(["crm:1", "crm:2", "crm:3"]),
    st.sampled_from(["accept", "reject"]),
)


@given(st.lists(SMALL, max_size=12))
def test_an_account_is_one_company_at_most_and_never_one_that_it_is_not(decided: list[LinkDecision]) -> None:
    counts = settled(decided)
    accepted = [link.account for link in counts if link.decision == "accept"]
    assert len(set(accepted)) == len(accepted)
    assert len({(*link.account, link.account_id) for link in counts}) == len(counts)
    assert {(*link.account, link.account_id) for link in counts if link.decision == "reject"} == {
        (*link.account, link.account_id)
        for place, link in enumerate(decided)
        if link.decision == "reject"
        and all(
            (*link.account, link.account_id) != (*later.account, later.account_id) for later in decided[place + 1 :]
        )
    }
    assert settled(counts) == counts


def test_the_models_read_one_row_for_each_account_and_company(tmp_path: Path) -> None:
    (tmp_path / "identity").mkdir()
    write(
        tmp_path / "identity", HEADER, ",desk,7,crm:1,,", "2026-06-29,desk,7,crm:2,,", "2026-06-30,desk,7,crm:3,reject,"
    )
    rows = Example(tmp_path, "2026-06-30").rows("select * from setting.link_decision order by account_id")
    assert rows == [
        ("desk", "7", "crm:2", "accept", dt.date(2026, 6, 29)),
        ("desk", "7", "crm:3", "reject", DAY),
    ]


def test_the_table_is_there_without_a_decision(tmp_path: Path) -> None:
    assert Example(tmp_path, "2026-06-30").rows("select * from setting.link_decision") == []
