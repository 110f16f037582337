"""Every figure, redrawn, is the image that is committed."""

from pathlib import Path

import matplotlib
import pytest
from matplotlib.testing.compare import compare_images
from PIL import Image

from tfcourse.figures import drawing, gallery

COMMITTED = Path(__file__).parents[2] / "figures"
TOLERANCE = 1.0  # root mean square over all pixels, of 255; the last test shows what that catches

FIGURES = [
    pytest.param(entry.name, marks=pytest.mark.long if entry.trains else ())
    for entry in gallery.ENTRIES
]


def difference(committed, redrawn):
    """What differs, or nothing."""
    result = compare_images(str(committed), str(redrawn), TOLERANCE, in_decorator=True)
    return result and result["rms"]


@pytest.mark.parametrize("name", FIGURES)
def test_redrawn_it_is_the_committed_image(name, tmp_path):
    committed = COMMITTED / f"{name}.png"
    drawn_with = Image.open(committed).info["Software"]
    if f"version{matplotlib.__version__}," not in drawn_with:
        pytest.skip(f"the committed image is {drawn_with.partition(',')[0]}'s")
    redrawn = tmp_path / f"{name}.png"
    gallery.draw(name, redrawn)
    assert difference(committed, redrawn) is None


def test_every_figure_is_committed_as_png_and_svg_and_shown_by_the_readme():
    names = {entry.name for entry in gallery.ENTRIES}
    for suffix in ("png", "svg"):
        assert {path.stem for path in COMMITTED.glob(f"*.{suffix}")} == names
    assert (COMMITTED / "README.md").read_text("utf-8") == gallery.readme()


def test_the_tolerance_catches_a_moved_line(tmp_path):
    def curve(figure, shift):
        axes = figure.subplots()
        axes.plot([0, 1], [0.5 + shift, 0.6 + shift])
        axes.set(ylim=(0, 1))

    def drawing_of(shift):
        path = tmp_path / f"{shift}.png"
        drawing.draw(path, curve, shift)
        return path

    assert difference(drawing_of(0.0), drawing_of(0.0)) is None
    assert difference(drawing_of(0.0), drawing_of(0.01)) > TOLERANCE
