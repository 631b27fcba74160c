"""ZIP archives, checked before anything of them is unpacked."""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from warehouse.errors import MutualValueError

# Text shrinks some twentyfold; a member that grows a thousandfold is made to fill a disk.
MOST_GROWTH = 1_000
MOST_MEMBERS = 10_000
# What a ZIP begins with: its first member, or its end where it holds nothing.
ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
_EMPTY_BYTES = 22
ENCRYPTED = 0x1
# What zipfile raises for a damaged archive or member, or one packed in a way that it cannot unpack; ValueError is a
# place before the file's beginning or a name that is no text, OSError what bz2 says of a bad stream.
DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, ValueError, OSError,
)  # fmt: skip


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
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise RefusedArchiveError(f"the ZIP is damaged or cut short ({error}); export it again") from error


def members(archive: zipfile.ZipFile, most_bytes: int) -> list[zipfile.ZipInfo]:
    """The archive's files by name, without hidden ones such as `__MACOSX/` and `.DS_Store`.

    Raises:
        RefusedArchiveError: too many or too large members, members that share their bytes, encryption, a nested
            archive, or a name that leaves the folder. One such member refuses the whole archive: nothing of it is
            unpacked.
    """
    every = archive.infolist()
    _check_bytes(archive, every)
    files = sorted((info for info in every if not info.is_dir()), key=lambda info: info.filename)
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


def _check_bytes(archive: zipfile.ZipFile, every: list[zipfile.ZipInfo]) -> None:
    """Whether the members have bytes of their own: a bomb packs the same bytes as thousands of members
    (https://www.bamsoftware.com/hacks/zipbomb), and an archive whose table is damaged has bytes and no members."""
    size = archive.fp.seek(0, io.SEEK_END) if archive.fp else 0
    if sum(info.compress_size for info in every) > size:
        raise RefusedArchiveError("its members share their bytes, as those of a bomb do; make the archive anew")
    if not all(info.filename for info in every):
        raise RefusedArchiveError("the ZIP is damaged (a member has no name); export it again")
    if not every and size > _EMPTY_BYTES + len(archive.comment):
        raise RefusedArchiveError("the ZIP is damaged (its table of contents is empty); export it again")


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
        for piece in _pieces(archive, info):
            written += len(piece)
            if written > info.file_size:
                raise RefusedArchiveError(
                    f"its member {info.filename!r} is longer than the archive says; export it again"
                )
            file.write(piece)


def _pieces(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(info) as source:
            while piece := source.read(1 << 20):
                yield piece
    except DAMAGED as error:
        raise RefusedArchiveError(f"its member {info.filename!r} is damaged ({error}); export it again") from error
