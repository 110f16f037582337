"""What of Keras is used though it is no part of its interface: here one sees when it goes."""

import ast
from pathlib import Path

import keras
import numpy as np

import tfcourse
from tfcourse.training import kernels

OURS = {
    "_getframe",
    "_randbelow",
    "_replace",
    "_asdict",
    "_journal",
    "_take",
}  # Python's, and this package's
USED = {"_fn", "_compile_config", "_inbound_nodes"}
"""Attributes of Keras's objects that begin with an underscore; each has a test below."""


def test_no_other_private_attribute_is_used():
    found = set()
    for path in Path(tfcourse.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) not in ("self", "cls"):
                found.add(node.attr)
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "hasattr"):
                found.add(ast.unparse(node.args[1]).strip("'"))
            if isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith(("keras.src", "tensorflow.python"))
    private = {name for name in found if name.startswith("_") and not name.startswith("__")}
    assert private - OURS == USED


def test_a_metric_takes_what_stands_in_fn_as_its_function():
    """If this fails, `kernels.plain_accuracies` must find another way to replace it."""
    metric = keras.metrics.SparseCategoricalAccuracy()
    assert metric._fn is keras.metrics.sparse_categorical_accuracy
    [(changed, name, plain)] = kernels.plain_accuracies([metric])
    assert changed is metric and plain is not metric._fn
    setattr(metric, name, plain)
    called, usual = [], metric._fn
    metric._fn = lambda *given: called.append(given) or usual(*given)
    metric.update_state(np.array([1, 0]), np.array([[0.1, 0.9], [0.2, 0.8]]))
    assert called and float(metric.result()) == 0.5


def test_what_a_model_keeps_of_its_graph_has_the_names_that_are_passed_over():
    """If this fails, the names in `blueprint.parts` must be set right."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    assert {"_inbound_nodes", "_outbound_nodes", "_metrics", "optimizer"} <= vars(model).keys()


def test_a_model_keeps_what_it_was_compiled_with_in_compile_config():
    def own(y_true, y_pred):
        return keras.ops.mean(y_true - y_pred, axis=-1)

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", own)
    assert model._compile_config.config["loss"] is own


def test_an_operation_of_a_graph_knows_what_it_was_given():
    inputs = keras.Input((2,))

    def own(row):
        return row

    model = keras.Model(inputs, keras.ops.map(own, inputs))
    [operation] = [o for o in model.operations if not isinstance(o, keras.Layer)]
    assert operation._inbound_nodes[0].arguments.args[0] is own
