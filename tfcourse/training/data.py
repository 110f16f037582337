"""What models are trained on: arrays, or nested structures of them, with the examples first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from tfcourse import _checks
from tfcourse._checks import InputError
from tfcourse._tensorflow import keras, tf

BLOCK = 512  # validation examples at a time: bounds memory
Structure = Any  # an array, or a dict, tuple or list of them


@dataclass(frozen=True, eq=False)
class Data:
    """A training set and, if there is one, a validation set.

    x, y: inputs and targets, NumPy arrays or dicts, tuples or lists of them, each (m, …).
    x_validation, y_validation: the same for validation; None without.
    sample_weight, sample_weight_validation: (m,), how much each example's loss counts.
    class_weight: how much the loss of the examples of each class counts, in training alone.

    As with `model.fit`, float64 becomes Keras's float type; nothing else is changed. What is
    compiled for a data set is kept for as long as this object is: make one, and pass it again.

    Raises: ValueError if the arrays do not fit each other or have masked entries.
    """

    x: Structure
    y: Structure
    x_validation: Structure = None
    y_validation: Structure = None
    sample_weight: Any = None
    sample_weight_validation: Any = None
    class_weight: Mapping[int, float] | None = None
    programs: list[Any] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        sets = [("", self.x, self.y, self.sample_weight)]
        if self.x_validation is not None:
            validation = self.x_validation, self.y_validation, self.sample_weight_validation
            sets.append(("_validation", *validation))
        for name, x, y, weight in sets:
            for array in tf.nest.flatten((x, y, weight)):
                _checks.unmasked(f"x{name}, y{name} and their weights", array)
            counts = {np.shape(array)[:1] for array in tf.nest.flatten((x, y))}
            counts |= {np.shape(weight)[:1]} if weight is not None else set()
            if len(counts) != 1 or not min(counts)[0]:
                found = ", ".join(str(count[0]) if count else "a scalar" for count in counts)
                raise InputError(
                    f"x{name}, y{name} and their weights must hold the same number of examples,"
                    f" at least one, got {found}"
                )

    @property
    def has_validation(self) -> bool:
        """Whether there is a validation set."""
        return self.x_validation is not None

    @cached_property
    def training(self) -> tuple[Structure, Structure, Any]:
        """Inputs, targets and weights (or None) as Keras takes them, class weights included."""
        weight = self.sample_weight
        if self.class_weight is not None:
            y = np.asarray(self.y)
            classes = y.argmax(axis=-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(-1)
            own = np.array([self.class_weight.get(int(c), 1.0) for c in classes])
            weight = own if weight is None else own * np.asarray(weight)
        return _taken(self.x, self.y, weight)

    @cached_property
    def validation(self) -> tuple[Structure, Structure, Any]:
        """The same of the validation set."""
        return _taken(self.x_validation, self.y_validation, self.sample_weight_validation)

    @property
    def examples(self) -> int:
        """Examples of the training set."""
        return len(tf.nest.flatten(self.x)[0])

    @property
    def example(self) -> tuple[Structure, Structure]:
        """Inputs and targets of the first two examples (or of the only one)."""
        x, y, _ = self.training
        return tf.nest.map_structure(lambda array: array[:2], (x, y))  # type: ignore[no-any-return]

    @cached_property
    def tensors(self) -> tuple[Any, Any]:
        """Training and validation set where programs can use them, as `training` has them."""
        return _each(tf.constant, self.training), _each(tf.constant, self.validation)


def given(arrays: tuple[Structure, Structure, Any]) -> tuple[Any, ...]:
    """Inputs, targets and, if there are any, weights: as `model.fit` takes them."""
    return arrays[:2] if arrays[2] is None else arrays


def _taken(*arrays: Structure) -> tuple[Structure, Structure, Any]:
    def taken(array: Any) -> Any:
        found = np.asarray(array)
        if found.dtype.kind == "f":
            return found.astype(keras.config.floatx())
        return found.astype(found.dtype.newbyteorder("="), copy=False)

    # Tuples, as in `model.fit`: TensorFlow's data sets make one tensor of a list.
    return keras.tree.lists_to_tuples(_each(taken, arrays))  # type: ignore[no-any-return]


def _each(change: Callable[[Any], Any], arrays: Structure) -> Structure:
    # None is a leaf to `tf.nest`, and stays.
    return tf.nest.map_structure(lambda a: None if a is None else change(a), arrays)


def blocks(count: int) -> tuple[int, int]:
    """Cut `count` examples into (number, size) equal blocks of at most `BLOCK`.

    The size divides the count where one does that is not much smaller; the rest is a block of its
    own otherwise.
    """
    least = -(-count // BLOCK)
    for number in range(least, 2 * least + 1):
        if count % number == 0:
            return number, count // number
    return least - 1, -(-count // least)
