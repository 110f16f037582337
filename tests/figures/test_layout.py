"""Every figure: words that do not collide, stay on the paper, and can be read."""

from itertools import combinations

import pytest
from matplotlib.text import Text

from tfcourse.figures import gallery

FIGURES = [
    pytest.param(entry.name, marks=pytest.mark.long if entry.trains else ())
    for entry in gallery.ENTRIES
]


def words(figure):
    """The texts that are drawn, with their boxes in pixels; an axis keeps more than it draws."""
    found = {}
    draw = Text.draw

    def note(text, *arguments):
        found[id(text)] = text
        return draw(text, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", note)
        figure.canvas.draw()
    shown = [text for text in found.values() if text.get_visible() and text.get_text().strip()]
    return [(text, text.get_window_extent()) for text in shown]


@pytest.mark.parametrize("name", FIGURES)
def test_words_do_not_overlap_and_stay_on_the_paper(drawn, name):
    figure = drawn(name)
    placed = words(figure)
    assert placed
    paper = figure.bbox
    for text, box in placed:
        inside = paper.x0 - 1 <= box.x0 and box.x1 <= paper.x1 + 1
        inside = inside and paper.y0 - 1 <= box.y0 and box.y1 <= paper.y1 + 1
        assert inside, f"{text.get_text()!r} leaves the paper"
    for (one, box), (other, other_box) in combinations(placed, 2):
        width = min(box.x1, other_box.x1) - max(box.x0, other_box.x0)
        height = min(box.y1, other_box.y1) - max(box.y0, other_box.y0)
        # A box is a little larger than the ink in it.
        assert width < 2 or height < 4, f"{one.get_text()!r} overlaps {other.get_text()!r}"


@pytest.mark.parametrize("name", FIGURES)
def test_letters_are_large_enough(drawn, name):
    for text, _ in words(drawn(name)):
        assert text.get_fontsize() >= 9, text.get_text()
