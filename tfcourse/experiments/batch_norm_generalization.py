"""Experiments of part 2 on what batch norm does beyond training: its noise, test time, new data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tfcourse import datasets, softmax
from tfcourse._arrays import Floats
from tfcourse.datasets import Dataset
from tfcourse.experiments import _populations
from tfcourse.experiments._inference import PLAIN, STATELESS, accuracy, logits
from tfcourse.experiments.batch_norm_training import BASE, seeds

if TYPE_CHECKING:
    from tfcourse.training import Trained

EXAMPLES = 512


@dataclass(frozen=True, eq=False)
class Regularized:
    """What a way of training came to, (n,) each: mean losses, and accuracy on unseen digits."""

    train_loss: Floats
    test_loss: Floats
    test_accuracy: Floats

    @property
    def gap(self) -> Floats:
        """Loss on unseen digits less loss on those it was trained on."""
        return self.test_loss - self.train_loss


WAYS: Mapping[str, Mapping[str, Any]] = {
    "statistics of 16": {"group": 16, "dropout": 0.0},
    "statistics of 64": {"group": 64, "dropout": 0.0},
    "statistics of 512": {"group": 512, "dropout": 0.0},
    "no batch norm": {"group": 0, "dropout": 0.0},
    "statistics of 64 and dropout": {"group": 64, "dropout": 0.3},
    "dropout": {"group": 0, "dropout": 0.3},
}
"""How many examples share μ and σ² (0: no batch norm); which share of activations is dropped."""


@cache
def regularizers(seed: int = 0, size: int = 16, updates: int = 200) -> dict[str, Regularized]:
    """Train 64–64–64–10 on 512 digits, all of them in every update, in each of `WAYS`.

    The gradient has no noise of its own then: what noise there is comes from the groups in which
    batch norm takes its statistics, shuffled anew for every update (Hoffer et al. 2017 call it
    ghost batch norm), or from dropout. The same `size` seeds for every way.
    """
    data = _populations.digits()
    x, y = data.x_train[:EXAMPLES], data.y_train[:EXAMPLES]
    unseen = np.concatenate([data.x_train[EXAMPLES:], data.x_validation, data.x_test])
    labels = np.concatenate([data.y_train[EXAMPLES:], data.y_validation, data.y_test])
    population = _populations.trainer(_grouped, (x, y), (data.x_validation, data.y_validation))
    found = {}
    for name, way in WAYS.items():
        trial = {"optimizer": "momentum", "learning_rate": 0.1, "batch_size": EXAMPLES, **way}
        chunks = population([trial] * size, seeds=seeds(seed, size, 5), epochs=updates)
        kind, of = (STATELESS, x) if way["group"] else (PLAIN, None)
        scores = [
            [logits(one.final_weights, examples, kind, of=of) for examples in (x, unseen)]
            for one in _populations.in_order(chunks)
        ]
        found[name] = Regularized(
            np.array([softmax.cross_entropy_from_logits(seen, y) for seen, _ in scores]),
            np.array([softmax.cross_entropy_from_logits(other, labels) for _, other in scores]),
            np.array([accuracy(other, labels) for _, other in scores]),
        )
    return found


def _grouped(trial: Mapping[str, Any]) -> Any:
    """Build the network of a way: batch norm over groups of the mini-batch, or none; dropout."""
    from tfcourse._tensorflow import keras, tf

    class GroupedBatchNorm(keras.layers.Layer):  # type: ignore[misc]
        """Batch norm with μ and σ² over consecutive groups of the mini-batch, while training."""

        def build(self, shape: tuple[int | None, ...]) -> None:
            units = (shape[-1],)
            self.gamma = self.add_weight(shape=units, initializer="ones", name="gamma")
            self.beta = self.add_weight(shape=units, initializer="zeros", name="beta")

        def call(self, z: Any, training: bool = False) -> Any:
            groups = tf.reshape(z, [-1, trial["group"], z.shape[-1]]) if training else z[None]
            centred = groups - tf.reduce_mean(groups, 1, keepdims=True)
            variance = tf.reduce_mean(tf.square(centred), 1, keepdims=True)
            z_norm = centred * tf.math.rsqrt(variance + 1e-3)
            return tf.reshape(self.gamma * z_norm + self.beta, tf.shape(z))

    layers = []
    for _ in range(2):
        layers.append(keras.layers.Dense(64, use_bias=not trial["group"]))
        layers += [GroupedBatchNorm()] if trial["group"] else []
        layers.append(keras.layers.Activation("relu"))
        layers += [keras.layers.Dropout(trial["dropout"])] if trial["dropout"] else []
    last = [keras.layers.Dense(10), keras.layers.Softmax()]
    return keras.Sequential([keras.Input((64,)), *layers, *last])


@dataclass(frozen=True, eq=False)
class TestTime:
    """Accuracy at test time by how long was trained and by which statistics, (epochs, n) each.

    updates: mini-batches trained on, (epochs,). moving: with the averages that Keras keeps at a
    momentum of 0.99. population: with those of the whole training set. batch: with those of the
    test mini-batch of 60 itself. shifted: moving ones, on the same digits light for dark.
    """

    updates: NDArray[np.integer]
    moving: Floats
    population: Floats
    batch: Floats
    shifted: Floats


TRAINED = (1, 2, 5, 10, 40)


@cache
def test_time(seed: int = 0, size: int = 16) -> TestTime:
    """Train `size` classifiers for each number of epochs in `TRAINED`; score them in four ways."""
    data = _populations.digits()
    population = _populations.population(data)
    own = seeds(seed, size, 6)
    trial = {**BASE, "learning_rate": 0.1, "batch_norm_momentum": 0.99}
    raw = datasets.load("digits")
    mean, variance = datasets.standardization(raw.x_train)
    inverted = ((1 - raw.x_test - mean) / np.sqrt(variance)).reshape(len(raw.x_test), -1)
    steps = len(data.x_train) // 64
    rows = []
    for epochs in TRAINED:
        chunks = population([trial] * size, seeds=own, epochs=epochs)
        rows.append([_four_ways(one, data, inverted) for one in _populations.in_order(chunks)])
    moving, whole, batch, shifted = np.moveaxis(np.array(rows), -1, 0)
    return TestTime(steps * np.array(TRAINED), moving, whole, batch, shifted)


def _four_ways(one: Trained, data: Dataset, inverted: Floats) -> list[float]:
    weights, x, y = one.final_weights, data.x_test, data.y_test
    blocks = x.reshape(-1, 60, x.shape[1])
    return [
        accuracy(logits(weights, x), y),
        accuracy(logits(weights, x, of=data.x_train), y),
        accuracy(logits(weights, blocks, of=blocks), y.reshape(-1, 60)),
        accuracy(logits(weights, inverted), y),
    ]


@dataclass(frozen=True, eq=False)
class Shift:
    """Two classes in the plane, parted by one curve; a model trained on the left of it, and right.

    x, y: training examples on the left, (m, 2) and (m,). x_shifted, y_shifted: examples on the
    right. grid: (k,), the axis of both directions. learnt: how far the first model takes each point
    of the grid for class 1 rather than 0, its difference of logits, (k, k). truth: height above the
    true boundary, (k, k).
    here, there: its accuracy on new examples left and right, (n,). both: accuracy on the right of
    models trained on both sides, (n,).
    """

    x: Floats
    y: NDArray[np.integer[Any]]
    x_shifted: Floats
    y_shifted: NDArray[np.integer[Any]]
    grid: Floats
    learnt: Floats
    truth: Floats
    here: Floats
    there: Floats
    both: Floats


def _height(x: Floats) -> Floats:
    """How far points (…, 2) lie above a wave."""
    return np.asarray(x[..., 1] - 1.5 * np.sin(1.2 * x[..., 0]))


def _in_truth(x: Floats) -> NDArray[np.integer[Any]]:
    """The class of points (…, 2): 1 above the wave, 0 below."""
    return np.asarray(_height(x) > 0, np.int64)


@cache
def covariate_shift(seed: int = 0, size: int = 16) -> Shift:
    """Train `size` classifiers on the left half and `size` on both halves of one true function."""
    from tfcourse.classifier import Hyperparameters, build

    random = np.random.default_rng(seed)

    def draw(low: float, high: float) -> Floats:
        return random.uniform((low, -3), (high, 3), (400, 2)).astype(np.float32)

    def train(x: Floats) -> list[list[Floats]]:
        model, y = Hyperparameters(layers=2, units=32), _in_truth(x)
        population = _populations.trainer(lambda trial: build((2,), 2, model), (x, y), (x, y))
        trial = {"learning_rate": 0.01}
        chunks = population([trial] * size, seeds=seeds(seed, size, 7), epochs=60)
        return [list(one.final_weights) for one in _populations.in_order(chunks)]

    def score(models: list[list[Floats]], x: Floats) -> Floats:
        return np.array([accuracy(logits(weights, x), _in_truth(x)) for weights in models])

    left, right = draw(-3, 0), draw(0, 3)
    of_left, of_both = train(left), train(np.concatenate([left, right]))
    grid = np.linspace(-3, 3, 201)
    points = np.stack(np.meshgrid(grid, grid), axis=-1)
    return Shift(
        left,
        _in_truth(left),
        right,
        _in_truth(right),
        grid,
        np.diff(logits(of_left[0], points), axis=-1)[..., 0],
        _height(points),
        score(of_left, draw(-3, 0)),
        score(of_left, right),
        score(of_both, draw(0, 3)),
    )
