"""The population: what it says of trainings is what Keras and scikit-learn say."""

import numpy as np
import pytest

from tfcourse import softmax
from tfcourse.lecture import population

TRIALS = [
    {"units": 8, "layers": layers, "batch_norm": normalize, "learning_rate": 0.02}
    for layers, normalize in ((0, True), (1, True), (2, True), (1, False), (2, False))
]


@pytest.fixture(scope="module")
def task():
    return population.teacher(3, examples=200)


def test_test_figures_are_those_of_the_keras_models(task):
    from tfcourse._tensorflow import keras

    models = {}
    real = population.measured

    def spy(z, y):
        models[len(models)] = z
        return real(z, y)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(population, "measured", spy)
        found = population.train(TRIALS, epochs=2, seed=0, dataset=task.data, test=True)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    theirs = [float(loss(task.data.y_test, z)) for z in models.values()]
    assert sorted(theirs) == pytest.approx(sorted(found.test_loss), rel=1e-5)
    assert found.trainings == 5 and found.history["loss"].shape == (5, 2)
    best = [found.history["validation_accuracy"][i, e] for i, e in enumerate(found.best)]
    assert found.validation == pytest.approx(best)


def test_logits_in_numpy_are_those_of_the_model(task):
    x = task.data.x_test[:50]
    for trial in TRIALS:
        model = population.classifier(task.data)(trial)
        weights = [np.asarray(w) + 0.1 * np.arange(w.ndim + 1).sum() for w in model.weights]
        model.set_weights(weights)
        expected = np.asarray(model(x, training=False))
        assert softmax.softmax(population.logits(weights, x)) == pytest.approx(expected, abs=1e-5)


def test_another_build_is_trained_and_measured(task):
    build = population.classifier(task.data)

    def wider(trial):
        return build({**trial, "units": 2 * trial["units"]})

    usual = population.train(
        [{**TRIALS[1], "units": 16}], epochs=2, seed=0, dataset=task.data, test=True
    )
    other = population.train(
        TRIALS[1:2], epochs=2, seed=0, dataset=task.data, build=wider, test=True
    )
    assert other.test_loss == pytest.approx(usual.test_loss, rel=1e-3)


def test_nobody_does_better_on_the_teachers_task_than_the_teacher():
    from sklearn.neural_network import MLPClassifier

    task = population.teacher(0)
    data = task.data
    assert (len(data.x_train), len(data.x_validation), len(data.x_test)) == (1000, 1000, 4000)
    model = MLPClassifier((64,), max_iter=150, random_state=0).fit(data.x_train, data.y_train)
    learnt = model.score(data.x_test, data.y_test)
    assert 0.5 < learnt < task.best_accuracy < 0.95
    chance = np.bincount(data.y_train, minlength=5) / 1000
    assert chance.min() > 0.02  # every class is there
    assert task.best_loss < -np.log(task.best_accuracy) + 0.5


def test_the_seed_decides(task):
    one, again, other = (
        population.train(TRIALS[1:2], epochs=1, seed=seed, dataset=task.data).history["loss"]
        for seed in (0, 0, 1)
    )
    assert np.array_equal(one, again) and not np.array_equal(one, other)
