"""A figure as it is drawn, with its artists, for tests to look into."""

import pytest


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
    """Draw a figure by name and return it: `drawn("beta_scale").axes`, and its `words`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from tfcourse.figures import drawing, gallery

    figures = {}

    def draw(name):
        if name not in figures:
            [entry] = gallery.find([name])
            with drawing.style():
                figure = Figure(figsize=(entry.width, entry.height))
                FigureCanvasAgg(figure)
                entry.function(figure, 0)
                figure.words = words(figure)
            figures[name] = figure
        return figures[name]

    return draw
