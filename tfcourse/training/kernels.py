"""What Keras's layers compute, written so that XLA on a processor makes it fast.

Inside a compiled loop XLA takes a hundred times too long for the gradient of a convolution's
kernel and ten times for that of max pooling; both are rewritten here as what it does well. The
gradient of batch norm over images is written as one formula. Random layers draw by mixing bits,
which, unlike TensorFlow's generators, maps over models and fuses with what uses it. All figures are
those that Keras's own layers give, to rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from tfcourse._tensorflow import keras, tf
from tfcourse.training.blueprint import of_axes

Tensor = Any
layers = keras.layers

OVERRIDES = {"Conv2D": "TfcourseConv2D", "MaxPool": "TfcourseMaxPool"}


@contextmanager
def fast_gradients() -> Iterator[None]:
    """Let operations that are made here be differentiated as this module does."""
    with tf.compat.v1.get_default_graph().gradient_override_map(OVERRIDES):
        yield


@tf.RegisterGradient("TfcourseConv2D")  # type: ignore[untyped-decorator]
def _conv2d_gradient(op: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of a convolution, as convolutions: (B, H, W, C) and kernels (h, w, C, D)."""
    x, kernel = op.inputs
    strides, dilations = op.get_attr("strides")[1:3], op.get_attr("dilations")[1:3]
    height, width, channels, _ = kernel.shape
    plain = op.get_attr("data_format") == b"NHWC" and channels == x.shape[3]
    if not plain or None in x.shape or op.get_attr("padding") == b"EXPLICIT":
        return _conv2d_default(op, dy)
    spans = [d * (n - 1) + 1 for d, n in zip(dilations, (height, width), strict=True)]
    pads = _padding(op.get_attr("padding"), x.shape[1:3], dy.shape[1:3], spans, strides)
    padded = tf.pad(x, [[0, 0], *pads, [0, 0]])
    if list(strides) == list(dilations) == [1, 1]:
        # Examples in the place of channels: the kernel's gradient is a convolution of x by dy.
        by_channel = tf.transpose(padded, [3, 1, 2, 0])
        d_kernel = tf.nn.conv2d(by_channel, tf.transpose(dy, [1, 2, 0, 3]), 1, "VALID")
        turned = tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2])
        around = [
            [n - 1 - before, n - 1 - after]
            for n, (before, after) in zip((height, width), pads, strict=True)
        ]
        if min(map(min, around)) >= 0:
            wide = tf.pad(dy, [[0, 0], *around, [0, 0]])
            return tf.nn.conv2d(wide, turned, 1, "VALID"), tf.transpose(d_kernel, [1, 2, 0, 3])
        return _conv2d_default(op, dy)[0], tf.transpose(d_kernel, [1, 2, 0, 3])
    rows = tf.reshape(dy, [-1, dy.shape[3]])
    patches = [
        tf.reshape(_window(padded, (i, j), dy.shape[1:3], strides, dilations), [-1, channels])
        for i in range(height)
        for j in range(width)
    ]
    d_kernel = tf.matmul(tf.concat(patches, axis=1), rows, transpose_a=True)
    return _conv2d_default(op, dy)[0], tf.reshape(d_kernel, kernel.shape)


