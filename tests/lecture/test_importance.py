"""Which hyperparameter first: known indices, verdicts that follow from known landscapes, figure."""

from functools import cache, partial

import numpy as np
import pytest

from tfcourse.lecture import importance as topic
from tfcourse.lecture import ledger, population


def crossed(function, inputs, base, seed=0, noise=0.0):
    rng = np.random.default_rng(seed)
    first, second = rng.random((2, base, inputs))
    crosses = [np.where(np.arange(inputs) == i, second, first) for i in range(inputs)]
    rows = [first, second, *crosses, first]
    y = np.array([function(u) for u in rows]) + rng.normal(0, noise, (len(rows), base))
    return topic.Importance(tuple("abcd"[:inputs]), *topic.indices(y), 0)


def ishigami(u):
    """Ishigami and Homma 1990, with a = 7 and b = 0.1."""
    x = np.pi * (2 * u - 1)
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


@pytest.mark.parametrize(
    ("function", "alone", "total"),
    [
        (lambda u: u @ [3.0, 2.0, 0.0], [9 / 13, 4 / 13, 0], [9 / 13, 4 / 13, 0]),
        (ishigami, [0.3139, 0.4424, 0], [0.5576, 0.4424, 0.2437]),
        (lambda u: (u[:, 0] - 0.5) * (u[:, 1] - 0.5), [0, 0, 0], [1, 1, 0]),
    ],
)
def test_known_indices_lie_near_and_within_the_intervals(function, alone, total):
    found = crossed(function, 3, 8192)
    assert found.alone.mean(axis=0) == pytest.approx(alone, abs=0.05)
    assert found.total.mean(axis=0) == pytest.approx(total, abs=0.05)
    for name, index in zip(found.names, total, strict=True):
        interval = found.interval(name, level=0.999)
        assert interval.low - 1e-9 <= index <= interval.high + 1e-9


def test_the_effect_of_other_first_weights_is_taken_off():
    totals = [
        crossed(lambda u: u[:, 0], 2, 96, seed, noise=0.3).total.mean(axis=0) for seed in range(60)
    ]
    a, b = np.mean(totals, axis=0)
    assert abs(b) < 0.02 and a == pytest.approx(1 / (1 + 12 * 0.09), abs=0.04)


def log_alpha(trial):
    return np.log10(trial["learning_rate"])


def in_the_lectures_order(trial):
    """Variances 1 for α, 0.2 for each of the second rank, 0.06 for each of the third."""
    momentum = -np.log10(1 - trial["momentum"]) if "momentum" in trial else 0
    middle = 0.775 * momentum + 0.0527 * trial["units"] + 0.0186 * trial["batch_size"]
    rest = 0.245 * trial["layers"] + 0.849 * trial["decay"]
    return 0.866 * log_alpha(trial) + middle + rest - 6


def bowl(*others):
    """The nearer α is to 0.01 the lower; and so with the others in the middle of their axes."""
    space = topic.SPACES["adam"]

    def loss(trial):
        lost = 0.1 * (log_alpha(trial) + 2) ** 2
        return lost + sum((space[n].to_unit(trial[n]) - 0.5) ** 2 for n in others if n in trial)

    return loss


def one_rate(power):
    """The best α is in proportion to a power of the mini-batch's size; small ones learn more."""

    def loss(trial):
        size = trial["batch_size"]
        best = np.log10(0.1) + power * np.log10(size / 64)
        return 0.001 * size + (log_alpha(trial) - best) ** 2

    return loss


