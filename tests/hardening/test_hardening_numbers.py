"""Every option of every command with 0, −1, NaN, infinity, 1e308, a word, and nothing."""

import json
import shutil
import sys

import numpy as np
import pytest
from typer.main import get_command

import tfcourse.cli  # noqa: F401  the module, where `app` is another name for a module

VALUES = ("0", "-1", "nan", "inf", "1e308", "word", "")
SMALL = ("--epochs", "1", "--layers", "1", "--units", "4")
SPACE = ("--space", "units=choice:4", "--space", "layers=choice:1")
# A run of each that takes little time; what is tried comes after, and the last one counts.
BASES = {
    "demo": [],
    "quadratic": ["--steps", "3"],
    "train": ["--data", "points.npz", *SMALL],
    "evaluate": ["model.keras"],
    "predict": ["model.keras", "point.npy"],
    "tune": ["--data", "points.npz", *SPACE, "--epochs", "1", "--trials", "1", "--engine", "keras"],
    "babysit day": ["--data", "points.npz", *SMALL],
    "babysit revert": [],
    "babysit show": [],
    "datasets": [],
    "figures": ["beta_scale", "--format", "svg"],
    "claims": ["softmax.example"],
}
ARGUMENTS = {  # command lines that end before an argument, which is tried in place of an option
    "evaluate": ["evaluate"],
    "predict": ["predict", "model.keras"],
    "babysit revert": ["babysit", "run", "revert"],
    "figures": ["figures", "--format", "svg"],
    "claims": ["claims"],
}
LONG = {("demo", "--out")}  # every path is a good one, and the tour takes its time


def options():
    """Every option that takes a value, by command, as the application itself lists them."""

    def walk(command, path):
        for name, part in getattr(command, "commands", {}).items():
            yield from walk(part, [*path, name])
        if not getattr(command, "commands", {}):
            taken = [option for option in command.params if option.param_type_name == "option"]
            flags = [option for option in taken if getattr(option, "is_flag", False)]
            yield (
                " ".join(path),
                [(option.opts[0], option.nargs) for option in taken if option not in flags],
            )

    return dict(walk(get_command(sys.modules["tfcourse.cli.app"].app), []))


def command_lines(command, option, width):
    """Command lines that try `option`, with a value or, at the end, without."""
    base = command.replace("babysit ", "babysit run ").split() + BASES[command]
    yield from ([*base, "--json", option, *[value] * width] for value in VALUES)
    yield [*base, "--json", option]


def tried():
    """Everything that is tried: command, what of it, command line."""
    for command, found in options().items():
        for option, width in found:
            for line in command_lines(command, option, width):
                yield command, option, line
        for value in VALUES if command in ARGUMENTS else ():
            yield command, "argument", [*ARGUMENTS[command], "--json", "--", value]


@pytest.fixture(scope="module")
def model(points, tmp_path_factory):
    """A folder with a model, a point, and a run to babysit."""
    from tfcourse.tuning import panda

    folder = tmp_path_factory.mktemp("made")
    made = panda.day(folder / "run", {"epochs": 1, "layers": 1, "units": 4}, data=points)
    shutil.copy(panda.read(folder / "run").model_path(made.number), folder / "model.keras")
    shutil.copy(points, folder / "points.npz")
    np.save(folder / "point.npy", np.zeros((1, 2), np.float32))
    return folder


def everything(folder):
    files = (path for path in folder.rglob("*") if path.name != "lock")
    return {path: path.is_file() and path.read_bytes() for path in files}


def try_all(tfcourse, model, tmp_path, lines):
    answers = set()
    for number, line in enumerate(lines):
        folder = tmp_path / str(number)
        shutil.copytree(model, folder)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            before = everything(folder)
            done = tfcourse(*line)
        seen = line, done
        assert done.status in (0, 1, 2), seen
        assert "Traceback" not in done.err and "Error:" not in done.err, seen
        assert "Warning" not in done.err, seen
        if done.status:
            last = done.err.splitlines()[-1]
            assert done.out == "" and last.startswith("tfcourse: ") and len(last) < 600, seen
            assert done.status == 1 or everything(folder) == before, seen
        else:
            assert isinstance(json.loads(done.out), dict), seen
        answers.add(done.status)
        shutil.rmtree(folder)
    return answers


@pytest.mark.parametrize("command", BASES)
def test_every_option_of(tfcourse, model, tmp_path, command, request):
    if "keras" in BASES[command] or command == "babysit day":
        request.getfixturevalue("eager")
    wanted = [(name, option) for name, option, _ in tried() if name == command]
    lines = [line for name, what, line in tried() if name == command and (name, what) not in LONG]
    answers = try_all(tfcourse, model, tmp_path, lines)
    assert 2 in answers or not wanted


@pytest.mark.long
@pytest.mark.parametrize(("command", "option"), LONG)
def test_the_long_option(tfcourse, model, tmp_path, command, option):
    lines = [line for name, what, line in tried() if (name, what) == (command, option)]
    assert lines and try_all(tfcourse, model, tmp_path, lines)


def test_every_command_is_tried():
    assert set(options()) == set(BASES)
