"""Normalized inputs: a verdict that turns, and the figure's contours and paths."""

import numpy as np
import pytest
from breaking import put, wrap

from tfcourse.lecture import ledger
from tfcourse.lecture import normalized_inputs as topic
from tfcourse.lecture.ledger import HOLDS

BREAKS = {
    "bn.normalize-inputs": wrap(topic, "sides", lambda f: lambda *a, **k: f(*a, **k)[::-1]),
    "bn.erratum.divide-by-variance": put(topic, "_x", lambda seed: np.array([-1.0, 1.0])),
    "bn.erratum.uncentred-variance": put(topic, "_x", lambda seed: np.array([-1.0, 1.0])),
}


LONG = {"bn.normalize-inputs"}  # below it is turned too, by other inputs


@pytest.mark.parametrize(
    "id", [pytest.param(id, marks=pytest.mark.long if id in LONG else ()) for id in BREAKS]
)
def test_it_holds_with_another_seed_and_turns_when_broken(id, verdict, monkeypatch):
    [one] = ledger.find([id])
    assert verdict(id, seed=1) == one.verdict
    BREAKS[id](monkeypatch)
    assert verdict(id) != one.verdict


def test_without_correlation_anywhere_it_would_hold(verdict, monkeypatch):
    independent = topic.problem
    monkeypatch.setattr(topic, "problem", lambda seed, correlation=0.0, far=0.0: independent(seed))
    monkeypatch.setattr(topic, "digits", independent)
    assert verdict("bn.normalize-inputs") == HOLDS


def test_the_lowest_cost_is_scikit_learns():
    from sklearn.linear_model import LogisticRegression

    bowl, _ = topic.problem(0, 0.9, far=1.0)
    theirs = LogisticRegression(C=np.inf, tol=1e-10).fit(bowl.x, bowl.y)
    assert bowl.best == pytest.approx([*theirs.coef_[0], *theirs.intercept_], abs=1e-4)


def test_normalized_contours_are_rounder_and_the_path_is_shorter(drawn):
    steps, shapes = [], []
    for axes in drawn("normalized_contours").axes:
        path, [goal] = (line.get_xydata() for line in axes.lines)
        assert path[0] == pytest.approx([0, 0])
        assert np.linalg.norm(path[-1] - goal) < 0.15 * np.linalg.norm(goal)
        steps.append(len(path) - 1)
        assert f": {len(path) - 1} steps" in axes.get_title(loc="left")
        inner = axes.collections[0].get_paths()[0].vertices
        lengths = np.sqrt(np.linalg.eigvalsh(np.cov(inner.T)))
        shapes.append(lengths[1] / lengths[0])
    assert steps[0] > 10 * steps[1]
    assert shapes[0] > 3 and shapes[1] < 1.6 and shapes[2] > 2
