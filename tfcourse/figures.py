"""Figures: each draws what an experiment or a run found.

Every figure is a function of its name, `figure = tfc.figures.beta_scale()`, which takes what one
may want to change; `draw` saves one.

>>> draw("beta_scale", "beta_scale.svg")
>>> [figure] = find(["beta_scale"])
>>> figure.part
'tuning'
"""

import sys
from typing import TYPE_CHECKING, Any

from tfcourse.lecture.gallery import Entry, draw, find
from tfcourse.lecture.style import Style

if TYPE_CHECKING:
    from tfcourse.lecture.batch_norm_formulas import batch_norm_network
    from tfcourse.lecture.choosing_a_framework import framework_speed
    from tfcourse.lecture.coarse_to_fine import coarse_to_fine
    from tfcourse.lecture.computation_graph import computation_graph
    from tfcourse.lecture.covariate_shift import covariate_shift
    from tfcourse.lecture.cross_entropy import cross_entropy
    from tfcourse.lecture.grid_and_random import grid_vs_random, random_cube
    from tfcourse.lecture.hidden_shift import hidden_shift
    from tfcourse.lecture.importance import hyperparameter_importance
    from tfcourse.lecture.linear_boundaries import softmax_boundaries
    from tfcourse.lecture.mini_batch_noise import batch_norm_noise, batch_norm_two_noises
    from tfcourse.lecture.normalized_inputs import normalized_contours
    from tfcourse.lecture.panda_and_caviar import caviar, panda
    from tfcourse.lecture.quadratic_descent import quadratic_descent
    from tfcourse.lecture.scales import (
        beta_scale,
        beta_sensitivity,
        learning_rate_scale,
        uniform_picks,
    )
    from tfcourse.lecture.sigmoid_region import batch_norm_distributions
    from tfcourse.lecture.softmax_gradient import softmax_gradient
    from tfcourse.lecture.softmax_layer import softmax_layer
    from tfcourse.lecture.test_time import test_time_average

__all__ = [
    "Entry", "Style", "batch_norm_distributions", "batch_norm_network", "batch_norm_noise",
    "batch_norm_two_noises", "beta_scale", "beta_sensitivity", "caviar", "coarse_to_fine",
    "computation_graph", "covariate_shift", "cross_entropy", "draw", "find", "framework_speed",
    "grid_vs_random", "hidden_shift", "hyperparameter_importance", "learning_rate_scale",
    "normalized_contours", "panda", "quadratic_descent", "random_cube", "softmax_boundaries",
    "softmax_gradient", "softmax_layer", "test_time_average", "uniform_picks",
]  # fmt: skip

if not TYPE_CHECKING:  # otherwise mypy would accept any name

    def __getattr__(name: str) -> Any:
        if name in __all__:
            return find([name])[0].function
        here = sys.modules[__name__]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=here)

    def __dir__() -> list[str]:
        return __all__
