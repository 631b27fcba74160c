"""ZIP archives, checked before anything of them is unpacked."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from warehouse.errors import MutualValueError

# Text shrinks some twentyfold; a member that grows a thousandfold is made to fill a disk.
MOST_GROWTH = 1_000
MOST_MEMBERS = 10_000
ENCRYPTED = 0x1
# What zipfile raises for a damaged member, or one packed in a way that it cannot unpack.
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError)


class RefusedArchiveError(MutualValueError):
    """The archive cannot be taken; the message says why and what to do."""


def is_workbook(path: Path) -> bool:
    """Whether the ZIP is an XLSX workbook (ECMA-376: it has a part xl/workbook.xml).

    Raises:
        RefusedArchiveError: it is no whole ZIP.
    """
    with opened(path) as archive:
        return "xl/workbook.xml" in archive.namelist()


def opened(path: Path) -> zipfile.ZipFile:
    """The archive, opened.

    Raises:
        RefusedArchiveError: it is no whole ZIP.
    """
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise RefusedArchiveError(f"the ZIP is damaged or cut short ({error}); export it again") from error


def members(archive: zipfile.ZipFile, most_bytes: int) -> list[zipfile.ZipInfo]:
    """The archive's files by name, without hidden ones such as `__MACOSX/` and `.DS_Store`.

    Raises:
        RefusedArchiveError: too many or too large members, encryption, a nested archive, or a name that leaves the
            folder. One such member refuses the whole archive: nothing of it is unpacked.
    """
    files = sorted((info for info in archive.infolist() if not info.is_dir()), key=lambda info: info.filename)
    if len(files) > MOST_MEMBERS:
        raise RefusedArchiveError(f"it holds {len(files)} files, more than {MOST_MEMBERS}; split it")
    total = sum(info.file_size for info in files)
    if total > most_bytes:
        raise RefusedArchiveError(
            f"it unpacks to {total} bytes, more than limits.archive_bytes ({most_bytes}); split it or raise that limit"
        )
    for info in files:
        _check(info)
    return [info for info in files if not _is_hidden(info)]


def _check(info: zipfile.ZipInfo) -> None:
    path = PurePosixPath(info.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts or ":" in path.parts[0]:
        raise RefusedArchiveError(f"its member {info.filename!r} points outside the archive; make the archive anew")
    if info.flag_bits & ENCRYPTED:
        raise RefusedArchiveError(f"its member {info.filename!r} is encrypted; unpack it yourself")
    if path.suffix.lower() == ".zip":
        raise RefusedArchiveError(f"its member {info.filename!r} is an archive itself; unpack it one level")
    if info.file_size > MOST_GROWTH * max(info.compress_size, 1):
        raise RefusedArchiveError(
            f"its member {info.filename!r} grows more than {MOST_GROWTH}-fold; unpack it yourself"
        )


def _is_hidden(info: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(info.filename).parts
    return parts[0] == "__MACOSX" or any(part.startswith(".") for part in parts)


def extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> None:
    """Stream one member to `target`, no further than the size that the archive declares for it.

    Raises:
        RefusedArchiveError: the member is damaged or longer than declared.
    """
    written = 0
    with target.open("wb") as file:
        try:
            with archive.open(info) as source:
                while chunk := source.read(1 << 20):
                    written += len(chunk)
                    if written > info.file_size:
                        raise RefusedArchiveError(f"its member {info.filename!r} is longer than the archive says")
                    file.write(chunk)
        except _DAMAGED as error:
            raise RefusedArchiveError(f"its member {info.filename!r} is damaged ({error}); export it again") from error
