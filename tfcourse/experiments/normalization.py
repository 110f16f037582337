"""Experiments of part 2, batch normalization: what its formulas do, to numbers and to a network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain, count, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse import batch_norm
from tfcourse._arrays import Floats
from tfcourse.experiments import _network, _populations
from tfcourse.training.batches import epoch_batches


@dataclass(frozen=True, eq=False)
class Noise:
    """How much μ and σ² vary from mini-batch to mini-batch, by mini-batch size.

    sizes: (n,). mean: deviation of μ over σ, (n,). variance: deviation of σ² over σ². Both are
    averages over the units. dropout: deviation that dropout of a half gives an activation, over the
    activation, in mini-batches of these sizes.
    """

    sizes: NDArray[np.integer]
    mean: Floats
    variance: Floats
    dropout: Floats


@cache
def noise(seed: int = 0, size: int = 400) -> Noise:
    """Draw `size` mini-batches of each size and look at z of a first layer on the digits.

    Examples are drawn with replacement: 1257 digits are too few for 1024 independent ones.
    """
    random = np.random.default_rng(seed)
    x, _ = _digits()
    z = x @ random.normal(0, 1 / 8, (64, 64))
    sizes = 2 ** np.arange(4, 11)
    mean, variance, dropout = [], [], []
    for m in sizes:
        statistics = [
            batch_norm.forward(z[random.integers(0, len(z), m)]).statistics for _ in range(size)
        ]
        mean.append((np.std([s.mean for s in statistics], axis=0) / z.std(axis=0)).mean())
        variance.append((np.std([s.variance() for s in statistics], axis=0) / z.var(axis=0)).mean())
        kept = random.random((size * 4096 // m, m)) < 0.5
        dropout.append(float((kept / 0.5).std(axis=0).mean()))
    return Noise(sizes, np.array(mean), np.array(variance), np.array(dropout))


def _digits() -> tuple[Floats, NDArray[np.integer]]:
    """Return the digits' standardized training examples, (m, 64), in float64, and labels."""
    digits = _populations.digits()
    return digits.x_train.astype(np.float64), digits.y_train


def _updates(seed: int, examples: int, updates: int) -> Iterator[NDArray[np.int32]]:
    """Mini-batches of 64, epoch after epoch, as many as `updates`."""
    epochs = (epoch_batches(seed, epoch, examples, 64) for epoch in count())
    return islice(chain.from_iterable(epochs), updates)


@dataclass(frozen=True, eq=False)
class Trace:
    """A training on the digits, looked at before every update and after the last, t = 0 … T.

    means, deviations: of what enters the activation in the second hidden layer, over the training
    examples (the first 1024), (T + 1, units). z_means: of z there, before any batch norm,
    (T + 1, units); batch_means: the same over the mini-batch of each update, (T, units).
    turned: the angle in degrees by which the gradient of the layers above that one turns when it
    and the layers below are updated, (T,). cost: (T,). accuracy: on the training examples at last.
    """

    means: Floats
    deviations: Floats
    z_means: Floats
    batch_means: Floats
    turned: Floats
    cost: Floats
    accuracy: float


@cache
def trace(
    seed: int = 0, size: int = 150, normalize: bool = True, learning_rate: float = 0.2
) -> Trace:
    """Train 64–32–32–32–10 with tanh for `size` updates of gradient descent."""
    x, y = _digits()
    network = _network.start(seed, [64, 32, 32, 32, 10], normalize=normalize, activation="tanh")
    cut = 2  # layers below the cut feed those above
    over_all: list[tuple[Floats, Floats, Floats]] = []
    over_batch: list[tuple[Floats, float, float]] = []

    # In blocks, (16, 64, 64): products this small stay on one core, where they are fastest.
    whole = len(x) // 64 * 64
    blocks = x[:whole].reshape(-1, 64, 64)

    def look() -> Any:
        passed = _network.forward(network, blocks)
        z, enters = passed.z[cut - 1], passed.z_tilde[cut - 1]
        of_enters = enters.mean(axis=(0, 1)), enters.std(axis=(0, 1))
        over_all.append((*of_enters, z.mean(axis=(0, 1))))
        return passed.z[-1].reshape(whole, -1)

    for rows in _updates(seed, len(x), size):
        look()
        z = _network.forward(network, x[rows]).z[cut - 1]
        cost, slopes = _network.gradients(network, x[rows], y[rows])
        moved = network.moved(slopes, learning_rate)
        slopes_after = _network.gradients(network.below(cut, moved), x[rows], y[rows])[1]
        turned = _angle(slopes.W[cut:], slopes_after.W[cut:])
        over_batch.append((z.mean(axis=0), turned, cost))
        network = moved
    accuracy = float((look().argmax(axis=1) == y[:whole]).mean())
    means, deviations, z_means = (np.array(found) for found in zip(*over_all, strict=True))
    batch_means, angles, costs = (np.array(found) for found in zip(*over_batch, strict=True))
    return Trace(means, deviations, z_means, batch_means, angles, costs, accuracy)


def _angle(a: list[Floats], b: list[Floats]) -> float:
    u, v = (np.concatenate([w.ravel() for w in ws]) for ws in (a, b))
    cosine = u @ v / np.linalg.norm(u) / np.linalg.norm(v)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


@dataclass(frozen=True, eq=False)
class HiddenShift:
    """How far what enters a hidden layer shifts per update, (rates, 2, n): batch norm, then none.

    moved: of its mean, in deviations, and of the logarithm of its deviation, added up; averages
    over units and updates. turned: degrees that the gradient of the layers above turns.
    """

    rates: tuple[float, ...]
    moved: Floats
    turned: Floats


@cache
def hidden_shift(seed: int = 0, size: int = 6) -> HiddenShift:
    """Trace `size` trainings with and as many without batch norm, at a small α and a large one."""
    rates = (0.02, 0.2)
    moved, turned = np.zeros((2, len(rates), 2, size))
    for place in np.ndindex(moved.shape):
        rate, plain, run = place
        found = trace(size * seed + run, normalize=not plain, learning_rate=rates[rate])
        of_mean = np.abs(np.diff(found.means, axis=0)) / found.deviations[:-1]
        of_deviation = np.abs(np.diff(np.log(found.deviations), axis=0))
        moved[place] = (of_mean + of_deviation).mean()
        turned[place] = found.turned.mean()
    return HiddenShift(rates, moved, turned)
