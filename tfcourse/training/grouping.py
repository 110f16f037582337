"""Which trials share a compiled program, and which of them are trained together.

All here follows from the trials alone, and the number of threads: the same trials give the same
chunks, whatever of them is trained already.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfcourse.hyperparameters import Hyperparameters

Chosen = Mapping[str, Any]  # a trial: its hyperparameters, by name
Widths = dict[tuple[str, int], int]

# Numbers of which each model in a program has its own. A dropout of 0 may mean no layer, though.
OWN = ("learning_rate", "momentum", "beta_1", "beta_2", "epsilon", "decay", "dropout")
TAKEN = (*OWN, "optimizer", "batch_size", "epochs")  # what training takes from a trial
MOST_PADDING = 2  # a program is at most so many times wider than a model in it


def setting(trial: Chosen, name: str) -> Any:
    """What training is told by a trial, or else by the classifier's defaults."""
    return trial.get(name, getattr(Hyperparameters, name))


def widths(trial: Chosen) -> Widths:
    """Units of the hidden layers, which may be padded: `units` or `units_1`, `units_2`, …."""
    found: Widths = {}
    for name in sorted(trial):
        if re.fullmatch(r"units(_\d+)?", name):
            values = trial[name] if isinstance(trial[name], tuple | list) else [trial[name]]
            found |= {(name, place): value for place, value in enumerate(values)}
    return found


def with_widths(trial: Chosen, wanted: Widths) -> dict[str, Any]:
    """Return the trial with these units."""
    changed = dict(trial)
    for name in {name for name, _ in wanted}:
        if isinstance(trial[name], tuple | list):
            changed[name] = tuple(wanted[name, place] for place in range(len(trial[name])))
        else:
            changed[name] = wanted[name, 0]
    return changed


@dataclass(frozen=True)
class Group:
    """Trials whose models share a program.

    members: indices of the trials, in order. pattern: a trial as wide as the widest of them.
    padded: whether some are narrower. key: equal for groups that can use the same program.
    """

    members: tuple[int, ...]
    pattern: Chosen
    padded: bool
    key: tuple[Any, ...]


def groups(trials: Sequence[Chosen]) -> list[Group]:
    """Part trials into groups: by everything but `OWN`, epochs, and units up to `MOST_PADDING`."""
    alike: dict[tuple[Any, ...], list[int]] = {}
    for index, trial in enumerate(trials):
        alike.setdefault(_structure(trial), []).append(index)
    parts = [part for members in alike.values() for part in _similar(trials, members)]
    return [_group(trials, part) for part in sorted(parts)]


def by_units(trials: Sequence[Chosen], group: Group) -> list[Group]:
    """Part a group further, so that nothing is padded."""
    parts: dict[tuple[Any, ...], list[int]] = {}
    for index in group.members:
        parts.setdefault(tuple(widths(trials[index]).items()), []).append(index)
    return [_group(trials, part) for part in parts.values()]


def by_epochs(
    trials: Sequence[Chosen], members: Sequence[int], epochs: int
) -> dict[int, list[int]]:
    """Part members by how many epochs they train; `epochs` are of those that do not say."""
    parts: dict[int, list[int]] = {}
    for index in members:
        parts.setdefault(trials[index].get("epochs", epochs), []).append(index)
    return parts


def cut(members: Sequence[int], size: int, threads: int) -> list[tuple[int, ...]]:
    """Cut members into chunks of at most `size`, as equal as can be, for all threads alike."""
    count = -(-len(members) // size)
    count = min(len(members), -(-count // threads) * threads)
    edges = [len(members) * k // count for k in range(count + 1)]
    return [tuple(members[a:b]) for a, b in itertools.pairwise(edges)]


def power_of_two(least: int) -> int:
    """Return the smallest power of two that is at least `least`."""
    return 1 << (least - 1).bit_length()


def _group(trials: Sequence[Chosen], members: Sequence[int]) -> Group:
    sizes = [widths(trials[index]) for index in members]
    widest = {place: max(size[place] for size in sizes) for place in sizes[0]}
    return Group(
        tuple(members),
        with_widths(trials[members[0]], widest),
        padded := any(size != widest for size in sizes),
        (padded, *_structure(trials[members[0]]), *widest.items()),
    )


def _structure(trial: Chosen) -> tuple[Any, ...]:
    units = widths(trial)
    shaped = {name: setting(trial, name) for name in ("optimizer", "batch_size")}
    shaped |= {"dropout": bool(setting(trial, "dropout")), "units": list(units)}
    left = {*TAKEN, *(name for name, _ in units)}
    rest = {name: value for name, value in trial.items() if name not in left}
    return tuple((name, repr(_plain(value))) for name, value in sorted((rest | shaped).items()))


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _similar(trials: Sequence[Chosen], members: Sequence[int]) -> Iterator[list[int]]:
    """Cut members where the widest is more than `MOST_PADDING` times a narrower one."""
    total = {index: sum(widths(trials[index]).values()) for index in members}
    rest = sorted(members, key=lambda index: -total[index])
    while rest:
        limit = total[rest[0]] / MOST_PADDING
        yield sorted(index for index in rest if total[index] >= limit)
        rest = [index for index in rest if total[index] < limit]
