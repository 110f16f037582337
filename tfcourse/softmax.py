"""Softmax and cross-entropy in NumPy: each formula, and its derivative beside it.

(Lecture part 3.) Arrays are (examples, classes), as in Keras; the lecture's (classes, examples)
comes in through `from_lecture_orientation`. float32 in gives float32 out, float64 gives float64.
A logit of −∞ masks its class: probability 0. A row that masks every class has no softmax and is
refused, as NaN and +∞ are.

>>> loss, gradient = tfc.softmax.cross_entropy_with_gradient([5, 2, -1, 3], 0)
>>> gradient.round(3)
array([-0.158,  0.042,  0.002,  0.114])
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tfcourse import _checks
from tfcourse._arrays import Floats, as_rows, fast_arithmetic, floats
from tfcourse._labels import (
    class_weighting,
    from_one_hot,
    labels_of,
    one_hot,
    refuse_improbable,
    weighted_targets,
)

__all__ = [
    "LinearClassifier",
    "LossAndGradient",
    "cross_entropy",
    "cross_entropy_from_logits",
    "cross_entropy_with_gradient",
    "from_lecture_orientation",
    "from_one_hot",
    "hardmax",
    "log_softmax",
    "one_hot",
    "sigmoid",
    "softmax",
    "softmax_jacobian",
    "softmax_two_classes",
    "train_linear_classifier",
]


def softmax(logits: ArrayLike, axis: int = -1) -> Floats:
    """Return the probabilities a = t/Σ t, t = e^z, along an axis.

    Raises: ValueError for NaN, +∞ or a row of −∞ only.

    >>> tfc.softmax.softmax([5, 2, -1, 3]).round(3)
    array([0.842, 0.042, 0.002, 0.114])
    """
    z = floats("logits", logits)
    last = np.moveaxis(z, _axis(z, axis), -1)
    t, total, _ = _exponentials(as_rows("logits", last))
    with fast_arithmetic():
        t *= (1 / total)[:, None]
    t = t.reshape(last.shape)
    return np.moveaxis(t, -1, axis)


def log_softmax(logits: ArrayLike, axis: int = -1) -> Floats:
    """Return log a = z − max z − log Σ e^(z − max z) along an axis, at most 0.

    Raises: ValueError for NaN, +∞ or a row of −∞ only.

    >>> tfc.softmax.log_softmax([0, 1000])
    array([-1000.,     0.])
    """
    z = floats("logits", logits)
    axis = _axis(z, axis)
    with fast_arithmetic():
        shifted: Floats = z - z.max(axis=axis, keepdims=True)
        total = np.exp(shifted).sum(axis=axis, keepdims=True)
        if np.isnan(total).any():
            raise _bad_logits(z, axis)
        shifted -= np.log(total)
    return shifted


def hardmax(logits: ArrayLike, axis: int = -1) -> Floats:
    """Return 1 at the maximum along an axis, at the first of several, and 0 elsewhere.

    Raises: ValueError for NaN, +∞ or a row of −∞ only.

    >>> tfc.softmax.hardmax([5, 2, -1, 3])
    array([1., 0., 0., 0.])
    """
    z = floats("logits", logits)
    axis = _axis(z, axis)
    if not np.isfinite(z.max(axis=axis)).all():
        raise _bad_logits(z, axis)
    result = np.zeros_like(z)
    np.put_along_axis(result, z.argmax(axis=axis, keepdims=True), 1, axis)
    return result


def softmax_jacobian(logits: ArrayLike) -> Floats:
    """Return ∂a_i/∂z_j = a_i (δ_ij − a_j), shape (…, C, C) for logits (…, C).

    Raises: ValueError as `softmax` does.

    >>> tfc.softmax.softmax_jacobian([0, 0])
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    a = softmax(logits)
    return a[..., :, None] * (np.eye(a.shape[-1], dtype=a.dtype) - a[..., None, :])


def sigmoid(z: ArrayLike) -> Floats:
    """Return σ(z) = 1/(1 + e^−z), which is e^z/(1 + e^z) where z < 0 so that nothing overflows.

    Raises: ValueError for NaN.

    >>> tfc.softmax.sigmoid([-1000, 0, 1000])
    array([0. , 0.5, 1. ])
    """
    z = floats("z", z)
    if np.isnan(z).any():
        raise ValueError("z must hold numbers, got nan")
    with fast_arithmetic():
        small = np.exp(-np.abs(z))
        return np.asarray(np.where(z < 0, small, 1) / (1 + small), z.dtype)


def softmax_two_classes(logits: ArrayLike) -> Floats:
    """Return softmax for C = 2 as logistic regression has it: (σ(z₁ − z₂), σ(z₂ − z₁)).

    logits: (…, 2). σ(z₂ − z₁) is 1 − σ(z₁ − z₂) without the loss of digits near 1.

    Raises: ValueError for another number of classes, NaN or infinity.

    >>> tfc.softmax.softmax_two_classes([5, 2]).round(3)
    array([0.953, 0.047])
    """
    z = floats("logits", logits)
    if z.ndim == 0 or z.shape[-1] != 2 or not np.isfinite(z).all():
        raise ValueError(f"logits must be finite and have shape (…, 2), got {z.shape}: {z.flat[0]}")
    with fast_arithmetic():
        difference = z[..., 0] - z[..., 1]
    return np.stack([sigmoid(difference), sigmoid(-difference)], axis=-1)


