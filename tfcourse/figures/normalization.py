"""Figures of part 2, batch normalization."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tfcourse import softmax
from tfcourse.experiments import normalization
from tfcourse.figures.drawing import FAINT, MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
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


def batch_norm_network(figure: Figure, seed: int = 0) -> None:
    """A network with batch norm: in hidden layers z becomes z_norm, then z̃, and g is applied to z̃.

    Three rows of boxes joined by arrows, a row for each layer, for m = 64 examples. Rows one and
    two, the hidden layers: input, z, z_norm, z̃, a. Row three, the output layer, has no batch norm:
    input, z, ŷ. Each box names an array and its shape, such as 4 by 64; at the arrows stand the
    parameters that each step learns: W from input to z, and γ and β, 4 by 1 each, from z_norm to z̃;
    in row three W and b.
    """
    layers = normalization.anatomy(seed)
    axes = figure.subplots()
    for row, layer in enumerate(layers):
        y, hidden = -row, len(layer.arrays) == 5
        columns = range(5) if hidden else (0, 2, 4)
        for x, (symbol, shape) in zip(columns, layer.arrays.items(), strict=True):
            color = "C1" if hidden and x in (2, 3) else "C0"
            _box(axes, x, y, f"${symbol}$", _shape(shape), color)
        names = [f"${name}$" for name in layer.parameters]
        shapes = [_shape(shape) for shape in layer.parameters.values()]
        if hidden:
            _arrow(axes, (0, 1), y, names[0], shapes[0], "black")
            _arrow(axes, (1, 2), y, r"$\mu,\ \sigma^2$")
            _arrow(axes, (2, 3), y, ", ".join(names[1:]), shapes[1], "black")
            _arrow(axes, (3, 4), y, "$g$")
        else:
            _arrow(axes, (0, 2), y, ", ".join(names), ", ".join(shapes), "black")
            _arrow(axes, (2, 4), y, "softmax")
        title = f"layer {layer.layer}" if hidden else f"layer {layer.layer}, the output"
        axes.text(-0.22 if row == 0 else 0.06, y + 0.3, title, color=MUTED, va="bottom")
        if row:
            line: dict[str, Any] = {"color": "0.4", "lw": 1, "zorder": 0}
            axes.plot([4, 4, 0, 0], [y + 0.74, y + 0.62, y + 0.62, y + 0.26], **line)
    axes.set(xlim=(-0.25, 4.25), ylim=(-len(layers) + 0.72, 0.52))
    axes.axis("off")


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))


def _box(axes: Axes, x: float, y: float, symbol: str, shape: str, color: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    form: dict[str, Any] = {"boxstyle": "round,pad=0,rounding_size=0.05", "fc": color, "ec": "none"}
    axes.add_patch(FancyBboxPatch((x - 0.22, y - 0.26), 0.44, 0.52, **form))
    axes.text(x, y + 0.09, symbol, ha="center", va="center", color="white")
    axes.text(x, y - 0.15, shape, ha="center", va="center", color="white", fontsize=9)


def _arrow(
    axes: Axes, ends: tuple[int, int], y: float, above: str, below: str = "", color: str = MUTED
) -> None:
    start, end = ends[0] + 0.24, ends[1] - 0.24
    line: dict[str, Any] = {"arrowstyle": "-|>", "color": "0.4", "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (end, y), (start, y), arrowprops=line)
    words: dict[str, Any] = {"ha": "center", "color": color}
    axes.text((start + end) / 2, y + 0.06, above, va="bottom", fontsize=10, **words)
    axes.text((start + end) / 2, y - 0.09, below, va="top", fontsize=9, **words)


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
