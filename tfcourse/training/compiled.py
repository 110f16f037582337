"""Chunks of trials trained together, each by one compiled program."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tfcourse._tensorflow import keras, tf
from tfcourse.training.batches import epoch_batches
from tfcourse.training.blueprint import Blueprint, parts
from tfcourse.training.data import Data
from tfcourse.training.padding import Layout
from tfcourse.training.program import Choices, Program, State, UnmappedError
from tfcourse.training.trained import Chosen, Epoch, Memory, Objective, Trained, chosen

Array = npt.NDArray[Any]

# For tracing and for building: Keras keeps what it is at in global places.
one_at_a_time = threading.RLock()


class OtherWayError(Exception):
    """Training must be tried again in another way, which the pattern now takes; says which."""


@dataclass(frozen=True, eq=False)
class Member:
    """One model of a chunk: its trial, blueprint, seed, and where it goes on from, if it does."""

    trial: int
    hyperparameters: Chosen
    seed: int
    blueprint: Blueprint
    make: Callable[[], keras.Model]
    start: Trained | None = None


class Pattern:
    """What the models of a group have in common: a program, for mini-batches of one size.

    State: which way it must be run on this machine. most: how many models at a time. notes: what
    the user should know of that.
    """

    def __init__(
        self, model: keras.Model, blueprint: Blueprint, layout: Layout, data: Data, batch_size: int
    ) -> None:
        """Take the pattern's model. Raises: UnmappedError if no program can be made of it."""
        assert blueprint.optimizer is not None
        self.program = Program(model, blueprint.optimizer, *data.example)
        self.layout, self.batch_size = layout, min(batch_size, data.examples)
        self.most = 1 if _has_loops(model) else 2**31
        self.compiled = True
        self.notes: list[str] = []
        self._epochs: dict[Any, Any] = {}
        self._touched = _numbers_touched(model, self.batch_size)

    @property
    def bytes_per_model(self) -> int:
        """How much a model's step touches, roughly: parameters, and what layers pass on."""
        numbers = 8 * sum(self.program.parameters.sizes) + self._touched
        return int(numbers * np.dtype(self.program.dtype).itemsize)

    def traced(self, width: int) -> bool:
        """Whether a program for so many models at a time has been made."""
        return any(known == width for _, known, _ in list(self._epochs))  # others may add

    def run(
        self,
        objective: Objective,
        state: State,
        choices: Choices,
        batches: Array,
        rates: Array,
        data: Data,
    ) -> Any:
        """Train for an epoch, as `Program.epoch` does.

        Raises: OtherWayError if it must be tried again; UnmappedError if it can't be.
        """
        width = batches.shape[1]
        arguments = state, choices, tf.constant(batches), tf.constant(rates), data.tensors
        try:
            train = self._traced(objective, width, arguments)
            return train(*arguments)
        except UnmappedError:
            raise
        except (
            ValueError,
            TypeError,
            MemoryError,
            NotImplementedError,
            tf.errors.OpError,
        ) as error:
            raise OtherWayError(self._give_way(error, width)) from error

    def _traced(self, objective: Objective, width: int, arguments: Any) -> Any:
        with one_at_a_time:
            key = objective, width, self.compiled
            if key not in self._epochs:
                function = self.program.epoch(objective, compiled=self.compiled, mapped=width > 1)
                with _silence():
                    self._epochs[key] = function.get_concrete_function(*arguments)
            return self._epochs[key]

    def _give_way(self, error: Exception, width: int) -> str:
        operation = re.search(r"(?:of op '|defined for |converter for )(\w+)", str(error))
        layers = f"layers with {operation[1]}" if operation else "such layers"
        with one_at_a_time:
            if width > self.most:
                return ""  # another thread was here before
            if width > 1 and isinstance(error, tf.errors.ResourceExhaustedError | MemoryError):
                self.most = width // 2
                return f"memory is short: {self.most} models are trained at a time"
            if width > 1:
                self.most = 1
                return ""
            if isinstance(error, tf.errors.OpError) and self.compiled:
                self.compiled = False
                return f"{layers} cannot be compiled"
        raise UnmappedError(f"{type(error).__name__}: {error}".splitlines()[0]) from error


