"""Whether z is normalized or a: batch norm before the activation function, or after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from tfcourse._arrays import Floats
from tfcourse.lecture import population
from tfcourse.lecture.ledger import REFUTED, Evidence, claim, note, weighed
from tfcourse.lecture.statistics import difference

RATES, TRIES, EPOCHS = (0.01, 0.03, 0.1, 0.3), 4, 10
MATTERS = 0.01
IOFFE = "Ioffe and Szegedy 2015, Batch Normalization"


def build(trial: Mapping[str, Any]) -> Any:
    """Return three hidden layers of 32 rectifiers, with batch norm before or after each."""
    from tfcourse._tensorflow import keras

    layers = [keras.Input((20,))]
    for _ in range(3):
        norm = keras.layers.BatchNormalization(momentum=0.9)
        pair = [norm, keras.layers.Activation("relu")]
        layers.append(keras.layers.Dense(32, use_bias=trial["position"] == "after"))
        layers += pair if trial["position"] == "before" else pair[::-1]
    return keras.Sequential([*layers, keras.layers.Dense(5), keras.layers.Softmax()])


@dataclass(frozen=True, eq=False)
class Positions:
    """Test accuracy with z normalized and with a normalized, each at its best rate, (n,) each."""

    before: Floats
    after: Floats
    rates: tuple[float, float]
    trainings: int


@cache
def positions(seed: int = 0, size: int = 48) -> Positions:
    """Choose the best of `RATES` for each position, then train `size` other networks at it."""
    data, found, rates = population.teacher(seed).data, [], []
    for position in ("before", "after"):
        fixed = {"optimizer": "momentum", "batch_size": 64, "position": position}
        tried = [{**fixed, "learning_rate": rate} for rate in RATES for _ in range(TRIES)]
        how: dict[str, Any] = {"epochs": EPOCHS, "dataset": data, "build": build}
        first = population.train(tried, seed=seed, **how).validation.reshape(len(RATES), TRIES)
        rates.append(RATES[int(first.mean(axis=1).argmax())])
        again = [{**fixed, "learning_rate": rates[-1]}] * size
        found.append(population.train(again, seed=seed + 1000, test=True, **how).test_accuracy)
    trainings = 2 * (len(RATES) * TRIES + size)
    return Positions(np.array(found[0]), np.array(found[1]), (rates[0], rates[1]), trainings)


@claim(
    "bn.before-activation",
    "z is normalized rather than a: the better default, though it is debated.",
    REFUTED,
    note("000", 119, "4. Normalizing Activations in a network"),
    note("001", 245, "归一化隐藏层", "normalizing hidden layers"),
    note("003", 1242, "Normalizing activations in a network"),
    trains=True,
    matters="One percentage point of test accuracy: less would not decide how a network is built.",
    literature=f"{IOFFE}: before, since sums are closer to Gaussian than what a rectifier leaves.",
)
def before_activation(seed: int) -> Evidence:
    """Trains networks with three hidden layers of rectifiers on a task made by a random network,
    with batch norm before and after them, at four learning rates each; then 48 new ones of each at
    its best rate. The difference of their test accuracies is weighed.
    """
    found = positions(seed)
    better = difference(found.before, found.after)
    return Evidence(
        weighed(better, MATTERS),
        f"test accuracy {found.before.mean():.1%} before (α = {found.rates[0]:g}), "
        f"{found.after.mean():.1%} after (α = {found.rates[1]:g}); "
        f"difference {better.show('.2f', '%')}",
        f"Normalizing z rather than a changed the accuracy by {100 * better.value:.1f} points.",
        better,
        (found,),
    )
