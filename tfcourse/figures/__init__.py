"""Figures: each draws what an experiment or a run found.

>>> draw("beta_scale", "beta_scale.svg")
>>> [figure] = find(["beta_scale"])
>>> figure.part
'tuning'
"""

from tfcourse.figures.gallery import Entry, draw, find

__all__ = ["Entry", "draw", "find"]
