"""How a figure looks: its preset, theme and language; and what each colour means."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

from tfcourse import _checks

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Figure
else:
    Figure = Any  # a topic names it in signatures, and must not load matplotlib for that

PRESETS = ("book", "slide")
THEMES = ("light", "dark")
LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class Colors:
    """One meaning each, in every figure; all can be read as words on `paper`.

    baseline: what is usual, or there before. recommended: what the lecture recommends. failure:
    what goes wrong. neutral: what is neither. ink, muted, faint: for words and axes, words that
    explain, and lines that stand back. classes: of a classifier, told apart by shape too.
    """

    paper: str
    ink: str
    muted: str
    faint: str
    baseline: str
    recommended: str
    failure: str
    neutral: str
    classes: tuple[str, ...]


# Apart in every common form of colour blindness, and by their lightness in grey.
COLORS = {  # in the order of `Colors`: paper, ink, muted, faint; the four meanings; classes
    "light": Colors(
        *("#FFFFFF", "#333333", "#6B6B6B", "#C7C7C7"),
        *("#7A4A00", "#003B73", "#C93A52", "#141414"),
        ("#004C8C", "#C8453F", "#E0A526", "#222222", "#B07CC6", "#9ADBC4"),
    ),
    "dark": Colors(
        *("#15181C", "#E6E6E6", "#A8ADB3", "#4A5058"),
        *("#F2D469", "#6FB7F2", "#EE6450", "#F4F4F4"),
        ("#6FB7F2", "#EE6450", "#F2D469", "#F4F4F4", "#4D4DB2", "#178282"),
    ),
}
MUTED = ("axes.edgecolor", "xtick.color", "ytick.color")
INK = ("text.color", "axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor")
GROUND = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")


@dataclass(frozen=True)
class Style:
    """A way to draw.

    preset: "book" is a column 6.4 inches wide with letters of 11 points, "slide" is 16:9, 13.33
    inches wide, with letters of 20. theme: "light" or "dark". language: "en" or "zh". width,
    height, in inches, and points, the size of letters: where they are not to be the preset's.
    transparent: without a ground.
    Raises: ValueError for another preset, theme or language, or a size that is none.
    """

    preset: str = "book"
    theme: str = "light"
    language: str = "en"
    width: float | None = None
    height: float | None = None
    transparent: bool = False
    points: float | None = None

    def __post_init__(self) -> None:
        _checks.choice("preset", self.preset, PRESETS)
        _checks.choice("theme", self.theme, THEMES)
        _checks.choice("language", self.language, LANGUAGES)
        for name in ("width", "height", "points"):
            if getattr(self, name) is not None:
                _checks.number(name, getattr(self, name), above=0, at_most=100)

    @property
    def slide(self) -> bool:
        """Whether it is for a slide, which is wide."""
        return self.preset == "slide"

    @property
    def scale(self) -> float:
        """What sizes in points are multiplied by, 1 in a book."""
        return (self.points or (20 if self.slide else 11)) / 11

    @property
    def colors(self) -> Colors:
        """The theme's colours."""
        return COLORS[self.theme]

    def say(self, en: str, zh: str) -> str:
        """Return the words in this style's language; both stand side by side."""
        return zh if self.language == "zh" else en

    def page(self, height: float) -> Figure:
        """Return an empty figure; `height` in inches is a book's, a slide has its own."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        style = self

        class Page(Figure):
            """Looks the same whoever draws it: mathematics asks for its type only then."""

            def draw(self, renderer: Any) -> None:
                with style.context():
                    super().draw(renderer)

        usual = (13.33, 7.5) if self.slide else (6.4, height)
        figure = Page(figsize=(self.width or usual[0], self.height or usual[1]))
        FigureCanvasAgg(figure)
        return figure

    def context(self) -> Any:
        """Return a context in which matplotlib draws in this style."""
        import matplotlib.style
        from cycler import cycler

        book, c = _book(), self.colors
        ground = "none" if self.transparent else c.paper
        points = {k: v * self.scale for k, v in book.items() if type(v) is float}
        colors: dict[str, Any] = dict.fromkeys(MUTED, c.muted)
        colors |= dict.fromkeys(INK, c.ink)
        colors |= dict.fromkeys(GROUND, ground)
        colors |= {"axes.prop_cycle": cycler("color", c.classes)}
        colors |= {"savefig.dpi": 144 if self.slide else 200}
        return matplotlib.style.context(["default", book, points | colors])


@cache
def _book() -> Any:
    """The style of a book; and matplotlib is told of the type that it is set in."""
    import matplotlib
    from matplotlib.font_manager import fontManager

    with as_file(files("tfcourse.lecture") / "fonts") as folder:
        for font in sorted(folder.glob("*.ttf")):
            fontManager.addfont(font)
    with as_file(files("tfcourse.lecture") / "book.mplstyle") as sheet:
        return matplotlib.rc_params_from_file(sheet, use_default_template=False)


def illegible(figure: Figure) -> str:
    """Return which words leave the paper or overlap others as the figure is drawn, or nothing."""
    import warnings

    from matplotlib.transforms import Affine2D, Bbox

    renderer: Any = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    draw_text, size, boxes = renderer.draw_text, renderer.get_text_width_height_descent, []

    def noted(gc: Any, x: float, y: float, s: str, prop: Any, angle: float, **rest: Any) -> None:
        draw_text(gc, x, y, s, prop, angle, **rest)
        (w, h, d), (_, *line) = size(s, prop, rest.get("ismath", False)), size("lp", prop, False)
        h, d = max(h, line[0]), max(d, line[1])
        to_place = Affine2D().rotate_deg(angle).translate(x, figure.bbox.height - y)
        boxes.append((s, to_place.transform_bbox(Bbox([[0, -d], [w, h - d]]))))

    renderer.draw_text = noted
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        figure.draw(renderer)
    del renderer.draw_text
    if any("layout" in str(one.message) for one in told):  # beside the words nothing is left
        return "its axes have no room"
    paper = figure.bbox.padded(1)
    for n, (words, box) in enumerate(boxes):
        if not (paper.contains(box.xmin, box.ymin) and paper.contains(box.xmax, box.ymax)):
            return f"{words!r} leaves the paper"
        for others, other in boxes[:n]:
            common = Bbox.intersection(box, other)  # a box is a little larger than the ink in it
            if common and common.width >= 2 and common.height >= 4:
                return f"{words!r} overlaps {others!r}"
    return ""


BOOK = Style()
"""As the committed figures are drawn: for a book, light, in English."""
