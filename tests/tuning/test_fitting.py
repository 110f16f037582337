"""Training by `model.fit`: the same steps as Keras's own `train_on_batch`, and going on."""

import numpy as np
import pytest

from tfcourse import saving
from tfcourse._tensorflow import keras
from tfcourse.classifier import evaluate
from tfcourse.hyperparameters import Hyperparameters
from tfcourse.training.batches import epoch_batches
from tfcourse.training.fitting import fit, prepare
from tfcourse.training.initialization import initial_weights
from tfcourse.tuning import fitting
from tfcourse.tuning.models import Own, Packaged
from tfcourse.tuning.objective import objective
from tfcourse.tuning.trainers import Job

ACCURACY = objective("val_accuracy")
SETTINGS = Hyperparameters(
    layers=1, units=8, dropout=0.2, decay=0.5, learning_rate=0.02, batch_size=16, epochs=4
)
DRAW = {"layers": 1, "units": 8, "learning_rate": 0.02, "decay": 0.5, "batch_size": 16}


def fitted(blobs, *parts, settings=SETTINGS):
    model = Packaged(blobs).build({"layers": 1, "units": 8, "dropout": settings.dropout})
    prepare(model, settings, 7)
    data = blobs.standardized()
    epochs = [e for part in parts for e in fit(model, data, settings, seed=7, epochs=part)]
    return epochs, model.get_weights()


def test_fitting_takes_the_steps_of_train_on_batch(blobs):
    epochs, weights = fitted(blobs, range(3))
    data = blobs.standardized()
    model = Packaged(blobs).build({"layers": 1, "units": 8, "dropout": 0.2})
    model.set_weights(initial_weights(model, 7))
    dropout = next(la for la in model.layers if isinstance(la, keras.layers.Dropout))
    dropout.seed_generator.state.assign(np.random.SeedSequence([7, 0, 0]).generate_state(2))
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    for epoch in range(3):
        model.optimizer.learning_rate = 0.02 / (1 + 0.5 * epoch)
        for rows in epoch_batches(7, epoch, 90, 16):
            model.train_on_batch(data.x_train[rows], data.y_train[rows])
    for ours, theirs in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    loss = model.evaluate(data.x_validation, data.y_validation, verbose=0)
    assert epochs[-1].validation_loss == pytest.approx(loss, rel=1e-5)


def test_epochs_in_two_parts_are_epochs_in_one(blobs):
    whole, parts = fitted(blobs, range(4)), fitted(blobs, range(2), range(2, 4))
    assert whole[0] == parts[0]
    assert all((a == b).all() for a, b in zip(whole[1], parts[1], strict=True))


def test_a_trial_is_what_the_same_seed_gives_again_and_its_model_is_of_the_best_epoch(
    blobs, tmp_path
):
    trainer = fitting.KerasTrainer(Packaged(blobs), blobs, "blobs")
    job = Job(3, DRAW, seed=11, epochs=3)
    progress = []
    (first,), (second,) = (next(trainer.train([job], {3}, progress.append)) for _ in range(2))
    trial = first.trial(ACCURACY, last=True)
    assert trial == second.trial(ACCURACY, last=True)
    assert (trial.number, trial.state, trial.epochs) == (3, "complete", 3)
    assert progress == [1, 2, 3] * 2
    assert [len(values) for values in trial.history.values()] == [3] * 4

    trainer.save(first, tmp_path / "best.keras")
    model, card = saving.load(tmp_path / "best.keras")
    judged = evaluate(model, blobs.x_validation, blobs.y_validation)
    assert judged.accuracy == pytest.approx(trial.validation_accuracy)
    assert judged.loss == pytest.approx(trial.metrics["val_loss"], rel=1e-4)
    test = evaluate(model, blobs.x_test, blobs.y_test)
    assert trainer.test(trial, tmp_path / "best.keras")["accuracy"] == test.accuracy
    assert (card.hyperparameters["units"], card.seed, card.data) == (8, 11, "blobs")


@pytest.mark.usefixtures("eager")
def test_trials_diverge_and_fail_alone(blobs):
    trainer = fitting.KerasTrainer(Packaged(blobs), blobs, "blobs")
    fine = {"layers": 1, "units": 4}
    wild = {**fine, "batch_norm": False, "optimizer": "gradient_descent", "learning_rate": 1e30}
    odd = {**fine, "activation": "no such thing"}
    jobs = [Job(n, draw, seed=1, epochs=2) for n, draw in enumerate((wild, odd, fine))]
    found = [r for results in trainer.train(jobs, {0, 1, 2}, print) for r in results]
    trials = [result.trial(ACCURACY, last=True) for result in found]
    assert [trial.state for trial in trials] == ["diverged", "failed", "complete"]
    assert "activation must be one of" in trials[1].error and "\n" not in trials[1].error
    assert len(trials[0].history["loss"]) < 2


def test_a_model_of_ones_own_is_saved_with_the_standardization(blobs, tmp_path):
    def build(draw):
        inputs = keras.Input((2,))
        hidden = keras.layers.Dense(draw["units"], "tanh")(inputs)
        return keras.Model(inputs, keras.layers.Dense(3, "softmax")(hidden))

    trainer = fitting.KerasTrainer(Own(blobs, build, "here:build"), blobs, "blobs")
    job = Job(0, {"units": 6, "learning_rate": 0.05}, seed=2, epochs=2)
    (result,) = next(trainer.train([job], {0}, print))
    trainer.save(result, tmp_path / "best.keras")
    loaded = keras.saving.load_model(tmp_path / "best.keras")
    judged = evaluate(loaded, blobs.x_validation, blobs.y_validation)
    assert judged.accuracy == pytest.approx(result.trial(ACCURACY, last=True).validation_accuracy)
    test = evaluate(loaded, blobs.x_test, blobs.y_test)
    assert (
        trainer.test(result.trial(ACCURACY, last=True), tmp_path / "best.keras")["accuracy"]
        == test.accuracy
    )
