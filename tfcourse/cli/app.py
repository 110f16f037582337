"""What all commands share: the application, its exit statuses, and how it prints.

Results go to stdout; progress, notes and errors go to stderr. Rooms are imported inside the
commands, so that help and usage errors need no TensorFlow.
"""

from __future__ import annotations

import importlib
import inspect
import json
import math
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.exceptions import TyperException

from tfcourse import _checks, _terminal
from tfcourse._checks import InputError
from tfcourse.cli import interruption

if TYPE_CHECKING:
    from matplotlib.figure import Figure

app = typer.Typer(
    name="tfcourse",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Run what the lecture on hyperparameter tuning, batch normalization and programming "
    "frameworks teaches.",
    epilog="Start with:  tfcourse demo",
    rich_markup_mode="rich",
)

Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
Seed = Annotated[
    int,
    typer.Option(
        help="Seed of all random numbers: the same seed repeats the run.",
        callback=lambda value: _checks.integer("seed", value, at_least=0),
    ),
]
Data = Annotated[
    str, typer.Option(metavar="NAME|PATH", help="Data set; tfcourse datasets lists what it can be.")
]

PICTURES = (".png", ".svg", ".pdf")
"""What a drawing may be written as."""

FAULT = (
    "this is a fault of tfcourse, not yours: please report the command, the lines above, "
    "and what tfcourse --version and python --version print"
)


def main() -> NoReturn:
    """Run the command line.

    Exit status 0 if done, 1 if the work failed, 2 for wrong input, 70 for a fault of ours, with its
    traceback, 130 after Ctrl-C. With TFCOURSE_TRACEBACK set, wrong input has a traceback too.
    """
    wanted = os.environ.get("TFCOURSE_TRACEBACK")
    _terminal.prepare()
    with interruption.heeded() as pressed:
        try:
            status = app(standalone_mode=False)
        except BaseException as error:
            if pressed() or isinstance(error, KeyboardInterrupt):
                status = 130
            elif isinstance(error, TyperException):
                fail(_worded(error), error.exit_code)
            elif isinstance(error, InputError | OSError) and not wanted:
                fail(str(error) or type(error).__name__)
            elif isinstance(error, Exception) and not wanted:
                traceback.print_exception(error)
                fail(FAULT, 70)
            else:
                raise
    if status == 130:
        note("interrupted")
    sys.exit(status if isinstance(status, int) else 0)


def fail(message: str, status: int = 2) -> NoReturn:
    """Say in one line on stderr what is wrong, and exit."""
    if message:  # none if help was printed for want of a command
        note("tfcourse: " + " ".join(message.split()))
    sys.exit(status)


EXPECTED = {"int": "a whole number", "float": "a number", "bool": "true or false"}


def _worded(error: TyperException) -> str:
    """What the command line's library found wrong, with what is expected and the value seen."""
    message, details = error.format_message(), getattr(error.__cause__, "errors", None)
    if not details:
        return message
    wrong = details()[0]
    expected = EXPECTED.get(wrong["type"].partition("_")[0], "another kind of value")
    return f"{message.partition(': ')[0]}: expected {expected}, got {wrong['input']!r}"


def note(text: str) -> None:
    """Print a line on stderr; a place to stop at, if Ctrl-C was pressed."""
    print(f"{text}\n", end="", file=sys.stderr, flush=True)  # in one piece
    interruption.stop_if_asked()


def room(name: str) -> Any:
    """Import a room that needs TensorFlow; on a terminal, say so while it loads."""
    text, show = "Loading TensorFlow …", sys.stderr.isatty() and "tensorflow" not in sys.modules
    if show:
        print(text, end="", file=sys.stderr, flush=True)
    try:
        return importlib.import_module(f"tfcourse.{name}")
    finally:
        if show:  # with spaces: consoles of Windows may not know a terminal's codes
            print(f"\r{' ' * (len(text) + 2)}\r", end="", file=sys.stderr, flush=True)


def print_json(result: dict[str, Any]) -> None:
    r"""Print `result` as JSON; numbers that JSON lacks (NaN, infinity) become null.

    What stdout's encoding lacks is written in JSON's own way, as \u03b1: a reader finds it whole.
    """
    plain = _plain(result)
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(plain, allow_nan=False)
    print(text)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def writable(path: Path, suffixes: tuple[str, ...]) -> Path:
    """Return `path` if a file can be written there, before any work is done for it.

    Raises: ValueError for another suffix, OSError if the folder is missing or not writable.
    """
    if path.suffix.lower() not in suffixes:
        raise InputError(f"{path} must end in {' or '.join(suffixes)}, got {path.suffix!r}")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; a file to write is expected")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} of {path.name} does not exist")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"the folder {path.parent} of {path.name} is not writable")
    return path


def draw(
    path: Path, title: str, function: Callable[..., None], *arguments: Any, height: float = 3.2
) -> None:
    """Let `function(figure, *arguments)` draw as the lecture's figures look, and write `path`.

    height: in inches. title: for a screen reader, as the function's docstring is.
    """
    from tfcourse.lecture import gallery
    from tfcourse.lecture.style import BOOK

    def make() -> Figure:
        page = BOOK.page(height)
        function(page, *arguments)
        return page

    gallery.save(make, path, title=title, description=inspect.getdoc(function) or title)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        print(installed("tfcourse"))
        raise typer.Exit
