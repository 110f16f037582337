"""The population: what it says of trainings is what Keras and scikit-learn say."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from tfcourse import datasets, softmax
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
        found = population.train(TRIALS[1::2], epochs=2, seed=0, dataset=task.data, test=True)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    theirs = [float(loss(task.data.y_test, z)) for z in models.values()]
    assert sorted(theirs) == pytest.approx(sorted(found.test_loss), rel=1e-5)
    assert found.trainings == 2 and found.history["loss"].shape == (2, 2)
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


@pytest.mark.whole
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


@pytest.fixture
def pretended(monkeypatch):
    """Replace the engine: two trials, best in their first epoch, of which one diverges after it."""
    given = {}

    def train(builder, trials, arrays, *, seeds, **how):
        given.update(seeds=seeds)
        for number, epochs_done in ((1, 1), (0, 3)):  # as they are finished
            figures = {key: [0.5, 0.9, 0.7][:epochs_done] for key in population.FIGURES.values()}
            weights = [np.eye(4)[:, :3] * (10 + number), np.zeros(3)]
            yield [
                SimpleNamespace(
                    trial=number,
                    history=figures,
                    best_epoch=0,
                    weights=weights,
                    final_weights=[-each for each in weights],
                )
            ]

    monkeypatch.setattr(population.training, "train", train)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 4)).astype(np.float32), np.arange(50) % 3
    x[10:] += 3 * np.eye(4, dtype=np.float32)[y[10:]]  # of test examples the class can be told
    sets = {"train": (x[:5], y[:5]), "validation": (x[5:10], y[5:10]), "test": (x[10:], y[10:])}
    data = datasets.from_arrays("pretended", sets)
    return population.train([{}, {}], epochs=3, seed=0, dataset=data, test=True), given, data


def test_test_figures_are_the_best_epochs_on_examples_that_nothing_was_chosen_by(pretended):
    found, _, data = pretended
    expected = [
        population.measured(10 * data.x_test[:, :3] + data.x_test[:, :3] * n, data.y_test)
        for n in range(2)
    ]
    assert np.transpose([found.test_accuracy, found.test_loss]) == pytest.approx(np.array(expected))
    assert found.test_accuracy.min() > 0.8


def test_of_what_diverged_nothing_is_right_from_then_on(pretended):
    found, _, _ = pretended
    assert found.history["validation_accuracy"].tolist() == [[0.5, 0.9, 0.7], [0.5, 0, 0]]
    assert np.isnan(found.history["validation_loss"][1, 1:]).all()


def test_the_lowest_validation_loss_may_be_any_epochs(pretended):
    assert pretended[0].validation_loss[0] == 0.5


def test_no_two_trials_have_the_same_first_weights_and_mini_batches(pretended):
    seeds = pretended[1]["seeds"]
    assert len(set(seeds)) == len(seeds) == 2


def test_a_model_taken_back_to_yesterday_has_lost_the_day(monkeypatch):
    """It counts as trained as long as those that went on; what it was given is left alone."""

    @dataclass(frozen=True)
    class Stood:
        trial: int
        epochs: int

    given = []

    def train(builder, trials, arrays, *, start, **how):
        given.append(start)
        yield [Stood(1, 6)]
        yield [Stood(0, 6)]

    monkeypatch.setattr(population.training, "train", train)
    models = [Stood(0, 2), Stood(1, 4)]
    data = population.teacher(5, examples=100).data
    after = population.resume(models, [{}, {}], [1, 2], data=data, epochs=2)
    assert given == [[Stood(0, 4), Stood(1, 4)]] and models[0].epochs == 2
    assert [one.trial for one in after] == [0, 1]


def test_no_example_to_judge_by_is_one_to_learn_from_or_to_choose_by():
    data = population.teacher(5, examples=100).data
    sets = [{row.tobytes() for row in part} for part in (data.x_train, data.x_validation)]
    judged = {row.tobytes() for row in data.x_test}
    assert len(judged) == 400 and [len(part) for part in sets] == [100, 100]
    assert not judged & (sets[0] | sets[1]) and not sets[0] & sets[1]


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")  # so far trained, it is good enough
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
