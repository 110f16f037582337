"""The lecture's TensorFlow program: minimize J(w) = w² − 10w + 25, and why w ends at 4.99999."""

from fractions import Fraction
from functools import cache, partial
from itertools import combinations
from operator import attrgetter
from typing import Any

import numpy as np

from tfcourse import quadratic
from tfcourse.lecture import ledger
from tfcourse.lecture.gallery import figure
from tfcourse.lecture.ledger import Evidence, below, claim, judged, note, raised, video
from tfcourse.lecture.style import BOOK, Figure, Style
from tfcourse.quadratic import LECTURE, Descent, formula, minimum

Coefficients = tuple[float, float, float]
SECOND: Coefficients = (1.0, -20.0, 100.0)  # (w − 10)²: the video's other coefficients
PRINTED = video("the notes keep the program; what it prints is in the video alone")


@cache
def descents(
    coefficients: Coefficients = LECTURE, learning_rate: float = 0.01, steps: int = 1000
) -> tuple[Descent, Descent]:
    """Minimize in float32, as the lecture does, and in float64; nothing is random in it."""
    how: dict[str, Any] = {"learning_rate": learning_rate, "steps": steps}
    single = quadratic.minimize(coefficients, **how)
    return single, quadratic.minimize(coefficients, **how, dtype="float64")


@figure(
    zh="""同一个程序，先后喂入 (w − 5)² 和 (w − 10)² 的系数，各自找到最小值；
    float32 在差一点的地方停住。

    左图是两条开口向上的抛物线，各有一串点从 w = 0 走到最低处，起初相隔很远，越来越密。
    右图是 w 到最小值的距离，对数刻度，横轴 1000 步：四条线先是直直下降；float64 的两条一直降到
    十的负八次方以下，float32 的两条在约十的负五次方处变平，停在 4.99999 和 9.99998。"""
)
def quadratic_descent(
    coefficients: tuple[Coefficients, ...] = (LECTURE, SECOND),
    learning_rate: float = 0.01,
    steps: int = 1000,
    *,
    seed: int = 0,
    style: Style = BOOK,
) -> Figure:
    """The same program, fed the coefficients of (w − 5)² and then of (w − 10)², finds each minimum;
    float32 stands still a little before it.

    Left, two parabolas that open upwards, on each a row of points from w = 0 down to the lowest
    point, far apart first and then ever closer. Right, the distance of w from the minimum on a
    logarithmic axis, over 1000 steps: four lines fall straight; the two of float64 go on below 10
    to the −7, the two of float32 turn level near 10 to the −5, at 4.99999 and at 9.99998.
    """
    say, s, colors = style.say, style.scale, style.colors
    page = style.page(3.0)
    bowl, path = page.subplots(1, 2)
    ordered = sorted(coefficients, key=minimum)
    runs = [descents(each, learning_rate, steps) for each in ordered]
    reach = 1.6 * max(abs(minimum(each)) for each in ordered)
    start = max(float(run.cost[0]) for run, _ in runs) or 1.0
    for each, (run, double) in zip(ordered, runs, strict=True):
        (a, b, c), goal, last = each, minimum(each), each is ordered[-1]
        w = np.linspace(min(-1, *run.w), max(reach, *run.w), 200)
        bowl.plot(w, a * w**2 + b * w + c, color=colors.faint, lw=1.2 * s)
        shown = slice(0, 300)  # later points lie on each other
        bowl.plot(run.w[shown], run.cost[shown], "o", ms=3 * s, mew=0, color=colors.neutral)
        how: dict[str, Any] = {"textcoords": "offset fontsize", "va": "center"}
        text = f"${formula(each).replace('²', '^2')}$"
        if last:  # beside the start; the others left of their right arm
            bowl.annotate(text, (run.w[0], run.cost[0]), (0.7, 0.1), ha="left", **how)
        else:
            arm = goal + ((0.7 * start - c + a * goal**2) / a) ** 0.5
            bowl.annotate(text, (arm, 0.7 * start), (-0.6, 0), ha="right", **how)
        for values, color in ((double.w, colors.recommended), (run.w, colors.failure)):
            left = np.abs(values.astype(float) - goal)
            path.plot(np.where(left > 0, left, np.nan), color=color, lw=1.5 * s)
        end, aside = (steps, abs(float(run.w[-1]) - goal)), (0.4, 0.5 if last else -0.5)
        path.annotate(f"{run.w[-1]:.5f}", end, aside, color=colors.failure, **how)
    bowl.set(xlabel="$w$", title="$J(w)$", ylim=(-0.05 * start, 1.1 * start))
    path.set(xlabel=say("step", "步"), xlim=(0, max(steps, 1)), yscale="log")
    path.set_title(say("distance from the minimum", "到最小值的距离"))
    path.text(0.04, 0.2, "float64", color=colors.recommended, transform=path.transAxes)
    path.text(0.04, 0.08, "float32", color=colors.failure, transform=path.transAxes)
    path.minorticks_off()
    return page