def from_lecture_orientation(columns: ArrayLike, classes: int) -> NDArray[Any]:
    """Return the lecture's (C, m), one column an example, as (m, C), one row an example.

    That the first axis is the classes cannot be seen when C = m, hence `classes` says it; a wrong
    orientation with C = m computes a cost without any error. To go back, transpose the result.

    Raises: ValueError unless there are `classes` rows.

    >>> tfc.softmax.from_lecture_orientation([[1, 2, 3], [4, 5, 6]], classes=2)
    array([[1, 4],
           [2, 5],
           [3, 6]])
    """
    array = np.asarray(columns)
    if array.ndim != 2 or len(array) != _checks.integer("classes", classes, at_least=1):
        raise ValueError(f"columns must have shape ({classes}, m), got {array.shape}")
    return np.ascontiguousarray(array.T)


def cross_entropy(
    probabilities: ArrayLike,
    labels: ArrayLike,
    *,
    reduction: str = "mean",
    class_weights: ArrayLike | None = None,
    label_smoothing: float = 0.0,
) -> Floats:
    """Return L = −Σ_j y_j log ŷ_j from probabilities; a probability of 0 for the true class is ∞.

    probabilities: ŷ, (…, C), rows that sum to 1 within 0.001. labels: integers (…), or one-hot
    rows or other probabilities (…, C). reduction: "mean" gives J = (1/m) Σ L, "none" L per example.
    class_weights: w, (C,), makes it −Σ_j w_j y_j log ŷ_j; the mean still divides by m, as Keras
    does (PyTorch divides by the sum of the weights). label_smoothing: s in [0, 1] makes
    y (1 − s) + s/C of y; then a masked class costs ∞.

    Raises: ValueError for shapes or values other than these, TypeError for labels of another type.

    >>> tfc.softmax.cross_entropy([0.3, 0.2, 0.1, 0.4], [0, 1, 0, 0]).round(3)
    np.float64(1.609)
    """
    p = floats("probabilities", probabilities)
    refuse_improbable("probabilities", p)
    weighted = weighted_targets(p, labels, class_weights, label_smoothing)
    with fast_arithmetic():
        return _reduce(_expected(weighted, np.log(p)), reduction)


def cross_entropy_from_logits(
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    reduction: str = "mean",
    class_weights: ArrayLike | None = None,
    label_smoothing: float = 0.0,
) -> Floats:
    """Return `cross_entropy(softmax(logits), labels)` without its loss of digits: −Σ_j y_j log ŷ_j.

    log ŷ is computed from the logits, so it stays exact where ŷ is too small or too near 1 for its
    dtype. Labels, options and errors as for `cross_entropy`.

    >>> tfc.softmax.cross_entropy_from_logits([0, 1000], 0).round(3)
    np.float64(1000.0)
    """
    z = floats("logits", logits)
    weighted = weighted_targets(z, labels, class_weights, label_smoothing)
    return _reduce(_expected(weighted, log_softmax(z)), reduction)


class LossAndGradient(NamedTuple):
    """The loss, and its derivative by the logits."""

    loss: Floats
    gradient: Floats


def cross_entropy_with_gradient(
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    reduction: str = "mean",
    class_weights: ArrayLike | None = None,
    label_smoothing: float = 0.0,
) -> LossAndGradient:
    """Return `cross_entropy_from_logits` and dz = ŷ − y, which "mean" divides by m.

    With class weights dz_j = ŷ_j Σ_k w_k y_k − w_j y_j. Labels, options, errors as for
    `cross_entropy`.

    >>> logits = np.log([0.3, 0.2, 0.1, 0.4])
    >>> tfc.softmax.cross_entropy_with_gradient(logits, 1).gradient.round(3)
    array([ 0.3, -0.8,  0.1,  0.4])
    """
    z = floats("logits", logits)
    rows = as_rows("logits", z)
    m = len(rows) if _checks.choice("reduction", reduction, ("mean", "none")) == "mean" else 1
    y = np.asarray(labels)
    if y.ndim == z.ndim or label_smoothing:
        weighted = weighted_targets(z, labels, class_weights, label_smoothing)
        loss = _expected(weighted, log_softmax(z))
        gradient = softmax(z) * weighted.sum(axis=-1, keepdims=True) - weighted
        return LossAndGradient(_reduce(loss, reduction), gradient / z.dtype.type(m))
    y = labels_of(z, y).reshape(-1)
    weights = class_weighting(class_weights, rows)[y]
    t, total, shift = _exponentials(rows)
    with fast_arithmetic():
        at_label = np.arange(len(rows)), y
        probability = t[at_label] / total
        loss = -np.log(probability)
        vanished = probability < np.finfo(z.dtype).tiny
        loss[vanished] = (np.log(total) + shift - rows[at_label])[vanished]
        loss = np.where(weights == 0, 0, weights * loss).reshape(z.shape[:-1])
        t *= (weights / (total * z.dtype.type(m)))[:, None]
        t[at_label] -= weights / z.dtype.type(m)
    return LossAndGradient(_reduce(loss, reduction), t.reshape(z.shape))


