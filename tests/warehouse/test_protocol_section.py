"""The report on its protocol: since when it holds, what was changed, and what earlier ones said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.warehouse.finished_build import empty_build
from tests.warehouse.test_protocols import AUGUST, JULY, JUNE, entry
from tests.warehouse.test_report import Page
from warehouse.protocols import Entry, rows
from warehouse.serving.findings import read
from warehouse.serving.page import section
from warehouse.serving.protocols import protocol

Render = Callable[[Sequence[dict[str, Any]]], Page]


@pytest.fixture
def rendered(tmp_path: Path) -> Render:
    """The section of a build with these rows of audit.protocol."""

    def make(protocols: Sequence[dict[str, Any]]) -> Page:
        build = empty_build()
        build.rows["audit.protocol"] = list(protocols)
        database = build.write(tmp_path / "warehouse.duckdb")
        return Page(section("protocol", "The protocol", *protocol(read(database))))

    return make


def page_of(rendered: Render, *nights: Entry) -> Page:
    return rendered(rows(nights[:-1], nights[-1]))


def test_a_protocol_that_never_changed_is_said_to_be_the_only_one(rendered: Render) -> None:
    page = page_of(rendered, entry("r1", JUNE), entry("r2", JULY))
    assert "No other protocol than this one has decided, from the night as of 30 June 2026 on." in page.text
    assert "What earlier protocols decided" not in page.text
    assert page.row("thresholds.high") == ["thresholds.high", "0.6"]
    assert f"Protocol {entry('r1').protocol_hash}" in page.text


def test_a_change_says_when_what_and_what_the_verdict_was_before(rendered: Render) -> None:
    page = page_of(rendered, entry("r1", JUNE), entry("r2", JULY), entry("r3", AUGUST, 0.7, "not_estimable"))
    assert (
        "The protocol was changed with the night as of 31 August 2026: thresholds.high: 0.6 → 0.7. Under the earlier "
        "one the verdict was “Supported” (+8.0 points, 95 % interval +3.0 to +13.0), as of 31 July 2026."
    ) in page.text
    assert page.row("30 June 2026 to 31 July 2026")[1:6] == [
        "Supported", "+8.0 points", "+3.0 to +13.0", "Mutual value", "–",
    ]  # fmt: skip


def test_every_earlier_verdict_stays_the_newest_first(rendered: Render) -> None:
    page = page_of(
        rendered, entry("r1", JUNE), entry("r2", JULY, 0.7, "inconclusive"), entry("r3", AUGUST, 0.8, "contradicted")
    )
    told = [(row[0], row[1], row[5]) for row in page.rows if len(row) == 7 and row[0].endswith("2026")]
    assert told == [
        ("31 July 2026", "Inconclusive", "thresholds.high: 0.6 → 0.7"),
        ("30 June 2026", "Supported", "–"),
    ]


def test_an_outcome_that_is_no_score_keeps_its_own_unit(rendered: Render) -> None:
    days = {"outcome": "days_beyond_terms", "difference": -3.25, "ci_low": -5.0, "ci_high": -1.5}
    page = page_of(rendered, entry("r1", JUNE, **days), entry("r2", JULY, 0.7))
    assert page.row("30 June 2026")[2:5] == ["−3.250", "−5.000 to −1.500", "days beyond terms"]


def test_names_of_the_users_own_are_shown_as_text(rendered: Render) -> None:
    evil = [{**row, "changed": '<script>alert("1")</script>'} for row in rows([entry("r0")], entry("r1", high=0.7))]
    page = rendered(evil)
    assert page.all("script") == []
    assert '<script>alert("1")</script>' in page.text


def test_a_build_without_a_protocol_says_so(rendered: Render) -> None:
    assert "No protocol is on record." in rendered([]).text
