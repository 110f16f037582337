"""What is tuned: names and values that the model takes, functions that build models."""

import re
import sys

import pytest

from tfcourse._tensorflow import keras
from tfcourse.hyperparameters import Hyperparameters
from tfcourse.tuning import Space
from tfcourse.tuning.models import Own, Packaged, load_build


def space(*entries):
    return Space.parse(entries)


def small(draw):
    layers = [keras.Input((2,)), keras.layers.Dense(draw["units"], "relu")]
    return keras.Sequential([*layers, keras.layers.Dense(3, "softmax")])


def test_units_of_each_layer_become_the_layers_units(blobs):
    draw = {"layers": 3, "units_1": 8, "units_2": 4, "units_3": 2, "learning_rate": 0.1}
    settings = Packaged(blobs).settings(draw)
    assert settings == Hyperparameters(layers=3, units=(8, 4, 2), learning_rate=0.1)
    model = Packaged(blobs).build(draw)
    assert [layer.units for layer in model.layers if hasattr(layer, "units")] == [8, 4, 2, 3]


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        (["lerning_rate=log:1e-4:1"], "got 'lerning_rate'; did you mean 'learning_rate'"),
        (["dropout=linear:0:1"], "dropout must be .* below 1, got 1.0"),
        (["batch_size=int:0:8"], "batch_size must be a whole number at least 1, got 0"),
        (["layers=linear:1:3"], "layers must be a whole number"),
        (["activation=choice:relu,rela"], "got 'rela'; did you mean 'relu'"),
        (["units=choice:8,many"], "units must be a whole number"),
        (["momentum=1-log:0.9:0.999"], "must go with optimizer momentum or rmsprop, got adam"),
        (["optimizer=choice:momentum", "beta_1=1-log:0.9:0.999"], "optimizer adam, got momentum"),
        (["units_1=int:1:8"], "2 layers must have units_1 units_2 or one units .* got units_1"),
        (["layers=int:1:3", "units_1=int:1:8", "units_2=int:1:8 if layers>=2"], "3 layers must"),
        (["units=int:1:8", "units_1=int:1:8", "units_2=int:1:8"], "got units units_1 units_2"),
    ],
)
def test_what_the_classifier_does_not_take_is_refused(blobs, entries, says):
    with pytest.raises((ValueError, TypeError), match=says):
        Packaged(blobs).check(space(*entries))


@pytest.mark.parametrize(
    "entries",
    [
        ["optimizer=choice:adam,momentum", "momentum=1-log:0.9:0.999 if optimizer=momentum"],
        ["optimizer=choice:adam,momentum", "momentum=1-log:0.9:0.999", "beta_1=1-log:0.9:0.99"],
        ["layers=int:1:2", "units_1=int:1:8", "units_2=int:1:8 if layers>=2"],
        ["batch_norm=choice:true,false", "epochs=int:1:3", "decay=linear:0:1"],
    ],
)
def test_what_the_classifier_takes_is_taken(blobs, entries):
    Packaged(blobs).check(space(*entries))


def test_a_function_of_ones_own_gets_the_draw_and_training_the_rest(blobs):
    own = Own(blobs, small, "here:small")
    own.check(space("units=int:2:8", "learning_rate=log:1e-3:1", "batch_size=choice:8,16"))
    assert own.build({"units": 5, "learning_rate": 0.1}).layers[0].units == 5
    settings = own.settings({"units": 5, "learning_rate": 0.1})
    assert settings == Hyperparameters(learning_rate=0.1)


def raises(draw):
    raise RuntimeError(f"no model\nfor {draw['units']}")


def wrong_shape(draw):
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(draw["units"])])


def misspelt(draw):
    return small({"units": draw.get("unit", 4)})


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (raises, "f must build a model, but raised RuntimeError: no model"),
        (lambda draw: draw["unit"], "raised KeyError: 'unit'"),
        (lambda draw: "a model", "f must return a keras.Model, got 'a model'"),
        (wrong_shape, r"models from \(None, 2\) to \(None, 3\), got one from \(None, 3\)"),
        (misspelt, "by training; did you mean 'unit'"),
    ],
)
def test_a_function_that_cannot_go_well_is_refused(blobs, function, says):
    with pytest.raises((ValueError, TypeError), match=says):
        Own(blobs, function, "f").check(space("units=int:2:8"))


def test_a_function_that_fails_for_some_draws_is_let_through(blobs):
    def picky(draw):
        if draw["units"] % 2:
            raise ValueError("odd")
        return small(draw)

    Own(blobs, picky, "f").check(space("units=int:2:9"))


def test_hyperparameters_read_only_sometimes_are_not_unknown(blobs):
    def sometimes(draw):
        return small({"units": draw["more"] if draw["wide"] else 4})

    Own(blobs, sometimes, "f").check(space("wide=choice:true,false", "more=int:8:16"))
    Own(blobs, lambda draw: small({**draw}), "f").check(space("units=int:2:8", "rest=int:1:2"))


def test_a_build_function_is_found_in_the_working_directory(tmp_path, monkeypatch):
    (tmp_path / "my_models.py").write_text("def build(draw):\n    return draw\nvalue = 3\n")
    (tmp_path / "my_broken.py").write_text("import nowhere_to_be_found\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    assert load_build("my_models:build")(7) == 7
    for path, says in {
        "my_models": "given as package.module:function, got 'my_models'",
        "my_models:": "got 'my_models:'",
        "my_models:nothing": "must name a function in my_models, got None",
        "my_models:value": "must name a function in my_models, got 3",
        "my_broken:build": "ModuleNotFoundError: No module named 'nowhere_to_be_found'",
        "no_such_module:build": "No module named 'no_such_module'",
    }.items():
        with pytest.raises(ValueError, match=re.escape(says)):
            load_build(path)
