"""dz = ŷ − y: what the figure shows, and verdicts that turn when something breaks."""

import numpy as np
import pytest
from breaking import wrap

from tfcourse import softmax
from tfcourse.lecture import ledger
from tfcourse.lecture import softmax_gradient as topic


def doubled(function):
    def broken(*arguments, **options):
        loss, gradient = function(*arguments, **options)
        return softmax.LossAndGradient(loss, 2 * gradient)

    return broken


BREAKS = {
    "softmax.gradient": wrap(
        softmax, "cross_entropy_from_logits", lambda f: lambda *a, **k: 1.1 * f(*a, **k)
    ),
    "softmax.derivation": wrap(
        softmax, "softmax_jacobian", lambda f: lambda z: f(z) * np.eye(np.shape(z)[-1])
    ),
    "softmax.autodiff": wrap(softmax, "cross_entropy_with_gradient", doubled),
}


@pytest.mark.parametrize("id", BREAKS)
def test_it_holds_with_another_seed_and_turns_when_broken(id, verdict, monkeypatch):
    [one] = ledger.find([id])
    assert verdict(id, seed=1) == one.verdict
    BREAKS[id](monkeypatch)
    assert verdict(id) != one.verdict


def test_the_figure_and_finite_differences_agree(drawn):
    example, error = drawn("softmax_gradient").axes
    assert [bar.get_height() for bar in example.patches] == pytest.approx([0.3, -0.8, 0.1, 0.4])
    differences = example.lines[0].get_ydata()
    assert differences == pytest.approx([0.3, -0.8, 0.1, 0.4], abs=1e-8)
    steps, errors = error.lines[0].get_data()
    assert min(errors) < 1e-9 and steps[np.argmin(errors)] == pytest.approx(1e-5, rel=10)
    falling = np.polyfit(np.log(steps[:8]), np.log(errors[:8]), 1)[0]
    assert falling == pytest.approx(2, abs=0.1), "central differences are of second order"
    titled = error.get_title(loc="left").partition("$")[2].strip("$").replace(r" \cdot 10^{", "e")
    assert float(titled.strip("}")) == pytest.approx(min(errors), rel=0.5)


@pytest.mark.parametrize("prediction", [(0.5, 0.5), (0.7, 0.1, 0.1, 0.05, 0.05)])
def test_the_figure_takes_another_prediction(prediction):
    example = topic.softmax_gradient(prediction, true_class=1).axes[0]
    heights = [bar.get_height() for bar in example.patches]
    assert heights == pytest.approx([prediction[0] - 1, *prediction[1:]])
