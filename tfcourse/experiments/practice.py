"""Experiments of part 1, tuning, on how it is done: one model or many, and again on other data."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.datasets import Dataset
from tfcourse.experiments import _populations
from tfcourse.experiments.searches import (
    LEARNING_RATE,
    MOMENTUM,
    WITH_MOMENTUM,
    Duel,
    again,
    play,
)
from tfcourse.tuning import panda, search
from tfcourse.tuning.scales import Linear
from tfcourse.tuning.space import Space

Floats = NDArray[np.floating[Any]]

SPACE = Space(learning_rate=LEARNING_RATE, momentum=MOMENTUM, decay=Linear(0, 1))


@dataclass(frozen=True, eq=False)
class Curves:
    """Many models trained at once: validation accuracy after each epoch, (models, epochs).

    best: the model that got furthest, at its best epoch.
    """

    accuracy: Floats
    best: int


@cache
def caviar(seed: int = 0, size: int = 40, epochs: int = 12) -> Curves:
    """Train `size` models with random hyperparameters, and keep the best."""
    trials = [trial | WITH_MOMENTUM for trial in search.random(SPACE, size, seed) if trial]
    outcomes = _populations.train(trials, epochs=epochs, seed=seed)
    return Curves(outcomes.curves, int(outcomes.validation.argmax()))


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
    return Duel(test, sum(len(one.trials) + 8 for one in played))


@dataclass(frozen=True, eq=False)
class Babies:
    """Models that were babysat, and the same models left alone.

    curves, alone: validation loss in the evening of each day, of the model that stands then,
    (models, days). test, test_alone: accuracy at the end, (models,). kept: part of the days whose
    change was kept. restored: largest difference between weights gone back to and yesterday's.
    """

    curves: Floats
    alone: Floats
    test: Floats
    test_alone: Floats
    kept: float
    restored: float


CHANGES = ({"learning_rate": 3.0}, {"learning_rate": 1 / 3}, {"momentum": 1 / 2}, {"momentum": 2.0})
"""What a day may change: factors of α, or of 1 − β."""


@cache
def babysitting(seed: int = 0, size: int = 64, days: int = 8) -> Babies:
    """Babysit `size` models for `days` of two epochs, and leave the same models alone.

    Every model begins with random α and β. Every day but the first changes one of them; if the
    validation loss is not lower in the evening, model and settings go back to yesterday's.
    """
    rng = np.random.default_rng(seed)
    nursery = _Nursery(list(search.random(SPACE, size, rng)), rng.integers(2**31, size=size))
    alone = [nursery.day(nursery.settings) for _ in range(days)]
    test_alone = nursery.test()
    nursery.begin()
    evenings, kept, restored = [nursery.day(nursery.settings)], [], 0.0
    for _ in range(1, days):
        changed = [_changed(s, CHANGES[rng.integers(len(CHANGES))]) for s in nursery.settings]
        before = nursery.weights()
        loss = nursery.day(changed)
        better = loss < evenings[-1]
        nursery.keep(better, changed)
        restored = max(restored, float(np.abs(nursery.weights() - before)[~better].max(initial=0)))
        evenings.append(np.where(better, loss, evenings[-1]))
        kept.append(better.mean())
    return Babies(
        np.stack(evenings, axis=1),
        np.stack(alone, axis=1),
        nursery.test(),
        test_alone,
        float(np.mean(kept)),
        restored,
    )


def _changed(settings: Mapping[str, Any], factors: Mapping[str, float]) -> dict[str, Any]:
    new = dict(settings)
    for name, factor in factors.items():
        if name == "momentum":
            new[name] = 1 - min(max((1 - new[name]) * factor, 1e-3), 0.5)
        else:
            new[name] = new[name] * factor
    return new


class _Nursery:
    """Models in training side by side, each with settings of its own, and their last evening."""

    def __init__(self, settings: Sequence[Any], seeds: NDArray[np.int64]) -> None:
        from tfcourse.training import program
        from tfcourse.training.pattern import Pattern

        data = _populations.digits()
        self._first, self._seeds = [dict(s) | WITH_MOMENTUM for s in settings], [*map(int, seeds)]
        build = _populations.classifier(data)
        self._pattern = Pattern(build, self._first[0], data.x_train, data.classes, "float32")
        self._data = program.data(
            data.x_train, data.y_train, data.x_validation, data.y_validation, "float32"
        )
        self.begin()

    def begin(self) -> None:
        """Give all models their first weights and settings."""
        self.settings, self._epoch = self._first, 0
        self._state = self._pattern.start(self.settings, self._seeds)

    def day(self, settings: Sequence[dict[str, Any]]) -> Floats:
        """Train all models for two epochs with these settings; return their validation loss."""
        from tfcourse.training.batches import epoch_batches

        self._yesterday = self._state
        choices = self._pattern.choices(settings, self._seeds)
        examples = len(self._data.x)
        for _ in range(2):
            orders = [
                epoch_batches(seed, self._epoch, examples, self._pattern.batch_size)
                for seed in self._seeds
            ]
            batches = np.stack(orders, axis=1)
            self._state, figures = self._pattern.run(self._state, choices, batches, self._data)
            self._epoch += 1
        loss = figures.numpy()[2]
        return np.where(self._state.sound.numpy() & np.isfinite(loss), loss, np.inf)

    def keep(self, better: NDArray[np.bool_], settings: Sequence[dict[str, Any]]) -> None:
        """Keep what is better, with its settings; take the others back to yesterday."""
        from tfcourse._tensorflow import tf

        def choose(new: Any, old: Any) -> Any:
            mask = better.reshape(-1, *[1] * (new.ndim - 1))
            return tf.where(mask, new, old) if new.ndim and len(new) == len(better) else new

        self._state = tf.nest.map_structure(choose, self._state, self._yesterday)
        self.settings = [
            new if keep else old
            for keep, new, old in zip(better, settings, self.settings, strict=True)
        ]

    def weights(self) -> Floats:
        """All trained weights, a row per model."""
        rows: Floats = self._state.parameters.numpy()
        return rows

    def test(self) -> Floats:
        """Test accuracy of the models that stand, (models,)."""
        data = _populations.digits()
        rows = zip(self.settings, self.weights(), self._state.carried.numpy(), strict=True)
        weights = [self._pattern.weights(*row) for row in rows]
        return np.array(
            [np.mean(_populations.predict(w, data.x_test) == data.y_test) for w in weights]
        )


@dataclass(frozen=True, eq=False)
class Regret:
    """What it costs to carry the best settings of one data set over to another.

    own, carried: test accuracy there with the settings found there, and with those found on the
    other, by pair of data sets: (searches,) each.
    """

    own: dict[str, Floats]
    carried: dict[str, Floats]
    trainings: int


@cache
def retest(seed: int = 0, size: int = 40, trials: int = 25) -> Regret:
    """Search `size` times on the digits and on two other data sets, with the same `trials`.

    The others: the digits with every other label wrong, as after a bad change in how data is
    collected; and three spirals in the plane.
    """
    sets = {"digits": _populations.digits(), "mislabelled": mislabelled(), "spirals": spirals()}
    searches = {
        name: [
            search.random(SPACE, trials, np.random.default_rng([seed, number]))
            for number in range(size)
        ]
        for name in sets
    }
    best = {
        name: [one.best for one in play(searches[name], WITH_MOMENTUM, seed, data)]
        for name, data in sets.items()
    }
    own, carried, trainings = {}, {}, 3 * size * trials
    for source, target in (("digits", "mislabelled"), ("digits", "spirals"), ("spirals", "digits")):
        pair = f"{source} to {target}"
        test = again(best[target] + best[source], WITH_MOMENTUM, seed + 1000, sets[target])
        own[pair], carried[pair] = test[:size], test[size:]
        trainings += 8 * size
    return Regret(own, carried, trainings)


@cache
def mislabelled() -> Dataset:
    """The digits, every other training and validation label drawn anew."""
    data, rng = _populations.digits(), np.random.default_rng(0)

    def spoilt(y: NDArray[np.int64]) -> NDArray[np.int64]:
        wrong = rng.random(len(y)) < 0.5
        return np.where(wrong, rng.integers(data.classes, size=len(y)), y)

    return replace(
        data,
        name="mislabelled",
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


@dataclass(frozen=True, eq=False)
class Diary:
    """One model, babysat: by day, what was changed, whether that was kept, and the curve.

    loss: validation loss after each epoch of the day.
    """

    changes: tuple[dict[str, Any], ...]
    kept: tuple[bool, ...]
    loss: tuple[Floats, ...]


PLAN: tuple[dict[str, Any], ...] = (
    {"optimizer": "momentum", "learning_rate": 1e-3, "epochs": 4},
    {"learning_rate": 3e-3},
    {"momentum": 0.95},
    {"learning_rate": 2.0},
    {"batch_size": 32},
    {"learning_rate": 1e-2},
    {"momentum": 0.8},
)


@cache
def diary(seed: int = 0, size: int = 7) -> Diary:
    """Babysit one model for `size` days of the `PLAN`, with `tfcourse.tuning.panda`.

    A day after which the validation loss is not lower than the evening before is gone back from.
    """
    kept: list[bool] = []
    loss: list[Floats] = []
    evening = np.inf
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, changes in enumerate(PLAN[:size]):
            day = panda.day(folder, changes, seed=None if number else seed)
            loss.append(np.array(day.history["validation_loss"]))
            kept.append(not day.diverged and bool(loss[-1][-1] < evening))
            if kept[-1]:
                evening = loss[-1][-1]
            else:
                panda.revert(folder)
    return Diary(PLAN[:size], tuple(kept), tuple(loss))
