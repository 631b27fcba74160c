"""Forgetting a person: in the lake and in what else a project folder keeps, and again when a later drop has them."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq

from warehouse import erasures
from warehouse.contracts import SystemContract
from warehouse.durable import replace_file
from warehouse.engine import connect, literal, quoted
from warehouse.erasures import INVALID, Erasure
from warehouse.errors import ConfigurationError
from warehouse.identifiers import shared_domains
from warehouse.keys import FILE as KEY
from warehouse.keys import keyed_hash, project_key
from warehouse.people import Found, find
from warehouse.project import Project
from warehouse.redaction import Redaction
from warehouse.rewriting import Rewritten, finish, rewrite
from warehouse.serving.publish import BUILD, outdate
from warehouse.sources import LakeFile, read_lake

SCREENED = ".screened"
# Hashes of forgotten names, by the project's key: who is named in a later drop is not there by their address.
NAMES = ".forgotten"
_ADDRESS = re.compile(r"[^\s@<>\"(),:;\[\]\\]+@[^\s@<>\"(),:;\[\]\\]+\.[^\s@<>\"(),:;\[\]\\]+")
# An address in a text, or in JSON where its letters are written as \u00f8.
_ESCAPED = r"\\u[0-9a-f]{4}"
_FOUND = (
    rf"(?i)(?:[\w.!#$%&'*+/=?^`{{|}}~-]|[^\x00-\x7f]|{_ESCAPED})+"
    rf"(?:@|\\u0040)(?:[\w-]|[^\x00-\x7f]|{_ESCAPED}|\.[\w-])+"
)
# Capital words in a row, and what may stand between them in a name.
_CAPITAL = r"(?:\p{Lu}|\\u[0-9a-fA-F]{4})(?:[\p{L}\p{M}'’.-]|\\u[0-9a-fA-F]{4})*"
_NAMED = rf"{_CAPITAL}(?:\s+(?:{_CAPITAL}|af|al|bin|da|de|del|den|der|di|dos|el|la|le|ter|van|von|zu))+"
_MOST_WORDS = 6


@dataclass(frozen=True)
class Forgotten:
    """What a `forget` did: the lake, and how many files of runs/, identity/ and decisions/ changed."""

    lake: Rewritten
    other_files: int = 0


def as_address(text: str) -> str:
    """The address in lower case.

    Raises:
        ConfigurationError: it is none.
    """
    address = unicodedata.normalize("NFC", text.strip().lower())
    if not _ADDRESS.fullmatch(address):
        raise ConfigurationError(f"{text!r} is no e-mail address; write it as name@company.dk")
    return address


def hashes(project: Project, addresses: Iterable[str]) -> dict[str, str]:
    """Address -> its hash by the project's key."""
    key = project_key(project)
    return {address: keyed_hash(key, address) for address in addresses}


def replacement(project: Project, address: str, token: str) -> str:
    """What stands for a forgotten address. A company's domain stays: it links the company's accounts."""
    domain = address.rsplit("@", 1)[1]
    return f"forgotten-{token}@{INVALID if domain in shared_domains(project.settings.shared_domains) else domain}"


def forget(project: Project, contracts: Mapping[str, SystemContract], addresses: Mapping[str, Erasure]) -> Forgotten:
    """Rewrite the lake and the rest of the folder without the people of these addresses (in lower case).

    Raises:
        ConfigurationError: the lake cannot be cast, so that nobody knows whose records are whose; nothing was changed.
    """
    finish(project)
    files = read_lake(project.lake)
    found = _find(project, contracts, files, addresses, [each.token for each in addresses.values()])
    # First what tells nothing of the person that the lake does not: after a kill the lake still knows the names.
    others = _rewrite_others(project, found.redaction)
    _note_names(project, found.redaction.names)
    return Forgotten(rewrite(project, files, found, partial(outdate, project)), others)


def _find(
    project: Project,
    contracts: Mapping[str, SystemContract],
    files: Sequence[LakeFile],
    addresses: Mapping[str, Erasure],
    tokens: Collection[str],
    names: Collection[str] = (),
) -> Found:
    replaced = {address: replacement(project, address, erasure.token) for address, erasure in addresses.items()}
    return find(project, contracts, files, replaced, tokens, names)


def _note_names(project: Project, names: Iterable[str]) -> None:
    key, path = project_key(project), project.lake.parent / NAMES
    known = _noted_names(project)
    hashed = known | {keyed_hash(key, _plain(name)) for name in names}
    if hashed != known:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, "".join(f"{each}\n" for each in sorted(hashed)).encode("ascii"))


def _noted_names(project: Project) -> set[str]:
    path = project.lake.parent / NAMES
    return set(path.read_text(encoding="ascii").split()) if path.exists() else set()


def _rewrite_others(project: Project, redaction: Redaction) -> int:
    """Clean the texts of runs/, identity/ and decisions/; how many files changed."""
    folders = (project.runs, project.identity, project.decisions)
    kept = {project.identity / KEY, project.decisions / erasures.FILE}
    changed = 0
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.is_file()):
        if path in kept or path.is_symlink():
            continue
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            continue
        cleaned = redaction.clean(text)
        if cleaned != text:
            replace_file(path, cleaned.encode("utf-8"))
            changed += 1
    return changed


