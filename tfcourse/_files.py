"""Files are written whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path to write to, and move what was written to `path`: all of it, or nothing."""
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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
        os.fsync(file)
    finally:
        os.close(file)
