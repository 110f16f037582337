"""What one trial's own model is, read off the model that `build` returned for it.

Two models may share a program if they differ only in what a program can be given as data: numbers
such as a dropout rate or the strength of an L2 penalty (`FED`), sizes of layers (`SIZED`), first
weights, and what the optimizer is told. All the rest of their configuration, the functions and the
classes of the user's own included, makes up the blueprint's key.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import FunctionType
from typing import Any

from tfcourse._tensorflow import keras, tf
from tfcourse.training.first_weights import FirstWeight, first_weights
from tfcourse.training.identity import fingerprint, is_of_keras
from tfcourse.training.updates import Optimizer

Shape = tuple[int, ...]

layers, regularizers = keras.layers, keras.regularizers


def of_axes(*names: str, axes: Sequence[int] = (1, 2, 3)) -> tuple[type, ...]:
    """Keras's layers of these names, such as "Conv{}D", for so many axes each."""
    return tuple(getattr(layers, name.format(n)) for name in names for n in axes)


# Numbers of which each model in a program has its own, by the exact type of what holds them.
FED: dict[type, tuple[str, ...]] = {
    layers.Dropout: ("rate",),
    **dict.fromkeys(of_axes("SpatialDropout{}D"), ("rate",)),
    layers.GaussianDropout: ("rate",),
    layers.GaussianNoise: ("stddev",),
    layers.BatchNormalization: ("momentum", "epsilon"),
    layers.LayerNormalization: ("epsilon",),
    regularizers.L1: ("l1",),
    regularizers.L2: ("l2",),
}
# Sizes that models in a program may differ in, where `padding` finds that exact.
SIZED: dict[type, str] = {
    layers.Dense: "units",
    **dict.fromkeys(of_axes("Conv{}D"), "filters"),
    layers.Embedding: "output_dim",
    layers.LSTMCell: "units",
    layers.GRUCell: "units",
    layers.SimpleRNNCell: "units",
}
# Where names of layers stand in a configuration; anywhere else a text is what it says.
NAMING = "name", "input_layers", "output_layers"
_CLASSES = object()  # stands for what an object has of its class
PARTS = (keras.Layer, regularizers.Regularizer, keras.constraints.Constraint)


@dataclass(frozen=True, eq=False)
class Blueprint:
    """What a trial's own model is.

    key: equal for models that may share a program. numbers: its own of `FED`, in the order of
    `fed`. sizes: its own of `SIZED`. shapes, first: of each of `model.weights`. optimizer: what
    updates it, with its own numbers; none if Keras's own optimizer must. compiled: whether `build`
    compiled it. why_not: what keeps it from a compiled program, if anything does. moves_padding:
    whether a constraint that is not Keras's own might make something of zeros.
    """

    key: Hashable
    numbers: tuple[float, ...]
    sizes: tuple[int, ...]
    shapes: tuple[Shape, ...]
    first: tuple[FirstWeight, ...]
    optimizer: Optimizer | None
    compiled: bool
    why_not: str | None
    moves_padding: bool


def read(
    model: keras.Model, optimizer: Optimizer | None, outside: Collection[int] = ()
) -> Blueprint:
    """Read a model's blueprint.

    optimizer: how it is updated, if the model is not compiled. outside: ids of variables that were
    made before the model was.
    """
    found = parts(model)
    fed_to, sized_by = fed(found), sized(found)
    numbers = tuple(float(getattr(part, name)) for part, name in fed_to)
    sizes = tuple(getattr(part, name) for part, name in sized_by)
    own = Optimizer.of(model.optimizer) if model.compiled else optimizer
    kinds = [(len(variable.shape), variable.dtype) for variable in model.variables]
    variables = tuple(zip(kinds, rules(model), strict=True))
    with changed([(*at, 0.5) for at in fed_to] + [(*at, 1) for at in sized_by]):
        key = _structure(model, found), _compiled(model), variables
    shapes = tuple(tuple(weight.shape) for weight in model.weights)
    first = first_weights(model, found, outside)
    compiled, why_not = bool(model.compiled), _why_not(model)
    held = [w.constraint for w in model.weights if w.constraint is not None]
    moves_padding = not all(is_of_keras(type(constraint)) for constraint in held)
    return Blueprint(key, numbers, sizes, shapes, first, own, compiled, why_not, moves_padding)


def rules(model: keras.Model) -> list[Hashable]:
    """Of each variable, whether it trains, and its constraint and regularizer.

    A rule is told by its number among the model's parts, or, if it is none of them, as a whole.
    """
    place = {id(part): number for number, part in enumerate(parts(model))}

    def told(rule: Any) -> Hashable:
        return None if rule is None else place.get(id(rule)) or fingerprint(rule)

    return [
        (v.trainable, told(v.constraint), told(getattr(v, "regularizer", None)))
        for v in model.variables
    ]


