"""Files nobody vouches for: what they are, how much they may claim, and how to say what is wrong.

Every reader opens its file here, so that no decoder's exception reaches the user: one line says
what was found and what was expected.
"""

from __future__ import annotations

import math
import stat
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from tfcourse._checks import InputError

MOST_VALUES = 200_000_000  # in one set: 800 MB as float32. CIFAR-10 has 184 million
MOST_BYTES = 2**29  # of one file, and of what is unpacked from it

KINDS: dict[str, bytes | tuple[bytes, ...]] = {  # with what they begin
    "an HDF5 file": b"\x89HDF\r\n\x1a\n",
    "a NumPy .npy array": b"\x93NUMPY",
    "a gzip file": b"\x1f\x8b",
    "a zip archive": b"PK\x03\x04",
    "an empty zip archive": b"PK\x05\x06",
    "a PNG image": b"\x89PNG\r\n\x1a\n",
    "a JPEG image": b"\xff\xd8\xff",
    "a PDF document": b"%PDF",
    "a pickle": (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"),
    "a Git LFS pointer (fetch the file itself with git lfs pull)": b"version https://git-lfs",
    "an HTML page": (b"<!doctype html", b"<html"),
}


class DataFileError(InputError):
    """One line: which file, what was found in it, what was expected."""


class ContentError(Exception):
    """What a reader found in an open file that should not be there; `opened` says the rest."""


def shown(path: Path) -> str:
    """The path in quotes, on one line whatever it holds; of a long one, its end."""
    text = str(path)
    return repr(text if len(text) <= 200 else f"…{text[-200:]}")


def one_line(error: BaseException) -> str:
    """What an exception says, short and on one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 160 else text[:159] + "…"


def kind(head: bytes) -> str:
    """What a file is that begins with these bytes."""
    if not head:
        return "an empty file"
    start = head.lstrip().lower()
    for name, magic in KINDS.items():
        if head.startswith(magic) or start.startswith(magic):
            return name
    return f"of no kind known here (its first bytes are {head[:8]!r})"


@contextmanager
def accessible(path: Path) -> Iterator[None]:
    """Word what the operating system refuses."""
    try:
        yield
    except DataFileError:
        raise
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"there is no file or folder {shown(path)}") from None
    except PermissionError:
        raise PermissionError(f"no permission to read {shown(path)}") from None
    except (OSError, ValueError, RuntimeError) as error:  # the last for a circle of links
        raise DataFileError(f"{shown(path)} cannot be opened ({one_line(error)})") from None


@contextmanager
def opened(path: Path, expected: str, *magics: bytes) -> Iterator[BinaryIO]:
    """Open a regular file that begins as `expected` does, and word whatever its reader raises.

    Raises: FileNotFoundError, PermissionError; ValueError for anything about its contents.
    """
    with accessible(path):
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            found = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            raise DataFileError(f"{shown(path)} is {found}, expected {expected}")
        file = path.open("rb")
    with file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # decoders warn of what is checked here
        try:
            if status.st_size > MOST_BYTES:
                raise ContentError(
                    f"has {status.st_size:,} bytes, more than the {MOST_BYTES:,} accepted"
                )
            head = file.read(64)
            if not head.startswith(magics):
                raise ContentError(f"is {kind(head)}")
            file.seek(0)
            yield file
        except ContentError as error:
            raise DataFileError(f"{shown(path)} {error}, expected {expected}") from None
        except DataFileError:
            raise
        except Exception as error:  # decoders raise anything on bytes they were not made for
            raise DataFileError(
                f"{shown(path)} cannot be decoded ({one_line(error)}), expected {expected}"
            ) from None


def affordable(claims: Iterable[tuple[tuple[int, ...], np.dtype[Any]]]) -> None:
    """Check the shapes and types that headers claim, before anything is allocated for them."""
    values = size = 0
    for shape, dtype in claims:
        if any(length < 0 for length in shape):
            raise ContentError(f"claims an array of shape {shape}")
        values += math.prod(shape)
        size += math.prod(shape) * dtype.itemsize
    if values > MOST_VALUES or size > MOST_BYTES:
        raise ContentError(
            f"claims {values:,} values in {size:,} bytes, more than the {MOST_VALUES:,} values "
            f"or {MOST_BYTES:,} bytes accepted"
        )


def entries(folder: Path) -> list[Path]:
    """What a folder holds, sorted, without hidden files."""
    with accessible(folder):
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))


def inside(path: Path, folder: Path) -> Path:
    """The path, if it does not link out of the folder. Raises: ValueError if it does."""
    with accessible(path):
        if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
            raise DataFileError(f"{shown(path)} links out of {shown(folder)}, expected data inside")
    return path
