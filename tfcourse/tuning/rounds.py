"""Where a search, a study and a trainer meet, which know nothing of each other.

The search says what to try, the trainer trains it, the study keeps what came out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from tfcourse._files import to_disk
from tfcourse.tuning.search import Search
from tfcourse.tuning.study import Study
from tfcourse.tuning.trainers import Job, Result, Trainer, describe, job_of
from tfcourse.tuning.trial import STATES, Trial

HALVING = 3  # one in three goes on, for three times as many epochs
RUNGS = (2, 1, 0)  # after a ninth of the epochs, a third, and all of them


@dataclass(frozen=True)
class Progress:
    """How far a run is: trials done (fractions are trials in training), and the best so far.

    doing: what is done when all trials are, in words.
    """

    done: float
    best: Trial | None
    doing: str = ""


def trial_seed(seed: int, number: int, repeat: int = 0) -> int:
    """Seed of a training of trial `number`: below 2³¹, decided by these alone."""
    key = (1, repeat) if repeat else (1,)
    return int(np.random.SeedSequence([seed, number], spawn_key=key).generate_state(1)[0]) >> 1


def run(
    study: Study,
    search: Search,
    trainer: Callable[[], Trainer],
    *,
    seed: int,
    epochs: int,
    halving: bool = False,
    repeats: int = 1,
    finalists: int = 0,
    finalist_seeds: int = 0,
    refit: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> str | None:
    """Train what the search proposes and the study does not hold; save and test the best model.

    trainer: called when there is something to train. epochs: of every trial, unless they are drawn.
    halving: only the best third gets beyond a ninth of the epochs, and of these beyond a third.
    repeats: seeds that each trial is trained under. finalists: so many of the best are trained
    under `finalist_seeds` more. refit: the best is trained once more at the end, on training and
    validation examples together.
    Trials are trained in the company that the proposals alone decide: what a killed run left out
    is trained as it would have been. Returns why the search ended early, if it did.
    Raises: OSError if the journal or the model cannot be written.
    """
    rounds = _Rounds(study, trainer, RUNGS if halving else (0,), repeats, seed, on_progress)
    jobs: list[Job] = []
    held = {trial.number: trial.hyperparameters for trial in study.trials}
    first, answer = 0, None
    while True:
        try:
            proposal = search.send(answer)
        except StopIteration as end:
            reason: str | None = end.value
            break
        if proposal is not None:
            number = first + len(jobs)
            if number in held:  # a sampler without a seed would now draw another
                proposal = {n: v for n, v in held[number].items() if n in study.space}
            own_epochs = proposal.get("epochs", epochs)
            jobs.append(Job(number, proposal, trial_seed(seed, number), own_epochs))
            answer = None
        else:
            rounds.train(jobs)
            first, jobs = first + len(jobs), []
            # Later rounds that the journal may already hold must not shape the next one.
            answer = [t for t in study.ranking if t.number < first and t.state == "complete"]
    rounds.train(jobs)
    if finalists and finalist_seeds:
        rounds.compare(finalists, [repeats + n for n in range(finalist_seeds)])
    rounds.finish(refit)
    return reason


@dataclass
class _Rounds:
    """Trains jobs into a study, and remembers which were trained together.

    before: trials of earlier rounds. company: what each trial was trained with.
    """

    study: Study
    make_trainer: Callable[[], Trainer]
    rungs: Sequence[int]
    repeats: int
    seed: int
    on_progress: Callable[[Progress], None]
    before: int = 0
    company: dict[int, Sequence[Job]] = field(default_factory=dict)

    @cached_property
    def trainer(self) -> Trainer:
        """Made only when needed: to look at a finished study, TensorFlow need not load."""
        return self.make_trainer()

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
        jobs = [
            replace(job, seed=trial_seed(self.seed, job.number, repeat))
            for job in jobs
            for repeat in range(self.repeats)
        ]
        self.company |= {job.number: jobs for job in jobs}
        missing = [job for job in jobs if self.study.get(job.number, job.epochs) is None]
        if not missing:
            return
        total, left = (sum(job.epochs for job in some) for some in (jobs, missing))

        def on_epochs(trained: int) -> None:
            self._tell(begin + share * min(1, (total - left + trained) / total))

        parts: dict[int, list[Result]] = {job.number: [] for job in missing}
        for results in self.trainer.train(jobs, set(parts), on_epochs):
            self._keep(_whole(parts, results, jobs), last)

    def _tell(self, done: float, doing: str = "") -> None:
        self.on_progress(Progress(done, self.study.best, doing))

    def _keep(self, finished: Sequence[list[Result]], last: bool) -> None:
        """Journal what is new; if the best trial is among it, save its model before."""
        objective, rank = self.study.objective, self.study.rank
        firsts = {results[0].job.number: results[0] for results in finished}
        trials = {
            results[0].job.number: _over_seeds([r.trial(objective, last=last) for r in results])
            for results in finished
        }
        kept = None
        for trial in sorted(trials.values(), key=rank):
            best = self.study.best
            if trial.state != "complete" or (best and rank(best) < rank(trial)):
                break
            try:
                self._save(firsts[trial.number])
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

    def compare(self, count: int, repeats: Sequence[int]) -> None:
        """Train the best trials again under further seeds: it is they who decide who is best."""

        def rank(trial: Trial) -> tuple[int, int, float, float, int]:
            return self.study.rank(replace(trial, again=()))

        complete = [t for t in self.study.trials if t.state == "complete" or t.again]
        best = sorted((replace(t, state="complete") for t in complete), key=rank)[:count]
        if len(best) < 2:
            return
        jobs = [
            replace(job_of(trial), seed=trial_seed(self.seed, trial.number, n))
            for trial in best
            for n in repeats
        ]
        done = {t.number for t in self.study.trials if t.again}
        parts: dict[int, list[Result]] = {t.number: [] for t in best if t.number not in done}
        if not parts:
            return
        total = sum(job.epochs for job in jobs if job.number in parts)

        def on_epochs(trained: int) -> None:
            again = f"the {len(best)} best again: {min(1, trained / total):.0%}"
            self._tell(self.before, again)

        found = []
        on_epochs(0)
        for results in self.trainer.train(jobs, set(parts), on_epochs):
            for again in _whole(parts, results, jobs):
                ends = [result.trial(self.study.objective, last=True) for result in again]
                trial = next(t for t in best if t.number == again[0].job.number)
                scores = tuple(score for end in ends for score in end.scores)
                state = max((end.state for end in ends), key=STATES.index)
                found.append(replace(trial, again=scores or trial.scores, state=state))
        self.study.add_finalists(found)  # all or none: who is best may not depend on a kill

    def finish(self, refit: bool) -> None:
        """See to it that the best trial's model is saved, trained on all it may be, and tested."""
        best, path = self.study.best, self.study.model_path
        if best is None:
            return
        job = job_of(best)
        if refit and (self.study.refitted != best.number or not path.exists()):
            self._tell(self.before, "the best once more, on all examples")
            result = self.trainer.refit(replace(job, epochs=1 + (best.best_epoch or 0)))
            if result.trial(self.study.objective, last=True).state == "complete":
                self._save(result)
                self.study.add([], refitted=best.number)
        if self.study.kept != best.number or not path.exists():
            jobs = self.company.get(best.number, [job])
            for results in self.trainer.train(jobs, {best.number}, lambda epochs: None):
                for result in results:
                    # A trial has what its model drew late besides; its job has not.
                    if (result.job.number, result.job.seed) == (best.number, best.seed):
                        self._save(result)
                        self.study.add([], kept=best.number)
        if not best.test and (test := self.trainer.test(best, path)):
            self.study.add_test(best, test)


def _whole(
    parts: dict[int, list[Result]], results: Sequence[Result], jobs: Sequence[Job]
) -> list[list[Result]]:
    """Put results to those of the same trials; return trials that have all, in the jobs' order."""
    whole = []
    for result in results:
        number = result.job.number
        if number in parts:
            parts[number].append(result)
            own = [job for job in jobs if job.number == number]
            if len(parts[number]) == len(own):
                whole.append(sorted(parts.pop(number), key=lambda result: own.index(result.job)))
    return whole


def _over_seeds(trials: Sequence[Trial]) -> Trial:
    """Return the first of a trial's trainings, with the scores of all and the worst state."""
    worst = max(trials, key=lambda trial: STATES.index(trial.state))
    return replace(
        trials[0],
        scores=tuple(score for trial in trials for score in trial.scores),
        state=worst.state,
        error=worst.error,
        seconds=sum(trial.seconds for trial in trials),
    )
