"""Experiments of part 4, frameworks: the lecture's program, run in the ways one wonders about."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.quadratic_problem import LECTURE

SECOND = (1.0, -20.0, 100.0)
"""(w − 10)² = w² − 20w + 100: the other coefficients that the lecture feeds."""


@dataclass(frozen=True, eq=False)
class Minimization:
    """One minimization: w and J before each step and after the last, shape (steps + 1,)."""

    coefficients: tuple[float, float, float]
    w: NDArray[Any]
    cost: NDArray[Any]
    traces: int


@cache
def descents(seed: int = 0, size: int = 1000) -> tuple[Minimization, Minimization]:
    """Minimize both of the lecture's costs for `size` steps; nothing is random in it."""
    from tfcourse import quadratic

    def path(coefficients: tuple[float, float, float]) -> Minimization:
        run = quadratic.minimize(coefficients, steps=size)
        return Minimization(coefficients, run.w, run.cost, run.traces)

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


RECORD = Path(__file__).with_name("speed.json")
"""Where the times are kept that the figure draws: a figure must not change from run to run."""

WAYS = ("session loop", "eager", "a tf.function call per step", "the loop compiled")


@dataclass(frozen=True, eq=False)
class Speed:
    """Seconds that 1000 steps take, and where w ends, by way of running them (`WAYS`)."""

    seconds: dict[str, float]
    w: dict[str, float]


@cache
def speed(seed: int = 0, size: int = 5) -> Speed:
    """Time the lecture's 1000 steps in four ways: the best of `size` runs each, after a first one.

    What a program needs only once (building graphs, tracing, compiling) is not in the time.
    """
    programs = dict(zip(WAYS, (_session(), _eager(), _function(), _compiled()), strict=True))
    w = {way: run() for way, run in programs.items()}
    seconds = {way: min(map(_timed, [run] * size)) for way, run in programs.items()}
    return Speed(seconds, w)


@cache
def recorded_speed() -> tuple[dict[str, float], str]:
    """Seconds by way as they were recorded, and on what machine."""
    record = json.loads(RECORD.read_text("utf-8"))
    return record["seconds"], record["machine"]


def _timed(run: Callable[[], float]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _session() -> Callable[[], float]:
    from tfcourse._tensorflow import tf

    v1, data = tf.compat.v1, np.reshape(LECTURE, (3, 1))
    with tf.Graph().as_default():
        w = v1.Variable(0, dtype=tf.float32)
        x = v1.placeholder(tf.float32, [3, 1])
        cost = x[0][0] * w**2 + x[1][0] * w + x[2][0]
        train = v1.train.GradientDescentOptimizer(0.01).minimize(cost)
        init = v1.global_variables_initializer()
        session = v1.Session()

    def run() -> float:
        session.run(init)
        for _ in range(1000):
            session.run(train, feed_dict={x: data})
        return float(session.run(w))

    return run


def _eager() -> Callable[[], float]:
    from tfcourse._tensorflow import keras, tf

    w = tf.Variable(0, dtype=tf.float32)
    optimizer = keras.optimizers.SGD(0.01)

    def run() -> float:
        w.assign(0)
        for _ in range(1000):
            with tf.GradientTape() as tape:
                cost = w**2 - 10 * w + 25
            optimizer.apply(tape.gradient(cost, [w]), [w])
        return float(w)

    return run


def _function() -> Callable[[], float]:
    from tfcourse.quadratic import Minimizer

    program, data = Minimizer(), np.reshape(LECTURE, (3, 1)).astype(np.float32)

    def run() -> float:
        program.w.assign(0)
        for _ in range(1000):
            program.train_step(data)
        return float(program.w)

    return run


def _compiled() -> Callable[[], float]:
    from tfcourse.quadratic import Minimizer

    program, data = Minimizer(), np.reshape(LECTURE, (1, 3, 1)).astype(np.float32)
    stream = np.repeat(data, 1000, axis=0)

    def run() -> float:
        program.w.assign(0)
        program.train_loop(stream)
        return float(program.w)

    return run
