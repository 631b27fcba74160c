"""`mutual-value forget`: the lock, the record of the erasure, the lake without the person, and what is left to do."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from flows.runs import stamp, utc_now
from warehouse import erasures
from warehouse.contracts import SHIPPED, load_contracts
from warehouse.erasing import Forgotten, as_address, hashes
from warehouse.erasing import forget as forget_addresses
from warehouse.lock import hold
from warehouse.project import Project
from warehouse.serving.publish import outdated_run_id

_CHUNK = 1 << 20
_ENCODINGS = ("utf-8", "cp1252", "utf-16-le", "utf-16-be")


@dataclass(frozen=True)
class Report:
    """What was done, and what is left to do: files of the inbox that hold an address, and the release to replace."""

    people: int
    done: Forgotten
    inbox: tuple[str, ...]
    outdated: str | None


def forget(project: Project, emails: Collection[str]) -> Report:
    """Erase the people of these addresses from the project, and let later drops be screened for them.

    Raises:
        LockHeld: a run works on the project; nothing was done.
        ConfigurationError: an address is none, or the lake cannot be cast; nothing was done.
    """
    addresses = list(dict.fromkeys(as_address(each) for each in emails))
    contracts = load_contracts([SHIPPED, project.exports])
    now = utc_now()
    with hold(project.root, "forget", stamp(now)):
        by_address = hashes(project, addresses)
        recorded = erasures.record(project.decisions, now.date(), by_address.values())
        known = {each.email_hash: each for each in recorded}
        done = forget_addresses(project, contracts, {address: known[by_address[address]] for address in addresses})
        return Report(len(addresses), done, tuple(holding(project.inbox, addresses)), outdated_run_id(project))


def lines(report: Report, project: Project) -> Iterator[str]:
    """The report as lines for a terminal; no line shows an address."""
    lake = report.done.lake
    what = "1 address" if report.people == 1 else f"{report.people} addresses"
    if lake.files or report.done.other_files:
        others = report.done.other_files
        yield f"Forgot {what}: {lake.cells} cells in {lake.files} files of the lake, {others} other files"
    else:
        yield f"Nothing was found of {what}; the erasure is recorded and holds for what is dropped later"
    if report.inbox:
        yield "Still in the inbox, which is never changed; delete these files or export them anew:"
        yield from (f"  {name}" for name in report.inbox)
    if report.outdated:
        yield f"The published release was built before. Replace it: mutual-value run --project {project.root}"


def holding(inbox: Path, addresses: Iterable[str]) -> Iterator[str]:
    """The files of the inbox that hold one of the addresses, archives and workbooks by what is in them."""
    pattern = re.compile(b"|".join(_spelt(address) for address in addresses), re.IGNORECASE)
    for path in sorted(inbox.rglob("*")):
        if path.is_file() and not path.is_symlink() and _holds(path, pattern):
            yield path.relative_to(inbox).as_posix()


def _spelt(address: str) -> bytes:
    """The address in each encoding that exports come in, in any case, and as JSON may escape it."""
    forms = ["".join(map(_escaped, address)).encode()]
    for encoding in _ENCODINGS:
        letters = [
            {form.encode(encoding) for form in (letter, letter.upper()) if _fits(form, encoding)} for letter in address
        ]
        if all(letters):
            forms.append(b"".join(b"(?:%b)" % b"|".join(map(re.escape, sorted(each))) for each in letters))
    return b"|".join(forms)


def _escaped(letter: str) -> str:
    escapes = "|".join(sorted({rf"\\u{ord(form):04x}" for form in (letter, letter.upper()) if len(form) == 1}))
    return f"(?:{re.escape(letter)}|{escapes})" if letter.isascii() else f"(?:{escapes})"


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _holds(path: Path, pattern: re.Pattern[bytes]) -> bool:
    with path.open("rb") as file:
        if zipfile.is_zipfile(file):
            file.seek(0)
            return _archive_holds(file, pattern)
        file.seek(0)
        return _stream_holds(file, pattern)


def _archive_holds(file: IO[bytes], pattern: re.Pattern[bytes], *, is_inner: bool = False) -> bool:
    try:
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                with archive.open(info) as member:
                    if not is_inner and info.filename.lower().endswith((".xlsx", ".xlsm")):
                        if _archive_holds(member, pattern, is_inner=True):
                            return True
                    elif _stream_holds(member, pattern):
                        return True
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError):
        # Damaged or with a password: landing says so, and holds nothing of it.
        return False
    return False


def _stream_holds(stream: IO[bytes], pattern: re.Pattern[bytes]) -> bool:
    tail = b""
    while chunk := stream.read(_CHUNK):
        if pattern.search(tail + chunk):
            return True
        tail = (tail + chunk)[-2048:]
    return False
