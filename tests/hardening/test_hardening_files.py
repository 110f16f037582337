"""Files nobody vouches for: the right data, or one line and status 2, within 2 GiB and 10 s."""

import gzip
import os
import pickle
import struct
import zipfile

import h5py
import numpy as np
import pytest
from PIL import Image
from test_damage import (
    CHECKSUMMED,
    CUTS,
    FLIPS,
    UNCHECKED,
    Y,
    damaged,
    lying_png,
    write_bombs,
    write_idx,
    write_npz,
    write_png,
)

SECONDS = 10
WRITERS = CHECKSUMMED + UNCHECKED
BOMBS = 7
IN_THE_WAY = "is a folder; a file to write is expected"


def pixels(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def zip_of_something_else(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "nothing here")


def bytes_of(content):
    return lambda path: path.write_bytes(content)


WRONG_KINDS = {
    "empty": bytes_of(b""),
    "web page": bytes_of(b"<!doctype html><html><title>404</title></html>"),
    "LFS pointer": bytes_of(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"),
    "pickle": bytes_of(pickle.dumps({"x_train": [1]})),
    "table": bytes_of(b"x,y\n1,2\n"),
    "zeros": bytes_of(bytes(1000)),
    "gzip of text": bytes_of(gzip.compress(b"text")),
    "zip of something else": zip_of_something_else,
    "folder": lambda path: path.mkdir(),
    "pipe": lambda path: os.mkfifo(path),
    "endless device": lambda path: path.symlink_to("/dev/zero"),
    "circle of links": lambda path: path.symlink_to(path.name),
}


class Trap:
    """Unpickled, it writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def object_array(folder):
    x = np.empty(40, object)
    x[:] = [Trap(folder / "sprung") for _ in range(40)]
    np.savez(folder / "set.npz", x_train=x, y_train=Y)
    return folder / "set.npz"


def pickled_member(folder):
    write_npz(folder, pixels(40, 6, 5))
    with zipfile.ZipFile(folder / "data.npz", "a") as archive:
        archive.writestr("x_validation.npy", pickle.dumps(Trap(folder / "sprung")))
    return folder / "data.npz"


def hdf5_without_x(folder):
    """An HDF5 set that lacks its examples, and a file outside that nobody may open."""
    os.mkfifo(folder / "secret")  # whoever opens it waits for ever
    (folder / "set").mkdir()
    file = h5py.File(folder / "set/set.h5", "w")
    file["train_set_y"] = Y
    return file


def external_link(folder):
    with hdf5_without_x(folder) as file:
        file["train_set_x"] = h5py.ExternalLink("../secret", "x")
    return folder / "set/set.h5"


def external_storage(folder):
    with hdf5_without_x(folder) as file:
        outside = [(str(folder / "secret"), 0, 40 * 30)]
        file.create_dataset("train_set_x", (40, 6, 5), np.uint8, external=outside)
    return folder / "set/set.h5"


def virtual(folder):
    with hdf5_without_x(folder) as file:
        layout = h5py.VirtualLayout((40, 6, 5), np.uint8)
        layout[:] = h5py.VirtualSource(str(folder / "secret"), "x", (40, 6, 5))
        file.create_virtual_dataset("train_set_x", layout)
    return folder / "set/set.h5"


def linked_group(folder):
    with hdf5_without_x(folder) as file:
        file["elsewhere"] = h5py.ExternalLink("../secret", "/")
        file["train_set_x"] = h5py.SoftLink("/elsewhere/x")
    return folder / "set/set.h5"


def circle_in_hdf5(folder):
    with hdf5_without_x(folder) as file:
        file["train_set_x"] = h5py.SoftLink("/train_set_x")
    return folder / "set/set.h5"


def image_linking_out(folder):
    given, victim = write_png(folder / "set", pixels(40, 6, 5))
    victim.rename(folder / "secret.png")
    victim.symlink_to(folder / "secret.png")
    return given


def folder_linking_out(folder):
    given, victim = write_png(folder / "set", pixels(40, 6, 5))
    victim.parent.rename(folder / "secret")
    victim.parent.symlink_to(folder / "secret")
    return given


def false_count(count):
    def write(folder):
        given, victim = write_idx(folder / "set", pixels(40, 6, 5))
        whole = victim.read_bytes()
        victim.write_bytes(whole[:4] + struct.pack(">I", count) + whole[8:])
        return given

    return write


def labels(values):
    def write(folder):
        np.savez(folder / "set.npz", x_train=pixels(40, 6, 5), y_train=values)
        return folder / "set.npz"

    return write


def values(change):
    def write(folder):
        x = pixels(40, 6, 5).astype(np.float64)
        change(x)
        np.savez(folder / "set.npz", x_train=x, y_train=Y)
        return folder / "set.npz"

    return write


def one_value(value):
    return values(lambda x: x.__setitem__((3, 2, 1), value))


def huge_image(folder):
    given, victim = write_png(folder / "set", pixels(40, 6, 5))
    victim.write_bytes(lying_png(20000, 20000))
    return given


def real_huge_image(folder):
    given, victim = write_png(folder / "set", pixels(40, 6, 5))
    Image.new("1", (20000, 20000)).save(victim)
    return given


def unreadable(folder):
    given, victim = write_npz(folder, pixels(40, 6, 5))
    victim.chmod(0)
    return given


REFUSED = {
    "object array": object_array,
    "pickled member": pickled_member,
    "external link": external_link,
    "external storage": external_storage,
    "virtual data set": virtual,
    "link through an external group": linked_group,
    "link to itself": circle_in_hdf5,
    "image that links out": image_linking_out,
    "folder that links out": folder_linking_out,
    "one example too many": false_count(41),
    "no examples": false_count(0),
    "four billion examples": false_count(2**32 - 1),
    "text as labels": labels(np.array(["cat", "dog"] * 20)),
    "fractions as labels": labels(Y + 0.5),
    "dates as labels": labels(np.array(["2020-01-01"] * 40, "M8[D]")),
    "labels below 0": labels(Y.astype(int) - 1),
    "labels of 10¹⁸": labels(Y.astype(int) * 10**18),
    "labels for others": labels(Y[:39]),
    "a label for all": labels(np.array(1)),
    "a single class": labels(0 * Y),
    "NaN": one_value(np.nan),
    "infinity": one_value(-np.inf),
    "1e308": one_value(1e308),
    "image of 20000×20000 that is none": huge_image,
    "image of 20000×20000": real_huge_image,
}


def tiny_images(folder):
    return write_png(folder / "set", pixels(40, 1, 1))[0]


def odd_path(folder):
    (folder / "ein Ordner 中文 'x' $y").mkdir()
    return write_npz(folder / "ein Ordner 中文 'x' $y", pixels(40, 6, 5))[0]


def odd_names(folder):
    for name in ("猫 cat", "-dog"):
        (folder / "set" / name).mkdir(parents=True)
        for number in range(8):
            Image.fromarray(pixels(8, 6, 5)[number]).save(folder / f"set/{name}/图 {number}.png")
    return folder / "set"


ACCEPTED = {
    "images of 1×1": tiny_images,
    "spaces, quotes and 中文": odd_path,
    "odd names of classes and images": odd_names,
}


@pytest.fixture
def train(tmp_path, monkeypatch, lines):
    """Give data sets to `tfcourse train`, with a folder where the model is to be written.

    Who gets as far as that folder has read its data; nobody needs to train.
    """
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)

    def run(paths):
        for path in paths:
            (work / path.with_suffix(".keras").name).mkdir(exist_ok=True)
        before = sorted(work.iterdir())
        answers = lines([["train", "--data", str(path)] for path in paths])
        assert sorted(work.iterdir()) == before
        for answer in answers:
            assert answer["status"] == 2 and answer["out"] == "", answer
            assert answer["err"].startswith("tfcourse: ") and answer["err"].count("\n") == 1, answer
            assert len(answer["err"]) < 900 and "\x1b" not in answer["err"]
            assert answer["seconds"] < SECONDS
        return [IN_THE_WAY not in answer["err"] for answer in answers]

    return run


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__[6:])
def test_bits_flipped_and_ends_cut(tmp_path, train, write):
    (tmp_path / "0").mkdir()
    _, victim = write(tmp_path / "0", pixels(40, 6, 5))
    paths = []
    for number, content in enumerate(damaged(victim.read_bytes()), start=1):
        (tmp_path / str(number)).mkdir()
        given, victim = write(tmp_path / str(number), pixels(40, 6, 5))
        victim.write_bytes(content)
        paths.append(given)
    assert len(paths) == FLIPS + CUTS
    refused = train(paths)
    assert all(refused[FLIPS:])
    assert write in UNCHECKED or sum(refused) > FLIPS / 2


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__[6:])
def test_wrong_kinds_under_the_right_name(tmp_path, train, write):
    paths = []
    for name, make in WRONG_KINDS.items():
        (tmp_path / name).mkdir()
        given, victim = write(tmp_path / name, pixels(40, 6, 5))
        victim.unlink()
        make(victim)
        paths.append(given)
    assert all(train(paths))


def test_hostile_files(tmp_path, train):
    paths = []
    for name, make in REFUSED.items():
        (tmp_path / name / "set").mkdir(parents=True)
        if make in (external_link, external_storage, virtual, linked_group, circle_in_hdf5):
            (tmp_path / name / "set").rmdir()
        paths.append(make(tmp_path / name))
    refused = dict(zip(REFUSED, train(paths), strict=True))
    assert all(refused.values()), refused
    assert not list(tmp_path.rglob("sprung"))


def test_odd_but_sound_files(tmp_path, train):
    paths = []
    for name, make in ACCEPTED.items():
        (tmp_path / name / "set").mkdir(parents=True)
        paths.append(make(tmp_path / name))
    assert not any(train(paths))


def test_bombs(tmp_path, train):
    write_bombs(tmp_path / "bombs")
    paths = sorted((tmp_path / "bombs").iterdir())
    assert len(paths) == BOMBS
    assert all(train([next(path.glob("*.npz"), path) for path in paths]))


def test_files_that_must_not_be_read(tmp_path, forks):
    given = unreadable(tmp_path)
    order = {"arguments": ["train", "--data", str(given)], "folder": str(tmp_path)}
    [done] = forks({**order, "without_rights": True})
    assert done["status"] == 2 and done["err"].count("\n") == 1, done
    assert "no permission to read" in done["err"]
