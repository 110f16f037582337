"""Experiments of part 4, frameworks: the lecture's program, run in the ways one wonders about."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.quadratic_problem import LECTURE

SECOND = (1.0, -20.0, 100.0)
"""(w − 10)² = w² − 20w + 100: the other coefficients that the lecture feeds."""


@dataclass(frozen=True, eq=False)
class Path:
    """One minimization: w and J before each step and after the last, shape (steps + 1,)."""

    coefficients: tuple[float, float, float]
    w: NDArray[Any]
    cost: NDArray[Any]
    traces: int


@cache
def descents(seed: int = 0, size: int = 1000) -> tuple[Path, Path]:
    """Minimize both of the lecture's costs for `size` steps; nothing is random in it."""
    from tfcourse import quadratic

    def path(coefficients: tuple[float, float, float]) -> Path:
        run = quadratic.minimize(coefficients, steps=size)
        return Path(coefficients, run.w, run.cost, run.traces)

    return path(LECTURE), path(SECOND)


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
