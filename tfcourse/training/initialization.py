"""First weights: drawn by a model's own initializers, decided by one seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class FirstWeight:
    """How one variable starts: drawn by `initializer`, or as `value` where there is no chance."""

    initializer: keras.initializers.Initializer | None
    value: Array

    def draw(self, seed: int, index: int, shape: Sequence[int] | None = None) -> Array:
        """The first value of variable number `index`; a smaller `shape` for a narrower model."""
        size = tuple(self.value.shape if shape is None else shape)
        if self.initializer is None:
            return self.value[tuple(slice(n) for n in size)]
        own = int(np.random.SeedSequence([seed, index]).generate_state(1)[0])
        seeded = type(self.initializer).from_config({**self.initializer.get_config(), "seed": own})
        return np.asarray(seeded(size, dtype=self.value.dtype.name))


def first_weights(model: keras.Model) -> list[FirstWeight]:
    """How each of `model.weights` starts.

    A variable `kernel` is drawn by its layer's `kernel_initializer` if that one is random. All
    others start as the model holds them: zeros and ones, variables without an initializer, and
    frozen layers (`trainable=False`), whose weights were learnt elsewhere.
    """
    initializers: dict[int, keras.initializers.Initializer] = {}
    for layer in model._flatten_layers():  # outer layers first, so that the inner ones decide
        for weight in layer.weights:
            found = getattr(layer, f"{weight.name}_initializer", None)
            if found is not None and layer.trainable:
                initializers[id(weight)] = found
    return [
        FirstWeight(found if hasattr(found, "seed") else None, weight.numpy())
        for weight in model.weights
        for found in [initializers.get(id(weight))]
    ]


def initial_weights(model: keras.Model, seed: int) -> list[Array]:
    """Draw a model's first weights, in the order of `model.weights`.

    Each variable gets a seed of its own from (seed, its index), which replaces the one that its
    initializer may carry: `model.set_weights(initial_weights(model, 7))` gives the same model
    whatever was built before it.
    """
    return [weight.draw(seed, index) for index, weight in enumerate(first_weights(model))]
