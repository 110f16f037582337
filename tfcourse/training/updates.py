"""Update rules as pure functions: gradient descent, momentum, RMSprop, Adam.

θ are parameters, g their gradient, α the learning rate. A hyperparameter is a number or a tensor of
any float type that broadcasts against the parameters: where these have the shape
(models, parameters), one value per model has the shape (models, 1). ε stands where Keras has it, so
that a Keras optimizer takes the same path. (Lecture, part 1.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tfcourse import _checks
from tfcourse._tensorflow import tf

Tensor = Any
State = tuple[Tensor, ...]
Step = tuple[Tensor, State]


def _cast(hyperparameter: Tensor, like: Tensor) -> Tensor:
    return tf.cast(hyperparameter, like.dtype)


def _weights(beta: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
    """β and 1−β in the type of `like`, from float64: in float32, 1 − 0.999 is off by 5e-5."""
    exact = tf.cast(beta, tf.float64)
    return _cast(exact, like), _cast(1 - exact, like)


def gradient_descent(
    parameters: Tensor, gradients: Tensor, state: State, *, learning_rate: Tensor
) -> Step:
    """Gradient descent: θ ← θ − α g. Keeps no state."""
    return parameters - _cast(learning_rate, parameters) * gradients, state


def momentum(
    parameters: Tensor,
    gradients: Tensor,
    state: State,
    *,
    learning_rate: Tensor,
    momentum: Tensor = 0.9,
) -> Step:
    """Momentum: v ← β v − α g, θ ← θ + v, with β = `momentum`. State: (v,).

    The lecture averages, v ← β v + (1−β) g and θ ← θ − α v, which is the same with α (1−β) for α.
    """
    (velocity,) = state
    rate, kept = _cast(learning_rate, parameters), _cast(momentum, parameters)
    velocity = kept * velocity - rate * gradients
    return parameters + velocity, (velocity,)


def rmsprop(
    parameters: Tensor,
    gradients: Tensor,
    state: State,
    *,
    learning_rate: Tensor,
    momentum: Tensor = 0.9,
    epsilon: Tensor = 1e-7,
) -> Step:
    """RMSprop: s ← ρ s + (1−ρ) g², θ ← θ − α g / √(s + ε), with ρ = `momentum`. State: (s,)."""
    (square,) = state
    old, new = _weights(momentum, square)
    square = old * square + new * tf.square(gradients)
    step = _cast(learning_rate, square) * gradients / tf.sqrt(square + _cast(epsilon, square))
    return parameters - step, (square,)


def adam(
    parameters: Tensor,
    gradients: Tensor,
    state: State,
    *,
    learning_rate: Tensor,
    beta_1: Tensor = 0.9,
    beta_2: Tensor = 0.999,
    epsilon: Tensor = 1e-7,
) -> Step:
    """Adam with bias correction (Kingma & Ba 2015, the form before their section 2.1).

    v ← β₁ v + (1−β₁) g, s ← β₂ s + (1−β₂) g²,
    θ ← θ − α √(1−β₂ᵗ)/(1−β₁ᵗ) · v / (√s + ε), where t counts steps from 1.

    State: (v, s, β₁ᵗ, β₂ᵗ), the powers of the step before, 1 at first.
    """
    average, square, power_1, power_2 = state
    old_1, new_1 = _weights(beta_1, average)
    old_2, new_2 = _weights(beta_2, square)
    power_1, power_2 = power_1 * old_1, power_2 * old_2
    average = old_1 * average + new_1 * gradients
    square = old_2 * square + new_2 * tf.square(gradients)
    rate = _cast(learning_rate, average) * tf.sqrt(1 - power_2) / (1 - power_1)
    step = rate * average / (tf.sqrt(square) + _cast(epsilon, square))
    return parameters - step, (average, square, power_1, power_2)


@dataclass(frozen=True)
class Rule:
    """An update rule: its function, the hyperparameters it takes, and its state at the start.

    averages: how many tensors like the parameters it keeps; powers: how many like a learning rate.
    """

    update: Callable[..., Step]
    takes: tuple[str, ...]
    averages: int
    powers: int = 0

    def start(self, parameters: Tensor, rate: Tensor) -> State:
        """Return the first state: zeros like `parameters`, and ones like a learning rate."""
        averages = [tf.zeros_like(parameters) for _ in range(self.averages)]
        return (*averages, *(tf.ones_like(rate) for _ in range(self.powers)))


RULES: Mapping[str, Rule] = {
    "gradient_descent": Rule(gradient_descent, ("learning_rate",), 0),
    "momentum": Rule(momentum, ("learning_rate", "momentum"), 1),
    "rmsprop": Rule(rmsprop, ("learning_rate", "momentum", "epsilon"), 1),
    "adam": Rule(adam, ("learning_rate", "beta_1", "beta_2", "epsilon"), 2, 2),
}


def rule(name: str) -> Rule:
    """Return an update rule by name. Raises: ValueError for a name that is none."""
    return RULES[_checks.choice("optimizer", name, RULES)]


def decayed(learning_rate: Tensor, decay: Tensor, epoch: Tensor) -> Tensor:
    """Learning rate of `epoch` (from 0): α₀ / (1 + decay · epoch)."""
    return learning_rate / (1 + decay * tf.cast(epoch, tf.float64))
