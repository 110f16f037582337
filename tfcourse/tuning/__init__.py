"""Tuning: scales, searches, studies; many models at once (caviar) or one, day by day (panda)."""

from tfcourse.tuning.caviar import Plan, caviar
from tfcourse.tuning.scales import Choice, Integer, Linear, Log, OneMinusLog
from tfcourse.tuning.search import coarse_to_fine, grid, random
from tfcourse.tuning.space import Space, When
from tfcourse.tuning.study import Study, Trial

__all__ = [
    "Choice",
    "Integer",
    "Linear",
    "Log",
    "OneMinusLog",
    "Plan",
    "Space",
    "Study",
    "Trial",
    "When",
    "caviar",
    "coarse_to_fine",
    "grid",
    "random",
]
