"""How a locale writes numbers, days and months: data of transforms/locales.yml and transforms/months.yml."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict

_TRANSFORMS = Path(__file__).parents[1] / "transforms"


class Spelling(BaseModel):
    """One locale: the signs of its numbers, and the strptime patterns of its days and times."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    decimal: str
    thousands: str
    date: tuple[str, ...]
    timestamp: tuple[str, ...]


@cache
def locales() -> Mapping[str, Spelling]:
    """Every locale by its name."""
    found = yaml.safe_load((_TRANSFORMS / "locales.yml").read_text(encoding="utf-8"))
    return {name: Spelling.model_validate(spelling) for name, spelling in found.items()}


@cache
def month_names() -> Mapping[str, str]:
    """Names of months in any language, in lower case -> the English short name that strptime reads."""
    languages = yaml.safe_load((_TRANSFORMS / "months.yml").read_text(encoding="utf-8"))
    english = [names[0].capitalize() for names in languages["en"]]
    return {
        name: english[place] for months in languages.values() for place, names in enumerate(months) for name in names
    }


def _known(name: str) -> str:
    if name not in locales():
        raise ValueError(f"{name!r} is no known locale; known are {', '.join(locales())}")
    return name


Locale = Annotated[str, AfterValidator(_known)]
