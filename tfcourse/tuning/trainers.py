"""What a search needs of whoever trains its models, and nothing more.

A trainer is told which trials to train and hands back plain results, so that one can be exchanged
for another, a compiled one for Keras or a cluster for one machine, without the study noticing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tfcourse.tuning.space import Hyperparameters
from tfcourse.tuning.study import Trial

Epochs = Callable[[int], None]  # told how many epochs of a chunk are done, over all its jobs


@dataclass(frozen=True)
class Job:
    """A trial to train: from seed and hyperparameters alone, for so many epochs."""

    number: int
    hyperparameters: Hyperparameters
    seed: int
    epochs: int


@dataclass(frozen=True)
class Result:
    """What training a job came to.

    history: loss, accuracy, validation_loss and validation_accuracy by epoch. error: why there is
    no more of it. model: makes the trained model, with the weights of the best epoch.
    """

    job: Job
    history: dict[str, list[float]]
    seconds: float
    error: str | None = None
    model: Callable[[], Any] | None = None

    def trial(self, *, last: bool) -> Trial:
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
        return Trial(
            **vars(self.job), state=state, history=history, error=self.error, seconds=self.seconds
        )


class Trainer(Protocol):
    """Trains jobs chunk by chunk."""

    def chunks(self, jobs: Sequence[Job]) -> Iterable[Sequence[Job]]:
        """Cut jobs into those that are trained together; the same jobs give the same chunks."""

    def train(self, chunk: Sequence[Job], on_epochs: Epochs) -> Iterator[Sequence[Result]]:
        """Train a chunk and hand over results as they come, one for every job."""

    def save(self, result: Result, path: Path) -> None:
        """Write the result's model to a file, wholly or not at all."""

    def test(self, trial: Trial, path: Path) -> float:
        """Test accuracy of a trial's saved model."""
