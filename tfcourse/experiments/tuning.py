"""Experiments of part 1, tuning, that train nothing: how scales and searches spread their draws."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tfcourse._arrays import Floats
from tfcourse.tuning.scales import Choice, Integer, Linear, Log, OneMinusLog, Scale
from tfcourse.tuning.space import Space

LEARNING_RATE = Log(1e-4, 1)
MOMENTUM = OneMinusLog(0.9, 0.999)
EPSILON = Log(1e-10, 1e-4)
UNITS = Integer(50, 100)
LAYERS = Choice(2, 3, 4)
BETAS = (0.9, 0.9005, 0.999, 0.9995)


@dataclass(frozen=True, eq=False)
class Picks:
    """Draws of whole numbers: units and layers, each of shape (size,)."""

    units: NDArray[np.int64]
    layers: NDArray[np.int64]


@cache
def uniform_picks(seed: int = 0, size: int = 200) -> Picks:
    """Draw `size` numbers of hidden units and of layers, uniformly."""
    space = Space(units=UNITS, layers=LAYERS)
    u = np.random.default_rng(seed).random((size, 2))
    rows = [space.from_unit(point) for point in u]
    units, layers = ([row[name] for row in rows] for name in space)
    return Picks(np.array(units), np.array(layers))


@dataclass(frozen=True, eq=False)
class Draws:
    """Draws of one hyperparameter on two scales, (size,) each, and where decades end.

    edges: (decades + 1,), ascending.
    """

    linear: Floats
    log: Floats
    edges: Floats

    @property
    def linear_shares(self) -> Floats:
        """Part of the linear draws in each decade."""
        return self._shares(self.linear)

    @property
    def log_shares(self) -> Floats:
        """Part of the logarithmic draws in each decade."""
        return self._shares(self.log)

    def _shares(self, values: Floats) -> Floats:
        counts, _ = np.histogram(values, self.edges)
        return counts / len(values)


def _draws(scale: Log | OneMinusLog, edges: Floats, seed: int, size: int) -> Draws:
    rng = np.random.default_rng(seed)

    def values(any_scale: Scale) -> Floats:
        return np.array([any_scale.from_unit(u) for u in rng.random(size)])

    return Draws(values(Linear(scale.low, scale.high)), values(scale), edges)


@cache
def learning_rate_draws(seed: int = 0, size: int = 10_000) -> Draws:
    """Draw α from [0.0001, 1], uniformly and uniformly in log₁₀ α; by decade of α."""
    return _draws(LEARNING_RATE, np.logspace(-4, 0, 5), seed, size)


@cache
def beta_draws(seed: int = 0, size: int = 10_000) -> Draws:
    """Draw β from [0.9, 0.999], uniformly and uniformly in log₁₀(1 − β); by decade of 1 − β."""
    return _draws(MOMENTUM, np.array([0.9, 0.99, 0.999]), seed, size)


@dataclass(frozen=True, eq=False)
class Averages:
    """How far back an exponentially weighted average looks.

    betas: (n,). values: 1/(1 − β), (n,). measured: after how many values the weight of one has
    fallen to 1/e of what it was at first, (n,), from the average itself.
    """

    betas: Floats
    values: Floats
    measured: Floats


@cache
def averages(seed: int = 0, size: int = 20_000) -> Averages:
    """Average a single 1 followed by `size` zeros, for the lecture's four β; nothing is random."""
    betas = np.array(BETAS)
    weights = np.empty((size, len(betas)))
    v = 1 - betas  # v₁ = β v₀ + (1 − β) θ₁, with θ₁ = 1 and v₀ = 0
    for step in range(size):
        weights[step] = v
        v = betas * v
    fallen = np.log(weights / weights[0]) + 1  # crosses 0 where the weight is 1/e of the first
    after = np.argmax(fallen <= 0, axis=0)
    columns = np.arange(len(betas))
    drop = fallen[after - 1, columns] - fallen[after, columns]
    return Averages(betas, 1 / (1 - betas), after - 1 + fallen[after - 1, columns] / drop)
