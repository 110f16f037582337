"""Part 2's claims hold as recorded, and turn when what is under them breaks."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from breaking import wrap

from tfcourse import batch_norm
from tfcourse.claims import ledger, normalization_errata
from tfcourse.experiments import normalization as experiments

CLAIMS = [
    one.id for one in ledger.claims("normalization") if ".claims." in one.module and not one.trains
]
PLUS_MINUS_ONE = np.tile([[1.0], [-1.0]], (32, 1))  # mean 0, variance 1, squares all 1


def in_keras(name, make):
    def patch(monkeypatch):
        from tfcourse._tensorflow import keras

        monkeypatch.setattr(keras.layers, name, make(getattr(keras.layers, name)))

    return patch


def in_tf_nn(name, make):
    def patch(monkeypatch):
        from tfcourse._tensorflow import tf

        monkeypatch.setattr(tf.nn, name, make(getattr(tf.nn, name)))

    return patch


def gamma_ignored(forward):
    return lambda z, gamma=1.0, beta=0.0, **how: forward(z, 1.0, beta, **how)


def as_if_independent(backward):
    """Slopes as if μ and σ² did not depend on z."""

    def broken(dz_tilde, of):
        slopes = backward(dz_tilde, of)
        return slopes._replace(dz=of.gamma / of.deviation * dz_tilde)

    return broken


def idle(layer):
    return type("Idle", (layer,), {"call": lambda self, z, training=None, mask=None: z})


large_epsilon = wrap(
    batch_norm, "forward", lambda f: lambda z, *a, epsilon=1e-3: f(z, *a, epsilon=1.0)
)
no_gamma = wrap(batch_norm, "forward", gamma_ignored)
already_normal = wrap(normalization_errata, "mini_batch", lambda f: lambda seed: PLUS_MINUS_ONE)

BREAKS = {
    "bn.noise": wrap(batch_norm, "forward", lambda f: lambda z: f(z[:16])),
    "bn.single-example": wrap(
        batch_norm, "forward", lambda f: lambda z, *a: SimpleNamespace(z_tilde=z)
    ),
    "bn.ewma": wrap(batch_norm, "RunningStatistics", lambda f: lambda momentum: f(0.5)),
    "bn.erratum.dropout-noise": wrap(
        experiments,
        "noise",
        lambda f: lambda seed: dataclasses.replace(f(seed), dropout=f(seed).mean),
    ),
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
