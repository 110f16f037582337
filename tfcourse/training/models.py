"""Trials' own models: built, compiled, and read."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tfcourse import _checks
from tfcourse._checks import InputError, InputTypeError
from tfcourse._tensorflow import keras
from tfcourse.hyperparameters import TRAINING, Hyperparameters
from tfcourse.training import blueprint
from tfcourse.training.blueprint import Blueprint
from tfcourse.training.compiled import Pattern, one_at_a_time
from tfcourse.training.data import Data
from tfcourse.training.first_weights import FirstWeight, initial_weights
from tfcourse.training.identity import is_of_keras, surroundings
from tfcourse.training.outputs import classifier_loss
from tfcourse.training.reads import Reads
from tfcourse.training.seeds import Seeds, given_back
from tfcourse.training.trained import Chosen
from tfcourse.training.updates import Optimizer, keras_optimizer

Build = Callable[[dict[str, Any]], keras.Model]

TAKEN = (*TRAINING, "batch_size", "epochs")


def settings(trial: Chosen) -> Hyperparameters:
    """What training is told by a trial, the classifier's defaults for the rest.

    Raises: ValueError or TypeError for a value that is not accepted.
    """
    return Hyperparameters.from_mapping({k: v for k, v in trial.items() if k in TAKEN})


def compile_classifier(model: keras.Model, trial: Chosen, data: Data) -> None:
    """Compile a model that `build` left uncompiled: the lecture's classifier and its cost."""
    loss = classifier_loss(model, data)
    model.compile(keras_optimizer(settings(trial)), loss, metrics=["accuracy"])
    model.optimizer.build(model.trainable_variables)  # or, saved, it is opened with a warning


@dataclass(frozen=True)
class _Built:
    """A model with its weights made, and what is known of its making.

    compiled: whether `build` compiled it. reads: the hyperparameters that it looked at. outside:
    ids of the model's variables that were there before.
    """

    model: keras.Model
    compiled: bool
    reads: Reads
    outside: Collection[int]


