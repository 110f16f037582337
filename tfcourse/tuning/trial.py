"""A trial, and what is asked of a study of trials by whoever shows or judges them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import stdev
from typing import Any, Protocol

from tfcourse.training.objective import Objective
from tfcourse.tuning.space import Chosen, Space

STATES = ("complete", "pruned", "diverged", "failed")  # in the order they rank


@dataclass(frozen=True)
class Trial:
    """One choice of hyperparameters and what training with it came to.

    number: from 0. seed: decides its first weights, mini-batches and dropout.
    epochs: how many it was to train. state: "complete"; "pruned" if it was stopped after these
    epochs because others did better; "diverged" if a loss was NaN or infinite; "failed".
    history: what was measured after each epoch, by Keras's names (loss, val_loss, val_accuracy, …),
    as long as it is finite, under the first seed. best_epoch: from 0, of the best score there; none
    if no epoch was finished. scores: the objective at the best epoch, under each seed. again: the
    same under further seeds, if it was a finalist. error: why it failed. test: what its model came
    to on the test set, by name. seconds, finished: how long it took, when it ended.
    """

    number: int
    hyperparameters: Chosen
    seed: int
    epochs: int
    state: str
    history: dict[str, list[float]]
    best_epoch: int | None = None
    scores: tuple[float, ...] = ()
    again: tuple[float, ...] = ()
    error: str | None = None
    test: dict[str, float] = field(default_factory=dict)
    seconds: float = field(default=0.0, compare=False)
    finished: str = field(default="", compare=False)

    @property
    def score(self) -> float | None:
        """The objective at the best epoch, the mean over seeds; none if no epoch was finished."""
        scores = (*self.scores, *self.again)
        return sum(scores) / len(scores) if scores else None

    @property
    def spread(self) -> float | None:
        """Standard deviation of the objective over seeds; none with fewer than two."""
        scores = (*self.scores, *self.again)
        return stdev(scores) if len(scores) > 1 else None

    @property
    def metrics(self) -> dict[str, float]:
        """What was measured after the best epoch, by name."""
        if self.best_epoch is None:
            return {}
        return {name: values[self.best_epoch] for name, values in self.history.items()}

    @property
    def validation_accuracy(self) -> float | None:
        """Validation accuracy at the best epoch, where it was measured."""
        return self.metrics.get("val_accuracy")

    @property
    def test_accuracy(self) -> float | None:
        """Accuracy on the test set, where it was measured."""
        return self.test.get("accuracy")


class Trials(Protocol):
    """What a `Study` tells of itself."""

    space: Space
    objective: Objective
    about: dict[str, Any]
    folder: Path

    @property
    def trials(self) -> Sequence[Trial]:
        """Every trial by number."""

    @property
    def ranking(self) -> Sequence[Trial]:
        """Every trial, the best first."""

    @property
    def best(self) -> Trial | None:
        """The complete trial that did best."""

    @property
    def metric_names(self) -> list[str]:
        """What was measured, by Keras's names, the objective first."""

    def advice(self) -> list[str]:
        """What to do next, a sentence each."""

    def rank(self, trial: Trial) -> tuple[int, int, float, float, int]:
        """Sorts trials, the best first."""
