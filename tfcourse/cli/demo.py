"""`tfcourse demo`: the tour."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfcourse.cli.app import Json, Seed, app, note, print_json, room


@app.command(epilog="Example:  tfcourse demo --out tour")
def demo(
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the model and the figures go.")
    ] = Path("tfcourse-demo"),
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Take the tour: minimize (w − 5)², train the softmax classifier, draw figures."""
    from tfcourse import datasets
    from tfcourse.lecture import gallery
    from tfcourse.quadratic import formula, minimize

    out.mkdir(parents=True, exist_ok=True)

    note(f"1. Minimize J(w) = {formula()} by gradient descent, α = 0.01")
    room("_tensorflow")
    descent = minimize()
    for step in (0, 1, 1000):
        note(f"   step {step:>4}   w = {descent.w[step]:.5f}")

    digits = datasets.load("digits")
    note(f"2. Train the softmax classifier on {len(digits.x_train)} images of digits")
    classifier, saving = room("classifier"), room("saving")
    training = classifier.train(
        digits,
        seed=seed,
        on_epoch=lambda epoch: note(
            f"   epoch {epoch.number + 1:>2}   loss {epoch.loss:.4f}   "
            f"validation accuracy {epoch.validation_accuracy:.4f}"
        ),
    )
    test = classifier.evaluate(training.model, digits.x_test, digits.y_test)
    model = out / "digits.keras"
    card = saving.Card.of(digits, "digits", classifier.Hyperparameters(), seed)
    saving.save(training.model, model, card)

    entries = [entry for entry in gallery.find() if not entry.trains]
    note(f"3. Draw the {len(entries)} figures that need no training")
    pictures = [out / f"{entry.name}.png" for entry in entries]
    for entry, picture in zip(entries, pictures, strict=True):
        gallery.draw(entry.name, picture, seed)
        note(f"   {picture}")

    if json:
        print_json(
            {
                "w": round(float(descent.w[-1]), 5),
                "test_accuracy": test.accuracy,
                "model": model,
                "figures": pictures,
            }
        )
        return
    print(f"(w − 5)² is least at w = {descent.w[-1]:.5f}, after 1000 steps.")
    print(f"The classifier reads {test.accuracy:.1%} of {len(digits.y_test)} unseen digits right.")
    print(f"The model and {len(pictures)} figures are in {out}. Next:")
    print(f"  python -m tfcourse evaluate {model} --confusion")
