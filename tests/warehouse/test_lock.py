"""One run at a time: who has the lock is told, and a death gives it back."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from warehouse.errors import LockHeld
from warehouse.lock import LOCK, ensure_free, hold, holder

HOLDING = """
import sys, time
from pathlib import Path
from warehouse.lock import hold
with hold(Path(sys.argv[1]), "20260630T020000Z-aaaa", "2026-06-30T02:00:00"):
    print("held", flush=True)
    {then}
"""


def start_holder(root: Path, then: str = "time.sleep(60)") -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING.format(then=then), str(root)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.fixture
def other(tmp_path: Path):
    """Another process that holds the lock of tmp_path."""
    process = start_holder(tmp_path)
    yield process
    process.kill()
    process.wait()


def test_a_second_run_is_refused_with_who_and_since_when(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    with pytest.raises(LockHeld) as refused, hold(tmp_path, "20260630T030000Z-bbbb", "2026-06-30T03:00:00"):
        pytest.fail("two runs held the lock")
    message = str(refused.value)
    assert "20260630T020000Z-aaaa" in message
    assert f"pid {other.pid}" in message
    assert "2026-06-30T02:00:00" in message
    assert refused.value.exit_code == 3


def test_a_refused_run_leaves_the_holders_name_in_place(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    with pytest.raises(LockHeld), hold(tmp_path, "20260630T030000Z-bbbb", "2026-06-30T03:00:00"):
        pass
    found = holder(tmp_path)
    assert found is not None
    assert (found.run_id, found.pid) == ("20260630T020000Z-aaaa", other.pid)


def test_two_blocks_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    with (
        hold(tmp_path, "first", "2026-06-30T02:00:00"),
        pytest.raises(LockHeld, match="run first"),
        hold(tmp_path, "second", "2026-06-30T02:00:00"),
    ):
        pytest.fail("two blocks held the lock")


def test_the_lock_is_free_after_the_block_even_when_it_raises(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), hold(tmp_path, "first", "2026-06-30T02:00:00"):
        raise ZeroDivisionError
    assert holder(tmp_path) is None
    with hold(tmp_path, "second", "2026-06-30T02:00:00"):
        found = holder(tmp_path)
        assert found is not None
        assert found.run_id == "second"


def test_kill_9_gives_the_lock_back(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert (tmp_path / LOCK).read_text(encoding="utf-8"), "the dead holder's name is still in the file"
    assert holder(tmp_path) is None
    with hold(tmp_path, "next", "2026-06-30T03:00:00"):
        pass


def test_a_process_started_during_a_run_does_not_keep_the_lock(tmp_path: Path) -> None:
    then = "import subprocess; print(subprocess.Popen(['sleep', '60'], stdout=subprocess.DEVNULL).pid, flush=True)"
    process = start_holder(tmp_path, then)
    assert process.stdout is not None
    orphan = int(process.stdout.readline())
    process.wait()
    try:
        os.kill(orphan, 0)
        ensure_free(tmp_path)
    finally:
        os.kill(orphan, signal.SIGKILL)


def test_nobody_holds_the_lock_of_a_new_project(tmp_path: Path) -> None:
    assert holder(tmp_path) is None
    ensure_free(tmp_path)
    assert not (tmp_path / LOCK).exists(), "looking changes nothing"


def test_looking_does_not_make_a_run_fail(tmp_path: Path) -> None:
    with hold(tmp_path, "first", "2026-06-30T02:00:00"):
        pass
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            holder(tmp_path)

    watchers = [threading.Thread(target=look) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    try:
        for number in range(50):
            with hold(tmp_path, f"run {number}", "2026-06-30T02:00:00"):
                time.sleep(0.001)
    finally:
        stop.set()
        for watcher in watchers:
            watcher.join()


def test_the_lock_file_is_the_owners_alone(tmp_path: Path) -> None:
    with hold(tmp_path, "first", "2026-06-30T02:00:00"):
        assert (tmp_path / LOCK).stat().st_mode & 0o777 == 0o600


def test_a_holder_that_has_not_written_its_name_yet_still_counts(tmp_path: Path) -> None:
    with hold(tmp_path, "first", "2026-06-30T02:00:00"):
        (tmp_path / LOCK).write_text("", encoding="utf-8")
        with pytest.raises(LockHeld, match="works on"):
            ensure_free(tmp_path)
