"""Narrower models in a wider program: where each number of a narrow model stands in a wide one.

A padded unit has zero weights in and out, kept there by masking their gradients. It changes
nothing: whatever its activation gives, the weights that read it are zero. This holds for layers
that treat each unit, or each channel, apart; how the units of one layer lie in the next one's
weights is followed through the graph of the model. Any other layer, and the model is not padded.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tfcourse._tensorflow import keras, tf
from tfcourse.training.blueprint import SIZED, changed, of_axes, parts, sized
from tfcourse.training.identity import is_of_keras
from tfcourse.training.program import Rows

Array = npt.NDArray[Any]
Places = tuple[Array, ...]  # along each axis of a weight, which indices are a narrow model's
Sizes = tuple[int, ...]
layers = keras.layers

# Layers that treat each element alike, and so leave padded ones apart.
ELEMENTWISE = (
    layers.Activation,
    layers.ReLU,
    layers.LeakyReLU,
    layers.ELU,
    layers.Dropout,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.Rescaling,
    layers.Identity,
    *of_axes("SpatialDropout{}D"),
)
# Layers that keep channels, the last axis, apart.
CHANNELWISE = (
    *of_axes(
        "MaxPooling{}D", "AveragePooling{}D", "GlobalMaxPooling{}D", "GlobalAveragePooling{}D"
    ),
    *of_axes("UpSampling{}D", "ZeroPadding{}D", "Cropping{}D", axes=(1, 2)),
)
SAME_OF_ALL = (layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum)
CONVOLUTIONS = of_axes("Conv{}D")
READERS = (layers.Dense, *CONVOLUTIONS)  # whose outputs are all their own
GATES = {layers.LSTM: 4, layers.GRU: 3, layers.SimpleRNN: 1}
# Activations that treat each unit apart.
APART = {"relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish", "mish", "softplus"}
APART |= {"softsign", "exponential", "linear", "tanh", "sigmoid", "hard_sigmoid", "hard_silu"}
PENALTIES = (keras.regularizers.L1, keras.regularizers.L2, keras.regularizers.L1L2)


class Layout:
    """How models' weights lie in a program's rows.

    State: for each narrow model's sizes, where its weights stand, made when first asked for.
    """

    def __init__(self, model: keras.Model, widest: Sizes, *, padded: bool) -> None:
        """Take the program's model, whose layers of `SIZED` have the sizes `widest`."""
        self.padded = padded
        self._model, self._widest = model, widest
        self._places: dict[Sizes, list[Places] | None] = {}

    def fits(self, sizes: Sizes) -> bool:
        """Whether a model of these sizes can be padded."""
        return sizes == self._widest or self._of(sizes) is not None

    def _of(self, sizes: Sizes) -> list[Places] | None:
        if sizes not in self._places:
            self._places[sizes] = places(self._model, sizes)
        return self._places[sizes]

    def row(self, rows: Rows, weights: Sequence[Array], sizes: Sizes) -> Array:
        """One model's row, from weights as `model.weights`."""
        arrays = [np.asarray(weights[place]) for place in rows.order]
        if self.padded and sizes != self._widest:
            told = zip(arrays, rows.order, rows.shapes, strict=True)
            arrays = [self._wide(array, place, shape, sizes) for array, place, shape in told]
        flat = [array.ravel() for array in arrays]
        return np.concatenate([*flat, np.zeros(0)]).astype(rows.dtype)

    def widened(self, weights: Sequence[Array], sizes: Sizes) -> list[Array]:
        """Weights of the program's model that hold a narrower one's in their places."""
        shapes = [tuple(weight.shape) for weight in self._model.weights]
        pairs = enumerate(zip(weights, shapes, strict=True))
        return [self._wide(array, place, shape, sizes) for place, (array, shape) in pairs]

    def _wide(self, array: Array, place: int, shape: tuple[int, ...], sizes: Sizes) -> Array:
        wide = np.zeros(shape, array.dtype)
        found = self._of(sizes)
        assert found is not None
        wide[np.ix_(*found[place])] = array
        return wide

    def weights(self, sizes: Sizes, *sets: tuple[Rows, Array]) -> list[Any]:
        """Weights as `model.weights` from one model's rows; None where a set is left out."""
        found = self._of(sizes) if self.padded and sizes != self._widest else None
        weights: list[Any] = [None] * len(self._model.weights)
        for rows, row in sets:
            edges = itertools.pairwise(np.cumsum([0, *rows.sizes]))
            for place, shape, (a, b) in zip(rows.order, rows.shapes, edges, strict=True):
                array = row[a:b].reshape(shape)
                weights[place] = (array[np.ix_(*found[place])] if found else array).copy()
        return weights


def wider(model: keras.Model, sizes: Sizes) -> keras.Model | None:
    """Return a model like `model`, of these sizes and compiled alike; none if it can't be."""
    if not is_of_keras(type(model)) or not hasattr(model, "inputs"):
        return None
    pairs = zip(sized(parts(model)), sizes, strict=True)
    with changed([(*place, size) for place, size in pairs]):
        config = _without_built_shapes(model.get_config())
    own = {type(p).__name__: type(p) for p in parts(model) if not is_of_keras(type(p))}
    try:
        made = type(model).from_config(config, custom_objects=own)
        made.compile_from_config(model.get_compile_config())
    except Exception:  # whatever cannot be made again is trained as it is
        return None
    return made if made.compiled else None


