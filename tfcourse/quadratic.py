"""The lecture's TensorFlow program, in TensorFlow 2: minimize J(w) = w² − 10w + 25 = (w − 5)².

Only the forward pass is written; `tf.GradientTape` supplies dJ/dw. Where the lecture has a
placeholder and a feed_dict, the coefficients are an argument of a `tf.function`: new data, same
graph. (Lecture part 4.)

>>> minimizer = tfc.quadratic.Minimizer(learning_rate=0.01)
>>> cost_before = minimizer.step([1, -10, 25])
>>> print(f"{cost_before:.0f}, w = {minimizer.w.numpy():.2f}")
25, w = 0.10
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tfcourse import _checks
from tfcourse._tensorflow import keras, tf
from tfcourse.quadratic_problem import (
    LECTURE,
    Dtype,
    check_learning_rate,
    coefficient_array,
    coefficient_stream,
    minimum,
    optimizer_name,
)

__all__ = ["Descent", "Minimizer", "cost", "cost_by_functions", "minimize"]


def cost(w: Any, x: Any) -> Any:
    """Return J(w) = x₀w² + x₁w + x₂, with operators; x has shape (3, 1)."""
    return x[0][0] * w**2 + x[1][0] * w + x[2][0]


def cost_by_functions(w: Any, x: Any) -> Any:
    """Return the same J(w), written with `tf.add` and `tf.multiply`."""
    return tf.add(tf.add(tf.multiply(x[0][0], w**2), tf.multiply(x[1][0], w)), x[2][0])


@dataclass(frozen=True)
class Descent:
    """A path of gradient descent.

    w, cost: wₜ and J(wₜ) before every step and after the last, shape (steps + 1,); where the
    coefficients change from step to step, J is that of the step (the last one's at the end).
    traces: how often TensorFlow traced the program.
    """

    w: NDArray[Any]
    cost: NDArray[Any]
    traces: int


def _make_optimizer(optimizer: Any, learning_rate: float) -> Any:
    if isinstance(optimizer, keras.optimizers.Optimizer):
        return optimizer
    name = optimizer_name(optimizer)
    learning_rate = _checks.number("learning_rate", learning_rate, above=0)
    if name == "gradient_descent":
        return keras.optimizers.SGD(learning_rate)
    if name == "momentum":
        return keras.optimizers.SGD(learning_rate, momentum=0.9)
    by_name = {cls.lower(): getattr(keras.optimizers, cls) for cls in dir(keras.optimizers)}
    if name not in by_name:
        raise _checks.InputError(f"Keras {keras.__version__} has no optimizer {name}")
    return by_name[name](learning_rate)


class Minimizer:
    """A variable w, an optimizer, and the program that takes one step, or all of them.

    optimizer: a name of `OPTIMIZERS`, used with `learning_rate`, or a Keras optimizer.
    w: where to start.
    cost: J, a function of w and of the coefficients x of shape (3, 1).

    Raises: ValueError or TypeError for an unknown optimizer or a learning rate not above 0.
    """

    def __init__(
        self,
        optimizer: Any = "gradient_descent",
        learning_rate: float = 0.01,
        *,
        w: float = 0.0,
        dtype: Dtype = "float32",
        cost: Callable[[Any, Any], Any] = cost,
    ) -> None:
        self.dtype = dtype
        self.cost = cost
        self.w = tf.Variable(_checks.number("w", w), dtype=dtype)
        self.optimizer = _make_optimizer(optimizer, learning_rate)
        self.optimizer.build([self.w])
        one, many = tf.TensorSpec((3, 1), dtype), tf.TensorSpec((None, 3, 1), dtype)
        # TensorFlow counts traces per piece of Python code, and would take the programs of several
        # minimizers for one that is traced again and again; a partial is a piece of its own.
        self.train_step = tf.function(partial(self._train_step), input_signature=[one])
        self.train_loop = tf.function(
            partial(self._train_loop), input_signature=[many], jit_compile=True
        )

    def _train_step(self, x: Any) -> Any:
        with tf.GradientTape() as tape:
            J = self.cost(self.w, x)
        self.optimizer.apply(tape.gradient(J, [self.w]), [self.w])
        return J

    def _train_loop(self, stream: Any) -> tuple[Any, Any]:
        steps = tf.shape(stream)[0]
        w_path = tf.TensorArray(self.dtype, size=steps)
        cost_path = tf.TensorArray(self.dtype, size=steps)
        for step in tf.range(steps):
            w_path = w_path.write(step, self.w)
            cost_path = cost_path.write(step, self._train_step(stream[step]))
        return w_path.stack(), cost_path.stack()

    @property
    def traces(self) -> int:
        """How often TensorFlow traced the step, or the loop, whichever more: at most 1."""
        programs = (self.train_step, self.train_loop)
        return max(int(program.experimental_get_tracing_count()) for program in programs)

    def _check_learning_rate(self, coefficients: ArrayLike) -> None:
        plain_sgd = type(self.optimizer) is keras.optimizers.SGD and not self.optimizer.nesterov
        if plain_sgd:
            learning_rate = float(np.float32(self.optimizer.learning_rate))
            check_learning_rate(learning_rate, coefficients, float(self.optimizer.momentum))

    def step(self, coefficients: ArrayLike = LECTURE) -> float:
        """Take one step and return J before it: one `session.run(train, feed_dict=…)`.

        coefficients: three numbers, any of array, list or tuple, shape (3,) or (3, 1).

        Raises: ValueError or TypeError for coefficients without a minimum or misshapen, and for a
        learning rate with which gradient descent does not converge on them.
        """
        x = coefficient_array(coefficients, self.dtype)
        self._check_learning_rate(x.reshape(1, 3, 1))
        return float(self.train_step(x))

    def run(self, coefficients: ArrayLike = LECTURE, steps: int = 1000) -> Descent:
        """Take all the steps in one compiled program and return their path.

        coefficients: as for `step`; or one set per step, shape (steps, 3) or (steps, 3, 1).
        steps: at least 0.

        Raises: as `step`; ValueError also if the path does not approach the minimum.
        """
        steps = _checks.integer("steps", steps, at_least=0)
        stream = coefficient_stream(coefficients, max(steps, 1), self.dtype)
        self._check_learning_rate(stream)
        w_path, cost_path = self.train_loop(stream) if steps else ([], [])
        last = self.cost(self.w, stream[-1])
        descent = Descent(np.append(w_path, self.w), np.append(cost_path, last), self.traces)
        _check_converges(descent, stream)
        return descent


def _check_converges(descent: Descent, stream: NDArray[Any]) -> None:
    if not np.isfinite(descent.w).all() or not np.isfinite(descent.cost).all():
        step = int(np.argmin(np.isfinite(descent.w) & np.isfinite(descent.cost)))
        raise ValueError(
            f"the descent left the range of {descent.w.dtype} at step {step}: "
            "take a smaller learning_rate or smaller coefficients"
        )
    if (stream == stream[0]).all():
        goal = minimum(stream[0])
        before, after = abs(descent.w[0] - goal), abs(descent.w[-1] - goal)
        if after > before + 1e-3 * (1 + abs(goal)):
            raise ValueError(
                f"the descent does not converge: w went from {descent.w[0]:g} to "
                f"{descent.w[-1]:g}, the minimum is at {goal:g}; take a smaller learning_rate"
            )


def minimize(
    coefficients: ArrayLike = LECTURE,
    *,
    learning_rate: float = 0.01,
    steps: int = 1000,
    optimizer: Any = "gradient_descent",
    w: float = 0.0,
    dtype: Dtype = "float32",
) -> Descent:
    """Minimize J(w) = x₀w² + x₁w + x₂ from `w` and return the path; see `Minimizer`.

    >>> descent = tfc.quadratic.minimize()
    >>> print(f"{descent.w[1]:.5f} {descent.w[1000]:.5f}")
    0.10000 4.99999
    """
    return Minimizer(optimizer, learning_rate, w=w, dtype=dtype).run(coefficients, steps)
