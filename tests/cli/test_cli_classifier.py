"""`tfcourse train`, `evaluate`, `predict`, `datasets`, `demo`."""

import gzip
import json
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tfcourse import datasets
from tfcourse._tensorflow import keras

MNIST = Path(__file__).parents[3] / "shared" / "data" / "mnist"
TINY = ("--epochs", 1, "--units", 8)


@pytest.fixture(scope="module")
def kept():
    """What `trained` has come to, once it has been asked for."""
    return {}


@pytest.fixture
def trained(tfcourse, tmp_path, kept):
    """What a training says, which has left digits.keras here."""
    if not kept:
        done = tfcourse("train", *TINY, "--json")
        assert done.status == 0, done
        kept |= {"said": json.loads(done.out), "model": Path("digits.keras").read_bytes()}
    (tmp_path / "digits.keras").write_bytes(kept["model"])
    return kept["said"]


def test_train_reports_what_evaluate_repeats_to_the_last_digit(tfcourse, trained):
    assert trained["model"] == "digits.keras"
    assert trained["parameters"] == keras.saving.load_model("digits.keras").count_params()
    again = json.loads(tfcourse("evaluate", "digits.keras", "--json").out)
    assert again["test_accuracy"] == trained["test_accuracy"] > 0.15
    assert again["test_loss"] == trained["test_loss"]
    assert {"validation_accuracy", "seconds"} <= set(trained)


@pytest.mark.whole
def test_training_shows_a_line_per_epoch(tfcourse):
    done = tfcourse("train", "--epochs", 2, "--units", "8,4", "--confusion", "--recalibrate")
    assert re.findall(r"epoch (\d)/2   loss \d", done.err) == ["1", "2"]
    assert "test accuracy 0." in done.out and "saved in digits.keras" in done.out
    assert "true \\ predicted" in done.out


@pytest.mark.whole
def test_the_same_seed_writes_the_same_weights(tfcourse, trained):
    done = tfcourse("train", *TINY, "--seed", 0, "--data", "digits", "--out", "b.keras")
    assert done.status == 0, done
    files = ("digits.keras", "b.keras")
    weights = [keras.saving.load_model(name).get_weights() for name in files]
    assert all((a == b).all() for a, b in zip(*weights, strict=True))


@pytest.mark.whole
@pytest.mark.skipif(not MNIST.exists(), reason="MNIST is not on this machine")
def test_real_mnist(tfcourse):
    done = tfcourse("train", "--data", MNIST, *TINY, "--batch-size", 512, "--json")
    result = json.loads(done.out)
    assert result["test_accuracy"] > 0.3
    assert "8000 training, 1000 validation, 1000 test examples" in done.err
    again = json.loads(tfcourse("evaluate", result["model"], "--json").out)
    assert again["test_accuracy"] == result["test_accuracy"]


def test_predict_reads_images_and_arrays(tfcourse, trained, tmp_path):
    digits = datasets.load("digits")
    pixels = np.round(digits.x_test[:3] * 255).astype(np.uint8)
    Image.fromarray(pixels[0]).save(tmp_path / "数字 0.png")
    Image.fromarray(pixels[1]).resize((32, 32)).convert("RGB").save(tmp_path / "large.jpg")
    np.save(tmp_path / "stack.npy", pixels)
    images = ["数字 0.png", "large.jpg", "stack.npy"]
    done = tfcourse("predict", "digits.keras", *images)
    names = [line.split("   ")[0].strip() for line in done.out.splitlines()]
    assert names == ["数字 0.png", "large.jpg", "stack.npy[0]", "stack.npy[1]", "stack.npy[2]"]
    result = json.loads(tfcourse("predict", "digits.keras", *images, "--json").out)["predictions"]
    assert result[0]["class"] == result[2]["class"]
    model = keras.saving.load_model("digits.keras")
    expected = np.asarray(model(pixels / np.float32(255)))
    np.testing.assert_allclose(
        [list(p["probabilities"].values()) for p in result[2:]], expected, rtol=1e-5
    )