LANDSCAPES = {
    "tuning.importance-order": {
        "holds": in_the_lectures_order,
        "holds under conditions": bowl(),
        "refuted": lambda trial: 0.03 * trial["units"] + 0.001 * log_alpha(trial),
        "not shown": lambda trial: 0.0,
    },
    "tuning.not-hard-and-fast": {
        "holds": lambda trial: 0.1 * trial["layers"] + 0.1 * log_alpha(trial),
        "refuted": lambda trial: 0.1 * log_alpha(trial),
    },
    "tuning.good-defaults": {
        "holds": bowl(),
        "refuted": lambda trial: (
            bowl()(trial) + (trial["momentum"] < 0.95) + (trial.get("beta_1", 0.9) < 0.95)
        ),
    },
    "tuning.batch-size-and-alpha": {"holds": one_rate(1), "refuted": one_rate(-1)},
}
BREAKS = set(LANDSCAPES)  # turned by other landscapes


@pytest.fixture
def landscape(monkeypatch, nothing_remembered):
    """Replace trainings by `loss(trial)`, with a little noise, cut at what a guess loses."""

    def put(loss, base=400):
        def train(trials, *, epochs, seed, dataset, test=False):
            rng = np.random.default_rng([seed, len(trials)])
            found = np.array([loss(trial) for trial in trials]) / 4
            found = found + rng.normal(0, 0.002, len(trials))
            history = {"validation_loss": found[:, None], "validation_accuracy": -found[:, None]}
            return population.Outcomes(history, np.zeros(len(trials), int), -found, found)

        monkeypatch.setattr(population, "train", train)
        monkeypatch.setattr(topic, "TRIALS", 11 * base)
        monkeypatch.setattr(topic, "tuned", cache(partial(topic.tuned.__wrapped__, searches=96)))

    return put


@pytest.mark.parametrize(
    ("id", "expected"), [(id, verdict) for id, cases in LANDSCAPES.items() for verdict in cases]
)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_verdict_follows_from_the_landscape(landscape, id, expected, seed):
    landscape(LANDSCAPES[id][expected])
    [entry] = ledger.run(ledger.find([id]), seed)
    assert entry.evidence.verdict == expected, entry.evidence
    assert entry.evidence.trainings > 250


def test_all_trials_have_as_many_updates(monkeypatch):
    updates = {}

    def train(trials, *, epochs, seed, dataset):
        for trial in trials:
            size = trial["batch_size"]
            updates[size] = trial["epochs"] * (len(dataset.x_train) // size)
            assert trial["epochs"] <= epochs
        none = np.zeros((len(trials), epochs))
        return population.Outcomes({"validation_loss": none}, none[:, 0], none[:, 0], none[:, 0])

    monkeypatch.setattr(population, "train", train)
    topic.trained([{"batch_size": size} for size in topic.UPDATES], seed=0)
    assert set(updates) == set(topic.UPDATES)
    assert max(updates.values()) / min(updates.values()) < 1.12, updates


@pytest.mark.long
def test_small_runs_are_trained_in_earnest(monkeypatch):
    monkeypatch.setattr(topic, "CASES", [("momentum", True)])
    monkeypatch.setattr(topic, "UPDATES", {16: 1, 64: 1})
    [found] = topic.importance.__wrapped__(seed=1, trials=36).values()
    assert found.total.shape == found.alone.shape == (4, 6) and found.trainings == 4 * 9
    assert np.isfinite(found.total).all()
    together = topic.together.__wrapped__(seed=1, seeds=1)
    assert together.best.shape == (1, 3) and together.trainings == 36


@pytest.mark.long
def test_the_figure_draws_every_index_with_its_interval(drawn):
    figure, found = drawn("hyperparameter_importance"), topic.importance(0, topic.TRIALS)
    for axes, normalize in zip(figure.axes, (False, True), strict=True):
        points = {line.get_gid(): line.get_xdata()[0] for line in axes.lines if line.get_gid()}
        expected = {
            f"{way} {name}": found[way, normalize].interval(name).value
            for way in topic.SPACES
            for name in topic.SPACES[way]
        }
        assert points == pytest.approx(expected) and len(points) == 14
    rows = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(rows) == 9 and "learning rate" in rows[0] and "varepsilon" in rows[-1]
    assert [text.get_text() for text in figure.axes[1].texts[:4]] == [
        "red",
        "yellow",
        "purple",
        "none",
    ]
