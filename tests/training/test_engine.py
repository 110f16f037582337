import functools
import itertools
import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from zoo import DATA

from tfcourse.training import Data, Objective, chunks, engine, train
from tfcourse.training.batches import epoch_batches
from tfcourse.training.blueprint import read
from tfcourse.training.data import blocks
from tfcourse.training.first_weights import initial_weights
from tfcourse.training.identity import fingerprint
from tfcourse.training.models import Builder
from tfcourse.training.updates import Optimizer, update

EPOCHS = 4
BLOBS = DATA["classes"]()


def build(trial):
    layers = []
    for width in trial.get("units", (6,)):
        layers += [
            keras.layers.Dense(width, use_bias=False),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.Activation("sigmoid"),
        ]
        if trial.get("dropout"):
            layers.append(keras.layers.Dropout(trial["dropout"]))
    last = [keras.layers.Dense(3), keras.layers.Softmax()]
    return keras.Sequential([keras.Input((6,)), *layers, *last])


COMPANY = {"compiled": 2, "keras": 1}  # how many models show what is to be seen


@pytest.fixture(params=COMPANY)
def way(request):
    """Which engine trains; with `model.fit`, its functions run as they are written."""
    if request.param == "keras":
        request.getfixturevalue("eager")
    return request.param


def trial(**chosen):
    return {"batch_size": 20, "learning_rate": 0.01, **chosen}


def trained(trials, data=BLOBS, **how):
    how = {"epochs": EPOCHS, **how}
    finished = (
        one for chunk in train(how.pop("build", build), trials, data, **how) for one in chunk
    )
    return sorted(finished, key=lambda one: one.trial)


