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
    "bn.zero-mean-unit-variance",
    "z_norm = (z − μ)/√(σ² + ε), with μ and σ² over the mini-batch, has mean 0 and variance 1.",
    CONDITIONS,
    note("000", "4. Normalizing Activations in a network"),
    note("001", "Batch归一化的实现"),
    note("003", "BatchNorm algo"),
    note("004", "batch normalization"),
    conditions="σ² is large beside ε: the variance is σ²/(σ² + ε), a half where σ² = ε.",
)
def zero_mean_unit_variance(seed: int) -> Evidence:
    """Normalizes mini-batches of 64 whose σ² runs from 10⁶ ε down to ε/100, with means up to 100 σ,
    in float64, ε = 0.001 as in Keras, and measures mean and variance of z_norm.
    """
    random = np.random.default_rng(seed)
    ratio = np.array([1e6, 1e3, 1.0, 0.01])  # σ²/ε
    z = random.normal(size=(64, 4))
    z = (z - z.mean(axis=0)) / z.std(axis=0) * np.sqrt(ratio * 1e-3)
    z_norm = batch_norm.forward(z + 100 * z.std(axis=0)).z_norm
    mean, variance = np.abs(z_norm.mean(axis=0)).max(), z_norm.var(axis=0)
    where_large = mean < 1e-9 and abs(variance[0] - 1) < 1e-5
    return judged(
        bool(where_large and np.abs(variance - 1).max() < 0.01),
        f"|mean| {below(mean, 1e-9)}; variance {variance[0]:.4f} at σ² = 10⁶ ε, {variance[1]:.3f} "
        f"at 10³ ε, {variance[2]:.3f} at ε, {variance[3]:.3f} at ε/100",
        under_conditions=bool(where_large),
    )


@claim(
    "bn.any-mean-variance",
    "z̃ = γ z_norm + β has mean β and standard deviation γ, and both are learnt.",
    HOLDS,
    note("000", "4. Normalizing Activations in a network"),
    note("001", "γ和β"),
    note("002", "7.4 归一化网络的激活函数"),
    note("003", "BatchNorm algo"),
    note("004", "learnable parameter"),
)
def any_mean_variance(seed: int) -> Evidence:
    """Sets γ, β of 16 units at random and measures deviation and mean of z̃ over a mini-batch. Then
    gradient descent, with dγ and dβ from the backward formula, must take another layer from γ = 1,
    β = 0 to the same z̃.
    """
    random = np.random.default_rng(seed)
    z = random.normal(5, 40, (64, 16))
    gamma, beta = random.uniform(0.2, 3, 16), random.normal(0, 2, 16)
    wanted = batch_norm.forward(z, gamma, beta).z_tilde
    off = max(
        float(np.abs(wanted.mean(axis=0) - beta).max()),
        float(np.abs(wanted.std(axis=0) - gamma).max()),
    )
    learnt_gamma, learnt_beta = np.ones(16), np.zeros(16)
    for _ in range(200):
        now = batch_norm.forward(z, learnt_gamma, learnt_beta)
        _, dgamma, dbeta = batch_norm.backward((now.z_tilde - wanted) / len(z), now)
        learnt_gamma, learnt_beta = learnt_gamma - 0.5 * dgamma, learnt_beta - 0.5 * dbeta
    apart = max(np.abs(learnt_gamma - gamma).max(), np.abs(learnt_beta - beta).max())
    return judged(
        off < 1e-4 and apart < 1e-6,
        f"mean and deviation off β and γ by {below(off, 1e-4)}; γ and β as learnt off by "
        f"{below(apart, 1e-6)}",
    )


@claim(
    "bn.identity",
    "γ = √(σ² + ε) and β = μ give z̃ = z back.",
    HOLDS,
    note("001", "γ和β"),
)
def identity(seed: int) -> Evidence:
    """Normalizes a mini-batch of 64 examples of 16 units with those γ and β, in float64."""
    z = np.random.default_rng(seed).normal(3, 2, (64, 16))
    gamma, beta = np.sqrt(z.var(axis=0) + 1e-3), z.mean(axis=0)
    off = float(np.abs(batch_norm.forward(z, gamma, beta, epsilon=1e-3).z_tilde - z).max())
    return judged(off < 1e-12, f"largest |z̃ − z| {below(off, 1e-12)}")


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
    "bn.bias-cancels",
    "A bias b before batch norm is subtracted with μ: drop it, β takes its place. db is 0.",
    HOLDS,
    note("000", "5. Fitting Batch Norm into a neural network"),
    note("001", "参数的补充"),
    note("003", "No bias term (b) in BN"),
    note("004", "doesn't make any difference"),
)
def bias_cancels(seed: int) -> Evidence:
    """Normalizes z and z + b, b up to 100, and takes db = Σ dz backward from random dz̃, relative to
    the terms that it sums, in float64.
    """
    random = np.random.default_rng(seed)
    z, b = random.normal(size=(64, 16)), random.uniform(-100, 100, 16)
    gamma, beta = random.normal(size=16), random.normal(size=16)
    plain, biased = batch_norm.forward(z, gamma, beta), batch_norm.forward(z + b, gamma, beta)
    off = float(np.abs(plain.z_tilde - biased.z_tilde).max())
    dz = batch_norm.backward(random.normal(size=z.shape), plain).dz
    db = float((np.abs(dz.sum(axis=0)) / np.abs(dz).sum(axis=0)).max())
    return judged(
        off < 1e-10 and db < 1e-12,
        f"z̃ with and without b differ by {below(off, 1e-10)}; |db|/Σ|dz| {below(db, 1e-12)}",
    )


@claim(
    "bn.parameter-shapes",
    "b, γ and β of layer l are (n^[l], 1) each.",
    HOLDS,
    note("001", "参数的补充"),
    note("003", "Dimension of beta[l], gamma[l]"),
)
def parameter_shapes(seed: int) -> Evidence:
    """Builds Keras's Dense and BatchNormalization of n = 5 units and reads the shapes of b, γ, β:
    (n,), which is the lecture's column. The lecture's own orientation, Z (n, m) with γ and β
    (n, 1), must give the transpose of what the layer gives.
    """
    from tfcourse._tensorflow import keras

    random = np.random.default_rng(seed)
    dense, layer = keras.layers.Dense(5), keras.layers.BatchNormalization()
    dense.build((None, 3))
    layer.build((None, 5))
    gamma, beta = random.normal(size=(5, 1)), random.normal(size=(5, 1))
    layer.gamma.assign(gamma[:, 0])
    layer.beta.assign(beta[:, 0])
    Z = random.normal(size=(5, 7))
    variance = Z.var(axis=1, keepdims=True)
    Z_tilde = gamma * (Z - Z.mean(axis=1, keepdims=True)) / np.sqrt(variance + 1e-3) + beta
    off = float(np.abs(np.asarray(layer(Z.T, training=True)).T - Z_tilde).max())
    shapes = {
        name: tuple(v.shape)
        for name, v in zip("bγβ", (dense.bias, layer.gamma, layer.beta), strict=True)
    }
    return judged(
        set(shapes.values()) == {(5,)} and off < 1e-5,
        f"n = 5: {', '.join(f'{name} {shape}' for name, shape in shapes.items())}; as columns "
        f"(5, 1) they give Keras's z̃, off by {below(off, 1e-5)}",
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
