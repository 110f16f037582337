"""Files are written whole, or not at all."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE = 2.0  # seconds; a virus scanner or an indexer reads a new file for less


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path to write to, and move what was written to `path`: all of it, or nothing."""
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        _move(temporary, path)
    finally:
        with suppress(PermissionError):  # on Windows, of a file that is open
            temporary.unlink(missing_ok=True)


def _move(temporary: Path, path: Path) -> None:
    """Put a file in another's place; Windows refuses while somebody reads the other one."""
    last = time.monotonic() + PATIENCE
    while True:
        try:
            temporary.replace(path)
            return
        except PermissionError:
            if sys.platform != "win32" or time.monotonic() > last:
                raise
        time.sleep(0.02)


def write_whole(path: Path, text: bytes) -> None:
    """Write a file at once: whoever reads it, whenever, sees the old one or all of this one.

    Raises: OSError if it cannot be written.
    """
    with whole_file(path) as draft:
        draft.write_bytes(text)
        to_disk(draft)


def to_disk(path: Path) -> None:
    """Wait until a file is on disk, so that what is written after it cannot outlast it."""
    file = os.open(path, os.O_RDWR)
    try:
        flush(file)
    finally:
        os.close(file)


def flush(file: int) -> None:
    """Wait until what was written to an open file is on disk.

    On macOS, fsync ends when the drive has it in its memory; F_FULLFSYNC waits for the disk.
    """
    if sys.platform == "darwin":
        import fcntl

        with suppress(OSError):  # a network's drive does not know it
            fcntl.fcntl(file, fcntl.F_FULLFSYNC)
            return
    os.fsync(file)
