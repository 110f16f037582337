"""A few models that a build function returned, described so that another function is noticed.

What is described is what `model.fit` would see: configurations, how each is compiled, and the code
of classes and functions of the user's own. Names that Keras numbers as models are built, places in
source files and comments do not count.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import marshal
import re
from collections.abc import Iterator, Sequence
from typing import Any

from tfcourse._checks import InputError
from tfcourse._tensorflow import keras, tf
from tfcourse.training.blueprint import own_code
from tfcourse.training.data import Data, given
from tfcourse.training.identity import fingerprint
from tfcourse.training.models import checked, compile_classifier

MOST = 4  # models that stand for all that a function may build


def figures(model: keras.Model, data: Data) -> tuple[str, ...]:
    """Return what training will measure after each epoch, by Keras's names, of two examples.

    The model is used up. Raises: ValueError or TypeError for a model that does not take the data.
    """
    batch = tf.nest.map_structure(lambda array: array[:2], given(data.training))
    try:
        if not model.built:
            model(data.example[0])
        if not checked(model, data):
            compile_classifier(model, {}, data)
        model.run_eagerly = True  # twice two examples are not worth a program
        found = model.test_on_batch(*batch, return_dict=True)
    except InputError:
        raise
    except Exception as error:  # whatever the model's layers, loss and metrics say
        plain = re.sub(r"\x1b\[\d*m", "", str(error))  # Keras prints in colours
        lines = [line for line in plain.splitlines() if line.strip()]
        reason = [line for line in lines if not line.startswith("Exception encountered")] or [""]
        raise InputError(
            "the model must take the data, but raised"
            f" {type(error).__name__}: {reason[0].strip()[:300]}"
        ) from error
    names = tuple(found)
    return (*names, *(f"val_{name}" for name in names)) if data.has_validation else names


def described(models: Sequence[keras.Model]) -> list[Any]:
    """Return plain data that is equal for the same models, and tells what differs in others."""
    step = -(-len(models) // MOST)
    return [_described(model) for model in models[::step]]


def _described(model: keras.Model) -> Any:
    try:
        config: Any = keras.saving.serialize_keras_object(model)
        told = json.loads(json.dumps(config, default=repr))
    except Exception:  # a class of the user's own that does not tell its configuration
        told = {"class_name": type(model).__name__}
        told["weights"] = [[list(w.shape), str(w.dtype)] for w in model.weights]
    names = {name: f"{base} {i}" for i, (name, base) in enumerate(_numbered(told))}
    return {**_renamed(told, names), "code": _code(model)}


def _numbered(config: Any) -> Iterator[tuple[str, str]]:
    """Names that Keras made up, in order, and what they are without their number."""
    if isinstance(config, dict):
        inner = config.get("config")
        if isinstance(inner, dict) and isinstance(inner.get("name"), str):
            base = re.sub(r"_\d+$", "", inner["name"])
            kind = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|\W", "_", str(config.get("class_name")))
            if base.replace("_", "") == kind.lower().replace("_", ""):
                yield inner["name"], base
    for value in config.values() if isinstance(config, dict) else config:
        if isinstance(value, dict | list):
            yield from _numbered(value)


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        if value.get("class_name") == "__lambda__":
            text = value["config"]["code"].encode("ascii")
            code = marshal.loads(codecs.decode(text, "base64"))
            return {"class_name": "__lambda__", "code": _digest(code)}
        renamed = {key: _renamed(item, names) for key, item in value.items()}
        if isinstance(renamed.get("name"), str):
            renamed["name"] = names.get(renamed["name"], renamed["name"])
        return renamed
    if isinstance(value, list):
        if len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], int):
            return [names.get(value[0], value[0]), *value[1:]]  # a layer, a call, an output
        return [_renamed(item, names) for item in value]
    return value


def _code(model: keras.Model) -> dict[str, str]:
    """A digest of each class and function of the user's own that the model is made of."""
    code = own_code(model)
    return dict(sorted((f"{one.__module__}.{one.__qualname__}", _digest(one)) for one in code))


def _digest(thing: Any) -> str:
    text = re.sub(r" at 0x[0-9a-f]+", "", repr(fingerprint(thing)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
