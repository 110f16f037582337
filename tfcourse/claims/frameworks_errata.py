"""Errors in notes on part 4: each printed form is run and fails, the corrected one holds."""

from __future__ import annotations

import numpy as np

from tfcourse.claims.ledger import ERRATUM, Evidence, below, claim, corrected, note, raised

TENSORFLOW = note("003", "TensorFlow")


def _compiles(source: str) -> bool:
    try:
        compile(source, "note", "eval")
    except SyntaxError:
        return False
    return True


@claim(
    "tf.erratum.add-bracket",
    "Printed: tf.add(tf.add(w**2), tf.multiply(-10., w)), 25), with a bracket too many. Correct: "
    "tf.add(tf.add(w**2, tf.multiply(-10., w)), 25).",
    ERRATUM,
    TENSORFLOW,
)
def add_bracket(seed: int) -> Evidence:
    """Compiles the printed expression, which Python refuses, and evaluates the corrected one at 21
    values of w.
    """
    printed = _compiles("tf.add(tf.add(w**2), tf.multiply(-10., w)), 25)")
    off = _off("tf.add(tf.add(w**2, tf.multiply(-10., w)), 25)")
    return corrected(
        not printed,
        off < 1e-4,
        f"printed: {'an expression' if printed else 'SyntaxError'}; corrected differs from "
        f"(w − 5)² by {below(off, 1e-4)}",
    )


@claim(
    "tf.erratum.add-operand",
    "Printed: tf.add(w**2), with an operand too few. Correct: tf.add(w**2, tf.multiply(-10., w)).",
    ERRATUM,
    TENSORFLOW,
)
def add_operand(seed: int) -> Evidence:
    """Evaluates the printed inner call, which TensorFlow refuses, and the cost with the operand in
    its place, at 21 values of w.
    """
    printed = _error("tf.add(w**2)")
    off = _off("tf.add(tf.add(w**2, tf.multiply(-10., w)), 25)")
    return corrected(
        printed == "TypeError",
        off < 1e-4,
        f"printed: {printed or 'runs'}; corrected differs from (w − 5)² by {below(off, 1e-4)}",
    )


def _off(source: str) -> float:
    """Largest difference of an expression in w, tf and np from (w − 5)²."""
    from tfcourse._tensorflow import tf

    w = tf.constant(np.linspace(-5, 15, 21), tf.float32)
    return float(np.abs(eval(source, {"tf": tf, "np": np, "w": w}) - (w - 5) ** 2).max())


def _error(source: str) -> str:
    """Name of the exception that an expression in w and tf raises, or nothing."""
    from tfcourse._tensorflow import tf

    return raised(lambda: eval(source, {"tf": tf, "w": tf.constant(0.0)}))


@claim(
    "tf.erratum.reshape-bracket",
    "Printed: np.array([1., -10., 25.]).reshape((3,1), with a bracket too few. Correct: "
    "np.array([1., -10., 25.]).reshape((3,1)).",
    ERRATUM,
    TENSORFLOW,
)
def reshape_bracket(seed: int) -> Evidence:
    """Compiles the printed expression, which Python refuses, and looks at the corrected one's
    shape.
    """
    printed = _compiles("np.array([1., -10., 25.]).reshape((3,1)")
    shape = eval("np.array([1., -10., 25.]).reshape((3,1))", {"np": np}).shape
    return corrected(
        not printed,
        shape == (3, 1),
        f"printed: {'an expression' if printed else 'SyntaxError'}; corrected: shape {shape}",
    )


@claim(
    "tf.erratum.names",
    "Printed: tf.placeholder, tf.Session, tf.train.GradientDescentOptimizer, "
    "tf.global_variables_initializer. Correct in TensorFlow 2: the same under tf.compat.v1, or a "
    "tf.function with a Keras optimizer.",
    ERRATUM,
    TENSORFLOW,
)
def names(seed: int) -> Evidence:
    """Looks each name up, where the notes have it and under tf.compat.v1, and runs the program that
    uses them from there.
    """
    from tfcourse import quadratic_v1

    printed = (
        "placeholder",
        "Session",
        "train.GradientDescentOptimizer",
        "global_variables_initializer",
    )
    missing = [name for name in printed if _error(f"tf.{name}") == "AttributeError"]
    there = [name for name in printed if not _error(f"tf.compat.v1.{name}")]
    w = round(float(quadratic_v1.minimize()[-1]), 5)
    return corrected(
        len(missing) == 4,
        len(there) == 4 and w == 4.99999,
        f"{len(missing)} of 4 are no longer there, {len(there)} of 4 are under tf.compat.v1, and "
        f"the program there ends at {w}",
    )