class LinearClassifier(NamedTuple):
    """softmax(x kernel + bias): kernel (features, C), bias (C,), and the cost before each step."""

    kernel: Floats
    bias: Floats
    costs: list[float]


def train_linear_classifier(
    x: ArrayLike,
    labels: ArrayLike,
    kernel: ArrayLike,
    bias: ArrayLike,
    *,
    batches: Iterable[ArrayLike],
    learning_rate: float,
) -> LinearClassifier:
    """Train softmax without a hidden layer by gradient descent, from these formulas alone.

    z = xW + b, dz = (ŷ − y)/m, dW = xᵀ dz, db = Σ dz, W := W − α dW, b := b − α db

    x: (m, features). labels: (m,). kernel, bias: where W, (features, C), and b, (C,), start.
    batches: for each step the examples of its mini-batch, as indices.

    Raises: ValueError for shapes that do not match, and as `cross_entropy` does.

    >>> x, labels = np.array([[-1.0], [-2.0], [1.0], [2.0]]), [0, 0, 1, 1]
    >>> start, whole = (np.zeros((1, 2)), np.zeros(2)), [range(4)] * 100
    >>> found = tfc.softmax.train_linear_classifier(
    ...     x, labels, *start, batches=whole, learning_rate=1
    ... )
    >>> (x @ found.kernel + found.bias).argmax(axis=1)
    array([0, 0, 1, 1])
    """
    x, kernel, bias = floats("x", x), floats("kernel", kernel).copy(), floats("bias", bias).copy()
    if x.ndim != 2 or kernel.shape != (x.shape[1], bias.size) or bias.ndim != 1:
        raise ValueError(
            "x, kernel, bias must have shapes (m, features), (features, C), (C,), "
            f"got {x.shape}, {kernel.shape}, {bias.shape}"
        )
    learning_rate = _checks.number("learning_rate", learning_rate, above=0)
    y, costs = np.asarray(labels), []
    for batch in batches:
        rows = np.asarray(batch)
        cost, dz = cross_entropy_with_gradient(x[rows] @ kernel + bias, y[rows])
        kernel -= learning_rate * (x[rows].T @ dz)
        bias -= learning_rate * dz.sum(axis=0)
        costs.append(float(cost))
    return LinearClassifier(kernel, bias, costs)


def _exponentials(rows: Floats) -> tuple[Floats, Floats, Floats]:
    """Return t = e^(z − shift), its row sums, and the shift of each row.

    The shift cancels in t/Σ t. Where e^z neither overflows nor vanishes it is 0, which saves two
    passes over memory and the rounding of z − shift; elsewhere it is the row's maximum.
    """
    shift = np.zeros(len(rows), rows.dtype)
    ones = np.ones(rows.shape[1], rows.dtype)
    with fast_arithmetic():
        t = np.exp(rows)
        total = t @ ones
        far = ~((total >= 1) & (total <= 1e30))
        if far.any():
            shift[far] = rows[far].max(axis=1)
            t[far] = np.exp(rows[far] - shift[far, None])
            total[far] = t[far] @ ones
    if np.isnan(total).any():
        raise _bad_logits(rows, -1)
    return t, total, shift


def _expected(weighted_targets: Floats, log_p: Floats) -> Floats:
    """Return −Σ_j y_j log ŷ_j, where 0 · (−∞) is 0: a masked class that is not asked for."""
    with fast_arithmetic():
        terms = np.where(weighted_targets == 0, 0, weighted_targets * log_p)
        return np.asarray(-terms.sum(axis=-1), log_p.dtype)


def _reduce(loss: Floats, reduction: str) -> Floats:
    if _checks.choice("reduction", reduction, ("mean", "none")) == "none":
        return loss
    # Divided before it is summed: losses near the largest number have a mean, but no sum.
    return np.asarray((loss / np.float64(loss.size)).sum(), loss.dtype)


def _bad_logits(z: Floats, axis: int) -> ValueError:
    bad = z[np.isnan(z) | (z == np.inf)]
    seen = bad[0] if bad.size else "a row of -inf only, which masks every class"
    return ValueError(f"logits must be finite, or -inf for a masked class, got {seen}")


def _axis(z: Floats, axis: int) -> int:
    axis = _checks.integer("axis", axis)
    if not -z.ndim <= axis < z.ndim:
        raise ValueError(f"axis must be one of the {z.ndim} axes of logits, got {axis}")
    return axis
