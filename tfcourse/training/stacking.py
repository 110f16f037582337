"""Many Keras models of one architecture as one: variables in rows, the forward pass mapped.

Row i of a flat array holds all variables of model i, so that an update rule is one fused loop over
memory, whatever the number of variables, and keeping the best weights is one selection.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from tfcourse._tensorflow import keras, tf
from tfcourse.training.initialization import FirstWeight, first_weights

Array = npt.NDArray[Any]
Tensor = Any
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Rows:
    """Arrays of these shapes, one set per model, as rows of shape (models, size)."""

    shapes: tuple[Shape, ...]

    @cached_property
    def sizes(self) -> list[int]:
        """Numbers in each array."""
        return [math.prod(shape) for shape in self.shapes]

    def split(self, rows: Tensor) -> list[Tensor]:
        """Return the arrays, each (models, *shape)."""
        if not self.shapes:
            return []
        parts = tf.split(rows, self.sizes, axis=1)
        return [
            tf.reshape(part, [-1, *shape]) for part, shape in zip(parts, self.shapes, strict=True)
        ]

    def join(self, arrays: Sequence[Tensor], models: int, dtype: Any) -> Tensor:
        """Return rows (models, size) of arrays, each (models, *shape)."""
        if not arrays:
            return tf.zeros([models, 0], dtype)
        return tf.concat([tf.reshape(array, [models, -1]) for array in arrays], axis=1)

    def pack(self, arrays: Sequence[Array], dtype: str) -> Array:
        """Return one model's row; arrays smaller than their place are padded with zeros."""
        row = np.zeros(sum(self.sizes), dtype)
        for place, array in zip(self._places(row), arrays, strict=True):
            place[tuple(slice(n) for n in array.shape)] = array
        return row

    def unpack(self, row: Array, shapes: Sequence[Shape]) -> list[Array]:
        """Return one model's arrays from its row, cut to its own `shapes`."""
        return [
            place[tuple(slice(n) for n in own)]
            for place, own in zip(self._places(row), shapes, strict=True)
        ]

    def _places(self, row: Array) -> Iterator[Array]:
        """Each array's place in a row, as a view of its shape."""
        start = 0
        for size, shape in zip(self.sizes, self.shapes, strict=True):
            yield row[start : start + size].reshape(shape)
            start += size


