"""Many trainings of the lecture's classifier, and what became of each: curves and accuracies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from tfcourse import datasets
from tfcourse._arrays import Floats
from tfcourse.datasets import Dataset
from tfcourse.experiments._inference import accuracy, logits
from tfcourse.tuning.space import Chosen

if TYPE_CHECKING:
    from tfcourse.training import Trained


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What n trainings came to.

    curves: validation accuracy after each epoch, (n, epochs). validation: at the best epoch, (n,).
    """

    curves: Floats
    validation: Floats


@cache
def digits() -> Dataset:
    """The packaged digits, standardized, in rows of 64."""
    return flat(datasets.load("digits").standardized())


def flat(dataset: Dataset) -> Dataset:
    """Return the data set with each example in a row."""
    rows = {
        name: getattr(dataset, name).reshape(len(getattr(dataset, name)), -1)
        for name in ("x_train", "x_validation", "x_test")
    }
    return replace(dataset, **rows)


def classifier(dataset: Dataset) -> Callable[[Mapping[str, Any]], Any]:
    """Return what builds the classifier for this data set from a trial's hyperparameters."""
    from tfcourse.classifier import build
    from tfcourse.hyperparameters import Hyperparameters

    return lambda trial: build(
        dataset.input_shape, dataset.classes, Hyperparameters.from_mapping(trial)
    )


@cache
def population(dataset: Dataset) -> Callable[..., Iterator[list[Trained]]]:
    """What trains classifiers of a data set, with the programs that earlier ones compiled."""
    return trainer(
        classifier(dataset),
        (dataset.x_train, dataset.y_train),
        (dataset.x_validation, dataset.y_validation),
    )


def trainer(build: Any, training: Any, validation: Any) -> Callable[..., Iterator[list[Trained]]]:
    """Return `training.train` for models of one kind on one data set: trials come first."""
    from tfcourse.training import Data, train

    data = Data(*training, *validation)
    return lambda trials, **how: train(build, trials, data, **how)


def curve(one: Trained, epochs: int) -> Floats:
    """Validation accuracy after each epoch, (epochs,); 0 from where it diverged."""
    reached = one.history.get("val_accuracy", np.zeros(0))
    return np.pad(reached, (0, epochs - len(reached)))


def in_order(chunks: Iterable[list[Trained]]) -> list[Trained]:
    """Return the trained models of all chunks in the order of their trials."""
    return sorted(chain.from_iterable(chunks), key=lambda one: one.trial)


def train(
    trials: Sequence[Chosen], *, epochs: int, seed: int, dataset: Dataset | None = None
) -> Outcomes:
    """Train each trial's classifier, by default on the digits.

    seed: decides first weights and mini-batches, other ones for every trial.
    """
    curves, validation = np.zeros((len(trials), epochs)), np.zeros(len(trials))
    for one in _trained(trials, epochs, seed, dataset or digits()):
        curves[one.trial] = curve(one, epochs)
        best = one.best_epoch
        validation[one.trial] = 0.0 if best is None else curves[one.trial, best]
    return Outcomes(curves, validation)


def test_accuracy(
    trials: Sequence[Chosen], *, epochs: int, seed: int, dataset: Dataset | None = None
) -> Floats:
    """Train as `train` does; return the accuracy on examples that nothing was chosen by, (n,)."""
    data, found = dataset or digits(), np.zeros(len(trials))
    for one in _trained(trials, epochs, seed, data):
        found[one.trial] = accuracy(logits(one.weights, data.x_test), data.y_test)
    return found


def _trained(
    trials: Sequence[Chosen], epochs: int, seed: int, dataset: Dataset
) -> Iterator[Trained]:
    seeds = np.random.SeedSequence([seed, len(trials)]).generate_state(len(trials)) >> 1
    return chain.from_iterable(population(dataset)(trials, seeds=[*map(int, seeds)], epochs=epochs))
