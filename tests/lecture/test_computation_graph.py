"""The traced graph: what the figure shows, and a verdict that turns when something breaks."""

import pytest
from breaking import wrap
from shared import forget

from tfcourse._tensorflow import tf
from tfcourse.lecture import computation_graph as topic
from tfcourse.lecture import ledger

BREAKS = {
    "tf.computation-graph": wrap(
        tf.GradientTape, "gradient", lambda f: lambda self, y, x: 2 * f(self, y, x)
    ),
}


@pytest.mark.parametrize("id", BREAKS)
def test_it_comes_out_as_recorded_and_turns_when_broken(id, verdict, monkeypatch):
    [one] = ledger.find([id])
    assert verdict(id) == one.verdict
    forget()
    BREAKS[id](monkeypatch)
    assert verdict(id) != one.verdict


def traced(cost):
    @tf.function
    def both(w):
        with tf.GradientTape() as tape:
            tape.watch(w)
            J = cost(w)
        return J, tape.gradient(J, w)

    return both.get_concrete_function(tf.TensorSpec((), tf.float32, name="w")).graph


def test_the_figure_has_the_traced_graphs_nodes(drawn):
    graph = traced(lambda w: tf.add(tf.add(w**2, tf.multiply(-10.0, w)), 25))
    [axes] = drawn("computation_graph").axes
    boxes = {patch.get_gid() for patch in axes.patches if patch.get_gid()}
    assert boxes == {op.name for op in graph.get_operations()}
    arrows = sum(not patch.get_gid() for patch in axes.patches)
    assert arrows == sum(len({i.op.name for i in op.inputs}) for op in graph.get_operations())


@pytest.mark.parametrize("style", [(), ("slide", "dark", "zh")])
def test_the_figures_boxes_hold_their_words_and_do_not_overlap(drawn, style):
    figure = drawn("computation_graph", *style)
    [axes] = figure.axes
    boxes = [p.get_window_extent() for p in axes.patches if p.get_gid()]
    for i, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[:i])
    for box, text in zip(boxes, axes.texts, strict=False):
        inside = text.get_window_extent()
        assert box.x0 <= inside.x0 and inside.x1 <= box.x1, text.get_text()


def test_the_figure_takes_another_cost():
    figure = topic.computation_graph(lambda w: w * w)
    kinds = {text.get_text() for text in figure.axes[0].texts}
    assert {"Mul", "$J$", "$dJ/dw$", "forward: $J$"} <= kinds
