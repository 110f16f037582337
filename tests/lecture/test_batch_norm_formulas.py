"""Batch norm's formulas: verdicts that turn when one of them breaks, and the network's figure."""

from dataclasses import replace

import numpy as np
import pytest
from breaking import put, wrap

from tfcourse import batch_norm
from tfcourse.lecture import batch_norm_formulas as topic
from tfcourse.lecture import ledger

PLUS_MINUS_ONE = np.tile([[1.0], [-1.0]], (32, 1))  # mean 0, variance 1


def in_keras(name, make):
    def patch(monkeypatch):
        from tfcourse._tensorflow import keras

        monkeypatch.setattr(keras.layers, name, make(getattr(keras.layers, name)))

    return patch


def gamma_ignored(forward):
    return lambda z, gamma=1.0, beta=0.0, **how: forward(z, 1.0, beta, **how)


def as_if_independent(backward):
    """Gradients as if μ and σ² did not depend on z."""
    return lambda d, of: backward(d, of)._replace(dz=of.gamma / of.deviation * d)


def over_examples_alone(forward):
    """A mean and a variance for every pixel."""
    return lambda z: replace(forward(z), z_tilde=(z - z.mean(axis=0)) / z.std(axis=0))


large_epsilon = wrap(
    batch_norm, "forward", lambda f: lambda z, *a, epsilon=1e-3: f(z, *a, epsilon=1.0)
)
no_gamma = wrap(batch_norm, "forward", gamma_ignored)
already_normal = put(topic, "mini_batch", lambda seed: PLUS_MINUS_ONE)

BREAKS = {
    "bn.zero-mean-unit-variance": large_epsilon,
    "bn.any-mean-variance": no_gamma,
    "bn.identity": no_gamma,
    "bn.bias-cancels": wrap(batch_norm, "backward", as_if_independent),
    "bn.parameter-shapes": in_keras(
        "BatchNormalization",
        lambda layer: type("Idle", (layer,), {"call": lambda self, z, training=None: z}),
    ),
    "bn.per-channel": wrap(batch_norm, "forward", over_examples_alone),
    "bn.scale-invariance": large_epsilon,
    "bn.erratum.hidden-mean": already_normal,
    "bn.erratum.hidden-variance": already_normal,
    "bn.erratum.no-normalization": already_normal,
    "bn.erratum.gamma-times-z": already_normal,
    "bn.erratum.gamma-is-variance": no_gamma,
    "bn.erratum.identity-gamma": already_normal,
}


@pytest.mark.parametrize("id", BREAKS)
def test_it_holds_with_another_seed_and_turns_when_broken(id, verdict, monkeypatch):
    [one] = ledger.find([id])
    assert verdict(id, seed=1) == one.verdict
    BREAKS[id](monkeypatch)
    assert verdict(id) != one.verdict


def test_the_network_is_labelled_with_its_shapes(drawn):
    [axes] = drawn("batch_norm_network").axes
    assert len(axes.patches) == 5 + 5 + 3
    shown = [text.get_text() for text in axes.texts]
    assert shown.count("3 × 64") == 1 and shown.count("4 × 64") == 4 + 5 + 1
    assert shown.count("2 × 64") == 2
    assert {"4 × 3", "4 × 4", "2 × 4, 2 × 1"} <= set(shown) and shown.count("4 × 1") == 2
    assert r"$\gamma^{[1]}$, $\beta^{[1]}$" in shown and r"$\tilde z^{[2]}$" in shown
    assert not any("gamma^{[3]}" in word for word in shown)


def test_the_figure_takes_another_network():
    [axes] = topic.batch_norm_network((2, 7, 3), 10).axes
    shown = [text.get_text() for text in axes.texts]
    assert {"2 × 10", "7 × 10", "3 × 10", "7 × 2", "7 × 1", "3 × 7, 3 × 1"} <= set(shown)
