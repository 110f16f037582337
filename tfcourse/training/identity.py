"""When two objects do the same: a fingerprint of values, functions and classes.

Equal fingerprints mean equal behaviour. What cannot be looked into is equal to nothing but itself,
so that a doubt costs time and never a wrong result.
"""

from __future__ import annotations

import dis
import hashlib
import os
import sys
import sysconfig
import types
from collections.abc import Hashable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tfcourse._tensorflow import keras, tf

PLAIN = (type(None), bool, int, float, complex, str, bytes)
IN_C = (  # what classes of Python's own define
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.BuiltinFunctionType,
)
FIXED = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, np.ufunc)


def fingerprint(value: Any) -> Hashable:
    """Return what is equal for values that do the same."""
    return _Fingerprints().of(value)


def surroundings(function: Any) -> Hashable:
    """Return what is equal for as long as all that a function reads is as it was.

    That is plain values, arrays, functions, and objects of classes of its own module; any other
    object counts as the same for as long as it is this one and its plain values are as they were.
    """
    return _Surroundings(getattr(function, "__module__", None) or "").of(function)


def is_of_keras(thing: Any) -> bool:
    """Whether a class or function is one of Keras's or TensorFlow's own.

    A function is whose code it is: `functools.wraps` gives it the module of what it wraps.
    """
    return _package(thing) in ("keras", "tensorflow")


def _is_of_python(thing: Any) -> bool:
    """Whether a class or function is of Python's own library."""
    return _is_standard(_package(thing))


@cache
def _is_standard(package: str) -> bool:
    """Whether a package is Python's own, and not a file of the user's of the same name."""
    if package not in sys.stdlib_module_names:
        return False
    file = getattr(sys.modules.get(package), "__file__", None)
    library = os.path.realpath(sysconfig.get_path("stdlib"))
    return file is None or Path(os.path.realpath(file)).is_relative_to(library)


def _package(thing: Any) -> str:
    written_in = getattr(thing, "__globals__", {}).get("__name__")
    return str(written_in or _module(thing) or "").partition(".")[0]


class _Fingerprints:
    """State: what is being looked at, so that what refers to itself ends."""

    def __init__(self) -> None:
        # With the objects themselves: an address may be another object's once one is gone.
        self._seen: dict[int, tuple[int, Any]] = {}

    def of(self, value: Any) -> Hashable:
        if isinstance(value, PLAIN):
            return type(value).__name__, repr(value)
        if isinstance(value, np.generic):
            return self.of(value.item())
        if isinstance(value, np.ndarray) and value.dtype != object:
            return "array", str(value.dtype), value.shape, hashlib.sha256(value.tobytes()).digest()
        if id(value) in self._seen:
            return "again", self._seen[id(value)][0]
        self._seen[id(value)] = len(self._seen), value
        if isinstance(value, Mapping):
            return "mapping", tuple((self.of(k), self.of(v)) for k, v in value.items())
        if isinstance(value, list | tuple):
            return type(value).__name__, tuple(map(self.of, value))
        if isinstance(value, set | frozenset):
            return "set", tuple(sorted(map(repr, map(self.of, value))))
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, types.MethodType):
            return "method", self.of(value.__func__), self.of(value.__self__)
        if isinstance(value, types.BuiltinFunctionType | types.ModuleType | np.ufunc | np.dtype):
            return type(value).__name__, repr(value)
        if isinstance(value, types.CodeType):
            return self._code(value)
        if isinstance(value, type):
            return self.class_of(value)
        return self.object_of(value)

    def class_of(self, kind: type) -> Hashable:
        """A class: by name if it is a library's, else by all that its own classes define."""
        own = [p for p in kind.__mro__ if not (is_of_keras(p) or _is_of_python(p))]
        name = f"{kind.__module__}.{kind.__qualname__}"
        body = [
            (key, self.of(item))
            for part in own
            for key, item in ((key, _function_of(item)) for key, item in vars(part).items())
            if not isinstance(item, IN_C)
            and key not in ("__module__", "__doc__", "__qualname__", "__firstlineno__", "_abc_impl")
        ]
        return "class", name, tuple(body)

    def _function(self, function: types.FunctionType) -> Hashable:
        of_library = is_of_keras(function) or _is_of_python(function)
        if of_library and "<locals>" not in function.__qualname__:
            return "function", function.__module__, function.__qualname__
        cells = tuple(self.of(_content(cell)) for cell in function.__closure__ or ())
        parts = function.__defaults__, function.__kwdefaults__, dict(_referred(function))
        return "function", self._code(function.__code__), cells, tuple(map(self.of, parts))

    def _code(self, code: types.CodeType) -> Hashable:
        constants = tuple(self.of(constant) for constant in code.co_consts)
        return "code", code.co_code, constants, code.co_names, code.co_varnames

    def object_of(self, value: Any) -> Hashable:
        kind = self.class_of(type(value))
        if is_of_keras(type(value)) and hasattr(value, "get_config"):
            try:
                config = self.of(value.get_config())
            except Exception:  # what does not tell its configuration is like no other
                return "object", _Itself(value)
            functions = [v for v in vars(value).values() if isinstance(v, types.FunctionType)]
            return kind, config, tuple(self.of(f) for f in functions if not is_of_keras(f))
        if isinstance(value, keras.KerasTensor):
            return "tensor", str(value.shape), str(value.dtype)
        if is_of_keras(type(value)):
            if isinstance(value, tf.DType | tf.TensorShape | tf.TypeSpec):
                return kind, repr(value)
            if isinstance(value, tf.Tensor | tf.Variable) and not tf.is_symbolic_tensor(value):
                return kind, self.of(value.numpy())
            if hasattr(value, "python_function"):  # what `tf.function` made
                return kind, self.of(value.python_function)
            return "object", _Itself(value)
        if type(value) is object:  # a marker: like nothing but itself
            return "object", _Itself(value)
        if hasattr(value, "get_config"):  # a class of the user's own, made from one of Keras's
            state: Any = {name: own for name, own in vars(value).items() if name != "name"}
        else:
            try:  # as a copy would be made: what is written in C tells its state in this way alone
                state = value.__reduce_ex__(2)
            except Exception:  # a lock, a file, a generator
                return "object", _Itself(value)
            if isinstance(state, str):  # where to find it, and not what it is
                return "object", _Itself(value)
        return kind, self.of(state)


