"""Training what a search proposes, with the engine of `training`.

A trainer is told which trials to train and hands back plain results, so that one machine can be
exchanged for a cluster without the study noticing.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from tfcourse import training
from tfcourse._checks import InputError
from tfcourse.training.objective import Objective
from tfcourse.tuning.models import Own, Packaged, drawn_text
from tfcourse.tuning.space import Chosen
from tfcourse.tuning.trial import Trial

Epochs = Callable[[int], None]  # told how many epochs have been trained, over all jobs


@dataclass(frozen=True)
class Job:
    """A training of a trial: from seed and hyperparameters alone, for so many epochs."""

    number: int
    hyperparameters: Chosen
    seed: int
    epochs: int


def job_of(trial: Trial) -> Job:
    """The training that a trial came from, under its first seed."""
    return Job(trial.number, trial.hyperparameters, trial.seed, trial.epochs)


@dataclass(frozen=True)
class Result:
    """What training a job came to.

    history: figures by epoch, under Keras's names. error: what ended it early. stopped: whether its
    patience did. late: values that its model drew beside the job's. model: makes the trained model,
    with the weights of the best epoch; those of the last one where there was no validation.
    """

    job: Job
    history: dict[str, list[float]]
    seconds: float
    error: str | None = None
    model: Callable[[], Any] | None = None
    stopped: bool = False
    late: Chosen = dataclasses.field(default_factory=dict)

    def trial(self, objective: Objective, *, last: bool) -> Trial:
        """The trial for a study; `last` tells whether it was to be trained to its end."""
        finite = [all(map(math.isfinite, row)) for row in zip(*self.history.values(), strict=True)]
        epochs = [*finite, False].index(False)
        if self.error:
            state = "failed"
        elif epochs < len(finite) or (epochs < self.job.epochs and not self.stopped):
            state = "diverged"
        else:
            state = "complete" if last else "pruned"
        history = {key: list(map(float, values[:epochs])) for key, values in self.history.items()}
        best = objective.best_epoch(history)
        return Trial(
            self.job.number,
            {**self.job.hyperparameters, **self.late},
            self.job.seed,
            self.job.epochs,
            state=state,
            history=history,
            best_epoch=best,
            scores=() if best is None else (history[objective.name][best],),
            error=self.error,
            seconds=self.seconds,
        )


class Trainer:
    """Trains in this process, with one of the engines."""

    def __init__(
        self,
        model: Packaged | Own,
        objective: Objective,
        *,
        engine: str,
        batch_size: int,
        patience: int | None = None,
    ) -> None:
        """Take what is tuned, and how each trial is trained."""
        self.model, self.engine = model, engine
        self._batch_size, self._patience = batch_size, patience
        self._objective = objective

    @cached_property
    def _build(self) -> Callable[[dict[str, Any]], Any]:
        return self.model.build  # one object: what is compiled for it is kept

    def train(
        self, jobs: Sequence[Job], wanted: Collection[int], on_epochs: Epochs
    ) -> Iterator[Sequence[Result]]:
        """Train the jobs of these numbers, and yield results as they come.

        Where jobs are trained together, all of them decide which, whatever is wanted: so a job
        comes out the same, to the last bit, whether or not others are finished already. Results
        that are not wanted may come along.
        """
        told = 0

        def on_epoch(epoch: training.Epoch) -> None:
            nonlocal told
            told += len(epoch.trials)
            on_epochs(told)

        indices = [index for index, job in enumerate(jobs) if job.number in wanted]
        for finished in self._train(jobs, indices, on_epoch):
            yield [self._result(jobs[one.trial], one) for one in finished]

    def _train(
        self, jobs: Sequence[Job], wanted: Sequence[int], on_epoch: Callable[[training.Epoch], None]
    ) -> Iterator[Sequence[training.Trained]]:
        return training.train(
            self._build,
            [self._draw(job) for job in jobs],
            self.model.data,
            seeds=[job.seed for job in jobs],
            engine=self.engine,
            objective=self._objective,
            patience=self._patience,
            wanted=wanted,
            on_epoch=on_epoch,
        )

    def _draw(self, job: Job) -> dict[str, Any]:
        return {"batch_size": self._batch_size, **job.hyperparameters, "epochs": job.epochs}

    def _result(self, job: Job, one: training.Trained) -> Result:
        if one.error:
            return Result(job, {}, one.seconds, " ".join(one.error.split()))
        history = {name: list(map(float, values)) for name, values in one.history.items()}
        late = getattr(self.model, "late", {}).get(drawn_text(job.hyperparameters), {})
        stopped = one.ended == "stopped"
        return Result(job, history, one.seconds, model=one.model, stopped=stopped, late=late)

    def refit(self, job: Job) -> Result:
        """Train on training and validation examples together, to the last epoch."""
        from tfcourse._tensorflow import tf

        def joined(*both: Any) -> Any:
            return tf.nest.map_structure(lambda *parts: np.concatenate(parts), *both)

        before = self.model.data
        x = joined(before.x, before.x_validation)
        y = joined(before.y, before.y_validation)
        weights = before.sample_weight, before.sample_weight_validation
        weight = None
        if any(one is not None for one in weights):
            counts = (self.model.examples.count(part) for part in ("train", "validation"))
            pairs = zip(weights, counts, strict=True)
            weight = np.concatenate([np.ones(n) if one is None else one for one, n in pairs])
        ((one,),) = training.train(
            self._build,
            [self._draw(job)],
            training.Data(x, y, before.x_validation, before.y_validation, weight, weights[1]),
            seeds=[job.seed],
            engine=self.engine,
        )
        return dataclasses.replace(self._result(job, one), model=partial(one.model, final=True))

    def save(self, result: Result, path: Path) -> None:
        """Write the model, wholly or not at all, so that it takes inputs as the user has them.

        Raises: OSError if it cannot be written.
        """
        from tfcourse import saving

        assert result.model is not None
        examples, job = self.model.examples, result.job
        chosen = self._draw(job)
        card = saving.Card(
            examples.source,
            examples.fingerprint,
            examples.names_of_classes,
            self.model.card(chosen),
            job.seed,
        )
        saving.save(self.model.whole(result.model(), chosen), path, card)

    def opened(self, trial: Trial, path: Path) -> Any:
        """Return the trial's own model, compiled as it was, with the weights in `path`.

        Raises: ValueError if the file holds no weights of this model.
        """
        from tfcourse.training.models import Builder

        chosen = self._draw(job_of(trial))
        bare = Builder(self._build, self.model.data).model(chosen, trial.seed)
        model = self.model.whole(bare, chosen)
        try:
            with warnings.catch_warnings(action="ignore"):  # its optimizer begins anew
                model.load_weights(path)  # weights alone: nothing else in the file is loaded
        except Exception as error:  # whatever a damaged or a strange archive provokes
            raise InputError(
                f"{path} does not hold the weights of trial {trial.number}: {describe(error)}"
            ) from error
        return model

    def again(self, trial: Trial) -> Any:
        """Train a trial once more and return its model, as it was saved if it was the best."""
        job = job_of(trial)
        ((result,),) = self.train([job], {job.number}, lambda epochs: None)
        if result.model is None:
            raise InputError(f"trial {trial.number} cannot be trained again: {result.error}")
        return self.model.whole(result.model(), self._draw(job))

    def test(self, trial: Trial, path: Path) -> dict[str, float]:
        """What the saved model of `trial` comes to on the test set, if there is one, by name."""
        examples = self.model.examples
        if not examples.count("test"):
            return {}
        model = self.opened(trial, path)
        x: Any = examples.x["test"]
        y: Any = examples.y["test"]
        weight = examples.weight["test"]
        found = model.evaluate(x, y, 1024, sample_weight=weight, verbose=0, return_dict=True)
        found = {name: float(value) for name, value in found.items()}
        if weight is None and getattr(model.loss, "from_logits", True) is False and y.ndim == 1:
            from tfcourse.classifier import evaluate  # the same, but summed in float64

            exact = evaluate(model, x, y)
            found |= {"loss": exact.loss, "accuracy": exact.accuracy}
        return found


def describe(error: Exception) -> str:
    """Return an exception in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
