"""Figures of part 1, tuning, that need no training: scales and searches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.experiments import tuning
from tfcourse.figures.drawing import FAINT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]


def uniform_picks(figure: Figure, seed: int = 0) -> None:
    """Hidden units between 50 and 100, and 2, 3 or 4 layers, are drawn uniformly.

    Two number lines with 200 draws stacked on them as dots. Above, whole numbers from 50 to 100,
    each with a few dots; below, three heaps of about the same size over 2, 3 and 4.
    """
    picks = tuning.uniform_picks(seed)
    units, layers = figure.subplots(2, 1)
    for axes, values, columns in ((units, picks.units, 1), (layers, picks.layers, 9)):
        numbers = np.unique(values)
        for number in numbers:
            rank = np.arange(np.sum(values == number))
            spread = (rank % columns - (columns - 1) / 2) * (0.055 if columns > 1 else 0)
            color = "C0" if columns == 1 else "C1"
            axes.plot(number + spread, rank // columns + 0.7, "o", ms=3.6, color=color, mew=0)
        axes.spines["left"].set_visible(False)
        axes.set(yticks=[], ylim=(0, None))
    units.set(xlim=(49, 101), xticks=range(50, 101, 10))
    units.set_title(f"hidden units $n^{{[l]}}$, {len(picks.units)} draws")
    layers.set(xlim=(1.5, 4.5), xticks=[2, 3, 4])
    layers.set_title(f"layers $L$, {len(picks.layers)} draws")


def learning_rate_scale(figure: Figure, seed: int = 0) -> None:
    """Drawn uniformly from [0.0001, 1], nine in ten α lie above 0.1; drawn on the logarithmic
    scale, every decade gets a quarter.

    Left, α drawn uniformly: 100 ticks spread evenly over a straight number line, and a bar for each
    decade: 0.1%, 1%, 9% and 90%. Right, r drawn uniformly and α = 10 to the power r: 100 ticks
    spread evenly over a logarithmic number line, and four bars of about 25%.
    """
    draws = tuning.learning_rate_draws(seed)
    ends = [f"$10^{{{power}}}$" for power in range(-4, 1)]
    uniform, log = _scale_panels(figure, draws, ends, "$\\alpha$")
    uniform.set(xlim=(1e-4, 1), title="$\\alpha$ uniform in $[0.0001, 1]$")
    uniform.set_xticks([1e-4, 0.5, 1], ["0.0001", "0.5", "1"])
    log.set(xscale="log", xlim=(1e-4, 1), title="$r$ uniform in $[-4, 0]$, $\\alpha = 10^r$")
    log.set_xticks(draws.edges, ends)
    log.minorticks_off()


def beta_scale(figure: Figure, seed: int = 0) -> None:
    """Drawn uniformly from [0.9, 0.999], nine in ten β lie below 0.99; with 1 − β = 10 to the power
    r, as many lie above as below.

    Left, β drawn uniformly: 100 ticks spread evenly over the line from 0.9 to 0.999, and two bars,
    91% for 0.9 to 0.99 and 9% for 0.99 to 0.999. Right, r drawn uniformly between −3 and −1: ticks
    spread evenly over a line on which 0.99 stands in the middle, and two bars of about 50%.
    """
    draws = tuning.beta_draws(seed)
    ends = ["0.9", "0.99", "0.999"]
    uniform, log = _scale_panels(figure, draws, ends, "$1 - \\beta$")
    uniform.set(xlim=(0.9, 0.999), title="$\\beta$ uniform in $[0.9, 0.999]$")
    uniform.set_xticks([0.9, 0.95, 0.999], ["0.9", "0.95", "0.999"])
    log.set_xscale("function", functions=(lambda b: -np.log10(1 - b), lambda r: 1 - 10.0**-r))
    title = "$r$ uniform in $[-3, {-1}]$, $\\beta = 1 - 10^r$"
    log.set(xlim=(0.9, 0.999), title=title)
    log.set_xticks(draws.edges, ends)


def _scale_panels(figure: Figure, draws: Any, ends: list[str], symbol: str) -> Any:
    """Draws as ticks on two number lines; under each, the share of every decade as a bar."""
    axes = figure.subplots(2, 2, height_ratios=(1, 3))
    both = ((draws.linear, draws.linear_shares), (draws.log, draws.log_shares))
    for column, (values, shares) in enumerate(both):
        line, bars = axes[:, column]
        line.vlines(values[:100], 0, 1, color=f"C{column}", lw=0.8)
        line.set(ylim=(0, 1.1), yticks=[])
        heaps = bars.bar(np.arange(len(shares)) + 0.5, shares, width=0.94, color=f"C{column}")
        bars.bar_label(heaps, [_percent(share) for share in shares], padding=2)
        bars.set(ylim=(0, 1.05), yticks=[], xlim=(0, len(shares)))
        bars.set_xlabel(f"share of each decade of {symbol}")
        bars.set_xticks(range(len(ends)), ends)
        for panel in (line, bars):
            panel.spines["left"].set_visible(False)
    return axes[0]


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else f"{share:.1%}"


def beta_sensitivity(figure: Figure, seed: int = 0) -> None:
    """An exponentially weighted average takes in about 1/(1 − β) values: β + 0.0005 means nothing
    at 0.9, and twice as many at 0.999.

    Left, the curve of 1/(1 − β), flat at 10 over most of the range and shooting up at its right
    end; a step of 0.0005 is marked at 0.9, from 10 to 10.05, and at 0.999, from 1000 to 2000.
    Right, the weight of a value against its age, with β = 0.9 and 0.9005 on top of each other, and
    0.999 and 0.9995 far apart; a tick marks where each comes down to 1/e, at an age of 1/(1 − β).
    """
    averages = tuning.averages(seed)
    curve, weight = figure.subplots(1, 2)
    beta = 1 - np.logspace(-1, np.log10(0.0004), 300)
    curve.plot(beta, 1 / (1 - beta), color=FAINT)
    steps = list(zip(averages.betas, averages.values, strict=True))
    for color, (start, end) in (("C0", steps[:2]), ("C1", steps[2:])):
        curve.plot(*np.transpose([start, end]), "o-", color=color, clip_on=False)
    curve.annotate("0.9 → 0.9005:\n10 → 10.05", steps[0], (0.902, 250), color="C0")
    curve.annotate(
        "0.999 → 0.9995:\n1000 → 2000", (0.9975, 1500), ha="right", va="center", color="C1"
    )
    curve.set(xlabel="$\\beta$", xlim=(0.9, 1), ylim=(0, 2500), xticks=[0.9, 0.95, 1])
    curve.set(title="values averaged, $1/(1-\\beta)$", yticks=[0, 1000, 2000])
    age = np.logspace(0, 4, 200)
    for i, b in enumerate(averages.betas):
        style = "--" if i % 2 else "-"
        weight.plot(age, b**age, style, color="C0" if i < 2 else "C1")
    weight.plot(averages.measured, np.full(4, np.exp(-1)), "k|", ms=9)
    weight.axhline(np.exp(-1), color=FAINT, lw=0.8, zorder=0)
    weight.annotate("$1/e$", (1.1, np.exp(-1)), (0, -3), textcoords="offset points", va="top")
    weight.annotate("0.9\n0.9005", (22, 0.2), color="C0", ha="left", va="center")
    weight.annotate("0.999", (300, 0.62), color="C1", ha="right", va="center")
    weight.annotate("0.9995", (1600, 0.62), color="C1", ha="left", va="center")
    weight.set(xscale="log", xlim=(1, 1e4), ylim=(0, 1.02), xlabel="age of the value, steps")
    weight.set(title="weight of a value, newest = 1", yticks=[0, 0.5, 1])
