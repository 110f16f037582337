"""Command lines run where they can be killed, and a data set that takes little time."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "datasets")]  # helpers, and files to damage


def pytest_collection_modifyitems(items):
    """All but the counts wait to be asked for: thousands of files, processes that are killed."""
    for item in items:
        if item.path.parent == HERE and item.path.stem != "test_hardening_counts":
            item.add_marker(pytest.mark.hardening)
    # What takes longest begins first, lest one core wait for the other at the end.
    items.sort(key=lambda item: item.path.stem != "test_hardening_kills")


class Forks:
    """Runs command lines in children of `forks.py`; those of one call at the same time."""

    def __init__(self):
        self.server = subprocess.Popen(
            [sys.executable, HERE / "forks.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.server.stdout.readline() == "ready\n"

    def __call__(self, *orders):
        self.server.stdin.write(json.dumps(orders) + "\n")
        self.server.stdin.flush()
        return json.loads(self.server.stdout.readline())


@pytest.fixture(scope="session")
def forks():
    if not sys.platform.startswith("linux"):
        pytest.skip("limits and rights are set in Linux's ways")
    forks = Forks()
    yield forks
    forks.server.stdin.close()
    forks.server.wait()


@pytest.fixture(scope="session")
def points(tmp_path_factory):
    """Path of a data set of three clouds of points."""
    rng = np.random.default_rng(0)
    y = np.arange(150) % 3
    x = rng.normal(size=(150, 2)).astype(np.float32) + np.array([[0, 0], [5, 0], [0, 5]])[y]
    path = tmp_path_factory.mktemp("points") / "points.npz"
    np.savez(path, x_train=x[:120], y_train=y[:120], x_test=x[120:], y_test=y[120:])
    return str(path)


@pytest.fixture(scope="session")
def lines():
    """Run command lines that need no TensorFlow, one after the other, with 2 GiB of memory."""

    def run(command_lines):
        done = subprocess.run(
            [sys.executable, HERE / "lines.py"],
            input=json.dumps(command_lines),
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )
        assert done.returncode == 0, done.stderr
        *answers, after = json.loads(done.stdout)
        assert not after["tensorflow"]
        return answers

    return run
