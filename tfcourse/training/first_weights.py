"""First weights: those that `build` gives, or, where these are drawn, draws decided by a seed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tfcourse._tensorflow import keras
from tfcourse.training.identity import is_of_keras

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class FirstWeight:
    """How one variable starts: drawn by `initializer`, or as `value` where there is none.

    value: a number stands for an array of it. by_chance: whether another build of the same model
    might have given another value, which is not drawn by an initializer.
    """

    initializer: keras.initializers.Initializer | None
    value: Array | float
    shape: tuple[int, ...]
    dtype: str
    by_chance: bool

    def is_like(self, other: FirstWeight) -> bool:
        """Whether it is the same value."""
        alike = [(w.initializer, w.shape, w.dtype, w.by_chance) for w in (self, other)]
        return alike[0] == alike[1] and np.array_equal(self.value, other.value)

    def draw(self, seed: int, index: int) -> Array:
        """The first value of variable number `index` in the model that `seed` decides."""
        if self.initializer is None:
            return np.broadcast_to(np.asarray(self.value, self.dtype), self.shape)
        own = int(np.random.SeedSequence([seed, index]).generate_state(1)[0])
        config = {**self.initializer.get_config(), "seed": own}
        seeded = type(self.initializer).from_config(config)
        return np.asarray(seeded(self.shape, dtype=self.dtype))


def first_weights(
    model: keras.Model, parts: Sequence[Any], outside: Collection[int] = ()
) -> tuple[FirstWeight, ...]:
    """Return how each of `model.weights` starts.

    parts: the model's layers at any depth. outside: ids of variables that were made before the
    model was. A weight is drawn if an initializer of its layer without a seed gives the very value
    that it holds; but all start as the model holds them if some may depend on what others drew:
    a copy of another layer's, one fitted to random features, two that share an initializer.
    """
    holders: dict[int, Any] = {}
    # Of all that hold a variable, the one with the fewest is its own layer.
    layers = [part for part in parts if isinstance(part, keras.Layer)]
    for layer in sorted(layers, key=lambda layer: -len(layer.weights)):
        holders |= {id(variable): layer for variable in layer.weights}
    values = [weight.numpy() for weight in model.weights]
    found = []
    for weight, value in zip(model.weights, values, strict=True):
        dtype = keras.backend.standardize_dtype(weight.dtype)
        flat = value.ravel()
        if id(weight) in outside:
            first = FirstWeight(None, value, value.shape, dtype, False)
        elif flat.size > 1 and (flat == flat[0]).all():  # nothing that is drawn
            first = FirstWeight(None, flat[0].item(), value.shape, dtype, flat[0] not in (0, 1))
        else:
            initializer = _initializer(holders.get(id(weight)), value, dtype)
            if initializer is not None and initializer.get_config().get("seed", 0) is None:
                first = FirstWeight(initializer, 0.0, value.shape, dtype, False)
            else:
                own = initializer is None and not _is_step(value)
                first = FirstWeight(None, value, value.shape, dtype, own)
        found.append(first)
    drawn = [v.tobytes() for v, f in zip(values, found, strict=True) if f.initializer]
    if any(first.by_chance for first in found) or len(set(drawn)) < len(drawn):
        return tuple(
            FirstWeight(None, value, first.shape, first.dtype, True) if first.initializer else first
            for value, first in zip(values, found, strict=True)
        )
    return tuple(found)


def _initializer(layer: Any, value: Array, dtype: str) -> Any:
    """The initializer of Keras's among a layer's that gives this value, if there is one."""
    for candidate in vars(layer).values() if layer is not None else ():
        if isinstance(candidate, keras.initializers.Initializer) and is_of_keras(type(candidate)):
            try:
                drawn = np.asarray(candidate(value.shape, dtype=dtype))
            except Exception:  # another variable's, which cannot have this shape
                continue
            if drawn.shape == value.shape and np.array_equal(drawn, value):
                return candidate
    return None


def _is_step(value: Array) -> bool:
    """Whether this is an LSTM's bias, as Keras makes it: zeros, then ones, then zeros."""
    if not np.isin(value, (0, 1)).all():
        return False
    return value.size == 1 or (value.ndim == 1 and int(np.count_nonzero(np.diff(value))) < 3)


def initial_weights(first: Sequence[FirstWeight], seed: int) -> list[Array]:
    """Draw a model's first weights, in the order of `model.weights`, each by a seed of its own."""
    return [weight.draw(seed, index) for index, weight in enumerate(first)]
