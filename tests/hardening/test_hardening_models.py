"""Model files nobody vouches for: refused with the reason; nothing of them is run or believed."""

import io
import json
import os
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from tfcourse import saving
from tfcourse._tensorflow import keras

CUTS, FLIPS = 20, 200
SEEN = "/etc/hostname"  # a file that every machine has, and no model may read


@pytest.fixture(scope="module")
def sound(points, tmp_path_factory):
    """Path of a model as `tfcourse train` writes it."""
    from tfcourse import datasets
    from tfcourse.classifier import Hyperparameters, build

    data = datasets.load(points)
    model = build((2,), 3, Hyperparameters(units=4, layers=1), standardize=(0.0, 1.0))
    path = tmp_path_factory.mktemp("sound") / "model.keras"
    saving.save(model, path, saving.Card.of(data, points, Hyperparameters(), 0))
    return path


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path, content, how=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def with_config(change):
    """A model file with `change(config)` made to its configuration."""

    def make(path, sound):
        content = members(sound)
        config = json.loads(content["config.json"])
        config = change(config) or config
        write(path, {**content, "config.json": json.dumps(config)})

    return make


def with_layer(module, name, /, **config):
    """A model file with one more layer, which was never built here."""

    def change(model):
        values = {"name": "extra", **config}
        layer = {"module": module, "class_name": name, "config": values, "registered_name": None}
        model["config"]["layers"].append(layer)

    return with_config(change)


def with_weights(change):
    """A model file with `change(file)` made to its weights, an HDF5 file."""

    def make(path, sound):
        content = members(sound)
        weights = io.BytesIO(content["model.weights.h5"])
        with h5py.File(weights, "a") as file:
            kernels = []
            file.visititems(
                lambda name, item: (
                    kernels.append(name)
                    if isinstance(item, h5py.Dataset) and item.ndim == 2
                    else None
                )
            )
            change(file, kernels[0])
        write(path, {**content, "model.weights.h5": weights.getvalue()})

    return make


def linked_weights(file, kernel):
    del file[kernel]
    file[kernel] = h5py.ExternalLink("/dev/stdin", "x")


def stored_outside(file, kernel):
    shape = file[kernel].shape
    del file[kernel]
    file.create_dataset(kernel, shape, np.float32, external=[(SEEN, 0, 4 * shape[0] * shape[1])])


def virtual_weights(file, kernel):
    shape = file[kernel].shape
    del file[kernel]
    layout = h5py.VirtualLayout(shape, np.float32)
    layout[:] = h5py.VirtualSource("/dev/stdin", "x", shape)
    file.create_virtual_dataset(kernel, layout)


def terabytes(file, kernel):
    del file[kernel]
    file.create_dataset(kernel, (10**6, 10**6), np.float32, chunks=(10, 10))


def other_weights(file, kernel):
    shape = file[kernel].shape
    del file[kernel]
    file[kernel] = np.zeros((shape[0] + 1, shape[1]), np.float32)


def no_weights(file, kernel):
    del file[kernel]


def lambda_layer(path, sound):
    inputs = keras.Input((2,))
    outputs = keras.layers.Lambda(lambda x: x * 2)(inputs)
    keras.Model(inputs, outputs).save(path)


@keras.saving.register_keras_serializable("hardening")
class Own(keras.layers.Layer):
    def call(self, x):
        return x


def own_layer(path, sound):
    keras.Sequential([keras.Input((2,)), Own()]).save(path)


def slip(name):
    def make(path, sound):
        write(path, {**members(sound), name: b"slipped"})

    return make


def slip_link(path, sound):
    """A member that is a link to a folder outside, and one that would be written through it."""
    write(path, members(sound))
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("assets")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "..")
        archive.writestr("assets/slipped", b"slipped")


def bomb(name):
    def make(path, sound):
        write(path, {**members(sound), name: bytes(2**30)}, zipfile.ZIP_DEFLATED)

    return make


def units(number):
    """A last layer of so many units, by a change of one number."""

    def change(model):
        dense = [x for x in model["config"]["layers"] if x["class_name"] == "Dense"]
        dense[-1]["config"]["units"] = number

    return with_config(change)


def deep(path, sound):
    write(path, {**members(sound), "config.json": '{"a":' * 100_000 + "1" + "}" * 100_000})


def newer(path, sound):
    content = members(sound)
    content["metadata.json"] = json.dumps({"keras_version": "99.0.0"})
    config = json.loads(content["config.json"])
    config["config"]["layers"][-1]["class_name"] = "DenseOfTheFuture"
    write(path, {**content, "config.json": json.dumps(config)})


def bytes_of(content):
    return lambda path, sound: path.write_bytes(content)


def legacy(path, sound):
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = "{}"


def code_in(key):
    """Where a configuration may name a function, name one that runs commands."""

    def change(model):
        dense = next(x for x in model["config"]["layers"] if x["class_name"] == "Dense")
        dense["config"][key] = {
            "module": "os",
            "class_name": "function",
            "config": "system",
            "registered_name": "system",
        }

    return with_config(change)


