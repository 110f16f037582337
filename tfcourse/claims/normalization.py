"""Claims of part 2, batch normalization: what follows from its formulas."""

from __future__ import annotations

import numpy as np

from tfcourse import batch_norm
from tfcourse.claims.ledger import HOLDS, Evidence, below, claim, judged, note
from tfcourse.experiments import normalization as experiments
from tfcourse.lecture import statistics as intervals


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
