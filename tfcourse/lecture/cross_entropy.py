"""The loss L = −Σ y log ŷ, the cost J that is its mean, and what goes wrong on the way to it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfcourse import softmax
from tfcourse._arrays import Floats
from tfcourse.lecture import ledger
from tfcourse.lecture.gallery import figure
from tfcourse.lecture.ledger import Evidence, below, claim, corrected, judged, note, video
from tfcourse.lecture.style import BOOK, Figure, Style

Y_HAT = (0.3, 0.2, 0.1, 0.4)  # ŷ of the lecture's example; its true class is the second


def loss_curve() -> tuple[Floats, Floats]:
    """Give the true class 400 probabilities p from 1 to 0.01, three others the rest: p and L."""
    p = np.linspace(1, 0.01, 400)
    rows = np.stack([p, *3 * [(1 - p) / 3]], axis=1)
    return p, softmax.cross_entropy(rows, np.zeros(len(p), int), reduction="none")


@figure(
    zh="""真实类别的概率是 ŷ = 0.2 时，损失 L = −log ŷ 是 1.609；只有概率大，损失才小。

    一条曲线，横轴是真实类别的概率，从 0 到 1。它从左上方下来，起初很陡，在概率为 1 处降到 0。
    课上的例子标在曲线上：ŷ = 0.2 处，L = 1.609。"""
)
def cross_entropy(
    prediction: Sequence[float] = Y_HAT, true_class: int = 2, *, seed: int = 0, style: Style = BOOK
) -> Figure:
    """Where the true class has the probability ŷ = 0.2, the loss L = −log ŷ is 1.609: it is small
    only where the probability is large.

    A curve over the probability of the true class, from 0 to 1. It comes down from the upper left,
    steeply at first, and ends at 0 where the probability is 1. The lecture's example is marked on
    it: ŷ = 0.2 costs 1.609.
    """
    colors, s, say = style.colors, style.scale, style.say
    page = style.page(3.0)
    axes = page.subplots()
    axes.plot(*loss_curve(), color=colors.neutral)
    p, L = prediction[true_class - 1], float(softmax.cross_entropy(prediction, true_class - 1))
    axes.plot([p, p, 0], [0, L, L], color=colors.faint, lw=1 * s, zorder=0)
    axes.plot(p, L, "o", color=colors.recommended, ms=7 * s)
    side, ha = (-0.8, "right") if p > 0.55 else (0.8, "left")
    text = say(f"true class: $\\hat y = {p:g}$", f"真实类别：$\\hat y = {p:g}$")
    how: Any = {"textcoords": "offset fontsize", "ha": ha, "color": colors.recommended}
    axes.annotate(text, (p, L), (side, 0.5), **how)
    top = max(4, 1.2 * L)
    axes.set(xlim=(0, 1), ylim=(0, top), xticks=np.linspace(0, 1, 6), yticks=range(int(top) + 1))
    english = f"A probability of {p:g} for the true class costs {L:.3f}"
    axes.set_title(say(english, f"真实类别的概率为 {p:g} 时，损失是 {L:.3f}"))
    axes.set_xlabel(say(r"$\hat y$, probability of the true class", r"真实类别的概率 $\hat y$"))
    axes.set_ylabel(say(r"loss $L = -\log\,\hat y$", r"损失 $L = -\log\,\hat y$"))
    return page


@claim(
    "softmax.loss-example",
    "y = (0, 1, 0, 0) and ŷ = (0.3, 0.2, 0.1, 0.4) cost L = −log 0.2 ≈ 1.609; a small L means a "
    "large ŷ of the true class.",
    note("002", 146, "某一类的预测概率足够大即可", "the class's probability need only be large"),
    video("the vectors y and ŷ"),
)
def loss_example(seed: int) -> Evidence:
    """Computes L of the example, and of 400 predictions whose probability of the true class runs
    from 1 down to 0.01: L must rise all the way.
    """
    example, L = float(softmax.cross_entropy(Y_HAT, [0, 1, 0, 0])), loss_curve()[1]
    rises = bool((np.diff(L) > 0).all())
    return judged(
        round(example, 3) == 1.609 and rises,
        f"L = {example:.3f}; L from {abs(L[0]):.3f} to {L[-1]:.3f}, "
        f"{'always' if rises else 'not always'} rising",
    )


@claim(
    "softmax.maximum-likelihood",
    "Minimizing the cross-entropy is maximum likelihood estimation.",
    note("003", 1335, "→ max-likelihood estimation."),
)
def maximum_likelihood(seed: int) -> Evidence:
    """Draws 50 labels of four classes and minimizes J with nothing but a bias to learn. The
    maximum likelihood estimate is known: the labels' frequencies. And for 200 random predictions
    the likelihood, multiplied out label by label, must be e^(−mJ).
    """
    random, m = np.random.default_rng(seed), 50
    labels = random.choice(4, m, p=[0.4, 0.3, 0.2, 0.1])
    blind, W, b = np.zeros((m, 1)), np.zeros((1, 4)), np.zeros(4)
    steps = [np.arange(m)] * 2000
    trained = softmax.train_linear_classifier(blind, labels, W, b, batches=steps, learning_rate=1.0)
    learnt = softmax.softmax(trained.bias)
    off = float(np.abs(learnt - np.bincount(labels, minlength=4) / m).max())
    guesses = np.vstack([random.dirichlet(np.ones(4), 200), learnt])
    J = [softmax.cross_entropy(np.tile(guess, (m, 1)), labels) for guess in guesses]
    likelihood = np.prod(guesses[:, labels], axis=1)
    apart = float(np.abs(np.log(likelihood) + m * np.array(J)).max())
    return judged(
        off < 1e-6 and apart < 1e-9 and bool(likelihood.argmax() == len(guesses) - 1),
        f"learnt probabilities off the frequencies by {below(off, 1e-6)}; log likelihood + mJ "
        f"{below(apart, 1e-9)}",
        plain="What has the least cost has the greatest likelihood: the labels' frequencies.",
    )


@claim(
    "softmax.cost",
    "The cost J is the mean of the losses L over the m examples.",
    note("002", 156, r"\frac{1}{m}\sum_{i=1}^{m}L(\widehat y^{(i)},y^{(i)})"),
)
def cost(seed: int) -> Evidence:
    """J of 64 random predictions from Keras's cross-entropy, beside the mean of 64 losses −log ŷ
    computed one by one. A mean does not change when every example is given twice; a sum doubles.
    """
    from tfcourse._tensorflow import keras

    random = np.random.default_rng(seed)
    y_hat, y = random.dirichlet(np.ones(5), 64), random.integers(0, 5, 64)
    keras_cost = keras.losses.SparseCategoricalCrossentropy()
    J = float(np.mean([-np.log(row[label]) for row, label in zip(y_hat, y, strict=True)]))
    twice = keras_cost(np.tile(y, 2), np.tile(y_hat, (2, 1)))
    ours = softmax.cross_entropy(y_hat, y)
    off = max(abs(J - float(other)) for other in (keras_cost(y, y_hat), twice, ours))
    measured = f"J = {J:.4f}; Keras, ours, and twice the examples: apart by {below(off, 1e-5)}"
    return judged(off < 1e-5, measured)


def mini_batches(seed: int = 0, examples: int = 1000) -> list[Floats]:
    """Losses of random predictions of ten classes, the later the surer, in mini-batches of 64."""
    random = np.random.default_rng(seed)
    z = random.normal(0, 1, (examples, 10)) * np.linspace(1, 6, examples)[:, None]
    labels = random.integers(0, 10, examples)
    L = softmax.cross_entropy_from_logits(z, labels, reduction="none")
    return [L[start : start + 64] for start in range(0, examples, 64)]


@claim(
    "softmax.mean-of-means",
    "The mean of the mini-batches' means is not the cost when the last mini-batch is smaller; the "
    "sum divided by m is.",
)
def mean_of_means(seed: int) -> Evidence:
    """Losses of 1000 random predictions in mini-batches of 64, which leaves 40 for the last one.
    The later examples are predicted with more confidence, as sorted data would be.
    """
    batches = mini_batches(seed)
    every, last = np.concatenate(batches), len(batches[-1])
    J, of_means = every.mean(), np.mean([batch.mean() for batch in batches])
    of_sums = sum(batch.sum() for batch in batches) / len(every)
    return judged(
        abs(of_means - J) > 1e-6 and abs(of_sums - J) < 1e-12,
        f"J = {J:.4f}, mean of means {of_means:.4f}, sum/m the same as J; the last {last} of "
        f"{len(every)} examples count {64 / last:.1f} times",
        plain="Averaging averages gives the examples of the smaller mini-batch too much weight.",
    )


@claim(
    "softmax.from-logits",
    "Cross-entropy from float32 probabilities loses value and gradient where the model is sure; "
    "from logits it does not.",
    conditions="It holds where the model is sure and wrong, which is where learning needs the "
    "gradient. Where it is sure and right, float32 rounds the loss to 0 from logits as well.",
)
def from_logits(seed: int) -> Evidence:
    """Keras's float32 loss and its gradient for two classes whose logits differ by up to 30, from
    probabilities and from logits, beside log(1 + e^gap) in float64. Lost means off by more than a
    tenth.
    """
    from tfcourse._tensorflow import keras, tf

    gap = np.linspace(-30, 30, 121)  # z₁ − z₂, where class 2 is true
    exact = np.stack([np.logaddexp(0, gap), -softmax.sigmoid(gap)])
    found, z = [], tf.constant(np.stack([gap, 0 * gap], axis=1), tf.float32)
    for from_logits in (False, True):
        with tf.GradientTape() as tape:
            tape.watch(z)
            t = tf.exp(z)
            output = z if from_logits else t / tf.reduce_sum(t, axis=-1, keepdims=True)
            loss = keras.losses.sparse_categorical_crossentropy(
                np.ones(len(gap), int), output, from_logits=from_logits
            )
        found.append(np.stack([loss, tape.gradient(loss, z)[:, 1]]))
    p, z = ((np.abs(each - exact) > 0.1 * np.abs(exact)).any(axis=0) for each in found)
    wrong, right, (loss, gradient) = gap > 0, gap < 0, abs(found[0][:, -1])

    def beyond(lost: Any) -> str:
        return f"{abs(gap[lost]).min():g}" if lost.any() else "never"

    where_wrong = bool(p[wrong].any() and not z[wrong].any())
    return judged(
        where_wrong and not z[right].any(),
        f"gap beyond which it is lost: sure and wrong, {beyond(p & wrong)} from probabilities (at "
        f"30, L = {loss:.1f} and gradient {gradient:.0f}), {beyond(z & wrong)} from logits; sure "
        f"and right, {beyond(p & right)} and {beyond(z & right)}",
        plain="From probabilities, a model that is sure and wrong gets no gradient to learn by.",
        under_conditions=where_wrong,
    )


def binary_loss(seed: int) -> Evidence:
    """Finds the ŷ with the lowest loss for y = 0 and for y = 1 among 99 from 0.01 to 0.99. The
    printed loss wants a large ŷ for either label; the corrected one wants ŷ near y, and is softmax
    cross-entropy with C = 2.
    """
    y_hat = np.linspace(0.01, 0.99, 99)
    printed = [-(y * np.log(y_hat) + (1 - y) * np.log(y_hat)) for y in (0, 1)]
    ours = [-(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat)) for y in (0, 1)]
    two = np.stack([1 - y_hat, y_hat], axis=1)
    softmax_loss = [softmax.cross_entropy(two, np.full(99, y), reduction="none") for y in (0, 1)]
    off = float(np.abs(np.array(softmax_loss) - ours).max())
    wanted, best = ([round(float(y_hat[L.argmin()]), 2) for L in both] for both in (printed, ours))
    measured = (
        f"best ŷ for y = 0 and 1: printed {wanted}, corrected {best}; corrected and "
        f"cross-entropy with C = 2 differ by {below(off, 1e-14)}"
    )
    return corrected(wanted == [0.99, 0.99], best == [0.01, 0.99] and off < 1e-14, measured)


def example_index(seed: int) -> Evidence:
    """Runs the printed double sum on 8 random predictions: it counts the last example m times and
    no other at all. Corrected, and divided by m, it is the cost.
    """
    random = np.random.default_rng(seed)
    a, y = random.dirichlet(np.ones(4), 8), np.eye(4)[random.integers(0, 4, 8)]
    m, K = a.shape
    printed = sum(-y[m - 1, k] * np.log(a[m - 1, k]) for i in range(m) for k in range(K))
    ours = sum(-y[i, k] * np.log(a[i, k]) for i in range(m) for k in range(K))
    J = float(softmax.cross_entropy(a, y))
    measured = f"J = {J:.4f}; printed/m {printed / m:.4f}, corrected/m {ours / m:.4f}"
    return corrected(abs(printed / m - J) > 1e-6, abs(ours / m - J) < 1e-12, measured)


ledger.errata(
    __name__,
    ledger.Erratum(
        "softmax.erratum.binary-loss",
        note("003", 1324, "y_i * log yhat_i + (1-y_i) * log(yhat_i)"),
        "y_i * log yhat_i + (1-y_i) * log(1-yhat_i)",
        "The second term is for the other class, whose probability is 1 − ŷ.",
        check=binary_loss,
    ),
    ledger.Erratum(
        "softmax.erratum.example-index",
        note("004", 162, r"-y_k^{(m)} \log a_k^{[L](m)}"),
        r"-y_k^{(i)} \log a_k^{[L](i)}",
        "The outer sum runs over i, so i must be the index of the example.",
        check=example_index,
    ),
)
