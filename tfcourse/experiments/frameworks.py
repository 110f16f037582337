"""Experiments of part 4, frameworks: the lecture's program, run in the ways one wonders about."""

from __future__ import annotations

import ast
import tempfile
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.experiments import speed
from tfcourse.quadratic import LECTURE
from tfcourse.tuning.journal import distribution


@dataclass(frozen=True)
class Node:
    """An operation of a graph: its name and kind, and the names of the operations it reads.

    value: of a constant. backward: whether it belongs to the derivative.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    value: float | None
    backward: bool


@dataclass(frozen=True, eq=False)
class Graph:
    """The graph that TensorFlow traced for a cost and its derivative, in the order of tracing.

    w, cost, slope: what the traced function returned at these w, shape (n,).
    """

    nodes: tuple[Node, ...]
    w: NDArray[Any]
    cost: NDArray[Any]
    slope: NDArray[Any]


@cache
def graph(seed: int = 0, size: int = 21) -> Graph:
    """Trace the lecture's cost with its derivative, and run it at `size` values of w."""
    from tfcourse._tensorflow import tf

    def forward_and_backward(w: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(w)
            J = tf.add(tf.add(w**2, tf.multiply(-10.0, w)), 25)
        return J, tape.gradient(J, w)

    signature = [tf.TensorSpec((), tf.float32, name="w")]
    cost_and_slope = tf.function(forward_and_backward, input_signature=signature)
    traced = cost_and_slope.get_concrete_function().graph
    backward: set[str] = set()
    nodes = []
    for op in traced.get_operations():
        inputs = tuple(tensor.op.name for tensor in op.inputs)
        # The first constant after the cost is the 1 that the backward pass starts from.
        if op.name == "ones" or "gradient" in op.name or backward.intersection(inputs):
            backward.add(op.name)
        value = float(tf.make_ndarray(op.get_attr("value"))) if op.type == "Const" else None
        nodes.append(Node(op.name, op.type, inputs, value, op.name in backward))
    w = np.linspace(-5, 15, size, dtype=np.float32)
    ran = [cost_and_slope(point) for point in w]
    cost, slope = (np.array([float(pair[i]) for pair in ran]) for i in (0, 1))
    return Graph(tuple(nodes), w, cost, slope)


@dataclass(frozen=True)
class Criteria:
    """What can be measured of the lecture's three criteria on an installed framework.

    statements: of the lecture's program. reloaded_difference: between the program's results before
    it was saved and after it was loaded. slowest, fastest: seconds for 1000 steps. licences, open:
    by package, its licence as its metadata state it, and whether that is an open one.
    """

    statements: int
    reloaded_difference: float
    slowest: float
    fastest: float
    licences: dict[str, str]
    open: dict[str, bool]


PROGRAM = """
w = tf.Variable(0, dtype=tf.float32)
optimizer = keras.optimizers.SGD(0.01)
for step in range(1000):
    with tf.GradientTape() as tape:
        cost = w**2 - 10 * w + 25
    optimizer.apply(tape.gradient(cost, [w]), [w])
"""

OPEN_LICENCES = ("Apache", "BSD", "MIT")


@cache
def criteria(seed: int = 0, size: int = 1) -> Criteria:
    """Measure ease, speed (the best of `size` runs) and openness of the installed TensorFlow."""
    from tfcourse._tensorflow import keras, tf

    names: dict[str, Any] = {"tf": tf, "keras": keras}
    exec(PROGRAM, names)
    if round(float(names["w"]), 5) != 4.99999:
        raise ValueError(f"the program must end at 4.99999, got {float(names['w']):.5f}")
    statements = sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(PROGRAM)))
    seconds = speed.measure(seed, size).seconds.values()
    licences = {name: _licence(name) for name in ("tensorflow", "keras")}
    return Criteria(
        statements,
        _reloaded_difference(),
        max(seconds),
        min(seconds),
        licences,
        {name: text.startswith(OPEN_LICENCES) for name, text in licences.items()},
    )


def _reloaded_difference() -> float:
    from tfcourse._tensorflow import tf
    from tfcourse.quadratic import cost

    w = np.linspace(-5, 15, 21, dtype=np.float32)
    x = np.reshape(LECTURE, (3, 1)).astype(np.float32)
    module = tf.Module()
    signature = [tf.TensorSpec((None,), tf.float32), tf.TensorSpec((3, 1), tf.float32)]
    module.cost = tf.function(cost, input_signature=signature)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder)
        loaded = tf.saved_model.load(folder)
        return float(np.abs(loaded.cost(w, x) - module.cost(w, x)).max())


def _licence(package: str) -> str:
    about: Any = distribution(package).metadata
    classifiers = about.get_all("Classifier") or []
    named = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License")]
    return about.get("License-Expression") or about.get("License") or ", ".join(named) or "none"
