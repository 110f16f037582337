"""The loss and the cost: the lecture's numbers, and verdicts that turn when something breaks."""

import functools

import numpy as np
import pytest
from breaking import wrap

from tfcourse import softmax
from tfcourse._tensorflow import keras, tf
from tfcourse.lecture import cross_entropy as topic
from tfcourse.lecture import ledger

base_two = wrap(softmax, "cross_entropy", lambda f: lambda *a, **k: f(*a, **k) / np.log(2))


def from_probabilities_after_all(loss):
    def broken(y, output, from_logits=False):
        return loss(y, tf.nn.softmax(output) if from_logits else output)

    return broken


BREAKS = {
    "softmax.loss-example": base_two,
    "softmax.maximum-likelihood": wrap(
        softmax, "train_linear_classifier", lambda f: lambda *a, **k: f(*a, **{**k, "batches": []})
    ),
    "softmax.cost": wrap(
        keras.losses,
        "SparseCategoricalCrossentropy",
        lambda f: functools.partial(f, reduction="sum"),
    ),
    "softmax.mean-of-means": wrap(
        topic, "mini_batches", lambda f: functools.partial(f, examples=1024)
    ),
    "softmax.from-logits": wrap(
        keras.losses, "sparse_categorical_crossentropy", from_probabilities_after_all
    ),
    "softmax.erratum.binary-loss": base_two,
    "softmax.erratum.example-index": base_two,
}


@pytest.mark.parametrize("id", BREAKS)
def test_it_holds_with_another_seed_and_turns_when_broken(id, verdict, monkeypatch):
    [one] = ledger.find([id])
    assert verdict(id, seed=1) == one.verdict
    BREAKS[id](monkeypatch)
    assert verdict(id) != one.verdict


def test_what_the_lecture_prints():
    [loss] = ledger.run(ledger.find(["softmax.loss-example"]))
    assert loss.evidence.measured.startswith("L = 1.609")


def test_the_figure_is_minus_the_logarithm_with_the_example_on_it(drawn):
    [axes] = drawn("cross_entropy").axes
    curve, _, example = (line.get_xydata() for line in axes.lines)
    assert curve[:, 1] == pytest.approx(-np.log(curve[:, 0]))
    assert example[0] == pytest.approx([0.2, 1.609], abs=0.0005)
    assert axes.get_title(loc="left").endswith("0.2 for the true class costs 1.609")


@pytest.mark.parametrize("prediction", [(0.9, 0.1), (0.005, 0.995), (0.1, 0.2, 0.7)])
def test_the_figure_takes_another_prediction(prediction):
    [axes] = topic.cross_entropy(prediction, true_class=1).axes
    [[p, loss]] = axes.lines[2].get_xydata()
    assert (p, loss) == (prediction[0], pytest.approx(-np.log(prediction[0])))
    assert axes.get_ylim()[1] > loss
