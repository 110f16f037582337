"""`tfcourse tune`: train many models, keep the best."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfcourse.cli.app import PICTURES, Data, Json, Seed, app, fail, note, print_json, writable
from tfcourse.cli.interruption import stop_if_asked
from tfcourse.hyperparameters import Hyperparameters

if TYPE_CHECKING:
    from tfcourse.tuning.rounds import Progress
    from tfcourse.tuning.study import Study


@app.command(
    epilog="Example:  tfcourse tune --trials 100 --space learning_rate=log:1e-4:1 "
    "--space units=int:50:100 --study my_study"
)
def tune(
    data: Data = "digits",
    space: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=SCALE",
            help="A hyperparameter and its scale, once for each: log:1e-4:1, 1-log:0.9:0.999, "
            "linear:0:0.5, int:50:100, int-log:16:512 or choice:2,3,4. With a condition: "
            "'momentum=1-log:0.9:0.999 if optimizer=momentum'. Default: the lecture's.",
        ),
    ] = None,
    search: Annotated[
        str, typer.Option(help="random, quasi-random, grid or coarse-to-fine.")
    ] = "random",
    trials: Annotated[int, typer.Option(help="Models to train, at most.")] = 30,
    study: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Folder of the study; one that is there goes on."),
    ] = Path("study"),
    rounds: Annotated[int, typer.Option(help="Rounds of coarse-to-fine.")] = 3,
    keep: Annotated[int, typer.Option(help="Best trials that a finer round surrounds.")] = 5,
    epochs: Annotated[int, typer.Option(help="Epochs of a trial.")] = Hyperparameters.epochs,
    halving: Annotated[
        bool,
        typer.Option(
            "--halving",
            help="Stop the worse two thirds of the trials after 1/9 of their epochs, and of those "
            "that are left after 1/3.",
        ),
    ] = False,
    refit: Annotated[
        bool,
        typer.Option(help="Train the best again, on training and validation data together."),
    ] = True,
    build: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE:FUNCTION",
            help="Tune your own models: a function from a dict of hyperparameters to keras.Model.",
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="compiled: many at once; keras: model.fit, one by one.")
    ] = "compiled",
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Train on a Ray cluster: HOST:PORT of its head, or local to start one here.",
        ),
    ] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write all trials.")] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw them: .png, .svg or .pdf.")
    ] = None,
    optuna: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Copy them to an Optuna storage: sqlite:///tune.db."),
    ] = None,
    tensorboard: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write them for TensorBoard's HParams.")
    ] = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Train many models and keep the best: at random, on a grid, or coarse to fine.

    Interrupted or killed, the same command goes on where it was.
    """
    from tfcourse.tuning import Space, Study, export, extras, report
    from tfcourse.tuning.caviar import DEFAULT_SPACE, Plan, carry_out

    started = time.perf_counter()
    for path, suffixes in ((csv, (".csv",)), (plot, PICTURES)):
        if path:
            writable(path, suffixes)
    try:
        for extra, wanted in (("optuna", optuna), ("tensorboard", tensorboard), ("ray", cluster)):
            if wanted is not None:
                extras.require(extra)
        if optuna is not None:
            export.check_storage(optuna)
    except ModuleNotFoundError as error:
        fail(str(error))
    plan = Plan(
        Space.parse(space) if space else DEFAULT_SPACE,
        search=search,
        trials=trials,
        rounds=rounds,
        keep=keep,
        epochs=epochs,
        halving=halving,
        refit=refit,
        seed=seed,
    )
    try:
        # What Ray or a function of the user's own prints meanwhile is not the result.
        with redirect_stdout(sys.stderr), _live(plan.count) as on_progress:
            done = carry_out(
                plan,
                data,
                study=study,
                build=build,
                engine=engine,
                cluster=cluster,
                on_progress=on_progress,
            )
    except KeyboardInterrupt:
        with suppress(FileNotFoundError):  # if nothing was begun
            _print_table(Study.read(study), to_stderr=json)
            note(f"what is finished is kept in {study}: the same command goes on")
        raise typer.Exit(130) from None
    if csv:
        report.to_csv(done, csv)
    if plot:
        from tfcourse.figures import drawing

        height = 2.1 * -(-(len(done.space) + 1) // 3)
        drawing.draw(plot, report.draw, done, height=height)
    if optuna:
        export.to_optuna(done, optuna)
    if tensorboard:
        export.to_tensorboard(done, tensorboard)
    _report(done, json, round(time.perf_counter() - started, 3))


def _report(study: Study, json: bool, seconds: float) -> None:
    from tfcourse.tuning import report

    if study.ended:
        note(study.ended)
    best = study.best
    if best is None:
        _print_table(study, to_stderr=True)
        fail(_why_none(study), 1)
    if json:
        print_json(
            {
                "trials": len(study.trials),
                "best": {
                    "number": best.number,
                    "hyperparameters": best.hyperparameters,
                    "validation_accuracy": best.validation_accuracy,
                    "score": best.score,
                    "metrics": best.metrics,
                },
                "objective": study.objective.name,
                "test_accuracy": best.test_accuracy,
                "seconds": seconds,
                "study": study.folder,
                "model": study.model_path,
                "states": {state: n for state, n in study.count().items() if n},
            }
        )
        return
    _print_table(study)
    chosen = "  ".join(
        f"{name} {study.space[name].show(value)}" for name, value in best.hyperparameters.items()
    )
    print(f"\nbest is trial {best.number}: {chosen}")
    figures = [f"{report.in_words(study.objective.name)} {best.score:.4f}"]
    figures += [f"test {name} {best.test[name]:.4f}" for name in ("accuracy",) if name in best.test]
    print(f"{', '.join(figures)}, {seconds:.1f} s; model in {study.model_path}")


def _why_none(study: Study) -> str:
    """One line: no trial was completed, and the reason that most of them have."""
    reasons = Counter(trial.error or trial.state for trial in study.trials)
    text = f"none of {len(study.trials)} trials was completed"
    if reasons:
        reason, count = reasons.most_common(1)[0]
        text += f"; {count} of them: {reason}"
    return f"{text}; see {study.folder}"


def _print_table(study: Study, *, to_stderr: bool = False) -> None:
    from rich.console import Console

    from tfcourse.tuning import report

    Console(stderr=to_stderr).print(report.table(study))


@contextmanager
def _live(trials: int) -> Iterator[Callable[[Progress], None]]:
    """A line on stderr: trials done, the best so far, time left. Without a terminal, each best."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    console.quiet = not console.is_terminal  # Rich 13 and 14.0 end with an empty line all the same
    first: list[tuple[float, float]] = []  # what was done when, before any of this run's training

    def show(progress: Progress) -> None:
        stop_if_asked()
        now, done = time.perf_counter(), progress.done
        if not first:
            first.append((now, done))
        elapsed, gained = now - first[0][0], done - first[0][1]
        best, left = "", ""
        if progress.best:
            best = f"best {progress.best.score:.4f}, trial {progress.best.number}"
        if gained > 0:
            minutes, seconds = divmod(round((trials - done) * elapsed / gained), 60)
            left = f"{minutes}:{seconds:02} left"
        text = f"{int(done)}/{trials} trials   {best:<24}   {left}"
        if console.is_terminal:
            bar.update(task, completed=done, description=text)
        elif progress.best and best not in told:
            told.add(best)
            note(text.strip())

    told: set[str] = set()
    columns = BarColumn(16), TextColumn("{task.description}")
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"0/{trials} trials", total=trials)
        yield show
