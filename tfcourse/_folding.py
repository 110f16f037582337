"""Taking the batch norms out of a trained Keras model: the layers beside them do their work."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfcourse._checks import InputError
from tfcourse._tensorflow import keras

_IDLE = (keras.layers.Dropout, keras.layers.GaussianDropout, keras.layers.GaussianNoise)


def fold(model: Any) -> Any:
    """Return the model without its batch norms, as `tfcourse.batch_norm.fold` promises."""
    plan: list[tuple[Any, list[Any]]] = []  # layers to copy, and their weights
    waiting = None  # the batch norm that the next Dense layer must take in
    for layer in _chain(model):
        if isinstance(layer, keras.layers.BatchNormalization):
            before = [i for i, (one, _) in enumerate(plan) if not isinstance(one, _IDLE)][-1:]
            if waiting or layer.axis not in (-1, layer.input_spec.ndim - 1):
                raise _unfoldable(waiting or layer)
            if before and _is_linear(plan[before[0]][0]):
                dense, (kernel, bias) = plan[before[0]]
                slope, shift = _slope_and_shift(layer)
                plan[before[0]] = (dense, [kernel * slope, bias * slope + shift])
            else:
                waiting = layer
            continue
        weights = layer.get_weights()
        if isinstance(layer, keras.layers.Dense):
            kernel, bias = weights if layer.use_bias else (*weights, np.zeros(layer.units))
            weights = [kernel, bias]
            if waiting:
                slope, shift = _slope_and_shift(waiting)
                weights = [slope[:, None] * kernel, bias + shift @ kernel]
                waiting = None
        elif waiting and not isinstance(layer, _IDLE):
            raise _unfoldable(waiting)
        plan.append((layer, weights))
    if waiting:
        raise _unfoldable(waiting)
    return _assemble(model, plan)


def _chain(model: Any) -> list[Any]:
    """Return the model's layers in order, without its input layer; refuse anything but a chain."""
    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        kind = type(model).__name__
        raise InputError(f"model must be a built Sequential or functional Keras model, got {kind}")
    layers = [one for one in model.layers if not isinstance(one, keras.layers.InputLayer)]
    is_chain = not any(isinstance(one, keras.Model) for one in layers)
    if is_chain and not isinstance(model, keras.Sequential):
        sources = [*(one.input for one in layers), model.outputs[0]]
        results = [model.inputs[0], *(one.output for one in layers)]
        is_chain = all(a is b for a, b in zip(sources, results, strict=True))
    if not is_chain:
        raise InputError(
            "model must be one layer after the other, without branches or models inside, "
            f"got {model.name!r}"
        )
    return layers


def _is_linear(layer: Any) -> bool:
    is_dense = isinstance(layer, keras.layers.Dense)
    return is_dense and layer.activation is keras.activations.linear


def _unfoldable(layer: Any) -> ValueError:
    return ValueError(
        "model must have, for each batch norm, a Dense layer without activation before it or a "
        f"Dense layer after it, got neither beside {layer.name!r}"
    )


def _slope_and_shift(layer: Any) -> tuple[Any, Any]:
    """Return s = γ/√(σ² + ε) and t = β − μ s: at inference the layer is z̃ = s z + t."""
    slope = 1 / np.sqrt(np.asarray(layer.moving_variance, np.float64) + layer.epsilon)
    if layer.scale:
        slope = slope * np.asarray(layer.gamma)
    shift = -np.asarray(layer.moving_mean) * slope
    return slope, shift + np.asarray(layer.beta) if layer.center else shift


def _assemble(model: Any, plan: list[tuple[Any, list[Any]]]) -> Any:
    """Return a Keras model of copies of the layers, with the weights given beside them."""
    x = inputs = keras.Input(batch_shape=model.input_shape, dtype=model.inputs[0].dtype)
    for layer, weights in plan:
        config = layer.get_config()
        if isinstance(layer, keras.layers.Dense):
            config["use_bias"] = True
        copy = type(layer).from_config(config)
        x = copy(x)
        copy.set_weights(weights)
        if isinstance(copy, keras.layers.Normalization):
            copy.finalize_state()  # it computes with constants made from its weights
    return keras.Model(inputs, x, name=model.name)
