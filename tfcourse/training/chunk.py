"""One chunk: trials that are trained together, epoch by epoch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tfcourse._tensorflow import keras
from tfcourse.training.batches import epoch_batches
from tfcourse.training.grouping import Chosen
from tfcourse.training.pattern import OtherWayError, Pattern
from tfcourse.training.program import Data

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
    figures = []
    for number in range(chunk.epochs):
        if stop.is_set():
            return []
        orders = [epoch_batches(seeds[i], number, len(data.x), pattern.batch_size) for i in filled]
        state, measured = pattern.run(state, choices, np.stack(orders, axis=1), data)
        figures.append(measured.numpy())
        tell(ChunkEpoch(number, members, *figures[-1][:, : len(members)]))
    histories = np.stack(figures, axis=-1)  # (4, width, epochs)
    best_rows = zip(state.best.parameters.numpy(), state.best.carried.numpy(), strict=True)
    final_rows = zip(state.parameters.numpy(), state.carried.numpy(), strict=True)
    return [
        Trained(
            index,
            trials[index],
            seeds[index],
            History(*histories[:, place]),
            None if best < 0 else int(best),
            pattern.weights(trials[index], *of_best),
            pattern.weights(trials[index], *of_last),
            pattern.make,
        )
        for place, (index, best, of_best, of_last) in enumerate(
            zip(members, state.best.epoch.numpy(), best_rows, final_rows, strict=False)
        )
    ]