def screen(project: Project, contracts: Mapping[str, SystemContract]) -> Rewritten:
    """Erase from newly landed files who was forgotten before; what a kill left undone is done as well.

    Without erasures nothing is read; with them, only files that were not screened since the last erasure.
    """
    finish(project)
    known = erasures.read(project.decisions)
    if not known:
        return Rewritten()
    files = read_lake(project.lake)
    state = _Screened(project)
    new = [file for file in files if not state.has(file)]
    if not new:
        return Rewritten()
    by_hash = {each.email_hash: each for each in known}
    key = project_key(project)
    addresses = {each: keyed_hash(key, each) for match in _matches(project, new, _FOUND) for each in _candidates(match)}
    hits = {address: by_hash[digest] for address, digest in addresses.items() if digest in by_hash}
    forgotten = _noted_names(project)
    named = {each for match in _matches(project, new, _NAMED) for each in _parts(match)} if forgotten else set()
    names = {name for name in named if keyed_hash(key, name) in forgotten}
    # Whose address came back may have a name by now, which older files hold as well.
    looked = files if hits else [file for file in files if file in new or _has_people(file, contracts)]
    found = _find(project, contracts, looked, hits, [each.token for each in known], names)
    _note_names(project, found.redaction.names)
    # A release is outdated by an erasure since; that a new file has somebody who was forgotten long ago outdates none.
    before = partial(outdate, project) if state.is_new else _nothing
    done = rewrite(project, looked if hits else new, found, before)
    state.note(read_lake(project.lake))
    return done


def _nothing() -> None:
    """There is nothing to do before the lake is rewritten."""


def _has_people(file: LakeFile, contracts: Mapping[str, SystemContract]) -> bool:
    contract = contracts.get(file.system)
    entity = contract.entities.get(file.entity) if contract else None
    return entity is not None and "person" in entity.tables


class _Screened:
    """lake/.screened: the files that were searched for these erasures, with the time at which each was written."""

    def __init__(self, project: Project) -> None:
        self.lake = project.lake
        self.path = project.lake.parent / SCREENED
        listed = (project.decisions / erasures.FILE).read_bytes()
        # Another key, another list or other settings: nothing counts as screened.
        self.erasures = hashlib.sha256(listed + keyed_hash(project_key(project), "screened").encode()).hexdigest()
        state = json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() else {}
        self.is_new = state.get("erasures") != self.erasures
        self.files: dict[str, int] = {} if self.is_new else state["files"]

    def has(self, file: LakeFile) -> bool:
        return self.files.get(self._name(file)) == file.path.stat().st_mtime_ns

    def note(self, files: Iterable[LakeFile]) -> None:
        state = {"erasures": self.erasures, "files": {self._name(file): file.path.stat().st_mtime_ns for file in files}}
        replace_file(self.path, (json.dumps(state, indent=0) + "\n").encode())

    def _name(self, file: LakeFile) -> str:
        return file.path.relative_to(self.lake).as_posix()


def _matches(project: Project, files: Iterable[LakeFile], pattern: str) -> set[str]:
    """What of the files' texts fits the pattern; line ends and quotes of JSON are blanks."""
    limits = project.settings.limits
    found: set[str] = set()
    with (
        # Called like a build, so that the next run removes what a killed one left.
        TemporaryDirectory(prefix=f"{BUILD}screen-", dir=project.root) as spill,
        connect(limits.threads, limits.memory, Path(spill)) as connection,
    ):
        for file in files:
            for column in _text_columns(file.path):
                source = f"from read_parquet({literal(str(file.path))})"
                text = f"regexp_replace({quoted(column)}, '\\\\+[nrtbf/\"]', ' ', 'g')"
                found |= {
                    match
                    for (match,) in connection.execute(
                        f"select distinct unnest(regexp_extract_all({text}, ?)) {source}",
                        [pattern],
                    ).fetchall()
                }
    return found


def _text_columns(path: Path) -> list[str]:
    schema = pq.read_schema(path)
    return [field.name for field in schema if str(field.type) in ("string", "large_string") and field.name != "_types"]


def _candidates(match: str) -> Iterator[str]:
    """The match as an address, and what is left of it without what may stand before one: `to=a@b.dk`, `'a@b.dk'`."""
    text = _plain(match).rstrip(".-'")
    yield text
    local, _, domain = text.partition("@")
    for place, sign in enumerate(local):
        if not (sign.isalnum() or sign in "_.+-"):
            yield f"{local[place + 1 :]}@{domain}"


def _parts(match: str) -> Iterator[str]:
    """Every two words or more of capital words in a row: `Hej Anna Hansen` may greet Anna Hansen."""
    words = [word.strip(".'’-") for word in _plain(match).split()]
    for start in range(len(words)):
        for end in range(start + 2, min(len(words), start + _MOST_WORDS) + 1):
            yield " ".join(words[start:end])


def _plain(text: str) -> str:
    """The text in lower case, escapes of JSON decoded, letters and their marks as one."""
    decoded = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    return unicodedata.normalize("NFC", decoded).lower()
