"""(C, m) and (m, C): verdicts that turn when something breaks."""

import pytest
from breaking import wrap

from tfcourse import softmax
from tfcourse._tensorflow import keras
from tfcourse.lecture import ledger

BREAKS = {
    "softmax.shapes": wrap(softmax, "softmax", lambda f: lambda z, axis=-1: f(z)),
    "softmax.orientation": wrap(
        keras.losses, "SparseCategoricalCrossentropy", lambda _: lambda **k: lambda y, z: 1.0
    ),
}


@pytest.mark.parametrize("id", BREAKS)
def test_it_holds_with_another_seed_and_turns_when_broken(id, verdict, monkeypatch):
    [one] = ledger.find([id])
    assert verdict(id, seed=1) == one.verdict
    BREAKS[id](monkeypatch)
    assert verdict(id) != one.verdict


def test_what_keras_raises_is_said():
    [entry] = ledger.run(ledger.find(["softmax.orientation"]))
    assert "C ≠ m: InvalidArgumentError" in entry.evidence.measured or (
        "C ≠ m: ValueError" in entry.evidence.measured
    )
