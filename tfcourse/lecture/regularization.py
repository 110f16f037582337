"""Regularization: the noise of batch norm's μ and σ² regularizes slightly, a side effect."""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import numpy as np

from tfcourse._arrays import Floats
from tfcourse.lecture import ledger
from tfcourse.lecture.ledger import CONDITIONS, HOLDS, NOT_SHOWN, Evidence, claim, note, weighed
from tfcourse.lecture.statistics import Interval, holm, mean
from tfcourse.lecture.tuned import Tuned, rates, teachers, tune

EXAMPLES, UPDATES, EVERY = 512, 120, 8
MATTERS = 0.01
WHY = (
    "A hundredth of the loss: it makes the probability of the true class one per cent greater. "
    "Less is not worth a setting."
)
RATES = rates(0.03, 0.1, 0.3)
DROPOUTS = [{**rate, "dropout": share} for rate in RATES for share in (0.2, 0.4)]
WAYS = {"512": 512, "64": 64, "16": 16, "none": 0, "none, dropout": 0, "64, dropout": 64}
WAYS |= {"512, dropout": 512, "none, mini-batches": 0}
"""By name: how many examples share μ and σ², 0 without batch norm. All 512 examples make an update,
but for the mini-batches."""


@cache
def _layer() -> Any:
    from tfcourse._tensorflow import keras, tf

    class GroupedBatchNorm(keras.layers.Layer):  # type: ignore[misc]
        """Batch norm with μ and σ² over groups of the mini-batch (ghost batch norm)."""

        def __init__(self, group: int, units: int) -> None:
            super().__init__()
            self.group = group
            self.gamma = self.add_weight((units,), "ones")
            self.beta = self.add_weight((units,), "zeros")
            self.mean = self.add_weight((units,), "zeros", trainable=False)
            self.variance = self.add_weight((units,), "ones", trainable=False)

        def call(self, z: Any, training: bool = False) -> Any:
            if not training:
                z_norm = (z - self.mean) * tf.math.rsqrt(self.variance + 1e-3)
                return self.gamma * z_norm + self.beta
            groups = tf.reshape(z, [-1, self.group, z.shape[-1]])
            mu = tf.reduce_mean(groups, 1, keepdims=True)
            variance = tf.reduce_mean(tf.square(groups - mu), 1, keepdims=True)
            self.mean.assign(0.9 * self.mean + 0.1 * tf.reduce_mean(mu, [0, 1]))
            self.variance.assign(0.9 * self.variance + 0.1 * tf.reduce_mean(variance, [0, 1]))
            z_norm = (groups - mu) * tf.math.rsqrt(variance + 1e-3)
            return tf.reshape(self.gamma * z_norm + self.beta, tf.shape(z))

    return GroupedBatchNorm


def build(trial: Mapping[str, Any]) -> Any:
    """Return two hidden layers of 32 rectifiers with batch norm over groups, dropout, or both."""
    from tfcourse._tensorflow import keras

    group, layers = trial["group"], [keras.Input((20,))]
    for _ in range(2):
        layers.append(keras.layers.Dense(32, use_bias=not group))
        layers += [_layer()(group, 32)] if group else []
        layers.append(keras.layers.Activation("relu"))
        layers += [keras.layers.Dropout(trial["dropout"])] if "dropout" in trial else []
    return keras.Sequential([*layers, keras.layers.Dense(5), keras.layers.Softmax()])


