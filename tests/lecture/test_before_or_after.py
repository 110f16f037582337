"""Before or after the activation function: the verdict follows from the interval, and can turn."""

import numpy as np
import pytest

from tfcourse.lecture import before_or_after as topic
from tfcourse.lecture.ledger import HOLDS, NOT_SHOWN, REFUTED


def about(mean, spread):
    """Eight outcomes around a mean."""
    return mean + spread * np.linspace(-1, 1, 8)


@pytest.mark.parametrize(
    ("before", "after", "spread", "expected"),
    [
        (0.70, 0.65, 0.01, HOLDS),
        (0.70, 0.70, 0.05, NOT_SHOWN),
        (0.70, 0.70, 0.002, REFUTED),
        (0.65, 0.70, 0.01, REFUTED),
    ],
)
def test_the_verdict_follows_from_the_interval(
    before, after, spread, expected, verdict, monkeypatch
):
    found = topic.Positions(about(before, spread), about(after, spread), (0.1, 0.1), 16)
    monkeypatch.setattr(topic, "positions", lambda seed: found)
    assert verdict("bn.before-activation") == expected


@pytest.mark.parametrize("position", ["before", "after"])
def test_batch_norm_stands_where_it_is_said_to(position):
    kinds = [type(layer).__name__ for layer in topic.build({"position": position}).layers]
    first = {"before": "BatchNormalization", "after": "Activation"}[position]
    assert kinds[:2] == ["Dense", first] and kinds.count("BatchNormalization") == 3


def spoil_before(monkeypatch):
    """One constant output: nothing of the input gets through where z is normalized."""
    import keras

    build = topic.build

    def spoilt(trial):
        model = build(trial)
        if trial["position"] == "after":
            return model
        nothing = keras.layers.Rescaling(0.0)
        return keras.Sequential([keras.Input((20,)), nothing, *model.layers])

    monkeypatch.setattr(topic, "build", spoilt)


def spoil_after(monkeypatch):
    """The same where a is normalized."""
    import keras

    build = topic.build

    def spoilt(trial):
        model = build(trial)
        if trial["position"] == "before":
            return model
        nothing = keras.layers.Rescaling(0.0)
        return keras.Sequential([keras.Input((20,)), nothing, *model.layers])

    monkeypatch.setattr(topic, "build", spoilt)


BREAKS = {"bn.before-activation": spoil_after}


@pytest.mark.long
@pytest.mark.parametrize(("spoil", "expected"), [(spoil_after, HOLDS), (spoil_before, REFUTED)])
def test_it_turns_when_one_side_is_spoilt(spoil, expected, verdict, monkeypatch):
    from functools import partial

    spoil(monkeypatch)
    monkeypatch.setattr(topic, "positions", partial(topic.positions, size=8))
    assert verdict("bn.before-activation", seed=1) == expected
