"""Deeper: batch norm makes networks of many layers trainable."""

from functools import partial
from itertools import product

from tfcourse.lecture import ledger
from tfcourse.lecture.faster_training import FIRST_WEIGHTS, LAYERS, cells, left
from tfcourse.lecture.ledger import HOLDS, NOT_SHOWN, REFUTED, Evidence, claim, note, weighed
from tfcourse.lecture.statistics import holm, share, share_difference
from tfcourse.lecture.tuned import TASKS

MATTERS = 0.25


def trained(seed: int = 0) -> dict[tuple[int, bool, str], int]:
    """On how many of `TASKS` networks train, by layers, batch norm and first weights."""
    lacking = {key: left(one.unseen, seed).min(axis=1) for key, one in cells(seed).items()}
    return {key: int((least <= 0.5).sum()) for key, least in lacking.items()}


@claim(
    "bn.deeper",
    "Batch norm makes much deeper networks trainable.",
    note("003", 1241, "DNN much easier to train"),
    trains=True,
    matters="A quarter of the runs, and that at least half of them train: fewer, and nobody would "
    "call such networks trainable.",
    literature="He et al. 2015, Delving Deep into Rectifiers, for the first weights. Residual "
    "connections with careful first weights (Zhang, Dauphin and Ma 2019, Fixup) reach great depth "
    "without batch norm too.",
)
def deeper(seed: int) -> Evidence:
    """Trains networks of 2, 6 and 10 hidden layers of 32 rectifiers on 16 random networks' classes,
    with and without batch norm, with He's first weights and with Glorot's (Keras's default): on
    each the best of four learning rates, then a new one at it. One trains if its loss comes half of
    the way from guessing to the best possible within 300 updates, as nearly all with two layers do.
    It holds if batch norm gains what matters with ten layers, on condition if with six.
    """
    count, of = trained(seed), 2 * TASKS
    both = {  # with either first weights
        (n, norm): sum(count[n, norm, first] for first in FIRST_WEIGHTS)
        for n, norm in product(LAYERS, (True, False))
    }
    sides = {n: (both[n, True], of, both[n, False], of) for n in LAYERS[1:]}
    found = holm({n: partial(share_difference, *side) for n, side in sides.items()})
    verdicts = {n: weighed(one, MATTERS) for n, one in found.items()}
    ok = [n for n in found if verdicts[n] == HOLDS and both[n, True] >= TASKS]
    words = "; ".join(
        f"{layers} layers, {name}: {share(count[layers, True, first], TASKS).show('.0f', '%')} "
        f"with it, {share(count[layers, False, first], TASKS).show('.0f', '%')} without"
        for layers in LAYERS
        for first, name in FIRST_WEIGHTS.items()
    )
    deepest = [both[LAYERS[-1], norm] / of for norm in (True, False)]
    other = REFUTED if {*verdicts.values()} == {REFUTED} else NOT_SHOWN
    return Evidence(
        HOLDS if LAYERS[-1] in ok else ledger.CONDITIONS if ok else other,
        words,
        f"Of networks with {LAYERS[-1]} hidden layers {deepest[0]:.0%} train with batch norm, "
        f"{deepest[1]:.0%} without.",
        effect=found[LAYERS[-1]],
        rests_on=tuple(cells(seed).values()),
    )


ledger.errata(
    __name__,
    ledger.Erratum(
        "bn.erratum.later-or-deeper",
        note("001", 412, "比你的网络更滞后或更深层", "weights later or deeper than your network"),
        "it makes weights later or deeper in the network, say of layer 10, more robust to changes "
        "of weights in earlier layers, say of layer 1",
        "The sentence was cut into two, and its verb was lost.",
        whose="translation",
        also=(note("000", 213, "比你的网络更滞后或更深层", "later or deeper than your network"),),
    ),
)
