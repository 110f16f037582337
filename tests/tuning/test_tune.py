"""Tuning real models: the best kept and tested, resuming after a kill."""

import numpy as np
import pytest

from tfcourse import datasets, saving
from tfcourse._tensorflow import keras
from tfcourse.classifier import evaluate
from tfcourse.hyperparameters import ENGINES
from tfcourse.training import Data
from tfcourse.training.batches import epoch_batches
from tfcourse.training.models import Builder
from tfcourse.tuning import Choice, Integer, Log, Space, tune
from tfcourse.tuning.models import Packaged

TINY = Space(learning_rate=Log(1e-3, 0.1), units=Integer(4, 8), layers=Choice(1))

WIDTHS = Space(learning_rate=Log(1e-3, 0.1), units=Integer(4, 8))


def build(draw):
    layers = [keras.layers.Dense(draw["units"], "relu"), keras.layers.Dense(3, "softmax")]
    return keras.Sequential([keras.Input((2,)), *layers])


@pytest.fixture(scope="module")
def finished(blobs, tmp_path_factory):
    """A study of three trials, and its folder."""
    folder = tmp_path_factory.mktemp("study")
    return tune(None, blobs, space=TINY, trials=3, study=folder, epochs=2, refit=False)


def test_the_best_is_the_best_in_validation_and_its_model_gives_its_test_score(finished, blobs):
    scores = [trial.validation_accuracy for trial in finished.trials]
    assert len(scores) == 3 and finished.best.validation_accuracy == max(scores)
    assert (
        finished.best.test_accuracy
        == evaluate(finished.model(), blobs.x_test, blobs.y_test).accuracy
    )
    model, card = saving.load(finished.model_path)
    assert (card.seed, card.fingerprint) == (finished.best.seed, blobs.fingerprint)
    validation = evaluate(model, blobs.x_validation, blobs.y_validation)
    assert validation.accuracy == pytest.approx(finished.best.validation_accuracy)
    assert validation.loss == pytest.approx(finished.best.metrics["val_loss"], rel=1e-3)


def test_a_study_that_is_finished_is_returned_as_it_is(finished, blobs):
    journal = finished.folder / "journal.jsonl"
    before = journal.read_bytes()
    again = tune(None, blobs, space=TINY, trials=3, study=finished.folder, epochs=2, refit=False)
    assert again.ranking == finished.ranking
    assert journal.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"space": Space(learning_rate=Log(1e-3, 0.2))}, "space learning_rate=log:0.001:0.1"),
        ({"seed": 1}, "begun with seed 0 .* got 1"),
        ({"epochs": 3}, "begun with epochs 2 .* got 3"),
        ({"halving": True, "epochs": 9}, "begun with epochs 2"),
        (
            {"build": build, "space": WIDTHS},
            "begun with space learning_rate=log:0.001:0.1, units=int:4:8, layers",
        ),
        ({"search": "grid"}, r"begun with search random .* got grid of 3 learning_rate × 1 units"),
        ({"data": "digits"}, "begun with data .* and must be continued with the same"),
    ],
)
def test_a_study_of_something_else_is_refused_and_left_alone(finished, blobs, change, says):
    before = (finished.folder / "journal.jsonl").read_bytes()
    with pytest.raises(ValueError, match=says):
        tune(
            **(
                {"space": TINY, "data": blobs, "epochs": 2, "trials": 3, "refit": False}
                | change
                | {"study": finished.folder}
            )
        )
    assert (finished.folder / "journal.jsonl").read_bytes() == before


@pytest.mark.parametrize("engine", ENGINES)
def test_the_best_is_trained_again_on_all_but_the_test_set(blobs, engine, request):
    if engine == "keras":
        request.getfixturevalue("eager")
    how = {"trials": 2, "epochs": 3, "engine": engine}
    kept, again = (tune(None, blobs, space=TINY, **how, refit=refit) for refit in (False, True))
    assert again.best.hyperparameters == kept.best.hyperparameters
    assert (kept.refitted, again.refitted) == (None, again.best.number)
    request.getfixturevalue("eager")
    data = blobs.standardized()
    x = np.concatenate([data.x_train, data.x_validation])
    y = np.concatenate([data.y_train, data.y_validation])
    packaged = Packaged(datasets.take(blobs))
    settings, kind = packaged.settings(again.best.hyperparameters), packaged.build
    model = Builder(kind, Data(x, y)).model(again.best.hyperparameters, again.best.seed)
    model.compile(keras.optimizers.Adam(), "sparse_categorical_crossentropy")
    for epoch in range(1 + again.best.best_epoch):
        model.optimizer.learning_rate = settings.learning_rate / (1 + settings.decay * epoch)
        for rows in epoch_batches(again.best.seed, epoch, len(x), settings.batch_size):
            model.train_on_batch(x[rows], y[rows])
    expected = model(data.x_test)
    np.testing.assert_allclose(again.model()(blobs.x_test), expected, rtol=1e-3, atol=1e-4)


def test_a_function_of_ones_own_is_tuned(blobs):
    study = tune(build, blobs, space=WIDTHS, trials=2, epochs=2)
    assert study.about["made_with"]["build"] == "build"
    judged = evaluate(study.model(), blobs.x_test, blobs.y_test)
    assert judged.accuracy == study.best.test_accuracy


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"trials": 0}, "trials must be a whole number at least 1, got 0"),
        (
            {"search": "bayes"},
            "search must be one of random, quasi-random, grid, coarse-to-fine, .*got 'bayes'",
        ),
        (
            {"search": "coarse-to-fine", "trials": 2},
            "trials must be at least one for each of 3 rounds, got 2",
        ),
        ({"epochs": 0}, "epochs must be"),
        ({"keep": 0}, "keep must be"),
        ({"rounds": 0}, "rounds must be"),
        ({"seed": -1}, "seed must be a whole number at least 0, got -1"),
        ({"halving": True, "epochs": 8}, "halving must have at least 9 epochs to halve, got 8"),
    ],
)
def test_a_search_that_cannot_be_is_refused(blobs, wrong, says):
    with pytest.raises(ValueError, match=says):
        tune(None, blobs, space=TINY, **wrong)


def test_halving_counts_drawn_epochs(blobs):
    with pytest.raises(ValueError, match="at least 9 epochs to halve, got 5"):
        tune(None, blobs, space=Space(epochs=Integer(5, 20)), halving=True)
