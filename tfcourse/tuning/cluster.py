"""The same search over several machines, on Ray.

A work item is a chunk of trials, cut as on one machine, so that the same seed comes to the same
results. Workers only train: the process that searches saves models and writes the journal alone.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tfcourse.datasets import Dataset
from tfcourse.training.population import Chunk, ChunkEpoch, Population, Trained
from tfcourse.tuning.compiled import CompiledTrainer, draws, population
from tfcourse.tuning.extras import require
from tfcourse.tuning.fitting import FIGURES
from tfcourse.tuning.models import Model, Own
from tfcourse.tuning.trainers import Job, describe

ATTEMPTS = 4  # at a chunk whose worker is killed, or whose machine is lost
CONNECT_SECONDS = 5


class ClusterTrainer(CompiledTrainer):
    """Trains chunks wherever the cluster has a core to spare, several at a time."""

    def __init__(self, model: Model, dataset: Dataset, data: str, address: str) -> None:
        """Join a cluster.

        address: HOST:PORT of its head, "auto" for the cluster that this machine belongs to, or
        "local" to start one on this machine that lasts as long as this process.
        Raises: ConnectionError if there is none, ModuleNotFoundError without the extra `ray`.
        """
        super().__init__(model, dataset, data)
        require("ray")
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody is told anything
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        import ray

        self._joined = not ray.is_initialized()
        if self._joined:
            try:
                if ":" in address:  # Ray tries for long, and with many words
                    host, port = address.split(":")
                    socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
                ray.init(address, logging_level="error", log_to_driver=False)
            except (OSError, OverflowError, RuntimeError, ValueError) as error:
                raise ConnectionError(
                    f"no cluster can be joined at {address}: {describe(error)}"
                ) from error
        if isinstance(model, Own) and model.function.__module__ in sys.modules:
            # Other machines need not have the user's module.
            ray.cloudpickle.register_pickle_by_value(sys.modules[model.function.__module__])
        self._ray = ray
        self._shared = ray.put((model, dataset))
        self._work = ray.remote(num_cpus=1, max_retries=ATTEMPTS - 1)(_train_chunk)

    def leave(self) -> None:
        """Leave the cluster, if this was what joined it: Ray tells its news, late, until then."""
        if self._joined:
            self._ray.shutdown()

    def _train(
        self, jobs: Sequence[Job], chunks: Sequence[Chunk], on_epoch: Callable[[ChunkEpoch], None]
    ) -> Iterator[Sequence[Trained | tuple[int, str]]]:
        """Models of each chunk as it comes in, or what it raised for each of them.

        Raises: ConnectionError if the cluster loses a chunk again and again, or itself.
        """
        ray, shared = self._ray, self._shared
        listed = ray.put(list(jobs))
        threads = self._population.threads
        running = {
            self._work.remote(shared.hex(), shared, listed, chunk.members, threads): chunk
            for chunk in chunks
        }
        try:
            while running:
                [done], _ = ray.wait(list(running))
                chunk = running.pop(done)
                try:
                    figures = ray.get(done)
                except ray.exceptions.RayTaskError as error:
                    yield [(member, describe(error.cause)) for member in chunk.members]
                    continue
                except ray.exceptions.RayError as error:
                    raise ConnectionError(
                        f"the cluster lost a chunk of {len(chunk.members)} trials {ATTEMPTS} times:"
                        f" {describe(error)}"
                    ) from error
                make = self.model.build
                trained = [Trained(**own, final_weights=[], make=make) for own in figures]
                _tell(chunk, trained, on_epoch)
                yield trained
        finally:
            for reference in running:
                ray.cancel(reference, force=True)


def _tell(chunk: Chunk, trained: Sequence[Trained], on_epoch: Callable[[ChunkEpoch], None]) -> None:
    """Tell of the epochs of a chunk, all at once."""
    histories = [one.history for one in trained]
    for number in range(chunk.epochs):
        figures = {
            name: np.array([getattr(history, name)[number] for history in histories])
            for name in FIGURES
        }
        on_epoch(ChunkEpoch(number, chunk.members, **figures))


_populations: dict[str, Population] = {}  # in a worker: the one of its study, with its programs


def _train_chunk(
    key: str,
    shared: tuple[Model, Dataset],
    jobs: Sequence[Job],
    members: tuple[int, ...],
    threads: int,
) -> list[dict[str, Any]]:
    """Train one chunk of `jobs` in a worker; of each `Trained`, send back what is plain data."""
    if key not in _populations:
        _populations.clear()
        model, dataset = shared
        _populations[key] = population(model, dataset.standardized(), threads)
    own, trials = _populations[key], draws(jobs)
    [chunk] = [chunk for chunk in own.chunks(trials) if chunk.members == members]
    [trained] = own.train(trials, seeds=[job.seed for job in jobs], chunks=[chunk])
    apart = ("final_weights", "make")
    return [{k: v for k, v in vars(one).items() if k not in apart} for one in trained]
