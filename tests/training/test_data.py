"""What Keras is given: weights of classes, types of arrays, probabilities told from logits."""

import keras
import numpy as np
import pytest

from tfcourse.training import Data, train
from tfcourse.training.outputs import classifier_loss

X, Y = np.zeros((4, 6), np.float32), np.array([0, 1, 2, 1])
CLASSES = {0: 2.0, 1: 0.5}


@pytest.mark.parametrize("y", [Y, Y[:, None], np.eye(3)[Y]], ids=["labels", "column", "one-hot"])
def test_every_example_weighs_once_what_its_class_does_times_its_own_weight(y):
    own = np.array([1.0, 2.0, 3.0, 4.0])
    assert Data(X, y, class_weight=CLASSES).training[2].tolist() == [2, 0.5, 1, 0.5]
    both = Data(X, y, sample_weight=own, class_weight=CLASSES, x_validation=X, y_validation=y)
    assert both.training[2].tolist() == [2, 1, 3, 2]
    assert both.validation[2] is None  # weights of classes count in training alone


@pytest.mark.parametrize("kind", [np.int32, np.int64, np.uint8, bool])
def test_whole_numbers_stay_whole_and_only_float64_becomes_float32(kind):
    x, y, _ = Data({"id": Y.astype(kind), "size": X.astype(np.float64)}, Y).training
    assert (x["id"].dtype, x["size"].dtype, y.dtype) == (kind, np.float32, Y.dtype)


@pytest.mark.parametrize("engine", ["compiled", "keras"])
def test_lists_of_inputs_and_targets_are_taken_as_tuples_are(engine):
    def build(h):
        inputs = [keras.Input((2,)), keras.Input((4,))]
        x = keras.layers.Concatenate()(inputs)
        model = keras.Model(inputs, [keras.layers.Dense(1, name=name)(x) for name in "ab"])
        model.compile("sgd", ["mse", "mae"])
        return model

    x, y = np.random.default_rng(0).normal(size=(2, 20, 6)).astype("float32")
    losses = []
    for kind in (list, tuple):
        data = Data(kind([x[:, :2], x[:, 2:]]), kind([y[:, :1], y[:, 1:2]]))
        [[one]] = train(build, [{"batch_size": 5}], data, epochs=1, engine=engine)
        losses.append(one.history["loss"][0])
    assert losses[0] == losses[1]


LAST = {
    "softmax": [keras.layers.Dense(3, "softmax")],
    "a softmax of its own": [keras.layers.Dense(3), keras.layers.Softmax()],
    "an activation of its own": [keras.layers.Dense(3), keras.layers.Activation("softmax")],
    "linear": [keras.layers.Dense(3)],
    "a linear activation of its own": [keras.layers.Dense(3), keras.layers.Activation("linear")],
    "linear behind a softmax": [
        keras.layers.Dense(3, "softmax"),
        keras.layers.Activation("linear"),
    ],
}


@pytest.mark.parametrize("last", LAST)
def test_what_no_softmax_was_taken_of_counts_as_logits(last):
    model = keras.Sequential([keras.Input((6,)), *LAST[last]])
    is_probable = np.allclose(np.sum(model(np.ones((2, 6), np.float32)), axis=1), 1)
    assert classifier_loss(model, Data(X, Y)).from_logits != is_probable
