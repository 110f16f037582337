"""Programs under names of their own: the same figures, and each compiled once."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfcourse._tensorflow import KEPT
from tfcourse.training import compilation
from tfcourse.training.compilation import Kept

needs_a_folder = pytest.mark.skipif(
    KEPT is None, reason="before TensorFlow 2.21 compiled programs are not kept"
)


@pytest.fixture(autouse=True)
def named(monkeypatch, tmp_path):
    """Names are given whether or not what is compiled is kept here."""
    monkeypatch.setattr(compilation, "KEPT", KEPT or tmp_path)


def traced(factor=2.0, name=None):
    """A program with a loop, a branch, a captured tensor and a layer called so."""
    layer = keras.layers.Dense(3, name=name, kernel_initializer="ones")
    layer.build((None, 4))
    kernel, much = layer.kernel.numpy() * factor, tf.range(5000.0)

    def program(told, flag, nothing):
        with tf.name_scope(layer.name):
            _, x = tf.while_loop(
                lambda i, _: i < 3,
                lambda i, x: (i + 1, tf.matmul(tf.matmul(x, kernel), kernel, transpose_b=True)),
                (tf.constant(0), told["x"]),
            )
            y = tf.cond(flag, lambda: x + much[4], lambda: x * told["y"])
        return {"y": y, "x": x}, [tf.reduce_sum(y)]

    function = tf.function(program, jit_compile=True, autograph=False)
    return function.get_concrete_function(*ARGUMENTS)


X = tf.constant(np.eye(2, 4, dtype="float32"))
ARGUMENTS = {"y": tf.constant(3.0), "x": X}, tf.constant(True), None


def entries():
    return {path.name for path in KEPT.glob("*.pb")}


@pytest.mark.parametrize("flag", [True, False])
def test_it_computes_what_the_traced_function_does_in_the_same_structure(flag):
    original, arguments = traced(), (ARGUMENTS[0], tf.constant(flag), None)
    found, wanted = Kept(original)(*arguments), original(*arguments)
    tf.nest.assert_same_structure(found, wanted)
    for one, other in zip(tf.nest.flatten(found), tf.nest.flatten(wanted), strict=True):
        assert np.array_equal(one, other)


@needs_a_folder
def test_a_program_traced_again_is_not_compiled_again_and_another_one_is():
    Kept(traced(name="first"))(*ARGUMENTS)
    before = entries()
    Kept(traced(name="second"))(*ARGUMENTS)
    assert entries() == before
    factor = float(np.random.default_rng().uniform())  # never seen, in no earlier run of the tests
    found, _ = Kept(traced(factor))(*ARGUMENTS)
    assert len(entries() - before) == 1
    assert np.allclose(found["x"], traced(factor)(*ARGUMENTS)[0]["x"])


def test_what_cannot_be_run_under_its_name_is_run_as_it_is():
    program = Kept(traced())

    def broken(*_):
        raise tf.errors.DataLossError(None, None, "an entry that was spoilt")

    program._named = broken
    wanted = traced()(*ARGUMENTS)
    for _ in range(2):
        assert np.array_equal(program(*ARGUMENTS)[0]["y"], wanted[0]["y"])


def run_program(text):
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


SPOIL = """
import shutil
from tfcourse._tensorflow import KEPT
shutil.rmtree(KEPT)
KEPT.write_text("a file")
"""
PROGRAM = """
import numpy as np
import tfcourse as tfc

rng = np.random.default_rng(0)
x, y = rng.normal(size=(2, 60, 4)).astype("float32")
data = tfc.training.Data(x, y[:, 0] > 0, x, y[:, 0] > 0)
trials = [{"learning_rate": 0.1, "batch_size": 20}]
((found,),) = tfc.training.train(lambda h: tfc.build((4,), 2), trials, data, epochs=2)
print(found.history["val_loss"].tolist(), found.notes)
"""


@needs_a_folder
@pytest.mark.hardening
@pytest.mark.parametrize("place", [0.0, 0.5])
def test_later_processes_find_it_and_a_spoilt_entry_is_compiled_again(tmp_path, place, monkeypatch):
    monkeypatch.setenv("TFCOURSE_CACHE", str(tmp_path))
    monkeypatch.delenv("TF_XLA_FLAGS")

    def run():
        done = run_program(PROGRAM)
        (entry,) = tmp_path.rglob("*.pb")
        return done.stdout, entry, entry.stat().st_mtime_ns

    first = run()
    assert run() == first
    sound = first[1].read_bytes()
    spoilt = bytearray(sound)
    spoilt[int(place * len(spoilt)) :: 50] = bytes(len(spoilt[int(place * len(spoilt)) :: 50]))
    first[1].write_bytes(spoilt)
    healed = run()
    assert healed[:2] == first[:2] and healed[1].read_bytes() != spoilt


@needs_a_folder
@pytest.mark.hardening
def test_a_folder_that_can_no_longer_be_written_costs_time_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("TFCOURSE_CACHE", str(tmp_path))
    monkeypatch.delenv("TF_XLA_FLAGS")
    figures, _, notes = run_program(PROGRAM).stdout.partition("] ")
    spoilt, _, told = run_program(SPOIL + PROGRAM).stdout.partition("] ")
    assert np.allclose(json.loads(figures + "]"), json.loads(spoilt + "]"), rtol=1e-4)
    assert notes == "()\n" and "cannot be written" in told
