"""One way to train any number of Keras models: trials in, `Trained` out.

Trainings of this size are nearly all overhead in the usual loops. Here the models of a chunk take
their steps together, an epoch is one call, and the threads of one process, one per core, keep the
cores busy with a chunk each: that beats one wide program over all cores, whose steps are too short
to be shared out well, and equals several processes without their start-up.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from tfcourse import _checks
from tfcourse._tensorflow import keras
from tfcourse.hyperparameters import ENGINES, Hyperparameters
from tfcourse.training.blueprint import rules
from tfcourse.training.compiled import Chunk, Member, Pattern, Run, one_at_a_time, train_chunk
from tfcourse.training.data import Data
from tfcourse.training.fitting import fit
from tfcourse.training.identity import surroundings
from tfcourse.training.models import Build, Builder, settings
from tfcourse.training.objective import Objective
from tfcourse.training.padding import Layout, Sizes, wider
from tfcourse.training.program import UnmappedError
from tfcourse.training.trained import Chosen, Epoch, Trained, failed, memory_of, standing

WORKING_SET = 8 * 2**20  # bytes of a chunk's numbers: about what a core's caches make cheap
MOST_MODELS = 128
WINDOW = 256  # trials that are cut into chunks together: bounds what is held of them
MOST_PADDING = 2  # a program is at most so many times wider than a model in it
ALIKE = 4  # first trials of a window that must be alike for a program to be compiled ahead
BUILDS_KEPT = 4


def train(
    build: Build,
    trials: Sequence[Chosen],
    data: Data,
    *,
    seeds: Sequence[int] | None = None,
    epochs: int = Hyperparameters.epochs,
    engine: str = ENGINES[0],
    objective: Objective | None = None,
    patience: int | None = None,
    start: Sequence[Trained] | None = None,
    wanted: Collection[int] | None = None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    threads: int | None = None,
) -> Iterator[list[Trained]]:
    """Train a model for each of `trials`, and yield what each chunk came to when it is finished.

    >>> import keras
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(200, 2)).astype("float32")
    >>> data = Data(x[:100], x[:100].sum(axis=1), x[100:], x[100:].sum(axis=1))
    >>> def build(trial):
    ...     model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    ...     model.compile(keras.optimizers.SGD(trial["rate"]), "mse")
    ...     return model
    >>> trials = [{"rate": 0.1}, {"rate": 1e-9}]
    >>> finished = [one for chunk in train(build, trials, data, epochs=20) for one in chunk]
    >>> losses = {one.trial: one.history["val_loss"][-1] for one in finished}
    >>> print(losses[0] < 1e-3 < losses[1])
    True

    build: from a trial's hyperparameters to a Keras model. A compiled one is trained on its own
    loss, by its own optimizer. Any other must be a classifier: it is trained on cross-entropy, and
    its trial's `optimizer`, `learning_rate`, `momentum`, `beta_1`, `beta_2`, `epsilon` and `decay`
    say how, the defaults of `Hyperparameters` where they are missing. `batch_size` and `epochs` of
    a trial count in either case. seeds: of each trial, its index if not given; decides first
    weights, order of mini-batches, and what random layers draw. engine: "compiled" trains models
    that may share a program together; "keras" with `model.fit`, one by one, to the same results up
    to rounding. objective: which epoch is best, validation accuracy if not given, or else the loss.
    patience: how many epochs without a better one end a trial. start: what each trial goes on from.
    wanted: indices of trials whose results are wanted; the others train only where they share a
    chunk with one of these. on_epoch: called in this thread.

    Mini-batches are of one size: what is left over sits out an epoch, each time other examples.
    A model's results do not depend on its company beyond rounding, and are the same, bit for bit,
    in the same chunks. One whose loss is not finite stands still from there on. A trial whose model
    cannot be built or trained has its `error` set.

    Raises: ValueError or TypeError for arguments that do not fit.
    """
    plan = _Plan(
        _builder(build, data),
        trials,
        range(len(trials)) if seeds is None else seeds,
        _checks.integer("epochs", epochs, at_least=1),
        _checks.choice("engine", engine, ENGINES),
        start,
        _checks.integer("threads", threads or cores(), at_least=1),
    )
    if patience is not None:
        _checks.integer("patience", patience, at_least=1)
    happened: SimpleQueue[Any] = SimpleQueue()
    run = Run(data, objective, patience, happened.put, threading.Event())
    return _run(plan, run, happened, wanted, on_epoch)


def chunks(
    build: Build,
    trials: Sequence[Chosen],
    data: Data,
    *,
    seeds: Sequence[int] | None = None,
    epochs: int = Hyperparameters.epochs,
    engine: str = ENGINES[0],
    threads: int | None = None,
) -> list[tuple[int, ...]]:
    """Return which trials `train` trains together; those that cannot be built are in none."""
    own = range(len(trials)) if seeds is None else seeds
    plan = _Plan(_builder(build, data), trials, own, epochs, engine, None, threads or cores())
    found = [item for window in plan.windows() for item in window if isinstance(item, Chunk)]
    return [tuple(m.trial for m in item.members) for item in found if not item.ahead]


def load(build: Build, trial: Chosen, data: Data, path: Path, epochs: int) -> Trained:
    """Return a saved model, its optimizer's memory included, as a record to go on from.

    path: a .keras file of the model that `build` returns for the trial, trained for so many epochs.
    """
    model = Builder(build, data).model(trial, 0)
    model.load_weights(path)
    return standing(model, memory_of(model), epochs)


def _builder(build: Build, data: Data) -> Builder:
    """The builder for these two, and the programs with it: the same one each time."""
    for builder in data.programs:
        if builder.build is build and builder.surroundings == surroundings(build):
            return builder  # type: ignore[no-any-return]
    data.programs.append(Builder(build, data))
    del data.programs[:-BUILDS_KEPT]
    return data.programs[-1]  # type: ignore[no-any-return]


@dataclass(frozen=True)
class _Plan:
    """How trials are cut into chunks: the same trials, the same chunks."""

    builder: Builder
    trials: Sequence[Chosen]
    seeds: Sequence[int]
    epochs: int
    engine: str
    start: Sequence[Trained] | None
    threads: int

    def windows(self) -> Iterator[list[Chunk | Trained]]:
        """Yield chunks, and records of trials that cannot be built, of a window of trials each.

        As long as trials are like the first ones, their chunks need not wait for the others.
        """
        for first in range(0, len(self.trials), WINDOW):
            indices = range(first, min(first + WINDOW, len(self.trials)))
            groups: dict[Any, list[Member]] = {}
            unbuilt = list(self._grouped(indices[:ALIKE], groups))
            coming, foreseen = indices[ALIKE:], self._foreseen(groups, len(indices))
            yield list(_ahead(foreseen))
            for chunk in foreseen:
                (members,) = groups.values()
                more = max(0, len(chunk.members) - len(members))
                unbuilt += self._grouped(coming[:more], groups)
                coming = coming[more:]
                if unbuilt or not _alike(groups):
                    break
                yield [replace(chunk, members=tuple(members[: len(chunk.members)]))]
                del members[: len(chunk.members)]
            unbuilt += self._grouped(coming, groups)
            own = [(key, part) for key, some in groups.items() for part in _similar(some)]
            parts = [[*self._chunks(key, part)] for key, part in own]
            # By turns, so that threads compile different programs.
            yield [*unbuilt, *filter(None, itertools.chain(*itertools.zip_longest(*parts)))]

    def _foreseen(self, groups: dict[Any, list[Member]], count: int) -> list[Chunk]:
        """The chunks that `count` trials will be cut into if all are like these few."""
        if count <= ALIKE or not _alike(groups):
            return []
        ((key, members),) = groups.items()
        return list(self._chunks(key, (members * count)[:count]))

    def _grouped(
        self, indices: Sequence[int], groups: dict[Any, list[Member]]
    ) -> Iterator[Trained]:
        """Put trials to those that may share their program; yield those that cannot be built."""
        for index in indices:
            trial, seed = self.trials[index], self.seeds[index]
            try:
                told = settings(trial)
                found = self.builder.blueprint(trial, seed)
            except Exception as error:  # the user's own: one trial's trouble is not the others'
                yield failed(index, trial, seed, error)
                continue
            make = partial(self.builder.model, trial, seed)
            start = self.start[index] if self.start else None
            member = Member(index, trial, seed, found, make, start)
            own = found.optimizer.key if found.optimizer else None
            how = trial.get("epochs", self.epochs), told.batch_size, member.first
            groups.setdefault((found.key, own, how), []).append(member)

    def _chunks(self, key: Any, members: Sequence[Member]) -> Iterator[Chunk]:
        epochs, batch_size, _ = key[2]
        pattern: Pattern | str | None = ""  # or what keeps one from being made
        if self.engine != "keras":
            pattern = members[0].blueprint.why_not or self._pattern(key, members, batch_size)
        if pattern is None:  # of different sizes that cannot be padded
            parts: dict[Any, list[Member]] = {}
            for member in members:
                parts.setdefault(member.blueprint.shapes, []).append(member)
            for part in parts.values():
                yield from self._chunks(key, part)
            return
        if isinstance(pattern, str):
            notes = (f"{pattern}: trained with model.fit",) if pattern else ()
            for member in members:
                yield Chunk((member,), epochs, batch_size, 1, None, notes)
            return
        size = min(MOST_MODELS, max(1, WORKING_SET // pattern.bytes_per_model))
        size = min(pattern.most, _power_of_two(size + 1) // 2)
        pieces = _cut(members, size, self.threads)
        width = min(size, _power_of_two(max(map(len, pieces))))
        for piece in pieces:
            yield Chunk(piece, epochs, batch_size, width, pattern)

    def _pattern(
        self, key: Any, members: Sequence[Member], batch_size: int
    ) -> Pattern | str | None:
        """The members' pattern; what keeps it from being made; none if they cannot be padded."""
        all_sizes = {member.blueprint.sizes for member in members}
        widest = tuple(max(column) for column in zip(*all_sizes, strict=True))
        padded = len(all_sizes) > 1
        if padded and members[0].blueprint.moves_padding:
            return None
        shapes = {member.blueprint.shapes for member in members}
        if not padded and len(shapes) > 1:  # of a layer that has sizes of its own
            return None
        name = key[0], key[1], batch_size, widest, None if padded else shapes.pop()
        known = self.builder.patterns
        if name not in known:
            try:
                with one_at_a_time:
                    known[name] = self._make(members, widest, padded, batch_size)
            except UnmappedError as error:
                known[name] = str(error)
            except Exception as error:  # as the models themselves raise, which model.fit will show
                known[name] = type(error).__name__
        found = known[name]
        if isinstance(found, Pattern) and not all(map(found.layout.fits, all_sizes)):
            return None
        return found

    def _make(
        self, members: Sequence[Member], widest: Sizes, padded: bool, batch_size: int
    ) -> Pattern | None:
        """Make a pattern; none if it cannot be as wide as the widest."""
        like = next((m for m in members if m.blueprint.sizes == widest), members[0])
        model = like.make()
        if like.blueprint.sizes != widest:
            narrow, model = model, wider(model, widest)
            if model is None or rules(model) != rules(narrow):
                return None
        layout = Layout(model, widest, padded=padded)
        narrowest = min(members, key=lambda m: (sum(m.blueprint.sizes), m.trial))
        sizes = narrowest.blueprint.sizes
        if padded and not (layout.fits(sizes) and self._agrees(model, layout, narrowest)):
            return None
        return Pattern(model, like.optimizer, layout, self.builder.data, batch_size)

    def _agrees(self, model: keras.Model, layout: Layout, narrow: Member) -> bool:
        """Whether `model`, with a narrow model's weights in their places, computes the same."""
        x = self.builder.data.example[0]
        own = narrow.make()
        rng = np.random.default_rng(0)
        weights = [w + rng.uniform(0, 0.1, w.shape).astype(w.dtype) for w in own.get_weights()]
        own.set_weights(weights)
        before = model.get_weights()
        model.set_weights(layout.widened(weights, narrow.blueprint.sizes))
        same = np.allclose(own(x), model(x), rtol=1e-4, atol=1e-5)
        model.set_weights(before)
        return bool(same)


