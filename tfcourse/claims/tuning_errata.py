"""Errors in notes on part 1: each printed form is run and fails, the corrected one holds."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tfcourse.claims.ledger import ERRATUM, Evidence, claim, corrected, note, raised

SCALE = note("003", "Using an appropriate scale")
DRAWS = 100_000


def _ends(values: Any) -> str:
    return f"{np.min(values):.2g} to {np.max(values):.2g}"


@claim(
    "tuning.erratum.np-exp",
    "Printed: alpha = np.exp(10, r). Correct: alpha = 10**r.",
    ERRATUM,
    SCALE,
)
def np_exp(seed: int) -> Evidence:
    """Runs both for r = −4·rand(). The second argument of `np.exp` is where to put the result."""
    r = -4 * np.random.default_rng(seed).random(DRAWS)
    printed = raised(lambda: np.exp(10, r[0]))
    alpha = 10**r
    return corrected(
        printed == "TypeError",
        bool(((alpha >= 1e-4) & (alpha <= 1)).all()),
        f"printed: {printed or 'runs'}; corrected: α from {_ends(alpha)}",
    )


@claim(
    "tuning.erratum.ten-to-minus-four",
    "Printed: 10e-4 <= alpha, for the lower end of 10**r with r in [−4, 0]. Correct: 1e-4.",
    ERRATUM,
    SCALE,
)
def ten_to_minus_four(seed: int) -> Evidence:
    """Reads both as Python does, and counts the draws below the printed bound."""
    alpha = 10 ** (-4 * np.random.default_rng(seed).random(DRAWS))
    beneath = float((alpha < float("10e-4")).mean())
    return corrected(
        float("10e-4") == 1e-3 and beneath > 0.2,
        float("1e-4") == 10**-4 and bool((alpha >= 1e-4).all()),
        f"printed: 10e-4 is {float('10e-4')}, with {beneath:.0%} of the draws below it; "
        f"corrected: none below 1e-4",
    )


@claim(
    "tuning.erratum.alpha-range",
    "Printed: α in [0.001, 1], drawn with r = −4·rand(). Correct: r = −3·rand() for that range, or "
    "[0.0001, 1] for that r.",
    ERRATUM,
    SCALE,
)
def alpha_range(seed: int) -> Evidence:
    """Draws α both ways and counts what falls outside [0.001, 1]."""
    u = np.random.default_rng(seed).random(DRAWS)
    outside, still = (float((10 ** (factor * u) < 0.001).mean()) for factor in (-4, -3))
    return corrected(
        outside > 0.2,
        still == 0,
        f"outside the range: {outside:.0%} of the draws as printed, {still:.0%} corrected",
    )


@claim(
    "tuning.erratum.beta-range",
    "Printed: β in [0.9, 0.999] means 1 − β in [0.0001, 0.1]. Correct: [0.001, 0.1].",
    ERRATUM,
    SCALE,
)
def beta_range(seed: int) -> Evidence:
    """Draws 1 − β from both ranges, logarithmically, and counts β outside [0.9, 0.999]."""
    u = np.random.default_rng(seed).random(DRAWS)
    outside, still = (
        float((1 - 10 ** (low + u * (-1 - low)) > 0.999).mean()) for low in (-4.0, -3.0)
    )
    return corrected(
        outside > 0.3,
        still == 0,
        f"β above 0.999: {outside:.0%} of the draws as printed, {still:.0%} corrected",
    )


@claim(
    "tuning.erratum.xor",
    "Printed: alpha = 10^r. Correct: 10**r; in Python ^ is exclusive or.",
    ERRATUM,
    note("002", "7.2 为超参数选择合适的范围"),
)
def xor(seed: int) -> Evidence:
    """Runs the printed line with a random r, which Python refuses, and with r = −4, which it does
    not.
    """
    r = -4 * float(np.random.default_rng(seed).random())
    printed, whole = raised(lambda: operator.xor(10, r)), operator.xor(10, -4)
    alpha = 10**r
    return corrected(
        printed == "TypeError" and whole != 10**-4,
        1e-4 <= alpha <= 1,
        f"printed: {printed or 'runs'}, and {whole} for r = −4; corrected: {alpha:.2g}, and "
        f"{10.0**-4:g}",
    )


@claim(
    "tuning.erratum.r-sign",
    "Printed: r in [4, 0]. Correct: r in [−4, 0].",
    ERRATUM,
    note("001", "代码实现对数轴上均匀随机取点"),
)
def r_sign(seed: int) -> Evidence:
    """Draws r = −4·rand(), as the same note has it, and α from either range of r."""
    u = np.random.default_rng(seed).random(DRAWS)
    r = -4 * u
    between = float(((r > 0) & (r <= 4)).mean())
    printed, ours = 10 ** (4 * u), 10 ** (-4 * u)
    return corrected(
        between == 0 and printed.max() > 1,
        bool(((r <= 0) & (r >= -4) & (ours <= 1) & (ours >= 1e-4)).all()),
        f"{between:.0%} of the draws of r lie between 0 and 4; α from {_ends(printed)} as printed, "
        f"from {_ends(ours)} corrected",
    )


@claim(
    "tuning.erratum.randn",
    "Printed: np.power(10, 3 * np.random.randn()) for 1 − β in [0.001, 0.1]. Correct: "
    "10**(−1 − 2·rand()).",
    ERRATUM,
    note("004", "Use appropriate scale"),
)
def randn(seed: int) -> Evidence:
    """Draws both 100,000 times. The normal r has no bounds, either sign, and most of its draws near
    0; counted are those within the range, and those that are no 1 − β at all, being above 1.
    """
    rng = np.random.default_rng(seed)
    printed = np.power(10, 3 * rng.standard_normal(DRAWS))
    ours = 10 ** (-1 - 2 * rng.random(DRAWS))
    within, still = (float(((x >= 0.001) & (x <= 0.1)).mean()) for x in (printed, ours))
    above = float((printed > 1).mean())
    middle = float((ours < 0.01).mean())
    return corrected(
        within < 0.5 and above > 0.25,
        still == 1 and abs(middle - 0.5) < 0.01,
        f"within the range: {within:.0%} of the draws as printed, with {above:.0%} above 1 and the "
        f"largest {printed.max():.0e}; corrected {still:.0%}, half of them below 0.01",
    )
