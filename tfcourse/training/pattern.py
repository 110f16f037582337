"""A Keras model as the pattern of many that differ in their numbers, and at most in their units.

Narrower models are padded with zero weights up to the pattern. Kept at zero by masking their
gradients, these change nothing: a padded unit may be active, but nothing hears it. Whether that
holds for the layers at hand (it does not where a layer mixes its features, as `LayerNormalization`
does) is tried out.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from tfcourse._tensorflow import keras, tf
from tfcourse.training import program
from tfcourse.training.grouping import Chosen, setting, widths, with_widths
from tfcourse.training.initialization import initial_weights
from tfcourse.training.program import Choices, Data, State
from tfcourse.training.stacking import Rows, Shape, Stack
from tfcourse.training.updates import rule

Array = npt.NDArray[Any]
Place = tuple[str, int]
Build = Callable[[Mapping[str, Any]], keras.Model]

_one_at_a_time = threading.Lock()  # for tracing: Keras keeps what it is at in global places


class OtherWayError(Exception):
    """Training must be tried again in another way, which the pattern now takes; says which."""


class Pattern:
    """What models of one group have in common: a stacked model, and its compiled programs.

    rule: their update rule. batch_size: of their mini-batches. padded: whether some are narrower
    than the pattern. most: how many can be trained at a time. make: builds the model of a trial.
    """

    def __init__(self, build: Build, trial: Chosen, x: Array, classes: int, dtype: str) -> None:
        """Build the model of `trial`, the widest of its group, for inputs like x.

        Raises: ValueError if its outputs are not (examples, at least `classes`).
        """
        self.trial, self.dtype = trial, dtype
        self.make = partial(built, build, x=x[:1], dtype=dtype)
        self.rule = rule(setting(trial, "optimizer"))
        self.batch_size: int = setting(trial, "batch_size")
        model = self.make(trial)
        self._check(model, x, classes)
        self.stack = Stack(model, setting(trial, "dropout"))
        self.most = 2**31  # models at a time
        self._compile(True)
        self.padded = False
        # For every axis of every weight, whose units it counts, if any.
        self._tied: list[list[Place | None]] = [
            [None] * weight.value.ndim for weight in self.stack.first
        ]

    @staticmethod
    def _check(model: keras.Model, x: Array, classes: int) -> None:
        shape = tuple(getattr(model, "output_shape", None) or model(x[:1]).shape)
        if len(shape) != 2 or shape[1] < classes:
            raise ValueError(f"a model must give (examples, {classes} classes), got {shape}")

    def pad(self, x: Array) -> bool:
        """Make the pattern one for narrower models too; return whether that is possible.

        For each hidden layer a model with a unit more is built, to see which axes grow, and
        whether the pattern's weights, padded, give the same outputs in it.
        """
        shapes = [weight.value.shape for weight in self.stack.first]
        own = widths(self.trial)
        for place in own:
            more = with_widths(self.trial, own | {place: own[place] + 1})
            wider = self.make(more)
            grown = [tuple(weight.shape) for weight in wider.weights]
            if [len(shape) for shape in grown] != [len(shape) for shape in shapes]:
                return False
            for tied, old, new in zip(self._tied, shapes, grown, strict=True):
                for axis, growth in enumerate(np.subtract(new, old)):
                    if growth not in (0, 1) or (growth and tied[axis]):
                        return False
                    if growth:
                        tied[axis] = place
            if not _same_outputs(self.stack.model, wider, x[:4]):
                return False
        self.padded = True
        return True

    def shapes(self, trial: Chosen) -> list[Shape]:
        """Shapes of a trial's own weights, in the order of `model.weights`."""
        own, widest = widths(trial), widths(self.trial)
        return [
            tuple(
                size - (widest[place] - own[place] if place else 0)
                for size, place in zip(weight.value.shape, tied, strict=True)
            )
            for weight, tied in zip(self.stack.first, self._tied, strict=True)
        ]

    def start(self, trials: Sequence[Chosen], seeds: Sequence[int]) -> State:
        """Return the state of these models before the first step: as each alone would start."""
        rows = []
        for trial, seed in zip(trials, seeds, strict=True):
            places = enumerate(zip(self.stack.first, self.shapes(trial), strict=True))
            drawn = [weight.draw(seed, index, shape) for index, (weight, shape) in places]
            rows.append((*self.stack.pack(drawn), *self.stack.rest_of(seed)))
        parameters, carried, *rest = (np.stack(column) for column in zip(*rows, strict=True))
        return program.start(parameters, carried, rest, self.rule)

    def choices(self, trials: Sequence[Chosen], seeds: Sequence[int]) -> Choices:
        """Return what these models are trained with."""

        def column(name: str) -> Array:
            return np.array([[setting(trial, name)] for trial in trials], np.float64)

        own = None
        if self.padded:
            ones = [[np.ones(shape, self.dtype) for shape in self.shapes(t)] for t in trials]
            own = tf.constant(np.stack([self.stack.pack(arrays)[0] for arrays in ones]))
        keys = [np.random.SeedSequence(seed).generate_state(1) for seed in seeds]
        return Choices(
            {name: tf.constant(column(name)) for name in self.rule.takes},
            tf.constant(column("decay")),
            tf.constant(np.concatenate(keys)),
            tf.constant(column("dropout")[:, 0]),
            own,
        )

    def run(self, state: State, choices: Choices, batches: Array, data: Data) -> tuple[State, Any]:
        """Train for an epoch, as the program of `epoch_program` does.

        Raises: OtherWayError if it must be tried again, with fewer models or otherwise.
        """
        width = batches.shape[1]
        arguments = state, choices, tf.constant(batches), data
        try:
            with _one_at_a_time:
                if width not in self._traced:
                    with _silence():
                        traced = self._epoch.get_concrete_function(*arguments)
                    self._traced[width] = traced
                train = self._traced[width]
            return train(*arguments)  # type: ignore[no-any-return]
        except (ValueError, MemoryError, tf.errors.OpError) as error:
            raise OtherWayError(self._give_way(error, width)) from error

    def _give_way(self, error: Exception, width: int) -> str:
        operation = re.search(r"(?:of op '|defined for )(\w+)", str(error))
        layers = f"layers with {operation[1]}" if operation else "such layers"
        with _one_at_a_time:
            if width > self.most:
                return ""  # another thread was here before
            if width > 1 and isinstance(error, tf.errors.ResourceExhaustedError | MemoryError):
                self.most = width // 2
                return f"memory is short: {self.most} models are trained at a time"
            if width > 1:
                self.most = 1
                return f"{layers} cannot be mapped: their models are trained one at a time"
            if isinstance(error, tf.errors.OpError) and self._compiled:
                self._compile(False)
                return f"{layers} cannot be compiled: their models train as slowly as ever"
        raise error

    def _compile(self, compiled: bool) -> None:
        self._compiled = compiled
        self._epoch = program.epoch_program(self.stack, self.rule, compiled=compiled)
        self._traced: dict[int, Any] = {}

    def weights(self, trial: Chosen, parameters: Array, carried: Array) -> list[Array]:
        """Return a trial's own weights, in the order of `model.weights`, from its rows."""
        return self.stack.unpack(parameters.copy(), carried.copy(), self.shapes(trial))

    def bytes_per_model(self) -> int:
        """Return how much a model's step touches, roughly: parameters, and what layers pass on."""
        sizes = [math.prod(shape) for shape in self.stack.parameters.shapes]
        outputs = sum(shape[-1] for shape in self.stack.parameters.shapes if shape)
        numbers = 8 * sum(sizes) + self.batch_size * 2 * outputs
        return numbers * np.dtype(self.dtype).itemsize


