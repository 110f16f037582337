"""Training: one way for any number of Keras models, compiled together or with `model.fit`.

What is named here is loaded, and TensorFlow with it, when first asked for.

>>> digits = tfc.datasets.load("digits").standardized()
>>> sets = digits.x_train, digits.y_train, digits.x_validation, digits.y_validation
>>> trials = [{"learning_rate": 0.01}, {"learning_rate": 1e-9}]
>>> def build(trial):
...     return tfc.build((8, 8), 10)
>>> best = {}
>>> for chunk in tfc.training.train(build, trials, tfc.training.Data(*sets), epochs=2):
...     best |= {one.trial: one.history["val_accuracy"].max() for one in chunk}
>>> print(best[0] > 0.5 > best[1])
True
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfcourse.training.data import Data
    from tfcourse.training.engine import chunks, load, train
    from tfcourse.training.objective import Objective
    from tfcourse.training.trained import Epoch, Trained

__all__ = ["Data", "Epoch", "Objective", "Trained", "chunks", "load", "train"]

_MODULES = {"Data": "data", "Epoch": "trained", "Objective": "objective", "Trained": "trained"}

if not TYPE_CHECKING:  # otherwise mypy would accept any name

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'engine')}"), name)