@contextmanager
def _silence() -> Iterator[None]:
    """Keep TensorFlow from logging what an error tells as well."""
    logger = tf.get_logger()
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _has_loops(model: keras.Model) -> bool:
    """Whether a layer loops over places or steps: such are faster one model at a time."""
    kinds = keras.layers
    looping = (
        kinds.Conv1D,
        kinds.Conv2D,
        kinds.Conv3D,
        kinds.Conv1DTranspose,
        kinds.Conv2DTranspose,
        kinds.Conv3DTranspose,
        kinds.DepthwiseConv1D,
        kinds.DepthwiseConv2D,
        kinds.SeparableConv1D,
        kinds.SeparableConv2D,
        kinds.RNN,
        kinds.MultiHeadAttention,
        kinds.GroupQueryAttention,
    )
    return any(isinstance(part, looping) for part in parts(model))


def _numbers_touched(model: keras.Model, batch_size: int) -> int:
    sizes = []
    for layer in model.layers:
        try:
            for output in tf.nest.flatten(layer.output):
                sizes.append(int(np.prod([n or 1 for n in output.shape[1:]])))
        except (AttributeError, ValueError):  # not a layer of a graph
            sizes += [w.shape[-1] for w in layer.weights if w.shape.rank]
    return batch_size * 2 * sum(sizes)


def train_chunk(
    pattern: Pattern,
    members: Sequence[Member],
    width: int,
    epochs: int,
    data: Data,
    objective: Objective | None,
    patience: int | None,
    tell: Callable[[Epoch], None],
    stop: threading.Event,
) -> list[Trained]:
    """Train models together; none are returned if `stop` is set before the end.

    Raises: UnmappedError if no program can train them; `tell` is called after every epoch.
    """
    trained: list[Trained] = []
    while len(trained) < len(members):
        now = min(width, pattern.most)
        part = members[len(trained) :][:now]
        try:
            done = _train(pattern, part, now, epochs, data, objective, patience, tell, stop)
        except OtherWayError as way:
            if str(way):
                pattern.notes.append(str(way))
            continue
        if not done:
            return []
        trained += done
    return trained


def _train(
    pattern: Pattern,
    members: Sequence[Member],
    width: int,
    epochs: int,
    data: Data,
    objective: Objective | None,
    patience: int | None,
    tell: Callable[[Epoch], None],
    stop: threading.Event,
) -> list[Trained]:
    started = time.perf_counter()
    filled = [*members, *[members[-1]] * (width - len(members))]
    first = members[0].start.epochs if members[0].start else 0
    names = pattern.program.figures(data.has_validation)
    objective = chosen(objective, names)
    steps = data.examples // pattern.batch_size
    choices = _choices(pattern, filled, patience)
    state = _start(pattern, filled, first, steps)
    figures, counted = [], []
    for number in range(first, first + epochs):
        if stop.is_set():
            return []
        orders = [
            epoch_batches(member.seed, number, data.examples, pattern.batch_size)
            for member in filled
        ]
        rates = [_rates(member, number, steps) for member in filled]
        state, measured, moving = pattern.run(
            objective, state, choices, np.stack(orders, axis=1), np.stack(rates, axis=1), data
        )
        figures.append(measured.numpy())
        counted.append(moving.numpy())
        shown = dict(zip(names, figures[-1][:, : len(members)], strict=True))
        tell(Epoch(number, tuple(member.trial for member in members), shown))
        if not counted[-1][: len(members)].any():
            break
    seconds = (time.perf_counter() - started) / len(members)
    rows = _Rows(pattern, state)
    lasted = np.sum(counted, axis=0)  # epochs that count are the first ones
    patient = state.best.epoch.numpy()
    return [
        Trained(
            member.trial,
            member.hyperparameters,
            member.seed,
            {
                name: np.array([f[i, place] for f in figures[: lasted[place]]])
                for i, name in enumerate(names)
            },
            int(patient[place]) - first if patient[place] >= first else None,
            rows.weights(place, member.blueprint, best=True),
            rows.weights(place, member.blueprint, best=False),
            _ended(int(lasted[place]), epochs, first, int(patient[place]), patience),
            first + int(lasted[place]),
            seconds,
            member.make,
            rows.memory(place, member),
            notes=tuple(pattern.notes),
        )
        for place, member in enumerate(members)
    ]


def _ended(lasted: int, epochs: int, first: int, best: int, patience: int | None) -> str:
    if lasted == epochs:
        return "complete"
    waited = first + lasted - 1 - best
    return "stopped" if patience is not None and lasted and waited >= patience else "diverged"


