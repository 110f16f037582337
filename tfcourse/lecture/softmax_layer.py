"""The softmax layer: z, t = e^z, a = t/Σt, and hardmax beside it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from tfcourse import softmax
from tfcourse._arrays import Floats
from tfcourse._checks import InputError
from tfcourse.lecture import ledger
from tfcourse.lecture.gallery import figure
from tfcourse.lecture.ledger import Evidence, below, claim, corrected, judged, note
from tfcourse.lecture.style import BOOK, Figure, Style

EXAMPLE = (5.0, 2.0, -1.0, 3.0)  # z of the lecture's example


class Layer(NamedTuple):
    """What a softmax layer does with z, all (C,): t = e^z, a = t/Σt; and hardmax beside it."""

    z: Floats
    t: Floats
    a: Floats
    hardmax: Floats


def layer(z: Sequence[float] = EXAMPLE) -> Layer:
    """Run the layer on z; nothing is random in it."""
    values = np.array(z, float)
    a, hardmax = softmax.softmax(values), softmax.hardmax(values)
    if values.max() > 700:
        raise InputError(f"z must be at most 700, for e^z to be a number, got {values.max():g}")
    return Layer(values, np.exp(values), a, hardmax)


@figure(
    zh="""softmax 把 z = (5, 2, −1, 3) 变成概率：t = e^z 除以它们的和。
    hardmax 把全部都给最大的那个。

    四列，每列四条横柱，一行一类。各列依次是：z，其中一个是负的；t = e^z，都是正的，
    148.4 远比其余的长；a = t/Σt，即 0.842、0.042、0.002、0.114；以及 hardmax，即 1、0、0、0。"""
)
def softmax_layer(z: Sequence[float] = EXAMPLE, *, seed: int = 0, style: Style = BOOK) -> Figure:
    """Softmax turns z = (5, 2, −1, 3) into probabilities: t = e^z, divided by its sum. Hardmax puts
    everything on the largest.

    Four columns of four horizontal bars, a row for each class. The columns hold z, which has a
    negative entry; t = e^z, all positive, 148.4 far longer than the rest; a = t/Σt, that is 0.842,
    0.042, 0.002 and 0.114; and hardmax, that is 1, 0, 0 and 0.
    """
    colors, s = style.colors, style.scale
    columns = (
        ("$z$", "g", colors.neutral),
        ("$t = e^z$", ".1f", colors.neutral),
        (r"$a = t\,/\,\Sigma t$", ".3f", colors.recommended),
        ("hardmax", "g", colors.baseline),
    )
    page, rows = style.page(2.4), range(1, len(z) + 1)
    every = page.subplots(1, 4, sharey=True, width_ratios=(1.1, 1, 1, 1))
    for axes, values, (title, form, color) in zip(every, layer(z), columns, strict=True):
        bars = axes.barh(rows, values, height=0.62, color=color)
        labels = [f"{value:{form}}".replace("-", "−") for value in values]
        axes.bar_label(bars, labels, padding=4 * s)
        widest = float(np.abs(values).max()) or 1.0
        low = -1.5 * widest if values.min() < -widest / 2 else min(0, 4 * float(values.min()))
        axes.set(xticks=[], xlim=(low, 1.5 * widest), ylim=(len(values) + 0.6, 0.4))
        axes.text(0, 0.25, title, va="bottom")
        axes.axvline(0, color=colors.muted, lw=0.8 * s)
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.tick_params(left=False)
    every[0].set_yticks(rows, [style.say(f"class {i}", f"第 {i} 类") for i in rows])
    return page


@claim(
    "softmax.example",
    "z = (5, 2, −1, 3) gives t = e^z ≈ (148.4, 7.4, 0.4, 20.1), Σt ≈ 176.3 and "
    "a ≈ (0.842, 0.042, 0.002, 0.114).",
    note("002", 134, "可以看到最后输出的是每个类别的可能性", "each class's probability"),
    note("004", 150, r"z^{[L]} = \begin{bmatrix} 5 \\ 2 \\ -1 \\ 3 \end{bmatrix}"),
)
def example(seed: int) -> Evidence:
    """Computes t = e^z, its sum and a = t/Σt in float64, rounded as the lecture prints them."""
    found = layer()
    t, a = ([round(v, digits) for v in x.tolist()] for x, digits in ((found.t, 1), (found.a, 3)))
    total = round(float(found.t.sum()), 1)
    printed = t == [148.4, 7.4, 0.4, 20.1] and a == [0.842, 0.042, 0.002, 0.114]
    return judged(printed and total == 176.3, f"t = {t}, Σt = {total}, a = {a}")


@claim(
    "softmax.sums-to-one",
    "The output is a probability vector: each entry in [0, 1], and their sum is 1.",
    note("003", 1298, "each component in y_hat is probability of one class, y_hat is normalized"),
    note("004", 152, "probability for each class"),
)
def sums_to_one(seed: int) -> Evidence:
    """Softmax of 10,000 random vectors z of ten classes, with entries of size 0.01 to 10,000, in
    float32, where e^z alone would overflow above 88. Measured: the sums, smallest and largest.
    """
    random = np.random.default_rng(seed)
    z = random.normal(size=(10_000, 10)) * 10 ** random.uniform(-2, 4, (10_000, 1))
    a = softmax.softmax(z.astype(np.float32))
    off = float(np.abs(a.sum(axis=1, dtype=np.float64) - 1).max())
    inside = bool(((a >= 0) & (a <= 1)).all())
    words = f"all in [0, 1]: {'yes' if inside else 'no'}; sums off 1 by {below(off, 1e-6)}"
    return judged(inside and off < 1e-6, words)


@claim(
    "softmax.takes-a-vector",
    "Unlike sigmoid and ReLU, softmax takes and gives a vector: its derivative is a full matrix.",
    note("003", 1308, "it takes a vector instead of scalar"),
)
def takes_a_vector(seed: int) -> Evidence:
    """Differentiates softmax, the sigmoid and ReLU of five random numbers by central differences:
    how much does each output move with each input? Off the diagonal, softmax's matrix must have no
    zero and be the formula's, a_i (1 − a_j where i = j, −a_j elsewhere); the others' must be 0.
    """
    z, h, eye = np.random.default_rng(seed).normal(size=5), 1e-6, np.eye(5)

    def matrix(g: Callable[[Floats], Floats]) -> Floats:
        return np.array([(g(z + h * e) - g(z - h * e)) / (2 * h) for e in eye])

    a, found, beside = softmax.softmax(z), matrix(softmax.softmax), eye == 0
    others = matrix(softmax.sigmoid), matrix(lambda x: np.maximum(x, 0))
    alone = max(float(np.abs(other[beside]).max()) for other in others)
    off = float(np.abs(found - a[:, None] * (eye - a)).max())
    least = float(np.abs(found[beside]).min())
    return judged(
        least > 1e-6 and alone == 0 and off < 1e-8,
        f"of 20 entries off the diagonal softmax's smallest is {least:.1e}, the others' largest "
        f"{alone:g}; off the formula by {below(off, 1e-8)}",
        plain="Every output of softmax moves with every input; a sigmoid's with its own alone.",
    )


@claim(
    "softmax.hardmax",
    "Hardmax puts 1 at the maximum and 0 elsewhere: (1, 0, 0, 0) in the example. Softmax is its "
    "soft form.",
    note("003", 1316, "hardmax[i]= 1 if z_i=max else 0"),
    note("004", 156, '"hardmax"'),
)
def hardmax(seed: int) -> Evidence:
    """Hardmax of the example, and of 1000 random z. That softmax is the soft form is measured too:
    softmax of 100 z, in the example, is hardmax of z.
    """
    found, z = layer(), np.random.default_rng(seed).normal(size=(1000, 5))
    at_maximum = (softmax.hardmax(z) == (z == z.max(axis=1, keepdims=True))).all()
    limit = float(np.abs(softmax.softmax(100 * found.z) - found.hardmax).max())
    shown = found.hardmax.astype(int).tolist()
    measured = f"example {shown}; softmax(100 z) differs from it by {below(limit, 1e-12)}"
    return judged(shown == [1, 0, 0, 0] and bool(at_maximum) and limit < 1e-12, measured)


@claim(
    "softmax.two-classes",
    "With C = 2 softmax is logistic regression: (σ(z₁ − z₂), 1 − σ(z₁ − z₂)).",
    note("003", 1321, "softmax(C=2) = [logistic-reg(), 1-logistic-reg]"),
    note("004", 134, "softmax is a generalization of logistic regression to multiple classes"),
)
def two_classes(seed: int) -> Evidence:
    """Softmax of 1000 random pairs beside 1/(1 + e^(z₂ − z₁)), in float64."""
    z = np.random.default_rng(seed).normal(0, 5, (1000, 2))
    first = 1 / (1 + np.exp(z[:, 1] - z[:, 0]))
    off = float(np.abs(softmax.softmax(z) - np.stack([first, 1 - first], axis=1)).max())
    return judged(off < 1e-14, f"largest difference {below(off, 1e-14)}")


def sum_index(seed: int) -> Evidence:
    """Runs both forms on the lecture's example. The sum over j = 1 … 4 of t_i is 4 t_i, so every
    class gets 1/4, whatever z is.
    """
    values = layer().t.tolist()
    printed = [round(t / sum(t for _ in range(4)), 3) for t in values]
    ours = [round(t / sum(values), 3) for t in values]
    measured = f"printed a = {printed}, corrected a = {ours}"
    return corrected(printed == [0.25] * 4, ours == [0.842, 0.042, 0.002, 0.114], measured)


ledger.errata(
    __name__,
    ledger.Erratum(
        "softmax.erratum.sum-index",
        note("002", 132, r"a^{[l]}_i=\frac{t_i}{\sum_{j=1}^{4}t_i}"),
        r"a^{[l]}_i=\frac{t_i}{\sum_{j=1}^{4}t_j}",
        "The sum runs over j, so j must be the index of what is summed.",
        whose="lecturer",
        check=sum_index,
    ),
    ledger.Erratum(
        "softmax.erratum.small-l",
        note("003", 1302, "z[L] = W[L] * a[l-1] + b[L]"),
        "z[L] = W[L] * a[L-1] + b[L]",
        "The last layer's input is the activation of the layer before it, L − 1.",
    ),
)