def _padding(
    kind: bytes, size: Any, result: Any, spans: Sequence[int], strides: Sequence[int]
) -> list[list[int]]:
    """How many zeros TensorFlow puts before and after each of two axes."""
    if kind == b"VALID":
        return [[0, 0], [0, 0]]
    total = [
        max((r - 1) * s + span - n, 0)
        for n, r, span, s in zip(size, result, spans, strides, strict=True)
    ]
    return [[n // 2, n - n // 2] for n in total]


def _window(
    x: Tensor, place: tuple[int, int], size: Any, strides: Sequence[int], dilations: Sequence[int]
) -> Tensor:
    """What one place of the kernel sees: (B, *size, C)."""
    cuts = [
        slice(d * at, d * at + s * (n - 1) + 1, s)
        for at, n, s, d in zip(place, size, strides, dilations, strict=True)
    ]
    return x[:, cuts[0], cuts[1], :]


def _conv2d_default(op: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
    x, kernel = op.inputs
    how = {
        name: op.get_attr(name)
        for name in ("strides", "padding", "explicit_paddings", "data_format", "dilations")
    }
    how |= {name: how[name].decode() for name in ("padding", "data_format")}
    return (
        tf.raw_ops.Conv2DBackpropInput(
            input_sizes=tf.shape(x), filter=kernel, out_backprop=dy, **how
        ),
        tf.raw_ops.Conv2DBackpropFilter(
            input=x, filter_sizes=tf.shape(kernel), out_backprop=dy, **how
        ),
    )


@tf.RegisterGradient("TfcourseMaxPool")  # type: ignore[untyped-decorator]
def _max_pool_gradient(op: Any, dy: Tensor) -> Tensor:
    """Gradient of max pooling: to the first of the largest in each window."""
    (x,), y = op.inputs, op.outputs[0]
    (_, height, width, _), strides = op.get_attr("ksize"), op.get_attr("strides")
    if (
        list(op.get_attr("ksize")) != list(strides)
        or op.get_attr("data_format") != b"NHWC"
        or None in x.shape
        or (op.get_attr("padding") != b"VALID" and (x.shape[1] % height or x.shape[2] % width))
    ):
        return tf.raw_ops.MaxPoolGrad(
            orig_input=x,
            orig_output=y,
            grad=dy,
            **{n: op.get_attr(n) for n in ("ksize", "strides", "explicit_paddings")},
            padding=op.get_attr("padding").decode(),
            data_format=op.get_attr("data_format").decode(),
        )
    free, rows = tf.ones_like(y, tf.bool), []
    for i in range(height):
        columns = []
        for j in range(width):
            hit = free & (_window(x, (i, j), y.shape[1:3], strides[1:3], (1, 1)) == y)
            free &= ~hit
            columns.append(tf.where(hit, dy, tf.zeros_like(dy)))
        rows.append(tf.stack(columns, axis=3))
    count, down, across, channels = y.shape
    whole = tf.reshape(tf.stack(rows, axis=2), [count, down * height, across * width, channels])
    left = x.shape[1] - down * height, x.shape[2] - across * width
    return tf.pad(whole, [[0, 0], [0, left[0]], [0, left[1]], [0, 0]])


@tf.custom_gradient  # type: ignore[untyped-decorator]
def batch_norm(
    z: Tensor, gamma: Tensor, beta: Tensor, epsilon: Tensor
) -> tuple[tuple[Tensor, Tensor, Tensor], Any]:
    """Batch norm of many rows z (n, channels): z̃ = γ z_norm + β, and μ and σ² over the rows.

    Backward, dβ = Σ dz̃, dγ = Σ dz̃ z_norm and dz = γ/√(σ² + ε) (dz̃ − (dβ + z_norm dγ)/n).
    """
    count = tf.cast(z.shape[0], z.dtype)
    ones = tf.ones([1, z.shape[0]], z.dtype)  # sums over rows as products: XLA's own are slower
    mu = tf.matmul(ones, z) / count
    centred = z - mu
    variance = tf.matmul(ones, tf.square(centred)) / count
    scale = tf.math.rsqrt(variance + epsilon)
    z_norm = centred * scale

    def backward(d: Tensor, d_mu: Tensor, d_variance: Tensor) -> tuple[Tensor, ...]:
        # μ and σ² go into the moving averages alone, which the cost does not depend on.
        d_beta, d_gamma = tf.matmul(ones, d), tf.matmul(ones, d * z_norm)
        d_z = gamma * scale * (d - (d_beta + z_norm * d_gamma) / count)
        return d_z, d_gamma[0], d_beta[0], None

    return (gamma * z_norm + beta, mu[0], variance[0]), backward


class Computed:
    """Makes a model's layers compute as this module does, with numbers given from outside.

    calls: what the layers must be called as. State: the key that decides what random layers draw
    in the present step, and how many have drawn since.
    """

    def __init__(self, parts: Sequence[Any]) -> None:
        """Take the layers among a model's `parts`."""
        self.calls: list[tuple[Any, str, Any]] = []
        self._key: Tensor = None
        self._drawn = 0
        random = {
            **dict.fromkeys((layers.Dropout, *of_axes("SpatialDropout{}D")), self._dropout),
            layers.GaussianDropout: self._gaussian_dropout,
            layers.GaussianNoise: self._gaussian_noise,
        }
        for part in parts:
            if type(part) in random:
                self.calls.append((part, "call", _in_training(random[type(part)], part)))
            elif type(part) is layers.BatchNormalization:
                self.calls.append((part, "call", self._batch_norm(part)))

    def begin(self, key: Tensor) -> None:
        """Start a step: `key` (uint32) decides all that is drawn in it."""
        self._key, self._drawn = key, 0

    def _bits(self, shape: Sequence[int]) -> Tensor:
        self._drawn += 1
        return random_bits(mix(mix(self._key) + _uint32(self._drawn)), shape)

    def _normal(self, like: Tensor) -> Tensor:
        """Normal numbers, by Box and Muller (1958) from two uniform ones."""
        shares = [tf.cast(self._bits(like.shape), tf.float64) + 0.5 for _ in range(2)]
        first, second = (tf.cast(bits / 2.0**32, like.dtype) for bits in shares)
        return tf.sqrt(-2 * tf.math.log(first)) * tf.cos(2 * np.pi * second)

    def _dropout(self, layer: Any, inputs: Tensor) -> Tensor:
        rate, shape = tf.cast(layer.rate, tf.float64), list(inputs.shape)
        if type(layer) is layers.Dropout:  # the spatial ones are Dropouts too
            noise = layer.noise_shape or shape
            shape = [n if m is None else m for n, m in zip(shape, noise, strict=True)]
        else:  # whole channels: the last axis, or the first after the examples
            last = getattr(layer, "data_format", "channels_last") == "channels_last"
            inner = [1] * (len(shape) - 2)
            shape = [shape[0], *inner, shape[-1]] if last else [*shape[:2], *inner]
        everything = rate >= 1  # 2³² fits no uint32, and 1 − rate divides nothing
        share = tf.where(everything, tf.zeros_like(rate), rate)
        dropped = self._bits(shape) < tf.cast(share * 2.0**32, tf.uint32)
        kept = inputs / tf.cast(1 - share, inputs.dtype)
        return tf.where(dropped | everything, tf.zeros_like(inputs), kept)

    def _gaussian_dropout(self, layer: Any, inputs: Tensor) -> Tensor:
        rate = tf.cast(layer.rate, inputs.dtype)
        return inputs * (1 + tf.sqrt(rate / (1 - rate)) * self._normal(inputs))

    def _gaussian_noise(self, layer: Any, inputs: Tensor) -> Tensor:
        return inputs + tf.cast(layer.stddev, inputs.dtype) * self._normal(inputs)

    def _batch_norm(self, layer: Any) -> Any:
        original = layer.call
        if layer.synchronized or getattr(layer, "renorm", False):
            return original

        def call(inputs: Tensor, training: bool | None = None, mask: Tensor = None) -> Tensor:
            rank, narrow = inputs.shape.rank, inputs.dtype not in (tf.float32, tf.float64)
            images = rank > 3 and layer.axis in (-1, rank - 1)  # of fewer rows Keras's is faster
            if not images or not training or not layer.trainable or mask is not None or narrow:
                return original(inputs, training=training, mask=mask)
            rows = tf.reshape(inputs, [-1, inputs.shape[-1]])
            one, zero = tf.ones_like(rows[0]), tf.zeros_like(rows[0])
            gamma = tf.convert_to_tensor(layer.gamma) if layer.scale else one
            beta = tf.convert_to_tensor(layer.beta) if layer.center else zero
            z, mu, variance = batch_norm(rows, gamma, beta, tf.cast(layer.epsilon, rows.dtype))
            kept = tf.cast(layer.momentum, tf.float64)
            for average, new in ((layer.moving_mean, mu), (layer.moving_variance, variance)):
                old, share = tf.cast(kept, new.dtype), tf.cast(1 - kept, new.dtype)
                average.assign(average * old + tf.stop_gradient(new) * share)
            return tf.reshape(z, inputs.shape)

        return call


def _in_training(draw: Any, layer: Any) -> Any:
    def call(inputs: Tensor, training: bool = False) -> Tensor:
        return draw(layer, inputs) if training else inputs

    return call


def plain_accuracies(metrics: Sequence[Any]) -> Iterator[tuple[Any, str, Any]]:
    """Yield what lets metrics' accuracies find the largest output with TensorFlow's own `argmax`.

    Keras's tells 0 from −0 by their bits, which does not map over models and makes XLA compile for
    minutes.
    """
    plain = {
        keras.metrics.sparse_categorical_accuracy: _sparse_categorical_accuracy,
        keras.metrics.categorical_accuracy: _categorical_accuracy,
    }
    for metric in metrics:
        if getattr(metric, "_fn", None) in plain:
            yield metric, "_fn", plain[metric._fn]
        yield from plain_accuracies(getattr(metric, "metrics", ()))


def _sparse_categorical_accuracy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    labels = tf.squeeze(y_true, -1) if len(y_true.shape) == len(y_pred.shape) else y_true
    guesses = tf.argmax(y_pred, axis=-1, output_type=tf.int32)
    return tf.cast(guesses == tf.cast(labels, tf.int32), keras.config.floatx())


def _categorical_accuracy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    return _sparse_categorical_accuracy(tf.argmax(y_true, axis=-1), y_pred)


def mix(bits: Tensor) -> Tensor:
    """Scramble uint32 numbers, one to one (the finalizer of Appleby's MurmurHash3)."""
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        bits = tf.bitwise.bitwise_xor(bits, tf.bitwise.right_shift(bits, _uint32(shift)))
        bits *= _uint32(factor)
    return tf.bitwise.bitwise_xor(bits, tf.bitwise.right_shift(bits, _uint32(16)))


def random_bits(key: Tensor, shape: Sequence[int]) -> Tensor:
    """Uint32 numbers decided by `key` and their place alone, whatever the shape around it."""
    bits = key
    for size in shape:
        bits = mix(bits[..., tf.newaxis] + tf.constant(np.arange(size, dtype=np.uint32)))
    return bits


def _uint32(number: int) -> Tensor:
    return tf.constant(number, tf.uint32)
