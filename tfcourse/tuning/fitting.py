"""Training by `model.fit`: one model, epoch by epoch, from wherever it stands."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tfcourse import saving
from tfcourse._tensorflow import keras
from tfcourse.classifier import Epoch, _optimizer, evaluate
from tfcourse.datasets import Dataset
from tfcourse.hyperparameters import Hyperparameters
from tfcourse.training.batches import epoch_batches
from tfcourse.training.initialization import initial_weights
from tfcourse.tuning.models import Model, Packaged
from tfcourse.tuning.study import Trial
from tfcourse.tuning.trainers import Epochs, Job, Result, describe

FIGURES = ("loss", "accuracy", "validation_loss", "validation_accuracy")


def prepare(model: Any, settings: Hyperparameters, seed: int, first_epoch: int = 0) -> None:
    """Give `model` the first weights of `seed`, its optimizer, and the lecture's cost.

    first_epoch: a model that went so far before draws its dropout from there on.
    """
    model.set_weights(initial_weights(model, seed))
    dropouts = [x for x in model._flatten_layers() if isinstance(x, keras.layers.Dropout)]
    for number, layer in enumerate(dropouts):
        own = np.random.SeedSequence([seed, first_epoch, number]).generate_state(2)
        layer.seed_generator.state.assign(own)
    optimizer = _optimizer(settings)
    optimizer.build(model.trainable_variables)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])


def go_on(model: Any, before: Any) -> None:
    """Give `model` what `before` has learnt; an optimizer of the same kind, its memory too."""
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(before.get_layer(layer.name).get_weights())
    if type(model.optimizer) is type(before.optimizer):
        pairs = zip(model.optimizer.variables, before.optimizer.variables, strict=True)
        for variable, old in pairs:
            variable.assign(old)


def fit(
    model: Any, data: Dataset, settings: Hyperparameters, *, seed: int, epochs: range
) -> Iterator[Epoch]:
    """Train `model`, compiled, on standardized `data`; yield what each epoch came to.

    epochs: their numbers decide the order of mini-batches and the learning rate, so that two
    calls with epochs 0…4 and 5…9 train as one call with 0…9 does.
    """
    for epoch in epochs:
        batches = epoch_batches(seed, epoch, len(data.x_train), settings.batch_size)
        order = batches.ravel()
        model.optimizer.learning_rate = settings.learning_rate / (1 + settings.decay * epoch)
        history = model.fit(
            data.x_train[order],
            data.y_train[order],
            batch_size=batches.shape[1],
            shuffle=False,
            validation_data=(data.x_validation, data.y_validation),
            validation_batch_size=1024,
            verbose=0,
        ).history
        names = ("loss", "accuracy", "val_loss", "val_accuracy")
        yield Epoch(epoch, *(float(history[name][0]) for name in names))


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

    def test(self, trial: Trial, path: Path) -> float:
        """Accuracy of the saved model of `trial` on the test set."""
        bare = self.model.build(trial.hyperparameters)
        model = self.model.with_standardization(bare, trial.hyperparameters)
        model.load_weights(path)  # weights alone: nothing else that the file may hold is loaded
        return evaluate(model, self.dataset.x_test, self.dataset.y_test).accuracy


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
            yield [Result(job, columns(history), seconds, error, best)]

    def refit(self, job: Job) -> Result:
        """Train on training and validation examples together, to the last epoch."""
        started = time.perf_counter()
        settings = self.model.settings({**job.hyperparameters, "epochs": job.epochs})
        model = self.model.build(job.hyperparameters)
        prepare(model, settings, job.seed)
        epochs = fit(model, self.merged, settings, seed=job.seed, epochs=range(job.epochs))
        history = columns(list(epochs))
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
