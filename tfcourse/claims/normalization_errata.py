"""Errors in notes on part 2: each printed form is run and fails, the corrected one holds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse import batch_norm
from tfcourse.claims.ledger import ERRATUM, Evidence, claim, corrected, note

EPSILON = 1e-3


def mini_batch(seed: int) -> NDArray[Any]:
    """Return z of 64 examples and one unit, far from mean 0 and variance 1."""
    return np.random.default_rng(seed).normal(5, 3, (64, 1))


@claim(
    "bn.erratum.divide-by-variance",
    "Printed: inputs (x − μ)/σ². Correct: (x − μ)/σ.",
    ERRATUM,
    note("000", "4. Normalizing Activations in a network"),
    note("001", "归一化输入特征"),
)
def divide_by_variance(seed: int) -> Evidence:
    """Runs both on 64 numbers with σ near 3: the printed form has variance 1/σ², not 1."""
    x = mini_batch(seed)
    printed, ours = (x - x.mean()) / x.var(), (x - x.mean()) / x.std()
    return corrected(
        abs(printed.var() - 1) > 0.5,
        abs(ours.var() - 1) < 1e-12,
        f"σ² = {x.var():.2f}: variance printed {printed.var():.3f}, corrected {ours.var():.3f}",
    )


@claim(
    "bn.erratum.uncentred-variance",
    "Printed: σ² = (1/m) Σ x², of x as it is. Correct: (1/m) Σ (x − μ)², or x centred before.",
    ERRATUM,
    note("000", "4. Normalizing Activations in a network"),
)
def uncentred_variance(seed: int) -> Evidence:
    """Runs both on 64 numbers with mean near 5: the printed form is σ² + μ². After centring the
    two are the same.
    """
    x = mini_batch(seed)
    printed, ours = (x**2).mean(), ((x - x.mean()) ** 2).mean()
    after = ((x - x.mean()) ** 2).mean() - x.var()
    return corrected(
        abs(printed - (x.var() + x.mean() ** 2)) < 1e-9 and printed > 2 * x.var(),
        abs(ours - x.var()) < 1e-12 and abs(after) < 1e-12,
        f"printed {printed:.2f} = σ² + μ², corrected {ours:.2f}, NumPy's variance {x.var():.2f}",
    )


@claim(
    "bn.erratum.dz-for-dgamma",
    "Printed: backward to dW, dβ and dz, with which W, β and γ are updated. Correct: dγ, not dz.",
    ERRATUM,
    note("004", "backward prop"),
)
def dz_for_dgamma(seed: int) -> Evidence:
    """Takes γ − α dz, as printed, and γ − α dγ for 64 examples of 8 units: dz has a row for each
    example, so the printed γ is no longer one figure a unit, and another mini-batch cannot use it.
    """
    random = np.random.default_rng(seed)
    z, gamma = random.normal(size=(64, 8)), np.ones(8)
    slopes = batch_norm.backward(random.normal(size=z.shape), batch_norm.forward(z, gamma))
    printed, ours = gamma - 0.1 * slopes.dz, gamma - 0.1 * slopes.dgamma
    try:
        batch_norm.forward(random.normal(size=(32, 8)), printed)
        refused = False
    except ValueError:
        refused = True
    return corrected(
        refused,
        ours.shape == gamma.shape,
        f"γ {gamma.shape} becomes {printed.shape} as printed, {ours.shape} corrected",
    )
