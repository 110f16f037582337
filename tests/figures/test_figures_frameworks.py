"""What the figures of part 4 show, read off their artists."""

from tfcourse._tensorflow import tf
from tfcourse.experiments import speed


def test_computation_graph_has_the_traced_graphs_nodes(drawn):
    @tf.function
    def lecture(w):
        with tf.GradientTape() as tape:
            tape.watch(w)
            cost = tf.add(tf.add(w**2, tf.multiply(-10.0, w)), 25)
        return cost, tape.gradient(cost, w)

    graph = lecture.get_concrete_function(tf.TensorSpec((), tf.float32, name="w")).graph
    [axes] = drawn("computation_graph").axes
    boxes = {patch.get_gid() for patch in axes.patches if patch.get_gid()}
    assert boxes == {op.name for op in graph.get_operations()}
    arrows = sum(not patch.get_gid() for patch in axes.patches)
    assert arrows == sum(len({i.op.name for i in op.inputs}) for op in graph.get_operations())


def test_computation_graphs_boxes_do_not_overlap(drawn):
    figure = drawn("computation_graph")
    boxes = [p.get_window_extent() for p in figure.axes[0].patches if p.get_gid()]
    for i, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[:i])


def test_framework_speed_draws_what_was_recorded(drawn):
    [axes] = drawn("framework_speed").axes
    seconds, machine = speed.recorded()
    points = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"]
    assert points == [seconds[way] for way in speed.WAYS]
    assert machine in axes.get_title(loc="left")
    assert seconds["session loop"] / seconds["the loop compiled"] > 100
