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

from tfcourse._tensorflow import KEPT, keras, tf
from tfcourse.training.batches import epoch_batches
from tfcourse.training.blueprint import Blueprint, of_axes, own_code, parts
from tfcourse.training.compilation import Kept
from tfcourse.training.data import Data
from tfcourse.training.first_weights import initial_weights
from tfcourse.training.identity import fingerprint
from tfcourse.training.objective import Objective, chosen
from tfcourse.training.padding import Layout
from tfcourse.training.program import Best, Choices, Program, State, UnmappedError
from tfcourse.training.trained import Chosen, Epoch, Memory, Trained
from tfcourse.training.updates import RULES, Optimizer

Array = npt.NDArray[Any]
layers = keras.layers

# What TensorFlow raises for models that it cannot map, cannot compile, or has no memory for.
CANNOT = ValueError, TypeError, MemoryError, NotImplementedError, tf.errors.OpError

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

    @property
    def first(self) -> int:
        """How many epochs it has behind it."""
        return self.start.epochs if self.start else 0

    @property
    def optimizer(self) -> Optimizer:
        """What updates it in a compiled program."""
        assert self.blueprint.optimizer is not None
        return self.blueprint.optimizer


@dataclass(frozen=True, eq=False)
class Run:
    """What is told of all trials of a call of `train`.

    tell: called after every epoch of some. stop: set when nobody wants the results any more.
    """

    data: Data
    objective: Objective | None
    patience: int | None
    tell: Callable[[Epoch], None]
    stop: threading.Event


class Pattern:
    """What the models of a group have in common: a program, for mini-batches of one size.

    State: which way it must be run on this machine. most: how many models at a time. notes: what
    the user should know of that.
    """

    def __init__(
        self, model: keras.Model, optimizer: Optimizer, layout: Layout, data: Data, batch_size: int
    ) -> None:
        """Take the pattern's model. Raises: UnmappedError if no program can be made of it."""
        self.program = Program(model, optimizer, *data.example)
        self.layout, self.batch_size = layout, min(batch_size, data.examples)
        self.most = 1 if _has_loops(model) else 2**31
        self.compiled = True
        self.notes: list[str] = []
        self._epochs: dict[Any, Any] = {}
        self._code = fingerprint(own_code(model))
        self._touched = _numbers_touched(model, self.batch_size)

    @property
    def bytes_per_model(self) -> int:
        """How much a model's step touches, roughly: parameters, and what layers pass on."""
        numbers = 8 * sum(self.program.parameters.sizes) + self._touched
        return int(numbers * np.dtype(self.program.dtype).itemsize)

    def traced(self, width: int) -> bool:
        """Whether a program for so many models at a time has been made."""
        return any(known == width for _, known, _ in list(self._epochs))  # others may add

    def run(self, objective: Objective, width: int, *arguments: Any) -> Any:
        """Train so many models for an epoch. arguments: what the function of `Program.epoch` takes.

        Raises: OtherWayError if it must be tried again; UnmappedError if it can't be.
        """
        compiled = self.compiled
        try:
            return self._traced(objective, width, arguments)(*arguments)
        except CANNOT as error:
            raise OtherWayError(self._give_way(error, width, compiled)) from error

    def _traced(self, objective: Objective, width: int, arguments: Any) -> Any:
        compiled = self.compiled
        key = objective, width, compiled
        if key in self._epochs:  # without waiting for models that are being built
            return self._epochs[key]
        with one_at_a_time:
            if key not in self._epochs:
                if fingerprint(own_code(self.program.model)) != self._code:
                    raise UnmappedError("what its functions read outside of them has changed")
                function = self.program.epoch(objective, compiled=compiled)
                with _silence(), self.program.tracing():
                    try:
                        traced = function.get_concrete_function(*arguments)
                    except (UnmappedError, *CANNOT):
                        raise
                    except Exception as error:  # of code of the user's own
                        told = f"{type(error).__name__}: {error}".splitlines()[0]
                        raise UnmappedError(told) from error
                _check_closed(traced)
                self._epochs[key] = Kept(traced) if compiled else traced
            return self._epochs[key]

    def _give_way(self, error: Exception, width: int, compiled: bool) -> str:
        operation = re.search(r"(?:of op '|defined for |converter for )(\w+)", str(error))
        layers = f"layers with {operation[1]}" if operation else "such layers"
        with one_at_a_time:
            if width > self.most or compiled != self.compiled:
                return ""  # another thread was here before
            if KEPT is not None and str(KEPT) in str(error):
                self.compiled = False
                return f"nothing is compiled, for {KEPT} cannot be written"
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


