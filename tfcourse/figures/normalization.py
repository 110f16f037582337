"""Figures of part 2, batch normalization."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tfcourse.experiments import batch_norm_generalization as generalization
from tfcourse.experiments import normalization
from tfcourse.figures.drawing import FAINT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BARE = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.85}


def batch_norm_noise(figure: Figure, seed: int = 0) -> None:
    """The noise of μ falls with the square root of the mini-batch size m: from 64 to 512 examples,
    to about a third.

    Seven points, measured, for m from 16 to 1024 on logarithmic axes. They lie on a straight line
    that falls by half an order of magnitude for each of m: 0.25 σ at 16, 0.127 σ at 64 and 0.044 σ
    at 512.
    """
    found = normalization.noise(seed)
    axes = figure.subplots()
    line = np.array([12.0, 1400.0])
    axes.plot(line, line**-0.5, color=FAINT, zorder=0)
    axes.annotate(r"$\sigma/\sqrt{m}$", (20, 20**-0.5), (8, 4), textcoords="offset points")
    for m, noise in zip(found.sizes, found.mean, strict=True):
        named = m in (64, 512)
        axes.plot(m, noise, "o", color="C1" if named else "C0", ms=7)
        if named:
            words = f"$m = {m}$: {noise:.3f} $\\sigma$"
            axes.annotate(words, (m, noise), (9, 6), textcoords="offset points", color="C1")
    axes.set(xscale="log", yscale="log", xlim=line, ylim=(0.025, 0.35))
    title = r"standard deviation of $\mu$, in $\sigma$"
    axes.set(xlabel="examples in the mini-batch, $m$", title=title)
    axes.set_xticks(found.sizes, [str(m) for m in found.sizes])
    axes.set_yticks([0.03, 0.1, 0.3], ["0.03", "0.1", "0.3"])
    axes.minorticks_off()


def covariate_shift(figure: Figure, seed: int = 0) -> None:
    """A model trained on the left half finds the boundary there, and misses it on the right, though
    one function parts the classes on both.

    A field of points of two classes, blue circles below and red squares above a black wave. The
    left half holds the training examples, in full colour; the right half the shifted ones, pale. A
    dashed line, the boundary learnt, runs along the wave on the left and leaves it on the right.
    Above stand the shares right: nearly all on the left, about four in five on the right.
    """
    found = generalization.covariate_shift(seed)
    axes = figure.subplots()
    sides = ((found.x, found.y, 1.0), (found.x_shifted, found.y_shifted, 0.3))
    for points, labels, alpha in sides:
        for label, (color, marker) in enumerate((("C0", "o"), ("C1", "s"))):
            own = points[labels == label]
            how: dict[str, Any] = {"ms": 3.6, "mew": 0, "clip_on": False, "zorder": 1}
            axes.plot(*own.T, marker, color=color, alpha=alpha, **how)
    for height, style, name in ((found.truth, "-", "true"), (found.learnt, "--", "learnt")):
        how = {"levels": [0], "colors": "black", "linestyles": style, "zorder": 2}
        axes.contour(found.grid, found.grid, height, linewidths=1.8, **how)
        column = 185 if name == "true" else 170
        row = int(np.abs(height[:, column]).argmin())
        at = found.grid[column], found.grid[row]
        axes.text(*at, name, ha="center", va="center", color="black", bbox=BARE)
    axes.axvline(0, color=FAINT, lw=1, zorder=0)
    axes.text(-3, 3.1, f"trained here: {found.here[0]:.0%} right", va="bottom")
    axes.text(0.1, 3.1, f"tried here: {found.there[0]:.0%} right", va="bottom")
    axes.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[], xlabel="$x_1$")
    axes.set_ylabel("$x_2$", rotation=0, labelpad=10)


def hidden_shift(figure: Figure, seed: int = 0) -> None:
    """What a hidden unit gets to see shifts as the weights below it change; with batch norm, its
    mean and deviation hardly move.

    Two rows for two units, over 150 updates: the mean as a line, one deviation on either side as a
    band. Left, without batch norm, one mean comes up from below −1 and the other down from near 1,
    both jitter around 0, and the bands grow wider. Right, with batch norm, lines and bands are
    level.
    """
    panels: Any = figure.subplots(2, 2, sharex=True, sharey=True)
    runs = [normalization.trace(seed, normalize=normalize) for normalize in (False, True)]
    drift = runs[0].means[-1] - runs[0].means[0]
    for column, run in enumerate(runs):
        updates = np.arange(len(run.means))
        for row, unit in enumerate((drift.argmax(), drift.argmin())):
            axes = panels[row, column]
            mean, deviation = run.means[:, unit], run.deviations[:, unit]
            band = mean - deviation, mean + deviation
            axes.fill_between(updates, *band, color=f"C{row}", alpha=0.25, lw=0)
            axes.plot(updates, mean, color=f"C{row}")
            axes.set(xlim=(0, updates[-1]), yticks=[-1, 0, 1])
            axes.set_ylabel("$\\tilde z$" if column else "$z$", rotation=0, labelpad=10)
    words: dict[str, Any] = {"ha": "right", "color": "C0", "transform": panels[0, 0].transAxes}
    panels[0, 0].text(1, 0.05, "mean ± one deviation", **words)
    for column, title in enumerate(("without batch norm", "with batch norm")):
        panels[0, column].set_title(title)
        panels[1, column].set_xlabel("update")


def test_time_average(figure: Figure, seed: int = 0) -> None:
    """For test time: μ of single mini-batches scatters; its exponentially weighted average follows
    the mean over the whole training set, a little late.

    Over 150 updates, grey points for the mini-batches' μ of one unit scatter around a black line,
    the mean over all training examples. A red line, the average with β = 0.9, starts at 0 and runs
    close to the black one, smoother than the points.
    """
    run = normalization.trace(seed)
    unit = int(np.abs(run.z_means[-1] - run.z_means[0]).argmax())
    average, v = [], 0.0
    for mu in run.batch_means[:, unit]:
        v = 0.9 * v + 0.1 * mu
        average.append(v)
    axes = figure.subplots()
    updates = np.arange(len(average))
    axes.plot(updates, run.batch_means[:, unit], "o", ms=3.5, color=FAINT)
    axes.plot(updates, run.z_means[:-1, unit], color="black", lw=1.4)
    axes.plot(updates, average, color="C1")
    axes.set(xlabel="update", xlim=(0, len(average)), title=r"$\mu$ of a hidden unit")
    words = (
        ("each mini-batch", "0.55"),
        ("whole training set", "black"),
        ("average, $\\beta = 0.9$", "C1"),
    )
    top = 0.24 if run.z_means[-1, unit] > run.z_means[0, unit] else 0.92
    for line, (text, color) in enumerate(words):
        axes.text(0.98, top - 0.1 * line, text, color=color, ha="right", transform=axes.transAxes)
