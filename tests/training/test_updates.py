import keras
import numpy as np
import pytest
import tensorflow as tf

from tfcourse.training.updates import RULES, decayed, rule

STEPS = 200


def keras_optimizer(name, learning_rate, momentum=0.9, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    make = keras.optimizers
    return {
        "gradient_descent": lambda: make.SGD(learning_rate),
        "momentum": lambda: make.SGD(learning_rate, momentum=momentum),
        "rmsprop": lambda: make.RMSprop(learning_rate, rho=momentum, epsilon=epsilon),
        "adam": lambda: make.Adam(learning_rate, beta_1, beta_2, epsilon),
    }[name]()


def gradient(w, curvature):
    """Of a bowl, long in some directions, that is rotated a little at every step."""
    return curvature * (w - 1)


def path_of_keras(optimizer, start, curvature):
    w = keras.Variable(start)
    for _ in range(STEPS):
        optimizer.apply([tf.convert_to_tensor(gradient(w.value, curvature))], [w])
    return w.numpy()


def path_of_rule(name, start, curvature, hyperparameters):
    chosen = rule(name)

    @tf.function(jit_compile=True)
    def run(w):
        state = chosen.start(w, tf.ones([len(w), 1], w.dtype))
        for _ in tf.range(STEPS):
            w, state = chosen.update(w, gradient(w, curvature), state, **hyperparameters)
        return w

    return run(tf.constant(start)).numpy()


SETTINGS = {
    "gradient_descent": [{"learning_rate": 0.001}, {"learning_rate": 0.02}],
    "momentum": [
        {"learning_rate": 0.001, "momentum": 0.5},
        {"learning_rate": 0.01, "momentum": 0.99},
    ],
    "rmsprop": [
        {"learning_rate": 0.001, "momentum": 0.9, "epsilon": 1e-7},
        {"learning_rate": 0.01, "momentum": 0.999, "epsilon": 0.1},
    ],
    "adam": [
        {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7},
        {"learning_rate": 0.03, "beta_1": 0.5, "beta_2": 0.9995, "epsilon": 0.01},
    ],
}


@pytest.mark.parametrize("name", RULES)
def test_each_model_takes_the_path_of_its_own_keras_optimizer(name):
    rng = np.random.default_rng(0)
    start = rng.normal(size=(2, 50)).astype(np.float32)
    curvature = (10 ** rng.uniform(-2, 1, 50)).astype(np.float32)
    both = {
        key: tf.constant([[setting[key]] for setting in SETTINGS[name]], tf.float64)
        for key in SETTINGS[name][0]
    }
    ours = path_of_rule(name, start, curvature, both)
    for row, setting in enumerate(SETTINGS[name]):
        theirs = path_of_keras(keras_optimizer(name, **setting), start[row], curvature)
        np.testing.assert_allclose(ours[row], theirs, rtol=1e-5, atol=1e-5)
        alone = path_of_rule(name, start[row : row + 1], curvature, setting)[0]
        np.testing.assert_allclose(alone, theirs, rtol=1e-5, atol=1e-5)


def test_without_momentum_it_is_gradient_descent():
    start = np.ones((1, 3), np.float32) * 3
    curvature = np.float32([1, 2, 3])
    plain = path_of_rule("gradient_descent", start, curvature, {"learning_rate": 0.01})
    still = path_of_rule("momentum", start, curvature, {"learning_rate": 0.01, "momentum": 0.0})
    np.testing.assert_allclose(plain, still, rtol=1e-6)


def test_adams_first_step_is_the_learning_rate_long():
    w = tf.constant([[1.0, -2.0, 30.0]])
    adam = rule("adam")
    moved, _ = adam.update(w, w, adam.start(w, tf.ones([1, 1])), learning_rate=0.01)
    np.testing.assert_allclose(moved - w, [[-0.01, 0.01, -0.01]], rtol=1e-4)


def test_decay_is_hyperbolic_in_the_epoch():
    rates = decayed(0.2, np.array([0.0, 1.0]), 0), decayed(0.2, np.array([0.0, 1.0]), 3)
    np.testing.assert_allclose(rates, [[0.2, 0.2], [0.2, 0.05]])


def test_an_unknown_rule_offers_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'adam'"):
        rule("adams")
