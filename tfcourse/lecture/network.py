"""A small network in NumPy, for experiments that look inside a training at every update.

Dense layers with batch norm or with a bias, then softmax; gradient descent on the digits. Forward
and backward are the formulas of `batch_norm` and `softmax`, step by step as the lecture has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count, islice, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfcourse import batch_norm, softmax
from tfcourse._arrays import Float64
from tfcourse.lecture import population
from tfcourse.training.batches import epoch_batches

Array = NDArray[Any]

ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "tanh": (np.tanh, lambda a: 1 - a**2),  # g, and its slope from a = g(z)
    "sigmoid": (softmax.sigmoid, lambda a: a * (1 - a)),
}


@dataclass(frozen=True, eq=False)
class Network:
    """W, γ and β of every layer, first to last; without batch norm β is the bias b.

    The last layer gives the logits and is never normalized. γ of layers that are not stays as it
    is, with a slope of 0.
    """

    W: list[Array]
    gamma: list[Array]
    beta: list[Array]
    normalize: bool
    activation: str

    def moved(self, slopes: Network, rate: float) -> Network:
        """Return θ − rate · dθ for all parameters θ: the lecture's update of W, γ and β."""

        def step(parameters: list[Array], by: list[Array]) -> list[Array]:
            return [theta - rate * d for theta, d in zip(parameters, by, strict=True)]

        W, gamma = step(self.W, slopes.W), step(self.gamma, slopes.gamma)
        return replace(self, W=W, gamma=gamma, beta=step(self.beta, slopes.beta))

    def below(self, cut: int, other: Network) -> Network:
        """Return this network with its first `cut` layers taken from `other`."""
        W, gamma = other.W[:cut] + self.W[cut:], other.gamma[:cut] + self.gamma[cut:]
        return replace(self, W=W, gamma=gamma, beta=other.beta[:cut] + self.beta[cut:])


def digits() -> tuple[Float64, NDArray[np.int64]]:
    """Return the digits' standardized training examples, (1077, 64), in float64, and labels."""
    dataset = population.digits()
    return dataset.x_train.astype(np.float64), dataset.y_train


def mini_batches(
    seed: int, examples: int, updates: int, size: int = 64
) -> Iterator[NDArray[np.int32]]:
    """Rows of mini-batches, epoch after epoch, as many as `updates`."""
    epochs = (epoch_batches(seed, epoch, examples, size) for epoch in count())
    return islice(chain.from_iterable(epochs), updates)


def start(seed: int, sizes: list[int], *, normalize: bool, activation: str) -> Network:
    """Draw a network with these numbers of inputs, units, …, classes: W as Glorot and Bengio do."""
    random = np.random.default_rng([seed, 1])
    reach = [np.sqrt(6 / (inputs + units)) for inputs, units in pairwise(sizes)]
    W = [random.uniform(-r, r, shape) for r, shape in zip(reach, pairwise(sizes), strict=True)]
    ones, zeros = [np.ones(n) for n in sizes[1:]], [np.zeros(n) for n in sizes[1:]]
    return Network(W, ones, zeros, normalize, activation)


class Pass(NamedTuple):
    """A forward pass, layer by layer."""

    a: list[Array]  # what comes in, (m, inputs)
    z: list[Array]
    z_tilde: list[Array]  # what g is applied to
    normalized: list[batch_norm.Forward]  # of layers with batch norm


def forward(network: Network, x: Array) -> Pass:
    """Run x, (m, inputs), through the network as in training: with the statistics of x itself."""
    g, _ = ACTIVATIONS[network.activation]
    passed = Pass([x], [], [], [])
    for layer, W in enumerate(network.W):
        z = passed.a[-1] @ W
        if network.normalize and layer < len(network.W) - 1:
            norm = batch_norm.forward(z, network.gamma[layer], network.beta[layer])
            passed.normalized.append(norm)
            z_tilde = norm.z_tilde
        else:
            z = z_tilde = z + network.beta[layer]
        passed.z.append(z)
        passed.z_tilde.append(z_tilde)
        passed.a.append(g(z_tilde))
    return passed


def inference(network: Network, x: Array, statistics: Sequence[tuple[Array, Array]]) -> list[Array]:
    """Return what each g is applied to, the logits last, given each hidden layer's μ and σ²."""
    g, _ = ACTIVATIONS[network.activation]
    entering = []
    for layer, W in enumerate(network.W):
        z = x @ W
        if layer < len(statistics):
            own = network.gamma[layer], network.beta[layer]
            z = batch_norm.inference(z, *statistics[layer], *own)
        else:
            z = z + network.beta[layer]
        entering.append(z)
        x = g(z)
    return entering


def gradients(network: Network, x: Array, y: Array) -> tuple[float, Network]:
    """Return the cost on a mini-batch, and its slope by every parameter as a `Network`."""
    passed = forward(network, x)
    _, slope_of_g = ACTIVATIONS[network.activation]
    cost, d = softmax.cross_entropy_with_gradient(passed.z[-1], y)
    slopes: list[tuple[Array, ...]] = []
    for layer in reversed(range(len(network.W))):
        if layer < len(passed.normalized):
            dz, dgamma, dbeta = batch_norm.backward(d, passed.normalized[layer])
        else:
            dz, dgamma, dbeta = d, np.zeros_like(network.gamma[layer]), d.sum(axis=0)
        slopes.insert(0, (passed.a[layer].T @ dz, dgamma, dbeta))
        d = dz @ network.W[layer].T * slope_of_g(passed.a[layer])  # for the inputs, of no use
    W, gamma, beta = map(list, zip(*slopes, strict=True))
    return float(cost), replace(network, W=W, gamma=gamma, beta=beta)
