"""Figures of part 3, softmax."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tfcourse.experiments import classification
from tfcourse.figures.drawing import FAINT

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def softmax_boundaries(figure: Figure, seed: int = 0) -> None:
    """Softmax without a hidden layer draws straight lines between classes, however many there are.

    Six square panels of points in the plane, each class in a colour and with a shape of its own, on
    a ground tinted by the predicted class. C = 3 three times, then 4, 5 and 6. In every panel the
    tinted areas are polygons: black straight lines part them and meet in corners, and few points
    lie on the wrong side.
    """
    from matplotlib.colors import to_rgba_array

    problems = classification.boundaries(seed)
    axis = np.linspace(-1, 1, 401)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1)
    for axes, problem in zip(np.ravel(figure.subplots(2, 3)), problems, strict=True):
        predicted = (grid @ problem.kernel + problem.bias).argmax(axis=-1)
        colors = [f"C{i}" for i in range(problem.classes)]
        tints = to_rgba_array(colors, alpha=0.16)[predicted]
        axes.imshow(tints, extent=(-1, 1, -1, 1), origin="lower", interpolation="none")
        for points in problem.borders.values():
            along = points[np.lexsort(np.round(points.T, 9))]
            axes.plot(*along.T, color="black", lw=1, solid_capstyle="projecting")
        for label, (color, marker) in enumerate(zip(colors, "os^DPv", strict=False)):
            own = problem.x[problem.y == label]
            axes.plot(*own.T, marker, color=color, ms=3.6, mec="0.25", mew=0.3)
        axes.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal", xticks=[], yticks=[])
        right = f"{problem.accuracy:.1%}".replace("100.0%", "100%")
        axes.set_title(f"$C = {problem.classes}$, {right} right")
        axes.spines[:].set_visible(False)


def cross_entropy(figure: Figure, seed: int = 0) -> None:
    """The loss L = −log ŷ of the true class: small only where its probability is large.

    A curve over the probability of the true class, from 0 to 1. It comes down from the upper left,
    steeply at first, and ends at 0 where the probability is 1. The lecture's example is marked on
    it: ŷ = 0.2 costs 1.609.
    """
    curve = classification.loss_curve(seed)
    axes = figure.subplots()
    axes.plot(curve.probability, curve.loss)
    at = curve.example_probability, curve.example_loss
    axes.plot([at[0], at[0], 0], [0, at[1], at[1]], color=FAINT, lw=1, zorder=0)
    axes.plot(*at, "o", color="C1", ms=7)
    axes.annotate(
        f"$\\hat y = {at[0]:g}$ of the true class costs $L = {at[1]:.3f}$",
        at,
        (10, 6),
        textcoords="offset points",
        color="C1",
    )
    axes.set(xlim=(0, 1), ylim=(0, 4), xticks=[0, 0.2, 0.4, 0.6, 0.8, 1], yticks=range(5))
    axes.set(xlabel="$\\hat y$, probability of the true class", title="$L = -\\log\\,\\hat y$")


def softmax_gradient(figure: Figure, seed: int = 0) -> None:
    """The gradient of the loss by the logits is ŷ − y: below 0 for the true class, above for the
    others. Finite differences agree, as far as their own error goes.

    Left, four bars for the lecture's example, ŷ − y = 0.3, −0.8, 0.1 and 0.4; the second, that of
    the true class, points down. A black diamond, the finite difference, sits on the end of each.
    Right, the largest difference between the two at 100 random logits, over the step of the finite
    difference, both axes logarithmic: it falls as the step shrinks, to below 10 to the −9 at a step
    of about 10 to the −5, and rises again where rounding takes over.
    """
    found = classification.gradient_check(seed)
    example, error = figure.subplots(1, 2, width_ratios=(1.15, 1))
    values = found.formula[0]
    colors = ["C1" if truth else "C0" for truth in found.y[0]]
    bars = example.bar(range(1, 5), values, width=0.62, color=colors)
    labels = [f"{value:.1f}".replace("-", "−") for value in values]
    example.bar_label(bars, labels, padding=6)
    example.plot(range(1, 5), found.differences[0], "D", ms=5, color="black", mec="white")
    example.annotate(
        "finite difference",
        (3, found.differences[0, 2]),
        (2.75, -0.42),
        arrowprops={"arrowstyle": "-", "color": "0.4", "lw": 0.8, "shrinkB": 3},
    )
    example.axhline(0, color="0.4", lw=0.8)
    example.set(title="$\\hat y - y$", xlabel="class", xlim=(0.4, 4.6), ylim=(-1.0, 0.62))
    example.set(yticks=[], xticks=range(1, 5), xticklabels=["1", "2, true", "3", "4"])
    example.get_xticklabels()[1].set_color("C1")
    example.spines[["left", "bottom"]].set_visible(False)
    example.tick_params(bottom=False)

    steps = np.logspace(-1, -11, 41)
    checks = [classification.gradient_check(seed, step=step) for step in steps]
    error.plot(steps, [np.abs(each.differences - each.formula).max() for each in checks], color="k")
    error.set(xscale="log", yscale="log", xlim=(1e-11, 0.1), xlabel="step of the finite difference")
    thirds = [1e-10, 1e-7, 1e-4, 1e-1]
    error.set(xticks=thirds, yticks=thirds[:-1], ylim=(1e-11, 1e-3))
    error.set_title("largest difference from $\\hat y - y$")
    error.minorticks_off()
