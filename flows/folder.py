"""A new project folder: its configuration with every key explained, and the places where things are dropped."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from warehouse.contracts import SHIPPED
from warehouse.errors import ConfigurationError
from warehouse.project import CONFIGURATION, Calendar, Settings, SystemSettings

FOLDERS = ("inbox", "exports", "identity", "decisions", "reference", "templates")
TEMPLATES = SHIPPED / "templates"

HEADER = """\
# Configuration of this project folder. Every key is optional; what stands behind `#` is its default or an example.
"""


def make_project(root: Path) -> Path:
    """Make `root` a project folder; the path of its configuration.

    Raises:
        ConfigurationError: it is one already. Nothing is overwritten.
    """
    path = root / CONFIGURATION
    root.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(configuration())
    except FileExistsError:
        raise ConfigurationError(f"{path} exists already; edit it, or choose another folder with --project") from None
    for folder in FOLDERS:
        (root / folder).mkdir(exist_ok=True)
    _copy_templates(root / "templates")
    return path


def _copy_templates(folder: Path) -> None:
    for template in sorted(TEMPLATES.glob("*.csv")):
        if not (folder / template.name).exists():
            shutil.copyfile(template, folder / template.name)


def configuration() -> str:
    """The text of mutual-value.toml: each key of Settings with its description, commented out."""
    lines = [HEADER, *_keys(Settings)]
    for name, field in Settings.model_fields.items():
        if _is_section(field):
            lines += [f"# [{name}]", *_keys(field.annotation)]
    lines += [
        "# Business hours by name; a helpdesk that gives only times has its minutes counted in them:",
        "# [calendars.<calendar>]",
        *_keys(Calendar),
        "# One section for each system in the inbox that needs it:",
        "# [systems.<system>]",
        *_keys(SystemSettings),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _keys(model: Any) -> Iterator[str]:
    """The scalar and list keys of one table, and an empty line behind each."""
    for name, field in model.model_fields.items():
        if _is_section(field) or name in ("systems", "calendars"):
            continue
        yield from (f"# {field.description}", f"# {_assignment(name, field)}", "")


def _is_section(field: FieldInfo) -> bool:
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


# What a key that is unset by default looks like when it is set.
EXAMPLES: dict[str, str] = {
    "as_of": dt.date(2026, 6, 30).isoformat(),
    "timezone": '"Europe/Copenhagen"',
    "currency": '"DKK"',
    "scope": '"full"',
    "columns": '{ account = { segment = "Kundetype" } }',
    "values": '{ ticket = { type = { Kundefejl = "incident" } } }',
    "locale": '"da"',
    "encoding": '"cp1252"',
    "delimiter": '";"',
    "calendar": '"support"',
    "hours": '{ mon = ["08:00-16:00"], tue = ["08:00-12:00", "13:00-16:00"] }',
    "holidays": '"DK"',
    "closed": "[2026-06-05, 2026-12-24]",
    "support_hour": "650.0",
    "lexicon": '{ discount = ["prisafslag"] }',
    "weights": "{ nrr = 2, csat = 0.5 }",
    "shared_domains": '["koncern.example"]',
    "releases_group": '"analysts"',
    "crm_order": '["salesforce", "hubspot"]',
}


def _assignment(name: str, field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    shown = (
        EXAMPLES[name] if field.is_required() or default in (None, {}, []) else json.dumps(default, ensure_ascii=False)
    )
    choices = [choice for choice in _choices(field.annotation) if json.dumps(choice) != shown]
    return f"{name} = {shown}" + (f"  # or {', '.join(map(json.dumps, choices))}" if choices else "")


def _choices(annotation: Any) -> list[str]:
    """The texts that a key is limited to, if it is."""
    if get_origin(annotation) is dict:
        return []
    return [part for kind in get_args(annotation) for part in get_args(kind) if isinstance(part, str)]


def refuse_real_exports(root: Path) -> None:
    """Keep made-up exports apart from real ones.

    Raises:
        ConfigurationError: the inbox holds files, and no earlier demo wrote them.
    """
    files = (path for path in (root / "inbox").rglob("*") if path.is_file())
    if not (root / "truth.json").exists() and any(files):
        raise ConfigurationError(f"{root / 'inbox'} holds exports already; write the demo into another folder")
