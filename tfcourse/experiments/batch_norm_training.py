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
TARGET = 0.95
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


@dataclass(frozen=True, eq=False)
class Search:
    """The same random settings trained with and without batch norm, (n,) each.

    with_norm, without: best validation accuracy.
    """

    learning_rate: Floats
    momentum: Floats
    decay: Floats
    with_norm: Floats
    without: Floats


@cache
def search(seed: int = 0, size: int = 192) -> Search:
    """Train `size` settings: five decades of α, β from 0.5 to 0.99, three decades of decay."""
    random = np.random.default_rng(seed)
    rate = 10 ** random.uniform(-4, 1, size)
    momentum = 1 - 10 ** random.uniform(-2, np.log10(0.5), size)
    decay = 10 ** random.uniform(-3, 0, size)
    settings = [
        {"learning_rate": float(a), "momentum": float(b), "decay": float(d)}
        for a, b, d in zip(rate, momentum, decay, strict=True)
    ]
    sides = [
        validation(train([{**s, "batch_norm": norm} for s in settings], seeds(seed, size), EPOCHS))
        for norm in (True, False)
    ]
    return Search(rate, momentum, decay, *sides)


@dataclass(frozen=True, eq=False)
class Race:
    """Epochs until validation accuracy first reaches 95%; one more than there were if it does not.

    by_rate: mean for each of `RATES`, with and without batch norm, (2, rates). best: the rate with
    the lowest mean, of each. epochs: other trainings at that rate, (2, n).
    """

    by_rate: Floats
    best: tuple[float, float]
    epochs: Floats
    trainings: int


@cache
def race(seed: int = 0, size: int = 32) -> Race:
    """Find the fastest α of each side with a quarter of `size` trainings each; then race at it."""
    by_rate, best, final = [], [], []
    each = max(1, size // len(RATES))
    for norm in (True, False):
        trials = [{"learning_rate": a, "batch_norm": norm} for a in RATES for _ in range(each)]
        reached = _epochs_to_target(train(trials, seeds(seed, len(trials), 1), EPOCHS))
        means = reached.reshape(len(RATES), each).mean(axis=1)
        fastest = RATES[int(means.argmin())]
        by_rate.append(means)
        best.append(fastest)
        trials = [{"learning_rate": fastest, "batch_norm": norm}] * size
        final.append(_epochs_to_target(train(trials, seeds(seed, size, 2), EPOCHS)))
    trainings = 2 * (each * len(RATES) + size)
    return Race(np.array(by_rate), (best[0], best[1]), np.array(final), trainings)


def _epochs_to_target(trained: Sequence[Trained]) -> Floats:
    reached = np.array([_populations.curve(one, EPOCHS) >= TARGET for one in trained])
    return np.where(reached.any(axis=1), reached.argmax(axis=1) + 1.0, EPOCHS + 1.0)


@dataclass(frozen=True, eq=False)
class Depths:
    """Test accuracy by depth, with and without batch norm, each at its best α: (depths, 2, n).

    rates: that α, (depths, 2).
    """

    depths: tuple[int, ...]
    accuracy: Floats
    rates: Floats
    trainings: int


@cache
def deeper(seed: int = 0, size: int = 8) -> Depths:
    """Train 2, 10 and 20 hidden layers of 32 for 15 epochs at three rates, `size` models each."""
    depths, rates = (2, 10, 20), (0.01, 0.03, 0.1)
    tested, best = np.zeros((len(depths), 2, size)), np.zeros((len(depths), 2))
    for i, layers in enumerate(depths):
        for j, norm in enumerate((True, False)):
            common = {"layers": layers, "units": 32, "batch_norm": norm}
            trials = [{**common, "learning_rate": a} for a in rates for _ in range(size)]
            trained = train(trials, seeds(seed, len(trials)), 15)
            mean = validation(trained).reshape(len(rates), size).mean(axis=1)
            chosen = int(mean.argmax())
            best[i, j] = rates[chosen]
            tested[i, j] = _test_accuracy(trained[chosen * size : (chosen + 1) * size])
    return Depths(depths, tested, best, 2 * len(depths) * len(rates) * size)


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
