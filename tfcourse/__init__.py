"""The TensorFlow 2 companion to one lecture.

Hyperparameter tuning, Batch Normalization and Programming Frameworks
(Deep Learning, course 2, week 3).

>>> import tfcourse as tfc
>>> tfc.softmax.softmax([5, 2, -1, 3]).round(3)
array([0.842, 0.042, 0.002, 0.114])

What `__all__` names is public, with what its rooms name in theirs, and is loaded when first asked
for: TensorFlow with what trains, and not before. Everything else may change without notice.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfcourse import batch_norm, claims, datasets, figures, quadratic, softmax, training, tuning
    from tfcourse.classifier import build, evaluate, predict, recalibrate, train
    from tfcourse.hyperparameters import Hyperparameters
    from tfcourse.tuning.scales import Choice, Integer, Linear, Log, OneMinusLog
    from tfcourse.tuning.space import Space, When
    from tfcourse.tuning.study import Study
    from tfcourse.tuning.tune import tune

__all__ = [
    "Choice",
    "Hyperparameters",
    "Integer",
    "Linear",
    "Log",
    "OneMinusLog",
    "Space",
    "Study",
    "When",
    "batch_norm",
    "build",
    "claims",
    "datasets",
    "evaluate",
    "figures",
    "predict",
    "quadratic",
    "recalibrate",
    "softmax",
    "train",
    "training",
    "tune",
    "tuning",
]

_ROOMS = {
    "classifier": ("build", "evaluate", "predict", "recalibrate", "train"),
    "hyperparameters": ("Hyperparameters",),
    "tuning.scales": ("Choice", "Integer", "Linear", "Log", "OneMinusLog"),
    "tuning.space": ("Space", "When"),
    "tuning.study": ("Study",),
    "tuning.tune": ("tune",),
}

if not TYPE_CHECKING:  # otherwise mypy would accept any name

    def __getattr__(name: str) -> Any:
        import sys
        from importlib import import_module

        if name not in __all__:
            here = sys.modules[__name__]
            raise AttributeError(
                f"module {__name__!r} has no attribute {name!r}", name=name, obj=here
            )
        for room, names in _ROOMS.items():
            if name in names:
                globals()[name] = value = getattr(import_module(f"{__name__}.{room}"), name)
                return value
        return import_module(f"{__name__}.{name}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
