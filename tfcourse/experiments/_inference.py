"""What trained networks make of new data, in NumPy, so that no Keras models need be built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
EPSILON = 1e-3  # of Keras's batch norm

PLAIN, STATELESS, NORMALIZED = 2, 3, 5
"""Weights of a hidden layer: W, b; W, γ, β; or W, γ, β and the moving μ and σ²."""


def logits(
    weights: Sequence[Array],
    x: Array,
    kind: int = NORMALIZED,
    *,
    of: Array | None = None,
    after: bool = False,
) -> Array:
    """Return the logits of x, (…, m, C), from weights in Keras's order; hidden layers rectify.

    kind: which weights a hidden layer has; the last layer has W and b. of: batch norm's μ and σ²
    are those of these examples, (…, k, features), instead of the moving ones. after: whether
    batch norm comes after the rectifier.
    """
    for start in range(0, len(weights) - 2, kind):
        W, *rest = weights[start : start + kind]
        x, of = x @ W, None if of is None else of @ W
        if kind == PLAIN:
            x = np.maximum(x + rest[0], 0)
            continue
        gamma, beta, *statistics = rest
        if after:
            x, of = np.maximum(x, 0), None if of is None else np.maximum(of, 0)
        if of is not None:
            statistics = [of.mean(axis=-2, keepdims=True), of.var(axis=-2, keepdims=True)]
        slope = gamma / np.sqrt(statistics[1] + EPSILON)
        x = (x - statistics[0]) * slope + beta
        of = None if of is None else (of - statistics[0]) * slope + beta
        if not after:
            x, of = np.maximum(x, 0), None if of is None else np.maximum(of, 0)
    return np.asarray(x @ weights[-2] + weights[-1])


def accuracy(logits: Array, labels: Array) -> float:
    """Return the share of examples whose largest logit is that of their label."""
    return float((logits.argmax(axis=-1) == labels).mean())
