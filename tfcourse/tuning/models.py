"""What is tuned: the packaged classifier, or models that a function of the user's own builds.

Checked here before anything is trained: that the space names what the model takes, and that the
function builds models that fit the data set. TensorFlow is loaded only to build.
"""

from __future__ import annotations

import dataclasses
import importlib
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tfcourse import _checks
from tfcourse._checks import InputError, InputTypeError
from tfcourse.hyperparameters import Hyperparameters
from tfcourse.tuning.scales import Choice
from tfcourse.tuning.search import random
from tfcourse.tuning.space import Space

if TYPE_CHECKING:
    from tfcourse.datasets import Dataset

Build = Callable[[dict[str, Any]], Any]

# What training takes, whoever built the model; the other names shape the packaged classifier.
TRAINING = {"optimizer", "learning_rate", "momentum", "beta_1", "beta_2", "epsilon", "decay"}
TRAINING |= {"batch_size", "epochs"}
TAKEN_BY = {
    "momentum": ("momentum", "rmsprop"),
    "beta_1": ("adam",),
    "beta_2": ("adam",),
    "epsilon": ("rmsprop", "adam"),
}
DRAWS, BUILDS = 200, 8  # so many draws are checked beforehand, and so many are built


class Model(Protocol):
    """What a trainer needs to know of the models it trains."""

    @property
    def name(self) -> str:
        """For the journal: a study goes on with the same model only."""

    def settings(self, chosen: Mapping[str, Any]) -> Hyperparameters:
        """Hyperparameters as training takes them, defaults for those not drawn."""

    def build(self, chosen: Mapping[str, Any]) -> Any:
        """Untrained Keras model from standardized inputs to class probabilities."""

    def with_standardization(self, model: Any, chosen: Mapping[str, Any]) -> Any:
        """The same model from inputs as the data set holds them."""


@dataclass(frozen=True)
class Packaged:
    """The packaged classifier, for a data set."""

    dataset: Dataset
    name: str = "classifier"

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

    def build(self, chosen: Mapping[str, Any], **how: Any) -> Any:
        """Return the classifier, as `classifier.build` does."""
        from tfcourse import classifier

        data = self.dataset
        return classifier.build(data.input_shape, data.classes, self.settings(chosen), **how)

    def with_standardization(self, model: Any, chosen: Mapping[str, Any]) -> Any:
        """Return the same weights with the training set's mean and variance in front."""
        from tfcourse.datasets import standardization

        whole = self.build(chosen, standardize=standardization(self.dataset.x_train))
        for layer in model.layers:
            whole.get_layer(layer.name).set_weights(layer.get_weights())
        return whole

    def check(self, space: Space) -> None:
        """Raise ValueError or TypeError if some draw is none that the classifier takes."""
        names = [field.name for field in dataclasses.fields(Hyperparameters)]
        for name in space:
            field = "units" if _is_units(name) else _checks.choice("hyperparameter", name, names)
            _check_values(field, space, name)
        for chosen in random(space, DRAWS):  # what goes wrong only in combination
            self.settings(chosen or {})
        _check_optimizer(space)


@dataclass(frozen=True)
class Own:
    """Models that a function of the user's own builds from a draw.

    Its model takes standardized inputs (m, *input_shape) and gives class probabilities
    (m, classes). How it was compiled, if it was, counts for nothing: a draw's `optimizer`,
    `learning_rate`, `momentum`, `batch_size` and so on train it, on cross-entropy.
    """

    dataset: Dataset
    function: Build
    name: str

    def settings(self, chosen: Mapping[str, Any]) -> Hyperparameters:
        """Return what training takes of a draw; the rest is the function's business."""
        return Hyperparameters.from_mapping(
            {name: value for name, value in chosen.items() if name in TRAINING}
        )

    def build(self, chosen: Mapping[str, Any]) -> Any:
        """Return the function's model. Raises: ValueError or TypeError unless it fits the data."""
        return self._fits(self.function(dict(chosen)))

    def _fits(self, model: Any) -> Any:
        from tfcourse._tensorflow import keras

        if not isinstance(model, keras.Model):
            raise InputTypeError(f"{self.name} must return a keras.Model, got {model!r}")
        shapes = (None, *self.dataset.input_shape), (None, self.dataset.classes)
        found = getattr(model, "input_shape", None), getattr(model, "output_shape", None)
        if found != shapes:
            raise InputError(
                f"{self.name} must build models from {shapes[0]} to {shapes[1]}, got one from"
                f" {found[0]} to {found[1]}"
            )
        return model

    def with_standardization(self, model: Any, chosen: Mapping[str, Any]) -> Any:
        """Return the model behind a layer that holds the training set's mean and variance."""
        from tfcourse._tensorflow import keras
        from tfcourse.datasets import standardization

        mean, variance = standardization(self.dataset.x_train)
        inputs = keras.Input(self.dataset.input_shape)
        axis = -1 if mean.ndim else None
        standardize = keras.layers.Normalization(axis, mean, variance, name="standardize")
        return keras.Model(inputs, model(standardize(inputs)))

    def check(self, space: Space) -> None:
        """Build a few models. Raises: ValueError or TypeError if that cannot go well.

        Refused are a function that raises for all of them, models that do not fit the data, and
        hyperparameters that neither the function nor training looks at.
        """
        for name in space:
            if name in TRAINING:
                _check_values(name, space, name)
        _check_optimizer(space)
        read: set[str] = set()
        drawn: set[str] = set()
        raised: list[str] = []
        draws = [_Draw(chosen or {}) for chosen in random(space, BUILDS)]
        for chosen in draws:
            try:
                model = self.function(chosen)
            except Exception as error:  # it is the user's code: anything may come
                raised.append(f"{type(error).__name__}: {error} for {dict(chosen)}")
                continue
            self._fits(model)
            read |= chosen.read
            drawn |= chosen.keys()
        if len(raised) == len(draws):
            raise InputError(f"{self.name} must build a model, but raised {raised[0]}")
        for name in sorted(drawn - read - TRAINING):
            raise InputError(
                f"the hyperparameter {name!r} is used neither by {self.name} nor by training"
                f"{_checks.nearest(name, read - set(space))}"
            )


class _Draw(dict[str, Any]):
    """A draw that remembers which names it was asked for."""

    def __init__(self, chosen: Mapping[str, Any]) -> None:
        super().__init__(chosen)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.read.add(name)
        return super().get(name, default)

    def __iter__(self) -> Iterator[str]:
        self.read |= super().keys()
        return super().__iter__()


def load_build(path: str) -> Build:
    """Import "package.module:function", looking in the working directory too.

    Raises: ValueError if there is no such module or function, or if importing it fails.
    """
    module, _, function = path.partition(":")
    if not module or not function:
        raise InputError(f"build must be given as package.module:function, got {path!r}")
    if "" not in sys.path:  # a console script, unlike python -m, does not look there
        sys.path.insert(0, str(Path.cwd()))
    import tfcourse._tensorflow  # noqa: F401  before the module does: on the right backend, quietly

    try:
        found = getattr(importlib.import_module(module), function, None)
    except Exception as error:  # the module's own code runs
        raise InputError(f"build {path}: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise InputError(f"build {path} must name a function in {module}, got {found!r}")
    return found  # type: ignore[no-any-return]


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
