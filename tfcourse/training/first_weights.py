"""First weights: those that `build` gives, or, where these are drawn, draws decided by a seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tfcourse._tensorflow import keras

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class FirstWeight:
    """How one variable starts: drawn by `initializer`, or as `value` where there is none.

    value: a number stands for an array of it.
    """

    initializer: keras.initializers.Initializer | None
    value: Array | float
    shape: tuple[int, ...]
    dtype: str

    @property
    def by_chance(self) -> bool:
        """Whether another build of the same model might have given another value."""
        return self.initializer is None and not np.isin(self.value, (0, 1)).all()

    def draw(self, seed: int, index: int) -> Array:
        """The first value of variable number `index` in the model that `seed` decides."""
        if self.initializer is None:
            return np.broadcast_to(np.asarray(self.value, self.dtype), self.shape)
        own = int(np.random.SeedSequence([seed, index]).generate_state(1)[0])
        config = {**self.initializer.get_config(), "seed": own}
        seeded = type(self.initializer).from_config(config)
        return np.asarray(seeded(self.shape, dtype=self.dtype))


def first_weights(model: keras.Model, parts: Sequence[Any]) -> Iterator[FirstWeight]:
    """Yield how each of `model.weights` starts.

    parts: the model's layers at any depth. A variable is drawn if one of its layer's initializers
    has no seed of its own and gives the very value that the variable holds. All others start as
    the model holds them: zeros and ones, loaded weights, and what a seed of the user's own decides.
    """
    holders: dict[int, Any] = {}
    # Of all that hold a variable, the one with the fewest is its own layer.
    layers = [part for part in parts if isinstance(part, keras.Layer)]
    for layer in sorted(layers, key=lambda layer: -len(layer.weights)):
        holders |= {id(variable): layer for variable in layer.weights}
    for weight in model.weights:
        value = weight.numpy()
        shape, dtype = tuple(weight.shape), keras.backend.standardize_dtype(weight.dtype)
        flat = value.ravel()
        if flat.size > 1 and (flat == flat[0]).all():  # nothing that is drawn
            yield FirstWeight(None, flat[0].item(), shape, dtype)
            continue
        found = _initializer(holders.get(id(weight)), value, shape, dtype)
        yield FirstWeight(found, np.zeros(0) if found else value, shape, dtype)


def _initializer(layer: Any, value: Array, shape: tuple[int, ...], dtype: str) -> Any:
    for candidate in vars(layer).values() if layer is not None else ():
        if isinstance(candidate, keras.initializers.Initializer):
            try:
                if candidate.get_config().get("seed", 0) is not None:
                    continue  # not random, or decided by a seed of the user's own
                drawn = np.asarray(candidate(shape, dtype=dtype))
            except Exception:  # another variable's, which cannot have this shape
                continue
            if drawn.shape == value.shape and np.array_equal(drawn, value):
                return candidate
    return None


def initial_weights(first: Sequence[FirstWeight], seed: int) -> list[Array]:
    """Draw a model's first weights, in the order of `model.weights`, each by a seed of its own."""
    return [weight.draw(seed, index) for index, weight in enumerate(first)]
