"""The lecture's classifier: a plain Keras model with batch norm and softmax.

Hidden layers are Dense → BatchNormalization → activation (a = g(γ z_norm + β); Dense needs no bias,
β takes its place), then Dense → softmax, trained on cross-entropy. (Lecture parts 2 and 3.)
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse import _checks, training
from tfcourse._checks import InputError
from tfcourse._tensorflow import keras
from tfcourse.batch_norm import PopulationStatistics
from tfcourse.datasets import Dataset, handwriting, load, standardization
from tfcourse.hyperparameters import Hyperparameters

__all__ = [
    "Epoch",
    "Evaluation",
    "Hyperparameters",
    "Training",
    "build",
    "evaluate",
    "predict",
    "reads_digits",
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

    >>> model = tfc.build((8, 8), classes=10, hyperparameters=tfc.Hyperparameters(units=(50, 20)))
    >>> [layer.units for layer in model.layers if hasattr(layer, "units")]
    [50, 20, 10]
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


def train(
    dataset: Dataset,
    hyperparameters: Hyperparameters | None = None,
    *,
    seed: int = 0,
    engine: str = "compiled",
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Training:
    """Train the classifier and keep the weights of its best epoch.

    seed: decides first weights, order of mini-batches and dropout; the same seed gives the same
    weights. engine: "compiled" trains in one compiled program, "keras" with `model.fit`; both take
    the same mini-batches and come to the same weights up to rounding, but dropout draws others.
    on_epoch: called after every epoch.

    Raises: ValueError if the loss is not finite in the first epoch, so that there is no model.

    >>> digits = tfc.datasets.load("digits")
    >>> training = tfc.train(digits, tfc.Hyperparameters(epochs=3), seed=0)
    >>> tfc.evaluate(training.model, digits.x_test, digits.y_test).accuracy > 0.8
    True
    """
    started = time.perf_counter()
    chosen = hyperparameters or Hyperparameters()
    seed = _checks.integer("seed", seed, at_least=0)
    history = list[Epoch]()

    def record(epoch: training.Epoch) -> None:
        names = ("loss", "accuracy", "val_loss", "val_accuracy")
        history.append(Epoch(epoch.number, *(float(epoch.figures[name][0]) for name in names)))
        if on_epoch:
            on_epoch(history[-1])

    classifiers, data = _engine(dataset)
    ((one,),) = training.train(
        classifiers,
        [dataclasses.asdict(chosen)],
        data,
        seeds=[seed],
        engine=engine,
        on_epoch=record,
    )
    if one.best_epoch is None:
        raise InputError(
            f"training diverged in the first epoch: loss {history[0].loss}; "
            f"learning_rate must be smaller than {chosen.learning_rate:g}"
        )
    model = build(
        dataset.input_shape, dataset.classes, chosen, standardize=standardization(dataset.x_train)
    )
    kept = len(model.weights) - len(one.weights)
    model.set_weights([*model.get_weights()[:kept], *one.weights])
    seconds = time.perf_counter() - started
    return Training(model, tuple(history), history[one.best_epoch], seconds)


@lru_cache(maxsize=4)
def _engine(dataset: Dataset) -> tuple[Callable[[dict[str, Any]], Any], training.Data]:
    """What builds classifiers of this data set, and the data: the same ones each time.

    With them the engine keeps its programs: what was compiled for one training serves all later
    ones of the same layers, units, optimizer and batch size.
    """
    data = dataset.standardized()
    return (
        lambda trial: build(
            dataset.input_shape, dataset.classes, Hyperparameters.architecture(trial)
        ),
        training.Data(data.x_train, data.y_train, data.x_validation, data.y_validation),
    )


def _fitting(model: Any, x: NDArray[Any]) -> NDArray[Any]:
    """Return x as the model takes it: grey images may have a last axis of 1, or none.

    Raises: InputError for another shape, or for masked entries.
    """
    _checks.unmasked("x", x)
    expected, given = tuple(model.input_shape[1:]), x.shape[1:]
    if len(expected) > 1 and (given == (*expected, 1) or expected == (*given, 1)):
        return x.reshape(len(x), *expected)
    if given != expected:
        raise InputError(f"the model expects inputs of shape {expected}, got {given}")
    return x


def predict(model: Any, x: NDArray[Any]) -> NDArray[np.float32]:
    """Return class probabilities, shape (m, C), of inputs x, shape (m, *input_shape).

    Raises: ValueError if the model expects another shape, or for masked entries.

    >>> tfc.predict(tfc.build((64,), classes=10), np.zeros((5, 64))).shape
    (5, 10)
    """
    x = _fitting(model, x)
    return np.concatenate(
        [np.asarray(model(x[i : i + 1024], training=False)) for i in range(0, len(x), 1024)]
    )


def reads_digits(model: Any) -> bool:
    """Whether `model` reads handwritten digits.

    It must take one grey image, know ten classes, and recognize at least half of 100 packaged
    digits that are prepared for it: what it was trained on, its file need not tell.
    """
    shape, classes = tuple(model.input_shape[1:]), tuple(model.output_shape[1:])
    grey = len(shape) == 2 or (len(shape) == 3 and shape[2] == 1)
    if not grey or None in shape or min(shape[:2]) < 8 or classes != (10,):
        return False
    digits = load("digits")
    x, y, size = digits.x_test[:100], digits.y_test[:100], shape[:2]
    if size != handwriting.DIGITS:
        x = np.stack([handwriting.framed(image, size) for image in x])
    return bool((predict(model, x).argmax(axis=1) == y).mean() >= 0.5)


def evaluate(model: Any, x: NDArray[Any], y: NDArray[np.int64]) -> Evaluation:
    """Return loss, accuracy and confusion matrix of `model` on inputs x with labels y, shape (m,).

    The loss is the sum over all examples divided by m, whatever pieces they are computed in.

    Raises: ValueError if the model expects another shape or has too few classes for the labels.

    >>> digits = tfc.datasets.load("digits")
    >>> untrained = tfc.build((8, 8), classes=10)
    >>> print(tfc.evaluate(untrained, digits.x_test, digits.y_test).confusion.sum())
    360
    """
    _checks.unmasked("y", y)
    probabilities = predict(model, x).astype(np.float64)
    classes = probabilities.shape[1]
    if y.max() >= classes:
        raise InputError(f"the model knows {classes} classes, got label {y.max()}")
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

    >>> model = tfc.build((2,), classes=3)
    >>> x = np.random.default_rng(0).normal(size=(1000, 2))
    >>> before = tfc.predict(model, x)
    >>> print((tfc.predict(tfc.recalibrate(model, x), x) == before).all())
    False
    """
    x = _fitting(model, x)
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
