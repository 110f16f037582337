"""What tests of the lecture share: a figure as it is drawn, a claim run afresh."""

import sys
from itertools import combinations

import pytest


def forget():
    for name, module in list(sys.modules.items()):
        if name.startswith("tfcourse.lecture."):
            for thing in vars(module).values():
                if hasattr(thing, "cache_clear"):
                    thing.cache_clear()


@pytest.fixture
def nothing_remembered():
    """Run every experiment afresh, and leave nothing of a broken one."""
    forget()
    yield
    forget()


@pytest.fixture
def verdict(nothing_remembered):
    """Run a claim by its id: `verdict("bn.identity")`."""
    from tfcourse.lecture import ledger

    def run(id: str, seed: int = 0) -> str:
        [entry] = ledger.run(ledger.find([id]), seed)
        assert entry.evidence.verdict != ledger.FAILED, entry.evidence.measured
        return entry.evidence.verdict

    return run


def words(figure):
    """Draw, and return the texts that are drawn; an axis keeps more than it draws."""
    from matplotlib.text import Text

    found = {}
    draw = Text.draw

    def note(text, *arguments):
        found[id(text)] = text
        return draw(text, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", note)
        figure.canvas.draw()
    return [text for text in found.values() if text.get_visible() and text.get_text().strip()]


def crowded(figure, texts, gap=0.0):
    """Which of the texts leave the paper, or overlap others.

    gap: share of a line's height, from accents to descenders, that may be common to two lines.
    """
    placed = [(text.get_text(), text.get_window_extent()) for text in texts]
    paper, found = figure.bbox, []
    for text, box in placed:
        inside = paper.x0 - 1 <= box.x0 and box.x1 <= paper.x1 + 1
        inside = inside and paper.y0 - 1 <= box.y0 and box.y1 <= paper.y1 + 1
        found += [] if inside else [f"{text!r} leaves the paper"]
    for (one, box), (other, other_box) in combinations(placed, 2):
        width = min(box.x1, other_box.x1) - max(box.x0, other_box.x0)
        height = min(box.y1, other_box.y1) - max(box.y0, other_box.y0)
        # A box is a little larger than the ink in it.
        common = 4 + gap * min(box.height, other_box.height)
        found += [f"{one!r} overlaps {other!r}"] if width >= 2 and height >= common else []
    return found


@pytest.fixture(scope="session")
def drawn():
    """Draw a figure by name and return it: `drawn("beta_scale").axes`, and its `words`.

    A preset, theme and language may follow the name.
    """
    from tfcourse.lecture import gallery
    from tfcourse.lecture.style import Style

    figures = {}

    def draw(name, *style):
        if (name, *style) not in figures:
            [entry] = gallery.find([name])
            figure = entry.function(seed=0, style=Style(*style))
            with Style(*style).context():
                figure.words = words(figure)
            figures[name, *style] = figure
        return figures[name, *style]

    return draw
