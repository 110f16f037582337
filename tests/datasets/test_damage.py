"""Files with flipped bits and cut ends, and files that claim or unpack to far too much."""

import gzip
import os
import pickle
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from tfcourse._checks import InputError
from tfcourse.datasets import load, read_images

FLIPS, CUTS = 200, 20
Y = np.arange(40, dtype=np.uint8) % 2


def write_npz(folder, x, save=np.savez):
    save(folder / "data.npz", x_train=x, y_train=Y, x_test=x[:8], y_test=Y[:8])
    return folder / "data.npz", folder / "data.npz"


def write_packed_npz(folder, x):
    return write_npz(folder, x, np.savez_compressed)


def write_idx(folder, x, pack=bytes, ending=""):
    for name, array in [("images-idx3", x), ("labels-idx1", Y)]:
        sizes = struct.pack(f">{array.ndim}I", *array.shape)
        path = folder / f"t10k-{name}-ubyte{ending}"
        path.write_bytes(pack(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()))
    return folder, folder / f"t10k-images-idx3-ubyte{ending}"


def write_packed_idx(folder, x):
    return write_idx(folder, x, gzip.compress, ".gz")


def write_hdf5(folder, x, **options):
    with h5py.File(folder / "train_set.h5", "w") as file:
        file.create_dataset("train_set_x", data=x, **options)
        file.create_dataset("train_set_y", data=Y.astype(np.int64)[None])
        file.create_dataset("list_classes", data=np.array([b"non-cat", b"cat"]))
    return folder / "train_set.h5", folder / "train_set.h5"


def write_packed_hdf5(folder, x):
    return write_hdf5(folder, x, chunks=(9, 6, 5), compression="gzip", shuffle=True)


def write_png(folder, x, ending="png"):
    for number, pixels in enumerate(x[:8]):
        path = folder / "ab"[Y[number]] / f"{number}.{ending}"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(path)
    return folder, path


def write_jpeg(folder, x):
    return write_png(folder, x, "jpg")


CHECKSUMMED = [write_npz, write_packed_npz, write_packed_idx, write_png]
UNCHECKED = [write_idx, write_hdf5, write_packed_hdf5, write_jpeg]


def damaged(whole):
    """The bytes of a file, damaged in all the ways that are tried."""
    rng = np.random.default_rng(0)
    for at in rng.integers(0, 8 * len(whole), FLIPS):
        flipped = bytearray(whole)
        flipped[at // 8] ^= 1 << at % 8
        yield bytes(flipped)
    yield from (whole[: len(whole) * cut // CUTS] for cut in range(CUTS))


@pytest.mark.parametrize("write", CHECKSUMMED + UNCHECKED, ids=lambda write: write.__name__[6:])
def test_damage_is_noticed_or_harmless(tmp_path, images, write):
    given, victim = write(tmp_path, images(40, 6, 5))
    right = load(given)
    refused = 0
    for content in damaged(victim.read_bytes()):
        victim.write_bytes(content)
        try:
            data = load(given)
        except (ValueError, FileNotFoundError) as error:
            assert isinstance(error, InputError | FileNotFoundError)
            assert "\n" not in str(error) and len(str(error)) < 600
            refused += 1
            continue
        if write in CHECKSUMMED:
            assert data.fingerprint == right.fingerprint
        assert 0 <= data.x_train.min() <= data.x_train.max() <= 1
        assert set(data.y_train) == set(range(data.classes))
    assert refused >= CUTS


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "is an empty file"),
        (b"\n <!DOCTYPE html><title>404</title>", "is an HTML page"),
        (b"<html><title>Sign in</title>", "is an HTML page"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0",
            "is a Git LFS pointer (fetch",
        ),
        (pickle.dumps({"x_train": 1}), "is a pickle"),
        (b"x,y\n1,2\n", r"is of no kind known here (its first bytes are b'x,y\n1,2\n')"),
        (b"%PDF-1.7", "is a PDF document"),
    ],
)
@pytest.mark.parametrize("write", CHECKSUMMED + UNCHECKED, ids=lambda write: write.__name__[6:])
def test_a_wrong_kind_under_the_right_name(tmp_path, images, refusal, write, content, found):
    given, victim = write(tmp_path, images(40, 6, 5))
    victim.write_bytes(content)
    message = refusal(given)
    assert str(victim) in message and found in message and ", expected " in message


@pytest.mark.parametrize("write", CHECKSUMMED + UNCHECKED, ids=lambda write: write.__name__[6:])
def test_a_folder_under_the_name_of_a_file(tmp_path, images, refusal, write):
    given, victim = write(tmp_path, images(40, 6, 5))
    victim.unlink()
    victim.mkdir()
    assert "is a folder" in refusal(given)


