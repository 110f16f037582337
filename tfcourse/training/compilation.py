"""Gives each program a name that follows from what it computes, so that it is compiled once.

TensorFlow recognizes a program that it has compiled before, in this process or in an earlier one
(see `_compiled`), by the names and operations of its functions. The names that tracing gives differ
from trace to trace; these do not.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from typing import Any

from tfcourse import _compiled
from tfcourse._tensorflow import KEPT, tf


class Kept:
    """A traced function under its own name: compiled only if no equal one was compiled before.

    State: whether its entry has a checksum yet, and whether the entry can be used.
    """

    def __init__(self, traced: Any) -> None:
        """Take a concrete function that is to be compiled."""
        self._traced, self._noted = traced, False
        self._named = None if KEPT is None else _renamed(traced)

    def __call__(self, *arguments: Any) -> Any:
        """Return what the traced function returns for these arguments."""
        if self._named is None:
            return self._traced(*arguments)
        flat = [tensor for tensor in tf.nest.flatten(arguments) if tensor is not None]
        try:
            found = self._named(*map(tf.convert_to_tensor, flat), *self._traced.captured_inputs)
        except tf.errors.OpError:  # perhaps of an entry that was spoilt since, not of the program
            self._named = None
            return self._traced(*arguments)
        if KEPT is not None and not self._noted:
            self._noted = True
            _compiled.note(KEPT)
        return tf.nest.pack_sequence_as(self._traced.structured_outputs, found)


def _renamed(traced: Any) -> Any:
    """The same function under names that follow from what it computes, for flat arguments."""
    graph = traced.graph.as_graph_def()
    functions = _in_order(traced.function_def, graph.library.function)
    places = {f.signature.name: f"f{i}" for i, f in enumerate(functions)}
    for function in functions:
        _rename(function, places)
    told = b"".join(f.SerializeToString(deterministic=True) for f in functions)
    digest = hashlib.sha256(told).hexdigest()[:32]
    names = {place: f"tfcourse_{digest}_{place}" for place in places.values()}
    for function in functions:
        function.signature.name = names[function.signature.name]
        for node in function.node_def:
            _refer(node, names)
    return _callable(functions, [(t.shape, t.dtype) for t in traced.inputs], graph.versions)


def _in_order(top: Any, library: Any) -> list[Any]:
    """Copies of a function and of those that it calls, in the order in which it does."""
    known = {function.signature.name: function for function in library}
    order: dict[str, Any] = {}

    def visit(function: Any) -> None:
        if function.signature.name in order:
            return
        copy = order[function.signature.name] = type(function)()
        copy.CopyFrom(function)
        for node in function.node_def:
            for called in _called(node):
                visit(known[called.name])

    visit(top)
    return list(order.values())


def _called(node: Any) -> list[Any]:
    """What a node says of functions that it calls."""
    told = [node.attr[name] for name in sorted(node.attr)]
    own = [attribute.func for attribute in told if attribute.HasField("func")]
    return own + [func for attribute in told for func in attribute.list.func]


def _refer(node: Any, names: Mapping[str, str]) -> None:
    for func in _called(node):
        func.name = names[func.name]


def _rename(function: Any, functions: Mapping[str, str]) -> None:
    """Name a function's arguments, nodes and outputs by their places."""
    signature, nodes = function.signature, function.node_def
    signature.name = functions[signature.name]
    names = {a.name: f"a{i:06}" for i, a in enumerate(signature.input_arg)}
    names |= {node.name: f"n{i:06}" for i, node in enumerate(nodes)}
    outputs = {a.name: f"o{i:06}" for i, a in enumerate(signature.output_arg)}

    def reference(told: str) -> str:  # "name", "name:output:0", "^name"
        name, *rest = told.removeprefix("^").split(":")
        return "^" * told.startswith("^") + ":".join([names[name], *rest])

    for argument in signature.input_arg:
        argument.name = names[argument.name]
    for argument in signature.output_arg:
        argument.name = outputs[argument.name]
    for node in nodes:
        node.name = names[node.name]
        node.input[:] = [reference(told) for told in node.input]
        node.ClearField("experimental_debug_info")
        for name in ("_class", "_gradient_op_type"):  # neither counts once a program is whole
            node.attr.pop(name, None)
        _refer(node, functions)
    returned = {outputs[name]: reference(told) for name, told in function.ret.items()}
    function.ret.clear()
    function.ret.update(returned)
    control = {f"c{i:06}": name for i, name in enumerate(sorted(function.control_ret.values()))}
    function.control_ret.clear()
    function.control_ret.update({key: names[name] for key, name in control.items()})
    signature.control_output[:] = control
    function.arg_attr.clear()


def _callable(functions: list[Any], specs: list[Any], versions: Any) -> Any:
    """What calls the first of these functions, as compiled, for arguments of these shapes."""
    signature = functions[0].signature
    graph = tf.compat.v1.GraphDef(versions=versions)
    graph.library.function.extend(functions)
    inputs, outputs = signature.input_arg, range(len(signature.output_arg))
    for argument in inputs:
        graph.node.add(name=argument.name, op="Placeholder").attr["dtype"].type = argument.type
    call = graph.node.add(name="call", op="StatefulPartitionedCall", input=[a.name for a in inputs])
    call.attr["f"].func.name = signature.name
    call.attr["Tin"].list.type.extend(a.type for a in inputs)
    call.attr["Tout"].list.type.extend(a.type for a in signature.output_arg)
    call.attr["_XlaMustCompile"].b = True
    imported = tf.compat.v1.wrap_function(
        lambda: tf.graph_util.import_graph_def(graph, name=""), []
    )
    tensor = imported.graph.get_tensor_by_name
    called = imported.prune(
        [tensor(f"{a.name}:0") for a in inputs], [tensor(f"call:{i}") for i in outputs]
    )
    # Called by another function: called by itself, it takes a third longer.
    outer = tf.function(lambda *flat: called(*flat), autograph=False)
    return outer.get_concrete_function(*itertools.starmap(tf.TensorSpec, specs))
