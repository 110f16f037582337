"""How much test accuracy it gains to choose among finalists, or by repeats, over the top trial.

`python scripts/compare_choosing.py --studies 20` trains every trial of a study once, the best ones
and some others under further seeds, and then plays each way to choose on the same trainings. Two
data sets: the packaged digits, parted anew for each study (600 to train with, 200 to choose with,
997 to judge with), and four clouds of points in 16 dimensions that overlap (600, 200 and 20,000).
"Gain" is over the top of 30: of the model that was kept, and of its hyperparameters under any seed,
which is what counts where the best is trained again on all examples.
"""

# %%
from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from tfcourse import _terminal, classifier, datasets, training
from tfcourse._files import whole_file
from tfcourse.hyperparameters import Hyperparameters
from tfcourse.tuning import Linear, Log, Space, random

# %%
SPACE = Space(learning_rate=Log(1e-4, 1), dropout=Linear(0, 0.5))
TRIALS, REPEATED, FINALISTS, SEEDS = 50, 17, 10, 5
EPOCHS, UNITS = 8, 64
SIZES = (600, 200)


@dataclasses.dataclass(frozen=True)
class Study:
    """validation, loss, test: of each trial under each seed, NaN where it was not trained."""

    validation: Any
    loss: Any
    test: Any


PARTS = ("train", "validation", "test")


def parts(name: str, number: int) -> list[tuple[Any, Any]]:
    """Training, validation and test set of a study, standardized by the first."""
    rng = np.random.default_rng([number, 7])
    if name == "digits":
        digits = datasets.load("digits")
        sets = [(getattr(digits, f"x_{p}"), getattr(digits, f"y_{p}")) for p in PARTS]
        x = np.concatenate([one for one, _ in sets]).reshape(-1, 64)
        y = np.concatenate([one for _, one in sets])
        order = rng.permutation(len(x))
        x, y = x[order], y[order]
    else:
        centres = np.random.default_rng(0).normal(size=(4, 3, 16)) * 0.9
        count = sum(SIZES) + 20_000
        y = rng.integers(4, size=count)
        x = centres[y, rng.integers(3, size=count)] + rng.normal(size=(count, 16))
    x = x.astype(np.float32)
    cuts = [slice(0, SIZES[0]), slice(SIZES[0], sum(SIZES)), slice(sum(SIZES), None)]
    mean, deviation = x[cuts[0]].mean(axis=0), x[cuts[0]].std(axis=0)
    return [((x[cut] - mean) / np.where(deviation > 0, deviation, 1), y[cut]) for cut in cuts]


def play(name: str, number: int) -> Study:
    """Train what the ways to choose may ask for."""
    (x, y), (xv, yv), (xt, yt) = parts(name, number)
    data, classes = training.Data(x, y, xv, yv), int(y.max()) + 1

    def build(trial: dict[str, Any]) -> Any:
        return classifier.build(
            x.shape[1:], classes, Hyperparameters.from_mapping({**trial, "units": UNITS})
        )

    model = classifier.build(x.shape[1:], classes, Hyperparameters(units=UNITS))
    trials = [chosen for chosen in random(SPACE, TRIALS, number) if chosen]
    found = np.full((3, TRIALS, 1 + SEEDS), np.nan)

    def train(jobs: list[tuple[int, int]]) -> None:
        draws = [{**trials[trial], "epochs": EPOCHS} for trial, _ in jobs]
        seeds = [10_000 * number + 100 * trial + seed for trial, seed in jobs]
        for chunk in training.train(build, draws, data, seeds=seeds):
            for one in chunk:
                trial, seed = jobs[one.trial]
                if one.best_epoch is None:
                    found[:, trial, seed] = 0, np.inf, 0
                    continue
                model.set_weights([w for w in one.weights if w.dtype == np.float32])
                guessed = classifier.predict(model, xt).argmax(axis=1)
                history = one.history
                found[:, trial, seed] = (
                    history["val_accuracy"][one.best_epoch],
                    history["val_loss"][one.best_epoch],
                    (guessed == yt).mean(),
                )

    train([(trial, 0) for trial in range(TRIALS)])
    first = ranked(found[0, :, 0], found[1, :, 0])
    again = {*first[:FINALISTS], *[t for t in first if t < 30][:FINALISTS]}
    more = [(trial, seed) for trial in sorted(again) for seed in range(1, 1 + SEEDS)]
    more += [(t, s) for t in range(25) for s in (1, 2) if (t, s) not in more and t < REPEATED]
    more += [(t, 1) for t in range(REPEATED, 25) if (t, 1) not in more]
    for start in range(0, len(more), TRIALS):  # in pieces of one width: compiled once
        train(more[start : start + TRIALS])
    return Study(*found)


