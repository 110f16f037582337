"""Deeper: batch norm makes networks of many layers trainable, whatever their first weights."""

from __future__ import annotations

from functools import cache, partial

from tfcourse.lecture.faster_training import FIRST_WEIGHTS, LAYERS, RUNS, cells, mark
from tfcourse.lecture.ledger import (
    HOLDS,
    NOT_SHOWN,
    Erratum,
    Evidence,
    claim,
    errata,
    note,
    weighed,
)
from tfcourse.lecture.statistics import Interval, holm, share, share_difference

SHARE = 1 / 3
MATTERS = 0.25


@cache
def trained(seed: int = 0) -> dict[tuple[int, bool, str], int]:
    """How many of `RUNS` networks train, by layers, batch norm and first weights."""
    target = mark(seed, SHARE)
    return {key: cell.trained(target) for key, cell in cells(seed).items()}


@cache
def gains(seed: int = 0) -> dict[str, Interval]:
    """By first weights, share of the deepest networks that train with batch norm less without."""
    count, family = trained(seed), {}
    for first in FIRST_WEIGHTS:
        norm, plain = (count[LAYERS[-1], norm, first] for norm in (True, False))
        family[first] = partial(share_difference, norm, RUNS, plain, RUNS)
    return holm(family)


@claim(
    "bn.deeper",
    "Batch norm makes much deeper networks trainable.",
    HOLDS,
    note("003", 1241, "DNN much easier to train"),
    trains=True,
    matters="A quarter of the runs: fewer one would simply start again.",
    literature="He et al. 2015, Delving Deep into Rectifiers, for the first weights. Residual "
    "connections with careful first weights (Zhang, Dauphin and Ma 2019, Fixup) reach great depth "
    "without batch norm too.",
)
def deeper(seed: int) -> Evidence:
    """Trains networks of 2, 6 and 10 hidden layers of 32 rectifiers on a random network's classes,
    with and without batch norm, with He's first weights and with Glorot's (Keras's default, under
    which rectifiers fade with depth): the best of four learning rates for each, then 16 new
    networks. One trains if its loss comes a third of the way from guessing to the best possible
    within 300 updates. It holds if with 10 layers more train for either first weights.
    """
    count, found = trained(seed), gains(seed)
    verdicts = {weighed(one, MATTERS) for one in found.values()}
    words = "; ".join(
        f"{layers} layers, {name}: {share(count[layers, True, first], RUNS).show('.0f', '%')} "
        f"with it, {share(count[layers, False, first], RUNS).show('.0f', '%')} without"
        for layers in LAYERS
        for first, name in FIRST_WEIGHTS.items()
    )
    with_it, without = (
        sum(count[LAYERS[-1], norm, first] for first in FIRST_WEIGHTS) / (2 * RUNS)
        for norm in (True, False)
    )
    return Evidence(
        verdicts.pop() if len(verdicts) == 1 else NOT_SHOWN,
        words,
        f"Of networks with {LAYERS[-1]} hidden layers {with_it:.0%} train with batch norm, "
        f"{without:.0%} without.",
        effect=min(found.values()),
        rests_on=tuple(cells(seed).values()),
    )


errata(
    __name__,
    Erratum(
        "bn.erratum.later-or-deeper",
        note(
            "001",
            412,
            "它可以使权重比你的网络更滞后或更深层",
            "it can make weights later or deeper than your network",
        ),
        "it makes weights later or deeper in the network, say of layer 10, more robust to changes "
        "of weights in earlier layers, say of layer 1",
        "The sentence was cut into two, and its verb was lost.",
        whose="translation",
        also=(
            note(
                "000",
                213,
                "可以使得权重比你的网络更滞后或更深层",
                "it can make weights later or deeper than your network",
            ),
        ),
    ),
)
