"""What is tuned: the packaged classifier, or models that a function of the user's own builds.

Checked here before anything is trained: that the space names what the model takes, that the
function builds models that fit the data, and that the objective is measured. TensorFlow is loaded
only to build.
"""

from __future__ import annotations

import dataclasses
import importlib
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tfcourse import _checks, training
from tfcourse._checks import InputError, InputTypeError
from tfcourse.datasets import Examples, standardization
from tfcourse.datasets.dataset import Array
from tfcourse.datasets.intake import MOST_CLASSES, each
from tfcourse.hyperparameters import ARCHITECTURE, TRAINING, Hyperparameters
from tfcourse.training.objective import Objective
from tfcourse.tuning import objective as objectives
from tfcourse.tuning.hp import GIVEN, HP, RefusedError, explore
from tfcourse.tuning.scales import Choice
from tfcourse.tuning.search import random
from tfcourse.tuning.space import Space

Build = Callable[[Any], Any]

TAKEN_BY = {
    "momentum": ("momentum", "rmsprop"),
    "beta_1": ("adam",),
    "beta_2": ("adam",),
    "epsilon": ("rmsprop", "adam"),
}
DRAWS = 200  # so many are checked beforehand
FIGURES = ("loss", "accuracy", "val_loss", "val_accuracy")

# What the lecture calls most important, on its scales: units from those of the default classifier
# to twice as many, and dropout against what so many may learn by heart.
DEFAULT_SPACE = Space.parse(
    ["learning_rate=log:1e-4:1", "units=int:100:200", "dropout=linear:0:0.5"]
)


