"""Hyperparameters accept what the lecture tunes, and say what is wrong with the rest."""

import keras
import numpy as np
import pytest

from tfcourse.hyperparameters import ACTIVATIONS, Hyperparameters


def test_units_are_one_number_or_one_per_layer():
    assert Hyperparameters(layers=3, units=50).units_per_layer == (50, 50, 50)
    assert Hyperparameters(layers=2, units=[100, 50]).units_per_layer == (100, 50)
    assert Hyperparameters(layers=0).units_per_layer == ()


def test_numpy_values_become_plain_ones():
    chosen = Hyperparameters(layers=np.int64(3), learning_rate=np.float32(0.5), units=np.int32(7))
    assert (type(chosen.layers), type(chosen.units)) == (int, int)
    assert (type(chosen.learning_rate), chosen.learning_rate) == (float, 0.5)


def test_keras_knows_every_activation():
    assert all(callable(keras.activations.get(name)) for name in ACTIVATIONS)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"layers": -1}, "layers must be a whole number at least 0 and at most 100, got -1"),
        ({"layers": 1.5}, "layers .* got 1.5"),
        ({"units": 0}, "units .* got 0"),
        ({"units": (64, 64, 64)}, "one for each of the 2 layers, got 3"),
        ({"learning_rate": 0}, "learning_rate must be a finite number above 0, got 0"),
        ({"learning_rate": float("inf")}, "got inf"),
        ({"dropout": 1}, "dropout must be a finite number at least 0 and below 1, got 1"),
        ({"momentum": -0.1}, "momentum .* got -0.1"),
        ({"beta_2": float("nan")}, "beta_2 .* got nan"),
        ({"epsilon": 0}, "epsilon .* above 0, got 0"),
        ({"batch_size": 0}, "batch_size .* got 0"),
        ({"epochs": True}, "epochs .* got True"),
        ({"activation": "rellu"}, "did you mean 'relu'"),
        ({"optimizer": "adamm"}, "did you mean 'adam'"),
        ({"batch_norm": 1}, "True or False, got 1"),
        ({"learning_rat": 1}, "did you mean 'learning_rate'"),
    ],
)
def test_what_is_not_accepted_is_named(values, words):
    with pytest.raises((ValueError, TypeError), match=words) as error:
        Hyperparameters.from_mapping(values)
    assert "\n" not in str(error.value)
