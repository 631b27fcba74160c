"""The protocol of the contrast: what is compared, fixed and hashed before any value is read."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from transforms.contrast.errors import ContrastError
from transforms.contrast.verdict import Direction

SHIPPED = Path(__file__).with_name("protocol.toml")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Thresholds(_Strict):
    """Where high begins and low ends, on the axes from 0 to 1."""

    low: float = Field(gt=0, lt=1)
    high: float = Field(gt=0, lt=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low ({self.low:g}) must be under high ({self.high:g})")
        return self


class Group(_Strict):
    """One side of a comparison: the accounts at or beyond a threshold, or of one style."""

    label: str
    threshold: Literal["low", "high"] | None = None
    equals: str | None = None

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        if (self.threshold is None) == (self.equals is None):
            raise ValueError(f"group {self.label!r} needs either threshold or equals")
        return self

    def holds(self, column: pd.Series, thresholds: Thresholds) -> NDArray[np.bool_]:
        """Which rows belong to the group; a null never does."""
        if self.equals is not None:
            return np.asarray(column.eq(self.equals).fillna(False), dtype=bool)
        numbers = pd.to_numeric(column).to_numpy(dtype=float, na_value=np.nan)
        return numbers >= thresholds.high if self.threshold == "high" else numbers <= thresholds.low


class Comparison(_Strict):
    """Two groups of accounts, by one column of the frame. What lies in neither is left out, and counted."""

    name: str
    column: str
    treated: Group
    control: Group

    @property
    def labels(self) -> tuple[str, str]:
        """What the groups are called: treated, control."""
        return self.treated.label, self.control.label


class Outcome(_Strict):
    name: str
    direction: Direction


class Primary(_Strict):
    """The one contrast that stands without correction for multiple tests."""

    comparison: str
    outcome: str


class Gates(_Strict):
    """What a contrast needs before it may be estimated."""

    effective_accounts: float = Field(ge=2)
    accounts_per_column: int = Field(ge=1)
    required_covariates: int = Field(ge=0)
    events: int = Field(ge=1)


class Switchers(_Strict):
    """How accounts that became partners are compared with those that have not yet; periods are value windows."""

    outcomes: tuple[str, ...]
    base_periods: int = Field(ge=1)
    anticipation: int = Field(ge=0)


class Protocol(_Strict):
    """Everything about the contrast that could be chosen after seeing the results, and therefore is not."""

    estimand: str
    style_window_months: int = Field(ge=1)
    value_window_months: int = Field(ge=1)
    smallest_effect: float = Field(gt=0)
    seed: int
    permutations: int = Field(ge=99)
    moderators: tuple[str, ...]
    segment: str
    owner: str
    parent: str
    covariates: tuple[str, ...] = Field(min_length=1)
    thresholds: Thresholds
    primary: Primary
    gates: Gates
    switchers: Switchers
    comparisons: tuple[Comparison, ...] = Field(min_length=1)
    outcomes: tuple[Outcome, ...] = Field(min_length=1)

    @classmethod
    def load(cls, paths: Iterable[Path] = ()) -> Protocol:
        """The shipped protocol, with the keys of each TOML file of `paths` in place of its own.

        Raises:
            ContrastError: a file is absent or no TOML, or a key is unknown or has a wrong value.
        """
        own = tuple(paths)
        keys = _read(SHIPPED)
        for path in own:
            keys = _merged(keys, _read(path))
        try:
            return cls.model_validate(keys)
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(str(part) for part in problem['loc']) or 'protocol'}: {problem['msg']}"
                for problem in error.errors()
            )
            raise ContrastError(f"{', '.join(str(path) for path in own or (SHIPPED,))}: {problems}") from None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for kind, names in (
            ("comparisons", [comparison.name for comparison in self.comparisons]),
            ("outcomes", [outcome.name for outcome in self.outcomes]),
            ("covariates", list(self.covariates)),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{kind} name {', '.join(twice)} twice")
        if self.primary.comparison not in {comparison.name for comparison in self.comparisons}:
            raise ValueError(f"primary.comparison {self.primary.comparison!r} is none of the comparisons")
        if self.primary.outcome not in {outcome.name for outcome in self.outcomes}:
            raise ValueError(f"primary.outcome {self.primary.outcome!r} is none of the outcomes")
        return self

    @property
    def low(self) -> float:
        return self.thresholds.low

    @property
    def high(self) -> float:
        return self.thresholds.high

    @property
    def primary_comparison(self) -> str:
        return self.primary.comparison

    @property
    def deciding(self) -> Comparison:
        """The primary comparison."""
        return next(each for each in self.comparisons if each.name == self.primary.comparison)

    @property
    def primary_outcome(self) -> str:
        return self.primary.outcome

    @property
    def hash(self) -> str:
        """SHA-256 of the protocol as canonical JSON: the same however the file is laid out."""
        return hash_of(self.content)

    @property
    def content(self) -> dict[str, Any]:
        """The protocol as JSON has it: what is kept of it outlives this version of the class."""
        return self.model_dump(mode="json")


def canonical(content: Mapping[str, Any]) -> str:
    """JSON with sorted keys and no spaces: one text for one content."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def hash_of(content: Mapping[str, Any]) -> str:
    """SHA-256 of a protocol's content, in hexadecimal digits."""
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ContrastError(f"there is no protocol {path}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ContrastError(f"{path} is not valid TOML: {error}") from error


def _merged(keys: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` on top of `keys`: tables key by key, everything else whole."""
    both = {
        key: _merged(keys[key], value) if isinstance(value, dict) and isinstance(keys.get(key), dict) else value
        for key, value in over.items()
    }
    return {**keys, **both}