def close(first, second, tolerance=1e-4):
    for a, b in zip(first.final_weights, second.final_weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
    for name, figures in first.history.items():
        np.testing.assert_allclose(figures, second.history[name], rtol=tolerance, atol=tolerance)


def same(first, second):
    for a, b in zip(first.final_weights, second.final_weights, strict=True):
        np.testing.assert_array_equal(a, b)


# Of all kinds that share a program: rates, decays, dropouts, units.
MIXED = [
    trial(units=(8, 5), dropout=0.2),
    trial(units=(6, 6), dropout=0.4, learning_rate=0.03),
    trial(units=(7, 4), dropout=0.1, decay=0.5, beta_1=0.5),
]


@pytest.fixture(scope="module")
def together():
    assert len(chunks(build, MIXED, BLOBS, threads=1)) == 1
    return trained(MIXED, threads=1)


@pytest.mark.parametrize("index", range(3))
def test_a_model_in_company_ends_as_it_does_alone(together, index):
    (alone,) = trained([MIXED[index]], seeds=[index])
    close(together[index], alone)


def test_chunks_and_threads_change_nothing_but_rounding(together):
    for one, other in zip(trained(MIXED, threads=2), together, strict=True):
        close(one, other)


class Hits(keras.metrics.Metric):
    """Tells what it has counted as it is kept."""

    def __init__(self):
        super().__init__(name="hits")
        self.count = self.add_weight(shape=(), initializer="zeros")

    def update_state(self, y, predicted, sample_weight=None):
        hits = keras.metrics.sparse_categorical_accuracy(y, predicted)
        self.count.assign(self.count + keras.ops.sum(hits))

    def result(self):
        return self.count


def compiled_build(h, optimizer=None, metrics=()):
    model = build(h)
    own = optimizer or keras.optimizers.SGD(h["learning_rate"])
    model.compile(own, "sparse_categorical_crossentropy", metrics=list(metrics))
    return model


def test_a_metric_that_tells_its_variable_is_read_where_it_counts():
    def counted(h):
        return compiled_build(h, metrics=["accuracy", Hits()])

    [one] = trained([trial()], build=counted)
    assert one.notes == ()  # by a program
    examples = len(BLOBS.y_validation)
    np.testing.assert_allclose(one.history["val_hits"], one.history["val_accuracy"] * examples)


def test_a_schedule_is_asked_by_one_thread_at_a_time(monkeypatch):
    schedules = keras.optimizers.schedules

    def falling(h):
        rate = schedules.PolynomialDecay(h["learning_rate"], 60, 1e-4)
        return compiled_build(h, keras.optimizers.SGD(rate))

    monkeypatch.setattr(engine, "MOST_MODELS", 2)
    same_rate = [trial(learning_rate=0.3, batch_size=4)] * 12
    alone, beside = (trained(same_rate, build=falling, threads=n) for n in (1, 2))
    for one, other in zip(alone, beside, strict=True):
        close(one, other)


def test_models_have_the_dtype_policy_that_the_user_has_set(way):
    before, seen = keras.config.dtype_policy(), set()

    def noted(h):
        model = build(h)
        seen.add(model.layers[0].dtype_policy.name)
        return model

    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        trained([trial()], build=noted, engine=way, epochs=1)
    finally:
        keras.config.set_dtype_policy(before)
    assert seen == {"mixed_bfloat16"}


def test_what_a_build_draws_for_itself_is_its_own_under_each_seed():
    builder = Builder(lambda h: build({"units": (random.choice(range(3, 60)),)}), BLOBS)
    sizes = [builder.blueprint({"x": 1}, seed).sizes for seed in (1, 2, 3, 1)]
    assert sizes[0] == sizes[3] and len(set(sizes)) > 1


def plan(trials, build=build, name="compiled"):
    return engine._Plan(Builder(build, BLOBS), trials, range(len(trials)), EPOCHS, name, None, 4)


@pytest.mark.parametrize("name", COMPANY)
def test_trials_that_are_alike_train_before_the_others_are_built(name):
    built = []

    def counted(h):
        built.append(h["learning_rate"])
        return build(h)

    windows = plan([trial(learning_rate=i / 100) for i in range(1, 25)], counted, name).windows()
    [first] = next(filter(lambda window: window and not window[0].ahead, windows))
    assert [m.trial for m in first.members] == list(range(len(first.members)))
    assert len(set(built)) == max(len(first.members), engine.ALIKE) < 24


@pytest.mark.parametrize("odd", [{"units": (7,)}, {"units": "none"}, {"dropout": 0.3}], ids=str)
def test_a_trial_unlike_the_first_ones_ends_what_is_foreseen_and_none_is_lost(odd):
    trials = [trial(learning_rate=i / 100) for i in range(1, 25)]
    trials[9] = trial(**odd)
    windows = list(plan(trials).windows())
    items = [item for window in windows for item in window if not getattr(item, "ahead", False)]
    own = [
        [m.trial for m in i.members] if isinstance(i, engine.Chunk) else [i.trial] for i in items
    ]
    assert sorted(itertools.chain(*own)) == list(range(24))
    assert own[0] == [0, 1, 2, 3, 4, 5]  # of four threads' shares, the one without it
    for item in items:
        if isinstance(item, engine.Chunk):
            assert item.width >= len(item.members)


def test_compiling_ahead_changes_no_result_and_is_none(monkeypatch):
    alike = [trial(dropout=0.1 * k) for k in range(1, 7)]
    widths = []
    once = engine.train_chunk

    def counted(chunk, run):
        widths.append((len(chunk.members), chunk.width, chunk.epochs))
        return once(chunk, run)

    monkeypatch.setattr(engine, "train_chunk", counted)
    ahead = trained(alike)
    assert widths[0] == (1, widths[1][1], 1)  # the program that the others then take
    assert [one.trial for one in ahead] == list(range(6))
    assert sorted(sum(chunks(build, alike, BLOBS), ())) == list(range(6))
    widths.clear()
    trained(alike)  # its program is there already
    assert min(epochs for _, _, epochs in widths) == EPOCHS
    monkeypatch.setattr(engine, "ALIKE", 99)
    widths.clear()
    for one, other in zip(ahead, trained(alike), strict=True):
        same(one, other)
    assert min(epochs for _, _, epochs in widths) == EPOCHS


def test_what_is_not_wanted_trains_only_in_company(monkeypatch):
    monkeypatch.setattr(engine, "MOST_MODELS", 2)
    trials, data = [trial(learning_rate=0.01 * (k + 1)) for k in range(5)], DATA["classes"]()
    every = trained(trials, data, threads=2)
    told = set()
    some = trained(trials, data, threads=2, wanted=[3], on_epoch=lambda e: told.update(e.trials))
    assert told == {one.trial for one in some} and 3 in told and len(told) == 2
    for one in some:
        same(one, every[one.trial])


def test_two_trainings_are_one_of_twice_the_epochs(way):
    rates = [trial(learning_rate=0.01), trial(learning_rate=0.03)][: COMPANY[way]]
    whole = trained(rates, engine=way)
    half = trained(rates, engine=way, epochs=2)
    for one, other in zip(whole, trained(rates, engine=way, epochs=2, start=half), strict=True):
        close_weights = zip(one.final_weights, other.final_weights, strict=True)
        for a, b in close_weights:
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
        assert other.epochs == EPOCHS
        np.testing.assert_allclose(one.history["loss"][2:], other.history["loss"], rtol=1e-5)


@pytest.mark.parametrize(
    ("examples", "cut"),
    [pytest.param(30, (3, 10), marks=pytest.mark.whole), (31, (3, 8)), (10, (1, 10))],
)
def test_a_validation_set_is_judged_whole_in_however_many_blocks(
    monkeypatch, request, examples, cut
):
    monkeypatch.setattr("tfcourse.training.data.BLOCK", 10)
    assert blocks(examples) == cut  # of 31 seven are left
    data = Data(BLOBS.x, BLOBS.y, BLOBS.x[:examples], BLOBS.y[:examples])
    rates = [trial(learning_rate=0.01), trial(learning_rate=0.03)]
    compiled = trained(rates, data, epochs=2)
    request.getfixturevalue("eager")
    fits = trained(rates, data, epochs=2, engine="keras")
    for one, fitted in zip(compiled, fits, strict=True):
        close(one, fitted)


def test_no_epoch_repeats_the_dropout_masks_of_another_not_even_in_a_model_that_goes_on():
    """Nothing else differs: all examples are alike, and the weights stand still."""
    x, y = np.ones((40, 6), np.float32), np.zeros(40, int)
    data, still = Data(x, y, x[:5], y[:5]), trial(dropout=0.5, learning_rate=1e-12)
    (days,) = trained([still], data, build=dropped, epochs=3)
    (next_day,) = trained([still], data, build=dropped, epochs=1, start=[days])
    (again,) = trained([still], data, build=dropped, epochs=3)
    assert days.history["loss"].tolist() == again.history["loss"].tolist()
    losses = [*days.history["loss"], *next_day.history["loss"]]
    assert len({round(float(loss), 4) for loss in losses}) == 4


def dropped(h):
    middle = keras.layers.Dropout(h["dropout"]), keras.layers.Dense(3, "softmax")
    return keras.Sequential([keras.Input((6,)), *middle])


def test_dropout_masks_differ_from_step_to_step_and_from_layer_to_layer():
    from tfcourse.training.blueprint import parts
    from tfcourse.training.kernels import Computed

    model = keras.Sequential([keras.Input((1000,)), *(keras.layers.Dropout(0.5) for _ in range(2))])
    computed, x = Computed(parts(model)), tf.ones([1, 1000])
    drawn = []
    for key in (1, 2):
        computed.begin(tf.constant(key, tf.uint32))
        for layer in model.layers:
            drawn.append(layer(x, training=True).numpy() > 0)
    for k, mask in enumerate(drawn):
        assert 0.4 < mask.mean() < 0.6
        for other in drawn[:k]:
            assert 0.4 < (mask == other).mean() < 0.6


def test_a_diverged_model_stands_still_and_leaves_the_others_alone():
    def build(h):
        middle = keras.layers.Dense(8, "relu"), keras.layers.Dense(3, "softmax")
        return keras.Sequential([keras.Input((6,)), *middle])

    wild = trial(optimizer="gradient_descent", learning_rate=1e30)
    tame = trial(optimizer="gradient_descent", learning_rate=0.01)
    first, second = trained([wild, tame], threads=1, build=build)
    (alone,) = trained([tame], seeds=[1], build=build)
    close(second, alone)
    assert (first.ended, first.best_epoch, len(first.history["loss"])) == ("diverged", None, 0)
    assert second.ended == "complete"
    start = initial_weights(Builder(build, BLOBS).blueprint(wild, 0).first, 0)
    for a, b in zip(first.weights, start, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_best_epoch_has_the_highest_accuracy_at_a_tie_the_lowest_loss(way):
    rates = [trial(learning_rate=0.3), trial(learning_rate=0.03)][: COMPANY[way]]
    for one in trained(rates, engine=way, epochs=12):
        ranks = list(zip(one.history["val_accuracy"], -one.history["val_loss"], strict=True))
        assert one.best_epoch == ranks.index(max(ranks))
        x, y = BLOBS.x_validation, BLOBS.y_validation
        loss, accuracy = one.model().evaluate(x, y, verbose=0)
        np.testing.assert_allclose(loss, one.history["val_loss"][one.best_epoch], rtol=1e-4)
        np.testing.assert_allclose(accuracy, one.history["val_accuracy"][one.best_epoch])


def test_patience_ends_a_trial_as_keras_ends_it(way):
    chosen = trial(learning_rate=0.3)
    (full,) = trained([chosen], epochs=15)
    (one,) = trained([chosen], epochs=15, patience=2, engine=way)
    scores = list(zip(full.history["val_accuracy"], -full.history["val_loss"], strict=True))
    best = 0
    for epoch, score in enumerate(scores):
        best = epoch if score > scores[best] else best
        if epoch - best >= 2:
            break
    assert (len(one.history["loss"]), one.best_epoch) == (epoch + 1, best)
    assert one.ended == ("stopped" if epoch < 14 else "complete")


def test_an_objective_decides_which_epoch_is_best():
    (one,) = trained([trial()], objective=Objective("loss", "max"))
    assert one.best_epoch == int(np.argmax(one.history["loss"]))
    with pytest.raises(ValueError, match=r"objective must be one of loss, accuracy, .*'auc'"):
        trained([trial()], objective=Objective("auc", "max"))
    with pytest.raises(ValueError, match="direction must be one of max, min, got 'maximize'"):
        Objective("val_accuracy", "maximize")


def test_a_callback_that_raises_ends_training_with_its_own_error():
    def broken(epoch):
        raise BrokenPipeError("nobody listens")

    with pytest.raises(BrokenPipeError, match="nobody listens"):
        trained([trial()], on_epoch=broken)


def test_a_trial_that_cannot_be_built_fails_alone():
    def picky(h):
        if h["learning_rate"] > 0.02:
            raise RuntimeError("too fast")
        return build(h)

    first, second = trained([trial(learning_rate=0.03), trial()], build=picky)
    assert first.error == "RuntimeError: too fast" and first.ended == "failed"
    assert second.error is None


@pytest.mark.parametrize(
    "read",
    [
        lambda h: dict(h)["width"],
        lambda h: {**h}["width"],
        lambda h: h.pop("width"),
        lambda h: dict(h.items())["width"],
        lambda h: h.get("width"),
        lambda h: 3 if "wide" not in h else 9,
        lambda h: max(v for v in h.values() if isinstance(v, int)) % 20 + 3,
    ],
)
def test_a_build_may_read_its_hyperparameters_in_any_way(read):
    def reading(h):
        return keras.Sequential(
            [
                keras.Input((6,)),
                keras.layers.Dense(read(h), "tanh"),
                keras.layers.Dense(3, "softmax"),
            ]
        )

    builder = Builder(reading, BLOBS)
    for chosen in (trial(width=4), trial(width=7, wide=1), trial(width=4)):
        assert builder.blueprint(chosen, 0).shapes[0] == (6, read(dict(chosen)))


def test_first_weights_are_the_same_in_any_company_and_on_any_day():
    def lstm(h):
        middle = keras.layers.LSTM(3), keras.layers.Dense(2, "softmax")
        return keras.Sequential([keras.Input((8, 4)), *middle])

    data = DATA["series"]()
    first = initial_weights(Builder(lstm, data).blueprint({"n": 1}, 7).first, 7)
    keras.layers.Dense(5).build((None, 4))
    np.random.default_rng().normal()
    again = initial_weights(Builder(lstm, data).blueprint({"n": 2}, 7).first, 7)
    other = initial_weights(Builder(lstm, data).blueprint({"n": 2}, 8).first, 8)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first[0], other[0]) and not np.array_equal(first[1], other[1])


def test_functions_that_close_over_different_values_are_told_apart():
    def make(factor):
        return lambda x: x * factor

    assert fingerprint(make(2)) == fingerprint(make(2)) != fingerprint(make(3))
    assert fingerprint(np.ones(3)) != fingerprint(np.zeros(3))
    assert fingerprint(object()) != fingerprint(object())


@pytest.mark.parametrize("place", ["activation", "activity_regularizer", "kernel_regularizer"])
def test_models_given_functions_that_close_over_different_values_share_no_program(place):
    """Keras's configuration tells a function's name alone."""

    def build(h):
        def scaled(x):
            return h["factor"] * keras.ops.sum(x**2, keepdims=place == "activation")

        middle = keras.layers.Dense(4, **{place: scaled}), keras.layers.Dense(3, "softmax")
        return keras.Sequential([keras.Input((6,)), *middle])

    def key(factor):
        return Builder(build, BLOBS).blueprint({"factor": factor}, 0).key

    try:
        build({"factor": 1.0})
    except ValueError:
        pytest.skip("this Keras takes no function here")
    assert key(2.0) == key(2.0) != key(3.0)


class Branches(keras.layers.Layer):
    """A layer of the user's own, with layers, numbers and a weight; their order is in a list."""

    def __init__(self, factor, first=0):
        super().__init__()
        self.one, self.two = keras.layers.Dense(3), keras.layers.Dense(3)
        ways = [(self.one, factor), (self.two, 1.0)]
        self.ways = ways[first:] + ways[:first]

    def build(self, shape):
        self.shift = self.add_weight(shape=(3,))

    def call(self, inputs):
        for layer, factor in self.ways:
            inputs = factor * layer(inputs) + self.shift
        return inputs


class Held(keras.Model):
    """The same layer in a model of the user's own, without a graph."""

    def __init__(self, *how):
        super().__init__()
        self.inner = Branches(*how)

    def call(self, inputs):
        return self.inner(inputs)


@pytest.mark.parametrize("model", [Held, lambda *how: keras.Sequential([Branches(*how)])])
def test_layers_of_ones_own_share_a_program_unless_a_number_or_an_order_in_them_differs(model):
    def key(*how):
        built = model(*how)
        built(np.zeros((1, 3)))
        return read(built, None).key

    assert key(1.0) == key(1.0)
    assert key(1.0) != key(0.5) and key(1.0) != key(1.0, 1)


def test_layers_of_ones_own_that_hold_others_in_another_order_share_no_program():
    """No configuration tells it: the order is changed after the layer was made."""

    def key(step):
        inner = Branches(1.0)
        inner.ways = inner.ways[::step]
        model = keras.Sequential([inner])
        model(np.zeros((1, 3)))
        return read(model, None).key

    assert key(1) == key(1) != key(-1)


class Paired(keras.layers.Layer):
    """Two weights of one shape, each under a name of its own."""

    def build(self, shape):
        self.scale, self.shift = (self.add_weight(shape=(shape[-1],)) for _ in range(2))

    def call(self, inputs):
        return inputs * self.scale + self.shift


def with_weights_exchanged(layer, exchange):
    if exchange:
        layer.scale, layer.shift = layer.shift, layer.scale


def with_a_variable_keras_does_not_know(layer, value):
    layer.shift = tf.Variable(value)


def with_a_method_wrapped(layer, factor):
    layer.call = functools.wraps(layer.call)(lambda inputs: factor * inputs)


@pytest.mark.parametrize(
    ("kind", "changed", "one", "other"),
    [
        (Paired, with_weights_exchanged, False, True),
        (Paired, with_a_variable_keras_does_not_know, 1.0, 2.0),
        (Paired, with_a_method_wrapped, 1.0, 2.0),
        (keras.layers.Identity, with_a_method_wrapped, 1.0, 2.0),
    ],
)
def test_a_layer_that_is_changed_once_it_is_made_shares_no_program(kind, changed, one, other):
    """No configuration tells it."""

    def key(value):
        layer = kind()
        layer.build((None, 3))
        changed(layer, value)
        return read(keras.Sequential([keras.Input((3,)), layer]), None).key

    assert key(one) != key(other)
    if changed is not with_a_variable_keras_does_not_know:  # which is like no other
        assert key(one) == key(one)


make = keras.optimizers
OPTIMIZERS = [
    lambda: make.SGD(0.01),
    lambda: make.SGD(0.01, momentum=0.95),
    lambda: make.SGD(0.01, momentum=0.9, nesterov=True, clipnorm=0.5),
    lambda: make.RMSprop(0.01, rho=0.999, epsilon=0.1),
    lambda: make.Adam(0.03, 0.5, 0.9995, 0.01),
    lambda: make.AdamW(0.01, weight_decay=0.1, global_clipnorm=0.5),
    lambda: make.Adagrad(0.03, clipvalue=0.2),
]


@pytest.mark.parametrize("number", range(len(OPTIMIZERS)))
def test_an_update_rule_takes_the_path_of_its_keras_optimizer(number):
    steps, rng = 100, np.random.default_rng(0)
    start, curvature = rng.normal(size=(1, 8)), np.linspace(0.1, 5, 8)
    theirs = OPTIMIZERS[number]()
    parts = slice(0, 3), slice(3, 8)  # two variables, for what is clipped each for itself
    w = [keras.Variable(start[:, part], dtype="float64") for part in parts]
    for _ in range(steps):
        slopes = [tf.constant(curvature[p]) * (v.value - 1) for p, v in zip(parts, w, strict=True)]
        theirs.apply(slopes, w)
    own = Optimizer.of(OPTIMIZERS[number]())
    theta = tf.constant(start)
    count = {"gradient_descent": 0, "adam": 2}.get(own.rule, 1)
    slots = (tf.fill(theta.shape, tf.constant(own.start, tf.float64)),) * count
    numbers = {name: tf.constant([[value]], tf.float64) for name, value in own.numbers.items()}
    for step in range(steps):
        alpha = tf.constant(own.schedule(np.array([step])))[:, None]
        g = tf.constant(curvature) * (theta - 1)
        theta, slots = update(
            own, theta, g, slots, alpha, numbers, tf.constant([[step + 1]]), [3, 5]
        )
    np.testing.assert_allclose(theta, np.concatenate(w, axis=1), rtol=1e-4, atol=1e-6)


def test_one_minus_beta_is_exact():
    from tfcourse.training.updates import _weights

    kept, taken = _weights(tf.constant(0.999, tf.float64), tf.zeros(1, tf.float32))
    assert taken.numpy() == np.float32(0.001) and kept.numpy() == np.float32(0.999)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ((np.zeros((3, 2)), np.zeros(4)), r"x, y and their weights .* same number of examples"),
        ((np.zeros((0, 2)), np.zeros(0)), r"at least one"),
        ((np.zeros(3), np.zeros(3), np.zeros(2), np.zeros(1)), r"x_validation, y_validation"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arrays, message):
    with pytest.raises(ValueError, match=message):
        Data(*arrays)


@pytest.mark.parametrize(
    ("last", "message"),
    [
        (
            lambda: keras.layers.Dense(1),
            r"Dense\(1\) without sigmoid .* compile the model in build",
        ),
        (lambda: keras.layers.Dense(3, "sigmoid"), r"3 sigmoids are no probabilities"),
        (lambda: keras.layers.Dense(3, "relu"), r"cannot tell whether"),
        (lambda: keras.layers.Dense(2, "softmax"), r"must give \(examples, 3 classes\), got"),
    ],
)
def test_an_uncompiled_model_that_is_no_classifier_is_told_what_to_write(last, message):
    def wrong(h):
        return keras.Sequential([keras.Input((6,)), last()])

    (one,) = trained([trial()], build=wrong)
    with pytest.raises(ValueError, match=message):
        raise ValueError(one.error)


def plain(h):
    middle = keras.layers.Dense(4, "tanh"), keras.layers.Dense(3, "softmax")
    return keras.Sequential([keras.Input((6,)), *middle])


def linear(h):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1e-3), "mse")
    return model


