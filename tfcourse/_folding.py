"""The batch norms of a trained Keras model, folded into the Dense layers beside them."""

from __future__ import annotations

from typing import Any

import numpy as np


def fold(model: Any) -> Any:
    """Return a Keras model without batch norm that gives the same outputs at inference.

    A batch norm after a Dense layer without activation is folded into that layer, any other one
    into the Dense layer that follows; dropout between them does nothing at inference. Other layers
    are copied with their weights. The result is not compiled.

    model: built, Sequential or functional, one layer after the other. ValueError is raised if it is
    no such chain, or if a batch norm has no Dense layer beside it.

    >>> model = tfc.build((64,), classes=10)
    >>> [layer.name for layer in tfc.batch_norm.fold(model).layers if "norm" in layer.name]
    []
    """
    from tfcourse._tensorflow import keras  # takes seconds, and the formulas do without

    layers = keras.layers
    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        kind = type(model).__name__
        raise ValueError(f"model must be a built Sequential or functional Keras model, got {kind}")
    chain = [layer for layer in model.layers if not isinstance(layer, layers.InputLayer)]
    goes_in = [*(layer.input for layer in chain), model.outputs[0]]
    comes_out = [model.inputs[0], *(layer.output for layer in chain)]
    joined = all(one is other for one, other in zip(goes_in, comes_out, strict=True))
    if not joined or any(isinstance(layer, keras.Model) for layer in chain):
        shape = "one layer after the other, without branches or models inside"
        raise ValueError(f"model must be {shape}, got {model.name!r}")

    norms = [layer for layer in chain if isinstance(layer, layers.BatchNormalization)]
    weights = {layer: layer.get_weights() for layer in chain if layer not in norms}
    for layer in weights:
        if isinstance(layer, layers.Dense) and not layer.use_bias:
            weights[layer].append(np.zeros(layer.units))
    idle = layers.Dropout, layers.GaussianDropout, layers.GaussianNoise
    active = [layer for layer in chain if not isinstance(layer, idle)]
    for norm in norms:
        position = active.index(norm)
        before, _, after = [None, *active, None][position : position + 3]
        active.remove(norm)
        *affine, mean, variance = norm.get_weights()
        s = (affine[0] if norm.scale else 1) / np.sqrt(variance.astype(np.float64) + norm.epsilon)
        t = (affine[-1] if norm.center else 0) - mean * s  # at inference the layer is z̃ = s z + t
        over_units = norm.axis in (-1, norm.input_spec.ndim - 1)
        is_linear = getattr(before, "activation", None) is keras.activations.linear
        if over_units and is_linear and isinstance(before, layers.Dense):
            kernel, bias = weights[before]
            weights[before] = [kernel * s, bias * s + t]
        elif over_units and isinstance(after, layers.Dense):
            kernel, bias = weights[after]
            weights[after] = [s[:, None] * kernel, bias + t @ kernel]
        else:
            need = (
                "a Dense layer without activation before each batch norm or a Dense layer after it"
            )
            raise ValueError(f"model must have {need}, got neither beside {norm.name!r}")

    x = inputs = keras.Input(batch_shape=model.input_shape, dtype=model.inputs[0].dtype)
    for layer in weights:
        with_bias = {"use_bias": True} if isinstance(layer, layers.Dense) else {}
        copy = type(layer).from_config(layer.get_config() | with_bias)
        x = copy(x)
        copy.set_weights(weights[layer])
        if isinstance(copy, layers.Normalization):
            copy.finalize_state()  # it computes with constants made from its weights
    return keras.Model(inputs, x, name=model.name)
