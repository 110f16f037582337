"""The objective that a user names: the direction that Keras's names have, or the one given."""

from __future__ import annotations

import re

from tfcourse._checks import InputError, InputTypeError
from tfcourse.training.objective import Objective

# Keras's own names, as `compile(metrics=[…])` and `Metric().name` write them.
_MAX = r"(.*_)?(acc|accuracy|auc|precision|recall|f1_score|fbeta_score|r2_score|specificity)"
_MAX += r"|(.*_)?(mean_io_u|io_u|iou|binary_io_u|one_hot_io_u|one_hot_mean_io_u)"
_MAX += r"|(.*_)?(true_positives|true_negatives|cosine_similarity|pearson_correlation)"
_MAX += r"|(.*_)?(concordance_correlation)|(sensitivity|specificity|precision|recall)_at_\w+"
_MIN = r"(.*_)?(loss|error|mae|mse|mape|msle|rmse|crossentropy|ce|hinge|poisson|log_?cosh|huber)"
_MIN += r"|(.*_)?(kl_divergence|kld|false_positives|false_negatives|logcosh_error)"


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
