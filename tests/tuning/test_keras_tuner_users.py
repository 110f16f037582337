"""Build functions in the manner of KerasTuner's guides: found here as KerasTuner finds them."""

import pytest

from tfcourse.tuning import Choice, Integer, Linear, Log, Space
from tfcourse.tuning.hp import HP, RefusedError, explore
from tfcourse.tuning.scales import ReverseLog, Stepped

# Each declares what a guide's model would be built from; the model itself is beside the point here.


def getting_started(hp):
    layers = [
        (hp.Int(f"units_{i}", min_value=32, max_value=512, step=32))
        for i in range(hp.Int("num_layers", 1, 3))
    ]
    activation = hp.Choice("activation", ["relu", "tanh"])
    if hp.Boolean("dropout"):
        layers.append(0.25)
    rate = hp.Float("lr", min_value=1e-4, max_value=1e-2, sampling="log")
    return layers, activation, rate


def call_existing_code(units, activation, dropout, lr):
    return units, activation, dropout, lr


def with_existing_code(hp):
    units = hp.Int("units", min_value=32, max_value=512, step=32)
    activation = hp.Choice("activation", ["relu", "tanh"])
    dropout = hp.Boolean("dropout", default=True)
    lr = hp.Float("lr", min_value=1e-4, max_value=1e-2, sampling="log", default=1e-3)
    return call_existing_code(units=units, activation=activation, dropout=dropout, lr=lr)


def tailored(hp):
    hp.Fixed("learning_rate_schedule", "none")
    hp.Float("learning_rate", 1e-4, 1e-2, sampling="log", default=1e-3)
    hp.Choice("optimizer", ["adam", "sgd", "rmsprop"], default="sgd")
    hp.Float("decay", 0.9, 0.9999, sampling="reverse_log")
    hp.Int("filters", 8, 128, step=2, sampling="log")
    hp.Float("rate", 0, 0.5, step=0.1)
    hp.Int("kernel", 3, 3)
    return hp.get("optimizer")


def conditional(hp):
    kind = hp.Choice("model_type", ["mlp", "cnn"])
    with hp.conditional_scope("model_type", ["mlp"]):
        if kind == "mlp":
            for i in range(hp.Int("mlp_layers", 1, 2)):
                hp.Int(f"mlp_units_{i}", 32, 128, step=32)
    with hp.conditional_scope("model_type", ["cnn"]):
        if kind == "cnn":
            hp.Int("filters", 16, 64, sampling="log")
            with hp.conditional_scope("filters", list(range(32, 65))):
                hp.Float("spatial_dropout", 0, 0.5)
    hp.Float("momentum", 0.5, 0.99, parent_name="model_type", parent_values=["mlp"])
    return kind


def scoped(hp):
    for block in ("encoder", "decoder"):
        with hp.name_scope(block):
            hp.Int("units", 8, 64)
            hp.Boolean("norm")
            with hp.conditional_scope("norm", [True]):
                hp.Float("epsilon", 1e-6, 1e-3, sampling="log")
    return block


class Model:
    """What KerasTuner calls a HyperModel."""

    def __init__(self, classes):
        self.classes = classes

    def build(self, hp):
        return [hp.Int("units", 8, 64, step=8)] * self.classes


def failing(hp):
    wide = hp.Int("units_1", 10, 5000) * hp.Int("units_2", 10, 5000)
    if wide > 1_000_000:
        raise ValueError("model too large")
    hp.Float("lr", 1e-4, 1e-2, sampling="log")
    return wide


BUILDS = [getting_started, with_existing_code, tailored, conditional, scoped, failing]
BUILDS += [Model(3).build]


def as_keras_tuner_finds_it(build):
    """What KerasTuner knows of the space after building at every corner it comes upon."""
    keras_tuner = pytest.importorskip("keras_tuner")
    hp = keras_tuner.HyperParameters()
    for _ in range(3):
        for name, known in list(hp._hps.items()):
            for value in known[0].values if known[0].__class__.__name__ != "Fixed" else []:
                copy = hp.copy()
                copy.values[name] = value
                copy.ensure_active_values()
                try:
                    build(copy)
                except ValueError:
                    continue
                hp.merge(copy, overwrite=False)
        build(hp)
    return {entry.name: entry for entry in hp.space}


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.__qualname__)
def test_the_same_names_ranges_and_conditions_as_keras_tuner(build):
    theirs = as_keras_tuner_finds_it(build)
    ours, read, _ = explore(build)
    assert set(ours) == set(theirs) == read
    for name, scale in ours.items():
        entry = theirs[name]
        conditions = {parent.name: parent.values for parent in entry.conditions}
        for parent in conditions:
            for value in ours[parent].grid(100):
                accepted = ours.active(
                    name, {**{p: v[0] for p, v in conditions.items()}, parent: value}
                )
                assert accepted == (value in conditions[parent]), (name, parent, value)
        if not conditions:
            assert ours.active(name, {})
        config = entry.get_config()
        if "values" in config:
            assert set(scale.options) == set(config["values"])
        elif "value" in config:
            assert scale.options == (config["value"],)
        elif isinstance(scale, Choice):
            assert len(scale.options) == 1 or set(scale.options) == {True, False}
        else:
            assert (scale.low, scale.high) == (config["min_value"], config["max_value"])
            step = scale.step if isinstance(scale, Stepped) else None
            assert step == (None if config["step"] == 1 else config["step"])


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.__qualname__)
def test_the_first_call_gets_the_defaults_that_keras_tuner_gives(build):
    keras_tuner = pytest.importorskip("keras_tuner")
    theirs, ours = keras_tuner.HyperParameters(), HP({}, explore=True)
    assert build(theirs) == build(ours)
    assert dict(ours) == theirs.values


