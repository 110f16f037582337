"""Gradient descent with batch norm: W, γ and β are updated, by whatever update rule."""

from functools import cache, partial
from itertools import product

from tfcourse.lecture import ledger, network
from tfcourse.lecture.ledger import HOLDS, REFUTED, Evidence, apart, below, claim, judged, note
from tfcourse.lecture.statistics import holm, mean
from tfcourse.lecture.tuned import Tuned, rates, teachers, tune

UPDATES = 40


@claim(
    "bn.gradient-descent",
    "For each mini-batch: forward with z̃, backward to dW, dγ, dβ, and all three are updated.",
    note("000", 200, r"得到 $dw^{[l]},dβ^{[l]},dγ^{[l]}$", "gives dW, dβ, dγ"),
    note("004", 65, "apply mini-batch with batch normalization"),
)
def gradient_descent(seed: int) -> Evidence:
    """Runs 40 updates of a network with two batch-normalized layers on the digits by the lecture's
    formulas, in NumPy. TensorFlow is given the forward pass alone, with `tf.nn.moments` and
    `tf.nn.batch_normalization`, and finds the gradients itself; both in float64.
    """
    from tfcourse._tensorflow import tf

    x, y = network.digits()
    ours = network.start(seed, [64, 16, 16, 10], normalize=True, activation="tanh")
    W, gamma, beta = ([*map(tf.Variable, values)] for values in (ours.W, ours.gamma, ours.beta))
    variables, costs = [*W, *gamma[:2], *beta], []
    for rows in network.mini_batches(seed, len(x), UPDATES):
        cost, slopes = network.gradients(ours, x[rows], y[rows])
        ours = ours.moved(slopes, 0.2)
        costs.append(cost)
        with tf.GradientTape() as tape:
            a = tf.constant(x[rows])
            for l in (0, 1):  # noqa: E741 - the lecture's letter
                z = a @ W[l]
                mu, variance = tf.nn.moments(z, 0)
                z_tilde = tf.nn.batch_normalization(z, mu, variance, beta[l], gamma[l], 1e-3)
                a = tf.tanh(z_tilde)
            z = a @ W[2] + beta[2]
            J = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y[rows], z))
        for theta, slope in zip(variables, tape.gradient(J, variables), strict=True):
            theta.assign_sub(0.2 * slope)
    off = apart(*zip(variables, [*ours.W, *ours.gamma[:2], *ours.beta], strict=True))
    return judged(
        off < 1e-10 and costs[-1] < costs[0],
        f"J from {costs[0]:.2f} to {costs[-1]:.2f} in {UPDATES} updates; W, γ, β of the two runs "
        f"differ by {below(off, 1e-10)}",
    )


RATES: dict[str, tuple[float, ...]] = {  # update rules, and learning rates to choose from
    "gradient_descent": (0.1, 0.3, 1.0),
    "momentum": (0.02, 0.05, 0.15),
    "rmsprop": (0.001, 0.003, 0.01),
    "adam": (0.001, 0.003, 0.01),
}


@cache
def rules(seed: int = 0, tasks: int = 16) -> dict[tuple[str, bool], Tuned]:
    """Train networks by each rule with batch norm and without, each at its best α."""
    ways = {
        (rule, norm): {"units": 32, "decay": 0.0, "optimizer": rule, "batch_norm": norm}
        for rule, norm in product(RATES, (True, False))
    }
    own = teachers(seed, tasks)
    return tune(ways, lambda way: rates(*RATES[way[0]]), tasks=own, epochs=12, seed=seed, test=True)


LEAST = 0.05


@claim(
    "bn.any-optimizer",
    "Batch norm works with gradient descent, momentum, RMSprop and Adam.",
    note(
        "001", 392, "当然也适用于有**Momentum**、**RMSprop**、**Adam**的", "it suits these as well"
    ),
    note("004", 84, "can also try RMS prop"),
    trains=True,
    matters="Five percentage points of accuracy: a rule that loses more to batch norm does not "
    "work with it.",
)
def any_optimizer(seed: int) -> Evidence:
    """Trains networks of two hidden layers on 1000 examples of 16 random networks' classes, with
    each of the four update rules, with and without batch norm: on each task at three α, then anew
    at the best. It holds if no rule's test accuracy falls by five points with batch norm.
    """
    found = {way: one.test_accuracy for way, one in rules(seed).items()}
    lost = holm({rule: partial(mean, found[rule, True] - found[rule, False]) for rule in RATES})
    worst = min(lost.values())
    kept = all(each.low > -LEAST for each in lost.values())
    words = ", ".join(
        f"{rule.replace('_', ' ')} {found[rule, True].mean():.1%} with it, "
        f"{each.show('+.1f', '%')} than without"
        for rule, each in lost.items()
    )
    return Evidence(
        HOLDS if kept else REFUTED if worst.high < -LEAST else ledger.NOT_SHOWN,
        f"test accuracy: {words}",
        "All four train with batch norm about as well as without." if kept else "",
        worst,
        tuple(rules(seed).values()),
    )


ledger.errata(
    __name__,
    ledger.Erratum(
        "bn.erratum.dz-for-dgamma",
        note("004", 75, r"$dw^{[l]}, d\beta^{[l]}, dz^{[l]}$"),
        r"$dw^{[l]}, d\beta^{[l]}, d\gamma^{[l]}$",
        "γ is updated below, and with dγ; dz has a row for each example.",
    ),
    ledger.Erratum(
        "bn.erratum.batch-is-the-mini-batch",
        note("001", 390, "都有 “Batch” 这个词", "both have the word batch; they are unrelated"),
        "Batch norm's batch is the mini-batch of gradient descent.",
        "μ and σ² are those of the mini-batch, as line 479 of the same note says.",
    ),
)
