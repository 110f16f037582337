"""Training with `model.fit`: one model, epoch by epoch, from wherever it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfcourse._tensorflow import keras
from tfcourse.datasets import Dataset
from tfcourse.hyperparameters import Hyperparameters
from tfcourse.training.batches import epoch_batches
from tfcourse.training.initialization import initial_weights


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training set came to; `number` counts from 0.

    loss and accuracy are means over the epoch's mini-batches, while the weights still moved;
    the validation figures are those of the weights at the epoch's end.
    """

    number: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float

    @property
    def rank(self) -> tuple[float, float]:
        """What makes one epoch better than another: accuracy, and at a tie the lower loss."""
        return self.validation_accuracy, -self.validation_loss


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


def _optimizer(chosen: Hyperparameters) -> Any:
    make, momentum = keras.optimizers, chosen.momentum
    if chosen.optimizer == "gradient_descent":
        return make.SGD(chosen.learning_rate)
    if chosen.optimizer == "momentum":
        return make.SGD(chosen.learning_rate, momentum=momentum)
    if chosen.optimizer == "rmsprop":
        return make.RMSprop(chosen.learning_rate, rho=momentum, epsilon=chosen.epsilon)
    return make.Adam(chosen.learning_rate, chosen.beta_1, chosen.beta_2, chosen.epsilon)
