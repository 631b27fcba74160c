"""The project folder: every key is checked, every mistake is named."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from warehouse.errors import ConfigurationError
from warehouse.project import Project


def project(folder: Path, text: str) -> Project:
    (folder / "mutual-value.toml").write_text(text, encoding="utf-8")
    return Project.open(folder)


def test_an_empty_configuration_is_a_complete_one(tmp_path: Path) -> None:
    settings = project(tmp_path, "").settings
    assert (settings.currency, settings.timezone, settings.schedule.at) == ("DKK", "Europe/Copenhagen", "02:00")
    assert settings.limits.keep_releases == 2


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("curency = 'DKK'", "curency"),
        ("currency = 'kroner'", "currency"),
        ("timezone = 'Copenhagen'", "IANA"),
        ("[schedule]\nat = '25:00'", "schedule.at"),
        ("[limits]\nkeep_releases = 1", "limits.keep_releases"),
        ("[systems.zendesk]\nscope = 'some'", "systems.zendesk.scope"),
        ("as_of = ", "TOML"),
    ],
)
def test_a_mistake_in_the_configuration_is_named(tmp_path: Path, text: str, names: str) -> None:
    with pytest.raises(ConfigurationError, match=names):
        project(tmp_path, text)


def test_a_folder_that_is_no_project_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="mutual-value init"):
        Project.open(tmp_path)


def test_as_of_is_as_asked_else_as_configured_else_today(tmp_path: Path) -> None:
    configured = project(tmp_path, "as_of = 2026-03-31")
    assert configured.as_of(dt.date(2025, 1, 1)) == dt.date(2025, 1, 1)
    assert configured.as_of() == dt.date(2026, 3, 31)
    assert abs(project(tmp_path, "").as_of() - dt.date.today()) <= dt.timedelta(days=1)


def test_a_lake_whose_disk_is_away_is_no_empty_lake(tmp_path: Path) -> None:
    (tmp_path / "lake").symlink_to(tmp_path / "disk" / "lake")
    with pytest.raises(
        ConfigurationError, match=r"lake leads to .*disk/lake, which is not there; is its disk mounted\?"
    ):
        project(tmp_path, "")
    (tmp_path / "disk" / "lake").mkdir(parents=True)
    assert project(tmp_path, "").lake == tmp_path / "lake" / "raw"
