"""Cut a set into parts in which every class keeps its share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfcourse import _checks
from tfcourse._checks import InputError
from tfcourse.datasets.dataset import Integers


def stratified(labels: Integers, sizes: Sequence[int], seed: int = 0) -> list[Integers]:
    """Return index arrays: what remains for training, then one of each of the `sizes`.

    `labels`: (m,), whole numbers 0 … C−1. A class with n of the m examples gets its share
    size·n/m of each part, rounded down or up so that the parts have exactly these sizes; but one
    example of every class stays for training. Indices ascend. The same `seed` gives the same
    parts on every version of NumPy.

    Raises: ValueError if there are too few examples to leave one of every class for training.

    >>> tfc.datasets.stratified(np.array([0, 0, 0, 0, 1, 1, 1, 1]), [2])[1].size
    2
    """
    sizes = [_checks.integer("a part's size", size, at_least=0) for size in sizes]
    seed = _checks.integer("seed", seed, at_least=0)
    counts = np.bincount(labels)
    room = np.maximum(counts - 1, 0)
    if sum(sizes) > room.sum():
        raise InputError(
            f"{len(labels)} examples are too few: each of {np.count_nonzero(counts)} classes needs "
            f"one for training, and {sum(sizes)} more are needed to validate or test"
        )
    # A bit generator's raw stream never changes; what Generator makes of it may (NEP 19).
    shuffled = np.lexsort((np.random.PCG64(seed).random_raw(len(labels)), labels))
    rank = np.empty(len(labels), np.int64)  # of each example within its class
    rank[shuffled] = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    part = np.zeros(len(labels), np.int64)
    end = np.zeros_like(counts)
    for number, size in enumerate(sizes, start=1):
        begin, end = end, end + _shares(counts, size, room - end)
        part[(begin[labels] <= rank) & (rank < end[labels])] = number
    return [np.flatnonzero(part == number) for number in range(len(sizes) + 1)]


def _shares(counts: Integers, size: int, room: Integers) -> Integers:
    """`size` seats in proportion to `counts`, by largest remainder, at most `room` a class."""
    whole, remainder = np.divmod(counts * size, counts.sum())
    whole = np.minimum(whole, room)
    while missing := size - int(whole.sum()):
        free = np.flatnonzero(whole < room)
        whole[free[np.argsort(-remainder[free], kind="stable")][:missing]] += 1
    return whole