def test_a_scale_follows_its_sampling():
    ours, _, _ = explore(tailored)
    assert ours["learning_rate"] == Log(1e-4, 1e-2)
    assert ours["decay"] == ReverseLog(0.9, 0.9999)
    assert ours["filters"] == Stepped(8, 128, 2, "log", whole=True)
    assert ours["rate"] == Stepped(0, 0.5, 0.1)
    assert ours["kernel"] == Choice(3)


def test_a_space_that_is_given_counts_more_than_what_is_declared():
    given = Space(lr=Log(1e-3, 1e-2), units_1=Integer(10, 20))
    ours, _, _ = explore(failing, given)
    assert ours == Space(lr=Log(1e-3, 1e-2), units_1=Integer(10, 20), units_2=Integer(10, 5000))


def test_a_name_that_comes_late_is_drawn_the_same_in_any_company():
    def build(hp):
        return hp.Float("late", 0, 1), hp.Float("later", 0, 1)

    first, second = HP({"x": 1, "y": 2}), HP({"y": 2, "x": 1})
    assert build(first) == build(second)
    assert first.late == dict(
        zip(("late", "later"), build(HP({"x": 1, "y": 2, "epochs": 9})), strict=True)
    )
    values = [build(HP({"x": x}))[0] for x in range(300)]
    assert 0.4 < sum(values) / 300 < 0.6 and len(set(values)) == 300


def test_a_condition_that_does_not_hold_gives_none_and_draws_nothing():
    hp = HP({"model_type": "cnn", "filters": 20})
    conditional(hp)
    assert dict(hp) == {"model_type": "cnn", "filters": 20}


READS = [
    lambda hp: hp["units"],
    lambda hp: hp.get("units"),
    lambda hp: hp.pop("units"),
    lambda hp: "units" in hp,
    lambda hp: dict(hp),
    lambda hp: {**hp},
    lambda hp: list(hp.items()),
    lambda hp: list(hp.values()),
    lambda hp: hp.values["units"],
    lambda hp: list(hp.keys()),
    lambda hp: (lambda units: units)(**hp),
    lambda hp: hp.copy(),
    lambda hp: hp.setdefault("units", 3),
    lambda hp: hp | {},
]


@pytest.mark.parametrize("read", READS)
def test_every_way_to_read_a_dict_is_a_way_to_read(read):
    hp = HP({"units": 64})
    read(hp)
    assert hp.names == {"units"}


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda hp: hp.Int("x", 1, 2) + hp.Int("x", 1, 3), "x must be declared the same"),
        (lambda hp: hp.Float("x", 1e-4, 1, sampling="logarithmic"), "linear, log, reverse_log"),
        (lambda hp: hp.Float("x", 0, 1, sampling="log"), "above 0, got 0"),
        (lambda hp: hp.Int("x", 5, 1), "low below high"),
        (lambda hp: hp.Int("x", 1, 5, parent_name="y", parent_values=[1]), "before it, got 'y'"),
        (lambda hp: hp.Choice("x", [1, 2], default=3), "one of its values, got 3"),
        (lambda hp: hp.Choice("x", []), "at least one option"),
        (lambda hp: 1 / 0, "but raised ZeroDivisionError"),
        (lambda hp: hp["nothing"], "but raised KeyError: 'nothing' for its defaults"),
    ],
)
def test_a_build_that_never_succeeds_is_refused_with_what_it_raised(build, says):
    with pytest.raises(ValueError, match=says) as caught:
        explore(build)
    assert "\n" not in str(caught.value)


def test_a_build_that_fails_for_some_draws_is_explored_by_the_others():
    space, _, made = explore(failing)
    assert list(space) == ["units_1", "units_2", "lr"] and len(made) >= 3


def test_what_no_draw_could_mend_ends_the_exploring():
    calls = []

    def build(hp):
        calls.append(hp)
        raise RefusedError("it is no model")

    with pytest.raises(RefusedError, match="it is no model"):
        explore(build, Space(x=Linear(0, 1)))
    assert len(calls) == 1
