"""Errors in notes on part 3: each printed form is run and fails, the corrected one holds."""

from __future__ import annotations

import numpy as np

from tfcourse import softmax
from tfcourse.claims.ledger import ERRATUM, Evidence, below, claim, corrected, note


@claim(
    "softmax.erratum.binary-loss",
    "Printed: y log ŷ + (1−y) log ŷ in the logistic loss. Correct: y log ŷ + (1−y) log(1−ŷ).",
    ERRATUM,
    note("003", "Training a softmax classifier"),
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
    printed_best, best = (
        [round(float(y_hat[loss.argmin()]), 2) for loss in losses] for losses in (printed, ours)
    )
    return corrected(
        printed_best == [0.99, 0.99],
        best == [0.01, 0.99] and off < 1e-14,
        f"best ŷ for y = 0 and 1: printed {printed_best}, corrected {best}; corrected and "
        f"cross-entropy with C = 2 differ by {below(off, 1e-14)}",
    )


@claim(
    "softmax.erratum.binary-sum",
    "Printed: the logistic loss as a sum over i, left from the multi-class one. Correct: no sum, "
    "or over two classes without the second term.",
    ERRATUM,
    note("003", "Training a softmax classifier"),
)
def binary_sum(seed: int) -> Evidence:
    """Takes the sum over both outputs of a two-class softmax, as the index i says, with the second
    term mended: it counts everything twice. Compared with −log of the probability of the true
    class, for 99 predictions.
    """
    y_hat = np.linspace(0.01, 0.99, 99)
    outputs, y = np.stack([y_hat, 1 - y_hat]), np.array([[1], [0]])
    printed = -(y * np.log(outputs) + (1 - y) * np.log(1 - outputs)).sum(axis=0)
    without_sum = -(np.log(y_hat))
    over_classes = softmax.cross_entropy(outputs.T, np.zeros(99, int), reduction="none")
    ratio = printed / without_sum
    off = float(np.abs(over_classes - without_sum).max())
    return corrected(
        bool(np.allclose(ratio, 2)),
        off < 1e-14,
        f"printed is {ratio.mean():.3f} times −log ŷ; corrected differs by {below(off, 1e-14)}",
    )


@claim(
    "softmax.erratum.cost-sum",
    "Printed: the cost as a sum over the m examples. Correct: their mean, (1/m) Σ L.",
    ERRATUM,
    note("004", "loss function of softmax"),
)
def cost_sum(seed: int) -> Evidence:
    """Takes both for 8 and for 800 predictions of one distribution, and the length of their
    gradients by a bias that all share. The sum grows with m, and so would the step of gradient
    descent; the mean does not.
    """
    random = np.random.default_rng(seed)
    z, y = np.tile(random.normal(size=(8, 4)), (100, 1)), np.tile(random.integers(0, 4, 8), 100)
    sums, means, steps = [], [], []
    for m in (8, 800):
        loss, gradient = softmax.cross_entropy_with_gradient(z[:m], y[:m], reduction="none")
        sums.append(float(loss.sum()))
        means.append(float(loss.mean()))
        steps.append(float(np.linalg.norm(gradient.sum(axis=0))))
    grows, same = sums[1] / sums[0], means[1] / means[0]
    return corrected(
        round(grows, 6) == 100 and round(steps[1] / steps[0], 6) == 100,
        abs(same - 1) < 1e-12,
        f"100 times the examples: sum and its gradient × {grows:.0f}, mean × {same:.0f}",
    )


@claim(
    "softmax.erratum.example-index",
    "Printed: Σ over i of −y_k^(m) log a_k^(m), the index m where the sum's own belongs. "
    "Correct: −y_k^(i) log a_k^(i).",
    ERRATUM,
    note("004", "loss function of softmax"),
)
def example_index(seed: int) -> Evidence:
    """Runs the printed double sum on 8 random predictions: it counts the last example m times and
    no other at all. Corrected, and divided by m, it is the cost.
    """
    random = np.random.default_rng(seed)
    a, y = random.dirichlet(np.ones(4), 8), np.eye(4)[random.integers(0, 4, 8)]
    m, K = a.shape
    printed = sum(sum(-y[m - 1, k] * np.log(a[m - 1, k]) for k in range(K)) for i in range(m))
    ours = sum(sum(-y[i, k] * np.log(a[i, k]) for k in range(K)) for i in range(m))
    J = float(softmax.cross_entropy(a, y))
    return corrected(
        abs(printed / m - J) > 1e-6,
        abs(ours / m - J) < 1e-12,
        f"J = {J:.4f}; printed/m {printed / m:.4f}, corrected/m {ours / m:.4f}",
    )
