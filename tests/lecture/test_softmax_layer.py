"""The softmax layer: the lecture's numbers, and verdicts that turn when something breaks."""

import numpy as np
import pytest
from breaking import put, wrap

from tfcourse import softmax
from tfcourse.lecture import ledger
from tfcourse.lecture import softmax_layer as topic

unnormalized = wrap(softmax, "softmax", lambda _: lambda z, axis=-1: np.exp(np.minimum(z, 80)))

BREAKS = {
    "softmax.example": unnormalized,
    "softmax.sums-to-one": unnormalized,
    "softmax.takes-a-vector": wrap(softmax, "softmax", lambda _: softmax.sigmoid),
    "softmax.hardmax": wrap(softmax, "hardmax", lambda f: lambda z: f(-z)),
    "softmax.two-classes": wrap(softmax, "softmax", lambda f: lambda z: f(np.log(2) * z)),
    "softmax.erratum.sum-index": put(topic, "layer", lambda f=topic.layer: f((1.0,) * 4)),
}


@pytest.mark.parametrize("id", BREAKS)
def test_it_holds_with_another_seed_and_turns_when_broken(id, verdict, monkeypatch):
    [one] = ledger.find([id])
    assert verdict(id, seed=1) == one.verdict
    BREAKS[id](monkeypatch)
    assert verdict(id) != one.verdict


def test_what_the_lecture_prints():
    [example] = ledger.run(ledger.find(["softmax.example"]))
    assert "[0.842, 0.042, 0.002, 0.114]" in example.evidence.measured
    assert "176.3" in example.evidence.measured


def test_the_figure_shows_the_lectures_numbers(drawn):
    z, t, a, hardmax = drawn("softmax_layer").axes
    widths = [[bar.get_width() for bar in axes.patches] for axes in (z, t, a, hardmax)]
    assert widths[0] == [5, 2, -1, 3]
    assert widths[1] == pytest.approx([148.4, 7.4, 0.4, 20.1], abs=0.05)
    assert widths[2] == pytest.approx([0.842, 0.042, 0.002, 0.114], abs=0.0005)
    assert widths[3] == [1, 0, 0, 0]
    assert {"0.842", "0.042", "0.002", "0.114"} <= {text.get_text() for text in a.texts}
    assert "−1" in [text.get_text() for text in z.texts]


@pytest.mark.parametrize("z", [(0, 0), (1, 2, 3, 4, 5, 6), (-5, -2, -9)])
def test_the_figure_takes_another_z(z):
    columns = topic.softmax_layer(z).axes
    assert [bar.get_width() for bar in columns[0].patches] == [*z]
    expected = np.exp(z) / np.exp(z).sum()
    assert [bar.get_width() for bar in columns[2].patches] == pytest.approx(expected)
