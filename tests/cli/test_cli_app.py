"""What the command line as a whole does: its version, and completion in shells."""

import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest


def test_version(tfcourse):
    done = tfcourse("--version")
    assert (done.status, done.out) == (0, metadata.version("tfcourse") + "\n")


def test_every_command_has_an_example_in_its_help(tfcourse):
    commands = re.findall(r"^│ (\w+)  ", tfcourse("--help").out, re.MULTILINE)
    assert {"demo", "quadratic", "train", "tune", "claims", "figures"} < set(commands)
    for command in commands:
        assert "Example:  tfcourse " in tfcourse(command, "--help").out, command


@pytest.mark.parametrize(
    ("typed", "offered"),
    [(["tfcourse", "ba"], ["babysit"]), (["tfcourse", "quadratic", "--op"], ["--optimizer"])],
)
def test_bash_completes(typed, offered):
    command = Path(sys.executable).with_name("tfcourse")
    if not command.exists():
        pytest.skip("tfcourse is not installed as a command")
    words = {"COMP_WORDS": " ".join(typed), "COMP_CWORD": str(len(typed) - 1)}
    environment = os.environ | words | {"_TFCOURSE_COMPLETE": "complete_bash"}
    done = subprocess.run([command], capture_output=True, text=True, env=environment)
    assert done.stdout.split() == offered, done
