"""Straight boundaries: what the figure shows, and a verdict that turns when something breaks."""

import numpy as np
import pytest
from breaking import wrap

from tfcourse.lecture import ledger
from tfcourse.lecture import linear_boundaries as topic

BREAKS = {
    "softmax.linear-boundaries": wrap(
        topic, "problems", lambda f: lambda seed, squares=False: f(seed, squares=True)
    ),
}


@pytest.mark.parametrize("id", BREAKS)
def test_it_holds_with_another_seed_and_turns_when_broken(id, verdict, monkeypatch):
    [one] = ledger.find([id])
    assert verdict(id, seed=1) == one.verdict
    BREAKS[id](monkeypatch)
    assert verdict(id) != one.verdict


def test_trainings_are_counted():
    [entry] = ledger.run(ledger.find(["softmax.linear-boundaries"]))
    assert entry.evidence.trainings == 12


def open_ends(borders):
    """How many borders end inside the square without meeting another there."""
    ends = np.concatenate([border[[0, -1]] for border in borders])
    inside = ends[np.abs(ends).max(axis=1) < 0.99]
    near = np.linalg.norm(inside[:, None] - ends, axis=-1) < 0.02
    return (near.sum(axis=1) < 3).sum()


def test_the_figure_has_six_panels_of_straight_lines(drawn):
    panels = drawn("softmax_boundaries").axes
    for axes, classes in zip(panels, (3, 3, 3, 4, 5, 6), strict=True):
        borders = [line.get_xydata() for line in axes.lines if line.get_marker() == "None"]
        assert len(borders) >= classes
        assert open_ends(borders) == 0
        for border in borders:
            spread = np.linalg.svd(border - border.mean(axis=0), compute_uv=False)
            assert (spread[1:] < 1e-9 * spread[0]).all()


def test_the_figures_panels_are_as_accurate_as_titled(drawn):
    panels = drawn("softmax_boundaries").axes
    for axes, problem, C in zip(panels, topic.problems(0), topic.CLASSES, strict=True):
        shown = [line.get_xydata() for line in axes.lines if line.get_marker() != "None"]
        assert len(shown) == C
        right = [(problem.predict(points) == label).mean() for label, points in enumerate(shown)]
        title = axes.get_title(loc="left")
        assert title.startswith(f"$C = {C}$")
        titled = float(title.partition(", ")[2].partition("%")[0])
        assert titled == pytest.approx(100 * np.mean(right), abs=0.05)


def test_the_figure_takes_other_classes():
    page = topic.softmax_boundaries((2, 5), size=10)
    drawn = [axes.get_title(loc="left")[:7] for axes in page.axes if axes.axison]
    assert drawn == ["$C = 2$", "$C = 5$"]
