"""A trial's hyperparameters that remember which of them a build function looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Reads(dict[str, Any]):
    """A dict with the `names` it was asked for: all of them, where one cannot tell."""

    def __init__(self, trial: Mapping[str, Any]) -> None:
        # A dict's own `items`: one of this class is copied without being asked.
        super().__init__(dict.items(trial) if isinstance(trial, dict) else trial)
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.names.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of `name`, or `default` if this trial has none."""
        self.names.add(name)
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return super().__contains__(name)

    def pop(self, name: str, *default: Any) -> Any:
        """Take the value of `name` out."""
        self.names.add(name)
        return super().pop(name, *default)

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return the value of `name`, which is set to `default` if this trial has none."""
        self.names.add(name)
        return super().setdefault(name, default)

    def read_all(self) -> None:
        """Take every name as looked at."""
        self.names.update(dict.keys(self))


def _reading_all(name: str) -> Any:
    method = getattr(dict, name)

    def read(self: Reads, *arguments: Any) -> Any:
        self.read_all()
        return method(self, *arguments)

    return read


_WHOLE = {"__iter__", "__len__", "__reversed__", "copy", "items", "keys", "popitem", "values"}
_WHOLE |= {"__eq__", "__ne__", "__or__", "__ror__", "__repr__"}
for _name in _WHOLE:
    setattr(Reads, _name, _reading_all(_name))