@cache
def ways(seed: int = 0) -> dict[str, Tuned]:
    """Train networks in each of `WAYS`, at the learning rate and dropout that suit it best."""
    found: dict[str, Tuned] = {}
    options = {name: DROPOUTS if "dropout" in name else RATES for name in WAYS}
    how: dict[str, Any] = {"tasks": teachers(seed, examples=EXAMPLES), "build": build}
    for updates in (1, EVERY):  # in an epoch
        fixed = {"optimizer": "momentum", "batch_size": EXAMPLES // updates}
        names = [name for name in WAYS if ("mini-batches" in name) == (updates > 1)]
        own = {name: {**fixed, "group": WAYS[name]} for name in names}
        found |= tune(own, options.__getitem__, epochs=UPDATES // updates, seed=seed, **how)
    return found


def lowest(one: Tuned) -> Floats:
    """The lowest loss on unseen examples, of those after every eighth update, (runs,)."""
    between = one.unseen.shape[1] * EVERY // UPDATES
    return np.asarray(one.unseen[:, between - 1 :: between].min(axis=1))


def at_equal_loss(one: Tuned, loss: float = 0.6) -> float:
    """The mean loss on unseen examples where the one in training first falls below `loss`."""
    low = one.loss < loss
    at = np.where(low.any(axis=1), low.argmax(axis=1), -1)
    return float(one.unseen[np.arange(len(at)), at].mean())


@cache
def gains(seed: int = 0) -> dict[str, Interval]:
    """How much lower the loss on unseen examples comes to be, the same first weights compared."""
    loss = {name: lowest(way) for name, way in ways(seed).items()}
    alone = min(("64", "none, dropout"), key=lambda name: float(loss[name].mean()))
    pairs = {
        "64 over 512": ("512", "64"),
        "16 over 64": ("64", "16"),
        "16 over 512": ("512", "16"),
        "mini-batches": ("none", "none, mini-batches"),
        "both over either": (alone, "64, dropout"),
        "dropout over noise": ("64", "512, dropout"),
    }
    return holm({name: partial(mean, loss[a] - loss[b]) for name, (a, b) in pairs.items()})


def told(seed: int, *names: str) -> str:
    """The losses of some ways in words; numbers are examples that share μ and σ²."""
    found = ways(seed)
    return ", ".join(f"{lowest(found[name]).mean():.3f} with {name}" for name in names)


@claim(
    "bn.regularizes",
    "The noise of μ and σ² regularizes slightly; a larger mini-batch regularizes less.",
    note("000", 226, "可以起到轻微 正则化 的作用", "can regularize slightly"),
    note("001", 496, "Batch归一化有轻微的正则化效果", "batch norm regularizes slightly"),
    note("002", 94, "有轻微的正则化效果", "regularizes slightly"),
    note("003", 1283, "regularization effect gets smaller as minibatch size grows"),
    note("004", 106, "Thus it is similar to regularization"),
    trains=True,
    matters=WHY,
    conditions="Groups of 16 beside groups of 512. Those of 64, between the two, gain less than "
    "tasks differ by.",
    literature="Luo et al. 2019, Towards Understanding Regularization in Batch Normalization, "
    "part the effect into that of the noise and that of normalization itself; Hoffer et al. 2017 "
    "use small groups on purpose.",
)
def regularizes(seed: int) -> Evidence:
    """Trains networks on 512 examples of 16 random networks' classes, all of them in each of 120
    updates, so that the gradient has no noise, with batch norm over random groups of 16, 64 or 512.
    On each task the best of three learning rates, then a new network. Measured: the lowest loss on
    512 unseen examples, and that where the loss in training falls below 0.6. It holds if 16 gain
    what matters over 512, and for certain 64 gain something over 512, and 16 over 64; on condition
    if 16 gain over 512 alone.
    """
    found, seen = ways(seed), gains(seed)
    slight = weighed(seen["16 over 512"], MATTERS)
    each = seen["64 over 512"].above_zero and seen["16 over 64"].above_zero
    equal = ", ".join(f"{at_equal_loss(found[m]):.3f} with {m}" for m in ("512", "64", "16"))
    return Evidence(
        CONDITIONS if slight == HOLDS and not each else slight,
        f"loss {told(seed, '512', '64', '16', 'none')}; gain at 64 "
        f"{seen['64 over 512'].show('.3f')}, at 16 {seen['16 over 512'].show('.3f')}; "
        f"at equal loss in training {equal}",
        f"Groups of 64 instead of 512 lower the loss by {seen['64 over 512'].value:.3f}, groups "
        f"of 16 by {seen['16 over 512'].value:.3f}.".replace("-", "−"),
        effect=seen["16 over 512"],
        rests_on=tuple(found.values()),
    )


@claim(
    "bn.with-dropout",
    "Batch norm can be used together with dropout for a stronger regularization.",
    note("000", 226, "batch norm 和 dropout 一起使用", "batch norm and dropout together"),
    note("001", 497, "将Batch归一化和dropout一起使用", "use batch norm and dropout together"),
    note("002", 100, "获得更强大的正则化效果", "for a stronger regularization"),
    verdict=NOT_SHOWN,
    trains=True,
    matters=WHY,
    literature="Li et al. 2019, Understanding the Disharmony between Dropout and Batch "
    "Normalization by Variance Shift, warn of dropout before batch norm; Ioffe and Szegedy 2015 "
    "leave it out.",
)
def with_dropout(seed: int) -> Evidence:
    """Trains as for bn.regularizes: batch norm over groups of 64 with dropout, beside the better of
    batch norm alone and dropout alone. Learning rate and dropout are the best of three and of two,
    for each way. Near its border: with seed 1 both together gain what matters.
    """
    found, better = ways(seed), gains(seed)["both over either"]
    measured = (
        f"loss {told(seed, '64, dropout', '64', 'none, dropout', 'none')}; both beside the better "
        f"of the two {better.show('.3f')}"
    )
    plain = f"Both together lower the loss by {better.value:.3f} beside the better of the two."
    return Evidence(weighed(better, MATTERS), measured, plain, better, tuple(found.values()))


@claim(
    "bn.not-as-regularizer",
    "Do not use batch norm as a regularizer: that is a side effect.",
    note("001", 512, "不要把Batch归一化当作正则化", "do not take batch norm for a regularizer"),
    note("003", 1284, "This is an unintended side effect"),
    trains=True,
    matters=WHY,
)
def not_as_regularizer(seed: int) -> Evidence:
    """Trains as for bn.regularizes. It holds if dropout added to batch norm without noise (over all
    512 examples) lowers the loss on unseen examples by more than batch norm's own noise (over
    groups of 64) does.
    """
    found, better = ways(seed), gains(seed)["dropout over noise"]
    measured = (
        f"loss {told(seed, '512', '64', '512, dropout')}; dropout beside the noise "
        f"{better.show('.3f')}"
    )
    plain = f"Dropout lowers the loss by {better.value:.3f} more than batch norm's noise does."
    return Evidence(weighed(better, MATTERS), measured, plain, better, tuple(found.values()))


@claim(
    "bn.mini-batch-noise",
    "Mini-batches alone regularize too: a student's question.",
    note("001", 480, "只用mini-batch也有正则化效果", "do mini-batches alone regularize too?"),
    verdict=NOT_SHOWN,
    trains=True,
    matters=WHY,
    literature="Keskar et al. 2017, On Large-Batch Training for Deep Learning.",
)
def mini_batch_noise(seed: int) -> Evidence:
    """Trains as for bn.regularizes, but without batch norm: all 512 examples in each of 120
    updates, or mini-batches of 64 in as many. What these gain on unseen examples stands beside what
    batch norm's noise over groups of 64 gains when the gradient has none.
    """
    found, gain = ways(seed), gains(seed)["mini-batches"]
    norm = gains(seed)["64 over 512"]
    return Evidence(
        weighed(gain, MATTERS),
        f"loss {told(seed, 'none', 'none, mini-batches')}; mini-batches gain {gain.show('.3f')}, "
        f"batch norm's noise {norm.show('.3f')}",
        f"Mini-batches of 64 lower the loss by {gain.value:.3f}, batch norm's noise by "
        f"{norm.value:.3f}.".replace("-0", "−0"),
        effect=gain,
        rests_on=tuple(found.values()),
    )


ledger.errata(
    __name__,
    ledger.Erratum(
        "bn.erratum.lost-negation",
        note("001", 511, "我会把Batch归一化当成一种正则化", "I take it for a regularization"),
        "I do not take batch norm for a regularizer, though sometimes it has that effect",
        "The negation was lost; the next line of the note says the opposite.",
        whose="translation",
        also=(note("000", 230, "batch norm 是一个正则化的规则", "batch norm regularizes"),),
    ),
)
