"""Batch norm in TensorFlow and Keras: one line, and what it keeps that one must know of."""

from functools import cache, partial
from typing import NamedTuple

import numpy as np

from tfcourse import batch_norm
from tfcourse._arrays import Floats
from tfcourse.lecture import ledger, network, population
from tfcourse.lecture.ledger import Evidence, apart, below, claim, note, weighed, worst
from tfcourse.lecture.statistics import holm, mean


@claim(
    "bn.one-line",
    "One line in TensorFlow, tf.nn.batch_normalization, does it.",
    note("001", 351, "一般只要短短的一行代码", "usually one short line of code is enough"),
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
    alone = not ledger.raised(lambda: tf.nn.batch_normalization(z, None, None, beta, gamma, 1e-3))
    layer = keras.layers.BatchNormalization()
    layer.build(z.shape)
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    off, off_layer = apart((line, expected)), apart((layer(z, training=True), expected))
    moved = bool(np.abs(np.asarray(layer.moving_mean)).min() > 0)
    right = max(off, off_layer) < 1e-4 and moved
    measured = (
        f"with μ and σ² given, off by {below(off, 1e-4)}; without, "
        f"{'it computes them' if alone else 'it refuses'}; Keras's layer off by "
        f"{below(off_layer, 1e-4)}, its averages {'moved' if moved else 'stood still'}"
    )
    plain = "The formula is one line; what surrounds it is Keras's layer."
    return ledger.judged(right and alone, measured, plain=plain, under_conditions=right)


class FineTuned(NamedTuple):
    """Digits right before and after fine-tuning: batch norm frozen, and not, (2, n) each."""

    before: Floats
    after: Floats
    moved: bool  # the averages of the frozen layer
    trainings: int


@cache
def fine_tuned(seed: int = 0, size: int = 5) -> FineTuned:
    """Train 64–32–10 on the digits; then 80 updates with α = 0.001 on digits light for dark."""
    from tfcourse._tensorflow import keras

    data, scores, moved = population.digits(), np.zeros((2, 2, size)), False
    layers = [keras.layers.Dense(32, use_bias=False), keras.layers.BatchNormalization()]
    layers += [keras.layers.Activation("relu"), keras.layers.Dense(10)]
    model = keras.Sequential([keras.Input((64,)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    first = model.get_weights()

    def fit(
        x: Floats, alpha: float, frozen: bool, weights: list[list[Floats]]
    ) -> list[list[Floats]]:
        layers[1].trainable = not frozen
        model.compile(keras.optimizers.SGD(alpha), loss)
        fitted = []
        for start in weights:
            model.set_weights(start)
            model.fit(x, data.y_train, batch_size=64, epochs=5, verbose=0)
            fitted.append(model.get_weights())
        return fitted

    keras.utils.set_random_seed(seed)
    draws = [np.random.default_rng([seed, n]) for n in range(size)]
    starts = [[r.normal(0, 0.15, W.shape) if W.ndim > 1 else W for W in first] for r in draws]
    trained = fit(data.x_train, 0.1, False, starts)
    for row, frozen in enumerate((True, False)):
        tuned = fit(-data.x_train, 0.001, frozen, trained)
        for n, pair in enumerate(zip(trained, tuned, strict=True)):
            z = [population.logits(weights, data.x_test) for weights in pair]
            scores[:, row, n] = [population.measured(each, data.y_test)[0] for each in z]
            moved |= frozen and not np.array_equal(pair[0][3], pair[1][3])
    return FineTuned(scores[0], scores[1], moved, 3 * size)


@claim(
    "bn.frozen",
    "For fine-tuning, trainable = False makes Keras's layer use its averages; without it the "
    "averages are ruined.",
    trains=True,
    matters="Five percentage points of accuracy on what the model could do before.",
    literature="Keras guide, Transfer learning and fine-tuning.",
)
def frozen(seed: int) -> Evidence:
    """Trains five Keras models on the digits, then fine-tunes them on digits light for dark, with
    an α so small that weights hardly move, once with batch norm's layer frozen and once not. A
    frozen layer's averages must stay as they were. Measured: accuracy on the old digits.
    """
    found = fine_tuned(seed)
    saved = mean(found.after[0] - found.after[1])
    return Evidence(
        ledger.REFUTED if found.moved else weighed(saved, 0.05),
        f"accuracy on the digits {found.before.mean():.1%} before, {found.after[0].mean():.1%} "
        f"after fine-tuning with the layer frozen, {found.after[1].mean():.1%} without; "
        f"difference {saved.show('.0f', '%')}",
        f"Frozen, the model keeps {found.after[0].mean():.0%} of its old digits right; not frozen, "
        f"{found.after[1].mean():.0%}.",
        saved,
        (found,),
    )


UPDATES = (15, 30, 75, 150, 600)


class Lag(NamedTuple):
    """Test accuracy after each of `UPDATES` by which statistics serve, (updates, n) each."""

    moving: Floats  # the averages
    whole: Floats  # those of the whole training set
    batch: Floats  # those of test mini-batches of 50, as in training
    trainings: int


@cache
def lag(seed: int = 0, size: int = 8, momentum: float = 0.99) -> Lag:
    """Train `size` networks in NumPy on a random task each, keeping averages as Keras does."""
    found = np.zeros((3, len(UPDATES), size))
    for n in range(size):
        data = population.teacher(size * seed + n).data
        x, x_test = data.x_train.astype(float), data.x_test.astype(float)
        net = network.start(n, [20, 32, 32, 5], normalize=True, activation="sigmoid")
        averages = [batch_norm.RunningStatistics(momentum)] * 2
        for update, rows in enumerate(network.mini_batches(n, len(x), UPDATES[-1]), 1):
            seen = network.forward(net, x[rows]).normalized
            averages = [a.update(s.statistics) for a, s in zip(averages, seen, strict=True)]
            net = net.moved(network.gradients(net, x[rows], data.y_train[rows])[1], 0.2)
            if update in UPDATES:
                whole = [(s.mean, s.variance) for s in network.forward(net, x).normalized]
                moving = [(a.moving_mean, a.moving_variance) for a in averages]
                z = [network.inference(net, x_test, given)[-1] for given in (moving, whole)]
                blocks = np.split(x_test, 80)
                z.append(np.concatenate([network.forward(net, block).z[-1] for block in blocks]))
                right = [population.measured(each, data.y_test)[0] for each in z]
                found[:, UPDATES.index(update), n] = right
    return Lag(found[0], found[1], found[2], size)


@claim(
    "bn.moving-average-lags",
    "With Keras's momentum of 0.99 the averages need hundreds of updates; after a few, inference "
    "is far worse than training suggests, and recalibrating with the training set's statistics "
    "cures it.",
    trains=True,
    matters="Five percentage points of accuracy after 30 updates are far worse; one, after 75, is "
    "still lost; within two of training's is cured, and within one, after 600, is enough.",
    literature="Keras issues 3949, 6977 and 7265.",
)
def moving_average_lags(seed: int) -> Evidence:
    """Trains 8 networks of sigmoids on random tasks, with averages of the momentum that Keras's
    layer has by default. Test accuracy after 15 to 600 updates with the averages, with the whole
    training set's statistics, and with test mini-batches' own, as in training. Where z has mean 0
    and variance 1 from the start, as behind tanh and normalized inputs, the averages start right.
    """
    from tfcourse._tensorflow import keras

    found = lag(seed, momentum=keras.layers.BatchNormalization().momentum)
    lost = found.batch - found.moving
    kept = {"end": 0.01 - lost[-1], "cured": 0.02 - (found.batch - found.whole)[1]}
    family = {"30": lost[1], "75": lost[2]} | kept
    sides = holm({name: partial(mean, values) for name, values in family.items()})
    matters = {"30": 0.05, "75": 0.01, "end": 0.0, "cured": 0.0}
    each = zip(lost.mean(axis=1), UPDATES, strict=True)
    words = ", ".join(f"{of_accuracy:.1%} after {updates}" for of_accuracy, updates in each)
    return Evidence(
        worst(*(weighed(sides[name], least) for name, least in matters.items())),
        f"accuracy lost to the averages: {words} updates; recalibrated after {UPDATES[1]}, "
        f"{found.whole[1].mean():.1%}, with mini-batches' statistics {found.batch[1].mean():.1%}",
        f"After {UPDATES[1]} updates the averages cost {sides['30'].value:.0%} of accuracy, after "
        f"{UPDATES[-1]} nothing; recalibrated, nothing at once.",
        sides["30"],
        (found,),
    )
