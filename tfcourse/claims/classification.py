"""Claims of part 3, softmax."""

from __future__ import annotations

import numpy as np

from tfcourse import softmax
from tfcourse.claims.ledger import HOLDS, REFUTED, Evidence, claim, note


@claim(
    "softmax.example",
    "z = (5, 2, −1, 3) gives t ≈ (148.4, 7.4, 0.4, 20.1), Σt ≈ 176.3, a ≈ (0.842, 0.042, 0.002, "
    "0.114).",
    HOLDS,
    note("002", "7.8 Softmax回归(Softmax regression)"),
    note("004", "softmax with 4 classes"),
)
def example(seed: int) -> Evidence:
    """Computes t = e^z, its sum and t/Σt in float64 and rounds as the lecture prints them."""
    z = np.array([5.0, 2.0, -1.0, 3.0])
    a = softmax.softmax(z)
    printed = [round(float(value), 3) for value in a]
    total = round(float(np.exp(z).sum()), 1)
    holds = printed == [0.842, 0.042, 0.002, 0.114] and total == 176.3
    return Evidence(HOLDS if holds else REFUTED, f"a = {printed}, Σt = {total}")
