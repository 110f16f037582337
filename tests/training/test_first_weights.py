"""First weights: what `build` leaves to chance is drawn by the seed, and nothing is torn apart."""

import keras
import numpy as np
import pytest
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


def target_network(h):
    online, target = layers.Dense(6, name="online"), layers.Dense(6, trainable=False)
    inputs = keras.Input((6,))
    both = layers.Concatenate()([online(inputs), target(inputs)])
    target.set_weights(online.get_weights())
    made = keras.Model(inputs, layers.Dense(3, "softmax")(both))
    made.compile("sgd", "sparse_categorical_crossentropy")
    return made


def shared_initializer(h):
    same = keras.initializers.HeNormal()
    return model(*(layers.Dense(6, kernel_initializer=same) for _ in range(2)))


def ticket(h):
    made = model(layers.Dense(6))
    kernel, last = made.layers[0].kernel.numpy(), made.layers[-1]
    last.set_weights([(kernel[:, :3] > 0).astype("float32"), np.zeros(3)])
    return made


RELATED = {
    "a copy": (target_network, lambda w: np.array_equal(w[0], w[2])),
    "one initializer": (shared_initializer, lambda w: np.array_equal(w[0], w[2])),
    "signs": (ticket, lambda w: np.array_equal(w[0][:, :3] > 0, w[2])),
}


@pytest.mark.parametrize("kind", RELATED)
def test_weights_that_depend_on_drawn_ones_still_fit_them_and_follow_the_seed(kind):
    build, fits = RELATED[kind]
    one, again, other = (first(build, seed) for seed in (1, 1, 2))
    assert fits(one) and fits(other)
    assert all(map(np.array_equal, one, again)) and not np.array_equal(one[0], other[0])


def test_a_build_is_not_repeated_for_weights_that_a_seed_of_the_users_decides():
    calls = []

    def build(h):
        calls.append(h)
        return model(layers.Dense(4, kernel_initializer=keras.initializers.HeNormal(seed=5)))

    builder = Builder(build, BLOBS)
    for seed in range(3):
        builder.blueprint({}, seed)
    assert len(calls) == 1
