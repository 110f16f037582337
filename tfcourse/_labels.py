"""What a cross-entropy is computed against: integer labels or one-hot rows, weighted, smoothed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tfcourse import _checks
from tfcourse._arrays import Floats, floats
from tfcourse._checks import InputError, InputTypeError

Labels = NDArray[np.integer[Any]]


def one_hot(labels: ArrayLike, classes: int, dtype: Any = np.float32) -> Floats:
    """Return 1 at each label and 0 elsewhere, shape (…, classes) for labels (…).

    Raises: ValueError for labels outside 0…classes−1, TypeError if they are not whole numbers.

    >>> tfc.softmax.one_hot([2, 0], classes=3)
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    classes = _checks.integer("classes", classes, at_least=1)
    indices = _integer_labels(labels, classes)
    result = np.zeros((*indices.shape, classes), dtype)
    np.put_along_axis(result, indices[..., None], 1, -1)
    return result


def from_one_hot(targets: ArrayLike) -> NDArray[np.int64]:
    """Return the labels of one-hot rows, the inverse of `one_hot`.

    Raises: ValueError unless each row is 1 once and 0 elsewhere.

    >>> tfc.softmax.from_one_hot([[0, 0, 1], [1, 0, 0]])
    array([2, 0])
    """
    t = floats("targets", targets)
    if t.ndim == 0 or not (((t == 0) | (t == 1)).all() and (t.sum(axis=-1) == 1).all()):
        raise InputError(f"targets must have rows with a single 1 and else 0, got {_short(t)}")
    return np.asarray(t.argmax(axis=-1), np.int64)


def weighted_targets(
    z: Floats, labels: ArrayLike, class_weights: ArrayLike | None, label_smoothing: float
) -> Floats:
    """Return w y, with y smoothed, shaped as z and in its dtype."""
    smoothing = _checks.number("label_smoothing", label_smoothing, at_least=0, at_most=1)
    classes = z.shape[-1] if z.ndim else 0
    y = np.asarray(labels)
    if y.ndim == z.ndim:
        y = floats("labels", labels).astype(np.float64)
        if y.shape != z.shape:
            raise InputError(f"labels must have shape {z.shape}, got {y.shape}")
        refuse_improbable("labels", y)
    else:
        y = one_hot(labels_of(z, y), classes, np.float64)
    y = y * (1 - smoothing) + smoothing / classes
    return np.asarray(class_weighting(class_weights, z) * y, z.dtype)


def class_weighting(class_weights: ArrayLike | None, z: Floats) -> Floats:
    """Return the weight of each class of z, in z's dtype."""
    classes = z.shape[-1]
    if class_weights is None:
        return np.ones(classes, z.dtype)
    weights = floats("class_weights", class_weights).astype(z.dtype)
    if weights.shape != (classes,) or not (np.isfinite(weights) & (weights >= 0)).all():
        raise InputError(
            f"class_weights must be {classes} finite numbers at least 0, got {_short(weights)}"
        )
    return weights


def labels_of(z: Floats, labels: NDArray[Any]) -> Labels:
    """Return integer labels, one for each row of z."""
    if z.ndim == 0 or labels.shape != z.shape[:-1]:
        raise InputError(
            f"labels must have shape {z.shape[:-1]}, or {z.shape} if one-hot, got {labels.shape}"
        )
    return _integer_labels(labels, z.shape[-1])


def _integer_labels(labels: ArrayLike, classes: int) -> Labels:
    indices = np.asarray(labels)
    if indices.dtype.kind not in "iu":
        raise InputTypeError(f"labels must be whole numbers or one-hot rows, got {indices.dtype}")
    outside = indices[(indices < 0) | (indices >= classes)]
    if outside.size:
        raise InputError(f"labels must be in 0…{classes - 1}, got {outside.flat[0]}")
    return indices


def refuse_improbable(name: str, p: Floats) -> None:
    """Raise unless the rows of p are probabilities."""
    if p.ndim == 0:
        raise InputError(f"{name} must have shape (…, C), got a single number")
    rows = p.reshape(-1, p.shape[-1])
    bad = ~((rows >= 0).all(axis=1) & (np.abs(rows.sum(axis=1) - 1) <= 1e-3))
    if bad.any():
        raise InputError(
            f"{name} must have rows of numbers at least 0 that sum to 1, got {_short(rows[bad][0])}"
        )


def _short(values: NDArray[Any]) -> str:
    """Return an array in one line."""
    return np.array2string(values, threshold=8, max_line_width=10**6).replace("\n", "")
