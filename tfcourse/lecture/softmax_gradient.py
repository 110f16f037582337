"""The gradient dz = ŷ − y: by finite differences, by the chain rule, and by a framework."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import NamedTuple

import numpy as np

from tfcourse import softmax
from tfcourse._arrays import Floats
from tfcourse.lecture.cross_entropy import Y_HAT
from tfcourse.lecture.gallery import figure
from tfcourse.lecture.ledger import Erratum, Evidence, below, claim, errata, judged, note
from tfcourse.lecture.style import BOOK, Figure, Style


class GradientCheck(NamedTuple):
    """The gradient three ways, (n, C); row 0 is the example."""

    expected: Floats  # ŷ − y
    formula: Floats  # dz by the package's formula
    differences: Floats
    error: float  # how far differences are off


def gradient_check(
    prediction: Sequence[float] = Y_HAT, true_class: int = 2, seed: int = 0, h: float = 1e-5
) -> GradientCheck:
    """Differentiate the loss at the prediction's logits and at 100 random ones; h: the step."""
    random, C = np.random.default_rng(seed), len(prediction)
    z = np.vstack([np.log(prediction), random.normal(0, 3, (100, C))])
    y = softmax.one_hot([true_class - 1, *random.integers(0, C, 100)], C, np.float64)

    def loss(z: Floats) -> Floats:
        return softmax.cross_entropy_from_logits(z, y, reduction="none")

    slopes = [(loss(z + move) - loss(z - move)) / (2 * h) for move in h * np.eye(C)]
    expected, differences = softmax.softmax(z) - y, np.stack(slopes, axis=1)
    dz = softmax.cross_entropy_with_gradient(z, y, reduction="none").gradient
    error = float(np.abs(differences - expected).max())
    return GradientCheck(expected, dz, differences, error)


@figure(
    zh="""损失对 logits 的梯度是 ŷ − y：只有真实类别的那一项小于 0。
    有限差分与之相符，只差它自身的误差。

    左图是课上例子的四根柱子，ŷ − y = 0.3、−0.8、0.1、0.4；第二根属于真实类别，朝下。
    每根柱子的末端都有一个菱形，即有限差分。右图是在 100 个随机 logits 处两者的最大差别，横轴是
    差分的步长，都用对数刻度：步长变小，差别先变小，在步长约为十的负五次方处降到十的负九次方以下；
    再小，舍入误差占了上风，差别又变大。"""
)
def softmax_gradient(
    prediction: Sequence[float] = Y_HAT, true_class: int = 2, *, seed: int = 0, style: Style = BOOK
) -> Figure:
    """The gradient of the loss with respect to the logits is ŷ − y: below 0 for the true class
    alone. Finite differences agree, as far as their own error goes.

    Left, four bars for the lecture's example, ŷ − y = 0.3, −0.8, 0.1 and 0.4; the second, that of
    the true class, points down. A diamond, the finite difference, sits on the end of each. Right,
    the largest difference between the two at 100 random logits, over the step of the finite
    difference, both axes logarithmic: it falls as the step shrinks, to below 10 to the −9 at a step
    of about 10 to the −5, and rises again where rounding takes over.
    """
    colors, s, say = style.colors, style.scale, style.say
    found = gradient_check(prediction, true_class, seed)
    page, numbers = style.page(3.0), range(1, len(prediction) + 1)
    example, error = page.subplots(1, 2, width_ratios=(1.15, 1))
    bars = [colors.recommended if i == true_class else colors.neutral for i in numbers]
    drawn = example.bar(numbers, found.expected[0], width=0.62, color=bars)
    labels = [f"{value:.2g}".replace("-", "−") for value in found.expected[0]]
    example.bar_label(drawn, labels, padding=6 * s)
    diamond = {"color": colors.baseline, "mec": colors.paper, "ms": 5 * s, "lw": 0}
    example.plot(numbers, found.differences[0], "D", **diamond)
    example.axhline(0, color=colors.muted, lw=0.8 * s)
    example.set_title(say(r"$\hat y - y$, and by differences", r"$\hat y - y$ 与有限差分"))
    example.set(xlabel=say("class", "类别"), yticks=[])
    example.margins(y=0.18)
    true = say("\ntrue", "\n真实")
    example.set_xticks(numbers, [f"{i}{true if i == true_class else ''}" for i in numbers])
    example.get_xticklabels()[true_class - 1].set_color(colors.recommended)
    example.spines[["left", "bottom"]].set_visible(False)
    example.tick_params(bottom=False)
    steps = np.logspace(-1, -11, 41)
    errors = [gradient_check(prediction, true_class, seed, h).error for h in steps]
    error.plot(steps, errors, color=colors.baseline)
    thirds = [1e-10, 1e-7, 1e-4, 1e-1]
    error.set(xscale="log", yscale="log", xticks=thirds, yticks=thirds[:-1], ylim=(1e-11, 1e-2))
    error.set_xlabel(say("step of the difference", "差分的步长"))
    least = f"${min(errors):.0e}}}$".replace("e-", r" \cdot 10^{-").replace("{-0", "{-")
    error.set_title(say("largest error: at best ", "最大误差：最好时 ") + least)
    error.minorticks_off()
    return page


