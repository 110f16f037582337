"""Where z, z_norm and z̃ fall on a sigmoid: on its straight part, or on the curve."""

import math
from functools import cache, partial
from typing import NamedTuple

import numpy as np

from tfcourse._arrays import Floats
from tfcourse.lecture import network
from tfcourse.lecture.gallery import figure
from tfcourse.lecture.ledger import Evidence, claim, note, weighed, worst
from tfcourse.lecture.statistics import holm, mean
from tfcourse.lecture.style import BOOK, Figure, Style
from tfcourse.softmax import sigmoid

STRAIGHT = 0.05  # share of the sigmoid's variance that a straight line may leave
HALF = float(np.log(3 + 2 * np.sqrt(2)))  # beyond ±1.76 the slope is less than half of that at 0


class Layer(NamedTuple):
    """A trained sigmoid layer at work on all training examples: z, z_norm and z̃, (m, units)."""

    z: Floats
    z_norm: Floats
    z_tilde: Floats
    trainings: int = 1


@cache
def layer(seed: int = 0, updates: int = 800) -> Layer:
    """Train 64–32–32–10, batch norm and sigmoids, on the digits; return the second hidden layer."""
    x, y = network.digits()
    net = network.start(seed, [64, 32, 32, 10], normalize=True, activation="sigmoid")
    for rows in network.mini_batches(seed, len(x), updates):
        net = net.moved(network.gradients(net, x[rows], y[rows])[1], 2.0)
    passed = network.forward(net, x)
    return Layer(passed.z[1], passed.normalized[1].z_norm, passed.z_tilde[1])


def bent(z: Floats) -> float:
    """Return the share of σ(z)'s variance that the best straight line in z leaves, over units."""
    a = sigmoid(z)
    u, v = z - z.mean(axis=0), a - a.mean(axis=0)
    left = 1 - (u * v).mean(axis=0) ** 2 / (u**2).mean(axis=0) / (v**2).mean(axis=0)
    return float(left.mean())


@figure(
    zh="""训练好的一层里，z、z_norm 和 z̃ 落在 sigmoid 的哪里：归一化后大多在近于直线的一段，
    学到的 γ 和 β 又让它用上弯曲的部分。

    三幅图，各是这一层所有数值的直方图，画在 S 形的 sigmoid 后面，高度统一。两条竖线之间，
    sigmoid 的斜率至少是 0 处的一半。z_norm 大多在两线之间；z̃ 散得更开，许多在两线之外。""",
    trains=True,
)
def batch_norm_distributions(updates: int = 800, *, seed: int = 0, style: Style = BOOK) -> Figure:
    """Where z, z_norm and z̃ of a trained layer fall on its sigmoid: normalized, mostly where it is
    nearly straight; with the γ and β it has learnt, also on the curve.

    Three panels, each with a histogram of all values of the layer behind the S of the sigmoid, all
    scaled to one height. Between two upright lines, at ±1.76, the sigmoid's slope is at least half
    of that at 0. Most of z_norm lies between them; z̃ spreads wider, much of it outside.
    """
    found, colors, s = layer(seed, updates), style.colors, style.scale
    columns = (
        ("$z$", found.z, colors.baseline),
        (r"$z_\mathrm{norm}$", found.z_norm, colors.neutral),
        (r"$\tilde z = \gamma\, z_\mathrm{norm} + \beta$", found.z_tilde, colors.recommended),
    )
    page, span = style.page(2.6), np.linspace(-10, 10, 201)
    every = page.subplots(1, 3, sharey=True)
    for axes, (title, values, color) in zip(every, columns, strict=True):
        counts, edges = np.histogram(values.ravel(), np.linspace(-10, 10, 81))
        axes.stairs(0.9 * counts / counts.max(), edges, fill=True, color=color, alpha=0.45)
        axes.plot(span, sigmoid(span), color=colors.ink, lw=1.4 * s)
        for edge in (-HALF, HALF):
            axes.axvline(edge, color=colors.muted, lw=0.8 * s)
        inside = float((np.abs(values) < HALF).mean())
        axes.set(xlim=(-10, 10), ylim=(0, 1.03), xticks=[-6, 0, 6], yticks=[0, 0.5, 1], title=title)
        axes.set_xlabel(style.say(f"{inside:.0%} between lines", f"{inside:.0%} 在两线之间"))
    return page


@claim(
    "bn.sigmoid-region",
    "With mean 0 and variance 1 a sigmoid stays in its nearly linear region; γ and β let it use "
    "the curve.",
    note("000", 165, "而不是所有值都集中在线性的区域", "rather than all in the linear region"),
    note("001", 302, "以便更好的利用非线性的sigmoid函数", "to make better use of the sigmoid"),
    note("003", 1252, "so as to profit from non-linearity of activation function"),
    trains=True,
    matters="A straight line that leaves less than 5% of the sigmoid's variance is nearly it; "
    "twice as much left, as learnt, is use of the curve.",
)
def sigmoid_region(seed: int) -> Evidence:
    """Trains five networks of sigmoids with batch norm on the digits and takes the second hidden
    layer's z_norm and z̃. Measured: the share of the sigmoid's variance that the best straight line
    leaves unexplained; 0 is a straight line.
    """
    found = [layer(5 * seed + run) for run in range(5)]
    sides = [one.z_norm for one in found], [one.z_tilde for one in found]
    start, end = (np.array([bent(z) for z in side]) for side in sides)
    both = {"straight": STRAIGHT - start, "curve": np.log(end / start)}
    tested = holm({name: partial(mean, values) for name, values in both.items()})
    inside = [np.mean([np.mean(np.abs(z) < HALF) for z in side]) for side in sides]
    return Evidence(
        worst(weighed(tested["straight"], 0), weighed(tested["curve"], math.log(2))),
        f"a straight line leaves {mean(start).show('.1f', '%')} of z_norm's, "
        f"{mean(end).show('.1f', '%')} of z̃'s; within ±1.76, where the slope is at least half, lie "
        f"{inside[0]:.0%} and {inside[1]:.0%}",
        f"Normalized, {inside[0]:.0%} of values lie where the sigmoid is nearly straight; with γ "
        f"and β as learnt, {inside[1]:.0%}.",
        tested["curve"],
        tuple(found),
    )
