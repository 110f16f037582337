"""What a `build` reads, sets, shares or draws outside of itself, and what it leaves as it was."""

import argparse
import copy
import functools
import importlib
import os
import sys
import types
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf
from zoo import DATA

from tfcourse.training import Data, train
from tfcourse.training.identity import _is_standard, fingerprint
from tfcourse.training.models import Builder

layers = keras.layers
BLOBS = DATA["classes"]()
WAYS = "compiled", "keras"


def model(*middle, loss="sparse_categorical_crossentropy", rate=0.01):
    made = keras.Sequential([keras.Input((6,)), *middle, layers.Dense(3, "softmax")])
    made.compile(keras.optimizers.SGD(rate), loss)
    return made


def trained(build, trials, data=BLOBS, **how):
    finished = train(build, trials, data, epochs=how.pop("epochs", 1), **how)
    return sorted((one for chunk in finished for one in chunk), key=lambda one: one.trial)


FACTOR = 1.0
UNITS = 8
HELD = types.SimpleNamespace(factor=1.0)
WEIGHTS = np.ones(3, "float32")


def by_global(y, predicted):
    return FACTOR * keras.losses.sparse_categorical_crossentropy(y, predicted)


def by_object(y, predicted):
    return HELD.factor * keras.losses.sparse_categorical_crossentropy(y, predicted)


def by_array(y, predicted):
    weight = tf.gather(WEIGHTS, tf.cast(tf.reshape(y, [-1]), tf.int32))
    return weight * keras.losses.sparse_categorical_crossentropy(y, predicted)


def set_global(h):
    global FACTOR
    FACTOR = h["factor"]
    return model(loss=by_global)


def set_object(h):
    HELD.factor = h["factor"]
    return model(loss=by_object)


@pytest.mark.parametrize("engine", WAYS)
@pytest.mark.parametrize("build", [set_global, set_object])
def test_each_model_is_trained_with_what_its_own_build_set(build, engine):
    trials = [{"factor": factor} for factor in (1.0, 5.0, 25.0)]
    for one in trained(build, trials, engine=engine, seeds=[7] * 3):
        evaluated = one.model().evaluate(BLOBS.x_validation, BLOBS.y_validation, verbose=0)
        assert one.history["val_loss"][-1] == pytest.approx(evaluated, rel=1e-4)


@pytest.mark.parametrize(
    ("name", "values"), [("UNITS", (8, 5)), ("WEIGHTS", (WEIGHTS, 9 * WEIGHTS))]
)
def test_what_was_changed_between_two_trainings_counts(name, values, monkeypatch):
    def build(h):
        return model(layers.Dense(UNITS), loss=by_array)

    found = []
    for value in values:
        monkeypatch.setitem(globals(), name, value)
        found += trained(build, [{}], seeds=[3])
    shapes = [[w.shape for w in one.weights] for one in found]
    assert shapes[0] != shapes[1] or found[1].history["loss"] > 5 * found[0].history["loss"]


ARGUMENTS = argparse.Namespace(factor=1.0)
TENSOR, PARTIAL, SET = tf.constant(1.0), functools.partial(np.multiply, 1.0), {1.0}


class Unserializable(layers.Layer):
    """Keras cannot tell the configuration of a model that has it."""

    def __init__(self, columns):
        super().__init__()
        self.columns = columns

    def get_config(self):
        return {"columns": self.columns}

    def call(self, x):
        return keras.ops.stack([x[:, column] for column in sorted(self.columns)], axis=1)


def of_class(attribute, read):
    """A model of a layer whose class holds this."""

    class Scaled(layers.Layer):
        held = attribute

        def call(self, x):
            return x * read(type(self).held)

    return model(Scaled())


def merged(factor):
    inputs = keras.Input((6,))
    x = Unserializable({0, 1, 2})(inputs)
    one, other = layers.Dense(4, "tanh")(x), layers.Dense(4, "sigmoid")(x)
    made = keras.Model(inputs, layers.Dense(3, "softmax")(one - factor * other))
    made.compile("sgd", "sparse_categorical_crossentropy")
    return made


