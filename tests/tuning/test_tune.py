"""Tuning real models: the best kept and tested, resuming after a kill."""

import numpy as np
import pytest

from tfcourse import classifier, datasets, saving
from tfcourse._checks import InputError
from tfcourse._tensorflow import keras
from tfcourse.classifier import evaluate
from tfcourse.training import Data
from tfcourse.training.batches import epoch_batches
from tfcourse.training.models import Builder, _check_inputs
from tfcourse.tuning import Choice, Integer, Log, Space, Study, tune
from tfcourse.tuning.hp import HP
from tfcourse.tuning.models import Packaged

TINY = Space(learning_rate=Log(1e-3, 0.1), units=Integer(4, 8), layers=Choice(1))

SMALL = {"trials": 3, "epochs": 2, "refit": False, "finalists": 0}

WIDTHS = Space(learning_rate=Log(1e-3, 0.1), units=Integer(4, 8))


def build(draw):
    layers = [keras.layers.Dense(draw["units"], "relu"), keras.layers.Dense(3, "softmax")]
    return keras.Sequential([keras.Input((2,)), *layers])


@pytest.fixture(scope="module")
def finished(blobs, tmp_path_factory):
    """A study of three trials, and its folder."""
    folder = tmp_path_factory.mktemp("study")
    return tune(None, blobs, space=TINY, study=folder, **SMALL)


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