@dataclass(frozen=True, eq=False)
class Packaged:
    """The packaged classifier, for examples of classes.

    Raises: ValueError for examples that are none.
    """

    examples: Examples

    def __post_init__(self) -> None:
        x, y = self.examples.x, self.examples.y
        advice = "give build=, a function that returns the model for it"
        if not all(isinstance(part, np.ndarray) for part in x.values()) or x["train"].ndim < 2:
            raise InputError(f"the packaged classifier takes one array (m, …) of inputs; {advice}")
        if not all(isinstance(part, np.ndarray) for part in y.values()) or y["train"].ndim != 1:
            raise InputError(f"the packaged classifier takes labels of shape (m,); {advice}")
        if y["train"].dtype.kind not in "biu":
            raise InputError(
                f"the packaged classifier takes labels that are classes, got {y['train'].dtype};"
                " for a regression give build=, a function that returns a compiled model"
            )
        least = min(int(part.min()) for part in y.values())
        if least < 0 or self.classes > MOST_CLASSES:
            raise InputError(
                f"the packaged classifier takes classes 0 to {MOST_CLASSES - 1}, got"
                f" {least} to {self.classes - 1}"
            )

    @property
    def classes(self) -> int:
        """How many classes there are, C."""
        named = len(self.examples.class_names or ())
        return max(named, *(1 + int(part.max()) for part in self.examples.y.values()))

    @cached_property
    def _standardization(self) -> tuple[Array, Array]:
        x = self.examples.x["train"]
        return standardization(x if x.ndim <= 4 else x.reshape(len(x), -1))

    @cached_property
    def data(self) -> training.Data:
        """The examples, standardized by the training set, as the engine takes them."""
        mean, variance = self._standardization
        deviation = np.sqrt(variance)
        return _data(self.examples, lambda x: ((x - mean) / deviation).astype(np.float32))

    def settings(self, chosen: Mapping[str, Any]) -> Hyperparameters:
        """`units_1`, `units_2`, … become the units of the layers; the other names are the same.

        Raises: ValueError or TypeError for what the classifier does not take.
        """
        values = {name: value for name, value in chosen.items() if not _is_units(name)}
        if any(map(_is_units, chosen)):
            wanted = [f"units_{k + 1}" for k in range(values.get("layers", Hyperparameters.layers))]
            if "units" in values or not set(wanted) <= set(chosen):
                raise InputError(
                    f"{len(wanted)} layers must have {' '.join(wanted)} or one units for all,"
                    f" got {' '.join(name for name in chosen if name.startswith('units'))}"
                )
            values["units"] = tuple(chosen[name] for name in wanted)
        return Hyperparameters.from_mapping(values)

    def build(self, chosen: Mapping[str, Any], standardize: Any = None) -> Any:
        """Return the classifier, as `classifier.build` does."""
        from tfcourse import classifier

        # It looks at no others, so that models which differ in those alone are built once.
        layers = chosen.get("layers", Hyperparameters.layers)
        names = *ARCHITECTURE, *(f"units_{k + 1}" for k in range(layers))
        own = {name: chosen[name] for name in names if name in chosen}
        shape = self.examples.x["train"].shape[1:]
        return classifier.build(shape, self.classes, self.settings(own), standardize=standardize)

    def whole(self, model: Any, chosen: Mapping[str, Any]) -> Any:
        """Return the same weights with the training set's mean and variance in front, compiled."""
        from tfcourse.training.models import compile_classifier

        whole = self.build(chosen, standardize=self._standardization)
        for layer in model.layers:
            whole.get_layer(layer.name).set_weights(layer.get_weights())
        compile_classifier(whole, chosen, self.data)
        return whole

    def card(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """Every hyperparameter, for the saved model's card."""
        return dataclasses.asdict(self.settings(chosen))

    def prepared(self, space: Space | None, objective: Any) -> tuple[Space, Objective, Any]:
        """Return the space, the objective, and what tells the model.

        Raises: ValueError or TypeError if some draw is none that the classifier takes, or if the
        objective is not measured.
        """
        space = space or DEFAULT_SPACE
        for name in space:
            _check_values("units" if _is_units(name) else name, space, name)
        for chosen in random(space, DRAWS):  # what goes wrong only in combination
            self.settings(chosen or {})
        _check_optimizer(space)
        return space, _measured(objective, FIGURES), "classifier"


@dataclass(frozen=True, eq=False)
class Own:
    """Models that a function of the user's own builds, trained as it compiles them.

    One that is not compiled must be a classifier: a trial's `optimizer`, `learning_rate` and so on
    train it, on cross-entropy. late: what trials drew that nobody had found before, by their
    hyperparameters' text.
    """

    function: Build
    name: str
    examples: Examples
    late: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)

    @cached_property
    def data(self) -> training.Data:
        """The examples as they are, as the engine takes them."""
        return _data(self.examples)

    def build(self, chosen: Mapping[str, Any]) -> Any:
        """Return the function's model."""
        hp = HP(chosen)
        drawn = dict(dict.items(hp))  # `hp` may be emptied, by `pop`
        model = self.function(hp)
        if hp.late:
            self.late[drawn_text(drawn)] = hp.late
        return model

    def whole(self, model: Any, chosen: Mapping[str, Any]) -> Any:
        """Return the model: it takes the examples as they are."""
        return model

    def card(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """Return the hyperparameters, for the saved model's card."""
        return dict(chosen)

    def prepared(self, space: Space | None, objective: Any) -> tuple[Space, Objective, Any]:
        """Build a few models; return the space, the objective, and what tells the models.

        Raises: ValueError or TypeError for a function that raises for all of them or returns no
        model, models that do not take the data, hyperparameters that neither the function nor
        training looks at, and an objective that is not measured.
        """
        from tfcourse.training import reference

        def build(hp: HP) -> Any:
            from tfcourse._tensorflow import keras

            model = self.function(hp)
            if not isinstance(model, keras.Model):
                raise RefusedError(f"build must return a keras.Model, got {_brief(model)}")
            return model

        given = set(space or ())
        found, read, models = explore(build, space)
        if found is None:
            raise InputError(
                "build must declare a hyperparameter, as with hp.Int('units', 16, 512), or the"
                " space must be given, got neither"
            )
        for name in found:
            if name in TRAINING or name in GIVEN:
                _check_values(name, found, name)
        taken = GIVEN if models[0].compiled else (*TRAINING, *GIVEN)
        for name in sorted(given - read - set(taken)):
            raise InputError(
                f"the hyperparameter {name!r} is used neither by {self.name} nor by training"
                f"{_checks.nearest(name, read - given)}"
            )
        if not models[0].compiled:
            _check_optimizer(found)
        figures = reference.figures(models[0], self.data)
        return found, _measured(objective, figures), reference.described(models)


def drawn_text(chosen: Mapping[str, Any]) -> str:
    """The same text for the same hyperparameters, in any order."""
    return repr(sorted((name, repr(chosen[name])) for name in chosen if name not in GIVEN))


def _data(examples: Examples, prepare: Callable[[Array], Array] = lambda x: x) -> training.Data:
    x, y, weight = examples.x, examples.y, examples.weight
    parts = (each(x[part], prepare) for part in ("train", "validation"))
    (train, validation), weights = parts, (weight["train"], weight["validation"])
    return training.Data(train, y["train"], validation, y["validation"], *weights)


def _measured(objective: Any, figures: tuple[str, ...]) -> Objective:
    """Return the objective, or else validation accuracy, or else the loss.

    Raises: ValueError if it is none of the figures that are measured.
    """
    if objective is None:
        name = next(name for name in ("val_accuracy", "val_loss", "loss") if name in figures)
        return objectives.objective(name)
    text = objective.rpartition(":")[0] or objective if isinstance(objective, str) else None
    wanted = text or getattr(objective, "name", None)
    if isinstance(wanted, str) and wanted not in figures:
        raise InputError(
            f"objective must be one of {', '.join(figures)}, which the model measures, got"
            f" {wanted!r}{_checks.nearest(wanted, figures)}"
        )
    return objectives.objective(objective)


def given_build(build: Any) -> tuple[Build, str]:
    """Return the function that builds, and its name, from what a user gives for it.

    build: a function, an object with a `build`, or "package.module:name" of either.
    Raises: ValueError or TypeError for anything else, and for an object with a `fit` of its own.
    """
    name = build if isinstance(build, str) else ""
    if isinstance(build, str):
        build = load_build(build)
    if isinstance(build, Space):
        raise InputTypeError("build must be a function of hp, got a Space; say space=…")
    keras = sys.modules.get("keras")  # if it is not loaded, nothing is a model
    if isinstance(build, type) or (keras is not None and isinstance(build, keras.Model)):
        what = f"the class {build.__name__}" if isinstance(build, type) else "a model"
        raise InputTypeError(f"build must be a function or a HyperModel object, got {what}")
    if callable(getattr(build, "build", None)):
        kind = type(build)
        fits = next((part for part in kind.__mro__ if "fit" in vars(part)), None)
        if fits is not None and not fits.__module__.startswith(("keras_tuner", "kerastuner")):
            raise InputTypeError(
                f"{kind.__name__} has a fit of its own, which would not be called: compile the"
                " model in build, declare batch_size and epochs there, and delete fit"
            )
        return build.build, name or kind.__qualname__
    if not callable(build):
        raise InputTypeError(f"build must be a function of hp, got {_brief(build)}")
    return build, name or getattr(build, "__qualname__", type(build).__qualname__)


def _brief(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"a {type(value).__name__}"


def load_build(path: str) -> Any:
    """Import "package.module:name", looking in the working directory too.

    Raises: ValueError if there is no such module or function, or if importing it fails.
    """
    module, _, function = path.partition(":")
    if not module or not function:
        raise InputError(f"build must be given as package.module:function, got {path!r}")
    if "" not in sys.path:  # a console script, unlike python -m, does not look there
        sys.path.insert(0, str(Path.cwd()))
    import tfcourse._tensorflow  # noqa: F401  before the module does: on the right backend, quietly

    try:
        inside = importlib.import_module(module)
    except Exception as error:  # the module's own code runs
        raise InputError(f"build {path}: {type(error).__name__}: {error}") from error
    if not hasattr(inside, function):
        near = _checks.nearest(function, vars(inside))
        raise InputError(f"build must name a function of {module}, got {function!r}{near}")
    found = getattr(inside, function)
    if not callable(found) and not callable(getattr(found, "build", None)):
        raise InputError(f"build {path} must name a function in {module}, got {found!r}")
    return found


def _is_units(name: str) -> bool:
    return re.fullmatch(r"units_[1-9]\d*", name) is not None


def _check_values(field: str, space: Space, name: str) -> None:
    """Try the ends of a scale, or every option, where training will take them."""
    scale = space[name]
    for value in scale.options if isinstance(scale, Choice) else (scale.low, scale.high):
        Hyperparameters.from_mapping({field: value})


def _check_optimizer(space: Space) -> None:
    """Refuse what no optimizer of the space takes, such as momentum for Adam."""
    scale = space.get("optimizer", Choice(Hyperparameters.optimizer))
    optimizers = scale.options if isinstance(scale, Choice) else ()
    for name in space:
        if name in TAKEN_BY and not set(TAKEN_BY[name]) & set(optimizers):
            raise InputError(
                f"{name} must go with optimizer {' or '.join(TAKEN_BY[name])}, got"
                f" {', '.join(optimizers)}; add optimizer=choice:{TAKEN_BY[name][0]}"
            )
