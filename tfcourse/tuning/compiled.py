"""Training by the population engine: many trials in one compiled program."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property

from tfcourse.datasets import Dataset
from tfcourse.training.population import Chunk, ChunkEpoch, Population, Trained
from tfcourse.tuning.fitting import FIGURES, ModelTrainer, named
from tfcourse.tuning.models import Model
from tfcourse.tuning.trainers import Epochs, Job, Result, describe


class CompiledTrainer(ModelTrainer):
    """Trains trials together, as far as their models can share a program.

    One model is built for a program, as wide as the widest: what a function of the user's own says
    to a narrower one, it says only when that one has won.
    """

    @cached_property
    def _population(self) -> Population:
        return population(self.model, self.standardized)

    def train(
        self, jobs: Sequence[Job], wanted: Collection[int], on_epochs: Epochs
    ) -> Iterator[Sequence[Result]]:
        """Train the chunks that hold a wanted job; jobs that cannot be built fail alone."""
        jobs, failed, chunks = self._cut(jobs)
        if failed:
            yield failed
        told = 0

        def on_epoch(epoch: ChunkEpoch) -> None:
            nonlocal told
            told += len(epoch.trials)
            on_epochs(told)

        chunks = [c for c in chunks if any(jobs[i].number in wanted for i in c.members)]
        started, done = time.perf_counter(), 0
        for finished in self._train(jobs, chunks, on_epoch):
            done += len(finished)
            share = (time.perf_counter() - started) / done
            yield [_result(jobs, one, share) for one in finished]

    def refit(self, job: Job) -> Result:
        """Train on training and validation examples together, to the last epoch."""
        started = time.perf_counter()
        merged = population(self.model, self.merged)
        ((one,),) = merged.train(draws([job]), seeds=[job.seed])
        last = dataclasses.replace(one, weights=one.final_weights)
        return _result([job], last, time.perf_counter() - started)

    def _cut(self, jobs: Sequence[Job]) -> tuple[Sequence[Job], list[Result], list[Chunk]]:
        """Return jobs that can be built, results of those that cannot, and chunks of the first."""
        try:
            return jobs, [], self._population.chunks(draws(jobs))
        except Exception:  # some job's model: they are built one by one to see which
            sound, failed = [], []
            for job in jobs:
                try:
                    self.model.build(job.hyperparameters)
                    sound.append(job)
                except Exception as error:
                    failed.append(Result(job, {}, 0.0, describe(error)))
            if not failed:
                raise
        return sound, failed, self._population.chunks(draws(sound))

    def _train(
        self, jobs: Sequence[Job], chunks: Sequence[Chunk], on_epoch: Callable[[ChunkEpoch], None]
    ) -> Iterator[Sequence[Trained | tuple[int, str]]]:
        """Models of each chunk, or what it raised for each of them."""
        waiting = list(chunks)
        try:
            seeds = [job.seed for job in jobs]
            for finished in self._population.train(
                draws(jobs), seeds=seeds, chunks=chunks, on_epoch=on_epoch
            ):
                members = {trained.trial for trained in finished}
                waiting = [chunk for chunk in waiting if not members & set(chunk.members)]
                yield finished
        except Exception as error:  # one chunk's trouble is not the study's
            if len(chunks) == 1:
                yield [(member, describe(error)) for member in chunks[0].members]
                return
            for chunk in waiting:
                yield from self._train(jobs, [chunk], on_epoch)


def population(model: Model, data: Dataset, threads: int | None = None) -> Population:
    """Return the engine that trains models of this kind on standardized data."""
    sets = data.x_train, data.y_train, data.x_validation, data.y_validation
    return Population(model.build, *sets, threads=threads)


def draws(jobs: Sequence[Job]) -> list[dict[str, object]]:
    """Return the jobs as the engine takes them."""
    return [{**job.hyperparameters, "epochs": job.epochs} for job in jobs]


def _result(jobs: Sequence[Job], one: Trained | tuple[int, str], seconds: float) -> Result:
    if isinstance(one, tuple):
        return Result(jobs[one[0]], {}, seconds, one[1])
    history = {name: getattr(one.history, name).tolist() for name in FIGURES}
    return Result(jobs[one.trial], named(history), seconds, model=one.model)
