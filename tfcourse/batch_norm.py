"""Batch norm in NumPy: each formula, its derivative beside it, and what inference needs.

(Lecture part 2; Ioffe and Szegedy 2015, "Batch Normalization".) Everything is computed over all
axes but the last: over the examples of (examples, units), over examples, height and width of
(examples, height, width, channels). float32 in gives float32 out, float64 gives float64; sums
over examples are carried in float64.

Which variance: mini-batches are always normalized with the biased one, σ² = (1/m) Σ(z − μ)², as in
the lecture. What is remembered for inference differs: Keras's layer keeps the biased one too
(`ddof=0`); PyTorch and TensorFlow's fused kernel keep the unbiased m/(m−1) σ² (`ddof=1`).

>>> mini_batch = tfc.batch_norm.forward([[1.0, 10.0], [3.0, 20.0], [5.0, 60.0]], gamma=2, beta=1)
>>> mini_batch.mean, mini_batch.z_tilde.mean(axis=0).round(9)
(array([ 3., 30.]), array([1., 1.]))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tfcourse import _checks
from tfcourse._arrays import Floats, as_rows, fast_arithmetic, floats, refuse_non_finite
from tfcourse._statistics import Float64, PopulationStatistics, RunningStatistics

__all__ = [
    "Forward",
    "Gradients",
    "PopulationStatistics",
    "RunningStatistics",
    "backward",
    "fold",
    "fold_dense",
    "forward",
    "inference",
]


@dataclass(frozen=True, eq=False)
class Forward:
    """A mini-batch, normalized: z̃ for the next layer, the rest for `backward` and to look at.

    z_tilde: as z. statistics: the mini-batch's own, in float64.
    centred: z less a rounded mean, (m, units), and offset: the rest of that mean, so that
    z − μ = centred − offset without loss however far μ is from 0.
    """

    z_tilde: Floats
    statistics: PopulationStatistics
    gamma: Float64
    epsilon: float
    centred: Floats
    offset: Float64

    @property
    def mean(self) -> Floats:
        """μ, (units,), in z's dtype."""
        return self.statistics.mean.astype(self.z_tilde.dtype)

    @property
    def variance(self) -> Floats:
        """σ², (units,), the biased one, in z's dtype."""
        return self.statistics.variance().astype(self.z_tilde.dtype)

    @property
    def deviation(self) -> Float64:
        """√(σ² + ε), (units,), in float64."""
        return np.sqrt(self.statistics.variance() + self.epsilon)

    @property
    def z_norm(self) -> Floats:
        """(z − μ)/√(σ² + ε), computed when asked for: `backward` can do without."""
        z_norm = (self.centred - self.offset) / self.deviation
        return z_norm.astype(self.z_tilde.dtype).reshape(self.z_tilde.shape)


class Gradients(NamedTuple):
    """The cost's derivatives: dz as z, dgamma and dbeta (units,)."""

    dz: Floats
    dgamma: Floats
    dbeta: Floats


