"""Searches by Optuna's samplers, asked for many trials at a time.

A sampler sees each hyperparameter on its own scale, from 0 to 1, and choices as they are; so every
scale is sampled as it is meant, and conditions hold.
"""

from __future__ import annotations

import copy
from typing import Any

from tfcourse._checks import InputTypeError
from tfcourse.tuning.extras import require
from tfcourse.tuning.scales import Choice
from tfcourse.tuning.search import Search, exhausted, unseen
from tfcourse.tuning.space import Chosen, Space
from tfcourse.tuning.trial import Trial

ATTEMPTS = 20  # at a trial that was not tried, before one is drawn at random


def sampler(search: Any, seed: int) -> Any:
    """Return a sampler of Optuna's: "tpe", or the one that is given, as it is now.

    Raises: ModuleNotFoundError without the extra `optuna`, TypeError for anything else.
    """
    require("optuna")
    import optuna

    if search == "tpe":
        return optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True)
    if isinstance(search, optuna.samplers.GridSampler):
        raise InputTypeError('search must sample, got a GridSampler; say search="grid"')
    if not isinstance(search, optuna.samplers.BaseSampler):
        raise InputTypeError(f"search must be a name or a sampler of Optuna's, got {search!r}")
    return copy.deepcopy(search)


def sampled(space: Space, trials: int, by: Any, direction: str, seed: int, batch: int) -> Search:
    """`trials` draws by a sampler, which is told after each `batch` what these came to.

    A trial that was not completed counts as failed. A space of few values is exhausted without
    repeats.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    way: Any = "maximize" if direction == "max" else "minimize"
    study = optuna.create_study(sampler=by, direction=way)
    failed = optuna.trial.TrialState.FAIL
    seen, asked = set[str](), list[tuple[Any, Chosen]]()
    told = 0
    for number in range(trials):
        for _ in range(ATTEMPTS):
            trial = study.ask()
            chosen = _suggested(trial, space)
            if repr(chosen) not in seen:
                seen.add(repr(chosen))
                break
            study.tell(trial, state=failed)
        else:
            left = unseen(space, seed, number, seen)
            if left is None:
                return exhausted(number)
            trial, chosen = None, left
        asked.append((trial, chosen))
        yield chosen
        if len(asked) - told == batch and number + 1 < trials:
            found = {tried.number: tried for tried in (yield None) or ()}
            for n in range(told, len(asked)):
                _tell(study, space, *asked[n], found.get(n))
            told = len(asked)
    return None


def _suggested(trial: Any, space: Space) -> Chosen:
    chosen: Chosen = {}
    for name, scale in space.items():
        if space.active(name, chosen):
            if isinstance(scale, Choice):
                index = trial.suggest_categorical(name, range(len(scale.options)))
                chosen[name] = scale.options[index]
            else:
                chosen[name] = scale.from_unit(trial.suggest_float(name, 0, 1))
    return chosen


def _tell(study: Any, space: Space, trial: Any, chosen: Chosen, found: Trial | None) -> None:
    """Tell what a trial came to; one that an earlier call drew otherwise is added as it was."""
    import optuna

    same = found is not None and all(
        found.hyperparameters.get(name) == value for name, value in chosen.items()
    )
    if trial is not None:
        if found is not None and same:
            study.tell(trial, found.score)
            return
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
    if found is None:
        return
    params, distributions = dict[str, Any](), dict[str, Any]()
    for name, scale in space.items():
        if name in found.hyperparameters:
            value = found.hyperparameters[name]
            if isinstance(scale, Choice):
                places = range(len(scale.options))
                params[name] = scale.options.index(value)
                distributions[name] = optuna.distributions.CategoricalDistribution(places)
            else:
                params[name] = scale.to_unit(value)
                distributions[name] = optuna.distributions.FloatDistribution(0, 1)
    study.add_trial(
        optuna.trial.create_trial(value=found.score, params=params, distributions=distributions)
    )
