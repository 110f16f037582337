"""The course's HDF5 pairs: train_*.h5 and test_*.h5, uint8 images with labels and class names.

HDF5 can point to other files, load filters from plugins and claim any size. So a data set is read
only if all that it claims lies in this very file, plain or packed with HDF5's own gzip filter.
"""

from __future__ import annotations

import math
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfcourse.datasets import files
from tfcourse.datasets.arrays import Found
from tfcourse.datasets.files import ContentError, DataFileError, shown

if TYPE_CHECKING:
    import h5py

EXPECTED = "an HDF5 file of the course's layout (uint8 train_set_x, train_set_y or test_set_…)"
MAGIC = b"\x89HDF\r\n\x1a\n"
SUFFIXES = (".h5", ".hdf5")
PAIRS = {"train": ("train_set_x", "train_set_y"), "test": ("test_set_x", "test_set_y")}
NAMES = "list_classes"
DEFLATE = 1
FILTERS = {DEFLATE, 2, 3}  # HDF5's numbers; 2 reorders bytes, 3 appends a checksum of 4 bytes
MOST_CHUNKS = 100_000
MOST_NAMES = 10_000
LONGEST_NAME = 200


def read_folder(folder: Path) -> Found | None:
    """Read the one pair (or half of one) in a folder; None if there is none."""
    paths = [path for path in files.entries(folder) if path.suffix.lower() in SUFFIXES]
    pairs = {path.name.removeprefix("train_").removeprefix("test_") for path in paths}
    if len(pairs) > 1:
        raise DataFileError(
            f"{shown(folder)} holds {len(pairs)} HDF5 sets, expected the path of one"
        )
    return read(files.inside(paths[0], folder)) if paths else None


def read(path: Path) -> Found:
    """Read a file and, for the part that it lacks, the other half of its pair beside it."""
    found = _read_one(path)
    other = _sibling(path)
    if len(found.parts) == len(PAIRS) or other is None:
        return found
    rest = _read_one(other)
    if found.parts.keys() & rest.parts.keys() or rest.class_names != found.class_names:
        raise DataFileError(
            f"{shown(other)} repeats the part or has other class names than {shown(path)}, "
            "expected the other half of one set"
        )
    return Found({**found.parts, **rest.parts}, found.class_names)


def _sibling(path: Path) -> Path | None:
    """The other half's path, if something is there."""
    for mine, other in (("train_", "test_"), ("test_", "train_")):
        if path.name.startswith(mine):
            sibling = path.with_name(other + path.name.removeprefix(mine))
            if sibling.exists() or sibling.is_symlink():
                return files.inside(sibling, path.parent)
    return None


def _read_one(path: Path) -> Found:
    import h5py

    with files.opened(path, EXPECTED, MAGIC), h5py.File(path, "r", locking=False) as file:
        pairs = {part: pair for part, pair in PAIRS.items() if any(_has(file, key) for key in pair)}
        if not pairs:
            raise ContentError("lacks train_set_x and test_set_x")
        keys = [key for pair in pairs.values() for key in pair] + [NAMES] * _has(file, NAMES)
        claims = {key: _dataset(file, key) for key in keys}
        files.affordable((dataset.shape, dataset.dtype) for dataset in claims.values())
        for dataset in claims.values():
            _check_storage(dataset)
        class_names = _class_names(claims.pop(NAMES)) if NAMES in claims else ()
        data = {key: dataset[()] for key, dataset in claims.items()}
    return Found({part: (data[x], data[y]) for part, (x, y) in pairs.items()}, class_names)


def _has(file: h5py.File, key: str) -> bool:
    """Whether the file itself says so: `in` would follow a link into another file."""
    return bool(file.id.links.exists(key.encode()))


def _dataset(file: h5py.File, key: str) -> h5py.Dataset:
    """The data set of that name, if it lies in this file and has the right type; reads nothing."""
    import h5py

    if not _has(file, key):
        raise ContentError(f"lacks {key}")
    if file.id.links.get_info(key.encode()).type != h5py.h5l.TYPE_HARD:
        raise ContentError(f"only links to {key}")
    dataset = file[key]
    if not isinstance(dataset, h5py.Dataset):
        raise ContentError(f"holds a {type(dataset).__name__.lower()} as {key}")
    layout = dataset.id.get_create_plist()
    if layout.get_layout() == h5py.h5d.VIRTUAL or layout.get_external_count():
        raise ContentError(f"keeps {key} in other files")
    if dataset.shape is None:
        raise ContentError(f"holds nothing as {key}")
    text = h5py.check_string_dtype(dataset.dtype) is not None
    if key == NAMES:
        right = text or dataset.dtype.kind in "iu"
    else:
        right = dataset.dtype == np.uint8 if key.endswith("_x") else dataset.dtype.kind in "biuf"
    if not right:
        raise ContentError(f"holds {'text' if text else dataset.dtype} as {key}")
    return dataset


def _check_storage(dataset: h5py.Dataset) -> None:
    """See that the file holds as many bytes as it claims, and that they unpack to no more."""
    key = dataset.name
    if not dataset.chunks:
        stored = dataset.id.get_storage_size()
        if stored != dataset.nbytes and not dataset.dtype.hasobject:
            raise ContentError(f"holds {stored:,} of the {dataset.nbytes:,} bytes of {key}")
        return
    plist = dataset.id.get_create_plist()
    filters = [plist.get_filter(at)[0] for at in range(plist.get_nfilters())]
    if not FILTERS.issuperset(filters) or len(set(filters)) < len(filters):
        raise ContentError(f"packs {key} with filters other than gzip, shuffle and fletcher32")
    most = math.prod(dataset.chunks) * dataset.dtype.itemsize
    steps = zip(dataset.shape, dataset.chunks, strict=True)
    expected = math.prod(-(-size // step) for size, step in steps)
    if most > files.MOST_BYTES or expected > MOST_CHUNKS:
        raise ContentError(f"claims {expected:,} chunks of {most:,} bytes for {key}: too many")
    chunks: list[h5py.h5d.StoreInfo] = []
    dataset.id.chunk_iter(chunks.append)
    if len(chunks) != expected:
        raise ContentError(f"holds {len(chunks):,} of the {expected:,} chunks of {key}")
    for chunk in chunks if DEFLATE in filters else ():
        # HDF5 unpacks without a limit: see first that there is an end to it.
        skipped, packed = dataset.id.read_direct_chunk(chunk.chunk_offset)
        if not skipped >> filters.index(DEFLATE) & 1:
            limit = most + 4  # a checksum may be packed too
            if len(zlib.decompressobj().decompress(packed, limit + 1)) > limit:
                raise ContentError(f"packs more into {key} than it claims")


def _class_names(dataset: h5py.Dataset) -> tuple[str, ...]:
    """Class names, read one at a time: those of variable length can be of any length."""
    if dataset.size > MOST_NAMES:
        raise ContentError(f"holds {dataset.size:,} class names")
    names = []
    for at in np.ndindex(dataset.shape):
        name = dataset[at]
        names.append(name.decode() if isinstance(name, bytes) else str(name))
        if len(names[-1]) > LONGEST_NAME:
            raise ContentError(f"holds a class name of {len(names[-1]):,} characters")
    return tuple(names)
