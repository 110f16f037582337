"""Caviar: with the compute, train many models, and keep the one whose curve is best.

(Lecture, part 1.)
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfcourse import _checks, datasets
from tfcourse._checks import InputError
from tfcourse.datasets import Dataset
from tfcourse.hyperparameters import ENGINES, Hyperparameters
from tfcourse.tuning.journal import made_with
from tfcourse.tuning.models import Build, Own, Packaged, load_build
from tfcourse.tuning.rounds import HALVING, RUNGS, Progress, run
from tfcourse.tuning.search import Search, coarse_to_fine, grid, largest_grid, quasi_random, random
from tfcourse.tuning.space import Space
from tfcourse.tuning.study import Study

if TYPE_CHECKING:
    from tfcourse.tuning.trainers import Trainer

SEARCHES = ("random", "quasi-random", "grid", "coarse-to-fine")

# What the lecture calls most important, on its scales: units from those of the default classifier
# to twice as many, and dropout against what so many may learn by heart.
DEFAULT_SPACE = Space.parse(
    ["learning_rate=log:1e-4:1", "units=int:100:200", "dropout=linear:0:0.5"]
)


@dataclass(frozen=True)
class Plan:
    """How a space is searched: by which search, with how much of everything.

    search: "random", "quasi-random" (more evenly spread), "grid" (the largest that the trials pay
    for), or "coarse-to-fine", in so many `rounds` around the `keep` best. halving: only the best
    third of the trials gets beyond a ninth of the epochs, and of these beyond a third. refit: once
    chosen, the best is trained again on training and validation examples together, for nothing is
    left to choose with the latter.

    Raises: ValueError or TypeError for a value that is not accepted.
    """

    space: Space
    search: str = "random"
    trials: int = 30
    rounds: int = 3
    keep: int = 5
    epochs: int = Hyperparameters.epochs
    halving: bool = False
    refit: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        _checks.choice("search", self.search, SEARCHES)
        for name in ("trials", "rounds", "keep", "epochs"):
            _checks.integer(name, getattr(self, name), at_least=1)
        _checks.integer("seed", self.seed, at_least=0)
        if self.search == "coarse-to-fine" and self.trials < self.rounds:
            raise InputError(
                f"trials must be at least one for each of {self.rounds} rounds, got {self.trials}"
            )
        fewest = min(self.space["epochs"].grid(100)) if "epochs" in self.space else self.epochs
        if self.halving and fewest < HALVING ** RUNGS[0]:
            raise InputError(f"halving must have at least 9 epochs to halve, got {fewest}")

    @property
    def count(self) -> int:
        """How many trials there will be, unless the space runs out of them."""
        if self.search != "grid":
            return self.trials
        return sum(1 for _ in grid(self.space, largest_grid(self.space, self.trials)))

    def proposals(self) -> Search:
        """The search itself."""
        if self.search == "grid":
            return grid(self.space, largest_grid(self.space, self.trials))
        if self.search in ("random", "quasi-random"):
            draw = random if self.search == "random" else quasi_random
            return draw(self.space, self.trials, self.seed)
        return coarse_to_fine(self.space, self.rounds, self.trials, self.keep, self.seed)

    def head(self) -> dict[str, Any]:
        """What must stay the same for a study to go on; more random trials may be asked for."""
        search = self.search
        if search == "grid":
            points = largest_grid(self.space, self.trials)
            search += " of " + " × ".join(f"{n} {name}" for name, n in points.items())
        elif search == "coarse-to-fine":
            search += f", {self.trials} trials, {self.rounds} rounds around the best {self.keep}"
        return {
            "search": search,
            "epochs": self.epochs,
            "halving": self.halving,
            "refit": self.refit,
            "seed": self.seed,
        }


def caviar(
    space: Space | None = None,
    data: str | Dataset = "digits",
    trials: int = Plan.trials,
    *,
    study: Path | str | None = None,
    build: Build | str | None = None,
    engine: str = ENGINES[0],
    cluster: str | None = None,
    **how: Any,
) -> Study:
    """Train many models, keep the best, and return the study.

    data: a data set, or what `datasets.load` takes. study: the folder to keep it in, where a later
    call goes on; without one it lasts as long as the result. build: a function from a draw to a
    Keras model, or its "package.module:function"; the packaged classifier without one. engine:
    "compiled" trains many models at once, "keras" one by one with `model.fit`. cluster: where,
    "local" or HOST:PORT of a Ray cluster's head; in this process without one. how: `search`,
    `rounds`, `keep`, `epochs`, `halving`, `refit` and `seed` of a `Plan`.

    Raises: ValueError, TypeError or OSError for wrong input, before anything is trained or written.

    >>> space = tfc.Space(learning_rate=tfc.Log(1e-3, 0.1), units=tfc.Integer(50, 100))
    >>> study = tfc.caviar(space, "digits", trials=4, epochs=2)
    >>> study.best.test_accuracy > 0.5, sorted(study.best.hyperparameters)
    (True, ['learning_rate', 'units'])
    """
    if "keras" in sys.modules:  # on another backend, this says so before anything is done
        import tfcourse._tensorflow  # noqa: F401
    plan = Plan(space or DEFAULT_SPACE, trials=trials, **how)
    return carry_out(plan, data, study=study, build=build, engine=engine, cluster=cluster)


def carry_out(
    plan: Plan,
    data: str | Dataset = "digits",
    *,
    study: Path | str | None = None,
    build: Build | str | None = None,
    engine: str = ENGINES[0],
    cluster: str | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Study:
    """Search as planned and return the study; what it holds already is not trained again.

    Arguments and errors as in `caviar`.
    """
    _checks.choice("engine", engine, ENGINES)
    if cluster is not None:
        _check_cluster(cluster, engine)
    dataset = datasets.load(data) if isinstance(data, str) else data
    function = load_build(build) if isinstance(build, str) else build
    model = Packaged(dataset) if function is None else Own(dataset, function, _name(build))
    model.check(plan.space)

    about = {**plan.head(), "model": model.name, "data": dataset.fingerprint}
    about["made_with"] = made_with(data=dataset.name, engine=engine)
    with Study(plan.space, study, **about) as opened, ExitStack() as at_the_end:

        def trainer() -> Trainer:
            from tfcourse.tuning import trainers

            trained = model, dataset, data if isinstance(data, str) else data.name
            if cluster is None:
                return trainers.Trainer(*trained, engine)
            from tfcourse.tuning.cluster import ClusterTrainer

            joined = ClusterTrainer(*trained, cluster)
            at_the_end.callback(joined.leave)
            return joined

        opened.ended = run(
            opened,
            plan.proposals(),
            trainer,
            seed=plan.seed,
            epochs=plan.epochs,
            halving=plan.halving,
            refit=plan.refit,
            on_progress=on_progress,
        )
    return opened


def _check_cluster(address: str, engine: str) -> None:
    if address not in ("local", "auto") and not re.fullmatch(r"[\w.-]+:\d{1,5}", address):
        raise InputError(f"cluster must be local, auto or HOST:PORT, got {address!r}")
    if engine != "compiled":
        raise InputError(f"engine must be compiled to train on a cluster, got {engine!r}")


def _name(build: Any) -> str:
    return build if isinstance(build, str) else f"{build.__module__}:{build.__qualname__}"
