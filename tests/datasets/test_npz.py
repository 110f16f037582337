import io
import pickle
import warnings
import zipfile

import numpy as np
import pytest

from tfcourse.datasets import load


class Trap:
    """Unpickling this would write a file."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return (open, (str(self.target), "w"))


@pytest.fixture
def sets(images):
    y = (np.arange(40) % 4).astype(np.uint8)
    return {"x_train": images(40, 5, 6), "y_train": y, "x_test": images(8, 5, 6), "y_test": y[:8]}


def packed(path, members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def stored(array):
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_keras_layout(tmp_path, sets, save):
    path = tmp_path / "my data 数据.npz"
    save(path, **sets, extra=np.array("not read"))
    data = load(path)
    assert data.name == "my data 数据.npz" and data.source == str(path)
    assert (len(data.x_train), len(data.x_validation), len(data.x_test)) == (36, 4, 8)
    assert (data.x_test == sets["x_test"] / np.float32(255)).all()
    assert (data.y_test == sets["y_test"]).all()
    assert load(str(path)).fingerprint == data.fingerprint


@pytest.mark.parametrize("name", ["validation", "val", "valid"])
def test_a_validation_part_that_is_there_is_used(tmp_path, sets, name):
    path = tmp_path / "data.npz"
    np.savez(path, **sets, **{f"x_{name}": sets["x_test"][:3], f"y_{name}": sets["y_test"][:3]})
    data = load(path)
    assert (len(data.x_train), len(data.x_validation), len(data.x_test)) == (40, 3, 8)


def test_two_parts_to_validate_with_are_refused(tmp_path, sets, refusal):
    path = tmp_path / "data.npz"
    few = {
        f"{key[:2]}{name}": sets[key] for key in ("x_test", "y_test") for name in ("val", "valid")
    }
    np.savez(path, **sets, **few)
    assert "holds validation data twice, as x_val and x_valid, expected a NumPy .npz" in refusal(
        path
    )


def test_orders_and_types_of_numpy(tmp_path, sets):
    np.savez(tmp_path / "c.npz", **sets)
    fortran = {key: np.asfortranarray(array) for key, array in sets.items()}
    np.savez(tmp_path / "f.npz", **fortran | {"y_train": sets["y_train"].astype(">f8")})
    assert load(tmp_path / "c.npz").fingerprint == load(tmp_path / "f.npz").fingerprint


def test_a_header_of_python_2_is_read_without_a_warning(tmp_path, sets):
    members = {f"{key}.npy": stored(array) for key, array in sets.items()}
    header = members["y_test.npy"]
    members["y_test.npy"] = header.replace(b"(8,), } ", b"(8L,), }")
    assert members["y_test.npy"] != header
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (load(packed(tmp_path / "old.npz", members)).y_test == sets["y_test"]).all()


def test_pickles_are_never_loaded(tmp_path, sets, refusal):
    sprung = tmp_path / "sprung"
    objects = np.array([Trap(sprung)] * 40, dtype=object)
    for key, expected in [("y_train", "Python objects"), ("x_test", "Python objects")]:
        path = tmp_path / "objects.npz"
        np.savez(path, allow_pickle=True, **sets | {key: objects})
        assert f"holds {expected} (pickled), which are never loaded as {key}" in refusal(path)
    path = tmp_path / "pickle.npz"
    path.write_bytes(pickle.dumps(Trap(sprung)))
    assert "is a pickle" in refusal(path)
    assert not sprung.exists()


@pytest.mark.parametrize("lacking", ["x_train", "y_train", "x_test", "y_test"])
def test_an_array_without_its_partner(tmp_path, sets, refusal, lacking):
    del sets[lacking]
    np.savez(tmp_path / "data.npz", **sets)
    assert f"lacks {lacking} (it holds 'x_t" in refusal(tmp_path / "data.npz")


def test_archives_of_other_things(tmp_path, sets, refusal):
    path = tmp_path / "data.npz"
    assert "lacks x_train (it holds 'letter.txt')" in refusal(packed(path, {"letter.txt": "hello"}))
    assert "is an empty zip archive" in refusal(packed(path, {}))
    assert "lacks x_train (it holds 'a0', 'a1', 'a2', 'a3', 'a4', 'a5', …)" in refusal(
        packed(path, {f"a{number}": "" for number in range(9)})
    )
    many = {f"{number:0200}": "" for number in range(5000)}
    assert "too many members" in refusal(packed(path, many))
    members = {f"{key}.npy": stored(array) for key, array in sets.items()}
    assert "cannot be decoded" in refusal(packed(path, members | {"x_test.npy": "hello"}))
    assert "packs x_train by method 14" in refusal(packed(path, members, zipfile.ZIP_LZMA))


def test_ends_that_are_missing_or_too_much(tmp_path, sets, refusal):
    path = tmp_path / "data.npz"
    np.savez(path, **sets)
    whole = path.read_bytes()
    for content in (whole[:-1], whole[: len(whole) // 2], whole + b"more"):
        path.write_bytes(content)
        assert "does not end as an archive does" in refusal(path)


def test_text_and_records_are_no_numbers(tmp_path, sets, refusal):
    path = tmp_path / "data.npz"
    np.savez(path, **sets | {"y_train": sets["y_train"].astype(str)})
    assert "holds text as y_train" in refusal(path)
    np.savez(path, **sets | {"x_train": np.zeros(40, [("a", "f4")])})
    assert "values of type [('a', '<f4')] as x_train" in refusal(path)


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ("(1000000000000, 8, 8)", "claims 64,000,000,"),
        ("(18446744073709551617, 8)", "claims 147,573,952,"),
        ("(-40, 5, 6)", "claims an array of shape (-40, 5, 6)"),
        ("(41, 5, 6)", "cannot be decoded (EOF"),
        ("(39, 5, 6)", "more data than its header says"),
    ],
)
def test_a_header_that_lies_about_the_size(tmp_path, sets, refusal, shape, found):
    members = {f"{key}.npy": stored(array) for key, array in sets.items()}
    head, data = members["x_train.npy"][:128], members["x_train.npy"][128:]
    lie = head.replace(b"(40, 5, 6)", shape.encode()).rstrip(b" \n").ljust(127) + b"\n"
    members["x_train.npy"] = lie + data
    assert found in refusal(packed(tmp_path / "data.npz", members))


def test_a_header_of_gigabytes(tmp_path, sets, refusal):
    members = {f"{key}.npy": stored(array) for key, array in sets.items()}
    members["x_train.npy"] = b"\x93NUMPY\x02\x00\xff\xff\xff\xff{"
    assert "not in version 1.0" in refusal(packed(tmp_path / "data.npz", members))