@dataclass(frozen=True, eq=False)
class Chunk:
    """Trials that are trained together. pattern: none if with `model.fit`, one by one.

    ahead: whether this is only to have the program compiled, while other models are being built.
    """

    members: tuple[Member, ...]
    epochs: int
    batch_size: int
    width: int
    pattern: Pattern | None
    notes: tuple[str, ...] = ()
    ahead: bool = False


@contextmanager
def _silence() -> Iterator[None]:
    """Keep TensorFlow from logging what an error tells as well."""
    logger = tf.get_logger()
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _check_closed(traced: Any) -> None:
    """Raise UnmappedError if a program reads or draws what it is not given.

    Variables that Keras does not know, or that a function of TensorFlow's was traced with, would
    stay as they are; TensorFlow's own random numbers follow no seed here.
    """
    if any(tensor.dtype == tf.resource for tensor in traced.captured_inputs):
        raise UnmappedError("it uses variables that are not among its model's weights")
    graph = traced.graph.as_graph_def()
    nodes = (graph.node, *(function.node_def for function in graph.library.function))
    if any("seed2" in node.attr for some in nodes for node in some):
        raise UnmappedError("it draws with TensorFlow's own generator")


def _has_loops(model: keras.Model) -> bool:
    """Whether a layer loops over places or steps: such are faster one model at a time."""
    looping = (
        *of_axes("Conv{}D", "Conv{}DTranspose"),
        *of_axes("DepthwiseConv{}D", "SeparableConv{}D", axes=(1, 2)),
        *(layers.RNN, layers.MultiHeadAttention, layers.GroupQueryAttention),
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


def train_chunk(chunk: Chunk, run: Run) -> list[Trained]:
    """Train models together; none are returned if `run.stop` is set before the end.

    Raises: UnmappedError if no program can train them.
    """
    pattern, trained = chunk.pattern, list[Trained]()
    assert pattern is not None
    while len(trained) < len(chunk.members):
        now = min(chunk.width, pattern.most)
        try:
            part = chunk.members[len(trained) :][:now]
            done = _train(pattern, part, now, chunk.epochs, run)
        except OtherWayError as way:
            if str(way):
                pattern.notes.append(str(way))
            continue
        if not done:
            return []
        trained += done
    return trained


def _train(
    pattern: Pattern, members: Sequence[Member], width: int, epochs: int, run: Run
) -> list[Trained]:
    started, data = time.perf_counter(), run.data
    filled = [*members, *[members[-1]] * (width - len(members))]
    first = members[0].first
    names = pattern.program.figures(data.has_validation)
    objective = chosen(run.objective, names)
    steps = data.examples // pattern.batch_size
    choices = _choices(pattern, filled, run.patience)
    state = _start(pattern, filled, first * steps)
    figures, counted = [], []
    for number in range(first, first + epochs):
        if run.stop.is_set():
            return []
        orders = [epoch_batches(m.seed, number, data.examples, pattern.batch_size) for m in filled]
        numbers = np.arange(number * steps, (number + 1) * steps)
        rates = [np.asarray(m.optimizer.schedule(numbers), np.float64) for m in filled]
        taken = (tf.constant(np.stack(some, axis=1)) for some in (orders, rates))
        state, measured, moving = pattern.run(
            objective, width, state, choices, *taken, data.tensors
        )
        figures.append(measured.numpy())
        counted.append(moving.numpy())
        shown = dict(zip(names, figures[-1][:, : len(members)], strict=True))
        run.tell(Epoch(number, tuple(member.trial for member in members), shown))
        if not counted[-1][: len(members)].any():
            break
    seconds = (time.perf_counter() - started) / len(members)
    state = tf.nest.map_structure(lambda tensor: tensor.numpy(), state)
    trained = []
    for place, member in enumerate(members):
        lasted = int(np.sum(counted, axis=0)[place])  # epochs that count are the first ones
        best = int(state.best.epoch[place])
        if lasted == epochs:
            ended = "complete"
        elif run.patience and lasted and first + lasted - 1 - best >= run.patience:
            ended = "stopped"
        else:
            ended = "diverged"
        own = {n: np.array([f[i, place] for f in figures[:lasted]]) for i, n in enumerate(names)}
        trained.append(
            Trained(
                member.trial,
                member.hyperparameters,
                member.seed,
                own,
                best - first if best >= first else None,
                _weights(pattern, state.best, place, member),
                _weights(pattern, state, place, member),
                ended,
                first + lasted,
                seconds,
                member.make,
                _memory(pattern, state, place, member),
                notes=tuple(pattern.notes),
            )
        )
    return trained


def _choices(pattern: Pattern, members: Sequence[Member], patience: int | None) -> Choices:
    program = pattern.program
    numbers = {
        name: tf.constant([[member.optimizer.numbers[name]] for member in members], tf.float64)
        for name in program.optimizer.numbers
    }
    fed = np.array([member.blueprint.numbers for member in members], program.dtype)
    own = None
    if pattern.layout.padded:
        told = [member.blueprint for member in members]
        ones = [list(map(np.ones, one.shapes)) for one in told]
        pairs = zip(ones, told, strict=True)
        rows = [pattern.layout.row(program.parameters, a, one.sizes) for a, one in pairs]
        own = tf.constant(np.stack(rows))
    keys = [np.random.SeedSequence(member.seed).generate_state(1) for member in members]
    return Choices(
        numbers,
        tf.constant(fed.reshape(len(members), -1)),
        tf.constant(np.concatenate(keys)),
        own,
        tf.constant(2**30 if patience is None else patience),
    )


def _start(pattern: Pattern, members: Sequence[Member], step: int) -> State:
    """The state of these models before step number `step`, their first: as each alone starts."""
    program, layout, models = pattern.program, pattern.layout, len(members)
    parameters, carried, rest = [], [], []
    for member in members:
        sizes = member.blueprint.sizes
        if member.start:
            arrays = member.start.final_weights
        else:
            arrays = initial_weights(member.blueprint.first, member.seed)
        parameters.append(layout.row(program.parameters, arrays, sizes))
        carried.append(layout.row(program.carried, arrays, sizes))
        rest.append(program.rest(member.seed, member.first))
    weights, others = np.stack(parameters), np.stack(carried)
    count = RULES[program.optimizer.rule].slots
    slots = np.full((count, *weights.shape), program.optimizer.start, program.dtype)
    updates = np.zeros((models, 1), np.int32)
    for place, member in enumerate(members):
        memory = member.start.memory if member.start else None
        if memory and memory.kind == member.optimizer.key:  # another kind starts anew
            updates[place] = memory.updates
            for slot, kept in zip(slots, memory.slots, strict=True):
                slot[place] = layout.row(program.parameters, kept, member.blueprint.sizes)
    least = np.full(models, -np.inf, program.dtype)
    state = State(
        weights,
        others,
        [np.stack(column) for column in zip(*rest, strict=True)],
        tuple(slots),
        updates,
        np.int32(step),
        np.ones(models, bool),
        Best(weights, others, np.full(models, members[0].first - 1, np.int32), least, -least),
    )
    return tf.nest.map_structure(tf.constant, state)  # type: ignore[no-any-return]


def _weights(pattern: Pattern, found: State | Best, place: int, member: Member) -> list[Array]:
    """A model's own weights, in the order of `model.weights`."""
    program = pattern.program
    sets = (program.parameters, found.parameters[place]), (program.carried, found.carried[place])
    return pattern.layout.weights(member.blueprint.sizes, *sets)


def _memory(pattern: Pattern, state: State, place: int, member: Member) -> Memory:
    layout, rows, sizes = pattern.layout, pattern.program.parameters, member.blueprint.sizes
    slots = [layout.weights(sizes, (rows, slot[place])) for slot in state.slots]
    return Memory(member.optimizer.key, int(state.updates[place, 0]), slots)