OUTSIDE = {
    "a namespace": lambda f: ARGUMENTS.__setattr__("factor", f),
    "a tensor": lambda f: globals().update(TENSOR=tf.constant(f)),
    "a partial function": lambda f: globals().update(PARTIAL=functools.partial(np.multiply, f)),
    "a set": lambda f: globals().update(SET={f}),
    "the environment": lambda f: os.environ.update(FACTOR=str(f)),
}
READ = {
    "a namespace": lambda x: x * ARGUMENTS.factor,
    "a tensor": lambda x: x * TENSOR,
    "a partial function": lambda x: x * PARTIAL(1.0),
    "a set": lambda x: x * max(SET),
    "the environment": lambda x: x * float(os.environ["FACTOR"]),
}
INSIDE = {
    "an array of a class": lambda f: of_class(np.full(6, f, "float32"), np.copy),
    "a partial function of a class": lambda f: of_class(
        functools.partial(np.multiply, f), lambda held: held(1.0)
    ),
    "an object of a class": lambda f: of_class(
        argparse.Namespace(factor=f), lambda held: held.factor
    ),
    "a graph that cannot be told": merged,
}


@pytest.mark.parametrize("kind", [*OUTSIDE, *INSIDE])
def test_models_that_differ_in_what_they_read_alone_are_not_taken_for_the_same(kind, monkeypatch):
    monkeypatch.setenv("FACTOR", "1.0")

    def build(h):
        if kind in INSIDE:
            return INSIDE[kind](h["factor"])
        OUTSIDE[kind](h["factor"])
        return model(layers.Lambda(READ[kind]))

    trials, data = [{"factor": 1.0}, {"factor": 20.0}], Data(BLOBS.x, BLOBS.y)
    ours, theirs = (trained(build, trials, data, seeds=[7, 7], engine=e) for e in WAYS)
    alone = trained(build, trials[1:], data, seeds=[7])
    assert abs(theirs[0].history["loss"] / theirs[1].history["loss"] - 1) > 0.01
    for one, other in zip([*ours, *alone], [*theirs, theirs[1]], strict=True):
        np.testing.assert_allclose(one.history["loss"], other.history["loss"], rtol=1e-3)


def test_a_file_of_the_users_may_be_named_as_one_of_pythons(tmp_path, monkeypatch):
    text = """
from numpy import tanh
from keras import layers, ops
def scaled(factor):
    class Scaled(layers.Layer):
        def call(self, x):
            return x * float(tanh(factor))
    return Scaled()
"""
    (tmp_path / "sched.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sched", raising=False)
    scaled = importlib.import_module("sched").scaled
    try:
        one, other = (fingerprint(type(scaled(factor))) for factor in (0.1, 2.0))
    finally:
        del sys.modules["sched"]
        _is_standard.cache_clear()
    assert one != other


def test_an_object_that_was_changed_between_two_trainings_counts(monkeypatch):
    def build(h):
        return model(layers.Dense(ARGUMENTS.factor))

    data = Data(BLOBS.x, BLOBS.y)
    for units in (2, 5):
        monkeypatch.setattr(ARGUMENTS, "factor", units)
        [one] = trained(build, [{}], data)
        assert one.weights[0].shape == (6, units)


def test_programs_are_kept_though_a_build_notes_its_calls():
    calls = []

    def build(h):
        calls.append(dict(h))
        return model()

    data = Data(BLOBS.x, BLOBS.y)
    for _ in range(2):
        trained(build, [{}], data)
    assert len(data.programs) == 1


@pytest.fixture
def base():
    made = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(8, "relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
        ]
    )
    made.trainable = False
    return made


@pytest.mark.parametrize("engine", WAYS)
def test_a_frozen_base_made_outside_is_used_as_it_is_and_left_so(base, engine):
    before = base.get_weights()

    def build(h):
        inputs = keras.Input((6,))
        x = layers.Dense(4, h["activation"])(base(inputs, training=False))
        made = keras.Model(inputs, layers.Dense(3, "softmax")(x))
        made.compile("sgd", "sparse_categorical_crossentropy")
        return made

    finished = trained(build, [{"activation": a} for a in ("relu", "tanh", "relu")], engine=engine)
    for one in finished:
        assert one.error is None and one.notes == ()
        evaluated = one.model().evaluate(BLOBS.x_validation, BLOBS.y_validation, verbose=0)
        assert one.history["val_loss"][-1] == pytest.approx(evaluated, rel=1e-4)
    for own, now in zip(before, base.get_weights(), strict=True):
        np.testing.assert_array_equal(own, now)
    base(BLOBS.x, training=True)
    assert isinstance(base.layers[-1].rate, float)


def test_what_is_trained_must_be_made_by_build(base):
    base.trainable = True
    [one] = trained(lambda h: model(base), [{}])
    assert one.error.startswith("InputError: build must make what it trains, but ")