def _without_built_shapes(config: Any) -> Any:
    if isinstance(config, dict):
        return {
            key: _without_built_shapes(value)
            for key, value in config.items()
            if key not in ("build_config", "build_input_shape")
        }
    if isinstance(config, list):
        return [_without_built_shapes(value) for value in config]
    return config


def places(model: keras.Model, sizes: Sizes) -> list[Places] | None:
    """Where the weights of a model with these sizes stand in those of `model`; none if nowhere.

    Each tensor between layers is followed as a mask over its axes but the first: what of it is the
    narrow model's.
    """
    pairs = zip(sized(parts(model)), sizes, strict=True)
    own = {id(part): size for (part, _), size in pairs}
    found: dict[int, Places] = {}
    row = isinstance(model, keras.Sequential)  # whose layers know tensors of earlier builds, too
    try:
        whole = [np.ones([n or 1 for n in tensor.shape[1:]], bool) for tensor in model.inputs]
        masks = {id(tensor): mask for tensor, mask in zip(model.inputs, whole, strict=True)}
        last = whole[0]
        for layer in model.layers:
            if isinstance(layer, layers.InputLayer):
                continue
            inputs = [last] if row else [masks[id(t)] for t in tf.nest.flatten(layer.input)]
            mask = _through(layer, inputs, layer.output, own, found)
            if mask is None:
                return None
            last = masks[id(layer.output)] = mask
        if not all(
            mask.all() for mask in ([last] if row else [masks[id(t)] for t in model.outputs])
        ):
            return None
        everywhere = [tuple(np.arange(n) for n in weight.shape) for weight in model.weights]
        return [found.get(id(w), e) for w, e in zip(model.weights, everywhere, strict=True)]
    except (AttributeError, ValueError, KeyError):  # not a plain graph of layers
        return None


def _through(
    layer: Any, inputs: list[Array], output: Any, own: dict[int, int], found: dict[int, Places]
) -> Array | None:
    """The mask of a layer's output; notes in `found` where its weights stand. None: not padded."""
    shape = [n or 1 for n in output.shape[1:]]
    mask = inputs[0]
    narrowed = [
        p for p in parts(layer) if own.get(id(p), 0) != getattr(p, SIZED.get(type(p), ""), 0)
    ]
    if all(m.all() for m in inputs) and not narrowed:
        return np.ones(shape, bool)
    if not _leaves_zeros(layer, narrow=bool(narrowed) or type(layer) not in READERS):
        return None
    channels = mask.reshape(-1, mask.shape[-1])
    even = bool((channels == channels[0]).all())  # the same at all positions
    if type(layer) in ELEMENTWISE or (type(layer) is layers.Flatten and mask.ndim == 1):
        return mask
    if type(layer) is layers.Flatten:
        return mask.ravel()
    if type(layer) is layers.Reshape:
        return mask.reshape(shape)
    if type(layer) is layers.Concatenate:
        axis = layer.axis if layer.axis < 0 else layer.axis - 1
        return np.concatenate(inputs, axis=axis)
    if type(layer) in SAME_OF_ALL:
        return mask if all(np.array_equal(mask, other) for other in inputs) else None
    if not even:
        return None
    kept = np.flatnonzero(channels[0])
    if type(layer) in CHANNELWISE:
        return np.broadcast_to(channels[0], shape)
    if type(layer) is layers.BatchNormalization and layer.axis in (-1, len(mask.shape)):
        found |= {id(weight): (kept,) for weight in layer.weights}
        return mask
    units = np.arange(own.get(id(getattr(layer, "cell", layer)), 0))
    if type(layer) is layers.Dense or type(layer) in CONVOLUTIONS:
        if getattr(layer, "groups", 1) != 1:
            return None
        if getattr(layer, "data_format", None) == "channels_first":
            return None
        for weight in layer.weights:
            inner = [np.arange(n) for n in weight.shape[:-2]]
            found[id(weight)] = (units,) if len(weight.shape) == 1 else (*inner, kept, units)
    elif type(layer) is layers.Embedding:
        found[id(layer.weights[0])] = (np.arange(layer.weights[0].shape[0]), units)
    elif type(layer) in GATES:
        wide = layer.cell.units
        gates = np.concatenate([units + k * wide for k in range(GATES[type(layer)])])
        rows = {"kernel": (kept,), "recurrent_kernel": (units,)}
        for weight in layer.weights:  # GRU has two biases, one below the other
            whole = tuple(np.arange(n) for n in weight.shape[:-1])
            found[id(weight)] = (*rows.get(weight.name, whole), gates)
    else:
        return None
    return np.broadcast_to(np.arange(shape[-1]) < len(units), shape)


def _leaves_zeros(layer: Any, *, narrow: bool) -> bool:
    """Whether its penalties see nothing in zeros, and its activation, if narrow, no other unit."""
    for name, value in vars(getattr(layer, "cell", layer)).items():
        penalty = name.endswith("regularizer") and value is not None
        if penalty and (type(value) not in PENALTIES or name == "activity_regularizer"):
            return False
        activation = narrow and name.endswith("activation") and value is not None
        if activation and getattr(value, "__name__", "") not in APART:
            return False
    return True
