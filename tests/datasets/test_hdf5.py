import os
import zlib

import h5py
import numpy as np
import pytest

from tfcourse.datasets import load

Y = np.arange(40).reshape(1, 40) % 2  # the course's labels are (1, m)
NAMES = np.array([b"non-cat", b"cat"])


@pytest.fixture
def half(images):
    """A function that writes one file of a pair and returns its path."""

    def write(path, part="train", x=None, y=Y, names=NAMES, **options):
        with h5py.File(path, "w") as file:
            x = images(40, 6, 5, 3) if x is None else x
            for key, array in [(f"{part}_set_x", x), (f"{part}_set_y", y), ("list_classes", names)]:
                if array is not None:
                    chunked = options if key.endswith("_x") else {}
                    file.create_dataset(key, data=array, **chunked)
        return path

    return write


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"chunks": True},
        {"chunks": (7, 6, 5, 2), "compression": "gzip"},
        {"shuffle": True, "fletcher32": True, "compression": "gzip"},
        {"maxshape": (None, 6, 5, 3)},
    ],
    ids=str,
)
def test_a_pair_from_either_file_or_the_folder(tmp_path, half, images, options):
    one = half(tmp_path / "train_cats 猫.h5", **options)
    other = half(tmp_path / "test_cats 猫.h5", "test", **options)
    data = load(one)
    assert data.class_names == ("non-cat", "cat")
    assert [len(y) for y in (data.y_train, data.y_validation, data.y_test)] == [36, 4, 40]
    assert (data.x_test == images(40, 6, 5, 3) / np.float32(255)).all()
    assert (data.y_test == Y.ravel()).all()
    assert load(other).fingerprint == load(tmp_path).fingerprint == data.fingerprint


def test_one_half_is_cut_in_three(tmp_path, half):
    data = load(half(tmp_path / "test_cats.h5", "test"))
    assert [len(y) for y in (data.y_train, data.y_validation, data.y_test)] == [32, 4, 4]


def test_both_parts_in_one_file(tmp_path, half):
    path = half(tmp_path / "train_all.hdf5", names=None)
    with h5py.File(path, "a") as file:
        file["test_set_x"] = file["train_set_x"][:8]
        file["test_set_y"] = file["train_set_y"][:, :8]
    half(tmp_path / "test_all.hdf5", "test")  # so this is not needed
    assert len(load(path).x_test) == 8
    assert load(path).class_names == ("0", "1")


@pytest.mark.parametrize("names", [["non-cat", "cat"], [0, 1], np.array([["a"], ["b"]], "S1")])
def test_class_names_of_any_kind(tmp_path, half, names):
    data = load(half(tmp_path / "set.h5", names=names))
    assert data.class_names == tuple(np.asarray(names).ravel().astype(str))


def test_uncompressible_chunks(tmp_path, half, images):
    # gzip would make noise longer, so HDF5 stores it plain, with a note on the chunk
    x = images(40, 64, 5, 3)
    data = load(half(tmp_path / "set.h5", x=x, compression="gzip", chunks=(1, 64, 5, 3)))
    assert np.isclose(
        sum(x.sum() for x in (data.x_train, data.x_validation, data.x_test)), x.sum() / 255
    )


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"x": None, "part": "dev"}, "lacks train_set_x and test_set_x"),
        ({"y": None}, "lacks train_set_y"),
        ({"x": np.zeros((40, 6), np.float32)}, "holds float32 as train_set_x"),
        ({"x": np.zeros((40, 6), np.int8)}, "holds int8 as train_set_x"),
        ({"y": np.array(["cat", "non-cat"] * 20, "S7")}, "holds text as train_set_y"),
        ({"y": ["cat", "non-cat"] * 20}, "holds text as train_set_y"),
        ({"y": h5py.Empty("i8")}, "holds nothing as train_set_y"),
        ({"names": np.array([0.5, 1.5])}, "holds float64 as list_classes"),
        ({"names": ["cat", "x" * 1000]}, "a class name of 1,000 characters"),
        ({"names": np.arange(10_001)}, "holds 10,001 class names"),
        ({"names": np.array([b"cat", b"\xff\xfe"])}, "cannot be decoded"),
        ({"names": np.array([b"cat"])}, "holds label 1, expected 0 … 0"),
        ({"names": np.array([b"a", b"b", b"c"])}, "no example of class c"),
        ({"y": Y[:, 1:]}, "label for each of 40 examples"),
    ],
)
def test_contents_that_are_none(tmp_path, half, refusal, changed, found):
    assert found in refusal(half(tmp_path / "train_set.h5", **changed))


