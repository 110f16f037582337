"""Keras on another backend than TensorFlow: one line says so, before anything is done."""

import os
import subprocess
import sys

import pytest

OTHER = ("jax", "torch")


def python(code, folder, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        encoding="utf-8",
        cwd=folder,
        env=os.environ | {"PYTHONUTF8": "1"} | environment,
    )


@pytest.mark.parametrize("backend", OTHER)
def test_keras_imported_on_another_backend_is_refused(tmp_path, backend):
    # A stand-in says what Keras would: the backends themselves need not be installed.
    code = f"""
import sys
from types import SimpleNamespace as Has
sys.modules["keras"] = Has(config=Has(backend=lambda: "{backend}"))
import tfcourse as tfc
tfc.tune(trials=1, epochs=1, study="study")
"""
    done = python(code, tmp_path, KERAS_BACKEND=backend)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        f"ImportError: tfcourse needs Keras on TensorFlow, but it was imported on {backend}: "
        "set KERAS_BACKEND=tensorflow"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.whole
def test_the_machine_s_other_backend_is_named_in_one_line(tmp_path):
    code = "from tfcourse._tensorflow import keras; print(keras.config.backend())"
    done = python(code, tmp_path, KERAS_BACKEND="jax")
    assert (done.returncode, done.stdout) == (0, "tensorflow\n")
    assert done.stderr == (
        "tfcourse runs Keras on TensorFlow here, not on jax as KERAS_BACKEND says\n"
    )


@pytest.mark.whole
def test_a_users_module_that_imports_keras_first_prints_no_log_lines(tmp_path):
    (tmp_path / "mine.py").write_text("import keras\n\n\ndef build(draw):\n    return None\n")
    code = "from tfcourse.tuning.models import load_build; load_build('mine:build')"
    done = python(code, tmp_path, TF_CPP_MIN_LOG_LEVEL="0", KERAS_BACKEND="tensorflow")
    assert (done.returncode, done.stderr) == (0, "")
