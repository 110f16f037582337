"""The same search over several machines, on Ray.

A work item is a chunk of trials, cut as on one machine, so that the same seed comes to the same
results. Workers only train: the process that searches saves models and writes the journal alone.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from tfcourse.training import Epoch, Trained, chunks, train
from tfcourse.training.engine import cores
from tfcourse.training.models import Builder
from tfcourse.training.objective import Objective
from tfcourse.tuning.extras import require
from tfcourse.tuning.models import Own, Packaged
from tfcourse.tuning.trainers import Job, Trainer, describe

ATTEMPTS = 4  # at a chunk whose worker is killed, or whose machine is lost
CONNECT_SECONDS = 5


class ClusterTrainer(Trainer):
    """Trains chunks wherever the cluster has a core to spare, several at a time."""

    def __init__(
        self,
        model: Packaged | Own,
        objective: Objective,
        *,
        batch_size: int,
        patience: int | None,
        address: str,
    ) -> None:
        """Join a cluster.

        address: HOST:PORT of its head, "auto" for the cluster that this machine belongs to, or
        "local" to start one on this machine that lasts as long as this process.
        Raises: ConnectionError if there is none, ModuleNotFoundError without the extra `ray`.
        """
        super().__init__(
            model, objective, engine="compiled", batch_size=batch_size, patience=patience
        )
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
        self._shared = ray.put((model, self._objective, patience))
        self._work = ray.remote(num_cpus=1, max_retries=ATTEMPTS - 1)(_train_chunk)

    def leave(self) -> None:
        """Leave the cluster, if this was what joined it: Ray tells its news, late, until then."""
        if self._joined:
            self._ray.shutdown()

    def _train(
        self, jobs: Sequence[Job], wanted: Sequence[int], on_epoch: Callable[[Epoch], None]
    ) -> Iterator[Sequence[Trained]]:
        """Models of each chunk as it comes in.

        Raises: ConnectionError if the cluster loses a chunk again and again, or itself.
        """
        ray, shared = self._ray, self._shared
        seeds, draws = [job.seed for job in jobs], [self._draw(job) for job in jobs]
        members = [
            chunk
            for chunk in chunks(self._build, draws, self.model.data, seeds=seeds)
            if set(chunk) & set(wanted)
        ]
        alone = set(wanted).difference(*members)  # models that cannot be built, which says why
        listed, threads = ray.put((draws, seeds)), cores()
        running = {
            self._work.remote(shared.hex(), shared, listed, chunk, threads): chunk
            for chunk in [*members, *((index,) for index in sorted(alone))]
        }
        try:
            while running:
                [done], _ = ray.wait(list(running))
                chunk = running.pop(done)
                try:
                    figures = ray.get(done)
                except ray.exceptions.RayTaskError as error:
                    raise error.cause from None
                except ray.exceptions.RayError as error:
                    raise ConnectionError(
                        f"the cluster lost a chunk of {len(chunk)} trials {ATTEMPTS} times:"
                        f" {describe(error)}"
                    ) from error
                trained = [self._received(jobs[own["trial"]], own) for own in figures]
                for number in range(max(one.epochs for one in trained)):
                    on_epoch(Epoch(number, chunk, {}))
                yield trained
        finally:
            for reference in running:
                ray.cancel(reference, force=True)

    def _received(self, job: Job, own: dict[str, Any]) -> Trained:
        make = partial(Builder(self._build, self.model.data).model, self._draw(job), job.seed)
        return Trained(**own, final_weights=[], make=make)


_data: dict[str, Any] = {}  # in a worker: its study's build and data, with programs


def _train_chunk(
    key: str,
    shared: tuple[Packaged | Own, Any, int | None],
    listed: tuple[list[dict[str, Any]], list[int]],
    members: tuple[int, ...],
    threads: int,
) -> list[dict[str, Any]]:
    """Train one chunk of trials in a worker; of each `Trained`, send back what is plain data."""
    if key not in _data:
        _data.clear()
        _data[key] = *shared, shared[0].build
    (model, objective, patience, build), (draws, seeds) = _data[key], listed
    found = train(
        build,
        draws,
        model.data,
        seeds=seeds,
        objective=objective,
        patience=patience,
        wanted=members,
        threads=threads,
    )
    apart = ("final_weights", "make", "memory")
    return [
        {k: v for k, v in vars(one).items() if k not in apart} for chunk in found for one in chunk
    ]
