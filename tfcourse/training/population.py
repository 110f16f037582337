"""Many Keras models trained as one compiled program; one model is a population of one.

A training of this size is nearly all overhead in the usual loops. Here the models of a chunk take
their steps together, an epoch is one call, and the threads of one process, one per core, keep the
cores busy with a chunk each: that beats one wide program over all cores, whose steps are too short
to be shared out well, and equals several processes without their start-up.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, cast

import numpy.typing as npt

from tfcourse import _checks
from tfcourse.hyperparameters import Hyperparameters
from tfcourse.training import program
from tfcourse.training.chunk import Chunk, ChunkEpoch, History, Trained, train_chunk
from tfcourse.training.grouping import (
    TAKEN,
    Chosen,
    Group,
    by_epochs,
    by_units,
    cut,
    groups,
    power_of_two,
)
from tfcourse.training.pattern import Build, Pattern

__all__ = ["Chunk", "ChunkEpoch", "History", "Population", "Trained", "train_population"]

Array = npt.NDArray[Any]

WORKING_SET = 8 * 2**20  # bytes of a chunk's numbers: about what a core's caches make cheap
MOST_MODELS = 128


class Population:
    """Trains any number of models on one data set, and keeps the compiled programs.

    >>> data = tfc.datasets.load("digits").standardized()
    >>> arrays = data.x_train, data.y_train, data.x_validation, data.y_validation
    >>> population = tfc.Population(lambda trial: tfc.build((8, 8), 10), *arrays)
    >>> trials = [{"learning_rate": 0.01}, {"learning_rate": 1e-9}]
    >>> accuracy = {}
    >>> for finished in population.train(trials, epochs=2):  # in the order they finish
    ...     for trained in finished:
    ...         accuracy[trained.trial] = trained.history.validation_accuracy.max()
    >>> print(accuracy[0] > 0.5 > accuracy[1])
    True

    build: from a trial's hyperparameters to a plain Keras model, logits or softmax out.
    x_…, y_…: inputs, shape (m, …), and labels 0…C−1, shape (m,).

    A trial is a mapping of hyperparameters, the classifier's defaults for those it lacks. Training
    takes from it `optimizer`, `learning_rate`, `momentum`, `beta_1`, `beta_2`, `epsilon`, `decay`,
    `batch_size`, `epochs` and `dropout` (of the Dropout layers that have this rate); `build` takes
    what it likes. Trials that differ in these numbers or in `units` share a program.
    """

    def __init__(
        self,
        build: Build,
        x_train: Array,
        y_train: Array,
        x_validation: Array,
        y_validation: Array,
        *,
        chunk_size: int | None = None,
        threads: int | None = None,
        dtype: str = "float32",
    ) -> None:
        """Take the data.

        chunk_size, threads: by the models' size and the cores, if not given. dtype: "float64" for
        comparisons that rounding must not blur.

        Raises: ValueError or TypeError if arrays do not fit each other, or a number is no such.
        """
        for name, x, y in (
            ("train", x_train, y_train),
            ("validation", x_validation, y_validation),
        ):
            if y.shape != x.shape[:1] or not len(y) or y.dtype.kind not in "iu" or y.min() < 0:
                raise ValueError(
                    f"y_{name} must hold a label 0, 1, … for each of the {len(x)} examples, "
                    f"got {y.dtype} of shape {y.shape}"
                )
        if x_validation.shape[1:] != x_train.shape[1:]:
            shapes = x_train.shape[1:], x_validation.shape[1:]
            raise ValueError(f"x_train and x_validation must be alike, got {shapes}")
        self._build = build
        self._x, self._classes = x_train, int(max(y_train.max(), y_validation.max())) + 1
        self._dtype = _checks.choice("dtype", dtype, ("float32", "float64"))
        self._chunk_size = chunk_size and _checks.integer("chunk_size", chunk_size, at_least=1)
        self.threads = _checks.integer("threads", threads or _cores(), at_least=1)
        self._data = program.data(x_train, y_train, x_validation, y_validation, dtype)
        self._patterns: dict[Any, Pattern | None] = {}

    def chunks(
        self, trials: Sequence[Chosen], *, epochs: int = Hyperparameters.epochs
    ) -> list[Chunk]:
        """Cut trials into chunks; the same trials give the same chunks.

        epochs: of trials that do not say. Raises: ValueError or TypeError for hyperparameters out
        of range and for models that do not fit the data, and what `build` raises.
        """
        _checks.integer("epochs", epochs, at_least=1)
        for trial in trials:
            Hyperparameters.from_mapping({k: v for k, v in trial.items() if k in TAKEN})
        found = []
        for members, pattern in self._patterned(trials):
            size = self._chunk_size or self._size(pattern)
            for number, part in by_epochs(trials, members, epochs).items():
                pieces = cut(part, size, self.threads)
                width = min(size, power_of_two(max(map(len, pieces))))
                found += [Chunk(piece, number, width, pattern) for piece in pieces]
        return found

    def _patterned(self, trials: Sequence[Chosen]) -> Iterator[tuple[tuple[int, ...], Pattern]]:
        for group in groups(trials):
            pattern = self._pattern(group)
            if pattern:
                yield group.members, pattern
            else:
                _note("models of different units cannot be padded, and are trained apart")
                for part in by_units(trials, group):
                    yield part.members, cast(Pattern, self._pattern(part))

    def _pattern(self, group: Group) -> Pattern | None:
        """Return the group's pattern, made when first asked for; none if it cannot be padded."""
        if group.key not in self._patterns:
            pattern = Pattern(self._build, group.pattern, self._x, self._classes, self._dtype)
            fits = not group.padded or pattern.pad(self._x)
            self._patterns[group.key] = pattern if fits else None
        return self._patterns[group.key]

    def _size(self, pattern: Pattern) -> int:
        fitting = WORKING_SET // pattern.bytes_per_model()
        return power_of_two(max(1, min(MOST_MODELS, fitting)) + 1) // 2

    def train(
        self,
        trials: Sequence[Chosen],
        *,
        seeds: Sequence[int] | None = None,
        epochs: int = Hyperparameters.epochs,
        chunks: Sequence[Chunk] | None = None,
        on_epoch: Callable[[ChunkEpoch], None] = lambda epoch: None,
    ) -> Iterator[list[Trained]]:
        """Train the models of `trials`, and yield those of each chunk as soon as it is finished.

        seeds: of each trial, its index if not given; decides first weights, order of mini-batches
        and dropout. chunks: those to train, all if not given. on_epoch: called in this thread.

        A model's results do not depend on its company beyond rounding, and are the same, bit for
        bit, in the same chunks. One whose loss is not finite stands still from there on.
        """
        own = range(len(trials)) if seeds is None else seeds
        if chunks is None:
            chunks = self.chunks(trials, epochs=epochs)
        waiting, running = iter(chunks), 0
        happened: SimpleQueue[Any] = SimpleQueue()
        stop = threading.Event()

        def work(chunk: Chunk) -> None:
            try:
                happened.put(train_chunk(chunk, trials, own, self._data, happened.put, stop))
            except BaseException as error:
                happened.put(error)

        with ThreadPoolExecutor(self.threads, "tfcourse") as pool:
            try:
                while True:
                    # One more than threads, lest these wait while the results are looked at.
                    while running <= self.threads and (chunk := next(waiting, None)):
                        pool.submit(work, chunk)
                        running += 1
                    if not running:
                        return
                    news = happened.get()
                    if isinstance(news, ChunkEpoch):
                        on_epoch(news)
                    elif isinstance(news, str):
                        if news:
                            _note(news)
                    else:
                        running -= 1
                        if isinstance(news, BaseException):
                            raise news
                        yield news
            finally:
                stop.set()  # whatever ended this: an error, Ctrl-C, or nobody asking for more


