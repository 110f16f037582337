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


@claim(
    "bn.noise",
    "μ and σ² of a mini-batch are noisy estimates; from 64 to 512 examples the noise falls.",
    HOLDS,
    note("000", "6. Why does Batch Norm work?"),
    note("001", "正则化效果"),
    note("003", "Why does Batch Norm work?"),
    note("004", "add noise to training"),
)
def noise(seed: int) -> Evidence:
    """Draws 400 mini-batches of each size from 16 to 1024 from the digits, with replacement, and
    measures how much μ and σ² of 64 units of a first layer vary. Theory: as m^(−1/2).
    """
    found = experiments.noise(seed)
    logs = np.log(found.sizes)
    slopes = [intervals.slope(logs, np.log(values)) for values in (found.mean, found.variance)]
    of = dict(zip(found.sizes.tolist(), found.mean.tolist(), strict=True))
    return judged(
        all(abs(slope.value + 0.5) < 0.05 for slope in slopes) and of[512] < of[64],
        f"deviation of μ {of[64]:.3f} σ at 64, {of[512]:.3f} σ at 512; exponent of m: μ "
        f"{slopes[0].show('.3f')}, σ² {slopes[1].show('.3f')}",
        effect=slopes[0],
    )


@claim(
    "bn.single-example",
    "One example has no mean and variance of its own to speak of.",
    HOLDS,
    note("000", "7. Batch Norm at test time"),
    note("001", "测试时的 Batch Norm"),
    note("003", "Batch Norm at test time"),
    note("004", "one instance at a time"),
)
def single_example(seed: int) -> Evidence:
    """Normalizes 100 single examples with their own statistics: σ² = 0, so z̃ must be β whatever z
    was. Keras's layer in training mode must do the same; in inference mode z comes through.
    """
    from tfcourse._tensorflow import keras

    random = np.random.default_rng(seed)
    z, beta = random.normal(0, 10, (100, 5)), random.normal(size=5)
    layer = keras.layers.BatchNormalization()
    layer.build((None, 5))
    layer.beta.assign(beta)
    own = np.array([batch_norm.forward(one[None], 2.0, beta).z_tilde[0] for one in z])
    apart = float(np.abs(np.asarray(layer(z, training=False))).std(axis=0).min())
    keras_own = np.array([np.asarray(layer(one[None], training=True))[0] for one in z])
    off = max(float(np.abs(own - beta).max()), float(np.abs(keras_own - beta).max()))
    return judged(
        off < 1e-3 and apart > 1,
        f"z̃ differs from β by {below(off, 1e-3)}, in Keras too; with given statistics it varies "
        f"by {apart:.1f}",
    )


@claim(
    "bn.ewma",
    "v_t = β v_(t−1) + (1−β) θ_t over the mini-batches' μ and σ² tracks them while training.",
    HOLDS,
    note("000", "7. Batch Norm at test time"),
    note("001", "测试时的 Batch Norm"),
    note("003", "Batch Norm at test time"),
    note("004", "exponentially moving average"),
)
def ewma(seed: int) -> Evidence:
    """Feeds Keras's layer 300 mini-batches of 64 and compares its averages with that recursion; and
    compares μ's average, after 50 mini-batches, with the true mean: a weighted average of noise
    should vary √((1−β)/(1+β)) times as much as μ does.
    """
    from tfcourse._tensorflow import keras

    random = np.random.default_rng(seed)
    z = random.normal(3, 2, (300, 64, 64)).astype(np.float32)
    layer = keras.layers.BatchNormalization(momentum=0.9)
    running = batch_norm.RunningStatistics(momentum=0.9)
    errors = []
    for step, mini_batch in enumerate(z):
        layer(mini_batch, training=True)
        running = running.update(batch_norm.forward(mini_batch).statistics)
        if step >= 50:
            errors.append(running.moving_mean - 3)
    off = max(
        float(np.abs(np.asarray(layer.moving_mean) - running.moving_mean).max()),
        float(np.abs(np.asarray(layer.moving_variance) - running.moving_variance).max()),
    )
    rest = float(np.std(errors) / (z.mean(axis=1)[50:] - 3).std())
    theory = np.sqrt(0.1 / 1.9)
    return judged(
        off < 1e-3 and abs(rest / theory - 1) < 0.15,
        f"Keras and the recursion apart by {below(off, 1e-3)}; β = 0.9 leaves {rest:.2f} of μ's "
        f"noise (theory {theory:.2f})",
    )
