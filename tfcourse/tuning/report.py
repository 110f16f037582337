"""A study to look at: a table, a file for spreadsheets, a picture.

Only what trials came to is shown, never how long they took: the same study reads the same.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from html import escape
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfcourse._files import write_whole
from tfcourse.tuning.notation import value_text
from tfcourse.tuning.panda import Diary
from tfcourse.tuning.scales import Choice, Scale
from tfcourse.tuning.trial import Trial, Trials

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from rich.table import Table


def table(study: Trials, rows: int = 10) -> Table:
    """Return the best `rows` trials as a rich table, each number as its scale shows it."""
    from rich.table import Table

    ranking = study.ranking
    shown = ranking[:rows]
    told = any(trial.state != "complete" for trial in shown)
    several = any(trial.spread is not None for trial in shown)
    hidden = len(ranking) - len(shown)
    caption = f"and {hidden} more" if hidden else None
    result = Table(caption=caption, caption_justify="left", box=None, pad_edge=False)
    result.add_column("trial", justify="right")
    result.add_column(in_words(study.objective.name).replace(" ", "\n"), justify="right")
    for name in ("±", "seeds") if several else ():
        result.add_column(name, justify="right")
    for name in _drawn_names(study):
        result.add_column(name.replace("_", "\n"), justify="right")
    if told:
        result.add_column("state")
    for trial in shown:
        number, score, *values = _cells(study, trial)
        over_seeds = _over_seeds(trial) if several else []
        state = [_state(trial)] if told else []
        result.add_row(number, score, *over_seeds, *values, *state)
    return result


def html(study: Trials, rows: int = 10) -> str:
    """Return the best `rows` trials as an HTML table, as `table` shows them."""
    shown = study.ranking[:rows]
    heads = ["trial", in_words(study.objective.name), *_drawn_names(study), "state"]

    def row(cells: Sequence[str], tag: str) -> str:
        return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"

    body = "".join(row([*_cells(study, trial), _state(trial)], "td") for trial in shown)
    hidden = len(study.trials) - len(shown)
    more = f"<p>and {hidden} more</p>" if hidden > 0 else ""
    more += "".join(f"<p>{escape(sentence)}</p>" for sentence in study.advice())
    return f"<table><thead>{row(heads, 'th')}</thead><tbody>{body}</tbody></table>{more}"


def in_words(metric: str) -> str:
    """Return a metric's name as one says it: "validation accuracy" for val_accuracy."""
    return metric.replace("val_", "validation_", 1).replace("_", " ")


def _cells(study: Trials, trial: Trial) -> list[str]:
    """A trial's number, its score, and its hyperparameters as their scales show them."""
    drawn, score = trial.hyperparameters, trial.score
    values = [
        _shown(study, name, drawn[name]) if name in drawn else "·" for name in _drawn_names(study)
    ]
    return [str(trial.number), "·" if score is None else f"{score:.4f}", *values]


def _drawn_names(study: Trials) -> list[str]:
    """Names of hyperparameters: the space's, and then those that models of some trials added."""
    return list(
        dict.fromkeys([*study.space, *(n for t in study.trials for n in t.hyperparameters)])
    )


def _shown(study: Trials, name: str, value: Any) -> str:
    if name in study.space:
        return study.space[name].show(value)
    return value_text(float(f"{value:.3g}") if isinstance(value, float) else value)


def _over_seeds(trial: Trial) -> list[str]:
    spread = "·" if trial.spread is None else f"{trial.spread:.4f}"
    return [spread, str(len(trial.scores) + len(trial.again))]


def _state(trial: Trial) -> str:
    return f"after {trial.epochs} epochs" if trial.state == "pruned" else trial.state


