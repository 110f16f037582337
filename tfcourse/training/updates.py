"""Update rules as pure functions, each taking the path of the Keras optimizer of its name.

θ are parameters, g their gradient, α the learning rate. A hyperparameter is a tensor that
broadcasts against the parameters: these have the shape (models, parameters), one value per model
has the shape (models, 1). g² is told apart, as `square`: that of an embedding is, in Keras, the sum
of the squares over the places of a word. Hyperparameters come in float64, so that 1 − β is exact:
in float32, 1 − 0.999 is off by 5e-5. (Lecture, part 1.)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfcourse._tensorflow import keras, tf
from tfcourse.hyperparameters import Hyperparameters

Tensor = Any
Slots = tuple[Tensor, ...]
Step = tuple[Tensor, Slots]


def _weights(beta: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
    """β and 1−β in the type of `like`."""
    exact = tf.cast(beta, tf.float64)
    return tf.cast(exact, like.dtype), tf.cast(1 - exact, like.dtype)


def _average(old: Tensor, new: Tensor, beta: Tensor) -> Tensor:
    kept, taken = _weights(beta, old)
    return kept * old + taken * new


def gradient_descent(theta: Tensor, g: Tensor, slots: Slots, alpha: Tensor, **_: Tensor) -> Step:
    """Gradient descent: θ ← θ − α g."""
    return theta - alpha * g, slots


def momentum(
    theta: Tensor, g: Tensor, slots: Slots, alpha: Tensor, *, momentum: Tensor, **_: Tensor
) -> Step:
    """Momentum: v ← β v − α g, θ ← θ + v, with β = `momentum`.

    The lecture averages, v ← β v + (1−β) g and θ ← θ − α v, which is the same with α (1−β) for α.
    """
    (v,) = slots
    v = tf.cast(momentum, theta.dtype) * v - alpha * g
    return theta + v, (v,)


def nesterov(
    theta: Tensor, g: Tensor, slots: Slots, alpha: Tensor, *, momentum: Tensor, **_: Tensor
) -> Step:
    """Nesterov's momentum: v ← β v − α g, θ ← θ + β v − α g."""
    (v,) = slots
    beta = tf.cast(momentum, theta.dtype)
    v = beta * v - alpha * g
    return theta + beta * v - alpha * g, (v,)


def rmsprop(
    theta: Tensor,
    g: Tensor,
    slots: Slots,
    alpha: Tensor,
    *,
    square: Tensor,
    rho: Tensor,
    epsilon: Tensor,
    **_: Tensor,
) -> Step:
    """RMSprop: s ← ρ s + (1−ρ) g², θ ← θ − α g / √(s + ε)."""
    (s,) = slots
    s = _average(s, square, rho)
    return theta - alpha * g / tf.sqrt(s + tf.cast(epsilon, s.dtype)), (s,)


def adam(
    theta: Tensor,
    g: Tensor,
    slots: Slots,
    alpha: Tensor,
    *,
    square: Tensor,
    beta_1: Tensor,
    beta_2: Tensor,
    epsilon: Tensor,
    step: Tensor,
) -> Step:
    """Adam with bias correction (Kingma & Ba 2015, the form before their section 2.1).

    v ← β₁ v + (1−β₁) g, s ← β₂ s + (1−β₂) g²,
    θ ← θ − α √(1−β₂ᵗ)/(1−β₁ᵗ) · v / (√s + ε), where t = `step` counts from 1.
    """
    v, s = slots
    v, s = _average(v, g, beta_1), _average(s, square, beta_2)
    t = tf.cast(step, tf.float64)
    correction = tf.sqrt(1 - tf.pow(beta_2, t)) / (1 - tf.pow(beta_1, t))
    rate = alpha * tf.cast(correction, theta.dtype)
    return theta - rate * v / (tf.sqrt(s) + tf.cast(epsilon, s.dtype)), (v, s)


def adagrad(
    theta: Tensor,
    g: Tensor,
    slots: Slots,
    alpha: Tensor,
    *,
    square: Tensor,
    epsilon: Tensor,
    **_: Tensor,
) -> Step:
    """Adagrad: s ← s + g², θ ← θ − α g / √(s + ε)."""
    (s,) = slots
    s = s + square
    return theta - alpha * g / tf.sqrt(s + tf.cast(epsilon, s.dtype)), (s,)


@dataclass(frozen=True)
class Rule:
    """An update rule: its function, the numbers it takes, and how many slots it keeps."""

    update: Callable[..., Step]
    takes: tuple[str, ...] = ()
    slots: int = 0


RULES: Mapping[str, Rule] = {
    "gradient_descent": Rule(gradient_descent),
    "momentum": Rule(momentum, ("momentum",), 1),
    "nesterov": Rule(nesterov, ("momentum",), 1),
    "rmsprop": Rule(rmsprop, ("rho", "epsilon"), 1),
    "adam": Rule(adam, ("beta_1", "beta_2", "epsilon"), 2),
    "adagrad": Rule(adagrad, ("epsilon",), 1),
}
CLIPPING = ("clipnorm", "global_clipnorm", "clipvalue")


