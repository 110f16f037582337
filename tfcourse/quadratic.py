"""The lecture's TensorFlow program, in three dialects: minimize J(w) = w² − 10w + 25 = (w − 5)².

- today's TensorFlow 2, with Keras 3: `minimize`, and step by step `Minimizer`
- TensorFlow 2 as the lecture's present video has it: `minimize_as_in_video`
- TensorFlow 1, as the notes have it: `minimize_v1`, through `tf.compat.v1`

In each, only the forward pass is written: TensorFlow finds dJ/dw. (Lecture part 4.)

TensorFlow takes seconds to import, so the functions that run it import it themselves. Where the
minimum is, which α are too large, and whether input can be used is known without it.

>>> w = tfc.quadratic.minimize(learning_rate=0.01, steps=1000).w
>>> print(f"{w[1]:.5f} {w[1000]:.5f}")
0.10000 4.99999
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tfcourse import _checks
from tfcourse._arrays import plain
from tfcourse._checks import InputError, InputTypeError

__all__ = [
    "Descent", "Minimizer", "convergence", "cost", "cost_by_functions", "formula",
    "largest_learning_rate", "minimize", "minimize_as_in_video", "minimize_v1", "minimum",
]  # fmt: skip

Dtype = Literal["float32", "float64"]

LECTURE = (1.0, -10.0, 25.0)
"""x of (w − 5)² = w² − 10w + 25."""


def cost(w: Any, x: Any) -> Any:
    """Return J(w) = x₀w² + x₁w + x₂; x has shape (3, 1)."""
    return x[0][0] * w**2 + x[1][0] * w + x[2][0]


def cost_by_functions(w: Any, x: Any) -> Any:
    """Return the same J(w), written with `tf.add` and `tf.multiply`."""
    from tfcourse._tensorflow import tf

    return tf.add(tf.add(tf.multiply(x[0][0], w**2), tf.multiply(x[1][0], w)), x[2][0])


@dataclass(frozen=True)
class Descent:
    """The path of a minimization.

    w, cost: wₜ and J(wₜ), before every step and after the last, (steps + 1,). Where each step has
    its own coefficients, J has those of the step, and after the last step those of the last.
    traces: how often TensorFlow traced the program.
    """

    w: NDArray[Any]
    cost: NDArray[Any]
    traces: int


def minimize(
    coefficients: ArrayLike = LECTURE,
    *,
    learning_rate: float | None = None,
    steps: int = 1000,
    optimizer: Any = "gradient_descent",
    w: float = 0.0,
    dtype: Dtype = "float32",
) -> Descent:
    """Minimize J(w) = x₀w² + x₁w + x₂ from `w` in today's TensorFlow 2; see `Minimizer`.

    A learning rate that is too large makes w diverge: the path shows it, `convergence` says why.

    Why does w end at 4.99999 and not at 5? Near 5 the step α dJ/dw becomes smaller than half the
    spacing of float32 there, and w stands still. In float64 it goes on; and Adam, whose steps do
    not shrink with the slope alone, reaches 5 in float32 too:

    >>> runs = {"dtype": "float64"}, {"optimizer": "adam", "learning_rate": 0.1}
    >>> [f"{tfc.quadratic.minimize(**run).w[1000]:.5f}" for run in runs]
    ['5.00000', '5.00000']
    """
    check(coefficients, learning_rate, steps, optimizer)  # before TensorFlow is loaded
    return Minimizer(optimizer, learning_rate, w=w, dtype=dtype).run(coefficients, steps)


class Minimizer:
    """A variable w, an optimizer, and the program that takes one step, or all of them.

    optimizer: "gradient_descent", "momentum" (β = 0.9), the name of a Keras optimizer in any case,
    or a Keras optimizer. learning_rate: α of a named optimizer, 0.01 unless given. w: where to
    start. cost: J, a function of w and of the coefficients x of shape (3, 1).

    Raises: ValueError or TypeError for an unknown optimizer, for a learning rate that is no finite
    number, or for one beside a Keras optimizer, which has its own.
    """

    def __init__(
        self,
        optimizer: Any = "gradient_descent",
        learning_rate: float | None = None,
        *,
        w: float = 0.0,
        dtype: Dtype = "float32",
        cost: Callable[[Any, Any], Any] = cost,
    ) -> None:
        checked = _checked_optimizer(optimizer, learning_rate)
        start = _checks.number("w", w)
        self.dtype = _checks.choice("dtype", dtype, ("float32", "float64"))
        self.cost = cost
        from tfcourse._tensorflow import tf

        self.w = tf.Variable(start, dtype=dtype)
        self.optimizer = checked
        if isinstance(checked, tuple):
            name, alpha = checked
            kind = _keras_optimizers()["sgd" if name in _LECTURES else name]
            self.optimizer = kind(alpha, **_LECTURES.get(name, {}))
        self.optimizer.build([self.w])

        def train_step(x: Any) -> Any:
            with tf.GradientTape() as tape:
                J = self.cost(self.w, x)
            self.optimizer.apply(tape.gradient(J, [self.w]), [self.w])
            return J

        def train_loop(stream: Any) -> tuple[Any, Any]:
            steps = tf.shape(stream)[0]
            w_path = tf.TensorArray(self.dtype, size=steps)
            cost_path = tf.TensorArray(self.dtype, size=steps)
            for step in tf.range(steps):
                w_path = w_path.write(step, self.w)
                cost_path = cost_path.write(step, train_step(stream[step]))
            return w_path.stack(), cost_path.stack()

        # Where TensorFlow 1 had a placeholder and a feed_dict, a tf.function has an argument: new
        # data runs on the same graph. TensorFlow counts traces per piece of Python code, and would
        # take several minimizers' programs for one traced again and again; a partial is its own.
        one, many = tf.TensorSpec((3, 1), dtype), tf.TensorSpec((None, 3, 1), dtype)
        self.train_step = tf.function(partial(train_step), input_signature=[one])
        self.train_loop = tf.function(partial(train_loop), input_signature=[many], jit_compile=True)

    @property
    def traces(self) -> int:
        """How often TensorFlow traced the step, or the loop, whichever more; at most 1."""
        programs = (self.train_step, self.train_loop)
        return max(int(program.experimental_get_tracing_count()) for program in programs)

    def step(self, coefficients: ArrayLike = LECTURE) -> float:
        """Take one step and return J before it: one `session.run(train, feed_dict=…)`.

        coefficients: x, three finite numbers, shape (3,) or (3, 1), x₀ above 0.

        Raises: ValueError or TypeError for other coefficients.
        """
        return float(self.train_step(_stream(coefficients, 1, self.dtype)[0]))

    def run(self, coefficients: ArrayLike = LECTURE, steps: int = 1000) -> Descent:
        """Take all steps in one compiled program and return the path.

        coefficients: as for `step`, or so for every step, (steps, 3) or (steps, 3, 1).
        steps: at least 0.

        Raises: ValueError or TypeError for others.
        """
        steps = _checks.integer("steps", steps, at_least=0)
        stream = _stream(coefficients, max(steps, 1), self.dtype)
        w_path, cost_path = self.train_loop(stream) if steps else ([], [])
        w, J = self.w, self.cost(self.w, stream[-1])
        return Descent(np.append(w_path, w), np.append(cost_path, J), self.traces)


def minimize_as_in_video(
    coefficients: ArrayLike = LECTURE,
    *,
    learning_rate: float = 0.1,
    steps: int = 1000,
    program: Literal["first", "second"] = "first",
) -> NDArray[np.float32]:
    """Minimize from w = 0 with Adam, as the lecture's present video does; return w's path.

    program: the video has two. The first takes the gradient with a `GradientTape`. The second
    calls `optimizer.minimize`, which Keras 3 no longer has:

    >>> tfc.quadratic.minimize_as_in_video(program="second")
    Traceback (most recent call last):
        ...
    AttributeError: 'Adam' object has no attribute 'minimize'

    In its place stands one line of the first, below a tape that has seen the cost:
    `optimizer.apply_gradients(zip(tape.gradient(J, [w]), [w]))`.

    >>> print(f"{tfc.quadratic.minimize_as_in_video()[1000]:.5f}")
    5.00000

    Raises: ValueError or TypeError as `minimize`; AttributeError for the second program.
    """
    _checks.choice("program", program, ("first", "second"))
    check(coefficients, learning_rate, steps)
    from tfcourse._tensorflow import keras, tf

    w = tf.Variable(0, dtype=tf.float32)
    optimizer = keras.optimizers.Adam(learning_rate)
    path = [w.numpy()]
    for x in _stream(coefficients, steps):

        def cost_fn(x: Any = x) -> Any:
            return cost(w, x)

        if program == "second":
            optimizer.minimize(cost_fn, [w])
        else:
            with tf.GradientTape() as tape:
                J = cost_fn()
            optimizer.apply_gradients(zip(tape.gradient(J, [w]), [w], strict=True))
        path.append(w.numpy())
    return np.array(path)


def minimize_v1(
    coefficients: ArrayLike = LECTURE,
    *,
    learning_rate: float = 0.01,
    steps: int = 1000,
    idiom: Literal["session", "with"] = "session",
) -> NDArray[np.float32]:
    """Minimize from w = 0 as the notes do: a graph, a placeholder, a session; return w's path.

    idiom: two ways to write the same, `session = tf.Session()` and `with tf.Session() as session`.

    Raises: ValueError or TypeError as `minimize`.

    >>> w = tfc.quadratic.minimize_v1((1, -20, 100), steps=1)
    >>> print(f"{w[1]:.1f}")
    0.2
    """
    _checks.choice("idiom", idiom, ("session", "with"))
    check(coefficients, learning_rate, steps)
    from tfcourse._tensorflow import tf

    v1 = tf.compat.v1
    with tf.Graph().as_default():
        w = v1.Variable(0, dtype=tf.float32)
        x = v1.placeholder(tf.float32, [3, 1])
        J = x[0][0] * w**2 + x[1][0] * w + x[2][0]
        train = v1.train.GradientDescentOptimizer(learning_rate).minimize(J)
        init = v1.global_variables_initializer()

        def run(session: Any) -> NDArray[np.float32]:
            session.run(init)
            path = [session.run(w)]
            for data in _stream(coefficients, steps):
                session.run(train, feed_dict={x: data})
                path.append(session.run(w))
            return np.array(path)

        if idiom == "with":
            with v1.Session() as session:
                return run(session)
        session = v1.Session()
        path = run(session)
        session.close()
        return path


def minimum(coefficients: ArrayLike = LECTURE) -> float:
    """Return w* = −x₁ / 2x₀, where dJ/dw = 2x₀w + x₁ is 0.

    Why descend at all, if dJ/dw = 0 can be solved? For a parabola it can. For a network it is a
    system of as many nonlinear equations as there are weights, and nobody has its solution; but
    its left side, the gradient, is all that a step needs.

    >>> tfc.quadratic.minimum((1, -10, 25))
    5.0
    """
    a, b, _ = _stream(coefficients, 1, "float64").ravel()
    return float(-b / (2 * a))


def largest_learning_rate(coefficients: ArrayLike = LECTURE, momentum: float = 0.0) -> float:
    """Return the bound below which gradient descent converges: 2(1 + β)/J″, where J″ = 2x₀.

    Below it each step shrinks the error w − w*; at it the error stays, above it the error grows
    (Polyak, Some methods of speeding up the convergence of iteration methods, 1964, for β > 0).
    Of several sets of coefficients, (n, 3), the steepest decides.

    >>> tfc.quadratic.largest_learning_rate((1, -10, 25))
    1.0
    """
    sets = (*np.shape(coefficients), 1)[0]
    x = _stream(coefficients, sets, "float64")
    return float((1 + momentum) / x[:, 0, 0].max())


def convergence(
    learning_rate: float, coefficients: ArrayLike = LECTURE, momentum: float = 0.0
) -> str:
    """Return in a sentence whether gradient descent converges with this α, and why.

    w := w − α dJ/dw multiplies the error w − w* by 1 − αJ″, which must lie between −1 and 1.

    >>> tfc.quadratic.convergence(1.1).split("; ")[1]
    'each step multiplies the error w − w* by −1.2'
    >>> tfc.quadratic.convergence(1.1, momentum=0.9)
    'converges: α = 1.1 is between 0 and 2(1 + β)/J″ = 1.9'
    """
    alpha = _checks.number("learning_rate", learning_rate)
    bound = largest_learning_rate(coefficients, momentum)
    inside, name = 0 < alpha < bound, "2(1 + β)/J″" if momentum else "2/J″"
    verdict, place = ("converges", "is") if inside else ("does not converge", "is not")
    text = f"{verdict}: α = {alpha:g} {place} between 0 and {name} = {bound:g}"
    if not momentum:
        text += f"; each step multiplies the error w − w* by {1 - 2 * alpha / bound:.4g}"
    return text.replace("-", "−")


def formula(coefficients: ArrayLike = LECTURE) -> str:
    """Return J's formula as text.

    >>> print(tfc.quadratic.formula((1, -10, 25)))
    w² − 10w + 25
    """
    a, *others = _stream(coefficients, 1, "float64").ravel()
    text = f"{a:g}w²" if a != 1 else "w²"
    for value, power in zip(others, ("w", ""), strict=True):
        if value:
            size = "" if abs(value) == 1 and power else f"{abs(value):g}"
            text += f" {'−' if value < 0 else '+'} {size}{power}"
    return text


def check(
    coefficients: ArrayLike,
    learning_rate: float | None,
    steps: int,
    optimizer: Any = "gradient_descent",
) -> None:
    """Raise what a minimization with these arguments would raise before its first step."""
    _checked_optimizer(optimizer, learning_rate)
    _stream(coefficients, max(_checks.integer("steps", steps, at_least=0), 1))


def _checked_optimizer(optimizer: Any, learning_rate: float | None) -> Any:
    """Return the optimizer, or its name in lower case and α."""
    if not isinstance(optimizer, str):
        if not hasattr(optimizer, "apply"):
            raise InputTypeError(f"optimizer must be a name or Keras's own, got {optimizer!r}")
        if learning_rate is not None:
            raise InputError(f"learning_rate is the optimizer's own here, got {learning_rate!r}")
        return optimizer
    alpha = 0.01 if learning_rate is None else _checks.number("learning_rate", learning_rate)
    if optimizer not in _LECTURES:  # for the others, Keras must be asked
        known = [*_LECTURES, *_keras_optimizers()]
        optimizer = _checks.choice("optimizer", optimizer, known, also={})
    return optimizer, alpha


_LECTURES: dict[str, dict[str, float]] = {"gradient_descent": {}, "momentum": {"momentum": 0.9}}
"""The lecture's names for what Keras calls SGD."""


