"""The palette: told apart by everybody, on a grey print too."""

from itertools import combinations

import numpy as np
import pytest

from tfcourse.figures import drawing

# Machado, Oliveira and Fernandes 2009: what a dichromat sees of linear RGB.
EYES = {
    "all three cones": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


@pytest.fixture(scope="module")
def palette():
    """The colours in linear RGB, (6, 3)."""
    import matplotlib
    from matplotlib.colors import to_rgb

    with drawing.style():
        cycle = matplotlib.rcParams["axes.prop_cycle"].by_key()["color"]
    rgb = np.array([to_rgb(color) for color in cycle])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(linear):
    """CIELAB of linear RGB, (…, 3)."""
    xyz = (
        np.clip(linear, 0, 1)
        @ np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]).T
    )
    t = xyz / [0.9505, 1, 1.089]
    f = np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116)
    return np.stack(
        [
            116 * f[..., 1] - 16,
            500 * (f[..., 0] - f[..., 1]),
            200 * (f[..., 1] - f[..., 2]),
        ],
        axis=-1,
    )


@pytest.mark.parametrize("eye", EYES)
def test_colours_are_far_apart_in_every_eye(palette, eye):
    seen = lab(palette @ np.transpose(EYES[eye]))
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 20


def test_colours_differ_in_lightness(palette):
    lightness = sorted(lab(palette)[:, 0])
    assert min(np.diff(lightness)) > 10


def test_the_first_two_are_dark_enough_for_words_on_white(palette):
    luminance = palette @ [0.2126, 0.7152, 0.0722]
    assert all(1.05 / (luminance[:2] + 0.05) >= 4.5)  # WCAG 2, level AA
