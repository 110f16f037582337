"""Defining a cost defines a graph, and the derivative is more of the same graph: dJ/dw = 2w − 10.

It is drawn in columns, by the method of Sugiyama, Tagawa and Toda (1981): columns by the longest
way from a source, stand-ins where an arrow passes a column, rows by the neighbours' mean height.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfcourse.lecture.gallery import figure
from tfcourse.lecture.ledger import Evidence, below, claim, judged, note
from tfcourse.lecture.style import BOOK, Figure, Style

Point = tuple[float, float]
Cost = Callable[[Any], Any]


def lecture_cost(w: Any) -> Any:
    """The lecture's cost, as the lecture writes it: w² − 10w + 25."""
    from tfcourse._tensorflow import tf

    return tf.add(tf.add(w**2, tf.multiply(-10.0, w)), 25)


class Node(NamedTuple):
    """An operation of a graph."""

    name: str
    kind: str
    inputs: tuple[str, ...]  # names of the operations it reads
    value: float | None  # of a constant
    backward: bool  # whether it belongs to the derivative


@cache
def graph(cost: Cost = lecture_cost) -> tuple[tuple[Node, ...], Callable[[Any], Any]]:
    """Return the nodes, as traced, of a cost of w and its derivative, and what gives both of w."""
    from tfcourse._tensorflow import tf

    def forward_and_backward(w: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(w)
            J = cost(w)
        return J, tape.gradient(J, w)

    signature = [tf.TensorSpec((), tf.float32, name="w")]
    traced = tf.function(forward_and_backward, input_signature=signature)
    backward, nodes = set[str](), []
    for op in traced.get_concrete_function().graph.get_operations():
        inputs = tuple(tensor.op.name for tensor in op.inputs)
        # The first constant after the cost is the 1 that the backward pass starts from.
        if op.name == "ones" or "gradient" in op.name or backward.intersection(inputs):
            backward.add(op.name)
        value = float(tf.make_ndarray(op.get_attr("value"))) if op.type == "Const" else None
        nodes.append(Node(op.name, op.type, inputs, value, op.name in backward))
    return tuple(nodes), traced


@figure(
    zh="""TensorFlow 记录下来的图：先是代价，再是由它得出的导数。

    方框是运算，箭头是在运算之间流动的数，都向右。上半部分由 w 算出 J = w² − 10w + 25。
    下半部分是反向传播，从 1 开始，读取上半部分的 w 和两个常数，得到 dJ/dw = 2w − 10。
    其中一个乘积没有去处：对常数 −10 的导数，没有人要它。"""
)
def computation_graph(cost: Cost = lecture_cost, *, seed: int = 0, style: Style = BOOK) -> Figure:
    """What TensorFlow traced: the cost as a graph, and the derivative that it built from it.

    Boxes are operations, arrows the numbers that flow between them, all to the right. The upper
    half computes J = w² − 10w + 25 from w. The lower half, the backward pass, begins with a 1,
    reads w and two constants of the upper half, and ends in dJ/dw = 2w − 10. One of its products
    leads nowhere: the derivative with respect to the constant −10, which nobody asked for.
    """
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
    from matplotlib.path import Path

    nodes, colors, s, say = graph(cost)[0], style.colors, style.scale, style.say
    page = style.page(3.8)
    axes = page.subplots()
    backward = {node.name for node in nodes if node.backward}
    color_of = {n.name: colors.recommended if n.backward else colors.baseline for n in nodes}
    places, routes = layout({node.name: node.inputs for node in nodes}, backward)
    half, words = {}, {"w": "$w$", "Identity": "$J$", "Identity_1": "$dJ/dw$"}
    for node in nodes:
        (x, y), color = places[node.name], color_of[node.name]
        fill, ink, label = color, colors.paper, words.get(node.name, node.kind)
        if node.value is not None:
            fill, ink, label = colors.paper, color, f"{node.value:g}".replace("-", "−")
        half[node.name] = beside = 0.1 + 0.042 * len(label.strip("$"))
        look: dict[str, Any] = {"boxstyle": "round,pad=0,rounding_size=0.08", "mutation_aspect": 2}
        look |= {"fc": fill, "ec": color, "gid": node.name}
        axes.add_patch(FancyBboxPatch((x - beside, y - 0.32), 2 * beside, 0.64, **look))
        axes.text(x, y, label, ha="center", va="center_baseline", color=ink)
    head = f"-|>,head_width={2.2 * s},head_length={4 * s}"
    for (start, end), route in routes.items():
        (x, y), *middle, (x_end, y_end) = route
        points = np.array([(x + half[start], y), *middle, (x_end - half[end], y_end)])
        vertices, codes = [points[0]], [Path.MOVETO]
        for a, b in pairwise(points):  # a smooth arrow, level wherever it passes a point
            reach = [(b[0] - a[0]) / 2, 0]
            vertices += [a + reach, b - reach, b]
            codes += [Path.CURVE4] * 3
        look = {"color": color_of[end], "lw": s, "alpha": 0.7, "zorder": 0}
        path = Path(np.array(vertices), codes)
        axes.add_patch(FancyArrowPatch(path=path, arrowstyle=head, mutation_scale=1, **look))
    x, y = np.transpose(list(places.values()))
    axes.set(xlim=(-0.4, x.max() + 0.4), ylim=(y.min() - 0.5, y.max() + 0.5))
    known = ("$J = w^2 - 10w + 25$", "$dJ/dw = 2w - 10$")
    J, slope = known if cost is lecture_cost else ("$J$", "$dJ/dw$")
    aside: dict[str, Any] = {"transform": axes.transAxes, "ha": "right"}
    axes.text(1, 1, say("forward: ", "前向：") + J, color=colors.baseline, va="top", **aside)
    back = say("backward: ", "反向：") + slope
    axes.text(1, 0, back, color=colors.recommended, va="bottom", **aside)
    axes.axis("off")
    return page


def layout(
    reads: Mapping[str, Sequence[str]], lower: Collection[str]
) -> tuple[dict[str, Point], dict[tuple[str, str], list[Point]]]:
    """Return where each node stands, and through which points each arrow passes, ends included.

    reads: by node, the nodes that an arrow leads from. lower: nodes kept below the others.
    """
    column = _columns(reads)
    chains = {}  # an arrow as its start, stand-ins named after it, and its end
    rank = {name: float(name in lower) for name in reads}
    for end, starts in reads.items():
        for start in starts:
            passed = range(column[start] + 1, column[end])
            stand_ins = [f"{start}>{end}@{c}" for c in passed]
            column |= dict(zip(stand_ins, passed, strict=True))
            rank |= dict.fromkeys(stand_ins, (rank[start] + rank[end]) / 2)
            chains[start, end] = [start, *stand_ins, end]
    near: dict[str, list[str]] = {name: [] for name in column}
    for chain in chains.values():
        for a, b in pairwise(chain):
            near[a].append(b)
            near[b].append(a)
    height = {name: -4.0 * rank[name] for name in column}
    stacks = [[n for n in column if column[n] == c] for c in range(max(column.values()) + 1)]
    for _ in range(40):
        for stack in stacks:
            wish = {n: float(np.mean([height[m] for m in near[n]] or [0.0])) for n in stack}
            stack.sort(key=lambda n: (rank[n], -wish[n]))
            height |= _one_apart(stack, wish)
    at = {name: (float(column[name]), height[name]) for name in column}
    routes = {edge: [at[name] for name in chain] for edge, chain in chains.items()}
    return {name: at[name] for name in reads}, routes


def _columns(reads: Mapping[str, Sequence[str]]) -> dict[str, int]:
    column: dict[str, int] = {}
    for name, starts in reads.items():
        column[name] = max((column[start] for start in starts), default=-1) + 1
    for name, starts in reads.items():
        readers = [column[other] for other in reads if name in reads[other]]
        if not starts and readers:  # a source stands close to what reads it
            column[name] = min(readers) - 1
    return column


def _one_apart(stack: Sequence[str], wish: Mapping[str, float]) -> dict[str, float]:
    """Heights at least 1 apart in the order of `stack`, downwards, each as near its wish as can be.

    Neighbours that would come too close form a block, which stands at its members' mean wish.
    """
    blocks: list[tuple[float, int]] = []  # sum of wishes for its top, number of members
    for name in stack:
        wishes, members = wish[name], 1
        while blocks and wishes / members > blocks[-1][0] / blocks[-1][1] - blocks[-1][1]:
            above, above_members = blocks.pop()
            wishes = above + (wishes + members * above_members)
            members += above_members
        blocks.append((wishes, members))
    heights = [wishes / members - row for wishes, members in blocks for row in range(members)]
    return dict(zip(stack, heights, strict=True))


@claim(
    "tf.computation-graph",
    "Defining the cost defines a graph; the backward pass comes from it: dJ/dw = 2w − 10.",
    note("003", 1363, "till now the computation graph is defined"),
    note("002", 162, "程序会自动做好反向传播", "the program does the backward pass by itself"),
)
def derivative(seed: int) -> Evidence:
    """Traces the cost with its derivative, counts the operations that TensorFlow added for the
    derivative, and compares what they return with 2w − 10 at 21 values of w.
    """
    nodes, traced = graph()
    added = [node for node in nodes if node.backward]
    forward = {node.name for node in nodes if not node.backward}
    reads = any(forward.intersection(node.inputs) for node in added)
    w: NDArray[Any] = np.linspace(-5, 15, 21, dtype=np.float32)
    slope = np.array([float(traced(point)[1]) for point in w])
    off = float(np.abs(slope - (2 * w - 10)).max())
    return judged(
        reads and off < 1e-5,
        f"{len(forward)} operations forward, {len(added)} added; off 2w − 10 by {below(off, 1e-5)}",
        plain="From the cost's graph TensorFlow built the derivative's, and it is right.",
    )
