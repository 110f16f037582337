"""Panda: without the compute, babysit one model, day by day.

Each day it is trained a little further, with one hyperparameter changed perhaps; if the curve does
not improve, it goes back to yesterday's model. (Lecture, part 1.)

A diary in the run's folder says what was done. Days are numbered as on a calendar, so a day that
was reverted stays in it, and can be gone back to as well.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfcourse import _checks, datasets
from tfcourse._checks import InputError
from tfcourse.datasets.loading import absolute
from tfcourse.hyperparameters import Hyperparameters
from tfcourse.tuning import journal
from tfcourse.tuning.journal import Journal, Record, made_with
from tfcourse.tuning.models import FIGURES

if TYPE_CHECKING:
    from tfcourse.classifier import Epoch
    from tfcourse.datasets import Dataset

FIRST_DAY = {"epochs": 5}  # what a day begins with where `Hyperparameters` has another default
# What makes the model another model: its weights could not go on.
SHAPE = ("layers", "units", "activation", "batch_norm", "batch_norm_position")


@dataclass(frozen=True)
class Day:
    """A day's training.

    number: from 1. after: the day whose model it went on from, 0 for a new one. changed: what was
    set that day. settings: all hyperparameters, `epochs` being those of the day. first_epoch: how
    many epochs the model had behind it. history: loss, accuracy, validation_loss and
    validation_accuracy by epoch. diverged: whether a loss was no longer finite.
    """

    number: int
    after: int
    changed: dict[str, Any]
    settings: dict[str, Any]
    first_epoch: int
    history: dict[str, list[float]]
    diverged: bool = False
    seconds: float = field(default=0.0, compare=False)

    @property
    def last_epoch(self) -> int:
        """How many epochs the model has behind it in the evening."""
        return self.first_epoch + int(self.settings["epochs"])


@dataclass(frozen=True)
class Diary:
    """What a run's folder says.

    entries: in order, a day, or the number of the day gone back to (0: no model yet). data, seed:
    what the model is trained on, and what decides its first weights and mini-batches.
    """

    folder: Path
    data: str
    seed: int
    entries: tuple[Day | int, ...]

    @property
    def days(self) -> dict[int, Day]:
        """Days by number."""
        return {entry.number: entry for entry in self.entries if isinstance(entry, Day)}

    @property
    def today(self) -> int:
        """Number of the day whose model stands; 0 if there is none yet."""
        if not self.entries:
            return 0
        last = self.entries[-1]
        return last.number if isinstance(last, Day) else last

    @property
    def lineage(self) -> set[int]:
        """The days that the model which stands has been through."""
        number, days = self.today, set[int]()
        while number:
            days.add(number)
            number = self.days[number].after
        return days

    def model_path(self, day: int) -> Path:
        """Where a day's model is saved, its optimizer's state included."""
        return self.folder / f"day-{day:03}.keras"


def read(folder: Path | str) -> Diary:
    """Return the diary in `folder`.

    Raises: FileNotFoundError if there is none, ValueError if it is damaged.
    """
    path = _path(folder)
    if not path.exists():
        raise FileNotFoundError(f"{folder} must hold the diary of a model, got none")
    return _diary(path.parent, *journal.read(path))


def day(
    folder: Path | str,
    changes: Mapping[str, Any],
    *,
    data: str | None = None,
    seed: int | None = None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Day:
    """Train another day from where the model stands, with what is changed, and write it down.

    changes: hyperparameters other than yesterday's; the first day begins with the defaults and
    5 epochs. data, seed: the first day's, "digits" and 0 if not given.
    A new optimizer starts without memory; any other change keeps what it remembers.
    Raises: ValueError or TypeError for what is not accepted, or can no longer be changed, OSError
    if the folder cannot be written, BlockingIOError if another process has it open.
    """
    begun = _path(folder).exists()
    diary = read(folder) if begun else Diary(Path(folder), data or "digits", seed or 0, ())
    if seed not in (None, diary.seed):
        raise InputError(f"seed must stay {diary.seed} from the first day on, got {seed}")
    _checks.integer("seed", diary.seed, at_least=0)
    _next_day(diary, changes)  # whatever is wrong is said before anything is written
    dataset = datasets.load(data or diary.data)
    with _open(diary, dataset.fingerprint) as (pages, diary):
        new = _train(diary, _next_day(diary, changes), dataset, on_epoch)
        pages.append([{"day": dataclasses.asdict(new)}])
    return new


def revert(folder: Path | str, to: int | None = None) -> int:
    """Go back to the model of day `to`, by default of the day before; return its number.

    Raises: ValueError if there is no such day, FileNotFoundError if there is no diary.
    """
    diary = read(folder)
    with _open(diary, journal.read(_path(folder))[0]["data"]) as (pages, diary):
        if to is None:
            if not diary.today:
                raise InputError(f"{folder} must have a day to go back from, got none")
            to = diary.days[diary.today].after
        if to and to not in diary.days:
            known = ", ".join(map(str, [0, *diary.days]))
            raise InputError(f"the day to go back to must be one of {known}, got {to}")
        pages.append([{"reverted_to": to}])
    return to


def _path(folder: Path | str) -> Path:
    return Path(folder) / "diary.jsonl"


@contextmanager
def _open(diary: Diary, fingerprint: str) -> Iterator[tuple[Journal, Diary]]:
    """Open the diary to write; gives it as it is now, too."""
    surroundings = made_with(data=absolute(diary.data))
    head = {"data": fingerprint, "seed": diary.seed, "made_with": surroundings}
    with closing(Journal(_path(diary.folder), head)) as pages:
        yield pages, _diary(diary.folder, pages.head, pages.records)


def _diary(folder: Path, head: Record, records: list[Record]) -> Diary:
    with journal.understood(_path(folder)):
        entries = (Day(**r["day"]) if "day" in r else int(r["reverted_to"]) for r in records)
        return Diary(folder, head["made_with"]["data"], head["seed"], tuple(entries))


def _next_day(diary: Diary, changes: Mapping[str, Any]) -> Day:
    """The day to come, not trained yet."""
    before = diary.days.get(diary.today)
    if before and before.diverged:
        raise InputError(
            f"day {before.number} diverged: its model must be left with `revert`, "
            f"got another day after it"
        )
    first = before.settings if before else FIRST_DAY
    old = dataclasses.asdict(Hyperparameters.from_mapping(first))
    settings = dataclasses.asdict(Hyperparameters.from_mapping({**old, **changes}))
    for name in SHAPE:
        if before and settings[name] != old[name]:
            raise InputError(
                f"{name} must stay {old[name]} from the first day on, got {settings[name]}: "
                f"begin another model in another folder"
            )
    changed = {name: value for name, value in settings.items() if value != old[name]}
    return Day(
        number=max(diary.days, default=0) + 1,
        after=diary.today,
        changed=changed,
        settings=settings,
        first_epoch=before.last_epoch if before else 0,
        history={},
    )


def _train(diary: Diary, new: Day, dataset: Dataset, on_epoch: Callable[[Epoch], None]) -> Day:
    """Train the model of the day before for the `new` one, save it, and fill in what came of it."""
    from tfcourse import classifier, saving, training

    standardize = datasets.standardization(dataset.x_train)

    def build(values: Mapping[str, Any]) -> Any:
        settings = Hyperparameters.from_mapping(values)
        shapes = dataset.input_shape, dataset.classes
        return classifier.build(*shapes, settings, standardize=standardize)

    def record(epoch: training.Epoch) -> None:
        figures = [float(epoch.figures[name][0]) for name in FIGURES]
        if math.isfinite(figures[0] + figures[2]):
            on_epoch(classifier.Epoch(epoch.number, *figures))

    settings = Hyperparameters.from_mapping(new.settings)
    sets = dataset.x_train, dataset.y_train, dataset.x_validation, dataset.y_validation
    data, seed = training.Data(*sets), diary.seed
    before = None
    if new.after:
        old = diary.days[new.after].settings
        before = [training.load(build, old, data, diary.model_path(new.after), new.first_epoch)]
    ((one,),) = training.train(
        build, [new.settings], data, seeds=[seed], engine="keras", start=before, on_epoch=record
    )
    if one.error:
        raise RuntimeError(one.error)
    saving.save(
        one.model(final=True),
        diary.model_path(new.number),
        saving.Card.of(dataset, diary.data, settings, seed),
    )
    return dataclasses.replace(
        new,
        history={
            name.replace("val_", "validation_"): list(map(float, one.history.get(name, ())))
            for name in FIGURES
        },
        diverged=one.ended == "diverged",
        seconds=round(one.seconds, 3),
    )
