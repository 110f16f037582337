"""Scales: shares, figures that take other ranges, and verdicts that turn when a scale breaks."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from breaking import all_of, put

from tfcourse.lecture import ledger
from tfcourse.lecture import scales as topic
from tfcourse.tuning.scales import Integer, Linear, Log, OneMinusLog


def linear(scale):
    """A logarithmic scale that is linear."""
    return all_of(
        put(scale, "_r", staticmethod(lambda value: value)),
        put(scale, "_value", staticmethod(lambda r: r)),
    )


def numpy(**other):
    return put(topic, "np", SimpleNamespace(**{**vars(np), **other}))


constant = SimpleNamespace(standard_normal=lambda size: np.full(size, -0.5), random=np.zeros)
dull = numpy(random=SimpleNamespace(default_rng=lambda seed: constant))

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
    "tuning.beta-sensitivity": put(topic, "averages", partial(topic.averages, 0.0004)),
    "tuning.erratum.randn": dull,
}


@pytest.mark.parametrize("id", BREAKS)
def test_it_holds_with_another_seed_and_turns_when_broken(
    id, verdict, nothing_remembered, monkeypatch
):
    [one] = ledger.find([id])
    assert verdict(id, seed=1) == one.verdict
    BREAKS[id](monkeypatch)
    assert verdict(id) != one.verdict


def test_what_the_rows_of_errata_say_is_so():
    u = np.random.default_rng(0).random(100_000)
    r = -4 * u
    for printed in (lambda: np.exp(10, r[0]), lambda: 10 ^ r[0]):
        with pytest.raises(TypeError):
            printed()
    assert 10 ^ -4 == -10
    assert float("10e-4") == 1e-3 and np.mean(10**r < 1e-3) == pytest.approx(0.25, abs=0.01)
    assert (10 ** (-3 * u) >= 0.001).all()  # the other way to make range and program agree
    assert pytest.approx(0.001) == 1 - 0.999
    assert np.mean(10 ** (-4 + 3 * u) < 0.001) == pytest.approx(1 / 3, abs=0.01)
    assert r.max() <= 0 and 10.0**4 == 10_000


def test_uniform_picks_shows_every_draw_at_its_number(drawn):
    units, layers = drawn("uniform_picks").axes
    for axes, numbers in ((units, range(50, 101)), (layers, (2, 3, 4))):
        x = np.concatenate([line.get_xdata() for line in axes.lines])
        assert len(x) == 200
        assert set(np.round(x).astype(int)) <= set(numbers)


def heights(figure):
    return [[bar.get_height() for bar in axes.patches] for axes in figure.axes]


def test_learning_rate_scale_shows_a_quarter_per_decade_on_one_axis(drawn):
    figure = drawn("learning_rate_scale")
    uniform, log = heights(figure)
    assert log == pytest.approx([0.25] * 4, abs=0.015)
    assert uniform == pytest.approx([0.0009, 0.009, 0.09, 0.9], abs=0.01)
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim() == (-4, 0)


def test_beta_scale_shows_a_half_either_side_of_0_99(drawn):
    uniform, log = heights(drawn("beta_scale"))
    assert log == pytest.approx([0.5, 0.5], abs=0.02)
    assert uniform == pytest.approx([1 / 11, 10 / 11], abs=0.01)
    assert drawn("beta_scale").axes[0].get_xlim() == (-1, -3)
    labels = [label.get_text() for label in drawn("beta_scale").axes[1].get_xticklabels()]
    assert labels == ["0.999", "0.99", "0.9"]


def test_they_take_other_ranges():
    assert heights(topic.learning_rate_scale(1e-3, 0.1))[1] == pytest.approx([0.5] * 2, abs=0.02)
    log = heights(topic.beta_scale(0.5, 0.9999))[1]
    assert len(log) == 4 and sum(log) == pytest.approx(1)


def test_beta_sensitivity_marks_the_lectures_steps(drawn):
    curve, weight = drawn("beta_sensitivity").axes
    steps = [line.get_xydata() for line in curve.lines[1:3]]
    assert np.concatenate(steps) == pytest.approx(
        np.array([[0.9, 10], [0.9005, 10.0503], [0.999, 1000], [0.9995, 2000]]), rel=1e-4
    )
    x, y = curve.lines[0].get_data()
    assert y == pytest.approx(1 / (1 - x))
    assert weight.lines[4].get_xdata() == pytest.approx([10, 10, 1000, 2000], rel=0.06)
    with pytest.raises(ValueError, match="step must be"):
        topic.beta_sensitivity(0.001)