class Builder:
    """Builds the models of trials for one data set.

    State: blueprints of models already built, by what `build` read of their hyperparameters;
    patterns made of some, or what kept one from being made; none if they cannot be padded.
    """

    def __init__(self, build: Build, data: Data) -> None:
        """Take the user's function and the data that its models must fit."""
        self.build, self.data = build, data
        self.surroundings = surroundings(build)
        self.patterns: dict[Any, Pattern | str | None] = {}
        self._known: dict[tuple[str, ...], dict[Any, tuple[Blueprint, bool]]] = {}
        self._last: tuple[FirstWeight, ...] = ()
        self._seeds = Seeds()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Where models are built; what `build` itself changes around it meanwhile is known after.

        TensorFlow's and Keras's own streams of random numbers are given back then.
        """
        with given_back():
            try:
                yield
            finally:
                self.surroundings = surroundings(self.build)

    def model(self, trial: Chosen, seed: int) -> keras.Model:
        """Build and compile the trial's model, and give it the first weights of `seed`.

        Raises: whatever `build` raises, and ValueError or TypeError for a model that does not fit.
        """
        with one_at_a_time:
            built = self._built(trial, seed)
            model = built.model
            first = blueprint.read(model, None, built.outside).first
            model.set_weights(initial_weights(first, seed))
            if not built.compiled:
                compile_classifier(model, trial, self.data)
            elif model.optimizer is not None and not model.optimizer.built:
                model.optimizer.build(model.trainable_variables)
        return model

    def blueprint(self, trial: Chosen, seed: int) -> Blueprint:
        """Return the blueprint of the trial's model, which is built unless nothing would differ.

        A model built from the same values of all that `build` read is this trial's too, but for
        its first weights, if these can be drawn without it.
        """
        for names, models in self._known.items():
            if (values := _values(trial, names)) in models:
                return self._told(*models[values], trial)
        with one_at_a_time:
            built = self._built(trial, seed)
            found = blueprint.read(built.model, None, built.outside)
        found = dataclasses.replace(found, first=self._sharing(found.first))
        chance = self._seeds.drew or any(weight.by_chance for weight in found.first)
        if not (chance or built.outside):
            # Also by what the model keeps, now that it was read.
            names = tuple(sorted(built.reads.names))
            known = found, built.compiled
            self._known.setdefault(names, {})[_values(trial, names)] = known
        return self._told(found, built.compiled, trial)

    def _sharing(self, first: tuple[FirstWeight, ...]) -> tuple[FirstWeight, ...]:
        """The same, with the last model's arrays where they are equal: what is loaded is large."""
        pairs = itertools.zip_longest(first, self._last[: len(first)])
        self._last = tuple(old if old and new.is_like(old) else new for new, old in pairs)
        return self._last

    def _told(self, found: Blueprint, compiled: bool, trial: Chosen) -> Blueprint:
        told = settings(trial)
        if compiled:
            return found
        steps = max(1, self.data.examples // told.batch_size)
        return dataclasses.replace(found, optimizer=Optimizer.told(told, steps))

    def _built(self, trial: Chosen, seed: int) -> _Built:

        def build() -> tuple[keras.Model, Reads, set[int]]:
            reads = Reads(trial)
            with _variables() as made:
                model = self.build(reads)
                if isinstance(model, keras.Model) and not model.built:
                    model(self.data.example[0])
            return model, reads, made

        model, reads, made = self._seeds.run(build, seed)
        compiled = checked(model, self.data)
        outside = {id(weight): weight for weight in model.weights if id(weight) not in made}
        if trained := [weight for weight in outside.values() if weight.trainable]:
            raise InputError(
                f"build must make what it trains, but {trained[0].path} was there before: make its"
                " layers anew, with keras.models.clone_model say, or freeze them"
            )
        return _Built(model, compiled, reads, outside)


@contextmanager
def _variables() -> Iterator[set[int]]:
    """Notes the ids of Keras's variables that are made."""
    made, kind = set[int](), keras.Variable
    original, own = kind.__init__, "__init__" in vars(kind)

    def noted(self: Any, *arguments: Any, **named: Any) -> None:
        made.add(id(self))
        original(self, *arguments, **named)

    kind.__init__ = noted
    try:
        yield made
    finally:
        if own:
            kind.__init__ = original
        else:
            del kind.__init__


def checked(model: Any, data: Data) -> bool:
    """Whether what a `build` returned is compiled.

    Raises: ValueError or TypeError if it is no model, or one that cannot be trained on the data.
    """
    if not isinstance(model, keras.Model):
        raise InputTypeError(f"build must return a keras.Model, got {model!r}")
    _check_inputs(model, data.x)
    compiled = bool(model.compiled)
    if not compiled:
        classifier_loss(model, data)  # says what is wrong, if anything is
    elif model.loss is None and "compute_loss" not in _own_methods(model):
        model(data.example[0])  # where layers may add losses of their own
        penalties = [v for v in model.trainable_variables if v.regularizer is not None]
        if len(model.losses) <= len(penalties):
            raise InputError("a compiled model must have a loss: compile(optimizer, loss=…)")
    return compiled


def _check_inputs(model: keras.Model, x: Any) -> None:
    """Refuse what the model cannot take as it is.

    These are inputs that it has not, which Keras drops with a warning, and mini-batches of another
    size than its own.
    """
    for tensor in getattr(model, "inputs", None) or ():
        if tensor.shape[0] is not None:
            raise InputError(
                f"the model must leave the size of mini-batches open, got {tensor.shape} for an"
                f" input: write keras.Input({tensor.shape[1:]})"
            )
    if not isinstance(x, dict) or not getattr(model, "inputs", None):
        return
    own = getattr(model, "input", None)  # a Sequential model need not have one
    known = list(own) if isinstance(own, dict) else [tensor.name for tensor in model.inputs]
    besides = [name for name in x if name not in known]
    if len(x) > len(known) and besides:
        raise InputError(
            f"x must have the model's inputs {', '.join(known)}, got {besides[0]!r} besides"
            f"{_checks.nearest(besides[0], known)}"
        )


def _own_methods(model: keras.Model) -> set[str]:
    return {name for kind in type(model).__mro__ if not is_of_keras(kind) for name in vars(kind)}


def _values(trial: Chosen, names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(repr(trial[name]) if name in trial else None for name in names)
