"""Ways to train at the settings that suit each best: how these are chosen, and what is judged."""

from types import SimpleNamespace

import numpy as np
import pytest

from tfcourse.lecture import population
from tfcourse.lecture.tuned import rates, tune, tune_on_tasks

WAYS = {"low": {"at": 0.1}, "high": {"at": 0.9}}


@pytest.fixture
def found(monkeypatch):
    """Each way has a best rate; some trainings at 0.3 are better still, and some diverge."""
    asked = []

    def train(trials, *, seed, epochs, starts=None, **how):
        asked.append((seed, starts))
        off = np.array([abs(trial["learning_rate"] - trial["at"]) for trial in trials])
        wild = np.array([trial["learning_rate"] == 0.3 for trial in trials])
        off[wild] = np.where(np.arange(wild.sum()) % 2, np.nan, 0.0)
        history = {name: np.repeat(off[:, None], epochs, 1) for name in population.FIGURES}
        return population.Outcomes(history, np.zeros(len(trials), int), 1 - off, off)

    monkeypatch.setattr(population, "train", train)
    how = {"tries": 2, "runs": 5, "epochs": 3, "seed": 7, "dataset": None, "test": True}
    return tune(WAYS, lambda way: rates(0.1, 0.3, 0.7), **how), asked


def test_each_way_gets_the_option_of_the_lowest_loss_and_never_one_that_may_diverge(found):
    best = {way: one.option["learning_rate"] for way, one in found[0].items()}
    assert best == {"low": 0.1, "high": 0.7}


def test_what_is_judged_was_trained_anew_and_is_the_ways_own(found):
    results, ((chosen_by, _), (judged, starts)) = found
    assert judged != chosen_by and starts == 5  # the n-th runs of two ways begin alike
    for way, off in (("low", 0.0), ("high", 0.2)):
        one = results[way]
        assert one.lowest == pytest.approx([off] * 5) and one.loss.shape == (5, 3)
        assert one.test_accuracy == pytest.approx([1 - off] * 5)
        assert one.trainings == 3 * 2 + 5


def test_every_task_is_trained_on_its_own_examples_and_its_runs_stand_in_the_tasks_order(
    monkeypatch,
):
    best = {4: 0.7, 5: 0.1, 6: 0.1}  # which rate suits a task

    def train(trials, *, epochs, dataset, **how):
        off = [abs(trial["learning_rate"] - best[dataset]) + dataset / 100 for trial in trials]
        history = {name: np.repeat(np.c_[off], epochs, 1) for name in population.FIGURES}
        off = np.array(off)
        return population.Outcomes(history, np.zeros(len(trials), int), 1 - off, off)

    monkeypatch.setattr(population, "train", train)
    monkeypatch.setattr(population, "teacher", lambda task: SimpleNamespace(data=task))
    how = {"tasks": [4, 5, 6], "epochs": 2, "build": None, "test": True}
    for one in tune_on_tasks(WAYS, lambda way: rates(0.7, 0.1), **how).values():
        assert one.lowest == pytest.approx([0.04, 0.05, 0.06])
        assert one.test_accuracy == pytest.approx([0.96, 0.95, 0.94])
        assert one.option["learning_rate"] == 0.1  # the best of most tasks
        assert one.trainings == 3 * (2 + 1)


def test_runs_that_share_a_start_have_the_same_seed(monkeypatch):
    seeds = []
    monkeypatch.setattr(
        population.training, "train", lambda *a, **how: seeds.extend(how["seeds"]) or []
    )
    population.train([{}] * 6, epochs=1, seed=0, starts=3)
    assert seeds[:3] == seeds[3:] and len(set(seeds)) == 3
