"""Narrow models in wide programs: with their weights in their places, both compute the same."""

import keras
import numpy as np
import pytest

from tfcourse.training.padding import Layout

layers = keras.layers

KINDS = {
    "dense": lambda n: layers.Dense(n, "relu"),
    "conv": lambda n: layers.Conv1D(n, 2),
    "lstm": lambda n: layers.LSTM(n, return_sequences=True),
    "gru": lambda n: layers.GRU(n, return_sequences=True),
    "simple rnn": lambda n: layers.SimpleRNN(n, return_sequences=True),
}


def model(kind, units):
    """Two layers of a kind with batch norm between, so that one's units are the other's inputs."""
    first, second = (KINDS[kind](n) for n in units)
    between = layers.BatchNormalization()
    last = layers.Dense(2, "softmax")
    return keras.Sequential([keras.Input((6, 4)), first, between, second, last])


@pytest.mark.parametrize("kind", KINDS)
def test_a_narrow_models_weights_in_a_wide_one_compute_the_same(kind):
    narrow, wide = model(kind, (2, 3)), model(kind, (5, 4))
    rng = np.random.default_rng(0)
    weights = [rng.uniform(0.1, 0.9, w.shape).astype("float32") for w in narrow.get_weights()]
    narrow.set_weights(weights)
    layout = Layout(wide, (5, 4, 2), padded=True)
    assert layout.fits((2, 3, 2))
    wide.set_weights(layout.widened(weights, (2, 3, 2)))
    x = rng.normal(size=(3, 6, 4)).astype("float32")
    np.testing.assert_allclose(wide(x), narrow(x), rtol=1e-5, atol=1e-6)
