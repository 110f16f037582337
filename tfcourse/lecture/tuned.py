"""Ways to train, each at the settings that suit it best: what topics of normalization share."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from tfcourse._arrays import Floats
from tfcourse.datasets import Dataset
from tfcourse.lecture import population
from tfcourse.lecture.population import Build, Trial

Way = TypeVar("Way")


class Tuned(NamedTuple):
    """New trainings of one way to train, a task each, at the option that suits it best there."""

    option: Trial  # that was best most often
    loss: Floats  # in training after each epoch, (tasks, epochs); infinite where it diverged
    unseen: Floats  # likewise on validation examples
    test_accuracy: Floats  # (tasks,), NaN unless asked for
    trainings: int  # those that chose the options among them

    @property
    def lowest(self) -> Floats:
        """The lowest loss on validation examples, (tasks,)."""
        return np.asarray(self.unseen.min(axis=1))


TASKS = 16


def numbers(seed: int, count: int = TASKS) -> range:
    """Return the numbers of a seed's own tasks."""
    return range(count * seed, count * (seed + 1))


def teachers(seed: int, count: int = TASKS, examples: int = 1000) -> list[Dataset]:
    """Return a seed's own tasks, other random networks' classes each (`population.teacher`)."""
    each = (population.teacher(number, examples=examples) for number in numbers(seed, count))
    return [task.data for task in each]


def rates(*alphas: float) -> list[dict[str, float]]:
    """Return these learning rates as options."""
    return [{"learning_rate": alpha} for alpha in alphas]


def tune(
    ways: Mapping[Way, Trial],
    options: Callable[[Way], Sequence[Trial]],
    *,
    tasks: Sequence[Dataset],
    epochs: int,
    seed: int,
    build: Build | None = None,
    test: bool = False,
) -> dict[Way, Tuned]:
    """Train a network of each way with each of its options on each task, and anew at the best one.

    Tasks are not alike, and what suits one need not suit the next: so each has its own best option,
    by the lowest validation loss, and one run, in the order of `tasks`. First weights and
    mini-batches of a task's run are the same for all ways, so that they make pairs.
    """
    runs: dict[Way, list[tuple[Any, ...]]] = {name: [] for name in ways}
    for number, dataset in enumerate(tasks):
        how: dict[str, Any] = {"epochs": epochs, "dataset": dataset, "build": build}
        start = 1000 * seed + number
        trials = [{**way, **option} for name, way in ways.items() for option in options(name)]
        tried = population.train(trials, seed=start, **how).validation_loss
        losses = iter(np.nan_to_num(tried, nan=np.inf))
        best = {name: min(options(name), key=lambda _: next(losses)) for name in ways}
        trials = [{**way, **best[name]} for name, way in ways.items()]
        anew = population.train(trials, seed=start, test=test, starts=1, **how)
        each = [np.nan_to_num(anew.history[n], nan=np.inf) for n in ("loss", "validation_loss")]
        for name, *one in zip(ways, *each, anew.test_accuracy, strict=True):
            runs[name].append((best[name], *one))
    found = {}
    for name, several in runs.items():
        chosen, *arrays = zip(*several, strict=True)
        often = max(options(name), key=chosen.count)
        count = len(tasks) * (len(options(name)) + 1)
        loss, unseen, accuracy = map(np.array, arrays)
        found[name] = Tuned(often, loss, unseen, accuracy, count)
    return found
