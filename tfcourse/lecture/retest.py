"""Test again: the best hyperparameters of one data set, tried on another."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from tfcourse._arrays import Floats
from tfcourse.datasets import Dataset
from tfcourse.lecture import ledger, population
from tfcourse.lecture.ledger import HOLDS, REFUTED, Evidence, claim, note, weighed
from tfcourse.lecture.panda_and_caviar import FIXED, SPACE
from tfcourse.lecture.searching import EPOCHS, MATTERS, WHY
from tfcourse.lecture.statistics import holm, mean
from tfcourse.tuning import search

EXAMPLES = 1000  # of a task, to learn from
CHANGES = ("another problem", "a seventh of the examples", "half the labels by chance")
"""What a task becomes; the same trials are made before and after, with as many updates."""


class Carried(NamedTuple):
    """By change, how much more test loss settings from before have than those that do best after,
    as a share of what a middling trial lacks beside these on average, (tasks,).
    """

    cost: Mapping[str, Floats]
    trainings: int


@cache
def carried(seed: int = 0, tasks: int = 24, trials: int = 24) -> Carried:
    """Try random α, β and decay on `tasks` random networks' classes, and on what each becomes."""
    rng = np.random.default_rng(seed)
    data = [population.teacher(1000 * seed + number).data for number in range(tasks)]
    more = np.empty((tasks, len(CHANGES)))
    lack = np.empty_like(more)
    for number, one in enumerate(data):
        some = [{**FIXED, **(trial or {})} for trial in search.random(SPACE, trials, rng)]
        before = int(_losses(some, one, seed)[0].argmin())
        after = (data[(number + 1) % tasks], fewer(one, rng), mislabelled(one, rng))
        for change, changed in enumerate(after):
            validation, test = _losses(some, changed, seed)
            own = test[validation.argmin()]
            more[number, change], lack[number, change] = test[before] - own, np.median(test) - own
    cost = dict(zip(CHANGES, (more / lack.mean(axis=0)).T, strict=True))
    return Carried(cost, 4 * tasks * trials)


def _losses(trials: list[Any], data: Dataset, seed: int) -> tuple[Floats, Floats]:
    """Validation and test loss of each trial, at equal updates; at most a guess's."""
    epochs = EPOCHS * EXAMPLES // len(data.x_train)
    how: dict[str, Any] = {"test": True, "best_by": "validation_loss"}
    found = population.train(trials, epochs=epochs, seed=seed, dataset=data, **how)
    worst = np.log(data.classes)
    both = found.validation_loss, found.test_loss
    validation, test = (np.minimum(np.nan_to_num(one, nan=worst), worst) for one in both)
    return validation, test


def fewer(data: Dataset, rng: np.random.Generator) -> Dataset:
    """Return the data set with a seventh of the examples to learn from."""
    rows = rng.permutation(len(data.x_train))[: len(data.x_train) // 7]
    return replace(data, x_train=data.x_train[rows], y_train=data.y_train[rows])


def mislabelled(data: Dataset, rng: np.random.Generator) -> Dataset:
    """Return the data set with half the labels drawn anew, a share of which comes out right."""
    labels: dict[str, Any] = {}
    for name in ("y_train", "y_validation", "y_test"):
        y = getattr(data, name)
        by_chance = rng.random(len(y)) < 0.5
        labels[name] = np.where(by_chance, rng.integers(data.classes, size=len(y)), y)
    return replace(data, **labels)


@claim(
    "tuning.retest",
    "Intuitions go stale: the best hyperparameters of one data set are not the best of another; "
    "test again every few months.",
    note("001", 138, "重新测试或评估你的超参数", "test or evaluate your hyperparameters again"),
    note("003", 1226, "intuitions get stale, re-evaluate hyperparams every several months"),
    trains=True,
    matters=WHY,
    conditions="Where the data get scarcer, or half the labels become chance. For another problem "
    "of the same kind the loss is near the border of what matters.",
)
def retest(seed: int) -> Evidence:
    """Draws 24 tasks, classes of random networks, and for each 24 settings of α, β and decay, which
    are tried on the task and on what it becomes: another network's classes, a seventh of the
    examples (with as many updates), half the labels drawn by chance. The best before, chosen in
    validation, is set against the best after, both as trained on the data after, by the test loss
    at the epoch with the lowest validation loss: where data are scarce the most accurate one is too
    sure, and loses more than a guess. It holds if carrying over costs what matters for every
    change, under conditions if for some, and is refuted if for certain for none.
    """
    found = carried(seed)
    cost = holm({change: partial(mean, each) for change, each in found.cost.items()})
    seen = {weighed(one, MATTERS) for one in cost.values()}
    some = ledger.CONDITIONS if HOLDS in seen else ledger.NOT_SHOWN
    worst = max(cost, key=lambda change: cost[change].value)
    return Evidence(
        seen.pop() if seen in ({HOLDS}, {REFUTED}) else some,
        "lost by carrying over: "
        + "; ".join(f"{change} {one.show('.0f', '%')}" for change, one in cost.items()),
        f"Carried over to {worst}, the best settings lost {cost[worst].value:.0%} of what a "
        "middling trial lacks there.",
        cost[worst],
        (found,),
    )


ledger.errata(
    __name__,
    ledger.Erratum(
        "tuning.erratum.logistics",
        note("001", 135, "比如说逻辑学", "such as logic"),
        "物流 (logistics)",
        "The lecture's example is logistics, the moving of goods; it became the science of logic.",
        whose="translation",
    ),
)
