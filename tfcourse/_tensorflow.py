"""TensorFlow and Keras, loaded without the messages that TensorFlow's libraries print.

TensorFlow's C++ libraries write to file descriptor 2 while they load, and no setting stops all of
it (TF_CPP_MIN_LOG_LEVEL works only for what comes later). So the descriptor is turned away for as
long as the import lasts; should the import fail, what was written is shown after all.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from tfcourse._compiled import opened

_was_loaded = "tensorflow" in sys.modules
# Else TensorFlow tells as an error that it reads what was compiled, and cannot be kept from it.
_is_quiet = not _was_loaded or os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "3"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# A companion to a TensorFlow course runs Keras on TensorFlow, whatever the machine's Keras prefers.
_preferred = os.environ.get("KERAS_BACKEND") or "tensorflow"
if "keras" in sys.modules:
    _loaded = sys.modules["keras"].config.backend()
    if _loaded != "tensorflow":
        raise ImportError(
            f"tfcourse needs Keras on TensorFlow, but it was imported on {_loaded}: "
            "set KERAS_BACKEND=tensorflow, or import keras after tfcourse.classifier"
        )
elif _preferred != "tensorflow":
    print(
        f"tfcourse runs Keras on TensorFlow here, not on {_preferred} as KERAS_BACKEND says",
        file=sys.stderr,
    )
os.environ["KERAS_BACKEND"] = "tensorflow"


@contextmanager
def _standard_error_held_back() -> Iterator[None]:
    try:
        kept = os.dup(2)
    except OSError:  # no standard error at all: nothing to hold back
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


with nullcontext() if _was_loaded else _standard_error_held_back():
    import keras
    import tensorflow as tf

    KEPT: Path | None = None
    if tuple(map(int, tf.__version__.split(".")[:2])) >= (2, 21):
        if _is_quiet or os.environ.get("TFCOURSE_CACHE"):
            KEPT = opened(tf.__version__, tf.version.GIT_VERSION)
    elif not _was_loaded:  # there the compiler greets when it is first used, and heeds no setting
        tf.function(lambda: tf.constant(0.0) + 1, jit_compile=True)()

__all__ = ["KEPT", "keras", "tf"]
