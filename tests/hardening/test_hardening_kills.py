"""Killed or interrupted at any moment: the old file or the new one, and the next run works."""

import random
import re
import signal
import zipfile
from dataclasses import replace
from functools import cache

import pytest

from tfcourse import saving
from tfcourse.tuning import Study, panda

MOMENTS, LONG_MOMENTS = 50, 100  # of each command, half of them kill -9 and half Ctrl-C
SIGNALS = (signal.SIGKILL, signal.SIGINT)
AT_ONCE = 2  # folders in which a command is killed side by side
CHECKED = 20  # every so many moments, a run to its end

SMALL = ("--epochs", "2", "--layers", "1", "--units", "4", "--batch-size", "60")
SPACE = ("--space", "units=int:4:8", "--space", "layers=choice:1")
SPACE += ("--space", "batch_size=choice:60")


def commands(points):
    return {
        "train": ["train", "--data", points, *SMALL],
        "tune": ["tune", "--data", points, *SPACE, "--trials", "6", "--epochs", "1"],
        "babysit": ["babysit", "run", "day", "--data", points, *SMALL],
        "figures": ["figures", "beta_scale", "quadratic_descent", "--out", "."],
    }


def visible(folder):
    """Every file but drafts, which are hidden or end in .new, and locks, which lock nothing."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(p for p in files if p.name[0] != "." and p.suffix != ".new" and p.name != "lock")


def same_weights(path, right):
    ours, theirs = saving.load(path)[0].get_weights(), weights(right)
    return all((a == b).all() for a, b in zip(ours, theirs, strict=True))


@cache
def weights(right):
    """Weights of a model that stays what it is."""
    return saving.load(right)[0].get_weights()


def sound_train(folder, right):
    found = visible(folder)
    former = [path for path in found if re.fullmatch(r"points\.before-\d+\.keras", path.name)]
    own = [path for path in found if path not in former]
    # Trained again, the model that was there is kept beside the new one, and never in its place.
    assert [path.name for path in own] == ["points.keras"] * bool(found)
    assert all(same_weights(path, right / "points.keras") for path in found)
    return bool(own)


def sound_tune(folder, right):
    study = folder / "study"
    if not (study / "journal.jsonl").exists():
        return False
    kept = Study.read(study)
    whole = Study.read(right / "study")
    for trial in kept.trials:
        right_one = whole.get(trial.number, trial.epochs)
        # Scores under other seeds come when all are trained, the test set's figures last.
        untested = replace(right_one, test={})
        assert trial in (right_one, untested, replace(untested, again=()))
    if kept.kept is not None:
        saving.load(kept.model_path)
    done = kept.best is not None and kept.best.test_accuracy is not None
    if done:
        assert kept.trials == whole.trials and kept.kept == whole.kept
        assert same_weights(kept.model_path, whole.model_path)
    return done


def sound_babysit(folder, right):
    run = folder / "run"
    if not (run / "diary.jsonl").exists():
        return False
    diary = panda.read(run)
    assert list(diary.days) == list(range(1, len(diary.days) + 1))
    first = panda.read(right / "run").days[1]
    assert all(day == first for number, day in diary.days.items() if number == 1)
    if diary.today:
        assert zipfile.ZipFile(diary.model_path(diary.today)).testzip() is None
        saving.load(diary.model_path(diary.today))
    return bool(diary.today)


def sound_figures(folder, right):
    found = visible(folder)
    assert all(path.read_bytes() == (right / path.name).read_bytes() for path in found)
    return len(found) == 4


SOUND = {
    "train": sound_train,
    "tune": sound_tune,
    "babysit": sound_babysit,
    "figures": sound_figures,
}


def undisturbed(forks, command, folder):
    """Run the command to its end in the folder "right"; return how long it takes."""
    (folder / "right").mkdir()
    [done] = forks({"arguments": command, "folder": str(folder / "right")})
    assert done["status"] == 0, done
    return done["seconds"]


@pytest.mark.parametrize(
    "moments", [MOMENTS, pytest.param(LONG_MOMENTS, marks=pytest.mark.long)], ids=["short", "long"]
)
@pytest.mark.parametrize("name", SOUND)
def test_killed_at_random_moments(forks, points, tmp_path, name, moments):
    command, sound = commands(points)[name], SOUND[name]
    seconds = undisturbed(forks, command, tmp_path)
    right, rng = tmp_path / "right", random.Random(moments)
    assert sound(right, right)
    folders = [tmp_path / str(number) for number in range(AT_ONCE)]
    for folder in folders:
        folder.mkdir()
    orders = [{"arguments": command, "folder": str(folder)} for folder in folders]
    struck, within = 0, dict.fromkeys(folders, seconds)
    for moment in range(0, moments, AT_ONCE):
        blow = SIGNALS[moment // AT_ONCE % 2]
        # Every one of these runs begins with what the one before has left.
        drafts = {folder: set(folder.rglob(".*")) for folder in folders}
        after = [rng.uniform(0, within[folder]) for folder in folders]
        blows = [{"signal": blow, "after": wait} for wait in after]
        ends = forks(*[order | one for order, one in zip(orders, blows, strict=True)])
        for folder, end in zip(folders, ends, strict=True):
            assert end["status"] in (0, 130, -blow), end
            assert "Traceback" not in end["err"], end
            struck += end["status"] != 0
            # Who ended before the blow, going on from what was there, meets the next one early.
            within[folder] = seconds if end["status"] else end["seconds"] / 2
            if sound(folder, right) and name == "tune":
                anew(folder)  # a finished study has nothing to lose
            if blow == signal.SIGINT:
                assert set(folder.rglob(".*")) <= drafts[folder], "an interrupted run tidies up"
        if moment % CHECKED < AT_ONCE or moment + AT_ONCE >= moments:
            for folder, end in zip(folders, forks(*orders), strict=True):
                assert end["status"] == 0, end
                assert sound(folder, right)
                if moment + AT_ONCE < moments and rng.random() < 0.5:
                    anew(folder)
    assert struck >= moments / 4  # a miss is followed by a hit, so half of them, and to spare


def anew(folder):
    """Empty the folder."""
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
