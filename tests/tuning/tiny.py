"""A trainer that takes no time: results are a function of the job, as training's are.

As a program, `tiny.py FOLDER KILLS`, it runs a study in a child process and kills it that often.
"""

import json
import math
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from tfcourse.tuning import Choice, Linear, Space, Study, coarse_to_fine
from tfcourse.tuning.rounds import run
from tfcourse.tuning.trainers import Result

SPACE = Space(x=Linear(0, 1), kind=Choice("plain", "other"))
HEAD = {"search": "random", "seed": 3, "model": "tiny", "made_with": {"python": "any"}}


class TinyTrainer:
    """The closer x is to 0.3, the better; x above 0.9 diverges, and `fails` names who raise."""

    def __init__(self, chunk=4, fails=()):
        self.size, self.fails, self.trained, self.epochs = chunk, fails, [], 0

    def train(self, jobs, wanted, on_epochs):
        for start in range(0, len(jobs), self.size):
            chunk = jobs[start : start + self.size]
            if any(job.number in wanted for job in chunk):
                yield from self.train_chunk(chunk, on_epochs)

    def train_chunk(self, chunk, on_epochs):
        # The company matters a little, as it does to the last digits of a compiled chunk.
        company = sum(job.seed for job in chunk) % 1000 * 1e-12
        for job in chunk:
            self.trained.append((job.number, job.epochs))
            self.epochs += job.epochs
            if job.number in self.fails:
                yield [Result(job, {}, 0.1, error="ValueError: too many cooks")]
                continue
            x = job.hyperparameters["x"]
            noise = np.random.default_rng(job.seed).random(job.epochs) * 1e-3
            loss = [(x - 0.3) ** 2 + 1 / (epoch + 1) for epoch in range(job.epochs)]
            if x > 0.9:
                loss[1:] = [math.nan] * (job.epochs - 1)
            accuracy = [1 - abs(x - 0.3) - n - company for n in noise.tolist()]
            on_epochs(self.epochs)
            history = {"val_loss": loss, "val_accuracy": accuracy}
            yield [Result(job, history, 0.1, model=lambda job=job: vars(job))]

    def refit(self, job):
        history = {"val_loss": [0.1] * job.epochs, "val_accuracy": [0.9] * job.epochs}
        return Result(job, history, 0.1, model=lambda: {**vars(job), "refitted": True})

    def save(self, result, path):
        Path(path).write_text(json.dumps(result.model()), encoding="utf-8")

    def test(self, trial, path):
        return {
            "accuracy": json.loads(Path(path).read_text(encoding="utf-8"))["hyperparameters"]["x"]
        }


class SlowTrainer(TinyTrainer):
    """Takes three milliseconds for a job."""

    def train_chunk(self, chunk, on_epochs):
        for results in super().train_chunk(chunk, on_epochs):
            time.sleep(0.003)
            yield results


def whole_study(folder):
    with Study(SPACE, folder, **HEAD) as study:
        search = coarse_to_fine(SPACE, 2, 120, 5, 3)
        run(
            study,
            search,
            lambda: SlowTrainer(chunk=2, fails={2}),
            seed=3,
            epochs=9,
            halving=True,
            refit=True,
        )


def main(folder, kills):
    """Kill the study whenever its journal has grown by some bytes, and count different moments."""
    rng, moments, journal = np.random.default_rng(0), set(), Path(folder, "journal.jsonl")

    def size():
        return journal.stat().st_size if journal.exists() else 0

    for _ in range(kills):
        goal = size() + rng.integers(2500)
        child = os.fork()
        if not child:
            whole_study(folder)
            os._exit(0)
        while size() < goal:
            assert os.waitpid(child, os.WNOHANG) == (0, 0), "the study ended before it was killed"
            time.sleep(0.0003)
        time.sleep(rng.uniform(0, 0.004))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        moments.add(size())
    whole_study(folder)
    print(kills, len(moments))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
