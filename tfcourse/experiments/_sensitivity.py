"""First-order sensitivity: how much of a result's spread one input alone accounts for.

Sobol' (1993, 2001): S_i = Var(E[y | x_i]) / Var(y), between 0 and 1. The inputs are independent and
uniform in [0, 1), which is what random search draws. x_i is cut into bins; the spread of the bins'
means is corrected for what chance alone gives them, so that an input without effect gets 0 on
average, and sometimes less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfcourse._arrays import Floats

BLOCKS = 32
T_31 = 2.0395  # 97.5% quantile of Student's t with BLOCKS − 1 degrees of freedom


@dataclass(frozen=True, eq=False)
class Indices:
    """First-order indices of the inputs `names`, value (inputs,).

    without: the same with one block of the draws left out, (BLOCKS, inputs), for intervals.
    """

    names: tuple[str, ...]
    value: Floats
    without: Floats

    def contrast(self, weights: Mapping[str, float]) -> tuple[float, float, float]:
        """Weighted sum of indices, and its 95% interval by the block jackknife."""
        w = np.array([weights.get(name, 0.0) for name in self.names])
        value, replicates = float(self.value @ w), self.without @ w
        squares = float(((replicates - replicates.mean()) ** 2).sum())
        half = T_31 * np.sqrt((BLOCKS - 1) / BLOCKS * squares)
        return value, value - half, value + half

    def interval(self, name: str) -> tuple[float, float, float]:
        """Index of one input, and its 95% interval."""
        return self.contrast({name: 1.0})


def indices(names: tuple[str, ...], x: Floats, y: Floats, bins: int = 12) -> Indices:
    """First-order indices of y (n,) with respect to the columns of x (n, inputs), in [0, 1).

    bins: of each input; whole numbers and choices of fewer values fall into fewer.
    """
    cells = np.minimum((x * bins).astype(int), bins - 1)
    block = np.arange(len(y)) * BLOCKS // len(y)
    rows = [np.flatnonzero(block != b) for b in range(BLOCKS)]
    value = np.array([_index(column, y) for column in cells.T])
    without = np.array([[_index(column[r], y[r]) for column in cells.T] for r in rows])
    return Indices(names, value, without)


def _index(cell: NDArray[np.int_], y: Floats) -> float:
    counts = np.bincount(cell)
    used = counts > 0
    means = np.bincount(cell, y)[used] / counts[used]
    total = float(((y - y.mean()) ** 2).sum())
    between = float((counts[used] * (means - y.mean()) ** 2).sum())
    cells = int(used.sum())
    by_chance = (cells - 1) * (total - between) / (len(y) - cells)
    return (between - by_chance) / total
