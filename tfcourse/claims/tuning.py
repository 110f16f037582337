"""Claims of part 1, tuning, that need no training: how scales and searches spread their trials."""

from __future__ import annotations

import math

import numpy as np

from tfcourse.claims.ledger import HOLDS, Evidence, below, claim, judged, note
from tfcourse.experiments import tuning as experiments
from tfcourse.lecture import statistics as intervals
from tfcourse.tuning.scales import Log

DRAWS = 100_000  # shares come out within half a percentage point, whatever the seed


@claim(
    "tuning.uniform-picks",
    "Hidden units from 50 to 100 and 2, 3 or 4 layers may be drawn uniformly.",
    HOLDS,
    note("000", "2. Using an appropriate scale"),
    note("001", "为超参数选择合适的范围"),
)
def uniform_picks(seed: int) -> Evidence:
    """Draws 100,000 of each and tests with χ² that every number is as likely. That a uniform draw
    may be taken is measured by how much thicker it lies at the top of the range than draws by
    order of magnitude do: in proportion to high/low, which is 2 here and 10,000 for α.
    """
    picks = experiments.uniform_picks(seed, DRAWS)
    z_units = _uniformity(picks.units, np.arange(50, 101))
    z_layers = _uniformity(picks.layers, np.array([2, 3, 4]))
    thicker = experiments.UNITS.high / experiments.UNITS.low
    alpha = experiments.LEARNING_RATE.high / experiments.LEARNING_RATE.low
    return judged(
        max(z_units, z_layers) < 4 and thicker < 10,
        f"units off uniform by {z_units:.1f} standard deviations of χ², layers by {z_layers:.1f}; "
        f"high/low is {thicker:g}, for α {alpha:g}",
    )


def _uniformity(values: object, among: object) -> float:
    """χ² of a uniform draw, as a standard normal deviate (Wilson and Hilferty 1931)."""
    drawn, all_values = np.asarray(values), np.asarray(among)
    if not np.isin(drawn, all_values).all():
        return math.inf
    counts = np.bincount(drawn, minlength=all_values.max() + 1)[all_values]
    expected, freedom = len(drawn) / len(all_values), len(all_values) - 1
    chi_square = float(((counts - expected) ** 2).sum() / expected)
    spread = 2 / (9 * freedom)
    return float(((chi_square / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread))


@claim(
    "tuning.linear-scale-wastes",
    "Drawn linearly from [0.0001, 1], 90% of the values of α lie in [0.1, 1].",
    HOLDS,
    note("000", "2. Using an appropriate scale"),
    note("001", "为超参数选择合适的范围"),
)
def linear_scale_wastes(seed: int) -> Evidence:
    """Draws 100,000 values on the linear scale and counts those of at least 0.1."""
    alpha = experiments.learning_rate_draws(seed, DRAWS).linear
    share = intervals.share(int((alpha >= 0.1).sum()), len(alpha))
    return judged(abs(share.value - 0.9) < 0.005, share.show(".1f", "%"), effect=share)


@claim(
    "tuning.log-scale",
    "With r uniform in [−4, 0] and α = 10^r, every decade of [10⁻⁴, 1] gets a quarter of draws.",
    HOLDS,
    note("000", "2. Using an appropriate scale"),
    note("001", "为超参数选择合适的范围"),
    note("002", "7.2 为超参数选择合适的范围"),
    note("003", "Using an appropriate scale"),
)
def log_scale(seed: int) -> Evidence:
    """Draws 100,000 values with r uniform and counts each decade; the one furthest off decides."""
    draws = experiments.learning_rate_draws(seed, DRAWS)
    worst = draws.log_shares[np.abs(draws.log_shares - 0.25).argmax()]
    share = intervals.share(round(worst * DRAWS), DRAWS)
    text = ", ".join(f"{value:.1%}" for value in draws.log_shares)
    return judged(abs(worst - 0.25) < 0.0075, text, effect=share)


@claim(
    "tuning.log-scale-general",
    "For [10^a, 10^b]: r uniform in [a, b] with a = log₁₀ of the lower bound, b of the upper.",
    HOLDS,
    note("000", "2. Using an appropriate scale"),
    note("001", "代码实现对数轴上均匀随机取点"),
)
def log_scale_general(seed: int) -> Evidence:
    """Makes the scale of 200 random ranges, asks it for a value at a random position u, and
    compares with 10^(a + u(b − a)). Draws from three of the ranges are counted by halves of r.
    """
    rng = np.random.default_rng(seed)
    off = 0.0
    for _ in range(200):
        a, b = np.sort(rng.uniform(-8, 4, 2))
        u = rng.random()
        value = Log(10**a, 10**b).from_unit(u)
        off = max(off, abs(value / 10 ** (a + u * (b - a)) - 1))
    halves = []
    for a, b in ((-6.0, -2.0), (-3.0, 1.0), (0.5, 1.25)):
        scale = Log(10**a, 10**b)
        drawn = np.log10([scale.from_unit(u) for u in rng.random(DRAWS)])
        halves.append(float((drawn < (a + b) / 2).mean()))
    return judged(
        off < 1e-9 and all(abs(half - 0.5) < 0.01 for half in halves),
        f"largest relative difference {below(off, 1e-9)}; lower half of r gets "
        + ", ".join(f"{half:.1%}" for half in halves),
    )


@claim(
    "tuning.beta-scale",
    "For β in [0.9, 0.999]: r uniform in [−3, −1] and 1 − β = 10^r.",
    HOLDS,
    note("000", "2. Using an appropriate scale"),
    note("001", "为超参数选择合适的范围"),
    note("002", "7.2 为超参数选择合适的范围"),
    note("004", "Use appropriate scale"),
)
def beta_scale(seed: int) -> Evidence:
    """Draws 100,000 β with r uniform and counts those above 0.99, beside as many uniform draws."""
    draws = experiments.beta_draws(seed, DRAWS)
    inside = bool(((draws.log >= 0.9) & (draws.log <= 0.999)).all())
    share = intervals.share(int((draws.log > 0.99).sum()), len(draws.log))
    return judged(
        inside and abs(share.value - 0.5) < 0.0075,
        f"above 0.99: {share.show('.1f', '%')}; drawn uniformly {draws.linear_shares[1]:.1%}",
        effect=share,
    )


@claim(
    "tuning.beta-sensitivity",
    "1/(1−β) values are averaged: 0.9 → 0.9005 is about 10 either way, 0.999 → 0.9995 is 1000 → "
    "2000. Hence more draws near 1.",
    HOLDS,
    note("000", "2. Using an appropriate scale"),
    note("002", "7.2 为超参数选择合适的范围"),
)
def beta_sensitivity(seed: int) -> Evidence:
    """Computes 1/(1−β), and measures the average itself: fed a single 1 and then zeros, the
    steps are counted until its weight has fallen to 1/e.
    """
    averages = experiments.averages(seed)
    values = averages.values.round(2).tolist()
    off = float(np.abs(averages.measured - averages.values).max())
    measured = ", ".join(f"{value:.1f}" for value in averages.measured)
    return judged(
        values == [10, 10.05, 1000, 2000] and off < 1,
        f"1/(1−β) = {', '.join(f'{value:g}' for value in values)}; weight 1/e after {measured}",
    )
