"""Claims of part 3, softmax."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfcourse import softmax
from tfcourse.claims.ledger import CONDITIONS, HOLDS, Evidence, below, claim, judged, note
from tfcourse.experiments import classification as experiments


@claim(
    "softmax.linear-boundaries",
    "Without a hidden layer the boundary between any two classes is a straight line.",
    HOLDS,
    note("003", "Softmax Regression"),
    trains=True,
)
def linear_boundaries(seed: int) -> Evidence:
    """Trains softmax without hidden layer on six problems in the plane (C = 3, 3, 3, 4, 5, 6),
    finds by bisection where the predicted class changes, and fits a straight line to each border.
    The same with x₁², x₂², x₁x₂ as further inputs shows what a border that bends would measure.
    """
    straight, curved = experiments.boundaries(seed), experiments.boundaries(seed, squares=True)
    bent = [value for problem in straight for value in problem.bent.values()]
    control = float(np.median([max(problem.bent.values()) for problem in curved]))
    return judged(
        max(bent) < 1e-9 and control > 1e-3,
        f"{len(bent)} borders leave a straight line by {below(max(bent), 1e-9)} of their length; "
        f"with squared inputs the most bent by {control:.1%}",
        trainings=len(straight) + len(curved),
    )


@claim(
    "softmax.loss-example",
    "y = (0, 1, 0, 0) and ŷ = (0.3, 0.2, 0.1, 0.4) cost L = −log 0.2 ≈ 1.609; a small L means a "
    "large ŷ of the true class.",
    HOLDS,
    note("002", "7.9 训练一个Softmax分类器"),
)
def loss_example(seed: int) -> Evidence:
    """Computes L of the example, and of 400 predictions whose probability of the true class runs
    from 1 down to 0.01: L must rise all the way.
    """
    curve = experiments.loss_curve(seed)
    rises = bool((np.diff(curve.loss) > 0).all())
    return judged(
        round(curve.example_loss, 3) == 1.609 and rises,
        f"L = {curve.example_loss:.3f}; L from {abs(curve.loss[0]):.3f} to {curve.loss[-1]:.3f}, "
        f"{'always' if rises else 'not always'} rising",
    )


@claim(
    "softmax.maximum-likelihood",
    "Minimizing the cross-entropy is maximum likelihood estimation.",
    HOLDS,
    note("003", "Training a softmax classifier"),
)
def maximum_likelihood(seed: int) -> Evidence:
    """Draws 50 labels of four classes and minimizes J with nothing but a bias to learn. The
    maximum likelihood estimate is known: the labels' frequencies. And for 200 random predictions
    the likelihood, multiplied out label by label, must be e^(−mJ).
    """
    found = experiments.frequencies(seed)
    off = float(np.abs(found.learnt - found.frequency).max())
    apart = float(np.abs(found.log_likelihood + found.examples * found.cost).max())
    best = found.log_likelihood.argmax() == len(found.log_likelihood) - 1
    return judged(
        off < 1e-6 and apart < 1e-9 and bool(best),
        f"learnt probabilities off the frequencies by {below(off, 1e-6)}; log likelihood + mJ "
        f"{below(apart, 1e-9)}",
    )


@claim(
    "softmax.cost",
    "The cost J is the mean of the losses L over the m examples.",
    HOLDS,
    note("002", "7.9 训练一个Softmax分类器"),
)
def cost(seed: int) -> Evidence:
    """J of 64 random predictions from Keras's cross-entropy, beside the mean of 64 losses −log ŷ
    computed one by one. A mean does not change when every example is given twice; a sum doubles.
    """
    from tfcourse._tensorflow import keras

    random = np.random.default_rng(seed)
    y_hat, y = random.dirichlet(np.ones(5), 64), random.integers(0, 5, 64)
    keras_cost = keras.losses.SparseCategoricalCrossentropy()
    J = float(keras_cost(y, y_hat))
    by_one = float(np.mean([-np.log(row[label]) for row, label in zip(y_hat, y, strict=True)]))
    twice = float(keras_cost(np.tile(y, 2), np.tile(y_hat, (2, 1))))
    ours = float(softmax.cross_entropy(y_hat, y))
    off = max(abs(J - by_one), abs(ours - by_one), abs(twice - by_one))
    return judged(
        off < 1e-5,
        f"J = {by_one:.4f}; Keras, ours, and twice the examples: apart by {below(off, 1e-5)}",
    )


@claim(
    "softmax.gradient",
    "The gradient of the loss by the logits is dz = ŷ − y.",
    HOLDS,
    note("002", "7.9 训练一个Softmax分类器"),
    note("003", "Training a softmax classifier"),
    note("004", "backprop of softmax"),
)
def gradient(seed: int) -> Evidence:
    """Central differences of the loss at the lecture's example and at 100 random z, beside ŷ − y
    and beside what the package's backward formula gives.
    """
    found = experiments.gradient_check(seed)
    off = float(np.abs(found.differences - (found.y_hat - found.y)).max())
    formula = float(np.abs(found.formula - (found.y_hat - found.y)).max())
    dz = [round(float(value), 3) + 0 for value in found.differences[0]]
    return judged(
        off < 1e-8 and formula < 1e-14,
        f"example {dz}; differences off ŷ − y by {below(off, 1e-8)}",
    )


@claim(
    "softmax.shapes",
    "z, a, y are (C, 1); for m examples Y and Ŷ are (C, m).",
    HOLDS,
    note("002", "7.9 训练一个Softmax分类器"),
    note("004", "k classes"),
)
def shapes(seed: int) -> Evidence:
    """A layer of C = 4 classes in the lecture's orientation, Z = WA + b with b (C, 1), on m = 7
    examples with 3 inputs; each column must be a probability vector, and equal to the row that the
    package computes in Keras's orientation.
    """
    random = np.random.default_rng(seed)
    W, b, A = random.normal(size=(4, 3)), random.normal(size=(4, 1)), random.normal(size=(3, 7))
    Z = W @ A + b
    Y_hat = softmax.softmax(Z, axis=0)
    rows = softmax.softmax(softmax.from_lecture_orientation(Z, classes=4))
    z = W @ A[:, :1] + b
    same = float(np.abs(Y_hat.T - rows).max()) + float(np.abs(Y_hat.sum(axis=0) - 1).max())
    right = (z.shape, Y_hat.shape, rows.shape) == ((4, 1), (4, 7), (7, 4))
    return judged(
        right and same < 1e-14,
        f"C = 4, m = 7: z {z.shape}, Ŷ {Y_hat.shape}, in Keras {rows.shape}, the same numbers",
    )


@claim(
    "softmax.autodiff",
    "With a framework only the forward pass is written; the gradients come by themselves.",
    HOLDS,
    note("002", "7.9 训练一个Softmax分类器"),
    note("003", "Training a softmax classifier"),
)
def autodiff(seed: int) -> Evidence:
    """Writes the forward pass of a network with a hidden layer in TensorFlow, asks the tape for all
    gradients, and compares them with backward formulas written by hand, in float64.
    """
    found = experiments.autodiff(seed)
    off = max(found.values())
    return judged(off < 1e-12, f"{', '.join(found)}: relative difference {below(off, 1e-12)}")


@claim(
    "softmax.orientation",
    "The lecture's (C, m) is (m, C) in Keras; one taken for the other gives a wrong cost without "
    "an error when C = m.",
    HOLDS,
)
def orientation(seed: int) -> Evidence:
    """Hands Keras's cross-entropy logits of five classes and five examples, right and transposed,
    and then of seven classes. With integer labels C ≠ m must raise an error. One-hot labels turned
    the same way as the logits are tried as well: then there is no error whatever C and m are.
    """
    found = experiments.orientation(seed)
    wrong = abs(found.turned - found.cost) > 0.01
    return judged(
        wrong and found.refused,
        f"C = m: J = {found.turned:.3f} instead of {found.cost:.3f}, no error; C ≠ m: "
        f"{'an error' if found.refused else 'no error'}, but none with one-hot labels "
        f"({found.one_hot_turned:.3f} instead of {found.one_hot_cost:.3f})",
    )


@claim(
    "softmax.mean-of-means",
    "The mean of the mini-batches' means is not the cost when the last mini-batch is smaller; the "
    "sum divided by m is.",
    HOLDS,
)
def mean_of_means(seed: int) -> Evidence:
    """Losses of 1000 random predictions in mini-batches of 64, which leaves 40 for the last one.
    The later examples are predicted with more confidence, as sorted data would be.
    """
    found = experiments.means(seed)
    off, exact = found.mean_of_means - found.cost, found.sum_over_examples - found.cost
    return judged(
        abs(off) > 1e-6 and abs(exact) < 1e-12,
        f"J = {found.cost:.4f}, mean of means {found.mean_of_means:.4f}, sum/m the same as J; "
        f"the last {found.last} of {found.examples} examples count {64 / found.last:.1f} times",
    )


@claim(
    "softmax.from-logits",
    "Cross-entropy from float32 probabilities loses value and gradient where the model is sure; "
    "from logits it does not.",
    CONDITIONS,
    conditions="It holds where the model is sure and wrong, which is where learning needs the "
    "gradient. Where it is sure and right, float32 rounds the loss to 0 from logits as well.",
)
def from_logits(seed: int) -> Evidence:
    """Keras's float32 loss and its gradient for two classes whose logits differ by up to 30, from
    probabilities and from logits, beside log(1 + e^gap) in float64. Lost means off by more than a
    tenth.
    """
    found = experiments.sureness(seed)
    wrong, right = found.gap > 0, found.gap < 0

    def beyond(lost: Any) -> str:
        return f"{abs(found.gap[lost]).min():g}" if lost.any() else "never"

    p, z = found.probabilities.lost, found.logits.lost
    where_wrong = bool(p[wrong].any() and not z[wrong].any())
    loss, gradient = found.probabilities.loss[-1], abs(found.probabilities.gradient[-1])
    return judged(
        where_wrong and not z[right].any(),
        f"gap beyond which it is lost: sure and wrong, {beyond(p & wrong)} from probabilities (at "
        f"30, L = {loss:.1f} and gradient {gradient:.0f}), {beyond(z & wrong)} from logits; sure "
        f"and right, {beyond(p & right)} and {beyond(z & right)}",
        under_conditions=where_wrong,
    )