@claim(
    "softmax.gradient",
    "The gradient of the loss with respect to the logits is dz = ŷ − y.",
    note("003", 1340, "dZ[L] = y_hat - y"),
    note("002", 160, r"dz^{[l]}=\widehat y-y"),
    note("004", 170, r"dz^{(1)} = \hat{y} - y"),
)
def gradient(seed: int) -> Evidence:
    """Central differences of the loss at the lecture's example and at 100 random z, beside ŷ − y
    and beside what the package's backward formula gives.
    """
    found = gradient_check(seed=seed)
    formula = float(np.abs(found.formula - found.expected).max())
    dz = [round(float(value), 3) + 0 for value in found.differences[0]]
    measured = f"example {dz}; differences off ŷ − y by {below(found.error, 1e-8)}"
    return judged(found.error < 1e-8 and formula < 1e-14, measured)


def chain_rule(t: Sequence[Fraction], k: int) -> list[Fraction]:
    """Return dL/dz for the true class k, from t = e^z, step by step and without rounding."""
    total, classes = sum(t, Fraction()), range(len(t))
    a = [t_i / total for t_i in t]  # so L = −log a_k
    dL_da_k = -1 / a[k]
    # The quotient rule for a_k = t_k/Σt; and t_j = e^(z_j) is its own derivative.
    da_k_dt = [((j == k) * total - t[k]) / total**2 for j in classes]
    return [dL_da_k * da_k_dt[j] * t[j] for j in classes]


@claim(
    "softmax.derivation",
    "dz = ŷ − y follows from the chain rule: dL/da_k = −1/a_k, then a_k = t_k/Σt by the quotient "
    "rule, then dt_j/dz_j = t_j; what is left is a_j − y_j.",
    note("000", 264, "并没有很详细的介绍softmax的原理和公式推导", "the video does not derive it"),
)
def derivation(seed: int) -> Evidence:
    """Takes these steps with C = 4 in fractions, without rounding, for each true class and for all
    81 choices of t from 1, 2, 3. Times (Σt)², both sides are polynomials of degree 2 at most in
    each t_j, so agreeing at three values of each proves them equal. The package's Jacobian, times
    dL/da, is compared too.
    """
    equal, off = 0, 0.0
    for numbers in product((1, 2, 3), repeat=4):
        t, a = [Fraction(n) for n in numbers], [Fraction(n, sum(numbers)) for n in numbers]
        jacobian = softmax.softmax_jacobian(np.log(numbers))
        for k in range(4):
            dz = chain_rule(t, k)
            equal += dz == [a[j] - (j == k) for j in range(4)]
            off = max(off, np.abs(-1 / float(a[k]) * jacobian[k] - np.array(dz, float)).max())
    return judged(
        equal == 4 * 81 and off < 1e-13,
        f"equal in {equal} of 324 cases, which proves it for C = 4; by the package's Jacobian off "
        f"by {below(off, 1e-13)}",
        plain="The chain rule through softmax leaves ŷ − y and nothing else, exactly.",
    )


@claim(
    "softmax.autodiff",
    "With a framework only the forward pass is written; the gradients come by themselves.",
    note("002", 162, "程序会自动做好反向传播", "the program does the backward pass by itself"),
    note("003", 1363, "backward derivatives are auto-computed"),
)
def autodiff(seed: int) -> Evidence:
    """Writes the forward pass of a network with a hidden layer in TensorFlow, asks the tape for all
    gradients, and compares them with backward formulas written by hand, dz₂ = (ŷ − y)/m and back
    from there, in float64.
    """
    from tfcourse._tensorflow import tf

    random = np.random.default_rng(seed)
    x, y = random.normal(size=(32, 6)), random.integers(0, 4, 32)
    W1, b1, W2, b2 = (random.normal(size=shape) for shape in ((6, 8), 8, (8, 4), 4))
    variables = [tf.Variable(value) for value in (W1, b1, W2, b2)]
    with tf.GradientTape() as tape:
        hidden = tf.tanh(x @ variables[0] + variables[1])
        logits = hidden @ variables[2] + variables[3]
        J = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits))
    by_tape = tape.gradient(J, variables)
    a1 = np.tanh(x @ W1 + b1)
    dz2 = softmax.cross_entropy_with_gradient(a1 @ W2 + b2, y).gradient
    dz1 = dz2 @ W2.T * (1 - a1**2)
    by_hand = (x.T @ dz1, dz1.sum(axis=0), a1.T @ dz2, dz2.sum(axis=0))
    pairs = zip(by_tape, by_hand, strict=True)
    off = max(float(np.abs(tape - hand).max() / np.abs(hand).max()) for tape, hand in pairs)
    return judged(off < 1e-12, f"W1, b1, W2, b2: relative difference {below(off, 1e-12)}")


errata(
    __name__,
    Erratum(
        "softmax.erratum.dz-layer",
        note("002", 160, r"dz^{[l]}=\widehat y-y"),
        r"dz^{[L]}=\widehat y-y",
        "It is so in the last layer, L, alone: only there is ŷ the output.",
    ),
    Erratum(
        "softmax.erratum.dz-exponent",
        note("004", 170, r"dz^{(1)} = \hat{y} - y"),
        r"dz^{[L]} = \hat{y} - y",
        "Round brackets number examples, square ones layers; and it is the last layer's.",
    ),
)
