"""`tfcourse figures`: draw the lecture's figures."""

from __future__ import annotations

import time
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Any

import typer

from tfcourse._files import write_whole
from tfcourse.cli.app import Json, Seed, app, note, print_json


@app.command(
    epilog="Example:  tfcourse figures grid_vs_random beta_scale --format svg --out slides"
)
def figures(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Figures to draw. Default: all.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to draw into.")] = Path(
        "figures"
    ),
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="png, svg or pdf; repeat it for several. Default: png and svg.",
        ),
    ] = None,
    preset: Annotated[str, typer.Option(help="book: a column; slide: 16:9.")] = "book",
    theme: Annotated[str, typer.Option(help="light or dark.")] = "light",
    language: Annotated[str, typer.Option(help="en or zh.")] = "en",
    transparent: Annotated[
        bool, typer.Option("--transparent", help="Leave the background transparent.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Draw only those that need no training.")
    ] = False,
    readme: Annotated[
        bool, typer.Option("--readme", help="Also write README.md, a page that shows all figures.")
    ] = False,
    listing: Annotated[
        bool, typer.Option("--list", help="Print names and captions; draw nothing.")
    ] = False,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Run the experiments behind the lecture's figures, and draw them."""
    from tfcourse import _checks
    from tfcourse.lecture import gallery
    from tfcourse.lecture.style import Style

    suffixes = [
        _checks.choice("--format", form, gallery.FORMATS) for form in formats or ["png", "svg"]
    ]
    entries = [entry for entry in gallery.find(names or []) if not (quick and entry.trains)]
    Style(preset, theme, language)  # which says what is wrong with them before anything is written
    rows: list[dict[str, Any]] = []
    for entry in entries:
        caption, alternative = entry.text(language)
        about = {"name": entry.name, "part": entry.part, "caption": caption}
        rows.append({**about, "alternative": alternative})
    if listing:
        if json:
            print_json({"figures": rows})
        else:
            _print_list(rows)
        return
    out.mkdir(parents=True, exist_ok=True)
    begin = time.perf_counter()
    for number, (entry, row) in enumerate(zip(entries, rows, strict=True), start=1):
        start = time.perf_counter()
        row["files"] = [out / f"{entry.name}.{suffix}" for suffix in suffixes]
        for path in row["files"]:
            gallery.draw(
                entry.name,
                path,
                seed,
                preset=preset,
                theme=theme,
                language=language,
                transparent=transparent,
            )
        row["seconds"] = round(time.perf_counter() - start, 2)
        note(f"{number:>2}/{len(entries)}  {entry.name:<26} {row['seconds']:6.1f} s")
    if readme:
        write_whole(out / "README.md", gallery.readme().encode())
    if json:
        print_json({"figures": rows})
        return
    count = "1 figure" if len(entries) == 1 else f"{len(entries)} figures"
    print(f"{count} drawn in {out} in {time.perf_counter() - begin:.0f} s")


def _print_list(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")  # Chinese has no spaces to break a line at
    for part, group in groupby(rows, key=itemgetter("part")):
        table.add_row(f"[bold]{part}[/bold]")
        for row in group:
            table.add_row(f"  {row['name']}", row["caption"])
        table.add_row()
    Console().print(table)
