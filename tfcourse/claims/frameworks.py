"""Claims of part 4, frameworks."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from tfcourse.claims.ledger import CONDITIONS, HOLDS, Evidence, below, claim, judged, note
from tfcourse.experiments import frameworks as experiments
from tfcourse.quadratic_problem import LECTURE

SECOND = experiments.SECOND
TENSORFLOW = note("003", "TensorFlow")


def _digits(value: float) -> float:
    """The value with the five decimals that the lecture prints."""
    return round(float(value), 5)


@claim(
    "tf.expand",
    "J(w) = w² − 10w + 25 is (w − 5)².",
    HOLDS,
    TENSORFLOW,
    note("004", "Deep learning Framework"),
)
def expand(seed: int) -> Evidence:
    """Evaluates both forms at the 101 whole numbers from −50 to 50, in exact arithmetic; two
    polynomials of degree 2 that agree at three points are the same.
    """
    from tfcourse.quadratic import cost

    x = [[int(value)] for value in LECTURE]
    points = range(-50, 51)
    equal = sum(cost(w, x) == (w - 5) ** 2 for w in points)
    return judged(equal == len(points), f"equal at {equal} of {len(points)} points")


@claim("tf.first-step", "From w = 0 with α = 0.01, one step takes w to 0.1.", HOLDS, TENSORFLOW)
def first_step(seed: int) -> Evidence:
    """Takes the step with TensorFlow's own derivative and reads w to five decimals."""
    w = experiments.descents(seed)[0].w
    return judged(_digits(w[1]) == 0.1, f"w = {_digits(w[1])} after one step")


@claim("tf.thousand-steps", "1000 steps take w to 4.99999.", HOLDS, TENSORFLOW)
def thousand_steps(seed: int) -> Evidence:
    """Takes the 1000 steps and reads w, to five decimals."""
    w = experiments.descents(seed)[0].w
    return judged(
        len(w) == 1001 and _digits(w[-1]) == 4.99999, f"w = {_digits(w[-1])} after 1000 steps"
    )


@claim(
    "tf.operators",
    "J written with tf.add and tf.multiply and J written with operators are the same.",
    HOLDS,
    TENSORFLOW,
)
def operators(seed: int) -> Evidence:
    """Minimizes both for 1000 steps and compares every w on the way."""
    from tfcourse import quadratic

    paths = [
        quadratic.Minimizer(cost=cost).run().w
        for cost in (quadratic.cost, quadratic.cost_by_functions)
    ]
    off = float(np.abs(paths[0] - paths[1]).max())
    return judged(off < 1e-6, f"largest difference over 1000 steps {below(off, 1e-6)}")


@claim(
    "tf.feed",
    "Coefficients (1, −10, 25) as a (3, 1) array of data, fed at each step, do the same; fed "
    "(1, −20, 100), the program reaches 0.2 after one step and 9.99998 after 1000.",
    HOLDS,
    TENSORFLOW,
    note("004", "session.run (train, feed_dict …)"),
)
def feed(seed: int) -> Evidence:
    """Feeds a (3, 1) array to a `tf.function` 1000 times, for both sets of coefficients, and reads
    w after the first step and after the last.
    """
    from tfcourse.quadratic import Minimizer

    seen = []
    for coefficients in (LECTURE, SECOND):
        program, data = Minimizer(), np.array(coefficients).reshape(3, 1)
        for step in range(1000):
            program.step(data)
            if step in (0, 999):
                seen.append(_digits(float(program.w)))
    return judged(
        seen == [0.1, 4.99999, 0.2, 9.99998],
        f"{LECTURE}: {seen[0]}, then {seen[1]}; {SECOND}: {seen[2]}, then {seen[3]}",
    )


@claim(
    "tf.feed-without-retracing",
    "An argument of a tf.function does what placeholder and feed_dict did: new data runs on the "
    "same graph.",
    HOLDS,
    TENSORFLOW,
)
def feed_without_retracing(seed: int) -> Evidence:
    """Feeds ten sets of coefficients as array, list and tuple and counts how often TensorFlow
    traced. As a control, a tf.function without a signature gets the same numbers as Python numbers.
    """
    from tfcourse._tensorflow import tf
    from tfcourse.quadratic import Minimizer, cost

    program = Minimizer()
    fed = [(1.0, -2.0 * goal, goal**2) for goal in range(1, 11)]
    for coefficients in fed:
        for kind in (np.array, list, tuple):
            program.step(kind(coefficients))
    naive = tf.function(lambda a, b, c: cost(program.w, [[a], [b], [c]]))
    for coefficients in fed[:4]:  # TensorFlow warns from the fifth on
        naive(*coefficients)
    naive_traces = naive.experimental_get_tracing_count()
    return judged(
        program.traces == 1 and naive_traces == 4,
        f"30 feeds of 10 sets: {program.traces} trace; 4 sets as Python numbers: {naive_traces}",
    )


@claim(
    "tf.session-idioms",
    "init, session and run, and `with … as session`, do the same.",
    HOLDS,
    TENSORFLOW,
    note("004", "session.run (init)"),
)
def session_idioms(seed: int) -> Evidence:
    """Runs the lecture's TensorFlow 1 program both ways and compares w at every step."""
    from tfcourse import quadratic_v1

    one, other = quadratic_v1.minimize(), quadratic_v1.minimize(idiom="with")
    equal = int(np.sum(one == other))
    return judged(
        equal == 1001 and _digits(one[-1]) == 4.99999,
        f"equal at {equal} of 1001 points, the last {_digits(one[-1])}",
    )