def _run(
    plan: _Plan,
    run: Run,
    happened: SimpleQueue[Any],
    wanted: Collection[int] | None,
    on_epoch: Callable[[Epoch], None],
) -> Iterator[list[Trained]]:
    """Have chunks trained by threads, which put what happens in `happened`."""
    one_fit = threading.Lock()

    def by_fit(member: Member, chunk: Chunk, notes: tuple[str, ...]) -> Trained | None:
        try:
            with one_fit:
                if run.stop.is_set():
                    return None
                return fit(member, chunk, run, notes)
        except Exception as error:  # the model's own: one trial's trouble is not the others'
            return failed(member.trial, member.hyperparameters, member.seed, error)

    def compile_ahead(chunk: Chunk) -> None:
        quiet = replace(run, tell=lambda epoch: None)
        with suppress(Exception):  # a chunk with results will meet it again
            train_chunk(chunk, quiet)
        happened.put([])

    def work(chunk: Chunk) -> None:
        try:
            notes = chunk.notes
            if chunk.pattern is not None:
                try:
                    happened.put(train_chunk(chunk, run))
                    return
                except UnmappedError as error:
                    notes = (*notes, f"{error}: trained with model.fit")
            found = [by_fit(member, chunk, notes) for member in chunk.members]
            happened.put([one for one in found if one is not None])
        except BaseException as error:
            happened.put(error)

    def is_wanted(item: Chunk | Trained) -> bool:
        own = [m.trial for m in item.members] if isinstance(item, Chunk) else [item.trial]
        return wanted is None or bool(set(own) & set(wanted))

    settings = _set_as_here()
    with (
        plan.builder.at_work(),
        ThreadPoolExecutor(1, "tfcourse-plan", settings) as planner,
        ThreadPoolExecutor(plan.threads, "tfcourse", settings) as pool,
    ):
        try:
            windows = plan.windows()
            coming: Any = planner.submit(next, windows, None)
            waiting: list[Chunk | Trained] = []
            running = 0
            while True:
                if not waiting and coming is not None and (coming.done() or not running):
                    found = coming.result()
                    coming = None if found is None else planner.submit(next, windows, None)
                    waiting = list(filter(is_wanted, found or []))
                    continue
                # One more than threads, lest these wait while the results are looked at.
                if waiting and running <= plan.threads:
                    item = waiting.pop(0)
                    if isinstance(item, Trained):
                        yield [item]
                    else:
                        pool.submit(compile_ahead if item.ahead else work, item)
                        running += 1
                    continue
                if not running:
                    return
                news = happened.get()
                if isinstance(news, Epoch):
                    on_epoch(news)
                elif isinstance(news, BaseException):
                    raise news
                else:
                    running -= 1
                    if news:
                        yield news
        finally:
            run.stop.set()  # whatever ended this: an error, Ctrl-C, or nobody asking for more


