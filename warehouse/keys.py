"""The project's key: what makes the hash of an address useless to whoever has no key.

An address is guessed easily (names are known, domains are public), so its plain hash is as good as the address itself.
The key lies where the raw addresses lie, and nowhere else: no table, release, log or message holds it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import duckdb

from warehouse.errors import ConfigurationError
from warehouse.project import Project

VARIABLE = "MUTUAL_VALUE_KEY"
FILE = "key"
_LEAST_CHARACTERS = 16
# RFC 2104: the block of SHA-256, and the two constants that keep the inner hash apart from the outer one.
_BLOCK = 64
_INNER, _OUTER = 0x36, 0x5C


def project_key(project: Project) -> bytes:
    """The key: of the environment's MUTUAL_VALUE_KEY, else of identity/key, which is made when it is first needed.

    Raises:
        ConfigurationError: it is too short to be a secret; the message does not show it.
    """
    told = os.environ.get(VARIABLE)
    if told is not None:
        return _checked(told, VARIABLE)
    path = project.identity / FILE
    if not path.exists():
        _make(path)
    return _checked(path.read_text(encoding="utf-8", errors="surrogateescape"), str(path))


def _checked(text: str, where: str) -> bytes:
    key = text.strip()
    if len(key) < _LEAST_CHARACTERS:
        raise ConfigurationError(
            f"{where} is shorter than {_LEAST_CHARACTERS} characters and can be guessed; give it 32 random bytes as hex"
        )
    return key.encode("utf-8", errors="surrogateescape")


def _make(path: Path) -> None:
    """A new key, of 32 random bytes; whole or not at all, and of two at once the first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}-{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def keyed_hash(key: bytes, text: str) -> str:
    """What the SQL macro `keyed_hash` gives: HMAC-SHA256 of the trimmed text in lower case, as hex."""
    return hmac.new(key, text.strip(" ").lower().encode("utf-8"), hashlib.sha256).hexdigest()


def use_key(connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Let `keyed_hash` (transforms/macros.sql) work on this connection.

    The key is in session variables, as the two pads of HMAC; they are parameters, so that no statement quotes them.
    """
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    for name, pad in (("keyed_hash_inner", _INNER), ("keyed_hash_outer", _OUTER)):
        connection.execute(f"set variable {name} = ?", [bytes(byte ^ pad for byte in block)])
