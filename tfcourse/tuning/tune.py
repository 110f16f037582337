"""Tune: with the compute, train many models, and keep the one whose curve is best.

The lecture calls that caviar: as many as a fish lays eggs. (Part 1.)
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from tfcourse import _checks, datasets
from tfcourse._checks import InputError, InputTypeError
from tfcourse.hyperparameters import ENGINES, FINALIST_SEEDS, FINALISTS, Hyperparameters
from tfcourse.training.objective import Objective
from tfcourse.tuning import progress as bars
from tfcourse.tuning import samplers
from tfcourse.tuning.journal import made_with
from tfcourse.tuning.models import Build, Own, Packaged, given_build
from tfcourse.tuning.rounds import HALVING, RUNGS, Progress, run
from tfcourse.tuning.search import Search, coarse_to_fine, grid, largest_grid, quasi_random, random
from tfcourse.tuning.space import Space
from tfcourse.tuning.study import Study
from tfcourse.tuning.trainers import Trainer

SEARCHES = ("random", "quasi-random", "grid", "coarse-to-fine", "tpe")
BATCH = 16  # trials that a sampler is asked for at once: a chunk of them for each of two cores

# What users of KerasTuner, Optuna and `model.fit` write, and what to write here.
INSTEAD = {
    "max_trials": "trials=…",
    "n_trials": "trials=…",
    "executions_per_trial": "repeats=…",
    "directory": 'study="FOLDER"',
    "project_name": 'study="FOLDER"',
    "storage": 'study="FOLDER", and study.to_optuna(…) afterwards',
    "overwrite": "study=, another folder, to begin anew",
    "callbacks": "patience=… to stop trials early, on_progress=… to watch",
    "hypermodel": "build=…",
    "tuner": "search=…",
    "sampler": "search=…",
    "hyperparameters": "space=…",
    "max_epochs": "epochs=…, halving=True",
    "factor": "halving=True",
    "max_consecutive_failed_trials": "nothing: trials that fail are kept, and the others go on",
    "x": "data=(x, y)",
    "y": "data=(x, y)",
    "sample_weight": "data=(x, y, sample_weight)",
    "direction": 'objective="NAME:max" or "NAME:min"',
    "metrics": "model.compile(…, metrics=…) in build",
    "loss": "model.compile(loss=…) in build",
    "optimizer": "model.compile(optimizer=…) in build",
    "verbose": "progress=True or False",
    "n_jobs": "nothing: every core is used",
}

P = ParamSpec("P")
T = TypeVar("T")


def _says_instead(function: Callable[P, T]) -> Callable[P, T]:
    """Refuse keywords that `function` has not, with what to say instead."""

    @wraps(function)
    def called(*args: P.args, **named: P.kwargs) -> T:
        if len(args) > 2:
            raise InputTypeError(
                f"tune takes build and data, got {len(args)} values: say tune(build, (x, y)), and "
                "the rest by name"
            )
        known = set(function.__annotations__) - {"return"}
        for name in named:
            if name in INSTEAD:
                raise InputTypeError(f"tune has no {name}; say {INSTEAD[name]}")
            if name not in known:
                raise InputTypeError(f"tune has no {name}{_checks.nearest(name, known)}")
        return function(*args, **named)

    return called


@_says_instead
def tune(
    build: Build | str | Any | None = None,
    data: Any = "digits",
    *,
    space: Space | None = None,
    trials: int = 30,
    epochs: int = Hyperparameters.epochs,
    objective: str | Objective | None = None,
    seed: int = 0,
    study: Path | str | None = None,
    engine: str = ENGINES[0],
    search: str | Any = "random",
    rounds: int = 3,
    keep: int = 5,
    halving: bool = False,
    repeats: int = 1,
    finalists: int = FINALISTS,
    finalist_seeds: int = FINALIST_SEEDS,
    patience: int | None = None,
    refit: bool = True,
    batch_size: int = Hyperparameters.batch_size,
    validation_data: Any = None,
    validation_split: float | None = None,
    target: str | None = None,
    image_size: tuple[int, int] | None = None,
    cluster: str | None = None,
    progress: bool | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Study:
    """Train many models, keep the best, and return the study.

    build: a function from `hp` to a Keras model, an object with such a `build`, or its
    "package.module:name"; the packaged classifier without one. `hp` declares hyperparameters as
    KerasTuner's does (`hp.Int("units", 16, 512)`), and is a dict of those in the `space`. A
    compiled model is trained as it is compiled; any other must be a classifier, which a trial's
    `optimizer`, `learning_rate` and so on train on cross-entropy. `batch_size` and `epochs` may be
    hyperparameters of either.
    data, validation_data, validation_split, target, image_size: as `datasets.take` takes them.
    space: hyperparameters and their scales, beside or in place of what `build` declares.
    trials: models to train, at most. epochs, batch_size: of each.
    objective: what a trial's best epoch, and the best trial, are chosen by: "val_loss", "val_mae",
    or "NAME:max" for a metric whose direction Keras does not tell. Validation accuracy if it is
    measured, otherwise validation loss.
    seed: decides everything that is drawn. study: the folder to keep the study in, where a later
    call goes on; without one it lasts as long as the result.
    engine: "compiled" trains many models at once, "keras" one by one with `model.fit`.
    search: "random", "quasi-random" (more evenly spread), "grid" (the largest that the trials pay
    for), "coarse-to-fine", in so many `rounds` around the `keep` best, "tpe", or any other sampler
    of Optuna's, which is asked for 16 trials at a time.
    halving: only the best third of the trials gets beyond a ninth of the epochs, and of these
    beyond a third. patience: epochs without a better one that end a trial.
    repeats: seeds that each trial is trained under; their mean counts. finalists: so many of the
    best trials are trained under `finalist_seeds` more at the end, and their means decide which is
    best; 0 for none.
    refit: the best is trained again at the end on training and validation examples together, for as
    many epochs as its best one, for nothing is left to choose with the latter.
    cluster: where, "local" or HOST:PORT of a Ray cluster's head; in this process without one.
    progress: whether to show how far it is; where a terminal or a notebook is watched, if not said.
    on_progress: called with it.

    Raises: ValueError, TypeError or OSError for wrong input, before anything is trained or written.

    >>> space = tfc.Space(learning_rate=tfc.Log(1e-3, 0.1), units=tfc.Integer(50, 100))
    >>> study = tfc.tune(data="digits", space=space, trials=4, epochs=2)
    >>> study.best.test_accuracy > 0.5, sorted(study.best.hyperparameters)
    (True, ['learning_rate', 'units'])
    """
    if "keras" in sys.modules:  # on another backend, this says so before anything is done
        import tfcourse._tensorflow  # noqa: F401
    positive = {"trials": trials, "rounds": rounds, "keep": keep, "epochs": epochs}
    positive |= {"batch_size": batch_size, "repeats": repeats}
    if patience is not None:
        positive["patience"] = patience
    for name, value in positive.items():
        _checks.integer(name, value, at_least=1)
    others = {"finalists": finalists, "finalist_seeds": finalist_seeds, "seed": seed}
    for name, value in others.items():
        _checks.integer(name, value, at_least=0)
    _checks.choice("engine", engine, ENGINES)
    if search == "tpe" or not isinstance(search, str):
        search = samplers.sampler(search, seed)
    else:
        _checks.choice("search", search, SEARCHES)
    if space is not None and not isinstance(space, Space):
        raise InputTypeError(f"space must be a tfc.Space(…), got {type(space).__name__}")
    if cluster is not None:
        _check_cluster(cluster, engine)
    function, name = (None, "classifier") if build is None else given_build(build)
    examples = datasets.take(
        data,
        validation_data=validation_data,
        validation_split=validation_split,
        target=target,
        image_size=image_size,
        seed=seed,
    )
    model = Packaged(examples) if function is None else Own(function, name, examples)
    space, goal, described = model.prepared(space, objective)
    if search == "coarse-to-fine" and trials < rounds:
        raise InputError(f"trials must be at least one for each of {rounds} rounds, got {trials}")
    fewest = min(space["epochs"].grid(100)) if "epochs" in space else epochs
    if halving and fewest < HALVING ** RUNGS[0]:
        raise InputError(f"halving must have at least 9 epochs to halve, got {fewest}")
    proposals, told, count = _search(space, search, goal, trials, rounds, keep, seed)

    head = {
        "search": told,
        "epochs": epochs,
        "halving": halving,
        "refit": refit,
        "seed": seed,
        "repeats": repeats,
        "patience": patience,
        "batch_size": batch_size,
        "model": described,
        "data": examples.fingerprint,
        "validation_examples": examples.count("validation"),
        "notes": list(examples.notes),
        "made_with": made_with(data=examples.name, engine=engine, build=name),
    }
    opened = Study(space, study, objective=goal, **head)
    how: Any = {"batch_size": batch_size, "patience": patience}

    def here() -> Trainer:
        return Trainer(model, goal, engine=engine, **how)

    with opened, ExitStack() as at_the_end, bars.shown(count, progress) as show:

        def trainer() -> Trainer:
            if cluster is None:
                return here()
            from tfcourse.tuning.cluster import ClusterTrainer

            joined = ClusterTrainer(model, goal, address=cluster, **how)
            at_the_end.callback(joined.leave)
            return joined

        def tell(now: Progress) -> None:
            if on_progress is not None:
                on_progress(now)
            show(now)

        opened.ended = run(
            opened,
            proposals,
            trainer,
            seed=seed,
            epochs=epochs,
            halving=halving,
            repeats=repeats,
            finalists=finalists,
            finalist_seeds=finalist_seeds,
            refit=refit,
            on_progress=tell,
        )
    opened.trainer = here
    return opened


def _search(
    space: Space, search: Any, goal: Objective, trials: int, rounds: int, keep: int, seed: int
) -> tuple[Search, str, int]:
    """Return the search, what must stay the same for it to go on, and how many trials it makes."""
    if search == "grid":
        points = largest_grid(space, trials)
        told = "grid of " + " × ".join(f"{n} {name}" for name, n in points.items())
        return grid(space, points), told, sum(1 for _ in grid(space, points))
    if search == "coarse-to-fine":
        told = f"{search}, {trials} trials, {rounds} rounds around the best {keep}"
        return coarse_to_fine(space, rounds, trials, keep, seed), told, trials
    if not isinstance(search, str):
        found = samplers.sampled(space, trials, search, goal.direction, seed, BATCH)
        return found, f"{type(search).__name__}, {BATCH} at a time", trials
    draw = random if search == "random" else quasi_random
    return draw(space, trials, seed), search, trials


def _check_cluster(address: str, engine: str) -> None:
    if address not in ("local", "auto") and not re.fullmatch(r"[\w.-]+:\d{1,5}", address):
        raise InputError(f"cluster must be local, auto or HOST:PORT, got {address!r}")
    if engine != "compiled":
        raise InputError(f"engine must be compiled to train on a cluster, got {engine!r}")