class _Surroundings(_Fingerprints):
    def __init__(self, module: str) -> None:
        super().__init__()
        self._module = module

    def object_of(self, value: Any) -> Hashable:
        kind = type(value)
        own = kind.__module__ == self._module and not self._module.startswith("tfcourse")
        if own or kind is types.SimpleNamespace:
            return super().object_of(value)
        inner = {} if is_of_keras(kind) else getattr(value, "__dict__", {})
        return _Itself(value), *((n, self.of(v)) for n, v in inner.items() if isinstance(v, PLAIN))


class _Itself:
    """Stands for an object, which it keeps: an address may be another's once one is gone."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)

    def __repr__(self) -> str:
        return f"<object at {id(self.value)}>"


def _referred(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Globals that a function's body names, and functions in it: what may change."""
    names, attributes = _names(function.__code__)
    for name in names:
        value = function.__globals__.get(name)
        if value is None or value is sys:  # which holds all that is loaded
            continue
        if isinstance(value, types.ModuleType):
            inner = ((n, getattr(value, n, None)) for n in attributes)
            yield name, {n: v for n, v in inner if v is not None and not isinstance(v, FIXED)}
        elif isinstance(value, types.FunctionType):
            if not (is_of_keras(value) or _is_of_python(value)):
                yield name, value
        # Classes of other modules, and what is written in C, stay as they are.
        elif not isinstance(value, FIXED) or _module(value) == function.__module__:
            yield name, value


def _module(thing: Any) -> str | None:
    return getattr(thing, "__module__", None)  # ufuncs of NumPy 2.0 have none


@cache
def _names(code: types.CodeType) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of globals in a body and in functions within it, and all names of attributes."""
    codes = [code]
    for one in codes:
        codes += [constant for constant in one.co_consts if isinstance(constant, types.CodeType)]
    told = [line for one in codes for line in dis.get_instructions(one)]
    names = dict.fromkeys(t.argval for t in told if t.opname in ("LOAD_GLOBAL", "LOAD_NAME"))
    return tuple(names), tuple(dict.fromkeys(name for one in codes for name in one.co_names))


def _function_of(item: Any) -> Any:
    """The function that a property or a method without self wraps."""
    return getattr(item, "fget", None) or getattr(item, "__func__", None) or item


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # empty yet
        return None
