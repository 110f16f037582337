"""Part 1's claims about trainings: what verdicts follow from what is trained.

The trainings are replaced by landscapes: functions from hyperparameters to accuracy, so that what
is true of them is known, and the verdict must say it.
"""

import numpy as np
import pytest

from tfcourse.claims import ledger
from tfcourse.experiments import _populations, babysitting, practice, searches


@pytest.fixture
def landscape(monkeypatch):
    """Replace trainings by `accuracy(trial, data set's name)`, with a little noise."""

    def put(accuracy, noise=0.003):
        def test_accuracy(trials, *, epochs, seed, dataset=None):
            name = "digits" if dataset is None else dataset.name
            rng = np.random.default_rng([seed, len(trials)])
            true = np.array([accuracy(trial, name) for trial in trials])
            return true + rng.normal(0, noise, len(trials))

        def train(trials, *, epochs, **options):
            validation = test_accuracy(trials, epochs=epochs, **options)
            return _populations.Outcomes(np.tile(validation[:, None], epochs), validation)

        monkeypatch.setattr(_populations, "train", train)
        monkeypatch.setattr(_populations, "test_accuracy", test_accuracy)

    return put


def log_alpha(trial):
    return np.log10(trial["learning_rate"])


def peak(width, at=-2.0):
    """The nearer α is to 10^at, the better; a tenth is lost at `width` decades."""
    return lambda trial, name: 0.95 - 0.1 * ((log_alpha(trial) - at) / width) ** 2


def in_the_lectures_order(trial, name):
    momentum = -np.log10(1 - trial["momentum"]) if "momentum" in trial else 0
    batch = {32: 1, 256: -1}[trial["batch_size"]]
    return (
        0.5 * log_alpha(trial)
        + 0.5 * momentum
        + 0.02 * trial["units"]
        + 0.3 * batch
        + 0.17 * trial["layers"]
        + 0.5 * trial["decay"]
    )


def another_for_each(trial, name):
    best = {"digits": -3, "few digits": -1, "mislabelled digits": -1.7, "spirals": -0.5}[name]
    return peak(1, best)(trial, name)


LANDSCAPES = {
    "tuning.importance-order": {
        "holds": in_the_lectures_order,
        "holds under conditions": peak(1),
        "refuted": lambda trial, name: 0.01 * trial["units"] + 0.001 * log_alpha(trial),
    },
    "tuning.caviar": {"holds": peak(1), "refuted": lambda trial, name: 0.9},
    "tuning.retest": {
        "holds": another_for_each,
        "holds under conditions": lambda trial, name: peak(1, -0.5 if "few" in name else -2)(
            trial, name
        ),
        "refuted": peak(1),
    },
}
BREAKS = {*LANDSCAPES, "tuning.panda"}  # turned by another landscape, or by other babies


@pytest.mark.parametrize(
    ("id", "verdict"), [(id, verdict) for id, cases in LANDSCAPES.items() for verdict in cases]
)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_verdict_follows_from_the_landscape(landscape, id, verdict, seed):
    landscape(LANDSCAPES[id][verdict])
    [entry] = ledger.run(ledger.find([id]), seed)
    assert entry.evidence.verdict == verdict, entry.evidence
    assert entry.evidence.trainings > 500


@pytest.mark.parametrize(
    ("broken", "verdict"),
    [
        ({}, "holds under conditions"),
        ({"restored": 1e-3}, "refuted"),
        ({"test": np.full(40, 0.8)}, "refuted"),
        ({"test": np.full(40, 0.95)}, "holds"),
    ],
)
def test_pandas_verdict_follows_from_the_babies(monkeypatch, broken, verdict):
    first = np.repeat([[2.0], [0.1]], 20, axis=0)
    test = np.repeat([0.85, 0.88], 20) + np.linspace(0, 0.01, 40)
    found = {"curves": first, "alone": first, "test": test, "kept": 0.5, "restored": 0.0}
    found["test_alone"] = np.repeat([0.8, 0.9], 20) + np.linspace(0.01, 0, 40)
    found |= broken
    monkeypatch.setattr(babysitting, "babies", lambda seed: babysitting.Babies(**found))
    [entry] = ledger.run(ledger.find(["tuning.panda"]))
    assert entry.evidence.verdict == verdict


def test_what_is_not_gone_back_from_is_seen(monkeypatch):
    monkeypatch.setattr(babysitting._Nursery, "keep", lambda self, better, settings: None)
    assert babysitting.babies(seed=0, size=6, days=3).restored > 0


@pytest.mark.long
@pytest.mark.parametrize(
    ("id", "module", "experiment", "sizes"),
    [
        ("tuning.importance-order", searches, "importance", {"size": 256}),
        ("tuning.panda", babysitting, "babies", {}),
        ("tuning.caviar", practice, "one_against_many", {"size": 12}),
        ("tuning.retest", practice, "retest", {"size": 12}),
    ],
)
def test_trained_in_earnest_it_comes_out_as_recorded(monkeypatch, id, module, experiment, sizes):
    train = getattr(module, experiment)
    monkeypatch.setattr(module, experiment, lambda seed: train(seed, **sizes))
    [one] = ledger.find([id])
    [entry] = ledger.run([one])
    assert entry.evidence.verdict == one.verdict, entry.evidence