@pytest.mark.usefixtures("eager")
@pytest.mark.filterwarnings("error:Skipping variable loading")
def test_code_in_the_saved_model_is_never_run(blobs, tmp_path):
    how = {"space": TINY, "trials": 1, "epochs": 1, "engine": "keras", "refit": False}
    study = tune(None, blobs, study=tmp_path / "s", **how)
    opened = Study.read(study.folder).model()
    judged = opened.evaluate(blobs.x_test, blobs.y_test, verbose=0, return_dict=True)  # compiled
    assert judged["accuracy"] == pytest.approx(study.best.test_accuracy)
    ran = tmp_path / "ran"
    inputs = keras.Input((2,))
    mark = str(ran)
    code = keras.layers.Lambda(lambda x: (__import__("os").makedirs(mark, exist_ok=True), x)[1])
    keras.Model(inputs, code(inputs)).save(study.model_path)
    ran.rmdir()  # the layer has run while the model was built
    for one, words in (
        (Study.read(study.folder), r"Lambda layer, and code from a file is never run; tfc\.tune\("),
        (study, "does not hold the weights of trial 0"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            one.model()
        assert "\n" not in str(caught.value) and not ran.exists()


def pair(hp):
    one, two = keras.Input((2,), name="one"), keras.Input((2,), name="two")
    both = keras.layers.Concatenate()([one, two])
    model = keras.Model({"one": one, "two": two}, keras.layers.Dense(hp.Int("u", 1, 1))(both))
    model.compile("sgd", "mse")
    return model


def test_an_input_that_the_model_has_not_is_refused():
    x, y = points()
    given = {"one": x, "two": x, "twoo": x}
    data = {"train": (given, y), "validation": (given, y)}
    says = "inputs one, two, got 'twoo' besides; did you mean 'two'"
    with pytest.raises(ValueError, match=says):
        tune(pair, data, trials=1)


def test_whether_one_input_may_have_a_name_is_left_to_keras():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    _check_inputs(model, {"any": points()[0]})


@pytest.mark.usefixtures("eager")
def test_a_saved_model_of_two_inputs_is_read(tmp_path):
    x, y = points()
    data = {"train": ({"one": x, "two": x}, y), "validation": ({"one": x, "two": x}, y)}
    how = {"trials": 1, "epochs": 1, "engine": "keras", "refit": False}
    study = tune(pair, data, study=tmp_path / "s", **how)
    given = {"one": x, "two": x}
    np.testing.assert_allclose(
        Study.read(study.folder).model()(given), study.model()(given), rtol=1e-6
    )


def test_a_classifier_is_built_once_for_trials_that_differ_in_how_it_is_trained(blobs, monkeypatch):
    examples = datasets.take(blobs)
    built, make = [], classifier.build
    monkeypatch.setattr(classifier, "build", lambda *a, **how: built.append(a) or make(*a, **how))
    packaged = Packaged(examples)
    builder = Builder(packaged.build, packaged.data)
    trials = [{"learning_rate": r, "units_1": 4, "layers": 1} for r in (0.1, 0.01)]
    rates = {builder.blueprint(trial, seed=0).optimizer.schedule(0) for trial in trials}
    assert len(rates) == 2 and len(built) == 1
    wider = builder.blueprint({**trials[0], "units_1": 5}, seed=0)
    assert len(built) == 2 and wider.sizes != builder.blueprint(trials[0], seed=0).sizes


def test_a_study_that_is_finished_is_returned_as_it_is(finished, blobs):
    journal = finished.folder / "journal.jsonl"
    before = journal.read_bytes()
    again = tune(None, blobs, space=TINY, study=finished.folder, **SMALL)
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
        tune(**({"space": TINY, "data": blobs} | SMALL | change | {"study": finished.folder}))
    assert (finished.folder / "journal.jsonl").read_bytes() == before


@pytest.mark.parametrize("engine", [pytest.param("compiled", marks=pytest.mark.whole), "keras"])
def test_the_best_is_trained_again_on_all_but_the_test_set(finished, blobs, engine, request):
    if engine == "keras":
        request.getfixturevalue("eager")
    again = tune(None, blobs, space=TINY, **SMALL | {"engine": engine, "refit": True})
    assert again.best.hyperparameters == finished.best.hyperparameters
    assert (finished.refitted, again.refitted) == (None, again.best.number)
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


@pytest.mark.usefixtures("eager")
def test_a_function_of_ones_own_is_tuned(blobs):
    how = {"trials": 2, "epochs": 2, "finalists": 0, "engine": "keras"}
    study = tune(build, blobs, space=WIDTHS, **how)
    assert study.about["made_with"]["build"] == "build"
    judged = evaluate(study.model(), blobs.x_test, blobs.y_test)
    assert judged.accuracy == study.best.test_accuracy


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"trials": 0}, "trials must be a whole number at least 1, got 0"),
        (
            {"search": "bayes"},
            "search must be one of random, quasi-random, grid, coarse-to-fine, tpe, got 'bayes'",
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


def net(hp):
    """A regression as KerasTuner's users write it."""
    layers = [keras.Input((2,)), keras.layers.Dense(hp.Int("units", 2, 6), "relu")]
    model = keras.Sequential([*layers, keras.layers.Dense(1)])
    rate = hp.Float("rate", 1e-4, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "mse", metrics=["mae"])
    return model


def points(count=80):
    x = np.random.default_rng(0).normal(size=(count, 2)).astype(np.float32)
    return x, x[:, 0] - 2 * x[:, 1]


@pytest.fixture(scope="module")
def regression(tmp_path_factory):
    """A study of a compiled regression, with a test set, and its folder."""
    x, y = points()
    data = {"train": (x[:40], y[:40]), "validation": (x[40:60], y[40:60]), "test": (x[60:], y[60:])}
    folder = tmp_path_factory.mktemp("regression")
    how = {"trials": 4, "epochs": 3, "batch_size": 8, "refit": False, "finalists": 0}
    return tune(net, data, study=folder, objective="val_mae", **how), data, how


@pytest.mark.filterwarnings("ignore:Skipping variable loading")  # Keras's own, of an optimizer anew
def test_a_compiled_model_is_trained_as_it_is_compiled_and_chosen_by_its_metric(regression):
    study, data, _ = regression
    assert list(study.space) == ["units", "rate"] and study.objective.direction == "min"
    scores = [min(study.history(n)["val_mae"]) for n in range(4)]
    assert study.best.score == pytest.approx(min(scores))
    model = study.model()
    assert isinstance(model.loss, str) and model.optimizer.learning_rate.numpy() == pytest.approx(
        study.best.hyperparameters["rate"]
    )
    found = model.evaluate(*data["validation"], verbose=0, return_dict=True)
    assert found["mae"] == pytest.approx(study.best.score, rel=1e-4)
    tested = model.evaluate(*data["test"], verbose=0, return_dict=True)
    assert study.best.test == pytest.approx(tested, rel=1e-4)
    opened = keras.saving.load_model(study.model_path)
    assert opened.evaluate(*data["test"], verbose=0) == pytest.approx(list(tested.values()))
    # The trial equals what `model.fit` comes to on the model that build returns for it.
    one, job = study.best, Builder(lambda trial: net(HP(trial)), Data(*data["train"]))
    own = job.model(one.hyperparameters, one.seed)
    for epoch in range(3):
        for rows in epoch_batches(one.seed, epoch, 40, 8):
            own.train_on_batch(data["train"][0][rows], data["train"][1][rows])
    last = own.evaluate(*data["validation"], verbose=0, return_dict=True)
    assert last["mae"] == pytest.approx(study.history(one.number)["val_mae"][-1], rel=1e-3)


def test_the_next_best_is_trained_again_when_asked_for(regression):
    study, data, _ = regression
    second = study.ranking[1]
    found = study.model(1).evaluate(*data["validation"], verbose=0, return_dict=True)
    assert found["mae"] == pytest.approx(second.score, rel=1e-3)
    with pytest.raises(ValueError, match="rank must be below 4, the complete trials, got 4"):
        study.model(4)
    with pytest.raises(ValueError, match=r"keeps only the best model; .*model\(1\)"):
        Study.read(study.folder).model(1)


def test_the_model_that_is_handed_out_is_saved_and_opened_without_a_warning(
    finished, regression, tmp_path, recwarn
):
    for study in (finished, regression[0]):
        study.model().save(tmp_path / "best.keras")
        opened = keras.saving.load_model(tmp_path / "best.keras")
        assert len(opened.optimizer.variables) > 2
    assert not [str(one.message) for one in recwarn if "optimizer" in str(one.message)]


def test_data_in_two_arguments_is_answered_with_how_to_say_it():
    with pytest.raises(
        TypeError, match=r"build and data, got 3 values: say tune\(build, \(x, y\)\)"
    ):
        tune(net, *points())


def deeper(hp):
    model = net(hp)
    deep = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2), *model.layers])
    deep.compile(model.optimizer, "mse", metrics=["mae"])
    return deep


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"build": deeper}, r"begun with model\.0\.config\.layers"),
        ({"data": points()}, "begun with data"),
        ({"objective": "val_loss"}, "begun with objective val_mae:min .* got val_loss:min"),
        ({"repeats": 2}, "begun with repeats 1 .* got 2"),
    ],
)
def test_another_build_or_data_or_objective_is_refused_by_name(regression, change, says):
    study, data, how = regression
    given = {"build": net, "data": data, "objective": "val_mae", "study": study.folder, **how}
    with pytest.raises(ValueError, match=says):
        tune(**(given | change))