def test_of_epochs_that_are_exactly_alike_the_first_is_best(way):
    still = trial(optimizer="gradient_descent", learning_rate=1e-30)
    (one,) = trained([still], build=plain, engine=way, epochs=3)
    for name in ("val_loss", "val_accuracy"):
        assert len(set(one.history[name])) == 1
    assert one.best_epoch == 0


def test_of_epochs_that_are_as_accurate_the_one_of_least_loss_is_best(way):
    slow = trial(optimizer="gradient_descent", learning_rate=1e-4)
    (one,) = trained([slow], build=plain, engine=way, epochs=3)
    assert len(set(one.history["val_accuracy"])) == 1
    assert (np.diff(one.history["val_loss"]) < 0).all()
    assert one.best_epoch == 2


def test_an_epoch_of_infinite_validation_loss_is_no_epoch_though_its_training_was_sound(way):
    x, y = np.linspace(-1, 1, 20, dtype=np.float32)[:, None], np.zeros((20, 1), np.float32)
    data = Data(x, y, x + np.float32(1e25), y)
    (one,) = trained([{"batch_size": 10}], data, build=linear, engine=way, epochs=2)
    assert (one.ended, one.best_epoch) == ("diverged", None)
    assert not any(map(len, one.history.values()))


def test_a_model_that_has_diverged_stands_still_though_its_loss_is_finite_again():
    """One example makes the loss infinite: in the first epoch of one model, and never again."""
    epochs, outlier = 4, 0
    seen = {
        seed: [outlier in epoch_batches(seed, epoch, 19, 10) for epoch in range(epochs)]
        for seed in range(500)
    }
    wild = next(s for s, inside in seen.items() if inside == [True, False, False, False])
    tame = next(s for s, inside in seen.items() if not any(inside))
    x, y = np.linspace(-1, 1, 19, dtype=np.float32)[:, None], np.zeros((19, 1), np.float32)
    x[outlier] = 1e25
    data = Data(x, y, np.ones((5, 1), np.float32), y[:5])
    how = {"build": linear, "seeds": [wild, tame], "epochs": epochs, "threads": 1}
    one, other = trained([{"batch_size": 10}] * 2, data, **how)
    assert (one.ended, len(one.history["loss"])) == ("diverged", 0)
    assert (other.ended, len(other.history["loss"])) == ("complete", epochs)
    first = initial_weights(Builder(linear, data).blueprint({"batch_size": 10}, wild).first, wild)
    for a, b in zip(one.final_weights, first, strict=True):
        np.testing.assert_array_equal(a, b)