def test_halves_that_do_not_match(tmp_path, half, refusal):
    one = half(tmp_path / "train_set.h5")
    half(tmp_path / "test_set.h5", "train")
    assert "test_set.h5' repeats the part or has other class names" in refusal(one)
    half(tmp_path / "test_set.h5", "test", names=np.array([b"cat", b"non-cat"]))
    assert "test_set.h5' repeats the part or has other class names" in refusal(one)
    half(tmp_path / "test_set.h5", "test", names=None)
    assert "test_set.h5' repeats the part or has other class names" in refusal(one)


def test_several_pairs_in_a_folder(tmp_path, half, refusal):
    half(tmp_path / "train_cats.h5")
    half(tmp_path / "test_dogs.h5", "test")
    assert "holds 2 HDF5 sets, expected the path of one" in refusal(tmp_path)


def test_nothing_is_read_from_other_files(tmp_path, half, refusal, images):
    secret = half(tmp_path / "secret.h5")
    raw = tmp_path / "secret.bin"
    raw.write_bytes(bytes(40 * 6 * 5 * 3))
    path = tmp_path / "train_set.h5"

    def rewritten(key, change):
        half(path)
        with h5py.File(path, "a") as file:
            del file[key]
            change(file)
        return refusal(path)

    def virtual(file):
        layout = h5py.VirtualLayout((40, 6, 5, 3), np.uint8)
        layout[:] = h5py.VirtualSource(secret, "train_set_x", (40, 6, 5, 3))
        file.create_virtual_dataset("train_set_x", layout)

    def external(file):
        options = {"external": [(str(raw), 0, h5py.h5f.UNLIMITED)]}
        file.create_dataset("train_set_x", (40, 6, 5, 3), np.uint8, **options)

    def group(file):
        file.create_group("train_set_x")["data"] = images(40, 6, 5, 3)

    for key in ("train_set_x", "train_set_y", "list_classes"):
        for link in (h5py.ExternalLink(secret, key), h5py.SoftLink("/other")):
            said = rewritten(key, lambda file, key=key, link=link: file.__setitem__(key, link))
            assert f"only links to {key}" in said
    assert "keeps train_set_x in other files" in rewritten("train_set_x", virtual)
    assert "keeps train_set_x in other files" in rewritten("train_set_x", external)
    assert "holds a group as train_set_x" in rewritten("train_set_x", group)


@pytest.mark.skipif(os.name != "posix", reason="needs links")
def test_the_other_half_may_not_lie_elsewhere(tmp_path, half, refusal):
    folder = tmp_path / "folder"
    folder.mkdir()
    one = half(folder / "train_set.h5")
    (folder / "test_set.h5").symlink_to(half(tmp_path / "test_set.h5", "test"))
    assert "test_set.h5' links out of" in refusal(one)


def test_claims_without_the_bytes(tmp_path, refusal):
    path = tmp_path / "set.h5"

    def claimed(shape, **options):
        with h5py.File(path, "w") as file:
            file.create_dataset("train_set_x", shape, np.uint8, **options)
            file.create_dataset("train_set_y", data=np.arange(40) % 2)
        assert path.stat().st_size < 50_000
        return refusal(path)

    assert "claims 4,000,000,000,040 values" in claimed((40, 10**5, 10**6))
    assert "claims 4,000,000,000,040 values" in claimed((40, 10**5, 10**6), chunks=(1, 1000, 1000))
    assert "holds 0 of the 3,600 bytes of /train_set_x" in claimed((40, 6, 5, 3))
    assert "holds 0 of the 40 chunks" in claimed((40, 6, 5, 3), chunks=(1, 6, 5, 3))
    huge = claimed((40, 6, 5, 3), chunks=(2000, 1000, 1000, 1), maxshape=(None, None, None, None))
    assert "chunks of 2,000,000,000 bytes" in huge
    assert "claims 1,000,000 chunks of 1 bytes" in claimed((10**6, 1), chunks=(1, 1))


def test_chunks_that_unpack_to_more_than_they_claim(tmp_path, refusal):
    path = tmp_path / "set.h5"
    bomb = zlib.compress(bytes(100_000_000))
    with h5py.File(path, "w") as file:
        x = file.create_dataset(
            "train_set_x", (40, 9999), np.uint8, chunks=(40, 9999), compression="gzip"
        )
        x.id.write_direct_chunk((0, 0), bomb)
        file.create_dataset("train_set_y", data=np.arange(40) % 2)
    assert "packs more into /train_set_x than it claims" in refusal(path)


@pytest.mark.parametrize("options", [{"compression": "lzf"}, {"scaleoffset": 0}])
def test_filters_that_need_more_than_gzip(tmp_path, half, refusal, options):
    assert "filters other than gzip" in refusal(half(tmp_path / "set.h5", **options))


@pytest.mark.skipif(os.name != "posix", reason="needs links and pipes")
def test_a_pipe_is_not_waited_for(tmp_path, refusal):
    os.mkfifo(tmp_path / "train_set.h5")
    assert "is not a regular file" in refusal(tmp_path / "train_set.h5")
