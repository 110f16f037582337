"""Training: one way for any number of Keras models, compiled together or with `model.fit`.

What is named here is loaded, and TensorFlow with it, when first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfcourse.training.data import Data
    from tfcourse.training.engine import chunks, load, train
    from tfcourse.training.trained import Epoch, Objective, Trained

__all__ = ["Data", "Epoch", "Objective", "Trained", "chunks", "load", "train"]

_MODULES = {"Data": "data", "Epoch": "trained", "Objective": "trained", "Trained": "trained"}

if not TYPE_CHECKING:  # otherwise mypy would accept any name

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'engine')}"), name)
