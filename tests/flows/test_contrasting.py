"""The contrast in a terminal: what is told, in which order, and that it fits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from rich.console import Console
from typer.testing import CliRunner

from flows.cli import app
from flows.contrasting import Contrast, protocol_lines, read, told
from flows.summary import verdict_on
from tests.warehouse.finished_build import contrast_rows, finished_build
from tests.warehouse.test_protocols import JULY, JUNE, entry, own
from warehouse import protocols
from warehouse.errors import ConfigurationError
from warehouse.project import Project

STEPS = [("in", "", 300), ("excluded", "not a customer at t0", 28), ("compared", "high", 142), ("compared", "low", 130)]
SIZES = {
    "n_partnership": 142, "n_comparison": 130, "effective_n_partnership": 120.5, "effective_n_comparison": 111.2,
    "detectable_g": 0.37, "smallest_effect": 0.2, "needed_per_arm": 394, "more_partnership": 274,
    "more_comparison": 283, "more_to_compare": 0,
}  # fmt: skip


def release(path: Path, word: str = "supported", *nights: protocols.Entry) -> Path:
    """A release's file with this verdict throughout, after these nights."""
    build = finished_build(accounts=12, months=2, word=word)
    past, tonight = nights[:-1], nights[-1] if nights else entry("r1", JUNE, word=word)
    keys = [{"comparison": row["comparison"], "outcome": row["outcome"]} for row in contrast_rows(word)[::3]]
    build.rows |= {
        "mart.contrast_flow": [
            {**key, "step": step, "reason": reason, "accounts": count} for key in keys for step, reason, count in STEPS
        ],
        "mart.contrast_power": [{**key, **SIZES} for key in keys],
        "audit.protocol": protocols.rows(past, tonight),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    return build.write(path)


def printed(found: Contrast) -> list[str]:
    """The lines as a terminal of 80 columns shows them, without the blanks at their ends."""
    console = Console(width=80)
    lines: list[str] = []
    for part in told(found):
        if isinstance(part, str):
            lines.append(part)
        else:
            with console.capture() as capture:
                console.print(part)
            lines += capture.get().splitlines()
    return [line.rstrip() for line in lines]


@pytest.fixture(scope="module")
def supported(tmp_path_factory: pytest.TempPathFactory) -> Contrast:
    return read(release(tmp_path_factory.mktemp("supported") / "warehouse.duckdb"))


def test_the_verdict_comes_first_then_the_accounts_then_power_then_estimates_then_notes(supported: Contrast) -> None:
    lines = printed(supported)
    assert lines[:2] == [
        "Partnership and mutual value: supported (+8.0 points, 95 % +3.0 to +13.0).",
        "  The interval lies above 0.",
    ]
    headings = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert headings == [
        "Accounts, partnership_high_vs_low, mutual_value:",
        "What could be found, by the number of accounts alone (two-sided 5 %):",
        "Every estimator, partnership_high_vs_low, mutual_value (overlap decides):",
        "Every outcome, partnership_high_vs_low:",
        "Every outcome, partnership_vs_transactional:",
        "Notes:",
    ]


def test_the_accounts_are_told_step_by_step(supported: Contrast) -> None:
    lines = printed(supported)
    begin = lines.index("Accounts, partnership_high_vs_low, mutual_value:")
    assert lines[begin + 1 : begin + 5] == [
        "     300 in",
        "      28 excluded: not a customer at t0",
        "     142 compared: high",
        "     130 compared: low",
    ]


def test_power_is_told_of_each_comparison(supported: Contrast) -> None:
    lines = printed(supported)
    begin = next(place for place, line in enumerate(lines) if line.startswith("What could be found"))
    assert lines[begin + 1 : begin + 4] == [
        "  partnership_high_vs_low, mutual_value: 142 and 130 accounts, weighted they count as 120 and 111",
        "    find 0.37 standard deviations or more 8 times of 10",
        "    0.20, the smallest effect of interest, needs 394 in each arm: 274 and 283 more",
    ]


def test_tables_fit_into_80_columns_with_every_number_whole(supported: Contrast) -> None:
    lines = printed(supported)
    [heading] = [line for line in lines if line.startswith("estimator")]
    table = lines[lines.index(heading) + 1 :][:3]
    assert [line.split() for line in table] == [
        ["aipw", "142", "/", "130", "+0.066", "+0.035", "to", "+0.097", "+0.41", "<.001"],
        ["overlap", "142", "/", "130", "+0.062", "+0.031", "to", "+0.093", "+0.41", "<.001"],
        ["unadjusted", "142", "/", "130", "+0.082", "+0.051", "to", "+0.113", "+0.41", "<.001"],
    ]
    assert not [line for line in lines if "…" in line]


def test_what_the_reason_adds_to_the_verdict_is_a_note(supported: Contrast) -> None:
    reason = "the interval lies above 0; errors rest on 8 clusters"
    rows = [{**row, "reason": reason} for row in supported.contrast]
    lines = printed(replace(supported, contrast=rows))
    assert lines[1] == "  The interval lies above 0."
    assert lines[lines.index("Notes:") + 1] == "  Errors rest on 8 clusters."


def test_where_nothing_is_estimable_there_are_reasons_and_no_empty_tables(tmp_path: Path) -> None:
    lines = printed(read(release(tmp_path / "warehouse.duckdb", "not_estimable")))
    assert lines[:2] == [
        "Partnership and mutual value: not estimable.",
        "  12 accounts in the high arm; 30 needed.",
    ]
    assert not [line for line in lines if line.startswith("Every ")]
    assert "  partnership_vs_transactional, mutual_value: 12 accounts in the high arm; 30 needed." in lines


def test_small_arms_say_how_many_more_are_needed_to_compare_at_all(supported: Contrast) -> None:
    unknown = {"effective_n_partnership": None, "effective_n_comparison": None, "detectable_g": None}
    rows = [{**row, **unknown, "n_partnership": 1, "more_to_compare": 29} for row in supported.power]
    lines = printed(replace(supported, power=rows))
    assert "  partnership_high_vs_low, mutual_value: 1 and 130 accounts" in lines
    assert "    29 more are needed before anything is estimated" in lines
    assert not [line for line in lines if "8 times of 10" in line]


def test_a_changed_protocol_is_a_note_with_the_verdict_before(tmp_path: Path) -> None:
    nights = entry("r1", JUNE), entry("r2", JULY, 0.7, "inconclusive")
    lines = printed(read(release(tmp_path / "warehouse.duckdb", "inconclusive", *nights)))
    assert lines[-3:] == [
        f"  Protocol {nights[1].protocol_hash[:12]}, since the night as of 2026-07-31; see all of it with --protocol.",
        "  It was changed: thresholds.high: 0.6 -> 0.7.",
        f"  Under {nights[0].protocol_hash[:12]}, last as of 2026-06-30: Partnership and mutual value: supported "
        "(+8.0 points, 95 % +3.0 to +13.0).",
    ]


@pytest.mark.parametrize(
    ("outcome", "size", "told_as"),
    [
        ("customer_value", (0.0123, -0.01, 0.0346), "+1.2 points, 95 % -1.0 to +3.5"),
        ("first_response", (-47.228, -101.7, 7.25), "-47.2, 95 % -102 to +7.25"),
    ],
)
def test_scores_are_told_in_points_and_everything_else_in_its_unit(
    outcome: str, size: tuple[float, float, float], told_as: str
) -> None:
    words = outcome.replace("_", " ")
    assert verdict_on(outcome, "inconclusive", *size) == f"Partnership and {words}: inconclusive ({told_as})."


def test_a_release_of_an_earlier_version_says_what_to_do(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "old.duckdb")) as connection:
        connection.execute("create schema mart")
    with pytest.raises(ConfigurationError, match=r"earlier version\. Make a new release with: mutual-value run"):
        read(tmp_path / "old.duckdb")


