"""Figures: each draws what an experiment or a run found.

Every figure is a function of its name, `figure = tfc.figures.beta_scale()`, which takes what one
may want to change; `draw` saves one.

>>> draw("beta_scale", "beta_scale.svg")
>>> [figure] = find(["beta_scale"])
>>> figure.part
'tuning'
"""

from typing import TYPE_CHECKING, Any

from tfcourse.lecture.gallery import Entry, draw, find
from tfcourse.lecture.style import Style

if TYPE_CHECKING:
    from tfcourse.lecture.batch_norm_formulas import batch_norm_network
    from tfcourse.lecture.coarse_to_fine import coarse_to_fine
    from tfcourse.lecture.grid_and_random import grid_vs_random, random_cube
    from tfcourse.lecture.normalized_inputs import normalized_contours
    from tfcourse.lecture.quadratic_descent import quadratic_descent
    from tfcourse.lecture.scales import (
        beta_scale,
        beta_sensitivity,
        learning_rate_scale,
        uniform_picks,
    )
    from tfcourse.lecture.sigmoid_region import batch_norm_distributions
    from tfcourse.lecture.softmax_layer import softmax_layer

__all__ = [
    "Entry",
    "Style",
    "batch_norm_distributions",
    "batch_norm_network",
    "beta_scale",
    "beta_sensitivity",
    "coarse_to_fine",
    "draw",
    "find",
    "grid_vs_random",
    "learning_rate_scale",
    "normalized_contours",
    "quadratic_descent",
    "random_cube",
    "softmax_layer",
    "uniform_picks",
]

if not TYPE_CHECKING:  # otherwise mypy would accept any name

    def __getattr__(name: str) -> Any:
        if name in __all__:
            return find([name])[0].function
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
