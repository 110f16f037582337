"""Whether z is normalized or a: batch norm before the activation function, or after it."""

from functools import cache
from typing import Any

from tfcourse.lecture.ledger import REFUTED, Evidence, claim, note, weighed
from tfcourse.lecture.population import Trial
from tfcourse.lecture.statistics import mean
from tfcourse.lecture.tuned import Tuned, rates, teachers, tune

RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
MATTERS = 0.01
IOFFE = "Ioffe and Szegedy 2015, Batch Normalization"


def build(trial: Trial) -> Any:
    """Return three hidden layers of 32 rectifiers, with batch norm before or after each."""
    from tfcourse._tensorflow import keras

    layers = [keras.Input((20,))]
    for _ in range(3):
        norm = keras.layers.BatchNormalization(momentum=0.9)
        pair = [norm, keras.layers.Activation("relu")]
        layers.append(keras.layers.Dense(32, use_bias=trial["position"] == "after"))
        layers += pair if trial["position"] == "before" else pair[::-1]
    return keras.Sequential([*layers, keras.layers.Dense(5), keras.layers.Softmax()])


@cache
def positions(seed: int = 0, tasks: int = 32) -> dict[str, Tuned]:
    """Train networks with z normalized and with a normalized, each at its best of `RATES`."""
    fixed = {"optimizer": "momentum", "batch_size": 64}
    ways = {name: {**fixed, "position": name} for name in ("before", "after")}
    how: dict[str, Any] = {"epochs": 10, "seed": seed, "build": build, "test": True}
    return tune(ways, lambda _: rates(*RATES), tasks=teachers(seed, tasks), **how)


@claim(
    "bn.before-activation",
    "z is normalized rather than a: the better default, though it is debated.",
    note("000", 119, "4. Normalizing Activations in a network"),
    note("001", 245, "归一化隐藏层", "normalizing hidden layers"),
    note("003", 1242, "Normalizing activations in a network"),
    verdict=REFUTED,
    trains=True,
    matters="One percentage point of test accuracy: less would not decide how a network is built.",
    literature=f"{IOFFE}: before, since sums are closer to Gaussian than what a rectifier leaves.",
)
def before_activation(seed: int) -> Evidence:
    """Trains networks with three hidden layers of rectifiers on 32 random networks' classes, with
    batch norm before and after them: on each at six learning rates, then anew at the best one. The
    difference of their test accuracies, task by task, is weighed.
    """
    found = positions(seed)
    before, after = found["before"], found["after"]
    better = mean(before.test_accuracy - after.test_accuracy)
    measured = (
        f"test accuracy {before.test_accuracy.mean():.1%} before "
        f"(mostly α = {before.option['learning_rate']:g}), {after.test_accuracy.mean():.1%} after "
        f"(mostly α = {after.option['learning_rate']:g}); difference {better.show('.2f', '%')}"
    )
    plain = f"Normalizing z rather than a changed the accuracy by {100 * better.value:.1f} points."
    return Evidence(weighed(better, MATTERS), measured, plain, better, (before, after))
