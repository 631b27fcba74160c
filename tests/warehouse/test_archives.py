"""Archives that are refused before anything of them is unpacked."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from tests.warehouse.inboxes import workbook, zipped
from warehouse import archives
from warehouse.archives import RefusedArchiveError, extract, is_workbook, members, opened


def archive(content: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(content))


def test_members_come_by_name_without_folders_and_hidden_files() -> None:
    found = members(archive(zipped({"b.csv": "x", "a/c.csv": "x", "a/": "", ".x": "x", "__MACOSX/a": "x"})), 10_000)
    assert [info.filename for info in found] == ["a/c.csv", "b.csv"]


@pytest.mark.parametrize("name", ["../x.csv", "a/../../x.csv", "/etc/x.csv", "C:\\x.csv", "..\\x.csv", "C:x.csv"])
def test_a_name_that_leaves_the_folder_is_refused(name: str) -> None:
    with pytest.raises(RefusedArchiveError, match="points outside the archive"):
        members(archive(zipped({"good.csv": "x", name: "x"})), 10_000)


def test_a_nested_archive_is_refused() -> None:
    with pytest.raises(RefusedArchiveError, match="is an archive itself"):
        members(archive(zipped({"inner.ZIP": zipped({"x": "x"})})), 10_000)


def test_more_bytes_than_the_limit_are_refused_by_what_the_archive_declares() -> None:
    with pytest.raises(RefusedArchiveError, match=r"unpacks to 20 bytes, more than limits.archive_bytes \(19\)"):
        members(archive(zipped({"a": "x" * 10, "b": "x" * 10})), 19)


def test_a_member_made_to_fill_a_disk_is_refused() -> None:
    with pytest.raises(RefusedArchiveError, match="grows more than 1000-fold"):
        members(archive(zipped({"zeros": b"\0" * 30_000_000})), 10**9)


def test_too_many_members_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 2)
    with pytest.raises(RefusedArchiveError, match="3 files, more than 2"):
        members(archive(zipped({"a": "", "b": "", "c": ""})), 10)


def test_an_encrypted_member_is_refused() -> None:
    content = bytearray(zipped({"a.csv": "secret"}))
    entry = content.index(b"PK\x01\x02")
    content[entry + 8] |= archives.ENCRYPTED
    with pytest.raises(RefusedArchiveError, match="is encrypted; unpack it yourself"):
        members(archive(bytes(content)), 10_000)


def test_a_member_is_never_unpacked_beyond_its_declared_size(tmp_path: Path) -> None:
    made = archive(zipped({"a.csv": "x" * 100}))
    (info,) = made.infolist()
    info.file_size = 10
    with pytest.raises(RefusedArchiveError, match=r"longer than the archive says|is damaged"):
        extract(made, info, tmp_path / "a")
    assert (tmp_path / "a").stat().st_size <= 100


def test_a_workbook_is_known_from_other_archives_by_its_parts(tmp_path: Path) -> None:
    (tmp_path / "book").write_bytes(workbook([["a"]]))
    (tmp_path / "zip").write_bytes(zipped({"xl.csv": "a"}))
    assert is_workbook(tmp_path / "book")
    assert not is_workbook(tmp_path / "zip")


def test_a_bomb_whose_members_share_their_bytes_is_refused() -> None:
    made = archive(zipped({"a": "x" * 1000, "b": "y" * 1000}))
    for info in made.infolist():
        info.compress_size = 10_000
    with pytest.raises(RefusedArchiveError, match="share their bytes"):
        members(made, 10**9)


def test_an_archive_whose_table_is_empty_though_it_has_bytes_is_damaged() -> None:
    content = bytearray(zipped({"a.csv": "x" * 100}))
    end = content.index(b"PK\x05\x06")
    content[end + 12 : end + 16] = bytes(4)
    content[end + 16 : end + 20] = end.to_bytes(4, "little")
    with pytest.raises(RefusedArchiveError, match="its table of contents is empty"):
        members(archive(bytes(content)), 10_000)


def test_a_member_without_a_name_is_refused() -> None:
    content = bytearray(zipped({"a": "x"}))
    entry = content.index(b"PK\x01\x02")
    content[entry + 46 : entry + 47] = b"\0"
    with pytest.raises(RefusedArchiveError, match="a member has no name"):
        members(archive(bytes(content)), 10_000)


# Where the archive's bytes are changed, and to what.
DAMAGES = {
    "a version that nobody knows": (b"PK\x01\x02", 6, b"\xff"),
    "a name that is no text": (b"PK\x01\x02", 46, b"\xff"),
    "a place before the beginning": (b"PK\x01\x02", 42, b"\xff\xff\xff\xff"),
    "a way of packing that nobody knows": (b"PK\x01\x02", 10, b"\x63"),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_whatever_is_damaged_in_an_archive_is_said_of_it_and_of_nothing_else(tmp_path: Path, case: str) -> None:
    signature, offset, changed = DAMAGES[case]
    content = bytearray(zipped({"æ.csv": "x" * 100}))
    place = content.index(signature) + offset
    content[place : place + len(changed)] = changed
    (tmp_path / "z.zip").write_bytes(content)
    with pytest.raises(RefusedArchiveError, match="is damaged"), opened(tmp_path / "z.zip") as made:
        extract(made, made.infolist()[0], tmp_path / "member")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED])
def test_a_member_that_cannot_be_unpacked_is_damaged_however_it_is_packed(tmp_path: Path, method: int) -> None:
    content = bytearray(zipped({"a.csv": bytes(range(256)) * 8}, method))
    content[60:90] = b"\xff" * 30
    made = archive(bytes(content))
    with pytest.raises(RefusedArchiveError, match=r"'a.csv' is damaged"):
        extract(made, made.infolist()[0], tmp_path / "member")
