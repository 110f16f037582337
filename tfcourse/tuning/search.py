"""Which hyperparameters to try: a space in, trials out.

A search is a generator of hyperparameters. Where it must know how the trials so far went, it
yields `None` and is sent them, the best first; when it ends early, it returns the reason.

What the n-th trial is depends on the seed and n alone (and, in a fine round, on the results of the
rounds before), whatever ran in parallel and however often a study was killed and resumed.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt

from tfcourse import _checks
from tfcourse.tuning.space import Chosen, Space
from tfcourse.tuning.trial import Trial

Search = Generator[Chosen | None, Sequence[Trial] | None, str | None]
Seed = int | np.random.Generator


def grid(space: Space, n: int | Mapping[str, int]) -> Search:
    """Every combination of `n` values on each axis, or of `n[name]` on the axis `name`.

    The values are at equal distances on the axis's own scale, ends included; a scale that holds
    fewer values gives all it has. So 25 trials on two axes try 5 values of each (lecture, part 1).
    Raises: ValueError unless every n ≥ 1.
    """
    each = n if isinstance(n, Mapping) else dict.fromkeys(space, n)
    axes = {name: scale.grid(each[name]) for name, scale in space.items()}
    count = 0
    for chosen in space.combinations(axes):
        yield chosen
        count += 1
    return f"the grid has {count} points: all are tried"


def largest_grid(space: Space, trials: int) -> dict[str, int]:
    """Points per axis of a grid of at most `trials`, shared out evenly, earlier axes first."""
    points = dict.fromkeys(space, 1)
    axes = {name: scale.grid(1) for name, scale in space.items()}
    growing = list(space)
    while growing:
        for name in list(growing):
            finer = {**axes, name: space[name].grid(points[name] + 1)}
            if len(finer[name]) > points[name] and _at_most(space, finer, trials):
                points[name], axes = points[name] + 1, finer
            else:
                growing.remove(name)
    return points


def random(space: Space, trials: int, rng: Seed = 0) -> Search:
    """`trials` independent uniform draws, each on its hyperparameter's own scale.

    25 of them try 25 values of each hyperparameter where a 5×5 grid tries 5 (lecture, part 1).
    A space of few values is exhausted without repeats.
    rng: a seed, or a generator that one is taken from.
    Raises: ValueError unless trials ≥ 1.
    """
    trials = _checks.integer("trials", trials, at_least=1)
    seed, seen = _seed(rng), set[str]()
    for number in range(trials):
        chosen = unseen(space, seed, number, seen)
        if chosen is None:
            return exhausted(number)
        yield chosen
    return None


def quasi_random(space: Space, trials: int, rng: Seed = 0) -> Search:
    """`trials` points that fill the space more evenly than independent draws do.

    Point n is the fractional part of s + n g, where g_j = φ^−(j+1) for the root φ > 1 of
    φ^(d+1) = φ + 1 in d dimensions (Roberts's R sequence, a Kronecker lattice), and s is decided by
    the seed. A space of few values is exhausted without repeats.
    Raises: ValueError unless trials ≥ 1.
    """
    trials = _checks.integer("trials", trials, at_least=1)
    seed, seen = _seed(rng), set[str]()
    step = _step(len(space))
    start = np.random.default_rng([seed, 2**32]).random(len(space))
    point = 0
    for number in range(trials):
        for _ in range(100):
            chosen = space.from_unit(((start + point * step) % 1).tolist())
            point += 1
            if repr(chosen) not in seen:
                seen.add(repr(chosen))
                break
        else:  # the space is discrete and nearly listed: the rest at random
            left = unseen(space, seed, number, seen)
            if left is None:
                return exhausted(number)
            chosen = left
        yield chosen
    return None


def _step(dimensions: int) -> npt.NDArray[np.float64]:
    """Return g of the R sequence."""
    phi = 1.0
    for _ in range(100):  # φ = (1 + φ)^(1/(d+1)) contracts
        phi = (1 + phi) ** (1 / (dimensions + 1))
    return phi ** -np.arange(1.0, dimensions + 1)


def exhausted(number: int) -> str:
    """Say why a search ends after so many trials."""
    return f"the space holds only {number} combinations: all are tried"


def coarse_to_fine(space: Space, rounds: int, trials: int, keep: int, rng: Seed = 0) -> Search:
    """Random search in `rounds`, each in a smaller box around the `keep` best trials so far.

    The rounds share the `trials`, the first ones taking what does not divide. A box is the smallest
    one around the best, in the scales' own coordinates, widened a little and never larger than
    the space (lecture, part 1).
    Raises: ValueError unless rounds ≥ 1, keep ≥ 1 and trials ≥ rounds.
    """
    rounds = _checks.integer("rounds", rounds, at_least=1)
    keep = _checks.integer("keep", keep, at_least=1)
    trials = _checks.integer("trials", trials, at_least=rounds)
    seed, seen = _seed(rng), set[str]()
    box, number = space, 0
    for left in range(rounds, 0, -1):
        end = number + -(-(trials - number) // left)
        while number < end and (chosen := unseen(box, seed, number, seen)):
            yield chosen
            number += 1
        if left > 1 and (best := (yield None)):
            box = space.around([trial.hyperparameters for trial in best[:keep]])
    if number < trials:
        return f"the box around the best holds nothing new after {number} trials"
    return None


def _seed(rng: Seed) -> int:
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**63))
    return _checks.integer("seed", rng, at_least=0)


def unseen(space: Space, seed: int, number: int, seen: set[str]) -> Chosen | None:
    """Uniform draw number `number` that was not `seen`; None if there is none left."""
    rng = np.random.default_rng([seed, number])
    for _ in range(100):
        chosen = space.from_unit(rng.random(len(space)).tolist())
        if repr(chosen) not in seen:
            seen.add(repr(chosen))
            return chosen
    # So many repeats in a row: the space is discrete, and small enough to be listed.
    every = space.combinations({name: scale.grid(100_000) for name, scale in space.items()})
    fresh = [chosen for chosen in every if repr(chosen) not in seen]
    if not fresh:
        return None
    chosen = fresh[rng.integers(len(fresh))]
    seen.add(repr(chosen))
    return chosen


def _at_most(space: Space, axes: Mapping[str, Sequence[object]], limit: int) -> bool:
    return len(list(islice(space.combinations(axes), limit + 1))) <= limit
