"""Experiments of part 1, tuning, that train: which hyperparameters matter, and which search finds.

All train the lecture's classifier on the packaged digits, for a few epochs: what is compared is
settings, a thousand times over, not how far one model can be brought.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from tfcourse._arrays import Floats
from tfcourse.datasets import Dataset
from tfcourse.experiments import _populations, _sensitivity
from tfcourse.experiments._sensitivity import Indices
from tfcourse.tuning.scales import Choice, Integer, Linear, Log, OneMinusLog
from tfcourse.tuning.search import Search
from tfcourse.tuning.space import Chosen, Space

LEARNING_RATE, MOMENTUM, EPSILON = Log(1e-4, 1), OneMinusLog(0.9, 0.999), Log(1e-10, 1e-4)
UNITS, LAYERS = Integer(50, 100), Choice(2, 3, 4)
BETA_2 = OneMinusLog(0.9, 0.9999)
SHARED: dict[str, Any] = {
    "learning_rate": LEARNING_RATE,
    "units": UNITS,
    "batch_size": Choice(32, 256),
    "layers": LAYERS,
    "decay": Linear(0, 1),
}
SPACES = {
    "momentum": Space(**SHARED, momentum=MOMENTUM),
    "adam": Space(**SHARED, beta_1=MOMENTUM, beta_2=BETA_2, epsilon=EPSILON),
}
"""By optimizer: all its hyperparameters that the lecture names, on the lecture's scales."""

RANKS = (
    ("learning_rate",),
    ("momentum", "units", "batch_size"),
    ("layers", "decay"),
    ("beta_1", "beta_2", "epsilon"),
)
"""The lecture's order of importance; of one rank are those of one colour."""

SMALL = {"units": 32, "layers": 2, "batch_size": 64}
EPOCHS = 4


@dataclass(frozen=True, eq=False)
class Importance:
    """Random trials with one optimizer, and how much of the spread each hyperparameter explains.

    accuracy: of each trial in validation, (n,). alpha: its learning rate, (n,). everywhere: indices
    over all trials. near_best: over those in the best decade of α, which is `decade` (low, high).
    """

    optimizer: str
    accuracy: Floats
    alpha: Floats
    everywhere: Indices
    near_best: Indices
    decade: tuple[float, float]


@cache
def importance(seed: int = 0, size: int = 2048) -> dict[str, Importance]:
    """Train `size` random trials of Adam's eight hyperparameters, and half of momentum's six."""
    return {
        "momentum": _importance("momentum", seed, size // 2),
        "adam": _importance("adam", seed, size),
    }


def _importance(optimizer: str, seed: int, size: int) -> Importance:
    space = SPACES[optimizer]
    u = np.random.default_rng([seed, len(space)]).random((size, len(space)))
    trials = [space.from_unit(point) | {"optimizer": optimizer} for point in u]
    accuracy = _populations.train(trials, epochs=EPOCHS, seed=seed).validation
    r = np.log10([trial["learning_rate"] for trial in trials])
    starts = np.linspace(-4, -1, 31)
    best = max(starts, key=lambda start: accuracy[(r >= start) & (r < start + 1)].mean())
    near = (r >= best) & (r < best + 1)
    names = tuple(space)
    return Importance(
        optimizer,
        accuracy,
        10**r,
        _sensitivity.indices(names, u, accuracy),
        _sensitivity.indices(names, u[near], accuracy[near]),
        (float(10**best), float(10 ** (best + 1))),
    )


@dataclass(frozen=True, eq=False)
class Duel:
    """Two ways to search with the same budget, many times over.

    test: accuracy of what each search found, trained again from other first weights, on examples
    that nothing was chosen by: (searches, 2). trainings: all of them.
    """

    test: Floats
    trainings: int

    @property
    def gain(self) -> Floats:
        """What the second way finds better than the first, by search: (searches,)."""
        difference: Floats = self.test[:, 1] - self.test[:, 0]
        return difference


AGAIN = 3  # trainings of what was found


@dataclass(frozen=True, eq=False)
class Played:
    """A search played to its end: what it tried, and the outcome of each trial."""

    trials: Sequence[Chosen]
    validation: Floats

    @property
    def best(self) -> Chosen:
        """What did best in validation."""
        return self.trials[int(self.validation.argmax())]


@dataclass(frozen=True)
class _Tried:
    hyperparameters: Chosen


def play(
    searches: Sequence[Search], fixed: Chosen, seed: int, dataset: Dataset | None = None
) -> list[Played]:
    """Play many searches, all of a round's trials in one population."""
    tried: list[list[Chosen]] = [[] for _ in searches]
    scores: list[list[float]] = [[] for _ in searches]
    answers: list[list[_Tried] | None] = [None] * len(searches)
    for round_ in range(100):
        proposed = [_proposals(s, answer) for s, answer in zip(searches, answers, strict=True)]
        trials = [{**trial, **fixed} for one in proposed for trial in one]
        if not trials:
            break
        outcomes = _populations.train(
            trials, epochs=EPOCHS, seed=seed + round_, dataset=dataset
        ).validation.tolist()
        for i, one in enumerate(proposed):
            tried[i] += one
            scores[i] += [outcomes.pop(0) for _ in one]
            order = np.argsort(-np.array(scores[i]), kind="stable")
            answers[i] = [_Tried(tried[i][k]) for k in order]
    return [Played(t, np.array(s)) for t, s in zip(tried, scores, strict=True)]


def _proposals(one: Search, answer: list[_Tried] | None) -> list[Chosen]:
    """What a search proposes until it asks how that went, or ends."""
    found = []
    try:
        proposal = one.send(answer)
        while proposal is not None:
            found.append(proposal)
            proposal = next(one)
    except StopIteration:
        pass
    return found


def again(
    winners: Sequence[Chosen], fixed: Chosen, seed: int, dataset: Dataset | None = None
) -> Floats:
    """Test accuracy of settings, a mean over `AGAIN` trainings from other first weights, (n,)."""
    trials = [{**winner, **fixed} for winner in winners for _ in range(AGAIN)]
    test = _populations.test_accuracy(trials, epochs=EPOCHS, seed=seed, dataset=dataset)
    means: Floats = test.reshape(-1, AGAIN).mean(axis=1)
    return means


WITH_MOMENTUM = SMALL | {"optimizer": "momentum"}