@pytest.mark.whole
def test_evaluate_says_so_when_the_data_set_has_changed(tfcourse, tmp_path):
    rng = np.random.default_rng(0)

    def write():
        arrays = {f"x_{part}": rng.random((40, 5), dtype="float32") for part in ("train", "test")}
        labels = {f"y_{part}": np.arange(40) % 2 for part in ("train", "test")}
        np.savez(tmp_path / "mine.npz", **arrays, **labels)

    write()
    tfcourse("train", "--data", "mine.npz", *TINY)
    plain = tfcourse("evaluate", "mine.keras")
    path = str((tmp_path / "mine.npz").resolve())
    assert plain.err == (
        f"note: the data are read from {path!r}, as mine.keras says; --data names other data\n"
    )
    assert tfcourse("evaluate", "mine.keras", "--data", "mine.npz").err == ""
    write()
    assert "is no longer what mine.keras was trained on" in tfcourse("evaluate", "mine.keras").err


def test_datasets_are_listed(tfcourse):
    named = json.loads(tfcourse("datasets", "--json").out)["datasets"]
    assert [entry["name"] for entry in named] == ["digits", "mnist", "fashion_mnist"]
    assert named[0]["here"] and named[0]["examples"] == [1077, 360, 360]
    assert "CC BY 4.0" in tfcourse("datasets").out


@pytest.mark.whole
def test_demo_takes_the_tour(tfcourse, tmp_path):
    result = json.loads(tfcourse("demo", "--json").out)
    assert result["w"] == 4.99999 and result["test_accuracy"] > 0.95
    assert (tmp_path / result["model"]).exists()
    assert all((tmp_path / figure).exists() for figure in result["figures"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--layers", -1], "layers"),
        (["--layers", "two"], "got 'two'"),
        (["--units", 0], "units .* got 0"),
        (["--units", "64;64"], "units .* got '64;64'"),
        (["--units", "64,64,64"], "one for each of the 2 layers, got 3"),
        (["--activation", "rellu"], "did you mean 'relu'"),
        (["--batch-norm-position", "between"], "before, after, got 'between'"),
        (["--dropout", 1], "dropout .* got 1"),
        (["--optimizer", "sgdd"], "optimizer .* got 'sgdd'"),
        (["--learning-rate", "nan"], "learning_rate .* got nan"),
        (["--learning-rate", "inf"], "learning_rate .* got inf"),
        (["--momentum", 1], "momentum .* got 1"),
        (["--decay", -1], "decay .* got -1"),
        (["--batch-size", 0], "batch_size .* got 0"),
        (["--epochs", 0], "epochs .* got 0"),
        (["--seed", -1], "seed .* got -1"),
        (["--data", "digit"], "digit"),
        (["--out", "model.h5"], "must end in .keras, got '.h5'"),
        (["--out", "nowhere/model.keras"], "nowhere .* does not exist"),
        (["--learning-rate", 1e30, "--optimizer", "gradient_descent", "--no-batch-norm"], "diverg"),
    ],
)
def test_bad_options_are_one_line(tfcourse, tmp_path, arguments, words):
    done = tfcourse("train", *arguments)
    assert done.status == 2 and re.search(words, done.err.splitlines()[-1]), done
    assert list(tmp_path.iterdir()) == []


def html(path):
    path.write_text("<!DOCTYPE html><html><body>404</body></html>")


def lfs_pointer(path):
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n")


def truncated(path):
    np.savez(path, x_train=np.zeros((9, 9)), y_train=np.arange(9) % 2)
    path.write_bytes(path.read_bytes()[:300])


def arrays(**changed):
    rng = np.random.default_rng(0)
    whole = {
        "x_train": rng.random((40, 5)),
        "y_train": np.arange(40) % 3,
        "x_test": rng.random((12, 5)),
        "y_test": np.arange(12) % 3,
    }

    def make(path):
        np.savez(path, **{**whole, **changed})

    return make


def idx_with_a_false_count(folder):
    folder.mkdir()
    header = struct.pack(">IIII", 2051, 1000, 28, 28)
    (folder / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(header + bytes(784)))
    labels = struct.pack(">II", 2049, 1000) + bytes(1000)
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))