def parts(model: keras.Model) -> list[Any]:
    """Return the model, its layers at any depth, their regularizers and constraints, in order."""
    found: dict[int, Any] = {}

    def visit(value: Any) -> None:
        if isinstance(value, PARTS):
            if id(value) not in found:
                found[id(value)] = value
                for name, inner in vars(value).items():
                    if name not in ("_inbound_nodes", "_outbound_nodes", "_metrics", "optimizer"):
                        visit(inner)
        elif isinstance(value, list | tuple):
            for inner in value:
                visit(inner)
        elif isinstance(value, dict):
            for inner in value.values():
                visit(inner)

    visit(model)
    return list(found.values())


def own_code(model: keras.Model) -> list[Any]:
    """Return the classes and functions of the user's own that a model is made of."""
    found = parts(model)
    used: list[Any] = [type(part) for part in found]
    used += [held for part in found for held in _held(part)]
    compiled = getattr(getattr(model, "_compile_config", None), "config", None)
    used += tf.nest.flatten(compiled) if compiled else []
    used += [type(one) for one in used if isinstance(one, keras.losses.Loss | keras.Metric)]
    code = type | FunctionType
    return [one for one in used if isinstance(one, code) and not is_of_keras(one)]


def fed(found: Sequence[Any]) -> list[tuple[Any, str]]:
    """Where the numbers of `FED` stand in a model's parts."""
    return [(part, name) for part in found for name in FED.get(type(part), ())]


def sized(found: Sequence[Any]) -> list[tuple[Any, str]]:
    """Where the sizes of `SIZED` stand in a model's parts."""
    return [(part, SIZED[type(part)]) for part in found if type(part) in SIZED]


@contextmanager
def changed(values: Sequence[tuple[Any, str, Any]]) -> Iterator[None]:
    """Give parts other values of some attributes, for a while."""
    before = [(part, name, vars(part).get(name, _CLASSES)) for part, name, _ in values]
    try:
        for value in values:
            object.__setattr__(*value)
        yield
    finally:
        for part, name, value in before:
            if value is _CLASSES:
                object.__delattr__(part, name)
            else:
                object.__setattr__(part, name, value)


def _structure(model: keras.Model, found: Sequence[Any]) -> Hashable:
    """Everything about the model but its compilation and what is masked."""
    names = {part.name: f"layer {i}" for i, part in enumerate(found) if hasattr(part, "name")}
    try:
        told = model.get_config()
        for name in _names(told):  # those of operations that are no layers, too
            names.setdefault(name, f"layer {len(names)}")
        config = _plain(told, names)
    except Exception:
        config = None
    # The configuration of a class of the user's own need not tell of what it is made of.
    told_whole = config is not None and all(is_of_keras(type(part)) for part in found)
    own = [_graph(part, found) for part in found] if config is None else list[Hashable]()
    for part in found:
        own.append((type(part).__qualname__, _callables(part)))
        if not is_of_keras(type(part)):
            own.append((fingerprint(type(part)), _attributes(part, found, names)))
        if not told_whole and part is not model:
            own.append(_own_configuration(part, names))
    return fingerprint(config), tuple(own)


def _graph(part: Any, found: Sequence[Any]) -> Hashable:
    """What is computed from what in a graph of layers and other operations."""
    number = {id(one): f"part {i}" for i, one in enumerate(found)}
    tensors: dict[int, str] = {}

    def told(value: Any) -> Any:
        is_tensor = isinstance(value, keras.KerasTensor)
        return tensors.setdefault(id(value), f"tensor {len(tensors)}") if is_tensor else value

    nodes = []
    for operation in getattr(part, "operations", ()):
        own = {n: v for n, v in vars(operation).items() if n[0] != "_" and n != "name"}
        what = number.get(id(operation)) or (type(operation).__qualname__, own)
        for node in operation._inbound_nodes:
            given = node.arguments.args, node.arguments.kwargs, node.outputs
            nodes.append((what, tf.nest.map_structure(told, given)))
    return fingerprint(nodes)


def _own_configuration(part: Any, names: dict[str, str]) -> Hashable:
    try:
        return fingerprint(_plain(part.get_config(), names))
    except Exception:  # what does not tell its configuration is like no other
        return fingerprint(object())


def _callables(part: Any) -> Hashable:
    """Functions, and objects called like them, that a part was given: activations, losses."""
    given = [held for held in _held(part) if callable(held) and not isinstance(held, PARTS)]
    return tuple(fingerprint(function) for function in given if not is_of_keras(function))


