"""A saved classifier is a plain Keras file, and a file that is none is refused."""

import dataclasses
import json
import zipfile

import numpy as np
import pytest

from tfcourse import datasets, saving
from tfcourse._tensorflow import keras
from tfcourse.classifier import Hyperparameters, build


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def model():
    return build((8, 8), 10, Hyperparameters(units=4), standardize=(np.float32(0.3), 0.1))


@pytest.fixture
def saved(model, digits, tmp_path):
    path = tmp_path / "digits.keras"
    saving.save(model, path, saving.Card.of(digits, "digits", Hyperparameters(units=4), 7))
    return path


def test_keras_opens_the_file_as_it_is(saved, model, digits):
    again = keras.saving.load_model(saved)
    x = digits.x_test[:10]
    np.testing.assert_array_equal(again(x), model(x))
    assert [path.name for path in saved.parent.iterdir()] == ["digits.keras"]


def test_the_card_says_what_it_was_trained_on(saved, digits):
    _, card = saving.load(saved)
    assert (card.data, card.fingerprint, card.seed) == ("digits", digits.fingerprint, 7)
    assert tuple(card.class_names) == digits.class_names
    assert Hyperparameters.from_mapping(card.hyperparameters) == Hyperparameters(units=4)


def test_a_path_is_remembered_wherever_one_goes(digits, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path)
    card = saving.Card.of(digits, "here", Hyperparameters(), 0)
    assert card.data == str(tmp_path / "here")


def test_the_name_of_a_data_set_is_kept_beside_a_folder_called_so(digits, tmp_path, monkeypatch):
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    assert saving.Card.of(digits, "digits", Hyperparameters(), 0).data == "digits"


def test_a_model_without_a_card_loads_too(model, tmp_path):
    model.save(tmp_path / "plain.keras")
    again, card = saving.load(tmp_path / "plain.keras")
    assert card is None and again.output_shape == (None, 10)


def test_a_failed_save_leaves_the_old_file(saved, model, digits, monkeypatch):
    old = saved.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(OSError, match="No space"):
        saving.save(model, saved, saving.Card.of(digits, "digits", Hyperparameters(), 0))
    assert saved.read_bytes() == old
    assert [path.name for path in saved.parent.iterdir()] == ["digits.keras"]


def lambda_model(path):
    inputs = keras.Input((4,))
    keras.Model(inputs, keras.layers.Lambda(lambda x: x * 2)(inputs)).save(path)


class Custom(keras.layers.Layer):
    def call(self, x):
        return x


def custom_model(path):
    keras.Sequential([keras.Input((4,)), Custom()]).save(path)


def text(path):
    path.write_text("<!DOCTYPE html><title>404</title>")


def empty(path):
    path.touch()


def other_archive(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "nothing here")


def not_json(path):
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("config.json", "metadata.json"):
            archive.writestr(name, "{")


def two_inputs(path):
    one, two = keras.Input((2,)), keras.Input((2,))
    keras.Model([one, two], keras.layers.Add()([one, two])).save(path)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (text, "no Keras model"),
        (empty, "no Keras model"),
        (other_archive, "cannot be loaded"),
        (not_json, "cannot be loaded"),
        (lambda_model, "Lambda layer, and code from a file is never run"),
        (custom_model, "needs .*Custom, and only Keras's own"),
        (two_inputs, "one input"),
    ],
)
def test_what_is_no_model_is_refused_in_one_line(make, words, tmp_path):
    path = tmp_path / "model.keras"
    make(path)
    with pytest.raises(ValueError, match=words) as error:
        saving.load(path)
    assert "\n" not in str(error.value)


def test_a_truncated_model_is_refused(saved):
    whole = saved.read_bytes()
    for part in np.linspace(0, len(whole) - 1, 12).astype(int):
        saved.write_bytes(whole[:part])
        with pytest.raises(ValueError, match="Keras model"):
            saving.load(saved)


def test_a_damaged_card_is_refused(saved):
    with zipfile.ZipFile(saved) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members[saving.CARD] = json.dumps({"data": 3}).encode()
    with zipfile.ZipFile(saved, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(ValueError, match="cannot be loaded"):
        saving.load(saved)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no model .*missing.keras"):
        saving.load(tmp_path / "missing.keras")


@pytest.mark.usefixtures("eager")
def test_compiled_models_of_many_layers_load_too(tmp_path):
    layers = keras.layers
    inputs = keras.Input((8, 8, 1))
    x = layers.RandomFlip(seed=1)(layers.Rescaling(2.0)(inputs))
    x = layers.LayerNormalization()(layers.Conv2D(4, 3, activation="relu")(x))
    x = layers.Dropout(0.1)(layers.BatchNormalization()(layers.SeparableConv2D(4, 2)(x)))
    x = layers.Bidirectional(layers.LSTM(3))(layers.Reshape((-1, 4))(x))
    x = layers.GaussianNoise(0.1)(layers.Dense(6, kernel_regularizer="l2")(x))
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(5, "relu"), layers.PReLU()])
    model = keras.Model(inputs, layers.Dense(3, "softmax")(inner(x)))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(np.zeros((4, 8, 8, 1)), np.arange(4) % 3, verbose=0)
    model.save(tmp_path / "model.keras")
    again, _ = saving.load(tmp_path / "model.keras")
    x = np.random.default_rng(0).random((5, 8, 8, 1), np.float32)
    np.testing.assert_array_equal(model.predict(x, verbose=0), again.predict(x, verbose=0))


def test_a_card_with_too_few_class_names_is_refused(model, digits, tmp_path):
    card = saving.Card.of(digits, "digits", Hyperparameters(units=4), 7)
    few = dataclasses.replace(card, class_names=card.class_names[:3])
    saving.save(model, tmp_path / "few.keras", few)
    with pytest.raises(ValueError, match="names 3 classes, but its model knows 10") as error:
        saving.load(tmp_path / "few.keras")
    assert "\n" not in str(error.value)
