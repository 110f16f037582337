"""What a search needs of whoever trains its models, and nothing more.

A trainer is told which trials to train and hands back plain results, so that one can be exchanged
for another, a compiled one for Keras or a cluster for one machine, without the study noticing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tfcourse.tuning.objective import Objective
from tfcourse.tuning.space import Chosen
from tfcourse.tuning.trial import Trial

Epochs = Callable[[int], None]  # told how many epochs have been trained, over all jobs


@dataclass(frozen=True)
class Job:
    """A trial to train: from seed and hyperparameters alone, for so many epochs."""

    number: int
    hyperparameters: Chosen
    seed: int
    epochs: int


@dataclass(frozen=True)
class Result:
    """What training a job came to.

    history: figures by epoch, under Keras's names. error: what ended
    it early. model: makes the trained model, with the weights of the best epoch; those of the
    last one where there was no validation.
    """

    job: Job
    history: dict[str, list[float]]
    seconds: float
    error: str | None = None
    model: Callable[[], Any] | None = None

    def trial(self, objective: Objective, *, last: bool) -> Trial:
        """The trial for a study; `last` tells whether it was to be trained to its end."""
        finite = [all(map(math.isfinite, row)) for row in zip(*self.history.values(), strict=True)]
        epochs = [*finite, False].index(False)
        if self.error:
            state = "failed"
        elif epochs < self.job.epochs:
            state = "diverged"
        else:
            state = "complete" if last else "pruned"
        history = {key: list(map(float, values[:epochs])) for key, values in self.history.items()}
        best = objective.best_epoch(history)
        return Trial(
            **vars(self.job),
            state=state,
            history=history,
            best_epoch=best,
            scores=() if best is None else (history[objective.name][best],),
            error=self.error,
            seconds=self.seconds,
        )


class Trainer(Protocol):
    """Trains jobs, saves and tests their models."""

    def train(
        self, jobs: Sequence[Job], wanted: Collection[int], on_epochs: Epochs
    ) -> Iterator[Sequence[Result]]:
        """Train the jobs of these numbers, and yield results as they come.

        Where jobs are trained together, all of them decide which, whatever is wanted: so a job
        comes out the same, to the last bit, whether or not others are finished already. Results
        that are not wanted may come along.
        """

    def refit(self, job: Job) -> Result:
        """Train a job on training and validation examples together, to its last epoch."""

    def save(self, result: Result, path: Path) -> None:
        """Write the result's model to a file, wholly or not at all."""

    def test(self, trial: Trial, path: Path) -> dict[str, float]:
        """What a trial's saved model comes to on the test set, by name; empty if there is none."""


def describe(error: Exception) -> str:
    """Return an exception in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
