"""Tuning: scales, searches, studies; many models at once (caviar) or one, day by day (panda).

>>> for trial in tfc.tuning.grid(tfc.Space(layers=tfc.Integer(1, 2), units=tfc.Choice(50, 100)), 2):
...     print(trial)
{'layers': 1, 'units': 50}
{'layers': 1, 'units': 100}
{'layers': 2, 'units': 50}
{'layers': 2, 'units': 100}
"""

from tfcourse.training.objective import Objective
from tfcourse.tuning import panda
from tfcourse.tuning.scales import Choice, Integer, Linear, Log, OneMinusLog, ReverseLog, Stepped
from tfcourse.tuning.search import coarse_to_fine, grid, quasi_random, random
from tfcourse.tuning.space import Space, When
from tfcourse.tuning.study import Study
from tfcourse.tuning.trial import Trial
from tfcourse.tuning.tune import tune

__all__ = [
    "Choice",
    "Integer",
    "Linear",
    "Log",
    "Objective",
    "OneMinusLog",
    "ReverseLog",
    "Space",
    "Stepped",
    "Study",
    "Trial",
    "When",
    "coarse_to_fine",
    "grid",
    "panda",
    "quasi_random",
    "random",
    "tune",
]