def test_batch_norms_averages_stand_still_with_a_model_that_was_stopped():
    rates = [trial(learning_rate=0.3), trial(learning_rate=1e-3)]
    both = trained(rates, epochs=15, patience=2, threads=1)
    first, last = sorted(both, key=lambda one: len(one.history["loss"]))
    stopped_after = len(first.history["loss"])
    assert first.ended == "stopped" and len(last.history["loss"]) > stopped_after
    (alone,) = trained([rates[first.trial]], epochs=stopped_after, seeds=[first.trial])
    close(first, alone)


def test_models_of_other_seeds_draw_other_masks_in_the_same_company():
    """Without dropout they come to the same: the first weights are no seed's."""

    def constant(h):
        first = keras.initializers.GlorotUniform(seed=3)
        middle = keras.layers.Dropout(h["rate"]), keras.layers.Dense(3, "softmax", True, first)
        return keras.Sequential([keras.Input((6,)), *middle])

    x, y = np.ones((40, 6), np.float32), np.zeros(40, int)
    data = Data(x, y, x[:6], y[:6])  # all alike: in no model does their order matter

    def losses(rate):
        still = trial(optimizer="gradient_descent", learning_rate=1e-12, rate=rate)
        found = trained([still] * 3, data, build=constant, seeds=[1, 2, 3], epochs=1, threads=1)
        return [one.history["loss"][0] for one in found]

    assert np.ptp(losses(0.0)) < 1e-5
    assert len({round(float(loss), 4) for loss in losses(0.5)}) > 1


