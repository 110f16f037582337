"""Fetch a set through `keras.datasets`: progress on stderr, and no waiting for a dead network."""

from __future__ import annotations

import importlib
import io
import socket
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

from tfcourse.datasets.arrays import Found
from tfcourse.datasets.files import one_line, shown


class _Progress(io.TextIOBase):
    """Stands in for stdout, where Keras reports: passes it on to stderr and notes when it did."""

    def __init__(self) -> None:
        self.moved = time.monotonic()

    def write(self, text: str) -> int:
        self.moved = time.monotonic()
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def fetch(name: str, folder: Path, files: Sequence[str], patience: float = 8.0) -> Found:
    """Download mnist or fashion_mnist into Keras's cache, which is to hold `files` in `folder`.

    Raises: ConnectionError, which says where to put the files, if the network fails, or is silent
        for `patience` seconds.
    """
    import keras

    source = importlib.import_module(f"keras.datasets.{name}")
    before = {file for file in files if (folder / file).exists()}
    result: list[Found | Exception] = []

    def work() -> None:
        try:
            train, test = source.load_data()
            result.append(Found({"train": train, "test": test}))
        except Exception as error:
            result.append(error)

    # A name server or a firewall may hold a socket far longer than its time-out says, and nothing
    # can interrupt it; but a thread can be left behind.
    worker = threading.Thread(target=work, daemon=True)
    progress = _Progress()
    timeout, talks = socket.getdefaulttimeout(), keras.config.is_interactive_logging_enabled()
    try:
        socket.setdefaulttimeout(patience)
        keras.config.enable_interactive_logging()
        with redirect_stdout(progress):
            worker.start()
            while worker.is_alive() and time.monotonic() - progress.moved < patience:
                worker.join(0.1)
    finally:
        socket.setdefaulttimeout(timeout)
        if not talks:
            keras.config.disable_interactive_logging()
        if worker.is_alive():
            for file in set(files) - before:
                (folder / file).unlink(missing_ok=True)  # half a file is worse than none
    outcome = result[0] if result else TimeoutError(f"nothing came for {patience:g} seconds")
    if isinstance(outcome, Found):
        return outcome
    raise ConnectionError(
        f"{name} is not on this machine and could not be downloaded ({one_line(outcome)}): "
        f"put {', '.join(files)} into {shown(folder)}"
    )
