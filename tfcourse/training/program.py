"""One epoch of many models of one architecture as one compiled program.

Row i of a flat array holds all variables of model i, so that an update is one fused loop over
memory, whatever the number of variables, and keeping the best weights is one selection. Within a
step, each model's forward pass, loss and gradients are Keras's own, mapped over the rows.
"""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tfcourse._tensorflow import keras, tf
from tfcourse.training.blueprint import changed, fed, parts
from tfcourse.training.data import blocks, given
from tfcourse.training.kernels import Computed, fast_gradients, mix, plain_accuracies
from tfcourse.training.objective import Objective
from tfcourse.training.updates import CLIPPING, Optimizer, update

Array = npt.NDArray[Any]
Tensor = Any
Shape = tuple[int, ...]
Own = tuple[list[Tensor], list[Tensor], list[Tensor], list[Tensor]]
"""Parameters, carried variables, the rest, and numbers that layers are fed."""


GENERATOR = "seed_generator_state"  # as Keras names the state of a layer's random generator


class UnmappedError(Exception):
    """A model cannot be trained by a compiled program; says why."""


@dataclass(frozen=True)
class Rows:
    """Arrays of these shapes, one set per model, as rows of shape (models, size).

    order: which of `model.weights` each array is.
    """

    shapes: tuple[Shape, ...]
    order: tuple[int, ...]
    dtype: str

    @cached_property
    def sizes(self) -> list[int]:
        """Numbers in each array."""
        return [math.prod(shape) for shape in self.shapes]

    def split(self, rows: Tensor) -> list[Tensor]:
        """Return the arrays, each (models, *shape)."""
        if not self.shapes:
            return []
        cut = tf.split(rows, self.sizes, axis=1)
        return [tf.reshape(row, [-1, *shape]) for row, shape in zip(cut, self.shapes, strict=True)]

    def join(self, arrays: Sequence[Tensor], models: int) -> Tensor:
        """Return rows (models, size) of arrays, each (models, *shape)."""
        if not arrays:
            return tf.zeros([models, 0], self.dtype)
        return tf.concat([tf.reshape(array, [models, -1]) for array in arrays], axis=1)


class Best(NamedTuple):
    """The weights of each model's best epoch so far; a row per model.

    epoch: −1 for the first weights. score: to be as high as can be. loss: decides between equals.
    """

    parameters: Tensor
    carried: Tensor
    epoch: Tensor
    score: Tensor
    loss: Tensor


class State(NamedTuple):
    """Everything that training changes; a row per model.

    slots: the optimizer's. updates: how many it has made, (models, 1). rest: variables of other
    types, such as states of random generators. step: mini-batches so far. moving: whether the model
    still trains: its losses were finite, and its patience has not run out.
    """

    parameters: Tensor
    carried: Tensor
    rest: list[Tensor]
    slots: tuple[Tensor, ...]
    updates: Tensor
    step: Tensor
    moving: Tensor
    best: Best


class Choices(NamedTuple):
    """What each model is trained with, a row per model.

    numbers: of the optimizer, (models, 1) float64. fed: of its layers, (models, numbers). keys:
    decide what random layers draw, uint32. own: 1 for parameters of the model's own, 0 for
    padding; none without padding. patience: epochs without a better one before it stops.
    """

    numbers: Mapping[str, Tensor]
    fed: Tensor
    keys: Tensor
    own: Tensor | None
    patience: Tensor


