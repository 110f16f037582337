"""What the command line as a whole does: its version, and completion in shells."""

import importlib
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from tfcourse import _checks
from tfcourse.hyperparameters import Hyperparameters


def test_version(tfcourse):
    done = tfcourse("--version")
    assert (done.status, done.out) == (0, metadata.version("tfcourse") + "\n")


def test_every_command_has_an_example_in_its_help(tfcourse):
    commands = re.findall(r"^│ (\w+)  ", tfcourse("--help").out, re.MULTILINE)
    assert {"demo", "quadratic", "train", "tune", "claims", "figures"} < set(commands)
    for command in commands:
        assert "Example:  tfcourse " in tfcourse(command, "--help").out, command


def test_messages_are_this_project_s_own(refused):
    for command, end in (
        (("train", "--layers", "two"), "'--layers': expected a whole number, got 'two'\n"),
        (("quadratic", "--lr", "a"), "expected a number, got 'a'\n"),
    ):
        said = refused(*command)
        assert said.endswith(end) and "Input should" not in said


def test_words_of_keras_are_taken_in_any_case():
    made = Hyperparameters(optimizer="Adam", activation="swish")
    assert (made.optimizer, made.activation) == ("adam", "silu")
    made = Hyperparameters(optimizer="SGD", activation="LeakyReLU")
    assert (made.optimizer, made.activation) == ("gradient_descent", "leaky_relu")
    for wrong, right in (("adamm", "adam"), ("sdg", "sgd")):
        with pytest.raises(ValueError, match=f"got '{wrong}'; did you mean '{right}'"):
            Hyperparameters(optimizer=wrong)
    with pytest.raises(ValueError, match="got 'lr'; did you mean 'learning_rate'"):
        Hyperparameters.from_mapping({"lr": 0.1})


@pytest.mark.whole
def test_every_command_that_takes_an_optimizer_takes_keras_s_words(tfcourse):
    for command, name in (
        *(("quadratic --steps 1", name) for name in ("Adam", "sgd")),
        ("train --layers 0 --epochs 1", "Adam"),
        ("babysit model day --layers 0 --epochs 1", "sgd"),
    ):
        done = tfcourse(*command.split(), "--optimizer", name, "--lr", 0.01)
        assert done.status == 0, done.err


def test_wrong_words_of_a_space_are_set_right(refused):
    assert "did you mean 'learning_rate'" in refused("tune", "--space", "lr=log:1e-3:1")
    assert "did you mean 'sgd'" in refused("tune", "--space", "optimizer=choice:sdg,adam")


def test_when_no_trial_is_completed_the_reason_is_shown():
    why = importlib.import_module("tfcourse.cli.tuning")._why_none
    states = [("failed", "ValueError: of shapes"), ("diverged", None)] + [("failed", "no GPU")] * 2
    trials = [SimpleNamespace(state=state, error=error) for state, error in states]
    assert why(SimpleNamespace(trials=trials, folder="study")) == (
        "none of 4 trials was completed; 2 of them: no GPU; see study"
    )


@pytest.fixture
def raising(tfcourse, monkeypatch):
    """Run a command line whose work raises an error."""

    def run(error):
        def app(**how):
            raise error

        monkeypatch.setattr(importlib.import_module("tfcourse.cli.app"), "app", app)
        return tfcourse("quadratic")

    return run


@pytest.mark.parametrize(
    "error",
    [
        *(_checks.InputError("n must be 1, got 2"), _checks.InputTypeError("n must be 1, got 2")),
        OSError("n must be 1, got 2"),
    ],
)
def test_a_mistake_of_the_user_s_is_told_in_one_line(raising, error):
    done = raising(error)
    assert (done.status, done.out) == (2, "")
    assert done.err == "tfcourse: n must be 1, got 2\n"


@pytest.mark.parametrize(
    "error", [ValueError("of shapes"), TypeError("'NoneType'"), KeyError("w"), AssertionError()]
)
def test_a_fault_of_ours_keeps_its_traceback_and_says_what_to_report(raising, error):
    done = raising(error)
    assert (done.status, done.out) == (70, "")
    *traceback, last = done.err.splitlines()
    assert traceback[0] == "Traceback (most recent call last):"
    assert type(error).__name__ in traceback[-1]
    assert last.startswith("tfcourse: this is a fault of tfcourse, not yours: please report")


def test_every_check_raises_the_user_s_mistake():
    for call, error in (
        (lambda: _checks.number("n", "1"), TypeError),
        (lambda: _checks.number("n", 2, below=1), ValueError),
        (lambda: _checks.integer("n", 1.5), TypeError),
        (lambda: _checks.integer("n", -1, at_least=0), ValueError),
        (lambda: _checks.choice("n", "a", ["b"]), ValueError),
    ):
        with pytest.raises(error) as raised:
            call()
        assert isinstance(raised.value, _checks.InputError)


def test_a_journal_of_another_version_is_no_fault_of_ours(refused, tmp_path):
    (tmp_path / "run").mkdir()
    head = '{"tfcourse": 1, "seed": 0, "data": "x", "made_with": {"data": "digits"}}'
    (tmp_path / "run/diary.jsonl").write_text(head + '\n{"day": {"colour": 3}}\n')
    assert "another version of tfcourse wrote it" in refused("babysit", "run", "show")


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
