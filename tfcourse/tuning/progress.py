"""How far a search is, where somebody watches: a line in a terminal, a bar in a notebook."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tfcourse.tuning.rounds import Progress

Show = Callable[[Progress], None]


@contextmanager
def shown(trials: int, wanted: bool | None) -> Iterator[Show]:
    """Yield what shows a search's progress, until its end.

    wanted: without it, only a terminal or a notebook is told. With it, other places get a line on
    stderr for each new best trial.
    """
    notebook = _notebook()
    if wanted is False or (wanted is None and notebook is None and not sys.stdout.isatty()):
        yield lambda progress: None
    elif notebook is not None:
        yield _in_notebook(notebook, trials)
    else:
        with _in_terminal(trials) as show:
            yield show


def _notebook() -> Any:
    """IPython's display module, if this process is a notebook's kernel."""
    if "ipykernel" not in sys.modules:
        return None
    from IPython import display

    return display


def _in_notebook(display: Any, trials: int) -> Show:
    handle = display.display(display.HTML(""), display_id=True)
    text = _Text(trials)

    def show(progress: Progress) -> None:
        bar = f'<progress max="{trials}" value="{progress.done:.2f}"></progress>'
        handle.update(display.HTML(f"{bar} {text.of(progress)}"))

    return show


@contextmanager
def _in_terminal(trials: int) -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    console.quiet = not console.is_terminal  # Rich 13 and 14.0 end with an empty line all the same
    text, told = _Text(trials), set[str]()

    def show(progress: Progress) -> None:
        line = text.of(progress)
        if console.is_terminal:
            bar.update(task, completed=progress.done, description=line)
        elif progress.best and (best := text.best(progress)) not in told:
            told.add(best)
            print(line.strip(), file=sys.stderr)

    columns = BarColumn(16), TextColumn("{task.description}")
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"0/{trials} trials", total=trials)
        yield show


class _Text:
    """Trials done, the best so far, time left. State: what was done when this run began."""

    def __init__(self, trials: int) -> None:
        self._trials = trials
        self._first: tuple[float, float] | None = None

    def best(self, progress: Progress) -> str:
        best = progress.best
        return f"best {best.score:.4f}, trial {best.number}" if best else ""

    def of(self, progress: Progress) -> str:
        now, done, left = time.perf_counter(), progress.done, progress.doing
        self._first = self._first or (now, done)
        gained = done - self._first[1]
        if gained > 0 and not left:
            seconds = round((self._trials - done) * (now - self._first[0]) / gained)
            left = f"{seconds // 60}:{seconds % 60:02} left"
        return f"{int(done)}/{self._trials} trials   {self.best(progress):<24}   {left}"
