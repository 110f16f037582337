"""Load a data set by its name or from a path."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

from tfcourse import _checks
from tfcourse._checks import InputError, InputTypeError
from tfcourse.datasets import hdf5, idx, images, npz
from tfcourse.datasets.arrays import Found, from_arrays
from tfcourse.datasets.catalogue import available, load_entry
from tfcourse.datasets.dataset import Dataset
from tfcourse.datasets.files import DataFileError, accessible, shown

EXPECTED = (
    "a .npz or .h5 file, or a folder of IDX files under MNIST's names, of one pair of .h5 files, "
    "or with a subfolder of images per class"
)


def load(name_or_path: str | os.PathLike[str] = "digits") -> Dataset:
    """Load a set that `available()` lists by its name, or what lies at a path (see `formats()`).

    A name wins over a path; write ./digits for a folder of that name. A validation or
    test part that is lacking is cut from the training part: a tenth of it, stratified.

    Raises: FileNotFoundError, PermissionError; ConnectionError for a set that must be downloaded
        and cannot; ValueError, which says what was found and what was expected, for all else.

    >>> digits = tfc.datasets.load("digits")
    >>> digits.x_train.shape, digits.classes
    ((1077, 8, 8), 10)
    """
    if not isinstance(name_or_path, str | os.PathLike):
        raise InputTypeError(f"data must be a name or a path, got {name_or_path!r}")
    named = {entry.name: entry for entry in available()}
    if isinstance(name_or_path, str) and name_or_path in named:
        return load_entry(named[name_or_path])
    if not os.fspath(name_or_path):
        raise InputError(f"data must be a name or a path, got {name_or_path!r}")
    path = Path(name_or_path)
    with accessible(path):
        missing = not path.exists()
    if missing and path.name == str(name_or_path) and not path.suffix:  # rather a name than a path
        _checks.choice("data", path.name, [*named, "a path"])
    found = _read(path)
    whole = path.absolute()
    dataset = from_arrays(whole.name, found.parts, class_names=found.class_names, source=str(whole))
    return replace(dataset, notes=found.notes)


def absolute(name_or_path: str) -> str:
    """Return what `load` takes for the same set in whatever folder: a path is made absolute."""
    path = Path(name_or_path)
    named = any(entry.name == name_or_path for entry in available())
    return name_or_path if named or not path.exists() else str(path.resolve())


def _read(path: Path) -> Found:
    with accessible(path):
        mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        for read_folder in (idx.read_folder, hdf5.read_folder, images.read_folder):
            if found := read_folder(path):
                return found
        raise DataFileError(f"{shown(path)} is a folder without a data set, expected {EXPECTED}")
    if path.suffix.lower() == ".npz":
        return npz.read(path)
    if path.suffix.lower() in hdf5.SUFFIXES:
        return hdf5.read(path)
    raise DataFileError(f"{shown(path)} has no ending known here, expected {EXPECTED}")