def images_of_mixed_size(folder):
    for number, name in enumerate(("cat", "dog", "cat", "dog", "cat", "dog")):
        (folder / name).mkdir(parents=True, exist_ok=True)
        size = (8, 8 + number // 4)
        Image.new("L", size).save(folder / name / f"{number}.png")


nan = np.random.default_rng(0).random((40, 5))
nan[3, 2] = np.nan


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("page.h5", html, "HTML"),
        ("pointer.h5", lfs_pointer, "Git LFS"),
        ("pointer.npz", lfs_pointer, "Git LFS"),
        ("cut.npz", truncated, "expected"),
        ("objects.npz", arrays(x_train=np.array([{}] * 40, dtype=object)), "object"),
        ("range.npz", arrays(y_train=np.arange(40) % 3 - 1), "-1"),
        ("half.npz", arrays(y_train=np.arange(40) / 2), "whole|integer"),
        ("lengths.npz", arrays(y_train=np.arange(39) % 3), "39"),
        ("nan.npz", arrays(x_train=nan), "nan|NaN|finite"),
        ("infinite.npz", arrays(x_test=np.full((12, 5), np.inf)), "inf|finite"),
        ("empty.npz", arrays(x_train=np.zeros((0, 5)), y_train=np.zeros(0, int)), "0|no|empty"),
        ("single.npz", arrays(y_train=np.zeros(40, int), y_test=np.zeros(12, int)), "class"),
        ("idx", idx_with_a_false_count, "784,000"),
        ("mixed", images_of_mixed_size, "size|8"),
    ],
)
def test_bad_data_is_one_line(refused, tmp_path, name, make, words):
    make(tmp_path / name)
    message = refused("train", "--data", name)
    assert re.search(words, message) and "Traceback" not in message, message


def test_bad_models_and_images_are_one_line(tfcourse, refused, trained, tmp_path):
    (tmp_path / "text.keras").write_text("no model")
    (tmp_path / "text.png").write_text("no image")
    np.save(tmp_path / "wide.npy", np.zeros((9, 9)))
    np.savez(tmp_path / "other.npz", x_train=np.eye(9), y_train=np.arange(9) % 2)
    for arguments, words in [
        (["evaluate", "text.keras"], "no Keras model"),
        (["evaluate", "missing.keras"], "there is no model"),
        (["evaluate", "digits.keras", "--data", MNIST], r"\(8, 8\), got \(28, 28\)"),
        (["predict", "digits.keras", "missing.png"], "missing.png"),
        (["predict", "digits.keras", "text.png"], "text.png"),
        (["predict", "digits.keras", "wide.npy"], r"\(9, 9\).*\(8, 8\)"),
        (["predict", "digits.keras"], "Missing argument"),
    ]:
        if MNIST in arguments and not MNIST.exists():
            continue
        assert re.search(words, refused(*arguments))


def test_evaluate_downloads_nothing_on_a_files_word(refused, trained, monkeypatch, tmp_path):
    import zipfile

    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "none"))
    with zipfile.ZipFile("digits.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    card = json.loads(members["tfcourse.json"]) | {"data": "mnist"}
    members["tfcourse.json"] = json.dumps(card).encode()
    with zipfile.ZipFile("digits.keras", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert "to have that done, give --data mnist" in refused("evaluate", "digits.keras")


def test_samples_are_written_and_recognized_as_they_are(tfcourse, refused, trained, tmp_path):
    done = tfcourse("datasets", "--export", "digits", "samples", "--json")
    written = json.loads(done.out)["images"]
    assert len(written) == 30
    done = tfcourse("predict", "digits.keras", *written[:2], "--show", "seen.png", "--json")
    said = json.loads(done.out)
    assert said["prepared"] and said["predictions"][0]["doubt"] is None
    assert Image.open(tmp_path / "seen.png").size[0] > 300
    assert "must be a new or an empty folder" in refused(
        "datasets", "--export", "digits", "samples"
    )


def test_a_blank_page_is_doubted_and_as_is_prepares_nothing(tfcourse, trained, tmp_path):
    Image.new("L", (90, 120), 230).save(tmp_path / "blank.png")
    done = tfcourse("predict", "digits.keras", "blank.png")
    assert "doubtful: no ink stands out from the paper" in done.out
    plain = json.loads(tfcourse("predict", "digits.keras", "blank.png", "--as-is", "--json").out)
    assert not plain["prepared"] and plain["predictions"][0]["doubt"] is None


@pytest.mark.whole
def test_every_model_that_was_there_is_kept_beside_the_new_one(tfcourse, trained, tmp_path):
    kept = []
    for n in (1, 2):
        kept.append((tmp_path / "digits.keras").read_bytes())
        done = tfcourse("train", "--epochs", 1, "--layers", 0, "--seed", n)
        assert f"the model that was in digits.keras is kept in digits.before-{n}.keras" in done.err
    assert [(tmp_path / f"digits.before-{n}.keras").read_bytes() for n in (1, 2)] == kept
    assert len({*kept, (tmp_path / "digits.keras").read_bytes()}) == 3
