"""One data set: training, validation and test arrays, and where they come from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from tfcourse._checks import InputError

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

SMALLEST_DEVIATION = 1e-7  # keras.layers.Normalization divides by no less


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Examples to train with, to choose with (validation) and to judge with (test).

    Attributes:
        x_train, x_validation, x_test: float32, (m, features), (m, height, width) or
            (m, height, width, channels). Pixels lie in [0, 1].
        y_train, y_validation, y_test: int64, (m,), the class of each example, 0 … classes − 1.
        class_names: one per class.
        source, licence: whose work it is, and what may be done with it.
        notes: what was left out when it was loaded, a sentence each.
    """

    name: str
    x_train: Floats
    y_train: Integers
    x_validation: Floats
    y_validation: Integers
    x_test: Floats
    y_test: Integers
    class_names: tuple[str, ...]
    source: str
    licence: str
    notes: tuple[str, ...] = ()

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return self.x_train.shape[1:]

    @property
    def classes(self) -> int:
        """How many classes there are, C."""
        return len(self.class_names)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256, in hex, of the class names and of every array's name, type, shape and bytes."""
        return fingerprint(self.class_names, self._arrays())

    def standardized(self) -> Dataset:
        """The same set with (x − μ)/σ for x, μ and σ² being those of `x_train` alone.

        Raises: ValueError where the values are too large to be squared in float32.
        """
        mean, variance = standardization(self.x_train)
        deviation = np.sqrt(variance)
        scaled: dict[str, Any] = {
            name: (array - mean) / deviation
            for name, array in self._arrays()
            if name.startswith("x_")
        }
        return replace(self, **scaled)

    def _arrays(self) -> Iterator[tuple[str, Array]]:
        for part in ("train", "validation", "test"):
            for name in (f"x_{part}", f"y_{part}"):
                yield name, getattr(self, name)

    def __repr__(self) -> str:
        examples = "/".join(str(len(y)) for y in (self.y_train, self.y_validation, self.y_test))
        return (
            f"Dataset({self.name!r}, input_shape={self.input_shape}, classes={self.classes}, "
            f"train/validation/test={examples})"
        )


def fingerprint(class_names: tuple[str, ...] | None, arrays: Iterable[tuple[str, Array]]) -> str:
    """SHA-256, in hex, of class names and of each array's name, type, shape and bytes."""
    digest = hashlib.sha256(repr(class_names).encode())
    for name, array in arrays:
        stored = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"{name} {stored.dtype.str} {stored.shape}".encode())
        digest.update(stored.data)
    return digest.hexdigest()


def standardization(x: Floats) -> tuple[Floats, Floats]:
    """Return (mean, variance) to standardize with: μ = (1/m) Σ x, σ² = (1/m) Σ (x − μ)².

    One of each per feature of (m, features), one for all pixels of (m, height, width), one per
    channel of (m, height, width, channels); float32, summed in float64. A variance of 0 becomes
    1, so that a constant feature ends up as 0.

    Raises: ValueError where a variance is beyond float32.
    """
    axes = (0,) if x.ndim == 2 else (0, 1, 2)
    count = x.size // np.prod(x.shape[len(axes) :], dtype=int)
    blocks = np.array_split(x, max(1, x.size // 2**20))  # float64 copies of all x would not fit
    # Differences from the first value make the variance of a constant feature exactly 0.
    first = x[(0,) * len(axes)].astype(np.float64)
    mean = first + sum((block - first).sum(axis=axes) for block in blocks) / count
    variance = sum(np.square(block - mean).sum(axis=axes) for block in blocks) / count
    variance = np.where(np.sqrt(variance) < SMALLEST_DEVIATION, 1.0, variance)
    largest = float(np.max(variance))
    if largest > float(np.finfo(np.float32).max):
        raise InputError(
            f"x varies too much to standardize: its variance must fit float32, got {largest:g}"
        )
    return np.asarray(mean, np.float32), np.asarray(variance, np.float32)
