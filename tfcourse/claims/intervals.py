"""95% intervals of what was measured: means, ratios, differences, shares, slopes."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

_Z = NormalDist().inv_cdf(0.975)


class Interval(NamedTuple):
    """An estimate with its 95% interval."""

    value: float
    low: float
    high: float

    @property
    def above_zero(self) -> bool:
        """Whether the whole interval lies above 0."""
        return self.low > 0

    @property
    def below_zero(self) -> bool:
        """Whether the whole interval lies below 0."""
        return self.high < 0

    def within(self, limit: float) -> bool:
        """Whether the whole interval lies between −limit and limit."""
        return -limit < self.low and self.high < limit

    def show(self, form: str = ".3g", unit: str = "") -> str:
        """Return such as "1.2 [0.9, 1.5]"; `form` is a format for each figure, `unit` follows."""
        if unit == "%":
            value, low, high = (100 * figure for figure in self)
        else:
            value, low, high = self
        return f"{value:{form}}{unit} [{low:{form}}, {high:{form}}]".replace("-", "−")


def t_quantile(freedom: float) -> float:
    """Return the 97.5% quantile of Student's t with `freedom` ≥ 2 degrees of freedom.

    Hill's expansion in 1/freedom (Abramowitz and Stegun 26.7.5); within 1% at 2, 0.1% from 4 on.
    """
    z = _Z
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return float(sum(term / freedom**power for power, term in enumerate(terms)))


def mean(values: ArrayLike) -> Interval:
    """Mean of independent values, (n,): Student's t. For pairs, pass their differences."""
    a = np.asarray(values, float)
    if a.size < 3:
        raise ValueError(f"an interval needs at least 3 values, got {a.size}")
    half = t_quantile(a.size - 1) * a.std(ddof=1) / math.sqrt(a.size)
    return Interval(float(a.mean()), float(a.mean() - half), float(a.mean() + half))


def geometric_mean(ratios: ArrayLike) -> Interval:
    """Geometric mean of independent ratios: `mean` of their logarithms, taken back."""
    return Interval(*np.exp(mean(np.log(ratios))).tolist())


def difference(a: ArrayLike, b: ArrayLike) -> Interval:
    """Mean of a less mean of b, independent samples: Welch."""
    x, y = np.asarray(a, float), np.asarray(b, float)
    if min(x.size, y.size) < 3:
        raise ValueError(f"an interval needs at least 3 values each, got {x.size} and {y.size}")
    u, v = x.var(ddof=1) / x.size, y.var(ddof=1) / y.size
    value = float(x.mean() - y.mean())
    if u + v == 0:
        return Interval(value, value, value)
    freedom = (u + v) ** 2 / (u**2 / (x.size - 1) + v**2 / (y.size - 1))
    half = t_quantile(freedom) * math.sqrt(u + v)
    return Interval(value, value - half, value + half)


def share(hits: int, of: int) -> Interval:
    """Share hits/of: Wilson's interval."""
    p, square = hits / of, _Z**2 / of
    middle, half = p + square / 2, _Z * math.sqrt(p * (1 - p) / of + square / (4 * of))
    return Interval(p, (middle - half) / (1 + square), (middle + half) / (1 + square))


def share_difference(hits_a: int, of_a: int, hits_b: int, of_b: int) -> Interval:
    """Share of a less share of b, independent samples: Newcombe's interval from Wilson's two."""
    a, b = share(hits_a, of_a), share(hits_b, of_b)
    value = a.value - b.value
    low = value - math.hypot(a.value - a.low, b.high - b.value)
    return Interval(value, low, value + math.hypot(a.high - a.value, b.value - b.low))


def slope(x: ArrayLike, y: ArrayLike) -> Interval:
    """Slope of the least-squares line through (x, y), each (n,), with independent errors in y."""
    u, v = np.asarray(x, float), np.asarray(y, float)
    if u.size < 4:
        raise ValueError(f"a slope's interval needs at least 4 points, got {u.size}")
    dx, dy = u - u.mean(), v - v.mean()
    value = float(dx @ dy / (dx @ dx))
    rest = dy - value * dx
    half = t_quantile(u.size - 2) * math.sqrt(rest @ rest / (u.size - 2) / (dx @ dx))
    return Interval(value, value - half, value + half)
