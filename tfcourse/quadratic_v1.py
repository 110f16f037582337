"""The lecture's own program: a graph, a placeholder, a session and a feed_dict (TensorFlow 1).

It runs through `tf.compat.v1`, to be compared with `quadratic.py` step by step. (Lecture part 4.)
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tfcourse import _checks
from tfcourse._tensorflow import tf
from tfcourse.quadratic_problem import LECTURE, check_learning_rate, coefficient_stream


def minimize(
    coefficients: ArrayLike = LECTURE,
    *,
    learning_rate: float = 0.01,
    steps: int = 1000,
    idiom: Literal["session", "with"] = "session",
) -> NDArray[np.float32]:
    """Minimize J(w) = x₀w² + x₁w + x₂ from w = 0 and return w's path, shape (steps + 1,).

    idiom: the lecture's two ways to write the same: `session = tf.Session()` and
    `with tf.Session() as session`.

    Raises: ValueError or TypeError, as `quadratic.Minimizer.run`.
    """
    _checks.choice("idiom", idiom, ("session", "with"))
    steps = _checks.integer("steps", steps, at_least=0)
    data = coefficient_stream(coefficients, max(steps, 1))
    check_learning_rate(learning_rate, data)
    v1 = tf.compat.v1
    with tf.Graph().as_default():
        w = v1.Variable(0, dtype=tf.float32)
        x = v1.placeholder(tf.float32, [3, 1])
        cost = x[0][0] * w**2 + x[1][0] * w + x[2][0]
        train = v1.train.GradientDescentOptimizer(learning_rate).minimize(cost)
        init = v1.global_variables_initializer()

        def run(session: Any) -> list[Any]:
            session.run(init)
            path = [session.run(w)]
            for step in range(steps):
                session.run(train, feed_dict={x: data[step]})
                path.append(session.run(w))
            return path

        if idiom == "with":
            with v1.Session() as session:
                return np.array(run(session))
        session = v1.Session()
        path = run(session)
        session.close()
        return np.array(path)
