"""Experiments of part 1, tuning, on the caviar: many models at once, and again on other data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse._arrays import Floats
from tfcourse.datasets import Dataset
from tfcourse.experiments import _populations
from tfcourse.experiments.searches import (
    AGAIN,
    LEARNING_RATE,
    MOMENTUM,
    WITH_MOMENTUM,
    Duel,
    again,
    play,
)
from tfcourse.tuning import search
from tfcourse.tuning.scales import Linear
from tfcourse.tuning.space import Space

SPACE = Space(learning_rate=LEARNING_RATE, momentum=MOMENTUM, decay=Linear(0, 1))


@dataclass(frozen=True, eq=False)
class Curves:
    """Many models trained at once: validation accuracy after each epoch, (models, epochs).

    best: the model that got furthest, at its best epoch; of several, the best over all epochs.
    """

    accuracy: Floats
    best: int


@cache
def caviar(seed: int = 0, size: int = 40, epochs: int = 12) -> Curves:
    """Train `size` models with random hyperparameters, and keep the best."""
    trials = [trial | WITH_MOMENTUM for trial in search.random(SPACE, size, seed) if trial]
    outcomes = _populations.train(trials, epochs=epochs, seed=seed)
    ranked = np.lexsort([outcomes.curves.mean(axis=1), outcomes.validation])
    return Curves(outcomes.curves, int(ranked[-1]))


@cache
def one_against_many(seed: int = 0, size: int = 60, models: int = 25) -> Duel:
    """Train `models` with random hyperparameters, `size` times; the first against the best."""
    searches = [
        search.random(SPACE, models, np.random.default_rng([seed, number]))
        for number in range(size)
    ]
    played = play(searches, WITH_MOMENTUM, seed)
    chosen = [trial for one in played for trial in (one.trials[0], one.best)]
    test = again(chosen, WITH_MOMENTUM, seed + 1000).reshape(-1, 2)
    return Duel(test, sum(len(one.trials) + 2 * AGAIN for one in played))


@dataclass(frozen=True, eq=False)
class Regret:
    """What it costs to carry the best settings of one data set over to another.

    own, carried: test accuracy there with the settings found there, and with those found on the
    other, by pair of data sets: (searches,) each.
    """

    own: dict[tuple[str, str], Floats]
    carried: dict[tuple[str, str], Floats]
    trainings: int


PAIRS = (
    ("digits", "few digits"),
    ("few digits", "digits"),
    ("digits", "mislabelled digits"),
    ("digits", "spirals"),
)


@cache
def retest(seed: int = 0, size: int = 30, trials: int = 25) -> Regret:
    """Search `size` times on each of four data sets, with the same `trials` and epochs.

    The digits; a seventh of them to learn from; all with every other label wrong, as after a bad
    change in how data is collected; and three spirals in the plane, as many examples as digits.
    """
    sets = {
        "digits": _populations.digits(),
        "few digits": few(),
        "mislabelled digits": mislabelled(),
        "spirals": spirals(),
    }
    best = {}
    for name, data in sets.items():
        rngs = [np.random.default_rng([seed, number]) for number in range(size)]
        searches = [search.random(SPACE, trials, rng) for rng in rngs]
        best[name] = [one.best for one in play(searches, WITH_MOMENTUM, seed, data)]
    own, carried = {}, {}
    for source, target in PAIRS:
        settings = best[target] + best[source]
        test = again(settings, WITH_MOMENTUM, seed + 1000, sets[target])
        own[source, target], carried[source, target] = test[:size], test[size:]
    return Regret(own, carried, size * (len(sets) * trials + len(PAIRS) * 2 * AGAIN))


@cache
def few() -> Dataset:
    """The digits, 150 of them to learn from."""
    data = _populations.digits()
    rows = np.random.default_rng(0).permutation(len(data.x_train))[:150]
    return replace(data, name="few digits", x_train=data.x_train[rows], y_train=data.y_train[rows])


@cache
def mislabelled() -> Dataset:
    """The digits, every other training and validation label drawn anew."""
    data, rng = _populations.digits(), np.random.default_rng(0)

    def spoilt(y: NDArray[np.int64]) -> NDArray[np.int64]:
        wrong = rng.random(len(y)) < 0.5
        return np.where(wrong, rng.integers(data.classes, size=len(y)), y)

    return replace(
        data,
        name="mislabelled digits",
        y_train=spoilt(data.y_train),
        y_validation=spoilt(data.y_validation),
    )


@cache
def spirals() -> Dataset:
    """Three arms of a spiral in the plane, one class each."""
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for name, count in (("train", 1077), ("validation", 360), ("test", 360)):
        y = rng.integers(3, size=count)
        radius = np.sqrt(rng.random(count))
        angle = 2 * np.pi * (y / 3 + radius) + rng.normal(0, 0.25, count)
        x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        arrays |= {f"x_{name}": (x / 0.5).astype(np.float32), f"y_{name}": y}
    return Dataset(
        name="spirals", class_names=("0", "1", "2"), source="computed", licence="MIT", **arrays
    )
