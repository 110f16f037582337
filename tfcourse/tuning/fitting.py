"""What trainers of Keras models share, and the one that trains with `model.fit`."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tfcourse import saving
from tfcourse.classifier import evaluate
from tfcourse.datasets import Dataset
from tfcourse.training.fitting import Epoch, fit, prepare
from tfcourse.tuning.models import Model, Packaged
from tfcourse.tuning.trainers import Epochs, Job, Result, describe
from tfcourse.tuning.trial import Trial

FIGURES = ("loss", "accuracy", "validation_loss", "validation_accuracy")


class ModelTrainer:
    """What trainers of Keras models share: the model, the data, and how a model is kept."""

    def __init__(self, model: Model, dataset: Dataset, data: str) -> None:
        """Train what `model` describes on `dataset`; `data` is the name it was loaded by."""
        self.model, self.dataset, self.data = model, dataset, data
        self.standardized = dataset.standardized()

    @cached_property
    def merged(self) -> Dataset:
        """The standardized data with the validation examples among the training examples.

        Standardized by the training set alone, as before, so that hyperparameters mean the same.
        """
        data = self.standardized
        return dataclasses.replace(
            data,
            x_train=np.concatenate([data.x_train, data.x_validation]),
            y_train=np.concatenate([data.y_train, data.y_validation]),
        )

    def save(self, result: Result, path: Path) -> None:
        """Write the model, wholly or not at all, so that it takes inputs as the data set has them.

        Raises: OSError if it cannot be written.
        """
        assert result.model is not None
        job = result.job
        settings = self.model.settings({**job.hyperparameters, "epochs": job.epochs})
        card = saving.Card.of(self.dataset, self.data, settings, job.seed)
        if not isinstance(self.model, Packaged):
            card = dataclasses.replace(card, hyperparameters=job.hyperparameters)
        whole = self.model.with_standardization(result.model(), job.hyperparameters)
        saving.save(whole, path, card)

    def test(self, trial: Trial, path: Path) -> dict[str, float]:
        """Loss and accuracy of the saved model of `trial` on the test set."""
        bare = self.model.build(trial.hyperparameters)
        model = self.model.with_standardization(bare, trial.hyperparameters)
        model.load_weights(path)  # weights alone: nothing else that the file may hold is loaded
        found = evaluate(model, self.dataset.x_test, self.dataset.y_test)
        return {"loss": found.loss, "accuracy": found.accuracy}


class KerasTrainer(ModelTrainer):
    """Trains trials with `model.fit`, one after the other."""

    def train(
        self, jobs: Sequence[Job], wanted: Collection[int], on_epochs: Epochs
    ) -> Iterator[Sequence[Result]]:
        """Train each alone; what one raises is its result."""
        before = 0
        for job in [job for job in jobs if job.number in wanted]:
            history: list[Epoch] = []
            started, error, best = time.perf_counter(), None, None
            try:
                for epoch, model in self._epochs(job):
                    history, best = [*history, epoch], model
                    on_epochs(before + len(history))
            except Exception as caught:  # one trial's trouble is not the study's
                error = describe(caught)
            seconds = time.perf_counter() - started
            before += job.epochs
            yield [Result(job, named(columns(history)), seconds, error, best)]

    def refit(self, job: Job) -> Result:
        """Train on training and validation examples together, to the last epoch."""
        started = time.perf_counter()
        settings = self.model.settings({**job.hyperparameters, "epochs": job.epochs})
        model = self.model.build(job.hyperparameters)
        prepare(model, settings, job.seed)
        epochs = fit(model, self.merged, settings, seed=job.seed, epochs=range(job.epochs))
        history = named(columns(list(epochs)))
        return Result(job, history, time.perf_counter() - started, model=lambda: model)

    def _epochs(self, job: Job) -> Iterator[tuple[Epoch, Callable[[], Any]]]:
        """Each epoch of a job, and what makes the model of the best one so far."""
        settings = self.model.settings({**job.hyperparameters, "epochs": job.epochs})
        model = self.model.build(job.hyperparameters)
        prepare(model, settings, job.seed)
        best, weights = (-math.inf, -math.inf), model.get_weights()

        def best_model() -> Any:
            model.set_weights(weights)
            return model

        epochs = range(job.epochs)
        for epoch in fit(model, self.standardized, settings, seed=job.seed, epochs=epochs):
            if epoch.rank > best:
                best, weights = epoch.rank, model.get_weights()
            yield epoch, best_model
            if not math.isfinite(epoch.loss + epoch.validation_loss):
                return


def columns(history: Sequence[Epoch]) -> dict[str, list[float]]:
    """The epochs as a trial keeps them: a list for each figure."""
    return {name: [getattr(epoch, name) for epoch in history] for name in FIGURES}


def named(figures: Mapping[str, list[float]]) -> dict[str, list[float]]:
    """The figures under Keras's names."""
    return {name.replace("validation_", "val_"): values for name, values in figures.items()}
