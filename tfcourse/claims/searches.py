"""Claims of part 1, tuning, that many trainings settle: what matters, and which search finds it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from tfcourse.claims.ledger import (
    CONDITIONS,
    HOLDS,
    Evidence,
    claim,
    judged,
    note,
)
from tfcourse.experiments import babysitting, practice, searches
from tfcourse.lecture import statistics as intervals
from tfcourse.lecture.statistics import Interval

TUNING = note("000", "1. Hyperparameter Tuning process"), note("001", "参数调试过程")
PRACTICE = note("000", "3. Hyperparameters tuning in practice"), note("001", "熊猫vs鱼子酱")
ONE_IMAGE = 1 / 360  # of the test set
FEW_POINTS = 0.03

BERGSTRA = (
    "Bergstra and Bengio, Random search for hyper-parameter optimization, 2012: random search "
    "finds models as good as a grid's in a fraction of the trials, for few hyperparameters matter."
)


def _matters(gain: Interval, at_least: float = ONE_IMAGE) -> bool:
    """Whether a gain is no chance, and not too small to care for."""
    return gain.above_zero and gain.value > at_least


@claim(
    "tuning.importance-order",
    "The learning rate α matters most; then momentum β, hidden units and mini-batch size; then "
    "layers and learning rate decay; Adam's β₁, β₂ and ε hardly at all.",
    CONDITIONS,
    TUNING[0],
    TUNING[1],
    note("002", "7.1 调试处理"),
    note("004", "Tuning process"),
    trains=True,
    conditions="Of the order only two places can be told: α is first, and the mini-batch size "
    "second, or first in the best decade of α (32 or 256; the other ranges are the lecture's). β, "
    "50 to 100 units, layers and decay explain about as little as β₁, β₂ and ε do. (The notes "
    "disagree here: 001 puts β₁, β₂ and ε second, and says they are never tuned.)",
    literature="Sobol', Global sensitivity indices, 2001. " + BERGSTRA,
)
def importance_order(seed: int) -> Evidence:
    """Draws random trials over all hyperparameters, 2048 with Adam and 1024 with momentum, trains
    each on the digits, and takes first-order Sobol' indices of the validation accuracy: the share
    of its spread that one hyperparameter explains alone. All pairs of neighbouring ranks are
    compared, each difference with its interval (jackknife over 32 blocks); α is compared with all.
    """
    found = searches.importance(seed)
    ahead, in_order, compared = [], [0, 0, 0], [0, 0, 0]
    for one in found.values():
        names = set(one.everywhere.names)
        for other in names - {"learning_rate"}:
            ahead.append(_contrast(one, "learning_rate", other))
        for step, (upper, lower) in enumerate(pairwise(searches.RANKS)):
            for a in names.intersection(upper):
                for b in names.intersection(lower):
                    compared[step] += 1
                    in_order[step] += _contrast(one, a, b).above_zero
    closest = min(ahead, key=lambda interval: interval.low)
    steps = ("first before second", "second before third", "third before last")
    pairs = ", ".join(
        f"{step} {n} of {of}" for step, n, of in zip(steps, in_order, compared, strict=True)
    )
    shares = "; ".join(_shares(way, one) for way, one in found.items())
    return judged(
        in_order == compared,
        f"{shares}. Pairs that are in the lecture's order, by rank: {pairs}",
        sum(len(one.accuracy) for one in found.values()),
        closest,
        under_conditions=closest.above_zero,
    )


def _contrast(one: searches.Importance, a: str, b: str) -> Interval:
    return Interval(*one.everywhere.contrast({a: 1.0, b: -1.0}))


def _shares(way: str, one: searches.Importance) -> str:
    """The leading hyperparameters over all trials, and in the best decade of α."""
    text = []
    for indices in (one.everywhere, one.near_best):
        names = [indices.names[i] for i in np.argsort(-indices.value)[:3]]
        shares = [Interval(*indices.interval(name)).show(".0f", "%") for name in names]
        text.append(", ".join(map(" ".join, zip(names, shares, strict=True))))
    return f"{way}: {text[0]} (in the best decade of α: {text[1]})"


@claim(
    "tuning.panda",
    "Without the compute: one model, watched day by day. Change one hyperparameter, keep it if the "
    "curve improves, go back to yesterday's model if it does not.",
    CONDITIONS,
    *PRACTICE,
    note("003", "Hyperparameters tuning in practice"),
    trains=True,
    conditions="For a model that began badly. One that learns well loses by it: days that are gone "
    "back from are days without training, and left alone it would have gone on improving.",
)
def panda(seed: int) -> Evidence:
    """Babysits 1024 models with random hyperparameters for eight days of two epochs, and leaves the
    same models alone: each day α is changed threefold, on in the same direction if that helped,
    else in the other; a day after which the validation loss is no lower is gone back from. Test
    accuracy is compared for the half that stood worse after the first day, and for the other half.
    Going back must restore the weights exactly.
    """
    found = babysitting.babies(seed)
    gain = found.test - found.test_alone
    badly = found.curves[:, 0] > np.median(found.curves[:, 0])
    worse, better = intervals.mean(gain[badly]), intervals.mean(gain[~badly])
    exact = found.restored == 0
    helps = exact and worse.above_zero
    return judged(
        helps and better.above_zero,
        f"gain of models that began badly {worse.show('.1f', '%')}, of the others "
        f"{better.show('.1f', '%')}; {found.kept:.0%} of the changes kept, the others gone back "
        f"from {'exactly' if exact else f'but for {found.restored:.1g}'}",
        2 * len(gain),
        worse,
        under_conditions=helps,
    )


@claim(
    "tuning.caviar",
    "With the compute, train many models in parallel, and take the one whose curve is best.",
    HOLDS,
    *PRACTICE,
    note("002", "7.3 超参数调试实践"),
    note("003", "Hyperparameters tuning in practice"),
    trains=True,
)
def caviar(seed: int) -> Evidence:
    """Trains 25 models with random α, β and decay, 60 times. The settings of the best in validation
    are set against those of the first, which is the only model one would have trained without the
    compute; both are trained again from other first weights and judged on test images.
    """
    found = practice.one_against_many(seed)
    gain = intervals.mean(found.gain)
    one, many = found.test.mean(axis=0)
    return judged(
        gain.above_zero,
        f"the best of 25 reaches {many:.1%}, a single one {one:.1%}: gain {gain.show('.1f', '%')}",
        found.trainings,
        gain,
    )


@claim(
    "tuning.retest",
    "Intuitions go stale: the best hyperparameters of one data set are not the best of another; "
    "test again every few months.",
    CONDITIONS,
    note("001", "超参数调试的实践"),
    note("003", "Hyperparameters tuning in practice"),
    trains=True,
    conditions="Where the data changes how many updates a training takes: settings found on the "
    "digits are far from the best for a seventh of them, and the other way round. Between data "
    "sets of the same size, whatever they show, they carry over at a cost of a few points at most.",
)
def retest(seed: int) -> Evidence:
    """Searches α, β and decay 30 times with 25 trials on each of four data sets: the digits, 150 of
    them, the digits with every other label wrong, and three spirals. The best settings of one are
    trained on another, beside the best settings found there; the loss of test accuracy is the
    price of not testing again. It counts if its interval lies above 0 and it is over three points.
    """
    found = practice.retest(seed)
    prices = {pair: intervals.mean(found.own[pair] - found.carried[pair]) for pair in found.own}
    costly = [pair for pair, price in prices.items() if _matters(price, FEW_POINTS)]
    text = "; ".join(f"{a} → {b} {price.show('.1f', '%')}" for (a, b), price in prices.items())
    return judged(
        len(costly) == len(prices),
        f"lost by carrying over: {text}",
        found.trainings,
        prices[costly[0]] if costly else None,
        under_conditions=bool(costly),
    )
