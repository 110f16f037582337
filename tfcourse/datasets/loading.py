"""What can be loaded, by a name or from a path, and loading it."""

from __future__ import annotations

import os
import stat
import tempfile
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from tfcourse import _checks
from tfcourse._checks import InputError, InputTypeError
from tfcourse.datasets import hdf5, idx, images, npz
from tfcourse.datasets.arrays import Found, from_arrays
from tfcourse.datasets.dataset import Dataset
from tfcourse.datasets.downloads import fetch
from tfcourse.datasets.files import DataFileError, accessible, shown

DIGITS = tuple("0123456789")
CLOTHES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
EXPECTED = (
    "a .npz or .h5 file, or a folder of IDX files under MNIST's names, of one pair of .h5 files, "
    "or with a subfolder of images per class"
)


@dataclass(frozen=True)
class Entry:
    """A set that is loaded by its name.

    Attributes:
        examples: how many to train, to validate and to test with.
        shape: of one example.
        source, licence: whose work it is, and what may be done with it.
        folder, files: where it lies, or will lie once it has been downloaded.
        white: the integer that becomes 1.0.
        packaged: whether it comes with the package, which may be in a zip archive.
    """

    name: str
    examples: tuple[int, int, int]
    shape: tuple[int, ...]
    class_names: tuple[str, ...]
    source: str
    licence: str
    folder: Path
    files: tuple[str, ...]
    white: float = 255.0
    packaged: bool = False

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.class_names)

    @property
    def here(self) -> bool:
        """Whether it can be loaded without a download."""
        return self.packaged or all((self.folder / file).is_file() for file in self.files)


@dataclass(frozen=True)
class Format:
    """A kind of path that can be loaded: what to give, and what it holds."""

    path: str
    holds: str


def available() -> tuple[Entry, ...]:
    """The sets that `load` knows by name."""
    cache = _keras_home() / "datasets"
    return (
        Entry(
            name="digits",
            examples=(1077, 360, 360),
            shape=(8, 8),
            class_names=DIGITS,
            source="Optical Recognition of Handwritten Digits (test images); E. Alpaydin, "
            "C. Kaynak; UCI Machine Learning Repository, 1998, doi:10.24432/C50P49",
            licence="CC BY 4.0",
            folder=Path(__file__).parent,
            files=("digits.npz",),
            white=16.0,
            packaged=True,
        ),
        Entry(
            name="mnist",
            examples=(54000, 6000, 10000),
            shape=(28, 28),
            class_names=DIGITS,
            source="MNIST; Y. LeCun, C. Cortes, C. J. C. Burges, 1998",
            licence="CC BY-SA 3.0",
            folder=cache,
            files=("mnist.npz",),
        ),
        Entry(
            name="fashion_mnist",
            examples=(54000, 6000, 10000),
            shape=(28, 28),
            class_names=CLOTHES,
            source="Fashion-MNIST; H. Xiao, K. Rasul, R. Vollgraf, Zalando SE, 2017",
            licence="MIT",
            folder=cache / "fashion-mnist",
            files=tuple(
                f"{prefix}-{content}-{kind}-ubyte.gz"
                for prefix in idx.PREFIXES.values()
                for content, kind in idx.CONTENTS.items()
            ),
        ),
    )


def formats() -> tuple[Format, ...]:
    """The kinds of path that `load` reads."""
    return (
        Format("a .npz file", "x_train, y_train, x_test, y_test (x_validation, y_validation)"),
        Format("a .h5 file", "train_set_x, train_set_y, list_classes; its test_*.h5 is found"),
        Format("a folder of IDX files", "train-images-idx3-ubyte.gz … or t10k-…, .gz or plain"),
        Format("a folder of one .h5 pair", "train_*.h5 and test_*.h5"),
        Format("a folder of images", "a subfolder per class, also below train/, test/"),
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
    entry = named(name_or_path)
    if entry:
        return from_arrays(
            entry.name,
            _found(entry).parts,
            class_names=entry.class_names,
            source=entry.source,
            licence=entry.licence,
            white=entry.white,
        )
    if not os.fspath(name_or_path):
        raise InputError(f"data must be a name or a path, got {name_or_path!r}")
    path = Path(name_or_path)
    with accessible(path):
        missing = not path.exists()
    if missing and path.name == str(name_or_path) and not path.suffix:  # rather a name than a path
        _checks.choice("data", path.name, [*(entry.name for entry in available()), "a path"])
    return dataset_at(path, _read(path))


def named(name_or_path: str | os.PathLike[str]) -> Entry | None:
    """The set that has this name; None for a path."""
    return next((entry for entry in available() if entry.name == name_or_path), None)


def absolute(name_or_path: str) -> str:
    """Return what `load` takes for the same set in whatever folder: a path is made absolute."""
    path = Path(name_or_path)
    return name_or_path if named(name_or_path) or not path.exists() else str(path.resolve())


def dataset_at(path: Path, found: Found) -> Dataset:
    """What was found at a path, as a data set."""
    whole = path.absolute()
    dataset = from_arrays(whole.name, found.parts, class_names=found.class_names, source=str(whole))
    return replace(dataset, notes=found.notes)


def _found(entry: Entry) -> Found:
    if entry.packaged:
        with resources.as_file(resources.files(__package__) / entry.files[0]) as path:
            return npz.read(path)
    if not entry.here:
        return fetch(entry.name, entry.folder, entry.files)
    try:
        if len(entry.files) == 1:
            return npz.read(entry.folder / entry.files[0])
        return idx.read_files([entry.folder / file for file in entry.files])
    except DataFileError as error:
        raise DataFileError(f"{error}; if it was downloaded, delete it and load again") from None


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


def _keras_home() -> Path:
    try:
        return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    except RuntimeError:  # no home folder: Keras turns to this one too
        return Path(tempfile.gettempdir()) / ".keras"
