"""What can be loaded: the sets that have a name, and the files that a path may lead to."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from tfcourse.datasets import idx, npz
from tfcourse.datasets.arrays import Found, from_arrays
from tfcourse.datasets.dataset import Dataset
from tfcourse.datasets.downloads import fetch
from tfcourse.datasets.files import DataFileError

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


def load_entry(entry: Entry) -> Dataset:
    """Load a set from where it lies, or else through Keras.

    Raises: ConnectionError where it must be downloaded and cannot; ValueError where its files are
        damaged.
    """
    return from_arrays(
        entry.name,
        _found(entry).parts,
        class_names=entry.class_names,
        source=entry.source,
        licence=entry.licence,
        white=entry.white,
    )


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


def _keras_home() -> Path:
    try:
        return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    except RuntimeError:  # no home folder: Keras turns to this one too
        return Path(tempfile.gettempdir()) / ".keras"
