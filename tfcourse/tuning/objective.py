"""What a study compares trials by: a metric's name, and whether more of it is better."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tfcourse import _checks
from tfcourse._checks import InputError, InputTypeError

# Keras's own names, as `compile(metrics=[…])` and `Metric().name` write them.
_MAX = r"(.*_)?(acc|accuracy|auc|precision|recall|f1_score|fbeta_score|r2_score|specificity)"
_MAX += r"|(.*_)?(mean_io_u|io_u|iou|binary_io_u|one_hot_io_u|one_hot_mean_io_u)"
_MAX += r"|(.*_)?(true_positives|true_negatives|cosine_similarity|pearson_correlation)"
_MAX += r"|(.*_)?(concordance_correlation)|(sensitivity|specificity|precision|recall)_at_\w+"
_MIN = r"(.*_)?(loss|error|mae|mse|mape|msle|rmse|crossentropy|ce|hinge|poisson|log_?cosh|huber)"
_MIN += r"|(.*_)?(kl_divergence|kld|false_positives|false_negatives|logcosh_error)"


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
        """What a score is multiplied by so that less is better."""
        return -1 if self.direction == "max" else 1

    def best_epoch(self, history: Mapping[str, Sequence[float]]) -> int | None:
        """Epoch, from 0, of the best score; at a tie of the least loss, then the first.

        None without any epoch. Raises: ValueError if the history has no such name.
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
        ranks = [(self.sign * score, loss) for score, loss in zip(scores, losses, strict=True)]
        sound = [rank for rank in ranks if not math.isnan(rank[0])]
        return ranks.index(min(sound)) if sound else None

    def __str__(self) -> str:
        return f"{self.name}:{self.direction}"


def objective(given: str | Objective | object) -> Objective:
    """Return the objective that a name stands for, with the direction that Keras's names have.

    given: a name, "NAME:max" or "NAME:min", or an object with `name` and `direction`.
    Raises: ValueError for a name whose direction is not known, and what to write instead.

    >>> from tfcourse.tuning.objective import objective
    >>> objective("val_accuracy").direction, objective("val_mean_absolute_error").direction
    ('max', 'min')
    """
    if not isinstance(given, str):
        name, direction = getattr(given, "name", None), getattr(given, "direction", None)
        if not isinstance(name, str) or not isinstance(direction, str):
            raise InputTypeError(
                'objective must be a name such as "val_accuracy", or'
                f' tfc.tuning.Objective("val_mine", "max"), got {given!r}'
            )
        return Objective(name, direction)
    name, _, direction = given.rpartition(":")
    if name:
        return Objective(name, direction)
    bare = re.sub(r"_\d+$", "", given.removeprefix("val_").removeprefix("weighted_"))
    for pattern, way in ((_MIN, "min"), (_MAX, "max")):
        if re.fullmatch(pattern, bare):
            return Objective(given, way)
    raise InputError(
        f'objective must say whether more of it is better: "{given}:max" or "{given}:min"'
    )
