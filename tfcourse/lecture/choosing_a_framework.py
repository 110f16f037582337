"""How to choose a framework: ease of programming, running speed, and openness."""

import ast
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tfcourse.lecture import ledger
from tfcourse.lecture.gallery import figure
from tfcourse.lecture.ledger import Evidence, claim, judged, note, video
from tfcourse.lecture.statistics import Interval, geometric_mean
from tfcourse.lecture.style import BOOK, Figure, Style
from tfcourse.tuning.journal import distribution

RECORD = Path(__file__).with_name("framework_speed.json")  # a figure is the same in every run

WAYS = {  # to take the lecture's 1000 steps, in Chinese too
    "session loop": "会话循环",
    "eager": "逐句执行（eager）",
    "a tf.function call per step": "每步调用 tf.function",
    "the loop compiled": "编译整个循环",
}


def programs() -> dict[str, Callable[[], float]]:
    """Return by way what takes the 1000 steps from w = 0 and returns w; its first run compiles."""
    from tfcourse._tensorflow import keras, tf

    v1 = tf.compat.v1
    with tf.Graph().as_default():
        old_w = v1.Variable(0, dtype=tf.float32)
        train = v1.train.GradientDescentOptimizer(0.01).minimize(old_w**2 - 10 * old_w + 25)
        init, session = v1.global_variables_initializer(), v1.Session()

    def session_loop() -> float:
        session.run(init)
        for _ in range(1000):
            session.run(train)
        return float(session.run(old_w))

    w, optimizer = tf.Variable(0.0), keras.optimizers.SGD(0.01)
    optimizer.build([w])

    def step() -> None:
        with tf.GradientTape() as tape:
            J = w**2 - 10 * w + 25
        optimizer.apply([tape.gradient(J, w)], [w])

    def loop() -> None:
        for _ in tf.range(1000):
            step()

    traced, compiled = tf.function(step), tf.function(loop, jit_compile=True)

    def from_zero(take: Callable[[], Any], calls: int = 1000) -> float:
        w.assign(0)
        for _ in range(calls):
            take()
        return float(w)

    ours = partial(from_zero, step), partial(from_zero, traced), partial(from_zero, compiled, 1)
    return dict(zip(WAYS, (session_loop, *ours), strict=True))


class Speed(NamedTuple):
    """Seconds that 1000 steps take by way, one for each round, and on what machine. w: the end."""

    seconds: dict[str, list[float]]
    machine: dict[str, str | int]
    w: dict[str, float]

    @property
    def gain(self) -> Interval:
        """How many times as fast as the session loop the compiled one is."""
        first, *_, last = (np.array(rounds) for rounds in self.seconds.values())
        return geometric_mean(first / last)


def measure(rounds: int = 5, ways: Collection[str] = tuple(WAYS)) -> Speed:
    """Time these ways in turn, so that what else the machine does falls on all of them."""
    runs = {way: run for way, run in programs().items() if way in ways}
    seconds = {way: list[float]() for way in runs}
    w = {way: run() for way, run in runs.items()}
    for _ in range(rounds):
        for way, run in runs.items():
            seconds[way].append(best_time(run))
    machine: dict[str, str | int] = {"cores": os.cpu_count() or 1, "processor": platform.machine()}
    return Speed(seconds, machine | {"tensorflow": distribution("tensorflow").version}, w)


def best_time(run: Callable[[], float], least: float = 0.2) -> float:
    """Seconds of the best of as many runs as take `least` seconds."""
    times: list[float] = []
    while sum(times) < least:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def recorded() -> Speed:
    """What `scripts/benchmark_quadratic.py --record` measured."""
    return Speed(**json.loads(RECORD.read_text("utf-8")))


