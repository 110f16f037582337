"""The space that is searched: hyperparameters, their scales, and conditions between them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tfcourse import _checks
from tfcourse._checks import InputError, InputTypeError
from tfcourse.tuning.notation import is_number, outside_quotes, read_value, read_values, value_text
from tfcourse.tuning.scales import (
    Choice,
    Integer,
    Linear,
    Log,
    OneMinusLog,
    ReverseLog,
    Scale,
    Stepped,
)

Chosen = dict[str, Any]
"""A value for each hyperparameter that is active, by its name."""


@dataclass(frozen=True)
class When:
    """A scale that is drawn from only under conditions on other hyperparameters.

    condition: such as "optimizer=momentum", "optimizer=momentum,rmsprop" or "layers>=2", or several
    with " and " between them.
    Raises: ValueError for a condition of another form.

    >>> tfc.When("layers>=2", tfc.Linear(0, 0.5)).holds({"layers": 3})
    True
    """

    condition: str
    scale: Scale
    _parts: tuple[tuple[str, bool, tuple[Any, ...]], ...] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        parts, texts = [], []
        for text in outside_quotes(self.condition, r"\s+and\s+"):
            at_least = len(outside_quotes(text, ">=")) == 2
            name, *rest = outside_quotes(text, ">=" if at_least else "=")
            written = rest[0].strip() if len(rest) == 1 else ""
            values = tuple(read_values(written)) if written else ()
            name = read_name(name.strip())
            if (
                not name
                or not values
                or (at_least and not (len(values) == 1 and is_number(values[0])))
            ):
                raise InputError(
                    "a condition must be such as optimizer=momentum or layers>=2,"
                    f" got {self.condition!r}"
                )
            parts.append((name, at_least, values))
            listed = ",".join(map(value_text, values))
            texts.append(f"{value_text(name)}{'>=' if at_least else '='}{listed}")
        object.__setattr__(self, "condition", " and ".join(texts))
        object.__setattr__(self, "_parts", tuple(parts))

    @property
    def names(self) -> tuple[str, ...]:
        """The other hyperparameters."""
        return tuple(name for name, _, _ in self._parts)

    def holds(self, chosen: Mapping[str, Any]) -> bool:
        """Whether all conditions hold for these values of the other hyperparameters."""
        return all(
            name in chosen and _holds(chosen[name], at_least, values)
            for name, at_least, values in self._parts
        )

    def can_hold(self, name: str, scale: Scale) -> bool:
        """Whether some draw of `name` from `scale` meets the conditions on it."""
        some = scale.options if isinstance(scale, Choice) else scale.grid(2)  # or both ends
        return all(
            any(_holds(value, True, values) for value in some)
            if at_least
            else any(map(scale.contains, values))
            for other, at_least, values in self._parts
            if other == name
        )

    def __str__(self) -> str:
        return f"{self.scale} if {self.condition}"


def _holds(value: Any, at_least: bool, values: tuple[Any, ...]) -> bool:
    return is_number(value) and value >= values[0] if at_least else value in values


def read_name(text: str) -> str:
    """Name of a hyperparameter, which stands in quotes if it is no simple word; "" if it is none.

    >>> tfc.tuning.space.read_name('"dense 1/units"')
    'dense 1/units'
    """
    if text.startswith('"'):
        value = read_value(text)
        return value if isinstance(value, str) and value != text else ""
    return text if re.fullmatch(r'[^,\s"=<>]+', text) else ""


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
        for other in entry.names:
            if other not in self._scales:
                raise InputError(
                    f"{name}'s condition {entry.condition} must be about a hyperparameter that"
                    f" stands before it, got {other!r}{_checks.nearest(other, self._scales)}"
                )
            if not entry.can_hold(other, self._scales[other]):
                raise InputError(
                    f"{name}'s condition {entry.condition} can never hold:"
                    f" {other} is {self._scales[other]}"
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
        return condition is None or condition.holds(chosen)

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
            before, *after = outside_quotes(entry, "=", 1)
            name, rest = read_name(before.strip()), "".join(after).strip()
            if not name or not rest:
                raise InputError(f"a hyperparameter must be given as name=scale, got {entry!r}")
            if name in space:
                raise InputError(f"each hyperparameter must be given once, got {name} twice")
            text, *condition = outside_quotes(rest, r"\s+if\s+", 1)
            scale = _read_scale(name, text)
            space[name] = When(condition[0], scale) if condition else scale
        return cls(**space)

    def entries(self) -> list[str]:
        """The space as the command line takes it: `parse` makes the same space of it."""
        return [
            f"{value_text(name)}={self._conditions.get(name, scale)}"
            for name, scale in self.items()
        ]

    def with_also(self, **entries: Scale | When) -> Space:
        """Return this space with more behind it, or with other scales for names that it has."""
        mine = {name: self._conditions.get(name, scale) for name, scale in self.items()}
        return Space(**{**mine, **entries})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Space) and self.entries() == other.entries()

    def __hash__(self) -> int:
        return hash(tuple(self.entries()))

    def __repr__(self) -> str:
        return f"Space({'; '.join(self.entries())})"


def _read_scale(name: str, text: str) -> Scale:
    keyword, _, rest = text.partition(":")
    if keyword == "choice":
        return Choice(*read_values(rest)) if rest else Choice()
    numbers = [read_value(part) for part in rest.split(":")]
    makers: dict[str, Any] = {"linear": Linear, "log": Log, "1-log": OneMinusLog}
    makers |= {"reverse-log": ReverseLog, "int": Integer}
    makers |= {
        "int-log": partial(Integer, log=True),
        "int-reverse-log": partial(Integer, reverse=True),
    }
    if len(numbers) == 3 and keyword != "1-log":
        sampling = keyword.removeprefix("int").removeprefix("-") or "linear"
        makers[keyword] = partial(Stepped, sampling=sampling, whole=keyword.startswith("int"))
    elif keyword not in makers or len(numbers) != 2:
        raise InputError(
            f"{name} must be KIND:LOW:HIGH or KIND:LOW:HIGH:STEP with kind {', '.join(makers)}, or"
            f" choice:A,B,…, got {text!r}"
        )
    try:
        scale: Scale = makers[keyword](*numbers)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}={text}: {error}") from None
    return scale
