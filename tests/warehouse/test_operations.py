"""What docs/operations.md tells an operator to type exists, and what it says of codes and files is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from flows.cli import app
from flows.runs import LANDING, LINKS, LOG, RECORD
from flows.steps import CHECKS
from tests.tables import drawn
from warehouse.errors import CheckFailure, ConfigurationError, LockHeld
from warehouse.project import Settings
from warehouse.protocols import FIXED, HISTORY
from warehouse.serving.dictionary import configuration_keys
from warehouse.serving.publish import BUILD, DATABASE, UnfinishedBuild

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"mutual-value ([a-z]+(?: --[a-z-]+(?: [A-Z][A-Z_]*|[ ]DIR|[ ][\d-]+)?)*)", PAGE)))


def test_the_page_names_commands() -> None:
    assert {command.split()[0] for command in COMMANDS} == {
        "run", "check", "serve", "status", "publish", "reference", "contrast", "docs",
    }  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_the_page_names_exists_with_its_options(command: str) -> None:
    name, *rest = command.split()
    known = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    options = {option for parameter in known.params for option in parameter.opts}
    assert {word for word in rest if word.startswith("--")} <= options


@pytest.mark.parametrize(
    ("error", "code"), [(CheckFailure, 1), (UnfinishedBuild, 1), (ConfigurationError, 2), (LockHeld, 3)]
)
def test_the_exit_codes_are_those_of_the_errors(error: type[Exception], code: int) -> None:
    assert error.exit_code == code  # type: ignore[attr-defined]
    assert f"| {code} |" in PAGE


@pytest.mark.parametrize(
    "name", [RECORD, LOG, FIXED, HISTORY, LANDING, LINKS, CHECKS, "data_docs", BUILD, f"current/{DATABASE}"]
)
def test_the_files_of_a_run_are_named_as_they_are(name: str) -> None:
    assert name in PAGE


def test_the_settings_that_the_page_names_exist() -> None:
    keys = {key for key, *_ in configuration_keys(Settings)}
    named = set(re.findall(r"`((?:limits|schedule)\.\w+|as_of)`", PAGE))
    assert len(named) >= 4
    assert named <= keys


def test_the_rule_of_the_example_message_exists() -> None:
    rule = re.search(r"rules: (\w+)\.", PAGE)
    assert rule
    assert (ROOT / "expectations" / "rules" / f"{rule[1]}.sql").exists()


def test_each_folder_of_state_has_a_line_in_the_backups() -> None:
    backups = PAGE.split("## Backups")[1].split("## Disk")[0]
    for row in drawn("folder\nlake/\nidentity/\ndecisions/\nreference/\nruns/\nexports/\nmutual-value.toml"):
        assert f"`{row['folder']}`" in backups