class Stack:
    """A Keras model taken as the pattern of many.

    parameters, carried: where trainable variables and the others (such as batch norm's moving
    statistics) lie in their rows. rest: variables of another type, such as states of random
    generators, which are kept as they are. The model is this object's own: its Dropout layers are
    made to take their masks from outside.
    """

    def __init__(self, model: keras.Model, rate: float) -> None:
        """Take `model` as pattern; its Dropout layers of this `rate` get one per model instead."""
        self.model = model
        self.dtype: str = keras.backend.standardize_dtype(model.compute_dtype)
        floats = [v for v in model.non_trainable_variables if v.dtype == self.dtype]
        self.rest = [v for v in model.non_trainable_variables if v.dtype != self.dtype]
        self.parameters = Rows(tuple(tuple(v.shape) for v in model.trainable_variables))
        self.carried = Rows(tuple(tuple(v.shape) for v in floats))
        self._is_carried = [v.dtype == self.dtype for v in model.non_trainable_variables]
        # Which of model.weights each place holds: weights leave out generators' states.
        places = {id(v): i for i, v in enumerate(model.weights)}
        self.order = [places[id(v)] for v in [*model.trainable_variables, *floats]]
        self.first: list[FirstWeight] = first_weights(model)
        self._dropout: tuple[Tensor, Tensor] | None = None
        dropouts = [x for x in model._flatten_layers() if type(x) is keras.layers.Dropout]
        for number, layer in enumerate(dropouts):
            if layer.noise_shape is None and layer.rate:
                own = None if layer.rate == rate else layer.rate
                layer.call = partial(self._drop, number, own)

    def pack(self, weights: Sequence[Array]) -> tuple[Array, Array]:
        """Return one model's rows, `parameters` and `carried`, from weights as `model.weights`."""
        ordered = [weights[place] for place in self.order]
        count = len(self.parameters.shapes)
        return (
            self.parameters.pack(ordered[:count], self.dtype),
            self.carried.pack(ordered[count:], self.dtype),
        )

    def unpack(self, parameters: Array, carried: Array, shapes: Sequence[Shape]) -> list[Array]:
        """Return weights as `model.weights` from one model's rows, cut to their own `shapes`."""
        ordered = [shapes[place] for place in self.order]
        count = len(self.parameters.shapes)
        arrays = [
            *self.parameters.unpack(parameters, ordered[:count]),
            *self.carried.unpack(carried, ordered[count:]),
        ]
        # Weights of another type, if there are any, are what the model was built with.
        weights = [weight.value for weight in self.first]
        for place, array in zip(self.order, arrays, strict=True):
            weights[place] = array
        return weights

    def rest_of(self, seed: int) -> list[Array]:
        """Return the first value of `rest`: random generators start from (seed, their number)."""
        states = [variable.numpy() for variable in self.rest]
        for number, variable in enumerate(self.rest):
            if variable.name == "seed_generator_state":
                states[number] = np.array([seed % 2**32, number], states[number].dtype)
        return states

    def _drop(self, number: int, rate: float | None, inputs: Tensor, training: bool = False) -> Any:
        if not training:
            return inputs
        assert self._dropout is not None
        key, share = self._dropout
        if rate is not None:
            share = tf.constant(rate, tf.float64)
        drawn = random_bits(mix(key + tf.constant(number, tf.uint32)), inputs.shape)
        dropped = drawn < tf.cast(share * 2.0**32, tf.uint32)
        return tf.where(dropped, tf.zeros_like(inputs), inputs / tf.cast(1 - share, inputs.dtype))

    def forward(
        self,
        parameters: Tensor,
        carried: Tensor,
        rest: Sequence[Tensor],
        keys: Tensor,
        dropout: Tensor,
        x: Tensor,
        training: bool,
    ) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:
        """Apply every model to its own x, shape (models, examples, …).

        keys (uint32), dropout: decide each model's dropout masks, and their share of zeros.
        Returns logits (models, examples, classes), the sum of each model's own losses, such as of
        its regularizers, (models,), and the new `carried` and `rest`.

        Raises: ValueError if some layer cannot be mapped and there are several models.
        """
        models = parameters.shape[0]
        inputs = (
            self.parameters.split(parameters),
            self.carried.split(carried),
            list(rest),
            keys,
            dropout,
            x,
        )
        if models == 1:
            outputs = self._one(training, tf.nest.map_structure(lambda t: t[0], inputs))
            outputs = tf.nest.map_structure(lambda t: t[tf.newaxis], outputs)
        else:
            outputs = tf.vectorized_map(
                partial(self._one, training), inputs, fallback_to_while_loop=False
            )
        logits, penalty, floats, others = outputs
        return logits, penalty, self.carried.join(floats, models, self.dtype), others

    def _one(self, training: bool, inputs: Any) -> Any:
        parameters, carried, rest, key, dropout, x = inputs
        # As `model.fit` does, where the model says what it takes: pixels become floats.
        for taken in getattr(self.model, "inputs", None) or ():
            x = tf.cast(x, taken.dtype)
        floats, others = iter(carried), iter(rest)
        variables = [next(floats if flag else others) for flag in self._is_carried]
        self._dropout = key, dropout
        phase = {"training": training} if self.model._call_has_training_arg else {}
        outputs, variables, losses = self.model.stateless_call(
            parameters, variables, x, **phase, return_losses=True
        )
        self._dropout = None
        penalty = tf.add_n(
            [tf.cast(loss, self.dtype) for loss in losses] or [tf.zeros([], self.dtype)]
        )
        split: tuple[list[Tensor], list[Tensor]] = [], []
        for variable, flag in zip(variables, self._is_carried, strict=True):
            split[0 if flag else 1].append(variable)
        return _logits(outputs), penalty, *split


def _logits(outputs: Tensor) -> Tensor:
    """Return what went into a final softmax, if any: log ŷ from ŷ in float32 loses digits."""
    return outputs._keras_logits if outputs.op.type == "Softmax" else outputs


def mix(bits: Tensor) -> Tensor:
    """Scramble uint32 numbers, one to one (the finalizer of Appleby's MurmurHash3)."""
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        bits = tf.bitwise.bitwise_xor(bits, tf.bitwise.right_shift(bits, _uint32(shift)))
        bits *= _uint32(factor)
    return tf.bitwise.bitwise_xor(bits, tf.bitwise.right_shift(bits, _uint32(16)))


def random_bits(key: Tensor, shape: Sequence[int]) -> Tensor:
    """Uint32 numbers decided by `key` and their place alone, whatever the shape around it.

    Elementwise throughout, so that it maps over models and fuses with what uses it, which
    TensorFlow's random generators do not.
    """
    bits = key
    for size in shape:
        bits = mix(bits[..., tf.newaxis] + tf.constant(np.arange(size, dtype=np.uint32)))
    return bits


def _uint32(number: int) -> Tensor:
    return tf.constant(number, tf.uint32)
