"""Batch norm in NumPy: each formula with its derivative below it, and what inference needs.

(Lecture part 2; Ioffe and Szegedy 2015, "Batch Normalization".) Mean and variance are taken over
all axes but the last: over the examples of (examples, units), over examples, height and width of
(examples, height, width, channels). z̃ and the gradients have z's dtype, float32 or float64 (whole
numbers become float64); statistics, and what lies between, are float64. ValueError is raised for
NaN, infinity, numbers of 1e145 or more (their squares do not fit float64), masked entries of
numpy.ma, and shapes or values other than those described, TypeError for other types.

>>> mini_batch = tfc.batch_norm.forward([[1.0, 10.0], [3.0, 20.0], [5.0, 60.0]], gamma=2, beta=1)
>>> mini_batch.mean, mini_batch.z_tilde.mean(axis=0).round(9)
(array([ 3., 30.]), array([1., 1.]))
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tfcourse import _checks
from tfcourse._arrays import Float64, Floats, floats
from tfcourse._checks import InputError
from tfcourse._folding import fold

__all__ = [
    "Forward", "Gradients", "PopulationStatistics", "RunningStatistics",
    "backward", "fold", "fold_dense", "forward", "inference",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Forward:
    """A normalized mini-batch: z̃ for the next layer, the rest for `backward`.

    z_tilde, z_norm: shaped as z, in its dtype. mean, variance, deviation: μ, the biased σ² and
    √(σ² + ε), (units,).
    """

    z_tilde: Floats
    z_norm: Floats
    mean: Float64
    variance: Float64
    deviation: Float64
    gamma: Float64

    @property
    def statistics(self) -> PopulationStatistics:
        """μ and σ² with the number of examples, for the averages that inference needs."""
        m = self.z_norm.size // self.mean.size
        return PopulationStatistics(m, self.mean, self.variance * m)


def forward(
    z: ArrayLike, gamma: ArrayLike = 1.0, beta: ArrayLike = 0.0, *, epsilon: float = 1e-3
) -> Forward:
    """Normalize a mini-batch with its own mean and variance, as in training.

    μ = (1/m) Σ z,  σ² = (1/m) Σ (z − μ)²,  z_norm = (z − μ)/√(σ² + ε),  z̃ = γ z_norm + β

    z: (…, units). gamma, beta: (units,), or one number for all. epsilon: above 0; the default is
    Keras's, PyTorch's is 1e-5. One example alone has σ² = 0 and z_norm = 0, so that its z̃ is β.

    >>> tfc.batch_norm.forward([[1, 10], [3, 30]], gamma=2, beta=1).z_tilde.round(2).tolist()
    [[-1.0, -1.0], [3.0, 3.0]]
    """
    z = _numbers("z", z)
    gamma, beta = _of_units(z, gamma=gamma, beta=beta)
    epsilon = _checks.number("epsilon", epsilon, above=0)
    examples = tuple(range(z.ndim - 1))

    mu = z.mean(axis=examples, dtype=np.float64)
    variance = ((z - mu) ** 2).mean(axis=examples)
    z_norm = (z - mu) / np.sqrt(variance + epsilon)
    z_tilde = gamma * z_norm + beta

    z_tilde, z_norm = z_tilde.astype(z.dtype), z_norm.astype(z.dtype)
    return Forward(z_tilde, z_norm, mu, variance, np.sqrt(variance + epsilon), gamma)


class Gradients(NamedTuple):
    """The gradients of the cost: dz shaped as z, dgamma and dbeta (units,)."""

    dz: Floats
    dgamma: Floats
    dbeta: Floats


def backward(dz_tilde: ArrayLike, of: Forward) -> Gradients:
    """Return the gradients with respect to z, γ and β, from dz̃ and what `forward` returned.

    dβ = Σ dz̃,  dγ = Σ dz̃ z_norm,  dz = γ/√(σ² + ε) (dz̃ − dβ/m − z_norm dγ/m)

    The last two terms come through μ and σ², which depend on every z of the mini-batch. They make
    Σ dz = 0. So a bias b in z = aW + b has db = 0, and β does its work.

    >>> mini_batch = tfc.batch_norm.forward([[1, 10], [3, 30]])
    >>> tfc.batch_norm.backward([[1, 0], [0, 0]], mini_batch).dbeta
    array([1., 0.])
    """
    dz_tilde, z_norm, dtype = _numbers("dz_tilde", dz_tilde), of.z_norm, of.z_norm.dtype
    if dz_tilde.shape != z_norm.shape:
        raise InputError(f"dz_tilde must have z's shape {z_norm.shape}, got {dz_tilde.shape}")
    examples, m = tuple(range(z_norm.ndim - 1)), of.statistics.count

    dbeta = dz_tilde.sum(axis=examples, dtype=np.float64)
    dgamma = (dz_tilde * z_norm).sum(axis=examples, dtype=np.float64)
    dz_norm = dz_tilde - dbeta / m - z_norm * (dgamma / m)
    dz = of.gamma / of.deviation * dz_norm

    return Gradients(dz.astype(dtype), dgamma.astype(dtype), dbeta.astype(dtype))


def inference(
    z: ArrayLike,
    mean: ArrayLike,
    variance: ArrayLike,
    gamma: ArrayLike = 1.0,
    beta: ArrayLike = 0.0,
    *,
    epsilon: float = 1e-3,
) -> Floats:
    """Normalize with given statistics, running or the population's: z̃ = γ (z − μ)/√(σ² + ε) + β.

    z: (…, units), or one example, (units,). The rest: (units,), or one number; σ² at least 0.

    >>> tfc.batch_norm.inference([3], mean=1, variance=4).round(3)
    array([1.])
    """
    z = _numbers("z", z)
    mu, variance, gamma, beta = _of_units(z, mean=mean, variance=variance, gamma=gamma, beta=beta)
    z_norm = (z - mu) / np.sqrt(variance + _checks.number("epsilon", epsilon, above=0))
    z_tilde = gamma * z_norm + beta
    return z_tilde.astype(z.dtype)


def fold_dense(
    kernel: ArrayLike,
    bias: ArrayLike,
    mean: ArrayLike,
    variance: ArrayLike,
    gamma: ArrayLike = 1.0,
    beta: ArrayLike = 0.0,
    *,
    epsilon: float = 1e-3,
) -> tuple[Floats, Floats]:
    """Return kernel and bias of one dense layer that does the work of both, at inference.

    With s = γ/√(σ² + ε): γ (aW + b − μ)/√(σ² + ε) + β = a (W s) + ((b − μ) s + β)

    kernel: W, (inputs, units). bias: b, (units,), or one number. The rest is as for `inference`.

    >>> kernel, bias = tfc.batch_norm.fold_dense([[2]], [1], mean=3, variance=4)
    >>> [5] @ kernel + bias, tfc.batch_norm.inference([5 * 2 + 1], mean=3, variance=4)
    (array([3.9995...]), array([3.9995...]))
    """
    W = _numbers("kernel", kernel)
    b, mu, variance = _of_units(W, bias=bias, mean=mean, variance=variance)
    gamma, beta = _of_units(W, gamma=gamma, beta=beta)
    s = gamma / np.sqrt(variance + _checks.number("epsilon", epsilon, above=0))
    return (W * s).astype(W.dtype), ((b - mu) * s + beta).astype(W.dtype)


@dataclass(frozen=True, eq=False)
class PopulationStatistics:
    """Exact mean and variance of all that was seen, in one pass and in pieces of any size.

    count: examples n, 0 to begin with. mean: μ, (units,). deviations: M₂ = Σ (z − μ)², (units,).

    >>> seen = tfc.batch_norm.PopulationStatistics().update([[1], [3]]).update([[8]])
    >>> seen.count, seen.mean
    (3, array([4.]))
    """

    count: int = 0
    mean: Float64 = field(default_factory=lambda: np.zeros(()))
    deviations: Float64 = field(default_factory=lambda: np.zeros(()))

    def update(self, z: ArrayLike) -> PopulationStatistics:
        """Return the statistics of what was seen before and of z, (…, units)."""
        return self.merge(forward(z).statistics)

    def merge(self, other: PopulationStatistics) -> PopulationStatistics:
        """Return the statistics of what either has seen (Chan, Golub and LeVeque 1983).

        With δ = μ_b − μ_a and n = n_a + n_b: μ = μ_a + δ n_b/n, M₂ = M₂_a + M₂_b + δ² n_a n_b/n
        """
        if self.count and other.count:
            _of_units(self.mean, statistics=other.mean)
        count = self.count + other.count
        share, delta = other.count / max(count, 1), other.mean - self.mean
        deviations = self.deviations + other.deviations + delta**2 * self.count * share
        return PopulationStatistics(count, self.mean + delta * share, deviations)

    def variance(self, ddof: int = 0) -> Float64:
        """Return M₂/(n − ddof), of more than `ddof` examples: biased for 0, unbiased for 1."""
        ddof = _checks.integer("ddof", ddof, at_least=0, at_most=1)
        if self.count <= ddof:
            raise InputError(f"count must be above ddof = {ddof}, got {self.count} examples")
        return self.deviations / (self.count - ddof)


@dataclass(frozen=True, eq=False)
class RunningStatistics:
    """Exponentially weighted averages v_t = momentum v_{t−1} + (1 − momentum) θ_t of μ and σ².

    They start at 0 and 1, as in Keras and in PyTorch (whose momentum is 1 minus this one). After t
    updates the start still has the weight momentumᵗ: with 0.99, more than a third after 100.
    `corrected` takes it out, as the bias correction of Adam does.

    momentum: in [0, 1). updates: t. moving_mean, moving_variance: (units,) after the first update.

    >>> mini_batch = tfc.batch_norm.forward([[1], [3]]).statistics
    >>> running = tfc.batch_norm.RunningStatistics(momentum=0.9).update(mini_batch)
    >>> running.moving_mean.round(3), running.corrected()[0].round(3)
    (array([0.2]), array([2.]))
    """

    momentum: float = 0.99
    updates: int = 0
    moving_mean: Float64 = field(default_factory=lambda: np.zeros(()))
    moving_variance: Float64 = field(default_factory=lambda: np.ones(()))

    def __post_init__(self) -> None:
        _checks.number("momentum", self.momentum, at_least=0, below=1)

    def update(self, statistics: PopulationStatistics, *, ddof: int = 0) -> RunningStatistics:
        """Return the averages after one more mini-batch, such as `forward(z).statistics`.

        ddof: 0 tracks the biased variance, as Keras does; 1 the unbiased one, m/(m − 1) σ², as do
        PyTorch and TensorFlow's fused kernel. All normalize a mini-batch with the biased one.
        """
        if self.updates:
            _of_units(self.moving_mean, statistics=statistics.mean)
        old, new = self.momentum, 1 - self.momentum
        mean = old * self.moving_mean + new * statistics.mean
        variance = old * self.moving_variance + new * statistics.variance(ddof)
        updates = self.updates + 1
        return replace(self, updates=updates, moving_mean=mean, moving_variance=variance)

    def corrected(self) -> tuple[Float64, Float64]:
        """Return mean and variance without their start: (v_t − momentumᵗ v₀)/(1 − momentumᵗ)."""
        if not self.updates:
            raise InputError("updates must be at least 1 to correct the averages, got 0")
        start = self.momentum**self.updates
        return self.moving_mean / (1 - start), (self.moving_variance - start) / (1 - start)


def _numbers(name: str, value: ArrayLike, axes: int = 1) -> Floats:
    array = floats(name, value, axes)
    fits = np.isfinite(array) if array.dtype == np.float32 else np.abs(array) < 1e145
    if not fits.all():
        raise InputError(f"{name} must hold finite numbers below 1e145, got {array[~fits][0]}")
    return array


def _of_units(z: Floats, **given: ArrayLike) -> list[Float64]:
    """Return what is given, in float64: each a number for every unit of z, or one for all."""
    arrays = [_numbers(name, value, axes=0).astype(np.float64) for name, value in given.items()]
    for name, array in zip(given, arrays, strict=True):
        if array.shape not in ((), z.shape[-1:]):
            raise InputError(f"{name} must have shape {z.shape[-1:]}, got {array.shape}")
        if name == "variance" and array.min() < 0:
            raise InputError(f"variance must be at least 0, got {array.min()}")
    return arrays
