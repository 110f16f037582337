"""What is drawn while a model is built is decided by the trial's seed, whoever draws it."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfcourse.training.seeds import KNOWN, Seeds, keras_starts_anew

DRAWS = {
    "python": random.random,  # as one has it that was imported before
    "bits": lambda: float(random.getrandbits(40)),
    "choice": lambda: random.choice(range(1000)),
    "numpy": lambda: float(np.random.uniform()),
    "keras": lambda: float(keras.random.uniform(())),
    "initializer": lambda: float(keras.initializers.GlorotUniform()((1, 1))[0, 0]),
    "tensorflow": lambda: float(tf.random.uniform(())),
    "layer": lambda: float(
        keras.ops.sum(keras.layers.GaussianNoise(1.0)(np.ones((1, 3)), training=True))
    ),
}


if not keras_starts_anew():
    del DRAWS["keras"]


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_one_seed_draws_the_same_whatever_was_drawn_before(draw):
    seeds = Seeds()
    once = [seeds.run(draw, seed) for seed in (1, 2, 1)]
    tf.random.uniform(()), keras.random.uniform(())
    assert once[0] == once[2] == seeds.run(draw, 1) == Seeds().run(draw, 1)
    assert once[0] != once[1]


@pytest.mark.parametrize("name", DRAWS)
def test_a_build_runs_again_only_once_and_only_if_it_asked_tensorflow_or_keras(name):
    calls = []

    def build():
        calls.append(name)
        return DRAWS[name]()

    seeds = Seeds()
    for seed in range(KNOWN + 2):
        seeds.run(build, seed)
    assert len(calls) - (KNOWN + 2) == (name in ("keras", "tensorflow"))


def test_pythons_and_numpys_generators_are_left_as_they_were():
    random.seed(3)
    np.random.seed(3)
    before = random.random(), np.random.uniform()
    random.seed(3)
    np.random.seed(3)
    with pytest.raises(ZeroDivisionError):
        Seeds().run(lambda: 1 / 0, 1)
    Seeds().run(lambda: tf.random.uniform(()), 1)
    assert (random.random(), np.random.uniform()) == before


def test_a_build_may_have_another_model_built():
    outer = Seeds()
    drawn = [outer.run(lambda: (Seeds().run(random.random, 5), random.random()), 1) for _ in "12"]
    assert drawn[0] == drawn[1] and outer.drew
    assert "_randbelow" not in vars(random.seed.__self__)


def test_a_build_that_seeds_everything_itself_draws_what_it_says():
    def build():
        keras.utils.set_random_seed(7)
        keras_draws = float(keras.random.uniform(())) if keras_starts_anew() else 0.0
        return float(tf.random.uniform(())), keras_draws, random.random()

    seeds = Seeds()
    assert len({seeds.run(build, seed) for seed in (1, 2, 3)}) == 1


@pytest.mark.parametrize("name", DRAWS)
def test_a_build_that_draws_by_itself_is_noticed(name):
    seeds = Seeds()
    seeds.run(lambda: keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]), 1)
    seeds.run(lambda: keras.layers.Dropout(0.5), 1)
    assert not seeds.drew
    seeds.run(DRAWS[name], 1)
    assert seeds.drew == (name not in ("initializer", "layer"))
