import threading

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfcourse.training import pattern as pattern_module
from tfcourse.training.batches import epoch_batches
from tfcourse.training.initialization import initial_weights
from tfcourse.training.population import Population, train_population

EPOCHS = 4


def blobs():
    """Three classes around three points, 60 to train on and 30 to validate with."""
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    x = rng.normal(size=(90, 5)) + np.eye(3, 5)[y] * 2
    x = x.astype(np.float32)
    return x[:60], y[:60], x[60:], y[60:]


def build(trial):
    layers = []
    units = trial.get("units", 6)
    for width in units if isinstance(units, tuple) else (units,):
        layers += [
            keras.layers.Dense(width, use_bias=False),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.Activation(trial.get("activation", "relu")),
        ]
        if trial.get("dropout"):
            layers.append(keras.layers.Dropout(trial["dropout"]))
    layers += [keras.layers.Dense(3), keras.layers.Softmax()]
    return keras.Sequential([keras.Input((5,)), *layers])


def trial(**chosen):
    return {"batch_size": 20, "learning_rate": 0.01, **chosen}


def trained(trials, **how):
    return train_population(build, trials, *blobs(), epochs=EPOCHS, **how)


def fit(model, optimizer, trial, seed, epochs=EPOCHS):
    """Train with Keras itself, on the same mini-batches in the same order."""
    x, y, x_validation, y_validation = blobs()
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.set_weights(initial_weights(model, seed))
    histories = []
    for epoch in range(epochs):
        rows = epoch_batches(seed, epoch, len(x), trial["batch_size"]).ravel()
        model.optimizer.learning_rate = trial["learning_rate"] / (1 + trial["decay"] * epoch)
        run = model.fit(
            x[rows],
            y[rows],
            batch_size=trial["batch_size"],
            shuffle=False,
            verbose=0,
            validation_data=(x_validation, y_validation),
        )
        histories.append([values[0] for values in run.history.values()])
    return np.transpose(histories)


@pytest.fixture
def float64():
    keras.config.set_dtype_policy("float64")
    keras.config.set_floatx("float64")
    yield
    keras.config.set_dtype_policy("float32")
    keras.config.set_floatx("float32")


