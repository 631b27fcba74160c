"""A protocol in lines, and what was changed from one to the next, in words.

Both read the content as JSON keeps it, not the class: a protocol of years ago may have keys that are no longer known.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

NOT_SET = "not set"

# A value as text, or the entries of a list.
Value = str | tuple[str, ...]


def flat(content: Mapping[str, Any], prefix: str = "") -> dict[str, Value]:
    """A protocol line by line: `thresholds.high` is `0.6`, `outcomes` their names, `outcomes.csat.direction` `up`.

    Keys without a value are left out.
    """
    lines: dict[str, Value] = {}
    for key, value in content.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            lines |= flat(value, f"{name}.")
        elif isinstance(value, list):
            lines[name] = tuple(each["name"] if _is_named(each) else _text(each) for each in value)
            for each in filter(_is_named, value):
                lines |= flat({inner: each[inner] for inner in each if inner != "name"}, f"{name}.{each['name']}.")
        elif value is not None:
            lines[name] = _text(value)
    return lines


def _is_named(entry: Any) -> bool:
    return isinstance(entry, Mapping) and "name" in entry


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What differs between the contents of two protocols, a line for each key: `thresholds.high: 0.6 -> 0.7`."""
    old, new = flat(before), flat(after)
    names = list(dict.fromkeys((*old, *new)))
    # What an outcome or comparison was like need not be told where it is told that it came or went.
    parts = tuple(f"{name}.{each}." for name in names for each in _moved(old.get(name), new.get(name)))
    return [
        f"{name}: {_changed(old.get(name, NOT_SET), new.get(name, NOT_SET))}"
        for name in names
        if old.get(name) != new.get(name) and not name.startswith(parts)
    ]


def _moved(old: Value | None, new: Value | None) -> set[str]:
    """The entries that a list lost or got."""
    return set(old).symmetric_difference(new) if isinstance(old, tuple) and isinstance(new, tuple) else set()


def _changed(old: Value, new: Value) -> str:
    if isinstance(old, str) or isinstance(new, str):
        return f"{told(old)} -> {told(new)}"
    gone, come = [each for each in old if each not in new], [each for each in new if each not in old]
    kept = [each for each in old if each in new]
    words = [f"without {told(gone)}"] * bool(gone) + [f"with {told(come)}"] * bool(come)
    if [*kept, *come] != list(new):
        words.append(f"in the order {told(new)}")
    return " and ".join(words)


def told(value: Value | Sequence[str]) -> str:
    """A value of `flat` as text."""
    return value if isinstance(value, str) else ", ".join(value)
