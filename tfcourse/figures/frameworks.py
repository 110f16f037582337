"""Figures of part 4, frameworks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.experiments import frameworks, speed
from tfcourse.figures._layered import layout
from tfcourse.figures.drawing import FAINT, MUTED
from tfcourse.quadratic import formula, minimum

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure


def computation_graph(figure: Figure, seed: int = 0) -> None:
    """What TensorFlow traced: the cost as a graph, and the derivative that it built from it.

    Boxes are operations, arrows the numbers that flow between them, all to the right. The upper
    half computes J = w² − 10w + 25 from w. The lower half, the backward pass, begins with a 1,
    reads w and two constants of the upper half, and ends in dJ/dw = 2w − 10. One of its products
    leads nowhere: the derivative by the constant −10, which nobody asked for.
    """
    from matplotlib.patches import FancyBboxPatch

    nodes = frameworks.graph(seed).nodes
    axes = figure.subplots()
    backward = {node.name for node in nodes if node.backward}
    places, routes = layout({node.name: node.inputs for node in nodes}, backward)
    half = {}
    for node in nodes:
        x, y = places[node.name]
        color, label = f"C{int(node.backward)}", _label(node)
        fill, ink = (color, "white") if node.value is None else ("white", color)
        half[node.name] = 0.1 + 0.042 * len(label.strip("$"))
        corner, width = (x - half[node.name], y - 0.32), 2 * half[node.name]
        shape: dict[str, Any] = {"boxstyle": "round,pad=0,rounding_size=0.08", "mutation_aspect": 2}
        box = FancyBboxPatch(corner, width, 0.64, **shape, fc=fill, ec=color, gid=node.name)
        axes.add_patch(box)
        axes.text(x, y, label, ha="center", va="center_baseline", color=ink)
    for (start, end), route in routes.items():
        (x, y), *middle, (x_end, y_end) = route
        points = [(x + half[start], y), *middle, (x_end - half[end], y_end)]
        _flow(axes, np.array(points), "C1" if end in backward else "C0")
    x, y = np.transpose(list(places.values()))
    axes.set(xlim=(-0.4, x.max() + 0.4), ylim=(y.min() - 0.5, y.max() + 0.5))
    aside: dict[str, Any] = {"transform": axes.transAxes, "ha": "right"}
    axes.text(1, 1, "forward: $J = w^2 - 10w + 25$", color="C0", va="top", **aside)
    axes.text(1, 0, "backward: $dJ/dw = 2w - 10$", color="C1", va="bottom", **aside)
    axes.axis("off")


def _label(node: frameworks.Node) -> str:
    if node.value is not None:
        return f"{node.value:g}".replace("-", "−")
    words = {"w": "$w$", "Identity": "$J$", "Identity_1": "$dJ/dw$"}
    return words.get(node.name, node.kind)


def _flow(axes: Axes, points: NDArray[np.float64], color: str) -> None:
    """A smooth arrow through the points, level wherever it passes one."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    vertices, codes = [points[0]], [Path.MOVETO]
    for start, end in pairwise(points):
        reach = [(end[0] - start[0]) / 2, 0]
        vertices += [start + reach, end - reach, end]
        codes += [Path.CURVE4] * 3
    head: dict[str, Any] = {"arrowstyle": "-|>,head_width=2.2,head_length=4", "mutation_scale": 1}
    path = Path(np.array(vertices), codes)
    axes.add_patch(FancyArrowPatch(path=path, **head, color=color, lw=1, alpha=0.7, zorder=0))


