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
        ("[weights]\nnrrr = 2", "weights: .*nrrr enters no score; the measures that do are adoption, "),
        ("[weights]\nmrr = 2", "weights: .*mrr enters no score"),
        ("[weights]\nnrr = -1", "weights.nrr: .*write 0.001 to 1000, or 0 to leave the measure out"),
        ("[weights]\nnrr = 0.0001", "weights.nrr"),
        ("[weights]\nnrr = nan", "weights.nrr"),
        ("[weights]\nnrr = 'much'", "weights.nrr"),
        ("[weights]\nunilateral_change = 0\nown_viewpoint = 0", "weights: .*cost_focus_supplier needs 1 of unilateral"),
        (
            "[weights]\nprice_pressure = 0\ndispute_rate = 0",
            "cost_focus_customer needs 2 .*raise a weight, or take its",
        ),
        (
            "[weights]\nshared_goal_coverage = 0\nmutual_responsibility = 0\ncocreation_rate = 0",
            "partnership_goals needs 1 of shared_goal_coverage, mutual_responsibility, cocreation_rate with a weight over 0",
        ),
    ],
)
def test_a_mistake_in_the_configuration_is_named(tmp_path: Path, text: str, names: str) -> None:
    with pytest.raises(ConfigurationError, match=names):
        project(tmp_path, text)


def test_weights_of_measures_that_no_score_needs_may_be_0(tmp_path: Path) -> None:
    settings = project(tmp_path, "[weights]\nnrr = 2\ncsat = 0.5\nforward_openness = 0").settings
    assert settings.weights == {"nrr": 2, "csat": 0.5, "forward_openness": 0}


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