@pytest.mark.usefixtures("eager")
def test_with_model_fit_a_model_that_goes_on_draws_masks_of_its_own():
    """Examples are alike and weights stand still, so that masks alone differ."""
    x, y = np.ones((4, 6), np.float32), np.zeros(4, int)
    still = trial(batch_size=4, dropout=0.5, learning_rate=1e-12)
    how = {"data": Data(x, y), "build": dropped, "epochs": 1, "engine": "keras"}
    (day,) = trained([still], **how)
    (next_day,) = trained([still], **how, start=[day])
    assert day.history["loss"] != next_day.history["loss"]


def test_random_layers_that_keras_computes_draw_by_the_seed_and_anew_in_a_model_that_goes_on():
    """First weights and examples are alike, so that masks alone differ."""

    def build(h):
        middle = keras.layers.AlphaDropout(0.5), keras.layers.Dense(1, kernel_initializer="ones")
        model = keras.Sequential([keras.Input((6,)), *middle])
        model.compile(keras.optimizers.SGD(1e-12), "mse")
        return model

    data = Data(np.ones((4, 6), np.float32), np.zeros((4, 1), np.float32))
    how = {"data": data, "build": build, "seeds": [1, 2], "epochs": 1}
    found = trained([{"batch_size": 4}] * 2, **how)
    found += trained([{"batch_size": 4}] * 2, **how, start=found)
    assert not any(one.notes for one in found)
    assert len({float(one.history["loss"][0]) for one in found}) == 4