@figure(
    zh="""同样的 1000 步梯度下降，四种运行方式各用多少时间；
    由 `scripts/benchmark_quadratic.py --record` 测得。

    时间的对数刻度上有四个点，每一种方式一个。课上的会话循环、逐句执行、每步调用一次 tf.function，
    都在十分之一秒到一秒左右；编译整个循环，则远不到千分之一秒。"""
)
def framework_speed(times: Speed | None = None, *, seed: int = 0, style: Style = BOOK) -> Figure:
    """The time of the same 1000 steps of gradient descent, in four ways to run them: measured once,
    by `scripts/benchmark_quadratic.py --record`.

    Four points on a logarithmic axis of time, one for each way. The lecture's loop around a
    session, eager execution and one call of a tf.function for each step lie around a tenth of a
    second to a second, the whole loop compiled well below a thousandth of one.
    """
    found, colors, s, say = times or recorded(), style.colors, style.scale, style.say
    page = style.page(2.5)
    axes = page.subplots()
    for row, (way, rounds) in enumerate(found.seconds.items()):
        color = colors.recommended if way == [*WAYS][-1] else colors.baseline
        middle = float(np.median(rounds))
        axes.plot([min(rounds), max(rounds)], [row, row], color=color, lw=1.5 * s)
        axes.plot(middle, row, "o", ms=8 * s, color=color)
        text, at = f"{middle:.2g} s" if middle >= 0.1 else f"{1e3 * middle:.2g} ms", max(rounds)
        axes.annotate(text, (at, row), (0.8, 0), textcoords="offset fontsize", va="center")
    ticks = {1e-4: "0.1 ms", 1e-3: "1 ms", 1e-2: "10 ms", 0.1: "0.1 s", 1: "1 s", 10: "10 s"}
    every = [time for rounds in found.seconds.values() for time in rounds]
    axes.set(xscale="log", ylim=(len(WAYS) - 0.5, -0.5))
    axes.set_xticks([*ticks], ticks.values())
    axes.set_xlim(min(1e-4, *every), 8 * max(every))
    axes.set_yticks(range(len(WAYS)), [say(*way) for way in WAYS.items()])
    gain = "{} [{}, {}]".format(*(f"{float(f'{value:.2g}'):.0f}" for value in found.gain))
    en, zh = "Compiled: {} × the session's speed", "编译后，速度是会话的 {} 倍"
    axes.set_title(say(en, zh).format(gain))
    cores, processor, version = found.machine.values()
    on = say(f"1000 steps on {cores} cores", f"1000 步，{cores} 核")
    axes.set_xlabel(f"{on} ({processor}), TensorFlow {version}")
    axes.tick_params(axis="y", length=0)
    axes.minorticks_off()
    axes.spines["left"].set_visible(False)
    return page


PROGRAM = """
w = tf.Variable(0, dtype=tf.float32)
optimizer = keras.optimizers.SGD(0.01)
for step in range(1000):
    with tf.GradientTape() as tape:
        cost = w**2 - 10 * w + 25
    optimizer.apply(tape.gradient(cost, [w]), [w])
"""


def licences() -> dict[str, str]:
    """What the installed packages' metadata say of their licence."""
    found = {}
    for package in ("tensorflow", "keras"):
        about: Any = distribution(package).metadata
        kinds = [text for text in about.get_all("Classifier") or [] if "License" in text]
        stated = about.get("License-Expression") or about.get("License")
        found[package] = stated or ", ".join(kind.rpartition(" :: ")[2] for kind in kinds)
    return found


@claim(
    "frameworks.criteria",
    "Choose a framework by ease of programming (development and deployment), running speed, and "
    "openness.",
    note("001", 605, "易于编写程序", "easy to program"),
    note("001", 606, "运行快", "runs fast"),
    note("001", 607, "不仅需要开源，而且需要良好的管理", "not only open source but governed well"),
    note("002", 172, "便于编程", "easy to program"),
    video("development and deployment"),
    conditions="All but one part can be measured on what is installed: whether a framework stays "
    "open is a matter of who governs it, and no run of it tells.",
)
def criteria(seed: int) -> Evidence:
    """Measures each criterion on the installed TensorFlow. Development: the statements that the
    lecture's program needs with the derivative found by TensorFlow, the derivative by hand being
    none of them. Deployment: the program saved, loaded elsewhere, and compared. Speed: how much
    faster the compiled loop takes the lecture's 1000 steps, in five rounds; more than ten times is
    what matters. Openness: the licence in its metadata.
    """
    from tfcourse._tensorflow import keras, tf

    names: dict[str, Any] = {"tf": tf, "keras": keras}
    exec(PROGRAM, names)
    w = round(float(names["w"]), 5)
    statements = sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(PROGRAM)))
    points, program = np.linspace(-5, 15, 21, dtype=np.float32), tf.Module()
    signature = [tf.TensorSpec((None,), tf.float32)]
    program.cost = tf.function(lambda w: w**2 - 10 * w + 25, input_signature=signature)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(program, folder)
        again = tf.saved_model.load(folder).cost(points)
    off = float(np.abs(again - program.cost(points)).max())
    gain, stated = measure(ways=("session loop", "the loop compiled")).gain, licences()
    openly = all(text.startswith(("Apache", "BSD", "MIT")) for text in stated.values())
    return judged(
        False,  # whether it stays open, no run tells
        f"{statements} statements, no derivative, w = {w}; reloaded program differs by {off:g}; "
        f"the loop compiled is {'over 10' if gain.low > 10 else gain.show('.0f')} times as fast as "
        f"the session loop; {', '.join(f'{name}: {text}' for name, text in stated.items())}",
        plain="Ease, speed and the licence can be measured; whether it stays open cannot.",
        under_conditions=w == 4.99999 and off == 0 and gain.low > 10 and openly,
    )


ledger.errata(
    __name__,
    ledger.Erratum(
        "frameworks.erratum.unless",
        note("001", 578, "除非应用更复杂的模型", "(not realistic) unless for more complex models"),
        "尤其是应用更复杂的模型时 (the more so for more complex models)",
        "“Unless” turns the sense round: the more complex or the larger the model, the less "
        "realistic it is.",
        whose="translation",
    ),
)
