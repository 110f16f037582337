"""Regularization: verdicts follow from losses that are known; the layer is batch norm in groups."""

import numpy as np
import pytest

from tfcourse import batch_norm
from tfcourse.lecture import ledger, population
from tfcourse.lecture import regularization as topic


@pytest.fixture
def losses(monkeypatch, nothing_remembered):
    """Replace trainings by losses on unseen examples, by way; 0.9 for the others."""

    def put(**by_way):
        def name(trial):
            group = f"of_{trial['group']}" if trial["group"] else "none"
            mini = "_mini" if trial["batch_size"] == 64 else ""
            return group + mini + ("_dropout" if "dropout" in trial else "")

        def train(trials, *, epochs, seed, dataset, build, test=False, starts=None):
            n = len(trials)
            scatter = np.random.default_rng([seed, n]).normal(0, 0.002, (n, 1))
            loss = np.array([[by_way.get(name(trial), 0.9)] for trial in trials]) + scatter
            loss = loss + np.zeros((1, epochs))
            history = {"validation_loss": loss, "loss": loss, "validation_accuracy": -loss}
            return population.Outcomes(history, np.zeros(n, int), -loss[:, 0], loss[:, 0])

        monkeypatch.setattr(population, "train", train)

    return put


CASES = {
    "bn.regularizes": {
        "holds": {"of_64": 0.87, "of_16": 0.85},
        "holds under conditions": {"of_64": 0.85, "of_16": 0.85},
        "refuted": {"of_64": 0.9, "of_16": 0.9},
    },
    "bn.with-dropout": {
        "holds": {"of_64": 0.88, "none_dropout": 0.86, "of_64_dropout": 0.82},
        "refuted": {"of_64": 0.88, "none_dropout": 0.82, "of_64_dropout": 0.82},
    },
    "bn.not-as-regularizer": {
        "holds": {"of_64": 0.89, "of_512_dropout": 0.84},
        "refuted": {"of_64": 0.84, "of_512_dropout": 0.89},
    },
    "bn.mini-batch-noise": {"holds": {"none_mini": 0.85}, "refuted": {}},
}
BREAKS = set(CASES)  # turned by other losses


@pytest.mark.parametrize(
    ("id", "expected"), [(id, verdict) for id, cases in CASES.items() for verdict in cases]
)
def test_the_verdict_follows_from_the_losses(id, expected, losses):
    losses(**CASES[id][expected])
    [entry] = ledger.run(ledger.find([id]))
    assert entry.evidence.verdict == expected, entry.evidence
    assert entry.evidence.trainings == 16 * (5 * (3 + 1) + 3 * (6 + 1))


@pytest.mark.parametrize("group", [4, 16])
def test_the_layer_normalizes_each_group_by_itself_and_keeps_averages(group):
    z = np.random.default_rng(0).normal(3, 2, (16, 5)).astype(np.float32)
    layer = topic._layer()(group, 5)
    found = np.asarray(layer(z, training=True))
    groups = [batch_norm.forward(part) for part in np.split(z, 16 // group)]
    assert found == pytest.approx(np.concatenate([one.z_tilde for one in groups]), abs=1e-5)
    mean = np.mean([one.mean for one in groups], axis=0)
    assert np.asarray(layer.mean) == pytest.approx(0.1 * mean, rel=1e-5)
    variance = np.mean([one.variance for one in groups], axis=0)
    assert np.asarray(layer.variance) == pytest.approx(0.9 + 0.1 * variance, rel=1e-5)
    expected = batch_norm.inference(z, np.asarray(layer.mean), np.asarray(layer.variance))
    assert np.asarray(layer(z, training=False)) == pytest.approx(expected, abs=1e-5)
