"""The space that is searched: hyperparameters, their scales, and conditions between them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tfcourse import _checks
from tfcourse._checks import InputError, InputTypeError
from tfcourse.tuning.notation import is_number, read_value
from tfcourse.tuning.scales import Choice, Integer, Linear, Log, OneMinusLog, Scale

Chosen = dict[str, Any]
"""A value for each hyperparameter that is active, by its name."""


@dataclass(frozen=True)
class When:
    """A scale that is drawn from only under a condition on another hyperparameter.

    condition: such as "optimizer=momentum", "optimizer=momentum,rmsprop" or "layers>=2".
    Raises: ValueError for a condition of another form.

    >>> tfc.When("layers>=2", tfc.Linear(0, 0.5)).holds(3)
    True
    """

    condition: str
    scale: Scale
    name: str = field(init=False, repr=False, compare=False)
    _accepted: tuple[Any, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found = re.fullmatch(r"\s*(\w+)\s*(=|>=)\s*([^\s=]+)\s*", self.condition)
        values = tuple(map(read_value, found[3].split(","))) if found else ()
        if found is None or (found[2] == ">=" and not (len(values) == 1 and is_number(values[0]))):
            raise InputError(
                "a condition must be such as optimizer=momentum or layers>=2,"
                f" got {self.condition!r}"
            )
        object.__setattr__(self, "condition", "".join(found.groups()))
        object.__setattr__(self, "name", found[1])
        object.__setattr__(self, "_accepted", values)

    def holds(self, value: Any) -> bool:
        """Whether the condition holds for this value of the other hyperparameter."""
        if ">=" in self.condition:
            return is_number(value) and value >= self._accepted[0]
        return value in self._accepted

    def can_hold(self, scale: Scale) -> bool:
        """Whether some draw from `scale` meets the condition."""
        if ">=" not in self.condition:
            return any(map(scale.contains, self._accepted))
        return any(map(self.holds, scale.options if isinstance(scale, Choice) else [scale.high]))

    def __str__(self) -> str:
        return f"{self.scale} if {self.condition}"


class Space(Mapping[str, Scale]):
    """Hyperparameters and the scales they are drawn from.

    >>> space = tfc.Space(
    ...     learning_rate=tfc.Log(1e-4, 1),
    ...     optimizer=tfc.Choice("adam", "momentum"),
    ...     momentum=tfc.When("optimizer=momentum", tfc.OneMinusLog(0.9, 0.999)),
    ... )
    >>> space.from_unit([0.5, 0, 0])
    {'learning_rate': 0.01, 'optimizer': 'adam'}
    >>> space.from_unit([0.5, 1, 0])
    {'learning_rate': 0.01, 'optimizer': 'momentum', 'momentum': 0.9}

    Raises: ValueError if it is empty, or if a condition is about a hyperparameter that does not
    stand before it or can never hold; TypeError for what is no scale.
    """

    def __init__(self, **entries: Scale | When) -> None:
        if not entries:
            raise InputError("a space must have at least one hyperparameter, got none")
        self._conditions: dict[str, When] = {}
        self._scales: dict[str, Scale] = {}
        for name, entry in entries.items():
            if isinstance(entry, When):
                self._check(name, entry)
                self._conditions[name], entry = entry, entry.scale
            if not isinstance(entry, Scale):
                raise InputTypeError(f"{name} must be a scale such as Log(1e-4, 1), got {entry!r}")
            self._scales[name] = entry

    def _check(self, name: str, entry: When) -> None:
        if entry.name not in self._scales:
            raise InputError(
                f"{name}'s condition {entry.condition} must be about a hyperparameter that stands"
                f" before it, got {entry.name!r}{_checks.nearest(entry.name, self._scales)}"
            )
        other = self._scales[entry.name]
        if not entry.can_hold(other):
            raise InputError(
                f"{name}'s condition {entry.condition} can never hold: {entry.name} is {other}"
            )

    def __getitem__(self, name: str) -> Scale:
        return self._scales[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._scales)

    def __len__(self) -> int:
        return len(self._scales)

    def active(self, name: str, chosen: Mapping[str, Any]) -> bool:
        """Whether `name` is drawn at all, given what stands before it."""
        condition = self._conditions.get(name)
        return condition is None or (
            condition.name in chosen and condition.holds(chosen[condition.name])
        )

    def from_unit(self, point: Sequence[float]) -> Chosen:
        """Hyperparameters at a point of the unit cube, one coordinate for each, in order."""
        chosen: Chosen = {}
        for (name, scale), u in zip(self._scales.items(), point, strict=True):
            if self.active(name, chosen):
                chosen[name] = scale.from_unit(u)
        return chosen

    def combinations(self, values: Mapping[str, Sequence[Any]]) -> Iterator[Chosen]:
        """Every combination of the `values` given for each name, the last name changing first."""
        names = list(self)

        def extend(chosen: Chosen, i: int) -> Iterator[Chosen]:
            if i == len(names):
                yield chosen
            elif not self.active(names[i], chosen):
                yield from extend(chosen, i + 1)
            else:
                for value in values[names[i]]:
                    yield from extend({**chosen, names[i]: value}, i + 1)

        return extend({}, 0)

    def around(self, best: Sequence[Chosen]) -> Space:
        """Smallest space that holds the `best`, widened on every scale, clipped to this one."""
        near: dict[str, Scale | When] = {}
        for name, scale in self._scales.items():
            values = [chosen[name] for chosen in best if name in chosen]
            narrow = scale.around(values) if values else scale
            condition = self._conditions.get(name)
            if condition is None:
                near[name] = narrow
            elif values:  # otherwise no draw near the best ever has it
                near[name] = When(condition.condition, narrow)
        return Space(**near)

    @classmethod
    def parse(cls, entries: Iterable[str]) -> Space:
        """Read entries such as "learning_rate=log:1e-4:1" or "momentum=1-log:0.9:0.999 if …".

        Raises: ValueError or TypeError for one of another form, with what is accepted.
        """
        space: dict[str, Scale | When] = {}
        for entry in entries:
            name, equals, rest = (part.strip() for part in entry.partition("="))
            if not name.isidentifier() or not equals:
                raise InputError(f"a hyperparameter must be given as name=scale, got {entry!r}")
            if name in space:
                raise InputError(f"each hyperparameter must be given once, got {name} twice")
            text, *condition = re.split(r"\s+if\s+", rest, maxsplit=1)
            scale = _read_scale(name, text)
            space[name] = When(condition[0], scale) if condition else scale
        return cls(**space)

    def entries(self) -> list[str]:
        """The space as the command line takes it: `parse` makes the same space of it."""
        return [f"{name}={self._conditions.get(name, scale)}" for name, scale in self.items()]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Space) and self.entries() == other.entries()

    def __hash__(self) -> int:
        return hash(tuple(self.entries()))

    def __repr__(self) -> str:
        return f"Space({'; '.join(self.entries())})"


def _read_scale(name: str, text: str) -> Scale:
    keyword, _, rest = text.partition(":")
    if keyword == "choice":
        return Choice(*map(read_value, rest.split(","))) if rest else Choice()
    bounds = [read_value(part) for part in rest.split(":")]
    makers: dict[str, Any] = {"linear": Linear, "log": Log, "1-log": OneMinusLog}
    makers |= {"int": Integer, "int-log": lambda low, high: Integer(low, high, log=True)}
    if keyword not in makers or len(bounds) != 2:
        raise InputError(
            f"{name} must be KIND:LOW:HIGH with kind {', '.join(makers)}, or choice:A,B,…,"
            f" got {text!r}"
        )
    try:
        scale: Scale = makers[keyword](*bounds)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}={text}: {error}") from None
    return scale
