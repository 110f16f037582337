"""Errors in notes on part 2: each printed form is run and fails, the corrected one holds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.claims.ledger import ERRATUM, Evidence, claim, corrected, note
from tfcourse.experiments import normalization as experiments

EPSILON = 1e-3


def mini_batch(seed: int) -> NDArray[Any]:
    """Return z of 64 examples and one unit, far from mean 0 and variance 1."""
    return np.random.default_rng(seed).normal(5, 3, (64, 1))


@claim(
    "bn.erratum.dropout-noise",
    "Printed: that a larger mini-batch has less noise is an odd property of dropout. Correct: of "
    "batch norm; dropout's noise does not depend on the mini-batch.",
    ERRATUM,
    note("000", "6. Why does Batch Norm work?"),
    note("001", "正则化效果"),
)
def dropout_noise(seed: int) -> Evidence:
    """Measures the noise that dropout of a half gives an activation, relative to it, and that of
    batch norm's μ, relative to σ, in mini-batches of 64 and of 512.
    """
    found = experiments.noise(seed)
    small, large = (int(np.flatnonzero(found.sizes == m)[0]) for m in (64, 512))
    dropout = found.dropout[large] / found.dropout[small]
    of_mean = found.mean[large] / found.mean[small]
    return corrected(
        abs(dropout - 1) < 0.02,
        of_mean < 0.5,
        f"from 64 to 512: dropout's noise × {dropout:.2f}, batch norm's × {of_mean:.2f}",
    )
