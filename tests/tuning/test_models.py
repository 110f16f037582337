"""What is tuned: names and values that the model takes, functions that build models."""

import re
import sys

import pytest

from tfcourse import datasets
from tfcourse._tensorflow import keras
from tfcourse.hyperparameters import Hyperparameters
from tfcourse.tuning import Space
from tfcourse.tuning.models import Own, Packaged, given_build, load_build


def space(*entries):
    return Space.parse(entries)


def small(draw):
    layers = [keras.Input((2,)), keras.layers.Dense(draw["units"], "relu")]
    return keras.Sequential([*layers, keras.layers.Dense(3, "softmax")])


def test_units_of_each_layer_become_the_layers_units(blobs):
    draw = {"layers": 3, "units_1": 8, "units_2": 4, "units_3": 2, "learning_rate": 0.1}
    settings = Packaged(datasets.take(blobs)).settings(draw)
    assert settings == Hyperparameters(layers=3, units=(8, 4, 2), learning_rate=0.1)
    model = Packaged(datasets.take(blobs)).build(draw)
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
        Packaged(datasets.take(blobs)).prepared(space(*entries), None)


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
    Packaged(datasets.take(blobs)).prepared(space(*entries), None)


def test_a_function_of_ones_own_gets_the_draw_and_training_the_rest(blobs):
    own = Own(small, "small", datasets.take(blobs))
    entries = ("units=int:2:8", "learning_rate=log:1e-3:1", "batch_size=choice:8,16")
    found, objective, told = own.prepared(space(*entries), None)
    assert found == space(*entries) and objective.name == "val_accuracy" and told
    assert own.build({"units": 5, "learning_rate": 0.1}).layers[0].units == 5


def raises(draw):
    raise RuntimeError(f"no model\nfor {draw['units']}")


def wrong_shape(draw):
    layers = [keras.Input((3,)), keras.layers.Dense(draw["units"]), keras.layers.Dense(3)]
    return keras.Sequential([*layers, keras.layers.Softmax()])


def misspelt(draw):
    return small({"units": draw.get("unit", 4)})


def regression(draw):
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(draw["units"] // 99 + 1)])


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (raises, "build must return a model, but raised RuntimeError: no model for 5"),
        (lambda draw: draw["unit"], "raised KeyError: 'unit' .* declare it"),
        (lambda draw: "a model", "build must return a keras.Model, got 'a model'"),
        (wrong_shape, r"the model must take the data, but raised ValueError: .*shape"),
        (misspelt, "'units' is used neither by f nor by training; did you mean 'unit'"),
        (regression, r"Dense\(1\) without sigmoid is no classifier; compile the model in build"),
    ],
)
def test_a_function_that_cannot_go_well_is_refused(blobs, function, says):
    with pytest.raises((ValueError, TypeError), match=says) as caught:
        Own(function, "f", datasets.take(blobs)).prepared(space("units=int:2:8"), None)
    assert "\n" not in str(caught.value)


def test_a_function_that_fails_for_some_draws_is_let_through(blobs):
    def picky(draw):
        if draw["units"] % 2:
            raise ValueError("odd")
        return small(draw)

    Own(picky, "f", datasets.take(blobs)).prepared(space("units=int:2:9"), None)


def test_hyperparameters_read_only_sometimes_are_not_unknown(blobs):
    def sometimes(draw):
        return small({"units": draw["more"] if draw["wide"] else 4})

    entries = ("wide=choice:true,false", "more=int:8:16")
    Own(sometimes, "f", datasets.take(blobs)).prepared(space(*entries), None)


def compiled(hp, *, loss="sparse_categorical_crossentropy"):
    model = small({"units": hp.Int("units", 2, 8)})
    model.compile(
        keras.optimizers.Adam(hp.Float("rate", 1e-3, 1, sampling="log")), loss, metrics=["acc"]
    )
    return model


@pytest.mark.parametrize(
    ("objective", "says"),
    [
        ("val_accuracy", "must be one of acc, loss, val_acc, val_loss, .* got 'val_accuracy'"),
        ("val_mine:max", "which the model measures, got 'val_mine'"),
        ("val_acc:up", "direction must be one of max, min, got 'up'"),
        (3, "objective must be a name such as"),
    ],
)
def test_an_objective_that_no_metric_gives_is_refused(blobs, objective, says):
    with pytest.raises((ValueError, TypeError), match=says):
        Own(compiled, "f", datasets.take(blobs)).prepared(None, objective)


def told(build, blobs):
    return Own(build, "f", datasets.take(blobs)).prepared(None, None)[2]


def test_a_model_is_known_by_what_it_does_and_not_by_its_text(blobs):
    first = told(compiled, blobs)
    assert told(lambda hp: compiled(hp), blobs) == first  # names count on, as Keras makes them up

    def mine(y_true, y_pred):
        """How it is."""
        return keras.losses.sparse_categorical_crossentropy(y_true, y_pred)

    def other(y_true, y_pred):
        return 2 * keras.losses.sparse_categorical_crossentropy(y_true, y_pred)

    other.__qualname__, other.__name__ = mine.__qualname__, mine.__name__
    texts = [told(lambda hp, loss=loss: compiled(hp, loss=loss), blobs) for loss in (mine, other)]
    assert first != texts[0] != texts[1] and texts[0] == told(
        lambda hp: compiled(hp, loss=mine), blobs
    )


def scaled(factor):
    """A build with a Lambda: its line, and what stands around it, may change."""
    text = "\n" * int(factor * 7) + f"made = lambda x: x * {factor}"
    namespace = {}
    exec(text, namespace)

    def build(hp):
        layers = [keras.Input((2,)), keras.layers.Lambda(namespace["made"])]
        model = keras.Sequential([*layers, keras.layers.Dense(3, "softmax")])
        rate = hp.Float("rate", 1e-3, 1)
        model.compile(keras.optimizers.SGD(rate), "sparse_categorical_crossentropy")
        return model

    return build


def test_a_lambda_is_known_by_its_code(blobs):
    assert told(scaled(2.0), blobs) == told(scaled(2.0), blobs) != told(scaled(3.0), blobs)


class Fits:
    def build(self, hp):
        """Return a model."""

    def fit(self, hp, model, *args, **kwargs):
        """Train it in another way."""


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (Fits(), "Fits has a fit of its own, .* compile the model in build"),
        (Fits, "must be a function or a HyperModel object, got the class Fits"),
        (Space.parse(["x=int:1:2"]), "got a Space; say space="),
        (7, "build must be a function of hp, got 7"),
    ],
)
def test_what_builds_nothing_is_refused(build, says):
    with pytest.raises(TypeError, match=says):
        given_build(build)


def test_a_build_function_is_found_in_the_working_directory(tmp_path, monkeypatch):
    (tmp_path / "my_models.py").write_text("def build(draw):\n    return draw\nvalue = 3\n")
    (tmp_path / "my_broken.py").write_text("import nowhere_to_be_found\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    assert load_build("my_models:build")(7) == 7
    for path, says in {
        "my_models": "given as package.module:function, got 'my_models'",
        "my_models:": "got 'my_models:'",
        "my_models:biuld": "must name a function of my_models, got 'biuld'; did you mean 'build'",
        "my_models:value": "must name a function in my_models, got 3",
        "my_broken:build": "ModuleNotFoundError: No module named 'nowhere_to_be_found'",
        "no_such_module:build": "No module named 'no_such_module'",
    }.items():
        with pytest.raises(ValueError, match=re.escape(says)):
            load_build(path)
