"""Before or after the activation function: the verdict follows from the interval, and can turn."""

from functools import partial

import numpy as np
import pytest
from breaking import wrap

from tfcourse.lecture import before_or_after as topic
from tfcourse.lecture import population
from tfcourse.lecture.ledger import HOLDS, NOT_SHOWN, REFUTED
from tfcourse.lecture.tuned import Tuned


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
    sides = {"before": about(before, spread), "after": about(after, -spread)}
    found = {name: Tuned({"learning_rate": 0.1}, x, x, x, 8) for name, x in sides.items()}
    monkeypatch.setattr(topic, "positions", lambda seed: found)
    assert verdict("bn.before-activation") == expected


@pytest.mark.parametrize("position", ["before", "after"])
def test_batch_norm_stands_where_it_is_said_to(position):
    kinds = [type(layer).__name__ for layer in topic.build({"position": position}).layers]
    first = {"before": "BatchNormalization", "after": "Activation"}[position]
    assert kinds[:2] == ["Dense", first] and kinds.count("BatchNormalization") == 3


def never_learns(position):
    """A break: networks with batch norm there are trained at a rate that moves nothing."""

    def stuck(trial):
        return {**trial, "learning_rate": 1e-7} if trial["position"] == position else trial

    return wrap(
        population,
        "train",
        lambda f: lambda trials, **how: f([stuck(one) for one in trials], **how),
    )


BREAKS = {"bn.before-activation": never_learns("before")}


@pytest.mark.long
def test_it_turns_when_what_is_under_it_breaks(verdict, monkeypatch):
    BREAKS["bn.before-activation"](monkeypatch)
    monkeypatch.setattr(topic, "positions", partial(topic.positions, tasks=4))
    assert verdict("bn.before-activation", seed=1) == REFUTED
