"""What the figures of part 2 show, read off their artists."""

import numpy as np
import pytest


def words(axes):
    return [text.get_text() for text in axes.texts]


def test_the_noise_line_falls_with_the_root_of_m(drawn):
    [axes] = drawn("batch_norm_noise").axes
    line, *points = (line.get_xydata() for line in axes.lines)
    at = np.concatenate(points)
    assert at[:, 0].tolist() == [16, 32, 64, 128, 256, 512, 1024]
    assert np.polyfit(*np.log(at).T, 1)[0] == pytest.approx(-0.5, abs=0.02)
    assert np.diff(np.log(line), axis=0)[0] @ [1, 2] == pytest.approx(0), "slope −1/2"
    assert axes.get_xscale() == axes.get_yscale() == "log"


@pytest.mark.long
def test_covariate_shift_marks_where_it_was_trained_and_where_tried(drawn):
    [axes] = drawn("covariate_shift").axes
    classes = [line.get_xydata() for line in axes.lines[:4]]
    here, there = np.concatenate(classes[:2]), np.concatenate(classes[2:])
    assert len(here) == len(there) == 400
    assert here[:, 0].max() <= 0 <= there[:, 0].min()
    shares = [float(word.partition(": ")[2].partition("%")[0]) for word in words(axes)[-2:]]
    assert shares[0] > 95 > 90 > shares[1]


def test_hidden_units_shift_without_batch_norm_and_not_with_it(drawn):
    axes = drawn("hidden_shift").axes
    moved = [np.ptp(panel.lines[0].get_ydata()) for panel in axes]
    assert min(moved[0], moved[2]) > 10 * max(moved[1], moved[3])
    assert all(len(panel.lines[0].get_ydata()) == 151 for panel in axes)


def test_the_average_is_that_of_the_points_and_near_the_whole_sets(drawn):
    [axes] = drawn("test_time_average").axes
    points, whole, average = (line.get_ydata() for line in axes.lines)
    v, expected = 0.0, []
    for mu in points:
        v = 0.9 * v + 0.1 * mu
        expected.append(v)
    assert average == pytest.approx(expected)
    late = slice(50, None)
    assert np.abs(average - whole)[late].mean() < 0.5 * np.abs(points - whole)[late].mean()
