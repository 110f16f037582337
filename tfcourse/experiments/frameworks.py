"""Experiments of part 4, frameworks: the lecture's program, run in the ways one wonders about."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from numpy.typing import NDArray

from tfcourse.quadratic_problem import LECTURE

SECOND = (1.0, -20.0, 100.0)
"""(w − 10)² = w² − 20w + 100: the other coefficients that the lecture feeds."""


@dataclass(frozen=True, eq=False)
class Path:
    """One minimization: w and J before each step and after the last, shape (steps + 1,)."""

    coefficients: tuple[float, float, float]
    w: NDArray[Any]
    cost: NDArray[Any]
    traces: int


@cache
def descents(seed: int = 0, size: int = 1000) -> tuple[Path, Path]:
    """Minimize both of the lecture's costs for `size` steps; nothing is random in it."""
    from tfcourse import quadratic

    def path(coefficients: tuple[float, float, float]) -> Path:
        run = quadratic.minimize(coefficients, steps=size)
        return Path(coefficients, run.w, run.cost, run.traces)

    return path(LECTURE), path(SECOND)
