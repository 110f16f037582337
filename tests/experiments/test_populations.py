"""Many trainings and what became of them, against Keras and the data."""

import numpy as np
import pytest

from tfcourse import softmax
from tfcourse.experiments import _populations
from tfcourse.experiments._inference import logits

TRIALS = [
    {"learning_rate": 0.01, "units": 20, "layers": 2},
    {"learning_rate": 0.01, "units": 30, "layers": 3, "optimizer": "momentum"},
    {"learning_rate": 1e-5, "units": 20, "layers": 2},
]


@pytest.fixture(scope="module")
def outcomes():
    return _populations.train(TRIALS, epochs=3, seed=1)


def test_validation_is_the_best_of_the_curve(outcomes):
    assert outcomes.curves.shape == (3, 3)
    assert np.array_equal(outcomes.validation, outcomes.curves.max(axis=1))
    assert outcomes.validation[0] > 0.8 > 0.5 > outcomes.validation[2]
    test = _populations.test_accuracy(TRIALS, epochs=3, seed=1)
    assert np.abs(test - outcomes.validation).max() < 0.15


def test_the_same_seed_trains_the_same(outcomes):
    again = _populations.train(TRIALS, epochs=3, seed=1)
    assert np.array_equal(again.curves, outcomes.curves)


@pytest.mark.parametrize("position", ["before", "after"])
def test_logits_are_those_of_the_keras_model(position):
    data = _populations.digits()
    model = _populations.classifier(data)({**TRIALS[1], "batch_norm_position": position})
    rng = np.random.default_rng(0)
    weights = [rng.uniform(0.1, 1, w.shape) * np.sign(w + 0.5) for w in model.get_weights()]
    model.set_weights(weights)
    ours = softmax.softmax(logits(weights, data.x_test, after=position == "after"))
    assert ours == pytest.approx(model.predict(data.x_test, verbose=0), abs=1e-4)


def test_digits_are_standardized_rows():
    data = _populations.digits()
    assert data.x_train.shape == (1077, 64) and data.x_test.shape == (360, 64)
    spread = data.x_train.reshape(-1).std()
    assert spread == pytest.approx(1, abs=1e-3)
