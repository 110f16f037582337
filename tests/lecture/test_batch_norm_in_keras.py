"""Batch norm in Keras: its formula, its averages, and verdicts that turn."""

from functools import partial

import numpy as np
import pytest
from breaking import wrap

from tfcourse import batch_norm
from tfcourse.lecture import batch_norm_in_keras as topic
from tfcourse.lecture import ledger
from tfcourse.lecture.ledger import HOLDS, NOT_SHOWN, REFUTED


def twice_in_tf_nn(monkeypatch):
    from tfcourse._tensorflow import tf

    line = tf.nn.batch_normalization
    monkeypatch.setattr(tf.nn, "batch_normalization", lambda *a, **k: 2 * line(*a, **k))


def cannot_be_frozen(monkeypatch):
    from tfcourse._tensorflow import keras

    layer = keras.layers.BatchNormalization
    never = property(lambda self: True, lambda self, value: None)
    unfrozen = type("BatchNormalization", (layer,), {"trainable": never})
    monkeypatch.setattr(keras.layers, "BatchNormalization", unfrozen)


BREAKS = {
    "bn.one-line": twice_in_tf_nn,
    "bn.frozen": cannot_be_frozen,
    "bn.moving-average-lags": wrap(
        batch_norm, "RunningStatistics", lambda f: lambda momentum: f(0.5)
    ),
}


TRAINS = {"bn.frozen", "bn.moving-average-lags"}
FEWER = {"fine_tuned": 3, "lag": 4}  # networks: enough for the verdict with this seed


@pytest.mark.parametrize(
    "id", [pytest.param(id, marks=pytest.mark.whole if id in TRAINS else ()) for id in BREAKS]
)
def test_it_holds_with_another_seed_and_turns_when_broken(id, verdict, monkeypatch):
    for name, size in FEWER.items():
        monkeypatch.setattr(topic, name, partial(getattr(topic, name).__wrapped__, size=size))
    [one] = ledger.find([id])
    assert verdict(id, seed=1) == one.verdict
    BREAKS[id](monkeypatch)
    assert verdict(id) != one.verdict


def about(mean, spread=0.002):
    return mean + spread * np.linspace(-1, 1, 8)


@pytest.mark.parametrize(
    ("moving", "whole", "expected"),
    [
        ((0.6, 0.6, 0.6, 0.69, 0.7), 0.7, HOLDS),
        ((0.6, 0.6, 0.6, 0.6, 0.6), 0.7, REFUTED),  # never enough
        ((0.7, 0.7, 0.7, 0.7, 0.7), 0.7, REFUTED),  # at once
        ((0.6, 0.6, 0.6, 0.69, 0.7), 0.6, REFUTED),  # not cured
    ],
)
def test_averages_must_lag_catch_up_and_be_cured(moving, whole, expected, verdict, monkeypatch):
    rows = [np.array([about(one) for one in side]) for side in (moving, [whole] * 5)]
    found = topic.Lag(*rows, np.array([about(0.7, 0.001)] * 5))
    monkeypatch.setattr(topic, "lag", lambda seed, momentum: found)
    assert verdict("bn.moving-average-lags") == expected


@pytest.mark.parametrize(
    ("unfrozen", "spread", "expected"),
    [(0.9, 0.01, HOLDS), (0.94, 0.01, REFUTED), (0.9, 0.4, NOT_SHOWN)],
)
def test_freezing_must_save_something(unfrozen, spread, expected, verdict, monkeypatch):
    after = np.array([about(0.96, 0.001), about(unfrozen, spread)])
    found = topic.FineTuned(after, after, False, 15)
    monkeypatch.setattr(topic, "fine_tuned", lambda seed: found)
    assert verdict("bn.frozen") == expected