@pytest.mark.usefixtures("eager")
def test_repeats_keep_every_seeds_score_and_the_mean_decides():
    how = {"trials": 3, "epochs": 1, "engine": "keras"}
    study = tune(net, points(), **how, repeats=2, finalists=2, finalist_seeds=2)
    assert all(len(trial.scores) == 2 for trial in study.trials)
    assert study.best.score == pytest.approx(np.mean([*study.best.scores, *study.best.again]))
    assert study.best.spread == pytest.approx(
        np.std([*study.best.scores, *study.best.again], ddof=1)
    )
    again = [trial for trial in study.ranking if trial.again]
    assert again == study.ranking[:2] and all(len(trial.again) == 2 for trial in again)
    assert again[0].score <= again[1].score
    assert study.kept == study.refitted == study.best.number
    first = tune(net, points(), **how, finalists=0)
    assert [t.scores[0] for t in study.trials] == pytest.approx([t.score for t in first.trials])


def test_patience_ends_a_trial_that_is_complete_nevertheless():
    def still(hp):
        model = net(hp)
        model.compile(keras.optimizers.SGD(hp.Float("none", 1e-30, 1e-29)), "mse")
        return model

    study = tune(still, points(), trials=2, epochs=9, patience=2, refit=False, finalists=0)
    assert {trial.state for trial in study.trials} == {"complete"}
    assert {len(trial.history["loss"]) for trial in study.trials} == {3}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"max_trials": 5}, "tune has no max_trials; say trials=…"),
        ({"executions_per_trial": 2}, "say repeats=…"),
        ({"directory": "here"}, 'say study="FOLDER"'),
        ({"callbacks": []}, "say patience=…"),
        ({"trails": 5}, "tune has no trails; did you mean 'trials'?"),
        ({"build": WIDTHS}, "got a Space; say space=…"),
        ({"space": {"units": [1, 2]}}, r"space must be a tfc.Space\(…\), got dict"),
        (
            {"build": net, "data": points(), "objective": "val_acc"},
            "objective must be one of .* got .val_acc.",
        ),
        ({"data": points()}, "takes labels that are classes, got float32"),
        ({"data": np.zeros((5, 2))}, "train data must be a data set's name, a path"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_say(given, says):
    with pytest.raises((ValueError, TypeError), match=says) as caught:
        tune(**given)
    assert "\n" not in str(caught.value)
