"""Experiments of part 1, tuning, on the panda: one model, watched day by day."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tfcourse._arrays import Floats
from tfcourse.experiments import _populations
from tfcourse.experiments._inference import accuracy, logits
from tfcourse.experiments.practice import SPACE
from tfcourse.experiments.searches import WITH_MOMENTUM
from tfcourse.tuning import panda, search

if TYPE_CHECKING:
    from tfcourse.training import Trained


@dataclass(frozen=True, eq=False)
class Days:
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
def diary(seed: int = 0, size: int = 7) -> Days:
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
    return Days(PLAN[:size], tuple(kept), tuple(loss))


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


@cache
def babies(seed: int = 0, size: int = 1024, days: int = 8) -> Babies:
    """Babysit `size` models for `days` of two epochs, and leave the same models alone.

    Every model begins with random hyperparameters. Every day but the first its α is changed
    threefold, in the same direction as the day before if that helped, else in the other. If the
    validation loss is not lower in the evening, model and settings go back to yesterday's.
    """
    rng = np.random.default_rng(seed)
    nursery = _Nursery(list(search.random(SPACE, size, rng)), rng.integers(2**31, size=size))
    alone = [nursery.day(nursery.settings) for _ in range(days)]
    test_alone = nursery.test()
    nursery.begin()
    evenings, kept, restored = [nursery.day(nursery.settings)], [], 0.0
    direction = rng.choice([-1.0, 1.0], size=size)
    for _ in range(1, days):
        changed = [
            {**settings, "learning_rate": settings["learning_rate"] * 3**sign}
            for settings, sign in zip(nursery.settings, direction, strict=True)
        ]
        before = nursery.weights()
        loss = nursery.day(changed)
        better = loss < evenings[-1]
        nursery.keep(better, changed)
        restored = max(restored, float(np.abs(nursery.weights() - before)[~better].max(initial=0)))
        evenings.append(np.where(better, loss, evenings[-1]))
        direction = np.where(better, direction, -direction)
        kept.append(better.mean())
    return Babies(
        np.stack(evenings, axis=1),
        np.stack(alone, axis=1),
        nursery.test(),
        test_alone,
        float(np.mean(kept)),
        restored,
    )


class _Nursery:
    """Models in training side by side, each with settings of its own, and their last evening."""

    def __init__(self, settings: Sequence[Any], seeds: NDArray[np.int64]) -> None:
        self._first, self._seeds = [dict(s) | WITH_MOMENTUM for s in settings], [*map(int, seeds)]
        self.begin()

    def begin(self) -> None:
        """Give all models their first weights and settings."""
        self.settings = self._first
        self._today: list[Trained] | None = None
        self._yesterday: list[Trained] | None = None

    def day(self, settings: Sequence[dict[str, Any]]) -> Floats:
        """Train all models for two epochs with these settings; return their validation loss."""
        self._yesterday = self._today
        train = _populations.population(_populations.digits())
        chunks = train(settings, seeds=self._seeds, epochs=2, start=self._yesterday)
        self._today = _populations.in_order(chunks)
        losses = [np.asarray(one.history.get("val_loss", ())) for one in self._today]
        return np.array([loss[1] if len(loss) == 2 else np.inf for loss in losses])

    def keep(self, better: NDArray[np.bool_], settings: Sequence[dict[str, Any]]) -> None:
        """Keep what is better, with its settings; take the others back to yesterday."""
        assert self._today and self._yesterday
        choices = zip(better, self._today, self._yesterday, strict=True)
        self._today = [new if keep else old for keep, new, old in choices]
        self.settings = [
            new if keep else old
            for keep, new, old in zip(better, settings, self.settings, strict=True)
        ]

    def weights(self) -> Floats:
        """All weights, a row per model."""
        assert self._today
        rows = [np.concatenate([w.ravel() for w in one.final_weights]) for one in self._today]
        return np.array(rows)

    def test(self) -> Floats:
        """Test accuracy of the models that stand, (models,)."""
        assert self._today
        data = _populations.digits()
        scores = [logits(one.final_weights, data.x_test) for one in self._today]
        return np.array([accuracy(one, data.y_test) for one in scores])