@claim(
    "tf.same-as-v1",
    "The TensorFlow 2 program takes the path of the lecture's TensorFlow 1 program, step by step.",
    HOLDS,
    TENSORFLOW,
)
def same_as_v1(seed: int) -> Evidence:
    """Runs both for 1000 steps on both sets of coefficients. The largest difference is given in
    units of float32's spacing at the minimum: a compiled program may round differently.
    """
    from tfcourse import quadratic_v1

    worst = 0.0
    for run in experiments.descents(seed):
        old = quadratic_v1.minimize(run.coefficients)
        spacing = np.spacing(np.float32(run.w[-1]))
        worst = max(worst, float(np.abs(old - run.w).max() / spacing))
    return judged(worst <= 4, f"at most {worst:.0f} spacings apart at 2 × 1001 points")


@claim(
    "tf.computation-graph",
    "Defining the cost defines a graph; the backward pass comes from it: dJ/dw = 2w − 10.",
    HOLDS,
    TENSORFLOW,
    note("002", "7.9 训练一个Softmax分类器"),
)
def computation_graph(seed: int) -> Evidence:
    """Traces the cost with its derivative, counts the operations that TensorFlow added for the
    derivative, and compares what they return with 2w − 10 at 21 values of w.
    """
    graph = experiments.graph(seed)
    added = [node for node in graph.nodes if node.backward]
    forward = {node.name for node in graph.nodes if not node.backward}
    reads = any(forward.intersection(node.inputs) for node in added)
    off = float(np.abs(graph.slope - (2 * graph.w - 10)).max())
    return judged(
        len(added) > 0 and reads and off < 1e-5,
        f"{len(forward)} operations forward, {len(added)} added; off 2w − 10 by {below(off, 1e-5)}",
    )


@claim(
    "tf.swap-optimizer",
    "Another optimizer is a change of one line.",
    HOLDS,
    note("002", "7.11 Tensorflow"),
)
def swap_optimizer(seed: int) -> Evidence:
    """Runs one program whose only changed line is the optimizer's: Keras's SGD, momentum, RMSprop
    and Adam, 1000 steps with α = 0.05. Each must end within 0.1 of 5, by a path of its own.
    """
    paths = experiments.swapped(seed)
    apart = min(float(np.abs(a - b).max()) for a, b in combinations(paths.values(), 2))
    close = all(abs(w[-1] - 5) < 0.1 for w in paths.values())
    text = ", ".join(f"{name} {w[-1]:.3f}" for name, w in paths.items())
    return judged(close and apart > 0.1, f"w ends at {text}")


@claim(
    "frameworks.criteria",
    "Choose a framework by ease of programming (development and deployment), running speed, and "
    "openness.",
    CONDITIONS,
    note("001", "深度学习框架"),
    note("002", "7.10 深度学习框架"),
    conditions="All but one part can be measured on what is installed: whether a framework stays "
    "open is a matter of who governs it, and no run of it tells.",
)
def criteria(seed: int) -> Evidence:
    """Measures each criterion on the installed TensorFlow. Development: the statements that the
    lecture's program needs with the derivative found by TensorFlow, the derivative by hand being
    none of them. Deployment: the program saved, loaded elsewhere, and compared. Speed: the slowest
    and the fastest way to take the same 1000 steps. Openness: the licence in its metadata.
    """
    found = experiments.criteria(seed)
    ratio = found.slowest / found.fastest
    measurable = (
        found.statements <= 10
        and found.reloaded_difference == 0
        and ratio > 100
        and all(found.open.values())
    )
    licences = ", ".join(f"{name}: {text}" for name, text in found.licences.items())
    return judged(
        False,  # whether it stays open, no run tells
        f"{found.statements} statements, no derivative; reloaded program differs by "
        f"{found.reloaded_difference:g}; slowest way takes "
        f"{'over 100' if ratio > 100 else f'{ratio:.0f}'} times as long as the fastest; {licences}",
        under_conditions=measurable,
    )


@claim(
    "tf.float32-stalls",
    "Not 5 but 4.99999 because float32 stalls: exact arithmetic gives 5(1 − 0.98¹⁰⁰⁰) = "
    "4.99999999, and so does float64; in float32 the step falls below half the spacing of numbers "
    "near 5.",
    HOLDS,
)
def float32_stalls(seed: int) -> Evidence:
    """Runs the 1000 steps in float32 and float64, for both sets of coefficients, beside the exact
    value in fractions. Where w stands still, the step α |dJ/dw| is compared with half the spacing
    of float32 there.
    """
    stalls = [experiments.stall(c) for c in (LECTURE, SECOND)]
    held = all(
        _digits(s.exact) == _digits(s.float64) == goal
        and _digits(s.float32) < goal
        and 0 < s.stands_from < 1000
        and s.step < s.spacing / 2
        for s, goal in zip(stalls, (5.0, 10.0), strict=True)
    )
    first = stalls[0]
    return judged(
        held,
        f"exact {first.exact:.8f}, float64 {first.float64:.8f}, float32 {first.float32:.5f}, "
        f"still from step {first.stands_from}, where the step is "
        f"{first.step / (first.spacing / 2):.8f} of half the spacing; likewise "
        f"{stalls[1].float32:.5f}",
    )
