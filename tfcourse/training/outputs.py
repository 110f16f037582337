"""What an uncompiled classifier's outputs are, from its last layers: probabilities or logits."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfcourse._checks import InputError
from tfcourse._tensorflow import keras, tf
from tfcourse.training.data import Data

layers = keras.layers

KINDS = {
    keras.activations.softmax: "softmax",
    keras.activations.sigmoid: "sigmoid",
    keras.activations.linear: "logits",
}
PASSING = (layers.Reshape, layers.Flatten, layers.Identity, layers.Dropout, layers.Permute)


def classifier_loss(model: keras.Model, data: Data) -> keras.losses.Loss:
    """Return the cross-entropy that fits a model's outputs and the data's targets.

    Raises: ValueError if the model is none that cross-entropy fits, or if that cannot be told.
    """
    outputs = tf.nest.flatten(getattr(model, "outputs", None) or ())
    advice = "compile the model in build: model.compile(optimizer, loss, metrics)"
    if len(outputs) != 1:
        raise InputError(f"a model that is not compiled must have one output; {advice}")
    (output,) = outputs
    targets = [np.asarray(y) for y in (data.y, data.y_validation) if y is not None]
    if any(y.dtype.kind not in "iub" and y.ndim < 2 for y in targets):
        raise InputError(
            f"targets must be whole numbers for a model that is not compiled, got "
            f"{targets[0].dtype}; {advice}, such as loss='mse'"
        )
    kind = _kind(model, output)
    if kind is None:
        raise InputError(
            f"cannot tell whether the outputs of {model.name} are probabilities or logits; "
            f"end it with a softmax, or {advice}"
        )
    units, rank = output.shape[-1], len(output.shape)
    one_hot = all(y.ndim == rank and y.shape[-1] == units and units > 1 for y in targets)
    if units == 1:
        if kind != "sigmoid":
            raise InputError(
                f"Dense(1) without sigmoid is no classifier; {advice}: loss='mse' for regression"
            )
        return keras.losses.BinaryCrossentropy()
    if kind == "sigmoid":
        raise InputError(
            f"{units} sigmoids are no probabilities of classes; use softmax, or {advice}"
        )
    logits = kind == "logits"
    if one_hot:
        return keras.losses.CategoricalCrossentropy(from_logits=logits)
    classes = 1 + int(max(y.max() for y in targets))
    if rank != 2 or units < classes or min(y.min() for y in targets) < 0:
        raise InputError(
            f"a model must give (examples, {classes} classes), got {tuple(output.shape)}"
        )
    return keras.losses.SparseCategoricalCrossentropy(from_logits=logits)


def _kind(model: keras.Model, tensor: Any) -> str | None:
    """Whether a tensor of the model's graph holds "softmax" or "sigmoid" values, or "logits"."""
    makers = [layer for layer in model.layers if _makes(layer, tensor)]
    if len(makers) != 1:
        return None
    layer = makers[0]
    if isinstance(layer, keras.Model):
        inner = tf.nest.flatten(layer.outputs)
        return _kind(layer, inner[0]) if len(inner) == 1 else None
    if isinstance(layer, PASSING):
        return _kind(model, layer.input)
    if isinstance(layer, layers.Average):
        kinds = {_kind(model, given) for given in layer.input}
        return kinds.pop() if len(kinds) == 1 else None
    if isinstance(layer, layers.Softmax):
        return "softmax"
    if not isinstance(layer, layers.Dense | layers.Activation):
        return None
    found = KINDS.get(layer.activation)
    if found == "logits" and isinstance(layer, layers.Activation):
        return _kind(model, layer.input)
    return found


def _makes(layer: Any, tensor: Any) -> bool:
    try:
        return any(output is tensor for output in tf.nest.flatten(layer.output))
    except (AttributeError, ValueError):  # called more than once, or in no graph
        return False
