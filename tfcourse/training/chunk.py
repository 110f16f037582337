"""One chunk: trials that are trained together, epoch by epoch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tfcourse._tensorflow import keras, tf
from tfcourse.training.batches import epoch_batches
from tfcourse.training.grouping import Chosen
from tfcourse.training.pattern import OtherWayError, Pattern
from tfcourse.training.program import Data, State

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class History:
    """Figures by epoch, each of shape (epochs,).

    loss, accuracy: means over the epoch's mini-batches, while the weights still moved.
    validation_loss, validation_accuracy: of the weights at the epoch's end. From the epoch on in
    which a loss is not finite, they are those of a model that stands still.
    """

    loss: Array
    accuracy: Array
    validation_loss: Array
    validation_accuracy: Array


@dataclass(frozen=True, eq=False)
class Trained:
    """One trained model.

    trial: its index. best_epoch: from 0, the one with the highest validation accuracy, at a tie
    the lowest validation loss; none if there was no epoch with a finite loss. weights, of that
    epoch (or the first ones), and final_weights are in the order of `model.weights`. make: builds
    the model of a trial.
    """

    trial: int
    hyperparameters: Chosen
    seed: int
    history: History
    best_epoch: int | None
    weights: list[Array]
    final_weights: list[Array]
    make: Callable[[Chosen], keras.Model]

    def model(self) -> keras.Model:
        """Build the Keras model and give it the weights of its best epoch."""
        model = self.make(self.hyperparameters)
        model.set_weights(self.weights)
        return model


@dataclass(frozen=True, eq=False)
class ChunkEpoch:
    """What an epoch of some trials came to; `number` from 0, figures of shape (trials,)."""

    number: int
    trials: tuple[int, ...]
    loss: Array
    accuracy: Array
    validation_loss: Array
    validation_accuracy: Array


@dataclass(frozen=True)
class Chunk:
    """Trials that are trained together: their indices, and for how many epochs.

    width: how many models their program has room for.
    """

    members: tuple[int, ...]
    epochs: int
    width: int
    pattern: Pattern


def train_chunk(
    chunk: Chunk,
    trials: Sequence[Chosen],
    seeds: Sequence[int],
    data: Data,
    tell: Callable[[ChunkEpoch | str], None],
    stop: threading.Event,
) -> list[Trained]:
    """Train a chunk of `trials`; none are returned if `stop` is set before the end.

    tell: is called after every epoch, and with a note when it must be done in another way: fewer
    models at a time where memory is short or layers cannot be mapped, or without compilation.
    """
    trained: list[Trained] = []
    while len(trained) < len(chunk.members):
        width = min(chunk.width, chunk.pattern.most)
        members = chunk.members[len(trained) :][:width]
        try:
            done = _train(chunk, members, width, trials, seeds, data, tell, stop)
        except OtherWayError as way:
            tell(str(way))
            continue
        if not done:
            return []
        trained += done
    return trained


def _train(
    chunk: Chunk,
    members: tuple[int, ...],
    width: int,
    trials: Sequence[Chosen],
    seeds: Sequence[int],
    data: Data,
    tell: Callable[[ChunkEpoch | str], None],
    stop: threading.Event,
) -> list[Trained]:
    pattern = chunk.pattern
    filled = members + members[-1:] * (width - len(members))
    choices = pattern.choices([trials[i] for i in filled], [seeds[i] for i in filled])
    state = pattern.start([trials[i] for i in filled], [seeds[i] for i in filled])
    best = _Best(state)
    figures = []
    for number in range(chunk.epochs):
        if stop.is_set():
            return []
        orders = [epoch_batches(seeds[i], number, len(data.x), pattern.batch_size) for i in filled]
        state, measured = pattern.run(state, choices, np.stack(orders, axis=1), data)
        figures.append(measured.numpy())
        best.keep(number, state, *figures[-1])
        tell(ChunkEpoch(number, members, *figures[-1][:, : len(members)]))
    histories = np.stack(figures, axis=-1)  # (4, width, epochs)
    best_rows = zip(best.parameters.numpy(), best.carried.numpy(), strict=True)
    final_rows = zip(state.parameters.numpy(), state.carried.numpy(), strict=True)
    return [
        Trained(
            index,
            trials[index],
            seeds[index],
            History(*histories[:, place]),
            None if best.epoch[place] < 0 else int(best.epoch[place]),
            pattern.weights(trials[index], *of_best),
            pattern.weights(trials[index], *of_last),
            pattern.make,
        )
        for place, (index, of_best, of_last) in enumerate(
            zip(members, best_rows, final_rows, strict=False)
        )
    ]


class _Best:
    """Of every model of a chunk, the epoch that did best, and its weights; they stay on the device.

    Best is the highest validation accuracy, at a tie the lowest validation loss.
    """

    def __init__(self, state: State) -> None:
        """Begin with the first weights, as long as no epoch has a finite loss."""
        models = len(state.parameters)
        self.parameters, self.carried = state.parameters, state.carried
        self.epoch = np.full(models, -1)
        self._accuracy, self._loss = np.full(models, -1.0), np.full(models, np.inf)

    def keep(
        self, number: int, state: State, loss: Array, _: Array, validation_loss: Array, hits: Array
    ) -> None:
        """Compare epoch `number` with the best so far."""
        better = (hits > self._accuracy) | (
            (hits == self._accuracy) & (validation_loss < self._loss)
        )
        better &= np.isfinite(loss)
        if better.any():
            self.epoch[better] = number
            self._accuracy[better], self._loss[better] = hits[better], validation_loss[better]
            rows = tf.constant(better[:, np.newaxis])
            self.parameters = tf.where(rows, state.parameters, self.parameters)
            self.carried = tf.where(rows, state.carried, self.carried)
