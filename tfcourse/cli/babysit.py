"""`tfcourse babysit`: one model, day by day."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfcourse.cli.app import PICTURES, Json, app, draw, note, print_json, writable
from tfcourse.cli.classifier import hyperparameters_of
from tfcourse.hyperparameters import OPTIMIZERS

if TYPE_CHECKING:
    from tfcourse.classifier import Epoch
    from tfcourse.tuning.panda import Day

babysit = typer.Typer(no_args_is_help=True)
app.add_typer(babysit, name="babysit", epilog="Example:  tfcourse babysit my_model day")

AsInTrain = typer.Option(help="As in tfcourse train.")
FirstDayOnly = typer.Option(help="As in tfcourse train; on the first day only.")
Rate = Annotated[float | None, AsInTrain]
Count = Annotated[int | None, AsInTrain]


@babysit.callback()
def _folder(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of the model and its diary.")
    ],
) -> None:
    """Babysit one model: train it day by day, change one thing, go back if it does not help."""
    context.obj = folder


@babysit.command(epilog="Example:  tfcourse babysit my_model day --learning-rate 0.003")
def day(
    context: typer.Context,
    learning_rate: Annotated[
        float | None, typer.Option("--learning-rate", "--lr", help="As in tfcourse train.")
    ] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(help=f"{', '.join(OPTIMIZERS)}; a new optimizer's averages start at 0."),
    ] = None,
    momentum: Rate = None,
    beta_1: Annotated[float | None, typer.Option(help="β₁ of Adam.")] = None,
    beta_2: Annotated[float | None, typer.Option(help="β₂ of Adam.")] = None,
    epsilon: Annotated[float | None, typer.Option(help="ε of Adam and RMSprop.")] = None,
    decay: Rate = None,
    dropout: Rate = None,
    batch_norm_momentum: Annotated[
        float | None, typer.Option(help="β of batch norm's moving mean and variance.")
    ] = None,
    batch_size: Count = None,
    epochs: Annotated[
        int | None, typer.Option(help="Epochs of the day. On the first day: 5.")
    ] = None,
    layers: Annotated[int | None, FirstDayOnly] = None,
    units: Annotated[str | None, FirstDayOnly] = None,
    activation: Annotated[str | None, FirstDayOnly] = None,
    batch_norm: Annotated[bool | None, FirstDayOnly] = None,
    batch_norm_position: Annotated[str | None, FirstDayOnly] = None,
    data: Annotated[
        str | None,
        typer.Option(metavar="NAME|PATH", help="Data set, on the first day only. Default: digits."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of all random numbers; on the first day only.")
    ] = None,
    json: Json = False,
) -> None:
    """Train for another day; what you do not change stays as it was."""
    from tfcourse.tuning import panda

    changes = hyperparameters_of(context)
    new = panda.day(context.obj, changes, data=data, seed=seed, on_epoch=_note)
    diary = panda.read(context.obj)
    if json:
        print_json(_plain(new) | {"model": diary.model_path(new.number)})
        return
    if new.diverged:
        print(f"day {new.number} diverged; go back with  tfcourse babysit {context.obj} revert")
        return
    for entry in filter(None, (diary.days.get(new.after), new)):
        accuracy, loss = (
            entry.history[name][-1] for name in ("validation_accuracy", "validation_loss")
        )
        print(f"day {entry.number}: validation accuracy {accuracy:.4f}, loss {loss:.4f}")


def _note(epoch: Epoch) -> None:
    note(
        f"epoch {epoch.number + 1}   loss {epoch.loss:.4f}   "
        f"validation loss {epoch.validation_loss:.4f}   accuracy {epoch.validation_accuracy:.4f}"
    )


def _plain(day: Day) -> dict[str, Any]:
    return {
        "day": day.number,
        "after": day.after,
        "changed": day.changed,
        "hyperparameters": day.settings,
        "first_epoch": day.first_epoch,
        "diverged": day.diverged,
        "history": day.history,
        "seconds": day.seconds,
    }


@babysit.command(epilog="Example:  tfcourse babysit my_model revert 1")
def revert(
    context: typer.Context,
    to: Annotated[
        int | None, typer.Argument(metavar="DAY", help="Default: the day before.")
    ] = None,
    json: Json = False,
) -> None:
    """Go back to the model of an earlier day, with its optimizer's averages."""
    from tfcourse.tuning import panda

    number = panda.revert(context.obj, to)
    if json:
        print_json({"day": number})
    else:
        print(f"back to day {number}" if number else "back to the beginning")


@babysit.command(epilog="Example:  tfcourse babysit my_model show")
def show(
    context: typer.Context,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The curve: .png, .svg or .pdf. Default: DIR/curve.png."),
    ] = None,
    json: Json = False,
) -> None:
    """Print the diary and draw the curves, with what was changed and what was undone."""
    from rich.console import Console

    from tfcourse.tuning import panda, report

    diary = panda.read(context.obj)
    plot = writable(plot or diary.folder / "curve.png", PICTURES)
    draw(plot, "One model, day by day", report.draw_days, diary, height=4)
    if json:
        entries = [{"reverted_to": e} if isinstance(e, int) else _plain(e) for e in diary.entries]
        print_json({"today": diary.today, "entries": entries, "plot": plot})
        return
    Console().print(report.days_table(diary))
    print(f"drawn in {plot}")
