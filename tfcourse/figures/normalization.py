"""Figures of part 2, batch normalization."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tfcourse import softmax
from tfcourse.experiments import normalization
from tfcourse.figures.drawing import FAINT, MUTED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BARE = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.85}


def normalized_contours(figure: Figure, seed: int = 0) -> None:
    """Inputs of different spread make the cost a long bowl, in which gradient descent zigzags;
    normalized ones make it round. Steps are counted until 99.9% of the way down.

    Two panels with w₁ across and w₂ up, contour lines of the cost, and the path of gradient descent
    from w = 0. Left, inputs as they are: narrow ellipses four times as long as wide, and a path
    that jumps from side to side for more than twenty steps. Right, inputs normalized: circles, and
    two steps to the middle.
    """
    bowls = normalization.bowls(seed)[0]
    panels: Any = figure.subplots(1, 2)
    sides = (("inputs as they are", bowls.raw), ("inputs normalized", bowls.normalized))
    for axes, (title, bowl) in zip(panels, sides, strict=True):
        reach = 1.25 * np.abs(bowl.path - bowl.centre).max()
        line = np.linspace(-reach, reach, 201)
        w = np.stack(np.meshgrid(bowl.centre[0] + line, bowl.centre[1] + line), axis=-1)
        excess = bowl.excess(w)
        levels = float(bowl.excess(bowl.path[0])) * np.arange(0.15, 1.5, 0.25) ** 2
        axes.contour(w[..., 0], w[..., 1], excess, levels, colors=FAINT, linewidths=1)
        axes.plot(*bowl.path.T, "o-", color="C0", ms=3.2, lw=1.2)
        axes.plot(*bowl.centre, "+", color="C1", ms=11, mew=2)
        words: dict[str, Any] = {"color": "C0", "textcoords": "offset points", "bbox": BARE}
        axes.annotate("start", bowl.path[0], (8, -3), **words)
        axes.set_title(f"{title}: {bowl.steps} steps")
        axes.set(aspect="equal", xlabel="$w_1$", xticks=[], yticks=[])
        axes.set_ylabel("$w_2$", rotation=0, labelpad=12)


def batch_norm_distributions(figure: Figure, seed: int = 0) -> None:
    """Where z, z_norm and z̃ of a trained layer fall on its sigmoid: normalized, nearly on a
    straight piece of it; with the γ and β it has learnt, also on the curve.

    Three panels, each with a histogram of all values of the layer behind the S of the sigmoid, all
    scaled to one height. z and z_norm lie between −3 and 3, where the S is almost straight. z̃ has
    two humps and reaches from about −6 to 6, past both bends.
    """
    found = normalization.distributions(seed)
    panels: Any = figure.subplots(1, 3, sharey=True)
    columns = {
        "$z$": (found.z, MUTED),
        r"$z_\mathrm{norm} = (z - \mu)\,/\sqrt{\sigma^2 + \varepsilon}$": (found.z_norm, "C0"),
        r"$\tilde z = \gamma\, z_\mathrm{norm} + \beta$": (found.z_tilde, "C1"),
    }
    span = np.linspace(-10, 10, 201)
    for axes, (title, (values, color)) in zip(panels, columns.items(), strict=True):
        counts, edges = np.histogram(values.ravel(), np.linspace(-10, 10, 81))
        axes.stairs(0.9 * counts / counts.max(), edges, fill=True, color=color, alpha=0.55)
        axes.plot(span, softmax.sigmoid(span), color="black", lw=1.4)
        axes.set(title=title, xlim=(-10, 10), ylim=(0, 1.03), xticks=[-6, 0, 6])
        axes.set(yticks=[0, 0.5, 1])
    panels[0].text(9.8, 0.82, "sigmoid", ha="right")
