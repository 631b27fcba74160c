"""audit.quarantine shows that something was there, and not what: no two signs of a cell stand together in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lake import contract, project, staged, write_csv

CONTRACT = contract("desk", {"account": {"columns": {"source_id": {"from": "id", "required": True}, "seats": {"from": "seats", "type": "integer"}}}})  # fmt: skip
PEOPLE = (
    "anna.hansen@firma.dk",
    "Anna Hansen",
    "Bo",
    "Ø",
    "+45 20 30 40 50",
    "12345678x",
    "0101701234-",
    "😀😀 Åse",
    "x" * 500,
)


def masks(root: Path, texts: list[str]) -> list[str]:
    made = project(root)
    write_csv(made, "desk", "records", ["id", "seats"], [[f"{number:05}", text] for number, text in enumerate(texts)])
    with staged(made, CONTRACT) as connection:
        rows = connection.execute("select row_number, raw_value from audit.quarantine order by row_number").fetchall()
    found = dict(rows)
    return [found.get(number + 1, "") for number in range(len(texts))]


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40),
        min_size=30,
        max_size=60,
    )
)
@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow])
def test_no_two_signs_of_a_text_stand_together_in_its_mask(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    every = [*texts, *PEOPLE]
    for text, mask in zip(every, masks(tmp_path_factory.mktemp("lake"), every), strict=True):
        shown = re.sub(r" \(\d+\)$", "", mask)
        assert len(shown) <= 3, (text, mask)
        assert shown in ("", "…") or re.fullmatch(r"(?s).….", shown)


def test_a_defective_record_is_masked_as_a_whole(tmp_path: Path) -> None:
    made = project(tmp_path)
    write_csv(
        made,
        "desk",
        "records",
        ["id", "seats"],
        [[None, None]],
        defects={1: ("too_few_cells", "anna.hansen@firma.dk;Anna Hansen")},
    )
    with staged(made, CONTRACT) as connection:
        assert connection.execute("select raw_value from audit.quarantine").fetchall() == [("a…n (32)",)]
