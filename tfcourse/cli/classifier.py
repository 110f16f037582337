"""`tfcourse train`, `evaluate` and `predict`: the softmax classifier."""

from __future__ import annotations

import shutil
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import typer

from tfcourse._checks import InputError
from tfcourse._files import whole_file
from tfcourse.cli.app import PICTURES, Data, Json, Seed, app, draw, note, print_json, room, writable
from tfcourse.hyperparameters import ACTIVATIONS, ENGINES, OPTIMIZERS, Hyperparameters

DEFAULT = Hyperparameters()

Model = Annotated[Path, typer.Argument(metavar="MODEL", help="A model: a .keras file.")]
Confusion = Annotated[
    bool, typer.Option("--confusion", help="Print the confusion matrix of the test set.")
]


def _one_of(names: tuple[str, ...]) -> str:
    return ", ".join(names) + "."


@app.command(epilog="Example:  tfcourse train --layers 3 --units 100 --out digits.keras")
def train(
    context: typer.Context,
    data: Data = "digits",
    layers: Annotated[int, typer.Option(help="Number of hidden layers.")] = DEFAULT.layers,
    units: Annotated[
        str, typer.Option(help="Units of every hidden layer, or one number for each: 100,50.")
    ] = str(DEFAULT.units),
    activation: Annotated[str, typer.Option(help=_one_of(ACTIVATIONS))] = DEFAULT.activation,
    batch_norm: Annotated[bool, typer.Option(help="Batch norm in the hidden layers.")] = True,
    batch_norm_position: Annotated[
        str, typer.Option(help="Batch norm before or after the activation.")
    ] = DEFAULT.batch_norm_position,
    dropout: Annotated[
        float, typer.Option(help="Share of the hidden units that are dropped.")
    ] = DEFAULT.dropout,
    optimizer: Annotated[str, typer.Option(help=_one_of(OPTIMIZERS))] = DEFAULT.optimizer,
    learning_rate: Annotated[
        float,
        typer.Option("--learning-rate", "--lr", help="α₀, the learning rate of the first epoch."),
    ] = DEFAULT.learning_rate,
    momentum: Annotated[float, typer.Option(help="β of momentum and RMSprop.")] = DEFAULT.momentum,
    decay: Annotated[
        float, typer.Option(help="Learning rate decay: α = α₀ / (1 + decay · epoch).")
    ] = DEFAULT.decay,
    batch_size: Annotated[int, typer.Option(help="Examples in a mini-batch.")] = DEFAULT.batch_size,
    epochs: Annotated[int, typer.Option(help="Passes over the training set.")] = DEFAULT.epochs,
    recalibrate: Annotated[
        bool,
        typer.Option(
            "--recalibrate",
            help="At the end, compute batch norm's mean and variance on the whole training set.",
        ),
    ] = False,
    confusion: Confusion = False,
    engine: Annotated[
        str, typer.Option(help="compiled: one compiled program; keras: model.fit.")
    ] = "compiled",
    out: Annotated[
        Path | None,
        typer.Option(metavar="MODEL.keras", help="Where to save it. Default: the data set's name."),
    ] = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Train the softmax classifier with batch norm, and save the best epoch's model."""
    from tfcourse import _checks, datasets

    chosen = Hyperparameters.from_mapping(hyperparameters_of(context))
    _checks.choice("engine", engine, ENGINES)
    if out:
        writable(out, (".keras",))
    dataset = datasets.load(data)
    out = out or writable(Path(dataset.name).with_suffix(".keras"), (".keras",))
    for sentence in dataset.notes:
        note(f"note: {sentence}")
    classifier = room("classifier")
    note(
        f"{dataset.name}: {len(dataset.x_train)} training, {len(dataset.x_validation)} validation, "
        f"{len(dataset.x_test)} test examples, {dataset.classes} classes"
    )
    training = classifier.train(
        dataset, chosen, seed=seed, engine=engine, on_epoch=_note_epoch(epochs)
    )
    model = training.model
    if recalibrate:
        classifier.recalibrate(model, dataset.x_train)
    validation = classifier.evaluate(model, dataset.x_validation, dataset.y_validation)
    test = classifier.evaluate(model, dataset.x_test, dataset.y_test)
    saved = room("saving")
    former = None
    if out.exists():  # a worse model must not take a better one's place
        names = (out.with_name(f"{out.stem}.before-{n}{out.suffix}") for n in count(1))
        former = next(path for path in names if not path.exists())
        with whole_file(former) as draft:
            shutil.copyfile(out, draft)
        note(f"note: the model that was in {out} is kept in {former}")
    try:
        saved.save(model, out, saved.Card.of(dataset, data, chosen, seed))
    except BaseException:  # the one that was there still is
        if former:
            former.unlink(missing_ok=True)
        raise
    figures = _figures(test, dataset, confusion, json)
    if json:
        print_json(
            {
                **figures,
                "validation_accuracy": validation.accuracy,
                "model": out,
                "parameters": model.count_params(),
                "seconds": round(training.seconds, 3),
                "best_epoch": training.best.number + 1,
                "history": [vars(epoch) for epoch in training.history],
            }
        )
        return
    print(
        f"test accuracy {test.accuracy:.4f}, validation accuracy {validation.accuracy:.4f}, "
        f"from epoch {training.best.number + 1} of {epochs}, {training.seconds:.1f} s"
    )
    print(f"saved in {out}")


def hyperparameters_of(context: typer.Context) -> dict[str, Any]:
    """The hyperparameters among the options of a command, those that were left out apart."""
    names = Hyperparameters.__dataclass_fields__
    chosen = {name: value for name, value in context.params.items() if name in names}
    if chosen["units"] is not None:
        chosen["units"] = _units(chosen["units"])
    return {name: value for name, value in chosen.items() if value is not None}


def _units(text: str) -> int | tuple[int, ...]:
    """Read the units of every hidden layer, such as 100, or of each, such as 100,50."""
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(
            f"units must be a whole number, or one per layer as in 100,50, got {text!r}"
        ) from None
    return numbers[0] if len(numbers) == 1 else numbers


def _note_epoch(epochs: int) -> Any:
    width = len(str(epochs))

    def show(epoch: Any) -> None:
        note(
            f"epoch {epoch.number + 1:>{width}}/{epochs}   loss {epoch.loss:.4f}   "
            f"accuracy {epoch.accuracy:.4f}   validation loss {epoch.validation_loss:.4f}   "
            f"accuracy {epoch.validation_accuracy:.4f}"
        )

    return show


def _figures(test: Any, dataset: Any, confusion: bool, json: bool) -> dict[str, Any]:
    """What a test came to, for JSON; the confusion matrix, if wanted, is printed as well."""
    figures = {"test_accuracy": test.accuracy, "test_loss": test.loss}
    if not confusion:
        return figures
    from rich.console import Console
    from rich.table import Table

    table = Table("true \\ predicted", *dataset.class_names, title="confusion matrix, test set")
    for column in table.columns:
        column.justify = "right"
    for i, (name, row) in enumerate(zip(dataset.class_names, test.confusion, strict=True)):
        cells = [f"[bold]{n}[/]" if i == j else str(n or "·") for j, n in enumerate(row)]
        table.add_row(name, *cells)
    Console(stderr=json).print(table)
    return {**figures, "confusion": test.confusion}


@app.command(epilog="Example:  tfcourse evaluate digits.keras --confusion")
def evaluate(
    model: Model,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|PATH", help="Data set to test on. Default: what it was trained on."
        ),
    ] = None,
    confusion: Confusion = False,
    json: Json = False,
) -> None:
    """Report the loss and accuracy of a saved model on test examples."""
    from tfcourse import datasets

    loaded, card = room("saving").load(model)
    followed = False  # a path that is the file's word, not the user's
    if data is None and card:
        here = {entry.name: entry.here for entry in datasets.available()}
        if not here.get(card.data, True):
            raise InputError(
                f"{model} was trained on {card.data}, which must be downloaded: to have that done,"
                f" give --data {card.data}"
            )
        followed = card.data not in here
    data = data or (card.data if card else "digits")
    dataset = datasets.load(data)
    if followed:  # said once it is read, so that a refusal stays one line, which names it too
        note(f"note: the data are read from {data!r}, as {model} says; --data names other data")
    if card and card.data == data and card.fingerprint != dataset.fingerprint:
        note(f"note: {data} is no longer what {model} was trained on")
    test = room("classifier").evaluate(loaded, dataset.x_test, dataset.y_test)
    figures = _figures(test, dataset, confusion, json)
    if json:
        print_json({**figures, "data": data, "examples": len(dataset.y_test)})
        return
    print(f"test accuracy {test.accuracy:.4f}, test loss {test.loss:.4f} on {dataset.name}")


