"""Faster: with batch norm fewer updates are needed, and more settings work."""

import math
import time
from collections.abc import Mapping
from functools import cache, partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from tfcourse._arrays import Floats
from tfcourse.lecture import ledger, population
from tfcourse.lecture.ledger import HOLDS, NOT_SHOWN, Evidence, claim, note, weighed
from tfcourse.lecture.statistics import Interval, difference, geometric_mean, holm, mean
from tfcourse.lecture.tuned import TASKS, Tuned, numbers, rates, teachers, tune

LAYERS, RATES, EPOCHS = (2, 6, 10), (0.01, 0.03, 0.1, 0.3), 20
FIRST_WEIGHTS = {"he_normal": "He", "glorot_uniform": "Glorot"}
FIXED = {"optimizer": "momentum", "batch_size": 64}


def build(trial: Mapping[str, Any]) -> Any:
    """Return hidden layers of 32 rectifiers, with batch norm or not, with given first weights."""
    from tfcourse._tensorflow import keras

    norm, layers = trial["batch_norm"], [keras.Input((20,))]
    how = {"use_bias": not norm, "kernel_initializer": trial["first_weights"]}
    for _ in range(trial["layers"]):
        layers.append(keras.layers.Dense(32, **how))
        layers += [keras.layers.BatchNormalization(momentum=0.9)] if norm else []
        layers.append(keras.layers.Activation("relu"))
    return keras.Sequential([*layers, keras.layers.Dense(5), keras.layers.Softmax()])


def mark(seed: int, share: float) -> float:
    """The loss that lies `share` of the way from that of guessing down to the teacher's own."""
    guess = math.log(5)
    return guess - share * (guess - population.teacher(seed).best_loss)


@cache
def cells(seed: int = 0) -> dict[tuple[int, bool, str], Tuned]:
    """By layers, batch norm and first weights: networks at the best of `RATES` on each task."""
    ways = {
        key: {**FIXED, **dict(zip(("layers", "batch_norm", "first_weights"), key, strict=True))}
        for key in product(LAYERS, (True, False), FIRST_WEIGHTS)
    }
    own, options = teachers(seed), rates(*RATES)
    return tune(ways, lambda _: options, tasks=own, epochs=EPOCHS, seed=seed, build=build)


def left(loss: Floats, seed: int) -> Floats:
    """What is left of the way from guessing's loss (1) to the best one (0), (tasks, epochs)."""
    ends = np.array([[mark(number, 0), mark(number, 1)] for number in numbers(seed)])
    guess, best = ends.T[..., None]
    return np.asarray((loss - best) / (guess - best))


def updates(lacking: Floats, target: float = 0.5, per_epoch: int = 15) -> Floats:
    """Updates until `target` is left of the way, (n,), interpolated; or all and an epoch's more."""
    found = []
    for curve in np.column_stack([np.ones(len(lacking)), lacking]):
        reached = np.flatnonzero(curve <= target)
        end = int(reached[0]) if len(reached) else len(curve)
        late = (target - curve[end]) / (curve[end - 1] - curve[end]) if len(reached) else 0.0
        found.append(end - float(late))
    return per_epoch * np.array(found)


@cache
def slower(seed: int = 0) -> Interval:
    """How many times as long an update takes with batch norm, timed in turns after a first go."""
    took = np.zeros((4, 2))
    first = {**FIXED, "layers": 6, "first_weights": "he_normal", "learning_rate": 0.01}
    for i, norm in product(range(4), (False, True)):
        started = time.perf_counter()
        _train([{**first, "batch_norm": norm}] * 2 * TASKS, 2, seed)
        took[i, int(norm)] = time.perf_counter() - started
    return geometric_mean(took[1:, 1] / took[1:, 0])


def _train(trials: list[dict[str, Any]], epochs: int, seed: int) -> population.Outcomes:
    data = population.teacher(seed).data
    return population.train(trials, epochs=epochs, seed=seed, dataset=data, build=build)


class Settings(NamedTuple):
    """The same random settings trained with and without batch norm: lowest loss, (n,) each."""

    rate: Floats
    with_norm: Floats
    without: Floats
    trainings: int