def named(key, value):
    def change(model):
        dense = next(x for x in model["config"]["layers"] if x["class_name"] == "Dense")
        dense["config"][key] = value

    return with_config(change)


REFUSED = {
    "empty": bytes_of(b""),
    "web page": bytes_of(b"<!doctype html><title>404</title>"),
    "LFS pointer": bytes_of(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
    "pickle": bytes_of(b"\x80\x04cos\nsystem\n."),
    "HDF5 of old": legacy,
    "folder": lambda path, sound: path.mkdir(),
    "pipe": lambda path, sound: os.mkfifo(path),
    "zip of something else": lambda path, sound: write(path, {"notes.txt": b""}),
    "no configuration": lambda path, sound: write(
        path, {k: v for k, v in members(sound).items() if k != "config.json"}
    ),
    "configuration that is a number": with_config(lambda config: 3),
    "configuration without end": deep,
    "Lambda layer": lambda_layer,
    "layer of one's own": own_layer,
    "registered function": named("activation", "hardening>run"),
    "activation that runs commands": code_in("activation"),
    "initializer that runs commands": code_in("kernel_initializer"),
    "regularizer that runs commands": code_in("kernel_regularizer"),
    "function of keras that downloads": named(
        "activation",
        {"module": "keras.utils", "class_name": "function", "config": "get_file"},
    ),
    "vocabulary from a file": with_layer(
        "keras.layers", "StringLookup", vocabulary=SEEN, num_oov_indices=1
    ),
    "TensorFlow program": with_layer("keras.layers", "TFSMLayer", filepath="/tmp"),
    "Torch module": with_layer("keras.layers", "TorchModuleWrapper", module="gASVAAAA"),
    "loss that is code": with_layer("builtins", "eval"),
    "weights of 4 gigabytes claimed": units(2 * 10**8),
    "weights of 160 gigabytes claimed": units(8 * 10**9),
    "weights that claim terabytes": with_weights(terabytes),
    "weights of another shape": with_weights(other_weights),
    "weights missing": with_weights(no_weights),
    "weights linked from outside": with_weights(linked_weights),
    "weights stored outside": with_weights(stored_outside),
    "weights virtual": with_weights(virtual_weights),
    "configuration that unpacks to a gigabyte": bomb("config.json"),
    "weights that unpack to a gigabyte": bomb("model.weights.h5"),
    "card that unpacks to a gigabyte": bomb(saving.CARD),
    "card that is a list": lambda path, sound: write(path, {**members(sound), saving.CARD: b"[]"}),
    "saved by a newer Keras": newer,
}
SLIPS = {
    "../": slip("../slipped"),
    "assets/../../": slip("assets/../../slipped"),
    "absolute": slip("/tmp/slipped"),
    "backslashes": slip("..\\slipped"),
    "link": slip_link,
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_reason(forks, sound, tmp_path, name):
    path = tmp_path / "model.keras"
    REFUSED[name](path, sound)
    before = sorted(tmp_path.rglob("*"))
    order = {"arguments": ["evaluate", "model.keras"], "folder": str(tmp_path)}
    [done] = forks(order)
    assert done["status"] == 2 and done["out"] == "" and done["err"].count("\n") == 1, done
    assert "model.keras" in done["err"] and len(done["err"]) < 600, done
    assert done["seconds"] < 30 and done["memory"] < 2**31, done
    assert "bytes, more than the" in done["err"] or "gigabyte" not in name, done
    assert Path(SEEN).read_text().strip() not in done["err"]
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", SLIPS)
def test_names_that_slip_out_write_nothing_outside(forks, sound, tmp_path, name):
    folder = tmp_path / "a/b"
    folder.mkdir(parents=True)
    SLIPS[name](folder / "model.keras", sound)
    [done] = forks({"arguments": ["evaluate", "model.keras"], "folder": str(folder)})
    assert done["status"] in (0, 2) and "Traceback" not in done["err"], done
    assert not list(tmp_path.rglob("slipped")) and not Path("/tmp/slipped").exists()


def test_cut_or_with_bits_flipped(tfcourse, sound, tmp_path):
    """Every model that loads at all gives the answers of the sound one, or is refused."""
    whole, path = sound.read_bytes(), tmp_path / "model.keras"
    path.write_bytes(whole)
    right = tfcourse("evaluate", path, "--json")
    rng, refused = np.random.default_rng(0), 0
    cuts = [whole[: len(whole) * cut // CUTS] for cut in range(CUTS)]
    flips = []
    for at in rng.integers(0, 8 * len(whole), FLIPS):
        flipped = bytearray(whole)
        flipped[at // 8] ^= 1 << at % 8
        flips.append(bytes(flipped))
    for content in cuts + flips:
        path.write_bytes(content)
        done = tfcourse("evaluate", path, "--json")
        assert done.status in (0, 2) and "Traceback" not in done.err, done
        if done.status:
            assert done.err.count("\n") == 1 and "model.keras" in done.err, done
        else:
            assert done == right
        refused += done.status == 2
    assert refused >= CUTS
