"""Part 2's claims about training: verdicts follow from the intervals, and break with the ground.

First made-up outcomes, either way; then trainings in earnest, with batch norm spoilt in some way.
"""

import dataclasses
from functools import partial

import numpy as np
import pytest
from breaking import put, wrap

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


def search(with_norm, without, of=100):
    sides = [np.where(np.arange(of) < hits, 0.96, 0.5) for hits in (with_norm, without)]
    return training, "search", training.Search(*np.zeros((3, of)), *sides)


def race(with_norm, without):
    epochs = np.array([about(with_norm, 0.5), about(without, 0.5)])
    return training, "race", training.Race(np.zeros((2, 8)), (0.1, 0.1), epochs, 32)


def deeper(with_norm, without):
    accuracy = np.array([[about(0.97), about(0.97)], [about(with_norm), about(without)]])
    return training, "deeper", training.Depths((2, 20), accuracy, np.ones((2, 2)), 32)


def regularizers(**gaps):
    found = {
        name: generalization.Regularized(
            about(0, 0), about(gaps.get(name.replace(" ", "_"), 0.3)), about(0.9)
        )
        for name in generalization.WAYS
    }
    return generalization, "regularizers", found


def groups(of_16, of_64, of_512):
    names = {"statistics_of_16": of_16, "statistics_of_64": of_64, "statistics_of_512": of_512}
    return regularizers(**names)


def both(with_both, norm):
    return regularizers(**{"statistics_of_64_and_dropout": with_both, "statistics_of_64": norm})


def at_test_time(moving, population, batch):
    rows = [np.array([about(one) for one in way]) for way in (moving, population, batch)]
    found = generalization.TestTime(np.array([16, 32, 80, 160, 640]), *rows, rows[0])
    return generalization, "test_time", found


EVEN = (0.98,) * 5
LATE = (0.8, 0.85, 0.93, 0.97, 0.98)
NEVER = (0.8, 0.85, 0.9, 0.9, 0.9)


def shift(moved, small, large):
    turned = np.array([[about(10 + small), about(10)], [about(30 + large), about(30)]])
    of_mean = np.array([[about(moved), about(1)]] * 2)
    return normalization, "hidden_shift", normalization.HiddenShift((0.02, 0.2), of_mean, turned)


@pytest.mark.parametrize(
    ("id", "found", "expected"),
    [
        ("bn.before-activation", positions(0.98, 0.95), HOLDS),
        ("bn.before-activation", positions(0.971, 0.973), CONDITIONS),
        ("bn.before-activation", positions(0.95, 0.98), REFUTED),
        ("bn.robust-search", search(50, 27), HOLDS),
        ("bn.robust-search", search(50, 45), REFUTED),
        ("bn.robust-search", search(27, 50), REFUTED),
        ("bn.faster", race(2, 4), HOLDS),
        ("bn.faster", race(3, 3.1), REFUTED),
        ("bn.faster", race(4, 2), REFUTED),
        ("bn.deeper", deeper(0.8, 0.3), HOLDS),
        ("bn.deeper", deeper(0.8, 0.8), REFUTED),
        ("bn.hidden-shift", shift(0.02, 0.3, -8), CONDITIONS),
        ("bn.hidden-shift", shift(0.02, -3, -8), HOLDS),
        ("bn.hidden-shift", shift(0.02, 0.3, 1), REFUTED),
        ("bn.hidden-shift", shift(0.5, -3, -8), REFUTED),
        ("bn.regularizes", groups(0.18, 0.19, 0.2), HOLDS),
        ("bn.regularizes", groups(0.2, 0.19, 0.2), REFUTED),
        ("bn.regularizes", groups(0.2, 0.2, 0.2), REFUTED),
        ("bn.regularizes", groups(0.2, 0.19, 0.18), REFUTED),
        ("bn.with-dropout", both(0.18, 0.2), HOLDS),
        ("bn.with-dropout", both(0.2, 0.2), REFUTED),
        ("bn.test-time", at_test_time(LATE, EVEN, EVEN), CONDITIONS),
        ("bn.test-time", at_test_time(EVEN, EVEN, EVEN), HOLDS),
        ("bn.test-time", at_test_time(NEVER, EVEN, EVEN), REFUTED),
        ("bn.test-time", at_test_time(LATE, EVEN, NEVER), REFUTED),
    ],
)
def test_the_verdict_follows_from_the_interval(id, found, expected, verdict, monkeypatch):
    module, name, outcome = found
    monkeypatch.setattr(module, name, lambda seed: outcome)
    assert verdict(id) == expected


@pytest.mark.parametrize(
    ("here", "there", "expected"), [(0.99, 0.8, HOLDS), (0.99, 0.985, REFUTED), (0.8, 0.8, REFUTED)]
)
def test_a_shift_must_cost_something(here, there, expected, verdict, monkeypatch):
    nothing = np.zeros((1, 2))
    found = generalization.Shift(
        *[nothing] * 7, here=about(here), there=about(there), both=about(0.99)
    )
    monkeypatch.setattr(generalization, "covariate_shift", lambda seed: found)
    monkeypatch.setattr(generalization, "test_time", lambda seed: at_test_time(EVEN, EVEN, EVEN)[2])
    assert verdict("bn.covariate-shift") == expected


SIZES = {  # small, for tests: what is trained, and how many
    "positions": (training, 16),
    "search": (training, 64),
    "race": (training, 8),
    "deeper": (training, 3),
    "covariate_shift": (generalization, 3),
    "regularizers": (generalization, 6),
    "test_time": (generalization, 8),
    "hidden_shift": (normalization, 3),
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


def ways(**change):
    """A break: all ways of regularizing have this in common, if they have batch norm."""
    changed = {
        name: {**way, **change} if way["group"] else way
        for name, way in generalization.WAYS.items()
    }
    return lambda monkeypatch: monkeypatch.setattr(generalization, "WAYS", changed)


never = build_as(lambda h: dataclasses.replace(h, batch_norm=False))
quick_averages = build_as(lambda h: dataclasses.replace(h, batch_norm_momentum=0.7))


BREAKS = {
    "bn.before-activation": build_as(
        lambda h: h if h.batch_norm_position == "after" else dataclasses.replace(h, units=2)
    ),
    "bn.robust-search": never,
    "bn.faster": never,
    "bn.deeper": build_as(lambda h: dataclasses.replace(h, layers=2)),
    "bn.covariate-shift": put(generalization, "_height", lambda x: x[..., 1] + 10),  # one class
    "bn.hidden-shift": wrap(
        normalization, "trace", lambda f: lambda seed, normalize, **k: f(seed, **k)
    ),
    "bn.regularizes": ways(group=512),
    "bn.with-dropout": ways(dropout=0.0),
    "bn.test-time": quick_averages,
}


in_numpy = ("bn.hidden-shift",)  # in no time
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