def to_csv(study: Trials, path: Path) -> None:
    """Write every trial by number, with all digits; a cell is empty where there is no value.

    The file is written whole or not at all. Raises: OSError if it cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names, drawn_names = study.metric_names, _drawn_names(study)
    told = "state", "epochs", "score", *names, "test_accuracy", "seed", "error"
    writer.writerow(["number", *drawn_names, *told])
    for trial in study.trials:
        drawn = trial.hyperparameters
        chosen = [value_text(drawn[name]) if name in drawn else "" for name in drawn_names]
        figures = [trial.metrics.get(name) for name in names]
        came_to = [trial.state, trial.epochs, trial.score, *figures, trial.test_accuracy]
        writer.writerow([trial.number, *chosen, *came_to, trial.seed, trial.error])
    write_whole(path, text.getvalue().encode())


def draw(figure: Figure, study: Trials) -> None:
    """Every hyperparameter on its own scale against the objective, and the best so far."""
    trials = [t for t in study.trials if t.state in ("complete", "pruned") and t.scores]
    panels = len(study.space) + 1
    columns = 2 if panels == 4 else min(3, panels)
    grid = figure.subplots(-(-panels // columns), columns, squeeze=False, sharey=True)
    axes: list[Axes] = list(grid.flat)
    for name, on in zip(study.space, axes, strict=False):
        _draw_scale(on, name, study, trials)
    _draw_best(axes[panels - 1], study, trials)
    for on in axes[panels:]:
        on.remove()
    _bound(axes[0], study, list(map(_score, trials)))
    for row in grid:
        row[0].set_ylabel(in_words(study.objective.name))


def _bound(on: Axes, study: Trials, scores: list[float]) -> None:
    """Show the better half and as much below it; of errors over decades, all on a log scale."""
    if study.objective.direction == "max" and all(0 <= score <= 1 for score in scores):
        on.set_ylim(_floor(scores), 1.005)
    elif scores and min(scores) > 0 and max(scores) > 10 * min(scores):
        on.set_yscale("log")


def _floor(scores: Iterable[float]) -> float:
    """Lowest accuracy shown: the median's distance from 1, twice."""
    scores = sorted(scores) or [0.0]
    return max(0.0, 1 - 2 * (1 - scores[len(scores) // 2]))


def _draw_scale(on: Axes, name: str, study: Trials, trials: Sequence[Trial]) -> None:
    scale, best = study.space[name], study.best
    drawn = [trial for trial in trials if name in trial.hyperparameters]
    x = [scale.to_unit(trial.hyperparameters[name]) for trial in drawn]
    on.plot(x, list(map(_score, drawn)), "o", ms=4, alpha=0.5, mew=0)
    if best and name in best.hyperparameters:
        value = best.hyperparameters[name]
        on.plot(scale.to_unit(value), _score(best), "o", color="C1", clip_on=False)
        on.set_title(scale.show(value), loc="right", color="C1")
    ticks, labels = _ticks(scale)
    on.set_xticks(ticks, labels)
    on.set(xlim=(-0.04, 1.04), title=name.replace("_", " "))


def _ticks(scale: Scale) -> tuple[list[float], list[str]]:
    """Positions and labels of the grid on a scale that has the shortest labels, and has room."""

    def grid(n: int) -> tuple[list[float], list[str]]:
        values: list[Any] = scale.grid(n)
        labels = [scale.show(value) for value in values]
        return [scale.to_unit(value) for value in values], [
            label.rstrip("0") if "." in label else label for label in labels
        ]

    if isinstance(scale, Choice):
        return grid(len(scale.options))
    grids = [grid(n) for n in (5, 4, 3)]
    fitting = [found for found in grids if len("".join(found[1])) <= 16] or grids[-1:]
    return min(fitting, key=lambda found: max(map(len, found[1])))


def draw_parallel(figure: Figure, study: Trials) -> None:
    """A line a trial through all hyperparameters to the objective; the best tenth is coloured."""
    names = list(study.space)
    on = figure.subplots()
    scored = [trial for trial in reversed(study.ranking) if trial.score is not None]
    scores = [_score(trial) for trial in scored] or [0.0]
    low, high = min(scores), max(scores)
    best = len(scored) - max(1, len(scored) // 10)
    for place, trial in enumerate(scored):
        having = [name for name in names if name in trial.hyperparameters]
        y = [study.space[name].to_unit(trial.hyperparameters[name]) for name in having]
        x = [names.index(name) for name in having]
        end = (_score(trial) - low) / (high - low) if high > low else 0.5
        color, width = ("C1", 1.4) if place >= best else ("0.8", 0.7)
        on.plot([*x, len(names)], [*y, end], "-", color=color, lw=width, clip_on=False)
    on.set_xticks(range(len(names) + 1), [*names, in_words(study.objective.name)])
    on.set(ylim=(0, 1), yticks=[], xlim=(-0.3, len(names) + 0.3))
    beside: Any = {"xytext": (3, 0), "textcoords": "offset points", "fontsize": 7}
    for place, name in enumerate(names):
        ticks, labels = _ticks(study.space[name])
        on.axvline(place, color="0.5", lw=0.8)
        for tick, label in zip(ticks, labels, strict=True):
            on.annotate(label, (place, tick), **beside)
    on.axvline(len(names), color="0.5", lw=0.8)
    for value, at in ((low, 0), (high, 1)):
        on.annotate(f"{value:.4g}", (len(names), at), **beside)


def _draw_best(on: Axes, study: Trials, trials: Sequence[Trial]) -> None:
    on.plot([t.number for t in trials], list(map(_score, trials)), "o", ms=4, alpha=0.5, mew=0)
    complete = [trial for trial in trials if trial.state == "complete"]
    best = list(accumulate(map(_score, complete), max if study.objective.sign > 0 else min))
    on.step([trial.number for trial in complete], best, where="post", color="C1")
    on.set(xlabel="trial", title="best so far")


def _score(trial: Trial) -> float:
    return trial.score or 0.0


def days_table(diary: Diary) -> Table:
    """Return a run's days and steps back as a rich table; an arrow marks the day that stands."""
    from rich.table import Table

    result = Table(box=None, pad_edge=False)
    for name in ("day", "after", "epochs", "validation\nloss", "validation\naccuracy"):
        result.add_column(name, justify="right")
    result.add_column("changed")
    for entry in diary.entries:
        if isinstance(entry, int):
            result.add_row("", "", "", "", "", f"back to day {entry}")
            continue
        scores = [
            f"{entry.history[name][-1]:.4f}" if entry.history[name] else "·"
            for name in ("validation_loss", "validation_accuracy")
        ]
        changed = ", ".join(f"{name} {value_text(v)}" for name, v in entry.changed.items())
        mark = "→ " if entry.number == diary.today else ""
        epochs = f"{entry.first_epoch + 1}–{entry.last_epoch}"
        told = "diverged; " * entry.diverged + changed
        result.add_row(f"{mark}{entry.number}", str(entry.after or "new"), epochs, *scores, told)
    return result


def draw_days(figure: Figure, diary: Diary) -> None:
    """One model's validation loss and accuracy over the days; changes and steps back marked.

    What was gone back from is grey; a dotted line leads down or up to what was gone back to.
    """
    panels = figure.subplots(2, 1, sharex=True)
    for on, name in zip(panels, ("validation_loss", "validation_accuracy"), strict=True):
        evening: dict[int, float] = {}
        for day in diary.days.values():
            y = day.history[name]
            x = [day.number - 1 + (i + 1) / len(y) for i in range(len(y))]
            if day.after in evening:  # the line goes on from where that day ended
                x, y = [day.number - 1, *x], [evening[day.after], *y]
            kept = day.number in diary.lineage
            on.plot(x, y, color="C0" if kept else "0.7", zorder=2 if kept else 1)
            if day.after != day.number - 1 and {day.after, day.number - 1} <= evening.keys():
                ends = evening[day.number - 1], evening[day.after]
                on.plot([day.number - 1] * 2, ends, ":", color="C1", lw=1.2)
            if y:
                evening[day.number] = y[-1]
        on.set_ylabel(name.replace("_", " "))
    panels[0].set_yscale("log")
    stood = [diary.days[number].history["validation_accuracy"] for number in diary.lineage]
    panels[1].set_ylim(_floor([score for scores in stood for score in scores]), 1.005)
    for day in diary.days.values():
        if day.after and day.changed:
            for on in panels:
                on.axvline(day.number - 1, color="0.85", lw=0.8, zorder=0)
            panels[0].annotate(
                "\n".join(f"{name}\n{value_text(v)}" for name, v in day.changed.items()),
                (day.number - 1, 1),
                xycoords=("data", "axes fraction"),
                xytext=(2, 3),
                textcoords="offset points",
                fontsize=7,
                va="bottom",
            )
    days = range(max(diary.days, default=0) + 1)
    panels[1].set(xlabel="day", xticks=days if len(days) <= 20 else days[:: len(days) // 10])