RATES = (0.9, 0.2, 0.6)


@pytest.fixture(scope="module")
def dropouts():
    """Models of a dropout of their own and one of ½, and what was told after their only epoch."""

    def mean(y, found):
        return found / 4000

    def build(h):
        inputs = keras.Input((4000,))
        drawn = keras.layers.Dropout(h["rate"])(inputs)
        fixed = keras.layers.Dropout(0.5)(inputs)
        both = keras.layers.Concatenate()([drawn**2, 3 * fixed**2])
        model = keras.Model(inputs, keras.layers.Dense(1, kernel_initializer="ones")(both))
        model.compile(keras.optimizers.SGD(1e-30), mean)
        return model

    told, data = [], Data(np.ones((10, 4000), np.float32), np.zeros((10, 1), np.float32))
    trials = [{"batch_size": 10, "rate": rate} for rate in RATES]
    how = {"build": build, "epochs": 1, "threads": 1, "on_epoch": told.append}
    return [one.history["loss"][0] for one in trained(trials, data, **how)], told


def test_every_dropout_layer_has_the_rate_that_build_gave_it(dropouts):
    """The mean square of what is kept of ones is 1 / (1 − rate): the loss tells both."""
    assert dropouts[0] == pytest.approx([1 / (1 - rate) + 3 / 0.5 for rate in RATES], rel=0.03)


def test_an_epoch_tells_one_figure_for_each_of_its_trials(dropouts):
    """Three models fill a chunk of four: the fourth is nobody's."""
    losses, [epoch] = dropouts
    assert epoch.trials == (0, 1, 2) and epoch.figures["loss"].tolist() == losses
