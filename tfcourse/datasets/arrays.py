"""Decide whether arrays make a data set; then label, scale and split them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfcourse import _checks
from tfcourse._checks import InputError
from tfcourse.datasets.dataset import Array, Dataset, Floats, Integers
from tfcourse.datasets.files import MOST_VALUES
from tfcourse.datasets.splits import stratified

PARTS = ("train", "validation", "test")
SPELLED = dict(zip(PARTS, PARTS, strict=True)) | {"val": "validation", "valid": "validation"}
SHARE = 10  # a part that is not given gets one in so many training examples
MOST_EXAMPLES = 10_000_000


@dataclass(frozen=True)
class Found:
    """What a reader found: (x, y) by part (train, validation, test), and names of the classes.

    notes: what it left out, a sentence each.
    """

    parts: Mapping[str, tuple[Array, Array]]
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def from_arrays(
    name: str,
    parts: Mapping[str, tuple[Array, Array]],
    *,
    class_names: tuple[str, ...] = (),
    source: str = "arrays",
    licence: str = "not stated",
    white: float = 255.0,
) -> Dataset:
    """Make a data set of arrays by part: {"train": (x, y), "validation": (x, y), "test": (x, y)}.

    x: (m, features), (m, height, width) or (m, height, width, channels); uint8 is divided by
    `white`, other numbers are taken as they are. y: whole numbers 0 … C − 1 of shape (m,), (m, 1)
    or (1, m). A validation or test part that is not given is cut from the training part: a tenth
    of it, stratified. If there is a test part alone, all three are cut from it.

    Raises: ValueError where x and y or the parts do not fit each other, for NaN and infinite
        values, masked entries, labels that are not 0 … C − 1, and a class without an example.

    >>> x, y = np.random.default_rng(0).normal(size=(100, 2)), np.arange(100) % 2
    >>> tfc.datasets.from_arrays("mine", {"train": (x, y)})
    Dataset('mine', input_shape=(2,), classes=2, train/validation/test=80/10/10)
    """
    if "train" not in parts and "test" in parts:
        parts = {"train" if part == "test" else part: pair for part, pair in parts.items()}
    if "train" not in parts or not set(PARTS).issuperset(parts):
        raise InputError(f"{name!r} has parts {sorted(parts)}, expected train (validation, test)")
    for part, pair in parts.items():
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise InputError(f"{part} of {name!r} must be (x, y), got {brief(pair)}")
        for letter, values in zip("xy", pair, strict=True):
            _checks.unmasked(f"{letter}_{part} of {name!r}", values)
    x = {part: np.asarray(pair[0]) for part, pair in parts.items()}
    _check_examples(name, x)
    y = {p: _labels(f"y_{p} of {name!r}", np.asarray(parts[p][1]), len(x[p])) for p in parts}
    names = _class_names(name, y, class_names)
    x, y = _completed(name, x, y)
    floats = {f"x_{part}": as_float32(x[part], f"x_{part} of {name!r}", white) for part in PARTS}
    labels = {f"y_{part}": y[part] for part in PARTS}
    arrays: dict[str, Any] = {**floats, **labels}
    for array in arrays.values():
        array.flags.writeable = False
    return Dataset(name=name, class_names=names, source=source, licence=licence, **arrays)


def brief(value: Any) -> str:
    """What a value is, never what it holds."""
    shape = getattr(value, "shape", None)
    size = f" of {len(value)}" if shape is None and isinstance(value, tuple | list | dict) else ""
    return f"{type(value).__name__}{size}" + (f" of shape {tuple(shape)}" if shape else "")


def as_float32(x: Array, what: str, white: float = 255.0) -> Floats:
    """A copy as float32, uint8 divided by `white`. Raises: ValueError for NaN and infinity."""
    if x.dtype == np.uint8:
        return np.divide(x, np.float32(white), dtype=np.float32)
    with np.errstate(over="ignore"):
        floats = x.astype(np.float32)
    if not (np.isfinite(floats.min()) and np.isfinite(floats.max())):
        bad = np.count_nonzero(~np.isfinite(floats))
        raise InputError(f"{what} holds {bad:,} values that are NaN or infinite in float32")
    return floats


def _check_examples(name: str, examples: Mapping[str, Array]) -> None:
    """See that the parts hold numbers, examples of one shape, and not too much."""
    train = examples["train"]
    for part, x in examples.items():
        what = f"x_{part} of {name!r}"
        if x.dtype.kind not in "biuf":
            raise InputError(f"{what} holds values of type {x.dtype}, expected numbers")
        if x.ndim not in (2, 3, 4):
            raise InputError(
                f"{what} has shape {x.shape}, expected (examples, features), "
                "(examples, height, width) or (examples, height, width, channels)"
            )
        if not x.size:
            raise InputError(f"{what} is empty (shape {x.shape}), expected at least one example")
        if x.shape[1:] != train.shape[1:] or (x.dtype == np.uint8) != (train.dtype == np.uint8):
            raise InputError(
                f"{what} holds examples of shape {x.shape[1:]} and type {x.dtype}, "
                f"expected {train.shape[1:]} and {train.dtype} as in x_train"
            )
    count, values = (sum(map(size, examples.values())) for size in (len, np.size))
    if count > MOST_EXAMPLES or values > MOST_VALUES:
        raise InputError(
            f"{name!r} has {count:,} examples of {values:,} values in all, accepted up to "
            f"{MOST_EXAMPLES:,} examples and {MOST_VALUES:,} values"
        )


def _labels(what: str, y: Array, examples: int) -> Integers:
    """Labels as int64 (m,), one for each example."""
    if y.dtype.kind not in "biuf":
        raise InputError(f"{what} holds values of type {y.dtype}, expected whole numbers from 0")
    if y.ndim == 2 and 1 not in y.shape:
        raise InputError(
            f"{what} has shape {y.shape}, expected one label an example "
            "(of one-hot rows, that is argmax(axis=1))"
        )
    if y.shape not in ((examples,), (examples, 1), (1, examples)):
        raise InputError(
            f"{what} has shape {y.shape}, expected a label for each of {examples} examples"
        )
    flat = y.reshape(examples)
    right = (flat >= 0) & (flat < MOST_EXAMPLES) & (flat == np.floor(flat))
    if not right.all():
        raise InputError(f"{what} holds {flat[~right][0]}, expected whole numbers from 0 to C − 1")
    return flat.astype(np.int64)


def _class_names(
    name: str, labels: Mapping[str, Integers], class_names: tuple[str, ...]
) -> tuple[str, ...]:
    """The names of the classes (their numbers, if none are given), if each is trained on."""
    present = np.unique(labels["train"])
    if len(present) < 2:
        raise InputError(
            f"y_train of {name!r} holds a single class, {present[0]}, expected two or more"
        )
    names = tuple(class_names) or tuple(map(str, range(len(present))))
    if not all(text.isprintable() for text in names):
        raise InputError(f"{name!r} has unprintable class names: {names!r:.80}")
    for absent in np.setdiff1d(np.arange(len(names)), present):
        raise InputError(
            f"y_train of {name!r} holds no example of class {names[absent]}, "
            "expected labels 0 … C − 1 and at least one example of each"
        )
    for part, y in labels.items():
        if y.max() >= len(names):
            raise InputError(
                f"y_{part} of {name!r} holds label {y.max()}, expected 0 … {len(names) - 1}"
            )
    return names


def _completed(
    name: str, x: dict[str, Array], y: dict[str, Integers]
) -> tuple[dict[str, Array], dict[str, Integers]]:
    """All three parts of x and y: those that lack are cut from the training part."""
    lacking = [part for part in PARTS if part not in y]
    share = max(1, round(len(y["train"]) / SHARE))
    try:
        cuts = stratified(y["train"], [share] * len(lacking)) if lacking else []
    except ValueError as error:
        raise InputError(f"{name!r} cannot be split: {error}") from None
    at = dict(zip(["train", *lacking], cuts, strict=False))
    return (
        x | {part: x["train"][index] for part, index in at.items()},
        y | {part: y["train"][index] for part, index in at.items()},
    )
