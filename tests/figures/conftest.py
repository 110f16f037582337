"""A figure as it is drawn, with its artists, for tests to look into."""

import pytest


@pytest.fixture(scope="session")
def drawn():
    """Draw a figure by name and return it: `drawn("beta_scale").axes`."""
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
                figure.canvas.draw()
            figures[name] = figure
        return figures[name]

    return draw