def test_loaded_weights_of_many_models_are_kept_once():
    loaded = [np.random.default_rng(0).normal(size=shape) for shape in ((6, 3), (3,))]

    def build(h):
        made = model(rate=h["rate"])
        made.set_weights(loaded)
        return made

    builder = Builder(build, BLOBS)
    first, second = (builder.blueprint({"rate": rate}, 0).first for rate in (0.1, 0.2))
    assert all(one.value is other.value for one, other in zip(first, second, strict=True))


class Drawing(keras.Model):
    """Draws from NumPy's stream while it trains."""

    def __init__(self):
        super().__init__()
        self.last = layers.Dense(3, "softmax")

    def call(self, inputs, training=False):
        return self.last(inputs + np.random.normal(size=inputs.shape) if training else inputs)


def test_an_eager_model_that_draws_is_repeatable():
    def build(h):
        made = Drawing()
        made.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
        return made

    state = np.random.get_state()[1].copy()
    once, again = (trained(build, [{}] * 3) for _ in range(2))
    for one, other in zip(once, again, strict=True):
        np.testing.assert_array_equal(one.history["loss"], other.history["loss"])
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_tensorflows_stream_follows_the_users_seed_after_training():
    drawn = []
    for seed in (1, 2, 1):
        keras.utils.set_random_seed(seed)
        trained(lambda h: model(), [{}])
        drawn.append(float(tf.random.uniform(())))
    assert drawn[0] == drawn[2] != drawn[1]


def test_what_the_user_allows_to_be_loaded_is_allowed_where_models_are_built():
    told = keras.saving.serialize_keras_object(layers.Lambda(lambda x: 2 * x))

    def build(h):
        return model(keras.saving.deserialize_keras_object(copy.deepcopy(told)))

    def allowing():  # in a thread of its own, which ends with what it allowed
        keras.config.enable_unsafe_deserialization()
        return trained(build, [{}])

    assert "safe" in trained(build, [{}])[0].error
    with ThreadPoolExecutor(1) as pool:
        [one] = pool.submit(allowing).result()
    assert one.error is None


def test_a_scope_of_custom_objects_holds_where_models_are_built():
    class Doubled(layers.Layer):
        def call(self, x):
            return 2 * x

    def build(h):
        return model(layers.deserialize({"class_name": "Doubled", "config": {}}))

    assert "Doubled" in trained(build, [{}])[0].error
    with keras.saving.custom_object_scope({"Doubled": Doubled}):
        [one] = trained(build, [{}])
    assert one.error is None


def test_a_loss_that_sums_is_the_same_in_both_engines_however_many_examples():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(760, 5)).astype("float32")
    data = Data(x[:60], x[:60] @ np.arange(5.0), x[60:], x[60:] @ np.arange(5.0))

    def build(h):
        made = keras.Sequential([keras.Input((5,)), layers.Dense(1)])
        made.compile(keras.optimizers.SGD(1e-3), keras.losses.MeanSquaredError(reduction="sum"))
        return made

    ours, theirs = (trained(build, [{}], data, engine=engine)[0].history for engine in WAYS)
    np.testing.assert_allclose(ours["val_loss"], theirs["val_loss"], rtol=1e-4)


def test_steps_that_do_not_fill_an_execution_are_taken_too():
    def build(h):
        made = model()
        made.compile("sgd", "sparse_categorical_crossentropy", steps_per_execution=2)
        return made

    trials = [{"batch_size": 20}]
    ours, theirs = (trained(build, trials, engine=engine)[0] for engine in WAYS)
    for own, other in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-6)


def test_a_fixed_size_of_mini_batches_is_refused_in_a_line():
    def build(h):
        made = keras.Sequential([keras.Input(batch_shape=(10, 6)), layers.Dense(3, "softmax")])
        made.compile("sgd", "sparse_categorical_crossentropy")
        return made

    [one] = trained(build, [{}])
    assert one.error == (
        "InputError: the model must leave the size of mini-batches open, got (10, 6) for an input:"
        " write keras.Input((6,))"
    )


def test_a_model_whose_optimizer_scales_its_loss_can_go_on():
    def build(h):
        made = model()
        inner = keras.optimizers.Adam(0.01)
        made.compile(keras.optimizers.LossScaleOptimizer(inner), "sparse_categorical_crossentropy")
        return made

    whole = trained(build, [{}], epochs=2)
    half = trained(build, [{}])
    assert float(
        half[0].model(final=True).optimizer.inner_optimizer.learning_rate
    ) == pytest.approx(0.01)
    more = trained(build, [{}], start=half)
    for own, other in zip(whole[0].final_weights, more[0].final_weights, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-6)
