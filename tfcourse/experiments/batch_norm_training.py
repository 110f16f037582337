"""Experiments of part 2 that train many Keras models: how batch norm changes their training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from tfcourse._arrays import Floats
from tfcourse.experiments import _populations
from tfcourse.experiments._inference import NORMALIZED, PLAIN, accuracy, logits

if TYPE_CHECKING:
    from tfcourse.training import Trained

BASE: dict[str, Any] = {"optimizer": "momentum", "momentum": 0.9, "layers": 3, "units": 64}
"""Where not told otherwise: three hidden layers of 64, gradient descent with momentum."""

EPOCHS = 10
RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)


def train(trials: Sequence[dict[str, Any]], seeds: Sequence[int], epochs: int) -> list[Trained]:
    """Train a classifier on the digits for each trial, `BASE` for what it does not say."""
    full = [{**BASE, **trial} for trial in trials]
    population = _populations.population(_populations.digits())
    return _populations.in_order(population(full, seeds=seeds, epochs=epochs))


def seeds(seed: int, count: int, purpose: int = 0) -> list[int]:
    """Return seeds for `count` trainings, other ones for every seed and purpose."""
    state = np.random.SeedSequence([seed, purpose]).generate_state(count) >> 1
    return [int(one) for one in state]


def validation(trained: Sequence[Trained]) -> Floats:
    """Return the validation accuracy at the best epoch, (n,); 0 for trainings that diverged."""
    return np.array([max(one.history.get("val_accuracy", ()), default=0.0) for one in trained])


def _test_accuracy(trained: Sequence[Trained]) -> Floats:
    """Return the accuracy on the test set of each one's best epoch, (n,)."""
    data = _populations.digits()
    found = []
    for one in trained:
        kind = NORMALIZED if one.hyperparameters.get("batch_norm", True) else PLAIN
        after = one.hyperparameters.get("batch_norm_position") == "after"
        found.append(accuracy(logits(one.weights, data.x_test, kind, after=after), data.y_test))
    return np.array(found)


@dataclass(frozen=True, eq=False)
class Positions:
    """Test accuracy with z normalized and with a normalized, each at its best α, (n,) each."""

    before: Floats
    after: Floats
    rates: tuple[float, float]
    trainings: int


@cache
def positions(seed: int = 0, size: int = 64) -> Positions:
    """Choose the best of `RATES` for each position, then train `size` other models at it."""
    found, best = [], []
    each = 8
    for position in ("before", "after"):
        where = {} if position == "before" else {"batch_norm_position": position}
        trials = [{**where, "learning_rate": a} for a in RATES for _ in range(each)]
        mean = validation(train(trials, seeds(seed, len(trials), 3), EPOCHS))
        rate = RATES[int(mean.reshape(len(RATES), each).mean(axis=1).argmax())]
        best.append(rate)
        trials = [{**where, "learning_rate": rate}] * size
        found.append(_test_accuracy(train(trials, seeds(seed, size, 4), EPOCHS)))
    trainings = 2 * (each * len(RATES) + size)
    return Positions(found[0], found[1], (best[0], best[1]), trainings)
