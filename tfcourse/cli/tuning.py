"""`tfcourse tune`: train many models, keep the best."""

from __future__ import annotations

import sys
import time
from collections import Counter
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfcourse._checks import InputError
from tfcourse.cli.app import PICTURES, Data, Json, Seed, app, draw, fail, note, print_json, writable
from tfcourse.cli.interruption import stop_if_asked
from tfcourse.hyperparameters import FINALIST_SEEDS, FINALISTS, Hyperparameters

if TYPE_CHECKING:
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
            help="A hyperparameter and its scale: log:1e-4:1, 1-log:0.9:0.999, linear:0:0.5, "
            "int:50:100, int-log:16:512 or choice:2,3,4. Repeat it for each hyperparameter. With a "
            "condition: 'momentum=1-log:0.9:0.999 if optimizer=momentum'. Default: the lecture's.",
        ),
    ] = None,
    search: Annotated[
        str, typer.Option(help="random, quasi-random, grid, coarse-to-fine or tpe.")
    ] = "random",
    trials: Annotated[int, typer.Option(help="Train at most this many models.")] = 30,
    objective: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What to optimize: val_accuracy, val_loss or any metric of the model; NAME:max or "
            "NAME:min for a metric of your own. Default: val_accuracy if it is measured, else "
            "val_loss.",
        ),
    ] = None,
    study: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Folder of the study; a study that is there is resumed."),
    ] = Path("study"),
    rounds: Annotated[int, typer.Option(help="Rounds of coarse-to-fine.")] = 3,
    keep: Annotated[
        int, typer.Option(help="Best trials around which coarse-to-fine searches next.")
    ] = 5,
    epochs: Annotated[int, typer.Option(help="Epochs per trial.")] = Hyperparameters.epochs,
    halving: Annotated[
        bool,
        typer.Option(
            "--halving",
            help="Stop the worst two thirds of the trials after 1/9 of their epochs, and the worst "
            "two thirds of the rest after 1/3.",
        ),
    ] = False,
    repeats: Annotated[int, typer.Option(help="Train each trial with this many seeds.")] = 1,
    finalists: Annotated[
        int,
        typer.Option(
            help="At the end, compare this many of the best (the finalists) with more seeds."
        ),
    ] = FINALISTS,
    finalist_seeds: Annotated[
        int, typer.Option(help="Train each finalist with this many seeds.")
    ] = FINALIST_SEEDS,
    patience: Annotated[
        int | None, typer.Option(help="End a trial after this many epochs without a better one.")
    ] = None,
    batch_size: Annotated[
        int, typer.Option(help="Examples in a mini-batch, unless the space draws it.")
    ] = Hyperparameters.batch_size,
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column of a CSV file to predict.")
    ] = None,
    image_size: Annotated[
        tuple[int, int] | None,
        typer.Option(metavar="H W", help="Resize the pictures of a folder to this size."),
    ] = None,
    validation_split: Annotated[
        float | None,
        typer.Option(help="Share of the examples to validate on, where none are set apart."),
    ] = None,
    refit: Annotated[
        bool, typer.Option(help="Train the best again on training and validation data together.")
    ] = True,
    build: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE:FUNCTION",
            help="Tune your own model: a function that takes hp, as in KerasTuner, and returns a "
            "keras.Model.",
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="compiled: many models at once; keras: model.fit, one by one.")
    ] = "compiled",
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Train on a Ray cluster: HOST:PORT of its head, or local to start one here.",
        ),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the trials as a table.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the trials: .png, .svg or .pdf.")
    ] = None,
    optuna: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Copy the trials to an Optuna storage: sqlite:///tune.db."
        ),
    ] = None,
    tensorboard: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write the trials for TensorBoard's HParams page."),
    ] = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Train many models and keep the best: at random, on a grid, or coarse to fine.

    If it is interrupted or killed, the same command resumes it.
    """
    from tfcourse.tuning import Space, Study, export, extras, report
    from tfcourse.tuning import tune as tuned

    started = time.perf_counter()
    for path, suffixes in ((csv, (".csv",)), (plot, PICTURES)):
        if path:
            writable(path, suffixes)
    extra_of = {"optuna": optuna or search == "tpe", "tensorboard": tensorboard, "ray": cluster}
    try:
        for extra, wanted in extra_of.items():
            if wanted:
                extras.require(extra)
        if optuna is not None:
            export.check_storage(optuna)
    except ModuleNotFoundError as error:
        raise InputError(str(error)) from error
    try:
        # What Ray or a function of the user's own prints meanwhile is not the result.
        with redirect_stdout(sys.stderr):
            done = tuned(
                build,
                data,
                space=Space.parse(space) if space else None,
                trials=trials,
                epochs=epochs,
                objective=objective,
                seed=seed,
                study=study,
                engine=engine,
                search=search,
                rounds=rounds,
                keep=keep,
                halving=halving,
                repeats=repeats,
                finalists=finalists,
                finalist_seeds=finalist_seeds,
                patience=patience,
                refit=refit,
                batch_size=batch_size,
                validation_split=validation_split,
                target=target,
                image_size=image_size,
                cluster=cluster,
                progress=True,
                on_progress=lambda progress: stop_if_asked(),
            )
    except KeyboardInterrupt:
        with suppress(FileNotFoundError):  # if nothing was begun
            _print_table(Study.read(study), to_stderr=json)
            note(f"what is finished is kept in {study}; the same command resumes it")
        raise typer.Exit(130) from None
    for sentence in done.about.get("notes", ()):
        note(f"{data}: {sentence}")
    if csv:
        report.to_csv(done, csv)
    if plot:
        height = 2.1 * -(-(len(done.space) + 1) // 3)
        draw(plot, "The trials of a study", report.draw, done, height=height)
    if optuna:
        export.to_optuna(done, optuna)
    if tensorboard:
        export.to_tensorboard(done, tensorboard)
    _report(done, json, round(time.perf_counter() - started, 3))


def _report(study: Study, json: bool, seconds: float) -> None:
    from tfcourse.tuning import report
    from tfcourse.tuning.notation import value_text

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
                "test": best.test,
                "refitted": study.refitted == best.number,
                "advice": study.advice(),
                "seconds": seconds,
                "study": study.folder,
                "model": study.model_path,
                "states": {state: n for state, n in study.count().items() if n},
            }
        )
        return
    _print_table(study)
    for sentence in study.advice():
        print(sentence)
    chosen = "  ".join(
        f"{name} {study.space[name].show(value) if name in study.space else value_text(value)}"
        for name, value in best.hyperparameters.items()
    )
    print(f"\nbest is trial {best.number}: {chosen}")
    figures = [f"{report.in_words(study.objective.name)} {best.score:.4f}"]
    measured = [name for name in best.test if "accuracy" in name] or list(best.test)[:1]
    figures += [f"test {report.in_words(name)} {best.test[name]:.4f}" for name in measured]
    print(f"{', '.join(figures)}, {seconds:.1f} s; model in {study.model_path}")
    if study.refitted == best.number:
        again = ", trained again with the validation data, was tested"
        if not best.test:
            again = " was trained again with the validation data"
        print(f"two models: trial {best.number} was validated; the saved one{again}")


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
