"""Faster, robust, deeper: verdicts follow from curves that are known."""

import numpy as np
import pytest

from tfcourse.lecture import deep_networks, ledger, population, statistics
from tfcourse.lecture import faster_training as topic


@pytest.fixture
def curves(monkeypatch, nothing_remembered):
    """Replace trainings by curves that fall from guessing's loss; `speed(trial)` each epoch."""

    def put(speed):
        def train(trials, *, epochs, seed, dataset, build, test=False, starts=None):
            n = len(trials)
            scatter = np.random.default_rng([seed, n]).normal(1, 0.05, n)
            fall = np.array([speed(trial) for trial in trials]) * scatter
            loss = 0.3 + 1.3 * np.exp(-np.outer(fall, np.arange(1, epochs + 1)))
            history = {"validation_loss": loss, "loss": loss, "validation_accuracy": -loss}
            return population.Outcomes(history, np.zeros(n, int), -fall, fall)

        monkeypatch.setattr(population, "train", train)

    return put


def depth(gain):
    """Batch norm multiplies the speed by `gain(layers)`; 0.03 is the best learning rate."""
    return lambda t: (
        0.3 * (1 - abs(np.log10(t["learning_rate"] / 0.03)) / 3) * gain(t["layers"])
        if t["batch_norm"]
        else 0.3 * (1 - abs(np.log10(t["learning_rate"] / 0.03)) / 3)
    )


def reach(norm, plain):
    """Works below this learning rate, with batch norm and without."""
    return lambda t: 1.0 * (t["learning_rate"] < (norm if t["batch_norm"] else plain))


def trains(norm, plain):
    """How many layers train with batch norm, and without."""
    return lambda t: 1.0 * (t["layers"] <= (norm if t["batch_norm"] else plain))


CASES = {
    "bn.faster": {
        "holds": depth(lambda layers: 2),
        "holds under conditions": depth(lambda layers: 2 if layers > 2 else 1),
        "refuted": depth(lambda layers: 1),
    },
    "bn.robust-search": {
        "holds": reach(1, 0.01),
        "refuted": reach(0.01, 0.01),
    },
    "bn.deeper": {
        "holds": trains(10, 2),
        "holds under conditions": trains(6, 2),
        "refuted": trains(10, 10),
    },
}
BREAKS = set(CASES)  # turned by other curves


@pytest.mark.parametrize(
    ("id", "expected"), [(id, verdict) for id, cases in CASES.items() for verdict in cases]
)
def test_the_verdict_follows_from_the_curves(id, expected, curves):
    curves(CASES[id][expected])
    [entry] = ledger.run(ledger.find([id]))
    assert entry.evidence.verdict == expected, entry.evidence
    cells = topic.TASKS * len(topic.LAYERS) * 4 * (len(topic.RATES) + 1)
    assert entry.evidence.trainings == (320 if id == "bn.robust-search" else cells)


def test_the_same_settings_are_compared_pair_by_pair(monkeypatch, nothing_remembered):
    """Half of the settings work either way; of the others batch norm has one in five work."""
    reached = np.linspace(0.5, 1.5, 100) <= 1
    helped = reached | (np.arange(100) % 10 == 9)
    losses = [np.where(works, topic.mark(0, 1), 9.0) for works in (helped, reached)]
    monkeypatch.setattr(topic, "settings", lambda seed: topic.Settings(np.ones(100), *losses, 200))
    [entry] = ledger.run(ledger.find(["bn.robust-search"]))
    pairs = statistics.mean(helped.astype(float) - reached)
    assert entry.evidence.effect == pairs and pairs.above_zero
    apart = statistics.difference(helped.astype(float), reached.astype(float))
    assert not apart.above_zero


def test_updates_are_counted_between_epochs_and_to_the_end():
    lacking = np.array([[0.8, 0.6, 0.4], [1.0, 0.9, 0.8], [np.inf] * 3])
    assert topic.updates(lacking, per_epoch=10) == pytest.approx([25, 40, 40])
    assert topic.updates(lacking, 1 - 1e-9, per_epoch=10)[0] < 1e-6


def test_a_mark_lies_between_guessing_and_the_teacher():
    best = population.teacher(0).best_loss
    assert topic.mark(0, 0) == pytest.approx(np.log(5)) and topic.mark(0, 1) == pytest.approx(best)


def test_both_claims_rest_on_the_same_trainings(curves):
    curves(trains(10, 2))
    found = [one.evidence for one in ledger.run(ledger.find(["bn.faster", "bn.deeper"]))]
    assert ledger.trainings(found) == found[0].trainings
    assert deep_networks.trained()[10, False, "he_normal"] == 0


def test_every_task_has_its_own_way_from_guessing_to_the_best_possible():
    numbers = topic.numbers(1)
    ends = [[topic.mark(number, 0), topic.mark(number, 1), np.inf] for number in numbers]
    left = topic.left(np.array(ends), seed=1)
    np.testing.assert_allclose(left, [[1, 0, np.inf]] * len(numbers))
    assert len({topic.mark(number, 1) for number in numbers}) == topic.TASKS == len(numbers)


def test_no_two_seeds_share_a_task():
    every = [number for seed in range(5) for number in topic.numbers(seed)]
    assert len(set(every)) == len(every) == 5 * topic.TASKS


@pytest.mark.parametrize("norm", [True, False])
def test_its_networks_are_as_deep_as_asked_for(norm):
    model = topic.build({"layers": 3, "batch_norm": norm, "first_weights": "he_normal"})
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("Dense") == 4 and kinds.count("BatchNormalization") == 3 * norm
    assert model.layers[0].use_bias is not norm