OPTIMIZERS = {
    "gradient_descent": lambda: keras.optimizers.SGD(),
    "momentum": lambda: keras.optimizers.SGD(momentum=0.8),
    "rmsprop": lambda: keras.optimizers.RMSprop(rho=0.8, epsilon=1e-4),
    "adam": lambda: keras.optimizers.Adam(beta_1=0.7, beta_2=0.99, epsilon=1e-4),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_model_ends_with_the_weights_that_fit_gives(name, float64):
    numbers = {"momentum": 0.8, "epsilon": 1e-4, "decay": 0.3, "beta_1": 0.7, "beta_2": 0.99}
    wide = trial(optimizer=name, units=8, **numbers)
    narrow = trial(optimizer=name, units=6, **(numbers | {"learning_rate": 0.002}))
    ours = trained([wide, narrow], seeds=[1, 2], dtype="float64")[1]
    model = build(narrow)
    accuracy, loss, validation_accuracy, validation_loss = fit(
        model, OPTIMIZERS[name](), narrow, seed=2
    )
    for own, theirs in zip(ours.final_weights, model.get_weights(), strict=True):
        np.testing.assert_allclose(own, theirs, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(ours.history.loss, loss, rtol=1e-6)
    np.testing.assert_allclose(ours.history.accuracy, accuracy, rtol=1e-6)
    np.testing.assert_allclose(ours.history.validation_loss, validation_loss, rtol=1e-6)
    np.testing.assert_allclose(ours.history.validation_accuracy, validation_accuracy)


# Of all kinds that share a program: rates, decays, dropouts, units.
MIXED = [
    trial(units=(8, 5), dropout=0.2),
    trial(units=(6, 6), dropout=0.4, learning_rate=0.03),
    trial(units=(7, 4), dropout=0.1, decay=0.5, beta_1=0.5),
]


@pytest.fixture(scope="module")
def together():
    return trained(MIXED, chunk_size=4, threads=1)


def close(first, second, tolerance=1e-5):
    for a, b in zip(first.final_weights, second.final_weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(first.history.loss, second.history.loss, rtol=tolerance)


@pytest.mark.parametrize("index", range(3))
def test_a_model_in_company_ends_as_it_does_alone(together, index):
    (alone,) = trained([MIXED[index]], seeds=[index])
    close(together[index], alone)


def test_chunks_and_threads_change_nothing_but_rounding(together):
    for one, other in zip(trained(MIXED, chunk_size=2, threads=2), together, strict=True):
        close(one, other)


def test_the_same_twice_is_the_same_bit_for_bit(together):
    for one, other in zip(trained(MIXED, chunk_size=4, threads=1), together, strict=True):
        for a, b in zip(
            one.weights + one.final_weights, other.weights + other.final_weights, strict=True
        ):
            np.testing.assert_array_equal(a, b)


def test_the_model_made_is_that_of_the_best_epoch(together):
    _, _, x, y = blobs()
    for one in together:
        model, history = one.model(), one.history
        guesses = np.argmax(model.predict(x, verbose=0), axis=1)
        assert np.mean(guesses == y) == pytest.approx(history.validation_accuracy.max())
        best = one.best_epoch
        ties = history.validation_accuracy == history.validation_accuracy.max()
        assert history.validation_loss[best] == history.validation_loss[ties].min()
        assert model.layers[0].units == one.hyperparameters["units"][0]


def test_a_diverged_model_stands_still_and_disturbs_nobody():
    wild = trial(optimizer="gradient_descent", learning_rate=1e30)
    calm = trial(optimizer="gradient_descent", learning_rate=0.05)
    first, second = trained([wild, calm], chunk_size=2, threads=1)
    assert not np.isfinite(first.history.loss).any()
    assert first.best_epoch is None
    for a, b in zip(first.weights, initial_weights(build(wild), 0), strict=True):
        np.testing.assert_array_equal(a, b)
    assert all(np.isfinite(weight).all() for weight in first.final_weights[:1])
    close(second, trained([calm], seeds=[1])[0])


def test_epochs_are_told_as_they_come_and_trials_may_have_their_own():
    seen = []
    trials = [trial(), trial(epochs=2), trial()]
    results = trained(trials, on_epoch=lambda epoch: seen.append(epoch))
    assert [len(one.history.loss) for one in results] == [EPOCHS, 2, EPOCHS]
    for one in results:
        told = [
            (epoch.number, epoch.validation_loss[epoch.trials.index(one.trial)])
            for epoch in seen
            if one.trial in epoch.trials
        ]
        assert told == list(enumerate(one.history.validation_loss))


def test_labels_of_few_examples_and_a_last_block_of_validation_count_once(monkeypatch):
    """The validation set is cut into blocks; the last is filled up, which must not be seen."""
    whole = trained([trial()])[0].history
    monkeypatch.setattr("tfcourse.training.program.BLOCK", 7)
    cut = trained([trial()])[0].history
    np.testing.assert_allclose(cut.validation_loss, whole.validation_loss, rtol=1e-5)
    np.testing.assert_allclose(cut.validation_accuracy, whole.validation_accuracy)


def convolution(trial):
    x = keras.layers
    return keras.Sequential(
        [
            keras.Input((5,)),
            x.Reshape((5, 1)),
            x.Conv1D(3, 2, activation="relu"),
            x.Flatten(),
            x.Dense(3),
        ]
    )


def test_layers_that_do_not_map_are_trained_one_by_one_with_a_note():
    trials = [trial(optimizer="gradient_descent", decay=0.0), trial(optimizer="gradient_descent")]
    with pytest.warns(UserWarning, match="cannot be mapped"):
        ours = train_population(convolution, trials, *blobs(), epochs=2, chunk_size=2, threads=1)
    model = keras.Sequential([convolution({}), keras.layers.Softmax()])
    fit(model, keras.optimizers.SGD(), trials[0], seed=0, epochs=2)
    for own, theirs in zip(ours[0].final_weights, model.get_weights(), strict=True):
        np.testing.assert_allclose(own, theirs, rtol=1e-4, atol=1e-5)


def test_units_that_cannot_be_padded_are_trained_apart_with_a_note():
    def mixing(trial):
        return keras.Sequential(
            [
                keras.Input((5,)),
                keras.layers.Dense(trial["units"]),
                keras.layers.LayerNormalization(),
                keras.layers.Dense(3),
            ]
        )

    trials = [trial(units=4), trial(units=5)]
    with pytest.warns(UserWarning, match="cannot be padded"):
        results = train_population(mixing, trials, *blobs(), epochs=1)
    assert [one.weights[0].shape for one in results] == [(5, 4), (5, 5)]


def test_a_chunk_that_memory_has_no_room_for_is_halved(monkeypatch, together):
    epoch_program = pattern_module.program.epoch_program

    def on_a_small_machine(*arguments, **how):
        train = epoch_program(*arguments, **how)

        def epoch(state, choices, batches, data):
            if batches.shape[1] > 2:
                raise tf.errors.ResourceExhaustedError(None, None, "out of memory")
            return train(state, choices, batches, data)

        epoch.get_concrete_function = lambda *arguments: epoch
        return epoch

    monkeypatch.setattr(pattern_module.program, "epoch_program", on_a_small_machine)
    with pytest.warns(UserWarning, match="2 models are trained at a time"):
        results = trained(MIXED, chunk_size=4, threads=1)
    for one, other in zip(results, together, strict=True):
        close(one, other)


def test_chunks_follow_from_the_trials_and_can_be_trained_apart(together):
    population = Population(build, *blobs(), chunk_size=2, threads=1)
    chunks = population.chunks(MIXED, epochs=EPOCHS)
    assert [chunk.members for chunk in chunks] == [(0,), (1, 2)]
    assert chunks == population.chunks(MIXED, epochs=EPOCHS)
    (second,) = population.train(MIXED, chunks=chunks[1:])
    assert [one.trial for one in second] == [1, 2]
    for one in second:
        close(one, together[one.trial])


def test_who_stops_listening_stops_the_training():
    population = Population(build, *blobs(), chunk_size=1, threads=2)
    results = population.train([trial(seed=k) for k in range(50)], epochs=EPOCHS)
    next(results)
    results.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("tfcourse")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimizer": "adma"}, "did you mean 'adam'"),
        ({"learning_rate": -1}, "learning_rate must be a finite number above 0, got -1"),
        ({"epochs": 0}, "epochs must be a whole number at least 1, got 0"),
        ({"classes": 2}, r"must give \(examples, 3 classes\), got \(None, 2\)"),
    ],
)
def test_what_cannot_be_trained_is_named(change, message):
    def two_classes(trial):
        return keras.Sequential([keras.Input((5,)), keras.layers.Dense(trial.get("classes", 3))])

    with pytest.raises(ValueError, match=message):
        train_population(two_classes, [trial(**change)], *blobs())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y, a, b: (x, y[:-1], a, b), "y_train must hold .* each of the 60 examples"),
        (lambda x, y, a, b: (x, y, a, b.astype(float)), "y_validation must .* got float64"),
        (lambda x, y, a, b: (x, y - 1, a, b), "y_train must hold a label 0, 1"),
        (lambda x, y, a, b: (x, y, a[:, 1:], b), r"must be alike, got \(\(5,\), \(4,\)\)"),
    ],
)
def test_data_that_do_not_fit_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        Population(build, *change(*blobs()))


def test_whole_numbers_are_taken_as_the_model_takes_them():
    """As `model.fit` does: pixels become floats, words stay what an `Embedding` looks up."""

    def words(trial):
        layers = keras.layers
        return keras.Sequential(
            [
                keras.Input((5,), dtype="int32"),
                layers.Embedding(10, 4),
                layers.Flatten(),
                layers.Dense(3),
            ]
        )

    x, y, x_validation, y_validation = blobs()
    x, x_validation = ((v * 2 + 5).clip(0, 9).astype(np.uint8) for v in (x, x_validation))
    for function in (words, build):
        results = train_population(
            function, [trial(), trial()], x, y, x_validation, y_validation, epochs=2, threads=1
        )
        assert np.isfinite(results[0].history.loss).all()


def test_a_model_of_a_class_of_ones_own_is_trained():
    class Own(keras.Model):  # says nothing of its inputs
        def __init__(self):
            super().__init__()
            self.hidden, self.out = keras.layers.Dense(4, "relu"), keras.layers.Dense(3)

        def call(self, x):
            return self.out(self.hidden(x))

    results = train_population(lambda _: Own(), [trial(), trial()], *blobs(), epochs=2, threads=1)
    assert all(np.isfinite(one.history.loss).all() for one in results)