def _set_as_here() -> Callable[[], None]:
    """Return what gives another thread the settings that Keras keeps for each thread."""
    policy, unsafe = keras.config.dtype_policy(), False
    with keras.saving.custom_object_scope({}) as scope:
        objects = scope.backup
    try:
        keras.saving.deserialize_keras_object({"class_name": "__lambda__", "config": {}})
    except Exception as error:
        unsafe = not isinstance(error, ValueError)  # which Keras raises unless it is allowed

    def set_there() -> None:
        keras.config.set_dtype_policy(policy)
        keras.saving.custom_object_scope(objects).__enter__()
        if unsafe:
            keras.config.enable_unsafe_deserialization()

    return set_there


def _alike(groups: dict[Any, list[Member]]) -> bool:
    """Whether all members are of one shape, and may share a program."""
    some = [member for group in groups.values() for member in group]
    return len(groups) == 1 and len({(m.blueprint.sizes, m.blueprint.shapes) for m in some}) == 1


def _ahead(foreseen: Sequence[Chunk]) -> Iterator[Chunk]:
    """What has the program of these chunks compiled, while other models are being built."""
    for chunk in foreseen[:1]:
        if chunk.pattern is not None and not chunk.pattern.traced(chunk.width):
            yield replace(chunk, members=chunk.members[:1], epochs=1, ahead=True)


def _similar(members: Sequence[Member]) -> Iterator[list[Member]]:
    """Cut members where the widest is more than `MOST_PADDING` times a narrower one."""
    rest = sorted(members, key=lambda m: (-sum(m.blueprint.sizes), m.trial))
    while rest:
        limit = sum(rest[0].blueprint.sizes) / MOST_PADDING
        near = [m for m in rest if sum(m.blueprint.sizes) >= limit]
        yield sorted(near, key=lambda m: m.trial)
        rest = rest[len(near) :]


def _cut(members: Sequence[Member], size: int, threads: int) -> list[tuple[Member, ...]]:
    """Cut members into chunks of at most `size`, as equal as can be, for all threads alike."""
    count = -(-len(members) // size)
    count = min(len(members), -(-count // threads) * threads)
    edges = [len(members) * k // count for k in range(count + 1)]
    return [tuple(members[a:b]) for a, b in itertools.pairwise(edges)]


def _power_of_two(least: int) -> int:
    """Return the smallest power of two that is at least `least`."""
    return 1 << (least - 1).bit_length()


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
