"""Experiment of part 4, frameworks: how long the same 1000 steps take, run in four ways."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from tfcourse.quadratic import LECTURE

RECORD = Path(__file__).with_name("speed.json")
"""Where the times are kept that the figure draws: a figure must not change from run to run."""

WAYS = ("session loop", "eager", "a tf.function call per step", "the loop compiled")


@dataclass(frozen=True, eq=False)
class Speed:
    """Seconds that 1000 steps take, and where w ends, by way of running them (`WAYS`)."""

    seconds: dict[str, float]
    w: dict[str, float]


@cache
def measure(seed: int = 0, size: int = 5) -> Speed:
    """Time the lecture's 1000 steps in four ways: the best of `size` runs or more, after a first.

    What a program needs only once (building graphs, tracing, compiling) is not in the time.
    """
    programs = dict(zip(WAYS, (_session(), _eager(), _function(), _compiled()), strict=True))
    w = {way: run() for way, run in programs.items()}
    return Speed({way: best_time(run, size) for way, run in programs.items()}, w)


@cache
def recorded() -> tuple[dict[str, float], str]:
    """Seconds by way as they were recorded, and on what machine."""
    record = json.loads(RECORD.read_text("utf-8"))
    return record["seconds"], record["machine"]


def best_time(run: Callable[[], float], runs: int) -> float:
    """Seconds of the best of so many runs; of as many as half a second takes, if that is more."""
    times: list[float] = []
    while len(times) < runs or sum(times) < 0.5:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


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
    from tfcourse._tensorflow import tf
    from tfcourse.quadratic import Minimizer

    program, zero = Minimizer(), tf.constant(0.0)
    stream = tf.tile(tf.reshape(tf.constant(LECTURE, tf.float32), (1, 3, 1)), (1000, 1, 1))

    def run() -> float:
        program.w.assign(zero)
        program.train_loop(stream)
        return float(program.w)

    return run
