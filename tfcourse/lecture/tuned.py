"""Ways to train, each at the settings that suit it best: what topics of normalization share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from tfcourse._arrays import Floats
from tfcourse.datasets import Dataset
from tfcourse.lecture import population
from tfcourse.lecture.population import Build, Trial

Way = TypeVar("Way")


@dataclass(frozen=True, eq=False)
class Tuned:
    """New trainings of one way to train, at the option that suits it best.

    option: the best. loss, unseen: in training and on validation examples after each epoch, (runs,
    epochs); infinite where a training diverged. test_accuracy: (runs,), NaN unless asked for.
    trainings: how many there were, those that chose the option among them.
    """

    option: Trial
    loss: Floats
    unseen: Floats
    test_accuracy: Floats
    trainings: int

    @property
    def lowest(self) -> Floats:
        """The lowest loss on validation examples, (runs,)."""
        return np.asarray(self.unseen.min(axis=1))


def rates(*alphas: float) -> list[dict[str, float]]:
    """Return these learning rates as options."""
    return [{"learning_rate": alpha} for alpha in alphas]


def tune(
    ways: Mapping[Way, Trial],
    options: Callable[[Way], Sequence[Trial]],
    *,
    tries: int,
    runs: int,
    epochs: int,
    seed: int,
    dataset: Dataset,
    build: Build | None = None,
    test: bool = False,
) -> dict[Way, Tuned]:
    """Train `tries` networks of each way with each of its options, then `runs` at the best one.

    The best option has the lowest mean of the lowest validation losses. All trainings of a step are
    one population, whose programs are compiled side by side. First weights and mini-batches of the
    n-th run are those of every way's n-th run, so that they make pairs.
    """
    how: dict[str, Any] = {"epochs": epochs, "dataset": dataset, "build": build}
    trials = [{**w, **o} for name, w in ways.items() for o in options(name) for _ in range(tries)]
    tried = population.train(trials, seed=seed, **how).validation_loss.reshape(-1, tries)
    mean = iter(np.nan_to_num(tried, nan=np.inf).mean(axis=1))
    best = {name: min(options(name), key=lambda _: next(mean)) for name in ways}
    trials = [{**way, **best[name]} for name, way in ways.items() for _ in range(runs)]
    anew = population.train(trials, seed=seed + 1000, test=test, starts=runs, **how)
    loss, unseen = (
        np.nan_to_num(anew.history[name], nan=np.inf) for name in ("loss", "validation_loss")
    )
    found = {}
    for i, name in enumerate(ways):
        own = slice(i * runs, (i + 1) * runs)
        count = len(options(name)) * tries + runs
        found[name] = Tuned(best[name], loss[own], unseen[own], anew.test_accuracy[own], count)
    return found


def tune_on_tasks(
    ways: Mapping[Way, Trial],
    options: Callable[[Way], Sequence[Trial]],
    *,
    tasks: Sequence[int],
    epochs: int,
    build: Build,
    test: bool = False,
) -> dict[Way, Tuned]:
    """Tune each way on each of several random networks' classes, and train it anew there once.

    The tasks (`population.teacher`) are far from their ceiling, but not alike: what suits one need
    not suit the next. So each has one run, in their order, and pairs are those of one task. option:
    the one that was best most often.
    """
    found: dict[Way, list[Tuned]] = {name: [] for name in ways}
    how: dict[str, Any] = {"tries": 1, "runs": 1, "epochs": epochs, "build": build, "test": test}
    for task in tasks:
        each = tune(ways, options, seed=task, dataset=population.teacher(task).data, **how)
        for name, one in each.items():
            found[name].append(one)
    return {
        name: Tuned(
            max(options(name), key=[one.option for one in several].count),
            np.concatenate([one.loss for one in several]),
            np.concatenate([one.unseen for one in several]),
            np.concatenate([one.test_accuracy for one in several]),
            sum(one.trainings for one in several),
        )
        for name, several in found.items()
    }
