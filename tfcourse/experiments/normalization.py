"""Experiments of part 2, batch normalization: what its formulas do, to numbers and to a network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain, count, islice

import numpy as np
from numpy.typing import NDArray

from tfcourse import softmax
from tfcourse._arrays import Floats
from tfcourse.experiments import _network, _populations
from tfcourse.training.batches import epoch_batches


@dataclass(frozen=True, eq=False)
class Bowl:
    """The cost of a linear model of two inputs, and gradient descent on it.

    x: (m, 2). centre: the best w, (2,). hessian: (2, 2). path: w, (steps + 1, 2), until J is
    within a thousandth of its lowest.
    """

    x: Floats
    centre: Floats
    hessian: Floats
    path: Floats

    @property
    def condition(self) -> float:
        """Longest axis of the contours over the shortest, squared: λ_max/λ_min."""
        low, high = np.linalg.eigvalsh(self.hessian)
        return float(high / low)

    @property
    def steps(self) -> int:
        """Steps that gradient descent took."""
        return len(self.path) - 1

    def excess(self, w: Floats) -> Floats:
        """J(w) − J(centre) for w, (…, 2)."""
        offset = w - self.centre
        excess: Floats = np.einsum("...i,ij,...j->...", offset, self.hessian, offset) / 2
        return excess


@dataclass(frozen=True, eq=False)
class Bowls:
    """The same problem with its inputs as they are, and normalized."""

    raw: Bowl
    normalized: Bowl


@cache
def bowls(seed: int = 0, size: int = 20) -> tuple[Bowls, ...]:
    """Fit y by w·x + b in `size` problems, inputs raw and normalized, each at its best constant α.

    The raw inputs have standard deviations of 1 and 0.25 and means away from 0; the best constant
    α for a quadratic cost is 2/(λ_min + λ_max).
    """
    found = []
    for problem in range(size):
        random = np.random.default_rng([seed, problem])
        x = random.normal(size=(200, 2)) * [1.0, 0.25] + random.uniform(-2, 2, 2)
        y = (x - x.mean(axis=0)) / x.std(axis=0) @ random.normal(0, 1, 2)
        y = y + random.normal(0, 0.2, 200)
        found.append(Bowls(_descend(x, y), _descend((x - x.mean(axis=0)) / x.std(axis=0), y)))
    return tuple(found)


def _descend(x: Floats, y: Floats) -> Bowl:
    inputs, target = x - x.mean(axis=0), y - y.mean()  # the best b takes the means out
    hessian = inputs.T @ inputs / len(x)
    centre = np.linalg.solve(hessian, inputs.T @ target / len(x))
    rate = 2 / np.linalg.eigvalsh(hessian).sum()
    bowl = Bowl(x, centre, hessian, centre[None] * 0)
    path = [np.zeros(2)]
    while bowl.excess(path[-1]) > 1e-3 * bowl.excess(path[0]):
        path.append(path[-1] - rate * hessian @ (path[-1] - centre))
    return Bowl(x, centre, hessian, np.array(path))


def _digits() -> tuple[Floats, NDArray[np.integer]]:
    """Return the digits' standardized training examples, (m, 64), in float64, and labels."""
    digits = _populations.digits()
    return digits.x_train.astype(np.float64), digits.y_train


def _updates(seed: int, examples: int, updates: int) -> Iterator[NDArray[np.int32]]:
    """Mini-batches of 64, epoch after epoch, as many as `updates`."""
    epochs = (epoch_batches(seed, epoch, examples, 64) for epoch in count())
    return islice(chain.from_iterable(epochs), updates)


@dataclass(frozen=True, eq=False)
class Distributions:
    """A trained sigmoid layer at work on all training examples, (m, units) each.

    gamma, beta: what it learnt, (units,). bent: share of the activation's variance that a straight
    line in z̃ leaves over, by unit; bent_at_start: the same for z_norm, that is with γ = 1, β = 0.
    """

    z: Floats
    z_norm: Floats
    z_tilde: Floats
    gamma: Floats
    beta: Floats
    bent_at_start: Floats
    bent: Floats
    accuracy: float


@cache
def distributions(seed: int = 0, size: int = 800) -> Distributions:
    """Train 64–32–32–10, batch norm and sigmoids, for `size` updates; look at the second layer."""
    x, y = _digits()
    network = _network.start(seed, [64, 32, 32, 10], normalize=True, activation="sigmoid")
    for rows in _updates(seed, len(x), size):
        network = network.moved(_network.gradients(network, x[rows], y[rows])[1], 2.0)
    passed = _network.forward(network, x)
    z_norm, z_tilde = passed.normalized[1].z_norm, passed.z_tilde[1]
    return Distributions(
        passed.z[1],
        z_norm,
        z_tilde,
        network.gamma[1],
        network.beta[1],
        bent(z_norm),
        bent(z_tilde),
        float((passed.z[-1].argmax(axis=1) == y).mean()),
    )


def bent(z: Floats) -> Floats:
    """Return the share of σ(z)'s variance that the best straight line in z leaves, (units,)."""
    a = softmax.sigmoid(z)
    u, v = z - z.mean(axis=0), a - a.mean(axis=0)
    left: Floats = 1 - (u * v).mean(axis=0) ** 2 / (u**2).mean(axis=0) / (v**2).mean(axis=0)
    return left


@dataclass(frozen=True)
class ByHand:
    """A network trained by the lecture's formulas and by TensorFlow's gradients, side by side.

    differences: largest one between the two, by parameter, after the last update.
    """

    differences: dict[str, float]
    updates: int
    first_cost: float
    last_cost: float


def by_hand(seed: int = 0, size: int = 40, learning_rate: float = 0.2) -> ByHand:
    """Run `size` updates of W, γ and β, forward with z̃ and backward by `batch_norm`'s formulas.

    TensorFlow gets the forward pass alone, with `tf.nn.moments` and `tf.nn.batch_normalization`.
    """
    from tfcourse._tensorflow import tf

    x, y = _digits()
    network = _network.start(seed, [64, 16, 16, 10], normalize=True, activation="tanh")
    W, gamma, beta = (
        [tf.Variable(value) for value in values]
        for values in (network.W, network.gamma, network.beta)
    )
    costs = []
    for rows in _updates(seed, len(x), size):
        cost, slopes = _network.gradients(network, x[rows], y[rows])
        network = network.moved(slopes, learning_rate)
        costs.append(cost)
        with tf.GradientTape() as tape:
            a = tf.constant(x[rows])
            for layer in (0, 1):
                z = a @ W[layer]
                mean, variance = tf.nn.moments(z, 0)
                z = tf.nn.batch_normalization(z, mean, variance, beta[layer], gamma[layer], 1e-3)
                a = tf.tanh(z)
            logits = a @ W[2] + beta[2]
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(y[rows], logits)
            mean_loss = tf.reduce_mean(loss)
        variables = [*W, *gamma[:2], *beta]
        for variable, slope in zip(variables, tape.gradient(mean_loss, variables), strict=True):
            variable.assign_sub(learning_rate * slope)
    pairs = {"W": (W, network.W), "γ": (gamma, network.gamma), "β": (beta, network.beta)}
    differences = {
        name: max(float(np.abs(u - v).max()) for u, v in zip(theirs, ours, strict=True))
        for name, (theirs, ours) in pairs.items()
    }
    return ByHand(differences, size, costs[0], costs[-1])