def test_a_damaged_array_to_predict(tmp_path, images):
    path = tmp_path / "x.npy"
    np.save(path, images(3, 6, 5))
    for content in damaged(path.read_bytes()):
        path.write_bytes(content)
        try:
            assert read_images(path, (6, 5)).shape == (3, 6, 5)
        except ValueError as error:
            assert "\n" not in str(error) and str(path) in str(error)


def lying_png(width, height):
    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    parts = [(b"IHDR", header), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def write_bombs(folder: Path) -> None:
    """Small files, one of them in each subfolder, that ask for gigabytes in every format."""
    zeros = bytes(100_000_000)
    names = ("idx", "idx-claim", "png", "large-png", "hdf5", "npz", "chunks")
    idx, claim, png, large, hdf5, npz, chunks = (folder / name for name in names)
    for path in (idx, claim, hdf5, npz, chunks, png / "a", png / "b", large / "a", large / "b"):
        path.mkdir(parents=True)
    for path, sizes in [(idx, (40, 6, 5)), (claim, (2**32 - 1,) * 3)]:
        content = b"\0\0\x08\x03" + struct.pack(">3I", *sizes) + zeros
        (path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(content, 1))
        (path / "t10k-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01\0\0\0\x28" + Y.tobytes())
    for path, side in [(png, 20000), (large, 9000)]:
        for name in "ab":
            (path / name / "1.png").write_bytes(lying_png(side, side))
    with h5py.File(hdf5 / "set.h5", "w") as file:
        file.create_dataset("train_set_x", (40, 10**6, 10**6), np.uint8)
        file.create_dataset("train_set_y", data=Y)
    with h5py.File(chunks / "set.h5", "w") as file:
        x = file.create_dataset(
            "train_set_x", (40, 50000), np.uint8, chunks=(40, 50000), compression="gzip"
        )
        x.id.write_direct_chunk((0, 0), zlib.compress(zeros))
        file.create_dataset("train_set_y", data=Y)
    x = np.broadcast_to(np.uint8(0), (40, 6_000_000))
    np.savez_compressed(npz / "set.npz", x_train=x, y_train=Y)


LOADER = """
import resource, sys, time
from tfcourse.datasets import load
resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
for path in sys.argv[1:]:
    begin = time.perf_counter()
    try:
        print(repr(load(path)))
    except ValueError as error:
        print(error)
    print(time.perf_counter() - begin)
"""


def loaded(paths):
    """What a process with 2 GiB of memory says of each path, none of which may take 10 s."""
    pytest.importorskip("resource")
    command = [sys.executable, "-c", LOADER, *map(str, paths)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = run.stdout.splitlines()
    assert len(lines) == 2 * len(paths)
    assert max(map(float, lines[1::2])) < 10
    return lines[::2]


def test_bombs_do_not_go_off(tmp_path):
    write_bombs(tmp_path)
    paths = sorted(tmp_path.iterdir())
    paths = [next(path.glob("*.npz"), path) for path in paths]
    said = dict(zip([path.name for path in paths], loaded(paths), strict=True))
    assert "packs more into /train_set_x than it claims" in said["chunks"]
    assert "claims 40,000,000,000,040 values" in said["hdf5"]
    assert "holds more than the 1,200 values it claims" in said["idx"]
    assert "claims 79,228,162,458,924,105,385,300,197,375 values" in said["idx-claim"]
    assert "has 9000×9000 pixels, more than the 50,000,000 accepted" in said["large-png"]
    assert "exceeds limit" in said["png"]
    assert "claims 240,000,040 values" in said["set.npz"]


@pytest.mark.parametrize(
    ("name", "magic"), [("set.npz", b"PK\x03\x04"), ("set.h5", b"\x89HDF\r\n\x1a\n")]
)
def test_files_too_large_to_read(tmp_path, refusal, name, magic):
    path = tmp_path / name
    path.write_bytes(magic)
    os.truncate(path, 2**29 + 1)  # a hole, that takes no room
    assert "has 536,870,913 bytes, more than the 536,870,912 accepted" in refusal(path)


@pytest.mark.long
def test_the_largest_set_that_is_accepted_fits(tmp_path):
    y = np.arange(100_000) % 10
    x = np.broadcast_to(np.uint8(255), (100_000, 40, 49))
    np.savez_compressed(tmp_path / "set.npz", x_train=x, y_train=y)
    (said,) = loaded([tmp_path / "set.npz"])
    assert said.endswith(
        "input_shape=(40, 49), classes=10, train/validation/test=80000/10000/10000)"
    )
