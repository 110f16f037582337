"""Layers that are computed otherwise than by Keras: the same figures and gradients, at once."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfcourse.training.blueprint import changed, parts
from tfcourse.training.kernels import Computed, fast_gradients

layers = keras.layers


def drawn(layer, shape, keys):
    """What a random layer makes of ones, for each key."""
    model = keras.Sequential([keras.Input(shape), layer])
    computed, x = Computed(parts(model)), tf.ones((1, *shape))
    with changed(computed.calls):
        for key in keys:
            computed.begin(tf.constant(key, tf.uint32))
            yield layer(x, training=True).numpy()[0]


RANDOM = {
    "dropout": lambda: layers.Dropout(0.3),
    "spatial dropout": lambda: layers.SpatialDropout1D(0.3),
    "gaussian dropout": lambda: layers.GaussianDropout(0.3),
    "gaussian noise": lambda: layers.GaussianNoise(0.3),
}


@pytest.mark.parametrize("kind", RANDOM)
def test_what_a_random_layer_draws_is_decided_by_the_key_and_differs_between_keys(kind):
    one, again, other = drawn(RANDOM[kind](), (8, 300), (5, 5, 6))
    assert np.array_equal(one, again)
    assert abs(np.corrcoef(one[0], other[0])[0, 1]) < 0.2


@pytest.mark.parametrize("kind", RANDOM)
def test_a_random_layer_has_the_mean_and_the_deviation_that_keras_gives_it(kind):
    shape = (1, 20_000)
    [own] = drawn(RANDOM[kind](), shape, [7])
    keras.utils.set_random_seed(1)
    theirs = np.asarray(RANDOM[kind]()(tf.ones((1, *shape)), training=True))
    assert own.mean() == pytest.approx(theirs.mean(), abs=0.02)
    assert own.std() == pytest.approx(theirs.std(), rel=0.03)


def test_spatial_dropout_drops_whole_channels():
    [mask] = drawn(layers.SpatialDropout2D(0.5), (4, 4, 50), [3])
    by_channel = mask.reshape(16, 50)
    assert (by_channel == by_channel[0]).all() and 0 < (by_channel[0] == 0).mean() < 1


@pytest.mark.parametrize(("trainable", "axis"), [(True, -1), (True, 1), (False, -1)])
def test_batch_norm_of_images_is_that_of_keras(trainable, axis):
    x = tf.constant(np.random.default_rng(0).normal(2, 3, (5, 2, 3, 2)), tf.float32)
    found = []
    for own in (True, False):
        layer = layers.BatchNormalization(axis, momentum=0.9, trainable=trainable)
        model = keras.Sequential([keras.Input(x.shape[1:]), layer])
        with changed(Computed(parts(model)).calls if own else []), tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
            loss = tf.reduce_sum(y * weigh(y.shape))
        inputs = [x, *(weight.value for weight in layer.trainable_weights)]
        found.append([y, *tape.gradient(loss, inputs), *layer.non_trainable_weights])
    assert np.array_equal(found[1][-1], np.ones(2)) is not trainable
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def gradients(call, *inputs):
    """Gradients of a sum with weights, as TensorFlow has them and as they are made here."""

    @tf.function
    def own(*given):
        with fast_gradients():
            y = call(*given)
            return tf.gradients(y * weigh(y.shape), given)

    with tf.GradientTape() as tape:
        given = [*map(tf.constant, inputs)]
        tape.watch(given)
        y = call(*given)
        total = tf.reduce_sum(y * weigh(y.shape))
    return tape.gradient(total, given), own(*given)


def weigh(shape):
    return tf.constant(np.random.default_rng(1).normal(size=shape), tf.float32)


@pytest.mark.parametrize(
    "how",
    [
        {"strides": 1, "padding": "VALID"},
        {"strides": 1, "padding": "SAME"},
        {"strides": 2, "padding": "VALID"},
        {"strides": 2, "padding": "SAME"},
        {"strides": 1, "padding": "SAME", "dilations": 2},
    ],
    ids=str,
)
def test_a_convolution_has_the_gradients_of_tensorflow(how):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 7, 6, 3)).astype(np.float32)
    kernel = rng.normal(size=(3, 2, 3, 4)).astype(np.float32)  # no square: places have an order
    for theirs, ours in zip(
        *gradients(lambda x, kernel: tf.nn.conv2d(x, kernel, **how), x, kernel), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("strides", [2, 1])
def test_of_equal_numbers_max_pooling_gives_its_gradient_to_the_first_alone(strides):
    x = np.random.default_rng(0).integers(0, 2, (2, 6, 6, 3)).astype(np.float32)
    (theirs,), (ours,) = gradients(lambda x: tf.nn.max_pool2d(x, 2, strides, "VALID"), x)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
