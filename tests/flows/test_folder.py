"""A new project folder: every key explained, nothing overwritten."""

import re
import tomllib
from pathlib import Path

import pytest

from flows.folder import FOLDERS, configuration, make_project, refuse_real_exports
from warehouse.errors import ConfigurationError
from warehouse.project import Calendar, Costs, Identity, Limits, Project, Schedule, Settings, SystemSettings


def uncommented(text: str) -> str:
    """The configuration with every assignment and section switched on."""
    lines = [re.sub(r"^# (?=\w+ = |\[)", "", line) for line in text.splitlines()]
    return "\n".join(lines).replace("<system>", "zendesk").replace("<calendar>", "support")


def test_an_unchanged_configuration_gives_the_defaults(tmp_path: Path) -> None:
    make_project(tmp_path)
    assert Project.open(tmp_path).settings == Settings()


def test_every_key_is_there_with_its_description() -> None:
    text = configuration()
    for model in (Settings, Schedule, Limits, Identity, Costs, SystemSettings, Calendar):
        for name, field in model.model_fields.items():
            if name in ("schedule", "limits", "identity", "costs", "systems", "calendars"):
                assert f"# [{name}" in text
            else:
                assert f"# {field.description}\n# {name} = " in text


def test_every_key_can_be_switched_on_as_it_stands() -> None:
    settings = Settings.model_validate(tomllib.loads(uncommented(configuration())))
    assert settings.limits == Limits()
    assert settings.systems["zendesk"].timezone == "Europe/Copenhagen"


def test_the_places_to_drop_things_are_made(tmp_path: Path) -> None:
    root = tmp_path / "new" / "acme"
    assert make_project(root) == root / "mutual-value.toml"
    assert sorted(path.name for path in root.iterdir()) == sorted([*FOLDERS, "mutual-value.toml"])


def test_templates_are_copied_where_the_code_has_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    (shipped / "goals.csv").write_text("goal_id,account_id\n", encoding="utf-8")
    monkeypatch.setattr("flows.folder.TEMPLATES", shipped)
    make_project(tmp_path / "acme")
    assert (tmp_path / "acme" / "templates" / "goals.csv").read_text(encoding="utf-8") == "goal_id,account_id\n"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "mutual-value.toml"
    path.write_text('currency = "EUR"\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match="exists already"):
        make_project(tmp_path)
    assert path.read_text(encoding="utf-8") == 'currency = "EUR"\n'
    assert [entry.name for entry in tmp_path.iterdir()] == ["mutual-value.toml"]


class TestTheDemo:
    def test_is_kept_out_of_an_inbox_with_real_exports(self, tmp_path: Path) -> None:
        make_project(tmp_path)
        (tmp_path / "inbox" / "salesforce").mkdir()
        (tmp_path / "inbox" / "salesforce" / "Account.csv").write_text("Id\n1\n", encoding="utf-8")
        with pytest.raises(ConfigurationError, match="holds exports already"):
            refuse_real_exports(tmp_path)

    def test_may_be_written_again_over_a_demo(self, tmp_path: Path) -> None:
        make_project(tmp_path)
        (tmp_path / "inbox" / "Account.csv").write_text("Id\n1\n", encoding="utf-8")
        (tmp_path / "truth.json").write_text("{}", encoding="utf-8")
        refuse_real_exports(tmp_path)

    def test_may_be_written_into_an_empty_inbox_or_none(self, tmp_path: Path) -> None:
        refuse_real_exports(tmp_path)
        make_project(tmp_path)
        refuse_real_exports(tmp_path)
