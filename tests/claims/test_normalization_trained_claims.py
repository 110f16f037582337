"""Part 2's claims about training: verdicts follow from the intervals, and break with the ground.

First made-up outcomes, either way; then trainings in earnest, with batch norm spoilt in some way.
"""

import dataclasses
from functools import partial

import numpy as np
import pytest
from breaking import put, wrap

from tfcourse import batch_norm
from tfcourse.claims import ledger
from tfcourse.claims.ledger import CONDITIONS, HOLDS, REFUTED
from tfcourse.experiments import batch_norm_generalization as generalization
from tfcourse.experiments import batch_norm_training as training
from tfcourse.experiments import normalization

CLAIMS = [
    one.id for one in ledger.claims("normalization") if ".claims." in one.module and one.trains
]


def about(mean, spread=0.002):
    """Eight outcomes around a mean."""
    return mean + spread * np.linspace(-1, 1, 8)


def positions(before, after):
    return training, "positions", training.Positions(about(before), about(after), (0.1, 0.1), 16)


def optimizers(worst):
    return training, "optimizers", {"adam": about(0.97), "rmsprop": about(worst)}


def at_test_time(moving, population, batch):
    rows = [np.array([about(one) for one in way]) for way in (moving, population, batch)]
    found = generalization.TestTime(np.array([16, 32, 80, 160, 640]), *rows, rows[0])
    return generalization, "test_time", found


EVEN = (0.98,) * 5
LATE = (0.8, 0.85, 0.93, 0.97, 0.98)
NEVER = (0.8, 0.85, 0.9, 0.9, 0.9)


@pytest.mark.parametrize(
    ("id", "found", "expected"),
    [
        ("bn.before-activation", positions(0.98, 0.95), HOLDS),
        ("bn.before-activation", positions(0.971, 0.973), CONDITIONS),
        ("bn.before-activation", positions(0.95, 0.98), REFUTED),
        ("bn.any-optimizer", optimizers(0.96), HOLDS),
        ("bn.any-optimizer", optimizers(0.94), REFUTED),
        ("bn.moving-average-lags", at_test_time(LATE, EVEN, EVEN), HOLDS),
        ("bn.moving-average-lags", at_test_time(EVEN, EVEN, EVEN), REFUTED),
        ("bn.moving-average-lags", at_test_time(LATE, LATE, EVEN), REFUTED),
    ],
)
def test_the_verdict_follows_from_the_interval(id, found, expected, verdict, monkeypatch):
    module, name, outcome = found
    monkeypatch.setattr(module, name, lambda seed: outcome)
    assert verdict(id) == expected


SIZES = {  # small, for tests: what is trained, and how many
    "positions": (training, 16),
    "optimizers": (training, 4),
    "test_time": (generalization, 8),
    "distributions": (normalization, 400),
}


@pytest.fixture
def small(monkeypatch):
    for name, (module, size) in SIZES.items():
        monkeypatch.setattr(module, name, partial(getattr(module, name), size=size))


def build_as(change):
    """A break: every classifier is built as `change` makes of its hyperparameters."""

    def patch(monkeypatch):
        from tfcourse import classifier

        wrap(classifier, "build", lambda f: lambda *a: f(*a[:-1], change(a[-1])))(monkeypatch)

    return patch


def learning_nothing(backward):
    return lambda *a: batch_norm.Gradients(backward(*a).dz, 0, 0)


quick_averages = build_as(lambda h: dataclasses.replace(h, batch_norm_momentum=0.7))


BREAKS = {
    "bn.sigmoid-region": wrap(batch_norm, "backward", learning_nothing),
    "bn.before-activation": build_as(
        lambda h: h if h.batch_norm_position == "after" else dataclasses.replace(h, units=2)
    ),
    "bn.any-optimizer": put(training, "OPTIMIZERS", {**training.OPTIMIZERS, "rmsprop": 1e-7}),
    "bn.moving-average-lags": quick_averages,
}


in_numpy = ("bn.sigmoid-region",)  # in no time
each = pytest.mark.parametrize(
    "id", [pytest.param(id, marks=[] if id in in_numpy else pytest.mark.long) for id in CLAIMS]
)


@each
def test_few_trainings_come_out_as_recorded(id, verdict, small):
    [one] = ledger.find([id])
    assert verdict(id, seed=1) == one.verdict


@each
def test_it_turns_when_what_is_under_it_breaks(id, verdict, small, monkeypatch):
    [one] = ledger.find([id])
    BREAKS[id](monkeypatch)
    assert verdict(id, seed=1) != one.verdict
