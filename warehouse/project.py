"""A project folder and its configuration: the user's data, apart from the code."""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from warehouse.errors import ConfigurationError
from warehouse.locales import Locale

CONFIGURATION = "mutual-value.toml"


@cache
def _zones() -> frozenset[str]:
    """All zones there are; found by walking through hundreds of files."""
    return frozenset(available_timezones())


def _known_zone(name: str) -> str:
    if name not in _zones():
        raise ValueError(f"{name!r} is not an IANA time zone such as 'Europe/Copenhagen'")
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]

# Beyond these a measure is as good as left out, or as good as alone.
LIGHTEST, HEAVIEST = 0.001, 1000.0


def _known_weight(weight: float) -> float:
    if weight != 0 and not LIGHTEST <= weight <= HEAVIEST:
        raise ValueError(f"write {LIGHTEST:g} to {HEAVIEST:g}, or 0 to leave the measure out")
    return weight


Weight = Annotated[float, AfterValidator(_known_weight)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SystemSettings(_Strict):
    """What a contract cannot know about one customer's copy of a system."""

    timezone: Zone | None = Field(None, description="zone of times that carry none, where the contract leaves it open")
    currency: Currency | None = Field(None, description="currency of amounts that carry none")
    locale: Locale | None = Field(
        None, description="how its numbers and days are written, where its export has a choice"
    )
    encoding: str | None = Field(None, description="a Python codec, instead of the contract's")
    delimiter: str | None = Field(
        None, min_length=1, max_length=1, description="of its CSV files, instead of the contract's"
    )
    scope: Literal["full", "window", "delta"] | None = Field(None, description="what absence from a drop means")
    calendar: str | None = Field(None, description="the business hours of its tickets: a name of [calendars]")
    columns: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="own fields: table -> canonical column -> header in your export"
    )
    values: dict[str, dict[str, dict[str, str]]] = Field(
        default_factory=dict, description="own values: table -> canonical column -> text in your export -> its meaning"
    )


Hours = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Calendar(_Strict):
    """Business hours: when minutes of a response or resolution count."""

    timezone: Zone = Field("Europe/Copenhagen", description="zone of its hours")
    hours: dict[Weekday, list[Hours]] = Field(description="per weekday the opening hours, `08:00-16:00`; none: closed")
    holidays: str | None = Field(None, description="country whose public holidays are closed, as in ISO 3166: DK")
    closed: list[dt.date] = Field(default_factory=list, description="other days that are closed")

    @model_validator(mode="after")
    def _in_order(self) -> Calendar:
        for day, hours in self.hours.items():
            spans = sorted(tuple(span.split("-")) for span in hours)
            if any(start >= end for start, end in spans) or any(
                before[1] > after[0] for before, after in pairwise(spans)
            ):
                raise ValueError(f"the hours of {day} end before they begin, or overlap")
        return self

    @field_validator("holidays")
    @classmethod
    def _country(cls, country: str | None) -> str | None:
        import holidays  # slow to import, and seldom needed

        if country is not None and country not in holidays.list_supported_countries():
            raise ValueError(f"no holidays are known of {country!r}; write an ISO 3166 code such as DK")
        return country


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


class Identity(_Strict):
    """What is suggested where no certain key says which company an account is."""

    suggest_from: float = Field(
        0.5, gt=0, le=1, description="how probable a company must be to stand in identity/suggestions.csv"
    )


class Costs(_Strict):
    """What money amounts of cost and time are worth, where no export says so."""

    support_hour: float | None = Field(
        None,
        gt=0,
        description="what an hour of work on a ticket costs, wages and overheads included, in `currency`; "
        "without it there is no contribution margin",
    )
    discount_rate: float = Field(
        0.1, ge=0, lt=1, description="yearly rate by which a customer's future payments are discounted in `clv`"
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
    identity: Identity = Identity.model_construct()
    costs: Costs = Costs.model_construct()
    calendars: dict[str, Calendar] = Field(
        default_factory=dict, description="business hours by name; `systems.<system>.calendar` names one of them"
    )
    fx_days: int = Field(
        35, ge=0, description="a rate of exchange holds until the next one, but no longer than this many days"
    )
    lexicon: dict[str, list[str]] = Field(
        default_factory=dict, description="own stems per class, added to transforms/lexicon.yml"
    )
    weights: dict[str, Weight] = Field(
        default_factory=dict,
        description="how much measures count in their scores, by measure_id: 0.001 to 1000, or 0 to leave one out; "
        "without it 1",
    )
    shared_domains: list[str] = Field(
        default_factory=list, description="e-mail domains that never identify a company (added to the free-mail list)"
    )
    crm_order: list[str] = Field(
        default_factory=list,
        description="CRM systems in the order of their authority: a company that several know from the same day on has "
        "the id and the facts of the first; without it the one that delivered first",
    )
    releases_group: str | None = Field(
        None, description="group of this machine that may read releases; unset, the user alone may"
    )

    @field_validator("weights")
    @classmethod
    def _weighable(cls, weights: dict[str, float]) -> dict[str, float]:
        if weights:
            from warehouse.weights import every_weight  # parses the catalogue, and is seldom needed

            every_weight(weights)
        return weights

    @model_validator(mode="after")
    def _calendars_exist(self) -> Settings:
        for system, settings in self.systems.items():
            if settings.calendar and settings.calendar not in self.calendars:
                raise ValueError(
                    f"systems.{system}.calendar is {settings.calendar!r}, but [calendars] has no such name"
                )
        return self


@dataclass(frozen=True)
class Project:
    """A project folder: where its parts lie, and its settings."""

    root: Path
    settings: Settings

    @classmethod
    def open(cls, root: Path) -> Project:
        """Read `root`/mutual-value.toml.

        Raises:
            ConfigurationError: no such folder or file, a key that is unknown or has a wrong value, or a lake whose
                disk is away: the night would begin a new one.
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
        lake = root / "lake"
        if lake.is_symlink() and not lake.exists():
            raise ConfigurationError(f"{lake} leads to {lake.readlink()}, which is not there; is its disk mounted?")
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

    def end_of(self, day: dt.date) -> dt.datetime:
        """When the day is over in the project's zone: UTC, without zone."""
        midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), ZoneInfo(self.settings.timezone))
        return midnight.astimezone(dt.UTC).replace(tzinfo=None)

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
    def decisions(self) -> Path:
        """What people decided: dated and only ever added to."""
        return self.root / "decisions"

    @property
    def identity(self) -> Path:
        return self.root / "identity"

    @property
    def reference(self) -> Path:
        """Frozen references: the scale of the scores."""
        return self.root / "reference"

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