class Program:
    """A Keras model taken as the pattern of many, and the functions compiled from it.

    State: the model, which is this object's own.
    """

    def __init__(self, model: keras.Model, optimizer: Optimizer, example: Any, y: Any) -> None:
        """Take a compiled model; example, y: a few inputs and their targets.

        Raises: UnmappedError if its variables are of types that cannot stand in rows.
        """
        self.model, self.optimizer = model, optimizer
        predicted = model(example, training=False)
        # Keras makes what losses and metrics need when it first sees targets.
        model.compute_loss(x=example, y=y, y_pred=predicted, training=False)
        names = list(model.compute_metrics(example, y, predicted))
        model.reset_metrics()
        self.metrics = [name for name in names if name != "loss"]
        self._no_metrics = [tf.constant(v.numpy()) for v in model.metrics_variables]
        found = parts(model)
        self._fed = fed(found)
        self._computed = Computed(found)
        own = [(part, name, getattr(part, name)) for part, name in self._fed]
        self._in_tracing = [*own, *self._computed.calls, *plain_accuracies(model.metrics)]
        self.dtype = _dtype(model.trainable_variables[0])
        metrics = set(map(id, model.metrics_variables))
        kept = [v for v in model.non_trainable_variables if id(v) not in metrics]
        self._carried = [v for v in kept if _dtype(v) == self.dtype]
        self._rest = [v for v in kept if _dtype(v) != self.dtype]
        self._first_rest = [v.numpy() for v in self._rest]
        # Weights leave out generators' states.
        places = {id(v): i for i, v in enumerate(model.weights)}
        if any(id(v) in places for v in self._rest):
            raise UnmappedError("the model has weights of several types")

        def rows(variables: Sequence[Any]) -> Rows:
            shapes = tuple(tuple(v.shape) for v in variables)
            return Rows(shapes, tuple(places[id(v)] for v in variables), self.dtype)

        self.parameters, self.carried = rows(model.trainable_variables), rows(self._carried)
        self._constraints = [v.constraint for v in model.trainable_variables]
        self._trains = {"training"} <= set(inspect.signature(model.call).parameters)

    def rest(self, seed: int, epochs: int) -> list[Array]:
        """Variables of other types of a model with this seed and so many epochs behind it."""
        return [
            # Random generators start from the seed and their number.
            np.array([seed % 2**32, number + epochs * 2**16], value.dtype)
            if variable.name == GENERATOR
            else value
            for number, (variable, value) in enumerate(
                zip(self._rest, self._first_rest, strict=True)
            )
        ]

    def figures(self, has_validation: bool) -> list[str]:
        """Names of an epoch's figures, as Keras has them."""
        names = ["loss", *self.metrics]
        return names + [f"val_{name}" for name in names] if has_validation else names

    def epoch(self, objective: Objective, *, compiled: bool) -> Any:
        """Return a function that trains all models for one epoch.

        It takes a `State`, the models' `Choices`, mini-batches (steps, models, batch size) as
        indices, learning rates (steps, models), and `Data.tensors`; it returns the new state, the
        figures (figures, models), and which of the models trained in this epoch and stayed sound.
        """
        epoch = partial(self._epoch, objective)
        return tf.function(epoch, jit_compile=compiled, autograph=False)

    def tracing(self) -> AbstractContextManager[None]:
        """Where its functions must be traced: its layers compute fast there, and as before after.

        A layer may be in other models, too, some of them the user's.
        """
        return changed(self._in_tracing)

    def _epoch(
        self,
        objective: Objective,
        state: State,
        choices: Choices,
        batches: Tensor,
        rates: Tensor,
        data: Any,
    ) -> tuple[State, Tensor, Tensor]:
        training, validation = data
        steps, models, _ = batches.shape
        number = state.step // steps
        state = state._replace(
            moving=state.moving & (number - 1 - state.best.epoch < choices.patience)
        )
        start = [tf.tile(v[tf.newaxis], [models] + [1] * v.shape.rank) for v in self._no_metrics]

        def step(index: Tensor, state: State, sums: Tensor, metrics: Any) -> tuple[Any, ...]:
            batch = tf.nest.map_structure(lambda a: tf.gather(a, batches[index]), given(training))
            state, losses, metrics = self._step(state, choices, batch, rates[index], metrics)
            return index + 1, state, sums + losses, metrics

        _, state, sums, metrics = tf.while_loop(
            lambda index, *_: index < steps,
            step,
            (tf.constant(0), state, tf.zeros([models], self.dtype), start),
            maximum_iterations=steps,
        )
        figures = [sums / steps, *self._results(metrics)]
        sound = tf.math.is_finite(sums)
        if validation[0] is not None:
            losses, metrics = self._validate(state, choices, validation, start)
            figures += [losses, *self._results(metrics)]
            sound &= tf.math.is_finite(losses)
        moving = state.moving & sound
        stacked = tf.stack([tf.cast(figure, self.dtype) for figure in figures])
        names = self.figures(validation[0] is not None)
        score = stacked[names.index(objective.name)] * objective.sign
        loss = stacked[names.index("val_loss" if validation[0] is not None else "loss")]
        state = state._replace(moving=moving, best=_best(state, moving, number, score, loss))
        return state, stacked, moving

    def _step(
        self, state: State, choices: Choices, batch: Any, rates: Tensor, metrics: list[Tensor]
    ) -> tuple[State, Tensor, list[Tensor]]:
        """One mini-batch of every model; a model that no longer moves stays where it is."""
        models = state.parameters.shape[0]
        keys = mix(choices.keys + tf.cast(state.step, tf.uint32))
        own = self._own(state, choices)
        found = _map(self._train_one, own, keys, batch, metrics)
        gradients, squares, loss, carried, rest, metrics = found
        g = self.parameters.join(gradients, models)
        if choices.own is not None:
            g *= choices.own
        moving = state.moving & tf.math.is_finite(loss) & _known(metrics, models)
        parameters, slots = update(
            self.optimizer,
            state.parameters,
            g,
            state.slots,
            tf.cast(rates, self.dtype)[:, tf.newaxis],
            choices.numbers,
            state.updates + 1,
            self.parameters.sizes,
            self.parameters.join(squares, models) if squares else None,
        )
        parameters = self._constrained(parameters)
        state = state._replace(
            parameters=_select(moving, parameters, state.parameters),
            carried=_select(moving, self.carried.join(carried, models), state.carried),
            rest=rest,
            slots=slots,
            updates=state.updates + 1,
            step=state.step + 1,
            moving=moving,
        )
        return state, loss, metrics

    def _own(self, state: State, choices: Choices) -> Own:
        """The models' variables and numbers, each (models, …)."""
        return (
            self.parameters.split(state.parameters),
            self.carried.split(state.carried),
            state.rest,
            tf.unstack(choices.fed, axis=1),
        )

    def _train_one(
        self, own: Own, key: Tensor, batch: Any, metrics: list[Tensor]
    ) -> tuple[Any, ...]:
        parameters = own[0]
        self._computed.begin(key)
        with fast_gradients(), self._scope(own, metrics) as scope:
            loss = self._loss(*batch, training=True)
        # Within the map: gradients of what was mapped are compiled anew for each mini-batch.
        found = tf.gradients(loss, parameters)
        gradients = [
            tf.zeros_like(p) if g is None else tf.convert_to_tensor(g)
            for g, p in zip(found, parameters, strict=True)
        ]
        squares = []
        if any(isinstance(g, tf.IndexedSlices) for g in found):
            if set(self.optimizer.numbers) & set(CLIPPING):
                raise UnmappedError("an embedding's gradient is clipped word by word")
            squares = [
                tf.square(dense) if g is None else tf.convert_to_tensor(_squared(g))
                for g, dense in zip(found, gradients, strict=True)
            ]
        if any(g is None for g in found) and "weight_decay" in self.optimizer.numbers:
            raise UnmappedError("weights that the loss does not depend on must not decay")
        now = scope.get_current_value
        for variable, value in zip(self.model.trainable_variables, parameters, strict=True):
            if now(variable) is not value:
                raise UnmappedError(f"{variable.path} changes in the forward pass")
        return (
            gradients,
            squares,
            tf.cast(loss, self.dtype),
            [now(v) for v in self._carried],
            [now(v) for v in self._rest],
            [now(v) for v in self.model.metrics_variables],
        )

    def _validate_one(self, own: Own, batch: Any, metrics: list[Tensor]) -> tuple[Any, ...]:
        with self._scope(own, metrics) as scope:
            loss = self._loss(*batch, training=False)
        now = scope.get_current_value
        variables = *self.model.trainable_variables, *self._carried, *self._rest
        for variable, value in zip(variables, itertools.chain(*own[:3]), strict=True):
            if now(variable) is not value and variable.name != GENERATOR:
                raise UnmappedError(f"{variable.path} changes in validation")
        return tf.cast(loss, self.dtype), [now(v) for v in self.model.metrics_variables]

    def _loss(self, x: Any, y: Any, weight: Any = None, *, training: bool) -> Tensor:
        """The loss of one mini-batch as Keras has it; metrics take notice of it too."""
        phase = {"training": training} if self._trains else {}
        predicted = self.model(x, **phase)
        loss = self.model.compute_loss(
            x=x, y=y, y_pred=predicted, sample_weight=weight, training=training
        )
        self.model.compute_metrics(x, y, predicted, sample_weight=weight)
        return loss

    def _scope(self, own: Own, metrics: Sequence[Tensor]) -> keras.StatelessScope:
        """Where the model has these variables and numbers."""
        *values, numbers = own
        for (part, name), number in zip(self._fed, numbers, strict=True):
            object.__setattr__(part, name, number)
        variables = self.model.trainable_variables, self._carried, self._rest
        pairs = zip((*variables, self.model.metrics_variables), (*values, metrics), strict=True)
        return keras.StatelessScope(
            [pair for some, given in pairs for pair in zip(some, given, strict=True)],
            collect_losses=True,
        )

    def _validate(
        self, state: State, choices: Choices, data: Any, start: list[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """Loss of every model on the whole validation set, and what metrics have counted."""
        models, count = state.parameters.shape[0], tf.nest.flatten(data)[0].shape[0]
        number, size = blocks(count)
        own = self._own(state, choices)

        def part(arrays: Any, i: Any) -> Any:
            return tf.nest.map_structure(lambda a: a[i], arrays)

        def block(batch: Any, length: int, sums: Tensor, metrics: Any) -> tuple[Any, ...]:
            # A copy for each model: mapped over one for all, the program compiles for minutes.
            copies = tf.nest.map_structure(
                lambda a: tf.tile(a[tf.newaxis], [models] + [1] * a.shape.rank), batch
            )
            losses, metrics = _map(self._validate_one, own, copies, metrics)
            return sums + losses * length, metrics

        # Cut before the loop: products with rows sliced within it take ten times as long.
        cut = tf.nest.map_structure(
            lambda a: tf.reshape(a[: number * size], [number, size, *a.shape[1:]]), given(data)
        )
        sums, metrics = tf.zeros([models], self.dtype), start
        if number == 1:  # a loop of one turn would hide that there is nothing to slice
            sums, metrics = block(part(cut, 0), size, sums, metrics)
        elif number > 1:
            _, sums, metrics = tf.while_loop(
                lambda i, *_: i < number,
                lambda i, *sofar: (i + 1, *block(part(cut, i), size, *sofar)),
                (tf.constant(0), sums, metrics),
                maximum_iterations=number,
            )
        if left := count - number * size:
            rest = part(given(data), slice(number * size, None))
            sums, metrics = block(rest, left, sums, metrics)
        return sums / count, metrics

    def _results(self, metrics: list[Tensor]) -> list[Tensor]:
        """The metrics of every model, each (models,)."""

        def one(values: list[Tensor]) -> list[Tensor]:
            with keras.StatelessScope(zip(self.model.metrics_variables, values, strict=True)):
                results = self.model.get_metrics_result()
                return [tf.cast(results[name], self.dtype) for name in self.metrics]

        return list(_map(one, metrics)) if self.metrics else []

    def _constrained(self, parameters: Tensor) -> Tensor:
        if not any(self._constraints):
            return parameters

        def one(values: list[Tensor]) -> list[Tensor]:
            pairs = zip(self._constraints, values, strict=True)
            return [value if rule is None else rule(value) for rule, value in pairs]

        found = _map(one, self.parameters.split(parameters))
        return self.parameters.join(found, parameters.shape[0])


def _map(function: Any, *inputs: Any) -> Any:
    """Apply `function` to each model's own inputs: to all at once, or to the only one."""
    if tf.nest.flatten(inputs)[0].shape[0] > 1:
        return tf.vectorized_map(
            lambda values: function(*values), inputs, fallback_to_while_loop=False
        )
    outputs = function(*tf.nest.map_structure(lambda t: tf.squeeze(t, axis=0), inputs))
    return tf.nest.map_structure(lambda t: t[tf.newaxis], outputs)


def _known(arrays: list[Tensor], models: int) -> Tensor:
    """True for every model, but not before the arrays (models, …) are known.

    So the update waits for whatever reads the parameters, and the compiler, which does not see
    that no number is below 0 here, updates them in place instead of copying them.
    """
    flat = [tf.reshape(tf.cast(array, tf.float32), [models, -1]) for array in arrays]
    nan = tf.math.is_nan(tf.concat([*flat, tf.zeros([models, 1])], axis=1))
    return tf.minimum(tf.reduce_sum(tf.cast(nan, tf.int32), axis=1), 0) == 0


def _squared(gradient: Any) -> Any:
    """The square of a gradient as Keras takes it: of an embedding's, place by place."""
    if not isinstance(gradient, tf.IndexedSlices):
        return tf.square(gradient)
    values = tf.square(gradient.values)
    return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)


def _best(state: State, moving: Tensor, number: Tensor, score: Tensor, loss: Tensor) -> Best:
    """Of every model, the best of the epochs so far, epoch `number` among them."""
    best = state.best
    better = (score > best.score) | ((score == best.score) & (loss < best.loss))
    better &= moving & tf.math.is_finite(score)
    return Best(
        _select(better, state.parameters, best.parameters),
        _select(better, state.carried, best.carried),
        tf.where(better, number, best.epoch),
        tf.where(better, score, best.score),
        tf.where(better, loss, best.loss),
    )


def _select(which: Tensor, new: Tensor, old: Tensor) -> Tensor:
    return tf.where(which[:, tf.newaxis], new, old)


def _dtype(variable: Any) -> str:
    return str(keras.backend.standardize_dtype(variable.dtype))
