"""The hyperparameters of the lecture's classifier: their names, defaults and accepted values.

Plain data, so that a command line, a search or a journal can check and keep them without loading
TensorFlow. `classifier.py` turns them into a model.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from tfcourse import _checks
from tfcourse._checks import InputError, InputTypeError

OPTIMIZERS = ("gradient_descent", "momentum", "rmsprop", "adam")
ACTIVATIONS = ("relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "tanh", "sigmoid")
KERAS = {"sgd": "gradient_descent", "swish": "silu", "leakyrelu": "leaky_relu"}
"""Keras's other words for these. Its SGD has no momentum unless it is given one."""
POSITIONS = ("before", "after")
ARCHITECTURE = (
    "layers",
    "units",
    "activation",
    "batch_norm",
    "batch_norm_position",
    "batch_norm_momentum",
    "dropout",
)
"""What makes the model; the others say how it is trained."""
TRAINING = ("optimizer", "learning_rate", "momentum", "beta_1", "beta_2", "epsilon", "decay")
"""What trains a model that is not compiled; `batch_size` and `epochs` train any."""
ENGINES = ("compiled", "keras")
"""Ways to train: as one compiled program, or with `model.fit`."""
FINALISTS, FINALIST_SEEDS = 5, 4
"""Best trials that a search compares at its end, and under how many more seeds."""


@dataclass(frozen=True)
class Hyperparameters:
    """What is chosen before training; part 1 of the lecture is about choosing it well.

    layers: number of hidden layers, 0 (plain softmax regression) to 100.
    units: units of every hidden layer, or one number per layer, each 1 to 65536.
    activation: g in a = g(z), one of `ACTIVATIONS`.
    batch_norm: whether hidden layers are batch-normalized.
    batch_norm_position: "before" normalizes z, as the lecture recommends; "after" normalizes a.
    batch_norm_momentum: of the moving mean and variance, in [0, 1).
    dropout: share of hidden activations set to 0 while training, in [0, 1).
    optimizer: update rule, one of `OPTIMIZERS`.
    learning_rate: α₀, above 0.
    momentum: β of gradient descent with momentum, and of RMSprop's average, in [0, 1).
    beta_1, beta_2, epsilon: β₁, β₂ in [0, 1) and ε > 0 of Adam (ε of RMSprop too).
    decay: the learning rate of epoch t = 0, 1, … is α₀ / (1 + decay · t); at least 0.
    batch_size: examples in a mini-batch, at least 1.
    epochs: passes over the training set, at least 1.

    Raises: ValueError or TypeError for a value that is not accepted.

    >>> tfc.Hyperparameters(layers=3, units=50).units_per_layer
    (50, 50, 50)
    >>> tfc.Hyperparameters(layers=-1)
    Traceback (most recent call last):
    tfcourse._checks.InputError: layers must be a whole number at least 0 and at most 100, got -1
    """

    layers: int = 2
    units: int | tuple[int, ...] = 100
    activation: str = "relu"
    batch_norm: bool = True
    batch_norm_position: str = "before"
    batch_norm_momentum: float = 0.9
    dropout: float = 0.0
    optimizer: str = "adam"
    learning_rate: float = 0.01
    momentum: float = 0.9
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    decay: float = 0.1
    batch_size: int = 64
    epochs: int = 30

    def __post_init__(self) -> None:
        checked: dict[str, Any] = {
            "layers": _checks.integer("layers", self.layers, at_least=0, at_most=100),
            "learning_rate": _checks.number("learning_rate", self.learning_rate, above=0),
            "epsilon": _checks.number("epsilon", self.epsilon, above=0),
            "decay": _checks.number("decay", self.decay, at_least=0),
            "batch_size": _checks.integer("batch_size", self.batch_size, at_least=1),
            "epochs": _checks.integer("epochs", self.epochs, at_least=1),
            "activation": _checks.choice("activation", self.activation, ACTIVATIONS, KERAS),
            "optimizer": _checks.choice("optimizer", self.optimizer, OPTIMIZERS, KERAS),
            "batch_norm_position": _checks.choice(
                "batch_norm_position", self.batch_norm_position, POSITIONS
            ),
        }
        for name in ("batch_norm_momentum", "dropout", "momentum", "beta_1", "beta_2"):
            checked[name] = _checks.number(name, getattr(self, name), at_least=0, below=1)
        if not isinstance(self.batch_norm, bool):
            raise InputTypeError(f"batch_norm must be True or False, got {self.batch_norm!r}")
        if isinstance(self.units, tuple | list):
            checked["units"] = tuple(
                _checks.integer("units", n, at_least=1, at_most=65536) for n in self.units
            )
            if len(self.units) != self.layers:
                raise InputError(
                    f"units must be one number, or one for each of the {self.layers} layers, "
                    f"got {len(self.units)} numbers"
                )
        else:
            checked["units"] = _checks.integer("units", self.units, at_least=1, at_most=65536)
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def units_per_layer(self) -> tuple[int, ...]:
        """Units of each hidden layer, first to last."""
        return self.units if isinstance(self.units, tuple) else (self.units,) * self.layers

    def rate(self, epoch: Any) -> Any:
        """Learning rate of an epoch t = 0, 1, …, or of many: α₀ / (1 + decay · t)."""
        return self.learning_rate / (1 + self.decay * epoch)

    @classmethod
    def architecture(cls, values: Mapping[str, Any]) -> Self:
        """Return those of `values` that make the model, defaults for the rest; look at no other.

        So models that differ in how they are trained alone are built once.
        """
        return cls(**{name: values[name] for name in ARCHITECTURE if name in values})

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Return the hyperparameters in `values`, defaults for the rest.

        Raises: ValueError for a name that is none of these, with the nearest one.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        for name in values:
            _checks.choice("hyperparameter", name, names)
        return cls(**values)
