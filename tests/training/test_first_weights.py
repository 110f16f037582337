"""First weights: what `build` leaves to chance is drawn anew by the seed, and nothing else."""

import keras
import numpy as np
from zoo import DATA

from tfcourse.training.first_weights import initial_weights
from tfcourse.training.models import Builder

BLOBS = DATA["classes"]()
layers = keras.layers


def first(build, seed):
    """The first weights of the model that a seed decides."""
    return initial_weights(Builder(build, BLOBS).blueprint({}, seed).first, seed)


def model(*middle):
    made = keras.Sequential([keras.Input((6,)), *middle, layers.Dense(3, "softmax")])
    made.compile("sgd", "sparse_categorical_crossentropy")
    return made


def test_loaded_weights_are_kept_whatever_the_seed():
    rng = np.random.default_rng(0)
    loaded = [rng.normal(size=shape).astype("float32") for shape in ((6, 4), (4,), (4, 3), (3,))]

    def build(h):
        made = model(layers.Dense(4))
        made.set_weights(loaded)
        return made

    for seed in (1, 2):
        for own, given in zip(first(build, seed), loaded, strict=True):
            np.testing.assert_array_equal(own, given)


def test_what_a_seed_of_the_users_own_decides_is_the_same_under_every_seed():
    def build(h):
        return model(layers.Dense(4, kernel_initializer=keras.initializers.HeNormal(seed=5)))

    (kernel, _, last, _), (same, _, other, _) = first(build, 1), first(build, 2)
    drawn = keras.initializers.HeNormal(seed=5)((6, 4))
    np.testing.assert_array_equal(kernel, drawn)
    np.testing.assert_array_equal(same, drawn)
    assert not np.array_equal(last, other)


def test_no_two_variables_of_one_shape_start_alike():
    kernels = first(lambda h: model(*(layers.Dense(6) for _ in range(4))), 1)[:8:2]
    assert [kernel.shape for kernel in kernels] == [(6, 6)] * 4
    assert len({kernel.tobytes() for kernel in kernels}) == 4
