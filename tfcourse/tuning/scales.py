"""Scales that hyperparameters are drawn from: each a transform to the unit interval and back.

Uniform draws, grids and smaller boxes are made in the unit interval, so that a search is the same
few lines whatever the scale.

Lecture, part 1: for the learning rate, r is uniform in [log10 low, log10 high] and α = 10^r;
for the momentum β, it is 1 − β that is 10^r.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self

from tfcourse import _checks
from tfcourse._checks import InputError
from tfcourse.tuning.notation import is_number, is_plain, number_text, value_text

SAMPLINGS = ("linear", "log", "reverse-log")
WIDEN = 0.1  # of a scale, added on both sides of the best trials


@dataclass(frozen=True)
class Linear:
    """Uniform between `low` and `high`: value = low + u (high − low).

    Raises: ValueError if low ≥ high or a bound is not finite, TypeError if one is no number.

    >>> tfc.Linear(0, 0.5).grid(3)
    [0.0, 0.25, 0.5]
    """

    low: float
    high: float
    _keyword: ClassVar[str] = "linear"
    _limits: ClassVar[dict[str, float]] = {}

    def __post_init__(self) -> None:
        kind = type(self).__name__
        low = _checks.number(f"{kind}'s low", self.low, **self._limits)
        high = _checks.number(f"{kind}'s high", self.high, **self._limits)
        if low >= high:
            raise InputError(f"{kind} must have low below high, got low {low:g}, high {high:g}")
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)

    def _r(self, value: float) -> float:
        return value

    def _value(self, r: float) -> float:
        return r

    def to_unit(self, value: float) -> float:
        """Position of `value`: 0 at `low`, 1 at `high`."""
        start, end = self._r(self.low), self._r(self.high)
        return (self._r(value) - start) / (end - start)

    def from_unit(self, u: float) -> float:
        """Value at position `u`; below 0 it is `low`, above 1 `high`."""
        if u <= 0 or u >= 1:  # exactly the bounds, whatever the rounding of 10^r
            return self.low if u <= 0 else self.high
        start, end = self._r(self.low), self._r(self.high)
        return min(max(self._value(start + u * (end - start)), self.low), self.high)

    def grid(self, n: int) -> list[float]:
        """`n` values at equal distances on the scale, from end to end (n = 1: the middle)."""
        return [self.from_unit(u) for u in _even(n)]

    def around(self, values: Sequence[float]) -> Self:
        """Smallest scale of this kind that holds `values`, widened, clipped to this one."""
        units = [self.to_unit(value) for value in values]
        low, high = self.from_unit(min(units) - WIDEN), self.from_unit(max(units) + WIDEN)
        return type(self)(low, high) if low < high else self

    def contains(self, value: Any) -> bool:
        """Whether `value` can be drawn."""
        return is_number(value) and self.low <= value <= self.high

    def show(self, value: float) -> str:
        """`value` with as many digits as matter on this scale."""
        return f"{value:.3g}"

    def __str__(self) -> str:
        return f"{self._keyword}:{number_text(self.low)}:{number_text(self.high)}"


@dataclass(frozen=True)
class Log(Linear):
    """Uniform in the exponent: value = 10^r, r uniform in [log10 low, log10 high].

    Every decade gets the same share of the draws; for the learning rate (lecture, part 1).
    Raises: as `Linear`, and ValueError if low ≤ 0.

    >>> tfc.Log(1e-4, 1).grid(5)
    [0.0001, 0.001, 0.01, 0.1, 1.0]
    """

    _keyword: ClassVar[str] = "log"
    _limits: ClassVar[dict[str, float]] = {"above": 0}

    def _r(self, value: float) -> float:
        return math.log10(value)

    def _value(self, r: float) -> float:
        return float(10.0**r)


@dataclass(frozen=True)
class ReverseLog(Log):
    """Uniform in the logarithm of the distance from high + low: most draws lie near `high`.

    KerasTuner's sampling="reverse_log": value = high + low − 10^r.
    Raises: as `Log`.

    >>> tfc.tuning.ReverseLog(1, 100).grid(3)
    [1.0, 91.0, 100.0]
    """

    _keyword: ClassVar[str] = "reverse-log"

    def _r(self, value: float) -> float:
        return -math.log10(self.high + self.low - value)

    def _value(self, r: float) -> float:
        return float(self.high + self.low - 10.0**-r)

    def around(self, values: Sequence[float]) -> Self:
        """Return this scale: a part of it is none of its kind."""
        return self


@dataclass(frozen=True)
class OneMinusLog(Linear):
    """Uniform in the exponent of 1 − β: β = 1 − 10^−r, for the weight of an average.

    β averages about 1/(1 − β) values, which is why the last decade before 1 gets as many draws as
    the one before it (lecture, part 1).
    Raises: as `Linear`, and ValueError if a bound is outside (0, 1).

    >>> tfc.OneMinusLog(0.9, 0.999).grid(3)
    [0.9, 0.99, 0.999]
    """

    _keyword: ClassVar[str] = "1-log"
    _limits: ClassVar[dict[str, float]] = {"above": 0, "below": 1}

    def _r(self, value: float) -> float:
        return -math.log10(1 - value)

    def _value(self, r: float) -> float:
        return float(1 - 10.0**-r)

    def show(self, value: float) -> str:
        """`value` with three digits of 1 − β."""
        return f"{value:.{2 - math.floor(math.log10(1 - value))}f}"


@dataclass(frozen=True)
class Integer:
    """Whole numbers from `low` to `high`, both included, uniform or by their logarithm.

    The scale is the line from low − ½ to high + ½, straight or logarithmic (`reverse`: from the
    other end), rounded.
    Raises: ValueError if low ≥ high or, with a logarithm, low < 1; TypeError if a bound is not
    whole.

    >>> tfc.Integer(50, 100).grid(3)
    [50, 75, 100]
    """

    low: int
    high: int
    log: bool = False
    reverse: bool = False

    def __post_init__(self) -> None:
        low = _checks.integer("Integer's low", self.low, at_least=1 if self._bent else None)
        high = _checks.integer("Integer's high", self.high)
        if low >= high:
            raise InputError(f"Integer must have low below high, got low {low}, high {high}")
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)

    @property
    def _bent(self) -> bool:
        return self.log or self.reverse

    @property
    def _line(self) -> Linear:
        kind = ReverseLog if self.reverse else Log if self.log else Linear
        return kind(self.low - 0.5, self.high + 0.5)

    def to_unit(self, value: int) -> float:
        """Position of `value` between 0 and 1."""
        return self._line.to_unit(value)

    def from_unit(self, u: float) -> int:
        """Whole number nearest to position `u`."""
        return min(max(math.floor(self._line.from_unit(u) + 0.5), self.low), self.high)

    def grid(self, n: int) -> list[int]:
        """`n` different numbers at about equal distances on the scale, or all there are."""
        n = min(n, self.high - self.low + 1)
        values = [self.from_unit(u) for u in _even(n)]
        for i in range(1, n):  # at the crowded end of a logarithmic scale neighbours coincide
            values[i] = max(values[i], values[i - 1] + 1)
        return [min(value, self.high - (n - 1 - i)) for i, value in enumerate(values)]

    def around(self, values: Sequence[int]) -> Integer:
        """Smallest scale of this kind that holds `values`, widened, clipped to this one."""
        units = [self.to_unit(value) for value in values]
        if self.reverse:
            return self
        low = min(self.from_unit(min(units) - WIDEN), min(values) - 1)
        high = max(self.from_unit(max(units) + WIDEN), max(values) + 1)
        return Integer(max(low, self.low), min(high, self.high), self.log)

    def contains(self, value: Any) -> bool:
        """Whether `value` can be drawn."""
        return is_number(value) and self.low <= value <= self.high and value == int(value)

    def show(self, value: int) -> str:
        """`value` as it is."""
        return str(value)

    def __str__(self) -> str:
        return f"int{'-reverse' * self.reverse}{'-log' * self._bent}:{self.low}:{self.high}"


@dataclass(frozen=True)
class Stepped:
    """Numbers from `low` in steps up to `high`, each as likely as the others.

    sampling: "linear" (low, low + step, …), "log" (low, low·step, low·step², …) or "reverse-log"
    (the same from the other end: high + low − low·stepⁿ). whole: whether they are whole numbers.
    Raises: ValueError if low ≥ high or the step leaves only one value, TypeError if a number is
    none.

    >>> tfc.tuning.Stepped(32, 128, 32, whole=True).grid(100)
    [32, 64, 96, 128]
    """

    low: float
    high: float
    step: float
    sampling: str = "linear"
    whole: bool = False

    def __post_init__(self) -> None:
        bent = _checks.choice("sampling", self.sampling, SAMPLINGS) != "linear"
        for name in ("low", "high", "step"):
            value = _checks.number(name, getattr(self, name), above=0 if bent else None)
            if self.whole:
                value = _checks.integer(name, getattr(self, name))
            object.__setattr__(self, name, value)
        if self.low >= self.high:
            raise InputError(f"low must be below high, got low {self.low:g}, high {self.high:g}")
        if self.step <= bent or self.count < 2:
            least = "above 1 where it multiplies" if bent else "above 0"
            raise InputError(
                f"step must be {least} and at most what leads from {self.low:g} to {self.high:g},"
                f" got {self.step:g}"
            )

    @property
    def count(self) -> int:
        """How many values there are."""
        if self.sampling == "linear":
            return math.floor((self.high - self.low) / self.step + 1e-9) + 1
        return math.floor(math.log(self.high / self.low) / math.log(self.step) + 1e-9) + 1

    def _at(self, index: int) -> Any:
        if self.sampling == "linear":
            value = self.low + index * self.step
        else:
            power = self.low * self.step**index
            value = power if self.sampling == "log" else self.high + self.low - power
        return int(value) if self.whole else float(f"{value:.12g}")

    @cached_property
    def _values(self) -> list[Any]:
        values = list(map(self._at, range(self.count)))
        return values[::-1] if self.sampling == "reverse-log" else values

    def to_unit(self, value: Any) -> float:
        """Middle of the stretch of the unit interval that belongs to `value`."""
        values = self._values
        return (min(range(len(values)), key=lambda i: abs(values[i] - value)) + 0.5) / len(values)

    def from_unit(self, u: float) -> Any:
        """Value whose stretch of the unit interval holds `u`."""
        values = self._values
        return values[min(max(int(u * len(values)), 0), len(values) - 1)]

    def grid(self, n: int) -> list[Any]:
        """`n` different values, the first and the last among them, or all there are."""
        return [self.from_unit(u) for u in _even(min(n, self.count))]

    def around(self, values: Sequence[Any]) -> Scale:
        """Smallest scale of this kind that holds `values`, a step wider, clipped to this one."""
        every = self._values
        if self.sampling == "reverse-log":  # a part of it is none of its kind
            return self
        where = [int(self.to_unit(value) * len(every)) for value in values]
        low, high = max(min(where) - 1, 0), min(max(where) + 1, len(every) - 1)
        return replace(self, low=every[low], high=every[high])

    def contains(self, value: Any) -> bool:
        """Whether `value` can be drawn."""
        return is_number(value) and value in self._values

    def show(self, value: Any) -> str:
        """`value` with as many digits as matter."""
        return str(value) if self.whole else f"{value:.6g}"

    def __str__(self) -> str:
        kind = f"int-{self.sampling}".removesuffix("-linear") if self.whole else self.sampling
        return f"{kind}:{':'.join(map(value_text, (self.low, self.high, self.step)))}"


@dataclass(frozen=True, init=False)
class Choice:
    """One of `options`, each as likely as the others: words, numbers, true, false, none.

    Raises: ValueError without options, with one twice, or with one of another kind.

    >>> tfc.Choice("adam", "momentum").from_unit(0.7)
    'momentum'
    """

    options: tuple[Any, ...]

    def __init__(self, *options: Any) -> None:
        if not options:
            raise InputError("Choice must have at least one option, got none")
        for option in options:
            if not is_plain(option):
                raise InputError(
                    "Choice's options must be finite numbers, texts, True, False or None,"
                    f" got {option!r}"
                )
        if len(set(options)) < len(options):
            raise InputError(f"Choice's options must differ, got {', '.join(map(str, options))}")
        object.__setattr__(self, "options", options)

    def to_unit(self, value: Any) -> float:
        """Middle of the stretch of the unit interval that belongs to `value`."""
        return (self.options.index(value) + 0.5) / len(self.options)

    def from_unit(self, u: float) -> Any:
        """Option whose stretch of the unit interval holds `u`."""
        return self.options[min(max(int(u * len(self.options)), 0), len(self.options) - 1)]

    def grid(self, n: int) -> list[Any]:
        """`n` different options, the first and the last among them, or all there are."""
        return [self.from_unit(u) for u in _even(min(n, len(self.options)))]

    def around(self, values: Sequence[Any]) -> Choice:
        """Only the options among `values`: there is no order to widen along."""
        return Choice(*(option for option in self.options if option in values))

    def contains(self, value: Any) -> bool:
        """Whether `value` can be drawn."""
        return value in self.options

    def show(self, value: Any) -> str:
        """`value` as the command line writes it."""
        return value_text(value)

    def __str__(self) -> str:
        return "choice:" + ",".join(map(value_text, self.options))


Scale = Linear | Log | ReverseLog | OneMinusLog | Integer | Stepped | Choice


def _even(n: int) -> list[float]:
    n = _checks.integer("points per axis", n, at_least=1)
    return [0.5] if n == 1 else [i / (n - 1) for i in range(n)]