@dataclass(frozen=True)
class Optimizer:
    """How a model is updated.

    rule: a name of `RULES`. numbers: what the rule takes, and `weight_decay` and one of `CLIPPING`
    where they are used. start: of every slot. schedule: from the number of a step, counted from 0,
    to the learning rate of that step.
    """

    rule: str
    numbers: Mapping[str, float]
    schedule: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]
    start: float = 0.0

    @property
    def key(self) -> Hashable:
        """Equal for optimizers that differ only in numbers."""
        return self.rule, tuple(self.numbers), self.start

    @classmethod
    def of(cls, optimizer: keras.optimizers.Optimizer) -> Optimizer | None:
        """Read a Keras optimizer; none if some of what it does has no rule here."""
        rule = _rule_of(optimizer)
        unmapped = (
            optimizer.use_ema
            or optimizer.gradient_accumulation_steps
            or optimizer.loss_scale_factor
            or any(name.startswith("_exclude_from_weight_decay") for name in vars(optimizer))
            or {"apply", "apply_gradients", "update_step"} & set(vars(optimizer))  # the user's own
            or int(optimizer.iterations)  # what it remembers of steps behind it counts
        )
        if rule is None or unmapped:
            return None
        numbers = {name: float(getattr(optimizer, name)) for name in RULES[rule].takes}
        for name in ("weight_decay", *CLIPPING):
            value = getattr(optimizer, name)
            if value is not None and (value or name == "weight_decay"):
                numbers[name] = float(value)
        start = getattr(optimizer, "initial_accumulator_value", 0.0)
        return cls(rule, numbers, _schedule(optimizer), start)

    @classmethod
    def told(cls, settings: Hyperparameters, steps: int) -> Optimizer:
        """Return what the classifier's hyperparameters say; `steps` make an epoch."""
        names = {"rho": "momentum"}
        takes = RULES[settings.optimizer].takes
        numbers = {name: float(getattr(settings, names.get(name, name))) for name in takes}
        return cls(settings.optimizer, numbers, lambda step: settings.rate(step // steps))


def keras_optimizer(settings: Hyperparameters) -> keras.optimizers.Optimizer:
    """Return the Keras optimizer that the classifier's hyperparameters name."""
    alpha, beta = settings.learning_rate, settings.momentum
    if settings.optimizer == "gradient_descent":
        return keras.optimizers.SGD(alpha)
    if settings.optimizer == "momentum":
        return keras.optimizers.SGD(alpha, momentum=beta)
    if settings.optimizer == "rmsprop":
        return keras.optimizers.RMSprop(alpha, rho=beta, epsilon=settings.epsilon)
    return keras.optimizers.Adam(alpha, settings.beta_1, settings.beta_2, settings.epsilon)


def _rule_of(optimizer: Any) -> str | None:
    make = keras.optimizers
    if type(optimizer) is make.SGD:
        if not optimizer.momentum:
            return "gradient_descent"
        return "nesterov" if optimizer.nesterov else "momentum"
    if type(optimizer) is make.RMSprop and not optimizer.momentum and not optimizer.centered:
        return "rmsprop"
    if type(optimizer) in (make.Adam, make.AdamW) and not optimizer.amsgrad:
        return "adam"
    return "adagrad" if type(optimizer) is make.Adagrad else None


def _schedule(optimizer: Any) -> Callable[[Any], Any]:
    try:
        told = optimizer.get_config()["learning_rate"]
    except NotImplementedError:  # of a schedule of the user's own
        told = None
    if isinstance(told, int | float):
        return lambda steps: np.full(len(steps), float(told))

    def asked(steps: Any) -> Any:
        """Let the optimizer itself say what it is at each step: not all schedules take many."""
        rates = []
        with _asking:  # models of one optimizer may train in several threads
            for step in steps:
                optimizer.iterations.assign(int(step))
                rates.append(float(optimizer.learning_rate))
        return np.array(rates)

    return asked


_asking = threading.Lock()


def update(
    optimizer: Optimizer,
    theta: Tensor,
    g: Tensor,
    slots: Slots,
    alpha: Tensor,
    numbers: Mapping[str, Tensor],
    step: Tensor,
    sizes: list[int],
    square: Tensor | None = None,
) -> Step:
    """One step as `keras.optimizers.Optimizer.apply` takes it: decay, clipping, then the rule.

    theta, g, slots: (models, parameters); alpha and numbers: (models, 1). step: from 1. sizes: of
    the variables that a row of parameters holds, one after the other. square: g², if not that of g.
    """
    if "clipvalue" in numbers:
        bound = tf.cast(numbers["clipvalue"], g.dtype)
        g = tf.clip_by_value(g, -bound, bound)
    if "global_clipnorm" in numbers:
        g = _clipped(g, numbers["global_clipnorm"])
    if "clipnorm" in numbers:
        rows = tf.split(g, sizes, axis=1)
        g = tf.concat([_clipped(row, numbers["clipnorm"]) for row in rows], axis=1)
    if "weight_decay" in numbers:
        theta -= theta * tf.cast(numbers["weight_decay"], theta.dtype) * alpha
    rule = RULES[optimizer.rule]
    own = {name: numbers[name] for name in rule.takes}
    squared = tf.square(g) if square is None else square
    return rule.update(theta, g, slots, alpha, **own, square=squared, step=step)


def _clipped(g: Tensor, norm: Tensor) -> Tensor:
    most = tf.cast(norm, g.dtype)
    length = tf.sqrt(tf.reduce_sum(tf.square(g), axis=1, keepdims=True))
    return g * most / tf.maximum(length, most)
