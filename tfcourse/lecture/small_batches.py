"""Small mini-batches: batch norm loses where few examples share μ and σ²; other norms do not."""

from functools import cache, partial
from itertools import product
from typing import Any

from tfcourse.lecture.ledger import CONDITIONS, HOLDS, NOT_SHOWN, REFUTED, Evidence, claim, weighed
from tfcourse.lecture.population import Trial
from tfcourse.lecture.statistics import holm, mean
from tfcourse.lecture.tuned import Tuned, rates, teachers, tune

NORMS = ("batch", "layer", "group")
SMALL, USUAL = (2, 8), 64
RATES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
TRIED = {2: rates(*RATES[:5]), 8: rates(*RATES[1:6]), 64: rates(*RATES[2:])}
MATTERS = 0.05


def build(trial: Trial) -> Any:
    """Return two hidden layers of 32 rectifiers, z normalized over examples, units, or groups.

    Batch norm's averages span as many examples whatever the mini-batch: ten mini-batches of 64.
    """
    from tfcourse._tensorflow import keras

    norms = {
        "batch": lambda: keras.layers.BatchNormalization(momentum=1 - trial["batch_size"] / 640),
        "layer": keras.layers.LayerNormalization,
        "group": lambda: keras.layers.GroupNormalization(groups=4),
    }
    layers = [keras.Input((20,))]
    for _ in range(2):
        layers += [keras.layers.Dense(32, use_bias=False), norms[trial["norm"]]()]
        layers.append(keras.layers.Activation("relu"))
    return keras.Sequential([*layers, keras.layers.Dense(5), keras.layers.Softmax()])


@cache
def trained(seed: int = 0) -> dict[tuple[str, int], Tuned]:
    """By norm and size of mini-batches: networks at the best of `RATES`, equally many epochs."""
    ways = {
        (norm, m): {"optimizer": "momentum", "norm": norm, "batch_size": m}
        for norm, m in product(NORMS, (*SMALL, USUAL))
    }
    own = teachers(seed)
    return tune(ways, lambda way: TRIED[way[1]], tasks=own, epochs=12, seed=seed, build=build)


@claim(
    "bn.small-batches",
    "At mini-batches of 2 to 8 batch norm loses, layer and group norm do not.",
    trains=True,
    matters="A twentieth of the loss: it makes the probability of the true class five per cent "
    "smaller. Less than that another learning rate costs.",
    conditions="Mini-batches of 2. With 8 batch norm loses nothing here. Near its border: group "
    "norm's loss at 2 is small, but with seed 2 its interval just holds one that matters.",
    literature="Wu and He 2018, Group Normalization: on ImageNet batch norm loses below 16 images.",
)
def small_batches(seed: int) -> Evidence:
    """Trains networks on 1000 examples of 16 random networks' classes with batch norm, layer norm
    and group norm and mini-batches of 2, 8 and 64, for equally many epochs: on each task the best
    of five learning rates, then a new network. Measured: the lowest loss on unseen examples above
    that of the same norm with 64. It holds if batch norm loses what matters at 2 and at 8, and the
    others for certain less; on condition if at 2 alone.
    """
    found = trained(seed)
    loss, pairs = {way: one.lowest for way, one in found.items()}, product(NORMS, SMALL)
    seen = holm({(norm, m): partial(mean, loss[norm, m] - loss[norm, USUAL]) for norm, m in pairs})
    batch = {m: weighed(seen["batch", m], MATTERS) for m in SMALL}
    others = [seen[norm, m] for norm in NORMS[1:] for m in SMALL]
    if batch[2] == HOLDS and all(one.high < MATTERS for one in others):
        verdict = HOLDS if batch[8] == HOLDS else CONDITIONS
    else:
        other_loses = any(one.low > MATTERS for one in others)
        verdict = REFUTED if batch[2] == REFUTED or other_loses else NOT_SHOWN
    words = "; ".join(
        f"{norm} norm {found[norm, USUAL].lowest.mean():.2f} with 64, "
        + ", ".join(f"with {m} {seen[norm, m].show('+.2f')} more" for m in reversed(SMALL))
        for norm in NORMS
    )
    costs = ", ".join(f"{seen[norm, 2].value:+.2f} with {norm} norm" for norm in NORMS)
    costs = costs.replace("-", "−")
    plain = f"Mini-batches of 2 instead of 64 change the loss by {costs}."
    measured = f"loss of {words}"
    return Evidence(verdict, measured, plain, seen["batch", 2], tuple(found.values()))
