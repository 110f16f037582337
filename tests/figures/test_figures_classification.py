"""What the figures of part 3 show, read off their artists."""

import numpy as np
import pytest

from tfcourse.experiments import classification


def open_ends(borders):
    """How many borders end inside the square without meeting another there."""
    ends = np.concatenate([border[[0, -1]] for border in borders])
    inside = ends[np.abs(ends).max(axis=1) < 0.99]
    near = np.linalg.norm(inside[:, None] - ends, axis=-1) < 0.02
    return (near.sum(axis=1) < 3).sum()


def test_softmax_boundaries_are_six_panels_of_straight_lines(drawn):
    panels = drawn("softmax_boundaries").axes
    for axes, classes in zip(panels, (3, 3, 3, 4, 5, 6), strict=True):
        borders = [line.get_xydata() for line in axes.lines if line.get_marker() == "None"]
        assert len(borders) >= classes
        assert open_ends(borders) == 0
        for border in borders:
            spread = np.linalg.svd(border - border.mean(axis=0), compute_uv=False)
            assert (spread[1:] < 1e-9 * spread[0]).all()


def test_softmax_boundaries_are_as_accurate_as_titled(drawn):
    panels = drawn("softmax_boundaries").axes
    for axes, problem in zip(panels, classification.boundaries(0), strict=True):
        shown = [line.get_xydata() for line in axes.lines if line.get_marker() != "None"]
        assert len(shown) == problem.classes
        right = [
            ((points @ problem.kernel + problem.bias).argmax(axis=1) == label).mean()
            for label, points in enumerate(shown)
        ]
        title = axes.get_title(loc="left")
        assert title.startswith(f"$C = {problem.classes}$")
        titled = float(title.partition(", ")[2].partition("%")[0])
        assert titled == pytest.approx(100 * np.mean(right), abs=0.05)


def test_cross_entropy_is_minus_the_logarithm_with_the_example_on_it(drawn):
    [axes] = drawn("cross_entropy").axes
    curve, _, example = (line.get_xydata() for line in axes.lines)
    assert curve[:, 1] == pytest.approx(-np.log(curve[:, 0]))
    assert example[0] == pytest.approx([0.2, 1.609], abs=0.0005)
    assert "1.609" in axes.texts[0].get_text()


def test_softmax_gradient_and_finite_differences_agree(drawn):
    example, error = drawn("softmax_gradient").axes
    assert [bar.get_height() for bar in example.patches] == pytest.approx([0.3, -0.8, 0.1, 0.4])
    differences = example.lines[0].get_ydata()
    assert differences == pytest.approx([0.3, -0.8, 0.1, 0.4], abs=1e-8)
    steps, errors = error.lines[0].get_data()
    assert errors.min() < 1e-9 and steps[errors.argmin()] == pytest.approx(1e-5, rel=10)
    falling = np.polyfit(np.log(steps[:8]), np.log(errors[:8]), 1)[0]
    assert falling == pytest.approx(2, abs=0.1), "central differences are of second order"
