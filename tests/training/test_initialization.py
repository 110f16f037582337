import keras
import numpy as np

from tfcourse.training.initialization import first_weights, initial_weights


def small_model(units=8):
    return keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(units, use_bias=False, kernel_initializer="he_normal"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(3, bias_initializer=keras.initializers.Constant(0.25)),
        ]
    )


def test_same_seed_same_weights_whatever_was_built_before():
    first = initial_weights(small_model(), 3)
    small_model()
    again = initial_weights(small_model(), 3)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)


def test_each_seed_and_each_variable_is_drawn_apart():
    kernels = [initial_weights(small_model(units=5), seed)[0] for seed in (0, 1)]
    assert not np.array_equal(*kernels)
    twin = keras.Sequential([keras.Input((4,)), *(keras.layers.Dense(4) for _ in range(2))])
    one, _, two, _ = initial_weights(twin, 0)
    assert not np.array_equal(one, two)


def test_weights_are_what_the_named_initializer_draws():
    model = keras.Sequential(
        [keras.Input((300,)), keras.layers.Dense(400, kernel_initializer="glorot_uniform")]
    )
    kernel, bias = initial_weights(model, 0)
    limit = np.sqrt(6 / 700)
    assert kernel.shape == (300, 400)
    assert np.abs(kernel).max() <= limit
    np.testing.assert_allclose(kernel.std(), limit / np.sqrt(3), rtol=0.01)
    np.testing.assert_array_equal(bias, np.zeros(400))


def test_what_is_not_random_stays_as_built():
    model = small_model()
    drawn = {w.path: v for w, v in zip(model.weights, initial_weights(model, 0), strict=True)}
    ends = {path.split("/")[-1]: value for path, value in drawn.items()}
    np.testing.assert_array_equal(ends["gamma"], np.ones(8))
    np.testing.assert_array_equal(ends["moving_variance"], np.ones(8))
    np.testing.assert_array_equal(ends["bias"], np.full(3, 0.25, np.float32))


def test_frozen_layers_keep_what_they_learnt():
    model = small_model()
    model.layers[0].trainable = False
    before = model.layers[0].get_weights()[0]
    index = [w.path for w in model.weights].index(model.layers[0].weights[0].path)
    np.testing.assert_array_equal(initial_weights(model, 0)[index], before)


def test_a_narrower_model_draws_as_if_it_were_built_so():
    wide, narrow = small_model(8), small_model(6)
    for index, (weight, own) in enumerate(
        zip(first_weights(wide), initial_weights(narrow, 5), strict=True)
    ):
        np.testing.assert_array_equal(weight.draw(5, index, own.shape), own)


def test_a_forget_gate_keeps_its_bias_of_one():
    model = keras.Sequential([keras.Input((4, 2)), keras.layers.LSTM(3)])
    np.testing.assert_array_equal(initial_weights(model, 0)[2][3:6], np.ones(3))
