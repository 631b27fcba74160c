"""Paths into JSON records, as contracts write them and as DuckDB reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from warehouse.engine import literal
from warehouse.errors import ConfigurationError

_STEP = re.compile(r'(?:"([^"]+)"|([^\[\]".]*))((?:\[\d+\])*)(?:\.|$)')


def json_path(path: str, base: str = "$") -> str:
    """`lines.data[0].amount` below `base`, as DuckDB reads it; keys are quoted, so that any key is itself.

    `.` is the value itself; a key with a full stop in it stands in double quotes: `a."b.c"`.

    Raises:
        ConfigurationError: the path is none.
    """
    return base + "".join((f'."{key}"' if key else "") + places for key, places in _steps(path))


def _steps(path: str) -> Iterator[tuple[str, str]]:
    """The path's keys, each with the places (`[0][1]`) behind it."""
    place = 0
    while place < len(path):
        match = _STEP.match(path, place)
        if match is None or match.end() == place:
            raise ConfigurationError(
                f'{path!r} is no path: write a.b.c, a.b[0] for one item, a[*].b for all, "a.b" for a key with a stop'
            )
        quoted_key, key, places = match.groups()
        yield quoted_key or key, places
        place = match.end()


def keys(path: str) -> tuple[str, ...]:
    """The path's keys, without the places of items in lists: `a.b[0].c` and `a.b[*].c` are both (a, b, c)."""
    return tuple(key for part in path.split("[*]") for key, _ in _steps(part.removeprefix(".")) if key)


def values_at(value: Any, path: Sequence[str]) -> Iterator[Any]:
    """What stands in a parsed JSON value at the keys, in each item of every list on the way."""
    if isinstance(value, list):
        for item in value:
            yield from values_at(item, path)
    elif not path:
        yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from values_at(value[path[0]], path[1:])


def each_item(path: str) -> str:
    """What follows `[*]` in a path, as a path into the list: `discounts[*].amount` asks each item for its amount."""
    return json_path(path.split("[*]", 1)[1], "$[*]")


def plain(path: str) -> str:
    """The path up to its `[*]`."""
    return path.split("[*]", 1)[0]


class Paths:
    """JSON paths that are extracted in one parse of a value, and where each one's text is then found."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.paths: list[str] = []

    def add(self, path: str) -> str:
        """SQL of the path's text in the extracted list."""
        if path not in self.paths:
            self.paths.append(path)
        return f"{self.name}[{self.paths.index(path) + 1}]"

    def extract(self, value: str) -> str:
        """SQL that makes the list from a JSON value."""
        paths = ", ".join(map(literal, self.paths or ["$"]))
        return f"json_extract_string({value}, [{paths}]) as {self.name}"
