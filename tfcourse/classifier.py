"""The lecture's classifier: a plain Keras model with batch norm and softmax.

Hidden layers are Dense → BatchNormalization → activation (a = g(γ z_norm + β); Dense needs no bias,
β takes its place), then Dense → softmax, trained on cross-entropy. (Lecture parts 2 and 3.)
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse import _checks
from tfcourse._tensorflow import keras
from tfcourse.batch_norm import PopulationStatistics
from tfcourse.datasets import Dataset, standardization
from tfcourse.hyperparameters import Hyperparameters
from tfcourse.training.batches import epoch_batches
from tfcourse.training.initialization import initial_weights

__all__ = [
    "Epoch",
    "Evaluation",
    "Hyperparameters",
    "Training",
    "build",
    "evaluate",
    "predict",
    "recalibrate",
    "train",
]


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


@dataclass(frozen=True)
class Training:
    """A trained classifier and how it got there.

    model: takes inputs as the data set holds them, and gives class probabilities; its weights are
    those of the best epoch.
    history: one `Epoch` per epoch.
    best: the epoch with the highest validation accuracy, at a tie the lowest validation loss.
    """

    model: Any
    history: tuple[Epoch, ...]
    best: Epoch
    seconds: float


@dataclass(frozen=True)
class Evaluation:
    """How a model does on m labelled examples of C classes.

    loss: mean cross-entropy. accuracy: share of examples whose most probable class is theirs.
    confusion: (C, C), entry [i, j] counts examples of class i that were taken for class j.
    """

    loss: float
    accuracy: float
    confusion: NDArray[np.int64]


def build(
    input_shape: tuple[int, ...],
    classes: int,
    hyperparameters: Hyperparameters | None = None,
    *,
    standardize: tuple[Any, Any] | None = None,
) -> Any:
    """Return the untrained classifier as a Keras Sequential model.

    It takes standardized inputs of shape (m, *input_shape) and gives probabilities (m, classes).
    standardize: mean and variance (see `datasets.standardization`) that a first layer applies, so
    that the model takes inputs as the data set holds them.
    """
    chosen = hyperparameters or Hyperparameters()
    layers = [keras.layers.Flatten(name="flatten")] if len(input_shape) > 1 else []
    if standardize:
        mean, variance = standardize
        axis = -1 if np.ndim(mean) else None
        layers.insert(0, keras.layers.Normalization(axis, mean, variance, name="standardize"))
    for number, units in enumerate(chosen.units_per_layer, start=1):
        dense = keras.layers.Dense(units, use_bias=not chosen.batch_norm, name=f"dense_{number}")
        block = [dense, keras.layers.Activation(chosen.activation, name=f"activation_{number}")]
        if chosen.batch_norm:
            normalize = keras.layers.BatchNormalization(
                momentum=chosen.batch_norm_momentum, name=f"batch_norm_{number}"
            )
            block.insert(1 if chosen.batch_norm_position == "before" else 2, normalize)
        if chosen.dropout:
            block.append(keras.layers.Dropout(chosen.dropout, name=f"dropout_{number}"))
        layers += block
    layers += [keras.layers.Dense(classes, name="logits"), keras.layers.Softmax(name="softmax")]
    return keras.Sequential([keras.Input(input_shape), *layers], name="classifier")


def _optimizer(chosen: Hyperparameters) -> Any:
    make, momentum = keras.optimizers, chosen.momentum
    if chosen.optimizer == "gradient_descent":
        return make.SGD(chosen.learning_rate)
    if chosen.optimizer == "momentum":
        return make.SGD(chosen.learning_rate, momentum=momentum)
    if chosen.optimizer == "rmsprop":
        return make.RMSprop(chosen.learning_rate, rho=momentum, epsilon=chosen.epsilon)
    return make.Adam(chosen.learning_rate, chosen.beta_1, chosen.beta_2, chosen.epsilon)


class _MiniBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """The mini-batches of `epoch_batches`, one epoch after the other."""

    def __init__(self, x: NDArray[Any], y: NDArray[Any], seed: int, batch_size: int) -> None:
        super().__init__()
        self.x, self.y, self.batch_size, self.seed = x, y, batch_size, seed
        self.epochs = itertools.count()
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, step: int) -> tuple[NDArray[Any], NDArray[Any]]:
        rows = self.batches[step]
        return self.x[rows], self.y[rows]

    def on_epoch_end(self) -> None:
        epoch = next(self.epochs)
        self.batches = epoch_batches(self.seed, epoch, len(self.x), self.batch_size)


class _KeepBest(keras.callbacks.Callback):  # type: ignore[misc]
    """Records every epoch, and the weights of the best."""

    def __init__(self, on_epoch: Callable[[Epoch], None] | None) -> None:
        super().__init__()
        self.on_epoch = on_epoch
        self.history: list[Epoch] = []
        self.best: Epoch | None = None
        self.best_weights: list[NDArray[Any]] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        logs = logs or {}
        now = Epoch(epoch, logs["loss"], logs["accuracy"], logs["val_loss"], logs["val_accuracy"])
        self.history.append(now)
        if np.isfinite(now.loss) and (self.best is None or now.rank > self.best.rank):
            self.best, self.best_weights = now, self.model.get_weights()
        if self.on_epoch:
            self.on_epoch(now)


def train(
    dataset: Dataset,
    hyperparameters: Hyperparameters | None = None,
    *,
    seed: int = 0,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Training:
    """Train the classifier with `model.fit` and keep the weights of its best epoch.

    seed: decides first weights, order of mini-batches and dropout; the same seed gives the same
    weights. on_epoch: called after every epoch.

    Raises: ValueError if the loss is not finite after the first epoch, so that there is no model.
    """
    started = time.perf_counter()
    chosen = hyperparameters or Hyperparameters()
    seed = _checks.integer("seed", seed, at_least=0)
    data = dataset.standardized()
    model = build(dataset.input_shape, dataset.classes, chosen)
    model.set_weights(initial_weights(model, seed))
    for index, layer in enumerate(model.layers):
        if isinstance(layer, keras.layers.Dropout):
            layer.seed_generator.state.assign([seed % 2**32, index])
    model.compile(_optimizer(chosen), "sparse_categorical_crossentropy", metrics=["accuracy"])
    keep = _KeepBest(on_epoch)
    schedule = keras.callbacks.LearningRateScheduler(
        lambda epoch: chosen.learning_rate / (1 + chosen.decay * epoch)
    )
    model.fit(
        _MiniBatches(data.x_train, data.y_train, seed, chosen.batch_size),
        validation_data=(data.x_validation, data.y_validation),
        validation_batch_size=1024,
        epochs=chosen.epochs,
        shuffle=False,
        callbacks=[schedule, keras.callbacks.TerminateOnNaN(), keep],
        verbose=0,
    )
    if keep.best is None:
        raise ValueError(
            f"training diverged in the first epoch: loss {keep.history[0].loss}; "
            f"learning_rate must be smaller than {chosen.learning_rate:g}"
        )
    model.set_weights(keep.best_weights)
    full = build(
        dataset.input_shape, dataset.classes, chosen, standardize=standardization(dataset.x_train)
    )
    for layer in model.layers:
        full.get_layer(layer.name).set_weights(layer.get_weights())
    return Training(full, tuple(keep.history), keep.best, time.perf_counter() - started)


def _require_fitting(model: Any, x: NDArray[Any]) -> None:
    expected = tuple(model.input_shape[1:])
    if x.shape[1:] != expected:
        raise ValueError(f"the model expects inputs of shape {expected}, got {x.shape[1:]}")


def predict(model: Any, x: NDArray[Any]) -> NDArray[np.float32]:
    """Return class probabilities, shape (m, C), of inputs x, shape (m, *input_shape).

    Raises: ValueError if the model expects another shape.
    """
    _require_fitting(model, x)
    return np.concatenate(
        [np.asarray(model(x[i : i + 1024], training=False)) for i in range(0, len(x), 1024)]
    )


def evaluate(model: Any, x: NDArray[Any], y: NDArray[np.int64]) -> Evaluation:
    """Return loss, accuracy and confusion matrix of `model` on inputs x with labels y, shape (m,).

    The loss is the sum over all examples divided by m, whatever pieces they are computed in.

    Raises: ValueError if the model expects another shape or has too few classes for the labels.
    """
    probabilities = predict(model, x).astype(np.float64)
    classes = probabilities.shape[1]
    if y.max() >= classes:
        raise ValueError(f"the model knows {classes} classes, got label {y.max()}")
    of_truth = probabilities[np.arange(len(y)), y]
    guesses = probabilities.argmax(axis=1)
    confusion = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(confusion, (y, guesses), 1)
    # A probability that underflowed to 0 in float32 counts as the smallest one above it.
    loss = -np.log(np.maximum(of_truth, np.finfo(np.float32).smallest_subnormal)).mean()
    return Evaluation(float(loss), float((guesses == y).mean()), confusion)


def recalibrate(model: Any, x: NDArray[Any]) -> Any:
    """Set batch norm's moving statistics to those of all inputs x, and return the model.

    Layer by layer, first to last: the mean and variance (with 1/m) of what reaches the layer, with
    the layers before it already set. (Lecture part 2: "the statistics of the whole training set
    serve as well".)

    Raises: ValueError if the model expects another shape.
    """
    _require_fitting(model, x)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            before = keras.Model(model.inputs[0], layer.input)
            statistics = PopulationStatistics()
            for start in range(0, len(x), 1024):
                z = np.asarray(before(x[start : start + 1024], training=False))
                statistics = statistics.update(z)
            layer.moving_mean.assign(statistics.mean)
            layer.moving_variance.assign(statistics.variance())
    return model
