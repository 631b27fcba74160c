"""Which encoding a file is in: its byte-order mark says it, else the first of the declared ones that all bytes fit."""

from __future__ import annotations

import codecs
import io
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from warehouse.records import MOST_RECORD_BYTES, UnreadableError

UTF8_MARK = codecs.BOM_UTF8
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
UTF8 = frozenset({"utf-8", "utf-8-sig", "ascii"})
_PIECE = 1 << 20


def head_as_text(head: bytes, encodings: Sequence[str]) -> str | None:
    """A file's first bytes as text without its mark; None where an encoding is none or reads no text of it."""
    if head.startswith(UTF8_MARK):
        encodings = ("utf-8",)
    try:
        for encoding in encodings[:-1]:
            try:
                return codecs.getincrementaldecoder(encoding)("strict").decode(head).removeprefix("\ufeff")
            except UnicodeDecodeError:
                continue
        if _is_read_by_line(encodings):
            head = _lines_as_utf8(head, encodings[-1])
            encodings = ("utf-8",)
        return codecs.getincrementaldecoder(encodings[-1])("replace").decode(head).removeprefix("\ufeff")
    except (UnicodeError, LookupError):
        return None


def from_utf16(path: Path, target: Path) -> None:
    """Write the UTF-16 file, which says so by its mark, as UTF-8 with its own mark.

    Raises:
        UnreadableError: it is not UTF-16 to its end.
    """
    try:
        with (
            path.open("r", encoding="utf-16", newline="") as source,
            target.open("w", encoding="utf-8-sig", newline="") as file,
        ):
            shutil.copyfileobj(source, file, _PIECE)
    except UnicodeError as error:
        raise UnreadableError(f"it is UTF-16 text that is damaged ({error}); export it again, best as UTF-8") from error


def as_utf8(path: Path, encodings: Sequence[str], target: Path) -> Path:
    """The file as UTF-8: itself, or `target` written from the encoding it is in.

    Of several encodings the last takes what none fits; but a line that fits UTF-8 is never read as anything else, since
    rows of two programs end up in one file. A byte that the last one does not know stays as it is, and is no UTF-8: its
    record is found to be undecodable. (The engine knows UTF-16 and Latin-1, not cp1252.)

    Raises:
        UnreadableError: an encoding that does not exist, or that the file cannot be in.
    """
    with path.open("rb") as file:
        if file.read(len(UTF8_MARK)) == UTF8_MARK:
            return path
    *candidates, last = map(_codec, encodings)
    for encoding in candidates:
        if _fits(path, encoding):
            return path if encoding in UTF8 else _transcoded(path, encoding, target)
    if last in UTF8:
        return path
    return _transcoded_by_line(path, last, target) if _is_read_by_line(encodings) else _transcoded(path, last, target)


def _codec(encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise UnreadableError(f"its contract declares {encoding!r}, which is no encoding; mend it") from None


def _fits(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _transcoded(path: Path, encoding: str, target: Path) -> Path:
    try:
        with (
            path.open("r", encoding=encoding, errors="surrogateescape", newline="") as source,
            target.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
        ):
            shutil.copyfileobj(source, file, _PIECE)
    except UnicodeError as error:
        raise UnreadableError(f"it is not {encoding}, as its contract declares ({error}); export it so") from error
    return target


def _is_read_by_line(encodings: Sequence[str]) -> bool:
    """Whether what fits none of the encodings whole may be UTF-8 in some lines and the last encoding in the others."""
    *candidates, last = (codecs.lookup(encoding).name for encoding in encodings)
    return "utf-8" in candidates and "\n".encode(last) == b"\n"


def _transcoded_by_line(path: Path, encoding: str, target: Path) -> Path:
    with path.open("rb") as source, target.open("wb") as file:
        while piece := source.read(_PIECE):
            file.write(_lines_as_utf8(piece + source.readline(MOST_RECORD_BYTES), encoding))
    return target


# A letter beyond ASCII in UTF-8. Text in an encoding of one byte for each has hardly any two bytes that look so.
_UTF8_LETTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


def _lines_as_utf8(lines: bytes, encoding: str) -> bytes:
    if not _UTF8_LETTER.search(lines):
        return _as_utf8(lines, encoding)
    return b"".join(line if _is_utf8(line) else _as_utf8(line, encoding) for line in io.BytesIO(lines))


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _as_utf8(text: bytes, encoding: str) -> bytes:
    return text.decode(encoding, errors="surrogateescape").encode("utf-8", errors="surrogateescape")
