"""What batch norm knows about z: the population's mean and variance, and their running averages."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tfcourse import _checks
from tfcourse._arrays import as_rows, fast_arithmetic, floats, refuse_non_finite
from tfcourse._checks import InputError

Float64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PopulationStatistics:
    """Mean and variance of everything fed so far, exact, in one pass, in pieces of any size.

    `PopulationStatistics()` has seen nothing; `update` and `merge` return new statistics. Two parts
    a and b merge by (Chan, Golub and LeVeque 1983), with δ = μ_b − μ_a and n = n_a + n_b:
    μ = μ_a + δ n_b/n and M₂ = M₂_a + M₂_b + δ² n_a n_b/n.

    count: examples n. mean: μ, (units,). deviations: M₂ = Σ(z − μ)², (units,). All in float64.

    >>> seen = tfc.batch_norm.PopulationStatistics().update([[1], [3]]).update([[8]])
    >>> seen.count, seen.mean
    (3, array([4.]))
    """

    count: int = 0
    mean: Float64 = field(default_factory=lambda: np.zeros(()))
    deviations: Float64 = field(default_factory=lambda: np.zeros(()))

    def update(self, piece: ArrayLike) -> PopulationStatistics:
        """Return the statistics with `piece`, (…, units), taken in as well.

        Raises: ValueError for an empty piece, NaN or infinity, or another number of units.
        """
        rows = as_rows("piece", floats("piece", piece))
        result = self
        for start in range(0, len(rows), 1024):
            block = rows[start : start + 1024].astype(np.float64)
            with fast_arithmetic():
                mean = block.mean(axis=0)
                deviations = ((block - mean) ** 2).sum(axis=0)
            refuse_non_finite("piece", block, deviations)
            result = result.merge(PopulationStatistics(len(block), mean, deviations))
        return result

    def merge(self, other: PopulationStatistics) -> PopulationStatistics:
        """Return the statistics of what both have seen.

        Raises: ValueError if they count different units.
        """
        if self.count and other.count and self.mean.shape != other.mean.shape:
            raise InputError(
                "statistics must be of the same units, "
                f"got {self.mean.shape} and {other.mean.shape}"
            )
        count = self.count + other.count
        share = other.count / max(count, 1)
        delta = other.mean - self.mean
        return PopulationStatistics(
            count,
            self.mean + delta * share,
            self.deviations + other.deviations + delta**2 * self.count * share,
        )

    def variance(self, ddof: int = 0) -> Float64:
        """Return M₂/(n − ddof): 0 for the biased variance, 1 for the unbiased.

        Raises: ValueError unless more than `ddof` examples have been seen.
        """
        ddof = _checks.integer("ddof", ddof, at_least=0, at_most=1)
        if self.count <= ddof:
            raise InputError(f"count must be above ddof = {ddof}, got {self.count} examples")
        return self.deviations / (self.count - ddof)


@dataclass(frozen=True, eq=False)
class RunningStatistics:
    """Exponentially weighted averages v of the mini-batches' μ and σ².

    v_t = momentum v_{t−1} + (1 − momentum) θ_t. They start at 0 and 1, as in Keras and in PyTorch
    (whose momentum is one minus this one). After t updates the start still has the weight
    momentumᵗ: with 0.99 more than a third after 100. `corrected` takes it out, as Adam's bias
    correction does for a start of 0.

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
        _checks.integer("updates", self.updates, at_least=0)

    def update(self, statistics: PopulationStatistics, *, ddof: int = 0) -> RunningStatistics:
        """Return the averages after one more mini-batch, such as `forward(z).statistics`.

        ddof: 0 tracks the biased variance, as Keras; 1 the unbiased, as PyTorch.

        Raises: ValueError for a mini-batch of one example with `ddof=1`, or other units.
        """
        variance = statistics.variance(ddof)
        if self.updates and self.moving_mean.shape != variance.shape:
            raise InputError(
                f"statistics must be of units {self.moving_mean.shape}, got {variance.shape}"
            )
        old, new = self.momentum, 1 - self.momentum
        return RunningStatistics(
            self.momentum,
            self.updates + 1,
            old * self.moving_mean + new * statistics.mean,
            old * self.moving_variance + new * variance,
        )

    def corrected(self) -> tuple[Float64, Float64]:
        """Return mean and variance with the start of 0 and 1 taken out.

        (v_t − momentumᵗ v₀)/(1 − momentumᵗ): the weights of the mini-batches seen add up to 1.

        Raises: ValueError before the first update.
        """
        if not self.updates:
            raise InputError("updates must be at least 1 to correct the averages, got 0")
        start = self.momentum**self.updates
        return self.moving_mean / (1 - start), (self.moving_variance - start) / (1 - start)