def _printed(value: float) -> float:
    """The value with the five decimals that the lecture prints."""
    return round(float(value), 5)


@claim(
    "tf.expand",
    "J(w) = w² − 10w + 25 is (w − 5)².",
    note("003", 1345, "J(w) = (w-5)^2"),
    note("004", 174, "w^2 - 10w + 25"),
)
def expand(seed: int) -> Evidence:
    """Evaluates both forms at the 101 whole numbers from −50 to 50, in exact arithmetic; two
    polynomials of degree 2 that agree at three points are the same.
    """
    x, points = [[int(value)] for value in LECTURE], range(-50, 51)
    equal = sum(quadratic.cost(w, x) == (w - 5) ** 2 for w in points)
    return judged(equal == len(points), f"equal at {equal} of {len(points)} points")


@claim(
    "tf.first-step",
    "From w = 0 with α = 0.01, one step takes w to 0.1.",
    note("003", 1373, "session.run(train) # run 1 iteration of training"),
    PRINTED,
)
def first_step(seed: int) -> Evidence:
    """Takes the step with TensorFlow's own derivative and reads w to five decimals."""
    w = descents()[0].w
    return judged(_printed(w[1]) == 0.1, f"w = {_printed(w[1])} after one step")


@claim(
    "tf.thousand-steps",
    "1000 steps take w to 4.99999.",
    note("003", 1383, "Run 1000 iters of GD"),
    PRINTED,
)
def thousand_steps(seed: int) -> Evidence:
    """Takes the 1000 steps and reads w, to five decimals."""
    w = descents()[0].w
    as_printed = len(w) == 1001 and _printed(w[-1]) == 4.99999
    return judged(as_printed, f"w = {_printed(w[-1])} after 1000 steps")


@claim(
    "tf.operators",
    "J written with tf.add and tf.multiply and J written with operators are the same.",
    note("003", 1355, "also possible to use tf-reloaded operators"),
)
def operators(seed: int) -> Evidence:
    """Minimizes both for 1000 steps and compares every w on the way."""
    both = (quadratic.cost, quadratic.cost_by_functions)
    one, other = (quadratic.Minimizer(cost=cost).run().w for cost in both)
    off = float(np.abs(one - other).max())
    return judged(off < 1e-6, f"largest difference over 1000 steps {below(off, 1e-6)}")


@claim(
    "tf.feed",
    "Coefficients (1, −10, 25) as a (3, 1) array of data, fed at each step, do the same; fed "
    "(1, −20, 100), the program reaches 0.2 after one step and 9.99998 after 1000.",
    note("003", 1394, "cost = x[0][0] * w**2 + x[1][0] * w + x[2][0]"),
    note("004", 178, "session.run (train, feed_dict {x: coefficients})"),
    video("(1, −20, 100), 0.2 and 9.99998"),
)
def feed(seed: int) -> Evidence:
    """Feeds a (3, 1) array to a `tf.function` 1000 times, for both sets of coefficients, and reads
    w after the first step and after the last.
    """
    seen = []
    for coefficients in (LECTURE, SECOND):
        program, data = quadratic.Minimizer(), np.array(coefficients).reshape(3, 1)
        for step in range(1000):
            program.step(data)
            if step in (0, 999):
                seen.append(_printed(float(program.w)))
    measured = f"{LECTURE}: {seen[0]}, then {seen[1]}; {SECOND}: {seen[2]}, then {seen[3]}"
    return judged(seen == [0.1, 4.99999, 0.2, 9.99998], measured)


