"""Trials' own models: built, compiled, and read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from tfcourse import _checks
from tfcourse._checks import InputError, InputTypeError
from tfcourse._tensorflow import keras
from tfcourse.hyperparameters import TRAINING, Hyperparameters
from tfcourse.training import blueprint
from tfcourse.training.blueprint import Blueprint
from tfcourse.training.compiled import Pattern, one_at_a_time
from tfcourse.training.data import Data
from tfcourse.training.first_weights import initial_weights
from tfcourse.training.identity import is_of_keras
from tfcourse.training.outputs import classifier_loss
from tfcourse.training.reads import Reads
from tfcourse.training.seeds import Seeds
from tfcourse.training.trained import Chosen
from tfcourse.training.updates import Optimizer, keras_optimizer

Build = Callable[[dict[str, Any]], keras.Model]

TAKEN = (*TRAINING, "batch_size", "epochs")


def settings(trial: Chosen) -> Hyperparameters:
    """What training is told by a trial, the classifier's defaults for the rest.

    Raises: ValueError or TypeError for a value that is not accepted.
    """
    return Hyperparameters.from_mapping({k: v for k, v in trial.items() if k in TAKEN})


class Builder:
    """Builds the models of trials for one data set.

    State: blueprints of models already built, by what `build` read of their hyperparameters;
    patterns made of some, or what kept one from being made; none if they cannot be padded.
    """

    def __init__(self, build: Build, data: Data) -> None:
        """Take the user's function and the data that its models must fit."""
        self.build, self.data = build, data
        self.patterns: dict[Any, Pattern | str | None] = {}
        self._known: dict[tuple[str, ...], dict[Any, tuple[Blueprint, bool]]] = {}
        self._seeds = Seeds()

    def model(self, trial: Chosen, seed: int) -> keras.Model:
        """Build and compile the trial's model, and give it the first weights of `seed`.

        Raises: whatever `build` raises, and ValueError or TypeError for a model that does not fit.
        """
        model, compiled, _ = self._built(trial, seed)
        first = blueprint.read(model, None).first
        model.set_weights(initial_weights(first, seed))
        if not compiled:
            self.compile(model, trial)
        elif model.optimizer is not None:
            model.optimizer.build(model.trainable_variables)
        return model

    def compile(self, model: keras.Model, trial: Chosen) -> None:
        """Compile a model that `build` left uncompiled: the lecture's classifier and its cost."""
        loss = classifier_loss(model, self.data)
        model.compile(keras_optimizer(settings(trial)), loss, metrics=["accuracy"])
        model.optimizer.build(model.trainable_variables)  # or, saved, it is opened with a warning

    def blueprint(self, trial: Chosen, seed: int) -> Blueprint:
        """Return the blueprint of the trial's model, which is built unless nothing would differ.

        A model built from the same values of all that `build` read is this trial's too, but for
        its first weights, if these can be drawn without it.
        """
        for names, models in self._known.items():
            if (values := _values(trial, names)) in models:
                return self._told(*models[values], trial)
        model, compiled, reads = self._built(trial, seed)
        found = blueprint.read(model, None)
        if not (self._seeds.drew or any(weight.by_chance for weight in found.first)):
            names = tuple(sorted(reads.names))  # also by what the model keeps, now that it was read
            self._known.setdefault(names, {})[_values(trial, names)] = found, compiled
        return self._told(found, compiled, trial)

    def _told(self, found: Blueprint, compiled: bool, trial: Chosen) -> Blueprint:
        told = settings(trial)
        if compiled:
            return found
        steps = max(1, self.data.examples // told.batch_size)
        return dataclasses.replace(found, optimizer=Optimizer.told(told, steps))

    def _built(self, trial: Chosen, seed: int) -> tuple[keras.Model, bool, Reads]:
        """A model with its weights made, whether `build` compiled it, and what it read."""

        def build() -> tuple[keras.Model, Reads]:
            reads = Reads(trial)
            model = self.build(reads)
            if isinstance(model, keras.Model) and not model.built:
                model(self.data.example[0])
            return model, reads

        with one_at_a_time:
            model, reads = self._seeds.run(build, seed)
            if not isinstance(model, keras.Model):
                raise InputTypeError(f"build must return a keras.Model, got {model!r}")
            _check_inputs(model, self.data.x)
            compiled = bool(model.compiled)
            if compiled and model.loss is None and "compute_loss" not in _own_methods(model):
                raise InputError("a compiled model must have a loss: compile(optimizer, loss=…)")
            if not compiled:
                classifier_loss(model, self.data)  # says what is wrong, if anything is
        return model, compiled, reads


def _check_inputs(model: keras.Model, x: Any) -> None:
    """Refuse more inputs than the model has: Keras drops them with a warning."""
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