@contextmanager
def _silence() -> Iterator[None]:
    """Keep TensorFlow from logging what an error tells as well."""
    logger = tf.get_logger()
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def built(build: Build, trial: Chosen, x: Array, dtype: str) -> keras.Model:
    """Return the model of `trial`, with its weights made, all in `dtype`."""
    before, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    try:
        model = build(trial)
        if not isinstance(model, keras.Model):
            raise TypeError(f"build must return a keras.Model, got {model!r}")
        if not model.built:
            model(x[:1])
    finally:
        keras.config.set_floatx(before)
        keras.config.set_dtype_policy(policy)
    return model


def _same_outputs(model: keras.Model, wider: keras.Model, x: Array) -> bool:
    """Whether `wider`, given the weights of `model` and zeros around them, computes the same."""
    rng = np.random.default_rng(0)
    weights = [
        weight + (rng.uniform(0, 0.1, weight.shape) if variable.trainable else 0)
        for weight, variable in zip(initial_weights(model, 0), model.weights, strict=True)
    ]
    rows = Rows(tuple(tuple(weight.shape) for weight in wider.weights))
    padded = rows.unpack(rows.pack(weights, "float64"), rows.shapes)
    before = [weight.numpy() for weight in model.weights]
    model.set_weights(weights)
    wider.set_weights(padded)
    same = np.allclose(model(x), wider(x), rtol=1e-4, atol=1e-5)
    model.set_weights(before)
    return bool(same)
