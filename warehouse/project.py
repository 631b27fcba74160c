"""A project folder and its configuration: the user's data, apart from the code."""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from warehouse.errors import ConfigurationError

CONFIGURATION = "mutual-value.toml"


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is not an IANA time zone such as 'Europe/Copenhagen'")
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SystemSettings(_Strict):
    """What a contract cannot know about one customer's copy of a system."""

    timezone: Zone | None = Field(None, description="zone of times that carry none, where the contract leaves it open")
    currency: Currency | None = Field(None, description="currency of amounts that carry none")
    scope: Literal["full", "window", "delta"] | None = Field(None, description="what absence from a drop means")
    columns: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="own fields: table -> canonical column -> header in your export"
    )


class Schedule(_Strict):
    """When `mutual-value serve` runs the night."""

    at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = Field("02:00", description="local time, HH:MM")


class Limits(_Strict):
    """What a run may take from the machine."""

    memory: str = Field("4GB", description="DuckDB's memory limit; beyond it the engine spills to disk")
    threads: int = Field(2, ge=1, description="DuckDB's threads")
    query_seconds: float = Field(1800, gt=0, description="one query longer than this is interrupted")
    keep_releases: int = Field(2, ge=2, description="releases kept after a publish")
    archive_bytes: int = Field(20_000_000_000, gt=0, description="the most that one ZIP may unpack to")
    full_drop_share: float = Field(
        0.8, gt=0, le=1, description="a full drop with a smaller share of the rows deletes none"
    )


class Settings(_Strict):
    """The keys of mutual-value.toml; every one is optional."""

    as_of: dt.date | None = Field(None, description="last day that counts; today in `timezone` when unset")
    currency: Currency = Field("DKK", description="currency of all published money")
    timezone: Zone = Field("Europe/Copenhagen", description="zone that decides which day and month an event falls in")
    name: str = Field("", description="shown on the report")
    systems: dict[str, SystemSettings] = Field(default_factory=dict)
    schedule: Schedule = Schedule.model_construct()
    limits: Limits = Limits.model_construct()
    lexicon: dict[str, list[str]] = Field(
        default_factory=dict, description="own stems per class, added to transforms/lexicon.yml"
    )
    shared_domains: list[str] = Field(
        default_factory=list, description="e-mail domains that never identify a company (added to the free-mail list)"
    )


@dataclass(frozen=True)
class Project:
    """A project folder: where its parts lie, and its settings."""

    root: Path
    settings: Settings

    @classmethod
    def open(cls, root: Path) -> Project:
        """Read `root`/mutual-value.toml.

        Raises:
            ConfigurationError: no such folder or file, or a key that is unknown or has a wrong value.
        """
        path = root / CONFIGURATION
        try:
            keys: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ConfigurationError(
                f"{root} is no project folder: it has no {CONFIGURATION}; make it: mutual-value init --project {root}"
            ) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path} is not valid TOML: {error}") from error
        try:
            return cls(root.resolve(), Settings.model_validate(keys))
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}" for problem in error.errors()
            )
            raise ConfigurationError(f"{path}: {problems}") from None

    def as_of(self, asked: dt.date | None = None) -> dt.date:
        """The run's as-of day: as asked, else as configured, else today in the project's zone."""
        return asked or self.settings.as_of or dt.datetime.now(ZoneInfo(self.settings.timezone)).date()

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def lake(self) -> Path:
        return self.root / "lake" / "raw"

    @property
    def exports(self) -> Path:
        """The user's own contracts, beside the shipped ones."""
        return self.root / "exports"

    @property
    def identity(self) -> Path:
        return self.root / "identity"

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def current(self) -> Path:
        """The link that readers follow to the published release."""
        return self.root / "current"
