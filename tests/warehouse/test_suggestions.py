"""The file of suggestions that wait for a person."""

from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.errors import ConfigurationError
from warehouse.suggestions import COLUMNS, FILE, Suggestion, read, write

ROW = {
    "system": "desk",
    "source_account_id": "-7",
    "account_id": "crm:1",
    "probability": 0.98761,
    "evidence": "same name",
    "name": "=HYPERLINK(1)\n",
    "company_name": None,
    "rank": 1,
}


def test_what_is_written_is_read_again_and_no_cell_is_a_formula(tmp_path: Path) -> None:
    path = write(tmp_path / "identity", [ROW])
    assert path.read_text(encoding="utf-8") == (
        f"{','.join(COLUMNS)}\ndesk,'-7,crm:1,0.9876,same name,'=HYPERLINK(1),,1\n"
    )
    assert read(tmp_path / "identity") == [
        Suggestion("desk", "-7", "crm:1", 0.9876, "same name", "=HYPERLINK(1)", "", 1)
    ]


def test_a_night_without_suggestions_leaves_the_header_alone_and_nothing_beside_it(tmp_path: Path) -> None:
    write(tmp_path, [ROW])
    write(tmp_path, [])
    assert (tmp_path / FILE).read_text(encoding="utf-8") == ",".join(COLUMNS) + "\n"
    assert read(tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_before_the_first_night_there_are_none(tmp_path: Path) -> None:
    assert read(tmp_path) == []


@pytest.mark.parametrize("line", ["desk,7", "desk,7,crm:1,likely,same name,Alfa,Alfa,1", "a,b,c,0.5,d,e,f,first"])
def test_a_file_that_was_changed_by_hand_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / FILE).write_text(f"{','.join(COLUMNS)}\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="line 2 is no suggestion; the next run writes the file anew"):
        read(tmp_path)
