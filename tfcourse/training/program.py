"""One epoch of many models as one compiled program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tfcourse._tensorflow import tf
from tfcourse.training.stacking import Stack, mix
from tfcourse.training.updates import Rule, decayed

Array = npt.NDArray[Any]
Tensor = Any

BLOCK = 512  # validation examples at a time: bounds memory


class Best(NamedTuple):
    """The weights of each model's best epoch; a row per model.

    epoch: from 0, −1 for the first weights, as long as no epoch has a finite loss. accuracy, loss:
    of validation. Best is the highest accuracy, at a tie the lowest loss.
    """

    parameters: Tensor
    carried: Tensor
    epoch: Tensor
    accuracy: Tensor
    loss: Tensor


class State(NamedTuple):
    """Everything that training changes; a row per model.

    update: the update rule's state. step: mini-batches so far. sound: whether the loss was finite
    at every step.
    """

    parameters: Tensor
    carried: Tensor
    rest: list[Tensor]
    update: tuple[Tensor, ...]
    step: Tensor
    sound: Tensor
    best: Best


class Data(NamedTuple):
    """Training set, and validation set in blocks (blocks, examples, …) of equal size.

    counts: 1 where a validation example is one, 0 where it fills the last block. total: of them.
    """

    x: Tensor
    y: Tensor
    x_validation: Tensor
    y_validation: Tensor
    counts: Tensor
    total: Tensor


class Choices(NamedTuple):
    """What each model is trained with, a row per model.

    update: hyperparameters of the update rule, and decay: (models, 1) float64. keys, dropout: see
    `Stack`. own: 1 for parameters of the model's own, 0 for padding; none without padding.
    """

    update: Mapping[str, Tensor]
    decay: Tensor
    keys: Tensor
    dropout: Tensor
    own: Tensor | None


def data(x: Array, y: Array, x_validation: Array, y_validation: Array, dtype: str) -> Data:
    """Put the data where programs can use it."""
    count = len(x_validation)
    blocks = -(-count // BLOCK)
    rows = np.arange(blocks * -(-count // blocks)).reshape(blocks, -1)
    filled = np.minimum(rows, count - 1)
    return Data(
        tf.constant(x, _kind(x, dtype)),
        tf.constant(y, tf.int32),
        tf.constant(x_validation[filled], _kind(x, dtype)),
        tf.constant(y_validation[filled], tf.int32),
        tf.constant(rows < count, dtype),
        tf.constant(count, dtype),
    )


def _kind(x: Array, dtype: str) -> str:
    """Floats as the model computes; whole numbers, such as words of an `Embedding`, as they are."""
    return dtype if np.issubdtype(x.dtype, np.floating) else x.dtype.name


def start(parameters: Array, carried: Array, rest: list[Array], rule: Rule) -> State:
    """Return the state before the first step."""
    weights, others = tf.constant(parameters), tf.constant(carried)
    models = len(parameters)
    least = tf.fill([models], tf.cast(-np.inf, weights.dtype))
    return State(
        weights,
        others,
        [tf.constant(array) for array in rest],
        rule.start(weights, tf.ones([models, 1], weights.dtype)),
        tf.constant(0),
        tf.ones([models], tf.bool),
        Best(weights, others, tf.fill([models], -1), least, -least),
    )


def epoch_program(stack: Stack, rule: Rule, *, compiled: bool = True) -> Any:
    """Return a function that trains all models for one epoch.

    It takes a `State`, the models' `Choices`, mini-batches (steps, models, batch size) as indices,
    and `Data`; it returns the new state, and loss, accuracy, validation loss and validation
    accuracy, shape (4, models). The first two are means over the epoch's mini-batches.
    """
    return tf.function(
        lambda state, choices, batches, data: _epoch(stack, rule, state, choices, batches, data),
        jit_compile=compiled,
        autograph=False,
    )


def _epoch(
    stack: Stack, rule: Rule, state: State, choices: Choices, batches: Tensor, data: Data
) -> tuple[State, Tensor]:
    steps, models, _ = batches.shape
    dtype, number = state.parameters.dtype, state.step // steps
    rate = decayed(choices.update["learning_rate"], choices.decay, number)
    choices = choices._replace(update={**choices.update, "learning_rate": rate})

    def step(index: Tensor, state: State, sums: Tensor) -> tuple[Tensor, State, Tensor]:
        state, figures = _step(stack, rule, state, choices, batches[index], data)
        return index + 1, state, sums + figures

    _, state, sums = tf.while_loop(
        lambda index, *_: index < steps,
        step,
        (tf.constant(0), state, tf.zeros([2, models], dtype)),
        maximum_iterations=steps,
    )
    figures = tf.concat([sums / steps, _validate(stack, state, choices, data)], axis=0)
    return state._replace(best=_best(state, number, figures)), figures


def _step(
    stack: Stack, rule: Rule, state: State, choices: Choices, rows: Tensor, data: Data
) -> tuple[State, Tensor]:
    """One mini-batch of every model; a model whose loss is not finite stays where it is."""
    x, y = tf.gather(data.x, rows), tf.gather(data.y, rows)
    with tf.GradientTape() as tape:
        tape.watch(state.parameters)
        logits, penalty, carried, rest = stack.forward(
            state.parameters,
            state.carried,
            state.rest,
            mix(choices.keys + tf.cast(state.step, tf.uint32)),
            choices.dropout,
            x,
            training=True,
        )
        losses, hits = _score(logits, y)
        loss = tf.reduce_mean(losses, axis=1) + penalty
        total = tf.reduce_sum(loss)
    gradients = tape.gradient(total, state.parameters)
    if choices.own is not None:
        gradients *= choices.own
    figures = tf.stack([loss, tf.reduce_mean(hits, axis=1)])
    # Of all figures, so that the update waits for whatever reads the parameters: then the compiler
    # updates them in place instead of copying them.
    sound = state.sound & tf.reduce_all(tf.math.is_finite(figures), axis=0)
    parameters, update = rule.update(state.parameters, gradients, state.update, **choices.update)
    state = state._replace(
        parameters=_select(sound, parameters, state.parameters),
        carried=_select(sound, carried, state.carried),
        rest=rest,
        update=update,
        step=state.step + 1,
        sound=sound,
    )
    return state, figures


def _validate(stack: Stack, state: State, choices: Choices, data: Data) -> Tensor:
    """Loss and accuracy of every model on the whole validation set, (2, models)."""
    models, dtype = state.parameters.shape[0], state.parameters.dtype

    def block(index: Tensor, sums: Tensor) -> tuple[Tensor, Tensor]:
        x, y, counts = data.x_validation[index], data.y_validation[index], data.counts[index]
        logits, penalty, _, _ = stack.forward(
            state.parameters,
            state.carried,
            state.rest,
            choices.keys,
            choices.dropout,
            tf.tile(x[tf.newaxis], [models] + [1] * x.shape.rank),
            training=False,
        )
        losses, hits = _score(logits, tf.tile(y[tf.newaxis], [models, 1]))
        both = tf.stack([losses + penalty[:, tf.newaxis], hits])
        return index + 1, sums + tf.reduce_sum(both * counts, axis=2)

    blocks = data.counts.shape[0]
    start = tf.constant(0), tf.zeros([2, models], dtype)
    # A loop of one turn would hide from the compiler that there is nothing to slice.
    once = blocks == 1
    _, sums = block(*start) if once else tf.while_loop(lambda i, _: i < blocks, block, start)
    return sums / data.total


def _best(state: State, number: Tensor, figures: Tensor) -> Best:
    """Of every model, the best of the epochs so far, epoch `number` among them."""
    (loss, _, validation_loss, accuracy), best = tf.unstack(figures), state.best
    tie = (accuracy == best.accuracy) & (validation_loss < best.loss)
    better = tf.math.is_finite(loss) & ((accuracy > best.accuracy) | tie)
    return Best(
        _select(better, state.parameters, best.parameters),
        _select(better, state.carried, best.carried),
        tf.where(better, number, best.epoch),
        tf.where(better, accuracy, best.accuracy),
        tf.where(better, validation_loss, best.loss),
    )


def _score(logits: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy of every example, and 1 where the guess is right, (models, examples)."""
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
    guesses = tf.argmax(logits, axis=-1, output_type=y.dtype)
    return losses, tf.cast(guesses == y, logits.dtype)


def _select(which: Tensor, new: Tensor, old: Tensor) -> Tensor:
    return tf.where(which[:, tf.newaxis], new, old)
