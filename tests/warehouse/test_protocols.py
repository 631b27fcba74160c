"""The protocol of a project: its own file, its fixing, and a history that keeps every verdict."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lake import project
from transforms.contrast.changes import changes
from transforms.contrast.protocol import Protocol
from transforms.contrast.verdict import Word
from warehouse import protocols
from warehouse.errors import ConfigurationError
from warehouse.project import Project
from warehouse.protocols import Entry
from warehouse.serving.dictionary import configuration_page

JUNE, JULY, AUGUST = dt.date(2026, 6, 30), dt.date(2026, 7, 31), dt.date(2026, 8, 31)


def under(high: float) -> Protocol:
    shipped = Protocol.load()
    return shipped.model_copy(update={"thresholds": shipped.thresholds.model_copy(update={"high": high})})


def entry(run_id: str, as_of: dt.date = JUNE, high: float = 0.6, word: str = "supported", **facts: Any) -> Entry:
    sizes = {"difference": 0.08, "ci_low": 0.03, "ci_high": 0.13} if word == "supported" else {}
    keys = {
        "run_id": run_id, "as_of": as_of, "comparison": "partnership_high_vs_low", "outcome": "mutual_value",
        "verdict": Word(word), "difference": None, "ci_low": None, "ci_high": None,
    }  # fmt: skip
    protocol = under(high)
    return Entry(protocol_hash=protocol.hash, protocol=protocol.content, **{**keys, **sizes, **facts})


def publish(here: Project, *entries: Entry) -> None:
    for each in entries:
        protocols.draft(here, each)
        (here.releases / each.run_id).mkdir(parents=True)
        protocols.settle(here)


# --- the project's own file -------------------------------------------------------------------------------------------


def own(here: Project, text: str) -> Project:
    (here.root / "protocol.toml").write_text(text, encoding="utf-8")
    return here


def test_without_a_file_of_its_own_a_project_has_the_shipped_protocol(tmp_path: Path) -> None:
    assert protocols.load(project(tmp_path)).hash == Protocol.load().hash


def test_keys_of_its_own_take_the_place_of_the_shipped_ones(tmp_path: Path) -> None:
    found = protocols.load(own(project(tmp_path), "[thresholds]\nhigh = 0.7\n"))
    assert (found.low, found.high) == (0.4, 0.7)
    assert found.hash == under(0.7).hash


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("[thresholds]\nhihg = 0.7", r"thresholds\.hihg: .*mend protocol\.toml, or take the key out"),
        ("[thresholds]\nhigh = 2", r"thresholds\.high: .*less than 1"),
        ("seed = ", "not valid TOML"),
        # The measures' windows are in the SQL: a protocol that says otherwise would print what was not done.
        ("value_window_months = 12", "value_window_months is 12, but the measures look back on 6 months; take it out"),
    ],
)
def test_a_mistake_is_told_with_file_key_and_what_to_do(tmp_path: Path, text: str, names: str) -> None:
    here = own(project(tmp_path), text)
    with pytest.raises(ConfigurationError, match=names) as caught:
        protocols.load(here)
    assert str(here.root / "protocol.toml") in str(caught.value)
    assert "transforms" not in str(caught.value), "the shipped file is not at fault"


def test_the_example_of_the_documentation_is_a_protocol(tmp_path: Path) -> None:
    example, shipped = re.findall(r"```toml\n(.*?)```", configuration_page(), re.DOTALL)
    assert changes(Protocol.load().content, protocols.load(own(project(tmp_path), example)).content) == [
        "thresholds.high: 0.6 -> 0.7"
    ]
    assert protocols.load(own(project(tmp_path), shipped)).hash == Protocol.load().hash


def test_what_is_fixed_is_the_whole_protocol_with_its_hash(tmp_path: Path) -> None:
    here = own(project(tmp_path), "seed = 1")
    fixed = protocols.fix(here, tmp_path)
    written = json.loads((tmp_path / protocols.FIXED).read_text(encoding="ascii"))
    assert written == {"hash": fixed.hash, "protocol": fixed.content}
    canonical = json.dumps(written["protocol"], sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(canonical.encode()).hexdigest() == written["hash"]


def test_another_layout_of_the_same_protocol_is_no_change(tmp_path: Path) -> None:
    here = own(project(tmp_path), "seed = 1")
    fixed = protocols.fix(here, tmp_path)
    protocols.ensure_unchanged(own(here, "# said otherwise\nseed    = 1\n[thresholds]\nhigh = 0.60\n"), fixed)
    with pytest.raises(ConfigurationError, match=r"while the night ran \(seed: 1 -> 2\).*Run again"):
        protocols.ensure_unchanged(own(here, "seed = 2"), fixed)


# --- the history ------------------------------------------------------------------------------------------------------


def test_the_history_gives_back_what_was_published_in_its_order(tmp_path: Path) -> None:
    here = project(tmp_path)
    assert protocols.read(here.decisions) == []
    nights = [entry("r1"), entry("r2", JULY), entry("r3", JULY, 0.7, "not_estimable"), entry("r4", AUGUST, 0.6)]
    publish(here, *nights)
    assert protocols.read(here.decisions) == nights


def test_a_protocol_is_written_where_it_is_another_than_in_the_line_before(tmp_path: Path) -> None:
    here = project(tmp_path)
    publish(here, entry("r1"), entry("r2"), entry("r3", high=0.7))
    lines = (here.decisions / protocols.HISTORY).read_text(encoding="utf-8").splitlines()
    assert ["protocol" in json.loads(line) for line in lines] == [True, False, True]
    assert lines[0].startswith('{"run_id":"r1","as_of":"2026-06-30",')


def test_a_night_that_was_not_published_adds_nothing(tmp_path: Path) -> None:
    here = project(tmp_path)
    publish(here, entry("r1"))
    protocols.draft(here, entry("r2"))
    protocols.settle(here)
    assert [each.run_id for each in protocols.read(here.decisions)] == ["r1"]
    assert [path.name for path in here.decisions.iterdir()] == [protocols.HISTORY]


def test_a_night_that_was_killed_while_it_settled_is_told_once(tmp_path: Path) -> None:
    here = project(tmp_path)
    publish(here, entry("r1"))
    # Killed behind the new history and before the line that lay ready was taken away.
    protocols.draft(here, entry("r1"))
    protocols.settle(here)
    assert [each.run_id for each in protocols.read(here.decisions)] == ["r1"]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda lines: [lines[0], lines[1][:40]], "line 2: .*no line of JSON"),
        (lambda lines: [lines[0], ""], "line 2: .*no line of JSON"),
        (lambda lines: ["[1]", lines[1]], "line 1: .*no line of JSON"),
        (lambda lines: [lines[1]], "line 1: .*valid dictionary"),
        (lambda lines: [lines[0].replace('"high":0.6', '"high":0.5')], "line 1: .*does not have this hash"),
        (lambda lines: [lines[0].replace('"supported"', '"proven"')], "line 1: .*'supported'"),
        (lambda lines: [lines[0].replace('"as_of"', '"day"')], "line 1: "),
    ],
)
def test_a_damaged_history_is_named_with_its_line_and_what_to_do(tmp_path: Path, damage: Any, told: str) -> None:
    here = project(tmp_path)
    publish(here, entry("r1"), entry("r2"))
    path = here.decisions / protocols.HISTORY
    path.write_text("".join(f"{line}\n" for line in damage(path.read_text().splitlines())), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=f"{told}.*[Rr]estore the file from a backup") as caught:
        protocols.fix(here, tmp_path)
    assert str(path) in str(caught.value)


# --- audit.protocol ---------------------------------------------------------------------------------------------------


def told(past: list[Entry], tonight: Entry) -> list[tuple[str, ...]]:
    """The rows as (high threshold, first run, last run, since, current, what was changed, verdict)."""
    return [
        (
            str(json.loads(row["protocol"])["thresholds"]["high"]), row["first_run_id"], row["last_run_id"],
            str(row["since_as_of"]), "current" if row["is_current"] else "", row["changed"], row["verdict"],
        )
        for row in protocols.rows(past, tonight)
    ]  # fmt: skip


def test_the_first_night_is_the_whole_history() -> None:
    assert told([], entry("r1")) == [("0.6", "r1", "r1", "2026-06-30", "current", "", "supported")]


def test_a_night_under_the_same_protocol_replaces_its_last_verdict() -> None:
    past = [entry("r1"), entry("r2", JULY)]
    tonight = entry("r3", JULY, word="inconclusive")
    assert told(past, tonight) == [("0.6", "r1", "r3", "2026-06-30", "current", "", "inconclusive")]


def test_a_changed_protocol_stands_beside_the_one_before_and_says_what_differs() -> None:
    past = [entry("r1"), entry("r2", JULY)]
    assert told(past, entry("r3", JULY, 0.7, "not_estimable")) == [
        ("0.6", "r1", "r2", "2026-06-30", "", "", "supported"),
        ("0.7", "r3", "r3", "2026-07-31", "current", "thresholds.high: 0.6 -> 0.7", "not_estimable"),
    ]


def test_a_protocol_that_comes_back_says_when_and_from_which() -> None:
    past = [entry("r1"), entry("r2", JULY, 0.7, "inconclusive"), entry("r3", AUGUST)]
    assert told(past, entry("r4", AUGUST)) == [
        ("0.6", "r1", "r4", "2026-08-31", "current", "thresholds.high: 0.7 -> 0.6", "supported"),
        ("0.7", "r2", "r2", "2026-07-31", "", "thresholds.high: 0.6 -> 0.7", "inconclusive"),
    ]


def test_a_look_back_knows_no_verdict_of_later_days() -> None:
    past = [entry("r1"), entry("r2", AUGUST, 0.7, "inconclusive")]
    assert told(past, entry("r3", JULY)) == [("0.6", "r1", "r3", "2026-06-30", "current", "", "supported")]


@given(st.lists(st.tuples(st.sampled_from([0.6, 0.7, 0.8]), st.sampled_from([JUNE, JULY, AUGUST])), min_size=1))
def test_every_protocol_of_a_history_has_one_row_and_one_is_current(nights: list[tuple[float, dt.date]]) -> None:
    *past, tonight = [entry(f"r{place:02}", day, high) for place, (high, day) in enumerate(nights)]
    rows = protocols.rows(past, tonight)
    known = {each.protocol_hash for each in [*past, tonight] if each.as_of <= tonight.as_of}
    assert {row["protocol_hash"] for row in rows} == known
    assert len(rows) == len(known)
    assert [row["last_run_id"] for row in rows if row["is_current"]] == [tonight.run_id]
    assert sum(row["changed"] == "" for row in rows) <= 1
    assert all(row["first_run_id"] <= row["last_run_id"] for row in rows)


def test_what_differs_from_the_night_before_is_told_to_the_next(tmp_path: Path) -> None:
    here = project(tmp_path)
    assert protocols.changed(here, under(0.7)) == []
    publish(here, entry("r1"))
    assert protocols.changed(here, under(0.6)) == []
    assert protocols.changed(here, under(0.7)) == ["thresholds.high: 0.6 -> 0.7"]