def framework_speed(figure: Figure, seed: int = 0) -> None:
    """The time of the same 1000 steps of gradient descent, in four ways to run them: measured once,
    by `scripts/benchmark_quadratic.py --record`.

    Four points on a logarithmic axis of time. The lecture's loop around a session, eager execution
    and one call of a tf.function for each step lie between a tenth of a second and a second, the
    whole loop compiled well below a thousandth of one.
    """
    seconds, machine = speed.recorded()
    axes: Any = figure.subplots()
    first, last = seconds[speed.WAYS[0]], seconds[speed.WAYS[-1]]
    for row, way in enumerate(speed.WAYS):
        color = "C1" if way == speed.WAYS[-1] else "C0"
        axes.plot([1e-4, seconds[way]], [row, row], color=FAINT, lw=0.8, zorder=0)
        axes.plot(seconds[way], row, "o", ms=8, color=color)
        text = _duration(seconds[way])
        if way == speed.WAYS[-1]:
            text += f", {round(first / last, -1):.0f} times as fast as the session loop"
        axes.annotate(text, (seconds[way], row), (9, 0), textcoords="offset points", va="center")
    axes.set(xscale="log", xlim=(1e-4, 6), ylim=(len(seconds) - 0.5, -0.5))
    axes.set_xticks([1e-4, 1e-3, 1e-2, 0.1, 1], ["0.1 ms", "1 ms", "10 ms", "0.1 s", "1 s"])
    axes.set_yticks(range(len(seconds)), seconds)
    axes.set_title(f"1000 steps on {machine}", color=MUTED, fontsize="medium")
    axes.tick_params(axis="y", length=0)
    axes.minorticks_off()
    axes.spines["left"].set_visible(False)


def _duration(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds >= 0.1 else f"{1e3 * seconds:.2g} ms"


def draw_descent(
    figure: Figure | SubFigure, coefficients: Sequence[float], w: NDArray[Any], cost: NDArray[Any]
) -> None:
    """J(w) with the path of w, and w over the steps."""
    a, b, c = coefficients
    goal = minimum(coefficients)
    left, right = figure.subplots(1, 2)
    reach = 1.15 * max(abs(np.append(w, goal) - goal).max(), 1e-3)
    grid = np.linspace(goal - reach, goal + reach, 200)
    left.plot(grid, a * grid**2 + b * grid + c, color="0.75", lw=1.2)
    left.plot(w, cost, "o-", ms=3, lw=0.8)
    left.plot(w[-1], cost[-1], "o", color="C1")
    near: dict[str, Any] = {"textcoords": "offset points"}
    # The start inside the parabola, or outside where a path that diverges fills the inside; the
    # end above the bottom, or inside beside a wall.
    side = np.sign(w[0] - goal) if abs(w[0] - goal) < reach / 2 else 1
    start = {"xytext": (7 * side, 2 if side > 0 else -3), "ha": "left" if side > 0 else "right"}
    if len(w) == 1 or w[0] != w[-1]:
        left.annotate("start", (w[0], cost[0]), **start, **near)
    off = w[-1] - goal
    side = 0 if abs(off) < reach / 4 else -np.sign(off)
    placed = {
        "xytext": (9 * side, 5 if side else 26),
        "ha": ("right", "center", "left")[int(side) + 1],
    }
    text = f"{w[-1]:.5f}" if abs(w[-1]) < 1e4 else f"{w[-1]:.4g}"
    left.annotate(text, (w[-1], cost[-1]), color="C1", **placed, **near)
    title = f"$J(w) = {formula(coefficients)}$".replace("²", "^2")
    left.set(xlabel="$w$", ylabel="$J$", title=title)
    right.axhline(goal, color="0.75", lw=1.2)
    right.plot(w)
    right.plot(len(w) - 1, w[-1], "o", color="C1", clip_on=False)
    right.annotate(
        f"minimum\nat {goal:g}",
        (1, goal),
        xycoords=("axes fraction", "data"),
        xytext=(8, 0),
        va="center",
        color="0.4",
        **near,
    )
    right.set(xlabel="step", ylabel="$w$", title="$w$ over the steps", xlim=(0, len(w) - 1 or 1))
    right.xaxis.get_major_locator().set_params(integer=True)
