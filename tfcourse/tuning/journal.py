"""A journal: records kept on disk one by one, by one process at a time, whatever kills it.

The file holds one JSON object per line. The first line, the head, says what the journal is for.
Every record is on disk before `append` returns; what a kill or a power cut leaves of an unfinished
line is cut off when the journal is opened again.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

from tfcourse._checks import InputError
from tfcourse._files import flush, write_whole

FORMAT = 1

Record = dict[str, Any]

if sys.platform == "win32":
    import msvcrt

    def _try_to_lock(file: int) -> None:
        os.lseek(file, 1 << 20, os.SEEK_SET)  # past the text: others may still read who holds it
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_to_lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Lock:
    """One process at a time in a folder.

    The operating system holds the lock and lets go of it when its holder ends, however it ends: a
    file left behind locks nothing. Its text only tells others whom they wait for.
    """

    def __init__(self, folder: Path) -> None:
        """Take the lock. Raises: BlockingIOError, with who holds it, if another process does."""
        path = folder / "lock"
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _try_to_lock(self._file)
        except (BlockingIOError, PermissionError):
            self.release()
            holder = path.read_text(encoding="utf-8").strip() or "another process"
            raise BlockingIOError(f"{folder} is in use by {holder}; one at a time") from None
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        os.ftruncate(self._file, 0)
        os.lseek(self._file, 0, os.SEEK_SET)
        text = f"process {os.getpid()} on {socket.gethostname()} since {now}\n"
        os.write(self._file, text.encode())

    def release(self) -> None:
        """Let others in."""
        os.close(self._file)


class Journal:
    """The journal in the file `path`, open for more.

    head, records: what it held when it was opened; `append` adds to the file alone.
    """

    def __init__(self, path: Path, head: Record) -> None:
        """Continue the journal, or begin it with `head` in a folder made for it.

        All of `head` must be as it was begun with, "made_with" aside: it tells what the
        records mean.
        Raises: BlockingIOError if another process has it open, ValueError if it was begun with
        another head, in a newer format, or is damaged, OSError if it cannot be written.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = Lock(path.parent)
        try:
            self.head, self.records = self._open(path, {"tfcourse": FORMAT, **head})
        except BaseException:
            self._lock.release()
            raise

    def _open(self, path: Path, head: Record) -> tuple[Record, list[Record]]:
        first = _line(head)
        text = path.read_bytes() if path.exists() else b""
        if b"\n" not in text:
            opening = first[: first.index(b":")]
            if text[: len(opening)] != opening[: len(text)]:
                raise InputError(f"{path} is no journal of tfcourse: it does not begin with {{…")
            write_whole(path, first)
            text = first
        found, records, size = _parse(path, text)
        _require_same(path.parent, found, head)
        self._file = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
        os.ftruncate(self._file, size)
        self._size = os.lseek(self._file, 0, os.SEEK_END)
        return found, records

    def append(self, records: Iterable[Record]) -> None:
        """Write records and wait until they are on disk.

        Raises: OSError if that fails (a full disk, say); the journal then ends where it did.
        """
        text = b"".join(map(_line, records))
        try:
            written = 0
            while written < len(text):
                written += os.write(self._file, text[written:])
            flush(self._file)
        except OSError:
            os.ftruncate(self._file, self._size)
            os.lseek(self._file, self._size, os.SEEK_SET)
            raise
        self._size += len(text)

    def close(self) -> None:
        """Let other processes open it; closed before, it stays so."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
            self._lock.release()


def read(path: Path) -> tuple[Record, list[Record]]:
    """Head and records of a journal, which may be in use; nothing is changed.

    Raises: FileNotFoundError if there is none, ValueError if it is damaged or of a newer format.
    """
    head, records, _ = _parse(path, path.read_bytes())
    return head, records


def made_with(**more: str) -> dict[str, str]:
    """What a study's head tells of its surroundings: versions, and what else is given."""
    names = ("tensorflow", "keras", "numpy")
    packages = {name: distribution(name).version for name in names}
    return {**more, "python": platform.python_version(), **packages}


def distribution(package: str) -> metadata.Distribution:
    """What was installed to be imported as `package`: tensorflow-cpu is imported as tensorflow."""
    try:
        return metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return metadata.distribution(metadata.packages_distributions()[package][0])


def _line(record: Record) -> bytes:
    return json.dumps(record, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _parse(path: Path, text: bytes) -> tuple[Record, list[Record], int]:
    """Head, records, and the length of the whole lines.

    What an unfinished write leaves has no whole record behind it; anything else is damage.
    """
    lines = text.splitlines(keepends=True)
    records = [_record(line) for line in lines]
    whole = len(records)
    while whole and records[whole - 1] is None:
        whole -= 1
    if None in records[:whole] or not whole or "tfcourse" not in (records[0] or {}):
        line = records.index(None) + 1 if None in records[:whole] else 1
        raise InputError(f"{path} is damaged or no journal of tfcourse: line {line} is no record")
    head, *rest = (record for record in records if record is not None)
    if head["tfcourse"] != FORMAT:
        raise InputError(
            f"{path} has format {head['tfcourse']}, this version of tfcourse reads format {FORMAT}"
        )
    return head, rest, sum(map(len, lines[:whole]))


@contextmanager
def understood(path: Path) -> Iterator[None]:
    """Take what reading a journal's records raises as the file's fault, for others write it too."""
    try:
        yield
    except InputError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} is damaged, or another version of tfcourse wrote it: "
            f"{type(error).__name__}: {error}"
        ) from error


def _record(line: bytes) -> Record | None:
    try:
        record = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _require_same(folder: Path, found: Record, head: Record) -> None:
    for key in sorted({*found, *head} - {"made_with"}, key=[*head, *found].index):
        # Through JSON, so that a tuple equals the list that it was written as.
        old, new = found.get(key), json.loads(_line({key: head.get(key)}))[key]
        if old != new:
            where, old, new = _difference(key, old, new)
            if key == "data":  # fingerprints: the names of the data sets say more
                old, new = (
                    it.get("made_with", {}).get("data", "other data") for it in (found, head)
                )
                if old == new:
                    raise InputError(
                        f"{folder} was begun with data {old} that held something else than it does"
                        " now; give another folder to begin anew"
                    )
            raise InputError(
                f"{folder} was begun with {where} {_brief(old)} and must be continued with the"
                f" same, got {_brief(new)}; give another folder to begin anew"
            )


def _difference(where: str, old: Any, new: Any) -> tuple[str, Any, Any]:
    """Return where two values, nested as a model's configuration is, differ first, and how."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *new]:
            if old.get(key) != new.get(key):
                return _difference(f"{where}.{key}", old.get(key), new.get(key))
    nested = isinstance(old, list) and any(isinstance(one, dict | list) for one in old)
    if nested and isinstance(new, list) and len(old) == len(new):
        for i, pair in enumerate(zip(old, new, strict=True)):
            if pair[0] != pair[1]:
                return _difference(f"{where}.{i}", *pair)
    return where, old, new


def _brief(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 400 else text[:400] + "…"
