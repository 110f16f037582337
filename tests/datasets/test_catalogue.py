import gzip
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tfcourse.datasets import available, downloads, formats, from_arrays, load, stratified
from tfcourse.datasets.loading import CLOTHES

SETS = {entry.name: entry for entry in available()}


def idx(array):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty home of Keras."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return tmp_path / "datasets"


@pytest.fixture
def keras_mnist(monkeypatch):
    """A function that puts another loader in place of Keras's, without TensorFlow."""

    def put(load_data, talks=True):
        state = SimpleNamespace(talks=talks)
        config = SimpleNamespace(
            is_interactive_logging_enabled=lambda: state.talks,
            enable_interactive_logging=lambda: setattr(state, "talks", True),
            disable_interactive_logging=lambda: setattr(state, "talks", False),
        )
        mnist = SimpleNamespace(load_data=load_data)
        monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(config=config))
        monkeypatch.setitem(sys.modules, "keras.datasets.mnist", mnist)
        return state

    return put


def test_digits_are_the_ones_that_everybody_has():
    sklearn = pytest.importorskip("sklearn.datasets")
    theirs = sklearn.load_digits()
    x = (theirs.images / 16).astype(np.float32)
    data = load("digits")
    cuts = stratified(theirs.target, [360, 360])
    for part, at in zip(("train", "validation", "test"), cuts, strict=True):
        assert (getattr(data, f"x_{part}") == x[at]).all()
        assert (getattr(data, f"y_{part}") == theirs.target[at]).all()


def test_digits_never_change():
    data = load()
    assert [len(y) for y in (data.y_train, data.y_validation, data.y_test)] == [1077, 360, 360]
    assert data.fingerprint == "21413c5147029ea1a0b5837d0ec936874229fdde8da461b73fe40a9388ce075b"


def test_digits_carry_their_attribution():
    entry = SETS["digits"]
    with np.load(entry.folder / "digits.npz") as archive:
        attribution = str(archive["attribution"])
    for words in ("doi:10.24432/C50P49", "CC BY 4.0", "Alpaydin", "Kaynak"):
        assert words in attribution
        assert words in f"{load().source} {load().licence}"
    assert (entry.folder / "digits.npz").stat().st_size < 60_000


def test_digits_load_in_milliseconds_and_with_numpy_alone():
    code = """
import sys, time
import numpy
from tfcourse.datasets import available, load
load()
begin = time.perf_counter()
load()
available()
print(time.perf_counter() - begin)
print([name for name in ("tensorflow", "keras", "h5py", "PIL") if name in sys.modules])
"""
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    seconds, modules = printed.stdout.splitlines()
    assert modules == "[]"
    assert float(seconds) < 0.1


def test_every_entry_says_what_is_loaded():
    assert list(SETS) == ["digits", "mnist", "fashion_mnist"]
    for entry in SETS.values():
        assert entry.source and entry.licence and entry.classes == 10
    entry, data = SETS["digits"], load("digits")
    assert entry.here
    assert entry.examples == tuple(map(len, (data.y_train, data.y_validation, data.y_test)))
    assert (entry.shape, entry.class_names) == (data.input_shape, data.class_names)
    assert (entry.source, entry.licence) == (data.source, data.licence)


def test_formats_are_described():
    assert {kind.path.split()[1] for kind in formats()} == {".npz", ".h5", "folder"}
    assert all(kind.holds for kind in formats())