@claim(
    "tf.feed-without-retracing",
    "An argument of a tf.function does what placeholder and feed_dict did: new data runs on the "
    "same graph.",
    note("003", 1392, "a placerholder is a variable whose value will be assigned later"),
)
def feed_without_retracing(seed: int) -> Evidence:
    """Feeds ten sets of coefficients as array, list and tuple and counts how often TensorFlow
    traced. As a control, a tf.function without a signature gets the same numbers as Python numbers.
    """
    from tfcourse._tensorflow import tf

    program = quadratic.Minimizer()
    fed = [(1.0, -2.0 * goal, goal**2) for goal in range(1, 11)]
    for coefficients in fed:
        for kind in (np.array, list, tuple):
            program.step(kind(coefficients))
    naive = tf.function(lambda a, b, c: quadratic.cost(program.w, [[a], [b], [c]]))
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
    note("003", 1375, "alternative format:"),
    note("004", 176, "session.run (init)"),
)
def session_idioms(seed: int) -> Evidence:
    """Runs the lecture's TensorFlow 1 program both ways and compares w at every step."""
    one, other = quadratic.minimize_v1(), quadratic.minimize_v1(idiom="with")
    equal = int(np.sum(one == other))
    as_printed = equal == 1001 and _printed(one[-1]) == 4.99999
    return judged(as_printed, f"equal at {equal} of 1001 points, the last {_printed(one[-1])}")


@claim(
    "tf.same-as-v1",
    "The TensorFlow 2 program takes the path of the lecture's TensorFlow 1 program, step by step.",
    note("003", 1362, "train = tf.train.GradientDescentOptimizer(0.01).minimize(cost)"),
)
def same_as_v1(seed: int) -> Evidence:
    """Runs both for 1000 steps on both sets of coefficients. The largest difference is given in
    units of float32's spacing at the minimum: a compiled program may round differently.
    """
    worst = 0.0
    for coefficients in (LECTURE, SECOND):
        old, new = quadratic.minimize_v1(coefficients), descents(coefficients)[0].w
        worst = max(worst, float(np.abs(old - new).max() / np.spacing(np.float32(new[-1]))))
    return judged(worst <= 4, f"at most {worst:.0f} spacings apart at 2 × 1001 points")


@claim(
    "tf.current-video",
    "The lecture's present video has TensorFlow 2, Adam(0.1) with a GradientTape, and then "
    "optimizer.minimize(cost_fn, [w]); that second program stops with an error today, since Keras "
    "3 has no minimize.",
    video("Adam(0.1), a GradientTape, then optimizer.minimize(cost_fn, [w])"),
)
def current_video(seed: int) -> Evidence:
    """Runs both programs on the installed TensorFlow, 1000 steps each, and in place of the second
    `tfc.quadratic.minimize(optimizer=…)`, whose gradient is taken by a tape.
    """
    from tfcourse._tensorflow import keras

    program = quadratic.minimize_as_in_video
    second = raised(partial(program, program="second"))
    ours = quadratic.minimize(optimizer=keras.optimizers.Adam(0.1)).w[-1]
    ends = [_printed(program()[-1]), _printed(ours)]
    return judged(
        second == "AttributeError" and all(abs(end - 5) < 1e-3 for end in ends),
        f"first program: w = {ends[0]}; second: {second or 'runs'}; with "
        f"tfc.quadratic.minimize(optimizer=keras.optimizers.Adam(0.1)) in its place w = {ends[1]}",
        plain="The video's first program still runs; its second needs one line changed.",
    )


@claim(
    "tf.swap-optimizer",
    "Another optimizer is a change of one line.",
    note("002", 184, "内置了许多优化函数", "many optimizers are built in"),
)
def swap_optimizer(seed: int) -> Evidence:
    """Runs one program whose only changed line is the optimizer's: Keras's SGD, momentum, RMSprop
    and Adam, 1000 steps with α = 0.05. Each must end within 0.1 of 5, by a path of its own.
    """
    from tfcourse._tensorflow import keras

    optimizers = {
        "gradient descent": keras.optimizers.SGD(0.05),
        "momentum": keras.optimizers.SGD(0.05, momentum=0.9),
        "RMSprop": keras.optimizers.RMSprop(0.05),
        "Adam": keras.optimizers.Adam(0.05),
    }
    paths = {name: quadratic.minimize(optimizer=one).w for name, one in optimizers.items()}
    apart = min(float(np.abs(a - b).max()) for a, b in combinations(paths.values(), 2))
    close = all(abs(w[-1] - 5) < 0.1 for w in paths.values())
    text = ", ".join(f"{name} {w[-1]:.3f}" for name, w in paths.items())
    return judged(close and apart > 0.1, f"w ends at {text}")


