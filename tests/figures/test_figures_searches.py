"""What the figures of searches show, read off their artists; each trains what it draws."""

import pytest

from tfcourse.experiments import babysitting, practice, searches
from tfcourse.figures.searches import TRIALS

pytestmark = pytest.mark.long


def test_hyperparameter_importance_draws_every_index_with_its_interval(drawn):
    found = searches.importance(0, size=TRIALS)
    for axes, which in zip(
        drawn("hyperparameter_importance").axes, ("everywhere", "near_best"), strict=True
    ):
        points = {line.get_gid(): line.get_xdata()[0] for line in axes.lines if line.get_gid()}
        expected = {
            f"{way} {name}": getattr(one, which).interval(name)[0]
            for way, one in found.items()
            for name in getattr(one, which).names
        }
        assert points == pytest.approx(expected)
        assert len(points) == 14
    rows = [
        label.get_text() for label in drawn("hyperparameter_importance").axes[0].get_yticklabels()
    ]
    assert len(rows) == 9 and "learning rate" in rows[0] and "varepsilon" in rows[-1]


def test_panda_goes_on_from_where_it_went_back_to(drawn):
    found = babysitting.diary(0)
    curves = [
        line.get_ydata() for line in drawn("panda").axes[0].lines if len(line.get_ydata()) > 2
    ]
    assert len(curves) == len(found.loss) == 7
    assert found.kept.count(False) == 1
    bad = found.kept.index(False)
    assert curves[bad][-1] > curves[bad][0]
    assert curves[bad + 1][0] == curves[bad][0] == found.loss[bad - 1][-1]


def test_caviar_draws_every_curve_and_marks_the_lowest_error(drawn):
    found = practice.caviar(0)
    [axes] = drawn("caviar").axes
    curves = [line for line in axes.lines if len(line.get_xdata()) == found.accuracy.shape[1]]
    assert len(curves) == 40
    thick = max(curves, key=lambda line: line.get_linewidth())
    assert thick.get_ydata().min() == min(line.get_ydata().min() for line in curves)
    assert any(f"{thick.get_ydata().min():.1%}" in text.get_text() for text in axes.texts)
