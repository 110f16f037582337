"""Small mini-batches: verdicts follow from losses that are known; the norms are what they say."""

import numpy as np
import pytest

from tfcourse.lecture import ledger, population
from tfcourse.lecture import small_batches as topic


@pytest.fixture
def losses(monkeypatch, nothing_remembered):
    """Replace trainings by losses: what a norm loses at a size of the mini-batches."""

    def put(loses, spread=0.01):
        def train(trials, *, epochs, seed, dataset, build, test=False, starts=None):
            n = len(trials)
            scatter = np.random.default_rng([seed, n]).normal(0, spread, n)
            lost = np.array([loses.get((one["norm"], one["batch_size"]), 0) for one in trials])
            loss = np.tile((0.9 + lost + scatter)[:, None], epochs)
            history = {"validation_loss": loss, "loss": loss}
            return population.Outcomes(history, np.zeros(n, int), scatter, scatter)

        monkeypatch.setattr(population, "train", train)

    return put


CASES = {
    "holds": {("batch", 2): 0.3, ("batch", 8): 0.1},
    "holds under conditions": {("batch", 2): 0.3},
    "refuted": {},
    "not shown": {("batch", 2): 0.3, ("layer", 2): 0.05},
}
BREAKS = {"bn.small-batches"}  # turned by other losses


@pytest.mark.parametrize("expected", CASES)
def test_the_verdict_follows_from_the_losses(expected, losses):
    losses(CASES[expected])
    [entry] = ledger.run(ledger.find(["bn.small-batches"]))
    assert entry.evidence.verdict == expected, entry.evidence
    assert entry.evidence.trainings == 16 * 9 * (5 + 1)


def test_it_is_refuted_where_another_norm_loses_as_well(losses):
    losses({("batch", 2): 0.3, ("group", 8): 0.2})
    [entry] = ledger.run(ledger.find(["bn.small-batches"]))
    assert entry.evidence.verdict == "refuted"


@pytest.mark.parametrize("norm", topic.NORMS)
def test_a_norm_is_over_what_it_is_said_to_be(norm):
    z = np.random.default_rng(0).normal(3, 2, (64, 32)).astype(np.float32)
    layer = topic.build({"norm": norm, "batch_size": 8}).layers[1]
    found = np.asarray(layer(z, training=True))
    over = {"batch": found, "layer": found.T, "group": found.reshape(64 * 4, 8).T}[norm]
    assert np.abs(over.mean(axis=0)).max() < 1e-4
    assert over.std(axis=0) == pytest.approx(np.ones(over.shape[1]), abs=0.01)
    if norm == "batch":
        assert layer.momentum == 1 - 8 / 640