@claim(
    "tf.float32-stalls",
    "Not 5 but 4.99999 because float32 stalls: exact arithmetic gives 5(1 − 0.98¹⁰⁰⁰) = "
    "4.99999999, and so does float64; in float32 the step falls below half the spacing of numbers "
    "near 5.",
)
def float32_stalls(seed: int) -> Evidence:
    """Runs the 1000 steps in float32 and float64, for both sets of coefficients, beside the exact
    value in fractions. Where w stands still, the step α |dJ/dw| is compared with half the spacing
    of float32 there.
    """
    held, told = True, list[str]()
    for coefficients, goal in ((LECTURE, 5), (SECOND, 10)):
        single, double = (run.w for run in descents(coefficients))
        w, exact = float(single[-1]), float(goal * (1 - Fraction("0.98") ** 1000))
        still = int(np.flatnonzero(np.diff(single))[-1]) + 1  # the step from which on w stands
        step = float(np.float32(0.01)) * abs(2 * w - 2 * goal)
        half = float(np.spacing(single[-1])) / 2
        held &= _printed(exact) == _printed(double[-1]) == goal > _printed(w)
        held &= still < 1000 and step < half
        told.append(
            f"exact {exact:.8f}, float64 {double[-1]:.8f}, float32 {w:.5f}, still from step {still}"
            f", where the step is {step / half:.8f} of half the spacing"
        )
    return judged(held, f"{told[0]}; likewise {w:.5f}")


def names(seed: int) -> Evidence:
    """Looks each name up, where the notes have it and under tf.compat.v1, and runs the program that
    uses them from there.
    """
    from tfcourse._tensorflow import tf

    old = ["placeholder", "Session", "global_variables_initializer"]
    old.append("train.GradientDescentOptimizer")
    missing = [name for name in old if raised(partial(attrgetter(name), tf))]
    there = [name for name in old if not raised(partial(attrgetter(name), tf.compat.v1))]
    w = _printed(quadratic.minimize_v1()[-1])
    measured = (
        f"{len(missing)} of 4 are no longer there, {len(there)} of 4 are under tf.compat.v1, and "
        f"the program there ends at {w}"
    )
    return ledger.corrected(len(missing) == 4, len(there) == 4 and w == 4.99999, measured)


ledger.errata(
    __name__,
    ledger.Erratum(
        "tf.erratum.add-bracket",
        note("003", 1354, "tf.add(tf.add(w**2), tf.multiply(-10., w)), 25)"),
        "tf.add(tf.add(w**2, tf.multiply(-10., w)), 25)",
        "One bracket too many, after w**2: it closes the inner call before its second operand, and "
        "Python refuses the line.",
    ),
    ledger.Erratum(
        "tf.erratum.reshape-bracket",
        note("003", 1398, "np.array([1., -10., 25.]).reshape((3,1)"),
        "np.array([1., -10., 25.]).reshape((3,1))",
        "The bracket of the call is never closed.",
    ),
    ledger.Erratum(
        "tf.erratum.feed-dict",
        note("004", 178, "feed_dict {x: coefficients}"),
        "feed_dict={x: coefficients}",
        "An argument given by name needs its “=”.",
    ),
    ledger.Erratum(
        "tf.erratum.names",
        note("003", 1393, "tf.placeholder(tf.float32, [3,1])"),
        "a tf.function with a Keras optimizer, or the same names under tf.compat.v1",
        "TensorFlow 2 moved placeholder, Session, GradientDescentOptimizer and "
        "global_variables_initializer to tf.compat.v1.",
        whose="time",
        check=names,
        also=(
            note("003", 1362, "tf.train.GradientDescentOptimizer"),
            note("003", 1370, "tf.global_variables_initializer"),
            note("003", 1371, "tf.Session"),
        ),
    ),
)
