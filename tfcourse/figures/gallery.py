"""The gallery: every figure of the lecture, by name.

A figure is a function `(figure, seed) -> None` of its name, in the module of its part. The first
paragraph of its docstring is the caption, the rest tells what there is to see. Knowing the figures
needs neither matplotlib nor TensorFlow; drawing one needs what it draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from inspect import getdoc
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfcourse import _checks
from tfcourse._files import whole_file
from tfcourse.figures import drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PARTS = ("tuning", "normalization", "classification", "frameworks")
FORMATS = ("png", "svg", "pdf")


@dataclass(frozen=True)
class Entry:
    """A figure of the lecture: its name, the lecture's part, its size in inches.

    trains: whether models are trained for it. module: where its function is, its part's if not
    said.
    """

    name: str
    part: str
    height: float = 3.2
    width: float = drawing.WIDTH
    trains: bool = False
    module: str = ""

    @property
    def function(self) -> Callable[[Figure, int], None]:
        """What draws it."""
        function: Callable[[Figure, int], None] = getattr(
            import_module(f"tfcourse.figures.{self.module or self.part}"), self.name
        )
        return function

    @property
    def title(self) -> str:
        """Its name in words."""
        return self.name.replace("_", " ").capitalize()

    @property
    def caption(self) -> str:
        """What it shows, in a sentence or two."""
        return self._paragraphs[0]

    @property
    def alternative(self) -> str:
        """What there is to see, for those who do not."""
        return " ".join(self._paragraphs[1:])

    @property
    def _paragraphs(self) -> list[str]:
        text = getdoc(self.function) or ""
        return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]


ENTRIES: tuple[Entry, ...] = ()
"""Every figure, in the lecture's order."""


def find(names: Iterable[str] = ()) -> list[Entry]:
    """Return the figures of these names, or all.

    Raises: ValueError for a name that none has, with the nearest.
    """
    by_name = {entry.name: entry for entry in ENTRIES}
    return [by_name[_checks.choice("figure", name, by_name)] for name in names] or list(ENTRIES)


def draw(name: str, path: Path | str, seed: int = 0, **size: Any) -> None:
    """Draw the figure `name` into the file `path`: .png at 200 dpi, .svg or .pdf.

    size: width, height in inches, where it is not to have its own.
    Raises: ValueError for a name that no figure has, OSError if the file cannot be written.
    """
    [entry] = find([name])
    drawing.draw(
        Path(path),
        entry.function,
        seed,
        title=entry.title,
        description=f"{entry.caption} {entry.alternative}",
        **{"width": entry.width, "height": entry.height, **size},
    )


def readme() -> str:
    """Return the page that shows every figure with its caption and its command, in Markdown."""
    lines = ["# The lecture's figures", ""]
    lines += ["Computed when they are drawn; only times are kept. All: `tfcourse figures`.", ""]
    for part in PARTS:
        entries = [entry for entry in ENTRIES if entry.part == part]
        lines += [f"## {part.capitalize()}", ""] if entries else []
        for entry in entries:
            lines += [f"### {entry.title}", "", f"![{entry.alternative}]({entry.name}.png)", ""]
            lines += [entry.caption, "", f"`tfcourse figures {entry.name}`", ""]
    return "\n".join(lines)


def write_readme(path: Path) -> None:
    """Write `readme()` to `path`."""
    with whole_file(path) as temporary:
        temporary.write_text(readme(), "utf-8")