def test_mnist_in_keras_cache_is_used_without_keras(cache, images, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    entry = next(entry for entry in available() if entry.name == "mnist")
    assert entry.folder == cache and not entry.here
    cache.mkdir()
    x, y = images(200, 28, 28), np.arange(200, dtype=np.uint8) % 10
    np.savez(cache / "mnist.npz", x_train=x, y_train=y, x_test=x[:20], y_test=y[:20])
    data = load("mnist")
    assert entry.here
    assert (data.name, data.licence) == ("mnist", entry.licence)
    assert (len(data.x_train), len(data.x_validation)) == (180, 20)
    assert (data.x_test == x[:20] / np.float32(255)).all()


def test_fashion_mnist_in_keras_cache(cache, images, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    entry = next(entry for entry in available() if entry.name == "fashion_mnist")
    entry.folder.mkdir(parents=True)
    x, y = images(200, 28, 28), np.arange(200, dtype=np.uint8) % 10
    for name, array in zip(entry.files, (x, y, x[:20], y[:20]), strict=True):
        assert not entry.here
        (entry.folder / name).write_bytes(idx(array))
    data = load("fashion_mnist")
    assert data.class_names == CLOTHES
    assert (data.x_test == x[:20] / np.float32(255)).all()


def test_a_damaged_download_says_what_to_do(cache, refusal):
    cache.mkdir()
    (cache / "mnist.npz").write_bytes(b"PK\x03\x04 and no more")
    message = refusal("mnist")
    assert str(cache / "mnist.npz") in message
    assert message.endswith("if it was downloaded, delete it and load again")


def test_a_download_reports_on_stderr_alone(cache, images, keras_mnist, capsys):
    x, y = images(200, 28, 28), np.arange(200, dtype=np.uint8) % 10

    def load_data():
        print("Downloading data from somewhere")
        return (x, y), (x[:20], y[:20])

    state = keras_mnist(load_data, talks=False)
    data = load("mnist")
    out, err = capsys.readouterr()
    assert out == "" and "Downloading data from somewhere" in err
    assert not state.talks
    assert (
        data.fingerprint
        == from_arrays("mnist", {"train": (x, y), "test": (x[:20], y[:20])}).fingerprint
    )


def test_a_failed_download_says_where_to_put_the_file(cache, keras_mnist, refusal):
    def load_data():
        raise Exception("URL fetch failure on somewhere: None --\n[Errno -3] no name server")

    keras_mnist(load_data)
    message = refusal("mnist")
    assert "no name server" in message
    assert message.endswith(f"put mnist.npz into '{cache}'")


def test_a_silent_network_is_left_and_half_a_file_removed(cache, keras_mnist):
    cache.mkdir()
    begin = time.monotonic()

    def load_data():
        (cache / "mnist.npz").write_bytes(b"half")
        time.sleep(5)

    keras_mnist(load_data)
    with pytest.raises(ConnectionError, match=r"nothing came for 0.3 seconds"):
        downloads.fetch("mnist", cache, ["mnist.npz"], patience=0.3)
    assert time.monotonic() - begin < 2
    assert not (cache / "mnist.npz").exists()


def test_a_slow_network_is_waited_for(cache, images, keras_mnist):
    x, y = images(20, 2, 2), np.arange(20) % 2

    def load_data():
        for _ in range(10):
            print(".")
            time.sleep(0.1)
        return (x, y), (x, y)

    keras_mnist(load_data)
    assert downloads.fetch("mnist", cache, [], patience=0.5).parts["train"][0] is x


@pytest.mark.long
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_keras_itself_without_a_network(cache, monkeypatch, refusal, name):
    pytest.importorskip("keras")
    for scheme in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(scheme, "http://127.0.0.1:9")  # where nobody listens
    message = refusal(name)
    assert f"{name} is not on this machine and could not be downloaded" in message
    assert "Connection refused" in message


# What `load` accepts


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("digts", "data must be one of digits, mnist, fashion_mnist, a path, got 'digts'; did you"),
        ("", "data must be a name or a path, got ''"),
        ("nope.npz", "there is no file or folder 'nope.npz'"),
        ("no\nsuch/line", r"there is no file or folder 'no\nsuch/line'"),
        ("x" * 5000, "cannot be opened"),
        ("nul\0byte", "nul"),
    ],
)
def test_what_is_no_name_and_no_path(refusal, name, found):
    assert found in refusal(name)


@pytest.mark.parametrize("value", [None, 5, b"digits", ["digits"]])
def test_what_is_neither_text_nor_path(value):
    with pytest.raises(TypeError, match="data must be a name or a path, got"):
        load(value)


def test_a_name_wins_over_a_path(tmp_path, monkeypatch, refusal):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    assert load("digits").name == "digits"
    assert "is a folder without a data set" in refusal("./digits")


@pytest.mark.parametrize("name", ["notes.txt", "noending", "x.csv", "x.tar.gz"])
def test_files_of_no_known_kind(tmp_path, refusal, name):
    (tmp_path / name).write_text("hello")
    assert "has no ending known here, expected a .npz or .h5 file" in refusal(tmp_path / name)


@pytest.mark.skipif(os.name != "posix", reason="needs links")
def test_a_circle_of_links(tmp_path, refusal):
    (tmp_path / "a.npz").symlink_to(tmp_path / "b.npz")
    (tmp_path / "b.npz").symlink_to(tmp_path / "a.npz")
    assert "a.npz" in refusal(tmp_path / "a.npz")


@pytest.mark.skipif(os.name != "posix", reason="gives up a superuser's rights")
def test_what_may_not_be_read(images):
    """In a process of its own, so that a superuser can give up its rights."""
    code = """
import os, sys
from tfcourse.datasets import load
if os.geteuid() == 0:
    os.seteuid(65534)
for name in ("x.npz", "folder", "folder/x.npz"):
    try:
        load(os.path.join(sys.argv[1], name))
    except PermissionError as error:
        print(error)
"""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        np.savez(f"{home}/x.npz", x_train=images(9, 2), y_train=np.arange(9) % 2)
        Path(home, "folder").mkdir()
        Path(home).chmod(0o755)
        for name in ("x.npz", "folder"):
            Path(home, name).chmod(0)
        command = [sys.executable, "-c", code, home]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = printed.splitlines()
    assert len(lines) == 3 and all(line.startswith("no permission to read") for line in lines)


def test_the_digits_are_found_in_a_package_that_is_in_a_zip(tmp_path):
    package = Path(__file__).parents[2] / "tfcourse"
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in package.rglob("*"):
            if path.suffix in (".py", ".npz", ".json", ".mplstyle"):
                archive.write(path, path.relative_to(package.parent))
    code = (
        "import tfcourse as tfc; print(tfc.__file__, tfc.datasets.load('digits').fingerprint,"
        " tfc.datasets.available()[0].here)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(tmp_path / "all.zip")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == [
        str(tmp_path / "all.zip" / "tfcourse" / "__init__.py"),
        load("digits").fingerprint,
        "True",
    ], done.stderr
