"""How figures are made and kept: one style, no display, whole files only."""

from __future__ import annotations

import os
import tempfile
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def style() -> Any:
    """Return a context in which matplotlib draws in this package's style."""
    import matplotlib.style

    with as_file(files("tfcourse.figures") / "tfcourse.mplstyle") as sheet:
        return matplotlib.style.context(["default", str(sheet)])


def new_figure(width: float = 6.4, height: float = 3.6) -> Figure:
    """Return an empty figure of this size in inches, in the package's style."""
    from matplotlib.figure import Figure

    with style():
        return Figure(figsize=(width, height))


def save(figure: Figure, path: Path) -> None:
    """Write the figure to `path`, in the format of its suffix; the same figure, the same bytes.

    It is written beside its place and moved there, so that no half file is ever seen.
    """
    suffix = path.suffix.lower()
    handle, temporary = tempfile.mkstemp(suffix=suffix, prefix=".", dir=path.parent)
    os.close(handle)
    undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    try:
        with style():
            figure.savefig(temporary, metadata=undated.get(suffix))
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
