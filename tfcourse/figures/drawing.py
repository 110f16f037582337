"""How figures are made and kept: one style, no display, whole files only."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any


def style() -> Any:
    """Return a context in which matplotlib draws in this package's style."""
    import matplotlib.style

    with as_file(files("tfcourse.figures") / "tfcourse.mplstyle") as sheet:
        return matplotlib.style.context(["default", str(sheet)])


def draw(
    path: Path,
    function: Callable[..., None],
    *arguments: Any,
    width: float = 6.4,
    height: float = 2.8,
) -> None:
    """Let `function(figure, *arguments)` draw in this package's style, and write it to `path`.

    width, height: in inches. The format is that of path's suffix; the same drawing gives the same
    bytes. The file is written beside its place and moved there, so no half file is ever seen.
    """
    from matplotlib.figure import Figure

    suffix = path.suffix.lower()
    undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{suffix}")
    try:
        with style():
            figure = Figure(figsize=(width, height))
            function(figure, *arguments)
            figure.savefig(temporary, metadata=undated.get(suffix))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
