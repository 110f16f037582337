"""Figures of part 4, frameworks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.quadratic_problem import formula, minimum

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
    near = {"textcoords": "offset points"}
    left.annotate("start", (w[0], cost[0]), xytext=(7, 2), **near)
    end = (w[-1], cost[-1])
    left.annotate(f"{w[-1]:.5f}", end, xytext=(0, 20), ha="center", color="C1", **near)
    title = f"$J(w) = {formula(coefficients)}$".replace("²", "^2")
    left.set(xlabel="$w$", ylabel="$J$", title=title)
    right.axhline(goal, color="0.75", lw=1.2)
    right.plot(w)
    right.plot(len(w) - 1, w[-1], "o", color="C1", clip_on=False)
    below = w[0] < goal
    right.annotate(
        f"minimum at {goal:g}",
        (1, goal),
        xycoords=("axes fraction", "data"),
        xytext=(0, -6 if below else 6),
        ha="right",
        va="top" if below else "bottom",
        color="0.4",
        **near,
    )
    right.set(xlabel="step", ylabel="$w$", title="$w$ over the steps", xlim=(0, len(w) - 1 or 1))
