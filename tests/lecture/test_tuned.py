"""Ways to train at their best settings: the choice, the new trainings, and what makes pairs."""

import numpy as np
import pytest

from tfcourse.lecture import population, tuned


@pytest.fixture
def asked(monkeypatch):
    """Replace trainings by losses that α decides; at 1.0 they diverge. Returns what is asked."""
    calls = []

    def train(trials, *, epochs, starts=None, **how):
        calls.append((trials, starts))
        best = {"a": 0.1, "b": 0.01}
        alphas = [one["learning_rate"] for one in trials]
        off = [abs(np.log10(a / best[one["way"]])) for a, one in zip(alphas, trials, strict=True)]
        loss = np.where(np.array(alphas) == 1.0, np.nan, off)[:, None] + np.arange(epochs)
        figures = {"loss": loss, "validation_loss": loss}
        n = len(trials)
        return population.Outcomes(figures, np.zeros(n, int), np.arange(n), np.zeros(n))

    monkeypatch.setattr(population, "train", train)
    return calls


def tune(*alphas):
    ways = {way: {"way": way} for way in "ab"}
    return tuned.tune(
        ways, lambda _: tuned.rates(*alphas), tries=2, runs=3, epochs=4, seed=0, dataset=None
    )


def test_each_way_gets_its_best_option_and_its_own_runs(asked):
    found = tune(0.01, 0.1, 1.0)
    assert {way: one.option["learning_rate"] for way, one in found.items()} == {"a": 0.1, "b": 0.01}
    assert [one.test_accuracy.tolist() for one in found.values()] == [[0, 1, 2], [3, 4, 5]]
    assert all(one.unseen.shape == (3, 4) and one.trainings == 3 * 2 + 3 for one in found.values())
    assert found["a"].lowest.tolist() == [0, 0, 0]
    assert [(len(trials), starts) for trials, starts in asked] == [(12, None), (6, 3)]


def test_what_diverges_is_infinite(asked):
    assert np.isinf(tune(1.0)["a"].lowest).all()


def test_runs_that_share_a_start_have_the_same_seed(monkeypatch):
    seeds = []
    monkeypatch.setattr(
        population.training, "train", lambda *a, **how: seeds.extend(how["seeds"]) or []
    )
    population.train([{}] * 6, epochs=1, seed=0, starts=3)
    assert seeds[:3] == seeds[3:] and len(set(seeds)) == 3
