"""What models and epochs are compared by: a figure's name, and whether more of it is better."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tfcourse import _checks
from tfcourse._checks import InputError, InputTypeError


@dataclass(frozen=True)
class Objective:
    """A name in a trial's history, such as val_accuracy or val_loss, and "max" or "min".

    Raises: ValueError for another direction.

    >>> tfc.tuning.Objective("val_my_metric", "max")
    Objective(name='val_my_metric', direction='max')
    """

    name: str
    direction: str

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise InputTypeError(f"an objective's name must be a text, got {self.name!r}")
        _checks.choice("direction", self.direction, ("max", "min"))

    @property
    def sign(self) -> int:
        """1 if more is better, −1 if less is."""
        return 1 if self.direction == "max" else -1

    def best_epoch(self, history: Mapping[str, Sequence[float]]) -> int | None:
        """Epoch, from 0, of the best score; at a tie of the least loss, then the first.

        None if no score is finite. Raises: ValueError if the history has no such name.
        """
        if not any(history.values()):
            return None
        if self.name not in history:
            raise InputError(
                f"objective must be one of {', '.join(history)}, got {self.name!r}"
                f"{_checks.nearest(self.name, history)}"
            )
        scores = history[self.name]
        losses = history.get("val_loss", history.get("loss", [0.0] * len(scores)))
        sound = [e for e, score in enumerate(scores) if math.isfinite(score)]
        return max(sound, key=lambda e: (self.sign * scores[e], -losses[e], -e), default=None)

    def __str__(self) -> str:
        return f"{self.name}:{self.direction}"


def chosen(objective: Objective | None, names: Collection[str]) -> Objective:
    """Return the objective, or else validation accuracy, or else the loss, of these figures.

    Raises: ValueError if there is no such figure.
    """
    if objective is not None:
        if objective.name not in names:
            raise InputError(f"objective must be one of {', '.join(names)}, got {objective.name!r}")
        return objective
    for name, direction in (("val_accuracy", "max"), ("val_loss", "min")):
        if name in names:
            return Objective(name, direction)
    return Objective("loss", "min")
