"""The examples that `--help` shows run one after the other in one empty folder."""

import re
import shlex

import pytest
import typer

from tfcourse.cli.app import app

EXAMPLE = re.compile(r"tfcourse [^&\n]*[^&\s]")
# Of what trains: less says the same; as it stands it is run if long.
TRIALS = re.compile(r"(--trials )\d+")
SMALLER = {
    "tfcourse train": "--epochs 1",
    "tfcourse tune": "--epochs 1 --engine keras --finalists 0 --no-refit",
    "tfcourse babysit day": "--epochs 1",
    "tfcourse babysit": "--epochs 1",
}
TOUR = re.compile(r"tfcourse demo")  # which a test of its own takes


def commands(command, name="tfcourse"):
    """Every command with its name, in the order in which help lists them."""
    yield name, command
    for part, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, f"{name} {part}")


COMMANDS = dict(commands(typer.main.get_command(app)))
HELPS = {name: command.epilog or "" for name, command in COMMANDS.items()}
EXAMPLES = [(name, line) for name, text in HELPS.items() for line in EXAMPLE.findall(text)]
# An image to predict comes from `tfcourse datasets --export`, where there is one.
SAMPLES = any(one.name == "export" for one in COMMANDS["tfcourse datasets"].params)


def test_every_command_has_an_example_of_itself():
    assert len(HELPS) > 10
    for name, text in HELPS.items():
        assert all(word in text for word in name.split()), name


@pytest.mark.parametrize(
    "long",
    [pytest.param(False, marks=pytest.mark.whole), pytest.param(True, marks=pytest.mark.long)],
)
def test_every_example_runs(tfcourse, long, request):
    if not long:
        request.getfixturevalue("eager")
    for name, example in EXAMPLES:
        if (TOUR.match(example) and not long) or (name == "tfcourse predict" and not SAMPLES):
            continue
        smaller = TRIALS.sub(r"\g<1>2", example) + " " + SMALLER.get(name, "")
        line = example if long else smaller
        done = tfcourse(*shlex.split(line)[1:])
        assert done.status == 0, f"{example}\n{done.err}"
        assert done.out.strip(), example
