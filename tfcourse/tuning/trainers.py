"""Training what a search proposes, with the engine of `training`.

A trainer is told which trials to train and hands back plain results, so that one machine can be
exchanged for a cluster without the study noticing.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from tfcourse import training
from tfcourse.datasets import Dataset
from tfcourse.tuning.models import Model
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


class Trainer:
    """Trains jobs with the engine, saves and tests their models."""

    def __init__(self, model: Model, dataset: Dataset, data: str, engine: str) -> None:
        """Train what `model` describes on `dataset`; `data` is the name it was loaded by."""
        self.model, self.dataset, self.data, self.engine = model, dataset, data, engine
        self.standardized = dataset.standardized()

    @cached_property
    def _arrays(self) -> training.Data:
        return arrays(self.standardized)

    @cached_property
    def _build(self) -> Callable[[dict[str, Any]], Any]:
        return self.model.build  # one object: what is compiled for it is kept

    def train(
        self, jobs: Sequence[Job], wanted: Collection[int], on_epochs: Epochs
    ) -> Iterator[Sequence[Result]]:
        """Train the jobs of these numbers, and yield results as they come.

        Where jobs are trained together, all of them decide which, whatever is wanted: so a job
        comes out the same, to the last bit, whether or not others are finished already. Results
        that are not wanted may come along.
        """
        told = 0

        def on_epoch(epoch: training.Epoch) -> None:
            nonlocal told
            told += len(epoch.trials)
            on_epochs(told)

        indices = [index for index, job in enumerate(jobs) if job.number in wanted]
        for finished in self._train(jobs, indices, on_epoch):
            yield [result(jobs[one.trial], one) for one in finished]

    def _train(
        self, jobs: Sequence[Job], wanted: Sequence[int], on_epoch: Callable[[training.Epoch], None]
    ) -> Iterator[Sequence[training.Trained]]:
        return training.train(
            self._build,
            draws(jobs),
            self._arrays,
            seeds=[job.seed for job in jobs],
            engine=self.engine,
            wanted=wanted,
            on_epoch=on_epoch,
        )

    def refit(self, job: Job) -> Result:
        """Train on training and validation examples together, to the last epoch.

        They are standardized by the training set alone, as before, so that hyperparameters mean
        the same.
        """
        data = self.standardized
        merged = dataclasses.replace(
            data,
            x_train=np.concatenate([data.x_train, data.x_validation]),
            y_train=np.concatenate([data.y_train, data.y_validation]),
        )
        ((one,),) = training.train(
            self._build, draws([job]), arrays(merged), seeds=[job.seed], engine=self.engine
        )
        return dataclasses.replace(result(job, one), model=partial(one.model, final=True))

    def save(self, result: Result, path: Path) -> None:
        """Write the model, wholly or not at all, so that it takes inputs as the data set has them.

        Raises: OSError if it cannot be written.
        """
        from tfcourse import saving

        assert result.model is not None
        job = result.job
        settings = self.model.settings({**job.hyperparameters, "epochs": job.epochs})
        card = saving.Card.of(self.dataset, self.data, settings, job.seed)
        if self.model.name != "classifier":
            card = dataclasses.replace(card, hyperparameters=job.hyperparameters)
        whole = self.model.with_standardization(result.model(), job.hyperparameters)
        saving.save(whole, path, card)

    def test(self, trial: Trial, path: Path) -> dict[str, float]:
        """Loss and accuracy of the saved model of `trial` on the test set."""
        from tfcourse.classifier import evaluate

        bare = self.model.build(trial.hyperparameters)
        model = self.model.with_standardization(bare, trial.hyperparameters)
        model.load_weights(path)  # weights alone: nothing else that the file may hold is loaded
        found = evaluate(model, self.dataset.x_test, self.dataset.y_test)
        return {"loss": found.loss, "accuracy": found.accuracy}


def arrays(data: Dataset) -> training.Data:
    """Return a data set as the engine takes it."""
    return training.Data(data.x_train, data.y_train, data.x_validation, data.y_validation)


def draws(jobs: Sequence[Job]) -> list[dict[str, object]]:
    """Return the jobs as the engine takes them."""
    return [{**job.hyperparameters, "epochs": job.epochs} for job in jobs]


def result(job: Job, one: training.Trained) -> Result:
    """Return what a job came to."""
    if one.error:
        return Result(job, {}, one.seconds, " ".join(one.error.split()))
    history = {name: list(map(float, values)) for name, values in one.history.items()}
    return Result(job, history, one.seconds, model=one.model)


def describe(error: Exception) -> str:
    """Return an exception in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
