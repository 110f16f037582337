"""What training comes to: the record of one model, and of one epoch of many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from tfcourse._tensorflow import keras

Array = npt.NDArray[Any]
Chosen = Mapping[str, Any]  # a trial: its hyperparameters, by name


@dataclass(frozen=True, eq=False)
class Memory:
    """What an optimizer remembers of a model's training, so that it can go on.

    kind: of the optimizer; another kind starts anew.
    """

    kind: Any
    updates: int
    slots: Sequence[Sequence[Array]]


@dataclass(frozen=True, eq=False)
class Trained:
    """One trained model.

    trial: its index. history: figures by epoch under Keras's names, each (epochs,): loss and
    metrics are means over the epoch's mini-batches, while the weights still moved; val_… are those
    of the weights at its end. It ends before the first epoch with a loss that is not finite.
    best_epoch: from 0, by the objective; none if no epoch counts. weights, of that epoch (or the
    first ones), and final_weights are in the order of `model.weights`. ended: "complete",
    "stopped" when its patience ran out, "diverged", or "failed", and then `error` says why.
    notes: what had to be done in another way than asked for. epochs: how many it has trained in
    all, those before it went on included.
    """

    trial: int
    hyperparameters: Chosen
    seed: int
    history: Mapping[str, Array]
    best_epoch: int | None
    weights: Sequence[Array]
    final_weights: Sequence[Array]
    ended: str
    epochs: int
    seconds: float
    make: Callable[[], keras.Model]
    memory: Memory | None = None
    error: str | None = None
    notes: tuple[str, ...] = ()

    def model(self, *, final: bool = False) -> keras.Model:
        """Build the trial's own Keras model, compiled as `build` compiles it, with its weights.

        final: those of the last epoch instead of the best, and its Keras optimizer's memory.
        """
        model = self.make()
        model.set_weights(list(self.final_weights if final else self.weights))
        if final and self.memory:
            remember(model, self.memory)
        return model


@dataclass(frozen=True, eq=False)
class Epoch:
    """What an epoch of some trials came to.

    number: from 0. figures: as in `Trained.history`, each (trials,), in the order of `trials`.
    """

    number: int
    trials: tuple[int, ...]
    figures: Mapping[str, Array]


def failed(trial: int, hyperparameters: Chosen, seed: int, error: Exception) -> Trained:
    """Return the record of a trial whose model could not be built or trained."""

    def make() -> Any:
        raise error

    text = f"{type(error).__name__}: {error}"
    return Trained(
        trial, hyperparameters, seed, {}, None, (), (), "failed", 0, 0.0, make, error=text
    )


def memory_of(model: keras.Model) -> Memory:
    """Return what a compiled model's Keras optimizer remembers."""
    values = [variable.numpy() for variable in model.optimizer.variables]
    return Memory(f"{type(model.optimizer).__name__} of Keras", int(values[0]), [values])


def remember(model: keras.Model, memory: Memory) -> None:
    """Give a compiled model's optimizer what one of the same kind remembered; others start anew."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    if memory.kind == f"{type(model.optimizer).__name__} of Keras":
        for variable, value in zip(model.optimizer.variables, memory.slots[0], strict=True):
            if variable.name != "learning_rate":  # a setting, not a memory
                variable.assign(value)


def standing(model: keras.Model, memory: Memory, epochs: int) -> Trained:
    """Return the record of a model as it stands after so many epochs, to go on from."""
    weights = model.get_weights()
    return Trained(
        0, {}, 0, {}, None, weights, weights, "complete", epochs, 0.0, lambda: model, memory
    )
