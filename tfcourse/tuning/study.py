"""A study: the trials of one search, kept in a journal in the study's folder.

What a trial came to is plain data, the same whoever trained it. Times are kept too, but count for
nothing when trials are compared: a resumed study equals an undisturbed one.
"""

from __future__ import annotations

import math
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from tfcourse import _checks
from tfcourse._checks import InputError
from tfcourse.training.objective import Objective
from tfcourse.tuning import insight, journal, report
from tfcourse.tuning import objective as objectives
from tfcourse.tuning.extras import require
from tfcourse.tuning.journal import Journal
from tfcourse.tuning.space import Space
from tfcourse.tuning.trial import STATES, Trial


class Study:
    """Trials of one search.

    kept: number of the trial whose model is saved. refitted: the same number, if that model was
    trained on training and validation examples together. ended: why the search ended early, if it
    did.

    Everything given beside the folder tells what the trials mean, and a study can only be
    continued with the same.

    >>> history = {"val_loss": [0.5, 0.6], "val_accuracy": [0.5, 0.6]}
    >>> trial = tfc.tuning.Trial(0, {"units": 64}, 7, 2, "complete", history, 1, (0.6,))
    >>> with tfc.Study(tfc.Space(units=tfc.Integer(50, 100)), "my_study", seed=0) as study:
    ...     study.add([trial])
    >>> study.best.hyperparameters, tfc.Study.read("my_study").best.validation_accuracy
    ({'units': 64}, 0.6)
    """

    trainer: Callable[[], Any] | None = None  # trains a trial again, where it was tuned

    def __init__(
        self,
        space: Space,
        folder: Path | str | None = None,
        *,
        objective: str | Objective = "val_accuracy",
        **about: Any,
    ) -> None:
        """Begin a study, or continue the one in `folder`; without one it is kept for this process.

        Raises: BlockingIOError if another process has it open, ValueError if it is a study
        of something else or its journal is damaged, OSError if the folder cannot be written.
        """
        self.space = space
        self.folder = Path(folder or tempfile.mkdtemp(prefix="tfcourse-"))
        head = {
            "space": space.entries(),
            "objective": str(objectives.objective(objective)),
            **about,
        }
        self._journal: Journal | None = Journal(self.folder / "journal.jsonl", head)
        if folder is None:
            weakref.finalize(self, _discard, self._journal, self.folder)
        self._take(self._journal.head, self._journal.records)

    @classmethod
    def read(cls, folder: Path | str) -> Self:
        """Return the study in `folder` as it stands, to look at; another process may have it open.

        Raises: FileNotFoundError if there is none, ValueError if its journal is damaged.
        """
        path = Path(folder) / "journal.jsonl"
        if not path.exists():
            raise FileNotFoundError(f"{folder} must be the folder of a study, got no journal there")
        study = cls.__new__(cls)
        head, records = journal.read(path)
        study.folder = Path(folder)
        with journal.understood(path):
            study.space = Space.parse(head["space"])
        study._journal = None
        study._take(head, records)
        return study

    def _take(self, head: dict[str, Any], records: Iterable[dict[str, Any]]) -> None:
        if "objective" not in head:
            raise InputError(
                f"{self.folder} must hold a study of this version of tfcourse, got one of version"
                " 0.1, which kept other figures of a trial; give another folder"
            )
        self.about = head
        self.objective = objectives.objective(head["objective"])
        self.kept: int | None = None
        self.refitted: int | None = None
        self.ended: str | None = None
        self._results: dict[tuple[int, int], Trial] = {}
        with journal.understood(self.folder / "journal.jsonl"):
            for record in records:
                self._apply(record)

    def _apply(self, record: dict[str, Any]) -> None:
        if "trial" in record:
            trial = Trial(**record["trial"], **record["times"])
            trial = replace(trial, scores=tuple(trial.scores), again=tuple(trial.again))
            self._results[trial.number, trial.epochs] = trial
        elif "kept" in record:
            self.kept, self.refitted = record["kept"], None
        elif "refitted" in record:
            self.kept = self.refitted = record["refitted"]
        elif "finalist" in record:
            key = tuple(record["finalist"])
            again, state = tuple(record["again"]), record["state"]
            self._results[key] = replace(self._results[key], again=again, state=state)
        elif "tested" in record:
            key = tuple(record["tested"])
            self._results[key] = replace(self._results[key], test=record["test"])

    def _write(self, records: Sequence[dict[str, Any]]) -> None:
        if self._journal is None:
            raise InputError(f"{self.folder} was opened to be read, or is closed; got a record")
        self._journal.append(records)
        for record in records:
            self._apply(record)

    def add(
        self, trials: Sequence[Trial], *, kept: int | None = None, refitted: int | None = None
    ) -> None:
        """Keep finished trials; on return they are on disk.

        kept, refitted: number of the trial whose model has just been saved in `model_path`.
        """
        for trial in trials:
            if (trial.number, trial.epochs) in self._results:
                raise InputError(f"a trial must be added once, got trial {trial.number} again")
        # Should only the first line survive, the trial is trained and its model written again.
        saved: Sequence[dict[str, Any]] = [
            {what: number}
            for what, number in (("kept", kept), ("refitted", refitted))
            if number is not None
        ]
        self._write([*saved, *map(_record, trials)])

    def add_finalists(self, trials: Sequence[Trial]) -> None:
        """Keep what trials that are here came to under further seeds: `again`, and their state."""
        self._write(
            [
                {"finalist": [one.number, one.epochs], "again": one.again, "state": one.state}
                for one in trials
            ]
        )

    def add_test(self, trial: Trial, test: dict[str, float]) -> None:
        """Keep what the model of `trial` came to on the test set."""
        self._write([{"tested": [trial.number, trial.epochs], "test": test}])

    def get(self, number: int, epochs: int) -> Trial | None:
        """Trial `number` as it was after `epochs`, if it has got there."""
        return self._results.get((number, epochs))

    @property
    def trials(self) -> list[Trial]:
        """Every trial by number; one that was stopped and went on, as it was last."""
        longest = dict(sorted(self._results))
        return [self._results[key] for key in longest.items()]

    @property
    def ranking(self) -> list[Trial]:
        """Every trial, the best first."""
        return sorted(self.trials, key=self.rank)

    def rank(self, trial: Trial) -> tuple[int, int, float, float, int]:
        """Sorts trials, the best first: by state, finalists, score, loss and, last, by number."""
        figures = trial.metrics
        loss = figures.get("val_loss", figures.get("loss", 0.0))
        score = math.inf if trial.score is None else -self.objective.sign * trial.score
        return STATES.index(trial.state), 0 if trial.again else 1, score, loss, trial.number

    @property
    def metric_names(self) -> list[str]:
        """What was measured, by Keras's names, the objective first."""
        names = dict.fromkeys(name for trial in self.trials for name in trial.history)
        return [self.objective.name, *(name for name in names if name != self.objective.name)]

    def count(self) -> dict[str, int]:
        """How many trials are in each state."""
        states = [trial.state for trial in self.trials]
        return {state: states.count(state) for state in STATES}

    @property
    def best(self) -> Trial | None:
        """The complete trial that did best in validation, if there is one."""
        complete = (trial for trial in self.trials if trial.state == "complete")
        return min(complete, key=self.rank, default=None)

    @property
    def model_path(self) -> Path:
        """Where the best model is saved."""
        return self.folder / "best.keras"

    def model(self, rank: int = 0) -> Any:
        """Return the Keras model of the best trial, or of the next best, compiled as it was.

        Only the best one's is kept: others are trained again, which takes what `tune` was given.
        No code of the file is run: what `tune` returns builds the model and reads its weights; what
        `read` returns opens it if it consists of Keras's own layers.
        Raises: ValueError if there is no such trial, if its model is neither kept nor can be
        trained here, or if its file cannot be opened safely.
        """
        complete = [trial for trial in self.ranking if trial.state == "complete"]
        if _checks.integer("rank", rank, at_least=0) >= max(1, len(complete)):
            raise InputError(f"rank must be below {len(complete)}, the complete trials, got {rank}")
        here = self.kept is not None and self.model_path.exists()
        if self.trainer is not None and complete:
            trial, trainer = complete[rank], self.trainer()
            if here and trial.number == self.kept:
                return trainer.opened(trial, self.model_path)
            return trainer.again(trial)
        if rank:
            raise InputError(
                f"{self.folder} keeps only the best model; train another again with"
                f" tfc.tune(…, study={str(self.folder)!r}).model({rank})"
            )
        if not here:
            raise InputError(f"{self.folder} must hold a finished trial's model, got none")
        from tfcourse import saving

        try:
            return saving.load_any(self.model_path, compile=True)[0]
        except InputError as error:
            raise InputError(
                f"{error}; tfc.tune(build, …, study={str(self.folder)!r}).model() builds the model"
                " again and reads only its weights"
            ) from error

    def history(self, trial: int) -> dict[str, list[float]]:
        """Return what was measured after each epoch of trial number `trial`, by Keras's names.

        Raises: ValueError if there is no such trial.
        """
        for one in self.trials:
            if one.number == trial:
                return one.history
        raise InputError(f"trial must be below {len(self.trials)}, got {trial}")

    def to_dataframe(self) -> Any:
        """Return a pandas DataFrame, a row for each trial.

        Its columns: trial, state, score, epoch (the best, from 0), seconds, one for each
        hyperparameter under its own name, and one for each metric, at the best epoch.
        Raises: ModuleNotFoundError without pandas.
        """
        require("pandas")
        import pandas

        names = dict.fromkeys([*self.space, *(n for t in self.trials for n in t.hyperparameters)])
        columns = ["trial", "state", "score", "epoch", "seconds", *names, *self.metric_names]
        rows = [
            [one.number, one.state, one.score, one.best_epoch, one.seconds]
            + [one.hyperparameters.get(name) for name in names]
            + [one.metrics.get(name) for name in self.metric_names]
            for one in self.trials
        ]
        return pandas.DataFrame(rows, columns=columns)

    def plot(self, what: str = "trials") -> Any:
        """Return a matplotlib figure.

        what: "trials", the objective over each hyperparameter, and over trials; "parallel", a line
        a trial through all hyperparameters; "importance", how much each of them explains.
        """
        from matplotlib.figure import Figure

        ways = {"trials": report.draw, "parallel": report.draw_parallel, "importance": insight.draw}
        rows = (
            -(-(len(self.space) + 1) // 3) if _checks.choice("what", what, ways) == "trials" else 1
        )
        figure = Figure(figsize=(9, max(2.3 * rows, 0.6 * len(self.space))), layout="constrained")
        ways[what](figure, self)
        return figure

    def importance(self) -> Any:
        """Return how much of the trials' spread each hyperparameter explains, the largest first.

        See `insight.importance`. Raises: ValueError with fewer than 20 trials.
        """
        return insight.importance(self)

    def advice(self) -> list[str]:
        """Return what to do next, a sentence each; nothing where nothing is clear."""
        return insight.advice(self)

    def __repr__(self) -> str:
        states = ", ".join(f"{n} {state}" for state, n in self.count().items() if n)
        best = ""
        if self.best is not None and self.best.score is not None:
            chosen = ", ".join(f"{name}={v!r}" for name, v in self.best.hyperparameters.items())
            best = f"; best {self.objective.name} {self.best.score:.4f}, trial "
            best += f"{self.best.number}: {chosen}"
        lines = [f"<Study of {len(self.trials)} trials ({states or 'none yet'}){best}>"]
        return "\n".join([*lines, *([self.ended] if self.ended else []), *self.advice()])

    def _repr_html_(self) -> str:
        return report.html(self)

    def close(self) -> None:
        """Let other processes open the study."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _record(trial: Trial) -> dict[str, Any]:
    times = {"seconds": trial.seconds, "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
    apart = {"seconds", "finished", "test"}
    kept = {name: value for name, value in vars(trial).items() if name not in apart}
    return {"trial": kept, "times": times}


def _discard(journal: Journal, folder: Path) -> None:
    """Remove a study that was kept for this process; Windows keeps what is open."""
    journal.close()
    shutil.rmtree(folder, ignore_errors=True)