def _held(part: Any) -> list[Any]:
    """What a part holds, and what was given to operations of its graph that are no layers."""
    operations = [o for o in getattr(part, "operations", ()) if not isinstance(o, keras.Layer)]
    nodes = [node.arguments for operation in operations for node in operation._inbound_nodes]
    return [*vars(part).values(), *tf.nest.flatten([(node.args, node.kwargs) for node in nodes])]


def _attributes(part: Any, found: Sequence[Any], names: dict[str, str]) -> Hashable:
    """What an object of a user's own class holds, but for what Keras keeps there."""
    kept = _kept_by_keras(keras.Model if isinstance(part, keras.Model) else keras.Layer)
    number = {id(one): i for i, one in enumerate((*found, *found[0].variables))}
    own = {name: value for name, value in vars(part).items() if name not in kept}
    return fingerprint(_plain(_marked(own, number), names))


@cache
def _kept_by_keras(kind: type) -> frozenset[str]:
    """Names under which Keras, and TensorFlow beneath it, keep what any layer or model has."""
    part = kind()
    part.weight = part.add_weight(shape=())
    if kind is keras.Model:
        part.compile("sgd", "mse")
    return frozenset({*vars(part), "_call_signature"} - {"weight"})


def _marked(value: Any, number: dict[int, int]) -> Any:
    """A value with the model's parts and variables in it by number: they are told elsewhere."""
    if id(value) in number:
        return f"part {number[id(value)]}"
    if callable(getattr(value, "assign", None)):
        return object()  # a variable that Keras does not know is like no other
    if isinstance(value, list | tuple):
        return [_marked(inner, number) for inner in value]
    if isinstance(value, dict):
        return {key: _marked(inner, number) for key, inner in value.items()}
    return value


def _names(config: Any) -> Iterator[str]:
    if isinstance(config, dict):
        own = config.get("config")
        kind = str(config.get("class_name", "Policy"))  # of types: its name is what it is
        if (
            not kind.endswith("Policy")
            and isinstance(own, dict)
            and isinstance(own.get("name"), str)
        ):
            yield own["name"]
        config = list(config.values())
    if isinstance(config, list | tuple):
        for inner in config:
            yield from _names(inner)


def _plain(config: Any, names: dict[str, str]) -> Any:
    """A configuration without what does not change what the model computes.

    Names of layers become their numbers; initializers are asked for first weights elsewhere;
    shapes that follow from other numbers go.
    """
    if isinstance(config, list | tuple):
        return [_plain(inner, names) for inner in config]
    if not isinstance(config, dict):
        return config
    if config.get("module") == "keras.initializers":
        return "initializer"
    if config.get("class_name") == "__keras_tensor__":
        return _numbered(config["config"]["keras_history"], names)
    return {
        key: _numbered(value, names) if key in NAMING else _plain(value, names)
        for key, value in config.items()
        if key not in ("build_config", "build_input_shape", "registered_name")
    }


def _numbered(named: Any, names: dict[str, str]) -> Any:
    """Names of layers, in whatever nested list, as numbers."""
    if isinstance(named, list | tuple):
        return [_numbered(inner, names) for inner in named]
    return names.get(named, named) if isinstance(named, str) else _plain(named, names)


def _compiled(model: keras.Model) -> Hashable:
    """What the model is compiled with, but for the optimizer."""
    if not model.compiled:
        return None
    try:
        config = dict(model.get_compile_config())
    except Exception:  # what cannot be told is like no other
        return fingerprint(object())
    config.pop("optimizer", None)
    if _names_other_code([config.get("metrics"), config.get("weighted_metrics")]):
        # The configuration names a function of the user's own, but not what it closes over.
        return fingerprint(config), fingerprint(object())
    return fingerprint(config), fingerprint(model.loss)


def _names_other_code(config: Any) -> bool:
    if isinstance(config, dict):
        module = str(config.get("module") or "").partition(".")[0]
        if "class_name" in config and module != "keras":
            return True
        config = list(config.values())
    return isinstance(config, list | tuple) and any(map(_names_other_code, config))


def _why_not(model: keras.Model) -> str | None:
    """What keeps a model from being trained by a compiled program, if anything does."""
    for name in ("train_step", "test_step", "compute_metrics", "fit", "evaluate"):
        if name in vars(model) or not is_of_keras(getattr(type(model), name)):
            return f"{type(model).__name__} has a {name} of its own"
    if model.compiled and model.run_eagerly:
        return "the model is compiled to run eagerly"
    if model.compiled and Optimizer.of(model.optimizer) is None:
        return f"{type(model.optimizer).__name__}, as it is set here, has no update rule here"
    types = {keras.backend.standardize_dtype(v.dtype) for v in model.trainable_variables}
    if len(types) != 1 or not types <= {"float32", "float64"}:
        return "its trainable weights are not all float32, or all float64"
    return None
