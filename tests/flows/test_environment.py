"""What Prefect is told before it is imported."""

import os
from pathlib import Path

import pytest

from flows.environment import QUIET, SETTINGS, prepare


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {})


def test_nothing_is_sent_and_a_slow_server_is_waited_for(tmp_path: Path) -> None:
    prepare(tmp_path)
    assert os.environ["DO_NOT_TRACK"] == "1"
    assert os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert int(os.environ["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"]) == 120


def test_prefects_state_stays_in_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    prepare(Path())
    assert os.environ["PREFECT_HOME"] == str(tmp_path / ".prefect")


def test_what_the_environment_says_already_is_kept(tmp_path: Path) -> None:
    os.environ.update(PREFECT_HOME="/srv/prefect", PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL="DEBUG")
    prepare(tmp_path, quiet=True)
    assert os.environ["PREFECT_HOME"] == "/srv/prefect"
    assert os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] == "DEBUG"


def test_no_server_is_chosen_for_the_user(tmp_path: Path) -> None:
    prepare(tmp_path, quiet=True)
    assert "PREFECT_API_URL" not in os.environ
    assert {key for key in os.environ if key.startswith("PREFECT_")} == {
        *(key for key in (*SETTINGS, *QUIET) if key.startswith("PREFECT_")),
        "PREFECT_HOME",
    }


def test_a_process_that_serves_keeps_prefects_own_lines(tmp_path: Path) -> None:
    prepare(tmp_path)
    assert not set(QUIET) & set(os.environ)
