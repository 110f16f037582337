"""`tfcourse claims`: what the lecture says, put to the test."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfcourse._checks import InputError
from tfcourse.cli.app import Json, Seed, app, note, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tfcourse.lecture.ledger import Claim, Entry

COLOURS = {
    "holds": "green",
    "not shown": "magenta",
    "refuted": "red",
    "erratum": "yellow",
    "failed": "bold red",
}


@app.command(epilog="Example:  tfcourse claims softmax.example bn.identity")
def claims(
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID",
            help="Claims to run. Default: all. A word lists the claims that contain it.",
        ),
    ] = None,
    part: Annotated[
        str | None,
        typer.Option(help="One part: tuning, normalization, classification or frameworks."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out the claims that need training.")
    ] = False,
    only_list: Annotated[
        bool, typer.Option("--list", help="List the claims with their recorded verdicts; run none.")
    ] = False,
    why: Annotated[
        bool, typer.Option("--why", help="Tell how each claim is tested; run none.")
    ] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the results as the page CLAIMS.md.")
    ] = False,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Test the lecture's claims; exit status 1 if a verdict differs from the recorded one."""
    from tfcourse.lecture import ledger

    if ids and (part or quick):
        raise InputError("ID cannot be combined with --part or --quick: it names the claims to run")
    if markdown and (json or only_list or why):
        raise InputError("--markdown cannot be combined with --json, --list or --why")
    chosen = ledger.matching(ids) if ids else ledger.claims(part)
    chosen = tuple(one for one in chosen if not (quick and one.trains))
    named = {one.id for one in chosen} == set(ids or [one.id for one in chosen])
    if only_list or why or not named:
        if json:
            print_json({"claims": [one.as_json() for one in chosen]})
        elif why:
            _explain(chosen)
        else:
            _list(chosen)
        return
    entries: list[Entry] = []
    try:
        for entry in _run(chosen, seed):
            entries.append(entry)
    except KeyboardInterrupt:
        if entries and not (markdown or json):
            _print(entries)
        raise
    if markdown:
        from tfcourse.lecture import page

        print(page.markdown(entries), end="")
    elif json:
        print_json({"seed": seed, "claims": [entry.as_json() for entry in entries]})
    else:
        _print(entries)
        if ids:
            _explain(chosen)
    changed = [entry for entry in entries if not entry.as_recorded]
    for entry in changed:
        note(
            f"{entry.claim.id}: {entry.evidence.verdict}, "
            f"but this package records {entry.claim.verdict!r}"
        )
    if changed:
        raise typer.Exit(1)


def _list(chosen: Sequence[Claim]) -> None:
    from rich.markup import escape

    table = _table("id and recorded verdict", "statement")
    for one in chosen:
        trains = ", trains" if one.trains else ""
        table.add_row(f"{one.id}\n{_coloured(one.verdict)}{trains}", escape(one.statement))
    _console().print(table)


def _run(chosen: Sequence[Claim], seed: int) -> Iterator[Entry]:
    """Run the claims, with a progress line on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from tfcourse.lecture import ledger

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[id]}"),
    )
    on_terminal = sys.stderr.isatty()
    # Quiet, too: Rich 13 and 14.0 end even a disabled line with an empty one.
    console = Console(stderr=True, quiet=not on_terminal)
    with Progress(*columns, console=console, transient=True, disable=not on_terminal) as progress:
        task = progress.add_task("", total=len(chosen), id=chosen[0].id if chosen else "")
        for number, entry in enumerate(ledger.run(chosen, seed), start=1):
            if not on_terminal:
                note(f"{entry.claim.id}: {entry.evidence.verdict} ({entry.seconds:.1f} s)")
            following = chosen[number].id if number < len(chosen) else ""
            progress.update(task, advance=1, id=following)
            yield entry


def _print(entries: Sequence[Entry]) -> None:
    from rich.markup import escape

    from tfcourse.lecture import page

    console = _console()
    for part in dict.fromkeys(entry.claim.part for entry in entries):
        table = _table("id and verdict", "statement", "found", title=part)
        for entry in entries:
            if entry.claim.part == part:
                found = f"{entry.evidence.plain}\n{entry.evidence.measured}".strip()
                texts = escape(entry.claim.statement), escape(found)
                verdict = _coloured(entry.evidence.verdict)
                table.add_row(f"{entry.claim.id}\n{verdict}", *texts)
        console.print(table)
    seconds = sum(entry.seconds for entry in entries)
    console.print(f"{page.summary(entries)} {seconds:.0f} s")


def _explain(chosen: Sequence[Claim]) -> None:
    from rich.markdown import Markdown

    from tfcourse.lecture import page

    for one in chosen:
        text = f"### {one.id}\n\n*{one.statement}*\n\n{page.explanation(one)}"
        _console().print(Markdown(text))


def _coloured(verdict: str) -> str:
    colour = COLOURS.get(verdict, "cyan")
    return f"[{colour}]{verdict}[/]"


def _console() -> Any:
    from rich.console import Console

    # Into a pipe or a file, as wide as a wide page; on a terminal, as wide as that.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def _table(*headings: str, title: str = "") -> Any:
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 1, 0))
    for heading in headings:
        table.add_column(heading, no_wrap=heading.startswith("id"))
    return table
