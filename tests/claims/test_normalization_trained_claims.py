"""Part 2's claims about training: verdicts follow from the intervals, and break with the ground.

First made-up outcomes, either way; then trainings in earnest, with batch norm spoilt in some way.
"""

import dataclasses
from functools import partial

import numpy as np
import pytest
from breaking import wrap

from tfcourse.claims import ledger
from tfcourse.claims.ledger import CONDITIONS, HOLDS, REFUTED
from tfcourse.experiments import batch_norm_training as training

CLAIMS = [
    one.id for one in ledger.claims("normalization") if ".claims." in one.module and one.trains
]


def about(mean, spread=0.002):
    """Eight outcomes around a mean."""
    return mean + spread * np.linspace(-1, 1, 8)


def positions(before, after):
    return training, "positions", training.Positions(about(before), about(after), (0.1, 0.1), 16)


@pytest.mark.parametrize(
    ("id", "found", "expected"),
    [
        ("bn.before-activation", positions(0.98, 0.95), HOLDS),
        ("bn.before-activation", positions(0.971, 0.973), CONDITIONS),
        ("bn.before-activation", positions(0.95, 0.98), REFUTED),
    ],
)
def test_the_verdict_follows_from_the_interval(id, found, expected, verdict, monkeypatch):
    module, name, outcome = found
    monkeypatch.setattr(module, name, lambda seed: outcome)
    assert verdict(id) == expected


SIZES = {  # small, for tests: what is trained, and how many
    "positions": (training, 16),
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


BREAKS = {
    "bn.before-activation": build_as(
        lambda h: h if h.batch_norm_position == "after" else dataclasses.replace(h, units=2)
    ),
}


each = pytest.mark.parametrize("id", [pytest.param(id, marks=pytest.mark.long) for id in CLAIMS])


@each
def test_few_trainings_come_out_as_recorded(id, verdict, small):
    [one] = ledger.find([id])
    assert verdict(id, seed=1) == one.verdict


@each
def test_it_turns_when_what_is_under_it_breaks(id, verdict, small, monkeypatch):
    [one] = ledger.find([id])
    BREAKS[id](monkeypatch)
    assert verdict(id, seed=1) != one.verdict
