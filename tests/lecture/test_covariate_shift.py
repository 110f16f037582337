"""Covariate shift: verdicts follow from what models get right, and its figure from a real one."""

import numpy as np
import pytest

from tfcourse.lecture import covariate_shift as topic
from tfcourse.lecture import ledger, population


@pytest.fixture
def right(monkeypatch, nothing_remembered):
    """Replace trainings by shares right: where trained, beside it with batch norm and without."""

    def put(here, there, plain):
        def train(trials, *, epochs, seed, dataset, test, keep, starts):
            n = len(trials)
            both = dataset.name != "digits" and dataset.x_train[:, 0].max() > 0
            tested = [here if both else there if one["batch_norm"] else plain for one in trials]
            scatter = np.random.default_rng([seed, n]).normal(0, 0.004, (2, n))
            history = {"validation_accuracy": (here + scatter[0])[:, None]}
            at_last = np.array(tested) + scatter[1]
            return population.Outcomes(history, np.zeros(n, int), at_last, scatter[1], ([],))

        monkeypatch.setattr(population, "train", train)

    return put


CASES = {  # right where trained, beside it with batch norm, and without
    "bn.covariate-shift": {
        "holds": (0.98, 0.8, 0.82),
        "not shown": (0.98, 0.98, 0.8),
        "refuted": (0.98, 0.975, 0.97),
    },
    "bn.covariate-shift-not-cured": {
        "holds": (0.98, 0.8, 0.82),
        "refuted": (0.98, 0.93, 0.7),
    },
}
BREAKS = set(CASES)  # turned by other models


@pytest.mark.parametrize(
    ("id", "expected"), [(id, verdict) for id, cases in CASES.items() for verdict in cases]
)
def test_the_verdict_follows_from_the_models(id, expected, right):
    right(*CASES[id][expected])
    [entry] = ledger.run(ledger.find([id]))
    assert entry.evidence.verdict == expected, entry.evidence
    assert entry.evidence.trainings == 5 * 16


def test_its_data_lie_where_they_should(right):
    right(0.9, 0.9, 0.9)
    left = topic.shift().left
    assert left.x_train[:, 0].max() <= 0 <= left.x_test[:, 0].min()
    for x, y in ((left.x_train, left.y_train), (left.x_test, left.y_test)):
        assert ((x[:, 1] > 1.5 * np.sin(1.2 * x[:, 0])) == y).all()


@pytest.mark.long
def test_the_figure_marks_where_it_was_trained_and_where_tried(drawn):
    [axes] = drawn("covariate_shift").axes
    classes = [line.get_xydata() for line in axes.lines[:4]]
    here, there = np.concatenate(classes[:2]), np.concatenate(classes[2:])
    assert len(here) == len(there) == 400
    assert here[:, 0].max() <= 0 <= there[:, 0].min()
    texts = [text.get_text() for text in axes.texts]
    shares = [float(word.partition(": ")[2].partition("%")[0]) for word in texts[-2:]]
    assert shares[0] > 95 > 90 > shares[1]