def forward(
    z: ArrayLike, gamma: ArrayLike = 1.0, beta: ArrayLike = 0.0, *, epsilon: float = 1e-3
) -> Forward:
    """Normalize a mini-batch with its own statistics, as in training.

    μ = (1/m) Σ z,  σ² = (1/m) Σ (z − μ)²,  z_norm = (z − μ)/√(σ² + ε),  z̃ = γ z_norm + β

    z: (…, units), float32 or float64. gamma, beta: (units,) or a number. epsilon: above 0; Keras's
    default, PyTorch's is 1e-5. A single example has σ² = 0 and z_norm = 0: the result is β.

    Raises: ValueError for zero examples, NaN or infinity, or a shape that does not match.

    >>> tfc.batch_norm.forward([[1, 10], [3, 30]], gamma=2, beta=1).z_tilde.round(2)
    array([[-1., -1.],
           [ 3.,  3.]])
    """
    z = floats("z", z)
    rows = as_rows("z", z)
    gamma, beta = _parameter("gamma", gamma, rows), _parameter("beta", beta, rows)
    epsilon = _checks.number("epsilon", epsilon, above=0)
    m = len(rows)
    with fast_arithmetic():
        # Near μ is near enough: an eighth of the rows leaves an offset of at most √7 σ, so the
        # sums below stay small, and the offset goes into the statistics and into β.
        near = rows[: m // 8 + 1].mean(axis=0)
        centred = rows - near
        squares, offset = _sum(centred, centred) / m, _sum(centred) / m
        variance = np.maximum(squares - offset**2, 0)
        refuse_non_finite("z", rows, variance)
        slope = gamma / np.sqrt(variance + epsilon)
        z_tilde = centred * slope.astype(z.dtype)
        z_tilde += (beta - slope * offset).astype(z.dtype)
    statistics = PopulationStatistics(m, near + offset, variance * m)
    return Forward(z_tilde.reshape(z.shape), statistics, gamma, epsilon, centred, offset)


def backward(dz_tilde: ArrayLike, of: Forward) -> Gradients:
    """Return the derivatives of the cost by z, γ and β, given its derivative by z̃.

    dβ = Σ dz̃,  dγ = Σ dz̃ z_norm,  dz = γ/√(σ² + ε) (dz̃ − dβ/m − z_norm dγ/m)

    The last two terms come from μ and σ², which depend on every z of the mini-batch. They make
    Σ dz = 0, so a bias b in z = aW + b has db = 0: β does its work.

    dz_tilde: shaped as z. of: what `forward` returned.

    Raises: ValueError for NaN or infinity, or another shape than z's.

    >>> mini_batch = tfc.batch_norm.forward([[1, 10], [3, 30]])
    >>> tfc.batch_norm.backward([[1, 0], [0, 0]], mini_batch).dbeta
    array([1., 0.])
    """
    d = floats("dz_tilde", dz_tilde).astype(of.z_tilde.dtype, copy=False)
    if d.shape != of.z_tilde.shape:
        raise ValueError(f"dz_tilde must have z's shape {of.z_tilde.shape}, got {d.shape}")
    rows, m, deviation = as_rows("dz_tilde", d), len(of.centred), of.deviation
    with fast_arithmetic():
        products, dbeta = _sum(rows, of.centred), _sum(rows)
        dgamma = (products - of.offset * dbeta) / deviation
        refuse_non_finite("dz_tilde", rows, dgamma)
        # z_norm dγ/m = (centred − offset) × slope: one pass for each of the four terms.
        slope = dgamma / (m * deviation)
        dz = of.centred * (-slope).astype(d.dtype)
        dz += rows
        dz += (of.offset * slope - dbeta / m).astype(d.dtype)
        dz *= (of.gamma / deviation).astype(d.dtype)
    return Gradients(dz.reshape(d.shape), dgamma.astype(d.dtype), dbeta.astype(d.dtype))


def inference(
    z: ArrayLike,
    mean: ArrayLike,
    variance: ArrayLike,
    gamma: ArrayLike = 1.0,
    beta: ArrayLike = 0.0,
    *,
    epsilon: float = 1e-3,
) -> Floats:
    """Normalize with given statistics, running or population: z̃ = γ (z − μ)/√(σ² + ε) + β.

    z: (…, units); a single example (units,) too. mean, variance, gamma, beta: (units,) or a number.

    Raises: ValueError for NaN or infinity, a variance below 0, or a shape that does not match.

    >>> tfc.batch_norm.inference([3], mean=1, variance=4).round(3)
    array([1.])
    """
    z = floats("z", z)
    rows = as_rows("z", z)
    slope, mean, beta = _affine(rows, mean, variance, gamma, beta, epsilon)
    near = mean.astype(z.dtype)
    with fast_arithmetic():
        z_tilde = rows - near
        z_tilde *= slope.astype(z.dtype)
        z_tilde += (beta - slope * (mean - near)).astype(z.dtype)
        refuse_non_finite("z", rows, _sum(z_tilde))
    return z_tilde.reshape(z.shape)


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
    """Fold an inference-time batch norm into the dense layer before it: one product does both.

    With s = γ/√(σ² + ε): γ (aW + b − μ)/√(σ² + ε) + β = a (W s) + ((b − μ) s + β).

    kernel: W, (inputs, units). bias: b, (units,) or 0. Returns kernel and bias of the layer that
    does both, in the kernel's dtype.

    Raises: ValueError as `inference` does.

    >>> kernel, bias = tfc.batch_norm.fold_dense([[2]], [1], mean=3, variance=4)
    >>> [5] @ kernel + bias, tfc.batch_norm.inference([5 * 2 + 1], mean=3, variance=4)
    (array([3.9995...]), array([3.9995...]))
    """
    kernel = floats("kernel", kernel)
    rows = as_rows("kernel", kernel)
    bias = _parameter("bias", bias, rows)
    slope, mean, beta = _affine(rows, mean, variance, gamma, beta, epsilon)
    folded = (kernel * slope).astype(kernel.dtype)
    return folded, ((bias - mean) * slope + beta).astype(kernel.dtype)


def fold(model: Any) -> Any:
    """Return a Keras model without batch norm whose outputs at inference equal the model's.

    A batch norm after a Dense layer without activation is folded into that layer, any other one
    into the Dense layer that follows; dropout in between does nothing at inference. Other layers
    are copied, weights and all. The result is not compiled.

    model: a built Sequential or functional Keras model, one layer after the other.

    Raises: ValueError if the model is no such chain, or a batch norm has no Dense layer beside it.

    >>> model = tfc.build((64,), classes=10)
    >>> [layer.name for layer in tfc.batch_norm.fold(model).layers if "norm" in layer.name]
    []
    """
    from tfcourse import _folding

    return _folding.fold(model)


def _parameter(name: str, value: ArrayLike, rows: Floats) -> Float64:
    units = rows.shape[1]
    array = floats(name, value).astype(np.float64)
    if array.shape not in ((), (units,)):
        raise ValueError(f"{name} must have shape ({units},), one per unit, got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must hold finite numbers, got {array[~np.isfinite(array)][0]}")
    return array


def _affine(
    rows: Floats,
    mean: ArrayLike,
    variance: ArrayLike,
    gamma: ArrayLike,
    beta: ArrayLike,
    epsilon: float,
) -> tuple[Float64, Float64, Float64]:
    """Return γ/√(σ² + ε), μ and β, checked."""
    epsilon = _checks.number("epsilon", epsilon, above=0)
    variance = _parameter("variance", variance, rows)
    if (variance < 0).any():
        raise ValueError(f"variance must be at least 0, got {variance.min()}")
    slope = _parameter("gamma", gamma, rows) / np.sqrt(variance + epsilon)
    return slope, _parameter("mean", mean, rows), _parameter("beta", beta, rows)


def _sum(a: Floats, b: Floats | None = None) -> Float64:
    """Return Σ a, or Σ a b, over the rows: runs of 32 in a's own dtype, then float64.

    Short runs keep float32 sums to an ulp or two, and cost no more than one long run.
    """
    whole = len(a) // 32 * 32
    total = np.zeros(a.shape[1])
    for part, run in ((slice(whole), 32), (slice(whole, None), len(a) - whole)):
        if len(a[part]):
            runs = a[part].reshape(-1, run, a.shape[1])
            if b is None:
                sums = np.ones(run, a.dtype) @ runs
            else:
                sums = np.einsum("kij,kij->kj", runs, b[part].reshape(runs.shape))
            total += sums.sum(axis=0, dtype=np.float64)
    return total
