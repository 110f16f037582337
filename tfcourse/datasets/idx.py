"""IDX, MNIST's own format: a folder of images and labels, gzipped or plain.

A file is 0, 0, a type (8: unsigned bytes), the number of axes, then their sizes (big-endian, four
bytes each), then the values.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tfcourse.datasets.arrays import Found
from tfcourse.datasets.dataset import Array
from tfcourse.datasets.files import (
    ContentError,
    DataFileError,
    affordable,
    entries,
    inside,
    opened,
    shown,
)

EXPECTED = "an IDX file of unsigned bytes, plain or gzipped"
PREFIXES = {"train": "train", "test": "t10k"}
CONTENTS = {"images": "idx3", "labels": "idx1"}
GZIP = b"\x1f\x8b"
MOST_AXES = 4


def read_folder(folder: Path) -> Found | None:
    """Read whatever of train-… and t10k-… lies in a folder; None if nothing does."""
    named = [entry for entry in entries(folder) if entry.name.startswith(tuple(PREFIXES.values()))]
    found = read_files([inside(path, folder) for path in named])
    return found if found.parts else None


def read_files(paths: Sequence[Path]) -> Found:
    """Read those of the paths that have one of MNIST's names."""
    parts = {}
    for part, prefix in PREFIXES.items():
        pair = {}
        for content, kind in CONTENTS.items():
            names = [
                f"{prefix}-{content}{joint}{kind}-ubyte{gz}" for joint in "-." for gz in ("", ".gz")
            ]
            pair[content] = next((path for path in paths if path.name in names), None)
        images, labels = pair["images"], pair["labels"]
        if images and labels:
            parts[part] = (read(images), read(labels))
        elif one := images or labels:
            raise DataFileError(
                f"{shown(one)} stands alone, expected images and labels of {prefix} in one folder"
            )
    return Found(parts)


def read(path: Path) -> Array:
    """Read the array of one IDX file."""
    with opened(path, EXPECTED, b"\x00\x00", GZIP) as file:
        stored = file.read()
        head = _start(stored, 4 + 4 * MOST_AXES)
        axes = head[3] if len(head) > 3 else 0
        if head[:3] != b"\x00\x00\x08" or not 1 <= axes <= MOST_AXES or len(head) < 4 + 4 * axes:
            raise ContentError(f"begins with {head[:4]!r}")
        shape = struct.unpack_from(f">{axes}I", head, 4)
        affordable([(shape, np.dtype(np.uint8))])
        begin = 4 + 4 * axes
        size = begin + math.prod(shape)
        data = _start(stored, size + 1)
        if len(data) != size:
            found = "more" if len(data) > size else "fewer"
            raise ContentError(f"holds {found} than the {size - begin:,} values it claims")
    return np.frombuffer(data, np.uint8, offset=begin).reshape(shape)


def _start(stored: bytes, length: int) -> bytes:
    """The first bytes of a file, unpacked if it is gzipped; never more than asked for."""
    if not stored.startswith(GZIP):
        return stored[:length]
    unpacker = zlib.decompressobj(wbits=31)
    data = unpacker.decompress(stored, length)
    if len(data) < length and not unpacker.eof:  # only at its end is the checksum compared
        raise EOFError("the gzip stream has no end")
    return data
