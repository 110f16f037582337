import gzip
import os
import struct
import zlib

import numpy as np
import pytest

from tfcourse.datasets import load

Y = np.arange(40, dtype=np.uint8) % 4


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def folder(tmp_path, images):
    """A function that writes a pair of files and returns their folder."""

    def write(prefix="t10k", joint="-", packed=True, x=None, y=Y):
        for content, kind, array in [
            ("images", "idx3", images(40, 5, 6) if x is None else x),
            ("labels", "idx1", y),
        ]:
            data = array if isinstance(array, bytes) else idx(array)
            name = f"{prefix}-{content}{joint}{kind}-ubyte"
            (tmp_path / (name + ".gz" * packed)).write_bytes(
                gzip.compress(data) if packed else data
            )
        return tmp_path

    return write


def test_the_real_thing(mnist_folder):
    data = load(mnist_folder)
    assert [len(y) for y in (data.y_train, data.y_validation, data.y_test)] == [8000, 1000, 1000]
    assert data.input_shape == (28, 28) and data.classes == 10
    assert data.x_train.min() == 0 and data.x_train.max() == 1
    labels = np.concatenate([data.y_train, data.y_validation, data.y_test])
    # The counts of MNIST's test set, as published everywhere.
    assert np.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    for y in (data.y_validation, data.y_test):
        assert np.abs(np.bincount(y) - np.bincount(labels) / 10).max() < 1


@pytest.mark.parametrize("joint", ["-", "."])
@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("prefix", ["train", "t10k"])
def test_any_of_the_usual_names(folder, images, joint, packed, prefix):
    data = load(folder(prefix, joint, packed))
    every = np.concatenate([data.x_train, data.x_validation, data.x_test])
    assert every.shape == (40, 5, 6)
    assert np.isclose(every.sum(), images(40, 5, 6).sum() / 255)


def test_both_parts(folder, images):
    folder("train")
    data = load(folder("t10k", packed=False))
    assert [len(y) for y in (data.y_train, data.y_validation, data.y_test)] == [36, 4, 40]
    assert (data.x_test == images(40, 5, 6) / np.float32(255)).all()


def test_one_file_without_the_other(folder, refusal):
    path = folder()
    (path / "t10k-labels-idx1-ubyte.gz").unlink()
    assert "t10k-images-idx3-ubyte.gz' stands alone" in refusal(path)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(
    ("x", "found"),
    [
        (
            b"\0\0\x08\x03" + struct.pack(">3I", 41, 5, 6) + bytes(1200),
            "fewer than the 1,230 values",
        ),
        (
            b"\0\0\x08\x03" + struct.pack(">3I", 39, 5, 6) + bytes(1200),
            "more than the 1,170 values",
        ),
        (b"\0\0\x08\x03" + b"\xff" * 12, "claims 79,228,162,458,924,105,385,300,197,375 values"),
        (b"\0\0\x08\x03\0\0", r"begins with b'\x00\x00\x08\x03'"),
        (b"\0\0\x0d\x01\0\0\0\1\0\0\0\0", r"begins with b'\x00\x00\r\x01'"),
        (b"\0\0\x08\x00", r"begins with b'\x00\x00\x08\x00'"),
        (b"\0\0\x08\xff" + bytes(2000), r"begins with b'\x00\x00\x08\xff'"),
    ],
)
def test_headers_that_lie(folder, refusal, packed, x, found):
    assert found in refusal(folder(packed=packed, x=x))


def test_labels_and_images_that_do_not_match(folder, refusal):
    assert "label for each of 40 examples" in refusal(folder(y=Y[1:]))
    assert "shape (2, 20)" in refusal(folder(y=Y.reshape(2, 20)))


def test_wrong_checksum_and_missing_end(folder, refusal):
    path = folder()
    file = path / "t10k-images-idx3-ubyte.gz"
    whole = file.read_bytes()
    file.write_bytes(whole[:-8] + zlib.crc32(b"other").to_bytes(4, "little") + whole[-4:])
    assert "incorrect data check" in refusal(path)
    file.write_bytes(whole[:-3])
    assert "has no end" in refusal(path)


@pytest.mark.skipif(os.name != "posix", reason="needs links")
def test_a_link_out_of_the_folder(folder, refusal, tmp_path_factory):
    path = folder()
    file = path / "t10k-images-idx3-ubyte.gz"
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "images.gz"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    assert "t10k-images-idx3-ubyte.gz' links out of" in refusal(path)
