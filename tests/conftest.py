"""What tests share: the command line, run in this process so that TensorFlow loads once."""

import gc
import os
import signal
import sys
from dataclasses import dataclass

import numpy as np
import pytest

# Run in the background, a shell has its commands ignore Ctrl-C, which some tests press.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config):
    """What is compiled is kept here, and not among the user's."""
    cache = getattr(config, "cache", None)  # none with `-p no:cacheprovider`
    os.environ["TFCOURSE_CACHE"] = str(cache.mkdir("tfcourse")) if cache else "off"


def pytest_collection_finish():
    """What has been imported is no garbage: looking through TensorFlow's for some takes long."""
    gc.freeze()


@dataclass(frozen=True)
class Run:
    status: int
    out: str
    err: str


@pytest.fixture
def tfcourse(monkeypatch, capsys, tmp_path):
    """Run a command line in an empty folder: `tfcourse("train", "--epochs", 1)`."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Run:
        from tfcourse.cli import main

        monkeypatch.setattr(sys, "argv", ["tfcourse", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main()
        captured = capsys.readouterr()
        return Run(exit_.value.code or 0, captured.out, captured.err)

    return run


@pytest.fixture(autouse=True)
def numbers_printed_alike():
    """A script may set NumPy's way of printing, but not for the tests after it."""
    with np.printoptions():
        yield


@pytest.fixture
def eager():
    """Keras runs as it is written: where few steps are taken, tracing them would take longest."""
    from tfcourse._tensorflow import tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def refused(tfcourse, tmp_path):
    """Run a command line that must be refused: status 2, one line on stderr, nothing written."""

    def run(*arguments: object) -> str:
        before = sorted(tmp_path.rglob("*"))
        result = tfcourse(*arguments)
        assert result.status == 2, result
        assert result.out == ""
        assert result.err.count("\n") == 1 and result.err.startswith("tfcourse: "), result.err
        assert sorted(tmp_path.rglob("*")) == before
        return result.err

    return run
