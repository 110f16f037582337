"""The `hp` that a build function is given: a trial's values, and a way to declare more.

`hp.Int`, `hp.Float`, `hp.Choice`, `hp.Boolean` and `hp.Fixed` have KerasTuner's signatures. The
first call of a name declares it; each call returns the trial's value. `hp` is a dict as well, for
those who give the space themselves: `hp["units"]`, `hp.get`, `hp.items`, `in`, `pop`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from tfcourse import _checks
from tfcourse._checks import InputError, InputTypeError
from tfcourse.training.reads import Reads
from tfcourse.tuning.notation import value_text
from tfcourse.tuning.scales import Choice, Integer, Linear, Log, ReverseLog, Scale, Stepped
from tfcourse.tuning.space import Chosen, Space, When

GIVEN = ("batch_size", "epochs")  # to every trial, whether drawn or not
_LINES = {"linear": Linear, "log": Log, "reverse_log": ReverseLog}


class HP(Reads):
    """A trial's values by name, and what the build function declares while it reads them.

    declared: scale, or scale under conditions, by name. late: values of names that the trial did
    not bring, drawn here; or their defaults.
    """

    def __init__(self, chosen: Mapping[str, Any], *, explore: bool = False) -> None:
        """Hold the values of a trial; to `explore`, names that it lacks take their defaults.

        Otherwise they are drawn, each decided by its name and the trial's values alone.
        """
        super().__init__(chosen)
        if isinstance(chosen, Reads):
            self.names = chosen.names  # whoever watches that one learns what is read here
        self.declared: dict[str, Scale | When] = {}
        self.late: Chosen = {}
        self.values = _Values(self)  # type: ignore[method-assign]
        self._explore = explore
        self._seed = repr(sorted(item for item in dict.items(self) if item[0] not in GIVEN))
        self._scopes: list[str] = []
        self._parents: list[tuple[str, Sequence[Any]]] = []

    def Int(  # noqa: N802
        self,
        name: str,
        min_value: int,
        max_value: int,
        step: int | None = None,
        sampling: str = "linear",
        default: int | None = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Whole number from `min_value` to `max_value`, both included.

        step: what is added from one value to the next; what it is multiplied by if sampling is
        "log" or "reverse_log". sampling: uniform ("linear"), in the logarithm, or in the logarithm
        from the upper end. default: the value of the first build, `min_value` without it.
        parent_name, parent_values: drawn only if that hyperparameter has one of these values; the
        result is None otherwise.
        """
        low, high = (_checks.integer(name, value) for value in (min_value, max_value))
        scale = self._numbers(name, low, high, step, sampling, whole=True)
        start = low if default is None else default
        return self._declare(name, scale, start, parent_name, parent_values)

    def Float(  # noqa: N802
        self,
        name: str,
        min_value: float,
        max_value: float,
        step: float | None = None,
        sampling: str = "linear",
        default: float | None = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Number from `min_value` to `max_value`; arguments as for `Int`."""
        low, high = (_checks.number(name, value) for value in (min_value, max_value))
        scale = self._numbers(name, low, high, step, sampling, whole=False)
        start = low if default is None else float(default)
        return self._declare(name, scale, start, parent_name, parent_values)

    def Choice(  # noqa: N802
        self,
        name: str,
        values: Sequence[Any],
        ordered: bool | None = None,
        default: Any = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """One of `values`, each as likely as the others, whether `ordered` or not."""
        scale = Choice(*values)
        if default is not None and default not in scale.options:
            raise InputError(f"{name}'s default must be one of its values, got {default!r}")
        start = default if default is not None or None in scale.options else scale.options[0]
        return self._declare(name, scale, start, parent_name, parent_values)

    def Boolean(  # noqa: N802
        self,
        name: str,
        default: bool = False,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """True or False."""
        return self._declare(name, Choice(True, False), default, parent_name, parent_values)

    def Fixed(  # noqa: N802
        self, name: str, value: Any, parent_name: str | None = None, parent_values: Any = None
    ) -> Any:
        """Return `value`, and write it down with each trial."""
        return self._declare(name, Choice(value), value, parent_name, parent_values)

    @contextmanager
    def conditional_scope(self, parent_name: str, parent_values: Any) -> Iterator[None]:
        """Declare what is named inside only for those values of `parent_name`.

        The body runs in any case; under other values the names inside are None.
        """
        name = self._full(parent_name)
        if name not in self.declared and not dict.__contains__(self, name):
            raise InputError(
                f"conditional_scope must name a hyperparameter that is declared before it, got"
                f" {name!r}{_checks.nearest(name, self.declared)}"
            )
        listed = isinstance(parent_values, list | tuple | set | range)
        self._parents.append((name, tuple(parent_values) if listed else (parent_values,)))
        try:
            yield
        finally:
            self._parents.pop()

    @contextmanager
    def name_scope(self, name: str) -> Iterator[None]:
        """Put `name` and a slash before the names inside."""
        self._scopes.append(str(name))
        try:
            yield
        finally:
            self._scopes.pop()

    def _full(self, name: str) -> str:
        if not isinstance(name, str) or not name:
            raise InputTypeError(f"a hyperparameter's name must be a text, got {name!r}")
        return "/".join([*self._scopes, name])

    @staticmethod
    def _numbers(name: str, low: Any, high: Any, step: Any, sampling: Any, *, whole: bool) -> Scale:
        sampling = str(sampling or "linear").lower()
        _checks.choice(f"sampling of {name}", sampling, _LINES)
        if low == high:
            return Choice(low)
        if whole and (step is None or (step == 1 and sampling == "linear")):
            return Integer(low, high, log=sampling == "log", reverse=sampling == "reverse_log")
        if step is None:
            return _LINES[sampling](low, high)
        try:
            return Stepped(low, high, step, sampling.replace("_", "-"), whole)
        except ValueError:
            if step > (high - low if sampling == "linear" else high / low):
                return Choice(low)  # there is no second value
            raise

    def _declare(
        self, name: str, scale: Scale, default: Any, parent_name: str | None, parent_values: Any
    ) -> Any:
        if parent_name is not None:
            with self.conditional_scope(parent_name, parent_values):
                return self._declare(name, scale, default, None, None)
        name = self._full(name)
        conditions = " and ".join(
            f"{value_text(parent)}={','.join(map(value_text, values))}"
            for parent, values in self._parents
        )
        entry = When(conditions, scale) if conditions else scale
        known = self.declared.setdefault(name, entry)
        if known != entry:
            raise InputError(
                f"{name} must be declared the same wherever it is, got first {known}, then {entry};"
                " give the second another name"
            )
        if not all(parent in self and self[parent] in values for parent, values in self._parents):
            return None
        if not dict.__contains__(self, name):
            value = default if self._explore else scale.from_unit(self._draw(name))
            self[name] = self.late[name] = value
        return self[name]

    def _draw(self, name: str) -> float:
        self.read_all()
        digest = hashlib.sha256(f"{name}\n{self._seed}".encode()).digest()
        return float(np.random.default_rng(list(digest)).random())


class _Values(Mapping[str, Any]):
    """`hp.values["units"]`, as KerasTuner's users write, and `hp.values()`, as for any dict."""

    def __init__(self, hp: HP) -> None:
        self._hp = hp

    def __call__(self) -> Any:
        return [self._hp[name] for name in self._hp]

    def __getitem__(self, name: str) -> Any:
        return self._hp[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._hp)

    def __len__(self) -> int:
        return len(self._hp)


MOST_BUILDS = 60  # of models, to find a space


class RefusedError(InputTypeError):
    """What is wrong with a build function whatever is drawn: exploring does not go on."""


def explore(
    build: Callable[[HP], Any], space: Space | None = None
) -> tuple[Space | None, set[str], list[Any]]:
    """Find the space that `build` declares, beside or in place of what the `space` given holds.

    It is called with the defaults, with each hyperparameter at each option or at both ends, and
    with a few draws, until that brings no new name. What it raises is tolerated as long as some
    call succeeds. Scales of the `space` given count more than those that `build` declares.
    Returns the space, the names that were asked for, and what the calls returned.
    Raises: ValueError with what `build` raised if no call succeeded.
    """
    rng = np.random.default_rng(0)
    known, read = space, set[str]()
    made, errors, tried = list[Any](), list[str](), set[str]()
    queue: list[Chosen] = [space.from_unit([0.5] * len(space)) if space is not None else {}]
    draws = 4
    while queue and len(tried) < MOST_BUILDS:
        chosen = queue.pop(0)
        if repr(chosen) not in tried:
            tried.add(repr(chosen))
            hp = HP(chosen, explore=True)
            try:
                made.append(build(hp))
            except RefusedError:
                raise
            except Exception as error:  # the user's code: anything may come
                drawn = ", ".join(f"{name} {value}" for name, value in chosen.items())
                errors.append(f"{type(error).__name__}: {error} for {drawn or 'its defaults'}")
            read |= hp.names
            first = len(tried) == 1
            new = {name: e for name, e in hp.declared.items() if known is None or name not in known}
            for name, entry in new.items():
                known = _with(known, name, entry)
            if known is not None:
                around = {**chosen, **hp.late}
                queue += _neighbours(known, known if first else new, around)
        if not queue and known is not None and draws:
            draws -= 1
            queue.append(known.from_unit(rng.random(len(known)).tolist()))
    if not made:
        told = " ".join(errors[0].split())
        if told.startswith("KeyError"):
            told += '; declare it, as with hp.Int("units", 16, 512), or give space='
        raise InputError(f"build must return a model, but raised {told}")
    return known, read, made


def _with(space: Space | None, name: str, entry: Scale | When) -> Space:
    if space is None:
        return Space(**{name: entry})
    if isinstance(entry, When) and not all(
        entry.can_hold(other, space[other]) for other in entry.names
    ):
        return space  # the space given leaves no room for it
    return space.with_also(**{name: entry})


def _neighbours(space: Space, names: Iterable[str], chosen: Chosen) -> Iterator[Chosen]:
    """`chosen` with one of `names` at another option, or at an end."""
    for name in names:
        scale = space.get(name)
        if scale is not None:
            few = isinstance(scale, Choice) and len(scale.options) <= 8
            for value in scale.grid(8 if few else 2):
                if name not in chosen or value != chosen[name]:
                    yield {**chosen, name: value}
