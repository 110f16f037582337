"""How figures are made and kept: one style, no display, whole files only."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from tfcourse._files import whole_file

WIDTH = 6.4  # inches: a page's text, or half a slide
MUTED = "0.45"  # grey for words that explain
FAINT = "0.78"  # grey for lines and points that stand back


def style() -> Any:
    """Return a context in which matplotlib draws in this package's style."""
    import matplotlib.style

    with as_file(files("tfcourse.figures") / "tfcourse.mplstyle") as sheet:
        return matplotlib.style.context(["default", str(sheet)])


def draw(
    path: Path,
    function: Callable[..., None],
    *arguments: Any,
    width: float = WIDTH,
    height: float = 3.2,
    title: str = "",
    description: str = "",
) -> None:
    """Let `function(figure, *arguments)` draw in this package's style, and write it to `path`.

    width, height: in inches. title, description: for those who hear the figure rather than see
    it; SVG and PNG files hold them. The format is that of path's suffix; the same drawing gives
    the same bytes. No half file is ever seen.
    """
    from matplotlib.figure import Figure

    suffix = path.suffix.lower()
    words = {"Title": title, "Description": description} if title else {}
    metadata = {
        ".svg": {"Date": None},
        ".pdf": {"CreationDate": None, "Title": title or None},
        ".png": words,
    }
    with whole_file(path) as temporary:
        with style():
            figure = Figure(figsize=(width, height))
            function(figure, *arguments)
            figure.savefig(temporary, metadata=metadata.get(suffix))
        if suffix == ".svg" and title:
            temporary.write_text(_speaking(temporary.read_text("utf-8"), words), "utf-8")


def _speaking(svg: str, words: dict[str, str]) -> str:
    """Give an SVG the title and description that a screen reader speaks."""
    start, tag, rest = svg.partition("<svg ")
    attributes, end, drawing = rest.partition(">")
    title, description = (escape(text) for text in words.values())
    # A page may hold several figures: each calls its words by a name of its own.
    name = re.sub(r"\W+", "-", words["Title"]).lower()
    return (
        f'{start}{tag}role="img" aria-labelledby="{name}-title {name}-description" '
        f'{attributes}{end}\n <title id="{name}-title">{title}</title>\n'
        f' <desc id="{name}-description">{description}</desc>{drawing}'
    )
