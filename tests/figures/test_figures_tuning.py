"""What the figures of part 1 show, read off their artists."""

import numpy as np
import pytest


def test_uniform_picks_shows_every_draw_at_its_number(drawn):
    units, layers = drawn("uniform_picks").axes
    for axes, numbers in ((units, range(50, 101)), (layers, (2, 3, 4))):
        x = np.concatenate([line.get_xdata() for line in axes.lines])
        assert len(x) == 200
        assert set(np.round(x).astype(int)) <= set(numbers)


def test_learning_rate_scale_shows_a_quarter_per_decade(drawn):
    figure = drawn("learning_rate_scale")
    uniform, log = ([bar.get_height() for bar in axes.patches] for axes in figure.axes[2:])
    assert log == pytest.approx([0.25] * 4, abs=0.015)
    assert uniform == pytest.approx([0.0009, 0.009, 0.09, 0.9], abs=0.01)
    assert figure.axes[0].get_xscale() == "linear" and figure.axes[1].get_xscale() == "log"


def test_beta_scale_shows_a_half_either_side_of_0_99(drawn):
    figure = drawn("beta_scale")
    uniform, log = ([bar.get_height() for bar in axes.patches] for axes in figure.axes[2:])
    assert log == pytest.approx([0.5, 0.5], abs=0.02)
    assert uniform == pytest.approx([10 / 11, 1 / 11], abs=0.01)
    line = figure.axes[1]
    left, middle, right = line.transData.transform([(b, 0) for b in (0.9, 0.99, 0.999)])[:, 0]
    assert middle - left == pytest.approx(right - middle)


def test_beta_sensitivity_marks_the_lectures_steps(drawn):
    curve, weight = drawn("beta_sensitivity").axes
    steps = [line.get_xydata() for line in curve.lines[1:3]]
    assert np.concatenate(steps) == pytest.approx(
        np.array([[0.9, 10], [0.9005, 10.0503], [0.999, 1000], [0.9995, 2000]]), rel=1e-4
    )
    x, y = curve.lines[0].get_data()
    assert y == pytest.approx(1 / (1 - x))
    marks = weight.lines[4].get_xdata()
    assert marks == pytest.approx([10, 10, 1000, 2000], rel=0.06)
