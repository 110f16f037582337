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
from tfcourse.training.grouping import Trial
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

    @property
    def best_epoch(self) -> int | None:
        """The epoch, from 0, of the highest validation accuracy, at a tie the lowest loss."""
        sound = [epoch for epoch, loss in enumerate(self.loss) if np.isfinite(loss)]
        ranks = list(zip(self.validation_accuracy, -self.validation_loss, strict=True))
        return max(sound, key=lambda epoch: ranks[epoch], default=None)


@dataclass(frozen=True, eq=False)
class Trained:
    """One trained model.

    trial: its index. best_epoch: from 0, the one with the highest validation accuracy, at a tie
    the lowest validation loss; none if there was no epoch with a finite loss. weights, of that
    epoch (or the first ones), and final_weights are in the order of `model.weights`. make: builds
    the model of a trial.
    """

    trial: int
    hyperparameters: Trial
    seed: int
    history: History
    best_epoch: int | None
    weights: list[Array]
    final_weights: list[Array]
    make: Callable[[Trial], keras.Model]

    def model(self) -> keras.Model:
        """Build the Keras model and give it the weights of its best epoch."""
        model = self.make(self.hyperparameters)
        model.set_weights(self.weights)
        return model


@dataclass(frozen=True, eq=False)
class Epoch:
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
    trials: Sequence[Trial],
    seeds: Sequence[int],
    data: Data,
    tell: Callable[[Epoch | str], None],
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
    trials: Sequence[Trial],
    seeds: Sequence[int],
    data: Data,
    tell: Callable[[Epoch | str], None],
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
        figures.append(measured.numpy()[:, : len(members)])
        tell(Epoch(number, members, *figures[-1]))
    best = zip(state.best_parameters.numpy(), state.best_carried.numpy(), strict=True)
    final = zip(state.parameters.numpy(), state.carried.numpy(), strict=True)
    trained = []
    for place, (index, best_rows, final_rows) in enumerate(zip(members, best, final, strict=False)):
        history = History(*(figure[:, place] for figure in np.swapaxes(figures, 0, 1)))
        trained.append(
            Trained(
                index,
                trials[index],
                seeds[index],
                history,
                history.best_epoch,
                pattern.weights(trials[index], *best_rows),
                pattern.weights(trials[index], *final_rows),
                pattern.make,
            )
        )
    return trained
