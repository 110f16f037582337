"""Whatever draws while a model is built draws as its trial's seed decides.

Python's and NumPy's generators are seeded for every build: Keras's initializers and layers take
their seeds from Python's. TensorFlow's own stream is not, nor the one that `keras.random` falls
back on: to be seeded, TensorFlow drops every kernel it has made, and then a build takes twice as
long. Hardly any build asks them for a number; one that does is noticed, and run again seeded.

A build that draws anything itself is noticed, too: under another seed its model is another.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import numpy as np

from tfcourse._tensorflow import keras, tf

T = TypeVar("T")
Asked = tuple[int, float]

OF_KERAS = 10**9  # Keras draws a seed among so many for what is given none
KNOWN = 16  # numbers of the streams that are looked up before these start anew

_next: dict[Asked, Asked] = {}  # what the streams give, by what they gave before


class Seeds:
    """Runs builds under seeds.

    State: whether one asked TensorFlow or Keras for a number. drew: whether one drew anything by
    itself, beside the seeds that Keras's own objects take.
    """

    def __init__(self) -> None:
        self._asks = False
        self.drew = False

    def run(self, build: Callable[[], T], seed: int) -> T:
        """Return what `build` returns; it is called twice if it turns out to ask those streams."""
        with _put_back():
            if not self._asks:
                expected = _expected()
                random.seed(seed % 2**32)
                np.random.seed(seed % 2**32)
                before: Any = np.random.get_state()
                with _randbelow_watched() as asked:
                    built = build()
                after: Any = np.random.get_state()
                self.drew |= after[2] != before[2] or not np.array_equal(after[1], before[1])
                alone = random.Random(seed % 2**32)
                for n in asked:
                    alone.randrange(n)
                # Keras's objects take their seeds so, and nothing else.
                self.drew |= not set(asked) <= {OF_KERAS} or alone.getstate() != random.getstate()
                if _ask() == expected:
                    return built
                self._asks = self.drew = True
            keras.utils.set_random_seed(seed % 2**32)
            return build()


@contextmanager
def _randbelow_watched() -> Iterator[list[int]]:
    """Notes what Python's generator is asked for by way of its whole numbers."""
    generator: Any = random.seed.__self__  # type: ignore[attr-defined]
    outer, asked = vars(generator).get("_randbelow"), list[int]()

    def below(n: int) -> int:
        asked.append(n)
        return int(random.Random._randbelow(generator, n))  # type: ignore[attr-defined]

    generator._randbelow = below
    try:
        yield asked
    finally:
        del generator._randbelow
        if outer:  # of a build that this one is part of
            generator._randbelow = outer


@contextmanager
def given_back() -> Iterator[None]:
    """Let TensorFlow's and Keras's streams go on from where they were, once there were builds."""
    seed = int(tf.random.uniform((), maxval=2**31 - 1, dtype=tf.int32))
    try:
        yield
    finally:
        with _put_back():
            keras.utils.set_random_seed(seed)


@contextmanager
def seeded(*numbers: int) -> Iterator[None]:
    """Let every stream draw as these numbers decide; Python's and NumPy's are put back."""
    with _put_back():
        keras.utils.set_random_seed(int(np.random.SeedSequence(numbers).generate_state(1)[0]))
        yield


def _expected() -> Asked:
    """What the streams give next, if nothing else asks them."""
    if (asked := _ask()) not in _next:
        if not _next:
            keras.utils.set_random_seed(0)
            _next.update(itertools.pairwise([_ask() for _ in range(KNOWN)]))
        keras.utils.set_random_seed(0)
        asked = _ask()
    return _next[asked]


def _ask() -> Asked:
    return tf.compat.v1.get_seed(None)[1], _of_keras() if keras_starts_anew() else 0.0


@cache
def keras_starts_anew() -> bool:
    """Whether Keras's stream starts anew when it is seeded; in its first versions it goes on."""
    keras.utils.set_random_seed(0)
    first = _of_keras()
    keras.utils.set_random_seed(0)
    return first == _of_keras()


def _of_keras() -> float:
    return float(keras.random.uniform(()))


@contextmanager
def _put_back() -> Iterator[None]:
    """Leave Python's and NumPy's generators as they were."""
    before = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
