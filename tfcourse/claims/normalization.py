"""Claims of part 2, batch normalization: what follows from its formulas."""

from __future__ import annotations

import numpy as np

from tfcourse import batch_norm
from tfcourse.claims.ledger import CONDITIONS, HOLDS, Evidence, below, claim, judged, note
from tfcourse.experiments import normalization as experiments
from tfcourse.lecture import statistics as intervals


@claim(
    "bn.normalize-inputs",
    "Normalized inputs turn the cost's long bowl round, and gradient descent needs fewer steps.",
    HOLDS,
    note("000", "4. Normalizing Activations in a network"),
    note("001", "归一化输入特征"),
    note("003", "Normalizing activations in a network"),
)
def normalize_inputs(seed: int) -> Evidence:
    """Fits a linear model to 20 random problems whose two inputs differ fourfold in spread, raw and
    normalized, by gradient descent with the best constant α for each, until the cost is within a
    thousandth of its lowest. The bowl's roundness is λ_max/λ_min of its second derivatives; 1 is a
    circle.
    """
    bowls = experiments.bowls(seed)
    fewer = intervals.geometric_mean([bowl.raw.steps / bowl.normalized.steps for bowl in bowls])
    round_raw, round_now = (
        np.median([getattr(bowl, side).condition for bowl in bowls])
        for side in ("raw", "normalized")
    )
    return judged(
        fewer.low > 1 and round_now < round_raw,
        f"λ_max/λ_min from {round_raw:.1f} to {round_now:.2f} (medians); steps fewer by a factor "
        f"of {fewer.show('.1f')}",
        effect=fewer,
    )


@claim(
    "bn.sigmoid-region",
    "With mean 0 and variance 1 a sigmoid stays in its nearly linear region; γ and β let it use "
    "the curve.",
    HOLDS,
    note("000", "4. Normalizing Activations in a network"),
    note("001", "γ和β"),
    note("003", "BatchNorm algo"),
    trains=True,
)
def sigmoid_region(seed: int) -> Evidence:
    """Trains five networks of sigmoids with batch norm on the digits and takes the second hidden
    layer's z_norm and z̃. Measured: the share of the sigmoid's variance that the best straight line
    leaves unexplained; 0 is a straight line.
    """
    found = [experiments.distributions(5 * seed + run) for run in range(5)]
    start = intervals.mean([each.bent_at_start.mean() for each in found])
    end = intervals.mean([each.bent.mean() for each in found])
    return judged(
        start.high < 0.05 and end.low > 2 * start.high,
        f"of z_norm {start.show('.1f', '%')}, of z̃ as learnt {end.show('.1f', '%')}; γ from 1 to "
        f"{np.mean([each.gamma.mean() for each in found]):.1f}",
        trainings=len(found),
        effect=end,
    )


@claim(
    "bn.gradient-descent",
    "For each mini-batch: forward with z̃, backward to dW, dγ, dβ, and all three are updated.",
    HOLDS,
    note("000", "5. Fitting Batch Norm into a neural network"),
    note("004", "apply mini-batch with batch normalization"),
)
def gradient_descent(seed: int) -> Evidence:
    """Runs 40 updates of a network with two batch-normalized layers on the digits by the lecture's
    formulas, in NumPy, and the same by TensorFlow's gradients of the forward pass, in float64.
    """
    found = experiments.by_hand(seed)
    off = max(found.differences.values())
    return judged(
        off < 1e-10 and found.last_cost < found.first_cost,
        f"J from {found.first_cost:.2f} to {found.last_cost:.2f} in {found.updates} updates; "
        f"W, γ, β of the two runs differ by {below(off, 1e-10)}",
    )


@claim(
    "bn.one-line",
    "One line in TensorFlow, tf.nn.batch_normalization, does it.",
    CONDITIONS,
    note("001", "代码实现"),
    conditions="tf.nn.batch_normalization is the formula alone: μ and σ² must be computed before, "
    "and averages for test time kept beside. keras.layers.BatchNormalization does all of it.",
)
def one_line(seed: int) -> Evidence:
    """Calls tf.nn.batch_normalization with a mini-batch's μ and σ², and without them; and Keras's
    layer on the same z, whose moving averages must then have moved. Compared with the formulas.
    """
    from tfcourse._tensorflow import keras, tf

    random = np.random.default_rng(seed)
    z = random.normal(2, 3, (64, 5)).astype(np.float32)
    gamma, beta = random.normal(size=(2, 5)).astype(np.float32)
    expected = batch_norm.forward(z, gamma, beta).z_tilde
    line = tf.nn.batch_normalization(z, z.mean(axis=0), z.var(axis=0), beta, gamma, 1e-3)
    off = float(np.abs(line - expected).max())
    try:
        tf.nn.batch_normalization(z, None, None, beta, gamma, 1e-3)
        alone = True
    except (TypeError, ValueError):
        alone = False
    layer = keras.layers.BatchNormalization()
    layer.build(z.shape)
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    off_layer = float(np.abs(np.asarray(layer(z, training=True)) - expected).max())
    moved = bool(np.abs(np.asarray(layer.moving_mean)).min() > 0)
    right = max(off, off_layer) < 1e-4 and moved
    return judged(
        right and alone,
        f"with μ and σ² given, off by {below(off, 1e-4)}; without, "
        f"{'it computes them' if alone else 'it refuses'}; Keras's layer off by "
        f"{below(off_layer, 1e-4)}, its averages {'moved' if moved else 'stood still'}",
        under_conditions=right,
    )
