"""Babysitting: what is changed, gone back from and repeated, bit for bit."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from tfcourse import saving
from tfcourse._tensorflow import keras, tf
from tfcourse.classifier import evaluate
from tfcourse.tuning import panda

FIRST = {"layers": 1, "units": 6, "dropout": 0.2, "epochs": 2, "learning_rate": 0.02}


@pytest.fixture(scope="module")
def first_day(blobs, tmp_path_factory):
    """A folder with the first day of a model."""
    folder = tmp_path_factory.mktemp("first") / "model"
    tf.config.run_functions_eagerly(True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(panda.datasets, "load", lambda name: blobs)
        panda.day(folder, FIRST)
    tf.config.run_functions_eagerly(False)
    return folder


@pytest.fixture
def run(tmp_path, blobs, monkeypatch, first_day):
    """Babysit a model in a folder of its own, on a small data set."""
    monkeypatch.setattr(panda.datasets, "load", lambda name: blobs)

    class Run:
        folder = tmp_path / "model"

        def begun(self):
            """The first day, trained once for all tests."""
            shutil.copytree(first_day, self.folder, dirs_exist_ok=True)
            return panda.read(self.folder).days[1]

        def day(self, **changes):
            return panda.day(self.folder, changes)

        def revert(self, to=None):
            return panda.revert(self.folder, to)

        def weights(self, number):
            model = keras.saving.load_model(panda.read(self.folder).model_path(number))
            return [v.numpy() for v in (*model.weights, *model.optimizer.variables)]

    return Run()


def same(one, other):
    return len(one) == len(other) and all(map(np.array_equal, one, other))


def test_a_day_reverted_and_repeated_gives_the_same_weights_bit_for_bit(run):
    run.begun()
    second = run.day(learning_rate=0.01)
    assert run.revert() == 1
    third = run.day(learning_rate=0.01)
    assert (third.number, third.after, third.history) == (3, 1, second.history)
    assert same(run.weights(2), run.weights(3))
    run.revert()
    run.day(learning_rate=0.5)
    assert not same(run.weights(2), run.weights(4))


@pytest.mark.usefixtures("eager")
def test_two_days_are_one_of_twice_the_epochs(run, tmp_path):
    undropped = {**FIRST, "dropout": 0.0, "decay": 0.1}
    run.day(**undropped)
    run.day()
    two = run.weights(2)
    run.folder = tmp_path / "other"
    run.day(**{**undropped, "epochs": 4})
    assert same(two, run.weights(1))


@pytest.mark.usefixtures("eager")
def test_the_diary_tells_days_changes_and_steps_back(run):
    run.begun()
    run.day(learning_rate=0.01, batch_size=16)
    run.revert(1)
    run.day(dropout=0.3)
    run.day()
    diary = panda.read(run.folder)
    assert [e if isinstance(e, int) else e.number for e in diary.entries] == [1, 2, 1, 3, 4]
    assert diary.today == 4 and diary.lineage == {1, 3, 4}
    days = diary.days
    assert days[2].changed == {"learning_rate": 0.01, "batch_size": 16}
    assert days[3].changed == {"dropout": 0.3} and days[3].settings["learning_rate"] == 0.02
    assert (days[4].changed, days[4].after) == ({}, 3)
    assert [(day.first_epoch, day.last_epoch) for day in days.values()] == [
        (0, 2),
        (2, 4),
        (2, 4),
        (4, 6),
    ]


@pytest.mark.usefixtures("eager")
def test_any_day_can_be_gone_back_to_even_a_reverted_one(run):
    run.begun()
    run.day(learning_rate=0.01)
    assert (run.revert(0), run.revert(2)) == (0, 2)
    assert run.day().after == 2
    run.revert(0)
    fresh = run.day(**{**FIRST, "units": 3})
    assert (fresh.after, fresh.settings["units"]) == (0, 3)


@pytest.mark.usefixtures("eager")
def test_a_new_optimizer_starts_without_memory_and_weights_go_on(run):
    first = run.begun()
    second = run.day(optimizer="momentum", learning_rate=1e-12)
    assert second.history["validation_accuracy"][-1] == first.history["validation_accuracy"][-1]
    before, after = run.weights(1), run.weights(2)
    kernel = np.s_[:1]
    assert np.allclose(before[kernel], after[kernel], atol=1e-6)


@pytest.mark.usefixtures("eager")
def test_a_model_with_units_of_each_layer_has_a_second_day(run):
    run.day(**{**FIRST, "layers": 2, "units": (6, 4)})
    assert run.day(learning_rate=0.01).changed == {"learning_rate": 0.01}


def test_a_days_model_is_a_whole_model(run, blobs):
    day = run.begun()
    model, card = saving.load(panda.read(run.folder).model_path(1))
    judged = evaluate(model, blobs.x_validation, blobs.y_validation)
    assert judged.accuracy == pytest.approx(day.history["validation_accuracy"][-1])
    assert card.hyperparameters["units"] == 6


@pytest.mark.usefixtures("eager")
def test_a_day_that_diverged_must_be_left(run):
    run.day(**{**FIRST, "batch_norm": False, "optimizer": "gradient_descent"})
    wild = run.day(learning_rate=1e30)
    assert wild.diverged and len(wild.history["loss"]) < 2
    with pytest.raises(ValueError, match="day 2 diverged: its model must be left with `revert`"):
        run.day(learning_rate=0.01)
    run.revert()
    assert not run.day(learning_rate=0.01).diverged


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"units": 7}, "units must stay 6 from the first day on, got 7"),
        ({"layers": 3}, "layers must stay 1 from the first day on, got 3"),
        ({"learning_rat": 0.1}, "did you mean 'learning_rate'"),
        ({"learning_rate": 0}, "above 0, got 0"),
        ({"epochs": 0}, "epochs must be a whole number at least 1, got 0"),
    ],
)
def test_what_cannot_be_changed_is_refused_and_not_written_down(run, changes, says):
    run.begun()
    before = sorted(p.read_bytes() for p in run.folder.glob("*.jsonl"))
    with pytest.raises(ValueError, match=says):
        run.day(**changes)
    assert sorted(p.read_bytes() for p in run.folder.glob("*.jsonl")) == before


def test_nothing_is_begun_by_a_first_day_that_cannot_be(run):
    with pytest.raises(ValueError, match="got -1"):
        panda.day(run.folder, {}, seed=-1)
    with pytest.raises(ValueError, match="dropout"):
        run.day(dropout=2)
    with pytest.raises(FileNotFoundError, match="must hold the diary of a model, got none"):
        run.revert()
    assert not run.folder.exists()


def test_one_goes_back_to_the_day_one_came_from_and_not_to_the_calendars_day_before(tmp_path):
    with panda._open(panda.Diary(tmp_path, "digits", 0, ()), "any") as (pages, _):
        for number, after in ((1, 0), (2, 1), (3, 1), (4, 2)):  # 3 began anew from 1
            day = panda.Day(number, after, {}, {"epochs": 1}, 0, {})
            pages.append([{"reverted_to": after}, {"day": dataclasses.asdict(day)}])
    assert panda.revert(tmp_path) == 2
    assert panda.revert(tmp_path) == 1
    assert panda.revert(tmp_path, to=3) == 3
    assert panda.revert(tmp_path) == 1
    assert panda.revert(tmp_path) == 0


@pytest.mark.usefixtures("eager")
def test_a_day_that_was_not_is_not_gone_back_to(run):
    run.begun()
    with pytest.raises(ValueError, match="must be one of 0, 1, got 5"):
        run.revert(5)
    run.revert()
    with pytest.raises(ValueError, match="must have a day to go back from"):
        run.revert()


@pytest.mark.usefixtures("eager")
def test_killed_before_the_diary_is_written_the_day_is_repeated(run):
    run.begun()
    run.day()
    diary = run.folder / "diary.jsonl"
    lines = diary.read_bytes().splitlines(keepends=True)
    weights = run.weights(2)
    for torn in (b"", lines[2][:40]):
        diary.write_bytes(b"".join(lines[:2]) + torn)
        assert run.day().number == 2
        assert same(weights, run.weights(2))
        again = json.loads(diary.read_bytes().splitlines()[2])["day"]
        first = json.loads(lines[2])["day"]
        assert again | {"seconds": 0} == first | {"seconds": 0}


@pytest.mark.usefixtures("eager")
def test_another_seed_is_refused(run):
    run.begun()
    with pytest.raises(ValueError, match="seed must stay 0 from the first day on, got 3"):
        panda.day(run.folder, {}, seed=3)