def played(name: str, number: int, folder: Path | None) -> Study:
    """Play a study, unless the folder has it already."""
    if folder is None:
        return play(name, number)
    path = folder / f"{name}-{number}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary:
            np.savez(temporary, **vars(play(name, number)))
    with np.load(path) as found:
        return Study(**found)


def ranked(score: Any, loss: Any) -> list[int]:
    """Trials, the best first: by score, then by loss."""
    return [int(trial) for trial in np.lexsort([loss, -score])]


def top(trials: int) -> Callable[[Study], int]:
    """The trial that did best under its one seed."""
    return lambda study: ranked(study.validation[:trials, 0], study.loss[:trials, 0])[0]


def repeats(trials: int, seeds: int) -> Callable[[Study], int]:
    """The trial with the best mean over seeds, of all."""

    def choose(study: Study) -> int:
        means = [one[:trials, :seeds].mean(axis=1) for one in (study.validation, study.loss)]
        return ranked(*means)[0]

    return choose


def finalists(trials: int, count: int, seeds: int, *, first: bool) -> Callable[[Study], int]:
    """The finalist with the best mean over further seeds, with its `first` score or without."""

    def choose(study: Study) -> int:
        best = ranked(study.validation[:trials, 0], study.loss[:trials, 0])[:count]
        cut = slice(0 if first else 1, 1 + seeds)
        means = [one[best, cut].mean(axis=1) for one in (study.validation, study.loss)]
        return best[ranked(*means)[0]]

    return choose


def ways() -> Iterator[tuple[str, int, Callable[[Study], int]]]:
    """Ways to choose: what they are called, how many trainings they take, and how they choose."""
    yield "top of 30", 30, top(30)
    yield "top of 50", 50, top(50)
    yield "25 trials, 2 repeats", 50, repeats(25, 2)
    yield "17 trials, 3 repeats", 51, repeats(17, 3)
    for trials in (30, 50):
        for count, seeds in ((5, 2), (5, 4), (10, 2), (10, 5)):
            for first in (True, False):
                name = f"{trials} trials, {count} finalists, {seeds} seeds"
                name += ", first too" if first else ""
                yield name, trials + count * seeds, finalists(trials, count, seeds, first=first)


def judged(studies: list[Study], choose: Callable[[Study], int]) -> Any:
    """Test accuracy of the chosen trial's first model and of its hyperparameters, (2, studies).

    The latter is the mean over all seeds that they were trained under.
    """
    chosen = [one.test[choose(one)] for one in studies]
    return np.array([[test[0] for test in chosen], [np.nanmean(test) for test in chosen]])


def main() -> None:
    """Play the studies and print what each way to choose comes to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=20, help="on each data set")
    parser.add_argument("--first", type=int, default=0, help="number of the first study")
    parser.add_argument("--data", nargs="+", default=["digits", "clouds"])
    parser.add_argument("--keep", type=Path, help="folder for what is trained, to go on from")
    told = parser.parse_args()
    count = told.studies
    _terminal.prepare()
    console = Console()
    for name in told.data:
        studies = []
        for number in range(told.first, told.first + count):
            studies.append(played(name, number, told.keep))
            console.print(f"{name}: {len(studies)} of {count} studies", style="dim")
        table = Table(title=f"{name}: test accuracy of the chosen trial, mean of {count} studies")
        for column in ("way", "trainings", "kept model", "gain", "over its seeds", "gain"):
            table.add_column(column, justify="left" if column == "way" else "right")
        base = judged(studies, top(30))
        for way, trainings, choose in ways():
            found = judged(studies, choose)
            gain = found - base
            error = gain.std(axis=1, ddof=1) / count**0.5 if count > 1 else (0, 0)
            cells = zip(found.mean(axis=1), gain.mean(axis=1), error, strict=True)
            texts = [text for a, g, e in cells for text in (f"{a:.4f}", f"{g:+.4f} ± {e:.4f}")]
            table.add_row(way, str(trainings), *texts)
        console.print(table)


if __name__ == "__main__":
    main()
