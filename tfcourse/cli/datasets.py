"""`tfcourse datasets`: what can be loaded, and from where."""

from __future__ import annotations

from typing import Any

from tfcourse.cli.app import Json, app, print_json


@app.command(epilog="Example:  tfcourse datasets --json")
def datasets(json: Json = False) -> None:
    """List the data sets that have a name, and the kinds of path that --data takes."""
    from tfcourse import datasets

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
