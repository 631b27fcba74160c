"""What a run shows on the terminal while it works."""

import io
import logging

import pytest
from rich.console import Console

from flows.progress import shown
from flows.runs import LOGGER, Journal
from warehouse.project import Project


@pytest.fixture
def journal(project: Project) -> Journal:
    journal = Journal.begin(project)
    journal.open()
    return journal


def test_a_pipe_gets_one_plain_line_for_each_step_that_ended(journal: Journal) -> None:
    out = io.StringIO()
    with shown(Console(file=out, width=20)):
        with journal.step("canonical") as entry:
            entry.rows = 12
        with pytest.raises(ValueError, match="bad"), journal.step("style"):
            raise ValueError("bad")
    assert out.getvalue().splitlines() == ["canonical done in 0.0 s, 12 rows", "style failed in 0.0 s"]


def test_a_terminal_gets_a_live_line_while_the_step_works(journal: Journal) -> None:
    out = io.StringIO()
    with shown(Console(file=out, force_terminal=True, width=80)), journal.step("canonical"):
        pass
    assert "canonical" in out.getvalue().split("canonical done")[0]
    assert "\x1b[?25h" in out.getvalue(), "the cursor is shown again"


def test_warnings_are_shown_as_they_are_written(journal: Journal) -> None:
    out = io.StringIO()
    with shown(Console(file=out, width=20)):
        journal.log("warning", "zendesk/[a].csv: no header [b]")
    assert out.getvalue() == "zendesk/[a].csv: no header [b]\n"


def test_how_a_run_failed_is_left_to_the_commands_last_line(journal: Journal) -> None:
    out = io.StringIO()
    with shown(Console(file=out)):
        journal.end("failed", "2 critical checks failed")
    assert out.getvalue() == ""


def test_nothing_is_shown_after_the_block(journal: Journal) -> None:
    out = io.StringIO()
    before = list(logging.getLogger(LOGGER).handlers)
    with shown(Console(file=out)):
        pass
    journal.log("warning", "later")
    assert out.getvalue() == ""
    assert logging.getLogger(LOGGER).handlers == before
