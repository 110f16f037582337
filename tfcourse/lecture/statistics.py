"""Intervals of what was measured: means, ratios, differences, shares, slopes; 95% unless said.

SciPy's, brought to one form; it is loaded when an interval is asked for.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike

K = TypeVar("K")


class Interval(NamedTuple):
    """An estimate with its interval."""

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
        value, low, high = (100 * f for f in self) if unit == "%" else self
        return f"{value:{form}}{unit} [{low:{form}}, {high:{form}}]".replace("-", "−")


def _around(value: float, error: float, freedom: float, level: float) -> Interval:
    """Student's interval around an estimate with this standard error."""
    from scipy.stats import t

    half = float(t.ppf((1 + level) / 2, freedom)) * error if error else 0.0
    return Interval(float(value), float(value - half), float(value + half))


def _enough(least: int, *samples: Any) -> None:
    if min(map(len, samples)) < least:
        seen = " and ".join(str(len(sample)) for sample in samples)
        raise ValueError(f"an interval needs at least {least} values, got {seen}")


def mean(values: ArrayLike, level: float = 0.95) -> Interval:
    """Mean of independent values, of any shape: Student's t. For pairs, pass their differences."""
    a = np.ravel(np.asarray(values, float))
    _enough(3, a)
    return _around(a.mean(), a.std(ddof=1) / math.sqrt(a.size), a.size - 1, level)


def geometric_mean(ratios: ArrayLike, level: float = 0.95) -> Interval:
    """Geometric mean of independent ratios: `mean` of their logarithms, taken back."""
    return Interval(*np.exp(mean(np.log(ratios), level)).tolist())


def difference(a: ArrayLike, b: ArrayLike, level: float = 0.95) -> Interval:
    """Mean of a less mean of b, independent samples: Welch."""
    x, y = np.asarray(a, float), np.asarray(b, float)
    _enough(3, x, y)
    u, v = x.var(ddof=1) / x.size, y.var(ddof=1) / y.size
    freedom = (u + v) ** 2 / (u**2 / (x.size - 1) + v**2 / (y.size - 1)) if u + v else 1
    return _around(x.mean() - y.mean(), math.sqrt(u + v), freedom, level)


def slope(x: ArrayLike, y: ArrayLike, level: float = 0.95) -> Interval:
    """Slope of the least-squares line through (x, y), each (n,), with independent errors in y."""
    from scipy.stats import linregress

    u, v = np.asarray(x, float), np.asarray(y, float)
    _enough(4, u)
    line = linregress(u, v)
    return _around(line.slope, line.stderr, u.size - 2, level)


def share(hits: int, of: int, level: float = 0.95) -> Interval:
    """Share hits/of: Wilson's interval."""
    from scipy.stats import binomtest

    found = binomtest(hits, of).proportion_ci(level, "wilson")
    return Interval(hits / of, float(found.low), float(found.high))


def share_difference(
    hits_a: int, of_a: int, hits_b: int, of_b: int, level: float = 0.95
) -> Interval:
    """Share of a less share of b, independent samples: Newcombe's interval from Wilson's two."""
    a, b = share(hits_a, of_a, level), share(hits_b, of_b, level)
    value = a.value - b.value
    low = value - math.hypot(a.value - a.low, b.high - b.value)
    return Interval(value, low, value + math.hypot(a.high - a.value, b.value - b.low))


def holm(family: Mapping[K, Callable[[float], Interval]], level: float = 0.95) -> dict[K, Interval]:
    """Intervals of comparisons that are tested together, corrected for their number (Holm 1979).

    family: by name, what returns the comparison's interval at a level, such as
    `partial(mean, values)` (with `level` as its next argument). The comparison that is furthest
    from 0 gets the level 1 − α/k of k comparisons, the next 1 − α/(k − 1), and so on; from the
    first on whose interval holds 0, all get that one's level. The chance that any of those without
    an effect is said to have one stays below α = 1 − level.
    """
    alpha, done = 1 - level, dict[K, Interval]()
    order = sorted(family, key=lambda name: _p(family[name]))
    left = len(order)
    for name in order:
        done[name] = found = family[name](1 - alpha / left)
        if found.above_zero or found.below_zero:
            left -= 1
    return {name: done[name] for name in family}


def _p(interval: Callable[[float], Interval]) -> float:
    """The least α at which the interval does not hold 0, by bisection of its logarithm."""
    low, high = -30.0, 0.0
    for _ in range(24):
        middle = (low + high) / 2
        found = interval(1 - math.exp(middle))
        low, high = (low, middle) if found.above_zero or found.below_zero else (middle, high)
    return math.exp(high)
