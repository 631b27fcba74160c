"""What is on the disk stays there when the machine stops: files and folders flushed, files replaced as a whole."""

from __future__ import annotations

import os
from pathlib import Path


def flush(path: Path) -> None:
    """Put a file, or the names in a folder, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes) -> None:
    """Write the file beside itself and swap it in, so that no reader meets half of it."""
    target = path.resolve()
    beside = target.with_name(f".{target.name}.new")
    beside.write_bytes(content)
    flush(beside)
    if target.exists():
        beside.chmod(target.stat().st_mode)
    beside.replace(target)
