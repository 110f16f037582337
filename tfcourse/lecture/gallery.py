"""The gallery: every figure of the lecture, by name.

A figure is a function of its name in the module of its topic:

    @figure(zh="标题一句。（空一行）描述。")
    def beta_scale(low: float = 0.9, *, seed: int = 0, style: Style = BOOK) -> Figure:
        \"\"\"The caption, a sentence or two.

        What there is to see, for those who do not.
        \"\"\"

Knowing the figures needs neither matplotlib nor TensorFlow; drawing one needs what it draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from inspect import cleandoc
from pathlib import Path
from typing import Any, TypeVar

from tfcourse import _checks
from tfcourse._files import whole_file
from tfcourse.lecture.style import BOOK, Figure, Style, illegible
from tfcourse.lecture.svg import finished
from tfcourse.lecture.topics import TOPICS, load, part_of

PARTS = tuple(TOPICS)
FORMATS = ("png", "svg", "pdf")

Drawing = TypeVar("Drawing", bound="Callable[..., Figure]")


@dataclass(frozen=True)
class Entry:
    """A figure of the lecture.

    texts: by language, its caption and, after an empty line, what there is to see. trains: whether
    models are trained for it.
    """

    name: str
    part: str
    function: Callable[..., Figure]
    texts: dict[str, str]
    trains: bool = False

    @property
    def title(self) -> str:
        """Its name in words."""
        return self.name.replace("_", " ").capitalize()

    @property
    def caption(self) -> str:
        """What it shows, in a sentence or two."""
        return self.text()[0]

    @property
    def alternative(self) -> str:
        """What there is to see, for those who do not."""
        return self.text()[1]

    def text(self, language: str = "en") -> tuple[str, str]:
        """Return caption and alternative text."""
        caption, _, rest = cleandoc(self.texts[language]).partition("\n\n")
        glue = "" if language == "zh" else " "
        return glue.join(caption.split("\n")), glue.join(rest.split("\n"))


_registry: dict[str, Entry] = {}


def figure(zh: str, *, trains: bool = False) -> Callable[[Drawing], Drawing]:
    """Register the decorated function as a figure, and have it draw in the style it is given.

    zh: caption and alternative text in Chinese; the docstring holds the English ones.
    """

    def register(function: Drawing) -> Drawing:
        @wraps(function)
        def styled(*arguments: Any, style: Style = BOOK, **named: Any) -> Figure:
            if not isinstance(style, Style):
                such = 'a tfc.figures.Style, such as Style("slide", "dark")'
                raise _checks.InputTypeError(f"style must be {such}, got {style!r}")
            with style.context():
                drawn = function(*arguments, style=style, **named)
                own_size = style.width or style.height or style.points
                if own_size and (wrong := illegible(drawn)):
                    size = "{:g} by {:g} inches".format(*drawn.get_size_inches())
                    at = f"letters of {11 * style.scale:g} points"
                    raise _checks.InputError(f"{name} needs more than {size} for {at}: {wrong}")
                return drawn

        texts = {"en": function.__doc__ or "", "zh": zh}
        name, part = function.__name__, part_of(function.__module__)
        _registry[name] = Entry(name, part, styled, texts, trains)
        return styled  # type: ignore[return-value]

    return register


def figures() -> tuple[Entry, ...]:
    """Return every figure, in the lecture's order."""
    modules = [module.__name__ for module in load()]
    return tuple(sorted(_registry.values(), key=lambda e: modules.index(e.function.__module__)))


def find(names: Iterable[str] = ()) -> list[Entry]:
    """Return the figures of these names, or all.

    Raises: ValueError for a name that none has, with the nearest.
    """
    known = {entry.name: entry for entry in figures()}
    named = [known[_checks.choice("figure", name, known)] for name in names]
    return named or [*known.values()]


def draw(
    name: str,
    out: Path | str,
    seed: int = 0,
    *,
    preset: str = "book",
    theme: str = "light",
    language: str = "en",
    width: float | None = None,
    height: float | None = None,
    transparent: bool = False,
    points: float | None = None,
) -> None:
    """Draw the figure `name` into the file `out`: .png, .svg or .pdf.

    preset and the rest: as `Style` has them.
    Raises: ValueError for a name that no figure has, or for a size that leaves its words no room;
    OSError if the file cannot be written.
    """
    [entry] = find([name])
    style = Style(preset, theme, language, width, height, transparent, points)
    words = {"title": entry.title, "description": " ".join(entry.text(language))}
    save(lambda: entry.function(seed=seed, style=style), Path(out), **words, style=style)


def save(
    make: Callable[[], Figure], out: Path, *, title: str, description: str, style: Style = BOOK
) -> None:
    """Write the figure that `make` returns to `out`, in the format of its suffix.

    title, description: for those who hear the figure rather than see it; SVG and PNG files hold
    them. The same figure gives the same bytes. No half file is ever seen.
    """
    suffix = out.suffix.lower()
    metadata: dict[str, Any] = {
        ".svg": {"Date": None},
        ".pdf": {"CreationDate": None, "Title": title},
        ".png": {"Title": title, "Description": description},
    }
    with whole_file(out) as temporary:
        with style.context():
            make().savefig(temporary, metadata=metadata.get(suffix))
        if suffix == ".svg":
            svg = finished(temporary.read_text("utf-8"), title, description)
            temporary.write_text(svg, "utf-8")


def readme() -> str:
    """Return the page that shows every figure with its caption and its command, in Markdown."""
    lines = ["# The lecture's figures"]
    lines += ["Computed when they are drawn; only times are kept. All: `tfcourse figures`."]
    for part in PARTS:
        lines += [f"## {part.capitalize()}"]
        for entry in figures():
            if entry.part == part:
                lines += [f"### {entry.title}", f"![{entry.alternative}]({entry.name}.png)"]
                lines += [entry.caption, f"`tfcourse figures {entry.name}`"]
    return "\n\n".join(lines) + "\n"
