"""The errors that end a command, each with the exit code an operator scripts against."""

from __future__ import annotations

import re
import traceback


class MutualValueError(Exception):
    """Base of every error with a message meant for a person; `exit_code` is the command's."""

    exit_code = 2


class ConfigurationError(MutualValueError):
    """The project folder, its configuration or a contract is wrong; nothing was done."""


class CheckFailure(MutualValueError):
    """The data failed a critical check; nothing was published."""

    exit_code = 1


class LockHeld(MutualValueError):
    """Another run works on this project folder."""

    exit_code = 3


_OF_NAMES = re.compile(r"\s*(\S+: )?(Binder|Catalog|Parser) Error|\s*(KeyError|AttributeError|NameError)\b")
_OF_ENGINE = re.compile(r"\s*(\S+: )?\w+( \w+){0,2} Error: ")
_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
_ADDRESS = re.compile(r"[^\s@'\"<>(),;:]+@[^\s@'\"<>(),;:]+")


def without_data(message: str) -> str:
    """The message of an unexpected error without what it may quote of a record: logs outlive what they tell of.

    What the engine says of names (tables, columns, syntax) stays. Its other errors end where they begin to quote, since
    a value may have quotes of its own; of any other error the quoted parts go.

    >>> without_data("Conversion Error: Could not convert string 'anna@b.dk' to INT32")
    'Conversion Error: Could not convert string …'
    """
    if _OF_ENGINE.match(message) and not _OF_NAMES.match(message):
        message = re.split(r"['\"]|\n", message.strip(), maxsplit=1)[0] + "…"
    elif not _OF_NAMES.match(message):
        message = _QUOTED.sub("'…'", message)
    return _ADDRESS.sub("…", message)


def trace_without_data(error: BaseException) -> str:
    """The error's traceback, its frames as they are and its messages without data."""
    parts = (part.rstrip("\n") for part in traceback.format_exception(error))
    return "\n".join(part if part.startswith(("  File", "Traceback")) else without_data(part) for part in parts)