def _keras_optimizers() -> dict[str, Any]:
    """Return Keras's optimizers by their names in lower case."""
    from tfcourse._tensorflow import keras

    base = keras.optimizers.Optimizer
    classes = [c for c in vars(keras.optimizers).values() if isinstance(c, type) and c is not base]
    own = {c.__name__.lower(): c for c in classes if issubclass(c, base)}
    wrappers = ("lossscaleoptimizer", "multioptimizer")  # around another optimizer
    return {name: own[name] for name in sorted(own) if name not in wrappers}


def _stream(coefficients: ArrayLike, steps: int, dtype: str = "float32") -> NDArray[Any]:
    """Return the coefficients of every step, (steps, 3, 1), from three numbers or three a step."""
    accepted = "three numbers, shape (3,) or (3, 1)"
    accepted += f", or such for each of {steps} steps" if steps > 1 else ""
    array = plain("coefficients", coefficients)
    try:
        x = array.astype(np.float64) if array.dtype.kind in "iufO" else None
    except (TypeError, ValueError):
        x = None
    if x is None:
        raise InputTypeError(f"coefficients must be {accepted}, got {coefficients!r}")
    with np.errstate(over="ignore"):
        fits = np.isfinite(x.astype(dtype))
    if not fits.all():
        raise InputError(f"coefficients must be finite in {dtype}, got {x[~fits][0]:g}")
    if x.shape not in {(3,), (3, 1), (steps, 3), (steps, 3, 1)}:
        raise InputError(f"coefficients must be {accepted}, got shape {x.shape}")
    x = x.reshape(-1, 3, 1).astype(dtype)
    if (x[:, 0] <= 0).any():
        a = float(x[:, 0].min())
        raise InputError(f"J has no minimum: the coefficient of w² must be above 0, got {a:g}")
    return np.broadcast_to(x, (steps, 3, 1))
