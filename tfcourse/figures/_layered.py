"""A directed graph in columns: every arrow leads to the right, few cross.

The method is that of Sugiyama, Tagawa and Toda (1981): columns by the longest way from a source,
stand-ins where an arrow passes a column, rows by the mean height of the neighbours.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

import numpy as np

Point = tuple[float, float]
Edge = tuple[str, str]


def layout(
    reads: Mapping[str, Sequence[str]], lower: Collection[str]
) -> tuple[dict[str, Point], dict[Edge, list[Point]]]:
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
    height = _heights(column, near, rank)
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


def _heights(
    column: Mapping[str, int], near: Mapping[str, Sequence[str]], rank: Mapping[str, float]
) -> dict[str, float]:
    height = {name: -4.0 * rank[name] for name in column}
    stacks = [[n for n in column if column[n] == c] for c in range(max(column.values()) + 1)]
    for _ in range(40):
        for stack in stacks:
            wish = {n: float(np.mean([height[m] for m in near[n]] or [0.0])) for n in stack}
            stack.sort(key=lambda n: (rank[n], -wish[n]))
            height |= _one_apart(stack, wish)
    return height


def _one_apart(stack: Sequence[str], wish: Mapping[str, float]) -> dict[str, float]:
    """Heights at least 1 apart in the order of `stack`, downwards, each as near its wish as can be.

    Neighbours that would come too close form a block, which stands at its members' mean wish.
    """
    blocks: list[list[float]] = []  # [sum of wishes of its top, number of members]
    for name in stack:
        blocks.append([wish[name], 1])
        while len(blocks) > 1 and _top(blocks[-1]) > _top(blocks[-2]) - blocks[-2][1]:
            wishes, members = blocks.pop()
            blocks[-1][0] += wishes + members * blocks[-1][1]
            blocks[-1][1] += members
    heights = [_top(block) - row for block in blocks for row in range(int(block[1]))]
    return dict(zip(stack, heights, strict=True))


def _top(block: Sequence[float]) -> float:
    return block[0] / block[1]