@app.command(
    epilog="Example:  tfcourse datasets --export digits samples && "
    "tfcourse predict digits.keras samples/1-0.png --show seen.png"
)
def predict(
    model: Model,
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE…", help=".png, .jpg, or .npy files.")
    ],
    as_is: Annotated[
        bool,
        typer.Option("--as-is", help="Resize the pictures, but do not prepare them as digits."),
    ] = False,
    show: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw what the model saw: .png, .svg or .pdf."),
    ] = None,
    json: Json = False,
) -> None:
    """Say which class each image shows, and with what probability.

    A model of digits reads photos of digits on paper: in each, the ink is found, dark or light,
    then cropped, scaled and centred as in the training data. Arrays are taken as they are.
    """
    import numpy as np

    if show:
        writable(show, PICTURES)
    loaded, card = room("saving").load(model)
    digits = not as_is and (_of_digits(card) or room("classifier").reads_digits(loaded))
    seen = _seen(images, loaded.input_shape[1:], digits)
    probabilities = room("classifier").predict(loaded, np.stack([one.x for _, one in seen]))
    classes = card.class_names if card else [str(i) for i in range(probabilities.shape[1])]
    read = [
        (name, one, classes[p.argmax()], p)
        for (name, one), p in zip(seen, probabilities, strict=True)
    ]
    if show:
        rows = -(-min(len(read), MOST_SHOWN) // SHOWN_PER_ROW)
        draw(show, "What the model saw", _draw_seen, read[:MOST_SHOWN], height=0.3 + 1.1 * rows)
        if len(read) > MOST_SHOWN:
            note(f"note: {show} shows the first {MOST_SHOWN} of {len(read)} images")
    if json:
        predictions = [
            {
                "image": name,
                "class": label,
                "probability": float(p.max()),
                "probabilities": dict(zip(classes, p.tolist(), strict=True)),
                "doubt": one.doubt,
            }
            for name, one, label, p in read
        ]
        print_json({"predictions": predictions, "prepared": digits})
        return
    width = max(len(name) for name, _ in seen)
    for name, one, label, p in read:
        doubt = f"   doubtful: {one.doubt}" if one.doubt else ""
        print(f"{name:<{width}}   {label}   {p.max():.4f}{doubt}")


MOST_SHOWN, SHOWN_PER_ROW = 40, 4


def _of_digits(card: Any) -> bool:
    """Whether a model's card says that it was trained on the packaged digits as they are."""
    from tfcourse import datasets

    return bool(card and card.fingerprint == datasets.load("digits").fingerprint)


def _seen(images: list[Path], shape: tuple[int, ...], digits: bool) -> list[tuple[str, Any]]:
    """Each example by its name: what it was, and what the model is given."""
    from tfcourse.datasets import handwriting
    from tfcourse.datasets import images as pictures

    seen = []
    for path in images:
        if digits and path.suffix.lower() != ".npy":
            seen.append((str(path), handwriting.read_digit(path, shape)))
            continue
        x = pictures.read_images(path, shape)
        whole = pictures.read_grey(path) if path.suffix.lower() != ".npy" else None
        for i, one in enumerate(x):
            name = str(path) if len(x) == 1 else f"{path}[{i}]"
            doubt = handwriting.unlike_digits(one) if digits else None
            seen.append((name, handwriting.Seen(one if whole is None else whole, one, doubt)))
    return seen


def _draw_seen(figure: Any, shown: list[tuple[str, Any, str, Any]]) -> None:
    """Each picture, and beside it what the model saw of it and took it for."""
    rows = -(-len(shown) // SHOWN_PER_ROW)
    axes = figure.subplots(rows, 2 * SHOWN_PER_ROW, squeeze=False)
    for one in axes.flat:
        one.set_axis_off()
    for i, (name, seen, label, p) in enumerate(shown):
        row, column = divmod(i, SHOWN_PER_ROW)
        left, right = axes[row, 2 * column : 2 * column + 2]
        for place, image in ((left, seen.picture), (right, seen.x)):
            if image.ndim == 1:
                image = image.reshape(1, -1)
            place.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        left.set_title(Path(name).name[-16:], fontsize=7)
        right.set_title(f"{label}  {p.max():.2f}{'?' if seen.doubt else ''}", fontsize=9)
