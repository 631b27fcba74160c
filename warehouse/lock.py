"""One run at a time per project folder.

The lock is the kernel's (flock on <project>/.lock), so it ends with its process however that dies: after kill -9 or a
power cut there is nothing to clean up. Prefect's own concurrency limit keeps a killed run's slot for minutes.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from warehouse.errors import LockHeld

LOCK = ".lock"

# A probe (`holder`) takes a shared lock for an instant; a run that meets one tries again instead of giving up.
PATIENCE_SECONDS = 0.5
RETRY_SECONDS = 0.05


@dataclass(frozen=True)
class Holder:
    """Who holds the lock; `started_at` is ISO, UTC."""

    pid: int
    run_id: str
    started_at: str


@contextmanager
def hold(root: Path, run_id: str, started_at: str) -> Iterator[None]:
    """Hold the project's lock for the length of the block.

    Raises:
        LockHeld: another process, or another block of this one, has it; the message says which run, since when.
    """
    # Python opens files non-inheritable, so a server or worker started during the run does not keep the lock.
    descriptor = os.open(root / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _acquire(descriptor, fcntl.LOCK_EX):
            raise LockHeld(_refusal(root, _read(descriptor)))
        _write(descriptor, Holder(os.getpid(), run_id, started_at))
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def ensure_free(root: Path) -> None:
    """Find out before slow preparations that the lock is taken.

    Raises:
        LockHeld: another run has it.
    """
    owner = holder(root)
    if owner is not None:
        raise LockHeld(_refusal(root, owner))


def holder(root: Path) -> Holder | None:
    """Who works on the project now; None when nobody does. Changes nothing."""
    try:
        descriptor = os.open(root / LOCK, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        # What a killed run wrote is still in the file; only the lock itself tells whether it lives.
        free = _try(descriptor, fcntl.LOCK_SH)
        return None if free else _read(descriptor) or Holder(pid=0, run_id="unknown", started_at="")
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, operation: int) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _try(descriptor, operation):
        if time.monotonic() >= deadline:
            return False
        time.sleep(RETRY_SECONDS)
    return True


def _try(descriptor: int, operation: int) -> bool:
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(descriptor: int, owner: Holder) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(asdict(owner)).encode(), 0)


def _read(descriptor: int) -> Holder | None:
    """What the holder wrote; None in the instant between its taking the lock and its writing."""
    try:
        return Holder(**json.loads(os.pread(descriptor, 4096, 0)))
    except (ValueError, TypeError):
        return None


def _refusal(root: Path, owner: Holder | None) -> str:
    who = f"run {owner.run_id} (pid {owner.pid}, since {owner.started_at} UTC)" if owner else "another run"
    return f"{who} works on {root}. Wait until it ends (see: mutual-value status --project {root}), then run again."