def _rates(member: Member, epoch: int, steps: int) -> Array:
    optimizer = member.blueprint.optimizer
    assert optimizer is not None
    return np.asarray(optimizer.schedule(np.arange(epoch * steps, (epoch + 1) * steps)), np.float64)


def _choices(pattern: Pattern, members: Sequence[Member], patience: int | None) -> Choices:
    program = pattern.program
    optimizers = [m.blueprint.optimizer for m in members if m.blueprint.optimizer]
    numbers = {
        name: tf.constant([[optimizer.numbers[name]] for optimizer in optimizers], tf.float64)
        for name in program.optimizer.numbers
    }
    fed = np.array([member.blueprint.numbers for member in members], program.dtype)
    own = None
    if pattern.layout.padded:
        ones = [
            [np.ones(shape, program.dtype) for shape in member.blueprint.shapes]
            for member in members
        ]
        rows = [
            pattern.layout.row(program, arrays, member.blueprint.sizes)[0]
            for arrays, member in zip(ones, members, strict=True)
        ]
        own = tf.constant(np.stack(rows))
    keys = [np.random.SeedSequence(member.seed).generate_state(1) for member in members]
    return Choices(
        numbers,
        tf.constant(fed.reshape(len(members), -1)),
        tf.constant(np.concatenate(keys)),
        own,
        tf.constant(2**30 if patience is None else patience),
    )


def _start(pattern: Pattern, members: Sequence[Member], epoch: int, steps: int) -> State:
    """The state of these models before their first step: as each alone would start."""
    program, layout = pattern.program, pattern.layout
    rows, rest = [], []
    for member in members:
        if member.start is not None:
            arrays = list(member.start.final_weights)
        else:
            first = enumerate(member.blueprint.first)
            arrays = [weight.draw(member.seed, index) for index, weight in first]
        rows.append(layout.row(program, arrays, member.blueprint.sizes))
        rest.append(
            [
                # Random generators start from the seed and their number.
                np.array([member.seed % 2**32, number + epoch * 2**16], state.dtype)
                if random
                else state
                for number, (state, random) in enumerate(
                    zip(program.rest, program.is_generator, strict=True)
                )
            ]
        )
    parameters, carried = (np.stack(column) for column in zip(*rows, strict=True))
    state = program.start(
        parameters, carried, [np.stack(column) for column in zip(*rest, strict=True)], epoch, steps
    )
    memories = [_kept(member) for member in members]
    if not any(memories):
        return state
    slots = [slot.numpy() for slot in state.slots]
    updates = state.updates.numpy()
    for place, (member, memory) in enumerate(zip(members, memories, strict=True)):
        if memory:
            updates[place] = memory.updates
            for slot, kept in zip(slots, memory.slots, strict=True):
                slot[place] = layout.row(program, kept, member.blueprint.sizes, slots=True)[0]
    return state._replace(
        slots=tuple(map(tf.constant, slots)), updates=tf.constant(updates, tf.int32)
    )


def _kept(member: Member) -> Memory | None:
    """The optimizer's memory, if it goes on with one of the same kind."""
    memory = member.start.memory if member.start else None
    optimizer = member.blueprint.optimizer
    return memory if memory and optimizer and memory.kind == optimizer.key else None


class _Rows:
    """A finished state, read model by model."""

    def __init__(self, pattern: Pattern, state: State) -> None:
        self._pattern = pattern
        self._best = state.best.parameters.numpy(), state.best.carried.numpy()
        self._last = state.parameters.numpy(), state.carried.numpy()
        self._slots = [slot.numpy() for slot in state.slots]
        self._updates = state.updates.numpy()

    def weights(self, place: int, blueprint: Blueprint, *, best: bool) -> list[Array]:
        """A model's own weights, in the order of `model.weights`."""
        parameters, carried = self._best if best else self._last
        layout, program = self._pattern.layout, self._pattern.program
        return layout.arrays(program, parameters[place], carried[place], blueprint.sizes)

    def memory(self, place: int, member: Member) -> Memory:
        """What its optimizer remembers."""
        layout, program = self._pattern.layout, self._pattern.program
        optimizer = member.blueprint.optimizer
        assert optimizer is not None
        slots = [
            layout.arrays(program, slot[place], None, member.blueprint.sizes)
            for slot in self._slots
        ]
        return Memory(optimizer.key, int(self._updates[place, 0]), slots)
