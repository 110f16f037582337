"""The folder in which TensorFlow keeps compiled programs for later processes.

A flag tells TensorFlow where. It compares an entry with the program before it uses it, but it fails
on a damaged entry. So each entry has a checksum beside it, and an entry that does not match is
removed. An entry is machine code: each version of TensorFlow, processor, number of cores and
compiler setting has a folder of its own.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import tempfile
import time
import zlib
from contextlib import suppress
from pathlib import Path

import platformdirs

LIMIT = 64 * 2**20  # bytes of all entries; a program takes about one million
FLAGS = "TF_XLA_FLAGS"
FLAG = "--tf_xla_persistent_cache_directory="
DEVICES = "--tf_xla_persistent_cache_device_types=CPU,XLA_CPU"
HOUR = 3600


def folder() -> Path | None:
    """Return the folder of all compiled programs; None if TFCOURSE_CACHE is `off`."""
    told = os.environ.get("TFCOURSE_CACHE") or platformdirs.user_cache_path("tfcourse", False)
    return None if told == "off" else Path(told).expanduser().absolute() / "compiled"


def opened(*version: str) -> Path | None:
    """Make TensorFlow keep what it compiles; return the folder for this version and machine.

    TensorFlow reads its flags when it first computes something, so this must come before. Returns
    None, and changes nothing, if keeping is switched off, if the user's flags name a folder or a
    file of flags, or if our folder cannot be written, cannot be named in a flag, or is almost full.
    """
    root = folder()
    if root is None or set('"\\') & set(root.as_posix()):
        return None
    ours = f' {FLAG}"{root.as_posix()}'
    flags = os.environ.get(FLAGS, "").partition(ours)[0]  # in a process that one like this started
    if FLAG in flags or (flags.strip() and not flags.lstrip().startswith("-")):
        return None
    own = root / _machine(version, flags)
    try:
        own.mkdir(parents=True, exist_ok=True)
        root.chmod(0o700)  # an error if it is somebody else's
        with tempfile.TemporaryFile(dir=own):  # an error if it cannot be written
            pass
        if shutil.disk_usage(own).free < 2 * LIMIT:
            return None
        _remove_unsound(own)
    except OSError:
        return None
    os.environ[FLAGS] = f'{flags}{ours}/{own.name}" {DEVICES}'
    return own


def note(own: Path) -> None:
    """Write checksums of new entries, and remove the oldest entries beyond the limit."""
    with suppress(OSError):  # another process may do the same
        for entry in own.glob("*.pb"):
            if not _sum(entry).exists():
                _sum(entry).write_bytes(_summed(entry))
        told = [(entry, entry.stat()) for entry in own.parent.rglob("*.pb")]
        kept = 0
        for entry, stat in sorted(told, key=lambda one: one[1].st_mtime, reverse=True):
            kept += stat.st_size
            if kept > LIMIT:
                _remove(entry)


def _machine(version: tuple[str, ...], flags: str) -> str:
    """Return the name of the folder for this version, processor, cores and settings."""
    processor = platform.processor()
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text("utf-8").split("\n\n")[0].splitlines()
        processor = "\n".join(x for x in lines if x.startswith(("model name", "flags", "Features")))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    settings = flags, os.environ.get("XLA_FLAGS", "")
    told = version, platform.system(), platform.machine(), processor, cores, settings
    return f"{version[0]}-{hashlib.sha256(repr(told).encode()).hexdigest()[:16]}"


def _remove_unsound(own: Path) -> None:
    """Remove entries that do not match their checksum, and files that were never finished."""
    for entry in own.glob("*.pb"):
        noted = _sum(entry)
        if not noted.exists() or noted.read_bytes() != _summed(entry):
            _remove(entry)
    for left in own.glob("*.tmp"):
        if left.stat().st_mtime < time.time() - HOUR:
            left.unlink(missing_ok=True)


def _sum(entry: Path) -> Path:
    return entry.with_suffix(".sum")


def _summed(entry: Path) -> bytes:
    return b"%08x" % zlib.crc32(entry.read_bytes())


def _remove(entry: Path) -> None:
    entry.unlink(missing_ok=True)
    _sum(entry).unlink(missing_ok=True)
