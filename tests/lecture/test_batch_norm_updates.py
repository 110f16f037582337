"""Gradient descent with batch norm: the formulas' gradients, and every update rule."""

import numpy as np
import pytest
from breaking import wrap

from tfcourse import batch_norm
from tfcourse.lecture import batch_norm_updates as topic
from tfcourse.lecture import ledger, population
from tfcourse.lecture.ledger import HOLDS, NOT_SHOWN, REFUTED
from tfcourse.lecture.tuned import Tuned


def as_if_independent(backward):
    """Gradients as if μ and σ² did not depend on z."""
    return lambda d, of: backward(d, of)._replace(dz=of.gamma / of.deviation * d)


def one_unit_for_rmsprop(classifier):
    """A break: with batch norm and RMSprop, a model that cannot learn the task."""

    def spoilt(dataset):
        build = classifier(dataset)
        bad = {"batch_norm": True, "optimizer": "rmsprop"}
        return lambda trial: build({**trial, "units": 1} if bad.items() <= trial.items() else trial)

    return spoilt


BREAKS = {
    "bn.gradient-descent": wrap(batch_norm, "backward", as_if_independent),
    "bn.any-optimizer": wrap(population, "classifier", one_unit_for_rmsprop),
}
LONG = ["bn.any-optimizer"]


@pytest.mark.parametrize(
    "id", [pytest.param(id, marks=pytest.mark.long if id in LONG else ()) for id in BREAKS]
)
def test_it_holds_with_another_seed_and_turns_when_broken(id, verdict, monkeypatch):
    [one] = ledger.find([id])
    assert verdict(id, seed=1) == one.verdict
    BREAKS[id](monkeypatch)
    assert verdict(id) != one.verdict


@pytest.mark.parametrize(
    ("with_norm", "spread", "expected"),
    [(0.70, 0.01, HOLDS), (0.60, 0.01, REFUTED), (0.66, 0.08, NOT_SHOWN)],
)
def test_the_verdict_follows_from_the_interval(with_norm, spread, expected, verdict, monkeypatch):
    around = spread * np.linspace(-1, 1, 12)
    accuracy = {("adam", True): with_norm + around, ("adam", False): 0.7 - around}
    found = {way: Tuned({}, around, around, one, 12) for way, one in accuracy.items()}
    monkeypatch.setattr(topic, "RATES", {"adam": (0.01,)})
    monkeypatch.setattr(topic, "rules", lambda seed: found)
    assert verdict("bn.any-optimizer") == expected
