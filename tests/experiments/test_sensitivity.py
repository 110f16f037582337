"""First-order indices, against functions whose indices are known."""

import numpy as np
import pytest

from tfcourse.experiments import _sensitivity

NAMES = ("a", "b", "c")


def draws(seed, size=4096):
    return np.random.default_rng(seed).random((size, 3))


def ishigami(u):
    """Ishigami and Homma 1990, with a = 7 and b = 0.1."""
    x = np.pi * (2 * u - 1)
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


@pytest.mark.parametrize(
    ("function", "known"),
    [
        (lambda u: u @ [3.0, 2.0, 0.0], [9 / 13, 4 / 13, 0]),
        (ishigami, [0.3139, 0.4424, 0]),
        (lambda u: (u[:, 0] > 0.5) * 1.0 + (u[:, 1] > 0.75), [4 / 7, 3 / 7, 0]),
        (lambda u: (u[:, 0] - 0.5) * (u[:, 1] - 0.5), [0, 0, 0]),
    ],
)
def test_known_indices_lie_near_and_within_the_intervals(function, known):
    u = draws(0)
    found = _sensitivity.indices(NAMES, u, function(u), bins=24)
    assert found.value == pytest.approx(known, abs=0.035)
    for name, index in zip(NAMES, known, strict=True):
        _, low, high = found.interval(name)
        assert low - 0.012 <= index <= high + 0.012  # bins cut a curve into steps


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    hits = 0
    for seed in range(200):
        u = draws(seed, 512)
        y = u @ [3.0, 2.0, 0.0] + np.random.default_rng([seed, 1]).normal(size=512)
        known = (9 - 4) / 12 / (13 / 12 + 1)  # of a less b, noise counted in the spread
        _, low, high = _sensitivity.indices(NAMES, u, y).contrast({"a": 1, "b": -1})
        hits += low <= known <= high
    assert 0.89 <= hits / 200 <= 0.99


def test_an_input_without_effect_gets_nothing_on_average():
    values = []
    for seed in range(50):
        u = draws(seed, 300)
        noise = np.random.default_rng([seed, 1]).normal(size=300)
        values.append(_sensitivity.indices(NAMES, u, noise).value)
    assert np.abs(np.mean(values)) < 0.01


def test_few_values_fall_into_few_bins():
    u = draws(1)
    u[:, 0] = np.floor(3 * u[:, 0]) / 3 + 1 / 6
    y = np.floor(3 * u[:, 0])
    assert _sensitivity.indices(NAMES, u, y).value[0] == pytest.approx(1)
