"""Figures of part 4, frameworks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.quadratic import formula, minimum

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure


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
