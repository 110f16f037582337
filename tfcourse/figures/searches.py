"""Figures of part 1, tuning, for which models are trained: what matters, and how it is found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tfcourse.experiments import babysitting, practice, searches
from tfcourse.figures.drawing import FAINT, MUTED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SYMBOLS = {
    "learning_rate": "learning rate $\\alpha$",
    "momentum": "momentum $\\beta$",
    "units": "hidden units",
    "batch_size": "mini-batch size",
    "layers": "layers",
    "decay": "learning rate decay",
    "beta_1": "Adam's $\\beta_1$",
    "beta_2": "Adam's $\\beta_2$",
    "epsilon": "Adam's $\\varepsilon$",
}
WAYS = {"momentum": ("C0", "o", "with momentum"), "adam": ("C1", "D", "with Adam")}
TRIALS = 1024  # enough to tell the ranks apart; the claim takes twice as many


def hyperparameter_importance(figure: Figure, seed: int = 0) -> None:
    """The share of the spread of random trials' accuracies that each hyperparameter explains alone,
    with its 95% interval, in the lecture's order of importance.

    Nine rows in four ranks, from the learning rate to Adam's ε, a point with a 95% interval in each
    for training with momentum and with Adam. Left, over all trials: the learning rate explains
    most, the mini-batch size some, the rest next to nothing. Right, over the trials in the best
    decade of learning rates: the mini-batch size explains nearly half, and of the rest, the
    learning rate among them, none can be told from nothing.
    """
    found = searches.importance(seed, size=TRIALS)
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    rows = {name: -row for row, name in enumerate(sum(searches.RANKS, ()))}
    trials = np.zeros(2, int)
    for line, (way, (color, marker, words)) in enumerate(WAYS.items()):
        one, other = found[way], found["adam" if way == "momentum" else "momentum"]
        for axes, indices in ((left, one.everywhere), (right, one.near_best)):
            for name in indices.names:
                value, low, high = indices.interval(name)
                both = name in other.everywhere.names
                row = rows[name] + (0.14 - 0.28 * line) * both
                axes.plot([low, high], [row, row], color=color, lw=1.4)
                axes.plot(value, row, marker, color=color, ms=5.5, gid=f"{way} {name}")
        left.text(0.97, 0.2 - 0.11 * line, words, color=color, ha="right", transform=left.transAxes)
        alpha = one.alpha
        trials += [len(alpha), np.sum((one.decade[0] <= alpha) & (alpha < one.decade[1]))]
    beside: dict[str, Any] = {"transform": right.get_yaxis_transform(), "color": MUTED}
    top = 0.6
    for rank, names in enumerate(searches.RANKS, start=1):
        bottom = top - len(names)
        if rank % 2 == 0:
            left.axhspan(top, bottom, color="0.95", lw=0, zorder=0)
            right.axhspan(top, bottom, color="0.95", lw=0, zorder=0)
        right.text(1.02, (top + bottom) / 2, str(rank), va="center", **beside)
        top = bottom
    right.text(1.09, (top + 0.6) / 2, "rank in the lecture", va="center", rotation=270, **beside)
    left.set(title=f"all {trials[0]} trials", ylim=(top, 0.6))
    right.set(title=f"the {trials[1]} in the best decade of $\\alpha$")
    for axes in (left, right):
        axes.axvline(0, color=FAINT, lw=0.8, zorder=0.5)
        axes.set(xlabel="share of the spread")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
    left.set_yticks(list(rows.values()), [SYMBOLS[name] for name in rows])


def panda(figure: Figure, seed: int = 0) -> None:
    """Panda: one model, watched day by day. A change that makes its curve worse is gone back from.

    Validation loss on a logarithmic scale over the epochs of one training, in seven days; above
    each stands what it changes, learning rate, momentum or mini-batch size. The loss falls from day
    to day, but on the fourth a much too large learning rate throws it far up, in red. An arrow
    leads down: the fifth day goes on from where the third ended.
    """
    found = babysitting.diary(seed)
    axes: Any = figure.subplots()
    evening = found.loss[0][0]
    for day, (change, kept, loss) in enumerate(
        zip(found.changes, found.kept, found.loss, strict=True)
    ):
        color = "C0" if kept else "C1"
        x = day + np.arange(1, len(loss) + 1) / len(loss)
        begin = ([day], [evening]) if day else ([], [])
        how: dict[str, Any] = {"color": color, "marker": "o", "ms": 3.5, "clip_on": False}
        axes.plot([*begin[0], *x], [*begin[1], *loss], **how)
        if day:
            axes.axvline(day, color=FAINT, lw=0.6, zorder=0)
        axes.text(
            day + 0.5,
            1.02,
            _change(change),
            color=color,
            ha="center",
            va="bottom",
            fontsize=10,
            transform=axes.get_xaxis_transform(),
        )
        if kept:
            evening = loss[-1]
        else:
            back = {"arrowstyle": "-|>", "color": "C1", "lw": 1.4, "shrinkA": 4, "shrinkB": 4}
            axes.annotate("", (day + 1, evening), (day + 1, loss[-1]), arrowprops=back)
            axes.text(
                day + 1.08,
                np.sqrt(evening * loss[-1]),
                f"back to\nday {day}",
                color="C1",
                va="center",
            )
    days = len(found.loss)
    axes.set(yscale="log", xlim=(0, days), xlabel="day", ylabel="validation loss")
    axes.set_xticks(np.arange(days) + 0.5, range(1, days + 1))
    axes.set_yticks([0.1, 0.3, 1, 3], ["0.1", "0.3", "1", "3"])
    axes.minorticks_off()
    axes.tick_params(axis="x", length=0)


def _change(change: Mapping[str, Any]) -> str:
    """What a day sets anew, in the lecture's letters."""
    letters = {"learning_rate": "$\\alpha = {:g}$", "momentum": "$\\beta = {:g}$"}
    letters["batch_size"] = "batch {:g}"
    [(name, value)] = ((name, change[name]) for name in letters if name in change)
    return letters[name].format(value)


def caviar(figure: Figure, seed: int = 0) -> None:
    """Caviar: 40 models with hyperparameters drawn at random, trained at the same time; the one
    whose curve is best is kept.

    Validation error on a logarithmic scale over twelve epochs, a thin grey line for each model:
    many fall at once below 10%, some slowly, some hardly at all. Of those that get
    lowest, the best over all epochs is drawn thick, its lowest point marked with its error, about
    2%.
    """
    found = practice.caviar(seed)
    axes: Any = figure.subplots()
    epochs = np.arange(1, found.accuracy.shape[1] + 1)
    error = np.maximum(1 - found.accuracy, 0.01)
    for curve in np.delete(error, found.best, axis=0):
        axes.plot(epochs, curve, color=FAINT, lw=0.9)
    best = error[found.best]
    axes.plot(epochs, best, color="C0", lw=2.4)
    at = int(best.argmin())
    axes.plot(epochs[at], best[at], "o", color="C0", ms=7)
    axes.annotate(
        f"kept: {1 - found.accuracy[found.best, at]:.1%}",
        (epochs[at], best[at]),
        (0, -8),
        textcoords="offset points",
        ha="center",
        va="top",
        color="C0",
    )
    axes.set(xlabel="epoch", yscale="log", ylim=(0.0105, 1), xlim=(1, epochs[-1]))
    axes.set_title(f"validation error of {len(error)} models")
    axes.set_yticks([0.02, 0.05, 0.1, 0.2, 0.5, 1], ["2%", "5%", "10%", "20%", "50%", "100%"])
    axes.minorticks_off()
    axes.set_xticks(epochs[1::2])