@cache
def settings(seed: int = 0, size: int = 160) -> Settings:
    """Draw α from 10⁻⁴ to 10, momentum from 0.5 to 0.99, decay from 10⁻³ to 1, first weights."""
    rng = np.random.default_rng([seed, size])
    ends = ((-4, 1), (-2, -0.3), (-3, 0))
    rate, rest, decay = (10 ** rng.uniform(low, high, size) for low, high in ends)
    drawn = {"learning_rate": rate, "momentum": 1 - rest, "decay": decay}
    drawn["first_weights"] = rng.choice([*FIRST_WEIGHTS], size)
    trials = [{name: x[i].item() for name, x in drawn.items()} for i in range(size)]
    both = [{**FIXED, "layers": 6, "batch_norm": n, **t} for n in (True, False) for t in trials]
    lowest = np.nan_to_num(_train(both, EPOCHS // 2, seed).validation_loss, nan=np.inf)
    return Settings(rate, lowest[:size], lowest[size:], len(lowest))


@claim(
    "bn.faster",
    "Batch norm speeds up learning.",
    note("000", 224, "这有助于加速整个网络的学习", "this helps the whole network learn faster"),
    note("001", 465, "有助于加速整个网络的学习", "helps the whole network learn faster"),
    note("002", 92, "能够加快整个网络的学习", "can speed up the learning of the whole network"),
    trains=True,
    matters="A quarter fewer updates: less than that another learning rate would bring.",
    literature="Ioffe and Szegedy 2015, Batch Normalization, need 14 times fewer steps on "
    "ImageNet. Santurkar et al. 2018 explain the speed by a smoother cost.",
)
def faster(seed: int) -> Evidence:
    """Trains networks of two and of six hidden layers of 32 rectifiers with He's first weights on
    16 random networks' classes, with and without batch norm: on each the best of four learning
    rates, then a new one at it. Measured: updates until the loss is half of the way from guessing
    to the best possible, compared by their logarithms; and what an update takes, timed in turns.
    """
    found = cells(seed)
    needed = {
        (n, norm): updates(left(found[n, norm, "he_normal"].unseen, seed))
        for n, norm in product(LAYERS[:2], (True, False))
    }
    logs = {key: np.log(values) for key, values in needed.items()}
    saved = holm({n: partial(difference, logs[n, False], logs[n, True]) for n in LAYERS[:2]})
    verdicts = {weighed(one, math.log(1.25)) for one in saved.values()}
    some = ledger.CONDITIONS if HOLDS in verdicts else NOT_SHOWN
    ratios = {n: Interval(*np.exp(one)) for n, one in saved.items()}
    words = "; ".join(
        f"{n} layers {needed[n, True].mean():.0f} updates with it, {needed[n, False].mean():.0f} "
        f"without, fewer by a factor of {ratios[n].show('.2f')}"
        for n in LAYERS[:2]
    )
    return Evidence(
        verdicts.pop() if len(verdicts) == 1 else some,
        f"{words}; an update with it takes {slower(seed).show('.1f')} times as long here",
        f"With six layers, {ratios[6].value:.1f} times as many updates without batch norm; with "
        f"two, {ratios[2].value:.1f} times.",
        effect=ratios[6],
        rests_on=tuple(found.values()),
    )


@claim(
    "bn.robust-search",
    "With batch norm a much larger range of hyperparameters works.",
    note("003", 1241, "makes NN much more robust"),
    trains=True,
    matters="A tenth of the settings: one trial in ten of a search is not in vain.",
    literature="Bjorck et al. 2018, Understanding Batch Normalization, find that it is the larger "
    "learning rates that matter.",
)
def robust_search(seed: int) -> Evidence:
    """Draws 160 settings of learning rate (10⁻⁴ to 10), momentum (0.5 to 0.99), decay (10⁻³ to 1)
    and first weights (He's or Glorot's) and trains each with and without batch norm, six hidden
    layers, for 150 updates on a random network's classes. Works means that the loss comes a third
    of the way from guessing to the best possible. The same settings are compared.
    """
    found, target = settings(seed), mark(seed, 1 / 3)
    norm, plain = (side <= target for side in (found.with_norm, found.without))
    more = mean(norm.astype(float) - plain)
    spans = [
        f"{found.rate[works].min():.2g} to {found.rate[works].max():.2g}" if works.any() else "none"
        for works in (norm, plain)
    ]
    return Evidence(
        weighed(more, 0.1),
        f"{norm.mean():.0%} of the settings work with it (α from {spans[0]}), {plain.mean():.0%} "
        f"without (α from {spans[1]}); difference {more.show('.0f', '%')}",
        f"{norm.mean():.0%} of the settings work with batch norm, {plain.mean():.0%} without.",
        effect=more,
        rests_on=(found,),
    )
