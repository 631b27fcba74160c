"""What docs/privacy.md says of commands, files and settings is so."""

from __future__ import annotations

import re
from pathlib import Path

import typer

from flows.cli import app
from warehouse import erasing, keys
from warehouse.erasures import FILE, INVALID
from warehouse.people import _QUOTED_FROM
from warehouse.personal import PERSONAL
from warehouse.project import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")


def test_its_commands_exist_with_their_options() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    named = re.findall(r"^mutual-value (\w+)(.*)$", PAGE, re.MULTILINE)
    assert {name for name, _ in named} == {"forget", "run"}
    for name, rest in named:
        known = {option for parameter in commands[name].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known


def test_its_files_variables_and_limits_are_those_of_the_code() -> None:
    for name in (
        f"decisions/{FILE}",
        f"identity/{keys.FILE}",
        f"lake/{erasing.NAMES}",
        keys.VARIABLE,
        INVALID,
        PERSONAL.relative_to(ROOT).as_posix(),
    ):
        assert f"{name}" in PAGE
    assert f"from {_QUOTED_FROM} signs on" in PAGE
    assert f"({keys._LEAST_CHARACTERS} characters or more)" in PAGE
    assert "releases_group" in Settings.model_fields
