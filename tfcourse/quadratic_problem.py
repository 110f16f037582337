"""The lecture's example as a problem: J(w) = x₀w² + x₁w + x₂, its coefficients x given as data.

What can be said before any training: where the minimum is, and which learning rates reach it.
`quadratic.py` is the program that minimizes it. NumPy only.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tfcourse import _checks

Dtype = Literal["float32", "float64"]

LECTURE = (1.0, -10.0, 25.0)
"""(w − 5)² = w² − 10w + 25."""

OPTIMIZERS = (
    *("gradient_descent", "momentum"),  # the lecture's names for SGD without and with momentum 0.9
    *("adadelta", "adafactor", "adagrad", "adam", "adamax", "adamw", "ftrl", "lamb", "lion"),
    *("muon", "nadam", "rmsprop", "schedulefreeadamw", "sgd"),
)
"""Names of optimizers: the lecture's two, and Keras's own in lower case."""


def optimizer_name(optimizer: str) -> str:
    """Return the name of `OPTIMIZERS` that is meant, in whatever case it is written.

    Raises: ValueError for another name, with the nearest one.
    """
    return _checks.choice("optimizer", optimizer, OPTIMIZERS, also={})


def _finite_array(coefficients: ArrayLike, dtype: Dtype, accepted: str) -> NDArray[Any]:
    try:
        with np.errstate(over="ignore"):
            x = np.asarray(coefficients, dtype=np.float64).astype(dtype)
    except (TypeError, ValueError):
        raise TypeError(f"coefficients must be {accepted}, got {coefficients!r}") from None
    if not np.isfinite(x).all():
        seen = np.asarray(coefficients, dtype=np.float64)
        worst = seen[~np.isfinite(x)][0]
        raise ValueError(f"coefficients must be finite in {dtype}, got {worst:g}")
    return x


def coefficient_array(coefficients: ArrayLike = LECTURE, dtype: Dtype = "float32") -> NDArray[Any]:
    """Return x of J(w) = x₀w² + x₁w + x₂ as the lecture feeds it: an array of shape (3, 1).

    coefficients: three numbers, shape (3,) or (3, 1), finite, x₀ > 0.

    Raises: TypeError for what is no array of numbers; ValueError for another shape, a NaN or
    infinite coefficient, or x₀ ≤ 0, where J has no minimum.
    """
    accepted = "three numbers, shape (3,) or (3, 1)"
    x = _finite_array(coefficients, dtype, accepted)
    if x.shape not in {(3,), (3, 1)}:
        raise ValueError(f"coefficients must be {accepted}, got shape {x.shape}")
    _require_minimum(x.reshape(1, 3, 1))
    return x.reshape(3, 1)


def coefficient_stream(
    coefficients: ArrayLike, steps: int, dtype: Dtype = "float32"
) -> NDArray[Any]:
    """Return the coefficients of every step, shape (steps, 3, 1).

    coefficients: as for `coefficient_array`, used at every step; or one such set per step,
    shape (steps, 3) or (steps, 3, 1).

    Raises: as `coefficient_array`.
    """
    if np.ndim(coefficients) < 2 or np.shape(coefficients) == (3, 1):
        return np.broadcast_to(coefficient_array(coefficients, dtype), (steps, 3, 1))
    accepted = f"three numbers, or three for each of {steps} steps"
    x = _finite_array(coefficients, dtype, accepted)
    if x.shape not in {(steps, 3), (steps, 3, 1)}:
        raise ValueError(f"coefficients must be {accepted}, got shape {x.shape}")
    x = x.reshape(steps, 3, 1)
    _require_minimum(x)
    return x


def _require_minimum(x: NDArray[Any]) -> None:
    a = float(x[:, 0, 0].min(initial=np.inf))
    if a <= 0:
        raise ValueError(f"J has no minimum: the coefficient of w² must be above 0, got {a:g}")


def formula(coefficients: ArrayLike = LECTURE) -> str:
    """Return J's formula as text.

    >>> formula((1, -10, 25))
    'w² − 10w + 25'
    """
    a, *others = coefficient_array(coefficients, "float64").ravel()
    text = f"{a:g}w²" if a != 1 else "w²"
    for value, power in zip(others, ("w", ""), strict=True):
        if value:
            size = "" if abs(value) == 1 and power else f"{abs(value):g}"
            text += f" {'−' if value < 0 else '+'} {size}{power}"
    return text


def minimum(coefficients: ArrayLike = LECTURE) -> float:
    """Return w* = −x₁ / 2x₀, where dJ/dw = 2x₀w + x₁ is 0."""
    x = coefficient_array(coefficients, "float64")
    return float(-x[1, 0] / (2 * x[0, 0]))


def largest_learning_rate(coefficients: ArrayLike = LECTURE, momentum: float = 0.0) -> float:
    """Return the bound below which gradient descent converges: 2(1 + β) / J″, with J″ = 2x₀.

    Below it each step shrinks the error w − w*; at it the error stays, above it the error grows
    (Polyak, Some methods of speeding up the convergence of iteration methods, 1964, for β > 0).
    """
    x = coefficient_stream(coefficients, np.shape(coefficients)[0], "float64")
    return float((1 + momentum) / x[:, 0, 0].max())


def check_learning_rate(
    learning_rate: float, coefficients: ArrayLike = LECTURE, momentum: float = 0.0
) -> float:
    """Return `learning_rate` if gradient descent (with momentum) converges with it.

    Raises: ValueError that names the bound, or TypeError.
    """
    learning_rate = _checks.number("learning_rate", learning_rate, above=0)
    bound = largest_learning_rate(coefficients, momentum)
    if learning_rate >= bound:
        raise ValueError(
            f"learning_rate must be below {bound:.6g} for gradient descent to converge "
            f"on these coefficients, got {learning_rate:.6g}"
        )
    return learning_rate


def check(coefficients: ArrayLike, learning_rate: float, steps: int, optimizer: str) -> None:
    """Raise what a minimization with these arguments would raise before its first step."""
    optimizer = optimizer_name(optimizer)
    _checks.number("learning_rate", learning_rate, above=0)
    _checks.integer("steps", steps, at_least=0)
    coefficient_array(coefficients)
    if optimizer in {"gradient_descent", "sgd", "momentum"}:
        momentum = 0.9 if optimizer == "momentum" else 0.0
        check_learning_rate(learning_rate, np.reshape(coefficients, (1, 3)), momentum)
