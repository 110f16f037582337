"""The palette: told apart by everybody, on a grey print too."""

from itertools import combinations

import numpy as np
import pytest

from tfcourse.lecture.style import COLORS

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


def linear_rgb(colors):
    """Hexadecimal colours in linear RGB, (n, 3)."""
    from matplotlib.colors import to_rgb

    rgb = np.array([to_rgb(color) for color in colors])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


MEANINGS = ("baseline", "recommended", "failure", "neutral")


@pytest.fixture(params=["light", "dark"])
def theme(request):
    return COLORS[request.param]


@pytest.fixture
def palette(theme):
    """The four colours with a meaning."""
    return linear_rgb([getattr(theme, name) for name in MEANINGS])


def contrast(colors, paper):
    luminance, ground = (rgb @ [0.2126, 0.7152, 0.0722] + 0.05 for rgb in (colors, paper))
    return np.maximum(luminance / ground, ground / luminance)


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
@pytest.mark.parametrize("group", ["meanings", "classes"])
def test_colours_are_far_apart_in_every_eye(theme, palette, eye, group):
    colors = palette if group == "meanings" else linear_rgb(theme.classes)
    seen = lab(colors @ np.transpose(EYES[eye]))
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 20


def test_colours_differ_in_lightness_and_so_on_a_grey_print(theme, palette):
    for colors in (palette, linear_rgb(theme.classes)):
        assert min(np.diff(sorted(lab(colors)[:, 0]))) > 10


def test_colours_with_a_meaning_can_be_read_as_words(theme, palette):
    paper = linear_rgb([theme.paper])
    assert min(contrast(palette, paper)) >= 4.5  # WCAG 2, level AA
    assert min(contrast(linear_rgb([theme.ink, theme.muted]), paper)) >= 4.5
