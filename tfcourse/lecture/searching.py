"""Searches played to their end and set against each other: what topics of tuning share."""

from collections.abc import Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from tfcourse._arrays import Floats
from tfcourse.datasets import Dataset
from tfcourse.lecture import population
from tfcourse.tuning.search import Search
from tfcourse.tuning.space import Chosen

FIXED = {"optimizer": "adam", "units": 32, "layers": 2, "batch_size": 64}  # what is not searched
EPOCHS, REPEATS = 4, 3
MATTERS = 0.1
WHY = (
    "A tenth of what a middling trial lacks beside the best one: less than that a few trials "
    "more would bring."
)


class Played(NamedTuple):
    """A search played to its end: what it tried, and the validation loss of each trial."""

    trials: Sequence[Chosen]
    loss: Floats

    @property
    def best(self) -> Chosen:
        """What did best."""
        return self.trials[int(self.loss.argmin())]


def play(searches: Sequence[Search], fixed: Chosen, seed: int, data: Dataset) -> list[Played]:
    """Play many searches side by side, all of a round's trials in one population."""
    tried: list[list[Chosen]] = [[] for _ in searches]
    loss = [np.empty(0) for _ in searches]
    answers: list[Any] = [None] * len(searches)
    while any(new := [*map(_round, searches, answers)]):
        trials = [{**fixed, **trial} for one in new for trial in one]
        outcomes = population.train(trials, epochs=EPOCHS, seed=seed, dataset=data)
        found = np.nan_to_num(outcomes.validation_loss, nan=np.inf)
        parts = np.split(found, np.cumsum([len(one) for one in new])[:-1])
        for i, (one, part) in enumerate(zip(new, parts, strict=True)):
            tried[i] += one
            loss[i] = np.append(loss[i], part)
            best = loss[i].argsort(kind="stable")
            answers[i] = [SimpleNamespace(hyperparameters=tried[i][k]) for k in best]
        seed += 1
    return [Played(t, one) for t, one in zip(tried, loss, strict=True)]


def _round(one: Search, answer: Any) -> list[Chosen]:
    """What a search proposes until it asks how that went, or ends."""
    found: list[Chosen] = []
    with suppress(StopIteration):
        proposal = one.send(answer)
        while proposal is not None:
            found.append(proposal)
            proposal = next(one)
    return found


class Duel(NamedTuple):
    """Ways to search with the same budget, many times over."""

    ways: Sequence[str]
    loss: Floats  # on test examples, of what each search found, (searches, ways)
    lack: float  # how much more validation loss the median trial has than the best one
    trainings: int

    def gain(self, way: str, over: str) -> Floats:
        """How much better one way finds, as a share of what a middling trial lacks, (searches,)."""
        a, b = self.loss[:, self.ways.index(way)], self.loss[:, self.ways.index(over)]
        return (b - a) / self.lack


def duel(
    ways: Sequence[str],
    searches: Sequence[Search],
    fixed: Chosen,
    seed: int,
    data: Dataset,
    typical: Sequence[str] = (),
) -> Duel:
    """Play the searches, one way after the other, and train what each found `REPEATS` times again.

    typical: ways whose trials say what is middling and what is best; all, if not said.
    """
    played = play(searches, fixed, seed, data)
    anew = [{**fixed, **one.best} for one in played for _ in range(REPEATS)]
    again = population.train(anew, epochs=EPOCHS, seed=seed + 1000, dataset=data, test=True)
    per_search = again.test_loss.reshape(-1, len(ways), REPEATS).mean(axis=2)
    among = [one.loss for i, one in enumerate(played) if ways[i % len(ways)] in (typical or ways)]
    loss = np.concatenate(among)
    trainings = sum(len(one.trials) for one in played) + again.trainings
    return Duel(ways, per_search, float(np.median(loss) - loss.min()), trainings)
