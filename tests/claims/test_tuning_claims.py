"""Part 1's claims that need no training, and its errata: as recorded, and able to turn."""

import operator
from types import SimpleNamespace

import numpy as np
import pytest
from breaking import all_of, put

from tfcourse.claims import ledger, tuning_errata
from tfcourse.experiments import tuning as experiments
from tfcourse.tuning.scales import Integer, Linear, Log, OneMinusLog

CLAIMS = [
    one.id
    for one in ledger.claims("tuning")
    if one.module.endswith(("claims.tuning", "claims.tuning_errata"))
]


def linear(scale):
    """A logarithmic scale that is linear."""
    return all_of(
        put(scale, "_r", staticmethod(lambda value: value)),
        put(scale, "_value", staticmethod(lambda r: r)),
    )


class Lowest:
    """A generator of random numbers that only ever draws its lowest."""

    def __init__(self, seed):
        pass

    def random(self, size=None):
        return np.zeros(size) if size else 0.0

    def standard_normal(self, size):
        return np.full(size, -0.5)


dull = put(tuning_errata, "np", SimpleNamespace(**{**vars(np), "random": SimpleNamespace(
    default_rng=Lowest)}))  # fmt: skip

BREAKS = {
    "tuning.uniform-picks": put(
        Integer, "from_unit", lambda self, u: int(self.low + u**1.1 * (self.high + 1 - self.low))
    ),
    "tuning.linear-scale-wastes": put(
        Linear, "_value", staticmethod(lambda r: min(10.0 ** (4 * r - 4), 1))
    ),
    "tuning.log-scale": linear(Log),
    "tuning.log-scale-general": put(Log, "_value", staticmethod(lambda r: float(np.exp(r)))),
    "tuning.beta-scale": linear(OneMinusLog),
    "tuning.beta-sensitivity": put(experiments, "BETAS", (0.9, 0.95, 0.99, 0.999)),
    "tuning.erratum.np-exp": put(
        tuning_errata, "np", SimpleNamespace(**{**vars(np), "exp": lambda base, r: base**r})
    ),
    "tuning.erratum.ten-to-minus-four": dull,
    "tuning.erratum.alpha-range": dull,
    "tuning.erratum.beta-range": put(
        tuning_errata,
        "np",
        SimpleNamespace(
            **{
                **vars(np),
                "random": SimpleNamespace(default_rng=lambda seed: SimpleNamespace(random=np.ones)),
            }
        ),
    ),
    "tuning.erratum.xor": put(
        tuning_errata, "operator", SimpleNamespace(**{**vars(operator), "xor": pow})
    ),
    "tuning.erratum.r-sign": dull,
    "tuning.erratum.randn": dull,
}


@pytest.mark.parametrize("id", CLAIMS)
def test_it_comes_out_as_recorded_with_another_seed(id, verdict):
    [one] = ledger.find([id])
    assert verdict(id, seed=1) == one.verdict


@pytest.mark.parametrize("id", CLAIMS)
def test_it_turns_when_what_is_under_it_breaks(id, verdict, monkeypatch):
    [one] = ledger.find([id])
    BREAKS[id](monkeypatch)
    assert verdict(id) != one.verdict