# --- --protocol -------------------------------------------------------------------------------------------------------


def call(project: Project, *arguments: str) -> list[str]:
    result = CliRunner().invoke(app, ["contrast", "--project", str(project.root), *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_the_protocol_is_printed_before_the_first_night(project: Project) -> None:
    lines = call(project, "--protocol")
    assert lines[0] == f"Protocol {protocols.load(project).hash}"
    assert "  thresholds.high = 0.6" in lines
    assert lines[-1] == "No release yet: it holds from the first night on."


def test_the_protocol_of_the_release_says_since_when_and_what_was_before(project: Project) -> None:
    nights = entry("r1", JUNE), entry("r2", JULY, 0.7)
    release(project.current / "warehouse.duckdb", "supported", *nights)
    lines = list(protocol_lines(own(project, "[thresholds]\nhigh = 0.7")))
    assert lines[-3:-1] == [
        "The published release has it, since the night as of 2026-07-31.",
        "It was changed: thresholds.high: 0.6 -> 0.7.",
    ]
    assert lines[-1].startswith(f"Under {nights[0].protocol_hash[:12]}, last as of 2026-06-30: Partnership and mutual")


def test_a_protocol_that_waits_for_the_next_night_says_what_it_changes(project: Project) -> None:
    tonight = entry("r1", JUNE)
    release(project.current / "warehouse.duckdb", "supported", tonight)
    lines = list(protocol_lines(own(project, "seed = 1\n[thresholds]\nhigh = 0.7")))
    assert lines[-1] == (
        f"The published release has another, {tonight.protocol_hash[:12]}; "
        "from the next night on: seed: 20240229 -> 1; thresholds.high: 0.6 -> 0.7."
    )
