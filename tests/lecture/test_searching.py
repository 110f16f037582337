"""Searches played to their end: what they are told, and what they are judged by."""

import numpy as np
import pytest

from tfcourse.lecture import population, searching
from tfcourse.lecture.ledger import HOLDS, REFUTED, weighed
from tfcourse.lecture.statistics import Interval
from tfcourse.tuning import Linear, Space, coarse_to_fine, random

SPACE = Space(x=Linear(0, 1))


@pytest.fixture
def trainings(monkeypatch):
    """Replace trainings: validation loss is x, NaN above 0.9, and test loss what x is to 2."""
    seen = []

    def train(trials, *, epochs, seed, dataset, test=False):
        seen.append((seed, test))
        x = np.array([trial["x"] for trial in trials])
        history = {"validation_loss": np.where(x > 0.9, np.nan, x)[:, None]}
        history["validation_accuracy"] = -history["validation_loss"]
        return population.Outcomes(history, np.zeros(len(trials), int), 1 - x, 2 - x)

    monkeypatch.setattr(population, "train", train)
    return seen


def told(by, count=20):
    """A search that proposes `count` draws, asks, and keeps what it is told in `by`."""
    yield from random(SPACE, count, 5)
    by += (yield None) or ()
    yield {"x": 0.5}


def test_a_search_is_told_of_its_own_trials_the_best_first_and_what_diverged_last(trainings):
    one, other = [], []
    played = searching.play([told(one), told(other, 4)], {}, 0, None)
    for answer, mine in zip((one, other), played, strict=True):
        x = [tried.hyperparameters["x"] for tried in answer]
        sound = [value for value in x if value <= 0.9]
        assert x[: len(sound)] == sorted(sound) and all(value > 0.9 for value in x[len(sound) :])
        assert [{"x": value} for value in sorted(x)] == sorted(
            mine.trials[:-1], key=lambda trial: trial["x"]
        )
        assert mine.best == {"x": min(x)}
    assert max(tried.hyperparameters["x"] for tried in one) > 0.9


def test_every_round_has_first_weights_of_its_own(trainings):
    searching.play([coarse_to_fine(SPACE, 3, 30, 2, 0)], {}, 7, None)
    assert trainings == [(7, False), (8, False), (9, False)]


def test_what_a_search_found_is_judged_by_examples_that_it_was_not_found_by(trainings):
    duel = searching.duel(("few", "many"), searches := both(), {}, 0, None)
    assert len(searches) == 6 and duel.loss.shape == (3, 2)
    found = np.array([[min(x) for x in pair] for pair in drawn()])
    assert duel.loss == pytest.approx(2 - found)
    assert trainings[-1][1]


def both():
    return [random(SPACE, count, seed) for seed in range(3) for count in (2, 40)]


def drawn():
    return [[[h["x"] for h in random(SPACE, count, s)] for count in (2, 40)] for s in range(3)]


def test_a_gain_is_what_less_loss_is_worth_and_ways_are_not_mixed(trainings):
    duel = searching.duel(("few", "many"), both(), {}, 0, None)
    found = np.array([[min(x) for x in pair] for pair in drawn()])
    lower = (found[:, 0] - found[:, 1]) * -1  # more x is less test loss here
    assert duel.gain("many", "few") == pytest.approx(lower / duel.lack)
    assert duel.gain("few", "many") == pytest.approx(-lower / duel.lack)


@pytest.mark.parametrize(("share", "verdict"), [(0.08, REFUTED), (0.12, HOLDS)])
def test_what_matters_is_a_tenth_as_its_reason_says(share, verdict):
    assert searching.WHY.startswith("A tenth ")
    assert weighed(Interval(share, share - 0.01, share + 0.01), searching.MATTERS) == verdict