def train_population(
    build: Build,
    trials: Sequence[Chosen],
    x_train: Array,
    y_train: Array,
    x_validation: Array,
    y_validation: Array,
    *,
    seeds: Sequence[int] | None = None,
    epochs: int = Hyperparameters.epochs,
    on_epoch: Callable[[ChunkEpoch], None] = lambda epoch: None,
    **how: Any,
) -> list[Trained]:
    """Train the models of `trials` and return them all: see `Population`, which takes `how`.

    >>> data = tfc.datasets.load("digits").standardized()
    >>> arrays = data.x_train, data.y_train, data.x_validation, data.y_validation
    >>> trials = [{"learning_rate": 0.01, "units": 20}, {"learning_rate": 0.02, "units": 30}]
    >>> def build(trial):
    ...     return tfc.build((8, 8), 10, tfc.Hyperparameters(units=trial["units"]))
    >>> first, second = tfc.train_population(build, trials, *arrays, epochs=2)
    >>> [layer.units for layer in second.model().layers if hasattr(layer, "units")]
    [30, 30, 10]
    """
    population = Population(build, x_train, y_train, x_validation, y_validation, **how)
    finished = population.train(trials, seeds=seeds, epochs=epochs, on_epoch=on_epoch)
    return sorted((one for chunk in finished for one in chunk), key=lambda one: one.trial)


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _note(text: str) -> None:
    warnings.warn(text, stacklevel=3)
