"""Part 3's claims hold as recorded, and turn when what is under them breaks."""

import functools

import numpy as np
import pytest
from breaking import wrap

from tfcourse import softmax
from tfcourse.claims import ledger
from tfcourse.experiments import classification as experiments

CLAIMS = [one.id for one in ledger.claims("classification") if ".claims." in one.module]


def keras_losses(name, make):
    def patch(monkeypatch):
        from tfcourse._tensorflow import keras

        monkeypatch.setattr(keras.losses, name, make(getattr(keras.losses, name)))

    return patch


def from_probabilities_after_all(loss):
    from tfcourse._tensorflow import tf

    def broken(y, output, from_logits=False):
        return loss(y, tf.nn.softmax(output) if from_logits else output)

    return broken


def doubled(function):
    def broken(*arguments, **options):
        loss, gradient = function(*arguments, **options)
        return softmax.LossAndGradient(loss, 2 * gradient)

    return broken


base_two = wrap(softmax, "cross_entropy", lambda f: lambda *a, **k: f(*a, **k) / np.log(2))

BREAKS = {
    "softmax.linear-boundaries": wrap(
        experiments, "boundaries", lambda f: lambda seed, squares=False: f(seed, squares=True)
    ),
    "softmax.loss-example": base_two,
    "softmax.maximum-likelihood": wrap(
        softmax, "train_linear_classifier", lambda f: lambda *a, **k: f(*a, **{**k, "batches": []})
    ),
    "softmax.cost": keras_losses(
        "SparseCategoricalCrossentropy", lambda f: functools.partial(f, reduction="sum")
    ),
    "softmax.gradient": wrap(
        softmax,
        "cross_entropy_from_logits",
        lambda f: lambda *a, **k: 1.1 * f(*a, **k),
    ),
    "softmax.shapes": wrap(softmax, "softmax", lambda f: lambda z, axis=-1: f(z)),
    "softmax.autodiff": wrap(softmax, "cross_entropy_with_gradient", doubled),
    "softmax.orientation": keras_losses(
        "SparseCategoricalCrossentropy", lambda f: lambda **k: lambda y, z: 1.0
    ),
    "softmax.mean-of-means": wrap(experiments, "means", lambda f: functools.partial(f, size=1024)),
    "softmax.from-logits": keras_losses(
        "sparse_categorical_crossentropy", from_probabilities_after_all
    ),
    "softmax.erratum.binary-loss": base_two,
    "softmax.erratum.binary-sum": base_two,
    "softmax.erratum.cost-sum": wrap(
        softmax,
        "cross_entropy_with_gradient",
        lambda f: lambda z, y, reduction: f(z[:8], y[:8], reduction=reduction),
    ),
    "softmax.erratum.example-index": base_two,
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


def test_what_the_lecture_prints():
    [loss] = ledger.run(ledger.find(["softmax.loss-example"]))
    assert loss.evidence.measured.startswith("L = 1.609")
