"""What tests of the lecture share: a figure as it is drawn, a claim run afresh."""

import sys

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
