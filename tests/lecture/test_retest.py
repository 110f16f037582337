"""Test again: costs of carrying over that are known, and what tasks become."""

import numpy as np
import pytest

from tfcourse.lecture import ledger, population
from tfcourse.lecture import retest as topic


@pytest.fixture
def landscape(monkeypatch, nothing_remembered):
    """Replace trainings by the distance of α from the best α of a data set: `best(data)`."""

    def put(best, noise=0.001):
        def train(trials, *, epochs, seed, dataset, test, best_by):
            rng = np.random.default_rng([seed, len(dataset.x_train)])
            alpha = np.array([np.log10(trial["learning_rate"]) for trial in trials])
            loss = 0.3 * np.abs(alpha - best(dataset)) + rng.normal(0, noise, len(trials))
            history = {"validation_loss": loss[:, None], "validation_accuracy": -loss[:, None]}
            return population.Outcomes(history, np.zeros(len(trials), int), -loss, loss)

        monkeypatch.setattr(population, "train", train)

    return put


small = lambda data: len(data.x_train) < 1000  # noqa: E731
BREAKS = {
    "tuning.retest": {
        "holds under conditions": lambda data: -3 if small(data) else -1,
        "refuted": lambda data: -2,
    }
}


@pytest.mark.parametrize("expected", BREAKS["tuning.retest"])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_verdict_follows_from_the_landscape(landscape, expected, seed):
    landscape(BREAKS["tuning.retest"][expected])
    [entry] = ledger.run(ledger.find(["tuning.retest"]), seed)
    assert entry.evidence.verdict == expected, entry.evidence
    assert entry.evidence.trainings == 24 * 4 * 24


def test_a_best_that_is_another_on_every_data_set_makes_the_claim_hold(landscape):
    seen = {}  # a task, what it becomes, the next one, …

    def best(data):
        number = seen.setdefault(data.y_train.tobytes(), len(seen))
        return -0.5 - 1.5 * (number // 3 % 3)

    landscape(best)
    [entry] = ledger.run(ledger.find(["tuning.retest"]))
    assert entry.evidence.verdict == "holds", entry.evidence


def test_what_a_task_becomes():
    data, rng = population.teacher(3).data, np.random.default_rng(0)
    few, chance = topic.fewer(data, rng), topic.mislabelled(data, rng)
    assert few.x_train.shape == (142, 20) and np.array_equal(few.x_test, data.x_test)
    rows = {row.tobytes(): label for row, label in zip(data.x_train, data.y_train, strict=True)}
    assert all(rows[r.tobytes()] == y for r, y in zip(few.x_train, few.y_train, strict=True))
    for name in ("y_train", "y_validation", "y_test"):  # of those drawn anew a fifth is right
        agree = np.mean(getattr(chance, name) == getattr(data, name))
        assert agree == pytest.approx(0.6, abs=0.05)


@pytest.mark.long
def test_a_small_run_is_trained_in_earnest():
    found = topic.carried(seed=1, tasks=2, trials=12)
    assert found.trainings == 96 and {*found.cost} == {*topic.CHANGES}
    assert all(cost.shape == (2,) and np.isfinite(cost).all() for cost in found.cost.values())
