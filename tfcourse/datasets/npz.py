"""NumPy's own files: `.npz` archives in Keras's layout, and single `.npy` arrays."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from tfcourse.datasets.arrays import SPELLED, Found
from tfcourse.datasets.dataset import Array
from tfcourse.datasets.files import ContentError, affordable, opened

EXPECTED = "a NumPy .npz archive of numbers (x_train, y_train, …)"
CONTENTS = {"O": "Python objects (pickled), which are never loaded", "U": "text", "S": "text"}
LARGEST_DIRECTORY = 2**20  # bytes; six arrays need about 400


def read(path: Path) -> Found:
    """Read x_train, y_train, x_validation (x_val, x_valid), … x_test, y_test: what there is."""
    with opened(path, EXPECTED, b"PK\x03\x04") as file:
        _check_directory(file)
        with zipfile.ZipFile(file) as archive:
            names = {name.removesuffix(".npy") for name in archive.namelist()}
            given = [name for name in SPELLED if names & {f"x_{name}", f"y_{name}"}] or ["train"]
            pairs = {SPELLED[name]: (f"x_{name}", f"y_{name}") for name in given}
            if len(pairs) < len(given):
                twice = " and ".join(f"x_{n}" for n in given if SPELLED[n] == "validation")
                raise ContentError(f"holds validation data twice, as {twice}")
            wanted = [key for pair in pairs.values() for key in pair]
            for key in wanted:
                if key not in names:
                    raise ContentError(f"lacks {key} (it holds {_listed(names)})")
            affordable([_header(stream, key) for key, stream in _streams(archive, wanted)])
            arrays = {key: _data(stream) for key, stream in _streams(archive, wanted)}
    return Found({part: (arrays[x], arrays[y]) for part, (x, y) in pairs.items()})


def read_array(path: Path) -> Array:
    """Read one `.npy` array of numbers."""
    with opened(path, "a NumPy .npy array of numbers", b"\x93NUMPY") as file:
        affordable([_header(file, "an array")])
        file.seek(0)
        return _data(file)


def _check_directory(file: BinaryIO) -> None:
    """See that a small zip directory ends the file: zipfile parses it whole, at once."""
    file.seek(-42, 2)
    locator, end = file.read(20), file.read(22)
    if not end.startswith(b"PK\x05\x06"):
        raise ContentError("does not end as an archive does")
    if (
        locator.startswith(b"PK\x06\x07")
        or int.from_bytes(end[12:16], "little") > LARGEST_DIRECTORY
    ):
        raise ContentError("has too many members")
    file.seek(0)


def _streams(archive: zipfile.ZipFile, keys: list[str]) -> Iterator[tuple[str, IO[bytes]]]:
    for key in keys:
        member = archive.getinfo(f"{key}.npy")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ContentError(f"packs {key} by method {member.compress_type}, not as NumPy does")
        with archive.open(member) as stream:
            yield key, stream


def _header(stream: IO[bytes], key: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an array of numbers, from its header."""
    if npy.read_magic(stream) != (1, 0):  # a later version may claim a header of 4 GiB
        raise ContentError(f"holds {key} not in version 1.0, as np.save writes it")
    shape, _, dtype = npy.read_array_header_1_0(stream)
    if dtype.kind not in "biuf":
        contents = CONTENTS.get(dtype.kind, f"values of type {dtype}")
        raise ContentError(f"holds {contents} as {key}")
    return shape, dtype


def _data(stream: IO[bytes]) -> Array:
    array: Array = npy.read_array(stream, allow_pickle=False)
    if stream.read(1):  # at the end an archive's checksum is compared
        raise ContentError("holds more data than its header says")
    return array


def _listed(names: set[str]) -> str:
    few = ", ".join(repr(name) for name in sorted(names)[:6])
    return few + ", …" if len(names) > 6 else few or "nothing"
