"""Many trainings of a classifier, and what became of each. All topics that train do it here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfcourse import datasets, softmax, training
from tfcourse._arrays import Floats
from tfcourse.datasets import Dataset

if TYPE_CHECKING:
    from tfcourse.training import Data, Trained

Trial = Mapping[str, Any]
Build = Callable[[Trial], Any]
FIGURES = {
    "loss": "loss",
    "accuracy": "accuracy",
    "validation_loss": "val_loss",
    "validation_accuracy": "val_accuracy",
}


class Outcomes(NamedTuple):
    """What n trainings came to."""

    history: dict[str, Floats]  # by one of `FIGURES`, after each epoch, (n, epochs)
    best: NDArray[np.int64]  # the epoch that is best by what was to decide, (n,)
    test_accuracy: Floats  # at that epoch, on examples that nothing was chosen by, (n,); or NaN
    test_loss: Floats
    weights: tuple[Sequence[Floats], ...] = ()  # of that epoch, in Keras's order, if kept
    final_weights: tuple[Sequence[Floats], ...] = ()  # of the last epoch

    @property
    def trainings(self) -> int:
        """N."""
        return len(self.best)

    @property
    def validation(self) -> Floats:
        """Validation accuracy at the best epoch, (n,)."""
        rows = np.arange(len(self.best))
        return np.asarray(self.history["validation_accuracy"][rows, self.best])

    @property
    def validation_loss(self) -> Floats:
        """The lowest validation loss, (n,)."""
        return np.asarray(self.history["validation_loss"].min(axis=1))


@cache
def digits() -> Dataset:
    """The packaged digits, standardized, in rows of 64."""
    data, names = datasets.load("digits").standardized(), ("x_train", "x_validation", "x_test")
    return replace(data, **{name: getattr(data, name).reshape(-1, 64) for name in names})


class Task(NamedTuple):
    """A data set made by a rule, so that the best that anybody can do on it is known."""

    data: Dataset
    best_accuracy: float  # of the rule itself, on the test examples
    best_loss: float


@cache
def teacher(seed: int = 0, examples: int = 1000) -> Task:
    """Draw a task from a random network, 20–12–5: it gives the probability of a class.

    examples: to learn from; as many to choose by, and four times as many to judge by.
    """
    rng = np.random.default_rng([seed, 20, 5])
    W1, W2 = rng.normal(size=(20, 12)) / np.sqrt(20), rng.normal(size=(12, 5))
    x = rng.normal(size=(6 * examples, 20)).astype(np.float32)
    y_hat = softmax.softmax(3 * np.tanh(2 * x.astype(float) @ W1) @ W2)
    y = (y_hat.cumsum(axis=1) < rng.random((len(x), 1))).sum(axis=1).clip(0, 4)
    rows = {"train": slice(0, examples), "validation": slice(examples, 2 * examples)}
    rows["test"] = slice(2 * examples, None)
    sets: dict[str, Any] = {f"x_{name}": x[some] for name, some in rows.items()}
    sets |= {f"y_{name}": y[some] for name, some in rows.items()}
    sets |= {"class_names": tuple("01234"), "source": "computed", "licence": "MIT"}
    data = Dataset(f"teacher {seed}", **sets)
    return Task(data, *measured(np.log(y_hat[rows["test"]]), data.y_test))


def classifier(dataset: Dataset) -> Build:
    """Return what builds the lecture's classifier for this data set from a trial."""
    from tfcourse.classifier import build
    from tfcourse.hyperparameters import Hyperparameters

    shapes = dataset.input_shape, dataset.classes
    return lambda trial: build(*shapes, Hyperparameters.architecture(trial))


@cache
def _engine(dataset: Dataset, build: Build | None) -> tuple[Build, Data]:
    """What builds a data set's models, and its data; those of the same shapes share programs."""
    from tfcourse.training import Data

    sets = dataset.x_train, dataset.y_train, dataset.x_validation, dataset.y_validation
    like = build, dataset.classes, *((array.shape, array.dtype) for array in sets)
    data = Data(*sets)
    builder, first = _ENGINES.setdefault(like, (build or classifier(dataset), data))
    if first is not data:
        data.programs.extend(first.programs)
    return builder, data


