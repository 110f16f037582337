"""The scripts that a student reads first run from a checkout, without arguments."""

import runpy
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture
def printed(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(name):
        monkeypatch.setattr("sys.argv", [name])
        runpy.run_path(str(SCRIPTS / name), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_minimize_quadratic_prints_the_lectures_numbers(printed):
    lines = printed("minimize_quadratic.py").splitlines()
    assert lines[:3] == [
        "before training    w = 0.00000",
        "after one step     w = 0.10000",
        "after 1000 steps   w = 4.99999",
    ]
    assert lines[3] == "[1.0, -10.0, 25.0]: after one step 0.10000, after 1000 4.99999"
    assert lines[4] == "[1.0, -20.0, 100.0]: after one step 0.20000, after 1000 9.99998"
    assert lines[5] == "graphs traced: 1"


def test_train_classifier_reads_the_digits(printed):
    out = printed("train_classifier.py")
    accuracy = float(out.split("test accuracy ")[1].split()[0])
    assert accuracy > 0.95
    assert "batch_norm_1" in out


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.stem)
def test_every_script_opens_as_a_notebook(script):
    text = script.read_text(encoding="utf-8")
    assert text.startswith(("# %%", '"""')), "cells, or a docstring that says what it measures"
    compile(text, str(script), "exec")
