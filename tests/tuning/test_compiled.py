"""Trials through the compiled engine: the same as with Keras, in the company that jobs decide."""

import numpy as np
import pytest

from tfcourse._tensorflow import keras
from tfcourse.tuning.compiled import CompiledTrainer
from tfcourse.tuning.fitting import KerasTrainer
from tfcourse.tuning.models import Own, Packaged
from tfcourse.tuning.objective import objective
from tfcourse.tuning.trainers import Job

ACCURACY = objective("val_accuracy")
DRAWS = [
    {"layers": 1, "units": 8, "learning_rate": 0.02},
    {"layers": 1, "units": 5, "learning_rate": 0.05},
    {"layers": 2, "units_1": 6, "units_2": 4, "learning_rate": 0.01},
    {"layers": 1, "units": 6, "learning_rate": 0.01, "optimizer": "momentum"},
    {"layers": 1, "units": 7, "learning_rate": 0.03, "batch_size": 16},
]
JOBS = [Job(n + 10, draw, seed=n + 1, epochs=3) for n, draw in enumerate(DRAWS)]


def trained(trainer, jobs, wanted=None):
    """Results by number."""
    wanted = wanted or {job.number for job in jobs}
    found = [r for results in trainer.train(jobs, wanted, lambda epochs: None) for r in results]
    assert len(found) == len({result.job.number for result in found})
    return {result.job.number: result for result in found}


@pytest.fixture(scope="module")
def compiled(blobs):
    trainer = CompiledTrainer(Packaged(blobs), blobs, "blobs")
    return trainer, trained(trainer, JOBS)


def test_trials_come_to_what_keras_comes_to(compiled, blobs, request):
    ours = compiled[1]
    request.getfixturevalue("eager")
    theirs = trained(KerasTrainer(Packaged(blobs), blobs, "blobs"), JOBS[:3])
    for number in theirs:
        for name, figures in theirs[number].history.items():
            assert ours[number].history[name] == pytest.approx(figures, rel=1e-3, abs=1e-4)
        weights = [each[number].model().get_weights() for each in (ours, theirs)]
        for one, other in zip(*weights, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def test_what_is_finished_already_changes_nothing_to_the_last_bit(compiled, blobs):
    everything = compiled[1]
    for number in (10, 12):
        again = trained(CompiledTrainer(Packaged(blobs), blobs, "blobs"), JOBS, {number})
        assert again[number].trial(ACCURACY, last=True) == everything[number].trial(
            ACCURACY, last=True
        )
        weights = [each[number].model().get_weights() for each in (again, everything)]
        assert all((one == other).all() for one, other in zip(*weights, strict=True))
        assert len(again) < len(JOBS)


def test_progress_counts_the_epochs_of_all_trials(compiled):
    told = []
    for _ in compiled[0].train(JOBS, {job.number for job in JOBS}, told.append):
        pass
    assert told == sorted(told) and told[-1] == 3 * len(JOBS)


class RaisesInTraining(keras.layers.Layer):
    def call(self, x, training=False):
        if training:
            raise RuntimeError("not in training")
        return x


def build(draw):
    if draw["kind"] == "broken":
        raise ValueError("no such kind")
    layers = [keras.layers.Dense(draw["units"], "relu")]
    layers += [RaisesInTraining()] if draw["kind"] == "bad" else []
    return keras.Sequential([keras.Input((2,)), *layers, keras.layers.Dense(3, "softmax")])


def test_models_that_raise_fail_alone(blobs):
    trainer = CompiledTrainer(Own(blobs, build, "here:build"), blobs, "blobs")
    draws = [(4, "good"), (4, "broken"), (4, "bad"), (5, "good")]
    jobs = [Job(n, {"units": u, "kind": k}, seed=n, epochs=2) for n, (u, k) in enumerate(draws)]
    trials = [result.trial(ACCURACY, last=True) for result in trained(trainer, jobs).values()]
    trials.sort(key=lambda trial: trial.number)
    assert [trial.state for trial in trials] == ["complete", "failed", "failed", "complete"]
    assert trials[1].error == "ValueError: no such kind"
    assert "not in training" in trials[2].error


def test_a_trial_that_diverges_is_said_to(blobs):
    wild = {"layers": 1, "batch_norm": False, "optimizer": "gradient_descent"}
    jobs = [Job(n, {**wild, "learning_rate": rate}, 1, 3) for n, rate in enumerate((1e30, 0.01))]
    results = trained(CompiledTrainer(Packaged(blobs), blobs, "blobs"), jobs)
    states = [results[n].trial(ACCURACY, last=True).state for n in (0, 1)]
    assert states == ["diverged", "complete"]
