"""Softmax and cross-entropy in NumPy: each formula, and its derivative below it.

(Lecture part 3; Goodfellow, Bengio and Courville 2016, "Deep Learning", section 6.2.2.3.) Arrays
are (examples, classes), as in Keras. Results have the dtype of the logits, float32 or float64
(whole numbers become float64); sums are float64. A logit of −∞ masks its class: probability 0.
ValueError is raised for NaN, +∞, a row that masks every class, masked entries of numpy.ma, and
shapes or values other than those described, TypeError for other types.

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
from tfcourse._arrays import Floats, floats, plain
from tfcourse._checks import InputError, InputTypeError

__all__ = [
    "LinearClassifier", "LossAndGradient", "cross_entropy", "cross_entropy_from_logits",
    "cross_entropy_with_gradient", "from_lecture_orientation", "hardmax", "log_softmax", "one_hot",
    "sigmoid", "softmax", "softmax_jacobian", "train_linear_classifier",
]  # fmt: skip

# e^z may vanish and a difference of logits may leave the range: both come to the right limit.
_no_warnings = np.errstate(all="ignore")


@_no_warnings
def softmax(logits: ArrayLike, axis: int = -1) -> Floats:
    """Return the probabilities a = t/Σ t, with t = e^z, along an axis.

    >>> tfc.softmax.softmax([5, 2, -1, 3]).round(3)
    array([0.842, 0.042, 0.002, 0.114])
    """
    z = _logits(logits, axis)
    t = np.exp(z - z.max(axis=axis, keepdims=True))  # max z cancels in t/Σ t, and nothing overflows
    a: Floats = t / t.sum(axis, np.float64, keepdims=True).astype(z.dtype)
    return a


def softmax_jacobian(logits: ArrayLike) -> Floats:
    """Return ∂a_i/∂z_j = a_i (δ_ij − a_j), shape (…, C, C) for logits (…, C).

    >>> tfc.softmax.softmax_jacobian([0, 0]).tolist()
    [[0.25, -0.25], [-0.25, 0.25]]
    """
    a = softmax(logits)
    return a[..., :, None] * (np.eye(a.shape[-1], dtype=a.dtype) - a[..., None, :])


@_no_warnings
def log_softmax(logits: ArrayLike, axis: int = -1) -> Floats:
    """Return log a = z − max z − log Σ e^(z − max z) along an axis.

    The sum is 1 for the maximum plus the rest. log(1 + rest) keeps its digits however small the
    rest is, so that log a is right even where a rounds to 1.

    >>> tfc.softmax.log_softmax([0, 1000])
    array([-1000.,     0.])
    """
    z = _logits(logits, axis)
    z = z - z.max(axis=axis, keepdims=True)
    t = np.exp(z)
    np.put_along_axis(t, z.argmax(axis=axis, keepdims=True), 0, axis)
    log_a: Floats = z - np.log1p(t.sum(axis, np.float64, keepdims=True)).astype(z.dtype)
    return log_a


def hardmax(logits: ArrayLike, axis: int = -1) -> Floats:
    """Return 1 at the maximum along an axis, at the first of several, and 0 elsewhere.

    >>> tfc.softmax.hardmax([5, 2, -1, 3])
    array([1., 0., 0., 0.])
    """
    z = _logits(logits, axis)
    rows = one_hot(z.argmax(axis=axis), z.shape[axis])
    return np.asarray(np.moveaxis(rows, -1, axis), z.dtype)


@_no_warnings
def sigmoid(z: ArrayLike) -> Floats:
    """Return σ(z) = 1/(1 + e^−z); z may be infinite, but not NaN.

    Softmax for C = 2 is (σ(z₁ − z₂), σ(z₂ − z₁)), logistic regression on the difference.

    >>> tfc.softmax.sigmoid([5 - 2, 2 - 5]).round(3), tfc.softmax.softmax([5, 2]).round(3)
    (array([0.953, 0.047]), array([0.953, 0.047]))
    """
    z = floats("z", z)
    if np.isnan(z).any():
        raise InputError("z must hold numbers, got nan")
    return np.asarray(1 / (1 + np.exp(-z)), z.dtype)


def one_hot(labels: ArrayLike, classes: int, dtype: Any = np.float32) -> Floats:
    """Return 1 at each label and 0 elsewhere, shape (…, classes) for labels (…) in 0…classes−1.

    >>> tfc.softmax.one_hot([2, 0], classes=3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    classes, y = _checks.integer("classes", classes, at_least=1), plain("labels", labels)
    if y.dtype.kind not in "iu":
        raise InputTypeError(f"labels must be whole numbers or one-hot rows, got {y.dtype}")
    outside = (y < 0) | (y >= classes)
    if outside.any():
        raise InputError(f"labels must be in 0…{classes - 1}, got {y[outside][0]}")
    return np.asarray(y[..., None] == np.arange(classes), dtype)


def from_lecture_orientation(columns: ArrayLike, classes: int) -> NDArray[Any]:
    """Return the lecture's (C, m), one column an example, as (m, C), one row an example.

    `classes` says which axis is which: where C = m nothing else does, and the wrong orientation
    gives a wrong cost without an error. To go back, transpose the result.

    >>> tfc.softmax.from_lecture_orientation([[1, 2, 3], [4, 5, 6]], classes=2).tolist()
    [[1, 4], [2, 5], [3, 6]]
    """
    array = plain("columns", columns)
    if array.ndim != 2 or len(array) != _checks.integer("classes", classes, at_least=1):
        raise InputError(f"columns must have shape ({classes}, m), got {array.shape}")
    return np.ascontiguousarray(array.T)


@_no_warnings
def cross_entropy(probabilities: ArrayLike, labels: ArrayLike, reduction: str = "mean") -> Floats:
    """Return L = −Σ_j y_j log ŷ_j from probabilities; ∞ if that of the true class is 0.

    probabilities: ŷ, (…, C), rows that sum to 1 within 0.001. labels: whole numbers (…), or y,
    one-hot or other such rows, (…, C). reduction: "mean" gives J = (1/m) Σ L, "none" each L.

    >>> tfc.softmax.cross_entropy([0.3, 0.2, 0.1, 0.4], [0, 1, 0, 0]).round(3)
    np.float64(1.609)
    """
    y_hat = _probabilities("probabilities", probabilities)
    return _cross_entropy(_targets(labels, y_hat), np.log(y_hat), reduction)


@_no_warnings
def cross_entropy_from_logits(
    logits: ArrayLike, labels: ArrayLike, reduction: str = "mean"
) -> Floats:
    """Return `cross_entropy(softmax(logits), labels)`, right also where ŷ rounds to 0 or to 1.

    >>> tfc.softmax.cross_entropy_from_logits(np.float32([0, -20]), 0)
    np.float32(2.0611537e-09)
    """
    log_y_hat = log_softmax(logits)
    return _cross_entropy(_targets(labels, log_y_hat), log_y_hat, reduction)


class LossAndGradient(NamedTuple):
    """The loss, and its gradient with respect to the logits."""

    loss: Floats
    gradient: Floats


@_no_warnings
def cross_entropy_with_gradient(
    logits: ArrayLike, labels: ArrayLike, reduction: str = "mean"
) -> LossAndGradient:
    """Return `cross_entropy_from_logits` and dz = ŷ − y, which "mean" divides by m.

    >>> logits = np.log([0.3, 0.2, 0.1, 0.4])
    >>> tfc.softmax.cross_entropy_with_gradient(logits, 1).gradient.round(3)
    array([ 0.3, -0.8,  0.1,  0.4])
    """
    log_y_hat = log_softmax(logits)
    y = _targets(labels, log_y_hat)
    loss = _cross_entropy(y, log_y_hat, reduction)
    y_hat = np.exp(log_y_hat)
    dz = y_hat - y
    return LossAndGradient(loss, dz / y[..., 0].size if reduction == "mean" else dz)


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
    """Train softmax without a hidden layer by gradient descent, with these formulas alone.

    z = xW + b,  dz = (ŷ − y)/m,  dW = xᵀ dz,  db = Σ dz,  W := W − α dW,  b := b − α db

    x: (m, features). labels: (m,). kernel, bias: where W, (features, C), and b, (C,), start.
    batches: for each step the examples of its mini-batch, as indices.

    >>> x, y, W, b = np.array([[-1.0], [2.0]]), [0, 1], np.zeros((1, 2)), np.zeros(2)
    >>> tfc.softmax.train_linear_classifier(x, y, W, b, batches=[[0, 1]] * 2, learning_rate=1).costs
    [0.693..., 0.125...]
    """
    x, W, b = floats("x", x), floats("kernel", kernel).copy(), floats("bias", bias).copy()
    if x.ndim != 2 or W.shape != (x.shape[1], *b.shape):
        shapes = f"(m, features), (features, C), (C,), got {x.shape}, {W.shape}, {b.shape}"
        raise InputError(f"x, kernel, bias must have shapes {shapes}")
    alpha = _checks.number("learning_rate", learning_rate, above=0)
    y, costs = plain("labels", labels), []
    for batch in batches:
        rows = np.asarray(batch)
        cost, dz = cross_entropy_with_gradient(x[rows] @ W + b, y[rows])
        W -= alpha * (x[rows].T @ dz)
        b -= alpha * dz.sum(axis=0)
        costs.append(float(cost))
    return LinearClassifier(W, b, costs)


def _cross_entropy(y: Floats, log_y_hat: Floats, reduction: str) -> Floats:
    """Return −Σ_j y_j log ŷ_j, where 0 · (−∞) is 0: a masked class that is not the true one."""
    log_likelihood = (y * log_y_hat).sum(axis=-1, where=y > 0, dtype=np.float64)
    loss = 0 - log_likelihood  # and not −log_likelihood: no loss at all would print as -0.0
    if _checks.choice("reduction", reduction, ("mean", "none")) == "mean":
        loss = (loss / loss.size).sum()  # in this order, for losses whose sum would overflow
    return np.asarray(loss, log_y_hat.dtype)[()]


def _targets(labels: ArrayLike, z: Floats) -> Floats:
    """Return y, shaped as z, from labels of either kind."""
    y = plain("labels", labels)
    if y.shape == z.shape:
        return _probabilities("labels", y).astype(z.dtype)
    if y.shape == z.shape[:-1]:
        return one_hot(y, z.shape[-1], z.dtype)
    raise InputError(f"labels must have shape {z.shape[:-1]} or {z.shape}, got {y.shape}")


def _logits(logits: ArrayLike, axis: int) -> Floats:
    """Return the logits, of which each row along the axis has a finite maximum."""
    z = floats("logits", logits)
    if not -z.ndim <= _checks.integer("axis", axis) < z.ndim:
        raise InputError(f"axis must be one of the {z.ndim} axes of logits, got {axis}")
    if not np.isfinite(z.max(axis=axis)).all():
        bad = [*z[np.isnan(z) | (z == np.inf)], "a row of -inf, which masks every class"]
        raise InputError(f"logits must be finite, or -inf for a masked class, got {bad[0]}")
    return z


def _probabilities(name: str, value: ArrayLike) -> Floats:
    """Return rows of numbers at least 0 that sum to 1."""
    p = floats(name, value, axes=1)
    good = (p >= 0).all(axis=-1) & (np.abs(p.sum(axis=-1) - 1) <= 1e-3)
    if not good.all():
        seen = p[~good][0][:8].tolist()
        raise InputError(f"{name} must have rows of numbers at least 0 that sum to 1, got {seen}")
    return p
