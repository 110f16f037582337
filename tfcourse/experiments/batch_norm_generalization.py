"""Experiments of part 2 on what batch norm does beyond training: its noise, test time, new data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tfcourse import datasets
from tfcourse._arrays import Floats
from tfcourse.datasets import Dataset
from tfcourse.experiments import _populations
from tfcourse.experiments._inference import accuracy, logits
from tfcourse.experiments.batch_norm_training import BASE, seeds

if TYPE_CHECKING:
    from tfcourse.training import Trained


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
