"""`tfcourse datasets`: what can be loaded, and from where."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tfcourse._checks import InputError
from tfcourse.cli.app import Json, app, print_json

EACH = 3  # images of a class that are written


@app.command(epilog="Example:  tfcourse datasets --export digits digit-images")
def datasets(
    export: Annotated[
        tuple[str, Path] | None,
        typer.Option(
            metavar="NAME DIR",
            help=f"Write {EACH} test images of each class as PNG files, for tfcourse predict.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List the data sets with a name, and the kinds of path that --data accepts."""
    from tfcourse import datasets

    if export:
        written = _export(*export)
        if json:
            print_json({"images": written})
        else:
            print(f"{len(written)} images in {export[1]}, named by their class")
        return
    named, paths = datasets.available(), datasets.formats()
    if json:
        told = ("name", "examples", "shape", "class_names", "source", "licence", "here")
        sets = [{name: getattr(entry, name) for name in told} for entry in named]
        print_json({"datasets": sets, "paths": [vars(path) for path in paths]})
        return
    from rich.console import Console
    from rich.table import Table

    console = Console()
    plain: dict[str, Any] = {"title_justify": "left", "box": None, "pad_edge": False}
    headings = ("name", "train/validation/test", "shape", "classes", "", "licence")
    table = Table(*headings, title="--data NAME", padding=(0, 1), **plain)
    for entry in named:
        table.add_row(
            entry.name,
            "/".join(map(str, entry.examples)),
            "×".join(map(str, entry.shape)),
            str(entry.classes),
            "here" if entry.here else "downloads",
            entry.licence,
        )
    console.print(table)
    for entry in named:
        console.print(f"[dim]{entry.name}: {entry.source}[/]", highlight=False)
    console.print()
    table = Table("path", "holds", title="--data PATH", padding=(0, 1), **plain)
    for path in paths:
        table.add_row(path.path, path.holds)
    console.print(table)


def _export(name: str, folder: Path) -> list[Path]:
    """Write the first test images of each class, as CLASS-NUMBER.png."""
    import numpy as np
    from PIL import Image

    from tfcourse import datasets

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} must be a new or an empty folder")
    if not folder.parent.is_dir():
        raise FileNotFoundError(f"the folder {folder.parent} of {folder.name} does not exist")
    data = datasets.load(name)
    if len(data.input_shape) < 2 or data.input_shape[2:] not in ((), (1,), (3,)):
        raise InputError(f"{name} must hold images to export, got shape {data.input_shape}")
    folder.mkdir(exist_ok=True)
    written = []
    for label, text in enumerate(data.class_names):
        word = "".join(letter if letter.isalnum() else "-" for letter in text)
        for index in np.flatnonzero(data.y_test == label)[:EACH]:
            pixels = np.round(255 * np.clip(data.x_test[index].squeeze(), 0, 1)).astype(np.uint8)
            written.append(folder / f"{word}-{index}.png")
            Image.fromarray(pixels).save(written[-1])
    return written
