"""Claims of part 4, frameworks."""

from __future__ import annotations

import numpy as np

from tfcourse.claims.ledger import CONDITIONS, HOLDS, Evidence, below, claim, judged, note
from tfcourse.experiments import frameworks as experiments


@claim(
    "tf.computation-graph",
    "Defining the cost defines a graph; the backward pass comes from it: dJ/dw = 2w − 10.",
    HOLDS,
    note("003", "TensorFlow"),
    note("002", "7.9 训练一个Softmax分类器"),
)
def computation_graph(seed: int) -> Evidence:
    """Traces the cost with its derivative, counts the operations that TensorFlow added for the
    derivative, and compares what they return with 2w − 10 at 21 values of w.
    """
    graph = experiments.graph(seed)
    added = [node for node in graph.nodes if node.backward]
    forward = {node.name for node in graph.nodes if not node.backward}
    reads = any(forward.intersection(node.inputs) for node in added)
    off = float(np.abs(graph.slope - (2 * graph.w - 10)).max())
    return judged(
        len(added) > 0 and reads and off < 1e-5,
        f"{len(forward)} operations forward, {len(added)} added; off 2w − 10 by {below(off, 1e-5)}",
    )


@claim(
    "frameworks.criteria",
    "Choose a framework by ease of programming (development and deployment), running speed, and "
    "openness.",
    CONDITIONS,
    note("001", "深度学习框架"),
    note("002", "7.10 深度学习框架"),
    conditions="All but one part can be measured on what is installed: whether a framework stays "
    "open is a matter of who governs it, and no run of it tells.",
)
def criteria(seed: int) -> Evidence:
    """Measures each criterion on the installed TensorFlow. Development: the statements that the
    lecture's program needs with the derivative found by TensorFlow, the derivative by hand being
    none of them. Deployment: the program saved, loaded elsewhere, and compared. Speed: the slowest
    and the fastest way to take the same 1000 steps. Openness: the licence in its metadata.
    """
    found = experiments.criteria(seed)
    ratio = found.slowest / found.fastest
    measurable = (
        found.statements <= 10
        and found.reloaded_difference == 0
        and ratio > 100
        and all(found.open.values())
    )
    licences = ", ".join(f"{name}: {text}" for name, text in found.licences.items())
    return judged(
        False,  # whether it stays open, no run tells
        f"{found.statements} statements, no derivative; reloaded program differs by "
        f"{found.reloaded_difference:g}; slowest way takes "
        f"{'over 100' if ratio > 100 else f'{ratio:.0f}'} times as long as the fastest; {licences}",
        under_conditions=measurable,
    )
