"""A study to look at: a table, a file for spreadsheets, a picture.

Only what trials came to is shown, never how long they took: the same study reads the same.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfcourse.tuning.journal import write_whole
from tfcourse.tuning.notation import value_text
from tfcourse.tuning.study import Study, Trial

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from rich.table import Table


def table(study: Study, rows: int = 10) -> Table:
    """Return the best `rows` trials as a rich table, each number as its scale shows it."""
    from rich.table import Table

    ranking = study.ranking
    shown = ranking[:rows]
    told = any(trial.state != "complete" for trial in shown)
    hidden = len(ranking) - len(shown)
    caption = f"and {hidden} more" if hidden else None
    result = Table(caption=caption, caption_justify="left", box=None, pad_edge=False)
    result.add_column("trial", justify="right")
    result.add_column("validation\naccuracy", justify="right")
    for name in study.space:
        result.add_column(name.replace("_", "\n"), justify="right")
    if told:
        result.add_column("state")
    for trial in shown:
        accuracy = trial.validation_accuracy
        values = [
            scale.show(trial.hyperparameters[name]) if name in trial.hyperparameters else "·"
            for name, scale in study.space.items()
        ]
        result.add_row(
            str(trial.number),
            "·" if accuracy is None else f"{accuracy:.4f}",
            *values,
            *([_state(trial)] if told else []),
        )
    return result


def _state(trial: Trial) -> str:
    return f"after {trial.epochs} epochs" if trial.state == "pruned" else trial.state


def to_csv(study: Study, path: Path) -> None:
    """Write every trial by number, with all digits; a cell is empty where there is no value.

    The file is written whole or not at all. Raises: OSError if it cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    figures = ("state", "epochs", "validation_accuracy", "validation_loss", "test_accuracy")
    writer.writerow(["number", *study.space, *figures, "seed", "error"])
    for trial in study.trials:
        drawn = trial.hyperparameters
        chosen = [value_text(drawn[name]) if name in drawn else "" for name in study.space]
        came_to = [getattr(trial, name) for name in figures]
        writer.writerow([trial.number, *chosen, *came_to, trial.seed, trial.error])
    write_whole(path, text.getvalue().encode())


def draw(figure: Figure, study: Study) -> None:
    """Every hyperparameter on its own scale against validation accuracy, and the best so far."""
    trials = [trial for trial in study.trials if trial.validation_accuracy is not None]
    complete = [trial for trial in trials if trial.state == "complete"]
    columns = min(3, len(study.space) + 1)
    grid = figure.subplots(-(-(len(study.space) + 1) // columns), columns, squeeze=False)
    axes: list[Axes] = list(grid.flat)
    floor = _floor(complete or trials)
    for name, on in zip(study.space, axes, strict=False):
        _draw_scale(on, name, study, trials)
    _draw_best(axes[len(study.space)], complete)
    for on in axes[len(study.space) + 1 :]:
        on.remove()
    for on in axes[: len(study.space) + 1]:
        on.set_ylim(floor, 1.0 + (1.0 - floor) * 0.04)
    for row in grid:
        row[0].set_ylabel("validation accuracy")


def _floor(trials: Sequence[Trial]) -> float:
    """Lowest accuracy worth showing: that of the better three quarters, with some room."""
    scores = sorted(trial.validation_accuracy or 0.0 for trial in trials) or [0.0]
    low = scores[len(scores) // 4]
    return max(0.0, low - 0.15 * (1 - low) - 0.01)


def _draw_scale(on: Axes, name: str, study: Study, trials: Sequence[Trial]) -> None:
    scale, best = study.space[name], study.best
    drawn = [trial for trial in trials if name in trial.hyperparameters]
    x = [scale.to_unit(trial.hyperparameters[name]) for trial in drawn]
    y = [trial.validation_accuracy or 0.0 for trial in drawn]
    on.plot(x, y, "o", ms=4, alpha=0.5, mew=0)
    if best and name in best.hyperparameters:
        value = best.hyperparameters[name]
        at = scale.to_unit(value), best.validation_accuracy or 0.0
        on.plot(*at, "o", ms=7, color="C1")
        on.annotate(scale.show(value), at, xytext=(0, 7), textcoords="offset points", ha="center")
    ticks: list[Any] = scale.grid(4)
    on.set_xticks([scale.to_unit(tick) for tick in ticks], [scale.show(tick) for tick in ticks])
    on.set(xlim=(-0.04, 1.04), title=name.replace("_", " "))


def _draw_best(on: Axes, complete: Sequence[Trial]) -> None:
    best = [-math.inf]
    for trial in complete:
        best.append(max(best[-1], trial.validation_accuracy or 0.0))
    numbers = [trial.number for trial in complete]
    on.plot(numbers, [trial.validation_accuracy or 0.0 for trial in complete], "o", ms=4, alpha=0.5)
    on.step(numbers, best[1:], where="post", color="C1")
    on.set(xlabel="trial", title="best so far")
