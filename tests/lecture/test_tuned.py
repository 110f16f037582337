"""Ways to train at the settings that suit each best: how these are chosen, and what is judged."""

import numpy as np
import pytest

from tfcourse.lecture import population
from tfcourse.lecture.tuned import rates, teachers, tune

WAYS = {"low": {"at": 0.1}, "high": {"at": 0.9}}


@pytest.fixture
def found(monkeypatch):
    """Each way has a best rate; a training at 0.3 diverges on one task, and is best on another."""
    asked = []

    def train(trials, *, seed, epochs, dataset, starts=None, **how):
        asked.append((dataset, starts))
        off = np.array([abs(trial["learning_rate"] - trial["at"]) for trial in trials])
        wild = np.array([trial["learning_rate"] == 0.3 for trial in trials])
        off[wild] = {"calm": 0.0, "wild": np.nan, "usual": 0.5}[dataset]
        history = {name: np.repeat(off[:, None], epochs, 1) for name in population.FIGURES}
        return population.Outcomes(history, np.zeros(len(trials), int), 1 - off, off)

    monkeypatch.setattr(population, "train", train)
    how = {"tasks": ["calm", "usual", "wild"], "epochs": 3, "seed": 7, "test": True}
    return tune(WAYS, lambda way: rates(0.1, 0.3, 0.7), **how), asked


def test_each_task_gets_the_option_of_the_lowest_loss_and_never_one_that_diverges(found):
    best = {way: one.option["learning_rate"] for way, one in found[0].items()}
    assert best == {"low": 0.1, "high": 0.7}  # most often
    assert found[0]["high"].lowest == pytest.approx([0.0, 0.2, 0.2])


def test_what_is_judged_was_trained_anew_on_each_task_and_is_the_ways_own(found):
    results, asked = found
    tasks = ("calm", "usual", "wild")
    assert asked == [(task, starts) for task in tasks for starts in (None, 1)]  # ways begin alike
    for way, off in (("low", 0.0), ("high", 0.2)):
        one = results[way]
        assert one.lowest == pytest.approx([0.0, off, off]) and one.loss.shape == (3, 3)
        assert one.test_accuracy == pytest.approx([1.0, 1 - off, 1 - off])
        assert one.trainings == 3 * (3 + 1)


def test_tasks_of_different_seeds_are_different():
    first, second = (teachers(seed, count=3, examples=10) for seed in (0, 1))
    assert len({one.x_train.tobytes() for one in first + second}) == 6


def test_runs_that_share_a_start_have_the_same_seed(monkeypatch):
    seeds = []
    monkeypatch.setattr(
        population.training, "train", lambda *a, **how: seeds.extend(how["seeds"]) or []
    )
    population.train([{}] * 6, epochs=1, seed=0, starts=3)
    assert seeds[:3] == seeds[3:] and len(set(seeds)) == 3
