"""Errors in notes on part 2: each printed form is run and fails, the corrected one holds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse import batch_norm
from tfcourse.claims.ledger import ERRATUM, Evidence, below, claim, corrected, note

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
    "bn.erratum.hidden-mean",
    "Printed: μ = (1/m) Σ z − μ. Correct: μ = (1/m) Σ z.",
    ERRATUM,
    note("000", "4. Normalizing Activations in a network"),
)
def hidden_mean(seed: int) -> Evidence:
    """Solves the printed equation, which has μ on both sides, for μ: half the mean. z less that is
    not centred; z less the mean is.
    """
    z = mini_batch(seed)
    printed = z.mean() / 2  # the μ with μ = mean − μ
    solves = abs(printed - (z.mean() - printed)) < 1e-12
    left = [(z - mu).mean() for mu in (printed, z.mean())]
    return corrected(
        solves and abs(left[0]) > 1,
        abs(left[1]) < 1e-12,
        f"mean of z − μ: printed {left[0]:.2f}, corrected {abs(left[1]):.2f}",
    )


@claim(
    "bn.erratum.hidden-variance",
    "Printed: σ² = (1/m) Σ (z² − μ)². Correct: (1/m) Σ (z − μ)².",
    ERRATUM,
    note("000", "4. Normalizing Activations in a network"),
)
def hidden_variance(seed: int) -> Evidence:
    """Normalizes 64 numbers with both: the printed form grows with the fourth power of z, and what
    it normalizes has a variance far from 1.
    """
    z = mini_batch(seed)
    mu = z.mean()
    printed, ours = ((z**2 - mu) ** 2).mean(), ((z - mu) ** 2).mean()
    spread = [((z - mu) / np.sqrt(v + EPSILON)).var() for v in (printed, ours)]
    return corrected(
        abs(spread[0] - 1) > 0.5,
        abs(spread[1] - 1) < 1e-3,
        f"σ²: printed {printed:.0f}, corrected {ours:.2f}; variance of z_norm {spread[0]:.4f} and "
        f"{spread[1]:.4f}",
    )


@claim(
    "bn.erratum.no-normalization",
    "Printed: z_norm = Wa, b dropped and nothing normalized. Correct: z = Wa, "
    "z_norm = (z − μ)/√(σ² + ε).",
    ERRATUM,
    note("000", "5. Fitting Batch Norm into a neural network"),
)
def no_normalization(seed: int) -> Evidence:
    """Runs both on 64 random inputs and one unit and measures mean and variance."""
    random = np.random.default_rng(seed)
    a, W = random.normal(2, 1, (64, 8)), random.uniform(0.5, 1, (8, 1))
    printed, ours = a @ W, batch_norm.forward(a @ W, epsilon=EPSILON).z_norm
    return corrected(
        abs(printed.mean()) > 1 and abs(printed.var() - 1) > 0.5,
        abs(ours.mean()) < 1e-12 and abs(ours.var() - 1) < 1e-3,
        f"mean, variance: printed {printed.mean():.2f}, {printed.var():.2f}; corrected "
        f"{abs(ours.mean()):.2f}, {ours.var():.2f}",
    )


@claim(
    "bn.erratum.gamma-times-z",
    "Printed: z̃ = γ z + β. Correct: z̃ = γ z_norm + β.",
    ERRATUM,
    note("000", "4. Normalizing Activations in a network"),
)
def gamma_times_z(seed: int) -> Evidence:
    """Sets γ = 2, β = 1 and measures whether z̃ has that deviation and mean."""
    z = mini_batch(seed)
    printed, ours = 2 * z + 1, batch_norm.forward(z, 2.0, 1.0, epsilon=EPSILON).z_tilde
    return corrected(
        abs(printed.mean() - 1) > 1 and abs(printed.std() - 2) > 1,
        abs(ours.mean() - 1) < 1e-9 and abs(ours.std() - 2) < 1e-3,
        f"γ = 2, β = 1: deviation, mean printed {printed.std():.2f}, {printed.mean():.2f}; "
        f"corrected {ours.std():.2f}, {ours.mean():.2f}",
    )


@claim(
    "bn.erratum.gamma-is-variance",
    "Printed: z̃ has mean β and variance γ. Correct: standard deviation γ, variance γ².",
    ERRATUM,
    note("000", "6. Why does Batch Norm work?"),
)
def gamma_is_variance(seed: int) -> Evidence:
    """Sets γ = 2, β = 1 and measures the variance of z̃."""
    variance = float(batch_norm.forward(mini_batch(seed), 2.0, 1.0, epsilon=EPSILON).z_tilde.var())
    return corrected(
        abs(variance - 2) > 0.5,
        abs(variance - 4) < 0.01,
        f"γ = 2: variance {variance:.2f}; printed 2, corrected 4",
    )


@claim(
    "bn.erratum.identity-gamma",
    "Printed: γ = 1/σ² + ε, β = μ give z̃ = z. Correct: γ = √(σ² + ε).",
    ERRATUM,
    note("004", "learnable parameter"),
)
def identity_gamma(seed: int) -> Evidence:
    """Runs both on 64 numbers and measures how far z̃ is from z."""
    z = mini_batch(seed)
    mu, variance = z.mean(axis=0), z.var(axis=0)
    gammas = 1 / variance + EPSILON, np.sqrt(variance + EPSILON)
    off = [
        float(np.abs(batch_norm.forward(z, gamma, mu, epsilon=EPSILON).z_tilde - z).max())
        for gamma in gammas
    ]
    return corrected(
        off[0] > 1,
        off[1] < 1e-12,
        f"largest |z̃ − z|: printed {off[0]:.2f}, corrected {below(off[1], 1e-12)}",
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
