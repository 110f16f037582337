"""Where a search, a study and a trainer meet, which know nothing of each other.

The search says what to try, the trainer trains it, the study keeps what came out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tfcourse._files import to_disk
from tfcourse.tuning.search import Search
from tfcourse.tuning.study import Study
from tfcourse.tuning.trainers import Job, Result, Trainer, describe
from tfcourse.tuning.trial import Trial

HALVING = 3  # one in three goes on, for three times as many epochs
RUNGS = (2, 1, 0)  # after a ninth of the epochs, a third, and all of them


@dataclass(frozen=True)
class Progress:
    """How far a run is: trials done (fractions are trials in training), and the best so far."""

    done: float
    best: Trial | None


def trial_seed(seed: int, number: int) -> int:
    """Seed of trial `number` in a study: below 2³¹, decided by these two alone."""
    return int(np.random.SeedSequence([seed, number], spawn_key=(1,)).generate_state(1)[0]) >> 1


def run(
    study: Study,
    search: Search,
    trainer: Callable[[], Trainer],
    *,
    seed: int,
    epochs: int,
    halving: bool = False,
    refit: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> str | None:
    """Train what the search proposes and the study does not hold; save and test the best model.

    trainer: called when there is something to train. epochs: of every trial, unless they are drawn.
    halving: only the best third gets beyond a ninth of the epochs, and of these beyond a third.
    refit: the best is trained once more at the end, on training and validation examples together.
    Trials are trained in the company that the proposals alone decide: what a killed run left out
    is trained as it would have been. Returns why the search ended early, if it did.
    Raises: OSError if the journal or the model cannot be written.
    """
    rounds = _Rounds(study, trainer, RUNGS if halving else (0,), on_progress)
    jobs: list[Job] = []
    first, answer = 0, None
    while True:
        try:
            proposal = search.send(answer)
        except StopIteration as end:
            reason: str | None = end.value
            break
        if proposal is not None:
            number = first + len(jobs)
            own_epochs = proposal.get("epochs", epochs)
            jobs.append(Job(number, proposal, trial_seed(seed, number), own_epochs))
            answer = None
        else:
            rounds.train(jobs)
            first, jobs = first + len(jobs), []
            # Later rounds that the journal may already hold must not shape the next one.
            answer = [t for t in study.ranking if t.number < first and t.state == "complete"]
    rounds.train(jobs)
    rounds.finish(refit)
    return reason


class _Rounds:
    """Trains jobs into a study, and remembers which were trained together."""

    def __init__(
        self,
        study: Study,
        trainer: Callable[[], Trainer],
        rungs: Sequence[int],
        on_progress: Callable[[Progress], None],
    ) -> None:
        self.study, self.rungs, self.on_progress = study, rungs, on_progress
        self._make_trainer = trainer
        self.before = 0  # trials of earlier rounds
        self.company: dict[int, Sequence[Job]] = {}

    @cached_property
    def trainer(self) -> Trainer:
        """Made only when needed: to look at a finished study, TensorFlow need not load."""
        return self._make_trainer()

    def train(self, jobs: Sequence[Job]) -> None:
        """Train a round of jobs; on every rung but the last only the best third goes on."""
        size, share = len(jobs), len(jobs) / len(self.rungs)
        for step, rung in enumerate(self.rungs):
            short = [replace(job, epochs=max(1, job.epochs // HALVING**rung)) for job in jobs]
            self._train_rung(short, self.before + share * step, share, last=rung == 0)
            if rung:
                trials = [self.study.get(job.number, job.epochs) for job in short]
                sound = [trial for trial in trials if trial and trial.state == "pruned"]
                best = sorted(sound, key=self.study.rank)[: math.ceil(len(jobs) / HALVING)]
                go_on = {trial.number for trial in best}
                jobs = [job for job in jobs if job.number in go_on]
        self.before += size
        self._tell(self.before)

    def _train_rung(self, jobs: Sequence[Job], begin: float, share: float, *, last: bool) -> None:
        self.company |= {job.number: jobs for job in jobs}
        missing = [job for job in jobs if self.study.get(job.number, job.epochs) is None]
        if not missing:
            return
        total, left = (sum(job.epochs for job in some) for some in (jobs, missing))

        def on_epochs(trained: int) -> None:
            self._tell(begin + share * min(1, (total - left + trained) / total))

        for results in self.trainer.train(jobs, {job.number for job in missing}, on_epochs):
            self._keep(results, last)

    def _tell(self, done: float) -> None:
        self.on_progress(Progress(done, self.study.best))

    def _keep(self, results: Sequence[Result], last: bool) -> None:
        """Journal what is new; if the best trial is among it, save its model before."""
        objective, rank = self.study.objective, self.study.rank
        new = [r for r in results if self.study.get(r.job.number, r.job.epochs) is None]
        trials = {result.job.number: result.trial(objective, last=last) for result in new}
        kept = None
        for result in sorted(new, key=lambda result: rank(trials[result.job.number])):
            trial, best = trials[result.job.number], self.study.best
            if trial.state != "complete" or (best and rank(best) < rank(trial)):
                break
            try:
                self._save(result)
            except OSError:  # no place for any model
                raise
            except Exception as error:  # this one's building: the next best may do better
                trials[trial.number] = replace(trial, state="failed", error=describe(error))
            else:
                kept = trial.number
                break
        self.study.add(list(trials.values()), kept=kept)

    def _save(self, result: Result) -> None:
        self.trainer.save(result, self.study.model_path)
        to_disk(self.study.model_path)

    def finish(self, refit: bool) -> None:
        """See to it that the best trial's model is saved, trained on all it may be, and tested."""
        best = self.study.best
        if best is None:
            return
        job = Job(best.number, best.hyperparameters, best.seed, best.epochs)
        if self.study.kept != best.number or not self.study.model_path.exists():
            jobs = self.company.get(best.number, [job])
            for results in self.trainer.train(jobs, {best.number}, lambda epochs: None):
                for result in results:
                    if (result.job.number, result.job.epochs) == (job.number, job.epochs):
                        self._save(result)
                        self.study.add([], kept=best.number)
        if refit and self.study.refitted != best.number:
            result = self.trainer.refit(job)
            if result.trial(self.study.objective, last=True).state == "complete":
                self._save(result)
                self.study.add([], refitted=best.number)
        if not best.test and (test := self.trainer.test(best, self.study.model_path)):
            self.study.add_test(best, test)