_ENGINES: dict[Any, tuple[Build, Data]] = {}


def train(
    trials: Sequence[Trial],
    *,
    epochs: int,
    seed: int,
    dataset: Dataset | None = None,
    build: Build | None = None,
    test: bool = False,
    keep: bool = False,
    best_by: str = "validation_accuracy",
    starts: int | None = None,
) -> Outcomes:
    """Train a model for each trial, by default the lecture's classifier on the digits.

    seed: decides first weights and mini-batches, other ones for every trial. build: makes another
    model of a trial, whose output is probabilities; pass the same function again, so that its
    programs are compiled once. test: whether to measure on test examples too. keep: the weights.
    best_by: which of `FIGURES` says which epoch is best.
    starts: how many seeds there are, one a trial if not given; they come again in the same order.
    """
    from tfcourse.training import Objective

    data, n = dataset or digits(), len(trials)
    history = {name: np.full((n, epochs), np.nan) for name in FIGURES}
    best, tested = np.zeros(n, np.int64), np.full((2, n), np.nan)
    starts = starts or n
    seeds = np.resize(np.random.SeedSequence([seed, starts]).generate_state(starts) >> 1, n)
    builder, arrays = _engine(data, build)
    objective = Objective(FIGURES[best_by], "max" if best_by.endswith("accuracy") else "min")
    how: dict[str, Any] = {"seeds": [*map(int, seeds)], "epochs": epochs, "objective": objective}
    chunks = training.train(builder, trials, arrays, **how)
    done = sorted(chain.from_iterable(chunks), key=lambda one: one.trial)
    for one in done:
        for name, key in FIGURES.items():
            reached = one.history.get(key, ())
            history[name][one.trial, : len(reached)] = reached
            if name.endswith("accuracy"):  # of what diverged, nothing is right
                history[name][one.trial, len(reached) :] = 0
        best[one.trial] = one.best_epoch or 0  # of what diverged at once, the first
        if test:
            if build:  # probabilities, as the classifier's model gives them
                z = np.log(np.maximum(one.model()(data.x_test), 1e-30))
            else:
                z = logits(one.weights, data.x_test)
            tested[:, one.trial] = measured(z, data.y_test)
    weights = tuple(one.weights for one in done if keep)
    final_weights = tuple(one.final_weights for one in done if keep)
    return Outcomes(history, best, tested[0], tested[1], weights, final_weights)


def resume(
    models: Sequence[Trained],
    trials: Sequence[Trial],
    seeds: Sequence[int],
    *,
    data: Dataset,
    epochs: int,
) -> list[Trained]:
    """Train models of a data set on with these hyperparameters; if there are none yet, begin.

    A model that was taken back to yesterday counts as trained as long as the others: the day is
    lost, and one program goes on training all of them.
    """
    builder, arrays = _engine(data, None)
    so_far = max((one.epochs for one in models), default=0)
    start = [replace(one, epochs=so_far) for one in models] or None
    chunks = training.train(builder, trials, arrays, seeds=seeds, epochs=epochs, start=start)
    return sorted(chain.from_iterable(chunks), key=lambda one: one.trial)


def measured(z: Floats, y: NDArray[np.int64]) -> tuple[float, float]:
    """Return accuracy and loss of the logits z, (m, C)."""
    z = z.astype(np.float64) - z.max(axis=1, keepdims=True)
    loss = np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]
    return float((z.argmax(axis=1) == y).mean()), float(loss.mean())


def logits(weights: Sequence[Floats], x: Floats, epsilon: float = 1e-3) -> Floats:
    """Return the classifier's logits of x, (m, C), from its weights in Keras's order.

    In NumPy, so that no Keras model need be built; hidden layers rectify. With batch norm they have
    W, γ, β and the moving μ and σ², without it W and b.
    """
    kind = 5 if len(weights) > 2 and weights[2].ndim == 1 else 2
    for start in range(0, len(weights) - 2, kind):
        W, *rest = weights[start : start + kind]
        b = rest[0]
        if kind == 5:
            gamma, beta, mean, variance = rest
            scale = gamma / np.sqrt(variance + epsilon)
            W, b = W * scale, beta - mean * scale
        x = np.maximum(x @ W + b, 0)
    return np.asarray(x @ weights[-2] + weights[-1])
