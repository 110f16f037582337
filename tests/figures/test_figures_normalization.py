"""What the figures of part 2 show, read off their artists."""

import numpy as np
import pytest


def words(axes):
    return [text.get_text() for text in axes.texts]


def test_normalized_contours_are_round_and_the_path_is_short(drawn):
    steps = []
    for axes in drawn("normalized_contours").axes:
        path, goal = (line.get_xydata() for line in axes.lines)
        assert path[0] == pytest.approx([0, 0])
        assert np.linalg.norm(path[-1] - goal) < 0.05 * np.linalg.norm(path[0] - goal)
        steps.append(len(path) - 1)
        assert axes.get_title(loc="left").endswith(f": {len(path) - 1} steps")
    assert steps[0] > 10 * steps[1]
    shapes = []
    for axes in drawn("normalized_contours").axes:
        inner = axes.collections[0].get_paths()[1].vertices
        shapes.append(np.ptp(inner, axis=0).max() / np.ptp(inner, axis=0).min())
    assert shapes[0] > 3 and shapes[1] < 1.2


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
