"""Where values fall on a sigmoid: a verdict that turns, and the figure's histograms."""

import numpy as np
import pytest
from breaking import wrap

from tfcourse import batch_norm
from tfcourse.lecture import ledger
from tfcourse.lecture import sigmoid_region as topic
from tfcourse.softmax import sigmoid

BREAKS = {
    "bn.sigmoid-region": wrap(
        batch_norm, "backward", lambda f: lambda *a: batch_norm.Gradients(f(*a).dz, 0, 0)
    ),
}


@pytest.mark.whole
@pytest.mark.parametrize("id", BREAKS)
def test_it_holds_with_another_seed_and_turns_when_broken(id, verdict, monkeypatch):
    [one] = ledger.find([id])
    assert verdict(id, seed=1) == one.verdict
    BREAKS[id](monkeypatch)
    assert verdict(id) != one.verdict


def test_the_lines_stand_where_the_slope_is_half():
    a = sigmoid(topic.HALF)
    assert a * (1 - a) == pytest.approx(0.125)


def deviation(axes):
    [steps] = axes.patches
    counts, edges, _ = steps.get_data()
    middles = (edges[1:] + edges[:-1]) / 2
    mean = np.average(middles, weights=counts)
    return np.sqrt(np.average((middles - mean) ** 2, weights=counts))


def test_the_distributions_are_normal_and_then_wider(drawn):
    z, z_norm, z_tilde = drawn("batch_norm_distributions").axes
    assert deviation(z_norm) == pytest.approx(1, abs=0.03)
    assert deviation(z_tilde) > 2 * deviation(z_norm)
    for axes in (z, z_norm, z_tilde):
        x, y = axes.lines[0].get_data()
        assert y == pytest.approx(1 / (1 + np.exp(-x)))
